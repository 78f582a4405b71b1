-- What migration tools send that were not recorded: Flyway 10, Liquibase 4, Rails 7 (ActiveRecord), Prisma Migrate 5,
-- golang-migrate 4, goose 3, sqlx-cli 0.8, diesel 2; and migrations as people write them. In their shapes, over
-- schema.sql; each runs on PostgreSQL 15 in its place. All of it passes under ddl, dml and select together.

-- name: Flyway: history table
CREATE TABLE IF NOT EXISTS "public"."flyway_schema_history" (
    "installed_rank" INT NOT NULL,
    "version" VARCHAR(50),
    "description" VARCHAR(200) NOT NULL,
    "type" VARCHAR(20) NOT NULL,
    "script" VARCHAR(1000) NOT NULL,
    "checksum" INTEGER,
    "installed_by" VARCHAR(100) NOT NULL,
    "installed_on" TIMESTAMP NOT NULL DEFAULT now(),
    "execution_time" INTEGER NOT NULL,
    "success" BOOLEAN NOT NULL
);
ALTER TABLE "public"."flyway_schema_history" ADD CONSTRAINT "flyway_schema_history_pk" PRIMARY KEY ("installed_rank");
CREATE INDEX "flyway_schema_history_s_idx" ON "public"."flyway_schema_history" ("success")

-- name: Flyway: lock
-- needs: dml
SELECT pg_try_advisory_xact_lock(77431085906)

-- name: Flyway: lock for the session
-- needs: dml
SELECT pg_try_advisory_lock(77431085906)

-- name: Flyway: unlock
-- needs: info
SELECT pg_advisory_unlock(77431085906)

-- name: Flyway: back to its own role
-- needs: none
SET ROLE 'hallpass'

-- name: Liquibase: change log
CREATE TABLE public.databasechangelog (ID VARCHAR(255) NOT NULL, AUTHOR VARCHAR(255) NOT NULL, FILENAME VARCHAR(255) NOT NULL, DATEEXECUTED TIMESTAMP WITHOUT TIME ZONE NOT NULL, ORDEREXECUTED INTEGER NOT NULL, EXECTYPE VARCHAR(10) NOT NULL, MD5SUM VARCHAR(35), DESCRIPTION VARCHAR(255), COMMENTS VARCHAR(255), TAG VARCHAR(255), LIQUIBASE VARCHAR(20), CONTEXTS VARCHAR(255), LABELS VARCHAR(255), DEPLOYMENT_ID VARCHAR(10))

-- name: Liquibase: lock table
CREATE TABLE public.databasechangeloglock (ID INTEGER NOT NULL, LOCKED BOOLEAN NOT NULL, LOCKGRANTED TIMESTAMP WITHOUT TIME ZONE, LOCKEDBY VARCHAR(255), CONSTRAINT databasechangeloglock_pkey PRIMARY KEY (ID))

-- name: Rails: schema table
CREATE TABLE "schema_migrations" ("version" character varying NOT NULL PRIMARY KEY)

-- name: Rails: metadata table
CREATE TABLE "ar_internal_metadata" ("key" character varying NOT NULL PRIMARY KEY, "value" character varying, "created_at" timestamp(6) NOT NULL, "updated_at" timestamp(6) NOT NULL)

-- name: Rails: advisory lock
-- needs: dml
SELECT pg_try_advisory_lock(5348987521890453435)

-- name: Rails: advisory unlock
-- needs: info
SELECT pg_advisory_unlock(5348987521890453435)

-- name: Rails: create table
CREATE TABLE "invoices" ("id" bigserial primary key, "customer_id" bigint NOT NULL, "amount" decimal(10,2), "state" integer DEFAULT 0 NOT NULL, "data" jsonb DEFAULT '{}', "created_at" timestamp(6) NOT NULL, CONSTRAINT "fk_rails_1" FOREIGN KEY ("customer_id") REFERENCES "customers" ("id"))

-- name: Rails: add column
ALTER TABLE "orders" ADD "priority" integer DEFAULT 0 NOT NULL

