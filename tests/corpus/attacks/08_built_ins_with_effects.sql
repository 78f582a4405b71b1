-- Class 8, 10 and 11: built-ins with effects, dynamic SQL, server files, programs and replication. Own texts; each
-- parses on PostgreSQL 15; some fail there for want of the object, the extension or the server setting they speak of.
-- Everything here needs admin unless it says otherwise.

-- name: end another session
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'nobody'

-- name: cancel another session
SELECT pg_cancel_backend(1)

-- name: end in a where clause
SELECT 1 FROM pg_stat_activity WHERE usename = 'nobody' AND pg_terminate_backend(pid)

-- name: end in an order by
SELECT pid FROM pg_stat_activity WHERE usename = 'nobody' ORDER BY pg_terminate_backend(pid)

-- name: end in a filter
SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'nobody'

-- name: end in a window
SELECT row_number() OVER (ORDER BY pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'nobody'

-- name: end in a join condition
SELECT 1 FROM pg_stat_activity a JOIN pg_stat_activity b ON a.usename = 'nobody' AND pg_terminate_backend(a.pid)

-- name: end in a case
SELECT CASE WHEN usename = 'nobody' THEN pg_terminate_backend(pid) END FROM pg_stat_activity

-- name: end in limit
SELECT 1 LIMIT (SELECT count(*) FROM pg_stat_activity WHERE usename = 'nobody' AND pg_terminate_backend(pid))

-- name: end in values
VALUES (pg_cancel_backend(1))

-- name: end in a lateral function
SELECT * FROM pg_stat_activity a, LATERAL pg_terminate_backend(a.pid) WHERE a.usename = 'nobody'

-- name: end in distinct on
SELECT DISTINCT ON (pg_cancel_backend(1)) 1

-- name: end in grouping
SELECT 1 GROUP BY pg_cancel_backend(1)

-- name: end in having
SELECT 1 HAVING pg_cancel_backend(1)

-- name: end in an array subscript
SELECT (ARRAY[1])[pg_cancel_backend(1)::int]

-- name: end in a returning-like position of execute
PREPARE p (bool) AS SELECT $1; EXECUTE p (pg_cancel_backend(1))

-- name: end in a table sample
SELECT 1 FROM orders TABLESAMPLE BERNOULLI (pg_cancel_backend(1)::int)

-- name: end quoted
SELECT "pg_cancel_backend"(1)

-- name: end qualified and quoted
SELECT "pg_catalog"."pg_cancel_backend"(1)

-- name: end with a unicode name
SELECT U&"pg\005fcancel_backend"(1)

-- name: read a file
SELECT pg_read_file('postgresql.conf')

-- name: read a binary file
SELECT pg_read_binary_file('PG_VERSION')

-- name: read a file in from
SELECT * FROM pg_read_file('PG_VERSION') AS f(line)

-- name: list a directory
SELECT pg_ls_dir('.')

-- name: list the log
SELECT * FROM pg_ls_logdir()

-- name: look at a file
SELECT * FROM pg_stat_file('PG_VERSION')

-- name: current log file
SELECT pg_current_logfile()

-- name: read the log
SELECT pg_read_file(pg_current_logfile())

-- name: large object from a file
SELECT lo_import('/etc/hostname')

-- name: large object to a file
SELECT lo_export(lo_from_bytea(0, 'x'), '/dev/null')

-- name: large object made
SELECT lo_create(0)

-- name: large object read
SELECT lo_get(1)

-- name: large object pages
SELECT * FROM pg_largeobject

-- name: large object removed
SELECT lo_unlink(1)

-- name: large object by descriptor
SELECT loread(lo_open(1, 262144), 100)

-- name: advance a sequence
-- needs: dml
SELECT nextval('invoice_number')

-- name: advance a sequence by default
-- needs: dml
SELECT coalesce(NULL, nextval('public.invoice_number'::regclass))

-- name: set a sequence
-- needs: dml
SELECT setval('invoice_number', 1)

-- name: advisory lock
-- needs: dml
SELECT pg_advisory_lock(1)

-- name: advisory lock if free
-- needs: dml
SELECT pg_try_advisory_xact_lock(1, 2)

-- name: advisory shared lock
-- needs: dml
SELECT pg_advisory_lock_shared(1)

-- name: notify by function
-- needs: dml
SELECT pg_notify('a', 'b')

-- name: sleep
-- needs: select
SELECT pg_sleep(0.01)

-- name: sleep for
-- needs: select
SELECT pg_sleep_for('10 milliseconds')

-- name: reload
SELECT pg_reload_conf()

-- name: rotate
SELECT pg_rotate_logfile()

-- name: promote
SELECT pg_promote(false)

-- name: switch segment
SELECT pg_switch_wal()

-- name: restore point
SELECT pg_create_restore_point('x')

-- name: start a backup
SELECT pg_backup_start('x')

-- name: reset statistics
SELECT pg_stat_reset()

-- name: reset shared statistics
SELECT pg_stat_reset_shared('bgwriter')

-- name: log memory of another
SELECT pg_log_backend_memory_contexts(1)

-- name: memory of this one
SELECT * FROM pg_backend_memory_contexts

-- name: replication slot
SELECT pg_create_physical_replication_slot('x')

-- name: logical slot
SELECT * FROM pg_create_logical_replication_slot('x', 'test_decoding')

-- name: changes of a slot
SELECT * FROM pg_logical_slot_peek_changes('x', NULL, NULL)

-- name: drop a slot
SELECT pg_drop_replication_slot('x')

-- name: replication origin
SELECT pg_replication_origin_create('x')

-- name: dynamic sql to xml
SELECT query_to_xml('DELETE FROM jobs RETURNING 1', true, false, '')

-- name: dynamic sql to xml schema
SELECT query_to_xmlschema('SELECT 1', true, false, '')

-- name: dynamic sql, both
SELECT query_to_xml_and_xmlschema('SELECT * FROM customers', true, false, '')

-- name: a table by name to xml
SELECT table_to_xml('customers', true, false, '')

-- name: a schema to xml
SELECT schema_to_xml('public', true, false, '')

-- name: the database to xml
SELECT database_to_xml(true, false, '')

-- name: a cursor to xml
BEGIN; DECLARE c CURSOR FOR SELECT * FROM customers; SELECT cursor_to_xml('c', 10, true, false, '')

-- name: dynamic sql in text search statistics
SELECT * FROM ts_stat('SELECT tsv FROM documents')

-- name: dynamic sql in text search rewriting
SELECT ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, ''b''::tsquery')

-- name: dynamic sql over a link
SELECT * FROM dblink('dbname=shop', 'DELETE FROM jobs') AS t(a int)

-- name: dynamic sql in a crosstab
SELECT * FROM crosstab('SELECT 1, 2, 3') AS t(a int, b int)

-- name: do
DO $$BEGIN DELETE FROM jobs; END$$

-- name: do in another language
DO LANGUAGE plpgsql 'BEGIN PERFORM 1; END'

-- name: call
CALL tidy(30)

-- name: a type's input function by name
SELECT domain_in('-5', 'positive_amount'::regtype, -1)

-- name: whether an input would pass, from version 16 on
SELECT pg_input_is_valid('x', 'public.positive_amount')

-- name: an old way to read any table
SELECT currtid2('customers', '(0,1)'::tid)

-- name: summarize an index
SELECT brin_summarize_new_values('events_at'::regclass)

-- name: clean an index
SELECT gin_clean_pending_list('customers_profile'::regclass)

-- name: collations
SELECT pg_import_system_collations('pg_catalog')

-- name: upgrade support
SELECT binary_upgrade_set_next_pg_authid_oid(1)

-- name: statements of others
SELECT pid, left(query, 1000) FROM pg_stat_activity

-- name: statements of others with a star, their texts left out
-- needs: info
SELECT * FROM pg_stat_activity

-- name: statements of others as a whole row
SELECT a::text FROM pg_stat_activity a

-- name: statements of others as json
SELECT row_to_json(a) FROM pg_stat_activity a

-- name: statements of others through a join
SELECT x.q FROM (SELECT a.query AS q FROM pg_stat_activity a JOIN pg_locks l USING (pid)) x

-- name: statements of others in a condition
SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%password%'

-- name: statements of others by function
SELECT pg_stat_get_backend_activity(s) FROM pg_stat_get_backend_idset() s

-- name: statements of others by the view's own function
SELECT * FROM pg_stat_get_activity(NULL)

-- name: statements of others by field selection from a function
SELECT (pg_stat_get_activity(NULL)).query

-- name: values in statistics
SELECT * FROM pg_stats

-- name: values in statistics, one column
SELECT most_common_vals FROM pg_stats WHERE tablename = 'customers'

-- name: values in raw statistics
SELECT * FROM pg_statistic

-- name: values in extended statistics
SELECT * FROM pg_stats_ext

-- name: values in extended statistics, decoded
SELECT m.* FROM pg_statistic_ext_data, pg_mcv_list_items(stxdmcv) m

-- name: values in a toast table
SELECT * FROM pg_toast.pg_toast_1255

-- name: routine sources
-- needs: select
SELECT prosrc FROM pg_proc

-- name: routine sources as a whole row
-- needs: select
SELECT p FROM pg_proc p

-- name: routine sources in the standard's clothes
-- needs: select
SELECT routine_definition FROM information_schema.routines

-- name: routine sources by function
-- needs: select
SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'touch'

-- name: catalog written
DELETE FROM pg_catalog.pg_class WHERE oid = 1

-- name: catalog written in an expression
WITH x AS (UPDATE pg_proc SET prosrc = prosrc WHERE false RETURNING 1) SELECT * FROM x

-- name: catalog inserted
INSERT INTO pg_catalog.pg_description VALUES (1, 1, 0, 'x')

-- name: extension
CREATE EXTENSION dblink

-- name: foreign server
CREATE SERVER x FOREIGN DATA WRAPPER file_fdw

-- name: file as a table
CREATE FOREIGN TABLE f (line text) SERVER files OPTIONS (filename '/etc/passwd')

-- name: publication
CREATE PUBLICATION x FOR ALL TABLES

-- name: subscription
CREATE SUBSCRIPTION x CONNECTION 'host=evil' PUBLICATION p WITH (connect = false)

-- name: tablespace
CREATE TABLESPACE x LOCATION '/tmp/x'

-- name: database
CREATE DATABASE x TEMPLATE shop

-- name: untrusted language
CREATE LANGUAGE plpython3u
