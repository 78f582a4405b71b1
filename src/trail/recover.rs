//! Finds where every lane ended, and closes what a crash tore.
//!
//! Only the last segment of a lane is read, from its header on: the whole trail is for
//! [`super::verify`]. The lanes are read side by side, so that a start takes as long as the longest
//! of them, and nothing is written before all of them are known to be whole. A last line without its
//! line feed was being written when the gateway died; no statement was sent for it. It is cut away
//! and a `recovered` record says what it was. Anything else that isn't as it was written is damage,
//! and the gateway doesn't start on it: a new chain on top of a broken one would bury the break.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::Write as _,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::{
    kernel::audit::{Detail, Digest, Place, Record, chain},
    trail::{
        Checkpoint, Shared, TrailError,
        checkpoint::LaneHead,
        segment::{self, Line, Lines, Segment},
    },
};

/// Where a lane ended.
#[derive(Debug)]
pub(super) struct LaneEnd {
    /// How many records it has.
    pub(super) count: u64,
    /// The digest of the last.
    pub(super) digest: Digest,
    /// The file that the next record goes to.
    pub(super) file: Arc<File>,
    /// How many bytes of it are records.
    pub(super) length: u64,
}

/// A lane's last segment as it was found.
#[derive(Debug)]
struct Found {
    path: PathBuf,
    count: u64,
    digest: Digest,
    length: u64,
    /// The start of a line that was never finished.
    torn: Vec<u8>,
}

/// What a lane was found to be.
#[derive(Debug, Default)]
struct FoundLane {
    /// Segments without a whole header: no statement stands in them.
    headless: Vec<PathBuf>,
    /// `None`: no other is there.
    last: Option<Found>,
}

/// The ends of all lanes in the folder.
///
/// # Errors
/// [`TrailError::Damaged`] with the first thing that isn't as it was written.
pub(super) fn recover(
    shared: &Shared,
    last: Option<&Checkpoint>,
) -> Result<BTreeMap<u16, LaneEnd>, TrailError> {
    let dir = &shared.dir;
    let heads = last.map(Checkpoint::lanes).unwrap_or_default();
    let lanes: Vec<(u16, Vec<Segment>)> =
        segment::list(dir).map_err(TrailError::io("list", dir))?.into_iter().collect();
    let found = read_all(shared, &lanes, heads)?;
    for head in heads {
        let of = lanes.iter().zip(&found).find(|((lane, _), _)| *lane == head.lane);
        let count = of.and_then(|(_, found)| found.last.as_ref()).map_or(0, |last| last.count);
        if count < head.count {
            return Err(TrailError::Damaged {
                what: format!(
                    "lane {} ends with record {count}, but {} were signed for",
                    head.lane, head.count
                ),
                dir: dir.clone(),
            });
        }
    }
    let mut ends = BTreeMap::new();
    for ((lane, _), found) in lanes.into_iter().zip(found) {
        for path in found.headless {
            fs::remove_file(&path).map_err(TrailError::io("remove", &path))?;
        }
        if let Some(last) = found.last {
            ends.insert(lane, close(shared, lane, last)?);
        }
    }
    Ok(ends)
}

