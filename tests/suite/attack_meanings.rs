//! Attacks on names whose meaning changes between the judgement and the run: the server looks a name up
//! again once it has waited for a lock, and when a plan is made anew. Whoever may change the schema, and
//! read some of it, lets a name mean what she may not read.

use std::time::Duration;

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    postgres::UPSTREAM_USER,
    raw::{Message, error, query, rows},
};

const OBJECTS: &str = "
    CREATE SCHEMA near;
    CREATE SCHEMA far;
    CREATE TABLE near.t (v text);
    INSERT INTO near.t VALUES ('near');
    CREATE TABLE far.t (v text);
    INSERT INTO far.t VALUES ('far');
    CREATE TABLE far.columns (table_name text);
    INSERT INTO far.columns VALUES ('far');
    CREATE TABLE far.plain (v text);
";

/// Dora changes the schema of everything, and reads `scope` only.
fn start(scope: Option<&str>) -> (Postgres, Gateway, String) {
    let server = Postgres::start();
    server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER};\n{OBJECTS}"));
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("dora", "developer");
    gateway.grant("dora", "ddl");
    if let Some(scope) = scope {
        gateway.grant_with("dora", "select", &["--for", "30m", "--scope", scope]);
    }
    (server, gateway, secret)
}

fn refused(answer: &[Message]) {
    assert_eq!(error(answer).map(|e| e.field('C')).as_deref(), Some("42501"), "{answer:?}");
    assert!(rows(answer).is_empty(), "{answer:?}");
}

fn done(client: &mut RawClient, sql: &str) {
    let answer = client.query(sql);
    assert!(error(&answer).is_none(), "{sql}: {answer:?}");
}

#[test]
fn a_name_is_not_found_behind_the_one_that_was_judged() {
    let (_server, gateway, secret) = start(Some("near.*"));
    let connect = || gateway.connect("dora", &secret);
    let (mut reader, mut mover) = (connect(), connect());
    done(&mut reader, "SET search_path = near, far");
    done(&mut mover, "BEGIN");
    done(&mut mover, "ALTER TABLE near.t RENAME TO u");
    // It would wait for the lock, and then find the other one.
    reader.send_bytes(&query("SELECT v FROM t"));
    std::thread::sleep(Duration::from_millis(300));
    done(&mut mover, "COMMIT");
    refused(&reader.read_until(b'Z'));
    let mut back = || error(&connect().query("ALTER TABLE near.u RENAME TO t")).is_none();
    assert!(eventually(Duration::from_secs(10), &mut back));
    // With its schema it means one only, as soon as that is known again.
    let mut open = || rows(&reader.query("SELECT v FROM near.t")) == [["near"]];
    assert!(eventually(Duration::from_secs(10), &mut open));
}

#[test]
fn nothing_is_put_in_front_of_the_name_that_was_judged() {
    let (_server, gateway, secret) = start(Some("near.*"));
    let connect = || gateway.connect("dora", &secret);
    for sql in [
        "ALTER TABLE far.plain RENAME TO u",
        "ALTER TABLE far.t SET SCHEMA public",
        "CREATE SCHEMA first; ALTER TABLE far.t SET SCHEMA first",
        "ALTER SCHEMA far RENAME TO first",
    ] {
        refused(&connect().query(sql));
    }
    // Her own tables are hers to rename.
    done(&mut connect(), "ALTER TABLE near.t RENAME TO u");
}

#[test]
fn a_plan_that_is_made_anew_after_a_change_of_the_schema_is_judged_anew() {
    let (_server, gateway, secret) = start(Some("near.*"));
    let mut dora = gateway.connect("dora", &secret);
    done(&mut dora, "SET search_path = near");
    done(&mut dora, "PREPARE q AS SELECT v FROM t");
    assert_eq!(rows(&dora.query("EXECUTE q")), [["near"]]);
    refused(&dora.query("CREATE TABLE far.more (v text); EXECUTE q"));
    refused(&dora.query("DISCARD PLANS; DISCARD TEMP; EXECUTE q"));
    assert_eq!(rows(&dora.query("EXECUTE q")), [["near"]]);
}

#[test]
fn who_may_read_catalogs_only_reads_no_table_under_the_name_of_one() {
    let (_server, gateway, secret) = start(None);
    let connect = || gateway.connect("dora", &secret);
    for sql in [
        "ALTER TABLE far.columns SET SCHEMA public",
        "ALTER TABLE far.plain RENAME TO tables",
        "ALTER SCHEMA far RENAME TO first",
    ] {
        refused(&connect().query(sql));
    }
    let mut dora = connect();
    done(&mut dora, "SET search_path = far, information_schema");
    refused(&dora.query("SELECT table_name FROM columns"));
    for sql in ["ALTER TABLE far.plain RENAME TO u", "ALTER TABLE far.u SET SCHEMA public"] {
        done(&mut connect(), sql);
    }
}
