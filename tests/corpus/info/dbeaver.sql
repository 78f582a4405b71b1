-- DBeaver 23 and 24 with its PostgreSQL driver settings: what it is known to send at start-up, when the
-- navigator opens a database, schema, table, and for its session and lock views. Written down from its
-- public sources and from server logs; $1 and $2 stand for ids it binds. Each runs on PostgreSQL 15.

-- name: start-up: version and settings
SELECT version()

-- name: start-up: search path and user
SELECT current_schema(),session_user

-- name: start-up: show search path
SHOW search_path

-- name: start-up: application name
-- needs: none
SET application_name = 'DBeaver 24.0.0 - Main <shop>'

-- name: start-up: redshift or not
SELECT * FROM pg_catalog.pg_class LIMIT 0

-- name: start-up: encoding and locale support
select * from pg_catalog.pg_settings where 1<>1 limit 1

-- name: start-up: standard conforming strings
SHOW standard_conforming_strings

-- name: start-up: databases
SELECT db.oid,db.*
FROM pg_catalog.pg_database db WHERE datallowconn AND NOT datistemplate OR db.datname=$1
ORDER BY db.datname

-- name: start-up: one database
SELECT db.oid,db.* FROM pg_catalog.pg_database db WHERE db.datname=$1

-- name: start-up: roles
SELECT a.oid,a.*,pd.description FROM pg_catalog.pg_roles a
left join pg_catalog.pg_shdescription pd on a.oid = pd.objoid
ORDER BY a.rolname

-- name: start-up: may read pg_authid
SELECT has_table_privilege('pg_catalog.pg_roles', 'SELECT')

-- name: start-up: types
SELECT t.oid,t.*,c.relkind,format_type(nullif(t.typbasetype, 0), t.typtypmod) as base_type_name, d.description
FROM pg_catalog.pg_type t
LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid=t.typelem
LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid=t.typrelid
LEFT OUTER JOIN pg_catalog.pg_description d ON t.oid=d.objoid
WHERE t.typname IS NOT NULL
AND (c.relkind IS NULL OR c.relkind = 'c') AND (et.typcategory IS NULL OR et.typcategory <> 'C')

-- name: database: access methods
SELECT am.oid,am.* FROM pg_catalog.pg_am am ORDER BY am.oid

-- name: database: languages
SELECT l.oid,l.* FROM pg_catalog.pg_language l ORDER BY l.oid

-- name: database: encodings
SELECT c.contoencoding as encid, pg_catalog.pg_encoding_to_char(c.contoencoding) as encname
FROM pg_catalog.pg_conversion c
GROUP BY c.contoencoding
ORDER BY 2

-- name: database: collations
SELECT c.oid,c.* FROM pg_catalog.pg_collation c ORDER BY c.oid

-- name: database: extensions
SELECT e.oid, cfg.tbls, n.nspname as schema_name, e.*
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n on n.oid = e.extnamespace
LEFT JOIN (select ARRAY_AGG((select nspname from pg_catalog.pg_namespace n2 where n2.oid = t.relnamespace) || '.' || t.relname) as tbls, e1.oid as ext from pg_catalog.pg_extension e1 join pg_catalog.pg_class t on t.oid = any(e1.extconfig) group by e1.oid) cfg on cfg.ext = e.oid
ORDER BY e.oid

-- name: database: available extensions
SELECT name, default_version, installed_version, comment FROM pg_catalog.pg_available_extensions ORDER BY name

-- name: database: foreign servers
SELECT l.oid,l.*,p.proname as handler_name FROM pg_catalog.pg_foreign_data_wrapper l LEFT OUTER JOIN pg_catalog.pg_proc p ON p.oid=l.fdwhandler ORDER BY l.fdwname

-- name: database: tablespaces
SELECT t.oid,t.*,pg_catalog.pg_tablespace_location(t.oid) loc
FROM pg_catalog.pg_tablespace t
ORDER BY t.oid

