//! What goes on the trail for a session, and when: intents before anything leaves, outcomes at the next
//! ReadyForQuery, settlements at the end of a transaction.

use std::{sync::Arc, time::Duration};

use smallvec::SmallVec;

use super::{
    conversation::Conversation,
    owed::{Local, LocalRun, Ours, Tag},
};
use crate::{
    kernel::{
        access::Grant,
        audit::record::{Ended, IntentKind, Parameter, TransactionEnd},
        ids::StatementId,
        policy::Permit,
        refusal::Refusal,
        sql::analysis::{Analysis, Batch},
    },
    session::{
        budget::Meter,
        gate,
        names::{Names, Unused},
        records::{Finished, Known, Scribe},
        result::Run,
        transaction::Settling,
    },
    trail::Clearance,
    upstream::door::Control,
    wire::pg::exchange::{Step, Whose},
};

/// Finished statements that may wait; more are closed at once.
const FINISHED_MAX: usize = 64;
/// Bytes that are kept of a text that can't be kept as it is.
const BAD_TEXT_KEPT: usize = 4096;

impl Conversation {
    /// The hand that writes for this session.
    pub(super) fn scribe(&self) -> Scribe<'_> {
        Scribe {
            core: &self.core,
            handle: &self.facts.handle,
            now: self.now,
            target: &self.facts.target,
            mode: self.reading.mode,
        }
    }

    /// Puts a statement on the trail.
    ///
    /// # Errors
    /// The refusal that the client gets instead.
    pub(super) fn clear(
        &mut self,
        permit: Permit,
        what: (IntentKind, &str),
        known: Known<'_>,
        parameters: &[Parameter<'_>],
    ) -> Result<Clearance, Refusal> {
        let inner = known.1.and_then(|a| self.inner_of(a));
        self.scribe().clear(permit, what, (known, inner.as_deref()), parameters)
    }

    /// Puts the statements of one text on the trail, all or none.
    ///
    /// # Errors
    /// As [`Self::clear`].
    pub(super) fn clear_all(
        &self,
        permit: Permit,
        text: &str,
        batch: &Batch,
    ) -> Result<Clearance, Refusal> {
        let named: SmallVec<[_; 1]> = batch.statements.iter().map(|a| self.inner_of(a)).collect();
        self.scribe().clear_all(permit, (text, batch), &named)
    }

    /// Puts on the trail that a text was refused which can't be kept as it is: not UTF-8, or too long.
    pub(super) fn record_bad_text(&self, kind: IntentKind, bytes: &[u8], refusal: &Refusal) {
        let start = bytes.get(..BAD_TEXT_KEPT).unwrap_or(bytes);
        let text = self.client_text.read_lossy(start);
        self.scribe().bad_text(kind, (&text, bytes.len()), refusal);
    }

    /// The meter of a grant: kept at hand, because all cores share the one lock before it.
    fn meter(&mut self, grant: &Grant) -> Arc<Meter> {
        if let Some((_, meter)) = self.meters.iter().find(|(id, _)| *id == grant.id) {
            return Arc::clone(meter);
        }
        let meter = self.core.services.budgets.meter(grant);
        self.meters.push((grant.id, Arc::clone(&meter)));
        meter
    }

    /// Makes the run of a cleared statement.
    pub(super) fn start(
        &mut self,
        statement: StatementId,
        permit: &Permit,
        analysis: Option<&Analysis>,
    ) -> Run {
        let mut run = Run::new(statement, permit, self.now);
        run.class = analysis.map(|a| a.class);
        run.counts = analysis.is_none_or(|a| a.returns_user_rows);
        run.writes = analysis.is_none_or(|a| a.writes);
        run.renames = analysis.is_some_and(gate::renames);
        run.hide = analysis.and_then(|a| a.hidden.clone()).filter(|_| permit.hides());
        if let Some(analysis) = analysis {
            self.attach(&mut run, analysis);
        }
        self.mask_run(&mut run, analysis);
        if let Some(analysis) = analysis {
            self.note_taint(analysis);
        }
        if let Some(inner) = run.inner.as_ref().map(Arc::clone) {
            self.note_taint(&inner);
        }
        if run.renames {
            self.names.doubt();
        }
        if run.counts {
            run.grants = permit.grants().iter().map(|g| (g.id, self.meter(g))).collect();
        }
        for grant in permit.grant_ids() {
            self.transaction.used(grant);
        }
        run
    }

    /// A statement has ended: its record is closed at the next ReadyForQuery.
    pub(super) fn finish(&mut self, run: &Run, affected: Option<u64>, sqlstate: Option<[u8; 5]>) {
        run.settle_portal();
        if run.renames {
            // Names are no transaction's: however it has ended, its code may have run. Once more,
            // because what stood before it in its text has made names since it was sent.
            self.names.doubt();
        }
        let code = sqlstate.as_ref().and_then(|c| std::str::from_utf8(c).ok());
        self.transaction.ran(run.statement);
        let ended = run.ended(code);
        self.scribe().count_end(run, ended);
        self.finished.push(Finished::of(run, ended, affected, sqlstate));
        if self.finished.len() >= FINISHED_MAX {
            self.close_records();
        }
    }

    /// Closes the records of what was made and has gone before it ran.
    pub(super) fn adopt_orphans(&mut self) {
        if self.orphans.borrow().is_empty() {
            return;
        }
        for (statement, ended) in self.orphans.take() {
            self.transaction.ran(statement);
            self.finished.push(Finished {
                statement,
                ended,
                rows: 0,
                bytes: 0,
                affected: None,
                sqlstate: None,
                started: self.now,
                policy: Duration::ZERO,
            });
        }
    }

    /// Closes the record of a statement of our own. No transaction is settled for it.
    pub(super) fn close_own(&self, ours: Ours, ended: Ended, code: Option<[u8; 5]>) {
        let statement = match ours {
            Ours::Silent(statement) | Ours::Wall(statement) | Ours::Path(statement) => statement,
            Ours::LastWord | Ours::Rollback | Ours::Shape => return,
        };
        let sqlstate = code.as_ref().and_then(|c| std::str::from_utf8(c).ok());
        self.close_alone(statement, ended, sqlstate);
    }

    /// Closes the record of a call of `hallpass.*` that nobody gets the answer of.
    pub(super) fn close_local(&self, run: &LocalRun, ended: Ended) {
        self.close_alone(run.statement, ended, None);
    }

    /// Closes a record by itself: nothing of it was settled by a transaction.
    pub(super) fn close_alone(&self, statement: StatementId, ended: Ended, sqlstate: Option<&str>) {
        self.scribe().close_alone(statement, ended, sqlstate);
    }

    /// Closes the records of what has finished.
    pub(super) fn close_records(&mut self) {
        self.close_records_as(None);
    }

    fn close_records_as(&mut self, transaction: Option<TransactionEnd>) {
        let mut finished = std::mem::take(&mut self.finished);
        self.scribe().close(&mut finished, transaction);
        self.finished = finished;
    }

    /// Puts the end of a transaction on the trail.
    pub(super) fn settle(&mut self, settling: Option<Settling>) {
        self.close_records();
        if let Some(settling) = settling {
            self.scribe().settle(&settling);
        }
    }

    /// Puts the end of an implicit transaction on the trail. Where the records of all its statements
    /// are still open they say it themselves, and no other record is needed.
    pub(super) fn settle_implicit(&mut self, settling: Option<Settling>) {
        match settling {
            Some((transaction, statements))
                if statements.iter().eq(self.finished.iter().map(|done| &done.statement)) =>
            {
                self.close_records_as(Some(transaction));
            }
            other => self.settle(other),
        }
    }

    /// Sends a statement of the gateway's own, on record with its cause.
    ///
    /// # Errors
    /// The trail takes no record.
    pub(super) fn send_own(
        &mut self,
        control: Control,
        cause: &str,
    ) -> Result<StatementId, Refusal> {
        let text = control.text().unwrap_or_default();
        let statement = self.scribe().own(&text, cause)?;
        self.controls.push_back(control);
        Ok(statement)
    }

    /// The session ends: what still runs ends in a way that nobody knows; what didn't leave, from
    /// the statement `unsent` on, has not run.
    pub(super) fn abandon(&mut self, unsent: Option<StatementId>) {
        let ended = |statement: StatementId| {
            if unsent.is_some_and(|first| statement >= first) {
                Ended::Refused
            } else {
                Ended::Unknown
            }
        };
        // What is owed may have ended the transaction before the connection broke.
        let end = if self.exchange.iter().any(|owed| owed.whose == Whose::Client) {
            TransactionEnd::Unknown
        } else {
            TransactionEnd::RolledBack
        };
        self.close_records();
        for owed in self.exchange.take_all() {
            match owed.tag {
                Tag::Execute(execution) => {
                    let statement = execution.run.statement;
                    self.close_alone(statement, ended(statement), None);
                }
                Tag::Query(query) => {
                    for run in query.runs.iter().flatten() {
                        self.close_alone(run.statement, ended(run.statement), None);
                    }
                }
                Tag::Named(undo, run) => {
                    let bound = self.names.portal_of(&undo, []).and_then(|p| p.recorded.take());
                    let statement = bound.and_then(Unused::take);
                    for statement in statement.into_iter().chain(run.map(|run| run.statement)) {
                        self.close_alone(statement, ended(statement), None);
                    }
                }
                Tag::Ours(ours) if owed.step == Step::Execute => {
                    self.close_own(ours, Ended::Unknown, None);
                }
                Tag::Local(Local::Call(run)) => self.close_local(&run, Ended::Cancelled),
                Tag::Plain | Tag::Fail(_) | Tag::Absent(_) | Tag::Ours(_) | Tag::Local(_) => {}
            }
        }
        self.names = Names::default();
        self.adopt_orphans();
        self.close_records();
        if let Some(settling) = self.transaction.end(end) {
            self.scribe().settle(&settling);
        }
        self.core.lane_waits.notify_one();
    }
}
