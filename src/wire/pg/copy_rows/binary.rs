//! FORMAT binary: a header, rows as a count of cells and each cell as a length and bytes, a trailer.

use super::{Place, Rows, bad};
use crate::{
    kernel::mask::Format,
    wire::{
        WireError,
        pg::{
            backend::COPY_DATA,
            body::Body,
            row::{Written, write_cells},
        },
    },
};

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

pub(super) fn rewrite(
    rows: &mut Rows<'_>,
    payload: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let mut rest = payload;
    if rows.at == Place::Beginning && !rest.is_empty() {
        let mut header = Body::new(COPY_DATA, rest);
        // Spec: no flag is in use any more, and no extension ever was.
        let good =
            header.bytes(SIGNATURE.len())? == SIGNATURE && header.i32()? == 0 && header.i32()? == 0;
        if !good {
            return Err(bad("header of a binary copy"));
        }
        let behind = header.rest();
        let length = rest.len().saturating_sub(behind.len());
        out.extend_from_slice(rest.get(..length).unwrap_or_default());
        (rest, rows.at) = (behind, Place::Rows);
    }
    while !rest.is_empty() {
        if rows.at == Place::End {
            return Err(WireError::TrailingBytes { tag: COPY_DATA });
        }
        let mut cells = Body::new(COPY_DATA, rest);
        let count = cells.i16()?;
        if count == -1 {
            cells.end()?;
            out.extend_from_slice(rest);
            rows.at = Place::End;
            return Ok(());
        }
        if usize::try_from(count) != Ok(rows.width) {
            return Err(bad("number of columns"));
        }
        let masks = (rows.masks, rows.key);
        let Written { rewritten, copied, rest: mut cells } =
            write_cells(out, (rest, cells), Some(Format::Binary), masks)?;
        rows.rewritten = rows.rewritten.saturating_add(rewritten);
        // To its end: another row may follow.
        for _ in rows.masks.len()..rows.width {
            cells.value()?;
        }
        let behind = cells.rest();
        let length = rest.len().saturating_sub(behind.len());
        out.extend_from_slice(rest.get(copied..length).unwrap_or_default());
        rest = behind;
    }
    Ok(())
}
