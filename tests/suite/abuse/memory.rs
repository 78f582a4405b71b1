//! What a developer makes the gateway keep.

use std::time::Duration;

use super::watch::unharmed;
use crate::support::{
    Gateway, Postgres, RawClient,
    raw::{bind, execute, frame, parse, query, sync, tags},
};

fn pair() -> (Postgres, Gateway, String, String) {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let mallory = gateway.principal("mallory", "developer");
    let bob = gateway.principal("bob", "developer");
    (server, gateway, mallory, bob)
}

/// Sends without end, as far as somebody takes it; how many bytes that were.
fn pour(client: &mut RawClient, bytes: &[u8], most: usize) -> usize {
    let mut sent = 0;
    client.gives_up_writing_after(Duration::from_secs(2));
    while sent < most && client.try_send_bytes(bytes).is_ok() {
        sent += bytes.len();
    }
    sent
}

#[test]
fn refusals_that_nobody_reads_are_not_kept() {
    let (_server, gateway, mallory, bob) = pair();
    let mut client = gateway.connect("mallory", &mallory);
    let many = query("SELECT * FROM customers").repeat(1000);
    let sent = unharmed("unread refusals", (&gateway, "bob", &bob), 32 << 20, || {
        pour(&mut client, &many, 64 << 20)
    });
    assert!(sent < 64 << 20, "the gateway takes all that is sent: {sent} bytes");
}

#[test]
fn messages_behind_a_slow_statement_wait_at_their_sender() {
    let (_server, gateway, mallory, bob) = pair();
    gateway.grant("mallory", "admin");
    for many in
        [sync().repeat(20_000), [parse("", "", &[]), bind("", "", &[], 0)].concat().repeat(1000)]
    {
        let mut client = gateway.connect("mallory", &mallory);
        client.send_bytes(&query("SELECT pg_sleep(20)"));
        let sent = unharmed("syncs", (&gateway, "bob", &bob), 32 << 20, || {
            pour(&mut client, &many, 64 << 20)
        });
        assert!(sent < 64 << 20, "the gateway takes all that is sent: {sent} bytes");
    }
}

#[test]
fn millions_of_small_messages_leave_others_their_turn() {
    let (_server, gateway, mallory, bob) = pair();
    let mut client = gateway.connect("mallory", &mallory);
    let mut reader = client.second_hand();
    let drain = std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    let many = [sync(), frame(b'H', &[]), frame(b'C', b"Sx\0")].concat().repeat(20_000);
    let refused = query("TABLE customers").repeat(20_000);
    unharmed("small messages", (&gateway, "bob", &bob), 32 << 20, || {
        pour(&mut client, &many, 8 << 20);
        pour(&mut client, &refused, 4 << 20);
    });
    client.vanish();
    drop(drain.join());
}

#[test]
fn long_messages_that_never_end_share_a_bounded_memory() {
    let (_server, gateway, mallory, bob) = pair();
    let body = vec![b'x'; 1 << 20];
    unharmed("long messages", (&gateway, "bob", &bob), 700 << 20, || {
        let clients: Vec<_> = (0..24)
            .map(|_| {
                let mut client = gateway.connect("mallory", &mallory);
                client.send_bytes(&[b"B".as_slice(), &(60_i32 << 20).to_be_bytes()].concat());
                for _ in 0..59 {
                    client.gives_up_writing_after(Duration::from_millis(200));
                    if client.try_send_bytes(&body).is_err() {
                        break;
                    }
                }
                client
            })
            .collect();
        drop(clients);
    });
}

#[test]
fn a_session_keeps_only_so_much_text() {
    let (_server, gateway, mallory, bob) = pair();
    let mut client = gateway.connect("mallory", &mallory);
    let long = "x".repeat(900_000);
    let refused = unharmed("prepared texts", (&gateway, "bob", &bob), 200 << 20, || {
        (0..200).find_map(|number| {
            let text = format!("SELECT '{long}'");
            let answer = client.exchange(&[parse(&format!("p{number}"), &text, &[]), sync()], 1);
            (tags(&answer) != "1Z").then_some(answer)
        })
    });
    let refused = refused.expect("there is an end to it");
    assert_eq!(crate::support::raw::error(&refused).expect("told").field('C'), "54000");
    // Closing some makes room.
    client.exchange(&[frame(b'C', b"Sp0\0"), frame(b'C', b"Sp1\0"), sync()], 1);
    let answer = client.exchange(&[parse("again", &format!("SELECT '{long}'"), &[]), sync()], 1);
    assert_eq!(tags(&answer), "1Z");
}

#[test]
fn a_hundred_thousand_names_are_too_many() {
    let (_server, gateway, mallory, bob) = pair();
    let mut client = gateway.connect("mallory", &mallory);
    client.query("BEGIN");
    let refused = unharmed("names", (&gateway, "bob", &bob), 150 << 20, || {
        let prepared = (0..100).find_map(|block| {
            let mut packet: Vec<_> =
                (0..1000).map(|n| parse(&format!("p{block}_{n}"), "SELECT 1", &[])).collect();
            packet.push(sync());
            let answer = client.exchange(&packet, 1);
            tags(&answer).contains('E').then_some(answer)
        });
        client.query("ROLLBACK");
        client.query("BEGIN");
        client.query("DEALLOCATE ALL");
        client.exchange(&[parse("s", "SELECT 1", &[]), sync()], 1);
        let portals = (0..100).find_map(|block| {
            let mut packet: Vec<_> =
                (0..1000).map(|n| bind(&format!("p{block}_{n}"), "s", &[], 0)).collect();
            packet.push(sync());
            let answer = client.exchange(&packet, 1);
            tags(&answer).contains('E').then_some(answer)
        });
        [prepared, portals]
    });
    for answer in refused {
        let answer = answer.expect("there is an end to it");
        assert_eq!(crate::support::raw::error(&answer).expect("told").field('C'), "54000");
    }
    client.query("ROLLBACK");
    let answer = client.exchange(&[bind("", "s", &[], 0), execute("", 0), sync()], 1);
    assert_eq!(tags(&answer), "2DCZ");
}
