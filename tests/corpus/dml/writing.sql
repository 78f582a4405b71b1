-- Changes of rows in all their forms: upserts, queues, mappers. Own texts. Run on PostgreSQL 15.

-- name: upsert nothing
INSERT INTO stock (product_id, warehouse, quantity) VALUES (1, 'north', 5) ON CONFLICT DO NOTHING

-- name: upsert on constraint
INSERT INTO stock AS s (product_id, warehouse, quantity) VALUES (1, 'north', 5), (2, 'north', 6) ON CONFLICT ON CONSTRAINT stock_pkey DO UPDATE SET quantity = s.quantity + EXCLUDED.quantity WHERE s.quantity < 1000

-- name: upsert on expression
INSERT INTO customers (name, email) VALUES ('New', 'NEW@mail.test') ON CONFLICT (lower(email)) DO UPDATE SET name = EXCLUDED.name, updated_at = now()

-- name: upsert on two columns with row
INSERT INTO stock (product_id, warehouse, quantity) VALUES (3, 'south', 1) ON CONFLICT (product_id, warehouse) DO UPDATE SET (quantity, warehouse) = ROW(EXCLUDED.quantity, EXCLUDED.warehouse)

-- name: upsert from subquery
-- needs: dml,select
INSERT INTO stock (product_id, warehouse, quantity) SELECT id, 'north', 1 FROM products ON CONFLICT (product_id, warehouse) DO UPDATE SET quantity = (SELECT max(quantity) FROM order_items WHERE product_id = EXCLUDED.product_id)

-- name: upsert returning inserted
-- needs: dml,select
INSERT INTO stock VALUES (4, 'south', 1) ON CONFLICT (product_id, warehouse) DO UPDATE SET quantity = EXCLUDED.quantity RETURNING *, (xmax = 0) AS inserted

-- name: upsert with predicate
INSERT INTO jobs (queue) VALUES ('x') ON CONFLICT DO NOTHING

-- name: insert default values
INSERT INTO audit_notes DEFAULT VALUES

-- name: insert defaults in rows
INSERT INTO jobs (queue, payload, state) VALUES (DEFAULT, '{"a": 1}', DEFAULT), ('mail', DEFAULT, 'ready')

-- name: insert overriding
INSERT INTO departments (id, name) OVERRIDING SYSTEM VALUE VALUES (77, 'Overridden')

-- name: insert overriding user
INSERT INTO departments (id, name) OVERRIDING USER VALUE VALUES (78, 'Overridden too')

-- name: insert from values alias
INSERT INTO jobs (queue, run_at) SELECT q, now() + d FROM (VALUES ('a', interval '1 hour'), ('b', interval '2 hours')) AS v (q, d)

-- name: insert unnest
INSERT INTO jobs (queue, attempts) SELECT * FROM unnest($1::text[], $2::int[])

-- name: insert json recordset
INSERT INTO jobs (queue, attempts) SELECT queue, attempts FROM jsonb_to_recordset('[{"queue":"j","attempts":1}]') AS x(queue text, attempts int)

-- name: insert populated record
INSERT INTO stock SELECT * FROM jsonb_populate_recordset(NULL::stock, '[{"product_id":5,"warehouse":"west","quantity":1}]')

-- name: insert into composite field
INSERT INTO customers (name, email, address.city, address.country) VALUES ('C', 'comp@mail.test', 'Berlin', 'DE')

-- name: insert array elements
INSERT INTO customers (name, email, tags[1], tags[2]) VALUES ('D', 'arr@mail.test', 'a', 'b')

-- name: insert with cte
-- needs: dml,select
WITH src AS (SELECT id, name FROM customers WHERE country = 'DE') INSERT INTO audit_notes (what) SELECT name FROM src

-- name: insert with subquery value
-- needs: dml,select
INSERT INTO audit_notes (what) VALUES ((SELECT name FROM customers WHERE id = 1)), ('plain')

-- name: insert returning expressions
-- needs: dml,select
INSERT INTO audit_notes (what) VALUES ('x') RETURNING id * 2 AS double, upper(what), now() - at < interval '1 hour'

