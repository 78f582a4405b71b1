//! How a session's server reads text now.

use super::charset::Encoding;

/// Which server reads it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Dialect {
    /// PostgreSQL.
    #[default]
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
    /// MySQL and MariaDB: what decides which version comments are read: 90704, 101119.
    pub version: u32,
    /// MySQL and MariaDB: the session's `sql_mode`.
    pub sql: SqlMode,
    /// MySQL and MariaDB: the session's `character_set_client`.
    pub client: ClientSet,
    /// MySQL and MariaDB: what stands between quotes is bytes, as the session's `collation_connection` has it.
    pub quotes_bytes: bool,
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
        version: 0,
        sql: SqlMode::PLAIN,
        client: ClientSet::Utf8,
        quotes_bytes: false,
    };

    /// MySQL 9.7 as it is out of the box.
    pub const MYSQL: Self = Self { dialect: Dialect::MySql, version: 90_704, ..Self::POSTGRES };

    /// MariaDB 10.11 as it is out of the box.
    pub const MARIADB: Self =
        Self { dialect: Dialect::MariaDb, version: 101_119, ..Self::POSTGRES };
}

/// Those of MySQL's `sql_mode` that change what a text means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent modes, each the server's own")]
pub struct SqlMode {
    /// `"…"` is a name, not a string.
    pub ansi_quotes: bool,
    /// A backslash in a string is an ordinary character.
    pub no_backslash_escapes: bool,
    /// `||` joins strings. Cuts nothing otherwise, but means something else.
    pub pipes_as_concat: bool,
    /// Blanks may stand between a function's name and its parenthesis.
    pub ignore_space: bool,
    /// NOT binds as tightly as `!`.
    pub high_not_precedence: bool,
}

impl SqlMode {
    /// None of them.
    pub const PLAIN: Self = Self {
        ansi_quotes: false,
        no_backslash_escapes: false,
        pipes_as_concat: false,
        ignore_space: false,
        high_not_precedence: false,
    };

    /// Of a value of `sql_mode`, as the server tells it. `None` for one that has a language of its own
    /// (ORACLE, MSSQL) and for what isn't known: nothing can be read then.
    pub fn of(value: &str) -> Option<Self> {
        let mut mode = Self::PLAIN;
        for name in value.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name.to_ascii_uppercase().as_str() {
                // What it consists of stands beside it in the server's value.
                "ANSI" => {
                    mode.ansi_quotes = true;
                    mode.pipes_as_concat = true;
                    mode.ignore_space = true;
                }
                "ANSI_QUOTES" => mode.ansi_quotes = true,
                "NO_BACKSLASH_ESCAPES" => mode.no_backslash_escapes = true,
                "PIPES_AS_CONCAT" => mode.pipes_as_concat = true,
                "IGNORE_SPACE" => mode.ignore_space = true,
                "HIGH_NOT_PRECEDENCE" => mode.high_not_precedence = true,
                other if INDIFFERENT.contains(&other) => {}
                _ => return None,
            }
        }
        Some(mode)
    }
}

/// Modes that change what values become, not what a text says.
const INDIFFERENT: [&str; 19] = [
    "REAL_AS_FLOAT",
    "ONLY_FULL_GROUP_BY",
    "NO_UNSIGNED_SUBTRACTION",
    "NO_DIR_IN_CREATE",
    "NO_AUTO_VALUE_ON_ZERO",
    "STRICT_TRANS_TABLES",
    "STRICT_ALL_TABLES",
    "NO_ZERO_IN_DATE",
    "NO_ZERO_DATE",
    "ALLOW_INVALID_DATES",
    "ERROR_FOR_DIVISION_BY_ZERO",
    "TRADITIONAL",
    "NO_AUTO_CREATE_USER",
    "NO_ENGINE_SUBSTITUTION",
    "PAD_CHAR_TO_FULL_LENGTH",
    "TIME_TRUNCATE_FRACTIONAL",
    "TIME_ROUND_FRACTIONAL",
    "EMPTY_STRING_IS_NULL",
    "SIMULTANEOUS_ASSIGNMENT",
];

/// How a session of MySQL or MariaDB spells its texts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ClientSet {
    /// `utf8mb4`, `utf8mb3`.
    Utf8,
    /// One of one byte a character, ASCII among them; and the name of its table, if we have it. Beyond ASCII
    /// it is read in strings only: some of its bytes are blanks.
    OneByte(&'static str),
    /// One in which ASCII is ASCII. Beyond it a backslash or a quote may be the second half of another
    /// character, so that only ASCII reads the same.
    AsciiOnly,
    /// One in which a byte of ASCII may be a letter, or that isn't known: nothing can be read.
    Unreadable,
}

impl ClientSet {
    /// Of a `character_set_client`.
    pub fn of(name: &str) -> Self {
        const ONE_BYTE: [(&str, &str); 19] = [
            ("ascii", "none"),
            ("binary", "none"),
            ("cp1250", "windows1250"),
            ("cp1251", "windows1251"),
            ("cp1256", "windows1256"),
            ("cp1257", "windows1257"),
            ("cp850", "none"),
            ("cp852", "none"),
            ("cp866", "windows866"),
            ("greek", "iso88597"),
            ("hebrew", "iso88598"),
            ("koi8r", "koi8r"),
            ("koi8u", "koi8u"),
            ("latin1", "windows1252"),
            ("latin2", "iso88592"),
            ("latin5", "iso88599"),
            ("latin7", "iso885913"),
            ("macce", "none"),
            ("macroman", "none"),
        ];
        const ASCII: [&str; 9] =
            ["big5", "cp932", "eucjpms", "euckr", "gb18030", "gb2312", "gbk", "sjis", "ujis"];
        match name.to_ascii_lowercase().as_str() {
            "utf8mb4" | "utf8mb3" | "utf8" => Self::Utf8,
            other if ASCII.contains(&other) => Self::AsciiOnly,
            other => ONE_BYTE
                .iter()
                .find(|(name, _)| *name == other)
                .map_or(Self::Unreadable, |(_, table)| Self::OneByte(table)),
        }
    }
}
