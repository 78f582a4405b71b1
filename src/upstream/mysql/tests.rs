use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};

use super::*;
use crate::{
    upstream::credential::Source,
    wire::mysql::{
        auth::{self, FAST, FULL, NATIVE},
        login::Answer,
        packet,
        reply::{self, ErrPacket},
    },
};

const NONCE: [u8; 20] = *b"abcdefghijklmnopqrst";

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
        key: ServerKey::None,
        user: "hallpass".to_owned(),
        credential: Arc::new(Credential::new(Source::File(secret))),
        timeout: Duration::from_secs(5),
        keepalive: Duration::from_secs(60),
    };
    let wishes = Wishes {
        capabilities: capability::NEEDED | Capabilities::MYSQL,
        packet_max: 1 << 24,
        collation: 45,
        schema: Some(b"shop".to_vec()),
        attributes: Vec::new(),
    };
    let server = async {
        let (socket, _) = listener.accept().await.expect("accepts");
        serve(socket).await;
    };
    let (connected, ()) = tokio::join!(connect(&options, &wishes), server);
    connected
}

fn greeting(method: &str) -> Vec<u8> {
    let mut out = Vec::new();
    Greeting {
        version: b"9.7.4".to_vec(),
        connection: 42,
        nonce: NONCE,
        capabilities: capability::offered(
            Capabilities::MYSQL | Capabilities::TRANSACTIONS | Capabilities::SESSION_TRACK,
            false,
        ) | Capabilities::SESSION_TRACK,
        collation: 45,
        status: 2,
        method: method.as_bytes().to_vec(),
    }
    .write(&mut out);
    out
}

async fn receive(socket: &mut UnixStream, sequence: u8) -> Vec<u8> {
    let mut header = [0; 4];
    socket.read_exact(&mut header).await.expect("reads");
    let header = packet::Header::read(&header).expect("a header");
    assert_eq!(header.sequence, sequence);
    let mut payload = vec![0; header.length];
    socket.read_exact(&mut payload).await.expect("reads");
    payload
}

async fn receive_log_in(socket: &mut UnixStream) -> LogIn {
    match Answer::read(&receive(socket, 1).await) {
        Ok(Answer::LogIn(log_in)) => *log_in,
        other => panic!("{other:?}"),
    }
}

async fn send(socket: &mut UnixStream, sequence: u8, payload: &[u8]) {
    let mut out = Vec::new();
    packet::put(&mut out, sequence, |out| out.extend_from_slice(payload));
    socket.write_all(&out).await.expect("writes");
}

async fn accept(socket: &mut UnixStream, sequence: u8) {
    let mut out = Vec::new();
    let ok = OkPacket {
        status: Status::AUTOCOMMIT,
        changes: b"\x01\x05\x04shop",
        ..OkPacket::default()
    };
    ok.write(&mut out, (sequence, reply::OK), Capabilities::SESSION_TRACK);
    socket.write_all(&out).await.expect("writes");
}

#[tokio::test]
async fn a_server_that_knows_the_password_lets_it_in() {
    let connected = against(|mut socket| async move {
        socket.write_all(&greeting(CACHING_SHA2)).await.expect("writes");
        let log_in = receive_log_in(&mut socket).await;
        assert_eq!((log_in.user, log_in.schema), (b"hallpass".to_vec(), Some(b"shop".to_vec())));
        assert!(auth::proves_sha2(&log_in.proof, &NONCE, &auth::sha2_digest(b"right")));
        send(&mut socket, 2, &[1, FAST]).await;
        accept(&mut socket, 3).await;
    })
    .await
    .expect("connects");
    assert_eq!((connected.version.as_str(), connected.connection), ("9.7.4", 42));
    assert_eq!(connected.changes, b"\x01\x05\x04shop");
    assert!(connected.capabilities.has(Capabilities::SESSION_TRACK | Capabilities::MYSQL));
}

