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
//! of a statement that begins with SELECT, INSERT, UPDATE, DELETE, VALUES or WITH, and where nothing
//! behind it gives it another meaning: a cast, a subscript, an operator not listed above. Never: in
//! arguments of calls and whatever else stands in parentheses behind a name (types, windows, column
//! lists), behind a type (`date '…'`, `regclass '…'`), in ORDER BY and GROUP BY, in FROM, in
//! subscripts, behind operators of JSON, in parentheses of its own (`('t')::regclass` is a cast of a
//! constant to the server).

use crate::kernel::sql::lex::TokenKind;

/// Follows the tokens of one statement.
#[derive(Clone, Debug)]
pub(super) struct Position {
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
    /// A comparison or arithmetic.
    Operator,
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

impl Default for Position {
    fn default() -> Self {
        Self {
            lead: Lead::Start,
            levels: [Level::Nothing; LEVELS],
            depth: 0,
            beyond: 0,
            previous: Previous::Start,
        }
    }
}

impl Position {
    /// Takes a constant. True if a hole may stand for it, as far as the tokens before it say.
    pub(super) fn constant(&mut self, kind: TokenKind) -> bool {
        use Previous as P;
        if self.lead == Lead::Start {
            self.lead = Lead::Keeps;
        }
        let previous = std::mem::replace(&mut self.previous, P::Operand);
        // `U&'…' UESCAPE '!'` is one constant of two tokens.
        if self.lead != Lead::Holes || self.beyond > 0 || kind == TokenKind::UnicodeString {
            return false;
        }
        match (self.level(), previous) {
            (Level::Keeps, _) => false,
            (_, P::Limit) => kind == TokenKind::Integer,
            (Level::List, P::List | P::Comma | P::Operator | P::Bound)
            | (Level::Expression, P::Operator | P::Bound)
            | (Level::Items, P::Open | P::Comma | P::Operator | P::Bound) => true,
            (
                Level::Nothing | Level::List | Level::Expression | Level::Values | Level::Items,
                _,
            ) => false,
        }
    }

    /// Takes any other token.
    pub(super) fn token(&mut self, kind: TokenKind, text: &str) {
        use Previous as P;
        let previous = self.previous;
        self.previous = match kind {
            TokenKind::Word => {
                self.word(text, previous);
                return;
            }
            TokenKind::Operator => match text {
                // A sign belongs to the constant behind it.
                "+" | "-" if previous != P::Operand => previous,
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
                    (_, Level::List | Level::Expression | Level::Items) => Level::Expression,
                    (_, Level::Nothing | Level::Values) => Level::Nothing,
                };
                self.open(inside);
                P::Open
            }
            TokenKind::OpenBracket => {
                self.open(Level::Keeps);
                P::Open
            }
            TokenKind::CloseParen | TokenKind::CloseBracket => {
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

    fn word(&mut self, text: &str, previous: Previous) {
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
    fn of(word: &str) -> Self {
        let is = |w: &str| word.eq_ignore_ascii_case(w);
        match word.len() {
            2 if is("as") => Self::As,
            2 if is("in") => Self::In,
            2 if is("on") => Self::Where,
            2 if is("or") => Self::And,
            3 if is("and") => Self::And,
            3 if is("set") => Self::Set,
            3 if is("not") => Self::Not,
            3 if is("all") => Self::All,
            3 if is("any") => Self::Opener,
            3 if is("for") => Self::Clause,
            4 if is("from") => Self::From,
            4 if is("with") => Self::With,
            4 if is("like") => Self::Like,
            4 if is("into") => Self::Clause,
            4 if is("some") || is("when") || is("then") || is("else") || is("case") => Self::Opener,
            5 if is("where") => Self::Where,
            5 if is("limit") => Self::Limit,
            5 if is("order") || is("group") || is("union") || is("fetch") => Self::Clause,
            5 if is("using") => Self::From,
            5 if is("ilike") => Self::Like,
            6 if is("select") => Self::Select,
            6 if is("insert") || is("update") || is("delete") => Self::Change,
            6 if is("values") => Self::Values,
            6 if is("having") => Self::Where,
            6 if is("offset") => Self::Limit,
            6 if is("exists") => Self::Opener,
            6 if is("window") || is("except") => Self::Clause,
            7 if is("between") => Self::Between,
            7 if is("lateral") => Self::Opener,
            8 if is("distinct") => Self::Distinct,
            9 if is("returning") => Self::Returning,
            9 if is("intersect") || is("partition") => Self::Clause,
            12 if is("materialized") => Self::Materialized,
            _ => Self::Other,
        }
    }
}

fn is_plain_operator(text: &str) -> bool {
    matches!(text, "=" | "<>" | "!=" | "<" | ">" | "<=" | ">=" | "+" | "-" | "*" | "/" | "%" | "||")
}

/// True if what stands behind a constant leaves its meaning as it is.
pub(super) fn harmless_behind(kind: TokenKind, text: &str) -> bool {
    match kind {
        TokenKind::Comma | TokenKind::CloseParen | TokenKind::Semicolon => true,
        TokenKind::Operator => is_plain_operator(text),
        TokenKind::Word => {
            const WORDS: [&str; 26] = [
                "and",
                "as",
                "cross",
                "else",
                "end",
                "except",
                "fetch",
                "for",
                "from",
                "full",
                "group",
                "having",
                "inner",
                "intersect",
                "join",
                "left",
                "limit",
                "offset",
                "on",
                "or",
                "order",
                "returning",
                "right",
                "then",
                "union",
                "where",
            ];
            text.len() <= 9 && WORDS.iter().any(|w| text.eq_ignore_ascii_case(w))
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
        | TokenKind::Cast
        | TokenKind::ColonEquals
        | TokenKind::DotDot
        | TokenKind::Dot
        | TokenKind::Colon
        | TokenKind::OpenParen
        | TokenKind::OpenBracket
        | TokenKind::CloseBracket => false,
    }
}
