//! What the trail says of masked columns: which a statement had to do with, and who saw values.

use std::{process::Command, time::Duration};

use serde_json::json;

use crate::{
    masking::{World, start, tells},
    support::{eventually, raw::error},
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
        let record = gateway.audit_shows(text, |r| r["statement"] == text);
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
