//! What a client answers to the greeting, and how its proof goes on.
//!
//! Spec:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_response.html>
//! and `parse_client_handshake_packet` in the server's `sql/auth/sql_authentication.cc`.

use super::{
    Capabilities, capability,
    field::{Fields, put_number, put_string, put_terminated},
    packet,
};
use crate::wire::WireError;

/// The longest answer to a greeting, in bytes: names, a proof, and attributes of 64 KiB.
pub const LENGTH_MAX: usize = 72 << 10;

/// The longest proof behind it.
pub const PROOF_MAX: usize = 8 << 10;

/// The first byte of a request for another method.
pub const SWITCH: u8 = 0xfe;

/// The first byte of what a method says on its way.
pub const MORE: u8 = 0x01;

/// The packet in which a client asks for TLS: the beginning of its answer, and nothing else.
const TLS_REQUEST_LENGTH: usize = 32;

/// What a client answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It wants TLS first. What it says of itself here was not protected and doesn't count.
    Tls,
    /// Who it is.
    LogIn(Box<LogIn>),
}

/// Who a client says it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogIn {
    /// What it takes of what was offered, and whatever else it sets.
    pub capabilities: Capabilities,
    /// The longest packet that it takes, in bytes.
    pub packet_max: u32,
    /// The number of its collation, as far as it fits.
    pub collation: u8,
    /// Its name, as bytes of that collation's character set.
    pub user: Vec<u8>,
    /// A proof by its method.
    pub proof: Vec<u8>,
    /// The schema it wants.
    pub schema: Option<Vec<u8>>,
    /// The method of the proof.
    pub method: Vec<u8>,
    /// What its program is and where it runs, by name, as it was sent.
    pub attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Answer {
    /// Reads the payload of the packet behind the greeting.
    ///
    /// # Errors
    /// Protocols before 4.1, and whatever isn't an answer.
    pub fn read(payload: &[u8]) -> Result<Self, WireError> {
        let mut fields = Fields::new(0, payload);
        let common = fields.u32()?;
        let packet_max = fields.u32()?;
        let collation = fields.byte()?;
        fields.bytes(19)?;
        let upper = fields.u32()?;
        let is_mysql = Capabilities::from_bits(common, 0).has(Capabilities::MYSQL);
        // A client of MySQL has nothing to say there.
        let capabilities = Capabilities::from_bits(common, if is_mysql { 0 } else { upper });
        if payload.len() == TLS_REQUEST_LENGTH && capabilities.has(Capabilities::SSL) {
            return Ok(Self::Tls);
        }
        if !capabilities.has(capability::NEEDED) {
            return Err(WireError::BadValue { what: "capabilities" });
        }
        let user = fields.terminated()?.to_vec();
        let proof = if capabilities.has(Capabilities::PLUGIN_AUTH_LENENC_CLIENT_DATA) {
            fields.string()?
        } else {
            let length = fields.byte()?;
            fields.bytes(usize::from(length))?
        };
        let schema = if capabilities.has(Capabilities::CONNECT_WITH_DB) {
            Some(fields.terminated()?.to_vec()).filter(|schema| !schema.is_empty())
        } else {
            None
        };
        let method = fields.terminated()?.to_vec();
        let mut attributes = Vec::new();
        if capabilities.has(Capabilities::CONNECT_ATTRS) && !fields.is_empty() {
            read_attributes(&mut fields, &mut attributes)?;
        }
        // Spec: the level that zstd compresses with, which is ours to choose; otherwise nothing.
        if !capabilities.has(Capabilities::ZSTD) {
            fields.end()?;
        }
        Ok(Self::LogIn(Box::new(LogIn {
            capabilities,
            packet_max,
            collation,
            user,
            proof: proof.to_vec(),
            schema,
            method,
            attributes,
        })))
    }
}

impl LogIn {
    /// Reads what stands behind the command byte of COM_CHANGE_USER: somebody else's log-in, in a connection
    /// whose client took `capabilities`.
    ///
    /// Spec: `parse_com_change_user_packet` in the server's `sql/auth/sql_authentication.cc`. What a client
    /// has nothing to say of may be left out from the end on.
    ///
    /// # Errors
    /// Whatever isn't one; a collation whose number no log-in at the upstream could carry.
    pub fn read_change(payload: &[u8], capabilities: Capabilities) -> Result<Self, WireError> {
        let mut fields = Fields::new(super::command::CHANGE_USER, payload);
        let user = fields.terminated()?.to_vec();
        let length = fields.byte()?;
        let proof = fields.bytes(usize::from(length))?.to_vec();
        let schema = fields.terminated()?.to_vec();
        let mut log_in = Self {
            capabilities,
            packet_max: 0,
            collation: 0,
            user,
            proof,
            schema: Some(schema).filter(|schema| !schema.is_empty()),
            method: Vec::new(),
            attributes: Vec::new(),
        };
        if !fields.is_empty() {
            log_in.collation = u8::try_from(fields.u16()?)
                .map_err(|_| WireError::BadValue { what: "number of a collation" })?;
        }
        if capabilities.has(Capabilities::PLUGIN_AUTH) && !fields.is_empty() {
            log_in.method = fields.terminated()?.to_vec();
        }
        if capabilities.has(Capabilities::CONNECT_ATTRS) && !fields.is_empty() {
            read_attributes(&mut fields, &mut log_in.attributes)?;
        }
        fields.end()?;
        Ok(log_in)
    }

