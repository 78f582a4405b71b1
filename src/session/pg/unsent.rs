//! What was admitted and never sent, because its record could not be written after all.
//!
//! Intents of sessions that are awake together share one write. If it fails, nothing that stands
//! behind it has left: it is taken back and answered as if each message were refused just now, and
//! the session goes on. Only where it can't be told what has left does the session end.

use super::{
    End, Over, Relay,
    conversation::{Conversation, Pass, Pipeline},
    owed::{Local, Tag},
};
use crate::{
    kernel::{
        audit::record::Ended,
        ids::StatementId,
        refusal::{Refusal, RefusalKind},
    },
    session::{names::Unused, records::unwritten},
    upstream::door::Control,
    wire::pg::exchange::{Owed, Step, Whose},
};

impl Relay {
    /// Refuses all that waits to leave, and the statement `failed`, whose message is gone already.
    ///
    /// # Errors
    /// It can't be told what has left: the session ends.
    pub(super) fn refuse_unsent(&mut self, failed: Option<StatementId>) -> Result<(), Over> {
        let half_sent = self.from_client.is_some_and(|rest| rest.forward);
        // What was to follow it was the gateway's own.
        if half_sent || !self.talk.after.is_empty() || !self.talk.can_take_back() {
            return Err(End::Refused(unwritten()).into());
        }
        let first = self.door.forget_waiting().into_iter().chain(failed).min();
        if self.talk.take_back_unsent(first, &unwritten()) {
            Ok(())
        } else {
            Err(End::Refused(unwritten()).into())
        }
    }
}

impl Conversation {
    /// Everything that was let through has left.
    pub(super) fn all_sent(&mut self) {
        self.exchange.all_sent();
        self.sent = self.pipeline;
    }

    /// True if it is known what has not left, and nothing of it is the gateway's own.
    pub(super) fn can_take_back(&self) -> bool {
        let copies = self.exchange.is_copying_in() || self.exchange.has_strays();
        if copies || self.local_runs {
            return false;
        }
        self.exchange.unsent().is_some_and(|mut unsent| unsent.all(may_be_taken_back))
    }

    /// Takes back what has not left, from the statement `first` on, and answers it. False: what is
    /// to be answered can't be told.
    pub(super) fn take_back_unsent(
        &mut self,
        first: Option<StatementId>,
        refusal: &Refusal,
    ) -> bool {
        let unsent = self.exchange.take_back_unsent();
        let counts = refusal.kind == RefusalKind::TrailUnavailable;
        let mut steps = Vec::with_capacity(unsent.len());
        // The last name first, so that each finds what it had replaced.
        for owed in unsent.into_iter().rev() {
            let step = owed.step;
            steps.push((step, self.close_unsent(owed, (first, counts))));
        }
        self.adopt_orphans();
        let Pipeline { failed, number, discarding, .. } = self.pipeline;
        self.pipeline = Pipeline { failed, number, ..self.sent };
        // All of it may have been skipped already, behind an error of what had left.
        self.pipeline.discarding |= discarding && steps.is_empty();
        // A Flush of ours may have gone with the rest.
        self.hold_flushed = false;
        steps.into_iter().rev().all(|(step, answer)| self.answer_unsent(step, answer, refusal))
    }

    /// Closes the records of an entry that was taken back. Gives what was to be said in its place.
    fn close_unsent(
        &mut self,
        owed: Owed<Tag>,
        (first, counts): (Option<StatementId>, bool),
    ) -> Answer {
        let close = |talk: &Self, statement: StatementId| {
            // Of one that began to run before, a Bind for example, only the rest was not sent.
            let never = first.is_some_and(|first| statement >= first);
            let ended = if never { Ended::Refused } else { Ended::Cancelled };
            if counts {
                talk.core.counts.trail_refusal();
            }
            talk.close_alone(statement, ended, None);
        };
        match owed.tag {
            Tag::Query(query) => {
                for run in query.runs.iter().flatten() {
                    run.settle_portal();
                    close(self, run.statement);
                }
                Answer::No
            }
            Tag::Execute(execution) => {
                execution.run.settle_portal();
                close(self, execution.run.statement);
                Answer::No
            }
            Tag::Named(undo, run) => {
                let bound = self.names.portal_of(&undo, []).and_then(|p| p.recorded.take());
                let made = || self.names.statement_of(&undo, []).and_then(|p| p.recorded.take());
                let statement = bound.or_else(made).and_then(Unused::take);
                for statement in statement.into_iter().chain(run.map(|run| run.statement)) {
                    close(self, statement);
                }
                self.names.undo(undo, []);
                Answer::No
            }
            Tag::Fail(refusal) => Answer::OwnNo(refusal),
            Tag::Local(local) => Answer::Local(local),
            Tag::Plain | Tag::Ours(_) | Tag::Absent(_) => Answer::No,
        }
    }

    /// Answers a message that was taken back. What stands behind an error in its batch is skipped.
    fn answer_unsent(&mut self, step: Step, answer: Answer, refusal: &Refusal) -> bool {
        if step == Step::Sync {
            return match self.sync() {
                Pass::Relay(_) => {
                    self.controls.push_back(Control::Sync);
                    true
                }
                Pass::Drop => true,
                // It was let through before, and less is owed now.
                Pass::Hold | Pass::Statement(_) => false,
            };
        }
        match answer {
            Answer::Local(Local::Ready) => {
                self.pipeline.discarding = false;
                self.say_locally(Local::Ready);
            }
            Answer::Local(Local::Call(run)) if self.pipeline.discarding => {
                self.close_local(&run, Ended::Cancelled);
            }
            _ if self.pipeline.discarding => {}
            Answer::Local(local) => self.say_locally(local),
            Answer::No if step == Step::Query => self.refuse_query(refusal.clone()),
            Answer::No => self.refuse_message(refusal.clone()),
            Answer::OwnNo(own) => self.refuse_message(own),
        }
        true
    }

    fn say_locally(&mut self, local: Local) {
        self.owe(Step::Local, Whose::Client, Tag::Local(local));
    }
}

/// What a message that was taken back is answered with.
enum Answer {
    /// That the trail takes no record.
    No,
    /// It had been refused for a reason of its own.
    OwnNo(Refusal),
    /// What was to be said here.
    Local(Local),
}

fn may_be_taken_back(owed: &Owed<Tag>) -> bool {
    match &owed.tag {
        // What was told already, of a cut result for example, can't be told again.
        Tag::Plain
        | Tag::Named(..)
        | Tag::Query(_)
        | Tag::Execute(_)
        | Tag::Fail(_)
        | Tag::Local(_) => owed.whose != Whose::Gateway,
        // Whoever sent it for the gateway counts on its answer.
        Tag::Ours(_) | Tag::Absent(_) => false,
    }
}
