-- Sessions as pools, drivers and people set them up. Own texts. Run on PostgreSQL 15.

-- name: begin variants
BEGIN WORK; COMMIT WORK

-- name: begin transaction
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; END TRANSACTION

-- name: begin deferrable
BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE; ABORT

-- name: start transaction
START TRANSACTION READ ONLY; ROLLBACK WORK

-- name: set transaction
BEGIN; SET TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY; COMMIT

-- name: set transaction read uncommitted
BEGIN; SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED; ROLLBACK

-- name: set session characteristics
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ

-- name: savepoints
BEGIN; SAVEPOINT a; SAVEPOINT "B b"; RELEASE SAVEPOINT "B b"; ROLLBACK TRANSACTION TO SAVEPOINT a; ROLLBACK TO a; RELEASE a; COMMIT AND NO CHAIN

-- name: chain
BEGIN; COMMIT AND CHAIN; ROLLBACK AND CHAIN; END AND NO CHAIN

-- name: commit without transaction
COMMIT

-- name: set date style
SET DateStyle TO ISO, DMY

-- name: set date style quoted
SET datestyle = 'German, YMD'

-- name: set interval style
SET intervalstyle = 'iso_8601'

-- name: set time zone
SET TIME ZONE 'Europe/Berlin'

-- name: set time zone number
SET TIME ZONE -7

-- name: set time zone interval
SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE

-- name: set time zone local
SET TIME ZONE LOCAL

-- name: set time zone default
SET SESSION TIME ZONE DEFAULT

-- name: set timezone by name
SET timezone TO 'UTC'

-- name: set local in transaction
-- needs: info
BEGIN; SET LOCAL statement_timeout = '5s'; SET LOCAL work_mem TO '64MB'; SET LOCAL enable_seqscan = off; COMMIT

-- name: set timeouts
SET statement_timeout = 60000; SET lock_timeout TO '10s'; SET idle_in_transaction_session_timeout = '5min'; SET idle_session_timeout = 0

-- name: set planner
-- needs: info
SET enable_hashjoin TO off; SET enable_nestloop = 'off'; SET random_page_cost = 1.1; SET join_collapse_limit = 1; SET from_collapse_limit = 12; SET geqo = off; SET jit = off; SET max_parallel_workers_per_gather = 0; SET enable_partitionwise_join = on; SET plan_cache_mode = force_custom_plan; SET constraint_exclusion = partition; SET effective_cache_size = '4GB'; SET cursor_tuple_fraction = 1.0; SET default_statistics_target = 500

-- name: set memory
-- needs: info
SET work_mem = '256MB'; SET maintenance_work_mem = '1GB'; SET temp_buffers = '16MB'; SET hash_mem_multiplier = 2.0

-- name: set client messages
SET client_min_messages TO warning

-- name: set client encoding
SET client_encoding TO 'UTF8'

-- name: set names
SET NAMES 'UTF8'

-- name: set application name
SET application_name = 'pgAdmin 4 - DB:shop'

-- name: set extra float digits
SET extra_float_digits = 3

-- name: set bytea output
SET bytea_output = 'escape'

-- name: set xml option
SET XML OPTION DOCUMENT; SET xmloption TO content; SET xmlbinary = 'hex'

-- name: set standard strings
SET standard_conforming_strings = on

-- name: set search path
SET search_path TO tpch, public, "$user", pg_catalog

-- name: set search path one string
SET search_path = 'tpch'

-- name: set search path local
BEGIN; SET LOCAL search_path = public; ROLLBACK

-- name: set schema
SET SCHEMA 'public'

-- name: set custom
-- needs: select
SET myapp.user_id = '42'; SET "my.app" TO 'x'; SET LOCAL myapp.tenant = '1'

-- name: set default transaction
SET default_transaction_isolation = 'serializable'; SET default_transaction_read_only = off; SET default_transaction_deferrable = on

-- name: set transaction read only default
SET default_transaction_read_only TO on

-- name: set row security
SET row_security = on

-- name: set check function bodies
SET check_function_bodies = false

-- name: set default tablespace
SET default_tablespace = ''; SET default_table_access_method = heap; SET temp_tablespaces = ''

-- name: set synchronous commit
SET synchronous_commit = off

-- name: set session seed
SET seed TO 0.5

-- name: set gin limit
SET gin_fuzzy_search_limit = 100; SET gin_pending_list_limit = '4MB'

-- name: set text search
SET default_text_search_config = 'pg_catalog.simple'

-- name: set locale
SET lc_monetary = 'C'; SET lc_numeric TO 'C'; SET lc_time = 'C'

-- name: set session authorization default
SET SESSION AUTHORIZATION DEFAULT

-- name: set role none
SET ROLE NONE

-- name: set local role none
BEGIN; SET LOCAL ROLE NONE; ROLLBACK

-- name: reset role
RESET ROLE

-- name: reset session authorization
RESET SESSION AUTHORIZATION

-- name: reset one
-- needs: info
SET work_mem = '8MB'; RESET work_mem

-- name: reset time zone
RESET TIME ZONE

-- name: reset all
RESET ALL

-- name: reset isolation
BEGIN; RESET transaction_isolation; COMMIT

-- name: discard plans
DISCARD PLANS

-- name: discard sequences
DISCARD SEQUENCES

-- name: discard temp
DISCARD TEMP

-- name: discard temporary
DISCARD TEMPORARY

