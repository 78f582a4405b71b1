//! The end of a session: who is told, what is closed on the trail, and what must not run on.
//!
//! A server doesn't notice that its client has gone while it works: a statement would run to its end,
//! hours later, and commit. So nobody leaves before the upstream's session has ended, or was told to.

use std::{future::poll_fn, time::Duration};

use tokio::{task::JoinHandle, time::timeout};

use super::{Over, PATIENCE, Relay, conversation::End, work::Work};
use crate::{
    kernel::{
        audit::record::{Ended, Event},
        refusal::{Refusal, RefusalKind},
    },
    trail::Passage,
    upstream::{self, Control, door},
    wire::pg::{backend, exchange::Step},
};

/// How long what a client has left behind may go on: whoever sends a statement and hangs up gets it
/// done if it is short, as without a gateway.
const GRACE: Duration = Duration::from_secs(1);
/// How long an upstream session may take to end once it was told to, before it is told again.
const END_WITHIN: Duration = Duration::from_millis(500);
/// How often it is told.
const ROUNDS: usize = 4;
/// How often what may run is cancelled over a broken connection.
const CANCELS: usize = 3;
/// How long telling may take.
const TELL_WITHIN: Duration = Duration::from_secs(2);

impl Relay {
    /// Serves, then says what is left to be said, closes what is open on the trail, and sees to it that
    /// nothing of the session runs on. Gives the reason for the session's record.
    pub(super) async fn run(mut self) -> String {
        self.leave_address();
        let over = self.serve().await;
        let reason = over.to_string();
        let runs = self.talk.exchange.iter().any(|owed| owed.step != Step::Local);
        // Fail closed: what ends a session ends what it does, before anything else is waited for.
        let told = (runs && over.is_sudden()).then(|| self.tell_to_end());
        self.say_why(&over).await;
        if let Some(Work::Desk(run, _)) = self.work.take() {
            self.talk.close_local(&run, Ended::Unknown);
        }
        // What it sent last may leave, if its record can be written.
        self.talk.core.write_intents();
        let unsent = match self.door.passage() {
            Passage::Open => None,
            Passage::Waits | Passage::Closed => self.door.forget_waiting(),
        };
        self.talk.abandon(unsent);
        self.door.send_control(&door::Control::Terminate);
        let bye = poll_fn(|cx| self.door.poll_flush(cx, &mut self.upstream));
        // An idle upstream session ends when it reads this, or when the connection closes.
        drop(timeout(Duration::from_secs(1), bye).await);
        let broke = matches!(over, Over::UpstreamClosed | Over::Upstream(_));
        if runs && !broke {
            self.lay_to_rest(told).await;
        } else if runs && !self.said_goodbye {
            self.cancel_what_may_run().await;
        }
        self.answer_cancels();
        reason
    }

    async fn say_why(&mut self, over: &Over) {
        let refusal = match over {
            Over::End(End::Refused(refusal)) => refusal.clone(),
            Over::UpstreamClosed | Over::Upstream(_) if self.said_goodbye => return,
            Over::UpstreamClosed | Over::Upstream(_) => Refusal::new(
                RefusalKind::UpstreamUnavailable,
                "the connection to the target is gone",
            ),
            Over::End(End::Upstream(error)) => {
                tracing::error!(session = %self.talk.facts.handle.id, error = %error, "upstream");
                let text = "the target does not speak the protocol as expected";
                Refusal::new(RefusalKind::UpstreamUnavailable, text)
            }
            Over::End(End::OutOfStep(error)) => {
                tracing::error!(session = %self.talk.facts.handle.id, error = %error, "out of step");
                Refusal::new(RefusalKind::Internal, "the session lost its place")
            }
            Over::Panicked => {
                Refusal::new(RefusalKind::Internal, "a mistake in the gateway ended the session")
            }
            Over::End(End::Terminated) | Over::Client(_) | Over::ClientClosed => return,
        };
        if !self.from_upstream.is_some_and(|rest| rest.forward) {
            backend::fatal(self.to_client.inject(), &refusal, self.talk.client_text);
        }
        // Else half a message has gone out, and ours would be read as the rest of it.
        let flushed = poll_fn(|cx| self.to_client.poll_flush(cx, &mut self.client));
        // What waits for the client goes out, as long as it takes it.
        drop(timeout(Duration::from_secs(2), flushed).await);
    }

