//! Keeps what sessions know of principals and grants in step with the store.

use std::{sync::Arc, time::Duration};

use tokio::sync::{mpsc, oneshot};

use super::{
    Gateway, leavings,
    ledger::{self, Underway},
};
use crate::{
    cli::Error,
    net::{clock::Clock, faults},
    session::{services::Services, signal::Wake},
    store::{AccessSnapshot, Store},
    trail::Lane,
};

/// How often budgets are written to the store.
const TICK: Duration = Duration::from_secs(1);

/// How often the clock is looked at, and how far it must have been set for anybody to care.
const LOOK_AT_CLOCK: Duration = Duration::from_millis(500);
const STEP: Duration = Duration::from_millis(300);

/// How long the store may take to say that it is there.
const CONFIRM_PATIENCE: Duration = Duration::from_secs(2);

/// How long a change waits for its record before what it takes away takes effect without: a disk that
/// answers does so within a few milliseconds.
const RECORD_PATIENCE: Duration = Duration::from_millis(100);

/// Puts acts that are part of a snapshot on the trail, before it takes effect.
///
/// # Errors
/// The trail doesn't take them; then the snapshot must not be used.
pub(super) async fn record(
    store: &Store,
    lane: &mut Lane,
    clock: &Clock,
    snapshot: &AccessSnapshot,
) -> Result<(), Error> {
    let done = ledger::append(lane, clock, &snapshot.unrecorded)?;
    store.outbox_mark_done(&done).await?;
    Ok(())
}

