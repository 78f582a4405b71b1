-- Class 8: built-ins with effects. Own texts; each parses on PostgreSQL 15; some fail there for want of the
-- server setting they speak of.

-- name: end another session
-- shows: done
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'nobody'

-- name: cancel another session
-- shows: rows
SELECT pg_cancel_backend(1)

-- name: end in a where clause
-- shows: ended
SELECT 1 FROM pg_stat_activity WHERE pid = pg_backend_pid() AND pg_terminate_backend(pid)

-- name: end in an order by
-- shows: done
SELECT pid FROM pg_stat_activity WHERE usename = 'nobody' ORDER BY pg_terminate_backend(pid)

-- name: end in a filter
-- shows: rows
SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'nobody'

-- name: end in a window
-- shows: done
SELECT row_number() OVER (ORDER BY pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'nobody'

-- name: end in a join condition
SELECT 1 FROM pg_stat_activity a JOIN pg_stat_activity b ON a.usename = 'nobody' AND pg_terminate_backend(a.pid)

-- name: end in a case
-- shows: rows
SELECT CASE WHEN usename = 'nobody' THEN pg_terminate_backend(pid) END FROM pg_stat_activity

-- name: end in limit
SELECT 1 LIMIT (SELECT count(*) FROM pg_stat_activity WHERE usename = 'nobody' AND pg_terminate_backend(pid))

-- name: end in values
-- shows: rows
VALUES (pg_cancel_backend(1))

-- name: end in a lateral function
-- shows: done
SELECT * FROM pg_stat_activity a, LATERAL pg_terminate_backend(a.pid) WHERE a.usename = 'nobody'

-- name: end in distinct on
-- shows: rows
SELECT DISTINCT ON (pg_cancel_backend(1)) 1

-- name: end in grouping
-- shows: rows
SELECT 1 GROUP BY pg_cancel_backend(1)

-- name: end in having
-- shows: done
SELECT 1 HAVING pg_cancel_backend(1)

-- name: end in an array subscript
-- shows: rows
SELECT (ARRAY[1])[pg_cancel_backend(1)::int]

-- name: end in a returning-like position of execute
-- shows: rows
PREPARE p (bool) AS SELECT $1; EXECUTE p (pg_cancel_backend(1))

-- name: end in a table sample
-- shows: done
SELECT 1 FROM orders TABLESAMPLE BERNOULLI (pg_cancel_backend(1)::int)

-- name: end quoted
-- shows: rows
SELECT "pg_cancel_backend"(1)

-- name: end qualified and quoted
-- shows: rows
SELECT "pg_catalog"."pg_cancel_backend"(1)

-- name: end with a unicode name
-- shows: rows
SELECT U&"pg\005fcancel_backend"(1)

-- name: large object made
SELECT lo_create(0)

-- name: large object read
-- shows: rows
SELECT lo_get(4711)

-- name: large object pages
-- shows: rows
SELECT * FROM pg_largeobject

-- name: large object removed
SELECT lo_unlink(4711)

-- name: large object by descriptor
-- shows: rows
SELECT loread(lo_open(4711, 262144), 100)

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
-- shows: rows
SELECT pg_notify('a', 'b')

-- name: sleep
-- needs: select
SELECT pg_sleep(0.01)

-- name: sleep for
-- needs: select
SELECT pg_sleep_for('10 milliseconds')

-- name: reload
-- shows: rows
SELECT pg_reload_conf()

-- name: rotate
-- shows: rows
SELECT pg_rotate_logfile()

-- name: promote
-- shows: error 55000
SELECT pg_promote(false)

-- name: restore point
-- shows: rows
SELECT pg_create_restore_point('x')

-- name: reset statistics
-- shows: rows
SELECT pg_stat_reset()

-- name: reset shared statistics
-- shows: rows
SELECT pg_stat_reset_shared('bgwriter')

-- name: log memory of another
-- shows: rows
SELECT pg_log_backend_memory_contexts(1)

-- name: memory of this one
-- shows: rows
SELECT * FROM pg_backend_memory_contexts

-- name: do
DO $$BEGIN DELETE FROM jobs; END$$

-- name: do in another language
-- shows: done
DO LANGUAGE plpgsql 'BEGIN PERFORM 1; END'

-- name: call
CALL tidy(30)

-- name: a type's input function by name
-- shows: error 23514
SELECT domain_in('-5', 'positive_amount'::regtype, -1)

-- name: whether an input would pass
-- shows: nothing: it came with version 16, and shows the domain's check to whoever asks
SELECT pg_input_is_valid('x', 'public.positive_amount')

-- name: an old way to read any table
-- shows: rows
SELECT currtid2('customers', '(0,1)'::tid)

-- name: summarize an index
-- shows: error 42809
SELECT brin_summarize_new_values('events_at'::regclass)

-- name: clean an index
-- shows: rows
SELECT gin_clean_pending_list('customers_profile'::regclass)

-- name: collations
-- shows: rows
SELECT pg_import_system_collations('pg_catalog')

-- name: upgrade support
-- shows: error 55P02
SELECT binary_upgrade_set_next_pg_authid_oid(1)

-- name: statements of others
-- shows: rows
SELECT pid, concat(query) FROM pg_stat_activity

-- name: statements of others in excerpts that are hidden
-- needs: info
SELECT pid, left(query, 1000) FROM pg_stat_activity

-- name: statements of others by the order of excerpts
-- shows: rows
SELECT pid, left(query, 1000) AS q FROM pg_stat_activity ORDER BY q

-- name: statements of others by how long a search in them takes
-- shows: rows
SELECT pid, regexp_replace(query, '(s+)+$', '') FROM pg_stat_activity

-- name: statements of others by a cast that quotes them
-- shows: error 22P02
SELECT pid, query::int FROM pg_stat_activity

-- name: statements of others with a star, their texts left out
-- needs: info
SELECT * FROM pg_stat_activity

-- name: statements of others as a whole row
-- shows: rows
SELECT a::text FROM pg_stat_activity a

-- name: statements of others as json
-- shows: rows
SELECT row_to_json(a) FROM pg_stat_activity a

-- name: statements of others through a join
-- shows: rows
SELECT x.q FROM (SELECT a.query AS q FROM pg_stat_activity a JOIN pg_locks l USING (pid)) x

-- name: statements of others in a condition
-- shows: rows
SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%password%'

-- name: statements of others by function
-- shows: rows
SELECT pg_stat_get_backend_activity(s) FROM pg_stat_get_backend_idset() s

-- name: statements of others by the view's own function
-- shows: rows
SELECT * FROM pg_stat_get_activity(NULL)

-- name: statements of others by field selection from a function
-- shows: rows
SELECT (pg_stat_get_activity(NULL)).query

-- name: values in statistics
-- shows: rows
SELECT * FROM pg_stats

-- name: values in statistics, one column
-- shows: done
SELECT most_common_vals FROM pg_stats WHERE tablename = 'customers'

-- name: values in raw statistics
-- shows: rows
SELECT * FROM pg_statistic

-- name: values in extended statistics
-- shows: done
SELECT * FROM pg_stats_ext

-- name: values in extended statistics, decoded
-- shows: done
SELECT m.* FROM pg_statistic_ext_data, pg_mcv_list_items(stxdmcv) m

-- name: values in a toast table
-- shows: rows
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
-- shows: done
SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'touch'

-- name: catalog written
-- shows: done
DELETE FROM pg_catalog.pg_class WHERE oid = 1

-- name: catalog written in an expression
-- shows: done
WITH x AS (UPDATE pg_proc SET prosrc = prosrc WHERE false RETURNING 1) SELECT * FROM x

-- name: catalog inserted
INSERT INTO pg_catalog.pg_description VALUES (1, 1, 0, 'x')

-- name: extension
CREATE EXTENSION pgstattuple

-- name: tablespace
CREATE TABLESPACE x LOCATION '/tmp/x'

-- name: database
CREATE DATABASE x TEMPLATE shop

-- name: untrusted language
-- shows: error 0A000
CREATE LANGUAGE plpython3u
