//! Layer C: Postgres's own grammar, as `pg_query` packs it, reduced to readings.
//!
//! The tree is walked whole: `walk` is generated and takes every struct apart by name, and every
//! statement node must be given a kind in `statements`. What counts as a relation, a routine or a
//! kind is written down in [`crate::kernel::sql::reading`].
//!
//! Parsing and decoding recurse. A caller looks at [`Tokens::needs_large_stack`] first, and if so
//! calls [`read`] on a thread with 64 MiB of stack; the C code guards itself, our limits on chains
//! and nesting guard the rest.

mod changed;
mod columns;
mod copy_out;
mod definitions;
mod made;
mod moves;
mod objects;
mod outputs;
mod relations;
mod roles;
mod settings;
mod shape;
mod statements;
mod temporary;
#[rustfmt::skip]
mod walk;

use std::{
    collections::HashSet,
    panic::catch_unwind,
    sync::{Mutex, PoisonError},
};

pub use copy_out::copy_out;
use pg_query::{ParserOptions, protobuf as pg};

use crate::kernel::sql::{
    analysis::Unreadable,
    lex::{Limits, Tokens, character_position, tokenize},
    mode::LexMode,
    reading::{Access, Reading, StatementKind},
    server_grammar::{columns::Mentions, walk::Visit},
    text::StatementText,
};

/// Reads every statement of a text with the server's grammar, in order.
///
/// # Errors
/// [`Unreadable::Syntax`] with the server's own message where its grammar refuses the text; the
/// errors of [`tokenize`]; [`Unreadable::TooLarge`] for a tree too deep to hand over;
/// [`Unreadable::Disagreement`] if lexer and grammar count different statements.
pub fn read(text: &str, mode: LexMode) -> Result<Vec<Reading>, Unreadable> {
    let checked = StatementText::new(text.as_bytes(), usize::MAX)
        .map_err(|e| Unreadable::Ambiguous { what: e.to_string() })?;
    let tokens = tokenize(&checked, mode, &Limits::DEFAULT)?;
    read_tokens(text, &tokens, mode)
}

/// [`read`] for a text that was cut into tokens already.
///
/// # Errors
/// As [`read`].
pub fn read_tokens(text: &str, tokens: &Tokens, mode: LexMode) -> Result<Vec<Reading>, Unreadable> {
    if tokens.deepest() > DEPTH {
        return Err(too_deep());
    }
    let collapsed = tokens.collapsed(text);
    let parsed = parse(collapsed.as_deref().unwrap_or(text), mode);
    let tree = match parsed {
        Ok(tree) => tree,
        Err(Unreadable::Syntax { message, .. }) => {
            let position = error_position(text, tokens, mode, &message);
            return Err(Unreadable::Syntax { message, position });
        }
        Err(other) => return Err(other),
    };
    if tree.stmts.len() != tokens.statements().len() {
        // Fail closed: a statement that one of us doesn't see would be run unjudged.
        return Err(Unreadable::Disagreement);
    }
    let mut readings = Vec::with_capacity(tree.stmts.len());
    let mut end_before = 0;
    for (raw, range) in tree.stmts.iter().zip(tokens.statements()) {
        let begins = usize::try_from(raw.stmt_location).unwrap_or(0);
        let begins = tokens.uncollapsed_byte(begins);
        if begins < end_before || begins > range.bytes.start {
            return Err(Unreadable::Disagreement);
        }
        end_before = range.bytes.end;
        let mut reader = Reader::new(range.bytes.clone());
        reader.raw_stmt(raw);
        let mut reading = reader.finish()?;
        reading.outputs = outputs::of(raw, &reading);
        reading.defines = definitions::of(raw);
        reading.shape = shape::of(raw).map(Box::new);
        reading.temporary = temporary::of(raw);
        reading.keeps = temporary::kept(raw);
        reading.made_type = made::type_of(raw);
        reading.made_table = made::table_of(raw);
        reading.path = settings::path_of(raw);
        reading.change = changed::of(raw);
        if let Some(inner) = &mut reading.inner {
            inner.shape.clone_from(&reading.shape);
        }
        readings.push(reading);
    }
    Ok(readings)
}

/// Expressions inside each other. An unoptimized build needs about 30 KiB of stack for each.
const DEPTH: u32 = 1_000;

fn too_deep() -> Unreadable {
    Unreadable::TooLarge { what: "the statement is nested too deeply".to_owned() }
}

/// One thread at a time: libpg_query points the process's standard error to a pipe while it parses.
static PARSER: Mutex<()> = Mutex::new(());

