//! The parser pool: a few threads with large stacks that read texts too large for a session's own
//! thread, so that nobody else waits for them. Principals take turns in it, and none has all of its
//! threads: a text waits for those of its own principal, not for everybody's.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError},
    thread,
};

use tokio::sync::oneshot;

use crate::kernel::ids::Principal;

/// Threads of the pool.
const THREADS: usize = 3;
/// Threads that read for one principal at one time.
const THREADS_PER_PRINCIPAL: usize = THREADS - 1;
/// Stack of each, in bytes. Only what is used of it is ever backed by memory.
const STACK: usize = 1 << 30;
/// Texts of one principal that may wait. More are answered as too large: the sender goes away.
const QUEUE: usize = 256;

type Job = Box<dyn FnOnce() + Send>;

/// Runs a job on the pool. The receiver fails if too many of this principal wait, or the job panicked.
pub fn submit<T: Send + 'static>(
    principal: &Principal,
    job: impl FnOnce() -> T + Send + 'static,
) -> oneshot::Receiver<T> {
    static POOL: LazyLock<Pool> = LazyLock::new(Pool::start);
    POOL.submit(principal, job)
}

struct Pool {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    turns: Mutex<Turns>,
    work: Condvar,
}

/// What waits, by principal, in the order in which they get their next turn.
#[derive(Default)]
struct Turns {
    waiting: VecDeque<(Principal, VecDeque<Job>)>,
    running: HashMap<Principal, usize>,
}

impl Turns {
    /// False: too many of this principal wait already.
    fn add(&mut self, principal: &Principal, job: Job) -> bool {
        match self.waiting.iter_mut().find(|(whose, _)| whose == principal) {
            Some((_, jobs)) if jobs.len() >= QUEUE => return false,
            Some((_, jobs)) => jobs.push_back(job),
            None => self.waiting.push_back((principal.clone(), VecDeque::from([job]))),
        }
        true
    }

    /// The next job of whoever has waited longest for a turn and may have one.
    fn next(&mut self) -> Option<(Principal, Job)> {
        let busy = |whose: &Principal| self.running.get(whose).copied().unwrap_or(0);
        let may = |(whose, _): &(Principal, _)| busy(whose) < THREADS_PER_PRINCIPAL;
        let at = self.waiting.iter().position(may)?;
        let (whose, mut jobs) = self.waiting.remove(at)?;
        let job = jobs.pop_front()?;
        if !jobs.is_empty() {
            self.waiting.push_back((whose.clone(), jobs));
        }
        *self.running.entry(whose.clone()).or_default() += 1;
        Some((whose, job))
    }

    fn done(&mut self, whose: &Principal) {
        if let Some(count) = self.running.get_mut(whose) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.running.remove(whose);
            }
        }
    }
}

impl Pool {
    fn start() -> Self {
        let shared = Arc::<Shared>::default();
        for number in 0..THREADS {
            let its = Arc::clone(&shared);
            let started = thread::Builder::new()
                .name(format!("parser-{number}"))
                .stack_size(STACK)
                .spawn(move || its.work());
            if let Err(error) = started {
                tracing::error!(error = %error, "a parser thread could not be started");
            }
        }
        Self { shared }
    }

    fn submit<T: Send + 'static>(
        &self,
        principal: &Principal,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move || {
            // A session that has ended no longer waits for its answer.
            if !sender.is_closed() {
                sender.send(job()).ok();
            }
        });
        if self.shared.lock().add(principal, job) {
            self.shared.work.notify_one();
        } else {
            tracing::warn!("too many texts of one principal wait to be read");
        }
        receiver
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Turns> {
        // Lists and counts, changed without anything that may panic between.
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut turns = self.lock();
        loop {
            let Some((whose, job)) = turns.next() else {
                turns = self.work.wait(turns).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(turns);
            // A panic costs the statement, not the pool.
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
                tracing::error!("reading a statement panicked; it is refused");
            }
            turns = self.lock();
            turns.done(&whose);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_panic_costs_one_job() {
        let alice = Principal::new("alice");
        assert!(submit(&alice, || -> () { panic!("as a test") }).await.is_err());
        for number in 0..8 {
            assert_eq!(submit(&alice, move || number).await, Ok(number));
        }
    }

    #[tokio::test]
    async fn nobody_waits_behind_all_that_another_has_sent() {
        let (mallory, bob) = (Principal::new("mallory"), Principal::new("bob"));
        let pool = Pool::start();
        let (go, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let hers: Vec<_> = (0..50)
            .map(|_| {
                let gate = Arc::clone(&gate);
                // Each takes until the test says that it is over.
                pool.submit(&mallory, move || {
                    let _over = gate.lock().unwrap_or_else(PoisonError::into_inner).recv();
                })
            })
            .collect();
        for number in 0..8 {
            assert_eq!(pool.submit(&bob, move || number).await, Ok(number));
        }
        drop(go);
        for job in hers {
            job.await.expect("ran");
        }
    }

    #[test]
    fn principals_take_turns() {
        let mut turns = Turns::default();
        let [a, b] = ["a", "b"].map(Principal::new);
        for _ in 0..3 {
            assert!(turns.add(&a, Box::new(|| ())));
        }
        assert!(turns.add(&b, Box::new(|| ())));
        let mut next = || turns.next().map(|(whose, _)| whose);
        assert_eq!([next(), next(), next()], [Some(a.clone()), Some(b), Some(a.clone())]);
        assert_eq!(next(), None, "one principal has not all threads");
        turns.done(&a);
        assert_eq!(turns.next().map(|(whose, _)| whose), Some(a.clone()));
        assert!(turns.waiting.is_empty());
        for _ in 0..QUEUE {
            assert!(turns.add(&a, Box::new(|| ())));
        }
        assert!(!turns.add(&a, Box::new(|| ())));
    }
}
