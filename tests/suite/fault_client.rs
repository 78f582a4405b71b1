//! The client goes away, or its session is ended: nothing it began runs on at the server.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    gateway::{Options, TARGET},
    raw::{PROTOCOL_3_0, bind, copy_data, error, execute, parse, query, rows, sync},
};

/// Whatever still works at the server for the gateway's sessions.
fn working(server: &Postgres) -> String {
    server.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'hallpass' AND state <> 'idle' \
         AND application_name <> 'hallpass/control'",
    )
}

/// A change that takes this many seconds and would last.
fn slow_change(mark: &str, seconds: u32) -> String {
    format!(
        "UPDATE orders SET note = '{mark}' WHERE id = 1 AND pg_catalog.pg_sleep({seconds}) IS NOT NULL"
    )
}

fn note(server: &Postgres) -> String {
    server.sql("SELECT coalesce(note, '') FROM orders WHERE id = 1")
}

fn wait_working(server: &Postgres) {
    assert!(eventually(Duration::from_secs(10), || working(server) != "0"), "it never began");
}

fn wait_ended(server: &Postgres) {
    assert!(eventually(Duration::from_secs(8), || working(server) == "0"), "it runs on");
}

fn ended_on_record(gateway: &Gateway, text: &str) {
    gateway.audit_shows("how it ended", |r| {
        r["statement"].as_str().is_some_and(|s| s.contains(text)) && r["ended"].is_string()
    });
}

#[test]
fn what_a_client_left_running_ends_at_the_server() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let slow = slow_change("left", 600);
    let batch = [parse("", &slow, &[]), bind("", "", &[], 0), execute("", 0), sync()].concat();
    let rows_for_ever = "SELECT g FROM generate_series(1, 2000000000) g".to_owned();
    for (name, bytes) in [
        ("a Query", query(&slow)),
        ("a batch", batch),
        ("two of them", [query(&slow), query(&slow)].concat()),
        ("a result", query(&rows_for_ever)),
        ("a COPY out", query(&format!("COPY ({rows_for_ever}) TO STDOUT"))),
    ] {
        for goodbye in [false, true] {
            let mut client = gateway.connect("alice", &secret);
            client.send_bytes(&bytes);
            wait_working(&server);
            if goodbye {
                client.send_bytes(&[b'X', 0, 0, 0, 4]);
            }
            client.vanish();
            assert!(
                eventually(Duration::from_secs(8), || working(&server) == "0"),
                "{name} runs on, goodbye: {goodbye}"
            );
        }
    }
    assert_ne!(note(&server), "left");
    ended_on_record(&gateway, "'left'");
    assert!(eventually(Duration::from_secs(5), || {
        gateway
            .http("/metrics")
            .is_some_and(|(_, page)| page.contains("hallpass_connections_open 0\n"))
    }));
}

#[test]
fn a_short_statement_of_a_client_that_hangs_up_is_done_all_the_same() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    client.send_bytes(&query("UPDATE orders SET note = 'sent and forgotten' WHERE id = 1"));
    client.terminate();
    let done = || note(&server) == "sent and forgotten";
    assert!(eventually(Duration::from_secs(5), done), "it was cancelled");
}

#[test]
fn a_copy_that_its_client_left_in_the_middle_loads_nothing() {
    let server = Postgres::start();
    server.sql("CREATE TABLE lines (text text); ALTER TABLE lines OWNER TO hallpass");
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    for half in [false, true] {
        let mut client = gateway.connect("alice", &secret);
        client.send_bytes(&query("COPY lines FROM STDIN"));
        client.read_until(b'G');
        client.send_bytes(&copy_data(b"one\n").repeat(1000));
        if half {
            // The rest of this message is as long as the gateway's own goodbye.
            client.send_bytes(&[b'd', 0, 0, 0, 13, b't', b'w', b'o', b'\n']);
        }
        client.vanish();
        wait_ended(&server);
        assert_eq!(server.sql("SELECT count(*) FROM lines"), "0");
    }
    ended_on_record(&gateway, "COPY lines");
}

#[test]
fn a_transaction_that_its_client_left_is_rolled_back_and_holds_no_lock() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    client.query("BEGIN");
    client.query("UPDATE orders SET note = 'open' WHERE id = 1");
    client.vanish();
    let free = || {
        server.sql("SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = relation WHERE relname = 'orders'") == "0"
    };
    assert!(eventually(Duration::from_secs(5), free));
    assert_ne!(note(&server), "open");
    let settled = |r: &serde_json::Value| {
        r["statement"].as_str().is_some_and(|s| s.contains("'open'"))
            && r["transaction_end"] == "rolled_back"
    };
    gateway.audit_shows("the transaction's end", settled);
}

#[test]
fn who_vanishes_while_logging_in_leaves_nothing_behind() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    for step in 0..3 {
        let mut client = RawClient::open(&gateway.address());
        if step > 0 {
            client.startup(PROTOCOL_3_0, &[("user", "alice"), ("database", TARGET)]);
        }
        if step > 1 {
            client.read();
        }
        client.vanish();
    }
    let gone = || {
        server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'alice/%'")
            == "0"
    };
    assert!(eventually(Duration::from_secs(5), gone));
    assert_eq!(rows(&gateway.connect("alice", &secret).query("SELECT 'alive'")), [["alive"]]);
}

#[test]
fn what_runs_in_a_session_that_is_ended_ends_before_it_can_last() {
    let server = Postgres::start();
    let rest = "[limits]\ndrain_timeout = \"1s\"\n".to_owned();
    let mut gateway = Gateway::start_with(&server, &Options { rest, ..Options::default() });
    let (alice, bob, carol) =
        (gateway.almighty("alice"), gateway.almighty("bob"), gateway.almighty("carol"));
    let begin = |gateway: &Gateway, who: &str, secret: &str, mark: &str| {
        let mut client = gateway.connect(who, secret);
        let packet = [query(&slow_change(mark, 4)), query(&slow_change(mark, 0))].concat();
        client.send_bytes(&packet);
        wait_working(&server);
        client
    };

    let mut killed = begin(&gateway, "alice", &alice, "killed");
    let sessions = gateway.json(&["session", "list"]);
    let id = sessions[0]["id"].as_str().expect("an id").to_owned();
    let began = Instant::now();
    gateway.must(&["session", "kill", &id]);
    assert!(killed.ends_after(b"E"));
    wait_ended(&server);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());

    let mut disabled = begin(&gateway, "bob", &bob, "disabled");
    let began = Instant::now();
    gateway.must(&["principal", "disable", "bob"]);
    assert!(disabled.ends_after(b"E"));
    wait_ended(&server);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());

    let mut stopped = begin(&gateway, "carol", &carol, "stopped");
    gateway.signal(Signal::SIGTERM);
    let mut told = None;
    while let Ok(Some(message)) = stopped.try_read() {
        told = Some(message);
    }
    assert_eq!(error(told.as_slice()).map(|e| e.field('C')).as_deref(), Some("57P01"));
    assert_eq!(gateway.wait_end(), Some(0));
    wait_ended(&server);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(note(&server), server.sql("SELECT coalesce(note, '') FROM orders WHERE id = 1 AND note NOT IN ('killed', 'disabled', 'stopped')"));
    gateway.restart();
    for mark in ["'killed'", "'disabled'", "'stopped'"] {
        ended_on_record(&gateway, mark);
    }
    gateway.must(&["audit", "verify"]);
}
