//! A value put away for later, where nothing masks it: settings, sequences, locks, notifications, other
//! tables and names.

use super::World;

const PARKED: &[&str] = &[
    "SELECT set_config('my.secret', email, false) FROM customers WHERE id = 900001",
    "SELECT count(set_config('my.secret', email, false)) FROM customers WHERE id = 900001 | SHOW my.secret",
    "SELECT count(set_config('application_name', email, false)) FROM stored",
    "SELECT count(pg_notify('c', email)) FROM stored | LISTEN c | SELECT 1 | COMMIT",
    "SELECT count(lo_from_bytea(4711, email::bytea)) FROM stored | SELECT convert_from(lo_get(4711), 'UTF8')",
    "INSERT INTO notes SELECT 9, email FROM stored | TABLE notes",
    "WITH s AS (SELECT email FROM stored) INSERT INTO notes SELECT 9, email FROM s RETURNING body",
    "UPDATE notes SET body = (SELECT email FROM stored) | TABLE notes",
    "UPDATE notes SET (id, body) = (SELECT 3, email FROM stored) WHERE id = 1 RETURNING body",
    "UPDATE customers SET full_name = email WHERE id = 900001 | SELECT full_name FROM customers WHERE id = 900001",
    "MERGE INTO notes n USING stored s ON n.id = 1 WHEN MATCHED THEN UPDATE SET body = s.email | TABLE notes",
    "MERGE INTO notes n USING stored s ON false WHEN NOT MATCHED THEN INSERT VALUES (7, s.email) | TABLE notes",
    "INSERT INTO customers (id, full_name, email, country, city) VALUES (900001, 'x', 'y', 'DE', 'Ulm') ON CONFLICT (id) DO UPDATE SET full_name = customers.email | SELECT full_name FROM customers WHERE id = 900001",
    "CREATE TABLE t AS SELECT email FROM stored | TABLE t",
    "CREATE TEMP TABLE t AS TABLE stored | TABLE t",
    "SELECT email INTO t FROM stored | TABLE t",
    "PREPARE p AS SELECT email FROM stored | CREATE TEMP TABLE t AS EXECUTE p | TABLE t",
    "EXPLAIN ANALYZE CREATE TEMP TABLE t AS TABLE stored | TABLE t",
    "CREATE TEMP VIEW v AS SELECT email AS id FROM stored | TABLE v",
    "CREATE MATERIALIZED VIEW v AS SELECT email AS id FROM stored | TABLE v",
    "CREATE OR REPLACE VIEW mails AS SELECT id, email || '' AS mail FROM customers | SELECT mail FROM mails WHERE id = 900001",
    "ALTER TABLE customers RENAME COLUMN email TO note | SELECT note FROM customers WHERE id = 900001",
    "ALTER TABLE customers RENAME TO c | SELECT email FROM c WHERE id = 900001",
    "ALTER VIEW mails RENAME COLUMN mail TO m | SELECT m FROM mails WHERE id = 900001",
    "ALTER MATERIALIZED VIEW stored RENAME TO s | SELECT email FROM s",
    "CREATE SCHEMA s | ALTER TABLE customers SET SCHEMA s | SELECT email FROM s.customers WHERE id = 900001",
    "ALTER SCHEMA public RENAME TO s | SELECT email FROM s.customers WHERE id = 900001",
    "ALTER TABLE logs DETACH PARTITION logs_25 | SELECT email FROM logs_25",
    "ALTER TABLE vips NO INHERIT customers | SELECT email FROM vips",
    "CREATE TABLE p (LIKE logs) PARTITION BY RANGE (at) | ALTER TABLE logs DETACH PARTITION logs_25 | ALTER TABLE p ATTACH PARTITION logs_25 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') | SELECT email FROM p",
    "CREATE TABLE p (email text) | ALTER TABLE stored2 INHERIT p | ALTER TABLE vips INHERIT p | SELECT email FROM p",
    "ALTER TABLE customers ADD COLUMN n text GENERATED ALWAYS AS (email) STORED | SELECT n FROM customers WHERE id = 900001",
    "ALTER TABLE customers ALTER COLUMN phone TYPE text USING email | SELECT phone FROM customers WHERE id = 900001",
    "CREATE RULE r AS ON UPDATE TO notes DO ALSO INSERT INTO notes SELECT 8, email FROM stored | UPDATE notes SET body = 'x' WHERE id = 1 | TABLE notes",
    "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT email FROM stored' | SELECT f()",
    "DO $$BEGIN RAISE NOTICE '%', (SELECT email FROM stored); END$$",
    // What the catalog doesn't know yet stands in the way of what it knows.
    "SET search_path = s, public | CREATE SCHEMA s | CREATE VIEW s.notes AS SELECT 1 AS id, email AS body FROM public.stored | SELECT body FROM notes",
    "SAVEPOINT a | CREATE TEMP TABLE stored (id int, email text) | ROLLBACK TO a | SELECT email FROM stored",
    "CREATE TEMP TABLE stored (id int, email text) | DROP TABLE pg_temp.stored | SELECT email FROM stored",
];

#[test]
fn no_value_is_put_where_nothing_masks_it() {
    // A statement in these that fails on the server leaves the rest failing: it shows nothing there.
    let works = PARKED.iter().filter(|attack| !attack.contains("stored2"));
    World::start("").shows(&works.copied().collect::<Vec<_>>());
}

/// A number parked is told by its digits.
#[test]
fn no_number_is_parked() {
    World::start("CREATE SEQUENCE seq;").tells(&[
        ("SELECT count(setval('seq', credit::bigint - {})) FROM stored | SELECT last_value FROM seq", ["1", "2"]),
        ("SELECT count(pg_advisory_xact_lock(credit::bigint - {})) FROM stored | SELECT objid FROM pg_locks WHERE locktype = 'advisory'", ["1", "2"]),
    ]);
}
