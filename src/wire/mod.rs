//! Floor 1: bytes to messages and back. No sockets, no clocks, no policy: pure functions over
//! buffers that somebody else filled.
//!
//! What every part here keeps to: input is hostile, so lengths are checked before anything is read,
//! nothing is indexed without asking, and a message is read exactly – nothing left over, nothing
//! made up. What was read strictly is forwarded as the bytes that came in, never re-encoded.
#![cfg_attr(
    not(test),
    warn(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::expect_used,
        clippy::unreachable,
        clippy::wildcard_enum_match_arm
    )
)]

pub mod error;
pub mod mysql;
pub mod pg;

pub use error::WireError;
