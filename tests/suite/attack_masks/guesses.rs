//! One bit at a time: what a statement says differs by whether a guess is right.

use super::World;

const GUESSES: &[(&str, [&str; 2])] = &[
    // Rows that are there or not.
    ("SELECT id FROM customers WHERE credit > {}", ["7000", "7800"]),
    ("SELECT id FROM customers WHERE id = 900001 AND email LIKE '{}%'", ["ann.k", "ann.l"]),
    ("SELECT id FROM customers WHERE id = 900001 AND email ~ '^{}'", ["ann.k", "ann.l"]),
    ("SELECT count(*) FILTER (WHERE credit > {}) FROM customers", ["7000", "7800"]),
    (
        "SELECT n.id FROM notes n WHERE EXISTS (SELECT FROM customers WHERE credit > {})",
        ["7000", "7800"],
    ),
    (
        "SELECT count(*) FROM customers c JOIN (VALUES ('{}')) v (m) ON v.m || '.kn4ry@example.org' = c.email",
        ["ann", "bob"],
    ),
    ("SELECT id FROM customers WHERE (id, credit) > (900001, {})", ["7000", "7800"]),
    ("SELECT country FROM customers GROUP BY country HAVING max(credit) > {}", ["7000", "7800"]),
    ("UPDATE notes SET body = 'x' FROM customers WHERE credit > {}", ["7000", "7800"]),
    ("DELETE FROM customers WHERE id = 900001 AND credit > {}", ["7000", "7800"]),
    (
        "MERGE INTO notes n USING customers c ON n.id = 1 AND c.id = 900001 WHEN MATCHED AND c.credit > {} THEN DELETE",
        ["7000", "7800"],
    ),
    (
        "WITH d AS (DELETE FROM customers WHERE id = 900001 AND credit > {} RETURNING 1) SELECT count(*) FROM d",
        ["7000", "7800"],
    ),
    ("COPY (SELECT id FROM customers WHERE credit > {}) TO STDOUT", ["7000", "7800"]),
    // Of more values than can be known.
    (
        "SELECT id FROM customers WHERE email = 'a' OR email = 'b' OR email = 'c' OR email = 'd' OR email = 'e' OR email = '{}.kn4ry@example.org'",
        ["ann", "bob"],
    ),
    (
        "SELECT id FROM customers WHERE email IN ('a', 'b', 'c') UNION ALL SELECT id FROM customers WHERE email IN ('d', 'e', '{}.kn4ry@example.org')",
        ["ann", "bob"],
    ),
    // What fails because of what stands beside it.
    ("SELECT email LIKE '{}\\' FROM customers WHERE id = 900001", ["ann.k", "bob"]),
    ("SELECT email ILIKE E'{}\\\\' FROM customers WHERE id = 900001", ["ann.k", "bob"]),
    ("SELECT split_part(email, '@', position('{}' IN email) - 1) FROM stored", ["ann", "bob"]),
    ("SELECT substring(email, 1, position('{}' IN email) - 1) FROM stored", ["ann", "bob"]),
    ("SELECT to_char(credit::int, '9V{}') FROM stored", ["9", "999999"]),
    (
        "SELECT replace(email, '{}', repeat('x', 300000000)) || repeat('x', 800000000) IS NULL FROM stored",
        ["ann", "bob"],
    ),
    (
        "SELECT json_build_object(nullif(email, '{}.kn4ry@example.org'), 1) FROM stored",
        ["ann", "bob"],
    ),
    (
        "SELECT json_object_agg(nullif(email, '{}.kn4ry@example.org'), 1) FROM stored",
        ["ann", "bob"],
    ),
    ("SELECT format('%I', nullif(email, '{}.kn4ry@example.org')) FROM stored", ["ann", "bob"]),
    ("SELECT (credit * {})::numeric(10, 2) FROM stored", ["1", "99999999"]),
    ("SELECT credit * 1e131060 * {} FROM stored", ["1", "1e20"]),
    ("SELECT length(email) * {} FROM stored", ["1", "999999999"]),
    (
        "SELECT CASE WHEN credit > {} THEN full_name::date END FROM customers WHERE id = 900001",
        ["7000", "7800"],
    ),
    (
        "CREATE DOMAIN avg AS text CHECK (VALUE <> '{}.kn4ry@example.org') | SELECT avg(email) FROM stored",
        ["ann", "bob"],
    ),
    (
        "CREATE DOMAIN sign AS text CHECK (VALUE <> '{}.kn4ry@example.org') | SELECT sign(email) FROM stored",
        ["ann", "bob"],
    ),
    (
        "CREATE DOMAIN sm AS text CHECK (VALUE <> '{}.kn4ry@example.org') | ALTER DOMAIN sm RENAME TO sum | SELECT sum(email) FROM stored",
        ["ann", "bob"],
    ),
    // Through a view of a moment ago.
    (
        "CREATE VIEW v AS SELECT id, email FROM customers | SELECT id FROM v WHERE email LIKE '{}%'",
        ["ann.k", "bob"],
    ),
    (
        "CREATE TEMP VIEW v AS SELECT id FROM customers WHERE credit > {} | SELECT count(*) FROM v",
        ["7000", "7800"],
    ),
    (
        "CREATE VIEW v AS SELECT id, city FROM customers | CREATE OR REPLACE VIEW v AS SELECT id, email::text AS city FROM customers | SELECT city > '{}' FROM v WHERE id = 900001",
        ["a", "b"],
    ),
    // NULL or not.
    ("SELECT NULLIF(credit, {}) FROM customers WHERE id = 900001", ["7777.77", "7777.78"]),
    ("SELECT CASE WHEN email > '{}' THEN 'x' END FROM customers WHERE id = 900001", ["a", "b"]),
    (
        "SELECT id FROM (SELECT id, CASE WHEN credit > {} THEN 1 END AS n FROM customers) s WHERE n IS NOT NULL",
        ["7000", "7800"],
    ),
    (
        "SELECT n IS NULL FROM (SELECT id, NULLIF(credit, {}) AS n FROM customers) s WHERE id = 900001",
        ["7777.77", "7777.78"],
    ),
    (
        "SELECT count(n) FROM (SELECT CASE WHEN credit > {} THEN 1 END AS n FROM customers) s",
        ["7000", "7800"],
    ),
    (
        "SELECT s IS NULL FROM (SELECT CASE WHEN credit > {} THEN 1 END FROM customers WHERE id = 900001) s",
        ["7000", "7800"],
    ),
    (
        "WITH w AS (SELECT id, NULLIF(email, '{}.kn4ry@example.org') AS n FROM customers) SELECT id FROM w WHERE n IS NULL",
        ["ann", "bob"],
    ),
    // It fails or not.
    ("SELECT 1 / (credit - {}) FROM customers WHERE id = 900001", ["7777.77", "1"]),
    (
        "SELECT CASE WHEN credit > {} THEN 1 / (id - id) ELSE 1 END FROM customers WHERE id = 900001",
        ["7000", "7800"],
    ),
    (
        "SELECT CASE WHEN credit > {} THEN (SELECT id FROM notes) END FROM customers WHERE id = 900001",
        ["7000", "7800"],
    ),
    (
        "SELECT coalesce(NULLIF(credit > {}, true), (SELECT id > 0 FROM notes)) FROM customers WHERE id = 900001",
        ["7000", "7800"],
    ),
    (
        "SELECT credit > {} AND (SELECT id > 0 FROM notes) FROM customers WHERE id = 900001",
        ["7000", "7800"],
    ),
    (
        "SELECT CASE WHEN credit > {} THEN x.f END FROM customers c, LATERAL (SELECT 1 / (c.id - c.id) AS f) x WHERE c.id = 900001",
        ["7000", "7800"],
    ),
    (
        "SELECT CASE WHEN c.credit > {} THEN f.f END FROM customers c JOIN fails f USING (id) WHERE c.id = 900001",
        ["7000", "7800"],
    ),
    (
        "SELECT CASE WHEN credit > {} THEN EXISTS (SELECT FROM notes n WHERE 1 / (n.id - n.id) = 1) END FROM customers WHERE id = 900001",
        ["7000", "7800"],
    ),
    (
        "CREATE DOMAIN public.text AS pg_catalog.text CHECK (VALUE !~ '^{}') | SELECT email::public.text FROM customers WHERE id = 900001",
        ["ann", "bob"],
    ),
    ("SELECT replace(email, '{}', '1')::int FROM stored", ["ann.kn4ry@example.org", "ann"]),
    // How many rows.
    (
        "SELECT generate_series(1, credit::int - {}) FROM customers WHERE id = 900001",
        ["7776", "7778"],
    ),
    (
        "SELECT g FROM customers c, generate_series({}, c.credit::int) g WHERE c.id = 900001",
        ["7777", "7779"],
    ),
    ("SELECT id FROM notes LIMIT (SELECT credit::int - {} FROM stored)", ["7777", "7778"]),
    ("SELECT id FROM notes OFFSET (SELECT credit::int - {} FROM stored)", ["7777", "7778"]),
    (
        "SELECT unnest(CASE WHEN credit > {} THEN ARRAY[1, 2] ELSE ARRAY[1] END) FROM stored",
        ["7000", "7800"],
    ),
    (
        "SELECT count(*) FROM notes TABLESAMPLE BERNOULLI ((SELECT least(100, greatest(0, credit - {})) FROM stored))",
        ["7000", "7800"],
    ),
    // In which order.
    ("SELECT id FROM customers WHERE id >= 900001 ORDER BY email > '{}' DESC", ["~", "b"]),
    ("SELECT DISTINCT credit > {} FROM customers WHERE id >= 900000", ["7000", "-1"]),
    ("SELECT rank() OVER (ORDER BY credit > {}) FROM customers WHERE id >= 900000", ["7000", "-1"]),
    (
        "SELECT sum(1) OVER (PARTITION BY credit > {} ORDER BY id) FROM customers WHERE id >= 900000",
        ["7000", "-1"],
    ),
    ("SELECT count(DISTINCT credit > {}) FROM customers WHERE id >= 900000", ["7000", "-1"]),
    (
        "SELECT string_agg(id::text, ',' ORDER BY credit > {}, id) FROM customers WHERE id >= 900001",
        ["7000", "-1"],
    ),
    // DISTINCT ON and ORDER BY look for outputs first, by number, by name, by a name that is made up.
    (
        "SELECT DISTINCT ON (2) id, e FROM (SELECT id, email AS e FROM stored UNION ALL SELECT -1, '{}.kn4ry@example.org') s",
        ["ann", "bob"],
    ),
    (
        "SELECT DISTINCT ON (k) id, e AS k FROM (SELECT 1 AS k, id, email AS e FROM stored UNION ALL SELECT 1, -1, '{}.kn4ry@example.org') s",
        ["ann", "bob"],
    ),
    (
        "SELECT s.id, upper(e) FROM (SELECT id, email AS e FROM stored UNION ALL SELECT -1, '{}') s, (SELECT 1 AS upper) u ORDER BY upper",
        ["aa", "bb"],
    ),
    (
        "SELECT s.id, (SELECT e AS upper) FROM (SELECT id, email AS e FROM stored UNION ALL SELECT -1, '{}') s, (SELECT 1 AS upper) u ORDER BY upper",
        ["aa", "bb"],
    ),
    (
        "SELECT s.id, e::varchar::\"char\"::text FROM (SELECT id, email AS e FROM stored UNION ALL SELECT -1, '{}') s, (SELECT 1 AS text) u ORDER BY 2",
        ["aa", "bb"],
    ),
    (
        "SELECT s.id, CASE WHEN true THEN e END FROM (SELECT id, email AS e FROM stored UNION ALL SELECT -1, '{}') s, (SELECT 1 AS \"case\") u ORDER BY \"case\"",
        ["aa", "bb"],
    ),
    // A cycle ends by what is alike.
    (
        "WITH RECURSIVE w (i, e) AS (SELECT 0, '{}.kn4ry@example.org' UNION ALL SELECT w.i + 1, c.email FROM w, stored c WHERE w.i < 5) CYCLE e SET is_cycle USING path SELECT 1 FROM w",
        ["ann", "bob"],
    ),
    // A sum leaves the range of its type.
    (
        "SELECT avg(x) FROM (SELECT worked AS x FROM shifts UNION ALL SELECT make_interval(months => 2147483647 - {})) s",
        ["6", "8"],
    ),
    // What is there already stands in the way, of many at once.
    (
        "INSERT INTO shifts (id, badge) SELECT i + 10, 'badge ' || (i + {}) FROM generate_series(1, 6) i ON CONFLICT DO NOTHING RETURNING id",
        ["1", "10"],
    ),
    (
        "INSERT INTO shifts (id, badge) SELECT i + 10, 'badge ' || (i + {}) FROM generate_series(1, 6) i ON CONFLICT (badge) DO NOTHING",
        ["1", "10"],
    ),
    (
        "INSERT INTO shifts (id, badge) SELECT i + 10, 'badge ' || (i + {}) FROM generate_series(1, 6) i ON CONFLICT ON CONSTRAINT shifts_badge_key DO UPDATE SET id = shifts.id RETURNING id",
        ["1", "10"],
    ),
    (
        "INSERT INTO shifts (id, badge) VALUES (11, 'a'), (12, 'b'), (13, 'c'), (14, 'd'), (15, 'e'), (16, 'badge {}') ON CONFLICT (badge) DO NOTHING",
        ["7", "10"],
    ),
    (
        "INSERT INTO shifts VALUES (11, NULL, 'a'), (12, NULL, 'b'), (13, NULL, 'c'), (14, NULL, 'd'), (15, NULL, 'e'), (16, NULL, 'badge {}') ON CONFLICT DO NOTHING",
        ["7", "10"],
    ),
    (
        "INSERT INTO shifts (id, badge) SELECT i + 10, 'BADGE ' || (i + {}) FROM generate_series(1, 6) i ON CONFLICT (lower(badge)) DO NOTHING",
        ["1", "10"],
    ),
    // NATURAL joins by names that nobody has seen.
    (
        "SELECT count(*) FROM (SELECT credit > {} AS b, 1 + 1 FROM customers WHERE id = 900001) a NATURAL JOIN (VALUES (true)) v (b)",
        ["7000", "7800"],
    ),
    (
        "SELECT count(*) FROM generate_series(1, 1) g NATURAL JOIN (SELECT (credit > {})::int AS g, 2 FROM stored) q",
        ["7000", "7800"],
    ),
    (
        "SELECT id FROM public.customers WHERE id = 900001 AND EXISTS (SELECT FROM (SELECT 1 AS credit) customers WHERE public.customers.credit > {})",
        ["7000", "7800"],
    ),
    // In its plan.
    (
        "EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) SELECT CASE WHEN credit > {} THEN (SELECT count(*) FROM notes) END FROM customers WHERE id = 900001",
        ["7000", "7800"],
    ),
    (
        "EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) SELECT id FROM customers WHERE id = 900001 AND credit > {}",
        ["7000", "7800"],
    ),
    // By what is defined.
    ("ALTER TABLE customers ADD CHECK (credit < {})", ["7000", "7800"]),
    ("CREATE INDEX ON customers ((1 / (credit - {})))", ["7777.77", "1"]),
    ("CREATE VIEW v AS SELECT id FROM customers WHERE credit > {} | TABLE v", ["7000", "7800"]),
];

const SHIFTS: &str = "
    CREATE TABLE shifts (id integer PRIMARY KEY, worked interval, badge text UNIQUE);
    CREATE UNIQUE INDEX ON shifts (lower(badge));
    INSERT INTO shifts VALUES (1, '7 months', 'badge 7');";

#[test]
fn no_guess_is_told_to_be_right() {
    World::start(SHIFTS).tells(GUESSES);
}
