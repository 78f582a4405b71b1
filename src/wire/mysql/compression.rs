//! Compressed packets: a client that has asked for it sends its packets, and gets those of the server, as
//! pieces of one stream in packets of another kind around them. Seven bytes stand before each: its length, a
//! sequence number, and how long it is once inflated; 0: it is as it is.
//!
//! Nothing is inflated further than somebody has room for, and never beyond the length that was announced:
//! a packet that holds more than it says is refused. What is written ends with a whole packet of the inner
//! kind wherever it can, as clients are used to from servers.
//!
//! Pure: no socket.
//!
//! What is deflated is so piece by piece; a packet of zstd is taken apart when all of it is here.
//!
//! Spec: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_compression.html>.

mod zstd;

use std::{cell::RefCell, mem};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::{
    Capabilities,
    packet::{HEADER_LENGTH, Header, PART_MAX},
};
use crate::wire::WireError;

/// Bytes before a compressed packet.
const OUTER_LENGTH: usize = 7;

/// What is shorter isn't worth it.
///
/// Spec: `MIN_COMPRESS_LENGTH` of the server.
const WORTH_IT: usize = 50;

/// As soon as so many bytes wait, and the inner packet is whole, they are sent.
const ENOUGH: usize = 32 * 1024;

/// The most bytes that are taken at once.
const PIECE: usize = 64 * 1024;

/// What packets are compressed with.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Algorithm {
    /// RFC 1950.
    #[default]
    Zlib,
    /// RFC 8878.
    Zstd,
}

impl Algorithm {
    /// What a client with these takes; `None`: nothing is compressed.
    ///
    /// Spec: zlib comes first, in `parse_client_handshake_packet` of the server's
    /// `sql/auth/sql_authentication.cc`.
    pub fn of(client: Capabilities) -> Option<Self> {
        if client.has(Capabilities::COMPRESS) {
            return Some(Self::Zlib);
        }
        client.has(Capabilities::ZSTD).then_some(Self::Zstd)
    }
}

/// Takes compressed packets apart.
#[derive(Debug, Default)]
pub struct Unpacker {
    algorithm: Algorithm,
    head: [u8; OUTER_LENGTH],
    /// How much of the head is here.
    got: usize,
    inside: Inside,
    next: u8,
}

/// What of a packet is still to come.
#[derive(Debug, Default)]
enum Inside {
    #[default]
    Nothing,
    Plain {
        left: usize,
    },
    Deflated {
        left: usize,
        /// Bytes that it may still become.
        room: usize,
        inflater: Box<Decompress>,
    },
    /// One of zstd, until all of it is here.
    Packed {
        left: usize,
        room: usize,
        packet: Vec<u8>,
    },
    Framed(Box<zstd::Frame>),
}

