//! Who stands before the door: connections that have not logged in yet, and log-ins that failed, by
//! the address that they come from.
//!
//! An address has room for so many connections that have proven nothing. Wrong proofs of one name from
//! one address make the next ones from there wait, each behind the other; the same name from elsewhere
//! doesn't wait, so that nobody locks the owner out. Names that don't exist are treated alike.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::net::stream::Peer;

/// Wrong proofs of one name from one address before the next has to wait.
const FREE: u32 = 5;
/// Wrong proofs of all names from one address before the next has to wait. Many people may share it.
const FREE_OF_ALL: u32 = 50;
/// The first wait; each further wrong proof doubles it.
const WAIT_MIN: Duration = Duration::from_millis(100);
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Who would have to wait longer behind others is refused at once.
const QUEUE_MAX: Duration = Duration::from_secs(15);
/// After how long without a wrong proof it is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(600);
/// Names and addresses that are remembered.
const REMEMBERED: usize = 8192;

/// An address, or what of it one customer of a provider has; `None`: this machine, by a socket in the
/// file system.
type Place = Option<IpAddr>;

fn place(peer: Peer) -> Place {
    let Peer::Tcp(address) = peer else { return None };
    Some(match address.ip().to_canonical() {
        v4 @ IpAddr::V4(_) => v4,
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) >> 64 << 64).into(),
    })
}

/// The doorstep.
#[derive(Default, Debug)]
pub struct Doorstep {
    inner: Mutex<Inner>,
    hasher: RandomState,
}

#[derive(Default, Debug)]
struct Inner {
    standing: HashMap<Place, usize>,
    /// By address and name; without a name: all names from there.
    wrong: HashMap<(Place, Option<u64>), Wrong>,
}

#[derive(Clone, Copy, Debug)]
struct Wrong {
    count: u32,
    last: Instant,
    /// When the next may try.
    next: Instant,
}

/// A connection that has not logged in yet; dropping it gives its room back.
#[derive(Debug)]
pub struct Standing {
    doorstep: Arc<Doorstep>,
    place: Place,
}

impl Doorstep {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Numbers that are changed one by one: a panic leaves none half-done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for a connection that has not logged in; `None`: its address has so many already.
    pub fn enter(self: &Arc<Self>, peer: Peer, most: usize) -> Option<Standing> {
        let place = place(peer);
        let mut inner = self.lock();
        let count = inner.standing.entry(place).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        drop(inner);
        Some(Standing { doorstep: Arc::clone(self), place })
    }

    /// How long a log-in must wait before it may try; `None`: it may not.
    pub fn wait(&self, peer: Peer, name: &str, now: Instant) -> Option<Duration> {
        let (place, name) = (place(peer), self.hasher.hash_one(name));
        let mut inner = self.lock();
        let of_all = inner.wrong.get(&(place, None)).filter(|wrong| wrong.counts(now));
        let of_all = of_all.map_or(Duration::ZERO, |wrong| after(wrong.count, FREE_OF_ALL));
        let own = inner.wrong.get_mut(&(place, Some(name))).filter(|wrong| wrong.counts(now));
        let Some(own) = own else { return Some(of_all) };
        let turn = own.next.max(now);
        let wait = turn.duration_since(now);
        if wait > QUEUE_MAX {
            return None;
        }
        own.next = turn + after(own.count, FREE);
        Some(wait.max(of_all))
    }

    /// A proof was wrong.
    pub fn wrong(&self, peer: Peer, name: &str, now: Instant) {
        let (place, name) = (place(peer), self.hasher.hash_one(name));
        let mut inner = self.lock();
        if inner.wrong.len() >= REMEMBERED {
            inner.wrong.retain(|_, wrong| wrong.counts(now));
        }
        if inner.wrong.len() >= REMEMBERED {
            // Whoever fills it has many addresses: what is known of single names helps least.
            inner.wrong.retain(|(_, name), wrong| name.is_none() || wrong.count > FREE);
        }
        if inner.wrong.len() >= REMEMBERED {
            inner.wrong.clear();
        }
        for (name, free) in [(Some(name), FREE), (None, FREE_OF_ALL)] {
            let fresh = Wrong { count: 0, last: now, next: now };
            let wrong = inner.wrong.entry((place, name)).or_insert(fresh);
            if !wrong.counts(now) {
                *wrong = fresh;
            }
            wrong.count = wrong.count.saturating_add(1);
            wrong.last = now;
            wrong.next = wrong.next.max(now + after(wrong.count, free));
        }
    }

