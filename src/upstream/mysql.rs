//! Connecting to an upstream of MySQL or MariaDB and logging in to it.

use std::{io, sync::Arc, time::Duration};

use rustls::pki_types::ServerName;
use tokio::time::timeout;

use super::{Address, Credential, CredentialError, UpstreamError, pg::open, server_error};
use crate::{
    kernel::{secret::Secret, sql::mode::Dialect},
    net::{
        Stream,
        tls::{ClientTls, TlsMode},
    },
    wire::{
        WireError,
        mysql::{
            Capabilities,
            auth::{
                CACHING_SHA2,
                upstream::{Channel, ProofError, Prover, ServerKey},
            },
            capability,
            greeting::{self, Greeting},
            login::{Challenge, LogIn},
            reply::{OkPacket, Status},
        },
    },
};
use conversation::Conversation;

pub mod catalog;
mod control;
mod conversation;
mod kinds;
pub mod own;
pub mod samples;
pub mod survey;

pub use control::{Control, Row};

/// How to reach an upstream and who to be there.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// Where it is.
    pub address: Address,
    /// How the connection is protected. Sockets in the file system go without.
    pub tls: ClientTls,
    /// The key that the password is encrypted with where nothing protects the connection.
    pub key: ServerKey,
    /// The gateway's log-in.
    pub user: String,
    /// Its password.
    pub credential: Arc<Credential>,
    /// How long connecting, the TLS handshake and the log-in may take in all.
    pub timeout: Duration,
    /// After how long without traffic the connection is probed.
    pub keepalive: Duration,
}

/// What a session wants of its connection, mostly because its client does.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// What the client took of what it was offered.
    pub capabilities: Capabilities,
    /// The longest packet that the client takes, in bytes.
    pub packet_max: u32,
    /// The number of the client's collation.
    pub collation: u8,
    /// The schema.
    pub schema: Option<Vec<u8>>,
    /// What the program is and where it runs.
    pub attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Which of the two a server of this version is.
pub fn family(version: &str) -> Dialect {
    if version.contains("MariaDB") { Dialect::MariaDb } else { Dialect::MySql }
}

/// A server's version as one number, two digits each: 90704 of `9.7.4`, 101119 of `10.11.19-MariaDB`, with
/// or without `5.5.5-` before it. `None` if it says none.
pub fn version_number(version: &str) -> Option<u32> {
    let version = version.strip_prefix("5.5.5-").unwrap_or(version);
    let end = version.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(version.len());
    let mut number = 0_u32;
    let mut parts = version.get(..end)?.split('.');
    for _ in 0..3 {
        let part: u32 = parts.next()?.parse().ok().filter(|part| *part < 100)?;
        number = number.checked_mul(100)?.checked_add(part)?;
    }
    Some(number)
}

/// The first of a version's numbers: 9 of `9.7.4`, 10 of `10.11.19-MariaDB`.
pub fn major(version: &str) -> Option<u32> {
    version_number(version).map(|number| number / 10_000)
}

/// An upstream session, ready for its first command.
#[derive(Debug)]
pub struct Connected {
    /// The connection.
    pub stream: Stream,
    /// The server's version, as it says it.
    pub version: String,
    /// The number of the connection, for KILL.
    pub connection: u32,
    /// What both sides have agreed on.
    pub capabilities: Capabilities,
    /// The session's state.
    pub status: Status,
    /// What the server said of the session's settings, to be read by [`crate::wire::mysql::reply::changes`].
    pub changes: Vec<u8>,
}

/// The longest packet of a log-in, in bytes.
const LOGIN_PACKET_MAX: usize = 64 << 10;

/// How often a server may ask for another method.
const SWITCHES_MAX: usize = 1;

/// How many words a method may take.
const STEPS_MAX: usize = 8;

/// Connects and logs in.
///
/// # Errors
/// [`UpstreamError`]; nothing is left open.
pub async fn connect(
    options: &ConnectOptions,
    wishes: &Wishes,
) -> Result<Connected, UpstreamError> {
    let run = async {
        let raw = open(&options.address, options.keepalive).await?;
        let mut conversation = Conversation::new(raw, LOGIN_PACKET_MAX);
        let greeting = greeted(&mut conversation).await?;
        let asked = capability::asked(wishes.capabilities, greeting.capabilities)
            .map_err(|missing| UpstreamError::Lacks(format!("{missing:?}")))?;
        let log_in = LogIn {
            capabilities: asked,
            packet_max: wishes.packet_max,
            collation: wishes.collation,
            user: options.user.clone().into_bytes(),
            proof: Vec::new(),
            schema: wishes.schema.clone(),
            method: Vec::new(),
            attributes: wishes.attributes.clone(),
        };
        let (mut conversation, log_in) = secure(conversation, options, (&greeting, log_in)).await?;
        let ok = log_in_as(&mut conversation, options, (&greeting, log_in)).await?;
        let ok = OkPacket::read(&ok, asked)?;
        let (status, changes) = (ok.status, ok.changes.to_vec());
        Ok(Connected {
            stream: conversation.into_stream()?,
            version: String::from_utf8(greeting.version)
                .map_err(|_| WireError::BadValue { what: "server version" })?,
            connection: greeting.connection,
            capabilities: asked,
            status,
            changes,
        })
    };
    timeout(options.timeout, run).await.map_err(|_| UpstreamError::TooSlow)?
}

