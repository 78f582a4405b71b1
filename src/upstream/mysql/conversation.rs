//! Packets to and from an upstream, one at a time: for log-ins and for the gateway's own questions. The
//! relay doesn't come this way.

use std::{io, sync::Arc};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    net::Stream,
    upstream::UpstreamError,
    wire::{
        WireError,
        mysql::packet::{self, Extent},
    },
};

/// A connection, what was read from it, and the number of its next packet.
#[derive(Debug)]
pub(super) struct Conversation {
    stream: Stream,
    read: Vec<u8>,
    next: u8,
    payload_max: usize,
}

impl Conversation {
    /// `payload_max` bounds one payload, in bytes.
    pub(super) fn new(stream: Stream, payload_max: usize) -> Self {
        Self { stream, read: Vec::new(), next: 0, payload_max }
    }

    /// Begins a command: numbers start anew.
    pub(super) fn begin(&mut self) {
        self.next = 0;
    }

    /// The number that the next packet must have.
    pub(super) fn next(&self) -> u8 {
        self.next
    }

    pub(super) fn is_tls(&self) -> bool {
        self.stream.is_tls()
    }

    /// Sends what is written with the next number; the writer gives the one behind it.
    pub(super) async fn send(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>, u8) -> u8,
    ) -> Result<(), UpstreamError> {
        let mut out = Vec::new();
        self.next = write(&mut out, self.next);
        self.stream.write_all(&out).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// Sends one payload.
    pub(super) async fn send_bytes(&mut self, payload: &[u8]) -> Result<(), UpstreamError> {
        self.send(|out, sequence| packet::put(out, sequence, |out| out.extend_from_slice(payload)))
            .await
    }

    /// Waits for the next payload. Safe to cancel.
    pub(super) async fn receive(&mut self) -> Result<Vec<u8>, UpstreamError> {
        const CHUNK: usize = 16 << 10;
        loop {
            match packet::extent(&self.read, self.next, self.payload_max)? {
                Extent::Here(span) => {
                    let rest = self.read.split_off(span.length);
                    let packets = std::mem::replace(&mut self.read, rest);
                    self.next = span.next;
                    return Ok(packet::payload(&packets).into_owned());
                }
                Extent::Wants(_) => self.read.reserve(CHUNK),
            }
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }

    /// The same under TLS from here on.
    pub(super) async fn secured(
        self,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Self, UpstreamError> {
        let (next, payload_max) = (self.next, self.payload_max);
        let stream = self.into_stream()?;
        let stream = stream.connect_tls(config, name).await.map_err(UpstreamError::Tls)?;
        Ok(Self { stream, read: Vec::new(), next, payload_max })
    }

    /// The connection. Nothing may have come that wasn't asked for: what came in clear would be taken for
    /// something that came encrypted, or an answer to a command that wasn't sent.
    pub(super) fn into_stream(self) -> Result<Stream, UpstreamError> {
        if self.read.is_empty() {
            Ok(self.stream)
        } else {
            Err(WireError::NotLegalNow { what: "a packet" }.into())
        }
    }
}
