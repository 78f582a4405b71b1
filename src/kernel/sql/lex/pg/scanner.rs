//! One token after another, exactly as the server's `scan.l` cuts them.
//!
//! Spec: <https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/parser/scan.l>. The
//! rules of releases 15 to 18 differ only in what they refuse: `0x1F` and `1_000` are errors before
//! 16, a vertical tab is no white space before 16.

use crate::kernel::sql::{
    analysis::Unreadable,
    lex::{Cut, Token, TokenKind, character_position, is_invisible},
    mode::{LexMode, NamesIn},
};

/// Cuts a text into tokens. Linear: no byte is looked at more than a fixed number of times.
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    backslashes: bool,
    names: NamesIn,
    comment_nesting: usize,
}

/// What a string ends with and what may stand in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoted {
    /// `'…'` with a backslash as ordinary character, `U&'…'`.
    Plain,
    /// `E'…'`, and `'…'` where backslashes escape.
    Escapes,
    /// `B'…'`, `X'…'`: two quotes end one and begin another.
    Bits,
}

impl Cut for Scanner<'_> {
    const FOLDS: bool = true;

    #[inline]
    fn next_token(&mut self) -> Result<Option<Token>, Unreadable> {
        self.skip_blank()?;
        let start = self.at;
        let Some(first) = self.peek(0) else { return Ok(None) };
        let kind = match first {
            b'\'' => {
                let how = if self.backslashes { Quoted::Escapes } else { Quoted::Plain };
                self.quoted(1, how, "unterminated quoted string")?;
                TokenKind::String
            }
            b'"' => self.quoted_identifier()?,
            b'$' => self.dollar()?,
            b'0'..=b'9' => self.number()?,
            b'.' => match self.peek(1) {
                Some(b'0'..=b'9') => self.number()?,
                Some(b'.') => self.take(2, TokenKind::DotDot),
                _ => self.take(1, TokenKind::Dot),
            },
            b',' => self.take(1, TokenKind::Comma),
            b'(' => self.take(1, TokenKind::OpenParen),
            b')' => self.take(1, TokenKind::CloseParen),
            b'[' => self.take(1, TokenKind::OpenBracket),
            b']' => self.take(1, TokenKind::CloseBracket),
            b';' => self.take(1, TokenKind::Semicolon),
            b':' => match self.peek(1) {
                Some(b':') => self.take(2, TokenKind::Cast),
                Some(b'=') => self.take(2, TokenKind::ColonEquals),
                _ => self.take(1, TokenKind::Colon),
            },
            b if is_operator(b) => self.operator()?,
            b if is_identifier_start(b) => self.word_or_prefixed()?,
            _ => return Err(self.syntax_at(start, self.at.saturating_add(1), "syntax error")),
        };
        Ok(Some(Token { kind, start: start as u32, end: self.at as u32 }))
    }
}

