//! `[[target]]`: the databases that principals connect to by name.

use std::path::{Path, PathBuf};

use crate::{
    config::{address::Address, section::Section},
    kernel::{access::Level, ids::TargetName, sql::Masking},
};

/// What kind of server a target is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
}

/// How the connection to the upstream is encrypted and checked; the words are libpq's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TargetTls {
    /// Clear text.
    Disable,
    /// Encrypted if the server can, unchecked.
    Prefer,
    /// Encrypted, unchecked.
    Require,
    /// Encrypted, the certificate is signed by a trusted authority.
    VerifyCa,
    /// As `VerifyCa`, and the certificate names the host.
    VerifyFull,
}

/// Where the upstream password comes from; read again at each upstream log-in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PasswordSource {
    /// None is sent: trust, peer.
    Nothing,
    /// The first line of a file.
    File(PathBuf),
    /// An environment variable of the gateway.
    Env(String),
    /// The first line that a program prints; its words, no shell.
    Command(Vec<String>),
}

/// The key of a server of MySQL that the password is encrypted with where nothing protects the connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RsaKey {
    /// There is none: such a log-in fails.
    Nothing,
    /// Whatever the server sends.
    Fetch,
    /// A file of PEM.
    File(PathBuf),
}

/// A database that principals connect to by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// Its name.
    pub name: TargetName,
    /// What it is.
    pub engine: Engine,
    /// Where it is.
    pub address: Address,
    /// The database there; of MySQL the schema that a session begins in, empty: none.
    pub database: String,
    /// The log-in there.
    pub user: String,
    /// Its password.
    pub password: PasswordSource,
    /// Log-ins that can do less, the lowest first.
    pub lower: Vec<LogIn>,
    /// How the connection is protected.
    pub tls: TargetTls,
    /// Trusted authorities as a PEM file; `None`: the system's.
    pub tls_ca: Option<PathBuf>,
    /// MySQL's: what encrypts the password where nothing protects the connection.
    pub rsa_key: RsaKey,
    /// The most upstream connections this gateway opens to it.
    pub max_connections: u32,
    /// User code that may run below admin: `ext:postgis`, `billing.refund(dml)`.
    pub trust: Vec<String>,
    /// What holds for masked columns beyond their rules.
    pub mask: Masking,
    /// For people.
    pub description: Option<String>,
}

impl Target {
    /// Every log-in's name there.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.user.as_str()).chain(self.lower.iter().map(|l| l.user.as_str()))
    }
}

/// A log-in for sessions whose rights go so far and no further.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogIn {
    /// How far.
    pub level: Level,
    /// Its name.
    pub user: String,
    /// Its password.
    pub password: PasswordSource,
}

/// A target, if it has what it must.
pub(super) fn read(section: Section<'_>, base: &Path) -> Option<Target> {
    for key in ["name", "address", "user"] {
        if section.place(key).is_none() {
            section.issue(section.span(), format!("target needs {key}"));
        }
    }
    let name = section.parsed("name", "letters, digits, `-`, `_` and `.`, at most 63", |text| {
        is_target_name(text).then(|| TargetName::new(text))
    });
    let engine = section.choice(
        "engine",
        &[("postgres", Engine::Postgres), ("mysql", Engine::MySql), ("mariadb", Engine::MariaDb)],
    );
    let engine = engine.map_or(Engine::Postgres, |(engine, _)| engine);
    let address = section.address("address").map(|(address, _)| match address {
        Address::Unix(path) => Address::Unix(base.join(path)),
        tcp @ Address::Tcp { .. } => tcp,
    });
    let database = section.text("database");
    let user = section.text("user");
    let password = password(&section, base);
    let lower = lower(&section, base);
    let tls = section.choice(
        "tls",
        &[
            ("disable", TargetTls::Disable),
            ("prefer", TargetTls::Prefer),
            ("require", TargetTls::Require),
            ("verify-ca", TargetTls::VerifyCa),
            ("verify-full", TargetTls::VerifyFull),
        ],
    );
    let tls_ca = section.path("tls_ca");
    let rsa_key = section.text("rsa_key");
    if engine == Engine::Postgres {
        section.unused(&["rsa_key"], "is for engine = \"mysql\" and \"mariadb\" alone");
    }
    let max_connections = section.count("max_connections", 50, 10_000);
    let trust = section.list("trust", trusted);
    let mask = masking(section.section("mask"));
    let description = section.text("description").map(|(text, _)| text);
    let default = match &address {
        Some(address) if address.is_local() => TargetTls::Prefer,
        _ => TargetTls::VerifyFull,
    };
    let tls = tls.map_or(default, |(tls, _)| tls);
    if let (Some((_, span)), false) =
        (&tls_ca, matches!(tls, TargetTls::VerifyCa | TargetTls::VerifyFull))
    {
        section.issue(
            span.clone(),
            "tls_ca is not checked unless tls = \"verify-ca\" or \"verify-full\"",
        );
    }
    section.finish();
    let (name, address, user) = (name?.0, address?, user?.0);
    let rsa_key = match rsa_key {
        Some((fetch, _)) if fetch == "fetch" => RsaKey::Fetch,
        Some((file, _)) => RsaKey::File(base.join(file)),
        None if address.is_local() => RsaKey::Fetch,
        // Fail closed: who sits between would send a key of his own, and read the password.
        None => RsaKey::Nothing,
    };
    Some(Target {
        database: match (database, engine) {
            (Some((database, _)), _) => database,
            // As in libpq: the database is the user's namesake unless said otherwise.
            (None, Engine::Postgres) => user.clone(),
            // A session may be in no schema.
            (None, Engine::MySql | Engine::MariaDb) => String::new(),
        },
        name,
        engine,
        address,
        user,
        password,
        lower,
        tls,
        tls_ca: tls_ca.map(|(path, _)| base.join(path)),
        rsa_key,
        max_connections: max_connections as u32,
        trust: trust.map(|(list, _)| list).unwrap_or_default(),
        mask,
        description,
    })
}

