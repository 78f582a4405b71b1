//! One text for many: the key of the analysis cache, and the text for records without literals.
//!
//! The key is the text's token stream with white space, comments and the case of keywords gone, and
//! with a *hole* where a constant's value can't change what the statement does. Two texts with one
//! key have one analysis; so the list of positions where a hole may stand (`position`) is short,
//! and where it doesn't know, the constant stays in the key.
//!
//! The cached analysis was made from another text: its spans belong to that text. The spans of this
//! one are in [`Normal::spans`], statement by statement.

mod pattern;
mod position;

use std::ops::Range;

pub use pattern::Pattern;

use crate::kernel::sql::{
    analysis::Unreadable,
    lex::{Cut, Limits, Split, Token, TokenKind, mysql, pg},
    mode::{Dialect, LexMode},
    normalize::position::{Fits, Position},
    text::StatementText,
};

/// A constant that a number is added to, multiplied or divided by may be a hole if it has no more digits: what
/// comes of it is about as large whichever it is. So far it may go, if it is an integer.
pub const FACTOR_INTEGER_MAX: u32 = 9_999_999;
/// The same of one with a point.
pub const FACTOR_DIGITS_MAX: usize = 12;

/// What [`normalize`] makes; kept and used again from text to text.
#[derive(Clone, Debug, Default)]
pub struct Normal {
    /// The key, to be hashed and compared in full. Dialect and lexer mode are not part of it.
    pub key: Vec<u8>,
    /// The bytes of each statement of this text, without its semicolon.
    pub spans: Vec<Range<usize>>,
    /// The text with ASCII letters in lower case, from which words are taken.
    lower: Vec<u8>,
    /// The constants that are holes in the key, in order; one more than [`HOLES_MAX`] if there are more.
    holes: Vec<Hole>,
}

/// A constant whose value isn't in the key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Hole {
    token: Token,
    /// Which others may stand in its place.
    fits: Fits,
}

/// So many holes of a text are kept.
const HOLES_MAX: usize = 256;

/// Fills `out` with the key and the statement spans of a text, in one pass and, after a few texts,
/// without allocating.
///
/// # Errors
/// [`Unreadable`], as from [`crate::kernel::sql::lex::tokenize`], but only for what the lexer itself
/// refuses: depth and number of tokens are not counted here, a text that passed once is known.
pub fn normalize(
    text: &StatementText<'_>,
    mode: LexMode,
    out: &mut Normal,
) -> Result<(), Unreadable> {
    let text = text.as_str();
    out.key.clear();
    out.spans.clear();
    out.holes.clear();
    out.key.reserve(text.len().min(RESERVE));
    // PERFORMANCE: all at once is much less than word by word.
    out.lower.clear();
    out.lower.extend_from_slice(text.as_bytes());
    out.lower.make_ascii_lowercase();
    match mode.dialect {
        Dialect::Postgres => {
            let scanner = pg::scanner::Scanner::new(text, mode, Limits::DEFAULT.comment_nesting)?;
            fill(text, scanner, pg::split::Splitter::default(), mode.dialect, out)
        }
        Dialect::MySql | Dialect::MariaDb => {
            let scanner = mysql::scanner::Scanner::new(text, mode)?;
            fill(text, scanner, mysql::split::Splitter::default(), mode.dialect, out)
        }
    }
}

