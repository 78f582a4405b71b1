//! What becomes of the columns of one result.

use std::sync::Arc;

use super::{
    Key,
    algorithm::Algorithm,
    kind::{ColumnType, Format},
};

/// How the cells of a column are masked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mask {
    /// The column is a sensitive one: its rule's algorithm.
    Column(Arc<Algorithm>),
    /// It is made from sensitive ones: `******` for texts, NULL for everything else, never a part.
    Whole,
}

/// What becomes of NULL in a masked column.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Nulls {
    /// It stays.
    #[default]
    Stay,
    /// It becomes the text of `full`, a `fixed` value that fits the type, and under other masks of texts
    /// what a value too short becomes: `******`. Else it stays.
    Hidden,
}

/// A column of a result, and its mask if it has one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// What it holds.
    pub holds: ColumnType,
    /// How its cells travel.
    pub format: Format,
    /// `None`: clear.
    pub mask: Option<(Mask, Nulls)>,
}

/// A column's mask with all that is needed to use it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CellMask {
    /// How.
    pub mask: Mask,
    /// What becomes of NULL.
    pub nulls: Nulls,
    /// What the column holds.
    pub holds: ColumnType,
    /// How its cells travel.
    pub format: Format,
}

/// One optional mask for each column of a result.
#[derive(Clone, Debug, Default)]
pub struct Plan(Option<Masks>);

#[derive(Clone, Debug)]
struct Masks {
    cells: Arc<[Option<CellMask>]>,
    /// How many columns there are up to the last masked one.
    reach: usize,
    key: Arc<Key>,
}

impl Plan {
    /// Nothing is masked, however many columns there are.
    pub const fn none() -> Self {
        Self(None)
    }

    /// Built from the columns of a result, first to last. Without a mask it is [`Plan::none`].
    pub fn new(columns: impl IntoIterator<Item = Column>, key: &Arc<Key>) -> Self {
        let cells: Arc<[Option<CellMask>]> = columns
            .into_iter()
            .map(|Column { holds, format, mask }| {
                mask.map(|(mask, nulls)| CellMask { mask, nulls, holds, format })
            })
            .collect();
        let last = cells.iter().rposition(Option::is_some);
        Self(last.map(|last| Masks { reach: last.saturating_add(1), cells, key: Arc::clone(key) }))
    }

    /// True if nothing is masked: one comparison.
    #[inline]
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// How many columns the result has; 0 if nothing is masked.
    pub fn width(&self) -> usize {
        self.0.as_ref().map_or(0, |masks| masks.cells.len())
    }

    /// The masks of the columns up to the last masked one, and the key; `None` if nothing is masked.
    #[inline]
    pub fn masks(&self) -> Option<(&[Option<CellMask>], &Key)> {
        let masks = self.0.as_ref()?;
        Some((masks.cells.get(..masks.reach)?, &masks.key))
    }

    /// How many columns are masked.
    pub fn masked(&self) -> usize {
        self.masks().map_or(0, |(cells, _)| cells.iter().flatten().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(mask: Option<Mask>) -> Column {
        let mask = mask.map(|mask| (mask, Nulls::Stay));
        Column { holds: ColumnType::TEXT, format: Format::Text, mask }
    }

    #[test]
    fn a_plan_reaches_to_its_last_mask() {
        let key = Arc::new(Key::new(&[7; 32]).expect("long enough"));
        let plan = Plan::new([column(None), column(Some(Mask::Whole)), column(None)], &key);
        assert!(!plan.is_none());
        assert_eq!((plan.width(), plan.masked()), (3, 1));
        assert_eq!(plan.masks().map(|(cells, _)| cells.len()), Some(2));
    }

    #[test]
    fn a_plan_without_masks_is_none() {
        let key = Arc::new(Key::new(&[7; 32]).expect("long enough"));
        assert!(Plan::new([column(None), column(None)], &key).is_none());
        assert!(Plan::none().is_none());
        assert_eq!((Plan::none().width(), Plan::none().masked()), (0, 0));
    }
}
