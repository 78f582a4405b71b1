use proptest::prelude::*;

use super::*;

const RANDOM: [u8; NONCE_BYTES] = [7; NONCE_BYTES];
const END_POINT: &[u8] = &[42; 32];

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

fn credentials(passwords: &[&str]) -> Credentials {
    let salt = b"0123456789abcdef".to_vec();
    let verifiers = passwords
        .iter()
        .map(|password| Keys::derive(&secret(password), &salt, 16).verifier())
        .collect();
    Credentials { salt, iterations: 16, verifiers }
}

/// A whole exchange; which verifier matched.
fn exchange(
    password: &str,
    known: &[&str],
    client_sees: Option<&[u8]>,
    server_has: Option<&[u8]>,
) -> Result<usize, ScramError> {
    let offered = server::mechanisms(server_has).iter().map(|name| name.as_bytes());
    let (mechanism, client, first) =
        client::start(offered, client_sees, &RANDOM).expect("has a mechanism");
    let (server, reply) =
        server::start(mechanism.as_bytes(), &first, server_has, credentials(known), &[8; 18])?;
    let challenge = client.challenge(&reply)?;
    let keys = Keys::derive(&secret(password), &challenge.salt, challenge.iterations);
    let (client, last) = challenge.respond(&keys);
    let proven = server.finish(&last)?;
    client.verify(&proven.message)?;
    Ok(proven.matched)
}

/// The example of RFC 7677, section 3.
mod rfc_7677 {
    pub(super) const SERVER_FIRST: &[u8] = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
        s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    pub(super) const CLIENT_FIRST_BARE: &str = "n=user,r=rOprNGfwEbeRWgbNEkqO";
    pub(super) const PROOF: &str = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    pub(super) const SIGNATURE: &str = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
}

#[test]
fn keys_and_proofs_are_those_of_rfc_7677() {
    let salt = decode("W22ZaJ0SNY7soEsUEjb6gQ==").expect("decodes");
    let keys = Keys::derive(&secret("pencil"), &salt, 4096);
    let first = std::str::from_utf8(rfc_7677::SERVER_FIRST).expect("is text");
    let last = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    let signed = format!("{},{first},{last}", rfc_7677::CLIENT_FIRST_BARE);
    let verifier = keys.verifier();
    let proof = xor(&array(keys.client.reveal()), &sign(&verifier.stored_key, signed.as_bytes()));
    assert_eq!(BASE64.encode(proof), rfc_7677::PROOF);
    assert_eq!(BASE64.encode(sign(&verifier.server_key, signed.as_bytes())), rfc_7677::SIGNATURE);
}

#[test]
fn the_right_password_passes_with_and_without_a_channel() {
    assert_eq!(exchange("right", &["right"], None, None), Ok(0));
    assert_eq!(exchange("right", &["right"], Some(END_POINT), Some(END_POINT)), Ok(0));
}

#[test]
fn any_of_several_passwords_passes_and_is_told_apart() {
    let known = ["one", "two", "three", "four", "five"];
    for (at, password) in known.iter().enumerate() {
        assert_eq!(exchange(password, &known, None, None), Ok(at));
    }
    assert_eq!(exchange("six", &known, None, None), Err(ScramError::WrongProof));
}

#[test]
fn nothing_proves_a_name_that_nobody_has() {
    assert_eq!(exchange("", &[], None, None), Err(ScramError::WrongProof));
    let mock = MockSecret::new(secret("0123456789abcdef0123456789abcdef"));
    let (one, two) = (mock.credentials(b"nobody"), mock.credentials(b"noone"));
    assert_eq!(one, mock.credentials(b"nobody"));
    assert_ne!(one.salt, two.salt);
    // Whatever may name a target makes no difference.
    assert_eq!(one, mock.credentials(b"nobody@shop"));
    assert_eq!((one.salt.len(), one.iterations), (SALT_LENGTH, ITERATIONS));
    // A proof made for the decoy's key of zeros is no proof.
    let (state, reply) =
        server::start(b"SCRAM-SHA-256", b"n,,n=,r=x", None, one, &RANDOM).expect("starts");
    let nonce = std::str::from_utf8(&reply).expect("is text").split_once(',').expect("has one").0;
    let proof = BASE64.encode([0; 32]);
    let last = format!("c=biws,{nonce},p={proof}");
    assert_eq!(state.finish(last.as_bytes()), Err(ScramError::WrongProof));
}

