//! The one alarm of a session: whatever is due next.

use std::{future::Future, task::Context, time::Duration};

use super::{
    Over, Relay,
    conversation::{End, Held},
    replace::Ending,
};
use crate::kernel::{
    refusal::{Refusal, RefusalKind},
    time::Timestamp,
};

impl Relay {
    /// Sets the alarm for whatever is due next. An alarm set earlier than needed rings for nothing
    /// and is set anew: cheaper than moving it with every statement.
    pub(super) fn arm_timer(&mut self, cx: &mut Context<'_>) -> Result<(), Over> {
        loop {
            let due = self.due();
            let earlier = match (due, self.timer_due) {
                (Some(due), Some(set)) => due < set,
                (Some(_), None) => true,
                (None, _) => false,
            };
            if earlier && let Some(due) = due {
                let wait = due.since(self.talk.now).max(Duration::from_millis(1));
                self.timer.as_mut().reset(tokio::time::Instant::now() + wait);
                self.timer_due = Some(due);
            }
            if self.timer_due.is_none() || self.timer.as_mut().poll(cx).is_pending() {
                return Ok(());
            }
            self.timer_due = None;
            self.talk.now = self.talk.now.max(self.talk.core.services.clock.now());
            self.on_alarm()?;
            if self.replacement.is_some() {
                // It was begun here, and nobody has asked it yet.
                cx.waker().wake_by_ref();
            }
            let held = self.talk.held != Held::No;
            self.housekeep();
            if held && self.talk.held == Held::No {
                // Its frame is looked at in the next turn.
                cx.waker().wake_by_ref();
            }
            self.flush(cx)?;
            if let Some(refusal) = self.talk.fatal.take() {
                return Err(End::Refused(refusal).into());
            }
        }
    }

    fn idle_limit(&self) -> Option<(Duration, RefusalKind)> {
        let world = self.talk.core.services.world.load();
        if !self.talk.is_quiet() {
            return None;
        }
        if self.talk.in_transaction() {
            let limit = world.limits.idle_in_transaction_timeout?;
            return Some((limit, RefusalKind::IdleInTransactionTooLong));
        }
        Some((world.limits.idle_timeout?, RefusalKind::IdleTooLong))
    }

    fn due(&self) -> Option<Timestamp> {
        let idle = self.idle_limit().map(|(limit, _)| self.last_heard.plus(limit));
        let idle = match self.ending {
            Ending::Told { until, .. } => Some(until),
            Ending::No => idle,
        };
        match (self.talk.next_time(), idle) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn on_alarm(&mut self) -> Result<(), Over> {
        if let Ending::Told { until, .. } = self.ending
            && until <= self.talk.now
        {
            self.upstream_gone(Over::UpstreamClosed)?;
        }
        if let Some((limit, kind)) = self.idle_limit()
            && self.talk.now >= self.last_heard.plus(limit)
        {
            let text = match kind {
                RefusalKind::IdleInTransactionTooLong => "idle in a transaction for too long",
                _ => "idle for too long",
            };
            return Err(End::Refused(Refusal::new(kind, text)).into());
        }
        self.talk.on_time();
        Ok(())
    }
}
