//! What the gateway itself says to an upstream of MySQL in a client's session, and what of a client's passes
//! without a statement.

use std::borrow::Cow;

use crate::{
    upstream::door::{NoStatement, Own, closed},
    wire::mysql::{Capabilities, command, packet},
};

/// A client's command that carries no statement and may pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relayed {
    /// COM_PING, COM_STATISTICS.
    Ping,
    /// COM_STMT_CLOSE, COM_STMT_RESET.
    Prepared,
    /// COM_STMT_SEND_LONG_DATA of a statement that was judged when it was made.
    LongData,
    /// COM_SET_OPTION.
    Option,
    /// COM_RESET_CONNECTION: what it leaves behind is less than what was there.
    Reset,
    /// The file that a cleared LOAD DATA LOCAL has asked for.
    File,
}

/// The gateway's own commands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Word {
    /// Opens or closes the read-only wall for the transactions that follow.
    Wall {
        /// Writable from now on.
        open: bool,
    },
    /// Rolls back what stood on a right that has ended.
    Rollback,
    /// Asks the server to tell of what changes how texts are read.
    Track,
    /// Asks how texts are read now, and where names are looked up.
    Ask,
    /// Asks for the values of the client's variables, which a call of `hallpass.*` names.
    Variables(Vec<Variable>),
    /// Goodbye.
    Quit,
}

/// The name of a variable that can be written in any mode and any character set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Variable(String);

impl Variable {
    /// The longest, as servers have it.
    const LONGEST: usize = 64;
    /// As much of a value is asked for, in letters.
    const LETTERS: usize = 4000;

    /// `None`: it is written with letters that a text of the gateway's own has no room for.
    pub fn new(name: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.');
        let fits = (1..=Self::LONGEST).contains(&name.len());
        (fits && name.chars().all(plain)).then(|| Self(name.to_owned()))
    }
}

const QUIT: u8 = 0x01;

impl Word {
    /// The text that the server will run, for the record; `None` for commands without one.
    pub fn text(&self) -> Option<Cow<'static, str>> {
        let constant = match self {
            Self::Wall { open: true } => "SET SESSION TRANSACTION READ WRITE",
            Self::Wall { open: false } => "SET SESSION TRANSACTION READ ONLY",
            Self::Rollback => "ROLLBACK",
            Self::Track => {
                "SET SESSION session_track_schema = ON, SESSION session_track_system_variables = \
                 'autocommit,character_set_client,character_set_connection,character_set_results,\
                 sql_mode,time_zone'"
            }
            Self::Ask => {
                "SELECT @@SESSION.sql_mode, @@SESSION.character_set_client, \
                 @@SESSION.character_set_results, @@SESSION.collation_connection, DATABASE()"
            }
            Self::Variables(names) => {
                // Digits, whatever character set results come in.
                let hex = |Variable(name): &Variable| {
                    format!("HEX(LEFT(CONVERT(@`{name}` USING utf8mb4),{}))", Variable::LETTERS)
                };
                let all: Vec<String> = names.iter().map(hex).collect();
                return Some(Cow::Owned(format!("SELECT {}", all.join(", "))));
            }
            Self::Quit => return None,
        };
        Some(Cow::Borrowed(constant))
    }
}

/// A word, to be said to an upstream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    word: Word,
    shared: Capabilities,
}

impl Said {
    /// `shared`: what both sides have agreed on.
    pub fn new(word: Word, shared: Capabilities) -> Self {
        Self { word, shared }
    }
}

impl closed::List for Said {}
impl closed::List for Relayed {}
impl NoStatement for Relayed {}

impl Own for Said {
    fn encode(&self, out: &mut Vec<u8>) {
        packet::put(out, 0, |out| match self.word.text() {
            Some(text) => {
                out.push(command::QUERY);
                if self.shared.has(Capabilities::QUERY_ATTRIBUTES) {
                    // Spec: no attributes, in one set.
                    out.extend([0, 1]);
                }
                out.extend_from_slice(text.as_bytes());
            }
            None => out.push(QUIT),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_a_variable_leaves_its_quotes() {
        for bad in ["", "a`b", "a b", "ä", "a\\", "a'", &"x".repeat(65), "a\0b", "a-b"] {
            assert_eq!(Variable::new(bad), None, "{bad:?}");
        }
        let name = Variable::new("_hallpass.request_0").expect("plain");
        assert_eq!(
            Word::Variables(vec![name]).text().as_deref(),
            Some("SELECT HEX(LEFT(CONVERT(@`_hallpass.request_0` USING utf8mb4),4000))")
        );
    }
}
