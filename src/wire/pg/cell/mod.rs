//! One cell under its mask, in both formats of Postgres.
//!
//! A cell is read as its column's type, masked as a value by [`crate::kernel::mask`], and written back
//! in the format it came in. So the text of a value and its binary form mask to the same value, and what
//! is written is something the server itself could have sent. What doesn't read exactly is NULL.
//!
//! Text is read as the server prints it under `DateStyle = ISO`; a date in another style is NULL, never
//! guessed at. Of floats it is taken for all their digits, as the server prints them unless
//! `extra_float_digits` says fewer: then a text and a binary form aren't the same value any more. Instants
//! print in UTC, `+00`; bytes print in hexadecimal.

mod array;
mod numeric;
mod value;

use crate::kernel::mask::{
    Algorithm, CellMask, ColumnType, Format, Key, Kind, Mask, Nulls, Shown, WHOLE, text,
};
use value::{Value, masked_bytes};

pub(super) use array::set_length;

/// Appends what the client gets for a cell; `None` is NULL. Nothing is appended for NULL.
pub fn apply(mask: &CellMask, cell: Option<&[u8]>, key: &Key, out: &mut Vec<u8>) -> Shown {
    apply_as(mask, mask.format, cell, (key, out))
}

/// As [`apply`], in a format that isn't the mask's own: a copy has one for all columns.
pub(super) fn apply_as(
    mask: &CellMask,
    format: Format,
    cell: Option<&[u8]>,
    (key, out): (&Key, &mut Vec<u8>),
) -> Shown {
    let start = out.len();
    let shown = match cell {
        Some(cell) => masked(mask, format, cell, (key, out)),
        None => null(mask, format, (key, out)),
    };
    if shown == Shown::Null {
        out.truncate(start);
    }
    shown
}

fn masked(mask: &CellMask, format: Format, cell: &[u8], (key, out): (&Key, &mut Vec<u8>)) -> Shown {
    match (&mask.mask, mask.holds) {
        (Mask::Whole, holds) => whole(holds, out),
        (Mask::Column(algorithm), ColumnType::One(kind)) => {
            one(&Cell { algorithm, kind, format, key }, cell, out)
        }
        (Mask::Column(algorithm), ColumnType::Array(kind)) => {
            let element = Cell { algorithm, kind, format, key };
            let read = match format {
                Format::Text => array::text(&element, cell, out),
                Format::Binary => array::binary(&element, cell, out),
            };
            if read.is_some() { Shown::Value } else { Shown::Null }
        }
    }
}

/// A derived value: a text that says nothing, or NULL.
fn whole(holds: ColumnType, out: &mut Vec<u8>) -> Shown {
    match holds {
        ColumnType::One(Kind::Text | Kind::Padded) => {
            out.extend_from_slice(WHOLE.as_bytes());
            Shown::Value
        }
        ColumnType::One(_) | ColumnType::Array(_) => Shown::Null,
    }
}

/// NULL stays, or looks as other values do.
fn null(mask: &CellMask, format: Format, (key, out): (&Key, &mut Vec<u8>)) -> Shown {
    let (Nulls::Hidden, ColumnType::One(kind)) = (mask.nulls, mask.holds) else {
        return Shown::Null;
    };
    match &mask.mask {
        Mask::Whole => whole(mask.holds, out),
        Mask::Column(algorithm) => {
            if matches!(**algorithm, Algorithm::Full { .. } | Algorithm::Fixed { .. }) {
                // These make the same of every value: any will do.
                let Some(value) = Value::any(kind) else { return Shown::Null };
                return value.masked(&Cell { algorithm, kind, format, key }, out);
            }
            if matches!(**algorithm, Algorithm::Null) {
                Shown::Null
            } else {
                whole(mask.holds, out)
            }
        }
    }
}

/// How one value of a cell, or one element of its array, is masked.
struct Cell<'a> {
    algorithm: &'a Algorithm,
    kind: Kind,
    format: Format,
    key: &'a Key,
}

/// Appends what becomes of one value, or says NULL; then what was appended isn't for use.
fn one(how: &Cell<'_>, cell: &[u8], out: &mut Vec<u8>) -> Shown {
    if how.kind == Kind::Text {
        // PERFORMANCE: the usual one needs nothing that is as large as any value.
        return text::mask_utf8(how.algorithm, cell, how.key, out);
    }
    if how.kind == Kind::Bytes && how.format == Format::Text {
        return masked_bytes(how, cell, out);
    }
    match Value::read(how.kind, how.format, cell) {
        Some(value) => value.masked(how, out),
        // Fail closed: what doesn't read as its type isn't shown as it is.
        None => Shown::Null,
    }
}

#[cfg(test)]
mod tests;
