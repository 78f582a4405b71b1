//! Tools that look at a database or change it: what they print is the same with the bare server and
//! through the gateway, by somebody who holds just what the tool needs. See `tests/drivers`.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::support::{
    Gateway, Postgres, eventually,
    gateway::TARGET,
    postgres::{DATABASE, UPSTREAM_USER, program},
    raw::rows,
};

const EVERYTHING: &str = include_str!("../drivers/everything.sql");

/// What one tool of `tests/drivers` prints; it must succeed.
fn shown(tool: &str, dsn: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers/run");
    let output = Command::new(script)
        .args([dsn, tool])
        .env("SHOW", "1")
        .stdin(Stdio::null())
        .output()
        .expect("bash is there");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tool} with {dsn}:\n{text}\n{errors}");
    text
}

/// A server with one object of every kind.
fn everything() -> Postgres {
    let server = Postgres::start();
    server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER};\n{EVERYTHING}"));
    // Else the first look at a table changes its size.
    server.sql("VACUUM ANALYZE");
    server
}

/// Both ways, on servers that are alike: somebody with these permissions, and standing explain, info.
fn alike(tool: &str, permissions: &str, server: impl Fn() -> Postgres) {
    alike_beside(&[], tool, permissions, server);
}

/// The same where rules mask these columns.
fn alike_beside(masked: &[&str], tool: &str, permissions: &str, server: impl Fn() -> Postgres) {
    let direct = shown(tool, &server().upstream_dsn());
    let server = server();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    for column in masked {
        let rule = ["--target", TARGET, "--column", column, "--with", "full"];
        gateway.must(&[["mask", "add"].as_slice(), &rule].concat());
    }
    let holds = || {
        let text = "SELECT email FROM customers LIMIT 1";
        rows(&gateway.connect("alice", &secret).query(text)) == [["******"]]
    };
    if !permissions.is_empty() {
        let bounds = ["--for", "30m", "--row-budget", "1000000"];
        gateway.grant_with("alice", permissions, &bounds);
    }
    assert!(masked.is_empty() || eventually(Duration::from_secs(10), holds), "{}", gateway.log());
    // The database's own name: tools look themselves up by it.
    let dsn = gateway.dsn("alice%40shop-test", &secret).replace("/shop-test", "/shop");
    assert!(dsn.ends_with(DATABASE));
    let through = shown(tool, &dsn);
    assert!(direct.lines().count() > 5, "{tool} says nothing:\n{direct}");
    if direct == through {
        return;
    }
    let differing = direct.lines().zip(through.lines()).filter(|(a, b)| a != b).take(10);
    let lines: Vec<String> = differing.map(|(a, b)| format!("- {a}\n+ {b}")).collect();
    let (direct, through) = (direct.lines().count(), through.lines().count());
    panic!("{tool} is told otherwise ({direct} and {through} lines):\n{}", lines.join("\n"));
}

#[test]
fn pgjdbc_describes_the_same_under_info() {
    alike("jdbc-metadata", "", everything);
}

#[test]
fn psql_describes_the_same_under_info() {
    alike("psql-describe", "", everything);
}

#[test]
fn sqlalchemy_reflects_and_reads_the_same_under_select() {
    alike("sqlalchemy", "select", everything);
}

#[test]
fn django_inspects_and_reads_the_same_under_select() {
    alike("django-read", "select", everything);
}

#[test]
fn alembic_migrates_the_same_under_ddl_dml_and_select() {
    alike("alembic", "ddl,dml,select", Postgres::start);
}

#[test]
fn django_migrates_the_same_under_ddl_dml_and_select() {
    alike("django-migrate", "ddl,dml,select", Postgres::start);
}

/// Beside these it doesn't matter to a migration that something is masked.
const ELSEWHERE: [&str; 3] = ["public.customers.email", "*.payments.*", "*.*.national_id"];

#[test]
fn alembic_migrates_the_same_beside_masked_columns() {
    alike_beside(&ELSEWHERE, "alembic", "ddl,dml,select", Postgres::start);
}

#[test]
fn django_migrates_the_same_beside_masked_columns() {
    alike_beside(&ELSEWHERE, "django-migrate", "ddl,dml,select", Postgres::start);
}

#[test]
fn pg_dump_writes_the_same_under_select_and_export() {
    alike("dump-text", "select,export", everything);
}

#[test]
fn pg_restore_without_owners_needs_no_admin() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    // It compares by a second dump: that is what export is for.
    let bounds = ["--for", "30m", "--row-budget", "1000000"];
    gateway.grant_with("alice", "ddl,dml,select,export", &bounds);
    shown("dump", &gateway.dsn("alice", &secret));
}

#[test]
fn pg_dumpall_is_told_what_passwords_need() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select,export");
    let globals = |more: &[&str]| {
        let output = Command::new(program("pg_dumpall"))
            .args(["--globals-only", "-l", DATABASE, "-h", "127.0.0.1", "-U", "alice@shop-test"])
            .args(["-p", &gateway.port().to_string()])
            .args(more)
            .env("PGPASSWORD", &secret)
            .output()
            .expect("pg_dumpall starts");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    };
    let (passed, text) = globals(&[]);
    let told = "permission denied: this needs sql.admin (reads pg_catalog.pg_authid)";
    assert!(!passed && text.contains(told), "{text}");
    let (passed, text) = globals(&["--no-role-passwords"]);
    assert!(passed && text.contains("CREATE ROLE hallpass"), "{text}");
}
