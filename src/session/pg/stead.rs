//! What others do in a session's stead while its thread is held up.
//!
//! A thread that writes a record to a disk that hangs turns no session, and what its sessions have sent
//! runs on at the upstream. Each session leaves word of that here whenever it changes, so that the
//! control side can cancel what must not go on. When the thread moves again, its sessions take over
//! from there: nothing new leaves before the cancel has been passed on.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use smallvec::SmallVec;
use tokio::{task::JoinHandle, time::timeout};

use super::{
    PATIENCE, Relay, cancel::UpstreamKey, conversation::Conversation, owed::Tag, replace::cut_of,
};
use crate::{
    kernel::{
        access::Level,
        ids::GrantId,
        refusal::Refusal,
        sql::{
            analysis::{Analysis, SessionEffect},
            reading::TransactionChange,
        },
    },
    session::{
        ends::ESCALATE_AFTER,
        services::{PgTarget, Services},
        signal::{SessionHandle, Wake},
    },
    upstream::{self, Control},
    wire::pg::exchange::Owed,
};

/// How long passing on a cancel may take.
const CANCEL_WITHIN: Duration = Duration::from_secs(2);

/// So many replies are looked through each time for what they stand on. Whoever has sent more than
/// that stands on all that he holds.
const LOOKED_THROUGH: usize = 16;

/// What a session has sent, and how it is reached there.
#[derive(Debug, Default)]
pub struct Stead(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    upstream: Option<Reached>,
    sent: Sent,
    acting: Option<Acting>,
}

/// Where what a session has sent runs.
#[derive(Clone, Debug)]
struct Reached {
    target: PgTarget,
    level: Level,
    key: UpstreamKey,
}

/// What has left and is not answered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Sent {
    any: bool,
    stands_on: SmallVec<[GrantId; 4]>,
}

/// Why what a session has sent must not go on.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Ended {
    /// These grants have ended.
    Grants(SmallVec<[GrantId; 4]>),
    /// The session has no right to be there.
    All,
}

/// Somebody acts in the session's stead.
#[derive(Debug)]
struct Acting {
    task: JoinHandle<()>,
    because: Ended,
    /// The upstream's session has been told to end.
    told: bool,
}

impl Stead {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Whole values are put into it, nothing half-done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if it may be told to end now: the session itself has not come back meanwhile.
    fn tell(&self) -> bool {
        let mut state = self.lock();
        let Some(acting) = &mut state.acting else { return false };
        acting.told = true;
        true
    }
}

impl SessionHandle {
    /// True if something that the session has sent must not go on.
    pub fn has_what_must_end(&self, services: &Services) -> bool {
        self.what_must_end(services).is_some()
    }

    fn what_must_end(&self, services: &Services) -> Option<Ended> {
        let sent = self.stead.lock().sent.clone();
        if !sent.any {
            return None;
        }
        if self.signal.is_raised(Wake::Kill) || self.signal.is_raised(Wake::Stop) {
            return Some(Ended::All);
        }
        let access = services.access.load();
        let state = access.principal(self.principal.as_str()).filter(|state| !state.disabled);
        let Some(state) = state else { return Some(Ended::All) };
        if services.world.load().is_outside(state, self.peer).is_some() {
            return Some(Ended::All);
        }
        let now = services.clock.now().max(access.highest_time);
        let has_ended = |id: &GrantId| {
            let grant = access.grants_on(&self.principal, &self.target).find(|g| g.id == *id);
            // Fail closed: what isn't there, or can't be confirmed, has ended.
            grant.is_none_or(|grant| access.unconfirmed || grant.stops_at(now))
        };
        let ended: SmallVec<_> = sent.stands_on.into_iter().filter(has_ended).collect();
        (!ended.is_empty()).then_some(Ended::Grants(ended))
    }

    /// Cancels what the session has sent and must not go on, and ends the upstream's session if that
    /// has no effect. For who has seen that the session doesn't take its signals.
    pub fn act_in_its_stead(self: &Arc<Self>, services: &Services) {
        let Some(because) = self.what_must_end(services) else { return };
        let mut state = self.stead.lock();
        // The session looks here behind taking the flag: either it sees what we do, or we that it is back.
        if !self.signal.is_raised(Wake::Access) {
            return;
        }
        let known = |acting: &Acting| !acting.task.is_finished() || acting.because == because;
        if state.acting.as_ref().is_some_and(known) {
            return;
        }
        let Some(reached) = state.upstream.clone() else { return };
        tracing::warn!(session = %self.id, target = %self.target,
            "its thread is held up: what must end is cancelled in its stead");
        let task = services.control.spawn(end(Arc::clone(self), reached));
        state.acting = Some(Acting { task, because, told: false });
    }
}

