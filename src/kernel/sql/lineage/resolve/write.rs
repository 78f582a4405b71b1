//! INSERT, UPDATE, DELETE, MERGE: what is written where, and what comes back.

use std::rc::Rc;

use crate::kernel::sql::lineage::{
    Label, Purpose,
    resolve::Follower,
    rows::{Place, Rows, Table},
    shape::{Assignment, Write},
};

impl<'a> Follower<'a> {
    pub(super) fn write(&mut self, write: &'a Write, place: &Place<'a>) -> Rows<'a> {
        let target = Rc::new(self.relation(&write.table));
        let own = write.table.0.last().map(String::as_str);
        let known_as = write.alias.as_deref().or(own);
        let mut tables = vec![Table { known_as, bare: true, rows: Rc::clone(&target) }];
        for name in &write.also_known_as {
            tables.push(Table { known_as: Some(name), bare: false, rows: Rc::clone(&target) });
        }
        // FROM doesn't see the table that is written.
        let mut sources = Vec::new();
        let mut others = Rows::known(Vec::new());
        for source in &write.from {
            let rows = self.source(source, place, &mut sources);
            others.append(&rows);
        }
        let table = Rows::clone(&target);
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
                target.named(name);
            }
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
                let column = match target.named(name) {
                    Some(found) => found.label,
                    None => self.anything(),
                };
                self.used(Purpose::Assigns, column);
            }
        }
        self.outputs(&write.returning, &star, &inside)
    }

    fn stored(&mut self, label: Label) {
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
