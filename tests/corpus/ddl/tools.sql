-- What migration tools do, and what else a schema goes through. Own texts. Run on PostgreSQL 15.

-- name: flyway: history exists
-- needs: info
SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relname = 'flyway_schema_history')

-- name: flyway: current role
-- needs: info
SELECT current_user

-- name: flyway: search path
-- needs: info
SHOW search_path

-- name: flyway: create history
CREATE TABLE "public"."flyway_schema_history" ("installed_rank" INT NOT NULL, "version" VARCHAR(50), "description" VARCHAR(200) NOT NULL, "type" VARCHAR(20) NOT NULL, "script" VARCHAR(1000) NOT NULL, "checksum" INTEGER, "installed_by" VARCHAR(100) NOT NULL, "installed_on" TIMESTAMP NOT NULL DEFAULT now(), "execution_time" INTEGER NOT NULL, "success" BOOLEAN NOT NULL)

-- name: flyway: history key
ALTER TABLE "public"."flyway_schema_history" ADD CONSTRAINT "flyway_schema_history_pk" PRIMARY KEY ("installed_rank")

-- name: flyway: history index
CREATE INDEX "flyway_schema_history_s_idx" ON "public"."flyway_schema_history" ("success")

-- name: flyway: lock
-- needs: dml
SELECT pg_try_advisory_lock(77431708279161)

-- name: flyway: unlock
-- needs: dml
SELECT pg_advisory_unlock(77431708279161)

-- name: flyway: lock in transaction
-- needs: dml
SELECT pg_try_advisory_xact_lock(77431708279161)

-- name: flyway: read history
-- needs: select
SELECT "installed_rank","version","description","type","script","checksum","installed_on","installed_by","execution_time","success" FROM "public"."flyway_schema_history" WHERE "installed_rank" > $1 ORDER BY "installed_rank"

-- name: flyway: record
-- needs: dml
INSERT INTO "public"."flyway_schema_history" ("installed_rank", "version", "description", "type", "script", "checksum", "installed_by", "execution_time", "success") VALUES (1, '1', 'init', 'SQL', 'V1__init.sql', -1, 'alice', 12, true)

-- name: flyway: lock table
-- needs: dml,export,select
BEGIN; SELECT * FROM "public"."flyway_schema_history" FOR UPDATE; COMMIT

-- name: liquibase: lock table
CREATE TABLE public.databasechangeloglock (ID INTEGER NOT NULL, LOCKED BOOLEAN NOT NULL, LOCKGRANTED TIMESTAMP WITHOUT TIME ZONE, LOCKEDBY VARCHAR(255), CONSTRAINT databasechangeloglock_pkey PRIMARY KEY (ID))

-- name: liquibase: initialize lock
-- needs: dml
DELETE FROM public.databasechangeloglock; INSERT INTO public.databasechangeloglock (ID, LOCKED) VALUES (1, FALSE)

-- name: liquibase: acquire
-- needs: dml
UPDATE public.databasechangeloglock SET LOCKED = TRUE, LOCKEDBY = 'host (10.0.0.1)', LOCKGRANTED = NOW() WHERE ID = 1 AND LOCKED = FALSE

-- name: liquibase: read lock
-- needs: select
SELECT LOCKED FROM public.databasechangeloglock WHERE ID=1

-- name: liquibase: change log
CREATE TABLE public.databasechangelog (ID VARCHAR(255) NOT NULL, AUTHOR VARCHAR(255) NOT NULL, FILENAME VARCHAR(255) NOT NULL, DATEEXECUTED TIMESTAMP WITHOUT TIME ZONE NOT NULL, ORDEREXECUTED INTEGER NOT NULL, EXECTYPE VARCHAR(10) NOT NULL, MD5SUM VARCHAR(35), DESCRIPTION VARCHAR(255), COMMENTS VARCHAR(255), TAG VARCHAR(255), LIQUIBASE VARCHAR(20), CONTEXTS VARCHAR(255), LABELS VARCHAR(255), DEPLOYMENT_ID VARCHAR(10))

-- name: liquibase: count
-- needs: select
SELECT COUNT(*) FROM public.databasechangelog

-- name: liquibase: max order
-- needs: select
SELECT MAX(ORDEREXECUTED) FROM public.databasechangelog

