//! Where a constant's value can't matter: the reviewed list.
//!
//! A hole may stand
//!
//! - behind a comparison (`= <> != < > <= >=`, LIKE, BETWEEN … AND) or arithmetic (`+ - * / % ||`)
//!   in WHERE, ON, HAVING, in a select or RETURNING list, in UPDATE … SET,
//! - as a whole item of a select or RETURNING list,
//! - as an item of an IN list or of a tuple behind VALUES,
//! - behind LIMIT and OFFSET,
//!
//! but no number of many digits behind arithmetic, and no string with a backslash behind LIKE and its like, which
//! may make it fail,
//!
//! of a statement that begins with SELECT, INSERT, UPDATE, DELETE, VALUES or WITH, and where nothing
//! behind it gives it another meaning: a cast, a subscript, an operator not listed above. Never: in
//! arguments of calls and whatever else stands in parentheses behind a name (types, windows, column
//! lists), behind a type (`date '…'`, `regclass '…'`), in ORDER BY and GROUP BY, in FROM, in
//! subscripts, behind operators of JSON, in parentheses of its own (`('t')::regclass` is a cast of a
//! constant to the server).

use crate::kernel::sql::{lex::TokenKind, mode::Dialect, normalize::FACTOR_DIGITS_MAX};

/// Follows the tokens of one statement.
#[derive(Clone, Debug)]
pub(super) struct Position {
    /// MySQL: only behind comparisons and in lists of values. There a constant of a select list names its
    /// column, and LIMIT may stand in more places.
    few: bool,
    lead: Lead,
    levels: [Level; LEVELS],
    /// The innermost level in use.
    depth: usize,
    /// Levels open beyond those we keep: constants stay there.
    beyond: u32,
    previous: Previous,
}

/// Open parentheses that are followed; deeper, constants stay in the key.
const LEVELS: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lead {
    Start,
    /// A statement with places for holes.
    Holes,
    /// Any other statement.
    Keeps,
}

/// The part of a statement that an open parenthesis, or the statement itself, is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Level {
    /// No holes here, but a query inside may have some.
    #[default]
    Nothing,
    /// Arguments and the like: no holes at any depth.
    Keeps,
    /// A select or RETURNING list.
    List,
    /// WHERE, ON, HAVING, UPDATE … SET, and parentheses around expressions.
    Expression,
    /// VALUES, between its tuples.
    Values,
    /// Inside a tuple of VALUES or the parentheses of IN.
    Items,
}

/// What the last token was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Previous {
    Start,
    /// A name, a constant, a closing parenthesis: something with a value, or a word we don't know.
    Operand,
    Dot,
    /// SELECT, DISTINCT, ALL, RETURNING.
    List,
    /// A comparison, or `||`.
    Operator,
    /// Arithmetic.
    Arithmetic,
    /// BETWEEN, AND, OR, LIKE.
    Bound,
    In,
    Values,
    Limit,
    Comma,
    Open,
    As,
    /// A word that an expression or a query in parentheses may follow.
    Opener,
    /// An operator that isn't listed.
    Unknown,
}

impl Position {
    /// At the beginning of a statement.
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            few: dialect != Dialect::Postgres,
            lead: Lead::Start,
            levels: [Level::Nothing; LEVELS],
            depth: 0,
            beyond: 0,
            previous: Previous::Start,
        }
    }
}

/// Which constants may be one hole in one place, besides being of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fits {
    /// None.
    None,
    /// All.
    All,
    /// What arithmetic takes for one like all others of its kind.
    Alike,
    /// Those without a backslash.
    Plain,
}

impl Fits {
    /// True if this one may.
    pub(super) fn holds(self, kind: TokenKind, text: &[u8]) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Alike => is_alike(kind, text),
            Self::Plain => !text.contains(&b'\\'),
        }
    }
}

