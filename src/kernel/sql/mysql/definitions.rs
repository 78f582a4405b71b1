//! CREATE, ALTER, DROP, RENAME, TRUNCATE, and the care of tables.

use super::{
    Walker, account, alters, cursor::Cursor, eyes::Piece, leading::Made, parameters, parse,
    query::query_kind, rewrite, statement,
};
use crate::kernel::sql::{
    builtins::mysql,
    lex::TokenKind,
    lineage::shape::Shape,
    reading::{Access, Moved, RawName, Reading, StatementKind, Temporary},
};
use sqlparser::ast::Statement;

pub(super) fn read(made: &mut Made<'_, '_>) -> Option<Reading> {
    let mut reading = match made.cursor.ident()?.to_ascii_lowercase().as_str() {
        "create" => create(made),
        "alter" => alter(made),
        "drop" => drop_object(made),
        "rename" => rename(made),
        "truncate" => truncate(made),
        _ => care(made),
    }?;
    // A temporary table leaves the transaction as it is.
    reading.mysql.commits = reading.temporary.is_none();
    Some(reading)
}

/// What stands between CREATE or ALTER and the kind of object. True if it runs as somebody else.
fn head(cursor: &mut Cursor<'_, '_>) -> Option<bool> {
    let mut as_other = false;
    cursor.eat_all(&["or", "replace"]);
    loop {
        if cursor.eat("algorithm") {
            cursor.eat_operator("=").then_some(())?;
            cursor.eat_one(&["undefined", "merge", "temptable"])?;
        } else if cursor.eat("definer") {
            cursor.eat_operator("=").then_some(())?;
            if cursor.eat_one(&["current_user", "current_role"]).is_some() {
                if cursor.peek()?.is_sign(TokenKind::OpenParen) {
                    cursor.parenthesized()?;
                }
            } else {
                as_other = true;
                cursor.ident().or_else(|| cursor.string())?;
                cursor.variable();
            }
        } else if cursor.eat_all(&["sql", "security"]) {
            cursor.eat_one(&["definer", "invoker"])?;
        } else {
            return Some(as_other);
        }
    }
}

fn create(made: &mut Made<'_, '_>) -> Option<Reading> {
    let as_other = head(&mut made.cursor)?;
    let cursor = &mut made.cursor;
    let temporary = cursor.eat("temporary");
    if cursor.eat("table") {
        return create_table(made, temporary);
    }
    if cursor.eat("sequence") {
        return sequence(made);
    }
    if temporary {
        return None;
    }
    if cursor.eat("view") {
        return view(made, as_other);
    }
    let kinds = ["unique", "fulltext", "spatial", "vector"];
    let kind = cursor.eat_one(&kinds);
    if cursor.eat("index") {
        return index(made, kind);
    }
    match kind {
        // SPATIAL REFERENCE SYSTEM.
        Some("spatial") => return Some(made.plain(StatementKind::Server)),
        Some(_) => return None,
        None => {}
    }
    if cursor.eat("database") || cursor.eat("schema") {
        cursor.eat_all(&["if", "not", "exists"]);
        let kind = of_database(&cursor.ident()?);
        database_options(cursor)?;
        return Some(made.plain(kind));
    }
    of_others(made, true)
}

/// Objects that are code, accounts or the server's. What they say needn't be known: all need admin.
fn of_others(made: &mut Made<'_, '_>, is_created: bool) -> Option<Reading> {
    let first = made.cursor.peek()?;
    let code = ["procedure", "function", "trigger", "event", "package", "aggregate", "library"];
    if first.is_one_of(&code) {
        return Some(made.plain(StatementKind::CreateCode));
    }
    if first.is_one_of(&["user", "role"]) {
        return Some(account::read(made));
    }
    let server = ["server", "tablespace", "logfile", "undo", "resource", "instance"];
    let known = first.is_one_of(&server) && (is_created || !first.is("table"));
    known.then(|| made.plain(StatementKind::Server))
}

/// What changing a database is: the servers' own are theirs.
fn of_database(name: &str) -> StatementKind {
    if mysql::SCHEMAS.iter().any(|own| own.eq_ignore_ascii_case(name)) {
        StatementKind::Server
    } else {
        StatementKind::SchemaChange
    }
}

