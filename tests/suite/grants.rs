//! Grants: what they give, to whom, where and for how long.

use std::time::Duration;

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    raw::{error, rows},
};

fn start() -> (Postgres, Gateway, String) {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    (server, gateway, secret)
}

fn passes(client: &mut RawClient, text: &str) -> bool {
    error(&client.query(text)).is_none()
}

#[test]
fn a_grant_reaches_an_open_session_in_under_a_second() {
    let (_server, gateway, secret) = start();
    let mut client = gateway.connect("alice", &secret);
    assert!(!passes(&mut client, "SELECT 1 FROM orders LIMIT 1"));
    gateway.must(&[
        "grant",
        "create",
        "--to",
        "alice",
        "--target",
        crate::support::gateway::TARGET,
        "--allow",
        "select",
        "--for",
        "5m",
        "--reason",
        "now",
    ]);
    assert!(eventually(Duration::from_secs(1), || passes(
        &mut client,
        "SELECT 1 FROM orders LIMIT 1"
    )));
}

#[test]
fn a_view_of_the_gateway_is_answered_by_the_constants_of_each_text() {
    let (_server, gateway, secret) = start();
    let mut client = gateway.connect("alice", &secret);
    for reason in ["INC-1", "INC-2"] {
        client.query(&format!("SELECT hallpass.request('select', '30m', '{reason}')"));
    }
    let mut ask = |text: &str| rows(&client.query(text));
    let all = || ask("SELECT reason FROM hallpass.requests").len() == 2;
    assert!(eventually(Duration::from_secs(3), all));
    let mut of = |id: u8| ask(&format!("SELECT reason FROM hallpass.requests WHERE id = {id}"));
    assert_eq!([of(1), of(2)], [[["INC-1"]], [["INC-2"]]]);
    let mut few = |n: usize| ask(&format!("SELECT reason FROM hallpass.requests LIMIT {n}")).len();
    assert_eq!([few(1), few(2)], [1, 2]);
}

#[test]
fn a_scope_holds_for_its_tables_only() {
    let (_server, gateway, secret) = start();
    gateway.grant_with("alice", "select", &["--for", "30m", "--scope", "public.orders,billing.*"]);
    let mut client = gateway.connect("alice", &secret);
    assert!(passes(&mut client, "SELECT 1 FROM orders LIMIT 1"));
    assert!(passes(&mut client, "SELECT 1 FROM billing.invoices LIMIT 1"));
    for text in [
        "SELECT 1 FROM customers LIMIT 1",
        "SELECT 1 FROM orders JOIN customers ON true LIMIT 1",
        "SELECT 1 FROM orders WHERE EXISTS (SELECT FROM employees) LIMIT 1",
        "SELECT 1 FROM customer_overview LIMIT 1",
    ] {
        let answer = client.query(text);
        let refusal = error(&answer).unwrap_or_else(|| panic!("{text} passes"));
        assert_eq!(refusal.field('C'), "42501", "{text}");
    }
}

#[test]
fn a_statement_may_use_several_grants() {
    let (server, gateway, secret) = start();
    gateway.grant_with("alice", "select", &["--for", "30m", "--scope", "public.orders"]);
    gateway.grant_with("alice", "dml", &["--for", "30m", "--scope", "public.products"]);
    let mut client = gateway.connect("alice", &secret);
    let text = "UPDATE products SET name = 'seen' WHERE id = 1 AND EXISTS (SELECT FROM orders)";
    assert!(passes(&mut client, text));
    assert_eq!(server.sql("SELECT name FROM products WHERE id = 1"), "seen");
    assert!(!passes(&mut client, "UPDATE orders SET note = 'x' WHERE id = 1"));
}

#[test]
fn a_grant_ends_by_itself() {
    let (_server, gateway, secret) = start();
    gateway.grant_with("alice", "select", &["--for", "3s"]);
    let mut client = gateway.connect("alice", &secret);
    assert!(passes(&mut client, "SELECT 1 FROM orders LIMIT 1"));
    let ended = || !passes(&mut client, "SELECT 1 FROM orders LIMIT 1");
    assert!(eventually(Duration::from_secs(6), ended));
    assert_eq!(rows(&client.query("SELECT 'alive'")), [["alive"]]);
}

#[test]
fn nobody_elses_grant_helps() {
    let (_server, gateway, secret) = start();
    gateway.principal("bob", "developer");
    gateway.grant("bob", "select");
    let mut client = gateway.connect("alice", &secret);
    assert!(!passes(&mut client, "SELECT 1 FROM orders LIMIT 1"));
}

#[test]
fn grants_need_an_end_and_a_permission_that_exists() {
    let (_server, gateway, _secret) = start();
    let fixed = ["grant", "create", "--to", "alice", "--target", crate::support::gateway::TARGET];
    for more in [
        &["--allow", "select", "--reason", "x"][..],
        &["--allow", "select", "--for", "25h", "--reason", "x"],
        &["--allow", "everything", "--for", "1h", "--reason", "x"],
        &["--allow", "select", "--for", "0s", "--reason", "x"],
        &["--allow", "select", "--for", "1h", "--reason", "x", "--scope", "orders"],
    ] {
        let output = gateway.cli(&[&fixed, more].concat());
        assert!(!output.status.success(), "{more:?}");
        assert!(!output.stderr.is_empty(), "{more:?}");
    }
}

#[test]
fn without_dml_the_upstream_session_is_read_only() {
    let (server, gateway, secret) = start();
    server.sql(
        "CREATE FUNCTION sneaky() RETURNS int LANGUAGE plpgsql STABLE AS
         $$ BEGIN EXECUTE 'DELETE FROM order_items'; RETURN 1; END $$",
    );
    gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    let before = server.sql("SELECT count(*) FROM order_items");
    let answer = client.query("SELECT sneaky()");
    assert!(error(&answer).is_some(), "{answer:?}");
    assert_eq!(server.sql("SELECT count(*) FROM order_items"), before);
    for text in ["SET default_transaction_read_only = off", "BEGIN READ WRITE"] {
        client.query(text);
    }
    let write = client.query("UPDATE customers SET credit = 0 WHERE id = 1");
    assert!(error(&write).is_some());
}
