//! What is allowed is untouched: the same conversations, message by message, with the server itself
//! and through the gateway by somebody who may do everything.
//!
//! Both sides have a server of their own, copied from one template, so that even object ids agree.
//! Every group of conversations is also held twice with bare servers: where those two already
//! differ, a difference through the gateway would mean nothing.

mod copy;
mod extended;
mod ordinary;
mod simple;

use crate::support::{
    Gateway, Message, Postgres, RawClient,
    postgres::{DATABASE, UPSTREAM_PASSWORD, UPSTREAM_USER},
};

/// A name for the failure message, and what the client does.
type Conversation = (&'static str, fn(&mut RawClient));

pub(crate) fn direct(server: &Postgres) -> RawClient {
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
        without_source_of_what_is_not_sent(message);
        without_own_oids(message);
        without_number_of_temporary_schema(message);
    }
    drop(client.try_send_bytes(&crate::support::raw::frame(b'X', &[])));
    said
}

/// Two servers number the tables and types that a conversation makes as their counters stand, and how far
/// those are depends on when other connections came and went.
pub(crate) fn without_own_oids(message: &mut Message) {
    const FIRST_OF_USERS: u32 = 16_384;
    let mut places = Vec::new();
    let body = message.body.as_slice();
    match message.tag {
        b't' => places.extend((2..body.len()).step_by(4)),
        b'T' => {
            let mut at = 2;
            while let Some(end) = body.get(at..).and_then(|b| b.iter().position(|b| *b == 0)) {
                // The table, its column's number, the type.
                let table = at + end + 1;
                places.extend([table, table + 6]);
                at = table + 18;
            }
        }
        _ => {}
    }
    for at in places {
        let oid = message.body.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<4>);
        if let Some(oid) = oid.filter(|oid| u32::from_be_bytes(**oid) >= FIRST_OF_USERS) {
            oid.fill(0);
        }
    }
}

/// `pg_temp_3` belongs to the third backend that is there; how many there are is another's business.
pub(crate) fn without_number_of_temporary_schema(message: &mut Message) {
    const NAME: &[u8] = b"pg_temp_";
    let mut from = 0;
    while let Some(at) = message.body[from..].windows(NAME.len()).position(|w| w == NAME) {
        from += at + NAME.len();
        let digits = message.body[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        message.body.splice(from..from + digits, *b"N");
    }
}

/// Two kinds of messages never reach the server as they came: one that names what nobody has made
/// (the gateway asks for its shape instead, or answers itself), and one whose body can't be read. The
/// error's code is the server's; its place in the server's source is not, nor, for an unreadable
/// body, the words.
pub(crate) fn without_source_of_what_is_not_sent(message: &mut Message) {
    let holds = |part: &[u8]| message.body.windows(part.len()).any(|w| w == part);
    let dropped: &[u8] = if message.tag != b'E' {
        return;
    } else if holds(b"C08P01\0") {
        b"FLRMW"
    } else if holds(b"C26000\0") || holds(b"C34000\0") {
        b"FLR"
    } else {
        return;
    };
    let fields = message.body.split(|b| *b == 0);
    let kept: Vec<&[u8]> =
        fields.filter(|f| f.first().is_none_or(|code| !dropped.contains(code))).collect();
    message.body = kept.join(&0);
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
