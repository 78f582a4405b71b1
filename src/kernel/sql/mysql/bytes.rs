//! Texts of MySQL that are no UTF-8: drivers and dumps write the bytes of a BLOB between quotes as they are,
//! and a client may have another character set than ours.
//!
//! No byte from 0x80 on is a quote, a backslash or a blank to these servers, neither where it is no UTF-8
//! nor in a character set of one byte a character, and none takes an ASCII byte with it. So a string ends
//! where it ends, whatever stands in it. What such a byte is called where a string gives a name, as
//! `SELECT '…'` in a derived table does, is each server's own business: they stand in values only.

use std::{borrow::Cow, ops::Range};

use crate::kernel::sql::{
    charset::Encoding,
    lex::{self, Limits, TokenKind, Tokens},
    mode::{ClientSet, LexMode},
    text::{BadText, StatementText},
};

/// What stands for a byte that is no character: this and the byte. Nobody else's by Unicode's word.
const STANDS_FOR_BYTE: u32 = 0xf700;

/// The text that is judged, and kept on the trail, of a client's bytes; what is sent is those.
///
/// # Errors
/// [`BadText`]; [`BadText::NotUtf8`] and [`BadText::Nul`] where such bytes stand elsewhere than in values.
pub fn read(bytes: &[u8], limit: usize, mode: LexMode) -> Result<Cow<'_, str>, BadText> {
    let as_it_is =
        |bytes| StatementText::new(bytes, limit).map(|text| Cow::Borrowed(text.as_str()));
    if bytes.len() > limit {
        return as_it_is(bytes);
    }
    let has_nul = bytes.contains(&0);
    let (text, is_suspect): (String, fn(char) -> bool) = match mode.client {
        ClientSet::OneByte(_) if bytes.is_ascii() && !has_nul => return as_it_is(bytes),
        ClientSet::OneByte(set) => {
            (of_one_byte(bytes, set), |c| !c.is_ascii() || stands_for_byte(c))
        }
        ClientSet::Utf8 if has_nul || std::str::from_utf8(bytes).is_err() => {
            (of_utf8(bytes), stands_for_byte)
        }
        ClientSet::Utf8 | ClientSet::AsciiOnly | ClientSet::Unreadable => return as_it_is(bytes),
    };
    let bad = if has_nul { BadText::Nul } else { BadText::NotUtf8 };
    // Thrice the bytes at most; the limit was kept by what came.
    let checked = StatementText::new(text.as_bytes(), usize::MAX)?;
    let tokens = lex::tokenize(&checked, mode, &Limits::DEFAULT).map_err(|_| bad)?;
    if !are_in_values(&text, &tokens, is_suspect) {
        return Err(bad);
    }
    Ok(Cow::Owned(text))
}

fn of_utf8(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for chunk in bytes.utf8_chunks() {
        for (at, part) in chunk.valid().split('\0').enumerate() {
            if at > 0 {
                text.push(byte_as_char(0));
            }
            text.push_str(part);
        }
        text.extend(chunk.invalid().iter().map(|byte| byte_as_char(*byte)));
    }
    text
}

/// By the set's table where there is one: it is for people's eyes.
fn of_one_byte(bytes: &[u8], set: &str) -> String {
    let table = match Encoding::named(set) {
        Encoding::Table(table) => Some(table),
        Encoding::Utf8 | Encoding::Bytes | Encoding::Other => None,
    };
    let known = |byte| table.and_then(|table| table.character(byte));
    let read = |byte: &u8| match *byte {
        ascii @ 1..=0x7f => char::from(ascii),
        0 => byte_as_char(0),
        high => known(high).unwrap_or_else(|| byte_as_char(high)),
    };
    bytes.iter().map(read).collect()
}

