//! The commands that look at a target or at a running gateway: explain, check, target sql, session.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    Gateway, PATIENCE, Postgres, eventually, gateway,
    gateway::TARGET,
    postgres::{self, DATABASE, SUPERUSER, SUPERUSER_PASSWORD, UPSTREAM_PASSWORD, UPSTREAM_USER},
};

/// A folder with settings, for commands that need no running gateway.
struct Place(TempDir);

impl Place {
    fn new(address: &str, user: &str, password: &str) -> Self {
        Self::with(address, user, password, ("", ""))
    }

    /// With lines at the top and in the target's section.
    fn with(address: &str, user: &str, password: &str, (top, target): (&str, &str)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let secret = folder.path().join("secret");
        fs::write(&secret, password).expect("writes");
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("protects");
        let settings = format!(
            "data_dir = \"data\"\n{top}\n[[listen]]\nprotocol = \"postgres\"\n\
             address = \"127.0.0.1:6432\"\n[[target]]\nname = \"{TARGET}\"\n\
             address = \"{address}\"\ndatabase = \"{DATABASE}\"\nuser = \"{user}\"\n\
             password_file = \"secret\"\ntls = \"disable\"\n{target}\n"
        );
        fs::write(folder.path().join("proxy.toml"), settings).expect("writes");
        Self(folder)
    }

    /// Exit code and what was printed.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = gateway::command(self.0.path()).args(arguments).output().expect("starts");
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(said.is_empty() || output.status.code() != Some(0), "{arguments:?}: {said}");
        (output.status.code(), printed + &said)
    }

    fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let (found, printed) = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(found, Some(code), "{arguments:?}: {printed}");
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
    }

    fn must(&self, arguments: &[&str]) -> String {
        let (code, printed) = self.run(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {printed}");
        printed
    }
}

/// The permissions in a list of needs.
fn permissions(needs: &Value) -> Vec<&str> {
    needs.as_array().into_iter().flatten().filter_map(|n| n["permission"].as_str()).collect()
}

#[test]
fn explain_says_what_is_needed_and_whether_it_would_pass() {
    let server = Postgres::start();
    let place = Place::new(&server.address(), UPSTREAM_USER, UPSTREAM_PASSWORD);
    place.must(&["principal", "add", "alice", "--role", "developer"]);
    let explain = ["explain", "--target", TARGET];
    let for_alice = ["explain", "--target", TARGET, "--as", "alice"];
    let select = "SELECT note FROM orders WHERE id = 1";
    let insert = "INSERT INTO orders (customer_id) SELECT id FROM customers LIMIT 1";

    let needed = place.json(0, &[&explain[..], &[select]].concat());
    let statement = &needed["statements"][0];
    assert_eq!(statement["class"], "select", "{needed}");
    assert_eq!(permissions(&statement["needs"]), ["sql.select"]);
    assert_eq!(statement["needs"][0]["on"]["name"], "orders");
    assert_eq!(statement["relations"][0]["schema"], "public");
    assert_eq!((&needed["catalog"], &needed["verdict"]), (&"read".into(), &Value::Null));

    let refused = place.json(1, &[&for_alice[..], &[select]].concat());
    assert_eq!(refused["verdict"]["passes"], false);
    assert_eq!(permissions(&refused["verdict"]["missing"]), ["sql.select"]);
    let line = "SELECT hallpass.request('select', '30m', 'say why');";
    assert_eq!(refused["verdict"]["refusal"]["hint"], line);
    let (code, shown) = place.run(&[&for_alice[..], &[select]].concat());
    assert_eq!(code, Some(1));
    assert!(shown.contains("refused to alice") && shown.contains(line), "{shown}");

    let granted = place.json(
        0,
        &[
            "grant",
            "create",
            "--to",
            "alice",
            "--target",
            TARGET,
            "--allow",
            "select",
            "--for",
            "10m",
            "--reason",
            "a test",
            "--scope",
            "public.orders",
            "--max-rows",
            "7",
        ],
    );
    let passes = place.json(0, &[&for_alice[..], &[select]].concat());
    assert_eq!(passes["verdict"]["passes"], true);
    assert_eq!(passes["verdict"]["grants"][0]["id"], granted["id"]);
    assert_eq!(passes["verdict"]["row_cap"], 7);
    let shown = place.must(&[&for_alice[..], &[select]].concat());
    assert!(shown.contains("would pass for alice") && shown.contains("G-1"), "{shown}");

    let insert = place.json(1, &[&for_alice[..], &[insert]].concat());
    let statement = &insert["statements"][0];
    assert_eq!((&statement["class"], &statement["writes"]), (&"dml".into(), &true.into()));
    let missing = insert["verdict"]["missing"].as_array().expect("a list");
    let of = |permission: &str| {
        missing.iter().find(|m| m["permission"] == permission).expect(permission)
    };
    assert_eq!(of("sql.dml")["out_of_scope"], false);
    let elsewhere = of("sql.select");
    assert_eq!(elsewhere["on"]["name"], "customers", "the grant is for orders alone");
    assert_eq!(elsewhere["out_of_scope"], true);

    // What isn't understood needs admin; a typing mistake is told as one.
    let unknown = place.json(1, &[&for_alice[..], &["ALTER SYSTEM SET fsync = off"]].concat());
    assert_eq!(permissions(&unknown["statements"][0]["needs"]), ["sql.admin"]);
    let typo = place.json(1, &[&for_alice[..], &["SELEC 1"]].concat());
    assert_eq!(typo["not_understood"]["kind"], "syntax", "{typo}");
    assert_eq!(typo["verdict"]["refusal"]["sqlstate"], "42601");

    // It has run nothing.
    assert!(!server.log().contains("note FROM orders"), "the statement reached the server");
    assert_eq!(place.run(&[&explain[..], &["--as", "nobody", "SELECT 1"]].concat()).0, Some(1));
}

