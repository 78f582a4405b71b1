//! A client's connection whose packets are compressed, below whatever else protects it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::wire::{
    WireError,
    mysql::compression::{Algorithm, Packer, Unpacker},
};

/// Bytes that are read at once.
const INPUT: usize = 8 * 1024;

/// Both directions of one connection.
#[derive(Debug)]
pub(super) struct Zip {
    unpacker: Unpacker,
    packer: Packer,
    input: Vec<u8>,
    at: usize,
}

impl Zip {
    /// Begins with compressed bytes that were read before.
    pub(super) fn new(algorithm: Algorithm, read: Vec<u8>) -> Self {
        let (unpacker, packer) = (Unpacker::new(algorithm), Packer::new(algorithm));
        Self { unpacker, packer, input: read, at: 0 }
    }

    pub(super) fn poll_read<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            let input = self.input.get(self.at..).unwrap_or_default();
            let taken = self.unpacker.take(input, buffer.initialize_unfilled());
            let (read, written) = taken.map_err(|error| broken(&error))?;
            if read > 0 {
                self.packer.set_next(self.unpacker.next());
            }
            self.at += read;
            if self.at >= self.input.len() {
                // An idle connection holds no buffer.
                (self.input, self.at) = (Vec::new(), 0);
            }
            if written > 0 {
                buffer.advance(written);
                return Poll::Ready(Ok(()));
            }
            let mut more = [0; INPUT];
            let mut into = ReadBuf::new(&mut more);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut into))?;
            if into.filled().is_empty() {
                let ended = self.unpacker.is_between();
                return Poll::Ready(if ended {
                    Ok(())
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                });
            }
            self.input.extend_from_slice(into.filled());
        }
    }

    fn poll_drain<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.packer.ready().is_empty() {
            let count = ready!(Pin::new(&mut *stream).poll_write(cx, self.packer.ready()))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.packer.sent(count);
        }
        Poll::Ready(Ok(()))
    }

    pub(super) fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // A client that doesn't read holds up whoever writes, as without it.
        ready!(self.poll_drain(stream, cx))?;
        Poll::Ready(Ok(self.packer.put(bytes)))
    }

    pub(super) fn poll_flush<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.packer.flush();
        ready!(self.poll_drain(stream, cx))?;
        Pin::new(stream).poll_flush(cx)
    }
}

fn broken(error: &WireError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}
