use std::os::unix::fs::PermissionsExt;

use tokio::net::UnixStream;

use super::*;
use crate::net::Stream;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("makes a folder")
}

fn server(folder: &Path) -> ServerTls {
    let options = ServerTlsOptions { certificate: None, data_dir: folder.to_owned() };
    ServerTls::open(options).expect("opens")
}

/// Whether a handshake between the two succeeds.
async fn meets(server: &ServerTls, options: &ClientTlsOptions, host: &'static str) -> bool {
    let client = ClientTls::load(options).expect("loads").config().expect("has one");
    let (left, right) = UnixStream::pair().expect("makes a pair");
    let name = ServerName::try_from(host).expect("is a name");
    let loaded = server.current();
    let (accepted, connected) = tokio::join!(
        Stream::unix(left).accept_tls(&loaded, Vec::new()),
        Stream::unix(right).connect_tls(client, name)
    );
    accepted.is_ok() && connected.is_ok()
}

#[test]
fn a_self_signed_certificate_is_made_once_and_its_key_is_private() {
    let folder = folder();
    let first = server(folder.path()).current().contents;
    assert_eq!(server(folder.path()).current().contents, first);
    let key = fs::metadata(folder.path().join("server.key")).expect("is there");
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_changed_certificate_is_taken_and_a_broken_one_is_not() {
    let folder = folder();
    let tls = server(folder.path());
    let first = tls.current().end_point.clone();
    assert!(!tls.reload().expect("reads"));
    fs::write(folder.path().join("server.crt"), "broken").expect("writes");
    assert!(tls.reload().is_err());
    assert_eq!(tls.current().end_point, first);
    fs::remove_file(folder.path().join("server.crt")).expect("removes");
    self_signed(folder.path()).expect("makes another");
    assert!(tls.reload().expect("reads"));
    assert_ne!(tls.current().end_point, first);
}

#[tokio::test]
async fn each_mode_verifies_what_it_says() {
    let (folder, other) = (folder(), folder());
    let tls = server(folder.path());
    server(other.path());
    let trusted = Some(folder.path().join("server.crt"));
    let foreign = Some(other.path().join("server.crt"));
    let options =
        |mode, ca: &Option<PathBuf>| ClientTlsOptions { mode, ca: ca.clone(), certificate: None };
    use TlsMode::{Prefer, Require, VerifyCa, VerifyFull};
    for (mode, ca, host, wanted) in [
        (Prefer, &None, "elsewhere", true),
        (Require, &None, "elsewhere", true),
        (Require, &foreign, "localhost", false),
        (VerifyCa, &trusted, "elsewhere", true),
        (VerifyCa, &foreign, "localhost", false),
        (VerifyFull, &trusted, "localhost", true),
        (VerifyFull, &trusted, "127.0.0.1", true),
        (VerifyFull, &trusted, "elsewhere", false),
        (VerifyFull, &foreign, "localhost", false),
    ] {
        let met = meets(&tls, &options(mode, ca), host).await;
        assert_eq!(met, wanted, "{mode:?} {ca:?} {host}");
    }
}

/// A chain as an authority signs it, not a pinned certificate.
#[tokio::test]
async fn a_certificate_signed_by_a_trusted_authority_is_trusted() {
    let folder = folder();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).expect("is a start");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().expect("makes a key");
    let authority_certificate = authority.self_signed(&authority_key).expect("signs");
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().expect("makes a key");
    let leaf = rcgen::CertificateParams::new(vec!["db.internal".to_owned()])
        .expect("is a start")
        .signed_by(&key, &issuer)
        .expect("signs");
    let path = |name: &str| folder.path().join(name);
    fs::write(path("ca.crt"), authority_certificate.pem()).expect("writes");
    fs::write(path("db.crt"), leaf.pem()).expect("writes");
    fs::write(path("db.key"), key.serialize_pem()).expect("writes");
    let tls = ServerTls::open(ServerTlsOptions {
        certificate: Some((path("db.crt"), path("db.key"))),
        data_dir: folder.path().to_owned(),
    })
    .expect("opens");
    for (mode, host, wanted) in [
        (TlsMode::VerifyFull, "db.internal", true),
        (TlsMode::VerifyFull, "other.internal", false),
        (TlsMode::VerifyCa, "other.internal", true),
    ] {
        let options = ClientTlsOptions { mode, ca: Some(path("ca.crt")), certificate: None };
        assert_eq!(meets(&tls, &options, host).await, wanted, "{mode:?} {host}");
    }
}
