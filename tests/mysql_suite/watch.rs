//! What a gateway's owner sees of MySQL and MariaDB: what grants leave behind, which columns want a mask.

use std::time::Duration;

use serde_json::Value;

use crate::{
    client::{Open, Pair},
    support::{Gateway, PATIENCE, eventually, gateway::TARGET, mysql::Family},
};

/// What `grant show` says once the end has been looked at.
fn left_behind(gateway: &Gateway, grant: &str) -> Vec<String> {
    let mut left = Value::Null;
    let looked = eventually(PATIENCE, || {
        left = gateway.json(&["grant", "show", grant])["left_behind"].clone();
        left["settled"].is_string()
    });
    assert!(looked, "{left}\n{}", gateway.log());
    let items = left["items"].as_array().unwrap_or_else(|| panic!("no list: {left}"));
    let text = |item: &Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
    items
        .iter()
        .map(|i| format!("{} {} {}", text(i, "change"), text(i, "kind"), text(i, "name")))
        .collect()
}

#[test]
fn what_is_made_under_admin_is_listed_when_the_grant_has_ended() {
    for family in Family::ALL {
        let pair = Pair::start(family);
        pair.server.sql("CREATE USER old IDENTIFIED BY 'one'; CREATE ROLE readers");
        let secret = pair.gateway.principal("alice", "developer");
        let grant = pair.gateway.grant("alice", "admin,ddl,dml,select");
        let alice = pair.client("alice", &secret);
        alice.must(
            "CREATE USER evil IDENTIFIED BY 'x'; GRANT SELECT ON shop.* TO evil; \
             GRANT UPDATE ON shop.products TO evil; GRANT readers TO evil; \
             ALTER USER old IDENTIFIED BY 'two'; \
             CREATE TABLE shop.loot (id int); \
             CREATE FUNCTION shop.door() RETURNS int DETERMINISTIC RETURN 1; \
             CREATE VIEW shop.peep AS SELECT email FROM customers; \
             CREATE TRIGGER shop.opens BEFORE INSERT ON shop.products FOR EACH ROW SET NEW.price = 1; \
             CREATE EVENT shop.later ON SCHEDULE EVERY 1 DAY DO DELETE FROM shop.products; \
             SET GLOBAL local_infile = NOT @@GLOBAL.local_infile;",
        );
        pair.gateway.must(&["grant", "revoke", &grant]);
        let left = left_behind(&pair.gateway, &grant);
        for item in [
            "made user 'evil'@'%'",
            "made privilege schema 'shop' to 'evil'@'%'",
            "made privilege table 'shop'.'products' to 'evil'@'%'",
            "changed user 'old'@'%'",
            "made routine 'shop'.'door', function",
            "made view 'shop'.'peep'",
            "made trigger 'shop'.'opens' on 'products'",
            "made event 'shop'.'later'",
            "changed server setting local_infile",
        ] {
            assert!(left.iter().any(|l| l == item), "{family:?}: {item} is not in {left:#?}");
        }
        assert!(
            left.iter().any(|l| l.starts_with("made membership 'evil'@'%' in 'readers'")),
            "{left:#?}"
        );
        assert!(!left.iter().any(|l| l.contains("loot")), "tables don't count: {left:#?}");
        // Who changes nothing leaves nothing.
        let grant = pair.gateway.grant("alice", "admin");
        alice.must("SELECT count(*) FROM customers;");
        pair.gateway.must(&["grant", "revoke", &grant]);
        assert_eq!(left_behind(&pair.gateway, &grant), [""; 0], "{family:?}");
    }
}

