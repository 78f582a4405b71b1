//! Layer A: our own strict lexer, exact to the server's, before any parser sees a text.
//!
//! It answers for three things: that a text has one reading (what could be read in two ways is
//! refused), that it is small enough to be parsed without harm (tokens, nesting, chained operators,
//! nested comments), and where its statements begin and end. Linear, without recursion.
//!
//! Postgres 15 to 18 in `pg`, MySQL 9.7 and MariaDB 10.11 in `mysql`; the modes that change what a text
//! means are an input.

pub mod mysql;
pub mod pg;
mod shape;

use std::ops::Range;

use crate::kernel::sql::{
    analysis::Unreadable,
    lex::{shape::Shape, shape::TupleRun},
    mode::{Dialect, LexMode},
    text::StatementText,
};

/// How much a text may ask of a parser.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Tokens in a text, runs of constant tuples counted as two tuples.
    pub tokens: usize,
    /// Statements in a text: each has its own reading and its own record, so that a short text of many
    /// costs more than a long one of few.
    pub statements: usize,
    /// Operators (and words like AND, JOIN, UNION) chained without a comma between them, summed
    /// over the open parentheses: a parser makes them a tree that deep.
    pub operator_run: usize,
    /// Parentheses and brackets inside each other.
    pub nesting: usize,
    /// Comments inside each other.
    pub comment_nesting: usize,
}

impl Limits {
    /// The defaults: more than any tool or person writes.
    pub const DEFAULT: Self = Self {
        tokens: 200_000,
        statements: 5_000,
        operator_run: 5_000,
        nesting: 500,
        comment_nesting: 64,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TokenKind {
    /// A keyword or a name without quotes.
    Word,
    /// `"…"`.
    QuotedIdentifier,
    /// `'…'`, its continuations included.
    String,
    /// `E'…'`.
    EscapeString,
    /// `U&'…'`.
    UnicodeString,
    /// `N'…'`.
    NationalString,
    /// `$tag$…$tag$`.
    DollarString,
    /// `B'…'`, `X'…'`.
    BitString,
    /// `1`, `0x1F`, `1_000`.
    Integer,
    /// `1.5`, `1e3`.
    Float,
    /// `$1`, `?`.
    Parameter,
    /// MySQL: `@name` in all quotings; also the host of an account.
    UserVariable,
    /// MySQL: `@@name`, without what follows a dot.
    SystemVariable,
    /// MariaDB: `\N`.
    Null,
    /// `+`, `<>`, `@>`, `=>`.
    Operator,
    /// `::`.
    Cast,
    /// `:=`.
    ColonEquals,
    /// `..`.
    DotDot,
    /// `.`.
    Dot,
    /// `,`.
    Comma,
    /// `:`.
    Colon,
    /// `;`.
    Semicolon,
    /// `(`.
    OpenParen,
    /// `)`.
    CloseParen,
    /// `[`.
    OpenBracket,
    /// `]`.
    CloseBracket,
    /// MySQL: `{`.
    OpenBrace,
    /// MySQL: `}`.
    CloseBrace,
}

impl TokenKind {
    /// A constant: string, bit string or number.
    pub fn is_literal(self) -> bool {
        self.is_string() || matches!(self, Self::BitString | Self::Integer | Self::Float)
    }

    /// A string constant of any spelling.
    pub fn is_string(self) -> bool {
        matches!(
            self,
            Self::String
                | Self::EscapeString
                | Self::UnicodeString
                | Self::NationalString
                | Self::DollarString
        )
    }
}

/// A token: its kind and its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its first byte.
    pub start: u32,
    /// The byte behind it.
    pub end: u32,
}

impl Token {
    /// Its text, where `text` is what it was cut from.
    pub fn text<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// One statement of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatementRange {
    /// Its bytes: from its first token to the end of its last, without the semicolon.
    pub bytes: Range<usize>,
    /// Its tokens, as indexes into [`Tokens::tokens`].
    pub tokens: Range<usize>,
}

/// A text cut into tokens and statements.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tokens {
    tokens: Vec<Token>,
    statements: Vec<StatementRange>,
    /// Bytes that hold repeated tuples of constants, which are not among the tokens.
    repeats: Vec<Range<usize>>,
    deepest: u32,
    parameters: u16,
    mode: Option<LexMode>,
}

