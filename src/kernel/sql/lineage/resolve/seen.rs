//! Relations that the session has made or altered, which the catalog doesn't know as they are now.

use std::{collections::BTreeSet, rc::Rc};

use crate::kernel::{
    catalog::Relation,
    sql::{
        context::SearchPath,
        lineage::{
            Label,
            resolve::{Follower, follow_with},
            rows::{Named, Rows},
            sensitive::read,
        },
        reading::RawName,
        seen::Seen,
    },
};

/// A relation of a family: what rows go through that are read by another's name.
enum Member<'a> {
    Seen(&'a Seen),
    Known(&'a Relation),
}

/// So many views of the session's own are read for one statement.
const VIEWS: usize = 64;

impl<'a> Follower<'a> {
    /// The relations that the server may find under a name that the session itself has touched: the first
    /// is the one that it finds now, and another session may drop that. None: nobody knows. Temporary ones
    /// are left out: what lies in them may be of before.
    pub(super) fn seen(&self, name: &RawName) -> Vec<&'a Seen> {
        let (overlay, base) = (self.cx.overlay, name.base());
        let Some(sight) = overlay.sight().filter(|_| overlay.contains(base)) else {
            return Vec::new();
        };
        let found: Vec<&Seen> = match (name.schema(), self.cx.path) {
            (Some(schema), _) => sight.named(schema, base).into_iter().collect(),
            (None, SearchPath::Known(path)) => {
                path.iter().filter_map(|schema| sight.named(schema, base)).collect()
            }
            (None, SearchPath::Unknown) => Vec::new(),
        };
        let is_temporary =
            |seen: &&Seen| seen.schema.starts_with("pg_temp") && seen.definition().is_none();
        if found.iter().any(is_temporary) { Vec::new() } else { found }
    }

    /// Its columns. What the catalog says of a column of that number holds on, under whatever name; and so
    /// does what a rule would say of it by the names of now. Fail closed: views, foreign tables and what
    /// hangs on code may show anything.
    pub(super) fn columns_of_seen(&mut self, seen: &'a Seen) -> Rows<'a> {
        self.spend(seen.columns.len());
        if let Some(definition) = seen.definition() {
            return self.columns_of_view(seen, definition);
        }
        let Some(family) = self.family(seen).filter(|_| seen.is_plain_table()) else {
            return Rows::unknown(self.doubts(|| format!("what {} holds", seen.name)));
        };
        let mut columns: Vec<Named<'a>> = Vec::new();
        for column in &seen.columns {
            self.spend(family.len());
            let mut label = Label::default();
            for member in &family {
                label.or(&self.told_by(member, &column.name));
            }
            columns.push(Named::known(&column.name, label));
        }
        let all_clear = columns.iter().all(|column| column.label.is_clear());
        if !all_clear {
            // Nobody has read what these are computed from.
            let generated = seen.columns.iter().map(|column| column.generated);
            for (column, _) in columns.iter_mut().zip(generated).filter(|(_, computed)| *computed) {
                column.label.or(&Label::unknown());
            }
        }
        Rows::known(columns)
    }

    /// What a view shows is what its query gives out, in order. The server has printed that for the path on
    /// which the statement is read.
    fn columns_of_view(&mut self, seen: &'a Seen, definition: &str) -> Rows<'a> {
        let known = self.views.borrow().get(&seen.oid).cloned();
        let labels = known.unwrap_or_else(|| self.shown_by_view(seen, definition));
        let Some(labels) = labels.filter(|labels| labels.len() == seen.columns.len()) else {
            return Rows::unknown(self.doubts(|| format!("what {} shows", seen.name)));
        };
        let mut columns = Vec::new();
        for (column, mut label) in seen.columns.iter().zip(labels) {
            if label.is_clear() && self.cx.catalog.marks.may_mean(seen, column) {
                label.or(&Label::unknown());
            }
            columns.push(Named::known(&column.name, label));
        }
        Rows::known(columns)
    }

    fn shown_by_view(&mut self, seen: &Seen, definition: &str) -> Option<Vec<Label>> {
        let first = self.views.borrow().len() < VIEWS;
        // A view that shows itself is none that can be read.
        self.views.borrow_mut().insert(seen.oid, None);
        let shape = read(definition, self.cx.mode).filter(|_| first)?;
        let lineage = follow_with(&shape, self.cx, self.sensitive, Rc::clone(&self.views));
        let labels: Vec<Label> = lineage.outputs?.into_iter().map(|output| output.label).collect();
        self.views.borrow_mut().insert(seen.oid, Some(labels.clone()));
        Some(labels)
    }

    /// It and all that its rows are rows of, or that show theirs. `None`: some of it nobody knows.
    fn family(&mut self, seen: &'a Seen) -> Option<Vec<Member<'a>>> {
        let sight = self.cx.overlay.sight()?;
        let (mut open, mut met) = (vec![seen.oid], BTreeSet::from([seen.oid]));
        let mut family = Vec::new();
        while let Some(oid) = open.pop() {
            if !self.spend(1) {
                return None;
            }
            match (sight.of(oid), self.cx.catalog.relation_by_oid(oid)) {
                (Some(seen), _) if !seen.is_plain_table() => return None,
                (Some(seen), _) => {
                    open.extend(seen.ties.iter().filter(|tie| met.insert(**tie)));
                    family.push(Member::Seen(seen));
                }
                // The session has touched one of that name, and the server hasn't been asked for it.
                (None, Some(known)) if self.cx.overlay.contains(&known.name) => return None,
                // The catalog says of each of its columns what its own family's tell.
                (None, Some(known)) => family.push(Member::Known(known)),
                (None, None) => return None,
            }
        }
        Some(family)
    }

    /// What a member's column of that name tells.
    fn told_by(&self, member: &Member<'a>, name: &str) -> Label {
        match member {
            Member::Known(relation) => {
                let column = relation.columns.iter().find(|column| column.name == name);
                column.map(|c| self.sensitive.label(relation.oid, c.number)).unwrap_or_default()
            }
            Member::Seen(seen) => {
                let Some(column) = seen.columns.iter().find(|column| column.name == name) else {
                    return Label::default();
                };
                let mut label = self.sensitive.label(seen.oid, column.number);
                if label.is_clear() && self.cx.catalog.marks.may_mean(seen, column) {
                    label.or(&Label::unknown());
                }
                label
            }
        }
    }
}
