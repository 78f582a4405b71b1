//! What a server says: decoding views over an upstream's frames, and, in `write`, the encoders for
//! what the gateway itself tells a client.
//!
//! Texts of a server are bytes: they are in the session's client encoding, and what isn't changed is
//! forwarded as it came.

use super::{Format, body::Body, format_of_code, frontend::Oids};
use crate::wire::WireError;

mod write;

pub use write::*;

/// Authentication requests of every kind.
pub const AUTHENTICATION: u8 = b'R';
/// BackendKeyData.
pub const BACKEND_KEY_DATA: u8 = b'K';
/// BindComplete.
pub const BIND_COMPLETE: u8 = b'2';
/// CloseComplete.
pub const CLOSE_COMPLETE: u8 = b'3';
/// CommandComplete.
pub const COMMAND_COMPLETE: u8 = b'C';
/// CopyBothResponse: replication only.
pub const COPY_BOTH_RESPONSE: u8 = b'W';
/// CopyData, in this direction.
pub const COPY_DATA: u8 = b'd';
/// CopyDone, in this direction.
pub const COPY_DONE: u8 = b'c';
/// CopyInResponse.
pub const COPY_IN_RESPONSE: u8 = b'G';
/// CopyOutResponse.
pub const COPY_OUT_RESPONSE: u8 = b'H';
/// DataRow.
pub const DATA_ROW: u8 = b'D';
/// EmptyQueryResponse.
pub const EMPTY_QUERY_RESPONSE: u8 = b'I';
/// ErrorResponse.
pub const ERROR_RESPONSE: u8 = b'E';
/// FunctionCallResponse.
pub const FUNCTION_CALL_RESPONSE: u8 = b'V';
/// NegotiateProtocolVersion.
pub const NEGOTIATE_PROTOCOL_VERSION: u8 = b'v';
/// NoData.
pub const NO_DATA: u8 = b'n';
/// NoticeResponse.
pub const NOTICE_RESPONSE: u8 = b'N';
/// NotificationResponse.
pub const NOTIFICATION_RESPONSE: u8 = b'A';
/// ParameterDescription.
pub const PARAMETER_DESCRIPTION: u8 = b't';
/// ParameterStatus.
pub const PARAMETER_STATUS: u8 = b'S';
/// ParseComplete.
pub const PARSE_COMPLETE: u8 = b'1';
/// PortalSuspended.
pub const PORTAL_SUSPENDED: u8 = b's';
/// ReadyForQuery.
pub const READY_FOR_QUERY: u8 = b'Z';
/// RowDescription.
pub const ROW_DESCRIPTION: u8 = b'T';

/// Where a session stands, as ReadyForQuery says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransactionStatus {
    /// `I`: no transaction is open.
    Idle,
    /// `T`: in a transaction.
    InTransaction,
    /// `E`: in one that failed; only its end is accepted.
    Failed,
}

impl TransactionStatus {
    /// The byte on the wire.
    pub fn code(self) -> u8 {
        match self {
            Self::Idle => b'I',
            Self::InTransaction => b'T',
            Self::Failed => b'E',
        }
    }
}

/// Reads a ReadyForQuery's body.
///
/// # Errors
/// A body that isn't exactly one known status.
pub fn ready_for_query_status(body: &[u8]) -> Result<TransactionStatus, WireError> {
    match body {
        b"I" => Ok(TransactionStatus::Idle),
        b"T" => Ok(TransactionStatus::InTransaction),
        b"E" => Ok(TransactionStatus::Failed),
        _ => Err(WireError::BadValue { what: "transaction status" }),
    }
}

/// The fields of an ErrorResponse or NoticeResponse.
#[derive(Clone, Copy, Debug)]
pub struct ErrorFields<'a>(&'a [u8]);

impl<'a> ErrorFields<'a> {
    /// Over the body of such a message.
    ///
    /// # Errors
    /// Fields that don't end where the message does.
    pub fn new(body: &'a [u8]) -> Result<Self, WireError> {
        let mut rest = Body::new(ERROR_RESPONSE, body);
        while rest.byte()? != 0 {
            rest.string()?;
        }
        rest.end()?;
        Ok(Self(body))
    }

    /// Code and text of each field, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
        let mut rest = Body::new(ERROR_RESPONSE, self.0);
        std::iter::from_fn(move || match rest.byte().ok()? {
            0 => None,
            code => Some((code, rest.string().ok()?)),
        })
    }

    /// The first field of that code.
    pub fn field(&self, code: u8) -> Option<&'a [u8]> {
        self.iter().find(|(found, _)| *found == code).map(|(_, text)| text)
    }

    /// The SQLSTATE; empty if there is none.
    pub fn sqlstate(&self) -> &'a [u8] {
        self.field(b'C').unwrap_or_default()
    }

    /// The message; empty if there is none.
    pub fn message(&self) -> &'a [u8] {
        self.field(b'M').unwrap_or_default()
    }

    /// True if the session ends with it: severity FATAL or PANIC, in the untranslated field.
    pub fn is_fatal(&self) -> bool {
        matches!(self.field(b'V').or_else(|| self.field(b'S')), Some(b"FATAL" | b"PANIC"))
    }
}

