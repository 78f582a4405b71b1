//! The trail's disk fails, fills, hangs or goes: what can't be put on record doesn't run, nobody's
//! session ends by it, and it comes back by itself.

use std::{fs, time::Duration};

use serde_json::Value;

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    gateway::{Options, TARGET},
    raw::{
        PROTOCOL_3_0, bind, close, describe, error, execute, flush, parse, query, rows, sync, tags,
    },
};

const NO_SPACE: &str = "fail trail-write 28";

fn with_faults(server: &Postgres) -> Gateway {
    Gateway::start_with(server, &Options { faults: true, ..Options::default() })
}

/// Sends it while the very next write fails, which several sessions' records share. The codes told.
fn while_it_fails(gateway: &Gateway, client: &mut RawClient, packet: &[Vec<u8>]) -> Vec<String> {
    answers_while_it_fails(gateway, client, packet).0
}

/// The same, and the tags of all that was answered.
fn answers_while_it_fails(
    gateway: &Gateway,
    client: &mut RawClient,
    packet: &[Vec<u8>],
) -> (Vec<String>, String) {
    assert_eq!(rows(&client.query("SELECT 'well'")), [["well"]]);
    gateway.faults(NO_SPACE);
    client.send_bytes(&packet.concat());
    let readies = packet.iter().filter(|frame| matches!(frame[0], b'Q' | b'S')).count();
    let (mut told, mut all) = (Vec::new(), String::new());
    for _ in 0..readies {
        let answer = client.read_until(b'Z');
        all.push_str(&tags(&answer));
        let codes = answer.iter().filter(|m| m.tag == b'E').map(|m| {
            assert_eq!(m.field('V'), "ERROR", "{m:?}");
            m.field('C')
        });
        told.push(codes.collect::<Vec<_>>().join(","));
    }
    gateway.faults("");
    (told, all)
}

fn batch(text: &str) -> Vec<Vec<u8>> {
    vec![parse("", text, &[]), bind("", "", &[], 0), describe(b'P', ""), execute("", 0), sync()]
}

/// How the records of these texts were closed, once all are.
fn ends(gateway: &Gateway, mark: &str) -> Vec<String> {
    let mut found = Vec::new();
    let all_ended = || {
        found = gateway.audit(&["--limit", "1000"]);
        found.retain(|r| r["statement"].as_str().is_some_and(|s| s.contains(mark)));
        !found.is_empty()
            && found.iter().all(|r| r["ended"].is_string() || r["decision"] == "denial")
    };
    assert!(eventually(Duration::from_secs(5), all_ended), "{mark}: {found:#?}");
    let word = |r: &Value| r["ended"].as_str().unwrap_or("denied").to_owned();
    found.iter().map(word).collect()
}

