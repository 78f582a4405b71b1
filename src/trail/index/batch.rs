//! Reads what is new on the trail, lane by lane, as far as one transaction should carry.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{self, BufRead, BufReader, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use crate::trail::{
    index::{
        IndexError,
        record::{Meaning, Outcome, Raw, Row},
    },
    segment::{self, Line, Lines, Segment},
};

/// How far a lane is indexed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Position {
    /// The first record of the segment.
    pub(super) segment: u64,
    /// How many bytes of it.
    pub(super) bytes: u64,
}

/// One transaction's worth of records.
#[derive(Default)]
pub(super) struct Batch {
    /// Where it begins, to be compared with where the table is when it is written.
    pub(super) from: BTreeMap<u16, Position>,
    /// Where it ends.
    pub(super) to: BTreeMap<u16, Position>,
    pub(super) rows: Vec<Row>,
    /// Ends of statements whose rows were written before.
    pub(super) outcomes: Vec<(String, Outcome)>,
    /// The same of transactions: node, end, statements.
    pub(super) settled: Vec<(String, String, Vec<i64>)>,
    /// Bytes of trail by day.
    pub(super) days: BTreeMap<String, i64>,
    /// When gateways started, by node.
    pub(super) started: BTreeMap<String, String>,
    /// Where a statement's row stands in `rows`.
    by_statement: HashMap<(String, i64), usize>,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.from == self.to
    }

    fn add(&mut self, raw: Raw, bytes: usize) {
        let day = raw.time.get(..10).unwrap_or_default();
        *self.days.entry(day.to_owned()).or_default() += bytes as i64;
        self.started.extend(raw.started());
        let node = raw.node.clone();
        match raw.meaning() {
            Meaning::Row(row) => {
                if let Some(statement) = row.statement {
                    self.by_statement.insert((node, statement), self.rows.len());
                }
                self.rows.push(*row);
            }
            Meaning::Outcome(outcome) => {
                let at = self.by_statement.get(&(node.clone(), outcome.statement));
                match at.and_then(|at| self.rows.get_mut(*at)) {
                    Some(row) => {
                        row.transaction = outcome.transaction.clone().or(row.transaction.take());
                        row.outcome = outcome;
                    }
                    None => self.outcomes.push((node, outcome)),
                }
            }
            Meaning::Settled { transaction, statements } => {
                let mut before = Vec::new();
                for statement in statements {
                    let at = self.by_statement.get(&(node.clone(), statement));
                    match at.and_then(|at| self.rows.get_mut(*at)) {
                        Some(row) => row.transaction = Some(transaction.clone()),
                        None => before.push(statement),
                    }
                }
                if !before.is_empty() {
                    self.settled.push((node, transaction, before));
                }
            }
            Meaning::Nothing => {}
        }
    }
}

/// Reads on from these positions, some `most` bytes, on a thread that may block.
pub(super) async fn read(
    dir: PathBuf,
    from: BTreeMap<u16, Position>,
    most: usize,
) -> Result<Batch, IndexError> {
    let read = tokio::task::spawn_blocking(move || read_blocking(&dir, from, most));
    read.await.map_err(|error| IndexError::Database(sqlx::Error::Io(io::Error::other(error))))?
}

fn read_blocking(
    dir: &Path,
    from: BTreeMap<u16, Position>,
    most: usize,
) -> Result<Batch, IndexError> {
    let failed = |source| IndexError::Trail { dir: dir.to_owned(), source };
    let mut batch = Batch { to: from.clone(), from, ..Batch::default() };
    let lanes = match segment::list(dir) {
        // No gateway ever ran here.
        Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
        other => other.map_err(failed)?,
    };
    for (lane, at) in &batch.from {
        let reaches = lanes.get(lane).into_iter().flatten().any(|segment| {
            segment.first == at.segment
                && std::fs::metadata(&segment.path).is_ok_and(|m| m.len() >= at.bytes)
        });
        if !reaches {
            return Err(IndexError::OtherTrail { lane: *lane });
        }
    }
    let share = most / lanes.len().max(1);
    for (lane, segments) in lanes {
        let at = batch.to.get(&lane).copied().unwrap_or_default();
        let mut room = share;
        for segment in segments.iter().filter(|segment| segment.first >= at.segment) {
            let bytes = if segment.first == at.segment { at.bytes } else { 0 };
            // The list was made before: if a later segment was on it, this one is complete.
            let read = read_segment(segment, bytes, room, &mut batch).map_err(failed)?;
            batch.to.insert(lane, Position { segment: segment.first, bytes: bytes + read as u64 });
            room = room.saturating_sub(read);
            if room == 0 {
                break;
            }
        }
    }
    Ok(batch)
}

/// Whole lines, until at least `room` bytes are read or the file ends.
fn read_segment(segment: &Segment, from: u64, room: usize, batch: &mut Batch) -> io::Result<usize> {
    let mut file = File::open(&segment.path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let (mut line, mut read) = (Vec::new(), 0);
    while read < room {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            break;
        }
        read += length;
        match Raw::parse(&line) {
            Some(raw) => batch.add(raw, length),
            None => tracing::error!(
                file = segment.name(),
                byte = from + read as u64,
                "a line of the trail is not a record and was not indexed: verify the trail"
            ),
        }
    }
    Ok(read)
}

/// Whose trail it is, by the first record of its first segment; empty if there is none yet.
pub(super) fn node_of(dir: &Path) -> Result<String, IndexError> {
    let failed = |source| IndexError::Trail { dir: dir.to_owned(), source };
    let lanes = match segment::list(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        other => other.map_err(failed)?,
    };
    for segment in lanes.values().flatten() {
        let mut lines = Lines::open(&segment.path).map_err(failed)?;
        if let Some((line, true)) = lines.next_line().map_err(failed)?
            && let Some(line) = Line::parse(line)
        {
            return Ok(line.start.node);
        }
    }
    Ok(String::new())
}

/// Bytes that one transaction carries: some thousands of records. Larger ones save little.
pub(super) const MOST: usize = 1 << 20;

/// The same while statements come: it takes the processor for some hundredths of a second at a time.
pub(super) const BESIDE_WORK: usize = 128 << 10;
