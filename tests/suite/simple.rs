//! What simple Query may do under which permission, and that a refusal is like a server's error.

use crate::support::{
    Gateway, Postgres, Psql, RawClient,
    gateway::Options,
    raw::{self, bind, error, execute, rows, sync, tags},
};

/// Statements and the one permission that their refusal names for somebody without grants.
const NEEDS: &[(&str, &str)] = &[
    ("SELECT * FROM customers", "sql.select"),
    ("TABLE customers", "sql.select"),
    ("SELECT 1 WHERE EXISTS (SELECT FROM customers)", "sql.select"),
    ("SELECT * FROM customer_overview", "sql.select"),
    ("DECLARE c CURSOR FOR SELECT * FROM orders", "sql.select"),
    ("EXPLAIN ANALYZE SELECT * FROM orders", "sql.select"),
    ("LISTEN news", "sql.select"),
    ("UPDATE customers SET credit = 0 WHERE id = 1", "sql.dml"),
    ("DELETE FROM order_items", "sql.dml"),
    ("INSERT INTO products (sku, name, price) VALUES ('x', 'y', 1)", "sql.dml"),
    ("WITH gone AS (DELETE FROM order_items RETURNING 1) SELECT 1", "sql.dml"),
    ("EXPLAIN ANALYZE DELETE FROM order_items", "sql.dml"),
    ("SELECT * FROM orders FOR UPDATE", "sql.dml"),
    ("SELECT nextval('orders_id_seq')", "sql.dml"),
    ("NOTIFY news", "sql.dml"),
    ("CREATE TABLE t (x int)", "sql.ddl"),
    ("SELECT 1 AS x INTO t", "sql.ddl"),
    ("TRUNCATE order_items", "sql.ddl"),
    ("DROP TABLE order_items", "sql.ddl"),
    ("ALTER TABLE orders ADD COLUMN x int", "sql.ddl"),
    ("COPY orders TO PROGRAM 'cat'", "sql.admin"),
    ("DO $$ BEGIN NULL; END $$", "sql.admin"),
    ("GRANT SELECT ON orders TO PUBLIC", "sql.admin"),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "sql.admin"),
    ("SET ROLE postgres", "sql.admin"),
    ("SELECT pg_terminate_backend(1)", "sql.admin"),
    ("VACUUM", "sql.admin"),
];

/// What everybody may do who may be connected and holds `explain` and `info`.
const FREE: &[&str] = &[
    "SELECT 1",
    "SELECT version(), now(), current_user",
    "SHOW search_path",
    "EXPLAIN SELECT * FROM customers",
    "EXPLAIN DELETE FROM customers",
    "SELECT relname FROM pg_class LIMIT 1",
    "SELECT table_name FROM information_schema.tables LIMIT 1",
    "SELECT pid, state FROM pg_stat_activity",
    "BEGIN",
    "SAVEPOINT s",
    "ROLLBACK",
    "SET statement_timeout = '10s'",
    "RESET statement_timeout",
];

fn start() -> (Postgres, Gateway, RawClient) {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let client = gateway.connect("alice", &secret);
    (server, gateway, client)
}

#[test]
fn without_a_grant_a_refusal_names_what_is_missing() {
    let (server, _gateway, mut client) = start();
    for (text, permission) in NEEDS {
        let answer = client.query(text);
        assert_eq!(tags(&answer), "EZ", "{text}: {answer:?}");
        let refusal = error(&answer).expect("an error");
        assert_eq!(refusal.field('C'), "42501", "{text}: {refusal:?}");
        assert!(refusal.field('M').contains(permission), "{text}: {refusal:?}");
        let short = permission.trim_start_matches("sql.");
        let hint = refusal.field('H');
        assert!(hint.starts_with("SELECT hallpass.request('") && hint.contains(short), "{hint}");
        assert!(!server.log().contains(text), "{text} reached the server");
    }
    assert_eq!(rows(&client.query("SELECT 'alive'")), [["alive"]]);
}

