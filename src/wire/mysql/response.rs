//! Where in the answer to a command a server is: what its next packet means, and whether it is the last.
//!
//! A command is answered before the next one is read, so there is one [`Response`] for each command that is
//! answered, and those of commands that were sent ahead wait behind it.
//!
//! Pure: no socket, no clock.
//!
//! Spec: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html>.

use super::{
    Capabilities,
    command::Command,
    field::Fields,
    packet::{HEADER_LENGTH, Header, PART_MAX},
    reply::{self, EofPacket, ErrPacket, OkPacket, Status, is_end},
};
use crate::wire::WireError;

/// What a command is answered with.
///
/// Legal packets: `Done → OK | EOF | ERR`, `Line → text | ERR`,
/// `Result → (OK | file | count column+ EOF? row* (EOF | OK | ERR))+ | ERR`,
/// `Prepared → head (column+ EOF?)? (column+ EOF?)? | ERR`, `Rows → row* (EOF | OK) | ERR`,
/// `Listed → column* (EOF | OK) | ERR`. The EOF behind columns is left out under
/// [`Capabilities::DEPRECATE_EOF`]; with [`Status::MORE_RESULTS`] at its end a result is followed by
/// another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A word that it is done.
    Done,
    /// One line of text.
    Line,
    /// Results.
    Result,
    /// What a statement takes and gives.
    Prepared,
    /// Rows of a cursor.
    Rows,
    /// Columns of a table.
    Listed,
}

impl Kind {
    /// That of a command; `None`: the server says nothing to it, or it never reaches one.
    pub fn of(command: &Command<'_>) -> Option<Self> {
        Some(match command {
            Command::Quit
            | Command::LongData { .. }
            | Command::Close(_)
            | Command::ChangeUser(_)
            | Command::NotOffered(_) => return None,
            Command::InitDb(_)
            | Command::Ping
            | Command::ResetConnection
            | Command::SetOption(_)
            | Command::Kill(_)
            | Command::Reset(_) => Self::Done,
            Command::Statistics => Self::Line,
            Command::Query { .. } | Command::Execute(_) | Command::BulkExecute(_) => Self::Result,
            Command::Prepare(_) => Self::Prepared,
            Command::Fetch { .. } => Self::Rows,
            Command::FieldList { .. } => Self::Listed,
        })
    }
}

