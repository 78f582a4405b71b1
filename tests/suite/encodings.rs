//! Clients whose texts are not in UTF-8: they are read as the server converts them, and answered in their
//! own encoding.

use std::collections::BTreeSet;

use hallpass::kernel::sql::charset::{Charset, Encoding};

use crate::support::{
    Gateway, Message, Postgres, Psql, RawClient,
    gateway::TARGET,
    postgres::{DATABASE, UPSTREAM_PASSWORD, UPSTREAM_USER},
    raw::{PROTOCOL_3_0, error, frame, rows, sync},
};

/// A text as WIN1252 has it, as far as the tests use it.
pub(super) fn bytes(text: &str) -> Vec<u8> {
    let byte = |c| if c == '€' { 0x80 } else { u8::try_from(c).expect("a byte") };
    text.chars().map(byte).collect()
}

/// Query, of a text in bytes.
pub(super) fn query(text: &[u8]) -> Vec<u8> {
    frame(b'Q', &[text, b"\0"].concat())
}

/// Parse.
pub(super) fn parse(name: &[u8], text: &[u8]) -> Vec<u8> {
    frame(b'P', &[name, b"\0", text, b"\0\0\0"].concat())
}

/// Bind with one parameter as text, or none.
pub(super) fn bind(portal: &[u8], statement: &[u8], value: Option<&[u8]>) -> Vec<u8> {
    let mut body = [portal, b"\0", statement, b"\0\0\0"].concat();
    match value {
        Some(value) => {
            body.extend(b"\0\x01");
            body.extend(u32::try_from(value.len()).expect("fits").to_be_bytes());
            body.extend(value);
        }
        None => body.extend(b"\0\0"),
    }
    body.extend(b"\0\0");
    frame(b'B', &body)
}

/// Execute.
pub(super) fn execute(portal: &[u8]) -> Vec<u8> {
    frame(b'E', &[portal, b"\0\0\0\0\0"].concat())
}

/// Describe or Close of a statement or portal.
pub(super) fn named(tag: u8, kind: u8, name: &[u8]) -> Vec<u8> {
    frame(tag, &[&[kind], name, b"\0"].concat())
}

/// A session with this encoding; `Err`: it was refused.
pub(super) fn log_in(
    (address, user, password, database): (&str, &str, &str, &str),
    encoding: &str,
) -> Result<RawClient, Message> {
    let mut client = RawClient::open(address);
    let mut parameters = vec![("user", user), ("database", database)];
    if !encoding.is_empty() {
        parameters.push(("client_encoding", encoding));
    }
    client.startup(PROTOCOL_3_0, &parameters);
    client.login(password).map(|()| client)
}

/// What the client was told, each field with its bytes.
fn said(messages: &[Message]) -> Vec<(u8, Vec<u8>)> {
    messages.iter().map(|m| (m.tag, m.body.clone())).collect()
}

#[test]
fn every_byte_of_every_encoding_is_what_the_server_makes_of_it() {
    let server = Postgres::start();
    server.sql(
        "CREATE FUNCTION made_of(b int, e name) RETURNS text LANGUAGE plpgsql AS
             $$BEGIN RETURN convert_from(set_byte('\\x00', 0, b), e);
             EXCEPTION WHEN untranslatable_character THEN RETURN NULL; END$$;",
    );
    let every = server.sql(
        "SELECT i FROM generate_series(0, 60) i
         WHERE pg_encoding_to_char(i) <> '' AND pg_encoding_max_length(i) = 1
           AND pg_encoding_to_char(i) <> 'SQL_ASCII' ORDER BY pg_encoding_to_char(i)",
    );
    assert_eq!(every.lines().count(), Charset::all().len());
    for charset in Charset::all() {
        let name = charset.name;
        let sql = format!(
            "SELECT b || ' ' || coalesce(ascii(made_of(b, '{name}')) || ' ' ||
                    length(made_of(b, '{name}')), 'none')
             FROM generate_series(1, 255) b ORDER BY b"
        );
        let answer = server.sql(&sql);
        assert_eq!(answer.lines().count(), 255, "{name}");
        for line in answer.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let byte: u8 = words[0].parse().expect("a byte");
            let own = charset.decode(&[byte]).map(std::borrow::Cow::into_owned);
            match words[1..] {
                ["none"] => assert_eq!(own, Err(byte), "{name}"),
                [code, "1"] => {
                    let code: u32 = code.parse().expect("a number");
                    let c = char::from_u32(code).expect("a character");
                    assert_eq!(own, Ok(c.to_string()), "{name} {byte:#x}");
                    // A quote or a backslash is the same byte for both, and nothing else is.
                    assert_eq!(c.is_ascii(), byte.is_ascii(), "{name} {byte:#x}");
                }
                _ => panic!("{name}: {line}"),
            }
        }
    }
}

