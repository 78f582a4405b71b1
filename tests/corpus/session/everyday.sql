-- What drivers, poolers and people send about their own session: transactions, settings, names. Own list, checked
-- against psql 15, libpq, pgjdbc 42, Npgsql 8, psycopg 2 and 3, asyncpg, SQLAlchemy 2, Django 5, Rails 7, pgx 5,
-- node-postgres 8, pgAdmin 4, DBeaver 24, HikariCP, PgBouncer's reset. Each runs on PostgreSQL 15 in its place.
-- Without a `needs` line: allowed to anybody who is connected.

-- name: begin
BEGIN

-- name: begin transaction
BEGIN TRANSACTION

-- name: begin work
BEGIN WORK

-- name: begin isolation level
BEGIN ISOLATION LEVEL REPEATABLE READ

-- name: begin read only
BEGIN TRANSACTION READ ONLY

-- name: begin read write
BEGIN READ WRITE

-- name: begin deferrable
BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE

-- name: start transaction
START TRANSACTION

-- name: start transaction read committed
START TRANSACTION ISOLATION LEVEL READ COMMITTED

-- name: commit
COMMIT

-- name: commit work
COMMIT WORK

-- name: commit and chain
COMMIT AND CHAIN

-- name: end
END

-- name: rollback
ROLLBACK

-- name: rollback and no chain
ROLLBACK TRANSACTION AND NO CHAIN

-- name: abort
ABORT

-- name: savepoint
SAVEPOINT sp_1

-- name: savepoint in quotes
SAVEPOINT "Savepoint 1"

-- name: Rails savepoint
SAVEPOINT active_record_1

-- name: release
RELEASE SAVEPOINT sp_1

-- name: release, short
RELEASE sp_1

-- name: rollback to
ROLLBACK TO SAVEPOINT sp_1

-- name: rollback to, short
ROLLBACK TO sp_1

-- name: set transaction
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE

-- name: set transaction read only
SET TRANSACTION READ ONLY

-- name: set transaction deferrable
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE

-- name: set transaction snapshot
SET TRANSACTION SNAPSHOT '00000003-0000001B-1'

-- name: session characteristics
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED

-- name: session characteristics read only
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY

-- name: set constraints
SET CONSTRAINTS ALL DEFERRED

-- name: set constraints by name
SET CONSTRAINTS orders_customer_id_fkey IMMEDIATE

-- name: application name
SET application_name = 'reports'

-- name: application name to
SET application_name TO 'it''s me'

-- name: application name by function
-- needs: info
SELECT set_config('application_name', 'reports', false)

-- name: extra float digits
SET extra_float_digits = 3

-- name: client encoding
SET client_encoding = 'UTF8'

-- name: client encoding to
SET client_encoding TO 'utf-8'

-- name: set names
SET NAMES 'UTF8'

-- name: date style
SET DateStyle = 'ISO, MDY'

-- name: date style, several words
SET datestyle TO ISO, DMY

-- name: interval style
SET intervalstyle = iso_8601

-- name: time zone
SET TIME ZONE 'Europe/Berlin'

-- name: time zone as a setting
SET TimeZone = 'UTC'

-- name: time zone local
SET TIME ZONE LOCAL

-- name: time zone by interval
SET TIME ZONE INTERVAL '+02:00' HOUR TO MINUTE

-- name: session time zone
SET SESSION timezone TO 'UTC'

-- name: client messages
SET client_min_messages TO warning

-- name: standard conforming strings on
SET standard_conforming_strings = on

-- name: standard conforming strings on, in quotes
SET standard_conforming_strings TO 'on'

-- name: bytea output
SET bytea_output = 'hex'

-- name: statement timeout
SET statement_timeout = '30s'

-- name: statement timeout local
SET LOCAL statement_timeout = 5000

-- name: lock timeout
SET lock_timeout TO '2s'

-- name: idle timeout
SET idle_in_transaction_session_timeout = '10min'

-- name: search path
SET search_path TO public, tpch

-- name: search path in quotes
SET search_path = "$user", public

-- name: search path, a string
SET SESSION search_path TO 'public'

-- name: set schema
SET SCHEMA 'public'

-- name: search path local
SET LOCAL search_path TO tpch

-- name: search path emptied
-- needs: info
SELECT pg_catalog.set_config('search_path', '', false)

-- name: planner
SET enable_seqscan = off

-- name: planner local
SET LOCAL enable_nestloop TO false

-- name: jit
SET jit = off

-- name: random page cost
SET random_page_cost = 1.1

-- name: plan cache mode
SET plan_cache_mode = force_custom_plan

-- name: synchronous commit
SET LOCAL synchronous_commit TO off

-- name: row security
SET row_security = off

-- name: work memory
-- needs: info
SET work_mem = '64MB'

-- name: parallel workers
-- needs: info
SET max_parallel_workers_per_gather = 0

-- name: seed
SET SEED TO 0.5

-- name: xml option
SET XML OPTION DOCUMENT

-- name: default isolation
SET default_transaction_isolation TO 'repeatable read'

-- name: default read only
SET default_transaction_read_only = on

-- name: transaction read only
SET transaction_read_only = on

-- name: to default
SET statement_timeout TO DEFAULT

-- name: reset one
RESET search_path

-- name: reset time zone
RESET TIME ZONE

-- name: reset isolation
RESET TRANSACTION ISOLATION LEVEL

-- name: reset all
RESET ALL

-- name: discard all
DISCARD ALL

-- name: reset role
RESET ROLE

-- name: set session authorization default
SET SESSION AUTHORIZATION DEFAULT

-- name: discard plans
DISCARD PLANS

-- name: discard sequences
DISCARD SEQUENCES

-- name: discard temporary tables
DISCARD TEMP

-- name: deallocate
DEALLOCATE s1

-- name: deallocate prepare
DEALLOCATE PREPARE s1

-- name: deallocate all
DEALLOCATE ALL

-- name: close
CLOSE c1

-- name: close all
CLOSE ALL

-- name: unlisten
UNLISTEN orders_changed

-- name: unlisten all
UNLISTEN *

-- name: PgBouncer's reset in pieces
RESET ALL; CLOSE ALL; UNLISTEN *; DEALLOCATE ALL

-- name: asyncpg's reset
-- needs: info
SELECT pg_advisory_unlock_all();
CLOSE ALL;
UNLISTEN *;
RESET ALL;

-- name: Npgsql's reset
-- needs: info
CLOSE ALL;
UNLISTEN *;
SELECT pg_advisory_unlock_all();
DISCARD SEQUENCES;
DISCARD TEMP

-- name: Rails: connection set-up
SET client_min_messages TO 'warning'

-- name: Rails: standard conforming strings
SET standard_conforming_strings = on

-- name: Rails: session time zone
SET SESSION timezone TO 'UTC'

-- name: Rails: begin with isolation
BEGIN ISOLATION LEVEL READ COMMITTED

-- name: ping of node-postgres pools
-- needs: info
SELECT 1

-- name: ping of HikariCP
-- needs: info
/* ping */ SELECT 1

-- name: show
-- needs: info
SHOW search_path

-- name: show time zone
-- needs: info
SHOW TIME ZONE

-- name: show isolation
-- needs: info
SHOW TRANSACTION ISOLATION LEVEL

-- name: prepare a constant
-- needs: info
PREPARE one AS SELECT 1

-- name: comment alone before a statement
-- needs: info
-- trace id 4711
SELECT version()
