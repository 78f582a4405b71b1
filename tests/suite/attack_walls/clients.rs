//! What drivers and pools send by themselves, byte for byte in its order: it is answered as they expect,
//! and the session stays read-only.

use super::{Onlooker, WRITE, Way, bare, extended, go, start};
use crate::support::{
    Message, Psql, RawClient,
    raw::{bind, describe, error, execute, parse, query, rows, sync},
};

fn errors(answer: &[Message]) -> Vec<String> {
    answer.iter().filter(|m| m.tag == b'E').map(|m| m.field('C')).collect()
}

/// One statement as pgjdbc and Npgsql send it.
fn statement(text: &str) -> Vec<u8> {
    [parse("", text, &[]), bind("", "", &[], 0), describe(b'P', ""), execute("", 0)].concat()
}

#[test]
fn a_connection_for_each_kind_of_target_session_is_made_as_to_the_server_itself() {
    let (server, gateway) = start();
    let mut onlooker = Onlooker::new(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let writer = gateway.principal("bob", "developer");
    gateway.grant("bob", "select,dml");
    for wanted in ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"] {
        let run = |dsn: String| {
            let printed = Psql::new(format!("{dsn}?target_session_attrs={wanted}")).run(WRITE);
            (printed.code, printed.stderr.contains("read-only transaction"), printed.stdout)
        };
        let (code, _, _) = run(server.upstream_dsn());
        onlooker.sees_loot();
        let (reader, refused, said) = run(gateway.dsn("alice", &secret));
        assert_eq!(reader.is_some_and(|c| c < 2), code.is_some_and(|c| c < 2), "{wanted}: {said}");
        assert!(refused || code == Some(2), "{wanted}: {said}");
        assert!(!onlooker.sees_loot(), "{wanted}");
        let (by_writer, _, said) = run(gateway.dsn("bob", &writer));
        assert_eq!(by_writer, code, "{wanted}: {said}");
    }
}

#[test]
fn a_pool_resets_its_connection_and_the_wall_stands() {
    let (server, gateway) = start();
    let mut onlooker = Onlooker::new(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select,export");
    // Npgsql, without and with prepared statements: in front of the first batch of who gets it next.
    let resets = [
        "DISCARD ALL",
        "SET SESSION AUTHORIZATION DEFAULT;RESET ALL;CLOSE ALL;UNLISTEN *;\
         SELECT pg_advisory_unlock_all();DISCARD SEQUENCES;DISCARD TEMP",
    ];
    for reset in resets {
        for before in ["SELECT opens()", "SET default_transaction_read_only = off", "SELECT 1"] {
            let mut client = gateway.connect("alice", &secret);
            client.query(before);
            let said = client.exchange(&[query(reset), statement("SELECT 'next'"), sync()], 2);
            assert!(errors(&said).is_empty(), "{reset}: {said:?}");
            assert!(rows(&said).concat().contains(&"next".to_owned()), "{said:?}");
            let said = client.exchange(&[query(reset), statement(WRITE), sync()], 2);
            assert_eq!(errors(&said), ["25006"], "{reset}: {said:?}");
            let said = client.exchange(
                &[query(reset), extended("BEGIN"), statement(WRITE), extended("COMMIT"), sync()],
                2,
            );
            assert_eq!(errors(&said), ["25006"], "{reset}: {said:?}");
            client.query("ROLLBACK");
            assert!(!onlooker.sees_loot(), "{reset} behind {before}");
        }
    }
    // pgbouncer's and others'.
    for reset in ["DISCARD ALL; SELECT 1", "RESET ALL; SELECT 1", "DEALLOCATE ALL; DISCARD PLANS"] {
        let mut client = gateway.connect("alice", &secret);
        let said = go(&mut client, &[reset, WRITE], Way::QueriesAtOnce);
        assert!(errors(&said).iter().all(|code| code == "25006" || code == "25001"), "{said:?}");
        assert!(!onlooker.sees_loot(), "{reset}");
    }
}

/// `Connection.setReadOnly` of pgjdbc, by both of its modes.
#[test]
fn pgjdbc_sets_read_only_and_back() {
    let (server, gateway) = start();
    let mut onlooker = Onlooker::new(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let writer = gateway.principal("bob", "developer");
    gateway.grant("bob", "select,dml");
    let characteristics = |what: &str| {
        vec![statement(&format!("SET SESSION CHARACTERISTICS AS TRANSACTION {what}")), sync()]
    };
    let work = |begin: &str| vec![extended(begin), statement(WRITE), sync(), query("ROLLBACK")];
    // Whether each way lets a session write that may.
    let ways = [
        (vec![characteristics("READ ONLY")], "BEGIN", false),
        (vec![characteristics("READ ONLY"), characteristics("READ WRITE")], "BEGIN", true),
        (vec![characteristics("READ WRITE")], "BEGIN", true),
        (vec![], "BEGIN READ ONLY", false),
        (vec![], "BEGIN READ WRITE", true),
        (vec![], "BEGIN", true),
    ];
    for (before, begin, writes) in ways {
        let mut sessions: [(&str, RawClient, bool); 3] = [
            ("alice", gateway.connect("alice", &secret), false),
            ("bob", gateway.connect("bob", &writer), writes),
            ("the server itself", bare(&server), writes),
        ];
        sessions[2].1.query("SET default_transaction_read_only = off");
        for (who, client, may) in &mut sessions {
            for packet in &before {
                let said = client.exchange(packet, 1);
                assert!(error(&said).is_none(), "{who}, {before:?}: {said:?}");
            }
            let said = client.exchange(&work(begin), 2);
            let expected: &[&str] = if *may { &[] } else { &["25006"] };
            assert_eq!(errors(&said), expected, "{who}, {begin}: {said:?}");
            assert!(!onlooker.sees_loot(), "rolled back");
        }
    }
}