-- name: Rails: change column
ALTER TABLE "orders" ALTER COLUMN "note" TYPE character varying(500) USING CAST("note" AS character varying(500))

-- name: Rails: change null
ALTER TABLE "customers" ALTER COLUMN "phone" SET NOT NULL

-- name: Rails: index
CREATE INDEX "index_orders_on_status" ON "orders" ("status")

-- name: Rails: index concurrently
CREATE INDEX CONCURRENTLY "index_orders_on_total" ON "orders" ("total")

-- name: Rails: foreign key not validated
ALTER TABLE "visits" ADD CONSTRAINT "fk_rails_2" FOREIGN KEY ("customer_id") REFERENCES "customers" ("id") ON DELETE SET NULL NOT VALID

-- name: Rails: validate
ALTER TABLE "orders" VALIDATE CONSTRAINT "orders_status_check"

-- name: Rails: rename column
ALTER TABLE "orders" RENAME COLUMN "note" TO "remark"

-- name: Rails: rename table
ALTER TABLE "audit_notes" RENAME TO "notes"

-- name: Rails: comment
COMMENT ON COLUMN "orders"."total" IS 'gross'

-- name: Rails: check constraint
ALTER TABLE "orders" ADD CONSTRAINT "chk_total" CHECK (total >= 0)

-- name: Rails: enumeration
CREATE TYPE "mood" AS ENUM ('sad', 'happy')

-- name: Rails: drop
DROP TABLE IF EXISTS "invoices" CASCADE

-- name: Prisma Migrate: lock
-- needs: dml
SELECT pg_advisory_lock(72707369)

-- name: Prisma Migrate: its table
CREATE TABLE _prisma_migrations (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
)

-- name: Prisma Migrate: script
-- CreateTable
CREATE TABLE "Post" (
    "id" SERIAL NOT NULL,
    "title" TEXT NOT NULL,
    "authorId" BIGINT NOT NULL,

    CONSTRAINT "Post_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "Post_title_key" ON "Post"("title");

-- AddForeignKey
ALTER TABLE "Post" ADD CONSTRAINT "Post_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- name: golang-migrate: its table
CREATE TABLE IF NOT EXISTS "public"."schema_migrations" (version bigint not null primary key, dirty boolean not null)

-- name: golang-migrate: truncate and insert
-- needs: ddl,dml
CREATE TABLE IF NOT EXISTS "public"."schema_migrations" (version bigint not null primary key, dirty boolean not null); TRUNCATE "public"."schema_migrations"; INSERT INTO "public"."schema_migrations" (version, dirty) VALUES (1, true)

-- name: golang-migrate: lock
-- needs: dml
SELECT pg_advisory_lock(1234567)

-- name: goose: its table
CREATE TABLE goose_db_version (id serial NOT NULL, version_id bigint NOT NULL, is_applied boolean NOT NULL, tstamp timestamp NULL default now(), PRIMARY KEY(id))

-- name: sqlx-cli: its table
CREATE TABLE IF NOT EXISTS _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMPTZ NOT NULL DEFAULT now(),
    success BOOLEAN NOT NULL,
    checksum BYTEA NOT NULL,
    execution_time BIGINT NOT NULL
);

-- name: sqlx-cli: lock
-- needs: dml
SELECT pg_advisory_lock($1)

-- name: diesel: its table
CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)

-- name: one transaction of schema and rows
-- needs: ddl,dml,select
BEGIN;
ALTER TABLE products ADD COLUMN slug text;
UPDATE products SET slug = lower(replace(name, ' ', '-'));
ALTER TABLE products ALTER COLUMN slug SET NOT NULL;
CREATE UNIQUE INDEX products_slug ON products (slug);
COMMIT

-- name: several changes at once
ALTER TABLE orders ADD COLUMN IF NOT EXISTS channel text DEFAULT 'web', ADD COLUMN weight real, DROP COLUMN IF EXISTS legacy, ALTER COLUMN total SET DEFAULT 1, ADD UNIQUE (id, customer_id)

