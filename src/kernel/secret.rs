//! Values that are never printed and are wiped when dropped.

use std::fmt;

/// Bytes of a password, a token or a key.
///
/// `Debug` shows nothing, unconditionally; there is no `Display`. Reading the bytes is spelled
/// [`Secret::reveal`] so that every place that does it can be found.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes ownership of the bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes in clear.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }

    /// True if there are no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    /// Overwrites the bytes. Best effort: without `unsafe` the compiler could in theory leave the
    /// stores out, so they are passed through `black_box`.
    fn drop(&mut self) {
        self.0.fill(0);
        std::hint::black_box(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_nothing() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }
}