-- name: liquibase: record
-- needs: dml
INSERT INTO public.databasechangelog (ID, AUTHOR, FILENAME, DATEEXECUTED, ORDEREXECUTED, MD5SUM, DESCRIPTION, COMMENTS, EXECTYPE, CONTEXTS, LABELS, LIQUIBASE, DEPLOYMENT_ID) VALUES ('1', 'alice', 'db/changelog.xml', NOW(), 1, '8:d41d8cd98f00b204e9800998ecf8427e', 'createTable tableName=person', '', 'EXECUTED', NULL, NULL, '4.20.0', '7000000000')

-- name: liquibase: current schema
-- needs: info
SELECT current_schema()

-- name: liquibase: setting
-- needs: none
SET SEARCH_PATH TO public, "$user","public"

-- name: liquibase: drop all view
DROP VIEW IF EXISTS public.nothing_here CASCADE

-- name: rails: schema migrations
CREATE TABLE "schema_migrations" ("version" character varying NOT NULL PRIMARY KEY)

-- name: rails: internal metadata
CREATE TABLE "ar_internal_metadata" ("key" character varying NOT NULL PRIMARY KEY, "value" character varying, "created_at" timestamp(6) NOT NULL, "updated_at" timestamp(6) NOT NULL)

-- name: rails: migration lock
-- needs: dml
SELECT pg_try_advisory_lock(2053462845259372845)

-- name: rails: create users
CREATE TABLE "users" ("id" bigserial primary key, "email" character varying DEFAULT '' NOT NULL, "encrypted_password" character varying DEFAULT '' NOT NULL, "reset_password_sent_at" timestamp(6), "sign_in_count" integer DEFAULT 0 NOT NULL, "created_at" timestamp(6) NOT NULL, "updated_at" timestamp(6) NOT NULL)

-- name: rails: index if not exists
CREATE UNIQUE INDEX IF NOT EXISTS "index_users_on_email" ON "users" ("email")

-- name: rails: add reference
ALTER TABLE "orders" ADD "user_id" bigint; CREATE INDEX "index_orders_on_user_id" ON "orders" ("user_id")

-- name: rails: add foreign key
ALTER TABLE "orders" ADD CONSTRAINT "fk_rails_f868b47f6a" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED

-- name: rails: foreign key not valid
ALTER TABLE "orders" ADD CONSTRAINT "fk_nv" FOREIGN KEY ("user_id") REFERENCES "users" ("id") NOT VALID

-- name: rails: validate
ALTER TABLE "orders" VALIDATE CONSTRAINT "fk_nv"

-- name: rails: remove foreign key
ALTER TABLE "orders" DROP CONSTRAINT "fk_nv"

-- name: rails: rename column
ALTER TABLE "users" RENAME COLUMN "sign_in_count" TO "logins"

-- name: rails: rename table
ALTER TABLE "users" RENAME TO "people"

-- name: rails: rename sequence
ALTER TABLE "public"."users_id_seq" RENAME TO "people_id_seq"

-- name: rails: rename index
ALTER INDEX "index_users_on_email" RENAME TO "index_people_on_email"

-- name: rails: rename key
ALTER INDEX "users_pkey" RENAME TO "people_pkey"

-- name: rails: use renamed
-- needs: select
SELECT "people".* FROM "people" WHERE "people"."email" = 'x' LIMIT 1

-- name: rails: change column
ALTER TABLE "people" ALTER COLUMN "logins" TYPE bigint USING logins::bigint

-- name: rails: change default
ALTER TABLE "people" ALTER COLUMN "logins" SET DEFAULT 5

-- name: rails: drop default
ALTER TABLE "people" ALTER COLUMN "logins" DROP DEFAULT

-- name: rails: change null
-- needs: ddl,dml
UPDATE "people" SET "logins"=0 WHERE "logins" IS NULL; ALTER TABLE "people" ALTER COLUMN "logins" SET NOT NULL

-- name: rails: comment
COMMENT ON TABLE "people" IS 'who signs in'

-- name: rails: comment column
COMMENT ON COLUMN "people"."email" IS NULL

-- name: rails: check constraint
ALTER TABLE "people" ADD CONSTRAINT "logins_positive" CHECK (logins >= 0) NOT VALID

-- name: rails: enum
CREATE TYPE "mood" AS ENUM ('sad', 'ok', 'happy')

-- name: rails: add enum value
ALTER TYPE "mood" ADD VALUE IF NOT EXISTS 'meh' AFTER 'sad'

-- name: rails: rename enum value
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'

-- name: rails: add enum column
ALTER TABLE "people" ADD "mood" mood DEFAULT 'ok' NOT NULL

