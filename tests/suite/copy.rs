//! COPY needs what it does: export to take rows out, dml to bring them in, admin for programs.

use std::time::Duration;

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    postgres::{DATABASE, UPSTREAM_PASSWORD, UPSTREAM_USER},
    raw::{bind, copy_data, copy_done, error, execute, parse, query, rows, sync, tags},
};

#[test]
fn copy_out_needs_export_beside_select() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    for text in ["COPY orders TO STDOUT", "COPY (SELECT 1 FROM orders) TO STDOUT (FORMAT binary)"] {
        let answer = client.query(text);
        assert!(error(&answer).expect("refused").field('M').contains("sql.export"), "{answer:?}");
    }
    gateway.grant("alice", "export");
    let copies = || {
        let answer = client.query("COPY orders TO STDOUT");
        error(&answer).is_none() && answer.iter().filter(|m| m.tag == b'd').count() == 6000
    };
    assert!(eventually(Duration::from_secs(3), copies));
}

#[test]
fn copy_in_needs_dml_and_nothing_is_left_of_a_refused_one() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let mut client = gateway.connect("alice", &secret);
    let text = "COPY products (sku, name, price) FROM STDIN";
    let answer = client.query(text);
    assert!(error(&answer).expect("refused").field('M').contains("sql.dml"), "{answer:?}");
    // A client that sends its data without waiting is ignored like by a server.
    client.send_bytes(&[query(text), copy_data(b"C-1\tx\t1\n"), copy_done()].concat());
    client.read_until(b'Z');
    assert_eq!(rows(&client.query("SELECT 1")), [["1"]]);
    assert_eq!(server.sql("SELECT count(*) FROM products WHERE sku = 'C-1'"), "0");

    gateway.grant("alice", "dml");
    let copies = || {
        client.send_bytes(&query(text));
        let first = client.read();
        if first.tag != b'G' {
            client.read_until(b'Z');
            return false;
        }
        client.send_bytes(&[copy_data(b"C-2\tx\t1\n"), copy_done()].concat());
        error(&client.read_until(b'Z')).is_none()
    };
    assert!(eventually(Duration::from_secs(3), copies));
    assert_eq!(server.sql("SELECT count(*) FROM products WHERE sku = 'C-2'"), "1");
}

#[test]
fn what_follows_a_sync_behind_bad_copy_data_is_answered_as_by_the_server() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select,dml");
    let batch = |text: &str| [parse("", text, &[]), bind("", "", &[], 0), execute("", 0)];
    let [copies, asks] = [batch("COPY products (sku, name, price) FROM STDIN"), batch("SELECT 7")];
    let bad = copy_data(b"one column\n");
    let before: &[&[u8]] = &[&copies[0], &copies[1], &copies[2], &bad, &sync()];
    let behind: &[&[u8]] = &[&asks[0], &asks[1], &asks[2], &sync()];
    let again: &[&[u8]] = &[&sync(), &asks[0], &asks[1], &asks[2], &sync()];
    let query = query("SELECT 8");
    let simple: &[&[u8]] = &[&query];
    for (what, behind) in [("a batch", behind), ("a second Sync", again), ("a Query", simple)] {
        let messages = [before, behind].concat();
        for waits in [None, Some(0), Some(3), Some(4), Some(5)] {
            let direct =
                RawClient::connect(&server.address(), UPSTREAM_USER, UPSTREAM_PASSWORD, DATABASE);
            let through = gateway.connect("alice", &secret);
            let [expected, got] = [direct, through].map(|client| answer(client, &messages, waits));
            assert_eq!(got, expected, "{what}, waiting from {waits:?}");
        }
    }
}

/// The tags of what comes until a row has come and its query has ended. From a certain message on,
/// what comes is waited for behind each.
fn answer(mut client: RawClient, messages: &[&[u8]], waits: Option<usize>) -> String {
    let mut said = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        client.send_bytes(message);
        let waits = waits.is_some_and(|from| at >= from);
        while waits && !client.is_silent_for(Duration::from_millis(20)) {
            said.push(client.read());
        }
    }
    while !tags(&said).contains('D') || !tags(&said).ends_with('Z') {
        said.push(client.read());
    }
    tags(&said)
}
