//! What a result says of one of its columns.
//!
//! Spec:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html>.

use super::{
    Capabilities,
    field::{Fields, put_string},
    packet,
    value::TypeCode,
};
use crate::wire::WireError;

/// The definition of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column<'a> {
    /// The schema of the table it comes from; empty if it comes from none.
    pub schema: &'a [u8],
    /// What the table is called in the statement.
    pub table: &'a [u8],
    /// What it is called in its schema: a view's own name, and in MariaDB a CTE's.
    pub org_table: &'a [u8],
    /// What the column is called in the result.
    pub name: &'a [u8],
    /// What it is called in its table; empty if it is computed.
    pub org_name: &'a [u8],
    /// The number of its collation: [`BINARY`] for numbers, dates and bytes.
    pub collation: u16,
    /// The most bytes that one of its values takes as text.
    pub length: u32,
    /// Its type.
    pub code: TypeCode,
    /// What else is known of it.
    pub flags: u16,
    /// Digits behind the point.
    pub decimals: u8,
    /// Its default, in the answer to COM_FIELD_LIST alone.
    pub default: Option<&'a [u8]>,
}

/// The collation of what is no text.
pub const BINARY: u16 = 63;

/// It is never NULL.
pub const NOT_NULL: u16 = 1;
/// Whole numbers have no sign.
pub const UNSIGNED: u16 = 32;
/// It is an ENUM, whatever its type says.
pub const ENUM: u16 = 256;
/// It is a SET, whatever its type says.
pub const SET: u16 = 2048;

/// What stands before the fields of fixed length: how many bytes they are.
const FIXED_LENGTH: u64 = 12;

impl<'a> Column<'a> {
    /// Reads a payload. `listed`: it answers COM_FIELD_LIST, so that a default may follow.
    ///
    /// # Errors
    /// It isn't one.
    pub fn read(
        payload: &'a [u8],
        listed: bool,
        capabilities: Capabilities,
    ) -> Result<Self, WireError> {
        let mut fields = Fields::new(0, payload);
        // Spec: always "def".
        fields.string()?;
        let (schema, table, org_table) = (fields.string()?, fields.string()?, fields.string()?);
        let (name, org_name) = (fields.string()?, fields.string()?);
        if capabilities.has(Capabilities::EXTENDED_METADATA) {
            // Spec: parts of a kind and a text, as "json" and "point"; nothing is made of them here.
            fields.string()?;
        }
        if fields.number()? != FIXED_LENGTH {
            return Err(WireError::BadValue { what: "length of a column's fields" });
        }
        let (collation, length) = (fields.u16()?, fields.u32()?);
        let (code, flags) = (TypeCode(fields.byte()?), fields.u16()?);
        let decimals = fields.byte()?;
        fields.bytes(2)?;
        let default = if listed && !fields.is_empty() { fields.cell()? } else { None };
        fields.end()?;
        Ok(Self {
            schema,
            table,
            org_table,
            name,
            org_name,
            collation,
            length,
            code,
            flags,
            decimals,
            default,
        })
    }

    /// A column of text that comes from no table, as of the gateway's own results.
    pub fn text(name: &'a [u8], collation: u16) -> Self {
        Self {
            schema: b"",
            table: b"",
            org_table: b"",
            name,
            org_name: b"",
            collation,
            length: 1 << 16,
            code: TypeCode::VAR_STRING,
            flags: 0,
            decimals: 31,
            default: None,
        }
    }

    /// Appends it, for a client that took these capabilities; of what MariaDB knows besides of a type it says
    /// nothing. Gives the sequence number of the next packet.
    pub fn write(&self, out: &mut Vec<u8>, sequence: u8, capabilities: Capabilities) -> u8 {
        packet::put(out, sequence, |out| {
            for part in [b"def", self.schema, self.table, self.org_table, self.name, self.org_name]
            {
                put_string(out, part);
            }
            if capabilities.has(Capabilities::EXTENDED_METADATA) {
                put_string(out, b"");
            }
            out.push(FIXED_LENGTH as u8);
            out.extend(self.collation.to_le_bytes());
            out.extend(self.length.to_le_bytes());
            out.push(self.code.0);
            out.extend(self.flags.to_le_bytes());
            out.push(self.decimals);
            out.extend([0; 2]);
        })
    }

    /// True if its values are texts of a character set, and not bytes, numbers or dates.
    pub fn is_text(&self) -> bool {
        self.collation != BINARY
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::mysql::packet::payload;

    #[test]
    fn a_column_comes_back_as_it_was_said() {
        let column = Column {
            schema: b"shop",
            table: b"c",
            org_table: b"customers",
            name: b"mail",
            org_name: b"email",
            flags: NOT_NULL,
            ..Column::text(b"mail", 45)
        };
        let mut out = Vec::new();
        let plain = Capabilities::NONE;
        assert_eq!(column.write(&mut out, 3, plain), 4);
        let whole = payload(&out);
        assert_eq!(Column::read(&whole, false, plain), Ok(column));
        for cut in 0..whole.len() {
            assert!(Column::read(&whole[..cut], false, plain).is_err(), "{cut}");
        }
        let listed = [&whole[..], b"\x01x"].concat();
        assert!(Column::read(&listed, false, plain).is_err());
        assert_eq!(Column::read(&listed, true, plain).expect("listed").default, Some(&b"x"[..]));
        assert_eq!(Column::read(&whole, true, plain).expect("listed").default, None);
    }

    #[test]
    fn what_mariadb_knows_besides_of_a_type_is_read_past_and_not_made_up() {
        let extended = Capabilities::EXTENDED_METADATA;
        let column = Column { org_name: b"j", ..Column::text(b"j", 45) };
        let mut out = Vec::new();
        column.write(&mut out, 3, extended);
        let bare = payload(&out).into_owned();
        assert_eq!(Column::read(&bare, false, extended), Ok(column));
        assert!(Column::read(&bare, false, Capabilities::NONE).is_err());
        let at = bare.len() - FIXED_LENGTH as usize - 2;
        let json = [&bare[..at], b"\x06\x01\x04json", &bare[at + 1..]].concat();
        assert_eq!(Column::read(&json, false, extended), Ok(column));
        assert!(Column::read(&json[..at + 4], false, extended).is_err());
    }

    proptest! {
        #[test]
        fn no_column_panics(bytes in prop::collection::vec(any::<u8>(), 0..80), listed: bool) {
            let _ = Column::read(&bytes, listed, Capabilities::NONE);
            let _ = Column::read(&bytes, listed, Capabilities::EXTENDED_METADATA);
        }
    }
}
