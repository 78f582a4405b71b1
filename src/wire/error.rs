//! What can be wrong with bytes from a peer.

use crate::kernel::refusal::{Refusal, RefusalKind};

/// A peer's bytes break the protocol, or a limit of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WireError {
    /// A message type that doesn't exist, or not in this direction.
    #[error("invalid message type 0x{tag:02x}")]
    UnknownTag {
        /// Its first byte.
        tag: u8,
    },
    /// A length that can't be: negative, too short to hold itself, or not the one its type has.
    #[error("invalid length {length} of message 0x{tag:02x}")]
    BadLength {
        /// The message's type; 0 for those of the start-up.
        tag: u8,
        /// The length as sent, read as a signed number.
        length: i32,
    },
    /// Longer than allowed for its type.
    #[error("message of {length} bytes (type 0x{tag:02x}) is longer than the {limit} allowed")]
    TooLarge {
        /// The message's type; 0 for those of the start-up.
        tag: u8,
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A field runs past the end of its message.
    #[error("message 0x{tag:02x} ends inside a field")]
    Truncated {
        /// The message's type; 0 for those of the start-up.
        tag: u8,
    },
    /// Bytes are left after the last field.
    #[error("message 0x{tag:02x} has bytes after its last field")]
    TrailingBytes {
        /// The message's type; 0 for those of the start-up.
        tag: u8,
    },
    /// A field has a value that can't be.
    #[error("invalid {what}")]
    BadValue {
        /// Which field, in words.
        what: &'static str,
    },
    /// A message that exists but has no place at this point.
    #[error("{what} is not expected now")]
    NotLegalNow {
        /// Which message, in words.
        what: &'static str,
    },
}

impl WireError {
    /// What the client is told: that it broke the protocol and how, or passed a limit and which.
    /// Whichever it is, what follows can't be read as messages any more: the session ends.
    pub fn refusal(&self) -> Refusal {
        let kind = match self {
            Self::TooLarge { .. } => RefusalKind::LimitExceeded,
            Self::UnknownTag { .. }
            | Self::BadLength { .. }
            | Self::Truncated { .. }
            | Self::TrailingBytes { .. }
            | Self::BadValue { .. }
            | Self::NotLegalNow { .. } => RefusalKind::ProtocolViolation,
        };
        Refusal::new(kind, self.to_string())
    }
}
