//! Refusals in the extended protocol: in their place, skipping to Sync, deciding again at Execute.

use std::time::Duration;

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    raw::{
        bind, bind_mixed, close, copy_data, copy_done, describe, error, execute, flush, parse,
        query, rows, sync, tags,
    },
};

fn start() -> (Postgres, Gateway, RawClient) {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let client = gateway.connect("alice", &secret);
    (server, gateway, client)
}

fn ask(text: &str) -> [Vec<u8>; 4] {
    [parse("", text, &[]), bind("", "", &[], 0), describe(b'P', ""), execute("", 0)]
}

fn holds(client: &mut RawClient, text: &str) -> bool {
    eventually(Duration::from_secs(3), || error(&client.query(text)).is_none())
}

#[test]
fn a_refusal_comes_in_its_place_and_skips_to_sync() {
    let (server, _gateway, mut client) = start();
    let packet = [
        ask("SELECT 'before'").concat(),
        ask("SELECT * FROM customers").concat(),
        ask("SELECT 'skipped'").concat(),
        sync(),
        ask("SELECT 'after'").concat(),
        sync(),
    ];
    let answer = client.exchange(&packet, 2);
    assert_eq!(tags(&answer), "12TDCEZ12TDCZ", "{answer:?}");
    let refusal = error(&answer).expect("a refusal");
    assert_eq!(refusal.field('C'), "42501");
    assert!(refusal.field('H').starts_with("SELECT hallpass.request('select'"));
    assert_eq!(rows(&answer), [["before"], ["after"]]);
    assert!(!server.log().contains("FROM customers"));
}

#[test]
fn a_refusal_takes_back_the_write_before_it_in_the_same_pipeline() {
    let (server, gateway, mut client) = start();
    gateway.grant("alice", "dml");
    let write = "INSERT INTO products (sku, name, price) VALUES ('P-1', 'x', 1)";
    assert!(holds(&mut client, "DELETE FROM products WHERE sku = 'P-0'"));
    let packet = [ask(write).concat(), ask("DROP TABLE order_items").concat(), sync()];
    let answer = client.exchange(&packet, 1);
    assert!(error(&answer).expect("refused").field('M').contains("sql.ddl"), "{answer:?}");
    assert_eq!(server.sql("SELECT count(*) FROM products WHERE sku = 'P-1'"), "0");
    assert_eq!(answer.last().expect("ready").body, b"I");
}

#[test]
fn a_prepared_statement_is_judged_again_at_each_execution() {
    let (_server, gateway, mut client) = start();
    let grant = gateway.grant("alice", "select");
    assert!(holds(&mut client, "SELECT id FROM orders LIMIT 1"));
    let prepared = client.exchange(&[parse("s", "SELECT count(*) FROM orders", &[]), sync()], 1);
    assert_eq!(tags(&prepared), "1Z");
    let run = [bind("", "s", &[], 0), execute("", 0), sync()];
    assert_eq!(rows(&client.exchange(&run, 1)), [["6000"]]);
    gateway.must(&["grant", "revoke", &grant]);
    let refused = || {
        let answer = client.exchange(&run, 1);
        error(&answer).is_some_and(|e| e.field('C') == "42501")
    };
    assert!(eventually(Duration::from_secs(2), refused));
}

#[test]
fn a_suspended_portal_gives_no_more_rows_once_the_right_is_gone() {
    let (_server, gateway, mut client) = start();
    let grant = gateway.grant("alice", "select");
    assert!(holds(&mut client, "SELECT id FROM orders LIMIT 1"));
    client.query("BEGIN");
    let first = client.exchange(
        &[
            parse("", "SELECT id FROM orders ORDER BY id", &[]),
            bind("p", "", &[], 0),
            execute("p", 5),
            sync(),
        ],
        1,
    );
    assert_eq!(tags(&first), "12DDDDDsZ");
    gateway.must(&["grant", "revoke", &grant]);
    std::thread::sleep(Duration::from_secs(1));
    let more = client.exchange(&[execute("p", 5), sync()], 1);
    assert!(error(&more).is_some(), "{more:?}");
    assert!(rows(&more).is_empty(), "{more:?}");
}

