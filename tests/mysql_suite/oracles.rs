//! What tells of masked values without showing them: how many messages there were, how many bytes the server
//! has sent. Each works on a bare server.

use crate::{
    client::Pair,
    support::{
        Gateway, MySql, MySqlRaw, PATIENCE, eventually,
        gateway::{Options, TARGET},
        mysql::{Family, SCHEMA},
        mysql_raw::Answer,
    },
};

/// A bare server, and a gateway that masks addresses.
struct Both {
    pair: Pair,
    secret: String,
}

impl Both {
    fn start(family: Family) -> Self {
        let server = MySql::start(family);
        let gateway = Gateway::start_mysql(&server, &Options::default());
        let pair = Pair { server, gateway };
        let column = format!("{SCHEMA}.customers.email");
        let rule = ["mask", "add", "--target", TARGET, "--column", &column, "--with", "full"];
        pair.gateway.must(&rule);
        let secret = pair.gateway.principal("alice", "developer");
        pair.gateway.grant_with("alice", "select", &["--for", "30m", "--row-budget", "100000000"]);
        let both = Self { pair, secret };
        let clear = both.pair.server.sql("SELECT email FROM customers WHERE id = 7");
        let hides = || {
            let told = both.session().query("SELECT email FROM customers WHERE id = 7");
            let bytes = told.bytes();
            told.error().is_none() && !bytes.windows(clear.len()).any(|w| w == clear.as_bytes())
        };
        assert!(eventually(PATIENCE, hides), "the rule doesn't reach sessions");
        both
    }

    fn session(&self) -> MySqlRaw {
        let user = format!("alice@{TARGET}");
        MySqlRaw::connect(self.pair.gateway.port(), &user, &self.secret, SCHEMA)
    }
}

/// The number of messages that the last packet of a result counts; `None`: it was refused.
fn warnings(told: &Answer) -> Option<u16> {
    let last = told.packets.last().filter(|p| p.first() == Some(&0xfe) && p.len() < 9)?;
    Some(u16::from_le_bytes([last[1], last[2]]))
}

/// What is too long only if the address begins with the letter.
fn long(family: Family, letter: &str) -> (&'static str, String) {
    let guess = format!("IF(email LIKE '{letter}%', '{}', '')", "x".repeat(40));
    match family {
        // Spec: `group_concat_max_len` holds for arrays of JSON there.
        Family::MariaDb => (
            "SET group_concat_max_len = 8",
            format!("SELECT JSON_ARRAYAGG({guess}) FROM customers WHERE id = 7"),
        ),
        Family::MySql => (
            "SET @long = REPEAT('x', @@max_allowed_packet - 20)",
            format!("SELECT LENGTH(CONCAT(@long, {guess})) FROM customers WHERE id = 7"),
        ),
    }
}

#[test]
fn how_many_messages_there_are_tells_nothing_of_what_is_masked() {
    for family in Family::ALL {
        let both = Both::start(family);
        let clear = both.pair.server.sql("SELECT email FROM customers WHERE id = 7");
        let (before, right) = long(family, &clear[..1]);
        let (_, wrong) = long(family, "#");
        let direct = |guess: &str| {
            let script = format!("{before}; {guess}; SHOW COUNT(*) WARNINGS;");
            let printed = both.pair.server.sql(&script);
            printed.lines().last().expect("a line").to_owned()
        };
        assert_eq!((direct(&right), direct(&wrong)), ("1".into(), "0".into()), "{family:?}");

        let mut session = both.session();
        assert_eq!(session.query(before).error(), None);
        if family == Family::MySql {
            // A variable beside what is masked may be of any length.
            let (_, said) = session.query(&right).error().unwrap_or_default();
            assert!(said.contains("sql.unmask"), "{said}");
            continue;
        }
        let counts = |session: &mut MySqlRaw, guess: &str| {
            let prepared = session.prepared(guess, false);
            let cursor = session.prepared(guess, true);
            let query = session.query(guess);
            let shown = session.query("SHOW WARNINGS");
            let rows = shown.packets.len();
            let listed = warnings(&shown);
            let count = session.query("SELECT @@warning_count");
            let number = session.query("GET DIAGNOSTICS @n = NUMBER");
            assert!(count.error().is_some() && number.error().is_some(), "{family:?}");
            (warnings(&prepared), warnings(&cursor), warnings(&query), rows, listed)
        };
        let (told, other) = (counts(&mut session, &right), counts(&mut session, &wrong));
        assert_eq!(told, other, "{family:?}");
        // In a derived table, of which only other columns come out.
        let inside = |guess: &str| {
            let inner = guess.replace("SELECT ", "SELECT id, ").replace(" FROM", " AS j FROM");
            format!("SELECT d.id FROM ({inner}) d LIMIT 5")
        };
        let (right, wrong) = (inside(&right), inside(&wrong));
        let both = (session.query(&right), session.query(&wrong));
        assert_eq!(warnings(&both.0), warnings(&both.1), "{family:?}");
    }
}

