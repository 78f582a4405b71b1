use std::{path::Path, time::Duration};

use super::*;
use crate::{
    kernel::{
        access::{PermissionSet, Rights},
        audit::{Ended, IntentKind, Parameter, TransactionEnd},
        ids::SessionId,
        policy::{Decision, decide, decide::Caps},
        sql::{analysis::StatementClass, constants::Guard, mode::LexMode},
    },
    trail::{
        Identity, Options, Passage, Trail,
        segment::{self, Lines},
    },
};

fn permit() -> Permit {
    let caps = Caps { rows: 1000, bytes: 1 << 20, catalog_bytes: 1 << 20 };
    match decide([], &Rights::default(), caps, Timestamp(0)) {
        Decision::Permit(permit) => permit,
        Decision::Denial(denial) => panic!("nothing needed and yet denied: {denial:?}"),
    }
}

fn intent(text: &str) -> Intent<'_> {
    Intent {
        time: Timestamp(1_700_000_000_000_000),
        session: SessionId(7),
        principal: "alice",
        target: "shop",
        kind: IntentKind::Query,
        text,
        inexact: None,
        normalized: None,
        fingerprint: "f00d",
        class: Some(StatementClass::Select),
        relations: &[],
        routines: &[],
        masked: None,
        guard: Guard::Nothing,
        mode: LexMode::POSTGRES,
        parameters: &[Parameter::Null, Parameter::Text("it's")],
    }
}

fn outcome(statement: StatementId) -> Outcome<'static> {
    Outcome {
        transaction: None,
        time: Timestamp(1_700_000_000_000_500),
        session: SessionId(7),
        statement,
        ended: Ended::Completed,
        rows: 3,
        affected: None,
        bytes: 120,
        sqlstate: None,
        policy: Duration::from_micros(9),
        upstream: Duration::from_micros(400),
    }
}

fn options(dir: &Path) -> Options {
    let identity = Identity::load_or_create(dir).expect("a key");
    Options::new(dir.join("trail"), identity, Arc::new(|| Timestamp(1_700_000_000_000_000)))
}

/// All records of a lane, checked to be one chain.
fn records(dir: &Path, lane: u16) -> Vec<serde_json::Value> {
    let mut all = Vec::new();
    let mut head = Digest::ZERO;
    for segment in &segment::list(&dir.join("trail")).expect("a folder")[&lane] {
        let mut lines = Lines::open(&segment.path).expect("opens");
        while let Some((line, whole)) = lines.next_line().expect("reads") {
            assert!(whole, "a torn line");
            head = chain::verify(head, [line]).expect("follows");
            let value: serde_json::Value = serde_json::from_slice(line).expect("is JSON");
            assert_eq!(value["seq"], all.len() + 1);
            all.push(value);
        }
    }
    all
}

fn texts(records: &[serde_json::Value]) -> Vec<&str> {
    records.iter().filter_map(|r| r["text"].as_str()).collect()
}

#[test]
fn an_intent_is_in_the_file_before_its_clearance_exists() {
    let dir = tempfile::tempdir().expect("a folder");
    let trail = Trail::open(options(dir.path())).expect("opens");
    let mut lane = trail.lane(1).expect("a lane").write_each();
    let clearance = lane.admit(permit(), &intent("SELECT 1")).expect("is admitted");
    let seen = records(dir.path(), 1);
    assert_eq!(texts(&seen), ["SELECT 1"]);
    assert_eq!(seen[1]["statement"], clearance.statement().0);
    assert_eq!(seen[1]["parameters"], serde_json::json!([null, "it's"]));
    assert!(clearance.is_durable());

    lane.outcome(&outcome(clearance.statement()));
    lane.settled(&Settled {
        time: Timestamp(1_700_000_000_000_600),
        session: SessionId(7),
        transaction: TransactionEnd::Committed,
        statements: &[clearance.statement()],
    });
    assert!(lane.needs_flush());
    assert_eq!(records(dir.path(), 1).len(), 2, "outcomes wait");
    let clearance =
        lane.admit_all(permit(), &[intent("SELECT 2"), intent("SELECT 3")]).expect("is admitted");
    assert!(!lane.needs_flush());
    let seen = records(dir.path(), 1);
    assert_eq!(texts(&seen), ["SELECT 1", "SELECT 2", "SELECT 3"]);
    let ids: Vec<_> = clearance.statements().map(|id| serde_json::json!(id.0)).collect();
    assert_eq!(ids, [seen[4]["statement"].clone(), seen[5]["statement"].clone()]);
}

