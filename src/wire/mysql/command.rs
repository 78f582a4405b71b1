//! What a client asks for. Every command byte has a name here; what isn't named is refused.
//!
//! Spec: `enum_server_command` in the server's `include/my_command.h`, and
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html>; MariaDB's own in
//! `include/mysql_com.h` and <https://mariadb.com/kb/en/2-com-commands/>.

use super::{
    Capabilities,
    execute::{Attribute, BulkExecute, Execute, attributes},
    field::Fields,
};
use crate::wire::WireError;

/// COM_QUERY.
pub const QUERY: u8 = 0x03;
/// COM_CHANGE_USER.
pub const CHANGE_USER: u8 = 0x11;
/// COM_STMT_PREPARE.
pub const PREPARE: u8 = 0x16;
/// COM_STMT_EXECUTE.
pub const EXECUTE: u8 = 0x17;
/// COM_STMT_SEND_LONG_DATA.
pub const LONG_DATA: u8 = 0x18;

/// The number that MariaDB's clients give to the statement that was prepared last.
pub const LAST_PREPARED: u32 = u32::MAX;

/// The longest argument of a command that names something, in bytes.
pub const NAME_MAX: usize = 1024;

/// One command.
#[derive(Clone, PartialEq, Debug)]
pub enum Command<'a> {
    /// COM_QUIT: goodbye, without an answer.
    Quit,
    /// COM_INIT_DB: another schema.
    InitDb(&'a [u8]),
    /// COM_QUERY.
    Query {
        /// Values that go along with it.
        attributes: Vec<Attribute<'a>>,
        /// Its statements.
        text: &'a [u8],
    },
    /// COM_FIELD_LIST: the columns of a table.
    FieldList {
        /// The table.
        table: &'a [u8],
        /// A pattern for their names.
        wildcard: &'a [u8],
    },
    /// COM_STATISTICS: a line about the server.
    Statistics,
    /// COM_PING.
    Ping,
    /// COM_RESET_CONNECTION: the session as it was after its log-in.
    ResetConnection,
    /// COM_CHANGE_USER: somebody else's log-in, in this connection.
    ChangeUser(&'a [u8]),
    /// COM_SET_OPTION: several statements in a command may, or may not, be sent from now on.
    SetOption(u16),
    /// COM_PROCESS_KILL: what `KILL n` is.
    Kill(u32),
    /// COM_STMT_PREPARE.
    Prepare(&'a [u8]),
    /// COM_STMT_EXECUTE.
    Execute(Execute<'a>),
    /// COM_STMT_BULK_EXECUTE of MariaDB.
    BulkExecute(BulkExecute<'a>),
    /// COM_STMT_SEND_LONG_DATA: a piece of a parameter, without an answer.
    LongData {
        /// The statement.
        statement: u32,
        /// Which of its parameters, from 0 on.
        parameter: u16,
        /// The piece.
        data: &'a [u8],
    },
    /// COM_STMT_FETCH: rows of an open cursor.
    Fetch {
        /// The statement that it belongs to.
        statement: u32,
        /// How many.
        rows: u32,
    },
    /// COM_STMT_RESET: its long data and its cursor are gone.
    Reset(u32),
    /// COM_STMT_CLOSE, without an answer.
    Close(u32),
    /// A command that exists and isn't offered.
    NotOffered(NotOffered),
}

/// Commands that are refused by name, each with its answer, so that the session goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is what the server calls it, and `name` says it")]
pub enum NotOffered {
    Sleep,
    CreateDb,
    DropDb,
    Refresh,
    Shutdown,
    ProcessInfo,
    Connect,
    Debug,
    Time,
    DelayedInsert,
    BinlogDump,
    TableDump,
    ConnectOut,
    RegisterReplica,
    Daemon,
    BinlogDumpGtid,
    Clone,
    SubscribeGroupReplication,
    ReplicaWorker,
    ReplicaIo,
    ReplicaSql,
    Multi,
}

impl NotOffered {
    /// As the server's source calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sleep => "COM_SLEEP",
            Self::CreateDb => "COM_CREATE_DB",
            Self::DropDb => "COM_DROP_DB",
            Self::Refresh => "COM_REFRESH",
            Self::Shutdown => "COM_SHUTDOWN",
            Self::ProcessInfo => "COM_PROCESS_INFO",
            Self::Connect => "COM_CONNECT",
            Self::Debug => "COM_DEBUG",
            Self::Time => "COM_TIME",
            Self::DelayedInsert => "COM_DELAYED_INSERT",
            Self::BinlogDump => "COM_BINLOG_DUMP",
            Self::TableDump => "COM_TABLE_DUMP",
            Self::ConnectOut => "COM_CONNECT_OUT",
            Self::RegisterReplica => "COM_REGISTER_SLAVE",
            Self::Daemon => "COM_DAEMON",
            Self::BinlogDumpGtid => "COM_BINLOG_DUMP_GTID",
            Self::Clone => "COM_CLONE",
            Self::SubscribeGroupReplication => "COM_SUBSCRIBE_GROUP_REPLICATION_STREAM",
            Self::ReplicaWorker => "COM_SLAVE_WORKER",
            Self::ReplicaIo => "COM_SLAVE_IO",
            Self::ReplicaSql => "COM_SLAVE_SQL",
            Self::Multi => "COM_MULTI",
        }
    }

    fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            0x00 => Self::Sleep,
            0x05 => Self::CreateDb,
            0x06 => Self::DropDb,
            0x07 => Self::Refresh,
            0x08 => Self::Shutdown,
            0x0a => Self::ProcessInfo,
            0x0b => Self::Connect,
            0x0d => Self::Debug,
            0x0f => Self::Time,
            0x10 => Self::DelayedInsert,
            0x12 => Self::BinlogDump,
            0x13 => Self::TableDump,
            0x14 => Self::ConnectOut,
            0x15 => Self::RegisterReplica,
            0x1d => Self::Daemon,
            0x1e => Self::BinlogDumpGtid,
            0x20 => Self::Clone,
            0x21 => Self::SubscribeGroupReplication,
            0xfb => Self::ReplicaWorker,
            0xfc => Self::ReplicaIo,
            0xfd => Self::ReplicaSql,
            0xfe => Self::Multi,
            _ => return None,
        })
    }
}

