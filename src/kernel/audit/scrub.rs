//! Hides secrets that SQL carries in the open, before a text gets on record.
//!
//! One pass, no parser: the text may be in any dialect, in any lexer mode, half of a statement, or
//! SQL inside a string inside SQL. The rule is conservative: the value that follows the word
//! PASSWORD (or IDENTIFIED BY, PASSWD, PASSPHRASE) is hidden wherever it stands, in code, in strings
//! and in dollar quotes; so are `password=…` in connection strings and `user:secret@` in URIs. Where
//! it is unclear where a literal ends, more is hidden rather than less. A condition like
//! `password = 'x'` loses its literal too; that is the price.

mod read;

use std::{borrow::Cow, ops::Range};

pub use read::scrub_read;

/// The text with secrets replaced by `***`.
pub fn scrub(text: &str) -> Cow<'_, str> {
    rendered(text, secrets(text.as_bytes()))
}

/// Where secrets stand, in order and apart from each other.
fn secrets(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut hidden = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let found = match byte | 0x20 {
            b'p' | b'i' => word_at(bytes, at).and_then(|word| secret_after(bytes, at, word)),
            b':' => uri_secret(bytes, at),
            _ => None,
        };
        at = match found {
            Some(range) if range.start < range.end => {
                let end = range.end;
                hidden.push(range);
                end
            }
            Some(_) | None => at + 1,
        };
    }
    hidden
}

fn rendered(text: &str, hidden: Vec<Range<usize>>) -> Cow<'_, str> {
    if hidden.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for range in hidden {
        // Ranges begin and end beside ASCII bytes, so that the slices exist; if one did not, the
        // rest of the text would be dropped, not shown.
        out.push_str(text.get(from..range.start).unwrap_or_default());
        out.push_str("***");
        from = range.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(out)
}

/// Which word gives a secret away.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Word {
    length: usize,
    /// IDENTIFIED: a plugin's name and the old password may stand beside the new one.
    identified: bool,
}

fn word_at(bytes: &[u8], at: usize) -> Option<Word> {
    const WORDS: [(&[u8], bool); 4] =
        [(b"password", false), (b"passwd", false), (b"passphrase", false), (b"identified", true)];
    let rest = bytes.get(at..)?;
    let (word, identified) = WORDS.into_iter().find(|(word, _)| {
        rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            && !rest.get(word.len()).is_some_and(|b| is_name(*b))
    })?;
    Some(Word { length: word.len(), identified })
}

/// The bytes of the secret that belongs to the word at `word_at`.
fn secret_after(bytes: &[u8], word_at: usize, word: Word) -> Option<Range<usize>> {
    let mut at = word_at + word.length;
    // A quote that was opened just before the word is closed just after it: `"password": …`.
    let before = word_at.checked_sub(1).and_then(|i| bytes.get(i));
    if before.is_some_and(|b| is_quote(*b)) && bytes.get(at) == before {
        at += 1;
    }
    let limit = at.saturating_add(SKIPPED_BYTES_MAX);
    let (mut assigned, mut typed) = (false, false);
    while at < limit {
        let byte = *bytes.get(at)?;
        if is_quote(byte) {
            return Some(literals(bytes, at, word));
        }
        if byte == b'$' {
            return dollar_quoted(bytes, at);
        }
        if let Some(next) = skip_space(bytes, at) {
            at = next;
        } else if matches!(
            byte,
            b'=' | b':' | b'(' | b')' | b']' | b'>' | b'<' | b'!' | b'~' | b'\\'
        ) {
            assigned |= byte == b'=';
            typed = byte == b':';
            at += 1;
        } else if is_name(byte) {
            let end = name_end(bytes, at);
            let name = bytes.get(at..end)?;
            let is = |word: &str| name.eq_ignore_ascii_case(word.as_bytes());
            let quote_follows = bytes.get(end).is_some_and(|b| is_quote(*b) || *b == b'&');
            let prefixes = ["e", "n", "b", "x", "u"].into_iter().any(is) && quote_follows;
            let calls = bytes.get(end) == Some(&b'(');
            if is("for") && !assigned {
                // SET PASSWORD FOR 'user'@'host' = 'secret'
                let rest = bytes.get(end..limit.min(bytes.len()))?;
                at = end + rest.iter().position(|b| *b == b'=')?;
            } else if SKIPPED_WORDS.into_iter().any(is) || typed || word.identified {
                at = end;
            } else if prefixes || calls {
                // `password = crypt('secret', …)`: the secret is inside. `password=e'…`, too.
                at = end + 1;
                let opens = (at..limit).find(|i| skip_space(bytes, *i).is_none());
                if !prefixes && !opens.and_then(|i| bytes.get(i)).is_some_and(|b| is_quote(*b)) {
                    return assigned.then(|| end - name.len()..bare_end(bytes, end));
                }
                at = at.max(end);
                if prefixes {
                    at = end;
                }
            } else {
                return assigned.then(|| at..bare_end(bytes, at));
            }
        } else if byte == b'&' && bytes.get(at + 1).is_some_and(|b| is_quote(*b)) {
            at += 1;
        } else if assigned && !matches!(byte, b'?' | b',' | b';') {
            return Some(at..bare_end(bytes, at));
        } else {
            return None;
        }
    }
    None
}