#[test]
fn encodings_go_by_the_names_that_the_server_knows() {
    let server = Postgres::start();
    let mut names: BTreeSet<String> = BTreeSet::new();
    let known = server.sql(
        "SELECT DISTINCT pg_encoding_to_char(i) FROM generate_series(0, 60) i
         WHERE pg_encoding_to_char(i) <> ''",
    );
    names.extend(known.lines().map(str::to_owned));
    for stem in ["iso8859", "iso-8859-", "latin", "latin_", "win", "WIN-", "windows", "cp", "koi8"]
    {
        names.insert(stem.to_owned());
        names.extend((1..=16).map(|n| format!("{stem}{n}")));
        names.extend((1250..=1258).map(|n| format!("{stem}{n}")));
        names.extend(
            ["866", "874", "932", "r", "u", "-r", "ru", "8i"].map(|n| format!("{stem}{n}")),
        );
    }
    let more =
        "abc alt tcvn tcvn5712 vscii win unicode utf8 utf-8 utf16 mskanji sqlascii sql_ascii ascii";
    names.extend(more.split(' ').map(str::to_owned));
    let list: Vec<String> = names.iter().map(|name| format!("('{name}')")).collect();
    let sql = format!(
        "SELECT n || ' ' || coalesce(nullif(pg_encoding_to_char(pg_char_to_encoding(n)), ''), '-')
         FROM (VALUES {}) v(n)",
        list.join(",")
    );
    let mut seen = 0;
    for line in server.sql(&sql).lines() {
        let (name, theirs) = line.rsplit_once(' ').expect("two words");
        let ours = match Encoding::named(name) {
            Encoding::Utf8 => "UTF8",
            Encoding::Bytes => "SQL_ASCII",
            Encoding::Table(charset) => charset.name,
            Encoding::Other => {
                let is_read = Charset::all().iter().any(|charset| charset.name == theirs);
                assert!(!is_read && !matches!(theirs, "UTF8" | "SQL_ASCII"), "{line}");
                continue;
            }
        };
        assert_eq!(ours, theirs, "{name}");
        seen += 1;
    }
    assert!(seen > 60, "{seen}");
}

/// Tables with names and values beyond ASCII.
const OBJECTS: &str = "
    CREATE TABLE \"café\" (\"prix €\" text);
    INSERT INTO \"café\" VALUES ('crème 5 €'), ('thé');
    CREATE TABLE \"日本\" (x int);
    CREATE SCHEMA \"日本\";
    CREATE TABLE \"日本\".t AS SELECT 'there' AS v;
    CREATE FUNCTION moves() RETURNS text LANGUAGE sql STABLE AS
        $$SELECT left(set_config('search_path', '日本', false), 0)$$;";

fn start() -> (Postgres, Gateway) {
    let server = Postgres::start();
    server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER};{OBJECTS}"));
    let gateway = Gateway::start(&server);
    (server, gateway)
}