-- name: database: settings
select * from pg_catalog.pg_settings

-- name: database: event triggers
SELECT pet.*, pn.nspname, pd.description
FROM pg_catalog.pg_event_trigger pet
LEFT JOIN pg_catalog.pg_proc pp ON pp.oid = pet.evtfoid
LEFT JOIN pg_catalog.pg_namespace pn ON pn.oid = pp.pronamespace
LEFT JOIN pg_catalog.pg_description pd ON pd.objoid = pet.oid
ORDER BY pet.evtname

-- name: database: size
select pg_catalog.pg_database_size($1)

-- name: schemas
SELECT n.oid,n.*,d.description FROM pg_catalog.pg_namespace n
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=n.oid AND d.objsubid=0 AND d.classoid='pg_namespace'::regclass
ORDER BY nspname

-- name: tables
SELECT c.oid,c.*,d.description,pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr, pg_catalog.pg_get_partkeydef(c.oid) as partition_key
FROM pg_catalog.pg_class c
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_class'::regclass
WHERE c.relnamespace=$1 AND c.relkind not in ('i','I','c')

-- name: table sizes
select pg_catalog.pg_total_relation_size(c.oid) as total_rel_size,pg_catalog.pg_relation_size(c.oid) as rel_size FROM pg_class c WHERE c.relnamespace=$1

-- name: table statistics
SELECT * FROM pg_catalog.pg_stat_all_tables WHERE schemaname=$1

-- name: columns
SELECT c.relname,a.*,pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as def_value,dsc.description,dep.objid
FROM pg_catalog.pg_attribute a
INNER JOIN pg_catalog.pg_class c ON (a.attrelid=c.oid)
LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON (a.attrelid=ad.adrelid AND a.attnum = ad.adnum)
LEFT OUTER JOIN pg_catalog.pg_description dsc ON (c.oid=dsc.objoid AND a.attnum = dsc.objsubid)
LEFT OUTER JOIN pg_depend dep on dep.refobjid = a.attrelid AND dep.deptype = 'i' and dep.refobjsubid = a.attnum and dep.classid = dep.refclassid
WHERE NOT a.attisdropped AND c.oid=$1
ORDER BY a.attnum

-- name: constraints
SELECT c.oid,c.*,t.relname as tabrelname,rt.relnamespace as refnamespace,d.description, null as consrc_copy
FROM pg_catalog.pg_constraint c
INNER JOIN pg_catalog.pg_class t ON t.oid=c.conrelid
LEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid=c.confrelid
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_constraint'::regclass
WHERE c.conrelid=$1
ORDER BY c.oid

-- name: references to a table
SELECT DISTINCT sn.nspname AS src_nspname, src.relname AS src_relname, con.conname
FROM pg_catalog.pg_constraint con
JOIN pg_catalog.pg_class src ON src.oid = con.conrelid
JOIN pg_catalog.pg_namespace sn ON sn.oid = src.relnamespace
WHERE con.contype = 'f' AND con.confrelid=$1

-- name: indexes
SELECT i.*,i.indkey as keys,c.relname,c.relnamespace,c.relam,c.reltablespace,tc.relname as tabrelname,dsc.description,pg_catalog.pg_get_expr(i.indpred, i.indrelid) as pred_expr,pg_catalog.pg_get_expr(i.indexprs, i.indrelid, true) as expr,pg_catalog.pg_relation_size(i.indexrelid) as index_rel_size,pg_catalog.pg_stat_get_numscans(i.indexrelid) as index_num_scans
FROM pg_catalog.pg_index i
INNER JOIN pg_catalog.pg_class c ON c.oid=i.indexrelid
INNER JOIN pg_catalog.pg_class tc ON tc.oid=i.indrelid
LEFT OUTER JOIN pg_catalog.pg_description dsc ON i.indexrelid=dsc.objoid
WHERE i.indrelid=$1 ORDER BY tabrelname, c.relname

