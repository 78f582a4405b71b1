-- What people who are on call look at. Own texts. Run on PostgreSQL 15.

-- name: who blocks whom by blocking pids
SELECT pid, usename, pg_blocking_pids(pid) AS blocked_by, state, wait_event_type, wait_event, now() - query_start AS running FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0

-- name: blocked and blocking by locks
SELECT blocked_locks.pid AS blocked_pid, blocked_activity.usename AS blocked_user, blocking_locks.pid AS blocking_pid, blocking_activity.usename AS blocking_user, blocked_activity.query AS blocked_statement, blocking_activity.query AS current_statement_in_blocking_process FROM pg_catalog.pg_locks blocked_locks JOIN pg_catalog.pg_stat_activity blocked_activity ON blocked_activity.pid = blocked_locks.pid JOIN pg_catalog.pg_locks blocking_locks ON blocking_locks.locktype = blocked_locks.locktype AND blocking_locks.database IS NOT DISTINCT FROM blocked_locks.database AND blocking_locks.relation IS NOT DISTINCT FROM blocked_locks.relation AND blocking_locks.page IS NOT DISTINCT FROM blocked_locks.page AND blocking_locks.tuple IS NOT DISTINCT FROM blocked_locks.tuple AND blocking_locks.virtualxid IS NOT DISTINCT FROM blocked_locks.virtualxid AND blocking_locks.transactionid IS NOT DISTINCT FROM blocked_locks.transactionid AND blocking_locks.classid IS NOT DISTINCT FROM blocked_locks.classid AND blocking_locks.objid IS NOT DISTINCT FROM blocked_locks.objid AND blocking_locks.objsubid IS NOT DISTINCT FROM blocked_locks.objsubid AND blocking_locks.pid != blocked_locks.pid JOIN pg_catalog.pg_stat_activity blocking_activity ON blocking_activity.pid = blocking_locks.pid WHERE NOT blocked_locks.granted

-- name: long running statements
SELECT pid, now() - pg_stat_activity.query_start AS duration, query, state FROM pg_stat_activity WHERE (now() - pg_stat_activity.query_start) > interval '5 minutes' ORDER BY duration DESC

-- name: idle in transaction
SELECT pid, usename, application_name, client_addr, backend_start, xact_start, state_change, query FROM pg_stat_activity WHERE state IN ('idle in transaction', 'idle in transaction (aborted)') AND now() - state_change > interval '1 minute' ORDER BY xact_start

-- name: my own statement text
SELECT pid, query FROM pg_stat_activity WHERE pid = pg_backend_pid()

-- name: connections by state
SELECT state, count(*), max(now() - state_change) FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY state ORDER BY 2 DESC

-- name: connections by application
SELECT datname, usename, application_name, client_addr, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC

-- name: connection headroom
SELECT (SELECT count(*) FROM pg_stat_activity) AS used, current_setting('max_connections')::int AS allowed, current_setting('superuser_reserved_connections')::int AS reserved

-- name: wait events
SELECT wait_event_type, wait_event, count(*) FROM pg_stat_activity WHERE wait_event IS NOT NULL GROUP BY 1, 2 ORDER BY 3 DESC

-- name: oldest transactions
SELECT pid, backend_xid, backend_xmin, age(backend_xmin) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL ORDER BY age(backend_xmin) DESC LIMIT 5

-- name: text of statements cut short
SELECT pid, left(query, 60) AS query FROM pg_stat_activity WHERE state = 'active'

-- name: cache hit ratio of tables
SELECT sum(heap_blks_read) AS heap_read, sum(heap_blks_hit) AS heap_hit, sum(heap_blks_hit) / nullif(sum(heap_blks_hit) + sum(heap_blks_read), 0) AS ratio FROM pg_statio_user_tables

-- name: cache hit ratio of indexes
SELECT relname, 'index hit rate' AS name, (sum(idx_blks_hit)) / nullif(sum(idx_blks_hit + idx_blks_read), 0) AS ratio FROM pg_statio_user_indexes GROUP BY relname ORDER BY 1

-- name: cache hit ratio of databases
SELECT datname, round(100.0 * blks_hit / nullif(blks_hit + blks_read, 0), 2) AS hit, xact_commit, xact_rollback, deadlocks, temp_files, pg_size_pretty(temp_bytes) FROM pg_stat_database WHERE datname IS NOT NULL ORDER BY 1

