//! INSERT, UPDATE, DELETE, MERGE: what is written where, and what comes back.

use std::rc::Rc;

use crate::kernel::sql::{
    judge::{Resolved, meanings},
    lineage::{
        Label, Purpose,
        names::Same,
        resolve::Follower,
        rows::{Place, Rows, Table},
        shape::{Assignment, Write},
    },
};

impl<'a> Follower<'a> {
    pub(super) fn write(&mut self, write: &'a Write, place: &Place<'a>) -> Rows<'a> {
        let target = Rc::new(self.relation(&write.table));
        let own = write.table.0.last().map(String::as_str);
        let known_as = write.alias.as_deref().or(own);
        let relation = write.alias.is_none().then_some(&write.table);
        let mut tables = vec![Table { known_as, relation, bare: true, rows: Rc::clone(&target) }];
        for name in &write.also_known_as {
            let rows = Rc::clone(&target);
            tables.push(Table { known_as: Some(name), relation: None, bare: false, rows });
        }
        // FROM doesn't see the table that is written.
        let mut sources = Vec::new();
        let mut others = Rows::known(Vec::new());
        for source in &write.from {
            let rows = self.source(source, place, &mut sources);
            others.append(&rows);
        }
        let table = Rows::clone(&target).shown();
        let (mut star, last) = if write.merges { (others, table) } else { (table, others) };
        star.append(&last);
        tables.extend(sources);
        let inside = place.inside(&tables);
        self.conditions(&write.conditions, &inside);
        if let Some((columns, rows)) = &write.rows {
            let rows = self.query(rows, place);
            self.stored(rows.whole());
            // New rows may have what they like in marked columns; a column that isn't there may be any.
            for name in columns {
                self.spend(target.width());
                target.named(name, self.names);
            }
        }
        if let (true, Some((columns, _))) = (write.replaces, &write.rows) {
            self.replaced(columns, &target);
        }
        if let Some(rows) = write.conflicts {
            self.conflicts(write, rows);
        }
        for assignment in &write.inserted {
            let values = self.assigned_values(assignment, &inside);
            self.stored(values);
        }
        for assignment in &write.assigned {
            let values = self.assigned_values(assignment, &inside);
            self.stored(values);
            for name in &assignment.columns {
                self.spend(target.width());
                let column = match target.named(name, self.names) {
                    Some(found) => found.label,
                    None => self.anything(),
                };
                self.used(Purpose::Assigns, column);
            }
        }
        self.outputs(&write.returning, &star, &inside)
    }

    /// ON CONFLICT that names no columns looks for all that have to be unique.
    fn conflicts(&mut self, write: &'a Write, rows: usize) {
        let given = write.rows.as_ref().map(|(columns, _)| columns.as_slice()).unwrap_or_default();
        for meaning in meanings(&write.table, self.cx).all() {
            let Resolved::User(relation) = meaning else { continue };
            for column in relation.columns.iter().filter(|c| relation.unique.contains(&c.number)) {
                let is = |name: &String| self.names.column(name, &column.name) != Same::No;
                let gets = given.is_empty() || given.iter().any(is);
                let label = self.sensitive.label(relation.oid, column.number);
                // A generated column is made of what others get.
                if label.is_derived() {
                    self.used(Purpose::Filters, label);
                } else if gets && !label.is_clear() {
                    self.equals.insert(std::ptr::from_ref(column).addr(), (label, rows));
                }
            }
        }
    }

    /// REPLACE puts these, or all, in the place of what existing rows have.
    fn replaced(&mut self, columns: &[String], target: &Rows<'a>) {
        if columns.is_empty() {
            let rows = target.clone();
            let labels = rows.columns.into_iter().flatten().map(|column| column.label);
            labels.chain([rows.rest]).for_each(|label| self.used(Purpose::Assigns, label));
        }
        for name in columns {
            self.spend(target.width());
            let found = target.named(name, self.names).map(|found| found.label);
            let label = found.unwrap_or_else(|| self.anything());
            self.used(Purpose::Assigns, label);
        }
    }

    pub(super) fn stored(&mut self, label: Label) {
        self.used(Purpose::Stores, label);
    }

    fn assigned_values(&mut self, assignment: &'a Assignment, place: &Place<'a>) -> Label {
        let mut label = Label::default();
        for value in &assignment.values {
            label.or(&self.value(value, place));
        }
        label
    }
}
