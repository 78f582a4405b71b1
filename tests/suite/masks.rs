//! Mask rules as a running gateway knows them, and what is proposed for a real database.

use std::{
    fs,
    path::Path,
    process::Output,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{Gateway, Postgres, RawClient, eventually, gateway::TARGET, raw::rows};

const SECOND: Duration = Duration::from_secs(1);

fn masks(client: &mut RawClient) -> Vec<Vec<String>> {
    rows(&client.query("SELECT pattern, algorithm, version FROM hallpass.masks"))
}

fn add(gateway: &Gateway, column: &str, with: &str) {
    gateway.must(&["mask", "add", "--target", TARGET, "--column", column, "--with", with]);
}

#[test]
fn an_open_session_knows_another_process_change_of_masks_within_a_second() {
    let server = Postgres::start();
    let other = "[[target]]\nname = \"other\"\naddress = \"127.0.0.1:1\"\nuser = \"x\"\n";
    let options = crate::support::gateway::Options {
        rest: other.to_owned(),
        ..crate::support::gateway::Options::default()
    };
    let gateway = Gateway::start_with(&server, &options);
    let secret = gateway.principal("alice", "developer");
    let mut client = gateway.connect("alice", &secret);
    assert_eq!(masks(&mut client), Vec::<Vec<String>>::new());
    add(&gateway, "public.customers.email", "email");
    let changed = Instant::now();
    let wanted = [["public.customers.email", "email", "1"]];
    assert!(eventually(Duration::from_secs(10), || masks(&mut client) == wanted));
    let took = changed.elapsed();
    assert!(took < SECOND, "{took:?}");

    // Other targets' rules are shown to those with a duty.
    gateway.must(&["mask", "add", "--target", "other", "--tag", "pii", "--with", "null"]);
    let owner = gateway.principal("olga", "owner");
    let mut owner = gateway.connect("olga", &owner);
    assert!(eventually(SECOND, || masks(&mut owner).len() == 2));
    assert_eq!(masks(&mut client), [["public.customers.email", "email", "2"]]);

    // On the trail: who, which version, what.
    let record = gateway.audit_shows("the change", |r| {
        r["kind"] == "masks_changed" && r.to_string().contains("customers.email")
    });
    assert_eq!(record["direct"], true);
    let actor = record["actor"].as_str().expect("an actor");
    assert!(actor.starts_with("os:"), "{actor}");
    let text = record.to_string();
    assert!(text.contains("version_before"), "{text}");
}

#[test]
fn rules_that_can_not_be_read_keep_a_gateway_from_starting_and_the_last_ones_in_force() {
    let server = Postgres::start();
    let mut gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    add(&gateway, "public.customers.email", "email");
    let mut client = gateway.connect("alice", &secret);
    assert!(eventually(SECOND, || masks(&mut client).len() == 1));
    let kept = "mask_versions (version, at, by_actor, note, rules)";
    let newer = r#"[{"target":"*","column":"*.*.*","with":"of a later version"}]"#;
    let sql = format!(
        "INSERT INTO {kept} VALUES (2, 0, 'x', '', '{newer}'); \
         UPDATE counters SET value = value + 1 WHERE name = 'change'"
    );
    sqlite(&gateway.data().join("hallpass.db"), &sql);
    assert!(eventually(SECOND * 10, || gateway.log().contains("mask rules can't be read")));
    assert_eq!(masks(&mut client), [["public.customers.email", "email", "1"]]);
    // What other changes give waits, what they take away doesn't.
    gateway.must(&["principal", "disable", "alice"]);
    assert!(client.ends_after(b"E"));
    let listed = gateway.cli(&["mask", "list"]);
    assert_eq!(listed.status.code(), Some(4));
    assert!(said(&listed).contains("version 2 can't be read"), "{}", said(&listed));

    gateway.signal(nix::sys::signal::Signal::SIGTERM);
    gateway.wait_end();
    let started = gateway.cli(&["serve"]);
    assert_eq!(started.status.code(), Some(4));
    assert!(said(&started).contains("mask rules of version 2 can't be read"), "{}", said(&started));
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The store's file, as somebody with a newer version or an editor would leave it.
fn sqlite(file: &Path, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        use sqlx::{ConnectOptions as _, Connection as _};
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut connection = options.connect().await.expect("opens");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
            .execute(&mut connection)
            .await
            .expect("runs");
        connection.close().await.expect("closes");
    });
}

