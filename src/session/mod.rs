//! Floor 4: one client's life, from the first byte to the last.

pub mod login;
pub mod pg;
