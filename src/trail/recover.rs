//! Finds where every lane ended, and closes what a crash tore.
//!
//! Only the last segment of a lane is read, from its header on: the whole trail is for
//! [`super::verify`]. A last line without its line feed was being written when the gateway died; no
//! statement was sent for it. It is cut away and a `recovered` record says what it was. Anything
//! else that isn't as it was written is damage, and the gateway doesn't start on it: a new chain on
//! top of a broken one would bury the break.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use crate::{
    kernel::audit::{Detail, Digest, Place, Record, chain},
    trail::{
        Checkpoint, Shared, TrailError,
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

/// The ends of all lanes in the folder.
///
/// # Errors
/// [`TrailError::Damaged`] with the first thing that isn't as it was written.
pub(super) fn recover(
    shared: &Shared,
    last: Option<&Checkpoint>,
) -> Result<BTreeMap<u16, LaneEnd>, TrailError> {
    let dir = &shared.dir;
    let damaged = |what: String| TrailError::Damaged { what, dir: dir.clone() };
    let mut ends = BTreeMap::new();
    for (lane, segments) in segment::list(dir).map_err(TrailError::io("list", dir))? {
        let mut segments = segments.as_slice();
        while let Some((segment, before)) = segments.split_last() {
            if let Some(end) = end_of(shared, segment)? {
                ends.insert(lane, end);
                break;
            }
            // Its header was torn, so that no statement stands in it.
            fs::remove_file(&segment.path).map_err(TrailError::io("remove", &segment.path))?;
            segments = before;
        }
    }
    for head in last.map(Checkpoint::lanes).unwrap_or_default() {
        let count = ends.get(&head.lane).map_or(0, |end| end.count);
        if count < head.count {
            return Err(damaged(format!(
                "lane {} ends with record {count}, but {} were signed for",
                head.lane, head.count
            )));
        }
    }
    Ok(ends)
}

/// Reads a segment to its end. `None`: not even its header is whole.
fn end_of(shared: &Shared, segment: &Segment) -> Result<Option<LaneEnd>, TrailError> {
    let path = &segment.path;
    let damaged = |seq: u64, what: &str| TrailError::Damaged {
        what: format!("record {seq} in {} {what}", segment.name()),
        dir: shared.dir.clone(),
    };
    let mut lines = Lines::open(path).map_err(TrailError::io("open", path))?;
    let (mut count, mut length) = (segment.first.saturating_sub(1), 0);
    let mut digest = None;
    let mut torn = Vec::new();
    while let Some((bytes, whole)) = lines.next_line().map_err(TrailError::io("read", path))? {
        if !whole {
            torn = bytes.to_vec();
            break;
        }
        let seq = count + 1;
        let line = Line::parse(bytes).ok_or_else(|| damaged(seq, "can't be read"))?;
        if line.start.seq != seq || line.start.lane != segment.lane {
            return Err(damaged(seq, "is another one"));
        }
        let previous = match digest {
            Some(digest) => digest,
            None => header(&line).ok_or_else(|| damaged(seq, "is no header"))?,
        };
        digest = Some(
            chain::verify(previous, [bytes])
                .map_err(|_| damaged(seq, "is not as it was written"))?,
        );
        count = seq;
        length += bytes.len() as u64 + 1;
    }
    let Some(mut digest) = digest else { return Ok(None) };
    let file = OpenOptions::new().write(true).open(path).map_err(TrailError::io("open", path))?;
    if !torn.is_empty() {
        let place = Place {
            node: &shared.node,
            lane: segment.lane,
            seq: count + 1,
            time: (shared.clock)(),
        };
        let mut record = Vec::new();
        Record::Recovered { torn: &torn }.write(&place, &Detail::default(), &mut record);
        digest = chain::close(&mut record, 0, &digest);
        file.set_len(length).map_err(TrailError::io("cut", path))?;
        file.write_all_at(&record, length).map_err(TrailError::io("write", path))?;
        count += 1;
        length += record.len() as u64;
        tracing::warn!(lane = segment.lane, record = count, "closed a torn line of the trail");
    }
    Ok(Some(LaneEnd { count, digest, file: Arc::new(file), length }))
}

fn header(line: &Line) -> Option<Digest> {
    line.start.previous.as_ref().filter(|_| line.start.record == "segment")?.parse().ok()
}

/// Syncs a folder, so that a new file's name in it survives a power cut.
pub(super) fn sync_dir(dir: &Path) -> Result<(), TrailError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(TrailError::io("sync", dir))
}
