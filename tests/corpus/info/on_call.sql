-- What people type when something is slow: plans, who blocks whom, sizes, counters, settings, and the
-- catalogs. Written for this project and run on PostgreSQL 15.

-- name: explain select * from orders
-- needs: explain,info
EXPLAIN SELECT * FROM orders

-- name: explain format xml update orders set total 1
-- needs: explain,info
EXPLAIN (FORMAT XML) UPDATE orders SET total=1

-- name: explain format json summary delete from orders
-- needs: explain,info
EXPLAIN (FORMAT JSON, SUMMARY) DELETE FROM orders

-- name: explain merge into orders o using customers c on o.id c.id w
-- needs: explain,info
EXPLAIN MERGE INTO orders o USING customers c ON o.id=c.id WHEN MATCHED THEN DO NOTHING

-- name: explain create table x as select * from orders
-- needs: explain,info
EXPLAIN CREATE TABLE x AS SELECT * FROM orders

-- name: explain declare c cursor for select * from orders
-- needs: explain,info
EXPLAIN DECLARE c CURSOR FOR SELECT * FROM orders

-- name: explain analyze off select 1
-- needs: explain,info
EXPLAIN (ANALYZE OFF) SELECT 1

-- name: explain analyze select 1
-- needs: explain,info
EXPLAIN (ANALYZE) SELECT 1

-- name: explain select * from pg_stats
-- needs: explain,info
EXPLAIN SELECT * FROM pg_stats

-- name: explain select now random count * from orders where ordered_
-- needs: explain,info
EXPLAIN SELECT now(), random(), count(*) FROM orders WHERE ordered_at > now() - interval '1 day' AND status = ANY(ARRAY['a'])

-- name: show search_path
SHOW search_path

-- name: show all
SHOW ALL

-- name: show server_version
SHOW server_version

-- name: show time zone
SHOW TIME ZONE

-- name: show transaction isolation level
SHOW TRANSACTION ISOLATION LEVEL

-- name: show session authorization
SHOW SESSION AUTHORIZATION

-- name: show is_superuser
SHOW is_superuser

-- name: show data_checksums
SHOW data_checksums

-- name: show max_connections
SHOW max_connections

-- name: show work_mem
SHOW work_mem

-- name: set statement_timeout 5s
SET statement_timeout = '5s'

-- name: set local work_mem 64mb
SET LOCAL work_mem = '64MB'

-- name: set work_mem to 64mb
SET work_mem TO '64MB'

-- name: set search_path crm public
SET search_path = crm, public

-- name: select relname from pg_class where oid contacts regclass
SELECT relname FROM pg_class WHERE oid='contacts'::regclass

-- name: reset search_path
RESET search_path

-- name: reset all
RESET ALL

-- name: set time zone utc
SET TIME ZONE 'UTC'

-- name: set session characteristics as transaction isolation level r
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ

-- name: set datestyle iso dmy
SET datestyle = ISO, DMY

-- name: set names utf8
SET NAMES 'utf8'

-- name: set client_encoding to utf8
SET client_encoding TO 'UTF8'

-- name: set standard_conforming_strings on
SET standard_conforming_strings = on

-- name: set extra_float_digits 3
SET extra_float_digits = 3

-- name: set application_name x
SET application_name = 'x'

-- name: set max_parallel_workers_per_gather 2
SET max_parallel_workers_per_gather = 2

-- name: set enable_seqscan off
SET enable_seqscan = off

-- name: set pg_trgm.similarity_threshold 0.5
SET pg_trgm.similarity_threshold = 0.5

-- name: set intervalstyle to postgres
SET intervalstyle TO postgres

-- name: set bytea_output escape
SET bytea_output = 'escape'

-- name: set default_transaction_read_only on
SET default_transaction_read_only = on

-- name: set default_transaction_read_only off
SET default_transaction_read_only = off

-- name: set idle_in_transaction_session_timeout 0
SET idle_in_transaction_session_timeout = 0

-- name: select set_config search_path public false
SELECT set_config('search_path','public',false)

-- name: select set_config bytea_output hex false from pg_settings wh
SELECT set_config('bytea_output','hex',false) FROM pg_settings WHERE name = 'bytea_output'

-- name: select pg_catalog.set_config search_path false
SELECT pg_catalog.set_config('search_path', '', false)

-- name: select current_setting work_mem current_setting nope true
SELECT current_setting('work_mem'), current_setting('nope', true)

-- name: begin isolation level serializable read only deferrable
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE

-- name: savepoint a
SAVEPOINT a

-- name: rollback to a
ROLLBACK TO a

-- name: release a
RELEASE a

-- name: commit and chain
COMMIT AND CHAIN

-- name: rollback and no chain
ROLLBACK AND NO CHAIN

-- name: start transaction read write
START TRANSACTION READ WRITE

-- name: set transaction read only
SET TRANSACTION READ ONLY

-- name: end
END

-- name: abort
ABORT

