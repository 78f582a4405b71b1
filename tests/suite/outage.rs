//! What the gateway leans on goes away for a while: its store, and room for the trail.

use std::{fs, process::Command, time::Duration};

use nix::sys::signal::Signal;

use crate::support::{
    Gateway, Postgres, RawClient, eventually, gateway,
    raw::{bind, error, execute, parse, query, rows, sync},
};

const ENDLESS: &str = "SELECT count(*) FROM orders a, orders b, orders c";

fn reads(client: &mut RawClient) -> bool {
    error(&client.query("SELECT id FROM orders LIMIT 1")).is_none()
}

/// A gateway whose store is on that server.
pub(crate) fn with_store_on(keeper: &Postgres, target: &Postgres, rest: &str) -> Gateway {
    keeper.sql("CREATE ROLE keeper LOGIN PASSWORD 'k'");
    keeper.sql("CREATE DATABASE state OWNER keeper");
    let options = gateway::Options { rest: rest.to_owned(), ..Default::default() };
    let mut gateway = Gateway::start_with(target, &options);
    gateway.signal(Signal::SIGTERM);
    gateway.wait_end();
    let text = fs::read_to_string(gateway.settings()).expect("reads");
    let store = format!("store = \"postgres://keeper:k@127.0.0.1:{}/state\"\n", keeper.port());
    fs::write(gateway.settings(), store + &text).expect("writes");
    gateway.restart();
    gateway
}

#[test]
fn grants_go_on_without_the_store_for_a_while_and_then_only_roles_count() {
    let (mut keeper, server) = (Postgres::start(), Postgres::start());
    let rest = "[limits]\nstore_offline_max = \"4s\"\n";
    let gateway = with_store_on(&keeper, &server, rest);
    let secret = gateway.principal("alice", "developer");
    let grant = gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    let mut other = gateway.connect("alice", &secret);
    assert!(reads(&mut client));
    other.send_bytes(&query(ENDLESS));
    keeper.stop();
    std::thread::sleep(Duration::from_millis(1500));
    assert!(reads(&mut client), "it is live, and goes on");
    let refused = || !reads(&mut client);
    assert!(eventually(Duration::from_secs(12), refused), "nobody could revoke it");
    let message = error(&other.read_until(b'Z')).expect("it ended").field('M');
    assert!(message.contains(&grant) && message.contains("store"), "{message}");
    assert_eq!(rows(&client.query("SELECT 'standing'")), [["standing"]]);
    assert_eq!(gateway.http("/readyz").map(|(status, _)| status), Some(503));
    keeper.restart();
    assert!(eventually(Duration::from_secs(20), || reads(&mut client)), "it counts again");
    assert!(eventually(Duration::from_secs(5), || {
        gateway.http("/readyz").map(|(status, _)| status) == Some(200)
    }));
}

/// No file of the gateway may grow beyond this; `unlimited` takes it back.
fn files_end_at(gateway: &Gateway, bytes: &str) {
    let pid = gateway.pid().to_string();
    let done = Command::new("prlimit")
        .args(["--pid", &pid, &format!("--fsize={bytes}:")])
        .status()
        .expect("prlimit is there");
    assert!(done.success());
}

fn longest_segment(gateway: &Gateway) -> u64 {
    let files = fs::read_dir(gateway.data().join("trail")).expect("a folder").flatten();
    files.filter_map(|f| f.metadata().ok()).map(|m| m.len()).max().unwrap_or_default()
}

