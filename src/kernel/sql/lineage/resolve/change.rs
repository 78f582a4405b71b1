//! UPDATE and DELETE of MySQL, which may change several tables.

use crate::kernel::sql::lineage::{
    Purpose,
    resolve::Follower,
    rows::{Place, Rows},
    shape::Change,
};

impl<'a> Follower<'a> {
    pub(super) fn change(
        &mut self,
        change: &'a Change,
        place: &Place<'a>,
    ) -> (Rows<'a>, Option<Place<'a>>) {
        let mut tables = Vec::new();
        let mut star = Rows::known(Vec::new());
        for source in &change.from {
            let rows = self.source(source, place, &mut tables);
            star.append(&rows);
        }
        let inside = place.inside(&tables);
        self.conditions(&change.conditions, &inside);
        for (column, value) in &change.assigned {
            let stored = self.value(value, &inside);
            self.stored(stored);
            let assigned = self.reference(column, &inside);
            self.used(Purpose::Assigns, assigned);
        }
        let rows = self.outputs(&change.returning, &star, &inside);
        (rows, Some(inside))
    }
}
