-- Class 1: writes inside reads. Own texts over schema.sql; valid on PostgreSQL 15 (MERGE from 15 on).
-- `needs` is the least that must be held: none of these may pass under select, export, info and explain.

-- name: delete in an expression
-- needs: dml
WITH gone AS (DELETE FROM jobs WHERE id > 0 RETURNING *) SELECT * FROM gone

-- name: insert in an expression that nobody reads
-- needs: dml
WITH w AS (INSERT INTO audit_notes (what) VALUES ('x')) SELECT 1

-- name: update in the second expression
-- needs: dml
WITH a AS (SELECT 1), b AS (UPDATE customers SET name = name RETURNING id) SELECT * FROM a

-- name: delete in a nested expression of a recursive one
-- needs: dml
WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3), d AS (DELETE FROM jobs WHERE id IN (SELECT i FROM n) RETURNING id) SELECT count(*) FROM d

-- name: copy of a data-modifying expression
-- needs: dml
COPY (WITH d AS (DELETE FROM jobs RETURNING id) SELECT * FROM d) TO STDOUT

-- name: copy of an insert
-- needs: dml
COPY (INSERT INTO audit_notes (what) VALUES ('x') RETURNING id) TO STDOUT

-- name: copy of an update
-- needs: dml
COPY (UPDATE customers SET name = name RETURNING email) TO STDOUT

-- name: copy of a delete
-- needs: dml
COPY (DELETE FROM jobs RETURNING id) TO STDOUT (FORMAT binary)

-- name: explain analyze delete
-- needs: dml
EXPLAIN ANALYZE DELETE FROM jobs

-- name: explain with analyze among the options
-- needs: dml
EXPLAIN (COSTS off, ANALYZE true, TIMING off) UPDATE customers SET name = name

-- name: explain analyze as 1
-- needs: dml
EXPLAIN (ANALYZE 1) INSERT INTO audit_notes (what) VALUES ('x')

-- name: explain analyze as on
-- needs: dml
EXPLAIN (ANALYZE on, VERBOSE) DELETE FROM jobs

-- name: explain analyze with the option given twice
-- needs: dml
EXPLAIN (ANALYZE off, ANALYZE) DELETE FROM jobs

-- name: explain analyze verbose, old syntax
-- needs: dml
EXPLAIN ANALYZE VERBOSE DELETE FROM jobs

-- name: explain analyze create table as
-- needs: ddl
EXPLAIN ANALYZE CREATE TABLE copied AS SELECT * FROM customers

-- name: explain analyze of a prepared write
-- needs: dml
PREPARE w AS DELETE FROM jobs; EXPLAIN ANALYZE EXECUTE w

-- name: merge
-- needs: dml
MERGE INTO stock s USING products p ON p.id = s.product_id WHEN MATCHED THEN UPDATE SET quantity = 0

-- name: prepare a delete and run it
-- needs: dml
PREPARE d AS DELETE FROM jobs WHERE id = $1; EXECUTE d(1)

-- name: select for update
-- needs: dml
SELECT * FROM orders WHERE id = 1 FOR UPDATE

-- name: select for no key update
-- needs: dml
SELECT * FROM orders FOR NO KEY UPDATE SKIP LOCKED

-- name: select for share
-- needs: dml
SELECT * FROM orders FOR SHARE NOWAIT

-- name: select for key share of one table
-- needs: dml
SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id FOR KEY SHARE OF o

-- name: for update inside a subquery
-- needs: dml
SELECT count(*) FROM (SELECT * FROM jobs FOR UPDATE) x

-- name: for update inside an expression
-- needs: dml
WITH j AS MATERIALIZED (SELECT id FROM jobs LIMIT 1 FOR UPDATE SKIP LOCKED) SELECT * FROM j

-- name: declare a locking cursor
-- needs: dml
BEGIN; DECLARE c CURSOR FOR SELECT * FROM jobs FOR UPDATE; FETCH c

-- name: delete where current of
-- needs: dml
BEGIN; DECLARE c CURSOR FOR SELECT * FROM jobs FOR UPDATE; FETCH c; DELETE FROM jobs WHERE CURRENT OF c

-- name: delete in parentheses of a union arm
-- needs: dml
WITH d AS (DELETE FROM jobs RETURNING id) (SELECT id FROM d) UNION ALL (SELECT 1)

-- name: insert as the body of a with
-- needs: dml
WITH s AS (SELECT 'x' AS w) INSERT INTO audit_notes (what) SELECT w FROM s

-- name: update with a from clause in an expression inside exists
-- needs: dml
WITH u AS (UPDATE orders o SET note = c.name FROM customers c WHERE c.id = o.customer_id RETURNING o.id) SELECT EXISTS (SELECT FROM u)

-- name: write through a view
-- needs: dml
UPDATE active_customers SET name = 'x' WHERE id = 1

-- name: insert through a view in an expression
-- needs: dml
WITH i AS (INSERT INTO active_customers (id, name, email, country) VALUES (9999, 'x', 'x@x', 'DE')) SELECT 1

-- name: refresh
-- needs: dml
REFRESH MATERIALIZED VIEW monthly_sales

-- name: lock table
-- needs: dml
LOCK TABLE orders IN ROW EXCLUSIVE MODE

-- name: lock table without a mode
-- needs: dml
LOCK orders

-- name: lock several, the second matters as much
-- needs: dml
LOCK TABLE customers, orders IN SHARE MODE

-- name: notify
-- needs: dml
-- shows: done
NOTIFY orders_changed, 'x'

-- name: truncate
-- needs: ddl
TRUNCATE jobs

-- name: analyze
-- needs: ddl
ANALYZE orders

-- name: comment that the server ends elsewhere
-- needs: dml
SELECT 1 /* nested /* comment */ still inside */; DELETE FROM jobs --
