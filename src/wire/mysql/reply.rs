//! How a server says that something is done, or isn't: OK, EOF and ERR packets.
//!
//! Spec: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_response_packets.html>.

use super::{
    Capabilities,
    field::{Fields, put_number, put_string},
    packet,
};
use crate::{kernel::refusal::Refusal, wire::WireError};

/// The first byte of an OK packet.
pub const OK: u8 = 0x00;
/// The first byte of an EOF packet, and of the OK packet that takes its place.
pub const EOF: u8 = 0xfe;
/// The first byte of an ERR packet.
pub const ERR: u8 = 0xff;
/// The first byte of a request for a file of the client's.
pub const LOCAL_FILE: u8 = 0xfb;

/// An EOF packet is shorter than this: a row that begins with the same byte is longer.
const EOF_BELOW: usize = 9;

/// An OK packet, with all that it may say.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct OkPacket<'a> {
    /// Rows that were changed, or found.
    pub affected: u64,
    /// The number that the first new row was given; 0: none.
    pub last_number: u64,
    /// The session's state.
    pub status: Status,
    /// How many warnings there are to be shown.
    pub warnings: u16,
    /// What the server says of it in words.
    pub info: &'a [u8],
    /// What has changed in the session; [`changes`] reads it.
    pub changes: &'a [u8],
}

/// The session's state, as each OK and EOF packet tells it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Status(pub u16);

impl Status {
    /// A transaction is open.
    pub const IN_TRANSACTION: Self = Self(1);
    /// Statements commit by themselves.
    pub const AUTOCOMMIT: Self = Self(1 << 1);
    /// Another result of the same command follows.
    pub const MORE_RESULTS: Self = Self(1 << 3);
    /// A cursor was opened: its rows wait.
    pub const CURSOR: Self = Self(1 << 6);
    /// A cursor has no rows any more.
    pub const LAST_ROW_SENT: Self = Self(1 << 7);
    /// Backslashes in texts are backslashes.
    pub const NO_BACKSLASH_ESCAPES: Self = Self(1 << 9);
    /// The columns of a prepared statement are others than they were.
    pub const METADATA_CHANGED: Self = Self(1 << 10);
    /// The values of a procedure's OUT parameters.
    pub const OUT_PARAMETERS: Self = Self(1 << 12);
    /// The open transaction doesn't write.
    pub const IN_READ_ONLY_TRANSACTION: Self = Self(1 << 13);
    /// The packet tells what has changed in the session.
    pub const CHANGES: Self = Self(1 << 14);

    /// True if this flag is set.
    pub fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    /// Without this flag.
    #[must_use]
    pub fn without(self, flag: Self) -> Self {
        Self(self.0 & !flag.0)
    }
}

impl std::fmt::Debug for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Status({:#06x})", self.0)
    }
}

impl<'a> OkPacket<'a> {
    /// Reads the payload of an OK packet, whichever of the two first bytes it has.
    ///
    /// # Errors
    /// It isn't one.
    pub fn read(payload: &'a [u8], capabilities: Capabilities) -> Result<Self, WireError> {
        let mut fields = Fields::new(OK, payload);
        if !matches!(fields.byte()?, OK | EOF) {
            return Err(WireError::BadValue { what: "OK packet" });
        }
        let (affected, last_number) = (fields.number()?, fields.number()?);
        let (status, warnings) = (Status(fields.u16()?), fields.u16()?);
        let (mut info, mut changes) = (&[][..], &[][..]);
        // Spec: left out where there is nothing to say. (It says too that without tracking the text goes to the
        // packet's end; both servers write its length before it all the same, and mysqlnd reads that.)
        if !fields.is_empty() {
            info = fields.string()?;
        }
        if capabilities.has(Capabilities::SESSION_TRACK) && status.has(Status::CHANGES) {
            changes = fields.string()?;
        }
        fields.end()?;
        Ok(Self { affected, last_number, status, warnings, info, changes })
    }

    /// Appends it, for a client that took these capabilities: what the session has changed is told only if
    /// it asked for that. `first`: [`OK`], or [`EOF`] at the end of rows. Gives the sequence number of the
    /// next packet.
    pub fn write(
        &self,
        out: &mut Vec<u8>,
        (sequence, first): (u8, u8),
        capabilities: Capabilities,
    ) -> u8 {
        packet::put(out, sequence, |out| {
            out.push(first);
            put_number(out, self.affected);
            put_number(out, self.last_number);
            let tells = capabilities.has(Capabilities::SESSION_TRACK) && !self.changes.is_empty();
            let mut status = self.status.without(Status::CHANGES);
            if tells {
                status.0 |= Status::CHANGES.0;
            }
            out.extend(status.0.to_le_bytes());
            out.extend(self.warnings.to_le_bytes());
            if tells || !self.info.is_empty() {
                put_string(out, self.info);
                if tells {
                    put_string(out, self.changes);
                }
            }
        })
    }
}

/// An EOF packet.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct EofPacket {
    /// How many warnings there are to be shown.
    pub warnings: u16,
    /// The session's state.
    pub status: Status,
}

impl EofPacket {
    /// Reads a payload.
    ///
    /// # Errors
    /// It isn't one.
    pub fn read(payload: &[u8]) -> Result<Self, WireError> {
        let mut fields = Fields::new(EOF, payload);
        if fields.byte()? != EOF {
            return Err(WireError::BadValue { what: "EOF packet" });
        }
        let eof = Self { warnings: fields.u16()?, status: Status(fields.u16()?) };
        fields.end()?;
        Ok(eof)
    }

