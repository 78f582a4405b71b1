//! The key of hashes and shifts: HMAC-SHA-256 (RFC 2104), deterministic for a key and a value.

use std::fmt;

use ring::hmac;

/// The least bytes of a key.
pub const KEY_BYTES_MIN: usize = 16;

/// A key for masks. Whoever has it can test guesses against hashes, so it is kept as a secret.
#[derive(Clone)]
pub struct Key(hmac::Key);

/// A key that is too short to keep anybody from trying all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a mask key has at least {KEY_BYTES_MIN} bytes, this one has {0}")]
pub struct KeyError(pub usize);

/// What a digest is for. Each use has its own, so that a hash that is shown tells no shift.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// Shown in place of the value.
    Hash,
    /// How far a date or a time is moved.
    Shift,
    /// Tells keys apart.
    Name,
}

impl Key {
    /// From random bytes; what is used is `HMAC(key, …)`.
    ///
    /// # Errors
    /// Fewer than [`KEY_BYTES_MIN`] bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() < KEY_BYTES_MIN {
            return Err(KeyError(bytes.len()));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
    }

    pub(super) fn digest(&self, purpose: Purpose, value: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(match purpose {
            Purpose::Hash => b"h",
            Purpose::Shift => b"s",
            Purpose::Name => b"n",
        });
        context.update(value);
        let mut digest = [0; 32];
        // A SHA-256 tag has just as many bytes.
        for (to, from) in digest.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        digest
    }

    /// What people may know of it, to tell it from others: eight hexadecimal digits.
    pub fn name(&self) -> String {
        let [a, b, c, d, ..] = self.digest(Purpose::Name, b"");
        format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
    }

    /// A value's hash: what `hash` shows of it, in one form or another.
    pub fn hash(&self, value: &[u8]) -> [u8; 32] {
        self.digest(Purpose::Hash, value)
    }

    /// The hash of an integer, from 0 up: that of its decimal digits. A narrower type has the low bits
    /// of a wider one's, so that `wide & 2147483647 = narrow` joins them.
    pub fn hash_integer(&self, value: i64, bits: u32) -> i64 {
        let mut digits = Digits::default();
        let number = first(&self.hash(digits.of(value)));
        i64::try_from(number & (u64::MAX >> 64_u32.saturating_sub(bits.min(63)))).unwrap_or(0)
    }

    /// The hash of a UUID, that of its printed form in lower case: a UUID of version 8.
    pub fn hash_uuid(&self, value: [u8; 16]) -> [u8; 16] {
        let digest = self.hash(&uuid_text(value));
        let mut uuid = [0; 16];
        for (to, from) in uuid.iter_mut().zip(digest) {
            *to = from;
        }
        // Spec: RFC 9562, 4.1 and 5.8: the variant is 10, the version 8.
        let [.., version, _, variant, _, _, _, _, _, _, _] = &mut uuid;
        *version = *version & 0x0f | 0x80;
        *variant = *variant & 0x3f | 0x80;
        uuid
    }

    /// A number from 0 up to below `bound`, the same for the same value.
    pub(super) fn pick(&self, value: i64, bound: u64) -> u64 {
        // Over 64 bits of a digest the unevenness is nothing anybody could measure.
        first(&self.digest(Purpose::Shift, &value.to_be_bytes())) % bound.max(1)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// The first eight bytes of a digest, as a number.
fn first(digest: &[u8; 32]) -> u64 {
    digest.first_chunk().copied().map_or(0, u64::from_be_bytes)
}

/// The decimal digits of an integer, on the stack.
#[derive(Default)]
struct Digits([u8; 20]);

impl Digits {
    fn of(&mut self, value: i64) -> &[u8] {
        let mut rest = value.unsigned_abs();
        let mut at = self.0.len();
        for place in self.0.iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
            at -= 1;
            if rest == 0 {
                break;
            }
        }
        // The longest, i64::MIN, has 19 digits: there is room for the sign.
        if value < 0
            && let Some(sign) = self.0.get_mut(at.saturating_sub(1))
        {
            *sign = b'-';
            at -= 1;
        }
        self.0.get(at..).unwrap_or_default()
    }
}

