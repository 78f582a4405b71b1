//! Who stands before the door: connections that have not logged in yet, and log-ins that failed, by
//! the address that they come from.
//!
//! An address has room for so many connections that have proven nothing. Wrong proofs of one name from
//! one address make the next ones from there wait, each behind the other; the same name from elsewhere
//! doesn't wait, so that nobody locks the owner out. Names that don't exist are treated alike.
//!
//! A log-in takes a turn before it may prove anything, and a turn counts from its beginning: guesses
//! that begin side by side are no more than guesses one by one. Whoever stands behind turns that are
//! under way goes as soon as they come out right, so that a pool of connections hardly waits.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    io,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use crate::net::{stream::Peer, tls::ServerTls};

/// Wrong proofs of one name from one address before the next has to wait.
const FREE: u32 = 5;
/// Wrong proofs of all names from one address before the next has to wait. Many people may share it.
const FREE_OF_ALL: u32 = 50;
/// Turns of one name from one address that may be under way, once it was proven from there: many
/// programs open their connections side by side.
const TOGETHER: u32 = 50;
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

/// What a listener does about TLS.
#[derive(Clone, Debug)]
pub enum TlsPolicy {
    /// It has none.
    Disable,
    /// It has; clients may go without.
    Prefer(Arc<ServerTls>),
    /// It has; clients must use it.
    Require(Arc<ServerTls>),
}

impl TlsPolicy {
    /// The certificate and what belongs to it.
    ///
    /// # Errors
    /// It has none.
    pub fn server(&self) -> io::Result<&ServerTls> {
        match self {
            Self::Disable => Err(io::Error::other("no TLS on this listener")),
            Self::Prefer(tls) | Self::Require(tls) => Ok(tls),
        }
    }
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
    tries: HashMap<Whose, Tries>,
}

/// By address and name; without a name: all names from there.
type Whose = (Place, Option<u64>);

/// What is known of the log-ins of one name, or of all, from one address.
#[derive(Debug)]
struct Tries {
    /// Wrong proofs, and when the last one was.
    wrong: u32,
    last: Instant,
    /// When the next may try, once there were too many.
    next: Instant,
    /// Turns under way: each may turn out wrong.
    open: u32,
    /// Proven from there before.
    proven: bool,
    /// Wakes one of those who wait for a turn to come out.
    settled: Arc<Notify>,
}

/// What somebody is told who wants a turn.
enum Answer {
    /// It has begun, and may be used after so long.
    Begun(Duration),
    /// As many are under way as may be: one of them must come out first.
    Behind(Arc<Notify>),
    /// Too many wait already.
    Refused,
}

/// A connection that has not logged in yet; dropping it gives its room back.
#[derive(Debug)]
pub struct Standing {
    doorstep: Arc<Doorstep>,
    place: Place,
}

/// A log-in that may prove who it is. Dropped without a word it has proven nothing, right or wrong.
#[derive(Debug)]
pub struct Turn {
    own: Open,
    all: Open,
}

/// A turn under way, of one name or of all.
#[derive(Debug)]
struct Open {
    doorstep: Arc<Doorstep>,
    whose: Whose,
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

    /// Waits until a log-in may try; `None`: it may not. Safe to cancel.
    pub async fn turn(self: &Arc<Self>, peer: Peer, name: &str) -> Option<Turn> {
        let (place, name) = (place(peer), self.hasher.hash_one(name));
        let own = self.open((place, Some(name))).await?;
        let all = self.open((place, None)).await?;
        Some(Turn { own, all })
    }

    async fn open(self: &Arc<Self>, whose: Whose) -> Option<Open> {
        let began = Instant::now();
        loop {
            let now = Instant::now();
            // Whoever is silent holds the others up as long as a wrong proof would, no longer.
            let patience = WAIT_MAX.saturating_sub(now - began);
            let answer = self.lock().tries(whose, now).ask(now, whose.1.is_none(), patience);
            match answer {
                Answer::Begun(wait) => {
                    let open = Open { doorstep: Arc::clone(self), whose };
                    // PERFORMANCE: a sleep of no time takes a tick of the runtime's clock, a millisecond.
                    if !wait.is_zero() {
                        tokio::time::sleep(wait).await;
                    }
                    return Some(open);
                }
                Answer::Behind(settled) => {
                    drop(tokio::time::timeout(patience, settled.notified()).await);
                }
                Answer::Refused => return None,
            }
        }
    }
}

