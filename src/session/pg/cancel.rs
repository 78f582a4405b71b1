//! Cancels: passed on to the upstream, and what follows one that has no effect.

use std::time::Duration;

use tokio::sync::oneshot;

use super::{PATIENCE, Relay, conversation::Held};
use crate::{
    net::stream::Peer,
    trail::Passage,
    upstream::{self, Control},
    wire::pg::{exchange::Whose, frame::HEADER_LENGTH},
};

/// What a cancel of the client is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Aim {
    /// There is none.
    Nothing,
    /// It has just come: for what runs, or is here.
    Any,
    /// For a statement that had not left when it came.
    Unsent,
}

/// When a cancel for a statement that has just left is said again: a server that has not begun to read
/// takes no notice of it.
const JUST_SENT: [Duration; 2] = [Duration::from_millis(3), Duration::from_millis(30)];

/// What cancels a statement at the upstream.
#[derive(Clone)]
pub(super) struct UpstreamKey {
    /// The very address the session is connected to.
    pub(super) peer: Peer,
    pub(super) process: i32,
    pub(super) key: Vec<u8>,
}

impl std::fmt::Debug for UpstreamKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpstreamKey").field("process", &self.process).finish_non_exhaustive()
    }
}

impl Relay {
    /// Whoever asked for a cancel is told that it has been passed on.
    pub(super) fn answer_cancels(&self) {
        let mut waiting = self
            .talk
            .facts
            .handle
            .cancels
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for sender in waiting.drain(..) {
            // Whoever asked may have gone.
            sender.send(()).ok();
        }
    }

    /// A cancel of the client hits what runs for it at the upstream; where the gateway still has its
    /// statement, unread, to ask for the path or to put it on record, that one as soon as it has left; and
    /// else nothing. It never hits a statement of the gateway's own. True if it has freed what was held for
    /// the catalog, which is refused.
    pub(super) fn aim_cancel(&mut self) -> bool {
        let runs = || self.talk.exchange.iter().any(|owed| owed.whose == Whose::Client);
        if self.cancel_again.is_some() && !runs() {
            // What it was for has ended: it is not said to anything else.
            self.cancel_again = None;
        }
        if self.cancel_for == Aim::Nothing || matches!(self.door.passage(), Passage::Waits) {
            return false;
        }
        if runs() {
            let aim = std::mem::replace(&mut self.cancel_for, Aim::Nothing);
            let just_sent =
                aim == Aim::Unsent || self.talk.now.since(self.last_heard) < JUST_SENT[1];
            self.pass_on_cancel(if just_sent { &JUST_SENT } else { &[] });
            return false;
        }
        if self.talk.cancel_held() {
            self.cancel_for = Aim::Nothing;
            self.answer_cancels();
            return true;
        }
        let whole_frame = self.client_needs == 0 && self.door.unread().len() >= HEADER_LENGTH;
        let is_here = whole_frame
            || self.talk.held != Held::No
            || self.talk.to_read.is_some()
            || self.work.is_some()
            || self.unsynced.is_some()
            || self.is_between_upstreams();
        if !is_here && self.client.has_come() {
            // A signal is faster than the runtime's look at its sockets: it may be for this.
            return false;
        }
        self.cancel_for = if is_here { Aim::Unsent } else { Aim::Nothing };
        // It will be heeded, or there is nothing to heed it for.
        self.answer_cancels();
        false
    }

    /// Sends a cancel, and again after each of these times, as long as something of the client runs.
    fn pass_on_cancel(&mut self, again: &'static [Duration]) {
        if self.cancelling.is_some() {
            return;
        }
        let target = self.talk.facts.target.clone();
        let UpstreamKey { peer, process, key } = self.cancel_key.clone();
        let (runs, mut ended) = oneshot::channel::<()>();
        self.cancel_again = (!again.is_empty()).then_some(runs);
        self.cancelling = Some(self.talk.core.services.control.spawn(async move {
            let after = std::iter::once(&Duration::ZERO).chain(again);
            for wait in after {
                if !wait.is_zero() && tokio::time::timeout(*wait, &mut ended).await.is_ok() {
                    return;
                }
                let cancelled = upstream::pg::cancel(target.full(), peer, process, &key).await;
                if let Err(error) = cancelled {
                    tracing::warn!(target = %target.name, error = %error, "cancel failed");
                }
            }
        }));
    }

    /// Sends the cancel that is wanted, and ends the upstream session if one had no effect.
    pub(super) fn pass_on_cancels(&mut self) {
        if std::mem::take(&mut self.talk.cancel_wanted) {
            self.pass_on_cancel(&[]);
        }
        if self.talk.escalate_at.is_some_and(|t| t <= self.talk.now) {
            self.talk.escalate_at = None;
            if self.talk.is_cut_running() {
                self.escalate();
            }
        }
    }

    /// A cancel had no effect: the upstream's session is ended over a connection of our own.
    fn escalate(&mut self) {
        self.ending_begins();
        let target = self.talk.facts.target.clone();
        let (process, level) = (self.cancel_key.process, self.talk.log_in);
        tracing::warn!(target = %target.name, "a cancel had no effect; ending the upstream session");
        self.talk.core.services.control.spawn(async move {
            let ended = async {
                let mut control = Control::connect(target.log_in(level).1, PATIENCE).await?;
                let ended = control.terminate(process).await;
                control.close().await;
                ended
            };
            if let Err(error) = ended.await {
                tracing::error!(target = %target.name, error = %error, "could not end it");
            }
        });
    }
}
