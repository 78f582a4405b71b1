//! What goes on the trail for a session, and when: intents before anything leaves, outcomes at the next
//! ReadyForQuery, settlements at the end of a transaction.

use std::{sync::Arc, time::Duration};

use smallvec::{SmallVec, smallvec};

use super::{
    conversation::{Conversation, trail_refusal},
    owed::{Finished, Local, LocalRun, Ours, Tag},
};
use crate::{
    kernel::{
        access::Grant,
        audit::record::{
            Decided, Ended, Intent, IntentKind, Outcome, Parameter, Settled, TransactionEnd,
        },
        ids::StatementId,
        policy::Permit,
        refusal::Refusal,
        sql::analysis::{Analysis, Batch},
    },
    session::{
        budget::Meter,
        gate,
        names::{Names, Unused},
        result::Run,
        transaction::Settling,
    },
    telemetry::metrics::StatementOutcome,
    trail::{Clearance, TrailError},
    upstream::door::Control,
    wire::pg::exchange::{Step, Whose},
};

/// Finished statements that may wait; more are closed at once.
const FINISHED_MAX: usize = 64;
/// Bytes that are kept of a text that can't be kept as it is.
const BAD_TEXT_KEPT: usize = 4096;

impl Conversation {
    /// Puts a statement on the trail.
    ///
    /// # Errors
    /// The refusal that the client gets instead.
    pub(super) fn clear(
        &mut self,
        permit: Permit,
        (kind, text): (IntentKind, &str),
        (fingerprint, analysis): (&str, Option<&Analysis>),
        parameters: &[Parameter<'_>],
    ) -> Result<Clearance, Refusal> {
        let inner = analysis.and_then(|a| self.inner_of(a));
        let mut intent = self.intent(kind, text, (fingerprint, analysis), parameters);
        runs(&mut intent, inner.as_deref());
        let cleared = self.core.lane.borrow_mut().admit(permit, &intent);
        cleared
            .inspect(|_| self.core.counts.statement(intent.class, StatementOutcome::Permit))
            .map_err(|error| self.trail_refuses(&error))
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
        let fingerprint = &*batch.fingerprint;
        let of =
            |part, analysis| self.intent(IntentKind::Query, part, (fingerprint, analysis), &[]);
        let named: SmallVec<[_; 1]> = batch.statements.iter().map(|a| self.inner_of(a)).collect();
        let mut intents: SmallVec<[Intent<'_>; 1]> = match batch.statements.as_slice() {
            // An empty text is sent too, and answered.
            [] => smallvec![of(text, None)],
            [only] => smallvec![of(text, Some(&**only))],
            several => {
                let part = |a: &Analysis| text.get(a.span.clone()).unwrap_or(text);
                several.iter().map(|a| of(part(a), Some(&**a))).collect()
            }
        };
        for (intent, named) in intents.iter_mut().zip(&named) {
            runs(intent, named.as_deref());
        }
        let cleared = self.core.lane.borrow_mut().admit_all(permit, &intents);
        let count = |_: &Clearance| {
            for intent in &intents {
                self.core.counts.statement(intent.class, StatementOutcome::Permit);
            }
        };
        cleared.inspect(count).map_err(|error| self.trail_refuses(&error))
    }

    /// Puts a call of `hallpass.*` on the trail.
    ///
    /// # Errors
    /// The refusal that the client gets instead.
    pub(super) fn record_local(
        &self,
        permit: &Permit,
        text: &str,
        what: (&str, Option<&Analysis>),
        parameters: &[Parameter<'_>],
    ) -> Result<StatementId, Refusal> {
        let intent = self.intent(IntentKind::Local, text, what, parameters);
        let recorded = self.core.lane.borrow_mut().admit_local(permit, &intent);
        recorded
            .inspect(|_| self.core.counts.statement(intent.class, StatementOutcome::Permit))
            .map_err(|error| self.trail_refuses(&error))
    }

    fn trail_refuses(&self, error: &TrailError) -> Refusal {
        self.core.counts.trail_refusal();
        trail_refusal(error)
    }

    /// Puts a no on the trail. If that fails the no stands all the same.
    pub(super) fn record_no(
        &self,
        kind: IntentKind,
        text: &str,
        what: (&str, Option<&Analysis>),
        decided: &Decided<'_>,
    ) {
        self.record_no_of(&self.intent(kind, text, what, &[]), decided);
    }

    /// Puts on the trail that a text was refused which can't be kept as it is: not UTF-8, or too long.
    pub(super) fn record_bad_text(&self, kind: IntentKind, bytes: &[u8], refusal: &Refusal) {
        let start = bytes.get(..BAD_TEXT_KEPT).unwrap_or(bytes);
        let text = self.client_text.read_lossy(start);
        let inexact = Some(bytes.len() as u64);
        let intent = Intent { inexact, ..self.intent(kind, &text, ("", None), &[]) };
        self.record_no_of(&intent, &Decided::Refusal(refusal));
    }

    fn record_no_of(&self, intent: &Intent<'_>, decided: &Decided<'_>) {
        self.core.counts.statement(intent.class, StatementOutcome::Deny);
        let mut lane = self.core.lane.borrow_mut();
        let recorded = match decided {
            Decided::Denial(denial) => lane.deny(intent, denial),
            Decided::Refusal(refusal) => lane.refuse(intent, refusal),
            // A yes is put on record by `clear`.
            Decided::Permit(_) | Decided::Gateway { .. } => return,
        };
        if let Err(error) = recorded {
            tracing::error!(error = %error, "the trail takes no record of a refusal");
        }
    }

    fn intent<'a>(
        &'a self,
        kind: IntentKind,
        text: &'a str,
        (fingerprint, analysis): (&'a str, Option<&'a Analysis>),
        parameters: &'a [Parameter<'a>],
    ) -> Intent<'a> {
        self.facts.handle.activity.begins(self.now);
        Intent {
            time: self.now,
            session: self.facts.handle.id,
            principal: self.facts.handle.principal.as_str(),
            target: self.facts.handle.target.as_str(),
            kind,
            text,
            inexact: None,
            normalized: None,
            fingerprint,
            class: analysis.map(|a| a.class),
            relations: analysis.map(|a| a.relations.as_slice()).unwrap_or_default(),
            routines: analysis.map(|a| a.routines.as_slice()).unwrap_or_default(),
            masked: analysis.and_then(|a| a.masked.as_deref()),
            parameters,
        }
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
        self.count_end(run, ended);
        self.finished.push(Finished {
            statement: run.statement,
            ended,
            rows: run.rows,
            bytes: run.bytes,
            affected,
            sqlstate,
            started: run.started,
            policy: run.policy,
        });
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
        self.core.lane.borrow_mut().outcome(&Outcome {
            time: self.now,
            session: self.facts.handle.id,
            statement,
            ended,
            rows: 0,
            affected: None,
            bytes: 0,
            sqlstate,
            policy: Duration::ZERO,
            upstream: Duration::ZERO,
            transaction: None,
        });
        self.core.lane_waits.notify_one();
    }

    fn count_end(&self, run: &Run, ended: Ended) {
        let counts = &self.core.counts;
        counts.rows(run.rows, run.bytes);
        match ended {
            Ended::Completed | Ended::Refused => {}
            Ended::Error => counts.statement(run.class, StatementOutcome::Error),
            Ended::Cancelled | Ended::Cut | Ended::Unknown => {
                counts.statement(run.class, StatementOutcome::Terminate);
            }
        }
    }

    /// Closes the records of what has finished.
    pub(super) fn close_records(&mut self) {
        self.close_records_as(None);
    }

    fn close_records_as(&mut self, transaction: Option<TransactionEnd>) {
        if self.finished.is_empty() {
            return;
        }
        let mut lane = self.core.lane.borrow_mut();
        for done in self.finished.drain(..) {
            lane.outcome(&Outcome {
                time: self.now,
                session: self.facts.handle.id,
                statement: done.statement,
                ended: done.ended,
                rows: done.rows,
                affected: done.affected,
                bytes: done.bytes,
                sqlstate: done.sqlstate.as_ref().and_then(|c| std::str::from_utf8(c).ok()),
                policy: done.policy,
                upstream: self.now.since(done.started),
                transaction,
            });
        }
        self.core.lane_waits.notify_one();
    }

    /// Puts the end of a transaction on the trail.
    pub(super) fn settle(&mut self, settling: Option<Settling>) {
        self.close_records();
        let Some((transaction, statements)) = settling else { return };
        self.core.lane.borrow_mut().settled(&Settled {
            time: self.now,
            session: self.facts.handle.id,
            transaction,
            statements: &statements,
        });
        self.core.lane_waits.notify_one();
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
        let intent = self.intent(IntentKind::Gateway, &text, ("", None), &[]);
        let recorded = self.core.lane.borrow_mut().admit_gateway(&intent, cause);
        let clearance = recorded.map_err(|error| self.trail_refuses(&error))?;
        self.controls.push_back(control);
        Ok(clearance.statement())
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
        let (session, now) = (self.facts.handle.id, self.now);
        let mut lane = self.core.lane.borrow_mut();
        if let Some((transaction, statements)) = self.transaction.end(end) {
            lane.settled(&Settled { time: now, session, transaction, statements: &statements });
        }
        self.core.lane_waits.notify_one();
    }
}

/// Adds to an EXECUTE or FETCH what the named statement or cursor reads.
fn runs<'a>(intent: &mut Intent<'a>, named: Option<&'a Analysis>) {
    let Some(named) = named else { return };
    if intent.relations.is_empty() {
        intent.relations = &named.relations;
    }
    if intent.routines.is_empty() {
        intent.routines = &named.routines;
    }
    intent.masked = named.masked.as_deref().or(intent.masked);
}