#[test]
fn rules_are_proposed_from_names_types_comments_and_values() {
    let server = Postgres::start();
    server.sql(
        "CREATE TABLE contacts (id int, how text, remark text, \"Odd name\" text, home inet, \
             sent_email_at timestamptz, nothing text);
         COMMENT ON COLUMN contacts.remark IS 'what she said; personal data';
         INSERT INTO contacts SELECT n, 'secret-' || n || '@example.com', 'x', \
             '4111 1111 1111 1111', '10.0.0.1', now(), 'n' FROM generate_series(1, 200) n;
         CREATE TABLE guarded (note text);
         INSERT INTO guarded SELECT 'a' || n || '@example.com' FROM generate_series(1, 9) n;
         ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
         CREATE VIEW seen AS SELECT how AS email FROM contacts;
         GRANT SELECT ON contacts, guarded, seen TO hallpass",
    );
    let gateway = Gateway::start(&server);
    let suggest = ["mask", "suggest", "--target", TARGET];
    let proposed = gateway.json(&suggest);
    let with = |proposed: &Value, column: &str| -> Option<String> {
        let rules = proposed.as_array().expect("a list");
        let rule = rules.iter().find(|rule| rule["column"] == column)?;
        Some(format!("{}: {}", rule["with"].as_str()?, rule["reason"].as_str()?))
    };
    for (column, wanted) in [
        ("public.customers.email", Some("email: named like an e-mail address")),
        ("public.customers.birth_date", Some("truncate(year): named like a date of birth")),
        ("public.employees.salary", Some("bucket(10000): named like an income")),
        ("public.payments.card_number", Some("card: named like a card number")),
        ("public.contacts.remark", Some("full: its comment says personal")),
        ("public.contacts.home", Some("null: by its type")),
        ("public.contacts.how", None),
        ("public.contacts.sent_email_at", None),
        ("public.seen.email", None),
        ("public.orders.id", None),
    ] {
        assert_eq!(with(&proposed, column).as_deref(), wanted, "{column}");
    }
    assert!(!server.log().contains("left(\"how\""), "no value is read unless it is asked for");

    let sampled = gateway.must(&[&suggest[..], &["--samples"]].concat());
    assert!(sampled.contains("# public.contacts.how, text: 100 of 100 values look like an e-mail"));
    assert!(sampled.contains("\ncolumn = 'public.contacts.\"Odd name\"'\nwith = \"card\"\n"));
    assert!(!sampled.contains("contacts.nothing") && !sampled.contains("guarded"), "{sampled}");
    assert!(sampled.contains("could not be read"), "row security is in the way: {sampled}");
    assert!(!sampled.contains("secret-") && !sampled.contains("4111"), "no value is printed");
    gateway.audit_shows("that values were read", |r| r["kind"] == "mask_samples_read");

    // What is printed can be applied, and then there is nothing left to propose.
    let file = gateway.folder().join("rules.toml");
    fs::write(&file, &sampled).expect("writes");
    gateway.must(&["mask", "apply", file.to_str().expect("a path")]);
    let left = gateway.must(&[&suggest[..], &["--samples"]].concat());
    assert!(left.starts_with("# 0 rules proposed"), "{left}");
    assert!(left.contains("columns have a rule already"), "{left}");
}

#[test]
fn rules_come_into_force_while_a_target_lets_its_catalog_wait() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select,ddl");
    let mut client = gateway.connect("alice", &secret);
    let mut holder = RawClient::connect(
        &server.address(),
        crate::support::postgres::SUPERUSER,
        crate::support::postgres::SUPERUSER_PASSWORD,
        crate::support::postgres::DATABASE,
    );
    holder.query("BEGIN; LOCK TABLE pg_catalog.pg_description IN ACCESS EXCLUSIVE MODE");
    client.query("ALTER TABLE orders ALTER COLUMN note SET DEFAULT 'x'");
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    assert!(eventually(SECOND * 10, || server.sql(waits) == "1"), "a reading waits");
    let phone = "SELECT phone FROM customers WHERE id = 2";
    assert_ne!(rows(&client.query(phone)), [["******"]]);
    add(&gateway, "public.customers.phone", "full");
    assert!(eventually(SECOND * 5, || rows(&client.query(phone)) == [["******"]]));
    assert_eq!(server.sql(waits), "1", "it waits still");
    holder.query("ROLLBACK");
    assert!(eventually(SECOND * 10, || server.sql(waits) == "0"));
    assert_eq!(
        rows(&client.query(phone)),
        [["******"]],
        "and the catalog of before has the rule too"
    );
}

