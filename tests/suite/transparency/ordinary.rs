//! Ordinary work under exactly the permissions it needs: everything in `tests/corpus` but the attacks
//! is allowed, and answered byte for byte as the server itself answers.
//!
//! Three servers get the same schema and the same statements in the same order: two bare ones, and one
//! behind the gateway. Where the bare ones differ already, in a clock or a random number, only the kinds
//! of messages are compared.

use std::{collections::BTreeMap, fs};

use super::{
    direct, without_number_of_temporary_schema, without_own_oids,
    without_source_of_what_is_not_sent,
};
use crate::{
    corpus,
    support::{
        Gateway, Message, Postgres, RawClient,
        gateway::Options,
        postgres::UPSTREAM_USER,
        raw::{copy_fail, describe, parse, query, sync, tags},
    },
};

/// In this order: what reads comes before what changes.
const FOLDERS: [&str; 5] = ["info", "select", "session", "dml", "ddl"];

/// What people see of others, and of themselves: the gateway's own connections are there too, and other
/// people's SQL is hidden.
const OF_ACTIVITY: [&str; 4] = ["pg_stat", "pg_locks", "pg_backend", "pg_current_wal"];

/// What two servers may answer alike in one run, and three not: lots, clocks that are read to the second or
/// the day, and room on disk.
const BY_CHANCE: [&str; 13] = [
    "tablesample",
    "random()",
    "pg_export_snapshot",
    "now()",
    "current_date",
    "current_time",
    "localtime",
    "_timestamp()",
    "'now'",
    "'today'",
    "age(",
    "_time()",
    "_size(",
];

/// The wall doesn't show, so that setting it is not reported.
const OF_WALL: &[u8] = b"default_transaction_read_only\0";

fn server() -> Postgres {
    let server = Postgres::start();
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/schema.sql");
    let schema = fs::read_to_string(schema).expect("reads");
    server.sql(&format!(
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION {UPSTREAM_USER};
         SET SESSION AUTHORIZATION {UPSTREAM_USER};\n{schema}\nANALYZE;"
    ));
    server
}

/// One entry, and everything that came back for it.
struct Answered {
    file: String,
    name: String,
    sql: String,
    messages: Vec<Message>,
}

/// Sends the whole corpus, each file and each set of permissions on a connection of its own; session
/// state is the subject of `session`, so that there every entry has one.
fn answers(mut connect: impl FnMut(&str) -> RawClient) -> Vec<Answered> {
    let mut answered = Vec::new();
    for folder in FOLDERS {
        for (file, entries) in corpus::read_folder(folder) {
            let mut clients: BTreeMap<String, RawClient> = BTreeMap::new();
            for corpus::Entry { name, needs, sql, .. } in entries {
                if folder == "session" {
                    clients.clear();
                }
                let needs =
                    if folder == "ddl" && needs == "ddl" { "ddl,dml,select" } else { &needs };
                let client = clients.entry(needs.to_owned()).or_insert_with(|| connect(needs));
                let messages = ask(client, &sql);
                answered.push(Answered { file: file.clone(), name, sql, messages });
            }
        }
    }
    answered
}

/// A statement with parameters is prepared and described; what it would be given isn't known.
fn ask(client: &mut RawClient, sql: &str) -> Vec<Message> {
    let packet = if sql.contains("$1") && !sql.starts_with("PREPARE") {
        [parse("", sql, &[]), describe(b'S', ""), sync()].concat()
    } else {
        query(sql)
    };
    client.send_bytes(&packet);
    let mut said = until_ready(client);
    // What an entry leaves open is not the next one's.
    if said.last().is_some_and(|ready| ready.body != b"I") {
        client.send_bytes(&query("ROLLBACK"));
        said.extend(until_ready(client));
    }
    said.retain(|message| message.tag != b'S' || !message.body.starts_with(OF_WALL));
    for message in &mut said {
        without_source_of_what_is_not_sent(message);
        without_own_oids(message);
        without_number_of_temporary_schema(message);
    }
    said
}

fn until_ready(client: &mut RawClient) -> Vec<Message> {
    let mut said = Vec::new();
    loop {
        let message = client.read();
        let tag = message.tag;
        said.push(message);
        match tag {
            b'G' => client.send_bytes(&copy_fail("there are no rows here")),
            b'Z' => return said,
            _ => {}
        }
    }
}

/// Somebody who holds these permissions and no other.
fn holder(
    gateway: &Gateway,
    held: &mut BTreeMap<String, (String, String)>,
    needs: &str,
) -> RawClient {
    let number = held.len();
    let (name, secret) = held.entry(needs.to_owned()).or_insert_with(|| {
        let name = format!("holder{number}");
        let secret = gateway.principal(&name, "worker");
        if !needs.is_empty() {
            gateway.grant_with(&name, needs, &["--for", "2h", "--row-budget", "100000000"]);
        }
        (name, secret)
    });
    gateway.connect(name, secret)
}

#[test]
fn ordinary_work_under_the_permission_it_needs_is_answered_as_by_the_server() {
    let (one, two, three) = (server(), server(), server());
    // A role that stands for nothing.
    let rest = "[roles.worker]".to_owned();
    let gateway = Gateway::start_with(&three, &Options { rest, ..Options::default() });
    let (expected, again, got) = std::thread::scope(|scope| {
        let expected = scope.spawn(|| answers(|_| direct(&one)));
        let again = scope.spawn(|| answers(|_| direct(&two)));
        let mut held = BTreeMap::new();
        let got = answers(|needs| holder(&gateway, &mut held, needs));
        (expected.join().expect("answers"), again.join().expect("answers"), got)
    });
    assert!(expected.len() > 2_500, "{}", expected.len());
    let mut wrong = Vec::new();
    let mut alike = 0;
    for ((expected, again), got) in expected.iter().zip(&again).zip(&got) {
        let steady = expected.messages == again.messages;
        alike += usize::from(steady);
        if let Some(why) = differs(expected, got, steady) {
            wrong.push(format!("{}: {}: {why}\n{}", got.file, got.name, got.sql));
        }
    }
    assert!(alike * 10 > expected.len() * 9, "{alike} of {} are steady", expected.len());
    assert!(
        wrong.is_empty(),
        "{} of {} differ\n{}",
        wrong.len(),
        expected.len(),
        wrong.join("\n----\n")
    );
}

fn differs(expected: &Answered, got: &Answered, steady: bool) -> Option<String> {
    // The two bare servers may take the same few microseconds, or draw the same lot, and the third not.
    let measures = expected.sql.contains("EXPLAIN")
        && ["ANALYZE", "SUMMARY"].iter().any(|option| expected.sql.contains(option));
    let lower = expected.sql.to_ascii_lowercase();
    let draws = BY_CHANCE.iter().any(|word| lower.contains(word));
    let of_activity =
        measures || draws || OF_ACTIVITY.iter().any(|name| expected.sql.contains(name));
    if steady && !of_activity && expected.messages == got.messages {
        return None;
    }
    let kinds = |answered: &Answered| {
        let mut kinds = tags(&answered.messages);
        kinds.retain(|tag| tag != 'D');
        kinds
    };
    if (!steady || of_activity) && kinds(expected) == kinds(got) {
        return None;
    }
    let mut pairs = expected.messages.iter().zip(&got.messages);
    let first = pairs.find(|(a, b)| a != b);
    Some(match first {
        Some((expected, got)) => format!("{expected:?}\n  through the gateway: {got:?}"),
        None => format!("{}\n  through the gateway: {}", kinds(expected), kinds(got)),
    })
}
