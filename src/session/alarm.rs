//! The one alarm of a session, and how long it may be idle.

use std::{future::Future as _, pin::Pin, task::Context, time::Duration};

use tokio::time::{Instant, Sleep};

use super::services::Limits;
use crate::kernel::{
    refusal::{Refusal, RefusalKind},
    time::Timestamp,
};

/// Wakes a session when the next thing is due. Set earlier than needed it rings for nothing and is set anew:
/// cheaper than moving it with every statement.
#[derive(Debug)]
pub struct Alarm {
    sleep: Pin<Box<Sleep>>,
    due: Option<Timestamp>,
}

impl Default for Alarm {
    /// Not set.
    fn default() -> Self {
        Self { sleep: Box::pin(tokio::time::sleep(Duration::ZERO)), due: None }
    }
}

impl Alarm {
    /// Sets it anew at the next [`Alarm::rings`]: the clock may have been set.
    pub fn forget(&mut self) {
        self.due = None;
    }

    /// True if it rings; else the session is woken when it does. `due`: the next thing that is.
    pub fn rings(&mut self, due: Option<Timestamp>, now: Timestamp, cx: &mut Context<'_>) -> bool {
        if let Some(due) = due.filter(|due| self.due.is_none_or(|set| *due < set)) {
            let wait = due.since(now).max(Duration::from_millis(1));
            self.sleep.as_mut().reset(Instant::now() + wait);
            self.due = Some(due);
        }
        if self.due.is_none() || self.sleep.as_mut().poll(cx).is_pending() {
            return false;
        }
        self.due = None;
        true
    }
}

/// How long a quiet session may stay as it is, and why it ends then.
#[derive(Clone, Copy, Debug)]
pub struct Idle {
    limit: Duration,
    kind: RefusalKind,
    text: &'static str,
}

impl Idle {
    /// `None`: as long as it likes.
    pub fn of(limits: &Limits, in_transaction: bool) -> Option<Self> {
        let (limit, kind, text) = if in_transaction {
            let kind = RefusalKind::IdleInTransactionTooLong;
            (limits.idle_in_transaction_timeout?, kind, "idle in a transaction for too long")
        } else {
            (limits.idle_timeout?, RefusalKind::IdleTooLong, "idle for too long")
        };
        Some(Self { limit, kind, text })
    }

    /// When it ends. `heard`: when its client last said something.
    pub fn until(self, heard: Timestamp) -> Timestamp {
        heard.plus(self.limit)
    }

    /// What its client is told.
    pub fn refusal(self) -> Refusal {
        Refusal::new(self.kind, self.text)
    }
}
