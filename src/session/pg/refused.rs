//! The ways to say no. Whoever refuses a statement says which, so that none is refused without a record.

use std::time::Duration;

use super::conversation::{Conversation, Held, Pass};
use crate::{
    kernel::{
        audit::record::{Decided, IntentKind},
        policy::Denial,
        refusal::{Refusal, RefusalKind},
        sql::analysis::{Analysis, Batch},
    },
    session::{gate, names::Prepared, transaction::Status},
    wire::{WireError, pg::frontend},
};

/// What was asked for and is refused, as its record has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// The message that it came with.
    pub(super) kind: IntentKind,
    /// The text; empty where a message named nothing that has one.
    pub(super) text: &'a str,
    /// The text's fingerprint, if it could be read.
    pub(super) fingerprint: &'a str,
    /// What its first statement does, if that is known.
    pub(super) analysis: Option<&'a Analysis>,
    /// All statements of the text, if it could be read.
    pub(super) batch: Option<&'a Batch>,
}

impl<'a> Asked<'a> {
    /// A text that nobody has read, or could.
    pub(super) fn text(kind: IntentKind, text: &'a str) -> Self {
        Self { kind, text, fingerprint: "", analysis: None, batch: None }
    }

    /// A text that was read.
    pub(super) fn of(kind: IntentKind, text: &'a str, batch: &'a Batch) -> Self {
        let analysis = batch.statements.first().map(AsRef::as_ref);
        Self { kind, text, fingerprint: &batch.fingerprint, analysis, batch: Some(batch) }
    }

    /// A statement that was prepared before.
    pub(super) fn again(kind: IntentKind, prepared: &'a Prepared) -> Self {
        Self::of(kind, &prepared.text, &prepared.batch)
    }
}

/// How long what is denied waits for a catalog that knows more.
const CATALOG_PATIENCE: Duration = Duration::from_secs(2);

impl Conversation {
    /// Refused for another reason than a missing permission: on record, and told in its place.
    pub(super) fn refused(&mut self, asked: Asked<'_>, refusal: Refusal) -> Pass {
        // Where the trail itself takes no record there is nothing to put this on.
        if refusal.kind != RefusalKind::TrailUnavailable {
            let what = ((asked.fingerprint, asked.analysis), asked.batch);
            self.scribe().no((asked.kind, asked.text), what, &Decided::Refusal(&refusal));
        }
        self.tell_no(asked.kind, refusal)
    }

    /// Denied, on record, and told in its place. `instead`: what the client is told if its name is in
    /// doubt.
    pub(super) fn denied(
        &mut self,
        asked: Asked<'_>,
        denial: &Denial,
        instead: Option<Refusal>,
    ) -> Pass {
        if self.may_be_of_old_catalog(asked.kind) {
            return Pass::Hold;
        }
        let what = ((asked.fingerprint, asked.analysis), asked.batch);
        self.scribe().no((asked.kind, asked.text), what, &Decided::Denial(denial));
        self.tell_no(asked.kind, instead.unwrap_or_else(|| denial.refusal()))
    }

    /// Holds what is denied while the catalog is read again for what this session itself has changed:
    /// the name that it has made or given may lie within its scope. Once for each change.
    fn may_be_of_old_catalog(&mut self, kind: IntentKind) -> bool {
        let Some(question) = self.overlay_since else { return false };
        let first = matches!(kind, IntentKind::Query | IntentKind::Parse | IntentKind::Bind);
        let between = self.is_quiet() && self.transaction.status == Status::Idle;
        let waits = first && between && self.waited_for != Some(question);
        if waits {
            self.waited_for = Some(question);
            self.held = Held::UntilCatalog { question, until: self.now.plus(CATALOG_PATIENCE) };
        }
        waits
    }

