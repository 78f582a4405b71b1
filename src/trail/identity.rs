//! Who a node is: its id and the key that signs its checkpoints.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};

use crate::{
    kernel::{audit::Digest, secret::Secret},
    trail::TrailError,
};

/// A node's Ed25519 key and the id that follows from it.
pub struct Identity {
    key: Ed25519KeyPair,
    node: String,
}

impl Identity {
    /// Reads `node.key` in the folder, or makes it there, readable by its owner only. The public
    /// half is put beside it, in `node.pub`, for whoever verifies.
    ///
    /// # Errors
    /// [`TrailError::Io`] or [`TrailError::Key`].
    pub fn load_or_create(data_dir: &Path) -> Result<Self, TrailError> {
        let path = data_dir.join("node.key");
        let pkcs8 = secret_file(&path, |random| {
            let document = Ed25519KeyPair::generate_pkcs8(random).ok()?;
            Some(Secret::new(document.as_ref()))
        })?;
        let key = Ed25519KeyPair::from_pkcs8(pkcs8.reveal())
            .map_err(|error| TrailError::Key { path, why: error.to_string() })?;
        let identity = Self::from_key(key);
        let public = data_dir.join("node.pub");
        let line = format!("{}\n", identity.public_key());
        if fs::read_to_string(&public).ok().as_deref() != Some(&line) {
            fs::write(&public, line).map_err(TrailError::io("write", &public))?;
        }
        Ok(identity)
    }

    /// An identity of its own, for tests and tools.
    ///
    /// # Errors
    /// [`TrailError::Key`] if there are no random numbers.
    pub fn generate() -> Result<Self, TrailError> {
        let why = |error: String| TrailError::Key { path: "(generated)".into(), why: error };
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|error| why(error.to_string()))?;
        Ed25519KeyPair::from_pkcs8(document.as_ref())
            .map(Self::from_key)
            .map_err(|error| why(error.to_string()))
    }

    /// The node's id: 16 hexadecimal digits of the digest of its public key, so that it can't be
    /// claimed by who hasn't the key.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// The public key.
    pub fn public_key(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.key.public_key().as_ref());
        PublicKey(bytes)
    }

    /// Signs.
    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.key.sign(message).as_ref());
        signature
    }

    fn from_key(key: Ed25519KeyPair) -> Self {
        let node = node_of(key.public_key().as_ref());
        Self { key, node }
    }
}

/// What verifies a node's signatures. Displays and reads as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The id of the node whose key it is.
    pub fn node(&self) -> String {
        node_of(&self.0)
    }

    /// Reads `node.pub`.
    ///
    /// # Errors
    /// [`TrailError::Io`] or [`TrailError::Key`].
    pub fn load(path: &Path) -> Result<Self, TrailError> {
        let text = fs::read_to_string(path).map_err(TrailError::io("read", path))?;
        text.trim()
            .parse()
            .map_err(|why: &str| TrailError::Key { path: path.to_owned(), why: why.to_owned() })
    }

    /// True if this key signed this message.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).is_ok()
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Digest(self.0).fmt(f)
    }
}

impl std::str::FromStr for PublicKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let digits = Digest::parse_hex(text.as_bytes());
        digits.map(|d| Self(d.0)).ok_or("expected 64 hexadecimal digits")
    }
}

/// The key for `audit.parameters = "hmac"`, in `audit-hmac.key` in the folder; made there if it is
/// not. Several gateways that should give equal values equal digests share the file.
///
/// # Errors
/// [`TrailError::Io`] or [`TrailError::Key`].
pub fn parameter_key(data_dir: &Path) -> Result<hmac::Key, TrailError> {
    let path = data_dir.join("audit-hmac.key");
    let key = secret_file(&path, |random| {
        let mut bytes = [0; 32];
        random.fill(&mut bytes).ok()?;
        Some(Secret::new(bytes))
    })?;
    if key.reveal().len() < 32 {
        return Err(TrailError::Key { path, why: "it is shorter than 32 bytes".to_owned() });
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, key.reveal()))
}

/// Reads a file of secret bytes, or makes it with mode 0600. It comes into being whole: a crash
/// leaves no half of a key.
fn secret_file(
    path: &Path,
    make: impl FnOnce(&SystemRandom) -> Option<Secret>,
) -> Result<Secret, TrailError> {
    match fs::read(path) {
        Ok(bytes) => return Ok(Secret::new(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(TrailError::io("read", path)(error)),
    }
    let secret = make(&SystemRandom::new()).ok_or_else(|| TrailError::Key {
        path: path.to_owned(),
        why: "the system has no random numbers".to_owned(),
    })?;
    let draft = path.with_extension("key.new");
    let write = || {
        fs::remove_file(&draft).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(secret.reveal())?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().map_err(TrailError::io("write", path))?;
    Ok(secret)
}

fn node_of(public_key: &[u8]) -> String {
    let mut digits = Digest::of(public_key).to_string();
    digits.truncate(16);
    digits
}
