//! What `sqlparser` is given to see: our own tokens, so that it can't cut a text otherwise than the server
//! does, and of the words only those as keywords that are keywords of MySQL.

use std::borrow::Cow;

use sqlparser::{keywords::Keyword, tokenizer::Token as Seen, tokenizer::Word};

use crate::kernel::sql::{
    lex::{Token, TokenKind, Tokens},
    mode::LexMode,
};

/// One token on its way to the parser.
#[derive(Clone, Debug)]
pub(super) struct Piece<'a> {
    /// What it is.
    pub(super) kind: TokenKind,
    /// What it says: of a string its value, of a quoted name the name, of a variable its name with the @,
    /// of a parameter `?` and its number, else as it is written.
    pub(super) text: Cow<'a, str>,
    /// A dot stands directly before it, so that it is a name whatever it says.
    pub(super) behind_dot: bool,
}

impl Piece<'_> {
    /// A word of ours.
    pub(super) fn word(text: &'static str) -> Self {
        Self { kind: TokenKind::Word, text: Cow::Borrowed(text), behind_dot: false }
    }

    /// A sign of ours.
    pub(super) fn sign(kind: TokenKind, text: &'static str) -> Self {
        Self { kind, text: Cow::Borrowed(text), behind_dot: false }
    }

    /// True if it is this word, without quotes, where a keyword may stand.
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && !self.behind_dot && self.text.eq_ignore_ascii_case(word)
    }

    /// True if it is one of these words.
    pub(super) fn is_one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// True if it is this sign.
    pub(super) fn is_sign(&self, kind: TokenKind) -> bool {
        self.kind == kind
    }

    /// True if it is this operator.
    pub(super) fn is_operator(&self, text: &str) -> bool {
        self.kind == TokenKind::Operator && self.text == text
    }

    /// True if it may be a name.
    pub(super) fn is_name(&self) -> bool {
        matches!(self.kind, TokenKind::Word | TokenKind::QuotedIdentifier)
    }

    /// True if it is a string, a number, a bit string.
    pub(super) fn is_literal(&self) -> bool {
        self.kind.is_literal()
    }
}

/// The pieces of some tokens. `None` if one of them isn't of these servers, or its value isn't certain.
pub(super) fn pieces<'a>(
    text: &'a str,
    tokens: &Tokens,
    list: &[Token],
    mode: LexMode,
) -> Option<Vec<Piece<'a>>> {
    let mut out = Vec::with_capacity(list.len());
    let mut behind_dot = false;
    let mut parameters = 0_u32;
    for token in list {
        let written = token.text(text);
        let named = matches!(
            token.kind,
            TokenKind::Word
                | TokenKind::QuotedIdentifier
                | TokenKind::UserVariable
                | TokenKind::SystemVariable
        );
        if named && written.contains(FOLDED_TO_ASCII) {
            return None;
        }
        let text = match token.kind {
            TokenKind::String | TokenKind::NationalString => {
                Cow::Owned(tokens.string_value(token, text)?)
            }
            TokenKind::QuotedIdentifier => Cow::Owned(unquoted(written)?),
            // Its number, so that nobody has to count again.
            TokenKind::Parameter => {
                parameters = parameters.saturating_add(1);
                Cow::Owned(format!("?{parameters}"))
            }
            TokenKind::UserVariable => Cow::Owned(variable(written, mode)?),
            TokenKind::SystemVariable => Cow::Owned(system_variable(written)?),
            TokenKind::Word
            | TokenKind::BitString
            | TokenKind::Integer
            | TokenKind::Float
            | TokenKind::Null
            | TokenKind::Operator
            | TokenKind::ColonEquals
            | TokenKind::Dot
            | TokenKind::Comma
            | TokenKind::Colon
            | TokenKind::OpenParen
            | TokenKind::CloseParen
            | TokenKind::OpenBrace
            | TokenKind::CloseBrace => Cow::Borrowed(written),
            TokenKind::EscapeString
            | TokenKind::UnicodeString
            | TokenKind::DollarString
            | TokenKind::Cast
            | TokenKind::DotDot
            | TokenKind::Semicolon
            | TokenKind::OpenBracket
            | TokenKind::CloseBracket => return None,
        };
        out.push(Piece { kind: token.kind, text, behind_dot });
        behind_dot = token.kind == TokenKind::Dot;
    }
    Some(out)
}

