//! Cancel goes by keys of the gateway's own, and hits the statement it was meant for.

use std::time::Duration;

use crate::support::{
    Gateway, Postgres, RawClient,
    gateway::TARGET,
    raw::{PROTOCOL_3_0, cancel_request, error, query, rows},
};

#[test]
fn a_cancel_request_ends_the_running_statement() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    client.send_bytes(&query("SELECT pg_sleep(60)"));
    assert!(client.is_silent_for(Duration::from_millis(300)));
    client.cancel();
    let answer = client.read_until(b'Z');
    assert_eq!(error(&answer).expect("cancelled").field('C'), "57014");
    assert_eq!(rows(&client.query("SELECT 'alive'")), [["alive"]]);
}

#[test]
fn keys_are_not_the_servers_and_not_guessable_from_each_other() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut one = gateway.connect("alice", &secret);
    let two = gateway.connect("alice", &secret);
    assert_ne!(one.key, two.key);
    one.send_bytes(&query("SELECT pg_sleep(2), 'undisturbed'"));
    assert!(one.is_silent_for(Duration::from_millis(200)));
    let mut wrong = one.key.clone();
    if let Some(last) = wrong.last_mut() {
        *last ^= 1;
    }
    let mut attacker = RawClient::open(&gateway.address());
    attacker.send_bytes(&cancel_request(&wrong));
    assert!(attacker.ends_after(b""));
    two.cancel();
    let answer = one.read_until(b'Z');
    assert!(error(&answer).is_none(), "{answer:?}");
}

#[test]
fn the_process_id_in_the_key_is_the_servers_own() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    let told = u32::from_be_bytes(*client.key.first_chunk().expect("a key"));
    assert_eq!(rows(&client.query("SELECT pg_backend_pid()")), [[told.to_string()]]);
    client.query("LISTEN bell");
    let heard = client.query("NOTIFY bell");
    let heard = heard.iter().find(|m| m.tag == b'A').expect("a notification");
    assert_eq!(heard.body[..4], client.key[..4], "a client knows its own notifications");
}

#[test]
fn a_late_cancel_never_hits_the_next_statement() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    for round in 0..30 {
        client.query("SELECT 1");
        client.cancel();
        let answer = client.query("SELECT pg_sleep(0.02), 'next'");
        assert!(error(&answer).is_none(), "round {round}: {answer:?}");
    }
}

/// The first statement of a session waits here while the gateway asks what its names mean.
#[test]
fn a_cancel_hits_a_statement_that_has_not_left_yet() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    for round in 0..20 {
        let mut client = RawClient::open(&gateway.address());
        let said = [("user", "alice"), ("database", TARGET), ("search_path", "public")];
        client.startup(PROTOCOL_3_0, &said);
        client.login(&secret).expect("comes in");
        client.send_bytes(&query("SELECT pg_sleep(20)"));
        client.cancel();
        let answer = client.read_until(b'Z');
        let code = error(&answer).expect("cancelled").field('C');
        assert_eq!(code, "57014", "round {round}");
        assert_eq!(rows(&client.query("SELECT 'alive'")), [["alive"]], "round {round}");
    }
}
