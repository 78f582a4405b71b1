//! Texts in other encodings than UTF-8: the client's own bytes are what is sent; what is judged is a copy
//! in UTF-8, made exactly as the server makes its own of them.
//!
//! Only encodings of one byte a character are read. They all agree with ASCII below 0x80, so that a
//! quote, a backslash or a letter of a keyword is the same byte for everybody; in SJIS, BIG5 and their like
//! it may be the second half of another character.
//!
//! A superuser can give a database a conversion of its own, a function in C, and make it the default one.
//! Who may do that has the server anyway: it isn't looked for.

mod tables;

use std::borrow::Cow;

use tables::CHARSETS;

/// An encoding of one byte a character.
pub struct Charset {
    /// As the server calls it.
    pub name: &'static str,
    /// All names that the server knows it by, without what it leaves out when it compares.
    names: &'static [&'static str],
    /// The characters of the bytes from 0x80 on; 0 where there is none.
    high: [u16; 128],
}

impl Charset {
    /// All that are read.
    pub fn all() -> &'static [Self] {
        &CHARSETS
    }

    /// The character of a byte, if it has one.
    pub(super) fn character(&self, byte: u8) -> Option<char> {
        let Some(high) = byte.checked_sub(0x80) else { return Some(char::from(byte)) };
        let code = self.high.get(usize::from(high)).copied().filter(|code| *code != 0)?;
        char::from_u32(u32::from(code))
    }

    /// The byte of a character, if it has one.
    fn byte(&self, c: char) -> Option<u8> {
        if c.is_ascii() {
            return u8::try_from(c).ok();
        }
        let code = u16::try_from(u32::from(c)).ok()?;
        let at = self.high.iter().position(|high| *high == code)?;
        u8::try_from(at).ok()?.checked_add(0x80)
    }

    /// The text that the server makes of these bytes.
    ///
    /// # Errors
    /// The first byte that is no character: the server refuses the text too.
    pub fn decode<'a>(&self, bytes: &'a [u8]) -> Result<Cow<'a, str>, u8> {
        if let Some(ascii) = as_ascii(bytes) {
            return Ok(Cow::Borrowed(ascii));
        }
        let mut text = String::with_capacity(bytes.len().saturating_mul(2));
        for byte in bytes {
            text.push(self.character(*byte).ok_or(*byte)?);
        }
        Ok(Cow::Owned(text))
    }

    /// The bytes of a text of ours. What has none is written in ASCII, or as a question mark.
    fn encode<'a>(&self, text: &'a str) -> Cow<'a, [u8]> {
        if text.is_ascii() {
            return Cow::Borrowed(text.as_bytes());
        }
        let mut bytes = Vec::with_capacity(text.len());
        for c in text.chars() {
            match self.byte(c) {
                Some(byte) => bytes.push(byte),
                None => bytes.extend_from_slice(in_ascii(c).as_bytes()),
            }
        }
        Cow::Owned(bytes)
    }
}

impl std::fmt::Debug for Charset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Charset {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Charset {}

/// What a value of `client_encoding` or `server_encoding` means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// `SQL_ASCII`: whatever bytes; nothing is converted where one side has it.
    Bytes,
    /// One byte a character.
    Table(&'static Charset),
    /// Several bytes a character, or none that the server knows.
    Other,
}

impl Encoding {
    /// By the server's own way to compare names: case and everything but letters and digits are left
    /// out.
    pub fn named(value: &str) -> Self {
        // Fail closed: what is a letter is a matter of the server's locale.
        if !value.is_ascii() {
            return Self::Other;
        }
        let bare: String = value
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        match bare.as_str() {
            "utf8" | "unicode" => Self::Utf8,
            "sqlascii" => Self::Bytes,
            bare => CHARSETS
                .iter()
                .find(|charset| charset.names.contains(&bare))
                .map_or(Self::Other, Self::Table),
        }
    }
}

/// What bytes of texts are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Code {
    Utf8,
    Table(&'static Charset),
    /// Nothing beyond ASCII is known.
    Ascii,
}

/// How a session's texts are encoded now: the client's as its server reads them, and those that the
/// gateway itself gives the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClientText {
    reads: Code,
    writes: Code,
}

impl ClientText {
    /// UTF-8 both ways.
    pub const UTF8: Self = Self { reads: Code::Utf8, writes: Code::Utf8 };

    /// Nobody knows: ASCII alone.
    pub const UNKNOWN: Self = Self { reads: Code::Ascii, writes: Code::Ascii };

