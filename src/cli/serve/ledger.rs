//! The control lane, on a thread of its own: a disk that hangs holds up this thread, and nobody who
//! follows the store.

use std::{collections::HashSet, sync::mpsc, thread, time::Duration};

use serde_json::Value;
use tokio::sync::oneshot;

use crate::{
    kernel::audit::record::Event,
    net::clock::Clock,
    store::OutboxEvent,
    trail::{Lane, TrailError},
};

/// What the gateway says of itself.
#[derive(Debug)]
pub(super) enum Note {
    Started,
    SettingsLoaded { digest: String },
    Stopped,
    Alert(String),
}

impl Note {
    fn event(&self) -> Event<'_> {
        match self {
            Self::Started => Event::Started { version: env!("CARGO_PKG_VERSION") },
            Self::SettingsLoaded { digest } => Event::SettingsLoaded { digest },
            Self::Stopped => Event::Stopped { reason: "signal" },
            Self::Alert(what) => Event::Alert { session: None, what },
        }
    }
}

type Job = Box<dyn FnOnce(&mut Lane) + Send>;

/// What has become of acts that were to be put on the trail: their numbers, or why they are not there.
pub(super) type Appended = Result<Vec<u64>, TrailError>;

/// Puts on the trail what isn't a session's.
#[derive(Debug)]
pub(super) struct Ledger {
    jobs: mpsc::Sender<Job>,
    thread: thread::JoinHandle<()>,
    clock: Clock,
}

impl Ledger {
    pub(super) fn start(mut lane: Lane, clock: Clock) -> std::io::Result<Self> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let thread = thread::Builder::new().name("trail-control".to_owned()).spawn(move || {
            while let Ok(job) = inbox.recv() {
                job(&mut lane);
            }
        })?;
        Ok(Self { jobs, thread, clock })
    }

    /// Puts acts on the trail; the answer comes when they are in the file, or can't be.
    pub(super) fn append(&self, events: Vec<OutboxEvent>) -> oneshot::Receiver<Appended> {
        let (sender, receiver) = oneshot::channel();
        let clock = self.clock.clone();
        self.give(move |lane| {
            // Whoever asked may have gone; the next look at the store finds the acts again.
            sender.send(append(lane, &clock, &events)).ok();
        });
        receiver
    }

    /// Puts an event of the gateway itself on the trail. Doesn't wait for it.
    pub(super) fn note(&self, note: Note) {
        let clock = self.clock.clone();
        self.give(move |lane| {
            if let Err(error) = lane.note(clock.now(), &note.event()) {
                tracing::error!(error = %error, "an event is not on the trail");
            }
        });
    }

    /// Waits until all of it is on the trail, or for so long.
    pub(super) fn settle(&self, within: Duration) {
        let (sender, receiver) = mpsc::channel();
        self.give(move |_| {
            sender.send(()).ok();
        });
        if receiver.recv_timeout(within).is_err() {
            tracing::error!("the last events are not on the trail");
        }
    }

    /// True if a mistake has ended it: nothing goes on the trail any more.
    pub(super) fn is_gone(&self) -> bool {
        self.thread.is_finished()
    }

    fn give(&self, job: impl FnOnce(&mut Lane) + Send + 'static) {
        if self.jobs.send(Box::new(job)).is_err() {
            tracing::error!("the control lane of the trail is gone");
        }
    }
}

/// Puts acts on the trail. Blocks.
pub(super) fn append(lane: &mut Lane, clock: &Clock, events: &[OutboxEvent]) -> Appended {
    let mut done = Vec::new();
    for event in events {
        let body: Value = serde_json::from_str(&event.body).unwrap_or(Value::Null);
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let stored = Event::Stored {
            kind: text("kind"),
            actor: text("actor"),
            direct: body.get("direct").and_then(Value::as_bool).unwrap_or(false),
            body: &body,
        };
        lane.note(clock.now(), &stored)?;
        done.push(event.id);
    }
    Ok(done)
}

/// What is on its way to the trail, and what is there though the store still has it.
#[derive(Debug, Default)]
pub(super) struct Underway {
    appending: Option<oneshot::Receiver<Appended>>,
    recorded: HashSet<u64>,
}

impl Underway {
    /// Those of the acts that have to be put on the trail.
    pub(super) fn unrecorded(&mut self, all: &[OutboxEvent]) -> Vec<OutboxEvent> {
        self.recorded.retain(|id| all.iter().any(|event| event.id == *id));
        all.iter().filter(|event| !self.recorded.contains(&event.id)).cloned().collect()
    }

    /// True while the trail has not answered.
    pub(super) fn is_waiting(&self) -> bool {
        self.appending.is_some()
    }

    pub(super) fn wait_for(&mut self, appending: oneshot::Receiver<Appended>) {
        self.appending = Some(appending);
    }

    /// What the trail says; never, if nothing is under way. Safe to cancel.
    pub(super) async fn answer(&mut self) -> Option<Vec<u64>> {
        let Some(appending) = &mut self.appending else { return std::future::pending().await };
        let answer = appending.await;
        self.appending = None;
        match answer {
            Ok(Ok(done)) => {
                self.recorded.extend(&done);
                Some(done)
            }
            Ok(Err(error)) => {
                // Fail closed: what is given waits for its record, what is taken away doesn't. The
                // store is looked at again within seconds.
                tracing::error!(error = %error, "changes are not on the trail; what they give is not in force");
                None
            }
            Err(_) => {
                tracing::error!("the control lane of the trail is gone");
                None
            }
        }
    }
}