-- name: generated and identity columns
CREATE TABLE parcels (id bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 5) PRIMARY KEY, length int, width int, area int GENERATED ALWAYS AS (length * width) STORED, CHECK (length > 0), EXCLUDE USING btree (width WITH =))

-- name: like and inherits
CREATE TABLE orders_archive (LIKE orders INCLUDING ALL) WITH (fillfactor = 90); CREATE TABLE special_orders (reason text) INHERITS (orders)

-- name: unlogged and temporary
CREATE UNLOGGED TABLE scratch (a int); CREATE TEMPORARY TABLE scratch2 (a int) ON COMMIT DROP

-- name: table of a type
CREATE TABLE addresses OF postal_address (PRIMARY KEY (postcode))

-- name: partition by hash
CREATE TABLE readings (id bigint, at timestamptz) PARTITION BY HASH (id); CREATE TABLE readings_0 PARTITION OF readings FOR VALUES WITH (MODULUS 2, REMAINDER 0)

-- name: partition by list
CREATE TABLE by_country (country char(2), n int) PARTITION BY LIST (country); CREATE TABLE by_country_de PARTITION OF by_country FOR VALUES IN ('DE')

-- name: attach and detach
CREATE TABLE events_2026 (LIKE events); ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01'); ALTER TABLE events DETACH PARTITION events_2026

-- name: expression and partial index
CREATE UNIQUE INDEX IF NOT EXISTS one_open ON orders (customer_id, (date_trunc('day', ordered_at AT TIME ZONE 'UTC'))) WHERE status = 'none'

-- name: index with options
CREATE INDEX ON documents USING gin (to_tsvector('simple', body)) WITH (fastupdate = off)

-- name: covering index
CREATE INDEX ON order_items (product_id) INCLUDE (quantity, unit_price)

-- name: index options
ALTER INDEX orders_customer SET (fillfactor = 80)

-- name: rename index
ALTER INDEX orders_customer RENAME TO orders_by_customer

-- name: drop index
DROP INDEX IF EXISTS orders_open, products_name

-- name: reindex
REINDEX INDEX orders_customer

-- name: reindex a table
REINDEX TABLE orders

-- name: analyze
ANALYZE orders (total), customers

-- name: analyze all
ANALYZE VERBOSE departments

-- name: extended statistics
CREATE STATISTICS IF NOT EXISTS customers_stats (ndistinct) ON country, status FROM customers

-- name: statistics target
ALTER TABLE orders ALTER COLUMN status SET STATISTICS 500

-- name: storage
ALTER TABLE documents ALTER COLUMN body SET STORAGE EXTERNAL, SET (autovacuum_vacuum_scale_factor = 0.05)

-- name: sequence
CREATE SEQUENCE IF NOT EXISTS tickets AS integer INCREMENT BY 10 OWNED BY jobs.id

-- name: alter sequence
ALTER SEQUENCE invoice_number RESTART WITH 5000 CACHE 10

-- name: set a sequence after a load
-- needs: dml,select
SELECT setval('invoice_number', (SELECT coalesce(max(id), 1) FROM orders))

-- name: set a sequence after a load, the usual words
-- needs: dml,select
SELECT setval(pg_get_serial_sequence('orders', 'id'), coalesce(max(id), 0) + 1, false) FROM orders

-- name: enumeration value
ALTER TYPE customer_status ADD VALUE IF NOT EXISTS 'banned' AFTER 'closed'

-- name: rename an enumeration value
ALTER TYPE customer_status RENAME VALUE 'dormant' TO 'asleep'

-- name: composite attribute
ALTER TYPE postal_address ADD ATTRIBUTE region text

-- name: range type
CREATE TYPE price_range AS RANGE (subtype = numeric)

-- name: domain
CREATE DOMAIN short_text AS text DEFAULT '' CONSTRAINT len CHECK (length(VALUE) < 100)