impl Tokens {
    /// All tokens, semicolons included; of a run of constant tuples behind VALUES the first two.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The statements, in order. Empty ones are left out, as the server does.
    pub fn statements(&self) -> &[StatementRange] {
        &self.statements
    }

    /// The tokens of one statement.
    pub fn of(&self, statement: &StatementRange) -> &[Token] {
        self.tokens.get(statement.tokens.clone()).unwrap_or_default()
    }

    /// The highest parameter number, `$1` is 1.
    pub fn parameters(&self) -> u16 {
        self.parameters
    }

    /// True if Postgres reads the text.
    pub fn is_postgres(&self) -> bool {
        self.mode.is_none_or(|mode| mode.dialect == Dialect::Postgres)
    }

    /// The value of a string constant among the tokens. `None` for other tokens, and where it has
    /// escapes by number, which nothing of ours needs.
    pub fn string_value(&self, token: &Token, text: &str) -> Option<String> {
        let (text, mode) = (token.text(text), self.mode?);
        match mode.dialect {
            Dialect::Postgres => {
                pg::literal::string_value(token.kind, text, !mode.standard_conforming_strings)
            }
            Dialect::MySql | Dialect::MariaDb => {
                mysql::literal::string_value(token.kind, text, !mode.sql.no_backslash_escapes)
            }
        }
    }

    /// Bytes that hold repeated tuples of constants, which are not among the tokens.
    pub fn repeats(&self) -> &[Range<usize>] {
        &self.repeats
    }

    /// An estimate from above of how deep a tree the text makes, in expressions; chains of AND and
    /// OR are one.
    pub fn deepest(&self) -> u32 {
        self.deepest
    }

    /// True if parsing needs more stack than an ordinary thread (2 MiB) has to spare.
    pub fn needs_large_stack(&self) -> bool {
        self.deepest > SMALL_STACK_DEPTH
    }

    /// The text without the repeated tuples of constants, for a parser's eyes; `None` if there are
    /// none and the text serves as it is. Its statements are the same in number and kind.
    pub fn collapsed(&self, text: &str) -> Option<String> {
        if self.repeats.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(text.len().min(64 * 1024));
        let mut at = 0;
        for cut in &self.repeats {
            out.push_str(text.get(at..cut.start).unwrap_or_default());
            at = cut.end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        Some(out)
    }

    /// Where a byte of the collapsed text stands in the text itself.
    pub fn uncollapsed_byte(&self, collapsed: usize) -> usize {
        let mut byte = collapsed;
        for cut in &self.repeats {
            if cut.start > byte {
                break;
            }
            byte = byte.saturating_add(cut.end.saturating_sub(cut.start));
        }
        byte
    }
}

/// Expressions inside each other that the parsers manage on a 2 MiB stack. Measured: an unoptimized
/// build needs about 30 KiB for each.
const SMALL_STACK_DEPTH: u32 = 24;

/// Cuts a text into tokens and statements.
///
/// # Errors
/// [`Unreadable::Syntax`] with the server's message where its lexer raises an error,
/// [`Unreadable::Ambiguous`] for what could be read in two ways, [`Unreadable::TooLarge`] beyond a
/// limit.
pub fn tokenize(
    text: &StatementText<'_>,
    mode: LexMode,
    limits: &Limits,
) -> Result<Tokens, Unreadable> {
    let text = text.as_str();
    if u32::try_from(text.len()).is_err() {
        return Err(Unreadable::TooLarge { what: "the text is longer than 4 GiB".to_owned() });
    }
    match mode.dialect {
        Dialect::Postgres => {
            let scanner = pg::scanner::Scanner::new(text, mode, limits.comment_nesting)?;
            collect(text, scanner, pg::split::Splitter::default(), mode, limits)
        }
        Dialect::MySql | Dialect::MariaDb => {
            let scanner = mysql::scanner::Scanner::new(text, mode)?;
            collect(text, scanner, mysql::split::Splitter::default(), mode, limits)
        }
    }
}

/// What cuts a text into tokens, as its server does.
pub trait Cut {
    /// True if words mean the same in any case of their letters.
    const FOLDS: bool;

