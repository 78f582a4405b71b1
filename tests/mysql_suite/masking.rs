//! Rows with masked columns, ordinary work beside them, and what the server says of its own accord.

use std::{thread::sleep, time::Duration};

use crate::{
    client::Pair,
    support::{
        Gateway, MySql, MySqlRaw, PATIENCE, eventually,
        gateway::{Options, TARGET},
        mysql::{Family, SCHEMA},
        mysql_raw::Answer,
    },
};

/// A pair with masked columns, and somebody who may do all but see them.
struct Masked {
    pair: Pair,
    secret: String,
}

impl Masked {
    fn start(family: Family, before: &str, columns: &[(&str, &str)]) -> Self {
        let server = MySql::start(family);
        server.sql(before);
        let gateway = Gateway::start_mysql(&server, &Options::default());
        let pair = Pair { server, gateway };
        for (column, with) in columns {
            let column = format!("{SCHEMA}.{column}");
            let rule = ["mask", "add", "--target", TARGET, "--column", &column, "--with", with];
            pair.gateway.must(&rule);
        }
        let secret = pair.gateway.principal("alice", "developer");
        let more = ["--for", "30m", "--row-budget", "100000000"];
        pair.gateway.grant_with("alice", "select,dml,ddl,export", &more);
        let masked = Self { pair, secret };
        let clear = masked.pair.server.sql("SELECT email FROM customers WHERE id = 7");
        let hides = || {
            let told = masked.connect().query("SELECT email FROM customers WHERE id = 7");
            told.error().is_none() && !holds(&told.bytes(), &clear)
        };
        assert!(eventually(PATIENCE, hides), "the rule doesn't reach sessions");
        masked
    }

    fn connect(&self) -> MySqlRaw {
        let user = format!("alice@{TARGET}");
        MySqlRaw::connect(self.pair.gateway.port(), &user, &self.secret, SCHEMA)
    }

