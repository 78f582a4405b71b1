//! How deep and how long a text's expressions are, before any parser recurses over them.

use crate::kernel::sql::{
    analysis::Unreadable,
    lex::{Limits, Token, TokenKind},
    mode::Dialect,
};

/// Follows the tokens and estimates from above how deep a tree they make.
///
/// Two estimates, both summed over the open parentheses, brackets and CASEs: the *chain* counts
/// every operator since the last comma, as a parser that nests `a OR b OR c` to the left needs it;
/// the *depth* takes AND and OR as flat, as the server's grammar does.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    levels: Vec<Level>,
    chain: u32,
    depth: u32,
    deepest: u32,
    after_open: bool,
    /// MySQL has more words that are operators, and assignments inside expressions.
    mysql: bool,
}

/// What hangs below one open parenthesis, bracket or CASE.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    /// Operators since the last comma.
    chain: u32,
    /// Operators since the last comma, AND or OR.
    expression: u32,
    /// Joins, set operations and the SELECT itself.
    query: u32,
    is_case: bool,
}

impl Shape {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            levels: vec![Level::default()],
            chain: 0,
            depth: 0,
            deepest: 0,
            after_open: false,
            mysql: dialect != Dialect::Postgres,
        }
    }

    /// The deepest tree seen so far, in expressions, AND and OR taken as flat.
    pub(super) fn deepest(&self) -> u32 {
        self.deepest
    }

    pub(super) fn add(
        &mut self,
        kind: TokenKind,
        text: &str,
        limits: &Limits,
    ) -> Result<(), Unreadable> {
        let after_open = std::mem::replace(&mut self.after_open, kind == TokenKind::OpenParen);
        match kind {
            TokenKind::OpenParen | TokenKind::OpenBrace => self.open(false, limits)?,
            TokenKind::OpenBracket => {
                self.hang(1, 1, 0);
                self.open(false, limits)?;
            }
            TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace => {
                while self.levels.len() > 1 && self.close() {}
            }
            TokenKind::Comma => self.reset(false),
            TokenKind::Semicolon => self.reset(true),
            TokenKind::Operator | TokenKind::Cast => self.hang(1, 1, 0),
            TokenKind::ColonEquals if self.mysql => self.hang(1, 1, 0),
            TokenKind::Word if self.mysql && is_mysql_operator(text) => self.hang(1, 1, 1),
            TokenKind::Word => match role(text) {
                Role::None => {}
                Role::Flat => {
                    if let Some(level) = self.levels.last_mut() {
                        self.depth = self.depth.saturating_sub(level.expression);
                        level.expression = 0;
                    }
                    self.hang(1, 1, 0);
                }
                Role::Expression => self.hang(1, 1, 0),
                Role::Query => self.hang(1, 0, 1),
                // A subquery is several nodes deep.
                Role::Select if after_open => self.hang(0, 0, 3),
                Role::Select => {}
                Role::Case => {
                    self.hang(1, 1, 0);
                    self.open(true, limits)?;
                }
                Role::End => {
                    if self.levels.len() > 1 && self.levels.last().is_some_and(|l| l.is_case) {
                        self.close();
                    }
                }
            },
            _ => {}
        }
        if usize::try_from(self.chain).unwrap_or(usize::MAX) > limits.operator_run {
            return Err(Unreadable::TooLarge {
                what: format!("more than {} operators are chained", limits.operator_run),
            });
        }
        let levels = u32::try_from(self.levels.len()).unwrap_or(u32::MAX);
        self.deepest = self.deepest.max(self.depth.saturating_add(levels));
        Ok(())
    }

    fn hang(&mut self, chain: u32, expression: u32, query: u32) {
        if let Some(level) = self.levels.last_mut() {
            level.chain = level.chain.saturating_add(chain);
            level.expression = level.expression.saturating_add(expression);
            level.query = level.query.saturating_add(query);
            self.chain = self.chain.saturating_add(chain);
            self.depth = self.depth.saturating_add(expression).saturating_add(query);
        }
    }

    fn open(&mut self, is_case: bool, limits: &Limits) -> Result<(), Unreadable> {
        if self.levels.len() > limits.nesting {
            return Err(Unreadable::TooLarge {
                what: format!("parentheses are nested more than {} deep", limits.nesting),
            });
        }
        self.levels.push(Level { is_case, ..Level::default() });
        Ok(())
    }

    /// Leaves the innermost level; true if it was a CASE.
    fn close(&mut self) -> bool {
        let Some(level) = self.levels.pop() else { return false };
        self.chain = self.chain.saturating_sub(level.chain);
        self.depth = self.depth.saturating_sub(level.expression).saturating_sub(level.query);
        level.is_case
    }

    /// After a comma, or (`all`) after a semicolon, a new chain begins.
    fn reset(&mut self, all: bool) {
        if let Some(level) = self.levels.last_mut() {
            self.chain = self.chain.saturating_sub(level.chain);
            self.depth = self.depth.saturating_sub(level.expression);
            level.chain = 0;
            level.expression = 0;
            if all {
                self.depth = self.depth.saturating_sub(level.query);
                level.query = 0;
            }
        }
    }
}

/// Words of MySQL that hang one expression or join below another.
fn is_mysql_operator(word: &str) -> bool {
    const OPERATORS: [&str; 12] = [
        "binary",
        "div",
        "escape",
        "interval",
        "member",
        "minus",
        "mod",
        "regexp",
        "rlike",
        "sounds",
        "straight_join",
        "xor",
    ];
    OPERATORS.iter().any(|w| word.eq_ignore_ascii_case(w))
}

/// What a word does to the tree.
enum Role {
    None,
    /// AND, OR.
    Flat,
    /// Hangs one expression below another.
    Expression,
    /// Hangs one join or query below another.
    Query,
    Select,
    Case,
    End,
}

fn role(word: &str) -> Role {
    const EXPRESSION: [&str; 14] = [
        "at", "between", "collate", "else", "ilike", "in", "is", "isnull", "like", "not",
        "notnull", "operator", "overlaps", "similar",
    ];
    if word.len() > 9 {
        return Role::None;
    }
    let is = |w: &str| word.eq_ignore_ascii_case(w);
    if is("and") || is("or") {
        Role::Flat
    } else if is("select") {
        Role::Select
    } else if is("case") {
        Role::Case
    } else if is("end") {
        Role::End
    } else if ["join", "union", "except", "intersect"].into_iter().any(is) {
        Role::Query
    } else if EXPRESSION.into_iter().any(is) {
        Role::Expression
    } else {
        Role::None
    }
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
        | TokenKind::UserVariable
        | TokenKind::SystemVariable
        | TokenKind::Null
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
        | TokenKind::CloseBracket
        | TokenKind::OpenBrace
        | TokenKind::CloseBrace => false,
    }
}
