//! The inside of a message: reading fields strictly, and writing them with the length filled in.

use crate::wire::WireError;

/// Reads the fields of one message from front to back. Never past its end, and [`Body::end`] says
/// whether anything is left.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    tag: u8,
    rest: &'a [u8],
}

impl<'a> Body<'a> {
    /// Over the bytes after a message's header; `tag` is for errors.
    pub fn new(tag: u8, bytes: &'a [u8]) -> Self {
        Self { tag, rest: bytes }
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, WireError> {
        self.chunk::<1>().map(|[byte]| byte)
    }

    /// The next two bytes, as a signed number.
    pub fn i16(&mut self) -> Result<i16, WireError> {
        self.chunk().map(i16::from_be_bytes)
    }

    /// The next two bytes, as a count.
    ///
    /// Spec: counts are documented as Int16 but used as unsigned, up to 65,535 parameters.
    pub fn count(&mut self) -> Result<usize, WireError> {
        self.chunk().map(|bytes| usize::from(u16::from_be_bytes(bytes)))
    }

    /// The next four bytes, as a signed number.
    pub fn i32(&mut self) -> Result<i32, WireError> {
        self.chunk().map(i32::from_be_bytes)
    }

    /// The next four bytes, as an object id.
    pub fn oid(&mut self) -> Result<u32, WireError> {
        self.chunk().map(u32::from_be_bytes)
    }

    /// The bytes up to the next NUL, which is taken too.
    pub fn string(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.rest.iter().position(|byte| *byte == 0).ok_or(self.truncated())?;
        let string = self.bytes(length)?;
        self.byte()?;
        Ok(string)
    }

    /// So many bytes.
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(self.truncated())?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A length and so many bytes; −1 is NULL, other negative lengths are refused.
    pub fn value(&mut self) -> Result<Option<&'a [u8]>, WireError> {
        match self.i32()? {
            -1 => Ok(None),
            length => {
                let length = usize::try_from(length)
                    .map_err(|_| WireError::BadValue { what: "length of a value" })?;
                self.bytes(length).map(Some)
            }
        }
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Goes on with these, which are its last bytes.
    pub(super) fn skip_to(&mut self, rest: &'a [u8]) {
        self.rest = rest;
    }

    /// True if nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Says that the message must end here.
    pub fn end(&self) -> Result<(), WireError> {
        if self.rest.is_empty() { Ok(()) } else { Err(WireError::TrailingBytes { tag: self.tag }) }
    }

    /// The error for a field that runs past the end.
    fn truncated(&self) -> WireError {
        WireError::Truncated { tag: self.tag }
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (chunk, rest) = self.rest.split_first_chunk::<N>().ok_or(self.truncated())?;
        self.rest = rest;
        Ok(*chunk)
    }
}

/// Appends one message; its length is filled in after `fields` has written the body.
pub fn message(out: &mut Vec<u8>, tag: u8, fields: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag);
    untagged(out, fields);
}

/// Appends one start-up packet: as [`message`], without a tag.
pub fn untagged(out: &mut Vec<u8>, fields: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; 4]);
    fields(out);
    let length = i32::try_from(out.len().saturating_sub(start)).unwrap_or(i32::MAX);
    if let Some(place) = out.get_mut(start..).and_then(<[u8]>::first_chunk_mut::<4>) {
        *place = length.to_be_bytes();
    }
}

/// Appends a NUL-terminated string. NULs inside are left out: they would end the field early and
/// turn what follows into fields of its own.
pub fn put_string(out: &mut Vec<u8>, string: &[u8]) {
    out.extend(string.iter().filter(|byte| **byte != 0));
    out.push(0);
}

/// Appends a length and the bytes; −1 for NULL.
pub fn put_value(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        None => out.extend((-1_i32).to_be_bytes()),
        Some(bytes) => {
            out.extend(i32::try_from(bytes.len()).unwrap_or(i32::MAX).to_be_bytes());
            out.extend_from_slice(bytes);
        }
    }
}

/// Appends a count of two bytes; what doesn't fit is a caller's mistake and becomes the largest.
pub fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend(u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_ends_at_its_nul_and_not_before() {
        let mut body = Body::new(b'Q', b"ab\0c");
        assert_eq!(body.string(), Ok(&b"ab"[..]));
        assert_eq!(body.string(), Err(WireError::Truncated { tag: b'Q' }));
        assert_eq!(body.end(), Err(WireError::TrailingBytes { tag: b'Q' }));
    }

    #[test]
    fn only_minus_one_is_null() {
        let value = |bytes: &[u8]| Body::new(b'B', bytes).value().map(|v| v.map(<[u8]>::to_vec));
        assert_eq!(value(&[255, 255, 255, 255]), Ok(None));
        assert!(value(&[255, 255, 255, 254]).is_err());
        assert!(value(&[0, 0, 0, 2, 1]).is_err());
        assert_eq!(value(&[0, 0, 0, 1, 7, 8]), Ok(Some(vec![7])));
    }

    #[test]
    fn a_written_string_can_not_smuggle_a_field() {
        let mut out = Vec::new();
        message(&mut out, b'Q', |out| put_string(out, b"a\0b"));
        assert_eq!(out, b"Q\0\0\0\x07ab\0");
    }
}
