-- What applications, tools and people change in a session where some columns are masked.

-- name: an upsert that returns the row
-- comes: masked 2
INSERT INTO customers (id, full_name, email, country, city) VALUES (2, 'x', 'x2@example.org', 'DE', 'Senden') ON CONFLICT (id) DO UPDATE SET city = excluded.city WHERE customers.city IS DISTINCT FROM excluded.city RETURNING id, email, city

-- name: an upsert that adds up
-- comes: identical
INSERT INTO products AS p (sku, name, price) VALUES ('SKU-0005', 'x', 1) ON CONFLICT (sku) DO UPDATE SET price = p.price + excluded.price RETURNING p.id, p.price, (xmax = 0) AS inserted

-- name: an upsert by the name of a constraint
-- comes: identical
INSERT INTO products (sku, name, price) VALUES ('SKU-0006', 'y', 2) ON CONFLICT ON CONSTRAINT products_sku_key DO NOTHING RETURNING id

-- name: an insert from a list with types
-- comes: identical
INSERT INTO products (sku, name, price) SELECT v.sku, v.name, v.price FROM (VALUES ('T-1', 'a', 1.5), ('T-2', 'b', 2.5)) AS v (sku, name, price) RETURNING sku, price

-- name: an insert from arrays
-- comes: identical
INSERT INTO products (sku, name, price) SELECT * FROM unnest(ARRAY['T-3', 'T-4'], ARRAY['c', 'd'], ARRAY[3.5, 4.5]::numeric[]) RETURNING sku, name

-- name: an insert of a row from json
-- comes: identical
INSERT INTO products (sku, name, price) SELECT sku, name, price FROM json_to_record('{"sku": "T-5", "name": "e", "price": 5.5}') AS r (sku text, name text, price numeric) RETURNING sku

-- name: an insert where none is yet
-- comes: identical
INSERT INTO products (sku, name, price) SELECT 'T-6', 'f', 6 WHERE NOT EXISTS (SELECT 1 FROM products WHERE sku = 'T-6') RETURNING sku

-- name: an ORM's insert with all columns back
-- comes: masked 3,4
INSERT INTO "customers" ("full_name", "email", "phone", "birth_date", "country", "city", "created_at") VALUES ('Uwe Stern', 'uwe@example.org', '+49 30 3', NULL, 'DE', 'Ulm', '2025-01-01') RETURNING "customers"."id", "customers"."full_name", "customers"."email", "customers"."phone"

-- name: an ORM's bulk insert
-- comes: identical
INSERT INTO "customers" ("full_name", "email", "country", "city", "created_at") VALUES ('A', 'a2@example.org', 'DE', 'Ulm', '2025-01-01'), ('B', 'b2@example.org', 'FR', 'Lyon', '2025-01-01'), ('C', 'c2@example.org', 'NL', 'Delft', '2025-01-01') RETURNING "customers"."id"

-- name: an ORM's save of changed columns
-- comes: identical
UPDATE "customers" SET "city" = 'Jena', "newsletter" = true WHERE "customers"."id" = 21

-- name: an ORM's touch
-- comes: identical
UPDATE "customers" SET "created_at" = '2025-02-03 04:05:06.000789' WHERE "customers"."id" = 22

-- name: an ORM's counter
-- comes: identical
UPDATE "customers" SET "credit" = COALESCE("credit", 0) + 1 WHERE "customers"."id" = 23 RETURNING "credit"

-- name: an ORM's change with a case for each row
-- comes: identical
UPDATE "customers" SET "city" = CASE WHEN ("customers"."id" = 24) THEN 'Celle' WHEN ("customers"."id" = 25) THEN 'Emden' ELSE NULL END WHERE "customers"."id" IN (24, 25)

-- name: an update from a list
-- comes: identical
UPDATE customers AS c SET city = v.city FROM (VALUES (26, 'Worms'), (27, 'Speyer')) AS v (id, city) WHERE v.id = c.id RETURNING c.id, c.city

-- name: an update from a named query
-- comes: masked 2
WITH big AS (SELECT customer_id, sum(total) AS spent FROM orders GROUP BY customer_id) UPDATE customers c SET credit = c.credit + 1 FROM big b WHERE b.customer_id = c.id AND c.id IN (28, 29) RETURNING c.id, c.email, b.spent

-- name: an update by a join of several tables
-- comes: identical
UPDATE orders o SET note = p.method FROM payments p JOIN customers c ON true WHERE p.order_id = o.id AND c.id = o.customer_id AND c.country = 'PL' AND o.id < 100

-- name: an update by a list of what others say
-- comes: identical
UPDATE products SET (name, price) = (SELECT 'same', avg(price) FROM products p2 WHERE p2.id < 5) WHERE id = 6 RETURNING id, name

