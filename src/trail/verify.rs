//! Reads a trail back and says what was done to it.
//!
//! Three layers, each showing what the one below can't. The chain shows a record that was altered,
//! taken out or moved. The signed checkpoints show a chain that was computed anew, and one that was
//! cut. Copies of checkpoints from outside (the store, a log, `--heads FILE`) show both against
//! somebody who has the node's key too. What comes after the last checkpoint, nobody vouches for:
//! the report says how much that is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    path::Path,
};

use crate::{
    kernel::audit::{Digest, chain},
    trail::{
        TrailError,
        checkpoint::{self, Checkpoint},
        identity::PublicKey,
        segment::{self, Line, Lines, Segment},
    },
};

/// What to hold against each other.
#[derive(Debug)]
pub struct Question<'a> {
    /// The trail's folder.
    pub dir: &'a Path,
    /// Whose signatures to believe. Take it from outside the folder: who owns the files can put a
    /// key of his own beside them.
    pub key: PublicKey,
    /// Copies of checkpoints that were kept elsewhere; other nodes' are skipped.
    pub heads: &'a [Checkpoint],
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Whose trail.
    pub node: String,
    /// Every lane.
    pub lanes: Vec<LaneReport>,
    /// How many checkpoints stand in the folder.
    pub checkpoints: usize,
    /// How many copies from outside were held against it.
    pub heads: usize,
    /// What is wrong; of each lane, the first thing.
    pub problems: Vec<Problem>,
}

/// How one lane stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LaneReport {
    /// Which.
    pub lane: u16,
    /// The records that follow from each other, from the first one on.
    pub records: u64,
    /// How many of them the checkpoints in the folder vouch for.
    pub signed: u64,
    /// How many of them the copies from outside vouch for.
    pub vouched: u64,
    /// The last line is being written, or a crash tore it and no start has closed it yet.
    pub torn: bool,
}

impl LaneReport {
    /// The records at the end that nobody vouches for.
    pub fn tail(&self) -> u64 {
        self.records - self.signed.max(self.vouched).min(self.records)
    }
}

/// Where in the files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spot {
    /// The lane.
    pub lane: u16,
    /// The record, as it should be numbered there.
    pub record: u64,
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lane, record, file, line } = self;
        write!(f, "lane {lane}, record {record} ({file}, line {line})")
    }
}

/// One thing that isn't as it was written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Problem {
    /// The line is no record at all.
    #[error("{0}: this line is not a record")]
    NotARecord(Spot),
    /// The record's digest isn't the one it has.
    #[error("{0}: the record was altered")]
    Altered(Spot),
    /// Records are gone.
    #[error("{spot}: records {} to {until} are missing", spot.record)]
    Missing {
        /// Where the first of them should be.
        spot: Spot,
        /// The last of them.
        until: u64,
    },
    /// The record stands elsewhere.
    #[error("{spot}: record {found} stands here; the records were reordered")]
    Reordered {
        /// Where.
        spot: Spot,
        /// What stands there.
        found: u64,
    },
    /// A segment doesn't continue the one before.
    #[error("{0}: this segment does not continue the one before it")]
    Discontinued(Spot),
    /// The record names another node or lane.
    #[error("{0}: the record belongs to another node or lane")]
    Foreign(Spot),
    /// A checkpoint was signed for other records than those that stand here.
    #[error(
        "lane {lane}: records {from} to {until} are not those that checkpoint {checkpoint} was \
         signed for{}", if *.outside { " (copy from outside)" } else { "" }
    )]
    Rewritten {
        /// The lane.
        lane: u16,
        /// The first record that may be another.
        from: u64,
        /// The last.
        until: u64,
        /// Which checkpoint says so.
        checkpoint: u64,
        /// It is a copy from outside.
        outside: bool,
    },
    /// A checkpoint was signed for more records than there are.
    #[error(
        "lane {lane}: ends with record {found}, but checkpoint {checkpoint} was signed for \
         {signed}{}: the end was cut", if *.outside { " (copy from outside)" } else { "" }
    )]
    Cut {
        /// The lane.
        lane: u16,
        /// How many records there are.
        found: u64,
        /// How many there were.
        signed: u64,
        /// Which checkpoint says so.
        checkpoint: u64,
        /// It is a copy from outside.
        outside: bool,
    },
    /// A checkpoint can't be read.
    #[error("{}, line {line}: not a checkpoint", checkpoint::FILE)]
    NotACheckpoint {
        /// From 1.
        line: u64,
    },
    /// A checkpoint's signature doesn't hold.
    #[error("{}, line {line}: checkpoint {number} has a bad signature", checkpoint::FILE)]
    BadSignature {
        /// From 1.
        line: u64,
        /// As it says.
        number: u64,
    },
    /// A checkpoint doesn't follow the one before.
    #[error(
        "{}, line {line}: checkpoint {number} does not follow the one before it",
        checkpoint::FILE
    )]
    CheckpointOrder {
        /// From 1.
        line: u64,
        /// As it says.
        number: u64,
    },
    /// A copy from outside is signed, and isn't in the folder.
    #[error(
        "checkpoint {number}, of which there is a copy outside, is not in {}",
        checkpoint::FILE
    )]
    CheckpointGone {
        /// Its number.
        number: u64,
    },
    /// A copy from outside isn't signed by this node's key.
    #[error("the outside copy of checkpoint {number} has a bad signature")]
    BadCopy {
        /// As it says.
        number: u64,
    },
}

