//! FORMAT csv: a row ends with a line's end that stands in no quotes; cells in quotes where they must be.

use super::{Csv, Rows, bad, signs::Signs};
use crate::{
    kernel::mask::{CellMask, Shown},
    wire::{WireError, pg::escape::widen},
};

pub(super) fn rewrite(
    rows: &mut Rows<'_>,
    options: &Csv,
    payload: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let signs = [options.delimiter, b'\n', options.quote, options.escape];
    let mut signs = Signs::new(payload, signs);
    // Where the next cell begins, and up to where what came is in `out`.
    let (mut at, mut copied) = (0, 0);
    while at < payload.len() {
        let masks = if rows.takes_header(options.header) { &[] } else { rows.masks };
        let (mut masks, mut column) = (masks.iter(), 0);
        loop {
            let (end, last) =
                end_of_cell(&mut signs, (payload, at), options).ok_or(bad("copied row"))?;
            if let Some(Some(mask)) = masks.next() {
                let cell = payload.get(at..end).ok_or(bad("copied row"))?;
                out.extend_from_slice(payload.get(copied..at).unwrap_or_default());
                copied = end;
                put(rows, (mask, column), (cell, options), out);
            }
            column += 1;
            at = end + 1;
            if last == b'\n' {
                break;
            }
        }
        if column != rows.width {
            return Err(bad("number of columns"));
        }
    }
    out.extend_from_slice(payload.get(copied..).unwrap_or_default());
    Ok(())
}

/// The place of the delimiter or the line's end behind the cell that begins at `start`, quotes counted
/// in, and which of them it is; `None` for what isn't a cell as the server writes it.
#[inline]
fn end_of_cell(
    signs: &mut Signs<'_, 4>,
    (text, start): (&[u8], usize),
    options: &Csv,
) -> Option<(usize, u8)> {
    let ends = |byte: u8| byte == options.delimiter || byte == b'\n';
    loop {
        let (at, sign) = signs.next()?;
        if sign == options.quote {
            // A quote inside would begin quotes to whoever reads it.
            return if at == start { end_of_quoted(signs, text, options) } else { None };
        }
        // The escape is a byte like others where no quotes are.
        if ends(sign) {
            return Some((at, sign));
        }
    }
}

/// As [`end_of_cell`], of what follows the first quote.
fn end_of_quoted(signs: &mut Signs<'_, 4>, text: &[u8], options: &Csv) -> Option<(usize, u8)> {
    loop {
        let (at, sign) = signs.next()?;
        let next = at.saturating_add(1);
        let behind = text.get(next).copied();
        let is_escaped = |byte: &u8| *byte == options.quote || *byte == options.escape;
        if sign == options.escape
            && let Some(escaped) = behind.filter(is_escaped)
        {
            signs.skip(escaped);
        } else if sign == options.quote {
            let last = behind.filter(|byte| *byte == options.delimiter || *byte == b'\n')?;
            signs.skip(last);
            return Some((next, last));
        }
    }
}

fn put(
    rows: &mut Rows<'_>,
    (mask, column): (&CellMask, usize),
    (cell, options): (&[u8], &Csv),
    out: &mut Vec<u8>,
) {
    let start = out.len();
    let quoted = cell.strip_prefix(&[options.quote]).and_then(|c| c.strip_suffix(&[options.quote]));
    let shown = match quoted {
        // NULL stands without quotes; a text like it has some.
        _ if *cell == *options.null => rows.apply(mask, None, out),
        None => rows.apply(mask, Some(cell), out),
        Some(inside) if !inside.contains(&options.escape) => rows.apply(mask, Some(inside), out),
        Some(inside) => {
            let mut plain = std::mem::take(rows.cell);
            plain.clear();
            let mut bytes = inside.iter();
            while let Some(byte) = bytes.next() {
                let escaped = (*byte == options.escape).then(|| bytes.next()).flatten();
                plain.push(*escaped.unwrap_or(byte));
            }
            let shown = rows.apply(mask, Some(&plain), out);
            *rows.cell = plain;
            shown
        }
    };
    match shown {
        Shown::Null => out.extend_from_slice(&options.null),
        Shown::Value => {
            let value = out.get(start..).unwrap_or_default();
            let special = |byte: u8| {
                byte == options.delimiter || byte == options.quote || matches!(byte, b'\n' | b'\r')
            };
            let quotes = options.force_quote.holds(column)
                || value == &*options.null
                // Alone on a line it ended copies to older servers.
                || value == b"\\."
                // PERFORMANCE: most values have none, and without an early end many bytes are asked at once.
                || value.iter().fold(false, |any, byte| any | special(*byte));
            if quotes {
                let is_escaped = |byte| byte == options.quote || byte == options.escape;
                let escape = (options.escape, |byte| is_escaped(byte).then_some(byte));
                widen(out, start, Some(options.quote), escape);
            }
        }
    }
}
