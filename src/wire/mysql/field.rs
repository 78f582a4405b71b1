//! The inside of a packet: little-endian numbers, lengths of variable width, strings of four kinds.
//!
//! Spec: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_data_types.html>.

use crate::wire::WireError;

/// The first byte of a cell that is NULL in a text row.
pub const NULL: u8 = 0xfb;

/// Reads the fields of one packet from front to back. Never past its end, and [`Fields::end`] says whether
/// anything is left.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    tag: u8,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Over a packet's payload; `tag` is for errors.
    pub fn new(tag: u8, bytes: &'a [u8]) -> Self {
        Self { tag, rest: bytes }
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, WireError> {
        self.chunk::<1>().map(|[byte]| byte)
    }

    /// The next two bytes.
    pub fn u16(&mut self) -> Result<u16, WireError> {
        self.chunk().map(u16::from_le_bytes)
    }

    /// The next three bytes.
    pub fn u24(&mut self) -> Result<u32, WireError> {
        self.chunk::<3>().map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    /// The next four bytes.
    pub fn u32(&mut self) -> Result<u32, WireError> {
        self.chunk().map(u32::from_le_bytes)
    }

    /// The next eight bytes.
    pub fn u64(&mut self) -> Result<u64, WireError> {
        self.chunk().map(u64::from_le_bytes)
    }

    /// A number of one, three, four or nine bytes. Its short forms aren't insisted on, as by servers and
    /// clients.
    ///
    /// # Errors
    /// The first byte is that of NULL or of an error, or the rest isn't there.
    pub fn number(&mut self) -> Result<u64, WireError> {
        match self.byte()? {
            0xfc => self.u16().map(u64::from),
            0xfd => self.u24().map(u64::from),
            0xfe => self.u64(),
            NULL | 0xff => Err(WireError::BadValue { what: "length" }),
            small => Ok(u64::from(small)),
        }
    }

    /// A number and so many bytes.
    pub fn string(&mut self) -> Result<&'a [u8], WireError> {
        let length = usize::try_from(self.number()?).map_err(|_| self.truncated())?;
        self.bytes(length)
    }

    /// The same, or the mark of NULL: a cell of a text row.
    pub fn cell(&mut self) -> Result<Option<&'a [u8]>, WireError> {
        if self.rest.first() == Some(&NULL) {
            self.byte()?;
            return Ok(None);
        }
        self.string().map(Some)
    }

    /// The bytes up to the next NUL, which is taken too.
    pub fn terminated(&mut self) -> Result<&'a [u8], WireError> {
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

    /// So many bytes, as an array.
    pub fn chunk<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (chunk, rest) = self.rest.split_first_chunk::<N>().ok_or(self.truncated())?;
        self.rest = rest;
        Ok(*chunk)
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// The next byte, which stays.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// True if nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Says that the packet must end here.
    pub fn end(&self) -> Result<(), WireError> {
        if self.rest.is_empty() { Ok(()) } else { Err(WireError::TrailingBytes { tag: self.tag }) }
    }

    /// The error for a field that runs past the end.
    fn truncated(&self) -> WireError {
        WireError::Truncated { tag: self.tag }
    }
}

/// Appends a number in its shortest form.
pub fn put_number(out: &mut Vec<u8>, number: u64) {
    match number {
        0..=0xfa => out.push(number as u8),
        0xfb..=0xffff => {
            out.push(0xfc);
            out.extend((number as u16).to_le_bytes());
        }
        0x1_0000..=0xff_ffff => {
            out.push(0xfd);
            out.extend(number.to_le_bytes().into_iter().take(3));
        }
        0x100_0000.. => {
            out.push(0xfe);
            out.extend(number.to_le_bytes());
        }
    }
}

/// Appends a length and the bytes.
pub fn put_string(out: &mut Vec<u8>, string: &[u8]) {
    put_number(out, string.len() as u64);
    out.extend_from_slice(string);
}

/// Appends a cell of a text row.
pub fn put_cell(out: &mut Vec<u8>, cell: Option<&[u8]>) {
    match cell {
        None => out.push(NULL),
        Some(bytes) => put_string(out, bytes),
    }
}

/// Appends a NUL-terminated string. NULs inside are left out: they would end the field early and turn
/// what follows into fields of its own.
pub fn put_terminated(out: &mut Vec<u8>, string: &[u8]) {
    out.extend(string.iter().filter(|byte| **byte != 0));
    out.push(0);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_has_the_shortest_form_that_is_no_mark() {
        for (number, bytes) in [
            (0, &[0][..]),
            (0xfa, &[0xfa]),
            (0xfb, &[0xfc, 0xfb, 0]),
            (0xffff, &[0xfc, 0xff, 0xff]),
            (0x1_0000, &[0xfd, 0, 0, 1]),
            (0xff_ffff, &[0xfd, 0xff, 0xff, 0xff]),
            (0x100_0000, &[0xfe, 0, 0, 0, 1, 0, 0, 0, 0]),
        ] {
            let mut out = Vec::new();
            put_number(&mut out, number);
            assert_eq!(out, bytes, "{number}");
        }
    }

    #[test]
    fn null_and_the_mark_of_an_error_are_no_lengths() {
        for mark in [0xfb, 0xff] {
            assert!(Fields::new(0, &[mark, 1, 2]).number().is_err());
        }
        assert_eq!(Fields::new(0, &[0xfb, 1]).cell(), Ok(None));
        assert!(Fields::new(0, &[0xff, 1]).cell().is_err());
    }

    #[test]
    fn a_length_beyond_the_packet_is_refused() {
        let huge = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(Fields::new(3, &huge).string(), Err(WireError::Truncated { tag: 3 }));
        assert_eq!(Fields::new(3, &[2, 1]).string(), Err(WireError::Truncated { tag: 3 }));
        assert_eq!(Fields::new(3, b"abc").terminated(), Err(WireError::Truncated { tag: 3 }));
    }

    proptest! {
        #[test]
        fn numbers_and_strings_come_back(number: u64, string in prop::collection::vec(any::<u8>(), 0..600)) {
            let mut out = Vec::new();
            put_number(&mut out, number);
            put_cell(&mut out, Some(&string));
            put_cell(&mut out, None);
            let mut fields = Fields::new(0, &out);
            prop_assert_eq!(fields.number(), Ok(number));
            prop_assert_eq!(fields.cell(), Ok(Some(&string[..])));
            prop_assert_eq!(fields.cell(), Ok(None));
            prop_assert_eq!(fields.end(), Ok(()));
        }
    }
}