impl Report {
    /// True if nothing is wrong. There may still be a tail that nobody vouches for.
    pub fn is_intact(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Reads the whole trail.
///
/// Works beside a running gateway: what is written meanwhile counts as tail.
///
/// # Errors
/// A file or the folder can't be read. What is wrong with what they hold is in the report.
pub fn verify(question: &Question<'_>) -> Result<Report, TrailError> {
    let dir = question.dir;
    let mut problems = Vec::new();
    // Before the lanes: what is signed must be in files that are read later.
    let signed = read_checkpoints(dir, &question.key, &mut problems)?;
    let node = question.key.node();
    let mut heads = Vec::new();
    for copy in question.heads.iter().filter(|copy| copy.node() == node) {
        if copy.is_signed_by(&question.key) {
            heads.push(copy);
        } else {
            problems.push(Problem::BadCopy { number: copy.number() });
        }
    }
    let here: BTreeSet<&str> = signed.iter().map(Checkpoint::line).collect();
    if let Some(gone) = heads.iter().find(|copy| !here.contains(copy.line())) {
        problems.push(Problem::CheckpointGone { number: gone.number() });
    }
    let mut claims = Claims::default();
    claims.add(signed.iter(), false);
    claims.add(heads.iter().copied(), true);

    let mut lanes = Vec::new();
    let mut segments = segment::list(dir).map_err(TrailError::io("list", dir))?;
    // A lane that is signed for, and of which no file is left, is cut at its beginning.
    for lane in claims.0.keys() {
        segments.entry(*lane).or_default();
    }
    for (lane, segments) in segments {
        let claims = claims.0.get(&lane).map(Vec::as_slice).unwrap_or_default();
        let mut scan = Scan::new(lane, &node, claims);
        for segment in &segments {
            scan.segment(segment).map_err(TrailError::io("read", &segment.path))?;
        }
        let (report, problem) = scan.finish();
        lanes.push(report);
        problems.extend(problem);
    }
    let (checkpoints, heads) = (signed.len(), heads.len());
    Ok(Report { node, lanes, checkpoints, heads, problems })
}

/// The checkpoints in the folder that this key signed. What is wrong with the others is a problem;
/// only the first is named, so that one lost key isn't a page of lines.
fn read_checkpoints(
    dir: &Path,
    key: &PublicKey,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Checkpoint>, TrailError> {
    let path = dir.join(checkpoint::FILE);
    let mut lines = match Lines::open(&path) {
        Ok(lines) => lines,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(TrailError::io("open", &path)(error)),
    };
    let (mut signed, mut line) = (Vec::new(), 0);
    let (mut number, mut previous) = (0, Digest::ZERO);
    let mut first_problem = None;
    while let Some((bytes, whole)) = lines.next_line().map_err(TrailError::io("read", &path))? {
        if !whole {
            break;
        }
        line += 1;
        let parsed = std::str::from_utf8(bytes).ok().and_then(Checkpoint::parse);
        let Some(checkpoint) = parsed else {
            first_problem.get_or_insert(Problem::NotACheckpoint { line });
            continue;
        };
        let found = checkpoint.number();
        if !checkpoint.is_signed_by(key) {
            first_problem.get_or_insert(Problem::BadSignature { line, number: found });
            continue;
        }
        if found != number + 1 || checkpoint.previous() != previous {
            first_problem.get_or_insert(Problem::CheckpointOrder { line, number: found });
        }
        (number, previous) = (found, checkpoint.digest());
        signed.push(checkpoint);
    }
    problems.extend(first_problem);
    Ok(signed)
}

/// What checkpoints say of each lane, by count.
#[derive(Default)]
struct Claims(BTreeMap<u16, Vec<Claim>>);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    count: u64,
    outside: bool,
    checkpoint: u64,
    head: [u8; 32],
}

impl Claims {
    fn add<'a>(&mut self, checkpoints: impl Iterator<Item = &'a Checkpoint>, outside: bool) {
        for checkpoint in checkpoints {
            for head in checkpoint.lanes() {
                let (count, digest) = (head.count, head.head.0);
                self.0.entry(head.lane).or_default().push(Claim {
                    count,
                    outside,
                    checkpoint: checkpoint.number(),
                    head: digest,
                });
            }
        }
        for claims in self.0.values_mut() {
            claims.sort_unstable();
        }
    }
}

/// One lane, read from its first record on.
struct Scan<'a> {
    node: &'a str,
    report: LaneReport,
    digest: Digest,
    /// What is still to be held against a record, by count.
    claims: &'a [Claim],
    problem: Option<Problem>,
    /// Records seen after a gap, to tell missing ones from moved ones.
    missing: Option<(u64, u64)>,
    seen: u64,
}