#[test]
fn a_trail_goes_on_where_it_ended() {
    let dir = tempfile::tempdir().expect("a folder");
    for round in 0..3 {
        let trail = Trail::open(options(dir.path())).expect("opens");
        let mut lane = trail.lane(2).expect("a lane").write_each();
        let clearance = lane.admit(permit(), &intent("SELECT 1")).expect("is admitted");
        lane.outcome(&outcome(clearance.statement()));
        assert_eq!(clearance.statement(), statement_id(2, 2 + 2 * round));
    }
    assert_eq!(records(dir.path(), 2).len(), 7);
}

#[test]
fn two_gateways_or_two_threads_never_share() {
    let dir = tempfile::tempdir().expect("a folder");
    let trail = Trail::open(options(dir.path())).expect("opens");
    assert!(matches!(Trail::open(options(dir.path())), Err(TrailError::Locked { .. })));
    let lane = trail.lane(0).expect("a lane").write_each();
    assert!(matches!(trail.lane(0), Err(TrailError::LaneTaken { lane: 0 })));
    drop((lane, trail));
    Trail::open(options(dir.path())).expect("is free again");
}

#[test]
fn a_line_torn_at_any_byte_is_closed_by_a_record() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = {
        let trail = Trail::open(options(dir.path())).expect("opens");
        let mut lane = trail.lane(1).expect("a lane").write_each();
        let _ = lane.admit(permit(), &intent("SELECT 1")).expect("is admitted");
        trail.checkpoint();
        let _ = lane.admit(permit(), &intent("SELECT 2 /* é */")).expect("is admitted");
        Segment::new(&trail.shared.dir, 1, 1).path
    };
    let checkpoints = dir.path().join("trail").join(crate::trail::checkpoint::FILE);
    // Only the first checkpoint was made before the crash.
    let signed = fs::read_to_string(&checkpoints).expect("reads");
    let signed = format!("{}\n", signed.lines().next().expect("a checkpoint"));
    let whole = fs::read(&path).expect("reads");
    let last = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').expect("lines") + 1;
    for cut in last..whole.len() {
        fs::write(&path, &whole[..cut]).expect("writes");
        fs::write(&checkpoints, &signed).expect("writes");
        drop(Trail::open(options(dir.path())).expect("opens"));
        let seen = records(dir.path(), 1);
        if cut == last {
            assert_eq!(seen.len(), 2);
        } else {
            assert_eq!(seen[2]["record"], "recovered");
            assert_eq!(seen[2]["torn_bytes"], cut - last);
        }
    }
}

#[test]
fn the_gateway_does_not_start_on_a_damaged_trail() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = {
        let trail = Trail::open(options(dir.path())).expect("opens");
        let mut lane = trail.lane(1).expect("a lane").write_each();
        for text in ["SELECT 1", "SELECT 2"] {
            let _ = lane.admit(permit(), &intent(text)).expect("is admitted");
        }
        Segment::new(&trail.shared.dir, 1, 1).path
    };
    let whole = fs::read_to_string(&path).expect("reads");
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    for damaged in [
        whole.replace("SELECT 1", "SELECT 9"),
        format!("{}{}", lines[0], lines[2]),
        format!("{}{}", lines[0], lines[1]),
        lines[0].to_owned(),
        lines[1..].concat(),
        whole.replacen("\"lane\":1", "\"lane\":2", 1),
    ] {
        fs::write(&path, damaged).expect("writes");
        assert!(matches!(Trail::open(options(dir.path())), Err(TrailError::Damaged { .. })));
    }
    fs::remove_file(&path).expect("removes");
    assert!(matches!(Trail::open(options(dir.path())), Err(TrailError::Damaged { .. })));
    fs::write(&path, whole).expect("writes");
    Trail::open(options(dir.path())).expect("opens again");
}