#[test]
fn hashes_have_another_key_within_a_second_of_its_rotation() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    add(&gateway, "public.customers.phone", "hash");
    let hash = |client: &mut RawClient| {
        let shown = rows(&client.query("SELECT phone FROM customers WHERE id = 2"));
        shown.first().and_then(|row| row.first()).cloned().unwrap_or_default()
    };
    assert!(eventually(SECOND * 5, || hash(&mut client).len() == 64));
    let before = hash(&mut client);
    let asked = gateway.cli(&["mask", "rotate-key", "--json"]);
    assert_eq!(asked.status.code(), Some(1), "nothing without --yes");
    let asked: Value = serde_json::from_slice(&asked.stdout).expect("JSON");
    assert_eq!((&asked["done"], &asked["key"]), (&false.into(), &Value::Null));
    assert_eq!(hash(&mut client), before);
    let told = gateway.json(&["mask", "rotate-key", "--yes", "--note", "a backup was lost"]);
    assert_eq!(told["key_before"], asked["key_before"]);
    assert!(eventually(SECOND, || hash(&mut client) != before));
    assert_eq!(hash(&mut client).len(), 64);
    let record = gateway.audit_shows("the rotation", |r| r["kind"] == "mask_key_rotated");
    assert!(record.to_string().contains("a backup was lost"), "{record}");
}

#[test]
fn a_rule_that_means_no_column_is_told_with_what_may_have_been_meant() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let add = |more: &[&str]| {
        let all = [&["mask", "add", "--target", TARGET, "--with", "full"], more].concat();
        gateway.must(&all)
    };
    let told = add(&["--column", "public.customers.emial"]);
    assert!(
        told.contains("version 1\nwarning: the rule means no column of shop-test now"),
        "{told}"
    );
    assert!(told.contains("public.customers.email"), "{told}");
    let told = add(&["--column", "*.customer.email"]);
    assert!(told.contains("warning") && told.contains("public.customers.email"), "{told}");
    let told = add(&["--column", "nothing.like.this_name"]);
    assert!(told.contains("warning") && !told.contains("there is"), "{told}");
    let told = add(&["--column", "*.*.email"]);
    assert!(!told.contains("warning"), "{told}");
    let all = ["mask", "add", "--target", TARGET, "--with", "full", "--tag", "piii"];
    let answer = gateway.json(&all);
    assert_eq!(answer["warnings"].as_array().map(Vec::len), Some(1), "{answer}");
    drop(server);
    let told = add(&["--column", "public.orders.note"]);
    assert!(told.contains("can't be asked") && told.contains("can't be told"), "{told}");
}

#[test]
fn a_rule_is_put_in_the_place_of_the_one_for_the_same_columns() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    add(&gateway, "public.customers.email", "full");
    add(&gateway, "public.customers.phone", "full");
    let all = |with: &'static str, more: &[&'static str]| {
        let column = ["mask", "add", "--target", TARGET, "--column", "public.customers.email"];
        [&column[..], &["--with", with], more].concat()
    };
    let refused = gateway.cli(&all("email", &[]));
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--replace"));
    let told = gateway.must(&all("email", &["--replace"]));
    assert!(told.contains("mask rule 1:") && told.contains("version 3; it was"), "{told}");
    let listed = gateway.json(&["mask", "list"]);
    let with: Vec<_> =
        listed["rules"].as_array().into_iter().flatten().map(|r| &r["with"]).collect();
    assert_eq!(with, ["email", "full"]);
    // Once more changes nothing.
    let told = gateway.must(&all("email", &["--replace"]));
    assert!(told.contains("version 3; it was so before"), "{told}");
    let column = ["mask", "add", "--target", TARGET, "--column", "public.customers.city"];
    let none = gateway.cli(&[&column[..], &["--with", "full", "--replace"]].concat());
    assert_eq!(none.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&none.stderr).contains("leave --replace out"));
}

#[test]
fn the_key_of_hashes_comes_from_a_file_that_nobody_else_can_read() {
    use std::{fs, os::unix::fs::PermissionsExt};

    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let file = gateway.folder().join("mask.key");
    let path = file.to_str().expect("a path");
    let rotate = || {
        let output = gateway.cli(&["mask", "rotate-key", "--yes", "--key-file", path, "--json"]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (answer["key"].as_str().unwrap_or_default().to_owned(), told)
    };
    let write = |text: &str, mode: u32| {
        fs::write(&file, text).expect("writes");
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("protects it");
    };
    assert!(rotate().1.contains("No such file"));
    let key = "0123456789abcdef0123456789abcdef";
    write(key, 0o644);
    assert!(rotate().1.contains("chmod 600"), "{:?}", rotate());
    write("too short\n", 0o600);
    assert!(rotate().1.contains("32 to 4096 bytes"));
    write(&format!("{key}\n"), 0o600);
    let (first, _) = rotate();
    assert_eq!(first.len(), 8);
    assert!(rotate().1.contains("have that key already"));
    // From one file the same key comes everywhere.
    gateway.must(&["mask", "rotate-key", "--yes"]);
    write(key, 0o600);
    assert_eq!(rotate().0, first);
    let record = gateway.audit_shows("the rotation", |r| r["kind"] == "mask_key_rotated");
    assert!(record.to_string().contains("key_from") && !record.to_string().contains(key));
}
