//! The system's clock is set: no right lives longer by it, and none dies of a small step.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    gateway::Options,
    raw::{error, query, rows},
};

const ENDLESS: &str = "SELECT count(*) FROM orders a, orders b, orders c";

fn with_faults(server: &Postgres) -> Gateway {
    Gateway::start_with(server, &Options { faults: true, ..Options::default() })
}

fn reads(client: &mut RawClient) -> bool {
    error(&client.query("SELECT id FROM orders LIMIT 1")).is_none()
}

fn grant_for(gateway: &Gateway, seconds: u32) {
    gateway.grant_with("alice", "select", &["--for", &format!("{seconds}s")]);
}

#[test]
fn a_clock_that_is_set_back_gives_no_grant_a_longer_life() {
    let server = Postgres::start();
    let gateway = with_faults(&server);
    let secret = gateway.principal("alice", "developer");
    let mut client = gateway.connect("alice", &secret);
    let mut busy = gateway.connect("alice", &secret);
    let began = Instant::now();
    grant_for(&gateway, 8);
    busy.send_bytes(&query(ENDLESS));
    for back in [-1, -3600, -7200, -100_000] {
        assert!(reads(&mut client), "a step of the clock ended a grant");
        gateway.faults(&format!("clock {back}"));
    }
    let ended = error(&busy.read_until(b'Z')).expect("it ended").field('M');
    assert!(ended.contains("expired"), "{ended}");
    let lived = began.elapsed();
    assert!(lived < Duration::from_secs(12), "{lived:?}");
    assert!(!reads(&mut client));
    assert!(!reads(&mut gateway.connect("alice", &secret)));
    times_never_run_back(&gateway);
}

#[test]
fn a_clock_that_is_set_forward_ends_what_has_ended_by_it_and_nothing_else() {
    let server = Postgres::start();
    let gateway = with_faults(&server);
    let secret = gateway.principal("alice", "developer");
    let mut client = gateway.connect("alice", &secret);
    let mut busy = gateway.connect("alice", &secret);
    grant_for(&gateway, 1200);
    busy.send_bytes(&query(ENDLESS));
    gateway.faults("clock 5");
    assert!(reads(&mut client), "a small step ended it");
    // What it has read is told to the store, which wakes everybody: not behind the next step.
    std::thread::sleep(Duration::from_millis(2500));
    gateway.faults("clock 1195");
    assert!(busy.is_silent_for(Duration::from_millis(700)), "it is not over yet");
    // Its alarm was set before the clock was.
    let ended = error(&busy.read_until(b'Z')).expect("it ended").field('M');
    assert!(ended.contains("expired"), "{ended}");
    assert!(!reads(&mut client));
    gateway.faults("");
    assert!(!reads(&mut client), "time ran back");
    times_never_run_back(&gateway);
}

#[test]
fn a_clock_that_was_set_back_while_nobody_served_wakes_no_grant() {
    let server = Postgres::start();
    let mut gateway = with_faults(&server);
    let secret = gateway.principal("alice", "developer");
    grant_for(&gateway, 2);
    let mut client = gateway.connect("alice", &secret);
    client.query("SELECT 'before the stop'");
    assert!(eventually(Duration::from_secs(8), || !reads(&mut client)));
    // The highest time is kept every five seconds, and at every change.
    std::thread::sleep(Duration::from_secs(6));
    gateway.signal(Signal::SIGKILL);
    gateway.wait_end_by_signal();
    gateway.faults("clock -3600");
    gateway.restart();
    let mut client = gateway.connect("alice", &secret);
    assert!(!reads(&mut client), "it is alive again");
    assert_eq!(rows(&client.query("SELECT 'standing'")), [["standing"]]);
    times_never_run_back(&gateway);
    gateway.must(&["audit", "verify"]);
}

