//! The traps of the protocol, one by one: what a gateway gets wrong that takes a flag, a packet or a command
//! for something else than its server does.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    time::Duration,
};

use hallpass::wire::mysql::{Capabilities, capability, login::LogIn, packet, response::Kind};

use crate::{
    client::Pair,
    raw::Raw,
    support::{
        PATIENCE, eventually,
        gateway::{Options, TARGET},
        mysql::Family,
    },
};

const NOT_SUPPORTED: u16 = 1235;

fn both(test: impl Fn(&Pair)) {
    for family in Family::ALL {
        let pair = Pair::start(family);
        test(&pair);
        let verified = pair.gateway.must(&["audit", "verify"]);
        assert!(verified.contains("intact"), "{verified}");
    }
}

fn prepare(raw: &mut Raw, text: &str) -> [u8; 4] {
    let prepared = raw.command(&[b"\x16", text.as_bytes()].concat(), Kind::Prepared);
    let rows = prepared.unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let number: u32 = rows[0][0].as_deref().expect("a number").parse().expect("a number");
    number.to_le_bytes()
}

#[test]
fn several_statements_are_judged_whether_or_not_they_were_switched_on() {
    both(|pair| {
        let alice = pair.gateway.principal("alice", "developer");
        pair.gateway.grant("alice", "select");
        let mut raw = Raw::connect(pair, "alice", &alice);
        let hidden = "SELECT 1; DELETE FROM products WHERE id = 1";
        raw.query(hidden).expect_err("off");
        raw.command(&[0x1b, 0, 0], Kind::Done).expect("on");
        let refused = raw.query(hidden).expect_err("needs dml");
        assert_eq!(refused.0, 1142, "{refused:?}");
        assert_eq!(raw.query("SELECT 1; SELECT 2").expect("two").len(), 2);
        raw.command(&[0x1b, 1, 0], Kind::Done).expect("off again");
        raw.query("SELECT 1; SELECT 2").expect_err("off");
        assert_eq!(raw.value("SELECT 'alive'"), "alive");
        assert_eq!(pair.server.sql("SELECT count(*) FROM products WHERE id = 1"), "1");
    });
}

#[test]
fn commands_that_are_not_offered_reach_no_server_and_the_session_goes_on() {
    both(|pair| {
        let root = pair.gateway.almighty("root");
        let mut raw = Raw::connect(pair, "root", &root);
        // COM_CREATE_DB, DROP_DB, REFRESH, SHUTDOWN, PROCESS_INFO, DEBUG, BINLOG_DUMP, TABLE_DUMP,
        // REGISTER_SLAVE, BINLOG_DUMP_GTID, CLONE, COM_MULTI and what others there are.
        for byte in [
            0x00, 0x05, 0x06, 0x07, 0x08, 0x0a, 0x0b, 0x0d, 0x0f, 0x10, 0x12, 0x13, 0x14, 0x15,
            0x1d, 0x1e, 0x20, 0x21, 0xfb, 0xfc, 0xfd, 0xfe,
        ] {
            let error = raw.command(&[byte, b's', b'h', b'o', b'p'], Kind::Done).expect_err("no");
            assert_eq!(error.0, NOT_SUPPORTED, "{byte:#x}: {error:?}");
        }
        raw.command(&[0x77], Kind::Done).expect_err("unknown");
        assert_eq!(raw.value("SELECT 'alive'"), "alive");
        assert_ne!(pair.server.sql("SELECT count(*) FROM products"), "0");
    });
}

#[test]
fn a_connection_is_killed_by_the_number_its_client_was_given_and_by_nobody_else() {
    both(|pair| {
        let alice = pair.gateway.principal("alice", "developer");
        let mallory = pair.gateway.principal("mallory", "developer");
        let mut one = Raw::connect(pair, "alice", &alice);
        let mut two = Raw::connect(pair, "alice", &alice);
        let mut three = Raw::connect(pair, "mallory", &mallory);
        assert_ne!(one.greeting.connection, two.greeting.connection);
        let kill = |number: u32| [&[0x0c][..], &number.to_le_bytes()].concat();
        let error = three.command(&kill(one.greeting.connection), Kind::Done).expect_err("hers");
        assert!(error.1.contains("no session of yours"), "{error:?}");
        // Nor by the server's own number.
        let own = two.value("SELECT CONNECTION_ID()");
        three.command(&kill(own.parse().expect("a number")), Kind::Done).expect_err("hers");
        assert_eq!(one.value("SELECT 1"), "1");
        two.command(&kill(one.greeting.connection), Kind::Done).expect("her own");
        assert!(eventually(PATIENCE, || one.query("SELECT 1").is_err() && one.is_closed()));
        assert_eq!(two.value("SELECT 'alive'"), "alive");
    });
}

