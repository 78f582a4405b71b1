//! Which statement it is, by its first words; and those that are read by our own hand.
//!
//! Strictly: what stands behind the first words must be of a known form to the last token, or else nothing
//! was understood.

use std::ops::Range;

use super::{
    Walker, account, cursor::Cursor, definitions, eyes::Piece, parameters, set, show, statement,
    statement::opaque, sundry,
};
use crate::kernel::sql::{
    lex::{self, Limits, TokenKind},
    mode::{Dialect, LexMode},
    reading::{Access, Columns, RawName, Reading, StatementKind, TransactionChange},
    text::StatementText,
};

/// One statement; `None` if it isn't understood.
pub(super) fn read(pieces: &[Piece<'_>], span: Range<usize>, mode: LexMode) -> Option<Reading> {
    let cursor = Cursor::new(pieces);
    let first = cursor.peek()?;
    if first.is_sign(TokenKind::OpenParen) {
        return statement::read(pieces, span, mode);
    }
    if first.kind != TokenKind::Word {
        return None;
    }
    let mut made = Made { cursor, span: span.clone(), mode };
    match first.text.to_ascii_lowercase().as_str() {
        "select" | "with" | "values" | "table" | "do" | "insert" | "replace" | "update"
        | "delete" => statement::read(pieces, span, mode),
        "explain" | "describe" | "desc" => made.explain(),
        "analyze"
            if mode.dialect == Dialect::MariaDb && !is_table_word(cursor.ahead(1), &cursor) =>
        {
            made.analyze()
        }
        "show" => show::read(&mut made),
        "set" => set::read(&mut made),
        "use" => made.use_database(),
        "begin" | "start" | "commit" | "rollback" | "savepoint" | "release" => made.transaction(),
        "xa" => Some(made.plain(StatementKind::TwoPhase)),
        "prepare" => made.prepare(),
        "execute" => made.execute(),
        "deallocate" => made.deallocate(),
        "drop" if cursor.ahead(1).is_some_and(|p| p.is("prepare")) => made.deallocate(),
        "get" => sundry::diagnostics(&mut made),
        "signal" | "resignal" => sundry::signal(&mut made),
        "handler" => sundry::handler(&mut made),
        "flush" => sundry::flush(&mut made),
        "lock" => made.lock(),
        "unlock" => made.unlock(),
        "call" => made.call(),
        "load" => made.load(),
        "help" => made.help(),
        "kill" => made.kill(),
        "create" | "alter" | "drop" | "rename" | "truncate" | "check" | "repair" | "optimize"
        | "analyze" | "checksum" => definitions::read(&mut made),
        "grant" | "revoke" => Some(account::read(&made)),
        "install" | "uninstall" | "change" | "stop" | "reset" | "purge" | "binlog" | "clone"
        | "shutdown" | "restart" | "import" | "cache" | "backup" => {
            Some(made.implicitly(StatementKind::Server))
        }
        _ => None,
    }
}

/// A statement on its way to a reading.
pub(super) struct Made<'p, 'a> {
    pub(super) cursor: Cursor<'p, 'a>,
    pub(super) span: Range<usize>,
    pub(super) mode: LexMode,
}

/// `TABLE`, also behind LOCAL or NO_WRITE_TO_BINLOG.
fn is_table_word(next: Option<&Piece<'_>>, cursor: &Cursor<'_, '_>) -> bool {
    next.is_some_and(|p| {
        p.is_one_of(&["table", "tables"])
            || p.is_one_of(&["local", "no_write_to_binlog"])
                && cursor.ahead(2).is_some_and(|p| p.is_one_of(&["table", "tables"]))
    })
}

impl Made<'_, '_> {
    pub(super) fn walker(&self) -> Walker {
        Walker::new(self.span.clone(), self.mode)
    }

    /// A reading of this kind, with nothing in it.
    pub(super) fn plain(&self, kind: StatementKind) -> Reading {
        let mut reading = Reading::new(kind, self.span.clone());
        reading.columns = Some(Columns::default());
        reading
    }

    /// One that commits what is open.
    pub(super) fn implicitly(&self, kind: StatementKind) -> Reading {
        let mut reading = self.plain(kind);
        reading.mysql.commits = true;
        reading
    }

    fn explain(&mut self) -> Option<Reading> {
        self.cursor.skip(1);
        if self.cursor.eat("analyze") {
            self.format()?;
            return self.explained(true, true);
        }
        // EXTENDED has no meaning of its own any more, but MariaDB prints what it has read for it.
        let mut prints = self.cursor.eat_one(&["extended"]).is_some();
        if !prints {
            self.cursor.eat("partitions");
        }
        let format = self.format()?;
        prints |= if format.is_empty() {
            // Spec: `explain_format` of MySQL 9.7 is TREE unless somebody sets it otherwise.
            self.mode.dialect == Dialect::MySql
        } else {
            !format.eq_ignore_ascii_case("traditional")
        };
        let begins = ["select", "with", "insert", "replace", "update", "delete", "table", "values"];
        let next = self.cursor.peek()?;
        let query = next.is_one_of(&begins) || next.is_sign(TokenKind::OpenParen);
        if query {
            return self.explained(false, prints);
        }
        self.describe()
    }

    /// `FORMAT = JSON`; empty if there is none.
    fn format(&mut self) -> Option<String> {
        if !self.cursor.eat("format") {
            return Some(String::new());
        }
        self.cursor.eat_operator("=").then_some(())?;
        self.cursor.ident().or_else(|| self.cursor.string())
    }

    fn explained(&mut self, runs: bool, prints: bool) -> Option<Reading> {
        statement::explained(self.cursor.rest(), self.span.clone(), self.mode, (runs, prints))
    }

    /// DESCRIBE t [column]: what SHOW COLUMNS shows.
    fn describe(&mut self) -> Option<Reading> {
        let name = self.cursor.name()?;
        if !self.cursor.is_end() {
            self.cursor.ident().map(drop).or_else(|| self.cursor.string().map(drop))?;
        }
        self.cursor.end()?;
        let mut walker = self.walker();
        walker.relation(name, Access::Refer);
        walker.finish(StatementKind::Show)
    }

    /// MariaDB's `ANALYZE [FORMAT=JSON] SELECT …`.
    fn analyze(&mut self) -> Option<Reading> {
        self.cursor.skip(1);
        self.format()?;
        self.explained(true, true)
    }

    fn use_database(&mut self) -> Option<Reading> {
        self.cursor.skip(1);
        let database = self.cursor.ident()?;
        self.cursor.end()?;
        let mut reading = self.plain(StatementKind::Use);
        reading.object = Some(database);
        Some(reading)
    }

    fn transaction(&mut self) -> Option<Reading> {
        let cursor = &mut self.cursor;
        let mut commits = false;
        let change = if cursor.eat("begin") {
            cursor.eat("work");
            commits = true;
            TransactionChange::Begin { read_write: None }
        } else if cursor.eat("start") {
            if !cursor.eat("transaction") {
                // REPLICA, SLAVE, GROUP_REPLICATION.
                return Some(self.implicitly(StatementKind::Server));
            }
            commits = true;
            let mut read_write = None;
            characteristics(cursor, &mut read_write)?;
            TransactionChange::Begin { read_write }
        } else if cursor.eat("commit") {
            cursor.eat("work");
            TransactionChange::Commit { chain: completion(cursor) }
        } else if cursor.eat("savepoint") {
            TransactionChange::Savepoint(cursor.ident()?.to_lowercase())
        } else if cursor.eat_all(&["release", "savepoint"]) {
            TransactionChange::Release(cursor.ident()?.to_lowercase())
        } else {
            cursor.expect("rollback")?;
            cursor.eat("work");
            if cursor.eat("to") {
                cursor.eat("savepoint");
                TransactionChange::RollbackTo(cursor.ident()?.to_lowercase())
            } else {
                TransactionChange::Rollback { chain: completion(cursor) }
            }
        };
        cursor.end()?;
        let mut reading = self.plain(StatementKind::Transaction);
        reading.transaction = Some(change);
        reading.mysql.commits = commits;
        Some(reading)
    }

    /// `PREPARE s FROM '…'`. What isn't a constant has nothing inside, so that it needs admin.
    fn prepare(&mut self) -> Option<Reading> {
        self.cursor.skip(1);
        let name = self.cursor.ident()?.to_lowercase();
        self.cursor.expect("from")?;
        let constant = self.cursor.peek().is_some_and(|p| p.kind == TokenKind::String)
            && self.cursor.ahead(1).is_none();
        let inner = if constant { self.cursor.string() } else { None };
        let inner = inner.and_then(|text| self.inside(&text));
        let mut reading = self.plain(StatementKind::Prepare);
        if let Some(inner) = inner {
            reading = inner.clone();
            reading.top = StatementKind::Prepare;
            reading.kinds.insert(StatementKind::Prepare);
            reading.mysql.commits = false;
            reading.transaction = None;
            reading.inner = Some(Box::new(inner));
        }
        reading.object = Some(name);
        Some(reading)
    }

    /// The one statement that a text is.
    fn inside(&self, text: &str) -> Option<Reading> {
        let checked = StatementText::new(text.as_bytes(), usize::MAX).ok()?;
        let tokens = lex::tokenize(&checked, self.mode, &Limits::DEFAULT).ok()?;
        let readings = super::read_tokens(text, &tokens, self.mode).ok()?;
        let [reading] = readings.as_slice() else { return None };
        let mut reading = reading.clone();
        // Fail closed: the server refuses these inside, and nobody follows what they'd do.
        let nested = [
            StatementKind::Prepare,
            StatementKind::Execute,
            StatementKind::Deallocate,
            StatementKind::Use,
        ];
        if nested.contains(&reading.top) {
            return None;
        }
        reading.span = self.span.clone();
        Some(reading)
    }

    /// `EXECUTE s [USING @a, @b]`, `EXECUTE IMMEDIATE '…'`.
    fn execute(&mut self) -> Option<Reading> {
        self.cursor.skip(1);
        if self.cursor.eat("immediate") {
            let constant = self.cursor.string()?;
            self.using()?;
            return self.inside(&constant);
        }
        let name = self.cursor.ident()?.to_lowercase();
        self.using()?;
        let mut reading = self.plain(StatementKind::Execute);
        reading.object = Some(name);
        Some(reading)
    }

    fn using(&mut self) -> Option<()> {
        if self.cursor.eat("using") {
            loop {
                let value = self.cursor.until_comma();
                let [one] = value else { return None };
                if one.kind != TokenKind::UserVariable && !one.is_literal() {
                    return None;
                }
                if !self.cursor.eat_sign(TokenKind::Comma) {
                    break;
                }
            }
        }
        self.cursor.end()
    }

    fn deallocate(&mut self) -> Option<Reading> {
        self.cursor.skip(1);
        self.cursor.expect("prepare")?;
        let name = self.cursor.ident()?.to_lowercase();
        self.cursor.end()?;
        let mut reading = self.plain(StatementKind::Deallocate);
        reading.object = Some(name);
        Some(reading)
    }

    /// `LOCK TABLES a READ LOCAL, b AS x WRITE`.
    fn lock(&mut self) -> Option<Reading> {
        self.cursor.skip(1);
        if !self.cursor.eat("tables") && !self.cursor.eat("table") {
            return Some(self.implicitly(StatementKind::Server));
        }
        let mut walker = self.walker();
        let mut top = StatementKind::LockShare;
        loop {
            let name = self.cursor.name()?;
            let explicit = self.cursor.eat("as");
            let modes = ["read", "write", "low_priority", "concurrent"];
            if explicit || !self.cursor.peek()?.is_one_of(&modes) {
                self.cursor.ident()?;
            }
            if self.cursor.eat("read") {
                self.cursor.eat("local");
            } else {
                self.cursor.eat_one(&["low_priority", "concurrent"]);
                self.cursor.expect("write")?;
                top = StatementKind::Lock;
            }
            walker.relation(name, Access::LockTable);
            if !self.cursor.eat_sign(TokenKind::Comma) {
                break;
            }
        }
        if self.cursor.eat_one(&["wait", "nowait"]) == Some("wait") {
            self.cursor.integer()?;
        }
        self.cursor.end()?;
        let mut reading = walker.finish(top)?;
        reading.mysql.commits = true;
        Some(reading)
    }

    fn unlock(&mut self) -> Option<Reading> {
        self.cursor.skip(1);
        if !self.cursor.eat("tables") && !self.cursor.eat("table") {
            return Some(self.implicitly(StatementKind::Server));
        }
        self.cursor.end()?;
        Some(self.implicitly(StatementKind::Unlock))
    }

    /// `CALL p`, `CALL db.p(…)`.
    fn call(&mut self) -> Option<Reading> {
        let parameters = parameters(self.cursor.rest());
        self.cursor.skip(1);
        let name = self.cursor.name()?;
        let mut walker = self.walker();
        if !self.cursor.is_end() {
            let inside = self.cursor.parenthesized()?;
            let mut arguments = Cursor::new(inside);
            while !arguments.is_end() {
                walker.written(arguments.until_comma());
                if !arguments.eat_sign(TokenKind::Comma) {
                    break;
                }
            }
            arguments.end()?;
        }
        self.cursor.end()?;
        let mut parts = name.0;
        if let Some(last) = parts.last_mut() {
            *last = last.to_lowercase();
        }
        walker.routine(RawName(parts), Vec::new());
        let mut reading = walker.finish(StatementKind::Call)?;
        reading.parameters = parameters;
        // What comes out of it.
        reading.mysql.assigned.extend(reading.mysql.read.iter().cloned());
        reading.shape = Some(Box::new(opaque("rows from code")));
        Some(reading)
    }

    fn help(&mut self) -> Option<Reading> {
        self.cursor.skip(1);
        self.cursor.string().or_else(|| self.cursor.ident())?;
        self.cursor.end()?;
        Some(self.plain(StatementKind::Show))
    }

    /// `KILL [CONNECTION | QUERY] 5`. The session tells whose it is.
    fn kill(&mut self) -> Option<Reading> {
        self.cursor.skip(1);
        let what = self.cursor.eat_one(&["connection", "query"]).unwrap_or("connection");
        let id = self.cursor.integer()?;
        self.cursor.end()?;
        let mut reading = self.plain(StatementKind::Kill);
        reading.object = Some(format!("{what} {id}"));
        Some(reading)
    }

    /// `LOAD DATA LOCAL INFILE '…' INTO TABLE t …`; without LOCAL it reads a file of the server.
    fn load(&mut self) -> Option<Reading> {
        let cursor = &mut self.cursor;
        cursor.skip(1);
        if !cursor.eat("data") && !cursor.eat("xml") {
            return Some(self.implicitly(StatementKind::Server));
        }
        cursor.eat_one(&["low_priority", "concurrent"]);
        let local = cursor.eat("local");
        cursor.expect("infile")?;
        cursor.string()?;
        let replaces = cursor.eat_one(&["replace", "ignore"]) == Some("replace");
        if !cursor.eat_all(&["into", "table"]) {
            return None;
        }
        let table = cursor.name()?;
        let mut walker = self.walker();
        walker.relation(table, Access::Write);
        let sets = self.load_rest(&mut walker)?;
        if replaces {
            walker.kind(StatementKind::Delete);
        }
        let top = if local { StatementKind::CopyFromClient } else { StatementKind::CopyServer };
        let mut reading = walker.finish(top)?;
        if replaces || sets {
            reading.shape = Some(Box::new(opaque("what LOAD DATA makes of its rows")));
        }
        Some(reading)
    }

    /// What stands behind the table; true if columns are set to expressions.
    fn load_rest(&mut self, walker: &mut Walker) -> Option<bool> {
        const WORDS: [&str; 22] = [
            "by",
            "character",
            "charset",
            "columns",
            "enclosed",
            "escaped",
            "fields",
            "identified",
            "ignore",
            "lines",
            "optionally",
            "rows",
            "set",
            "starting",
            "terminated",
            "utf8",
            "utf8mb3",
            "utf8mb4",
            "latin1",
            "ascii",
            "binary",
            "partition",
        ];
        while let Some(piece) = self.cursor.peek() {
            let columns = piece.is_sign(TokenKind::OpenParen);
            let set = piece.is("set")
                && self
                    .cursor
                    .ahead(2)
                    .is_some_and(|p| p.is_operator("=") || p.is_sign(TokenKind::Dot));
            if set {
                self.cursor.skip(1);
                loop {
                    let column = self.cursor.name()?;
                    walker.reading.assigned.insert(column.base().to_lowercase());
                    self.cursor.eat_operator("=").then_some(())?;
                    let value = self.cursor.until_comma();
                    // `SET a = DEFAULT`.
                    if !matches!(value, [one] if one.is("default")) {
                        walker.written(value);
                    }
                    if !self.cursor.eat_sign(TokenKind::Comma) {
                        self.cursor.end()?;
                        return Some(true);
                    }
                }
            } else if columns {
                let inside = self.cursor.parenthesized()?;
                for piece in inside {
                    match piece.kind {
                        TokenKind::Comma => {}
                        TokenKind::Word | TokenKind::QuotedIdentifier => {
                            walker.columns.names.insert(piece.text.to_lowercase());
                        }
                        TokenKind::UserVariable => {
                            let name = piece.text.clone().into_owned();
                            walker.reading.mysql.assigned.insert(name);
                        }
                        _ => return None,
                    }
                }
            } else if piece.is_one_of(&WORDS) || piece.is_literal() {
                self.cursor.skip(1);
            } else {
                return None;
            }
        }
        Some(false)
    }
}

/// READ ONLY and the like of START TRANSACTION; what it says about writing.
fn characteristics(cursor: &mut Cursor<'_, '_>, read_write: &mut Option<bool>) -> Option<()> {
    while !cursor.is_end() {
        if cursor.eat_all(&["with", "consistent", "snapshot"]) {
        } else if cursor.eat_all(&["read", "only"]) {
            *read_write = Some(false);
        } else if cursor.eat_all(&["read", "write"]) {
            *read_write = Some(true);
        } else {
            return None;
        }
        if !cursor.eat_sign(TokenKind::Comma) {
            cursor.end()?;
        }
    }
    Some(())
}

/// AND CHAIN, RELEASE and their opposites; true for a new transaction.
fn completion(cursor: &mut Cursor<'_, '_>) -> bool {
    let mut chain = false;
    if cursor.eat_all(&["and", "chain"]) {
        chain = true;
    } else {
        cursor.eat_all(&["and", "no", "chain"]);
    }
    if !cursor.eat("release") {
        cursor.eat_all(&["no", "release"]);
    }
    chain
}
