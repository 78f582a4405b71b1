//! Memory for messages that are too long to take in unasked: of all sessions together so much, of
//! one principal half of it. Whoever finds no room waits, unread.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use crate::kernel::ids::Principal;

/// The room.
#[derive(Default, Debug)]
pub struct Room {
    inner: Mutex<Inner>,
}

#[derive(Default, Debug)]
struct Inner {
    taken: usize,
    by_principal: HashMap<Principal, usize>,
    waiting: Vec<Waker>,
}

/// A part of the room; dropping it gives it back.
#[derive(Debug)]
pub struct Place {
    room: Arc<Room>,
    principal: Principal,
    bytes: usize,
}

impl Room {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Sums and a list of wakers, changed together without anything that may panic between.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes so many bytes of a room of `most`. `None`: there is no room now; the waker is called
    /// when it is worth asking again.
    ///
    /// Who holds nothing gets what is left however much it is, so that no message waits for ever.
    pub fn take(
        self: &Arc<Self>,
        principal: &Principal,
        bytes: usize,
        (most, waker): (usize, &Waker),
    ) -> Option<Place> {
        let mut inner = self.lock();
        let own = inner.by_principal.get(principal).copied().unwrap_or(0);
        let fits = inner.taken == 0 || inner.taken.saturating_add(bytes) <= most;
        let fair = own == 0 || own.saturating_add(bytes) <= most / 2;
        if !fits || !fair {
            if !inner.waiting.iter().any(|known| known.will_wake(waker)) {
                inner.waiting.push(waker.clone());
            }
            return None;
        }
        inner.taken += bytes;
        *inner.by_principal.entry(principal.clone()).or_default() += bytes;
        drop(inner);
        Some(Place { room: Arc::clone(self), principal: principal.clone(), bytes })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inner = self.room.lock();
        inner.taken = inner.taken.saturating_sub(self.bytes);
        if let Some(own) = inner.by_principal.get_mut(&self.principal) {
            *own = own.saturating_sub(self.bytes);
            if *own == 0 {
                inner.by_principal.remove(&self.principal);
            }
        }
        let waiting = std::mem::take(&mut inner.waiting);
        drop(inner);
        for waker in waiting {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_principal_takes_half_and_nobody_waits_for_ever() {
        let room = Arc::new(Room::default());
        let (alice, bob) = (Principal::new("alice"), Principal::new("bob"));
        let take = |who: &Principal, bytes| room.take(who, bytes, (100, Waker::noop()));
        let first = take(&alice, 40).expect("room");
        assert!(take(&alice, 11).is_none(), "more than half");
        let second = take(&alice, 10).expect("just half");
        let other = take(&bob, 50).expect("the other half");
        assert!(take(&bob, 1).is_none());
        drop((first, second, other));
        let large = take(&alice, 1000).expect("an empty room takes any one message");
        assert!(take(&bob, 1).is_none());
        drop(large);
        assert!(room.lock().by_principal.is_empty() && room.lock().taken == 0);
        assert!(room.lock().waiting.is_empty());
    }
}
