//! What clients of MySQL are greeted with: what the servers behind a listener say of themselves. A client is
//! greeted before it is known where it goes, so that all of them must be of one kind.

use std::{sync::Arc, time::Duration};

use super::Gateway;
use crate::{
    config::Listener,
    session::services::{Face, Greeted, Target},
    upstream::mysql::{family, greeting},
};

/// How often servers are asked again: they may have been upgraded.
const EVERY: Duration = Duration::from_secs(60);
/// How often while none has answered.
const AGAIN: Duration = Duration::from_secs(2);
/// How long the start waits for one.
const AT_START: Duration = Duration::from_secs(5);

/// Asks the servers that a listener may lead to.
pub(super) async fn look(gateway: &Gateway, setting: &Listener, face: &Face) {
    let all = async {
        let targets = behind(gateway, setting);
        let mut found: Option<Greeted> = None;
        for target in &targets {
            let Some(log_ins) = target.mysql() else { continue };
            let greeted = match greeting(&log_ins.full).await {
                Ok(greeting) => {
                    let version = String::from_utf8_lossy(&greeting.version).into_owned();
                    Greeted {
                        family: family(&version),
                        version,
                        capabilities: greeting.capabilities,
                        collation: greeting.collation,
                    }
                }
                Err(error) => {
                    tracing::warn!(target = %target.name, error = %error, "it was not greeted");
                    continue;
                }
            };
            found = Some(match found {
                None => greeted,
                Some(before) if before.family != greeted.family => {
                    tracing::error!(target = %target.name, address = %setting.address,
                        "MySQL and MariaDB behind one listener: give it target = \"…\", or two listeners");
                    before
                }
                Some(before) => {
                    Greeted { capabilities: before.capabilities & greeted.capabilities, ..before }
                }
            });
        }
        if let Some(found) = found {
            face.now.store(Some(Arc::new(found)));
        }
    };
    if tokio::time::timeout(AT_START, all).await.is_err() {
        tracing::warn!(address = %setting.address, "the servers behind a listener have not answered");
    }
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