impl Position {
    /// Takes a constant of this kind. Which ones a hole may stand for, as far as the tokens before it say.
    pub(super) fn constant(&mut self, kind: TokenKind) -> Fits {
        use Previous as P;
        if self.lead == Lead::Start {
            self.lead = Lead::Keeps;
        }
        let previous = std::mem::replace(&mut self.previous, P::Operand);
        // `U&'…' UESCAPE '!'` is one constant of two tokens.
        if self.lead != Lead::Holes || self.beyond > 0 || kind == TokenKind::UnicodeString {
            return Fits::None;
        }
        match (self.level(), previous) {
            (Level::Keeps, _) => Fits::None,
            (Level::List, _) | (_, P::Limit) if self.few => Fits::None,
            (_, P::Limit) if kind == TokenKind::Integer => Fits::All,
            (_, P::Limit) => Fits::None,
            (Level::List | Level::Expression | Level::Items, P::Arithmetic | P::Bound)
                if self.few =>
            {
                Fits::All
            }
            (Level::List | Level::Expression | Level::Items, P::Arithmetic) => Fits::Alike,
            (Level::List | Level::Expression | Level::Items, P::Bound) => Fits::Plain,
            (Level::List, P::List | P::Comma | P::Operator)
            | (Level::Expression, P::Operator)
            | (Level::Items, P::Open | P::Comma | P::Operator) => Fits::All,
            (
                Level::Nothing | Level::List | Level::Expression | Level::Values | Level::Items,
                _,
            ) => Fits::None,
        }
    }

    /// Takes any other token; a word in lower case.
    pub(super) fn token(&mut self, kind: TokenKind, text: &[u8]) {
        use Previous as P;
        let previous = self.previous;
        self.previous = match kind {
            TokenKind::Word => {
                self.word(text, previous);
                return;
            }
            TokenKind::Operator => match text {
                // A sign belongs to the constant behind it.
                b"+" | b"-" if previous != P::Operand => previous,
                b"+" | b"-" | b"*" | b"/" | b"%" => P::Arithmetic,
                _ if is_plain_operator(text) => P::Operator,
                _ => P::Unknown,
            },
            TokenKind::Comma => P::Comma,
            TokenKind::Dot => P::Dot,
            TokenKind::OpenParen => {
                let inside = match (previous, self.level()) {
                    (_, Level::Keeps) => Level::Keeps,
                    (P::Values, _) => {
                        self.set_level(Level::Values);
                        Level::Items
                    }
                    (P::Comma, Level::Values) => Level::Items,
                    (P::In, Level::List | Level::Expression | Level::Items) => Level::Items,
                    // A name before it: arguments, a type's modifiers, a list of columns.
                    (P::Operand | P::Dot | P::Unknown, _) => Level::Keeps,
                    // How large a number is decides what may be reckoned with it.
                    (_, Level::List) if self.few => Level::Nothing,
                    (_, Level::List | Level::Expression | Level::Items) => Level::Expression,
                    (_, Level::Nothing | Level::Values) => Level::Nothing,
                };
                self.open(inside);
                P::Open
            }
            TokenKind::OpenBracket | TokenKind::OpenBrace => {
                self.open(Level::Keeps);
                P::Open
            }
            TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace => {
                self.close();
                P::Operand
            }
            TokenKind::Cast
            | TokenKind::Colon
            | TokenKind::ColonEquals
            | TokenKind::DotDot
            | TokenKind::Semicolon => P::Unknown,
            TokenKind::QuotedIdentifier
            | TokenKind::Parameter
            | TokenKind::UserVariable
            | TokenKind::SystemVariable
            | TokenKind::Null
            | TokenKind::String
            | TokenKind::EscapeString
            | TokenKind::UnicodeString
            | TokenKind::NationalString
            | TokenKind::DollarString
            | TokenKind::BitString
            | TokenKind::Integer
            | TokenKind::Float => P::Operand,
        };
        if self.lead == Lead::Start {
            self.lead = Lead::Keeps;
        }
    }

