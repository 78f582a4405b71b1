//! What a change of a table's definition has to do with the values that are there: which of its columns it
//! looks at, renames, drops. What isn't written here is `None`, and then any masked column counts as touched.
//!
//! Spec: <https://dev.mysql.com/doc/refman/9.0/en/alter-table.html>,
//! <https://mariadb.com/kb/en/alter-table/>.

use std::collections::BTreeSet;

use super::{cursor::Cursor, eyes::Piece};
use crate::kernel::sql::{
    lex::TokenKind,
    reading::{Definition, RawName},
};

/// What stands behind `ALTER TABLE t`.
pub(super) fn table(of: &RawName, pieces: &[Piece<'_>]) -> Option<Vec<Definition>> {
    let mut cursor = Cursor::new(pieces);
    let mut all = Vec::new();
    loop {
        let part = cursor.until_comma();
        change(of, &mut Cursor::new(part), &mut all)?;
        if !cursor.eat_sign(TokenKind::Comma) {
            break;
        }
    }
    cursor.end()?;
    Some(all)
}

/// What stands behind `CREATE [UNIQUE] INDEX … ON t`.
pub(super) fn index(of: &RawName, unique: bool, pieces: &[Piece<'_>]) -> Option<Vec<Definition>> {
    let mut cursor = Cursor::new(pieces);
    let mut all = Vec::new();
    keys(of, unique, &mut cursor, &mut all)?;
    Some(all)
}

fn change(of: &RawName, part: &mut Cursor<'_, '_>, all: &mut Vec<Definition>) -> Option<()> {
    if part.eat("add") {
        return add(of, part, all);
    }
    if part.eat("drop") {
        return drop_part(of, part, all);
    }
    if part.eat("rename") {
        if part.eat_one(&["index", "key"]).is_some() {
            return Some(());
        }
        part.expect("column")?;
        let old = part.ident()?;
        part.expect("to")?;
        let new = part.ident()?;
        part.end()?;
        all.push(renamed(of, old, new));
        return Some(());
    }
    if part.eat("change") {
        part.eat("column");
        part.eat_all(&["if", "exists"]);
        let (old, new) = (part.ident()?, part.ident()?);
        plain_column(part)?;
        all.push(renamed(of, old, new));
        return Some(());
    }
    if part.eat("modify") {
        part.eat("column");
        part.eat_all(&["if", "exists"]);
        let column = part.ident()?;
        plain_column(part)?;
        all.push(columns(of, [column], "changes the type of"));
        return Some(());
    }
    if part.eat("alter") {
        if part.eat_one(&["index", "key"]).is_some() {
            return Some(());
        }
        part.eat("column");
        part.ident()?;
        if part.eat_all(&["drop", "default"]) {
            return part.end();
        }
        part.eat_all(&["set", "default"]).then_some(())?;
        part.eat_operator("-");
        let literal = part.peek()?.is_literal()
            || part.peek()?.is_sign(TokenKind::Null)
            || part.peek()?.is_one_of(&["null", "true", "false"]);
        part.skip(1);
        return part.end().filter(|()| literal);
    }
    option(part)
}

/// What says how the table is kept, and how it is changed.
fn option(part: &mut Cursor<'_, '_>) -> Option<()> {
    while !part.is_end() {
        if part.eat_one(&["force"]).is_some() {
            continue;
        }
        let known = [
            "algorithm",
            "lock",
            "auto_increment",
            "comment",
            "row_format",
            "engine",
            "stats_persistent",
        ];
        part.eat_one(&known)?;
        part.eat_operator("=");
        let value = part.peek()?;
        (value.is_name() || value.is_literal()).then_some(())?;
        part.skip(1);
    }
    Some(())
}

fn add(of: &RawName, part: &mut Cursor<'_, '_>, all: &mut Vec<Definition>) -> Option<()> {
    let named = part.eat("constraint");
    let keyword = ["primary", "unique", "foreign", "check", "index", "key"];
    let next = part.peek()?;
    if named && !next.is_one_of(&keyword) {
        part.ident()?;
    }
    if part.eat_all(&["foreign", "key"]) {
        part.eat_all(&["if", "not", "exists"]);
        return foreign(of, part, all);
    }
    if part.eat_all(&["primary", "key"]) {
        return keys(of, true, part, all);
    }
    let unique = part.eat("unique");
    let index = part.eat_one(&["index", "key"]).is_some();
    if unique || index {
        part.eat_all(&["if", "not", "exists"]);
        return keys(of, unique, part, all);
    }
    if named {
        // CHECK runs over the rows that are there.
        return None;
    }
    part.eat("column");
    part.eat_all(&["if", "not", "exists"]);
    if part.peek()?.is_one_of(&[
        "fulltext",
        "spatial",
        "check",
        "partition",
        "period",
        "system",
        "vector",
    ]) || part.peek()?.is_sign(TokenKind::OpenParen)
    {
        return None;
    }
    part.ident()?;
    plain_column(part)
}

/// `[name] [USING x] (column [(n)] [ASC|DESC], …)` and what may follow.
fn keys(
    of: &RawName,
    unique: bool,
    part: &mut Cursor<'_, '_>,
    all: &mut Vec<Definition>,
) -> Option<()> {
    if part.peek()?.is_name() && !part.is("using") {
        part.ident()?;
    }
    if part.eat("using") {
        part.ident()?;
    }
    let mut inside = Cursor::new(part.parenthesized()?);
    let mut named = BTreeSet::new();
    loop {
        // An expression has no name in front, or a call behind it.
        let column = inside.ident()?;
        if inside.peek().is_some_and(|p| p.is_sign(TokenKind::OpenParen)) {
            let mut length = Cursor::new(inside.parenthesized()?);
            length.integer()?;
            length.end()?;
        }
        inside.eat_one(&["asc", "desc"]);
        named.insert(column);
        if !inside.eat_sign(TokenKind::Comma) {
            break;
        }
    }
    inside.end()?;
    while !part.is_end() {
        if part.eat_one(&["visible", "invisible", "ignored"]).is_some()
            || part.eat_all(&["not", "ignored"])
        {
            continue;
        }
        let known = ["using", "comment", "key_block_size", "algorithm", "lock"];
        part.eat_one(&known)?;
        part.eat_operator("=");
        part.skip(1);
    }
    if unique {
        all.push(columns(of, named, "looks for what is there twice in"));
    }
    Some(())
}

fn foreign(of: &RawName, part: &mut Cursor<'_, '_>, all: &mut Vec<Definition>) -> Option<()> {
    if part.peek()?.is_name() {
        part.ident()?;
    }
    let own = idents(part)?;
    part.expect("references")?;
    let other = part.name()?;
    let others = idents(part)?;
    let actions = [
        "match", "full", "partial", "simple", "on", "delete", "update", "restrict", "cascade",
        "set", "null", "no", "action", "default",
    ];
    while !part.is_end() {
        if !part.eat_sign(TokenKind::Null) {
            part.eat_one(&actions)?;
        }
    }
    all.push(columns(of, own, "compares with another table's"));
    all.push(columns(&other, others, "compares with another table's"));
    Some(())
}

fn idents(part: &mut Cursor<'_, '_>) -> Option<BTreeSet<String>> {
    let mut inside = Cursor::new(part.parenthesized()?);
    let mut all = BTreeSet::from([inside.ident()?]);
    while inside.eat_sign(TokenKind::Comma) {
        all.insert(inside.ident()?);
    }
    inside.end()?;
    Some(all)
}

fn drop_part(of: &RawName, part: &mut Cursor<'_, '_>, all: &mut Vec<Definition>) -> Option<()> {
    if part.eat_all(&["primary", "key"]) {
        return part.end();
    }
    let apart = part.eat_all(&["foreign", "key"])
        || part.eat_one(&["index", "key", "constraint", "check"]).is_some();
    if !apart && part.is("partition") {
        return None;
    }
    if !apart {
        part.eat("column");
    }
    part.eat_all(&["if", "exists"]);
    let name = part.ident()?;
    part.eat_one(&["restrict", "cascade"]);
    part.end()?;
    if !apart {
        all.push(Definition::Drops { of: of.clone(), column: name });
    }
    Some(())
}

/// What stands behind a column's name, made of no other column: its type, and what it may be.
fn plain_column(part: &mut Cursor<'_, '_>) -> Option<()> {
    let rest = part.rest();
    let computes =
        |piece: &Piece<'_>| piece.is_one_of(COMPUTES) || piece.is_sign(TokenKind::Operator);
    let minus = |piece: &Piece<'_>| piece.is_operator("-") || piece.is_operator("+");
    for (i, piece) in rest.iter().enumerate() {
        let at = |i: usize| rest.get(i);
        if !piece.is_one_of(&["default", "update"]) {
            let sign = minus(piece) && i > 0 && at(i - 1).is_some_and(|p| p.is("default"));
            if computes(piece) && !sign {
                return None;
            }
            continue;
        }
        // MariaDB takes other columns and calls as a default, without parentheses too.
        let value = if at(i + 1).is_some_and(minus) { i + 2 } else { i + 1 };
        let known = at(value)
            .is_some_and(|p| p.is_literal() || p.is_sign(TokenKind::Null) || p.is_one_of(MOMENTS));
        let called = at(value + 1).is_some_and(|p| p.is_sign(TokenKind::OpenParen));
        if !known || called && !at(value).is_some_and(|p| p.is_one_of(MOMENTS)) {
            return None;
        }
    }
    part.skip(rest.len());
    (!rest.is_empty()).then_some(())
}

/// What makes a value of others, or looks at those that are there.
const COMPUTES: &[&str] = &[
    "and",
    "as",
    "between",
    "check",
    "div",
    "generated",
    "in",
    "is",
    "like",
    "member",
    "mod",
    "or",
    "persistent",
    "references",
    "regexp",
    "rlike",
    "sounds",
    "stored",
    "virtual",
    "xor",
];

/// What a column may be by default that is no constant.
const MOMENTS: &[&str] =
    &["current_timestamp", "localtime", "localtimestamp", "now", "true", "false", "null"];

fn columns(
    of: &RawName,
    columns: impl IntoIterator<Item = String>,
    what: &'static str,
) -> Definition {
    let columns = columns.into_iter().collect();
    Definition::Columns { of: of.clone(), columns, made: BTreeSet::new(), what }
}

fn renamed(of: &RawName, old: String, new: String) -> Definition {
    let (columns, made) = (BTreeSet::from([old, new.clone()]), BTreeSet::from([new]));
    Definition::Columns { of: of.clone(), columns, made, what: "renames" }
}
