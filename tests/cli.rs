//! The command line as people and scripts use it: the built program, in a folder of its own.

#[path = "support/mod.rs"]
mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

const SETTINGS: &str = r#"data_dir = "data"
[[listen]]
protocol = "postgres"
address = "127.0.0.1:6432"
[[target]]
name = "shop"
address = "127.0.0.1:5432"
database = "shop"
user = "hallpass"
"#;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self::with(SETTINGS)
    }

    fn with(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("proxy.toml"), settings).expect("writes");
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command.env_remove("SUDO_USER").env_remove("HALLPASS_CONFIG");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("starts")
    }

    /// Runs a command that must succeed; what it printed.
    fn must(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
        text(&output.stdout)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let printed = self.must(&[arguments, &["--json"]].concat());
        assert_eq!(printed.lines().count(), 1, "one value, one line: {printed}");
        serde_json::from_str(&printed).expect("JSON")
    }

    /// Runs a command that must fail with this code; what it said.
    fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
        text(&output.stderr)
    }

    fn ask(&self, who: &str) -> String {
        let asked = self.json(&[
            "request", "create", "--as", who, "--target", "shop", "--allow", "select", "--for",
            "30m", "--reason", "INC-42",
        ]);
        asked["id"].as_str().expect("an id").to_owned()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

const GRANT: [&str; 11] = [
    "grant",
    "create",
    "--to",
    "alice",
    "--target",
    "shop",
    "--allow",
    "select,sql.dml",
    "--for",
    "2h",
    "--reason=INC-43",
];

#[test]
fn from_a_principal_to_a_revoked_grant() {
    let place = Place::new();
    let added = place.json(&["principal", "add", "alice", "--role", "developer"]);
    assert_eq!(added["name"], "alice");
    let secret = added["secret"].as_str().expect("a secret");
    assert!(secret.len() >= 29, "130 bits and a prefix");
    assert!(place.must(&["user", "add", "bob", "--role=approver"]).contains("bob, approver"));

    let id = place.ask("alice");
    assert_eq!(id, "R-1");
    let shown = place.must(&["request", "show", "1"]);
    assert!(shown.starts_with("request R-1 is pending: alice asks for select on shop, ALL tables"));
    let approved = place.json(&["request", "approve", &id, "--max-rows", "5"]);
    assert_eq!((&approved["id"], &approved["grant"]), (&"R-1".into(), &"G-1".into()));
    assert_eq!((&approved["max_rows"], &approved["status"]), (&5.into(), &"active".into()));
    assert!(approved["approved_by"].as_str().is_some_and(|by| by.starts_with("os:")));

    let made = place.json(&GRANT);
    assert_eq!((&made["id"], &made["scope"]), (&"G-2".into(), &Value::Null));
    assert_eq!(made["permissions"], serde_json::json!(["sql.select", "sql.dml"]));
    let listed = place.json(&["grant", "list", "--active"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    let table = place.must(&["grant", "list"]);
    assert!(table.starts_with("ID   STATUS  WHO    TARGET  WHAT"), "{table}");
    assert_eq!(table.lines().count(), 3);

    assert_eq!(place.must(&["grant", "revoke", "g-2"]), "grant G-2 of alice revoked\n");
    assert!(place.fails(1, &["grant", "revoke", "G-2"]).contains("revoked already"));
    let rest = place.json(&["grant", "revoke", "--all-of", "alice"]);
    assert_eq!(rest[0]["id"], "G-1");
    assert_eq!(place.must(&["grant", "list", "--active"]), "no active grants\n");
    assert_eq!(place.json(&["grant", "show", "G-1"])["status"], "revoked");

    // The secret stands nowhere but in that one answer.
    for entry in fs::read_dir(place.path().join("data")).expect("is there") {
        let bytes = fs::read(entry.expect("an entry").path()).expect("reads");
        assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()));
    }
}

#[test]
fn nobody_approves_their_own_request_not_even_with_sudo() {
    let place = Place::new();
    place.must(&["principal", "add", "alice"]);
    let id = place.ask("alice");
    let output = place
        .command(&["request", "approve", &id])
        .env("SUDO_USER", "alice")
        .output()
        .expect("starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("nobody approves or denies their own request"));
    place.must(&["request", "withdraw", &id]);
    assert!(place.fails(1, &["request", "approve", &id]).contains("withdrawn already, by os:"));
    let id = place.ask("alice");
    let denied = place
        .command(&["request", "deny", &id, "--json"])
        .env("SUDO_USER", "bob")
        .output()
        .expect("starts");
    let denied: Value = serde_json::from_slice(&denied.stdout).expect("JSON");
    assert_eq!(denied["state"], "denied");
    assert!(denied["decided_by"].as_str().is_some_and(|by| by.ends_with("(sudo: bob)")));
}

#[test]
fn of_two_approvals_at_once_one_wins() {
    let place = Place::new();
    place.must(&["principal", "add", "alice"]);
    let id = place.ask("alice");
    let start = || {
        let mut command = place.command(&["request", "approve", &id]);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts")
    };
    let children: Vec<_> = (0..4).map(|_| start()).collect();
    let codes: Vec<_> =
        children.into_iter().map(|c| c.wait_with_output().expect("ends").status.code()).collect();
    assert_eq!(codes.iter().filter(|c| **c == Some(0)).count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|c| **c == Some(1)).count(), 3, "{codes:?}");
    assert_eq!(place.json(&["grant", "list"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn principals_are_switched_off_and_get_new_secrets_and_roles() {
    let place = Place::new();
    place.must(&["principal", "add", "alice", "--role", "developer"]);
    assert_eq!(place.json(&["principal", "disable", "alice"])["disabled"], true);
    let refused = place.fails(1, &GRANT);
    assert_eq!(refused, "hallpass: alice is disabled\n");
    place.must(&["principal", "enable", "alice"]);
    let rotated = place.json(&["principal", "rotate", "alice", "--overlap", "1d"]);
    assert!(rotated["secret"].as_str().is_some_and(|s| s.starts_with("hp_")));
    let listed = place.json(&["principal", "list"]);
    assert_eq!(listed[0]["secrets"].as_array().map(Vec::len), Some(2));
    assert!(listed[0]["secrets"][0]["expires"].is_string());
    place.must(&["principal", "rotate", "alice"]);
    let listed = place.json(&["principal", "list"]);
    assert_eq!(listed[0]["secrets"].as_array().map(Vec::len), Some(1));
    place.must(&["principal", "roles", "alice", "--role", "auditor,approver"]);
    assert_eq!(
        place.json(&["principal", "list"])[0]["roles"],
        serde_json::json!(["auditor", "approver"])
    );
    assert!(place.fails(1, &["principal", "rotate", "carl"]).contains("no principal carl"));
    assert!(place.fails(1, &["principal", "add", "x", "--role", "boss"]).contains("developer, "));
}

#[test]
fn what_the_command_line_gets_wrong_is_code_2() {
    let place = Place::new();
    place.must(&["principal", "add", "alice"]);
    let with = |more: &[&'static str]| [&GRANT[..8], &["--reason", "x"], more].concat();
    assert!(place.fails(2, &with(&[])).contains("--for"), "required");
    assert!(place.fails(2, &with(&["--for", "30"])).contains("30m"));
    assert!(place.fails(2, &with(&["--for", "1h", "--scope", "orders"])).contains("schema.*"));
    assert!(place.fails(2, &with(&["--for", "1h", "--at-end", "never"])).contains("cancel"));
    assert!(place.fails(2, &with(&["--for", "1h", "--from", "noon"])).contains("2026-11-23T"));
    place.fails(2, &["grant", "revoke"]);
    place.fails(2, &["grant", "revoke", "G-1", "--all-of", "alice"]);
    place.fails(2, &["grant", "revoke", "R-1"]);
    place.fails(2, &["request", "create", "--target", "shop"]);
    place.fails(2, &["frobnicate"]);
    let mut unknown = GRANT;
    unknown[7] = "everything";
    assert!(place.fails(2, &unknown).contains("unmask"), "the message lists what there is");
    unknown[7] = "explain,info,select,export,dml,ddl,admin,unmask,issues.create";
    place.must(&unknown);
    let mut long = GRANT;
    long[9] = "25h";
    assert!(place.fails(1, &long).contains("longer than limits.max_duration, 1d"));
}

#[test]
fn a_scope_a_start_and_an_end_are_kept() {
    let place = Place::new();
    place.must(&["principal", "add", "alice"]);
    let scope = ["--scope", "public.orders,billing.*", "--row-budget", "7", "--max-rows", "3"];
    let made = place.json(&[&GRANT[..], &scope].concat());
    assert_eq!(made["scope"], "public.orders,billing.*");
    assert_eq!((&made["row_budget"], &made["max_rows"]), (&7.into(), &3.into()));
    let far = [&GRANT[..], &["--from", "2999-01-01T00:00:00Z"]].concat();
    assert!(place.fails(1, &far).contains("within a year"));
    let past = [&GRANT[..], &["--from", "2020-01-01T00:00:00Z"]].concat();
    assert!(place.fails(1, &past).contains("not in the past"));
    let made = place.json(&[&GRANT[..], &["--at-end", "finish_transaction"]].concat());
    assert_eq!(made["at_end"], "finish_transaction");
    let text = place.must(&["grant", "show", "1"]);
    assert!(text.contains("alice may select,dml on shop, public.orders,billing.*"), "{text}");
}

#[test]
fn bad_settings_are_code_3_with_file_and_lines() {
    let place = Place::with("[limits]\nmax_row = 5\nover = \"maybe\"\n");
    let said = place.fails(3, &["principal", "list"]);
    assert!(said.starts_with("hallpass: ./proxy.toml:2: unknown key `max_row`"), "{said}");
    assert!(said.contains("./proxy.toml:3: over = \"maybe\": expected one of"), "{said}");
    assert_eq!(place.fails(3, &["check"]), said);
    let said = place.fails(3, &["check", "--config", "nowhere.toml"]);
    assert!(said.contains("nowhere.toml: No such file"), "{said}");
    assert!(!place.path().join("hallpass-data").exists());
}

#[test]
fn a_store_that_cant_be_used_is_code_4() {
    let place = Place::new();
    fs::create_dir_all(place.path().join("data")).expect("makes");
    fs::write(place.path().join("data/hallpass.db"), vec![7; 5000]).expect("writes");
    assert!(place.fails(4, &["principal", "list"]).contains("not a database"));
    let unreachable = format!("store = \"postgres://u:hunter2@127.0.0.1:1/x\"\n{SETTINGS}");
    let place = Place::with(&unreachable);
    let said = place.fails(4, &["principal", "list"]);
    assert!(said.contains("store") && !said.contains("hunter2"), "{said}");
}

#[test]
fn check_warns_and_changes_nothing() {
    let place = Place::with(&format!(
        "{}password_file = \"secret\"\n",
        SETTINGS.replace("127.0.0.1:6432", "0.0.0.0:6432\"\ntls = \"prefer")
    ));
    let output = place.run(&["check", "--offline"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.contains("problem: target shop:") && said.contains("secret: No such file"));
    assert!(said.contains("warning: listen 0.0.0.0:6432: clients may connect in clear"), "{said}");
    assert!(!place.path().join("data").exists(), "nothing was made");

    fs::write(place.path().join("secret"), "x\n").expect("writes");
    fs::set_permissions(place.path().join("secret"), fs::Permissions::from_mode(0o644))
        .expect("changes");
    let said = place.must(&["check", "--offline"]);
    assert!(said.contains("every user can read it") && said.ends_with("ok\n"), "{said}");
    place.must(&["principal", "add", "alice"]);
    let checked = place.json(&["check", "--offline"]);
    assert_eq!(checked["ok"], true);
    assert_eq!(checked["findings"].as_array().map(Vec::len), Some(2), "{checked}");
    fs::set_permissions(place.path().join("data"), fs::Permissions::from_mode(0o777))
        .expect("changes");
    assert!(place.must(&["check", "--offline"]).contains("chmod 700"));
}

#[test]
fn a_backup_brings_back_what_was() {
    let place = Place::new();
    place.must(&["principal", "add", "alice"]);
    place.must(&GRANT);
    let data = place.path().join("data");
    fs::create_dir_all(data.join("trail/lane-0")).expect("makes");
    fs::write(data.join("node.key"), "key").expect("writes");
    fs::write(data.join("trail/lane-0/000001.log"), "records\n").expect("writes");
    fs::write(data.join("audit.db"), "an index that is being written").expect("writes");

    assert!(place.fails(1, &["backup", "data/inside"]).contains("inside data_dir"));
    let made = place.json(&["backup", "copy"]);
    assert_eq!((&made["files"], &made["store"]), (&2.into(), &true.into()));
    assert!(place.fails(1, &["backup", "copy"]).contains("is there already"));
    let copy = place.path().join("copy");
    for (file, mode) in [
        ("", 0o700),
        ("data", 0o700),
        ("data/hallpass.db", 0o600),
        ("data/node.key", 0o600),
        ("data/trail/lane-0/000001.log", 0o600),
        ("proxy.toml", 0o600),
    ] {
        let found = fs::metadata(copy.join(file)).expect(file).permissions().mode() & 0o777;
        assert_eq!(found, mode, "{file}");
    }
    assert!(!copy.join("data/audit.db").exists());

    // Disaster, then the restore as the help text says.
    place.must(&["grant", "revoke", "1"]);
    fs::remove_dir_all(&data).expect("removes");
    fs::remove_file(place.path().join("proxy.toml")).expect("removes");
    fs::rename(copy.join("proxy.toml"), place.path().join("proxy.toml")).expect("moves");
    fs::rename(copy.join("data"), &data).expect("moves");
    place.must(&["check", "--offline"]);
    assert_eq!(place.json(&["grant", "list", "--active"])[0]["id"], "G-1");
    assert_eq!(place.json(&["principal", "list"])[0]["name"], "alice");
    let key = fs::read_to_string(data.join("node.key")).expect("reads");
    assert_eq!(key, "key");
    assert_eq!(place.json(&GRANT)["id"], "G-2", "numbers go on where they were");
}

#[test]
fn nobody_to_list_is_said_so_and_is_an_empty_array() {
    let place = Place::new();
    for (list, empty) in [
        (["principal", "list"], "no principals\n"),
        (["request", "list"], "no requests\n"),
        (["grant", "list"], "no grants\n"),
        (["session", "list"], "no sessions\n"),
    ] {
        assert_eq!(place.must(&list), empty);
        assert_eq!(place.json(&list), serde_json::json!([]));
    }
    assert!(place.fails(1, &["session", "kill", "S-7"]).contains("no session S-7"));
}

#[test]
fn the_printed_sql_makes_a_log_in_that_can_do_no_more_than_its_level() {
    let server = support::Postgres::start();
    for (level, reads, writes, alters) in
        [("select", true, false, false), ("dml", true, true, false), ("ddl", true, true, true)]
    {
        let user = format!("odd'{level}\" user");
        let place =
            Place::with(&SETTINGS.replace(
                "user = \"hallpass\"",
                &format!("user = '''{user}'''\nmax_connections = 7"),
            ));
        let printed = place.must(&["target", "sql", "shop", "--level", level]);
        assert!(printed.contains("pg_hba.conf"), "{printed}");
        server.sql(&printed);
        let role = format!("\"{}\"", user.replace('"', "\"\""));
        let limits = server.sql(&format!(
            "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls, \
             rolconnlimit FROM pg_roles WHERE rolname = '{}'",
            user.replace('\'', "''")
        ));
        assert_eq!(limits, "f|12", "{level}");
        let may = |statement: &str| {
            let answer = server.sql(&format!(
                "DO $$ BEGIN SET LOCAL ROLE {role}; {statement}; \
                 RESET ROLE; PERFORM set_config('t.may', 'yes', false); \
                 EXCEPTION WHEN insufficient_privilege THEN \
                 PERFORM set_config('t.may', 'no', false); END $$; \
                 SELECT current_setting('t.may');"
            ));
            answer.lines().last().is_some_and(|line| line == "yes")
        };
        assert_eq!(may("PERFORM count(*) FROM customers"), reads, "{level}");
        assert_eq!(may("DELETE FROM customers WHERE false"), writes, "{level}");
        assert_eq!(may("ALTER TABLE customers ADD COLUMN extra int"), alters, "{level}");
        assert_eq!(may("CREATE TABLE made_by_gateway (a int)"), alters, "{level}");
        assert!(!may("CREATE ROLE mallory"), "{level}");
        assert!(!may("COPY customers TO PROGRAM 'cat'"), "{level}");
    }
    let place = Place::new();
    assert!(place.fails(1, &["target", "sql", "nowhere"]).contains("there are: shop"));
}

const RULES: &str = r#"# What the shop hides
[[rule]]
target = "shop"
column = "public.customers.email"
with = "email"

[[rule]]
target = "*"
column = '*.*."Tax No"'
with = "inner(0, 4)"
predicates = "deny"
"#;

#[test]
fn mask_rules_are_added_listed_and_removed() {
    let place = Place::new();
    assert_eq!(place.must(&["mask", "list"]), "no mask rules\n");
    assert_eq!(place.must(&["mask", "history"]), "there were never any mask rules\n");
    let add = ["mask", "add", "--target", "shop"];
    let email = [&add[..], &["--column", "Public.customers.email", "--with", "email"]].concat();
    let added = place.must(&email);
    let first = "mask rule 1: shop public.customers.email with email; version 1\n";
    assert!(added.starts_with(first), "{added}");
    // There is no server here that could be asked for the column.
    assert!(added.contains("warning: shop can't be asked"), "{added}");
    let typed = ["--type", "citext", "--with", "inner(0,4)", "--predicates", "equality", "--first"];
    let made = place.json(&[&add[..], &typed, &["--note", "INC-7"]].concat());
    assert_eq!((&made["number"], &made["version"]), (&1.into(), &2.into()));
    assert_eq!((&made["type"], &made["with"]), (&"citext".into(), &"inner(0, 4)".into()));

    let listed = place.json(&["mask", "list"]);
    assert_eq!((&listed["version"], &listed["note"]), (&2.into(), &"INC-7".into()));
    assert_eq!(listed["rules"][1]["column"], "public.customers.email");
    let table = place.must(&["mask", "list"]);
    assert!(table.starts_with("version 2, ") && table.contains(": INC-7\n"), "{table}");
    assert!(table.contains("NO  TARGET  COLUMNS                 WITH         ASKED     NULL\n"));
    assert!(table.contains("1   shop    type citext             inner(0, 4)  equality  stays\n"));

    assert!(place.fails(1, &email).contains("mask rule 2 is for the same columns"));
    assert!(place.fails(1, &["mask", "remove", "3"]).contains("no mask rule 3; there are 2"));
    let stale = place.fails(1, &["mask", "remove", "1", "--version", "1"]);
    assert!(stale.contains("at version 2 already, by os:"), "{stale}");
    let removed = place.must(&["mask", "remove", "1", "--version", "2"]);
    assert!(removed.starts_with("no mask rule any more: shop type citext with"), "{removed}");
    let history = place.json(&["mask", "history"]);
    assert_eq!(history.as_array().map(Vec::len), Some(3));
    assert_eq!((&history[0]["version"], &history[0]["rules"]), (&3.into(), &1.into()));
    assert_eq!(history[0]["removed"][0]["type"], "citext");
    assert_eq!(history[2]["added"][0]["with"], "email");
    assert_eq!(place.json(&["mask", "history", "--limit", "1"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn a_mask_rule_that_can_not_be_is_told_what_would_be_accepted() {
    fn add<'a>(rest: &[&'a str]) -> Vec<&'a str> {
        [&["mask", "add", "--target", "shop"], rest].concat()
    }
    let place = Place::new();
    let told = place.fails(2, &add(&["--column", "a.b.c", "--with", "md5"]));
    assert!(told.contains("no mask algorithm `md5`; the forms are null, full"), "{told}");
    let told = place.fails(2, &add(&["--column", "customers.email", "--with", "email"]));
    assert!(told.contains("a column is written schema.table.column"), "{told}");
    let told = place.fails(2, &add(&["--with", "email"]));
    assert!(told.contains("--column") && told.contains("--comment"), "{told}");
    let told = place.fails(2, &add(&["--column", "a.b.c", "--tag", "pii", "--with", "email"]));
    assert!(told.contains("cannot be used with"), "{told}");
    let told = place
        .fails(1, &["mask", "add", "--target", "shpo", "--column", "a.b.c", "--with", "email"]);
    assert!(told.contains("there is no target shpo; there are: shop"), "{told}");
}

#[test]
fn a_file_of_mask_rules_replaces_all() {
    let place = Place::new();
    let file = place.path().join("rules.toml");
    fs::write(&file, RULES).expect("writes");
    let apply = ["mask", "apply", "rules.toml"];
    let dry = place.must(&[&apply[..], &["--dry-run"]].concat());
    assert!(dry.starts_with("+ shop public.customers.email with email\n"), "{dry}");
    assert!(dry.ends_with("2 added: nothing was changed; still version 0\n"), "{dry}");
    assert_eq!(place.must(&["mask", "list"]), "no mask rules\n");
    let done = place.must(&[&apply[..], &["--note", "from git"]].concat());
    assert!(done.ends_with("2 added: version 1\n"), "{done}");
    assert_eq!(place.must(&apply), "nothing changes; version 1\n");
    let written = place.must(&["mask", "list", "--toml"]);
    assert!(written.starts_with("# Mask rules, version 1\n\n[[rule]]\ntarget = "), "{written}");
    fs::write(place.path().join("written.toml"), written).expect("writes");
    let same = place.must(&["mask", "apply", "written.toml"]);
    assert_eq!(same, "nothing changes; version 1\n");

    let turned = RULES.replace("\"email\"\n", "\"hash\"\n").replace("Tax No", "Tax");
    fs::write(&file, turned).expect("writes");
    let changes = place.json(&apply);
    assert_eq!((&changes["version"], &changes["dry_run"]), (&2.into(), &false.into()));
    assert_eq!(changes["changed"][0]["from"]["with"], "email");
    assert_eq!(changes["changed"][0]["to"]["with"], "hash");
    assert_eq!(changes["added"][0]["column"], "*.*.\"Tax\"");
    assert_eq!(changes["removed"][0]["column"], "*.*.\"Tax No\"");

    fs::write(&file, RULES.replace("with = \"email\"", "wiht = \"email\"")).expect("writes");
    let told = place.fails(3, &apply);
    assert!(told.contains("rules.toml:2: rule needs with"), "{told}");
    assert!(
        told.contains("rules.toml:5: unknown key `wiht` in rule; accepted: target, "),
        "{told}"
    );
    fs::write(&file, "# nothing\n").expect("writes");
    assert!(place.fails(1, &apply).contains("--allow-empty"));
    assert!(
        place.must(&[&apply[..], &["--allow-empty"]].concat()).contains("2 removed: version 3")
    );
    let old = place.json(&["mask", "list", "--version", "1"]);
    assert_eq!((&old["rules"][0]["with"], &old["note"]), (&"email".into(), &"from git".into()));
    assert!(place.fails(1, &["mask", "list", "--version", "9"]).contains("no version 9"));
    assert!(place.fails(3, &["mask", "apply", "none.toml"]).contains("none.toml"));
}
