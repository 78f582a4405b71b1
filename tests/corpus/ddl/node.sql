-- Knex 3, Sequelize 6 and TypeORM over node-postgres 8: synchronizing and migrating, on the wire.

-- name: knex
-- needs: ddl
create table "kauthor" ("id" serial primary key, "name" varchar(255) not null, "meta" jsonb, "created_at" timestamptz not null default CURRENT_TIMESTAMP, "updated_at" timestamptz not null default CURRENT_TIMESTAMP)

-- name: knex (2)
-- needs: ddl
alter table "kauthor" add constraint "kauthor_name_unique" unique ("name")

-- name: knex (3)
-- needs: ddl
create table "kbook" ("id" uuid default (gen_random_uuid()), "author_id" integer, "price" decimal(10, 2), "kind" text check ("kind" in ('a', 'b')), constraint "kbook_pkey" primary key ("id"))

-- name: knex (4)
-- needs: ddl
alter table "kbook" add constraint "kbook_author_id_foreign" foreign key ("author_id") references "kauthor" ("id") on delete CASCADE

-- name: knex (5)
-- needs: ddl
create index "kbook_author_id_index" on "kbook" ("author_id")

-- name: knex (6)
-- needs: ddl
alter table "kbook" add column "note" text

-- name: knex (7)
-- needs: ddl
alter table "kbook" drop column "kind"

-- name: knex (8)
-- needs: ddl
alter table "kbook" rename "note" to "remark"

-- name: knex (9)
-- needs: ddl
TRUNCATE kbook

-- name: knex (10)
-- needs: ddl
create table "knex_migrations" ("id" serial primary key, "name" varchar(255), "batch" integer, "migration_time" timestamptz)

-- name: knex (11)
-- needs: ddl
create table "knex_migrations_lock" ("index" serial primary key, "is_locked" integer)

-- name: knex (12)
-- needs: ddl
create table "kmore" ("id" bigserial primary key, "tags" text[])

-- name: knex (13)
-- needs: ddl
drop table "kmore"

-- name: knex (14)
-- needs: ddl
drop table if exists "kbook"

-- name: sequelize
-- needs: admin
DO 'BEGIN CREATE TYPE "public"."enum_SAuthors_kind" AS ENUM(''x'', ''y''); EXCEPTION WHEN duplicate_object THEN null; END';