-- name: an update of json
-- comes: identical
UPDATE products SET attributes = jsonb_set(attributes, '{colour}', '"pink"') || '{"checked": true}' WHERE id = 7 RETURNING attributes

-- name: an update of an array
-- comes: identical
UPDATE products SET tags = array_append(tags, 'seen'), name = upper(name) WHERE id = 8 RETURNING tags, name

-- name: an update in batches
-- comes: identical
WITH batch AS (SELECT id FROM customers WHERE newsletter ORDER BY id LIMIT 5 FOR UPDATE) UPDATE customers SET newsletter = false FROM batch WHERE batch.id = customers.id RETURNING customers.id

-- name: a delete by a join
-- comes: identical
DELETE FROM order_items i USING orders o JOIN customers c ON c.id = o.customer_id WHERE o.id = i.order_id AND c.id = 30 RETURNING i.order_id, i.position

-- name: a delete of duplicates
-- comes: identical
DELETE FROM products a USING products b WHERE a.id > b.id AND a.sku = b.sku

-- name: a delete in batches by place
-- comes: identical
DELETE FROM products WHERE ctid = ANY (ARRAY(SELECT ctid FROM products WHERE sku LIKE 'T-%' ORDER BY sku LIMIT 2)) RETURNING sku

-- name: rows moved to another table
-- comes: identical
WITH gone AS (DELETE FROM products WHERE sku LIKE 'T-%' RETURNING sku, name, price) INSERT INTO products (sku, name, price) SELECT 'M' || sku, name, price FROM gone RETURNING sku

-- name: a merge with a condition and a delete
-- comes: identical
MERGE INTO products p USING (SELECT 'MT-3' AS sku, 0 AS price UNION ALL SELECT 'SKU-0009', 9) v ON v.sku = p.sku WHEN MATCHED AND v.price = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET price = v.price WHEN NOT MATCHED THEN DO NOTHING

-- name: a merge of orders into customers
-- comes: identical
MERGE INTO customers c USING (SELECT customer_id, count(*) AS n FROM orders GROUP BY 1) o ON o.customer_id = c.id WHEN MATCHED AND o.n > 8 THEN UPDATE SET newsletter = true, credit = c.credit + o.n

-- name: a merge that writes a masked column of new rows
-- comes: identical
MERGE INTO customers c USING (VALUES (700010::bigint)) AS v (id) ON c.id = v.id WHEN NOT MATCHED THEN INSERT (id, full_name, email, country, city, created_at) VALUES (v.id, 'm', 'm10@example.org', 'DE', 'Ulm', '2025-01-01')

-- name: a merge that overwrites a masked column
-- comes: unmask overwrites public.customers.email
MERGE INTO customers c USING (VALUES (3::bigint, 'q@example.org')) AS v (id, email) ON c.id = v.id WHEN MATCHED THEN UPDATE SET email = v.email

-- name: a cursor with steps
-- comes: masked 2
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id, email, full_name FROM customers WHERE country = 'DE' ORDER BY id;
FETCH NEXT FROM c;
FETCH FORWARD 3 FROM c;
FETCH PRIOR FROM c;
FETCH LAST FROM c;
FETCH RELATIVE -2 FROM c;
CLOSE ALL;
COMMIT

-- name: a cursor that updates
-- comes: identical
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM customers WHERE id = 31 FOR UPDATE;
FETCH 1 FROM c;
UPDATE customers SET city = 'Plauen' WHERE CURRENT OF c;
COMMIT

-- name: a prepared statement with several parameters
-- comes: masked 2
PREPARE several (text, int) AS SELECT id, email, city FROM customers WHERE country = $1 ORDER BY id LIMIT $2;
EXECUTE several ('DE', 3);
EXECUTE several ('FR', 2);
DEALLOCATE several

-- name: a prepared change
-- comes: identical
PREPARE change (bigint, text) AS UPDATE customers SET city = $2 WHERE id = $1 RETURNING id, city;
EXECUTE change (32, 'Gera');
DEALLOCATE ALL

-- name: copies of queries
-- comes: identical
COPY (SELECT o.id, o.total, c.full_name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id < 20 ORDER BY o.id) TO STDOUT WITH (FORMAT csv, HEADER true, DELIMITER ';', NULL 'null', FORCE_QUOTE *)

-- name: copies of a list
-- comes: identical
COPY (VALUES (1, 'a'), (2, 'b')) TO STDOUT

-- name: copies of changed rows
-- comes: identical
COPY (UPDATE products SET price = price WHERE id < 4 RETURNING id, sku) TO STDOUT

-- name: a copy of a table's unmasked columns in binary
-- comes: identical
COPY customers (id, full_name, newsletter, credit) TO STDOUT (FORMAT binary)

