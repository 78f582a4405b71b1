//! SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, both sides, as pure steps: bytes in, bytes out. Nonces are
//! arguments. Each state owns what is true then, and the next step consumes it.
//!
//! Spec: RFC 5802 and 7677; like Postgres, the user name inside is ignored (the start-up message has
//! it), authorization identities are refused, and `tls-server-end-point` is the only channel binding.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::{digest, hmac, pbkdf2};

use crate::kernel::{
    refusal::{Refusal, RefusalKind},
    secret::Secret,
};

pub mod client;
pub mod server;

/// The mechanism without channel binding.
pub const SCRAM_SHA_256: &str = "SCRAM-SHA-256";
/// The mechanism with it.
pub const SCRAM_SHA_256_PLUS: &str = "SCRAM-SHA-256-PLUS";

/// The longest message that is read, in bytes: the server's own limit.
pub const MESSAGE_LENGTH_MAX: usize = 1024;

/// Bytes of a salt as we make them.
pub const SALT_LENGTH: usize = 16;

/// Rounds of PBKDF2 as we ask for them: RFC 7677's least, since the secrets it protects are random.
pub const ITERATIONS: u32 = 4096;

/// The most rounds that an upstream may ask of us.
pub const ITERATIONS_MAX: u32 = 1_000_000;

/// Random bytes in a nonce; the server's own number.
pub const NONCE_BYTES: usize = 18;

/// A SHA-256 digest, or a key as long as one.
pub type Key = [u8; 32];

/// Why an exchange ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ScramError {
    /// A message isn't one.
    #[error("malformed SCRAM message: {0}")]
    Malformed(&'static str),
    /// The client thinks that we can't bind to the channel, and we said that we can: somebody between
    /// us took it out.
    #[error("the client supports SCRAM channel binding but thinks the server does not")]
    Downgraded,
    /// The client is bound to another channel than this one.
    #[error("SCRAM channel binding check failed")]
    OtherChannel,
    /// The password is wrong, or nobody has that name: alike on purpose.
    #[error("the proof is wrong")]
    WrongProof,
    /// The server doesn't know our password either, so it isn't the server.
    #[error("the server could not prove that it knows the password")]
    ServerNotProven,
}

impl ScramError {
    /// What the client `user` is told.
    pub fn refusal(&self, user: &str) -> Refusal {
        match self {
            Self::Malformed(_) => Refusal::new(RefusalKind::ProtocolViolation, self.to_string()),
            Self::Downgraded | Self::OtherChannel => {
                Refusal::new(RefusalKind::PrincipalDisabled, self.to_string())
            }
            Self::WrongProof | Self::ServerNotProven => wrong_password(user),
        }
    }
}

/// What is said to a wrong password and to an unknown name.
pub fn wrong_password(user: &str) -> Refusal {
    Refusal::new(
        RefusalKind::NotIdentified,
        format!("password authentication failed for user \"{user}\""),
    )
}

/// What a password leads to: kept instead of the password where it must be used again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keys {
    client: Secret,
    server: Secret,
}

impl Keys {
    /// Derives them: [`ITERATIONS`] rounds take a millisecond or two, so keep them for the next time.
    /// The password is prepared first, as Postgres and libpq do.
    pub fn derive(password: &Secret, salt: &[u8], iterations: u32) -> Self {
        let mut salted: Key = [0; 32];
        let rounds = std::num::NonZeroU32::new(iterations).unwrap_or(std::num::NonZeroU32::MIN);
        let prepared = prepare(password);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, prepared.reveal(), &mut salted);
        let keys = Self {
            client: Secret::new(sign(&salted, b"Client Key")),
            server: Secret::new(sign(&salted, b"Server Key")),
        };
        drop(Secret::new(salted));
        keys
    }

    /// What a server keeps of them.
    pub fn verifier(&self) -> Verifier {
        Verifier { stored_key: hash(self.client.reveal()), server_key: array(self.server.reveal()) }
    }
}

