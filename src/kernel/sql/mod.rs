//! Reading SQL: from text to what it does. The only door to the parsers.
//!
//! Three layers, any doubt refuses: our own strict lexer, `sqlparser`, and for Postgres the server's
//! own grammar; for MySQL and MariaDB [`mysql`] has `sqlparser` read our lexer's tokens. Each parser's tree is reduced to a [`reading::Reading`]: effects and names as
//! written. Readings are compared, then resolved against the catalog into an
//! [`analysis::Analysis`].

pub mod analysis;
mod batch;
pub mod builtins;
pub mod charset;
pub mod constants;
pub mod context;
pub mod copy;
pub mod engine;
pub mod fingerprint;
pub mod judge;
pub mod lex;
pub mod lineage;
pub mod local;
pub mod mode;
pub mod mysql;
pub mod normalize;
pub mod reading;
pub mod seen;
pub mod server_grammar;
pub mod text;

use std::sync::Arc;

pub use context::{Context, Masking, Overlay, SearchPath, Trust};

use analysis::{Analysis, Batch, LocalCall, LocalShape, StatementClass, Unreadable};
use reading::{Reading, StatementKind};
use text::StatementText;

/// Reads a text and judges each of its statements: what it does, and what it needs.
///
/// Stack: [`lex::Tokens::needs_large_stack`] says of a text whether 64 MiB are needed; below that,
/// 2 MiB are enough.
///
/// # Errors
/// [`Unreadable`]: the text needs admin, or is a typing mistake.
pub fn analyze(text: &StatementText<'_>, cx: &Context<'_>) -> Result<Batch, Unreadable> {
    let tokens = lex::tokenize(text, cx.mode, &lex::Limits::DEFAULT)?;
    analyze_tokens(text.as_str(), &tokens, cx)
}

/// [`analyze`] for a text that was cut into tokens already.
///
/// # Errors
/// As [`analyze`].
pub fn analyze_tokens(
    text: &str,
    tokens: &lex::Tokens,
    cx: &Context<'_>,
) -> Result<Batch, Unreadable> {
    analyze_beside(text, tokens, cx, || second_opinion(text, tokens, cx.mode))
}

/// [`analyze_tokens`] with a second opinion from elsewhere. It is asked for when the server's grammar has
/// read the text, so that it may be made meanwhile.
///
/// # Errors
/// As [`analyze`]; also if the opinion is on another text.
pub fn analyze_beside<'o>(
    text: &str,
    tokens: &lex::Tokens,
    cx: &Context<'_>,
    second: impl FnOnce() -> Opinion<'o>,
) -> Result<Batch, Unreadable> {
    let ours = local::recognise(tokens, text)
        .map_err(|e| Unreadable::NotAnswered { what: e.to_string() })?;
    let readings = read_beside(text, tokens, cx.mode, second)?;
    if ours.len() != readings.len() {
        return Err(Unreadable::Disagreement);
    }
    let mut batch = batch::Unfolding::new(cx);
    let statements = readings
        .iter()
        .zip(ours)
        .map(|(reading, ours)| {
            Arc::new(match ours {
                Some(call) => answered_here(reading, call),
                None => match own_setting(reading).filter(|_| readings.len() == 1) {
                    Some(call) => answered_here(reading, call),
                    None => batch.judge(reading),
                },
            })
        })
        .collect();
    Ok(Batch { statements, fingerprint: fingerprint::fingerprint(tokens, text).into() })
}

/// What a client calls itself: the upstream's is the gateway's name for the session.
pub const OWN_NAME: &str = "application_name";
/// Whether the client's transaction is read-only: the upstream's value is the wall, which must not keep
/// a client away that looks for a server to write to.
pub const READ_ONLY: &str = "transaction_read_only";
/// The same of transactions to come.
pub const READ_ONLY_DEFAULT: &str = "default_transaction_read_only";

/// True if this setting's value is not the upstream's but what the client has said itself.
pub fn is_clients_own(setting: &str) -> bool {
    [OWN_NAME, READ_ONLY, READ_ONLY_DEFAULT].contains(&setting)
}

/// SHOW of such a setting.
fn own_setting(reading: &Reading) -> Option<LocalCall> {
    let name = reading.object.as_ref().filter(|name| is_clients_own(name))?;
    (reading.top == StatementKind::Show).then(|| LocalCall::new(name.clone(), LocalShape::Show))
}

/// A statement that never reaches the upstream.
fn answered_here(reading: &Reading, call: LocalCall) -> Analysis {
    Analysis {
        span: reading.span.clone(),
        kind: reading.top,
        class: StatementClass::Hallpass,
        needs: Vec::new(),
        relations: Vec::new(),
        routines: Vec::new(),
        effects: Vec::new(),
        executes: None,
        fetches: None,
        returns_user_rows: false,
        writes: false,
        hidden: None,
        masked: None,
        rules: None,
        guarded: None,
        local: Some(call),
        parameters: reading.parameters,
    }
}

/// Reads every statement with the server's grammar, and with `sqlparser` as a second opinion.
///
/// # Errors
/// As [`analyze`].
pub fn read(
    text: &str,
    tokens: &lex::Tokens,
    mode: mode::LexMode,
) -> Result<Vec<Reading>, Unreadable> {
    read_beside(text, tokens, mode, || second_opinion(text, tokens, mode))
}

fn read_beside<'o>(
    text: &str,
    tokens: &lex::Tokens,
    mode: mode::LexMode,
    second: impl FnOnce() -> Opinion<'o>,
) -> Result<Vec<Reading>, Unreadable> {
    if mode.dialect != mode::Dialect::Postgres {
        return mysql::read_tokens(text, tokens, mode);
    }
    let readings = server_grammar::read_tokens(text, tokens, mode)?;
    if has_second_opinion(tokens, mode) {
        let Opinion { on, seen } = second();
        // Fail closed: an opinion on something else says nothing.
        if on != text || seen.len() != readings.len() {
            return Err(Unreadable::Disagreement);
        }
        for (reading, seen) in readings.iter().zip(&seen) {
            engine::compare(seen.as_ref(), reading)?;
        }
    }
    Ok(readings)
}

/// What `sqlparser` makes of each statement of a text of Postgres'.
#[derive(Debug)]
pub struct Opinion<'t> {
    on: &'t str,
    seen: Vec<Option<engine::Seen>>,
}

/// True if `sqlparser` is asked: it knows only one way to read a backslash, and tuples left out for the
/// server's grammar are not worth its time. MySQL's texts have [`mysql`].
pub fn has_second_opinion(tokens: &lex::Tokens, mode: mode::LexMode) -> bool {
    mode.dialect == mode::Dialect::Postgres
        && mode.standard_conforming_strings
        && tokens.repeats().is_empty()
}

/// What `sqlparser` makes of a text, as far as [`has_second_opinion`]. Needs as much stack as [`analyze`].
pub fn second_opinion<'t>(text: &'t str, tokens: &lex::Tokens, mode: mode::LexMode) -> Opinion<'t> {
    // A range that isn't one of the text's leaves a statement without an entry, which is noticed.
    let statements = tokens.statements().iter().filter_map(|range| text.get(range.bytes.clone()));
    let asked = has_second_opinion(tokens, mode);
    let seen = if asked { statements.map(engine::read).collect() } else { Vec::new() };
    Opinion { on: text, seen }
}