/// One packet of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply<'a> {
    /// A result begins that has so many columns.
    Begins(u64),
    /// A parameter of a statement that was prepared.
    Parameter(&'a [u8]),
    /// A column.
    Column(&'a [u8]),
    /// An end of columns, or of parameters.
    ColumnsEnd(EofPacket),
    /// A row, or the rest of a long one: the packet needn't be here whole.
    Row,
    /// The rows have ended.
    RowsEnd(Ended),
    /// It is done, and there were no rows.
    Done(OkPacket<'a>),
    /// It failed: nothing more comes.
    Failed(ErrPacket<'a>),
    /// The server wants this file of the client's.
    LocalFile(&'a [u8]),
    /// A statement was prepared.
    Prepared(Prepared),
    /// A line of text.
    Line(&'a [u8]),
}

/// How rows ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// The session's state.
    pub status: Status,
    /// How many warnings there are to be shown.
    pub warnings: u16,
}

/// The head of the answer to COM_STMT_PREPARE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prepared {
    /// The statement's number.
    pub statement: u32,
    /// How many columns it gives.
    pub columns: u16,
    /// How many parameters it takes.
    pub parameters: u16,
    /// How many warnings there are to be shown.
    pub warnings: u16,
}

/// The answer to one command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    state: State,
    capabilities: Capabilities,
    /// The sequence number that the server's next packet must have.
    next: u8,
    /// The packet before was as long as one can be: this one belongs to it.
    continues: bool,
    /// The same of the client's file.
    file_continues: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// A word, and then nothing.
    Done,
    Line,
    /// The first packet of a result.
    Result,
    /// So many columns follow.
    Columns(u64),
    /// The end of the columns.
    ColumnsEnd,
    Rows,
    /// The client sends a file: a word follows.
    File,
    /// It has sent all of it: whatever else comes from it is the next command.
    FileSent,
    /// The head of a statement that was prepared.
    Prepared,
    /// So many parameters follow, and then so many columns.
    Parameters(u16, u16),
    ParametersEnd(u16),
    /// So many columns follow.
    Gives(u16),
    GivesEnd,
    Listed,
    /// Nothing.
    Over,
}

impl Response {
    /// What is to come for a command of this kind. `next`: the sequence number behind the command's own
    /// packets; `capabilities`: what gateway and server have agreed on.
    pub fn new(kind: Kind, next: u8, capabilities: Capabilities) -> Self {
        let state = match kind {
            Kind::Done => State::Done,
            Kind::Line => State::Line,
            Kind::Result => State::Result,
            Kind::Prepared => State::Prepared,
            Kind::Rows => State::Rows,
            Kind::Listed => State::Listed,
        };
        Self { state, capabilities, next, continues: false, file_continues: false }
    }

    /// True if the last packet has come.
    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// The sequence number that the server's next packet must have.
    pub fn next(&self) -> u8 {
        self.next
    }

    /// True if the packet that comes belongs to the row before it.
    pub fn continues(&self) -> bool {
        self.continues
    }

    /// True if the server waits for a file of the client's.
    pub fn wants_file(&self) -> bool {
        self.state == State::File
    }

    /// The client sends a packet of its file, under the number that comes next. An empty one is the last.
    pub fn file_packet(&mut self, header: Header) {
        self.next = self.next.wrapping_add(1);
        if header.length == 0 && !self.file_continues && self.wants_file() {
            self.state = State::FileSent;
        }
        self.file_continues = header.is_continued();
    }

    /// True if a packet with this header and first byte is a row, or belongs to one: it may pass before all
    /// of it is here.
    #[inline]
    pub fn is_row(&self, header: Header, first: u8) -> bool {
        self.continues
            || self.state == State::Rows
                && first != reply::ERR
                && !is_end(first, header.length, self.capabilities)
    }

    /// Takes the next packet. `payload`: all of it, but for a row, of which nothing is read.
    ///
    /// # Errors
    /// A packet that has no place here: the two sides no longer mean the same thing.
    pub fn take<'a>(&mut self, header: Header, payload: &'a [u8]) -> Result<Reply<'a>, WireError> {
        if self.is_over() && !self.continues {
            return Err(WireError::NotLegalNow { what: "a packet" });
        }
        if header.sequence != self.next {
            return Err(WireError::BadValue { what: "packet order" });
        }
        self.next = self.next.wrapping_add(1);
        let first = payload.first().copied().unwrap_or_default();
        if self.is_row(header, first) {
            self.continues = header.is_continued();
            return Ok(Reply::Row);
        }
        if payload.len() != header.length || header.is_continued() {
            return Err(WireError::Truncated { tag: first });
        }
        if first == reply::ERR {
            self.state = State::Over;
            return ErrPacket::read(payload).map(Reply::Failed);
        }
        self.packet(first, payload)
    }

    /// Takes the whole rows at the beginning of these bytes, and gives their length with all headers. `each`
    /// is told the length of each row. Stops before whatever else comes, or isn't here whole.
    pub fn take_rows(&mut self, bytes: &[u8], mut each: impl FnMut(usize)) -> usize {
        let mut taken = 0_usize;
        if self.continues || self.state != State::Rows {
            return taken;
        }
        while let Some(rest) = bytes.get(taken..)
            && let Some(header) = Header::read(rest)
            && let Some(packet) = rest.get(..header.whole())
        {
            let first = packet.get(HEADER_LENGTH).copied().unwrap_or_default();
            let is_next = header.sequence == self.next && !header.is_continued();
            if !is_next || !self.is_row(header, first) {
                break;
            }
            each(header.length);
            self.next = self.next.wrapping_add(1);
            taken = taken.saturating_add(header.whole());
        }
        taken
    }

    /// Takes a payload whose packets have been joined. `next`: the number behind the last of them.
    ///
    /// # Errors
    /// As [`Response::take`].
    pub fn take_joined<'a>(
        &mut self,
        payload: &'a [u8],
        (sequence, next): (u8, u8),
    ) -> Result<Reply<'a>, WireError> {
        let header = Header { length: payload.len().min(PART_MAX), sequence };
        if !header.is_continued() {
            return self.take(header, payload);
        }
        let first = payload.first().copied().unwrap_or_default();
        if sequence != self.next || !self.is_row(header, first) {
            return Err(WireError::BadValue { what: "length of a packet" });
        }
        self.next = next;
        Ok(Reply::Row)
    }

    fn packet<'a>(&mut self, first: u8, payload: &'a [u8]) -> Result<Reply<'a>, WireError> {
        let deprecates = self.capabilities.has(Capabilities::DEPRECATE_EOF);
        match self.state {
            State::Done => self.word(first, payload),
            State::File | State::FileSent => {
                let reply = self.done(payload)?;
                Ok(Reply::Done(reply))
            }
            State::Line => {
                self.state = State::Over;
                Ok(Reply::Line(payload))
            }
            State::Result => match first {
                reply::OK => self.done(payload).map(Reply::Done),
                reply::LOCAL_FILE => {
                    self.state = State::File;
                    Ok(Reply::LocalFile(payload.get(1..).unwrap_or_default()))
                }
                _ => {
                    let mut fields = Fields::new(first, payload);
                    let count = fields.number()?;
                    fields.end()?;
                    if count == 0 || count > COLUMNS_MAX {
                        return Err(WireError::BadValue { what: "number of columns" });
                    }
                    self.state = State::Columns(count);
                    Ok(Reply::Begins(count))
                }
            },
            State::Columns(left) => {
                self.state = match left {
                    0 | 1 if deprecates => State::Rows,
                    0 | 1 => State::ColumnsEnd,
                    _ => State::Columns(left - 1),
                };
                Ok(Reply::Column(payload))
            }
            State::ColumnsEnd => {
                let end = EofPacket::read(payload)?;
                // Spec: the rows of a cursor stay where they are.
                if end.status.has(Status::CURSOR) {
                    self.ended(end.status);
                } else {
                    self.state = State::Rows;
                }
                Ok(Reply::ColumnsEnd(end))
            }
            State::Rows => self.rows_end(payload, deprecates).map(Reply::RowsEnd),
            State::Prepared => self.prepared(payload),
            State::Parameters(left, columns) => {
                self.state = match left {
                    0 | 1 if deprecates => gives(columns),
                    0 | 1 => State::ParametersEnd(columns),
                    _ => State::Parameters(left - 1, columns),
                };
                Ok(Reply::Parameter(payload))
            }
            State::ParametersEnd(columns) => {
                self.state = gives(columns);
                EofPacket::read(payload).map(Reply::ColumnsEnd)
            }
            State::Gives(left) => {
                self.state = match left {
                    0 | 1 if deprecates => State::Over,
                    0 | 1 => State::GivesEnd,
                    _ => State::Gives(left - 1),
                };
                Ok(Reply::Column(payload))
            }
            State::GivesEnd => {
                self.state = State::Over;
                EofPacket::read(payload).map(Reply::ColumnsEnd)
            }
            State::Listed if is_end(first, payload.len(), self.capabilities) => {
                self.rows_end(payload, deprecates).map(Reply::RowsEnd)
            }
            State::Listed => Ok(Reply::Column(payload)),
            State::Over => Err(WireError::NotLegalNow { what: "a packet" }),
        }
    }

    fn word<'a>(&mut self, first: u8, payload: &'a [u8]) -> Result<Reply<'a>, WireError> {
        // Spec: COM_SET_OPTION is answered by an EOF packet.
        if first == reply::EOF && !self.capabilities.has(Capabilities::DEPRECATE_EOF) {
            self.state = State::Over;
            let EofPacket { warnings, status } = EofPacket::read(payload)?;
            return Ok(Reply::RowsEnd(Ended { status, warnings }));
        }
        let ok = OkPacket::read(payload, self.capabilities)?;
        self.state = State::Over;
        Ok(Reply::Done(ok))
    }

    fn done<'a>(&mut self, payload: &'a [u8]) -> Result<OkPacket<'a>, WireError> {
        let ok = OkPacket::read(payload, self.capabilities)?;
        self.ended(ok.status);
        Ok(ok)
    }

    fn rows_end(&mut self, payload: &[u8], deprecates: bool) -> Result<Ended, WireError> {
        let ended = if deprecates {
            let ok = OkPacket::read(payload, self.capabilities)?;
            Ended { status: ok.status, warnings: ok.warnings }
        } else {
            let EofPacket { warnings, status } = EofPacket::read(payload)?;
            Ended { status, warnings }
        };
        self.ended(ended.status);
        Ok(ended)
    }

    fn ended(&mut self, status: Status) {
        self.state = if status.has(Status::MORE_RESULTS) { State::Result } else { State::Over };
    }

    fn prepared<'a>(&mut self, payload: &'a [u8]) -> Result<Reply<'a>, WireError> {
        let mut fields = Fields::new(reply::OK, payload);
        if fields.byte()? != reply::OK {
            return Err(WireError::BadValue { what: "answer to a preparation" });
        }
        let (statement, columns, parameters) = (fields.u32()?, fields.u16()?, fields.u16()?);
        fields.byte()?;
        // Spec: left out by old servers.
        let warnings = if fields.is_empty() { 0 } else { fields.u16()? };
        fields.end()?;
        self.state = match parameters {
            0 => gives(columns),
            count => State::Parameters(count, columns),
        };
        Ok(Reply::Prepared(Prepared { statement, columns, parameters, warnings }))
    }
}

/// The most columns a result can have.
///
/// Spec: `MAX_FIELDS` of the server is 4,096; what it makes for itself may have more.
const COLUMNS_MAX: u64 = 65_535;

fn gives(columns: u16) -> State {
    if columns == 0 { State::Over } else { State::Gives(columns) }
}

#[cfg(test)]
mod tests;
