//! What the analysis cache stands on: two texts with one key do the same and need the same.
// Every test binary uses its own part of this.
#![allow(dead_code)]

use hallpass::kernel::sql::{
    analysis::{Analysis, Batch, Unreadable},
    lex::{Limits, Token, TokenKind, tokenize},
    mode::LexMode,
    normalize::{Normal, normalize},
    text::StatementText,
};

/// Values that would matter most where they matter at all.
const STRINGS: [&str; 6] =
    ["'role'", "'view, foreign-table'", "'pg_authid'", "'search_path'", "''", "'a''b'"];
const ESCAPES: [&str; 2] = [r"E'\x72ole'", r"E'\\'"];
const DOLLARS: [&str; 2] = ["$$role$$", "$x$'$x$"];
const INTEGERS: [&str; 2] = ["4711", "99999999999999999999"];
const FLOATS: [&str; 3] = ["1e9", ".5", "4711."];
const BITS: [&str; 2] = ["B'1'", "X'1F'"];

/// Constants of one text that are tried one by one.
const CONSTANTS_MAX: usize = 3;

/// Other values that one constant takes; all together take every one.
const VALUES_MAX: usize = 2;

/// The key of a text; `None` if the lexer won't have it.
pub(crate) fn key(sql: &str) -> Option<Vec<u8>> {
    key_in(sql, LexMode::POSTGRES)
}

/// The same where texts are read so.
pub(crate) fn key_in(sql: &str, mode: LexMode) -> Option<Vec<u8>> {
    let text = StatementText::new(sql.as_bytes(), 1 << 24).ok()?;
    let mut normal = Normal::default();
    normalize(&text, mode, &mut normal).ok()?;
    Some(normal.key)
}

/// Other texts with the key of this one.
pub(crate) fn with_the_key_of(sql: &str) -> Vec<String> {
    with_the_key_in(sql, LexMode::POSTGRES)
}

/// The same where texts are read so.
pub(crate) fn with_the_key_in(sql: &str, mode: LexMode) -> Vec<String> {
    let Some(own) = key_in(sql, mode) else { return Vec::new() };
    let mut same = variants(sql, mode);
    same.retain(|other| other != sql && key_in(other, mode).as_ref() == Some(&own));
    same
}

/// The text with one of its constants replaced, for each constant and each other value; with all of
/// them replaced; and in another spelling.
fn variants(sql: &str, mode: LexMode) -> Vec<String> {
    let Ok(text) = StatementText::new(sql.as_bytes(), 1 << 24) else { return Vec::new() };
    let Ok(tokens) = tokenize(&text, mode, &Limits::DEFAULT) else {
        return Vec::new();
    };
    let tokens = tokens.tokens();
    let constants = tokens.iter().enumerate().filter(|(_, t)| t.kind.is_literal());
    let mut found: Vec<String> = constants
        .clone()
        .take(CONSTANTS_MAX)
        .flat_map(|(at, token)| {
            values(token.kind).iter().take(VALUES_MAX).map(move |value| {
                let put = |other: usize, t: &Token| if other == at { value } else { t.text(sql) };
                written(sql, tokens, |n, t| put(n, t).to_owned())
            })
        })
        .collect();
    found.extend((0..STRINGS.len()).map(|turn| {
        written(sql, tokens, |_, t| {
            let values = values(t.kind);
            let value = values.get(turn % values.len().max(1)).copied();
            value.unwrap_or_else(|| t.text(sql)).to_owned()
        })
    }));
    found.push(written(sql, tokens, |_, t| match t.kind {
        TokenKind::Word => t.text(sql).to_ascii_uppercase(),
        _ => t.text(sql).to_owned(),
    }));
    found
}

fn values(kind: TokenKind) -> &'static [&'static str] {
    match kind {
        TokenKind::String => &STRINGS,
        TokenKind::EscapeString => &ESCAPES,
        TokenKind::DollarString => &DOLLARS,
        TokenKind::Integer => &INTEGERS,
        TokenKind::Float => &FLOATS,
        TokenKind::BitString => &BITS,
        _ => &[],
    }
}

/// The text with its tokens written otherwise, and what stands between them as it was.
fn written(sql: &str, tokens: &[Token], how: impl Fn(usize, &Token) -> String) -> String {
    let (mut out, mut end) = (String::new(), 0);
    for (at, token) in tokens.iter().enumerate() {
        out.push_str(&sql[end..token.start as usize]);
        out.push_str(&how(at, token));
        end = token.end as usize;
    }
    out.push_str(&sql[end..]);
    out
}

/// What a reading says, but for places in the text and constants nobody judged by. `None`: it stands for
/// nothing but its own text, and is not kept.
pub(crate) fn said(read: Result<Batch, Unreadable>) -> Option<Result<Vec<String>, &'static str>> {
    Some(match read {
        Ok(batch) if !batch.stands_for_its_key() => return None,
        Ok(batch) => Ok(batch.statements.iter().map(|a| analysis_said(a)).collect()),
        Err(Unreadable::Syntax { .. }) => Err("syntax"),
        Err(Unreadable::Ambiguous { .. }) => Err("ambiguous"),
        Err(Unreadable::TooLarge { .. }) => Err("too large"),
        Err(Unreadable::NotAnswered { .. }) => Err("not answered"),
        Err(Unreadable::Disagreement) => Err("disagreement"),
    })
}

fn analysis_said(analysis: &Analysis) -> String {
    let mut copy = analysis.clone();
    copy.span = 0..0;
    for routine in &mut copy.routines {
        routine.literals.clear();
    }
    format!("{copy:?}")
}
