//! What a target's settings say about masked columns: who may set them, and what becomes of what nobody can
//! tell. A reload reaches open sessions.

use std::{fs, time::Duration};

use nix::sys::signal::Signal;

use crate::{
    masking::{World, refusal, rule, start_with, tells},
    support::{
        Gateway, Message, eventually,
        gateway::Options,
        raw::{bind, error, execute, parse, rows, sync},
    },
};

pub(crate) fn with(lines: &str) -> World {
    start_with(&Options { target: lines.to_owned(), ..Options::default() })
}

fn reload(gateway: &Gateway, from: &str, to: &str) {
    let text = fs::read_to_string(gateway.settings()).expect("reads");
    assert!(text.contains(from));
    fs::write(gateway.settings(), text.replace(from, to)).expect("writes");
    gateway.signal(Signal::SIGHUP);
}

#[test]
fn where_writes_are_allowed_a_masked_column_is_set_and_stays_masked() {
    let mut world = with("mask.writes = \"allow\"");
    let World { server, gateway, client } = &mut world;
    let text = "UPDATE customers SET email = 'new@example.org', city = 'Bonn' WHERE id = 900001 RETURNING email";
    assert_eq!(rows(&client.query(text)), [["n***@example.org"]]);
    let upsert = "INSERT INTO customers (id, full_name, email, country, city) VALUES (900001, 'Ann', 'x@y.z', 'DE', 'Ulm')
                  ON CONFLICT (id) DO UPDATE SET email = 'up@example.org'";
    assert_eq!(refusal(&client.query(upsert)), "");
    let packet = [
        parse("", "UPDATE customers SET birth_date = $1 WHERE id = 900001", &[]),
        bind("", "", &[Some("1999-09-09")], 0),
        execute("", 0),
        sync(),
    ];
    assert_eq!(refusal(&client.exchange(&packet, 1)), "");
    let there = server.sql("SELECT email, birth_date FROM customers WHERE id = 900001");
    assert!(there.contains("up@example.org") && there.contains("1999-09-09"), "{there}");
    // What tells a value still doesn't.
    for text in [
        "UPDATE customers SET full_name = email WHERE id = 900001 RETURNING full_name",
        "UPDATE customers SET email = birth_date::text WHERE id = 900001 RETURNING email",
        "UPDATE customers SET email = 'x' WHERE email LIKE 'up%'",
        "UPDATE customers SET email = o.email FROM customers o WHERE o.id = 900001 AND customers.id = 5",
        "UPDATE customers SET email = 'x' WHERE id = 900001 RETURNING 1 / (length(email) - 14)",
    ] {
        let answer = client.query(text);
        assert!(refusal(&answer).contains("sql.unmask"), "{text}: {}", refusal(&answer));
    }
    // Open sessions, and what they have prepared, lose it by a reload.
    let write = "UPDATE customers SET email = 'again@example.org' WHERE id = 900001";
    assert_eq!(refusal(&client.query(&format!("PREPARE w AS {write}"))), "");
    assert_eq!(refusal(&client.query("EXECUTE w")), "");
    reload(gateway, "\"allow\"", "\"refuse\"");
    let refused = || refusal(&client.query(write)).contains("overwrites public.customers.email");
    assert!(eventually(Duration::from_secs(3), refused));
    assert!(refusal(&client.query("EXECUTE w")).contains("overwrites"));
    reload(gateway, "mask.writes = \"refuse\"", "");
    std::thread::sleep(Duration::from_millis(500));
    assert!(refusal(&client.query(write)).contains("overwrites public.customers.email"));
}

/// The catalog knows nothing of it when it is read; and in such a transaction the server isn't asked.
const REPEATABLE: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";
const JUST_MADE: &str = "CREATE VIEW just_made AS SELECT 'mine'::text AS x";

