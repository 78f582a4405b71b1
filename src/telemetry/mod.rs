//! What operators watch: every metric of the gateway, counted and shown. Floor 2.
//!
//! Labels are closed lists: no user, table, rule or SQL is ever one. Nothing here is part of a
//! decision.

pub mod metrics;
pub mod panics;
pub mod seldom;
