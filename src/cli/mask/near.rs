//! Whether a new rule means any column, and what may have been meant instead: a name that is mistyped masks
//! nothing, and nobody would notice.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    cli::{Workplace, trial},
    kernel::{
        catalog::Catalog,
        mask::{
            ColumnFacts, Rule,
            marks::FIRST_USER_OID,
            rule::{Selector, tags},
        },
    },
};

/// How long all targets together may take to be asked.
const PATIENCE: Duration = Duration::from_secs(10);

/// So many targets are asked.
const TARGETS_MAX: usize = 20;

/// So many names are proposed.
const NAMES_MAX: usize = 3;

/// What an operator should know of a rule that was added: that it means no column of any target that it is
/// for, or that this can't be told.
pub(super) async fn warnings(place: &Workplace, rule: &Rule) -> Vec<String> {
    let targets = place.config.targets.iter();
    let meant: Vec<_> = targets.filter(|t| rule.target.matches(t.name.as_str())).collect();
    let mut warnings = Vec::new();
    let mut near = BTreeSet::new();
    let mut asked = Vec::new();
    let ask = async {
        for target in meant.iter().take(TARGETS_MAX) {
            let name = target.name.as_str();
            match trial::read_catalog(target, true).await {
                Ok(Ok(catalog)) => {
                    if facts(&catalog).any(|(facts, _)| rule.means(name, &facts)) {
                        return true;
                    }
                    asked.push(name);
                    near.extend(alike(&catalog, rule));
                }
                Ok(Err(error)) => warnings.push(format!("{name} can't be asked: {error}")),
                Err(error) => warnings.push(format!("{name} can't be asked: {error}")),
            }
        }
        false
    };
    match tokio::time::timeout(PATIENCE, ask).await {
        Ok(true) => return Vec::new(),
        Ok(false) => {}
        Err(_) => warnings.push("not all targets have answered".to_owned()),
    }
    if asked.is_empty() {
        if !warnings.is_empty() {
            warnings.push("whether the rule means any column can't be told".to_owned());
        }
        return warnings;
    }
    let mut text = format!("the rule means no column of {} now", asked.join(", "));
    let mut near: Vec<_> = near.into_iter().collect();
    near.sort();
    let near: Vec<_> = near.into_iter().map(|(_, name)| name).take(NAMES_MAX).collect();
    if !near.is_empty() {
        text.push_str(&format!("; there is {}", near.join(", ")));
    }
    warnings.insert(0, text);
    warnings
}

/// The columns of a catalog, each with its full name.
fn facts(catalog: &Catalog) -> impl Iterator<Item = (ColumnFacts<'_>, String)> {
    catalog.relations().filter(|r| r.oid >= FIRST_USER_OID).flat_map(|relation| {
        relation.columns.iter().map(|column| {
            let facts = ColumnFacts {
                schema: &relation.schema,
                table: &relation.name,
                column: &column.name,
                type_name: &column.type_name,
                comment: catalog.comment(relation.oid, column.number),
            };
            (facts, format!("{}.{}.{}", relation.schema, relation.name, column.name))
        })
    })
}

/// Names that are nearly what the rule says, with how far they are from it.
fn alike(catalog: &Catalog, rule: &Rule) -> BTreeSet<(usize, String)> {
    let mut found = BTreeSet::new();
    match &rule.columns {
        Selector::Column(pattern) => {
            let wanted = pattern.to_string();
            let wanted: Vec<&str> = wanted.split('.').collect();
            for (facts, name) in facts(catalog) {
                let parts = [facts.schema, facts.table, facts.column];
                let each = wanted.iter().zip(parts).map(|(wanted, part)| distance(wanted, part));
                let far: usize = each.sum();
                if wanted.len() == parts.len() && far <= near_enough(&wanted.concat()) {
                    found.insert((far, name));
                }
            }
        }
        Selector::Type(pattern) => {
            let wanted = pattern.to_string();
            for (facts, _) in facts(catalog) {
                let bare = facts.type_name.split('(').next().unwrap_or_default();
                let base = bare.rsplit('.').next().unwrap_or_default();
                let far = distance(&wanted, bare).min(distance(&wanted, base));
                if far <= near_enough(&wanted) {
                    found.insert((far, format!("the type {bare}")));
                }
            }
        }
        Selector::Tag(pattern) => {
            let wanted = pattern.to_string();
            for tag in facts(catalog).filter_map(|(f, _)| f.comment).flat_map(tags) {
                // There are few, so that any of them may be meant.
                found.insert((distance(&wanted, tag), format!("the tag {tag}")));
            }
        }
        Selector::Comment(_) => {}
    }
    found
}

fn near_enough(wanted: &str) -> usize {
    (wanted.chars().filter(|c| *c != '*').count() / 4).clamp(1, 4)
}

/// How many letters have to be put in, taken out, changed or swapped with their neighbours; a `*` in what was
/// wanted stands for anything.
fn distance(wanted: &str, name: &str) -> usize {
    let lower =
        |text: &str| text.chars().flat_map(char::to_lowercase).take(128).collect::<Vec<_>>();
    let (wanted, name) = (lower(wanted), lower(name));
    let width = name.len() + 1;
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..width).collect();
    for (row, letter) in wanted.iter().enumerate() {
        let mut this = Vec::with_capacity(width);
        let is_any = *letter == '*';
        this.push(last.first().map_or(0, |n| n + usize::from(!is_any)));
        for (column, other) in name.iter().enumerate() {
            let get = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX / 2);
            let changed = get(&last, column) + usize::from(!is_any && letter != other);
            let taken = get(&last, column + 1) + usize::from(!is_any);
            let put = get(&this, column) + usize::from(!is_any);
            let mut best = changed.min(taken).min(put);
            let swapped = row > 0
                && column > 0
                && wanted.get(row - 1) == Some(other)
                && name.get(column - 1) == Some(letter);
            if swapped {
                best = best.min(get(&before, column - 1) + 1);
            }
            this.push(best);
        }
        before = std::mem::replace(&mut last, this);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistyped_names_are_near_and_others_are_not() {
        for (wanted, name, far) in [
            ("email", "email", 0),
            ("emial", "email", 1),
            ("e-mail", "email", 1),
            ("Email", "email", 0),
            ("mail", "email", 1),
            ("*", "anything", 0),
            ("*mail", "email", 0),
            ("ssn", "city", 4),
            ("", "x", 1),
        ] {
            assert_eq!(distance(wanted, name), far, "{wanted} {name}");
        }
        assert_eq!((near_enough("public.customers.email"), near_enough("ssn")), (4, 1));
    }
}
