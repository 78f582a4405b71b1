//! What a hostile client may say on the wire, each tried at a server and at the gateway.

use hallpass::wire::mysql::{packet, response::Kind};

use crate::{client::Pair, raw::Raw, support::mysql::Family};

fn both(test: impl Fn(&Pair)) {
    for family in Family::ALL {
        let pair = Pair::start(family);
        test(&pair);
        let verified = pair.gateway.must(&["audit", "verify"]);
        assert!(verified.contains("intact"), "{verified}");
    }
}

#[test]
fn what_comes_behind_a_file_is_a_command_and_judged() {
    both(|pair| {
        pair.server.sql("SET GLOBAL local_infile = 1; CREATE TABLE shop.loaded (a int)");
        let alice = pair.gateway.principal("alice", "developer");
        pair.gateway.grant("alice", "dml");
        let mut raw = Raw::connect(pair, "alice", &alice);
        raw.send(0, b"\x03LOAD DATA LOCAL INFILE 'x' INTO TABLE loaded");
        let (_, asks) = raw.receive().expect("it asks");
        assert_eq!(asks[0], 0xfb, "{asks:?}");
        let mut out = Vec::new();
        for (sequence, payload) in
            [(2, &b"1\n2\n"[..]), (3, b""), (0, b"\x03DROP TABLE shop.loaded"), (0, b"\x0e")]
        {
            packet::put(&mut out, sequence, |out| out.extend_from_slice(payload));
        }
        raw.write(&out);
        let (_, loaded) = raw.receive().expect("it is loaded");
        assert_eq!(loaded[0], 0, "{loaded:?}");
        let refused = raw.answer(Kind::Result);
        assert!(!pair.server.log().contains("DROP TABLE shop.loaded"), "{refused:?}");
        let refused = refused.expect_err("DROP TABLE needs ddl").1;
        assert!(refused.contains("sql.ddl"), "{refused}");
        raw.answer(Kind::Done).expect("pong");
        assert_eq!(pair.server.sql("SELECT count(*) FROM shop.loaded"), "2");
    });
}
