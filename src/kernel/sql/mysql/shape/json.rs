//! What is read as JSON: MySQL fails for a text that is none, and for a path that is none, when it comes to
//! that. In a branch that a masked value leads to, even a constant tells of the value by failing.

use sqlparser::ast::{BinaryOperator, Expr, Value};

use crate::kernel::sql::{
    lineage::shape::{Constant, Expression, Step, Wanted},
    mysql::shape::{
        condition::constant,
        expression::{into, reference},
        function::{is_called, plain_text},
        source::all,
    },
};

/// Adds what a call of a function of JSON goes through. False: it is none of those that are known.
pub(super) fn call(name: &str, values: &[&Expr], made: &mut Expression) -> bool {
    match (name, values) {
        ("json_object", values) => {
            // A key may be NULL, which fails; and it may hang on a masked value whether it is asked for.
            for name in values.iter().step_by(2) {
                key(name, made);
            }
            for value in values.iter().skip(1).step_by(2) {
                part(value, made);
            }
            all(values.iter().copied(), made);
        }
        ("json_array", values) => {
            for value in values {
                part(value, made);
            }
            all(values.iter().copied(), made);
        }
        ("json_arrayagg", [value]) => {
            part(value, made);
            into(value, made);
        }
        ("json_objectagg", [name, value]) => {
            any_key(name, made);
            part(value, made);
            all([*name, *value], made);
        }
        ("json_unquote", [of]) => {
            // A text may be a string of JSON that isn't well written.
            match of {
                Expr::Function(inner) if is_called(inner, "json_extract") => {}
                Expr::BinaryOp { op: BinaryOperator::Arrow, .. } => {}
                other => document(other, made),
            }
            into(of, made);
        }
        ("json_contains", [of, candidate, paths @ ..]) => {
            document(of, made);
            document(candidate, made);
            plain_text(candidate, made);
            for one in paths {
                path(one, false, made);
            }
            all(values.iter().copied(), made);
        }
        ("json_contains_path", [of, how, paths @ ..]) => {
            document(of, made);
            one_or_all(how, made);
            for one in paths {
                path(one, true, made);
            }
            all(values.iter().copied(), made);
        }
        (
            "json_keys" | "json_length" | "json_type" | "json_depth" | "json_value",
            [of, paths @ ..],
        ) => {
            document(of, made);
            for one in paths {
                path(one, false, made);
            }
            all(values.iter().copied(), made);
        }
        ("json_extract", [of, paths @ ..]) => {
            document(of, made);
            for one in paths {
                path(one, true, made);
            }
            all(values.iter().copied(), made);
        }
        _ => return false,
    }
    true
}

/// Adds what a value goes through that is read as a document.
pub(super) fn document(value: &Expr, made: &mut Expression) {
    if let Some(column) = reference(value) {
        made.through.push(Step::Wants(Wanted::Json, column));
    } else if gives_json(value) {
        made.through.push(Step::Converts);
    } else if constant(value) != Some(Constant::Null) && !text_of(value).is_some_and(is_plain) {
        made.through.push(Step::ReadsJson);
    }
}

/// Adds what a path goes through. `many`: it may lead to several places.
pub(super) fn path(value: &Expr, many: bool, made: &mut Expression) {
    plain_text(value, made);
    if !text_of(value).is_some_and(|path| is_path(path, many)) {
        made.through.push(Step::ReadsJson);
    }
}

/// Adds what goes into a document: one within another makes it deeper, and a hundred are too deep.
fn part(value: &Expr, made: &mut Expression) {
    if let Some(column) = reference(value) {
        made.through.push(Step::Nests(column));
    }
}

/// Adds what a key goes through that is written there. What isn't a plain string may be none.
fn key(value: &Expr, made: &mut Expression) {
    if text_of(value).is_none() {
        made.through.push(Step::Part);
    }
}

