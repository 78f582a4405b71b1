//! `proxy.toml` → [`Config`]: parsed once, refused with file, line and accepted values. Floor 5.
//!
//! Relative paths count from the settings file's folder. Every problem of a file is reported, not
//! only the first. `proxy.toml.example` is the manual; a test holds it and this module against each
//! other.
//!
//! # Reload
//! A SIGHUP loads the file again; a file with a problem changes nothing. New sessions and new
//! decisions see: targets, roles, limits, `log.level`, and the listeners' certificates, `target` and
//! `allow`. A change of the rest waits for a restart; [`Config::restart_keys`] names it.

pub mod address;
pub mod limits;
pub mod listen;
pub mod masks;
mod section;
pub mod target;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    fmt, io,
    ops::Range,
    path::{Path, PathBuf},
};

use toml::de::DeTable;

pub use crate::config::{
    address::{Address, DatabaseUrl},
    limits::{
        Audit, Durability, IndexSetting, Limits, Log, LogFormat, LogLevel, Over, ParameterDetail,
        StatementDetail, StoreSetting,
    },
    listen::{CertificateFiles, ListenTls, Listener, Protocol},
    target::{Engine, LogIn, PasswordSource, RsaKey, Target, TargetTls},
};
use crate::{
    config::section::{Findings, Section},
    kernel::{
        access::{Duty, Permission, PermissionSet, Role},
        ids::RoleName,
    },
    net::Network,
};

/// All settings, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The file they were read from.
    pub file: PathBuf,
    /// Embedded store, trail, audit index, keys, generated certificates.
    pub data_dir: PathBuf,
    /// Where the store is.
    pub store: StoreSetting,
    /// Where clients connect.
    pub listeners: Vec<Listener>,
    /// The databases behind.
    pub targets: Vec<Target>,
    /// The built-in roles, those of the file in their place or beside them.
    pub roles: Vec<Role>,
    /// From where holders of a role may log in; a role that isn't here: from everywhere.
    pub networks: Vec<(RoleName, Vec<Network>)>,
    /// Limits.
    pub limits: Limits,
    /// The trail.
    pub audit: Audit,
    /// The log.
    pub log: Log,
}

/// One problem of a settings file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issue {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, and what would be accepted.
    pub message: String,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{}: {cause}", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It was read, and is refused.
    #[error("{}", IssueList { file, issues })]
    Refused {
        /// Which file.
        file: PathBuf,
        /// Every problem, in the order of the file.
        issues: Vec<Issue>,
    },
}

struct IssueList<'a> {
    file: &'a Path,
    issues: &'a [Issue],
}

impl fmt::Display for IssueList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, issue) in self.issues.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{}:{}: {}", self.file.display(), issue.line, issue.message)?;
        }
        Ok(())
    }
}

impl Config {
    /// Reads and checks a settings file.
    ///
    /// # Errors
    /// Unreadable, or refused with every problem found.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file)
            .map_err(|cause| ConfigError::Unreadable { file: file.to_owned(), cause })?;
        Self::parse(file, &text)
    }

    /// Checks settings that were read from `file`.
    ///
    /// # Errors
    /// Refused with every problem found.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ConfigError> {
        let (config, issues, _) = read(file, text);
        match config {
            Some(config) if issues.is_empty() => Ok(config),
            _ => Err(ConfigError::Refused { file: file.to_owned(), issues }),
        }
    }

    /// The target of that name.
    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|t| t.name.as_str() == name)
    }

    /// The keys that differ in `new` and that only a restart takes over.
    pub fn restart_keys(&self, new: &Self) -> Vec<&'static str> {
        let places = |c: &Self| -> Vec<_> {
            c.listeners.iter().map(|l| (l.protocol, l.address.clone(), l.tls)).collect()
        };
        let mut keys = Vec::new();
        let mut differs = |key, differs: bool| {
            if differs {
                keys.push(key);
            }
        };
        differs("data_dir", self.data_dir != new.data_dir);
        differs("store", self.store != new.store);
        differs("listen", places(self) != places(new));
        differs("limits.connections", self.limits.connections != new.limits.connections);
        differs("audit", self.audit != new.audit);
        differs("log.format", self.log.format != new.log.format);
        keys
    }
}

/// The settings as far as they can be made, every problem, and every key that was asked for.
fn read(file: &Path, text: &str) -> (Option<Config>, Vec<Issue>, BTreeSet<String>) {
    let findings = Findings::default();
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        findings.issue(error.span().unwrap_or(0..0), error.message());
    }
    // After a syntax error the rest may be read askew: its problems would only confuse.
    let config = errors.is_empty().then(|| {
        let top = Section::new("", 0..0, Some(document.get_ref()), &findings);
        let mut config = read_top(file, top, &findings);
        for listener in &mut config.listeners {
            listener.line = line_of(text, &(listener.line..listener.line));
        }
        config
    });
    let (issues, asked) = findings.into_parts();
    let issues = issues
        .into_iter()
        .map(|(span, message)| Issue { line: line_of(text, &span), message })
        .collect();
    (config, issues, asked)
}