#[test]
fn a_write_that_fails_refuses_what_stands_behind_it_and_ends_no_session() {
    let server = Postgres::start();
    let gateway = with_faults(&server);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    let mut other = gateway.connect("alice", &secret);
    other.query("BEGIN");
    let no = "58000";

    // One batch, two at once, some behind each other with a Query at the end.
    let told = while_it_fails(&gateway, &mut client, &batch("SELECT 'unsent 1'"));
    assert_eq!(told, [no]);
    let two = [batch("SELECT 'unsent 2'"), batch("SELECT 'unsent 3'")].concat();
    assert_eq!(while_it_fails(&gateway, &mut client, &two), [no, no]);
    let mixed = [batch("SELECT 'unsent 4'"), vec![query("SELECT 'unsent 5'")]].concat();
    assert_eq!(while_it_fails(&gateway, &mut client, &mixed), [no, no]);

    // All statements of a text.
    let several = [query("SELECT 'unsent 6'; SELECT 'unsent 7'; SELECT 'unsent 8'")];
    assert_eq!(while_it_fails(&gateway, &mut client, &several), [no]);

    // Names that it would have made are not there, and those it would have closed still are, unless
    // the Close had left before: then it was answered.
    let made = client.exchange(&[parse("kept", "SELECT 'kept'", &[]), sync()], 1);
    assert_eq!(tags(&made), "1Z", "{made:?}");
    let names = [
        close(b'S', "kept"),
        parse("unmade", "SELECT 'unsent 9'", &[]),
        parse("kept", "SELECT 'another'", &[]),
        sync(),
    ];
    let (told, all) = answers_while_it_fails(&gateway, &mut client, &names);
    assert_eq!(told, [no]);
    let there = client.exchange(&[bind("", "kept", &[], 0), execute("", 0), sync()], 1);
    if all == "3EZ" {
        assert_eq!(error(&there).expect("it was closed").field('C'), "26000");
        client.exchange(&[parse("kept", "SELECT 'kept'", &[]), sync()], 1);
    } else {
        assert_eq!(all, "EZ");
        assert_eq!(rows(&there), [["kept"]], "{there:?}");
    }
    let absent = client.exchange(&[bind("", "unmade", &[], 0), sync()], 1);
    assert_eq!(error(&absent).expect("it isn't there").field('C'), "26000");
    let again = [bind("", "kept", &[], 0), execute("", 0), sync()];
    assert_eq!(while_it_fails(&gateway, &mut client, &again), [no]);

    // In a transaction the server fails too, as it would by itself.
    client.query("BEGIN");
    assert_eq!(while_it_fails(&gateway, &mut client, &batch("SELECT 'unsent 10'")), [no]);
    let aborted = client.query("SELECT 'behind it'");
    assert_eq!(error(&aborted).expect("it failed").field('C'), "25P02");
    client.query("ROLLBACK");

    // What was sent before in the same batch is taken back with it.
    let change = "UPDATE orders SET note = 'half a batch' WHERE id = 3";
    client.send_bytes(&[&batch(change)[..4], &[flush()]].concat().concat());
    let done = client.read_until(b'C');
    assert_eq!(tags(&done), "12nC");
    gateway.faults(NO_SPACE);
    client.send_bytes(&batch("SELECT 'unsent 11'").concat());
    let answer = client.read_until(b'Z');
    gateway.faults("");
    assert_eq!(tags(&answer), "EZ");
    let half = "SELECT count(*) FROM orders WHERE note = 'half a batch'";
    assert_eq!(server.sql(half), "0");

    assert_eq!(rows(&client.query("SELECT 'goes on'")), [["goes on"]]);
    assert!(error(&other.query("COMMIT")).is_none(), "somebody else was hurt");
    assert!(!server.log().contains("'unsent"), "it ran without a record");
    for end in ends(&gateway, "'unsent") {
        assert_eq!(end, "refused");
    }
    gateway.must(&["audit", "verify"]);
}

#[test]
fn whatever_the_disk_says_nothing_runs_and_all_is_well_when_it_is() {
    let server = Postgres::start();
    let gateway = with_faults(&server);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    let mut busy = gateway.connect("alice", &secret);
    // Read-only, broken, gone for good: by their numbers on Linux.
    for (n, errno) in [30, 5, 116].into_iter().enumerate() {
        busy.send_bytes(&query("SELECT pg_sleep(1), 'ran through'"));
        std::thread::sleep(Duration::from_millis(200));
        gateway.faults(&format!("fail trail-write {errno}"));
        for packet in [vec![query("SELECT 'never'")], batch("SELECT 'never'")] {
            let answer = client.exchange(&packet, 1);
            assert_eq!(error(&answer).expect("refused").field('C'), "58000", "{answer:?}");
        }
        assert!(log_in_fails(&gateway, &secret));
        assert_eq!(rows(&busy.read_until(b'Z'))[0][1], "ran through");
        gateway.faults("");
        let well = || error(&client.query(&format!("SELECT 'well {n}'"))).is_none();
        assert!(eventually(Duration::from_secs(5), well));
    }
    assert!(!server.log().contains("'never'"));
    let ended = gateway.audit_shows("what ended meanwhile", |r| {
        r["statement"].as_str().is_some_and(|s| s.contains("ran through")) && r["ended"].is_string()
    });
    assert_eq!(ended["ended"], "completed");
    gateway.must(&["audit", "verify"]);
}