#[test]
fn a_man_in_the_middle_is_noticed() {
    // Another certificate than ours.
    let wrong = exchange("right", &["right"], Some(&[1; 32]), Some(END_POINT));
    assert_eq!(wrong, Err(ScramError::OtherChannel));
    // -PLUS taken out of what we offered: the client says `y`.
    let known = || credentials(&["right"]);
    let start = |mechanism: &[u8], message: &[u8], end_point| {
        server::start(mechanism, message, end_point, known(), &RANDOM).map(|_| ())
    };
    let plain = SCRAM_SHA_256.as_bytes();
    let plus = SCRAM_SHA_256_PLUS.as_bytes();
    assert_eq!(start(plain, b"y,,n=,r=x", Some(END_POINT)), Err(ScramError::Downgraded));
    assert_eq!(start(plain, b"y,,n=,r=x", None), Ok(()));
    // The name and the flag belong together.
    assert!(start(plus, b"n,,n=,r=x", Some(END_POINT)).is_err());
    assert!(start(plain, b"p=tls-server-end-point,,n=,r=x", Some(END_POINT)).is_err());
    assert!(start(plus, b"p=tls-unique,,n=,r=x", Some(END_POINT)).is_err());
    assert!(start(plus, b"p=tls-server-end-point,,n=,r=x", None).is_err());
}

#[test]
fn odd_first_messages_are_refused() {
    for message in [
        &b""[..],
        b"n",
        b"n,",
        b"n,,",
        b"n,,n=",
        b"n,,n=,r=",
        b"n,,r=x,n=",
        b"n,a=admin,n=,r=x",
        b"n,,m=ext,n=,r=x",
        b"n,,n=,r=a b",
        b"n,,n=,r=\xff",
    ] {
        let read = server::start(b"SCRAM-SHA-256", message, None, credentials(&[]), &RANDOM);
        assert!(read.is_err(), "{message:?}");
    }
    let long = [b"n,,n=,r=".to_vec(), vec![b'x'; MESSAGE_LENGTH_MAX]].concat();
    assert!(server::start(b"SCRAM-SHA-256", &long, None, credentials(&[]), &RANDOM).is_err());
}

#[test]
fn a_server_that_does_not_know_the_password_is_noticed() {
    let offered = || [SCRAM_SHA_256.as_bytes()].into_iter();
    let (_, client, _) = client::start(offered(), None, &RANDOM).expect("has a mechanism");
    let nonce = BASE64.encode(RANDOM);
    let challenge =
        client.challenge(format!("r={nonce}more,s=c2FsdA==,i=16").as_bytes()).expect("reads");
    let keys = Keys::derive(&secret("right"), &challenge.salt, challenge.iterations);
    let (client, _) = challenge.respond(&keys);
    let forged = format!("v={}", BASE64.encode([0; 32]));
    assert_eq!(client.verify(forged.as_bytes()), Err(ScramError::ServerNotProven));
    for odd in ["r=xx,s=c2FsdA==,i=16", "r=,s=,i=1"] {
        let (_, client, _) = client::start(offered(), None, &RANDOM).expect("has a mechanism");
        assert!(client.challenge(odd.as_bytes()).is_err());
    }
    for rounds in ["0", "-1", "1000001", "99999999999", "x"] {
        let (_, client, _) = client::start(offered(), None, &RANDOM).expect("has a mechanism");
        let message = format!("r={nonce}more,s=c2FsdA==,i={rounds}");
        assert!(client.challenge(message.as_bytes()).is_err(), "{rounds}");
    }
    // Our nonce sent back without anything of the server's.
    let (_, client, _) = client::start(offered(), None, &RANDOM).expect("has a mechanism");
    assert!(client.challenge(format!("r={nonce},s=c2FsdA==,i=16").as_bytes()).is_err());
}

#[test]
fn passwords_are_prepared_as_postgres_does() {
    let same = |left: &str, right: &str| {
        Keys::derive(&secret(left), b"salt", 1) == Keys::derive(&secret(right), b"salt", 1)
    };
    // RFC 4013, section 3: a soft hyphen maps to nothing, a feminine indicator to `a`.
    assert!(same("I\u{ad}X", "IX") && same("\u{aa}", "a"));
    assert!(!same("user", "USER"));
    // Not preparable (a control character): used as it stands.
    assert!(!same("\u{7}", ""));
}

#[test]
fn pgwire_makes_the_same_keys() {
    let salted = pgwire::api::auth::sasl::scram::gen_salted_password("pencil", b"salt", 4096);
    let stored = hash(&sign(&salted, b"Client Key"));
    assert_eq!(Keys::derive(&secret("pencil"), b"salt", 4096).verifier().stored_key, stored);
}

proptest! {
    #[test]
    fn arbitrary_messages_never_panic(message: Vec<u8>, more: String) {
        let plain = b"SCRAM-SHA-256";
        let _ = server::start(plain, &message, None, credentials(&[]), &RANDOM).is_ok();
        let _ = server::start(plain, more.as_bytes(), None, credentials(&[]), &RANDOM).is_ok();
        let (state, _) = server::start(plain, b"n,,n=,r=x", None, credentials(&[]), &RANDOM)
            .expect("starts");
        prop_assert!(state.finish(&message).is_err());
        let offered = [SCRAM_SHA_256.as_bytes()].into_iter();
        let (_, client, _) = client::start(offered, None, &RANDOM).expect("has a mechanism");
        prop_assert!(client.challenge(more.as_bytes()).is_err());
    }
}