/// Reads a ParameterStatus's body into name and value.
///
/// # Errors
/// Anything but exactly two strings.
pub fn parameter_status_of(body: &[u8]) -> Result<(&[u8], &[u8]), WireError> {
    let mut body = Body::new(PARAMETER_STATUS, body);
    let pair = (body.string()?, body.string()?);
    body.end()?;
    Ok(pair)
}

/// Reads a CommandComplete's body into its tag, such as `INSERT 0 1`.
///
/// # Errors
/// Anything but exactly one string.
pub fn command_tag(body: &[u8]) -> Result<&[u8], WireError> {
    let mut body = Body::new(COMMAND_COMPLETE, body);
    let tag = body.string()?;
    body.end()?;
    Ok(tag)
}

/// The number of rows that a command tag ends in; `None` if it counts none.
pub fn rows_of_tag(tag: &[u8]) -> Option<u64> {
    let last = tag.rsplit(|byte| *byte == b' ').next()?;
    let digits = !last.is_empty() && last.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(last).ok()?.parse().ok()).flatten()
}

/// One column of a RowDescription.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ColumnView<'a> {
    /// Its name in the result.
    pub name: &'a [u8],
    /// The relation it comes from; 0 if it is no plain column.
    pub table_oid: u32,
    /// The number of the column there; 0 for none or a whole row.
    pub column_number: i16,
    /// Its type.
    pub type_oid: u32,
    /// `pg_type.typlen`: negative for types of varying width.
    pub type_size: i16,
    /// The type's modifier, −1 for none.
    pub type_modifier: i32,
    /// The format of its values. In the answer to a Describe of a statement it isn't known yet and
    /// reads as text.
    pub format: Format,
}

/// The columns of a RowDescription.
#[derive(Clone, Copy, Debug)]
pub struct RowDescription<'a> {
    count: usize,
    fields: &'a [u8],
}

impl<'a> RowDescription<'a> {
    /// Over the body of such a message.
    ///
    /// # Errors
    /// Columns that don't fit the message exactly.
    pub fn new(body: &'a [u8]) -> Result<Self, WireError> {
        let mut rest = Body::new(ROW_DESCRIPTION, body);
        let count = rest.count()?;
        let mut fields = rest;
        for _ in 0..count {
            read_column(&mut rest)?;
        }
        rest.end()?;
        Ok(Self { count, fields: fields.rest() })
    }

    /// How many columns.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True for a result without columns: `SELECT` alone.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All columns, in order.
    pub fn iter(&self) -> impl Iterator<Item = ColumnView<'a>> + use<'a> {
        let mut rest = Body::new(ROW_DESCRIPTION, self.fields);
        (0..self.count).map_while(move |_| read_column(&mut rest).ok())
    }
}

fn read_column<'a>(body: &mut Body<'a>) -> Result<ColumnView<'a>, WireError> {
    Ok(ColumnView {
        name: body.string()?,
        table_oid: body.oid()?,
        column_number: body.i16()?,
        type_oid: body.oid()?,
        type_size: body.i16()?,
        type_modifier: body.i32()?,
        format: format_of_code(body.i16()?)
            .ok_or(WireError::BadValue { what: "format of a column" })?,
    })
}

/// Reads a ParameterDescription's body into the oids of the parameters' types.
///
/// # Errors
/// A count that doesn't fit.
pub fn parameter_types(body: &[u8]) -> Result<Oids<'_>, WireError> {
    let mut body = Body::new(PARAMETER_DESCRIPTION, body);
    let count = body.count()?;
    let oids = Oids::read(&mut body, count)?;
    body.end()?;
    Ok(oids)
}

/// The cells of a DataRow.
#[derive(Clone, Copy, Debug)]
pub struct DataRow<'a> {
    count: usize,
    cells: Body<'a>,
}

impl<'a> DataRow<'a> {
    /// Over the body of such a message. Cells are checked as they are read.
    ///
    /// # Errors
    /// A body too short for its count.
    pub fn new(body: &'a [u8]) -> Result<Self, WireError> {
        let mut cells = Body::new(DATA_ROW, body);
        Ok(Self { count: cells.count()?, cells })
    }

    /// How many cells.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All cells, in order; `None` is NULL. Ends after the first error; says so if bytes are left.
    pub fn iter(&self) -> impl Iterator<Item = Result<Option<&'a [u8]>, WireError>> + use<'a> {
        let (mut left, mut cells, mut over) = (self.count, self.cells, false);
        std::iter::from_fn(move || {
            if over {
                return None;
            }
            if left == 0 {
                over = true;
                return cells.end().err().map(Err);
            }
            left = left.saturating_sub(1);
            let cell = cells.value();
            over = cell.is_err();
            Some(cell)
        })
    }
}

