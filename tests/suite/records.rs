//! Every statement that was let through has exactly one outcome on the trail, however it ended, and
//! nothing that the server ran lacks a record.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    gateway::Options,
    raw::{
        bind, close, copy_data, copy_done, copy_fail, describe, execute, flush, parse, query, sync,
    },
};

type Conversation = (&'static str, fn(&mut RawClient));

/// Intents that were let through, by their statement, with their outcomes.
fn outcomes(gateway: &Gateway) -> BTreeMap<u64, (String, Vec<String>)> {
    let mut found: BTreeMap<u64, (String, Vec<String>)> = BTreeMap::new();
    let mut ends = Vec::new();
    for line in gateway.trail().lines() {
        let record: Value = serde_json::from_str(line).expect("a record");
        let word = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let Some(statement) = record["statement"].as_u64() else { continue };
        match record["record"].as_str() {
            Some("intent") if record["decision"] != "denial" => {
                found.insert(statement, (format!("{}: {}", word("kind"), word("text")), vec![]));
            }
            Some("outcome") => ends.push((statement, word("ended"))),
            _ => {}
        }
    }
    for (statement, ended) in ends {
        found.entry(statement).or_default().1.push(ended);
    }
    found
}

/// Waits until every record is closed.
fn every_record_is_closed_once(gateway: &Gateway, what: &str) {
    let all = || outcomes(gateway).into_values().all(|(_, ends)| ends.len() == 1);
    if !eventually(Duration::from_secs(3), all) {
        let wrong: Vec<_> =
            outcomes(gateway).into_values().filter(|(_, ends)| ends.len() != 1).collect();
        panic!("after `{what}`: {wrong:#?}");
    }
}

/// What the server ran for alice, text by text.
fn ran(server: &Postgres) -> Vec<String> {
    let log = server.log();
    let of_alice = log.lines().filter(|line| line.contains(" alice/"));
    of_alice
        .filter_map(|line| {
            let (_, told) = line.split_once("LOG:  ")?;
            let text = match told.strip_prefix("statement: ") {
                Some(text) => text,
                None => told.strip_prefix("execute ")?.split_once(": ")?.1,
            };
            Some(text.to_owned())
        })
        .collect()
}

fn nothing_lacks_a_record(server: &Postgres, gateway: &Gateway) {
    let recorded: Vec<String> = outcomes(gateway).into_values().map(|(text, _)| text).collect();
    for text in ran(server) {
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            assert!(recorded.iter().any(|r| r.contains(part)), "no record of `{part}`");
        }
    }
}

