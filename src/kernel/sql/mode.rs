//! How a session's server reads text now.

/// Which server reads it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
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
}

impl LexMode {
    /// Postgres as it is out of the box.
    pub const POSTGRES: Self =
        Self { dialect: Dialect::Postgres, standard_conforming_strings: true, ascii_only: false };
}
