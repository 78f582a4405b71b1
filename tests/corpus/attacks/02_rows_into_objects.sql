-- Class 2: rows turned into objects or files. Own texts over schema.sql; valid on PostgreSQL 15.

-- name: select into
-- needs: ddl
SELECT * INTO copied FROM customers

-- name: select into a temporary table
-- needs: ddl
SELECT * INTO TEMP copied FROM customers

-- name: select into unlogged in the first arm
-- needs: ddl
SELECT id INTO UNLOGGED copied FROM customers UNION ALL SELECT id FROM orders

-- name: select into in parentheses
-- needs: ddl
(SELECT id INTO copied FROM customers)

-- name: select into after an expression
-- needs: ddl
WITH x AS (SELECT 1 AS a) SELECT a INTO copied FROM x

-- name: explain analyze select into
-- needs: ddl
EXPLAIN ANALYZE SELECT * INTO copied FROM customers

-- name: create table as
-- needs: ddl
CREATE TABLE copied AS SELECT * FROM customers

-- name: create table as with parentheses and no data
-- needs: ddl
CREATE TABLE copied AS (SELECT * FROM customers) WITH NO DATA

-- name: create temporary table as table
-- needs: ddl
CREATE TEMP TABLE copied AS TABLE customers

-- name: create table as values
-- needs: ddl
CREATE TABLE copied (a) AS VALUES (1)

-- name: create table as execute
-- needs: ddl
PREPARE q AS SELECT * FROM customers; CREATE TABLE copied AS EXECUTE q

-- name: create table if not exists as
-- needs: ddl
CREATE TABLE IF NOT EXISTS copied AS SELECT 1

-- name: create materialized view
-- needs: ddl
CREATE MATERIALIZED VIEW copied AS SELECT * FROM customers

-- name: create view
-- needs: ddl
CREATE VIEW copied AS SELECT * FROM customers

-- name: create recursive view
-- needs: ddl
CREATE RECURSIVE VIEW numbers (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < 9

-- name: create schema with elements
-- needs: ddl
CREATE SCHEMA loot CREATE TABLE t (a int) CREATE VIEW v AS SELECT * FROM public.customers

-- name: temporary table to shadow
-- needs: ddl
CREATE TEMP TABLE orders (LIKE customers INCLUDING ALL)

-- name: insert select
-- needs: dml
INSERT INTO audit_notes (what) SELECT email FROM customers

-- name: insert table
-- needs: dml
INSERT INTO metrics TABLE metrics

-- name: copy to a file
-- shows: done
COPY customers TO '/dev/null'

-- name: copy of a query to a file
-- shows: done
COPY (SELECT * FROM customers) TO '/dev/null' WITH (FORMAT csv)

-- name: copy to a program
-- shows: done
COPY customers TO PROGRAM 'cat > /dev/null'

-- name: copy from a file
COPY audit_notes (what) FROM '/etc/hostname'

-- name: copy from a program
COPY audit_notes (what) FROM PROGRAM 'id'

-- name: copy from a program in the old syntax
COPY audit_notes (what) FROM PROGRAM 'id' WITH DELIMITER '|' CSV

-- name: rows to a large object
SELECT lo_from_bytea(0, convert_to(string_agg(email, ','), 'UTF8')) FROM customers

-- name: large object to a file
-- shows: rows
SELECT lo_export(4711, '/dev/null')

-- name: rows to a channel
-- needs: dml
-- shows: rows
SELECT pg_notify('out', email) FROM customers

-- name: rows to a sequence
-- needs: dml
SELECT setval('invoice_number', id) FROM customers

-- name: rows to a sequence by oid
-- needs: dml
SELECT setval('invoice_number'::regclass::oid::regclass, 5, true)

-- name: rows to the log of changes
-- shows: rows
SELECT pg_logical_emit_message(false, 'x', email) FROM customers

-- name: rows to lock numbers
-- needs: dml
SELECT pg_advisory_lock(hashtext(email)) FROM customers LIMIT 1
