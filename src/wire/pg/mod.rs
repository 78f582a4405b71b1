//! The Postgres protocol, versions 3.0 and 3.2.
//!
//! Spec: <https://www.postgresql.org/docs/current/protocol-message-formats.html>

pub mod array;
pub mod backend;
pub mod body;
pub mod exchange;
pub mod frame;
pub mod frontend;
pub mod md5;
pub mod options;
pub mod row;
pub mod scram;
pub mod startup;
pub mod types;

pub use frame::{FrontendLimits, Header};

/// Whether a value travels as text or in its type's binary form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Code 0.
    Text,
    /// Code 1.
    Binary,
}

impl Format {
    /// Reads a format code.
    pub fn from_code(code: i16) -> Option<Self> {
        match code {
            0 => Some(Self::Text),
            1 => Some(Self::Binary),
            _ => None,
        }
    }
}