    /// Appends it. Gives the sequence number of the next packet.
    pub fn write(&self, out: &mut Vec<u8>, sequence: u8) -> u8 {
        packet::put(out, sequence, |out| {
            out.push(EOF);
            out.extend(self.warnings.to_le_bytes());
            out.extend(self.status.0.to_le_bytes());
        })
    }
}

/// True if a packet of this first byte and length ends rows or columns.
///
/// Spec: a row may begin with the same byte, if its first cell is longer than 16 MiB: then it is as long as
/// a packet can be. Without [`Capabilities::DEPRECATE_EOF`] an end is never longer than five bytes.
pub fn is_end(first: u8, length: usize, capabilities: Capabilities) -> bool {
    let below =
        if capabilities.has(Capabilities::DEPRECATE_EOF) { packet::PART_MAX } else { EOF_BELOW };
    first == EOF && length < below
}

/// An ERR packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ErrPacket<'a> {
    /// The error's number.
    pub number: u16,
    /// Its SQLSTATE; of an error before the log-in there is none.
    pub state: [u8; 5],
    /// What it says, in the session's character set of results.
    pub message: &'a [u8],
}

/// The SQLSTATE of everything that has none of its own.
pub const GENERAL_STATE: [u8; 5] = *b"HY000";

/// The number of a report of progress in MariaDB, which is no error.
const PROGRESS: u16 = 0xffff;

impl<'a> ErrPacket<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    /// It isn't one; reports of progress, which nobody asked for, aren't either.
    pub fn read(payload: &'a [u8]) -> Result<Self, WireError> {
        let mut fields = Fields::new(ERR, payload);
        let number = match (fields.byte()?, fields.u16()?) {
            (ERR, number) if number != PROGRESS => number,
            _ => return Err(WireError::BadValue { what: "ERR packet" }),
        };
        let state = match fields.peek() {
            Some(b'#') => {
                fields.byte()?;
                fields.chunk()?
            }
            _ => GENERAL_STATE,
        };
        Ok(Self { number, state, message: fields.rest() })
    }

    /// Appends it. Gives the sequence number of the next packet.
    pub fn write(&self, out: &mut Vec<u8>, sequence: u8) -> u8 {
        packet::put(out, sequence, |out| {
            out.push(ERR);
            out.extend(self.number.to_le_bytes());
            out.push(b'#');
            out.extend(self.state);
            // Spec: the server itself cuts at 512 bytes; clients keep as much.
            out.extend_from_slice(self.message);
        })
    }
}

/// The longest message of an error, in bytes: clients keep no more.
///
/// Spec: `MYSQL_ERRMSG_SIZE`.
pub const MESSAGE_MAX: usize = 511;

/// Appends a refusal as an error: message, detail and hint in one text, because there is no other place
/// for them. Gives the sequence number of the next packet.
pub fn refuse(out: &mut Vec<u8>, sequence: u8, refusal: &Refusal) -> u8 {
    let codes = refusal.kind.codes();
    let mut text = refusal.message.to_string();
    for more in [refusal.detail.as_deref(), refusal.hint.as_deref()].into_iter().flatten() {
        text.push_str(if text.ends_with(['.', ':', '!', '?']) { " " } else { ". " });
        text.push_str(more);
    }
    if text.len() > MESSAGE_MAX {
        let end = (0..=MESSAGE_MAX - 3).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
    let state = codes.mysql_sqlstate.as_bytes().try_into().unwrap_or(GENERAL_STATE);
    ErrPacket { number: codes.mysql_number, state, message: text.as_bytes() }.write(out, sequence)
}

/// One thing that has changed in a session.
///
/// Spec: `enum_session_state_type` in the server's `include/mysql_com.h`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change<'a> {
    /// A setting has this value now.
    Setting {
        /// Its name.
        name: &'a [u8],
        /// Its value, as text.
        value: &'a [u8],
    },
    /// Another schema.
    Schema(&'a [u8]),
    /// Something else has changed in the session, or not, as `1` and `0` say.
    Other,
    /// What would make the same transaction again, and what is open in it: one letter each.
    Transaction(&'a [u8]),
    /// A kind that isn't read here.
    Unread(u8),
}

/// What has changed, in order.
///
/// # Errors
/// It can't be read; nothing of it counts then.
pub fn changes(bytes: &[u8]) -> Result<Vec<Change<'_>>, WireError> {
    let mut fields = Fields::new(OK, bytes);
    let mut changes = Vec::new();
    while !fields.is_empty() {
        let kind = fields.byte()?;
        let mut inner = Fields::new(OK, fields.string()?);
        match kind {
            // MariaDB tells of several settings in one entry.
            0 => {
                while !inner.is_empty() {
                    changes.push(Change::Setting { name: inner.string()?, value: inner.string()? });
                }
            }
            1 => changes.push(Change::Schema(inner.string()?)),
            2 => {
                inner.string()?;
                changes.push(Change::Other);
            }
            5 => changes.push(Change::Transaction(inner.string()?)),
            _ => {
                inner.rest();
                changes.push(Change::Unread(kind));
            }
        }
        inner.end()?;
    }
    Ok(changes)
}

#[cfg(test)]
mod tests;
