//! A mistake in the gateway costs the session that it happened in, and no other.

use std::time::Duration;

use crate::support::{
    Gateway, Postgres, eventually,
    gateway::Options,
    raw::{bind, error, execute, parse, query, rows, sync},
};

fn with_faults(server: &Postgres) -> Gateway {
    Gateway::start_with(server, &Options { faults: true, ..Options::default() })
}

fn panics(gateway: &Gateway) -> u64 {
    let page = gateway.http("/metrics").expect("answers").1;
    let line = page.lines().find_map(|l| l.strip_prefix("hallpass_panics_total "));
    line.expect("it is counted").parse().expect("a number")
}

#[test]
fn a_panic_in_one_session_leaves_the_others_alive_and_no_record_open() {
    let server = Postgres::start();
    let gateway = with_faults(&server);
    let secret = gateway.almighty("alice");
    // More than there are cores: some share one with those that fail.
    let mut others: Vec<_> = (0..8).map(|_| gateway.connect("alice", &secret)).collect();
    for other in &mut others {
        other.query("BEGIN");
        other.query("SELECT 'before the panic'");
    }
    gateway.faults("panic relay 'boom'");
    let before = "UPDATE orders SET note = 'by a session that failed' WHERE id = 1";
    let batch = [parse("", "SELECT 'boom'", &[]), bind("", "", &[], 0), execute("", 0), sync()];
    for bytes in [query("SELECT 'boom'"), batch.concat()] {
        let mut client = gateway.connect("alice", &secret);
        client.query("BEGIN");
        client.query(before);
        client.send_bytes(&query("SELECT pg_sleep(30), 'runs when it happens'"));
        assert!(client.is_silent_for(Duration::from_millis(300)));
        client.send_bytes(&bytes);
        let told = client.read();
        assert_eq!((told.tag, told.field('C').as_str()), (b'E', "XX000"), "{told:?}");
        assert_eq!(told.field('V'), "FATAL");
        assert!(client.ends_after(b""));
    }
    for other in &mut others {
        assert_eq!(rows(&other.query("SELECT 'goes on'")), [["goes on"]]);
        assert!(error(&other.query("COMMIT")).is_none());
    }
    assert_eq!(panics(&gateway), 2);
    let left = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%runs when%' AND pid <> pg_backend_pid() AND state = 'active'";
    assert!(eventually(Duration::from_secs(5), || server.sql(left) == "0"), "it runs on");
    assert_eq!(
        server.sql("SELECT count(*) FROM orders WHERE note = 'by a session that failed'"),
        "0"
    );
    let ended = |what: &str| {
        gateway.audit_shows(what, |r| {
            r["statement"].as_str().is_some_and(|s| s.contains(what)) && r["ended"].is_string()
        })
    };
    // A statement was running behind it: whether that had ended the transaction, nobody knows.
    assert_eq!(ended("by a session that failed")["transaction_end"], "unknown");
    ended("runs when it happens");
    gateway.audit_shows("the session's end", |r| {
        r["kind"] == "session.closed"
            && r["message"].as_str().is_some_and(|m| m.contains("mistake"))
    });
    assert!(!gateway.log().contains("boom"), "a statement's text is in the log");
    gateway.must(&["audit", "verify"]);
}

#[test]
fn a_panic_of_a_parser_thread_or_of_the_desk_costs_one_answer() {
    let server = Postgres::start();
    let gateway = with_faults(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    gateway.faults("panic parser boom\npanic desk whoami");
    let long = format!("SELECT 'boom', '{}' FROM orders LIMIT 1", "x".repeat(200_000));
    for _ in 0..3 {
        let answer = client.query(&long);
        assert_eq!(error(&answer).map(|e| e.field('C')).as_deref(), Some("54000"), "{answer:?}");
    }
    let answer = client.query("SELECT * FROM hallpass.whoami");
    assert_eq!(error(&answer).map(|e| e.field('C')).as_deref(), Some("XX000"), "{answer:?}");
    gateway.faults("");
    assert!(error(&client.query(&long)).is_none());
    assert!(error(&client.query("SELECT * FROM hallpass.whoami")).is_none());
    assert_eq!(panics(&gateway), 4);
}

#[test]
fn a_gateway_that_has_lost_what_follows_the_store_stops() {
    let server = Postgres::start();
    let mut gateway = with_faults(&server);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    gateway.faults("panic background tick");
    assert!(client.ends_after(b"E"), "nobody would notice a revocation any more");
    assert_eq!(gateway.wait_end(), Some(4));
    gateway.faults("");
    gateway.restart();
    gateway.must(&["audit", "verify"]);
}