#[test]
fn a_chain_that_was_computed_anew_below_its_signature_does_not_start() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = {
        let trail = Trail::open(options(dir.path())).expect("opens");
        let mut lane = trail.lane(1).expect("a lane").write_each();
        for text in ["SELECT 1", "SELECT 2"] {
            let _ = lane.admit(permit(), &intent(text)).expect("is admitted");
        }
        drop(lane);
        Segment::new(&trail.shared.dir, 1, 1).path
    };
    let whole = fs::read_to_string(&path).expect("reads");
    let mut digest = Digest::ZERO;
    let mut anew = Vec::new();
    for line in whole.lines() {
        let (body, _) = chain::split(line.as_bytes()).expect("a record");
        let from = anew.len();
        anew.extend_from_slice(
            &String::from_utf8_lossy(body).replace("SELECT 1", "SELECT 9").into_bytes(),
        );
        digest = chain::close(&mut anew, from, &digest);
    }
    fs::write(&path, anew).expect("writes");
    let opened = Trail::open(options(dir.path()));
    let Err(TrailError::Damaged { what, .. }) = opened else { panic!("it starts") };
    assert!(what.contains("record 3") && what.contains("signed"), "{what}");
}

#[test]
fn nothing_is_written_beside_a_damaged_lane() {
    let dir = tempfile::tempdir().expect("a folder");
    let paths = {
        let trail = Trail::open(options(dir.path())).expect("opens");
        let paths = [1, 2].map(|lane| Segment::new(&trail.shared.dir, lane, 1).path);
        for lane in [1, 2] {
            let mut lane = trail.lane(lane).expect("a lane").write_each();
            let _ = lane.admit(permit(), &intent("SELECT 1")).expect("is admitted");
        }
        paths
    };
    let torn = [fs::read(&paths[0]).expect("reads"), b"{\"node\":".to_vec()].concat();
    fs::write(&paths[0], &torn).expect("writes");
    let altered = fs::read_to_string(&paths[1]).expect("reads").replace("SELECT 1", "SELECT 9");
    fs::write(&paths[1], altered).expect("writes");
    assert!(matches!(Trail::open(options(dir.path())), Err(TrailError::Damaged { .. })));
    assert_eq!(fs::read(&paths[0]).expect("reads"), torn);
}

#[test]
fn segments_are_chained_across_files() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut small = options(dir.path());
    small.segment_bytes = 1500;
    let trail = Trail::open(small).expect("opens");
    let mut lane = trail.lane(1).expect("a lane").write_each();
    for n in 0..20 {
        let text = format!("SELECT {n}");
        let clearance = lane.admit(permit(), &intent(&text)).expect("is admitted");
        lane.outcome(&outcome(clearance.statement()));
    }
    drop(lane);
    let seen = records(dir.path(), 1);
    let headers = seen.iter().filter(|r| r["record"] == "segment").count();
    assert!(headers > 5, "{headers} segments");
    assert_eq!(texts(&seen).len(), 20);
}

#[test]
fn a_full_disk_refuses_and_recovers_by_itself() {
    let dir = tempfile::tempdir().expect("a folder");
    let trail = Trail::open(options(dir.path())).expect("opens");
    let mut lane = trail.lane(1).expect("a lane").write_each();
    // Whatever the disk still takes, the file holds whole records only, and none of a statement
    // that was refused.
    for room in (0..3000).step_by(19) {
        let clearance = lane.admit(permit(), &intent("SELECT 'before'")).expect("is admitted");
        lane.outcome(&outcome(clearance.statement()));
        lane.outcome(&outcome(clearance.statement()));
        lane.room.set(Some(room));
        let both = [intent("SELECT 'refused'"), intent("SELECT 'refused too'")];
        if let Ok(clearance) = lane.admit_all(permit(), &both) {
            assert!(room > 1200);
            let _ = clearance;
            break;
        }
        assert!(!lane.is_healthy());
        let stored = records(dir.path(), 1);
        assert!(!texts(&stored).iter().any(|text| text.contains("refused")), "{room} bytes");
        lane.room.set(None);
        let clearance = lane.admit(permit(), &intent("SELECT 'after'")).expect("is admitted");
        assert!(lane.is_healthy());
        lane.outcome(&outcome(clearance.statement()));
        lane.flush().expect("is written");
    }
    lane.room.set(None);
    lane.flush().expect("is written");
    let seen = records(dir.path(), 1);
    let count = |what: &str| texts(&seen).iter().filter(|text| text.contains(what)).count();
    let outcomes = seen.iter().filter(|r| r["record"] == "outcome").count();
    assert_eq!((count("refused"), outcomes), (2, count("before") * 2 + count("after")));
}

