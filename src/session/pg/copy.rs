//! Copy data of the client: what is relayed, what stops here.

use super::{
    conversation::{Conversation, Pass},
    owed::Tag,
};
use crate::{
    kernel::sql::{analysis::Analysis, reading::StatementKind::CopyFromClient},
    upstream::door::Relayed,
    wire::pg::exchange::{Step, Whose},
};

impl Conversation {
    /// CopyData, CopyDone and CopyFail pass while a cleared COPY FROM STDIN may be running; at any
    /// other time the server would ignore them, so they stop here.
    pub(super) fn copy(&mut self, ends: bool) -> Pass {
        if !self.copy_may_run() {
            return Pass::Drop;
        }
        let step = if ends { Step::CopyEnd } else { Step::CopyData };
        self.owe(step, Whose::Client, Tag::Plain);
        Pass::Relay(Relayed::Copy)
    }

    /// The server reads copy data. It ignores the Sync behind the Execute that began it, so the batch is
    /// open again until one comes behind the data, whether the copy still runs then or not.
    pub(super) fn copy_begins(&mut self) {
        let of_execute = self.exchange.front().is_some_and(|owed| owed.step == Step::Execute);
        if of_execute && !self.exchange.iter().any(|owed| owed.step == Step::Sync) {
            self.pipeline.open = true;
        }
    }

    /// True if a statement under way may be a COPY FROM STDIN: what is not understood, too.
    pub(super) fn copy_may_run(&self) -> bool {
        let is_copy = |analysis: &Analysis| analysis.kind == CopyFromClient || analysis.writes;
        self.exchange.iter().any(|owed| match &owed.tag {
            Tag::Execute(execution) => execution.analysis.as_deref().is_some_and(is_copy),
            Tag::Query(query) => query.batch.statements.iter().any(|a| is_copy(a)),
            Tag::Plain
            | Tag::Named(..)
            | Tag::Fail(_)
            | Tag::Absent(_)
            | Tag::Ours(_)
            | Tag::Local(_) => false,
        })
    }
}