impl<'a> Scanner<'a> {
    /// At the beginning of a text. `comment_nesting`: how deep comments may be nested.
    ///
    /// # Errors
    /// [`Unreadable::Ambiguous`] where only ASCII text is read, and it isn't. Here, because whoever reads a
    /// text in any way begins with this: a text that is known under its key isn't looked at again.
    pub fn new(text: &'a str, mode: LexMode, comment_nesting: usize) -> Result<Self, Unreadable> {
        if mode.ascii_only && !text.is_ascii() {
            let what =
                "in this client_encoding only ASCII text is read: SET client_encoding = 'UTF8'";
            return Err(Unreadable::Ambiguous { what: what.to_owned() });
        }
        Ok(Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            backslashes: !mode.standard_conforming_strings,
            names: mode.names,
            comment_nesting,
        })
    }

    /// Goes to a place behind a token. False if what stands there could be a part of that.
    pub fn go_behind(&mut self, at: usize) -> bool {
        self.at = at.min(self.bytes.len());
        let before = self.at.checked_sub(1).and_then(|before| self.bytes.get(before));
        before.is_none_or(|b| !is_identifier_part(*b) && *b != b'.')
    }

    #[inline]
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

    /// White space and comments.
    fn skip_blank(&mut self) -> Result<(), Unreadable> {
        loop {
            match self.peek(0) {
                Some(b) if is_space(b) => self.at += 1,
                Some(b'-') if self.peek(1) == Some(b'-') => self.skip_while(|b| !is_newline(b)),
                Some(b'/') if self.peek(1) == Some(b'*') => self.skip_comment()?,
                _ => return Ok(()),
            }
        }
    }

    /// A comment that may hold others.
    fn skip_comment(&mut self) -> Result<(), Unreadable> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b'/'), Some(b'*')) => {
                    depth += 1;
                    if depth > self.comment_nesting {
                        return Err(Unreadable::TooLarge {
                            what: format!(
                                "comments are nested more than {} deep",
                                self.comment_nesting
                            ),
                        });
                    }
                    self.at += 2;
                }
                (Some(b'*'), Some(b'/')) => {
                    depth = depth.saturating_sub(1);
                    self.at += 2;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                (Some(_), _) => self.at += 1,
                (None, _) => {
                    return Err(self.syntax_at(start, self.bytes.len(), "unterminated /* comment"));
                }
            }
        }
    }

    /// A string in single quotes; `open` bytes of prefix and quote come first. Strings that only
    /// white space with a line end and `--` comments separate are one.
    fn quoted(&mut self, open: usize, how: Quoted, message: &str) -> Result<(), Unreadable> {
        let start = self.at;
        self.at = self.at.saturating_add(open);
        loop {
            match self.peek(0) {
                None => return Err(self.syntax_at(start, self.bytes.len(), message)),
                Some(b'\\') if how == Quoted::Escapes => self.at += 2,
                Some(b'\'') if how != Quoted::Bits && self.peek(1) == Some(b'\'') => self.at += 2,
                Some(b'\'') => {
                    self.at += 1;
                    match self.continuation() {
                        Some(resume) => self.at = resume,
                        None => return Ok(()),
                    }
                }
                Some(_) => self.at += 1,
            }
        }
    }

    /// After a closing quote: where the string goes on, if it does.
    ///
    /// Spec: `quotecontinue` is `{whitespace_with_newline}{quote}`.
    fn continuation(&self) -> Option<usize> {
        let mut at = self.at;
        let byte = |at: usize| self.bytes.get(at).copied();
        let comment_end = |mut at: usize| {
            while byte(at).is_some_and(|b| !is_newline(b)) {
                at += 1;
            }
            at
        };
        // Blanks and comments up to the first line end.
        loop {
            match byte(at)? {
                b' ' | b'\t' | 0x0b | 0x0c => at += 1,
                b'-' if byte(at + 1) == Some(b'-') => at = comment_end(at),
                b'\n' | b'\r' => break,
                _ => return None,
            }
        }
        // Then any white space, and comments that a line end closes.
        loop {
            match byte(at)? {
                b'\'' => return Some(at + 1),
                b if is_space(b) => at += 1,
                b'-' if byte(at + 1) == Some(b'-') => at = comment_end(at),
                _ => return None,
            }
        }
    }

    fn quoted_identifier(&mut self) -> Result<TokenKind, Unreadable> {
        let start = self.at;
        self.at += 1;
        loop {
            self.skip_while(|b| b != b'"');
            match (self.peek(0), self.peek(1)) {
                (None, _) => {
                    return Err(self.syntax_at(
                        start,
                        self.bytes.len(),
                        "unterminated quoted identifier",
                    ));
                }
                (Some(_), Some(b'"')) => self.at += 2,
                (Some(_), _) => {
                    self.at += 1;
                    break;
                }
            }
        }
        if self.at - start == 2 {
            return Err(self.syntax_at(start, self.at, "zero-length delimited identifier"));
        }
        // Doubled quotes and all: longer than the name is.
        let name = self.slice(start.saturating_add(1), self.at.saturating_sub(1));
        self.is_one_name(name, true)?;
        Ok(TokenKind::QuotedIdentifier)
    }

    /// `$1`, `$$…$$`, `$tag$…$tag$`.
    fn dollar(&mut self) -> Result<TokenKind, Unreadable> {
        let start = self.at;
        self.at += 1;
        if self.peek(0).is_some_and(|b| b.is_ascii_digit()) {
            self.skip_while(|b| b.is_ascii_digit());
            if self.peek(0).is_some_and(is_identifier_start) {
                let end = self.at.saturating_add(1);
                return Err(self.syntax_at(start, end, "trailing junk after parameter"));
            }
            // Fail closed: servers before 18 take a larger number modulo 2^32, so that `$4294967297`
            // is `$1`. No client can bind more than 65535.
            return match self.slice(start + 1, self.at).parse::<u16>() {
                Ok(_) => Ok(TokenKind::Parameter),
                Err(_) => Err(self.syntax_at(start, self.at, "parameter number too large")),
            };
        }
        if self.peek(0).is_some_and(is_identifier_start) {
            self.skip_while(|b| is_identifier_start(b) || b.is_ascii_digit());
        }
        if self.peek(0) != Some(b'$') {
            return Err(self.syntax_at(start, start + 1, "syntax error"));
        }
        self.at += 1;
        let delimiter = self.slice(start, self.at);
        match self.slice(self.at, self.bytes.len()).find(delimiter) {
            Some(offset) => {
                self.at = self.at.saturating_add(offset).saturating_add(delimiter.len());
                Ok(TokenKind::DollarString)
            }
            None => {
                Err(self.syntax_at(start, self.bytes.len(), "unterminated dollar-quoted string"))
            }
        }
    }

    /// A number that begins with a digit, or with a dot and a digit.
    fn number(&mut self) -> Result<TokenKind, Unreadable> {
        let start = self.at;
        type IsDigit = fn(u8) -> bool;
        let radix: Option<(IsDigit, &str)> = match (self.peek(0), self.peek(1)) {
            (Some(b'0'), Some(b'x' | b'X')) => {
                Some((|b| b.is_ascii_hexdigit(), "invalid hexadecimal integer"))
            }
            (Some(b'0'), Some(b'o' | b'O')) => {
                Some((|b| matches!(b, b'0'..=b'7'), "invalid octal integer"))
            }
            (Some(b'0'), Some(b'b' | b'B')) => {
                Some((|b| matches!(b, b'0' | b'1'), "invalid binary integer"))
            }
            _ => None,
        };
        let mut kind = TokenKind::Integer;
        if let Some((is_digit, message)) = radix {
            self.at += 2;
            if !self.digits(is_digit, true) {
                let end = self.at;
                return Err(self.syntax_at(start, end, message));
            }
        } else {
            let is_digit = |b: u8| b.is_ascii_digit();
            let whole = self.digits(is_digit, false);
            // `1..2` is 1, dot dot, 2.
            if self.peek(0) == Some(b'.') && !(whole && self.peek(1) == Some(b'.')) {
                self.at += 1;
                self.digits(is_digit, false);
                kind = TokenKind::Float;
            }
            if matches!(self.peek(0), Some(b'e' | b'E')) {
                let signed = usize::from(matches!(self.peek(1), Some(b'+' | b'-')));
                if self.peek(1 + signed).is_some_and(is_digit) {
                    self.at += 1 + signed;
                    self.digits(is_digit, false);
                    kind = TokenKind::Float;
                } else if signed == 1 {
                    let end = self.at + 2;
                    return Err(self.syntax_at(start, end, "trailing junk after numeric literal"));
                }
            }
        }
        // `0x1$1` and `1e5$1` are digits and the identifier `x1$1` or `e5$1`, which is longer.
        let tail = self.slice(start, self.at).rsplit(['.', '+', '-']).next().unwrap_or_default();
        let dollar = self.peek(0) == Some(b'$') && tail.bytes().any(is_identifier_start);
        if dollar || self.peek(0).is_some_and(is_identifier_start) {
            self.skip_while(is_identifier_part);
            return Err(self.syntax_at(start, self.at, "trailing junk after numeric literal"));
        }
        Ok(kind)
    }

    /// Digits with single underscores between them, and before them if `leading`. False if none.
    fn digits(&mut self, is_digit: impl Fn(u8) -> bool, leading: bool) -> bool {
        let mut any = false;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b), _) if is_digit(b) => self.at += 1,
                (Some(b'_'), Some(b)) if (any || leading) && is_digit(b) => self.at += 2,
                _ => return any,
            }
            any = true;
        }
    }

    fn operator(&mut self) -> Result<TokenKind, Unreadable> {
        let start = self.at;
        // `--` or `/*` inside ends the operator before it. The first byte is not the start of one:
        // comments were skipped.
        let mut end = start;
        while let Some(b) = self.bytes.get(end).copied().filter(|b| is_operator(*b)) {
            let next = self.bytes.get(end + 1).copied();
            if end > start && matches!((b, next), (b'-', Some(b'-')) | (b'/', Some(b'*'))) {
                break;
            }
            end += 1;
            if end - start > OPERATOR_BYTES {
                // Fail closed: `+-+-…` is cut off one by one, each time reading to the end of the
                // run: quadratic, in the server too.
                return Err(Unreadable::TooLarge {
                    what: format!("more than {OPERATOR_BYTES} operator characters in a row"),
                });
            }
        }
        // An operator that ends in + or - must hold one of these before its last character.
        let body = self.bytes.get(start..end.saturating_sub(1)).unwrap_or_default();
        let keeps_sign = body.iter().any(|b| b"~!@#%^&|`?".contains(b));
        if !keeps_sign {
            while end - start > 1 && matches!(self.bytes.get(end - 1), Some(b'+' | b'-')) {
                end -= 1;
            }
        }
        self.at = end;
        if end - start >= 64 {
            return Err(self.syntax_at(start, end, "operator too long"));
        }
        Ok(TokenKind::Operator)
    }

    fn word_or_prefixed(&mut self) -> Result<TokenKind, Unreadable> {
        if matches!(self.peek(1), Some(b'\'' | b'&'))
            && let Some(kind) = self.prefixed()?
        {
            return Ok(kind);
        }
        self.word()
    }

    /// A constant with a letter in front of its quotes; `None` if it is none.
    fn prefixed(&mut self) -> Result<Option<TokenKind>, Unreadable> {
        let start = self.at;
        Ok(Some(match (self.peek(0), self.peek(1), self.peek(2)) {
            (Some(b'b' | b'B'), Some(b'\''), _) => {
                self.quoted(2, Quoted::Bits, "unterminated bit string literal")?;
                TokenKind::BitString
            }
            (Some(b'x' | b'X'), Some(b'\''), _) => {
                self.quoted(2, Quoted::Bits, "unterminated hexadecimal string literal")?;
                TokenKind::BitString
            }
            (Some(b'e' | b'E'), Some(b'\''), _) => {
                self.quoted(2, Quoted::Escapes, "unterminated quoted string")?;
                TokenKind::EscapeString
            }
            (Some(b'n' | b'N'), Some(b'\''), _) => {
                let how = if self.backslashes { Quoted::Escapes } else { Quoted::Plain };
                self.quoted(2, how, "unterminated quoted string")?;
                TokenKind::NationalString
            }
            (Some(b'u' | b'U'), Some(b'&'), Some(b'\'')) => {
                if self.backslashes {
                    return Err(self.syntax_at(
                        start,
                        start + 3,
                        "unsafe use of string constant with Unicode escapes",
                    ));
                }
                self.quoted(3, Quoted::Plain, "unterminated quoted string")?;
                TokenKind::UnicodeString
            }
            (Some(b'u' | b'U'), Some(b'&'), Some(b'"')) => {
                // Fail closed: other readers see `U & "…"`, two columns and an operator.
                return Err(Unreadable::Ambiguous {
                    what: "identifiers with Unicode escapes (U&\"…\") can be read in two ways: \
                           write the characters themselves"
                        .to_owned(),
                });
            }
            _ => return Ok(None),
        }))
    }

    #[inline]
    fn word(&mut self) -> Result<TokenKind, Unreadable> {
        let start = self.at;
        let mut seen = 0;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let mut is_part = |byte: &u8| {
            let classes = classes_of(*byte);
            seen |= classes;
            classes & PART > 0
        };
        self.at = start.saturating_add(rest.iter().position(|b| !is_part(b)).unwrap_or(rest.len()));
        if seen & BEYOND_ASCII > 0 {
            self.is_read_alike(start)?;
        }
        Ok(TokenKind::Word)
    }

    /// Refuses a word from `start` on that others may read otherwise.
    #[cold]
    fn is_read_alike(&self, start: usize) -> Result<(), Unreadable> {
        // Fail closed: the server reads such a character as a letter, other readers as a space.
        let hidden = self.slice(start, self.at).chars().find(|c| is_invisible(*c));
        if let Some(c) = hidden {
            return Err(Unreadable::Ambiguous {
                what: format!(
                    "U+{:04X} outside quotes can be read as a letter or as white space: write \
                         an ordinary space, or quote the name",
                    u32::from(c)
                ),
            });
        }
        self.is_one_name(self.slice(start, self.at), false)
    }

    /// Fail closed: what the server folds, cuts or converts otherwise than one that keeps names in UTF-8 is
    /// another name there.
    fn is_one_name(&self, name: &str, quoted: bool) -> Result<(), Unreadable> {
        if !self.names.may_differ(name, quoted) {
            return Ok(());
        }
        let how = match self.names {
            NamesIn::OneByte if !quoted => "shorten it, or put it in quotes",
            NamesIn::Bytes if !quoted => "put it in quotes",
            NamesIn::Utf8 | NamesIn::OneByte | NamesIn::Bytes => "shorten it",
            NamesIn::Other => "only names in ASCII are read there",
        };
        let what = "a name beyond ASCII may be another one in the database's own encoding";
        Err(Unreadable::Ambiguous { what: format!("{what}: {how}") })
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// The server's own wording: the message, and the text from `start` to `end`.
    fn syntax_at(&self, start: usize, end: usize, message: &str) -> Unreadable {
        let mut end = end.min(self.bytes.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        let near: String = self.slice(start, end).chars().take(NEAR_CHARS).collect();
        Unreadable::Syntax {
            message: format!("{message} at or near \"{near}\""),
            position: Some(character_position(self.text, start)),
        }
    }
}

/// Operator characters without anything between them.
const OPERATOR_BYTES: usize = 256;

/// How much of the rest of a text an error message repeats.
const NEAR_CHARS: usize = 200;

/// What a byte may be, as bits. PERFORMANCE: one look at a table, in place of many comparisons a byte.
const CLASSES: [u8; 256] = {
    let mut classes = [0_u8; 256];
    let mut byte = 0_usize;
    while byte < 256 {
        let b = byte as u8;
        let part = if is_identifier_part(b) { PART } else { 0 };
        let beyond = if b.is_ascii() { 0 } else { BEYOND_ASCII };
        let space = if matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) { SPACE } else { 0 };
        #[expect(clippy::indexing_slicing, reason = "checked when this is compiled")]
        {
            classes[byte] = part | beyond | space;
        }
        byte += 1;
    }
    classes
};
/// In a word, but for its first byte.
const PART: u8 = 1;
/// Part of a character of several bytes.
const BEYOND_ASCII: u8 = 2;
/// White space.
const SPACE: u8 = 4;

fn classes_of(b: u8) -> u8 {
    CLASSES.get(usize::from(b)).copied().unwrap_or(0)
}

fn is_space(b: u8) -> bool {
    classes_of(b) & SPACE > 0
}

fn is_newline(b: u8) -> bool {
    matches!(b, b'\n' | b'\r')
}

fn is_operator(b: u8) -> bool {
    matches!(
        b,
        b'~' | b'!'
            | b'@'
            | b'#'
            | b'^'
            | b'&'
            | b'|'
            | b'`'
            | b'?'
            | b'+'
            | b'-'
            | b'*'
            | b'/'
            | b'%'
            | b'<'
            | b'>'
            | b'='
    )
}

fn is_identifier_start(b: u8) -> bool {
    matches!(b, b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80..)
}

const fn is_identifier_part(b: u8) -> bool {
    matches!(b, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'$' | 0x80..)
}
