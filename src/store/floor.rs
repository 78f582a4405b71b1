//! Time that never runs back, and never stands still either.
//!
//! Were a clock that was set back simply answered with the highest time seen, time would stand until
//! the clock had caught up, and a grant of half an hour could last for days. So from the highest time
//! on, time goes at the speed of the monotonic clock.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::kernel::time::Timestamp;

/// By so much a clock may lie behind without having been set back: writes of other nodes.
const SLACK: Duration = Duration::from_secs(1);

/// The highest time seen in this process, and when that was by the monotonic clock.
#[derive(Debug, Default)]
pub(super) struct Floor(Mutex<Option<(Timestamp, Instant)>>);

impl Floor {
    /// The time, when the wall clock shows `wall`.
    pub(super) fn time(&self, wall: Timestamp, instant: Instant) -> Timestamp {
        let seen = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match seen {
            Some((highest, at)) if wall.plus(SLACK) < highest => {
                highest.plus(instant.saturating_duration_since(at))
            }
            Some((highest, _)) => wall.max(highest),
            None => wall,
        }
    }

    /// Some node has seen this time.
    pub(super) fn raise(&self, to: Timestamp, instant: Instant) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_none_or(|(highest, _)| to > highest) {
            *seen = Some((to, instant));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000_000)
    }

    #[test]
    fn a_clock_that_was_set_back_neither_turns_nor_stops_time() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let floor = Floor::default();
        assert_eq!(floor.time(at(50), start), at(50));
        floor.raise(at(1000), start);
        assert_eq!(floor.time(at(50), after(0)), at(1000));
        assert_eq!(floor.time(at(60), after(10)), at(1010));
        floor.raise(at(1010), after(10));
        assert_eq!(floor.time(at(70), after(20)), at(1020), "at the speed of the clock");
        floor.raise(at(900), after(20));
        assert_eq!(floor.time(at(70), after(20)), at(1020), "nothing lowers it");
        assert_eq!(floor.time(at(2000), after(21)), at(2000), "the clock is right again");
    }

    #[test]
    fn a_clock_just_behind_another_nodes_is_not_ahead_of_itself() {
        let start = Instant::now();
        let floor = Floor::default();
        floor.raise(at(1000), start);
        let later = start + Duration::from_secs(30);
        assert_eq!(floor.time(Timestamp(at(1000).0 - 500_000), later), at(1000));
    }
}