    fn script(&self, text: &str) -> (String, String) {
        self.pair.client("alice", &self.secret).run(text)
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

const SHOP: [(&str, &str); 4] = [
    ("customers.email", "email"),
    ("customers.phone", "full"),
    ("employees.salary", "null"),
    ("payments.iban", "hash"),
];

#[test]
fn rows_come_masked_in_both_forms_and_all_else_as_the_server_says_it() {
    for family in Family::ALL {
        let masked = Masked::start(family, "", &SHOP);
        let mut client = masked.connect();
        let (clear, phone) = (
            masked.pair.server.sql("SELECT email FROM customers WHERE id = 7"),
            masked.pair.server.sql("SELECT max(phone) FROM customers WHERE id < 9"),
        );
        let shown = format!("{}***@{}", &clear[..1], clear.split('@').nth(1).expect("a domain"));
        for text in [
            "SELECT id, email, phone FROM customers WHERE id < 9",
            "SELECT * FROM customers WHERE id < 9",
            "SELECT c.email AS e FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.id = 7",
            "WITH w AS (SELECT id, email FROM customers) SELECT * FROM w WHERE id < 9",
            "SELECT s.e FROM (SELECT email AS e, id FROM customers) s WHERE s.id = 7",
            "SELECT email FROM customers WHERE id = 7 UNION ALL SELECT note FROM orders WHERE id = 1",
        ] {
            for told in
                [client.query(text), client.prepared(text, false), client.prepared(text, true)]
            {
                let bytes = told.bytes();
                assert_eq!(told.error(), None, "{text}");
                assert!(!holds(&bytes, &clear) && !holds(&bytes, &phone), "{text}");
                assert!(
                    holds(&bytes, &shown),
                    "{family:?} {text}: {:?}",
                    String::from_utf8_lossy(&bytes)
                );
            }
        }
        // Of a value that is made of it, nothing stays.
        let made = "SELECT upper(email), concat(email, '!') FROM customers WHERE id = 7";
        for told in [client.query(made), client.prepared(made, false)] {
            assert_eq!(told.error(), None);
            let at = clear.to_uppercase();
            assert!(!holds(&told.bytes(), &at) && !holds(&told.bytes(), "@"), "{told:?}");
        }
    }
}

/// What people do all day.
const EVERYDAY: [&str; 40] = [
    "SELECT count(*), count(email), max(id) FROM customers",
    "SELECT country, count(*) AS n FROM customers GROUP BY country HAVING n > 2 ORDER BY n DESC, country LIMIT 3",
    "SELECT id, full_name FROM customers WHERE email = 'nobody@example.com'",
    "SELECT id, full_name FROM customers WHERE email IN ('a@example.com', 'b@example.com')",
    "SELECT id FROM customers WHERE phone IS NULL ORDER BY id LIMIT 3",
    "SELECT o.id, o.total FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.country = 'DE' ORDER BY o.id LIMIT 3",
    "SELECT id, (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) FROM customers c ORDER BY id LIMIT 3",
    "SELECT team, round(avg(id)) FROM employees GROUP BY team ORDER BY team",
    "SHOW CREATE TABLE products",
    "SHOW CREATE TABLE customers",
    "SHOW FULL COLUMNS FROM customers",
    "SHOW INDEX FROM customers",
    "DESCRIBE customers",
    "EXPLAIN SELECT * FROM orders WHERE id = 1",
    "UPDATE customers SET city = 'Bonn' WHERE id = 3",
    "UPDATE orders o JOIN customers c ON c.id = o.customer_id SET o.note = c.city WHERE c.id = 3",
    "INSERT INTO customers (full_name, email, country, city) VALUES ('New', 'new@example.com', 'DE', 'Kiel')",
    "DELETE FROM customers WHERE email = 'new@example.com'",
    "CREATE TABLE referring (id int PRIMARY KEY, customer_id bigint, FOREIGN KEY (customer_id) REFERENCES customers (id))",
    "CREATE TABLE alike LIKE customers",
    "CREATE TEMPORARY TABLE totals AS SELECT customer_id, sum(total) AS t FROM orders GROUP BY customer_id",
    "SELECT count(*) FROM totals",
    "SET @n = (SELECT count(*) FROM customers); ",
    "SELECT @n > 5",
    "ALTER TABLE customers ADD COLUMN tier varchar(10) NOT NULL DEFAULT 'none', ADD INDEX by_tier (tier, email)",
    "ALTER TABLE customers ADD COLUMN seen timestamp NULL DEFAULT CURRENT_TIMESTAMP AFTER tier",
    "ALTER TABLE customers MODIFY COLUMN tier varchar(20) DEFAULT NULL COMMENT 'bronze, silver'",
    "ALTER TABLE customers CHANGE tier level varchar(20)",
    "ALTER TABLE customers RENAME COLUMN level TO tier",
    "ALTER TABLE customers ALTER COLUMN tier SET DEFAULT 'x', ALGORITHM=INPLACE, LOCK=NONE",
    "CREATE INDEX by_mail ON customers (email(20))",
    "CREATE UNIQUE INDEX by_two ON customers (id, city)",
    "DROP INDEX by_two ON customers",
    "ALTER TABLE customers DROP INDEX by_mail, DROP INDEX by_tier",
    "ALTER TABLE customers DROP COLUMN seen",
    "ALTER TABLE orders ADD CONSTRAINT again FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE RESTRICT",
    "ALTER TABLE orders DROP FOREIGN KEY again",
    "CREATE TABLE IF NOT EXISTS customers (id int)",
    "DROP TABLE referring, alike",
    "ALTER TABLE customers COMMENT = 'who buys'",
];

/// What tells of masked columns by failing, or parts them from their rules.
const PARTING: [&str; 22] = [
    "ALTER TABLE customers MODIFY email varchar(200)",
    "ALTER TABLE customers CHANGE email mail varchar(150)",
    "ALTER TABLE customers RENAME COLUMN email TO mail",
    "ALTER TABLE customers RENAME COLUMN Email TO mail",
    "ALTER TABLE customers RENAME TO buyers",
    "ALTER TABLE customers RENAME buyers, ADD COLUMN x int",
    "RENAME TABLE customers TO buyers",
    "ALTER TABLE customers ADD COLUMN copy varchar(150) AS (email)",
    "ALTER TABLE customers ADD COLUMN copy varchar(150) DEFAULT (email)",
    "ALTER TABLE customers ADD COLUMN copy varchar(150) DEFAULT email",
    "ALTER TABLE customers ADD COLUMN copy varchar(150) DEFAULT 'x' AND email",
    "ALTER TABLE customers ADD COLUMN a int, ADD COLUMN (copy varchar(150) AS (email))",
    "ALTER TABLE customers MODIFY city varchar(150) AS (email) STORED",
    "ALTER TABLE customers ADD UNIQUE (phone)",
    "ALTER TABLE customers ADD CONSTRAINT u UNIQUE KEY (city, phone)",
    "ALTER TABLE customers ADD CHECK (email > 'm')",
    "ALTER TABLE customers ADD CONSTRAINT c CHECK (email > 'm')",
    "ALTER TABLE customers ADD INDEX i ((upper(email)))",
    "CREATE UNIQUE INDEX u ON customers (phone)",
    "CREATE VIEW mails AS SELECT email FROM customers",
    "ALTER TABLE orders ADD COLUMN mail varchar(150), ADD FOREIGN KEY (mail) REFERENCES customers (email)",
    "ALTER TABLE customers ORDER BY email",
];

#[test]
fn what_parts_masked_columns_from_their_rules_needs_unmask() {
    for family in Family::ALL {
        let masked = Masked::start(family, "", &SHOP);
        let mut client = masked.connect();
        for text in PARTING {
            let (_, said) = client.query(text).error().unwrap_or_default();
            assert!(said.contains("sql.unmask"), "{family:?}: {text}: {said}");
        }
    }
}

#[test]
fn nobody_finds_rows_by_a_number_in_the_place_of_a_text() {
    for family in Family::ALL {
        // To these servers nearly every text is 0.
        let told = MySql::start(family).sql("SELECT count(*) FROM customers WHERE email = 0");
        assert_ne!(told, "0", "the attack works on a bare server");
        let masked = Masked::start(family, "", &SHOP);
        let mut client = masked.connect();
        let text = "SELECT id FROM customers WHERE email = ?";
        let (long, double, string) = (8, 5, 253);
        for (kind, value) in [(long, 0_i64.to_le_bytes()), (double, 0_f64.to_le_bytes())] {
            let (_, said) = client.prepared_with(text, kind, &value).error().unwrap_or_default();
            assert!(said.contains("sql.unmask"), "{family:?}: {kind}: {said}");
        }
        let address = masked.pair.server.sql("SELECT email FROM customers WHERE id = 7");
        let length = u8::try_from(address.len()).expect("short");
        let value = [&[length], address.as_bytes()].concat();
        assert_eq!(client.prepared_with(text, string, &value).error(), None);
        for script in [
            "SELECT id FROM customers WHERE email = 0",
            "SELECT id FROM customers WHERE email IN ('a', 0)",
            "SELECT id FROM customers WHERE email = FALSE",
            "SET @v = 0; PREPARE s FROM 'SELECT id FROM customers WHERE email = ?'; EXECUTE s USING @v",
            "SELECT id FROM customers WHERE email = @v",
            "SELECT id FROM customers WHERE email = 0x00 + 0",
            "SELECT id FROM customers WHERE email = b'0' + 0",
            "SELECT id FROM customers WHERE email = -0.0",
            "SELECT id FROM customers WHERE (id, email) IN ((7, 0))",
            "SELECT id FROM customers HAVING email = 0",
            "SELECT o.id FROM orders o JOIN customers c ON c.email = o.id",
            "DELETE FROM customers WHERE email = 0",
            "UPDATE customers SET city = 'x' WHERE email = 0",
        ] {
            let (printed, said) = masked.script(&format!("{script};"));
            assert!(
                said.contains("sql.unmask") && printed.is_empty(),
                "{family:?}: {script}: {printed} {said}"
            );
        }
    }
}

#[test]
fn ordinary_work_beside_masked_columns_goes_on() {
    for family in Family::ALL {
        let masked = Masked::start(family, "", &SHOP);
        let mut client = masked.connect();
        for text in EVERYDAY {
            let mut said = client.query(text).error();
            // A column that was made a moment ago is known when the catalog has been read again.
            let knows = || {
                let waits =
                    said.as_ref().is_some_and(|(_, text)| text.contains("which nobody knows"));
                if waits {
                    said = client.query(text).error();
                }
                !waits
            };
            assert!(eventually(PATIENCE, knows), "{family:?}: {text}");
            assert_eq!(said, None, "{family:?}: {text}");
        }
        // What came out is what the server has.
        for text in &EVERYDAY[..9] {
            let (printed, errors) = masked.script(&format!("{text};"));
            assert!(errors.is_empty(), "{errors}");
            assert_eq!(printed, masked.pair.server.sql(text), "{family:?}: {text}");
        }
    }
}

#[test]
fn messages_that_quote_what_is_masked_are_withheld_and_others_are_not() {
    // An index over a masked column and another one: whoever may change the other one has the server quote both.
    let before =
        "CREATE TABLE keyed (id int PRIMARY KEY, part int, mail varchar(60), UNIQUE (part, mail));
        INSERT INTO keyed VALUES (1, 1, 'guess-me@example.com'), (2, 2, 'guess-me@example.com');
        CREATE TABLE plain (id int PRIMARY KEY, small tinyint, word varchar(3))";
    let columns = [&SHOP[..], &[("keyed.mail", "full")]].concat();
    for family in Family::ALL {
        let direct = {
            let server = MySql::start(family);
            server.sql(before);
            let output = server.client(b"UPDATE keyed SET part = 1", &[]);
            String::from_utf8_lossy(&output.stderr).into_owned()
        };
        assert!(direct.contains("guess-me"), "the attack works on a bare server: {direct}");
        let masked = Masked::start(family, before, &columns);
        let mut client = masked.connect();
        let quoting = [
            "UPDATE keyed SET part = 1",
            "UPDATE IGNORE keyed SET part = 1",
            "UPDATE keyed SET part = 1 WHERE id = 2; SHOW WARNINGS",
            "INSERT INTO keyed SELECT id + 10, part, mail FROM keyed",
            "INSERT IGNORE INTO keyed SELECT id + 10, part, mail FROM keyed",
        ];
        for text in quoting {
            for told in
                [client.query(text), client.query("SHOW WARNINGS"), client.query("SHOW ERRORS")]
            {
                assert!(!holds(&told.bytes(), "guess-me"), "{family:?} {text}: {told:?}");
            }
            let told = client.prepared(text, false);
            let after = [client.prepared("SHOW WARNINGS", false), client.query("SHOW WARNINGS")];
            for told in [told].iter().chain(&after) {
                assert!(!holds(&told.bytes(), "guess-me"), "{family:?} {text}: {told:?}");
            }
        }
        // What doesn't touch anything masked is told whole, at once and behind.
        let told = client.query("INSERT IGNORE INTO plain VALUES (1, 1000, 'too long')");
        assert_eq!(told.error(), None);
        let warnings = client.query("SHOW WARNINGS").bytes();
        assert!(holds(&warnings, "Out of range value for column 'small'"), "{family:?}");
        // A slip of the pen quotes nothing but the statement.
        for (text, number, says) in [
            ("SELECT emial FROM customers", 1054, "emial"),
            ("SELECT email FORM customers WHERE 1 = 1 2", 1064, "syntax"),
            ("SELECT email FROM customers a, customers b", 1052, "ambiguous"),
        ] {
            let (found, message) = client.query(text).error().unwrap_or_default();
            let refused = message.contains("permission denied");
            assert!(refused || found == number && message.contains(says), "{text}: {message}");
        }
    }
}

#[test]
fn a_rule_holds_for_cursors_and_statements_that_are_older() {
    for family in Family::ALL {
        let masked = Masked::start(family, "", &[("customers.email", "email")]);
        let names = masked.pair.server.sql("SELECT full_name FROM customers WHERE id < 9");
        let all = |bytes: &[u8]| names.lines().filter(|name| holds(bytes, name)).count();
        let mut client = masked.connect();
        let mut before = Answer::default();
        let text = "SELECT id, full_name FROM customers WHERE id < 9 ORDER BY id";
        let number = client.prepare(text, &mut before).expect("it is prepared");
        assert!(client.open(number, &mut before), "{family:?}: there is no cursor");
        assert!(client.fetch(number, &mut before));
        assert!(all(&before.bytes()) >= 2, "what nobody masks comes");
        let column = format!("{SCHEMA}.customers.full_name");
        let rule = ["mask", "add", "--target", TARGET, "--column", &column, "--with", "full"];
        masked.pair.gateway.must(&rule);
        let mut other = masked.connect();
        let hides = || {
            let told = other.query("SELECT full_name FROM customers WHERE id < 9");
            all(&told.bytes()) == 0
        };
        assert!(eventually(PATIENCE, hides), "the rule doesn't reach sessions");
        let mut after = Answer::default();
        client.fetch(number, &mut after);
        assert_eq!(all(&after.bytes()), 0, "{family:?}: {after:?}");
        let mut again = Answer::default();
        if client.open(number, &mut again) {
            client.fetch(number, &mut again);
        }
        assert_eq!(all(&again.bytes()), 0, "{family:?}: {again:?}");

        // Nor is a cursor of somebody who might see more read on when that is over.
        let grant = masked.pair.gateway.grant("alice", "unmask");
        let mut seen = Answer::default();
        let sees = || {
            seen = Answer::default();
            client.open(number, &mut seen)
                && client.fetch(number, &mut seen)
                && all(&seen.bytes()) > 0
        };
        assert!(eventually(PATIENCE, sees), "{family:?}: who may see values doesn't: {seen:?}");
        masked.pair.gateway.must(&["grant", "revoke", &grant]);
        let ended =
            || all(&other.query("SELECT full_name FROM customers WHERE id < 9").bytes()) == 0;
        assert!(eventually(PATIENCE, ended), "the grant doesn't end");
        let mut after = Answer::default();
        client.fetch(number, &mut after);
        assert_eq!(all(&after.bytes()), 0, "{family:?}: {after:?}");
    }
}

/// Each server has a name of its own for what is selected, where that holds bytes that are no text.
#[test]
fn a_name_made_of_bytes_shows_nothing() {
    for family in Family::ALL {
        let masked = Masked::start(family, "", &SHOP);
        let clear = masked.pair.server.sql("SELECT email FROM customers WHERE id = 7");
        let name: &[u8] = match family {
            Family::MariaDb => b"CONCAT(email,'\\xFF')",
            Family::MySql => b"CONCAT(email,'",
        };
        let attack = [
            &b"SELECT (SELECT `"[..],
            name,
            b"` FROM (SELECT CONCAT(email,'\xff') FROM customers WHERE id = 7) x) FROM (SELECT 1 AS `",
            name,
            b"`) y",
        ]
        .concat();
        let direct = masked.pair.server.client(&attack, &["--batch", "--raw"]);
        assert!(holds(&direct.stdout, &clear), "{family:?}: the attack doesn't work");
        let told = masked.connect().query_bytes(&attack);
        assert!(told.error().is_some(), "{family:?}");
        assert!(!holds(&told.bytes(), &clear), "{family:?}");
        // What gives no name is masked as ever.
        let plain =
            b"SELECT email, CONCAT(email, '\xff'), email = '\xff' FROM customers WHERE id = 7";
        let told = masked.connect().query_bytes(plain);
        assert!(!holds(&told.bytes(), &clear), "{family:?}");
        // In sets of one byte a character as well.
        let mut session = masked.connect();
        assert!(session.query("SET NAMES latin1").error().is_none(), "{family:?}");
        for text in [&attack[..], plain] {
            assert!(!holds(&session.query_bytes(text).bytes(), &clear), "{family:?}");
        }
        let named = b"INSERT INTO customers (full_name, email, country, city) \
                      VALUES ('M\xfcller', 'm@example.org', 'DE', 'K\xf6ln')";
        assert!(session.query_bytes(named).error().is_none(), "{family:?}");
        let kept = masked
            .pair
            .server
            .sql("SELECT full_name FROM customers WHERE city = 'Köln' AND email = 'm@example.org'");
        assert_eq!(kept, "Müller", "{family:?}");
        assert!(masked.pair.gateway.trail().contains("Müller"), "{family:?}");
    }
}

/// Rows that are sent when they are made, a tenth of a second apart.
fn slowly(column: &str, table: &str) -> String {
    format!("SELECT {column}, REPEAT('x', 40000), SLEEP(0.1) FROM {table} LIMIT 60")
}

#[test]
fn a_rule_holds_for_rows_that_are_on_their_way() {
    for family in Family::ALL {
        let masked = Masked::start(family, "", &SHOP);
        let (of_it, of_another) = (slowly("city", "customers"), slowly("note", "orders"));
        let (mut reads, mut prepared, mut others) =
            (masked.connect(), masked.connect(), masked.connect());
        let told = std::thread::scope(|scope| {
            let all = [
                scope.spawn(|| reads.query(&of_it)),
                scope.spawn(|| prepared.prepared(&of_it, false)),
                scope.spawn(|| others.query(&of_another)),
            ];
            sleep(Duration::from_secs(1));
            let column = format!("{SCHEMA}.customers.city");
            masked
                .pair
                .gateway
                .must(&["mask", "add", "--target", TARGET, "--column", &column, "--with", "full"]);
            all.map(|one| one.join().expect("answers").error())
        });
        let codes = told.map(|error| error.map(|(number, _)| number));
        assert_eq!(codes, [Some(1317), Some(1317), None], "{family:?}");
        // And it goes on, masked.
        assert_eq!(reads.query("SELECT city FROM customers LIMIT 1").error(), None);
    }
}

/// Somebody who may see what is masked gives it the name of a table that others know.
#[test]
fn what_takes_the_name_of_a_known_table_is_masked_at_once() {
    for family in Family::ALL {
        let made = "CREATE TABLE t (x varchar(99)); INSERT INTO t VALUES ('own')";
        let masked = Masked::start(family, made, &[("customers.email", "full")]);
        let clear = masked.pair.server.sql("SELECT email FROM customers WHERE id = 7");
        let secret = masked.pair.gateway.principal("carol", "developer");
        masked.pair.gateway.grant("carol", "select,dml,ddl,unmask");
        let user = format!("carol@{TARGET}");
        let mut other = MySqlRaw::connect(masked.pair.gateway.port(), &user, &secret, SCHEMA);
        let mut reader = masked.connect();
        let text = "SELECT CONCAT(x, '') FROM t";
        let mut known = || holds(&reader.query(text).bytes(), "own");
        assert!(eventually(PATIENCE, &mut known), "{family:?}: it isn't known");
        other.query("CREATE VIEW mails AS SELECT email AS x FROM customers");
        // Until nothing is left to be read.
        sleep(Duration::from_secs(1));
        let said = other.query("RENAME TABLE t TO gone, mails TO t");
        assert!(said.error().is_none(), "{family:?}: {said:?}");
        for moment in 0..10 {
            let said = reader.query(text);
            assert!(!holds(&said.bytes(), &clear), "{family:?}: {moment}: {said:?}");
        }
        assert!(masked.pair.server.sql(text).contains(&clear), "{family:?}: it is there");
    }
}

/// A catalog of MySQL is read in several questions, between which a table may come and go: as where a tool
/// puts another one in its place.
#[test]
fn a_table_that_came_and_went_while_it_was_looked_at_is_masked() {
    for family in Family::ALL {
        let view = "CREATE VIEW mails AS SELECT id, email AS mail FROM customers";
        let masked = Masked::start(family, view, &SHOP);
        let clear = masked.pair.server.sql("SELECT email FROM customers WHERE id = 7");
        let (mut changes, mut reads) = (masked.connect(), masked.connect());
        let over = std::sync::atomic::AtomicBool::new(false);
        let is_over = || over.load(std::sync::atomic::Ordering::Relaxed);
        let told = std::thread::scope(|scope| {
            let swaps = scope.spawn(|| {
                while !is_over() {
                    let swaps = "RENAME TABLE customers TO away; RENAME TABLE away TO customers;";
                    masked.pair.server.sql(&swaps.repeat(20));
                }
            });
            let looks = scope.spawn(|| {
                while !is_over() {
                    // Each makes the gateway read its catalog.
                    changes.query("CREATE TABLE looks (id int)");
                    changes.query("DROP TABLE looks");
                }
            });
            let until = std::time::Instant::now() + Duration::from_secs(8);
            let mut told = Vec::new();
            while std::time::Instant::now() < until {
                for text in ["SELECT a.* FROM customers a LIMIT 9", "SELECT * FROM mails LIMIT 9"] {
                    let said = reads.query(text);
                    if holds(&said.bytes(), &clear) {
                        told.push(said);
                    }
                }
            }
            over.store(true, std::sync::atomic::Ordering::Relaxed);
            swaps.join().expect("ends");
            looks.join().expect("ends");
            told
        });
        assert!(told.is_empty(), "{family:?}: {} times", told.len());
    }
}