#[test]
fn what_comes_in_clear_behind_a_request_for_tls_is_refused() {
    let pair = Pair::start_with(Family::MariaDb, &Options { tls: "prefer", ..Options::default() });
    let alice = pair.gateway.principal("alice", "developer");
    let mut raw = Raw::open(&pair);
    assert!(raw.greeting.capabilities.has(Capabilities::SSL), "{:?}", raw.greeting);
    let log_in = LogIn {
        capabilities: capability::NEEDED | Capabilities::SSL | Capabilities::MYSQL,
        packet_max: 1 << 24,
        collation: 45,
        user: format!("alice@{TARGET}").into_bytes(),
        proof: crate::raw::proof(&raw.greeting.nonce, &alice),
        schema: None,
        method: b"caching_sha2_password".to_vec(),
        attributes: Vec::new(),
    };
    let mut out = Vec::new();
    log_in.write_tls_request(&mut out, 1);
    log_in.write(&mut out, 2);
    packet::put(&mut out, 0, |out| out.extend(b"\x03SELECT 1"));
    raw.write(&out);
    // Whether the bytes came together or not: they are no handshake, and no log-in either.
    let answer = raw.receive();
    assert!(answer.is_err(), "{answer:?}");
    assert!(!pair.server.log().contains("SELECT 1"));
}

#[test]
fn no_text_is_read_in_a_character_set_that_hides_its_quotes() {
    both(|pair| {
        let alice = pair.gateway.principal("alice", "developer");
        pair.gateway.grant("alice", "select");
        // In GBK 0xbf5c is one letter; in UTF-8 the second byte is a backslash that hides the quote.
        let hides = b"\x03SELECT '\xbf\\' OR 1 = (SELECT 1) -- '";
        for set in ["gbk", "sjis", "big5", "cp932", "euckr"] {
            let mut raw = Raw::connect(pair, "alice", &alice);
            // Where it may be set, texts of letters that all sets share are read, and no others.
            if raw.query(&format!("SET NAMES {set}")).is_ok() {
                raw.command(hides, Kind::Result).expect_err(set);
            }
        }
        // The same by the number of a collation in the log-in: gbk_chinese_ci, sjis, big5.
        for collation in [28, 13, 1] {
            let user = ("alice", alice.as_str());
            let taken = Capabilities::TRANSACTIONS;
            let Ok(mut raw) = Raw::connect_by(pair, user, (taken, collation)) else { continue };
            raw.command(hides, Kind::Result).expect_err("unreadable");
        }
        assert!(!pair.server.log().contains("(SELECT 1) --"));
    });
}

#[test]
fn rows_of_a_cursor_are_masked_however_they_are_fetched_and_long_data_is_on_record() {
    both(|pair| {
        let alice = pair.gateway.principal("alice", "developer");
        pair.gateway.grant("alice", "select");
        pair.gateway.must(&[
            "mask",
            "add",
            "--target",
            TARGET,
            "--column",
            "shop.customers.email",
            "--with",
            "email",
        ]);
        let clear = pair.server.sql("SELECT email FROM customers WHERE id = 7");
        let mut raw = Raw::connect(pair, "alice", &alice);
        let text = "SELECT id, email FROM customers WHERE id > 5 ORDER BY id LIMIT 9";
        let known =
            || pair.client("alice", &alice).run("SELECT email FROM customers WHERE id = 7").0;
        assert!(eventually(PATIENCE, || known() != clear), "the rule doesn't reach sessions");
        let prepared = raw.command(&[b"\x16", text.as_bytes()].concat(), Kind::Prepared);
        let mut seen = Vec::new();
        if let Ok(rows) = prepared {
            let number: u32 = rows[0][0].as_deref().expect("one").parse().expect("a number");
            let execute = [&[0x17][..], &number.to_le_bytes(), &[1, 1, 0, 0, 0]].concat();
            raw.send(0, &execute);
            seen.extend(raw.drain(Duration::from_millis(700)));
            for _ in 0..4 {
                raw.send(0, &[&[0x1c][..], &number.to_le_bytes(), &[3, 0, 0, 0]].concat());
                seen.extend(raw.drain(Duration::from_millis(300)));
            }
        }
        let has =
            |bytes: &[u8], what: &str| bytes.windows(what.len()).any(|w| w == what.as_bytes());
        assert!(!has(&seen, &clear), "in clear");
        // Pieces of a parameter are one parameter.
        let number = prepare(&mut raw, "SELECT LENGTH(?)");
        for piece in ["first piece, ", "second piece"] {
            raw.send(0, &[&[0x18][..], &number, &[0, 0], piece.as_bytes()].concat());
        }
        let execute = [&[0x17][..], &number, &[0, 1, 0, 0, 0, 0, 1, 0xfc, 0]].concat();
        raw.command(&execute, Kind::Result).map(drop).expect("runs");
    });
}

