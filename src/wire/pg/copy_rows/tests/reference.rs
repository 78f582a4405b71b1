//! The same once more, byte by byte and cell by cell: what is fast is compared with it.

use super::super::*;
use crate::wire::pg::cell::apply_as;

/// What becomes of a message's rows, and how many cells were rewritten; `None` for what can't be read.
pub(super) fn rewritten(
    plan: &Plan,
    format: &CopyFormat,
    is_first: bool,
    payload: &[u8],
) -> Option<(Vec<u8>, usize)> {
    let (mut out, mut count) = (Vec::new(), 0);
    let mut rest = payload;
    let mut is_first = is_first;
    let (header, null) = match format {
        CopyFormat::Text { header, null, .. } => (*header, null),
        CopyFormat::Csv(csv) => (csv.header, &csv.null),
        CopyFormat::Binary => return binary(plan, is_first, payload),
    };
    while !rest.is_empty() {
        let names = is_first && header == Header::Yes;
        is_first = false;
        for column in 0.. {
            let end = match format {
                CopyFormat::Text { delimiter, .. } => end_of_text(rest, *delimiter)?,
                CopyFormat::Csv(csv) => end_of_csv(rest, csv)?,
                CopyFormat::Binary => return None,
            };
            let cell = &rest[..end];
            match mask_of(plan, column).filter(|_| !names) {
                None => out.extend_from_slice(cell),
                Some((mask, key)) => {
                    count += 1;
                    let value = match format {
                        CopyFormat::Text { delimiter, .. } => text_value(cell, null, *delimiter)?,
                        CopyFormat::Csv(csv) => csv_value(cell, csv),
                        CopyFormat::Binary => return None,
                    };
                    let mut masked = Vec::new();
                    let how = (key, &mut masked);
                    match (apply_as(mask, Format::Text, value.as_deref(), how), format) {
                        (Shown::Null, _) => out.extend_from_slice(null),
                        (_, CopyFormat::Csv(csv)) => put_csv(&mut out, &masked, csv, column),
                        (_, CopyFormat::Text { delimiter, .. }) => {
                            put_text(&mut out, &masked, *delimiter);
                        }
                        (_, CopyFormat::Binary) => return None,
                    }
                }
            }
            let last = rest[end];
            out.push(last);
            rest = &rest[end + 1..];
            if last == b'\n' {
                if column + 1 != plan.width() {
                    return None;
                }
                break;
            }
        }
    }
    Some((out, count))
}

fn mask_of(plan: &Plan, column: usize) -> Option<(&CellMask, &Key)> {
    let (masks, key) = plan.masks()?;
    Some((masks.get(column)?.as_ref()?, key))
}

fn end_of_text(text: &[u8], delimiter: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        match *text.get(at)? {
            b'\\' if text.get(at + 1).is_none_or(|byte| *byte == b'\n') => return None,
            b'\\' => at += 2,
            byte if byte == delimiter || byte == b'\n' => return Some(at),
            _ => at += 1,
        }
    }
}

/// The outer `None`: not as the server writes it; the inner one is NULL.
#[expect(clippy::option_option, reason = "two different nothings")]
fn text_value(cell: &[u8], null: &[u8], delimiter: u8) -> Option<Option<Vec<u8>>> {
    if cell == null && !could_be_a_value(null, delimiter) {
        return Some(None);
    }
    plain(cell).map(Some)
}

fn could_be_a_value(null: &[u8], delimiter: u8) -> bool {
    let mut again = Vec::new();
    plain(null).is_some_and(|value| {
        put_text(&mut again, &value, delimiter);
        again == null
    })
}

fn plain(cell: &[u8]) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    let mut bytes = cell.iter();
    while let Some(byte) = bytes.next() {
        value.push(match byte {
            b'\\' => match bytes.next()? {
                b'b' => 8,
                b't' => 9,
                b'n' => 10,
                b'v' => 11,
                b'f' => 12,
                b'r' => 13,
                b'0'..=b'9' | b'x' => return None,
                other => *other,
            },
            other => *other,
        });
    }
    Some(value)
}

