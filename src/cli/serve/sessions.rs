//! Shows this gateway's sessions in the store, for `session list` on any machine.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError},
    time::Duration,
};

use super::Gateway;
use crate::{
    kernel::{ids::SessionId, time::Timestamp},
    session::signal::SessionHandle,
    store::{SessionBeat, SessionInfo},
};

/// How often the store is told how all sessions are.
const BEAT: Duration = Duration::from_secs(5);
/// Those that come and go within so long are told of together.
const TOGETHER: Duration = Duration::from_millis(50);

/// Tells the store of sessions as they come and go, and every few seconds how they are.
pub(super) async fn keep(gateway: Arc<Gateway>) {
    // Those of a gateway that was killed.
    forget(&gateway).await;
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut listed = HashSet::new();
    loop {
        tokio::select! {
            () = gateway.services.registry.changed() => {
                come_and_go(&gateway, &mut listed).await;
                tokio::time::sleep(TOGETHER).await;
            }
            _ = beat.tick() => {
                come_and_go(&gateway, &mut listed).await;
                how_they_are(&gateway, &mut listed).await;
            }
        }
    }
}

/// Nobody is connected.
pub(super) async fn forget(gateway: &Gateway) {
    if let Err(error) = gateway.services.store.sessions_clear(&gateway.node).await {
        tracing::warn!(error = %error, "sessions that ended are still listed");
    }
}

/// `listed` are those that the store knows.
async fn come_and_go(gateway: &Gateway, listed: &mut HashSet<SessionId>) {
    let (store, now) = (&gateway.services.store, gateway.services.clock.now());
    let live = gateway.services.registry.all();
    let ids: HashSet<SessionId> = live.iter().map(|h| h.id).collect();
    let gone: Vec<SessionId> = listed.difference(&ids).copied().collect();
    for id in gone {
        match store.session_closed(&gateway.node, id).await {
            Ok(()) => {
                listed.remove(&id);
            }
            Err(error) => tracing::warn!(error = %error, "a session that ended is still listed"),
        }
    }
    for handle in &live {
        if listed.contains(&handle.id) {
            continue;
        }
        match store.session_opened(&info(gateway, handle, now)).await {
            Ok(()) => {
                listed.insert(handle.id);
            }
            Err(error) => tracing::warn!(error = %error, "a session could not be listed"),
        }
    }
}

async fn how_they_are(gateway: &Gateway, listed: &mut HashSet<SessionId>) {
    let (store, now) = (&gateway.services.store, gateway.services.clock.now());
    let live = gateway.services.registry.all();
    let beats: Vec<SessionBeat> = live.iter().map(|handle| beat(handle)).collect();
    if let Err(error) = store.session_heartbeat(&gateway.node, now, &beats).await {
        tracing::warn!(error = %error, "sessions could not be listed");
        return;
    }
    // After a long silence another node has taken ours out: what isn't there is told again.
    if let Ok(known) = store.sessions(now).await {
        let own = known.iter().filter(|s| s.node == gateway.node);
        *listed = own.map(|s| s.id).collect();
    }
}

fn info(gateway: &Gateway, handle: &SessionHandle, now: Timestamp) -> SessionInfo {
    let SessionBeat { id, application, last_statement, state } = beat(handle);
    SessionInfo {
        node: gateway.node.clone(),
        id,
        principal: handle.principal.clone(),
        target: handle.target.clone(),
        client: handle.client_address.clone(),
        application,
        since: handle.since,
        last_statement,
        state,
        seen: now,
    }
}

fn beat(handle: &SessionHandle) -> SessionBeat {
    SessionBeat {
        id: handle.id,
        application: handle.application.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        last_statement: handle.activity.last_statement(),
        state: handle.activity.word().to_owned(),
    }
}
