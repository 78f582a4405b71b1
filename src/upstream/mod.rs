//! Floor 3: the real servers. Connecting and logging in to them, the gateway's own questions to them,
//! and the credentials for it.
//!
//! Nothing here sends a client's statement.

pub mod catalog;
pub mod control;
pub mod credential;
pub mod door;
pub mod mysql;
pub mod pg;
pub mod samples;
pub mod survey;

mod conversation;
mod error;
mod sight;

use std::path::PathBuf;

pub use control::Control;
pub use credential::{Credential, CredentialError};
pub use error::{ServerError, UpstreamError, UpstreamErrorKind};
pub use pg::{ConnectOptions, Connected, connect};

use error::server_error;

/// Where an upstream listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Address {
    /// Over TCP.
    Tcp {
        /// A name or an IP address, without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// At a socket in the file system.
    Unix(PathBuf),
}

/// A text that is no address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected host:port, [IPv6 address]:port, or the path of a unix socket")]
pub struct NotAnAddress;

impl std::str::FromStr for Address {
    type Err = NotAnAddress;

    /// Anything with a `/` in it is a path.
    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        if text.contains('/') {
            return Ok(Self::Unix(PathBuf::from(text)));
        }
        let (host, port) = text.rsplit_once(':').ok_or(NotAnAddress)?;
        let host = match host.strip_prefix('[') {
            Some(inner) => {
                let inner = inner.strip_suffix(']').ok_or(NotAnAddress)?;
                inner.parse::<std::net::Ipv6Addr>().map_err(|_| NotAnAddress)?;
                inner
            }
            None if host.contains([':', ']']) => return Err(NotAnAddress),
            None => host,
        };
        let port = port.parse().map_err(|_| NotAnAddress)?;
        if host.is_empty() || port == 0 {
            return Err(NotAnAddress);
        }
        Ok(Self::Tcp { host: host.to_owned(), port })
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_and_print() {
        for text in
            ["db.internal:5432", "[::1]:5432", "10.0.0.1:1", "/run/postgresql/.s.PGSQL.5432"]
        {
            assert_eq!(text.parse::<Address>().expect("reads").to_string(), text);
        }
        for text in [
            "",
            "db",
            "db:",
            ":5432",
            "::1:5432",
            "db:0",
            "db:99999",
            "[::1:5432",
            "[[]:2",
            "[db]:2",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
