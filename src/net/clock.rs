//! The time of day: the system's, or one that a test turns by hand.
//!
//! The system's clock may be set back. Time here never runs back, and never stands still either: were
//! it simply the highest time seen, a grant of half an hour could last for days. So from a step back
//! on it goes at the speed of the monotonic clock. A step forward is followed.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::sync::watch;

use super::faults;
use crate::kernel::time::Timestamp;

/// By how much nodes' clocks may differ without anybody being told.
pub const NODES_DIFFER: Duration = Duration::from_secs(10);

/// Where the time comes from. Cheap to clone; clones of a manual clock show the same time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The system's clock, steadied: one for the whole process.
    #[default]
    System,
    /// Stands still until its [`Hands`] are moved.
    Manual(watch::Receiver<Timestamp>),
}

/// What moves a manual clock.
#[derive(Debug)]
pub struct Hands(watch::Sender<Timestamp>);

/// By how much the wall clock has been ahead of the monotonic one at most, in microseconds.
#[derive(Debug)]
struct Steady(AtomicI64);

impl Steady {
    const fn new() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }

    /// The time when the wall clock shows `wall` and the monotonic one, read after it, `running`.
    fn time(&self, wall: Timestamp, running: Duration) -> Timestamp {
        let running = i64::try_from(running.as_micros()).unwrap_or(i64::MAX);
        let lead = wall.0.saturating_sub(running);
        let mut highest = self.0.load(Ordering::Relaxed);
        if lead > highest {
            // Written only when the clock was set forward, so that threads don't wait for each other.
            highest = self.0.fetch_max(lead, Ordering::Relaxed).max(lead);
        }
        Timestamp(highest.saturating_add(running))
    }
}

static STEADY: Steady = Steady::new();
static STARTED: OnceLock<Instant> = OnceLock::new();

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
                let started = STARTED.get_or_init(Instant::now);
                let wall = wall();
                // In this order: a thread that is held up between the two must not put time ahead.
                STEADY.time(wall, started.elapsed())
            }
            Self::Manual(face) => *face.borrow(),
        }
    }

    /// It is at least so late: a time that was kept from before the last start.
    pub fn not_before(&self, kept: Timestamp) {
        if let (Self::System, Some(started)) = (self, STARTED.get()) {
            STEADY.time(kept, started.elapsed());
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

fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
    Timestamp(micros.saturating_add(faults::clock_is_off_by()))
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

    #[test]
    fn a_clock_that_is_set_back_neither_turns_nor_stops_time() {
        let steady = Steady::new();
        let at = |wall: i64, running| {
            steady.time(Timestamp(wall * 1_000_000), Duration::from_secs(running)).seconds()
        };
        assert_eq!(at(10_000, 1), 10_000);
        assert_eq!(at(10_009, 10), 10_009);
        assert_eq!(at(6_410, 11), 10_010, "an hour back");
        assert_eq!(at(6_420, 21), 10_020, "at the speed of the clock");
        assert_eq!(at(10_031, 31), 10_031, "it is right again");
        assert_eq!(at(20_000, 40), 20_000, "a step forward is followed");
        assert_eq!(at(10_050, 50), 20_010);
    }
}
