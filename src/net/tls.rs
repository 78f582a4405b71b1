//! TLS on both sides: configurations, certificates that change under a running gateway, and how much
//! of an upstream's certificate is verified. ring is the one crypto provider.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Once},
    time::Duration,
};

use arc_swap::ArcSwap;
use ring::digest::{SHA256, digest};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{
        CertificateDer, PrivateKeyDer, ServerName, UnixTime,
        pem::{self, PemObject},
    },
    server::ParsedCertificate,
};

use super::end_point;

/// What both sides call the Postgres protocol when they agree on it by ALPN.
pub const ALPN: &[u8] = b"postgresql";

/// Certificates or settings that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds no certificate or key in PEM form.
    #[error("{}: {source}", path.display())]
    Pem {
        /// Which.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// A file holds no certificate at all.
    #[error("{}: no certificate in it", path.display())]
    NoCertificate {
        /// Which.
        path: PathBuf,
    },
    /// The system has no trusted certificates, and none were configured.
    #[error("the system has no trusted certificates; set `ca`")]
    NoRoots,
    /// Certificate and key don't belong together, or are of no use to TLS.
    #[error("certificate or key: {0}")]
    Unusable(#[from] rustls::Error),
    /// A trusted certificate is of no use to TLS.
    #[error("trusted certificates: {0}")]
    Verifier(#[from] rustls::client::VerifierBuilderError),
    /// No certificate could be made.
    #[error("making a certificate: {0}")]
    Generate(#[from] rcgen::Error),
}

/// Makes ring the process's provider. Done by everything here that needs one; safe to repeat.
pub fn install_provider() {
    static ONCE: Once = Once::new();
    // An error means that a provider is installed already: ours, since no other is compiled in.
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// Where a listener's certificate comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerTlsOptions {
    /// Paths of the certificate chain and its key, both PEM. `None`: a self-signed one is made on
    /// first use.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Where a self-signed certificate is kept.
    pub data_dir: PathBuf,
}

/// A listener's TLS: a configuration that is replaced whole when its files change.
#[derive(Debug)]
pub struct ServerTls {
    certificate: PathBuf,
    key: PathBuf,
    current: ArcSwap<Loaded>,
}

/// One loaded configuration and the digest of the certificate in it. They travel together, so that a
/// reload between handshake and log-in can't mix them.
#[derive(Debug)]
pub struct Loaded {
    pub(super) config: Arc<ServerConfig>,
    pub(super) end_point: Option<Box<[u8]>>,
    contents: [u8; 32],
}

impl ServerTls {
    /// Loads the certificate; without one, makes a self-signed one in the data folder.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn open(options: ServerTlsOptions) -> Result<Self, TlsError> {
        install_provider();
        let (certificate, key) = match options.certificate {
            Some(paths) => paths,
            None => self_signed(&options.data_dir)?,
        };
        let loaded = Loaded::read(&certificate, &key)?;
        Ok(Self { certificate, key, current: ArcSwap::from_pointee(loaded) })
    }

    /// The configuration for the next handshake.
    pub fn current(&self) -> Arc<Loaded> {
        self.current.load_full()
    }

    /// Reads the files again; true if they had changed. Sessions keep what they have.
    ///
    /// # Errors
    /// The new files are of no use; the old configuration stays.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let loaded = Loaded::read(&self.certificate, &self.key)?;
        let changed = loaded.contents != self.current.load().contents;
        if changed {
            self.current.store(Arc::new(loaded));
        }
        Ok(changed)
    }

    /// Reloads whenever the files have changed, looking this often. Never returns.
    pub async fn watch(&self, every: Duration) {
        let mut failing = false;
        loop {
            tokio::time::sleep(every).await;
            match self.reload() {
                Ok(changed) => {
                    failing = false;
                    if changed {
                        tracing::info!(path = %self.certificate.display(), "certificate reloaded");
                    }
                }
                // Said once: between the two files of a renewal this is normal.
                Err(error) if !failing => {
                    failing = true;
                    tracing::warn!(%error, "certificate not reloaded, the old one stays in use");
                }
                Err(_) => {}
            }
        }
    }
}

impl Loaded {
    fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let (chain_pem, key_pem) = (read(certificate)?, read(key)?);
        let chain = certificates(certificate, &chain_pem)?;
        let private = PrivateKeyDer::from_pem_slice(&key_pem)
            .map_err(|source| TlsError::Pem { path: key.to_owned(), source })?;
        let leaf = chain
            .first()
            .ok_or_else(|| TlsError::NoCertificate { path: certificate.to_owned() })?;
        let end_point = end_point::digest_of(leaf).map(Vec::into_boxed_slice);
        let mut config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(chain, private)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.ticketer = rustls::crypto::ring::Ticketer::new()?;
        let both = [chain_pem, key_pem].concat();
        let contents = digest(&SHA256, &both).as_ref().try_into().unwrap_or_default();
        Ok(Self { config: Arc::new(config), end_point, contents })
    }
}

/// How much an upstream connection is protected, as libpq's `sslmode`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum TlsMode {
    /// No TLS.
    Disable,
    /// TLS if the upstream has it. Protects against nobody who can change what is sent.
    Prefer,
    /// TLS; the certificate is verified only if trusted ones are configured.
    Require,
    /// TLS, and the certificate comes from a trusted authority.
    VerifyCa,
    /// And it is for the host that was asked for.
    #[default]
    VerifyFull,
}

impl std::str::FromStr for TlsMode {
    type Err = NotATlsMode;