/// A BackendKeyData: what a CancelRequest must repeat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyData<'a> {
    /// The process.
    pub process: i32,
    /// The key: 4 bytes in protocol 3.0, 4 to 256 in 3.2.
    pub key: &'a [u8],
}

/// Reads a BackendKeyData's body.
///
/// # Errors
/// A key of an impossible length.
pub fn key_data(body: &[u8]) -> Result<KeyData<'_>, WireError> {
    let mut body = Body::new(BACKEND_KEY_DATA, body);
    let (process, key) = (body.i32()?, body.rest());
    if !(4..=256).contains(&key.len()) {
        return Err(WireError::BadValue { what: "length of a cancel key" });
    }
    Ok(KeyData { process, key })
}

/// What an upstream asks of the gateway at log-in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Authentication<'a> {
    /// Code 0: done.
    Ok,
    /// Code 3: the password in clear.
    CleartextPassword,
    /// Code 5: the password as MD5 with this salt.
    Md5Password {
        /// The salt.
        salt: [u8; 4],
    },
    /// Code 10: choose one of these mechanisms.
    Sasl(SaslMechanisms<'a>),
    /// Code 11: a challenge.
    SaslContinue(&'a [u8]),
    /// Code 12: the server's proof.
    SaslFinal(&'a [u8]),
    /// Kerberos, GSSAPI, SSPI and what may come: not spoken.
    Unsupported {
        /// Its code.
        code: i32,
    },
}

/// The names of SASL mechanisms that a server offers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SaslMechanisms<'a>(&'a [u8]);

impl<'a> SaslMechanisms<'a> {
    /// All, the server's favourite first.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = Body::new(AUTHENTICATION, self.0);
        std::iter::from_fn(move || rest.string().ok().filter(|name| !name.is_empty()))
    }
}

impl<'a> Authentication<'a> {
    /// Reads the body of such a message.
    ///
    /// # Errors
    /// Fields that don't fit their code.
    pub fn new(body: &'a [u8]) -> Result<Self, WireError> {
        let mut body = Body::new(AUTHENTICATION, body);
        let read = match body.i32()? {
            0 => Self::Ok,
            3 => Self::CleartextPassword,
            5 => {
                let salt = body.bytes(4)?.first_chunk::<4>().copied().unwrap_or_default();
                Self::Md5Password { salt }
            }
            10 => {
                let names = body.rest();
                if !(names.ends_with(b"\0\0") || names == b"\0") {
                    return Err(WireError::BadValue { what: "list of SASL mechanisms" });
                }
                Self::Sasl(SaslMechanisms(names))
            }
            11 => Self::SaslContinue(body.rest()),
            12 => Self::SaslFinal(body.rest()),
            code => {
                body.rest();
                Self::Unsupported { code }
            }
        };
        body.end()?;
        Ok(read)
    }
}

/// Reads a NegotiateProtocolVersion's body into the newest minor version the server speaks, and the
/// options it didn't know.
///
/// # Errors
/// Fields that don't fit.
pub fn negotiated_version(body: &[u8]) -> Result<(u16, Vec<&[u8]>), WireError> {
    let mut body = Body::new(NEGOTIATE_PROTOCOL_VERSION, body);
    let version = body.i32()?;
    let count = usize::try_from(body.i32()?)
        .ok()
        .filter(|count| *count <= 30_000)
        .ok_or(WireError::BadValue { what: "number of protocol options" })?;
    let options = (0..count).map(|_| body.string()).collect::<Result<_, _>>()?;
    body.end()?;
    // Spec: the documentation says "minor version", servers send the whole version number.
    Ok(((version & 0xffff) as u16, options))
}

/// The shape of a COPY.
#[derive(Clone, Copy, Debug)]
pub struct CopyResponse<'a> {
    /// The format of the whole.
    pub format: Format,
    formats: &'a [u8],
}

impl<'a> CopyResponse<'a> {
    /// Over the body of a CopyInResponse or CopyOutResponse.
    ///
    /// # Errors
    /// Fields that don't fit.
    pub fn new(tag: u8, body: &'a [u8]) -> Result<Self, WireError> {
        let mut body = Body::new(tag, body);
        let format = format_of_code(i16::from(body.byte()?))
            .ok_or(WireError::BadValue { what: "format of a copy" })?;
        let count = body.count()?;
        let formats = body.bytes(count.saturating_mul(2))?;
        body.end()?;
        Ok(Self { format, formats })
    }

    /// How many columns are copied.
    pub fn columns(&self) -> usize {
        self.formats.len() / 2
    }
}

#[cfg(test)]
mod tests;
