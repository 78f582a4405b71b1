//! Conversations by simple Query.

use super::Conversation;
use crate::support::{RawClient, raw};

fn each(client: &mut RawClient, texts: &[&str]) {
    for text in texts {
        client.query(text);
    }
}

pub(super) const CONVERSATIONS: &[Conversation] = &[
    ("nothing at all", |c| each(c, &["", ";", ";;", "-- only a comment", "/* and */ -- this"])),
    ("one row", |c| {
        each(c, &["SELECT 1", "SELECT NULL", "SELECT ''", "SELECT", "VALUES (1, 'a')"]);
    }),
    ("several statements in one message", |c| {
        each(
            c,
            &[
                "SELECT 1; SELECT 2; SELECT 3",
                "SELECT 1; SELECT 1/0; SELECT 3",
                "SELECT 1;;SELECT 2;",
                "BEGIN; INSERT INTO employees (full_name, email, team, salary, national_id, hired_on)
                 VALUES ('A', 'a@example.com', 'x', 1, 'n', '2020-01-01'); ROLLBACK; SELECT 1",
                "CREATE TABLE twice (x int); CREATE TABLE twice (x int)",
                "SELECT count(*) FROM pg_class WHERE relname = 'twice'",
            ],
        );
    }),
    ("errors of many kinds", |c| {
        each(
            c,
            &[
                "SELEC 1",
                "SELECT 1/0",
                "SELECT nothing FROM customers",
                "SELECT * FROM no_such_table",
                "SELECT no_such_function(1)",
                "SELECT 'x'::int",
                "INSERT INTO orders (customer_id) VALUES (-1)",
                "INSERT INTO customers (id, full_name, email, country, city) VALUES (1, '', '', '', '')",
                "INSERT INTO products (sku, name, price) VALUES ('a', 'b', -1)",
                "UPDATE customers SET full_name = NULL WHERE id = 1",
                "SELECT repeat('x', 2000000000)",
                "COMMIT PREPARED 'nothing'",
                "SELECT 'unfinished",
                "SELECT 1 WHERE 'ünïcödé' = nothing",
            ],
        );
    }),
    ("a transaction that fails and one that succeeds", |c| {
        each(
            c,
            &[
                "BEGIN",
                "SELECT 1",
                "SELECT 1/0",
                "SELECT 1",
                "COMMIT",
                "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE",
                "UPDATE customers SET credit = credit + 1 WHERE id = 7 RETURNING credit",
                "SAVEPOINT s",
                "SELECT 1/0",
                "ROLLBACK TO SAVEPOINT s",
                "RELEASE s",
                "COMMIT",
                "COMMIT",
                "ROLLBACK",
                "BEGIN",
                "BEGIN",
                "END",
                "BEGIN",
                "COMMIT AND CHAIN",
                "ABORT",
            ],
        );
    }),
    ("notices and warnings", |c| {
        each(
            c,
            &[
                "DROP TABLE IF EXISTS never_there",
                "DO $$ BEGIN RAISE NOTICE 'hello %', 1; RAISE WARNING 'careful' USING HINT = 'a hint', ERRCODE = '01ABC'; END $$",
                "SET client_min_messages = debug1",
                "CREATE TEMP TABLE noisy (id int PRIMARY KEY)",
                "RESET client_min_messages",
            ],
        );
    }),
    ("settings that are reported", |c| {
        each(
            c,
            &[
                "SET TimeZone = 'Europe/Berlin'",
                "SET application_name = 'somebody'",
                "SHOW application_name",
                "SET DateStyle = 'German, DMY'",
                "SELECT now() IS NOT NULL, date '2024-02-29', timestamptz '2024-06-01 00:00Z'",
                "SET IntervalStyle = iso_8601",
                "SELECT interval '1 day 2 hours'",
                "BEGIN",
                "SET LOCAL TimeZone = 'Asia/Tokyo'",
                "COMMIT",
                "SET extra_float_digits = 0",
                "SELECT 0.1::float8 + 0.2::float8",
                "RESET ALL",
                "SHOW TimeZone",
                "SET TimeZone = 'Nowhere/Land'",
            ],
        );
    }),
    ("rows of many types", |c| {
        each(
            c,
            &[
                "SELECT true, 1::smallint, 2, 3::bigint, 4.5::numeric, 6.7::real, 8.9::float8, 'NaN'::float8",
                "SELECT 'a'::char(3), 'b'::varchar, 'c'::text, 'd'::name, '\\x00ff'::bytea, 'Zürich'",
                "SELECT date '0044-03-15 BC', time '12:34:56.789', 'infinity'::timestamptz, interval '1 mon'",
                "SELECT ARRAY[1, NULL, 3], ARRAY['a,b', 'c\"d'], '{\"a\": [1, 2]}'::jsonb, '<a/>'::text",
                "SELECT '00000000-0000-0000-0000-000000000001'::uuid, '10.0.0.0/8'::cidr, int4range(1, 5), point(1, 2)",
                "SELECT ROW(1, 'x'), o FROM orders AS o WHERE id = 3",
                "SELECT * FROM customers WHERE id <= 50 ORDER BY id",
                "SELECT 'public.orders'::regclass, 'paid'::order_status, 5::oid, B'1010', '$12.34'::money",
            ],
        );
    }),
    ("many rows, and long ones", |c| {
        each(
            c,
            &[
                "SELECT * FROM orders ORDER BY id",
                "SELECT n, repeat('x', n % 200) FROM generate_series(1, 20000) AS n",
                "SELECT repeat('long', 1000000), 1",
                "SELECT n, repeat('y', 70000) FROM generate_series(1, 20) AS n",
                "SELECT",
                "SELECT FROM orders WHERE id < 5",
            ],
        );
    }),
    ("a long statement", |c| {
        let list = (0..20_000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        c.query(&format!("SELECT count(*) FROM orders WHERE id IN ({list})"));
        let rows = (0..2_000).map(|n| format!("({n}, 'row {n}')")).collect::<Vec<_>>().join(",");
        c.query("CREATE TEMP TABLE wide (n int, t text)");
        c.query(&format!("INSERT INTO wide VALUES {rows}"));
    }),
    ("tags of everything that changes rows or schemas", |c| {
        each(
            c,
            &[
                "CREATE SCHEMA extra",
                "CREATE TABLE extra.t (id int PRIMARY KEY, x text)",
                "INSERT INTO extra.t VALUES (1, 'a'), (2, 'b')",
                "INSERT INTO extra.t VALUES (1, 'c') ON CONFLICT (id) DO UPDATE SET x = excluded.x RETURNING *",
                "UPDATE extra.t SET x = upper(x)",
                "MERGE INTO extra.t USING (VALUES (2), (3)) AS v (id) ON t.id = v.id
                 WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'new')",
                "DELETE FROM extra.t WHERE id = 3",
                "TRUNCATE extra.t",
                "CREATE INDEX CONCURRENTLY ON extra.t (x)",
                "CREATE VIEW extra.v AS SELECT * FROM extra.t",
                "CREATE TABLE extra.c AS SELECT n FROM generate_series(1, 3) AS n",
                "SELECT n INTO extra.i FROM extra.c",
                "COMMENT ON TABLE extra.t IS 'it''s commented'",
                "CREATE FUNCTION extra.f(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1'",
                "SELECT extra.f(41)",
                "CREATE PROCEDURE extra.p() LANGUAGE sql AS 'SELECT 1'",
                "CALL extra.p()",
                "ANALYZE extra.t",
                "VACUUM extra.t",
                "REINDEX TABLE extra.t",
                "LOCK TABLE extra.t",
                "GRANT SELECT ON extra.t TO PUBLIC",
                "DROP SCHEMA extra CASCADE",
            ],
        );
    }),
    ("PREPARE, cursors and EXPLAIN in SQL", |c| {
        each(
            c,
            &[
                "PREPARE p (int) AS SELECT id, status FROM orders WHERE id = $1",
                "EXECUTE p(5)",
                "EXECUTE p('x')",
                "DEALLOCATE p",
                "EXECUTE p(5)",
                "BEGIN",
                "DECLARE cu SCROLL CURSOR FOR SELECT id FROM orders ORDER BY id",
                "FETCH 3 FROM cu",
                "MOVE 10 IN cu",
                "FETCH BACKWARD 2 FROM cu",
                "CLOSE cu",
                "FETCH cu",
                "ROLLBACK",
                "EXPLAIN (COSTS OFF) SELECT * FROM orders WHERE id = 1",
                "EXPLAIN (FORMAT JSON, COSTS OFF) SELECT 1",
                "SHOW server_version",
                "DISCARD ALL",
            ],
        );
    }),
    ("a transaction's characteristics are set behind a change of the path", |c| {
        each(
            c,
            &[
                "CREATE TABLE characterised (x int)",
                "BEGIN",
                "SET LOCAL search_path TO billing, public",
                "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE",
                "SAVEPOINT s",
                "SELECT count(*) FROM characterised",
                "SET TRANSACTION READ WRITE",
                "ROLLBACK TO s",
                "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
                "ROLLBACK",
                "BEGIN; SET LOCAL search_path TO billing",
                "SET LOCAL work_mem = '1MB'",
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                "SHOW transaction_isolation",
                "COMMIT",
            ],
        );
    }),
    ("cursors and statements that functions have made", |c| {
        each(
            c,
            &[
                "CREATE FUNCTION opens(refcursor) RETURNS refcursor LANGUAGE plpgsql AS
                 $$ BEGIN OPEN $1 FOR SELECT generate_series(1, 3); RETURN $1; END $$",
                "BEGIN",
                "SELECT opens('made')",
                "FETCH 2 FROM made",
                "MOVE made",
                "FETCH ALL FROM made",
                "FETCH ALL FROM not_made",
                "FETCH ALL FROM made",
                "ROLLBACK",
                "BEGIN; SELECT opens('again'); FETCH ALL FROM again; COMMIT",
                "DO $$ BEGIN EXECUTE 'PREPARE inside AS SELECT 42'; END $$",
                "EXECUTE inside",
                "EXECUTE not_inside",
                "PREPARE outside AS SELECT 1; EXECUTE outside; EXECUTE inside",
                "EXECUTE outside",
                "DEALLOCATE ALL",
            ],
        );
    }),
    ("LISTEN and NOTIFY to oneself", |c| {
        each(
            c,
            &[
                "LISTEN here",
                "NOTIFY here, 'one'",
                "BEGIN; NOTIFY here, 'two'; SELECT 1; COMMIT",
                "SELECT pg_notify('here', 'three')",
                "UNLISTEN here",
                "NOTIFY here",
            ],
        );
    }),
    ("messages sent before the answer to the last", |c| {
        let packet: Vec<Vec<u8>> =
            ["SELECT 1", "SELECT 1/0", "SELECT pg_sleep(0.05)", "SELECT 3"].map(raw::query).into();
        c.exchange(&packet, 4);
    }),
    ("a cancelled statement", |c| {
        c.send_bytes(&raw::query("SELECT pg_sleep(60)"));
        assert!(c.is_silent_for(std::time::Duration::from_millis(300)));
        c.cancel();
        c.read_until(b'Z');
        c.query("SELECT 'still here'");
    }),
    ("strings of every form", |c| {
        each(
            c,
            &[
                "SELECT E'a\\nb', $q$it's$q$, U&'d\\0061t\\+000061'",
                "SET standard_conforming_strings = on",
                "SELECT 'back\\slash'",
            ],
        );
    }),
];
