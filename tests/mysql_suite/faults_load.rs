//! What becomes of statements when the gateway is killed or stopped under load, the server dies or freezes, or
//! a client vanishes: nothing ran without a record, and no record stays open.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use hallpass::wire::mysql::{Capabilities, response::Kind};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{
    client::Pair,
    raw::Raw,
    support::{PATIENCE, eventually, gateway::Options, mysql::Family},
};

/// Small enough to begin new segments all the time.
const AUDIT: &str = "[audit]\nsegment_bytes = \"64KiB\"\ncheckpoint_interval = \"1s\"\n";

fn records(pair: &Pair) -> Vec<Value> {
    let trail = pair.gateway.trail();
    trail.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Every text with a mark that the server's own log shows.
fn texts_at(pair: &Pair) -> HashSet<String> {
    let log = pair.server.log();
    let text = |line: &str| {
        let (head, rest) = line.split_once("mark ")?;
        let begin = head.find("SELECT").or_else(|| head.find("UPDATE"))?;
        Some(format!("{}mark {rest}", head.get(begin..)?).trim_end_matches([' ', ';']).to_owned())
    };
    log.lines().filter_map(text).collect()
}

fn everything_has_its_record(pair: &Pair) {
    let all = records(pair);
    let on_record: HashSet<&str> = all.iter().filter_map(|r| r["text"].as_str()).collect();
    let texts = texts_at(pair);
    assert!(texts.len() > 10, "hardly anything reached the server: {}", texts.len());
    for text in texts {
        // A server logs several statements together or each by itself, and so does the trail.
        let parts_are = || text.split("; ").all(|part| on_record.contains(part));
        let is_part = || on_record.iter().any(|record| record.contains(&text));
        let is_there = on_record.contains(text.as_str()) || parts_are() || is_part();
        assert!(is_there, "`{text}` ran without a record");
    }
}

fn every_record_is_closed(pair: &Pair) {
    let mut open = Vec::new();
    let closed = eventually(PATIENCE, || {
        open = pair.gateway.audit(&["--limit", "100000"]);
        let all = open.len();
        open.retain(|r| {
            r["statement"].is_string() && r["ended"].is_null() && r["decision"] != "denial"
        });
        open.is_empty() && all > 0
    });
    assert!(closed, "{} are open, the first: {:#?}", open.len(), open.first());
}

/// A client that does one thing after the other until the gateway is gone.
fn step(raw: &mut Raw, mark: &str, which: u64) -> Option<()> {
    let select = format!("SELECT id, 'mark {mark}' FROM orders LIMIT 3");
    let change = format!("UPDATE orders SET note = 'mark {mark}' WHERE id = 7");
    let texts = match which % 5 {
        0 => vec![select],
        1 => vec![change],
        2 => vec![format!("{select}; {change}")],
        3 => vec!["BEGIN".to_owned(), change, select, "ROLLBACK".to_owned()],
        // What nobody may.
        _ => vec![format!("CREATE USER `mark {mark}`")],
    };
    if which % 7 == 6 {
        let text = format!("SELECT 'mark {mark}', count(*) FROM orders");
        raw.try_send(&[b"\x16", text.as_bytes()].concat()).ok()?;
        let number = match raw.answer(Kind::Prepared) {
            Ok(rows) => rows.first()?.first()?.as_deref()?.parse::<u32>().ok()?,
            Err((number, _)) => return (number != 0).then_some(()),
        };
        let execute = [&b"\x17"[..], &number.to_le_bytes(), &[0, 1, 0, 0, 0]].concat();
        raw.try_send(&execute).ok()?;
        // Its rows are binary: what they are doesn't matter here.
        return (!raw.drain(Duration::from_millis(20)).is_empty()).then_some(());
    }
    for text in texts {
        raw.try_send(&[b"\x03", text.as_bytes()].concat()).ok()?;
        if let Err((0, _)) = raw.answer(Kind::Result) {
            return None;
        }
    }
    Some(())
}

struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<u64>>,
}

impl Load {
    fn begin(pair: &Pair, secret: &str, round: u64) -> Self {
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let taken =
            Capabilities::MYSQL | Capabilities::TRANSACTIONS | Capabilities::MULTI_STATEMENTS;
        let threads = (0..4).map(|thread| {
            let mut raw = Raw::connect_with(pair, ("alice", secret), taken).expect("logs in");
            let (stop, count) = (Arc::clone(&stop), Arc::clone(&count));
            std::thread::spawn(move || {
                let mut steps = 0;
                while !stop.load(Ordering::Relaxed) {
                    let number = count.fetch_add(1, Ordering::Relaxed);
                    let mark = format!("{round}-{thread}-{number}");
                    if step(&mut raw, &mark, number + thread).is_none() {
                        break;
                    }
                    steps += 1;
                }
                steps
            })
        });
        Self { threads: threads.collect(), stop }
    }

    fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    }
}