fn log_in_fails(gateway: &Gateway, secret: &str) -> bool {
    let mut client = RawClient::open(&gateway.address());
    client.startup(PROTOCOL_3_0, &[("user", "alice"), ("database", TARGET)]);
    client.login(secret).is_err()
}

#[test]
fn a_write_that_hangs_holds_up_what_waits_for_it_and_loses_nothing() {
    let server = Postgres::start();
    let gateway = with_faults(&server);
    let secret = gateway.almighty("alice");
    let mut clients: Vec<_> = (0..6).map(|_| gateway.connect("alice", &secret)).collect();
    let other = gateway.principal("bob", "developer");
    let grant = gateway.grant("bob", "select");
    let mut busy = gateway.connect("bob", &other);
    busy.send_bytes(&query("SELECT count(*) FROM orders a, orders b, orders c"));
    assert!(busy.is_silent_for(Duration::from_millis(300)));
    gateway.faults("hang trail-write");
    for (n, client) in clients.iter_mut().enumerate() {
        client.send_bytes(&query(&format!("SELECT 'held up {n}'")));
    }
    for client in &mut clients {
        assert!(client.is_silent_for(Duration::from_millis(300)), "it ran without a record");
    }
    assert!(!server.log().contains("'held up"));
    // What is taken away meanwhile is taken away as soon as it moves on.
    gateway.must(&["grant", "revoke", &grant]);
    gateway.faults("");
    let message = error(&busy.read_until(b'Z')).expect("it ended").field('M');
    assert!(message.contains(&grant) && message.contains("revoked"), "{message}");
    for (n, client) in clients.iter_mut().enumerate() {
        assert_eq!(rows(&client.read_until(b'Z')), [[format!("held up {n}")]]);
    }
    assert_eq!(ends(&gateway, "'held up"), vec!["completed"; 6]);
    gateway.must(&["audit", "verify"]);
}

#[test]
fn a_trail_that_is_taken_away_takes_no_record_and_lets_nothing_run() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    client.query("SELECT 'before'");
    let trail = gateway.data().join("trail");
    fs::remove_dir_all(&trail).expect("removes it");
    // It is looked for several times a second.
    std::thread::sleep(Duration::from_millis(500));
    for packet in [vec![query("SELECT 'never'")], batch("SELECT 'never'")] {
        let answer = client.exchange(&packet, 1);
        assert_eq!(error(&answer).expect("refused").field('C'), "58000", "{answer:?}");
    }
    assert!(log_in_fails(&gateway, &secret));
    assert!(!server.log().contains("'never'"));
    fs::create_dir(&trail).expect("makes it");
    let well = || error(&client.query("SELECT 'well'")).is_none();
    assert!(eventually(Duration::from_secs(5), well));
    assert!(gateway.trail().contains("'well'"));
    // What is missing is told.
    assert!(!gateway.cli(&["audit", "verify"]).status.success());
}

#[test]
fn a_record_that_the_disk_does_not_confirm_refuses_its_statement_and_ends_no_session() {
    let server = Postgres::start();
    let rest = "[audit]\ndurability = \"synced\"\n".to_owned();
    let gateway =
        Gateway::start_with(&server, &Options { faults: true, rest, ..Options::default() });
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    for packet in [vec![query("SELECT 'unsynced'")], batch("SELECT 'unsynced'")] {
        assert_eq!(rows(&client.query("SELECT 'well'")), [["well"]]);
        gateway.faults("fail trail-sync 5");
        let answer = client.exchange(&packet, 1);
        let told = error(&answer).expect("refused");
        assert_eq!((told.field('V'), told.field('C')), ("ERROR".into(), "58000".into()));
        gateway.faults("");
    }
    let well = || rows(&client.query("SELECT 'well'")) == [["well"]];
    assert!(eventually(Duration::from_secs(5), well));
    assert!(!server.log().contains("'unsynced'"));
    assert_eq!(ends(&gateway, "'unsynced'"), ["refused", "refused"]);
    gateway.must(&["audit", "verify"]);
}
