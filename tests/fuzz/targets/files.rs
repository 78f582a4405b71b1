//! Files beside the settings: keys, certificates, passwords. They are the operator's, and may be half
//! written, or of something else.

use std::{fs, path::Path};

use hallpass::{
    kernel::audit::Digest,
    net::{
        end_point::digest_of,
        tls::{ClientTls, ClientTlsOptions, ServerTls, ServerTlsOptions, TlsMode},
    },
    trail::{Identity, identity, identity::PublicKey},
    upstream::{Credential, credential::Source},
};
use ring::digest;

use crate::harness::Target;

/// The digest of a certificate is one of three, of all of it, or there is none.
#[test]
fn certificates() {
    let folder = tempfile::tempdir().expect("a folder");
    let pem = made(folder.path());
    let der = rustls::pki_types::pem::PemObject::from_pem_slice(&pem).expect("it reads");
    let der: rustls::pki_types::CertificateDer<'static> = der;
    let sequence = |parts: &[&[u8]]| {
        let content = parts.concat();
        [&[0x30, u8::try_from(content.len()).expect("short")][..], &content].concat()
    };
    let signed = |oid: &[u8], parameters: &[u8]| {
        let oid = [&[6, u8::try_from(oid.len()).expect("short")][..], oid].concat();
        sequence(&[&sequence(&[b"\x02\x01\x01"]), &sequence(&[&oid, parameters])])
    };
    let rsa = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01";
    let sha384 = sequence(&[b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02"]);
    let hash = [&[0xa0, u8::try_from(sha384.len()).expect("short")][..], &sha384].concat();
    let seeds = [
        der.to_vec(),
        signed(&[rsa, &[11][..]].concat(), b"\x05\0"),
        signed(&[rsa, &[13][..]].concat(), b"\x05\0"),
        signed(&[rsa, &[10][..]].concat(), &sequence(&[&hash])),
        signed(b"\x2a\x86\x48\xce\x3d\x04\x03\x03", b""),
    ];
    let words = ["0\u{0}", "0\u{1}", "\u{6}\u{9}", "0\u{2}\u{5}\u{0}"];
    Target::new("certificates", seeds).words(words).run(|bytes| {
        let Some(found) = digest_of(bytes) else { return };
        let all = [&digest::SHA256, &digest::SHA384, &digest::SHA512];
        assert!(all.iter().any(|hash| digest::digest(hash, bytes).as_ref() == found));
    });
}

/// A certificate that the gateway makes itself, with its key beside it.
fn made(folder: &Path) -> Vec<u8> {
    let options = ServerTlsOptions { certificate: None, data_dir: folder.to_owned() };
    ServerTls::open(options).expect("is made");
    let path = walk(folder).into_iter().find(|path| path.ends_with("server.crt"));
    fs::read(path.expect("is there")).expect("reads")
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let paths = entries.map(|entry| entry.path());
    paths.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// Whatever is in them: a key, certificate or password that works, or an error that says which file.
#[test]
fn files_of_a_node() {
    let folder = tempfile::tempdir().expect("a folder");
    let certificate = made(folder.path());
    let key = walk(folder.path()).into_iter().find(|path| path.ends_with("server.key"));
    let key = key.expect("is there");
    Identity::load_or_create(folder.path()).expect("a key");
    let read = |name: &str| fs::read(folder.path().join(name)).expect("reads");
    let seeds = [
        certificate,
        fs::read(&key).expect("reads"),
        read("node.key"),
        read("node.pub"),
        vec![7; 32],
        b"password\r\n".to_vec(),
    ];
    let words = ["-----BEGIN ", "CERTIFICATE-----\n", "PRIVATE KEY-----\n", "-----END ", "\n", "="];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runs");
    let target = Target::new("files_of_a_node", seeds).longest(6000).words(words);
    let other = tempfile::tempdir().expect("a folder");
    target.run(|bytes| {
        let path = other.path().join("file");
        fs::write(&path, bytes).expect("writes");
        for certificate in [Some((path.clone(), key.clone())), Some((path.clone(), path.clone()))] {
            let options = ServerTlsOptions { certificate, data_dir: other.path().to_owned() };
            if let Err(error) = ServerTls::open(options) {
                assert!(!error.to_string().is_empty());
            }
        }
        let mode = TlsMode::VerifyFull;
        let options = ClientTlsOptions { mode, ca: Some(path.clone()), certificate: None };
        drop(ClientTls::load(&options));
        node_keys(other.path(), bytes);
        let password = runtime.block_on(Credential::new(Source::File(path)).password());
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let fits = !line.is_empty() && !line.contains(&0) && bytes.len() <= 4096;
        assert_eq!(password.ok().map(|p| p.reveal().to_vec()), fits.then(|| line.to_vec()));
    });
}

fn node_keys(folder: &Path, bytes: &[u8]) {
    fs::write(folder.join("node.key"), bytes).expect("writes");
    if let Ok(identity) = Identity::load_or_create(folder) {
        let beside = PublicKey::load(&folder.join("node.pub")).expect("it is put there");
        assert_eq!(beside, identity.public_key());
        assert_eq!(beside.node(), identity.node());
    }
    fs::write(folder.join("node.pub"), bytes).expect("writes");
    if let Ok(key) = PublicKey::load(&folder.join("node.pub")) {
        assert_eq!(key.to_string().parse(), Ok(key));
    }
    fs::write(folder.join("audit-hmac.key"), bytes).expect("writes");
    assert_eq!(identity::parameter_key(folder).is_ok(), bytes.len() >= 32);
    if let Some(digest) = Digest::parse_hex(bytes) {
        assert_eq!(Digest::parse_hex(digest.to_string().as_bytes()), Some(digest));
    }
}
