//! An attacker who speaks messages, and does it at random.
//!
//! Each round composes a sequence of messages for a principal with certain rights: Query, Parse, Bind,
//! Describe, Execute with limits, Close, Flush, Sync, copy data, calls by number, bodies that can't be
//! read; SQL's PREPARE, DECLARE, FETCH and their like on the same names; transactions, savepoints,
//! settings, errors. It is sent in pieces, with and without waiting. Then is asked:
//!
//! - whether the answer is, message by message, what a bare server answers to the same sequence with a
//!   failing text in the place of each refused one (rounds of what is answered alike);
//! - whether anything reached the server, by the server's own log, that has no record or needs more
//!   than the principal holds; whether every record has one outcome, and says how many rows went out;
//! - whether the session was writable for anybody below dml, by a function that lies about itself and
//!   leaves a trace that no rollback takes away;
//! - whether rows came that the rights don't cover, or more than the cap allows;
//! - whether the session is still in step: what is asked at the end is answered.
//!
//! The seeds are printed. `HALLPASS_ATTACK_SECONDS` is how long each test goes on (8);
//! `HALLPASS_ATTACK_SEED` plays one round; `HALLPASS_ATTACK_KEEP=1` goes on behind a failure.

#[path = "../support/mod.rs"]
mod support;

mod alike;
mod moves;
mod random;
mod rounds;
mod texts;
mod watch;

use rounds::{Kind, Stage};

#[test]
fn what_is_allowed_or_refused_is_answered_as_a_bare_server_answers() {
    Stage::start().play(Kind::Alike, 1_000);
}

#[test]
fn nothing_passes_that_is_not_permitted_and_all_of_it_is_on_record() {
    Stage::start().play(Kind::Anything, 2_000);
}
