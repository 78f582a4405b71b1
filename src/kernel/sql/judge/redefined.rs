//! What runs where tables are redefined: their rows may be read or rewritten, and code looks at them.

use crate::kernel::{catalog::Relation, sql::judge::Judge};

impl Judge<'_> {
    /// What redefines a table may read or rewrite its rows: then checks, index expressions and what
    /// compares values run. That they may is a matter of ddl; that they ran must be known.
    pub(super) fn code_of_defined(&mut self, relation: &Relation) {
        self.user_code |= self.has_code(relation)
            || self.descendants(relation.oid).into_iter().any(|child| self.has_code(child));
    }

    /// The same where nobody says of which tables: ANALYZE, REINDEX SCHEMA, ALTER DOMAIN.
    pub(super) fn code_of_anything(&mut self) {
        let catalog = self.cx.catalog;
        self.user_code |= catalog.relations().any(|relation| self.has_code(relation));
    }

    fn has_code(&self, relation: &Relation) -> bool {
        let types = relation.columns.iter().map(|column| column.type_oid).collect();
        let catalog = self.cx.catalog;
        let of_type = |oid: &u32| {
            catalog.shape(*oid).is_some_and(|s| !s.calls.is_empty() || !s.compares.is_empty())
        };
        [&relation.calls, &relation.policies, &relation.triggers].iter().any(|l| !l.is_empty())
            || self.closed(types).iter().any(of_type)
    }
}