fn loaded(family: Family, rest: &str) -> (Pair, String) {
    let rest = format!("{AUDIT}{rest}");
    let pair = Pair::start_with(family, &Options { rest, ..Options::default() });
    let secret = pair.gateway.principal("alice", "developer");
    let all = ["--for", "2h", "--row-budget", "100000000"];
    pair.gateway.grant_with("alice", "select,dml,export", &all);
    (pair, secret)
}

#[test]
fn killed_under_load_it_has_recorded_all_that_ran() {
    for family in Family::ALL {
        let (mut pair, secret) = loaded(family, "");
        let mut steps = 0;
        for round in 0..2 {
            let load = Load::begin(&pair, &secret, round);
            std::thread::sleep(Duration::from_millis(700 + 311 * round));
            pair.gateway.signal(Signal::SIGKILL);
            pair.gateway.wait_end_by_signal();
            steps += load.end();
            pair.gateway.restart();
            pair.gateway.must(&["audit", "verify"]);
            everything_has_its_record(&pair);
            every_record_is_closed(&pair);
        }
        assert!(steps > 20, "{family:?}: hardly anything was under way: {steps}");
    }
}

#[test]
fn stopped_under_load_it_ends_in_time_with_every_record_closed() {
    for family in Family::ALL {
        let (mut pair, secret) = loaded(family, "[limits]\ndrain_timeout = \"2s\"\n");
        let load = Load::begin(&pair, &secret, 1);
        std::thread::sleep(Duration::from_millis(500));
        let began = Instant::now();
        pair.gateway.signal(Signal::SIGTERM);
        assert_eq!(pair.gateway.wait_end(), Some(0));
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
        let steps = load.end();
        assert!(steps > 10, "{family:?}: hardly anything was under way: {steps}");
        let all = records(&pair);
        let outcomes = all.iter().filter(|r| r["record"] == "outcome");
        let closed: HashSet<u64> = outcomes.filter_map(|r| r["statement"].as_u64()).collect();
        for record in &all {
            let open = record["record"] == "intent"
                && record["decision"] != "denial"
                && record["statement"].as_u64().is_some_and(|s| !closed.contains(&s));
            assert!(!open, "{family:?}: its record is open behind an orderly stop: {record}");
        }
        pair.gateway.restart();
        pair.gateway.must(&["audit", "verify"]);
        everything_has_its_record(&pair);
    }
}

#[test]
fn a_session_whose_server_dies_is_told_and_leaves_no_record_open() {
    for family in Family::ALL {
        let (mut pair, secret) = loaded(family, "");
        let mut idle = Raw::connect(&pair, "alice", &secret);
        let mut busy = Raw::connect(&pair, "alice", &secret);
        assert_eq!(idle.value("SELECT 'before'"), "before");
        busy.send(0, b"\x03SELECT SLEEP(60)");
        let runs = || pair.server.sql("SHOW FULL PROCESSLIST").contains("SLEEP(60)");
        assert!(eventually(PATIENCE, runs), "it doesn't run");
        pair.server.stop();
        let (number, told) = busy.answer(Kind::Result).expect_err("it is gone");
        assert!(number != 0 && told.contains("gone"), "{family:?}: {number} {told}");
        assert!(busy.is_closed());
        // An idle one is told as soon as it is gone.
        let (_, payload) = idle.receive().expect("a last word");
        assert_eq!(payload.first(), Some(&0xff), "{family:?}: {payload:?}");
        assert!(idle.is_closed());
        pair.gateway.audit_shows("the statement's end", |record| {
            record["statement"] == "SELECT SLEEP(60)" && record["ended"] == "unknown"
        });
        pair.server.restart();
        let taken = Capabilities::MYSQL;
        let back = || Raw::connect_with(&pair, ("alice", &secret), taken).is_ok();
        assert!(eventually(PATIENCE, back), "{family:?}: it doesn't come back");
    }
}

