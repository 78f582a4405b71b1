//! The server's side: three messages, two steps.

use base64::Engine as _;

use super::{
    BASE64, Credentials, Key, NONCE_BYTES, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramError, Verifier,
    attribute, decode, equal, hash, nonce, sign, text, xor,
};

/// How many verifiers are tried at least: decoys fill up, so that the time doesn't tell whether a
/// name exists or how many passwords it has.
const TRIED_MIN: usize = 4;

/// What a server offers on one connection, in the order of its preference.
///
/// Spec: -PLUS only where there is a channel to bind to; libpq ends the connection otherwise.
pub fn mechanisms(end_point: Option<&[u8]>) -> &'static [&'static str] {
    if end_point.is_some() { &[SCRAM_SHA_256_PLUS, SCRAM_SHA_256] } else { &[SCRAM_SHA_256] }
}

/// After the client's first message: waits for its last.
#[derive(Debug)]
pub struct ExpectFinal {
    credentials: Credentials,
    /// The c= that the last message must have.
    channel: Vec<u8>,
    nonce: String,
    /// client-first-message-bare, a comma, server-first-message.
    so_far: String,
}

/// The client knows a password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proven {
    /// The server's last message, which proves that it knew.
    pub message: Vec<u8>,
    /// Which of the verifiers it was.
    pub matched: usize,
}

/// Reads the client's choice and first message; gives the next state and the message to send.
///
/// `end_point` is the digest of our certificate if the connection is under TLS; it must be what
/// [`mechanisms`] was asked with.
///
/// # Errors
/// [`ScramError`]; the log-in ends.
pub fn start(
    mechanism: &[u8],
    message: &[u8],
    end_point: Option<&[u8]>,
    credentials: Credentials,
    random: &[u8; NONCE_BYTES],
) -> Result<(ExpectFinal, Vec<u8>), ScramError> {
    let binds = match mechanism {
        name if name == SCRAM_SHA_256.as_bytes() => false,
        name if name == SCRAM_SHA_256_PLUS.as_bytes() && end_point.is_some() => true,
        _ => return Err(ScramError::Malformed("a mechanism that was not offered")),
    };
    let message = text(message)?;
    let (flag, after) = message.split_once(',').ok_or(ScramError::Malformed("no GS2 header"))?;
    match (flag, binds) {
        ("n", false) | ("p=tls-server-end-point", true) => {}
        ("y", false) if end_point.is_none() => {}
        ("y", _) => return Err(ScramError::Downgraded),
        _ => return Err(ScramError::Malformed("GS2 flag and mechanism differ")),
    }
    let bare = after
        .strip_prefix(',')
        .ok_or(ScramError::Malformed("authorization identities are not supported"))?;
    let mut rest = bare;
    attribute(&mut rest, "n")?;
    // What follows the nonce are extensions, which we may ignore; an `m=` before it we may not.
    let theirs = nonce(attribute(&mut rest, "r")?)?;

    let nonce = format!("{theirs}{}", BASE64.encode(random));
    let salt = BASE64.encode(&credentials.salt);
    let reply = format!("r={nonce},s={salt},i={}", credentials.iterations);
    let mut channel = format!("{flag},,").into_bytes();
    if binds {
        channel.extend_from_slice(end_point.unwrap_or_default());
    }
    let so_far = format!("{bare},{reply}");
    Ok((ExpectFinal { credentials, channel, nonce, so_far }, reply.into_bytes()))
}

impl ExpectFinal {
    /// Reads the client's last message.
    ///
    /// # Errors
    /// [`ScramError`]; nothing in it or in the time it took says how near the proof was.
    pub fn finish(self, message: &[u8]) -> Result<Proven, ScramError> {
        let message = text(message)?;
        let (without_proof, proof) =
            message.rsplit_once(",p=").ok_or(ScramError::Malformed("no proof"))?;
        let mut rest = without_proof;
        if decode(attribute(&mut rest, "c")?)? != self.channel {
            return Err(ScramError::OtherChannel);
        }
        if attribute(&mut rest, "r")? != self.nonce {
            return Err(ScramError::Malformed("nonce"));
        }
        let proof: Key =
            decode(proof)?.try_into().map_err(|_| ScramError::Malformed("length of the proof"))?;
        let signed = format!("{},{without_proof}", self.so_far);
        let (matched, server_key) = self.matching(&proof, signed.as_bytes())?;
        let signature = BASE64.encode(sign(&server_key, signed.as_bytes()));
        Ok(Proven { message: format!("v={signature}").into_bytes(), matched })
    }

    /// Tries all verifiers, whichever matches.
    fn matching(&self, proof: &Key, signed: &[u8]) -> Result<(usize, Key), ScramError> {
        let decoy = Verifier { stored_key: [0; 32], server_key: [0; 32] };
        let tried = self.credentials.verifiers.len().max(TRIED_MIN);
        let mut found = None;
        for at in 0..tried {
            let real = self.credentials.verifiers.get(at);
            let verifier = real.unwrap_or(&decoy);
            let client_key = xor(proof, &sign(&verifier.stored_key, signed));
            let matches = equal(&hash(&client_key), &verifier.stored_key);
            if matches & real.is_some() {
                found = Some((at, verifier.server_key));
            }
        }
        found.ok_or(ScramError::WrongProof)
    }
}
