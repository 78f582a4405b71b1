//! Bytes from outside against everything that reads them: one target for each parser. Nothing panics,
//! nothing takes long, and what is read is written back the same. How a run goes, and how to let it go
//! on for hours: `tests/support/fuzz.rs`.
//!
//! SQL has targets of its own in `tests/fuzz_sql.rs`, and texts made to cost much are in
//! `tests/hostile_texts.rs`.

#[path = "support/fuzz.rs"]
mod harness;
#[path = "fuzz/targets/messages.rs"]
mod messages;
#[path = "fuzz/targets/servers.rs"]
mod servers;
#[path = "fuzz/targets/texts.rs"]
mod texts;
#[path = "fuzz/targets/trails.rs"]
mod trails;

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}
