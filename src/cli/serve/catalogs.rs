//! Keeps every target's catalog fresh: after DDL that passed through, and by time.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    sync::{oneshot, watch},
    task::{AbortHandle, JoinSet},
};

use super::Gateway;
use crate::{
    kernel::{catalog::Catalog, ids::TargetName, mask::marks::Marks},
    session::{
        registry::Registry,
        services::{Server, Target},
        signal::Wake,
    },
    store::Masks,
    upstream::{Control, catalog, mysql},
    wire::pg::types,
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
        let (target, mut of) = (Arc::clone(target), Followed::by(gateway));
        readings.spawn(async move {
            read(&target, &mut of).await;
        });
    }
    let all = async { while readings.join_next().await.is_some() {} };
    if tokio::time::timeout(AT_START, all).await.is_err() {
        tracing::warn!("some targets have not answered; serving without their catalogs");
    }
}

/// What a target's catalog goes by besides the target, and who goes by it.
struct Followed {
    masks: watch::Receiver<Arc<Masks>>,
    registry: Arc<Registry>,
}

impl Followed {
    fn by(gateway: &Gateway) -> Self {
        let services = &gateway.services;
        Self { masks: services.masks.subscribe(), registry: Arc::clone(&services.registry) }
    }
}

/// Follows all targets, those that a reload brings too.
pub(super) async fn keep(gateway: Arc<Gateway>) {
    let mut followed: Vec<(Weak<Target>, AbortHandle)> = Vec::new();
    let mut tasks = JoinSet::new();
    loop {
        for target in gateway.services.world.load().targets.values() {
            if !followed.iter().any(|(t, _)| std::ptr::eq(t.as_ptr(), Arc::as_ptr(target))) {
                let task = tasks.spawn(follow(Arc::clone(target), Followed::by(&gateway)));
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

async fn follow(target: Arc<Target>, mut of: Followed) {
    // They may have changed since the catalog was marked.
    of.masks.mark_changed();
    // Without a catalog every name is unknown, and with an old one those that are new: keep trying.
    let mut wait = if target.catalog.load().is_unread() { Duration::ZERO } else { EVERY };
    loop {
        tokio::select! {
            () = target.readings.is_asked() => {}
            changed = of.masks.changed() => {
                if changed.is_err() {
                    // The gateway is gone.
                    return;
                }
                mark_anew(&target, &of).await;
                continue;
            }
            () = tokio::time::sleep(wait) => {}
        }
        wait = if read(&target, &mut of).await { EVERY } else { AGAIN };
        tokio::time::sleep(PAUSE).await;
    }
}

/// Reads the catalog; true if there is a new one. Masks that change meanwhile fall on the old one at once:
/// a target that doesn't answer holds them up no longer than others.
async fn read(target: &Target, of: &mut Followed) -> bool {
    let answers = target.readings.begin();
    let read = async {
        match &target.server {
            Server::Postgres(log_ins) => {
                let mut control = Control::connect(&log_ins.full, PATIENCE).await?;
                let catalog = catalog::read(&mut control, 0).await;
                control.close().await;
                catalog
            }
            Server::MySql(log_ins) => {
                let mut control = mysql::Control::connect(&log_ins.full, PATIENCE).await?;
                mysql::catalog::read(&mut control, 0).await
            }
        }
    };
    let mut read = std::pin::pin!(read);
    let read = loop {
        tokio::select! {
            done = &mut read => break done,
            Ok(()) = of.masks.changed() => mark_anew(target, of).await,
        }
    };
    match read {
        Ok(mut catalog) => {
            if target.has_lower() {
                // Sessions log in as others.
                catalog.login = None;
            }
            let is_whole = !catalog.is_torn;
            take_over(target, catalog, of).await;
            tracing::debug!(target = %target.name, is_whole, "catalog read");
            target.readings.end(answers);
            is_whole
        }
        Err(error) => {
            tracing::warn!(target = %target.name, error = %error, "the catalog could not be read");
            false
        }
    }
}

/// Other rules fall on the catalog that there is: a new one to sessions, so that nothing that was judged
/// under the old rules is taken for judged.
async fn mark_anew(target: &Target, of: &Followed) {
    let known = target.catalog.load_full();
    take_over(target, (*known).clone(), of).await;
}

/// Makes a catalog what sessions go by, with the masks of now. What is on its way in clear and is masked by
/// now ends.
async fn take_over(target: &Target, mut catalog: Catalog, of: &Followed) {
    let before = target.catalog.load_full();
    catalog.epoch = before.epoch + 1;
    let masks = Arc::clone(&of.masks.borrow());
    let catalog = Arc::new(marked(catalog, &target.name, masks).await);
    target.catalog.store(Arc::clone(&catalog));
    if !catalog.marks.masks_the_same(&before.marks) {
        of.registry.raise_all(Wake::Masks);
    }
}

/// The catalog with its masked columns. Fail closed: as long as nobody has read it, or if they can't be
/// told, every column may be one.
pub(in crate::cli) async fn marked(
    catalog: Catalog,
    name: &TargetName,
    masks: Arc<Masks>,
) -> Catalog {
    let (done, marks) = oneshot::channel();
    let (target, catalog) = (name.clone(), Arc::new(catalog));
    let (rules, key) = (Arc::clone(&masks.rules), Arc::clone(&masks.key));
    let unread = catalog.is_unread() && rules.concern(name.as_str());
    let seen = Arc::clone(&catalog);
    // Views are read by the parsers, which descend into what they read.
    let thread = std::thread::Builder::new().name("marks".to_owned()).stack_size(STACK);
    let spawned = thread.spawn(move || {
        let marks = Marks::compile(&rules, target.as_str(), &seen, key, types::column_type);
        drop(seen);
        drop(done.send(marks));
    });
    let marks = match spawned {
        Ok(_) => marks.await.ok(),
        Err(_) => None,
    };
    if marks.is_none() {
        tracing::error!(target = %name, "its masked columns can't be told: all may be");
    }
    let blind = || Marks::blind(masks.rules.version, Some(Arc::clone(&masks.key)));
    let marks = marks.filter(|_| !unread).unwrap_or_else(blind);
    let mut catalog = Arc::unwrap_or_clone(catalog);
    catalog.marks = Arc::new(marks);
    catalog
}

/// What the parsers may need, in bytes.
const STACK: usize = 64 << 20;
