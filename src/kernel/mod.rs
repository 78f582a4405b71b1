//! Floor 0: pure values and functions. What is judged, and how, lives here and nowhere else.
//!
//! Nothing on this floor knows a socket, a clock, a file or a wire protocol. It uses `std` (without
//! `net`, `fs`, `env`, `process`, `thread` and the clocks), `serde`, `thiserror`, `sqlparser`,
//! `pg_query` and the hash functions of `ring`. Time is always an argument.

pub mod access;
pub mod audit;
pub mod catalog;
pub mod ids;
pub mod mask;
pub mod policy;
pub mod refusal;
pub mod secret;
pub mod sql;
pub mod time;
