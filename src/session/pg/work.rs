//! Work that runs elsewhere while the session waits: the disk, the store, the parser pool.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{sync::oneshot, task::JoinHandle};

use super::{Relay, conversation::WasRead, owed::LocalRun};
use crate::{
    kernel::{
        refusal::{Refusal, RefusalKind},
        sql::analysis::{Batch, Unreadable},
    },
    net::faults,
    session::{
        cache::{Edition, StateId},
        desk::{self, Caller, Table},
        gate, parsers,
    },
    trail::{Clearance, TrailError},
};

/// Work that runs elsewhere while the session waits for it.
pub(super) enum Work {
    /// A call of `hallpass.*`.
    Desk(Box<LocalRun>, JoinHandle<Result<Table, Refusal>>),
    /// A large text, and what names meant when it was given to the pool.
    Parse(Arc<str>, (StateId, Edition), oneshot::Receiver<Result<Arc<Batch>, Unreadable>>),
}

/// The disk's word on a record, before its statement may leave.
pub(super) type Synced = Pin<Box<dyn Future<Output = (Clearance, Result<(), TrailError>)>>>;

impl Relay {
    /// Looks at what has been done. True if something has.
    pub(super) fn poll_work(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        if let Some(cancelling) = &mut self.cancelling
            && Pin::new(cancelling).poll(cx).is_ready()
        {
            self.cancelling = None;
            self.answer_cancels();
            progress = true;
        }
        if let Some((synced, length)) = &mut self.unsynced
            && let Poll::Ready((clearance, result)) = synced.as_mut().poll(cx)
        {
            let length = *length;
            self.unsynced = None;
            match result {
                Ok(()) => {
                    self.door.send_statement(&clearance, length);
                    self.send_after();
                }
                Err(error) => {
                    tracing::error!(error = %error, "a record could not be made durable");
                    self.door.discard(length);
                    if self.refuse_unsent(Some(clearance.statement())).is_err() {
                        self.talk.fatal = Some(crate::session::records::unwritten());
                    }
                }
            }
            progress = true;
        }
        if self.work.is_none() {
            self.begin_work();
        }
        match &mut self.work {
            None => {}
            Some(Work::Desk(_, handle)) => {
                if let Poll::Ready(done) = Pin::new(handle).poll(cx)
                    && let Some(Work::Desk(run, _)) = self.work.take()
                {
                    let answer = done.unwrap_or_else(|_| {
                        Err(Refusal::new(RefusalKind::Internal, "the gateway could not answer"))
                    });
                    self.talk.local_done(&run, answer);
                    progress = true;
                }
            }
            Some(Work::Parse(_, _, receiver)) => {
                if let Poll::Ready(done) = Pin::new(receiver).poll(cx)
                    && let Some(Work::Parse(text, read_in, _)) = self.work.take()
                {
                    let result = done.unwrap_or(Err(Unreadable::TooLarge {
                        what: "the statement could not be read".to_owned(),
                    }));
                    self.talk.pool_has_read(WasRead { text, result, read_in });
                    progress = true;
                }
            }
        }
        progress
    }

    /// Begins what waits to be done.
    pub(super) fn begin_work(&mut self) {
        if let Some(text) = self.talk.to_read.take() {
            let target = Arc::clone(&*self.talk.facts.target);
            let reading = self.talk.reading.clone();
            let of = Arc::clone(&text);
            let principal = &self.talk.facts.handle.principal;
            let receiver = parsers::submit(principal, move || {
                faults::panic_at("parser", of.as_bytes());
                gate::analyze(&of, &reading, &target)
            });
            self.work = Some(Work::Parse(text, self.talk.read_in(), receiver));
            return;
        }
        let Some(run) = self.talk.answer_locally() else { return };
        if let Some(answer) = self.talk.answer_setting(&run) {
            self.talk.local_done(&run, answer);
            return;
        }
        self.talk.local_runs = true;
        let handle = &self.talk.facts.handle;
        let caller = Caller {
            principal: handle.principal.clone(),
            target: handle.target.clone(),
            session: handle.id,
        };
        let services = Arc::clone(&self.talk.core.services);
        let (call, parameters) = (run.call.clone(), run.parameters.clone());
        let control = services.control.clone();
        let task = control.spawn(async move {
            faults::panic_at("desk", call.name.as_bytes());
            desk::answer(&services, &caller, &call, &parameters).await
        });
        self.work = Some(Work::Desk(run, task));
    }
}
