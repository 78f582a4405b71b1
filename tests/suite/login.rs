//! Who gets in, and how: SCRAM, TLS, protocol versions, what the outside can tell apart.

use std::time::Duration;

use crate::support::{
    Gateway, Message, Postgres, RawClient,
    gateway::{Options, TARGET},
    raw::{self, PROTOCOL_3_0, PROTOCOL_3_2},
};

fn refused(gateway: &Gateway, user: &str, secret: &str, database: &str) -> Message {
    let mut client = RawClient::open(&gateway.address());
    client.startup(PROTOCOL_3_0, &[("user", user), ("database", database)]);
    client.login(secret).expect_err("must be refused")
}

#[test]
fn a_wrong_password_and_an_unknown_user_look_alike() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let wrong = refused(&gateway, "alice", "guess", TARGET);
    let unknown = refused(&gateway, "mallory", "guess", TARGET);
    assert_eq!(wrong.field('C'), "28P01");
    assert_eq!(
        format!("{wrong:?}").replace("alice", "NAME"),
        format!("{unknown:?}").replace("mallory", "NAME")
    );
    // The salt of somebody who doesn't exist stays the same, as a real one does.
    let first_challenge = |user: &str| {
        let mut client = RawClient::open(&gateway.address());
        client.startup(PROTOCOL_3_0, &[("user", user), ("database", TARGET)]);
        drop(client.login("guess"));
        let challenge = client.record.iter().find(|m| m.body.starts_with(&[0, 0, 0, 11]));
        let text = String::from_utf8_lossy(&challenge.expect("a challenge").body[4..]).into_owned();
        text.split_once(",s=").expect("a salt").1.to_owned()
    };
    assert_eq!(first_challenge("mallory"), first_challenge("mallory"));
    assert_ne!(first_challenge("mallory"), first_challenge("malory"));
    gateway.connect("alice", &secret).terminate();
}

#[test]
fn a_disabled_principal_and_an_unknown_target_are_refused() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    assert_eq!(refused(&gateway, "alice", &secret, "nowhere").field('C'), "3D000");
    gateway.must(&["principal", "disable", "alice"]);
    let gone = || {
        let mut client = RawClient::open(&gateway.address());
        client.startup(PROTOCOL_3_0, &[("user", "alice"), ("database", TARGET)]);
        client.login(&secret).is_err()
    };
    assert!(crate::support::eventually(Duration::from_secs(2), gone));
}

#[test]
fn a_rotated_secret_replaces_the_old_one_after_the_overlap() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let old = gateway.principal("alice", "developer");
    let rotated = gateway.json(&["principal", "rotate", "alice", "--overlap", "1d"]);
    let new = rotated["secret"].as_str().expect("a secret").to_owned();
    assert_ne!(old, new);
    for secret in [&old, &new] {
        let works = || {
            let mut client = RawClient::open(&gateway.address());
            client.startup(PROTOCOL_3_0, &[("user", "alice"), ("database", TARGET)]);
            client.login(secret).is_ok()
        };
        assert!(crate::support::eventually(Duration::from_secs(2), works));
    }
}

#[test]
fn the_target_may_stand_in_the_user_name() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let user = format!("alice@{TARGET}");
    // libpq sends the user's name for a database that nobody gave.
    for database in ["shop", &user] {
        let mut client = RawClient::connect(&gateway.address(), &user, &secret, database);
        assert_eq!(raw::rows(&client.query("SELECT current_database()")), [["shop"]]);
    }
    let told = refused(&gateway, &user, &secret, "postgres");
    assert_eq!(told.field('C'), "3D000");
    assert_eq!(told.field('H'), "Leave the database out, or give shop.");
}