-- name: unused indexes
SELECT schemaname || '.' || relname AS table, indexrelname AS index, pg_size_pretty(pg_relation_size(i.indexrelid)) AS index_size, idx_scan AS index_scans FROM pg_stat_user_indexes ui JOIN pg_index i ON ui.indexrelid = i.indexrelid WHERE NOT indisunique AND idx_scan < 50 AND pg_relation_size(relid) > 5 * 8192 ORDER BY pg_relation_size(i.indexrelid) / nullif(idx_scan, 0) DESC NULLS FIRST, pg_relation_size(i.indexrelid) DESC

-- name: missing indexes
SELECT relname, seq_scan - idx_scan AS too_much_seq, CASE WHEN seq_scan - coalesce(idx_scan, 0) > 0 THEN 'Missing Index?' ELSE 'OK' END, pg_relation_size(relname::regclass) AS rel_size, seq_scan, idx_scan FROM pg_stat_all_tables WHERE schemaname = 'public' AND pg_relation_size(relname::regclass) > 80000 ORDER BY too_much_seq DESC

-- name: index use ratio
SELECT relname, 100 * idx_scan / nullif(seq_scan + idx_scan, 0) percent_of_times_index_used, n_live_tup rows_in_table FROM pg_stat_user_tables ORDER BY n_live_tup DESC, 1

-- name: duplicate indexes
SELECT pg_size_pretty(sum(pg_relation_size(idx))::bigint) AS size, (array_agg(idx))[1] AS idx1, (array_agg(idx))[2] AS idx2 FROM (SELECT indexrelid::regclass AS idx, (indrelid::text || E'\n' || indclass::text || E'\n' || indkey::text || E'\n' || coalesce(indexprs::text, '') || E'\n' || coalesce(indpred::text, '')) AS key FROM pg_index) sub GROUP BY key HAVING count(*) > 1 ORDER BY sum(pg_relation_size(idx)) DESC

-- name: invalid indexes
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c, pg_catalog.pg_namespace n, pg_catalog.pg_index i WHERE (i.indisvalid = false OR i.indisready = false) AND i.indexrelid = c.oid AND c.relnamespace = n.oid

-- name: foreign keys without index
SELECT c.conrelid::regclass AS "table", string_agg(a.attname, ',' ORDER BY x.n) AS columns, pg_catalog.pg_size_pretty(pg_catalog.pg_relation_size(c.conrelid)) AS size, c.conname AS constraint, c.confrelid::regclass AS referenced_table FROM pg_catalog.pg_constraint c CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS x(attnum, n) JOIN pg_catalog.pg_attribute a ON a.attnum = x.attnum AND a.attrelid = c.conrelid WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL AND (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] OPERATOR(pg_catalog.@>) c.conkey) AND c.contype = 'f' GROUP BY c.conrelid, c.conname, c.confrelid ORDER BY pg_catalog.pg_relation_size(c.conrelid) DESC, 4

-- name: table sizes
SELECT table_name, pg_size_pretty(table_size) AS table_size, pg_size_pretty(indexes_size) AS indexes_size, pg_size_pretty(total_size) AS total_size FROM (SELECT table_name, pg_table_size(table_name) AS table_size, pg_indexes_size(table_name) AS indexes_size, pg_total_relation_size(table_name) AS total_size FROM (SELECT ('"' || table_schema || '"."' || table_name || '"') AS table_name FROM information_schema.tables WHERE table_schema = 'public') AS all_tables ORDER BY total_size DESC, 1) AS pretty_sizes

-- name: relation sizes with toast
SELECT *, pg_size_pretty(total_bytes) AS total, pg_size_pretty(index_bytes) AS index, pg_size_pretty(toast_bytes) AS toast, pg_size_pretty(table_bytes) AS table FROM (SELECT *, total_bytes - index_bytes - coalesce(toast_bytes, 0) AS table_bytes FROM (SELECT c.oid, nspname AS table_schema, relname AS table_name, c.reltuples AS row_estimate, pg_total_relation_size(c.oid) AS total_bytes, pg_indexes_size(c.oid) AS index_bytes, pg_total_relation_size(reltoastrelid) AS toast_bytes FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE relkind = 'r' AND nspname = 'public') a) a ORDER BY total_bytes DESC, oid

