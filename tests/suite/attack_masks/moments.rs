//! What changes between two messages: rules and grants that come and go while a cursor or a portal is
//! open, tables and views that nobody has seen yet.

use std::{thread::sleep, time::Duration};

use super::{World, tells};
use crate::support::{
    Gateway, Message, Postgres, RawClient,
    gateway::TARGET,
    postgres::UPSTREAM_USER,
    raw::{bind, error, execute, parse, query, rows, sync, tags},
};

/// A rule is known to all sessions by then.
const NOTICED: Duration = Duration::from_millis(1500);

const CITIES: &str =
    "SELECT city || '' AS c, full_name FROM customers WHERE id >= 900001 ORDER BY id";

fn packet(client: &mut RawClient, messages: &[Vec<u8>]) -> Vec<Message> {
    client.exchange(&[messages.concat(), sync()], 1)
}

#[test]
fn a_rule_holds_for_portals_cursors_and_statements_that_are_older() {
    let world = World::start("UPDATE customers SET city = 'kn4ry' WHERE id >= 900001;");
    let mut client = world.through();
    client.query("BEGIN");
    client.query(&format!("DECLARE k CURSOR FOR {CITIES}"));
    client.query(&format!("PREPARE p AS {CITIES}"));
    let opens = [parse("s", CITIES, &[]), bind("o", "s", &[], 0), execute("o", 1)];
    assert!(tells(&packet(&mut client, &opens)), "nobody masks it yet");
    world.gateway.must(&[
        "mask",
        "add",
        "--target",
        TARGET,
        "--column",
        "public.customers.city",
        "--with",
        "full",
    ]);
    sleep(NOTICED);
    for (what, said) in [
        ("the portal", packet(&mut client, &[execute("o", 0)])),
        ("the statement", packet(&mut client, &[bind("n", "s", &[], 0), execute("n", 0)])),
        ("FETCH", client.query("FETCH 1 FROM k")),
        ("the cursor as a portal", packet(&mut client, &[execute("k", 0)])),
        ("EXECUTE", client.query("EXECUTE p")),
        ("anew", client.query(CITIES)),
    ] {
        assert!(!tells(&said), "{what}: {said:?}");
        assert!(!rows(&said).is_empty(), "{what}: {said:?}");
    }
}

#[test]
fn a_grant_that_ends_masks_what_is_open() {
    let world = World::start("");
    let grant = world.gateway.grant("alice", "unmask");
    let mut client = world.through();
    client.query("BEGIN");
    client.query("DECLARE k CURSOR FOR SELECT email FROM customers WHERE id >= 900001");
    assert!(tells(&client.query("FETCH 1 FROM k")), "unmask is held");
    let bound = [parse("s", "TABLE stored", &[]), bind("o", "s", &[], 0)];
    packet(&mut client, &bound);
    let mut reads = world.through();
    reads.send_bytes(&query(&slowly("email", "customers")));
    assert!(!matches!(reads.read().tag, b'E'), "unmask is held");
    world.gateway.must(&["grant", "revoke", &grant]);
    let on_its_way = reads.read_until(b'Z');
    assert!(error(&on_its_way).is_some(), "{}", tags(&on_its_way));
    sleep(NOTICED);
    for messages in [query("FETCH 1 FROM k"), [execute("o", 0), sync()].concat()] {
        let said = client.exchange(&[messages], 1);
        assert!(!tells(&said), "{said:?}");
    }
}

#[test]
fn what_nobody_has_seen_yet_may_be_masked() {
    let world = World::start("");
    let mut client = world.through();
    let rename = "ALTER TABLE customers RENAME COLUMN email TO x; ALTER TABLE customers RENAME COLUMN full_name TO email; ALTER TABLE customers RENAME COLUMN x TO full_name";
    for (made, asked) in [
        ("CREATE VIEW fresh AS SELECT email AS x FROM stored", "SELECT x FROM fresh"),
        ("CREATE TABLE copied AS TABLE stored", "SELECT email FROM copied"),
        (
            "CREATE OR REPLACE VIEW mails AS SELECT id, email AS mail FROM stored",
            "SELECT mail FROM mails",
        ),
        (rename, "SELECT full_name FROM customers WHERE id = 900001"),
    ] {
        world.server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER}; {made}"));
        assert!(tells(&world.bare().query(asked)), "{asked}");
        let said = client.query(asked);
        assert!(!tells(&said), "{asked}: {said:?}");
    }
}

