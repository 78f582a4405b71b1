//! What the trail says of masked columns: which a statement had to do with, and who saw values.

use std::{process::Command, time::Duration};

use serde_json::{Value, json};

use crate::{
    masking::{CLEAR, World, start, tells},
    support::{
        Gateway, eventually,
        raw::{bind, error, execute, parse, sync},
    },
};

#[test]
fn each_record_names_the_masked_columns_that_its_statement_had_to_do_with() {
    let mut world = start();
    let World { client, gateway, .. } = &mut world;
    for (text, masked) in [
        ("SELECT id AS a, email FROM customers LIMIT 1", json!(["public.customers.email"])),
        ("SELECT id AS b FROM customers LIMIT 1", json!(null)),
        ("SELECT id AS c FROM customers WHERE email = 'x'", json!(["public.customers.email"])),
        ("SELECT mail AS d FROM mails LIMIT 1", json!(["public.customers.email"])),
        (
            "COPY (SELECT id AS e, email, birth_date FROM customers LIMIT 1) TO STDOUT",
            json!(["public.customers.email", "public.customers.birth_date"]),
        ),
    ] {
        let answer = client.query(text);
        assert!(error(&answer).is_none(), "{text}: {answer:?}");
        // The constant beside a masked column is not on record.
        let start = text.split('\'').next().unwrap_or(text);
        let begins = |r: &Value| r["statement"].as_str().is_some_and(|t| t.starts_with(start));
        let record = gateway.audit_shows(text, begins);
        assert_eq!((&record["masked"], &record["unmasked"]), (&masked, &json!(null)), "{text}");
    }
}

#[test]
fn what_a_name_runs_is_on_the_record_of_its_run() {
    let mut world = start();
    let World { client, gateway, .. } = &mut world;
    client.query("PREPARE p AS SELECT email FROM customers LIMIT 1");
    client.query("BEGIN; DECLARE k CURSOR FOR SELECT email FROM customers");
    for text in ["EXECUTE p", "FETCH k"] {
        let answer = client.query(text);
        assert!(error(&answer).is_none(), "{text}: {answer:?}");
        let record = gateway.audit_shows(text, |r| r["statement"] == text);
        assert_eq!(record["masked"], json!(["public.customers.email"]), "{text}");
        assert_eq!(record["relations"], json!(["read public.customers"]), "{text}");
    }
}

#[test]
fn who_saw_values_under_which_grant_is_a_question_to_one_view() {
    let mut world = start();
    let grant = world.gateway.grant("alice", "unmask");
    let World { client, gateway, .. } = &mut world;
    let text = "SELECT email AS seen FROM customers WHERE id = 900001";
    assert!(eventually(Duration::from_secs(2), || tells(&client.query(text))));
    let record =
        gateway.audit_shows("seen", |r| r["statement"] == text && !r["unmasked"].is_null());
    assert_eq!(record["unmasked"], json!(["public.customers.email"]));
    assert_eq!(record["masked"], json!(null));
    let who = "SELECT principal || ' ' || column_name || ' ' || rows || ' ' || grants FROM who_saw_unmasked";
    let expected = format!("alice public.customers.email 1 G-1, {grant}");
    let ask = || {
        let table = gateway.data().join("audit.db");
        let output = Command::new("sqlite3").arg("-readonly").arg(table).arg(who).output();
        String::from_utf8_lossy(&output.expect("sqlite3 runs").stdout).into_owned()
    };
    let found = || ask().lines().any(|line| line == expected);
    assert!(eventually(Duration::from_secs(5), found), "{}", ask());
}

/// The text on record of the statement that holds `sign`, and how many digests stand in it.
fn on_record(gateway: &Gateway, sign: &str) -> (String, u64) {
    let has = |r: &Value| r["statement"].as_str().is_some_and(|text| text.contains(sign));
    let record = gateway.audit_shows(sign, has);
    let text = record["statement"].as_str().unwrap_or_default().to_owned();
    let digests = text.matches("'hmac:").count() as u64;
    (text, digests)
}

/// The first digest in a text.
fn digest(text: &str) -> String {
    let (_, rest) = text.split_once("hmac:").unwrap_or_default();
    rest.chars().take_while(char::is_ascii_hexdigit).collect()
}