-- name: database sizes
SELECT d.datname, pg_catalog.pg_get_userbyid(d.datdba) AS owner, CASE WHEN pg_catalog.has_database_privilege(d.datname, 'CONNECT') THEN pg_catalog.pg_size_pretty(pg_catalog.pg_database_size(d.datname)) ELSE 'No Access' END AS size FROM pg_catalog.pg_database d WHERE d.datname = 'template1'

-- name: tables to vacuum
SELECT schemaname, relname, n_dead_tup, n_live_tup, round(n_dead_tup * 100.0 / nullif(n_live_tup + n_dead_tup, 0), 2) AS dead_percent, last_vacuum, last_autovacuum, last_analyze, last_autoanalyze, vacuum_count FROM pg_stat_user_tables WHERE n_dead_tup > 1000 ORDER BY n_dead_tup DESC

-- name: autovacuum thresholds
WITH rel_set AS (SELECT oid, CASE split_part(split_part(array_to_string(reloptions, ','), 'autovacuum_vacuum_threshold=', 2), ',', 1) WHEN '' THEN NULL ELSE split_part(split_part(array_to_string(reloptions, ','), 'autovacuum_vacuum_threshold=', 2), ',', 1)::bigint END AS rel_av_vac_threshold FROM pg_class) SELECT psut.relname, to_char(psut.last_vacuum, 'YYYY-MM-DD HH24:MI') AS last_vacuum, pg_class.reltuples::bigint AS n_tup, coalesce(rel_set.rel_av_vac_threshold, current_setting('autovacuum_vacuum_threshold')::bigint) + coalesce(current_setting('autovacuum_vacuum_scale_factor')::numeric, 0.2) * pg_class.reltuples AS av_threshold FROM pg_stat_user_tables psut JOIN pg_class ON psut.relid = pg_class.oid JOIN rel_set ON pg_class.oid = rel_set.oid ORDER BY psut.n_dead_tup DESC, 1

-- name: wraparound of databases
SELECT datname, age(datfrozenxid) >= 0, current_setting('autovacuum_freeze_max_age')::int, round(100 * age(datfrozenxid) / 2146483647::numeric, 2) AS used FROM pg_database ORDER BY age(datfrozenxid) DESC, 1

-- name: wraparound of tables
SELECT c.oid::regclass AS table_name, greatest(age(c.relfrozenxid), age(t.relfrozenxid)) >= 0 AS age FROM pg_class c LEFT JOIN pg_class t ON c.reltoastrelid = t.oid WHERE c.relkind IN ('r', 'm') AND c.relnamespace = 'public'::regnamespace ORDER BY 1

-- name: multixact age
SELECT datname, mxid_age(datminmxid) FROM pg_database ORDER BY 1

-- name: create index progress
SELECT now()::time(0), a.pid, p.phase, p.blocks_total, p.blocks_done, p.tuples_total, p.tuples_done, ai.schemaname, ai.relname, ai.indexrelname FROM pg_stat_progress_create_index p JOIN pg_stat_activity a ON p.pid = a.pid LEFT JOIN pg_stat_all_indexes ai ON ai.relid = p.relid AND ai.indexrelid = p.index_relid

-- name: copy and analyze progress
SELECT c.pid, c.command, c.bytes_processed, a.phase FROM pg_stat_progress_copy c FULL JOIN pg_stat_progress_analyze a ON a.pid = c.pid FULL JOIN pg_stat_progress_cluster k ON k.pid = c.pid FULL JOIN pg_stat_progress_basebackup b ON b.pid = c.pid

-- name: replication lag
SELECT client_addr, application_name, state, sync_state, pg_wal_lsn_diff(pg_current_wal_lsn(), sent_lsn) AS sent_lag, pg_wal_lsn_diff(sent_lsn, flush_lsn) AS flush_lag, pg_wal_lsn_diff(flush_lsn, replay_lsn) AS replay_lag, write_lag, flush_lag, replay_lag FROM pg_stat_replication

-- name: replication lag on a standby
SELECT pg_is_in_recovery(), CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0 ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END AS lag_seconds

-- name: replication slots
SELECT slot_name, plugin, slot_type, active, restart_lsn, confirmed_flush_lsn, pg_size_pretty(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, restart_lsn)) AS retained, wal_status, safe_wal_size FROM pg_replication_slots

-- name: logical replication
SELECT subname, received_lsn, latest_end_lsn, last_msg_receipt_time FROM pg_stat_subscription

