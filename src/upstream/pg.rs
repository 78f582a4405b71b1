//! Connecting to a Postgres upstream and logging in to it.

use std::{io, sync::Arc, time::Duration};

use ring::rand::{SecureRandom, SystemRandom};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    time::timeout,
};

use super::{Address, Credential, ServerError, UpstreamError, conversation::Conversation};
use crate::{
    net::{
        Peer, Stream,
        listener::tune,
        tls::{ClientTls, TlsMode},
    },
    wire::{
        WireError,
        pg::{
            backend::{self, Authentication, TransactionStatus},
            frontend, md5,
            scram::{NONCE_BYTES, ScramError, client},
        },
    },
};

/// How to reach an upstream and who to be there.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// Where it is.
    pub address: Address,
    /// How the connection is protected. Sockets in the file system go without.
    pub tls: ClientTls,
    /// The gateway's log-in.
    pub user: String,
    /// Its password.
    pub credential: Arc<Credential>,
    /// The database.
    pub database: String,
    /// The minor version of protocol 3 to ask for: 2 for long cancel keys, 0 for servers and poolers
    /// that can't negotiate. What is spoken stands in [`Connected::minor`].
    pub minor: u16,
    /// How long connecting, the TLS handshake and the log-in may take in all.
    pub timeout: Duration,
    /// After how long without traffic the connection is probed.
    pub keepalive: Duration,
}

/// An upstream session, ready for its first statement.
#[derive(Debug)]
pub struct Connected {
    /// The connection.
    pub stream: Stream,
    /// Bytes read after the log-in's ReadyForQuery.
    pub leftover: Vec<u8>,
    /// What the server reported of its settings, in its order; the last report of each name.
    pub parameters: Vec<(String, String)>,
    /// NoticeResponses and NotificationResponses that came with the log-in, as whole frames.
    pub notices: Vec<Vec<u8>>,
    /// The process that serves it; 0 if the server didn't say.
    pub process: i32,
    /// What cancels its statements; empty if the server gave none.
    pub cancel_key: Vec<u8>,
    /// The minor version of protocol 3 that is spoken.
    pub minor: u16,
}