#[test]
fn what_is_longer_than_a_packet_can_be_is_judged_as_a_whole() {
    let rest = "[limits]\nstatement_bytes = \"32MiB\"\n".to_owned();
    let pair = Pair::start_with(Family::MariaDb, &Options { rest, ..Options::default() });
    let alice = pair.gateway.principal("alice", "developer");
    pair.gateway.grant("alice", "select");
    let mut raw = Raw::connect(&pair, "alice", &alice);
    raw.command(&[0x1b, 0, 0], Kind::Done).expect("several statements");
    // What stands in the second packet alone would be something else.
    let mut text = b"\x03SELECT /*".to_vec();
    text.resize(packet::PART_MAX - 4, b'x');
    text.extend(b"*/ 1; DELETE FROM products WHERE id = 1");
    let refused = raw.command(&text, Kind::Result).expect_err("needs dml");
    assert_eq!(refused.0, 1142, "{refused:?}");
    // A packet out of order, and one that never ends.
    let mut raw = Raw::connect(&pair, "alice", &alice);
    raw.send(3, b"\x03SELECT 1");
    assert_eq!(raw.receive().expect("an error").1[0], 0xff);
    assert!(raw.is_closed());
    let mut raw = Raw::connect(&pair, "alice", &alice);
    raw.write(&[0xff, 0xff, 0xff, 0, 0x0e]);
    assert_eq!(raw.receive().expect("an error").1[0], 0xff);
    assert!(raw.is_closed());
    assert_eq!(pair.server.sql("SELECT count(*) FROM products WHERE id = 1"), "1");
}

/// Sits on the server's socket, and answers a text with `marked` in it by a request for the client's file.
fn hostile(path: &std::path::Path) {
    let moved = path.with_extension("real");
    std::fs::rename(path, &moved).expect("moves it");
    let listener = UnixListener::bind(path).expect("binds");
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(server) = UnixStream::connect(&moved) else { return };
            let (mut from_server, mut to_client) =
                (server.try_clone().expect("a copy"), client.try_clone().expect("a copy"));
            std::thread::spawn(move || std::io::copy(&mut from_server, &mut to_client));
            let (mut from_client, mut to_server) = (client, server);
            std::thread::spawn(move || {
                let mut buffer = vec![0; 65536];
                while let Ok(count @ 1..) = from_client.read(&mut buffer) {
                    let bytes = &buffer[..count];
                    if bytes.windows(6).any(|w| w == b"marked") {
                        drop(from_client.write_all(b"\x0c\0\0\x01\xfb/etc/passwd"));
                    } else if to_server.write_all(bytes).is_err() {
                        return;
                    }
                }
            });
        }
    });
}

#[test]
fn a_server_that_asks_for_a_file_gets_none_unless_the_statement_reads_one() {
    for family in Family::ALL {
        let pair = Pair::start(family);
        let root = pair.gateway.almighty("root");
        hostile(&pair.server.socket());
        let mut raw = Raw::connect(&pair, "root", &root);
        assert_eq!(raw.value("SELECT 'as ever'"), "as ever");
        raw.send(0, b"\x03SELECT 'marked'");
        let (_, answer) = raw.receive().expect("an error");
        assert_eq!(answer[0], 0xff, "{answer:?}");
        assert!(raw.is_closed());
    }
}

/// mysql2 reads as JSON what a column says is JSON, and fails at what isn't.
#[test]
fn a_masked_column_is_not_said_to_be_json() {
    let pair = Pair::start(Family::MariaDb);
    let alice = pair.gateway.principal("alice", "developer");
    pair.gateway.grant("alice", "select");
    let text = "SELECT attributes FROM products WHERE id = 1";
    let clear = pair.server.sql(text);
    let column = ["--column", "shop.products.attributes", "--with", "full"];
    pair.gateway.must(&[&["mask", "add", "--target", TARGET][..], &column].concat());
    let known = || pair.client("alice", &alice).run(text).0;
    assert!(eventually(PATIENCE, || known() != clear), "the rule doesn't reach sessions");
    let taken = Capabilities::TRANSACTIONS | Capabilities::EXTENDED_METADATA;
    let mut raw = Raw::connect_with(&pair, ("alice", &alice), taken).expect("it logs in");
    assert!(raw.capabilities.has(taken));
    let mut said = |text: &str| {
        raw.send(0, &[b"\x03", text.as_bytes()].concat());
        raw.drain(Duration::from_millis(500))
    };
    let holds = |all: &[u8], what: &[u8]| all.windows(what.len()).any(|window| window == what);
    assert!(holds(&said("SELECT tags FROM products WHERE id = 1"), b"\x06\x01\x04json"));
    let masked = said(text);
    assert!(holds(&masked, b"attributes") && !holds(&masked, b"json"));
    assert!(!holds(&masked, clear.as_bytes()));
    assert!(holds(&said("SELECT * FROM hallpass.whoami"), b"alice"));
}