#[test]
fn how_many_bytes_were_sent_tells_nothing_of_what_is_masked() {
    for family in Family::ALL {
        let both = Both::start(family);
        let clear = both.pair.server.sql("SELECT email FROM customers WHERE id = 7");
        let guess = |letter: &str| {
            let long = "x".repeat(100);
            format!("SELECT IF(email LIKE '{letter}%', '{long}', '') FROM customers WHERE id = 7")
        };
        let (right, wrong) = (guess(&clear[..1]), guess("#"));
        let status = "SHOW SESSION STATUS LIKE 'Bytes_sent'";
        // The attack: what it sends between two looks hangs on the value.
        let script = format!("{status}; {right}; {status}; {wrong}; {status};");
        let printed = both.pair.server.sql(&script);
        let counts = printed.lines().filter_map(|line| line.strip_prefix("Bytes_sent\t"));
        let counts: Vec<u64> = counts.map(|count| count.parse().expect("a number")).collect();
        let [start, middle, end] = counts.as_slice() else { panic!("{printed}") };
        assert!(middle - start > end - middle + 50, "{family:?}: {printed}");

        let mut session = both.session();
        let told = session.query(status);
        assert_eq!(told.error(), None, "{family:?}");
        let rows: Vec<_> =
            told.packets.iter().filter(|p| p.starts_with(b"\x0aBytes_sent")).collect();
        assert_eq!(rows, [&b"\x0aBytes_sent\xfb".to_vec()], "{family:?}");
        for cursor in [false, true] {
            let told = session.prepared(status, cursor);
            assert_eq!(told.error(), None, "{family:?}");
            let binary = told.packets.iter().filter(|p| p.ends_with(b"\x0aBytes_sent"));
            // The second column is NULL, and nothing stands behind the first one.
            let expected = [&b"\x00\x08\x0aBytes_sent"[..]];
            assert_eq!(binary.map(Vec::as_slice).collect::<Vec<_>>(), expected, "{family:?}");
        }
        let uptime = session.query("SHOW GLOBAL STATUS LIKE 'Uptime'");
        let rows = uptime.packets.iter().filter(|p| p.starts_with(b"\x06Uptime"));
        assert!(rows.clone().count() == 1 && rows.clone().all(|p| p.last() != Some(&0xfb)));
        for refused in [
            "SHOW SESSION STATUS WHERE Variable_name = 'Bytes_sent' AND Value > 1000",
            "SELECT * FROM performance_schema.session_status WHERE VARIABLE_NAME = 'Bytes_sent'",
            "SELECT * FROM performance_schema.global_status",
        ] {
            let (_, said) = session.query(refused).error().unwrap_or_default();
            assert!(said.contains("sql.unmask"), "{family:?}: {refused}: {said}");
        }
    }
}

#[test]
fn what_was_sorted_or_spilled_tells_nothing_of_what_is_masked() {
    // Only this server lays down values as long as they are.
    let both = Both::start(Family::MySql);
    let guess = |letter: &str| {
        format!(
            "SELECT d.id FROM (SELECT id, IF(email LIKE '{letter}', REPEAT('xxxxxxxx', 2000), '') AS y \
             FROM customers LIMIT 800) d LIMIT 1"
        )
    };
    let (right, wrong) = (guess("%"), guess("#"));
    let status = "SHOW SESSION STATUS LIKE 'Created_tmp_disk_tables'";
    let limit = "SET tmp_table_size = 1048576";
    let script = format!("{limit}; {wrong}; {status}; {right}; {status};");
    let printed = both.pair.server.sql(&script);
    let counts: Vec<_> = printed.lines().filter(|line| line.starts_with("Created_tmp")).collect();
    assert_eq!(counts, ["Created_tmp_disk_tables\t0", "Created_tmp_disk_tables\t1"]);

    let mut session = both.session();
    assert_eq!(session.query(limit).error(), None);
    assert_eq!(session.query(&right).error(), None);
    let told = session.query(status);
    let rows = told.packets.iter().filter(|p| p.starts_with(b"\x17Created_tmp_disk_tables"));
    assert_eq!(rows.collect::<Vec<_>>(), [&b"\x17Created_tmp_disk_tables\xfb".to_vec()]);
    for refused in [
        "SELECT SUM_WARNINGS FROM performance_schema.events_statements_summary_global_by_event_name",
        "SELECT * FROM performance_schema.events_statements_summary_by_thread_by_event_name",
        "SELECT * FROM performance_schema.events_errors_summary_global_by_error",
        "SELECT conn_id FROM sys.session WHERE tmp_disk_tables > 0",
        "SELECT user FROM sys.user_summary ORDER BY current_memory",
    ] {
        let (_, said) = session.query(refused).error().unwrap_or_default();
        assert!(said.contains("sql.unmask"), "{refused}: {said}");
    }
    let plain = "SELECT event_name, count_star FROM \
                 performance_schema.events_statements_summary_global_by_event_name LIMIT 1";
    assert_eq!(session.query(plain).error(), None);
}

