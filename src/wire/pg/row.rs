//! Rewriting rows: some cells of a DataRow are replaced, the others copied as they are.

use std::collections::BTreeSet;

use super::{backend::DATA_ROW, body::Body, frame};
use crate::wire::WireError;

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
    use super::*;

    fn row(cells: &[Option<&[u8]>]) -> Vec<u8> {
        let mut body = u16::try_from(cells.len()).expect("few").to_be_bytes().to_vec();
        for cell in cells {
            super::super::body::put_value(&mut body, *cell);
        }
        let length = u32::try_from(body.len() + 4).expect("short").to_be_bytes();
        [&[DATA_ROW][..], &length, &body].concat()
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