fn database_options(cursor: &Cursor<'_, '_>) -> Option<()> {
    let known = ["default", "character", "set", "charset", "collate", "encryption", "comment"];
    let mut rest = Cursor::new(cursor.rest());
    while let Some(piece) = rest.peek() {
        if piece.is_one_of(&["charset", "collate"]) || piece.is("set") && rest.ahead(1).is_some() {
            rest.skip(1);
            rest.eat_operator("=");
            rest.ident().or_else(|| rest.string())?;
        } else if piece.is_one_of(&known) || piece.is_operator("=") || piece.is_literal() {
            rest.skip(1);
        } else {
            return None;
        }
    }
    Some(())
}

fn create_table(made: &mut Made<'_, '_>, temporary: bool) -> Option<Reading> {
    made.cursor.eat_all(&["if", "not", "exists"]);
    let start = made.cursor.rest();
    let name = made.cursor.name()?;
    let named = start.get(..start.len() - made.cursor.rest().len())?;
    let mut walker = made.walker();
    walker.relation(name.clone(), Access::Define);
    let mut top = StatementKind::SchemaChange;
    let mut shape = None;
    if let Some(other) = like(&mut made.cursor) {
        walker.relation(other, Access::Refer);
        made.cursor.end()?;
    } else {
        let rest = made.cursor.rest();
        let at = query_at(rest);
        let (head, query) = rest.split_at_checked(at)?;
        definition(head, &mut walker)?;
        if !query.is_empty() {
            top = StatementKind::CreateTableAs;
            let mut pieces = vec![Piece::word("CREATE"), Piece::word("TABLE")];
            pieces.extend(named.iter().cloned());
            pieces.push(Piece::word("AS"));
            pieces.extend(rewrite::rewrite(query)?);
            let holds = parse::statement(&pieces, made.mode)?;
            shape = Some(holder(&holds, query, &mut walker)?);
        }
    }
    let mut reading = walker.finish(top)?;
    reading.parameters = parameters(start);
    // A table that is made has no values yet but those that a query brings.
    reading.defines = Some(Vec::new());
    reading.shape = shape;
    if temporary {
        let name = name.base().to_owned();
        reading.temporary = Some(Temporary { name, until_commit: false });
    }
    Some(reading)
}

