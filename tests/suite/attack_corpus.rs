//! Every attack of `tests/corpus/attacks` on a real server: first it is shown to work there, then that
//! the gateway refuses it to whoever holds everything short of what it needs, without any side effect
//! and with a record. `tests/corpus/README.md` says how to add one.
//!
//! `HALLPASS_ATTACKS=all` prints what each entry showed, for writing its `-- shows:`.

mod direct;

use std::{collections::BTreeSet, fs};

use hallpass::kernel::access::{Permission, PermissionSet};
use serde_json::Value;

use crate::corpus::{self, Entry};
use crate::support::{Gateway, Postgres, RawClient, postgres::UPSTREAM_USER, raw::error};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");

/// A server with `schema.sql` and `attack_objects.sql`, owned by the gateway's log-in.
fn server() -> Postgres {
    let server = Postgres::start();
    let file = |name: &str| fs::read_to_string(format!("{FOLDER}/{name}")).expect("reads");
    server.sql(&format!(
        "CREATE ROLE plain; DROP SCHEMA public CASCADE;
         CREATE SCHEMA public AUTHORIZATION {UPSTREAM_USER};
         CREATE EXTENSION dblink; CREATE EXTENSION tablefunc; CREATE EXTENSION file_fdw;
         CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
         SET SESSION AUTHORIZATION {UPSTREAM_USER};\n{}\n{}",
        file("schema.sql"),
        file("attack_objects.sql")
    ));
    server
}

fn entries() -> impl Iterator<Item = (String, Entry)> {
    corpus::read_folder("attacks")
        .into_iter()
        .flat_map(|(file, entries)| entries.into_iter().map(move |entry| (file.clone(), entry)))
}

#[test]
fn every_attack_works_on_the_bare_server() {
    let server = server();
    let mut attacker = direct::Attacker::new(&server);
    let print = std::env::var_os("HALLPASS_ATTACKS").is_some();
    let mut wrong = Vec::new();
    for (file, entry) in entries() {
        let seen = attacker.shown(&entry.sql);
        let needs = PermissionSet::parse_list(&entry.needs).expect("needs read");
        if print {
            eprintln!("{file}\t{}\t{:?}\t{seen}", entry.name, entry.shows);
        }
        if let Err(why) = seen.proves(entry.shows.as_deref(), needs) {
            wrong.push(format!("{file}: {}: {why}: {seen}\n{}", entry.name, entry.sql));
        }
    }
    assert!(wrong.is_empty(), "{} show nothing\n{}", wrong.len(), wrong.join("\n----\n"));
}

/// Somebody who holds these and nothing else, and an open session.
struct Holder {
    name: &'static str,
    held: PermissionSet,
    client: RawClient,
}

/// The default developer, the curious one, and everything short of one permission.
const HOLDERS: [(&str, &str); 7] = [
    ("developer", ""),
    ("curious", "select,export"),
    ("all_but_select", "dml,ddl,export"),
    ("all_but_export", "select,dml,ddl"),
    ("all_but_dml", "select,export,ddl"),
    ("all_but_ddl", "select,export,dml"),
    ("all_but_admin", "select,export,dml,ddl"),
];

fn holders(gateway: &Gateway) -> Vec<Holder> {
    let hold = |(name, permissions): (&'static str, &str)| {
        let secret = gateway.principal(name, "developer");
        let mut held = PermissionSet::parse_list("explain,info").expect("reads");
        if !permissions.is_empty() {
            gateway.grant_with(name, permissions, &["--for", "2h", "--row-budget", "100000000"]);
            held = held.union(PermissionSet::parse_list(permissions).expect("reads"));
        }
        Holder { name, held, client: gateway.connect(name, &secret) }
    };
    HOLDERS.into_iter().map(hold).collect()
}

/// What a refusal of the gateway's own may say.
const REFUSALS: [&str; 6] = ["42501", "42601", "0A000", "54000", "26000", "34000"];

/// Code of the target's own that says it only reads passes under an unscoped select. If it lies, it runs
/// against the second wall.
const OF_OBJECTS: &str = "09_";
const WALL: &str = "25006";

