//! Who is it? SCRAM with a client, in a form that doesn't tell whether a name exists.

use std::{io, time::Duration};

use ring::rand::{SecureRandom, SystemRandom};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use crate::{
    kernel::{
        refusal::{Refusal, RefusalKind},
        sql::charset::ClientText,
    },
    net::Stream,
    wire::{
        WireError,
        pg::{
            backend, frame, frontend,
            scram::{Credentials, MESSAGE_LENGTH_MAX, MockSecret, NONCE_BYTES, ScramError, server},
            startup::{Startup, StartupError},
        },
    },
};

/// Why a log-in ended. The client has been told what it may know.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The client went away, or said goodbye.
    #[error("the client left during log-in")]
    Gone,
    /// It took too long.
    #[error("log-in took too long")]
    TooSlow,
    /// The connection failed.
    #[error("the connection failed during log-in: {0}")]
    Io(#[from] io::Error),
    /// The TLS handshake failed.
    #[error("the TLS handshake failed: {0}")]
    Tls(io::Error),
    /// The start-up is none.
    #[error(transparent)]
    Startup(#[from] StartupError),
    /// A message that has no place in a log-in.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The exchange failed.
    #[error(transparent)]
    Scram(#[from] ScramError),
    /// The system gives no random numbers.
    #[error("the system has no random numbers")]
    Random,
}

/// Whom a client says it is, and what would prove it.
#[derive(Debug)]
pub struct Claim<'a> {
    /// The name as it was sent.
    pub user: &'a str,
    /// What the gateway keeps of that principal; `None` if there is none of that name.
    pub credentials: Option<Credentials>,
    /// Stands in for a principal that there isn't.
    pub mock: &'a MockSecret,
}

/// A client that has proven who it is.
#[derive(Debug)]
pub struct Identified {
    /// The connection.
    pub stream: Stream,
    /// To be sent before anything else: our proof, and AuthenticationOk. Left to the caller, so that
    /// it goes out with the session's parameters.
    pub reply: Vec<u8>,
    /// Bytes read after the client's last message of the log-in.
    pub leftover: Vec<u8>,
    /// Which of the principal's verifiers it was.
    pub matched: usize,
}

/// Asks the client for a proof by SCRAM-SHA-256, or by -PLUS if the connection has a channel to bind
/// to. `leftover` are bytes read after the start-up message.
///
/// # Errors
/// [`LoginError`]; the client has been told and the connection is over.
pub async fn authenticate(
    mut stream: Stream,
    startup: &Startup,
    leftover: Vec<u8>,
    claim: Claim<'_>,
    within: Duration,
) -> Result<Identified, LoginError> {
    let user = claim.user;
    let exchanged = timeout(within, exchange(&mut stream, startup, leftover, claim)).await;
    match exchanged.unwrap_or(Err(LoginError::TooSlow)) {
        Ok((reply, leftover, matched)) => Ok(Identified { stream, reply, leftover, matched }),
        Err(error) => {
            if let Some(refusal) = refusal(&error, user) {
                tell(&mut stream, &refusal).await;
            }
            Err(error)
        }
    }
}

/// What the client is told; `None` if nobody listens any more.
fn refusal(error: &LoginError, user: &str) -> Option<Refusal> {
    match error {
        LoginError::Gone | LoginError::Io(_) | LoginError::Tls(_) => None,
        LoginError::TooSlow => {
            Some(Refusal::new(RefusalKind::NotIdentified, "log-in took too long"))
        }
        LoginError::Startup(error) => Some(error.refusal()),
        LoginError::Wire(error) => Some(error.refusal()),
        LoginError::Scram(error) => Some(error.refusal(user)),
        LoginError::Random => Some(Refusal::new(RefusalKind::Internal, error.to_string())),
    }
}

/// Sends an error that ends the connection, whatever its kind. Best effort: who doesn't listen isn't
/// waited for.
pub async fn tell(stream: &mut Stream, refusal: &Refusal) {
    const PATIENCE: Duration = Duration::from_secs(2);
    let mut out = Vec::new();
    // Nothing is converted before a session has begun, here as at a server.
    backend::fatal(&mut out, refusal, ClientText::UTF8);
    let _ = timeout(PATIENCE, async {
        stream.write_all(&out).await?;
        stream.flush().await?;
        stream.shutdown().await
    })
    .await;
}

async fn exchange(
    stream: &mut Stream,
    startup: &Startup,
    mut read: Vec<u8>,
    claim: Claim<'_>,
) -> Result<(Vec<u8>, Vec<u8>, usize), LoginError> {
    let end_point = stream.end_point().map(<[u8]>::to_vec);
    let end_point = end_point.as_deref();
    let mut random = [0; NONCE_BYTES];
    SystemRandom::new().fill(&mut random).map_err(|_| LoginError::Random)?;
    // Made in any case, so that both cases take the same time.
    let mock = claim.mock.credentials(claim.user.as_bytes());
    let credentials = claim.credentials.unwrap_or(mock);

    let mut out = Vec::new();
    if let Some(unknown) = &startup.negotiate {
        backend::negotiate_protocol_version(&mut out, startup.minor, unknown);
    }
    backend::authentication_sasl(&mut out, server::mechanisms(end_point));
    stream.write_all(&out).await?;
    stream.flush().await?;

    let answer = password_message(stream, &mut read).await?;
    let (mechanism, first) = frontend::decode_sasl_initial(&answer)?;
    let first = first.ok_or(ScramError::Malformed("no first message"))?;
    let (state, challenge) = server::start(mechanism, first, end_point, credentials, &random)?;
    out.clear();
    backend::authentication_sasl_continue(&mut out, &challenge);
    stream.write_all(&out).await?;
    stream.flush().await?;

    let last = password_message(stream, &mut read).await?;
    let proven = state.finish(&last)?;
    let mut reply = Vec::new();
    backend::authentication_sasl_final(&mut reply, &proven.message);
    backend::authentication_ok(&mut reply);
    Ok((reply, read, proven.matched))
}

/// Room for the mechanism's name beside a message.
const ANSWER_LENGTH_MAX: usize = MESSAGE_LENGTH_MAX + 64;

/// The body of the next message, which must be an answer to an authentication request. What was read
/// beyond it stays in `read`.
async fn password_message(stream: &mut Stream, read: &mut Vec<u8>) -> Result<Vec<u8>, LoginError> {
    let limits = frame::FrontendLimits::default();
    loop {
        if let Some(header) = frame::from_client(read, &limits)? {
            match header.tag {
                frontend::PASSWORD => {}
                frontend::TERMINATE => return Err(LoginError::Gone),
                _ => return Err(WireError::NotLegalNow { what: "this message" }.into()),
            }
            if header.length > ANSWER_LENGTH_MAX {
                let (tag, length, limit) = (header.tag, header.length, ANSWER_LENGTH_MAX);
                return Err(WireError::TooLarge { tag, length, limit }.into());
            }
            if read.len() >= header.length {
                let rest = read.split_off(header.length);
                let message = std::mem::replace(read, rest);
                return Ok(frame::body(&message).to_vec());
            }
        }
        if stream.read_buf(read).await? == 0 {
            return Err(LoginError::Gone);
        }
    }
}

#[cfg(test)]
mod tests;
