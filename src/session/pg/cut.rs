//! The end of a result that passed a limit: an error, or (by setting) a warning behind the rows that fit.

use std::time::Duration;

use super::{conversation::Conversation, owed::Tag};
use crate::{
    kernel::{
        refusal::{Refusal, RefusalKind},
        sql::{analysis::Analysis, reading::StatementKind},
    },
    session::{
        result::{Rest, Run},
        services::Over,
        transaction::Status,
    },
    wire::pg::{
        backend,
        exchange::{Owed, Step},
    },
};

/// How long the rest of a result is thrown away where a cancel would abort the client's transaction.
const DRAIN_FOR: Duration = Duration::from_secs(5);

/// How many bytes of it.
const DRAIN_BYTES: u64 = 64 << 20;

impl Conversation {
    /// A row came that must not go out.
    pub(super) fn beyond_the_cut(&mut self, length: usize) {
        if !self.cuts_softly() {
            return self.cancel_the_rest();
        }
        let quietly = self.may_end_quietly();
        let until = self.now.plus(DRAIN_FOR);
        let Some(run) = self.front_run() else { return };
        // A right that has ended is cancelled by itself.
        if run.cut.as_ref().is_none_or(|why| why.kind != RefusalKind::LimitExceeded) {
            return;
        }
        match run.rest {
            Rest::Runs if quietly => {
                run.rest = Rest::EndsQuietly;
                self.cancel_the_rest();
            }
            Rest::Runs => {
                run.rest = Rest::Drains { until, bytes: DRAIN_BYTES };
                self.drain_until = Some(until);
            }
            Rest::Drains { until, bytes } => match bytes.checked_sub(length as u64) {
                Some(bytes) => run.rest = Rest::Drains { until, bytes },
                None => self.drained_enough(),
            },
            Rest::EndsQuietly | Rest::Fails => {}
        }
    }

    /// The rest of a result has been thrown away for as long as that is worth it.
    pub(super) fn drained_enough(&mut self) {
        self.drain_until = None;
        let Some(run) = self.front_run() else { return };
        if !matches!(run.rest, Rest::Drains { .. }) {
            return;
        }
        run.rest = Rest::Fails;
        if let Some(why) = &mut run.cut {
            why.detail = Some(
                "It could not be cut without a word: ending a statement of a transaction in the \
                 middle aborts it."
                    .to_owned(),
            );
        }
        self.cancel_the_rest();
    }

    fn cancel_the_rest(&mut self) {
        self.cancel_wanted |= !std::mem::replace(&mut self.cut_cancelled, true);
    }

    pub(super) fn front_run(&mut self) -> Option<&mut Run> {
        match &mut self.exchange.front_mut()?.tag {
            Tag::Execute(execution) => Some(&mut execution.run),
            Tag::Query(query) => query.runs.get_mut(query.at)?.as_mut(),
            Tag::Plain
            | Tag::Named(..)
            | Tag::Fail(_)
            | Tag::Absent(_)
            | Tag::Ours(_)
            | Tag::Local(_) => None,
        }
    }

    /// True if what runs can be cancelled without anybody noticing: it reads, it is the only thing in
    /// its implicit transaction, and nothing behind it would be skipped.
    fn may_end_quietly(&self) -> bool {
        let reads = |analysis: Option<&Analysis>| {
            analysis.is_some_and(|a| {
                let plain = !a.writes && a.effects.is_empty();
                plain && matches!(a.kind, StatementKind::Select | StatementKind::Values)
            })
        };
        let mut owed = self.exchange.iter();
        let front = owed.next().map(|owed| &owed.tag);
        let alone = match front {
            Some(Tag::Query(query)) => match (query.runs.as_slice(), &*query.batch.statements) {
                ([Some(run)], [only]) => run.alone && !run.writes && reads(Some(only)),
                _ => false,
            },
            Some(Tag::Execute(execution)) => {
                let ends = |next: &Owed<Tag>| next.step == Step::Sync;
                let run = &execution.run;
                run.alone
                    && !run.writes
                    && reads(execution.analysis.as_deref())
                    && owed.next().is_some_and(ends)
            }
            _ => false,
        };
        alone && self.transaction.status == Status::Idle
    }

    /// The error that our cancel brought is a normal end to the client. True if it was told so.
    pub(super) fn ends_quietly(&mut self, run: &Run, code: Option<[u8; 5]>) -> bool {
        if run.rest != Rest::EndsQuietly || code != Some(*b"57014") {
            return false;
        }
        let Some(why) = &run.cut else { return false };
        self.say_cut(why, run, "SELECT");
        true
    }

    /// The error that stands where a result ended as the server sees it, if the client must see one.
    pub(super) fn end_instead(&mut self, run: &Run, poisoned: Option<Refusal>) -> Option<Refusal> {
        if poisoned.is_none() && run.cut.is_some() && !self.ends_softly(run) {
            self.abort_after_cut = true;
        }
        poisoned.or_else(|| run.cut.clone())
    }

    /// True if a result over its cap ends with a warning.
    fn cuts_softly(&self) -> bool {
        self.over.unwrap_or(self.core.services.world.load().limits.over) == Over::Cut
    }

    fn ends_softly(&self, run: &Run) -> bool {
        let limit = run.cut.as_ref().is_some_and(|why| why.kind == RefusalKind::LimitExceeded);
        limit && run.rest != Rest::Fails && self.cuts_softly()
    }

    /// Ends a result that was cut, by an error or (by setting) a warning. True if by an error. `tag`:
    /// the server's own.
    pub(super) fn say_end(&mut self, refusal: &Refusal, run: &Run, tag: &str) -> bool {
        if refusal.kind == RefusalKind::LimitExceeded && self.ends_softly(run) {
            self.say_cut(refusal, run, tag);
            return false;
        }
        let mut refusal = refusal.clone();
        if run.writes && refusal.kind == RefusalKind::LimitExceeded {
            refusal.detail = Some("The statement itself has been carried out.".to_owned());
        }
        backend::error(&mut self.down, &refusal, self.client_text);
        true
    }

    /// A warning, and the end with the number of rows that went out. What has changed rows says how
    /// many it has changed.
    fn say_cut(&mut self, why: &Refusal, run: &Run, tag: &str) {
        backend::warning(&mut self.down, &why.message, self.client_text);
        let tag = match tag.split_once(' ').map_or(tag, |(word, _)| word) {
            word @ ("SELECT" | "FETCH" | "COPY") => format!("{word} {}", run.rows),
            // A suspended portal has none.
            "" => format!("SELECT {}", run.rows),
            _ => tag.to_owned(),
        };
        backend::command_complete(&mut self.down, &tag);
    }
}
