//! One token after another, as `lex_one_token` of both servers cuts them.
//!
//! Spec: sql/sql_lex.cc and the state map of strings/sql_chars.cc in MySQL 9.7, sql/sql_lex.cc in MariaDB
//! 10.11.

use crate::kernel::sql::{
    analysis::Unreadable,
    lex::{
        Cut, Token, TokenKind, character_position, is_invisible,
        mysql::version::{Version, version},
    },
    mode::{ClientSet, Dialect, LexMode},
};

/// Cuts a text into tokens. Linear: no byte is looked at more than a fixed number of times.
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    mode: LexMode,
    /// Where the version comment begins that we are in.
    version_comment: Option<usize>,
    after: After,
}

/// What the last token makes of the next bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum After {
    Other,
    /// A name or variable without quotes: a dot directly behind it belongs to it.
    Name,
    /// A dot: what follows directly is a name, even if it begins with digits or like a string.
    NameDot,
}

impl Cut for Scanner<'_> {
    // Names of tables may be others in another case.
    const FOLDS: bool = false;

    fn next_token(&mut self) -> Result<Option<Token>, Unreadable> {
        let before = self.at;
        self.skip_blank()?;
        let start = self.at;
        let after = std::mem::replace(&mut self.after, After::Other);
        let after = if before == start { after } else { After::Other };
        let Some(first) = self.peek(0) else {
            return match self.version_comment {
                None => Ok(None),
                Some(from) => Err(self.error_at(from)),
            };
        };
        let kind = match first {
            b if after == After::NameDot && is_name_part(b) => self.name(),
            b'\'' => self.string(1)?,
            b'"' if self.mode.sql.ansi_quotes => self.quoted_name(b'"')?,
            b'"' => self.string(1)?,
            b'`' => self.quoted_name(b'`')?,
            b'.' => match self.peek(1) {
                Some(b) if after == After::Name && is_name_part(b) => {
                    self.after = After::NameDot;
                    self.take(1, TokenKind::Dot)
                }
                Some(b'0'..=b'9') => self.number()?,
                Some(b'.') => return Err(unsure("two dots in a row", "write one")),
                next => {
                    if next.is_some_and(is_name_part) {
                        self.after = After::NameDot;
                    }
                    self.take(1, TokenKind::Dot)
                }
            },
            b'0'..=b'9' => self.number()?,
            b'@' => self.variable()?,
            b'?' if self.peek(1).is_some_and(is_name_part) => return Err(self.error_at(start)),
            b'?' => self.take(1, TokenKind::Parameter),
            b'\\' => self.null()?,
            b',' => self.take(1, TokenKind::Comma),
            b'{' => self.take(1, TokenKind::OpenBrace),
            b'}' => self.take(1, TokenKind::CloseBrace),
            b'(' => self.take(1, TokenKind::OpenParen),
            b')' => self.take(1, TokenKind::CloseParen),
            b';' if self.version_comment.is_some() => {
                return Err(unsure(
                    "a semicolon in a version comment",
                    "write it behind the comment",
                ));
            }
            b';' => self.take(1, TokenKind::Semicolon),
            b':' if self.peek(1) == Some(b'=') => self.take(2, TokenKind::ColonEquals),
            b':' => self.take(1, TokenKind::Colon),
            b if is_operator(b) => self.operator()?,
            b if is_name_part(b) => self.word()?,
            _ => return Err(self.error_at(start)),
        };
        if kind != TokenKind::String
            && matches!(self.mode.client, ClientSet::OneByte(_))
            && !self.bytes.get(start..self.at).is_some_and(<[u8]>::is_ascii)
        {
            return Err(not_in_this_set());
        }
        if matches!(kind, TokenKind::Word | TokenKind::SystemVariable) {
            self.names_are_certain(start, kind == TokenKind::SystemVariable)?;
            if self.bytes.get(self.at.saturating_sub(1)).copied().is_some_and(is_name_part) {
                self.after = After::Name;
            }
        }
        Ok(Some(Token { kind, start: start as u32, end: self.at as u32 }))
    }
}