#[test]
fn a_client_of_another_encoding_works_as_at_the_server() {
    let (server, gateway) = start();
    let secret = gateway.almighty("alice");
    let (there, here) = (server.address(), gateway.address());
    for encoding in ["WIN1252", "windows-1252"] {
        let bare = (&*there, UPSTREAM_USER, UPSTREAM_PASSWORD, DATABASE);
        let mut bare = log_in(bare, encoding).expect("logs in");
        let mut client = log_in((&*here, "alice", &*secret, TARGET), encoding).expect("logs in");
        assert_eq!(bare.parameters, client.parameters);
        for text in [
            "SELECT \"prix €\" FROM \"café\" ORDER BY 1",
            "BEGIN; INSERT INTO \"café\" VALUES ('blé à 3 €') RETURNING *; ROLLBACK",
            "SELECT length('é€'), upper('é'), 'é' = chr(233), '€' = chr(8364)",
            // Errors of the server's own, with a place.
            "SELECT 'é€' FROM \"café\" WHERE nosuch",
            "SELECT * FROM \"cafés\"",
            "SELECT 'é€' FRM \"café\"",
            // What can't be said in it.
            "SELECT chr(26085)",
            "SELECT '\u{81}'",
            "COPY \"café\" TO STDOUT",
            "SET client_encoding = 'KOI8R'; SELECT 'é'",
            "SELECT 'é'",
            "RESET client_encoding",
            "SELECT 'é'",
        ] {
            let text = query(&bytes(text));
            let (expected, got) = (
                bare.exchange(std::slice::from_ref(&text), 1),
                client.exchange(std::slice::from_ref(&text), 1),
            );
            let ours = error(&got).is_some_and(|e| e.field('R') == "hallpass");
            if ours {
                // Refused here already, and in which words is the gateway's business; at the same place.
                let (theirs, ours) =
                    (error(&expected).expect("too"), error(&got).expect("an error"));
                assert_eq!(theirs.field('P'), ours.field('P'), "{theirs:?} {ours:?}");
                continue;
            }
            assert_eq!(said(&expected), said(&got), "{:?}", text.escape_ascii().to_string());
        }
        for packet in [
            [parse(&bytes("né"), &bytes("SELECT $1::text || 'é'")), sync()].concat(),
            [
                bind(&bytes("portée"), &bytes("né"), Some(b"5 \x80")),
                execute(&bytes("portée")),
                sync(),
            ]
            .concat(),
            query(&bytes("EXECUTE \"né\" ('ça')")),
            query(&bytes("SET client_encoding = UTF8")),
            query("EXECUTE \"né\" ('日')".as_bytes()),
            [bind(b"", "né".as_bytes(), Some("日".as_bytes())), execute(b""), sync()].concat(),
            query("PREPARE \"lié\" AS SELECT '日'".as_bytes()),
            query(b"RESET client_encoding"),
            [named(b'D', b'S', &bytes("né")), named(b'C', b'S', &bytes("né")), sync()].concat(),
            [bind(b"", &bytes("né"), Some(b"x")), sync()].concat(),
            [bind(b"", &bytes("lié"), None), execute(b""), sync()].concat(),
            query(b"BEGIN"),
            query(&bytes("DECLARE \"là\" CURSOR FOR SELECT \"prix €\" FROM \"café\" ORDER BY 1")),
            [execute(&bytes("là")), sync()].concat(),
            query(&bytes("ROLLBACK")),
        ] {
            let (expected, got) = (
                bare.exchange(std::slice::from_ref(&packet), 1),
                client.exchange(std::slice::from_ref(&packet), 1),
            );
            // The place in the server's source differs where the gateway asked in the client's stead.
            let told = |messages: &[Message]| {
                let rest: Vec<_> = said(messages).into_iter().filter(|(t, _)| *t != b'E').collect();
                (rest, error(messages).map(|e| (e.field('C'), e.field('M'))))
            };
            assert_eq!(told(&expected), told(&got), "{}", packet.escape_ascii());
        }
    }
}

