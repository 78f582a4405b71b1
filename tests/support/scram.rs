//! The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), enough for tests to log in with.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{digest, hmac, pbkdf2};

/// One exchange, from the first message to the check of the server's signature.
pub struct Exchange {
    password: String,
    gs2_header: &'static str,
    binding: Vec<u8>,
    first_bare: String,
    nonce: String,
    expected_signature: Vec<u8>,
}

impl Exchange {
    /// Without channel binding.
    pub fn new(password: &str, nonce: &str) -> Self {
        Self::with(password, nonce, "n,,", Vec::new())
    }

    /// With channel binding to a certificate (tls-server-end-point): its SHA-256.
    pub fn bound(password: &str, nonce: &str, certificate_hash: Vec<u8>) -> Self {
        Self::with(password, nonce, "p=tls-server-end-point,,", certificate_hash)
    }

    fn with(password: &str, nonce: &str, gs2_header: &'static str, binding: Vec<u8>) -> Self {
        Self {
            password: password.to_owned(),
            gs2_header,
            binding,
            first_bare: format!("n=,r={nonce}"),
            nonce: nonce.to_owned(),
            expected_signature: Vec::new(),
        }
    }

    /// `client-first-message`.
    pub fn first(&self) -> String {
        format!("{}{}", self.gs2_header, self.first_bare)
    }

    /// Answers `server-first-message` with `client-final-message`.
    pub fn last(&mut self, server_first: &str) -> String {
        let field = |name: char| {
            server_first
                .split(',')
                .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
                .unwrap_or_else(|| panic!("no `{name}` in {server_first}"))
        };
        let (nonce, salt, rounds) = (field('r'), field('s'), field('i'));
        assert!(nonce.starts_with(&self.nonce), "the server must extend our nonce: {nonce}");
        let salt = STANDARD.decode(salt).expect("base64");
        let rounds = rounds.parse().expect("a number above zero");
        let mut salted = [0; 32];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            rounds,
            &salt,
            self.password.as_bytes(),
            &mut salted,
        );
        let client_key = sign(&salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, &client_key);
        let mut binding = self.gs2_header.as_bytes().to_vec();
        binding.extend_from_slice(&self.binding);
        let without_proof = format!("c={},r={nonce}", STANDARD.encode(binding));
        let signed = format!("{},{server_first},{without_proof}", self.first_bare);
        let signature = sign(stored_key.as_ref(), signed.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        self.expected_signature = sign(&sign(&salted, b"Server Key"), signed.as_bytes());
        format!("{without_proof},p={}", STANDARD.encode(proof))
    }

    /// True if `server-final-message` proves that the server knows the verifier.
    pub fn confirms(&self, server_final: &str) -> bool {
        server_final
            .strip_prefix("v=")
            .and_then(|text| STANDARD.decode(text).ok())
            .is_some_and(|signature| signature == self.expected_signature)
    }
}

fn sign(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

#[test]
fn the_example_of_rfc_7677_comes_out_as_printed() {
    let mut exchange = Exchange::new("pencil", "rOprNGfwEbeRWgbNEkqO");
    exchange.first_bare = "n=user,r=rOprNGfwEbeRWgbNEkqO".into();
    let last = exchange.last(
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    );
    assert!(last.ends_with("p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), "{last}");
    assert!(exchange.confirms("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
    assert!(!exchange.confirms("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5="));
}
