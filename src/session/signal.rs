//! How the rest of the process talks to one session: flags and a wake-up, nothing that waits.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU8, AtomicU32, Ordering},
    },
    task::{Context, Waker},
};

use tokio::sync::oneshot;

use super::pg::stead::Stead;
use crate::{
    kernel::{
        ids::{Principal, SessionId, TargetName},
        time::Timestamp,
    },
    net::stream::Peer,
};

/// What may have happened since a session last looked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Wake {
    /// Grants, roles or the principal changed.
    Access = 1,
    /// The client asked for a cancel on another connection.
    Cancel = 2,
    /// Somebody ended the session.
    Kill = 4,
    /// The gateway stops: finish what runs, then end.
    Drain = 8,
    /// The gateway stops now.
    Stop = 16,
    /// Other columns of a target are masked.
    Masks = 32,
}

/// Flags and a wake-up.
#[derive(Default, Debug)]
pub struct Signal {
    flags: AtomicU32,
    waker: Mutex<Option<Waker>>,
}

impl Signal {
    /// Sets a flag and wakes the session.
    pub fn raise(&self, wake: Wake) {
        self.flags.fetch_or(wake as u32, Ordering::AcqRel);
        // A poisoned lock holds a whole waker all the same: nothing is half-written under it.
        let waker = self.waker.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// True if the session has not taken this flag yet.
    pub fn is_raised(&self, wake: Wake) -> bool {
        self.flags.load(Ordering::Acquire) & wake as u32 != 0
    }

    /// Takes all flags, and asks to be woken by the next one. The session calls it at each turn.
    pub fn take(&self, cx: &Context<'_>) -> Flags {
        {
            let mut waker = self.waker.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if !waker.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
                *waker = Some(cx.waker().clone());
            }
        }
        if self.flags.load(Ordering::Acquire) == 0 {
            return Flags(0);
        }
        Flags(self.flags.swap(0, Ordering::AcqRel))
    }
}

/// Flags taken from a [`Signal`].
#[derive(Clone, Copy, Debug)]
pub struct Flags(u32);

impl Flags {
    /// True if this one was raised.
    pub fn has(self, wake: Wake) -> bool {
        self.0 & wake as u32 != 0
    }

    /// True if none was.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What a session does: for people, no decision reads it.
#[derive(Default, Debug)]
pub struct Activity {
    /// Microseconds since the epoch; 0: there was none.
    last_statement: AtomicI64,
    doing: AtomicU8,
}

/// What a session does at a moment, in the server's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Doing {
    /// It waits for its client.
    Idle = 0,
    /// Something runs.
    Active = 1,
    /// It waits for its client in a transaction.
    IdleInTransaction = 2,
}

impl Activity {
    /// A statement begins.
    pub fn begins(&self, now: Timestamp) {
        self.last_statement.store(now.0, Ordering::Relaxed);
    }

    /// What it does from now on.
    pub fn is(&self, doing: Doing) {
        self.doing.store(doing as u8, Ordering::Relaxed);
    }

    /// When the last statement began.
    pub fn last_statement(&self) -> Option<Timestamp> {
        let micros = self.last_statement.load(Ordering::Relaxed);
        (micros != 0).then_some(Timestamp(micros))
    }

    /// What it does, in a word.
    pub fn word(&self) -> &'static str {
        match self.doing.load(Ordering::Relaxed) {
            0 => "idle",
            1 => "active",
            _ => "idle in transaction",
        }
    }
}

/// What others may know of a session, and how they reach it.
#[derive(Debug)]
pub struct SessionHandle {
    /// Its id.
    pub id: SessionId,
    /// Who logged in.
    pub principal: Principal,
    /// To what.
    pub target: TargetName,
    /// The client's address, for lists.
    pub client_address: String,
    /// The same, to be held against the networks of roles.
    pub peer: Peer,
    /// What the client calls itself.
    pub application: Mutex<String>,
    /// When it logged in.
    pub since: Timestamp,
    /// What it does, for lists.
    pub activity: Activity,
    /// Its wake-up.
    pub signal: Signal,
    /// Connections that asked for a cancel and wait until it was passed on.
    pub cancels: Mutex<Vec<oneshot::Sender<()>>>,
    /// For who acts in its stead while its thread is held up.
    pub stead: Stead,
}

impl SessionHandle {
    /// Asks the session to cancel what runs; ready when that was passed on to the upstream (or
    /// there was nothing to cancel).
    pub fn cancel(self: &Arc<Self>) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.cancels.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(sender);
        self.signal.raise(Wake::Cancel);
        receiver
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::AtomicUsize,
        task::{Wake as StdWake, Waker},
    };

    use super::*;

    struct Counter(AtomicUsize);

    impl StdWake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_raised_flag_wakes_once_and_is_taken_once() {
        let counter = Arc::new(Counter(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&counter));
        let cx = Context::from_waker(&waker);
        let signal = Signal::default();
        assert!(signal.take(&cx).is_empty());
        signal.raise(Wake::Access);
        signal.raise(Wake::Kill);
        assert_eq!(counter.0.load(Ordering::SeqCst), 1);
        let flags = signal.take(&cx);
        assert!(flags.has(Wake::Access) && flags.has(Wake::Kill) && !flags.has(Wake::Cancel));
        assert!(signal.take(&cx).is_empty());
    }
}
