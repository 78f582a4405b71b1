//! What grants with `admin` leave behind at their target: it is looked at before such a grant gives
//! anything, and again when it has ended.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{task::JoinSet, time::Instant};

use super::Gateway;
use crate::{
    kernel::{
        access::{Grant, GrantStatus, Holding, Permission, Survey},
        ids::{GrantId, TargetName},
        time::Timestamp,
    },
    session::services::{LogIns, Server, Target},
    store::{AccessSnapshot, Actor, Baseline, Error},
    upstream::{
        ConnectOptions, Control, mysql,
        survey::{self, SurveyError},
    },
};

/// How often ends are looked for.
const TICK: Duration = Duration::from_secs(1);

/// How long a grant waits for the first look: then it begins without, and that is on record.
const PATIENCE_BEFORE: Duration = Duration::from_secs(3);

/// How long the second look may take.
const PATIENCE_AFTER: Duration = Duration::from_secs(30);

/// A second look that failed is tried again after so long.
const AGAIN: Duration = Duration::from_secs(15);

/// How long a second look is tried before it is given up, and that is on record.
const GIVE_UP: Duration = Duration::from_secs(6 * 3600);

/// How long before a grant begins its target is looked at.
const AHEAD: Duration = Duration::from_secs(2);

/// Says which grants give nothing yet. All others need no look: their permissions make no role, no
/// privilege and no code.
pub(super) fn withhold(snapshot: &mut AccessSnapshot, now: Timestamp) {
    let now = now.max(snapshot.highest_time);
    let waits = |grant: &&Arc<Grant>| {
        grant.permissions.allows(Permission::Admin)
            && !snapshot.begun.contains(&grant.id)
            && !is_over(grant, now)
    };
    snapshot.withheld = snapshot.grants.values().flatten().filter(waits).map(|g| g.id).collect();
}

/// An exhausted one may get room again.
fn is_over(grant: &Grant, now: Timestamp) -> bool {
    matches!(grant.status_at(now), GrantStatus::Expired | GrantStatus::Revoked)
}

/// The grants that wait for a look now, by target. A target that there isn't gives nothing anyway.
fn waiting(gateway: &Gateway) -> HashMap<TargetName, Vec<GrantId>> {
    let services = &gateway.services;
    let (access, world) = (services.access.load(), services.world.load());
    if access.withheld.is_empty() {
        return HashMap::new();
    }
    let soon = services.clock.now().max(access.highest_time).plus(AHEAD);
    let mut waiting: HashMap<TargetName, Vec<GrantId>> = HashMap::new();
    for grant in access.grants.values().flatten() {
        if access.withheld.contains(&grant.id)
            && grant.window.from <= soon
            && world.targets.contains_key(&grant.target)
        {
            waiting.entry(grant.target.clone()).or_default().push(grant.id);
        }
    }
    waiting
}

/// Waits until what the store had at that version is in force, which its record comes before, and no grant
/// waits for its first look; for as long as grants wait for theirs.
pub(super) async fn settled(gateway: &Gateway, version: u64) {
    const STEP: Duration = Duration::from_millis(20);
    let (services, since) = (&gateway.services, Instant::now());
    while since.elapsed() < PATIENCE_BEFORE
        && (services.access.load().version < version || !waiting(gateway).is_empty())
    {
        tokio::time::sleep(STEP).await;
    }
}

