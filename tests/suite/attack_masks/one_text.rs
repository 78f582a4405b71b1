//! Several statements in one text: those in front change what the names behind them mean, and nobody can
//! ask the server between.

use std::{thread::sleep, time::Duration};

use super::{World, tells};
use crate::support::{
    gateway::TARGET,
    raw::{bind, error, execute, parse, rows, sync},
};

/// Two tables of one name, of which one has a masked column.
const TWO: &str = "
    CREATE SCHEMA hr;
    CREATE TABLE hr.people (id integer PRIMARY KEY, name text, note text);
    INSERT INTO hr.people VALUES (1, 'kn4ry', 'n');
    CREATE TABLE people (id integer PRIMARY KEY, name text, note text);
    INSERT INTO people VALUES (1, 'open', 'n');";

fn start() -> World {
    let world = World::start(TWO);
    let column = "hr.people.name";
    world.gateway.must(&["mask", "add", "--target", TARGET, "--column", column, "--with", "full"]);
    sleep(Duration::from_millis(1500));
    world
}

/// Where names are looked up is moved, seems to be, or is moved back.
const MOVED: &[&str] = &[
    "SET search_path = hr, public; SELECT name || '' FROM people",
    "SET search_path = nosuch, hr; SELECT name || '' FROM people",
    "SET LOCAL search_path TO \"hr\"; SELECT max(name) FROM people",
    "SET SCHEMA 'hr'; SELECT name || '' FROM people",
    "SET search_path = public; SELECT name FROM people; SET search_path = hr; SELECT name || '' FROM people",
    "SET search_path = hr, pg_catalog; SELECT name || '' FROM people",
    "SET search_path = pg_temp, hr; SELECT name || '' FROM people",
    "SAVEPOINT a; SET search_path = hr; SAVEPOINT b; SET search_path = public; ROLLBACK TO b; SELECT name || '' FROM people",
    "SET search_path = hr; COMMIT; BEGIN; SET search_path = public; ROLLBACK; SELECT name || '' FROM people",
    "SET search_path = hr | SET LOCAL search_path = public; SELECT name FROM people; COMMIT; SELECT name || '' FROM people",
    "SET search_path = hr | SAVEPOINT a | SET search_path = public; ROLLBACK TO a; SELECT name || '' FROM people",
    "SELECT set_config('search_path', 'hr', false); SELECT name || '' FROM people",
    "SELECT set_config('search_path', 'h' || 'r', false); SELECT name || '' FROM people",
    "SELECT set_config('search_path', 'HR', false); SELECT name || '' FROM people",
    "SET search_path = hr | SELECT set_config('search_path', 'public', false) WHERE false; SELECT name || '' FROM people",
    "SET search_path = hr | SELECT set_config('search_path', 'public', false) LIMIT 0; SELECT name || '' FROM people",
    "SET search_path = hr | PREPARE p AS SELECT set_config('search_path', 'public', false); SELECT name || '' FROM people",
    "SET search_path = hr | EXPLAIN SELECT set_config('search_path', 'public', false); SELECT name || '' FROM people",
    "SET search_path = hr | DECLARE c CURSOR FOR SELECT set_config('search_path', 'public', false); SELECT name || '' FROM people",
    "SET search_path = hr | SELECT set_config('search_path', 'public', true); COMMIT; SELECT name || '' FROM people",
    "EXPLAIN ANALYZE SELECT set_config('search_path', 'hr', false); SELECT name || '' FROM people",
    "WITH a AS (SELECT set_config('search_path', 'hr', false)) SELECT * FROM a; SELECT name || '' FROM people",
    "UPDATE pg_settings SET setting = 'hr' WHERE name = 'search_path'; SELECT name || '' FROM people",
    "SET search_path = hr | SET search_path = public; RESET search_path; SET search_path = hr; SELECT name || '' FROM people",
    "SET search_path = hr; PREPARE p AS SELECT name || '' FROM people | EXECUTE p",
    "SET search_path = hr; DECLARE c CURSOR FOR SELECT name || '' FROM people | FETCH c",
    "PREPARE p AS SELECT name || '' FROM people | SET search_path = hr; EXECUTE p",
    // The same by a name that the session has made before.
    "PREPARE p AS SELECT set_config('search_path', 'hr', false) | EXECUTE p; SELECT name || '' FROM people",
    "PREPARE p AS SELECT set_config('search_path', 'hr', false) | EXECUTE p; SELECT 1; SELECT max(name) FROM people",
    "PREPARE p (text) AS SELECT set_config('search_path', $1, false) | EXECUTE p ('hr'); SELECT name || '' FROM people",
    "PREPARE p AS SELECT set_config('search_path', 'hr', false) | EXPLAIN ANALYZE EXECUTE p; SELECT name || '' FROM people",
    "PREPARE p AS SELECT set_config('search_path', 'hr', false) | CREATE TEMP TABLE q AS EXECUTE p; SELECT name || '' FROM people",
    "PREPARE p AS SELECT set_config('search_path', 'hr', false) | PREPARE q AS SELECT name || '' FROM people | EXECUTE p; EXECUTE q",
    "PREPARE p AS SELECT set_config('search_path', 'hr', false) | EXECUTE p; DECLARE c CURSOR FOR SELECT name || '' FROM people; FETCH c",
    "DECLARE c CURSOR FOR SELECT set_config('search_path', 'hr', false) | FETCH c; SELECT name || '' FROM people",
    "DECLARE c CURSOR FOR SELECT set_config('search_path', 'hr', false) | MOVE c; SELECT name || '' FROM people",
    "DECLARE c CURSOR FOR SELECT set_config('search_path', 'hr', false); FETCH c; SELECT name || '' FROM people",
    "DECLARE c CURSOR WITH HOLD FOR SELECT set_config('search_path', 'hr', false); COMMIT; SELECT name || '' FROM people",
];