/// The contents of the literal that opens at `at`, and of those joined to it.
fn literals(bytes: &[u8], at: usize, word: Word) -> Range<usize> {
    let (start, mut end) = literal(bytes, at);
    loop {
        // Past the closing quotes.
        let mut next = end;
        while bytes.get(next).is_some_and(|b| is_quote(*b)) {
            next += 1;
        }
        // 'a' 'b' is one literal if a line ends between; 'a' || 'b' is one value.
        let limit = next.saturating_add(SKIPPED_BYTES_MAX);
        while next < limit {
            if let Some(after) = skip_space(bytes, next) {
                next = after;
            } else if matches!(bytes.get(next), Some(b'|' | b',')) {
                next += 1;
            } else if word.identified && bytes.get(next).is_some_and(|b| is_name(*b)) {
                let name_end = name_end(bytes, next);
                let name = bytes.get(next..name_end).unwrap_or_default();
                if !JOINING_WORDS.iter().any(|w| name.eq_ignore_ascii_case(w.as_bytes())) {
                    break;
                }
                next = name_end;
            } else {
                break;
            }
        }
        match bytes.get(next) {
            Some(byte) if is_quote(*byte) => end = literal(bytes, next).1.max(next + 1),
            _ => return start..end.min(bytes.len()),
        }
    }
}

/// Where the content of the literal opening at `at` begins and ends.
///
/// Inside another string every quote is doubled, inside that one again: `''secret''`. The run of
/// quotes at the opening says how often.
fn literal(bytes: &[u8], at: usize) -> (usize, usize) {
    let quote = bytes.get(at).copied().unwrap_or(b'\'');
    let opening = run(bytes, at, quote);
    let unit = 1 << opening.trailing_zeros();
    let start = at + unit;
    let end =
        closing(bytes, start, quote, unit, false).max(closing(bytes, start, quote, unit, true));
    (start, end)
}

/// The first byte of the quotes that close a literal; the end of the text if none do. A backslash
/// may or may not escape, by the session's mode: the caller asks for both and takes the later.
fn closing(bytes: &[u8], from: usize, quote: u8, unit: usize, escapes: bool) -> usize {
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'\\' && escapes {
            at += 2;
        } else if byte == quote {
            let length = run(bytes, at, quote);
            let units = length / unit;
            if units % 2 == 1 {
                return at + (units - 1) * unit;
            }
            at += length;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// The content between `$tag$` and `$tag$`.
fn dollar_quoted(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let tag_end = name_end(bytes, at + 1);
    if bytes.get(tag_end) != Some(&b'$') {
        return None;
    }
    let tag = bytes.get(at..=tag_end)?;
    let start = tag_end + 1;
    let length = bytes.get(start..)?.windows(tag.len()).position(|window| window == tag);
    Some(start..length.map_or(bytes.len(), |length| start + length))
}

/// `scheme://user:secret@host`.
fn uri_secret(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = bytes.get(at..)?.strip_prefix(b"://")?;
    let ends = |b: &u8| b.is_ascii_whitespace() || is_quote(*b) || matches!(b, b'/' | b'?');
    let rest = rest.get(..SKIPPED_BYTES_MAX).unwrap_or(rest);
    let authority = rest.get(..rest.iter().position(ends).unwrap_or(rest.len()))?;
    let host = authority.iter().rposition(|b| *b == b'@')?;
    let colon = authority.get(..host)?.iter().position(|b| *b == b':')?;
    Some(at + 3 + colon + 1..at + 3 + host)
}

/// The end of a value without quotes: the next blank or quote that no backslash precedes.
fn bare_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            _ if byte.is_ascii_whitespace() || is_quote(byte) => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Past one blank or one comment, if one is here.
fn skip_space(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let rest = rest.get(..SKIPPED_BYTES_MAX).unwrap_or(rest);
    if rest.first()?.is_ascii_whitespace() {
        Some(at + 1)
    } else if rest.starts_with(b"--") {
        let length = rest.iter().position(|b| matches!(b, b'\n' | b'\r'));
        Some(at + length.unwrap_or(rest.len()))
    } else if rest.starts_with(b"/*") {
        let length = rest.windows(2).position(|w| w == b"*/");
        Some(at + length.map_or(rest.len(), |length| length + 2))
    } else {
        None
    }
}

fn run(bytes: &[u8], at: usize, byte: u8) -> usize {
    bytes.get(at..).unwrap_or_default().iter().take_while(|b| **b == byte).count()
}

fn name_end(bytes: &[u8], at: usize) -> usize {
    at + bytes.get(at..).unwrap_or_default().iter().take_while(|b| is_name(**b)).count()
}

fn is_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'\'' | b'"' | b'`')
}

