//! COM_CHANGE_USER: another log-in in the same connection, proven anew, of which nothing of before is left.

use crate::{
    client::Pair,
    raw::{Raw, Row, proof},
    support::{
        PATIENCE, eventually,
        gateway::TARGET,
        mysql::{Family, SCHEMA},
    },
};
use hallpass::wire::mysql::{auth::CACHING_SHA2, response::Kind};

const UNKNOWN_STATEMENT: u16 = 1243;
const ACCESS_DENIED: u16 = 1045;

/// The command's payload.
pub(crate) fn change(principal: &str, proof: &[u8], method: &str) -> Vec<u8> {
    let mut out = b"\x11".to_vec();
    out.extend(format!("{principal}@{TARGET}\0").into_bytes());
    out.push(u8::try_from(proof.len()).expect("short"));
    out.extend(proof);
    out.extend(format!("{SCHEMA}\0").into_bytes());
    out.extend([45, 0]);
    out.extend(format!("{method}\0").into_bytes());
    out
}

fn change_to(raw: &mut Raw, principal: &str, secret: &str) -> Result<(), (u16, String)> {
    raw.send(0, &change(principal, b"", CACHING_SHA2));
    raw.accepted(secret)
}

fn whoami(raw: &mut Raw) -> String {
    raw.value("SELECT principal FROM hallpass.whoami")
}

fn text(rows: &[Row]) -> String {
    rows[0][0].clone().expect("no NULL")
}

fn both(test: impl Fn(&Pair)) {
    for family in Family::ALL {
        let pair = Pair::start(family);
        test(&pair);
        let verified = pair.gateway.must(&["audit", "verify"]);
        assert!(verified.contains("intact"), "{verified}");
    }
}

#[test]
fn who_proves_to_be_somebody_else_goes_on_as_that_and_with_nothing_of_before() {
    both(|pair| {
        let alice = pair.gateway.principal("alice", "developer");
        let bob = pair.gateway.principal("bob", "developer");
        pair.gateway.grant("alice", "select,dml");
        let mut raw = Raw::connect(pair, "alice", &alice);
        assert_eq!(whoami(&mut raw), "alice");
        raw.query("SET @a = 7, sql_mode = 'ANSI_QUOTES'").expect("may");
        let prepared = raw.command(b"\x16SELECT id FROM customers LIMIT 1", Kind::Prepared);
        let number: u32 = text(&prepared.expect("prepared")).parse().expect("a number");
        raw.query("PREPARE named FROM 'SELECT 1'").expect("may");
        raw.query("CREATE TEMPORARY TABLE mine (a int)").expect_err("not ddl");
        raw.query("BEGIN").expect("may");
        raw.query("UPDATE products SET price = 4711 WHERE id = 1").expect("may");
        // Commands sent ahead are answered in order, each by whose session it is.
        let mut ahead = Vec::new();
        for command in [&b"\x03SELECT principal FROM hallpass.whoami"[..], b"\x0e"] {
            hallpass::wire::mysql::packet::put(&mut ahead, 0, |out| out.extend_from_slice(command));
        }
        let command = change("bob", b"", CACHING_SHA2);
        hallpass::wire::mysql::packet::put(&mut ahead, 0, |out| out.extend_from_slice(&command));
        raw.write(&ahead);
        assert_eq!(text(&raw.answer(Kind::Result).expect("alice")), "alice");
        raw.answer(Kind::Done).expect("pong");
        raw.accepted(&bob).expect("it is bob");
        assert_eq!(whoami(&mut raw), "bob");
        assert_eq!(raw.value("SELECT @a"), "NULL");
        assert_ne!(raw.value("SELECT @@sql_mode"), "ANSI_QUOTES");
        assert_eq!(raw.value("SELECT DATABASE()"), SCHEMA);
        let mut execute = b"\x17".to_vec();
        execute.extend(number.to_le_bytes());
        execute.extend([0, 1, 0, 0, 0]);
        let error = raw.command(&execute, Kind::Result).expect_err("it was alice's");
        assert_eq!(error.0, UNKNOWN_STATEMENT, "{error:?}");
        raw.query("EXECUTE named").expect_err("it was alice's");
        // What she may is not what he may.
        raw.query("SELECT * FROM customers LIMIT 1").expect_err("bob has no grant");
        raw.query("COMMIT").expect("nothing is open");
        let untouched = || pair.server.sql("SELECT price FROM products WHERE id = 1") != "4711.00";
        assert!(untouched(), "what alice had not committed was committed");
        // And back, as pools do.
        change_to(&mut raw, "alice", &alice).expect("it is alice");
        assert_eq!(whoami(&mut raw), "alice");
        raw.query("SELECT id FROM customers LIMIT 1").expect("alice may");
        assert!(untouched());
        let trail = || pair.gateway.trail();
        let told = || trail().matches("the client changed its user").count() == 2;
        assert!(eventually(PATIENCE, told), "{}", trail());
    });
}

