//! SET in all its forms.

use super::{
    Walker, account,
    cursor::Cursor,
    eyes::Piece,
    leading::{self, Made},
    parameters, parse, statement,
};
use crate::kernel::sql::{
    lex::TokenKind,
    lineage::shape::Shape,
    mode::Dialect,
    reading::{Reading, SettingChange, StatementKind, TransactionChange},
};

/// A variable of the server by more than the session's own scope: nobody sets one below admin.
const BEYOND: [&str; 3] = ["global", "persist", "persist_only"];

pub(super) fn read(made: &mut Made<'_, '_>) -> Option<Reading> {
    let all = made.cursor.rest();
    made.cursor.skip(1);
    let cursor = &mut made.cursor;
    // `SET password = …` of a variable doesn't exist; names and roles begin these.
    if cursor.is("password") || cursor.is("default") {
        return Some(account::read(made));
    }
    if cursor.eat("role") {
        return Some(role(made));
    }
    if cursor.is("resource") {
        return Some(made.plain(StatementKind::Server));
    }
    if cursor.is("statement") && made.mode.dialect == Dialect::MariaDb {
        return for_statement(made);
    }
    let scope = ["global", "session", "local"].into_iter().find(|scope| cursor.is(scope));
    let transaction = usize::from(scope.is_some());
    if cursor.ahead(transaction).is_some_and(|p| p.is("transaction")) {
        cursor.skip(transaction + 1);
        return transaction_characteristics(made, scope);
    }
    let mut walker = made.walker();
    let mut stored = Vec::new();
    assignments(&mut made.cursor, &mut walker, &mut stored)?;
    let mut reading = walker.finish(StatementKind::Set)?;
    reading.parameters = parameters(all);
    if !stored.is_empty() {
        reading.shape = Some(stored_shape(&stored, made)?);
    }
    Some(reading)
}

/// Where the values go, as if it were `SELECT … INTO @v`.
fn stored_shape(stored: &[&[Piece<'_>]], made: &Made<'_, '_>) -> Option<Box<Shape>> {
    let mut pieces = vec![Piece::word("SELECT")];
    let mut targets = vec![Piece::word("INTO")];
    for (i, value) in stored.iter().enumerate() {
        if i > 0 {
            pieces.push(Piece::sign(TokenKind::Comma, ","));
            targets.push(Piece::sign(TokenKind::Comma, ","));
        }
        pieces.extend(value.iter().cloned());
        targets.push(Piece::sign(TokenKind::UserVariable, "@_"));
    }
    pieces.extend(targets);
    let pieces = super::rewrite::rewrite(&pieces)?;
    statement::shape(&parse::statement(&pieces, made.mode)?)
}

/// `a = 1, @@session.b := 2, @c = (SELECT 3), NAMES utf8mb4`. Values that are no constants are noted.
fn assignments<'p, 'a>(
    cursor: &mut Cursor<'p, 'a>,
    walker: &mut Walker,
    stored: &mut Vec<&'p [Piece<'a>]>,
) -> Option<()> {
    let mut beyond = false;
    loop {
        if cursor.eat("names") {
            names(cursor, walker)?;
        } else if cursor.eat("charset") || cursor.eat_all(&["character", "set"]) {
            let value = if cursor.eat("default") { None } else { Some(charset(cursor)?) };
            set(walker, "character_set_client", value.clone());
            set(walker, "character_set_results", value);
            // The connection's becomes the database's.
            set(walker, "character_set_connection", None);
        } else {
            assignment(cursor, walker, stored, &mut beyond)?;
        }
        if !cursor.eat_sign(TokenKind::Comma) {
            return cursor.end();
        }
    }
}

fn set(walker: &mut Walker, name: &str, value: Option<String>) {
    let change = SettingChange { name: name.to_owned(), value, local: false };
    walker.reading.settings.push(change);
}

/// `NAMES x COLLATE y`.
fn names(cursor: &mut Cursor<'_, '_>, walker: &mut Walker) -> Option<()> {
    let value = if cursor.eat("default") { None } else { Some(charset(cursor)?) };
    if cursor.eat("collate") {
        cursor.ident().or_else(|| cursor.string())?;
    }
    for name in ["character_set_client", "character_set_results", "character_set_connection"] {
        set(walker, name, value.clone());
    }
    Some(())
}

/// A character set's name.
fn charset(cursor: &mut Cursor<'_, '_>) -> Option<String> {
    let name = cursor.ident().or_else(|| cursor.string())?;
    Some(name.to_ascii_lowercase())
}

fn assignment<'p, 'a>(
    cursor: &mut Cursor<'p, 'a>,
    walker: &mut Walker,
    stored: &mut Vec<&'p [Piece<'a>]>,
    beyond: &mut bool,
) -> Option<()> {
    if let Some(variable) = cursor.variable() {
        let value = value(cursor)?;
        walker.reading.mysql.assigned.insert(variable);
        if !matches!(value, [one] if one.is_literal()) {
            walker.written(value);
            stored.push(value);
        }
        return Some(());
    }
    let (name, is_beyond, next_only) = target(cursor, beyond)?;
    let value = value(cursor)?;
    let constant = match value {
        [one] if one.is_literal() => Some(one.text.clone().into_owned()),
        [one] if one.is("default") => None,
        // ON, utf8mb4, STRICT_ALL_TABLES: a word is a text here.
        [one] if one.is_name() => Some(one.text.clone().into_owned()),
        [sign, one] if sign.is_operator("-") && one.is_literal() => Some(format!("-{}", one.text)),
        _ => {
            walker.written(value);
            stored.push(value);
            None
        }
    };
    let name = if is_beyond { format!("@@global.{name}") } else { name };
    walker.reading.settings.push(SettingChange { name, value: constant, local: next_only });
    Some(())
}