#[test]
fn what_the_gateway_says_is_in_the_clients_encoding() {
    let (server, gateway) = start();
    let secret = gateway.principal("alice", "developer");
    let here = gateway.address();
    let who = (&*here, "alice", &*secret, TARGET);
    let ask = "SELECT * FROM \"café\"";
    for (encoding, expected) in [
        ("WIN1252", bytes("café")),
        ("LATIN9", bytes("café")),
        ("UTF8", "café".as_bytes().to_vec()),
        ("SQL_ASCII", "café".as_bytes().to_vec()),
    ] {
        let mut client = log_in(who, encoding).expect("logs in");
        let text = [b"SELECT * FROM \"", &*expected, b"\""].concat();
        let answer = client.exchange(&[query(&text)], 1);
        let refusal = error(&answer).expect("refused");
        assert_eq!(refusal.field('C'), "42501", "{encoding}");
        let name = [b"public.", &*expected].concat();
        assert!(refusal.body.windows(name.len()).any(|w| w == name), "{encoding}: {refusal:?}");
    }
    // Asked for in one, read in others.
    let mut client = log_in(who, "WIN1252").expect("logs in");
    let request = bytes("SELECT hallpass.request('select', '5m', 'café à 5 €')");
    assert!(error(&client.exchange(&[query(&request)], 1)).is_none());
    let portal = [
        parse(b"", &bytes("SELECT hallpass.request('dml', '5m', $1)")),
        bind(b"", b"", Some(&bytes("thé à 3 €"))),
        execute(b""),
        sync(),
    ];
    assert!(error(&client.exchange(&portal, 1)).is_none());
    for (encoding, expected) in [
        ("WIN1252", [bytes("café à 5 €"), bytes("thé à 3 €")]),
        ("UTF8", ["café à 5 €".as_bytes().to_vec(), "thé à 3 €".as_bytes().to_vec()]),
        ("LATIN1", [b"caf\xe9 \xe0 5 ?".to_vec(), b"th\xe9 \xe0 3 ?".to_vec()]),
        ("KOI8R", [b"caf? ? 5 ?".to_vec(), b"th? ? 3 ?".to_vec()]),
    ] {
        let mut client = log_in(who, encoding).expect("logs in");
        let answer = client.query("SELECT reason FROM hallpass.requests");
        let mut cells: Vec<Vec<u8>> = answer
            .iter()
            .filter(|m| m.tag == b'D')
            .filter_map(|m| m.values().into_iter().next().flatten())
            .collect();
        cells.sort();
        assert_eq!(cells, expected, "{encoding}");
    }
    // The same text is one record, whatever its bytes were.
    for encoding in ["WIN1252", "UTF8"] {
        let mut client = log_in(who, encoding).expect("logs in");
        let text = if encoding == "UTF8" { ask.as_bytes().to_vec() } else { bytes(ask) };
        client.exchange(&[query(&text)], 1);
    }
    gateway.audit_shows("the text in UTF-8", |record| record["statement"] == ask);
    drop(server);
}

#[test]
fn parameters_are_on_record_in_utf8() {
    let (_server, gateway) = start();
    let secret = gateway.almighty("alice");
    let here = gateway.address();
    let mut client = log_in((&*here, "alice", &*secret, TARGET), "WIN1252").expect("logs in");
    let packet = [
        parse(b"", &bytes("INSERT INTO \"café\" VALUES ($1)")),
        bind(b"", b"", Some(&bytes("blé à 3 €"))),
        execute(b""),
        sync(),
    ];
    assert!(error(&client.exchange(&packet, 1)).is_none());
    let is_it = |line: &str| line.contains("blé à 3 €") && line.contains("INSERT INTO \\\"café");
    assert!(
        crate::support::eventually(crate::support::PATIENCE, || gateway.trail().lines().any(is_it)),
        "{}",
        gateway.trail()
    );
}

/// A path that leads through a name which the client's encoding doesn't have.
#[test]
fn a_path_with_other_letters_is_followed() {
    let (_server, gateway) = start();
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let here = gateway.address();
    let mut client = log_in((&*here, "alice", &*secret, TARGET), "LATIN1").expect("logs in");
    client.query("BEGIN");
    let moved = client.query("SELECT moves()");
    assert_eq!(rows(&moved), [[""]], "{moved:?}");
    let answer = client.query("SELECT v FROM t");
    assert_eq!(rows(&answer), [["there"]], "{answer:?}");
    // In a transaction, which our question must not have ended.
    assert_eq!(answer.last().map(|m| m.body.clone()), Some(b"T".to_vec()));
}