/// What stands under a name comes, goes, or gets another one.
const CHANGED: &[&str] = &[
    "DROP TABLE people; SET search_path = public, hr; SELECT name || '' FROM people",
    "SET search_path = public, hr; DROP TABLE people; SELECT name || '' FROM people",
    "SET search_path = public, hr; DROP TABLE people; CREATE TABLE people (id int, name text); DROP TABLE people; SELECT name || '' FROM people",
    "SET search_path = public, hr; ALTER TABLE people RENAME TO others; SELECT name || '' FROM people",
    "SET search_path = public, hr; ALTER TABLE people RENAME TO a; ALTER TABLE people RENAME TO b; SELECT name || '' FROM b",
    "DROP TABLE people; ALTER TABLE hr.people SET SCHEMA public; SELECT name || '' FROM people",
    "ALTER SCHEMA public RENAME TO old; ALTER SCHEMA hr RENAME TO public; SELECT name || '' FROM people",
    "CREATE SCHEMA s; ALTER SCHEMA s RENAME TO z; SET search_path = z, hr; SELECT name || '' FROM people",
    "CREATE SCHEMA s; SET search_path = s, public; ALTER TABLE hr.people SET SCHEMA s; SELECT name || '' FROM people",
    "CREATE SCHEMA s CREATE VIEW people AS SELECT name FROM hr.people; SET search_path = s; SELECT name || '' FROM people",
    "CREATE SCHEMA s CREATE TABLE people (name text); SET search_path = s, hr; DROP TABLE s.people; SELECT name || '' FROM people",
    "ALTER TABLE hr.people ADD COLUMN x text; SELECT name || '' FROM hr.people",
    "ALTER TABLE hr.people ADD COLUMN x text; UPDATE hr.people SET x = name RETURNING x",
    "ALTER TABLE hr.people ADD COLUMN x text GENERATED ALWAYS AS (name || '') STORED; SELECT x || '' FROM hr.people",
    "ALTER TABLE hr.people RENAME COLUMN name TO x; SELECT x || '' FROM hr.people",
    "ALTER TABLE hr.people DROP COLUMN note; ALTER TABLE hr.people RENAME COLUMN name TO note; SELECT note || '' FROM hr.people",
    "ALTER TABLE hr.people RENAME COLUMN name TO x; ALTER TABLE hr.people RENAME COLUMN note TO name; ALTER TABLE hr.people RENAME COLUMN x TO note; SELECT note || '' FROM hr.people",
    "ALTER TABLE hr.people ALTER COLUMN note TYPE text USING name; SELECT note || '' FROM hr.people",
    "ALTER TABLE hr.people ADD COLUMN x text; ALTER TABLE hr.people ALTER COLUMN x TYPE text USING name; SELECT x || '' FROM hr.people",
    "CREATE TABLE t (id int, x text); INSERT INTO t SELECT 1, name FROM hr.people; SELECT x || '' FROM t",
    "CREATE TABLE t (id int, x text); ALTER TABLE t RENAME TO u; INSERT INTO u SELECT 1, name FROM hr.people RETURNING x || ''",
    "CREATE TABLE t (id int, x text); INSERT INTO t VALUES (1); UPDATE t SET x = p.name FROM hr.people p RETURNING x || ''",
    "CREATE TABLE t AS SELECT name AS x FROM hr.people; SELECT x || '' FROM t",
    "SELECT name AS x INTO t FROM hr.people; SELECT x || '' FROM t",
    "CREATE VIEW v AS SELECT name AS x FROM hr.people; SELECT x || '' FROM v",
    "CREATE TABLE v (x text); DROP TABLE v; CREATE VIEW v AS SELECT name AS x FROM hr.people; SELECT x || '' FROM v",
    "CREATE TABLE t (id int, name text, note text); ALTER TABLE hr.people INHERIT t; SELECT name || '' FROM t",
    "CREATE TABLE t () INHERITS (hr.people); INSERT INTO t SELECT * FROM hr.people RETURNING name || ''",
    "CREATE TABLE t (LIKE hr.people); INSERT INTO t SELECT * FROM hr.people RETURNING name || ''",
    "CREATE TEMP TABLE t (x text); INSERT INTO t SELECT name FROM hr.people; SELECT x || '' FROM t",
    "CREATE TEMP TABLE people (name text); DROP TABLE pg_temp.people; SET search_path = hr; SELECT name || '' FROM people",
    "CREATE TEMP TABLE people (name text); SET search_path = hr, pg_temp; SELECT name || '' FROM people",
    "CREATE TABLE IF NOT EXISTS hr.people (name text); SELECT name || '' FROM hr.people",
    "SET search_path = hr; CREATE TABLE IF NOT EXISTS people (name text); SELECT name || '' FROM people",
    "CREATE TABLE t (x text); SAVEPOINT a; DROP TABLE t; CREATE MATERIALIZED VIEW t AS SELECT name AS x FROM hr.people; SELECT x || '' FROM t",
    "CREATE TABLE customers_2 (email text); ALTER TABLE customers RENAME TO c; ALTER TABLE customers_2 RENAME TO customers; SELECT email || '' FROM c WHERE id = 900001",
];