impl Unpacker {
    /// At the beginning of a stream.
    pub fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, ..Self::default() }
    }

    /// Takes from `input` and gives to `output`, as much as it can; how much of each.
    ///
    /// # Errors
    /// Packets that aren't what they say. Nothing can be read behind them.
    pub fn take(&mut self, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), WireError> {
        let (mut read, mut written) = (0, 0);
        loop {
            let rest = input.get(read..).unwrap_or_default();
            let room = output.get_mut(written..).unwrap_or_default();
            match &mut self.inside {
                Inside::Nothing => {
                    let missing = OUTER_LENGTH - self.got;
                    let taken = rest.len().min(missing);
                    let here = rest.get(..taken).unwrap_or_default();
                    for (to, from) in self.head.iter_mut().skip(self.got).zip(here) {
                        *to = *from;
                    }
                    (self.got, read) = (self.got + taken, read + taken);
                    if taken < missing {
                        return Ok((read, written));
                    }
                    self.begin()?;
                }
                Inside::Plain { left } => {
                    let taken = rest.len().min(room.len()).min(*left);
                    for (to, from) in room.iter_mut().zip(rest.iter().take(taken)) {
                        *to = *from;
                    }
                    (*left, read, written) = (*left - taken, read + taken, written + taken);
                    if *left > 0 {
                        return Ok((read, written));
                    }
                    self.ended();
                }
                Inside::Packed { left, room: may, packet } => {
                    let here = rest.get(..rest.len().min(*left)).unwrap_or_default();
                    packet.extend_from_slice(here);
                    (*left, read) = (*left - here.len(), read + here.len());
                    if *left > 0 {
                        return Ok((read, written));
                    }
                    let frame = zstd::Frame::begin(mem::take(packet), *may)?;
                    self.inside = Inside::Framed(Box::new(frame));
                }
                Inside::Framed(frame) => {
                    let (gave, is_over) = frame.take(room)?;
                    written += gave;
                    if !is_over {
                        return Ok((read, written));
                    }
                    self.ended();
                }
                Inside::Deflated { left, room: may, inflater } => {
                    let from = rest.get(..rest.len().min(*left)).unwrap_or_default();
                    // Where it is as long as it may be, what is left is its end: no byte comes of that.
                    let mut none = [0; 1];
                    let most = room.len().min(*may);
                    let to = if *may == 0 {
                        &mut none[..]
                    } else {
                        room.get_mut(..most).unwrap_or_default()
                    };
                    if to.is_empty() || from.is_empty() && *left > 0 {
                        return Ok((read, written));
                    }
                    let (was_in, was_out) = (inflater.total_in(), inflater.total_out());
                    let status = inflater
                        .decompress(from, to, FlushDecompress::None)
                        .map_err(|_| bad("compressed packet"))?;
                    let took = (inflater.total_in() - was_in) as usize;
                    let gave = (inflater.total_out() - was_out) as usize;
                    if gave > *may {
                        return Err(bad("length of a compressed packet"));
                    }
                    (*left, *may) = (*left - took, *may - gave);
                    (read, written) = (read + took, written + gave);
                    match status {
                        Status::StreamEnd if *left == 0 && *may == 0 => self.ended(),
                        Status::StreamEnd => return Err(bad("length of a compressed packet")),
                        // It is at its end, and isn't whole.
                        Status::Ok | Status::BufError if took == 0 && gave == 0 => {
                            return Err(bad("length of a compressed packet"));
                        }
                        Status::Ok | Status::BufError => {}
                    }
                }
            }
        }
    }

    /// A head is here.
    fn begin(&mut self) -> Result<(), WireError> {
        let [l0, l1, l2, sequence, w0, w1, w2] = self.head;
        let left = u32::from_le_bytes([l0, l1, l2, 0]) as usize;
        let room = u32::from_le_bytes([w0, w1, w2, 0]) as usize;
        if left == 0 {
            return Err(bad("length of a compressed packet"));
        }
        self.next = sequence.wrapping_add(1);
        self.inside = match (room, self.algorithm) {
            (0, _) => Inside::Plain { left },
            (room, Algorithm::Zlib) => {
                Inside::Deflated { left, room, inflater: Box::new(Decompress::new(true)) }
            }
            (room, Algorithm::Zstd) => Inside::Packed { left, room, packet: Vec::new() },
        };
        Ok(())
    }

    fn ended(&mut self) {
        (self.got, self.inside) = (0, Inside::Nothing);
    }

    /// The sequence number behind the last packet that has begun: packets of both sides are counted together,
    /// and their order is that of the connection.
    pub fn next(&self) -> u8 {
        self.next
    }

    /// True if the other side may close here.
    pub fn is_between(&self) -> bool {
        matches!(self.inside, Inside::Nothing) && self.got == 0
    }
}

/// Puts packets together and compresses them.
#[derive(Debug, Default)]
pub struct Packer {
    algorithm: Algorithm,
    /// What waits to be compressed.
    plain: Vec<u8>,
    /// What of the open packet is deflated already.
    begun: Option<Begun>,
    inner: Inner,
    next: u8,
    out: Vec<u8>,
    sent: usize,
}

/// A packet that is deflated before all of it is here.
#[derive(Debug)]
struct Begun {
    deflater: Compress,
    deflated: Vec<u8>,
    /// Of how many bytes it was made.
    count: usize,
}

/// Whether a packet ends with what is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ends {
    No,
    Yes,
}

/// Where in an inner packet the stream is.
#[derive(Debug, Default)]
struct Inner {
    head: [u8; HEADER_LENGTH],
    got: usize,
    left: usize,
}

impl Inner {
    fn is_between(&self) -> bool {
        self.got == 0
    }

    /// Goes on by as many of these bytes as belong to the packet; how many.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        if self.got < HEADER_LENGTH {
            for (to, from) in self.head.iter_mut().skip(self.got).zip(bytes) {
                *to = *from;
                taken += 1;
            }
            self.got += taken;
            if self.got < HEADER_LENGTH {
                return taken;
            }
            self.left = Header::read(&self.head).map_or(0, |header| header.length);
        }
        let more = bytes.len().saturating_sub(taken).min(self.left);
        self.left -= more;
        if self.left == 0 {
            self.got = 0;
        }
        taken + more
    }
}

