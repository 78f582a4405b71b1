//! Where one statement ends and the next begins.

use crate::kernel::sql::{
    analysis::Unreadable,
    lex::{Split, TokenKind},
};

/// Follows the tokens of a text and tells which semicolons end a statement: those outside of
/// parentheses (`CREATE RULE … DO (a; b)`) and outside of `BEGIN ATOMIC … END`, the body of a
/// routine in SQL.
///
/// Like psql it knows that body by its words. `CASE` and `END` are allowed as names of result columns
/// there; who uses them so makes our count differ from the server's own grammar's, and is refused.
#[derive(Clone, Debug, Default)]
pub struct Splitter {
    depth: u32,
    lead: Lead,
    body: u32,
    previous: Previous,
}

/// How a statement began, as far as that matters here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Lead {
    #[default]
    Start,
    Create,
    CreateOr,
    CreateOrReplace,
    /// CREATE [OR REPLACE] FUNCTION or PROCEDURE.
    Routine,
    Plain,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Previous {
    #[default]
    Any,
    Begin,
    /// A name must follow: `AS`, a dot.
    Label,
}

impl Split for Splitter {
    #[inline]
    fn ends_statement(&mut self, kind: TokenKind, text: &[u8]) -> Result<bool, Unreadable> {
        match kind {
            TokenKind::Semicolon if self.depth == 0 && self.body == 0 => {
                *self = Self::default();
                return Ok(true);
            }
            TokenKind::Word if self.lead != Lead::Plain => self.word(text),
            TokenKind::OpenParen | TokenKind::OpenBracket => {
                self.depth = self.depth.saturating_add(1);
                self.other();
            }
            TokenKind::CloseParen | TokenKind::CloseBracket => {
                self.depth = self.depth.saturating_sub(1);
                self.other();
            }
            TokenKind::Dot => self.previous = Previous::Label,
            _ => self.other(),
        }
        Ok(false)
    }
}

impl Splitter {
    fn other(&mut self) {
        self.previous = Previous::Any;
        if self.lead != Lead::Routine {
            self.lead = Lead::Plain;
        }
    }

    fn word(&mut self, text: &[u8]) {
        let is = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
        self.lead = match self.lead {
            Lead::Start if is("create") => Lead::Create,
            Lead::Create if is("or") => Lead::CreateOr,
            Lead::CreateOr if is("replace") => Lead::CreateOrReplace,
            Lead::Create | Lead::CreateOrReplace if is("function") || is("procedure") => {
                Lead::Routine
            }
            Lead::Routine => Lead::Routine,
            _ => Lead::Plain,
        };
        if self.lead != Lead::Routine {
            return;
        }
        let previous = std::mem::take(&mut self.previous);
        if previous == Previous::Label {
            return;
        }
        if is("as") {
            self.previous = Previous::Label;
        } else if self.body == 0 {
            if is("begin") {
                self.previous = Previous::Begin;
            } else if previous == Previous::Begin && is("atomic") && self.depth == 0 {
                self.body = 1;
            }
        } else if is("case") {
            self.body = self.body.saturating_add(1);
        } else if is("end") {
            self.body -= 1;
        }
    }
}
