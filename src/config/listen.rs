//! `[[listen]]`: where clients connect.

use std::path::{Path, PathBuf};

use crate::{
    config::{address::Address, section::Section},
    kernel::ids::TargetName,
    net::Network,
};

/// What a listener speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// The Postgres protocol, to targets.
    Postgres,
    /// The protocol of MySQL and MariaDB, to targets.
    MySql,
    /// Health and metrics.
    Http,
}

/// Whether clients must encrypt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListenTls {
    /// Never offered.
    Disable,
    /// Offered; clear text is taken too.
    Prefer,
    /// Clear text is refused.
    Require,
}

/// A certificate chain and its key, as files of PEM. Watched; a change serves new connections.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateFiles {
    /// The chain, the listener's own certificate first.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// One place where clients connect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listener {
    /// What is spoken.
    pub protocol: Protocol,
    /// Where.
    pub address: Address,
    /// Whether clients must encrypt. Always `Disable` for http.
    pub tls: ListenTls,
    /// The certificate; `None`: one signed by itself, kept in `data_dir`.
    pub certificate: Option<CertificateFiles>,
    /// The one target of a sidecar; `None`: clients name it.
    pub target: Option<TargetName>,
    /// From where clients may come; empty: from everywhere.
    pub allow: Vec<Network>,
    /// MySQL's: clients may prove who they are by mysql_native_password too.
    pub native_password: bool,
    /// The line of the file that it begins in.
    pub line: usize,
}

/// An entry of `allow`.
pub(super) fn network(text: &str) -> Result<Network, String> {
    Network::parse(text)
        .ok_or_else(|| format!("`{text}` is not a network; write 10.0.0.0/8 or fd00::/8"))
}

/// A listener, if it has what it must.
pub(super) fn read(section: Section<'_>, base: &Path) -> Option<Listener> {
    let protocol = section.choice(
        "protocol",
        &[("postgres", Protocol::Postgres), ("mysql", Protocol::MySql), ("http", Protocol::Http)],
    );
    if section.place("protocol").is_none() {
        section
            .issue(section.span(), "listen needs protocol = \"postgres\", \"mysql\" or \"http\"");
    }
    let address = section.address("address");
    if section.place("address").is_none() {
        section.issue(section.span(), "listen needs address = \"host:port\" or a socket's path");
    }
    let tls = section.choice(
        "tls",
        &[
            ("disable", ListenTls::Disable),
            ("prefer", ListenTls::Prefer),
            ("require", ListenTls::Require),
        ],
    );
    let (cert, key) = (section.path("cert"), section.path("key"));
    let certificate = match (cert, key) {
        (Some((cert, span)), Some((key, _))) => {
            if matches!(tls, Some((ListenTls::Disable, _))) {
                section.issue(span, "cert has no use with tls = \"disable\"");
            }
            Some(CertificateFiles { cert: base.join(cert), key: base.join(key) })
        }
        (Some((_, span)), None) => {
            section.issue(span, "cert needs key, the file of its private key");
            None
        }
        (None, Some((_, span))) => {
            section.issue(span, "key needs cert, the file of its certificate");
            None
        }
        (None, None) => None,
    };
    let target = section.text("target").map(|(name, _)| TargetName::new(name));
    let allow = section.list("allow", network);
    let native_password = section.truth("native_password", false);
    let start = section.span().start;
    let protocol = protocol.map(|(p, _)| p);
    if protocol == Some(Protocol::Http) {
        section.unused(&["tls", "cert", "key", "target"], "is not used by protocol = \"http\"");
    }
    if protocol != Some(Protocol::MySql) {
        section.unused(&["native_password"], "is for protocol = \"mysql\" alone");
    }
    let address = address.map(|(address, _)| match address {
        Address::Unix(path) => Address::Unix(base.join(path)),
        tcp @ Address::Tcp { .. } => tcp,
    });
    let allow = allow.map(|(list, _)| list).unwrap_or_default();
    section.finish();
    let (protocol, address) = (protocol?, address?);
    // Off the machine, a password's verifier and every row would cross the network in clear.
    let default = if address.is_local() { ListenTls::Prefer } else { ListenTls::Require };
    let tls = match protocol {
        Protocol::Http => ListenTls::Disable,
        Protocol::Postgres | Protocol::MySql => tls.map_or(default, |(tls, _)| tls),
    };
    // Where it starts; whoever has the text makes a line of it.
    let line = start;
    Some(Listener { protocol, address, tls, certificate, target, allow, native_password, line })
}
