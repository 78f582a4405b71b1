use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use proptest::prelude::*;

use super::*;
use crate::{
    kernel::{
        audit::{Event, Place, Record},
        time::Timestamp,
    },
    trail::{Identity, Options, Trail},
};

/// A trail with two lanes, several segments, and checkpoints in between.
struct Kept {
    dir: tempfile::TempDir,
    key: PublicKey,
    copies: Vec<Checkpoint>,
}

fn kept() -> Kept {
    let dir = tempfile::tempdir().expect("a folder");
    let identity = Identity::load_or_create(dir.path()).expect("a key");
    let key = identity.public_key();
    let copies = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&copies);
    let clock = Arc::new(|| Timestamp(1_700_000_000_000_000));
    let mut options = Options::new(dir.path().join("trail"), identity, clock);
    options.segment_bytes = 2000;
    options.sink = Box::new(move |copy| sink.lock().expect("copies").push(copy.clone()));
    let trail = Trail::open(options).expect("opens");
    let mut lanes =
        [trail.lane(0).expect("a lane").write_each(), trail.lane(1).expect("a lane").write_each()];
    for n in 0..18 {
        for lane in &mut lanes {
            let what = format!("event {n}");
            lane.note(Timestamp(n), &Event::Alert { session: None, what: &what })
                .expect("is noted");
        }
        if n % 6 == 5 {
            trail.checkpoint();
        }
    }
    for lane in &mut lanes {
        lane.note(Timestamp(99), &Event::Stopped { reason: "the end" }).expect("is noted");
    }
    drop(lanes);
    drop(trail);
    let copies = copies.lock().expect("copies").clone();
    Kept { dir, key, copies }
}

impl Kept {
    fn folder(&self) -> PathBuf {
        self.dir.path().join("trail")
    }

    fn verify(&self, heads: &[Checkpoint]) -> Report {
        verify(&Question { dir: &self.folder(), key: self.key, heads }).expect("reads")
    }

    fn problems(&self) -> Vec<Problem> {
        self.verify(&[]).problems
    }

    fn segments(&self, lane: u16) -> Vec<Segment> {
        segment::list(&self.folder()).expect("lists")[&lane].clone()
    }

    fn lines(segment: &Segment) -> Vec<String> {
        let text = fs::read_to_string(&segment.path).expect("reads");
        text.split_inclusive('\n').map(str::to_owned).collect()
    }

    /// Changes one segment's lines.
    fn change(&self, lane: u16, segment: usize, change: impl FnOnce(&mut Vec<String>)) {
        let segment = &self.segments(lane)[segment];
        let mut lines = Self::lines(segment);
        change(&mut lines);
        fs::write(&segment.path, lines.concat()).expect("writes");
    }

    /// Computes a lane's chain anew over what stands there now, numbers and headers included: what
    /// the owner of the files can do without the key.
    fn chain_anew(&self, lane: u16) {
        let (mut digest, mut seq) = (Digest::ZERO, 0_u64);
        for segment in self.segments(lane) {
            let mut out = Vec::new();
            for line in Self::lines(&segment) {
                seq += 1;
                let (body, _) = chain::split(line.trim_end().as_bytes()).expect("a record");
                let body = std::str::from_utf8(body).expect("text");
                let value: serde_json::Value =
                    serde_json::from_str(&format!("{body}}}")).expect("JSON");
                let mut body = body.replacen(
                    &format!("\"seq\":{}", value["seq"]),
                    &format!("\"seq\":{seq}"),
                    1,
                );
                if let Some(previous) = value["previous"].as_str() {
                    body = body.replace(previous, &digest.to_string());
                }
                let from = out.len();
                out.extend_from_slice(body.as_bytes());
                digest = chain::close(&mut out, from, &digest);
            }
            fs::write(&segment.path, out).expect("writes");
        }
    }
}

#[test]
fn an_untouched_trail_is_intact() {
    let kept = kept();
    assert!(kept.segments(1).len() > 2 && kept.copies.len() > 3);
    let report = kept.verify(&kept.copies);
    assert_eq!(report.problems, []);
    assert_eq!(report.lanes.len(), 2);
    for lane in &report.lanes {
        assert_eq!((lane.tail(), lane.signed, lane.vouched), (0, lane.records, lane.records));
    }
}