-- name: a transaction with its own level
-- comes: masked 2
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT count(*) FROM customers;
SELECT id, email FROM customers ORDER BY id LIMIT 2;
COMMIT

-- name: a transaction that fails and goes back
-- comes: identical
BEGIN;
SAVEPOINT a;
INSERT INTO products (sku, name, price) VALUES ('SKU-0003', 'x', 1);
ROLLBACK TO a;
SELECT count(*) FROM products WHERE sku = 'SKU-0003';
ROLLBACK

-- name: a temporary table, filled and asked
-- comes: identical
CREATE TEMP TABLE picked (id bigint PRIMARY KEY, why text);
INSERT INTO picked VALUES (1, 'a'), (2, 'b');
SELECT * FROM picked ORDER BY id

-- name: a temporary table joined
-- comes: masked 3
SELECT p.id, p.why, c.email, c.city FROM picked p JOIN customers c ON c.id = p.id ORDER BY p.id

-- name: a temporary table changed and indexed
-- comes: identical
ALTER TABLE picked ADD COLUMN seen boolean DEFAULT false;
CREATE INDEX ON picked (why);
ANALYZE picked;
UPDATE picked SET seen = true WHERE id = 1;
SELECT * FROM picked ORDER BY id;
DELETE FROM picked WHERE id = 2 RETURNING *;
DROP TABLE picked

-- name: a temporary table of a query, in a transaction
-- comes: identical
BEGIN;
CREATE TEMP TABLE spent ON COMMIT DROP AS SELECT customer_id, sum(total) AS sum FROM orders GROUP BY customer_id;
SELECT count(*), max(sum) FROM spent;
SELECT * FROM spent ORDER BY customer_id LIMIT 3;
COMMIT

-- name: a temporary table in a transaction, joined to masked columns
-- comes: masked 3
BEGIN;
CREATE TEMP TABLE spent ON COMMIT DROP AS SELECT customer_id, sum(total) AS sum FROM orders GROUP BY customer_id;
SELECT s.customer_id, s.sum, c.email, c.full_name FROM spent s JOIN customers c ON c.id = s.customer_id ORDER BY 1 LIMIT 3;
COMMIT

-- name: SELECT INTO a temporary table
-- comes: identical
SELECT id, country, city INTO TEMP places FROM customers WHERE id < 100;
SELECT country, count(*) FROM places GROUP BY 1 ORDER BY 1;
DROP TABLE places

-- name: a temporary view
-- comes: masked 2
CREATE TEMP VIEW germans AS SELECT id, full_name, city FROM customers WHERE country = 'DE';
SELECT g.id, c.email, g.city FROM germans g JOIN customers c USING (id) ORDER BY 1 LIMIT 3;
DROP VIEW germans

-- name: a view and what it shows, in a transaction
-- comes: identical
BEGIN;
CREATE VIEW places_of AS SELECT id, country, city FROM customers;
SELECT * FROM places_of ORDER BY id LIMIT 3;
SELECT country, count(*) FROM places_of GROUP BY 1 ORDER BY 1;
ROLLBACK

-- name: a view on a view, in a transaction
-- comes: identical
BEGIN;
CREATE VIEW places_of AS SELECT id, country, city FROM customers;
CREATE VIEW countries_of AS SELECT country, count(*) AS n FROM places_of GROUP BY 1;
SELECT * FROM countries_of ORDER BY 1;
ROLLBACK

-- name: a table, filled and asked, in a transaction
-- comes: identical
BEGIN;
CREATE TABLE visits_now (id bigint, at timestamptz);
INSERT INTO visits_now VALUES (1, '2025-01-01'), (2, NULL);
SELECT * FROM visits_now ORDER BY id;
ROLLBACK

-- name: a column added and read, in a transaction
-- comes: masked 3
BEGIN;
ALTER TABLE customers ADD COLUMN extra text DEFAULT 'none';
SELECT id, full_name, email, extra FROM customers ORDER BY id LIMIT 3;
ROLLBACK

-- name: a materialized view made and read
-- comes: identical
CREATE MATERIALIZED VIEW by_city AS SELECT city, count(*) AS n FROM customers GROUP BY city;
SELECT * FROM by_city ORDER BY 1;
REFRESH MATERIALIZED VIEW by_city;
DROP MATERIALIZED VIEW by_city

-- name: a table of a query made and read
-- comes: identical
CREATE TABLE by_city AS SELECT city, count(*) AS n FROM customers GROUP BY city;
SELECT * FROM by_city ORDER BY 1;
DROP TABLE by_city

-- name: a transaction in which rows must be the same
-- comes: identical
BEGIN ISOLATION LEVEL REPEATABLE READ;
CREATE TEMP TABLE same ON COMMIT DROP AS SELECT id, status FROM orders;
SELECT count(*) FROM same;
SELECT * FROM same ORDER BY id LIMIT 2;
SELECT id, status FROM orders ORDER BY id LIMIT 2;
COMMIT

