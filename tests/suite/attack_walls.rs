//! Attacks on the second wall: routes by which a session below dml could come to write. Each is first
//! gone on a bare server, from a session that begins read-only, then through the gateway in all ways in
//! which messages can be sent. Behind each stands a function that says it only reads, and writes.

mod caps;
mod clients;
mod encodings;
mod routes;
mod settings;

use std::{io::ErrorKind, time::Duration};

use self::routes::{Bare, ROUTES, Route};
use crate::support::{
    Gateway, Message, Postgres, RawClient, gateway,
    postgres::{self, DATABASE, SUPERUSER, SUPERUSER_PASSWORD, UPSTREAM_PASSWORD, UPSTREAM_USER},
    raw::{PROTOCOL_3_0, bind, error, execute, flush, parse, query, rows, sync},
};

/// Code that stands in the database, as an application's does.
const OBJECTS: &str = "
    CREATE TABLE loot (id integer);
    CREATE FUNCTION write_loot() RETURNS integer LANGUAGE sql AS
        'INSERT INTO public.loot VALUES (1) RETURNING 1';
    CREATE FUNCTION steady() RETURNS integer LANGUAGE plpgsql STABLE AS
        $$BEGIN RETURN public.write_loot(); END$$;
    CREATE FUNCTION opens() RETURNS text LANGUAGE plpgsql STABLE AS
        $$BEGIN RETURN set_config('default_transaction_read_only', 'off', false); END$$;
    CREATE FUNCTION opens_now() RETURNS text LANGUAGE plpgsql STABLE AS
        $$BEGIN RETURN set_config('transaction_read_only', 'off', true); END$$;
    CREATE FUNCTION setting(name text, value text) RETURNS text LANGUAGE sql STABLE AS
        'SELECT set_config(name, value, false)';
    CREATE FUNCTION clause() RETURNS integer LANGUAGE plpgsql STABLE
        SET default_transaction_read_only = off AS $$BEGIN RETURN public.write_loot(); END$$;
    CREATE FUNCTION clause_now() RETURNS integer LANGUAGE plpgsql STABLE AS
        $$BEGIN RETURN public.write_loot(); END$$;
    -- PostgreSQL 18 does not take it for a function.
    DO $$BEGIN ALTER FUNCTION clause_now() SET transaction_read_only = off;
        EXCEPTION WHEN others THEN NULL; END$$;
    CREATE FUNCTION opens_at_once() RETURNS text LANGUAGE plpgsql IMMUTABLE AS
        $$BEGIN RETURN set_config('default_transaction_read_only', 'off', false); END$$;
    CREATE FUNCTION resets() RETURNS text LANGUAGE plpgsql STABLE AS
        $$BEGIN EXECUTE 'RESET transaction_read_only'; RETURN 1; END$$;
    CREATE VIEW opening AS SELECT set_config('default_transaction_read_only', 'off', false) AS now;";

/// What a server of version 16 or later says to `RESET transaction_read_only`.
const NO_LONGER_RESET: &str = "\"transaction_read_only\" cannot be reset";

/// What a session that may write does, and one that may not can't.
const WRITE: &str = "SELECT steady()";

fn start() -> (Postgres, Gateway) {
    start_with("")
}

/// With more that stands in the database.
fn start_with(more: &str) -> (Postgres, Gateway) {
    let server = Postgres::start();
    server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER};{OBJECTS}{more}"));
    let gateway = Gateway::start(&server);
    (server, gateway)
}

/// Who looks at what was written, from outside.
struct Onlooker(RawClient);

impl Onlooker {
    fn new(server: &Postgres) -> Self {
        let address = server.address();
        Self(RawClient::connect(&address, SUPERUSER, SUPERUSER_PASSWORD, DATABASE))
    }

    /// True if something was written since it looked last.
    fn sees_loot(&mut self) -> bool {
        let seen = rows(&self.0.query("SELECT count(*) FROM loot")) != [["0"]];
        if seen {
            self.0.query("TRUNCATE loot");
        }
        seen
    }
}