/// The server's greeting, without a log-in: what it is and what it offers.
///
/// # Errors
/// [`UpstreamError`].
pub async fn greeting(options: &ConnectOptions) -> Result<Greeting, UpstreamError> {
    let run = async {
        let raw = open(&options.address, options.keepalive).await?;
        greeted(&mut Conversation::new(raw, LOGIN_PACKET_MAX)).await
    };
    timeout(options.timeout, run).await.map_err(|_| UpstreamError::TooSlow)?
}

async fn greeted(conversation: &mut Conversation) -> Result<Greeting, UpstreamError> {
    let first = conversation.receive().await?;
    if first.first() == Some(&greeting::ERROR) {
        return Err(server_error(&first));
    }
    Ok(Greeting::read(&first)?)
}

/// TLS, if it is wanted and can be had.
async fn secure(
    mut conversation: Conversation,
    options: &ConnectOptions,
    (greeting, mut log_in): (&Greeting, LogIn),
) -> Result<(Conversation, LogIn), UpstreamError> {
    let (Address::Tcp { host, .. }, Some(config)) = (&options.address, options.tls.config()) else {
        return Ok((conversation, log_in));
    };
    if !greeting.capabilities.has(Capabilities::SSL) {
        return match options.tls.mode() {
            TlsMode::Prefer => Ok((conversation, log_in)),
            TlsMode::Disable | TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => {
                Err(UpstreamError::NoTls)
            }
        };
    }
    log_in.capabilities = log_in.capabilities | Capabilities::SSL;
    conversation.send(|out, sequence| log_in.write_tls_request(out, sequence)).await?;
    let name = ServerName::try_from(host.clone())
        .map_err(|error| UpstreamError::Tls(io::Error::other(error)))?;
    Ok((conversation.secured(config, name).await?, log_in))
}

/// From the log-in to the OK packet, whose payload it gives.
async fn log_in_as(
    conversation: &mut Conversation,
    options: &ConnectOptions,
    (greeting, mut log_in): (&Greeting, LogIn),
) -> Result<Vec<u8>, UpstreamError> {
    let password = match options.credential.password().await {
        Ok(password) => password,
        // An account without a password.
        Err(CredentialError::NoSource) => Secret::new(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let channel = match (conversation.is_tls(), &options.address) {
        (true, _) => Channel::Tls,
        (false, Address::Unix(_)) => Channel::Socket,
        (false, Address::Tcp { .. }) => Channel::Plain,
    };
    let means = (channel, &options.key);
    // The method of an account is told when it is known whose log-in it is; until then the server's own
    // is a guess, and one that shows nothing is as good.
    let guess = match Prover::begin(&greeting.method, &greeting.nonce, &password, means) {
        Ok(begun) if !crate::wire::mysql::auth::upstream::is_clear(&greeting.method) => {
            Ok((greeting.method.clone(), begun))
        }
        Ok(_) | Err(ProofError::Method(_) | ProofError::NeedsTls | ProofError::Challenge) => {
            let method = CACHING_SHA2.as_bytes();
            Prover::begin(method, &greeting.nonce, &password, means)
                .map(|begun| (method.to_vec(), begun))
        }
        Err(error) => Err(error),
    };
    let (method, (mut prover, proof)) = guess?;
    (log_in.method, log_in.proof) = (method, proof.unwrap_or_default());
    conversation.send(|out, sequence| log_in.write(out, sequence)).await?;
    let (mut switches, mut steps) = (0, 0);
    loop {
        let payload = conversation.receive().await?;
        let answer = match Challenge::read(&payload)? {
            Challenge::Accepted => return Ok(payload),
            Challenge::Refused => {
                options.credential.forget();
                return Err(server_error(&payload));
            }
            Challenge::Switch { method, data } => {
                switches += 1;
                if switches > SWITCHES_MAX {
                    return Err(WireError::NotLegalNow { what: "another change of method" }.into());
                }
                let (begun, answer) = Prover::begin(method, data, &password, means)?;
                prover = begun;
                answer
            }
            Challenge::More(data) => prover.next(data)?,
        };
        steps += 1;
        if steps > STEPS_MAX {
            return Err(WireError::NotLegalNow { what: "another challenge" }.into());
        }
        if let Some(answer) = answer {
            conversation.send_bytes(&answer).await?;
        }
    }
}

#[cfg(test)]
mod tests;