#[test]
fn explain_without_the_target_says_so_and_expects_the_worst() {
    let place = Place::new("127.0.0.1:1", UPSTREAM_USER, UPSTREAM_PASSWORD);
    let arguments = ["explain", "--target", TARGET, "SELECT note FROM orders"];
    let answer = place.json(4, &arguments);
    assert_eq!(answer["catalog"], "unreachable");
    assert!(answer["catalog_error"].as_str().is_some_and(|e| e.contains("no connection")));
    assert_eq!(answer["statements"][0]["relations"][0]["known"], false);
    let (code, shown) = place.run(&arguments);
    assert!(code == Some(4) && shown.contains("can't be read"), "{shown}");
    let (code, said) = place.run(&["explain", "--target", "elsewhere", "SELECT 1"]);
    assert!(code == Some(1) && said.contains("there is no target elsewhere"), "{said}");
}

#[test]
fn check_finds_nothing_wrong_with_a_plain_log_in_and_much_with_a_superuser() {
    let server = Postgres::start();
    let findings = |place: &Place| -> Vec<String> {
        let answer = place.json(0, &["check"]);
        let list = answer["findings"].as_array().expect("a list").clone();
        list.iter().filter_map(|f| f["message"].as_str().map(str::to_owned)).collect()
    };
    let plain = Place::new(&server.address(), UPSTREAM_USER, UPSTREAM_PASSWORD);
    assert_eq!(findings(&plain), [""; 0]);
    let superuser = Place::new(&server.address(), SUPERUSER, SUPERUSER_PASSWORD);
    let found = findings(&superuser);
    assert!(found.len() == 1 && found[0].contains("postgres is a superuser"), "{found:?}");

    server.sql(
        "CREATE ROLE strong LOGIN BYPASSRLS CREATEROLE REPLICATION PASSWORD 'x' CONNECTION LIMIT 3;
         CREATE ROLE owner_of_all SUPERUSER; GRANT owner_of_all, pg_write_server_files, pg_monitor TO strong;
         ALTER ROLE strong SET standard_conforming_strings = off;",
    );
    let strong = Place::with(&server.address(), "strong", "x", ("", "trust = [\"ext:nowhere\"]\n"));
    let found = findings(&strong).join("\n");
    for part in [
        "strong has BYPASSRLS",
        "strong has CREATEROLE",
        "strong has REPLICATION",
        "can become owner_of_all, which is a superuser",
        "member of pg_write_server_files",
        "member of pg_read_all_settings",
        "standard_conforming_strings off",
        "may have 3 connections",
        "trust names `ext:nowhere`",
    ] {
        assert!(found.contains(part), "{part} isn't in\n{found}");
    }

    let wrong = Place::new(&server.address(), UPSTREAM_USER, "a guess");
    let answer = wrong.json(1, &["check"]);
    assert_eq!(answer["findings"][0]["severity"], "problem");
    wrong.must(&["check", "--offline"]);
}

