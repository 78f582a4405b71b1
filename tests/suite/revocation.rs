//! A right that ends under a statement or a transaction.

use std::time::{Duration, Instant};

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    raw::{bind, error, execute, parse, query, rows, sync, tags},
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
    let mut id = String::new();
    let listed = eventually(Duration::from_secs(10), || {
        let sessions = gateway.json(&["session", "list"]);
        id = sessions[0]["id"].as_str().unwrap_or_default().to_owned();
        !id.is_empty()
    });
    assert!(listed, "it isn't listed");
    gateway.must(&["session", "kill", &id]);
    assert!(client.ends_after(b"EN"), "{:?}", client.record.last());
}

/// Runs on whatever cancels come.
const STUBBORN: &str = "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(100); \
                        EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$";

fn backends(server: &Postgres) -> String {
    server.sql(
        "SELECT string_agg(pid::text || ' ' || application_name, ', ') FROM pg_stat_activity
         WHERE application_name LIKE 'alice/%'",
    )
}

#[test]
fn a_statement_that_ignores_its_cancel_loses_its_upstream_and_the_session_goes_on() {
    let (server, gateway, mut client, grant) = start("admin");
    client.query("SET application_name = 'stubborn'");
    client.query("SET datestyle = 'German'");
    client.exchange(&[parse("kept", "SELECT 1", &[]), sync()], 1);
    let before = backends(&server);
    client.send_bytes(&query(STUBBORN));
    assert!(client.is_silent_for(Duration::from_millis(300)));
    let began = Instant::now();
    gateway.must(&["grant", "revoke", &grant]);
    let answer = client.read_until(b'Z');
    assert!(began.elapsed() < Duration::from_millis(2000), "{:?}", began.elapsed());
    let told = error(&answer).expect("an error");
    assert!(told.field('M').contains(&grant) && told.field('M').contains("revoked"), "{told:?}");
    assert!(told.field('D').contains("is gone"), "{told:?}");
    assert_eq!(answer.last().map(|m| m.body.as_slice()), Some(&b"I"[..]));

    assert_eq!(rows(&client.query("SELECT 'alive'")), [["alive"]]);
    assert_eq!(rows(&client.query("SHOW application_name")), [["stubborn"]]);
    assert_eq!(client.parameters["DateStyle"], "ISO, MDY", "what it is now has been told");
    let gone = client.exchange(&[bind("", "kept", &[], 0), execute("", 0), sync()], 1);
    assert_eq!(error(&gone).expect("it is gone").field('C'), "26000");
    let now = backends(&server);
    assert!(now != before && now.ends_with("alice/stubborn") && !now.contains(','), "{now}");
    let new = now.split(' ').next().unwrap_or_default().parse::<u64>().expect("a number");
    let shown = gateway.audit_shows("the new connection", |r| r["kind"] == "session.upstream");
    let listed = gateway.json(&["session", "list"]);
    assert_eq!(listed[0]["id"], format!("S-{}", shown["session"]), "{listed}");
    assert!(gateway.trail().contains(&format!("\"backend\":{new}")));
    let cut = |r: &serde_json::Value| {
        r["statement"].as_str().is_some_and(|s| s.contains("LOOP")) && r["ended"] == "cancelled"
    };
    gateway.audit_shows("that it was cancelled", cut);

    // The key that the client was given cancels at the new server.
    gateway.grant("alice", "admin");
    client.send_bytes(&query("SELECT pg_sleep(60)"));
    assert!(client.is_silent_for(Duration::from_millis(300)));
    client.cancel();
    assert_eq!(error(&client.read_until(b'Z')).expect("cancelled").field('C'), "57014");
}

#[test]
fn a_transaction_that_loses_its_upstream_is_a_failed_one_at_the_next() {
    let (server, gateway, mut client, grant) = start("admin,dml");
    client.query("BEGIN");
    client.query("UPDATE products SET name = 'unwanted' WHERE id = 1");
    client.send_bytes(&[query(STUBBORN), query("UPDATE products SET name = 'later'")].concat());
    assert!(client.is_silent_for(Duration::from_millis(300)));
    gateway.must(&["grant", "revoke", &grant]);
    let answer = client.read_until(b'Z');
    assert!(error(&answer).expect("an error").field('M').contains(&grant), "{answer:?}");
    assert_eq!(answer.last().map(|m| m.body.as_slice()), Some(&b"E"[..]), "{answer:?}");
    let behind = client.read_until(b'Z');
    assert!(error(&behind).is_some(), "{behind:?}");
    // The rest of a script doesn't run outside of its transaction.
    assert!(error(&client.query("SELECT 1")).is_some());
    let end = client.query("COMMIT");
    let told = error(&end).expect("nothing was committed").field('M');
    assert!(told.contains("rolled back") && told.contains(&grant), "{told}");
    assert_eq!(rows(&client.query("SELECT 'alive'")), [["alive"]]);
    assert_eq!(
        server.sql("SELECT count(*) FROM products WHERE name IN ('unwanted', 'later')"),
        "0"
    );
}

#[test]
fn a_pipeline_that_loses_its_upstream_is_skipped_to_its_sync() {
    let (_server, gateway, mut client, grant) = start("admin");
    let sleepy = [parse("", STUBBORN, &[]), bind("", "", &[], 0), execute("", 0)].concat();
    let other = [parse("", "SELECT 1", &[]), bind("", "", &[], 0), execute("", 0)].concat();
    client.send_bytes(&[sleepy, other.clone(), sync(), other, sync()].concat());
    assert!(client.is_silent_for(Duration::from_millis(300)));
    gateway.must(&["grant", "revoke", &grant]);
    let answer = client.read_until(b'Z');
    assert_eq!(tags(&answer).replace(['S', 'N'], "").matches('E').count(), 1, "{answer:?}");
    let next = client.read_until(b'Z');
    assert_eq!(
        rows(&next),
        [["1"]],
        "it waited for what ran before it, and runs at the next server"
    );
    let fresh = [parse("", "SELECT 'new'", &[]), bind("", "", &[], 0), execute("", 0), sync()];
    assert_eq!(rows(&client.exchange(&fresh, 1)), [["new"]]);
}

#[test]
fn a_client_that_does_not_read_loses_its_right_and_keeps_its_session() {
    let (server, gateway, mut client, grant) = start("select,export");
    let before = backends(&server);
    client.send_bytes(&query("SELECT a.*, b.* FROM orders a, orders b"));
    std::thread::sleep(Duration::from_millis(700));
    gateway.must(&["grant", "revoke", &grant]);
    let idle = || {
        server.sql("SELECT state FROM pg_stat_activity WHERE application_name LIKE 'alice/%'")
            == "idle"
    };
    assert!(eventually(Duration::from_secs(3), idle), "the server still works on it");
    assert_eq!(backends(&server), before, "the cancel was enough");
    let answer = client.read_until(b'Z');
    assert!(error(&answer).expect("an error").field('M').contains(&grant));
    assert_eq!(rows(&client.query("SELECT 'alive'")), [["alive"]]);
}
