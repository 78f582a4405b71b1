//! SHOW in all its forms.

use super::{
    Walker,
    eyes::Piece,
    leading::Made,
    parameters, parse,
    statement::{self, opaque},
};
use crate::kernel::sql::{
    lex::TokenKind,
    lineage::shape::Shape,
    mode::Dialect,
    reading::{Access, Reading, StatementKind},
};

/// What a form of SHOW shows.
enum Shows {
    /// What exists and how it is doing.
    Info,
    /// The source of routines.
    Source,
    /// Secrets, other people's statements, replication.
    Admin,
}

pub(super) fn read(made: &mut Made<'_, '_>) -> Option<Reading> {
    let all = made.cursor.rest();
    made.cursor.skip(1);
    let mut walker = made.walker();
    let shows = form(made, &mut walker)?;
    let subquery = all.iter().any(|p| p.is("select"));
    let with = tail(made, &mut walker)?;
    let mut reading = walker.finish(StatementKind::Show)?;
    reading.parameters = parameters(all);
    match shows {
        Shows::Info => {}
        Shows::Source => {
            reading.kinds.insert(StatementKind::ShowSource);
        }
        Shows::Admin => {
            reading.kinds.insert(StatementKind::ShowAdmin);
        }
    }
    if subquery {
        reading.shape = filtered(with, made);
    }
    let first = all.get(1).filter(|p| p.is("full")).map_or(all.get(1), |_| all.get(2));
    if first.is_some_and(|p| p.is("processlist")) {
        reading.object = Some("processlist".to_owned());
    }
    let scopes = ["global", "session", "local"];
    let first = all.get(1).filter(|p| p.is_one_of(&scopes)).map_or(all.get(1), |_| all.get(2));
    if first.is_some_and(|p| p.is("status")) {
        reading.object = Some("status".to_owned());
    }
    let last = all.last()?;
    if all.get(1).is_some_and(|p| p.is_one_of(&["warnings", "errors"])) || counts(all) {
        // They may quote values, and what EXPLAIN has read.
        reading.object = Some(last.text.to_ascii_lowercase());
        if !counts(all) {
            reading.top = StatementKind::ShowWarnings;
            reading.kinds.insert(StatementKind::ShowWarnings);
            reading.object = Some("warnings".to_owned());
            reading.shape = Some(Box::new(opaque("messages may quote values")));
        }
    }
    Some(reading)
}

