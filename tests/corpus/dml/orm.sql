-- What object-relational mappers write that were not recorded: Rails 7 (ActiveRecord), Hibernate 6, Prisma 5, jOOQ 3,
-- Entity Framework 8, GORM 1.25, Ecto 3, queue workers. In their shapes, over schema.sql; each runs on PostgreSQL 15.

-- name: Rails: insert returning
-- needs: dml,select
INSERT INTO "customers" ("name", "email", "country", "created_at", "updated_at") VALUES ($1, $2, $3, $4, $5) RETURNING "id"

-- name: Rails: update
UPDATE "customers" SET "name" = $1, "updated_at" = $2 WHERE "customers"."id" = $3

-- name: Rails: update all
UPDATE "orders" SET "status" = 'cancelled' WHERE "orders"."status" = 'open' AND (ordered_at < '2024-03-01')

-- name: Rails: destroy
DELETE FROM "jobs" WHERE "jobs"."id" = $1

-- name: Rails: delete by subquery
-- needs: dml,select
DELETE FROM "jobs" WHERE "jobs"."id" IN (SELECT "jobs"."id" FROM "jobs" WHERE "jobs"."state" = $1 ORDER BY "jobs"."id" ASC LIMIT $2)

-- name: Rails: insert all
-- needs: dml,select
INSERT INTO "products" ("sku","name","price") VALUES ('N1', 'one', 1.0), ('N2', 'two', 2.0) ON CONFLICT DO NOTHING RETURNING "id"

-- name: Rails: upsert all
-- needs: dml,select
INSERT INTO "products" ("sku","name","price") VALUES ('SKU-0001', 'one', 1.0) ON CONFLICT ("sku") DO UPDATE SET "name"=excluded."name","price"=excluded."price" RETURNING "id"

-- name: Rails: lock
-- needs: dml,select
SELECT "orders".* FROM "orders" WHERE "orders"."id" = $1 LIMIT $2 FOR UPDATE

-- name: Rails: counter
UPDATE "stock" SET "quantity" = COALESCE("quantity", 0) - $1 WHERE "stock"."product_id" = $2 AND "stock"."warehouse" = $3

-- name: Rails: touch
UPDATE "customers" SET "updated_at" = '2025-01-01 00:00:00' WHERE "customers"."id" = 1

-- name: Rails: exists
-- needs: select
SELECT 1 AS one FROM "customers" WHERE "customers"."email" = $1 LIMIT $2

-- name: Rails: preload
-- needs: select
SELECT "orders".* FROM "orders" WHERE "orders"."customer_id" IN ($1, $2, $3)

-- name: Hibernate: next of a sequence
select nextval('invoice_number')

-- name: Hibernate: insert as sent by pgjdbc
insert into customers (birth,country,email,name,id) values ($1,$2,$3,$4,$5)

-- name: Hibernate: insert default identity
-- needs: dml,select
insert into customers (country,email,name) values ($1,$2,$3)
RETURNING *

-- name: Hibernate: optimistic update
update orders set note=$1,status=$2,total=$3 where id=$4 and status=$5

-- name: Hibernate: pessimistic lock
-- needs: dml,select
select o1_0.id,o1_0.status,o1_0.total from orders o1_0 where o1_0.id=$1 for no key update

-- name: Hibernate: shared lock
-- needs: dml,select
select o1_0.id from orders o1_0 where o1_0.id=$1 for share nowait

-- name: Hibernate: page with joins
-- needs: select
select c1_0.id,c1_0.name,o1_0.id,o1_0.total from customers c1_0 left join orders o1_0 on c1_0.id=o1_0.customer_id where c1_0.name like $1 escape '' order by c1_0.id offset $2 rows fetch first $3 rows only

-- name: Hibernate: bulk delete with exists
-- needs: dml,select
delete from jobs j1_0 where exists(select 1 from departments d1_0 where d1_0.name=j1_0.queue)

-- name: Prisma: create
-- needs: dml,select
INSERT INTO "public"."customers" ("name","email","country") VALUES ($1,$2,$3) RETURNING "public"."customers"."id"

-- name: Prisma: find many
-- needs: select
SELECT "public"."customers"."id", "public"."customers"."name", "public"."customers"."status"::text FROM "public"."customers" WHERE ("public"."customers"."email" = $1 AND 1=1) ORDER BY "public"."customers"."id" ASC LIMIT $2 OFFSET $3