impl Packer {
    /// At the beginning of a stream.
    pub fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, ..Self::default() }
    }

    /// The sequence number of the next packet.
    pub fn set_next(&mut self, next: u8) {
        self.next = next;
    }

    /// What is ready to be sent.
    pub fn ready(&self) -> &[u8] {
        self.out.get(self.sent..).unwrap_or_default()
    }

    /// So much of it has been.
    pub fn sent(&mut self, count: usize) {
        self.sent += count;
        if self.sent >= self.out.len() {
            self.sent = 0;
            self.out.clear();
            // One long packet must not keep its room for good.
            self.out.shrink_to(PIECE);
        }
    }

    /// Takes as many of these bytes as it has room for; how many.
    pub fn put(&mut self, bytes: &[u8]) -> usize {
        let held = self.plain.len() + self.begun.as_ref().map_or(0, |begun| begun.count);
        let room = PART_MAX.saturating_sub(held).min(PIECE);
        let bytes = bytes.get(..bytes.len().min(room)).unwrap_or_default();
        let mut taken = 0;
        while taken < bytes.len() {
            taken += self.inner.take(bytes.get(taken..).unwrap_or_default());
            if self.inner.is_between() && held + taken >= ENOUGH {
                break;
            }
        }
        self.plain.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        if held + taken >= PART_MAX || self.inner.is_between() && held + taken >= ENOUGH {
            self.close();
        } else if self.plain.len() >= PIECE && self.algorithm == Algorithm::Zlib {
            self.deflate();
        }
        taken
    }

    /// What has been taken is to be sent. The beginning of an inner packet waits for the rest.
    pub fn flush(&mut self) {
        if self.inner.is_between() {
            self.close();
        }
    }

    /// Deflates what waits, as a part of a packet that is still open.
    fn deflate(&mut self) {
        let begun = self.begun.get_or_insert_with(Begun::new);
        begun.feed(&self.plain, Ends::No);
        self.plain.clear();
    }

    fn close(&mut self) {
        let begun = self.begun.take();
        if self.plain.len() < WORTH_IT && begun.is_none() {
            if !self.plain.is_empty() {
                self.write(&[], 0);
            }
            return;
        }
        if self.algorithm == Algorithm::Zstd {
            let packed = zstd::packed(&self.plain);
            let whole = if packed.len() < self.plain.len() { self.plain.len() } else { 0 };
            return self.write(&packed, whole);
        }
        let mut begun = begun.unwrap_or_else(Begun::new);
        begun.feed(&self.plain, Ends::Yes);
        if begun.count == self.plain.len() && begun.deflated.len() >= self.plain.len() {
            self.write(&[], 0);
        } else {
            self.write(&begun.deflated, begun.count);
        }
        begun.give_back();
    }

    /// Appends a packet: what is deflated and was so long, or, where that is 0, what waits as it is.
    fn write(&mut self, deflated: &[u8], whole: usize) {
        let body = if whole == 0 { &self.plain[..] } else { deflated };
        let [l0, l1, l2, _] = (body.len() as u32).to_le_bytes();
        let [w0, w1, w2, _] = (whole as u32).to_le_bytes();
        self.out.extend([l0, l1, l2, self.next, w0, w1, w2]);
        self.out.extend_from_slice(body);
        self.next = self.next.wrapping_add(1);
        self.plain.clear();
        self.plain.shrink_to(PIECE);
    }
}

/// Deflaters that a thread keeps: making one costs more than what most packets do.
const KEPT: usize = 4;

thread_local! {
    static DEFLATERS: RefCell<Vec<Compress>> = const { RefCell::new(Vec::new()) };
}

impl Begun {
    /// PERFORMANCE: servers use level 6, which costs three times as much for a few hundredths of the length.
    fn new() -> Self {
        let kept = DEFLATERS.with_borrow_mut(Vec::pop);
        let deflater = kept.unwrap_or_else(|| Compress::new(Compression::fast(), true));
        Self { deflater, deflated: Vec::new(), count: 0 }
    }

    fn feed(&mut self, bytes: &[u8], ends: Ends) {
        let flush = if ends == Ends::Yes { FlushCompress::Finish } else { FlushCompress::None };
        self.count += bytes.len();
        let start = self.deflater.total_in();
        loop {
            let taken = (self.deflater.total_in() - start) as usize;
            let rest = bytes.get(taken..).unwrap_or_default();
            self.deflated.reserve(rest.len() / 2 + 64);
            // There are no errors but those of wrong use.
            let Ok(status) = self.deflater.compress_vec(rest, &mut self.deflated, flush) else {
                return;
            };
            let has_all = (self.deflater.total_in() - start) as usize == bytes.len();
            let has_room = self.deflated.len() < self.deflated.capacity();
            if status == Status::StreamEnd || ends == Ends::No && has_all && has_room {
                return;
            }
        }
    }

    fn give_back(mut self) {
        self.deflater.reset();
        DEFLATERS.with_borrow_mut(|kept| {
            if kept.len() < KEPT {
                kept.push(self.deflater);
            }
        });
    }
}

fn bad(what: &'static str) -> WireError {
    WireError::BadValue { what }
}

#[cfg(test)]
mod tests;
