-- pg_dump 15.18 (Debian 12) of a database with the tables of schema.sql, two functions, a trigger, a policy
-- and a rule, by its owner: a plain dump, --schema-only, --column-inserts of two tables, and a parallel one.
-- Recorded on the wire, in order within each run; repeated texts once. All of it passes under select and export.

-- name: dump select
SELECT pg_catalog.set_config('search_path', '', false);

-- name: dump select (2)
SELECT pg_catalog.pg_is_in_recovery()

-- name: dump set
SET DATESTYLE = ISO

-- name: dump set (2)
SET INTERVALSTYLE = POSTGRES

-- name: dump set (3)
SET extra_float_digits TO 3

-- name: dump set (4)
SET synchronize_seqscans TO off

-- name: dump set (5)
SET statement_timeout = 0

-- name: dump set (6)
SET lock_timeout = 0

-- name: dump set (7)
SET idle_in_transaction_session_timeout = 0

-- name: dump set (8)
SET row_security = off

-- name: dump select (3)
SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'

-- name: dump begin
BEGIN

-- name: dump set (9)
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY

-- name: dump select (4)
SELECT oid, rolname FROM pg_catalog.pg_roles ORDER BY 1

-- name: dump select (5)
SELECT x.tableoid, x.oid, x.extname, n.nspname, x.extrelocatable, x.extversion, x.extconfig, x.extcondition FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace

-- name: dump select (6)
SELECT classid, objid, refobjid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' ORDER BY 3

-- name: dump select (7)
SELECT n.tableoid, n.oid, n.nspname, n.nspowner, n.nspacl, acldefault('n', n.nspowner) AS acldefault FROM pg_namespace n

-- name: dump select (8)
SELECT c.tableoid, c.oid, c.relname, c.relnamespace, c.relkind, c.reltype, c.relowner, c.relchecks, c.relhasindex, c.relhasrules, c.relpages, c.relhastriggers, c.relpersistence, c.reloftype, c.relacl, acldefault(CASE WHEN c.relkind = 'S' THEN 's'::"char" ELSE 'r'::"char" END, c.relowner) AS acldefault, CASE WHEN c.relkind = 'f' THEN (SELECT ftserver FROM pg_catalog.pg_foreign_table WHERE ftrelid = c.oid) ELSE 0 END AS foreignserver, c.relfrozenxid, tc.relfrozenxid AS tfrozenxid, tc.oid AS toid, tc.relpages AS toastpages, tc.reloptions AS toast_reloptions, d.refobjid AS owning_tab, d.refobjsubid AS owning_col, tsp.spcname AS reltablespace, false AS relhasoids, c.relispopulated, c.relreplident, c.relrowsecurity, c.relforcerowsecurity, c.relminmxid, tc.relminmxid AS tminmxid, array_remove(array_remove(c.reloptions,'check_option=local'),'check_option=cascaded') AS reloptions, CASE WHEN 'check_option=local' = ANY (c.reloptions) THEN 'LOCAL'::text WHEN 'check_option=cascaded' = ANY (c.reloptions) THEN 'CASCADED'::text ELSE NULL END AS checkoption, am.amname, (d.deptype = 'i') IS TRUE AS is_identity_sequence, c.relispartition AS ispartition 
FROM pg_class c
LEFT JOIN pg_depend d ON (c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
LEFT JOIN pg_tablespace tsp ON (tsp.oid = c.reltablespace)
LEFT JOIN pg_am am ON (c.relam = am.oid)
LEFT JOIN pg_class tc ON (c.reltoastrelid = tc.oid AND tc.relkind = 't' AND c.relkind <> 'p')
WHERE c.relkind IN ('r', 'S', 'v', 'c', 'm', 'f', 'p')
ORDER BY c.oid

-- name: dump lock
-- needs: select
LOCK TABLE public.departments IN ACCESS SHARE MODE

-- name: dump lock (2)
-- needs: select
LOCK TABLE public.employees IN ACCESS SHARE MODE

-- name: dump lock (3)
-- needs: select
LOCK TABLE public.customers IN ACCESS SHARE MODE

-- name: dump lock (4)
-- needs: select
LOCK TABLE public.categories IN ACCESS SHARE MODE

-- name: dump lock (5)
-- needs: select
LOCK TABLE public.products IN ACCESS SHARE MODE

-- name: dump lock (6)
-- needs: select
LOCK TABLE public.orders IN ACCESS SHARE MODE

-- name: dump lock (7)
-- needs: select
LOCK TABLE public.order_items IN ACCESS SHARE MODE

-- name: dump lock (8)
-- needs: select
LOCK TABLE public.payments IN ACCESS SHARE MODE

-- name: dump lock (9)
-- needs: select
LOCK TABLE public.events IN ACCESS SHARE MODE

-- name: dump lock (10)
-- needs: select
LOCK TABLE public.events_2024 IN ACCESS SHARE MODE

-- name: dump lock (11)
-- needs: select
LOCK TABLE public.events_2025 IN ACCESS SHARE MODE

-- name: dump lock (12)
-- needs: select
LOCK TABLE public.events_rest IN ACCESS SHARE MODE

-- name: dump lock (13)
-- needs: select
LOCK TABLE public.visits IN ACCESS SHARE MODE

-- name: dump lock (14)
-- needs: select
LOCK TABLE public.bookings IN ACCESS SHARE MODE

-- name: dump lock (15)
-- needs: select
LOCK TABLE public.documents IN ACCESS SHARE MODE

-- name: dump lock (16)
-- needs: select
LOCK TABLE public.metrics IN ACCESS SHARE MODE

-- name: dump lock (17)
-- needs: select
LOCK TABLE public.jobs IN ACCESS SHARE MODE

-- name: dump lock (18)
-- needs: select
LOCK TABLE public.stock IN ACCESS SHARE MODE

-- name: dump lock (19)
-- needs: select
LOCK TABLE public.audit_notes IN ACCESS SHARE MODE

-- name: dump lock (20)
-- needs: select
LOCK TABLE tpch.region IN ACCESS SHARE MODE

-- name: dump lock (21)
-- needs: select
LOCK TABLE tpch.nation IN ACCESS SHARE MODE

-- name: dump lock (22)
-- needs: select
LOCK TABLE tpch.supplier IN ACCESS SHARE MODE

-- name: dump lock (23)
-- needs: select
LOCK TABLE tpch.part IN ACCESS SHARE MODE

-- name: dump lock (24)
-- needs: select
LOCK TABLE tpch.partsupp IN ACCESS SHARE MODE

-- name: dump lock (25)
-- needs: select
LOCK TABLE tpch.customer IN ACCESS SHARE MODE

-- name: dump lock (26)
-- needs: select
LOCK TABLE tpch.orders IN ACCESS SHARE MODE

-- name: dump lock (27)
-- needs: select
LOCK TABLE tpch.lineitem IN ACCESS SHARE MODE

-- name: dump lock (28)
-- needs: select
LOCK TABLE tpcds.date_dim IN ACCESS SHARE MODE

-- name: dump lock (29)
-- needs: select
LOCK TABLE tpcds.item IN ACCESS SHARE MODE

-- name: dump lock (30)
-- needs: select
LOCK TABLE tpcds.customer_address IN ACCESS SHARE MODE

-- name: dump lock (31)
-- needs: select
LOCK TABLE tpcds.customer_demographics IN ACCESS SHARE MODE

-- name: dump lock (32)
-- needs: select
LOCK TABLE tpcds.household_demographics IN ACCESS SHARE MODE

-- name: dump lock (33)
-- needs: select
LOCK TABLE tpcds.customer IN ACCESS SHARE MODE

-- name: dump lock (34)
-- needs: select
LOCK TABLE tpcds.store IN ACCESS SHARE MODE

-- name: dump lock (35)
-- needs: select
LOCK TABLE tpcds.warehouse IN ACCESS SHARE MODE

-- name: dump lock (36)
-- needs: select
LOCK TABLE tpcds.promotion IN ACCESS SHARE MODE

-- name: dump lock (37)
-- needs: select
LOCK TABLE tpcds.store_sales IN ACCESS SHARE MODE

-- name: dump lock (38)
-- needs: select
LOCK TABLE tpcds.store_returns IN ACCESS SHARE MODE

-- name: dump lock (39)
-- needs: select
LOCK TABLE tpcds.web_sales IN ACCESS SHARE MODE

-- name: dump lock (40)
-- needs: select
LOCK TABLE tpcds.web_returns IN ACCESS SHARE MODE

-- name: dump lock (41)
-- needs: select
LOCK TABLE tpcds.catalog_sales IN ACCESS SHARE MODE

-- name: dump lock (42)
-- needs: select
LOCK TABLE tpcds.inventory IN ACCESS SHARE MODE

-- name: dump select (9)
SELECT p.tableoid, p.oid, p.proname, p.prolang, p.pronargs, p.proargtypes, p.prorettype, p.proacl, acldefault('f', p.proowner) AS acldefault, p.pronamespace, p.proowner FROM pg_proc p LEFT JOIN pg_init_privs pip ON (p.oid = pip.objoid AND pip.classoid = 'pg_proc'::regclass AND pip.objsubid = 0) WHERE p.prokind <> 'a'
  AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'i')
  AND (
  pronamespace != (SELECT oid FROM pg_namespace WHERE nspname = 'pg_catalog')
  OR EXISTS (SELECT 1 FROM pg_cast
  WHERE pg_cast.oid > 16383 
  AND p.oid = pg_cast.castfunc)
  OR EXISTS (SELECT 1 FROM pg_transform
  WHERE pg_transform.oid > 16383 AND 
  (p.oid = pg_transform.trffromsql
  OR p.oid = pg_transform.trftosql))
  OR p.proacl IS DISTINCT FROM pip.initprivs)

