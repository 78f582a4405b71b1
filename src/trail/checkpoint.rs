//! Checkpoints: signed statements of how far every lane has come.
//!
//! One JSON line each in `checkpoints.jsonl`, signed with the node's key and chained among
//! themselves. Before a checkpoint is signed the lanes' files are synced: it vouches for what is on
//! disk. It is then handed to the sink, which copies it to where the files' owner can't reach it.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, mpsc},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    kernel::{audit::Digest, time::Timestamp},
    trail::{
        Shared, TrailError,
        identity::{Identity, PublicKey},
        segment::Lines,
    },
};

/// The file of the checkpoints in the trail's folder.
pub const FILE: &str = "checkpoints.jsonl";

/// How far a lane had come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LaneHead {
    /// Which lane.
    pub lane: u16,
    /// How many records it had.
    pub count: u64,
    /// The digest of the last.
    pub head: Digest,
}

/// A signed checkpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    number: u64,
    node: String,
    time: Timestamp,
    lanes: Vec<LaneHead>,
    previous: Digest,
    signature: Vec<u8>,
    line: String,
}

impl Checkpoint {
    /// Reads a line. Says nothing about its signature: ask [`Checkpoint::is_signed_by`].
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.trim_end();
        let written: Written = serde_json::from_str(line).ok()?;
        let lanes = written.lanes.iter().map(|head| {
            Some(LaneHead { lane: head.lane, count: head.count, head: head.head.parse().ok()? })
        });
        Some(Self {
            number: written.checkpoint,
            time: Timestamp::parse_rfc3339(&written.time).ok()?,
            lanes: lanes.collect::<Option<_>>()?,
            previous: written.previous.parse().ok()?,
            signature: from_hex(line.strip_suffix("\"}")?.rsplit_once(SIGNATURE)?.1)?,
            node: written.node,
            line: line.to_owned(),
        })
    }

    /// Its number on its node, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whose.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// When it was made.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// How far every lane had come.
    pub fn lanes(&self) -> &[LaneHead] {
        &self.lanes
    }

    /// The digest of the checkpoint before it; zero for the first.
    pub fn previous(&self) -> Digest {
        self.previous
    }

    /// The whole line, without its line feed: what copies keep.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// What the next one names as its predecessor.
    pub fn digest(&self) -> Digest {
        Digest::of(self.line.as_bytes())
    }

    /// True if this key signed it and the node named is this key's.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.node == key.node()
            && self
                .line
                .rsplit_once(SIGNATURE)
                .is_some_and(|(body, _)| key.verifies(body.as_bytes(), &self.signature))
    }

    fn sign(
        identity: &Identity,
        number: u64,
        time: Timestamp,
        lanes: Vec<LaneHead>,
        previous: Digest,
    ) -> Option<Self> {
        let heads = lanes.iter().map(|head| WrittenHead {
            lane: head.lane,
            count: head.count,
            head: head.head.to_string(),
        });
        let written = Written {
            checkpoint: number,
            node: identity.node().to_owned(),
            time: time.to_string(),
            lanes: heads.collect(),
            previous: previous.to_string(),
        };
        let mut line = serde_json::to_string(&written).ok()?;
        line.pop();
        let signature = identity.sign(line.as_bytes()).to_vec();
        line.push_str(SIGNATURE);
        for byte in &signature {
            line.push_str(&format!("{byte:02x}"));
        }
        line.push_str("\"}");
        Some(Self { number, node: written.node, time, lanes, previous, signature, line })
    }
}

/// The checkpoints of a folder, to be continued.
pub(super) struct Chain {
    path: PathBuf,
    file: File,
    length: u64,
    identity: Identity,
    last: Option<Checkpoint>,
}

