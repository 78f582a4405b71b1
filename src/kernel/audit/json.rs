//! Writes one JSON object by hand: keys in the order of the calls, no allocation of its own.

use std::fmt::{self, Write as _};

use crate::kernel::time::Timestamp;

/// A key with the comma before it and the colon behind it.
macro_rules! key {
    ($name:literal) => {
        concat!(",\"", $name, "\":")
    };
}
pub(super) use key;

/// An object being written to the end of a buffer. A record is never closed here: its digest is
/// still to come.
pub(super) struct Object<'b> {
    out: &'b mut Vec<u8>,
    empty: bool,
}

impl<'b> Object<'b> {
    /// Opens an object.
    pub(super) fn open(out: &'b mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Closes it.
    pub(super) fn close(self) {
        self.out.push(b'}');
    }

    #[inline]
    pub(super) fn text(&mut self, key: &'static str, value: &str) {
        self.key(key);
        push_text(self.out, value);
    }

    /// A value that has nothing to escape, because we wrote it.
    #[inline]
    pub(super) fn word(&mut self, key: &'static str, value: &'static str) {
        self.key(key);
        self.out.push(b'"');
        self.out.extend_from_slice(value.as_bytes());
        self.out.push(b'"');
    }

    pub(super) fn text_if(&mut self, key: &'static str, value: &str) {
        if !value.is_empty() {
            self.text(key, value);
        }
    }

    pub(super) fn shown(&mut self, key: &'static str, value: impl fmt::Display) {
        self.key(key);
        push_shown(self.out, value);
    }

    pub(super) fn number(&mut self, key: &'static str, value: u64) {
        self.key(key);
        push_number(self.out, value);
    }

    /// `G-42`: a number behind what says whose it is.
    pub(super) fn numbered(&mut self, key: &'static str, before: &str, value: u64) {
        self.key(key);
        self.out.push(b'"');
        self.out.extend_from_slice(before.as_bytes());
        push_number(self.out, value);
        self.out.push(b'"');
    }

    pub(super) fn flag(&mut self, key: &'static str, value: bool) {
        self.key(key);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    pub(super) fn time(&mut self, key: &'static str, value: Timestamp) {
        self.key(key);
        push_time(self.out, value);
    }

    /// Text that is JSON already.
    pub(super) fn raw(&mut self, key: &'static str, json: &str) {
        self.key(key);
        self.out.extend_from_slice(json.as_bytes());
    }

    /// An array whose items the closure writes, one call each.
    pub(super) fn array<T>(
        &mut self,
        key: &'static str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Vec<u8>, T),
    ) {
        self.key(key);
        self.out.push(b'[');
        let mut first = true;
        for item in items {
            if !first {
                self.out.push(b',');
            }
            first = false;
            write(self.out, item);
        }
        self.out.push(b']');
    }

    /// Keys are written as [`key!`] makes them: inlined, each is a store of its constant bytes.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "measured: the keys are half of a record")]
    fn key(&mut self, key: &'static str) {
        let key = if self.empty { key.strip_prefix(',').unwrap_or(key) } else { key };
        self.empty = false;
        self.out.extend_from_slice(key.as_bytes());
    }
}

/// Writes a string with its quotes.
pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    push_escaped(out, text);
    out.push(b'"');
}

/// Writes what a value displays as a string.
pub(super) fn push_shown(out: &mut Vec<u8>, value: impl fmt::Display) {
    out.push(b'"');
    // Writing to a vector can't fail; a `Display` that errs ends the text early.
    write!(Escaping(out), "{value}").ok();
    out.push(b'"');
}

/// Writes a number in decimal digits.
pub(super) fn push_number(out: &mut Vec<u8>, value: u64) {
    let mut digits = [b'0'; 20];
    let (mut rest, mut from) = (value, digits.len());
    // Two at a time: divisions are what this costs.
    while rest >= 100 {
        from -= 2;
        put_pair(&mut digits, from, (rest % 100) as u32);
        rest /= 100;
    }
    if rest >= 10 {
        from -= 2;
        put_pair(&mut digits, from, rest as u32);
    } else {
        from -= 1;
        digits[from] = b'0' + rest as u8;
    }
    out.extend_from_slice(digits.get(from..).unwrap_or_default());
}

/// Puts two decimal digits at this place.
#[inline]
fn put_pair(digits: &mut [u8], at: usize, value: u32) {
    if let Some([ten, one]) = digits.get_mut(at..at + 2) {
        *ten = b'0' + (value / 10 % 10) as u8;
        *one = b'0' + (value % 10) as u8;
    }
}

/// Writes lower-case hexadecimal digits, without quotes.
pub(super) fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(bytes.iter().flat_map(|byte| hex(*byte)));
}

