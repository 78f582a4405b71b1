//! Rewriting rows: some cells of a DataRow are replaced, the others copied as they are.

use std::collections::BTreeSet;

use super::{
    backend::DATA_ROW,
    body::Body,
    cell::{self, set_length},
    frame,
};
use crate::{
    kernel::mask::{CellMask, Format, Key, Plan},
    wire::WireError,
};

/// Appends a row as its plan shows it: masked cells rewritten, all between copied in blocks. Nothing is
/// appended unless the row is as wide as the plan and can be read up to the last masked cell. Gives how
/// many cells were rewritten.
///
/// Nothing is allocated but room in `out`; `tests/masked_allocations` counts.
///
/// # Errors
/// A row of another width, one that ends inside a cell, or one that is longer masked than a length can
/// say.
pub fn rewrite(out: &mut Vec<u8>, row: &[u8], plan: &Plan) -> Result<usize, WireError> {
    let Some((masks, key)) = plan.masks() else {
        out.extend_from_slice(row);
        return Ok(0);
    };
    let header = frame::from_upstream(row)?;
    if header.is_none_or(|header| header.tag != DATA_ROW || header.length != row.len()) {
        return Err(WireError::Truncated { tag: DATA_ROW });
    }
    write_masked(out, (row, 0), plan.width(), (masks, key))
}

/// What became of the beginning of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Head {
    /// It is written as its plan shows it; what is behind it passes as it comes.
    Written,
    /// So many bytes of the row must be here, if not more.
    Wants(usize),
}

/// As [`rewrite`], for a row of which only the beginning is here: nothing behind the last masked cell is
/// needed.
///
/// # Errors
/// As [`rewrite`]; and a plan that masks nothing.
pub fn rewrite_head(out: &mut Vec<u8>, head: &[u8], plan: &Plan) -> Result<Head, WireError> {
    let truncated = WireError::Truncated { tag: DATA_ROW };
    let header = frame::from_upstream(head)?.filter(|header| header.tag == DATA_ROW);
    let (Some((masks, key)), Some(header)) = (plan.masks(), header) else { return Err(truncated) };
    let behind = header.length.checked_sub(head.len()).ok_or(truncated)?;
    let mut cells = Body::new(DATA_ROW, frame::body(head));
    let mut wanted = frame::HEADER_LENGTH.saturating_add(2);
    let count = cells.count();
    for _ in masks {
        wanted = wanted.saturating_add(4);
        if wanted <= head.len() {
            // NULL has no bytes; lengths that can't be are told by who reads the cells.
            wanted = wanted.saturating_add(usize::try_from(cells.i32()?).unwrap_or(0));
        }
        if wanted > header.length || count.is_ok_and(|count| count != plan.width()) {
            return Err(truncated);
        }
        if wanted > head.len() {
            return Ok(Head::Wants(wanted));
        }
        cells.skip_to(head.get(wanted..).unwrap_or_default());
    }
    write_masked(out, (head, behind), plan.width(), (masks, key))?;
    Ok(Head::Written)
}

/// Appends what is here of a row, from its header on. `behind`: how many bytes of it aren't here.
fn write_masked(
    out: &mut Vec<u8>,
    (row, behind): (&[u8], usize),
    width: usize,
    masks: (&[Option<CellMask>], &Key),
) -> Result<usize, WireError> {
    let start = out.len();
    let written = try_masked(out, (row, behind), width, masks);
    if written.is_err() {
        out.truncate(start);
    }
    written
}

fn try_masked(
    out: &mut Vec<u8>,
    (row, behind): (&[u8], usize),
    width: usize,
    masks: (&[Option<CellMask>], &Key),
) -> Result<usize, WireError> {
    let mut cells = Body::new(DATA_ROW, frame::body(row));
    if cells.count()? != width {
        return Err(WireError::BadValue { what: "number of columns" });
    }
    let start = out.len();
    let Written { rewritten, copied, .. } = write_cells(out, (row, cells), None, masks)?;
    out.extend_from_slice(row.get(copied..).unwrap_or_default());
    let here = out.len().saturating_sub(start).saturating_sub(1);
    let length = i32::try_from(here.saturating_add(behind))
        .map_err(|_| WireError::BadValue { what: "length of a row" })?;
    if let Some(place) = out.get_mut(start.saturating_add(1)..).and_then(<[u8]>::first_chunk_mut) {
        *place = length.to_be_bytes();
    }
    Ok(rewritten)
}