-- name: set constraints all deferred
SET CONSTRAINTS ALL DEFERRED

-- name: discard all
DISCARD ALL

-- name: discard plans
DISCARD PLANS

-- name: discard temp
DISCARD TEMP

-- name: discard sequences
DISCARD SEQUENCES

-- name: deallocate all
DEALLOCATE ALL

-- name: deallocate prepare all
DEALLOCATE PREPARE ALL

-- name: close all
CLOSE ALL

-- name: unlisten *
UNLISTEN *

-- name: prepare p as select relname from pg_class where oid 1
PREPARE p AS SELECT relname FROM pg_class WHERE oid=$1

-- name: deallocate p
DEALLOCATE p

-- name: select locktype relation regclass mode granted pid from pg_l
SELECT locktype, relation::regclass, mode, granted, pid FROM pg_locks WHERE NOT granted

-- name: select blocked.pid blocking.pid from pg_locks blocked join p
SELECT blocked.pid, blocking.pid FROM pg_locks blocked JOIN pg_locks blocking ON blocking.transactionid=blocked.transactionid AND blocking.pid<>blocked.pid WHERE NOT blocked.granted

-- name: select pid pg_blocking_pids pid wait_event state from pg_sta
SELECT pid, pg_blocking_pids(pid), wait_event, state FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0

-- name: select count * state from pg_stat_activity group by state
SELECT count(*), state FROM pg_stat_activity GROUP BY state

-- name: select a.pid a.usename age now a.query_start from pg_stat_ac
SELECT a.pid, a.usename, age(now(), a.query_start) FROM pg_stat_activity a WHERE a.state='active' ORDER BY 3 DESC

-- name: select max now xact_start from pg_stat_activity
SELECT max(now()-xact_start) FROM pg_stat_activity

-- name: select datname age datfrozenxid from pg_database
SELECT datname, age(datfrozenxid) FROM pg_database

-- name: select schemaname relname n_dead_tup last_autovacuum from pg
SELECT schemaname, relname, n_dead_tup, last_autovacuum FROM pg_stat_user_tables ORDER BY n_dead_tup DESC LIMIT 10

-- name: select relname idx_scan from pg_stat_user_indexes join pg_in
SELECT relname, idx_scan FROM pg_stat_user_indexes JOIN pg_index USING (indexrelid) WHERE idx_scan=0 AND NOT indisunique

-- name: select sum heap_blks_hit nullif sum heap_blks_hit heap_blks_
SELECT sum(heap_blks_hit)/nullif(sum(heap_blks_hit+heap_blks_read),0) FROM pg_statio_user_tables

-- name: select pg_database_size current_database pg_size_pretty pg_i
SELECT pg_database_size(current_database()), pg_size_pretty(pg_indexes_size('orders'))

-- name: select * from pg_stat_database
SELECT * FROM pg_stat_database

-- name: select * from pg_stat_bgwriter
SELECT * FROM pg_stat_bgwriter

-- name: select * from pg_stat_wal
SELECT * FROM pg_stat_wal

-- name: select * from pg_stat_replication
SELECT * FROM pg_stat_replication

-- name: select pg_current_wal_lsn pg_last_wal_receive_lsn pg_last_xa
SELECT pg_current_wal_lsn(), pg_last_wal_receive_lsn(), pg_last_xact_replay_timestamp(), pg_is_in_recovery()

-- name: select pg_wal_lsn_diff pg_current_wal_lsn 0 0 0
SELECT pg_wal_lsn_diff(pg_current_wal_lsn(),'0/0') > 0

-- name: select slot_name pg_wal_lsn_diff pg_current_wal_lsn restart_
SELECT slot_name, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) FROM pg_replication_slots

-- name: select * from pg_stat_progress_vacuum
SELECT * FROM pg_stat_progress_vacuum

-- name: select name setting from pg_settings where name like vacuum
SELECT name, setting FROM pg_settings WHERE name LIKE '%vacuum%'

-- name: select pg_postmaster_start_time pg_conf_load_time
SELECT pg_postmaster_start_time(), pg_conf_load_time()

-- name: select * from pg_extension
SELECT * FROM pg_extension

-- name: select * from pg_available_extensions limit 1
SELECT * FROM pg_available_extensions LIMIT 1

-- name: select * from information_schema.table_privileges limit 1
SELECT * FROM information_schema.table_privileges LIMIT 1

-- name: select tc.table_name kcu.column_name ccu.table_name from inf
SELECT tc.table_name, kcu.column_name, ccu.table_name FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu USING (constraint_name) JOIN information_schema.constraint_column_usage ccu USING (constraint_name) WHERE constraint_type='FOREIGN KEY'

-- name: select view_definition from information_schema.views where t
SELECT view_definition FROM information_schema.views WHERE table_name='happy'

-- name: select routine_name data_type from information_schema.routin
SELECT routine_name, data_type FROM information_schema.routines WHERE routine_schema='crm'