impl Turn {
    /// The proof was wrong.
    pub fn wrong(self) {
        let now = Instant::now();
        for (open, free) in [(&self.own, FREE), (&self.all, FREE_OF_ALL)] {
            open.doorstep.lock().tries(open.whose, now).was_wrong(now, free);
        }
    }

    /// The proof was right: what was wrong of that name from there is forgotten.
    pub fn proven(self) {
        let mut inner = self.own.doorstep.lock();
        let own = inner.tries(self.own.whose, Instant::now());
        own.wrong = 0;
        own.proven = true;
    }
}

impl Inner {
    fn tries(&mut self, whose: Whose, now: Instant) -> &mut Tries {
        if self.tries.len() >= REMEMBERED && !self.tries.contains_key(&whose) {
            self.forget(now);
        }
        let tries = self.tries.entry(whose).or_insert_with(|| Tries {
            wrong: 0,
            last: now,
            next: now,
            open: 0,
            proven: false,
            settled: Arc::default(),
        });
        if now.saturating_duration_since(tries.last) >= FORGOTTEN {
            tries.wrong = 0;
        }
        tries
    }

    /// Makes room. What is under way stays: there are no more of those than connections.
    fn forget(&mut self, now: Instant) {
        let is_old = |tries: &Tries| now.saturating_duration_since(tries.last) >= FORGOTTEN;
        self.tries.retain(|_, tries| tries.open > 0 || tries.wrong > 0 && !is_old(tries));
        if self.tries.len() >= REMEMBERED {
            // Whoever fills it has many addresses: what is known of single names helps least.
            let counts = |tries: &Tries| tries.open > 0 || tries.wrong > FREE;
            self.tries.retain(|(_, name), tries| name.is_none() || counts(tries));
        }
        if self.tries.len() >= REMEMBERED {
            self.tries.retain(|_, tries| tries.open > 0);
        }
    }
}

impl Tries {
    /// Begins a turn if one may begin. `patience`: how much longer it waits for others to come out.
    fn ask(&mut self, now: Instant, of_all: bool, patience: Duration) -> Answer {
        let free = if of_all { FREE_OF_ALL } else { FREE };
        let together = if self.proven { free.max(TOGETHER) } else { free };
        let has_room = self.wrong.saturating_add(self.open) < together;
        if self.wrong < free && !has_room && !patience.is_zero() {
            return Answer::Behind(Arc::clone(&self.settled));
        }
        let wait = if of_all {
            // Many people may share an address: they wait side by side.
            after(self.wrong, free)
        } else if self.wrong < free && has_room {
            Duration::ZERO
        } else {
            let turn = self.next.max(now);
            let wait = turn.duration_since(now);
            if wait > QUEUE_MAX {
                return Answer::Refused;
            }
            self.next = turn + after(self.wrong.saturating_add(self.open), free);
            wait
        };
        self.open += 1;
        if self.open < together {
            self.settled.notify_one();
        }
        Answer::Begun(wait)
    }

