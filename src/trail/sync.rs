//! Group commit for `durability = "synced"`: one thread syncs what all lanes wrote meanwhile.

use std::{
    fs::File,
    path::Path,
    sync::{Arc, mpsc},
};

use tokio::sync::watch;

use crate::trail::{TrailError, pace::Stopwatch};

/// The syncing thread's inbox. The thread ends when the last lane and this are dropped.
pub(super) struct Syncer {
    requests: mpsc::Sender<Request>,
}

impl Syncer {
    pub(super) fn start(dir: &Path, stopwatch: Stopwatch) -> Result<Self, TrailError> {
        let (requests, inbox) = mpsc::channel();
        std::thread::Builder::new()
            .name("trail-sync".to_owned())
            .spawn(move || run(&inbox, &stopwatch))
            .map_err(TrailError::io("start the syncing of", dir))?;
        Ok(Self { requests })
    }

    pub(super) fn lane(&self) -> LaneSync {
        let state = Arc::new(watch::Sender::new(Synced::default()));
        LaneSync { requests: self.requests.clone(), state, seen_failure: 0 }
    }
}

/// A lane's end of it.
pub(super) struct LaneSync {
    requests: mpsc::Sender<Request>,
    state: Arc<watch::Sender<Synced>>,
    seen_failure: u64,
}

impl LaneSync {
    /// Asks for everything up to this record to be synced.
    pub(super) fn request(&self, file: &Arc<File>, seq: u64) -> SyncTicket {
        let request = Request { state: Arc::clone(&self.state), file: Arc::clone(file), seq };
        let ticket = SyncTicket { seq, state: self.state.subscribe() };
        if self.requests.send(request).is_err() {
            // Fail closed: nobody syncs any more.
            self.state.send_modify(|state| state.fail(seq));
        }
        ticket
    }

    /// True once after a sync failed. The file must not be written any more: after a failed sync
    /// the kernel may call clean what never reached the disk.
    pub(super) fn failed_anew(&mut self) -> bool {
        let failed = self.state.borrow().failed_upto;
        let anew = failed > self.seen_failure;
        self.seen_failure = failed;
        anew
    }
}

/// Waits for one record to be on disk.
#[derive(Debug)]
pub struct SyncTicket {
    seq: u64,
    state: watch::Receiver<Synced>,
}

impl SyncTicket {
    pub(super) async fn synced(&mut self) -> Result<(), TrailError> {
        let seq = self.seq;
        let state = self.state.wait_for(|s| s.upto >= seq || s.failed(seq)).await;
        match state {
            Ok(state) if !state.failed(seq) => Ok(()),
            _ => Err(TrailError::NotSynced),
        }
    }
}

/// How far a lane is synced.
#[derive(Clone, Copy, Debug, Default)]
struct Synced {
    upto: u64,
    /// Records after this one …
    failed_after: u64,
    /// … and up to this one were not confirmed.
    failed_upto: u64,
}

impl Synced {
    fn failed(&self, seq: u64) -> bool {
        self.failed_after < seq && seq <= self.failed_upto
    }

    fn fail(&mut self, seq: u64) {
        if self.failed_upto == 0 {
            self.failed_after = self.upto;
        }
        self.failed_upto = self.failed_upto.max(seq);
    }
}

struct Request {
    state: Arc<watch::Sender<Synced>>,
    file: Arc<File>,
    seq: u64,
}

fn run(inbox: &mpsc::Receiver<Request>, stopwatch: &Stopwatch) {
    while let Ok(first) = inbox.recv() {
        let mut requests = vec![first];
        requests.extend(inbox.try_iter());
        // One sync per file, whoever asked.
        let mut files: Vec<(Arc<File>, bool)> = Vec::new();
        for request in &requests {
            if !files.iter().any(|(file, _)| Arc::ptr_eq(file, &request.file)) {
                stopwatch.begins();
                let synced = crate::net::faults::fail_at("trail-sync")
                    .and_then(|()| request.file.sync_data());
                stopwatch.ends();
                if let Err(error) = &synced {
                    tracing::error!(%error, "the trail could not be synced");
                }
                files.push((Arc::clone(&request.file), synced.is_ok()));
            }
        }
        for request in requests {
            let synced = files.iter().any(|(f, ok)| *ok && Arc::ptr_eq(f, &request.file));
            request.state.send_modify(|state| {
                if synced {
                    state.upto = state.upto.max(request.seq);
                } else {
                    state.fail(request.seq);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_ticket_of_a_file_that_cannot_be_synced_fails() {
        let dir = tempfile::tempdir().expect("a folder");
        let syncer = Syncer::start(dir.path(), Stopwatch::default()).expect("starts");
        let mut lane = syncer.lane();
        let good = Arc::new(tempfile::tempfile().expect("a file"));
        lane.request(&good, 1).synced().await.expect("is synced");
        assert!(!lane.failed_anew());
        // A pipe can't be synced.
        let bad = Arc::new(File::open("/proc/self/fd").expect("opens"));
        assert!(lane.request(&bad, 2).synced().await.is_err());
        assert!(lane.failed_anew() && !lane.failed_anew());
        lane.request(&good, 3).synced().await.expect("later records are synced again");
    }
}
