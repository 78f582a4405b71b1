//! What the other tests rely on: the private server and the raw client do what they say.

use crate::support::{
    Postgres, Psql, RawClient,
    postgres::{self, DATABASE, SUPERUSER, SUPERUSER_PASSWORD, UPSTREAM_PASSWORD, UPSTREAM_USER},
    raw::{self, tags},
};

#[test]
fn a_private_server_has_the_sample_and_logs_statements() {
    let server = Postgres::start();
    assert_eq!(server.sql("SELECT count(*) FROM customers"), "2000");
    assert_eq!(
        server.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'orders'"),
        "hallpass"
    );
    assert!(server.log().contains("SELECT count(*) FROM customers"));
    let psql = Psql::new(server.upstream_dsn());
    assert_eq!(psql.must("SELECT count(*) FROM orders"), "6000");
    assert_eq!(psql.must("SELECT usesuper FROM pg_user WHERE usename = current_user"), "f");
}

#[test]
fn two_servers_live_side_by_side() {
    let (one, two) = (Postgres::start(), Postgres::start());
    one.sql("DELETE FROM billing.invoices");
    assert_eq!(one.sql("SELECT count(*) FROM billing.invoices"), "0");
    assert_ne!(two.sql("SELECT count(*) FROM billing.invoices"), "0");
}

#[test]
fn a_stopped_server_comes_back_with_its_rows() {
    let mut server = Postgres::start();
    server.sql("CREATE TABLE kept AS SELECT 1 AS x; CHECKPOINT");
    server.stop();
    server.restart();
    assert_eq!(server.sql("SELECT x FROM kept"), "1");
}

#[test]
fn the_raw_client_logs_in_by_scram_and_asks() {
    let server = Postgres::start();
    let mut client =
        RawClient::connect(&server.address(), UPSTREAM_USER, UPSTREAM_PASSWORD, DATABASE);
    let answer = client.query("SELECT id, note FROM orders WHERE id = 1");
    assert_eq!(tags(&answer), "TDCZ");
    assert_eq!(raw::rows(&answer)[0][0], "1");
    let answer = client.exchange(
        &[
            raw::parse("", "SELECT $1::int + 1", &[]),
            raw::bind("", "", &[Some("41")], 0),
            raw::execute("", 0),
            raw::sync(),
        ],
        1,
    );
    assert_eq!(tags(&answer), "12DCZ");
    assert_eq!(raw::rows(&answer), [["42"]]);
    client.terminate();
}

#[test]
fn the_raw_client_is_refused_with_a_wrong_password() {
    let server = Postgres::start();
    let mut client = RawClient::open(&server.address());
    client.startup(raw::PROTOCOL_3_0, &[("user", UPSTREAM_USER), ("database", DATABASE)]);
    let refusal = client.login("guess").expect_err("a wrong password");
    assert_eq!(refusal.field('C'), "28P01");
}

#[test]
fn the_raw_client_binds_its_login_to_the_certificate() {
    let options = postgres::Options {
        tls: true,
        hba: "hostnossl all all 127.0.0.1/32 reject".into(),
        ..Default::default()
    };
    let server = Postgres::start_with(&options);
    let mut client = RawClient::open(&server.address()).start_tls().expect("TLS is offered");
    client.startup(raw::PROTOCOL_3_0, &[("user", SUPERUSER), ("database", DATABASE)]);
    client.login_bound(SUPERUSER_PASSWORD).expect("logs in");
    let answer = client.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    assert_eq!(raw::rows(&answer), [["t"]]);
}

#[test]
fn the_raw_client_cancels() {
    let server = Postgres::start();
    let mut client =
        RawClient::connect(&server.address(), UPSTREAM_USER, UPSTREAM_PASSWORD, DATABASE);
    client.send_bytes(&raw::query("SELECT pg_sleep(60)"));
    assert!(client.is_silent_for(std::time::Duration::from_millis(200)));
    client.cancel();
    let answer = client.read_until(b'Z');
    assert_eq!(raw::error(&answer).expect("an error").field('C'), "57014");
}

#[test]
fn an_open_psql_shows_results_and_errors_in_order() {
    let server = Postgres::start();
    let mut session = Psql::new(server.upstream_dsn()).open();
    assert_eq!(session.say("SELECT 1;"), "1");
    let error = session.say("SELECT nothing;");
    assert!(error.contains("ERROR:  column \"nothing\" does not exist"), "{error}");
    assert_eq!(session.say("SELECT 2;"), "2");
    session.begin("SELECT pg_sleep(60);");
    assert!(crate::support::eventually(crate::support::PATIENCE, || {
        server.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()") == "1"
    }));
    session.interrupt();
    let cancelled = session.finish(crate::support::PATIENCE);
    assert!(cancelled.contains("canceling statement due to user request"), "{cancelled}");
}