/// `mask.writes`, `mask.unknown` and `mask.copy`.
fn masking(section: Section<'_>) -> Masking {
    let writes = section.choice("writes", &[("refuse", false), ("allow", true)]);
    let unknown = section.choice("unknown", &[("mask", false), ("refuse", true)]);
    let copy = section.choice("copy", &[("mask", false), ("refuse", true)]);
    section.finish();
    Masking {
        writes_allowed: writes.is_some_and(|(allowed, _)| allowed),
        unknown_refused: unknown.is_some_and(|(refused, _)| refused),
        copies_refused: copy.is_some_and(|(refused, _)| refused),
    }
}

/// The log-ins for less than everything, the lowest first.
fn lower(section: &Section<'_>, base: &Path) -> Vec<LogIn> {
    let mut lower = Vec::new();
    for ((name, place), section) in section.named_sections("log_in") {
        let level = [Level::Read, Level::Dml, Level::Ddl].into_iter().find(|l| l.name() == name);
        if level.is_none() {
            let message = format!("`{name}` is not a level of log-ins; accepted: read, dml, ddl");
            section.issue(place, message);
        }
        if section.place("user").is_none() {
            section.issue(section.span(), "log_in needs user");
        }
        let user = section.text("user");
        let password = password(&section, base);
        section.finish();
        if let (Some(level), Some((user, _))) = (level, user) {
            lower.push(LogIn { level, user, password });
        }
    }
    lower.sort_by_key(|log_in| log_in.level);
    lower
}

fn password(section: &Section<'_>, base: &Path) -> PasswordSource {
    let file = section.path("password_file");
    let env = section.text("password_env");
    let command = section.list("password_command", |word| Ok(word.to_owned()));
    let mut given = Vec::new();
    if let Some((path, span)) = file {
        given.push((PasswordSource::File(base.join(path)), span));
    }
    if let Some((name, span)) = env {
        given.push((PasswordSource::Env(name), span));
    }
    if let Some((words, span)) = command {
        if words.is_empty() {
            section.issue(span.clone(), "password_command needs a program");
        }
        given.push((PasswordSource::Command(words), span));
    }
    if let Some((_, span)) = given.get(1) {
        section.issue(
            span.clone(),
            "only one of password_file, password_env and password_command may be given",
        );
    }
    given.into_iter().next().map_or(PasswordSource::Nothing, |(source, _)| source)
}

/// An `@` would be ambiguous in `alice@shop`, a `/` in `shop/database`.
fn is_target_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=63).contains(&text.len()) && text.chars().all(plain)
}

fn trusted(text: &str) -> Result<String, String> {
    let word = |t: &str| {
        !t.is_empty() && t.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '-'))
    };
    let routine = text.strip_suffix("(dml)").unwrap_or(text);
    let fits = match text.strip_prefix("ext:") {
        Some(extension) => word(extension),
        None => routine.split_once('.').is_some_and(|(s, r)| word(s) && (word(r) || r == "*")),
    };
    fits.then(|| text.to_owned()).ok_or_else(|| {
        format!(
            "`{text}` is not a trust entry; write \"ext:postgis\", \"schema.routine\", \
             \"schema.routine(dml)\" or \"schema.*\""
        )
    })
}
