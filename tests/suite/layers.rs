//! Where two of the layers that read SQL fall out over a text, nobody below admin sends it on, and
//! operators hear of it.

use std::time::Duration;

use crate::support::{Gateway, Postgres, eventually, raw::error};

/// `end` is a column's label to the server, and the end of the function's body to the lexer.
const IN_TWO_WAYS: &str =
    "CREATE FUNCTION pair() RETURNS int BEGIN ATOMIC SELECT 1 end; SELECT 2; END";

fn disagreements(gateway: &Gateway) -> Option<u64> {
    let (_, page) = gateway.http("/metrics")?;
    let line = page.lines().find_map(|l| l.strip_prefix("hallpass_disagreements_total "))?;
    line.parse().ok()
}

#[test]
fn a_text_that_is_read_in_two_ways_is_refused_below_admin_counted_and_told() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select,export,dml,ddl");
    let mut client = gateway.connect("alice", &secret);
    assert_eq!(disagreements(&gateway), Some(0));
    for _ in 0..3 {
        let answer = client.query(IN_TWO_WAYS);
        let error = error(&answer).expect("refused");
        assert!(error.field('M').contains("read in two ways"), "{answer:?}");
    }
    assert_eq!(server.sql("SELECT count(*) FROM pg_proc WHERE proname = 'pair'"), "0");
    assert_eq!(disagreements(&gateway), Some(3));
    let told = gateway.log().matches("the layers disagree").count();
    assert_eq!(told, 1, "a line in a minute: {}", gateway.log());
    assert!(!gateway.log().contains("ATOMIC"), "SQL stays out of the log");

    gateway.grant("alice", "admin");
    let made = || error(&client.query(IN_TWO_WAYS)).is_none();
    assert!(eventually(Duration::from_secs(3), made), "admin may");
    assert_eq!(server.sql("SELECT count(*) FROM pg_proc WHERE proname = 'pair'"), "1");
    assert!(disagreements(&gateway) > Some(3), "who may is counted too");
}