-- name: Prisma: find one
-- needs: select
SELECT "public"."orders"."id" FROM "public"."orders" WHERE ("public"."orders"."id" = $1 AND 1=1) LIMIT $2 OFFSET $3

-- name: Prisma: update with an enumeration
-- needs: dml,select
UPDATE "public"."customers" SET "status" = CAST($1::text AS "public"."customer_status") WHERE ("public"."customers"."id" IN ($2) AND 1=1) RETURNING "public"."customers"."id"

-- name: Prisma: aggregate
-- needs: select
SELECT COUNT(*), SUM("total") FROM (SELECT "public"."orders"."total" FROM "public"."orders" WHERE 1=1 OFFSET $1) AS "sub"

-- name: Prisma: upsert
-- needs: dml,select
INSERT INTO "public"."products" ("sku","name","price") VALUES ($1,$2,$3) ON CONFLICT ("sku") DO UPDATE SET "name" = $4 WHERE ("public"."products"."sku" = $5 AND 1=1) RETURNING "public"."products"."id", "public"."products"."sku"

-- name: Prisma: delete
DELETE FROM "public"."jobs" WHERE ("public"."jobs"."id" = $1 AND 1=1)

-- name: jOOQ: merge
-- needs: dml,select
merge into "public"."stock" using (select 1 as "product_id", 'north' as "warehouse") as "t" on ("public"."stock"."product_id" = "t"."product_id" and "public"."stock"."warehouse" = "t"."warehouse") when matched then update set "quantity" = 5 when not matched then insert ("product_id", "warehouse", "quantity") values ("t"."product_id", "t"."warehouse", 5)

-- name: jOOQ: insert select
-- needs: dml,select
insert into "public"."audit_notes" ("what") select "public"."orders"."note" from "public"."orders" where "public"."orders"."note" is not null

-- name: Entity Framework: insert returning in a batch
-- needs: dml,select
INSERT INTO departments (name, budget)
VALUES ($1, $2),
($3, $4)
RETURNING id;

-- name: Entity Framework: update with a check of the row's version
UPDATE orders SET note = $1
WHERE id = $2 AND xmin = $3;

-- name: GORM: upsert
INSERT INTO "stock" ("product_id","warehouse","quantity") VALUES (1,'north',7) ON CONFLICT ("product_id","warehouse") DO UPDATE SET "quantity"="excluded"."quantity"

-- name: GORM: save
UPDATE "customers" SET "name"='x',"email"='y@y.test',"updated_at"='2025-01-01 00:00:00' WHERE "id" = 1

-- name: Ecto: insert all with placeholders
INSERT INTO "audit_notes" AS a0 ("at","what") VALUES ($1,$2),($1,$3) ON CONFLICT DO NOTHING

-- name: Ecto: update with a join
-- needs: dml,select
UPDATE "orders" AS o0 SET "note" = $1 FROM "customers" AS c1 WHERE (c1."id" = o0."customer_id") AND (c1."country" = $2)

-- name: Ecto: delete with a join
-- needs: dml,select
DELETE FROM "payments" AS p0 USING "orders" AS o1 WHERE (o1."id" = p0."order_id") AND (o1."status" = $1)