-- name: insert into partitioned
INSERT INTO events (id, kind, occurred_at) VALUES (9001, 'login', '2024-05-05'), (9002, 'login', '2030-01-01')

-- name: insert with casts
INSERT INTO payments (order_id, method, amount, paid_at, details) VALUES (1, 'card', '12.50'::numeric, '2024-01-01'::timestamptz, $${"a": {"b": [1, 2]}}$$::jsonb)

-- name: insert quoted text
INSERT INTO audit_notes (what) VALUES ('it''s; DROP TABLE x; --'), (E'a\\b\'c\n'), ($q$dollar 'quoted'$q$), (U&'\00fcber')

-- name: insert parameters batch
INSERT INTO audit_notes (what, at) VALUES ($1, $2), ($3, $4), ($5, $6)

-- name: insert with sequence
INSERT INTO order_items (order_id, line_no, product_id, quantity, unit_price) VALUES (1, nextval('invoice_number'), 1, 1, 9.99)

-- name: insert with currval
INSERT INTO audit_notes (what) VALUES (currval('invoice_number')::text)

-- name: insert with lastval
INSERT INTO audit_notes (what) VALUES (lastval()::text)

-- name: update everything
UPDATE jobs SET attempts = attempts + 1, payload = payload || '{"seen": true}', run_at = DEFAULT

-- name: update from
UPDATE orders o SET total = s.t FROM (VALUES (1, 10.0), (2, 20.0)) AS s (id, t) WHERE s.id = o.id

-- name: update from table
-- needs: dml,select
UPDATE orders AS o SET note = c.name FROM customers c JOIN departments d ON true WHERE o.customer_id = c.id AND c.country = 'PL'

-- name: update self join
-- needs: dml,select
UPDATE employees e SET salary = m.salary FROM employees m WHERE e.manager_id = m.id AND e.salary > m.salary

-- name: update row assignment
-- needs: dml,select
UPDATE orders SET (total, note) = (SELECT sum(quantity * unit_price), 'recomputed' FROM order_items i WHERE i.order_id = orders.id) WHERE id < 5

-- name: update row of values
UPDATE orders SET (note, currency) = ('x', 'USD'), total = DEFAULT WHERE id = 9

-- name: update composite and array
UPDATE customers SET address.city = 'Bonn', tags[1] = 'x', phone = NULL WHERE id = 5

-- name: update array slices
UPDATE customers SET tags[1:2] = '{a,b}' WHERE id = 6

-- name: update json subscript
UPDATE customers SET profile['lang'] = '"pl"', profile['likes'][0] = '"x"' WHERE id = 6

-- name: update json path
UPDATE customers SET profile = profile #- '{likes,1}' WHERE profile @? '$.likes[1]'

-- name: update only
UPDATE ONLY departments SET budget = budget * 1.1

-- name: update returning
-- needs: dml,select
UPDATE orders SET status = 'paid' WHERE id IN (1, 2) RETURNING id, status AS new_status

-- name: update with cte
-- needs: dml,select
WITH top AS (SELECT customer_id FROM orders GROUP BY 1 HAVING sum(total) > 3000) UPDATE customers SET status = 'active' FROM top WHERE customers.id = top.customer_id

-- name: update case nested
UPDATE orders SET note = CASE WHEN total > 100 THEN CASE WHEN currency = 'EUR' THEN 'big eur' ELSE 'big' END ELSE note END WHERE id < 20

-- name: update where exists
-- needs: dml,select
UPDATE products SET discontinued = true WHERE NOT EXISTS (SELECT FROM order_items i WHERE i.product_id = products.id)

-- name: update where row in
-- needs: dml,select
UPDATE stock SET quantity = 0 WHERE (product_id, warehouse) IN (SELECT product_id, 'north' FROM order_items WHERE quantity > 100)

-- name: update by ctid
-- needs: dml,select
UPDATE jobs SET state = 'stale' WHERE ctid = ANY (ARRAY(SELECT ctid FROM jobs WHERE run_at < now() LIMIT 10))

-- name: update by own subquery
-- needs: dml,select
UPDATE jobs SET state = 'x' WHERE id = (SELECT min(id) FROM jobs)