#[test]
fn what_no_checkpoint_covers_is_named() {
    let kept = kept();
    let path = kept.folder().join(checkpoint::FILE);
    let text = fs::read_to_string(&path).expect("reads");
    let without_last: String = text.split_inclusive('\n').take(1).collect();
    fs::write(&path, without_last).expect("writes");
    let report = kept.verify(&[]);
    assert!(report.is_intact());
    assert!(report.lanes.iter().all(|lane| lane.tail() > 0));
    // Whoever has the copies knows better.
    let report = kept.verify(&kept.copies);
    assert!(matches!(report.problems[..], [Problem::CheckpointGone { number: 2 }]));
}

#[test]
fn an_altered_record_is_named() {
    let kept = kept();
    kept.change(1, 1, |lines| lines[2] = lines[2].replace("event", "evemt"));
    let problems = kept.problems();
    let [Problem::Altered(spot)] = &problems[..] else { panic!("{problems:?}") };
    let segment = &kept.segments(1)[1];
    assert_eq!((spot.lane, spot.line, &spot.file), (1, 3, &segment.name()));
    assert_eq!(spot.record, segment.first + 2);
    assert!(problems[0].to_string().contains("line 3"), "{}", problems[0]);
}

#[test]
fn a_missing_record_is_named() {
    let kept = kept();
    kept.change(1, 1, |lines| drop(lines.drain(2..4)));
    let problems = kept.problems();
    let first = kept.segments(1)[1].first + 2;
    let [Problem::Missing { spot, until }] = &problems[..] else { panic!("{problems:?}") };
    assert_eq!((spot.record, *until), (first, first + 1));
}

#[test]
fn reordered_records_are_named() {
    let kept = kept();
    kept.change(0, 1, |lines| lines.swap(2, 3));
    let problems = kept.problems();
    assert!(matches!(&problems[..], [Problem::Reordered { .. }]), "{problems:?}");
    let kept = self::kept();
    kept.change(0, 1, |lines| lines.insert(4, lines[2].clone()));
    let problems = kept.problems();
    assert!(matches!(&problems[..], [Problem::Reordered { .. }]), "{problems:?}");
}

#[test]
fn swapped_removed_and_emptied_segments_are_named() {
    let kept = kept();
    let [a, b] = [kept.segments(1)[0].path.clone(), kept.segments(1)[1].path.clone()];
    let (first, second) = (fs::read(&a).expect("reads"), fs::read(&b).expect("reads"));
    fs::write(&a, &second).expect("writes");
    fs::write(&b, &first).expect("writes");
    assert!(matches!(&kept.problems()[..], [Problem::Reordered { .. }]));
    fs::write(&a, &first).expect("writes");
    fs::remove_file(&b).expect("removes");
    assert!(matches!(&kept.problems()[..], [Problem::Missing { .. }]));
    fs::write(&b, b"").expect("writes");
    assert!(matches!(&kept.problems()[..], [Problem::Missing { .. }]));
    fs::write(&b, &second).expect("writes");
    assert_eq!(kept.problems(), []);
    // One lane's segment in the place of another's.
    let other = fs::read(&kept.segments(0)[0].path).expect("reads");
    fs::write(&a, other).expect("writes");
    assert!(matches!(&kept.problems()[..], [Problem::Foreign(_)]));
    for segment in kept.segments(1) {
        fs::remove_file(&segment.path).expect("removes");
    }
    let problems = kept.problems();
    assert!(matches!(&problems[..], [Problem::Cut { lane: 1, found: 0, .. }]), "{problems:?}");
}

#[test]
fn a_cut_end_is_named() {
    let kept = kept();
    let last = kept.segments(1).len() - 1;
    kept.change(1, last, |lines| drop(lines.pop()));
    let problems = kept.problems();
    assert!(
        matches!(&problems[..], [Problem::Cut { lane: 1, outside: false, .. }]),
        "{problems:?}"
    );
    // Cut with all its checkpoints: seen from outside only.
    let path = kept.folder().join(checkpoint::FILE);
    let text = fs::read_to_string(&path).expect("reads");
    let some: String = text.split_inclusive('\n').take(1).collect();
    fs::write(&path, some).expect("writes");
    assert!(kept.verify(&[]).is_intact());
    let problems = kept.verify(&kept.copies).problems;
    assert!(
        problems.iter().any(|p| matches!(p, Problem::Cut { lane: 1, outside: true, .. })),
        "{problems:?}"
    );
}

