//! Rights that change while the session lives: new grants, ends, warnings.

use super::{
    conversation::{Conversation, Held},
    owed::{Ours, Tag},
};
use crate::{
    kernel::{
        access::{AtEnd, Grant, grant::FINISH_WITHIN},
        ids::GrantId,
        refusal::Refusal,
        sql::analysis::Analysis,
        time::Timestamp,
    },
    session::{ends, mask, result::Run, services::PgTarget, transaction::Status},
    upstream::door::Control,
    wire::pg::{
        backend,
        exchange::{Step, Whose},
    },
};

impl Conversation {
    /// Looks at the rights anew: something changed, or time has.
    pub(super) fn refresh_rights(&mut self) {
        let access = self.core.services.access.load_full();
        self.now = self.now.max(access.highest_time);
        self.take_over_settings();
        let (principal, target) = (&self.facts.handle.principal, &self.facts.handle.target);
        self.rights = access.rights(principal, target, self.now);
        self.meters.clear();
        let Some(state) = access.principal(principal.as_str()) else {
            self.fatal = Some(ends::disabled(principal.as_str()));
            return;
        };
        if state.disabled {
            self.fatal = Some(ends::disabled(principal.as_str()));
            return;
        }
        // The settings may have changed since the log-in.
        let world = self.core.services.world.load();
        if let Some(refusal) = world.is_outside(state, self.facts.handle.peer) {
            self.fatal = Some(refusal);
            return;
        }
        // Rows of other sessions of this gateway count before the store knows of them.
        let budgets = &self.core.services.budgets;
        self.rights.grants.retain(|grant| !budgets.meter(grant).is_used_up());
        self.log_in_wanted = self.facts.target.log_in(self.rights.level()).0;
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

    /// A reload reaches sessions that are open: whose code is trusted no longer, for example. Not where
    /// the target has become another database, which they are not connected to.
    fn take_over_settings(&mut self) {
        let world = self.core.services.world.load();
        if let Some(target) = world.targets.get(&self.facts.handle.target)
            && target.number != self.facts.target.number
            && target.is_same_database(&self.facts.target)
            && let Some(target) = PgTarget::of(target)
        {
            self.facts.target = target;
        }
    }

    /// Grants that a running statement or the open transaction stands on, and that are not held any
    /// more.
    fn ended_in_use(&self) -> Vec<GrantId> {
        let mut in_use = self.transaction.grants.clone();
        for owed in self.exchange.iter() {
            match &owed.tag {
                Tag::Execute(execution) => in_use.extend(&execution.run.stands_on),
                Tag::Query(query) => {
                    for run in query.runs.iter().flatten() {
                        in_use.extend(&run.stands_on);
                    }
                }
                Tag::Plain
                | Tag::Named(..)
                | Tag::Fail(_)
                | Tag::Absent(_)
                | Tag::Ours(_)
                | Tag::Local(_) => {}
            }
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
            AtEnd::FinishStatement if may_finish && !self.exchange.is_empty() => {
                self.ends_at = Some(self.ends_at.map_or(bound, |t| t.min(bound)));
                // It may end; what follows it in the transaction may not.
                if self.in_transaction() && self.transaction.rolled_back.is_none() {
                    self.transaction.rolled_back = Some(ends::told_rolled_back(&why));
                    self.abort_after_cut = true;
                }
            }
            AtEnd::FinishTransaction if may_finish => {
                self.ends_at = Some(self.ends_at.map_or(bound, |t| t.min(bound)));
                self.finishing.get_or_insert(why);
            }
            AtEnd::Cancel | AtEnd::FinishStatement | AtEnd::FinishTransaction => {
                self.end_now(grant.id, &why);
            }
        }
    }

    /// Ends whatever stands on the grant: what runs is cancelled, the transaction rolled back.
    pub(super) fn end_now(&mut self, id: GrantId, why: &Refusal) {
        let cut = self.cut_running(&[id], why);
        if cut {
            self.cancel_what_is_cut();
            // A server that reads copy data listens to its client alone.
            self.fail_copy = self.copy_may_run();
        }
        let used = self.transaction.grants.contains(&id);
        if self.transaction.rolled_back.is_some() || !used {
            return;
        }
        match self.transaction.status {
            Status::Idle if !self.pipeline.open => {}
            Status::Idle | Status::Open => self.roll_back(why),
            Status::Failed => {}
        }
    }

    /// Other columns are masked: ends results that are on their way and show them.
    pub(super) fn end_unmasked(&mut self) {
        let catalog = self.facts.target.catalog.load_full();
        let mut cut = false;
        for owed in self.exchange.iter_mut() {
            let mut end = |run: &mut Run, runs: Option<&Analysis>| {
                let inner = run.inner.clone();
                let named = runs.is_some_and(|a| a.executes.is_some() || a.fetches.is_some());
                let runs = if named { inner.as_deref() } else { runs };
                cut |= mask::ends_unmasked(run, runs, &catalog);
            };
            match &mut owed.tag {
                Tag::Execute(execution) => {
                    end(&mut execution.run, execution.analysis.as_deref());
                }
                Tag::Query(query) => {
                    for (run, runs) in query.runs.iter_mut().zip(&*query.batch.statements) {
                        if let Some(run) = run {
                            end(run, Some(runs));
                        }
                    }
                }
                Tag::Plain
                | Tag::Named(..)
                | Tag::Fail(_)
                | Tag::Absent(_)
                | Tag::Ours(_)
                | Tag::Local(_) => {}
            }
        }
        if cut {
            self.cancel_what_is_cut();
            self.fail_copy = self.copy_may_run();
        }
    }

    /// Cancels what runs now if it has been cut. What waits behind something else is cancelled when
    /// it is its turn: what runs before it may stand on other grants.
    pub(super) fn cancel_what_is_cut(&mut self) {
        if self.is_cut_running() {
            self.cancel_wanted = true;
            self.escalate_at = Some(self.now.plus(ends::ESCALATE_AFTER));
        } else {
            self.escalate_at = None;
        }
    }

    fn roll_back(&mut self, why: &Refusal) {
        let told = ends::told_rolled_back(why);
        self.transaction.rolled_back = Some(told.clone());
        if !self.exchange.is_empty() {
            // What runs fails by itself; if it ends first, its ReadyForQuery is followed up.
            self.abort_after_cut = true;
            return;
        }
        if self.pipeline.open {
            self.refuse_message(told);
            return;
        }
        self.controls.push_back(Control::Fail);
        self.controls.push_back(Control::Sync);
        self.owe(Step::Execute, Whose::Gateway, Tag::Ours(Ours::Rollback));
        self.owe(Step::Sync, Whose::Gateway, Tag::Ours(Ours::Rollback));
        self.held = Held::UntilAnswered;
    }

    /// Time has passed: ends and warnings that are due.
    pub(super) fn on_time(&mut self) {
        if self.rights.valid_until.is_some_and(|t| t <= self.now) {
            self.refresh_rights();
        }
        if self.drain_until.is_some_and(|t| t <= self.now) {
            self.drained_enough();
        }
        if self.ends_at.is_some_and(|t| t <= self.now) {
            // What was agreed has run out: now it ends as any other.
            self.ends_at = None;
            self.refresh_rights();
        }
        for text in ends::warnings(&self.rights.grants, self.now, &mut self.warned) {
            backend::notice(&mut self.notices, &text, self.client_text);
        }
    }

    /// When [`Conversation::on_time`] has something to do next.
    pub(super) fn next_time(&self) -> Option<Timestamp> {
        let mut next = self.rights.valid_until;
        let mut consider = |t: Timestamp| next = Some(next.map_or(t, |n| n.min(t)));
        self.ends_at.into_iter().for_each(&mut consider);
        self.escalate_at.into_iter().for_each(&mut consider);
        self.drain_until.into_iter().for_each(&mut consider);
        if let Held::UntilCatalog { until, .. } = self.held {
            consider(until.min(self.now.plus(LOOK_EVERY)));
        }
        ends::next_warning(&self.rights.grants, self.now, &self.warned)
            .into_iter()
            .for_each(&mut consider);
        next
    }
}

/// How often a session that waits for the catalog looks whether it is there.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(10);