    /// The next token, `None` at the end.
    ///
    /// # Errors
    /// [`Unreadable`] where the server's lexer would raise an error, and where a text could be read in two
    /// ways.
    fn next_token(&mut self) -> Result<Option<Token>, Unreadable>;
}

/// What tells where statements end, as the server's grammar does.
pub trait Split: Default {
    /// Takes the next token. True if it is a semicolon that ends a statement.
    ///
    /// # Errors
    /// [`Unreadable`] where that isn't certain.
    fn ends_statement(&mut self, kind: TokenKind, text: &[u8]) -> Result<bool, Unreadable>;
}

fn collect<C: Cut, S: Split>(
    text: &str,
    mut scanner: C,
    mut splitter: S,
    mode: LexMode,
    limits: &Limits,
) -> Result<Tokens, Unreadable> {
    let mut shape = Shape::new(mode.dialect);
    let mut run = TupleRun::default();
    let mut out = Tokens { mode: Some(mode), ..Tokens::default() };
    let mut first = 0;
    let mut end = 0;
    while let Some(token) = scanner.next_token()? {
        let word = token.text(text);
        shape.add(token.kind, word, limits)?;
        if out.tokens.len() >= limits.tokens {
            return Err(Unreadable::TooLarge {
                what: format!("the text has more than {} tokens", limits.tokens),
            });
        }
        if token.kind == TokenKind::Parameter {
            out.parameters = match word.get(1..) {
                // MySQL counts them.
                None | Some("") => out.parameters.checked_add(1).ok_or_else(too_many_parameters)?,
                Some(number) => out.parameters.max(number.parse().unwrap_or(u16::MAX)),
            };
        }
        let ends = splitter.ends_statement(token.kind, word.as_bytes())?;
        if ends {
            close_statement(&mut out, first, end);
            if out.statements.len() >= limits.statements {
                return Err(Unreadable::TooLarge {
                    what: format!("the text has {} statements or more", limits.statements),
                });
            }
        }
        out.tokens.push(token);
        if ends {
            first = out.tokens.len();
        }
        end = token.end as usize;
        if let Some((from, to)) = run.add(token, word, &mut out.tokens) {
            let (from, to) = (from as usize, to as usize);
            match out.repeats.last_mut() {
                Some(last) if last.end == from => last.end = to,
                _ => out.repeats.push(from..to),
            }
        }
    }
    close_statement(&mut out, first, end);
    out.deepest = shape.deepest();
    Ok(out)
}

/// More than a protocol can bind.
fn too_many_parameters() -> Unreadable {
    Unreadable::TooLarge { what: format!("the text has more than {} parameters", u16::MAX) }
}

/// The place of a byte in a text, in characters from 1.
pub fn character_position(text: &str, byte: usize) -> u32 {
    let before = text.as_bytes().get(..byte.min(text.len())).unwrap_or_default();
    let count = before.iter().filter(|b| (**b & 0xc0) != 0x80).count();
    u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1)
}

/// Characters that some readers take for white space or for nothing.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        )
}

/// Notes the statement from token `first` on, if there is one; `end` is its last byte.
fn close_statement(out: &mut Tokens, first: usize, end: usize) {
    if let Some(token) = out.tokens.get(first) {
        let bytes = token.start as usize..end;
        out.statements.push(StatementRange { bytes, tokens: first..out.tokens.len() });
    }
}

#[cfg(test)]
mod tests;
