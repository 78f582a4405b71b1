//! GET DIAGNOSTICS, SIGNAL, HANDLER, FLUSH.

use super::{cursor::Cursor, eyes::Piece, leading::Made, parameters, statement::opaque};
use crate::kernel::sql::{
    lex::TokenKind,
    reading::{Access, Reading, StatementKind},
};

/// `GET DIAGNOSTICS CONDITION 1 @text = MESSAGE_TEXT`: what SHOW WARNINGS shows, into variables.
pub(super) fn diagnostics(made: &mut Made<'_, '_>) -> Option<Reading> {
    const NUMBERS: [&str; 5] =
        ["mysql_errno", "number", "returned_sqlstate", "row_count", "row_number"];
    const TEXTS: [&str; 11] = [
        "catalog_name",
        "class_origin",
        "column_name",
        "constraint_catalog",
        "constraint_name",
        "constraint_schema",
        "cursor_name",
        "message_text",
        "schema_name",
        "subclass_origin",
        "table_name",
    ];
    let mut walker = made.walker();
    let cursor = &mut made.cursor;
    cursor.skip(1);
    cursor.eat_one(&["current", "stacked"]);
    cursor.expect("diagnostics")?;
    if cursor.eat("condition") {
        match cursor.variable() {
            Some(number) => drop(walker.reading.mysql.read.insert(number)),
            None => drop(cursor.integer()?),
        }
    }
    let mut tells = false;
    loop {
        walker.reading.mysql.assigned.insert(cursor.variable()?);
        cursor.eat_operator("=").then_some(())?;
        let item = cursor.eat_one(&NUMBERS);
        if item.is_none() {
            cursor.eat_one(&TEXTS)?;
        }
        // How many there are, and whether there is one, tells too.
        tells |= item != Some("row_count");
        if !cursor.eat_sign(TokenKind::Comma) {
            break;
        }
    }
    cursor.end()?;
    let mut reading = walker.finish(StatementKind::Show)?;
    if tells {
        reading.kinds.insert(StatementKind::ShowWarnings);
        reading.object = Some("warnings".to_owned());
        reading.shape = Some(Box::new(opaque("messages may quote values")));
    }
    Some(reading)
}

/// `SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '…'`: an error of the client's own making.
pub(super) fn signal(made: &mut Made<'_, '_>) -> Option<Reading> {
    let all = made.cursor.rest();
    let mut walker = made.walker();
    let cursor = &mut made.cursor;
    let is_new = cursor.is("signal");
    cursor.skip(1);
    if cursor.eat("sqlstate") {
        cursor.eat("value");
        cursor.string()?;
    } else if is_new {
        // A condition's name, which only a program can declare.
        return None;
    }
    if cursor.eat("set") {
        loop {
            cursor.ident()?;
            cursor.eat_operator("=").then_some(())?;
            walker.written(cursor.until_comma());
            if !cursor.eat_sign(TokenKind::Comma) {
                break;
            }
        }
    }
    cursor.end()?;
    let mut reading = walker.finish(StatementKind::Values)?;
    reading.parameters = parameters(all);
    Some(reading)
}

/// `HANDLER t OPEN`, `HANDLER t READ …`, `HANDLER t CLOSE`.
pub(super) fn handler(made: &mut Made<'_, '_>) -> Option<Reading> {
    let all = made.cursor.rest();
    let mut walker = made.walker();
    let cursor = &mut made.cursor;
    cursor.skip(1);
    let table = cursor.name()?;
    if cursor.eat("close") {
        cursor.end()?;
        return Some(made.plain(StatementKind::Unlock));
    }
    if cursor.eat("open") {
        if cursor.eat("as") || !cursor.is_end() {
            cursor.ident()?;
        }
        cursor.end()?;
        walker.relation(table.clone(), Access::Read);
        walker.columns.whole.insert(table);
        let mut reading = walker.finish(StatementKind::Select)?;
        reading.shape = Some(Box::new(opaque("rows by HANDLER")));
        return Some(reading);
    }
    cursor.expect("read")?;
    let steps = ["first", "next", "prev", "last"];
    if cursor.eat_one(&steps).is_none() {
        // An index, and where to begin in it.
        cursor.ident()?;
        if cursor.eat_one(&steps).is_none() {
            let compares = ["=", "<", "<=", ">", ">="].iter().any(|sign| cursor.eat_operator(sign));
            compares.then_some(())?;
            let mut key = Cursor::new(cursor.parenthesized()?);
            loop {
                walker.written(key.until_comma());
                if !key.eat_sign(TokenKind::Comma) {
                    break;
                }
            }
            key.end()?;
        }
    }
    let rest = cursor.rest();
    let limit = rest.iter().rposition(|piece| piece.is("limit")).unwrap_or(rest.len());
    let (filter, limit) = rest.split_at_checked(limit)?;
    let counts = |p: &Piece<'_>| {
        p.kind == TokenKind::Integer || p.is_sign(TokenKind::Comma) || p.is("offset")
    };
    limit.iter().skip(1).all(counts).then_some(())?;
    if let Some((first, filter)) = filter.split_first() {
        first.is("where").then_some(())?;
        walker.written(filter);
    }
    let mut reading = walker.finish(StatementKind::Handler)?;
    reading.parameters = parameters(all);
    reading.shape = Some(Box::new(opaque("rows by HANDLER")));
    Some(reading)
}

/// FLUSH: closing tables is care of the schema, the session's own counters are its own; all else is the
/// server's.
pub(super) fn flush(made: &mut Made<'_, '_>) -> Option<Reading> {
    let mut walker = made.walker();
    let mut cursor = made.cursor;
    cursor.skip(1);
    cursor.eat_one(&["no_write_to_binlog", "local"]);
    if cursor.eat("status") && cursor.is_end() {
        return Some(made.implicitly(StatementKind::Show));
    }
    if cursor.eat_one(&["table", "tables"]).is_some() && !cursor.is_end() {
        let names = cursor.names();
        if let Some(names) = names.filter(|_| cursor.is_end()) {
            for name in names {
                walker.relation(name, Access::Define);
            }
            let mut reading = walker.finish(StatementKind::SchemaChange)?;
            reading.mysql.commits = true;
            return Some(reading);
        }
    }
    Some(made.implicitly(StatementKind::Server))
}
