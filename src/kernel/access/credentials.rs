//! What is kept of a log-in secret: enough to check it, not enough to log in with it.
//!
//! Salt and iterations belong to the principal, so that a client is challenged the same way whichever
//! of several live secrets it holds (two during a rotation). Making them is pure: randomness is an
//! argument.

use std::{fmt, num::NonZeroU32};

use ring::{digest, hmac, pbkdf2};

use crate::kernel::{secret::Secret, time::Timestamp};

/// The verifiers of one secret.
#[derive(Clone)]
pub struct ScramVerifier {
    /// SHA-256 of the client key (RFC 5802, section 3).
    pub stored_key: [u8; 32],
    /// The server key (RFC 5802, section 3).
    pub server_key: [u8; 32],
    /// SHA256(SHA256(secret)): what MySQL's caching_sha2_password fast path is checked against.
    pub sha2_digest: [u8; 32],
    /// SHA1(SHA1(secret)): what MySQL's mysql_native_password is checked against. `None`: it wasn't kept,
    /// because no listener took that method when the secret was made.
    pub native_digest: Option<[u8; 20]>,
    /// From when on it is no longer accepted; `None`: never.
    pub expires: Option<Timestamp>,
}

/// Everything a log-in of one principal is checked against.
#[derive(Clone, Debug)]
pub struct ScramCredentials {
    /// The principal's salt.
    pub salt: Vec<u8>,
    /// The principal's iteration count.
    pub iterations: u32,
    /// One per live secret; any of them may match. Empty: nobody can log in.
    pub verifiers: Vec<ScramVerifier>,
}

impl ScramVerifier {
    /// Derives the verifiers of a secret. Takes milliseconds: never on a session core. The secret
    /// must be printable ASCII, for which SASLprep changes nothing; the gateway's own secrets are.
    pub fn derive(secret: &Secret, salt: &[u8], iterations: NonZeroU32) -> Self {
        let mut salted = [0; 32];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, secret.reveal(), &mut salted);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
        salted.fill(0);
        let client_key = hmac::sign(&key, b"Client Key");
        let server_key = hmac::sign(&key, b"Server Key");
        let once = digest::digest(&digest::SHA256, secret.reveal());
        let sha1 = |bytes: &[u8]| digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
        Self {
            stored_key: array(digest::digest(&digest::SHA256, client_key.as_ref()).as_ref()),
            server_key: array(server_key.as_ref()),
            sha2_digest: array(digest::digest(&digest::SHA256, once.as_ref()).as_ref()),
            native_digest: sha1(sha1(secret.reveal()).as_ref()).as_ref().try_into().ok(),
            expires: None,
        }
    }

    /// True if it is still accepted at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|end| now < end)
    }
}

impl fmt::Debug for ScramVerifier {
    /// Keys stay out of every log, also the ones that can't log anybody in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramVerifier").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl ScramCredentials {
    /// The verifiers still accepted at `now`.
    pub fn live(&self, now: Timestamp) -> impl Iterator<Item = &ScramVerifier> {
        self.verifiers.iter().filter(move |v| v.is_live(now))
    }
}

/// SHA-256 and HMAC-SHA-256 give 32 bytes; anything else would be zeros, which match nothing.
fn array(bytes: &[u8]) -> [u8; 32] {
    bytes.try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |text, b| text + &format!("{b:02x}"))
    }

    #[test]
    fn the_verifier_matches_the_example_of_rfc_7677() {
        // User "user", password "pencil", salt W22ZaJ0SNY7soEsUEjb6gQ==, 4096 iterations. The
        // server signature in the RFC is made with this server key.
        let salt = [
            0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36,
            0xfa, 0x81,
        ];
        let iterations = NonZeroU32::new(4096).expect("not zero");
        let verifier = ScramVerifier::derive(&Secret::new("pencil"), &salt, iterations);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &verifier.server_key);
        let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
            s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let signature = hmac::sign(&key, message.as_bytes());
        // `v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=` in the RFC.
        assert_eq!(
            hex(signature.as_ref()),
            "eabae24d1062db75a9451ff0b6ea7e98c8546549ff741e672d3251b2397de46e"
        );
        assert_eq!(
            hex(&verifier.stored_key),
            "586e5df283e6dceb5c3e791d8b8528ec191e664045ce971792e2e6b5bb13e2a6"
        );
    }

    #[test]
    fn a_verifier_ends_at_its_expiry() {
        let iterations = NonZeroU32::new(1).expect("not zero");
        let mut verifier = ScramVerifier::derive(&Secret::new("x"), b"salt", iterations);
        assert!(verifier.is_live(Timestamp::FAR_FUTURE));
        verifier.expires = Some(Timestamp(10));
        assert!(verifier.is_live(Timestamp(9)) && !verifier.is_live(Timestamp(10)));
        assert!(!format!("{verifier:?}").contains("stored"));
    }
}