#[test]
fn intents_of_several_sessions_share_a_write_and_their_bars_open_with_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let trail = Trail::open(options(dir.path())).expect("opens");
    let mut lane = trail.lane(1).expect("a lane");
    let progress = lane.progress();
    let admit = |lane: &mut Lane, text| {
        let clearance = lane.admit(permit(), &intent(text)).expect("is admitted");
        clearance.bar().expect("it waits")
    };
    let bars = [admit(&mut lane, "SELECT 1"), admit(&mut lane, "SELECT 2")];
    assert_eq!(texts(&records(dir.path(), 1)).len(), 0, "nothing is written before all are there");
    assert!(bars.iter().all(|bar| progress.passage(*bar) == Passage::Waits));
    lane.flush().expect("is written");
    assert_eq!(texts(&records(dir.path(), 1)), ["SELECT 1", "SELECT 2"]);
    assert!(bars.iter().all(|bar| progress.passage(*bar) == Passage::Open));
    // What must be on record before it goes on takes along what waits.
    let bar = admit(&mut lane, "SELECT 3");
    lane.note(Timestamp(0), &Event::Stopped { reason: "test" }).expect("is written");
    assert_eq!(progress.passage(bar), Passage::Open);
}

#[test]
fn a_bar_whose_write_failed_never_opens_and_the_next_intents_wait_for_nobody() {
    let dir = tempfile::tempdir().expect("a folder");
    let trail = Trail::open(options(dir.path())).expect("opens");
    let mut lane = trail.lane(1).expect("a lane");
    let progress = lane.progress();
    for room in (0..1500).step_by(37) {
        let clearance = lane.admit(permit(), &intent("SELECT 'lost'")).expect("is admitted");
        let bar = clearance.bar().expect("it waits");
        lane.room.set(Some(room));
        if lane.flush().is_ok() {
            assert_eq!(progress.passage(bar), Passage::Open);
            break;
        }
        assert_eq!(progress.passage(bar), Passage::Closed);
        assert!(lane.admit(permit(), &intent("SELECT 'refused'")).is_err(), "{room} bytes");
        lane.room.set(None);
        let after = lane.admit(permit(), &intent("SELECT 'after'")).expect("is admitted");
        assert_eq!(after.bar(), None, "it was written at once");
        assert_eq!(progress.passage(bar), Passage::Closed, "its session was told so");
    }
    lane.room.set(None);
    lane.flush().expect("is written");
    let seen = records(dir.path(), 1);
    assert!(texts(&seen).contains(&"SELECT 'after'"));
    assert!(!texts(&seen).contains(&"SELECT 'refused'"));
}

#[test]
fn what_finds_no_room_is_counted() {
    let dir = tempfile::tempdir().expect("a folder");
    let trail = Trail::open(options(dir.path())).expect("opens");
    let mut lane = trail.lane(1).expect("a lane").write_each();
    lane.room.set(Some(0));
    let mut kept = 0;
    for n in 0..40_000 {
        kept += usize::from(lane.lost == 0);
        lane.outcome(&outcome(StatementId(n)));
    }
    assert!(lane.flush().is_err());
    assert!(lane.pending.len() < PENDING_BYTES_MAX + 1000);
    let lost = lane.lost;
    lane.room.set(None);
    lane.flush().expect("is written");
    lane.flush().expect("is written");
    let seen = records(dir.path(), 1);
    let last = seen.last().expect("records");
    assert_eq!((last["record"].as_str(), last["outcomes"].as_u64()), (Some("lost"), Some(lost)));
    assert!(lost > 0 && kept as u64 + lost >= 40_000);
}

