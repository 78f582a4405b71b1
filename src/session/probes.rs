//! How often somebody may ask whether a masked column holds a value that she gives: a customer is looked
//! up by what is known of him, and nobody tries all numbers.
//!
//! Counted by each gateway for itself, and forgotten when it stops.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::kernel::{
    ids::{Principal, TargetName},
    time::Timestamp,
};

/// How long what was asked counts.
pub const WINDOW: Duration = Duration::from_secs(3600);

/// Whose questions about which column of which target.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Asked {
    /// Who asks.
    pub principal: Principal,
    /// Where.
    pub target: TargetName,
    /// Of what: schema, table and column.
    pub column: String,
}

/// All questions of the last hour.
#[derive(Default, Debug)]
pub struct Probes(Mutex<HashMap<Asked, Count>>);

#[derive(Clone, Copy, Debug)]
struct Count {
    since: Timestamp,
    values: u64,
}

impl Probes {
    /// Counts values that are asked for. False, and none of them count, if they are more than `most` in an
    /// hour that began with the first.
    pub fn take(&self, asked: &[(Asked, u64)], most: u64, now: Timestamp) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |count: &Count| now.since(count.since) >= WINDOW;
        let before = |asked: &Asked, counts: &HashMap<Asked, Count>| {
            let known = counts.get(asked).copied().filter(|count| !is_over(count));
            known.unwrap_or(Count { since: now, values: 0 })
        };
        let fits = |(asked, values): &(Asked, u64)| {
            before(asked, &counts).values.saturating_add(*values) <= most
        };
        if !asked.iter().all(fits) {
            return false;
        }
        for (asked, values) in asked {
            let count = before(asked, &counts);
            let values = count.values.saturating_add(*values);
            counts.insert(asked.clone(), Count { values, ..count });
        }
        if counts.len() > KEPT {
            counts.retain(|_, count| !is_over(count));
        }
        true
    }
}

/// So many counts are kept before those that are over are looked for.
const KEPT: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, column: &str) -> Asked {
        let (principal, target) = (Principal::new(name), TargetName::new("shop"));
        Asked { principal, target, column: column.to_owned() }
    }

    #[test]
    fn an_hour_has_so_many_values_for_each_and_the_next_one_too() {
        let probes = Probes::default();
        let start = Timestamp(1_700_000_000_000_000);
        let take = |name: &str, values, at: Timestamp| {
            probes.take(&[(asked(name, "public.customers.email"), values)], 10, at)
        };
        assert!(take("alice", 4, start) && take("alice", 6, start));
        assert!(!take("alice", 1, start.plus(WINDOW / 2)));
        assert!(take("bob", 10, start));
        assert!(take("alice", 10, start.plus(WINDOW)));
        assert!(!take("carol", 11, start) && take("carol", 10, start));
    }

    #[test]
    fn of_several_columns_all_are_counted_or_none() {
        let probes = Probes::default();
        let now = Timestamp(1_700_000_000_000_000);
        let both = [(asked("alice", "a"), 6), (asked("alice", "b"), 6)];
        assert!(probes.take(&both, 10, now));
        assert!(!probes.take(&[(asked("alice", "c"), 1), (asked("alice", "b"), 5)], 10, now));
        assert!(probes.take(&[(asked("alice", "c"), 10)], 10, now));
    }
}