-- name: index definition
SELECT pg_catalog.pg_get_indexdef($1)

-- name: triggers
SELECT x.oid,x.*,t.relname,n.nspname as func_schema,d.description,pg_catalog.pg_get_triggerdef(x.oid)
FROM pg_catalog.pg_trigger x
JOIN pg_catalog.pg_class t ON t.oid=x.tgrelid
JOIN pg_catalog.pg_proc p ON p.oid = x.tgfoid
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=x.oid AND d.objsubid=0
WHERE NOT x.tgisinternal AND x.tgrelid=$1

-- name: rules
SELECT c.relname,r.* FROM pg_catalog.pg_rewrite r,pg_catalog.pg_class c WHERE c.oid=r.ev_class AND c.relnamespace=$1

-- name: policies
SELECT pol.*, pg_catalog.pg_get_expr(pol.polqual, pol.polrelid) AS qual_expr FROM pg_catalog.pg_policy pol WHERE pol.polrelid=$1

-- name: view definition
SELECT pg_catalog.pg_get_viewdef($1, true)

-- name: inheritance
SELECT i.*,c.relnamespace FROM pg_catalog.pg_inherits i,pg_catalog.pg_class c WHERE i.inhrelid=$1 AND c.oid=i.inhparent ORDER BY i.inhseqno

-- name: sequences
SELECT * from pg_catalog.pg_sequences WHERE schemaname=$1 AND sequencename=$2

-- name: sequences of a column
select pg_catalog.pg_get_serial_sequence($1, $2)

-- name: routines
-- needs: select
SELECT p.oid,p.*,pg_catalog.pg_get_expr(p.proargdefaults, 0) as arg_defaults,d.description
FROM pg_catalog.pg_proc p
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=p.oid
WHERE p.pronamespace=$1
ORDER BY p.proname

-- name: routine source
-- needs: select
SELECT pg_catalog.pg_get_functiondef($1)

-- name: dependencies
SELECT DISTINCT dep.deptype, dep.classid, dep.objid, cl.relkind, cl.relname FROM pg_catalog.pg_depend dep LEFT JOIN pg_catalog.pg_class cl ON dep.objid = cl.oid WHERE dep.refobjid=$1

-- name: privileges of a table
SELECT * FROM information_schema.table_privileges WHERE table_schema=$1 AND table_name=$2 AND grantee <> ''

-- name: privileges of columns
SELECT g.grantor, g.grantee, g.column_name, g.privilege_type FROM information_schema.column_privileges g WHERE g.table_schema=$1 AND g.table_name=$2

-- name: role memberships
SELECT pr.oid, pr.rolname, m.admin_option FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles pr ON pr.oid = m.roleid WHERE m.member=$1

-- name: role settings
SELECT setconfig FROM pg_catalog.pg_db_role_setting WHERE setdatabase = $1 AND setrole=$2

-- name: session manager
-- needs: admin
SELECT sa.* FROM pg_catalog.pg_stat_activity sa

-- name: lock manager
SELECT l.locktype, l.pid, l.mode, l.granted, c.relname FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation WHERE NOT l.granted

-- name: who blocks whom
SELECT blocked.pid AS blocked_pid, blocking.pid AS blocking_pid, blocked.usename, blocking.state, blocking.wait_event FROM pg_catalog.pg_stat_activity blocked JOIN pg_catalog.pg_stat_activity blocking ON blocking.pid = ANY(pg_catalog.pg_blocking_pids(blocked.pid))

-- name: current transaction
SELECT txid_current_if_assigned()

-- name: keep-alive
SELECT 'keep alive'

-- name: search in metadata
SELECT x.oid,x.relname,x.relnamespace,x.relkind FROM pg_catalog.pg_class x WHERE x.relkind IN('r','v','m','f','p') AND x.relname ILIKE $1 ORDER BY x.relname LIMIT 100
