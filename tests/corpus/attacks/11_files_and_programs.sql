-- Class 11: the server's files, its programs, other servers and replication. Own texts; each parses on
-- PostgreSQL 15; some fail there for want of the server setting they speak of.

-- name: read a file
-- shows: rows
SELECT pg_read_file('postgresql.conf')

-- name: read a binary file
-- shows: rows
SELECT pg_read_binary_file('PG_VERSION')

-- name: read a file in from
-- shows: rows
SELECT * FROM pg_read_file('PG_VERSION') AS f(line)

-- name: list a directory
-- shows: rows
SELECT pg_ls_dir('.')

-- name: list the log
-- shows: error 58P01
SELECT * FROM pg_ls_logdir()

-- name: look at a file
-- shows: rows
SELECT * FROM pg_stat_file('PG_VERSION')

-- name: current log file
-- shows: rows
SELECT pg_current_logfile()

-- name: read the log
-- shows: rows
SELECT pg_read_file(pg_current_logfile())

-- name: large object from a file
SELECT lo_import('/etc/hostname')

-- name: large object to a file
-- shows: rows
SELECT lo_export(4711, '/dev/null')

-- name: switch segment
-- shows: rows
SELECT pg_switch_wal()

-- name: start a backup
-- shows: rows
SELECT pg_backup_start('x', true)

-- name: replication slot
-- shows: rows
SELECT pg_create_physical_replication_slot('x')

-- name: logical slot
-- shows: error 55000
SELECT * FROM pg_create_logical_replication_slot('x', 'test_decoding')

-- name: changes of a slot
-- shows: error 55000
SELECT * FROM pg_logical_slot_peek_changes('x', NULL, NULL)

-- name: drop a slot
-- shows: rows
SELECT pg_drop_replication_slot('x')

-- name: replication origin
SELECT pg_replication_origin_create('x')

-- name: foreign server
CREATE SERVER x FOREIGN DATA WRAPPER file_fdw

-- name: file as a table
CREATE FOREIGN TABLE f (line text) SERVER files OPTIONS (filename '/etc/passwd')

-- name: publication
CREATE PUBLICATION x FOR ALL TABLES

-- name: subscription
CREATE SUBSCRIPTION x CONNECTION 'host=evil' PUBLICATION p WITH (connect = false)