#[test]
fn after_a_clock_was_far_ahead_grants_last_as_long_as_they_say() {
    let server = Postgres::start();
    let mut gateway = with_faults(&server);
    let secret = gateway.principal("alice", "developer");
    let mut client = gateway.connect("alice", &secret);
    let ten_years = 10 * 365 * 86_400;
    gateway.faults(&format!("clock {ten_years}"));
    client.query("SELECT 'in ten years'");
    // Until the store has taken it over.
    std::thread::sleep(Duration::from_secs(6));
    gateway.faults("");
    let lasts_as_it_says = |gateway: &Gateway, client: &mut RawClient| {
        let began = Instant::now();
        grant_for(gateway, 8);
        assert!(eventually(Duration::from_secs(3), || reads(client)), "a grant gives nothing");
        assert!(eventually(Duration::from_secs(12), || !reads(client)), "it does not end");
        let lived = began.elapsed();
        // The command's own clock is right, and what the store knows is up to five seconds old.
        assert!(lived > Duration::from_millis(2500), "{lived:?}");
        assert!(lived < Duration::from_secs(12), "{lived:?}");
    };
    lasts_as_it_says(&gateway, &mut client);
    gateway.signal(Signal::SIGTERM);
    drop(client);
    gateway.wait_end();
    gateway.restart();
    let mut client = gateway.connect("alice", &secret);
    lasts_as_it_says(&gateway, &mut client);
    let checked = gateway.cli(&["check"]);
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(said.contains("ahead of this machine's clock"), "{said}");
    times_never_run_back(&gateway);
    gateway.must(&["audit", "verify"]);
}

#[test]
fn a_store_whose_time_was_far_ahead_is_set_right_and_nobody_gains_by_it() {
    let server = Postgres::start();
    let mut gateway = with_faults(&server);
    let secret = gateway.principal("alice", "developer");
    let mut client = gateway.connect("alice", &secret);
    // By the right clock it would live for half an hour.
    grant_for(&gateway, 1800);
    assert!(eventually(Duration::from_secs(3), || reads(&mut client)));
    gateway.faults("clock 864000");
    assert!(eventually(Duration::from_secs(8), || !reads(&mut client)), "it has not expired");
    // Made under the wrong clock: it ends ten days from now.
    std::thread::sleep(Duration::from_secs(6));
    grant_for(&gateway, 600);
    assert!(eventually(Duration::from_secs(3), || reads(&mut client)));
    gateway.faults("");
    let set_time = ["store", "set-time", "--yes"];
    let refused = gateway.cli(&set_time);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("stop all of them first"));
    gateway.signal(Signal::SIGTERM);
    drop(client);
    gateway.wait_end();

    let shown = gateway.cli(&set_time[..2]);
    let said = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert_eq!(shown.status.code(), Some(1), "{shown:?}");
    assert!(said.contains("would end: grant G-1 of alice"), "{said}");
    assert!(said.contains("would end: grant G-2 of alice") && said.contains("--yes"), "{said}");
    assert_ne!(
        gateway.json(&["grant", "show", "G-2"])["status"],
        "revoked",
        "it changed something"
    );
    let said = gateway.must(&set_time);
    assert!(said.contains("ended: grant G-1") && said.contains("ended: grant G-2"), "{said}");
    assert!(gateway.must(&set_time).contains("nothing to do"));

    gateway.restart();
    let mut client = gateway.connect("alice", &secret);
    assert!(!reads(&mut client), "it is alive again");
    for id in ["G-1", "G-2"] {
        assert_eq!(gateway.json(&["grant", "show", id])["status"], "revoked");
    }
    let began = Instant::now();
    grant_for(&gateway, 8);
    assert!(eventually(Duration::from_secs(3), || reads(&mut client)), "a grant gives nothing");
    assert!(eventually(Duration::from_secs(14), || !reads(&mut client)), "it does not end");
    assert!(began.elapsed() > Duration::from_secs(4), "{:?}", began.elapsed());
    let checked = gateway.cli(&["check"]);
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(!said.contains("ahead of this machine's clock"), "{said}");
    let trail = gateway.trail();
    let record = trail.lines().find(|line| line.contains("time_set_right")).expect("on record");
    assert!(record.contains("\"actor\":\"os:") && record.contains("G-2"), "{record}");
    gateway.must(&["audit", "verify"]);
}

/// Within a lane. Sessions that share one note the time when they wake up, each for itself.
fn times_never_run_back(gateway: &Gateway) {
    let mut last: std::collections::HashMap<u64, String> = std::collections::HashMap::new();
    for line in gateway.trail().lines().filter(|l| l.contains("\"lane\":")) {
        let Ok(record) = serde_json::from_str::<Value>(line) else { continue };
        let (Some(lane), Some(time)) = (record["lane"].as_u64(), record["time"].as_str()) else {
            continue;
        };
        let to_the_second = time[..19].to_owned();
        if let Some(before) = last.insert(lane, to_the_second.clone()) {
            assert!(before <= to_the_second, "{before} is followed by {line}");
        }
    }
    assert!(!last.is_empty());
}
