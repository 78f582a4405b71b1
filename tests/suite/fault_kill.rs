//! `kill -9` at random instants under a mixed load, again and again on one data folder.
//!
//! `HALLPASS_KILL_ROUNDS` sets how many rounds (2 unless set), `HALLPASS_KILL_SEED` the first one's
//! seed; it is printed, so that a failing run can be had again.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{
    Gateway, Postgres, RawClient,
    gateway::{Options, TARGET},
    raw::{PROTOCOL_3_0, bind, copy_data, copy_done, execute, parse, query, sync},
};

/// Small enough to begin new segments all the time, and checkpoints as often as can be set.
const AUDIT: &str = "[audit]\nsegment_bytes = \"64KiB\"\ncheckpoint_interval = \"1s\"\n";

/// Numbers that look random, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// A client that does one thing after the other until the gateway is gone.
struct Load {
    client: RawClient,
    dice: Dice,
    name: String,
    count: Arc<AtomicU64>,
}

impl Load {
    /// A text that nobody else sends, now or in another round.
    fn mark(&self) -> String {
        format!("mark {} {}", self.name, self.count.fetch_add(1, Ordering::Relaxed))
    }

    /// `None`: the gateway is gone.
    fn step(&mut self) -> Option<()> {
        let mark = self.mark();
        let select = format!("SELECT '{mark}' FROM orders LIMIT 3");
        let change = format!("UPDATE orders SET note = '{mark}' WHERE id = 7");
        let (packet, readies) = match self.dice.roll(9) {
            0 => (query(&select), 1),
            1 => (query(&change), 1),
            2 => (query(&format!("{select}; {change}")), 1),
            3 => (batch(&select), 1),
            // A pipeline: nobody waits for the answers before.
            4 => ([batch(&select), batch(&change), query(&select)].concat(), 3),
            5 => {
                let all = format!("BEGIN; {change}; ROLLBACK");
                (
                    [query("BEGIN"), query(&change), query(&select), query("COMMIT"), query(&all)]
                        .concat(),
                    5,
                )
            }
            6 => {
                let lines = copy_data(format!("{mark}\n").as_bytes());
                let begin = format!("COPY lines FROM STDIN /* {mark} */");
                ([query(&begin), lines, copy_done()].concat(), 1)
            }
            7 => (query(&format!("COPY (SELECT '{mark}', id FROM orders) TO STDOUT")), 1),
            // What nobody may.
            _ => (query(&format!("CREATE ROLE \"{mark}\"")), 1),
        };
        self.client.try_send_bytes(&packet).ok()?;
        for _ in 0..readies {
            while self.client.try_read().ok()??.tag != b'Z' {}
        }
        Some(())
    }
}

fn batch(text: &str) -> Vec<u8> {
    [parse("", text, &[]), bind("", "", &[], 0), execute("", 0), sync()].concat()
}

/// Every text with a mark that the server's own log shows, by its session.
fn texts_at(server: &Postgres) -> HashSet<String> {
    let log = server.log();
    let lines = log.lines().filter(|line| line.contains("alice/") && line.contains("mark "));
    let text = |line: &str| {
        let (_, rest) = line.split_once("LOG:  ")?;
        let (_, text) = rest.split_once(": ")?;
        Some(text.to_owned())
    };
    lines.filter_map(text).collect()
}

/// The records of the trail by their kind, each a line.
fn records(gateway: &Gateway) -> Vec<Value> {
    let trail = gateway.trail();
    trail.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What came before is still there, unchanged but for a torn end.
fn nothing_is_lost(before: &BTreeMap<String, Vec<u8>>, after: &BTreeMap<String, Vec<u8>>) {
    for (name, bytes) in before {
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let kept = after.get(name);
        let is_kept = whole == 0 || kept.is_some_and(|k| k.starts_with(&bytes[..whole]));
        assert!(is_kept, "{name} has lost records");
    }
}

fn files(gateway: &Gateway) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(gateway.data().join("trail")).expect("a folder").flatten();
    let segments = entries.filter(|e| e.file_name().to_string_lossy().starts_with("lane-"));
    segments
        .map(|e| (e.file_name().to_string_lossy().into_owned(), fs::read(e.path()).expect("reads")))
        .collect()
}

struct Round {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<u64>>,
}

fn begin(gateway: &Gateway, secret: &str, seed: u64, count: &Arc<AtomicU64>) -> Round {
    let stop = Arc::new(AtomicBool::new(false));
    let threads = (0..6).map(|n| {
        let mut client = RawClient::open(&gateway.address());
        client.startup(PROTOCOL_3_0, &[("user", "alice"), ("database", TARGET)]);
        client.login(secret).expect("logs in");
        let dice = Dice(seed.wrapping_mul(31).wrapping_add(n));
        let count = Arc::clone(count);
        let mut load = Load { client, dice, name: format!("{seed:x}/{n}"), count };
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || {
            let mut steps = 0;
            while !stop.load(Ordering::Relaxed) && load.step().is_some() {
                steps += 1;
            }
            steps
        })
    });
    Round { threads: threads.collect(), stop }
}

