//! FORMAT text: a line a row, cells between delimiters, and a backslash before whatever would read as
//! something else.

use super::{Header, NullText, Rows, bad, signs::Signs};
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
    let mut signs = Signs::new(payload, [delimiter, b'\n', b'\\']);
    // Where the next cell begins, and up to where what came is in `out`.
    let (mut at, mut copied) = (0, 0);
    while at < payload.len() {
        let masks = if rows.takes_header(header) { &[] } else { rows.masks };
        let (mut masks, mut columns) = (masks.iter(), 0);
        loop {
            let Cell { end, last, has_escape } =
                cell(&mut signs, payload).ok_or(bad("copied row"))?;
            if let Some(Some(mask)) = masks.next() {
                let cell = payload.get(at..end).ok_or(bad("copied row"))?;
                out.extend_from_slice(payload.get(copied..at).unwrap_or_default());
                copied = end;
                put(rows, mask, (cell, has_escape), (delimiter, null), out)?;
            }
            columns += 1;
            at = end + 1;
            if last == b'\n' {
                break;
            }
        }
        if columns != rows.width {
            return Err(bad("number of columns"));
        }
    }
    out.extend_from_slice(payload.get(copied..).unwrap_or_default());
    Ok(())
}

/// Where a cell ends.
struct Cell {
    /// The place of the delimiter or the line's end.
    end: usize,
    /// Which of them stands there.
    last: u8,
    /// A backslash stands in it.
    has_escape: bool,
}

/// The next cell; `None` if it doesn't end.
#[inline]
fn cell(signs: &mut Signs<'_, 3>, text: &[u8]) -> Option<Cell> {
    let mut has_escape = false;
    loop {
        let (at, sign) = signs.next()?;
        if sign != b'\\' {
            return Some(Cell { end: at, last: sign, has_escape });
        }
        // Spec: the server writes a line's end as `\n`, never behind a backslash.
        let escaped = text.get(at.saturating_add(1)).filter(|byte| **byte != b'\n')?;
        signs.skip(*escaped);
        has_escape = true;
    }
}

fn put(
    rows: &mut Rows<'_>,
    mask: &CellMask,
    (cell, has_escape): (&[u8], bool),
    (delimiter, null): (u8, &[u8]),
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let start = out.len();
    // NULL is known before escapes are read: a text like it has one.
    let shown = if cell == null && rows.null == NullText::Told {
        rows.apply(mask, None, out)
    } else if has_escape {
        let mut plain = std::mem::take(rows.cell);
        plain.clear();
        let read = unescape(cell, &mut plain);
        let shown = read.map(|()| rows.apply(mask, Some(&plain), out));
        *rows.cell = plain;
        shown.ok_or(bad("escape in a copied row"))?
    } else {
        rows.apply(mask, Some(cell), out)
    };
    match shown {
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
    let value = out.get(start..).unwrap_or_default();
    // PERFORMANCE: most values have none, and without an early end many bytes are asked at once.
    let may = |byte: u8| byte < 14 || byte == b'\\' || byte == delimiter;
    if !value.iter().fold(false, |any, byte| any | may(*byte)) {
        return;
    }
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
