//! How long the statement in front has been held for the catalog, and whether its client still wants it.

use std::time::Duration;

use crate::kernel::{
    refusal::{Refusal, RefusalKind},
    time::Timestamp,
};

/// How long a statement is held at most whose names may have been given to something masked: beyond this the
/// catalog isn't only slow, and whoever waits is told.
const LONGEST: Duration = Duration::from_secs(10);

/// What is known of the wait of the statement in front. It begins anew with each statement.
#[derive(Clone, Copy, Default, Debug)]
pub struct Waiting {
    since: Option<Timestamp>,
    cancelled: bool,
}

impl Waiting {
    /// The client wants it no longer.
    pub fn cancel(&mut self) {
        self.cancelled = true;
    }

    /// Until when it may wait.
    ///
    /// # Errors
    /// It has waited as long as anything is held.
    pub fn goes_on(&mut self, now: Timestamp) -> Result<Timestamp, Refusal> {
        let until = self.since.get_or_insert(now).plus(LONGEST);
        if now < until { Ok(until) } else { Err(unread()) }
    }

    /// Why it isn't run, if its client has cancelled it. `text`: in the words of its server.
    pub fn cancelled(self, text: &'static str) -> Option<Refusal> {
        self.cancelled.then(|| Refusal::new(RefusalKind::StatementCancelled, text))
    }
}

fn unread() -> Refusal {
    let text = format!(
        "a name in it may stand for something masked by now, and the gateway could not read the target's \
         catalog for {} s; nothing was run",
        LONGEST.as_secs()
    );
    Refusal::new(RefusalKind::CatalogUnread, text).with_hint(
        "Somebody who sees what is masked has changed tables a moment ago. Run it again: it passes as soon as \
         the catalog has been read. If that stays so, an operator finds the cause in the gateway's log; often \
         somebody holds a lock on it.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_waited_for_ten_seconds_is_told() {
        let mut waiting = Waiting::default();
        let at = |seconds| Timestamp(1_000_000_000).plus(Duration::from_secs(seconds));
        for seconds in [0, 2, 9] {
            assert_eq!(waiting.goes_on(at(seconds)).ok(), Some(at(10)), "{seconds}");
        }
        let told = waiting.goes_on(at(10)).expect_err("too long");
        assert_eq!(told.kind, RefusalKind::CatalogUnread);
        assert!(told.message.contains("for 10 s"), "{told}");
        assert!(waiting.cancelled("").is_none());
        waiting.cancel();
        assert_eq!(waiting.cancelled("why").map(|why| why.message), Some("why".into()));
    }
}
