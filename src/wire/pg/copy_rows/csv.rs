//! FORMAT csv: a row ends with a line's end that stands in no quotes; cells in quotes where they must be.

use super::{Csv, Rows, bad};
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
    let mut rest = payload;
    while !rest.is_empty() {
        let names = rows.takes_header(options.header);
        // From here on nothing of the row is in `out`.
        let (mut pending, mut column) = (rest, 0_usize);
        loop {
            let end = end_of_cell(rest, options).ok_or(bad("copied row"))?;
            let (cell, behind) = rest.split_at_checked(end).ok_or(bad("copied row"))?;
            if let Some(mask) = rows.mask(column).filter(|_| !names) {
                let before = pending.len().saturating_sub(rest.len());
                out.extend_from_slice(pending.get(..before).unwrap_or_default());
                pending = behind;
                put(rows, (mask, column), (cell, options), out);
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

/// Where the delimiter or the end of the line is, quotes counted in; `None` for what isn't a cell as the
/// server writes it.
fn end_of_cell(text: &[u8], options: &Csv) -> Option<usize> {
    let ends = |byte: u8| byte == options.delimiter || byte == b'\n';
    if text.first() != Some(&options.quote) {
        let end = text.iter().position(|byte| ends(*byte))?;
        // A quote inside would begin quotes to whoever reads it.
        let has_quote = text.get(..end)?.contains(&options.quote);
        return (!has_quote).then_some(end);
    }
    let mut at = 1_usize;
    loop {
        let byte = *text.get(at)?;
        let next = at.saturating_add(1);
        let escapes = byte == options.escape
            && text.get(next).is_some_and(|b| *b == options.quote || *b == options.escape);
        if escapes {
            at = at.saturating_add(2);
        } else if byte == options.quote {
            return text.get(next).filter(|byte| ends(**byte)).map(|_| next);
        } else {
            at = next;
        }
    }
}

fn put(
    rows: &mut Rows<'_>,
    (mask, column): (&CellMask, usize),
    (cell, options): (&[u8], &Csv),
    out: &mut Vec<u8>,
) {
    rows.cell.clear();
    // NULL stands without quotes; a text like it has some.
    let is_null = *cell == *options.null;
    let quoted = cell.strip_prefix(&[options.quote]).and_then(|c| c.strip_suffix(&[options.quote]));
    match quoted {
        None => rows.cell.extend_from_slice(cell),
        Some(inside) => {
            let mut bytes = inside.iter();
            while let Some(byte) = bytes.next() {
                let escaped = (*byte == options.escape).then(|| bytes.next()).flatten();
                rows.cell.push(*escaped.unwrap_or(byte));
            }
        }
    }
    let start = out.len();
    match rows.apply(mask, is_null, out) {
        Shown::Null => out.extend_from_slice(&options.null),
        Shown::Value => {
            let value = out.get(start..).unwrap_or_default();
            let special = |byte: &u8| {
                *byte == options.delimiter
                    || *byte == options.quote
                    || matches!(byte, b'\n' | b'\r')
            };
            let quotes = options.force_quote.holds(column)
                || value == &*options.null
                // Alone on a line it ended copies to older servers.
                || value == b"\\."
                || value.iter().any(special);
            if quotes {
                let is_escaped = |byte| byte == options.quote || byte == options.escape;
                let escape = (options.escape, |byte| is_escaped(byte).then_some(byte));
                widen(out, start, Some(options.quote), escape);
            }
        }
    }
}