#[tokio::test]
async fn a_server_that_has_forgotten_it_is_told_over_a_socket() {
    let connected = against(|mut socket| async move {
        socket.write_all(&greeting(CACHING_SHA2)).await.expect("writes");
        receive_log_in(&mut socket).await;
        send(&mut socket, 2, &[1, FULL]).await;
        assert_eq!(receive(&mut socket, 3).await, b"right\0");
        accept(&mut socket, 4).await;
    });
    connected.await.expect("connects");
}

#[tokio::test]
async fn another_method_is_changed_to_once() {
    let switch = |data: &[u8]| [b"\xfemysql_native_password\0", data, b"\0"].concat();
    let nonce = *b"tsrqponmlkjihgfedcba";
    let connected = against(|mut socket| async move {
        socket.write_all(&greeting("dialog")).await.expect("writes");
        assert_eq!(receive_log_in(&mut socket).await.method, CACHING_SHA2.as_bytes());
        send(&mut socket, 2, &switch(&nonce)).await;
        let proof = receive(&mut socket, 3).await;
        assert!(auth::proves_sha1(&proof, &nonce, &auth::sha1_digest(b"right")));
        accept(&mut socket, 4).await;
    });
    connected.await.expect("connects");
    let round_and_round = against(|mut socket| async move {
        socket.write_all(&greeting(NATIVE)).await.expect("writes");
        receive_log_in(&mut socket).await;
        send(&mut socket, 2, &switch(&nonce)).await;
        receive(&mut socket, 3).await;
        send(&mut socket, 4, &switch(&nonce)).await;
    });
    assert!(matches!(round_and_round.await, Err(UpstreamError::Wire(_))));
}

#[tokio::test]
async fn a_refusal_is_told_in_the_servers_words() {
    let error = |number, state: &[u8; 5]| {
        let mut out = Vec::new();
        ErrPacket { number, state: *state, message: b"no" }.write(&mut out, 0);
        out.split_off(4)
    };
    let denied = error(1045, b"28000");
    let refused = against(|mut socket| async move {
        socket.write_all(&greeting(CACHING_SHA2)).await.expect("writes");
        receive_log_in(&mut socket).await;
        send(&mut socket, 2, &denied).await;
    });
    let refused = refused.await.expect_err("refused");
    assert_eq!(refused.to_string(), "ERROR: no [1045] (28000)");
    assert_eq!(refused.kind(), crate::upstream::UpstreamErrorKind::Credentials);
    let full = against(|mut socket| async move {
        send(&mut socket, 0, b"\xff\x10\x04Too many connections").await;
    });
    let full = full.await.expect_err("refused").to_string();
    assert_eq!(full, "ERROR: Too many connections [1040] (HY000)");
}

#[tokio::test]
async fn what_comes_unasked_ends_the_log_in() {
    let behind = against(|mut socket| async move {
        socket.write_all(&greeting(CACHING_SHA2)).await.expect("writes");
        receive_log_in(&mut socket).await;
        let mut both = Vec::new();
        let next = OkPacket::default().write(&mut both, (2, reply::OK), Capabilities::NONE);
        OkPacket::default().write(&mut both, (next, reply::OK), Capabilities::NONE);
        socket.write_all(&both).await.expect("writes");
    });
    assert!(matches!(behind.await, Err(UpstreamError::Wire(_))));
    let out_of_order = against(|mut socket| async move {
        socket.write_all(&greeting(CACHING_SHA2)).await.expect("writes");
        receive_log_in(&mut socket).await;
        accept(&mut socket, 3).await;
    });
    assert!(matches!(out_of_order.await, Err(UpstreamError::Wire(_))));
    let endless = against(|mut socket| async move {
        socket.write_all(&greeting(CACHING_SHA2)).await.expect("writes");
        receive_log_in(&mut socket).await;
        send(&mut socket, 2, &[1, FAST]).await;
        send(&mut socket, 3, &[1, FAST]).await;
    });
    assert!(matches!(endless.await, Err(UpstreamError::Proof(_))));
}
