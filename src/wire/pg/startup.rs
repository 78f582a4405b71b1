//! What comes before the first tagged message: SSL, GSS and cancel requests, TLS from the first byte,
//! and the start-up message with its version. One pure machine; somebody else reads, answers and does
//! the TLS handshake.
//!
//! ```text
//! raw ── SSLRequest, 'S' ──▶ TLS            raw ── first byte 0x16 ──▶ TLS
//! raw ── SSLRequest, 'N' ──▶ raw, asked     raw ── GSSENCRequest, 'N' ──▶ raw, asked
//! raw, TLS ── CancelRequest ──▶ end         raw, TLS ── StartupMessage ──▶ end
//! ```

use super::{
    body::Body,
    frame,
    frontend::{CANCEL_CODE, GSSENC_CODE, SSL_CODE},
};
use crate::{
    kernel::refusal::{Refusal, RefusalKind},
    wire::WireError,
};

/// The newest minor version of protocol 3 that we speak.
pub const NEWEST_MINOR: u16 = 2;

/// The first byte of a TLS handshake.
pub const TLS_HANDSHAKE: u8 = 0x16;

/// Whether a listener has TLS for its clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TlsOffer {
    /// It has none.
    None,
    /// It has, and clients may go without.
    Optional,
    /// It has, and a start-up without is refused.
    Required,
}

/// Where a connection's start-up stands.
#[derive(Clone, Debug)]
pub struct StartupMachine {
    offer: TlsOffer,
    transport: Transport,
    asked_tls: Asked,
    asked_gss: Asked,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Transport {
    Raw,
    Tls,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    NotYet,
    Done,
}

/// What to do after a look at the bytes read so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Read more: at least so many bytes in all are needed. More may be read, and must be shown.
    Read(usize),
    /// Forget what was read, answer with this byte, and read on.
    Answer(u8),
    /// Forget what was read, answer `S`, do a TLS handshake, and say [`StartupMachine::secured`].
    UpgradeTls,
    /// The bytes read so far are the beginning of a TLS handshake: do it with them, demand ALPN
    /// `postgresql`, and say [`StartupMachine::secured`].
    DirectTls,
    /// The client wants a statement of another session cancelled; nothing is answered.
    Cancel(CancelRequest),
    /// The client wants a session. The bytes after `used` belong to what follows.
    Start {
        /// What it said.
        startup: Startup,
        /// How many bytes it took.
        used: usize,
    },
}

/// What a CancelRequest names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CancelRequest {
    /// The process.
    pub process: i32,
    /// The key, 4 to 256 bytes.
    pub key: Vec<u8>,
}

/// What a StartupMessage says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Startup {
    /// The minor version that will be spoken: what was asked, or the newest we have.
    pub minor: u16,
    /// Set if the client must be told that it doesn't get all it asked for: the names of the protocol
    /// options that we don't know. Goes into a NegotiateProtocolVersion after the log-in began.
    pub negotiate: Option<Vec<Vec<u8>>>,
    /// Names and values in the order sent, each name once; protocol options and `replication` left
    /// out.
    pub parameters: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Startup {
    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&[u8]> {
        let found = self.parameters.iter().find(|(found, _)| found == name.as_bytes());
        found.map(|(_, value)| value.as_slice())
    }

    /// True if cancel keys may be longer than four bytes.
    pub fn has_long_cancel_keys(&self) -> bool {
        self.minor >= 2
    }
}

/// Why a connection ends here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StartupError {
    /// The bytes are no start-up packet.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Bytes came behind a request for encryption, before its answer. Somebody on the way could have
    /// put them there to be read as if they had come encrypted (CVE-2021-23214).
    #[error("received unencrypted data after SSL or GSSAPI encryption request")]
    Stuffed,
    /// A handshake from the first byte on, where there is no TLS.
    #[error("TLS is not available here")]
    NoTls,
    /// No TLS where it is required.
    #[error("this listener accepts connections over TLS only")]
    TlsRequired,
    /// A protocol that isn't version 3.
    #[error(
        "unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.{NEWEST_MINOR}"
    )]
    Version {
        /// Its major version.
        major: u16,
        /// Its minor version.
        minor: u16,
    },
    /// A start-up without a user.
    #[error("no PostgreSQL user name specified in startup packet")]
    NoUser,
    /// A replication connection: it would carry every row of every table, unjudged.
    #[error("replication connections are not offered")]
    Replication,
}

