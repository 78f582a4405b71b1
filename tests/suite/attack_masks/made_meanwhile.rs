//! Tables that were made a moment ago, while others change what stands under their names.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use super::{World, tells};
use crate::support::{
    Message, RawClient,
    postgres::UPSTREAM_USER,
    raw::{bind, error, execute, parse, query, rows, sync},
};

/// Nobody knows of it but the server.
#[test]
fn what_is_put_there_behind_the_gateways_back_is_not_taken_for_the_table_that_was_made() {
    let world = World::start("");
    let view = "CREATE VIEW t AS SELECT email AS x FROM stored";
    let there = |text: &str| {
        world.server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER}; {text}"));
    };
    let mut client = world.through();
    there(view);
    client.query("BEGIN");
    client.query("CREATE TABLE IF NOT EXISTS t (x text)");
    let said = client.query("SELECT x || '' FROM t");
    assert!(!tells(&said) && !rows(&said).is_empty(), "{said:?}");
    client.query("ROLLBACK");
    there("DROP VIEW t");
    let _unread = world.without_readings();
    // In a transaction that keeps to what was there when it began.
    client.query("CREATE TABLE t (x text)");
    client.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    client.query("SELECT 1 FROM notes");
    there(&format!("DROP TABLE t; {view}"));
    client.query("CREATE TABLE another (x text)");
    let said = client.query("SELECT x || '' FROM t");
    assert!(!tells(&said), "{said:?}");
}

#[test]
fn prepared_statements_and_portals_go_by_what_a_name_is_now() {
    let world = World::start("");
    let mut client = world.through();
    let _unread = world.without_readings();
    let packet = |client: &mut RawClient, messages: &[Vec<u8>]| -> Vec<Message> {
        client.exchange(&[messages.concat(), sync()], 1)
    };
    client.query("BEGIN");
    client.query("CREATE TABLE t (x text)");
    client.query("INSERT INTO t VALUES ('own')");
    let said = packet(
        &mut client,
        &[parse("s", "SELECT x || '' FROM t", &[]), bind("", "s", &[], 0), execute("", 0)],
    );
    assert_eq!(rows(&said), [["own"]], "{said:?}");
    // Without unmask nobody renames what is masked; so it is done behind.
    client.query("COMMIT");
    let swap = "DROP TABLE t; CREATE VIEW t AS SELECT email AS x FROM stored";
    world.server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER}; {swap}"));
    client.query("BEGIN");
    let said = packet(&mut client, &[bind("", "s", &[], 0), execute("", 0)]);
    assert!(!tells(&said), "{said:?}");
    let said = client.exchange(&[query("SELECT x || '' FROM t")], 1);
    assert!(!tells(&said), "{said:?}");
}

/// Nobody without unmask can put something in the place of a table whose rows are masked there.
#[test]
fn another_session_puts_a_view_in_a_tables_place() {
    let world = World::start("");
    let mut reader = world.through();
    let mut maker = world.through();
    reader.query("SELECT body FROM notes");
    maker.query("BEGIN");
    maker.query("LOCK TABLE notes");
    reader.send_bytes(&query("SELECT body || '' FROM notes"));
    sleep(Duration::from_millis(300));
    maker.query("DROP TABLE notes; CREATE VIEW notes AS SELECT 1 AS id, email AS body FROM stored");
    maker.query("COMMIT");
    let said = reader.read_until(b'Z');
    assert!(!tells(&said), "waited: {said:?}");
    let said = reader.query("SELECT body || '' FROM notes");
    assert!(!tells(&said), "behind: {said:?}");
}

/// Two sessions of somebody without unmask: what the name means is what stands behind it on the path.
#[test]
fn another_session_drops_what_stands_in_front_while_the_reader_waits() {
    let world = World::start("");
    let mut reader = world.through();
    for text in [
        "CREATE SCHEMA s",
        "CREATE TABLE s.customers (id bigint, email text)",
        "SET search_path = s, public",
    ] {
        reader.query(text);
    }
    let mut maker = world.through();
    maker.query("BEGIN");
    maker.query("DROP TABLE s.customers");
    reader.send_bytes(&query("SELECT email || '' FROM customers WHERE id = 900001"));
    sleep(Duration::from_millis(300));
    maker.query("COMMIT");
    let said = reader.read_until(b'Z');
    assert!(!tells(&said), "{said:?}");
}

