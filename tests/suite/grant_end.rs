//! The end of a grant's window: warnings before it, and what was agreed for it.

use std::time::{Duration, Instant};

use crate::support::{
    Gateway, Postgres, eventually,
    raw::{error, query, rows},
};

fn start() -> (Postgres, Gateway, String) {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    (server, gateway, secret)
}

/// Waits for the window of a grant to close.
fn wait_expired(gateway: &Gateway) {
    let closed = || gateway.json(&["grant", "list", "--active"]) == serde_json::json!([]);
    assert!(eventually(Duration::from_secs(10), closed));
    std::thread::sleep(Duration::from_millis(300));
}

const ENDLESS: &str = "SELECT count(*) FROM orders a, orders b, orders c";

#[test]
fn its_holder_is_told_five_minutes_and_one_minute_before_how_to_extend_it() {
    let (_server, gateway, secret) = start();
    let mut client = gateway.connect("alice", &secret);
    let long = gateway.grant_with("alice", "select", &["--for", "302s"]);
    let short = gateway.grant_with("alice", "dml", &["--for", "62s"]);
    let told = [client.read(), client.read()];
    let told: Vec<String> = told.iter().map(|m| format!("{} {}", m.tag, m.field('M'))).collect();
    let line = |id: &str, left: &str, what: &str| {
        told.iter().any(|t| {
            t.starts_with("78 ")
                && t.contains(&format!("{id} ends in {left}"))
                && t.contains(&format!("SELECT hallpass.request('{what}', '30m', 'a test');"))
        })
    };
    assert!(line(&long, "five minutes", "select") && line(&short, "a minute", "dml"), "{told:?}");
    // Once each, and the line does what it says.
    assert!(client.is_silent_for(Duration::from_millis(1500)));
    let answer = client.query("SELECT hallpass.request('dml', '30m', 'a test');");
    assert!(error(&answer).is_none(), "{answer:?}");
}

#[test]
fn without_more_the_statement_and_the_transaction_end_with_it() {
    let (server, gateway, secret) = start();
    let mut client = gateway.connect("alice", &secret);
    gateway.grant_with("alice", "dml,select", &["--for", "3s"]);
    client.query("BEGIN");
    assert!(error(&client.query("UPDATE products SET name = 'unwanted' WHERE id = 1")).is_none());
    client.send_bytes(&query(ENDLESS));
    let message = error(&client.read_until(b'Z')).expect("it ended").field('M');
    assert!(message.contains("expired at"), "{message}");
    let told = error(&client.query("COMMIT")).expect("nothing was committed").field('M');
    assert!(told.contains("rolled back") && told.contains("expired"), "{told}");
    assert_eq!(server.sql("SELECT count(*) FROM products WHERE name = 'unwanted'"), "0");
}

#[test]
fn a_statement_may_finish_if_that_was_agreed_and_nothing_behind_it() {
    let (_server, gateway, secret) = start();
    let mut client = gateway.connect("alice", &secret);
    let mut other = gateway.connect("alice", &secret);
    gateway.grant_with("alice", "select,admin", &["--for", "3s", "--at-end", "finish_statement"]);
    let slow = "SELECT count(*), pg_sleep(4) FROM orders LIMIT 1";
    client.send_bytes(&query(slow));
    other.query("BEGIN");
    other.send_bytes(&query(slow));
    let answer = client.read_until(b'Z');
    assert!(error(&answer).is_none(), "{answer:?}");
    assert!(error(&client.query("SELECT id FROM orders LIMIT 1")).is_some());
    let answer = other.read_until(b'Z');
    assert_eq!(rows(&answer).len(), 1, "{answer:?}");
    assert_eq!(answer.last().map(|m| m.body.as_slice()), Some(&b"E"[..]), "{answer:?}");
    let told = error(&other.query("COMMIT")).expect("it was rolled back").field('M');
    assert!(told.contains("rolled back") && told.contains("expired"), "{told}");
    assert_eq!(rows(&other.query("SELECT 'alive'")), [["alive"]]);
}

#[test]
fn a_transaction_may_finish_if_that_was_agreed_and_only_its_end_passes() {
    let (server, gateway, secret) = start();
    let mut one = gateway.connect("alice", &secret);
    let mut two = gateway.connect("alice", &secret);
    gateway.grant_with("alice", "dml", &["--for", "3s", "--at-end", "finish_transaction"]);
    for (client, id) in [(&mut one, 1), (&mut two, 2)] {
        client.query("BEGIN");
        let write = client.query(&format!("UPDATE products SET name = 'new {id}' WHERE id = {id}"));
        assert!(error(&write).is_none(), "{write:?}");
    }
    wait_expired(&gateway);
    let end = one.query("COMMIT");
    assert!(error(&end).is_none(), "{end:?}");
    assert_eq!(server.sql("SELECT name FROM products WHERE id = 1"), "new 1");
    // The rest of a script can't go on, and half of it isn't committed.
    let message = error(&two.query("SELECT 1")).expect("refused").field('M');
    assert!(message.contains("only COMMIT and ROLLBACK pass"), "{message}");
    two.query("COMMIT");
    assert_ne!(server.sql("SELECT name FROM products WHERE id = 2"), "new 2");
    assert_eq!(rows(&two.query("SELECT 'alive'")), [["alive"]]);
    assert!(error(&one.query("UPDATE products SET name = 'x' WHERE id = 1")).is_some());
}

#[test]
fn what_was_agreed_is_bounded() {
    let (server, gateway, secret) = start();
    let mut idle = gateway.connect("alice", &secret);
    let mut busy = gateway.connect("alice", &secret);
    gateway.grant_with("alice", "dml", &["--for", "3s", "--at-end", "finish_transaction"]);
    gateway.grant_with("alice", "select", &["--for", "3s", "--at-end", "finish_statement"]);
    let began = Instant::now();
    idle.query("BEGIN");
    assert!(error(&idle.query("UPDATE products SET name = 'kept' WHERE id = 3")).is_none());
    busy.send_bytes(&query(ENDLESS));
    assert!(busy.is_silent_for(Duration::from_secs(10)), "it may run");
    let message = error(&busy.read_until(b'Z')).expect("it ended").field('M');
    assert!(message.contains("expired"), "{message}");
    let took = began.elapsed();
    assert!((Duration::from_secs(25)..Duration::from_secs(40)).contains(&took), "{took:?}");
    let free = "SELECT count(*) FROM pg_locks WHERE relation = 'products'::regclass";
    assert!(eventually(Duration::from_secs(5), || server.sql(free) == "0"), "locks are held");
    let told = error(&idle.query("COMMIT")).expect("it was rolled back").field('M');
    assert!(told.contains("rolled back") && told.contains("expired"), "{told}");
}