/// Looks at targets when grants begin. One that doesn't answer holds up its own grants only.
pub(super) async fn begin(gateway: Arc<Gateway>) {
    let busy: Arc<Mutex<HashSet<TargetName>>> = Arc::default();
    let mut looks = JoinSet::new();
    loop {
        for (name, grants) in waiting(&gateway) {
            let world = gateway.services.world.load();
            let Some(target) = world.targets.get(&name).map(Arc::clone) else { continue };
            if !busy.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone()) {
                continue;
            }
            let (gateway, busy) = (Arc::clone(&gateway), Arc::clone(&busy));
            looks.spawn(async move {
                begin_on(&gateway, &target, &grants).await;
                busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
                // Others may have come meanwhile.
                gateway.to_begin.notify_one();
            });
        }
        while looks.try_join_next().is_some() {}
        tokio::select! {
            () = gateway.to_begin.notified() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

async fn begin_on(gateway: &Gateway, target: &Target, grants: &[GrantId]) {
    let baseline = match look(target, PATIENCE_BEFORE).await {
        Ok(holdings) => Baseline::Taken(Survey::of(&holdings)),
        Err(why) => {
            tracing::warn!(target = %target.name, ?grants, error = %why,
                "grants with admin begin without a look at their target");
            Baseline::Trouble(format!("the target could not be looked at when it began: {why}"))
        }
    };
    let services = &gateway.services;
    if let Err(error) = services.store.leavings_begin(grants, &baseline, services.clock.now()).await
    {
        tracing::error!(error = %error, ?grants, "grants with admin can't begin");
        tokio::time::sleep(TICK).await;
    }
    services.store_changed.notify_one();
}

/// Looks again when grants have ended, and puts down the difference.
pub(super) async fn settle(gateway: Arc<Gateway>) {
    // When each was tried first, and when it may be tried again.
    let mut tried: HashMap<GrantId, (Instant, Instant)> = HashMap::new();
    loop {
        tokio::time::sleep(TICK).await;
        let access = gateway.services.access.load_full();
        let now = gateway.services.clock.now().max(access.highest_time);
        tried.retain(|id, _| access.unsettled.iter().any(|grant| grant.id == *id));
        let mut due: HashMap<&TargetName, Vec<&Grant>> = HashMap::new();
        for grant in &access.unsettled {
            let waits = tried.get(&grant.id).is_some_and(|(_, again)| *again > Instant::now());
            if now >= grant.over_for_good() && !waits {
                due.entry(&grant.target).or_default().push(grant);
            }
        }
        for (name, grants) in due {
            let target = gateway.services.world.load().targets.get(name).map(Arc::clone);
            let found = match target {
                Some(target) => look(&target, PATIENCE_AFTER).await,
                None => Err("the target is not in the settings any more".to_owned()),
            };
            for grant in grants {
                let first = tried.get(&grant.id).map_or_else(Instant::now, |(first, _)| *first);
                let found = found.as_deref().map_err(String::as_str);
                match settle_one(&gateway, grant.id, found, first.elapsed() > GIVE_UP).await {
                    Ok(true) => {}
                    Ok(false) => {
                        tried.insert(grant.id, (first, Instant::now() + AGAIN));
                    }
                    Err(error) => {
                        tracing::error!(error = %error, grant = %grant.id,
                            "what it leaves behind could not be stored");
                        tried.insert(grant.id, (first, Instant::now() + AGAIN));
                    }
                }
            }
        }
    }
}

/// False if it is to be tried again.
async fn settle_one(
    gateway: &Gateway,
    id: GrantId,
    found: Result<&[Holding], &str>,
    last: bool,
) -> Result<bool, Error> {
    let services = &gateway.services;
    let left = match (services.store.leavings_baseline(id).await?, found) {
        // Nothing to compare with: its trouble is known.
        (None, _) => Ok(Vec::new()),
        (Some(before), Ok(now)) => Ok(before.compare(now)),
        (Some(_), Err(why)) => {
            tracing::warn!(grant = %id, error = %why, "what it leaves behind is not known yet");
            if !last {
                return Ok(false);
            }
            Err(format!("the target could not be looked at when it had ended: {why}"))
        }
    };
    let actor = Actor::Gateway(gateway.node.clone());
    if services.store.leavings_settle(&actor, services.clock.now(), id, left).await? {
        services.store_changed.notify_one();
    }
    Ok(true)
}

async fn look(target: &Target, patience: Duration) -> Result<Vec<Holding>, String> {
    let look = async {
        let read = match &target.server {
            Server::Postgres(log_ins) => look_at_postgres(log_ins, patience).await,
            Server::MySql(log_ins) => look_at_mysql(log_ins, patience).await,
        };
        read.map_err(|error| error.to_string())
    };
    let looked = tokio::time::timeout(patience, look).await;
    looked.unwrap_or_else(|_| Err(format!("it took longer than {} s", patience.as_secs())))
}

async fn look_at_postgres(
    log_ins: &LogIns<ConnectOptions>,
    patience: Duration,
) -> Result<Vec<Holding>, SurveyError> {
    let mut control = Control::connect(&log_ins.full, patience).await?;
    let holdings = survey::read(&mut control).await;
    control.close().await;
    holdings
}

async fn look_at_mysql(
    log_ins: &LogIns<mysql::ConnectOptions>,
    patience: Duration,
) -> Result<Vec<Holding>, SurveyError> {
    let mut control = mysql::Control::connect(&log_ins.full, patience).await?;
    mysql::survey::read(&mut control).await
}