/// Words that may stand between the word and its secret.
const SKIPPED_WORDS: [&str; 14] = [
    "by",
    "as",
    "with",
    "to",
    "is",
    "using",
    "via",
    "in",
    "like",
    "ilike",
    "any",
    "not",
    "password",
    "encrypted",
];
/// Words that may stand between two secrets of IDENTIFIED.
const JOINING_WORDS: [&str; 8] = ["by", "as", "using", "replace", "and", "or", "via", "password"];
/// How far the secret may be from its word. A bound on the work, so that a text full of such words
/// can't make it quadratic.
const SKIPPED_BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::sql::mode::LexMode;

    #[test]
    fn secrets_of_role_statements_are_hidden() {
        for (text, shown) in [
            ("ALTER ROLE bob PASSWORD 'hunter2'", "ALTER ROLE bob PASSWORD '***'"),
            ("alter user bob password'hunter2'", "alter user bob password'***'"),
            (
                "CREATE ROLE bob LOGIN ENCRYPTED PASSWORD 'hunter2' VALID UNTIL '2027-01-01'",
                "CREATE ROLE bob LOGIN ENCRYPTED PASSWORD '***' VALID UNTIL '2027-01-01'",
            ),
            ("ALTER USER bob PASSWORD E'hun\\'ter2'", "ALTER USER bob PASSWORD E'***'"),
            ("ALTER USER bob PASSWORD U&'hunter2'", "ALTER USER bob PASSWORD U&'***'"),
            ("ALTER USER bob PASSWORD $x$hunter2$x$", "ALTER USER bob PASSWORD $x$***$x$"),
            ("ALTER USER bob PASSWORD $$hunter2$$", "ALTER USER bob PASSWORD $$***$$"),
            (
                "ALTER USER bob PASSWORD -- it's\n /* 'here' */ 'hunter2'",
                "ALTER USER bob PASSWORD -- it's\n /* 'here' */ '***'",
            ),
            (
                "CREATE USER 'bob'@'%' IDENTIFIED BY 'hunter2'",
                "CREATE USER 'bob'@'%' IDENTIFIED BY '***'",
            ),
            ("SET PASSWORD FOR 'bob'@'%' = 'hunter2'", "SET PASSWORD FOR 'bob'@'%' = '***'"),
            ("SET PASSWORD = PASSWORD('hunter2')", "SET PASSWORD = PASSWORD('***')"),
            (
                "CHANGE MASTER TO MASTER_PASSWORD=\"hunter2\"",
                "CHANGE MASTER TO MASTER_PASSWORD=\"***\"",
            ),
            (
                "CREATE USER MAPPING FOR x SERVER y OPTIONS (user 'bob', password 'hunter2')",
                "CREATE USER MAPPING FOR x SERVER y OPTIONS (user 'bob', password '***')",
            ),
            (
                "CREATE SUBSCRIPTION s CONNECTION 'host=h password=hunter2 user=bob' PUBLICATION p",
                "CREATE SUBSCRIPTION s CONNECTION 'host=h password=*** user=bob' PUBLICATION p",
            ),
            (
                "SELECT dblink_connect('postgres://bob:hunter2@h/db')",
                "SELECT dblink_connect('postgres://bob:***@h/db')",
            ),
            (
                "SELECT '{\"password\": \"hunter2\"}'::json",
                "SELECT '{\"password\": \"***\"}'::json",
            ),
        ] {
            assert_eq!(scrub(text), shown);
            assert_eq!(scrub_read(text, LexMode::POSTGRES), shown);
        }
    }

    #[test]
    fn no_way_of_writing_a_secret_shows_it() {
        for text in [
            "ALTER USER bob PASSWORD 'x\\''hunter2'",
            "ALTER USER bob PASSWORD E'x\\'hunter2'",
            "ALTER USER bob PASSWORD 'x''hunter2'",
            "ALTER USER bob PASSWORD '''hunter2'''",
            "ALTER USER bob PASSWORD 'x'\n'hunter2'",
            "ALTER USER bob PASSWORD 'x' -- y\n 'hunter2'",
            "ALTER USER bob PASSWORD 'hunter2",
            "ALTER USER bob PASSWORD /* don't */ 'hunter2'",
            "DO $$BEGIN EXECUTE 'ALTER USER bob PASSWORD ''hunter2'''; END$$",
            "DO $$BEGIN EXECUTE 'ALTER USER bob PASSWORD ''x''''hunter2'''; END$$",
            "DO 'BEGIN EXECUTE ''ALTER USER bob PASSWORD ''''hunter2'''''';END'",
            "DO 'BEGIN EXECUTE ''ALTER USER bob PASSWORD '' || quote_literal(''x'');END'; ALTER USER b PASSWORD 'hunter2'",
            "CREATE USER b IDENTIFIED WITH 'mysql_native_password' BY 'hunter2'",
            "CREATE USER b IDENTIFIED WITH mysql_native_password AS 'hunter2'",
            "ALTER USER b IDENTIFIED BY 'x' REPLACE 'hunter2'",
            "CREATE USER b IDENTIFIED VIA ed25519 USING PASSWORD('hunter2')",
            "SELECT dblink('password = hunter2', 'SELECT 1')",
            "SELECT dblink('password=''x hunter2''', 'SELECT 1')",
            "SELECT dblink('password=x\\ hunter2', 'SELECT 1')",
            "SELECT dblink(E'password=\\'x hunter2\\' host=h', 'SELECT 1')",
            "SELECT dblink('host=h sslpassword=hunter2', 'x')",
            "SELECT dblink('postgres://h/db?password=hunter2&user=x', 'x')",
            "SELECT dblink('postgres://u:x@hunter2@h/db', 'x')",
            "SELECT * FROM users WHERE password = crypt('hunter2', salt)",
            "SELECT * FROM users WHERE password IN ('x', 'hunter2')",
            "UPDATE users SET \"password\" = 'hunter2'",
            "UPDATE users SET password = x'hunter2'",
            "SELECT dblink('password=e(hunter2 host=h')",
            "SELECT dblink('password=(hunter2 host=h')",
        ] {
            for shown in [scrub(text), scrub_read(text, LexMode::POSTGRES)] {
                assert!(!shown.contains("hunter2"), "{text}\n→ {shown}");
            }
        }
    }

    #[test]
    fn ordinary_statements_stay_as_they_are() {
        for text in [
            "SELECT password FROM users",
            "SELECT password, 'x' FROM users",
            "SELECT identified, password_hash FROM t WHERE password_hash = 'x'",
            "SET password_encryption = 'md5'",
            "SELECT * FROM t WHERE url LIKE 'https://example.com/a:b@c'",
            "UPDATE users SET password = $1 WHERE id = $2",
            "ALTER USER bob PASSWORD NULL",
            "SELECT 'pässword', ':', '://'",
        ] {
            assert_eq!(scrub(text), text);
        }
    }

    #[test]
    fn a_text_full_of_the_word_takes_linear_time() {
        for piece in [
            "password",
            "password/*",
            "password for ",
            "password=",
            "password '",
            "://",
            "identified by ",
        ] {
            let text = piece.repeat(200_000 / piece.len());
            let _ = scrub(&text);
        }
    }

    proptest! {
        #[test]
        fn any_secret_written_as_the_server_wants_it_is_hidden(
            secret in "[a-z'\\\\ $\"é]{0,12}",
            before in "[ -~é]{0,20}",
        ) {
            let marked = format!("QZJ{secret}QZJ");
            let plain = marked.replace('\'', "''");
            let escaped = marked.replace('\\', "\\\\").replace('\'', "\\'");
            for text in [
                format!("{before} ALTER USER b PASSWORD '{plain}' VALID UNTIL 'x'"),
                format!("{before} ALTER USER b PASSWORD E'{escaped}'"),
            ] {
                for shown in [scrub(&text), scrub_read(&text, LexMode::POSTGRES)] {
                    prop_assert!(!shown.contains("QZJ"), "{text} → {shown}");
                }
            }
        }

        #[test]
        fn any_text_is_taken(text in any::<String>(), words in "(password|=|'|\"| |\\$|x|\\\\|:|/|@|é|identified|by|for|\\(){0,40}") {
            let _ = scrub(&text);
            let _ = scrub(&words);
        }
    }
}