fn options(mode: LexMode) -> ParserOptions {
    let mut options = ParserOptions::DISABLE_ESCAPE_STRING_WARNING;
    if !mode.standard_conforming_strings {
        options |= ParserOptions::DISABLE_STANDARD_CONFORMING_STRINGS;
    }
    options
}

fn parse(text: &str, mode: LexMode) -> Result<pg::ParseResult, Unreadable> {
    let guard = PARSER.lock().unwrap_or_else(PoisonError::into_inner);
    // Fail closed: the crate's own look at the tree may panic; nothing of ours hangs on it.
    let result = catch_unwind(|| pg_query::parse(text, options(mode)));
    drop(guard);
    let too_deep =
        || Unreadable::TooLarge { what: "the statement is nested too deeply".to_owned() };
    match result {
        Ok(Ok(parsed)) => Ok(parsed.protobuf),
        Ok(Err(pg_query::Error::Parse(message))) => {
            if message.contains("stack depth limit") || message.contains("nested too deeply") {
                return Err(too_deep());
            }
            Err(Unreadable::Syntax { message, position: None })
        }
        Ok(Err(pg_query::Error::Decode(_))) => Err(too_deep()),
        Ok(Err(other)) => Err(Unreadable::Ambiguous { what: other.to_string() }),
        Err(_panic) => {
            Err(Unreadable::Ambiguous { what: "this statement's tree can't be read".to_owned() })
        }
    }
}

/// Where the server would point to, in characters from 1. The library keeps the cursor to itself,
/// so it is found again: the token the message names, and of several the first with which the text
/// up to there fails in the same way. `None` if looking costs too much beside having read the text.
fn error_position(text: &str, tokens: &Tokens, mode: LexMode, message: &str) -> Option<u32> {
    if message.ends_with(" at end of input") {
        return Some(character_position(text, text.len()));
    }
    if tokens.collapsed(text).is_some() {
        return None;
    }
    let (_, near) = message.strip_suffix('"')?.split_once(" at or near \"")?;
    let candidates: Vec<_> =
        tokens.tokens().iter().filter(|t| t.text(text) == near).copied().collect();
    let fails_up_to = |end: u32| {
        let guard = PARSER.lock().unwrap_or_else(PoisonError::into_inner);
        let prefix = text.get(..end as usize).unwrap_or_default();
        let result = catch_unwind(|| pg_query::parse(prefix, options(mode)).err());
        drop(guard);
        matches!(result, Ok(Some(pg_query::Error::Parse(m))) if m == message)
    };
    let (mut low, mut high) = (0, candidates.len().checked_sub(1)?);
    let mut left = POSITION_BYTES;
    while low < high {
        let middle = usize::midpoint(low, high);
        let end = candidates.get(middle)?.end;
        left = left.checked_sub(end as usize)?;
        if fails_up_to(end) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(character_position(text, candidates.get(low)?.start as usize))
}

/// So much text is read again for the place of an error. A text of 6 KB gets it whatever the error.
const POSITION_BYTES: usize = 64 * 1024;

/// Collects what one statement's tree says.
struct Reader {
    reading: Reading,
    /// The kind of the top node, once known.
    top: Option<StatementKind>,
    /// Names of the CTEs in scope, innermost last.
    scopes: Vec<HashSet<String>>,
    /// What being named means where we are.
    access: Access,
    /// What is said about columns.
    mentions: Mentions,
    /// How often rows were locked so far.
    locks: u32,
    unexpected: Option<&'static str>,
}

impl Reader {
    fn new(span: std::ops::Range<usize>) -> Self {
        let mut reading = Reading::new(StatementKind::Other, span);
        reading.kinds.clear();
        Self {
            reading,
            top: None,
            scopes: Vec::new(),
            access: Access::Read,
            mentions: Mentions::default(),
            locks: 0,
            unexpected: None,
        }
    }

    fn finish(mut self) -> Result<Reading, Unreadable> {
        if let Some(what) = self.unexpected {
            // Fail closed: a node we don't know may do anything.
            return Err(Unreadable::Ambiguous { what: format!("unexpected {what}") });
        }
        self.reading.top = self.top.unwrap_or(StatementKind::Other);
        self.reading.kinds.insert(self.reading.top);
        self.reading.columns = Some(self.mentions.finish());
        Ok(self.reading)
    }

    /// Notes a kind; the first is the statement's own.
    fn kind(&mut self, kind: StatementKind) {
        self.top.get_or_insert(kind);
        self.reading.kinds.insert(kind);
    }

    /// Inside `inside`, being named means `access`.
    fn with_access(&mut self, access: Access, inside: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.access, access);
        inside(self);
        self.access = before;
    }
}

#[cfg(test)]
mod tests;
