//! How deep and how long a text's expressions are, before any parser recurses over them.

use crate::kernel::sql::{
    analysis::Unreadable,
    lex::{Limits, Token, TokenKind},
};

/// Follows the tokens and estimates from above how deep a tree they make: open parentheses and
/// brackets, plus the operators chained at each open level since the last comma.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// Operators since the last comma, per open level.
    chains: Vec<u32>,
    sum: u32,
    deepest: u32,
}

impl Shape {
    pub(super) fn new() -> Self {
        Self { chains: vec![0], sum: 0, deepest: 0 }
    }

    /// The deepest tree seen so far, in levels.
    pub(super) fn deepest(&self) -> u32 {
        self.deepest
    }

    pub(super) fn add(
        &mut self,
        kind: TokenKind,
        text: &str,
        limits: &Limits,
    ) -> Result<(), Unreadable> {
        match kind {
            TokenKind::OpenParen | TokenKind::OpenBracket => {
                if kind == TokenKind::OpenBracket {
                    self.link(limits)?;
                }
                if self.chains.len() > limits.nesting {
                    return Err(Unreadable::TooLarge {
                        what: format!("parentheses are nested more than {} deep", limits.nesting),
                    });
                }
                self.chains.push(0);
            }
            TokenKind::CloseParen | TokenKind::CloseBracket => {
                if self.chains.len() > 1
                    && let Some(chain) = self.chains.pop()
                {
                    self.sum = self.sum.saturating_sub(chain);
                }
            }
            TokenKind::Comma | TokenKind::Semicolon => {
                if let Some(chain) = self.chains.last_mut() {
                    self.sum = self.sum.saturating_sub(*chain);
                    *chain = 0;
                }
            }
            TokenKind::Operator | TokenKind::Cast => self.link(limits)?,
            TokenKind::Word if chains_on(text) => self.link(limits)?,
            _ => {}
        }
        let levels = u32::try_from(self.chains.len()).unwrap_or(u32::MAX);
        self.deepest = self.deepest.max(self.sum.saturating_add(levels));
        Ok(())
    }

    fn link(&mut self, limits: &Limits) -> Result<(), Unreadable> {
        if let Some(chain) = self.chains.last_mut() {
            *chain = chain.saturating_add(1);
            self.sum = self.sum.saturating_add(1);
        }
        if usize::try_from(self.sum).unwrap_or(usize::MAX) > limits.operator_run {
            return Err(Unreadable::TooLarge {
                what: format!("more than {} operators are chained", limits.operator_run),
            });
        }
        Ok(())
    }
}

/// Words that hang one expression, join or query below another without parentheses.
fn chains_on(word: &str) -> bool {
    const WORDS: [&str; 22] = [
        "and",
        "at",
        "between",
        "case",
        "collate",
        "else",
        "except",
        "ilike",
        "in",
        "intersect",
        "is",
        "isnull",
        "join",
        "like",
        "not",
        "notnull",
        "operator",
        "or",
        "overlaps",
        "similar",
        "union",
        "when",
    ];
    word.len() <= 9 && WORDS.iter().any(|w| word.eq_ignore_ascii_case(w))
}

/// Finds runs of tuples of constants behind VALUES while the tokens are collected, and keeps two of
/// each run: a dump's INSERT of 100,000 rows is as long to a parser as one of two.
#[derive(Clone, Debug, Default)]
pub(super) struct TupleRun {
    state: TupleState,
    /// Constants in the tuples of this run.
    arity: u32,
    /// Tuples of the run that are kept.
    kept: u32,
    /// Constants in the tuple being read, and whether another must follow.
    current: u32,
    /// Number of tokens kept at the end of the last tuple, and its last byte.
    mark: usize,
    mark_byte: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum TupleState {
    #[default]
    Outside,
    /// After VALUES or after the comma behind a tuple.
    BeforeTuple,
    /// After `(` or a comma inside: a constant must follow.
    BeforeConstant,
    /// After a sign: a number must follow.
    AfterSign,
    AfterConstant,
    AfterTuple,
}

impl TupleRun {
    /// Takes the token that was just pushed; may cut tokens off again, and then gives the range of
    /// bytes that went.
    pub(super) fn add(
        &mut self,
        token: Token,
        text: &str,
        tokens: &mut Vec<Token>,
    ) -> Option<(u32, u32)> {
        use TupleState as S;
        let mut cut = None;
        let kind = token.kind;
        self.state = match (self.state, kind) {
            (_, TokenKind::Word) if text.eq_ignore_ascii_case("values") => {
                self.kept = 0;
                S::BeforeTuple
            }
            (S::Outside, _) => S::Outside,
            (S::BeforeTuple, TokenKind::OpenParen) => {
                self.current = 0;
                S::BeforeConstant
            }
            (S::BeforeConstant, TokenKind::Operator) if matches!(text, "-" | "+") => S::AfterSign,
            (S::BeforeConstant, _) if is_constant(kind, text) => {
                self.current = self.current.saturating_add(1);
                S::AfterConstant
            }
            (S::AfterSign, TokenKind::Integer | TokenKind::Float) => {
                self.current = self.current.saturating_add(1);
                S::AfterConstant
            }
            (S::AfterConstant, TokenKind::Comma) => S::BeforeConstant,
            (S::AfterConstant, TokenKind::CloseParen) => {
                if self.kept > 0 && self.current == self.arity {
                    self.kept += 1;
                } else {
                    self.kept = 1;
                    self.arity = self.current;
                }
                if self.kept > 2 {
                    self.kept = 2;
                    tokens.truncate(self.mark);
                    cut = Some((self.mark_byte, token.end));
                    self.mark_byte = token.end;
                } else {
                    self.mark = tokens.len();
                    self.mark_byte = token.end;
                }
                S::AfterTuple
            }
            (S::AfterTuple, TokenKind::Comma) => S::BeforeTuple,
            _ => S::Outside,
        };
        cut
    }
}

/// A constant whose value can't change what an INSERT does.
fn is_constant(kind: TokenKind, text: &str) -> bool {
    match kind {
        TokenKind::String
        | TokenKind::EscapeString
        | TokenKind::NationalString
        | TokenKind::DollarString
        | TokenKind::BitString
        | TokenKind::Integer
        | TokenKind::Float => true,
        TokenKind::Word => {
            ["null", "true", "false", "default"].iter().any(|w| text.eq_ignore_ascii_case(w))
        }
        TokenKind::UnicodeString
        | TokenKind::QuotedIdentifier
        | TokenKind::Parameter
        | TokenKind::Operator
        | TokenKind::Cast
        | TokenKind::ColonEquals
        | TokenKind::DotDot
        | TokenKind::Dot
        | TokenKind::Comma
        | TokenKind::Colon
        | TokenKind::Semicolon
        | TokenKind::OpenParen
        | TokenKind::CloseParen
        | TokenKind::OpenBracket
        | TokenKind::CloseBracket => false,
    }
}