#[test]
fn what_only_warns_comes_masked_and_nobody_is_told_how_often() {
    for family in Family::ALL {
        let both = Both::start(family);
        let clear = both.pair.server.sql("SELECT email FROM customers WHERE id = 7");
        let mut session = both.session();
        for text in [
            "SELECT SUBSTRING_INDEX(email, '@', -1), HEX(email), REPLACE(email, '@', '#') FROM customers WHERE id = 7",
            "SELECT SHA2(email, 256), CRC32(email), ELT(1, email), GROUP_CONCAT(email) FROM customers WHERE id = 7",
            "SELECT CAST(email AS SIGNED), CAST(email AS CHAR(20)), email = 0, YEAR(email) FROM customers WHERE id = 7",
            "SELECT JSON_OBJECTAGG(id, email), LPAD(MAX(email), 60, ' ') FROM customers WHERE id = 7",
            "SELECT TIMESTAMPDIFF(YEAR, email, '2020-01-01') FROM customers WHERE id = 7",
        ] {
            for told in
                [session.query(text), session.prepared(text, false), session.prepared(text, true)]
            {
                assert_eq!(told.error(), None, "{family:?} {text}");
                let bytes = told.bytes();
                assert!(
                    !bytes.windows(5).any(|w| w == &clear.as_bytes()[..5]),
                    "{family:?} {text}"
                );
                assert_eq!(warnings(&told).unwrap_or_default(), 0, "{family:?} {text}");
            }
            let count = session.query("SELECT @@warning_count").error();
            assert!(count.is_some_and(|(_, said)| said.contains("sql.unmask")), "{text}");
        }
        // Where a row is written, what was warned of is an error.
        for text in [
            "SELECT email * 12 FROM customers",
            "SELECT email REGEXP '(a|aa)+$' FROM customers",
            "SELECT POW(LENGTH(email), 200) FROM customers",
            "SELECT REPEAT('x', 90000000), email FROM customers WHERE IF(email LIKE 'a%', 1, 0)",
            "SELECT IF(email LIKE 'a%', REPEAT('x', 90000000), '') FROM customers",
            "INSERT INTO orders (note) SELECT d.id FROM (SELECT id, CAST(email AS SIGNED) FROM customers) d",
        ] {
            let (_, said) = session.query(text).error().unwrap_or_default();
            assert!(said.contains("sql.unmask"), "{family:?} {text}: {said}");
        }
    }
}

/// What MySQL fails for only if the address begins with the letter: a constant is enough for that, in a branch.
const FAILS: [&str; 24] = [
    "IF(email LIKE '?%', JSON_EXTRACT('{}', '$['), 0)",
    "CASE WHEN email LIKE '?%' THEN JSON_EXTRACT('x', '$') ELSE 0 END",
    "email LIKE '?%' AND JSON_LENGTH('x')",
    "COALESCE(NULLIF(email LIKE '?%', 1), JSON_DEPTH('x'))",
    "ELT(1 + (email LIKE '?%'), 0, JSON_TYPE('x'))",
    "IF(email LIKE '?%', JSON_KEYS('{}', '$.*'), 0)",
    "IF(email LIKE '?%', JSON_CONTAINS_PATH('{}', 'some', '$'), 0)",
    "IF(email LIKE '?%', JSON_CONTAINS('[1]', 'x'), 0)",
    "IF(email LIKE '?%', JSON_CONTAINS('[1]', '1', '$['), 0)",
    r#"IF(email LIKE '?%', JSON_UNQUOTE('"\\z"'), 0)"#,
    "IF(email LIKE '?%', JSON_QUOTE(1), 0)",
    "IF(email LIKE '?%', JSON_OBJECT(x'ff', 1), 0)",
    "IF(email LIKE '?%', LOCATE(x'ff', 'é'), 0)",
    "IF(email LIKE '?%', TRIM(x'ff' FROM 'é'), 0)",
    "IF(email LIKE '?%', SUBSTRING_INDEX('é', x'ff', 1), 0)",
    "JSON_EXTRACT(IF(email LIKE '?%', 'x', '1'), '$')",
    "JSON_LENGTH(CONCAT('[', IF(email LIKE '?%', '', '1]')))",
    r#"JSON_UNQUOTE(IF(email LIKE '?%', '"\\z"', 'x'))"#,
    "LOCATE(IF(email LIKE '?%', raw, 'a'), 'é')",
    "LOCATE(SUBSTR(CONCAT(IF(email LIKE '?%', 'é', 'e'), raw), 1, 1), 'é')",
    "QUOTE(SUBSTR(CONCAT(IF(email LIKE '?%', 'é', 'e'), raw), 1, 1))",
    "IF(email LIKE '?%', JSON_ARRAY(deep), 0)",
    "IF(email LIKE '?%', CONCAT(full_name, x'ff'), 0)",
    "IF(email LIKE '?%', COALESCE(x'ff', full_name), 0)",
];

