//! How a session's server reads text now.

use super::charset::Encoding;

/// Which server reads it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
}

/// The lexer modes of a session that change what a text means. Part of the cache key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LexMode {
    /// Which server.
    pub dialect: Dialect,
    /// Postgres: a backslash in `'…'` is an ordinary character.
    pub standard_conforming_strings: bool,
    /// Postgres: `client_encoding` isn't UTF-8. In SJIS, BIG5 and their like a backslash or a letter may be
    /// the second half of another character, so that only ASCII reads the same.
    pub ascii_only: bool,
    /// Postgres: what the server makes of a name's letters beyond ASCII.
    pub names: NamesIn,
}

/// How a server keeps names, by its own encoding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NamesIn {
    /// In UTF-8: ASCII letters fold, and a name is cut before a character.
    Utf8,
    /// One byte a character: by its locale other letters fold too, and a name holds more of them than in
    /// UTF-8.
    OneByte,
    /// `SQL_ASCII`: whatever bytes; a locale may take each of them for a letter.
    Bytes,
    /// Several bytes a character, or unknown: two characters of UTF-8 may be one there.
    Other,
}

impl NamesIn {
    /// Of a server with this `server_encoding`.
    pub fn of(server: &str) -> Self {
        match Encoding::named(server) {
            Encoding::Utf8 => Self::Utf8,
            Encoding::Bytes => Self::Bytes,
            Encoding::Table(_) => Self::OneByte,
            Encoding::Other => Self::Other,
        }
    }

    /// True if the server may know what is written like this, between quotes or not, as another name than
    /// a server that keeps names in UTF-8.
    ///
    /// Spec: `downcase_identifier` and `truncate_identifier` of the server.
    pub fn may_differ(self, name: &str, quoted: bool) -> bool {
        if name.is_ascii() {
            return false;
        }
        let too_long = name.len() > NAME_BYTES_MAX;
        // Fail closed: which letters fold is a matter of the locale.
        let folds = |name: &str| name.chars().any(|c| !c.is_ascii() && !c.to_lowercase().eq([c]));
        match self {
            Self::Utf8 => false,
            Self::OneByte => too_long || !quoted && folds(name),
            Self::Bytes => too_long || !quoted,
            Self::Other => true,
        }
    }
}

/// The longest name, in bytes of the server's encoding: `NAMEDATALEN` − 1.
pub const NAME_BYTES_MAX: usize = 63;

impl LexMode {
    /// Postgres as it is out of the box.
    pub const POSTGRES: Self = Self {
        dialect: Dialect::Postgres,
        standard_conforming_strings: true,
        ascii_only: false,
        names: NamesIn::Utf8,
    };
}