    /// Appends it, as the answer to a greeting. Its capabilities say which fields are there. Gives the
    /// sequence number of the next packet.
    pub fn write(&self, out: &mut Vec<u8>, sequence: u8) -> u8 {
        packet::put(out, sequence, |out| {
            head(out, (self.capabilities, self.packet_max, self.collation));
            put_terminated(out, &self.user);
            if self.capabilities.has(Capabilities::PLUGIN_AUTH_LENENC_CLIENT_DATA) {
                put_string(out, &self.proof);
            } else {
                let proof = self.proof.get(..0xff).unwrap_or(&self.proof);
                out.push(proof.len() as u8);
                out.extend_from_slice(proof);
            }
            if self.capabilities.has(Capabilities::CONNECT_WITH_DB) {
                put_terminated(out, self.schema.as_deref().unwrap_or_default());
            }
            put_terminated(out, &self.method);
            if self.capabilities.has(Capabilities::CONNECT_ATTRS) {
                let mut list = Vec::new();
                for (name, value) in &self.attributes {
                    put_string(&mut list, name);
                    put_string(&mut list, value);
                }
                put_number(out, list.len() as u64);
                out.extend(list);
            }
        })
    }

    /// Appends the request for TLS that stands before it. Gives the sequence number of the next packet.
    pub fn write_tls_request(&self, out: &mut Vec<u8>, sequence: u8) -> u8 {
        packet::put(out, sequence, |out| {
            head(out, (self.capabilities, self.packet_max, self.collation));
        })
    }

    /// An attribute of the client's, if it is text.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(n, _)| n == name.as_bytes());
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }
}

/// What a client says of its program, by name.
fn read_attributes(
    fields: &mut Fields<'_>,
    attributes: &mut Vec<(Vec<u8>, Vec<u8>)>,
) -> Result<(), WireError> {
    let mut list = Fields::new(0, fields.string()?);
    while !list.is_empty() {
        attributes.push((list.string()?.to_vec(), list.string()?.to_vec()));
    }
    Ok(())
}

fn head(out: &mut Vec<u8>, (capabilities, packet_max, collation): (Capabilities, u32, u8)) {
    out.extend(capabilities.common().to_le_bytes());
    out.extend(packet_max.to_le_bytes());
    out.push(collation);
    out.extend([0; 19]);
    out.extend(capabilities.of_mariadb().to_le_bytes());
}

/// What a server says while a client is proving who it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Challenge<'a> {
    /// Prove it by another method, over this.
    Switch {
        /// The method.
        method: &'a [u8],
        /// What it begins with, without the NUL behind it.
        data: &'a [u8],
    },
    /// What the method says on its way.
    More(&'a [u8]),
    /// It is over: an OK packet.
    Accepted,
    /// It is over: an ERR packet.
    Refused,
}

