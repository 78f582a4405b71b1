//! What can go wrong with an upstream.

use std::io;

use super::credential::CredentialError;
use crate::{
    kernel::refusal::{Refusal, RefusalKind},
    wire::{
        WireError,
        mysql::{auth::upstream::ProofError, reply::ErrPacket},
        pg::{backend::ErrorFields, scram::ScramError},
    },
};

/// Why an upstream can't be used.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// No connection comes about.
    #[error("no connection: {0}")]
    Unreachable(io::Error),
    /// It took too long.
    #[error("no answer in time")]
    TooSlow,
    /// The TLS handshake failed.
    #[error("TLS handshake: {0}")]
    Tls(io::Error),
    /// It has no TLS, and the settings want it.
    #[error("the server has no TLS, and the settings require it")]
    NoTls,
    /// The gateway's own password can't be had.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// It said no.
    #[error("{0}")]
    Server(Box<ServerError>),
    /// It asks for the password in a way that would show it to others, or that we don't know.
    #[error("the server asks for {method}, which is not offered{because}")]
    Method {
        /// What it asks for.
        method: &'static str,
        /// Why not.
        because: &'static str,
    },
    /// It couldn't prove that it is the server it should be.
    #[error(transparent)]
    Scram(#[from] ScramError),
    /// The gateway can't, or must not, prove itself as it wants.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// It can't do what the client was offered: its greeting is not that of the others.
    #[error("the server lacks what clients of this listener were offered: {0}")]
    Lacks(String),
    /// It broke the protocol.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The connection ended or failed in the middle.
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// The system gives no random numbers.
    #[error("the system has no random numbers")]
    Random,
}

/// The kinds of [`UpstreamError`], for counting.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum UpstreamErrorKind {
    /// The server doesn't accept the gateway's log-in, or there is no password to offer.
    Credentials,
    /// The server broke the protocol, or speaks another.
    Protocol,
    /// The server said no for another reason.
    Server,
    /// TLS doesn't come about, or to the wrong server.
    Tls,
    /// There is no connection.
    Unreachable,
}

impl UpstreamError {
    /// Which kind.
    pub fn kind(&self) -> UpstreamErrorKind {
        match self {
            Self::Unreachable(_) | Self::TooSlow | Self::Broken(_) => {
                UpstreamErrorKind::Unreachable
            }
            Self::Tls(_) | Self::NoTls => UpstreamErrorKind::Tls,
            Self::Credential(_) | Self::Method { .. } | Self::Proof(_) => {
                UpstreamErrorKind::Credentials
            }
            Self::Server(error) if error.sqlstate.starts_with("28") => {
                UpstreamErrorKind::Credentials
            }
            Self::Server(_) => UpstreamErrorKind::Server,
            Self::Scram(_) | Self::Wire(_) | Self::Random | Self::Lacks(_) => {
                UpstreamErrorKind::Protocol
            }
        }
    }

    /// The server's own words, if it said any.
    pub fn server_error(&self) -> Option<&ServerError> {
        match self {
            Self::Server(error) => Some(error),
            Self::Unreachable(_)
            | Self::TooSlow
            | Self::Tls(_)
            | Self::NoTls
            | Self::Credential(_)
            | Self::Method { .. }
            | Self::Scram(_)
            | Self::Proof(_)
            | Self::Lacks(_)
            | Self::Wire(_)
            | Self::Broken(_)
            | Self::Random => None,
        }
    }

    /// What the client is told: that the target can't be used and of what kind the trouble is, but no
    /// address and no name of the gateway's own log-in.
    pub fn refusal(&self) -> Refusal {
        let message = match self.kind() {
            UpstreamErrorKind::Credentials => "the target does not accept the gateway's log-in",
            UpstreamErrorKind::Protocol => "the target does not speak the protocol as expected",
            UpstreamErrorKind::Server => "the target refused the connection",
            UpstreamErrorKind::Tls => "no protected connection to the target",
            UpstreamErrorKind::Unreachable => "the target can not be reached",
        };
        let refusal = Refusal::new(RefusalKind::UpstreamUnavailable, message);
        match self {
            // "Too many clients", "is starting up": worth knowing, and nobody's secret.
            Self::Server(error) if ["53", "57"].contains(&error.class()) => {
                refusal.with_detail(error.message.clone())
            }
            _ => refusal,
        }
    }
}

/// What a server of MySQL or MariaDB says in an ERR packet; or what is wrong with it.
pub(super) fn server_error(payload: &[u8]) -> UpstreamError {
    match ErrPacket::read(payload) {
        Ok(error) => UpstreamError::Server(Box::new(ServerError::of_mysql(&error))),
        Err(error) => error.into(),
    }
}

/// An ErrorResponse of an upstream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerError {
    /// `ERROR`, `FATAL` or `PANIC`.
    pub severity: String,
    /// Its SQLSTATE.
    pub sqlstate: String,
    /// Its message.
    pub message: String,
    /// Its detail.
    pub detail: Option<String>,
    /// Its hint.
    pub hint: Option<String>,
}

impl ServerError {
    /// Reads the body of an ErrorResponse. The texts are for people: those that are no UTF-8 are
    /// shown escaped.
    ///
    /// # Errors
    /// It is none.
    pub fn read(body: &[u8]) -> Result<Self, WireError> {
        let fields = ErrorFields::new(body)?;
        let field = |code| fields.field(code).map(text);
        Ok(Self {
            severity: field(b'V').or_else(|| field(b'S')).unwrap_or_default(),
            sqlstate: field(b'C').unwrap_or_default(),
            message: field(b'M').unwrap_or_default(),
            detail: field(b'D'),
            hint: field(b'H'),
        })
    }

    /// From an ERR packet of MySQL or MariaDB; its number stands in the message.
    pub fn of_mysql(error: &ErrPacket<'_>) -> Self {
        Self {
            severity: "ERROR".to_owned(),
            sqlstate: text(&error.state),
            message: format!("{} [{}]", text(error.message), error.number),
            detail: None,
            hint: None,
        }
    }

    /// The first two characters of its SQLSTATE.
    pub fn class(&self) -> &str {
        self.sqlstate.get(..2).unwrap_or_default()
    }
}

fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.escape_ascii().to_string(),
    }
}

impl std::fmt::Display for ServerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} ({})", self.severity, self.message, self.sqlstate)
    }
}