/// Letters that the servers take for `i` and `k` when they look for a name: `İnfo` is the column `info`.
const FOLDED_TO_ASCII: [char; 2] = ['\u{130}', '\u{212a}'];

/// A name without its quotes.
fn unquoted(written: &str) -> Option<String> {
    let quote = written.chars().next()?;
    let inner = written.get(1..written.len().checked_sub(1)?)?;
    let doubled: String = [quote, quote].iter().collect();
    Some(inner.replace(&doubled, quote.encode_utf8(&mut [0; 4])))
}

/// `@name`, in lower case: the servers don't tell them apart by it.
fn variable(written: &str, mode: LexMode) -> Option<String> {
    let name = written.strip_prefix('@')?;
    let value = match name.chars().next()? {
        '`' => unquoted(name)?,
        '"' if mode.sql.ansi_quotes => unquoted(name)?,
        // Fail closed: what a backslash makes of it isn't worth knowing.
        '\'' | '"' if name.contains('\\') => return None,
        '\'' | '"' => unquoted(name)?,
        _ => name.to_owned(),
    };
    // Fail closed: MySQL doesn't tell `@é` and `@e` apart, MariaDB does.
    value.is_ascii().then(|| format!("@{}", value.to_ascii_lowercase()))
}

/// `@@name`, in lower case.
fn system_variable(written: &str) -> Option<String> {
    let name = written.strip_prefix("@@")?;
    let name = if name.starts_with('`') { unquoted(name)? } else { name.to_owned() };
    Some(format!("@@{}", name.to_ascii_lowercase()))
}

/// A piece as the parser's own tokens. `None`: it has none.
pub(super) fn seen(piece: &Piece<'_>, mode: LexMode) -> Option<Seen> {
    let text = || piece.text.clone().into_owned();
    Some(match piece.kind {
        TokenKind::Word => word(text(), piece.behind_dot),
        TokenKind::QuotedIdentifier => {
            Seen::Word(Word { value: text(), quote_style: Some('`'), keyword: Keyword::NoKeyword })
        }
        TokenKind::UserVariable | TokenKind::SystemVariable => {
            Seen::Word(Word { value: text(), quote_style: None, keyword: Keyword::NoKeyword })
        }
        TokenKind::String => Seen::SingleQuotedString(text()),
        TokenKind::NationalString => Seen::NationalStringLiteral(text()),
        TokenKind::BitString => Seen::HexStringLiteral(text()),
        TokenKind::Integer | TokenKind::Float => Seen::Number(text(), false),
        TokenKind::Parameter => Seen::Placeholder(text()),
        TokenKind::Null => Seen::make_keyword("NULL"),
        TokenKind::Operator => operator(&piece.text, mode)?,
        TokenKind::ColonEquals => Seen::Assignment,
        TokenKind::Dot => Seen::Period,
        TokenKind::Comma => Seen::Comma,
        TokenKind::Colon => Seen::Colon,
        TokenKind::OpenParen => Seen::LParen,
        TokenKind::CloseParen => Seen::RParen,
        TokenKind::OpenBrace => Seen::LBrace,
        TokenKind::CloseBrace => Seen::RBrace,
        TokenKind::EscapeString
        | TokenKind::UnicodeString
        | TokenKind::DollarString
        | TokenKind::Cast
        | TokenKind::DotDot
        | TokenKind::Semicolon
        | TokenKind::OpenBracket
        | TokenKind::CloseBracket => return None,
    })
}

fn operator(text: &str, mode: LexMode) -> Option<Seen> {
    Some(match text {
        "=" => Seen::Eq,
        "<=>" => Seen::Spaceship,
        "<" => Seen::Lt,
        "<=" => Seen::LtEq,
        ">" => Seen::Gt,
        ">=" => Seen::GtEq,
        "<>" | "!=" => Seen::Neq,
        "+" => Seen::Plus,
        "-" => Seen::Minus,
        "*" => Seen::Mul,
        "/" => Seen::Div,
        "%" => Seen::Mod,
        "&" => Seen::Ampersand,
        "|" => Seen::Pipe,
        "^" => Seen::Caret,
        "<<" => Seen::ShiftLeft,
        ">>" => Seen::ShiftRight,
        "&&" => Seen::make_keyword("AND"),
        "||" if mode.sql.pipes_as_concat => Seen::StringConcat,
        "||" => Seen::make_keyword("OR"),
        // Binds as tightly, and takes a value as a truth: no other operator of one value is so near.
        "~" | "!" => Seen::Tilde,
        "->" => Seen::Arrow,
        "->>" => Seen::LongArrow,
        _ => return None,
    })
}