fn read_top(file: &Path, top: Section<'_>, findings: &Findings) -> Config {
    let base = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let data_dir = top.path("data_dir").map_or_else(|| "hallpass-data".into(), |(path, _)| path);
    let data_dir = base.join(data_dir);
    let store = top
        .parsed("store", "a URL \"postgres://…\"; leave it out for SQLite in data_dir", |url| {
            DatabaseUrl::parse(url).map(StoreSetting::Postgres)
        })
        .map_or_else(|| StoreSetting::Embedded(data_dir.join("hallpass.db")), |(store, _)| store);
    let listen_sections = top.sections("listen");
    let target_sections = top.sections("target");
    let targets = read_targets(target_sections, base, findings);
    let listeners = read_listeners(listen_sections, base, &targets, findings);
    let (roles, networks) = read_roles(&top);
    let limits = limits::read_limits(top.section("limits"));
    let audit = limits::read_audit(top.section("audit"));
    let log = limits::read_log(top.section("log"));
    top.finish();
    let file = file.to_owned();
    Config { file, data_dir, store, listeners, targets, roles, networks, limits, audit, log }
}

fn read_targets(sections: Vec<Section<'_>>, base: &Path, findings: &Findings) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for section in sections {
        let span = section.place("name").unwrap_or_else(|| section.span());
        let Some(target) = target::read(section, base) else { continue };
        if targets.iter().any(|t| t.name == target.name) {
            findings.issue(span, format!("there are two targets of the name {}", target.name));
        }
        targets.push(target);
    }
    targets
}

fn read_listeners(
    sections: Vec<Section<'_>>,
    base: &Path,
    targets: &[Target],
    findings: &Findings,
) -> Vec<Listener> {
    let mut listeners: Vec<Listener> = Vec::new();
    for section in sections {
        let address_span = section.place("address").unwrap_or_else(|| section.span());
        let target_span = section.place("target").unwrap_or_else(|| section.span());
        let Some(listener) = listen::read(section, base) else { continue };
        if listeners.iter().any(|l| l.address == listener.address) {
            let message = format!("two listeners have the address {}", listener.address);
            findings.issue(address_span.clone(), message);
        }
        if let Some(name) = &listener.target
            && !targets.iter().any(|t| t.name == *name)
        {
            let known: Vec<&str> = targets.iter().map(|t| t.name.as_str()).collect();
            let message = format!(
                "there is no [[target]] of the name {name}; there are: {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            );
            findings.issue(target_span, message);
        }
        if let Some(message) = of_two_families(&listener, targets) {
            findings.issue(address_span, message);
        }
        listeners.push(listener);
    }
    listeners
}

/// What is wrong with a listener that leads to servers of both families: clients are greeted as by one of
/// them, before they say where they go, and read texts as it does.
fn of_two_families(listener: &Listener, targets: &[Target]) -> Option<String> {
    if listener.protocol != Protocol::MySql || listener.target.is_some() {
        return None;
    }
    let of = |engine| targets.iter().find(|target| target.engine == engine).map(|t| &t.name);
    let (mysql, mariadb) = (of(Engine::MySql)?, of(Engine::MariaDb)?);
    Some(format!(
        "MySQL (target {mysql}) and MariaDB (target {mariadb}) can't be behind one listener: clients are \
         greeted before they say where they go; give each target a listener of its own with \
         target = \"{mysql}\", target = \"{mariadb}\""
    ))
}

type RoleNetworks = Vec<(RoleName, Vec<Network>)>;

/// The roles, and from where those with `allow` may log in.
fn read_roles(top: &Section<'_>) -> (Vec<Role>, RoleNetworks) {
    let mut roles = Role::built_in();
    let mut networks = RoleNetworks::new();
    for ((name, span), section) in top.named_sections("roles") {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > 63 || !name.chars().all(plain) {
            let message = "a role's name has letters, digits, `-`, `_` and `.`, at most 63";
            section.issue(span, message);
        }
        let standing = section
            .list("standing", |text| text.parse::<Permission>().map_err(|e| e.to_string()))
            .map_or(PermissionSet::NONE, |(list, _)| list.into_iter().collect());
        let duties = section
            .list("duties", |text| match text {
                "approver" => Ok(Duty::Approver),
                "auditor" => Ok(Duty::Auditor),
                "owner" => Ok(Duty::Owner),
                _ => Err(format!("`{text}` is not a duty; accepted: approver, auditor, owner")),
            })
            .map_or_else(Vec::new, |(list, _)| list);
        let allow = section.list("allow", listen::network);
        if allow.as_ref().is_some_and(|(list, _)| list.is_empty()) {
            let span = section.place("allow").unwrap_or_else(|| section.span());
            section.issue(span, "allow = [] lets nobody log in; leave it out for everywhere");
        }
        networks.extend(allow.map(|(list, _)| (RoleName::new(name.as_str()), list)));
        section.finish();
        let role = Role { name: RoleName::new(name.as_str()), standing, duties };
        roles.retain(|r| r.name != role.name);
        roles.push(role);
    }
    (roles, networks)
}

fn line_of(text: &str, span: &Range<usize>) -> usize {
    let before = text.as_bytes().get(..span.start.min(text.len())).unwrap_or_default();
    before.split(|b| *b == b'\n').count()
}
