//! Work that runs elsewhere while the session waits: the disk, the store, the parser pool.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{sync::oneshot, task::JoinHandle};

use super::{Relay, local::Call, talk::Large};
use crate::{
    kernel::{
        refusal::{Refusal, RefusalKind},
        sql::analysis::{Batch, Unreadable},
    },
    net::faults,
    session::{
        desk::{self, Caller, Table},
        gate, parsers, records,
    },
    trail::{Clearance, TrailError},
};

/// Work that runs elsewhere while the session waits for it.
pub(super) enum Work {
    /// A call of `hallpass.*`.
    Desk(Box<Call>, JoinHandle<Result<Table, Refusal>>),
    /// A large text.
    Parse(Large, oneshot::Receiver<Result<Arc<Batch>, Unreadable>>),
}

/// The disk's word on a record, before its statement may leave.
pub(super) type Synced = Pin<Box<dyn Future<Output = (Clearance, Result<(), TrailError>)>>>;

impl Relay {
    /// Looks at what has been done. True if something has.
    pub(super) fn poll_work(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        if let Some(killing) = &mut self.killing
            && Pin::new(killing).poll(cx).is_ready()
        {
            self.killing = None;
            progress = true;
        }
        if let Some((synced, length)) = &mut self.unsynced
            && let Poll::Ready((clearance, result)) = synced.as_mut().poll(cx)
        {
            let length = *length;
            self.unsynced = None;
            match result {
                Ok(()) => self.door.send_statement(&clearance, length),
                Err(error) => {
                    tracing::error!(error = %error, "a record could not be made durable");
                    self.door.discard(length);
                    self.talk.refuse_unsent();
                }
            }
            progress = true;
        }
        if self.work.is_none() {
            progress |= self.begin_work();
        }
        match &mut self.work {
            None => {}
            Some(Work::Desk(_, handle)) => {
                if let Poll::Ready(done) = Pin::new(handle).poll(cx)
                    && let Some(Work::Desk(call, _)) = self.work.take()
                {
                    let lost = Refusal::new(RefusalKind::Internal, "the gateway could not answer");
                    self.talk.call_done(&call, done.unwrap_or(Err(lost)));
                    progress = true;
                }
            }
            Some(Work::Parse(_, receiver)) => {
                if let Poll::Ready(done) = Pin::new(receiver).poll(cx)
                    && let Some(Work::Parse(large, _)) = self.work.take()
                {
                    let lost =
                        Unreadable::TooLarge { what: "the statement could not be read".to_owned() };
                    let result = Some(done.unwrap_or(Err(lost)));
                    self.talk.large = Some(Large { result, ..large });
                    progress = true;
                }
            }
        }
        progress
    }

    /// Begins what waits to be done. True if something was done at once.
    fn begin_work(&mut self) -> bool {
        if self.talk.large.as_ref().is_some_and(|large| large.result.is_none())
            && let Some(large) = self.talk.large.take()
        {
            let (target, reading) = (Arc::clone(&self.talk.target), self.talk.reading.clone());
            let text = Arc::clone(&large.text);
            let receiver = parsers::submit(&self.talk.handle.principal, move || {
                faults::panic_at("parser", text.as_bytes());
                gate::analyze(&text, &reading, &target)
            });
            self.work = Some(Work::Parse(large, receiver));
            return true;
        }
        let Some(call) = self.talk.call.take() else { return false };
        if let Some(answer) = self.talk.answer_setting(&call.call) {
            self.talk.call_done(&call, answer);
            return true;
        }
        let handle = &self.talk.handle;
        let caller = Caller {
            principal: handle.principal.clone(),
            target: handle.target.clone(),
            session: handle.id,
        };
        let services = Arc::clone(&self.talk.core.services);
        let (asked, parameters) = (call.call.clone(), call.parameters.clone());
        let control = services.control.clone();
        let task = control.spawn(async move {
            faults::panic_at("desk", asked.name.as_bytes());
            desk::answer(&services, &caller, &asked, &parameters).await
        });
        self.work = Some(Work::Desk(Box::new(call), task));
        true
    }
}

impl super::Talk {
    /// What was admitted could not be put on record: it is refused, and nothing of it has left.
    pub(super) fn refuse_unsent(&mut self) {
        use super::answer::Of;
        let refusal = records::unwritten();
        let Some(answer) = self.answer.take() else { return };
        let next = answer.response.next();
        match answer.of {
            Of::Own { .. } | Of::Plain | Of::Reset => self.fatal = Some(refusal),
            Of::Prepare(preparing) => {
                self.refuse_run(preparing.run);
                self.tell_no(next, &refusal);
            }
            Of::Runs(running) => {
                for run in running.runs.into_iter().flatten() {
                    self.refuse_run(run);
                }
                self.tell_no(next, &refusal);
            }
        }
        self.close_records();
    }

    fn refuse_run(&mut self, mut run: crate::session::result::Run) {
        run.cut(records::unwritten());
        self.finish(&run, None, None);
    }
}