/// The lower-case digit of a value below 16. PERFORMANCE: without a table, so that many are made at once.
const fn hex_digit(value: u8) -> u8 {
    value + if value < 10 { b'0' } else { b'a' - 10 }
}

/// Appends two lower-case hexadecimal digits a byte.
pub fn put_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len().saturating_mul(2));
    for some in bytes.chunks(32) {
        let mut digits = [[0_u8; 2]; 32];
        for (pair, byte) in digits.iter_mut().zip(some) {
            *pair = [hex_digit(byte >> 4), hex_digit(byte & 15)];
        }
        out.extend_from_slice(digits.get(..some.len()).unwrap_or_default().as_flattened());
    }
}

/// A UUID as it prints: lower-case hexadecimal digits in groups of 8, 4, 4, 4 and 12.
pub fn uuid_text(uuid: [u8; 16]) -> [u8; 36] {
    let mut text = [b'-'; 36];
    let digits = uuid.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let places = text.iter_mut().enumerate().filter(|(at, _)| !matches!(at, 8 | 13 | 18 | 23));
    for ((_, place), digit) in places.zip(digits) {
        *place = hex_digit(digit);
    }
    text
}

/// Reads a UUID as it prints, in either case. `None` for every other form.
pub fn parse_uuid(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 36 {
        return None;
    }
    let mut digits = [0_u8; 32];
    let mut places = digits.iter_mut();
    for (at, byte) in text.iter().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        *places.next()? = hex_value(*byte)?;
    }
    let mut uuid = [0; 16];
    for (to, pair) in uuid.iter_mut().zip(digits.chunks_exact(2)) {
        if let [high, low] = pair {
            *to = high << 4 | low;
        }
    }
    Some(uuid)
}

/// The value of a hexadecimal digit.
pub fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::new(b"0123456789abcdef").expect("long enough")
    }

    #[test]
    fn a_short_key_is_refused_and_none_is_printed() {
        assert_eq!(Key::new(b"short").err(), Some(KeyError(5)));
        assert_eq!(format!("{:?}", key()), "Key(…)");
    }

    #[test]
    fn integers_of_all_widths_and_their_text_have_one_digest() {
        for value in [0, 7, -7, 42, i64::MAX, i64::MIN, 1_000_000] {
            assert_eq!(Digits::default().of(value), value.to_string().as_bytes());
            let wide = key().hash_integer(value, 63);
            let digest = key().hash(value.to_string().as_bytes());
            let number = u64::from_be_bytes(*digest.first_chunk().expect("32 bytes"));
            assert_eq!(wide, i64::try_from(number & (u64::MAX >> 1)).expect("63 bits"));
            assert_eq!(key().hash_integer(value, 31), wide & 0x7fff_ffff);
            assert_eq!(key().hash_integer(value, 15), wide & 0x7fff);
        }
    }

    #[test]
    fn another_key_and_another_purpose_give_another_digest() {
        let other = Key::new(b"0123456789abcdeX").expect("long enough");
        assert_ne!(key().hash(b"x"), other.hash(b"x"));
        assert_ne!(key().hash(b"x"), key().digest(Purpose::Shift, b"x"));
    }

    #[test]
    fn a_hashed_uuid_is_of_version_8() {
        let uuid = parse_uuid(b"a0eebc99-9C0b-4ef8-bb6d-6bb9bd380a11").expect("a uuid");
        let hashed = uuid_text(key().hash_uuid(uuid));
        assert_eq!(hashed[14], b'8');
        assert!(matches!(hashed[19], b'8' | b'9' | b'a' | b'b'));
        assert_eq!(parse_uuid(&hashed), Some(key().hash_uuid(uuid)));
        assert_eq!(&uuid_text(uuid), b"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    }

    #[test]
    fn what_is_no_uuid_is_none() {
        for text in
            ["", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a}"]
        {
            assert_eq!(parse_uuid(text.as_bytes()), None);
        }
        assert_eq!(parse_uuid(b"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g"), None);
        assert_eq!(parse_uuid(b"a0eebc99a9c0b-4ef8-bb6d-6bb9bd380a11"), None);
    }
}
