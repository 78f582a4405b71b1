//! TLS for the raw client: takes any certificate and shows which one it was.

use std::{io::Write as _, net::TcpStream, sync::Arc};

use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::ring::default_provider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// A TLS connection of a test.
pub type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// Shakes hands. `alpn` is what to offer, empty for nothing.
pub fn connect(tcp: TcpStream, alpn: &[&str]) -> Result<TlsStream, std::io::Error> {
    connect_behind(Vec::new(), tcp, alpn)
}

/// As [`connect`]; what comes before the handshake goes out in one piece with its first message.
pub fn connect_behind(
    mut before: Vec<u8>,
    mut tcp: TcpStream,
    alpn: &[&str],
) -> Result<TlsStream, std::io::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring knows them")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone))
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("localhost").expect("a name");
    let mut tls = ClientConnection::new(Arc::new(config), name).map_err(std::io::Error::other)?;
    tls.write_tls(&mut before)?;
    tcp.write_all(&before)?;
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp)?;
    }
    Ok(StreamOwned::new(tls, tcp))
}

/// The SHA-256 of the server's certificate: what SCRAM-SHA-256-PLUS binds to.
pub fn certificate_hash(stream: &TlsStream) -> Vec<u8> {
    let certificates = stream.conn.peer_certificates().expect("a server shows one");
    ring::digest::digest(&ring::digest::SHA256, &certificates[0]).as_ref().to_vec()
}

#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}
