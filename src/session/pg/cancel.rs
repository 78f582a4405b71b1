//! Cancels: passed on to the upstream, and what follows one that has no effect.

use std::sync::Arc;

use super::{PATIENCE, Relay};
use crate::{
    net::stream::Peer,
    upstream::{self, Control},
};

/// What cancels a statement at the upstream.
#[derive(Clone)]
pub(super) struct UpstreamKey {
    /// The very address the session is connected to.
    pub(super) peer: Peer,
    pub(super) process: i32,
    pub(super) key: Vec<u8>,
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

    /// Sends the cancel that is wanted, and ends the upstream session if one had no effect.
    pub(super) fn pass_on_cancels(&mut self) {
        if std::mem::take(&mut self.talk.cancel_wanted) && self.cancelling.is_none() {
            let target = Arc::clone(&self.talk.facts.target);
            let UpstreamKey { peer, process, key } = self.cancel_key.clone();
            self.cancelling = Some(self.talk.core.services.control.spawn(async move {
                let cancelled = upstream::pg::cancel(&target.connect, peer, process, &key).await;
                if let Err(error) = cancelled {
                    tracing::warn!(target = %target.name, error = %error, "cancel failed");
                }
            }));
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
        let target = Arc::clone(&self.talk.facts.target);
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