/// What a server keeps of one password: enough to recognize it and to prove that it does, too little
/// to log in with.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    /// The hash of the client's key.
    pub stored_key: Key,
    /// The server's key.
    pub server_key: Key,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier(…)")
    }
}

/// What a server keeps of one principal: several passwords may be good at a time, all derived with
/// one salt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// The salt.
    pub salt: Vec<u8>,
    /// Rounds of PBKDF2.
    pub iterations: u32,
    /// One for each password.
    pub verifiers: Vec<Verifier>,
}

/// A secret of the server that gives every name its salt, whether anybody has it or not.
#[derive(Clone, Debug)]
pub struct MockSecret(Secret);

impl MockSecret {
    /// At least 32 random bytes, the same on every start.
    pub fn new(secret: Secret) -> Self {
        Self(secret)
    }

    /// A name's salt. What follows an `@` makes no difference: it may name a target, and if only the
    /// name of one that there is were left out, the salt would say which there are.
    pub fn salt(&self, user: &[u8]) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.reveal());
        let name = user.split(|byte| *byte == b'@').next().unwrap_or_default();
        hmac::sign(&key, name).as_ref().iter().copied().take(SALT_LENGTH).collect()
    }

    /// Credentials for a name that nobody has. Nothing proves them.
    pub fn credentials(&self, user: &[u8]) -> Credentials {
        Credentials { salt: self.salt(user), iterations: ITERATIONS, verifiers: Vec::new() }
    }
}

/// Spec: SASLprep (RFC 4013). What can't be prepared is used as it stands, as Postgres does.
fn prepare(password: &Secret) -> Secret {
    let prepared = std::str::from_utf8(password.reveal())
        .ok()
        .and_then(|text| stringprep::saslprep(text).ok().map(std::borrow::Cow::into_owned));
    prepared.map_or_else(|| password.clone(), |text| Secret::new(text.into_bytes()))
}

fn sign(key: &[u8], message: &[u8]) -> Key {
    array(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref())
}

fn hash(bytes: &[u8]) -> Key {
    array(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Everything that goes in here is 32 bytes long by construction.
fn array(bytes: &[u8]) -> Key {
    bytes.first_chunk::<32>().copied().unwrap_or_default()
}

fn xor(left: &Key, right: &Key) -> Key {
    let mut out = *left;
    for (byte, other) in out.iter_mut().zip(right) {
        *byte ^= other;
    }
    out
}

/// Compares in a time that doesn't depend on where they differ.
fn equal(left: &Key, right: &Key) -> bool {
    let differing = xor(left, right).iter().fold(0, |sum, byte| sum | byte);
    std::hint::black_box(differing) == 0
}

/// The text of a message, if it can be one.
fn text(message: &[u8]) -> Result<&str, ScramError> {
    if message.len() > MESSAGE_LENGTH_MAX {
        return Err(ScramError::Malformed("too long"));
    }
    std::str::from_utf8(message).map_err(|_| ScramError::Malformed("not UTF-8"))
}

/// Takes `name=value` and a comma, if one follows, off the front.
fn attribute<'a>(rest: &mut &'a str, name: &str) -> Result<&'a str, ScramError> {
    let missing = ScramError::Malformed("an attribute is missing");
    let after = rest.strip_prefix(name).and_then(|after| after.strip_prefix('='));
    let after = after.ok_or(missing)?;
    let (value, left) = after.split_once(',').unwrap_or((after, ""));
    *rest = left;
    Ok(value)
}

/// A nonce is printable ASCII without commas.
fn nonce(text: &str) -> Result<&str, ScramError> {
    let good = !text.is_empty() && text.bytes().all(|b| (0x21..=0x7e).contains(&b) && b != b',');
    if good { Ok(text) } else { Err(ScramError::Malformed("nonce")) }
}

fn decode(text: &str) -> Result<Vec<u8>, ScramError> {
    BASE64.decode(text).map_err(|_| ScramError::Malformed("base64"))
}

#[cfg(test)]
mod tests;