#[test]
fn plans_catalogs_and_settings_are_free() {
    let (_server, _gateway, mut client) = start();
    for text in FREE {
        let answer = client.query(text);
        assert!(error(&answer).is_none(), "{text}: {answer:?}");
    }
}

#[test]
fn a_refused_statement_aborts_the_open_transaction_as_an_error_does() {
    let (_server, _gateway, mut client) = start();
    client.query("BEGIN");
    let refused = client.query("SELECT * FROM customers");
    assert_eq!(refused.last().expect("ready").body, b"E");
    let next = client.query("SELECT 1");
    assert_eq!(error(&next).expect("aborted").field('C'), "25P02");
    let end = client.query("COMMIT");
    assert_eq!(end[0].text(), "ROLLBACK");
}

#[test]
fn a_batch_is_allowed_whole_or_refused_whole() {
    let (server, gateway, mut client) = start();
    gateway.grant("alice", "select");
    let selects = || error(&client.query("SELECT id FROM orders LIMIT 1")).is_none();
    assert!(crate::support::eventually(std::time::Duration::from_secs(2), selects));
    let answer = client.query("SELECT 'first half'; DELETE FROM order_items");
    assert_eq!(tags(&answer), "EZ", "{answer:?}");
    assert!(!server.log().contains("first half"));
}

#[test]
fn a_text_of_bytes_that_are_no_text_is_refused() {
    let (server, _gateway, mut client) = start();
    let hostile: [&[u8]; 4] =
        [b"SELECT '\xff\xfe'\0", b"SELECT 1\0SELECT 2\0", b"SELECT 1", b"\0garbage"];
    for body in hostile {
        client.send_bytes(&raw::frame(b'Q', body));
        let answer = client.read();
        assert_eq!(answer.tag, b'E', "{body:?}: {answer:?}");
        if answer.field('S') == "FATAL" {
            return assert!(!server.log().contains("SELECT 2"));
        }
        client.read_until(b'Z');
    }
    assert!(!server.log().contains("SELECT 2"));
}

#[test]
fn a_text_too_long_for_the_sessions_own_thread_is_judged_all_the_same() {
    let (server, _gateway, mut client) = start();
    let long = "x".repeat(40_000);
    assert_eq!(rows(&client.query(&format!("SELECT length('{long}')"))), [["40000"]]);
    let refused = client.query(&format!("DELETE FROM order_items WHERE '{long}' = 'never'"));
    assert_eq!(error(&refused).expect("refused").field('C'), "42501");
    assert!(!server.log().contains("DELETE FROM order_items"));
    // In a pipeline each has its own answer, in order.
    client.send_bytes(&raw::query(&format!("SELECT 'first {long}'")));
    client.send_bytes(&raw::query("SELECT 'second'"));
    let first = client.read_until(b'Z');
    assert!(rows(&first)[0][0].starts_with("first x"));
    assert_eq!(rows(&client.read_until(b'Z')), [["second"]]);
}

#[test]
fn a_cursor_that_trusted_code_has_opened_needs_admin() {
    let server = Postgres::start();
    Psql::new(server.upstream_dsn()).must(
        "CREATE FUNCTION opens(refcursor) RETURNS refcursor LANGUAGE plpgsql AS
         $$ BEGIN OPEN $1 FOR SELECT email FROM customers; RETURN $1; END $$;",
    );
    let trust = "trust = [\"public.opens(dml)\"]".to_owned();
    let gateway = Gateway::start_with(&server, &Options { target: trust, ..Options::default() });
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select,dml");
    let mut client = gateway.connect("alice", &secret);
    client.query("BEGIN");
    let opened = client.query("SELECT opens('made')");
    assert_eq!(rows(&opened), [["made"]], "{opened:?}");
    let answer = client.query("FETCH ALL FROM made");
    assert_eq!(error(&answer).expect("an error").field('C'), "34000");
    assert!(rows(&answer).is_empty(), "{answer:?}");
}

