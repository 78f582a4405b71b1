//! Layer B: `sqlparser`, and how its reading must agree with the server's grammar.
//!
//! It reads one statement at a time, cut out by our own lexer, so that it can't draw the text of a
//! second one into the first (COPY FROM STDIN would). Its tree never leaves this module, and is never
//! printed back into SQL.
//!
//! Stack: parsing, walking and dropping recurse. What the lexer lets through (5,000 operators in a
//! row) needs 64 MiB at most; texts of everyday length need 1 MiB.

mod changes;
mod expression;
mod from;
mod kinds;
mod names;
mod query;
mod statement;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sqlparser::{dialect::PostgreSqlDialect, parser::Parser};

use crate::kernel::sql::{
    analysis::Unreadable,
    reading::{Access, Columns, RawName, Reading, RelationUse, RoutineUse, StatementKind},
};

/// How deep sqlparser may nest. The server's own limit is its stack; ours is the lexer's limit on
/// brackets, which comes first.
const RECURSION_LIMIT: usize = 400;

/// What layer B saw.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// The statement, in whole.
    Whole(Box<Reading>),
    /// Its kind. Of statements that only define or maintain something, the tree is not walked: what
    /// they need follows from the kind.
    Kind(StatementKind),
}

/// Reads one statement, without semicolon, with standard_conforming_strings on. `None`: layer B
/// can't parse it, or it has a form that only other servers know; layer C decides alone.
pub fn read(text: &str) -> Option<Seen> {
    let dialect = PostgreSqlDialect {};
    let mut statements = Parser::new(&dialect)
        .with_recursion_limit(RECURSION_LIMIT)
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_statements())
        .ok()?;
    let statement = statements.pop()?;
    if !statements.is_empty() {
        return None;
    }
    let mut walker = Walker::new(0..text.len());
    let seen = walker.top(&statement);
    if walker.foreign {
        return None;
    }
    match seen {
        Some(kind) => Some(Seen::Kind(kind)),
        None => Some(Seen::Whole(Box::new(walker.finish()))),
    }
}

/// Holds what layer B saw against what the server's grammar says.
///
/// # Errors
/// [`Unreadable::Disagreement`].
pub fn compare(seen: Option<&Seen>, server: &Reading) -> Result<(), Unreadable> {
    let agree = match seen {
        None => true,
        Some(Seen::Kind(kind)) => *kind == server.top,
        Some(Seen::Whole(reading)) => reading.agrees_with(server, names::is_compared),
    };
    if agree { Ok(()) } else { Err(Unreadable::Disagreement) }
}

/// Walks one tree. Every match lists every variant, so that a new kind of node is a compile error.
struct Walker {
    reading: Reading,
    columns: Columns,
    /// Names bound to CTEs, the innermost scope last.
    ctes: Vec<HashSet<String>>,
    /// Relations by the name or alias that stands for them anywhere in the statement.
    aliases: BTreeMap<String, BTreeSet<RawName>>,
    /// Column references of one part, and names before `.*`: a whole row if an alias.
    rows: BTreeSet<String>,
    /// A node was met that Postgres doesn't have.
    foreign: bool,
}

impl Walker {
    fn new(span: std::ops::Range<usize>) -> Self {
        Self {
            reading: Reading::new(StatementKind::Other, span),
            columns: Columns::default(),
            ctes: Vec::new(),
            aliases: BTreeMap::new(),
            rows: BTreeSet::new(),
            foreign: false,
        }
    }

    fn kind(&mut self, kind: StatementKind) {
        self.reading.kinds.insert(kind);
    }

    fn relation(&mut self, name: RawName, access: Access) {
        self.reading.relations.insert(RelationUse { name, access });
    }

    fn routine(&mut self, name: RawName, literals: Vec<Option<String>>) {
        self.reading.routines.insert(RoutineUse { name, literals });
    }

    fn operator(&mut self, name: impl Into<String>) {
        self.reading.operators.insert(name.into());
    }

    fn finish(mut self) -> Reading {
        for row in &self.rows {
            if let Some(relations) = self.aliases.get(row) {
                self.columns.whole.extend(relations.iter().cloned());
            }
        }
        self.reading.columns = Some(self.columns);
        self.reading
    }
}