#[test]
fn where_no_column_has_a_rules_name_yet_one_may_come() {
    let world = World::start("");
    world
        .server
        .sql("ALTER TABLE customers RENAME TO before; ALTER TABLE logs RENAME TO logs_before");
    // All that is known by then has no masked column.
    sleep(Duration::from_secs(3));
    world.server.sql("ALTER TABLE before RENAME TO customers");
    let said = world.through().query("SELECT email FROM customers WHERE id = 900001");
    assert!(!tells(&said), "{said:?}");
}

/// Rows of eight kilobytes, so that each leaves the server when it is made; a fifth of a second apart.
fn slowly(column: &str, table: &str) -> String {
    format!(
        "SELECT {column}, repeat('x', 9000), pg_sleep(0.2) \
         FROM {table}, generate_series(1, 30) WHERE id IN (1, 900001)"
    )
}

#[test]
fn a_rule_holds_for_rows_that_are_on_their_way() {
    let world = World::start("UPDATE customers SET city = 'kn4ry' WHERE id IN (1, 900001);");
    let of_it = slowly("city", "customers");
    let copied = format!("COPY ({of_it}) TO STDOUT");
    let of_another = slowly("body", "notes");
    let mut watching = [(of_it, true), (copied, true), (of_another, false)]
        .map(|(text, masked)| (world.through(), text, masked));
    for (client, text, _) in &mut watching {
        client.send_bytes(&query(text));
        assert!(!matches!(client.read().tag, b'E'), "{text}");
    }
    let column = "public.customers.city";
    world.gateway.must(&["mask", "add", "--target", TARGET, "--column", column, "--with", "full"]);
    for (mut client, text, masked) in watching {
        let said = client.read_until(b'Z');
        let code = error(&said).map(|message| message.field('C'));
        assert_eq!(code.as_deref(), masked.then_some("57014"), "{text}: {}", tags(&said));
        if masked {
            assert!(said.len() < 40, "{text}: it went on for {} rows", said.len());
            let anew = client.query("SELECT city FROM customers WHERE id = 900001");
            assert!(!tells(&anew), "{anew:?}");
        }
    }
}

#[test]
fn the_first_rule_holds_for_what_nobody_knew_the_statement_of() {
    let server = Postgres::start();
    server.sql("UPDATE customers SET city = 'kn4ry' WHERE id = 1");
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "explain,info,select,admin");
    // The server has all rows of these before it sends the first; the client takes its time with them.
    let hidden =
        "SELECT city, repeat(''x'', 9000) FROM customers, generate_series(1, 5000) WHERE id = 1";
    let mut watching =
        [("PREPARE h AS", "EXECUTE h"), ("DECLARE h CURSOR FOR", "FETCH ALL FROM h")].map(
            |(made, asked)| {
                let mut client = gateway.connect("alice", &secret);
                client.query("BEGIN");
                let done = client.query(&format!("DO $$BEGIN EXECUTE '{made} {hidden}'; END$$"));
                assert!(error(&done).is_none(), "{done:?}");
                client.send_bytes(&query(asked));
                assert_eq!(client.read().tag, b'T');
                assert!(tells(&[client.read()]), "there is no rule yet");
                (client, asked)
            },
        );
    let column = "public.customers.city";
    gateway.must(&["mask", "add", "--target", TARGET, "--column", column, "--with", "full"]);
    // It has come into force everywhere a second later.
    sleep(Duration::from_secs(2));
    for (client, asked) in &mut watching {
        let said = client.read_until(b'Z');
        let code = error(&said).map(|message| message.field('C'));
        assert_eq!(code.as_deref(), Some("57014"), "{asked}: {}", tags(&said));
    }
}
