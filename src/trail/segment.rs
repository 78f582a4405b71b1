//! Segment files: their names, their lines, and what can be read from a line at a glance.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::kernel::audit::{Digest, chain};

/// One segment file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Segment {
    /// Its lane.
    pub lane: u16,
    /// The number of its first record.
    pub first: u64,
    /// Where it is.
    pub path: PathBuf,
}

impl Segment {
    /// The segment of this lane that begins with this record.
    pub fn new(dir: &Path, lane: u16, first: u64) -> Self {
        // Padded, so that a listing shows them in order.
        Self { lane, first, path: dir.join(format!("lane-{lane}-{first:012}.jsonl")) }
    }

    fn from_path(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (lane, first) = name.strip_prefix("lane-")?.strip_suffix(".jsonl")?.split_once('-')?;
        Some(Self { lane: lane.parse().ok()?, first: first.parse().ok()?, path })
    }

    /// The file's name, for messages.
    pub fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// All segments in a folder, by lane, in order.
///
/// # Errors
/// The folder can't be read.
pub fn list(dir: &Path) -> io::Result<BTreeMap<u16, Vec<Segment>>> {
    let mut lanes: BTreeMap<u16, Vec<Segment>> = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        if let Some(segment) = Segment::from_path(entry?.path()) {
            lanes.entry(segment.lane).or_default().push(segment);
        }
    }
    for segments in lanes.values_mut() {
        segments.sort();
    }
    Ok(lanes)
}

/// The start of a record, as far as finding one's way needs it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Start {
    /// Who wrote it.
    pub node: String,
    /// On which lane.
    pub lane: u16,
    /// Which record.
    pub seq: u64,
    /// The sort of record.
    pub record: String,
    /// In a segment's first record: what the segment before ended with.
    #[serde(default)]
    pub previous: Option<String>,
}

/// A line that is a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// What it begins with.
    pub start: Start,
    /// The digest it claims.
    pub claimed: Digest,
}

impl Line {
    /// Reads a line without its line feed. `None`: it is no record.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (_, claimed) = chain::split(bytes)?;
        Some(Self { start: serde_json::from_slice(bytes).ok()?, claimed })
    }
}

/// The lines of a segment, one after the other.
pub struct Lines {
    reader: BufReader<File>,
    buffer: Vec<u8>,
}

impl Lines {
    /// Opens a segment.
    ///
    /// # Errors
    /// The file can't be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let reader = BufReader::with_capacity(1 << 18, File::open(path)?);
        Ok(Self { reader, buffer: Vec::new() })
    }

    /// The next line without its line feed, and whether it had one; `None` at the end.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn next_line(&mut self) -> io::Result<Option<(&[u8], bool)>> {
        self.buffer.clear();
        if self.reader.read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(None);
        }
        let whole = self.buffer.last() == Some(&b'\n');
        if whole {
            self.buffer.pop();
        }
        Ok(Some((&self.buffer, whole)))
    }
}