-- name: queue: take a job
-- needs: dml,select
UPDATE jobs SET state = 'running', locked_by = $1, attempts = attempts + 1 WHERE id = (SELECT id FROM jobs WHERE state = 'ready' AND run_at <= now() ORDER BY run_at FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING *

-- name: queue: take with an expression
-- needs: dml,select
WITH next AS (SELECT id FROM jobs WHERE queue = 'mail' AND state = 'ready' ORDER BY id LIMIT 5 FOR NO KEY UPDATE SKIP LOCKED) UPDATE jobs SET state = 'running' FROM next WHERE jobs.id = next.id RETURNING jobs.id

-- name: queue: finish
DELETE FROM jobs WHERE id = $1

-- name: queue: wake
SELECT pg_notify('jobs', 'mail')

-- name: queue: wake by statement
NOTIFY jobs

-- name: queue: lock by number
SELECT pg_try_advisory_lock(4711)

-- name: queue: lock for the transaction
SELECT pg_advisory_xact_lock(hashtextextended('bill', 0))

-- name: queue: unlock
-- needs: info
SELECT pg_advisory_unlock(4711)

-- name: move rows
-- needs: dml,select
WITH gone AS (DELETE FROM jobs WHERE state = 'done' RETURNING *) INSERT INTO audit_notes (what) SELECT 'job ' || id FROM gone

-- name: insert default values
INSERT INTO audit_notes DEFAULT VALUES

-- name: insert overriding
INSERT INTO customers (id, name, email) OVERRIDING SYSTEM VALUE VALUES (5000, 'x', 'x5000@mail.test')

-- name: insert arrays and json
INSERT INTO customers (name, email, tags, profile) VALUES ('x', 'x1@mail.test', ARRAY['a'], jsonb_build_object('a', 1)), ('y', 'y1@mail.test', '{b}', '{"b": 2}')

-- name: insert a composite
INSERT INTO customers (name, email, address) VALUES ('x', 'x2@mail.test', ROW('Street 1', 'Ulm', '89073', 'DE')::postal_address)

-- name: insert a composite's field
INSERT INTO customers (name, email, address.city) VALUES ('x', 'x3@mail.test', 'Ulm')

-- name: on conflict on an expression
INSERT INTO customers (name, email) VALUES ('x', 'C1@MAIL.TEST') ON CONFLICT (lower(email)) DO UPDATE SET name = excluded.name

-- name: on conflict on constraint
INSERT INTO stock (product_id, warehouse, quantity) VALUES (1, 'north', 1) ON CONFLICT ON CONSTRAINT stock_pkey DO UPDATE SET quantity = stock.quantity + excluded.quantity

-- name: on conflict with conditions
INSERT INTO stock AS s (product_id, warehouse, quantity) VALUES (1, 'north', 1) ON CONFLICT (product_id, warehouse) DO UPDATE SET quantity = excluded.quantity WHERE s.quantity < excluded.quantity

-- name: update several columns at once
UPDATE customers SET (name, phone) = ('x', '1'), updated_at = DEFAULT WHERE id = 1

-- name: update from a subselect of a row
-- needs: dml,select
UPDATE customers c SET (name, country) = (SELECT e.name, 'DE' FROM employees e WHERE e.id = c.id) WHERE c.id = 1

-- name: update a json member
UPDATE customers SET profile = jsonb_set(profile, '{age}', to_jsonb((profile->>'age')::int + 1)) WHERE id = 1

-- name: update a subscript
UPDATE customers SET tags[1] = 'gold', profile['lang'] = '"de"' WHERE id = 1

-- name: update a composite's field
UPDATE customers SET address.city = 'Ulm' WHERE id = 1

-- name: update a partitioned table
UPDATE events SET kind = 'seen' WHERE id = 5 AND occurred_at >= '2024-11-01'

-- name: delete with an alias
DELETE FROM ONLY jobs AS j WHERE j.state = 'done'

-- name: copy in
COPY audit_notes (what) FROM STDIN

-- name: copy in as csv
COPY public.jobs (queue, payload) FROM STDIN WITH (FORMAT csv, HEADER true, DELIMITER ';', NULL '')

-- name: copy in, binary
COPY stock FROM STDIN BINARY

-- name: refresh
-- needs: dml,select
REFRESH MATERIALIZED VIEW CONCURRENTLY monthly_sales

-- name: lock for writing
LOCK TABLE stock IN SHARE ROW EXCLUSIVE MODE

-- name: prepared write
PREPARE add_note (text) AS INSERT INTO audit_notes (what) VALUES ($1)

-- name: explain analyze of a write
EXPLAIN (ANALYZE, BUFFERS) UPDATE stock SET quantity = 0 WHERE product_id = 1

-- name: merge with all its arms
-- needs: dml,select
MERGE INTO stock AS s USING (SELECT product_id, sum(quantity) AS sold FROM order_items GROUP BY product_id) AS i ON s.product_id = i.product_id AND s.warehouse = 'north' WHEN MATCHED AND s.quantity > i.sold THEN UPDATE SET quantity = s.quantity - i.sold WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (product_id, warehouse, quantity) VALUES (i.product_id, 'north', 0)
