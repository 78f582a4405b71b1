//! Other people's clients: each first with the bare server, then through the gateway by somebody who
//! may do everything. See `tests/drivers`.

mod sqlx;
mod tokio_postgres;

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::support::{Gateway, Postgres};

/// Runs one client of `tests/drivers`; what it printed if it failed.
pub(crate) fn run(client: &str, dsn: &str) -> Result<(), String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drivers/run");
    let output = Command::new(script)
        .args([dsn, client])
        .stdin(Stdio::null())
        .output()
        .expect("bash is there");
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(String::from_utf8_lossy(&text).into_owned())
}

fn both(client: &str) {
    let server = Postgres::start();
    if let Err(told) = run(client, &server.upstream_dsn()) {
        panic!("{client} fails with the bare server already:\n{told}");
    }
    drop(server);
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    if let Err(told) = run(client, &gateway.dsn("alice", &secret)) {
        panic!("{client} fails through the gateway:\n{told}");
    }
}

#[test]
fn psycopg() {
    both("psycopg");
}

#[test]
fn asyncpg() {
    both("asyncpg");
}

#[test]
fn node_postgres() {
    both("node");
}

#[test]
fn pgjdbc() {
    both("jdbc");
}

#[test]
fn psql() {
    both("psql");
}

#[test]
fn pgbench() {
    both("pgbench");
}

#[test]
fn pg_dump_and_pg_restore() {
    both("dump");
}
