//! What one session puts on the trail, and when: intents before anything leaves, outcomes when it is known
//! how statements have ended, settlements at the end of a transaction. The same for both protocols.

use std::{sync::Arc, time::Duration};

use smallvec::{SmallVec, smallvec};

use super::{
    result::Run,
    services::{Core, Target},
    signal::SessionHandle,
    transaction::Settling,
};
use crate::{
    kernel::{
        audit::record::{
            Decided, Ended, Intent, IntentKind, Outcome, Parameter, Settled, TransactionEnd,
        },
        ids::StatementId,
        policy::Permit,
        refusal::{Refusal, RefusalKind},
        sql::{
            analysis::{Analysis, Batch, StatementClass},
            constants::Guard,
            mode::LexMode,
        },
        time::Timestamp,
    },
    telemetry::metrics::StatementOutcome,
    trail::{Clearance, TrailError},
};

/// The hand that writes for a session.
#[derive(Clone, Copy, Debug)]
pub struct Scribe<'s> {
    /// Whose lane it is.
    pub core: &'s Core,
    /// Whose session.
    pub handle: &'s SessionHandle,
    /// What time it is.
    pub now: Timestamp,
    /// Where it is.
    pub target: &'s Target,
    /// How its texts are read now.
    pub mode: LexMode,
}

/// A statement that has ended and whose record is still open.
#[derive(Debug)]
pub struct Finished {
    /// It.
    pub statement: StatementId,
    /// How.
    pub ended: Ended,
    /// Rows that it returned.
    pub rows: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Rows that it changed.
    pub affected: Option<u64>,
    /// The upstream's code, if it failed.
    pub sqlstate: Option<[u8; 5]>,
    /// When it was judged.
    pub started: Timestamp,
    /// How long that took.
    pub policy: Duration,
}

impl Finished {
    /// What there is to say of a run that has ended so.
    pub fn of(run: &Run, ended: Ended, affected: Option<u64>, sqlstate: Option<[u8; 5]>) -> Self {
        Self {
            statement: run.statement,
            ended,
            rows: run.rows,
            bytes: run.bytes,
            affected,
            sqlstate,
            started: run.started,
            policy: run.policy,
        }
    }
}

/// What a statement is called on record: its fingerprint, and what it does if that is known.
pub type Known<'a> = (&'a str, Option<&'a Analysis>);

