//! The gateway's own connection to an upstream: for catalogs, probes and ending backends. Its texts
//! are the gateway's, constant but for numbers.

use std::time::Duration;

use tokio::time::timeout;

use super::{
    ConnectOptions, Connected, ServerError, UpstreamError, connect, conversation::Conversation,
};
use crate::wire::{
    WireError,
    pg::{
        backend::{self, DataRow},
        frontend,
    },
};

/// A row of text cells; `None` is NULL.
pub type Row = Vec<Option<String>>;

/// A control connection.
#[derive(Debug)]
pub struct Control {
    conversation: Conversation,
    parameters: Vec<(String, String)>,
    process: i32,
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

/// The longest single message of an answer.
const FRAME_MAX: usize = 64 << 20;

/// The most bytes of an answer.
const ANSWER_MAX: usize = 512 << 20;

impl Control {
    /// Connects, read-only and known to the server as `hallpass/control`. `patience` bounds each
    /// question.
    ///
    /// # Errors
    /// [`UpstreamError`].
    pub async fn connect(
        options: &ConnectOptions,
        patience: Duration,
    ) -> Result<Self, UpstreamError> {
        let parameters = [
            ("application_name", "hallpass/control"),
            ("client_encoding", "UTF8"),
            ("options", "-c default_transaction_read_only=on"),
        ];
        Ok(Self::over(connect(options, &parameters).await?, patience))
    }

    /// Over a connection that is ready for its first statement.
    pub fn over(connected: Connected, patience: Duration) -> Self {
        let conversation = Conversation::new(connected.stream, FRAME_MAX);
        let (parameters, process) = (connected.parameters, connected.process);
        Self { conversation, parameters, process, state: State::Ready, patience }
    }

    /// What the server reported of its settings at log-in.
    pub fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    /// The process that serves this connection.
    pub fn process(&self) -> i32 {
        self.process
    }

    /// True until a question failed in a way that leaves the connection of no use.
    pub fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    /// Runs a text and gives all rows of all its results. If the future is dropped before it is done,
    /// the connection is of no use any more.
    ///
    /// # Errors
    /// [`UpstreamError::Server`] if the server said no: the connection goes on. With all others it
    /// doesn't.
    pub async fn simple_query(&mut self, sql: &str) -> Result<Vec<Row>, UpstreamError> {
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

    /// Ends a backend by its process; false if there was none of that number.
    ///
    /// # Errors
    /// The gateway's log-in may not: it must be the same as the backend's, or a member of
    /// `pg_signal_backend`.
    pub async fn terminate(&mut self, process: i32) -> Result<bool, UpstreamError> {
        let sql = format!("SELECT pg_catalog.pg_terminate_backend({process})");
        let rows = self.simple_query(&sql).await?;
        Ok(matches!(rows.first().map(Vec::as_slice), Some([Some(done)]) if done == "t"))
    }

    /// True if a backend works, or nobody may see what it does; false if it waits for its client, or there
    /// is none of that number.
    ///
    /// # Errors
    /// As [`Control::simple_query`].
    pub async fn is_busy(&mut self, process: i32) -> Result<bool, UpstreamError> {
        let sql = format!(
            "SELECT state IS NULL OR state NOT LIKE 'idle%' FROM pg_catalog.pg_stat_activity \
             WHERE pid = {process}"
        );
        let rows = self.simple_query(&sql).await?;
        Ok(matches!(rows.first().map(Vec::as_slice), Some([Some(busy)]) if busy == "t"))
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        let mut out = Vec::new();
        frontend::terminate(&mut out);
        let _ = self.conversation.send(&out).await;
    }

    async fn ask(&mut self, sql: &str) -> Result<Vec<Row>, UpstreamError> {
        let mut out = Vec::new();
        frontend::query(&mut out, sql);
        self.conversation.send(&out).await?;
        let (mut rows, mut refused, mut budget) = (Vec::new(), None, ANSWER_MAX);
        loop {
            let message = self.conversation.receive().await?;
            budget = budget.checked_sub(message.frame.len()).ok_or(WireError::TooLarge {
                tag: message.tag,
                length: ANSWER_MAX,
                limit: ANSWER_MAX,
            })?;
            match message.tag {
                backend::DATA_ROW => rows.push(text_row(message.body())?),
                backend::ERROR_RESPONSE => {
                    let error = ServerError::read(message.body())?;
                    if error.severity != "ERROR" {
                        self.state = State::Broken;
                        return Err(WireError::NotLegalNow { what: "the server's end" }.into());
                    }
                    refused = Some(error);
                }
                backend::READY_FOR_QUERY => {
                    return match refused {
                        None => Ok(rows),
                        Some(error) => Err(UpstreamError::Server(Box::new(error))),
                    };
                }
                backend::COPY_IN_RESPONSE => {
                    out.clear();
                    frontend::copy_fail(&mut out, "not expected");
                    self.conversation.send(&out).await?;
                }
                backend::ROW_DESCRIPTION
                | backend::COMMAND_COMPLETE
                | backend::EMPTY_QUERY_RESPONSE
                | backend::NOTICE_RESPONSE
                | backend::NOTIFICATION_RESPONSE
                | backend::PARAMETER_STATUS
                | backend::COPY_OUT_RESPONSE
                | backend::COPY_DATA
                | backend::COPY_DONE => {}
                _ => return Err(WireError::NotLegalNow { what: "this answer" }.into()),
            }
        }
    }
}

fn text_row(body: &[u8]) -> Result<Row, WireError> {
    let text = |cell: &[u8]| {
        String::from_utf8(cell.to_vec()).map_err(|_| WireError::BadValue { what: "text cell" })
    };
    DataRow::new(body)?.iter().map(|cell| cell?.map(text).transpose()).collect()
}
