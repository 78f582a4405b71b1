//! What a name of a moment ago means, rows that are too long to be masked, statements that don't hear a cancel.

use std::time::{Duration, Instant};

use hallpass::wire::mysql::response::Kind;

use crate::{
    client::Pair,
    raw::Raw,
    support::{
        PATIENCE, eventually,
        gateway::{Options, TARGET},
        mysql::Family,
    },
};

fn mask(pair: &Pair, column: &str, with: &str) {
    let column = format!("shop.{column}");
    pair.gateway.must(&["mask", "add", "--target", TARGET, "--column", &column, "--with", with]);
}

#[test]
fn what_another_has_just_made_is_not_refused_where_the_unknown_is() {
    for family in Family::ALL {
        let options =
            Options { target: "mask.unknown = \"refuse\"".to_owned(), ..Options::default() };
        let pair = Pair::start_with(family, &options);
        mask(&pair, "customers.email", "email");
        let (bob, eve) =
            ["bob", "eve"].map(|name| pair.gateway.principal(name, "developer")).into();
        for name in ["bob", "eve"] {
            pair.gateway.grant(name, "select,dml,ddl,export");
        }
        let mut maker = Raw::connect(&pair, "bob", &bob);
        let mut other = Raw::connect(&pair, "eve", &eve);
        let masked = || {
            let told =
                Raw::connect(&pair, "eve", &eve).value("SELECT email FROM customers WHERE id = 7");
            told.contains("***")
        };
        assert!(eventually(PATIENCE, masked), "the rule doesn't reach sessions");
        assert_eq!(other.value("SELECT 1"), "1");
        for name in ["one", "two", "three"] {
            maker.query(&format!("CREATE TABLE {name} (x varchar(20))")).expect("may");
            maker.query(&format!("INSERT INTO {name} VALUES ('told')")).expect("may");
            assert_eq!(other.value(&format!("SELECT x FROM {name}")), "told", "{family:?}");
            assert_eq!(maker.value(&format!("SELECT x FROM {name}")), "told", "{family:?}");
        }
        // What isn't there at all is held no longer than a catalog takes.
        let began = Instant::now();
        other.query("SELECT x FROM never_there").expect_err("it isn't there");
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    }
}

/// What shows addresses as soon as they have been given away.
const LETTERS: &str = "SELECT CONCAT(note, '') FROM letters LIMIT 3";

/// Sessions of somebody for whom addresses are masked. Then another, who may see them, puts them under the
/// name of a table that has none, and nobody can read the catalog.
fn given_away(pair: &Pair) -> [Raw; 2] {
    let carol = pair.gateway.almighty("carol");
    let mut carol = Raw::connect(pair, "carol", &carol);
    for text in [
        "CREATE TABLE letters (note varchar(80))",
        "INSERT INTO letters VALUES ('none')",
        "CREATE VIEW addresses AS SELECT email AS note FROM customers",
    ] {
        carol.query(text).expect("may");
    }
    mask(pair, "customers.email", "email");
    let secret = pair.gateway.principal("eve", "developer");
    pair.gateway.grant("eve", "select");
    let connect = || Raw::connect(pair, "eve", &secret);
    let masked = || connect().value("SELECT email FROM customers WHERE id = 7").contains("***");
    assert!(eventually(PATIENCE, masked), "the rule doesn't reach sessions");
    let mut readers = [connect(), connect()];
    for reader in &mut readers {
        let known =
            || reader.query(LETTERS).is_ok_and(|rows| rows[0][0].as_deref() == Some("none"));
        assert!(eventually(PATIENCE, known), "the table isn't known");
    }
    pair.server.sql("CREATE USER keeper@localhost; GRANT ALL ON *.* TO keeper@localhost");
    gateways_log_in(pair, "LOCK");
    carol.query("RENAME TABLE letters TO gone, addresses TO letters").expect("may");
    readers
}

