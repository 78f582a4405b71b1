//! The trail: every statement on record before it leaves, in files that show what was done to them.
//!
//! Floor 3. Answers for writing ([`Lane`]), for surviving crashes ([`Trail::open`]), for checkpoints
//! that vouch for the files ([`checkpoint`]) and for reading all of it back ([`verify`]). What a
//! record says is [`crate::kernel::audit`]'s.
//!
//! A lane belongs to one session core (lane [`CONTROL_LANE`] to the control runtime) and has a chain
//! of its own in its own segment files, `lane-<lane>-<first record>.jsonl`, so that no two threads
//! meet on the way of a statement. [`Lane::admit`] takes the intent and hands out the [`Clearance`]
//! that the upstream asks for; its [`Bar`] opens when the record is in the file. Intents that come at
//! the same time are written by [`Lane::flush`] with one write(2), and with them what became of other
//! statements meanwhile.
//!
//! What a bare chain can't show is shown by checkpoints: whoever owns the files can compute a chain
//! anew, and can cut its end. So the heads of all lanes are signed every few seconds and copied to
//! where the files' owner can't reach them.

pub mod checkpoint;
mod clearance;
pub mod identity;
pub mod index;
mod lane;
mod pace;
mod recover;
pub mod segment;
mod sync;
pub mod verify;

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crate::kernel::{
    audit::{Detail, Digest},
    time::Timestamp,
};

pub use checkpoint::Checkpoint;
pub use clearance::{Bar, Clearance, GatewayClearance, Passage, Progress};
pub use identity::Identity;
pub use lane::Lane;
pub use pace::{Began, HANGS_AFTER, Pace};
pub use sync::SyncTicket;

/// The lane of what isn't a session's: log-ins, changes in the store, start and stop.
pub const CONTROL_LANE: u16 = 0;

/// When a record counts as written: `audit.durability`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Durability {
    /// When the kernel has it: survives a killed process.
    #[default]
    Written,
    /// When the disk has it: survives a power cut.
    Synced,
}

/// How a trail is kept.
pub struct Options {
    /// The folder of the segments.
    pub dir: PathBuf,
    /// Who signs.
    pub identity: Identity,
    /// When a record counts as written.
    pub durability: Durability,
    /// A segment file is closed when it has grown to this.
    pub segment_bytes: u64,
    /// All segments together may grow to this; beyond it statements are refused. `None`: as large as
    /// the disk.
    pub quota_bytes: Option<u64>,
    /// How often the heads are signed, if anything changed.
    pub checkpoint_interval: Duration,
    /// What is kept of texts and parameters.
    pub detail: Detail,
    /// The time.
    pub clock: Clock,
    /// Gets every checkpoint after it is in its file, on the checkpoints' thread: for the copies.
    pub sink: Box<dyn Fn(&Checkpoint) + Send>,
}

/// What tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// 64 MiB.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// Ten seconds.
pub const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(10);

impl Options {
    /// Everything as it is without settings, in this folder.
    pub fn new(dir: impl Into<PathBuf>, identity: Identity, clock: Clock) -> Self {
        Self {
            dir: dir.into(),
            identity,
            durability: Durability::default(),
            segment_bytes: SEGMENT_BYTES,
            quota_bytes: None,
            checkpoint_interval: CHECKPOINT_INTERVAL,
            detail: Detail::default(),
            clock,
            sink: Box::new(|_| {}),
        }
    }
}

/// Why the trail can't be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum TrailError {
    /// The operating system says no.
    #[error("the trail can't {doing} {path}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Another gateway writes here.
    #[error("another gateway writes the trail in {dir}")]
    Locked {
        /// The folder.
        dir: PathBuf,
    },
    /// What is there is not what was written.
    #[error(
        "the trail is damaged: {what}; run `hallpass audit verify`, then move the folder {dir} \
         aside to begin a new trail"
    )]
    Damaged {
        /// What was found, with file and record.
        what: String,
        /// The folder.
        dir: PathBuf,
    },
    /// The node's key can't be used.
    #[error("the key in {path} can't be used: {why}")]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The operator's limit on disk is reached: nothing is dropped, statements are refused.
    #[error(
        "the trail in {dir} has reached audit.quota_bytes; move closed segments away or raise it"
    )]
    Full {
        /// The folder.
        dir: PathBuf,
    },
    /// The lane is in use already.
    #[error("lane {lane} of the trail is in use already")]
    LaneTaken {
        /// Which.
        lane: u16,
    },
    /// Another thread's write doesn't return: this one isn't begun.
    #[error("the disk of the trail in {dir} does not answer")]
    Hangs {
        /// The folder.
        dir: PathBuf,
    },
    /// The disk didn't confirm.
    #[error("the disk did not confirm that the record is written")]
    NotSynced,
}

