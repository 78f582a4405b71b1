//! One lane: a chain of records in its own files, written from one thread.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, MetadataExt as _, OpenOptionsExt},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering, mpsc},
    time::Duration,
};

use nix::sys::{
    resource::{Resource, getrlimit},
    statvfs::fstatvfs,
};

use crate::{
    kernel::{
        audit::{
            Decided, Digest, Event, Intent, Outcome, Place, Record, Settled, chain,
            record::statement_id,
        },
        ids::StatementId,
        policy::{Denial, Permit},
        refusal::Refusal,
        time::Timestamp,
    },
    trail::{
        Bar, Began, Clearance, Durability, GatewayClearance, Head, Progress, Shared, SyncTicket,
        TrailError,
        checkpoint::Signal,
        pace::Stopwatch,
        recover::{LaneEnd, sync_dir},
        segment::Segment,
        sync::LaneSync,
    },
};

/// One lane of the trail. Used from one thread; every method that writes blocks for one write(2).
///
/// Intents of statements wait for [`Lane::flush`], which whoever called [`Lane::admit`] calls before
/// the thread sleeps. Where waiting could hurt, they are written at once: while the file can't be
/// written, and while the disk is nearly full, so that whoever's record finds no room is refused
/// without harm to those beside him; and where the disk must confirm each of them anyway.
///
/// Invariant: the file holds whole records only, `length` bytes of them, unless `torn` says that
/// what follows them must be cut away before the next write.
pub struct Lane {
    index: u16,
    shared: Arc<Shared>,
    head: Arc<Mutex<Head>>,
    sync: Option<LaneSync>,
    signals: mpsc::Sender<Signal>,
    file: Option<Arc<File>>,
    length: u64,
    torn: bool,
    /// The file failed to sync, or nobody finds it any more: nothing more goes into it.
    must_rotate: bool,
    /// The last record, those in `pending` included.
    count: u64,
    digest: Digest,
    /// Whole records that are not in the file yet.
    pending: Vec<u8>,
    /// Outcomes that found no room while the file couldn't be written.
    lost: u64,
    failing: bool,
    progress: Arc<Progress>,
    /// While it is in a system call that may not return.
    stopwatch: Stopwatch,
    /// When the disk was last looked at, and whether it has enough room.
    looked: Option<(Timestamp, bool)>,
    /// The length at which the next segment begins.
    rotate_at: u64,
    /// How many more bytes the disk of a test takes.
    #[cfg(test)]
    room: std::cell::Cell<Option<usize>>,
    #[cfg(test)]
    each: std::cell::Cell<bool>,
}

/// What a lane is made of.
pub(super) struct Parts {
    pub(super) index: u16,
    pub(super) shared: Arc<Shared>,
    pub(super) end: Option<LaneEnd>,
    pub(super) head: Arc<Mutex<Head>>,
    pub(super) sync: Option<LaneSync>,
    pub(super) signals: mpsc::Sender<Signal>,
}

/// A point in `pending` to go back to.
#[derive(Clone, Copy)]
struct Mark {
    bytes: usize,
    count: u64,
    digest: Digest,
}

impl Lane {
    pub(super) fn open(parts: Parts) -> Result<Self, TrailError> {
        let Parts { index, shared, end, head, sync, signals } = parts;
        let (count, digest) = end.as_ref().map_or((0, Digest::ZERO), |e| (e.count, e.digest));
        let length = end.as_ref().map_or(0, |e| e.length);
        let file = end.map(|end| end.file);
        let rotate_at = shared.segment_bytes;
        let stopwatch = shared.pace.stopwatch();
        let mut lane = Self {
            index,
            shared,
            head,
            sync,
            signals,
            file,
            length,
            torn: false,
            must_rotate: false,
            count,
            digest,
            pending: Vec::with_capacity(BUFFER_BYTES),
            lost: 0,
            failing: false,
            progress: Arc::default(),
            stopwatch,
            looked: None,
            rotate_at,
            #[cfg(test)]
            room: std::cell::Cell::new(None),
            #[cfg(test)]
            each: std::cell::Cell::new(false),
        };
        // So that a folder that can't be written is known at the start, not at the first statement.
        lane.ready()?;
        Ok(lane)
    }

