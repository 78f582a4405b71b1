//! The gateway's own connection to an upstream: for catalogs, probes and ending other connections. Its
//! texts are the gateway's, constant but for numbers.

use std::time::Duration;

use tokio::time::timeout;

use super::{ConnectOptions, Connected, Wishes, connect, conversation::Conversation};
use crate::{
    upstream::{UpstreamError, server_error},
    wire::{
        WireError,
        mysql::{
            Capabilities, capability, command,
            response::{Kind, Reply, Response},
            row::TextRow,
        },
    },
};

/// A row of text cells; `None` is NULL.
pub type Row = Vec<Option<String>>;

/// A control connection.
#[derive(Debug)]
pub struct Control {
    conversation: Conversation,
    capabilities: Capabilities,
    version: String,
    connection: u32,
    state: State,
    patience: Duration,
}

/// Whether the next answer will be that of the next question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Ready,
    /// A question was broken off, or the peer broke the protocol.
    Broken,
}

/// The longest single payload of an answer.
const PAYLOAD_MAX: usize = 64 << 20;

/// The most bytes of an answer.
const ANSWER_MAX: usize = 512 << 20;

/// `utf8mb4_general_ci`, which all servers know.
const UTF8MB4: u8 = 45;

impl Control {
    /// Connects, known to the server as `hallpass/control`, and reads only. `patience` bounds each
    /// question.
    ///
    /// # Errors
    /// [`UpstreamError`].
    pub async fn connect(
        options: &ConnectOptions,
        patience: Duration,
    ) -> Result<Self, UpstreamError> {
        let wishes = Wishes {
            capabilities: capability::NEEDED | Capabilities::MYSQL | Capabilities::TRANSACTIONS,
            packet_max: 1 << 30,
            collation: UTF8MB4,
            schema: None,
            attributes: vec![(b"program_name".to_vec(), b"hallpass/control".to_vec())],
        };
        let mut control = Self::over(connect(options, &wishes).await?, patience);
        control.query("SET SESSION TRANSACTION READ ONLY").await?;
        // What is read must not depend on how a server reads texts by default.
        control.query("SET SESSION sql_mode = ''").await?;
        Ok(control)
    }

    /// Over a connection that is ready for its first command.
    pub fn over(connected: Connected, patience: Duration) -> Self {
        Self {
            conversation: Conversation::new(connected.stream, PAYLOAD_MAX),
            capabilities: connected.capabilities,
            version: connected.version,
            connection: connected.connection,
            state: State::Ready,
            patience,
        }
    }

    /// The server's version, as it says it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The number of this connection.
    pub fn connection(&self) -> u32 {
        self.connection
    }

    /// True until a question failed in a way that leaves the connection of no use.
    pub fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    /// Runs one statement and gives its rows. If the future is dropped before it is done, the connection is
    /// of no use any more.
    ///
    /// # Errors
    /// [`UpstreamError::Server`] if the server said no: the connection goes on. With all others it
    /// doesn't.
    pub async fn query(&mut self, sql: &str) -> Result<Vec<Row>, UpstreamError> {
        if self.state == State::Broken {
            return Err(WireError::NotLegalNow { what: "a question on a broken connection" }.into());
        }
        self.state = State::Broken;
        let answer = timeout(self.patience, self.ask(sql)).await;
        let answer = answer.map_err(|_| UpstreamError::TooSlow).flatten();
        if matches!(&answer, Ok(_) | Err(UpstreamError::Server(_))) {
            self.state = State::Ready;
        }
        answer
    }

    async fn ask(&mut self, sql: &str) -> Result<Vec<Row>, UpstreamError> {
        self.conversation.begin();
        let text = [&[command::QUERY], sql.as_bytes()].concat();
        self.conversation.send_bytes(&text).await?;
        let next = self.conversation.next();
        let mut response = Response::new(Kind::Result, next, self.capabilities);
        let (mut rows, mut columns, mut left) = (Vec::new(), 0, ANSWER_MAX);
        while !response.is_over() {
            let sequence = self.conversation.next();
            let payload = self.conversation.receive().await?;
            left = left.checked_sub(payload.len()).ok_or(WireError::TooLarge {
                tag: 0,
                length: ANSWER_MAX,
                limit: ANSWER_MAX,
            })?;
            let numbers = (sequence, self.conversation.next());
            match response.take_joined(&payload, numbers)? {
                Reply::Begins(count) => columns = count,
                Reply::Row => rows.push(row(&payload, columns)?),
                Reply::Failed(_) => return Err(server_error(&payload)),
                Reply::LocalFile(_) => {
                    return Err(WireError::NotLegalNow { what: "a request for a file" }.into());
                }
                Reply::Column(_)
                | Reply::ColumnsEnd(_)
                | Reply::RowsEnd(_)
                | Reply::Done(_)
                | Reply::Parameter(_)
                | Reply::Prepared(_)
                | Reply::Line(_) => {}
            }
        }
        Ok(rows)
    }
}

fn row(payload: &[u8], columns: u64) -> Result<Row, UpstreamError> {
    let mut cells = TextRow::new(payload);
    let mut row = Vec::new();
    for _ in 0..columns {
        let text = match cells.cell()? {
            None => None,
            Some(bytes) => Some(
                String::from_utf8(bytes.to_vec())
                    .map_err(|_| WireError::BadValue { what: "text of a cell" })?,
            ),
        };
        row.push(text);
    }
    cells.end()?;
    Ok(row)
}