-- name: an enum made and used, in a transaction
-- comes: identical
BEGIN;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE moods (id int, mood mood);
INSERT INTO moods VALUES (1, 'ok');
SELECT * FROM moods;
ROLLBACK

-- name: a setting for one transaction
-- comes: identical
BEGIN;
SET LOCAL work_mem = '8MB';
SHOW work_mem;
SET LOCAL search_path = billing, public;
SELECT count(*) FROM invoices;
COMMIT

-- name: another path
-- comes: masked 2
SET search_path = billing, public;
SELECT id, email FROM customers ORDER BY id LIMIT 1;
RESET search_path

-- name: another time zone and style of dates
-- comes: masked 2
SET TIME ZONE 'Europe/Berlin';
SELECT id, birth_date, created_at FROM customers WHERE id = 1;
SET TIME ZONE DEFAULT

-- name: an own view
-- comes: identical
CREATE VIEW places_of AS SELECT id, city FROM customers

-- name: a view of an own view with a masked column
-- comes: unmask copies public.customers.email
CREATE VIEW mails_of AS SELECT p.id, c.email FROM places_of p JOIN customers c USING (id)

-- name: an own view becomes one with a masked column
-- comes: unmask copies public.customers.email
CREATE OR REPLACE VIEW places_of AS SELECT id, city, email FROM customers

-- name: an own view is made another
-- comes: identical
DROP VIEW places_of;
BEGIN;
CREATE VIEW places_of AS SELECT id, city FROM customers;
CREATE OR REPLACE VIEW places_of AS SELECT id, city, country FROM customers;
SELECT * FROM places_of ORDER BY id LIMIT 2;
ALTER VIEW places_of RENAME COLUMN city TO town;
ALTER VIEW places_of RENAME TO towns_of;
SELECT id, town FROM towns_of ORDER BY id LIMIT 2;
ROLLBACK

-- name: an own view is written through
-- comes: identical
BEGIN;
CREATE VIEW places_of AS SELECT id, city FROM customers;
UPDATE places_of SET city = 'Essen' WHERE id = 3 RETURNING id, city;
ROLLBACK

-- name: what is masked is masked through the tables behind an own view
-- comes: masked 3
BEGIN;
CREATE VIEW places_of AS SELECT id, city FROM customers;
SELECT p.id, p.city, c.email FROM places_of p JOIN customers c ON c.id = p.id ORDER BY p.id LIMIT 2;
ROLLBACK

-- name: a materialized view in a transaction
-- comes: identical
BEGIN;
CREATE MATERIALIZED VIEW by_city AS SELECT city, count(*) AS n FROM customers GROUP BY city;
SELECT * FROM by_city ORDER BY 1;
ROLLBACK

-- name: a temporary view on a temporary table
-- comes: identical
CREATE TEMP TABLE picked (id bigint);
CREATE TEMP VIEW picked_towns AS SELECT c.id, c.city FROM picked p JOIN customers c ON c.id = p.id;
INSERT INTO picked VALUES (1), (2);
SELECT * FROM picked_towns ORDER BY id;
DROP TABLE picked CASCADE

-- name: a view as anybody's
-- comes: masked 2
CREATE VIEW overview_now AS SELECT o.id, o.full_name, o.orders FROM customer_overview o;
SELECT n.id, c.email, n.orders FROM overview_now n JOIN customers c ON c.id = n.id ORDER BY n.id LIMIT 3;
DROP VIEW overview_now

-- name: transactions in one text
-- comes: identical
BEGIN; UPDATE products SET price = price WHERE id = 3; COMMIT; SELECT count(*) FROM products WHERE id < 4; BEGIN; SAVEPOINT a; DELETE FROM products WHERE id = 119 AND sku = 'x'; ROLLBACK TO a; UPDATE customers SET city = city WHERE id = 3; COMMIT; SELECT id, city FROM customers WHERE country = 'DE' ORDER BY id LIMIT 2

-- name: a masked column behind a transaction of the same text
-- comes: masked 2
BEGIN; UPDATE products SET price = price WHERE id = 3; COMMIT; SELECT id, email FROM customers ORDER BY id LIMIT 2

-- name: another path that comes back with its transaction
-- comes: identical
BEGIN;
SET LOCAL search_path = billing

-- name: what a name means behind a transaction that has changed the path
-- comes: unmask
ROLLBACK; SELECT id FROM customers WHERE country = 'DE' ORDER BY id LIMIT 1

-- name: the same, one after the other
-- comes: alike
ROLLBACK;
SELECT id FROM customers WHERE country = 'DE' ORDER BY id LIMIT 1
