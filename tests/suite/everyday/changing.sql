-- What engineers and applications change where some columns are masked.

-- name: a new customer
-- comes: identical
INSERT INTO customers (full_name, email, phone, birth_date, country, city, created_at) VALUES ('Una Stern', 'una@example.org', '+49 30 1', '1990-02-03', 'DE', 'Ulm', '2025-01-01') RETURNING id

-- name: a new customer, all of it back
-- comes: masked 3,4,5
INSERT INTO customers (full_name, email, phone, birth_date, country, city, created_at) VALUES ('Ugo Stern', 'ugo@example.org', '+49 30 2', '1990-02-03', 'DE', 'Ulm', '2025-01-01') RETURNING *

-- name: several new customers
-- comes: identical
INSERT INTO customers (full_name, email, country, city, created_at) VALUES ('A', 'a1@example.org', 'DE', 'Ulm', '2025-01-01'), ('B', 'b1@example.org', 'DE', 'Ulm', '2025-01-01') RETURNING id, full_name

-- name: a new customer without a list of columns
-- comes: identical
INSERT INTO customers VALUES (700001, 'C', 'c1@example.org', NULL, NULL, 'FR', 'Lyon', false, 0, '2025-01-01') RETURNING id

-- name: rows from unmasked columns of others
-- comes: identical
INSERT INTO products (sku, name, price) SELECT 'NEW-' || id, full_name, 1 + credit FROM customers WHERE id IN (1, 2, 3) RETURNING id, name

-- name: a new employee
-- comes: identical
INSERT INTO employees (full_name, email, team, manager_id, salary, national_id, hired_on) VALUES ('Nele Neu', 'nele@shop.example', 'support', 1, 40000, 'ID-1', '2025-02-01') RETURNING id

-- name: a payment
-- comes: identical
INSERT INTO payments (id, order_id, method, card_number, amount, paid_at) VALUES ('00000000-0000-0000-0000-000000000001', 1, 'card', '4000 0012 3456 7899', 10, '2025-01-01') RETURNING id, order_id, amount

-- name: an unmasked column of one row
-- comes: identical
UPDATE customers SET city = 'Berlin' WHERE id = 7 RETURNING id, city

-- name: an unmasked column, a masked one back
-- comes: masked 2
UPDATE customers SET city = 'Berlin' WHERE id = 8 RETURNING id, email

-- name: several unmasked columns
-- comes: identical
UPDATE customers SET city = 'Bonn', country = 'DE', newsletter = NOT newsletter, credit = credit + 5 WHERE id = 9

-- name: columns as a list
-- comes: identical
UPDATE customers SET (city, country) = ('Bern', 'CH') WHERE id = 10 RETURNING city, country

-- name: unmasked columns from another table
-- comes: identical
UPDATE customers c SET credit = c.credit + s.sum FROM (SELECT customer_id, sum(total) / 100 AS sum FROM orders GROUP BY customer_id) AS s WHERE s.customer_id = c.id AND c.id < 20

-- name: the row that has this e-mail
-- comes: identical
UPDATE customers SET newsletter = true WHERE email = 'una@example.org' RETURNING id

-- name: rows without a phone
-- comes: identical
UPDATE customers SET newsletter = false WHERE phone IS NULL AND id < 100

-- name: orders of customers of one country
-- comes: identical
UPDATE orders SET note = 'checked' WHERE customer_id IN (SELECT id FROM customers WHERE country = 'AT') AND id < 200