impl<'s> Scribe<'s> {
    /// Puts a statement on the trail. `named`: what it runs by a name.
    ///
    /// # Errors
    /// The refusal that the client gets instead.
    pub fn clear(
        &self,
        permit: Permit,
        (kind, text): (IntentKind, &str),
        (known, named): (Known<'_>, Option<&Analysis>),
        parameters: &[Parameter<'_>],
    ) -> Result<Clearance, Refusal> {
        let mut intent = self.intent(kind, text, known, parameters);
        runs(&mut intent, named);
        let cleared = self.core.lane.borrow_mut().admit(permit, &intent);
        cleared
            .inspect(|_| self.core.counts.statement(intent.class, StatementOutcome::Permit))
            .map_err(|error| self.trail_refuses(&error))
    }

    /// Puts the statements of one text on the trail, all or none. `named`: what each runs by a name.
    ///
    /// # Errors
    /// The refusal that the client gets instead.
    pub fn clear_all(
        &self,
        permit: Permit,
        (text, batch): (&str, &Batch),
        named: &[Option<Arc<Analysis>>],
    ) -> Result<Clearance, Refusal> {
        let fingerprint = &*batch.fingerprint;
        let of =
            |part, analysis| self.intent(IntentKind::Query, part, (fingerprint, analysis), &[]);
        let mut intents: SmallVec<[Intent<'_>; 1]> = match batch.statements.as_slice() {
            // An empty text is sent too, and answered.
            [] => smallvec![of(text, None)],
            [only] => smallvec![of(text, Some(&**only))],
            several => {
                let part = |a: &Analysis| text.get(a.span.clone()).unwrap_or(text);
                several.iter().map(|a| of(part(a), Some(&**a))).collect()
            }
        };
        for (intent, named) in intents.iter_mut().zip(named) {
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
    pub fn local(
        &self,
        permit: &Permit,
        text: &str,
        known: Known<'_>,
        parameters: &[Parameter<'_>],
    ) -> Result<StatementId, Refusal> {
        let intent = self.intent(IntentKind::Local, text, known, parameters);
        let recorded = self.core.lane.borrow_mut().admit_local(permit, &intent);
        recorded
            .inspect(|_| self.core.counts.statement(intent.class, StatementOutcome::Permit))
            .map_err(|error| self.trail_refuses(&error))
    }

    /// Puts a statement of the gateway's own on the trail, with its cause.
    ///
    /// # Errors
    /// The trail takes no record.
    pub fn own(&self, text: &str, cause: &str) -> Result<StatementId, Refusal> {
        let mut intent = self.intent(IntentKind::Gateway, text, ("", None), &[]);
        // Settings and names, and questions about them.
        intent.class = Some(StatementClass::Session);
        let recorded = self.core.lane.borrow_mut().admit_gateway(&intent, cause);
        recorded.map(|clearance| clearance.statement()).map_err(|error| self.trail_refuses(&error))
    }

    fn trail_refuses(&self, error: &TrailError) -> Refusal {
        self.core.counts.trail_refusal();
        trail_refusal(error)
    }

    /// Puts a no on the trail. If that fails the no stands all the same.
    /// `batch`: the statements of the text, if it could be read.
    pub fn no(
        &self,
        (kind, text): (IntentKind, &str),
        (known, batch): (Known<'_>, Option<&Batch>),
        decided: &Decided<'_>,
    ) {
        let intent = self.intent(kind, text, known, &[]);
        let all = batch.map(|batch| batch.statements.as_slice()).unwrap_or_default();
        let guard = match (all, known.1) {
            ([], None) => self.unread(text),
            ([] | [_], _) => intent.guard,
            // Fail closed: which statement a constant belongs to isn't asked.
            (several, _) if several.iter().any(|a| a.guarded.is_some()) => Guard::All,
            _ => intent.guard,
        };
        self.no_of(&Intent { guard, ..intent }, decided);
    }

    /// Fail closed: where columns are masked, any constant of what nobody has read may be compared with
    /// one.
    fn unread(&self, text: &str) -> Guard<'static> {
        let masks = !text.is_empty() && !self.target.catalog.load().marks.is_empty();
        if masks { Guard::All } else { Guard::Nothing }
    }

    /// Puts on the trail that a text was refused which can't be kept as it is. `start`: what is kept of
    /// it; `length`: how long it was, in bytes.
    pub fn bad_text(&self, kind: IntentKind, (start, length): (&str, usize), refusal: &Refusal) {
        let inexact = Some(length as u64);
        let guard = self.unread(start);
        let intent = Intent { inexact, guard, ..self.intent(kind, start, ("", None), &[]) };
        self.no_of(&intent, &Decided::Refusal(refusal));
    }

    fn no_of(&self, intent: &Intent<'_>, decided: &Decided<'_>) {
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
        &self,
        kind: IntentKind,
        text: &'a str,
        (fingerprint, analysis): Known<'a>,
        parameters: &'a [Parameter<'a>],
    ) -> Intent<'a>
    where
        's: 'a,
    {
        self.handle.activity.begins(self.now);
        Intent {
            time: self.now,
            session: self.handle.id,
            principal: self.handle.principal.as_str(),
            target: self.handle.target.as_str(),
            kind,
            text,
            inexact: None,
            normalized: None,
            fingerprint,
            class: analysis.map(|a| a.class),
            relations: analysis.map(|a| a.relations.as_slice()).unwrap_or_default(),
            routines: analysis.map(|a| a.routines.as_slice()).unwrap_or_default(),
            masked: analysis.and_then(|a| a.masked.as_deref()),
            guard: analysis.and_then(|a| a.guarded.as_deref()).map_or(Guard::Nothing, Guard::Some),
            mode: self.mode,
            parameters,
        }
    }

    /// Closes a record by itself: nothing of it was settled by a transaction.
    pub fn close_alone(&self, statement: StatementId, ended: Ended, sqlstate: Option<&str>) {
        self.core.lane.borrow_mut().outcome(&Outcome {
            time: self.now,
            session: self.handle.id,
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

    /// Closes the records of what has finished. `transaction`: how theirs ended with them.
    pub fn close(&self, finished: &mut Vec<Finished>, transaction: Option<TransactionEnd>) {
        if finished.is_empty() {
            return;
        }
        let mut lane = self.core.lane.borrow_mut();
        for done in finished.drain(..) {
            lane.outcome(&Outcome {
                time: self.now,
                session: self.handle.id,
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
    pub fn settle(&self, (transaction, statements): &Settling) {
        self.core.lane.borrow_mut().settled(&Settled {
            time: self.now,
            session: self.handle.id,
            transaction: *transaction,
            statements,
        });
        self.core.lane_waits.notify_one();
    }

    /// Counts for operators how a statement has ended.
    pub fn count_end(&self, run: &Run, ended: Ended) {
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
    // Fail closed: which of its constants goes where isn't asked.
    let asks = named.masked.as_ref().is_some_and(|masked| !masked.lineage.uses.is_empty());
    if named.guarded.is_some() && (asks || named.writes) {
        intent.guard = Guard::All;
    }
}

/// What a client is told whose statement could not be put on record.
pub fn trail_refusal(error: &TrailError) -> Refusal {
    tracing::error!(error = %error, "the trail takes no record; statements are refused");
    unwritten()
}

/// What a client is told whose statement could not be put on record once it was admitted.
pub fn unwritten() -> Refusal {
    Refusal::new(RefusalKind::TrailUnavailable, "refused: the audit trail can't take the record")
        .with_hint("Nothing was run. Tell an operator; try again when the trail is back.")
}