#[expect(clippy::print_stdout, reason = "for whoever repeats a failing run")]
#[test]
fn killed_again_and_again_under_load_it_has_recorded_all_that_ran_and_lost_nothing() {
    let seed = setting("HALLPASS_KILL_SEED").unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_micros() as u64
    });
    let rounds = setting("HALLPASS_KILL_ROUNDS").unwrap_or(2);
    println!("HALLPASS_KILL_SEED={seed}");
    let server = Postgres::start();
    server.sql("CREATE TABLE lines (text text); ALTER TABLE lines OWNER TO hallpass");
    let options = Options { rest: AUDIT.to_owned(), ..Options::default() };
    let mut gateway = Gateway::start_with(&server, &options);
    let secret = gateway.principal("alice", "developer");
    let all = ["--for", "2h", "--row-budget", "100000000"];
    gateway.grant_with("alice", "select,dml,export", &all);
    let count = Arc::new(AtomicU64::new(0));
    let mut dice = Dice(seed);
    let (mut steps, mut torn) = (0, 0);
    for round in 0..rounds {
        let seed = dice.roll(u64::MAX);
        let load = begin(&gateway, &secret, seed, &count);
        // Grants come and go meanwhile.
        let extra = gateway.grant("alice", "ddl");
        gateway.must(&["grant", "revoke", &extra]);
        std::thread::sleep(Duration::from_micros(dice.roll(900_000)));
        gateway.signal(Signal::SIGKILL);
        gateway.wait_end_by_signal();
        load.stop.store(true, Ordering::Relaxed);
        steps += load.threads.into_iter().map(|t| t.join().expect("no panic")).sum::<u64>();
        let before = files(&gateway);
        torn += tear(&gateway, &before, &mut dice);
        gateway.restart();
        nothing_is_lost(&before, &files(&gateway));
        gateway.must(&["audit", "verify"]);
        everything_has_its_record(&gateway, &server, round);
        every_record_is_closed(&gateway);
    }
    println!("{rounds} rounds, {steps} steps, {torn} torn lines");
    assert!(steps > rounds * 10, "hardly anything was under way: {steps}");
}

/// Whatever the server's own log shows is on the trail.
fn everything_has_its_record(gateway: &Gateway, server: &Postgres, round: u64) {
    let records = records(gateway);
    let on_record: HashSet<&str> = records.iter().filter_map(|r| r["text"].as_str()).collect();
    // A server that was sent several statements logs the whole text with each.
    for text in texts_at(server) {
        let parts_are = || text.split("; ").all(|part| on_record.contains(part.trim()));
        assert!(
            on_record.contains(text.as_str()) || parts_are(),
            "round {round}: `{text}` ran without a record"
        );
    }
}

/// A power cut can leave half a line; so that it is seen whatever the kill has hit.
fn tear(gateway: &Gateway, files: &BTreeMap<String, Vec<u8>>, dice: &mut Dice) -> u64 {
    let last_of_lane: BTreeMap<&str, &String> =
        files.keys().filter_map(|name| Some((name.rsplit_once('-')?.0, name))).collect();
    let mut torn = 0;
    for name in last_of_lane.values() {
        let whole = files[*name].ends_with(b"\n");
        if whole && dice.roll(2) == 0 {
            let path = gateway.data().join("trail").join(name);
            let mut file = fs::File::options().append(true).open(path).expect("opens");
            file.write_all(br#"{"node":"00","lane":1,"seq":99"#).expect("writes");
            torn += 1;
        }
    }
    torn
}

/// What ran when it was killed ends as unknown, once it is known that nobody can tell any more.
fn every_record_is_closed(gateway: &Gateway) {
    let mut open = Vec::new();
    let closed = crate::support::eventually(Duration::from_secs(20), || {
        open = gateway.audit(&["--limit", "100000"]);
        let all = open.len();
        open.retain(|r| {
            r["statement"].is_string() && r["ended"].is_null() && r["decision"] != "denial"
        });
        open.is_empty() && all > 0
    });
    assert!(closed, "{} are open, the first: {:#?}", open.len(), open.first());
}

#[test]
fn stopped_under_load_it_ends_in_time_with_every_record_closed() {
    let server = Postgres::start();
    server.sql("CREATE TABLE lines (text text); ALTER TABLE lines OWNER TO hallpass");
    let rest = format!("{AUDIT}[limits]\ndrain_timeout = \"2s\"\n");
    let mut gateway = Gateway::start_with(&server, &Options { rest, ..Options::default() });
    let secret = gateway.principal("alice", "developer");
    let all = ["--for", "2h", "--row-budget", "100000000"];
    gateway.grant_with("alice", "select,dml,export", &all);
    let count = Arc::new(AtomicU64::new(0));
    for signals in [1, 2] {
        let load = begin(&gateway, &secret, signals, &count);
        std::thread::sleep(Duration::from_millis(500));
        let began = Instant::now();
        for _ in 0..signals {
            gateway.signal(Signal::SIGTERM);
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(gateway.wait_end(), Some(0));
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
        load.stop.store(true, Ordering::Relaxed);
        let steps = load.threads.into_iter().map(|t| t.join().expect("no panic")).sum::<u64>();
        assert!(steps > 10, "hardly anything was under way: {steps}");
        let closed: HashSet<u64> = records(&gateway)
            .iter()
            .filter(|r| r["record"] == "outcome")
            .filter_map(|r| r["statement"].as_u64())
            .collect();
        for record in records(&gateway) {
            let open = record["record"] == "intent"
                && record["decision"] != "denial"
                && record["statement"].as_u64().is_some_and(|s| !closed.contains(&s));
            assert!(!open, "its record is open behind an orderly stop: {record}");
        }
        gateway.restart();
        gateway.must(&["audit", "verify"]);
        everything_has_its_record(&gateway, &server, signals);
    }
}