#[test]
fn a_server_that_freezes_holds_up_its_own_sessions_and_what_is_taken_away_is_told() {
    for family in Family::ALL {
        let rest = "[limits]\ndrain_timeout = \"1s\"\n";
        let pair =
            Pair::start_with(family, &Options { rest: rest.to_owned(), ..Options::default() });
        let mut pair = pair;
        let secret = pair.gateway.principal("alice", "developer");
        let grant = pair.gateway.grant("alice", "select,dml");
        let mut idle = Raw::connect(&pair, "alice", &secret);
        assert_eq!(idle.value("SELECT 'before'"), "before");
        let mut busy = Raw::connect(&pair, "alice", &secret);
        busy.send(0, b"\x03SELECT SLEEP(50) FROM orders LIMIT 1");
        let runs = || pair.server.sql("SHOW FULL PROCESSLIST").contains("SLEEP(50)");
        assert!(eventually(PATIENCE, runs), "it doesn't run");
        let server = Pid::from_raw(pair.server.pid());
        kill(server, Signal::SIGSTOP).expect("it is there");
        pair.gateway.must(&["grant", "revoke", &grant]);
        // What the gateway answers itself goes on.
        assert!(idle.query("SELECT * FROM hallpass.whoami").is_ok(), "it waits for the server");
        let began = Instant::now();
        let (number, told) = busy.answer(Kind::Result).expect_err("it was taken away");
        let waited = began.elapsed();
        // Who knocks meanwhile is told that nobody opens, and a stop waits no longer than is set.
        let began = Instant::now();
        pair.gateway.signal(Signal::SIGTERM);
        let ended = pair.gateway.wait_end();
        let stopped = began.elapsed();
        kill(server, Signal::SIGCONT).expect("it is there");
        assert_eq!(ended, Some(0));
        assert!(stopped < Duration::from_secs(20), "{family:?}: {stopped:?}");
        assert!(number != 0, "{family:?}: it was never told: {told}");
        assert!(waited < Duration::from_secs(15), "{family:?}: {waited:?}");
        pair.gateway.restart();
        let mut again = Raw::connect(&pair, "alice", &secret);
        assert_eq!(again.value("SELECT 'back'"), "back");
        pair.gateway.must(&["audit", "verify"]);
    }
}

#[test]
fn a_file_that_its_client_left_in_the_middle_loads_nothing() {
    for family in Family::ALL {
        let pair = Pair::start(family);
        pair.server.sql("SET GLOBAL local_infile = 1; CREATE TABLE pieces (text varchar(100))");
        let secret = pair.gateway.almighty("alice");
        for half in [false, true] {
            let mut raw = Raw::connect(&pair, "alice", &secret);
            raw.send(0, b"\x03LOAD DATA LOCAL INFILE 'x' INTO TABLE pieces");
            let (sequence, payload) = raw.receive().expect("a request");
            assert_eq!(payload.first(), Some(&0xfb), "{family:?}: {payload:?}");
            raw.send(sequence + 1, &b"one\n".repeat(1000));
            if half {
                // A packet whose rest never comes.
                raw.write(&[100, 0, 0, sequence + 2, b't', b'w', b'o', b'\n']);
            }
            std::thread::sleep(Duration::from_millis(200));
            drop(raw);
            let gone = || !pair.server.sql("SHOW FULL PROCESSLIST").contains("LOAD DATA LOCAL");
            assert!(eventually(PATIENCE, gone), "{family:?}: it outlives its client");
            let count = pair.server.sql("SELECT count(*) FROM pieces");
            assert_eq!(count, "0", "{family:?}, half a packet: {half}");
        }
        every_record_is_closed(&pair);
    }
}

#[test]
fn what_was_prepared_runs_no_more_than_a_text_while_the_trail_is_full() {
    for family in Family::ALL {
        let pair = Pair::start_with(family, &Options { faults: true, ..Options::default() });
        let secret = pair.gateway.almighty("alice");
        let mut alice = Raw::connect(&pair, "alice", &secret);
        let prepare = |raw: &mut Raw, text: &str| {
            raw.command(&[b"\x16", text.as_bytes()].concat(), Kind::Prepared)
        };
        let text = "UPDATE products SET price = price + 1 WHERE id = 1";
        let prepared = prepare(&mut alice, text).expect("prepared");
        let number: u32 = prepared[0][0].as_deref().expect("one").parse().expect("a number");
        let execute = [&b"\x17"[..], &number.to_le_bytes(), &[0, 1, 0, 0, 0]].concat();
        alice.command(&execute, Kind::Result).expect("runs");
        let price = || pair.server.sql("SELECT price FROM products WHERE id = 1");
        let before = price();
        pair.gateway.faults("fail trail-write 28");
        let unsent = "SELECT 'unsent'";
        for _ in 0..2 {
            for told in [
                alice.command(&execute, Kind::Result),
                prepare(&mut alice, unsent),
                alice.command(b"\x02information_schema", Kind::Done),
                alice.query("LOAD DATA LOCAL INFILE 'unsent' INTO TABLE products"),
                alice.query("SELECT 'unsent'; SELECT 'unsent'"),
            ] {
                let (number, told) = told.expect_err("it has no record");
                assert!(number == 1290 && told.contains("audit trail"), "{number} {told}");
            }
        }
        assert_eq!(price(), before, "{family:?}: it ran without a record");
        pair.gateway.faults("");
        let back = || alice.query("SELECT 'goes on'").is_ok();
        assert!(eventually(PATIENCE, back), "{family:?}: it doesn't come back");
        assert_eq!(alice.value("SELECT DATABASE()"), "shop", "{family:?}");
        alice.command(&execute, Kind::Result).expect("it is still there");
        assert_ne!(price(), before, "{family:?}");
        assert!(!pair.server.log().contains("unsent"), "{family:?}: it ran without a record");
        let verified = pair.gateway.must(&["audit", "verify"]);
        assert!(verified.contains("intact"), "{verified}");
    }
}
