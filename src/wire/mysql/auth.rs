//! How a client proves that it knows a secret, as pure steps. The server's side; what the gateway proves
//! to an upstream is [`upstream`]'s.
//!
//! Spec: `caching_sha2_password` in
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html>,
//! `mysql_native_password` in
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods.html>.

use ring::digest;

use super::greeting::{NONCE_LENGTH, Nonce};

pub mod upstream;

/// The default method of MySQL since 8.0, which MariaDB's clients know too.
pub const CACHING_SHA2: &str = "caching_sha2_password";

/// The one before it: for old clients, where it is switched on.
pub const NATIVE: &str = "mysql_native_password";

/// The password itself, which is for TLS only.
pub const CLEAR: &str = "mysql_clear_password";

/// What a server says of a proof by [`CACHING_SHA2`] that it could check at once.
pub const FAST: u8 = 3;

/// What it says if it must see the password.
pub const FULL: u8 = 4;

/// What a client asks for that would encrypt the password with the server's key.
pub const ASKS_KEY: u8 = 2;

/// SHA256(SHA256(password)).
pub type Sha2Digest = [u8; 32];

/// SHA1(SHA1(password)).
pub type Sha1Digest = [u8; 20];

/// A nonce of these random bytes.
///
/// Spec: `generate_user_salt` of the server: seven bits, and neither NUL, which ends a field, nor `$`,
/// which ends a salt.
pub fn nonce(random: [u8; NONCE_LENGTH]) -> Nonce {
    random.map(|byte| match byte & 0x7f {
        byte @ (0 | b'$') => byte + 1,
        byte => byte,
    })
}

/// True if the proof, by [`CACHING_SHA2`], was made with the password of this digest. Takes the same time
/// for every proof of the right length.
pub fn proves_sha2(proof: &[u8], nonce: &Nonce, digest: &Sha2Digest) -> bool {
    let Ok(proof) = <&Sha2Digest>::try_from(proof) else { return false };
    let mask = sha256(&[digest, nonce]);
    let mut once = *proof;
    xor(&mut once, &mask);
    equal(&sha256(&[&once]), digest)
}

/// The same by [`NATIVE`].
pub fn proves_sha1(proof: &[u8], nonce: &Nonce, digest: &Sha1Digest) -> bool {
    let Ok(proof) = <&Sha1Digest>::try_from(proof) else { return false };
    let mask = sha1(&[nonce, digest]);
    let mut once = *proof;
    xor(&mut once, &mask);
    equal(&sha1(&[&once]), digest)
}

/// True if both are the same; takes the same time whatever differs.
pub fn is_same(left: &Sha2Digest, right: &Sha2Digest) -> bool {
    equal(left, right)
}

/// The digest that a password is checked by, for [`CACHING_SHA2`].
pub fn sha2_digest(password: &[u8]) -> Sha2Digest {
    sha256(&[&sha256(&[password])])
}

/// The same for [`NATIVE`].
pub fn sha1_digest(password: &[u8]) -> Sha1Digest {
    sha1(&[&sha1(&[password])])
}

fn sha256(parts: &[&[u8]]) -> Sha2Digest {
    of(&digest::SHA256, parts)
}

fn sha1(parts: &[&[u8]]) -> Sha1Digest {
    of(&digest::SHA1_FOR_LEGACY_USE_ONLY, parts)
}

fn of<const N: usize>(algorithm: &'static digest::Algorithm, parts: &[&[u8]]) -> [u8; N] {
    let mut context = digest::Context::new(algorithm);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    out
}

fn xor(left: &mut [u8], right: &[u8]) {
    for (to, from) in left.iter_mut().zip(right) {
        *to ^= from;
    }
}

/// Compares in the same time whatever differs.
fn equal(left: &[u8], right: &[u8]) -> bool {
    let differ = left.iter().zip(right).fold(0, |acc, (a, b)| acc | (a ^ b));
    left.len() == right.len() && std::hint::black_box(differ) == 0
}

#[cfg(test)]
mod tests {
    use mysql_common::auth::plugins::{
        caching_sha2_password::scramble_sha256, mysql_native_password::scramble_native,
    };
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whoever_knows_the_password_proves_it_and_nobody_else(
            password in "[ -~]{1,40}", other in "[ -~]{1,40}", random: [u8; NONCE_LENGTH],
        ) {
            prop_assume!(password != other);
            let nonce = nonce(random);
            prop_assert!(nonce.iter().all(|b| (1..0x80).contains(b) && *b != b'$'));
            let sha2 = scramble_sha256(&nonce, password.as_bytes()).expect("not empty");
            prop_assert!(proves_sha2(&sha2, &nonce, &sha2_digest(password.as_bytes())));
            prop_assert!(!proves_sha2(&sha2, &nonce, &sha2_digest(other.as_bytes())));
            let sha1 = scramble_native(&nonce, password.as_bytes()).expect("not empty");
            prop_assert!(proves_sha1(&sha1, &nonce, &sha1_digest(password.as_bytes())));
            prop_assert!(!proves_sha1(&sha1, &nonce, &sha1_digest(other.as_bytes())));
        }

        #[test]
        fn what_is_no_proof_proves_nothing(proof in prop::collection::vec(any::<u8>(), 0..40)) {
            let nonce = nonce([9; NONCE_LENGTH]);
            prop_assert!(!proves_sha2(&proof, &nonce, &sha2_digest(b"secret")));
            prop_assert!(!proves_sha1(&proof, &nonce, &sha1_digest(b"secret")));
        }
    }

    #[test]
    fn an_empty_proof_is_that_of_no_password() {
        let nonce = nonce([9; NONCE_LENGTH]);
        assert!(!proves_sha2(b"", &nonce, &sha2_digest(b"")));
        assert!(!proves_sha1(b"", &nonce, &sha1_digest(b"")));
    }
}
