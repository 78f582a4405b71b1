//! The values of string constants, for the statements the gateway answers itself.

use crate::kernel::sql::lex::TokenKind;

/// The value of a string constant; `None` for other tokens and for escapes by number.
pub(in crate::kernel::sql) fn string_value(
    kind: TokenKind,
    text: &str,
    backslashes: bool,
) -> Option<String> {
    let (quoted, escapes) = match kind {
        TokenKind::String => (text, backslashes),
        TokenKind::NationalString => (text.get(1..)?, backslashes),
        TokenKind::EscapeString => (text.get(1..)?, true),
        TokenKind::UnicodeString => {
            let quoted = text.get(2..)?;
            if quoted.contains('\\') {
                return None;
            }
            (quoted, false)
        }
        TokenKind::DollarString => {
            let tag = text.get(1..)?.find('$')?.checked_add(2)?;
            let end = text.len().checked_sub(tag)?;
            return text.get(tag..end).map(str::to_owned);
        }
        _ => return None,
    };
    let mut out = String::with_capacity(quoted.len());
    let mut chars = quoted.strip_prefix('\'')?.chars().peekable();
    loop {
        match chars.next()? {
            '\'' if chars.peek() == Some(&'\'') => {
                chars.next();
                out.push('\'');
            }
            '\'' => {
                // The end, or white space and comments before it goes on.
                loop {
                    match chars.next() {
                        None => return Some(out),
                        Some('\'') => break,
                        Some('-') => {
                            while chars.next_if(|c| !matches!(c, '\n' | '\r')).is_some() {}
                        }
                        Some(_) => {}
                    }
                }
            }
            '\\' if escapes => out.push(match chars.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'x' | 'u' | 'U' | '0'..='9' => return None,
                other => other,
            }),
            other => out.push(other),
        }
    }
}
