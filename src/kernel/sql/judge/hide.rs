//! Columns that can be hidden row by row instead of being refused: other people's statements in
//! pg_stat_activity, where they are outputs as they are and nothing else hangs on them.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::sql::{
    analysis::Hidden,
    builtins::mysql_columns,
    judge::{
        Judge,
        names::{Resolved, resolve},
        relations::mentioned,
    },
    reading::{OUTPUTS_MAX, Output, RawName},
};

/// Columns side by side.
#[derive(Clone, Default)]
struct Star {
    width: usize,
    /// Which of them are to be hidden.
    places: Vec<usize>,
}

impl Star {
    fn append(&mut self, other: &Self) {
        self.places.extend(other.places.iter().map(|place| self.width + place));
        self.width += other.width;
    }
}

/// What a star may stand for. `None`: nobody knows, or too much.
struct Stars<'f> {
    all: Option<Star>,
    each: BTreeMap<&'f str, Option<Star>>,
}

impl Judge<'_> {
    /// Hides these columns of a relation among the statement's outputs. False if it can't be proved
    /// that they are nowhere else, or where they are.
    pub(super) fn hide(&mut self, relation: &RawName, columns: &[&str]) -> bool {
        let Some((width, places)) = self.hideable(relation, columns) else { return false };
        let hidden = self.hidden.get_or_insert_with(|| Hidden {
            width,
            columns: BTreeSet::new(),
            only: None,
        });
        if hidden.width != width {
            return false;
        }
        hidden.columns.extend(places);
        true
    }

    /// How many columns the result has, and which of them are these columns of the relation.
    fn hideable(&self, relation: &RawName, columns: &[&str]) -> Option<(usize, BTreeSet<usize>)> {
        let outputs = self.reading.outputs.as_ref()?;
        // What may be something else has its columns elsewhere.
        resolve(relation, self.cx).only()?;
        // Beside rows of the users' own nothing would be masked.
        let of_server =
            |r: &RawName| matches!(resolve(r, self.cx).only(), Some(Resolved::Catalog { .. }));
        let known = columns.iter().all(|column| mysql_columns::can_be_hidden(column));
        if self.is_mysql() && !(known && outputs.from.iter().all(|(_, of)| of_server(of))) {
            return None;
        }
        if columns.iter().any(|column| mentioned(&outputs.elsewhere, relation, column)) {
            return None;
        }
        let from: BTreeMap<&str, &RawName> =
            outputs.from.iter().map(|(name, relation)| (name.as_str(), relation)).collect();
        let has_ours = from.values().any(|r| *r == relation);
        let stars = outputs.list.iter().any(|output| matches!(output, Output::Star(_)));
        let stars = stars.then(|| self.stars(&outputs.from, relation, columns));
        let mut result = Star::default();
        for output in &outputs.list {
            match output {
                Output::Value => result.width += 1,
                // Another one is asked for by itself.
                Output::Column { name, .. }
                    if self.is_mysql() && !columns.contains(&name.as_str()) =>
                {
                    result.width += 1;
                }
                Output::Column { before, name: _, known_as, through } => {
                    let is_ours = |name: &str| from.get(name).is_some_and(|r| *r == relation);
                    // Under another relation's name it is that one's column, or a call on its row. What
                    // users have made may tell its argument to the world.
                    if !before.as_deref().map_or(has_ours, is_ours)
                        || outputs.sorted_by.contains(known_as)
                        || through.iter().any(|name| self.may_be_of_users(name))
                    {
                        return None;
                    }
                    result.places.push(result.width);
                    result.width += 1;
                }
                Output::Star(None) => result.append(stars.as_ref()?.all.as_ref()?),
                Output::Star(Some(of)) => {
                    result.append(stars.as_ref()?.each.get(of.as_str())?.as_ref()?);
                }
            }
            if result.width > OUTPUTS_MAX {
                return None;
            }
        }
        // Sorted by what is hidden, the order gives it out.
        let sorts =
            result.places.iter().any(|place| outputs.sorted_by_place.contains(&(place + 1)));
        (!sorts).then(|| (result.width, result.places.into_iter().collect()))
    }

    /// What `*` is, and `t.*` for each `t` in FROM.
    fn stars<'f>(
        &self,
        from: &'f [(String, RawName)],
        relation: &RawName,
        columns: &[&str],
    ) -> Stars<'f> {
        let mut known: BTreeMap<&RawName, Option<Star>> = BTreeMap::new();
        let mut stars =
            Stars { all: (!from.is_empty()).then(Star::default), each: BTreeMap::new() };
        for (name, source) in from {
            let star = known.entry(source).or_insert_with(|| {
                let listed = self.columns_of(source)?;
                let at = |c: &&str| listed.iter().position(|l| l == c);
                // MySQL lacks some of MariaDB's.
                let is_there = |c: &&&str| !self.is_mysql() || listed.contains(*c);
                let ours = columns.iter().filter(|_| source == relation).filter(is_there);
                let places = ours.map(at).collect::<Option<Vec<_>>>()?;
                Some(Star { width: listed.len(), places })
            });
            stars.all = stars.all.filter(|all| all.width <= OUTPUTS_MAX);
            match (&mut stars.all, &*star) {
                (Some(all), Some(star)) => all.append(star),
                (all, _) => *all = None,
            }
            stars.each.insert(name, star.clone());
        }
        stars
    }

    fn columns_of(&self, relation: &RawName) -> Option<Vec<&str>> {
        let relation = match resolve(relation, self.cx).only()? {
            Resolved::User(relation) => Some(relation),
            Resolved::Catalog { schema, name, .. } => {
                let dialect = self.cx.mode.dialect;
                if let Some(columns) = mysql_columns::columns(schema, &name, dialect) {
                    return Some(columns);
                }
                self.cx.catalog.relation(schema, &name)
            }
            Resolved::Unreviewed { .. } | Resolved::Unknown { .. } => None,
        };
        relation.map(|r| r.columns.iter().map(|column| column.name.as_str()).collect())
    }
}
