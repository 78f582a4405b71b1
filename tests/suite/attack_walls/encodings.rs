//! Encodings other than UTF-8 as an attack: bytes that name one relation here and another at the server,
//! encodings that change in the middle of things, names that are two here and one there.

use super::{WAYS, Way};
use crate::{
    encodings::{bind, bytes, execute, log_in, named, parse, query},
    support::{
        Gateway, Message, Postgres, RawClient,
        gateway::{Options, TARGET},
        postgres::{DATABASE, UPSTREAM_PASSWORD, UPSTREAM_USER},
        raw::{error, rows, sync},
    },
};

/// Two bytes that are `é` in UTF-8, which alice may read, and `Ã©` in LATIN1, which she may not.
const OBJECTS: &str = "
    CREATE SCHEMA open;
    CREATE TABLE open.\"é\" AS SELECT 'open' AS v;
    CREATE TABLE open.\"Ã©\" AS SELECT 'closed' AS v;
    CREATE FUNCTION setting(name text, value text) RETURNS text LANGUAGE sql STABLE AS
        'SELECT set_config(name, value, false)';
    CREATE FUNCTION sets() RETURNS text LANGUAGE plpgsql STABLE AS
        $$BEGIN RETURN set_config('client_encoding', 'LATIN1', false); END$$;
    CREATE FUNCTION at_once() RETURNS text LANGUAGE plpgsql IMMUTABLE AS
        $$BEGIN RETURN set_config('client_encoding', 'LATIN1', false); END$$;
    CREATE FUNCTION within() RETURNS text LANGUAGE plpgsql STABLE SET client_encoding = 'UTF8' AS
        $$BEGIN RETURN 'x'; END$$;
    CREATE FUNCTION fails() RETURNS text LANGUAGE plpgsql STABLE AS
        $$BEGIN PERFORM set_config('client_encoding', 'UTF8', false); RETURN 1 / 0; END$$;";

const READ: &str = "SELECT v FROM open.\"é\"";

fn start() -> (Postgres, Gateway) {
    let server = Postgres::start();
    server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER};{OBJECTS}"));
    let gateway = Gateway::start(&server);
    (server, gateway)
}

fn extended(text: &[u8]) -> Vec<u8> {
    [parse(b"", text), bind(b"", b"", None), execute(b"")].concat()
}

/// Sends the texts, in bytes, that way.
fn go(client: &mut RawClient, texts: &[Vec<u8>], way: Way) -> Vec<Message> {
    let each = |pack: &dyn Fn(&[u8]) -> Vec<u8>| -> Vec<Vec<u8>> {
        texts.iter().map(|text| pack(text)).collect()
    };
    let one_by_one = |client: &mut RawClient, packets: Vec<Vec<u8>>| {
        packets.into_iter().flat_map(|packet| client.exchange(&[packet], 1)).collect()
    };
    let synced = |text: &[u8]| [extended(text), sync()].concat();
    match way {
        Way::Queries => one_by_one(client, each(&query)),
        Way::QueriesAtOnce => client.exchange(&each(&query), texts.len()),
        Way::Extended => one_by_one(client, each(&synced)),
        Way::Pipelined => client.exchange(&each(&synced), texts.len()),
        Way::OneBatch => client.exchange(&[each(&extended).concat(), sync()], 1),
        Way::OneQuery => client.exchange(&[query(&texts.join(&b"; "[..]))], 1),
    }
}

fn values(answer: &[Message]) -> Vec<String> {
    rows(answer).concat()
}