    /// Takes the intent and gives the right to send the statement once its bar is open: the record is
    /// then in the file, and all that came before it.
    ///
    /// # Errors
    /// The record is not on the trail, and the statement must be refused. The lane stays usable:
    /// the next call tries again.
    pub fn admit(&mut self, permit: Permit, intent: &Intent<'_>) -> Result<Clearance, TrailError> {
        self.admit_all(permit, std::slice::from_ref(intent))
    }

    /// Takes the intents of statements that go out together, all or none.
    ///
    /// # Errors
    /// As [`Lane::admit`]. An empty list is an error too: there would be nothing to send.
    pub fn admit_all(
        &mut self,
        permit: Permit,
        intents: &[Intent<'_>],
    ) -> Result<Clearance, TrailError> {
        let together = intents.last().is_some_and(|last| self.may_wait(last.time));
        let first = self.record_all(intents, Decided::Permit(&permit), together)?;
        let bar = together.then(|| Bar::new(self.count));
        Ok(Clearance::new(permit, first, intents.len() as u32, (bar, self.ticket())))
    }

    /// True if an intent may wait for those of other sessions.
    fn may_wait(&mut self, now: Timestamp) -> bool {
        #[cfg(test)]
        if self.each.get() {
            return false;
        }
        if self.sync.is_some() || self.failing || self.pending.len() > BUFFER_BYTES {
            return false;
        }
        self.look_at_disk(now)
    }

    /// True if what may wait to be written will find room. A file that nobody finds any more takes no
    /// more records: they would be gone with it, and nobody the wiser.
    fn look_at_disk(&mut self, now: Timestamp) -> bool {
        if let Some((seen, enough)) = self.looked
            // A clock that was set back makes the answer no younger.
            && seen <= now
            && now.since(seen) < LOOK_EVERY
        {
            return enough;
        }
        let Some(file) = &self.file else { return false };
        if self.shared.pace.must_refuse() {
            return false;
        }
        self.stopwatch.begins();
        self.must_rotate |= file.metadata().is_ok_and(|found| found.nlink() == 0);
        let enough = has_room(file) && !self.must_rotate;
        self.stopwatch.ends();
        self.looked = Some((now, enough));
        enough
    }

    /// For tests that look at the file after each intent: none waits for others.
    #[cfg(test)]
    pub(super) fn write_each(self) -> Self {
        self.each.set(true);
        self
    }

    /// How far the file has come, for the doors.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// When the write began that holds up the lane's thread.
    pub fn writing(&self) -> Arc<Began> {
        self.stopwatch.began()
    }

    /// The right to send a further message of a statement that is on record already: the Bind or
    /// Execute that came with its Parse. The permit is the one of now.
    pub fn again(&self, permit: Permit, statement: StatementId) -> Clearance {
        Clearance::new(permit, statement, 1, (None, None))
    }

    /// Writes the intent of a statement that the gateway answers itself. Gives no right to send.
    ///
    /// # Errors
    /// As [`Lane::admit`].
    pub fn admit_local(
        &mut self,
        permit: &Permit,
        intent: &Intent<'_>,
    ) -> Result<StatementId, TrailError> {
        self.record_all(std::slice::from_ref(intent), Decided::Permit(permit), false)
    }

    /// Writes the intent of a text of the gateway's own, and why it is sent.
    ///
    /// # Errors
    /// As [`Lane::admit`].
    pub fn admit_gateway(
        &mut self,
        intent: &Intent<'_>,
        cause: &str,
    ) -> Result<GatewayClearance, TrailError> {
        self.record_all(std::slice::from_ref(intent), Decided::Gateway { cause }, false)
            .map(|statement| GatewayClearance::new(statement, self.ticket()))
    }

    /// Writes that a statement was denied.
    ///
    /// # Errors
    /// The record couldn't be written now; it is kept and goes out with the next write.
    pub fn deny(
        &mut self,
        intent: &Intent<'_>,
        denial: &Denial,
    ) -> Result<StatementId, TrailError> {
        self.record_refused(intent, Decided::Denial(denial))
    }

    /// Writes that a statement was refused for another reason than a missing permission.
    ///
    /// # Errors
    /// As [`Lane::deny`].
    pub fn refuse(
        &mut self,
        intent: &Intent<'_>,
        refusal: &Refusal,
    ) -> Result<StatementId, TrailError> {
        self.record_refused(intent, Decided::Refusal(refusal))
    }

    /// Writes an event at once.
    ///
    /// # Errors
    /// The event is not on the trail; what it tells of must not happen, where it still can be
    /// prevented. Where it can't, use [`Lane::note_later`].
    pub fn note(&mut self, time: Timestamp, event: &Event<'_>) -> Result<(), TrailError> {
        self.look_at_disk(time);
        self.ready()?;
        let mark = self.mark();
        self.append(time, &Record::Event(event));
        self.write_since(mark)
    }

    /// Buffers an event that has happened already.
    pub fn note_later(&mut self, time: Timestamp, event: &Event<'_>) {
        self.buffer(time, &Record::Event(event));
    }

    /// Buffers what became of a statement.
    pub fn outcome(&mut self, outcome: &Outcome<'_>) {
        self.buffer(outcome.time, &Record::Outcome(outcome));
    }

    /// Buffers what became of a transaction.
    pub fn settled(&mut self, settled: &Settled<'_>) {
        self.buffer(settled.time, &Record::Settled(settled));
    }

    /// True if something is buffered. Whoever has nothing else to do, and at the latest 50 ms after
    /// this became true, calls [`Lane::flush`].
    pub fn needs_flush(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// It is still buffered, as far as it isn't in the file.
    pub fn flush(&mut self) -> Result<(), TrailError> {
        self.write_out(usize::MAX).inspect_err(|_| self.progress.has_failed(self.count))
    }

    /// False after a write failed, until one succeeds.
    pub fn is_healthy(&self) -> bool {
        !self.failing
    }

    /// Its number.
    pub fn index(&self) -> u16 {
        self.index
    }

    fn record_all(
        &mut self,
        intents: &[Intent<'_>],
        decided: Decided<'_>,
        together: bool,
    ) -> Result<StatementId, TrailError> {
        if intents.is_empty() {
            let nothing = io::Error::from(io::ErrorKind::InvalidInput);
            return Err(TrailError::io("record nothing in", &self.shared.dir)(nothing));
        }
        if self.shared.is_full() {
            return Err(TrailError::Full { dir: self.shared.dir.clone() });
        }
        if let Some(last) = intents.last() {
            self.look_at_disk(last.time);
        }
        self.ready()?;
        let mark = self.mark();
        let first = statement_id(self.index, self.count + 1);
        for intent in intents {
            self.append(intent.time, &Record::Intent(intent, decided));
        }
        if !together {
            self.write_since(mark)?;
        }
        Ok(first)
    }

    /// Writes all that is buffered. If that fails, the records since the mark are taken back.
    fn write_since(&mut self, mark: Mark) -> Result<(), TrailError> {
        self.write_out(mark.bytes).inspect_err(|_| {
            self.back_to(mark);
            self.progress.has_failed(self.count);
        })
    }

    fn record_refused(
        &mut self,
        intent: &Intent<'_>,
        decided: Decided<'_>,
    ) -> Result<StatementId, TrailError> {
        let id = statement_id(self.index, self.count + 1);
        if !self.buffer(intent.time, &Record::Intent(intent, decided)) {
            self.ready()?;
        }
        self.flush()?;
        Ok(id)
    }

    /// Buffers a record of something that has happened already. False: there was no room.
    fn buffer(&mut self, time: Timestamp, record: &Record<'_>) -> bool {
        if self.pending.len() > PENDING_BYTES_MAX || self.ready().is_err() {
            self.lost += 1;
            return false;
        }
        self.append(time, record);
        true
    }

    fn append(&mut self, time: Timestamp, record: &Record<'_>) {
        let from = self.pending.len();
        let seq = self.count + 1;
        let place = Place { node: &self.shared.node, lane: self.index, seq, time };
        record.write(&place, &self.shared.detail, &mut self.pending);
        self.digest = chain::close(&mut self.pending, from, &self.digest);
        self.count = seq;
    }

    /// Makes sure that there is a segment to write to, and a new one if this one is full.
    fn ready(&mut self) -> Result<(), TrailError> {
        if self.sync.as_mut().is_some_and(LaneSync::failed_anew) {
            self.must_rotate = true;
        }
        let full = self.length + self.pending.len() as u64 >= self.rotate_at;
        if self.file.is_some() && !full && !self.must_rotate {
            return Ok(());
        }
        if self.file.is_some() {
            self.flush()?;
        }
        if self.shared.pace.must_refuse() {
            return Err(self.hangs());
        }
        self.stopwatch.begins();
        let made = self.new_segment();
        self.stopwatch.ends();
        match made {
            // A segment that grows beyond its size is better than a statement refused.
            Err(error) if self.file.is_some() && !self.must_rotate => {
                self.rotate_at = self.length + self.shared.segment_bytes / 64 + 1;
                tracing::warn!(%error, lane = self.index, "no new segment; the old one goes on");
                Ok(())
            }
            Err(error) => {
                self.failing = true;
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    /// Begins the next segment. Invariant: nothing is pending, because the header comes first.
    fn new_segment(&mut self) -> Result<(), TrailError> {
        let seq = self.count + 1;
        let segment = Segment::new(&self.shared.dir, self.index, seq);
        let place =
            Place { node: &self.shared.node, lane: self.index, seq, time: (self.shared.clock)() };
        let mut header = Vec::new();
        Record::Segment { previous: self.digest, version: env!("CARGO_PKG_VERSION") }.write(
            &place,
            &self.shared.detail,
            &mut header,
        );
        let digest = chain::close(&mut header, 0, &self.digest);
        let path = &segment.path;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(TrailError::io("make", path))?;
        let written = file.write_all_at(&header, 0).map_err(TrailError::io("write", path));
        let synced = written.and_then(|()| match self.shared.durability {
            Durability::Written => Ok(()),
            Durability::Synced => sync_dir(&self.shared.dir),
        });
        if let Err(error) = synced {
            // If it can't be removed either, the next start does it: it holds a header at most.
            fs::remove_file(path).ok();
            return Err(error);
        }
        let file = Arc::new(file);
        if let Some(old) = self.file.replace(Arc::clone(&file)) {
            self.signals.send(Signal::Rotated(old)).ok();
        }
        self.length = header.len() as u64;
        self.rotate_at = self.shared.segment_bytes;
        self.torn = false;
        self.must_rotate = false;
        self.count = seq;
        self.digest = digest;
        self.publish(seq, digest);
        self.looked = None;
        Ok(())
    }

    /// Writes `pending`. If that fails half-way, whole records among its first `keep` bytes stay
    /// in the file; the rest is cut away again.
    fn write_out(&mut self, keep: usize) -> Result<(), TrailError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        if self.shared.pace.must_refuse() {
            return Err(self.hangs());
        }
        let before = self.length;
        self.stopwatch.begins();
        let result = self.try_write(keep);
        self.stopwatch.ends();
        self.shared.bytes.fetch_add(self.length.saturating_sub(before), Ordering::Relaxed);
        match &result {
            Ok(()) if self.failing => {
                self.failing = false;
                tracing::info!(lane = self.index, "the trail can be written again");
            }
            Err(error) if !self.failing => {
                self.failing = true;
                tracing::error!(%error, lane = self.index, "the trail can't be written");
            }
            Ok(()) | Err(_) => {}
        }
        if result.is_ok() && self.lost > 0 {
            let outcomes = std::mem::take(&mut self.lost);
            self.append((self.shared.clock)(), &Record::Lost { outcomes });
        }
        result
    }

    fn try_write(&mut self, keep: usize) -> Result<(), TrailError> {
        let Some(file) = self.file.clone() else {
            return Err(self.failed(io::Error::from(io::ErrorKind::NotFound)));
        };
        if self.torn {
            file.set_len(self.length).map_err(|error| self.failed(error))?;
            self.torn = false;
        }
        let mut done = 0;
        let error = loop {
            let rest = self.pending.get(done..).unwrap_or_default();
            if rest.is_empty() {
                break None;
            }
            match self.write_some(&file, rest, self.length + done as u64) {
                Ok(0) => break Some(io::Error::from(io::ErrorKind::WriteZero)),
                Ok(written) => done += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Some(error),
            }
        };
        let Some(error) = error else {
            self.length += self.pending.len() as u64;
            self.pending.clear();
            if self.pending.capacity() > PENDING_BYTES_MAX {
                self.pending.shrink_to(BUFFER_BYTES);
            }
            self.publish(self.count, self.digest);
            return Ok(());
        };
        // A reader of the file sees whole lines only, and none that disappears again: the records
        // of what wasn't admitted come last, and are never whole in the file.
        let kept = self.pending.get(..done.min(keep)).unwrap_or_default();
        let whole = kept.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        if let Some((count, digest)) = self.state_after(whole) {
            self.length += whole as u64;
            self.pending.drain(..whole);
            self.publish(count, digest);
        }
        self.torn = done > 0 && file.set_len(self.length).is_err();
        Err(self.failed(error))
    }

    fn hangs(&self) -> TrailError {
        TrailError::Hangs { dir: self.shared.dir.clone() }
    }

    fn failed(&self, source: io::Error) -> TrailError {
        let path = self.shared.dir.join(format!("lane-{}", self.index));
        TrailError::Io { doing: "write", path, source }
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "the one of the tests has limited room")]
    fn write_some(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<usize> {
        crate::net::faults::hang_at("trail-write");
        crate::net::faults::fail_at("trail-write")?;
        file.write_at(bytes, at)
    }

    #[cfg(test)]
    fn write_some(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<usize> {
        let room = self.room.get().unwrap_or(usize::MAX).min(bytes.len());
        if room == 0 {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        let written = file.write_at(&bytes[..room], at)?;
        self.room.set(self.room.get().map(|room| room - written));
        Ok(written)
    }

    /// The last record's number and digest after the first `bytes` of `pending`.
    fn state_after(&self, bytes: usize) -> Option<(u64, Digest)> {
        let after = self.pending.get(bytes..)?.split(|b| *b == b'\n').count() as u64 - 1;
        let done = self.pending.get(..bytes)?.strip_suffix(b"\n")?;
        let last = done.rsplit(|b| *b == b'\n').next()?;
        let (_, digest) = chain::split(last)?;
        Some((self.count - after, digest))
    }

    /// Takes back the records after the mark. They are not in the file.
    fn back_to(&mut self, mark: Mark) {
        // Counted from the end: what was before the mark may have gone to the file meanwhile.
        let after = self.count - mark.count;
        let mut bytes = self.pending.len();
        for _ in 0..after {
            let before = self.pending.get(..bytes.saturating_sub(1)).unwrap_or_default();
            bytes = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        }
        self.pending.truncate(bytes);
        self.count = mark.count;
        self.digest = mark.digest;
    }

    fn mark(&self) -> Mark {
        Mark { bytes: self.pending.len(), count: self.count, digest: self.digest }
    }

    /// Says how far the file has come, for the next checkpoint.
    fn publish(&self, count: u64, digest: Digest) {
        self.progress.has_written(count);
        let mut head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        head.count = count;
        head.digest = digest;
        let same = match (&head.file, &self.file) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (None, None) => true,
            _ => false,
        };
        if !same {
            head.file.clone_from(&self.file);
        }
    }

    fn ticket(&self) -> Option<SyncTicket> {
        let (sync, file) = (self.sync.as_ref()?, self.file.as_ref()?);
        Some(sync.request(file, self.count))
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        // A failure was logged where it happened; there is nobody left to tell.
        self.flush().ok();
    }
}

/// True if what may wait to be written will find room: on the disk, and under the limit on the size
/// of files.
fn has_room(file: &File) -> bool {
    let limit = getrlimit(Resource::RLIMIT_FSIZE).map_or(0, |(soft, _)| soft);
    let free = fstatvfs(file).map_or(0, |disk| disk.blocks_available() * disk.fragment_size());
    let length = file.metadata().map_or(u64::MAX, |m| m.len());
    free >= ROOM_BYTES && limit.saturating_sub(length) >= ROOM_BYTES
}

/// Room on the disk below which every intent is written by itself.
const ROOM_BYTES: u64 = 64 << 20;
/// How long the disk's answer holds.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// What a lane's buffer begins with.
const BUFFER_BYTES: usize = 1 << 14;
/// What may wait in memory while the file can't be written. More is counted, not kept.
const PENDING_BYTES_MAX: usize = 4 << 20;

#[cfg(test)]
mod tests;