-- name: publications
SELECT p.pubname, pt.schemaname, pt.tablename FROM pg_publication p LEFT JOIN pg_publication_tables pt USING (pubname)

-- name: slot statistics
SELECT * FROM pg_stat_replication_slots

-- name: subscription statistics
SELECT subid, subname, apply_error_count FROM pg_stat_subscription_stats

-- name: wal rate
SELECT pg_current_wal_lsn() IS NOT NULL, pg_current_wal_insert_lsn() IS NOT NULL, pg_walfile_name(pg_current_wal_lsn()) IS NOT NULL, pg_current_wal_flush_lsn() IS NOT NULL

-- name: wal statistics
SELECT wal_records >= 0, wal_fpi >= 0, wal_bytes >= 0, wal_buffers_full, stats_reset IS NULL FROM pg_stat_wal

-- name: checkpoints
SELECT checkpoints_timed >= 0, checkpoints_req >= 0, buffers_checkpoint >= 0, buffers_clean, maxwritten_clean, buffers_backend >= 0 FROM pg_stat_bgwriter

-- name: archiver
SELECT archived_count, last_archived_wal, last_failed_wal, now() - last_archived_time FROM pg_stat_archiver

-- name: slru
SELECT name, blks_hit >= 0, blks_read >= 0 FROM pg_stat_slru ORDER BY 1

-- name: locks with relations
SELECT l.pid, l.mode, l.granted, l.fastpath, l.waitstart, c.relname, l.virtualtransaction FROM pg_locks l LEFT JOIN pg_class c ON c.oid = l.relation WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.pid <> pg_backend_pid()

-- name: locks by mode
SELECT mode, locktype, count(*) FROM pg_locks WHERE NOT granted GROUP BY mode, locktype

-- name: advisory locks held
SELECT pid, classid, objid, objsubid, mode FROM pg_locks WHERE locktype = 'advisory'

-- name: settings changed
SELECT name, setting, unit, source, sourcefile, boot_val, reset_val, pending_restart FROM pg_settings WHERE source NOT IN ('default', 'override') AND name NOT LIKE 'lc\_%' ORDER BY name

-- name: settings for memory
SELECT name, current_setting(name) FROM pg_settings WHERE name IN ('shared_buffers', 'work_mem', 'maintenance_work_mem', 'effective_cache_size', 'wal_buffers') ORDER BY 1

-- name: show all
SHOW ALL

-- name: show some
SHOW server_version_num; SHOW max_connections; SHOW TIME ZONE; SHOW TRANSACTION ISOLATION LEVEL; SHOW search_path; SHOW data_checksums

-- name: settings per role and database
SELECT coalesce(d.datname, '*'), coalesce(r.rolname, '*'), unnest(setconfig) FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole

-- name: roles and memberships
SELECT r.rolname, r.rolsuper, r.rolcanlogin, r.rolconnlimit, r.rolvaliduntil, ARRAY(SELECT b.rolname FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles b ON m.roleid = b.oid WHERE m.member = r.oid ORDER BY 1) AS memberof FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY 1

-- name: grants on tables
SELECT grantee, table_schema, table_name, string_agg(privilege_type, ', ' ORDER BY privilege_type) FROM information_schema.role_table_grants WHERE table_schema = 'public' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: acls exploded
SELECT c.relname, a.grantee::regrole, a.privilege_type FROM pg_class c CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a WHERE c.relname = 'orders' ORDER BY 1, 3

-- name: sequences near their end
SELECT schemaname, sequencename, last_value, max_value, round(100.0 * last_value / max_value, 4) FROM pg_sequences ORDER BY 5 DESC NULLS LAST, 2

-- name: integer primary keys near their end
SELECT a.attrelid::regclass, a.attname, t.typname, pg_get_serial_sequence(a.attrelid::regclass::text, a.attname) FROM pg_attribute a JOIN pg_index i ON i.indrelid = a.attrelid AND a.attnum = ANY (i.indkey) JOIN pg_type t ON t.oid = a.atttypid WHERE i.indisprimary AND t.typname IN ('int2', 'int4') AND a.attrelid::regclass::text !~ '^pg_' ORDER BY 1, 2