/// One who may see what is masked puts it under the name of a table that another has just made.
#[test]
fn another_session_gives_a_name_away_a_moment_later() {
    let world = World::start("");
    let mut reader = world.through();
    let secret = world.gateway.principal("carol", "developer");
    world.gateway.grant("carol", "select,dml,ddl,unmask");
    let mut other = world.gateway.connect("carol", &secret);
    reader.query("CREATE TABLE t (email text)");
    reader.query("INSERT INTO t VALUES ('own')");
    let text = "SELECT email || '' FROM t";
    assert_eq!(rows(&reader.query(text)), [["own"]]);
    other.query("BEGIN");
    other.query("DROP TABLE t");
    other.query("ALTER MATERIALIZED VIEW stored RENAME TO t");
    reader.query("CREATE TABLE another (x text)");
    assert_eq!(rows(&reader.query("SELECT count(*) FROM another")), [["0"]]);
    other.query("COMMIT");
    assert!(tells(&world.bare().query(text)), "it is there");
    for moment in 0..20 {
        let said = reader.query(text);
        assert!(!tells(&said), "{moment}: {said:?}");
    }
}

/// The same with a table that everybody has known for long.
#[test]
fn another_session_gives_the_name_of_a_known_table_away() {
    let world = World::start("");
    let mut readers = [world.through(), world.through()];
    let secret = world.gateway.principal("carol", "developer");
    world.gateway.grant("carol", "select,dml,ddl,unmask");
    let mut other = world.gateway.connect("carol", &secret);
    let text = "SELECT body || '' FROM notes";
    readers[0].query("BEGIN");
    for reader in &mut readers {
        assert_eq!(rows(&reader.query("SELECT 'a' || body FROM notes")), [["aone"], ["atwo"]]);
    }
    for text in [
        "ALTER MATERIALIZED VIEW stored RENAME COLUMN email TO body",
        "BEGIN",
        "SET LOCAL lock_timeout = '5s'",
    ] {
        other.query(text);
    }
    readers[0].query("COMMIT");
    readers[0].query("BEGIN");
    other.query("ALTER TABLE notes RENAME TO gone");
    other.query("ALTER MATERIALIZED VIEW stored RENAME TO notes");
    other.query("COMMIT");
    assert!(tells(&world.bare().query(text)), "it is there");
    for (at, reader) in readers.iter_mut().enumerate() {
        for moment in 0..10 {
            let said = reader.query(text);
            assert!(!tells(&said) && !rows(&said).is_empty(), "{at}: {moment}: {said:?}");
        }
    }
}

/// What shows addresses as soon as they have been given away.
const NOTES: &str = "SELECT body || '' FROM notes";

/// Somebody who may see what is masked puts it under the name of another table, and nobody can read the
/// catalog as long as what is given lives.
fn given_away(world: &World) -> RawClient {
    let secret = world.gateway.principal("carol", "developer");
    world.gateway.grant("carol", "select,dml,ddl,unmask");
    let mut other = world.gateway.connect("carol", &secret);
    for text in [
        "BEGIN",
        "ALTER TABLE notes RENAME TO gone",
        "ALTER MATERIALIZED VIEW stored RENAME COLUMN email TO body",
        "ALTER MATERIALIZED VIEW stored RENAME TO notes",
    ] {
        other.query(text);
    }
    let unread = world.without_readings();
    other.query("COMMIT");
    assert!(tells(&world.bare().query(NOTES)), "it is there");
    unread
}

/// As long as nobody can read the catalog, nobody is shown anything that the name may mean.
#[test]
fn what_another_has_given_away_is_waited_for_as_long_as_the_catalog_cant_be_read() {
    let world = World::start("");
    let mut reader = world.through();
    let text = NOTES;
    assert_eq!(rows(&reader.query(text)), [["one"], ["two"]]);
    let unread = given_away(&world);
    assert_eq!(rows(&reader.query("SELECT 1")), [["1"]], "what names nothing goes on");
    reader.send_bytes(&query(text));
    // Longer than a name that nobody knows is waited for.
    sleep(Duration::from_secs(5));
    let read = Instant::now();
    drop(unread);
    let said = reader.read_until(b'Z');
    assert!(!tells(&said) && !rows(&said).is_empty(), "{said:?}");
    assert!(read.elapsed() < Duration::from_secs(10), "{:?}", read.elapsed());
}

