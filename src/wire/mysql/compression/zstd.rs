//! Packets that are compressed with zstd: each is one frame.
//!
//! Spec: RFC 8878; `zstd_compress_alloc` in the server's `mysys/my_compress.cc`.

use std::fmt;

use ruzstd::{
    decoding::{BlockDecodingStrategy, FrameDecoder},
    encoding::{CompressionLevel, compress_to_vec},
};

use super::bad;
use crate::wire::WireError;

/// The most bytes that a decoder looks back: what a packet holds at the most.
const WINDOW_MAX: u64 = 1 << 24;

/// A packet that has come, and what of it has not been given yet.
pub(super) struct Frame {
    decoder: FrameDecoder,
    packet: Vec<u8>,
    at: usize,
    /// Bytes that it may still become.
    room: usize,
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { decoder: _, packet, at, room } = self;
        f.debug_struct("Frame")
            .field("of", &packet.len())
            .field("at", at)
            .field("room", room)
            .finish()
    }
}

impl Frame {
    /// `room`: the length that was announced.
    ///
    /// # Errors
    /// What is no frame, and what says that it becomes longer.
    pub(super) fn begin(packet: Vec<u8>, room: usize) -> Result<Self, WireError> {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_MAX);
        let mut rest = &packet[..];
        decoder.init(&mut rest).map_err(|_| bad("compressed packet"))?;
        let at = packet.len() - rest.len();
        if decoder.content_size() > room as u64 {
            return Err(bad("length of a compressed packet"));
        }
        Ok(Self { decoder, packet, at, room })
    }

    /// Gives as much as there is room for; how much, and whether that was all.
    ///
    /// # Errors
    /// What becomes longer or shorter than was announced, or ends before its packet does.
    pub(super) fn take(&mut self, output: &mut [u8]) -> Result<(usize, bool), WireError> {
        let mut written = 0;
        loop {
            let to = output.get_mut(written..).unwrap_or_default();
            if self.decoder.can_collect() > 0 {
                if to.is_empty() {
                    return Ok((written, false));
                }
                let gave = std::io::Read::read(&mut self.decoder, to)
                    .map_err(|_| bad("compressed packet"))?;
                self.room = self
                    .room
                    .checked_sub(gave)
                    .ok_or_else(|| bad("length of a compressed packet"))?;
                written += gave;
                continue;
            }
            let mut rest = self.packet.get(self.at..).unwrap_or_default();
            if self.decoder.is_finished() {
                return if self.room == 0 && rest.is_empty() {
                    Ok((written, true))
                } else {
                    Err(bad("length of a compressed packet"))
                };
            }
            let before = rest.len();
            self.decoder
                .decode_blocks(&mut rest, BlockDecodingStrategy::UptoBlocks(1))
                .map_err(|_| bad("compressed packet"))?;
            self.at += before - rest.len();
        }
    }
}

/// One frame of these bytes.
pub(super) fn packed(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}