#[test]
fn tls_is_offered_asked_for_and_bound_to() {
    let server = Postgres::start();
    let options = Options { tls: "require", ..Options::default() };
    let gateway = Gateway::start_with(&server, &options);
    let secret = gateway.principal("alice", "developer");
    let parameters = [("user", "alice"), ("database", TARGET)];

    // In clear: refused before any password is asked for.
    let mut clear = RawClient::open(&gateway.address());
    clear.startup(PROTOCOL_3_0, &parameters);
    assert_eq!(clear.read().field('C'), "28000");

    let mut plain = RawClient::open(&gateway.address()).start_tls().expect("offered");
    plain.startup(PROTOCOL_3_0, &parameters);
    plain.login(&secret).expect("SCRAM-SHA-256 over TLS");

    let mut bound = RawClient::open(&gateway.address()).start_tls().expect("offered");
    bound.startup(PROTOCOL_3_0, &parameters);
    bound.login_bound(&secret).expect("SCRAM-SHA-256-PLUS");
    assert_eq!(raw::rows(&bound.query("SELECT 1")), [["1"]]);

    let mut direct = RawClient::open(&gateway.address()).direct_tls(&["postgresql"]);
    assert_eq!(direct.alpn().as_deref(), Some(b"postgresql".as_slice()));
    direct.startup(PROTOCOL_3_0, &parameters);
    direct.login(&secret).expect("TLS from the first byte");

    let psql = gateway.psql("alice", &secret).env("PGSSLMODE", "require");
    assert_eq!(psql.env("PGCHANNELBINDING", "require").must("SELECT 2"), "2");
}

#[test]
fn tls_and_gss_are_declined_with_one_byte() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let Err(answer) = RawClient::open(&gateway.address()).start_tls() else {
        panic!("TLS is switched off");
    };
    assert_eq!(answer, b'N');
    let mut client = RawClient::open(&gateway.address());
    assert_eq!(client.request_gss(), b'N');
    client.startup(PROTOCOL_3_0, &[("user", "alice"), ("database", TARGET)]);
    client.login(&secret).expect("goes on in clear");
}

#[test]
fn bytes_sent_behind_a_tls_request_are_not_taken() {
    let server = Postgres::start();
    let options = Options { tls: "prefer", ..Options::default() };
    let gateway = Gateway::start_with(&server, &options);
    gateway.principal("alice", "developer");
    let mut client = RawClient::open(&gateway.address());
    let mut bytes = [8_i32.to_be_bytes(), 80_877_103_i32.to_be_bytes()].concat();
    bytes.extend_from_slice(&raw::query("SELECT 'injected'"));
    client.send_bytes(&bytes);
    assert!(client.ends_after(b"ES"), "{:?}", client.record);
}

#[test]
fn newer_protocols_are_negotiated() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let mut newer = RawClient::open(&gateway.address());
    newer.startup(PROTOCOL_3_2, &[("user", "alice"), ("database", TARGET)]);
    newer.login(&secret).expect("3.2 is spoken");
    assert!(newer.key.len() > 8, "3.2 has long cancel keys: {}", newer.key.len());

    let mut strange = RawClient::open(&gateway.address());
    strange.startup(
        196_608 + 9999,
        &[("user", "alice"), ("database", TARGET), ("_pq_.future", "yes")],
    );
    strange.login(&secret).expect("goes on with what both know");
    let answer = strange.record.iter().find(|m| m.tag == b'v').expect("NegotiateProtocolVersion");
    assert!(answer.body.ends_with(b"_pq_.future\0"), "{answer:?}");

    let mut old = RawClient::open(&gateway.address());
    old.startup(131_072, &[("user", "alice")]);
    assert!(old.ends_after(b"E"));
}

#[test]
fn nothing_runs_before_log_in() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let mut client = RawClient::open(&gateway.address());
    client.startup(PROTOCOL_3_0, &[("user", "alice"), ("database", TARGET)]);
    client.read();
    drop(client.try_send_bytes(&raw::query("SELECT 'before log-in'")));
    assert!(client.ends_after(b"E"));
    assert!(!server.log().contains("before log-in"));
}

#[test]
fn nonsense_ends_a_connection_and_nothing_else() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let hostile: [&[u8]; 6] = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\0\0\0",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x7f\xff\xff\xff\0\x03\0\0",
        b"\0\0\0\x08\0\x03\0\0",
        b"\0\0\0\x0c\0\x03\0\0user",
    ];
    for bytes in hostile {
        let mut client = RawClient::open(&gateway.address());
        drop(client.try_send_bytes(bytes));
        drop(client.try_send_bytes(&[0; 64]));
        assert!(client.ends_after(b"E"), "{bytes:?}");
    }
    let mut client = gateway.connect("alice", &secret);
    assert_eq!(raw::rows(&client.query("SELECT 1")), [["1"]]);
}

