//! The parser pool: a few threads with large stacks that read texts too large for a session's own
//! thread, so that nobody else waits for them.

use std::{
    sync::{Mutex, OnceLock, PoisonError, mpsc},
    thread,
};

use tokio::sync::oneshot;

/// Threads of the pool.
const THREADS: usize = 2;
/// Stack of each, in bytes. Only what is used of it is ever backed by memory.
const STACK: usize = 1 << 30;
/// Texts that may wait. More are answered as too large: the sender goes away.
const QUEUE: usize = 256;

type Job = Box<dyn FnOnce() + Send>;

/// Runs a job on the pool. The receiver fails if the pool is full or the job panicked.
pub fn submit<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> oneshot::Receiver<T> {
    let (sender, receiver) = oneshot::channel();
    let job: Job = Box::new(move || {
        // A session that has ended no longer waits for its answer.
        sender.send(job()).ok();
    });
    if pool().try_send(job).is_err() {
        tracing::warn!("the parser pool is full");
    }
    receiver
}

fn pool() -> &'static mpsc::SyncSender<Job> {
    static POOL: OnceLock<mpsc::SyncSender<Job>> = OnceLock::new();
    POOL.get_or_init(|| {
        let (sender, receiver) = mpsc::sync_channel::<Job>(QUEUE);
        let receiver: &'static Mutex<mpsc::Receiver<Job>> =
            Box::leak(Box::new(Mutex::new(receiver)));
        for number in 0..THREADS {
            let started = thread::Builder::new()
                .name(format!("parser-{number}"))
                .stack_size(STACK)
                .spawn(move || work(receiver));
            if let Err(error) = started {
                tracing::error!(error = %error, "a parser thread could not be started");
            }
        }
        sender
    })
}

fn work(jobs: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // A panic costs the statement, not the pool.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
            tracing::error!("reading a statement panicked; it is refused");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_costs_one_job() {
        assert!(submit(|| -> () { panic!("as a test") }).await.is_err());
        for number in 0..8 {
            assert_eq!(submit(move || number).await, Ok(number));
        }
    }
}
