//! The only way to write to an upstream once a session is logged in.
//!
//! What a client sent leaves as the bytes it came as: a message that carries a statement needs a
//! [`Clearance`], the few that carry none have a name in [`Relayed`]. What the gateway says itself
//! is a closed list, [`Control`]. There is no `write(bytes)`.

use std::{
    io,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite};

use super::sight;
use crate::{
    kernel::ids::StatementId,
    net::link::Link,
    trail::{Bar, Clearance, Passage, Progress},
    wire::pg::frontend,
};

/// A client's message that carries no statement and may pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relayed {
    /// Sync.
    Sync,
    /// Flush.
    Flush,
    /// Describe of a name that was judged when it was made.
    Describe,
    /// Close.
    Close,
    /// CopyData, CopyDone, CopyFail while a cleared copy may run.
    Copy,
}

/// Messages of the gateway's own, by which nothing else can be said: one closed list for each protocol.
pub trait Own: closed::List {
    /// Appends them.
    fn encode(&self, out: &mut Vec<u8>);
}

/// Messages of a client that carry no statement: one closed list for each protocol.
pub trait NoStatement: closed::List {}

/// Nobody outside of `upstream` makes another list.
pub(super) mod closed {
    pub trait List {}
}

impl closed::List for Control {}
impl closed::List for Relayed {}
impl NoStatement for Relayed {}

/// The gateway's own messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Control {
    /// A Flush, so that a held-back batch gets its answers.
    Flush,
    /// A message that must fail where a refused one stood: Execute of a portal that can't exist.
    Fail,
    /// Asks for the shape of a statement or portal that the gateway has not seen being made, so that
    /// the server's own error stands where the client's message stood.
    Absent {
        /// Which of the two.
        kind: frontend::NameKind,
        /// Its name, as the client gave it.
        name: Vec<u8>,
    },
    /// Asks for the header of a portal.
    Describe {
        /// Its name, as the client gave it.
        portal: Vec<u8>,
    },
    /// Asks for the header of a query that doesn't run.
    DescribeText {
        /// The query.
        query: String,
        /// With a Sync behind it.
        sync: bool,
    },
    /// A Sync of ours behind a [`Control::Fail`] that stands for a Query.
    Sync,
    /// Opens or closes the read-only wall for the transactions that follow.
    Wall {
        /// Writable from now on.
        open: bool,
        /// With Flush instead of Sync.
        flush: bool,
    },
    /// Makes an open transaction read-only.
    ReadOnlyTransaction {
        /// With Flush instead of Sync.
        flush: bool,
    },
    /// Goodbye.
    Terminate,
    /// Ends a COPY FROM STDIN whose right has ended: the server waits for its client, not for us.
    CopyFail,
    /// Names the session after its principal and the client's own application name.
    ApplicationName(String, Letters),
    /// Begins a transaction that takes the place of one which was lost with its connection.
    Begin,
    /// Asks which schemas are in force, and how texts are read: inside a batch the server tells of settings
    /// only when it ends. `flush`: inside a batch, answered without ending it.
    AskPath {
        /// With Flush instead of Sync.
        flush: bool,
        /// The database is `SQL_ASCII`, whose names have no other encoding.
        whole: bool,
        /// What relations of these names are is asked too; see [`sight::question`].
        names: Vec<String>,
    },
}

/// How a text of the gateway's own holds letters beyond ASCII: the server takes it for the client's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Letters {
    /// The client's encoding is UTF-8, as ours.
    AsTheyAre,
    /// It is another one, and the server keeps texts in UTF-8: by their bytes.
    Escaped,
    /// Not at all: no way of writing them is known to be right.
    QuestionMarks,
}

/// Statements and portals of names that begin so are the gateway's: a client's are refused.
pub const RESERVED_PREFIX: &str = "hallpass.";

/// A portal that never exists, because no client can make one of that name.
const NO_PORTAL: &str = "hallpass.refused";

/// The name of our own statements; closed again at once.
const OWN_NAME: &str = "hallpass.own";