/// `SHOW COUNT(*) WARNINGS`.
fn counts(all: &[Piece<'_>]) -> bool {
    all.get(1).is_some_and(|p| p.is("count"))
}

/// A WHERE with a query inside asks something of its rows.
fn filtered(with: &[Piece<'_>], made: &Made<'_, '_>) -> Option<Box<Shape>> {
    let mut pieces =
        vec![Piece::word("SELECT"), Piece::sign(TokenKind::Integer, "1"), Piece::word("WHERE")];
    pieces.extend(with.iter().cloned());
    let statement = super::rewrite::rewrite(&pieces).and_then(|p| parse::statement(&p, made.mode));
    statement.map_or_else(|| Some(Box::new(opaque("a filter of SHOW"))), |s| statement::shape(&s))
}

/// The words behind SHOW, and what they name.
fn form(made: &mut Made<'_, '_>, walker: &mut Walker) -> Option<Shows> {
    let maria = made.mode.dialect == Dialect::MariaDb;
    let cursor = &mut made.cursor;
    if cursor.eat("create") {
        return create(made, walker);
    }
    if cursor.eat("count") {
        let inside = cursor.parenthesized()?;
        matches!(inside, [star] if star.is_operator("*")).then_some(())?;
        cursor.eat_one(&["warnings", "errors"])?;
        return Some(Shows::Info);
    }
    if cursor.eat("engine") {
        // Other people's statements stand in it.
        cursor.ident()?;
        cursor.eat_one(&["status", "mutex", "logs"])?;
        return Some(Shows::Admin);
    }
    if cursor.eat("warnings") || cursor.eat("errors") {
        if cursor.eat("limit") {
            cursor.integer()?;
            if cursor.eat_sign(TokenKind::Comma) {
                cursor.integer()?;
            }
        }
        return Some(Shows::Info);
    }
    if cursor.eat("grants") {
        let other = cursor.eat("for") && !cursor.eat("current_user");
        let called = cursor.parenthesized().is_none_or(<[_]>::is_empty);
        // Of MariaDB they hold the digest of the password.
        let own = !other && called && cursor.is_end() && !maria;
        let rest = cursor.rest().len();
        cursor.skip(rest);
        return Some(if own { Shows::Info } else { Shows::Admin });
    }
    for words in ADMIN {
        if cursor.eat_all(words) {
            let rest = cursor.rest().len();
            cursor.skip(rest);
            return Some(Shows::Admin);
        }
    }
    cursor.eat_one(&["extended", "full", "global", "session", "local"]);
    if cursor.is("full") {
        cursor.skip(1);
    }
    if cursor.eat_one(&["index", "indexes", "keys", "columns", "fields"]).is_some() {
        cursor.eat_one(&["from", "in"])?;
        let mut name = cursor.name()?;
        if cursor.eat_one(&["from", "in"]).is_some() {
            name.0.insert(0, cursor.ident()?);
        }
        walker.relation(name, Access::Refer);
        return Some(Shows::Info);
    }
    if cursor.eat("triggers") {
        in_database(made)?;
        return Some(Shows::Source);
    }
    for words in INFO {
        if cursor.eat_all(words) {
            in_database(made)?;
            return Some(Shows::Info);
        }
    }
    if cursor.eat("profile") {
        // Of the session's own statements.
        while made.cursor.eat_one(&PROFILE).is_some() || made.cursor.eat_sign(TokenKind::Comma) {}
        if made.cursor.eat_all(&["for", "query"]) {
            made.cursor.integer()?;
        }
        return Some(Shows::Info);
    }
    None
}

const PROFILE: [&str; 12] = [
    "all", "block", "context", "cpu", "faults", "io", "ipc", "memory", "page", "source", "swaps",
    "switches",
];

const ADMIN: &[&[&str]] = &[
    &["all", "slaves"],
    &["all", "replicas"],
    &["analyze"],
    &["authors"],
    &["binary"],
    &["binlog"],
    &["client_statistics"],
    &["contributors"],
    &["explain"],
    &["function", "code"],
    &["index_statistics"],
    &["master"],
    &["package", "body", "code"],
    &["parse_tree"],
    &["procedure", "code"],
    &["relaylog"],
    &["replica"],
    &["replicas"],
    &["slave"],
    &["table_statistics"],
    &["user_statistics"],
];

const INFO: &[&[&str]] = &[
    &["character", "set"],
    &["charset"],
    &["collation"],
    &["databases"],
    &["schemas"],
    &["engines"],
    &["storage", "engines"],
    &["events"],
    &["function", "status"],
    &["locales"],
    &["open", "tables"],
    &["package", "body", "status"],
    &["package", "status"],
    &["plugins"],
    &["privileges"],
    &["procedure", "status"],
    &["processlist"],
    &["profiles"],
    &["status"],
    &["table", "status"],
    &["table", "types"],
    &["tables"],
    &["variables"],
];

fn in_database(made: &mut Made<'_, '_>) -> Option<()> {
    if made.cursor.eat_one(&["from", "in"]).is_some() {
        made.cursor.ident()?;
    }
    Some(())
}

/// SHOW CREATE.
fn create(made: &mut Made<'_, '_>, walker: &mut Walker) -> Option<Shows> {
    let cursor = &mut made.cursor;
    let what = cursor.eat_one(&[
        "table",
        "view",
        "sequence",
        "database",
        "schema",
        "procedure",
        "function",
        "trigger",
        "event",
        "package",
        "user",
        "server",
        "library",
    ])?;
    match what {
        "table" | "view" | "sequence" => {
            let name = cursor.name()?;
            walker.relation(name, Access::Refer);
            Some(Shows::Info)
        }
        "database" | "schema" => {
            cursor.eat_all(&["if", "not", "exists"]);
            cursor.ident()?;
            Some(Shows::Info)
        }
        "procedure" | "function" | "trigger" | "event" | "package" | "library" => {
            cursor.eat("body");
            cursor.name()?;
            Some(Shows::Source)
        }
        _ => {
            let rest = cursor.rest().len();
            cursor.skip(rest);
            Some(Shows::Admin)
        }
    }
}

/// LIKE and WHERE; returns what stands behind WHERE.
fn tail<'p, 'a>(made: &mut Made<'p, 'a>, walker: &mut Walker) -> Option<&'p [Piece<'a>]> {
    if made.cursor.eat("like") {
        made.cursor.string()?;
    } else if made.cursor.eat("where") {
        let with = made.cursor.rest();
        walker.written(with);
        made.cursor.skip(with.len());
        return Some(with);
    }
    made.cursor.end()?;
    Some(&[])
}
