//! What a command works with: settings, store, the user of the machine, the clock.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use nix::unistd::{User, getuid};

use crate::{
    cli::{Error, Output},
    config::{Config, StoreSetting},
    kernel::time::Timestamp,
    store::{Actor, Backend, Rules, Store},
};

/// What a command works with.
#[derive(Debug)]
pub(super) struct Workplace {
    pub(super) config: Config,
    pub(super) output: Output,
    pub(super) actor: Actor,
}

impl Workplace {
    pub(super) fn new(config: &Path, output: Output) -> Result<Self, Error> {
        Ok(Self { config: Config::load(config)?, output, actor: os_actor() })
    }

    /// Opens the store.
    pub(super) async fn store(&self) -> Result<Store, Error> {
        Ok(Store::open(backend(&self.config), rules(&self.config)).await?)
    }
}

/// Where the settings say the store is.
pub(super) fn backend(config: &Config) -> Backend {
    match &config.store {
        StoreSetting::Embedded(file) => Backend::Sqlite(file.clone()),
        StoreSetting::Postgres(url) => Backend::Postgres(url.as_str().to_owned()),
    }
}

/// What the settings say about who may do what.
pub(super) fn rules(config: &Config) -> Rules {
    Rules {
        roles: config.roles.clone(),
        targets: config.targets.iter().map(|t| t.name.clone()).collect(),
        max_duration: config.limits.max_duration,
        row_budget: config.limits.row_budget,
        request_expires: config.limits.request_expires,
        native_passwords: config.listeners.iter().any(|listener| listener.native_password),
    }
}

/// The time of the machine. A clock before 1970 reads as 1970; the store knows better anyway.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::default().plus(since)
}

/// Who runs this process, and through whose sudo.
fn os_actor() -> Actor {
    let uid = getuid();
    let user = match User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        Ok(None) | Err(_) => uid.to_string(),
    };
    // sudo's own word; whoever is root could have set it, and could as well edit the store.
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    let sudo_user = std::env::var("SUDO_USER")
        .ok()
        .filter(|name| (1..=64).contains(&name.len()) && name.chars().all(plain))
        .filter(|name| *name != user);
    Actor::Os { user, sudo_user }
}
