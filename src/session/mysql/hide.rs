//! Rows in which some cells are hidden.

use super::{rows::odd, talk::End};
use crate::{
    kernel::sql::analysis::Hidden,
    wire::mysql::{
        field::put_cell,
        packet::{self, Header},
        row,
    },
};

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
