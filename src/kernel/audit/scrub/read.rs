//! The same for a text that has been read, in the mode it was read in: what is no constant and no
//! comment stands on record as it ran. Without this, `/* PASSWORD ' */` would hide from the record
//! whatever follows.

use std::{borrow::Cow, ops::Range};

use super::{is_name, is_quote, rendered, scrub, secrets};
use crate::kernel::sql::{
    constants::tokens,
    lex::{Token, TokenKind},
    mode::LexMode,
};

/// The text with secrets replaced by `***`. One that doesn't read after all loses more.
pub fn scrub_read(text: &str, mode: LexMode) -> Cow<'_, str> {
    if secrets(text.as_bytes()).is_empty() {
        return Cow::Borrowed(text);
    }
    let (tokens, unread) = tokens(text, mode);
    if unread.is_some() {
        return scrub(text);
    }
    let mut hidden = after_code(text.as_bytes(), &tokens);
    hidden.extend(inside(text.as_bytes(), &tokens));
    hidden.sort_by_key(|range| (range.start, range.end));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(hidden.len());
    for range in hidden {
        match apart.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    rendered(text, apart)
}

/// What follows a word of the code: constants, and a value without quotes.
fn after_code(text: &[u8], tokens: &[Token]) -> Vec<Range<usize>> {
    let mut code = text.to_vec();
    for gap in gaps(text, tokens) {
        for byte in code.get_mut(gap).into_iter().flatten() {
            *byte = if byte.is_ascii_whitespace() { *byte } else { b' ' };
        }
    }
    for token in tokens {
        let inner = inner(text, token);
        // A name in quotes may be the word itself: `->> 'password' = 'x'`.
        let is_plain = text.get(inner.clone()).is_some_and(|t| t.iter().all(|b| is_name(*b)));
        if let Some(bytes) = code.get_mut(inner).filter(|_| !is_plain) {
            bytes.fill(b'x');
        }
    }
    let mut hidden = Vec::new();
    for range in secrets(&code) {
        let first = tokens.partition_point(|token| token.end as usize <= range.start);
        let within = tokens.iter().skip(first).take_while(|t| (t.start as usize) < range.end);
        for token in within {
            let (start, end) = (token.start as usize, token.end as usize);
            let whole = if is_constant(token) {
                inner(text, token)
            } else if (start..end).contains(&range.start) {
                start..end
            } else {
                continue;
            };
            hidden.push(whole.start.max(range.start)..whole.end.min(range.end));
        }
    }
    hidden.retain(|range| range.start < range.end);
    hidden
}

/// What stands with its word in one constant or comment.
fn inside(text: &[u8], tokens: &[Token]) -> Vec<Range<usize>> {
    let constants = tokens.iter().filter(|token| is_constant(token)).map(|t| inner(text, t));
    let mut hidden = Vec::new();
    // What ends a comment is no part of it.
    let comments = gaps(text, tokens).into_iter().map(|gap| {
        let written = text.get(gap.clone()).unwrap_or_default().trim_ascii_end();
        gap.start..gap.start + written.strip_suffix(b"*/").unwrap_or(written).len()
    });
    for part in constants.chain(comments) {
        let found = secrets(text.get(part.clone()).unwrap_or_default());
        hidden.extend(found.into_iter().map(|r| part.start + r.start..part.start + r.end));
    }
    hidden
}

/// Blanks and comments.
fn gaps(text: &[u8], tokens: &[Token]) -> Vec<Range<usize>> {
    let starts = std::iter::once(0).chain(tokens.iter().map(|token| token.end as usize));
    let ends = tokens.iter().map(|token| token.start as usize).chain([text.len()]);
    starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| start..end).collect()
}

fn is_constant(token: &Token) -> bool {
    token.kind.is_string() || token.kind == TokenKind::BitString
}

/// What is between the quotes of a token; nothing where there are none.
fn inner(text: &[u8], token: &Token) -> Range<usize> {
    let (start, end) = (token.start as usize, token.end as usize);
    let bytes = text.get(start..end).unwrap_or_default();
    let opening = match token.kind {
        TokenKind::DollarString => bytes.iter().skip(1).position(|b| *b == b'$').map(|at| at + 2),
        _ => bytes.iter().position(|b| is_quote(*b)).map(|at| at + 1),
    };
    let Some(opening) = opening else { return end..end };
    let closing = if token.kind == TokenKind::DollarString { opening } else { 1 };
    let from = start + opening;
    from..end.saturating_sub(closing).max(from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::sql::mode::LexMode;

    fn read(text: &str) -> String {
        scrub_read(text, LexMode::POSTGRES).into_owned()
    }

    #[test]
    fn what_is_no_constant_stays() {
        for (text, shown) in [
            (
                "/* PASSWORD ' */ SELECT email FROM customers /* ' */",
                "/* PASSWORD '****/ SELECT email FROM customers /* ' */",
            ),
            (
                "-- PASSWORD '\nSELECT email FROM customers -- '",
                "-- PASSWORD '\nSELECT email FROM customers -- '",
            ),
            (
                "SELECT $x$ PASSWORD '$x$, email FROM customers",
                "SELECT $x$ PASSWORD '$x$, email FROM customers",
            ),
            (
                "SELECT email, 'password=' FROM customers WHERE 'b' = 'b'",
                "SELECT email, 'password=' FROM customers WHERE 'b' = 'b'",
            ),
            (
                "SELECT 1 FROM a WHERE password=1/**/UNION/**/SELECT/**/email/**/FROM/**/customers",
                "SELECT 1 FROM a WHERE password=***/**/UNION/**/SELECT/**/email/**/FROM/**/customers",
            ),
            (
                "SELECT \"PASSWORD '\" FROM t WHERE a = b AND c = 'x'",
                "SELECT \"PASSWORD '\" FROM t WHERE a = b AND c = 'x'",
            ),
            (
                "SELECT x FROM t WHERE password IN ('a', 'b') AND y",
                "SELECT x FROM t WHERE password IN ('***', '***') AND y",
            ),
            ("SELECT p->>'password' = 'x' FROM t", "SELECT p->>'password' = '***' FROM t"),
            ("SET app.password = hunter2", "SET app.password = ***"),
            (
                "/* PASSWORD ' */ ALTER ROLE b PASSWORD 'hunter2'",
                "/* PASSWORD '****/ ALTER ROLE b PASSWORD '***'",
            ),
        ] {
            assert_eq!(read(text), shown);
        }
        let text = "/* IDENTIFIED BY ' */ SELECT \"PASSWORD '\", email FROM customers";
        assert_eq!(
            scrub_read(text, LexMode::MYSQL),
            "/* IDENTIFIED BY '****/ SELECT \"PASSWORD '\", email FROM customers"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_taken(words in "(password|=|'|\"| |\\$|x|\\\\|:|/\\*|\\*/|--|\n|@|é|identified|by|for|\\(|,){0,40}") {
            let _ = read(&words);
        }
    }
}