const CONVERSATIONS: &[Conversation] = &[
    ("several statements, one of them wrong", |c| {
        c.query("SELECT 1; SELECT 1/0; SELECT 2; SELECT 3");
        c.query("SELECT 1; SELECT 2");
        c.query("");
        c.query("SELECT nothing_like_this");
        c.query("BEGIN; SELECT 1/0; COMMIT; SELECT 4");
        c.query("COMMIT");
    }),
    ("a bound portal that nobody executes", |c| {
        c.exchange(&[parse("", "SELECT 11", &[]), bind("", "", &[], 0), sync()], 1);
        c.query("BEGIN");
        c.exchange(&[parse("s", "SELECT 12", &[]), bind("p", "s", &[], 0), sync()], 1);
        // Executed in a later batch, closed, replaced, left behind.
        c.exchange(&[execute("p", 0), sync()], 1);
        c.exchange(&[bind("q", "s", &[], 0), close(b'P', "q"), sync()], 1);
        c.exchange(&[bind("", "s", &[], 0), bind("", "s", &[], 0), execute("", 0), sync()], 1);
        c.exchange(&[bind("r", "s", &[], 0), sync()], 1);
        c.query("COMMIT");
        c.exchange(&[bind("z", "s", &[], 0), flush(), sync()], 1);
        c.query("BEGIN");
        c.exchange(&[bind("z", "s", &[], 0), sync()], 1);
        c.query("CLOSE ALL");
        c.query("ROLLBACK");
        c.query("DISCARD ALL");
    }),
    ("a portal fetched in pieces", |c| {
        c.query("BEGIN");
        c.exchange(
            &[
                parse("", "SELECT generate_series(1, 10)", &[]),
                bind("p", "", &[], 0),
                execute("p", 3),
                execute("p", 3),
                sync(),
            ],
            1,
        );
        c.exchange(&[execute("p", 0), execute("p", 0), sync()], 1);
        c.query("COMMIT");
    }),
    ("errors at Parse, Bind, Describe, Execute and Sync", |c| {
        let whole = |text: &str| {
            [parse("", text, &[]), bind("", "", &[], 0), describe(b'P', ""), execute("", 0), sync()]
        };
        c.exchange(&whole("SELECT no_such_column"), 1);
        c.exchange(&whole("SELECT 1/0"), 1);
        c.exchange(
            &[
                parse("", "SELECT $1::int", &[]),
                bind("", "", &[Some("x")], 0),
                execute("", 0),
                sync(),
            ],
            1,
        );
        c.exchange(
            &[parse("", "SELECT 21", &[]), describe(b'S', "nobody"), bind("", "", &[], 0), sync()],
            1,
        );
        c.exchange(
            &[parse("", "SELECT 22", &[]), bind("", "nobody", &[], 0), execute("", 0), sync()],
            1,
        );
        c.exchange(
            &[parse("", "SELECT 23", &[]), bind("", "", &[], 0), execute("nobody", 0), sync()],
            1,
        );
        c.query("CREATE TEMP TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
        c.exchange(&whole("INSERT INTO late VALUES (1), (1)"), 1);
        let two = [whole("SELECT 1/0"), whole("SELECT 24")].concat();
        c.exchange(&two, 2);
        let skipped = [
            parse("", "SELECT 1/0", &[]),
            bind("", "", &[], 0),
            execute("", 0),
            parse("kept", "SELECT 25", &[]),
            bind("", "kept", &[], 0),
            execute("", 0),
            parse("only", "SELECT 26", &[]),
            sync(),
        ];
        c.exchange(&skipped, 1);
        c.exchange(
            &[parse("lonely", "SELECT 27", &[]), sync(), bind("", "lonely", &[], 0), sync()],
            2,
        );
    }),
    ("a Bind that comes later than its Parse", |c| {
        c.send_bytes(&[parse("", "SELECT no_such_column", &[]), flush()].concat());
        c.read_until(b'E');
        c.exchange(&[bind("", "", &[], 0), execute("", 0), sync()], 1);
        c.send_bytes(&[parse("", "SELECT 31", &[]), flush()].concat());
        c.read_until(b'1');
        c.exchange(&[bind("", "", &[], 0), sync()], 1);
    }),
    ("calls of our own among others", |c| {
        let own =
            [parse("", "SELECT * FROM hallpass.whoami", &[]), bind("", "", &[], 0), execute("", 0)];
        c.exchange(&[own.concat(), sync()], 1);
        let wrong = [parse("", "SELECT 1/0", &[]), bind("", "", &[], 0), execute("", 0)];
        c.exchange(&[wrong.concat(), own.concat(), sync()], 1);
        c.exchange(&[own.concat(), wrong.concat(), sync()], 1);
        c.query("SELECT * FROM hallpass.grants");
        c.query("SELECT hallpass.approve(99)");
    }),
    ("COPY", |c| {
        c.query("CREATE TEMP TABLE copied (id int)");
        c.send_bytes(&[query("COPY copied FROM STDIN"), copy_data(b"1\n"), copy_done()].concat());
        c.read_until(b'Z');
        c.send_bytes(&[query("COPY copied FROM STDIN"), copy_data(b"x\n"), copy_done()].concat());
        c.read_until(b'Z');
        c.send_bytes(&[query("COPY copied FROM STDIN"), copy_fail("no")].concat());
        c.read_until(b'Z');
        c.query("COPY copied TO STDOUT");
    }),
    ("prepared by SQL, cursors, search paths", |c| {
        c.query("PREPARE one AS SELECT 41");
        c.query("EXECUTE one");
        c.query("EXECUTE nobody");
        c.query("BEGIN");
        c.query("DECLARE many CURSOR FOR SELECT generate_series(1, 5)");
        c.query("FETCH 2 FROM many");
        c.query("FETCH 2 FROM nobody");
        c.query("ROLLBACK");
        c.query("SET search_path = billing, public");
        c.query("SELECT count(*) FROM invoices");
        c.query("BEGIN");
        c.query("SET LOCAL search_path = public");
        c.query("SELECT 1/0");
        c.query("SELECT 42");
        c.query("ROLLBACK");
        c.query("SELECT 43");
    }),
];

#[test]
fn every_record_has_one_outcome_and_nothing_lacks_a_record() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    for (what, conversation) in CONVERSATIONS {
        let mut client = gateway.connect("alice", &secret);
        conversation(&mut client);
        client.terminate();
        every_record_is_closed_once(&gateway, what);
    }
    nothing_lacks_a_record(&server, &gateway);
}

