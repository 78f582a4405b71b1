-- Class 15: one name, two meanings; and reads that need select though they look like nothing. Own texts over
-- schema.sql; valid on PostgreSQL 15. The mixes of protocol and SQL names are transcripts elsewhere.

-- name: deallocate and prepare another under the name
-- needs: dml
PREPARE q AS SELECT 1; DEALLOCATE q; PREPARE q AS DELETE FROM jobs; EXECUTE q

-- name: deallocate all and prepare another
-- needs: dml
PREPARE q AS SELECT 1; DEALLOCATE ALL; PREPARE q AS DELETE FROM jobs; EXECUTE q

-- name: discard plans keeps names
-- needs: dml
PREPARE q AS DELETE FROM jobs; DISCARD PLANS; EXECUTE q

-- name: a cursor closed and opened again
-- needs: select
BEGIN; DECLARE c CURSOR FOR SELECT 1; CLOSE c; DECLARE c CURSOR FOR SELECT * FROM customers; FETCH ALL FROM c

-- name: names in another case
-- needs: dml
PREPARE "Q" AS SELECT 1; PREPARE q AS DELETE FROM jobs; EXECUTE Q

-- name: move
-- needs: select
BEGIN; DECLARE c SCROLL CURSOR FOR SELECT * FROM customers; MOVE 5 IN c; FETCH PRIOR FROM c

-- name: explain analyze execute
-- needs: select
PREPARE q AS SELECT * FROM customers; EXPLAIN ANALYZE EXECUTE q

-- name: create table as execute
-- needs: ddl
PREPARE q AS SELECT 1 AS a; CREATE TABLE t AS EXECUTE q

-- name: table under a select of nothing
-- needs: select
SELECT FROM customers

-- name: exists
-- needs: select
SELECT EXISTS (SELECT FROM customers WHERE email LIKE 'a%')

-- name: read in order by
-- needs: select
SELECT 1 ORDER BY (SELECT max(email) FROM customers)

-- name: read in limit
-- needs: select
SELECT 1 LIMIT (SELECT count(*) FROM customers)

-- name: read in offset
-- needs: select
-- shows: done
SELECT 1 OFFSET (SELECT count(*) FROM customers)

-- name: read in values
-- needs: select
VALUES ((SELECT email FROM customers LIMIT 1))

-- name: read in a function's argument
-- needs: select
SELECT upper((SELECT email FROM customers LIMIT 1))

-- name: read in an array
-- needs: select
SELECT ARRAY(SELECT email FROM customers)

-- name: read in a join of catalogs
-- needs: select
SELECT relname FROM pg_class JOIN (TABLE customers) c ON true

-- name: read in a lateral
-- needs: select
SELECT * FROM pg_namespace n, LATERAL (SELECT email FROM customers LIMIT 1) x

-- name: read in a window's order
-- needs: select
SELECT row_number() OVER (ORDER BY (SELECT email FROM customers LIMIT 1)) FROM pg_am

-- name: read in a filter
-- needs: select
SELECT count(*) FILTER (WHERE (SELECT true FROM customers LIMIT 1)) FROM pg_am

-- name: read in a having
-- needs: select
SELECT 1 HAVING (SELECT count(*) FROM customers) > 5

-- name: read in a case
-- needs: select
SELECT CASE WHEN 1 = 1 THEN (SELECT email FROM customers LIMIT 1) END

-- name: read in a table sample
-- needs: select
SELECT * FROM customers TABLESAMPLE SYSTEM ((SELECT 100))

-- name: read through a sequence
-- needs: select
SELECT * FROM invoice_number

-- name: read through a view
-- needs: select
SELECT * FROM active_customers

-- name: read a partition
-- needs: select
SELECT * FROM events_2024

-- name: read only the parent
-- needs: select
-- shows: done
SELECT * FROM ONLY events

-- name: read a composite by its star
-- needs: select
SELECT (customers).* FROM customers

-- name: read by a statement prepared long before
-- needs: select
PREPARE q (text) AS SELECT max(email) FROM customers WHERE name < $1; SELECT 1; EXECUTE q (current_user || 'x')

-- name: read in a set of constants
-- needs: select
-- shows: done
SELECT 1 UNION SELECT 2 EXCEPT SELECT id FROM orders

-- name: read in the index of an array
-- needs: select
SELECT (ARRAY[1, 2, 3])[(SELECT count(*) FROM departments)]

-- name: read in a default of a row
-- needs: select
SELECT * FROM (VALUES (1, (SELECT max(id) FROM orders))) v(a, b)

-- name: read in a recursive arm
-- needs: select
WITH RECURSIVE r AS (SELECT 1::bigint AS n UNION ALL SELECT c.id FROM r, customers c WHERE r.n = 1 AND c.id > 1) SELECT * FROM r

-- name: copy needs export too
-- needs: export
COPY customers TO STDOUT

-- name: copy of constants needs export too
-- needs: export
COPY (SELECT email FROM customers) TO STDOUT
