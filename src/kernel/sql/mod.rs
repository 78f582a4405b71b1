//! Reading SQL: from text to what it does. The only door to the parsers.
//!
//! Three layers, any doubt refuses: our own strict lexer, `sqlparser`, and for Postgres the server's
//! own grammar. Each parser's tree is reduced to a [`reading::Reading`]: effects and names as
//! written. Readings are compared, then resolved against the catalog into an
//! [`analysis::Analysis`].

pub mod analysis;
mod batch;
pub mod builtins;
pub mod context;
pub mod engine;
pub mod fingerprint;
pub mod judge;
pub mod lex;
pub mod local;
pub mod mode;
pub mod normalize;
pub mod reading;
pub mod server_grammar;
pub mod text;

use std::sync::Arc;

pub use context::{Context, Overlay, SearchPath, Trust};

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
    let ours = local::recognise(tokens, text)
        .map_err(|e| Unreadable::NotAnswered { what: e.to_string() })?;
    let readings = read(text, tokens, cx.mode)?;
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
                // The upstream's is the gateway's name for the session; the client's own is asked for.
                None if is_own_name(reading) && readings.len() == 1 => {
                    answered_here(reading, own_name())
                }
                None => batch.judge(reading),
            })
        })
        .collect();
    Ok(Batch { statements, fingerprint: fingerprint::fingerprint(tokens, text).into() })
}

fn is_own_name(reading: &Reading) -> bool {
    reading.top == StatementKind::Show && reading.object.as_deref() == Some(OWN_NAME)
}

/// What a client calls itself; the one setting whose value is not the upstream's.
pub const OWN_NAME: &str = "application_name";

fn own_name() -> LocalCall {
    LocalCall { name: OWN_NAME.to_owned(), shape: LocalShape::Show }
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
    let readings = server_grammar::read_tokens(text, tokens, mode)?;
    // sqlparser knows only one way to read a backslash; and tuples left out for the server's grammar
    // are not worth its time.
    if mode.standard_conforming_strings && tokens.collapsed(text).is_none() {
        for reading in &readings {
            let statement = text.get(reading.span.clone()).ok_or(Unreadable::Disagreement)?;
            engine::compare(engine::read(statement).as_ref(), reading)?;
        }
    }
    Ok(readings)
}