#[test]
fn no_statement_of_a_text_shows_a_value_by_what_those_before_it_did() {
    // Texts that the server refuses in a transaction, or for want of what they name, show nothing there.
    let works = |text: &&&str| !text.contains("'HR'") && !text.contains("UPDATE pg_settings");
    let world = start();
    world.shows(&MOVED.iter().filter(works).copied().collect::<Vec<_>>());
    let world = start();
    world.shows(CHANGED);
}

/// What a rule would mean in what a text makes is masked from the first statement on.
#[test]
fn what_a_rule_would_mean_in_what_a_text_makes_is_masked() {
    let world = start();
    for (selector, pattern) in [("--column", "*.*.secret_*"), ("--tag", "pii")] {
        let rule = ["mask", "add", "--target", TARGET, selector, pattern, "--with", "full"];
        world.gateway.must(&rule);
    }
    sleep(Duration::from_millis(1500));
    for text in [
        "CREATE TABLE t (id int, secret_x text); INSERT INTO t VALUES (1, 'kn4ry'); SELECT secret_x || '' FROM t",
        "CREATE TABLE t (id int, x text); ALTER TABLE t RENAME COLUMN x TO secret_x; INSERT INTO t VALUES (1, 'kn4ry') RETURNING secret_x",
        "CREATE TABLE t (id int, x text); COMMENT ON COLUMN t.x IS 'hallpass:pii'; INSERT INTO t VALUES (1, 'kn4ry'); SELECT x || '' FROM t",
        "ALTER TABLE notes ADD COLUMN secret_n text DEFAULT 'kn4ry'; SELECT secret_n || '' FROM notes",
        "ALTER TABLE notes RENAME COLUMN body TO secret_n; UPDATE notes SET id = id RETURNING secret_n",
        "SET search_path = hr; CREATE TABLE t (id int, secret_x text); INSERT INTO t VALUES (1, 'kn4ry'); SELECT max(secret_x) FROM t",
    ] {
        let mut client = world.through();
        client.query("BEGIN");
        let said = client.query(text);
        let result: Vec<_> = said.into_iter().filter(|m| m.tag == b'D').collect();
        assert!(!tells(&result), "{text}: {result:?}");
        client.query("ROLLBACK");
    }
}

