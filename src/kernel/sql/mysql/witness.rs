//! A second look at a statement that the parser has read: over our own tokens, without its tree.
//!
//! Whatever stands before a parenthesis is a call, unless it is known to be something else; and behind FROM,
//! JOIN, INTO and UPDATE a relation is named. What the tree doesn't have of these it has missed, and then
//! nothing that it says is believed.

use std::collections::HashSet;

use super::{Walker, eyes::Piece, rewrite};
use crate::kernel::sql::lex::TokenKind;

/// Reserved words, and words with a syntax of their own, behind which a parenthesis calls nothing that
/// could be a routine.
const NO_CALLS: &[&str] = &[
    "against",
    "all",
    "and",
    "any",
    "as",
    "between",
    "binary",
    "by",
    "case",
    "cast",
    "character",
    "columns",
    "convert",
    "decimal",
    "distinct",
    "distinctrow",
    "div",
    "do",
    "double",
    "dual",
    "else",
    "escape",
    "except",
    "exists",
    "extract",
    "float",
    "for",
    "from",
    "group",
    "group_concat",
    "having",
    "ignore",
    "in",
    "index",
    "inner",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "json_table",
    "key",
    "lateral",
    "like",
    "limit",
    "match",
    "mod",
    "not",
    "of",
    "on",
    "or",
    "over",
    "partition",
    "path",
    "position",
    "regexp",
    "return",
    "returning",
    "rlike",
    "row",
    "select",
    "set",
    "some",
    "straight_join",
    "substr",
    "substring",
    "then",
    "trim",
    "union",
    "unsigned",
    "update",
    "using",
    "value",
    "values",
    "varbinary",
    "varchar",
    "when",
    "where",
    "with",
    "xor",
];

/// Types that may be written with a length, only where a type stands.
const TYPES: &[&str] = &[
    "bit",
    "char",
    "datetime",
    "dec",
    "nchar",
    "number",
    "numeric",
    "text",
    "time",
    "timestamp",
    "year",
];

/// Calls inside of which FROM names no relation.
const WITH_FROM: &[&str] = &["extract", "substr", "substring", "mid", "trim"];

/// What a reading has, to be looked up.
struct Known<'r> {
    routines: HashSet<&'r str>,
    /// Relations by their last names.
    bases: HashSet<&'r str>,
    relations: HashSet<(Option<&'r str>, &'r str)>,
}

impl Walker {
    /// Notes that something was missed.
    pub(super) fn witness(&mut self, pieces: &[Piece<'_>]) {
        self.foreign |= !self.has_all(&self.known(), pieces);
    }

    fn known(&self) -> Known<'_> {
        let relations = self.reading.relations.iter();
        Known {
            routines: self.reading.routines.iter().map(|used| used.name.base()).collect(),
            bases: relations.clone().map(|used| used.name.base()).collect(),
            relations: relations.map(|used| (used.name.schema(), used.name.base())).collect(),
        }
    }

    fn has_all(&self, known: &Known<'_>, pieces: &[Piece<'_>]) -> bool {
        let mut open: Vec<&str> = Vec::new();
        for (i, piece) in pieces.iter().enumerate() {
            let before = i.checked_sub(1).and_then(|b| pieces.get(b));
            match piece.kind {
                TokenKind::OpenParen => {
                    let called = before.filter(|p| p.is_name());
                    if let Some(called) = called
                        && !self.is_accounted(known, called, before_that(pieces, i))
                    {
                        return false;
                    }
                    open.push(called.map_or("", |p| &p.text));
                }
                TokenKind::CloseParen => {
                    open.pop();
                }
                TokenKind::Word if !piece.behind_dot => {
                    let function = open.last().copied().unwrap_or_default();
                    let own = WITH_FROM.iter().any(|f| function.eq_ignore_ascii_case(f));
                    let modifies = before.is_some_and(|p| {
                        p.is_one_of(&["select", "all", "distinct", "distinctrow", "high_priority"])
                            || p.kind == TokenKind::Word
                                && p.text.to_lowercase().starts_with("sql_")
                    });
                    let names = piece.is("join")
                        || piece.is("straight_join") && !modifies
                        || piece.is("from") && !own
                        || piece.is("into") && i <= 4
                        || piece.is("update") && i == 0;
                    if names && !self.is_named(known, pieces, i + 1) {
                        return false;
                    }
                }
                _ => {}
            }
        }
        true
    }

    /// True if what stands before a parenthesis is in the reading, or is no call.
    fn is_accounted(
        &self,
        known: &Known<'_>,
        called: &Piece<'_>,
        before: Option<&Piece<'_>>,
    ) -> bool {
        let is_type = || {
            called.is_one_of(TYPES)
                && before.is_some_and(|p| p.is("as") || p.is_name() || p.is_sign(TokenKind::Comma))
        };
        if called.is_one_of(NO_CALLS) || is_type() {
            return true;
        }
        let lower = called.text.to_lowercase();
        let text: &str = &called.text;
        known.routines.contains(lower.as_str())
            || known.bases.contains(text)
            || self.aliases.contains_key(text)
            || self.names.contains(text)
            // Of a sequence.
            || matches!(lower.as_str(), "nextval" | "lastval" | "setval")
                && !self.reading.relations.is_empty()
    }

    /// True if the name at `from` is a relation of the reading, or something that it has named.
    fn is_named(&self, known: &Known<'_>, pieces: &[Piece<'_>], from: usize) -> bool {
        let Some(first) = pieces.get(from).filter(|p| p.is_name()) else { return true };
        let apart = ["lateral", "dual", "json_table", "select", "outfile", "dumpfile"];
        if first.is_one_of(&apart) {
            return true;
        }
        let modifiers = ["low_priority", "ignore"];
        let from = from + pieces.iter().skip(from).take_while(|p| p.is_one_of(&modifiers)).count();
        let Some(end) = rewrite::name_end(pieces, from) else { return false };
        let parts = pieces.get(from..end).unwrap_or_default();
        let mut parts = parts.iter().filter(|p| p.is_name()).map(|p| p.text.as_ref());
        let (first, second) = (parts.next(), parts.next());
        let (schema, name) = match (first, second) {
            (Some(schema), Some(name)) => (Some(schema), name),
            (Some(name), None) => (None, name),
            _ => return false,
        };
        known.relations.contains(&(schema, name))
            || schema.is_none() && (self.names.contains(name) || self.aliases.contains_key(name))
    }
}

/// What stands before the name before a parenthesis.
fn before_that<'p, 'a>(pieces: &'p [Piece<'a>], open: usize) -> Option<&'p Piece<'a>> {
    open.checked_sub(2).and_then(|at| pieces.get(at))
}