async fn end(handle: Arc<SessionHandle>, reached: Reached) {
    let Reached { target, level, key } = reached;
    let cancel = upstream::pg::cancel(target.full(), key.peer, key.process, &key.key);
    match timeout(CANCEL_WITHIN, cancel).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(target = %target.name, error = %error, "cancel failed");
        }
        Err(_) => tracing::warn!(target = %target.name, "cancel failed: no answer"),
    }
    tokio::time::sleep(ESCALATE_AFTER).await;
    let escalate = async {
        let mut control = Control::connect(target.log_in(level).1, PATIENCE).await?;
        if control.is_busy(key.process).await? && handle.stead.tell() {
            tracing::warn!(target = %target.name, "a cancel had no effect; ending the upstream session");
            control.terminate(key.process).await?;
        }
        control.close().await;
        Ok::<_, upstream::UpstreamError>(())
    };
    if let Err(error) = escalate.await {
        tracing::error!(target = %target.name, error = %error, "could not end it");
    }
}

impl Relay {
    /// Leaves word of what has been sent, if that is something else than before.
    pub(super) fn leave_word(&mut self) {
        let sent = self.talk.sent_now();
        if sent == self.word {
            return;
        }
        self.talk.facts.handle.stead.lock().sent.clone_from(&sent);
        self.word = sent;
    }

    /// Leaves word of where the upstream's session is reached.
    pub(super) fn leave_address(&self) {
        let reached = Reached {
            target: self.talk.facts.target.clone(),
            level: self.talk.log_in,
            key: self.cancel_key.clone(),
        };
        self.talk.facts.handle.stead.lock().upstream = Some(reached);
    }

    /// Takes over from who has acted meanwhile: what is being done is waited for, and not done again.
    pub(super) fn take_over(&mut self) {
        let Some(acting) = self.talk.facts.handle.stead.lock().acting.take() else { return };
        self.cancelling.get_or_insert(acting.task);
        if acting.told {
            self.ending_begins();
        }
    }

    /// What has not left yet and stands on a right that has ended never leaves, nor what would end a
    /// transaction that is rolled back for it. Where it can't be taken
    /// back, it is cancelled as what runs.
    pub(super) fn take_back_what_ended(&mut self) {
        let Some(why) = self.talk.unsent_that_ended() else { return };
        let half_sent = self.from_client.is_some_and(|rest| rest.forward);
        if half_sent || !self.talk.after.is_empty() || !self.talk.can_take_back() {
            return;
        }
        if let Some((_, length)) = self.unsynced.take() {
            self.door.discard(length);
        }
        let first = self.door.forget_waiting();
        if !self.talk.take_back_unsent(first, &why) {
            self.talk.fatal = Some(why);
        }
    }
}

impl Conversation {
    fn sent_now(&self) -> Sent {
        let mut sent = Sent::default();
        for (at, owed) in self.exchange.sent().enumerate() {
            sent.any = true;
            if at >= LOOKED_THROUGH {
                sent.stands_on = self.rights.grants.iter().map(|grant| grant.id).collect();
                break;
            }
            match &owed.tag {
                Tag::Execute(execution) => {
                    sent.stands_on.extend_from_slice(&execution.run.stands_on);
                }
                Tag::Query(query) => {
                    for run in query.runs.iter().flatten() {
                        sent.stands_on.extend_from_slice(&run.stands_on);
                    }
                }
                Tag::Plain
                | Tag::Named(..)
                | Tag::Fail(_)
                | Tag::Absent(_)
                | Tag::Ours(_)
                | Tag::Local(_) => {}
            }
        }
        sent
    }

    /// Why something that waits to leave must not.
    fn unsent_that_ended(&self) -> Option<Refusal> {
        let mut unsent = self.exchange.unsent()?.peekable();
        unsent.peek()?;
        let cut = unsent.find_map(cut_of);
        // What was sent behind the word that it is rolled back ends it, and the client is told.
        let mut unsent = self.exchange.unsent()?;
        let knows = unsent.any(|owed| is_end_of_rolled_back(owed) == Some(true))
            && self.exchange.unsent()?.all(|owed| is_end_of_rolled_back(owed) != Some(false));
        cut.or_else(|| self.transaction.rolled_back.clone().filter(|_| !knows))
    }
}

/// Whether a statement ends a transaction of which its session knew that it is rolled back, or takes
/// it back itself; `None`: it is no statement.
fn is_end_of_rolled_back(owed: &Owed<Tag>) -> Option<bool> {
    let takes_back = |analysis: &Analysis| {
        let effects = analysis.effects.as_slice();
        matches!(effects, [SessionEffect::Transaction(TransactionChange::Rollback { .. })])
    };
    match &owed.tag {
        Tag::Execute(execution) => {
            let takes_back = execution.analysis.as_deref().is_some_and(takes_back);
            Some(takes_back || execution.poisoned.is_some())
        }
        Tag::Query(query) => match query.batch.statements.as_slice() {
            [only] => Some(takes_back(only) || query.poisoned.is_some()),
            _ => Some(false),
        },
        Tag::Plain
        | Tag::Named(..)
        | Tag::Fail(_)
        | Tag::Absent(_)
        | Tag::Ours(_)
        | Tag::Local(_) => None,
    }
}
