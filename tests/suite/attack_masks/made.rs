//! Tables that were made or altered a moment ago are readable at once; who has no unmask gets nothing
//! masked through them.

use std::{thread::sleep, time::Duration};

use super::{World, tells};
use crate::support::{RawClient, gateway::TARGET, postgres::UPSTREAM_USER, raw::rows};

/// What shows under the name of a table that holds nothing masked, or seemed to.
const SHADOWED: &[&str] = &[
    "CREATE TEMP VIEW t AS SELECT email AS x FROM stored | CREATE TEMP TABLE IF NOT EXISTS t (x text) | SELECT x FROM t",
    "CREATE TEMP VIEW t AS SELECT email AS x FROM stored | CREATE TEMP TABLE IF NOT EXISTS t (x text) | SELECT x || '' FROM t",
    "CREATE VIEW t AS SELECT email AS x FROM stored | CREATE TABLE IF NOT EXISTS t (x text) | SELECT x || '' FROM t",
    "CREATE TABLE t (x text) | INSERT INTO t SELECT email FROM stored | SELECT x FROM t",
    "CREATE TABLE t (x text) | SELECT 1 FROM t | INSERT INTO t SELECT email FROM stored RETURNING x || ''",
    "CREATE TABLE t (id int, x text) | INSERT INTO t VALUES (900001) | UPDATE t SET x = email FROM customers c WHERE c.id = t.id RETURNING x || ''",
    "CREATE TABLE t (LIKE stored) | DROP TABLE t | CREATE VIEW t AS TABLE stored | SELECT email || '' FROM t",
    "CREATE TABLE t (email text) | CREATE SCHEMA s | CREATE VIEW s.t AS SELECT email FROM stored | SET search_path = s, public | SELECT email || '' FROM t",
    "CREATE TABLE t (email text) | SELECT 1 FROM t | DROP TABLE t; CREATE VIEW t AS SELECT email FROM stored; SELECT email || '' FROM t",
    "CREATE TABLE made (at date) | ALTER TABLE stored RENAME TO before | ALTER TABLE made RENAME TO stored | SELECT email || '' FROM before",
    "CREATE TABLE a (x int) | ALTER TABLE customers RENAME TO b | ALTER TABLE a RENAME TO customers | SELECT email || '' FROM b WHERE id = 900001",
    "CREATE SCHEMA s | CREATE TABLE s.customers (x int) | SET search_path = s, public | SELECT email || '' FROM public.customers WHERE id = 900001",
    "CREATE SCHEMA s | CREATE TABLE s.customers (email text) | SET search_path = s, public | SAVEPOINT a | DROP TABLE s.customers | SELECT email || '' FROM customers WHERE id = 900001",
    "SAVEPOINT a | CREATE SCHEMA s | CREATE TABLE s.customers (email text) | SET search_path = s, public | SELECT 1 FROM customers | ROLLBACK TO a | SELECT email || '' FROM customers WHERE id = 900001",
    "SAVEPOINT a | CREATE TEMP TABLE customers (email text) | SELECT 1 FROM customers | ROLLBACK TO a | SELECT email || '' FROM customers WHERE id = 900001",
    "CREATE TABLE p (email text) | SELECT 1 FROM p | ALTER TABLE vips INHERIT p | SELECT email || '' FROM p",
    "CREATE TABLE p (LIKE logs) PARTITION BY RANGE (at) | SELECT 1 FROM p | ALTER TABLE logs DETACH PARTITION logs_25 | ALTER TABLE p ATTACH PARTITION logs_25 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') | SELECT email || '' FROM p",
    "CREATE TABLE t (x text) | SELECT 1 FROM t | CREATE RULE r AS ON INSERT TO t DO INSTEAD SELECT email FROM stored | INSERT INTO t VALUES ('y')",
    "CREATE TABLE t (x text) | CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.x := (SELECT email FROM stored); RETURN NEW; END$$ | CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f() | INSERT INTO t VALUES ('') RETURNING x || ''",
    "ALTER TABLE customers ADD COLUMN n text | SELECT email FROM customers WHERE id = 900001",
    "ALTER TABLE customers ADD COLUMN n text | SELECT n, email || '' FROM customers WHERE id = 900001",
    "ALTER TABLE customers ADD COLUMN n text | TABLE customers",
    "ALTER TABLE customers ADD COLUMN n text | SELECT customers::text FROM customers WHERE id = 900001",
    "ALTER TABLE customers ADD COLUMN n text | UPDATE customers SET n = email WHERE id = 900001 RETURNING n",
    "ALTER TABLE customers ADD COLUMN n text GENERATED ALWAYS AS (email || '') STORED | SELECT n FROM customers WHERE id = 900001",
    "ALTER TABLE customers RENAME COLUMN email TO x | ALTER TABLE customers RENAME COLUMN phone TO email | SELECT x FROM customers WHERE id = 900001",
    "ALTER TABLE customers RENAME COLUMN email TO x; ALTER TABLE customers RENAME COLUMN full_name TO email; ALTER TABLE customers RENAME COLUMN x TO full_name | SELECT full_name || '' FROM customers WHERE id = 900001",
    "ALTER TABLE customers DROP COLUMN phone | SELECT max(email) FROM customers WHERE id = 900001",
    "CREATE INDEX i ON customers (city) | DECLARE c CURSOR FOR SELECT email FROM customers WHERE id = 900001 | FETCH c",
    "DECLARE c CURSOR FOR SELECT email FROM stored | CREATE TABLE c (email text) | SELECT 1 FROM c | FETCH c",
    "PREPARE p AS SELECT email FROM stored | CREATE TABLE t (email text) | SELECT 1 FROM t | EXECUTE p",
    "CREATE TABLE child () INHERITS (customers) | INSERT INTO child (id, full_name, email, country, city) VALUES (7, 'n', 'kn4ry', 'DE', 'Ulm') | SELECT email FROM child",
    "CREATE TABLE part PARTITION OF logs FOR VALUES FROM ('2027-01-01') TO ('2028-01-01') | INSERT INTO logs VALUES (3, '2027-02-02', 'kn4ry') | SELECT email || '' FROM part",
    "CREATE SCHEMA s | CREATE SCHEMA z | CREATE TABLE s.customers (email text) | SET search_path = s, public | SELECT 1 FROM customers | ALTER TABLE s.customers SET SCHEMA z | SELECT email || '' FROM customers WHERE id = 900001",
    "CREATE SCHEMA s | CREATE TABLE s.customers (email text) | SET search_path = s, public | SELECT 1 FROM customers | DROP SCHEMA s CASCADE | SELECT email || '' FROM customers WHERE id = 900001",
    "CREATE SCHEMA s | CREATE TABLE s.customers (email text) | SET search_path = s, public | SELECT 1 FROM customers | ALTER SCHEMA s RENAME TO z | SELECT email || '' FROM customers WHERE id = 900001",
    "CREATE SCHEMA s | CREATE TABLE s.stored (email text) | SELECT 1 FROM s.stored | DROP TABLE s.stored | ALTER MATERIALIZED VIEW stored SET SCHEMA s | SELECT email || '' FROM s.stored",
    "CREATE TABLE t (email text) | SELECT 1 FROM t | DROP TABLE t | ALTER MATERIALIZED VIEW stored RENAME TO t | SELECT email || '' FROM t",
    "CREATE TABLE t (email text) | SELECT 1 FROM t | ALTER TABLE t RENAME TO u | ALTER MATERIALIZED VIEW stored RENAME TO t | SELECT email || '' FROM t",
    "CREATE TABLE p (email text PRIMARY KEY) | SELECT 1 FROM p | ALTER TABLE vips ADD FOREIGN KEY (email) REFERENCES p ON UPDATE CASCADE",
    "CREATE TABLE part (id integer, at date, email text) | SELECT 1 FROM part | ALTER TABLE logs ATTACH PARTITION part FOR VALUES FROM ('2027-01-01') TO ('2028-01-01') | INSERT INTO logs VALUES (3, '2027-02-02', 'kn4ry') | SELECT email || '' FROM part",
];

