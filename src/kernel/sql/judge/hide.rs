//! Columns that can be hidden row by row instead of being refused: other people's statements in
//! pg_stat_activity, where they are outputs as they are and nothing else hangs on them.

use std::collections::BTreeSet;

use crate::kernel::{
    catalog::Column,
    sql::{
        analysis::Hidden,
        judge::{
            Judge,
            names::{Resolved, resolve},
            relations::mentioned,
        },
        reading::{Output, RawName},
    },
};

impl Judge<'_> {
    /// Hides these columns of a relation among the statement's outputs. False if it can't be proved
    /// that they are nowhere else, or where they are.
    pub(super) fn hide(&mut self, relation: &RawName, columns: &[&str]) -> bool {
        let Some((width, places)) = self.hideable(relation, columns) else { return false };
        let hidden = self.hidden.get_or_insert_with(|| Hidden { width, columns: BTreeSet::new() });
        if hidden.width != width {
            return false;
        }
        hidden.columns.extend(places);
        true
    }

    /// How many columns the result has, and which of them are these columns of the relation.
    fn hideable(&self, relation: &RawName, columns: &[&str]) -> Option<(usize, BTreeSet<usize>)> {
        let outputs = self.reading.outputs.as_ref()?;
        if columns.iter().any(|column| mentioned(&outputs.elsewhere, relation, column)) {
            return None;
        }
        let is_ours = |name: &str| outputs.from.iter().any(|(n, r)| n == name && r == relation);
        let has_ours = outputs.from.iter().any(|(_, r)| r == relation);
        let mut places = BTreeSet::new();
        let mut width = 0;
        for output in &outputs.list {
            match output {
                Output::Value => width += 1,
                Output::Column { before, known_as, .. } => {
                    // Under another relation's name it is that one's column, or a call on its row.
                    if !before.as_deref().map_or(has_ours, is_ours)
                        || outputs.sorted_by.contains(known_as)
                    {
                        return None;
                    }
                    places.insert(width);
                    width += 1;
                }
                Output::Star(of) => {
                    let meant = |name: &String| of.as_ref().is_none_or(|of| of == name);
                    let sources: Vec<_> =
                        outputs.from.iter().filter(|(name, _)| meant(name)).collect();
                    if sources.is_empty() {
                        return None;
                    }
                    for (_, source) in sources {
                        let listed = self.columns_of(source)?;
                        if source == relation {
                            let at = |c: &&str| listed.iter().position(|l| l.name == **c);
                            let found = columns.iter().map(at).collect::<Option<Vec<_>>>()?;
                            places.extend(found.into_iter().map(|at| width + at));
                        }
                        width += listed.len();
                    }
                }
            }
        }
        // Sorted by what is hidden, the order gives it out.
        let sorts = places.iter().any(|place| outputs.sorted_by_place.contains(&(place + 1)));
        (!sorts).then_some((width, places))
    }

    fn columns_of(&self, relation: &RawName) -> Option<&[Column]> {
        let relation = match resolve(relation, self.cx) {
            Resolved::User(relation) => Some(relation),
            Resolved::Catalog { schema, name, .. } => self.cx.catalog.relation(schema, &name),
            Resolved::Unreviewed { .. } | Resolved::Unknown { .. } => None,
        };
        relation.map(|r| r.columns.as_slice())
    }
}
