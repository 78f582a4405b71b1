//! The trail's disk hangs: a write doesn't return, and nobody can call it back. What is taken away
//! meanwhile ends all the same, nothing new runs, and the records follow when the disk is back.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    gateway::{Options, TARGET},
    raw::{PROTOCOL_3_0, bind, error, execute, parse, query, rows, sync},
};

const HANG: &str = "hang trail-write";

/// What the tests here demand of a second: the machine may be busy with others.
const SOON: Duration = Duration::from_secs(3);

/// A gateway, and clients of somebody who may do everything: enough for every thread to have one.
fn start() -> (Postgres, Gateway, Vec<RawClient>) {
    let server = Postgres::start();
    let gateway = Gateway::start_with(&server, &Options { faults: true, ..Options::default() });
    let secret = gateway.almighty("alice");
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let clients = (0..3 * threads).map(|_| gateway.connect("alice", &secret)).collect();
    (server, gateway, clients)
}

/// From now on every thread of sessions is held up by a record.
fn hold_up(gateway: &Gateway, clients: &mut [RawClient]) {
    gateway.faults(HANG);
    for client in &mut *clients {
        client.send_bytes(&query("SELECT 'held up'"));
    }
    for client in clients {
        assert!(client.is_silent_for(Duration::from_millis(100)), "it ran without a record");
    }
}

/// Everybody goes on, but for who came to his record when the disk was known to hang.
fn let_go(gateway: &Gateway, clients: &mut [RawClient]) {
    gateway.faults("");
    for client in clients {
        assert_eq!(rows(&client.read_until(b'Z')), [["held up"]]);
    }
}

fn running(server: &Postgres, mark: &str) -> u32 {
    let sql = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%{mark}%' \
         AND pid <> pg_backend_pid()"
    );
    server.sql(&sql).parse().expect("a number")
}

fn sleeping(mark: &str) -> String {
    format!("SELECT id, pg_sleep(90) AS {mark} FROM orders LIMIT 1")
}

fn begin(server: &Postgres, client: &mut RawClient, mark: &str) {
    client.send_bytes(&query(&sleeping(mark)));
    assert!(
        eventually(Duration::from_secs(5), || running(server, mark) == 1),
        "{mark} doesn't run"
    );
}

fn ends_soon(server: &Postgres, mark: &str) {
    assert!(eventually(SOON, || running(server, mark) == 0), "{mark} runs on");
}

#[test]
fn what_is_taken_away_while_the_trail_hangs_ends_at_once_and_is_on_record_afterwards() {
    let (server, gateway, mut clients) = start();
    let secrets = ["bob", "carol", "dave", "erin"].map(|name| gateway.principal(name, "developer"));
    let [bob, carol, dave, erin] = &secrets;
    let revoked = gateway.grant("bob", "select");
    gateway.grant("carol", "select");
    gateway.grant("erin", "select");
    let mut revoked_one = gateway.connect("bob", bob);
    let mut unread = gateway.connect("bob", bob);
    let mut disabled = gateway.connect("carol", carol);
    let mut expiring = gateway.connect("dave", dave);
    let mut bystander = gateway.connect("erin", erin);
    begin(&server, &mut revoked_one, "revoked_one");
    begin(&server, &mut disabled, "disabled_one");
    begin(&server, &mut bystander, "bystander");
    gateway.grant_with("dave", "select", &["--for", "6s"]);
    let granted = Instant::now();
    begin(&server, &mut expiring, "expiring_one");

    hold_up(&gateway, &mut clients);
    unread.send_bytes(&query("SELECT 'never' FROM orders LIMIT 1"));
    gateway.must(&["grant", "revoke", &revoked]);
    ends_soon(&server, "revoked_one");
    gateway.must(&["principal", "disable", "carol"]);
    ends_soon(&server, "disabled_one");
    std::thread::sleep(Duration::from_secs(6).saturating_sub(granted.elapsed()));
    ends_soon(&server, "expiring_one");
    assert_eq!(running(&server, "bystander"), 1, "somebody else was hurt");
    assert!(!gateway.trail().contains("grant_revoked"), "the disk did not hang");
    let (status, why) = gateway.http("/readyz").expect("answers");
    assert!(status == 503 && why.contains("disk does not answer"), "{status} {why}");
    let metrics = gateway.http("/metrics").expect("answers").1;
    let lasts = metrics.lines().find_map(|l| l.strip_prefix("hallpass_trail_write_seconds "));
    assert!(lasts.is_some_and(|seconds| seconds != "0"), "{metrics}");

    let_go(&gateway, &mut clients);
    let told = |client: &mut RawClient| {
        error(&client.read_until(b'Z')).expect("it ended").field('M').clone()
    };
    let message = told(&mut revoked_one);
    assert!(message.contains(&revoked) && message.contains("revoked"), "{message}");
    assert!(told(&mut unread).contains("permission denied"));
    assert!(!server.log().contains("'never'"), "it ran behind the end of its right");
    assert!(told(&mut expiring).contains("expired"));
    assert!(disabled.ends_after(b"TDE"), "a disabled principal's session goes on");
    for client in [&mut revoked_one, &mut unread, &mut expiring] {
        assert_eq!(rows(&client.query("SELECT 'standing'")), [["standing"]]);
    }
    assert_eq!(running(&server, "bystander"), 1);
    bystander.cancel();
    assert_eq!(error(&bystander.read_until(b'Z')).expect("cancelled").field('C'), "57014");

    for kind in ["grant_revoked", "principal_disabled"] {
        assert!(
            eventually(Duration::from_secs(5), || gateway.trail().contains(kind)),
            "{kind} is not on record: {}",
            gateway.trail()
        );
    }
    for mark in ["revoked_one", "expiring_one", "disabled_one"] {
        let ended = gateway.audit_shows(mark, |r| {
            r["statement"].as_str().is_some_and(|s| s.contains(mark)) && r["ended"].is_string()
        });
        assert_ne!(ended["ended"], "completed");
    }
    assert!(eventually(SOON, || gateway.http("/readyz").is_some_and(|(status, _)| status == 200)));
    assert!(eventually(SOON, || gateway.trail().contains("did not answer for")));
    gateway.must(&["audit", "verify"]);
}