impl<'a> Challenge<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    /// Whatever else it is; and the request for the oldest method, which has no name.
    pub fn read(payload: &'a [u8]) -> Result<Self, WireError> {
        let mut fields = Fields::new(0, payload);
        match fields.byte()? {
            0x00 => Ok(Self::Accepted),
            0xff => Ok(Self::Refused),
            MORE => Ok(Self::More(fields.rest())),
            SWITCH => {
                let method = fields.terminated()?;
                let data = fields.rest();
                let data = data.strip_suffix(&[0]).unwrap_or(data);
                Ok(Self::Switch { method, data })
            }
            _ => Err(WireError::BadValue { what: "answer to a log-in" }),
        }
    }

    /// Appends it, if it is one of the two that ask for more. Gives the sequence number of the next packet.
    pub fn write(&self, out: &mut Vec<u8>, sequence: u8) -> u8 {
        match self {
            Self::Switch { method, data } => packet::put(out, sequence, |out| {
                out.push(SWITCH);
                put_terminated(out, method);
                out.extend_from_slice(data);
                out.push(0);
            }),
            Self::More(data) => packet::put(out, sequence, |out| {
                out.push(MORE);
                out.extend_from_slice(data);
            }),
            Self::Accepted | Self::Refused => sequence,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::mysql::packet::payload;

    fn log_in(capabilities: Capabilities) -> LogIn {
        let has = |flag| capabilities.has(flag);
        LogIn {
            capabilities,
            packet_max: 1 << 24,
            collation: 45,
            user: b"alice@shop".to_vec(),
            proof: vec![7; 32],
            schema: has(Capabilities::CONNECT_WITH_DB).then(|| b"shop".to_vec()),
            method: b"caching_sha2_password".to_vec(),
            attributes: if has(Capabilities::CONNECT_ATTRS) {
                vec![
                    (b"_client_name".to_vec(), b"libmysql".to_vec()),
                    (b"program_name".to_vec(), vec![b'x'; 300]),
                ]
            } else {
                Vec::new()
            },
        }
    }

    fn written(log_in: &LogIn) -> Vec<u8> {
        let mut out = Vec::new();
        assert_eq!(log_in.write(&mut out, 1), 2);
        payload(&out).into_owned()
    }

    #[test]
    fn a_log_in_comes_back_as_it_was_sent() {
        use Capabilities as C;
        let needed = capability::NEEDED;
        for more in [
            C::NONE,
            C::MYSQL,
            C::CONNECT_WITH_DB,
            C::CONNECT_ATTRS | C::PLUGIN_AUTH_LENENC_CLIENT_DATA,
            C::CONNECT_WITH_DB | C::CONNECT_ATTRS | C::PLUGIN_AUTH_LENENC_CLIENT_DATA | C::BULK,
        ] {
            let log_in = log_in(needed | more);
            let read = Answer::read(&written(&log_in));
            assert_eq!(read, Ok(Answer::LogIn(Box::new(log_in))), "{more:?}");
        }
    }

    #[test]
    fn a_request_for_tls_says_nothing_else() {
        let log_in = log_in(capability::NEEDED | Capabilities::SSL | Capabilities::MYSQL);
        let mut out = Vec::new();
        log_in.write_tls_request(&mut out, 1);
        assert_eq!(Answer::read(&payload(&out)), Ok(Answer::Tls));
        // The flag alone asks for nothing: what it sends is its log-in, in clear.
        assert!(matches!(Answer::read(&written(&log_in)), Ok(Answer::LogIn(_))));
    }

    #[test]
    fn a_torn_or_longer_log_in_is_refused() {
        let whole = written(&log_in(
            capability::NEEDED
                | Capabilities::MYSQL
                | Capabilities::CONNECT_ATTRS
                | Capabilities::CONNECT_WITH_DB,
        ));
        let attributes = whole.len() - (1 + 12 + 1 + 8 + 1 + 12 + 1 + 3 + 300 + 2);
        for cut in 0..whole.len() {
            // Spec: the attributes may be left out though the flag is set.
            assert_eq!(Answer::read(&whole[..cut]).is_ok(), cut == attributes, "{cut}");
        }
        let mut longer = whole;
        longer.push(0);
        assert!(Answer::read(&longer).is_err());
    }

    #[test]
    fn a_client_of_mysql_has_no_capabilities_of_mariadb() {
        let both = log_in(capability::NEEDED | Capabilities::MYSQL | Capabilities::BULK);
        let Ok(Answer::LogIn(read)) = Answer::read(&written(&both)) else { panic!("a log-in") };
        assert!(!read.capabilities.has(Capabilities::BULK));
    }

    #[test]
    fn a_change_of_user_is_read_as_far_as_it_says_something() {
        let with = capability::NEEDED | Capabilities::CONNECT_ATTRS;
        let parts: [&[u8]; 4] = [
            b"bob@shop\0\x03abcbilling\0",
            b"\x2d\0",
            b"caching_sha2_password\0",
            b"\x06\x01a\x03xyz",
        ];
        let mut whole = Vec::new();
        let mut ends = Vec::new();
        for part in parts {
            whole.extend_from_slice(part);
            ends.push(whole.len());
        }
        let read = LogIn::read_change(&whole, with).expect("whole");
        assert_eq!((&read.user[..], &read.proof[..]), (&b"bob@shop"[..], &b"abc"[..]));
        assert_eq!((read.schema.as_deref(), read.collation), (Some(&b"billing"[..]), 45));
        assert_eq!(read.attribute("a"), Some("xyz"));
        for cut in 0..whole.len() {
            assert_eq!(
                LogIn::read_change(&whole[..cut], with).is_ok(),
                ends.contains(&cut),
                "{cut}"
            );
        }
        assert!(LogIn::read_change(&[&whole[..], b"x"].concat(), with).is_err());
        // A number that would be another one in the eight bits of a log-in.
        assert!(LogIn::read_change(b"bob\0\0\0\x08\x01", with).is_err());
    }

    #[test]
    fn a_challenge_comes_back_as_it_was_sent() {
        for challenge in [
            Challenge::Switch { method: b"mysql_native_password", data: b"abcdefghijklmnopqrst" },
            Challenge::More(&[3]),
            Challenge::More(&[]),
        ] {
            let mut out = Vec::new();
            assert_eq!(challenge.write(&mut out, 2), 3);
            assert_eq!(Challenge::read(&payload(&out)), Ok(challenge));
        }
        assert!(Challenge::read(&[]).is_err() && Challenge::read(&[0xfe]).is_err());
    }

    proptest! {
        #[test]
        fn no_answer_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(Answer::read(&bytes));
            drop(LogIn::read_change(&bytes, capability::NEEDED | Capabilities::CONNECT_ATTRS));
            let _ = Challenge::read(&bytes);
        }
    }
}