#[test]
fn rules_are_proposed_by_names_comments_and_values() {
    for family in Family::ALL {
        let pair = Pair::start(family);
        pair.server.sql(
            "CREATE TABLE shop.contacts (how varchar(80), `odd name` text, remark varchar(9) COMMENT 'personal', \
                sent_email_at datetime, nothing text, wage int unsigned, born date);
             INSERT INTO shop.contacts (how, `odd name`, nothing) SELECT email, '4111111111111111', 'secret-7' \
                FROM shop.customers LIMIT 100;
             CREATE VIEW shop.seen AS SELECT how AS email FROM shop.contacts",
        );
        let suggest = ["mask", "suggest", "--target", TARGET];
        let proposed = pair.gateway.json(&suggest);
        for (column, wanted) in [
            ("shop.customers.email", Some("email: named like an e-mail address")),
            ("shop.customers.birth_date", Some("truncate(year): named like a date of birth")),
            ("shop.contacts.remark", Some("full: its comment says personal")),
            ("shop.contacts.wage", Some("bucket(10000): named like an income")),
            ("shop.contacts.born", Some("truncate(year): named like a date of birth")),
            ("shop.contacts.how", None),
            ("shop.contacts.sent_email_at", None),
            ("shop.seen.email", None),
            ("shop.orders.id", None),
        ] {
            let rules = proposed.as_array().expect("a list");
            let rule = rules.iter().find(|rule| rule["column"] == column);
            let told = rule.map(|rule| {
                let text = |key: &str| rule[key].as_str().unwrap_or_default();
                format!("{}: {}", text("with"), text("reason"))
            });
            assert_eq!(told.as_deref(), wanted, "{family:?}: {column}");
        }
        assert!(
            !pair.server.log().contains("LEFT(`how`"),
            "no value is read unless it is asked for"
        );
        let sampled = pair.gateway.must(&[&suggest[..], &["--samples"]].concat());
        let said = "# shop.contacts.how, varchar(80): 100 of 100 values look like an e-mail";
        assert!(sampled.contains(said), "{sampled}");
        assert!(
            sampled.contains("\ncolumn = 'shop.contacts.\"odd name\"'\nwith = \"card\"\n"),
            "{sampled}"
        );
        assert!(!sampled.contains("contacts.nothing"), "{sampled}");
        assert!(!sampled.contains("secret-") && !sampled.contains("4111"), "no value is printed");
        // What is printed can be applied, and then there is nothing left to propose.
        let file = pair.gateway.folder().join("rules.toml");
        std::fs::write(&file, &sampled).expect("writes");
        pair.gateway.must(&["mask", "apply", file.to_str().expect("a path")]);
        let left = pair.gateway.must(&[&suggest[..], &["--samples"]].concat());
        assert!(left.starts_with("# 0 rules proposed"), "{left}");
    }
}

#[test]
fn a_session_is_told_before_its_grant_ends_and_that_a_result_was_cut() {
    for family in Family::ALL {
        let pair = Pair::start(family);
        let secret = pair.gateway.principal("alice", "developer");
        pair.gateway.grant_with("alice", "select", &["--for", "64s"]);
        let client = pair.client("alice", &secret);
        // The command line shows warnings where a result says that there are some.
        let mut alice = Open::start_with(&client, &["--show-warnings"]);
        let mut told = String::new();
        let is_told = || {
            alice.say("SELECT 'x';");
            told = alice.line();
            if told == "x" {
                std::thread::sleep(Duration::from_millis(100));
                return false;
            }
            true
        };
        assert!(eventually(PATIENCE, is_told), "{family:?}: nothing is said");
        assert!(
            told.contains("Note (Code 1105): G-1 ends in a minute; to extend: SELECT hallpass.request('select'"),
            "{family:?}: {told}"
        );
        assert_eq!(alice.line(), "x");
        // Once, and nobody else's results have grown.
        assert_eq!(alice.asks("SELECT 'y';"), "y");
        assert_eq!(alice.asks("SHOW WARNINGS; SELECT 'z';"), "z");
        // What the client says of warnings waits until its next result.
        assert_eq!(alice.asks("SELECT 1 + 'a'; SELECT 'w';"), "1");
        assert!(alice.line().contains("Truncated incorrect"));
        assert_eq!(alice.line(), "w");
        alice.say("SET hallpass.over = 'cut'; SELECT 'row' FROM order_items; SELECT 'w';");
        let mut lines = 0;
        let cut = loop {
            match alice.line() {
                line if line == "row" => lines += 1,
                // The server says so too, if the cancel came before the last row.
                line if line.contains("(Code 1317)") => {}
                line => break line,
            }
        };
        assert!(
            cut.contains("Note (Code 1105): ") && cut.contains("1000 rows"),
            "{family:?}: {cut}"
        );
        assert!(lines == 0 || lines == 1000, "{lines}");
    }
}
