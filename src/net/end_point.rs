//! `tls-server-end-point`: the digest of a server's certificate that SCRAM-PLUS binds to.
//!
//! Spec: RFC 5929, section 4.1: the hash of the certificate's own signature, with SHA-256 in the
//! place of MD5 and SHA-1.

use ring::digest::{self, Algorithm, SHA256, SHA384, SHA512};

/// The digest of a certificate in DER; `None` if its signature has no single hash (Ed25519), or one
/// we don't know: then there is no channel binding.
pub fn digest_of(certificate: &[u8]) -> Option<Vec<u8>> {
    let algorithm = hash_of_signature(certificate)?;
    Some(digest::digest(algorithm, certificate).as_ref().to_vec())
}

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const CONTEXT_0: u8 = 0xa0;

/// 1.2.840.113549.1.1, the last number left out: RSA signatures.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
/// 1.2.840.10045.4.3, the last number left out: ECDSA with SHA-2.
const ECDSA_SHA2: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
/// 1.2.840.10045.4.1: ECDSA with SHA-1.
const ECDSA_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01];
/// 2.16.840.1.101.3.4.2, the last number left out: the hashes themselves.
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

fn hash_of_signature(certificate: &[u8]) -> Option<&'static Algorithm> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (_, after_body) = element(certificate, SEQUENCE)?;
    let (algorithm, _) = element(after_body, SEQUENCE)?;
    let (oid, parameters) = element(algorithm, OBJECT_IDENTIFIER)?;
    if oid == ECDSA_SHA1 {
        return Some(&SHA256);
    }
    match (oid.strip_prefix(RSA), oid.strip_prefix(ECDSA_SHA2)) {
        (Some([4 | 5 | 11]), _) | (_, Some([2])) => Some(&SHA256),
        (Some([12]), _) | (_, Some([3])) => Some(&SHA384),
        (Some([13]), _) | (_, Some([4])) => Some(&SHA512),
        (Some([10]), _) => hash_of_pss(parameters),
        _ => None,
    }
}

/// RSASSA-PSS names its hash in its parameters; without them it is SHA-1.
fn hash_of_pss(parameters: &[u8]) -> Option<&'static Algorithm> {
    let (parameters, _) = element(parameters, SEQUENCE)?;
    let Some((hash, _)) = element(parameters, CONTEXT_0) else { return Some(&SHA256) };
    let (algorithm, _) = element(hash, SEQUENCE)?;
    let (oid, _) = element(algorithm, OBJECT_IDENTIFIER)?;
    match oid.strip_prefix(SHA2)? {
        [1] => Some(&SHA256),
        [2] => Some(&SHA384),
        [3] => Some(&SHA512),
        _ => None,
    }
}

/// Splits one DER element of that tag off: its content, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    if *found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate's outline with this signature algorithm.
    fn outline(algorithm: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
        let algorithm = wrap(SEQUENCE, algorithm);
        wrap(SEQUENCE, &[wrap(SEQUENCE, b"body"), algorithm, wrap(3, b"sig")].concat())
    }

    #[test]
    fn the_hash_is_that_of_the_signature_but_never_a_weak_one() {
        let oid = |prefix: &[u8], last: u8| {
            [&[OBJECT_IDENTIFIER, prefix.len() as u8 + 1], prefix, &[last]].concat()
        };
        for (algorithm, length) in [
            (oid(RSA, 4), Some(32)),
            (oid(RSA, 5), Some(32)),
            (oid(RSA, 11), Some(32)),
            (oid(RSA, 12), Some(48)),
            (oid(RSA, 13), Some(64)),
            (oid(ECDSA_SHA2, 2), Some(32)),
            (oid(ECDSA_SHA2, 3), Some(48)),
            // Ed25519.
            (vec![OBJECT_IDENTIFIER, 3, 0x2b, 0x65, 0x70], None),
        ] {
            assert_eq!(digest_of(&outline(&algorithm)).map(|d| d.len()), length);
        }
    }

    #[test]
    fn a_real_certificate_has_a_digest() {
        let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("makes one");
        let der = key.cert.der();
        assert_eq!(digest_of(der).expect("has one"), digest::digest(&SHA256, der).as_ref());
    }

    #[test]
    fn a_certificate_cut_anywhere_does_not_panic() {
        let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("makes one");
        let der = key.cert.der();
        for cut in 0..der.len() {
            assert!(digest_of(&der[..cut]).is_none());
        }
    }
}