-- name: update parameters
UPDATE orders SET status = $1, note = COALESCE($2, note) WHERE id = $3 AND status <> $1

-- name: update current date
UPDATE orders SET shipped_at = CURRENT_TIMESTAMP AT TIME ZONE 'UTC', ordered_at = 'now' WHERE id = 3

-- name: update optimistic lock
UPDATE jobs SET attempts = 6 WHERE id = 5 AND attempts = 5

-- name: delete using
-- needs: dml,select
DELETE FROM order_items i USING orders o, customers c WHERE i.order_id = o.id AND o.customer_id = c.id AND c.status = 'closed' AND o.total < 0

-- name: delete only alias
DELETE FROM ONLY departments AS d WHERE d.id > 70

-- name: delete returning
-- needs: dml,select
DELETE FROM jobs WHERE state = 'done' RETURNING *

-- name: delete by cte
-- needs: dml,select
WITH old AS (SELECT id FROM jobs ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED) DELETE FROM jobs USING old WHERE jobs.id = old.id RETURNING jobs.id

-- name: delete all but newest
-- needs: dml,select
DELETE FROM audit_notes a WHERE a.id NOT IN (SELECT max(id) FROM audit_notes GROUP BY what)

-- name: delete duplicates
-- needs: dml,select
DELETE FROM audit_notes a USING audit_notes b WHERE a.id < b.id AND a.what IS NOT DISTINCT FROM b.what

-- name: delete in chunks
-- needs: dml,select
DELETE FROM events WHERE id IN (SELECT id FROM events WHERE occurred_at < '2024-01-01' LIMIT 1000)

-- name: move rows
-- needs: dml,select
WITH moved AS (DELETE FROM jobs WHERE attempts > 5 RETURNING *) INSERT INTO audit_notes (what) SELECT payload::text FROM moved

-- name: archive rows in chain
-- needs: dml,select
WITH d AS (DELETE FROM audit_notes WHERE id < 3 RETURNING id), i AS (INSERT INTO audit_notes (what) SELECT 'gone ' || id FROM d RETURNING id) SELECT count(*) FROM i

-- name: insert two tables
-- needs: dml,select
WITH o AS (INSERT INTO orders (customer_id) VALUES (1) RETURNING id) INSERT INTO order_items (order_id, line_no, product_id, quantity, unit_price) SELECT id, 1, 1, 1, 1 FROM o

-- name: merge everyday
-- needs: dml,select
MERGE INTO stock s USING (VALUES (1, 'north', 3)) AS v (p, w, q) ON s.product_id = v.p AND s.warehouse = v.w WHEN MATCHED AND v.q = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET quantity = s.quantity + v.q WHEN NOT MATCHED THEN INSERT (product_id, warehouse, quantity) VALUES (v.p, v.w, v.q)

-- name: merge from table
-- needs: dml,select
MERGE INTO stock AS s USING products AS p ON p.id = s.product_id WHEN NOT MATCHED AND p.discontinued THEN DO NOTHING WHEN NOT MATCHED THEN INSERT VALUES (p.id, 'east', DEFAULT) WHEN MATCHED THEN DO NOTHING

-- name: merge with cte
-- needs: dml,select
WITH src AS (SELECT id FROM products) MERGE INTO ONLY stock USING src ON src.id = stock.product_id WHEN MATCHED THEN UPDATE SET quantity = DEFAULT

