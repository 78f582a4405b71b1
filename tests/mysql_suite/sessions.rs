//! Refusals, grants and their ends, in one open session.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Command,
    time::Duration,
};

use crate::{
    client::{Open, Pair},
    support::{
        PATIENCE, eventually,
        gateway::{Options, TARGET},
        mysql::{Family, SCHEMA},
        tls,
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

#[test]
fn a_developer_asks_from_her_client_and_the_same_session_may_then_read() {
    both(|pair| {
        let alice = pair.gateway.principal("alice", "developer");
        let mut alice = Open::start(&pair.client("alice", &alice));
        let bob = pair.gateway.principal("bob", "approver");
        let bob = pair.client("bob", &bob);
        assert_eq!(alice.asks("SELECT 1;"), "1");
        let refused = alice.asks("SELECT count(*) FROM customers;");
        assert!(refused.starts_with("ERROR 1142 (42000)"), "{refused}");
        assert!(
            refused.contains("sql.select") && refused.contains("hallpass.request"),
            "{refused}"
        );
        let asked = alice.asks("SELECT hallpass.request('select', '30m', 'ticket 7');");
        assert!(asked.contains("R-1"), "{asked}");
        let approved = bob.must("SELECT hallpass.approve(1);");
        assert!(approved.contains("G-1"), "{approved}");
        let mut reads = || alice.asks("SELECT count(*) FROM customers;") == "2000";
        assert!(eventually(PATIENCE, &mut reads), "the grant doesn't reach the session");
        let refused = alice.asks("DELETE FROM products;");
        assert!(
            refused.starts_with("ERROR 1142 (42000)") && refused.contains("sql.dml"),
            "{refused}"
        );
        let revoked = bob.must("SELECT hallpass.revoke(1);");
        assert!(revoked.contains("G-1"), "{revoked}");
        let mut reads = || alice.asks("SELECT count(*) FROM customers;") == "2000";
        assert!(eventually(PATIENCE, || !reads()), "the end doesn't reach the session");
        assert_eq!(alice.asks("SELECT 'still here';"), "still here");
    });
}

#[test]
fn a_statement_ends_when_its_grant_is_revoked() {
    both(|pair| {
        let secret = pair.gateway.principal("alice", "developer");
        let grant = pair.gateway.grant("alice", "select");
        let mut alice = Open::start(&pair.client("alice", &secret));
        alice.say(
            "SELECT count(*) FROM order_items a, order_items b, order_items c WHERE a.quantity <> 7;",
        );
        let runs = || pair.server.sql("SHOW FULL PROCESSLIST").contains("order_items a");
        assert!(eventually(PATIENCE, runs), "it doesn't run");
        pair.gateway.must(&["grant", "revoke", &grant]);
        let ended = alice.line();
        assert!(ended.contains("was revoked"), "{ended}");
        assert!(eventually(Duration::from_secs(5), || !runs()), "it still runs");
        assert_eq!(alice.asks("SELECT 'goes on';"), "goes on");
    });
}

#[test]
fn a_transaction_is_rolled_back_when_its_grant_is_revoked_and_nothing_of_it_commits() {
    both(|pair| {
        let secret = pair.gateway.principal("alice", "developer");
        let grant = pair.gateway.grant("alice", "select,dml");
        let mut alice = Open::start(&pair.client("alice", &secret));
        alice.say("BEGIN; UPDATE products SET price = 4711 WHERE id = 1;");
        assert_eq!(alice.asks("SELECT price FROM products WHERE id = 1;"), "4711.00");
        pair.gateway.must(&["grant", "revoke", &grant]);
        // MariaDB shows its transactions as of when it was last asked.
        let rolled_back = || pair.server.log().contains("ROLLBACK");
        assert!(eventually(PATIENCE, rolled_back), "the transaction is still open");
        let refused = alice.asks("SELECT 1;");
        assert!(refused.contains("rolled back"), "{refused}");
        // The rest of a script must not commit by itself.
        let refused = alice.asks("INSERT INTO shop.products (sku, name) VALUES ('a', 'b');");
        assert!(refused.contains("rolled back"), "{refused}");
        let refused = alice.asks("COMMIT;");
        assert!(refused.contains("rolled back"), "{refused}");
        assert_eq!(alice.asks("SELECT 'goes on';"), "goes on");
        assert_ne!(pair.server.sql("SELECT price FROM products WHERE id = 1"), "4711.00");
    });
}

#[test]
fn a_long_result_ends_at_the_cap_and_the_session_goes_on() {
    both(|pair| {
        let secret = pair.gateway.principal("alice", "developer");
        pair.gateway.grant("alice", "select");
        let alice = pair.client("alice", &secret);
        let (printed, errors) = alice.run("SELECT order_id FROM order_items; SELECT 'goes on';");
        assert!(errors.contains("result passed 1000 rows"), "{errors}");
        assert!(printed.ends_with("goes on"), "{printed:?}");
        // MySQL's client holds back a result that failed; MariaDB's has printed what came.
        assert!(printed.lines().count() <= 1001, "{}", printed.lines().count());
    });
}

#[test]
fn below_dml_the_server_itself_refuses_to_write() {
    both(|pair| {
        pair.server.sql(
            "DELIMITER //\n\
             CREATE FUNCTION shop.sneaky() RETURNS int DETERMINISTIC MODIFIES SQL DATA \
             BEGIN INSERT INTO shop.products (sku, name, price, tags, attributes) \
             VALUES ('sneaky', 's', 1, '[]', '{}'); RETURN 1; END//",
        );
        let secret = pair.gateway.principal("alice", "developer");
        pair.gateway.grant("alice", "select");
        let alice = pair.client("alice", &secret);
        let refused = alice.refused("SELECT shop.sneaky();");
        assert!(refused.contains("ERROR 1227") || refused.contains("ERROR 1142"), "{refused}");
        let variable = match pair.server.family() {
            Family::MariaDb => "@@tx_read_only",
            Family::MySql => "@@transaction_read_only",
        };
        assert_eq!(alice.must(&format!("SELECT {variable};")), "1");
        for open in [
            "SET SESSION TRANSACTION READ WRITE;",
            "SET TRANSACTION READ WRITE;",
            "SET @@session.tx_read_only = 0;",
            "START TRANSACTION READ WRITE;",
        ] {
            let refused = alice.refused(open);
            assert!(refused.starts_with("ERROR"), "{open}: {refused}");
        }
        let script = format!("SET autocommit = 0; USE billing; USE shop; SELECT {variable};");
        assert_eq!(alice.must(&script), "1");
        assert_eq!(pair.server.sql("SELECT count(*) FROM products WHERE sku = 'sneaky'"), "0");
        // With the right to write the wall doesn't show, unless the client asks for it.
        pair.gateway.grant("alice", "dml");
        let writes = "UPDATE products SET price = price WHERE id = 1;";
        assert_eq!(alice.must(&format!("SELECT {variable}; {writes}")), "0");
        let (_, errors) = alice.run(&format!("SET SESSION TRANSACTION READ ONLY; {writes}"));
        assert!(errors.contains("ERROR 1792"), "{errors}");
    });
}

#[test]
fn a_file_of_the_clients_is_loaded_under_dml_alone() {
    both(|pair| {
        pair.server
            .sql("SET GLOBAL local_infile = 1; CREATE TABLE shop.loaded (a int, b varchar(20))");
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "1,one\n2,two\n").expect("is written");
        let load = format!(
            "LOAD DATA LOCAL INFILE '{}' INTO TABLE loaded FIELDS TERMINATED BY ',';",
            file.path().display()
        );
        let secret = pair.gateway.principal("alice", "developer");
        let alice = pair.client("alice", &secret);
        let run = || {
            let output = alice.run_with(&["--local-infile=1"], &load);
            String::from_utf8_lossy(&output.stderr).into_owned()
        };
        let refused = run();
        assert!(refused.contains("sql.dml"), "{refused}");
        pair.gateway.grant("alice", "dml");
        let said = run();
        assert!(!said.contains("ERROR"), "{said}");
        assert_eq!(pair.server.sql("SELECT group_concat(b ORDER BY a) FROM loaded"), "one,two");
    });
}

#[test]
fn a_dump_is_the_same_through_the_gateway_and_restores_through_it() {
    both(|pair| {
        let root = pair.gateway.principal("root", "developer");
        let all = "select,dml,export,ddl,admin,unmask";
        let more = ["--for", "30m", "--row-budget", "10000000"];
        pair.gateway.grant_with("root", all, &more);
        let dump = |port: u16, user: &str, secret: &str| {
            let mut command = Command::new(pair.server.family().program("dump"));
            command.args([
                "--no-defaults",
                "--protocol=tcp",
                "--host=127.0.0.1",
                "--skip-comments",
            ]);
            command.args([&format!("--port={port}"), &format!("--user={user}")]);
            command.args([&format!("--password={secret}"), "--no-tablespaces", SCHEMA]);
            let output = command.output().expect("it runs");
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{errors}");
            output.stdout
        };
        pair.server.sql(
            "CREATE USER dumper IDENTIFIED BY 'secret'; GRANT ALL ON *.* TO dumper; \
             CREATE DATABASE copy",
        );
        let direct = dump(pair.server.port(), "dumper", "secret");
        let user = format!("root@{TARGET}");
        let through = dump(pair.gateway.port(), &user, &root);
        assert!(direct == through, "they differ: {} and {} bytes", direct.len(), through.len());
        // Long results, for a client that reads slowly at first, come whole.
        let client = pair.client("root", &root);
        let many = "SELECT repeat('x', 3000) FROM order_items;";
        assert_eq!(client.must(many).lines().count(), 14_973);
        // Its statements are long: the pool reads them.
        let script = [b"USE copy;\n", through.as_slice()].concat();
        let (_, errors) = client.run(&String::from_utf8(script).expect("UTF-8"));
        assert!(errors.is_empty(), "{errors}");
        let counted = "SELECT count(*), sum(quantity * unit_price) FROM ";
        assert_eq!(
            pair.server.sql(&format!("{counted} copy.order_items")),
            pair.server.sql(&format!("{counted} shop.order_items")),
        );
    });
}

#[test]
fn ctrl_c_cancels_ones_own_statement_and_nobody_elses() {
    both(|pair| {
        let secret = pair.gateway.principal("alice", "developer");
        pair.gateway.grant("alice", "select");
        let mallory = pair.gateway.principal("mallory", "developer");
        let alice = pair.client("alice", &secret);
        let mut busy = Open::start(&alice);
        let number = busy.asks("SELECT session FROM hallpass.whoami;");
        assert!(number.starts_with("S-"), "{number}");
        busy.say("SELECT count(*) FROM order_items a, order_items b, order_items c WHERE a.quantity <> 7;");
        let runs = || pair.server.sql("SHOW FULL PROCESSLIST").contains("order_items a");
        assert!(eventually(PATIENCE, runs), "it doesn't run");
        let own = pair.server.sql(
            "SELECT id FROM information_schema.processlist WHERE info LIKE '%order_items a%' \
             AND info NOT LIKE '%processlist%'",
        );
        let (_, refused) = pair.client("mallory", &mallory).run(&format!("KILL QUERY {own};"));
        assert!(refused.contains("ERROR 1227") || refused.contains("ERROR 1142"), "{refused}");
        assert!(runs(), "somebody else has cancelled it");
        drop(busy);
        assert!(eventually(Duration::from_secs(10), || !runs()), "it outlives its client");
    });
}

#[test]
fn what_is_masked_never_comes_in_clear_however_little_is_understood() {
    both(|pair| {
        let secret = pair.gateway.principal("alice", "developer");
        pair.gateway.grant("alice", "select,export");
        let target = TARGET;
        pair.gateway.must(&[
            "mask",
            "add",
            "--target",
            target,
            "--column",
            "shop.customers.email",
            "--with",
            "email",
        ]);
        let alice = pair.client("alice", &secret);
        let clear = pair.server.sql("SELECT email FROM customers WHERE id = 7");
        let masked = || {
            let (printed, errors) = alice.run("SELECT email FROM customers WHERE id = 7;");
            !printed.contains(&clear) && !errors.contains(&clear)
        };
        assert!(eventually(PATIENCE, masked), "the rule doesn't reach sessions");
        for query in [
            "SELECT * FROM customers WHERE id = 7",
            "SELECT upper(email), reverse(email), hex(email) FROM customers WHERE id = 7",
            "SELECT c.email FROM (SELECT * FROM customers) c WHERE id = 7",
            "WITH c AS (SELECT email AS e, id FROM customers) SELECT e FROM c WHERE id = 7",
            "SELECT email FROM customers WHERE id = 7 UNION SELECT 'x'",
            "SELECT group_concat(email) FROM customers WHERE id = 7",
            "SELECT (SELECT email FROM customers WHERE id = 7)",
            "SELECT extractvalue(1, concat(0x7e, email)) FROM customers WHERE id = 7",
            "SELECT json_object('e', email) FROM customers WHERE id = 7",
            "SELECT email INTO @e FROM customers WHERE id = 7; SELECT @e",
            "SELECT @e := email FROM customers WHERE id = 7; SELECT @e",
            "HANDLER customers OPEN; HANDLER customers READ FIRST; HANDLER customers CLOSE",
            "TABLE customers",
            "CREATE TEMPORARY TABLE t AS SELECT email FROM customers; SELECT * FROM t",
            "PREPARE p FROM 'SELECT email FROM customers WHERE id = 7'; EXECUTE p",
            "EXPLAIN FORMAT=JSON SELECT * FROM customers WHERE email = 'x'; SHOW WARNINGS",
            "SELECT 1 FROM customers WHERE id = 7 AND email LIKE 'a%'",
            "SELECT 1 FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.email > 'm'",
            "HANDLER customers OPEN AS h; HANDLER h READ FIRST",
            "SHOW FULL COLUMNS FROM customers",
            "CHECKSUM TABLE customers",
            "SELECT * FROM information_schema.column_statistics",
            "DO (SELECT 1 FROM customers WHERE email = 'a' AND SLEEP(0))",
            "SET @e = (SELECT email FROM customers WHERE id = 7); SELECT @e",
            "SELECT email FROM shop.customers WHERE id = 7 FOR UPDATE",
            "DESCRIBE SELECT * FROM customers WHERE email = 'x'",
        ] {
            let (printed, errors) = alice.run(&format!("{query};"));
            for told in [&printed, &errors] {
                assert!(!told.contains(&clear), "{query}: {told}");
                let upper = clear.to_uppercase();
                assert!(!told.contains(&upper), "{query}: {told}");
                let hex = clear.bytes().fold(String::new(), |hex, b| hex + &format!("{b:02X}"));
                assert!(!told.contains(&hex), "{query}: {told}");
            }
        }
        // Whether there is a row would tell as much.
        for query in [
            "SELECT 1 FROM customers WHERE id = 7 AND email LIKE 'a%';",
            "SELECT count(*) FROM customers WHERE email > 'm';",
        ] {
            let refused = alice.refused(query);
            assert!(refused.contains("sql.unmask"), "{refused}");
        }
        // What has nothing to do with it is as it was.
        assert_eq!(alice.must("SELECT 'goes on', 1 + 1;"), "goes on\t2");
        assert_eq!(alice.must("SELECT status FROM orders WHERE id = 1;").lines().count(), 1);
        assert_eq!(alice.must("SET @n = 5; SELECT @n + 1;"), "6");
        let shown = alice.must("SHOW TABLES;");
        assert!(shown.contains("customers"), "{shown}");
    });
}

#[test]
fn who_blocks_whom_is_shown_and_not_what_others_run() {
    both(|pair| {
        let secret = pair.gateway.principal("alice", "developer");
        let root = pair.gateway.almighty("root");
        let mut other = Open::start(&pair.client("root", &root));
        other.say("SELECT SLEEP(20) AS secret_text;");
        let runs = || pair.server.sql("SHOW FULL PROCESSLIST").contains("secret_text");
        assert!(eventually(PATIENCE, runs), "it doesn't run");
        let shown = pair.client("alice", &secret).must("SHOW FULL PROCESSLIST;");
        assert!(!shown.contains("secret_text"), "{shown}");
        assert!(shown.contains("Query"), "{shown}");
    });
}

#[test]
fn a_prepared_text_is_not_run_in_another_mode_than_it_was_read_in() {
    both(|pair| {
        let secret = pair.gateway.principal("alice", "developer");
        pair.gateway.grant("alice", "select");
        let alice = pair.client("alice", &secret);
        let (printed, refused) = alice.run(
            "PREPARE s FROM 'SELECT \"email\" FROM customers LIMIT 1'; EXECUTE s; \
             SET sql_mode = 'ANSI_QUOTES'; EXECUTE s;",
        );
        assert_eq!(printed, "email");
        assert!(refused.contains("ERROR 1227") || refused.contains("ERROR 1142"), "{refused}");
    });
}

#[test]
fn statements_and_their_ends_are_on_record() {
    both(|pair| {
        let secret = pair.gateway.principal("alice", "developer");
        pair.gateway.grant("alice", "select,dml");
        let alice = pair.client("alice", &secret);
        alice.must("SELECT id FROM customers WHERE id < 4; BEGIN; UPDATE products SET price = 5 WHERE id = 1; ROLLBACK;");
        drop(alice.run("SELECT nope FROM customers;"));
        let trail = || pair.gateway.trail();
        let done = || {
            let trail = trail();
            ["UPDATE products SET price = 5", "rolled_back", "42S22"]
                .iter()
                .all(|what| trail.contains(what))
        };
        assert!(eventually(PATIENCE, done), "{}", trail());
        let trail = trail();
        assert!(trail.contains("SELECT id FROM customers WHERE id < 4"), "{trail}");
        assert!(trail.contains("SET SESSION TRANSACTION READ WRITE"), "{trail}");
        assert!(trail.contains("42S22"), "{trail}");
    });
}

/// Clients of MySQL don't wait for an answer to their request for TLS.
#[test]
fn a_hello_may_come_with_the_request_for_tls() {
    let options = Options { tls: "prefer", ..Options::default() };
    let pair = Pair::start_with(Family::MariaDb, &options);
    let secret = pair.gateway.almighty("root");
    let greeted = || {
        let mut tcp = TcpStream::connect(("127.0.0.1", pair.gateway.port())).expect("it listens");
        tcp.set_read_timeout(Some(PATIENCE)).expect("a limit");
        let mut header = [0; 4];
        tcp.read_exact(&mut header).expect("a greeting");
        let mut greeting = vec![0; usize::from(header[0])];
        tcp.read_exact(&mut greeting).expect("a greeting");
        tcp
    };
    // PROTOCOL_41, SSL, SECURE_CONNECTION, PLUGIN_AUTH; and the same as the head of a log-in.
    let flags = 0x0008_8a00_u32;
    let head = [&flags.to_le_bytes()[..], &(1_u32 << 24).to_le_bytes(), &[45], &[0; 23]].concat();
    let request = [&[32, 0, 0, 1][..], &head].concat();
    tls::connect_behind(request.clone(), greeted(), &[]).expect("they shake hands");
    // What comes in clear behind it is no log-in.
    let user = format!("root@{TARGET}\0\0mysql_clear_password\0{secret}\0");
    let length = u8::try_from(head.len() + user.len()).expect("a short one");
    let log_in = [&[length, 0, 0, 2][..], &head, user.as_bytes()].concat();
    let mut tcp = greeted();
    tcp.write_all(&[request, log_in].concat()).expect("it listens");
    let mut said = Vec::new();
    drop(tcp.read_to_end(&mut said));
    // An alert of TLS, or nothing; no packet of MySQL's.
    assert!(said.is_empty() || said[0] == 0x15, "{said:?}");
}