-- name: rails: versions
-- needs: dml
INSERT INTO "schema_migrations" (version) VALUES (20240101000000),
(20240102000000)

-- name: rails: unique constraint deferrable
ALTER TABLE "people" ADD CONSTRAINT people_email_u UNIQUE (email) DEFERRABLE INITIALLY IMMEDIATE

-- name: rails: exclusion constraint
ALTER TABLE bookings ADD CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&) WHERE (room = 'lab')

-- name: rails: drop table
DROP TABLE IF EXISTS "people" CASCADE

-- name: rails: disable integrity
ALTER TABLE "stock" DISABLE TRIGGER USER; ALTER TABLE "stock" ENABLE TRIGGER USER

-- name: rails: constraint deferred
-- needs: none
SET CONSTRAINTS ALL DEFERRED

-- name: alembic: version table
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))

-- name: alembic: transaction
-- needs: ddl,dml,export,select
BEGIN; ALTER TABLE departments ADD COLUMN cost_center VARCHAR(20); INSERT INTO alembic_version (version_num) VALUES ('1975ea83b712') RETURNING alembic_version.version_num; COMMIT

-- name: alembic: update version
-- needs: dml
UPDATE alembic_version SET version_num='ae1027a6acf' WHERE alembic_version.version_num = '1975ea83b712'

-- name: goose: version table
CREATE TABLE goose_db_version (id integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, version_id bigint NOT NULL, is_applied boolean NOT NULL, tstamp timestamp NOT NULL DEFAULT now())

-- name: goose: insert
-- needs: dml
INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true)

-- name: goose: list
-- needs: select
SELECT version_id, is_applied from goose_db_version ORDER BY id DESC

-- name: goose: lock
-- needs: dml
SELECT pg_advisory_lock(5887940537704921958)

-- name: golang-migrate: version table
CREATE TABLE IF NOT EXISTS "public"."schema_version_go" (version bigint not null primary key, dirty boolean not null)

-- name: golang-migrate: truncate and set
-- needs: ddl,dml
TRUNCATE "public"."schema_version_go"; INSERT INTO "public"."schema_version_go" (version, dirty) VALUES (1, false)

-- name: dbmate: version table
create table if not exists "public"."dbmate_migrations" (version varchar(128) primary key)

-- name: sqlx: migrations
CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL);

-- name: sqlx: lock
-- needs: dml
SELECT pg_advisory_lock(1)

-- name: diesel: migrations
CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)

-- name: drizzle: schema and migrations
CREATE SCHEMA IF NOT EXISTS "drizzle"; CREATE TABLE IF NOT EXISTS "drizzle"."__drizzle_migrations" (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint)

-- name: knex: lock
create table "knex_migrations_lock" ("index" serial primary key, "is_locked" integer)

-- name: knex: alter
alter table "departments" add column "phone" varchar(255) null, add column "fax" varchar(255); alter table "departments" add constraint "departments_phone_unique" unique ("phone")

-- name: knex: drop column
alter table "departments" drop column "fax"

-- name: prisma: migrations
CREATE TABLE _prisma_migrations (id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ, migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ, started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)

-- name: prisma: enum change
BEGIN; CREATE TYPE "Role_new" AS ENUM ('USER', 'ADMIN'); ALTER TABLE "departments" ADD COLUMN "role" "Role_new"; ALTER TABLE "departments" ALTER COLUMN "role" TYPE "Role_new" USING ("role"::text::"Role_new"); ALTER TYPE "Role_new" RENAME TO "Role"; COMMIT