-- name: tables without primary key
SELECT n.nspname, c.relname, pg_size_pretty(pg_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND NOT EXISTS (SELECT 1 FROM pg_constraint p WHERE p.conrelid = c.oid AND p.contype = 'p') ORDER BY 1, 2

-- name: estimated row counts
SELECT schemaname, s.relname, n_live_tup, reltuples::bigint FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid ORDER BY 3 DESC, 1, 2

-- name: hot updates
SELECT relname, n_tup_ins, n_tup_upd, n_tup_hot_upd, n_tup_del, CASE WHEN n_tup_upd > 0 THEN round(100.0 * n_tup_hot_upd / n_tup_upd, 1) END AS hot_ratio FROM pg_stat_user_tables ORDER BY n_tup_upd DESC, 1

-- name: partitions and bounds
SELECT parent.relname AS parent, child.relname AS child, pg_get_expr(child.relpartbound, child.oid) AS bounds, pg_get_partkeydef(parent.oid) FROM pg_inherits JOIN pg_class parent ON pg_inherits.inhparent = parent.oid JOIN pg_class child ON pg_inherits.inhrelid = child.oid WHERE parent.relkind = 'p' ORDER BY 1, 2

-- name: partition tree
SELECT relid, parentrelid, isleaf, level FROM pg_partition_tree('events') ORDER BY 1

-- name: partition root and ancestors
SELECT pg_partition_root('events_2024'), relid FROM pg_partition_ancestors('events_2024')

-- name: constraint definitions
SELECT conrelid::regclass, conname, contype, convalidated, pg_get_constraintdef(oid, true) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2

-- name: constraints not validated
SELECT conrelid::regclass, conname FROM pg_constraint WHERE NOT convalidated

-- name: triggers of tables
SELECT tgrelid::regclass, tgname, tgenabled, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2

-- name: view dependencies
SELECT DISTINCT dependent_ns.nspname, dependent_view.relname, source_table.relname FROM pg_depend JOIN pg_rewrite ON pg_depend.objid = pg_rewrite.oid JOIN pg_class AS dependent_view ON pg_rewrite.ev_class = dependent_view.oid JOIN pg_class AS source_table ON pg_depend.refobjid = source_table.oid JOIN pg_namespace dependent_ns ON dependent_ns.oid = dependent_view.relnamespace WHERE dependent_ns.nspname = 'public' ORDER BY 1, 2, 3

-- name: column dictionary
SELECT c.table_name, c.column_name, c.data_type, c.character_maximum_length, c.numeric_precision, c.is_nullable, c.column_default, c.is_identity, c.generation_expression, pgd.description FROM information_schema.columns c LEFT JOIN pg_catalog.pg_statio_all_tables st ON c.table_schema = st.schemaname AND c.table_name = st.relname LEFT JOIN pg_catalog.pg_description pgd ON pgd.objoid = st.relid AND pgd.objsubid = c.ordinal_position WHERE c.table_schema = 'public' ORDER BY 1, c.ordinal_position

-- name: enum labels
SELECT t.typname, string_agg(e.enumlabel, '|' ORDER BY e.enumsortorder) FROM pg_type t JOIN pg_enum e ON t.oid = e.enumtypid GROUP BY 1 ORDER BY 1

-- name: extensions installed and available
SELECT e.extname, e.extversion, a.default_version, a.comment FROM pg_extension e JOIN pg_available_extensions a ON a.name = e.extname ORDER BY 1

-- name: extension versions
SELECT name, version, installed, superuser, trusted FROM pg_available_extension_versions WHERE name = 'plpgsql'

-- name: tablespaces
SELECT spcname, pg_tablespace_location(oid), pg_catalog.pg_get_userbyid(spcowner) FROM pg_tablespace ORDER BY 1

-- name: time of the server
SELECT now() IS NOT NULL, pg_postmaster_start_time() IS NOT NULL, date_trunc('second', current_timestamp - pg_postmaster_start_time()) IS NOT NULL AS uptime, current_setting('TimeZone')

-- name: statistics reset
SELECT datname, stats_reset IS NULL FROM pg_stat_database ORDER BY 1 NULLS FIRST

-- name: function statistics
SELECT funcname, calls, total_time, self_time FROM pg_stat_user_functions ORDER BY total_time DESC LIMIT 20

-- name: ssl of connections
SELECT a.pid, a.usename, s.ssl, s.version, s.cipher FROM pg_stat_activity a JOIN pg_stat_ssl s ON s.pid = a.pid WHERE a.pid = pg_backend_pid()

-- name: gssapi of connections
SELECT pid, gss_authenticated, encrypted FROM pg_stat_gssapi WHERE pid = pg_backend_pid()

-- name: databases
SELECT datname, pg_encoding_to_char(encoding), datcollate, datctype, datistemplate, datallowconn, datconnlimit FROM pg_database ORDER BY 1

-- name: conflicts on standby
SELECT datname, confl_lock, confl_snapshot, confl_bufferpin, confl_deadlock FROM pg_stat_database_conflicts ORDER BY 1

-- name: prepared transactions left
SELECT gid, prepared, owner, database, age(transaction) FROM pg_prepared_xacts ORDER BY prepared

-- name: cursors and prepared statements of mine
SELECT name, is_holdable FROM pg_cursors UNION ALL SELECT name, from_sql FROM pg_prepared_statements

-- name: temporary files setting
SELECT current_setting('temp_file_limit'), current_setting('log_temp_files', true), current_setting('my.own', true)

-- name: estimate of a bloated table
SELECT current_database(), schemaname, tblname, bs * tblpages AS real_size, (tblpages - est_tblpages) * bs AS extra_size, fillfactor FROM (SELECT ceil(reltuples / ((bs - page_hdr) / tpl_size)) + ceil(toasttuples / 4) AS est_tblpages, tblpages, fillfactor, bs, tblid, schemaname, tblname FROM (SELECT (4 + tpl_hdr_size + tpl_data_size + (2 * ma) - CASE WHEN tpl_hdr_size % ma = 0 THEN ma ELSE tpl_hdr_size % ma END - CASE WHEN ceil(tpl_data_size)::int % ma = 0 THEN ma ELSE ceil(tpl_data_size)::int % ma END) AS tpl_size, bs - page_hdr AS size_per_block, (heappages + toastpages) AS tblpages, heappages, toastpages, reltuples, toasttuples, bs, page_hdr, tblid, schemaname, tblname, fillfactor FROM (SELECT tbl.oid AS tblid, ns.nspname AS schemaname, tbl.relname AS tblname, tbl.reltuples, tbl.relpages AS heappages, coalesce(toast.relpages, 0) AS toastpages, coalesce(toast.reltuples, 0) AS toasttuples, coalesce(substring(array_to_string(tbl.reloptions, ' ') FROM 'fillfactor=([0-9]+)')::smallint, 100) AS fillfactor, current_setting('block_size')::numeric AS bs, CASE WHEN version() ~ 'mingw32' OR version() ~ '64-bit|x86_64|ppc64|ia64|amd64' THEN 8 ELSE 4 END AS ma, 24 AS page_hdr, 23 + CASE WHEN max(coalesce(s.null_frac, 0)) > 0 THEN (7 + count(s.attname)) / 8 ELSE 0::int END + CASE WHEN bool_or(att.attname = 'oid' AND att.attnum < 0) THEN 4 ELSE 0 END AS tpl_hdr_size, sum((1 - coalesce(s.null_frac, 0)) * coalesce(s.avg_width, 0)) AS tpl_data_size FROM pg_attribute AS att JOIN pg_class AS tbl ON att.attrelid = tbl.oid JOIN pg_namespace AS ns ON ns.oid = tbl.relnamespace LEFT JOIN pg_stats AS s ON s.schemaname = ns.nspname AND s.tablename = tbl.relname AND s.inherited = false AND s.attname = att.attname LEFT JOIN pg_class AS toast ON tbl.reltoastrelid = toast.oid WHERE NOT att.attisdropped AND tbl.relkind IN ('r', 'm') GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 ORDER BY 2, 3) AS s) AS s2) AS s3 WHERE schemaname = 'public' ORDER BY 1, 2, 3

-- name: estimate of a bloated index
SELECT nspname, relname, round(100 * (relpages - est_pages)::numeric / greatest(relpages, 1), 1) FROM (SELECT n.nspname, ci.relname, ci.relpages, coalesce(1 + ceil(ci.reltuples / floor((8192 - 40) * 0.9 / (8 + sum(coalesce(s.avg_width, 8))))), 0) AS est_pages FROM pg_index i JOIN pg_class ci ON ci.oid = i.indexrelid JOIN pg_class ct ON ct.oid = i.indrelid JOIN pg_namespace n ON n.oid = ci.relnamespace JOIN pg_attribute a ON a.attrelid = ct.oid AND a.attnum = ANY (i.indkey) LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = ct.relname AND s.attname = a.attname WHERE n.nspname = 'public' GROUP BY 1, 2, ci.reltuples, ci.relpages) x ORDER BY 1, 2

-- name: columns that are mostly null
SELECT schemaname, tablename, attname, null_frac, avg_width, n_distinct FROM pg_stats WHERE schemaname = 'public' ORDER BY null_frac DESC, 2, 3 LIMIT 20

-- name: correlation of columns
SELECT attname, n_distinct, correlation FROM pg_stats WHERE tablename = 'orders' ORDER BY 1

-- name: extended statistics
SELECT stxname, stxrelid::regclass, stxkeys, stxkind, pg_get_statisticsobjdef(oid) FROM pg_statistic_ext ORDER BY 1

-- name: heap pages by table
SELECT relname, relpages, reltuples, relallvisible, relkind, relpersistence, relfrozenxid IS NULL FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relpages DESC, 1

-- name: deadlocks and temp use
SELECT sum(deadlocks), sum(temp_files), sum(conflicts), sum(checksum_failures) FROM pg_stat_database

-- name: io of sequences
SELECT relname, blks_read, blks_hit FROM pg_statio_user_sequences ORDER BY 1

-- name: toast tables
SELECT c.relname, t.relname LIKE 'pg_toast%', pg_relation_size(t.oid) >= 0 FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1

-- name: explain in every format
-- needs: explain,info
EXPLAIN (FORMAT yaml) SELECT * FROM orders WHERE customer_id = 5

-- name: explain of a write
-- needs: explain,info
EXPLAIN UPDATE orders SET total = 0 WHERE id = 1

-- name: explain of a delete with options
-- needs: explain,info
EXPLAIN (COSTS off, VERBOSE on) DELETE FROM orders USING customers c WHERE c.id = customer_id AND c.country = 'DE'

-- name: explain of an insert
-- needs: explain,info
EXPLAIN INSERT INTO audit_notes (what) SELECT name FROM customers

-- name: explain verbose old spelling
-- needs: explain,info
EXPLAIN VERBOSE SELECT * FROM orders

-- name: vacuum progress
SELECT p.pid, now() - a.xact_start AS duration, coalesce(wait_event_type || '.' || wait_event, 'f') AS waiting, p.datname AS database, p.relid::regclass AS table, p.phase, p.heap_blks_scanned, left(a.query, 40) AS query FROM pg_stat_progress_vacuum p JOIN pg_stat_activity a ON a.pid = p.pid ORDER BY now() - a.xact_start DESC

-- name: text of statements on one line
SELECT pid, substr(regexp_replace(query, E'[\\s]+', ' ', 'g'), 1, 80) AS query FROM pg_stat_activity WHERE state <> 'idle' ORDER BY xact_start

-- name: text of statements without line ends
SELECT a.pid, a.state, trim(replace(a.query, chr(10), ' '))::varchar(100) AS statement, upper(left(a.query, 1)) FROM pg_stat_activity AS a WHERE a.datname = current_database()

-- name: blocking tree
WITH RECURSIVE l AS (SELECT pid, locktype, mode, granted, ROW(locktype, database, relation::regclass::text, page, tuple, virtualxid, transactionid, classid, objid, objsubid) AS obj FROM pg_locks), pairs AS (SELECT w.pid AS waiter, l.pid AS locker, l.obj, l.mode FROM l w JOIN l ON l.obj IS NOT DISTINCT FROM w.obj AND l.locktype = w.locktype AND NOT l.pid = w.pid AND l.granted WHERE NOT w.granted), tree AS (SELECT locker AS pid, locker AS dad, locker AS root, CASE WHEN cardinality(pg_blocking_pids(locker)) = 0 THEN 0 ELSE 1 END AS lvl FROM pairs UNION ALL SELECT pairs.waiter, tree.pid, tree.root, tree.lvl + 1 FROM pairs, tree WHERE tree.pid = pairs.locker AND tree.lvl < 20) SELECT tree.lvl, tree.pid, a.state, a.wait_event, clock_timestamp() - a.xact_start AS age FROM tree JOIN pg_stat_activity a ON a.pid = tree.pid ORDER BY root, lvl