#[test]
fn a_long_text_that_was_prepared_is_read_again_once_the_path_has_moved() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    let ids: Vec<String> = (0..3000).map(|n| n.to_string()).collect();
    let long = format!("SELECT count(*) FROM orders WHERE id IN ({})", ids.join(", "));
    client.query(&format!("PREPARE long AS {long}"));
    let first = rows(&client.query("EXECUTE long"));
    assert_eq!(first.len(), 1);
    client.query("SET search_path = public, billing");
    assert_eq!(rows(&client.query("EXECUTE long")), first);
    client.query("SET search_path = billing, public");
    let again = [bind("", "long", &[], 0), execute("", 0), sync()];
    assert_eq!(rows(&client.exchange(&again, 1)), first);
    client.query("SET search_path = public");
    let both = format!("EXECUTE long; {long}");
    assert_eq!(rows(&client.query(&both)), [first.clone(), first].concat());
}

#[test]
fn a_name_that_the_client_gave_itself_in_a_transaction_is_rolled_back_with_it() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    client.query("SET application_name = 'first'");
    client.query("BEGIN");
    client.query("SET application_name = 'second'");
    assert_eq!(rows(&client.query("SHOW application_name")), [["second"]]);
    client.query("SELECT 1/0");
    client.query("ROLLBACK");
    assert_eq!(rows(&client.query("SHOW application_name")), [["first"]]);
    assert_eq!(client.parameters["application_name"], "first");
    client.query("SET application_name = 'alice/itself'");
    assert_eq!(rows(&client.query("SHOW application_name")), [["alice/itself"]]);
    let named =
        "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'alice/%'";
    assert_eq!(server.sql(named), "alice/alice/itself");
}

#[test]
fn whether_it_may_write_is_what_the_client_said_not_the_wall() {
    let (_server, gateway, mut client) = start();
    let said = |client: &mut RawClient| {
        ["transaction_read_only", "default_transaction_read_only"]
            .map(|name| rows(&client.query(&format!("SHOW {name}")))[0][0].clone())
    };
    for permissions in ["select", "dml"] {
        gateway.grant("alice", permissions);
        assert_eq!(said(&mut client), ["off", "off"]);
        client.query("BEGIN READ ONLY");
        assert_eq!(said(&mut client), ["on", "off"]);
        client.query("COMMIT");
        assert_eq!(said(&mut client), ["off", "off"]);
        client.query("BEGIN");
        client.query("SET TRANSACTION READ ONLY");
        assert_eq!(said(&mut client), ["on", "off"]);
        client.query("ROLLBACK");
        client.query("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY");
        assert_eq!(said(&mut client), ["on", "on"]);
        client.query("BEGIN READ WRITE");
        assert_eq!(said(&mut client), ["off", "on"]);
        client.query("COMMIT");
        client.query("SET default_transaction_read_only = off");
        assert_eq!(said(&mut client), ["off", "off"]);
    }
}

#[test]
fn a_function_called_by_its_number_needs_admin() {
    let (server, gateway, mut client) = start();
    gateway.grant("alice", "select,dml,ddl,export");
    let pid = client.query("SELECT pg_backend_pid()");
    let pid: u32 = rows(&pid)[0][0].parse().expect("a number");
    // pg_terminate_backend of oneself, and lo_creat.
    for (oid, argument) in [(2096_u32, pid), (957, 0x60000)] {
        let body =
            [&oid.to_be_bytes()[..], &[0, 1, 0, 1, 0, 1, 0, 0, 0, 4], &argument.to_be_bytes()];
        let message = raw::frame(b'F', &[&body.concat()[..], &[0, 1]].concat());
        let answer = client.exchange(&[message], 1);
        assert_eq!(tags(&answer), "EZ", "{answer:?}");
        let error = error(&answer).expect("an error");
        assert_eq!(error.field('C'), "42501");
        assert!(error.field('M').contains("sql.admin"), "{error:?}");
    }
    assert_eq!(server.sql("SELECT count(*) FROM pg_largeobject_metadata"), "0");
    assert_eq!(rows(&client.query("SELECT 1")), [["1"]]);
}