-- name: select p.proname pg_get_function_arguments p.oid from pg_pro
SELECT p.proname, pg_get_function_arguments(p.oid) FROM pg_proc p WHERE pronamespace='crm'::regnamespace

-- name: select enumlabel from pg_enum join pg_type t on t.oid enumty
SELECT enumlabel FROM pg_enum JOIN pg_type t ON t.oid=enumtypid WHERE typname='mood'

-- name: select a.attname format_type a.atttypid a.atttypmod pg_get_e
SELECT a.attname, format_type(a.atttypid,a.atttypmod), pg_get_expr(d.adbin,d.adrelid) FROM pg_attribute a LEFT JOIN pg_attrdef d ON (d.adrelid,d.adnum)=(a.attrelid,a.attnum) WHERE a.attrelid='orders'::regclass AND attnum>0 ORDER BY attnum

-- name: select c.reltuples bigint from pg_class c where c.relname or
SELECT c.reltuples::bigint FROM pg_class c WHERE c.relname='orders'

-- name: select conname conrelid regclass confrelid regclass from pg_
SELECT conname, conrelid::regclass, confrelid::regclass FROM pg_constraint WHERE contype='f'

-- name: select inhparent regclass inhrelid regclass pg_get_expr c.re
SELECT inhparent::regclass, inhrelid::regclass, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits JOIN pg_class c ON c.oid=inhrelid

-- name: select n.nspname c.relname from pg_catalog.pg_class c left j
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace WHERE c.relkind IN ('r','') AND n.nspname !~ '^pg_toast' AND pg_catalog.pg_table_is_visible(c.oid)

-- name: select has_table_privilege orders select pg_has_role shopown
SELECT has_table_privilege('orders','SELECT'), pg_has_role('shopowner','MEMBER')

-- name: select rolname rolsuper from pg_roles
SELECT rolname, rolsuper FROM pg_roles

-- name: select r.rolname array select b.rolname from pg_auth_members
SELECT r.rolname, ARRAY(SELECT b.rolname FROM pg_auth_members m JOIN pg_roles b ON m.roleid=b.oid WHERE m.member=r.oid) FROM pg_roles r

-- name: select 1 as one where true
SELECT 1 AS one WHERE true

-- name: select null
SELECT NULL

-- name: select
SELECT

-- name: values 1
VALUES (1)

-- name: select a 1 jsonb a generate_series 1 3 now
SELECT '{"a":1}'::jsonb->'a', generate_series(1,3), now()

-- name: select * from pg_stat_ssl
SELECT * FROM pg_stat_ssl

-- name: select * from pg_prepared_statements
SELECT * FROM pg_prepared_statements

-- name: select * from pg_cursors
SELECT * FROM pg_cursors

-- name: select * from pg_stat_io
SELECT * FROM pg_stat_io

-- name: select tablename indexdef from pg_indexes where schemaname p
SELECT tablename, indexdef FROM pg_indexes WHERE schemaname='public'

-- name: select * from pg_tables
SELECT * FROM pg_tables

-- name: select * from pg_views where schemaname crm
SELECT * FROM pg_views WHERE schemaname='crm'

-- name: select * from pg_matviews
SELECT * FROM pg_matviews

-- name: select * from pg_sequences
SELECT * FROM pg_sequences

-- name: select * from pg_policies
SELECT * FROM pg_policies

-- name: select * from pg_rules
SELECT * FROM pg_rules

-- name: select * from pg_trigger where not tgisinternal
SELECT * FROM pg_trigger WHERE NOT tgisinternal

-- name: select tgname pg_get_triggerdef oid from pg_trigger
SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger

-- name: select objid regclass from pg_depend where refobjid orders r
SELECT objid::regclass FROM pg_depend WHERE refobjid='orders'::regclass

-- name: select pg_describe_object classid objid objsubid from pg_dep
SELECT pg_describe_object(classid,objid,objsubid) FROM pg_depend LIMIT 1

-- name: select * from pg_identify_object pg_class regclass orders re
SELECT * FROM pg_identify_object('pg_class'::regclass, 'orders'::regclass, 0)

-- name: select pg_relation_filepath orders pg_relation_size orders m
SELECT pg_relation_filepath('orders'), pg_relation_size('orders','main')

-- name: select pg_is_wal_replay_paused
SELECT pg_is_wal_replay_paused()

-- name: select * from pg_control_checkpoint
SELECT * FROM pg_control_checkpoint()

-- name: select system_identifier from pg_control_system
SELECT system_identifier FROM pg_control_system()

-- name: what the others run, their text hidden
SELECT pid, usename, state, query FROM pg_stat_activity WHERE state <> 'idle' ORDER BY query_start

-- name: who blocks whom, their text hidden
SELECT blocked.pid, blocked.query, blocking.pid, blocking.query FROM pg_stat_activity blocked JOIN pg_stat_activity blocking ON blocking.pid = ANY(pg_blocking_pids(blocked.pid))