impl<'a> Scanner<'a> {
    /// At the beginning of a text.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] where the client's character set may make other characters of it. Here,
    /// because whoever reads a text in any way begins with this.
    pub fn new(text: &'a str, mode: LexMode) -> Result<Self, Unreadable> {
        let certain = match mode.client {
            ClientSet::Utf8 => !mode.ascii_only || text.is_ascii(),
            // `next_token` looks where.
            ClientSet::OneByte(_) => true,
            ClientSet::AsciiOnly => text.is_ascii(),
            ClientSet::Unreadable => false,
        };
        if !certain {
            return Err(not_in_this_set());
        }
        Ok(Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            mode,
            version_comment: None,
            after: After::Other,
        })
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at.saturating_add(ahead)).copied()
    }

    fn take(&mut self, length: usize, kind: TokenKind) -> TokenKind {
        self.at = self.at.saturating_add(length).min(self.bytes.len());
        kind
    }

    fn skip_while(&mut self, keep: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&keep) {
            self.at += 1;
        }
    }

    /// White space, comments, and the borders of version comments.
    fn skip_blank(&mut self) -> Result<(), Unreadable> {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b), _) if is_space(b) => self.at += 1,
                (Some(b'#'), _) => self.skip_line()?,
                (Some(b'-'), Some(b'-')) if self.peek(2).is_none_or(is_space_or_control) => {
                    self.skip_line()?;
                }
                (Some(b'/'), Some(b'*')) => self.skip_comment()?,
                // Elsewhere two operators: `SELECT */**/FROM t`.
                (Some(b'*'), Some(b'/')) if self.version_comment.is_some() => {
                    self.version_comment = None;
                    self.at += 2;
                }
                _ => return Ok(()),
            }
        }
    }

    /// A comment up to the end of its line.
    fn skip_line(&mut self) -> Result<(), Unreadable> {
        if self.version_comment.is_some() {
            return Err(unsure("a comment in a version comment", "leave it out"));
        }
        self.skip_while(|b| b != b'\n');
        Ok(())
    }

    /// A comment, or the beginning of a version comment that the server reads.
    fn skip_comment(&mut self) -> Result<(), Unreadable> {
        let start = self.at;
        if self.version_comment.is_some() {
            return Err(unsure("a comment in a version comment", "leave it out"));
        }
        let rest = self.bytes.get(start..).unwrap_or_default();
        let maria = self.mode.dialect == Dialect::MariaDb && rest.starts_with(b"/*M!");
        let versioned = maria || rest.starts_with(b"/*!");
        if versioned {
            match version(rest, self.mode) {
                Version::Read(bytes) => {
                    self.version_comment = Some(start);
                    self.at += bytes;
                    return Ok(());
                }
                Version::Skipped => {}
                Version::Unsure => {
                    return Err(unsure(
                        "this version comment",
                        "leave it out, or write what is in it",
                    ));
                }
            }
        }
        let inner = self.text.get(start + 2..).unwrap_or_default();
        let Some(length) = inner.find("*/") else { return Err(self.error_at(start)) };
        let inner = inner.get(..length).unwrap_or_default();
        // Of a version comment that is skipped the servers skip comments inside, too.
        if versioned && inner.contains("/*") {
            return Err(unsure("a comment in a version comment", "leave it out"));
        }
        if inner.starts_with('+') {
            hint(inner)?;
        }
        self.at = start + 2 + length + 2;
        Ok(())
    }

    /// A string; `open` bytes of prefix and quote come first.
    fn string(&mut self, open: usize) -> Result<TokenKind, Unreadable> {
        let start = self.at;
        self.at = self.at.saturating_add(open);
        let quote = self.bytes.get(self.at.saturating_sub(1)).copied();
        loop {
            match self.peek(0) {
                None => return Err(self.error_at(start)),
                Some(b'\\') if !self.mode.sql.no_backslash_escapes => self.at += 2,
                byte if byte == quote && self.peek(1) == quote => self.at += 2,
                byte if byte == quote => {
                    self.at += 1;
                    return Ok(TokenKind::String);
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn quoted_name(&mut self, quote: u8) -> Result<TokenKind, Unreadable> {
        let start = self.at;
        self.at += 1;
        loop {
            self.skip_while(|b| b != quote);
            match (self.peek(0), self.peek(1)) {
                (None, _) => return Err(self.error_at(start)),
                (Some(_), Some(b)) if b == quote => self.at += 2,
                (Some(_), _) => {
                    self.at += 1;
                    break;
                }
            }
        }
        if self.at - start == 2 {
            return Err(unsure("a name of no letters", "name it"));
        }
        fits_utf8mb3(self.slice(start, self.at))?;
        Ok(TokenKind::QuotedIdentifier)
    }

    /// What is surely a name, whatever it begins with.
    fn name(&mut self) -> TokenKind {
        self.skip_while(is_name_part);
        TokenKind::Word
    }

    /// Names, keywords, introducers, and strings that begin with a letter.
    fn word(&mut self) -> Result<TokenKind, Unreadable> {
        match (self.peek(0), self.peek(1)) {
            (Some(b'n' | b'N'), Some(b'\'')) => {
                self.string(2)?;
                return Ok(TokenKind::NationalString);
            }
            (Some(b'x' | b'X'), Some(b'\'')) => {
                return self.bits(|b| b.is_ascii_hexdigit(), 2);
            }
            (Some(b'b' | b'B'), Some(b'\'')) => {
                return self.bits(|b| matches!(b, b'0' | b'1'), 1);
            }
            // From 8.0.32 on MySQL warns of such names, and from 9.0 on reads `$$…$$` as a string.
            (Some(b'$'), _) if self.mode.dialect == Dialect::MySql => {
                return Err(unsure("a dollar sign here", "put the name in backticks"));
            }
            _ => {}
        }
        Ok(self.name())
    }

    /// `x'…'`, `b'…'`.
    fn bits(
        &mut self,
        is_digit: impl Fn(u8) -> bool,
        multiple: usize,
    ) -> Result<TokenKind, Unreadable> {
        let start = self.at;
        self.at += 2;
        let first = self.at;
        self.skip_while(is_digit);
        if self.peek(0) != Some(b'\'') || !(self.at - first).is_multiple_of(multiple) {
            return Err(self.error_at(start));
        }
        self.at += 1;
        Ok(TokenKind::BitString)
    }

    /// A number, or a name that begins with a digit.
    fn number(&mut self) -> Result<TokenKind, Unreadable> {
        let start = self.at;
        if self.peek(0) == Some(b'0') && matches!(self.peek(1), Some(b'x' | b'b')) {
            let hexadecimal = self.peek(1) == Some(b'x');
            self.at += 2;
            let first = self.at;
            self.skip_while(|b| {
                if hexadecimal { b.is_ascii_hexdigit() } else { matches!(b, b'0' | b'1') }
            });
            if self.at > first && !self.peek(0).is_some_and(is_name_part) {
                return Ok(TokenKind::BitString);
            }
            return Ok(self.name());
        }
        let is_digit = |b: u8| b.is_ascii_digit();
        self.skip_while(is_digit);
        let whole = self.at > start;
        let mut kind = TokenKind::Integer;
        if self.peek(0) == Some(b'.') {
            self.at += 1;
            self.skip_while(is_digit);
            kind = TokenKind::Float;
        }
        if matches!(self.peek(0), Some(b'e' | b'E')) {
            let signed = usize::from(matches!(self.peek(1), Some(b'+' | b'-')));
            if self.peek(1 + signed).is_some_and(is_digit) {
                self.at += 1 + signed;
                self.skip_while(is_digit);
                kind = TokenKind::Float;
            } else if signed == 1 {
                // A name and an operator, or a number that lacks its end.
                return Err(unsure("a number that ends in E", "write a blank behind it"));
            }
        }
        match self.peek(0) {
            Some(b) if is_name_part(b) => {
                if kind == TokenKind::Integer && whole {
                    // `1st` is a name.
                    return Ok(self.name());
                }
                // `1e5x` is a number and a name, `1e5` behind a dot a name: too easy to misread.
                Err(unsure("a letter directly behind a number", "write a blank between them"))
            }
            // `1.5.6`
            Some(b'.') if kind == TokenKind::Float => Err(self.error_at(start)),
            _ => Ok(kind),
        }
    }

    /// `@name`, `@'…'`, `@@name`.
    fn variable(&mut self) -> Result<TokenKind, Unreadable> {
        let start = self.at;
        self.at += 1;
        match self.peek(0) {
            Some(b'@') => {
                self.at += 1;
                match self.peek(0) {
                    Some(b'`') => {
                        self.quoted_name(b'`')?;
                    }
                    Some(b) if is_name_part(b) => {
                        self.name();
                    }
                    _ => return Err(self.error_at(start)),
                }
                Ok(TokenKind::SystemVariable)
            }
            Some(b'`') => {
                self.quoted_name(b'`')?;
                Ok(TokenKind::UserVariable)
            }
            Some(b'"') if self.mode.sql.ansi_quotes => {
                self.quoted_name(b'"')?;
                Ok(TokenKind::UserVariable)
            }
            Some(b'\'' | b'"') => {
                self.string(1)?;
                Ok(TokenKind::UserVariable)
            }
            _ => {
                let first = self.at;
                self.skip_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$'));
                if self.at == first || self.peek(0).is_some_and(|b| !b.is_ascii()) {
                    return Err(unsure("this variable's name", "put it in backticks"));
                }
                Ok(TokenKind::UserVariable)
            }
        }
    }

    /// `\N`, which MySQL gave up in 8.0.
    fn null(&mut self) -> Result<TokenKind, Unreadable> {
        let maria = self.mode.dialect == Dialect::MariaDb;
        if maria && self.peek(1) == Some(b'N') && !self.peek(2).is_some_and(is_name_part) {
            return Ok(self.take(2, TokenKind::Null));
        }
        Err(self.error_at(self.at))
    }

    fn operator(&mut self) -> Result<TokenKind, Unreadable> {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let arrows = self.mode.dialect == Dialect::MySql;
        const LONG: [&[u8]; 9] = [b"<=>", b"<=", b"<>", b"<<", b">=", b">>", b"!=", b"&&", b"||"];
        let length = if arrows && rest.starts_with(b"->>") {
            3
        } else if arrows && rest.starts_with(b"->") {
            2
        } else {
            LONG.iter().find(|o| rest.starts_with(o)).map_or(1, |o| o.len())
        };
        self.at += length;
        // Fail closed: of `=!` and `!!` MySQL and MariaDB make different things.
        let compares = |b: Option<u8>| matches!(b, Some(b'<' | b'>' | b'=' | b'!'));
        if length == 1 && compares(rest.first().copied()) && compares(self.peek(0))
            || length > 1 && matches!(self.peek(0), Some(b'<' | b'>' | b'='))
            || rest.starts_with(b"<=!")
        {
            return Err(unsure("these operators without a blank", "write a blank between them"));
        }
        Ok(TokenKind::Operator)
    }

    /// Fail closed: what the server reads as a letter other readers take for a space, and what doesn't fit
    /// into the set that names are kept in may be another name there.
    fn names_are_certain(&self, start: usize, quoted: bool) -> Result<(), Unreadable> {
        let name = self.slice(start, self.at);
        if name.is_ascii() {
            return Ok(());
        }
        if !quoted && name.chars().any(is_invisible) {
            return Err(unsure(
                "a character that some take for white space",
                "write an ordinary blank, or put the name in backticks",
            ));
        }
        fits_utf8mb3(name)
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// The server's own wording.
    fn error_at(&self, start: usize) -> Unreadable {
        let near: String = self.slice(start, self.bytes.len()).chars().take(NEAR_CHARS).collect();
        let line = self.bytes.iter().take(start).filter(|b| **b == b'\n').count() + 1;
        let server = match self.mode.dialect {
            Dialect::MariaDb => "MariaDB",
            Dialect::MySql | Dialect::Postgres => "MySQL",
        };
        Unreadable::Syntax {
            message: format!(
                "You have an error in your SQL syntax; check the manual that corresponds to your \
                 {server} server version for the right syntax to use near '{near}' at line {line}"
            ),
            position: Some(character_position(self.text, start)),
        }
    }
}

/// How much of the rest of a text an error message repeats.
const NEAR_CHARS: usize = 80;

fn not_in_this_set() -> Unreadable {
    unsure("in this character set", "SET NAMES utf8mb4, or write ASCII where the set holds it")
}

/// What could be read in two ways, and what to write instead.
fn unsure(what: &str, instead: &str) -> Unreadable {
    Unreadable::Ambiguous { what: format!("{what} can be read in two ways: {instead}") }
}

/// Of hints for the optimizer those that do more than hint, or that may not end where they seem to.
fn hint(inner: &str) -> Result<(), Unreadable> {
    // A quoted name of plain letters hides no end of the comment.
    let mut parts = inner.split('`').enumerate();
    let quotes = parts
        .all(|(i, part)| i.is_multiple_of(2) || !part.is_empty() && part.bytes().all(is_name_part));
    let balanced = inner.matches('`').count().is_multiple_of(2);
    if !quotes || !balanced || inner.contains(['\'', '"', '\\']) || inner.contains("/*") {
        return Err(unsure("quotes in a hint", "write the names without quotes"));
    }
    let lower = inner.to_ascii_lowercase();
    if ["set_var", "resource_group"].iter().any(|name| lower.contains(name)) {
        let what = "hints that set variables (SET_VAR, RESOURCE_GROUP) are not passed on: SET the \
                    variable for the session, if you may";
        return Err(Unreadable::Ambiguous { what: what.to_owned() });
    }
    Ok(())
}

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn is_space_or_control(b: u8) -> bool {
    b <= b' ' || b == 0x7f
}

fn is_operator(b: u8) -> bool {
    matches!(
        b,
        b'~' | b'!' | b'^' | b'&' | b'|' | b'+' | b'-' | b'*' | b'/' | b'%' | b'<' | b'>' | b'='
    )
}

fn is_name_part(b: u8) -> bool {
    matches!(b, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'$' | 0x80..)
}

fn fits_utf8mb3(name: &str) -> Result<(), Unreadable> {
    if name.chars().all(|c| u32::from(c) <= 0xffff) {
        return Ok(());
    }
    Err(unsure("a name with characters beyond U+FFFF", "write it without them"))
}
