//! What the two sides of a connection agree on before anything else.
//!
//! A client is greeted before anybody knows who it is and where it wants to go, so what is offered is one
//! set for all targets of a listener; and the upstream is asked for exactly what its client took, plus
//! session tracking, which the gateway needs for itself.
//!
//! Spec: <https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html>;
//! MariaDB has further ones above the 32nd bit: <https://mariadb.com/kb/en/connection/#capabilities>.

use std::ops::{BitAnd, BitOr};

/// A set of capability flags. The upper half is MariaDB's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Capabilities(u64);

impl Capabilities {
    /// None.
    pub const NONE: Self = Self(0);
    /// `CLIENT_LONG_PASSWORD`. MariaDB knows it as `CLIENT_MYSQL`: where both sides clear it, the upper
    /// half counts.
    pub const MYSQL: Self = Self(1);
    /// The count of an UPDATE is that of rows found, not of rows changed.
    pub const FOUND_ROWS: Self = Self(1 << 1);
    /// `CLIENT_LONG_FLAG`.
    pub const LONG_FLAG: Self = Self(1 << 2);
    /// The log-in may name a schema.
    pub const CONNECT_WITH_DB: Self = Self(1 << 3);
    /// `schema.table.column` is refused.
    pub const NO_SCHEMA: Self = Self(1 << 4);
    /// Packets are compressed with zlib.
    pub const COMPRESS: Self = Self(1 << 5);
    /// `CLIENT_ODBC`: nothing any more.
    pub const ODBC: Self = Self(1 << 6);
    /// LOAD DATA LOCAL.
    pub const LOCAL_FILES: Self = Self(1 << 7);
    /// Spaces may stand before the parenthesis of a function call.
    pub const IGNORE_SPACE: Self = Self(1 << 8);
    /// The protocol of 4.1, which is the only one here.
    pub const PROTOCOL_41: Self = Self(1 << 9);
    /// `interactive_timeout` counts.
    pub const INTERACTIVE: Self = Self(1 << 10);
    /// TLS.
    pub const SSL: Self = Self(1 << 11);
    /// `CLIENT_IGNORE_SIGPIPE`: the client's own business.
    pub const IGNORE_SIGPIPE: Self = Self(1 << 12);
    /// OK packets carry the server's status.
    pub const TRANSACTIONS: Self = Self(1 << 13);
    /// `CLIENT_RESERVED`: nothing any more.
    pub const RESERVED: Self = Self(1 << 14);
    /// Nonces of twenty bytes.
    pub const SECURE_CONNECTION: Self = Self(1 << 15);
    /// A command may hold several statements.
    pub const MULTI_STATEMENTS: Self = Self(1 << 16);
    /// A command may have several results.
    pub const MULTI_RESULTS: Self = Self(1 << 17);
    /// The same for prepared statements.
    pub const PS_MULTI_RESULTS: Self = Self(1 << 18);
    /// The log-in names its method.
    pub const PLUGIN_AUTH: Self = Self(1 << 19);
    /// The log-in may have attributes.
    pub const CONNECT_ATTRS: Self = Self(1 << 20);
    /// The proof has a length of variable width.
    pub const PLUGIN_AUTH_LENENC_CLIENT_DATA: Self = Self(1 << 21);
    /// The client can change a password that has expired.
    pub const CAN_HANDLE_EXPIRED_PASSWORDS: Self = Self(1 << 22);
    /// OK packets tell what has changed in the session.
    pub const SESSION_TRACK: Self = Self(1 << 23);
    /// Results end with an OK packet, and columns with nothing.
    pub const DEPRECATE_EOF: Self = Self(1 << 24);
    /// Results may leave out their columns.
    pub const OPTIONAL_RESULTSET_METADATA: Self = Self(1 << 25);
    /// Packets are compressed with zstd.
    pub const ZSTD: Self = Self(1 << 26);
    /// Parameters stand before a query's text.
    pub const QUERY_ATTRIBUTES: Self = Self(1 << 27);
    /// Several proofs.
    pub const MULTI_FACTOR: Self = Self(1 << 28);
    /// `CLIENT_SSL_VERIFY_SERVER_CERT`: the client's own business.
    pub const SSL_VERIFY_SERVER_CERT: Self = Self(1 << 30);
    /// `CLIENT_REMEMBER_OPTIONS`: the client's own business.
    pub const REMEMBER_OPTIONS: Self = Self(1 << 31);
    /// MariaDB: errors may be reports of progress.
    pub const PROGRESS: Self = Self(1 << 32);
    /// MariaDB: COM_STMT_BULK_EXECUTE.
    pub const BULK: Self = Self(1 << 34);
    /// MariaDB: columns tell of JSON, geometry and other types that are texts or bytes on the wire.
    pub const EXTENDED_METADATA: Self = Self(1 << 35);
    /// MariaDB: an execution may leave out the columns that its preparation told.
    pub const CACHE_METADATA: Self = Self(1 << 36);
    /// MariaDB: a bulk execution may answer with a result.
    pub const BULK_UNIT_RESULTS: Self = Self(1 << 37);

    /// From the 32 bits that both families know, and MariaDB's.
    pub fn from_bits(common: u32, of_mariadb: u32) -> Self {
        Self(u64::from(common) | u64::from(of_mariadb) << 32)
    }

    /// All of them.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// The 32 bits that both families know.
    pub fn common(self) -> u32 {
        self.0 as u32
    }