/// Reads every lane, several at a time, and writes nothing.
fn read_all(
    shared: &Shared,
    lanes: &[(u16, Vec<Segment>)],
    heads: &[LaneHead],
) -> Result<Vec<FoundLane>, TrailError> {
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, Result<FoundLane, TrailError>>> = Mutex::default();
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some((lane, segments)) = lanes.get(at) else { return };
            let signed = heads.iter().find(|head| head.lane == *lane);
            let found = read_lane(shared, segments, signed);
            done.lock().unwrap_or_else(PoisonError::into_inner).insert(at, found);
        }
    };
    let others = thread::available_parallelism().map_or(1, usize::from).min(lanes.len());
    thread::scope(|scope| {
        for _ in 1..others {
            scope.spawn(work);
        }
        work();
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.into_values().collect()
}

fn read_lane(
    shared: &Shared,
    segments: &[Segment],
    signed: Option<&LaneHead>,
) -> Result<FoundLane, TrailError> {
    let mut found = FoundLane::default();
    for segment in segments.iter().rev() {
        found.last = end_of(shared, segment, signed)?;
        if found.last.is_some() {
            break;
        }
        found.headless.push(segment.path.clone());
    }
    Ok(found)
}

/// Reads a segment to its end. `None`: not even its header is whole.
fn end_of(
    shared: &Shared,
    segment: &Segment,
    signed: Option<&LaneHead>,
) -> Result<Option<Found>, TrailError> {
    let path = &segment.path;
    let damaged = |seq: u64, what: &str| TrailError::Damaged {
        what: format!("record {seq} in {} {what}", segment.name()),
        dir: shared.dir.clone(),
    };
    let is_as_signed = |seq: u64, digest: Digest| {
        let differs = signed.is_some_and(|head| head.count == seq && head.head != digest);
        if differs { Err(damaged(seq, "is not the one that was signed for")) } else { Ok(()) }
    };
    let mut lines = Lines::open(path).map_err(TrailError::io("open", path))?;
    let (mut count, mut length) = (segment.first.saturating_sub(1), 0);
    let mut digest = None;
    let mut torn = Vec::new();
    let mut start = Vec::new();
    while let Some((bytes, whole)) = lines.next_line().map_err(TrailError::io("read", path))? {
        if !whole {
            torn = bytes.to_vec();
            break;
        }
        let seq = count + 1;
        let previous = match digest {
            Some(digest) => {
                start.clear();
                // Nothing is written to a vector that doesn't fit.
                write!(
                    start,
                    "{{\"node\":\"{}\",\"lane\":{},\"seq\":{seq},",
                    shared.node, segment.lane
                )
                .ok();
                if !bytes.starts_with(&start) {
                    place_of(bytes, segment, seq).map_err(|what| damaged(seq, what))?;
                }
                digest
            }
            None => {
                let line = place_of(bytes, segment, seq).map_err(|what| damaged(seq, what))?;
                let previous = header(&line).ok_or_else(|| damaged(seq, "is no header"))?;
                is_as_signed(seq - 1, previous)?;
                previous
            }
        };
        let here = chain::verify(previous, [bytes])
            .map_err(|_| damaged(seq, "is not as it was written"))?;
        is_as_signed(seq, here)?;
        digest = Some(here);
        count = seq;
        length += bytes.len() as u64 + 1;
    }
    Ok(digest.map(|digest| Found { path: path.clone(), count, digest, length, torn }))
}

/// Reads a line's own word on where it stands.
fn place_of(bytes: &[u8], segment: &Segment, seq: u64) -> Result<Line, &'static str> {
    let line = Line::parse(bytes).ok_or("can't be read")?;
    if line.start.seq != seq || line.start.lane != segment.lane {
        return Err("is another one");
    }
    Ok(line)
}

/// Opens a lane's last segment to be gone on with, after closing what was torn.
fn close(shared: &Shared, lane: u16, found: Found) -> Result<LaneEnd, TrailError> {
    let Found { path, mut count, mut digest, mut length, torn } = found;
    let path = &path;
    let file = OpenOptions::new().write(true).open(path).map_err(TrailError::io("open", path))?;
    if !torn.is_empty() {
        let place = Place { node: &shared.node, lane, seq: count + 1, time: (shared.clock)() };
        let mut record = Vec::new();
        Record::Recovered { torn: &torn }.write(&place, &Detail::default(), &mut record);
        digest = chain::close(&mut record, 0, &digest);
        file.set_len(length).map_err(TrailError::io("cut", path))?;
        file.write_all_at(&record, length).map_err(TrailError::io("write", path))?;
        count += 1;
        length += record.len() as u64;
        tracing::warn!(lane, record = count, "closed a torn line of the trail");
    }
    Ok(LaneEnd { count, digest, file: Arc::new(file), length })
}

fn header(line: &Line) -> Option<Digest> {
    line.start.previous.as_ref().filter(|_| line.start.record == "segment")?.parse().ok()
}

/// Syncs a folder, so that a new file's name in it survives a power cut.
pub(super) fn sync_dir(dir: &Path) -> Result<(), TrailError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(TrailError::io("sync", dir))
}