/// In which messages a route's texts go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// Each a Query, behind the answer to the one before.
    Queries,
    /// Each a Query, all at once.
    QueriesAtOnce,
    /// Each Parse, Bind, Execute and Sync, behind the answer to the one before.
    Extended,
    /// The same, all at once.
    Pipelined,
    /// Each Parse, Bind and Execute, with one Sync behind all.
    OneBatch,
    /// All in one Query.
    OneQuery,
}

const WAYS: [Way; 6] =
    [Way::Queries, Way::QueriesAtOnce, Way::Extended, Way::Pipelined, Way::OneBatch, Way::OneQuery];

fn extended(text: &str) -> Vec<u8> {
    [parse("", text, &[]), bind("", "", &[], 0), execute("", 0)].concat()
}

/// Sends the texts that way; what was answered, up to the end of the session if it comes to that.
fn go(client: &mut RawClient, texts: &[&str], way: Way) -> Vec<Message> {
    let mut answer = Vec::new();
    let mut send = |bytes: Vec<u8>, readies: usize| {
        if client.try_send_bytes(&bytes).is_err() {
            return;
        }
        let mut left = readies;
        while left > 0 {
            match client.try_read() {
                Ok(Some(message)) => {
                    left -= usize::from(message.tag == b'Z');
                    answer.push(message);
                }
                Ok(None) => return,
                Err(e) if e.kind() == ErrorKind::BrokenPipe => return,
                Err(e) => panic!("{texts:?} {way:?}: {e}; {answer:?}"),
            }
        }
    };
    let count = texts.len();
    match way {
        Way::Queries => texts.iter().for_each(|text| send(query(text), 1)),
        Way::QueriesAtOnce => {
            send(texts.iter().map(|text| query(text)).collect::<Vec<_>>().concat(), count);
        }
        Way::Extended => texts.iter().for_each(|text| send([extended(text), sync()].concat(), 1)),
        Way::Pipelined => {
            let all = texts.iter().map(|text| [extended(text), sync()].concat());
            send(all.collect::<Vec<_>>().concat(), count);
        }
        Way::OneBatch => {
            let all = texts.iter().map(|text| extended(text));
            send([all.collect::<Vec<_>>().concat(), sync()].concat(), 1);
        }
        Way::OneQuery => send(query(&texts.join("; ")), 1),
    }
    answer
}

/// A session at the server itself that begins as the gateway's do below dml.
fn bare(server: &Postgres) -> RawClient {
    let mut client = RawClient::open(&server.address());
    let options = "-c default_transaction_read_only=on";
    client.startup(
        PROTOCOL_3_0,
        &[("user", UPSTREAM_USER), ("database", DATABASE), ("options", options)],
    );
    client.login(UPSTREAM_PASSWORD).expect("logs in");
    client
}

/// What a route was gone for: to write in the same transaction, and in the next one.
fn behind(route: &Route) -> Vec<&'static str> {
    [route.texts, &[WRITE, "COMMIT", WRITE, "ROLLBACK"][..]].concat()
}

