//! COPY needs what it does: export to take rows out, dml to bring them in, admin for programs.

use std::time::Duration;

use crate::support::{
    Gateway, Postgres, eventually,
    raw::{copy_data, copy_done, error, query, rows},
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
