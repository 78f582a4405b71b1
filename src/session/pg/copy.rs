//! Copy data of the client: what is relayed, what stops here.

use super::{
    conversation::{Conversation, Pass},
    owed::Tag,
};
use crate::{
    kernel::sql::analysis::Analysis,
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
        if ends {
            self.owe(Step::CopyEnd, Whose::Client, Tag::Plain);
        }
        Pass::Relay(Relayed::Copy)
    }

    pub(super) fn copy_may_run(&self) -> bool {
        use crate::kernel::sql::reading::StatementKind::CopyFromClient;
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