-- name: a state that moves on
-- comes: identical
UPDATE orders SET status = 'shipped', shipped_at = '2025-03-01' WHERE id = (SELECT id FROM orders WHERE status = 'paid' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, status

-- name: a queue's delete
-- comes: identical
WITH taken AS (SELECT id FROM products WHERE sku LIKE 'NEW-%' ORDER BY id LIMIT 1) DELETE FROM products p USING taken t WHERE p.id = t.id RETURNING p.id, p.sku

-- name: an upsert on an unmasked key
-- comes: identical
INSERT INTO products (sku, name, price) VALUES ('SKU-0001', 'Red lamp', 19.5) ON CONFLICT (sku) DO UPDATE SET name = excluded.name, price = excluded.price RETURNING id, name, price

-- name: an upsert that does nothing
-- comes: identical
INSERT INTO customers (id, full_name, email, country, city) VALUES (1, 'x', 'x@example.org', 'DE', 'Ulm') ON CONFLICT (id) DO NOTHING

-- name: an upsert of unmasked columns of a table with masked ones
-- comes: identical
INSERT INTO customers (id, full_name, email, country, city) VALUES (2, 'x', 'x2@example.org', 'DE', 'Ulm') ON CONFLICT (id) DO UPDATE SET city = excluded.city, country = excluded.country RETURNING id, city

-- name: a merge
-- comes: identical
MERGE INTO products p USING (VALUES ('SKU-0002', 5.5), ('SKU-9999', 6.5)) AS v (sku, price) ON p.sku = v.sku WHEN MATCHED THEN UPDATE SET price = v.price WHEN NOT MATCHED THEN INSERT (sku, name, price) VALUES (v.sku, 'new', v.price)

-- name: a merge into a table with masked columns
-- comes: identical
MERGE INTO customers c USING (VALUES (3, 'Essen'), (700002, 'Essen')) AS v (id, city) ON c.id = v.id WHEN MATCHED THEN UPDATE SET city = v.city WHEN NOT MATCHED THEN INSERT (id, full_name, email, country, city, created_at) VALUES (v.id, 'm', 'm@example.org', 'DE', v.city, '2025-01-01')

-- name: rows away by id
-- comes: identical
DELETE FROM customers WHERE id = 700001 RETURNING id, full_name

-- name: rows away, all of them back
-- comes: masked 3
DELETE FROM customers WHERE id = 700002 RETURNING *

-- name: rows away by what another table says
-- comes: identical
DELETE FROM order_items USING orders WHERE orders.id = order_items.order_id AND orders.status = 'cancelled' AND orders.id < 100

-- name: rows that come and go in one statement
-- comes: identical
WITH gone AS (DELETE FROM customers WHERE email = 'ugo@example.org' RETURNING id, full_name) SELECT count(*) FROM gone

-- name: changed rows, looked at again
-- comes: masked 2
WITH changed AS (UPDATE customers SET credit = 1 WHERE id IN (4, 5) RETURNING id, email, credit) SELECT * FROM changed ORDER BY id

-- name: an order with its items
-- comes: identical
WITH o AS (INSERT INTO orders (customer_id, placed_at, total) VALUES (1, '2025-01-05', 3) RETURNING id) INSERT INTO order_items (order_id, position, product_id, quantity, unit_price) SELECT id, 1, 1, 1, 3 FROM o RETURNING order_id, quantity

-- name: a default again
-- comes: identical
UPDATE customers SET credit = DEFAULT WHERE id = 4 RETURNING credit

-- name: nothing changes
-- comes: identical
UPDATE customers SET city = city WHERE false

-- name: a masked column gets a new value
-- comes: unmask overwrites public.customers.email
UPDATE customers SET email = 'new@example.org' WHERE id = 5

-- name: an application that saves every column
-- comes: unmask overwrites public.customers.email
UPDATE customers SET full_name = 'x', email = 'a***@example.org', phone = NULL, city = 'Ulm' WHERE id = 5

-- name: an upsert that overwrites a masked column
-- comes: unmask overwrites public.customers.email
INSERT INTO customers (id, full_name, email, country, city) VALUES (1, 'x', 'x@example.org', 'DE', 'Ulm') ON CONFLICT (id) DO UPDATE SET email = excluded.email

-- name: a masked column copied beside
-- comes: unmask copies public.customers.email
UPDATE customers SET full_name = email WHERE id = 5

-- name: a masked column copied away
-- comes: unmask copies public.customers.email
INSERT INTO products (sku, name, price) SELECT email, 'x', 1 FROM customers WHERE id = 5

-- name: a grid's edit of one cell, found by all old values
-- comes: unmask finds rows by public.customers.birth_date
UPDATE customers SET city = 'Kiel' WHERE id = 6 AND full_name = 'x' AND email = 'a***@example.org' AND birth_date = '1980-01-01'

-- name: a grid's edit of one cell, found by its key
-- comes: identical
UPDATE public.customers SET city = 'Kiel' WHERE id = 6

-- name: unmasked columns copied out
-- comes: identical
COPY (SELECT id, full_name, country FROM customers ORDER BY id LIMIT 20) TO STDOUT WITH (FORMAT csv, HEADER)

-- name: unmasked columns of a table copied out
-- comes: identical
COPY customers (id, full_name, country, city) TO STDOUT

-- name: a table without masked columns copied out
-- comes: identical
COPY products TO STDOUT (FORMAT binary)

-- name: a report copied out
-- comes: identical
COPY (SELECT c.country, sum(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY 1 ORDER BY 1) TO STDOUT CSV

-- name: a transaction with a savepoint
-- comes: identical
BEGIN; UPDATE customers SET city = 'Mainz' WHERE id = 11; SAVEPOINT s; UPDATE customers SET city = 'Trier' WHERE id = 11; ROLLBACK TO s; COMMIT

-- name: what the transaction left
-- comes: identical
SELECT city FROM customers WHERE id = 11

-- name: a prepared statement
-- comes: identical
PREPARE by_id (bigint) AS SELECT id, full_name, email FROM customers WHERE id = $1

-- name: a prepared statement runs
-- comes: masked 3
EXECUTE by_id (12)

-- name: the plan of what was prepared
-- comes: identical
EXPLAIN (COSTS OFF) EXECUTE by_id (12)

-- name: the plan of what was prepared, and run
-- comes: identical
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE by_id (12)

-- name: the plan of a cursor
-- comes: identical
EXPLAIN (COSTS OFF, FORMAT JSON) DECLARE planned CURSOR FOR SELECT id, email FROM customers WHERE id < 20

-- name: a prepared statement ends
-- comes: identical
DEALLOCATE by_id

-- name: a cursor
-- comes: masked 2
BEGIN; DECLARE k CURSOR FOR SELECT id, email FROM customers ORDER BY id; FETCH 5 FROM k; MOVE 10 IN k; FETCH FORWARD 5 FROM k; CLOSE k; COMMIT

-- name: a scrolling cursor that is kept
-- comes: identical
BEGIN; DECLARE kept SCROLL CURSOR WITH HOLD FOR SELECT id, full_name FROM customers ORDER BY id LIMIT 30; COMMIT

-- name: a kept cursor, from its end
-- comes: identical
FETCH BACKWARD 3 FROM kept; FETCH LAST FROM kept; FETCH ABSOLUTE 2 FROM kept

-- name: a kept cursor ends
-- comes: identical
CLOSE kept

-- name: a lock on a table
-- comes: identical
BEGIN; LOCK TABLE customers IN SHARE ROW EXCLUSIVE MODE; COMMIT

-- name: a temporary table of unmasked columns
-- comes: identical
CREATE TEMP TABLE busy AS SELECT customer_id AS id, count(*) AS n FROM orders GROUP BY 1

-- name: a temporary table joined to masked columns
-- comes: masked 2
SELECT b.id, c.email, b.n FROM busy b JOIN customers c USING (id) ORDER BY b.n DESC, b.id LIMIT 5

-- name: a temporary table goes
-- comes: identical
DROP TABLE busy

-- name: a sequence's next value
-- comes: identical
SELECT nextval('products_id_seq') > 0

-- name: a constraint that fails on an unmasked table
-- comes: identical
INSERT INTO products (sku, name, price) VALUES ('SKU-0003', 'x', 1)

-- name: a division that fails on an unmasked table
-- comes: identical
SELECT 1 / (id - id) FROM products

-- name: a notification
-- comes: identical
NOTIFY jobs, '17'

-- name: an advisory lock
-- comes: identical
SELECT pg_advisory_xact_lock(17)