-- name: discard all
DISCARD ALL

-- name: deallocate all
DEALLOCATE PREPARE ALL

-- name: unlisten all
UNLISTEN *

-- name: close all
CLOSE ALL

-- name: listen
-- needs: select
LISTEN "Jobs"; UNLISTEN "Jobs"

-- name: set constraints
SET CONSTRAINTS ALL IMMEDIATE

-- name: show one
-- needs: info
SHOW statement_timeout

-- name: show session authorization
-- needs: info
SHOW SESSION AUTHORIZATION

-- name: show custom
-- needs: select
SET my.var = 'x'; SHOW my.var

-- name: show time zone
-- needs: info
SHOW TIMEZONE

-- name: current setting
-- needs: info
SELECT current_setting('server_version_num')::int >= 150000, current_setting('is_superuser'), current_setting('my.undefined', true)

-- name: set config
-- needs: select
SELECT set_config('statement_timeout', '5s', false), set_config('my.user', '7', true), set_config('search_path', 'public', false), pg_catalog.set_config('application_name', 'x', false)

-- name: set config of a constant name
-- needs: info
SELECT set_config('statement_timeout', $1, false)

-- name: pgbouncer-like reset
DISCARD ALL

-- name: npgsql reset
-- needs: dml
SET SESSION AUTHORIZATION DEFAULT;RESET ALL;CLOSE ALL;UNLISTEN *;SELECT pg_advisory_unlock_all();DISCARD SEQUENCES;DISCARD TEMP

-- name: npgsql reset without lock
CLOSE ALL;UNLISTEN *;DISCARD SEQUENCES;DISCARD TEMP;RESET ALL;SET SESSION AUTHORIZATION DEFAULT

-- name: asyncpg reset
-- needs: dml
SELECT pg_advisory_unlock_all();
CLOSE ALL;
UNLISTEN *;
RESET ALL;

-- name: empty with comment
-- nothing

-- name: ping comment
/* ping */

-- name: ping select
-- needs: info
SELECT 1

-- name: ping pool
-- needs: info
select 1 as ok

-- name: hikari validation
-- needs: info
/* ping */ SELECT 1

-- name: ping with values
-- needs: info
VALUES (1)

-- name: semicolon
;

-- name: several empty
;;;

-- name: cursor
-- needs: export,select
BEGIN; DECLARE c CURSOR FOR SELECT id FROM orders ORDER BY id; FETCH 2 FROM c; FETCH NEXT c; FETCH FORWARD 3 IN c; MOVE 2 FROM c; MOVE FORWARD ALL IN c; CLOSE c; COMMIT

-- name: cursor scroll
-- needs: select
BEGIN; DECLARE c SCROLL CURSOR WITHOUT HOLD FOR SELECT id FROM orders ORDER BY id; FETCH LAST FROM c; FETCH PRIOR FROM c; FETCH ABSOLUTE 5 FROM c; FETCH RELATIVE -2 FROM c; FETCH BACKWARD 1 FROM c; FETCH FIRST c; FETCH ALL FROM c; ROLLBACK

-- name: cursor binary
-- needs: export,select
BEGIN; DECLARE "my cursor" BINARY INSENSITIVE NO SCROLL CURSOR FOR SELECT id FROM orders ORDER BY id LIMIT 3; FETCH ALL "my cursor"; COMMIT

-- name: cursor with hold
-- needs: select
DECLARE h ASENSITIVE CURSOR WITH HOLD FOR SELECT id FROM orders ORDER BY id LIMIT 3

-- name: cursor over values
-- needs: info
BEGIN; DECLARE c CURSOR FOR VALUES (1), (2); FETCH ALL FROM c; COMMIT

-- name: prepared read
-- needs: select
PREPARE q AS SELECT id FROM orders WHERE id = $1; EXECUTE q(5); EXECUTE q('7'); DEALLOCATE q

-- name: prepared with types
-- needs: select
PREPARE q (bigint, text[]) AS SELECT id FROM orders WHERE id = $1 AND status = ANY ($2); EXECUTE q(5, ARRAY['open', 'paid']); DEALLOCATE PREPARE q

-- name: prepared from catalog
-- needs: info
PREPARE p AS SELECT count(*) > 0 FROM pg_class WHERE relname = $1; EXECUTE p('orders'); DEALLOCATE p

-- name: explain execute
-- needs: select
PREPARE q (int) AS SELECT id FROM orders WHERE id = $1; EXPLAIN (COSTS off) EXECUTE q(5); EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) EXECUTE q(5)

-- name: multi read
-- needs: select
SELECT count(*) FROM orders; SELECT count(*) FROM customers; SELECT 1

-- name: read in transaction
-- needs: export,select
BEGIN; SELECT count(*) FROM orders; COMMIT

-- name: read in transaction rolled back
-- needs: select
BEGIN; SELECT count(*) FROM orders; ROLLBACK

-- name: read with settings
-- needs: select
SET statement_timeout = '10s'; SELECT count(*) FROM orders; RESET statement_timeout

-- name: bi read only transaction
-- needs: select
BEGIN READ ONLY; SET LOCAL search_path = tpch; SELECT count(*) FROM lineitem; ROLLBACK

-- name: metabase time zone
-- needs: select
SET SESSION TIMEZONE TO 'US/Pacific'; SELECT date_trunc('day', ordered_at) FROM orders LIMIT 1