    fn was_wrong(&mut self, now: Instant, free: u32) {
        self.wrong = self.wrong.saturating_add(1);
        self.last = now;
        self.next = self.next.max(now + after(self.wrong, free));
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut inner = self.doorstep.lock();
        if let Some(tries) = inner.tries.get_mut(&self.whose) {
            tries.open = tries.open.saturating_sub(1);
            tries.settled.notify_one();
        }
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

    /// How long a turn that begins now would wait; it is given back at once.
    fn wait(doorstep: &Arc<Doorstep>, from: &str, name: &str, now: Instant) -> Option<Duration> {
        let whose = [Some(doorstep.hasher.hash_one(name)), None].map(|n| (place(peer(from)), n));
        let waits = whose.map(|whose| {
            let answer =
                doorstep.lock().tries(whose, now).ask(now, whose.1.is_none(), Duration::ZERO);
            let Answer::Begun(wait) = answer else { return None };
            drop(Open { doorstep: Arc::clone(doorstep), whose });
            Some(wait)
        });
        Some(waits[0]?.max(waits[1]?))
    }

    fn wrong(doorstep: &Arc<Doorstep>, from: &str, name: &str, now: Instant) {
        let name = doorstep.hasher.hash_one(name);
        for (name, free) in [(Some(name), FREE), (None, FREE_OF_ALL)] {
            doorstep.lock().tries((place(peer(from)), name), now).was_wrong(now, free);
        }
    }

    #[test]
    fn guesses_wait_and_the_owner_elsewhere_does_not() {
        let doorstep = Arc::new(Doorstep::default());
        let (bad, good) = ("10.0.0.1:1", "10.0.0.2:1");
        let start = Instant::now();
        for _ in 0..FREE {
            assert_eq!(wait(&doorstep, bad, "alice", start), Some(Duration::ZERO));
            wrong(&doorstep, bad, "alice", start);
        }
        // The port is another for each connection, and says nothing.
        assert_eq!(wait(&doorstep, "10.0.0.1:2", "alice", start), Some(WAIT_MIN));
        assert_eq!(wait(&doorstep, good, "alice", start), Some(Duration::ZERO));
        assert_eq!(wait(&doorstep, bad, "bob", start), Some(Duration::ZERO));
        // Together they wait no less than one behind the other, and not for ever.
        for _ in 0..10 {
            wrong(&doorstep, bad, "alice", start);
        }
        let waits: Vec<_> = (0..8).map(|_| wait(&doorstep, bad, "alice", start)).collect();
        assert!(waits.windows(2).all(|w| w[1].is_none_or(|second| w[0] < Some(second))));
        assert!(waits.last().is_some_and(Option::is_none), "{waits:?}");
        let later = start + FORGOTTEN;
        assert_eq!(wait(&doorstep, bad, "alice", later), Some(Duration::ZERO));
    }

    #[tokio::test]
    async fn who_needn_t_wait_does_not_wait_for_the_clock() {
        let doorstep = Arc::new(Doorstep::default());
        let turn = doorstep.turn(peer("10.0.0.1:1"), "alice");
        let mut turn = std::pin::pin!(turn);
        let first = std::future::poll_fn(|cx| std::task::Poll::Ready(turn.as_mut().poll(cx))).await;
        assert!(first.is_ready());
    }

    #[tokio::test]
    async fn turns_that_begin_together_are_as_many_as_wrong_proofs_are_free() {
        let doorstep = Arc::new(Doorstep::default());
        let from = peer("10.0.0.1:1");
        let soon = Duration::from_millis(50);
        let turn = || tokio::time::timeout(soon, doorstep.turn(from, "alice"));
        let mut turns = Vec::new();
        while let Ok(Some(turn)) = turn().await {
            turns.push(turn);
        }
        assert_eq!(turns.len(), FREE as usize);
        // One that has left makes room for one, one that was wrong for none.
        drop(turns.pop());
        turns.push(turn().await.expect("at once").expect("not refused"));
        turns.pop().expect("one").wrong();
        assert!(turn().await.is_err());
        // Who has proven it makes room for all who come with him; the wrong one of before still counts
        // among all names.
        turns.pop().expect("one").proven();
        while let Ok(Some(turn)) = turn().await {
            turns.push(turn);
        }
        assert_eq!(turns.len(), FREE_OF_ALL as usize - 1);
        // Wrong ones count as before.
        for turn in turns.drain(..) {
            turn.wrong();
        }
        assert!(turn().await.is_err());
        assert!(doorstep.lock().tries.values().all(|tries| tries.open == 0));
    }

    #[tokio::test]
    async fn whoever_waits_behind_others_goes_when_they_have_come_out() {
        let doorstep = Arc::new(Doorstep::default());
        let from = peer("10.0.0.1:1");
        let began = Instant::now();
        let log_ins = (0..200).map(|_| {
            let doorstep = Arc::clone(&doorstep);
            tokio::spawn(async move {
                let turn = doorstep.turn(from, "alice").await.expect("not refused");
                tokio::time::sleep(Duration::from_millis(5)).await;
                turn.proven();
            })
        });
        for log_in in log_ins.collect::<Vec<_>>() {
            log_in.await.expect("comes in");
        }
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    }

    #[test]
    fn many_names_from_one_address_wait_too_and_memory_is_bounded() {
        let doorstep = Arc::new(Doorstep::default());
        let now = Instant::now();
        for number in 0..3 * REMEMBERED {
            wrong(&doorstep, "[2001:db8::1]:1", &number.to_string(), now);
        }
        assert!(doorstep.lock().tries.len() <= REMEMBERED + 2);
        // Addresses of one network of 64 bits are one customer's.
        let waits = wait(&doorstep, "[2001:db8::ffff]:1", "fresh", now);
        assert_eq!(waits, Some(WAIT_MAX));
        assert_eq!(wait(&doorstep, "[2001:db9::1]:1", "fresh", now), Some(Duration::ZERO));
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
