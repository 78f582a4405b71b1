//! Where one frame ends: a tag, then a length that counts itself. Found in place, nothing is copied.
//!
//! A header is accepted only if its tag exists in its direction and its length is possible for that
//! tag. A frame needn't be complete to be moved on; who streams long ones goes by [`Header::length`].
//!
//! Spec: limits follow `PQ_SMALL_MESSAGE_LIMIT`, `PQ_LARGE_MESSAGE_LIMIT` and
//! `MAX_STARTUP_PACKET_LENGTH` of the server, and `VALID_LONG_MESSAGE_TYPE` of libpq.

use super::{backend, frontend};
use crate::wire::WireError;

/// Bytes of a header: tag and length.
pub const HEADER_LENGTH: usize = 5;

/// The longest start-up packet, its length field left out.
pub const STARTUP_LENGTH_MAX: usize = 10_000;

/// The longest answer to an authentication request.
pub const PASSWORD_LENGTH_MAX: usize = 65_535;

/// The longest of the messages that carry only names and numbers.
const SMALL_LENGTH_MAX: usize = 10_000;

/// The longest message a server takes at all: `MaxAllocSize` less one.
const LARGE_LENGTH_MAX: usize = 0x3fff_fffe;

/// Room for names and parameter types beside the text of a Parse: two names at their longest and
/// the most parameters a message can count.
const PARSE_ROOM: usize = 2 * SMALL_LENGTH_MAX + 4 * 65_535 + 16;

/// The first five bytes of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// The message's type.
    pub tag: u8,
    /// Length of the whole frame in bytes, tag included: at least 5.
    pub length: usize,
}

/// How long a client's messages may be, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrontendLimits {
    /// The text of a Query or Parse.
    pub text: usize,
    /// A Bind, with all its parameters, and a FunctionCall with its arguments.
    pub bind: usize,
    /// One CopyData.
    pub copy_data: usize,
}

impl Default for FrontendLimits {
    /// 16 MiB of text; for the others what the server itself takes (1 GiB).
    fn default() -> Self {
        Self { text: 16 << 20, bind: LARGE_LENGTH_MAX, copy_data: LARGE_LENGTH_MAX }
    }
}

/// Reads the header of the client's next frame; `None` until five bytes are there.
///
/// # Errors
/// An unknown tag, a length that can't be or is over the limit: the session can't go on.
pub fn from_client(buffer: &[u8], limits: &FrontendLimits) -> Result<Option<Header>, WireError> {
    let Some((tag, length)) = split(buffer) else { return Ok(None) };
    let (least, most) = match tag {
        frontend::QUERY => (5, limits.text.saturating_add(5)),
        frontend::PARSE => (8, limits.text.saturating_add(PARSE_ROOM)),
        frontend::BIND => (12, limits.bind),
        frontend::COPY_DATA => (4, limits.copy_data),
        frontend::DESCRIBE | frontend::CLOSE => (6, SMALL_LENGTH_MAX),
        frontend::EXECUTE => (9, SMALL_LENGTH_MAX),
        frontend::COPY_FAIL => (5, SMALL_LENGTH_MAX),
        frontend::FUNCTION_CALL => (14, limits.bind),
        frontend::PASSWORD => (4, PASSWORD_LENGTH_MAX),
        frontend::FLUSH | frontend::SYNC | frontend::COPY_DONE | frontend::TERMINATE => (4, 4),
        _ => return Err(WireError::UnknownTag { tag }),
    };
    check(tag, length, least, most.min(LARGE_LENGTH_MAX)).map(Some)
}

/// Reads the header of the upstream's next frame; `None` until five bytes are there.
///
/// # Errors
/// As [`from_client`].
#[inline]
pub fn from_upstream(buffer: &[u8]) -> Result<Option<Header>, WireError> {
    let Some((tag, length)) = split(buffer) else { return Ok(None) };
    let (least, most) = match tag {
        // Spec: a row has no limit of its own; the length field's sign is the only bound.
        backend::DATA_ROW => (6, i32::MAX as usize),
        backend::COPY_DATA => (4, i32::MAX as usize),
        backend::ROW_DESCRIPTION => (6, i32::MAX as usize),
        backend::ERROR_RESPONSE | backend::NOTICE_RESPONSE => (5, i32::MAX as usize),
        backend::NOTIFICATION_RESPONSE => (10, i32::MAX as usize),
        backend::FUNCTION_CALL_RESPONSE => (8, i32::MAX as usize),
        // A statement may have more parameters than the count can say.
        backend::PARAMETER_DESCRIPTION => (6, i32::MAX as usize),
        backend::COMMAND_COMPLETE => (5, 30_000),
        backend::PARAMETER_STATUS => (6, 30_000),
        backend::READY_FOR_QUERY => (5, 5),
        backend::AUTHENTICATION => (8, 65_535),
        backend::BACKEND_KEY_DATA => (12, 8 + 256),
        backend::NEGOTIATE_PROTOCOL_VERSION => (12, 30_000),
        backend::COPY_IN_RESPONSE | backend::COPY_OUT_RESPONSE | backend::COPY_BOTH_RESPONSE => {
            (7, 7 + 2 * 65_535)
        }
        backend::PARSE_COMPLETE
        | backend::BIND_COMPLETE
        | backend::CLOSE_COMPLETE
        | backend::NO_DATA
        | backend::PORTAL_SUSPENDED
        | backend::EMPTY_QUERY_RESPONSE
        | backend::COPY_DONE => (4, 4),
        _ => return Err(WireError::UnknownTag { tag }),
    };
    check(tag, length, least, most).map(Some)
}

