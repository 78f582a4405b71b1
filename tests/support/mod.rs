//! What the tests of the running gateway stand on: a private Postgres, a gateway in front of it, a
//! client that speaks messages, and `psql`.
//!
//! A test binary takes it in with `#[path = "../support/mod.rs"] mod support;`.
// Every test binary uses its own part of this, and `pub` says what is meant for use from outside.
#![allow(dead_code, unreachable_pub, unused_imports)]

pub mod gateway;
pub mod mysql;
pub mod mysql_raw;
pub mod ports;
pub mod postgres;
pub mod psql;
pub mod raw;
pub mod scram;
pub mod tls;

pub use gateway::Gateway;
pub use mysql::MySql;
pub use mysql_raw::MySqlRaw;
pub use postgres::Postgres;
pub use psql::{Psql, PsqlSession};
pub use raw::{Message, RawClient};

use std::time::{Duration, Instant};

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again until the answer is yes, for at most `limit`; true if it came.
pub fn eventually(limit: Duration, mut question: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    loop {
        if question() {
            return true;
        }
        if started.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