/// Code that the database's own defaults, checks and types run tells nothing either.
#[test]
fn code_that_a_text_has_put_behind_a_table_tells_nothing() {
    let world = World::start(
        "CREATE FUNCTION mail() RETURNS text LANGUAGE sql STABLE AS 'SELECT max(email) FROM stored';
         CREATE FUNCTION fails(what text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
             $$BEGIN RAISE EXCEPTION '%', (SELECT max(email) FROM stored); END$$;
         CREATE DOMAIN defaulted AS text DEFAULT mail();
         CREATE DOMAIN checked AS text CHECK (fails(VALUE));",
    );
    world.shows(&[
        "CREATE TABLE t (id int, x text DEFAULT mail()); INSERT INTO t VALUES (1) RETURNING x || ''",
        "CREATE TABLE t (id int); ALTER TABLE t ADD COLUMN x text DEFAULT mail(); INSERT INTO t VALUES (1); SELECT x || '' FROM t",
        "ALTER TABLE notes ALTER body SET DEFAULT mail(); INSERT INTO notes VALUES (7) RETURNING body || ''",
        "CREATE TABLE t (id int, x defaulted); INSERT INTO t VALUES (1) RETURNING x || ''",
        "CREATE TABLE t (x checked); INSERT INTO t VALUES ('')",
        "CREATE TABLE t (x text CHECK (fails(x))); INSERT INTO t VALUES ('')",
        "CREATE TABLE t (x text); CREATE INDEX ON t (fails(x)); INSERT INTO t VALUES ('')",
        "CREATE DOMAIN d AS text CHECK (fails(VALUE)); CREATE TABLE t (x d); INSERT INTO t VALUES ('')",
        "CREATE TYPE k AS ENUM ('a'); CREATE FUNCTION f(k) RETURNS text LANGUAGE sql AS 'SELECT max(email) FROM stored'; CREATE CAST (k AS text) WITH FUNCTION f(k) AS IMPLICIT; SELECT 'a'::k::text",
    ]);
}

/// What the cache keeps of one text isn't said of another.
#[test]
fn a_path_is_part_of_what_a_text_is_known_by() {
    let world = start();
    let mut client = world.through();
    for _ in 0..2 {
        for (text, expected) in [
            (
                "SELECT set_config('search_path', 'public', false); SELECT name || '' FROM people",
                "open",
            ),
            (
                "SELECT set_config('search_path', 'hr', false); SELECT name || '' FROM people",
                "******",
            ),
            ("SET search_path = public; SELECT name || '' FROM people", "open"),
            ("SET search_path = hr; SELECT name || '' FROM people", "******"),
        ] {
            let said = client.query(text);
            let last = rows(&said).pop().unwrap_or_default();
            assert_eq!(last, [expected], "{text}: {said:?}");
        }
    }
}

/// In the extended protocol each waits for what those before it do.
#[test]
fn what_a_name_runs_moves_what_is_pipelined_behind_it() {
    let world = start();
    let mut client = world.through();
    client.query("PREPARE p AS SELECT set_config('search_path', 'hr', false)");
    let run = |text: &str| [parse("", text, &[]), bind("", "", &[], 0), execute("", 0)].concat();
    let packet = [run("EXECUTE p"), run("SELECT name || '' FROM people"), sync()];
    let said = client.exchange(&packet, 1);
    assert!(error(&said).is_none() && !tells(&said), "{said:?}");
}