    fn word(&mut self, text: &[u8], previous: Previous) {
        use Previous as P;
        let keyword = Keyword::of(text);
        if self.lead == Lead::Start {
            let holes = matches!(
                keyword,
                Keyword::Select | Keyword::Change | Keyword::With | Keyword::Values
            );
            self.lead = if holes { Lead::Holes } else { Lead::Keeps };
        }
        // A name, whatever it spells: `t.select`, `AS limit`.
        if previous == P::Dot
            || (previous == P::As && !matches!(keyword, Keyword::Materialized | Keyword::Not))
        {
            self.previous = P::Operand;
            return;
        }
        let level = match keyword {
            Keyword::Select | Keyword::Returning => Some(Level::List),
            Keyword::Where | Keyword::Set => Some(Level::Expression),
            Keyword::Change | Keyword::With | Keyword::Clause | Keyword::From | Keyword::Limit => {
                Some(Level::Nothing)
            }
            _ => None,
        };
        if let Some(level) = level
            && self.level() != Level::Keeps
        {
            self.set_level(level);
        }
        self.previous = match keyword {
            Keyword::Select | Keyword::Returning => P::List,
            Keyword::Distinct if previous == P::List => P::List,
            Keyword::All if previous == P::List => P::List,
            Keyword::Values => P::Values,
            Keyword::Limit => P::Limit,
            Keyword::In => P::In,
            // LIKE may also be the name of a type: `like 'x'`.
            Keyword::Like if previous == P::Operand => P::Bound,
            Keyword::And | Keyword::Between => P::Bound,
            Keyword::As => P::As,
            Keyword::Materialized if previous == P::As => P::As,
            Keyword::Not if previous == P::As => P::As,
            Keyword::Where
            | Keyword::From
            | Keyword::Not
            | Keyword::Opener
            | Keyword::All
            | Keyword::With => P::Opener,
            Keyword::Change
            | Keyword::Clause
            | Keyword::Distinct
            | Keyword::Like
            | Keyword::Materialized
            | Keyword::Set
            | Keyword::Other => P::Operand,
        };
    }

    fn level(&self) -> Level {
        if self.beyond > 0 {
            return Level::Keeps;
        }
        self.levels.get(self.depth).copied().unwrap_or(Level::Keeps)
    }

    fn set_level(&mut self, level: Level) {
        if self.beyond == 0
            && let Some(slot) = self.levels.get_mut(self.depth)
        {
            *slot = level;
        }
    }

    fn open(&mut self, level: Level) {
        if self.beyond > 0 || self.depth + 1 >= LEVELS {
            self.beyond = self.beyond.saturating_add(1);
        } else {
            self.depth += 1;
            self.set_level(level);
        }
    }

    fn close(&mut self) {
        if self.beyond > 0 {
            self.beyond -= 1;
        } else {
            self.depth = self.depth.saturating_sub(1);
        }
    }
}

/// Words that move through a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Keyword {
    Select,
    Returning,
    Values,
    /// INSERT, UPDATE, DELETE.
    Change,
    With,
    /// WHERE, ON, HAVING.
    Where,
    Set,
    /// FROM, USING.
    From,
    /// GROUP, ORDER, WINDOW, UNION, INTERSECT, EXCEPT, FETCH, FOR, INTO, PARTITION.
    Clause,
    /// LIMIT, OFFSET.
    Limit,
    Distinct,
    All,
    In,
    /// LIKE, ILIKE.
    Like,
    /// AND, OR.
    And,
    Between,
    Not,
    As,
    Materialized,
    /// EXISTS, ANY, SOME, LATERAL, WHEN, THEN, ELSE, CASE.
    Opener,
    Other,
}