impl StartupError {
    /// What the client is told; only readable for it if it got as far as a start-up message.
    pub fn refusal(&self) -> Refusal {
        let kind = match self {
            Self::Wire(_) | Self::Stuffed | Self::NoTls => RefusalKind::ProtocolViolation,
            Self::TlsRequired => RefusalKind::TlsRequired,
            Self::Version { .. } | Self::Replication => RefusalKind::NotSupported,
            Self::NoUser => RefusalKind::PrincipalDisabled,
        };
        let refusal = Refusal::new(kind, self.to_string());
        match self {
            Self::TlsRequired => refusal.with_hint("connect with sslmode=require or stronger"),
            Self::Wire(_)
            | Self::Stuffed
            | Self::NoTls
            | Self::Version { .. }
            | Self::NoUser
            | Self::Replication => refusal,
        }
    }
}

impl StartupMachine {
    /// For a new connection.
    pub fn new(offer: TlsOffer) -> Self {
        Self {
            offer,
            transport: Transport::Raw,
            asked_tls: Asked::NotYet,
            asked_gss: Asked::NotYet,
        }
    }

    /// The TLS handshake is done; what is read from here on came encrypted.
    pub fn secured(&mut self) {
        self.transport = Transport::Tls;
        self.asked_tls = Asked::Done;
        self.asked_gss = Asked::Done;
    }

    /// Looks at all bytes read and not yet forgotten.
    ///
    /// # Errors
    /// The connection must end; tell the client [`StartupError::refusal`] first.
    pub fn step(&mut self, read: &[u8]) -> Result<Step, StartupError> {
        let untouched = self.asked_tls == Asked::NotYet && self.asked_gss == Asked::NotYet;
        if untouched && read.first() == Some(&TLS_HANDSHAKE) {
            return match self.offer {
                TlsOffer::None => Err(StartupError::NoTls),
                TlsOffer::Optional | TlsOffer::Required => Ok(Step::DirectTls),
            };
        }
        let Some(length) = frame::startup(read)? else { return Ok(Step::Read(4)) };
        let Some(packet) = read.get(..length) else { return Ok(Step::Read(length)) };
        let mut body = Body::new(0, packet);
        body.i32()?;
        let stuffed = read.len() > length;
        match body.i32()? {
            SSL_CODE if self.asked_tls == Asked::NotYet => {
                body.end()?;
                self.asked_tls = Asked::Done;
                match self.offer {
                    _ if stuffed => Err(StartupError::Stuffed),
                    TlsOffer::None => Ok(Step::Answer(b'N')),
                    TlsOffer::Optional | TlsOffer::Required => Ok(Step::UpgradeTls),
                }
            }
            GSSENC_CODE if self.asked_gss == Asked::NotYet => {
                body.end()?;
                self.asked_gss = Asked::Done;
                if stuffed { Err(StartupError::Stuffed) } else { Ok(Step::Answer(b'N')) }
            }
            CANCEL_CODE => {
                let (process, key) = (body.i32()?, body.rest());
                if !(4..=256).contains(&key.len()) {
                    return Err(WireError::BadValue { what: "length of a cancel key" }.into());
                }
                Ok(Step::Cancel(CancelRequest { process, key: key.to_vec() }))
            }
            version => {
                let startup = read_startup(version, body)?;
                if self.offer == TlsOffer::Required && self.transport == Transport::Raw {
                    return Err(StartupError::TlsRequired);
                }
                Ok(Step::Start { startup, used: length })
            }
        }
    }
}

/// The most parameters of a start-up message. A thousand would fit its length.
const PARAMETERS_MAX: usize = 256;

