//! A server that is not one, or is in somebody else's hands.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use hallpass::{
    net::{Stream, tls::ClientTls},
    upstream::{
        Address, ConnectOptions, Connected, Control, Credential, catalog, connect,
        credential::Source, survey,
    },
    wire::pg::{backend, frame},
};
use tokio::net::{UnixListener, UnixStream};

use crate::{harness::Target, written};

/// A server that is not one answers the questions about its catalog.
#[test]
fn catalogs_of_a_hostile_server() {
    let cells = |cells: &[&str]| {
        let cells: Vec<_> = cells.iter().map(|c| Some(c.as_bytes())).collect();
        written(|o| {
            backend::data_row(o, &cells);
            backend::command_complete(o, "SELECT 1");
            backend::ready_for_query(o, backend::TransactionStatus::InTransaction);
        })
    };
    let seeds = [
        cells(&["1"; 12]).repeat(40),
        cells(&["{1,16384}"; 12]).repeat(40),
        [
            cells(&["150000", "shop", "hallpass"]),
            cells(&["16384", "s", "t", "r", "t", "d", "t", "{1}"]),
        ]
        .concat()
        .repeat(20),
        [cells(&["1", "2", "3", "1", "{1}", "t", "t", "{2}", "{3}"]), cells(&["2", "v", "1"])]
            .concat()
            .repeat(20),
    ];
    let words = ["1", "16384", "{1,2}", "{", "}", "t", "f", "r", "v", "-1", "pg_catalog"];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runs");
    let target = Target::new("catalogs_of_a_hostile_server", seeds).longest(16 << 10).words(words);
    target.run(|bytes| runtime.block_on(catalog_from(bytes)));
}

async fn catalog_from(bytes: &[u8]) {
    let (mut control, theirs) = control_over(bytes).await;
    if let Ok(catalog) = catalog::read(&mut control, 1).await {
        assert_eq!(catalog.epoch, 1);
        for relation in catalog.relations() {
            assert!(catalog.relation_by_oid(relation.oid).is_some());
        }
    }
    drop((control, theirs));
    let (mut control, _theirs) = control_over(bytes).await;
    if let Ok(holdings) = survey::read(&mut control).await {
        // Each took a message of its own.
        assert!(7 * holdings.len() <= bytes.len());
    }
}

/// The connection of a server that has said all this and hung up.
async fn control_over(bytes: &[u8]) -> (Control, UnixStream) {
    use tokio::io::AsyncWriteExt as _;
    let (mut theirs, ours) = UnixStream::pair().expect("a pair");
    theirs.write_all(bytes).await.expect("room for all of it");
    theirs.shutdown().await.expect("ends");
    let connected = Connected {
        stream: Stream::unix(ours),
        leftover: Vec::new(),
        parameters: Vec::new(),
        notices: Vec::new(),
        process: 1,
        cancel_key: Vec::new(),
        minor: 0,
    };
    (Control::over(connected, Duration::from_secs(2)), theirs)
}

/// A log-in comes of nothing but one that ends well, and what a server says in it has bounds.
#[test]
fn log_ins_at_a_hostile_server() {
    let ready = |o: &mut Vec<u8>| {
        backend::parameter_status(o, b"server_version", b"15.20");
        backend::parameter_status(o, b"server_version", b"16");
        backend::backend_key_data(o, 7, &[1; 4]);
        backend::ready_for_query(o, backend::TransactionStatus::Idle);
    };
    let seeds = [
        written(|o| {
            backend::authentication_ok(o);
            ready(o);
        }),
        written(|o| {
            backend::authentication_sasl(o, &["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]);
            backend::authentication_sasl_continue(o, b"r=x,s=AAAA,i=4096");
            backend::authentication_sasl_final(o, b"v=AAAA");
            backend::authentication_ok(o);
        }),
        written(|o| {
            o.extend_from_slice(b"R\0\0\0\x0c\0\0\0\x05salt");
            o.extend_from_slice(b"v\0\0\0\x0c\0\x03\0\0\0\0\0\0");
            o.extend_from_slice(b"N\0\0\0\x0fSNOTICE\0Mx\0\0");
            backend::authentication_ok(o);
            ready(o);
            o.extend_from_slice(b"A\0\0\0\x0c\0\0\0\x01a\0b\0");
        }),
        b"R\0\0\0\x08\0\0\0\x03E\0\0\0\x16SFATAL\0C28000\0Mno\0\0".to_vec(),
    ];
    let words = [
        "R\0\0\0\x08\0\0\0\0",
        "Z\0\0\0\x05I",
        "S\0\0\0\x08a\0b\0",
        "N\0\0\0\x05\0",
        "K\0\0\0\x0c\0\0\0\x01key!",
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "secret").expect("writes");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runs");
    let listener = {
        let _guard = runtime.enter();
        UnixListener::bind(&path).expect("listens")
    };
    let options = ConnectOptions {
        address: Address::Unix(path),
        tls: ClientTls::disabled(),
        user: "hallpass".to_owned(),
        credential: Arc::new(Credential::new(Source::File(secret))),
        database: "shop".to_owned(),
        minor: 2,
        timeout: Duration::from_secs(2),
        keepalive: Duration::from_secs(60),
    };
    let target = Target::new("log_ins_at_a_hostile_server", seeds).words(words);
    target.run(|bytes| runtime.block_on(logged_in(&options, &listener, bytes)));
}

async fn logged_in(options: &ConnectOptions, listener: &UnixListener, bytes: &[u8]) {
    use tokio::io::AsyncWriteExt as _;
    let server = async {
        let (mut server, _) = listener.accept().await.expect("it is there");
        // It may have hung up.
        drop(server.write_all(bytes).await);
        drop(server.shutdown().await);
        server
    };
    let (connected, _server) = tokio::join!(connect(options, &[("a.b", "c")]), server);
    let connected = match connected {
        Ok(connected) => connected,
        Err(error) => return assert!(!error.refusal().message.is_empty()),
    };
    let has = |frame: &[u8]| bytes.windows(frame.len()).any(|window| window == frame);
    assert!(has(b"R\0\0\0\x08\0\0\0\0") && has(b"Z\0\0\0\x05I"));
    assert!(connected.minor <= options.minor && connected.cancel_key.len() <= 256);
    assert!(bytes.ends_with(&connected.leftover));
    let names: BTreeSet<&String> = connected.parameters.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), connected.parameters.len());
    for notice in &connected.notices {
        let header = frame::from_upstream(notice).expect("a frame").expect("a whole one");
        assert_eq!(header.length, notice.len());
    }
}