impl Control {
    /// The text that the server will run, for the record; `None` for messages without one.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Flush
            | Self::Fail
            | Self::Absent { .. }
            | Self::Describe { .. }
            | Self::DescribeText { .. }
            | Self::Sync
            | Self::Terminate
            | Self::CopyFail => None,
            Self::Wall { open: true, .. } => {
                Some("SET default_transaction_read_only = off".to_owned())
            }
            Self::Wall { open: false, .. } => {
                Some("SET default_transaction_read_only = on".to_owned())
            }
            Self::ReadOnlyTransaction { .. } => Some("SET TRANSACTION READ ONLY".to_owned()),
            Self::ApplicationName(name, letters) => {
                Some(format!("SET application_name = {}", quote_literal(name, *letters)))
            }
            Self::Begin => Some("BEGIN".to_owned()),
            Self::AskPath { whole, names, .. } => {
                // Digits, because a schema's name may have no equivalent in the client's encoding: then
                // the server would answer with an error.
                let encoding = if *whole { "SQL_ASCII" } else { "UTF8" };
                Some(format!(
                    "SELECT pg_catalog.encode(pg_catalog.convert_to(\
                     pg_catalog.current_schemas(true)::pg_catalog.text, '{encoding}'), 'hex'), \
                     pg_catalog.current_setting('client_encoding'), \
                     pg_catalog.current_setting('standard_conforming_strings'), {}",
                    sight::question(names)
                ))
            }
        }
    }

    /// A statement of ours under a name of ours: a Query would take the client's unnamed statement
    /// away, and end its batch.
    fn run(&self, out: &mut Vec<u8>, flush: bool) {
        let name = OWN_NAME.as_bytes();
        frontend::parse(out, name, &self.text().unwrap_or_default(), &[]);
        frontend::bind(out, name, name, &[]);
        frontend::execute(out, name, 0);
        frontend::close(out, frontend::NameKind::Portal, name);
        frontend::close(out, frontend::NameKind::Statement, name);
        if flush {
            frontend::flush(out);
        } else {
            frontend::sync(out);
        }
    }
}

impl Own for Control {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Flush => frontend::flush(out),
            Self::Fail => frontend::execute(out, NO_PORTAL.as_bytes(), 0),
            Self::Absent { kind, name } => frontend::describe(out, *kind, name),
            Self::Describe { portal } => {
                frontend::describe(out, frontend::NameKind::Portal, portal);
            }
            Self::DescribeText { query, sync } => {
                let name = OWN_NAME.as_bytes();
                frontend::parse(out, name, query, &[]);
                frontend::describe(out, frontend::NameKind::Statement, name);
                frontend::close(out, frontend::NameKind::Statement, name);
                if *sync {
                    frontend::sync(out);
                }
            }
            Self::Sync => frontend::sync(out),
            Self::Terminate => frontend::terminate(out),
            Self::CopyFail => frontend::copy_fail(out, "the right to write has ended"),
            Self::ApplicationName(..) | Self::Begin => self.run(out, false),
            Self::Wall { flush, .. }
            | Self::ReadOnlyTransaction { flush }
            | Self::AskPath { flush, .. } => self.run(out, *flush),
        }
    }
}

/// A literal that reads the same whatever `standard_conforming_strings` says: backslashes are
/// written in the escape form.
fn quote_literal(text: &str, letters: Letters) -> String {
    let doubled = text.replace('\'', "''").replace('\0', "");
    let escapes = doubled.contains('\\') || letters == Letters::Escaped && !doubled.is_ascii();
    if !escapes && letters == Letters::AsTheyAre {
        return format!("'{doubled}'");
    }
    let mut out = String::with_capacity(doubled.len().saturating_add(3));
    out.push_str(if escapes { "E'" } else { "'" });
    for c in doubled.chars() {
        match letters {
            _ if c == '\\' => out.push_str("\\\\"),
            Letters::Escaped if !c.is_ascii() => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    out.push_str(&format!("\\x{byte:02x}"));
                }
            }
            Letters::QuestionMarks if !c.is_ascii() => out.push('?'),
            Letters::AsTheyAre | Letters::Escaped | Letters::QuestionMarks => out.push(c),
        }
    }
    out.push('\'');
    out
}

/// Client to upstream: bytes that came in, on their way out as they are.
///
/// Invariant: while `bar` is set, nothing leaves.
#[derive(Debug)]
pub struct Door {
    link: Link,
    bar: Option<Barred>,
    progress: Arc<Progress>,
}

/// What waits for the trail.
#[derive(Debug)]
struct Barred {
    /// The record of the last statement that may leave, until it is known to be in its file.
    bar: Bar,
    /// The first statement that waits.
    first: StatementId,
}