fn word(text: String, is_name: bool) -> Seen {
    let keyword = !is_name && KEYWORDS.binary_search(&text.to_ascii_lowercase().as_str()).is_ok();
    if keyword {
        Seen::make_keyword(&text)
    } else {
        Seen::Word(Word { value: text, quote_style: None, keyword: Keyword::NoKeyword })
    }
}

/// Words that the parser may take for keywords: those that both servers know as such and that stand in
/// statements which it is asked to read. What other servers call a keyword is a name here.
const KEYWORDS: &[&str] = &[
    "against",
    "all",
    "and",
    "any",
    "as",
    "asc",
    "at",
    "auto_increment",
    "begin",
    "between",
    "bigint",
    "binary",
    "bit",
    "blob",
    "boolean",
    "both",
    "by",
    "call",
    "case",
    "cast",
    "char",
    "character",
    "charset",
    "collate",
    "column",
    "columns",
    "constraint",
    "convert",
    "create",
    "cross",
    "current",
    "current_date",
    "current_time",
    "current_timestamp",
    "database",
    "date",
    "datetime",
    "day",
    "day_hour",
    "day_microsecond",
    "day_minute",
    "day_second",
    "decimal",
    "default",
    "delayed",
    "delete",
    "desc",
    "distinct",
    "distinctrow",
    "div",
    "double",
    "duplicate",
    "else",
    "empty",
    "end",
    "error",
    "escape",
    "except",
    "exists",
    "expansion",
    "extract",
    "false",
    "fetch",
    "first",
    "float",
    "following",
    "for",
    "force",
    "from",
    "full",
    "group",
    "grouping",
    "having",
    "high_priority",
    "hour",
    "hour_microsecond",
    "hour_minute",
    "hour_second",
    "if",
    "ignore",
    "in",
    "index",
    "inner",
    "insert",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "json",
    "json_table",
    "key",
    "keys",
    "language",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "locked",
    "low_priority",
    "match",
    "member",
    "microsecond",
    "minute",
    "minute_microsecond",
    "minute_second",
    "mode",
    "month",
    "natural",
    "nested",
    "next",
    "not",
    "nowait",
    "null",
    "nulls",
    "of",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "ordinality",
    "outer",
    "over",
    "partition",
    "path",
    "position",
    "preceding",
    "primary",
    "quarter",
    "query",
    "range",
    "real",
    "recursive",
    "regexp",
    "replace",
    "returning",
    "right",
    "rlike",
    "rollup",
    "row",
    "rows",
    "second",
    "second_microsecond",
    "select",
    "separator",
    "set",
    "share",
    "signed",
    "skip",
    "smallint",
    "some",
    "spatial",
    "sql_big_result",
    "sql_buffer_result",
    "sql_calc_found_rows",
    "sql_no_cache",
    "sql_small_result",
    "straight_join",
    "substr",
    "substring",
    "table",
    "temporary",
    "text",
    "then",
    "ties",
    "time",
    "timestamp",
    "tinyint",
    "to",
    "trailing",
    "trim",
    "true",
    "unbounded",
    "union",
    "unique",
    "unknown",
    "unsigned",
    "update",
    "use",
    "using",
    "value",
    "values",
    "varbinary",
    "varchar",
    "view",
    "week",
    "when",
    "where",
    "window",
    "with",
    "within",
    "xor",
    "year",
    "year_month",
    "zerofill",
    "zone",
];

#[cfg(test)]
mod tests {
    use super::KEYWORDS;

    #[test]
    fn keywords_are_sorted() {
        for pair in KEYWORDS.windows(2) {
            assert!(pair[0] < pair[1], "{} stands before {}", pair[0], pair[1]);
        }
    }
}