impl TrailError {
    fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}

/// An open trail: hands out lanes, signs checkpoints. Dropping it signs the last one, so the lanes are
/// dropped before it.
pub struct Trail {
    shared: Arc<Shared>,
    recovered: Mutex<BTreeMap<u16, recover::LaneEnd>>,
    sync: Option<sync::Syncer>,
    signals: mpsc::Sender<checkpoint::Signal>,
    signer: Option<JoinHandle<()>>,
    /// Held as long as the trail is open.
    _lock: File,
}

/// What lanes and the signer share. None of it is waited for on the way of a statement: the map of
/// heads has a lock per lane that the signer takes once every few seconds.
pub(crate) struct Shared {
    pub(crate) dir: PathBuf,
    pub(crate) node: String,
    pub(crate) durability: Durability,
    pub(crate) segment_bytes: u64,
    pub(crate) detail: Detail,
    pub(crate) clock: Clock,
    pub(crate) heads: Mutex<BTreeMap<u16, Arc<Mutex<Head>>>>,
    /// Bytes of all segments in the folder.
    pub(crate) bytes: AtomicU64,
    pub(crate) quota_bytes: Option<u64>,
    pub(crate) pace: Pace,
}

impl Shared {
    /// True if statements must be refused for want of room.
    pub(crate) fn is_full(&self) -> bool {
        self.quota_bytes.is_some_and(|quota| self.bytes.load(Ordering::Relaxed) >= quota)
    }
}

/// How far a lane's file has come.
#[derive(Clone)]
pub(crate) struct Head {
    pub(crate) count: u64,
    pub(crate) digest: Digest,
    /// The file that holds the last record, to be synced before the head is signed.
    pub(crate) file: Option<Arc<File>>,
}

impl Trail {
    /// Opens the trail in its folder: makes the folder, keeps other gateways out, finds every
    /// lane's end and closes what a crash tore.
    ///
    /// # Errors
    /// [`TrailError`]; nothing was written if it is `Locked` or `Damaged`.
    pub fn open(options: Options) -> Result<Self, TrailError> {
        let dir = options.dir;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .map_err(TrailError::io("make the folder", &dir))?;
        let lock = lock(&dir)?;
        let bytes = AtomicU64::new(segment_bytes_in(&dir));
        let shared = Arc::new(Shared {
            dir,
            node: options.identity.node().to_owned(),
            durability: options.durability,
            segment_bytes: options.segment_bytes,
            detail: options.detail,
            clock: options.clock,
            heads: Mutex::default(),
            bytes,
            quota_bytes: options.quota_bytes,
            pace: Pace::default(),
        });
        let chain = checkpoint::Chain::open(&shared.dir, options.identity)?;
        let recovered = recover::recover(&shared, chain.last())?;
        {
            let mut heads = shared.heads.lock().unwrap_or_else(PoisonError::into_inner);
            for (lane, end) in &recovered {
                let head = Head {
                    count: end.count,
                    digest: end.digest,
                    file: Some(Arc::clone(&end.file)),
                };
                heads.insert(*lane, Arc::new(Mutex::new(head)));
            }
        }
        let (signals, inbox) = mpsc::channel();
        let signer = checkpoint::Signer {
            shared: Arc::clone(&shared),
            chain,
            sink: options.sink,
            interval: options.checkpoint_interval,
            inbox,
        };
        let signer = std::thread::Builder::new()
            .name("trail-checkpoints".to_owned())
            .spawn(move || signer.run())
            .map_err(TrailError::io("start the checkpoints of", &shared.dir))?;
        let sync = match shared.durability {
            Durability::Written => None,
            Durability::Synced => Some(sync::Syncer::start(&shared.dir, shared.pace.stopwatch())?),
        };
        let recovered = Mutex::new(recovered);
        Ok(Self { shared, recovered, sync, signals, signer: Some(signer), _lock: lock })
    }

