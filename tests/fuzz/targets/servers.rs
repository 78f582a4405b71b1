//! A server that is not one, or is in somebody else's hands.

use std::time::Duration;

use hallpass::{
    net::Stream,
    upstream::{Connected, Control, catalog},
    wire::pg::backend,
};

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
    use tokio::io::AsyncWriteExt as _;
    let (mut theirs, ours) = tokio::net::UnixStream::pair().expect("a pair");
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
    let mut control = Control::over(connected, Duration::from_secs(2));
    drop(catalog::read(&mut control, 1).await);
    drop(theirs);
}