impl<'a> Command<'a> {
    /// Reads a whole payload. `capabilities`: what client and server have agreed on.
    ///
    /// # Errors
    /// An unknown command, or one that isn't whole or has something left. Parameters are not read here:
    /// what they are is known with their statement.
    pub fn read(payload: &'a [u8], capabilities: Capabilities) -> Result<Self, WireError> {
        let Some((&byte, rest)) = payload.split_first() else {
            return Err(WireError::Truncated { tag: 0 });
        };
        let mut fields = Fields::new(byte, rest);
        let command = match byte {
            0x01 => return Ok(Self::Quit),
            0x02 => Self::InitDb(fields.rest()),
            QUERY => {
                let attributes = if capabilities.has(Capabilities::QUERY_ATTRIBUTES) {
                    attributes(&mut fields)?
                } else {
                    Vec::new()
                };
                Self::Query { attributes, text: fields.rest() }
            }
            0x04 => Self::FieldList { table: fields.terminated()?, wildcard: fields.rest() },
            0x09 => Self::Statistics,
            0x0c => Self::Kill(fields.u32()?),
            0x0e => Self::Ping,
            CHANGE_USER => Self::ChangeUser(fields.rest()),
            PREPARE => Self::Prepare(fields.rest()),
            EXECUTE => Self::Execute(Execute::read(&mut fields)?),
            LONG_DATA => Self::LongData {
                statement: fields.u32()?,
                parameter: fields.u16()?,
                data: fields.rest(),
            },
            0x19 => Self::Close(fields.u32()?),
            0x1a => Self::Reset(fields.u32()?),
            0x1b => Self::SetOption(fields.u16()?),
            0x1c => Self::Fetch { statement: fields.u32()?, rows: fields.u32()? },
            0x1f => Self::ResetConnection,
            0xfa => Self::BulkExecute(BulkExecute::read(&mut fields)?),
            _ => {
                let known = NotOffered::of(byte).ok_or(WireError::UnknownTag { tag: byte })?;
                return Ok(Self::NotOffered(known));
            }
        };
        fields.end()?;
        Ok(command)
    }