impl<'a> Scan<'a> {
    fn new(lane: u16, node: &'a str, claims: &'a [Claim]) -> Self {
        let report = LaneReport { lane, ..LaneReport::default() };
        Self { node, report, digest: Digest::ZERO, claims, problem: None, missing: None, seen: 0 }
    }

    fn segment(&mut self, segment: &Segment) -> io::Result<()> {
        let mut lines = Lines::open(&segment.path)?;
        let mut number = 0;
        while let Some((bytes, whole)) = lines.next_line()? {
            number += 1;
            if !whole {
                self.report.torn = true;
                break;
            }
            let record = self.report.records + 1;
            let spot = || Spot { lane: segment.lane, record, file: segment.name(), line: number };
            if self.problem.is_some() {
                self.look_on(bytes);
            } else if self.report.torn {
                // A torn line that isn't the lane's last.
                self.problem = Some(Problem::NotARecord(spot()));
            } else {
                self.problem = self.line(bytes, number == 1, spot);
            }
        }
        Ok(())
    }

    fn line(&mut self, bytes: &[u8], first: bool, spot: impl Fn() -> Spot) -> Option<Problem> {
        let Some(line) = Line::parse(bytes) else { return Some(Problem::NotARecord(spot())) };
        let expected = self.report.records + 1;
        let found = line.start.seq;
        self.seen = self.seen.max(found);
        let follows = chain::verify(self.digest, [bytes]).is_ok();
        if found > expected && !follows {
            self.missing = Some((expected, found - 1));
            return Some(Problem::Missing { spot: spot(), until: found - 1 });
        }
        if found < expected && !follows {
            return Some(Problem::Reordered { spot: spot(), found });
        }
        let foreign = line.start.lane != self.report.lane || line.start.node != self.node;
        if foreign {
            return Some(Problem::Foreign(spot()));
        }
        let header = line.start.record == "segment";
        let continues = line.start.previous == Some(self.digest.to_string());
        if header != first || (header && !continues) {
            return Some(Problem::Discontinued(spot()));
        }
        if !follows || found != expected {
            return Some(Problem::Altered(spot()));
        }
        self.digest = line.claimed;
        self.report.records = expected;
        self.hold_against_claims()
    }

    /// Holds the record just read against the checkpoints that were made right after it.
    fn hold_against_claims(&mut self) -> Option<Problem> {
        while let Some((claim, rest)) = self.claims.split_first() {
            if claim.count > self.report.records {
                break;
            }
            if claim.head != self.digest.0 {
                return Some(Problem::Rewritten {
                    lane: self.report.lane,
                    from: self.report.signed.max(self.report.vouched) + 1,
                    until: claim.count,
                    checkpoint: claim.checkpoint,
                    outside: claim.outside,
                });
            }
            if claim.outside {
                self.report.vouched = claim.count;
            } else {
                self.report.signed = claim.count;
            }
            self.claims = rest;
        }
        None
    }

    /// After the first problem: were the missing records only moved?
    fn look_on(&mut self, bytes: &[u8]) {
        let Some(line) = Line::parse(bytes) else { return };
        let found = line.start.seq;
        self.seen = self.seen.max(found);
        if let (Some((from, until)), Some(Problem::Missing { spot, .. })) =
            (self.missing, &self.problem)
            && (from..=until).contains(&found)
        {
            self.problem = Some(Problem::Reordered { spot: spot.clone(), found: until + 1 });
            self.missing = None;
        }
    }

    fn finish(mut self) -> (LaneReport, Vec<Problem>) {
        let last = self.seen.max(self.report.records);
        // The last claim is the one that names the most records.
        let cut =
            self.claims.iter().rev().find(|claim| claim.count > last).map(|claim| Problem::Cut {
                lane: self.report.lane,
                found: last,
                signed: claim.count,
                checkpoint: claim.checkpoint,
                outside: claim.outside,
            });
        let problems = self.problem.take().into_iter().chain(cut).collect();
        (self.report, problems)
    }
}

#[cfg(test)]
mod tests;
