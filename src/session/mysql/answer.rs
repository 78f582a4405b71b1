//! What the upstream owes, and what becomes of it.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::{
    kernel::{
        ids::StatementId,
        mask::Format,
        sql::{
            analysis::{Analysis, Batch},
            reading::StatementKind,
        },
    },
    session::result::Run,
    upstream::mysql::own::Word,
    wire::mysql::{
        Capabilities,
        cell::Shape,
        response::{Kind, Response},
    },
};

/// The answer to one command.
#[derive(Debug)]
pub(super) struct Answer {
    /// Where in it the upstream is.
    pub(super) response: Response,
    /// To what.
    pub(super) of: Of,
}

/// What is answered.
#[derive(Debug)]
pub(super) enum Of {
    /// A word of the gateway's own: nothing of it reaches the client.
    Own {
        /// It.
        word: Word,
        /// Its record.
        statement: StatementId,
        /// The cells of its row.
        row: Vec<Option<String>>,
    },
    /// A command without a statement, whose answer passes as it is.
    Plain,
    /// COM_RESET_CONNECTION.
    Reset,
    /// COM_STMT_PREPARE.
    Prepare(Box<Preparing>),
    /// A command that runs something.
    Runs(Box<Running>),
}

/// A statement that is being prepared.
#[derive(Debug)]
pub(super) struct Preparing {
    /// Its text.
    pub(super) text: Arc<str>,
    /// What it does.
    pub(super) batch: Arc<Batch>,
    /// Its record.
    pub(super) run: Run,
    /// What the server called it.
    pub(super) head: Option<crate::wire::mysql::response::Prepared>,
}

/// Statements that run.
#[derive(Debug)]
pub(super) struct Running {
    /// What they do.
    pub(super) batch: Arc<Batch>,
    /// Their text, if it is asked for again.
    pub(super) text: Box<str>,
    /// Their runs, in the same order, until they end.
    pub(super) runs: SmallVec<[Option<Run>; 1]>,
    /// Which one is next to end.
    pub(super) at: usize,
    /// The prepared statement that it is, by the server's number.
    pub(super) statement: Option<u32>,
    /// How rows are written.
    pub(super) format: Format,
    /// How many columns the result has, those that have come, and what is known of them.
    pub(super) columns: usize,
    pub(super) shapes: Vec<Shape>,
    pub(super) described: Vec<Seen>,
    /// The client has been told of an error, so that the rest is swallowed.
    pub(super) told: bool,
}

/// A column as its header has it, kept until all have come.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) name: Vec<u8>,
    pub(super) schema: Vec<u8>,
    pub(super) table: Vec<u8>,
    pub(super) column: Vec<u8>,
    pub(super) holds: crate::kernel::mask::ColumnType,
}

impl Answer {
    /// That to a word of ours.
    pub(super) fn own(word: Word, statement: StatementId, shared: Capabilities) -> Self {
        let of = Of::Own { word, statement, row: Vec::new() };
        Self { response: Response::new(Kind::Result, 1, shared), of }
    }
}

impl Running {
    /// Runs of a batch in one command.
    pub(super) fn new(
        (text, batch): (&str, Arc<Batch>),
        runs: SmallVec<[Option<Run>; 1]>,
        format: Format,
    ) -> Self {
        // Only what makes names, or shows messages, is asked for its text again.
        let is_asked = |a: &Arc<Analysis>| {
            matches!(a.kind, StatementKind::Prepare | StatementKind::ShowWarnings)
        };
        let text = if batch.statements.iter().any(is_asked) { text } else { "" };
        Self {
            text: text.into(),
            batch,
            runs,
            at: 0,
            statement: None,
            format,
            columns: 0,
            shapes: Vec::new(),
            described: Vec::new(),
            told: false,
        }
    }

    /// The one whose result comes now.
    pub(super) fn run(&mut self) -> Option<&mut Run> {
        self.runs.get_mut(self.at).and_then(Option::as_mut)
    }

    /// The same, to look at.
    pub(super) fn at_work(&self) -> Option<&Run> {
        self.runs.get(self.at).and_then(Option::as_ref)
    }

    /// What it does.
    pub(super) fn analysis(&self) -> Option<&Arc<Analysis>> {
        self.batch.statements.get(self.at)
    }

    /// A new result begins.
    pub(super) fn begins(&mut self, columns: u64) {
        self.columns = usize::try_from(columns).unwrap_or(usize::MAX);
        self.shapes.clear();
        self.described.clear();
        if let Some(run) = self.run() {
            run.plan = None;
        }
    }
}