impl Door {
    /// Starts with bytes that the client sent behind its log-in. `progress`: of the lane that the
    /// session's records go to.
    pub fn with_unread(bytes: &[u8], progress: Arc<Progress>) -> Self {
        Self { link: Link::with_unread(bytes), bar: None, progress }
    }

    /// The client's bytes that nobody has decided on.
    pub fn unread(&self) -> &[u8] {
        self.link.unread()
    }

    /// The client's next `count` bytes, a message that carries a statement, may leave as soon as its
    /// record is in the file.
    pub fn send_statement(&mut self, clearance: &Clearance, count: usize) {
        if let Some(bar) = clearance.bar() {
            // A later record's number is higher.
            let first = self.bar.as_ref().map_or(clearance.statement(), |barred| barred.first);
            self.bar = Some(Barred { bar, first });
        }
        self.link.approve(count);
    }

    /// Whether what waits may leave.
    pub fn passage(&mut self) -> Passage {
        let passage =
            self.bar.as_ref().map_or(Passage::Open, |barred| self.progress.passage(barred.bar));
        if passage == Passage::Open {
            self.bar = None;
        }
        passage
    }

    /// The client's next `count` bytes, a message that carries none, may leave.
    pub fn relay(&mut self, _what: impl NoStatement, count: usize) {
        self.link.approve(count);
    }

    /// The same for the header of a packet, under another sequence number: who compresses counts otherwise.
    pub fn relay_numbered(&mut self, _what: impl NoStatement, sequence: u8) {
        let Some([a, b, c, _]) = self.link.unread().first_chunk::<4>().copied() else { return };
        self.link.discard(4);
        self.link.inject().extend([a, b, c, sequence]);
    }

    /// The client's next `count` bytes go no further.
    pub fn discard(&mut self, count: usize) {
        self.link.discard(count);
    }

    /// The gateway's own message.
    pub fn send_control(&mut self, control: &impl Own) {
        control.encode(self.link.inject());
    }

    /// What waits to leave goes nowhere: the upstream that it was meant for is gone, or its record
    /// could not be written. Gives the first statement that was behind a bar.
    pub fn forget_waiting(&mut self) -> Option<StatementId> {
        self.link.forget_waiting();
        self.bar.take().map(|barred| barred.first)
    }

    /// True if something has to leave, or stays in the stream until it is told.
    pub fn is_owed(&self) -> bool {
        self.link.is_owed()
    }

    /// Bytes that wait to leave.
    pub fn waiting(&self) -> usize {
        self.link.waiting()
    }

    /// Reads from the client; see [`Link::poll_fill`].
    ///
    /// # Errors
    /// What the stream says.
    pub fn poll_fill<S: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut S,
        whole: usize,
    ) -> Poll<io::Result<usize>> {
        self.link.poll_fill(cx, client, whole)
    }

    /// Writes to the upstream; see [`Link::poll_flush`]. Pending without a wake-up while
    /// [`Door::passage`] isn't open.
    ///
    /// # Errors
    /// What the stream says.
    pub fn poll_flush<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        upstream: &mut S,
    ) -> Poll<io::Result<()>> {
        match self.passage() {
            Passage::Open => self.link.poll_flush(cx, upstream),
            Passage::Waits | Passage::Closed => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_name_can_not_leave_its_literal() {
        for (name, literal) in [
            ("alice/psql", "'alice/psql'"),
            ("x'; DROP TABLE y; --", "'x''; DROP TABLE y; --'"),
            ("x\\'; DROP TABLE y; --", "E'x\\\\''; DROP TABLE y; --'"),
        ] {
            assert_eq!(quote_literal(name, Letters::AsTheyAre), literal);
        }
        for (letters, literal) in [
            (Letters::AsTheyAre, "'é''s'"),
            (Letters::Escaped, "E'\\xc3\\xa9''s'"),
            (Letters::QuestionMarks, "'?''s'"),
        ] {
            assert_eq!(quote_literal("é's", letters), literal);
        }
    }

    #[test]
    fn our_own_names_are_reserved() {
        assert!(NO_PORTAL.starts_with(RESERVED_PREFIX) && OWN_NAME.starts_with(RESERVED_PREFIX));
    }
}
