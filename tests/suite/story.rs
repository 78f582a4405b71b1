//! The story the product is for, in two `psql` sessions that stay open.

use std::time::{Duration, Instant};

use crate::support::{Gateway, Postgres};

#[test]
fn alice_is_refused_asks_is_approved_reads_and_loses_the_right_in_one_session() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let alice = gateway.principal("alice", "developer");
    let bob = gateway.principal_with("bob", &["developer", "approver"]);
    let mut hers = gateway.psql("alice", &alice).open();

    // Plans and catalogs are hers without asking.
    assert!(hers.say("\\d customers").contains("full_name|text"));
    assert!(hers.say("EXPLAIN SELECT email FROM customers;").contains("Seq Scan on customers"));

    // A SELECT isn't, and the hint is the line to paste.
    let refused = hers.say("SELECT count(*) FROM customers;");
    assert!(refused.contains("ERROR:  permission denied: this needs sql.select"), "{refused}");
    let hint = refused
        .lines()
        .find_map(|line| line.strip_prefix("HINT:  "))
        .unwrap_or_else(|| panic!("no hint: {refused}"));
    assert_eq!(hint, "SELECT hallpass.request('select', '30m', 'say why');");

    // She pastes it with a reason of her own.
    let asked = hers.say(&hint.replace("say why", "INC-42"));
    let (_, rest) = asked.split_once("R-").unwrap_or_else(|| panic!("no request: {asked}"));
    let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
    assert!(!number.is_empty(), "{asked}");

    // Her own yes doesn't count.
    let own = hers.say(&format!("SELECT hallpass.approve({number});"));
    assert!(own.contains("ERROR:"), "{own}");
    assert!(hers.say("SELECT count(*) FROM customers;").contains("ERROR:"));

    // Bob sees it in his psql and approves.
    let mut his = gateway.psql("bob", &bob).open();
    let open = his.say("SELECT * FROM hallpass.requests;");
    assert!(open.contains("alice") && open.contains("INC-42"), "{open}");
    let approved = his.say(&format!("SELECT hallpass.approve({number});"));
    assert!(approved.contains("alice") && approved.contains("select"), "{approved}");

    // The same open session reads now; writing is still refused.
    let reads = || hers_reads(&mut hers);
    assert!(crate::support::eventually(Duration::from_secs(2), reads), "she can't read");
    let write = hers.say("UPDATE customers SET credit = 0;");
    assert!(write.contains("this needs sql.dml"), "{write}");
    let held = hers.say("SELECT * FROM hallpass.grants;");
    assert!(held.contains("INC-42"), "{held}");
    assert!(hers.say("SELECT * FROM hallpass.whoami;").contains("alice"));

    // Revoked in the middle of a statement that would run for hours.
    let grant =
        gateway.json(&["grant", "list", "--active"])[0]["id"].as_str().expect("an id").to_owned();
    hers.begin("SELECT count(*) FROM orders a, orders b, orders c;");
    let running = || {
        server.sql(
            "SELECT count(*) FROM pg_stat_activity
             WHERE state = 'active' AND query LIKE '%orders a, orders b%' AND pid <> pg_backend_pid()",
        ) == "1"
    };
    assert!(crate::support::eventually(Duration::from_secs(5), running));
    let revoked = Instant::now();
    gateway.must(&["grant", "revoke", &grant]);
    let ended = hers.finish(Duration::from_secs(10));
    assert!(revoked.elapsed() < Duration::from_secs(2), "{:?}", revoked.elapsed());
    assert!(ended.contains(&grant) && ended.contains("revoked"), "{ended}");
    let after = hers.say("SELECT count(*) FROM customers;");
    assert!(after.contains("this needs sql.select"), "{after}");
    assert_eq!(hers.say("SELECT 1;"), "1");

    // The auditor reads all of it.
    gateway.audit_shows("the refused SELECT", |r| {
        r["principal"] == "alice" && r["decision"] == "denial" && text(r).contains("count(*)")
    });
    gateway.audit_shows("the SELECT that passed", |r| {
        r["principal"] == "alice"
            && r["decision"] == "permit"
            && text(r).contains("count(*) FROM customers")
            && r.to_string().contains(&grant)
    });
    for what in ["request", "approve", "revoke"] {
        gateway.audit_shows(what, |r| r.to_string().contains(what));
    }
    gateway.must(&["audit", "verify"]);
}

fn hers_reads(session: &mut crate::support::PsqlSession) -> bool {
    session.say("SELECT count(*) FROM customers;") == "2000"
}

fn text(record: &serde_json::Value) -> &str {
    record["statement"].as_str().unwrap_or_default()
}

#[test]
fn asking_works_inside_an_aborted_transaction() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let alice = gateway.principal("alice", "developer");
    let mut hers = gateway.psql("alice", &alice).open();
    assert_eq!(hers.say("BEGIN;"), "BEGIN");
    assert!(hers.say("SELECT * FROM customers;").contains("this needs sql.select"));
    assert!(hers.say("SELECT 1;").contains("current transaction is aborted"));
    let asked = hers.say("SELECT hallpass.request('select', '30m', 'INC-43');");
    assert!(asked.contains("R-"), "{asked}");
    assert!(hers.say("SELECT 1;").contains("current transaction is aborted"), "still aborted");
    assert_eq!(hers.say("ROLLBACK;"), "ROLLBACK");
    let asked = hers.say("CALL hallpass.request('dml', '10m', 'INC-44');");
    assert!(!asked.contains("ERROR"), "{asked}");
}

#[test]
fn a_denied_request_gives_nothing() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let alice = gateway.principal("alice", "developer");
    let bob = gateway.principal_with("bob", &["developer", "approver"]);
    let carol = gateway.principal("carol", "developer");
    let psql = gateway.psql("alice", &alice);
    let asked = psql.must("SELECT hallpass.request('select', '30m', 'curious');");
    assert!(asked.contains("R-1"), "{asked}");
    let not_hers = gateway.psql("carol", &carol).run("SELECT hallpass.approve(1);");
    assert!(not_hers.stderr.contains("ERROR"), "{not_hers:?}");
    gateway.psql("bob", &bob).must("SELECT hallpass.deny(1);");
    let late = gateway.psql("bob", &bob).run("SELECT hallpass.approve(1);");
    assert!(late.stderr.contains("ERROR"), "{late:?}");
    assert!(psql.run("SELECT 1 FROM customers;").stderr.contains("this needs sql.select"));
}