/// Follows the store: a change is on the trail, and then in force, in well under a second.
pub(super) async fn watch(gateway: Arc<Gateway>, mut looks: mpsc::Receiver<oneshot::Sender<()>>) {
    let services = &gateway.services;
    let mut underway = Underway::default();
    loop {
        match services.store.watch().await {
            Ok(mut watch) => loop {
                tokio::select! {
                    () = services.store_changed.notified() => {}
                    Some(look) = looks.recv() => {
                        let mut waiting = vec![look];
                        while let Ok(look) = looks.try_recv() {
                            waiting.push(look);
                        }
                        let known = services.access.load().version;
                        // A store that doesn't answer is noticed elsewhere; who waits goes on.
                        let wanted = services.store.version().await.unwrap_or(known);
                        if wanted != known {
                            refresh(&gateway, &mut underway).await;
                            // Those who log in must not hold up those who end sessions.
                            kill(&gateway).await;
                        }
                        let gateway = Arc::clone(&gateway);
                        tokio::spawn(async move {
                            leavings::settled(&gateway, wanted).await;
                            for look in waiting {
                                look.send(()).ok();
                            }
                        });
                        continue;
                    }
                    done = underway.answer() => {
                        if gateway.ledger.is_gone() {
                            // Fail closed: the gateway stops.
                            return;
                        }
                        forget(&gateway, done.as_deref()).await;
                    }
                    changed = watch.changed() => {
                        if let Err(error) = changed {
                            tracing::error!(error = %error, "the store can't be watched");
                            break;
                        }
                    }
                }
                refresh(&gateway, &mut underway).await;
                kill(&gateway).await;
            },
            Err(error) => tracing::error!(error = %error, "the store can't be watched"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        refresh(&gateway, &mut underway).await;
    }
}

/// The store needn't keep acts any longer that are on the trail.
async fn forget(gateway: &Gateway, done: Option<&[u64]>) {
    if let Some(done) = done
        && !done.is_empty()
        && let Err(error) = gateway.services.store.outbox_mark_done(done).await
    {
        tracing::warn!(error = %error, "events are on the trail, and the store still has them");
    }
}

/// Takes over what the store says now. What it gives is on the trail before it is in force. What it
/// takes away doesn't wait for a disk that hangs: its record follows.
async fn refresh(gateway: &Gateway, underway: &mut Underway) {
    let services = &gateway.services;
    let mut snapshot = match services.store.snapshot(services.clock.now()).await {
        Ok(snapshot) => snapshot,
        Err(error) => {
            tracing::error!(error = %error, "the store can't be read");
            gateway.health.set_store(false);
            return;
        }
    };
    gateway.health.set_store(true);
    leavings::withhold(&mut snapshot, services.clock.now());
    let mut done = None;
    let unrecorded = underway.unrecorded(&snapshot.unrecorded);
    if !unrecorded.is_empty() {
        if !underway.is_waiting() {
            underway.wait_for(gateway.ledger.append(unrecorded));
            let patience = tokio::time::timeout(RECORD_PATIENCE, underway.answer());
            done = patience.await.unwrap_or_default();
        }
        if done.is_none() {
            put_in_force(services, snapshot.only_taken_away(&services.access.load()));
            return;
        }
    }
    if let Some(why) = &snapshot.masks.trouble {
        // Fail closed: the last rules stay, and nobody gets anything new under rules that nobody knows.
        tracing::error!(%why, "the mask rules can't be read; the last ones stay in force, and what other changes give is not");
        snapshot = snapshot.only_taken_away(&services.access.load());
    }
    put_in_force(services, snapshot);
    gateway.to_begin.notify_one();
    forget(gateway, done.as_deref()).await;
}

/// Makes a snapshot what sessions go by, and tells those who wait for other masks.
fn put_in_force(services: &Services, mut snapshot: AccessSnapshot) {
    let known = services.masks.borrow().clone();
    let same = snapshot.masks.is_same(&known);
    if same {
        snapshot.masks = known;
    }
    let masks = Arc::clone(&snapshot.masks);
    services.access.store(Arc::new(snapshot));
    services.registry.raise_all(Wake::Access);
    if !same {
        tracing::info!(version = masks.rules.version, rules = masks.rules.list.len(), "mask rules");
        services.masks.send_replace(masks);
    }
}

/// Asks the store every second whether it is there. What it can't take back for too long gives
/// nothing any more, until it answers again.
pub(super) async fn confirm(gateway: Arc<Gateway>) {
    let services = &gateway.services;
    let mut answered = tokio::time::Instant::now();
    let mut silent = false;
    loop {
        tokio::time::sleep(TICK).await;
        let answer = tokio::time::timeout(CONFIRM_PATIENCE, services.store.version()).await;
        let unconfirmed = services.access.load().unconfirmed;
        if matches!(answer, Ok(Ok(_))) {
            answered = tokio::time::Instant::now();
            if std::mem::take(&mut silent) {
                gateway.health.set_store(true);
            }
            if unconfirmed {
                tracing::info!("the store answers again: grants count");
                services.store_changed.notify_one();
            }
            continue;
        }
        silent = true;
        gateway.health.set_store(false);
        let within = gateway.config.load().limits.store_offline_max;
        if !unconfirmed && answered.elapsed() >= within {
            tracing::error!("the store has not answered for too long: no grant counts");
            let known = services.access.load_full();
            let less = AccessSnapshot { unconfirmed: true, ..(*known).clone() };
            services.access.store(Arc::new(less));
            services.registry.raise_all(Wake::Access);
        }
    }
}

/// Notices when the system's clock is set forward: what has ended by it ends now, and not when a timer
/// that was set before runs out. Backward the gateway's time doesn't go.
pub(super) async fn follow_clock(gateway: Arc<Gateway>) {
    let services = &gateway.services;
    let look = || (services.clock.now(), tokio::time::Instant::now());
    let mut last = look();
    loop {
        tokio::time::sleep(LOOK_AT_CLOCK).await;
        let (now, at) = look();
        if now.since(last.0) > at.duration_since(last.1) + STEP {
            tracing::warn!("the system's clock was set forward");
            services.registry.raise_all(Wake::Access);
        }
        last = (now, at);
    }
}

/// What is done every second: budgets and the time to the store, kills from it.
pub(super) async fn tick(gateway: Arc<Gateway>) {
    let services = &gateway.services;
    let mut count: u32 = 0;
    loop {
        tokio::time::sleep(TICK).await;
        count = count.wrapping_add(1);
        faults::panic_at("background", b"tick");
        store_budgets(&gateway).await;
        kill(&gateway).await;
        if count.is_multiple_of(5)
            && let Err(error) = services.store.note_time(services.clock.now()).await
        {
            tracing::warn!(error = %error, "the time could not be stored");
        }
    }
}

/// Writes rows used under grants to the store.
pub(super) async fn store_budgets(gateway: &Gateway) {
    let services = &gateway.services;
    let used = services.budgets.unstored();
    if !used.is_empty()
        && let Err(error) = services.store.rows_used(&used).await
    {
        tracing::error!(error = %error, "used budgets could not be stored");
        services.budgets.give_back(&used);
    }
    let (access, now) = (services.access.load(), services.clock.now());
    services.budgets.forget_ended(|id| {
        access.grants.values().flatten().any(|g| g.id == id && now < g.window.until)
    });
}

async fn kill(gateway: &Gateway) {
    let services = &gateway.services;
    let Ok(kills) = services.store.kills_pending(&gateway.node).await else { return };
    for kill in kills {
        if let Some(handle) = services.registry.by_id(kill.session) {
            tracing::info!(session = %kill.session, by = %kill.by, "session ended by an operator");
            handle.signal.raise(Wake::Kill);
        }
        if let Err(error) = services.store.kill_done(kill.id).await {
            tracing::warn!(error = %error, "a kill could not be marked done");
        }
    }
}
