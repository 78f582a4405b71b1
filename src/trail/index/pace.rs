//! How the background task gives way: the table is made with time that nobody else wants.
//!
//! After each batch it rests. While statements come and the machine is busy it takes a hundredth of
//! one core, while the machine has time to spare up to a fifth, and while hardly any statements come
//! it doesn't rest at all. The trail never waits for the table; the table falls behind and catches
//! up, see [`super::Index::lag`].

use std::{
    fs,
    time::{Duration, Instant},
};

/// How often a rest is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// A rest on a busy machine, in times of the work before it.
const REST_BUSY: u32 = 99;
/// The same on a machine with time to spare.
const REST_SPARE: u32 = 4;
/// The share of the machine's time, in percent, that must be idle to be called so.
const SPARE_PERCENT: u64 = 25;
/// What the trail grows by between two looks while the gateway is quiet: some hundred statements a
/// second.
const QUIET_BYTES: u64 = 32 << 10;

/// What was seen between two looks.
#[derive(Clone, Copy, Debug)]
struct Look {
    /// Bytes by which the trail grew.
    grown: u64,
    /// The machine's idle time, in percent; `None` where it can't be told.
    idle_percent: Option<u64>,
}

impl Look {
    fn is_quiet(self) -> bool {
        self.grown <= QUIET_BYTES
    }
}

/// True if a task that worked for so long has rested enough.
fn rested(worked: Duration, rested: Duration, look: Look) -> bool {
    let spare = look.idle_percent.is_some_and(|idle| idle >= SPARE_PERCENT);
    look.is_quiet() || rested >= worked * REST_BUSY || spare && rested >= worked * REST_SPARE
}

/// Waits as long as somebody who worked so long should. `trail_length`: in bytes, now. True if the gateway
/// was quiet in the end.
pub(super) async fn rest(worked: Duration, trail_length: impl Fn() -> u64) -> bool {
    let began = Instant::now();
    let (mut length, mut before) = (trail_length(), processor_time());
    loop {
        let left = (worked * REST_BUSY).saturating_sub(began.elapsed());
        tokio::time::sleep(left.min(LOOK_INTERVAL)).await;
        let (grown, now) = (trail_length(), processor_time());
        let look = Look {
            grown: grown.saturating_sub(length),
            idle_percent: before.zip(now).and_then(|(before, now)| now.idle_since(before)),
        };
        if rested(worked, began.elapsed(), look) {
            return look.is_quiet();
        }
        (length, before) = (grown, now);
    }
}

/// Time of all processors together since the machine started, in ticks.
#[derive(Clone, Copy, Debug)]
struct ProcessorTime {
    idle: u64,
    all: u64,
}

impl ProcessorTime {
    fn idle_since(self, before: Self) -> Option<u64> {
        let all = self.all.checked_sub(before.all)?;
        let idle = self.idle.checked_sub(before.idle)?;
        (idle * 100).checked_div(all)
    }
}

/// Spec: `/proc/stat` in proc(5); the first line's numbers are user, nice, system, idle, iowait, irq,
/// softirq, steal, and two that are part of the first two.
fn processor_time() -> Option<ProcessorTime> {
    parse(&fs::read_to_string("/proc/stat").ok()?)
}

fn parse(stat: &str) -> Option<ProcessorTime> {
    let numbers = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Option<Vec<u64>> =
        numbers.split_whitespace().take(8).map(|n| n.parse().ok()).collect();
    let ticks = ticks?;
    Some(ProcessorTime { idle: *ticks.get(3)?, all: ticks.iter().sum() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKED: Duration = Duration::from_millis(100);

    #[test]
    fn the_busier_the_machine_the_longer_the_rest() {
        let busy = Look { grown: 1 << 20, idle_percent: Some(3) };
        assert!(!rested(WORKED, WORKED * 98, busy));
        assert!(rested(WORKED, WORKED * 99, busy));
        let unknown = Look { idle_percent: None, ..busy };
        assert!(!rested(WORKED, WORKED * 98, unknown));
        let spare = Look { idle_percent: Some(40), ..busy };
        assert!(!rested(WORKED, WORKED * 3, spare));
        assert!(rested(WORKED, WORKED * 4, spare));
        let quiet = Look { grown: 100, ..busy };
        assert!(rested(WORKED, Duration::ZERO, quiet));
    }

    #[test]
    fn the_share_of_idle_time_is_read() {
        let before = parse("cpu  10 0 10 80 0 0 0 0 0 0\ncpu0 1 2 3 4\n").expect("reads");
        let now = parse("cpu  40 0 30 130 0 0 0 0 0 0\n").expect("reads");
        assert_eq!(now.idle_since(before), Some(50));
        assert_eq!(now.idle_since(now), None);
        for text in ["", "cpu", "cpu  1 2 x 4", "intr 5", "cpu  1 2"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
