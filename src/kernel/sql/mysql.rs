//! Layer B for MySQL and MariaDB: from our own tokens to a [`Reading`].
//!
//! Statements that read or change rows are parsed by `sqlparser`, which is given our tokens and sees of the
//! words only those as keywords that are some of these servers ([`eyes`]); what it doesn't know of everyday
//! statements is said to it in other words ([`rewrite`]). All others are read by our own hand, over all
//! their tokens ([`leading`]). There is no grammar of the server's to compare with, so that what isn't read
//! whole is [`StatementKind::Other`], which needs admin.
//!
//! Names: databases and tables are kept as written, for `lower_case_table_names` 0. Columns, routines,
//! variables and system schemas are not told apart by their case and are kept in lower case.

mod account;
mod alters;
pub mod bytes;
mod changes;
mod clauses;
mod cursor;
mod definitions;
mod expression;
mod eyes;
mod from;
mod leading;
mod outputs;
mod parse;
mod query;
mod rewrite;
mod set;
mod shape;
mod show;
mod statement;
mod sundry;
mod witness;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::kernel::sql::{
    analysis::Unreadable,
    lex::{self, Limits, Token, Tokens},
    mode::LexMode,
    mysql::eyes::Piece,
    reading::{Access, Columns, RawName, Reading, RelationUse, RoutineUse, StatementKind},
    text::StatementText,
};

/// Reads every statement of a text that was cut into tokens, in order.
///
/// # Errors
/// [`Unreadable::TooLarge`] for what is nested too deeply.
pub fn read_tokens(text: &str, tokens: &Tokens, mode: LexMode) -> Result<Vec<Reading>, Unreadable> {
    if tokens.deepest() > DEPTH {
        return Err(Unreadable::TooLarge { what: "the statement is nested too deeply".to_owned() });
    }
    let statements = tokens.statements().iter();
    Ok(statements.map(|range| one(text, tokens, tokens.of(range), &range.bytes, mode)).collect())
}

/// What a query calls; `None` if it isn't understood.
pub(in crate::kernel::sql) fn routines_of(
    text: &str,
    mode: LexMode,
) -> Option<BTreeSet<RoutineUse>> {
    let checked = StatementText::new(text.as_bytes(), usize::MAX).ok()?;
    let tokens = lex::tokenize(&checked, mode, &Limits::DEFAULT).ok()?;
    let readings = read_tokens(text, &tokens, mode).ok()?;
    let [reading] = readings.as_slice() else { return None };
    (reading.top == StatementKind::Select).then(|| reading.routines.clone())
}

/// Expressions inside each other, as for Postgres.
const DEPTH: u32 = 1_000;

/// One statement. What can't be read is [`StatementKind::Other`].
fn one(
    text: &str,
    tokens: &Tokens,
    list: &[Token],
    span: &std::ops::Range<usize>,
    mode: LexMode,
) -> Reading {
    eyes::pieces(text, tokens, list, mode)
        .and_then(|pieces| leading::read(&pieces, span.clone(), mode))
        .unwrap_or_else(|| other(span.clone()))
}

/// Something that isn't understood.
fn other(span: std::ops::Range<usize>) -> Reading {
    Reading::new(StatementKind::Other, span)
}

/// Collects what one statement says. Every match over the parser's tree lists every variant, so that a new
/// kind of node is a compile error.
struct Walker {
    reading: Reading,
    columns: Columns,
    mode: LexMode,
    /// Names bound to CTEs, the innermost scope last.
    ctes: Vec<HashSet<String>>,
    /// Relations by the name or alias that stands for them anywhere in the statement.
    aliases: BTreeMap<String, BTreeSet<RawName>>,
    /// Names before `.*`.
    rows: BTreeSet<String>,
    /// Names that the statement gives to queries.
    names: BTreeSet<String>,
    /// NATURAL JOIN: any column of any table may be compared.
    natural: bool,
    /// A node was met that these servers don't have.
    foreign: bool,
}

impl Walker {
    fn new(span: std::ops::Range<usize>, mode: LexMode) -> Self {
        let mut reading = Reading::new(StatementKind::Other, span);
        reading.kinds.clear();
        Self {
            reading,
            columns: Columns::default(),
            mode,
            ctes: Vec::new(),
            aliases: BTreeMap::new(),
            rows: BTreeSet::new(),
            names: BTreeSet::new(),
            natural: false,
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

    /// What was collected; `None` if something of it isn't understood.
    fn finish(mut self, top: StatementKind) -> Option<Reading> {
        if self.foreign {
            return None;
        }
        for row in &self.rows {
            if let Some(relations) = self.aliases.get(row) {
                self.columns.whole.extend(relations.iter().cloned());
            }
        }
        if self.natural {
            let all = self.reading.relations.iter().map(|used| used.name.clone());
            self.columns.whole.extend(all);
        }
        self.reading.top = top;
        self.reading.kinds.insert(top);
        self.reading.columns = Some(self.columns);
        Some(self.reading)
    }

    /// An expression in our own tokens.
    fn written(&mut self, pieces: &[Piece<'_>]) {
        self.foreign |= statement::writes_file(pieces);
        match parse::expression(pieces, self.mode) {
            Some(expression) => {
                self.expr(&expression);
                self.witness(pieces);
            }
            None => self.foreign = true,
        }
    }
}

/// The number of parameters.
fn parameters(pieces: &[Piece<'_>]) -> u16 {
    let count = pieces.iter().filter(|p| p.kind == lex::TokenKind::Parameter);
    u16::try_from(count.count()).unwrap_or(u16::MAX)
}
