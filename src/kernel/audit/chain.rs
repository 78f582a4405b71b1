//! How records are chained: each line ends with a digest over the digest before it and its own body.
//!
//! Shape of a line: `{…body…,"chain":"<64 hexadecimal digits>"}` and a line feed. The digest is
//! SHA-256 over the 32 bytes of the previous line's digest followed by the bytes of the body, which
//! are all bytes before `,"chain":`. A lane's first record follows [`Digest::ZERO`].

use std::fmt;

use ring::digest::{Context, SHA256};

use crate::kernel::audit::json;

/// A SHA-256 digest: the head of a chain.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// What a lane's first record follows.
    pub const ZERO: Self = Self([0; 32]);

    /// The digest of some bytes alone.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = ring::digest::digest(&SHA256, bytes);
        Self(digest.as_ref().try_into().unwrap_or([0; 32]))
    }

    /// Reads 64 lower-case hexadecimal digits. There is one way only to write a digest, so that
    /// there is one way only to write a record.
    pub fn parse_hex(hex: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        if hex.len() != 64 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            let [high, low] = pair else { return None };
            *byte = nibble(*high)? << 4 | nibble(*low)?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl std::str::FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        Self::parse_hex(text.as_bytes()).ok_or(NoDigest)
    }
}

/// A text that is no digest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected 64 lower-case hexadecimal digits")]
pub struct NoDigest;

/// The digest of a record that follows `previous`.
pub fn link(previous: &Digest, body: &[u8]) -> Digest {
    let mut context = Context::new(&SHA256);
    context.update(&previous.0);
    context.update(body);
    // Invariant: SHA-256 digests are 32 bytes long.
    Digest(context.finish().as_ref().try_into().unwrap_or([0; 32]))
}

/// Closes the record whose body begins at `from` in the buffer: appends its digest and the line
/// feed.
pub fn close(out: &mut Vec<u8>, from: usize, previous: &Digest) -> Digest {
    let digest = link(previous, out.get(from..).unwrap_or_default());
    out.extend_from_slice(KEY);
    out.extend_from_slice(&json::hex_of(&digest.0));
    out.extend_from_slice(b"\"}\n");
    digest
}

/// Takes a line, without its line feed, apart: the body and the digest it claims.
pub fn split(line: &[u8]) -> Option<(&[u8], Digest)> {
    let body_length = line.len().checked_sub(TAIL_BYTES)?;
    let (body, tail) = line.split_at_checked(body_length)?;
    let hex = tail.strip_prefix(KEY)?.strip_suffix(b"\"}")?;
    Some((body, Digest::parse_hex(hex)?))
}

/// Why a line doesn't follow from the one before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Broken {
    /// It has no digest at its end.
    #[error("line {line} is not a record")]
    NoRecord {
        /// Counted from 0.
        line: usize,
    },
    /// Its digest is not the one its body and the record before it have.
    #[error("line {line} does not follow from the one before it")]
    Differs {
        /// Counted from 0.
        line: usize,
    },
}

/// Checks that the lines, without their line feeds, follow from `previous` and from each other, and
/// gives the last digest.
///
/// # Errors
/// [`Broken`] with the first line that doesn't.
pub fn verify<'a>(
    previous: Digest,
    lines: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Digest, Broken> {
    lines.into_iter().enumerate().try_fold(previous, |previous, (line, bytes)| {
        let (body, claimed) = split(bytes).ok_or(Broken::NoRecord { line })?;
        let digest = link(&previous, body);
        if digest == claimed { Ok(digest) } else { Err(Broken::Differs { line }) }
    })
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

const KEY: &[u8] = b",\"chain\":\"";
/// The key, 64 digits, and `"}`.
const TAIL_BYTES: usize = KEY.len() + 64 + 2;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(bodies: &[String]) -> (Vec<Vec<u8>>, Digest) {
        let mut head = Digest::ZERO;
        let lines = bodies
            .iter()
            .map(|body| {
                let mut line = format!("{{\"text\":{}", serde_json::json!(body)).into_bytes();
                head = close(&mut line, 0, &head);
                line.pop();
                line
            })
            .collect();
        (lines, head)
    }

    #[test]
    fn a_closed_record_is_one_json_object() {
        let (lines, head) = lines(&["SELECT 1".to_owned()]);
        let value: serde_json::Value = serde_json::from_slice(&lines[0]).expect("is JSON");
        assert_eq!(value["chain"], head.to_string());
        assert_eq!(head.to_string().parse::<Digest>(), Ok(head));
    }

    #[test]
    fn a_digest_has_one_spelling() {
        let upper = Digest::of(b"x").to_string().to_ascii_uppercase();
        assert!(upper.parse::<Digest>().is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_changed_is_found(
            bodies in prop::collection::vec(any::<String>(), 1..12),
            at in any::<prop::sample::Index>(),
            byte in any::<prop::sample::Index>(),
            flip in 1_u8..=255,
        ) {
            let (mut lines, head) = lines(&bodies);
            let all = |lines: &[Vec<u8>]| verify(Digest::ZERO, lines.iter().map(Vec::as_slice));
            prop_assert_eq!(all(&lines), Ok(head));
            let line = at.index(lines.len());
            let position = byte.index(lines[line].len());
            lines[line][position] ^= flip;
            prop_assert!(all(&lines).is_err());
            lines[line][position] ^= flip;
            if line + 1 < lines.len() {
                lines.swap(line, line + 1);
                // Two equal bodies are still two different lines.
                prop_assert!(all(&lines).is_err());
                lines.swap(line, line + 1);
                lines.remove(line);
                prop_assert!(all(&lines).is_err());
            }
        }

        #[test]
        fn no_bytes_make_it_panic(line in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some((body, _)) = split(&line) {
                prop_assert!(body.len() < line.len());
            }
        }
    }
}