/// Whoever is connected stays so.
fn gateways_log_in(pair: &Pair, how: &str) {
    let text = format!("ALTER USER root@localhost ACCOUNT {how}");
    let output = pair.server.client(text.as_bytes(), &["--user=keeper"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn who_has_waited_for_ten_seconds_is_told_why_and_may_try_again() {
    for family in Family::ALL {
        let pair = Pair::start(family);
        let [mut reader, mut preparer] = given_away(&pair);
        let began = Instant::now();
        reader.send(0, &[b"\x03", LETTERS.as_bytes()].concat());
        preparer.send(0, &[b"\x16", LETTERS.as_bytes()].concat());
        for (client, kind) in [(&mut reader, Kind::Result), (&mut preparer, Kind::Prepared)] {
            let (number, told) = client.answer(kind).expect_err("it may be masked");
            let waited = began.elapsed();
            let bounds = Duration::from_millis(9_500)..Duration::from_millis(12_500);
            assert!(bounds.contains(&waited), "{family:?}: {waited:?}: {told}");
            assert_eq!(number, 1205, "{family:?}: {told}");
            assert!(told.contains("could not read the target's catalog"), "{family:?}: {told}");
            assert!(told.contains("Run it again"), "{family:?}: {told}");
            assert_eq!(client.value("SELECT 'alive'"), "alive");
        }
        pair.gateway.audit_shows("the refusal", |record| record["refusal"] == "catalog_unread");
        gateways_log_in(&pair, "UNLOCK");
        for client in [&mut reader, &mut preparer] {
            let rows = client.query(LETTERS);
            let shown = rows.expect("masked")[0][0].clone().expect("a mask");
            assert!(shown.contains("***"), "{family:?}: {shown}");
        }
    }
}

#[test]
fn a_cancel_ends_at_once_what_waits_for_the_catalog() {
    for family in Family::ALL {
        let pair = Pair::start(family);
        let [mut reader, mut other] = given_away(&pair);
        let number = reader.greeting.connection;
        for (command, kind) in [(b"\x03", Kind::Result), (b"\x16", Kind::Prepared)] {
            reader.send(0, &[command, LETTERS.as_bytes()].concat());
            std::thread::sleep(Duration::from_millis(400));
            let cancelled = Instant::now();
            other.query(&format!("KILL QUERY {number}")).expect("one's own");
            let (number, told) = reader.answer(kind).expect_err("cancelled");
            assert_eq!(number, 1317, "{family:?}: {told}");
            assert!(cancelled.elapsed() < Duration::from_millis(900), "{family:?}");
            // One that comes too late hits nothing.
            other.query(&format!("KILL QUERY {}", reader.greeting.connection)).expect("own");
            assert_eq!(reader.value("SELECT 'alive'"), "alive");
        }
    }
}

#[test]
fn a_masked_row_of_16_mib_costs_its_statement_and_not_its_session() {
    for family in Family::ALL {
        let pair = Pair::start(family);
        pair.server.sql("SET GLOBAL max_allowed_packet = 1024 * 1024 * 64");
        mask(&pair, "customers.email", "email");
        let secret = pair.gateway.principal("alice", "developer");
        pair.gateway.grant_with(
            "alice",
            "select,export",
            &["--for", "30m", "--max-rows", "100000"],
        );
        let clear = pair.server.sql("SELECT email FROM customers WHERE id = 7");
        let masked = || {
            let text = "SELECT email FROM customers WHERE id = 7";
            Raw::connect(&pair, "alice", &secret).value(text) != clear
        };
        assert!(eventually(PATIENCE, masked), "the rule doesn't reach sessions");
        let mut alice = Raw::connect(&pair, "alice", &secret);
        let long = 1024 * 1024 * 17;
        // One of them, some before and behind it, and one that ends where a packet does.
        for (length, also) in [(long, "id = 7"), (long * 2, "id < 9"), (0x00ff_ffff, "id = 7")] {
            let text = format!(
                "SELECT email, IF(id = 7, REPEAT('x', {length}), 'short') FROM customers WHERE {also} ORDER BY id"
            );
            let (number, told) = alice.query(&text).expect_err("too long");
            assert_eq!(number, 1235, "{family:?}: {told}");
            assert!(told.contains("16 MiB"), "{family:?}: {told}");
            assert_eq!(alice.value("SELECT 'goes on'"), "goes on", "{family:?}");
        }
        // Without a mask it passes, and a shorter one is masked.
        let rows = alice.query(&format!("SELECT REPEAT('x', {long}) FROM customers WHERE id = 7"));
        assert_eq!(rows.expect("passes")[0][0].as_deref().map(str::len), Some(long));
        let rows = alice
            .query("SELECT email, REPEAT('x', 16000000) FROM customers WHERE id = 7")
            .expect("passes");
        assert!(rows[0][0].as_deref().is_some_and(|shown| shown.contains("***")), "{family:?}");
    }
}

/// A function that looks whether it is killed when it is over: it compares 160 000 times 160 000 letters.
const DEAF: &str = "SELECT LOCATE(CONCAT(REPEAT('a', 160000), 'b'), REPEAT('a', 320000))";

#[test]
fn a_statement_that_hears_no_cancel_has_its_connection_ended_and_its_client_is_told() {
    for family in Family::ALL {
        let pair = Pair::start(family);
        let secret = pair.gateway.almighty("alice");
        let mut deaf = Raw::connect(&pair, "alice", &secret);
        let (number, connection) = (deaf.greeting.connection, deaf.value("SELECT CONNECTION_ID()"));
        deaf.send(0, &[b"\x03", DEAF.as_bytes()].concat());
        let state = || {
            let text = format!(
                "SELECT CONCAT(command, ' ', info) FROM information_schema.processlist WHERE id = {connection}"
            );
            pair.server.sql(&text)
        };
        assert!(eventually(PATIENCE, || state().contains("LOCATE")), "it doesn't run");
        // A server alone has nothing but this, and it doesn't hear it.
        pair.server.sql(&format!("KILL QUERY {connection}"));
        std::thread::sleep(Duration::from_secs(1));
        assert!(state().contains("LOCATE"), "{family:?}: it hears: {}", state());
        let killed = Instant::now();
        let mut other = Raw::connect(&pair, "alice", &secret);
        other.query(&format!("KILL QUERY {number}")).expect("one's own");
        // Again and again is no longer.
        std::thread::sleep(Duration::from_secs(2));
        other.query(&format!("KILL QUERY {number}")).expect("one's own");
        let (_, told) = deaf.answer(Kind::Result).expect_err("it is ended");
        assert!(told.contains("did not react to a cancel"), "{family:?}: {told}");
        let waited = killed.elapsed();
        let bounds = Duration::from_millis(4500)..Duration::from_millis(6800);
        assert!(bounds.contains(&waited), "{family:?}: {waited:?}");
        // The server ends it as soon as it can, and nothing is left open.
        let ends = || state().is_empty() || state().starts_with("Killed");
        assert!(eventually(Duration::from_secs(5), ends), "{family:?}: {}", state());
        pair.gateway.audit_shows("the statement that was ended", |record| {
            record["statement"].as_str().is_some_and(|text| text.contains("LOCATE"))
                && record["ended"] == "unknown"
        });
        assert_eq!(other.value("SELECT 'goes on'"), "goes on");
    }
}

#[test]
fn what_was_sent_piece_by_piece_is_there_when_the_server_is_asked_something_first() {
    for family in Family::ALL {
        let pair = Pair::start(family);
        pair.server.sql("CREATE TABLE pieces (text longtext)");
        let secret = pair.gateway.almighty("alice");
        let mut alice = Raw::connect(&pair, "alice", &secret);
        let text = b"\x16INSERT INTO pieces VALUES (?)";
        let prepared = alice.command(text, Kind::Prepared).expect("prepared");
        let number: u32 = prepared[0][0].as_deref().expect("one").parse().expect("a number");
        let number = number.to_le_bytes();
        for length in [5_usize, 70_000] {
            // Whatever is set may change how texts are read: it is asked for before the next one runs.
            alice.query("SET @a = 7").expect("may");
            alice.query("SET time_zone = '+03:00'").expect("may");
            for piece in vec![b'x'; length].chunks(1000) {
                alice.send(0, &[b"\x18", &number[..], &[0, 0], piece].concat());
            }
            let execute = [b"\x17", &number[..], &[0, 1, 0, 0, 0, 0, 1, 252, 0]].concat();
            alice
                .command(&execute, Kind::Result)
                .unwrap_or_else(|told| panic!("{family:?}: {told:?}"));
            let last = format!("SELECT count(*) FROM pieces WHERE LENGTH(text) = {length}");
            assert_eq!(pair.server.sql(&last), "1", "{family:?}: {length}");
        }
    }
}
