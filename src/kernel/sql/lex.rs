//! Layer A: our own strict lexer, exact to the server's, before any parser sees a text.
//!
//! It answers for three things: that a text has one reading (what could be read in two ways is
//! refused), that it is small enough to be parsed without harm (tokens, nesting, chained operators,
//! nested comments), and where its statements begin and end. Linear, without recursion.
//!
//! Postgres 15 to 18; the mode of `standard_conforming_strings` is an input.

mod literal;
pub mod scanner;
mod shape;
pub mod split;

use std::ops::Range;

use crate::kernel::sql::{
    analysis::Unreadable,
    lex::{scanner::Scanner, shape::Shape, shape::TupleRun, split::Splitter},
    mode::LexMode,
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
    /// `$1`.
    Parameter,
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
    backslashes: bool,
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

    /// The value of a string constant among the tokens. `None` for other tokens, and where it has
    /// escapes by number, which nothing of ours needs.
    pub fn string_value(&self, token: &Token, text: &str) -> Option<String> {
        literal::string_value(token.kind, token.text(text), self.backslashes)
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
    let mut scanner = Scanner::new(text, mode, limits.comment_nesting)?;
    let mut splitter = Splitter::default();
    let mut shape = Shape::new();
    let mut run = TupleRun::default();
    let mut out = Tokens { backslashes: !mode.standard_conforming_strings, ..Tokens::default() };
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
            let number = word.get(1..).and_then(|n| n.parse().ok()).unwrap_or(u16::MAX);
            out.parameters = out.parameters.max(number);
        }
        let ends = splitter.ends_statement(token.kind, word.as_bytes());
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

/// Notes the statement from token `first` on, if there is one; `end` is its last byte.
fn close_statement(out: &mut Tokens, first: usize, end: usize) {
    if let Some(token) = out.tokens.get(first) {
        let bytes = token.start as usize..end;
        out.statements.push(StatementRange { bytes, tokens: first..out.tokens.len() });
    }
}

#[cfg(test)]
mod tests;