#[test]
fn what_nobody_can_tell_is_masked_or_refused_as_the_target_says() {
    let mut world = with("mask.unknown = \"refuse\"");
    let World { gateway, client, .. } = &mut world;
    assert_eq!(refusal(&client.query(&format!("{REPEATABLE}; {JUST_MADE}"))), "");
    let answer = client.query("SELECT x FROM just_made");
    let told = refusal(&answer);
    assert!(told.contains("mask.unknown") && told.contains("just_made"), "{told}");
    assert!(error(&answer).is_some_and(|e| e.field('H').contains("unmask")), "{answer:?}");
    client.query("ROLLBACK");
    // Ordinary work goes on.
    for text in [
        "SELECT id, email, upper(email) FROM customers WHERE id = 900001",
        "SELECT mail FROM mails WHERE id = 900001",
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LIMIT 3",
        "SELECT g FROM generate_series(1, 3) AS g",
        "SELECT to_jsonb(c) FROM customers c WHERE id = 900001",
    ] {
        let answer = client.query(text);
        assert!(error(&answer).is_none() && !tells(&answer), "{text}: {}", refusal(&answer));
    }
    reload(gateway, "\"refuse\"", "\"mask\"");
    let masked = || {
        client.query(&format!("{REPEATABLE}; {JUST_MADE}"));
        let answer = client.query("SELECT x FROM just_made");
        client.query("ROLLBACK");
        error(&answer).is_none() && rows(&answer) == [["******"]]
    };
    assert!(eventually(Duration::from_secs(3), masked));
}

#[test]
fn a_cursor_that_is_older_than_a_rule_gives_nothing_where_the_unknown_is_refused() {
    let mut world = with("mask.unknown = \"refuse\"");
    let World { gateway, client, .. } = &mut world;
    let declared =
        client.query("BEGIN; DECLARE k CURSOR FOR SELECT phone FROM customers WHERE id = 900001");
    assert_eq!(refusal(&declared), "");
    rule(gateway, "*.*.phone", "full");
    std::thread::sleep(Duration::from_millis(1500));
    let answer = client.query("FETCH k");
    assert!(rows(&answer).is_empty(), "{answer:?}");
    assert!(refusal(&answer).contains("can't be told"), "{}", refusal(&answer));
    client.query("ROLLBACK");
    assert_eq!(rows(&client.query("SELECT 1")), [["1"]]);
}

#[test]
fn a_masked_copy_says_which_columns_are_masked_or_is_refused_as_the_target_says() {
    let mut world = with("mask.copy = \"mask\"");
    let World { gateway, client, .. } = &mut world;
    let text = "COPY (SELECT id, birth_date, email AS \"e mail\" FROM customers WHERE id = 900001) TO STDOUT";
    let warning = |answer: &[Message]| {
        answer.iter().find(|m| m.tag == b'N').map(|m| (m.field('S'), m.field('M')))
    };
    let answer = client.query(text);
    let (severity, message) = warning(&answer).expect("a warning");
    assert_eq!(severity, "WARNING");
    assert!(message.starts_with("masked in this copy: birth_date, e mail; the"), "{message}");
    // Of what isn't masked nothing is said, and of SELECT a notice as before.
    assert!(warning(&client.query("COPY (SELECT id FROM customers LIMIT 1) TO STDOUT")).is_none());
    let select = client.query("SELECT email FROM customers LIMIT 1");
    assert_eq!(warning(&select).map(|w| w.0).as_deref(), Some("NOTICE"));

    reload(gateway, "\"mask\"", "\"refuse\"");
    let refused = || refusal(&client.query(text)).contains("mask.copy");
    assert!(eventually(Duration::from_secs(3), refused));
    assert_eq!(
        refusal(&client.query("COPY (SELECT id, city FROM customers LIMIT 1) TO STDOUT")),
        ""
    );
    assert_eq!(refusal(&client.query("SELECT email FROM customers LIMIT 1")), "");
    gateway.grant("alice", "unmask");
    let clear = || tells(&client.query(text));
    assert!(eventually(Duration::from_secs(3), clear));
    assert!(warning(&client.query(text)).is_none());
}