#[test]
fn what_waits_for_its_record_when_its_right_ends_never_leaves() {
    let server = Postgres::start();
    let gateway = Gateway::start_with(&server, &Options { faults: true, ..Options::default() });
    let secret = gateway.principal("bob", "developer");
    let never = "SELECT 'never' FROM orders LIMIT 1";
    let change = "UPDATE orders SET note = 'never' WHERE id = 3";
    let batch = [parse("", never, &[]), bind("", "", &[], 0), execute("", 0), sync()].concat();
    let two = [batch.clone(), query(never)].concat();
    // What comes before, what waits, and how many answers that has.
    let cases: [(&[&str], Vec<u8>, usize); 7] = [
        (&[], query(never), 1),
        (&[], batch, 1),
        (&[], two, 2),
        (&["BEGIN"], query(never), 1),
        (&["BEGIN", "SELECT id FROM orders LIMIT 1"], query(never), 1),
        (&["BEGIN", change], query("COMMIT"), 1),
        (&["BEGIN READ WRITE"], query(change), 1),
    ];
    for (before, packet, answers) in cases {
        let grant = gateway.grant("bob", "select,dml");
        let mut client = gateway.connect("bob", &secret);
        for text in before {
            assert!(error(&client.query(text)).is_none(), "{text}");
        }
        gateway.faults(HANG);
        client.send_bytes(&packet);
        assert!(client.is_silent_for(Duration::from_millis(200)), "it ran without a record");
        gateway.must(&["grant", "revoke", &grant]);
        let page = || gateway.http("/metrics").expect("answers").1;
        let none_active = || page().lines().any(|line| line == "hallpass_grants_active 0");
        assert!(eventually(SOON, none_active), "it is not taken away");
        gateway.faults("");
        let mut is_over = false;
        for _ in 0..answers {
            let answer = client.read_until(b'Z');
            // A COMMIT that was looked at when its transaction was rolled back already has ended it.
            is_over = answer.last().is_some_and(|ready| ready.body == b"I");
            let message = error(&answer).map(|e| e.field('M')).unwrap_or_default();
            let is_told = message.contains("revoked") || message.contains("permission denied");
            assert!(is_told, "{before:?}: {answer:?}");
        }
        let mut ended = Vec::new();
        if !before.is_empty() {
            let answer = client.query("COMMIT");
            ended = answer.clone();
            let tag = answer.iter().find(|m| m.tag == b'C').map(crate::support::raw::Message::text);
            assert!(is_over || tag.as_deref() != Some("COMMIT"), "{before:?}: {answer:?}");
        }
        let answer = client.query("SELECT 'standing'");
        assert_eq!(rows(&answer), [["standing"]], "{before:?}: {ended:?}, then {answer:?}");
    }
    let log = server.log();
    assert!(!log.contains(&format!("statement: {never}")) && !log.contains(&format!(": {never}")));
    assert_eq!(server.sql("SELECT count(*) FROM orders WHERE note = 'never'"), "0");
    gateway.must(&["audit", "verify"]);
}