-- name: dump select (10)
SELECT tableoid, oid, typname, typnamespace, typacl, acldefault('T', typowner) AS acldefault, typowner, typelem, typrelid, CASE WHEN typrelid = 0 THEN ' '::"char" ELSE (SELECT relkind FROM pg_class WHERE oid = typrelid) END AS typrelkind, typtype, typisdefined, typname[0] = '_' AND typelem != 0 AND (SELECT typarray FROM pg_type te WHERE oid = pg_type.typelem) = oid AS isarray FROM pg_type

-- name: dump prepare
PREPARE getDomainConstraints(pg_catalog.oid) AS
SELECT tableoid, oid, conname, pg_catalog.pg_get_constraintdef(oid) AS consrc, convalidated FROM pg_catalog.pg_constraint WHERE contypid = $1 ORDER BY conname

-- name: dump execute
EXECUTE getDomainConstraints('17383')

-- name: dump select (11)
SELECT tableoid, oid, lanname, lanpltrusted, lanplcallfoid, laninline, lanvalidator, lanacl, acldefault('l', lanowner) AS acldefault, lanowner FROM pg_language WHERE lanispl ORDER BY oid

-- name: dump select (12)
SELECT p.tableoid, p.oid, p.proname AS aggname, p.pronamespace AS aggnamespace, p.pronargs, p.proargtypes, p.proowner, p.proacl AS aggacl, acldefault('f', p.proowner) AS acldefault FROM pg_proc p LEFT JOIN pg_init_privs pip ON (p.oid = pip.objoid AND pip.classoid = 'pg_proc'::regclass AND pip.objsubid = 0) WHERE p.prokind = 'a' AND (p.pronamespace != (SELECT oid FROM pg_namespace WHERE nspname = 'pg_catalog') OR p.proacl IS DISTINCT FROM pip.initprivs)

-- name: dump select (13)
SELECT tableoid, oid, oprname, oprnamespace, oprowner, oprkind, oprleft, oprright, oprcode::oid AS oprcode FROM pg_operator

-- name: dump select (14)
SELECT tableoid, oid, amname, amtype, amhandler::pg_catalog.regproc AS amhandler FROM pg_am

-- name: dump select (15)
SELECT tableoid, oid, opcmethod, opcname, opcnamespace, opcowner FROM pg_opclass

-- name: dump select (16)
SELECT tableoid, oid, opfmethod, opfname, opfnamespace, opfowner FROM pg_opfamily

-- name: dump select (17)
SELECT tableoid, oid, prsname, prsnamespace, prsstart::oid, prstoken::oid, prsend::oid, prsheadline::oid, prslextype::oid FROM pg_ts_parser

-- name: dump select (18)
SELECT tableoid, oid, tmplname, tmplnamespace, tmplinit::oid, tmpllexize::oid FROM pg_ts_template

-- name: dump select (19)
SELECT tableoid, oid, dictname, dictnamespace, dictowner, dicttemplate, dictinitoption FROM pg_ts_dict

-- name: dump select (20)
SELECT tableoid, oid, cfgname, cfgnamespace, cfgowner, cfgparser FROM pg_ts_config

