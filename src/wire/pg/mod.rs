//! The Postgres protocol, versions 3.0 and 3.2.
//!
//! Spec: <https://www.postgresql.org/docs/current/protocol-message-formats.html>

pub mod array;
pub mod backend;
pub mod body;
pub mod cell;
pub mod copy_rows;
mod escape;
pub mod exchange;
pub mod frame;
pub mod frontend;
pub mod md5;
pub mod options;
pub mod row;
pub mod scram;
pub mod startup;
pub mod types;

pub use crate::kernel::mask::Format;
pub use frame::{FrontendLimits, Header};

/// Reads a format code: 0 is text, 1 binary.
pub fn format_of_code(code: i16) -> Option<Format> {
    match code {
        0 => Some(Format::Text),
        1 => Some(Format::Binary),
        _ => None,
    }
}