#[test]
fn a_session_that_is_cut_leaves_no_record_open() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let starts: &[Conversation] = &[
        ("in a statement", |c| c.send_bytes(&query("SELECT 51; SELECT pg_sleep(30); SELECT 52"))),
        ("in a batch", |c| {
            let batch = [
                parse("", "SELECT pg_sleep(30)", &[]),
                bind("", "", &[], 0),
                execute("", 0),
                parse("b", "SELECT 53", &[]),
                bind("b", "b", &[], 0),
                sync(),
            ];
            c.send_bytes(&batch.concat());
        }),
        ("with a portal", |c| {
            c.query("BEGIN");
            c.exchange(&[parse("", "SELECT 54", &[]), bind("p", "", &[], 0), sync()], 1);
        }),
        ("behind a call of our own", |c| {
            c.send_bytes(
                &[query("SELECT pg_sleep(30)"), query("SELECT * FROM hallpass.whoami")].concat(),
            );
        }),
        ("in a COPY", |c| {
            c.query("CREATE TEMP TABLE copied (id int)");
            c.send_bytes(&query("COPY copied FROM STDIN"));
            c.read_until(b'G');
        }),
    ];
    for (what, start) in starts {
        let mut client = gateway.connect("alice", &secret);
        start(&mut client);
        std::thread::sleep(Duration::from_millis(200));
        client.vanish();
        every_record_is_closed_once(&gateway, what);
        let mut client = gateway.connect("alice", &secret);
        start(&mut client);
        std::thread::sleep(Duration::from_millis(200));
        let sessions = gateway.json(&["session", "list"]);
        for session in sessions.as_array().into_iter().flatten() {
            let id = session["id"].as_str().expect("an id");
            let killed = gateway.cli(&["session", "kill", id]);
            // The one that has vanished may be listed still, and be gone by now.
            let gone = String::from_utf8_lossy(&killed.stderr).contains("there is no session");
            assert!(killed.status.success() || gone, "{killed:?}");
        }
        assert!(client.ends_after(b"EN12tTDCZG"), "{what}");
        every_record_is_closed_once(&gateway, what);
    }
    nothing_lacks_a_record(&server, &gateway);
}

#[test]
fn a_text_that_cannot_be_judged_is_on_record_all_the_same() {
    let server = Postgres::start();
    let options =
        Options { rest: "[limits]\nstatement_bytes = \"64KiB\"\n".into(), ..Options::default() };
    let gateway = Gateway::start_with(&server, &options);
    let secret = gateway.principal("alice", "developer");
    let mut client = gateway.connect("alice", &secret);
    let long = format!("SELECT 'é{}'", "x".repeat(100_000));
    let bad = b"SELECT 'caf\xe9' -- ALTER ROLE a PASSWORD 'hush\xff'".as_slice();
    for (text, code, starts) in
        [(long.as_bytes(), "54000", "SELECT 'éxxx"), (bad, "42501", "SELECT 'caf\u{fffd}'")]
    {
        let message = |tag, before: &[u8], behind: &[u8]| {
            crate::support::raw::frame(tag, &[before, text, behind].concat())
        };
        for (kind, frames) in [
            ("query", vec![message(b'Q', b"", b"\0")]),
            ("parse", vec![message(b'P', b"\0", b"\0\0\0"), sync()]),
        ] {
            let answer = client.exchange(&frames, 1);
            let refusal = crate::support::raw::error(&answer).expect("refused");
            assert_eq!(refusal.field('C'), code, "{kind}: {refusal:?}");
            let trail = gateway.trail();
            let records: Vec<Value> =
                trail.lines().map(|line| serde_json::from_str(line).expect("a record")).collect();
            let is_it = |r: &&Value| r["kind"] == kind && r["inexact_of_bytes"] == text.len();
            let found = records.iter().find(is_it);
            let found = found.unwrap_or_else(|| panic!("{kind} is not on record: {records:?}"));
            let kept = found["text"].as_str().unwrap_or_default();
            assert!(kept.starts_with(starts) && kept.len() < 5_000, "{kept}");
            assert!(!kept.contains("hush"), "{kept}");
            assert_eq!(found["decision"], "denial");
            assert_eq!(found["sqlstate"], code);
        }
    }
}