impl Keyword {
    /// Of a word in lower case.
    fn of(word: &[u8]) -> Self {
        // PERFORMANCE: most words are names, and few of those begin and are as long as a keyword.
        match (word.len(), word.first().copied().unwrap_or(0)) {
            (2, b'a') if word == b"as" => Self::As,
            (2, b'i') if word == b"in" => Self::In,
            (2, b'o') if word == b"on" => Self::Where,
            (2, b'o') if word == b"or" => Self::And,
            (3, b'a') if word == b"and" => Self::And,
            (3, b's') if word == b"set" => Self::Set,
            (3, b'n') if word == b"not" => Self::Not,
            (3, b'a') if word == b"all" => Self::All,
            (3, b'a') if word == b"any" => Self::Opener,
            (3, b'f') if word == b"for" => Self::Clause,
            (4, b'f') if word == b"from" => Self::From,
            (4, b'w') if word == b"with" => Self::With,
            (4, b'l') if word == b"like" => Self::Like,
            (4, b'i') if word == b"into" => Self::Clause,
            (4, b's') if word == b"some" => Self::Opener,
            (4, b'w') if word == b"when" => Self::Opener,
            (4, b't') if word == b"then" => Self::Opener,
            (4, b'e') if word == b"else" => Self::Opener,
            (4, b'c') if word == b"case" => Self::Opener,
            (5, b'w') if word == b"where" => Self::Where,
            (5, b'l') if word == b"limit" => Self::Limit,
            (5, b'o') if word == b"order" => Self::Clause,
            (5, b'g') if word == b"group" => Self::Clause,
            (5, b'u') if word == b"union" => Self::Clause,
            (5, b'f') if word == b"fetch" => Self::Clause,
            (5, b'u') if word == b"using" => Self::From,
            (5, b'i') if word == b"ilike" => Self::Like,
            (6, b's') if word == b"select" => Self::Select,
            (6, b'i') if word == b"insert" => Self::Change,
            (6, b'u') if word == b"update" => Self::Change,
            (6, b'd') if word == b"delete" => Self::Change,
            (6, b'v') if word == b"values" => Self::Values,
            (6, b'h') if word == b"having" => Self::Where,
            (6, b'o') if word == b"offset" => Self::Limit,
            (6, b'e') if word == b"exists" => Self::Opener,
            (6, b'w') if word == b"window" => Self::Clause,
            (6, b'e') if word == b"except" => Self::Clause,
            (7, b'b') if word == b"between" => Self::Between,
            (7, b'l') if word == b"lateral" => Self::Opener,
            (8, b'd') if word == b"distinct" => Self::Distinct,
            (9, b'r') if word == b"returning" => Self::Returning,
            (9, b'i') if word == b"intersect" => Self::Clause,
            (9, b'p') if word == b"partition" => Self::Clause,
            (12, b'm') if word == b"materialized" => Self::Materialized,
            _ => Self::Other,
        }
    }
}

fn is_plain_operator(text: &[u8]) -> bool {
    matches!(
        text,
        [b'=' | b'<' | b'>' | b'+' | b'-' | b'*' | b'/' | b'%']
            | [b'<', b'>' | b'=']
            | [b'!' | b'>', b'=']
            | [b'|', b'|']
    )
}

/// True of a constant that arithmetic takes for one like all others of its kind.
fn is_alike(kind: TokenKind, text: &[u8]) -> bool {
    // What is divided by zero fails.
    let is_zero = !text.iter().any(|b| matches!(b, b'1'..=b'9'));
    match kind {
        TokenKind::Integer | TokenKind::Float if is_zero => false,
        TokenKind::Integer => text.len() <= 7,
        TokenKind::Float => {
            text.len() <= FACTOR_DIGITS_MAX && text.iter().all(|b| b.is_ascii_digit() || *b == b'.')
        }
        _ => true,
    }
}

/// True if what stands behind a constant leaves its meaning as it is.
pub(super) fn harmless_behind(kind: TokenKind, text: &[u8]) -> bool {
    match kind {
        TokenKind::Comma | TokenKind::CloseParen | TokenKind::Semicolon => true,
        TokenKind::Operator => is_plain_operator(text),
        TokenKind::Word => {
            const WORDS: [&[u8]; 26] = [
                b"and",
                b"as",
                b"cross",
                b"else",
                b"end",
                b"except",
                b"fetch",
                b"for",
                b"from",
                b"full",
                b"group",
                b"having",
                b"inner",
                b"intersect",
                b"join",
                b"left",
                b"limit",
                b"offset",
                b"on",
                b"or",
                b"order",
                b"returning",
                b"right",
                b"then",
                b"union",
                b"where",
            ];
            text.len() <= 9 && WORDS.contains(&text)
        }
        TokenKind::QuotedIdentifier
        | TokenKind::String
        | TokenKind::EscapeString
        | TokenKind::UnicodeString
        | TokenKind::NationalString
        | TokenKind::DollarString
        | TokenKind::BitString
        | TokenKind::Integer
        | TokenKind::Float
        | TokenKind::Parameter
        | TokenKind::UserVariable
        | TokenKind::SystemVariable
        | TokenKind::Null
        | TokenKind::Cast
        | TokenKind::ColonEquals
        | TokenKind::DotDot
        | TokenKind::Dot
        | TokenKind::Colon
        | TokenKind::OpenParen
        | TokenKind::OpenBracket
        | TokenKind::CloseBracket
        | TokenKind::OpenBrace
        | TokenKind::CloseBrace => false,
    }
}
