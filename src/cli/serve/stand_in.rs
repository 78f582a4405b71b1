//! Watches whether writes to the trail return. While one doesn't, whoever takes connections away is
//! told so, and what must end in sessions that are held up by it is cancelled in their stead.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::{Gateway, ledger::Note};
use crate::{
    kernel::{ids::SessionId, time::format_duration},
    session::signal::Wake,
    trail::HANGS_AFTER,
};

/// How often writes are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long a write may take, and a session may leave its signals, until somebody else acts.
pub(super) const HELD_UP: Duration = Duration::from_millis(100);

pub(super) async fn keep(gateway: Arc<Gateway>) {
    let mut waiting: HashMap<SessionId, Instant> = HashMap::new();
    let mut hangs: Option<Instant> = None;
    loop {
        sleep(LOOK_EVERY).await;
        let longest = gateway.pace.longest();
        gateway.services.metrics.trail_write_lasts(longest);
        tell(&gateway, longest, &mut hangs);
        if longest >= HELD_UP {
            stand_in(&gateway, &mut waiting);
        } else {
            waiting.clear();
        }
    }
}

fn tell(gateway: &Gateway, longest: Duration, hangs: &mut Option<Instant>) {
    let hanging = longest >= HANGS_AFTER;
    match (hanging, *hangs) {
        (true, None) => {
            tracing::error!("the trail's disk does not answer: statements wait or are refused");
            *hangs = Instant::now().checked_sub(longest);
        }
        (false, Some(since)) => {
            *hangs = None;
            let lasted = format_duration(since.elapsed());
            tracing::info!(%lasted, "the trail's disk answers again");
            let what = format!("the trail's disk did not answer for {lasted}");
            gateway.ledger.note(Note::Alert(what));
            // What was refused meanwhile is looked at again.
            gateway.services.store_changed.notify_one();
        }
        (true, Some(_)) | (false, None) => return,
    }
    gateway.pace.refuse(hanging);
    gateway.health.set_trail(hanging);
}

/// Whoever takes his signals needs nobody. `waiting`: since when the others were seen not to.
fn stand_in(gateway: &Gateway, waiting: &mut HashMap<SessionId, Instant>) {
    let services = &gateway.services;
    let sessions = services.registry.all();
    waiting.retain(|id, _| sessions.iter().any(|handle| handle.id == *id));
    for handle in sessions {
        if !handle.has_what_must_end(services) {
            waiting.remove(&handle.id);
            continue;
        }
        if !handle.signal.is_raised(Wake::Access) {
            handle.signal.raise(Wake::Access);
            waiting.insert(handle.id, Instant::now());
        } else if waiting.entry(handle.id).or_insert_with(Instant::now).elapsed() >= HELD_UP {
            handle.act_in_its_stead(services);
        }
    }
}
