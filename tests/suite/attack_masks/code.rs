//! Rows from code that stands in the database: called by name, by operators, behind views.

use super::World;

const CODE: &str = "
    CREATE FUNCTION peek(i integer) RETURNS text LANGUAGE sql STABLE AS 'SELECT email FROM public.stored';
    CREATE FUNCTION pinned() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT email FROM public.stored';
    CREATE FUNCTION peek(i integer, j integer) RETURNS text LANGUAGE sql STABLE AS 'SELECT email FROM public.stored';
    CREATE FUNCTION peeks() RETURNS SETOF stored LANGUAGE sql STABLE AS 'TABLE public.stored';
    CREATE FUNCTION collect(s text, i integer) RETURNS text LANGUAGE sql STABLE AS 'SELECT email FROM public.stored';
    CREATE FUNCTION opens() RETURNS refcursor LANGUAGE plpgsql AS
        $$DECLARE k refcursor := 'k'; BEGIN OPEN k FOR TABLE public.stored; RETURN k; END$$;
    CREATE OPERATOR <<>> (LEFTARG = integer, RIGHTARG = integer, FUNCTION = peek);
    CREATE AGGREGATE collected (integer) (SFUNC = collect, STYPE = text);
    CREATE VIEW peeked AS SELECT peek(1) AS x;
    CREATE VIEW peeked_by AS SELECT n.id, 1 <<>> n.id AS x FROM notes n;
    CREATE TYPE pale AS ENUM ('a');
    CREATE FUNCTION pale_text(p pale) RETURNS text LANGUAGE sql STABLE AS 'SELECT email FROM public.stored';
    CREATE CAST (pale AS text) WITH FUNCTION pale_text(pale);
    CREATE PROCEDURE proc(INOUT x text) LANGUAGE sql AS 'SELECT email FROM public.stored';";

const CALLS: &[&str] = &[
    "SELECT peek(1)",
    "SELECT pinned()",
    "EXPLAIN (VERBOSE) SELECT pinned()",
    "SELECT 1 <<>> 2",
    "SELECT 1 OPERATOR(public.<<>>) 2",
    "SELECT * FROM peeks()",
    "SELECT (peeks()).email",
    "SELECT collected(id) FROM notes",
    "SELECT n.id.peek FROM notes n | SELECT x FROM peeked",
    "SELECT x FROM peeked",
    "SELECT x FROM peeked_by",
    "SELECT p.x FROM (SELECT * FROM peeked_by) p",
    "EXPLAIN (VERBOSE) SELECT * FROM notes WHERE body = pinned()",
    "SELECT 'a'::pale::text",
    "SELECT opens() | FETCH ALL FROM k",
    "CALL proc('x')",
    "INSERT INTO notes VALUES (9, peek(1)) RETURNING body",
    "CREATE TEMP TABLE t (id integer, x text DEFAULT peek(1)) | INSERT INTO t VALUES (1) | SELECT x FROM t",
    "CREATE TEMP TABLE t (id integer, x text DEFAULT peek(1)) | INSERT INTO t VALUES (1) RETURNING *",
    "CREATE TABLE IF NOT EXISTS u (id integer, x text DEFAULT peek(1)) | INSERT INTO u VALUES (1) RETURNING *",
    "SELECT i FROM notes n, LATERAL peek(n.id) i",
];

#[test]
fn no_code_shows_a_value() {
    let calls = CALLS.iter().filter(|call| !call.contains("n.id.peek"));
    World::start(CODE).shows(&calls.copied().collect::<Vec<_>>());
}
