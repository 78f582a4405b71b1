//! Frames to and from an upstream, one at a time: for log-ins and for the gateway's own questions.
//! The relay doesn't come this way.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::UpstreamError;
use crate::{
    net::Stream,
    wire::{WireError, pg::frame},
};

/// A connection and what was read from it.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) stream: Stream,
    read: Vec<u8>,
    at: usize,
    frame_max: usize,
}

/// One message of the upstream.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) tag: u8,
    pub(super) frame: Vec<u8>,
}

impl Message {
    pub(super) fn body(&self) -> &[u8] {
        frame::body(&self.frame)
    }
}

impl Conversation {
    /// `frame_max` bounds one message, in bytes.
    pub(super) fn new(stream: Stream, frame_max: usize) -> Self {
        Self { stream, read: Vec::new(), at: 0, frame_max }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Waits for the next whole message. Safe to cancel.
    pub(super) async fn receive(&mut self) -> Result<Message, UpstreamError> {
        const CHUNK: usize = 16 << 10;
        loop {
            let unread = self.read.get(self.at..).unwrap_or_default();
            if let Some(header) = frame::from_upstream(unread)? {
                if header.length > self.frame_max {
                    let (tag, length, limit) = (header.tag, header.length, self.frame_max);
                    return Err(WireError::TooLarge { tag, length, limit }.into());
                }
                if let Some(frame) = unread.get(..header.length) {
                    let message = Message { tag: header.tag, frame: frame.to_vec() };
                    self.at += header.length;
                    return Ok(message);
                }
            }
            self.read.drain(..self.at);
            self.at = 0;
            self.read.reserve(CHUNK);
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }

    /// The connection, and bytes read but not asked for.
    pub(super) fn into_parts(mut self) -> (Stream, Vec<u8>) {
        let leftover = self.read.split_off(self.at);
        (self.stream, leftover)
    }
}