/// The same where what stands between quotes is bytes.
const FAILS_BESIDE_BYTES: [&str; 4] = [
    "IF(email LIKE '?%', LOCATE(SUBSTR('é', 1, 1), full_name), 0)",
    "IF(email LIKE '?%', CONCAT(full_name, SUBSTR('é', 1, 1)), 0)",
    "IF(email LIKE '?%', JSON_OBJECT('a', 1), 0)",
    "IF(email LIKE '?%', JSON_EXTRACT('[]', '$'), 0)",
];

/// Each of these differs on a bare server: it fails for the one letter, and not for the other.
#[test]
fn whether_mysql_fails_tells_nothing_of_masked_values() {
    let both = Both::start(Family::MySql);
    let gateway = &both.pair.gateway;
    let secret = gateway.almighty("maker");
    let user = format!("maker@{TARGET}");
    let mut maker = MySqlRaw::connect(gateway.port(), &user, &secret, SCHEMA);
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for text in [
        "CREATE TABLE odd (id int, raw blob, deep json)".to_owned(),
        format!("INSERT INTO odd VALUES (1, x'ff', '{deep}')"),
    ] {
        assert!(maker.query(&text).error().is_none(), "{text}");
    }
    let known = || both.session().query("SELECT id FROM odd").error().is_none();
    assert!(eventually(PATIENCE, known), "the table isn't known");
    let text = |form: &str, letter: &str| {
        format!("SELECT {} FROM customers, odd WHERE customers.id = 7", form.replace('?', letter))
    };
    let mut wrong = Vec::new();
    let bytes = "SET collation_connection = binary";
    let all = FAILS.map(|form| (form, "DO 0"));
    for (form, before) in all.into_iter().chain(FAILS_BESIDE_BYTES.map(|form| (form, bytes))) {
        let bare = |letter| {
            let script = format!("{before}; {}", text(form, letter));
            both.pair.server.client(script.as_bytes(), &["--batch"]).status.success()
        };
        if (bare("z"), bare("q")) != (false, true) {
            wrong.push(format!("doesn't tell on the bare server: {form}"));
        }
        let through = |letter| {
            let mut session = both.session();
            session.query(before);
            session.query(&text(form, letter)).error().map(|(number, _)| number)
        };
        let together = |letter| {
            let script = format!("{before}; {}", text(form, letter));
            both.session().query(&script).error().map(|(number, _)| number)
        };
        if together("z") != together("q") || together("z").is_none() {
            wrong.push(format!("TELLS in one text: {form}"));
        }
        let (one, other) = (through("z"), through("q"));
        if one != other || !matches!(one, Some(1142 | 1227)) {
            wrong.push(format!("TELLS: {form}: {one:?}, {other:?}"));
        }
    }
    // What people ask every day comes masked.
    for form in [
        "LOCATE('@', email)",
        "SUBSTRING_INDEX(email, '@', -1)",
        "TRIM(email)",
        "CONCAT(email, ' – é')",
        "CASE WHEN email LIKE '%@%' THEN 'schön' ELSE 'häßlich' END",
        "REPLACE(email, 'a', 'b')",
        "JSON_OBJECT('mail', email, 'id', customers.id)",
        "JSON_ARRAYAGG(JSON_OBJECT('mail', email))",
        "JSON_EXTRACT(JSON_OBJECT('mail', email), '$.mail')",
        "IF(JSON_CONTAINS(deep, '\"x\"'), email, 'no')",
        "IF(JSON_EXTRACT(deep, '$[0].a') = 1, email, 'no')",
    ] {
        let told = both.session().query(&text(form, ""));
        if let Some(error) = told.error() {
            wrong.push(format!("refused: {form}: {error:?}"));
        }
        if told.bytes().windows(10).any(|w| w == b"zoe.berger") {
            wrong.push(format!("SHOWS: {form}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