    /// Holds what names something that nobody knows while the catalog is read again, for whatever session
    /// has changed something: instead of masking or refusing what another has made a moment ago. Once for
    /// each change. Where what is masked may have another name now, all that names something is held, and
    /// refused if that takes too long. What its client has cancelled meanwhile is refused at once.
    pub(super) fn may_be_new(&mut self, asked: Asked<'_>) -> Option<Pass> {
        if let Some(why) = self.waiting.cancelled("canceling statement due to user request") {
            return Some(self.refused(asked, why));
        }
        let batch = asked.batch?;
        let readings = &self.facts.target.readings;
        let question = readings.unanswered().filter(|_| self.has_masks())?;
        let moved = readings.moved();
        let any = |concerns: fn(&Analysis) -> bool| {
            batch.statements.iter().any(|analysis| {
                concerns(analysis) || self.inner_of(analysis).is_some_and(|inner| concerns(&inner))
            })
        };
        if let Some(question) = moved.filter(|_| any(gate::names_something)) {
            // Fail closed: as long as nobody can read it, it isn't run.
            let until = match self.waiting.goes_on(self.now) {
                Ok(until) => until.min(self.now.plus(CATALOG_PATIENCE)),
                Err(why) => return Some(self.refused(asked, why)),
            };
            self.held = Held::UntilCatalog { question, until };
            return Some(Pass::Hold);
        }
        let waits = self.waited_for != Some(question) && any(gate::guesses);
        if waits {
            self.waited_for = Some(question);
            self.held = Held::UntilCatalog { question, until: self.now.plus(CATALOG_PATIENCE) };
        }
        waits.then_some(Pass::Hold)
    }

    /// A cancel of the client, while what is in front is held for the catalog. False: it isn't.
    pub(super) fn cancel_held(&mut self) -> bool {
        let holds = matches!(self.held, Held::UntilCatalog { .. });
        if holds {
            self.waiting.cancel();
            self.held = Held::No;
        }
        holds
    }

    /// A text that can't be kept as it is: its start is on record.
    pub(super) fn refused_bad_text(
        &mut self,
        kind: IntentKind,
        bytes: &[u8],
        refusal: Refusal,
    ) -> Pass {
        self.record_bad_text(kind, bytes, &refusal);
        self.tell_no(kind, refusal)
    }

    /// A message of the extended protocol that names no statement at all: nothing is on record.
    pub(super) fn refused_nothing(&mut self, refusal: Refusal) -> Pass {
        self.refuse_message(refusal);
        Pass::Drop
    }

    /// A message whose body can't be read. The frame was right, so both sides still know where they
    /// are.
    pub(super) fn bad_message(&mut self, frame: &[u8], error: &WireError) -> Pass {
        if self.pipeline.discarding {
            return Pass::Drop;
        }
        let refusal = Refusal::new(RefusalKind::BadMessage, error.to_string());
        let body = || crate::wire::pg::frame::body(frame);
        // Of those that carry values only that they came: where texts are kept, values may not be.
        let valued = |kind| Asked::text(kind, "");
        match frame.first() {
            Some(&frontend::QUERY) => self.refused_bad_text(IntentKind::Query, body(), refusal),
            Some(&frontend::PARSE) => self.refused_bad_text(IntentKind::Parse, body(), refusal),
            Some(&frontend::FUNCTION_CALL) => self.refused(valued(IntentKind::Query), refusal),
            Some(&frontend::BIND) => self.refused(valued(IntentKind::Bind), refusal),
            Some(&frontend::EXECUTE) => self.refused(valued(IntentKind::Execute), refusal),
            _ => self.refused_nothing(refusal),
        }
    }

    fn tell_no(&mut self, kind: IntentKind, refusal: Refusal) -> Pass {
        match kind {
            IntentKind::Query => self.refuse_query(refusal),
            IntentKind::Parse
            | IntentKind::Bind
            | IntentKind::Execute
            | IntentKind::Copy
            | IntentKind::Gateway
            | IntentKind::Local => self.refuse_message(refusal),
        }
        Pass::Drop
    }
}

/// Why a call of `hallpass.*` is refused that came with something else.
pub(super) fn not_alone() -> Refusal {
    Refusal::new(RefusalKind::NotSupported, "hallpass.* can't be mixed with other statements")
        .with_hint("Send it alone.")
}