    /// Of a session with this `client_encoding` at a server with this `server_encoding`.
    ///
    /// The server converts from one to the other by its tables. Where one side is `SQL_ASCII` it converts
    /// nothing: a client's bytes are then in the server's encoding, whatever they are called.
    pub fn of(client: &str, server: &str) -> Self {
        let server = Encoding::named(server);
        match Encoding::named(client) {
            Encoding::Utf8 => Self::UTF8,
            Encoding::Bytes => match server {
                Encoding::Utf8 | Encoding::Bytes => Self::UTF8,
                Encoding::Table(charset) => {
                    Self { reads: Code::Table(charset), writes: Code::Table(charset) }
                }
                Encoding::Other => Self::UNKNOWN,
            },
            Encoding::Table(charset) => {
                let known = match server {
                    Encoding::Utf8 => true,
                    Encoding::Table(own) => own == charset,
                    // Fail closed: from one table to another much has no equivalent, and into
                    // SQL_ASCII bytes go as they are, under whatever name the catalog then has them.
                    Encoding::Bytes | Encoding::Other => false,
                };
                let writes = Code::Table(charset);
                Self { reads: if known { writes } else { Code::Ascii }, writes }
            }
            Encoding::Other => Self::UNKNOWN,
        }
    }

    /// True if nothing but ASCII reads for sure.
    pub fn is_ascii_only(self) -> bool {
        self.reads == Code::Ascii
    }

    /// True if the client's texts are UTF-8 to the server.
    pub fn is_utf8(self) -> bool {
        self.reads == Code::Utf8
    }

    /// The text that the server makes of a client's bytes. Where [only ASCII](Self::is_ascii_only) is sure
    /// the caller looks at what comes out.
    ///
    /// # Errors
    /// [`NoText`].
    pub fn read(self, bytes: &[u8]) -> Result<Cow<'_, str>, NoText> {
        match self.reads {
            Code::Utf8 | Code::Ascii => {
                std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| NoText::NotUtf8)
            }
            Code::Table(charset) => {
                let name = charset.name;
                charset.decode(bytes).map_err(|byte| NoText::NoCharacter { byte, name })
            }
        }
    }

    /// A name in a message: the server converts it as it does texts, and it must be the same here and in
    /// SQL.
    ///
    /// # Errors
    /// [`NoText`].
    pub fn read_name(self, bytes: &[u8]) -> Result<Cow<'_, str>, NoText> {
        // Fail closed: the server may know it as another, and keep under ours something else.
        if self.is_ascii_only() && !bytes.is_ascii() {
            return Err(NoText::NotAscii);
        }
        self.read(bytes)
    }

    /// As [`Self::read`], with a replacement character for what is none. For people's eyes.
    pub fn read_lossy(self, bytes: &[u8]) -> Cow<'_, str> {
        match self.reads {
            Code::Utf8 | Code::Ascii => String::from_utf8_lossy(bytes),
            Code::Table(charset) => charset.decode(bytes).unwrap_or_else(|_| {
                let c = |byte: &u8| charset.character(*byte).unwrap_or(char::REPLACEMENT_CHARACTER);
                Cow::Owned(bytes.iter().map(c).collect())
            }),
        }
    }

    /// A text of the gateway's own as the client reads it.
    pub fn write(self, text: &str) -> Cow<'_, [u8]> {
        match self.writes {
            Code::Utf8 => Cow::Borrowed(text.as_bytes()),
            Code::Table(charset) => charset.encode(text),
            Code::Ascii if text.is_ascii() => Cow::Borrowed(text.as_bytes()),
            Code::Ascii => {
                let mut bytes = Vec::with_capacity(text.len());
                for c in text.chars() {
                    match u8::try_from(c) {
                        Ok(byte) if byte.is_ascii() => bytes.push(byte),
                        Ok(_) | Err(_) => bytes.extend_from_slice(in_ascii(c).as_bytes()),
                    }
                }
                Cow::Owned(bytes)
            }
        }
    }

    /// Where the last whole character of the beginning of a text for the client ends.
    pub fn whole(self, start: &[u8]) -> usize {
        match self.writes {
            Code::Utf8 => std::str::from_utf8(start).map_or_else(|e| e.valid_up_to(), str::len),
            Code::Table(_) => start.len(),
            Code::Ascii => start.iter().position(|b| !b.is_ascii()).unwrap_or(start.len()),
        }
    }
}

/// Why bytes are no text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoText {
    /// They should be UTF-8.
    #[error("not valid UTF-8")]
    NotUtf8,
    /// They should be ASCII.
    #[error("not ASCII, and client_encoding is none that is read")]
    NotAscii,
    /// A byte that stands for nothing. In the server's words.
    #[error(
        "character with byte sequence 0x{byte:02x} in encoding \"{name}\" has no equivalent in encoding \
         \"UTF8\""
    )]
    NoCharacter {
        /// The byte.
        byte: u8,
        /// The encoding.
        name: &'static str,
    },
}

fn as_ascii(bytes: &[u8]) -> Option<&str> {
    bytes.is_ascii().then(|| std::str::from_utf8(bytes).ok()).flatten()
}

/// What stands for a character that an encoding doesn't have.
fn in_ascii(c: char) -> &'static str {
    match c {
        '…' => "...",
        '–' | '—' | '‐' | '−' => "-",
        '‘' | '’' => "'",
        '“' | '”' | '„' => "\"",
        '→' => "->",
        '\u{a0}' => " ",
        _ => "?",
    }
}

#[cfg(test)]
mod tests;