#[test]
fn constants_beside_masked_columns_are_digests_on_record_and_all_else_is_as_it_was_sent() {
    let mut world = start();
    let World { client, gateway, .. } = &mut world;
    let guess = |sign: &str, value: &str| {
        format!(
            "SELECT id AS {sign} FROM customers WHERE email = '{value}' AND city = 'Ulm' -- o'k"
        )
    };
    for (sign, value) in [("g_a", CLEAR), ("g_b", "no@x.y"), ("g_c", CLEAR)] {
        client.query(&guess(sign, value));
    }
    let (first, count) = on_record(gateway, "g_a");
    assert_eq!(count, 1);
    let expected = guess("g_a", &format!("hmac:{}", digest(&first)));
    assert_eq!(first, expected, "all else is verbatim");
    // Equal values have equal digests, others have others.
    assert_eq!(digest(&first), digest(&on_record(gateway, "g_c").0));
    assert_ne!(digest(&first), digest(&on_record(gateway, "g_b").0));
    // A parameter is the same digest.
    let text = "SELECT id AS g_d FROM customers WHERE email = $1 AND city = $2";
    let packet = [
        parse("", text, &[]),
        bind("", "", &[Some(CLEAR), Some("Ulm")], 0),
        execute("", 0),
        sync(),
    ];
    assert!(error(&client.exchange(&packet, 1)).is_none());
    let record =
        gateway.audit_shows("g_d", |r| r["statement"] == text && !r["parameters"].is_null());
    let parameters = record["parameters"].to_string();
    assert!(parameters.contains(&digest(&first)) && parameters.contains("Ulm"), "{record}");
    // The same text with another constant, known by its key, has a digest of its own.
    client.query(&guess("g_a", "other@x.y"));
    let both = || gateway.trail().matches("g_a").count() >= 2;
    assert!(eventually(Duration::from_secs(3), both));
    nothing_clear(gateway, &[CLEAR, "no@x.y", "other@x.y"]);
    gateway.must(&["audit", "verify"]);
}

#[test]
fn what_is_refused_written_or_not_understood_leaves_no_clear_value_on_record() {
    let mut world = start();
    let World { client, gateway, .. } = &mut world;
    for text in [
        "SELECT 1 AS h_1 FROM customers WHERE email LIKE 'sly.guess%'",
        "UPDATE customers SET email = 'sly.guess@x', city = 'h_2' WHERE id = 5",
        "INSERT INTO customers (id, full_name, email, country, city) VALUES (990001, 'h_3', 'sly.guess@x', 'DE', 'Ulm')",
        "SELECT 1 AS h_4; SELECT id FROM customers WHERE email = 'sly.guess@x'; SELECT nothing FROM nowhere",
        "SELEC 1 AS h_5 FROM customers WHERE email = 'sly.guess@x'",
        "SELECT 1 AS h_6 FROM customers WHERE email = 'sly.guess@x",
        "SELECT 1 AS h_7 FROM custommers WHERE email = 'sly.guess@x'",
        "SELECT 1 AS h_8 FROM customers WHERE email = 'sly.guess@x' 'sly.guess'",
        "PREPARE h_9 (text) AS SELECT id FROM customers WHERE email = $1",
        "EXECUTE h_9 ('sly.guess@x')",
        "SELECT 1 AS h_10 FROM mails WHERE mail = 'sly.guess@x'",
        "SELECT 1 AS h_11 FROM customers WHERE email = 'sly.guess@x'::int",
        "SELECT count(*) AS h_12 FROM customers WHERE birth_date = '1971-02-03'",
    ] {
        client.query(text);
    }
    let packet = [
        parse(
            "",
            "SELECT 1 AS h_13 FROM customers WHERE email = 'sly.guess@x' AND nowhere = 1",
            &[],
        ),
        sync(),
    ];
    client.exchange(&packet, 1);
    for sign in 1..=13 {
        let sign = format!("h_{sign}");
        assert!(eventually(Duration::from_secs(3), || gateway.trail().contains(&sign)), "{sign}");
    }
    nothing_clear(gateway, &["sly.guess", "1971-02-03"]);
    let (inserted, digests) = on_record(gateway, "h_3");
    assert_eq!(digests, 1, "{inserted}");
    gateway.must(&["audit", "verify"]);
}

fn nothing_clear(gateway: &Gateway, values: &[&str]) {
    let trail = gateway.trail();
    for value in values {
        let lines: Vec<_> = trail.lines().filter(|line| line.contains(value)).collect();
        assert!(lines.is_empty(), "{value}: {lines:?}");
    }
}