/// What [`write_cells`] has done.
pub(super) struct Written<'a> {
    /// How many cells were rewritten.
    pub(super) rewritten: usize,
    /// Up to which byte all is written.
    pub(super) copied: usize,
    /// The cells behind the last masked one.
    pub(super) rest: Body<'a>,
}

/// Appends the cells under their masks, and what stands before and between them. `cells` reads `all` from
/// some place in it on; `format` is that of all cells, where it isn't as their masks say.
pub(super) fn write_cells<'a>(
    out: &mut Vec<u8>,
    (all, mut cells): (&[u8], Body<'a>),
    format: Option<Format>,
    (masks, key): (&[Option<CellMask>], &Key),
) -> Result<Written<'a>, WireError> {
    let (mut copied, mut rewritten) = (0, 0_usize);
    for mask in masks {
        let before = all.len().saturating_sub(cells.left());
        let cell = cells.value()?;
        let Some(mask) = mask else { continue };
        out.extend_from_slice(all.get(copied..before).unwrap_or_default());
        copied = all.len().saturating_sub(cells.left());
        rewritten = rewritten.saturating_add(1);
        let place = out.len();
        out.extend_from_slice(&[0; 4]);
        let shown = cell::apply_as(mask, format.unwrap_or(mask.format), cell, (key, out));
        set_length(out, place, shown).ok_or(WireError::BadValue { what: "length of a cell" })?;
    }
    Ok(Written { rewritten, copied, rest: cells })
}

/// Writes the row anew with this value in place of these cells. NULL stays NULL. Nothing is written
/// unless the row reads to its last byte.
///
/// # Errors
/// A row that doesn't have `width` cells, or can't be read.
pub fn replace(
    out: &mut Vec<u8>,
    row: &[u8],
    (width, columns): (usize, &BTreeSet<usize>),
    value: &[u8],
) -> Result<(), WireError> {
    let start = out.len();
    let written = write(out, row, (width, columns), value);
    if written.is_err() {
        out.truncate(start);
    }
    written
}