/// A key may be NULL, which fails.
fn any_key(name: &Expr, made: &mut Expression) {
    match reference(name) {
        Some(column) => made.through.push(Step::Unmarked(column)),
        None => key(name, made),
    }
}

/// `'one'` or `'all'`.
fn one_or_all(value: &Expr, made: &mut Expression) {
    plain_text(value, made);
    let is = |word: &str| text_of(value).is_some_and(|text| text.eq_ignore_ascii_case(word));
    if !is("one") && !is("all") {
        made.through.push(Step::ReadsJson);
    }
}

/// True of what MySQL itself has made or read as JSON.
fn gives_json(value: &Expr) -> bool {
    const MAKERS: [&str; 5] =
        ["json_array", "json_arrayagg", "json_extract", "json_object", "json_objectagg"];
    match value {
        Expr::Nested(inner) => gives_json(inner),
        Expr::Function(function) => MAKERS.iter().any(|name| is_called(function, name)),
        Expr::BinaryOp { left: _, op: BinaryOperator::Arrow, right: _ } => true,
        _ => false,
    }
}

/// A string between quotes, and nothing before it.
pub(super) fn text_of(value: &Expr) -> Option<&str> {
    match value {
        Expr::Nested(inner) => text_of(inner),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// True of a document that is one without a doubt: a word, a whole number, a string without escapes, nothing
/// in brackets.
fn is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = (1..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0'));
    let inside = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let is_string =
        inside.is_some_and(|s| !s.contains(['"', '\\']) && !s.contains(char::is_control));
    is_number || is_string || matches!(text, "true" | "false" | "null" | "{}" | "[]")
}

/// True of a path that is one without a doubt: `$.a."b c"[0]`, and with `many` `$.*` and `$[*]`.
fn is_path(text: &str, many: bool) -> bool {
    let Some(mut rest) = text.strip_prefix('$') else { return false };
    while !rest.is_empty() {
        let next = if let Some(inside) = rest.strip_prefix('[') {
            inside.split_once(']').filter(|(at, _)| {
                let is_number =
                    (1..=6).contains(&at.len()) && at.bytes().all(|b| b.is_ascii_digit());
                is_number || many && *at == "*"
            })
        } else if let Some(quoted) = rest.strip_prefix(".\"") {
            quoted.split_once('"').filter(|(name, _)| {
                !name.is_empty() && !name.contains('\\') && !name.contains(char::is_control)
            })
        } else if let Some(named) = rest.strip_prefix('.') {
            let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = named.find(|c| !is_letter(c)).unwrap_or(named.len());
            let (name, behind) = named.split_at(end);
            match behind.strip_prefix('*') {
                Some(behind) if name.is_empty() && many => Some(("*", behind)),
                _ => Some((name, behind))
                    .filter(|_| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')),
            }
        } else {
            None
        };
        let Some((_, behind)) = next else { return false };
        rest = behind;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_a_document_or_a_path_without_a_doubt_is_one() {
        for plain in ["1", "-12", "0", "\"x\"", "\"é y\"", "true", "null", "{}", "[]", "\"\""] {
            assert!(is_plain(plain), "{plain}");
        }
        for other in ["", "x", "01", "-", "1e999", "\"", "\"\\z\"", "\"a\"b\"", "{", "'1'", "1.5"] {
            assert!(!is_plain(other), "{other}");
        }
        for path in ["$", "$.a", "$.a.b_1[0]", "$.\"b c\"", "$[12].x"] {
            assert!(is_path(path, false), "{path}");
        }
        for many in ["$.*", "$[*]", "$.a[*].b"] {
            assert!(is_path(many, true) && !is_path(many, false), "{many}");
        }
        for other in
            ["", "a", "$[", "$**", "$.", "$.1a", "$[-1]", "$.\"", "$.a b", "$.é", "$a", " $"]
        {
            assert!(!is_path(other, true), "{other}");
        }
    }
}
