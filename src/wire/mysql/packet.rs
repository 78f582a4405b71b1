//! Where one packet ends: three bytes of length, a sequence number, the payload. What is as long as a
//! packet can be goes on in the next one, down to one that is shorter, if need be empty.
//!
//! Sequence numbers begin with 0 at every command and count the packets of both sides together.
//!
//! Spec: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html>.

use std::borrow::Cow;

use crate::wire::WireError;

/// Bytes of a header.
pub const HEADER_LENGTH: usize = 4;

/// The longest payload of one packet; exactly so long means that another one follows.
pub const PART_MAX: usize = 0xff_ffff;

/// The first four bytes of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Length of the payload in bytes.
    pub length: usize,
    /// Its place among the packets of its command.
    pub sequence: u8,
}

impl Header {
    /// Reads it; `None` until four bytes are there.
    #[inline]
    pub fn read(buffer: &[u8]) -> Option<Self> {
        let [a, b, c, sequence] = *buffer.first_chunk::<HEADER_LENGTH>()?;
        Some(Self { length: u32::from_le_bytes([a, b, c, 0]) as usize, sequence })
    }

    /// True if the payload goes on in the next packet.
    pub fn is_continued(&self) -> bool {
        self.length == PART_MAX
    }

    /// Length of the packet in bytes, header included.
    pub fn whole(&self) -> usize {
        self.length.saturating_add(HEADER_LENGTH)
    }
}

/// How far a payload, which may be in several packets, is here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// Whole.
    Here(Span),
    /// At least so many bytes of the buffer must be here, if not more.
    Wants(usize),
}

/// A payload that is here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Its length in bytes, with the headers of all its packets.
    pub length: usize,
    /// The sequence number that the next packet must have.
    pub next: u8,
}

/// Looks for the end of the payload that begins here. `sequence`: what its first packet must have;
/// `limit`: how long it may be, in bytes.
///
/// # Errors
/// A packet out of order, or a payload that is too long, which is told before it is here.
pub fn extent(buffer: &[u8], sequence: u8, limit: usize) -> Result<Extent, WireError> {
    let (mut at, mut next, mut payload) = (0_usize, sequence, 0_usize);
    loop {
        let rest = buffer.get(at..).unwrap_or_default();
        let Some(header) = Header::read(rest) else {
            return Ok(Extent::Wants(at.saturating_add(HEADER_LENGTH)));
        };
        if header.sequence != next {
            return Err(WireError::BadValue { what: "packet order" });
        }
        payload = payload.saturating_add(header.length);
        if payload > limit {
            return Err(WireError::TooLarge { tag: 0, length: payload, limit });
        }
        at = at.saturating_add(header.whole());
        next = next.wrapping_add(1);
        if at > buffer.len() {
            return Ok(Extent::Wants(at));
        }
        if !header.is_continued() {
            return Ok(Extent::Here(Span { length: at, next }));
        }
    }
}

/// The payload of a span without the headers. Copies nothing if it is in one packet.
pub fn payload(span: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = Header::read(span) else { return Cow::Borrowed(&[]) };
    if !first.is_continued() {
        return Cow::Borrowed(span.get(HEADER_LENGTH..first.whole()).unwrap_or_default());
    }
    let mut joined = Vec::with_capacity(span.len());
    let mut rest = span;
    while let Some(header) = Header::read(rest) {
        joined.extend_from_slice(rest.get(HEADER_LENGTH..header.whole()).unwrap_or_default());
        rest = rest.get(header.whole()..).unwrap_or_default();
    }
    Cow::Owned(joined)
}

/// Appends what `fields` writes, in as many packets as it takes. Gives the sequence number of the next
/// one.
pub fn put(out: &mut Vec<u8>, sequence: u8, fields: impl FnOnce(&mut Vec<u8>)) -> u8 {
    let start = out.len();
    out.extend([0; HEADER_LENGTH]);
    fields(out);
    let length = out.len().saturating_sub(start).saturating_sub(HEADER_LENGTH);
    if length < PART_MAX {
        write_header(out, start, Header { length, sequence });
        return sequence.wrapping_add(1);
    }
    let long = out.split_off(start.saturating_add(HEADER_LENGTH));
    out.truncate(start);
    let mut next = sequence;
    for part in long.chunks(PART_MAX) {
        next = put_part(out, next, part);
    }
    if long.len().is_multiple_of(PART_MAX) { put_part(out, next, &[]) } else { next }
}