/// Nobody waits for ever without a word.
#[test]
fn who_has_waited_for_ten_seconds_is_told_why_and_may_try_again() {
    let world = World::start("");
    let (mut reader, mut preparer) = (world.through(), world.through());
    assert_eq!(rows(&reader.query(NOTES)), [["one"], ["two"]]);
    preparer.exchange(&[parse("s", NOTES, &[]), sync()], 1);
    reader.query("BEGIN");
    let unread = given_away(&world);
    let began = Instant::now();
    reader.send_bytes(&query(NOTES));
    preparer.send_bytes(&[bind("", "s", &[], 0), execute("", 0), sync()].concat());
    for client in [&mut reader, &mut preparer] {
        let said = client.read_until(b'Z');
        let waited = began.elapsed();
        let bounds = Duration::from_millis(9_500)..Duration::from_millis(12_500);
        assert!(bounds.contains(&waited), "{waited:?}: {said:?}");
        let told = error(&said).expect("refused");
        assert_eq!(told.field('C'), "55P03", "{said:?}");
        assert!(told.field('M').contains("could not read the target's catalog"), "{said:?}");
        assert!(told.field('H').contains("Run it again"), "{said:?}");
        assert!(!tells(&said), "{said:?}");
    }
    world.gateway.audit_shows("the refusal", |record| record["refusal"] == "catalog_unread");
    // As behind any other error.
    let said = reader.query("SELECT 1");
    assert_eq!(error(&said).expect("failed").field('C'), "25P02");
    reader.query("ROLLBACK");
    assert_eq!(rows(&reader.query("SELECT 'alive'")), [["alive"]]);
    drop(unread);
    for client in [&mut reader, &mut preparer] {
        let said = client.query(NOTES);
        assert!(!tells(&said) && !rows(&said).is_empty(), "{said:?}");
    }
}

#[test]
fn a_cancel_ends_at_once_what_waits_for_the_catalog() {
    let world = World::start("");
    let mut reader = world.through();
    reader.exchange(&[parse("s", NOTES, &[]), sync()], 1);
    let unread = given_away(&world);
    let bound = [bind("", "s", &[], 0), execute("", 0), sync()].concat();
    let parsed = [parse("", NOTES, &[]), bind("", "", &[], 0), execute("", 0), sync()].concat();
    for (what, sent) in [("query", query(NOTES)), ("bind", bound), ("parse", parsed)] {
        reader.send_bytes(&sent);
        assert!(reader.is_silent_for(Duration::from_millis(400)), "{what}");
        let cancelled = Instant::now();
        reader.cancel();
        let said = reader.read_until(b'Z');
        assert!(cancelled.elapsed() < Duration::from_millis(900), "{what}: {said:?}");
        assert_eq!(error(&said).expect(what).field('C'), "57014", "{what}");
        // What comes behind it isn't cancelled, and waits itself.
        assert_eq!(rows(&reader.query("SELECT 'alive'")), [["alive"]], "{what}");
    }
    reader.send_bytes(&query(NOTES));
    assert!(reader.is_silent_for(Duration::from_millis(400)), "the next one waits");
    drop(unread);
    let said = reader.read_until(b'Z');
    assert!(!tells(&said) && !rows(&said).is_empty(), "{said:?}");
}

/// A failing text takes back what stood in front, and so does the end of a transaction.
#[test]
fn what_is_taken_back_stands_in_front_of_nothing() {
    let world = World::start("");
    let mut client = world.through();
    client.query("CREATE SCHEMA s");
    client.query("SET search_path = s, public");
    let asked = "SELECT email || '' FROM customers WHERE id = 900001";
    let made = "CREATE TABLE s.customers (id bigint, email text)";
    client.query(&format!("{made}; SELECT 1 / 0"));
    assert!(!tells(&client.query(asked)), "failed");
    client.exchange(
        &[
            parse("", made, &[]),
            bind("", "", &[], 0),
            execute("", 0),
            parse("", "SELECT 1 / (SELECT 0)", &[]),
            bind("", "", &[], 0),
            execute("", 0),
            sync(),
        ],
        1,
    );
    assert!(!tells(&client.query(asked)), "failed in a batch");
    for end in ["ROLLBACK", "ROLLBACK AND CHAIN", "SELECT 1 / 0"] {
        client.query("BEGIN");
        client.query(made);
        client.query("SELECT 1 FROM customers");
        client.query(end);
        if end.starts_with("SELECT") {
            client.query("COMMIT");
        }
        assert!(!tells(&client.query(asked)), "{end}");
        client.query("ROLLBACK");
    }
}

/// What the server has said before the transaction isn't what is read in it.
#[test]
fn a_transaction_that_sees_what_was_there_before_isnt_judged_by_what_was_said_before_it() {
    let world = World::start("");
    let swap = "DROP TABLE t; CREATE VIEW t AS SELECT email AS x FROM stored";
    let _unread = world.without_readings();
    for begin in [
        "BEGIN ISOLATION LEVEL REPEATABLE READ",
        "BEGIN",
        "START TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    ] {
        let mut client = world.through();
        client.query("CREATE TABLE t (x text)");
        client.query("SELECT 1 FROM t");
        world.server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER}; {swap}"));
        client.query(begin);
        let said = client.query("SELECT x || '' FROM t");
        assert!(!tells(&said), "{begin}: {said:?}");
        client.query("ROLLBACK");
        world.server.sql("DROP VIEW t");
    }
}
