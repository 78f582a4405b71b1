//! How long writes are under way: for whoever must know, from another thread, that the disk hangs.
//!
//! A write to a disk that doesn't answer doesn't return, and can't be called back: its thread is held
//! up. The others can do without it, if they know.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A write that takes longer than this is no slow one any more: whoever can still say so refuses.
pub const HANGS_AFTER: Duration = Duration::from_secs(3);

/// Takes the time of one thread's writes.
#[derive(Debug, Default)]
pub(super) struct Stopwatch {
    began: Arc<Began>,
    pace: Pace,
}

/// When one thread's write began that is under way, in milliseconds; 0: there is none.
#[derive(Debug, Default)]
pub struct Began(AtomicU64);

impl Stopwatch {
    /// For who wants to know from another thread how long this one's write lasts.
    pub(super) fn began(&self) -> Arc<Began> {
        Arc::clone(&self.began)
    }

    /// A write begins.
    pub(super) fn begins(&self) {
        // Never 0, which says that there is none.
        self.began.0.store(millis() + 1, Ordering::Relaxed);
    }

    /// It has returned.
    pub(super) fn ends(&self) {
        let refuses = &self.pace.inner.refuses;
        if refuses.load(Ordering::Relaxed) && self.began.lasts() >= HANGS_AFTER {
            // The disk answers: what waited behind this write needn't be refused now.
            refuses.store(false, Ordering::Relaxed);
        }
        self.began.0.store(0, Ordering::Relaxed);
    }
}

impl Began {
    /// How long it is under way; zero if there is none.
    pub fn lasts(&self) -> Duration {
        match self.0.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            began => Duration::from_millis((millis() + 1).saturating_sub(began)),
        }
    }
}

fn millis() -> u64 {
    static STARTED: OnceLock<Instant> = OnceLock::new();
    let running = STARTED.get_or_init(Instant::now).elapsed();
    u64::try_from(running.as_millis()).unwrap_or(u64::MAX / 2)
}

/// The stopwatches of all threads that write the trail. Cheap to clone; clones show the same.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    writes: Mutex<Vec<Arc<Began>>>,
    refuses: AtomicBool,
}

impl Pace {
    /// A stopwatch for one more thread.
    pub(super) fn stopwatch(&self) -> Stopwatch {
        let began = Arc::new(Began::default());
        self.inner.writes.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&began));
        Stopwatch { began, pace: self.clone() }
    }

    /// How long the oldest write that has not returned is under way; zero if there is none.
    pub fn longest(&self) -> Duration {
        let writes = self.inner.writes.lock().unwrap_or_else(PoisonError::into_inner);
        writes.iter().map(|one| one.lasts()).max().unwrap_or_default()
    }

    /// From now on no thread begins a write, until one that hangs has returned or it is said otherwise.
    pub fn refuse(&self, refuses: bool) {
        self.inner.refuses.store(refuses, Ordering::Relaxed);
    }

    /// True if a write must not begin: it would not return either.
    pub(super) fn must_refuse(&self) -> bool {
        // One load while all is well.
        self.inner.refuses.load(Ordering::Relaxed) && self.longest() >= HANGS_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_write_that_has_not_returned_counts() {
        let pace = Pace::default();
        let (one, two) = (pace.stopwatch(), pace.stopwatch());
        assert_eq!(pace.longest(), Duration::ZERO);
        one.begins();
        std::thread::sleep(Duration::from_millis(30));
        two.begins();
        assert!(pace.longest() >= Duration::from_millis(29));
        one.ends();
        assert!(pace.longest() < Duration::from_millis(29));
        pace.refuse(true);
        assert!(!pace.must_refuse(), "a write that is slow is not one that hangs");
        two.ends();
        assert_eq!(pace.longest(), Duration::ZERO);
    }
}
