//! The client's side, for upstreams.

use base64::Engine as _;

use super::{
    BASE64, ITERATIONS_MAX, Key, Keys, NONCE_BYTES, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramError,
    array, attribute, decode, equal, nonce, sign, text, xor,
};

/// After our first message: waits for the server's challenge.
#[derive(Debug)]
pub struct ExpectChallenge {
    /// The GS2 header and what it binds to.
    channel: Vec<u8>,
    bare: String,
    nonce: String,
}

/// What must be derived from the password, and how.
#[derive(Debug)]
pub struct Challenge {
    /// The salt.
    pub salt: Vec<u8>,
    /// Rounds of PBKDF2, at most [`ITERATIONS_MAX`].
    pub iterations: u32,
    channel: Vec<u8>,
    nonce: String,
    so_far: String,
}

/// After our last message: waits for the server's proof.
#[derive(Debug)]
pub struct ExpectProof {
    signature: Key,
}

/// Chooses a mechanism: its name, the next state, and the message to send. `None` if none of those
/// offered is ours.
///
/// `end_point` is the digest of the server's certificate if the connection is under TLS.
pub fn start<'a>(
    offered: impl Iterator<Item = &'a [u8]>,
    end_point: Option<&[u8]>,
    random: &[u8; NONCE_BYTES],
) -> Option<(&'static str, ExpectChallenge, Vec<u8>)> {
    let (mut plain, mut plus) = (false, false);
    for name in offered {
        plain |= name == SCRAM_SHA_256.as_bytes();
        plus |= name == SCRAM_SHA_256_PLUS.as_bytes();
    }
    let (mechanism, header) = match end_point {
        Some(_) if plus => (SCRAM_SHA_256_PLUS, "p=tls-server-end-point,,"),
        // We could bind, and the server didn't say that it can: `y` tells it that we noticed.
        Some(_) if plain => (SCRAM_SHA_256, "y,,"),
        None if plain => (SCRAM_SHA_256, "n,,"),
        _ => return None,
    };
    let mut channel = header.as_bytes().to_vec();
    if mechanism == SCRAM_SHA_256_PLUS {
        channel.extend_from_slice(end_point.unwrap_or_default());
    }
    let nonce = BASE64.encode(random);
    // Spec: Postgres takes the name from the start-up message and wants none here.
    let bare = format!("n=,r={nonce}");
    let message = format!("{header}{bare}").into_bytes();
    Some((mechanism, ExpectChallenge { channel, bare, nonce }, message))
}

impl ExpectChallenge {
    /// Reads the server's first message.
    ///
    /// # Errors
    /// [`ScramError::Malformed`]: also for a nonce that doesn't begin with ours, and for more rounds
    /// than we are willing to run.
    pub fn challenge(self, message: &[u8]) -> Result<Challenge, ScramError> {
        let message = text(message)?;
        let mut rest = message;
        let both = nonce(attribute(&mut rest, "r")?)?;
        if !both.starts_with(&self.nonce) || both.len() == self.nonce.len() {
            return Err(ScramError::Malformed("nonce"));
        }
        let salt = decode(attribute(&mut rest, "s")?)?;
        let iterations = attribute(&mut rest, "i")?
            .parse()
            .ok()
            .filter(|rounds| (1..=ITERATIONS_MAX).contains(rounds))
            .ok_or(ScramError::Malformed("iterations"))?;
        Ok(Challenge {
            salt,
            iterations,
            channel: self.channel,
            nonce: both.to_owned(),
            so_far: format!("{},{message}", self.bare),
        })
    }
}

impl Challenge {
    /// Answers with the keys derived as the challenge says.
    pub fn respond(self, keys: &Keys) -> (ExpectProof, Vec<u8>) {
        let without_proof = format!("c={},r={}", BASE64.encode(&self.channel), self.nonce);
        let signed = format!("{},{without_proof}", self.so_far);
        let verifier = keys.verifier();
        let client_signature = sign(&verifier.stored_key, signed.as_bytes());
        let proof = xor(&array(keys.client.reveal()), &client_signature);
        let signature = sign(&verifier.server_key, signed.as_bytes());
        let message = format!("{without_proof},p={}", BASE64.encode(proof));
        (ExpectProof { signature }, message.into_bytes())
    }
}

impl ExpectProof {
    /// Reads the server's last message.
    ///
    /// # Errors
    /// [`ScramError::ServerNotProven`]: this isn't the server that knows our password.
    pub fn verify(self, message: &[u8]) -> Result<(), ScramError> {
        let mut rest = text(message)?;
        let proof = attribute(&mut rest, "v").and_then(decode);
        let proof: Key = proof
            .ok()
            .and_then(|proof| proof.try_into().ok())
            .ok_or(ScramError::ServerNotProven)?;
        if equal(&proof, &self.signature) { Ok(()) } else { Err(ScramError::ServerNotProven) }
    }
}
