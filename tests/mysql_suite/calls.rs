//! Calls of `hallpass.*` whose arguments are variables, as drivers' `callproc` writes them.

use std::process::Command;

use crate::{
    client::Pair,
    drivers::{cache, direct_log_in, folder},
    raw::Raw,
    support::{
        PATIENCE, eventually,
        gateway::TARGET,
        mysql::{Family, SCHEMA},
    },
};

fn both(test: impl Fn(&Pair)) {
    for family in Family::ALL {
        let pair = Pair::start(family);
        test(&pair);
        let verified = pair.gateway.must(&["audit", "verify"]);
        assert!(verified.contains("intact"), "{verified}");
    }
}

/// What a procedure may have changed is asked and set anew, but not before its warnings were read: anything
/// else than to show them is their end.
#[test]
fn what_a_procedure_warns_of_can_be_read_behind_it() {
    both(|pair| {
        pair.server
            .sql("CREATE PROCEDURE warns() SIGNAL SQLSTATE '01000' SET MESSAGE_TEXT = 'worn out'");
        let root = pair.gateway.almighty("root");
        let mut raw = Raw::connect(pair, "root", &root);
        let warns = |raw: &mut Raw, then: &str| {
            raw.query("CALL warns()").expect("may");
            format!("{:?}", raw.query(then).expect("may"))
        };
        for then in ["SHOW WARNINGS", "show warnings limit 5;"] {
            let shown = warns(&mut raw, then);
            assert!(shown.contains("worn out"), "{then}: {shown}");
        }
        for then in ["SHOW COUNT(*) WARNINGS", "SELECT @@warning_count"] {
            assert_eq!(warns(&mut raw, then), r#"[[Some("1")]]"#, "{then}");
        }
        // What comes behind them waits as ever.
        warns(&mut raw, "SHOW WARNINGS");
        raw.query("CREATE TABLE worn (id int)").expect("may write");
    });
}

#[test]
fn a_call_takes_the_values_of_variables_from_the_clients_own_server() {
    both(|pair| {
        let alice = pair.gateway.principal("alice", "developer");
        let mut raw = Raw::connect(pair, "alice", &alice);
        raw.query("SET @`_hallpass.request_0`='select', @`_hallpass.request_1`='30m', @why='tïcket ''7''', @n = 1")
            .expect("may");
        let rows = raw
            .query("CALL hallpass.request(@`_hallpass.request_0`, @`_hallpass.request_1`, @WHY)")
            .expect("asks");
        assert!(format!("{rows:?}").contains("R-1"), "{rows:?}");
        let asked = |raw: &mut Raw| {
            let told = raw.query("SELECT reason FROM hallpass.requests WHERE id = @n");
            told.is_ok_and(|rows| rows == [[Some("tïcket '7'".to_owned())]])
        };
        assert!(eventually(PATIENCE, || asked(&mut raw)), "it hasn't the reason");
        // Each time by what it is then, in whatever mode and character set.
        raw.query("SET @why = 'anew', sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES', NAMES latin1")
            .map_or_else(drop, drop);
        raw.query("SET @why = 'anew'").expect("may");
        let rows =
            raw.query("CALL hallpass.request(@`_hallpass.request_0`, '1h', @why)").expect("asks");
        assert!(format!("{rows:?}").contains("R-2"), "{rows:?}");
        let anew = |raw: &mut Raw| {
            let told = raw.query("SELECT reason FROM hallpass.requests WHERE id = 2");
            told.is_ok_and(|rows| rows == [[Some("anew".to_owned())]])
        };
        assert!(eventually(PATIENCE, || anew(&mut raw)), "it hasn't the value of now");
        // What is NULL, and names that can't be looked up.
        let refused = raw.query("CALL hallpass.request(@nothing, '1h', 'x')").expect_err("NULL");
        assert_ne!(refused.0, 0, "{refused:?}");
        let refused = raw
            .query("CALL hallpass.request(@`a``; DROP TABLE products; -- `, '1h', 'x')")
            .expect_err("letters");
        assert!(refused.1.contains("looked up"), "{refused:?}");
        assert_eq!(raw.value("SELECT 'alive'"), "alive");
        assert!(!pair.server.log().contains("DROP TABLE"));
    });
}

#[test]
fn a_call_tells_nobody_what_is_masked() {
    both(|pair| {
        let root = pair.gateway.almighty("root");
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
        std::thread::sleep(std::time::Duration::from_secs(2));
        let mut raw = Raw::connect(pair, "root", &root);
        raw.query("SELECT email INTO @e FROM customers WHERE id = 7").expect("unmask");
        let refused = raw.query("CALL hallpass.request('select', '1h', @e)").expect_err("masked");
        assert!(refused.1.contains("masked values"), "{refused:?}");
    });
}

/// PyMySQL writes `@_hallpass.request_0`, mysql-connector-python `@hallpass.request_arg1`.
#[test]
fn callproc_of_drivers_asks_for_access() {
    both(|pair| {
        // Sees to it that the drivers are there.
        direct_log_in(pair);
        for library in ["pymysql", "connector"] {
            let who = format!("user-{library}");
            let secret = pair.gateway.principal(&who, "developer");
            let mut command = Command::new("timeout");
            command.args(["60", &cache("venv/bin/python"), &folder("mysql_callproc.py"), library]);
            command.args(["127.0.0.1", &pair.gateway.port().to_string()]);
            command.args([&format!("{who}@{TARGET}"), &secret, SCHEMA]);
            let output = command.output().expect("it runs");
            let printed = String::from_utf8_lossy(&output.stdout).into_owned();
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{library}: {errors}\nprinted: {printed}");
            let lines: Vec<&str> = printed.lines().collect();
            let [asked, again, reason] = lines[..] else { panic!("{library}: {printed}") };
            assert!(asked.contains("R-"), "{library}: {printed}");
            assert!(again.starts_with("Asked ") && again.contains("R-"), "{library}: {printed}");
            assert_eq!(reason, "it's Bünde's 'ticket' 7 \\ o'clock", "{library}");
        }
    });
}