/// A system variable: its name, whether it is set beyond the session, and whether for the next
/// transaction only.
fn target(cursor: &mut Cursor<'_, '_>, beyond: &mut bool) -> Option<(String, bool, bool)> {
    let first = cursor.peek()?;
    if first.kind == TokenKind::SystemVariable {
        let first = first.text.strip_prefix("@@")?.to_ascii_lowercase();
        cursor.skip(1);
        let mut names = Vec::new();
        while cursor.eat_sign(TokenKind::Dot) {
            names.push(cursor.ident()?.to_ascii_lowercase());
        }
        let scoped = ["session", "local"].contains(&first.as_str());
        let is_beyond = BEYOND.contains(&first.as_str());
        if !scoped && !is_beyond {
            names.insert(0, first);
        }
        let name = names.join(".");
        let next_only = !scoped && name.starts_with("transaction_") || name.starts_with("tx_");
        return (!name.is_empty()).then_some((name, is_beyond, next_only && !is_beyond));
    }
    // The last such word holds for what follows without one.
    let followed = |p: Option<&Piece<'_>>| p.is_some_and(Piece::is_name);
    if first.is_one_of(&BEYOND) && followed(cursor.ahead(1)) {
        cursor.skip(1);
        *beyond = true;
    } else if first.is_one_of(&["session", "local"]) && followed(cursor.ahead(1)) {
        cursor.skip(1);
        *beyond = false;
    }
    let name = cursor.name()?.0.join(".").to_ascii_lowercase();
    Some((name, *beyond, false))
}

fn value<'p, 'a>(cursor: &mut Cursor<'p, 'a>) -> Option<&'p [Piece<'a>]> {
    (cursor.eat_operator("=") || cursor.eat_sign(TokenKind::ColonEquals)).then_some(())?;
    let value = cursor.until_comma();
    (!value.is_empty()).then_some(value)
}

fn role(made: &Made<'_, '_>) -> Reading {
    let mut reading = made.plain(StatementKind::SetRole);
    let name = match made.cursor.rest() {
        [one] if one.is("default") => None,
        [one] if one.is_name() || one.kind == TokenKind::String => {
            Some(one.text.to_ascii_lowercase())
        }
        // Several, or all but some.
        _ => Some("*".to_owned()),
    };
    reading.settings.push(SettingChange { name: "role".to_owned(), value: name, local: false });
    reading
}

/// `SET STATEMENT a = 1 FOR SELECT …`.
fn for_statement(made: &mut Made<'_, '_>) -> Option<Reading> {
    made.cursor.skip(1);
    let rest = made.cursor.rest();
    let mut depth = 0_u32;
    let at = rest.iter().position(|piece| {
        match piece.kind {
            TokenKind::OpenParen => depth += 1,
            TokenKind::CloseParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && piece.is("for")
    })?;
    let mut head = Cursor::new(rest.get(..at)?);
    let mut walker = made.walker();
    let mut stored = Vec::new();
    assignments(&mut head, &mut walker, &mut stored)?;
    // Fail closed: a value that is computed is nothing of everyday.
    if !stored.is_empty() {
        return None;
    }
    let changes = walker.finish(StatementKind::Set)?;
    let mut reading = leading::read(rest.get(at + 1..)?, made.span.clone(), made.mode)?;
    let local = |change| SettingChange { local: true, ..change };
    reading.settings.splice(0..0, changes.settings.into_iter().map(local));
    reading.kinds.insert(StatementKind::Set);
    Some(reading)
}

/// `SET [SESSION] TRANSACTION …`.
fn transaction_characteristics(
    made: &mut Made<'_, '_>,
    scope: Option<&'static str>,
) -> Option<Reading> {
    let cursor = &mut made.cursor;
    let mut read_write = None;
    loop {
        if cursor.eat_all(&["read", "only"]) {
            read_write = Some(false);
        } else if cursor.eat_all(&["read", "write"]) {
            read_write = Some(true);
        } else if cursor.eat_all(&["isolation", "level"]) {
            let known = cursor.eat_all(&["read", "committed"])
                || cursor.eat_all(&["read", "uncommitted"])
                || cursor.eat_all(&["repeatable", "read"])
                || cursor.eat("serializable");
            known.then_some(())?;
        } else {
            return None;
        }
        if !cursor.eat_sign(TokenKind::Comma) {
            break;
        }
    }
    cursor.end()?;
    if scope == Some("global") {
        return Some(made.plain(StatementKind::Server));
    }
    let session = scope.is_some();
    let kind = if session { StatementKind::Set } else { StatementKind::Transaction };
    let mut reading = made.plain(kind);
    reading.transaction = Some(TransactionChange::Set { read_write, session });
    Some(reading)
}