/// Reads the length of an untagged start-up packet, its length field included; `None` until four
/// bytes are there.
///
/// # Errors
/// A length outside 8 to [`STARTUP_LENGTH_MAX`] and four.
pub fn startup(buffer: &[u8]) -> Result<Option<usize>, WireError> {
    let Some(first) = buffer.first_chunk::<4>() else { return Ok(None) };
    let length = i32::from_be_bytes(*first);
    let Header { length, .. } = check(0, length, 8, STARTUP_LENGTH_MAX + 4)?;
    Ok(Some(length.saturating_sub(1)))
}

/// What follows the header of a whole frame.
pub fn body(frame: &[u8]) -> &[u8] {
    frame.get(HEADER_LENGTH..).unwrap_or_default()
}

#[inline]
fn split(buffer: &[u8]) -> Option<(u8, i32)> {
    let [tag, a, b, c, d] = *buffer.first_chunk::<HEADER_LENGTH>()?;
    Some((tag, i32::from_be_bytes([a, b, c, d])))
}

/// `least` and `most` bound the length as sent, which doesn't count the tag.
#[inline]
fn check(tag: u8, sent: i32, least: usize, most: usize) -> Result<Header, WireError> {
    let bad = WireError::BadLength { tag, length: sent };
    let length = usize::try_from(sent).map_err(|_| bad)?;
    if length < least || (length > most && least == most) {
        return Err(bad);
    }
    if length > most {
        return Err(WireError::TooLarge { tag, length, limit: most });
    }
    Ok(Header { tag, length: length.saturating_add(1) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(tag: u8, length: i32) -> Vec<u8> {
        let mut out = vec![tag];
        out.extend(length.to_be_bytes());
        out
    }

    #[test]
    fn a_header_needs_five_bytes_and_counts_its_tag() {
        let limits = FrontendLimits::default();
        let sync = header(b'S', 4);
        for cut in 0..5 {
            assert_eq!(from_client(&sync[..cut], &limits), Ok(None));
        }
        assert_eq!(from_client(&sync, &limits), Ok(Some(Header { tag: b'S', length: 5 })));
    }

    #[test]
    fn a_sync_is_exactly_four_bytes_long() {
        let limits = FrontendLimits::default();
        for length in [0, 3, 5, -1, i32::MIN, i32::MAX] {
            assert!(from_client(&header(b'S', length), &limits).is_err(), "{length}");
        }
    }

    #[test]
    fn parameters_are_described_beyond_what_their_count_can_say() {
        let described = header(backend::PARAMETER_DESCRIPTION, 6 + 4 * 70_000);
        assert!(matches!(from_upstream(&described), Ok(Some(_))));
    }

    #[test]
    fn unknown_tags_are_refused_in_both_directions() {
        let limits = FrontendLimits::default();
        for tag in *b"ARTZkw\0 \xff" {
            let wanted = Err(WireError::UnknownTag { tag });
            assert_eq!(from_client(&header(tag, 10), &limits), wanted);
        }
        for tag in *b"QPBXpfF\0\xff" {
            assert_eq!(from_upstream(&header(tag, 10)), Err(WireError::UnknownTag { tag }));
        }
    }

    #[test]
    fn a_text_over_the_limit_is_refused_before_it_is_read() {
        let limits = FrontendLimits { text: 100, ..FrontendLimits::default() };
        assert!(from_client(&header(b'Q', 105), &limits).is_ok());
        assert_eq!(
            from_client(&header(b'Q', 106), &limits),
            Err(WireError::TooLarge { tag: b'Q', length: 106, limit: 105 })
        );
    }

    #[test]
    fn the_password_limit_holds_before_anybody_is_known() {
        let limits = FrontendLimits::default();
        assert!(from_client(&header(b'p', 3), &limits).is_err());
        assert!(from_client(&header(b'p', 65_536), &limits).is_err());
    }

    #[test]
    fn start_up_packets_are_bounded() {
        assert_eq!(startup(&[0, 0, 0]), Ok(None));
        assert_eq!(startup(&8_i32.to_be_bytes()), Ok(Some(8)));
        assert_eq!(startup(&10_004_i32.to_be_bytes()), Ok(Some(10_004)));
        for length in [0, 4, 7, 10_005, -1, i32::MAX] {
            assert!(startup(&length.to_be_bytes()).is_err(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics_or_is_shorter_than_itself(bytes: [u8; 5]) {
            for read in [from_client(&bytes, &FrontendLimits::default()), from_upstream(&bytes)] {
                if let Ok(Some(header)) = read {
                    prop_assert!(header.length >= HEADER_LENGTH);
                }
            }
        }
    }
}
