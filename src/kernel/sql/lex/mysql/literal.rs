//! The values of string constants.

use crate::kernel::sql::lex::TokenKind;

/// The value of a string constant, `None` for other tokens.
pub(in crate::kernel::sql) fn string_value(
    kind: TokenKind,
    text: &str,
    backslashes: bool,
) -> Option<String> {
    let quoted = match kind {
        TokenKind::String => text,
        TokenKind::NationalString => text.get(1..)?,
        _ => return None,
    };
    let quote = quoted.chars().next()?;
    let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c == '\\' && backslashes {
            match chars.next()? {
                '0' => out.push('\0'),
                'b' => out.push('\u{8}'),
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                'Z' => out.push('\u{1a}'),
                // Kept for LIKE.
                wild @ ('%' | '_') => out.extend(['\\', wild]),
                other => out.push(other),
            }
        } else {
            if c == quote {
                chars.next();
            }
            out.push(c);
        }
    }
    Some(out)
}
