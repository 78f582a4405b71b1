//! Everyday work where some columns are masked: what doesn't derive from them comes byte for byte as
//! from the server, what does comes masked in just those columns, and what is refused says why.
//!
//! Each entry of `everyday/*.sql` says what must come:
//!
//! - `identical`: every message as the server itself sends it.
//! - `alike`: clocks and counters differ, the kinds of messages don't.
//! - `masked 2,5`: these columns of its rows are masked, all else is identical.
//! - `unmask WHY`: it is refused for this reason; nothing runs.
//!
//! A statement that ends its line with a semicolon is sent by itself.

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use super::transparency::{
    direct, without_number_of_temporary_schema, without_own_oids,
    without_source_of_what_is_not_sent,
};
use crate::support::{
    Gateway, Message, Postgres, RawClient, eventually,
    gateway::TARGET,
    raw::{bind, describe, error, execute, parse, rows, sync, tags},
};

pub(crate) const RULES: [(&str, &str); 8] = [
    ("public.customers.email", "email"),
    ("public.customers.phone", "partial"),
    ("public.customers.birth_date", "truncate(year)"),
    ("public.employees.email", "email"),
    ("public.employees.salary", "bucket(10000)"),
    ("public.employees.national_id", "partial"),
    ("public.payments.card_number", "card"),
    ("public.payments.iban", "partial"),
];

/// Sets the rules and waits until they hold.
pub(crate) fn mask(gateway: &Gateway, client: &mut RawClient) {
    for (column, with) in RULES {
        gateway.must(&["mask", "add", "--target", TARGET, "--column", column, "--with", with]);
    }
    let masked = || {
        let shown = client.query("SELECT iban FROM payments WHERE method = 'transfer' LIMIT 1");
        rows(&shown).first().is_some_and(|row| row[0].contains('*'))
    };
    assert!(eventually(Duration::from_secs(5), masked), "{}", gateway.log());
}

enum Comes {
    Identical,
    Alike,
    Masked(BTreeSet<usize>),
    Unmask(String),
}

struct Entry {
    name: &'static str,
    comes: Comes,
    sql: &'static str,
}

fn entries(text: &'static str) -> Vec<Entry> {
    let parts = text.split("\n-- name: ").skip(1);
    parts
        .map(|part| {
            let (name, rest) = part.split_once('\n').expect("more than a name");
            let (comes, sql) = rest.split_once('\n').expect("more than what comes");
            let comes = comes.strip_prefix("-- comes: ").expect("says what comes");
            let (word, more) = comes.split_once(' ').unwrap_or((comes, ""));
            let comes = match word {
                "identical" => Comes::Identical,
                "alike" => Comes::Alike,
                "masked" => Comes::Masked(
                    more.split(',')
                        .filter_map(|n| n.parse::<usize>().ok())
                        .map(|n| n - 1)
                        .collect(),
                ),
                "unmask" => Comes::Unmask(more.to_owned()),
                other => panic!("{name}: {other}"),
            };
            Entry { name, comes, sql: sql.trim() }
        })
        .collect()
}

/// What came, without what no two servers have in common.
fn settled(mut said: Vec<Message>) -> Vec<Message> {
    for message in &mut said {
        without_source_of_what_is_not_sent(message);
        if message.tag == b'E' && message.field('C') == "42601" {
            // The gateway says by itself that a text can't be parsed.
            message.body = message.field('M').into_bytes();
        }
        without_own_oids(message);
        without_number_of_temporary_schema(message);
    }
    said
}

/// What is wrong with what came, if something is.
fn differs(comes: &Comes, there: &[Message], through: &[Message]) -> Option<String> {
    let bytes = |list: &[Message]| -> Vec<(u8, Vec<u8>)> {
        list.iter().map(|m| (m.tag, m.body.clone())).collect()
    };
    match comes {
        Comes::Identical => (bytes(there) != bytes(through)).then(|| shown(there, through)),
        Comes::Alike => {
            let kinds = |list: &[Message]| tags(list).replace('D', "");
            (kinds(there) != kinds(through)).then(|| shown(there, through))
        }
        Comes::Masked(columns) => masked(columns, there, through),
        Comes::Unmask(_) => Some("it passes".to_owned()),
    }
}

fn masked(columns: &BTreeSet<usize>, there: &[Message], through: &[Message]) -> Option<String> {
    let is_ours = |m: &Message| m.tag == b'N' && m.field('M').contains("masked");
    let through: Vec<_> = through.iter().filter(|m| !is_ours(m)).cloned().collect();
    if tags(there) != tags(&through) {
        return Some(shown(there, &through));
    }
    let (mut seen, mut hidden) = (BTreeSet::new(), BTreeSet::new());
    for (a, b) in there.iter().zip(&through) {
        if a.tag != b'D' {
            if a.body != b.body {
                return Some(format!("{a:?}\n  through the gateway: {b:?}"));
            }
            continue;
        }
        for (at, (clear, got)) in a.values().iter().zip(b.values()).enumerate() {
            if *clear != got {
                hidden.insert(at);
                seen.insert(at);
            } else if clear.is_some() {
                seen.insert(at);
            }
        }
    }
    let expected: BTreeSet<_> = columns.iter().copied().collect();
    (hidden != expected).then(|| format!("masked are {hidden:?} of {seen:?}: from 0"))
}

