use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::net::UnixStream;

use super::*;
use crate::{
    net::tls::{ClientTls, ClientTlsOptions, ServerTls, ServerTlsOptions, TlsMode},
    wire::pg::frontend,
};

const PATIENCE: Duration = Duration::from_secs(5);

fn pair() -> (Stream, Stream) {
    let (left, right) = UnixStream::pair().expect("makes a pair");
    (Stream::unix(left), Stream::unix(right))
}

fn server_tls() -> Arc<ServerTls> {
    let folder = tempfile::tempdir().expect("makes a folder");
    let options = ServerTlsOptions { certificate: None, data_dir: folder.path().to_owned() };
    Arc::new(ServerTls::open(options).expect("opens"))
}

fn client_config(alpn: &[&[u8]]) -> Arc<rustls::ClientConfig> {
    let options = ClientTlsOptions { mode: TlsMode::Require, ..ClientTlsOptions::default() };
    let config = ClientTls::load(&options).expect("loads").config().expect("has one");
    let mut config = (*config).clone();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Arc::new(config)
}

async fn secure(client: Stream, alpn: &[&[u8]]) -> io::Result<Stream> {
    let name = ServerName::try_from("localhost").expect("is a name");
    client.connect_tls(client_config(alpn), name).await
}

fn startup() -> Vec<u8> {
    let mut out = Vec::new();
    frontend::startup_message(&mut out, 0, &[(b"user", b"alice")]);
    out
}

#[tokio::test]
async fn a_client_that_asks_gets_tls_and_keeps_what_it_pipelined() {
    let (mut client, server) = pair();
    let policy = TlsPolicy::Require(server_tls());
    let client = async move {
        let mut request = Vec::new();
        frontend::ssl_request(&mut request);
        client.write_all(&request).await?;
        assert_eq!(client.read_u8().await?, b'S');
        let mut client = secure(client, &[]).await?;
        client.write_all(&[startup(), b"p\0\0\0\x05x".to_vec()].concat()).await?;
        client.flush().await?;
        Ok::<_, io::Error>(client)
    };
    let (client, negotiated) = tokio::join!(client, negotiate(server, &policy, PATIENCE));
    let _client = client.expect("connects");
    let Ok(Negotiated::Session(secured)) = negotiated else { unreachable!("a session") };
    assert!(secured.stream.is_tls());
    assert_eq!(secured.startup.parameter("user"), Some(&b"alice"[..]));
    assert_eq!(secured.leftover, b"p\0\0\0\x05x");
}

#[tokio::test]
async fn a_start_up_one_byte_at_a_time_is_a_start_up() {
    let (mut client, server) = pair();
    let client = async move {
        for byte in startup() {
            client.write_all(&[byte]).await.expect("writes");
            tokio::task::yield_now().await;
        }
        client
    };
    let policy = TlsPolicy::Disable;
    let (_client, negotiated) = tokio::join!(client, negotiate(server, &policy, PATIENCE));
    assert!(matches!(negotiated, Ok(Negotiated::Session(_))));
}

#[tokio::test]
async fn plaintext_stuffed_before_the_handshake_never_becomes_a_session() {
    let (mut client, server) = pair();
    let policy = TlsPolicy::Prefer(server_tls());
    let mut stuffed = Vec::new();
    frontend::ssl_request(&mut stuffed);
    stuffed.extend(startup());
    client.write_all(&stuffed).await.expect("writes");
    let negotiated = negotiate(server, &policy, PATIENCE).await;
    assert!(matches!(negotiated, Err(LoginError::Startup(StartupError::Stuffed))));
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.expect("reads");
    assert_eq!(answer.first(), Some(&b'E'), "an error and no S");
}

#[tokio::test]
async fn direct_tls_needs_its_alpn() {
    for (alpn, good) in [(&[ALPN][..], true), (&[][..], false), (&[&b"h2"[..]][..], false)] {
        let (client, server) = pair();
        let policy = TlsPolicy::Require(server_tls());
        let client = async move {
            let mut client = secure(client, alpn).await?;
            client.write_all(&startup()).await?;
            client.flush().await?;
            Ok::<_, io::Error>(client)
        };
        let (_client, negotiated) = tokio::join!(client, negotiate(server, &policy, PATIENCE));
        assert_eq!(matches!(negotiated, Ok(Negotiated::Session(_))), good, "{alpn:?}");
    }
}

#[tokio::test]
async fn without_tls_where_it_is_required_is_told_so() {
    let (mut client, server) = pair();
    let policy = TlsPolicy::Require(server_tls());
    client.write_all(&startup()).await.expect("writes");
    let negotiated = negotiate(server, &policy, PATIENCE).await;
    assert!(matches!(negotiated, Err(LoginError::Startup(StartupError::TlsRequired))));
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.expect("reads");
    assert!(answer.windows(5).any(|five| five == b"28000"));
}

#[tokio::test]
async fn who_says_nothing_is_not_waited_for() {
    let (_client, server) = pair();
    let negotiated = negotiate(server, &TlsPolicy::Disable, Duration::from_millis(10)).await;
    assert!(matches!(negotiated, Err(LoginError::TooSlow)));
}

#[tokio::test]
async fn a_goodbye_before_the_start_is_answered_by_the_end_alone() {
    let (mut client, server) = pair();
    let goodbye = async move {
        client.write_all(b"X\0\0\0\x04").await?;
        let mut said = Vec::new();
        client.read_to_end(&mut said).await?;
        Ok::<_, io::Error>(said)
    };
    let (said, negotiated) =
        tokio::join!(goodbye, negotiate(server, &TlsPolicy::Disable, PATIENCE));
    assert!(negotiated.is_err());
    assert_eq!(said.expect("reads to the end"), b"");
}