    /// Waits until the upstream's session has ended. If nobody has told it to yet, what was left behind
    /// has a while to end by itself.
    async fn lay_to_rest(&mut self, mut told: Option<JoinHandle<()>>) {
        if told.is_none() && self.upstream_ends(GRACE).await {
            return;
        }
        for _ in 0..ROUNDS {
            let telling = told.take().unwrap_or_else(|| self.tell_to_end());
            drop(timeout(TELL_WITHIN, telling).await);
            if self.upstream_ends(END_WITHIN).await {
                return;
            }
        }
        let what = "a statement whose session has ended may still run at the target";
        tracing::error!(session = %self.talk.facts.handle.id, what);
        let alert = Event::Alert { session: Some(self.talk.facts.handle.id), what };
        self.talk.core.lane.borrow_mut().note_later(self.talk.now, &alert);
    }

    /// The connection broke and the server has said nothing of an end: what stood between the two may
    /// have gone, and not the server's session. By its key alone, which nobody else's has; of what it
    /// was sent, one statement may stand behind another.
    async fn cancel_what_may_run(&self) {
        let target = self.talk.facts.target.clone();
        let key = self.cancel_key.clone();
        let cancels = self.talk.core.services.control.spawn(async move {
            for _ in 0..CANCELS {
                let (peer, process) = (key.peer, key.process);
                let cancel = upstream::pg::cancel(target.full(), peer, process, &key.key);
                if !matches!(timeout(TELL_WITHIN, cancel).await, Ok(Ok(()))) {
                    return;
                }
                tokio::time::sleep(END_WITHIN / 2).await;
            }
        });
        drop(cancels.await);
    }

    /// True if the upstream closes its connection within this. What it still says goes nowhere.
    async fn upstream_ends(&mut self, within: Duration) -> bool {
        let ends = async {
            loop {
                self.to_client.start_anew(&[]);
                let filled =
                    poll_fn(|cx| self.to_client.poll_fill(cx, &mut self.upstream, 0)).await;
                if !matches!(filled, Ok(1..)) {
                    return;
                }
            }
        };
        timeout(within, ends).await.is_ok()
    }

    /// Ends the upstream's session; where that can't be done, cancels what runs in it.
    fn tell_to_end(&self) -> JoinHandle<()> {
        let target = self.talk.facts.target.clone();
        // A log-in may always end its own sessions, and another's perhaps not.
        let (key, level) = (self.cancel_key.clone(), self.talk.log_in);
        self.talk.core.services.control.spawn(async move {
            let end = async {
                let mut control = Control::connect(target.log_in(level).1, PATIENCE).await?;
                let ended = control.terminate(key.process).await;
                control.close().await;
                ended
            };
            match timeout(TELL_WITHIN, end).await {
                Ok(Ok(true)) => return,
                Ok(Err(error)) => {
                    tracing::warn!(target = %target.name, error = %error, "cancelling instead");
                }
                // Another's process id, of a pooler for example, or no answer.
                Ok(Ok(false)) | Err(_) => {}
            }
            let cancel = upstream::pg::cancel(target.full(), key.peer, key.process, &key.key);
            drop(timeout(TELL_WITHIN, cancel).await);
        })
    }
}

impl Over {
    /// True if it wasn't the client who ended the session, nor the upstream.
    fn is_sudden(&self) -> bool {
        match self {
            Self::Panicked | Self::End(End::Refused(_) | End::OutOfStep(_) | End::Upstream(_)) => {
                true
            }
            Self::End(End::Terminated)
            | Self::Client(_)
            | Self::ClientClosed
            | Self::Upstream(_)
            | Self::UpstreamClosed => false,
        }
    }
}
