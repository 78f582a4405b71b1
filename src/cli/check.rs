//! `hallpass check`: what is wrong, and what is unwise. Changes nothing.
//!
//! Each subject is a function from the settings to findings; [`run`] calls them in turn.

mod targets;

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::ExitCode,
};

use serde_json::{Value, json};

use crate::{
    cli::{Error, Output, workplace::backend},
    config::{Address, Config, ListenTls, PasswordSource, Protocol, StoreSetting, TargetTls},
    kernel::time::format_duration,
    net::clock::{Clock, NODES_DIFFER},
    store::{Schema, Store},
};

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Severity {
    /// Something will not work. The exit code is 1.
    Problem,
    /// It works, and weakens what the gateway promises.
    Warning,
}

/// One thing that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    /// What it is about: `target shop`.
    pub(super) about: String,
    pub(super) message: String,
}

impl Finding {
    pub(super) fn problem(about: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Problem, about: about.into(), message: message.into() }
    }

    pub(super) fn warning(about: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, about: about.into(), message: message.into() }
    }

    fn word(&self) -> &'static str {
        match self.severity {
            Severity::Problem => "problem",
            Severity::Warning => "warning",
        }
    }
}

pub(super) async fn run(file: &Path, offline: bool, output: Output) -> Result<ExitCode, Error> {
    let config = Config::load(file)?;
    let mut findings = listeners(&config);
    findings.extend(roles(&config));
    findings.extend(data_dir(&config));
    findings.extend(passwords(&config));
    findings.extend(target_tls(&config));
    findings.extend(store(&config).await);
    if !offline {
        findings.extend(targets::reach_all(&config).await);
    }
    let ok = findings.iter().all(|f| f.severity != Severity::Problem);
    output.answer(&to_json(&config, &findings, ok), &to_text(&config, &findings, ok))?;
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn to_json(config: &Config, findings: &[Finding], ok: bool) -> Value {
    let findings: Vec<Value> = findings
        .iter()
        .map(|f| json!({"severity": f.word(), "about": f.about, "message": f.message}))
        .collect();
    json!({"file": config.file, "ok": ok, "findings": findings})
}

fn to_text(config: &Config, findings: &[Finding], ok: bool) -> String {
    let mut text = format!(
        "{}: {} listeners, {} targets, {} roles\n",
        config.file.display(),
        config.listeners.len(),
        config.targets.len(),
        config.roles.len()
    );
    for finding in findings {
        text.push_str(&format!("{}: {}: {}\n", finding.word(), finding.about, finding.message));
    }
    text.push_str(if ok { "ok" } else { "not ok" });
    text
}

fn listeners(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !config.listeners.iter().any(|l| l.protocol != Protocol::Http) {
        let message = "there is none with protocol = \"postgres\": nobody can connect";
        findings.push(Finding::warning("listen", message));
    }
    if config.targets.is_empty() {
        findings.push(Finding::warning("target", "there is none: nothing to connect to"));
    }
    for listener in &config.listeners {
        let about = format!("listen {}", listener.address);
        if listener.protocol == Protocol::Http && !listener.address.is_local() {
            let message = "health and metrics are open to the network, in clear, without a log-in";
            findings.push(Finding::warning(&about, message));
        }
        if listener.protocol != Protocol::Http
            && !listener.address.is_local()
            && listener.tls != ListenTls::Require
        {
            let message = "clients may connect in clear: every row can be read on the way";
            findings.push(Finding::warning(&about, message));
        }
        for file in listener.certificate.iter().flat_map(|c| [&c.cert, &c.key]) {
            if let Err(cause) = fs::File::open(file) {
                findings.push(Finding::problem(&about, format!("{}: {cause}", file.display())));
            }
        }
    }
    findings
}

fn roles(config: &Config) -> Vec<Finding> {
    config
        .roles
        .iter()
        .filter(|role| role.standing.iter().any(crate::kernel::access::Permission::writes))
        .map(|role| {
            let message = "may write on every target at any time, without a grant";
            Finding::warning(format!("role {}", role.name), message)
        })
        .collect()
}

fn data_dir(config: &Config) -> Vec<Finding> {
    let about = "data_dir";
    let path = &config.data_dir;
    let Ok(metadata) = fs::metadata(path) else { return Vec::new() };
    if !metadata.is_dir() {
        return vec![Finding::problem(about, format!("{}: is no folder", path.display()))];
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o022 == 0 {
        return Vec::new();
    }
    let message = format!(
        "{} has mode {mode:o}: others can replace store, keys and trail; chmod 700 it",
        path.display()
    );
    vec![Finding::warning(about, message)]
}

fn passwords(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    for target in &config.targets {
        let about = format!("target {}", target.name);
        match &target.password {
            PasswordSource::Nothing => {}
            PasswordSource::File(file) => match fs::metadata(file) {
                Err(cause) => {
                    let message = format!("{}: {cause}", file.display());
                    findings.push(Finding::problem(&about, message));
                }
                Ok(metadata) if metadata.mode() & 0o007 != 0 => {
                    let message = format!("{}: every user can read it", file.display());
                    findings.push(Finding::warning(&about, message));
                }
                Ok(_) => {}
            },
            PasswordSource::Env(name) => {
                // The command may run in another environment than the gateway.
                if std::env::var_os(name).is_none() {
                    let message = format!("{name} is not set in this environment");
                    findings.push(Finding::warning(&about, message));
                }
            }
            PasswordSource::Command(words) => {
                let program = words.first().map(Path::new).filter(|p| p.is_absolute());
                if let Some(missing) = program.filter(|p| !p.exists()) {
                    let message = format!("{}: there is no such program", missing.display());
                    findings.push(Finding::problem(&about, message));
                }
            }
        }
    }
    findings
}

fn target_tls(config: &Config) -> Vec<Finding> {
    config
        .targets
        .iter()
        .filter(|t| matches!(t.address, Address::Tcp { .. }) && !t.address.is_local())
        .filter_map(|target| {
            let message = match target.tls {
                TargetTls::Disable | TargetTls::Prefer => "rows may cross the network in clear",
                TargetTls::Require => "the server's certificate is not checked",
                TargetTls::VerifyCa | TargetTls::VerifyFull => return None,
            };
            Some(Finding::warning(format!("target {}", target.name), message))
        })
        .collect()
}

/// Time goes on from the latest that the store has seen; one clock that was ahead once is enough.
async fn clock(config: &Config) -> Option<Finding> {
    let seen = Store::time_seen(&backend(config)).await.ok().flatten()?;
    let ahead = seen.since(Clock::System.now());
    (ahead > NODES_DIFFER).then(|| {
        let message = format!(
            "has seen the time {seen}, {} ahead of this machine's clock: a clock was wrong, or this one \
             is. Grants last as long as they say, but times on the trail go on from there. If this clock is right, \
             `hallpass store set-time` shows what setting it right comes to",
            format_duration(ahead)
        );
        Finding::warning("store", message)
    })
}

async fn store(config: &Config) -> Vec<Finding> {
    let about = "store";
    let mut findings = Vec::new();
    if backend(config).is_unverified() {
        let message = "is reached without checking its certificate: add sslmode=verify-full";
        findings.push(Finding::warning(about, message));
    }
    match Store::schema(&backend(config)).await {
        Ok(Schema::None) => {}
        Ok(Schema::Known) => findings.extend(clock(config).await),
        Ok(Schema::Newer { found, known }) => {
            let message = format!("has schema {found}, this version knows {known}");
            findings.push(Finding::problem(about, message));
        }
        Err(error) => findings.push(Finding::problem(about, error.to_string())),
    }
    if let StoreSetting::Embedded(file) = &config.store
        && let Ok(metadata) = fs::metadata(file)
        && metadata.mode() & 0o077 != 0
    {
        let message = format!("{}: other users may open it; chmod 600 it", file.display());
        findings.push(Finding::warning(about, message));
    }
    findings
}