fn read_startup(version: i32, mut body: Body<'_>) -> Result<Startup, StartupError> {
    let (major, asked_minor) = ((version >> 16) as u16, (version & 0xffff) as u16);
    if major != 3 {
        return Err(StartupError::Version { major, minor: asked_minor });
    }
    let mut parameters: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut unknown_options = Vec::new();
    loop {
        let name = body.string()?;
        if name.is_empty() {
            break;
        }
        let value = body.string()?;
        if name.starts_with(b"_pq_.") {
            unknown_options.push(name.to_vec());
            continue;
        }
        // Fail closed: of two values, the server takes one and we might take the other.
        if parameters.iter().any(|(found, _)| found == name) {
            return Err(WireError::BadValue { what: "repeated startup parameter" }.into());
        }
        if parameters.len() >= PARAMETERS_MAX {
            return Err(WireError::BadValue { what: "number of startup parameters" }.into());
        }
        parameters.push((name.to_vec(), value.to_vec()));
    }
    body.end()?;
    if let Some(at) = parameters.iter().position(|(name, _)| name == b"replication") {
        let (_, value) = parameters.remove(at);
        // Fail closed: only what the server surely reads as "no" is one.
        if !matches!(&value[..], b"false" | b"off" | b"no" | b"0") {
            return Err(StartupError::Replication);
        }
    }
    if !parameters.iter().any(|(name, value)| name == b"user" && !value.is_empty()) {
        return Err(StartupError::NoUser);
    }
    let less = asked_minor > NEWEST_MINOR || !unknown_options.is_empty();
    Ok(Startup {
        minor: asked_minor.min(NEWEST_MINOR),
        negotiate: less.then_some(unknown_options),
        parameters,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::pg::frontend;

    fn packet(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    fn gss_request() -> Vec<u8> {
        [8_i32.to_be_bytes(), GSSENC_CODE.to_be_bytes()].concat()
    }

    fn start(minor: u16, parameters: &[(&[u8], &[u8])]) -> Vec<u8> {
        packet(|out| frontend::startup_message(out, minor, parameters))
    }

    fn started(bytes: &[u8]) -> Result<Startup, StartupError> {
        match StartupMachine::new(TlsOffer::Optional).step(bytes)? {
            Step::Start { startup, used } => {
                assert_eq!(used, bytes.len());
                Ok(startup)
            }
            other => unreachable!("{other:?}"),
        }
    }

    const ALICE: (&[u8], &[u8]) = (b"user", b"alice");

    #[test]
    fn every_cut_asks_for_more_and_nothing_else() {
        let packets = [
            packet(frontend::ssl_request),
            gss_request(),
            packet(|out| frontend::cancel_request(out, 1, b"12345678")),
            start(0, &[ALICE, (b"database", b"shop")]),
        ];
        for packet in packets {
            for cut in 0..packet.len() {
                let step = StartupMachine::new(TlsOffer::Optional).step(&packet[..cut]);
                let wanted = if cut < 4 { 4 } else { packet.len() };
                assert_eq!(step, Ok(Step::Read(wanted)));
            }
            let step = StartupMachine::new(TlsOffer::Optional).step(&packet);
            assert!(!matches!(step, Ok(Step::Read(_)) | Err(_)));
        }
    }

    #[test]
    fn bytes_stuffed_behind_a_request_for_encryption_end_the_connection() {
        for offer in [TlsOffer::None, TlsOffer::Optional, TlsOffer::Required] {
            for request in [packet(frontend::ssl_request), gss_request()] {
                let stuffed = [request, start(0, &[ALICE])].concat();
                for length in 9..stuffed.len() {
                    let step = StartupMachine::new(offer).step(&stuffed[..length]);
                    assert_eq!(step, Err(StartupError::Stuffed));
                }
            }
        }
    }

    #[test]
    fn encryption_is_asked_for_once_and_not_inside_tls() {
        let ssl = packet(frontend::ssl_request);
        let mut machine = StartupMachine::new(TlsOffer::None);
        assert_eq!(machine.step(&gss_request()), Ok(Step::Answer(b'N')));
        assert_eq!(machine.step(&ssl), Ok(Step::Answer(b'N')));
        assert!(machine.step(&ssl).is_err() && machine.step(&gss_request()).is_err());

        let mut machine = StartupMachine::new(TlsOffer::Required);
        assert_eq!(machine.step(&ssl), Ok(Step::UpgradeTls));
        machine.secured();
        assert!(machine.step(&ssl).is_err() && machine.step(&gss_request()).is_err());
        assert!(matches!(machine.step(&start(0, &[ALICE])), Ok(Step::Start { .. })));
    }

    #[test]
    fn tls_may_come_first_but_not_later() {
        let mut machine = StartupMachine::new(TlsOffer::Optional);
        assert_eq!(machine.step(&[TLS_HANDSHAKE]), Ok(Step::DirectTls));
        machine.secured();
        assert!(machine.step(&[TLS_HANDSHAKE, 3, 1, 0]).is_err());
        let mut machine = StartupMachine::new(TlsOffer::None);
        assert_eq!(machine.step(&[TLS_HANDSHAKE]), Err(StartupError::NoTls));
    }

    #[test]
    fn a_listener_that_requires_tls_takes_cancels_without_it_and_no_session() {
        let mut machine = StartupMachine::new(TlsOffer::Required);
        let cancel = packet(|out| frontend::cancel_request(out, 7, &[9; 32]));
        let wanted = CancelRequest { process: 7, key: vec![9; 32] };
        assert_eq!(machine.step(&cancel), Ok(Step::Cancel(wanted)));
        assert_eq!(machine.step(&start(0, &[ALICE])), Err(StartupError::TlsRequired));
    }

    #[test]
    fn cancel_keys_outside_their_lengths_are_refused() {
        for (length, good) in [(3, false), (4, true), (256, true), (257, false)] {
            let cancel = packet(|out| frontend::cancel_request(out, 7, &vec![1; length]));
            assert_eq!(StartupMachine::new(TlsOffer::None).step(&cancel).is_ok(), good);
        }
    }

    #[test]
    fn versions_are_negotiated_down_and_unknown_options_listed() {
        assert_eq!(started(&start(0, &[ALICE])).expect("reads").negotiate, None);
        let newest = started(&start(2, &[ALICE])).expect("reads");
        assert!(newest.has_long_cancel_keys() && newest.negotiate.is_none());
        let grease: (&[u8], &[u8]) = (b"_pq_.test_protocol_negotiation", b"");
        let asked = started(&start(9999, &[ALICE, grease])).expect("reads");
        assert_eq!((asked.minor, asked.parameters.len()), (2, 1));
        assert_eq!(asked.negotiate, Some(vec![grease.0.to_vec()]));
        let old = packet(|out| {
            out.extend([8_i32.to_be_bytes(), (2_i32 << 16).to_be_bytes()].concat());
        });
        assert_eq!(started(&old), Err(StartupError::Version { major: 2, minor: 0 }));
    }

    #[test]
    fn a_parameter_said_twice_is_refused() {
        assert!(started(&start(0, &[ALICE, (b"user", b"bob")])).is_err());
        assert!(started(&start(0, &[ALICE, (b"options", b"a"), (b"options", b"b")])).is_err());
    }

    #[test]
    fn replication_is_refused_and_its_absence_forgotten() {
        for value in [&b"true"[..], b"database", b"1", b"on", b"", b"TRUE"] {
            let asked = started(&start(0, &[ALICE, (b"replication", value)]));
            assert_eq!(asked, Err(StartupError::Replication));
        }
        let asked = started(&start(0, &[ALICE, (b"replication", b"false")])).expect("reads");
        assert_eq!(asked.parameter("replication"), None);
    }

    #[test]
    fn a_start_up_without_a_user_or_an_end_is_refused() {
        assert_eq!(started(&start(0, &[(b"database", b"x")])), Err(StartupError::NoUser));
        let mut open = start(0, &[ALICE]);
        open.pop();
        open[3] -= 1;
        assert!(started(&open).is_err());
        let mut trailing = start(0, &[ALICE]);
        trailing.push(0);
        trailing[3] += 1;
        assert!(started(&trailing).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, code in 0..5usize) {
            let mut machine = StartupMachine::new(TlsOffer::Optional);
            let _ = machine.step(&bytes);
            let code = [SSL_CODE, GSSENC_CODE, CANCEL_CODE, 3 << 16, (3 << 16) + 2][code];
            let length = bytes.len() as i32 + 8;
            let framed = [&length.to_be_bytes()[..], &code.to_be_bytes(), &bytes].concat();
            let _ = StartupMachine::new(TlsOffer::Optional).step(&framed);
        }
    }
}
