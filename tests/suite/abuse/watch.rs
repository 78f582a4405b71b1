//! A bystander, and what the gateway's process takes.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crate::support::{Gateway, RawClient, raw::rows};

/// Somebody who works while others attack: one statement that the gateway knows already and one that
/// it must read anew, by turns, over one session.
pub(super) struct Bystander {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Duration>>,
}

/// How long a bystander's statements took.
#[derive(Clone, Copy)]
pub(super) struct Waits {
    count: usize,
    median: Duration,
    /// 99 of 100 took less.
    pub(super) most: Duration,
    /// The longest.
    pub(super) longest: Duration,
}

impl std::fmt::Debug for Waits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { count, median, most, longest } = self;
        write!(f, "{median:.1?}, 99% {most:.1?}, all {longest:.1?} ({count})")
    }
}

impl Bystander {
    /// Logs in and begins. A session for each of the gateway's threads and one more: the least loaded
    /// thread gets the next connection, so that one of them has an attacker's company.
    pub(super) fn start(gateway: &Gateway, principal: &str, secret: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let mut clients: Vec<_> =
            (0..=threads).map(|_| gateway.connect(principal, secret)).collect();
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || work(&mut clients, &told));
        Self { stop, thread }
    }

    /// Ends; how it went.
    pub(super) fn stop(self) -> Waits {
        self.stop.store(true, Ordering::Relaxed);
        let mut waits = self.thread.join().expect("the bystander was served to the end");
        waits.sort_unstable();
        let count = waits.len();
        assert!(count > 0, "the bystander got no answer at all");
        Waits {
            count,
            median: waits[count / 2],
            most: waits[count * 99 / 100],
            longest: waits[count - 1],
        }
    }
}

fn work(clients: &mut [RawClient], stop: &AtomicBool) -> Vec<Duration> {
    let mut waits = Vec::new();
    let mut number = 0;
    for at in (0..clients.len()).cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let client = &mut clients[at];
        number += 1;
        for text in ["SELECT 1".to_owned(), format!("SELECT 1 AS fresh_{number}")] {
            let began = Instant::now();
            let answer = client.query(&text);
            waits.push(began.elapsed());
            assert_eq!(rows(&answer), [["1"]], "{answer:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    waits
}

/// How it goes for a bystander while nothing else happens.
pub(super) fn quiet(gateway: &Gateway, principal: &str, secret: &str) -> Waits {
    let bystander = Bystander::start(gateway, principal, secret);
    std::thread::sleep(Duration::from_millis(700));
    bystander.stop()
}

/// Runs an attack beside a bystander; holds that the bystander hardly noticed and that the gateway
/// grew by at most so many bytes. What the attack cost the gateway is printed.
pub(super) fn unharmed<T>(
    name: &str,
    (gateway, principal, secret): (&Gateway, &str, &str),
    grows: u64,
    attack: impl FnOnce() -> T,
) -> T {
    let before = quiet(gateway, principal, secret);
    let (memory, spent) = (reset_peak(gateway), processor(gateway));
    let bystander = Bystander::start(gateway, principal, secret);
    let began = Instant::now();
    let result = attack();
    let took = began.elapsed();
    let during = bystander.stop();
    let grown = peak(gateway).saturating_sub(memory);
    eprintln!(
        "{name}: {took:.1?}, {:.1?} of processor, {} KiB more; bystander {during:?}, before {before:?}",
        processor(gateway).saturating_sub(spent),
        grown >> 10
    );
    let most = (before.most * 25).max(Duration::from_millis(250));
    assert!(during.most <= most, "{name}: the bystander waited {during:?}, before {before:?}");
    let longest = (before.longest * 25).max(Duration::from_millis(1500));
    assert!(
        during.longest <= longest,
        "{name}: the bystander waited {during:?}, before {before:?}"
    );
    assert!(grown <= grows, "{name}: the gateway grew by {} MiB", grown >> 20);
    result
}

/// Processor time of the gateway so far.
pub(super) fn processor(gateway: &Gateway) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", gateway.pid())).expect("it runs");
    let (_, fields) = stat.rsplit_once(") ").expect("a name in parentheses");
    let ticks: u64 = fields.split(' ').skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    // Spec: proc(5) counts in USER_HZ, which is 100 on every Linux.
    Duration::from_millis(ticks * 10)
}

/// Forgets the most that the gateway's memory was; what it is now, in bytes.
fn reset_peak(gateway: &Gateway) -> u64 {
    // Not allowed everywhere: then the peak counts from the start.
    drop(fs::write(format!("/proc/{}/clear_refs", gateway.pid()), "5"));
    status(gateway, "VmRSS:")
}

/// The most that the gateway's memory has been, in bytes.
fn peak(gateway: &Gateway) -> u64 {
    status(gateway, "VmHWM:")
}

fn status(gateway: &Gateway, key: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", gateway.pid())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("a line of that name");
    let kilobytes = line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number");
    kilobytes << 10
}
