//! FORMAT text: a line a row, cells between delimiters, and a backslash before whatever would read as
//! something else.

use super::{Header, NullText, Rows, bad};
use crate::{
    kernel::mask::{CellMask, Shown},
    wire::{WireError, pg::escape::widen},
};

pub(super) fn rewrite(
    rows: &mut Rows<'_>,
    (delimiter, null, header): (u8, &[u8], Header),
    payload: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let mut rest = payload;
    while !rest.is_empty() {
        let names = rows.takes_header(header);
        // From here on nothing of the row is in `out`.
        let (mut pending, mut column) = (rest, 0_usize);
        loop {
            let end = end_of_cell(rest, delimiter).ok_or(bad("copied row"))?;
            let (cell, behind) = rest.split_at_checked(end).ok_or(bad("copied row"))?;
            if let Some(mask) = rows.mask(column).filter(|_| !names) {
                let before = pending.len().saturating_sub(rest.len());
                out.extend_from_slice(pending.get(..before).unwrap_or_default());
                pending = behind;
                put(rows, mask, (cell, delimiter, null), out)?;
            }
            column = column.saturating_add(1);
            let (last, behind) = behind.split_first().ok_or(bad("copied row"))?;
            rest = behind;
            if *last == b'\n' {
                break;
            }
        }
        if column != rows.width {
            return Err(bad("number of columns"));
        }
        let before = pending.len().saturating_sub(rest.len());
        out.extend_from_slice(pending.get(..before).unwrap_or_default());
    }
    Ok(())
}

/// Where the delimiter or the end of the line is; `None` if the row has none.
fn end_of_cell(text: &[u8], delimiter: u8) -> Option<usize> {
    let mut at = 0_usize;
    loop {
        match text.get(at)? {
            b'\\' => {
                // Spec: the server writes a line's end as `\n`, never behind a backslash.
                text.get(at.saturating_add(1)).filter(|byte| **byte != b'\n')?;
                at = at.saturating_add(2);
            }
            byte if *byte == delimiter || *byte == b'\n' => return Some(at),
            _ => at = at.saturating_add(1),
        }
    }
}

fn put(
    rows: &mut Rows<'_>,
    mask: &CellMask,
    (cell, delimiter, null): (&[u8], u8, &[u8]),
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    // NULL is known before escapes are read: a text like it has one.
    let is_null = cell == null && rows.null == NullText::Told;
    rows.cell.clear();
    if !is_null {
        unescape(cell, rows.cell).ok_or(bad("escape in a copied row"))?;
    }
    let start = out.len();
    match rows.apply(mask, is_null, out) {
        Shown::Null => out.extend_from_slice(null),
        Shown::Value => escape(out, start, delimiter),
    }
    Ok(())
}

/// `None` for an escape that the server doesn't write.
fn unescape(cell: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut bytes = cell.iter();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next()? {
                b'b' => 8,
                b't' => b'\t',
                b'n' => b'\n',
                b'v' => 11,
                b'f' => 12,
                b'r' => b'\r',
                // Octal and hexadecimal ones are read by servers, never written.
                b'0'..=b'9' | b'x' => return None,
                escaped => *escaped,
            },
            plain => *plain,
        });
    }
    Some(())
}

/// Escapes what stands behind `start`.
fn escape(out: &mut Vec<u8>, start: usize, delimiter: u8) {
    let letter = |byte| letter(byte).or((byte == delimiter).then_some(byte));
    widen(out, start, None, (b'\\', letter));
}

/// Whether a value could be written as this.
pub(super) fn null_text(delimiter: u8, null: &[u8]) -> NullText {
    let mut value = Vec::new();
    if unescape(null, &mut value).is_none() {
        return NullText::Told;
    }
    escape(&mut value, 0, delimiter);
    if value == null { NullText::Ambiguous } else { NullText::Told }
}

/// What stands behind the backslash for a byte that is never written as it is.
fn letter(byte: u8) -> Option<u8> {
    match byte {
        b'\\' => Some(b'\\'),
        8 => Some(b'b'),
        b'\t' => Some(b't'),
        b'\n' => Some(b'n'),
        11 => Some(b'v'),
        12 => Some(b'f'),
        b'\r' => Some(b'r'),
        _ => None,
    }
}