#[test]
fn nobody_becomes_somebody_else_without_the_proof_of_now() {
    both(|pair| {
        let alice = pair.gateway.principal("alice", "developer");
        let bob = pair.gateway.principal("bob", "developer");
        pair.gateway.grant("bob", "select,dml");
        let refused = |raw: &mut Raw, what: &str, secret: &str| {
            let error = raw.accepted(secret).expect_err(what);
            assert_eq!(error.0, ACCESS_DENIED, "{what}: {error:?}");
            assert!(raw.is_closed(), "{what}: it goes on");
        };
        // With her own secret.
        let mut raw = Raw::connect(pair, "alice", &alice);
        raw.send(0, &change("bob", b"", CACHING_SHA2));
        refused(&mut raw, "alice's secret", &alice);
        // With the proof that bob gave in another connection, and one over the greeting's nonce, which a
        // server that takes it would let be used again and again.
        let mut other = Raw::connect(pair, "bob", &bob);
        let mut raw = Raw::connect(pair, "alice", &alice);
        raw.send(0, &change("bob", &other.proof, CACHING_SHA2));
        refused(&mut raw, "an old proof", "wrong");
        let mut raw = Raw::connect(pair, "alice", &alice);
        let over_greeting = proof(&raw.greeting.nonce, &bob);
        raw.send(0, &change("bob", &over_greeting, CACHING_SHA2));
        refused(&mut raw, "a proof over the greeting", "wrong");
        // The password in clear is for TLS alone: it is asked for a proof.
        let mut raw = Raw::connect(pair, "alice", &alice);
        raw.send(0, &change("bob", format!("{bob}\0").as_bytes(), "mysql_clear_password"));
        refused(&mut raw, "in clear", "wrong");
        // Commands behind it wait for the proof, and are none of it.
        let mut raw = Raw::connect(pair, "alice", &alice);
        let mut ahead = Vec::new();
        for command in
            [change("bob", b"", CACHING_SHA2), b"\x03DELETE FROM products WHERE id = 2".to_vec()]
        {
            hallpass::wire::mysql::packet::put(&mut ahead, 0, |out| {
                out.extend_from_slice(&command);
            });
        }
        raw.write(&ahead);
        let (_, first) = raw.receive().expect("a challenge");
        assert_eq!(first[0], 0xfe, "{first:?}");
        drop(raw.receive());
        assert!(raw.is_closed());
        assert_eq!(pair.server.sql("SELECT count(*) FROM products WHERE id = 2"), "1");
        // Nobody, no target, and what is no such command.
        let mut raw = Raw::connect(pair, "alice", &alice);
        raw.send(0, &change("nobody", b"", CACHING_SHA2));
        refused(&mut raw, "nobody", "wrong");
        for bad in [&b"\x11"[..], b"\x11bob", b"\x11bob\0\xff", b"\x11bob\0\0\0\x08\x01"] {
            let mut raw = Raw::connect(pair, "alice", &alice);
            raw.send(0, bad);
            let (_, answer) = raw.receive().expect("an error");
            assert_eq!(answer[0], 0xff, "{bad:?}");
            assert!(raw.is_closed(), "{bad:?}");
        }
        // The one of before is untouched, and failures are on record.
        assert_eq!(whoami(&mut other), "bob");
        let failures = || pair.gateway.trail().matches("wrong password").count() >= 5;
        assert!(eventually(PATIENCE, failures), "{}", pair.gateway.trail());
    });
}
