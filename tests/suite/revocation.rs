//! A right that ends under a statement or a transaction.

use std::time::{Duration, Instant};

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    raw::{error, query, rows},
};

const ENDLESS: &str = "SELECT count(*) FROM orders a, orders b, orders c";

fn start(permissions: &str) -> (Postgres, Gateway, RawClient, String) {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let grant = gateway.grant("alice", permissions);
    let client = gateway.connect("alice", &secret);
    (server, gateway, client, grant)
}

#[test]
fn a_running_statement_ends_in_under_a_second() {
    let (server, gateway, mut client, grant) = start("select");
    client.send_bytes(&query(ENDLESS));
    assert!(client.is_silent_for(Duration::from_millis(300)));
    gateway.must(&["grant", "revoke", &grant]);
    let began = Instant::now();
    let answer = client.read_until(b'Z');
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let message = error(&answer).expect("an error").field('M');
    assert!(message.contains(&grant) && message.contains("revoked"), "{message}");
    let gone = || {
        server.sql(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'
             AND query LIKE '%orders a, orders b%' AND pid <> pg_backend_pid()",
        ) == "0"
    };
    assert!(eventually(Duration::from_secs(2), gone), "the server still works on it");
    assert_eq!(rows(&client.query("SELECT 'alive'")), [["alive"]]);
}

#[test]
fn a_transaction_that_used_the_grant_is_rolled_back_and_says_so_at_commit() {
    let (server, gateway, mut client, grant) = start("dml");
    client.query("BEGIN");
    let write = client.query("UPDATE products SET name = 'unwanted' WHERE id = 1");
    assert!(error(&write).is_none(), "{write:?}");
    gateway.must(&["grant", "revoke", &grant]);
    let rolled_back = || {
        server.sql(
            "SELECT count(*) FROM pg_stat_activity
             WHERE application_name LIKE 'alice/%' AND state LIKE 'idle in transaction%'
             AND backend_xid IS NOT NULL",
        ) == "0"
    };
    assert!(eventually(Duration::from_secs(2), rolled_back), "locks are still held");
    let answer = client.query("COMMIT");
    let message = error(&answer).map(|e| e.field('M')).unwrap_or_default();
    assert!(message.contains("rolled back") && message.contains(&grant), "{answer:?}");
    assert_ne!(server.sql("SELECT name FROM products WHERE id = 1"), "unwanted");
    client.query("ROLLBACK");
    assert_eq!(rows(&client.query("SELECT 'alive'")), [["alive"]]);
}

#[test]
fn a_transaction_that_did_not_use_the_grant_is_left_alone() {
    let (server, gateway, mut client, grant) = start("select");
    gateway.grant_with("alice", "dml", &["--for", "30m", "--scope", "public.products"]);
    client.query("BEGIN");
    let write = || {
        error(&client.query("UPDATE products SET name = 'wanted' WHERE id = 2")).is_none()
            || error(&client.query("ROLLBACK; BEGIN")).is_some()
    };
    assert!(eventually(Duration::from_secs(3), write));
    gateway.must(&["grant", "revoke", &grant]);
    std::thread::sleep(Duration::from_millis(700));
    let end = client.query("COMMIT");
    assert!(error(&end).is_none(), "{end:?}");
    assert_eq!(server.sql("SELECT name FROM products WHERE id = 2"), "wanted");
}

#[test]
fn everything_of_one_person_can_be_revoked_at_once() {
    let (_server, gateway, mut client, _grant) = start("select");
    gateway.grant("alice", "dml");
    gateway.must(&["grant", "revoke", "--all-of", "alice"]);
    let refused = || error(&client.query("SELECT 1 FROM orders LIMIT 1")).is_some();
    assert!(eventually(Duration::from_secs(1), refused));
    assert_eq!(gateway.json(&["grant", "list", "--active"]), serde_json::json!([]));
}

#[test]
fn a_disabled_principal_loses_the_session() {
    let (_server, gateway, mut client, _grant) = start("select");
    gateway.must(&["principal", "disable", "alice"]);
    assert!(client.ends_after(b"EN"), "{:?}", client.record.last());
}

#[test]
fn a_session_can_be_killed() {
    let (_server, gateway, mut client, _grant) = start("select");
    let sessions = gateway.json(&["session", "list"]);
    let id = sessions[0]["id"].as_str().unwrap_or_else(|| panic!("{sessions}")).to_owned();
    gateway.must(&["session", "kill", &id]);
    assert!(client.ends_after(b"EN"), "{:?}", client.record.last());
}
