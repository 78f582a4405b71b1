//! The trail's files: torn, altered, made up.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use hallpass::{
    kernel::{audit::Event, time::Timestamp},
    trail::{
        Identity, Options, Trail, index,
        verify::{Question, verify},
    },
};

use crate::harness::Target;

/// A trail of one lane, all of it signed; its folder, and the bytes of the lane and the checkpoints.
struct Kept {
    folder: tempfile::TempDir,
    lane: (PathBuf, Vec<u8>),
    signed: (PathBuf, Vec<u8>),
}

fn kept_trail() -> Kept {
    let folder = tempfile::tempdir().expect("a folder");
    let trail = Trail::open(options(folder.path())).expect("opens");
    let mut lane = trail.lane(0).expect("a lane");
    for n in 0..6 {
        let what = format!("event {n}");
        lane.note(Timestamp(n), &Event::Alert { session: None, what: &what }).expect("is noted");
        lane.flush().expect("is written");
        if n == 2 {
            trail.checkpoint();
        }
    }
    drop((lane, trail));
    let mut lane = None;
    let mut signed = None;
    for file in fs::read_dir(folder.path().join("trail")).expect("a folder").flatten() {
        let read = || (file.path(), fs::read(file.path()).expect("reads"));
        match file.file_name().to_string_lossy() {
            name if name.contains("checkpoint") => signed = Some(read()),
            name if name.ends_with(".jsonl") => lane = Some(read()),
            _ => {}
        }
    }
    Kept { folder, lane: lane.expect("a lane"), signed: signed.expect("checkpoints") }
}

fn options(folder: &Path) -> Options {
    let identity = Identity::load_or_create(folder).expect("a key");
    Options::new(folder.join("trail"), identity, Arc::new(|| Timestamp(1_700_000_000_000_000)))
}

const OF_RECORDS: [&str; 10] = [
    "\n",
    "\"seq\":",
    "\"lane\":0",
    "\"record\":\"event\"",
    "\"previous\":\"",
    "\"digest\":\"",
    "{",
    "}",
    "\\u0000",
    "[[[[[[[[",
];

/// What is signed is there, byte by byte, or the report says what is wrong. And a gateway that starts on
/// such files says no or goes on, and the audit table takes what it can read.
#[test]
fn torn_and_altered_trails() {
    let kept = kept_trail();
    let (path, whole) = &kept.lane;
    let torn = |n: usize| whole[..whole.len() - n].to_vec();
    let seeds =
        [whole.clone(), torn(1), torn(20), [&whole[..], b"{\"node\""].concat(), whole.repeat(2)];
    let key = Identity::load_or_create(kept.folder.path()).expect("a key").public_key();
    let trail = kept.folder.path().join("trail");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runs");
    let count = std::cell::Cell::new(0_u64);
    let target = Target::new("torn_and_altered_trails", seeds).longest(8192).words(OF_RECORDS);
    target.run(|bytes| {
        fs::write(path, bytes).expect("writes");
        let report = verify(&Question { dir: &trail, key, heads: &[] }).expect("reads");
        assert!(!report.is_intact() || bytes.starts_with(whole), "{report:?}");
        drop(format!("{report:?}"));
        count.set(count.get() + 1);
        if count.get().is_multiple_of(8) {
            runtime.block_on(indexed(&trail));
            if let Ok(trail) = Trail::open(options(kept.folder.path())) {
                drop(trail.lane(0));
            }
            for file in fs::read_dir(&trail).expect("a folder").flatten() {
                fs::remove_file(file.path()).expect("removes");
            }
            fs::write(&kept.signed.0, &kept.signed.1).expect("writes");
        }
    });
}

async fn indexed(trail: &Path) {
    let file = trail.with_file_name("audit.db");
    for end in ["", "-wal", "-shm"] {
        drop(fs::remove_file(trail.with_file_name(format!("audit.db{end}"))));
    }
    let place = index::Place::Sqlite(file);
    let table = index::Index::open(index::Options::new(trail, place)).await.expect("a new table");
    drop(table.catch_up().await);
    table.close().await;
}

/// Checkpoints that verify count are those that were signed, in their order.
#[test]
fn altered_checkpoints() {
    let kept = kept_trail();
    let (path, whole) = &kept.signed;
    let line = whole.split_inclusive(|b| *b == b'\n').next().expect("a line").to_vec();
    let seeds = [whole.clone(), line, whole.repeat(2)];
    let key = Identity::load_or_create(kept.folder.path()).expect("a key").public_key();
    let trail = kept.folder.path().join("trail");
    let target = Target::new("altered_checkpoints", seeds).longest(8192).words(OF_RECORDS);
    target.run(|bytes| {
        fs::write(path, bytes).expect("writes");
        let report = verify(&Question { dir: &trail, key, heads: &[] }).expect("reads");
        let lines = bytes.iter().rposition(|b| *b == b'\n').map_or(&b""[..], |end| &bytes[..=end]);
        assert!(!report.is_intact() || whole.starts_with(lines), "{report:?}");
    });
}