    /// MariaDB's.
    pub fn of_mariadb(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// True if all of these are in it.
    pub fn has(self, all: Self) -> bool {
        self.0 & all.0 == all.0
    }

    /// Without these.
    #[must_use]
    pub fn without(self, these: Self) -> Self {
        Self(self.0 & !these.0)
    }
}

impl BitOr for Capabilities {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Capabilities {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl std::fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Capabilities({:#x})", self.0)
    }
}

/// What passes between a client and its upstream, if both have it.
///
/// Fail closed: left out are optional metadata and cached metadata (a result without its columns can't be
/// masked), reports of progress (not read here), and several factors.
const PASSES: Capabilities = Capabilities(
    Capabilities::FOUND_ROWS.0
        | Capabilities::LONG_FLAG.0
        | Capabilities::NO_SCHEMA.0
        | Capabilities::ODBC.0
        | Capabilities::LOCAL_FILES.0
        | Capabilities::IGNORE_SPACE.0
        | Capabilities::INTERACTIVE.0
        | Capabilities::IGNORE_SIGPIPE.0
        | Capabilities::TRANSACTIONS.0
        | Capabilities::RESERVED.0
        | Capabilities::MULTI_STATEMENTS.0
        | Capabilities::MULTI_RESULTS.0
        | Capabilities::PS_MULTI_RESULTS.0
        | Capabilities::CAN_HANDLE_EXPIRED_PASSWORDS.0
        | Capabilities::SESSION_TRACK.0
        | Capabilities::DEPRECATE_EOF.0
        | Capabilities::QUERY_ATTRIBUTES.0
        | Capabilities::BULK.0
        | Capabilities::EXTENDED_METADATA.0,
);

/// What each log-in has, on both sides, whatever the other one is like.
const LOG_IN: Capabilities = Capabilities(
    Capabilities::PROTOCOL_41.0
        | Capabilities::SECURE_CONNECTION.0
        | Capabilities::PLUGIN_AUTH.0
        | Capabilities::PLUGIN_AUTH_LENENC_CLIENT_DATA.0
        | Capabilities::CONNECT_ATTRS.0
        | Capabilities::CONNECT_WITH_DB.0,
);

/// What a client must take: without it there is no protocol that is spoken here.
pub const NEEDED: Capabilities = Capabilities(
    Capabilities::PROTOCOL_41.0 | Capabilities::SECURE_CONNECTION.0 | Capabilities::PLUGIN_AUTH.0,
);

/// What a client is offered where the upstreams have these. `tls`: it can be had.
pub fn offered(upstream: Capabilities, tls: bool) -> Capabilities {
    // The gateway's own affair with its client: the upstream isn't asked for it.
    let own = LOG_IN | Capabilities::COMPRESS | (upstream & Capabilities::ZSTD);
    let own = if tls { own | Capabilities::SSL } else { own };
    // A server of MariaDB clears it, and so do its clients then.
    (upstream & (PASSES | Capabilities::MYSQL)) | own
}

/// What an upstream that offers `its` is asked for, behind a client that took `client`; the log-in adds
/// what it needs.
///
/// # Errors
/// What the client took and the upstream doesn't have: nothing is translated.
pub fn asked(client: Capabilities, its: Capabilities) -> Result<Capabilities, Capabilities> {
    let passes = client & PASSES;
    // The client's own business: the server does nothing with them.
    let idle = Capabilities::IGNORE_SIGPIPE | Capabilities::RESERVED | Capabilities::ODBC;
    let missing = passes.without(its).without(idle);
    if missing != Capabilities::NONE {
        return Err(missing);
    }
    let own = Capabilities::SESSION_TRACK | LOG_IN;
    let is_mysql = client & its & Capabilities::MYSQL;
    Ok((passes & its) | (own & its) | is_mysql)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_hide_a_result_from_us_is_not_offered() {
        let everything = Capabilities(u64::MAX);
        let offered = offered(everything, true);
        for never in [
            Capabilities::OPTIONAL_RESULTSET_METADATA,
            Capabilities::CACHE_METADATA,
            Capabilities::PROGRESS,
            Capabilities::MULTI_FACTOR,
        ] {
            assert!(!offered.has(never), "{never:?}");
            assert!(!asked(everything, everything).expect("all there").has(never), "{never:?}");
        }
        assert!(offered.has(NEEDED | Capabilities::SSL));
        for between_two in [Capabilities::COMPRESS, Capabilities::ZSTD] {
            assert!(offered.has(between_two), "{between_two:?}");
            let asked = asked(everything, everything).expect("all there");
            assert!(!asked.has(between_two), "{between_two:?}");
        }
        assert!(!super::offered(everything, false).has(Capabilities::SSL));
    }

    #[test]
    fn an_upstream_is_asked_for_what_its_client_took_and_for_session_tracking() {
        let its = Capabilities(u64::MAX);
        let client = NEEDED | Capabilities::FOUND_ROWS;
        let asked = asked(client, its).expect("all there");
        assert!(asked.has(Capabilities::FOUND_ROWS | Capabilities::SESSION_TRACK));
        assert!(
            !asked.has(Capabilities::DEPRECATE_EOF) && !asked.has(Capabilities::MULTI_STATEMENTS)
        );
    }

    #[test]
    fn what_an_upstream_lacks_is_not_made_up() {
        let client = NEEDED | Capabilities::DEPRECATE_EOF | Capabilities::IGNORE_SIGPIPE;
        assert_eq!(asked(client, LOG_IN), Err(Capabilities::DEPRECATE_EOF));
        assert_eq!(asked(NEEDED, LOG_IN), Ok(LOG_IN));
    }

    #[test]
    fn the_flag_of_mysql_is_set_where_both_sides_set_it() {
        let mysql = LOG_IN | Capabilities::MYSQL;
        assert!(asked(mysql, mysql).expect("there").has(Capabilities::MYSQL));
        assert!(!asked(mysql, LOG_IN).expect("there").has(Capabilities::MYSQL));
        assert!(!offered(LOG_IN, false).has(Capabilities::MYSQL));
    }
}
