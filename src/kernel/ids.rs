//! Newtypes for everything that has a name or a number, so that two of them can't be swapped.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// What stands before the digits.
            pub const PREFIX: &'static str = $prefix;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotANumber;
            /// Accepts the bare number and the number with its prefix, in either case.
            fn from_str(text: &str) -> Result<Self, NotANumber> {
                let digits = text
                    .strip_prefix($prefix)
                    .or_else(|| text.strip_prefix(&$prefix.to_ascii_lowercase()))
                    .unwrap_or(text);
                digits.parse().map(Self).map_err(|_| NotANumber { what: $prefix })
            }
        }
    };
}

/// A text that should have been a number like `17` or `R-17`.
#[derive(Debug, thiserror::Error)]
#[error("expected a number, with or without the prefix {what}")]
pub struct NotANumber {
    what: &'static str,
}

number!(/** One client connection. Unique for a node's life and across restarts. */ SessionId, "S-");
number!(/** One statement of a session, counted from 1 on each node. */ StatementId, "");
number!(/** A grant, `G-42`. */ GrantId, "G-");
number!(/** An access request, `R-17`. */ RequestId, "R-");

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is; who accepts names from outside checks them first.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(/** A person or service that logs in to the gateway. */ Principal);
name!(/** A configured database, as people name it when they connect. */ TargetName);
name!(/** A named set of standing permissions and duties. */ RoleName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_with_and_without_their_prefix() {
        for text in ["42", "G-42", "g-42"] {
            assert_eq!(text.parse::<GrantId>().expect("reads"), GrantId(42));
        }
        assert!("R-42".parse::<GrantId>().is_err());
        assert_eq!(GrantId(42).to_string(), "G-42");
    }
}