fn put_part(out: &mut Vec<u8>, sequence: u8, part: &[u8]) -> u8 {
    let start = out.len();
    out.extend([0; HEADER_LENGTH]);
    write_header(out, start, Header { length: part.len(), sequence });
    out.extend_from_slice(part);
    sequence.wrapping_add(1)
}

fn write_header(out: &mut [u8], start: usize, header: Header) {
    let [a, b, c, _] = (header.length as u32).to_le_bytes();
    if let Some(place) = out.get_mut(start..).and_then(<[u8]>::first_chunk_mut::<HEADER_LENGTH>) {
        *place = [a, b, c, header.sequence];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_LIMIT: usize = usize::MAX;

    #[test]
    fn a_packet_is_known_by_its_header_and_here_with_its_last_byte() {
        let mut out = Vec::new();
        assert_eq!(put(&mut out, 3, |out| out.extend(b"abc")), 4);
        assert_eq!(out, b"\x03\0\0\x03abc");
        for cut in 0..4 {
            assert_eq!(extent(&out[..cut], 3, NO_LIMIT), Ok(Extent::Wants(4)));
        }
        for cut in 4..7 {
            assert_eq!(extent(&out[..cut], 3, NO_LIMIT), Ok(Extent::Wants(7)));
        }
        out.extend(b"more");
        assert_eq!(extent(&out, 3, NO_LIMIT), Ok(Extent::Here(Span { length: 7, next: 4 })));
        assert_eq!(payload(&out[..7]), &b"abc"[..]);
    }

    #[test]
    fn a_packet_out_of_order_is_refused() {
        let mut out = Vec::new();
        put(&mut out, 1, |out| out.push(1));
        assert!(extent(&out, 0, NO_LIMIT).is_err());
        assert!(extent(&out[..4], 0, NO_LIMIT).is_err());
    }

    #[test]
    fn what_is_as_long_as_a_packet_can_be_goes_on_in_another() {
        for (length, parts) in
            [(PART_MAX - 1, 1), (PART_MAX, 2), (PART_MAX + 1, 2), (2 * PART_MAX, 3)]
        {
            let mut out = b"before".to_vec();
            let next = put(&mut out, 254, |out| out.resize(out.len() + length, b'x'));
            assert_eq!(next, 254_u8.wrapping_add(parts));
            let packets = &out[6..];
            assert_eq!(packets.len(), length + usize::from(parts) * HEADER_LENGTH);
            let here = Extent::Here(Span { length: packets.len(), next });
            assert_eq!(extent(packets, 254, NO_LIMIT), Ok(here));
            let cut = &packets[..packets.len() - 1];
            assert!(
                matches!(extent(cut, 254, NO_LIMIT), Ok(Extent::Wants(wants)) if wants > cut.len())
            );
            let joined = payload(packets);
            assert_eq!(joined.len(), length);
            assert!(joined.iter().all(|b| *b == b'x'));
        }
    }

    #[test]
    fn what_is_too_long_is_refused_before_it_is_here() {
        let header = [0xff, 0xff, 0xff, 0];
        let wanted = WireError::TooLarge { tag: 0, length: PART_MAX, limit: 1000 };
        assert_eq!(extent(&header, 0, 1000), Err(wanted));
        assert_eq!(extent(&header, 0, PART_MAX), Ok(Extent::Wants(PART_MAX + 4)));
        let mut two = vec![b'x'; PART_MAX + 4];
        two[..4].copy_from_slice(&header);
        two.extend([1, 0, 0, 1]);
        assert!(extent(&two, 0, PART_MAX).is_err());
        assert_eq!(extent(&two, 0, PART_MAX + 1), Ok(Extent::Wants(two.len() + 1)));
    }
}