impl Connected {
    /// A reported setting.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The most bytes of everything a server may say during a log-in.
const LOGIN_BYTES_MAX: usize = 1 << 20;

/// The most settings that a server may report during a log-in; servers of today report about fifteen.
/// Each report is looked for among those before it.
const SETTINGS_MAX: usize = 1000;

/// Connects and logs in. `parameters` are sent after user and database, in their order.
///
/// # Errors
/// [`UpstreamError`]; nothing is left open.
pub async fn connect(
    options: &ConnectOptions,
    parameters: &[(&str, &str)],
) -> Result<Connected, UpstreamError> {
    let run = async {
        let raw = open(&options.address, options.keepalive).await?;
        let stream = secure(raw, &options.address, &options.tls).await?;
        log_in(stream, options, parameters).await
    };
    timeout(options.timeout, run).await.map_err(|_| UpstreamError::TooSlow)?
}

/// Asks the server at the other end of `peer` to cancel what runs under that key, and waits until it
/// has closed the connection: from then on the request can't hit a later statement.
///
/// # Errors
/// The request may not have arrived. The server never says whether anything was cancelled.
pub async fn cancel(
    options: &ConnectOptions,
    peer: Peer,
    process: i32,
    key: &[u8],
) -> Result<(), UpstreamError> {
    let run = async {
        let raw = match peer {
            // The very machine that serves the session, where a name stands for several.
            Peer::Tcp(address) => {
                let socket =
                    TcpStream::connect(address).await.map_err(UpstreamError::Unreachable)?;
                Stream::tcp(socket).map_err(UpstreamError::Unreachable)?
            }
            Peer::Unix => open(&options.address, options.keepalive).await?,
        };
        let mut stream = secure(raw, &options.address, &options.tls).await?;
        let mut out = Vec::new();
        frontend::cancel_request(&mut out, process, key);
        stream.write_all(&out).await?;
        stream.flush().await?;
        // Nothing is answered; a server that closes without ceremony has read it all the same.
        let _ = stream.read(&mut [0]).await;
        Ok(())
    };
    timeout(options.timeout, run).await.map_err(|_| UpstreamError::TooSlow)?
}

pub(super) async fn open(address: &Address, keepalive: Duration) -> Result<Stream, UpstreamError> {
    let open = async {
        match address {
            Address::Unix(path) => UnixStream::connect(path).await.map(Stream::unix),
            Address::Tcp { host, port } => {
                let socket = TcpStream::connect((host.as_str(), *port)).await?;
                tune(&socket, keepalive)?;
                Stream::tcp(socket)
            }
        }
    };
    open.await.map_err(UpstreamError::Unreachable)
}

async fn secure(
    mut raw: Stream,
    address: &Address,
    tls: &ClientTls,
) -> Result<Stream, UpstreamError> {
    let (Address::Tcp { host, .. }, Some(config)) = (address, tls.config()) else {
        return Ok(raw);
    };
    let mut request = Vec::new();
    frontend::ssl_request(&mut request);
    raw.write_all(&request).await?;
    raw.flush().await?;
    // Exactly one byte: nothing that came in clear may be taken for something that came encrypted.
    match raw.read_u8().await? {
        b'S' => {
            let name = ServerName::try_from(host.clone())
                .map_err(|error| UpstreamError::Tls(io::Error::other(error)))?;
            raw.connect_tls(config, name).await.map_err(UpstreamError::Tls)
        }
        b'N' if tls.mode() == TlsMode::Prefer => Ok(raw),
        b'N' => Err(UpstreamError::NoTls),
        _ => Err(WireError::BadValue { what: "answer to SSLRequest" }.into()),
    }
}

async fn log_in(
    stream: Stream,
    options: &ConnectOptions,
    parameters: &[(&str, &str)],
) -> Result<Connected, UpstreamError> {
    let mut conversation = Conversation::new(stream, LOGIN_BYTES_MAX);
    let own = [("user", options.user.as_str()), ("database", options.database.as_str())];
    let all: Vec<_> =
        own.iter().chain(parameters).map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
    let mut out = Vec::new();
    frontend::startup_message(&mut out, options.minor, &all);
    conversation.send(&out).await?;
    let minor = authenticate(&mut conversation, options).await?;
    settle(conversation, minor).await
}

/// Up to AuthenticationOk; the minor version that will be spoken.
async fn authenticate(
    conversation: &mut Conversation,
    options: &ConnectOptions,
) -> Result<u16, UpstreamError> {
    let mut minor = options.minor;
    loop {
        let message = conversation.receive().await?;
        match message.tag {
            backend::AUTHENTICATION => match Authentication::new(message.body())? {
                Authentication::Ok => return Ok(minor),
                Authentication::CleartextPassword => {
                    if !conversation.stream.is_private() {
                        return Err(UpstreamError::Method {
                            method: "the password in clear",
                            because: " without TLS",
                        });
                    }
                    let password = options.credential.password().await?;
                    let mut out = Vec::new();
                    frontend::password(&mut out, password.reveal());
                    conversation.send(&out).await?;
                }
                Authentication::Md5Password { salt } => {
                    let password = options.credential.password().await?;
                    let answer = md5::answer(options.user.as_bytes(), password.reveal(), salt);
                    let mut out = Vec::new();
                    frontend::password(&mut out, &answer);
                    conversation.send(&out).await?;
                }
                Authentication::Sasl(offered) => {
                    let offered: Vec<Vec<u8>> = offered.iter().map(<[u8]>::to_vec).collect();
                    scram(conversation, options, &offered).await?;
                    // Invariant: only the exchange above could have accepted the server's proof, so
                    // what comes now is AuthenticationOk or the end.
                }
                Authentication::SaslContinue(_) | Authentication::SaslFinal(_) => {
                    return Err(WireError::NotLegalNow { what: "a SASL message" }.into());
                }
                Authentication::Unsupported { code } => {
                    let method = match code {
                        7..=9 => "GSSAPI or SSPI",
                        _ => "an unknown method",
                    };
                    return Err(UpstreamError::Method { method, because: "" });
                }
            },
            backend::NEGOTIATE_PROTOCOL_VERSION => {
                let (newest, unknown) = backend::negotiated_version(message.body())?;
                if newest >= minor || !unknown.is_empty() {
                    return Err(WireError::BadValue { what: "protocol version" }.into());
                }
                minor = newest;
            }
            backend::ERROR_RESPONSE => return Err(refused(options, message.body())),
            backend::NOTICE_RESPONSE => {}
            _ => return Err(WireError::NotLegalNow { what: "a message before log-in" }.into()),
        }
    }
}

async fn scram(
    conversation: &mut Conversation,
    options: &ConnectOptions,
    offered: &[Vec<u8>],
) -> Result<(), UpstreamError> {
    let mut random = [0; NONCE_BYTES];
    SystemRandom::new().fill(&mut random).map_err(|_| UpstreamError::Random)?;
    let offered = offered.iter().map(Vec::as_slice);
    let started = client::start(offered, conversation.stream.end_point(), &random);
    let (mechanism, state, first) = started
        .ok_or(UpstreamError::Method { method: "an unknown SASL mechanism", because: "" })?;
    let mut out = Vec::new();
    frontend::sasl_initial_response(&mut out, mechanism, &first);
    conversation.send(&out).await?;

    let message = conversation.receive().await?;
    let challenge = match (message.tag, Authentication::new(message.body())) {
        (backend::AUTHENTICATION, Ok(Authentication::SaslContinue(data))) => {
            state.challenge(data)?
        }
        (backend::ERROR_RESPONSE, _) => return Err(refused(options, message.body())),
        _ => return Err(ScramError::Malformed("no challenge").into()),
    };
    let password = options.credential.password().await?;
    let keys = options.credential.keys(&password, &challenge.salt, challenge.iterations).await;
    let (state, last) = challenge.respond(&keys);
    out.clear();
    frontend::sasl_response(&mut out, &last);
    conversation.send(&out).await?;

    let message = conversation.receive().await?;
    match (message.tag, Authentication::new(message.body())) {
        (backend::AUTHENTICATION, Ok(Authentication::SaslFinal(data))) => Ok(state.verify(data)?),
        (backend::ERROR_RESPONSE, _) => Err(refused(options, message.body())),
        // Fail closed: a server that goes on without its proof doesn't know our password.
        _ => Err(ScramError::ServerNotProven.into()),
    }
}

/// The server's own words; keys that it didn't accept are not kept.
fn refused(options: &ConnectOptions, body: &[u8]) -> UpstreamError {
    options.credential.forget();
    match ServerError::read(body) {
        Ok(error) => UpstreamError::Server(Box::new(error)),
        Err(error) => error.into(),
    }
}

/// From AuthenticationOk to ReadyForQuery.
async fn settle(mut conversation: Conversation, minor: u16) -> Result<Connected, UpstreamError> {
    let (mut parameters, mut notices) = (Vec::<(String, String)>::new(), Vec::new());
    let (mut process, mut cancel_key) = (0, Vec::new());
    let mut budget = LOGIN_BYTES_MAX;
    loop {
        let message = conversation.receive().await?;
        budget = budget.checked_sub(message.frame.len()).ok_or(WireError::TooLarge {
            tag: message.tag,
            length: LOGIN_BYTES_MAX,
            limit: LOGIN_BYTES_MAX,
        })?;
        match message.tag {
            backend::PARAMETER_STATUS => {
                let (name, value) = backend::parameter_status_of(message.body())?;
                let text = |bytes: &[u8]| {
                    String::from_utf8(bytes.to_vec())
                        .map_err(|_| WireError::BadValue { what: "parameter status" })
                };
                let (name, value) = (text(name)?, text(value)?);
                let full = parameters.len() == SETTINGS_MAX;
                match parameters.iter_mut().find(|(found, _)| *found == name) {
                    Some((_, old)) => *old = value,
                    None if full => {
                        return Err(WireError::BadValue { what: "number of settings" }.into());
                    }
                    None => parameters.push((name, value)),
                }
            }
            backend::BACKEND_KEY_DATA => {
                let data = backend::key_data(message.body())?;
                (process, cancel_key) = (data.process, data.key.to_vec());
            }
            backend::NOTICE_RESPONSE | backend::NOTIFICATION_RESPONSE => {
                notices.push(message.frame);
            }
            backend::READY_FOR_QUERY => {
                let status = backend::ready_for_query_status(message.body())?;
                if status != TransactionStatus::Idle {
                    return Err(WireError::BadValue { what: "transaction status" }.into());
                }
                let (stream, leftover) = conversation.into_parts();
                return Ok(Connected {
                    stream,
                    leftover,
                    parameters,
                    notices,
                    process,
                    cancel_key,
                    minor,
                });
            }
            backend::ERROR_RESPONSE => {
                return Err(UpstreamError::Server(Box::new(ServerError::read(message.body())?)));
            }
            _ => return Err(WireError::NotLegalNow { what: "a message of a log-in" }.into()),
        }
    }
}

#[cfg(test)]
mod tests;
