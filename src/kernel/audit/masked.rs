//! What a record says of masked columns: those that a statement had to do with, and whether their values
//! were to be seen.

use super::json::{Object, key, push_shown};
use crate::kernel::{
    mask::marks::{Masked, Shown},
    policy::Permit,
};

/// So many columns are named; of the others their number is.
const NAMED_MAX: usize = 50;

/// Appends `masked` and `unmasked`: columns whose values came out hidden, or only decided what came out,
/// and columns whose values could be seen.
pub(super) fn write(line: &mut Object<'_>, masked: &Masked, permit: &Permit) {
    let nothing = Shown::default();
    let shown = permit.shown().map_or(&nothing, AsRef::as_ref);
    let columns = masked.told();
    let is_shown = |column: &_| shown.all || shown.columns.contains(column);
    let (seen, hidden): (Vec<_>, Vec<_>) = columns.into_iter().partition(is_shown);
    let unknown = masked.is_unknown().then_some("(unknown)");
    let named = |columns: &[_]| -> Vec<String> {
        let names =
            columns.iter().take(NAMED_MAX).map(|column| match masked.marks.marked(*column) {
                Some(mark) => mark.to_string(),
                None => format!("{}.{}", column.relation, column.number),
            });
        let more = columns.len().saturating_sub(NAMED_MAX);
        names.chain((more > 0).then(|| format!("(and {more} more)"))).collect()
    };
    let (mut seen, mut hidden) = (named(&seen), named(&hidden));
    if shown.all { &mut seen } else { &mut hidden }.extend(unknown.map(str::to_owned));
    if !hidden.is_empty() {
        line.array(key!("masked"), &hidden, push_shown);
    }
    if !seen.is_empty() {
        line.array(key!("unmasked"), &seen, push_shown);
    }
}