-- name: prisma: create table
CREATE TABLE "Post" ("id" SERIAL NOT NULL, "title" TEXT NOT NULL, "published" BOOLEAN NOT NULL DEFAULT false, "authorId" INTEGER, "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, CONSTRAINT "Post_pkey" PRIMARY KEY ("id"))

-- name: prisma: foreign key
ALTER TABLE "Post" ADD CONSTRAINT "Post_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "employees"("id") ON DELETE SET NULL ON UPDATE CASCADE

-- name: prisma: lock
-- needs: dml
SELECT pg_advisory_lock(72707369)

-- name: ef: history
CREATE TABLE IF NOT EXISTS "__EFMigrationsHistory" ("MigrationId" character varying(150) NOT NULL, "ProductVersion" character varying(32) NOT NULL, CONSTRAINT "PK___EFMigrationsHistory" PRIMARY KEY ("MigrationId"));

-- name: ef: script without xmin
-- needs: ddl,dml
START TRANSACTION; CREATE TABLE "Blogs" ("BlogId" integer GENERATED BY DEFAULT AS IDENTITY, "Url" text NOT NULL, "Rating" numeric(18,2) NOT NULL, CONSTRAINT "PK_Blogs" PRIMARY KEY ("BlogId")); INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion") VALUES ('20240101_Init', '8.0.0'); COMMIT;

-- name: ef: index with filter
CREATE UNIQUE INDEX "IX_Blogs_Url" ON "Blogs" ("Url") INCLUDE ("Rating") WHERE "Url" IS NOT NULL

-- name: ef: lock in transaction
-- needs: dml
BEGIN; LOCK TABLE "__EFMigrationsHistory" IN ACCESS EXCLUSIVE MODE; COMMIT

-- name: hibernate: sequence
create sequence hibernate_sequence start 1 increment 1

-- name: hibernate: next
-- needs: dml
select nextval ('hibernate_sequence')

-- name: hibernate: next in batch
-- needs: dml
select nextval('hibernate_sequence') from generate_series(1, 5)

-- name: hibernate: table
create table person (id int8 not null, name varchar(255), born timestamp(6) with time zone, photo oid, score float(53), flags bit(8), primary key (id))

-- name: hibernate: alter if exists
alter table if exists person add constraint UK_name unique (name)

-- name: hibernate: drop
alter table if exists person drop constraint if exists UK_name; drop table if exists person cascade; drop sequence if exists hibernate_sequence

-- name: doctrine: comment type
COMMENT ON COLUMN departments.budget IS '(DC2Type:money)'

-- name: doctrine: alter
ALTER TABLE departments ALTER budget TYPE NUMERIC(20, 4), ALTER budget DROP NOT NULL, ALTER name SET DEFAULT 'x'

-- name: laravel: migrations
create table "migrations" ("id" serial not null primary key, "migration" varchar(255) not null, "batch" integer not null)

-- name: laravel: check enum
create table "tickets" ("id" bigserial not null primary key, "state" varchar(255) check ("state" in ('open', 'closed')) not null, "meta" jsonb null, "created_at" timestamp(0) without time zone null)

-- name: laravel: exists
-- needs: info
select exists (select 1 from pg_class c, pg_namespace n where n.nspname = 'public' and c.relname = 'migrations' and c.relkind in ('r', 'p') and n.oid = c.relnamespace)

-- name: gorm: create
CREATE TABLE "products_g" ("id" bigserial,"created_at" timestamptz,"deleted_at" timestamptz,"code" text,"price" bigint,PRIMARY KEY ("id"));CREATE INDEX IF NOT EXISTS "idx_products_deleted_at" ON "products_g" ("deleted_at")

-- name: gorm: has table
-- needs: info
SELECT count(*) FROM information_schema.tables WHERE table_schema = CURRENT_SCHEMA() AND table_name = 'products_g' AND table_type = 'BASE TABLE'

-- name: ecto: create
CREATE TABLE "schema_migrations_ecto" ("version" bigint, "inserted_at" timestamp(0), PRIMARY KEY ("version"))

-- name: ecto: lock
-- needs: dml
BEGIN; LOCK TABLE "schema_migrations_ecto" IN SHARE UPDATE EXCLUSIVE MODE; COMMIT

-- name: ecto: execute
ALTER TABLE "departments" ADD COLUMN "slug" varchar(255) DEFAULT 'x' NOT NULL, ADD COLUMN "meta" jsonb DEFAULT '{}'::jsonb

-- name: index concurrently
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_orders_note ON public.orders USING btree (note COLLATE "C" text_pattern_ops DESC NULLS LAST) INCLUDE (total) WITH (fillfactor = 80) WHERE note IS NOT NULL

-- name: index concurrently dropped
DROP INDEX CONCURRENTLY IF EXISTS public.idx_orders_note

-- name: unique nulls not distinct
CREATE UNIQUE INDEX visits_once ON visits (customer_id, ip, (lower(during))) NULLS NOT DISTINCT

-- name: index on expression
CREATE INDEX orders_month ON orders ((date_trunc('month', ordered_at AT TIME ZONE 'UTC')))

-- name: index on json
CREATE INDEX ON customers ((profile ->> 'lang'), (profile -> 'age'))

-- name: index gin path ops
CREATE INDEX customers_profile_path ON customers USING gin (profile jsonb_path_ops) WITH (fastupdate = off)

-- name: index brin
CREATE INDEX metrics_at ON metrics USING brin (at) WITH (pages_per_range = 32, autosummarize = on)

-- name: index spgist
CREATE INDEX visits_ip ON visits USING spgist (ip inet_ops)

-- name: index on only parent
CREATE INDEX events_kind ON ONLY events (kind)

-- name: index attach
CREATE INDEX events_2024_kind ON events_2024 (kind); ALTER INDEX events_kind ATTACH PARTITION events_2024_kind

-- name: index settings
ALTER INDEX orders_customer SET (fillfactor = 90); ALTER INDEX orders_customer RESET (fillfactor); ALTER INDEX orders_month ALTER COLUMN 1 SET STATISTICS 500

-- name: reindex index
REINDEX INDEX CONCURRENTLY orders_customer

-- name: reindex table
REINDEX (VERBOSE) TABLE departments

-- name: analyze columns
ANALYZE orders (status, total)

-- name: analyze all verbose
ANALYZE (VERBOSE off, SKIP_LOCKED) orders, customers

-- name: constraint using index in two
CREATE UNIQUE INDEX dep_name_u ON departments (name)

-- name: constraint by it
ALTER TABLE departments ADD CONSTRAINT dep_name_key UNIQUE USING INDEX dep_name_u

-- name: add column with everything
ALTER TABLE customers ADD COLUMN IF NOT EXISTS score integer NOT NULL DEFAULT 0 CHECK (score >= 0), ADD COLUMN "createdBy" text COLLATE "C", ADD COLUMN full_name text GENERATED ALWAYS AS (name || ' <' || email || '>') STORED

-- name: identity column
ALTER TABLE audit_notes ALTER COLUMN id SET GENERATED ALWAYS RESTART WITH 100 SET INCREMENT BY 2

-- name: identity column added
ALTER TABLE metrics ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY (START WITH 10 CACHE 5)

-- name: identity column dropped
ALTER TABLE metrics ALTER id DROP IDENTITY IF EXISTS

-- name: generated column dropped
ALTER TABLE customers ALTER full_name DROP EXPRESSION IF EXISTS

-- name: column storage
ALTER TABLE customers ALTER COLUMN phone SET STORAGE EXTERNAL, ALTER COLUMN phone SET STATISTICS 200, ALTER COLUMN phone SET (n_distinct = -0.5), ALTER COLUMN phone SET COMPRESSION pglz

-- name: set not null by check
ALTER TABLE customers ADD CONSTRAINT tags_nn CHECK (tags IS NOT NULL) NOT VALID; ALTER TABLE customers VALIDATE CONSTRAINT tags_nn; ALTER TABLE customers ALTER tags SET NOT NULL; ALTER TABLE customers DROP CONSTRAINT tags_nn

-- name: type change with using
ALTER TABLE metrics ALTER COLUMN cpu TYPE numeric(8,3) USING round(cpu::numeric, 3), ALTER COLUMN host SET DATA TYPE varchar(100) COLLATE "C"

-- name: several alterations with defaults
ALTER TABLE jobs ALTER COLUMN state DROP DEFAULT, ALTER COLUMN state TYPE int USING CASE state WHEN 'ready' THEN 0 ELSE 1 END, ALTER COLUMN state SET DEFAULT 0

-- name: table settings
ALTER TABLE orders SET (autovacuum_vacuum_scale_factor = 0.02, fillfactor = 90, toast.autovacuum_enabled = off); ALTER TABLE orders RESET (fillfactor)

-- name: table replica identity
ALTER TABLE orders REPLICA IDENTITY FULL

-- name: table cluster mark
ALTER TABLE orders CLUSTER ON orders_customer; ALTER TABLE orders SET WITHOUT CLUSTER

-- name: table unlogged
ALTER TABLE audit_notes SET UNLOGGED; ALTER TABLE audit_notes SET LOGGED

-- name: table access method
CREATE TABLE heap_table (a int) USING heap WITH (parallel_workers = 2) TABLESPACE pg_default

-- name: table like
CREATE TABLE orders_archive (LIKE orders INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY)

-- name: table like several
CREATE TABLE mixed (LIKE departments INCLUDING DEFAULTS INCLUDING COMMENTS, extra int, LIKE stock INCLUDING CONSTRAINTS)

-- name: table of type
CREATE TABLE addresses OF postal_address (PRIMARY KEY (postcode), street WITH OPTIONS DEFAULT 'x')

-- name: table inheriting
CREATE TABLE big_departments (CHECK (budget > 1000000)) INHERITS (departments)

-- name: inheritance ended
ALTER TABLE big_departments NO INHERIT departments

-- name: inheritance begun
ALTER TABLE big_departments INHERIT departments

-- name: unlogged table
CREATE UNLOGGED TABLE cache_entries (key text PRIMARY KEY, value bytea, expires timestamptz)

-- name: temporary table
CREATE TEMPORARY TABLE scratch (id int) ON COMMIT PRESERVE ROWS

-- name: temporary table used
-- needs: ddl,dml,export,select
CREATE TEMP TABLE t AS SELECT * FROM orders WHERE id < 5; SELECT count(*) FROM t; DROP TABLE t

-- name: table as with data
-- needs: ddl,select
CREATE TABLE big_orders AS TABLE orders WITH NO DATA

-- name: table as with columns
-- needs: ddl,select
CREATE TABLE IF NOT EXISTS order_stats (status, n) WITH (fillfactor = 70) AS SELECT status, count(*) FROM orders GROUP BY status WITH DATA

-- name: table as values
CREATE TABLE constants AS VALUES (1, 'a'), (2, 'b')

-- name: table as execute
-- needs: ddl,select
PREPARE recent AS SELECT * FROM orders WHERE id < 3

-- name: table as execute of before
-- needs: ddl,select
CREATE TABLE recent_orders AS EXECUTE recent

-- name: select into
-- needs: ddl,select
SELECT id, total INTO order_totals_copy FROM orders WHERE id < 10

-- name: select into temp
-- needs: ddl,select
SELECT * INTO TEMP totals_tmp FROM orders LIMIT 1

-- name: partitioned by list
CREATE TABLE sales (id bigint, region text, sold date NOT NULL) PARTITION BY LIST (region)

-- name: partition of list without null
CREATE TABLE sales_eu PARTITION OF sales FOR VALUES IN ('de', 'fr', NULL) PARTITION BY HASH (id)

-- name: partition of hash
CREATE TABLE sales_eu_0 PARTITION OF sales_eu FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE sales_eu_1 PARTITION OF sales_eu FOR VALUES WITH (MODULUS 2, REMAINDER 1)

-- name: partition by range of expression
CREATE TABLE logs (at timestamptz NOT NULL, line text) PARTITION BY RANGE (date_trunc('day', at AT TIME ZONE 'UTC'))

-- name: partition with minvalue
CREATE TABLE logs_old PARTITION OF logs FOR VALUES FROM (MINVALUE) TO ('2024-01-01')

-- name: partition with expression bound
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-01-01'::date + 31)

-- name: partition attach
CREATE TABLE logs_new (LIKE logs INCLUDING DEFAULTS INCLUDING CONSTRAINTS); ALTER TABLE logs ATTACH PARTITION logs_new FOR VALUES FROM ('2024-01-01') TO (MAXVALUE)

-- name: partition detach
ALTER TABLE logs DETACH PARTITION logs_new

-- name: partition detach concurrently
ALTER TABLE sales DETACH PARTITION sales_eu CONCURRENTLY

-- name: partition default
CREATE TABLE sales_rest PARTITION OF sales DEFAULT

-- name: view with options
-- needs: ddl,select
CREATE OR REPLACE VIEW open_orders WITH (security_barrier) AS SELECT * FROM orders WHERE status = 'open' WITH LOCAL CHECK OPTION

-- name: view with columns
-- needs: ddl,select
CREATE VIEW v_names (a, b) AS SELECT id, name FROM customers WITH CASCADED CHECK OPTION

-- name: view recursive
CREATE RECURSIVE VIEW numbers (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < 10

-- name: view temporary
CREATE TEMP VIEW tv AS SELECT 1 AS one

-- name: view invoker
-- needs: ddl,select
CREATE VIEW inv WITH (security_invoker = true, security_barrier = false) AS SELECT id FROM orders

-- name: view altered
ALTER VIEW v_names RENAME TO v_names2; ALTER VIEW v_names2 ALTER COLUMN a SET DEFAULT 5; ALTER VIEW v_names2 SET (security_barrier = true); ALTER VIEW IF EXISTS v_names2 RENAME COLUMN a TO c

-- name: view dropped
DROP VIEW v_names2, inv RESTRICT

-- name: materialized view
-- needs: ddl,select
CREATE MATERIALIZED VIEW IF NOT EXISTS mv_totals AS SELECT customer_id, sum(total) AS s FROM orders GROUP BY 1 WITH NO DATA

-- name: materialized view index
CREATE UNIQUE INDEX ON mv_totals (customer_id)

-- name: materialized view refreshed
-- needs: dml
REFRESH MATERIALIZED VIEW mv_totals

-- name: materialized view refreshed concurrently
-- needs: dml
REFRESH MATERIALIZED VIEW CONCURRENTLY mv_totals WITH DATA

-- name: materialized view altered
ALTER MATERIALIZED VIEW mv_totals RENAME TO mv_sums; ALTER MATERIALIZED VIEW mv_sums SET (autovacuum_enabled = off)

-- name: materialized view dropped
DROP MATERIALIZED VIEW IF EXISTS mv_sums

-- name: sequence made
CREATE SEQUENCE IF NOT EXISTS ticket_no AS integer INCREMENT BY 5 MINVALUE 1 MAXVALUE 10000 START WITH 10 CACHE 3 CYCLE OWNED BY NONE

-- name: sequence altered
ALTER SEQUENCE ticket_no RESTART WITH 20 NO MAXVALUE NO CYCLE; ALTER SEQUENCE ticket_no OWNED BY departments.id; ALTER SEQUENCE ticket_no AS bigint

-- name: sequence set
-- needs: dml
SELECT setval('ticket_no', (SELECT 42), true)

-- name: sequence synced
-- needs: dml,select
SELECT setval('departments_id_seq', COALESCE((SELECT MAX(id) FROM departments), 1), max(id) IS NOT null) FROM departments

-- name: sequence by function
-- needs: dml,select
SELECT setval(pg_get_serial_sequence('orders', 'id'), coalesce(max(id), 1)) FROM orders

-- name: sequence dropped
DROP SEQUENCE ticket_no

-- name: domain made
CREATE DOMAIN email_address AS text COLLATE "C" DEFAULT 'x@y' CONSTRAINT has_at CHECK (VALUE ~ '^[^@]+@[^@]+$') NOT NULL

-- name: domain altered
ALTER DOMAIN email_address DROP NOT NULL; ALTER DOMAIN email_address ADD CONSTRAINT short CHECK (length(VALUE) < 200) NOT VALID; ALTER DOMAIN email_address VALIDATE CONSTRAINT short; ALTER DOMAIN email_address RENAME CONSTRAINT short TO not_long

-- name: domain used
CREATE TABLE contacts (id int, mail email_address)

-- name: domain used by insert
-- needs: dml
INSERT INTO contacts VALUES (1, 'a@b')

-- name: type composite
CREATE TYPE money_amount AS (amount numeric, currency char(3)); ALTER TYPE money_amount ADD ATTRIBUTE note text CASCADE; ALTER TYPE money_amount RENAME ATTRIBUTE note TO remark; ALTER TYPE money_amount DROP ATTRIBUTE IF EXISTS remark

-- name: type range
CREATE TYPE float_range AS RANGE (subtype = float8, subtype_diff = float8mi)

-- name: type dropped
DROP TYPE float_range, money_amount

-- name: enum in one transaction
-- needs: ddl,dml
BEGIN; CREATE TYPE level AS ENUM ('low', 'high'); CREATE TABLE alerts (id int, l level DEFAULT 'low'); INSERT INTO alerts VALUES (1, 'high'); COMMIT

-- name: schema made with objects
-- needs: ddl,select
CREATE SCHEMA reporting CREATE TABLE facts (id int PRIMARY KEY, n int) CREATE VIEW big_facts AS SELECT * FROM facts WHERE n > 10

-- name: schema in two
CREATE SCHEMA IF NOT EXISTS staging; CREATE TABLE staging.raw (line text)

-- name: schema renamed
ALTER SCHEMA staging RENAME TO landing

-- name: table moved
ALTER TABLE landing.raw SET SCHEMA public

-- name: table moved back
ALTER TABLE IF EXISTS raw RENAME TO raw_lines

-- name: schema dropped
DROP SCHEMA IF EXISTS landing, reporting CASCADE

-- name: comment on many
COMMENT ON SCHEMA public IS 'ours'; COMMENT ON INDEX orders_customer IS 'by customer'; COMMENT ON VIEW active_customers IS E'it\'s\nlong'; COMMENT ON TYPE customer_status IS 'x'; COMMENT ON CONSTRAINT orders_status_check ON orders IS 'states'; COMMENT ON SEQUENCE invoice_number IS 'x'; COMMENT ON DOMAIN email_address IS 'd'; COMMENT ON MATERIALIZED VIEW monthly_sales IS 'm'; COMMENT ON STATISTICS orders_status_currency IS 's'

-- name: statistics made
CREATE STATISTICS IF NOT EXISTS st_expr ON (lower(name)), country FROM customers; ALTER STATISTICS st_expr SET STATISTICS 100; DROP STATISTICS st_expr

-- name: truncate several
TRUNCATE TABLE audit_notes, contacts RESTART IDENTITY CASCADE

-- name: truncate only
TRUNCATE ONLY audit_notes CONTINUE IDENTITY RESTRICT

-- name: drop column cascade
ALTER TABLE customers DROP COLUMN IF EXISTS score CASCADE, DROP COLUMN IF EXISTS nothing

-- name: rename constraint
ALTER TABLE orders RENAME CONSTRAINT orders_status_check TO orders_status_known

-- name: alter constraint
ALTER TABLE orders ALTER CONSTRAINT orders_customer_id_fkey DEFERRABLE INITIALLY DEFERRED

-- name: transactional migration
-- needs: ddl,dml
BEGIN; SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '30s'; ALTER TABLE orders ADD COLUMN channel text; UPDATE orders SET channel = 'web' WHERE channel IS NULL; ALTER TABLE orders ALTER COLUMN channel SET NOT NULL; CREATE INDEX orders_channel ON orders (channel); COMMIT

-- name: expand and contract
-- needs: ddl,dml,export,select
BEGIN; CREATE TABLE orders_v2 (LIKE orders INCLUDING ALL); INSERT INTO orders_v2 SELECT * FROM orders; ALTER TABLE orders RENAME TO orders_v1; ALTER TABLE orders_v2 RENAME TO orders; SELECT count(*) FROM orders; ROLLBACK

-- name: swap of tables
-- needs: ddl,dml,export,select
BEGIN; ALTER TABLE departments RENAME TO departments_old; CREATE VIEW departments AS SELECT * FROM departments_old; SELECT count(*) FROM departments; ROLLBACK

-- name: foreign key match full
ALTER TABLE stock ADD CONSTRAINT st FOREIGN KEY (product_id) REFERENCES products (id) MATCH FULL ON UPDATE NO ACTION ON DELETE RESTRICT NOT DEFERRABLE

-- name: foreign key set null columns
CREATE TABLE child (a int, b int, FOREIGN KEY (a) REFERENCES departments (id) ON DELETE SET NULL (a) ON UPDATE SET DEFAULT)

-- name: table with everything
CREATE TABLE IF NOT EXISTS public.everything (id bigint GENERATED ALWAYS AS IDENTITY (START 10 INCREMENT 2) CONSTRAINT pk PRIMARY KEY, a int CONSTRAINT a_pos CHECK (a > 0) NO INHERIT, b text NOT NULL DEFAULT 'x' UNIQUE, c int REFERENCES departments ON DELETE CASCADE, d numeric(10, 2) DEFAULT round(random()::numeric, 2), e timestamptz DEFAULT (now() + interval '1 day'), f text[] DEFAULT ARRAY[]::text[], g int[3], h jsonb DEFAULT '{"a": [1]}'::jsonb, i uuid DEFAULT gen_random_uuid(), j text COLLATE "C", k double precision GENERATED ALWAYS AS (a * 2.5) STORED, l int4range, m date DEFAULT CURRENT_DATE, n name, o "char", p bit varying(5), q interval DAY TO SECOND(3), r character varying, s xml, t money, u serial, CONSTRAINT ab UNIQUE (a, b) INCLUDE (c) WITH (fillfactor = 70), CHECK (a < 100 AND b <> ''), EXCLUDE USING gist (l WITH &&))

-- name: drop many
DROP TABLE IF EXISTS everything, child, contacts, alerts, nothing CASCADE

-- name: collation made
CREATE COLLATION german (provider = icu, locale = 'de-DE')

-- name: collation dropped
DROP COLLATION IF EXISTS german

-- name: text search configuration
CREATE TEXT SEARCH CONFIGURATION my_english (COPY = english); ALTER TEXT SEARCH CONFIGURATION my_english ALTER MAPPING FOR word WITH simple; DROP TEXT SEARCH CONFIGURATION my_english

-- name: do nothing lock timeout
-- needs: none
SET lock_timeout TO '5s'