fn put_text(out: &mut Vec<u8>, value: &[u8], delimiter: u8) {
    for byte in value {
        match byte {
            8..14 => out.extend([b'\\', b"btnvfr"[usize::from(byte - 8)]]),
            b'\\' => out.extend(b"\\\\"),
            byte if *byte == delimiter => out.extend([b'\\', *byte]),
            byte => out.push(*byte),
        }
    }
}

fn end_of_csv(text: &[u8], csv: &Csv) -> Option<usize> {
    let ends = |byte: u8| byte == csv.delimiter || byte == b'\n';
    if *text.first()? != csv.quote {
        let end = text.iter().position(|byte| ends(*byte))?;
        return (!text[..end].contains(&csv.quote)).then_some(end);
    }
    let mut at = 1;
    loop {
        let byte = *text.get(at)?;
        let next = text.get(at + 1).copied();
        if byte == csv.escape && next.is_some_and(|b| b == csv.quote || b == csv.escape) {
            at += 2;
        } else if byte == csv.quote {
            return ends(next?).then_some(at + 1);
        } else {
            at += 1;
        }
    }
}

fn csv_value(cell: &[u8], csv: &Csv) -> Option<Vec<u8>> {
    if *cell == *csv.null {
        return None;
    }
    if cell.first() != Some(&csv.quote) {
        return Some(cell.to_vec());
    }
    let mut value = Vec::new();
    let mut bytes = cell[1..cell.len() - 1].iter();
    while let Some(byte) = bytes.next() {
        let escaped = if *byte == csv.escape { bytes.next() } else { None };
        value.push(*escaped.unwrap_or(byte));
    }
    Some(value)
}

fn put_csv(out: &mut Vec<u8>, value: &[u8], csv: &Csv, column: usize) {
    let special = [csv.delimiter, csv.quote, b'\n', b'\r'];
    let quotes = csv.force_quote.holds(column)
        || *value == *csv.null
        || value == b"\\."
        || value.iter().any(|byte| special.contains(byte));
    if !quotes {
        out.extend_from_slice(value);
        return;
    }
    out.push(csv.quote);
    for byte in value {
        if *byte == csv.quote || *byte == csv.escape {
            out.push(csv.escape);
        }
        out.push(*byte);
    }
    out.push(csv.quote);
}

fn binary(plan: &Plan, is_first: bool, payload: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut out, mut count, mut rest) = (Vec::new(), 0, payload);
    if is_first && !rest.is_empty() {
        rest = rest.strip_prefix(super::BEGINNING)?;
        out.extend_from_slice(super::BEGINNING);
    }
    let mut ended = false;
    while !rest.is_empty() {
        let (cells, behind) = rest.split_first_chunk::<2>()?;
        if ended {
            return None;
        }
        out.extend(cells);
        rest = behind;
        if *cells == [255, 255] {
            ended = true;
            continue;
        }
        if usize::from(u16::from_be_bytes(*cells)) != plan.width() {
            return None;
        }
        for column in 0..plan.width() {
            let (length, behind) = rest.split_first_chunk::<4>()?;
            rest = behind;
            let mut cell = None;
            if *length != [255; 4] {
                let length = usize::try_from(i32::from_be_bytes(*length)).ok()?;
                let (value, behind) = rest.split_at_checked(length)?;
                (cell, rest) = (Some(value.to_vec()), behind);
            }
            if let Some((mask, key)) = mask_of(plan, column) {
                count += 1;
                let mut masked = Vec::new();
                let shown = apply_as(mask, Format::Binary, cell.as_deref(), (key, &mut masked));
                cell = (shown == Shown::Value).then_some(masked);
            }
            body::put_value(&mut out, cell.as_deref());
        }
    }
    Some((out, count))
}
