//! Log lines that anybody could call forth as often as she likes, and that must not fill the log.

use std::{cell::Cell, time::Duration};

use crate::kernel::time::Timestamp;

/// How long nothing more is said after a line.
const QUIET: Duration = Duration::from_secs(60);

/// Lets through one line in a while, and counts the others. Not shared between threads.
#[derive(Debug, Default)]
pub struct Seldom {
    said: Cell<Option<Timestamp>>,
    unsaid: Cell<u64>,
}

impl Seldom {
    /// Something has happened. `Some`: say so, and that it has happened so often since the line before,
    /// this time included.
    pub fn happened(&self, now: Timestamp) -> Option<u64> {
        let times = self.unsaid.get().saturating_add(1);
        let quiet = self.said.get().is_some_and(|said| now < said.plus(QUIET) && now >= said);
        if quiet {
            self.unsaid.set(times);
            return None;
        }
        self.said.set(Some(now));
        self.unsaid.set(0);
        Some(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_minute_is_said_and_the_others_are_counted() {
        let seldom = Seldom::default();
        let at = |seconds: i64| Timestamp(1_800_000_000_000_000 + seconds * 1_000_000);
        assert_eq!(seldom.happened(at(0)), Some(1));
        assert_eq!(seldom.happened(at(1)), None);
        assert_eq!(seldom.happened(at(59)), None);
        assert_eq!(seldom.happened(at(60)), Some(3));
        assert_eq!(seldom.happened(at(61)), None);
        assert_eq!(seldom.happened(at(30)), Some(2), "a clock that was set back silences nobody");
    }
}