fn shown(there: &[Message], through: &[Message]) -> String {
    let first = there.iter().zip(through).find(|(a, b)| a.tag != b.tag || a.body != b.body);
    match first {
        Some((a, b)) => format!("{a:?}\n  through the gateway: {b:?}"),
        None => format!("{}\n  through the gateway: {}", tags(there), tags(through)),
    }
}

/// All that comes for the statements of a text, each sent by itself where it ends its line.
fn asked(client: &mut RawClient, sql: &str) -> Vec<Message> {
    sql.split(";\n").flat_map(|statement| client.query(statement)).collect()
}

/// Prepared, described and run with every column in this format, where the text is one that can be.
fn prepared(client: &mut RawClient, sql: &str, format: i16) -> Vec<Message> {
    let packet = [
        parse("", sql, &[]),
        bind("", "", &[], format),
        describe(b'P', ""),
        execute("", 0),
        sync(),
    ];
    client.exchange(&packet, 1)
}

struct Sides {
    there: RawClient,
    through: RawClient,
}

impl Sides {
    fn ask(&mut self, entry: &Entry, wrong: &mut String) {
        let through = settled(asked(&mut self.through, entry.sql));
        let mut tell = |why: String| {
            let _ = writeln!(wrong, "----\n{}\n{}\n  {why}", entry.name, entry.sql);
        };
        if let Comes::Unmask(why) = &entry.comes {
            let said = error(&through).map(|e| (e.field('C'), e.field('M'), e.field('H')));
            let fits = said.as_ref().is_some_and(|(code, message, hint)| {
                code == "42501" && message.contains(why) && hint.contains("unmask")
            });
            if !fits {
                tell(format!("{said:?}"));
            }
            return;
        }
        let there = settled(asked(&mut self.there, entry.sql));
        if let Some(why) = differs(&entry.comes, &there, &through) {
            return tell(why);
        }
        let reads = ["SELECT", "TABLE", "WITH"].iter().any(|word| entry.sql.starts_with(word));
        if !reads
            || entry.sql.contains(";\n")
            || error(&there).is_some()
            || entry.sql.contains("nextval")
        {
            return;
        }
        let changes = ["UPDATE ", "DELETE ", "INSERT "].iter().any(|w| entry.sql.contains(w));
        for format in [0, 1].into_iter().filter(|_| !changes) {
            let there = settled(prepared(&mut self.there, entry.sql, format));
            let through = settled(prepared(&mut self.through, entry.sql, format));
            // Not every type can be sent in binary.
            if error(&there).is_some() && error(&through).is_some() {
                continue;
            }
            if let Some(why) = differs(&entry.comes, &there, &through) {
                tell(format!("prepared, format {format}: {why}"));
            }
        }
    }
}

fn holds(files: &[&'static str], at_least: usize) {
    let (one, two) = (Postgres::start(), Postgres::start());
    let gateway = Gateway::start(&two);
    let secret = gateway.principal("alice", "developer");
    let bounds = ["--for", "30m", "--row-budget", "1000000"];
    gateway.grant_with("alice", "select,dml,ddl,export", &bounds);
    let mut sides = Sides { there: direct(&one), through: gateway.connect("alice", &secret) };
    mask(&gateway, &mut sides.through);
    let entries: Vec<_> = files.iter().flat_map(|text| entries(text)).collect();
    assert!(entries.len() >= at_least, "{}", entries.len());
    let mut wrong = String::new();
    for entry in &entries {
        sides.ask(entry, &mut wrong);
    }
    assert!(wrong.is_empty(), "{} entries\n{wrong}", entries.len());
}

#[test]
fn reading_beside_masked_columns_is_untouched() {
    let files = [
        include_str!("everyday/reading.sql"),
        include_str!("everyday/analysing.sql"),
        include_str!("everyday/asking.sql"),
        include_str!("everyday/computing.sql"),
    ];
    holds(&files, 350);
}

#[test]
fn changing_and_looking_beside_masked_columns_is_untouched() {
    let files = [
        include_str!("everyday/changing.sql"),
        include_str!("everyday/looking.sql"),
        include_str!("everyday/changing_more.sql"),
    ];
    holds(&files, 150);
}

#[test]
fn migrations_that_tell_no_value_and_part_none_from_its_rule_go_on() {
    holds(&[include_str!("everyday/defining.sql")], 60);
}

/// A client of `tests/drivers` by somebody who may read, write and copy, and not unmask.
fn client(name: &str) {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let bounds = ["--for", "30m", "--row-budget", "1000000"];
    gateway.grant_with("alice", "select,dml,export", &bounds);
    mask(&gateway, &mut gateway.connect("alice", &secret));
    if let Err(told) = super::drivers::run(name, &gateway.dsn("alice", &secret)) {
        panic!("{name}:\n{told}");
    }
}

#[test]
fn pythons_clients_work_on_beside_masked_columns() {
    client("masked-python");
}

#[test]
fn pgjdbc_works_on_beside_masked_columns() {
    client("masked-jdbc");
}

#[test]
fn node_postgres_works_on_beside_masked_columns() {
    client("masked-node");
}

#[test]
fn psql_and_the_servers_own_tools_work_on_beside_masked_columns() {
    client("masked-psql");
}