/// The query inside CREATE TABLE or CREATE VIEW, walked.
fn holder(statement: &Statement, pieces: &[Piece<'_>], walker: &mut Walker) -> Option<Box<Shape>> {
    let query = match statement {
        Statement::CreateTable(table) => table.query.as_deref(),
        Statement::CreateView(view) => Some(&*view.query),
        _ => None,
    }?;
    walker.query(query);
    walker.witness(pieces);
    walker.kind(query_kind(query));
    if statement::writes_file(pieces) {
        walker.kind(StatementKind::CopyServer);
    }
    statement::shape(statement)
}

/// `LIKE t`, `(LIKE t)`.
fn like(cursor: &mut Cursor<'_, '_>) -> Option<RawName> {
    if cursor.eat("like") {
        return cursor.name();
    }
    let first = cursor.ahead(1)?;
    if !cursor.peek()?.is_sign(TokenKind::OpenParen) || !first.is("like") {
        return None;
    }
    let mut inside = Cursor::new(cursor.parenthesized()?);
    inside.skip(1);
    let name = inside.name()?;
    inside.end()?;
    Some(name)
}

/// Where the query begins that fills a table, AS and what stands before it included.
fn query_at(pieces: &[Piece<'_>]) -> usize {
    let begins = |piece: &Piece<'_>| piece.is_one_of(&["select", "with", "values", "table"]);
    let mut depth = 0_u32;
    for (i, piece) in pieces.iter().enumerate() {
        let next = pieces.get(i + 1);
        match piece.kind {
            TokenKind::OpenParen => {
                let inner = pieces.iter().skip(i).find(|p| !p.is_sign(TokenKind::OpenParen));
                if depth == 0 && inner.is_some_and(|p| p.is_one_of(&["select", "with", "values"])) {
                    return i;
                }
                depth += 1;
            }
            TokenKind::CloseParen => depth = depth.saturating_sub(1),
            // `PARTITION p VALUES LESS THAN …` stands in parentheses.
            _ if depth == 0 && begins(piece) && !is_default_value(pieces, i) => return i,
            _ if depth == 0 && piece.is_one_of(&["as", "ignore", "replace"]) => {
                let query = next
                    .is_some_and(|p| begins(p) || p.is("as") || p.is_sign(TokenKind::OpenParen));
                if query {
                    return pieces
                        .iter()
                        .skip(i)
                        .position(|p| !p.is_one_of(&["as", "ignore", "replace"]))
                        .map_or(i, |skip| i + skip);
                }
            }
            _ => {}
        }
    }
    pieces.len()
}

/// `WITH SYSTEM VERSIONING`, `WITH PARSER x`.
fn is_default_value(pieces: &[Piece<'_>], at: usize) -> bool {
    let is = |i: usize, words: &[&str]| pieces.get(i).is_some_and(|p| p.is_one_of(words));
    is(at, &["with"]) && is(at + 1, &["system", "parser"])
}

/// Engines that keep rows of their own in the server's own place.
const ENGINES: [&str; 7] = ["innodb", "myisam", "memory", "heap", "aria", "archive", "csv"];

/// Words that stand before a parenthesis and call nothing: types, and what a definition is made of.
const NO_CALLS: &[&str] = &[
    "add",
    "after",
    "all",
    "always",
    "and",
    "as",
    "between",
    "bigint",
    "binary",
    "bit",
    "blob",
    "case",
    "char",
    "character",
    "check",
    "column",
    "columns",
    "constraint",
    "dec",
    "decimal",
    "default",
    "double",
    "else",
    "enum",
    "fixed",
    "float",
    "hash",
    "in",
    "index",
    "indexes",
    "inet4",
    "inet6",
    "int",
    "int1",
    "int2",
    "int3",
    "int4",
    "int8",
    "integer",
    "into",
    "key",
    "like",
    "linear",
    "list",
    "longblob",
    "longtext",
    "mediumint",
    "middleint",
    "nchar",
    "not",
    "number",
    "numeric",
    "nvarchar",
    "on",
    "or",
    "partition",
    "persistent",
    "precision",
    "primary",
    "range",
    "real",
    "set",
    "smallint",
    "statistics",
    "stored",
    "subpartition",
    "system_time",
    "text",
    "than",
    "then",
    "timestamp",
    "datetime",
    "time",
    "tinyblob",
    "tinyint",
    "tinytext",
    "unique",
    "varbinary",
    "varchar",
    "varcharacter",
    "vector",
    "virtual",
    "when",
    "with",
    "xor",
    "year",
    "mediumtext",
    "mediumblob",
    "values",
    "update",
    "using",
    "expire",
    "interval",
];

/// Words behind which a name stands, and then perhaps a parenthesis with columns.
const NAMED: &[&str] = &[
    "constraint",
    "fulltext",
    "index",
    "key",
    "references",
    "spatial",
    "unique",
    "exists",
    "column",
    "partition",
    "subpartition",
    "using",
    "by",
    "for",
];

/// What a table is made of or becomes: relations that it refers to, routines that it calls. `None` for what
/// reaches beyond the server's own rows of this table.
fn definition(pieces: &[Piece<'_>], walker: &mut Walker) -> Option<()> {
    let at = |i: usize| pieces.get(i);
    let is = |i: usize, words: &[&str]| at(i).is_some_and(|p| p.is_one_of(words));
    let equals = |i: usize| at(i).is_some_and(|p| p.is_operator("="));
    let mut i = 0;
    while let Some(piece) = at(i) {
        let before = i.wrapping_sub(1);
        let is_value = equals(i + 1) || at(i + 1).is_some_and(|p| p.kind == TokenKind::String);
        let column = i > 0
            && at(before)
                .is_some_and(|p| matches!(p.kind, TokenKind::Comma | TokenKind::OpenParen));
        if piece.kind == TokenKind::UserVariable
            || piece.is("select")
            || piece.is("connection") && is_value
            || piece.is("directory") && is(before, &["data", "index"])
            || piece.is("union") && !column
            || piece.is("tablespace") && !column
            || piece.is_one_of(&["import", "discard", "exchange"]) && !column
            || piece.is("convert") && is(i + 1, &["table", "partition"])
        {
            return None;
        }
        if piece.is_one_of(&["engine", "type"]) && equals(i + 1) || piece.is("engine") && !column {
            let value = if equals(i + 1) { i + 2 } else { i + 1 };
            let engine = at(value)?.text.to_ascii_lowercase();
            if !ENGINES.contains(&engine.as_str()) {
                return None;
            }
            i = value + 1;
            continue;
        }
        if piece.is("references") {
            let end = rewrite::name_end(pieces, i + 1)?;
            let mut name = Cursor::new(pieces.get(i + 1..end)?);
            walker.relation(name.name()?, Access::Refer);
            i = end;
            continue;
        }
        let opens = at(i + 1).is_some_and(|p| p.is_sign(TokenKind::OpenParen));
        if opens && piece.is_name() {
            let named = i > 0 && (is(before, NAMED) || is(before, &["if"]));
            let plain = piece.kind == TokenKind::Word && piece.is_one_of(NO_CALLS);
            if piece.behind_dot {
                // Neither server lets a definition call what belongs to a schema.
                return None;
            }
            // `KEY (note(10))`: so many letters of it.
            let prefix = at(i + 2).is_some_and(|p| p.kind == TokenKind::Integer)
                && at(i + 3).is_some_and(|p| p.is_sign(TokenKind::CloseParen))
                && mysql::function(&piece.text.to_lowercase()).is_none();
            if !plain && !named && !prefix {
                walker.routine(RawName(vec![piece.text.to_lowercase()]), Vec::new());
            }
        }
        i += 1;
    }
    Some(())
}

fn view(made: &mut Made<'_, '_>, as_other: bool) -> Option<Reading> {
    made.cursor.eat_all(&["if", "not", "exists"]);
    let all = made.cursor.rest();
    let name = made.cursor.name()?;
    if made.cursor.peek()?.is_sign(TokenKind::OpenParen) {
        made.cursor.parenthesized()?;
    }
    made.cursor.expect("as")?;
    let query = made.cursor.rest();
    let head = all.get(..all.len() - query.len())?;
    let checks: [&[&str]; 3] = [
        &["with", "check", "option"],
        &["with", "cascaded", "check", "option"],
        &["with", "local", "check", "option"],
    ];
    let ends = |words: &&[&str]| {
        query.len() > words.len()
            && query.iter().rev().zip(words.iter().rev()).all(|(piece, word)| piece.is(word))
    };
    let length = checks.iter().filter(|words| ends(words)).map(|words| words.len()).max();
    let query = query.get(..query.len() - length.unwrap_or(0))?;
    let mut walker = made.walker();
    walker.relation(name, Access::Define);
    let mut pieces = vec![Piece::word("CREATE"), Piece::word("VIEW")];
    pieces.extend(head.iter().cloned());
    pieces.extend(rewrite::rewrite(query)?);
    let holds = parse::statement(&pieces, made.mode)?;
    let shape = Some(holder(&holds, query, &mut walker)?);
    if as_other {
        walker.kind(StatementKind::Privileges);
    }
    let mut reading = walker.finish(StatementKind::SchemaChange)?;
    reading.parameters = parameters(query);
    reading.shape = shape;
    Some(reading)
}

fn index(made: &mut Made<'_, '_>, kind: Option<&str>) -> Option<Reading> {
    made.cursor.eat_all(&["if", "not", "exists"]);
    made.cursor.ident()?;
    if made.cursor.eat("using") {
        made.cursor.ident()?;
    }
    made.cursor.expect("on")?;
    let table = made.cursor.name()?;
    let mut walker = made.walker();
    walker.relation(table.clone(), Access::Define);
    definition(made.cursor.rest(), &mut walker)?;
    walker.reading.mysql.quotes = true;
    let mut reading = walker.finish(StatementKind::SchemaChange)?;
    reading.defines = match kind {
        None => alters::index(&table, false, made.cursor.rest()),
        Some("unique") => alters::index(&table, true, made.cursor.rest()),
        Some(_) => None,
    };
    Some(reading)
}

/// MariaDB's sequences.
fn sequence(made: &mut Made<'_, '_>) -> Option<Reading> {
    let cursor = &mut made.cursor;
    cursor.eat_all(&["if", "not", "exists"]);
    cursor.eat_all(&["if", "exists"]);
    let name = cursor.name()?;
    let mut walker = made.walker();
    walker.relation(name, Access::Define);
    const WORDS: &[&str] = &[
        "as",
        "bigint",
        "by",
        "cache",
        "comment",
        "cycle",
        "engine",
        "increment",
        "innodb",
        "int",
        "maxvalue",
        "minvalue",
        "no",
        "nocache",
        "nocycle",
        "nomaxvalue",
        "nominvalue",
        "restart",
        "smallint",
        "start",
        "tinyint",
        "unsigned",
        "with",
    ];
    let known = |p: &Piece<'_>| {
        p.is_one_of(WORDS) || p.is_literal() || p.is_operator("=") || p.is_operator("-")
    };
    made.cursor.rest().iter().all(known).then_some(())?;
    walker.finish(StatementKind::SchemaChange)
}

fn alter(made: &mut Made<'_, '_>) -> Option<Reading> {
    let as_other = head(&mut made.cursor)?;
    let cursor = &mut made.cursor;
    cursor.eat("online");
    cursor.eat("ignore");
    if cursor.eat("table") {
        cursor.eat_all(&["if", "exists"]);
        return alter_table(made);
    }
    if cursor.eat("sequence") {
        return sequence(made);
    }
    if cursor.eat("view") {
        return view(made, as_other);
    }
    if cursor.eat("database") || cursor.eat("schema") {
        let next = cursor.peek()?;
        let mut kind = StatementKind::SchemaChange;
        if !next.is_one_of(&["default", "character", "charset", "collate", "encryption", "comment"])
        {
            kind = of_database(&cursor.ident()?);
        }
        database_options(cursor)?;
        return Some(made.plain(kind));
    }
    of_others(made, false)
}

fn alter_table(made: &mut Made<'_, '_>) -> Option<Reading> {
    let name = made.cursor.name()?;
    let mut walker = made.walker();
    walker.relation(name.clone(), Access::Define);
    let rest = made.cursor.rest();
    let mut kept = Vec::with_capacity(rest.len());
    let mut i = 0;
    let is = |i: usize, words: &[&str]| rest.get(i).is_some_and(|p| p.is_one_of(words));
    while let Some(piece) = rest.get(i) {
        let renames = piece.is("rename") && !is(i + 1, &["column", "index", "key"]);
        if renames {
            let from =
                i + 1 + usize::from(is(i + 1, &["to", "as"]) || rest.get(i + 1)?.is_operator("="));
            let end = rewrite::name_end(rest, from)?;
            let new = Cursor::new(rest.get(from..end)?).name()?;
            moved(&mut walker, &name, &new);
            i = end;
        } else {
            kept.push(piece.clone());
            i += 1;
        }
    }
    definition(&kept, &mut walker)?;
    walker.reading.mysql.quotes = true;
    let mut reading = walker.finish(StatementKind::SchemaChange)?;
    reading.defines = alters::table(&name, rest);
    Some(reading)
}

/// A table gets another name, perhaps in another database.
fn moved(walker: &mut Walker, old: &RawName, new: &RawName) {
    walker.relation(old.clone(), Access::Define);
    walker.relation(new.clone(), Access::Define);
    let moved = &mut walker.reading.moved;
    if let Some(schema) = new.schema()
        && old.schema() != Some(schema)
    {
        moved.push(Moved::ToSchema { relation: old.clone(), schema: schema.to_owned() });
    }
    moved.push(Moved::Renamed { relation: old.clone(), name: new.base().to_owned() });
}

fn drop_object(made: &mut Made<'_, '_>) -> Option<Reading> {
    let cursor = &mut made.cursor;
    let temporary = cursor.eat("temporary");
    let table = cursor.eat_one(&["table", "tables", "view", "sequence"]);
    if table.is_some() {
        cursor.eat_all(&["if", "exists"]);
        let names = cursor.names()?;
        cursor.eat_one(&["restrict", "cascade"]);
        if cursor.eat_one(&["wait", "nowait"]) == Some("wait") {
            cursor.integer()?;
        }
        cursor.end()?;
        let mut walker = made.walker();
        for name in names {
            walker.relation(name, Access::Define);
        }
        let mut reading = walker.finish(StatementKind::SchemaChange)?;
        // What goes shows nothing.
        reading.defines = Some(Vec::new());
        return Some(reading);
    }
    if temporary {
        return None;
    }
    if cursor.eat("index") {
        cursor.eat_all(&["if", "exists"]);
        cursor.ident()?;
        cursor.expect("on")?;
        let table = cursor.name()?;
        let mut walker = made.walker();
        walker.relation(table, Access::Define);
        definition(made.cursor.rest(), &mut walker)?;
        let mut reading = walker.finish(StatementKind::SchemaChange)?;
        reading.defines = Some(Vec::new());
        return Some(reading);
    }
    if cursor.eat("database") || cursor.eat("schema") {
        cursor.eat_all(&["if", "exists"]);
        let kind = of_database(&cursor.ident()?);
        cursor.end()?;
        return Some(made.plain(kind));
    }
    let code = ["procedure", "function", "trigger", "event", "package"];
    if cursor.eat_one(&code).is_some() {
        cursor.eat("body");
        cursor.eat_all(&["if", "exists"]);
        cursor.name()?;
        cursor.end()?;
        return Some(made.plain(StatementKind::DropCode));
    }
    of_others(made, true)
}

fn rename(made: &mut Made<'_, '_>) -> Option<Reading> {
    let cursor = &mut made.cursor;
    if cursor.is("user") {
        return Some(account::read(made));
    }
    cursor.eat_one(&["table", "tables"])?;
    cursor.eat_all(&["if", "exists"]);
    let mut walker = Walker::new(made.span.clone(), made.mode);
    loop {
        let old = cursor.name()?;
        if cursor.eat_one(&["wait", "nowait"]) == Some("wait") {
            cursor.integer()?;
        }
        cursor.expect("to")?;
        let new = cursor.name()?;
        moved(&mut walker, &old, &new);
        if !cursor.eat_sign(TokenKind::Comma) {
            break;
        }
    }
    cursor.end()?;
    walker.finish(StatementKind::SchemaChange)
}

fn truncate(made: &mut Made<'_, '_>) -> Option<Reading> {
    let cursor = &mut made.cursor;
    cursor.eat("table");
    let name = cursor.name()?;
    if cursor.eat_one(&["wait", "nowait"]) == Some("wait") {
        cursor.integer()?;
    }
    cursor.end()?;
    let mut walker = made.walker();
    walker.relation(name, Access::Define);
    walker.finish(StatementKind::Truncate)
}

/// CHECK, REPAIR, OPTIMIZE, ANALYZE, CHECKSUM TABLE.
fn care(made: &mut Made<'_, '_>) -> Option<Reading> {
    let cursor = &mut made.cursor;
    cursor.eat_one(&["no_write_to_binlog", "local"]);
    cursor.eat_one(&["table", "tables", "view"])?;
    let names = cursor.names()?;
    const WORDS: &[&str] = &[
        "all",
        "auto",
        "buckets",
        "changed",
        "columns",
        "drop",
        "extended",
        "fast",
        "for",
        "histogram",
        "indexes",
        "manual",
        "medium",
        "on",
        "persistent",
        "quick",
        "update",
        "upgrade",
        "use_frm",
        "with",
        "force",
    ];
    let mut columns = false;
    for piece in cursor.rest() {
        let known = piece.is_one_of(WORDS)
            || piece.kind == TokenKind::Integer
            || columns && (piece.is_name() || piece.is_sign(TokenKind::Comma))
            || matches!(piece.kind, TokenKind::OpenParen | TokenKind::CloseParen);
        known.then_some(())?;
        columns |= piece.is("on") || piece.is_sign(TokenKind::OpenParen);
    }
    let mut walker = made.walker();
    for name in names {
        walker.relation(name, Access::Define);
    }
    walker.finish(StatementKind::SchemaChange)
}
