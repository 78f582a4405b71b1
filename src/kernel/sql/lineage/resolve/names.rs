//! What names mean to MySQL: no row has a name, a table keeps its schema under an alias, and a query inside
//! of another may name the outputs of that.

use std::rc::Rc;

use crate::kernel::sql::{
    context::SearchPath,
    lineage::{
        Label,
        names::{Names, Same},
        resolve::Follower,
        rows::{Holds, Named, Place, Rows, Table},
        shape::Reference,
    },
};

impl<'a> Follower<'a> {
    /// `c`, `t.c`, `s.t.c`. `None`: nothing in sight is called this.
    pub(super) fn column(&mut self, names: &[String], place: &Place<'a>) -> Option<Label> {
        let (name, before) = names.split_last()?;
        let mut label: Option<Label> = None;
        for (depth, level) in place.levels().enumerate() {
            let mut certain = false;
            for table in &level.tables {
                let called = self.is_called(table, before);
                if called == Same::No {
                    continue;
                }
                if !self.spend(table.rows.width()) {
                    return Some(Label::unknown());
                }
                if let Some(found) = table.rows.named(name, self.names) {
                    certain |= found.certain && called == Same::Yes;
                    label.get_or_insert_default().or(&found.label);
                }
            }
            // Spec: to HAVING and ORDER BY outputs come first, to a query inside of it the tables do.
            let sees = if depth == 0 { place.sees_outputs } else { !certain };
            if before.is_empty() && sees {
                let outputs = level.outputs.borrow();
                self.spend(outputs.len());
                for (known, of) in outputs.iter() {
                    if self.names.column(known, name) != Same::No {
                        label.get_or_insert_default().or(of);
                    }
                }
            }
            if certain {
                break;
            }
        }
        label
    }

    /// Of what type a column of a table is. `None`: nobody knows.
    pub(super) fn kind_of(
        &mut self,
        reference: &Reference,
        place: &Place<'a>,
    ) -> Option<Holds<'a>> {
        let Reference::Column(names) = reference else { return None };
        let (name, before) = names.split_last()?;
        for level in place.levels() {
            let mut found = Vec::new();
            for table in &level.tables {
                let called = self.is_called(table, before);
                if called == Same::No {
                    continue;
                }
                self.spend(table.rows.width());
                // What its columns are called, nobody knows: it may be one of them.
                let columns = table.rows.columns.as_ref()?;
                let known =
                    |c: &Named<'a>| c.name.map_or(Same::Perhaps, |n| self.names.column(n, name));
                let alike = columns.iter().filter(|c| known(c) != Same::No);
                found.extend(alike.map(|c| c.kind.filter(|_| called == Same::Yes)));
            }
            match found.as_slice() {
                [] => {}
                [only] => return *only,
                _ => return None,
            }
        }
        None
    }

    /// True if that may stand before the dot: nothing, a name, a schema and a name.
    fn is_called(&self, table: &Table<'a>, before: &[String]) -> Same {
        let [schema @ .., name] = before else {
            return if table.bare { Same::Yes } else { Same::No };
        };
        let known = table.known_as.map_or(Same::No, |known| self.names.table(known, name));
        let Some(schema) = schema.last() else { return known };
        let own = match (table.relation, self.cx.path) {
            // What is no relation has no schema.
            (None, _) => return Same::No,
            (Some(relation), path) => match (relation.schema(), path) {
                (Some(written), _) => self.names.table(written, schema),
                (None, SearchPath::Known(path)) => match path.as_slice() {
                    [database] => self.names.table(database, schema),
                    _ => Same::Perhaps,
                },
                (None, SearchPath::Unknown) => Same::Perhaps,
            },
        };
        match (known, own) {
            (Same::No, _) | (_, Same::No) => Same::No,
            (Same::Yes, Same::Yes) => Same::Yes,
            _ => Same::Perhaps,
        }
    }

    /// The columns of `t.*`, `s.t.*`. Of two tables of one name, it is the one and the other.
    pub(super) fn table_named(
        &mut self,
        names: &[String],
        place: &Place<'a>,
    ) -> Option<Rc<Rows<'a>>> {
        debug_assert_eq!(self.names, Names::Folded, "what others compare is found elsewhere");
        if names.is_empty() {
            return None;
        }
        let level = place.levels().next()?;
        self.spend(level.tables.len());
        let called = |same: Same| {
            let mut tables = level.tables.iter().filter(|t| self.is_called(t, names) == same);
            (tables.next(), tables.next())
        };
        match (called(Same::Yes), called(Same::Perhaps)) {
            ((Some(table), None), _) | ((None, _), (Some(table), None)) => {
                Some(Rc::clone(&table.rows))
            }
            ((None, _), (None, _)) => None,
            _ => {
                let mut all = Label::default();
                level.tables.iter().for_each(|table| all.or(&table.rows.whole()));
                Some(Rc::new(Rows::unknown(all)))
            }
        }
    }
}
