//! From an accepted connection to a start-up message: TLS as offered and asked for, cancel requests
//! told apart.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use crate::{
    net::{Stream, tls::ALPN},
    session::{
        doorstep::TlsPolicy,
        login::{LoginError, tell},
    },
    wire::{
        error::WireError,
        pg::startup::{CancelRequest, Startup, StartupError, StartupMachine, Step, TlsOffer},
    },
};

/// What of it a start-up message may ask for.
fn offer(tls: &TlsPolicy) -> TlsOffer {
    match tls {
        TlsPolicy::Disable => TlsOffer::None,
        TlsPolicy::Prefer(_) => TlsOffer::Optional,
        TlsPolicy::Require(_) => TlsOffer::Required,
    }
}

/// What a new connection wants.
#[derive(Debug)]
pub enum Negotiated {
    /// A session.
    Session(Secured),
    /// A statement of another session cancelled. Nothing is answered; dropping the stream closes it,
    /// which the client waits for.
    Cancel {
        /// The connection.
        stream: Stream,
        /// What it names.
        request: CancelRequest,
    },
}

/// A connection with its start-up message read, protected as far as it will be.
#[derive(Debug)]
pub struct Secured {
    /// The connection.
    pub stream: Stream,
    /// What it said.
    pub startup: Startup,
    /// Bytes read after the start-up message.
    pub leftover: Vec<u8>,
}

/// Reads up to the start-up message, answering what comes before. Errors are told to the client where
/// it can read them.
///
/// # Errors
/// [`LoginError`]; the connection is over.
pub async fn negotiate(
    stream: Stream,
    tls: &TlsPolicy,
    within: Duration,
) -> Result<Negotiated, LoginError> {
    timeout(within, run(stream, tls)).await.map_err(|_| LoginError::TooSlow)?
}

async fn run(mut stream: Stream, tls: &TlsPolicy) -> Result<Negotiated, LoginError> {
    let mut machine = StartupMachine::new(offer(tls));
    let mut read = Vec::new();
    loop {
        match machine.step(&read) {
            Ok(Step::Read(_)) => {
                // Whatever is there, not only what is missing: bytes that have no business behind a
                // request for encryption must be seen.
                if stream.read_buf(&mut read).await? == 0 {
                    return Err(LoginError::Gone);
                }
            }
            Ok(Step::Answer(byte)) => {
                read.clear();
                stream.write_all(&[byte]).await?;
                stream.flush().await?;
            }
            Ok(Step::UpgradeTls) => {
                read.clear();
                stream.write_all(b"S").await?;
                stream.flush().await?;
                let loaded = tls.server()?.current();
                stream = stream.accept_tls(&loaded, Vec::new()).await.map_err(LoginError::Tls)?;
                machine.secured();
            }
            Ok(Step::DirectTls) => {
                let loaded = tls.server()?.current();
                let hello = std::mem::take(&mut read);
                stream = stream.accept_tls(&loaded, hello).await.map_err(LoginError::Tls)?;
                // Spec: without ALPN, another protocol's client could be made to talk to us.
                if stream.alpn() != Some(ALPN) {
                    return Err(LoginError::Tls(io::Error::other("direct TLS without ALPN")));
                }
                machine.secured();
            }
            Ok(Step::Cancel(request)) => return Ok(Negotiated::Cancel { stream, request }),
            Ok(Step::Start { startup, used }) => {
                let leftover = read.split_off(used);
                return Ok(Negotiated::Session(Secured { stream, startup, leftover }));
            }
            Err(error) => {
                // A client that speaks TLS, HTTP or anything else can't read our error; nor can one
                // that says goodbye before it begins. Spec: `ProcessStartupPacket` of the server is
                // silent about a length that can't be.
                let unreadable = matches!(
                    error,
                    StartupError::NoTls
                        | StartupError::Wire(
                            WireError::BadLength { .. } | WireError::TooLarge { .. }
                        )
                );
                if !unreadable {
                    tell(&mut stream, &error.refusal()).await;
                }
                return Err(error.into());
            }
        }
    }
}

#[cfg(test)]
mod tests;
