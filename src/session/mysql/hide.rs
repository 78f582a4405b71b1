//! Rows in which some cells are hidden.

use super::{rows::odd, talk::End};
use crate::{
    kernel::sql::analysis::Hidden,
    wire::mysql::{
        cell::Shape,
        field::put_cell,
        packet::{self, Header},
        row,
    },
};

/// Writes a binary row without what only admin may see.
pub(super) fn hide_binary(
    down: &mut Vec<u8>,
    (header, payload): (Header, &[u8]),
    hidden: &Hidden,
    shapes: &[Shape],
) -> Result<(), End> {
    if shapes.len() != hidden.width {
        return Err(odd());
    }
    let mut cells = row::BinaryRow::new(payload, hidden.width).map_err(|_| odd())?;
    let bits = payload.len().saturating_sub(cells.left());
    let mut head = payload.get(..bits).unwrap_or_default().to_vec();
    let mut shown = Vec::with_capacity(payload.len());
    let mut hides = true;
    for (at, shape) in shapes.iter().enumerate() {
        let start = payload.len().saturating_sub(cells.left());
        let cell = cells.cell(shape.code).map_err(|_| odd())?;
        let end = payload.len().saturating_sub(cells.left());
        if at == 0 {
            hides = hidden.is_about(cell);
        }
        if hidden.columns.contains(&at) && hides {
            row::set_null(&mut head, at);
        } else {
            shown.extend_from_slice(payload.get(start..end).unwrap_or_default());
        }
    }
    cells.end().map_err(|_| odd())?;
    packet::put(down, header.sequence, |out| {
        out.extend_from_slice(&head);
        out.extend_from_slice(&shown);
    });
    Ok(())
}

/// Writes a text row without what only admin may see.
pub(super) fn hide(
    down: &mut Vec<u8>,
    (header, payload): (Header, &[u8]),
    hidden: &Hidden,
) -> Result<(), End> {
    let mut cells = row::TextRow::new(payload);
    let mut shown: Vec<Option<&[u8]>> = Vec::with_capacity(hidden.width);
    for at in 0..hidden.width {
        let cell = cells.cell().map_err(|_| odd())?;
        let hides = at == 0 || hidden.is_about(shown.first().copied().flatten());
        shown.push(cell.filter(|_| !(hides && hidden.columns.contains(&at))));
    }
    cells.end().map_err(|_| odd())?;
    packet::put(down, header.sequence, |out| {
        for cell in shown {
            put_cell(out, cell);
        }
    });
    Ok(())
}