#[test]
fn the_sessions_name_at_the_server_is_the_clients() {
    let (server, gateway) = start();
    let secret = gateway.principal("alice", "developer");
    let (there, here) = (server.address(), gateway.address());
    let bare = (&*there, UPSTREAM_USER, UPSTREAM_PASSWORD, DATABASE);
    for encoding in ["WIN1252", "UTF8"] {
        let name = "SET application_name = 'café'";
        let set = if encoding == "UTF8" { query(name.as_bytes()) } else { query(&bytes(name)) };
        let mut bare = log_in(bare, encoding).expect("logs in");
        let mut client = log_in((&*here, "alice", &*secret, TARGET), encoding).expect("logs in");
        for session in [&mut bare, &mut client] {
            assert!(error(&session.exchange(std::slice::from_ref(&set), 1)).is_none());
            session.query("SELECT 1");
        }
        let sql = "SELECT string_agg(application_name, ',' ORDER BY application_name DESC)
                   FROM pg_stat_activity WHERE application_name LIKE '%caf%'";
        let known = server.sql(sql);
        let (one, two) = known.split_once(',').expect("two sessions");
        assert_eq!(two, format!("alice/{one}"), "{known}");
    }
}

/// The start-up message is not converted by anybody.
#[test]
fn a_name_that_a_client_gives_itself_in_its_encoding_keeps_nobody_out() {
    let (_server, gateway) = start();
    let secret = gateway.principal("alice", "developer");
    let mut client = RawClient::open(&gateway.address());
    let (version, end) = (PROTOCOL_3_0.to_be_bytes(), b"\0");
    let parameters: &[&[u8]] = &[
        &version,
        b"user\0alice\0",
        b"database\0",
        TARGET.as_bytes(),
        end,
        b"client_encoding\0WIN1252\0",
        b"application_name\0caf\xe9\0",
        end,
    ];
    let body = parameters.concat();
    let length = u32::try_from(body.len() + 4).expect("fits").to_be_bytes();
    client.send_bytes(&[&length[..], &body].concat());
    client.login(&secret).expect("logs in");
    let answer = client.query("SHOW application_name");
    assert_eq!(rows(&answer), [["caf?"]], "{answer:?}");
}

#[test]
fn psql_of_another_encoding_works_as_at_the_server() {
    let (server, gateway) = start();
    let secret = gateway.almighty("alice");
    let script = "\\encoding\nSELECT 'é', '€';\nSELECT * FROM \"café\" ORDER BY 1;\n\\d \"café\"\n\\dt\n\
                  BEGIN;INSERT INTO \"café\" VALUES ('blé à 3 €') RETURNING *;ROLLBACK;\nSELECT \"prix €\" FROM \"café\" WHERE\n\
                  \"prix €\" ~ 'é' AND nosuch;\nSELECT * FROM \"cafés\";\nSELECT '日本';\n\\encoding LATIN1\n\
                  SELECT 'é';\nSELECT chr(8364);\n\\encoding UTF8\nSELECT chr(8364);\n\
                  \\copy \"café\" to stdout\n";
    for encoding in ["WIN1252", "LATIN1", "UTF8", "KOI8R", "SQL_ASCII"] {
        // What can't be said in an encoding is an error of the server's, the same by both ways.
        let text: Vec<u8> = if encoding == "WIN1252" {
            script.split("SELECT '日本';\n").map(bytes).collect::<Vec<_>>().concat()
        } else {
            script.as_bytes().to_vec()
        };
        let run = |dsn: String| {
            let psql = Psql::new(dsn).env("PGCLIENTENCODING", encoding);
            psql.run_bytes(&["-A", "-v", "VERBOSITY=verbose"], &text)
        };
        let direct = run(server.upstream_dsn());
        let through = run(gateway.dsn("alice", &secret));
        let lines = |output: &[u8]| {
            // The server's own source lines aside.
            let text: String = output.escape_ascii().to_string().replace("\\n", "\n");
            let kept = text.lines().filter(|line| !line.starts_with("LOCATION:"));
            kept.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(lines(&direct.stdout), lines(&through.stdout), "{encoding}");
        assert_eq!(lines(&direct.stderr), lines(&through.stderr), "{encoding}");
        assert!(direct.stdout.len() > 50, "{encoding}");
    }
}