-- name: sequelize (2)
-- needs: ddl
CREATE TABLE IF NOT EXISTS "SAuthors" ("id"   SERIAL , "name" VARCHAR(255) UNIQUE, "meta" JSONB, "kind" "public"."enum_SAuthors_kind", "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL, PRIMARY KEY ("id"));

-- name: sequelize (3)
-- needs: ddl
CREATE TABLE IF NOT EXISTS "SBooks" ("id"   SERIAL , "title" TEXT, "price" DECIMAL(10,2), "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL, "SAuthorId" INTEGER REFERENCES "SAuthors" ("id") ON DELETE SET NULL ON UPDATE CASCADE, PRIMARY KEY ("id"));

-- name: sequelize (4)
-- needs: ddl
ALTER TABLE "SAuthors" ALTER COLUMN "name" DROP NOT NULL;ALTER TABLE "SAuthors" ALTER COLUMN "name" DROP DEFAULT;ALTER TABLE "SAuthors"  ADD UNIQUE ("name");ALTER TABLE "SAuthors" ALTER COLUMN "name" TYPE VARCHAR(255) ;

-- name: sequelize (5)
-- needs: ddl
ALTER TABLE "SAuthors" ALTER COLUMN "meta" DROP NOT NULL;ALTER TABLE "SAuthors" ALTER COLUMN "meta" DROP DEFAULT;ALTER TABLE "SAuthors" ALTER COLUMN "meta" TYPE JSONB;

-- name: sequelize (6)
-- needs: admin
ALTER TABLE "SAuthors" ALTER COLUMN "kind" DROP NOT NULL;ALTER TABLE "SAuthors" ALTER COLUMN "kind" DROP DEFAULT;DO 'BEGIN CREATE TYPE "public"."enum_SAuthors_kind" AS ENUM(''x'', ''y''); EXCEPTION WHEN duplicate_object THEN null; END';ALTER TABLE "SAuthors" ALTER COLUMN "kind" TYPE "public"."enum_SAuthors_kind" USING ("kind"::"public"."enum_SAuthors_kind");

-- name: sequelize (7)
-- needs: ddl
ALTER TABLE "SAuthors" ALTER COLUMN "createdAt" SET NOT NULL;ALTER TABLE "SAuthors" ALTER COLUMN "createdAt" DROP DEFAULT;ALTER TABLE "SAuthors" ALTER COLUMN "createdAt" TYPE TIMESTAMP WITH TIME ZONE;

-- name: sequelize (8)
-- needs: ddl
ALTER TABLE "SAuthors" ALTER COLUMN "updatedAt" SET NOT NULL;ALTER TABLE "SAuthors" ALTER COLUMN "updatedAt" DROP DEFAULT;ALTER TABLE "SAuthors" ALTER COLUMN "updatedAt" TYPE TIMESTAMP WITH TIME ZONE;

-- name: sequelize (9)
-- needs: ddl
ALTER TABLE "SBooks" ALTER COLUMN "title" DROP NOT NULL;ALTER TABLE "SBooks" ALTER COLUMN "title" DROP DEFAULT;ALTER TABLE "SBooks" ALTER COLUMN "title" TYPE TEXT;

-- name: sequelize (10)
-- needs: ddl
ALTER TABLE "SBooks" ALTER COLUMN "price" DROP NOT NULL;ALTER TABLE "SBooks" ALTER COLUMN "price" DROP DEFAULT;ALTER TABLE "SBooks" ALTER COLUMN "price" TYPE DECIMAL(10,2);

-- name: sequelize (11)
-- needs: ddl
ALTER TABLE "SBooks" ALTER COLUMN "createdAt" SET NOT NULL;ALTER TABLE "SBooks" ALTER COLUMN "createdAt" DROP DEFAULT;ALTER TABLE "SBooks" ALTER COLUMN "createdAt" TYPE TIMESTAMP WITH TIME ZONE;

-- name: sequelize (12)
-- needs: ddl
ALTER TABLE "SBooks" ALTER COLUMN "updatedAt" SET NOT NULL;ALTER TABLE "SBooks" ALTER COLUMN "updatedAt" DROP DEFAULT;ALTER TABLE "SBooks" ALTER COLUMN "updatedAt" TYPE TIMESTAMP WITH TIME ZONE;

-- name: sequelize (13)
-- needs: ddl
ALTER TABLE "SBooks" DROP CONSTRAINT "SBooks_SAuthorId_fkey"

-- name: sequelize (14)
-- needs: ddl
ALTER TABLE "SBooks"  ADD FOREIGN KEY ("SAuthorId") REFERENCES "SAuthors" ("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- name: sequelize (15)
-- needs: admin
CREATE OR REPLACE FUNCTION pg_temp.testfunc(OUT response "SAuthors", OUT sequelize_caught_exception text) RETURNS RECORD AS $func_fbfd27c55a8b4c628103ac35f154d2e1$ BEGIN INSERT INTO "SAuthors" ("id","name","createdAt","updatedAt") VALUES (DEFAULT,'Z','2026-11-23 19:30:18.636 +00:00','2026-11-23 19:30:18.636 +00:00') RETURNING * INTO response; EXCEPTION WHEN unique_violation THEN GET STACKED DIAGNOSTICS sequelize_caught_exception = PG_EXCEPTION_DETAIL; END $func_fbfd27c55a8b4c628103ac35f154d2e1$ LANGUAGE plpgsql; SELECT (testfunc.response)."id", (testfunc.response)."name", (testfunc.response)."meta", (testfunc.response)."kind", (testfunc.response)."createdAt", (testfunc.response)."updatedAt", testfunc.sequelize_caught_exception FROM pg_temp.testfunc(); DROP FUNCTION IF EXISTS pg_temp.testfunc();

-- name: sequelize (16)
-- needs: ddl
TRUNCATE "SBooks"

-- name: sequelize (17)
-- needs: ddl
DROP TABLE IF EXISTS "SBooks";

-- name: sequelize (18)
-- needs: ddl
DROP TABLE IF EXISTS "SAuthors";

-- name: typeorm
-- needs: ddl
CREATE TYPE "public"."t_author_kind_enum" AS ENUM('a', 'b')

-- name: typeorm (2)
-- needs: ddl
CREATE TABLE "t_author" ("id" SERIAL NOT NULL, "name" character varying(50) NOT NULL, "meta" jsonb, "kind" "public"."t_author_kind_enum" NOT NULL DEFAULT 'a', CONSTRAINT "UQ_f845536180e55292ad672e31a16" UNIQUE ("name"), CONSTRAINT "PK_83b5ec181b277698e5ca8757de4" PRIMARY KEY ("id"))

-- name: typeorm (3)
-- needs: ddl
CREATE TABLE "t_book" ("id" uuid NOT NULL DEFAULT gen_random_uuid(), "title" text NOT NULL, "v" integer NOT NULL, "authorId" integer, CONSTRAINT "PK_c12f06042f06b1ba37d23830698" PRIMARY KEY ("id"))

-- name: typeorm (4)
-- needs: ddl
CREATE INDEX "IDX_25587dfad244580c1f6ec671f8" ON "t_book"  ("title")

-- name: typeorm (5)
-- needs: ddl
ALTER TABLE "t_book" ADD CONSTRAINT "FK_43f52456f7d0ae6895094cfeec2" FOREIGN KEY ("authorId") REFERENCES "t_author"("id") ON DELETE CASCADE ON UPDATE NO ACTION