    fn from_str(text: &str) -> Result<Self, NotATlsMode> {
        match text {
            "disable" => Ok(Self::Disable),
            "prefer" => Ok(Self::Prefer),
            "require" => Ok(Self::Require),
            "verify-ca" => Ok(Self::VerifyCa),
            "verify-full" => Ok(Self::VerifyFull),
            _ => Err(NotATlsMode),
        }
    }
}

/// A text that names no mode.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("expected disable, prefer, require, verify-ca or verify-full")]
pub struct NotATlsMode;

/// How upstream connections use TLS.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClientTlsOptions {
    /// How much is verified.
    pub mode: TlsMode,
    /// Path of trusted certificates in PEM; `None`: the system's.
    pub ca: Option<PathBuf>,
    /// Paths of the gateway's own certificate and key, for upstreams that ask for one.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// Loaded [`ClientTlsOptions`].
#[derive(Clone, Debug)]
pub struct ClientTls {
    mode: TlsMode,
    config: Option<Arc<ClientConfig>>,
}

impl ClientTls {
    /// Without TLS.
    pub fn disabled() -> Self {
        Self { mode: TlsMode::Disable, config: None }
    }

    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn load(options: &ClientTlsOptions) -> Result<Self, TlsError> {
        install_provider();
        if options.mode == TlsMode::Disable {
            return Ok(Self::disabled());
        }
        let verifier = Verifier::new(options)?;
        let builder = ClientConfig::builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &options.certificate {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificates(certificate, &read(certificate)?)?;
                let key = PrivateKeyDer::from_pem_slice(&read(key)?)
                    .map_err(|source| TlsError::Pem { path: key.clone(), source })?;
                builder.with_client_auth_cert(chain, key)?
            }
        };
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self { mode: options.mode, config: Some(Arc::new(config)) })
    }

    /// How much is verified.
    pub fn mode(&self) -> TlsMode {
        self.mode
    }

    /// The configuration for a handshake; `None` without TLS.
    pub fn config(&self) -> Option<Arc<ClientConfig>> {
        self.config.clone()
    }
}

/// Verifies as much of an upstream's certificate as the mode asks for. That the upstream *holds* the
/// certificate is verified always.
#[derive(Debug)]
struct Verifier {
    /// `None`: any certificate will do.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    /// The configured certificates themselves. One that an upstream shows as its own is trusted as it
    /// stands: self-signed certificates marked as authorities are common on database servers.
    pinned: Vec<CertificateDer<'static>>,
    names: Names,
    algorithms: rustls::crypto::WebPkiSupportedAlgorithms,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Names {
    Checked,
    Ignored,
}

impl Verifier {
    fn new(options: &ClientTlsOptions) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let pinned = match &options.ca {
            Some(path) => certificates(path, &read(path)?)?,
            None => Vec::new(),
        };
        let chain_checked = match options.mode {
            TlsMode::Disable | TlsMode::Prefer => false,
            TlsMode::Require => options.ca.is_some(),
            TlsMode::VerifyCa | TlsMode::VerifyFull => true,
        };
        let authorities = if chain_checked {
            let mut roots = RootCertStore::empty();
            if options.ca.is_some() {
                for certificate in &pinned {
                    roots.add(certificate.clone())?;
                }
            } else {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
            if roots.is_empty() {
                return Err(TlsError::NoRoots);
            }
            Some(WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?)
        } else {
            None
        };
        let names =
            if options.mode == TlsMode::VerifyFull { Names::Checked } else { Names::Ignored };
        Ok(Self { authorities, pinned, names, algorithms })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use rustls::{CertificateError as Bad, Error::InvalidCertificate};

        let Some(authorities) = &self.authorities else {
            return Ok(ServerCertVerified::assertion());
        };
        if self.pinned.contains(end_entity) {
            if self.names == Names::Checked {
                let parsed = ParsedCertificate::try_from(end_entity)?;
                rustls::client::verify_server_name(&parsed, server_name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        let verified = authorities.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match (verified, self.names) {
            // The name is asked last, so everything else was in order.
            (
                Err(InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. })),
                Names::Ignored,
            ) => Ok(ServerCertVerified::assertion()),
            (verified, _) => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::File { path: path.to_owned(), source })
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| TlsError::Pem { path: path.to_owned(), source })?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate { path: path.to_owned() });
    }
    Ok(certificates)
}

/// The paths of the self-signed certificate and its key, made if either isn't there.
fn self_signed(folder: &Path) -> Result<(PathBuf, PathBuf), TlsError> {
    let (certificate, key) = (folder.join("server.crt"), folder.join("server.key"));
    if certificate.exists() && key.exists() {
        return Ok((certificate, key));
    }
    let names = vec!["localhost".to_owned(), "hallpass".to_owned(), "127.0.0.1".to_owned()];
    let mut parameters = rcgen::CertificateParams::new(names)?;
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "hallpass");
    let signing_key = rcgen::KeyPair::generate()?;
    let made = parameters.self_signed(&signing_key)?;
    fs::create_dir_all(folder)
        .map_err(|source| TlsError::File { path: folder.to_owned(), source })?;
    write_private(&key, signing_key.serialize_pem().as_bytes(), 0o600)?;
    write_private(&certificate, made.pem().as_bytes(), 0o644)?;
    Ok((certificate, key))
}

/// Writes a file that nobody ever sees half-written or with wider rights.
fn write_private(path: &Path, contents: &[u8], mode: u32) -> Result<(), TlsError> {
    let temporary = path.with_extension("new");
    let write = || {
        let _ = fs::remove_file(&temporary);
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|source| TlsError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;