#[test]
fn no_route_makes_a_session_writable_that_may_only_read() {
    let (server, gateway) = start();
    let mut onlooker = Onlooker::new(&server);
    let secret = gateway.principal("alice", "developer");
    // With export no text is refused because a result could be cut in it.
    gateway.grant("alice", "select,export");
    let mut wrong = Vec::new();
    for route in ROUTES {
        let mut client = bare(&server);
        let said = go(&mut client, &behind(route), Way::Queries);
        let opened = onlooker.sees_loot();
        let closed_since = error(&said).is_some_and(|e| e.field('M').ends_with(NO_LONGER_RESET));
        if opened != (route.bare == Bare::Opens && !closed_since) {
            wrong.push(format!("on a bare server {:?} doesn't: {said:?}", route.texts));
        }
        for way in WAYS {
            let mut client = gateway.connect("alice", &secret);
            let said = go(&mut client, &behind(route), way);
            if onlooker.sees_loot() {
                wrong.push(format!("WRITES {way:?} {:?}: {said:?}", route.texts));
            }
        }
        if route.texts.iter().any(|text| text.starts_with("ALTER")) {
            server.sql(&format!(
                "ALTER ROLE {UPSTREAM_USER} RESET ALL; ALTER DATABASE {DATABASE} RESET ALL"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Messages sent in one packet, and whether the session wrote in it or in what follows.
#[test]
fn what_only_planning_runs_opens_nothing() {
    let (server, gateway) = start();
    let mut onlooker = Onlooker::new(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select,export");
    let bound = || [parse("", "SELECT opens_at_once()", &[]), bind("", "", &[], 0)].concat();
    let packets: [Vec<Vec<u8>>; 5] = [
        vec![bound(), sync()],
        vec![bound(), extended("COMMIT"), extended(WRITE), sync()],
        vec![bound(), sync(), extended(WRITE), sync()],
        vec![extended("BEGIN"), bound(), extended("COMMIT"), extended(WRITE), sync()],
        vec![query("EXPLAIN SELECT opens_at_once()")],
    ];
    let mut wrong = Vec::new();
    for packet in packets {
        let readies = packet.iter().filter(|m| **m == sync() || m[0] == b'Q').count();
        for through in [false, true] {
            let mut client =
                if through { gateway.connect("alice", &secret) } else { bare(&server) };
            let mut said = client.exchange(&packet, readies);
            said.extend(go(&mut client, &[WRITE], Way::Queries));
            if onlooker.sees_loot() == through {
                wrong.push(format!("through the gateway: {through}: {said:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A session whose right to write ends under it: every way to go on.
#[test]
fn a_transaction_whose_right_to_write_has_ended_is_read_only_whatever_is_rolled_back() {
    let many = postgres::Options {
        settings: vec![("max_connections", "250".into())],
        ..postgres::Options::default()
    };
    let server = Postgres::start_with(&many);
    server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER};{OBJECTS}"));
    let gateway = Gateway::start_with(
        &server,
        &gateway::Options {
            target: "max_connections = 200".into(),
            rest: "[limits]\nconnections_per_principal = 200\n".into(),
            ..gateway::Options::default()
        },
    );
    let mut onlooker = Onlooker::new(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select,export");
    let dml = gateway.grant("alice", "dml");
    let before: [&[&str]; 3] = [&["BEGIN", "SELECT 1"], &["BEGIN", "SAVEPOINT a", "SELECT 1"], &[]];
    let after: [&[&str]; 7] = [
        &[WRITE],
        &["SELECT 1", "RELEASE a", WRITE],
        &["SELECT 1", "ROLLBACK TO a", WRITE],
        &["SELECT 1", "RELEASE a", "SAVEPOINT b", "ROLLBACK TO b", "RELEASE b", WRITE],
        &["SELECT 1", "COMMIT", WRITE],
        &["SELECT 1", "COMMIT AND CHAIN", WRITE],
        &["SELECT 1", "ROLLBACK", WRITE],
    ];
    let mut sessions = Vec::new();
    for begun in before {
        for texts in after {
            for way in [Way::QueriesAtOnce, Way::Extended, Way::OneBatch, Way::OneQuery] {
                let mut client = gateway.connect("alice", &secret);
                go(&mut client, begun, Way::Queries);
                if begun.is_empty() {
                    // A batch without an end, and its transaction.
                    client.send_bytes(&[extended("SELECT 1"), flush()].concat());
                    client.read_until(b'C');
                }
                sessions.push((begun, texts, way, client));
            }
        }
    }
    gateway.must(&["grant", "revoke", &dml]);
    std::thread::sleep(Duration::from_millis(900));
    let mut wrong = Vec::new();
    for (begun, texts, way, mut client) in sessions {
        let mut said = go(&mut client, texts, way);
        said.extend(go(&mut client, &["COMMIT", WRITE], Way::Queries));
        if onlooker.sees_loot() {
            wrong.push(format!("{begun:?} {texts:?} {way:?}: {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