#[test]
fn denials_name_what_is_missing() {
    let dir = tempfile::tempdir().expect("a folder");
    let trail = Trail::open(options(dir.path())).expect("opens");
    let mut lane = trail.lane(1).expect("a lane").write_each();
    let denial = Denial { missing: Vec::new(), held: PermissionSet::NONE };
    lane.deny(&intent("DELETE FROM t"), &denial).expect("is written");
    let refusal =
        Refusal::new(crate::kernel::refusal::RefusalKind::SyntaxError, "syntax error at \"x\"");
    lane.refuse(&intent("ALTER ROLE a PASSWORD 'hunter2'"), &refusal).expect("is written");
    let seen = records(dir.path(), 1);
    assert_eq!(
        (&seen[1]["decision"], &seen[2]["refusal"]),
        (&"denial".into(), &"syntax_error".into())
    );
    assert_eq!(seen[2]["text"], "ALTER ROLE a PASSWORD '***'");
}

#[tokio::test]
async fn a_synced_lane_gives_clearances_that_wait_for_the_disk() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut synced = options(dir.path());
    synced.durability = Durability::Synced;
    let trail = Trail::open(synced).expect("opens");
    let mut lane = trail.lane(1).expect("a lane").write_each();
    let mut clearance = lane.admit(permit(), &intent("SELECT 1")).expect("is admitted");
    assert!(!clearance.is_durable());
    clearance.synced().await.expect("is confirmed");
    assert!(clearance.is_durable());
}

#[test]
fn checkpoints_are_signed_chained_and_handed_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let (copies, received) = mpsc::channel();
    let mut opened = options(dir.path());
    let key = opened.identity.public_key();
    opened.sink = Box::new(move |checkpoint| copies.send(checkpoint.clone()).expect("is taken"));
    let trail = Trail::open(opened).expect("opens");
    let mut lane = trail.lane(1).expect("a lane").write_each();
    let _ = lane.admit(permit(), &intent("SELECT 1")).expect("is admitted");
    trail.checkpoint();
    trail.checkpoint();
    let _ = lane.admit(permit(), &intent("SELECT 2")).expect("is admitted");
    drop(lane);
    drop(trail);
    let copies: Vec<crate::trail::Checkpoint> = received.iter().collect();
    assert_eq!(copies.len(), 2, "nothing changed between the two");
    assert!(copies.iter().all(|copy| copy.is_signed_by(&key)));
    assert_eq!(copies[1].previous(), copies[0].digest());
    assert_eq!((copies[0].lanes()[0].count, copies[1].lanes()[0].count), (2, 3));
    let other = Identity::generate().expect("a key").public_key();
    assert!(!copies[0].is_signed_by(&other));
    let forged = copies[0].line().replacen("\"count\":2", "\"count\":3", 1);
    let forged = crate::trail::Checkpoint::parse(&forged).expect("reads");
    assert!(!forged.is_signed_by(&key));
}

#[test]
fn the_disk_is_looked_at_again_when_the_clock_was_set_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let trail = Trail::open(options(dir.path())).expect("opens");
    let mut lane = trail.lane(1).expect("a lane");
    let now = intent("").time;
    lane.looked = Some((now, false));
    assert!(!lane.look_at_disk(now.plus(LOOK_EVERY / 2)), "the answer holds for a while");
    assert!(lane.look_at_disk(Timestamp(now.0 - 3_600_000_000)));
}

#[test]
fn a_file_that_nobody_finds_any_more_takes_no_record() {
    let dir = tempfile::tempdir().expect("a folder");
    let trail = Trail::open(options(dir.path())).expect("opens");
    let mut lane = trail.lane(1).expect("a lane");
    let at = |n: u32| Intent { time: intent("").time.plus(LOOK_EVERY * n), ..intent("SELECT 1") };
    let _ = lane.admit(permit(), &at(0)).expect("is admitted");
    fs::remove_dir_all(dir.path().join("trail")).expect("removes it");
    assert!(lane.admit(permit(), &at(2)).is_err());
    fs::create_dir(dir.path().join("trail")).expect("makes it");
    let _ = lane.admit(permit(), &at(4)).expect("is admitted");
    lane.flush().expect("is written");
    let path = Segment::new(&trail.shared.dir, 1, 3).path;
    assert!(fs::read_to_string(path).expect("is there").contains("SELECT 1"));
}
