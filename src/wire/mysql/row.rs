//! Rows: where their cells are, in text and in binary.
//!
//! Spec:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_row.html>
//! and <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html>.

use super::{
    field::Fields,
    value::{Form, TypeCode},
};
use crate::wire::WireError;

mod rewrite;

pub use rewrite::rewrite;

/// The first byte of a binary row.
pub const BINARY_ROW: u8 = 0x00;

/// The NULL bits of a binary row begin with two that aren't used.
const NULL_BITS_BEFORE: usize = 2;

/// Says in the beginning of a binary row, up to its cells, that this one is NULL.
pub fn set_null(head: &mut [u8], at: usize) {
    let bit = at.saturating_add(NULL_BITS_BEFORE);
    if let Some(byte) = head.get_mut(1 + bit / 8) {
        *byte |= 1 << (bit % 8);
    }
}

/// The cells of a text row, in order.
#[derive(Clone, Debug)]
pub struct TextRow<'a> {
    fields: Fields<'a>,
}

impl<'a> TextRow<'a> {
    /// Over a payload.
    pub fn new(payload: &'a [u8]) -> Self {
        Self { fields: Fields::new(0, payload) }
    }

    /// The next cell; `None` is NULL.
    ///
    /// # Errors
    /// The row ends before or in it.
    pub fn cell(&mut self) -> Result<Option<&'a [u8]>, WireError> {
        self.fields.cell()
    }

    /// Says that the row must end here.
    ///
    /// # Errors
    /// It doesn't.
    pub fn end(&self) -> Result<(), WireError> {
        self.fields.end()
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.fields.left()
    }
}

/// The cells of a binary row, in order.
#[derive(Clone, Debug)]
pub struct BinaryRow<'a> {
    nulls: &'a [u8],
    fields: Fields<'a>,
    at: usize,
}

impl<'a> BinaryRow<'a> {
    /// Over a payload of so many columns.
    ///
    /// # Errors
    /// It isn't a binary row, or ends in its NULL bits.
    pub fn new(payload: &'a [u8], columns: usize) -> Result<Self, WireError> {
        let mut fields = Fields::new(BINARY_ROW, payload);
        if fields.byte()? != BINARY_ROW {
            return Err(WireError::BadValue { what: "binary row" });
        }
        let nulls = fields.bytes(columns.saturating_add(NULL_BITS_BEFORE).div_ceil(8))?;
        Ok(Self { nulls, fields, at: 0 })
    }

    /// The next cell, by the type of its column, without the length that stands before it; `None` is NULL.
    ///
    /// # Errors
    /// The row ends before or in it, or the type isn't known.
    pub fn cell(&mut self, code: TypeCode) -> Result<Option<&'a [u8]>, WireError> {
        let bit = self.at.saturating_add(NULL_BITS_BEFORE);
        self.at = self.at.saturating_add(1);
        let form = code.form()?;
        let is_null = self.nulls.get(bit / 8).is_none_or(|byte| byte & (1 << (bit % 8)) != 0);
        if is_null || form == Form::Nothing {
            return Ok(None);
        }
        form.take(&mut self.fields).map(Some)
    }

    /// Says that the row must end here.
    ///
    /// # Errors
    /// It doesn't.
    pub fn end(&self) -> Result<(), WireError> {
        self.fields.end()
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.fields.left()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::mysql::field::put_cell;

    #[test]
    fn a_text_row_is_read_cell_by_cell() {
        let mut payload = Vec::new();
        let long = vec![b'x'; 300];
        let cells = [Some(&b"1"[..]), None, Some(b""), Some(&long)];
        for cell in cells {
            put_cell(&mut payload, cell);
        }
        let mut row = TextRow::new(&payload);
        for cell in cells {
            assert_eq!(row.cell(), Ok(cell));
        }
        assert_eq!((row.end(), row.left()), (Ok(()), 0));
        assert!(row.cell().is_err());
    }

    #[test]
    fn a_binary_row_is_read_by_the_types_of_its_columns() {
        let types =
            [TypeCode::LONG, TypeCode::VAR_STRING, TypeCode::DATE, TypeCode::NULL, TypeCode::TINY];
        // The second is NULL: bit 3.
        let payload = b"\x00\x08\x01\0\0\0\x04\xea\x07\x0b\x1a\x09";
        let mut row = BinaryRow::new(payload, types.len()).expect("a row");
        let cells: Vec<_> = types.iter().map(|code| row.cell(*code).expect("a cell")).collect();
        assert_eq!(
            cells,
            [Some(&b"\x01\0\0\0"[..]), None, Some(b"\xea\x07\x0b\x1a"), None, Some(b"\x09")]
        );
        assert_eq!(row.end(), Ok(()));
        assert!(BinaryRow::new(b"\x01\0", 1).is_err() && BinaryRow::new(b"\x00", 1).is_err());
    }

    #[test]
    fn the_null_bits_reach_as_far_as_the_columns() {
        for columns in 0..40_usize {
            let bytes = (columns + 2).div_ceil(8);
            let payload = [&[0][..], &vec![0xff; bytes]].concat();
            let mut row = BinaryRow::new(&payload, columns).expect("a row");
            assert!((0..columns).all(|_| row.cell(TypeCode::LONG) == Ok(None)));
            assert_eq!(row.end(), Ok(()));
        }
    }

    proptest! {
        #[test]
        fn no_row_panics(
            bytes in prop::collection::vec(any::<u8>(), 0..60), columns in 0_usize..20, code: u8,
        ) {
            let mut row = TextRow::new(&bytes);
            while row.cell().is_ok() {}
            if let Ok(mut row) = BinaryRow::new(&bytes, columns) {
                for _ in 0..columns {
                    let _ = row.cell(TypeCode(code));
                }
            }
        }
    }
}
