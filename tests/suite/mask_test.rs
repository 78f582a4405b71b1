//! What an operator is told of masks before anybody asks: `hallpass mask test` and `hallpass explain`.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Gateway, Postgres, gateway::TARGET};

fn start() -> (Postgres, Gateway) {
    let server = Postgres::start();
    server.sql(
        "CREATE VIEW mails AS SELECT id, email AS mail, upper(phone) AS loud FROM customers;
         GRANT SELECT ON mails TO hallpass",
    );
    let gateway = Gateway::start(&server);
    gateway.principal("alice", "developer");
    for (columns, with) in [
        ("public.customers.email", "email"),
        ("public.customers.phone", "hash"),
        ("public.customers.birth_date", "email"),
        ("public.customers.emial", "full"),
    ] {
        gateway.must(&["mask", "add", "--target", TARGET, "--column", columns, "--with", with]);
    }
    (server, gateway)
}

/// What the columns of the first statement show.
fn shows(answer: &Value) -> Vec<&str> {
    let columns = answer["statements"][0]["columns"].as_array().into_iter().flatten();
    columns.filter_map(|column| column["shows"].as_str()).collect()
}

const TEST: [&str; 4] = ["mask", "test", "--target", TARGET];

#[test]
fn mask_test_says_of_each_column_what_it_shows_and_why() {
    let (server, gateway) = start();
    let test = |more: &[&str]| gateway.json(&[&TEST[..], more].concat());
    let sql =
        "SELECT id, email, upper(phone) AS p, birth_date FROM customers WHERE phone LIKE '+49%'";
    let answer = test(&[sql]);
    assert_eq!(shows(&answer), ["clear", "masked", "whole", "masked"], "{answer}");
    let columns = &answer["statements"][0]["columns"];
    assert_eq!(columns[1]["with"], "email");
    assert_eq!(columns[1]["rules"], json!([1]));
    assert_eq!(columns[2]["from"], json!(["public.customers.phone"]));
    let why = columns[3]["why"].as_str().expect("a text");
    assert!(
        why.contains("rule 3") && why.contains("NULL: email has no value of type date"),
        "{why}"
    );
    let need = &answer["statements"][0]["needs"][0];
    assert_eq!(
        (&need["permission"], &need["on"]["name"]),
        (&json!("sql.unmask"), &json!("customers"))
    );
    assert_eq!((&answer["version"], &answer["catalog"]), (&json!(4), &json!("read")));

    let told = gateway.must(&[&TEST[..], &[sql]].concat());
    for part in [
        "1   id          clear\n",
        "2   email       email  rule 1: shop-test public.customers.email with email",
        "whole  derived from public.customers.phone: rule 2",
        "needs  sql.unmask  finds rows by public.customers.phone, which is masked",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    let view = test(&["SELECT mail, loud FROM mails"]);
    assert_eq!(shows(&view), ["masked", "whole"], "{view}");
    assert!(!server.log().contains("LIKE '+49%'"), "the statement reached the server");
}

#[test]
fn mask_test_lists_all_masked_columns_and_rules_that_hold_for_none() {
    let (_server, gateway) = start();
    let answer = gateway.json(&TEST);
    let named = |name: &str| {
        let columns = answer["columns"].as_array().expect("a list");
        columns.iter().find(|c| c["name"] == name).cloned().unwrap_or_default()
    };
    assert_eq!(named("public.customers.email")["asked"], "equality");
    assert_eq!(named("public.mails.mail")["rules"], json!([1]), "{answer}");
    assert_eq!(named("public.mails.loud")["shows"], "whole");
    assert_eq!(named("public.customers.id"), Value::Null);
    assert_eq!(answer["rules_without_columns"], json!([4]));
    let told = gateway.must(&TEST);
    assert!(
        told.contains("rule 4 holds for no column here: shop-test public.customers.emial"),
        "{told}"
    );
}

#[test]
fn mask_test_tries_rules_of_a_file_that_are_not_in_force() {
    let (_server, gateway) = start();
    let file = gateway.folder().join("new.toml");
    let rule = "[[rule]]\ntarget = \"*\"\ncolumn = \"*.orders.note\"\nwith = \"full\"\n";
    fs::write(&file, rule).expect("writes");
    let file = file.to_str().expect("a path");
    let sql = "SELECT note, email FROM orders, customers";
    let answer = gateway.json(&[&TEST[..], &["--rules", file, sql]].concat());
    assert_eq!(shows(&answer), ["masked", "clear"], "{answer}");
    assert_eq!(answer["rules_file"], file);
    let listed = gateway.json(&["mask", "list"]);
    assert_eq!(listed["rules"].as_array().map(Vec::len), Some(4), "nothing was applied");
}

#[test]
fn what_a_principal_may_see_in_clear_counts_for_mask_test_and_explain() {
    let (_server, gateway) = start();
    gateway.grant("alice", "select");
    let sql = "SELECT id, email FROM customers";
    let by = |command: &[&str], sql: &str| {
        let output = gateway.cli(&[command, &["--as", "alice", "--json", sql]].concat());
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let answer: Value =
            serde_json::from_str(&printed).unwrap_or_else(|e| panic!("{e}: {printed}"));
        (output.status.code(), answer)
    };
    let explain = ["explain", "--target", TARGET];
    for command in [&TEST[..], &explain[..]] {
        let (code, answer) = by(command, sql);
        assert_eq!((code, shows(&answer)), (Some(0), vec!["clear", "masked"]), "{answer}");
        let (code, answer) = by(command, "SELECT id FROM customers ORDER BY email");
        assert_eq!((code, &answer["verdict"]["passes"]), (Some(1), &json!(false)), "{answer}");
        assert!(answer["verdict"]["refusal"]["hint"].to_string().contains("'unmask'"), "{answer}");
        // What isn't read may show anything.
        let (_, answer) = by(command, "SELEC email");
        assert_eq!(answer["verdict"]["passes"], false);
    }
    gateway.grant("alice", "unmask");
    for command in [&TEST[..], &explain[..]] {
        let (code, answer) = by(command, sql);
        assert_eq!((code, shows(&answer)), (Some(0), vec!["clear", "clear"]), "{answer}");
        let (code, _) = by(command, "SELECT id FROM customers ORDER BY email");
        assert_eq!(code, Some(0));
    }
    let told = gateway.must(&[&TEST[..], &["--as", "alice", sql]].concat());
    assert!(told.contains("unmask is held on public.customers.email"), "{told}");
    assert!(told.contains("It would pass for alice now."), "{told}");
}

#[test]
fn what_is_refused_shows_its_columns_as_the_principal_would_see_them() {
    let (_server, gateway) = start();
    let sql = "SELECT id, email, phone FROM customers";
    let shown = || {
        let output = gateway.cli(&[&TEST[..], &["--as", "alice", "--json", sql]].concat());
        let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let list: Vec<String> = shows(&answer).into_iter().map(str::to_owned).collect();
        (answer["verdict"]["passes"].clone(), list)
    };
    assert_eq!(shown(), (json!(false), ["clear", "masked", "masked"].map(str::to_owned).to_vec()));
    // She may see it all, and may not read the table.
    gateway.grant("alice", "unmask");
    assert_eq!(shown(), (json!(false), ["clear", "clear", "clear"].map(str::to_owned).to_vec()));
    gateway.grant("alice", "select");
    assert_eq!(shown(), (json!(true), ["clear", "clear", "clear"].map(str::to_owned).to_vec()));
}
