use tokio::net::UnixStream;

use super::*;
use crate::{
    kernel::secret::Secret,
    wire::pg::scram::{self, Keys, SCRAM_SHA_256, client},
};

const PATIENCE: Duration = Duration::from_secs(5);

fn pair() -> (Stream, Stream) {
    let (left, right) = UnixStream::pair().expect("makes a pair");
    (Stream::unix(left), Stream::unix(right))
}

fn startup() -> Startup {
    Startup { minor: 0, negotiate: None, parameters: vec![(b"user".to_vec(), b"alice".to_vec())] }
}

fn credentials(password: &str) -> Credentials {
    let salt = vec![1; scram::SALT_LENGTH];
    let verifier = Keys::derive(&Secret::new(password), &salt, scram::ITERATIONS).verifier();
    Credentials { salt, iterations: scram::ITERATIONS, verifiers: vec![verifier] }
}

/// One frame of the gateway: tag and body.
async fn receive(stream: &mut Stream) -> (u8, Vec<u8>) {
    let tag = stream.read_u8().await.expect("reads");
    let length = stream.read_u32().await.expect("reads");
    let mut body = vec![0; length as usize - 4];
    stream.read_exact(&mut body).await.expect("reads");
    (tag, body)
}

/// Logs in as a client would; everything after the proof is pipelined. What the gateway said.
async fn log_in(mut stream: Stream, password: &str, pipelined: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (_, offer) = receive(&mut stream).await;
    let offered = [SCRAM_SHA_256.as_bytes()].into_iter();
    let (mechanism, state, first) = client::start(offered, None, &[3; 18]).expect("starts");
    let mut out = Vec::new();
    frontend::sasl_initial_response(&mut out, mechanism, &first);
    stream.write_all(&out).await.expect("writes");
    let (_, message) = receive(&mut stream).await;
    let challenge = state.challenge(&message[4..]).expect("reads");
    let keys = Keys::derive(&Secret::new(password), &challenge.salt, challenge.iterations);
    let (_, last) = challenge.respond(&keys);
    out.clear();
    frontend::sasl_response(&mut out, &last);
    out.extend_from_slice(pipelined);
    stream.write_all(&out).await.expect("writes");
    stream.shutdown().await.expect("closes its side");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("reads");
    (offer, answer)
}

async fn attempt(
    credentials: Option<Credentials>,
    password: &str,
) -> (Result<Identified, LoginError>, (Vec<u8>, Vec<u8>)) {
    let (client, server) = pair();
    let mock = MockSecret::new(Secret::new([9; 32]));
    let server = async {
        let claim = Claim { user: "alice", credentials, mock: &mock };
        let mut identified = authenticate(server, &startup(), Vec::new(), claim, PATIENCE).await?;
        let reply = std::mem::take(&mut identified.reply);
        identified.stream.write_all(&reply).await?;
        identified.stream.shutdown().await?;
        Ok(identified)
    };
    tokio::join!(server, log_in(client, password, b"Q\0\0\0\x05\0"))
}

#[tokio::test]
async fn the_right_password_identifies_and_loses_no_byte() {
    let (identified, (_, answer)) = attempt(Some(credentials("right")), "right").await;
    let identified = identified.expect("is identified");
    assert_eq!((identified.matched, &identified.leftover[..]), (0, &b"Q\0\0\0\x05\0"[..]));
    assert!(answer.ends_with(b"R\0\0\0\x08\0\0\0\0"));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_alike() {
    let (wrong, (offer, answer)) = attempt(Some(credentials("right")), "wrong").await;
    let (unknown, (other_offer, other_answer)) = attempt(None, "wrong").await;
    assert!(matches!(wrong, Err(LoginError::Scram(ScramError::WrongProof))));
    assert!(matches!(unknown, Err(LoginError::Scram(ScramError::WrongProof))));
    assert_eq!((offer, &answer), (other_offer, &other_answer));
    let text = b"password authentication failed for user \"alice\"";
    assert!(answer.windows(text.len()).any(|window| window == text));
    assert!(answer.windows(5).any(|five| five == b"28P01"));
}

#[tokio::test]
async fn any_other_message_ends_the_log_in() {
    for message in
        [&b"Q\0\0\0\x0dSELECT 1\0"[..], b"p\0\0\xff\xff", b"p\0\0\0\x03", b"\xff\0\0\0\x04"]
    {
        let (mut client, server) = pair();
        client.write_all(message).await.expect("writes");
        let mock = MockSecret::new(Secret::new([9; 32]));
        let claim = Claim { user: "alice", credentials: None, mock: &mock };
        let ended = authenticate(server, &startup(), Vec::new(), claim, PATIENCE).await;
        assert!(matches!(ended, Err(LoginError::Wire(_))), "{message:?}");
    }
}
