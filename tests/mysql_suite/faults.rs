//! The trail's disk is full, the gateway is killed, others are busy: what becomes of sessions.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use crate::{
    client::{Open, Pair},
    support::{PATIENCE, eventually, gateway::Options, mysql::Family},
};

const NO_SPACE: &str = "fail trail-write 28";

fn with_faults(family: Family) -> Pair {
    Pair::start_with(family, &Options { faults: true, ..Options::default() })
}

#[test]
fn what_cant_be_put_on_record_doesnt_run_and_the_session_goes_on() {
    for family in Family::ALL {
        let pair = with_faults(family);
        let secret = pair.gateway.almighty("alice");
        let mut alice = Open::start(&pair.client("alice", &secret));
        assert_eq!(alice.asks("SELECT 'well';"), "well");
        alice.say("PREPARE kept FROM 'SELECT ''kept''';");
        alice.say("BEGIN; UPDATE products SET price = 4711 WHERE id = 1;");
        assert_eq!(alice.asks("SELECT price FROM products WHERE id = 1;"), "4711.00");
        pair.gateway.faults(NO_SPACE);
        for text in [
            "SELECT 'unsent 1';",
            "UPDATE products SET name = 'unsent 2' WHERE id = 1;",
            "EXECUTE kept;",
            "SELECT hallpass.request('select', '30m', 'unsent 3');",
            "COMMIT;",
        ] {
            let refused = alice.asks(text);
            let why = "the audit trail can't take the record";
            assert!(
                refused.starts_with("ERROR 1290 (HY000)") && refused.contains(why),
                "{refused}"
            );
        }
        pair.gateway.faults("");
        let comes_back = || alice.asks("SELECT 'goes on';") == "goes on";
        assert!(eventually(PATIENCE, comes_back), "it doesn't come back");
        assert_eq!(alice.asks("EXECUTE kept;"), "kept");
        // What was open stands as it stood: neither half committed nor thrown away.
        assert_ne!(pair.server.sql("SELECT price FROM products WHERE id = 1"), "4711.00");
        alice.say("COMMIT;");
        let price = || pair.server.sql("SELECT price FROM products WHERE id = 1") == "4711.00";
        assert!(eventually(PATIENCE, price), "the commit is lost");
        assert!(!pair.server.log().contains("unsent"), "it ran without a record");
        let verified = pair.gateway.must(&["audit", "verify"]);
        assert!(verified.contains("intact"), "{verified}");
    }
}

#[test]
fn killed_in_the_middle_it_has_recorded_what_ran_and_gives_nobody_more_than_before() {
    for family in Family::ALL {
        let mut pair = Pair::start(family);
        let secret = pair.gateway.principal("alice", "developer");
        let grant = pair.gateway.grant("alice", "select,dml");
        let mut writes = Open::start(&pair.client("alice", &secret));
        writes.say("BEGIN; UPDATE products SET price = 4711 WHERE id = 1;");
        assert_eq!(writes.asks("SELECT price FROM products WHERE id = 1;"), "4711.00");
        let mut reads = Open::start(&pair.client("alice", &secret));
        reads.say("SELECT SLEEP(3), 'ran when it was killed';");
        let runs = || pair.server.sql("SHOW FULL PROCESSLIST").contains("when it was killed'");
        assert!(eventually(PATIENCE, runs), "it doesn't run");
        pair.gateway.signal(Signal::SIGKILL);
        pair.gateway.wait_end_by_signal();
        let told = writes.asks("SELECT 1;");
        assert!(told.contains("ERROR 2013") || told.contains("ERROR 2006"), "{told}");
        // Nothing is committed for somebody who is gone, and no lock stays.
        let free = || {
            let text = "SELECT price FROM products WHERE id = 1 FOR UPDATE NOWAIT";
            let output = pair.server.client(text.as_bytes(), &["--batch", "--skip-column-names"]);
            output.status.success() && !output.stdout.starts_with(b"4711")
        };
        assert!(eventually(PATIENCE, free), "the transaction outlives the gateway");
        // What was revoked meanwhile is revoked from the first statement on.
        pair.gateway.must(&["grant", "revoke", &grant]);
        pair.gateway.restart();
        let alice = pair.client("alice", &secret);
        let refused = alice.refused("SELECT count(*) FROM customers;");
        assert!(refused.contains("sql.select"), "{refused}");
        assert_eq!(alice.must("SELECT 'goes on';"), "goes on");
        let verified = pair.gateway.must(&["audit", "verify"]);
        assert!(verified.contains("intact"), "{verified}");
        pair.gateway.audit_shows("the statement that ran", |record| {
            let text = record["statement"].as_str().unwrap_or_default();
            text.contains("when it was killed") && record["ended"] == "unknown"
        });
    }
}

/// The longest that somebody waited for an answer while this ran beside her, and how often she asked.
fn beside(pair: &Pair, bystander: &str, work: impl FnOnce() + Send) -> (Duration, usize) {
    let mut open = Open::start(&pair.client("bystander", bystander));
    assert_eq!(open.asks("SELECT 1;"), "1");
    let over = AtomicBool::new(false);
    let (mut longest, mut asked) = (Duration::ZERO, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            work();
            over.store(true, Ordering::Release);
        });
        while !over.load(Ordering::Acquire) {
            let began = Instant::now();
            assert_eq!(open.asks("SELECT 1;"), "1");
            longest = longest.max(began.elapsed());
            asked += 1;
        }
    });
    (longest, asked)
}

#[test]
fn who_sits_beside_a_long_result_or_a_long_text_is_served_meanwhile() {
    for family in Family::ALL {
        let pair = Pair::start(family);
        let secret = pair.gateway.almighty("alice");
        let bystander = pair.gateway.principal("bystander", "developer");
        let alice = pair.client("alice", &secret);
        // The servers' own share of the waiting is in it, and that of whatever else the machine does.
        let most = Duration::from_secs(3);
        let (longest, asked) = beside(&pair, &bystander, || {
            let text = "SELECT a.*, repeat('x', 400) FROM order_items a JOIN (SELECT 1 UNION ALL SELECT 2 \
                        UNION ALL SELECT 3 UNION ALL SELECT 4) b;";
            assert_eq!(alice.must(text).lines().count(), 4 * 14_973);
        });
        assert!(longest < most && asked > 2, "a long result: {longest:?}, asked {asked} times");
        let list: Vec<String> = (0..120_000).map(|n| n.to_string()).collect();
        let text = format!("SELECT count(*) FROM orders WHERE id IN ({});", list.join(","));
        let (longest, asked) = beside(&pair, &bystander, || {
            let counted: usize = alice.must(&text).parse().expect("a number");
            assert!(counted > 1000, "{counted}");
        });
        assert!(longest < most && asked > 2, "a long text: {longest:?}, asked {asked} times");
    }
}
