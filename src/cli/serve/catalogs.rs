//! Keeps every target's catalog fresh: after DDL that passed through, and by time.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::task::{AbortHandle, JoinSet};

use super::Gateway;
use crate::{
    session::services::Target,
    upstream::{Control, catalog},
};

/// A catalog is read again after so long, whatever happened.
const EVERY: Duration = Duration::from_secs(60);
/// A reading that failed is tried again after so long: a table was dropped under it, or the target is
/// away.
const AGAIN: Duration = Duration::from_secs(2);
/// The least time between two readings.
const PAUSE: Duration = Duration::from_millis(200);
/// How long one reading may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the start waits for the first readings.
const AT_START: Duration = Duration::from_secs(10);

/// Reads all catalogs before the first session, if the targets answer in time.
pub(super) async fn read_all_once(gateway: &Gateway) {
    let mut readings = JoinSet::new();
    for target in gateway.services.world.load().targets.values() {
        let target = Arc::clone(target);
        readings.spawn(async move {
            read(&target).await;
        });
    }
    let all = async { while readings.join_next().await.is_some() {} };
    if tokio::time::timeout(AT_START, all).await.is_err() {
        tracing::warn!("some targets have not answered; serving without their catalogs");
    }
}

/// Follows all targets, those that a reload brings too.
pub(super) async fn keep(gateway: Arc<Gateway>) {
    let mut followed: Vec<(Weak<Target>, AbortHandle)> = Vec::new();
    let mut tasks = JoinSet::new();
    loop {
        for target in gateway.services.world.load().targets.values() {
            if !followed.iter().any(|(t, _)| std::ptr::eq(t.as_ptr(), Arc::as_ptr(target))) {
                let task = tasks.spawn(follow(Arc::clone(target)));
                followed.push((Arc::downgrade(target), task));
            }
        }
        // What a reload replaced is followed as long as sessions of before go by it.
        followed.retain(|(target, task)| {
            let used = target.strong_count() > 1;
            if !used {
                task.abort();
            }
            used
        });
        while tasks.try_join_next().is_some() {}
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn follow(target: Arc<Target>) {
    // Without a catalog every name is unknown, and with an old one those that are new: keep trying.
    let mut wait = if target.catalog.load().epoch == 0 { Duration::ZERO } else { EVERY };
    loop {
        tokio::select! {
            () = target.readings.is_asked() => {}
            () = tokio::time::sleep(wait) => {}
        }
        wait = if read(&target).await { EVERY } else { AGAIN };
        tokio::time::sleep(PAUSE).await;
    }
}

/// Reads the catalog; true if there is a new one.
async fn read(target: &Target) -> bool {
    let epoch = target.catalog.load().epoch + 1;
    let answers = target.readings.begin();
    let read = async {
        let mut control = Control::connect(&target.connect, PATIENCE).await?;
        let catalog = catalog::read(&mut control, epoch).await;
        control.close().await;
        catalog
    };
    match read.await {
        Ok(mut catalog) => {
            if !target.lower.is_empty() {
                // Sessions log in as others.
                catalog.login = None;
            }
            tracing::debug!(target = %target.name, epoch, "catalog read");
            target.catalog.store(Arc::new(catalog));
            target.readings.end(answers);
            true
        }
        Err(error) => {
            tracing::warn!(target = %target.name, error = %error, "the catalog could not be read");
            false
        }
    }
}
