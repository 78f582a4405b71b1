//! What a session remembers with each reply that is owed.

use std::{rc::Rc, sync::Arc};

use crate::{
    kernel::{
        ids::StatementId,
        refusal::Refusal,
        sql::analysis::{Analysis, Batch, LocalCall},
        time::Timestamp,
    },
    session::{
        names::{Prepared, Undo},
        result::Run,
    },
    wire::pg::exchange::Owed,
};

/// What is remembered with an owed reply.
#[derive(Debug)]
pub(super) enum Tag {
    /// Nothing.
    Plain,
    /// A name that changed, to be taken back if the server refuses; and the run of a Parse that is
    /// on record by itself.
    Named(Undo, Option<Box<Run>>),
    /// A Query: its statements, those before `at` done.
    Query(QueryRun),
    /// An Execute.
    Execute(Box<Execution>),
    /// An error that takes the place of the upstream's.
    Fail(Refusal),
    /// A name that nobody knows: the upstream's own error is the answer. Should it know the name
    /// after all, this is.
    Absent(Refusal),
    /// A Query of our own.
    Ours(Ours),
    /// An answer of our own.
    Local(Local),
}

/// The statements of one Query.
#[derive(Debug)]
pub(super) struct QueryRun {
    /// What they do.
    pub(super) batch: Arc<Batch>,
    /// The text, if it makes names.
    pub(super) text: Option<Rc<str>>,
    /// Their runs, in the same order, until they end.
    pub(super) runs: Vec<Option<Run>>,
    /// Which one is next to end.
    pub(super) at: usize,
    /// The client has been told of an error, so that the rest is swallowed.
    pub(super) failed: bool,
    /// The tag of its COMMIT is replaced by this error.
    pub(super) poisoned: Option<Refusal>,
}

/// One Execute.
#[derive(Debug)]
pub(super) struct Execution {
    /// What it does; `None` for an empty statement.
    pub(super) analysis: Option<Arc<Analysis>>,
    /// What it was made from.
    pub(super) prepared: Rc<Prepared>,
    /// How far it is.
    pub(super) run: Run,
    /// The tag of its COMMIT is replaced by this error.
    pub(super) poisoned: Option<Refusal>,
}

/// What the gateway sent for itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ours {
    /// Its replies mean nothing.
    Silent(StatementId),
    /// It moves the wall.
    Wall(StatementId),
    /// Its one row is the search path.
    Path(StatementId),
    /// Its ReadyForQuery is the client's: it ends a refused Query or a cut result.
    LastWord,
    /// Its answer is the header of a portal whose rows are masked.
    Shape,
    /// The transaction that a right's end rolls back; its ReadyForQuery is swallowed.
    Rollback,
}

/// An answer of our own, to be given when it is its turn.
#[derive(Debug)]
pub(super) enum Local {
    /// These bytes.
    Say(Vec<u8>),
    /// A refusal; in the extended protocol what follows it is skipped.
    Refuse(Refusal),
    /// ReadyForQuery, with the status of then.
    Ready,
    /// A call of `hallpass.*`, its arguments, and how to write the answer.
    Call(Box<LocalRun>),
}

/// A call of `hallpass.*` in its place.
#[derive(Debug)]
pub(super) struct LocalRun {
    /// What is called.
    pub(super) call: LocalCall,
    /// Its parameters.
    pub(super) parameters: Vec<Option<String>>,
    /// Which result columns are wanted in binary: none, one for all, or one each.
    pub(super) binary: Vec<bool>,
    /// With RowDescription and ReadyForQuery: a Query, not an Execute.
    pub(super) simple: bool,
    /// Its record.
    pub(super) statement: StatementId,
    /// The text, for what changes nothing but must be known: application names.
    pub(super) started: Timestamp,
}

/// True if it is a result that has been cut.
pub(super) fn is_cut(owed: &Owed<Tag>) -> bool {
    match &owed.tag {
        Tag::Execute(execution) => execution.run.cut.is_some(),
        Tag::Query(query) => query.runs.iter().flatten().any(|run| run.cut.is_some()),
        Tag::Plain
        | Tag::Named(..)
        | Tag::Fail(_)
        | Tag::Absent(_)
        | Tag::Ours(_)
        | Tag::Local(_) => false,
    }
}