#[test]
fn every_attack_is_refused_to_whoever_holds_less_and_leaves_nothing_but_a_record() {
    let server = server();
    let gateway = Gateway::start(&server);
    let mut holders = holders(&gateway);
    // Of nothing that a transaction has taken back either a number remains.
    let state = "SELECT pg_snapshot_xmax(pg_current_snapshot()),
        (SELECT string_agg(last_value::text, ',' ORDER BY sequencename) FROM pg_sequences),
        (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
        (SELECT count(*) FROM pg_largeobject_metadata)";
    let before = server.sql(state);
    let said_before = server.log().len();
    let (mut wrong, mut refused) = (Vec::new(), BTreeSet::new());
    let mut tried = 0;
    for (file, entry) in entries() {
        let needs = PermissionSet::parse_list(&entry.needs).expect("needs read");
        for holder in &mut holders {
            if needs.iter().all(|permission| holder.held.allows(permission)) {
                continue;
            }
            tried += 1;
            let answer = holder.client.query(&entry.sql);
            let code = error(&answer).map(|e| e.field('C'));
            let walled = file.contains(OF_OBJECTS) && code.as_deref() == Some(WALL);
            let is_refusal = walled || code.as_deref().is_some_and(|code| REFUSALS.contains(&code));
            // Rows that come before the wall are the target's, which she may read.
            let shows: &[u8] = if walled { b"dGH" } else { b"DdGH" };
            if !is_refusal || answer.iter().any(|m| shows.contains(&m.tag)) {
                let (name, sql) = (holder.name, &entry.sql);
                wrong.push(format!("{name}: {file}: {}: {code:?}\n{sql}", entry.name));
            }
            if walled {
                // The next one isn't refused for this one's failure.
                holder.client.query("ROLLBACK");
            } else {
                refused.insert((holder.name, entry.sql.clone()));
            }
        }
    }
    assert!(tried > 1_000, "{tried}");
    assert!(wrong.is_empty(), "{} of {tried} pass\n{}", wrong.len(), wrong.join("\n----\n"));
    assert_eq!(server.sql(state), before);
    nothing_arrived(&server.log()[said_before..], &refused);
    all_on_record(&gateway, &refused);
}

/// No refused text is in what the server has logged: it logs each before it looks at it.
fn nothing_arrived(log: &str, refused: &BTreeSet<(&str, String)>) {
    // Who, by what the gateway calls the session there, and the first line of what came.
    let came: BTreeSet<(&str, &str)> = log
        .lines()
        .filter_map(|line| {
            let (before, text) = line.split_once("LOG:  statement: ")?;
            Some((before.trim_end().strip_suffix('/')?.rsplit(' ').next()?, text))
        })
        .collect();
    assert!(came.len() > 10, "what came is in the log");
    for (who, sql) in refused {
        let first = sql.lines().next().unwrap_or_default();
        assert!(!came.contains(&(*who, first)), "{who}: the server has seen\n{sql}");
    }
}

fn all_on_record(gateway: &Gateway, refused: &BTreeSet<(&str, String)>) {
    let mut recorded = BTreeSet::new();
    for line in gateway.trail().lines() {
        let record: Value = serde_json::from_str(line).expect("a record");
        let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        if text("decision") == "denial" {
            recorded.insert((text("principal"), open_part(&text("text")).to_owned()));
        }
    }
    let missing: Vec<_> = refused
        .iter()
        .filter(|(who, sql)| !recorded.contains(&((*who).to_owned(), open_part(sql).to_owned())))
        .map(|(who, sql)| format!("{who}: {sql}"))
        .collect();
    assert!(
        missing.is_empty(),
        "{} of {} are not on record\n{}",
        missing.len(),
        refused.len(),
        missing.join("\n----\n")
    );
}

/// Passwords and options are hidden on record: what comes before them.
fn open_part(sql: &str) -> &str {
    let hidden = ["PASSWORD ", "OPTIONS "].into_iter().filter_map(|word| sql.find(word)).min();
    sql.get(..hidden.unwrap_or(sql.len())).unwrap_or(sql)
}

/// True if one of these permissions is only about reading.
fn reads_only(needs: PermissionSet) -> bool {
    needs.iter().all(|permission| {
        matches!(
            permission,
            Permission::Explain | Permission::Info | Permission::Select | Permission::Export
        )
    })
}