    /// A proof was right: what was wrong of that name from there is forgotten.
    pub fn proven(&self, peer: Peer, name: &str) {
        let name = self.hasher.hash_one(name);
        self.lock().wrong.remove(&(place(peer), Some(name)));
    }
}

impl Wrong {
    fn counts(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) < FORGOTTEN
    }
}

/// The wait after so many wrong proofs.
fn after(count: u32, free: u32) -> Duration {
    match count.checked_sub(free) {
        None => Duration::ZERO,
        Some(over) => (WAIT_MIN * 2_u32.pow(over.min(10))).min(WAIT_MAX),
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        let mut inner = self.doorstep.lock();
        if let Some(count) = inner.standing.get_mut(&self.place) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                inner.standing.remove(&self.place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Peer {
        Peer::Tcp(text.parse().expect("an address"))
    }

    #[test]
    fn guesses_wait_and_the_owner_elsewhere_does_not() {
        let doorstep = Doorstep::default();
        let (bad, good) = (peer("10.0.0.1:1"), peer("10.0.0.2:1"));
        let start = Instant::now();
        for _ in 0..FREE {
            assert_eq!(doorstep.wait(bad, "alice", start), Some(Duration::ZERO));
            doorstep.wrong(bad, "alice", start);
        }
        // The port is another for each connection, and says nothing.
        let waits = doorstep.wait(peer("10.0.0.1:2"), "alice", start).expect("may wait");
        assert_eq!(waits, WAIT_MIN);
        assert_eq!(doorstep.wait(good, "alice", start), Some(Duration::ZERO));
        assert_eq!(doorstep.wait(bad, "bob", start), Some(Duration::ZERO));
        // Together they wait no less than one behind the other, and not for ever.
        for _ in 0..10 {
            doorstep.wrong(bad, "alice", start);
        }
        let waits: Vec<_> = (0..8).map(|_| doorstep.wait(bad, "alice", start)).collect();
        assert!(waits.windows(2).all(|w| w[1].is_none_or(|second| w[0] < Some(second))));
        assert!(waits.last().is_some_and(Option::is_none), "{waits:?}");
        assert_eq!(doorstep.wait(bad, "alice", start + FORGOTTEN), Some(Duration::ZERO));
        doorstep.proven(bad, "alice");
        assert_eq!(doorstep.wait(bad, "alice", start), Some(Duration::ZERO));
    }

    #[test]
    fn many_names_from_one_address_wait_too_and_memory_is_bounded() {
        let doorstep = Doorstep::default();
        let now = Instant::now();
        for number in 0..3 * REMEMBERED {
            doorstep.wrong(peer("[2001:db8::1]:1"), &number.to_string(), now);
        }
        assert!(doorstep.lock().wrong.len() <= REMEMBERED + 2);
        // Addresses of one network of 64 bits are one customer's.
        let wait = doorstep.wait(peer("[2001:db8::ffff]:1"), "fresh", now);
        assert_eq!(wait, Some(WAIT_MAX));
        assert_eq!(doorstep.wait(peer("[2001:db9::1]:1"), "fresh", now), Some(Duration::ZERO));
    }

    #[test]
    fn an_address_has_room_for_so_many() {
        let doorstep = Arc::new(Doorstep::default());
        let (one, other) = (peer("10.0.0.1:1"), peer("10.0.0.2:1"));
        let first = doorstep.enter(one, 2).expect("room");
        let _second = doorstep.enter(one, 2).expect("room");
        assert!(doorstep.enter(one, 2).is_none() && doorstep.enter(other, 2).is_some());
        drop(first);
        assert!(doorstep.enter(one, 2).is_some());
    }
}