-- name: queue: take
-- needs: dml,select
UPDATE jobs SET state = 'running', locked_by = 'w1', attempts = attempts + 1 WHERE id = (SELECT id FROM jobs WHERE state = 'ready' AND run_at <= now() ORDER BY run_at, id FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING *

-- name: queue: take some
-- needs: dml,select
SELECT * FROM jobs WHERE state = 'ready' ORDER BY id LIMIT 5 FOR NO KEY UPDATE SKIP LOCKED

-- name: queue: lock nowait
-- needs: dml,select
SELECT id FROM jobs WHERE id = 1 FOR UPDATE NOWAIT

-- name: queue: lock of
-- needs: dml,select
SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id < 3 FOR UPDATE OF o FOR SHARE OF c

-- name: queue: key share
-- needs: dml,select
SELECT 1 FROM ONLY "public"."customers" x WHERE "id" = 5 FOR KEY SHARE OF x

-- name: queue: advisory
-- needs: dml
SELECT pg_advisory_lock(1, 2), pg_try_advisory_lock(hashtext('job')), pg_advisory_unlock_all()

-- name: queue: advisory shared
-- needs: dml
SELECT pg_advisory_xact_lock_shared(5), pg_try_advisory_xact_lock(hashtextextended('x', 0))

-- name: queue: advisory filter
-- needs: dml,select
SELECT id FROM jobs WHERE state = 'ready' AND pg_try_advisory_xact_lock(id) LIMIT 1

-- name: notify
-- needs: dml
NOTIFY jobs, '{"id": 1}'

-- name: notify function
-- needs: dml
SELECT pg_notify('jobs', 'x')

-- name: copy in
-- needs: dml
COPY audit_notes (what) FROM STDIN

-- name: copy in csv
-- needs: dml
COPY audit_notes (what) FROM STDIN WITH (FORMAT csv, HEADER true, DELIMITER ';', QUOTE '"', ESCAPE '\', NULL '', ENCODING 'UTF8', FORCE_NOT_NULL (what))

-- name: copy in where
-- needs: dml
COPY audit_notes (what) FROM STDIN WITH (FORMAT text) WHERE what <> 'x'

-- name: copy in old spelling
-- needs: dml
COPY "public"."audit_notes" ("what") FROM stdin WITH DELIMITER '|' NULL AS ''

-- name: copy in old csv
-- needs: dml
COPY audit_notes (what) FROM STDIN CSV HEADER QUOTE '"' FORCE NOT NULL what

-- name: copy in binary
-- needs: dml
COPY audit_notes (what) FROM STDIN (FORMAT binary)

-- name: copy out
-- needs: export,select
COPY departments TO STDOUT

-- name: copy out query
-- needs: export,select
COPY (SELECT id, CASE WHEN total > 5 THEN CASE WHEN total > 6 THEN 'x' END END FROM orders ORDER BY id LIMIT 3) TO STDOUT WITH (FORMAT csv, HEADER, FORCE_QUOTE *)

-- name: copy out old
-- needs: export,select
COPY departments (id, name) TO STDOUT WITH CSV HEADER DELIMITER AS ',' FORCE QUOTE name

-- name: copy out binary
-- needs: export,select
COPY departments TO STDOUT BINARY

-- name: copy out values
-- needs: export,select
COPY (VALUES (1, 'a')) TO STDOUT (DELIMITER E'\t', NULL '\N')

-- name: copy out returning
-- needs: dml,export,select
COPY (DELETE FROM jobs WHERE id = 999 RETURNING *) TO STDOUT

-- name: lock table
-- needs: dml
BEGIN; LOCK TABLE orders, order_items IN ROW EXCLUSIVE MODE NOWAIT; COMMIT

-- name: lock table default
-- needs: dml
BEGIN; LOCK orders; COMMIT

-- name: lock access share
-- needs: select
BEGIN; LOCK TABLE ONLY orders IN ACCESS SHARE MODE; COMMIT

-- name: transaction of writes
-- needs: dml
BEGIN; INSERT INTO audit_notes (what) VALUES ('a'); SAVEPOINT s1; UPDATE audit_notes SET what = 'b'; ROLLBACK TO SAVEPOINT s1; RELEASE s1; COMMIT

-- name: transaction chain
-- needs: dml
BEGIN; INSERT INTO audit_notes (what) VALUES ('a'); COMMIT AND CHAIN; DELETE FROM audit_notes WHERE what = 'a'; ROLLBACK AND NO CHAIN

-- name: transaction read write
-- needs: dml
BEGIN READ WRITE; DELETE FROM audit_notes WHERE id = -1; END

-- name: transaction serializable
-- needs: dml
START TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE, NOT DEFERRABLE; UPDATE stock SET quantity = 1 WHERE product_id = 1; COMMIT WORK

-- name: prepared write
-- needs: dml
PREPARE ins (text) AS INSERT INTO audit_notes (what) VALUES ($1); EXECUTE ins('x'); DEALLOCATE ins

-- name: prepared update with unknown types
-- needs: dml
PREPARE upd AS UPDATE audit_notes SET what = $2 WHERE id = $1; EXECUTE upd(1, 'x'); DEALLOCATE PREPARE upd

-- name: explain analyze insert
-- needs: dml
EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) INSERT INTO audit_notes (what) VALUES ('x')

-- name: refresh
-- needs: dml,select
REFRESH MATERIALIZED VIEW monthly_sales

-- name: through a view
-- needs: dml
UPDATE active_customers SET name = 'Z' WHERE id = 1

-- name: delete through a view
-- needs: dml
DELETE FROM active_customers WHERE id = -1

-- name: insert through a view
-- needs: dml
INSERT INTO active_customers (name, email, country) VALUES ('V', 'view@mail.test', 'DE')

-- name: next values
-- needs: dml
SELECT nextval('invoice_number'), nextval('public.invoice_number'::regclass), setval('invoice_number', 2000, false)

-- name: activerecord: create
-- needs: dml,select
INSERT INTO "orders" ("customer_id", "status", "total", "ordered_at") VALUES ($1, $2, $3, $4) RETURNING "id"

-- name: activerecord: insert all
-- needs: dml,select
INSERT INTO "stock" ("product_id","warehouse","quantity") VALUES (6, 'north', 1), (7, 'north', 2) ON CONFLICT ("product_id","warehouse") DO UPDATE SET "quantity"=excluded."quantity" RETURNING "product_id"

-- name: activerecord: touch
-- needs: dml
UPDATE "customers" SET "updated_at" = $1 WHERE "customers"."id" = $2

-- name: activerecord: counter
-- needs: dml
UPDATE "jobs" SET "attempts" = COALESCE("jobs"."attempts", 0) + $1 WHERE "jobs"."id" = $2

-- name: activerecord: delete all
-- needs: dml,select
DELETE FROM "orders" WHERE "orders"."id" IN (SELECT "orders"."id" FROM "orders" INNER JOIN "customers" ON "customers"."id" = "orders"."customer_id" WHERE "customers"."country" = $1)

-- name: ecto: insert all
-- needs: dml,select
INSERT INTO "stock" AS s0 ("product_id","warehouse","quantity") VALUES ($1,$2,$3),($4,$5,DEFAULT) ON CONFLICT ("product_id","warehouse") DO UPDATE SET "quantity" = EXCLUDED."quantity" RETURNING "product_id"

-- name: ecto: update
-- needs: dml
UPDATE "jobs" AS j0 SET "state" = $1, "attempts" = j0."attempts" + $2 WHERE (j0."id" = ANY($3))

-- name: oban: fetch
-- needs: dml,select
WITH "subset" AS MATERIALIZED (SELECT sj0."id" AS "id" FROM "public"."jobs" AS sj0 WHERE (sj0."state" = 'ready') AND (sj0."queue" = $1) ORDER BY sj0."run_at", sj0."id" LIMIT $2 FOR UPDATE SKIP LOCKED) UPDATE "public"."jobs" AS j0 SET "state" = $3, "attempts" = j0."attempts" + $4 FROM "subset" AS f1 WHERE (j0."id" = f1."id") RETURNING j0.*

-- name: sidekiq-like: goodjob
-- needs: dml,select
WITH RECURSIVE t AS ((SELECT j.*, pg_try_advisory_lock(j.id) AS locked FROM jobs j WHERE state = 'ready' ORDER BY run_at, id LIMIT 1) UNION ALL (SELECT (j).*, pg_try_advisory_lock((j).id) AS locked FROM (SELECT (SELECT j FROM jobs AS j WHERE state = 'ready' AND (run_at, id) > (t.run_at, t.id) ORDER BY run_at, id LIMIT 1) AS j FROM t WHERE t.id IS NOT NULL LIMIT 1) AS t1)) SELECT id FROM t WHERE locked LIMIT 1

-- name: prisma: create
-- needs: dml,select
INSERT INTO "public"."departments" ("name","budget") VALUES ($1,$2) RETURNING "public"."departments"."id", "public"."departments"."name"

-- name: prisma: update many
-- needs: dml
UPDATE "public"."orders" SET "status" = $1 WHERE ("public"."orders"."id" IN ($2,$3) AND 1=1)

-- name: gorm: insert
-- needs: dml,select
INSERT INTO "departments" ("name","budget") VALUES ('gorm',1) ON CONFLICT ("name") DO UPDATE SET "budget"="excluded"."budget" RETURNING "id"

-- name: gorm: soft delete
-- needs: dml
UPDATE "jobs" SET "state"='2024-01-01 00:00:00' WHERE "jobs"."id" = 10 AND "jobs"."locked_by" IS NULL

-- name: ef: insert batch
-- needs: dml,select
INSERT INTO departments (name, budget) VALUES ($1, $2) RETURNING id; 

-- name: ef: insert two
-- needs: dml,export,select
INSERT INTO departments (name) VALUES ('ef1') RETURNING id; INSERT INTO departments (name) VALUES ('ef2') RETURNING id;

-- name: ef: update batch
-- needs: dml
UPDATE departments SET budget = 5 WHERE id = 1; UPDATE departments SET budget = 6 WHERE id = 2;

-- name: ef: delete execute
-- needs: dml
DELETE FROM orders AS o WHERE o.total < 0.0

-- name: ef: update execute
-- needs: dml
UPDATE orders AS o SET note = NULL WHERE o.note = 'x'

-- name: drizzle: insert
-- needs: dml,select
insert into "departments" ("id", "name", "budget") values (default, $1, default) returning "id", "name"

-- name: drizzle: upsert
-- needs: dml
insert into "departments" ("id", "name") values (default, $1) on conflict ("name") do update set "name" = $2

-- name: jooq: merge
-- needs: dml
insert into "public"."stock" ("product_id", "warehouse", "quantity") values (cast($1 as int), cast($2 as text), cast($3 as int)) on conflict ("product_id", "warehouse") do update set "quantity" = cast($4 as int)

-- name: jooq: returning
-- needs: dml,select
update "public"."orders" set "note" = cast($1 as text) where "public"."orders"."id" = $2 returning "public"."orders"."id"

-- name: eloquent: upsert
-- needs: dml
insert into "stock" ("product_id", "quantity", "warehouse") values ($1, $2, $3) on conflict ("product_id", "warehouse") do update set "quantity" = "excluded"."quantity"

-- name: eloquent: update join
-- needs: dml,select
update "orders" set "note" = $1 where "ctid" in (select "orders"."ctid" from "orders" inner join "customers" on "customers"."id" = "orders"."customer_id" where "customers"."country" = $2)

-- name: eloquent: insert or ignore
-- needs: dml
insert into "stock" ("product_id", "warehouse") values (8, 'north') on conflict do nothing

-- name: sqlx: batch by unnest
-- needs: dml
INSERT INTO stock (product_id, warehouse, quantity) SELECT * FROM UNNEST($1::int4[], $2::text[], $3::int4[]) ON CONFLICT DO NOTHING

-- name: diesel: update
-- needs: dml,select
UPDATE "orders" SET "status" = $1 WHERE ("orders"."id" = $2) RETURNING "orders"."id", "orders"."status"

-- name: typeorm: insert
-- needs: dml,select
INSERT INTO "departments"("id", "name", "budget") VALUES (DEFAULT, $1, DEFAULT) RETURNING "id", "budget"

-- name: sequelize: upsert
-- needs: dml,select
INSERT INTO "departments" ("id","name") VALUES (DEFAULT,$1) ON CONFLICT ("name") DO UPDATE SET "name"=EXCLUDED."name" RETURNING "id","name";

-- name: sqlalchemy: insertmanyvalues
-- needs: dml,select
INSERT INTO departments (name, budget) SELECT p0::VARCHAR, p1::NUMERIC FROM (VALUES ($1, $2, 0), ($3, $4, 1)) AS imp_sen(p0, p1, sen_counter) ORDER BY sen_counter RETURNING departments.id, departments.id AS id__1
