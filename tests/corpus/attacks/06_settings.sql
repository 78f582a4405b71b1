-- Class 6: settings that change what text means, on every route that SQL has. Own texts. Valid on PostgreSQL
-- 15. Everything here needs admin unless it says otherwise.

-- name: standard conforming strings off
SET standard_conforming_strings = off

-- name: the same, local
BEGIN; SET LOCAL standard_conforming_strings TO 'off'

-- name: the same by function
SELECT set_config('standard_conforming_strings', 'off', false)

-- name: the same in another case
SELECT SET_CONFIG('Standard_Conforming_Strings', 'off', true)

-- name: the same, qualified
SELECT pg_catalog.set_config('standard_conforming_strings', 'off', false)

-- name: the same, name computed
SELECT set_config('standard_' || 'conforming_strings', 'off', false)

-- name: the same, name from a row
SELECT set_config(n, 'off', false) FROM (VALUES ('standard_conforming_strings')) v(n)

-- name: the same in a where clause
SELECT 1 WHERE set_config('standard_conforming_strings', 'off', false) = 'off'

-- name: the same hidden in an expression nobody reads
WITH x AS MATERIALIZED (SELECT set_config('standard_conforming_strings', 'off', false)) SELECT 1 FROM x

-- name: the same through the settings view
UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'

-- name: the same through the settings view in an expression
-- shows: rows
WITH u AS (UPDATE pg_catalog.pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings') SELECT 1

-- name: backslash quote
SET backslash_quote = on

-- name: null equals
SET transform_null_equals = on

-- name: replication role switches triggers off
SET session_replication_role = replica

-- name: system tables writable
SET allow_system_table_mods = on

-- name: preload a library
SET local_preload_libraries = 'x'

-- name: library path
SET dynamic_library_path = '/tmp'

-- name: what is logged
SET log_statement = 'none'

-- name: what is logged by function
SELECT set_config('log_min_duration_statement', '-1', false)

-- name: plans of others to the client
SET debug_print_plan = on

-- name: an extension's settings
-- shows: done
SET pgaudit.log = 'none'

-- name: an extension's settings by function
-- shows: rows
SELECT set_config('auto_explain.log_analyze', 'on', false)

-- name: a procedural language's start-up code
-- shows: done
SET plv8.start_proc = 'f'

-- name: damaged pages
SET zero_damaged_pages = on

-- name: settings of a database
ALTER DATABASE shop SET default_transaction_read_only = off

-- name: settings of the server
-- shows: done
ALTER SYSTEM SET shared_preload_libraries = 'x'

-- name: show a connection string
-- shows: rows
SHOW primary_conninfo

-- name: show a connection string by function
-- shows: rows
SELECT current_setting('primary_conninfo')

-- name: show a path, name computed
-- needs: info
SELECT current_setting('hba' || '_file')

-- name: membership
GRANT postgres TO plain

-- name: ownership
ALTER TABLE orders OWNER TO plain

-- name: default privileges
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC

-- name: password hashes
-- shows: rows
SELECT rolname, rolpassword FROM pg_authid

-- name: password hashes of log-ins
-- shows: rows
SELECT * FROM pg_shadow

-- name: passwords of foreign servers
-- shows: done
SELECT umoptions FROM pg_user_mappings

-- name: passwords of foreign servers as a whole row
-- shows: done
SELECT m FROM pg_catalog.pg_user_mappings m

-- name: passwords of foreign servers with a star
-- shows: done
SELECT * FROM pg_user_mapping

-- name: passwords of foreign servers in the standard's clothes
-- shows: done
SELECT * FROM information_schema.user_mapping_options

-- name: passwords of subscriptions
-- shows: done
SELECT subname, subconninfo FROM pg_subscription

-- name: passwords of subscriptions as json
-- shows: done
SELECT to_jsonb(s) FROM pg_subscription s

-- name: log-in rules
-- shows: rows
SELECT * FROM pg_hba_file_rules