fn byte_as_char(byte: u8) -> char {
    char::from_u32(STANDS_FOR_BYTE.saturating_add(byte.into()))
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn stands_for_byte(c: char) -> bool {
    (STANDS_FOR_BYTE..STANDS_FOR_BYTE.saturating_add(0x100)).contains(&u32::from(c))
}

/// True if all such characters stand in strings that give nothing a name and are read by nobody as SQL.
fn are_in_values(text: &str, tokens: &Tokens, is_suspect: fn(char) -> bool) -> bool {
    let mut allowed: Vec<Range<usize>> = tokens.repeats().to_vec();
    for statement in tokens.statements() {
        allowed.extend(values_of(text, tokens.of(statement)));
    }
    allowed.sort_unstable_by_key(|range| range.start);
    let mut at = allowed.iter().peekable();
    text.char_indices().filter(|(_, c)| is_suspect(*c)).all(|(byte, _)| {
        while at.next_if(|range| range.end <= byte).is_some() {}
        at.peek().is_some_and(|range| range.contains(&byte))
    })
}

/// The strings of a statement that are nothing but values.
fn values_of(text: &str, tokens: &[lex::Token]) -> Vec<Range<usize>> {
    let is = |token: &lex::Token, word: &str| {
        token.kind == TokenKind::Word && token.text(text).eq_ignore_ascii_case(word)
    };
    let changes = ["INSERT", "REPLACE", "UPDATE", "DELETE", "SELECT"];
    if !tokens.first().is_some_and(|first| changes.iter().any(|word| is(first, word))) {
        return Vec::new();
    }
    let has = |words: &[&str]| tokens.iter().any(|t| words.iter().any(|word| is(t, word)));
    let alone = tokens.first().is_some_and(|first| is(first, "SELECT"));
    // What is selected gives names, which a query around it may ask for, and these clauses of its own;
    // behind WHERE nothing does.
    let from = match tokens.iter().filter(|token| is(token, "SELECT")).count() {
        0 => Some(0),
        1 if alone && !has(&["GROUP", "HAVING", "ORDER", "TABLE", "VALUES"]) => Some(0),
        1 => tokens.iter().position(|token| is(token, "WHERE")),
        _ => None,
    };
    let values = from.and_then(|from| tokens.get(from..)).unwrap_or_default();
    let strings = values.iter().filter(|token| token.kind == TokenKind::String);
    strings.map(|token| token.start as usize..token.end as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::{BadText, ClientSet, LexMode, read};

    fn told(bytes: &[u8], mode: LexMode) -> Result<String, BadText> {
        read(bytes, 1 << 20, mode).map(std::borrow::Cow::into_owned)
    }

    const BOTH: [LexMode; 2] = [LexMode::MYSQL, LexMode::MARIADB];

    #[test]
    fn bytes_of_blobs_are_taken_in_values() {
        for mode in BOTH {
            for text in [
                &b"INSERT INTO t VALUES (_binary'\xff\\'\xc3\\\\')"[..],
                b"INSERT INTO t VALUES (1, '\xff'), (2, '\xfe'), (3, '\xfd'), (4, '\xfc')",
                b"INSERT INTO t (a) VALUES (_binary '\xff') ON DUPLICATE KEY UPDATE a = '\xfe'",
                b"INSERT INTO t VALUES ('\0', '\\\0', '\xff\0')",
                b"UPDATE t SET a = \"\xff\" WHERE b = '\xc3'",
                b"DELETE FROM t WHERE a IN ('\xff', '\xfe')",
                b"REPLACE t SET a = '\xf0\x9f\x98'",
                b"SELECT a FROM t WHERE b = _binary'\xff' ORDER BY 1",
                b"SELECT '\xc3\xa4' FROM t WHERE b = '\xe4'",
                b"SELECT a IN ('\xff'), '\xfe' AS '\xfd' FROM t",
            ] {
                assert!(told(text, mode).is_ok(), "{}", String::from_utf8_lossy(text));
            }
            let read = told(b"DELETE FROM t WHERE a = '\xff\xc3\xa4'", mode);
            assert_eq!(read.as_deref(), Ok("DELETE FROM t WHERE a = '\u{f7ff}ä'"));
        }
    }

    #[test]
    fn elsewhere_they_are_refused() {
        for mode in BOTH {
            for text in [
                &b"SELECT '\xff' FROM t HAVING a"[..],
                b"SELECT a AS '\xff' FROM t ORDER BY 1",
                b"SELECT * FROM (VALUES ('\xff')) x",
                b"SELECT `\xff` FROM t",
                b"SELECT a FROM t\xff WHERE a = '\xff'",
                b"SELECT a FROM t WHERE `\xff` = 1",
                b"SELECT a FROM t /* \xff */ WHERE a = 1",
                b"SELECT a FROM t WHERE a = (SELECT '\xff')",
                b"SELECT n FROM (SELECT CONCAT(a, '\xff') FROM t WHERE 1) x WHERE n = 1",
                b"PREPARE s FROM 'SELECT \xff'",
                b"EXECUTE IMMEDIATE 'SELECT \xff'",
                b"SET @a = '\xff'",
                b"CALL p('\xff')",
                b"CREATE VIEW v AS SELECT 1 WHERE a = '\xff'",
                b"WITH x AS (SELECT 1 WHERE a = '\xff') UPDATE t SET a = 1",
                b"UPDATE t SET a = '\xff'; SET @a = '\xff'",
                b"INSERT INTO t VALUES ('\xff",
                b"INSERT INTO t\0 VALUES ('\xff\0')",
                b"INSERT INTO t VALUES (1) \0",
                b"SELECT 1 /* \0 */",
                b"\0",
            ] {
                assert!(told(text, mode).is_err(), "{}", String::from_utf8_lossy(text));
            }
        }
    }

    #[test]
    fn a_client_may_have_a_set_of_one_byte() {
        for mode in BOTH {
            let of = |set: &str| LexMode { client: ClientSet::of(set), ..mode };
            let text = b"INSERT INTO t VALUES ('M\xfcller \x81')";
            let read = told(text, of("latin1"));
            assert_eq!(read.as_deref(), Ok("INSERT INTO t VALUES ('Müller \u{f781}')"));
            let read = told(b"UPDATE t SET a = '\xc4\xe0'", of("cp1251"));
            assert_eq!(read.as_deref(), Ok("UPDATE t SET a = 'Да'"));
            assert!(told(b"UPDATE t SET a = '\xff'", of("binary")).is_ok());
            // 0xA0 is a blank to latin1.
            for text in [&b"SELECT\xa01"[..], b"SELECT 1 AS M\xfcller", b"UPDATE t SET `\xfc` = 1"]
            {
                assert!(told(text, of("latin1")).is_err());
            }
            // Here 0x5C may be half of a character.
            for set in ["gbk", "sjis", "big5", "cp932", "gb18030", "euckr", "ucs2", "utf16"] {
                assert!(told(b"UPDATE t SET a = '\xbf\\'", of(set)).is_err(), "{set}");
            }
        }
    }
}