/// By every route into and out of an encoding, in every way that messages can be sent: whatever a bare
/// server reads of the bytes behind it, nothing that is closed comes out here, and what is open does.
#[test]
fn bytes_are_judged_as_the_letters_that_they_are_at_the_server() {
    let (server, gateway) = start();
    let secret = gateway.principal("alice", "developer");
    // Code needs a grant without scope; what is read in the end has one.
    gateway.grant_with("alice", "select,export", &["--for", "30m", "--scope", "open.é"]);
    let (there, here) = (server.address(), gateway.address());
    let routes: &[(&str, &[&str])] = &[
        ("UTF8", &["SET client_encoding = 'LATIN1'"]),
        ("UTF8", &["SET NAMES 'latin-1'"]),
        ("UTF8", &["SELECT set_config('client_encoding', 'LATIN1', false)"]),
        ("UTF8", &["BEGIN", "SET LOCAL client_encoding = LATIN1"]),
        ("UTF8", &["BEGIN", "SAVEPOINT s", "SET client_encoding = LATIN1"]),
        ("UTF8", &["BEGIN", "SET client_encoding = LATIN1", "COMMIT"]),
        ("UTF8", &["BEGIN", "SET client_encoding = LATIN1", "ROLLBACK"]),
        ("UTF8", &["BEGIN", "SET LOCAL client_encoding = LATIN1", "COMMIT"]),
        (
            "UTF8",
            &["PREPARE p AS SELECT set_config('client_encoding', 'LATIN1', false)", "EXECUTE p"],
        ),
        (
            "UTF8",
            &[
                "BEGIN",
                "DECLARE c CURSOR FOR SELECT set_config('client_encoding', 'LATIN1', false)",
                "FETCH c",
            ],
        ),
        (
            "UTF8",
            &[
                "DECLARE c CURSOR WITH HOLD FOR SELECT set_config('client_encoding', 'LATIN1', false)",
            ],
        ),
        ("LATIN1", &["SELECT 1"]),
        ("LATIN1", &["SET client_encoding = 'UTF8'", "RESET client_encoding"]),
        ("LATIN1", &["SET client_encoding = 'UTF8'", "SET client_encoding TO DEFAULT"]),
        ("LATIN1", &["SET client_encoding = 'UTF8'", "SET NAMES DEFAULT"]),
        ("LATIN1", &["SET client_encoding = 'UTF8'", "RESET ALL"]),
        ("LATIN1", &["SET client_encoding = 'UTF8'", "DISCARD ALL"]),
        ("LATIN1", &["BEGIN", "SET client_encoding = 'UTF8'", "ROLLBACK"]),
        ("LATIN1", &["BEGIN", "SET LOCAL client_encoding = 'UTF8'", "COMMIT"]),
        ("LATIN1", &["BEGIN", "SET LOCAL client_encoding = 'UTF8'", "COMMIT AND CHAIN"]),
        ("LATIN1", &["BEGIN", "SAVEPOINT s", "SET client_encoding = 'UTF8'", "ROLLBACK TO s"]),
        (
            "LATIN1",
            &["BEGIN", "SAVEPOINT s", "SET LOCAL client_encoding = 'UTF8'", "RELEASE s", "COMMIT"],
        ),
        ("LATIN1", &["BEGIN", "SET client_encoding = 'UTF8'", "SELECT 1 / 0", "ROLLBACK"]),
        ("LATIN1", &["SET client_encoding = 'UTF8'"]),
        ("LATIN1", &["SET client_encoding = 'SQL_ASCII'"]),
        ("SQL_ASCII", &["SELECT 1"]),
        ("SQL_ASCII", &["SET client_encoding = LATIN1"]),
        ("WIN1252", &["SET client_encoding = 'KOI8R'", "SET client_encoding = LATIN9"]),
    ];
    let mut wrong = Vec::new();
    let (mut opened, mut closed) = (0, 0);
    for (encoding, texts) in routes {
        let mut texts: Vec<Vec<u8>> = texts.iter().map(|t| t.as_bytes().to_vec()).collect();
        texts.push(READ.as_bytes().to_vec());
        for way in WAYS {
            let mut bare = log_in((&there, UPSTREAM_USER, UPSTREAM_PASSWORD, DATABASE), encoding)
                .expect("logs in");
            let expected = values(&go(&mut bare, &texts, way));
            let mut client = log_in((&here, "alice", &secret, TARGET), encoding).expect("logs in");
            let answer = go(&mut client, &texts, way);
            let got = values(&answer);
            let said = || {
                let texts: Vec<String> =
                    texts.iter().map(|t| String::from_utf8_lossy(t).into_owned()).collect();
                format!("{encoding} {texts:?} {way:?}: {expected:?}, {got:?}: {answer:?}")
            };
            if got.iter().any(|v| v == "closed") {
                wrong.push(said());
            }
            let is = |v: &str| expected.iter().any(|e| e == v);
            opened += usize::from(is("open"));
            closed += usize::from(is("closed"));
            if is("open") && !got.iter().any(|v| v == "open") {
                wrong.push(said());
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(opened > 30 && closed > 80, "{opened} {closed}");
}

/// The same by code of the database's own, which changes the encoding without a word of it here.
#[test]
fn an_encoding_that_code_has_chosen_is_the_one_that_bytes_are_judged_in() {
    let (server, gateway) = start();
    let secret = gateway.principal("alice", "developer");
    gateway.grant_with("alice", "select,export", &["--for", "30m"]);
    let (there, here) = (server.address(), gateway.address());
    let (mut wrong, mut seen) = (Vec::new(), 0);
    // Nothing is closed to her: what tells is under which name a reading is on record.
    for (encoding, texts) in [
        ("UTF8", &["SELECT sets()"][..]),
        ("UTF8", &["SELECT setting('client_encoding', 'LATIN1')"]),
        ("UTF8", &["SELECT at_once()"]),
        ("UTF8", &["BEGIN", "SELECT sets()"]),
        ("UTF8", &["BEGIN", "SELECT sets()", "ROLLBACK"]),
        ("UTF8", &["PREPARE p AS SELECT sets()", "EXECUTE p"]),
        ("LATIN1", &["SELECT within()"]),
        ("LATIN1", &["SELECT fails()"]),
        ("LATIN1", &["SELECT setting('client_encoding', 'UTF8')"]),
    ] {
        for way in WAYS {
            let mark = format!("{encoding}{way:?}{}", texts.len());
            let mut all: Vec<Vec<u8>> = texts.iter().map(|t| t.as_bytes().to_vec()).collect();
            all.push(format!("{READ} WHERE '{mark}' <> ''").into_bytes());
            let mut bare = log_in((&there, UPSTREAM_USER, UPSTREAM_PASSWORD, DATABASE), encoding)
                .expect("logs in");
            let expected = values(&go(&mut bare, &all, way));
            let mut client = log_in((&here, "alice", &secret, TARGET), encoding).expect("logs in");
            let answer = go(&mut client, &all, way);
            let got = values(&answer);
            let (open, closed) = ("open.\\\"é\\\"", "open.\\\"Ã©\\\"");
            let name = match got.last().map(String::as_str) {
                Some("open") => open,
                Some("closed") => closed,
                _ => continue,
            };
            seen += 1;
            if expected != got {
                wrong.push(format!("{encoding} {texts:?} {way:?}: {got:?} for {expected:?}"));
            }
            let is_it = |line: &str| line.contains(&mark) && line.contains(name);
            let on_record = || gateway.trail().lines().any(is_it);
            if !crate::support::eventually(crate::support::PATIENCE, on_record) {
                wrong.push(format!("{encoding} {texts:?} {way:?}: no record of {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 30, "{seen}");
}

#[test]
fn a_byte_that_the_server_refuses_is_refused_here_and_on_record() {
    let (server, gateway) = start();
    let secret = gateway.almighty("alice");
    let (there, here) = (server.address(), gateway.address());
    for (who, ours) in [
        ((&*there, UPSTREAM_USER, UPSTREAM_PASSWORD, DATABASE), false),
        ((&*here, "alice", &*secret, TARGET), true),
    ] {
        let mut client = log_in(who, "WIN1252").expect("logs in");
        for packet in [
            query(b"SELECT 'caf\x81'"),
            query(b"SELECT \"\x81\" FROM open.t"),
            [parse(b"", b"SELECT '\x81'"), sync()].concat(),
            [parse(b"\x81", b"SELECT 1"), sync()].concat(),
            [named(b'D', b'S', b"\x81"), sync()].concat(),
            [named(b'C', b'P', b"\x81"), sync()].concat(),
            [execute(b"\x81"), sync()].concat(),
        ] {
            let answer = client.exchange(&[packet], 1);
            let refusal = error(&answer).expect("an error");
            assert_eq!(refusal.field('R') == "hallpass", ours, "{refusal:?}");
            assert!(rows(&answer).is_empty());
        }
        assert_eq!(values(&client.query("SELECT 'goes on'")), ["goes on"]);
    }
    gateway.audit_shows("the refused text", |record| record["statement"] == "SELECT 'caf\u{fffd}'");
}

/// Names in messages are converted as texts are: what was prepared under one encoding is run under
/// another by the same name, and by no other.
#[test]
fn names_in_messages_are_those_that_sql_has() {
    let (_server, gateway) = start();
    let secret = gateway.principal("alice", "developer");
    gateway.grant_with("alice", "select,export", &["--for", "30m", "--scope", "open.é"]);
    let here = gateway.address();
    let who = (&*here, "alice", &*secret, TARGET);
    let mut client = log_in(who, "LATIN1").expect("logs in");
    let two = [
        parse(&bytes("Ã©"), b"SELECT 'two letters'"),
        parse(&bytes("é"), b"SELECT 'one letter'"),
        sync(),
    ];
    assert!(error(&client.exchange(&two, 1)).is_none());
    for (encoding, name, expected) in [
        ("LATIN1", bytes("é"), "one letter"),
        ("LATIN1", bytes("Ã©"), "two letters"),
        ("UTF8", "é".as_bytes().to_vec(), "one letter"),
        ("UTF8", "Ã©".as_bytes().to_vec(), "two letters"),
    ] {
        client.query(&format!("SET client_encoding = {encoding}"));
        let run = [bind(b"", &name, None), execute(b""), sync()];
        assert_eq!(values(&client.exchange(&run, 1)), [expected], "{encoding} {name:?}");
        let run = query(&[b"EXECUTE \"", &*name, b"\""].concat());
        assert_eq!(values(&client.exchange(&[run], 1)), [expected], "{encoding} {name:?}");
        // The change and the name in one batch.
        let other = if encoding == "UTF8" { "LATIN1" } else { "UTF8" };
        client.query(&format!("SET client_encoding = {other}"));
        let set = format!("SET client_encoding = {encoding}");
        let run = [extended(set.as_bytes()), bind(b"", &name, None), execute(b""), sync()];
        assert_eq!(values(&client.exchange(&run, 1)), [expected], "{encoding} {name:?} in a batch");
    }
}

/// In an encoding that isn't read a name beyond ASCII is another one to the server: nobody knows which.
#[test]
fn a_name_that_can_not_be_read_is_refused() {
    let (server, gateway) = start();
    server.sql("GRANT ALL ON SCHEMA open TO PUBLIC");
    let secret = gateway.principal("alice", "developer");
    gateway.grant_with("alice", "select,export", &["--for", "30m"]);
    let here = gateway.address();
    let mut client = log_in((&*here, "alice", &*secret, TARGET), "UTF8").expect("logs in");
    let sjis = "SELECT setting('client_encoding', 'SJIS')";
    assert_eq!(values(&client.query(sjis)), ["SJIS"]);
    for packet in [
        [parse("ｱ".as_bytes(), b"SELECT 1"), sync()].concat(),
        [bind("ｱ".as_bytes(), b"", None), sync()].concat(),
        [named(b'C', b'S', "ｱ".as_bytes()), sync()].concat(),
    ] {
        let answer = client.exchange(&[packet], 1);
        assert_eq!(error(&answer).expect("refused").field('R'), "hallpass", "{answer:?}");
    }
}

/// A server with a database of this encoding, and a gateway with a target for it.
fn start_in(encoding: &str) -> (Postgres, Gateway) {
    let server = Postgres::start();
    server.sql(&format!(
        "CREATE DATABASE other ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0 OWNER {UPSTREAM_USER}"
    ));
    let there = server.address();
    let mut owner =
        log_in((&there, UPSTREAM_USER, UPSTREAM_PASSWORD, "other"), "UTF8").expect("logs in");
    let (long, longer) = ("é".repeat(31), "é".repeat(32));
    let made = owner.query(&format!(
        "{OBJECTS} CREATE TABLE open.\"{long}\" AS SELECT 'open' AS v;
         CREATE TABLE open.\"{longer}\" AS SELECT 'closed' AS v;"
    ));
    // Cut, both are one name.
    assert!(error(&made).is_none() || encoding == "SQL_ASCII", "{made:?}");
    if encoding == "SQL_ASCII" {
        assert!(error(&owner.query(OBJECTS)).is_none());
    }
    let target = format!(
        "[[target]]\nname = \"other\"\nengine = \"postgres\"\naddress = \"{there}\"\n\
         database = \"other\"\nuser = \"{UPSTREAM_USER}\"\n\
         password_file = \"upstream.secret\"\ntls = \"disable\"\n",
    );
    let gateway = Gateway::start_with(&server, &Options { rest: target, ..Options::default() });
    (server, gateway)
}

fn reader_of(gateway: &Gateway, scopes: &[&str]) -> String {
    let secret = gateway.principal("alice", "developer");
    let fixed = ["grant", "create", "--to", "alice", "--target", "other", "--allow", "select"];
    let more = ["--for", "1h", "--reason", "a test"];
    gateway.must(&[&fixed[..], &["--scope", &scopes.join(",")], &more].concat());
    secret
}

/// Where a name's bytes are its letters, one that is cut in UTF-8 is whole there.
#[test]
fn a_database_of_one_byte_a_character_is_read_in_its_own_letters() {
    let (server, gateway) = start_in("LATIN1");
    let (long, longer) = ("é".repeat(31), "é".repeat(32));
    let secret = reader_of(&gateway, &["open.é", &format!("open.{long}")]);
    let (there, here) = (server.address(), gateway.address());
    let of = |name: &str| format!("SELECT v FROM open.\"{name}\"");
    for (encoding, name, expected) in [
        ("UTF8", "é".as_bytes().to_vec(), Some("open")),
        ("UTF8", "Ã©".as_bytes().to_vec(), None),
        ("LATIN1", bytes("é"), Some("open")),
        ("LATIN1", bytes("Ã©"), None),
        ("SQL_ASCII", bytes("é"), Some("open")),
        ("SQL_ASCII", bytes("Ã©"), None),
        ("UTF8", long.as_bytes().to_vec(), Some("open")),
        ("UTF8", longer.as_bytes().to_vec(), None),
        ("LATIN1", bytes(&longer), None),
        ("SQL_ASCII", bytes(&longer), None),
    ] {
        let text = [b"SELECT v FROM open.\"", &*name, b"\""].concat();
        let mut bare =
            log_in((&there, UPSTREAM_USER, UPSTREAM_PASSWORD, "other"), encoding).expect("logs in");
        let whole = values(&bare.exchange(&[query(&text)], 1));
        let mut client = log_in((&here, "alice", &secret, "other"), encoding).expect("logs in");
        let got = values(&client.exchange(&[query(&text)], 1));
        let said = || format!("{encoding} {}: {whole:?}, {got:?}", name.escape_ascii());
        assert_eq!(got.first().map(String::as_str), expected, "{}", said());
        assert_eq!(whole, [expected.unwrap_or("closed")], "{}", said());
    }
    // What the server converts to nothing it refuses, and so does the gateway.
    let refused = log_in((&here, "alice", &secret, "other"), "KOI8R").err().expect("refused");
    assert!(refused.field('H').contains("PGCLIENTENCODING=UTF8"), "{refused:?}");
    // Ordinary work: letters that no locale folds need no quotes.
    let mut client = log_in((&here, "alice", &secret, "other"), "UTF8").expect("logs in");
    assert_eq!(values(&client.query("SELECT é.v FROM open.é")), ["open"]);
    let answer = client.query("SELECT v AS É FROM open.é");
    assert_eq!(error(&answer).expect("refused").field('C'), "42501", "{answer:?}");
    assert_eq!(values(&client.query("SELECT v AS \"É\" FROM open.é")), ["open"]);
    assert_eq!(values(&client.query(&format!("SELECT '{longer}'"))).concat(), longer);
    // Two prepared statements at the server, one here if it were cut.
    let name = |end: &str| format!("{longer}{end}");
    let two = [parse(name("a").as_bytes(), of("é").as_bytes()), sync()];
    let answer = client.exchange(&two, 1);
    assert!(error(&answer).is_some_and(|e| e.field('R') == "hallpass"), "{answer:?}");
}

#[test]
fn a_database_of_bytes_is_read_as_its_catalog_is() {
    let (server, gateway) = start_in("SQL_ASCII");
    let secret = reader_of(&gateway, &["open.é"]);
    let (there, here) = (server.address(), gateway.address());
    for (encoding, name, expected) in [
        ("UTF8", "é", Some("open")),
        ("UTF8", "Ã©", None),
        ("SQL_ASCII", "é", Some("open")),
        ("SQL_ASCII", "Ã©", None),
        // The bytes of é: the server takes them as they are.
        ("LATIN1", "é", None),
    ] {
        let text = format!("SELECT v FROM open.\"{name}\"");
        let mut client = log_in((&here, "alice", &secret, "other"), encoding).expect("logs in");
        let got = values(&client.query(&text));
        assert_eq!(got.first().map(String::as_str), expected, "{encoding} {name}");
        if expected.is_some() {
            let who = (&*there, UPSTREAM_USER, UPSTREAM_PASSWORD, "other");
            let mut bare = log_in(who, encoding).expect("logs in");
            assert_eq!(values(&bare.query(&text)), got, "{encoding} {name}");
        }
    }
}
