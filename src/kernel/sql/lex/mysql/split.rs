//! Where one statement ends and the next begins.

use crate::kernel::sql::{
    analysis::Unreadable,
    lex::{Split, TokenKind},
};

/// Follows the tokens of a text and tells which semicolons end a statement: all but those in the body
/// of a stored program, `CREATE PROCEDURE … BEGIN …; END`.
///
/// What would hide a statement from us is a body that we take for longer than the server does. So of a
/// program nothing may stand behind its first semicolon; and what runs as a block of its own (MariaDB's
/// anonymous ones) is refused.
#[derive(Clone, Debug, Default)]
pub struct Splitter {
    state: State,
    /// The word or sign before was `=`: what follows is a value, not a word of the grammar.
    value: bool,
}

/// How far a statement is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    #[default]
    Start,
    /// The first word was BEGIN.
    Begun,
    /// The first word was SET.
    Set,
    /// The first token may be a label.
    Label,
    /// Behind CREATE or ALTER: which kind of object it is.
    Object,
    /// A stored program, or what may be one.
    Program,
    /// A program with its semicolon: nothing may follow.
    Ended,
    /// Anything else: its first semicolon ends it.
    Plain,
}

impl Split for Splitter {
    fn ends_statement(&mut self, kind: TokenKind, text: &[u8]) -> Result<bool, Unreadable> {
        let value = std::mem::replace(&mut self.value, kind == TokenKind::Operator);
        if kind == TokenKind::Semicolon {
            self.state = match self.state {
                State::Program | State::Ended => State::Ended,
                _ => State::Start,
            };
            return Ok(true);
        }
        let word = (kind == TokenKind::Word).then_some(text);
        self.state = match self.state {
            State::Plain | State::Program => return Ok(false),
            State::Ended => return Err(unsure("a semicolon in a stored program")),
            State::Start => first(kind, text)?,
            State::Begun if is(word, &["not"]) => return Err(unsure("a block of its own")),
            State::Label if kind == TokenKind::Colon => {
                return Err(unsure("a block of its own"));
            }
            // `SET STATEMENT … FOR …` runs any statement, a block too.
            State::Set if is(word, &["statement"]) => State::Program,
            State::Begun | State::Label | State::Set => State::Plain,
            // The definer's name.
            State::Object if value || word.is_none() => State::Object,
            State::Object if is(word, OF_OBJECTS) => State::Object,
            State::Object if is(word, NO_PROGRAMS) => State::Plain,
            State::Object => State::Program,
        };
        Ok(false)
    }
}

/// What a statement is by its first token.
fn first(kind: TokenKind, text: &[u8]) -> Result<State, Unreadable> {
    let word = (kind == TokenKind::Word).then_some(text);
    if is(word, &["create", "alter"]) {
        Ok(State::Object)
    } else if is(word, &["begin"]) {
        Ok(State::Begun)
    } else if is(word, &["set"]) {
        Ok(State::Set)
    } else if is(word, &["if", "case", "loop", "while", "repeat", "for", "declare"]) {
        Err(unsure("a block of its own"))
    } else if matches!(kind, TokenKind::Word | TokenKind::QuotedIdentifier) {
        Ok(State::Label)
    } else {
        Ok(State::Plain)
    }
}

fn is(word: Option<&[u8]>, words: &[&str]) -> bool {
    word.is_some_and(|word| words.iter().any(|w| word.eq_ignore_ascii_case(w.as_bytes())))
}

/// Words between CREATE or ALTER and what says the kind of object.
const OF_OBJECTS: &[&str] = &["or", "replace", "definer", "if", "not", "exists"];

/// Words that stand there only before what has no body.
const NO_PROGRAMS: &[&str] = &[
    "algorithm",
    "database",
    "fulltext",
    "ignore",
    "index",
    "instance",
    "logfile",
    "offline",
    "online",
    "resource",
    "role",
    "schema",
    "sequence",
    "server",
    "spatial",
    "sql",
    "table",
    "tablespace",
    "temporary",
    "undo",
    "unique",
    "user",
    "view",
];

/// What isn't certain, and what to do about it.
fn unsure(what: &str) -> Unreadable {
    Unreadable::Ambiguous {
        what: format!("{what} makes it uncertain where a statement ends: send it alone"),
    }
}