-- name: dump select (21)
SELECT tableoid, oid, fdwname, fdwowner, fdwhandler::pg_catalog.regproc, fdwvalidator::pg_catalog.regproc, fdwacl, acldefault('F', fdwowner) AS acldefault, array_to_string(ARRAY(SELECT quote_ident(option_name) || ' ' || quote_literal(option_value) FROM pg_options_to_table(fdwoptions) ORDER BY option_name), E',
    ') AS fdwoptions FROM pg_foreign_data_wrapper

-- name: dump select (22)
SELECT tableoid, oid, srvname, srvowner, srvfdw, srvtype, srvversion, srvacl, acldefault('S', srvowner) AS acldefault, array_to_string(ARRAY(SELECT quote_ident(option_name) || ' ' || quote_literal(option_value) FROM pg_options_to_table(srvoptions) ORDER BY option_name), E',
    ') AS srvoptions FROM pg_foreign_server

-- name: dump select (23)
SELECT oid, tableoid, defaclrole, defaclnamespace, defaclobjtype, defaclacl, CASE WHEN defaclnamespace = 0 THEN acldefault(CASE WHEN defaclobjtype = 'S' THEN 's'::"char" ELSE defaclobjtype END, defaclrole) ELSE '{}' END AS acldefault FROM pg_default_acl

-- name: dump select (24)
SELECT tableoid, oid, collname, collnamespace, collowner, collencoding FROM pg_collation

-- name: dump select (25)
SELECT tableoid, oid, conname, connamespace, conowner FROM pg_conversion

-- name: dump select (26)
SELECT tableoid, oid, castsource, casttarget, castfunc, castcontext, castmethod FROM pg_cast c WHERE NOT EXISTS ( SELECT 1 FROM pg_range r WHERE c.castsource = r.rngtypid AND c.casttarget = r.rngmultitypid ) ORDER BY 3,4

-- name: dump select (27)
SELECT tableoid, oid, trftype, trflang, trffromsql::oid, trftosql::oid FROM pg_transform ORDER BY 3,4

-- name: dump select (28)
SELECT inhrelid, inhparent FROM pg_inherits

-- name: dump select (29)
SELECT e.tableoid, e.oid, evtname, evtenabled, evtevent, evtowner, array_to_string(array(select quote_literal(x)  from unnest(evttags) as t(x)), ', ') as evttags, e.evtfoid::regproc as evtfname FROM pg_event_trigger e ORDER BY e.oid

-- name: dump select (30)
SELECT conrelid, confrelid FROM pg_constraint JOIN pg_depend ON (objid = confrelid) WHERE contype = 'f' AND refclassid = 'pg_extension'::regclass AND classid = 'pg_class'::regclass;

-- name: dump select (31)
SELECT
a.attrelid,
a.attnum,
a.attname,
a.atttypmod,
a.attstattarget,
a.attstorage,
t.typstorage,
a.attnotnull,
a.atthasdef,
a.attisdropped,
a.attlen,
a.attalign,
a.attislocal,
pg_catalog.format_type(t.oid, a.atttypmod) AS atttypname,
array_to_string(a.attoptions, ', ') AS attoptions,
CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation ELSE 0 END AS attcollation,
pg_catalog.array_to_string(ARRAY(SELECT pg_catalog.quote_ident(option_name) || ' ' || pg_catalog.quote_literal(option_value) FROM pg_catalog.pg_options_to_table(attfdwoptions) ORDER BY option_name), E',
    ') AS attfdwoptions,
a.attcompression AS attcompression,
a.attidentity,
CASE WHEN a.atthasmissing AND NOT a.attisdropped THEN a.attmissingval ELSE null END AS attmissingval,
a.attgenerated
FROM unnest('{17387,17397,17417,17432,17445,17462,17479,17496,17509,17513,17519,17525,17532,17546,17556,17564,17570,17582,17596,17614,17618,17623,17631,17638,17650,17662,17669,17686,17698,17710,17723,17730,17737,17744,17751,17758,17765,17772,17779,17786,17791,17796,17799,17802,17805}'::pg_catalog.oid[]) AS src(tbloid)
JOIN pg_catalog.pg_attribute a ON (src.tbloid = a.attrelid) LEFT JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid)
WHERE a.attnum > 0::pg_catalog.int2
ORDER BY a.attrelid, a.attnum

-- name: dump select (32)
SELECT a.tableoid, a.oid, adrelid, adnum, pg_catalog.pg_get_expr(adbin, adrelid) AS adsrc
FROM unnest('{17417,17445,17462,17479,17496,17509,17513,17519,17525,17532,17556,17570,17582,17596}'::pg_catalog.oid[]) AS src(tbloid)
JOIN pg_catalog.pg_attrdef a ON (src.tbloid = a.adrelid)
ORDER BY a.adrelid, a.adnum

-- name: dump select (33)
SELECT c.tableoid, c.oid, conrelid, conname, pg_catalog.pg_get_constraintdef(c.oid) AS consrc, conislocal, convalidated FROM unnest('{17462,17479}'::pg_catalog.oid[]) AS src(tbloid)
JOIN pg_catalog.pg_constraint c ON (src.tbloid = c.conrelid)
WHERE contype = 'c' ORDER BY c.conrelid, c.conname

-- name: dump select (34)
SELECT partrelid FROM pg_partitioned_table WHERE
(SELECT c.oid FROM pg_opclass c JOIN pg_am a ON c.opcmethod = a.oid
WHERE opcname = 'enum_ops' AND opcnamespace = 'pg_catalog'::regnamespace AND amname = 'hash') = ANY(partclass)

-- name: dump select (35)
SELECT t.tableoid, t.oid, i.indrelid, t.relname AS indexname, pg_catalog.pg_get_indexdef(i.indexrelid) AS indexdef, i.indkey, i.indisclustered, c.contype, c.conname, c.condeferrable, c.condeferred, c.tableoid AS contableoid, c.oid AS conoid, pg_catalog.pg_get_constraintdef(c.oid, false) AS condef, (SELECT spcname FROM pg_catalog.pg_tablespace s WHERE s.oid = t.reltablespace) AS tablespace, t.reloptions AS indreloptions, i.indisreplident, inh.inhparent AS parentidx, i.indnkeyatts AS indnkeyatts, i.indnatts AS indnatts, (SELECT pg_catalog.array_agg(attnum ORDER BY attnum)   FROM pg_catalog.pg_attribute   WHERE attrelid = i.indexrelid AND     attstattarget >= 0) AS indstatcols, (SELECT pg_catalog.array_agg(attstattarget ORDER BY attnum)   FROM pg_catalog.pg_attribute   WHERE attrelid = i.indexrelid AND     attstattarget >= 0) AS indstatvals, i.indnullsnotdistinct FROM unnest('{17387,17397,17417,17432,17445,17462,17479,17496,17509,17513,17519,17525,17532,17546,17556,17570,17582,17623,17631,17638,17650,17662,17669,17686,17698,17710,17723,17730,17737,17744,17751,17758,17765,17772,17779,17786}'::pg_catalog.oid[]) AS src(tbloid)
JOIN pg_catalog.pg_index i ON (src.tbloid = i.indrelid) JOIN pg_catalog.pg_class t ON (t.oid = i.indexrelid) JOIN pg_catalog.pg_class t2 ON (t2.oid = i.indrelid) LEFT JOIN pg_catalog.pg_constraint c ON (i.indrelid = c.conrelid AND i.indexrelid = c.conindid AND c.contype IN ('p','u','x')) LEFT JOIN pg_catalog.pg_inherits inh ON (inh.inhrelid = indexrelid) WHERE (i.indisvalid OR t2.relkind = 'p') AND i.indisready ORDER BY i.indrelid, indexname

-- name: dump select (36)
SELECT tableoid, oid, stxname, stxnamespace, stxowner, stxrelid, stxstattarget FROM pg_catalog.pg_statistic_ext

-- name: dump select (37)
SELECT c.tableoid, c.oid, conrelid, conname, confrelid, conindid, pg_catalog.pg_get_constraintdef(c.oid) AS condef
FROM unnest('{17387,17397,17417,17432,17445,17462,17479,17496,17509,17532,17582,17631,17638,17650,17662,17669,17686,17698,17710}'::pg_catalog.oid[]) AS src(tbloid)
JOIN pg_catalog.pg_constraint c ON (src.tbloid = c.conrelid)
WHERE contype = 'f' AND conparentid = 0 ORDER BY conrelid, conname

-- name: dump select (38)
SELECT t.tgrelid, t.tgname, t.tgfoid::pg_catalog.regproc AS tgfname, pg_catalog.pg_get_triggerdef(t.oid, false) AS tgdef, t.tgenabled, t.tableoid, t.oid, t.tgparentid <> 0 AS tgispartition
FROM unnest('{17387,17397,17417,17432,17445,17462,17479,17496,17532,17582,17631,17638,17650,17662,17669,17686,17698,17710}'::pg_catalog.oid[]) AS src(tbloid)
JOIN pg_catalog.pg_trigger t ON (src.tbloid = t.tgrelid) LEFT JOIN pg_catalog.pg_trigger u ON (u.oid = t.tgparentid) WHERE ((NOT t.tgisinternal AND t.tgparentid = 0) OR t.tgenabled != u.tgenabled) ORDER BY t.tgrelid, t.tgname

-- name: dump select (39)
SELECT tableoid, oid, rulename, ev_class AS ruletable, ev_type, is_instead, ev_enabled FROM pg_rewrite ORDER BY oid

-- name: dump select (40)
SELECT pol.oid, pol.tableoid, pol.polrelid, pol.polname, pol.polcmd, pol.polpermissive, CASE WHEN pol.polroles = '{0}' THEN NULL ELSE    pg_catalog.array_to_string(ARRAY(SELECT pg_catalog.quote_ident(rolname) from pg_catalog.pg_roles WHERE oid = ANY(pol.polroles)), ', ') END AS polroles, pg_catalog.pg_get_expr(pol.polqual, pol.polrelid) AS polqual, pg_catalog.pg_get_expr(pol.polwithcheck, pol.polrelid) AS polwithcheck FROM unnest('{17387,17397,17417,17432,17445,17462,17479,17496,17509,17513,17519,17525,17532,17546,17556,17564,17570,17582,17596,17631,17638,17650,17662,17669,17686,17698,17710,17723,17730,17737,17744,17751,17758,17765,17772,17779,17786,17791,17796,17799,17802,17805}'::pg_catalog.oid[]) AS src(tbloid)
JOIN pg_catalog.pg_policy pol ON (src.tbloid = pol.polrelid)

-- name: dump select (41)
SELECT p.tableoid, p.oid, p.pubname, p.pubowner, p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot FROM pg_publication p

-- name: dump select (42)
SELECT tableoid, oid, prpubid, prrelid, pg_catalog.pg_get_expr(prqual, prrelid) AS prrelqual, (CASE
  WHEN pr.prattrs IS NOT NULL THEN
    (SELECT array_agg(attname)
       FROM
         pg_catalog.generate_series(0, pg_catalog.array_upper(pr.prattrs::pg_catalog.int2[], 1)) s,
         pg_catalog.pg_attribute
      WHERE attrelid = pr.prrelid AND attnum = prattrs[s])
  ELSE NULL END) prattrs FROM pg_catalog.pg_publication_rel pr

-- name: dump select (43)
SELECT tableoid, oid, pnpubid, pnnspid FROM pg_catalog.pg_publication_namespace

-- name: dump select (44)
SELECT count(*) FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database                 WHERE datname = current_database())

-- name: dump with
WITH RECURSIVE w AS ( SELECT d1.objid, d2.refobjid, c2.relkind AS refrelkind FROM pg_depend d1 JOIN pg_class c1 ON c1.oid = d1.objid AND c1.relkind = 'm' JOIN pg_rewrite r1 ON r1.ev_class = d1.objid JOIN pg_depend d2 ON d2.classid = 'pg_rewrite'::regclass AND d2.objid = r1.oid AND d2.refobjid <> d1.objid JOIN pg_class c2 ON c2.oid = d2.refobjid AND c2.relkind IN ('m','v') WHERE d1.classid = 'pg_class'::regclass UNION SELECT w.objid, d3.refobjid, c3.relkind FROM w JOIN pg_rewrite r3 ON r3.ev_class = w.refobjid JOIN pg_depend d3 ON d3.classid = 'pg_rewrite'::regclass AND d3.objid = r3.oid AND d3.refobjid <> w.refobjid JOIN pg_class c3 ON c3.oid = d3.refobjid AND c3.relkind IN ('m','v') ) SELECT 'pg_class'::regclass::oid AS classid, objid, refobjid FROM w WHERE refrelkind = 'm'

-- name: dump select (45)
SELECT oid, lomowner, lomacl, acldefault('L', lomowner) AS acldefault FROM pg_largeobject_metadata

-- name: dump select (46)
SELECT classid, objid, refclassid, refobjid, deptype FROM pg_depend WHERE deptype != 'p' AND deptype != 'e'
UNION ALL
SELECT 'pg_opfamily'::regclass AS classid, amopfamily AS objid, refclassid, refobjid, deptype FROM pg_depend d, pg_amop o WHERE deptype NOT IN ('p', 'e', 'i') AND classid = 'pg_amop'::regclass AND objid = o.oid AND NOT (refclassid = 'pg_opfamily'::regclass AND amopfamily = refobjid)
UNION ALL
SELECT 'pg_opfamily'::regclass AS classid, amprocfamily AS objid, refclassid, refobjid, deptype FROM pg_depend d, pg_amproc p WHERE deptype NOT IN ('p', 'e', 'i') AND classid = 'pg_amproc'::regclass AND objid = p.oid AND NOT (refclassid = 'pg_opfamily'::regclass AND amprocfamily = refobjid)
ORDER BY 1,2

-- name: dump select (47)
SELECT DISTINCT attrelid FROM pg_attribute WHERE attacl IS NOT NULL

-- name: dump select (48)
SELECT objoid, classoid, objsubid, privtype, initprivs FROM pg_init_privs

-- name: dump select (49)
SELECT description, classoid, objoid, objsubid FROM pg_catalog.pg_description ORDER BY classoid, objoid, objsubid

-- name: dump select (50)
SELECT label, provider, classoid, objoid, objsubid FROM pg_catalog.pg_seclabels ORDER BY classoid, objoid, objsubid

-- name: dump select (51)
SELECT pg_catalog.current_schemas(false)

-- name: dump prepare (2)
PREPARE dumpEnumType(pg_catalog.oid) AS
SELECT oid, enumlabel FROM pg_catalog.pg_enum WHERE enumtypid = $1 ORDER BY enumsortorder

-- name: dump execute (2)
EXECUTE dumpEnumType('17371')

-- name: dump prepare (3)
PREPARE dumpDomain(pg_catalog.oid) AS
SELECT t.typnotnull, pg_catalog.format_type(t.typbasetype, t.typtypmod) AS typdefn, pg_catalog.pg_get_expr(t.typdefaultbin, 'pg_catalog.pg_type'::pg_catalog.regclass) AS typdefaultbin, t.typdefault, CASE WHEN t.typcollation <> u.typcollation THEN t.typcollation ELSE 0 END AS typcollation FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_type u ON (t.typbasetype = u.oid) WHERE t.oid = $1

-- name: dump execute (3)
EXECUTE dumpDomain('17383')

-- name: dump prepare (4)
PREPARE dumpCompositeType(pg_catalog.oid) AS
SELECT a.attname, a.attnum, pg_catalog.format_type(a.atttypid, a.atttypmod) AS atttypdefn, a.attlen, a.attalign, a.attisdropped, CASE WHEN a.attcollation <> at.typcollation THEN a.attcollation ELSE 0 END AS attcollation FROM pg_catalog.pg_type ct JOIN pg_catalog.pg_attribute a ON a.attrelid = ct.typrelid LEFT JOIN pg_catalog.pg_type at ON at.oid = a.atttypid WHERE ct.oid = $1 ORDER BY a.attnum

-- name: dump execute (4)
EXECUTE dumpCompositeType('17381')

-- name: dump prepare (5)
-- needs: select
PREPARE dumpFunc(pg_catalog.oid) AS
SELECT
proretset,
prosrc,
probin,
provolatile,
proisstrict,
prosecdef,
lanname,
proconfig,
procost,
prorows,
pg_catalog.pg_get_function_arguments(p.oid) AS funcargs,
pg_catalog.pg_get_function_identity_arguments(p.oid) AS funciargs,
pg_catalog.pg_get_function_result(p.oid) AS funcresult,
proleakproof,
array_to_string(protrftypes, ' ') AS protrftypes,
proparallel,
prokind,
prosupport,
pg_get_function_sqlbody(p.oid) AS prosqlbody
FROM pg_catalog.pg_proc p, pg_catalog.pg_language l
WHERE p.oid = $1 AND l.oid = p.prolang

-- name: dump execute (5)
-- needs: select
EXECUTE dumpFunc('17808')

-- name: dump select (52)
SELECT pg_catalog.format_type('1700'::pg_catalog.oid, NULL)

-- name: dump execute (6)
-- needs: select
EXECUTE dumpFunc('17809')

-- name: dump prepare (6)
PREPARE dumpAgg(pg_catalog.oid) AS
SELECT aggtransfn,
aggfinalfn,
aggtranstype::pg_catalog.regtype,
agginitval,
aggsortop,
pg_catalog.pg_get_function_arguments(p.oid) AS funcargs,
pg_catalog.pg_get_function_identity_arguments(p.oid) AS funciargs,
aggkind,
aggmtransfn,
aggminvtransfn,
aggmfinalfn,
aggmtranstype::pg_catalog.regtype,
aggfinalextra,
aggmfinalextra,
aggtransspace,
aggmtransspace,
aggminitval,
aggcombinefn,
aggserialfn,
aggdeserialfn,
proparallel,
aggfinalmodify,
aggmfinalmodify
FROM pg_catalog.pg_aggregate a, pg_catalog.pg_proc p WHERE a.aggfnoid = p.oid AND p.oid = $1

-- name: dump execute (7)
EXECUTE dumpAgg('17811')

-- name: dump select (53)
SELECT pg_catalog.format_type('25'::pg_catalog.oid, NULL)

-- name: dump prepare (7)
PREPARE getColumnACLs(pg_catalog.oid) AS
SELECT at.attname, at.attacl, '{}' AS acldefault, pip.privtype, pip.initprivs FROM pg_catalog.pg_attribute at LEFT JOIN pg_catalog.pg_init_privs pip ON (at.attrelid = pip.objoid AND pip.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND at.attnum = pip.objsubid) WHERE at.attrelid = $1 AND NOT at.attisdropped AND (at.attacl IS NOT NULL OR pip.initprivs IS NOT NULL) ORDER BY at.attnum

-- name: dump execute (8)
EXECUTE getColumnACLs('6100')

-- name: dump select (54)
SELECT pg_catalog.pg_get_viewdef('17614'::pg_catalog.oid) AS viewdef

-- name: dump select (55)
SELECT format_type(seqtypid, NULL), seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle FROM pg_catalog.pg_sequence WHERE seqrelid = '17595'::oid

-- name: dump select (56)
SELECT format_type(seqtypid, NULL), seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle FROM pg_catalog.pg_sequence WHERE seqrelid = '17545'::oid

-- name: dump select (57)
SELECT format_type(seqtypid, NULL), seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle FROM pg_catalog.pg_sequence WHERE seqrelid = '17416'::oid

-- name: dump select (58)
SELECT format_type(seqtypid, NULL), seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle FROM pg_catalog.pg_sequence WHERE seqrelid = '17386'::oid

-- name: dump select (59)
SELECT format_type(seqtypid, NULL), seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle FROM pg_catalog.pg_sequence WHERE seqrelid = '17555'::oid

-- name: dump select (60)
SELECT format_type(seqtypid, NULL), seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle FROM pg_catalog.pg_sequence WHERE seqrelid = '17396'::oid

-- name: dump select (61)
SELECT pg_get_partkeydef('17509')

-- name: dump select (62)
SELECT format_type(seqtypid, NULL), seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle FROM pg_catalog.pg_sequence WHERE seqrelid = '17385'::oid

-- name: dump select (63)
SELECT format_type(seqtypid, NULL), seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle FROM pg_catalog.pg_sequence WHERE seqrelid = '17569'::oid

-- name: dump select (64)
SELECT pg_catalog.pg_get_viewdef('17623'::pg_catalog.oid) AS viewdef

-- name: dump select (65)
SELECT format_type(seqtypid, NULL), seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle FROM pg_catalog.pg_sequence WHERE seqrelid = '17461'::oid

-- name: dump select (66)
SELECT format_type(seqtypid, NULL), seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle FROM pg_catalog.pg_sequence WHERE seqrelid = '17444'::oid

-- name: dump select (67)
SELECT format_type(seqtypid, NULL), seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle FROM pg_catalog.pg_sequence WHERE seqrelid = '17531'::oid

-- name: dump prepare (8)
PREPARE dumpTableAttach(pg_catalog.oid) AS
SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_class c WHERE c.oid = $1

-- name: dump execute (9)
EXECUTE dumpTableAttach('17513')

-- name: dump execute (10)
EXECUTE dumpTableAttach('17519')

-- name: dump execute (11)
EXECUTE dumpTableAttach('17525')

-- name: dump select (68)
-- needs: select
SELECT last_value, is_called FROM public.audit_notes_id_seq

-- name: dump select (69)
-- needs: select
SELECT last_value, is_called FROM public.bookings_id_seq

-- name: dump select (70)
-- needs: select
SELECT last_value, is_called FROM public.customers_id_seq

-- name: dump select (71)
-- needs: select
SELECT last_value, is_called FROM public.departments_id_seq

-- name: dump select (72)
-- needs: select
SELECT last_value, is_called FROM public.documents_id_seq

-- name: dump select (73)
-- needs: select
SELECT last_value, is_called FROM public.employees_id_seq

-- name: dump select (74)
-- needs: select
SELECT last_value, is_called FROM public.invoice_number

-- name: dump select (75)
-- needs: select
SELECT last_value, is_called FROM public.jobs_id_seq

-- name: dump select (76)
-- needs: select
SELECT last_value, is_called FROM public.orders_id_seq

-- name: dump select (77)
-- needs: select
SELECT last_value, is_called FROM public.products_id_seq

-- name: dump select (78)
-- needs: select
SELECT last_value, is_called FROM public.visits_id_seq

-- name: dump select (79)
SELECT pg_catalog.pg_get_statisticsobjdef('17613'::pg_catalog.oid)

-- name: dump select (80)
SELECT pg_catalog.pg_get_viewdef('17618'::pg_catalog.oid) AS viewdef

-- name: dump select (81)
SELECT pg_catalog.pg_get_ruledef('17813'::pg_catalog.oid)

-- name: dump copy
-- needs: select,export
COPY public.audit_notes (id, at, what) TO stdout;

-- name: dump copy (2)
-- needs: select,export
COPY public.bookings (id, room, during) TO stdout;

-- name: dump copy (3)
-- needs: select,export
COPY public.categories (id, name, parent_id) TO stdout;

-- name: dump copy (4)
-- needs: select,export
COPY public.customers (id, name, email, phone, country, birth, status, tags, profile, address, created_at, updated_at) TO stdout;

-- name: dump copy (5)
-- needs: select,export
COPY public.departments (id, name, budget) TO stdout;

-- name: dump copy (6)
-- needs: select,export
COPY public.documents (id, title, body) TO stdout;

-- name: dump copy (7)
-- needs: select,export
COPY public.employees (id, name, email, manager_id, department_id, salary, hired) TO stdout;

-- name: dump copy (8)
-- needs: select,export
COPY public.events_2024 (id, customer_id, kind, payload, occurred_at) TO stdout;

-- name: dump copy (9)
-- needs: select,export
COPY public.events_2025 (id, customer_id, kind, payload, occurred_at) TO stdout;

-- name: dump copy (10)
-- needs: select,export
COPY public.events_rest (id, customer_id, kind, payload, occurred_at) TO stdout;

-- name: dump copy (11)
-- needs: select,export
COPY public.jobs (id, queue, payload, state, run_at, attempts, locked_by) TO stdout;

-- name: dump copy (12)
-- needs: select,export
COPY public.metrics (at, host, cpu, memory, disk) TO stdout;

-- name: dump copy (13)
-- needs: select,export
COPY public.order_items (order_id, line_no, product_id, quantity, unit_price, discount) TO stdout;

-- name: dump copy (14)
-- needs: select,export
COPY public.orders (id, customer_id, status, ordered_at, shipped_at, total, currency, note) TO stdout;

-- name: dump copy (15)
-- needs: select,export
COPY public.payments (id, order_id, method, amount, card_last4, paid_at, details) TO stdout;

-- name: dump copy (16)
-- needs: select,export
COPY public.products (id, sku, name, category_id, price, attributes, weight, discontinued) TO stdout;

-- name: dump copy (17)
-- needs: select,export
COPY public.stock (product_id, warehouse, quantity) TO stdout;

-- name: dump copy (18)
-- needs: select,export
COPY public.visits (id, customer_id, during, ip, agent, pages) TO stdout;

-- name: dump copy (19)
-- needs: select,export
COPY tpcds.catalog_sales (cs_sold_date_sk, cs_ship_date_sk, cs_item_sk, cs_bill_customer_sk, cs_warehouse_sk, cs_order_number, cs_quantity, cs_sales_price, cs_ext_sales_price, cs_ext_discount_amt, cs_net_paid, cs_net_profit) TO stdout;

-- name: dump copy (20)
-- needs: select,export
COPY tpcds.customer (c_customer_sk, c_customer_id, c_current_cdemo_sk, c_current_hdemo_sk, c_current_addr_sk, c_first_name, c_last_name, c_birth_year, c_birth_country, c_preferred_cust_flag) TO stdout;

-- name: dump copy (21)
-- needs: select,export
COPY tpcds.customer_address (ca_address_sk, ca_city, ca_county, ca_state, ca_zip, ca_country, ca_gmt_offset) TO stdout;

-- name: dump copy (22)
-- needs: select,export
COPY tpcds.customer_demographics (cd_demo_sk, cd_gender, cd_marital_status, cd_education_status, cd_dep_count) TO stdout;

-- name: dump copy (23)
-- needs: select,export
COPY tpcds.date_dim (d_date_sk, d_date, d_year, d_moy, d_qoy, d_dow, d_week_seq, d_month_seq, d_day_name) TO stdout;

-- name: dump copy (24)
-- needs: select,export
COPY tpcds.household_demographics (hd_demo_sk, hd_income_band, hd_buy_potential, hd_dep_count, hd_vehicle_count) TO stdout;

-- name: dump copy (25)
-- needs: select,export
COPY tpcds.inventory (inv_date_sk, inv_item_sk, inv_warehouse_sk, inv_quantity_on_hand) TO stdout;

-- name: dump copy (26)
-- needs: select,export
COPY tpcds.item (i_item_sk, i_item_id, i_item_desc, i_brand_id, i_brand, i_class, i_category, i_manufact_id, i_current_price, i_color, i_size, i_manager_id) TO stdout;

-- name: dump copy (27)
-- needs: select,export
COPY tpcds.promotion (p_promo_sk, p_promo_id, p_channel_email, p_channel_event) TO stdout;

-- name: dump copy (28)
-- needs: select,export
COPY tpcds.store (s_store_sk, s_store_id, s_store_name, s_state, s_city, s_number_employees, s_gmt_offset, s_market_id) TO stdout;

-- name: dump copy (29)
-- needs: select,export
COPY tpcds.store_returns (sr_returned_date_sk, sr_item_sk, sr_customer_sk, sr_store_sk, sr_ticket_number, sr_return_quantity, sr_return_amt, sr_net_loss, sr_reason) TO stdout;

-- name: dump copy (30)
-- needs: select,export
COPY tpcds.store_sales (ss_sold_date_sk, ss_item_sk, ss_customer_sk, ss_cdemo_sk, ss_hdemo_sk, ss_addr_sk, ss_store_sk, ss_promo_sk, ss_ticket_number, ss_quantity, ss_wholesale_cost, ss_list_price, ss_sales_price, ss_ext_discount_amt, ss_ext_sales_price, ss_coupon_amt, ss_net_paid, ss_net_profit) TO stdout;

-- name: dump copy (31)
-- needs: select,export
COPY tpcds.warehouse (w_warehouse_sk, w_warehouse_name, w_warehouse_sq_ft, w_state) TO stdout;

-- name: dump copy (32)
-- needs: select,export
COPY tpcds.web_returns (wr_returned_date_sk, wr_item_sk, wr_order_number, wr_return_amt) TO stdout;

-- name: dump copy (33)
-- needs: select,export
COPY tpcds.web_sales (ws_sold_date_sk, ws_ship_date_sk, ws_item_sk, ws_bill_customer_sk, ws_bill_addr_sk, ws_warehouse_sk, ws_order_number, ws_quantity, ws_sales_price, ws_ext_sales_price, ws_ext_discount_amt, ws_ext_ship_cost, ws_net_paid, ws_net_profit) TO stdout;

-- name: dump copy (34)
-- needs: select,export
COPY tpch.customer (c_custkey, c_name, c_address, c_nationkey, c_phone, c_acctbal, c_mktsegment, c_comment) TO stdout;

-- name: dump copy (35)
-- needs: select,export
COPY tpch.lineitem (l_orderkey, l_partkey, l_suppkey, l_linenumber, l_quantity, l_extendedprice, l_discount, l_tax, l_returnflag, l_linestatus, l_shipdate, l_commitdate, l_receiptdate, l_shipinstruct, l_shipmode, l_comment) TO stdout;

-- name: dump copy (36)
-- needs: select,export
COPY tpch.nation (n_nationkey, n_name, n_regionkey, n_comment) TO stdout;

-- name: dump copy (37)
-- needs: select,export
COPY tpch.orders (o_orderkey, o_custkey, o_orderstatus, o_totalprice, o_orderdate, o_orderpriority, o_clerk, o_shippriority, o_comment) TO stdout;

-- name: dump copy (38)
-- needs: select,export
COPY tpch.part (p_partkey, p_name, p_mfgr, p_brand, p_type, p_size, p_container, p_retailprice, p_comment) TO stdout;

-- name: dump copy (39)
-- needs: select,export
COPY tpch.partsupp (ps_partkey, ps_suppkey, ps_availqty, ps_supplycost, ps_comment) TO stdout;

-- name: dump copy (40)
-- needs: select,export
COPY tpch.region (r_regionkey, r_name, r_comment) TO stdout;

-- name: dump copy (41)
-- needs: select,export
COPY tpch.supplier (s_suppkey, s_name, s_address, s_nationkey, s_phone, s_acctbal, s_comment) TO stdout;

-- name: inserts reset
RESET search_path

-- name: inserts select
SELECT c.oid
FROM pg_catalog.pg_class c
     LEFT JOIN pg_catalog.pg_namespace n
     ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE c.relkind OPERATOR(pg_catalog.=) ANY
    (array['r', 'S', 'v', 'm', 'f', 'p'])
  AND c.relname OPERATOR(pg_catalog.~) '^(customers)$' COLLATE pg_catalog.default
  AND pg_catalog.pg_table_is_visible(c.oid)

-- name: inserts select (2)
SELECT c.oid
FROM pg_catalog.pg_class c
     LEFT JOIN pg_catalog.pg_namespace n
     ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE c.relkind OPERATOR(pg_catalog.=) ANY
    (array['r', 'S', 'v', 'm', 'f', 'p'])
  AND c.relname OPERATOR(pg_catalog.~) '^(orders)$' COLLATE pg_catalog.default
  AND pg_catalog.pg_table_is_visible(c.oid)

-- name: inserts select (3)
SELECT
a.attrelid,
a.attnum,
a.attname,
a.atttypmod,
a.attstattarget,
a.attstorage,
t.typstorage,
a.attnotnull,
a.atthasdef,
a.attisdropped,
a.attlen,
a.attalign,
a.attislocal,
pg_catalog.format_type(t.oid, a.atttypmod) AS atttypname,
array_to_string(a.attoptions, ', ') AS attoptions,
CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation ELSE 0 END AS attcollation,
pg_catalog.array_to_string(ARRAY(SELECT pg_catalog.quote_ident(option_name) || ' ' || pg_catalog.quote_literal(option_value) FROM pg_catalog.pg_options_to_table(attfdwoptions) ORDER BY option_name), E',
    ') AS attfdwoptions,
a.attcompression AS attcompression,
a.attidentity,
CASE WHEN a.atthasmissing AND NOT a.attisdropped THEN a.attmissingval ELSE null END AS attmissingval,
a.attgenerated
FROM unnest('{17417,17462}'::pg_catalog.oid[]) AS src(tbloid)
JOIN pg_catalog.pg_attribute a ON (src.tbloid = a.attrelid) LEFT JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid)
WHERE a.attnum > 0::pg_catalog.int2
ORDER BY a.attrelid, a.attnum

-- name: inserts select (4)
SELECT t.tableoid, t.oid, i.indrelid, t.relname AS indexname, pg_catalog.pg_get_indexdef(i.indexrelid) AS indexdef, i.indkey, i.indisclustered, c.contype, c.conname, c.condeferrable, c.condeferred, c.tableoid AS contableoid, c.oid AS conoid, pg_catalog.pg_get_constraintdef(c.oid, false) AS condef, (SELECT spcname FROM pg_catalog.pg_tablespace s WHERE s.oid = t.reltablespace) AS tablespace, t.reloptions AS indreloptions, i.indisreplident, inh.inhparent AS parentidx, i.indnkeyatts AS indnkeyatts, i.indnatts AS indnatts, (SELECT pg_catalog.array_agg(attnum ORDER BY attnum)   FROM pg_catalog.pg_attribute   WHERE attrelid = i.indexrelid AND     attstattarget >= 0) AS indstatcols, (SELECT pg_catalog.array_agg(attstattarget ORDER BY attnum)   FROM pg_catalog.pg_attribute   WHERE attrelid = i.indexrelid AND     attstattarget >= 0) AS indstatvals, i.indnullsnotdistinct FROM unnest('{17417,17462}'::pg_catalog.oid[]) AS src(tbloid)
JOIN pg_catalog.pg_index i ON (src.tbloid = i.indrelid) JOIN pg_catalog.pg_class t ON (t.oid = i.indexrelid) JOIN pg_catalog.pg_class t2 ON (t2.oid = i.indrelid) LEFT JOIN pg_catalog.pg_constraint c ON (i.indrelid = c.conrelid AND i.indexrelid = c.conindid AND c.contype IN ('p','u','x')) LEFT JOIN pg_catalog.pg_inherits inh ON (inh.inhrelid = indexrelid) WHERE (i.indisvalid OR t2.relkind = 'p') AND i.indisready ORDER BY i.indrelid, indexname

-- name: inserts select (5)
SELECT c.tableoid, c.oid, conrelid, conname, confrelid, conindid, pg_catalog.pg_get_constraintdef(c.oid) AS condef
FROM unnest('{17417,17462}'::pg_catalog.oid[]) AS src(tbloid)
JOIN pg_catalog.pg_constraint c ON (src.tbloid = c.conrelid)
WHERE contype = 'f' AND conparentid = 0 ORDER BY conrelid, conname

-- name: inserts select (6)
SELECT t.tgrelid, t.tgname, t.tgfoid::pg_catalog.regproc AS tgfname, pg_catalog.pg_get_triggerdef(t.oid, false) AS tgdef, t.tgenabled, t.tableoid, t.oid, t.tgparentid <> 0 AS tgispartition
FROM unnest('{17417,17462}'::pg_catalog.oid[]) AS src(tbloid)
JOIN pg_catalog.pg_trigger t ON (src.tbloid = t.tgrelid) LEFT JOIN pg_catalog.pg_trigger u ON (u.oid = t.tgparentid) WHERE ((NOT t.tgisinternal AND t.tgparentid = 0) OR t.tgenabled != u.tgenabled) ORDER BY t.tgrelid, t.tgname

-- name: inserts select (7)
SELECT pol.oid, pol.tableoid, pol.polrelid, pol.polname, pol.polcmd, pol.polpermissive, CASE WHEN pol.polroles = '{0}' THEN NULL ELSE    pg_catalog.array_to_string(ARRAY(SELECT pg_catalog.quote_ident(rolname) from pg_catalog.pg_roles WHERE oid = ANY(pol.polroles)), ', ') END AS polroles, pg_catalog.pg_get_expr(pol.polqual, pol.polrelid) AS polqual, pg_catalog.pg_get_expr(pol.polwithcheck, pol.polrelid) AS polwithcheck FROM unnest('{17417,17462}'::pg_catalog.oid[]) AS src(tbloid)
JOIN pg_catalog.pg_policy pol ON (src.tbloid = pol.polrelid)

-- name: inserts declare
-- needs: select
DECLARE _pg_dump_cursor CURSOR FOR SELECT id, name, email, phone, country, birth, status, tags, profile, address, created_at, updated_at FROM ONLY public.customers

-- name: inserts fetch
-- needs: select
FETCH 100 FROM _pg_dump_cursor

-- name: inserts close
-- needs: select
CLOSE _pg_dump_cursor

-- name: inserts declare (2)
-- needs: select
DECLARE _pg_dump_cursor CURSOR FOR SELECT id, customer_id, status, ordered_at, shipped_at, total, currency, note FROM ONLY public.orders

-- name: parallel select
-- needs: select
SELECT pg_catalog.pg_export_snapshot()

-- name: parallel select (2)
SELECT tableoid, oid, datname, datdba, pg_encoding_to_char(encoding) AS encoding, datcollate, datctype, datfrozenxid, datacl, acldefault('d', datdba) AS acldefault, datistemplate, datconnlimit, datminmxid, datlocprovider, daticulocale, datcollversion, (SELECT spcname FROM pg_tablespace t WHERE t.oid = dattablespace) AS tablespace, shobj_description(oid, 'pg_database') AS description FROM pg_database WHERE datname = current_database()

-- name: parallel select (3)
SELECT provider, label FROM pg_catalog.pg_shseclabel WHERE classoid = 'pg_catalog.pg_database'::pg_catalog.regclass AND objoid = '17368'

-- name: parallel select (4)
SELECT unnest(setconfig) FROM pg_db_role_setting WHERE setrole = 0 AND setdatabase = '17368'::oid

-- name: parallel select (5)
SELECT rolname, unnest(setconfig) FROM pg_db_role_setting s, pg_roles r WHERE setrole = r.oid AND setdatabase = '17368'::oid

-- name: parallel set
set client_encoding to 'UTF8'

-- name: parallel set (2)
SET TRANSACTION SNAPSHOT '00000003-0000078D-1'

-- name: parallel lock
-- needs: select
LOCK TABLE public.employees IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (2)
-- needs: select
LOCK TABLE public.departments IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (3)
-- needs: select
LOCK TABLE public.customers IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (4)
-- needs: select
LOCK TABLE public.categories IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (5)
-- needs: select
LOCK TABLE public.products IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (6)
-- needs: select
LOCK TABLE public.orders IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (7)
-- needs: select
LOCK TABLE public.order_items IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (8)
-- needs: select
LOCK TABLE public.payments IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (9)
-- needs: select
LOCK TABLE public.events_2024 IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (10)
-- needs: select
LOCK TABLE public.events_2025 IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (11)
-- needs: select
LOCK TABLE public.events_rest IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (12)
-- needs: select
LOCK TABLE public.visits IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (13)
-- needs: select
LOCK TABLE public.bookings IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (14)
-- needs: select
LOCK TABLE public.documents IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (15)
-- needs: select
LOCK TABLE public.metrics IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (16)
-- needs: select
LOCK TABLE public.jobs IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (17)
-- needs: select
LOCK TABLE public.stock IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (18)
-- needs: select
LOCK TABLE public.audit_notes IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (19)
-- needs: select
LOCK TABLE tpch.region IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (20)
-- needs: select
LOCK TABLE tpch.nation IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (21)
-- needs: select
LOCK TABLE tpch.supplier IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (22)
-- needs: select
LOCK TABLE tpch.part IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (23)
-- needs: select
LOCK TABLE tpch.partsupp IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (24)
-- needs: select
LOCK TABLE tpch.customer IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (25)
-- needs: select
LOCK TABLE tpch.orders IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (26)
-- needs: select
LOCK TABLE tpch.lineitem IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (27)
-- needs: select
LOCK TABLE tpcds.date_dim IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (28)
-- needs: select
LOCK TABLE tpcds.item IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (29)
-- needs: select
LOCK TABLE tpcds.customer_address IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (30)
-- needs: select
LOCK TABLE tpcds.customer_demographics IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (31)
-- needs: select
LOCK TABLE tpcds.household_demographics IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (32)
-- needs: select
LOCK TABLE tpcds.customer IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (33)
-- needs: select
LOCK TABLE tpcds.store IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (34)
-- needs: select
LOCK TABLE tpcds.warehouse IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (35)
-- needs: select
LOCK TABLE tpcds.promotion IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (36)
-- needs: select
LOCK TABLE tpcds.store_sales IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (37)
-- needs: select
LOCK TABLE tpcds.store_returns IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (38)
-- needs: select
LOCK TABLE tpcds.web_sales IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (39)
-- needs: select
LOCK TABLE tpcds.web_returns IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (40)
-- needs: select
LOCK TABLE tpcds.catalog_sales IN ACCESS SHARE MODE NOWAIT

-- name: parallel lock (41)
-- needs: select
LOCK TABLE tpcds.inventory IN ACCESS SHARE MODE NOWAIT
