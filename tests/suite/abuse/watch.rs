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

use crate::support::{
    Gateway, RawClient,
    gateway::TARGET,
    raw::{bind, execute, parse, query, rows, sync},
};

/// Somebody who works while others attack: one statement that the gateway knows already, one that it
/// must read anew and one that is prepared, by turns, over several sessions; beside it somebody logs in
/// time and again.
pub(super) struct Bystander {
    stop: Arc<AtomicBool>,
    works: JoinHandle<Vec<Duration>>,
    comes: JoinHandle<Vec<Duration>>,
}

/// How long a bystander's statements and log-ins took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    statements: Waits,
    log_ins: Waits,
}

/// How long something took, many times.
#[derive(Clone, Copy)]
pub(super) struct Waits {
    count: usize,
    median: Duration,
    /// 19 of 20 took less.
    most: Duration,
    longest: Duration,
}

impl std::fmt::Debug for Waits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { count, median, most, longest } = self;
        write!(f, "{median:.1?}, 95% {most:.1?}, all {longest:.1?} ({count})")
    }
}

impl Waits {
    fn of(mut waits: Vec<Duration>) -> Self {
        waits.sort_unstable();
        let count = waits.len();
        assert!(count > 0, "the bystander got no answer at all");
        Self {
            count,
            median: waits[count / 2],
            most: waits[count * 19 / 20],
            longest: waits[count - 1],
        }
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
        for client in &mut clients {
            client.exchange(&[parse("kept", "SELECT 1", &[]), sync()], 1);
        }
        let told = Arc::clone(&stop);
        let works = std::thread::spawn(move || work(&mut clients, &told));
        let (address, told) = (gateway.address(), Arc::clone(&stop));
        let (principal, secret) = (principal.to_owned(), secret.to_owned());
        let comes = std::thread::spawn(move || come(&address, (&principal, &secret), &told));
        Self { stop, works, comes }
    }

    /// Ends; how it went.
    pub(super) fn stop(self) -> Times {
        self.stop.store(true, Ordering::Relaxed);
        let waits = |thread: JoinHandle<Vec<Duration>>| {
            Waits::of(thread.join().expect("the bystander was served to the end"))
        };
        Times { statements: waits(self.works), log_ins: waits(self.comes) }
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
        let fresh = format!("SELECT 1 AS fresh_{number}");
        let again = [bind("", "kept", &[], 0), execute("", 0), sync()].concat();
        for message in [query("SELECT 1"), query(&fresh), again] {
            let began = Instant::now();
            client.send_bytes(&message);
            let answer = client.read_until(b'Z');
            waits.push(began.elapsed());
            assert_eq!(rows(&answer), [["1"]], "{answer:?}");
            client.record.clear();
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    waits
}

fn come(address: &str, (principal, secret): (&str, &str), stop: &AtomicBool) -> Vec<Duration> {
    let mut waits = Vec::new();
    while waits.is_empty() || !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        let client = RawClient::connect(address, principal, secret, TARGET);
        waits.push(began.elapsed());
        client.terminate();
        std::thread::sleep(Duration::from_millis(50));
    }
    waits
}

/// How it goes for a bystander while nothing else happens.
pub(super) fn quiet(gateway: &Gateway, principal: &str, secret: &str) -> Times {
    let bystander = Bystander::start(gateway, principal, secret);
    std::thread::sleep(Duration::from_millis(500));
    bystander.stop()
}

/// How long an attack goes on that could go on for ever: a little more than half a second, or as many
/// seconds as `HALLPASS_ABUSE_SECONDS` says.
pub(super) fn lasts() -> Duration {
    let seconds = std::env::var("HALLPASS_ABUSE_SECONDS").ok().and_then(|text| text.parse().ok());
    seconds.map_or(Duration::from_millis(600), Duration::from_secs)
}

/// Runs something by several hands over and over until an attack has lasted long enough; each is told
/// its number.
pub(super) fn hands(count: u32, attack: impl Fn(u32, Instant) + Sync) {
    let until = Instant::now() + lasts();
    std::thread::scope(|scope| {
        for hand in 0..count {
            let attack = &attack;
            scope.spawn(move || attack(hand, until));
        }
    });
}

/// Runs an attack beside a bystander; holds that the bystander hardly noticed and that the gateway
/// grew by at most so many bytes. What the attack cost the gateway is printed.
pub(super) fn unharmed<T>(
    name: &str,
    (gateway, principal, secret): (&Gateway, &str, &str),
    grows: u64,
    attack: impl FnOnce() -> T,
) -> T {
    Ward::new(gateway, principal, secret).unharmed(name, grows, attack)
}

/// A bystander and how it goes for her when nobody attacks.
pub(super) struct Ward<'g> {
    gateway: &'g Gateway,
    principal: &'g str,
    secret: &'g str,
    before: Times,
}

impl<'g> Ward<'g> {
    /// Sees how it goes for her now.
    pub(super) fn new(gateway: &'g Gateway, principal: &'g str, secret: &'g str) -> Self {
        Self { gateway, principal, secret, before: quiet(gateway, principal, secret) }
    }

    /// As the function of that name.
    pub(super) fn unharmed<T>(&self, name: &str, grows: u64, attack: impl FnOnce() -> T) -> T {
        let Self { gateway, before, .. } = *self;
        let (memory, spent) = (reset_peak(gateway), processor(gateway));
        let trail = gateway.trail_bytes();
        let bystander = Bystander::start(gateway, self.principal, self.secret);
        let began = Instant::now();
        let result = attack();
        let took = began.elapsed();
        let during = bystander.stop();
        let grown = peak(gateway).saturating_sub(memory);
        eprintln!(
            "{name}: {took:.1?}, {:.1?} of processor, {} KiB more, {} KiB on the trail\n    \
             during {during:?}\n    before {before:?}",
            processor(gateway).saturating_sub(spent),
            grown >> 10,
            (gateway.trail_bytes() - trail) >> 10,
        );
        let held = |what, during: Waits, before: Waits, (most, longest): (u64, u64)| {
            let most = (before.most * 25).max(Duration::from_millis(most));
            let longest = (before.longest * 25).max(Duration::from_millis(longest));
            assert!(
                during.most <= most && during.longest <= longest,
                "{name}: the bystander's {what} took {during:?}, before {before:?}"
            );
        };
        held("statements", during.statements, before.statements, (300, 1500));
        held("log-ins", during.log_ins, before.log_ins, (3000, 3000));
        assert!(grown <= grows, "{name}: the gateway grew by {} MiB", grown >> 20);
        result
    }
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