#[test]
fn a_chain_computed_anew_is_caught_by_the_checkpoints() {
    for removed in [false, true] {
        let kept = kept();
        kept.change(1, 0, |lines| {
            lines[2] = lines[2].replace("event", "evemt");
            if removed {
                lines.remove(3);
            }
        });
        kept.chain_anew(1);
        let problems = kept.problems();
        assert!(
            matches!(problems[0], Problem::Rewritten { lane: 1, from: 1, outside: false, .. }),
            "{problems:?}"
        );
    }
}

#[test]
fn a_forged_end_is_a_tail_that_nobody_vouches_for() {
    let kept = kept();
    let segment = kept.segments(1).pop().expect("segments");
    let mut bytes = fs::read(&segment.path).expect("reads");
    let before = kept.verify(&[]).lanes[1];
    let head = {
        let lines = Kept::lines(&segment);
        chain::split(lines.last().expect("lines").trim_end().as_bytes()).expect("a record").1
    };
    let from = bytes.len();
    let node = kept.key.node();
    let place = Place { node: &node, lane: 1, seq: before.records + 1, time: Timestamp(5) };
    Record::Event(&Event::Stopped { reason: "forged" }).write(
        &place,
        &crate::kernel::audit::Detail::default(),
        &mut bytes,
    );
    chain::close(&mut bytes, from, &head);
    fs::write(&segment.path, bytes).expect("writes");
    let report = kept.verify(&kept.copies);
    assert_eq!((report.is_intact(), report.lanes[1].tail()), (true, 1));
}

#[test]
fn forged_checkpoints_are_named() {
    let kept = kept();
    let path = kept.folder().join(checkpoint::FILE);
    let text = fs::read_to_string(&path).expect("reads");
    let write = |text: String| fs::write(&path, text).expect("writes");
    write(text.replacen("\"count\":", "\"count\":1", 1));
    assert!(matches!(kept.problems()[..], [Problem::BadSignature { line: 1, .. }, ..]));
    write(text.split_inclusive('\n').skip(1).collect());
    assert!(matches!(kept.problems()[..], [Problem::CheckpointOrder { line: 1, number: 2 }, ..]));
    write(text.replacen('{', "", 1));
    assert!(matches!(kept.problems()[..], [Problem::NotACheckpoint { line: 1 }, ..]));
    // Signed again with another key: neither the folder's nor the copies' signatures hold.
    let thief = Identity::generate().expect("a key").public_key();
    write(text);
    let question = Question { dir: &kept.folder(), key: thief, heads: &kept.copies };
    let report = verify(&question).expect("reads");
    assert!(matches!(report.problems[0], Problem::BadSignature { .. }));
    let mut copies = kept.copies.clone();
    copies[0] = Checkpoint::parse(&copies[0].line().replacen("\"count\":", "\"count\":1", 1))
        .expect("reads");
    assert!(matches!(kept.verify(&copies).problems[..], [Problem::BadCopy { number: 1 }]));
}

#[test]
fn a_torn_end_is_no_problem_and_a_torn_middle_is() {
    let kept = kept();
    let segments = kept.segments(1);
    let last = segments.last().expect("segments");
    let mut bytes = fs::read(&last.path).expect("reads");
    bytes.extend_from_slice(b"{\"node\":\"");
    fs::write(&last.path, &bytes).expect("writes");
    let report = kept.verify(&[]);
    assert!(report.is_intact() && report.lanes[1].torn);
    let mut middle = fs::read(&segments[0].path).expect("reads");
    middle.extend_from_slice(b"{\"node\":\"");
    fs::write(&segments[0].path, &middle).expect("writes");
    assert!(matches!(kept.problems()[..], [Problem::NotARecord(_)]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Any one byte, any one line, anywhere: it is found.
    #[test]
    fn nothing_can_be_changed_unseen(
        file in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..=255,
        action in 0..4,
    ) {
        let kept = kept();
        let mut segments = kept.segments(0);
        segments.extend(kept.segments(1));
        let segment = &segments[file.index(segments.len())];
        let mut lines: Vec<Vec<u8>> =
            Kept::lines(segment).into_iter().map(String::into_bytes).collect();
        let line = at.index(lines.len());
        match action {
            0 => {
                let byte = at.index(lines[line].len());
                lines[line][byte] ^= flip;
            }
            1 => drop(lines.remove(line)),
            2 => lines.insert(line, lines[at.index(line + 1)].clone()),
            _ => {
                let other = (line + 1) % lines.len();
                prop_assume!(line != other);
                lines.swap(line, other);
            }
        }
        fs::write(&segment.path, lines.concat()).expect("writes");
        let report = kept.verify(&kept.copies);
        prop_assert!(!report.is_intact(), "{}", report.node);
    }
}
