-- Class 14: names that mean something else by the time they run. Own texts over schema.sql and attack_objects.sql;
-- valid on PostgreSQL 15. Each is one simple Query: what its last statement reads or calls is what counts.

-- name: search path in front of the catalog
SET search_path = evil, pg_catalog, public; SELECT lower(name) FROM customers

-- name: search path in front of the catalog, an operator
SET search_path = evil, pg_catalog; SELECT 1 + 1

-- name: search path in front of the catalog, a relation
-- needs: select
-- shows: done
SET search_path = evil, pg_catalog; SELECT relname FROM pg_class

-- name: search path, local
BEGIN; SET LOCAL search_path TO evil, pg_catalog, public; SELECT lower('X')

-- name: the path that a rollback brings back
-- shows: rows
BEGIN; SET search_path = evil, public; SAVEPOINT a; SET search_path = public; ROLLBACK TO a; SELECT * FROM orders

-- name: the path that a commit ends
SET search_path = evil, public; BEGIN; SET LOCAL search_path = public; COMMIT; SELECT * FROM orders

-- name: the path that discard brings back
-- needs: select
-- shows: error 25001
DISCARD ALL; SELECT * FROM orders

-- name: temporary table over a catalog
-- needs: ddl
CREATE TEMP TABLE pg_class AS SELECT email FROM customers; SELECT * FROM pg_class

-- name: temporary view over a table
-- needs: ddl
CREATE TEMP VIEW orders AS SELECT * FROM public.customers; SELECT * FROM orders

-- name: rename a table under a reader
-- needs: ddl
ALTER TABLE departments RENAME TO old_departments; ALTER TABLE employees RENAME TO departments; SELECT * FROM departments

-- name: rename and roll back
-- needs: ddl
BEGIN; ALTER TABLE departments RENAME TO d2; ROLLBACK; SELECT * FROM departments

-- name: rename a function
ALTER FUNCTION lying(text) RENAME TO lower; SELECT lower('x')

-- name: move a function to another schema
ALTER FUNCTION evil.length(integer) SET SCHEMA public; SELECT length(1)

-- name: an expression named like a catalog
-- needs: select
WITH pg_class AS (SELECT email AS relname FROM customers) SELECT relname FROM pg_class

-- name: an alias named like a catalog
-- needs: select
SELECT pg_class.email FROM customers AS pg_class

-- name: a table in another schema of the same name as a catalog
-- needs: select
-- shows: done
SELECT * FROM evil.pg_class

-- name: a catalog-like name in quotes is another table
-- needs: select
-- shows: done
SELECT * FROM "evil"."pg_class"

-- name: three-part name
-- needs: select
-- shows: error 0A000
SELECT * FROM shop.public.customers

-- name: name cut at 63 bytes
-- needs: select
-- shows: error 42P01
SELECT * FROM customers_with_a_very_long_name_that_the_server_cuts_at_sixty_three_bytes

-- name: prepared under one path, run under another
PREPARE q AS SELECT id FROM orders; SET search_path = evil, public; EXECUTE q

-- name: function with a path of its own
-- shows: rows
SELECT evil.count_all('x')

-- name: credentials behind a function that may have moved the path
-- shows: rows
SELECT steady(); SELECT rolname, rolpassword FROM pg_authid

-- name: other people's SQL behind a function that may have moved the path
-- shows: rows
SELECT steady(); SELECT query FROM pg_stat_activity

-- name: values behind a function that may have moved the path
-- shows: rows
SELECT steady(); SELECT most_common_vals FROM pg_stats WHERE most_common_vals IS NOT NULL

-- name: a table elsewhere that is called like a catalog of values
CREATE TABLE evil.pg_stats (a integer); SELECT most_common_vals FROM pg_stats WHERE most_common_vals IS NOT NULL

-- name: a table called like a catalog, dropped again
CREATE TABLE evil.pg_authid (a integer); DROP TABLE evil.pg_authid; SELECT rolpassword FROM pg_authid

-- name: a view that calls, with a comment on it
COMMENT ON VIEW honest_view IS 'mine'; SELECT * FROM honest_view

-- name: a view that calls, under another name
ALTER VIEW honest_view RENAME TO other_view; SELECT * FROM other_view

-- name: a view that calls, in another schema
ALTER VIEW honest_view SET SCHEMA evil; SELECT * FROM evil.honest_view

-- name: a view that calls, in a schema of another name
ALTER VIEW honest_view SET SCHEMA evil; ALTER SCHEMA evil RENAME TO good; SELECT * FROM good.honest_view

-- name: prepared before the schema changed
PREPARE q AS SELECT id FROM orders; CREATE TABLE evil.more (a integer); EXECUTE q

-- name: prepared before a temporary table goes
-- shows: done
PREPARE q AS SELECT id FROM orders; DISCARD TEMP; EXECUTE q
