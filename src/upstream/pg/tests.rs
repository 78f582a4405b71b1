use tokio::net::UnixListener;

use super::*;
use crate::{
    kernel::{secret::Secret, sql::charset::ClientText},
    upstream::credential::Source,
    wire::pg::scram::{Credentials, Keys, SCRAM_SHA_256, server},
};

/// What a made-up server does with a connection.
async fn against<F, Serve>(serve: Serve) -> Result<Connected, UpstreamError>
where
    Serve: FnOnce(UnixStream) -> F,
    F: Future<Output = ()>,
{
    let folder = tempfile::tempdir().expect("makes a folder");
    let (path, secret) = (folder.path().join("s"), folder.path().join("secret"));
    std::fs::write(&secret, "right\n").expect("writes");
    let listener = UnixListener::bind(&path).expect("binds");
    let options = ConnectOptions {
        address: Address::Unix(path),
        tls: ClientTls::disabled(),
        user: "hallpass".to_owned(),
        credential: Arc::new(Credential::new(Source::File(secret))),
        database: "shop".to_owned(),
        minor: 2,
        timeout: Duration::from_secs(5),
        keepalive: Duration::from_secs(60),
    };
    let server = async {
        let (mut socket, _) = listener.accept().await.expect("accepts");
        let length = socket.read_u32().await.expect("reads");
        let mut startup = vec![0; length as usize - 4];
        socket.read_exact(&mut startup).await.expect("reads");
        serve(socket).await;
    };
    let (connected, ()) = tokio::join!(connect(&options, &[]), server);
    connected
}

async fn receive(socket: &mut UnixStream) -> Vec<u8> {
    assert_eq!(socket.read_u8().await.expect("reads"), b'p');
    let length = socket.read_u32().await.expect("reads");
    let mut body = vec![0; length as usize - 4];
    socket.read_exact(&mut body).await.expect("reads");
    body
}

/// The rest of a log-in after AuthenticationOk.
fn welcome(out: &mut Vec<u8>) {
    backend::authentication_ok(out);
    backend::parameter_status(out, b"server_version", b"15.18");
    backend::parameter_status(out, b"TimeZone", b"UTC");
    backend::parameter_status(out, b"TimeZone", b"CET");
    backend::backend_key_data(out, 42, &[7; 4]);
    backend::ready_for_query(out, TransactionStatus::Idle);
}

#[tokio::test]
async fn a_trusting_server_of_protocol_3_0_is_settled_with() {
    let connected = against(|mut socket| async move {
        let mut out = Vec::new();
        backend::negotiate_protocol_version(&mut out, 0, &[]);
        welcome(&mut out);
        backend::notice(&mut out, "behind", ClientText::UTF8);
        socket.write_all(&out).await.expect("writes");
    })
    .await
    .expect("connects");
    assert_eq!((connected.minor, connected.process), (0, 42));
    assert_eq!(connected.parameter("TimeZone"), Some("CET"));
    assert_eq!((connected.parameters.len(), connected.cancel_key.len()), (2, 4));
    assert_eq!(connected.leftover.first(), Some(&b'N'), "nothing read is lost");
}

#[tokio::test]
async fn a_server_that_skips_its_proof_is_not_ours() {
    let ended = against(|mut socket| async move {
        let mut out = Vec::new();
        backend::authentication_sasl(&mut out, &[SCRAM_SHA_256]);
        socket.write_all(&out).await.expect("writes");
        let first = receive(&mut socket).await;
        let (mechanism, first) = frontend::decode_sasl_initial(&first).expect("reads");
        let salt = b"salt".to_vec();
        let verifier = Keys::derive(&Secret::new("unknown"), &salt, 16).verifier();
        let credentials = Credentials { salt, iterations: 16, verifiers: vec![verifier] };
        let first = first.expect("has one");
        let (_, challenge) =
            server::start(mechanism, first, None, credentials, &[1; 18]).expect("starts");
        out.clear();
        backend::authentication_sasl_continue(&mut out, &challenge);
        socket.write_all(&out).await.expect("writes");
        receive(&mut socket).await;
        out.clear();
        welcome(&mut out);
        socket.write_all(&out).await.expect("writes");
    })
    .await;
    assert!(matches!(ended, Err(UpstreamError::Scram(ScramError::ServerNotProven))));
}

#[tokio::test]
async fn the_servers_no_keeps_its_words() {
    let ended = against(|mut socket| async move {
        let fields = b"SFATAL\0VFATAL\0C28P01\0Mwrong\0Hthink\0\0";
        let mut out = vec![b'E'];
        out.extend((fields.len() as u32 + 4).to_be_bytes());
        out.extend_from_slice(fields);
        socket.write_all(&out).await.expect("writes");
    })
    .await;
    let error = ended.expect_err("is refused");
    assert_eq!(error.kind(), super::super::UpstreamErrorKind::Credentials);
    let words = error.server_error().expect("said something");
    assert_eq!((words.sqlstate.as_str(), words.hint.as_deref()), ("28P01", Some("think")));
    assert!(!error.refusal().message.contains("wrong"), "not the client's business");
}

#[tokio::test]
async fn odd_servers_end_in_an_error() {
    for bytes in [
        &b"R\0\0\0\x08\0\0\0\x07"[..],
        b"R\0\0\0\x08\0\0\0\x0b",
        b"v\0\0\0\x0c\0\x03\0\x05\0\0\0\0",
        b"D\0\0\0\x06\0\0",
        b"S\0\0\0\x06a\0",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"E\x7f\xff\xff\xff",
        b"",
    ] {
        let ended = against(|mut socket| async move {
            socket.write_all(bytes).await.expect("writes");
        })
        .await;
        assert!(ended.is_err(), "{bytes:?}");
    }
}

#[tokio::test]
async fn a_server_that_reports_settings_without_end_costs_no_more_than_reading_them() {
    let reports = |count: usize| {
        let mut out = Vec::new();
        backend::authentication_ok(&mut out);
        for number in 0..count {
            backend::parameter_status(&mut out, format!("{number:x}").as_bytes(), b"");
        }
        backend::ready_for_query(&mut out, TransactionStatus::Idle);
        out
    };
    let few = against(|mut socket| async move {
        socket.write_all(&reports(SETTINGS_MAX)).await.expect("writes");
    });
    assert_eq!(few.await.expect("connects").parameters.len(), SETTINGS_MAX);
    let began = std::time::Instant::now();
    let many = against(|mut socket| async move {
        // It is hung up on before it is done.
        drop(socket.write_all(&reports(80_000)).await);
    });
    let many = many.await;
    assert!(matches!(many, Err(UpstreamError::Wire(WireError::BadValue { .. }))), "{many:?}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}