    /// The lane of that number, to be moved to the thread that writes it. Each can be taken once.
    ///
    /// # Errors
    /// [`TrailError::LaneTaken`], or the file can't be opened.
    pub fn lane(&self, lane: u16) -> Result<Lane, TrailError> {
        let mut recovered = self.recovered.lock().unwrap_or_else(PoisonError::into_inner);
        let mut heads = self.shared.heads.lock().unwrap_or_else(PoisonError::into_inner);
        let end = match (recovered.remove(&lane), heads.contains_key(&lane)) {
            (Some(end), _) => Some(end),
            (None, true) => return Err(TrailError::LaneTaken { lane }),
            (None, false) => None,
        };
        let head = Arc::clone(heads.entry(lane).or_insert_with(|| {
            Arc::new(Mutex::new(Head { count: 0, digest: Digest::ZERO, file: None }))
        }));
        drop(heads);
        let sync = self.sync.as_ref().map(sync::Syncer::lane);
        Lane::open(lane::Parts {
            index: lane,
            shared: Arc::clone(&self.shared),
            end,
            head,
            sync,
            signals: self.signals.clone(),
        })
    }

    /// How long writes are under way.
    pub fn pace(&self) -> Pace {
        self.shared.pace.clone()
    }

    /// The gateway's node id: who signs these records.
    pub fn node(&self) -> &str {
        &self.shared.node
    }

    /// Signs a checkpoint now if anything changed since the last one, and waits for it.
    pub fn checkpoint(&self) {
        let (done, wait) = mpsc::channel();
        if self.signals.send(checkpoint::Signal::Now(done)).is_ok() {
            // An error here means that the signer is gone, which it reports itself.
            wait.recv().ok();
        }
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.signals.send(checkpoint::Signal::Stop).ok();
        if let Some(signer) = self.signer.take()
            && signer.join().is_err()
        {
            tracing::error!("the trail's checkpoints ended in a panic");
        }
    }
}

/// How much the segments in the folder take. One that can't be looked at counts nothing: writing to
/// it fails by itself.
fn segment_bytes_in(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let segments = entries.filter(|e| e.file_name().to_string_lossy().starts_with("lane-"));
    segments.filter_map(|e| e.metadata().ok()).map(|m| m.len()).sum()
}

/// Keeps gateways from opening the trail in this folder, as long as the value lives. `None`: there is no
/// trail.
///
/// # Errors
/// [`TrailError::Locked`]: a gateway has it open.
pub fn keep_closed(dir: &Path) -> Result<Option<Closed>, TrailError> {
    if !dir.join("trail.lock").exists() {
        return Ok(None);
    }
    lock(dir).map(|lock| Some(Closed(lock)))
}

/// What keeps a trail closed.
#[derive(Debug)]
pub struct Closed(#[expect(dead_code, reason = "holds the lock")] File);

/// Takes the lock that keeps a second gateway from the folder, as long as the file is open.
fn lock(dir: &Path) -> Result<File, TrailError> {
    let path = dir.join("trail.lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(TrailError::io("open", &path))?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // A process that was being started while the last holder closed the file shares its lock
            // until it runs its own program.
            Err(fs::TryLockError::WouldBlock) if began.elapsed() < LOCK_PATIENCE => {
                std::thread::sleep(LOCK_PATIENCE / 20);
            }
            Err(fs::TryLockError::WouldBlock) => {
                return Err(TrailError::Locked { dir: dir.to_owned() });
            }
            Err(fs::TryLockError::Error(source)) => {
                return Err(TrailError::Io { doing: "lock", path, source });
            }
        }
    }
}

/// How long another holder of the lock is waited for.
const LOCK_PATIENCE: Duration = Duration::from_millis(400);
