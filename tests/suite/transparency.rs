//! What is allowed is untouched: the same conversations, message by message, with the server itself
//! and through the gateway by somebody who may do everything.
//!
//! Both sides have a server of their own, copied from one template, so that even object ids agree.
//! Every group of conversations is also held twice with bare servers: where those two already
//! differ, a difference through the gateway would mean nothing.

mod copy;
mod extended;
mod simple;

use crate::support::{
    Gateway, Message, Postgres, RawClient,
    postgres::{DATABASE, UPSTREAM_PASSWORD, UPSTREAM_USER},
};

/// A name for the failure message, and what the client does.
type Conversation = (&'static str, fn(&mut RawClient));

fn direct(server: &Postgres) -> RawClient {
    RawClient::connect(&server.address(), UPSTREAM_USER, UPSTREAM_PASSWORD, DATABASE)
}

/// Holds a conversation on a fresh connection; everything the peer said after log-in.
fn hold(mut client: RawClient, conversation: fn(&mut RawClient)) -> Vec<Message> {
    let start = client.record.len();
    conversation(&mut client);
    let mut said = client.record.split_off(start);
    for message in &mut said {
        // The process id of the notifying backend is the one thing that can't be equal.
        if message.tag == b'A' {
            message.body[..4].fill(0);
        }
        without_source_of_unknown_names(message);
        without_own_oids(message);
    }
    client.terminate();
    said
}

/// Two servers number the tables that a conversation makes as their counters stand.
fn without_own_oids(message: &mut crate::support::raw::Message) {
    const FIRST_OF_USERS: u32 = 16_384;
    if message.tag != b'T' {
        return;
    }
    let mut at = 2;
    while let Some(end) = message.body[at..].iter().position(|b| *b == 0) {
        let oid = at + end + 1;
        let Some(four) = message.body[oid..].first_chunk::<4>() else { return };
        if u32::from_be_bytes(*four) >= FIRST_OF_USERS {
            message.body[oid..oid + 4].fill(0);
        }
        at = oid + 18;
        if at >= message.body.len() {
            return;
        }
    }
}

/// A name that nobody knows must not reach the server in the message that would run it: the gateway
/// asks for its shape instead, or answers itself. Code and text are the server's; the place in its
/// source (file, line, routine) is another.
fn without_source_of_unknown_names(message: &mut crate::support::raw::Message) {
    let unknown = [&b"C26000\0"[..], b"C34000\0"];
    let holds = |part: &[u8]| message.body.windows(part.len()).any(|w| w == part);
    if message.tag == b'E' && unknown.iter().any(|code| holds(code)) {
        let fields: Vec<&[u8]> = message
            .body
            .split(|b| *b == 0)
            .filter(|f| !matches!(f.first(), Some(b'F' | b'L' | b'R')))
            .collect();
        message.body = fields.join(&0);
    }
}

fn compare(
    conversations: &[Conversation],
    mut one: impl FnMut() -> RawClient,
    mut other: impl FnMut() -> RawClient,
) {
    for (name, conversation) in conversations {
        let (expected, got) = (hold(one(), *conversation), hold(other(), *conversation));
        assert!(!expected.is_empty(), "`{name}` says nothing");
        let differing = expected.iter().zip(&got).position(|(a, b)| a != b);
        let at = differing.unwrap_or(expected.len().min(got.len()));
        assert!(
            expected == got,
            "`{name}` differs at message {at} of {}:\n  directly: {:?}\n  through the gateway: {:?}",
            expected.len(),
            expected.get(at),
            got.get(at)
        );
    }
}

/// Compares bare servers with each other, then a bare one with the gateway.
fn hold_everywhere(conversations: &[Conversation]) {
    let (one, two) = (Postgres::start(), Postgres::start());
    compare(conversations, || direct(&one), || direct(&two));
    drop((one, two));
    let (one, two) = (Postgres::start(), Postgres::start());
    let gateway = Gateway::start(&two);
    let secret = gateway.almighty("alice");
    compare(conversations, || direct(&one), || gateway.connect("alice", &secret));
}

#[test]
fn simple_queries_and_transactions() {
    hold_everywhere(simple::CONVERSATIONS);
}

#[test]
fn the_extended_protocol_with_pipelines_and_portals() {
    hold_everywhere(extended::CONVERSATIONS);
}

#[test]
fn copy_in_both_directions_and_large_objects() {
    hold_everywhere(copy::CONVERSATIONS);
}

#[test]
fn parameters_at_log_in_are_the_servers_own() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let (one, two) = (direct(&server), gateway.connect("alice", &secret));
    assert_eq!(one.parameters, two.parameters);
    assert_eq!(one.parameters["default_transaction_read_only"], "off", "the wall doesn't show");
}

#[test]
fn a_notification_from_somebody_else_arrives_without_asking() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut listener = gateway.connect("alice", &secret);
    listener.query("LISTEN news");
    direct(&server).query("NOTIFY news, 'hello'");
    let message = listener.read();
    assert_eq!(message.tag, b'A');
    assert_eq!(&message.body[4..], b"news\0hello\0");
}

#[test]
fn a_statement_sent_one_byte_at_a_time_is_answered_alike() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let slowly: Conversation = ("byte by byte", |client| {
        let packet = [
            crate::support::raw::query("SELECT 'simple'"),
            crate::support::raw::parse("", "SELECT $1", &[]),
            crate::support::raw::bind("", "", &[Some("extended")], 0),
            crate::support::raw::execute("", 0),
            crate::support::raw::sync(),
        ];
        for byte in packet.concat() {
            client.send_bytes(&[byte]);
        }
        client.read_until(b'Z');
        client.read_until(b'Z');
    });
    compare(&[slowly], || direct(&server), || gateway.connect("alice", &secret));
}