/// The 64 digits of a digest.
pub(super) fn hex_of(digest: &[u8; 32]) -> [u8; 64] {
    let mut digits = [0; 64];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(digest) {
        pair.copy_from_slice(&hex(*byte));
    }
    digits
}

#[inline]
fn hex(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|n| if n < 10 { b'0' + n } else { b'a' - 10 + n })
}

/// Writes the inside of a string, without its quotes.
pub(super) fn push_escaped(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    // Nearly always all are plain; without an early end the look at them compiles to vector code.
    if bytes.iter().fold(true, |plain, byte| plain & is_plain(*byte)) {
        return out.extend_from_slice(bytes);
    }
    let mut plain_from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if is_plain(byte) {
            continue;
        }
        out.extend_from_slice(bytes.get(plain_from..at).unwrap_or_default());
        plain_from = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                push_hex(out, &[byte]);
            }
        }
    }
    out.extend_from_slice(bytes.get(plain_from..).unwrap_or_default());
}

#[inline]
fn is_plain(byte: u8) -> bool {
    !matches!(byte, 0..=0x1f | b'"' | b'\\' | 0x7f)
}

/// The same form as [`Timestamp`] displays, without going through the formatter.
fn push_time(out: &mut Vec<u8>, time: Timestamp) {
    let seconds = time.seconds();
    let (year, month, day) = time.date();
    let Ok(year @ 0..=9999) = u32::try_from(year) else {
        return push_shown(out, time);
    };
    let second = seconds.rem_euclid(86_400) as u32;
    let micros = time.0.rem_euclid(1_000_000) as u32;
    let mut text = *b"\"0000-00-00T00:00:00.000000Z\"";
    for (at, value) in [
        (1, year / 100),
        (3, year),
        (6, month),
        (9, day),
        (12, second / 3600),
        (15, second / 60 % 60),
        (18, second % 60),
        (21, micros / 10_000),
        (23, micros / 100),
        (25, micros),
    ] {
        put_pair(&mut text, at, value % 100);
    }
    out.extend_from_slice(&text);
}

struct Escaping<'b>(&'b mut Vec<u8>);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        push_escaped(self.0, text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_reads_back_and_stays_on_its_line(text in any::<String>()) {
            let mut out = Vec::new();
            push_text(&mut out, &text);
            prop_assert!(!out.iter().any(|b| *b < 0x20 || *b == 0x7f));
            prop_assert_eq!(serde_json::from_slice::<String>(&out).expect("is JSON"), text);
        }

        #[test]
        fn any_number_reads_back(number in any::<u64>()) {
            let mut out = Vec::new();
            push_number(&mut out, number);
            prop_assert_eq!(String::from_utf8(out).expect("digits"), number.to_string());
        }

        #[test]
        fn times_are_written_as_they_display(micros in -4_000_000_000_000_000_i64..4_000_000_000_000_000) {
            let mut out = Vec::new();
            push_time(&mut out, Timestamp(micros));
            prop_assert_eq!(String::from_utf8(out).expect("text"), format!("\"{}\"", Timestamp(micros)));
        }
    }
}