    /// How long the payload of a command may be, in bytes. `text`: the limit of a statement's text;
    /// `parameters`: that of an execution's values. A client that passes it loses its session, as at a
    /// server whose `max_allowed_packet` it passes.
    pub fn length_max(byte: u8, text: usize, parameters: usize) -> usize {
        // Attributes of a query may stand before it.
        const ROOM: usize = 64 << 10;
        match byte {
            QUERY | PREPARE => text.saturating_add(ROOM),
            EXECUTE | LONG_DATA | 0xfa => parameters,
            CHANGE_USER => super::login::LENGTH_MAX,
            _ => NAME_MAX,
        }
    }

    /// True if the server says nothing to it.
    pub fn is_unanswered(&self) -> bool {
        match self {
            Self::Quit | Self::LongData { .. } | Self::Close(_) => true,
            Self::InitDb(_)
            | Self::Query { .. }
            | Self::FieldList { .. }
            | Self::Statistics
            | Self::Ping
            | Self::ResetConnection
            | Self::ChangeUser(_)
            | Self::SetOption(_)
            | Self::Kill(_)
            | Self::Prepare(_)
            | Self::Execute(_)
            | Self::BulkExecute(_)
            | Self::Fetch { .. }
            | Self::Reset(_)
            | Self::NotOffered(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLAIN: Capabilities = Capabilities::NONE;

    #[test]
    fn every_byte_is_a_command_is_refused_by_name_or_unknown() {
        let mut offered = 0;
        for byte in 0..=u8::MAX {
            let with_room = [&[byte][..], &[0; 64]].concat();
            match Command::read(&with_room, PLAIN) {
                Ok(Command::NotOffered(which)) => {
                    assert_eq!(NotOffered::of(byte), Some(which));
                    assert!(which.name().starts_with("COM_"));
                }
                Err(WireError::UnknownTag { tag }) => {
                    assert_eq!(tag, byte);
                    assert!(matches!(byte, 0x22..=0xf9 | 0xff), "{byte:#x}");
                }
                Ok(_) | Err(_) => {
                    assert_eq!(NotOffered::of(byte), None, "{byte:#x}");
                    offered += 1;
                }
            }
        }
        assert_eq!(offered, 17);
        assert!(Command::read(&[], PLAIN).is_err());
    }

    #[test]
    fn a_text_is_what_stands_behind_the_command() {
        let query = Command::read(b"\x03SELECT 1", PLAIN);
        assert_eq!(query, Ok(Command::Query { attributes: Vec::new(), text: b"SELECT 1" }));
        assert_eq!(Command::read(b"\x16SELECT ?", PLAIN), Ok(Command::Prepare(b"SELECT ?")));
        assert_eq!(Command::read(b"\x02shop", PLAIN), Ok(Command::InitDb(b"shop")));
        let listed = Command::read(b"\x04orders\0n%", PLAIN);
        assert_eq!(listed, Ok(Command::FieldList { table: b"orders", wildcard: b"n%" }));
    }

    #[test]
    fn attributes_stand_before_a_text_where_both_sides_have_them() {
        let both = Capabilities::QUERY_ATTRIBUTES;
        let none = Command::read(b"\x03\x00\x01SELECT 1", both);
        assert_eq!(none, Ok(Command::Query { attributes: Vec::new(), text: b"SELECT 1" }));
        let one = b"\x03\x01\x01\x00\x01\xfd\x00\x05trace\x03abcSELECT 1";
        let Ok(Command::Query { attributes, text }) = Command::read(one, both) else {
            panic!("a query")
        };
        assert_eq!((attributes.len(), attributes[0].name), (1, &b"trace"[..]));
        assert_eq!(text, b"SELECT 1");
        // Without them it is all text.
        assert!(matches!(
            Command::read(one, PLAIN),
            Ok(Command::Query { text, .. }) if text == &one[1..]
        ));
    }

    #[test]
    fn what_is_left_behind_a_command_is_refused() {
        for command in [&b"\x0ex"[..], b"\x09x", b"\x1fx", b"\x19\x01\0\0\0x", b"\x1b\0\0x"] {
            assert!(Command::read(command, PLAIN).is_err(), "{command:?}");
        }
    }

    proptest! {
        #[test]
        fn no_command_panics(bytes in prop::collection::vec(any::<u8>(), 0..80), attributes: bool) {
            let with = if attributes { Capabilities::QUERY_ATTRIBUTES } else { PLAIN };
            drop(Command::read(&bytes, with));
        }
    }
}
