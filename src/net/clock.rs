//! The time of day: the system's, or one that a test turns by hand.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::kernel::time::Timestamp;

/// Where the time comes from. Cheap to clone; clones of a manual clock show the same time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// Stands still until its [`Hands`] are moved.
    Manual(watch::Receiver<Timestamp>),
}

/// What moves a manual clock.
#[derive(Debug)]
pub struct Hands(watch::Sender<Timestamp>);

impl Clock {
    /// A clock that shows `start` until its hands are moved.
    pub fn manual(start: Timestamp) -> (Self, Hands) {
        let (hands, face) = watch::channel(start);
        (Self::Manual(face), Hands(hands))
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }
            Self::Manual(face) => *face.borrow(),
        }
    }

    /// Waits until the clock shows `until` or later; at once if it does. Safe to cancel.
    ///
    /// A step of the system's clock is noticed within half a minute.
    pub async fn sleep_until(&self, until: Timestamp) {
        const STRIDE: Duration = Duration::from_secs(30);
        match self {
            Self::System => loop {
                let now = self.now();
                if now >= until {
                    return;
                }
                // A millisecond more than the rest, because the timer rounds.
                let rest = until.since(now) + Duration::from_millis(1);
                tokio::time::sleep(rest.min(STRIDE)).await;
            },
            Self::Manual(face) => {
                let mut face = face.clone();
                if face.wait_for(|now| *now >= until).await.is_err() {
                    // The hands are gone: time stands still for ever.
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}

impl Hands {
    /// Sets the time.
    pub fn set(&self, now: Timestamp) {
        self.0.send_replace(now);
    }

    /// Moves the time on.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|now| *now = now.plus(by));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_who_waits_for_it() {
        let (clock, hands) = Clock::manual(Timestamp(0));
        let waiting = clock.sleep_until(Timestamp(5_000_000));
        tokio::pin!(waiting);
        tokio::select! {
            biased;
            () = &mut waiting => unreachable!("time stands still"),
            () = tokio::task::yield_now() => {}
        }
        hands.advance(Duration::from_secs(5));
        waiting.await;
        assert_eq!(clock.now(), Timestamp(5_000_000));
    }

    #[tokio::test]
    async fn a_time_that_has_passed_does_not_wait() {
        Clock::System.sleep_until(Timestamp(0)).await;
        assert!(Clock::System.now() > Timestamp(1_700_000_000_000_000));
    }
}