#[test]
fn the_server_knows_who_it_is_and_the_client_doesnt_see_that() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let mut client = RawClient::open(&gateway.address());
    client.startup(
        PROTOCOL_3_0,
        &[("user", "alice"), ("database", TARGET), ("application_name", "tool")],
    );
    client.login(&secret).expect("logs in");
    assert_eq!(client.parameters["application_name"], "tool");
    let name = "SELECT string_agg(application_name, ',') FROM pg_stat_activity
                WHERE application_name LIKE 'alice/%'";
    client.query("SELECT 1");
    assert_eq!(server.sql(name), "alice/tool");
    client.query("SET application_name = 'other'");
    assert_eq!(client.parameters["application_name"], "other");
    assert_eq!(server.sql(name), "alice/other");
}

#[test]
fn a_server_that_takes_backslashes_in_strings_is_read_so_from_the_log_in_on() {
    let settings = vec![("standard_conforming_strings", "off".to_owned())];
    let options = crate::support::postgres::Options { settings, ..Default::default() };
    let server = Postgres::start_with(&options);
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let mut client = gateway.connect("alice", &secret);
    // Two strings to one, a string and a look at customers to the other.
    let answer = client.query(r"SELECT '\' , '||(SELECT email FROM customers LIMIT 1) --'");
    assert_eq!(raw::error(&answer).expect("refused").field('C'), "42501");
    assert!(raw::rows(&answer).is_empty(), "{answer:?}");
}

#[test]
fn equal_settings_by_two_ways_are_no_reason_to_stay_out() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    for (options, encoding) in [
        ("-c client_encoding=UTF8", "UTF8"),
        ("-c client_encoding=utf-8", "UTF8"),
        ("-c client_encoding=UTF8 -c client_encoding=UTF8", "'utf-8'"),
    ] {
        let mut client = RawClient::open(&gateway.address());
        let parameters = [
            ("user", "alice"),
            ("database", TARGET),
            ("client_encoding", encoding),
            ("options", options),
        ];
        client.startup(PROTOCOL_3_0, &parameters);
        let answer = client.login(&secret);
        assert!(answer.is_ok(), "{options}, {encoding}: {answer:?}");
        assert_eq!(client.parameters["client_encoding"], "UTF8");
    }
}

#[test]
fn a_name_that_only_the_gateway_makes_long_is_nobodys_business() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let notices = |client: &RawClient| -> Vec<String> {
        client.record.iter().filter(|m| m.tag == b'N').map(|m| m.field('M')).collect()
    };
    let log_in = |name: &str, value: &str| {
        let mut client = RawClient::open(&gateway.address());
        client.startup(PROTOCOL_3_0, &[("user", "alice"), ("database", TARGET), (name, value)]);
        client.login(&secret).expect("is let in");
        client
    };
    // As long as a server keeps it, but not behind the principal's name.
    let fits = "x".repeat(63);
    let mut client = log_in("application_name", &fits);
    assert_eq!((notices(&client), &client.parameters["application_name"]), (Vec::new(), &fits));
    let there =
        "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'alice/%'";
    assert_eq!(server.sql(there), format!("alice/{}", &fits[..57]));
    let answer = client.query(&format!("SET application_name = '{fits}'"));
    assert_eq!(raw::tags(&answer), "CSZ", "{answer:?}");
    assert_eq!(raw::rows(&client.query("SHOW application_name")), [[fits.clone()]]);
    client.terminate();
    // Longer than that: what the server says of it, about the client's own words.
    let long = "y".repeat(65);
    let mut client = log_in("Application_Name", &long);
    let cut = format!("identifier \"{long}\" will be truncated to \"{}\"", &long[..63]);
    assert_eq!(notices(&client), [cut]);
    assert_eq!(client.parameters["application_name"], long[..63]);
    assert_eq!(raw::rows(&client.query("SHOW application_name")), [[&long[..63]]]);
}