#[test]
fn nothing_masked_shows_under_a_name_that_was_just_made() {
    let world = World::start("");
    world.shows(SHADOWED);
    let version: u32 =
        world.server.sql("SHOW server_version_num").trim().parse().expect("a number");
    if version < 160_000 {
        world.shows(&[MADE_A_VIEW]);
    }
}

/// A table that a rule makes a view of. From 16 on no server does that.
const MADE_A_VIEW: &str = "CREATE TABLE t (id bigint, email text) | CREATE RULE \"_RETURN\" AS ON SELECT TO t DO INSTEAD SELECT id, email FROM stored | SELECT email || '' FROM t";

/// Code that reads what is masked, where a table may have it run.
const READS: &str = "
    CREATE FUNCTION mail() RETURNS text LANGUAGE sql STABLE AS 'SELECT max(email) FROM stored';
    CREATE FUNCTION mailed(what text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
        $$BEGIN RETURN (SELECT max(email) FROM stored); END$$;
    CREATE FUNCTION fails(what text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
        $$BEGIN RAISE EXCEPTION '%', (SELECT max(email) FROM stored); END$$;
    CREATE DOMAIN defaulted AS text DEFAULT mail();
    CREATE DOMAIN deeper AS defaulted;
    CREATE DOMAIN checked AS text CHECK (fails(VALUE));
    CREATE TYPE pair AS (a checked, b text);";

const RUN: &[&str] = &[
    "CREATE TABLE t (id int, x text DEFAULT mail()) | INSERT INTO t VALUES (1) RETURNING x || ''",
    "CREATE TABLE t (id int, x text DEFAULT mail()) | INSERT INTO t VALUES (1) | SELECT x || '' FROM t",
    "CREATE TABLE t (id int) | SELECT 1 FROM t | ALTER TABLE t ADD COLUMN x text DEFAULT mail() | INSERT INTO t VALUES (1) RETURNING x || ''",
    "CREATE TABLE t (id int, x text) | SELECT 1 FROM t | ALTER TABLE t ALTER x SET DEFAULT mail() | INSERT INTO t VALUES (1) RETURNING x || ''",
    "CREATE TABLE t (id int, x text) | INSERT INTO t VALUES (1, '') | ALTER TABLE t ALTER x TYPE text USING mail() | SELECT x || '' FROM t",
    "CREATE TABLE t (id text, x text GENERATED ALWAYS AS (mailed(id)) STORED) | INSERT INTO t VALUES ('') RETURNING x || ''",
    "CREATE TABLE t (x text CHECK (fails(x))) | INSERT INTO t VALUES ('')",
    "CREATE TABLE t (x text) | SELECT 1 FROM t | ALTER TABLE t ADD CHECK (fails(x)) | INSERT INTO t VALUES ('')",
    "CREATE TABLE t (x text) | CREATE INDEX ON t (fails(x)) | INSERT INTO t VALUES ('')",
    "CREATE TABLE t (x text) | CREATE INDEX ON t (x) WHERE fails(x) | INSERT INTO t VALUES ('')",
    "CREATE TABLE t (x text) PARTITION BY LIST (mailed(x)) | INSERT INTO t VALUES ('')",
    "CREATE TABLE t (id int, x defaulted) | INSERT INTO t VALUES (1) RETURNING x || ''",
    "CREATE TABLE t (id int, x deeper) | INSERT INTO t VALUES (1) RETURNING x || ''",
    "CREATE TABLE t (id int) | SELECT 1 FROM t | ALTER TABLE t ADD COLUMN x defaulted | INSERT INTO t VALUES (1) RETURNING x || ''",
    "CREATE DOMAIN d AS text DEFAULT mail() | CREATE TABLE t (id int, x d) | INSERT INTO t VALUES (1) RETURNING x || ''",
    "CREATE DOMAIN d AS text | CREATE TABLE t (id int, x d) | SELECT 1 FROM t | ALTER DOMAIN d SET DEFAULT mail() | INSERT INTO t VALUES (1) RETURNING x || ''",
    "CREATE DOMAIN d AS text CHECK (fails(VALUE)) | CREATE TABLE t (x d) | INSERT INTO t VALUES ('')",
    "CREATE TABLE t (x checked) | INSERT INTO t VALUES ('')",
    "CREATE TABLE t (x checked[]) | INSERT INTO t VALUES ('{a}')",
    "CREATE TABLE t (x pair) | INSERT INTO t VALUES ('(a,b)')",
    "CREATE TYPE k AS ENUM ('a') | CREATE TABLE t (k k) | SELECT 'a'::k | SELECT 'a'::checked",
    "CREATE TYPE k AS ENUM ('a') | CREATE FUNCTION f(k) RETURNS text LANGUAGE sql AS 'SELECT max(email) FROM stored' | CREATE CAST (k AS text) WITH FUNCTION f(k) AS IMPLICIT | SELECT 'a'::k::text",
    "CREATE TYPE k AS ENUM ('a') | CREATE FUNCTION f(k, k) RETURNS text LANGUAGE sql AS 'SELECT max(email) FROM stored' | CREATE OPERATOR = (LEFTARG = k, RIGHTARG = k, FUNCTION = f) | SET search_path = public, pg_catalog | SELECT 'a'::k = 'a'",
    "CREATE TYPE k AS (a checked) | CREATE TABLE t (k k) | INSERT INTO t VALUES ('(a)')",
];

#[test]
fn code_that_a_table_of_a_moment_ago_runs_tells_nothing() {
    let world = World::start(READS);
    world.shows(RUN);
    // Another may have made it, who may see what is masked.
    let made = [
        ("t", "x text DEFAULT mail()", "INSERT INTO t VALUES (1) RETURNING x || ''"),
        ("u", "x defaulted", "INSERT INTO u VALUES (1) RETURNING x || ''"),
        ("v", "x text CHECK (fails(x))", "INSERT INTO v VALUES (1, '')"),
    ];
    for (name, column, asked) in made {
        let text = format!("CREATE TABLE {name} (id int, {column})");
        let mut client = world.through();
        client.query("BEGIN");
        world.server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER}; {text}"));
        assert!(tells(&world.bare().query(asked)), "{asked}");
        client.query(&format!("CREATE INDEX ON {name} (id)"));
        let said = client.query(asked);
        assert!(!tells(&said), "{asked}: {said:?}");
        client.query("ROLLBACK");
    }
}

/// Each guess at a masked value is right or not by a foreign key.
#[test]
fn foreign_keys_of_new_tables_tell_nothing_of_masked_keys() {
    let world =
        World::start("CREATE TABLE keys (k text PRIMARY KEY); INSERT INTO keys VALUES ('kn4ry')");
    let rule = ["mask", "add", "--target", TARGET, "--column", "*.keys.k", "--with", "full"];
    world.gateway.must(&rule);
    sleep(Duration::from_millis(1500));
    let guesses = ["kn4ry", "kn4rz"];
    world.tells(&[
        ("CREATE TABLE t (x text REFERENCES keys) | INSERT INTO t VALUES ('{}')", guesses),
        ("CREATE TABLE t (x text) | SELECT 1 FROM t | ALTER TABLE t ADD FOREIGN KEY (x) REFERENCES keys ON UPDATE CASCADE | INSERT INTO t VALUES ('{}')", guesses),
        ("CREATE TABLE t (x text PRIMARY KEY) | INSERT INTO t VALUES ('{}') | ALTER TABLE keys ADD FOREIGN KEY (k) REFERENCES t ON DELETE CASCADE | DELETE FROM t", guesses),
    ]);
}

fn reads(client: &mut RawClient, text: &str, expected: &[&str]) {
    let said = client.query(text);
    assert_eq!(rows(&said).concat(), expected, "{text}: {said:?}");
}

#[test]
fn what_a_rule_would_mean_in_a_new_table_is_masked_from_the_first_moment() {
    let world = World::start("");
    for (selector, pattern) in [
        ("--column", "crm.*.email"),
        ("--column", "*.*.secret_*"),
        ("--type", "*.token"),
        ("--tag", "pii"),
    ] {
        let rule = ["mask", "add", "--target", TARGET, selector, pattern, "--with", "full"];
        world.gateway.must(&rule);
    }
    sleep(Duration::from_millis(1500));
    let mut client = world.through();
    client.query("BEGIN");
    for text in [
        "CREATE SCHEMA s",
        "CREATE DOMAIN token AS text",
        "CREATE TABLE s.t (id int, email text, secret_x text, n token, told text)",
        "INSERT INTO s.t VALUES (1, 'mail', 'x', 'y', 'z')",
    ] {
        let said = client.query(text);
        assert!(crate::support::raw::error(&said).is_none(), "{text}: {said:?}");
    }
    reads(&mut client, "SELECT * FROM s.t", &["1", "mail", "******", "******", "z"]);
    // The server quotes the row.
    client.query("INSERT INTO s.t VALUES (2, 'mail', 'kn4ry', 'y', 'z'); SAVEPOINT a");
    client.query("ALTER TABLE s.t ADD CHECK (id > 0)");
    let said = client.query("UPDATE s.t SET id = -1 WHERE id = 2");
    assert!(crate::support::raw::error(&said).is_some() && !tells(&said), "{said:?}");
    client.query("ROLLBACK TO a");
    client.query("DELETE FROM s.t WHERE id = 2");
    client.query("COMMENT ON COLUMN s.t.told IS 'hallpass:pii'");
    reads(&mut client, "SELECT * FROM s.t", &["1", "mail", "******", "******", "******"]);
    client.query("ALTER SCHEMA s RENAME TO crm");
    let said = client.query("SELECT email || '' FROM crm.t");
    assert!(!format!("{said:?}").contains("mail,"), "{said:?}");
    assert_ne!(rows(&said), [["mail"]], "{said:?}");
}

#[test]
fn copies_by_somebody_with_unmask_stay_masked_when_that_has_ended() {
    let world = World::start("");
    let grant = world.gateway.grant("alice", "unmask");
    let mut client = world.through();
    client.query("BEGIN");
    client.query("CREATE TABLE t AS SELECT email AS x FROM stored");
    assert!(tells(&client.query("SELECT x FROM t")), "unmask is held");
    world.gateway.must(&["grant", "revoke", &grant]);
    sleep(Duration::from_millis(1500));
    let said = client.query("SELECT x FROM t");
    assert!(!tells(&said), "{said:?}");
}