fn fill<C: Cut, S: Split>(
    text: &str,
    mut scanner: C,
    mut splitter: S,
    dialect: Dialect,
    out: &mut Normal,
) -> Result<(), Unreadable> {
    let Normal { key, spans, lower, holes } = out;
    let mut position = Position::new(dialect);
    let mut first: Option<usize> = None;
    let mut end = 0;
    // A constant whose fate depends on the token behind it.
    let mut held: Option<Hole> = None;
    while let Some(token) = scanner.next_token()? {
        let bytes = token.start as usize..token.end as usize;
        let word = lower.get(bytes.clone()).unwrap_or_default();
        if let Some(constant) = held.take() {
            if position::harmless_behind(token.kind, word) {
                hole(key, holes, constant);
            } else {
                keep(key, constant.token.kind, constant.token.text(text).as_bytes());
            }
        }
        if splitter.ends_statement(token.kind, word)? {
            spans.extend(first.take().map(|start| start..end));
            position = Position::new(dialect);
            keep(key, token.kind, word);
            continue;
        }
        first.get_or_insert(bytes.start);
        let follows = std::mem::replace(&mut end, bytes.end) == bytes.start;
        if token.kind == TokenKind::Word {
            position.token(token.kind, word);
            key.push(TokenKind::Word as u8 + 1);
            // Of MySQL a name may be another one in another case.
            let word = if C::FOLDS { Some(word) } else { text.as_bytes().get(bytes) };
            key.extend_from_slice(word.unwrap_or_default());
            continue;
        }
        if token.kind.is_literal() {
            let fits = position.constant(token.kind);
            if fits.holds(token.kind, word) {
                held = Some(Hole { token, fits });
            } else {
                keep(key, token.kind, text.as_bytes().get(bytes).unwrap_or_default());
            }
            continue;
        }
        position.token(token.kind, word);
        keep(key, token.kind, text.as_bytes().get(bytes).unwrap_or_default());
        // `count(` is a call, and `count (` may be a column and an expression.
        if !C::FOLDS && follows && token.kind == TokenKind::OpenParen {
            key.push(DIRECTLY);
        }
    }
    if let Some(constant) = held {
        hole(key, holes, constant);
    }
    spans.extend(first.map(|start| start..end));
    Ok(())
}

/// Reserved at once for a key; longer ones grow.
const RESERVE: usize = 4096;

/// A token with its text. A token begins with its kind as a byte below 32, which stands in no word,
/// number, operator or parameter; text that may hold anything is preceded by its length. So no two
/// token streams have one key.
fn keep(key: &mut Vec<u8>, kind: TokenKind, text: &[u8]) {
    key.push(kind as u8 + 1);
    match kind {
        TokenKind::Parameter | TokenKind::Operator => key.extend_from_slice(text),
        TokenKind::Word => key.extend(text.iter().map(u8::to_ascii_lowercase)),
        _ if kind.is_literal()
            || matches!(
                kind,
                TokenKind::QuotedIdentifier | TokenKind::UserVariable | TokenKind::SystemVariable
            ) =>
        {
            key.extend_from_slice(&(text.len() as u32).to_le_bytes());
            key.extend_from_slice(text);
        }
        _ => {}
    }
}

/// A constant of this kind, whatever its value.
fn hole(key: &mut Vec<u8>, holes: &mut Vec<Hole>, constant: Hole) {
    key.extend_from_slice(&[HOLE, constant.token.kind as u8 + 1]);
    if holes.len() <= HOLES_MAX {
        holes.push(constant);
    }
}

/// Begins a hole.
const HOLE: u8 = 31;
/// Behind a parenthesis with nothing between it and what is before it.
const DIRECTLY: u8 = 30;

/// The text with every constant replaced by `?`, comments gone and white space made one blank: for
/// records that must not hold values.
///
/// # Errors
/// As [`normalize`].
pub fn without_literals(text: &StatementText<'_>, mode: LexMode) -> Result<String, Unreadable> {
    let text = text.as_str();
    match mode.dialect {
        Dialect::Postgres => {
            written(text, pg::scanner::Scanner::new(text, mode, Limits::DEFAULT.comment_nesting)?)
        }
        Dialect::MySql | Dialect::MariaDb => {
            written(text, mysql::scanner::Scanner::new(text, mode)?)
        }
    }
}

fn written<C: Cut>(text: &str, mut scanner: C) -> Result<String, Unreadable> {
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    while let Some(token) = scanner.next_token()? {
        if !out.is_empty() && token.start > end {
            out.push(' ');
        }
        end = token.end;
        out.push_str(if token.kind.is_literal() { "?" } else { token.text(text) });
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