-- name: alter domain
ALTER DOMAIN positive_amount ADD CONSTRAINT most CHECK (VALUE < 1000000) NOT VALID

-- name: collation
CREATE COLLATION plain (provider = libc, locale = 'C')

-- name: schema
CREATE SCHEMA IF NOT EXISTS billing

-- name: schema with a table
CREATE SCHEMA reports CREATE TABLE daily (day date PRIMARY KEY, total numeric)

-- name: rename schema
ALTER SCHEMA tpch RENAME TO tpch_old

-- name: move a table
CREATE SCHEMA old; ALTER TABLE audit_notes SET SCHEMA old

-- name: view
-- needs: ddl,select
CREATE OR REPLACE VIEW paid_orders WITH (security_barrier) AS SELECT id, total FROM orders WHERE status = 'paid' WITH LOCAL CHECK OPTION

-- name: materialized view
-- needs: ddl,select
CREATE MATERIALIZED VIEW IF NOT EXISTS top_customers AS SELECT customer_id, sum(total) FROM orders GROUP BY 1 WITH NO DATA

-- name: table as
-- needs: ddl,select
CREATE TABLE orders_backup AS SELECT * FROM orders

-- name: select into
-- needs: ddl,select
SELECT * INTO orders_backup_2 FROM orders WHERE status = 'paid'

-- name: drop view
DROP VIEW IF EXISTS active_customers CASCADE

-- name: drop materialized view
DROP MATERIALIZED VIEW monthly_sales

-- name: rename view column
ALTER VIEW active_customers RENAME COLUMN name TO full_name

-- name: view default
ALTER VIEW active_customers ALTER COLUMN country SET DEFAULT 'DE'

-- name: drop several
DROP TABLE order_items, payments CASCADE

-- name: drop type
DROP TYPE IF EXISTS nosuch RESTRICT

-- name: drop sequence
DROP SEQUENCE invoice_number

-- name: drop schema
DROP SCHEMA tpcds CASCADE

-- name: truncate
TRUNCATE TABLE jobs, audit_notes RESTART IDENTITY CASCADE

-- name: comments
COMMENT ON VIEW active_customers IS 'who buys'; COMMENT ON INDEX orders_customer IS NULL; COMMENT ON SCHEMA public IS E'it\'s ours'; COMMENT ON TYPE customer_status IS 'a''b'

-- name: row security without a policy
-- needs: admin
ALTER TABLE visits ENABLE ROW LEVEL SECURITY

-- name: replica identity
ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_pkey

-- name: cluster mark
ALTER TABLE orders CLUSTER ON orders_pkey

-- name: lock before a change
-- needs: dml
LOCK TABLE orders IN ACCESS EXCLUSIVE MODE

-- name: timeouts before a change
-- needs: ddl
SET lock_timeout = '2s'; SET statement_timeout = '1min'; ALTER TABLE orders ADD COLUMN x int

-- name: text search configuration
CREATE TEXT SEARCH CONFIGURATION shop_english (COPY = pg_catalog.english)

-- name: foreign key deferred
ALTER TABLE payments ADD CONSTRAINT later FOREIGN KEY (order_id) REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED

-- name: alter constraint
ALTER TABLE payments ALTER CONSTRAINT payments_order_id_fkey DEFERRABLE

-- name: rename constraint
ALTER TABLE payments RENAME CONSTRAINT payments_order_id_fkey TO payments_order

-- name: function of a migration
-- needs: admin
CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END;
$body$

-- name: trigger of a migration
-- needs: admin
CREATE TRIGGER keep BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()

-- name: extension of a migration
-- needs: admin
CREATE EXTENSION IF NOT EXISTS "uuid-ossp"

-- name: block of a migration
-- needs: admin
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'mood2') THEN
        CREATE TYPE mood2 AS ENUM ('a');
    END IF;
END
$$

-- name: privileges of a migration
-- needs: admin
GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC

-- name: owner of a migration
-- needs: admin
ALTER TABLE orders OWNER TO CURRENT_USER