fn write(
    out: &mut Vec<u8>,
    row: &[u8],
    (width, columns): (usize, &BTreeSet<usize>),
    value: &[u8],
) -> Result<(), WireError> {
    let mut cells = Body::new(DATA_ROW, frame::body(row));
    let count = cells.count()?;
    if count != width {
        return Err(WireError::BadValue { what: "number of columns" });
    }
    let start = out.len();
    out.push(DATA_ROW);
    out.extend_from_slice(&[0; 4]);
    out.extend(u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
    for at in 0..count {
        let cell = cells.value()?;
        super::body::put_value(
            out,
            cell.map(|cell| if columns.contains(&at) { value } else { cell }),
        );
    }
    cells.end()?;
    let length = i32::try_from(out.len() - start - 1)
        .map_err(|_| WireError::BadValue { what: "length of a row" })?;
    if let Some(place) = out.get_mut(start + 1..start + 5) {
        place.copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::kernel::mask::{Column, ColumnType, Mask, Nulls};

    fn row(cells: &[Option<&[u8]>]) -> Vec<u8> {
        let mut body = u16::try_from(cells.len()).expect("few").to_be_bytes().to_vec();
        for cell in cells {
            super::super::body::put_value(&mut body, *cell);
        }
        let length = u32::try_from(body.len() + 4).expect("short").to_be_bytes();
        [&[DATA_ROW][..], &length, &body].concat()
    }

    /// Columns of text, masked where the sign isn't `-`.
    fn plan(signs: &str) -> Plan {
        let key = Arc::new(Key::new(b"a key of the tests").expect("long enough"));
        let algorithm = Arc::new("inner(1, 1)".parse().expect("an algorithm"));
        let column = |sign: char| Column {
            holds: ColumnType::TEXT,
            format: Format::Text,
            mask: (sign != '-').then(|| (Mask::Column(Arc::clone(&algorithm)), Nulls::Stay)),
        };
        Plan::new(signs.chars().map(column), &key)
    }

    #[test]
    fn masked_cells_are_rewritten_and_the_rest_is_copied() {
        let before = row(&[Some(b"abc"), Some(b"abc"), None, Some(b""), Some(b"xyz")]);
        for (signs, after) in [
            ("-----", &before.clone()),
            ("+----", &row(&[Some(b"a*c"), Some(b"abc"), None, Some(b""), Some(b"xyz")])),
            ("--+--", &before.clone()),
            ("---+-", &row(&[Some(b"abc"), Some(b"abc"), None, Some(b"******"), Some(b"xyz")])),
            ("+++++", &row(&[Some(b"a*c"), Some(b"a*c"), None, Some(b"******"), Some(b"x*z")])),
            ("----+", &row(&[Some(b"abc"), Some(b"abc"), None, Some(b""), Some(b"x*z")])),
        ] {
            let mut out = b"before".to_vec();
            let rewritten = rewrite(&mut out, &before, &plan(signs)).expect("a row");
            assert_eq!(out, [&b"before"[..], after].concat(), "{signs}");
            assert_eq!(rewritten, signs.matches('+').count());
        }
    }

    #[test]
    fn a_row_that_does_not_fit_its_plan_is_not_sent() {
        let good = row(&[Some(b"abc"), Some(b"abc")]);
        let cut = {
            let mut cut = row(&[Some(b"abc"), Some(b"abcd")]);
            cut.pop();
            let length = u32::try_from(cut.len() - 1).expect("short").to_be_bytes();
            cut[1..5].copy_from_slice(&length);
            cut
        };
        let mut other = good.clone();
        other[0] = b'd';
        let short = &good[..good.len() - 1];
        let long = [&good[..], b"x"].concat();
        for (bad, signs) in [
            (&good[..], "+"),
            (&good, "+--"),
            (&cut, "-+"),
            (&other, "+-"),
            (short, "+-"),
            (&long, "+-"),
            (&[], "+-"),
        ] {
            let mut out = b"before".to_vec();
            assert!(rewrite(&mut out, bad, &plan(signs)).is_err(), "{bad:?}");
            assert_eq!(out, b"before");
        }
    }

    #[test]
    fn of_a_long_row_only_what_reaches_to_the_last_masked_cell_is_needed() {
        let whole =
            row(&[Some(b"abc"), None, Some(b"abcd"), Some(b"clear"), Some(&[b'x'; 50]), None]);
        for signs in ["+-----", "+-+---", "--+---", "-+-+--", "-+----", "+++++-", "+++++++"] {
            let plan = plan(signs);
            let mut expected = b"before".to_vec();
            let masked = rewrite(&mut expected, &whole, &plan);
            let needed = plan.masks().map_or(0, |(masks, _)| masks.len());
            for cut in frame::HEADER_LENGTH + 2..whole.len() {
                let (head, rest) = whole.split_at(cut);
                let mut out = b"before".to_vec();
                let written = rewrite_head(&mut out, head, &plan);
                match written {
                    Ok(Head::Written) => {
                        out.extend_from_slice(rest);
                        assert_eq!(out, expected, "{signs} {cut}");
                    }
                    Ok(Head::Wants(bytes)) => {
                        assert!(bytes > cut && bytes <= whole.len(), "{signs} {cut} {bytes}");
                        assert_eq!(out, b"before");
                    }
                    Err(_) => assert!(masked.is_err() && out == b"before", "{signs} {cut}"),
                }
                let mut cells = Body::new(DATA_ROW, &whole[7..]);
                for _ in 0..needed.min(6) {
                    cells.value().expect("whole");
                }
                let end = whole.len() - cells.left();
                assert_eq!(written == Ok(Head::Written), masked.is_ok() && cut >= end, "{signs}");
            }
        }
        let cut = &whole[..20];
        let mut long = cut.to_vec();
        long[7..11].copy_from_slice(&i32::MAX.to_be_bytes());
        assert!(rewrite_head(&mut Vec::new(), &long, &plan("+-----")).is_err(), "beyond its row");
        assert!(rewrite_head(&mut Vec::new(), &whole[..4], &plan("+-----")).is_err());
    }

    #[test]
    fn only_the_named_cells_change_and_null_stays_null() {
        let before = row(&[Some(b"1"), Some(b"secret"), None, Some(b"")]);
        let mut out = b"before".to_vec();
        let hidden = BTreeSet::from([1, 2, 3]);
        replace(&mut out, &before, (4, &hidden), b"<hidden>").expect("a row");
        let after = row(&[Some(b"1"), Some(b"<hidden>"), None, Some(b"<hidden>")]);
        assert_eq!(out, [b"before".to_vec(), after].concat());
    }

    #[test]
    fn a_row_of_another_shape_is_not_written() {
        let good = row(&[Some(b"1"), Some(b"secret")]);
        let mut cut = good.clone();
        cut.pop();
        let mut longer = good.clone();
        longer.push(0);
        let hidden = BTreeSet::from([1]);
        for (bad, width) in [(&good, 3), (&good, 1), (&cut, 2), (&longer, 2)] {
            let mut out = Vec::new();
            assert!(replace(&mut out, bad, (width, &hidden), b"x").is_err(), "{bad:?}");
            assert!(out.is_empty());
        }
    }
}
