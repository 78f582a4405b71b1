//! Views of the server's own extensions that show how it is doing, as its catalogs do:
//! `pg_stat_statements`, `pg_buffercache`.

use crate::kernel::{
    access::Permission,
    catalog::{Relation, RelationKind},
    sql::{
        builtins::{ExtensionRule, STATEMENTS, STATEMENTS_TEXT},
        judge::{Judge, code::reviewed},
        reading::RawName,
    },
};

/// What the columns of such a view may be of, but for the text of statements: nothing that a text fits
/// into.
const NUMBERS: [&str; 8] = [
    "bigint",
    "boolean",
    "double precision",
    "integer",
    "numeric",
    "oid",
    "smallint",
    "timestamp with time zone",
];

impl Judge<'_> {
    /// True if a relation that is read shows no more than counters and the like; then what that needs
    /// has been added. It isn't asked who made the view: a query of nothing but constants and such a
    /// function tells no more, for its text is info as well.
    pub(super) fn shows_counters(&mut self, relation: &Relation, name: &RawName) -> bool {
        let others = [&relation.policies, &relation.planned, &relation.triggers, &relation.reads];
        if relation.kind != RelationKind::View
            || relation.has_rules
            || relation.calls.is_empty()
            || !relation.built_ins.is_empty()
            || others.iter().any(|oids| !oids.is_empty())
        {
            return false;
        }
        let catalog = self.cx.catalog;
        let rule = |oid: &u32| {
            let routine = catalog.routine_by_oid(*oid)?;
            let is_trusted = self.cx.trust.permission_for(routine).is_some();
            reviewed(routine).filter(|_| !is_trusted)
        };
        let rules: Option<Vec<ExtensionRule>> = relation.calls.iter().map(rule).collect();
        let tells_statements = match rules.as_deref() {
            Some([ExtensionRule::Statements]) if is_of_statements(relation) => true,
            Some(rules) if rules.iter().all(|rule| *rule == ExtensionRule::Info) => false,
            Some(_) | None => return false,
        };
        if self.only_planned {
            return true;
        }
        let shown = format!("{}.{}", relation.schema, relation.name);
        self.needs.anything(Permission::Info, format!("reads {shown}"));
        for column in STATEMENTS_TEXT.iter().filter(|_| tells_statements) {
            if self.mentions(name, column) && !self.hide(name, STATEMENTS_TEXT) {
                self.needs.admin(format!(
                    "reads other people's SQL in {}.{column}: name other columns",
                    relation.name
                ));
            }
        }
        true
    }
}

/// True if the text of statements is where it is looked for, and nowhere else.
fn is_of_statements(view: &Relation) -> bool {
    let is_text = |column: &str| STATEMENTS_TEXT.contains(&column);
    view.name == STATEMENTS
        && view.columns.iter().any(|column| is_text(&column.name))
        && view.columns.iter().all(|column| {
            let of = column.type_name.as_str();
            if is_text(&column.name) { of == "text" } else { NUMBERS.contains(&of) }
        })
}
