//! The name of a statement's shape: for records and metrics.

use std::fmt::Write;

use ring::digest::{SHA256, digest};

use crate::kernel::sql::lex::{TokenKind, Tokens};

/// Bytes of the hash that are kept.
const BYTES: usize = 16;

/// The first 16 bytes of the SHA-256 of a text without its literals, white space and comments and
/// with its words in lower case, as 32 hexadecimal digits. Runs of constant tuples behind VALUES
/// count as two, see [`Tokens`].
///
/// Unlike the key of the analysis cache every literal is left out, so texts that do different things
/// may share it: for people and counters, never for decisions.
pub fn fingerprint(tokens: &Tokens, text: &str) -> String {
    let mut shape = Vec::with_capacity(text.len().min(4096));
    for token in tokens.tokens() {
        if token.kind.is_literal() {
            shape.push(b'?');
        } else if token.kind == TokenKind::Word {
            shape.extend(token.text(text).bytes().map(|b| b.to_ascii_lowercase()));
        } else {
            shape.extend_from_slice(token.text(text).as_bytes());
        }
        shape.push(b' ');
    }
    // A closing semicolon changes nothing.
    while shape.ends_with(b"; ") {
        shape.truncate(shape.len() - 2);
    }
    let hash = digest(&SHA256, &shape);
    let mut out = String::with_capacity(2 * BYTES);
    for byte in hash.as_ref().iter().take(BYTES) {
        let _infallible = write!(out, "{byte:02x}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::sql::{
        lex::{Limits, tokenize},
        mode::LexMode,
        text::StatementText,
    };

    fn of(text: &str) -> String {
        let checked = StatementText::new(text.as_bytes(), 1 << 20).expect("text");
        let tokens = tokenize(&checked, LexMode::POSTGRES, &Limits::DEFAULT).expect("lexes");
        fingerprint(&tokens, text)
    }

    #[test]
    fn literals_blanks_comments_and_case_do_not_count() {
        let one = of("SELECT a FROM t WHERE b = 1 AND c = 'x'");
        assert_eq!(one, of("select A\n from t /* x */ where b=  -- y\n 22 and c=E'\\'';"));
        assert_eq!(one.len(), 32);
    }

    #[test]
    fn names_operators_and_parameters_count() {
        let texts =
            ["SELECT a", "SELECT \"A\"", "SELECT a + 1", "SELECT $1", "SELECT $2", "SELECT a, a"];
        let distinct: std::collections::BTreeSet<_> = texts.iter().map(|t| of(t)).collect();
        assert_eq!(distinct.len(), texts.len());
    }

    #[test]
    fn it_stays_the_same_from_version_to_version() {
        assert_eq!(of("SELECT 1"), "1bbe0f578fe3aa0120e8f64660a10ea4");
    }
}