#[test]
fn check_warns_of_a_store_that_a_target_can_write() {
    let server = Postgres::start();
    server.sql("CREATE ROLE keeper LOGIN PASSWORD 'k'");
    server.sql("CREATE DATABASE state OWNER keeper");
    let top = format!("store = \"postgres://keeper:k@127.0.0.1:{}/state\"\n", server.port());
    let place = Place::with(&server.address(), UPSTREAM_USER, UPSTREAM_PASSWORD, (&top, ""));
    place.must(&["principal", "add", "alice"]);
    let said = place.must(&["check"]);
    assert!(!said.contains("warning"), "nobody else may read a table of keeper's: {said}");
    server.sql("GRANT pg_read_all_data TO hallpass");
    assert!(place.must(&["check"]).contains("hallpass can read the gateway's store"));
    server.sql("GRANT pg_write_all_data TO hallpass");
    let (code, said) = place.run(&["check"]);
    assert!(said.contains("problem: target shop-test: its log-in hallpass can write"), "{said}");
    assert_eq!(code, Some(1));
    server.sql("REVOKE CONNECT ON DATABASE state FROM PUBLIC");
    assert!(!place.must(&["check"]).contains("warning"));
}

#[test]
fn the_log_in_of_target_sql_serves_the_gateway() {
    let place = Place::new("127.0.0.1:5432", "gate", "");
    let made = place.json(0, &["target", "sql", TARGET]);
    let lines: Vec<&str> =
        made["pg_hba"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert!(!lines.is_empty(), "{made}");
    let options = postgres::Options { hba: lines.join("\n"), ..Default::default() };
    let server = Postgres::start_with(&options);
    let sql = made["sql"].as_str().expect("a text");
    server.sql(&format!("{sql}\nALTER ROLE gate PASSWORD 'gate-secret';"));

    let options = gateway::Options {
        upstream_user: "gate".to_owned(),
        upstream_password: "gate-secret".to_owned(),
        ..Default::default()
    };
    let gateway = Gateway::start_with(&server, &options);
    let secret = gateway.almighty("alice");
    let psql = gateway.psql("alice", &secret);
    assert_eq!(psql.must("SELECT count(*) FROM orders"), "6000");
    psql.must("UPDATE orders SET note = 'changed' WHERE id = 1");
    psql.must("ALTER TABLE orders ADD COLUMN extra int");
    psql.must("CREATE TABLE public.made (x int); DROP TABLE public.made; CREATE SCHEMA fresh;");
    assert_eq!(server.sql("SELECT note FROM orders WHERE id = 1"), "changed");
    let checked = gateway.must(&["check"]);
    assert!(!checked.contains("warning: target"), "{checked}");
    drop(gateway);

    // At the lowest level the server itself says no, whatever a grant gives.
    server.sql("DROP OWNED BY gate; DROP ROLE gate");
    let made = place.json(0, &["target", "sql", TARGET, "--level", "select"]);
    let sql = made["sql"].as_str().expect("a text");
    server.sql(&format!("{sql}\nALTER ROLE gate PASSWORD 'gate-secret';"));
    let gateway = Gateway::start_with(&server, &options);
    let secret = gateway.almighty("alice");
    let psql = gateway.psql("alice", &secret);
    assert_eq!(psql.must("SELECT count(*) FROM orders"), "6000");
    let refused = psql.run("UPDATE orders SET note = 'again' WHERE id = 1");
    assert!(refused.stderr.contains("permission denied for table orders"), "{refused:?}");
}

#[test]
fn a_session_is_listed_at_once_and_ends_when_killed() {
    let server = Postgres::start();
    let mut gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let mut open = gateway.psql("alice", &secret).env("PGAPPNAME", "the night job").open();
    assert_eq!(open.say("SELECT 1;"), "1");
    let started = Instant::now();
    let listed = |gateway: &Gateway| gateway.json(&["session", "list"]);
    assert!(eventually(PATIENCE, || listed(&gateway).as_array().is_some_and(|l| l.len() == 1)));
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    let shown = listed(&gateway);
    assert_eq!(shown[0]["principal"], "alice");
    assert_eq!(shown[0]["application"], "the night job", "{shown}");
    let idle = || {
        let now = listed(&gateway);
        now[0]["state"] == "idle" && now[0]["last_statement"].is_string()
    };
    assert!(eventually(PATIENCE, idle), "{}", listed(&gateway));
    open.say("BEGIN;");
    let in_transaction = || listed(&gateway)[0]["state"] == "idle in transaction";
    assert!(eventually(PATIENCE, in_transaction), "{}", listed(&gateway));
    let id = shown[0]["id"].as_str().expect("an id");

    gateway.must(&["session", "kill", id]);
    let killed = Instant::now();
    let gone = || listed(&gateway).as_array().is_some_and(Vec::is_empty);
    assert!(eventually(PATIENCE, gone), "{}", listed(&gateway));
    assert!(killed.elapsed() < Duration::from_secs(5), "{:?}", killed.elapsed());
    let said = open.say("SELECT 2;");
    assert!(
        said.contains("57P01") || said.contains("terminat") || said.contains("ended"),
        "{said}"
    );
    assert!(!gateway.cli(&["session", "kill", id]).status.success(), "there is none any more");

    // A gateway that stops takes its sessions off the list.
    let mut open = gateway.psql("alice", &secret).open();
    assert_eq!(open.say("SELECT 1;"), "1");
    assert!(eventually(PATIENCE, || listed(&gateway).as_array().is_some_and(|l| l.len() == 1)));
    gateway.signal(nix::sys::signal::Signal::SIGTERM);
    gateway.signal(nix::sys::signal::Signal::SIGTERM);
    gateway.wait_end();
    assert_eq!(listed(&gateway).as_array().map(Vec::len), Some(0));
}

#[test]
fn the_audit_shows_a_refusal_and_names_the_record_that_was_altered() {
    let server = Postgres::start();
    let mut gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant_with("alice", "select", &["--for", "30m", "--scope", "public.orders"]);
    let psql = gateway.psql("alice", &secret);
    assert_eq!(psql.must("SELECT count(*) FROM orders"), "6000");
    let refused = psql.run("UPDATE orders SET note = 'x' WHERE note = 'in vain'");
    assert!(refused.stderr.contains("this needs sql.dml"), "{refused:?}");
    let denied = gateway.audit(&["--denied", "--user", "alice", "--grep", "IN VAIN"]);
    assert_eq!(denied.len(), 1, "{denied:?}");
    assert_eq!((&denied[0]["decision"], &denied[0]["class"]), (&"denial".into(), &"dml".into()));
    assert_eq!(denied[0]["missing"], "sql.dml on public.orders");
    let listed = gateway.must(&["audit", "list", "--target", TARGET]);
    assert!(listed.contains("SELECT count(*) FROM orders"), "{listed}");
    gateway.audit_shows("who read it", |r| r.to_string().contains("IN VAIN"));
    let exported = gateway.must(&["audit", "export", "--format", "csv", "--denied"]);
    assert!(exported.lines().count() == 2 && exported.contains("in vain"), "{exported}");

    assert!(gateway.must(&["audit", "verify"]).contains(": intact"));
    gateway.signal(nix::sys::signal::Signal::SIGTERM);
    gateway.wait_end();
    assert!(gateway.must(&["audit", "verify"]).contains(": intact"));
    // The gateway's own end is in the table without anybody indexing again.
    let ended = gateway.audit(&["--grep", "signal"]);
    assert!(!ended.is_empty(), "the last record was not indexed");

    let mut altered = None;
    for entry in fs::read_dir(gateway.data().join("trail")).expect("a folder").flatten() {
        let mut bytes = fs::read(entry.path()).expect("reads");
        if let Some(at) = bytes.windows(7).position(|window| window == b"in vain") {
            let record = bytes[..at].split(|byte| *byte == b'\n').count();
            bytes[at] ^= 1;
            fs::write(entry.path(), bytes).expect("writes");
            altered = Some((entry.file_name().into_string().expect("a plain name"), record));
        }
    }
    let (segment, record) = altered.expect("the statement is on the trail");
    let verified = gateway.cli(&["audit", "verify"]);
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert_eq!(verified.status.code(), Some(1), "{said}");
    let damage = said.lines().next().unwrap_or_default();
    assert!(damage.starts_with("DAMAGED: ") && said.contains("NOT intact"), "{said}");
    for part in [segment, record.to_string(), "the record was altered".to_owned()] {
        assert!(damage.contains(&part), "{part} isn't in: {damage}");
    }
}
