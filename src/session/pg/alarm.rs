//! What is due while nobody says anything.

use std::task::Context;

use super::{
    Over, Relay,
    conversation::{End, Held},
    replace::Ending,
};
use crate::{kernel::time::Timestamp, session::alarm::Idle};

impl Relay {
    /// Does what is due by now, and sets the alarm for what is due next.
    pub(super) fn on_time(&mut self, cx: &mut Context<'_>) -> Result<(), Over> {
        while self.alarm.rings(self.due(), self.talk.now, cx) {
            self.talk.now = self.talk.now.max(self.talk.core.services.clock.now());
            self.on_alarm()?;
            if self.replacement.is_some() {
                // It was begun here, and nobody has asked it yet.
                cx.waker().wake_by_ref();
            }
            let held = self.talk.held != Held::No;
            self.housekeep();
            if self.cancelling.is_some() {
                // The same, if it was begun here.
                cx.waker().wake_by_ref();
            }
            if held && self.talk.held == Held::No {
                // Its frame is looked at in the next turn.
                cx.waker().wake_by_ref();
            }
            self.flush(cx)?;
            if let Some(refusal) = self.talk.fatal.take() {
                return Err(End::Refused(refusal).into());
            }
        }
        Ok(())
    }

    fn idle(&self) -> Option<Idle> {
        if !self.talk.is_quiet() {
            return None;
        }
        Idle::of(&self.talk.core.services.world.load().limits, self.talk.in_transaction())
    }

    fn due(&self) -> Option<Timestamp> {
        let idle = self.idle().map(|idle| idle.until(self.last_heard));
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
        if let Some(idle) = self.idle()
            && self.talk.now >= idle.until(self.last_heard)
        {
            return Err(End::Refused(idle.refusal()).into());
        }
        self.talk.on_time();
        Ok(())
    }
}
