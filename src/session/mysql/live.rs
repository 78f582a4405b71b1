//! Rights that change while the session lives: new grants, and ends of those it stands on.

use std::sync::Arc;

use super::{
    answer::{Answer, Of},
    talk::Talk,
};
use crate::{
    kernel::{
        access::{AtEnd, Grant, grant::FINISH_WITHIN},
        ids::GrantId,
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
    session::{ends, mask},
    upstream::mysql::own::Word,
};

impl Talk {
    /// Looks at the rights anew: something changed, or time has.
    pub(super) fn refresh_rights(&mut self) {
        let access = self.core.services.access.load_full();
        self.now = self.now.max(access.highest_time);
        self.take_over_settings();
        let (principal, target) = (&self.handle.principal, &self.handle.target);
        self.rights = access.rights(principal, target, self.now);
        self.meters.clear();
        let state = access.principal(principal.as_str()).filter(|state| !state.disabled);
        let Some(state) = state else {
            self.fatal = Some(ends::disabled(principal.as_str()));
            return;
        };
        // The settings may have changed since the log-in.
        let world = self.core.services.world.load();
        if let Some(refusal) = world.is_outside(state, self.handle.peer) {
            self.fatal = Some(refusal);
            return;
        }
        // Rows of other sessions of this gateway count before the store knows of them.
        let budgets = &self.core.services.budgets;
        self.rights.grants.retain(|grant| !budgets.meter(grant).is_used_up());
        let ended = self.ended_in_use();
        if ended.is_empty() {
            return;
        }
        let all: Vec<_> = access.grants_on(principal, target).cloned().collect();
        for id in ended {
            match all.iter().find(|g| g.id == id) {
                Some(_) if access.unconfirmed => {
                    let what = "can't be confirmed: the gateway's store does not answer";
                    self.end_now(id, &ends::ended(id, what, None));
                }
                Some(grant) => self.grant_ended(grant),
                None => self.end_now(id, &ends::ended(id, "is gone", None)),
            }
        }
    }

    /// A reload reaches sessions that are open, unless the target has become another database.
    fn take_over_settings(&mut self) {
        let world = self.core.services.world.load();
        if let Some(target) = world.targets.get(&self.handle.target)
            && target.number != self.target.number
            && target.is_same_database(&self.target)
        {
            self.target = Arc::clone(target);
        }
    }

    /// Grants that a running statement or the open transaction stands on, and that are not held any more.
    fn ended_in_use(&self) -> Vec<GrantId> {
        let mut in_use = self.transaction.grants.clone();
        match self.answer.as_ref().map(|answer| &answer.of) {
            Some(Of::Runs(running)) => {
                for run in running.runs.iter().flatten() {
                    in_use.extend(&run.stands_on);
                }
            }
            Some(Of::Prepare(preparing)) => in_use.extend(&preparing.run.stands_on),
            Some(Of::Own { .. } | Of::Plain | Of::Reset) | None => {}
        }
        in_use.sort_unstable();
        in_use.dedup();
        in_use.retain(|id| !self.rights.grants.iter().any(|g| g.id == *id));
        in_use
    }

    fn grant_ended(&mut self, grant: &Grant) {
        let Some(why) = ends::why(grant, self.now) else { return };
        // Agreed, and bounded: counted from the end of the window, whenever that is noticed.
        let bound = grant.window.until.plus(FINISH_WITHIN);
        let may_finish = !grant.stops_at(self.now);
        match grant.at_end {
            AtEnd::FinishStatement if may_finish && !self.is_quiet() => {
                self.ends_at = Some(self.ends_at.map_or(bound, |t| t.min(bound)));
                if self.in_transaction() && self.transaction.rolled_back.is_none() {
                    self.roll_back = Some(ends::told_rolled_back(&why));
                }
            }
            // What waits in an open transaction may be finished by its end alone, which is what a client
            // that knows nothing of grants sends next; everything else is refused for the want of a grant.
            AtEnd::FinishTransaction if may_finish => {
                self.ends_at = Some(self.ends_at.map_or(bound, |t| t.min(bound)));
            }
            AtEnd::Cancel | AtEnd::FinishStatement | AtEnd::FinishTransaction => {
                self.end_now(grant.id, &why);
            }
        }
    }

    /// Ends whatever stands on the grant: what runs is cancelled, the transaction rolled back.
    fn end_now(&mut self, id: GrantId, why: &Refusal) {
        let mut cut = false;
        if let Some(answer) = &mut self.answer {
            let runs = match &mut answer.of {
                Of::Runs(running) => running.runs.iter_mut().flatten().collect(),
                Of::Prepare(preparing) => vec![&mut preparing.run],
                Of::Own { .. } | Of::Plain | Of::Reset => Vec::new(),
            };
            for run in runs {
                if run.permit_uses(&[id]) {
                    run.cut(why.clone());
                    cut = true;
                }
            }
        }
        self.kill_wanted |= cut;
        let used = self.transaction.grants.contains(&id);
        if used && self.in_transaction() && self.transaction.rolled_back.is_none() {
            self.roll_back.get_or_insert_with(|| ends::told_rolled_back(why));
        }
    }

    /// Other columns are masked: ends results that are on their way and show them.
    pub(super) fn end_unmasked(&mut self) {
        let catalog = self.target.catalog.load_full();
        let Some(Of::Runs(running)) = self.answer.as_mut().map(|answer| &mut answer.of) else {
            return;
        };
        for (run, runs) in running.runs.iter_mut().zip(&*running.batch.statements) {
            let Some(run) = run else { continue };
            let inner = run.inner.clone();
            let named = runs.executes.is_some() || runs.fetches.is_some();
            let runs = if named { inner.as_deref() } else { Some(&**runs) };
            self.kill_wanted |= mask::ends_unmasked(run, runs, &catalog);
        }
    }

    /// A cancel of the client: for what runs, or is held. Never for what the gateway asks for itself.
    pub(super) fn cancel(&mut self) {
        let owns = |answer: &Answer| matches!(answer.of, Of::Own { .. });
        if self.answer.as_ref().is_some_and(|answer| !owns(answer)) {
            self.kill_wanted = true;
        } else if self.holds {
            self.cancel_held();
        }
    }

    /// Rolls back what must be, as soon as nothing is owed.
    pub(super) fn roll_back_if_due(&mut self) {
        if !self.is_quiet() || self.fatal.is_some() {
            return;
        }
        let Some(why) = self.roll_back.take() else { return };
        if !self.in_transaction() {
            return;
        }
        self.transaction.rolled_back = Some(why);
        self.say(Word::Rollback, "grant ended");
    }

    /// Time has passed: ends and warnings that are due.
    pub(super) fn on_time(&mut self) {
        if self.rights.valid_until.is_some_and(|t| t <= self.now) {
            self.refresh_rights();
        }
        if self.ends_at.is_some_and(|t| t <= self.now) {
            // What was agreed has run out: now it ends as any other.
            self.ends_at = None;
            self.refresh_rights();
        }
        self.warn_of_ends();
        if self.escalate_at.is_some_and(|t| t <= self.now) && self.answer.is_some() {
            self.escalate_at = None;
            let text = "the statement did not react to a cancel, so its session was ended";
            self.fatal = Some(Refusal::new(RefusalKind::ShuttingDown, text));
        }
    }

    /// When [`Talk::on_time`] has something to do next.
    pub(super) fn next_time(&self) -> Option<Timestamp> {
        let warning = ends::next_warning(&self.rights.grants, self.now, &self.notes.warned);
        let look = self.next_look();
        let all = [self.rights.valid_until, self.ends_at, self.escalate_at, warning, look];
        all.into_iter().flatten().min()
    }
}
