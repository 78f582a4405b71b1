//! Rewriting rows: some cells are replaced, the others copied as they are.

use super::{BINARY_ROW, BinaryRow, NULL_BITS_BEFORE, TextRow};
use crate::{
    kernel::mask::{CellMask, Format, Key, Plan, Shown},
    wire::{
        WireError,
        mysql::{
            cell::{self, Masking, Shape},
            field::{NULL, put_number},
            value::Form,
        },
    },
};

/// Appends the payload of a row as its plan shows it. Nothing is appended unless the row is as wide as its
/// columns and can be read up to the last masked cell. Gives how many cells were rewritten.
///
/// # Errors
/// A plan for another number of columns, or a row that ends inside a cell.
pub fn rewrite(
    out: &mut Vec<u8>,
    payload: &[u8],
    (shapes, plan, format): (&[Shape], &Plan, Format),
) -> Result<usize, WireError> {
    let Some((masks, key)) = plan.masks() else {
        out.extend_from_slice(payload);
        return Ok(0);
    };
    if plan.width() != shapes.len() {
        return Err(WireError::BadValue { what: "number of columns" });
    }
    let start = out.len();
    let written = match format {
        Format::Text => text(out, payload, (shapes, masks, key)),
        Format::Binary => binary(out, payload, (shapes, masks, key)),
    };
    if written.is_err() {
        out.truncate(start);
    }
    written
}

type Masks<'a> = (&'a [Shape], &'a [Option<CellMask>], &'a Key);

fn text(
    out: &mut Vec<u8>,
    payload: &[u8],
    (shapes, masks, key): Masks<'_>,
) -> Result<usize, WireError> {
    let mut row = TextRow::new(payload);
    let (mut copied, mut rewritten) = (0, 0_usize);
    for (shape, mask) in shapes.iter().zip(masks) {
        let before = payload.len().saturating_sub(row.left());
        let cell = row.cell()?;
        let Some(mask) = mask else { continue };
        out.extend_from_slice(payload.get(copied..before).unwrap_or_default());
        copied = payload.len().saturating_sub(row.left());
        rewritten = rewritten.saturating_add(1);
        let start = out.len();
        // Most are shorter than what takes more than a byte to say.
        out.push(0);
        match cell::apply(Masking { mask, shape: *shape, key }, cell, out) {
            Shown::Null => {
                out.truncate(start);
                out.push(NULL);
            }
            Shown::Value => set_length(out, start),
        }
    }
    end(out, payload, copied)?;
    Ok(rewritten)
}

fn binary(
    out: &mut Vec<u8>,
    payload: &[u8],
    (shapes, masks, key): Masks<'_>,
) -> Result<usize, WireError> {
    let mut row = BinaryRow::new(payload, shapes.len())?;
    let start = out.len();
    let nulls = shapes.len().saturating_add(NULL_BITS_BEFORE).div_ceil(8);
    out.extend_from_slice(payload.get(..nulls.saturating_add(1)).unwrap_or(&[BINARY_ROW]));
    let (mut copied, mut rewritten) = (nulls.saturating_add(1), 0_usize);
    for (at, (shape, mask)) in shapes.iter().zip(masks).enumerate() {
        let before = payload.len().saturating_sub(row.left());
        let cell = row.cell(shape.code)?;
        let Some(mask) = mask else { continue };
        out.extend_from_slice(payload.get(copied..before).unwrap_or_default());
        copied = payload.len().saturating_sub(row.left());
        rewritten = rewritten.saturating_add(1);
        let place = out.len();
        let length_is_told = !matches!(shape.code.form()?, Form::Fixed(_) | Form::Nothing);
        if length_is_told {
            out.push(0);
        }
        let shown = cell::apply(Masking { mask, shape: *shape, key }, cell, out);
        match shown {
            Shown::Null => out.truncate(place),
            Shown::Value if length_is_told => set_length(out, place),
            Shown::Value => {}
        }
        let bit = at.saturating_add(NULL_BITS_BEFORE);
        if let Some(byte) = out.get_mut(start.saturating_add(1).saturating_add(bit / 8)) {
            match shown {
                Shown::Null => *byte |= 1 << (bit % 8),
                Shown::Value => *byte &= !(1 << (bit % 8)),
            }
        }
    }
    end(out, payload, copied)?;
    Ok(rewritten)
}

/// What stands behind the last masked cell.
fn end(out: &mut Vec<u8>, payload: &[u8], copied: usize) -> Result<(), WireError> {
    out.extend_from_slice(payload.get(copied..).ok_or(WireError::Truncated { tag: 0 })?);
    Ok(())
}

/// Says how long what follows `place` is, for which there is room of one byte.
fn set_length(out: &mut Vec<u8>, place: usize) {
    let length = out.len().saturating_sub(place).saturating_sub(1);
    if length < usize::from(NULL) {
        if let Some(byte) = out.get_mut(place) {
            *byte = length as u8;
        }
        return;
    }
    let mut said = Vec::with_capacity(9);
    put_number(&mut said, length as u64);
    out.splice(place..=place, said);
}

#[cfg(test)]
mod tests;
