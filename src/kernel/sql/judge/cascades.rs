//! Rows of other tables that a change takes with it, by foreign keys: ON DELETE CASCADE, ON UPDATE SET
//! NULL and their like. Nobody names these tables, and their rows change all the same.

use std::collections::BTreeSet;

use crate::kernel::{
    access::Permission,
    catalog::{Cascade, CascadeAction, Relation},
    sql::{judge::Judge, reading::StatementKind},
};

/// By which names a statement knows the columns of a relation that it writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ColumnNames {
    /// The catalog's.
    Own,
    /// A view's, which may call them otherwise; or those of a moment ago.
    Others,
}

impl Judge<'_> {
    /// Adds what is changed with rows of this relation, and what with that, however far it goes.
    pub(super) fn changed_with(&mut self, relation: &Relation, names: ColumnNames) {
        if self.only_planned || relation.cascades.is_empty() {
            return;
        }
        let catalog = self.cx.catalog;
        let deletes = self.has(StatementKind::Delete) || self.has(StatementKind::Merge);
        let updates = self.updated_columns(relation, names);
        let mut left = vec![(relation, deletes, updates)];
        let mut seen: BTreeSet<(u32, CascadeAction, &[i16])> = BTreeSet::new();
        while let Some((changed, deleted, updated)) = left.pop() {
            for cascade in &changed.cascades {
                let action = action(cascade, deleted, &updated);
                let Some(child) = catalog.relation_by_oid(cascade.from) else {
                    // Fail closed: it came into being since the catalog was read.
                    if action != CascadeAction::Nothing {
                        let why = "changes a table that nobody knows, through a foreign key";
                        self.needs.whole(Permission::Dml, why);
                    }
                    continue;
                };
                if action == CascadeAction::Nothing
                    || !seen.insert((child.oid, action, &cascade.from_columns))
                {
                    continue;
                }
                self.changes_referring(child, changed, action);
                let updated = match action {
                    CascadeAction::Updates => cascade.from_columns.clone(),
                    CascadeAction::Deletes | CascadeAction::Nothing => Vec::new(),
                };
                left.push((child, action == CascadeAction::Deletes, updated));
            }
        }
    }

    /// The columns that existing rows get new values for.
    fn updated_columns(&self, relation: &Relation, names: ColumnNames) -> Vec<i16> {
        let assigned = &self.reading.assigned;
        let known = |name: &String| relation.columns.iter().any(|column| column.name == *name);
        // Fail closed: a name that is none of its columns' may mean any of them.
        let any =
            !assigned.is_empty() && (names == ColumnNames::Others || !assigned.iter().all(known));
        let columns = relation.columns.iter();
        columns.filter(|c| any || assigned.contains(&c.name)).map(|c| c.number).collect()
    }

    fn changes_referring(&mut self, child: &Relation, changed: &Relation, action: CascadeAction) {
        let verb = match action {
            CascadeAction::Deletes => "deletes from",
            CascadeAction::Updates | CascadeAction::Nothing => "writes",
        };
        let why = format!(
            "{verb} {}.{}, whose rows refer to {}.{}",
            child.schema, child.name, changed.schema, changed.name
        );
        self.needs.add(Permission::Dml, self.on(child), why);
        self.code_of_written(child);
        for partition in self.descendants(child.oid) {
            self.code_of_written(partition);
        }
    }
}

/// What happens to rows that refer to rows which are deleted, or of which these columns are set.
fn action(cascade: &Cascade, deleted: bool, updated: &[i16]) -> CascadeAction {
    let moves = cascade.to_columns.iter().any(|column| updated.contains(column));
    let on_update = if moves { cascade.on_update } else { CascadeAction::Nothing };
    let on_delete = if deleted { cascade.on_delete } else { CascadeAction::Nothing };
    on_delete.max(on_update)
}