#[test]
fn a_statement_the_server_skipped_is_not_there_later() {
    let (_server, _gateway, mut client) = start();
    client.exchange(
        &[
            parse("", "SELECT 1/0", &[]),
            bind("", "", &[], 0),
            execute("", 0),
            parse("later", "SELECT 'later'", &[]),
            sync(),
        ],
        1,
    );
    let answer = client.exchange(&[bind("", "later", &[], 0), execute("", 0), sync()], 1);
    assert_eq!(error(&answer).expect("unknown").field('C'), "26000");
}

#[test]
fn a_name_that_was_parsed_anew_is_judged_by_its_new_text() {
    let (server, _gateway, mut client) = start();
    client.exchange(&[parse("s", "SELECT 1", &[]), sync()], 1);
    client.exchange(&[close(b'S', "s"), sync()], 1);
    let answer = client.exchange(
        &[
            parse("s", "DELETE FROM order_items", &[]),
            bind("", "s", &[], 0),
            execute("", 0),
            sync(),
        ],
        1,
    );
    assert!(error(&answer).expect("refused").field('M').contains("sql.dml"));
    // SQL EXECUTE and the protocol's names are one list.
    client.query("PREPARE s AS SELECT 2");
    assert_eq!(
        rows(&client.exchange(&[bind("", "s", &[], 0), execute("", 0), sync()], 1)),
        [["2"]]
    );
    let again = client.query("PREPARE t AS DELETE FROM order_items");
    let run = client.query("EXECUTE t");
    assert!(error(&again).or(error(&run)).expect("refused").field('M').contains("sql.dml"));
    assert!(!server.log().contains("DELETE FROM order_items"));
}

#[test]
fn a_message_that_can_not_be_read_is_an_error_and_the_session_lives() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    client.exchange(&[parse("e", "SELECT $1::int", &[]), sync()], 1);
    // A format code that doesn't exist: what it would mean is not known, so nothing is sent on.
    let odd = bind_mixed("", "e", &[(7, Some("1"))], &[0]);
    let answer = client.exchange(&[odd, execute("", 0), sync()], 1);
    assert_eq!(error(&answer).expect("refused").field('C'), "08P01");
    assert!(error(&client.query("SELECT 'alive'")).is_none());
}

#[test]
fn a_refused_query_in_a_failed_batch_is_skipped_as_the_server_skips_it() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let mut client = gateway.connect("alice", &secret);
    let wrong = [parse("", "SELECT 1/0", &[]), bind("", "", &[], 0), execute("", 0)].concat();
    let answer = client.exchange(&[wrong, query("SELECT * FROM customers"), sync()], 1);
    assert_eq!(tags(&answer), "1EZ");
    assert_eq!(rows(&client.query("SELECT 'in step'")), [["in step"]]);
    let right = [parse("", "SELECT 1", &[]), bind("", "", &[], 0), execute("", 0)].concat();
    let answer = client.exchange(&[right, query("SELECT * FROM customers"), sync()], 2);
    assert_eq!(tags(&answer), "12DCEZZ");
    assert_eq!(rows(&client.query("SELECT 'in step'")), [["in step"]]);
}

#[test]
fn a_name_that_only_the_server_knows_is_refused_before_it_is_ready() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let grant = gateway.grant("alice", "admin");
    let mut client = gateway.connect("alice", &secret);
    client.query("DO $$ BEGIN EXECUTE 'PREPARE hidden AS SELECT email FROM customers'; END $$");
    gateway.must(&["grant", "revoke", &grant]);
    std::thread::sleep(Duration::from_millis(700));
    let answer = client.exchange(&[bind("", "hidden", &[], 0), execute("", 0), sync()], 1);
    assert_eq!(tags(&answer), "EZ");
    assert_eq!(error(&answer).expect("refused").field('C'), "26000");
    assert_eq!(rows(&client.query("SELECT 'in step'")), [["in step"]]);
}

#[test]
fn a_copy_is_committed_by_the_sync_behind_its_end_also_when_that_comes_late() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    client.query("CREATE TABLE arrived (id int)");
    let begin =
        [parse("", "COPY arrived FROM STDIN", &[]), bind("", "", &[], 0), execute("", 0), sync()];
    client.send_bytes(&begin.concat());
    client.read_until(b'G');
    client.send_bytes(&[copy_data(b"1\n"), copy_done(), flush()].concat());
    client.read_until(b'C');
    assert_eq!(server.sql("SELECT count(*) FROM arrived"), "0", "the server waits for a Sync");
    client.send_bytes(&sync());
    client.read_until(b'Z');
    assert_eq!(server.sql("SELECT count(*) FROM arrived"), "1");
}
