//! Who is connected: look-up by id for lists and kill, by key for cancel.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::signal::{SessionHandle, Wake};
use crate::kernel::ids::{Principal, SessionId, TargetName};

/// A virtual cancel key: the process id and the secret that we gave to a client.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CancelKey {
    /// The upstream's process id at log-in, or, where another session has that, one that looks like it.
    pub process: i32,
    /// 4 bytes in protocol 3.0, 32 in 3.2.
    pub secret: Vec<u8>,
}

impl std::fmt::Debug for CancelKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CancelKey").field("process", &self.process).finish_non_exhaustive()
    }
}

/// All sessions of this process.
#[derive(Default, Debug)]
pub struct Registry {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Default, Debug)]
struct Inner {
    by_id: HashMap<SessionId, Arc<SessionHandle>>,
    by_process: HashMap<i32, (CancelKey, Arc<SessionHandle>)>,
    /// Log-ins that have passed and are on their way to their targets.
    arriving: Vec<(Principal, TargetName)>,
}

/// A session that is being connected: it counts, or any number could be at once. Dropping it ends that.
#[derive(Debug)]
pub struct Arriving {
    registry: Arc<Registry>,
    who: (Principal, TargetName),
}

/// Keeps a session registered; dropping it takes the session off the list.
#[derive(Debug)]
pub struct Registered {
    registry: Arc<Registry>,
    id: SessionId,
    process: i32,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // The maps are changed by single inserts and removes: a panic leaves none half-done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a session with the key that its client will cancel by. `None` if the process id is
    /// taken: the caller draws another.
    pub fn enter(
        self: &Arc<Self>,
        handle: Arc<SessionHandle>,
        key: CancelKey,
    ) -> Option<Registered> {
        let mut inner = self.lock();
        let (id, process) = (handle.id, key.process);
        if inner.by_process.contains_key(&process) {
            return None;
        }
        inner.by_process.insert(process, (key, Arc::clone(&handle)));
        inner.by_id.insert(id, handle);
        drop(inner);
        self.changed.notify_one();
        Some(Registered { registry: Arc::clone(self), id, process })
    }

    /// Ready when sessions came or went since the last time. For one waiter.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The session whose client holds this key. The secret is compared in constant time.
    pub fn by_key(&self, process: i32, secret: &[u8]) -> Option<Arc<SessionHandle>> {
        let inner = self.lock();
        let (key, handle) = inner.by_process.get(&process)?;
        let same = key.secret.len() == secret.len()
            && key.secret.iter().zip(secret).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0;
        same.then(|| Arc::clone(handle))
    }

    /// The session whose client knows itself by that number. Gives no right to anything.
    pub fn by_process(&self, process: i32) -> Option<Arc<SessionHandle>> {
        self.lock().by_process.get(&process).map(|(_, handle)| Arc::clone(handle))
    }

    /// The session of that id.
    pub fn by_id(&self, id: SessionId) -> Option<Arc<SessionHandle>> {
        self.lock().by_id.get(&id).map(Arc::clone)
    }

    /// All of them, by id.
    pub fn all(&self) -> Vec<Arc<SessionHandle>> {
        let mut all: Vec<_> = self.lock().by_id.values().map(Arc::clone).collect();
        all.sort_by_key(|h| h.id);
        all
    }

    /// Counts a session that is to be connected, and says how many the principal had before, and how
    /// many there were on the target.
    pub fn arrive(
        self: &Arc<Self>,
        principal: &Principal,
        target: &TargetName,
    ) -> (Arriving, (usize, usize)) {
        let mut inner = self.lock();
        let of = |test: &dyn Fn(&Principal, &TargetName) -> bool| {
            inner.by_id.values().filter(|h| test(&h.principal, &h.target)).count()
                + inner.arriving.iter().filter(|(p, t)| test(p, t)).count()
        };
        let counts = (of(&|p, _| p == principal), of(&|_, t| t == target));
        let who = (principal.clone(), target.clone());
        inner.arriving.push(who.clone());
        drop(inner);
        (Arriving { registry: Arc::clone(self), who }, counts)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lock().by_id.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Raises a flag in all of them.
    pub fn raise_all(&self, wake: Wake) {
        for handle in self.all() {
            handle.signal.raise(wake);
        }
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        let mut inner = self.registry.lock();
        if let Some(at) = inner.arriving.iter().position(|who| *who == self.who) {
            inner.arriving.swap_remove(at);
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut inner = self.registry.lock();
        inner.by_id.remove(&self.id);
        inner.by_process.remove(&self.process);
        drop(inner);
        self.registry.changed.notify_one();
    }
}