impl Chain {
    /// Opens the file, cuts a torn last line away, and checks the last checkpoint's signature.
    pub(super) fn open(dir: &Path, identity: Identity) -> Result<Self, TrailError> {
        let path = dir.join(FILE);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(TrailError::io("open", &path))?;
        let mut lines = Lines::open(&path).map_err(TrailError::io("open", &path))?;
        let (mut length, mut line) = (0, Vec::new());
        while let Some((bytes, whole)) = lines.next_line().map_err(TrailError::io("read", &path))? {
            if !whole {
                file.set_len(length).map_err(TrailError::io("cut", &path))?;
                break;
            }
            length += bytes.len() as u64 + 1;
            line = bytes.to_vec();
        }
        let damaged = || TrailError::Damaged {
            what: format!("the last checkpoint in {FILE} is not one that this node has signed"),
            dir: dir.to_owned(),
        };
        let last = if length == 0 {
            None
        } else {
            let text = String::from_utf8(line).map_err(|_| damaged())?;
            let checkpoint = Checkpoint::parse(&text).ok_or_else(damaged)?;
            if !checkpoint.is_signed_by(&identity.public_key()) {
                return Err(damaged());
            }
            Some(checkpoint)
        };
        Ok(Self { path, file, length, identity, last })
    }

    pub(super) fn last(&self) -> Option<&Checkpoint> {
        self.last.as_ref()
    }

    fn add(&mut self, time: Timestamp, lanes: Vec<LaneHead>) -> Result<(), TrailError> {
        let number = self.last.as_ref().map_or(0, |last| last.number) + 1;
        let previous = self.last.as_ref().map_or(Digest::ZERO, Checkpoint::digest);
        let checkpoint = Checkpoint::sign(&self.identity, number, time, lanes, previous)
            .ok_or_else(|| TrailError::Key {
                path: self.path.clone(),
                why: "the checkpoint can't be written as text".to_owned(),
            })?;
        let line = format!("{}\n", checkpoint.line);
        let write = self.file.write_all_at(line.as_bytes(), self.length);
        if let Err(error) = write.and_then(|()| self.file.sync_data()) {
            // A part of a line that can't be cut away now is overwritten by the next try.
            self.file.set_len(self.length).ok();
            return Err(TrailError::io("write", &self.path)(error));
        }
        self.length += line.len() as u64;
        self.last = Some(checkpoint);
        Ok(())
    }
}

/// What the signer is told.
pub(super) enum Signal {
    /// A lane has begun a new segment; the old one must be synced.
    Rotated(Arc<File>),
    /// Sign now, and say when done.
    Now(mpsc::Sender<()>),
    /// Sign for the last time.
    Stop,
}

/// The thread that signs.
pub(super) struct Signer {
    pub(super) shared: Arc<Shared>,
    pub(super) chain: Chain,
    pub(super) sink: Box<dyn Fn(&Checkpoint) + Send>,
    pub(super) interval: Duration,
    pub(super) inbox: mpsc::Receiver<Signal>,
}

impl Signer {
    pub(super) fn run(mut self) {
        let mut unsynced = Vec::new();
        loop {
            let (done, stop) = match self.inbox.recv_timeout(self.interval) {
                Ok(Signal::Rotated(old)) => {
                    unsynced.push(old);
                    (None, false)
                }
                Ok(Signal::Now(done)) => (Some(done), false),
                Err(mpsc::RecvTimeoutError::Timeout) => (None, false),
                Ok(Signal::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => (None, true),
            };
            if let Err(error) = self.sign(&mut unsynced) {
                tracing::error!(%error, "no checkpoint could be made");
            }
            if let Some(done) = done {
                done.send(()).ok();
            }
            if stop {
                return;
            }
        }
    }

    fn sign(&mut self, unsynced: &mut Vec<Arc<File>>) -> Result<(), TrailError> {
        let dir = &self.shared.dir;
        let mut lanes = Vec::new();
        let heads = self.shared.heads.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut files = unsynced.clone();
        for (lane, head) in heads {
            let head = head.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if head.count > 0 {
                lanes.push(LaneHead { lane, count: head.count, head: head.digest });
                files.extend(head.file);
            }
        }
        if self.chain.last.as_ref().map_or(lanes.is_empty(), |last| last.lanes == lanes) {
            return Ok(());
        }
        for file in files {
            file.sync_data().map_err(TrailError::io("sync a segment in", dir))?;
        }
        unsynced.clear();
        self.chain.add((self.shared.clock)(), lanes)?;
        if let Some(checkpoint) = &self.chain.last {
            (self.sink)(checkpoint);
        }
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Written {
    checkpoint: u64,
    node: String,
    time: String,
    lanes: Vec<WrittenHead>,
    previous: String,
}

#[derive(Serialize, Deserialize)]
struct WrittenHead {
    lane: u16,
    count: u64,
    head: String,
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

const SIGNATURE: &str = ",\"signature\":\"";