#[test]
fn what_does_not_heed_its_cancel_while_the_trail_hangs_loses_its_upstream_and_the_session_goes_on()
{
    const DEAF: &str = "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(60) /* deaf */; \
                        EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$";
    let (server, gateway, mut clients) = start();
    let secret = gateway.principal("bob", "developer");
    let grant = gateway.grant("bob", "admin,unmask");
    let mut client = gateway.connect("bob", &secret);
    client.send_bytes(&query(DEAF));
    assert!(eventually(Duration::from_secs(5), || running(&server, "deaf") == 1));
    hold_up(&gateway, &mut clients);
    gateway.must(&["grant", "revoke", &grant]);
    ends_soon(&server, "deaf");
    let_go(&gateway, &mut clients);
    let message = error(&client.read_until(b'Z')).expect("it ended").field('M');
    assert!(message.contains(&grant) && message.contains("revoked"), "{message}");
    assert_eq!(rows(&client.query("SELECT 'goes on'")), [["goes on"]]);
    gateway.audit_shows("the end", |r| {
        r["statement"].as_str().is_some_and(|s| s.contains("deaf")) && r["ended"] == "cancelled"
    });
    gateway.must(&["audit", "verify"]);
}

#[test]
fn whoever_is_not_held_up_is_refused_soon_and_nobody_is_hurt() {
    let server = Postgres::start();
    let gateway = Gateway::start_with(&server, &Options { faults: true, ..Options::default() });
    if std::thread::available_parallelism().map_or(2, usize::from) < 2 {
        // One thread of sessions: it is held up.
        return;
    }
    let secret = gateway.almighty("alice");
    // On one thread each: a connection goes to the one that has fewer.
    let (mut one, mut other) =
        (gateway.connect("alice", &secret), gateway.connect("alice", &secret));
    other.query("BEGIN");
    // How it ended is written a little later.
    std::thread::sleep(Duration::from_millis(300));
    gateway.faults(HANG);
    one.send_bytes(&query("SELECT 'held up'"));
    assert!(one.is_silent_for(Duration::from_millis(500)), "it ran without a record");
    let is_told = || gateway.http("/readyz").is_some_and(|(status, _)| status == 503);
    assert!(eventually(Duration::from_secs(8), is_told), "nobody is told");
    other.wait_at_most(SOON);
    for _ in 0..2 {
        let answer = other.query("SELECT 'never'");
        assert_eq!(error(&answer).expect("refused").field('C'), "58000", "{answer:?}");
        assert!(error(&other.query("ROLLBACK")).is_some(), "that needs a record, too");
    }
    for _ in 0..3 {
        let mut new = RawClient::open(&gateway.address());
        new.wait_at_most(SOON);
        new.startup(PROTOCOL_3_0, &[("user", "alice"), ("database", TARGET)]);
        let refused = new.login(&secret).expect_err("nobody can put it on record");
        assert_eq!(refused.field('C'), "58000", "{refused:?}");
    }
    gateway.faults("");
    assert_eq!(rows(&one.read_until(b'Z')), [["held up"]]);
    let well = || error(&other.query("ROLLBACK")).is_none();
    assert!(eventually(SOON, well), "it does not come back");
    assert_eq!(rows(&other.query("SELECT 'goes on'")), [["goes on"]]);
    assert_eq!(rows(&gateway.connect("alice", &secret).query("SELECT 'new'")), [["new"]]);
    assert!(!server.log().contains("'never'"));
    gateway.must(&["audit", "verify"]);
}

#[test]
fn a_stop_while_the_trail_hangs_lets_nothing_run_on() {
    let (server, mut gateway, mut clients) = start();
    let secret = gateway.principal("bob", "developer");
    gateway.grant("bob", "select");
    let mut client = gateway.connect("bob", &secret);
    begin(&server, &mut client, "left_running");
    hold_up(&gateway, &mut clients);
    gateway.signal(Signal::SIGTERM);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(running(&server, "left_running"), 1, "it may end by itself");
    gateway.signal(Signal::SIGTERM);
    ends_soon(&server, "left_running");
    gateway.faults("");
    assert_eq!(gateway.wait_end(), Some(0));
    gateway.must(&["audit", "verify"]);
}

#[test]
fn what_is_given_while_the_trail_hangs_waits_for_its_record() {
    let (server, gateway, mut clients) = start();
    let secret = gateway.principal("bob", "developer");
    let mut client = gateway.connect("bob", &secret);
    hold_up(&gateway, &mut clients);
    gateway.grant("bob", "select");
    let metrics = gateway.http("/metrics").expect("answers").1;
    // Alice's is the only one.
    assert!(metrics.lines().any(|l| l == "hallpass_grants_active 1"), "{metrics}");
    let_go(&gateway, &mut clients);
    let reads = || error(&client.query("SELECT id FROM orders LIMIT 1")).is_none();
    assert!(eventually(SOON, reads), "it is not in force after all");
    assert!(gateway.trail().contains("grant_created"));
    assert!(server.log().contains("SELECT id FROM orders"));
    gateway.must(&["audit", "verify"]);
}
