//! Addresses and sizes as people write them in settings.

use std::{fmt, net::IpAddr, path::PathBuf};

/// Where to listen or connect to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Address {
    /// `host:port`, `[::1]:port`.
    Tcp {
        /// A name or an IP address, without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// A unix socket's path: the socket itself, not its folder.
    Unix(PathBuf),
}

impl Address {
    /// Reads `db.internal:5432`, `[::1]:5432` or a path (anything with a `/`).
    pub fn parse(text: &str) -> Option<Self> {
        if text.contains('/') {
            return Some(Self::Unix(PathBuf::from(text)));
        }
        let (host, port) = text.rsplit_once(':')?;
        let port: u16 = port.parse().ok()?;
        let host = match host.strip_prefix('[') {
            Some(rest) => {
                let inner = rest.strip_suffix(']')?;
                inner.parse::<std::net::Ipv6Addr>().ok()?;
                inner
            }
            None => host,
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let is_name = !host.is_empty() && host.len() <= 253 && host.chars().all(plain);
        (is_name || host.parse::<IpAddr>().is_ok())
            .then(|| Self::Tcp { host: host.to_owned(), port })
    }

    /// True if nothing leaves the machine: a unix socket, a loopback address, `localhost`.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp { host, .. } => {
                host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// The URL of a Postgres database. May carry a password, so it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Takes a text that begins as such a URL does.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.starts_with("postgres://") || text.starts_with("postgresql://");
        fits.then(|| Self(text.to_owned()))
    }

    /// The URL, for the driver.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(…)")
    }
}

/// Reads `512`, `64KiB`, `10MiB`, `2GiB`. Zero is refused.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, unit) = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)]
        .into_iter()
        .find_map(|(name, unit)| text.strip_suffix(name).map(|digits| (digits.trim_end(), unit)))
        .unwrap_or((text, 1));
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(unit).filter(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_and_print() {
        for text in ["0.0.0.0:6432", "[::1]:6432", "db.internal:5432", "/run/pg/.s.PGSQL.5432"] {
            assert_eq!(Address::parse(text).expect(text).to_string(), text);
        }
        for bad in ["", "5432", "host:", "host:99999", ":5432", "ho st:1", "[::1:5432", "a;b:1"] {
            assert_eq!(Address::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn local_means_that_nothing_leaves_the_machine() {
        for local in ["127.0.0.2:1", "[::1]:1", "localhost:1", "/run/x"] {
            assert!(Address::parse(local).expect(local).is_local(), "{local}");
        }
        for remote in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "localhost.evil.org:1"] {
            assert!(!Address::parse(remote).expect(remote).is_local(), "{remote}");
        }
    }

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(parse_bytes("10MiB"), Some(10 << 20));
        assert_eq!(parse_bytes("512"), Some(512));
        for bad in ["", "0", "MiB", "10MB", "-1", "1.5GiB", "99999999999TiB"] {
            assert_eq!(parse_bytes(bad), None, "{bad}");
        }
    }
}
