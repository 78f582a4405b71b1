//! Text that is safe to judge.

use std::borrow::Cow;

use super::charset::{ClientText, NoText};
use crate::kernel::refusal::{Refusal, RefusalKind};

/// SQL text as a client sent it: valid UTF-8, no NUL, within a length limit.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct StatementText<'a>(&'a str);

/// Why a text can't be judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadText {
    /// Not UTF-8. Fail closed: the server would read other characters than we do.
    #[error("statement is not valid UTF-8")]
    NotUtf8,
    /// A NUL inside. Fail closed: C code behind us would stop there.
    #[error("statement contains a NUL byte")]
    Nul,
    /// No text in the client's encoding. Fail closed: the server refuses it too.
    #[error("statement is not understood: {0}")]
    NoText(NoText),
    /// Longer than the limit, in bytes.
    #[error("statement is {length} bytes long, the limit is {limit}")]
    TooLong {
        /// Its length.
        length: usize,
        /// The limit.
        limit: usize,
    },
}

impl From<BadText> for Refusal {
    fn from(bad: BadText) -> Self {
        let kind = match bad {
            BadText::NotUtf8 | BadText::Nul | BadText::NoText(_) => RefusalKind::NotAnalyzable,
            BadText::TooLong { .. } => RefusalKind::LimitExceeded,
        };
        Self::new(kind, bad.to_string())
    }
}

impl<'a> StatementText<'a> {
    /// Checks the bytes of one statement text, its terminating NUL already taken off.
    ///
    /// # Errors
    /// [`BadText`].
    pub fn new(bytes: &'a [u8], limit: usize) -> Result<Self, BadText> {
        if bytes.len() > limit {
            return Err(BadText::TooLong { length: bytes.len(), limit });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| BadText::NotUtf8)?;
        if bytes.contains(&0) {
            return Err(BadText::Nul);
        }
        Ok(Self(text))
    }

    /// The text that the server makes of a client's bytes, which may be in another encoding. The limit is
    /// that of the bytes.
    ///
    /// # Errors
    /// [`BadText`].
    pub fn read(bytes: &'a [u8], limit: usize, how: ClientText) -> Result<Cow<'a, str>, BadText> {
        if how.is_utf8() || how.is_ascii_only() {
            return Self::new(bytes, limit).map(|text| Cow::Borrowed(text.as_str()));
        }
        if bytes.len() > limit {
            return Err(BadText::TooLong { length: bytes.len(), limit });
        }
        if bytes.contains(&0) {
            return Err(BadText::Nul);
        }
        how.read(bytes).map_err(BadText::NoText)
    }

    /// The text.
    pub fn as_str(&self) -> &'a str {
        self.0
    }
}
