//! What a server says first.
//!
//! Spec:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html>;
//! MariaDB's upper capabilities stand in the last four of the ten reserved bytes.

use super::{
    Capabilities,
    field::{Fields, put_terminated},
    packet,
};
use crate::wire::WireError;

/// Bytes of a nonce.
pub const NONCE_LENGTH: usize = 20;

/// What a proof is made over. None of its bytes is NUL.
pub type Nonce = [u8; NONCE_LENGTH];

/// The greeting of protocol 10.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Greeting {
    /// The server's version; MariaDB's begins with `5.5.5-` where the server is told to say so.
    pub version: Vec<u8>,
    /// The number of the connection, for KILL.
    pub connection: u32,
    /// What a proof is made over.
    pub nonce: Nonce,
    /// What it offers.
    pub capabilities: Capabilities,
    /// The number of the server's collation.
    pub collation: u8,
    /// The server's status flags.
    pub status: u16,
    /// The method that it takes by default.
    pub method: Vec<u8>,
}

/// What may be said instead, before anybody has been asked who it is: an ERR packet.
pub const ERROR: u8 = 0xff;

const VERSION_10: u8 = 10;

impl Greeting {
    /// Reads the payload of the first packet.
    ///
    /// # Errors
    /// Another protocol than 10, one before 4.1, and whatever isn't a greeting.
    pub fn read(payload: &[u8]) -> Result<Self, WireError> {
        let mut fields = Fields::new(0, payload);
        if fields.byte()? != VERSION_10 {
            return Err(WireError::BadValue { what: "protocol version" });
        }
        let version = fields.terminated()?.to_vec();
        let connection = fields.u32()?;
        let first: [u8; 8] = fields.chunk()?;
        fields.byte()?;
        let low = fields.u16()?;
        let collation = fields.byte()?;
        let status = fields.u16()?;
        let high = fields.u16()?;
        let length = usize::from(fields.byte()?);
        fields.bytes(6)?;
        let upper = fields.u32()?;
        let common = u32::from(low) | u32::from(high) << 16;
        let capabilities = Capabilities::from_bits(common, upper);
        // MySQL keeps all ten bytes for later.
        let capabilities = if capabilities.has(Capabilities::MYSQL) {
            Capabilities::from_bits(common, 0)
        } else {
            capabilities
        };
        if !capabilities.has(super::capability::NEEDED) {
            return Err(WireError::BadValue { what: "capabilities" });
        }
        // Spec: at least thirteen bytes, the last of them NUL.
        let rest = fields.bytes(length.saturating_sub(8).max(13))?;
        let method = match fields.terminated() {
            Ok(method) => method,
            // Spec: servers before 5.5.10 and 5.6.2 left out the NUL.
            Err(_) => fields.rest(),
        };
        let second = rest.get(..NONCE_LENGTH - first.len());
        let nonce = [&first[..], second.unwrap_or_default()].concat();
        let nonce = nonce.try_into().map_err(|_| WireError::BadValue { what: "nonce" })?;
        Ok(Self {
            version,
            connection,
            nonce,
            capabilities,
            collation,
            status,
            method: method.to_vec(),
        })
    }

    /// Appends it, as the first packet of a connection.
    pub fn write(&self, out: &mut Vec<u8>) {
        let common = self.capabilities.common();
        let (first, second) = self.nonce.split_at(8);
        packet::put(out, 0, |out| {
            out.push(VERSION_10);
            put_terminated(out, &self.version);
            out.extend(self.connection.to_le_bytes());
            out.extend_from_slice(first);
            out.push(0);
            out.extend((common as u16).to_le_bytes());
            out.push(self.collation);
            out.extend(self.status.to_le_bytes());
            out.extend(((common >> 16) as u16).to_le_bytes());
            out.push(NONCE_LENGTH as u8 + 1);
            out.extend([0; 6]);
            out.extend(self.capabilities.of_mariadb().to_le_bytes());
            out.extend_from_slice(second);
            out.push(0);
            put_terminated(out, &self.method);
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::mysql::packet::payload;

    fn greeting(capabilities: Capabilities) -> Greeting {
        Greeting {
            version: b"9.7.4".to_vec(),
            connection: 12,
            nonce: *b"abcdefghijklmnopqrst",
            capabilities,
            collation: 255,
            status: 2,
            method: b"caching_sha2_password".to_vec(),
        }
    }

    #[test]
    fn a_greeting_comes_back_as_it_was_said() {
        let mysql = super::super::capability::NEEDED | Capabilities::MYSQL;
        let maria = super::super::capability::NEEDED | Capabilities::BULK;
        for capabilities in [mysql, maria] {
            let mut out = Vec::new();
            greeting(capabilities).write(&mut out);
            assert_eq!(Greeting::read(&payload(&out)), Ok(greeting(capabilities)));
        }
    }

    #[test]
    fn what_mysql_keeps_for_later_is_no_capability_of_mariadb() {
        let both =
            super::super::capability::NEEDED | Capabilities::MYSQL | Capabilities::CACHE_METADATA;
        let mut out = Vec::new();
        greeting(both).write(&mut out);
        let read = Greeting::read(&payload(&out)).expect("a greeting");
        assert_eq!(read.capabilities, both.without(Capabilities::CACHE_METADATA));
    }

    #[test]
    fn an_old_or_torn_greeting_is_refused() {
        let mut out = Vec::new();
        greeting(super::super::capability::NEEDED).write(&mut out);
        let whole = payload(&out).into_owned();
        for cut in 0..whole.len() - b"caching_sha2_password\0".len() {
            assert!(Greeting::read(&whole[..cut]).is_err(), "{cut}");
        }
        let mut old = whole;
        old[0] = 9;
        assert!(Greeting::read(&old).is_err());
        let mut out = Vec::new();
        greeting(Capabilities::MYSQL | Capabilities::PROTOCOL_41).write(&mut out);
        assert!(Greeting::read(&payload(&out)).is_err(), "before 4.1");
    }

    proptest! {
        #[test]
        fn no_greeting_panics(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            drop(Greeting::read(&bytes));
        }
    }
}
