//! What clients of MySQL are greeted with: what the servers behind a listener say of themselves. A client is
//! greeted before it is known where it goes, so that all of them must be of one kind.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::timeout};

use super::Gateway;
use crate::{
    config::Listener,
    session::services::{Face, Greeted, Services, Target},
    store::KnownGreeting,
    upstream::{
        UpstreamError,
        mysql::{family, greeting, major},
    },
    wire::mysql::Capabilities,
};

/// How often servers are asked again: they may have been upgraded.
const EVERY: Duration = Duration::from_secs(60);
/// How often while none has answered.
const AGAIN: Duration = Duration::from_secs(2);
/// How long each is waited for, and the start for all.
const AT_START: Duration = Duration::from_secs(5);

/// Asks the servers that a listener may lead to. Who doesn't answer is taken for what it was last.
pub(super) async fn look(gateway: &Gateway, setting: &Listener, face: &Face) {
    let mut asked = JoinSet::new();
    for (at, target) in behind(gateway, setting).into_iter().enumerate() {
        let services = Arc::clone(&gateway.services);
        asked.spawn(async move { (at, says(&services, &target).await, target) });
    }
    let mut all = asked.join_all().await;
    all.sort_by_key(|(at, ..)| *at);
    let mut found: Option<Greeted> = None;
    for (_, greeted, target) in all {
        let Some(greeted) = greeted else { continue };
        found = Some(match found {
            None => greeted,
            Some(before) if before.family != greeted.family => {
                tracing::error!(target = %target.name, address = %setting.address,
                    "MySQL and MariaDB behind one listener: give each target a listener of its own");
                before
            }
            Some(before) => {
                if major(&before.version) != major(&greeted.version) {
                    tracing::warn!(target = %target.name, address = %setting.address,
                        "two major versions behind one listener: give each target a listener of its own");
                }
                Greeted { capabilities: before.capabilities & greeted.capabilities, ..before }
            }
        });
    }
    if let Some(found) = found {
        face.now.store(Some(Arc::new(found)));
    }
}

/// What a server says of itself, or has said when it was heard last.
async fn says(services: &Services, target: &Target) -> Option<Greeted> {
    let log_ins = target.mysql()?;
    let server = format!("{} {}", target.name, log_ins.full.address);
    let known = services.store.greeting(&server).await.unwrap_or_else(|error| {
        tracing::warn!(error = %error, "how servers have greeted could not be read");
        None
    });
    let answered = timeout(AT_START, greeting(&log_ins.full)).await;
    match answered.unwrap_or(Err(UpstreamError::TooSlow)) {
        Ok(greeting) => {
            let now = KnownGreeting {
                version: String::from_utf8_lossy(&greeting.version).into_owned(),
                capabilities: greeting.capabilities.bits(),
                collation: greeting.collation,
            };
            if known.as_ref() != Some(&now)
                && let Err(error) = services.store.greeting_keep(&server, &now).await
            {
                tracing::warn!(error = %error, "how a server greets could not be kept");
            }
            Some(greeted(now))
        }
        Err(error) => {
            tracing::warn!(target = %target.name, error = %error, "it was not greeted");
            known.map(greeted)
        }
    }
}

fn greeted(known: KnownGreeting) -> Greeted {
    let KnownGreeting { version, capabilities, collation } = known;
    let capabilities = Capabilities::from_bits(capabilities as u32, (capabilities >> 32) as u32);
    Greeted { family: family(&version), version, capabilities, collation }
}

/// Asks them again and again.
pub(super) async fn keep(gateway: Arc<Gateway>, setting: Listener, face: Arc<Face>) {
    loop {
        let known = face.now.load().is_some();
        tokio::time::sleep(if known { EVERY } else { AGAIN }).await;
        look(&gateway, &super::current(&gateway, &setting), &face).await;
    }
}

fn behind(gateway: &Gateway, setting: &Listener) -> Vec<Arc<Target>> {
    let world = gateway.services.world.load();
    let mut targets: Vec<_> = world
        .targets
        .values()
        .filter(|target| setting.target.as_ref().is_none_or(|only| *only == target.name))
        .map(Arc::clone)
        .collect();
    targets.sort_by(|a, b| a.name.cmp(&b.name));
    targets
}

/// Fail closed: which of the two it is decides how texts are read.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::sql::mode::Dialect;

    #[test]
    fn a_server_is_known_by_its_version() {
        assert_eq!(family("9.7.4"), Dialect::MySql);
        assert_eq!(family("5.5.5-10.11.19-MariaDB-0+deb12u1"), Dialect::MariaDb);
    }
}
