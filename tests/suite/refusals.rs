//! Whatever is refused is on record, by whichever message it came and for whatever reason.

use std::time::Duration;

use serde_json::Value;

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    raw::{bind, close, error, execute, frame, parse, query, sync},
};

/// The refusals on the trail: message, text and code.
fn refusals(gateway: &Gateway) -> Vec<(String, String, String)> {
    let trail = gateway.trail();
    let records = trail.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let refused = records.filter(|r| r["record"] == "intent" && r["decision"] == "denial");
    let word = |r: &Value, key: &str| r[key].as_str().unwrap_or_default().to_owned();
    refused.map(|r| (word(&r, "kind"), word(&r, "text"), word(&r, "sqlstate"))).collect()
}

/// Sends it, and says with which code it was refused and what that has left on the trail.
fn told(gateway: &Gateway, client: &mut RawClient, packet: &[Vec<u8>]) -> (String, [String; 3]) {
    let before = refusals(gateway).len();
    let answer = client.exchange(packet, 1);
    let code = error(&answer).unwrap_or_else(|| panic!("not refused: {answer:?}")).field('C');
    let mut after = Vec::new();
    let is_there = || {
        after = refusals(gateway).split_off(before);
        !after.is_empty()
    };
    assert!(eventually(Duration::from_secs(2), is_there), "{packet:?}: {code}, and no record");
    assert_eq!(after.len(), 1, "{after:?}");
    let (kind, text, on_record) = after.remove(0);
    (code, [kind, text, on_record])
}

fn words(kind: &str, text: &str, code: &str) -> (String, [String; 3]) {
    (code.to_owned(), [kind.to_owned(), text.to_owned(), code.to_owned()])
}

#[test]
fn whatever_is_refused_for_its_name_its_form_or_its_company_is_on_record() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    let select = "SELECT 'refused'";
    let reserved = "PREPARE \"hallpass.x\" AS SELECT 'refused'";
    let mixed = "SELECT 'refused'; SELECT * FROM hallpass.whoami";
    let bad_name = [b"\xff\0".as_slice(), select.as_bytes(), b"\0\0\0"].concat();
    client.exchange(&[parse("known", select, &[]), sync()], 1);
    for (packet, expected) in [
        (vec![parse("hallpass.x", select, &[]), sync()], words("parse", select, "0A000")),
        (vec![frame(b'P', &bad_name), sync()], words("parse", select, "42501")),
        (vec![bind("hallpass.p", "known", &[], 0), sync()], words("bind", "", "0A000")),
        (vec![bind("", "hallpass.s", &[], 0), sync()], words("bind", "", "0A000")),
        (vec![execute("hallpass.p", 0), sync()], words("execute", "", "0A000")),
        (vec![query(reserved)], words("query", reserved, "0A000")),
        (vec![parse("", reserved, &[]), sync()], words("parse", reserved, "0A000")),
        (vec![query(mixed)], words("query", mixed, "0A000")),
        (vec![frame(b'Q', b"SELECT 'refused'")], words("query", select, "08P01")),
        (
            vec![frame(b'P', b"\0SELECT 'refused'"), sync()],
            words("parse", "\0SELECT 'refused'", "08P01"),
        ),
        (vec![frame(b'B', b"\0known\0\0\x07"), sync()], words("bind", "", "08P01")),
    ] {
        assert_eq!(told(&gateway, &mut client, &packet), expected);
    }
    assert_eq!(client.exchange(&[close(b'S', "known"), sync()], 1)[0].tag, b'3');
}

#[test]
fn what_a_rolled_back_transaction_does_not_take_is_on_record() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let grant = gateway.grant("alice", "dml,select");
    let mut client = gateway.connect("alice", &secret);
    let select = "SELECT 'barred'";
    client.exchange(&[parse("known", select, &[]), sync()], 1);
    let unknown = "EXECUTE nobody";
    for (packet, kind) in
        [(vec![query(unknown)], "query"), (vec![parse("", unknown, &[]), sync()], "parse")]
    {
        assert_eq!(told(&gateway, &mut client, &packet), words(kind, unknown, "26000"));
    }
    client.query("BEGIN");
    client.query("UPDATE orders SET note = 'never' WHERE id = 1");
    client.exchange(&[bind("open", "known", &[], 0), sync()], 1);
    gateway.must(&["grant", "revoke", &grant]);
    let is_over = || error(&client.query(select)).is_some_and(|e| e.field('C') != "25P02");
    assert!(eventually(Duration::from_secs(3), is_over));
    for (packet, kind) in [
        (vec![query(select)], "query"),
        (vec![parse("", select, &[]), sync()], "parse"),
        (vec![bind("", "known", &[], 0), sync()], "bind"),
        (vec![frame(b'F', b"\0\0\x03\xb4\0\0\0\0\0\x01")], "query"),
    ] {
        let (_, [on_record, _, _]) = told(&gateway, &mut client, &packet);
        assert_eq!(on_record, kind);
    }
    client.query("ROLLBACK");
    // One that began without the right to write.
    client.query("BEGIN");
    client.query("SELECT 1");
    gateway.grant("alice", "dml");
    let update = "UPDATE orders SET note = 'never' WHERE id = 2";
    let waits = || error(&client.query(update)).is_some_and(|e| e.field('M').contains("read-only"));
    assert!(eventually(Duration::from_secs(3), waits));
    assert!(refusals(&gateway).iter().any(|(_, text, code)| text == update && code == "25006"));
}
