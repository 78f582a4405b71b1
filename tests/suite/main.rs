//! The running gateway against a real Postgres, through real clients and through raw messages.

#[path = "../support/mod.rs"]
mod support;

mod harness;
mod transparency;