#[test]
fn without_room_for_the_trail_nothing_runs_revocations_hold_and_it_comes_back_by_itself() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let grant = gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    let mut other = gateway.connect("alice", &secret);
    assert!(reads(&mut client));
    other.send_bytes(&query(ENDLESS));
    std::thread::sleep(Duration::from_millis(300));
    // On the same disk lies the log, which can't grow either.
    let log = gateway.folder().join("log");
    let text = fs::read_to_string(&log).expect("reads") + &"padding\n".repeat(8192);
    fs::write(&log, text).expect("writes");
    files_end_at(&gateway, &(longest_segment(&gateway) + 700).to_string());
    let full = |client: &mut RawClient, n: usize| {
        let answer = client.query(&format!("SELECT 'try {n}' FROM orders LIMIT 1"));
        error(&answer).is_some_and(|e| e.field('C') == "58000")
    };
    assert!((0..40).any(|n| full(&mut client, n)), "the trail still takes records");
    assert!((40..45).all(|n| full(&mut client, n)), "one got through");
    assert!(!server.log().contains("'try 44'"), "it ran without a record");
    // What is taken away doesn't wait for its record.
    gateway.must(&["grant", "revoke", &grant]);
    let message = error(&other.read_until(b'Z')).expect("it ended").field('M');
    assert!(message.contains(&grant) && message.contains("revoked"), "{message}");

    files_end_at(&gateway, "unlimited");
    let alive = || rows(&client.query("SELECT 'alive'")) == [["alive"]];
    assert!(eventually(Duration::from_secs(5), alive), "it doesn't come back");
    assert!(!reads(&mut client), "it was revoked");
    gateway.audit_shows("the revocation", |r| r["kind"] == "grant_revoked");
    let verified = gateway.cli(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn a_batch_whose_record_finds_no_room_is_told_so_and_never_runs() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    let batch = |n: usize| {
        let text = format!("SELECT 'batch {n}' FROM orders LIMIT 1");
        [parse("", &text, &[]), bind("", "", &[], 0), execute("", 0), sync()].concat()
    };
    // The trail has just been seen to have room, so that the record waits for others.
    client.send_bytes(&batch(0));
    assert!(error(&client.read_until(b'Z')).is_none());
    let log = gateway.folder().join("log");
    let text = fs::read_to_string(&log).expect("reads") + &"padding\n".repeat(8192);
    fs::write(&log, text).expect("writes");
    files_end_at(&gateway, &(longest_segment(&gateway) + 700).to_string());
    let mut told = None;
    for n in 1..40 {
        client.send_bytes(&batch(n));
        let mut failed = None;
        while let Ok(Some(message)) = client.try_read() {
            if message.tag == b'E' {
                failed = Some(message.field('C'));
            }
            if message.tag == b'Z' {
                break;
            }
        }
        if let Some(code) = failed {
            told = Some((n, code));
            break;
        }
    }
    let (n, code) = told.expect("the trail still takes records");
    assert_eq!(code, "58000");
    assert!(!server.log().contains(&format!("'batch {n}'")), "it ran without a record");
    files_end_at(&gateway, "unlimited");
    let mut again = gateway.connect("alice", &secret);
    assert!(eventually(Duration::from_secs(5), || reads(&mut again)), "it doesn't come back");
    let verified = gateway.cli(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn a_session_whose_server_goes_away_is_told_and_leaves_no_record_open() {
    let mut server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut idle = gateway.connect("alice", &secret);
    let mut busy = gateway.connect("alice", &secret);
    idle.query("SELECT 'before'");
    busy.send_bytes(&query("SELECT pg_sleep(60)"));
    std::thread::sleep(Duration::from_millis(300));
    server.stop();
    for client in [&mut idle, &mut busy] {
        let mut last = None;
        while let Ok(Some(message)) = client.try_read() {
            last = Some(message);
        }
        let last = last.expect("a last word");
        let code = last.field('C');
        assert!(last.tag == b'E' && ["08006", "57P01", "57P02"].contains(&&*code), "{last:?}");
        assert_eq!(last.field('V'), "FATAL", "{last:?}");
    }
    let unknown =
        |r: &serde_json::Value| r["statement"] == "SELECT pg_sleep(60)" && r["ended"].is_string();
    gateway.audit_shows("the statement's end", unknown);
}
