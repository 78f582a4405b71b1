-- What tools ask by themselves, before and beside the questions of those who use them, where some columns are masked.

-- name: psql lists tables
-- comes: identical
SELECT n.nspname as "Schema", c.relname as "Name", CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 't' THEN 'TOAST table' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' WHEN 'I' THEN 'partitioned index' END as "Type", pg_catalog.pg_get_userbyid(c.relowner) as "Owner" FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam WHERE c.relkind IN ('r','p','') AND n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' AND n.nspname <> 'information_schema' AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2

-- name: psql lists schemas
-- comes: identical
SELECT n.nspname AS "Name", pg_catalog.pg_get_userbyid(n.nspowner) AS "Owner", pg_catalog.array_to_string(n.nspacl, E'\n') AS "Access privileges", pg_catalog.obj_description(n.oid, 'pg_namespace') AS "Description" FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1

-- name: psql lists roles
-- comes: identical
SELECT r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolconnlimit, r.rolvaliduntil, ARRAY(SELECT b.rolname FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles b ON (m.roleid = b.oid) WHERE m.member = r.oid) as memberof FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY 1

-- name: psql lists functions
-- comes: identical
SELECT n.nspname as "Schema", p.proname as "Name", pg_catalog.pg_get_function_result(p.oid) as "Result data type", pg_catalog.pg_get_function_arguments(p.oid) as "Argument data types", CASE p.prokind WHEN 'a' THEN 'agg' WHEN 'w' THEN 'window' WHEN 'p' THEN 'proc' ELSE 'func' END as "Type" FROM pg_catalog.pg_proc p LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE pg_catalog.pg_function_is_visible(p.oid) AND n.nspname <> 'pg_catalog' AND n.nspname <> 'information_schema' ORDER BY 1, 2, 4

-- name: psql lists extensions
-- comes: identical
SELECT e.extname AS "Name", e.extversion AS "Version", n.nspname AS "Schema", c.description AS "Description" FROM pg_catalog.pg_extension e LEFT JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace LEFT JOIN pg_catalog.pg_description c ON c.objoid = e.oid AND c.classoid = 'pg_catalog.pg_extension'::pg_catalog.regclass ORDER BY 1

-- name: psql shows indexes of a table
-- comes: identical
SELECT c2.relname, i.indisprimary, i.indisunique, i.indisclustered, i.indisvalid, pg_catalog.pg_get_indexdef(i.indexrelid, 0, true), pg_catalog.pg_get_constraintdef(con.oid, true), contype, condeferrable, condeferred, i.indisreplident, c2.reltablespace FROM pg_catalog.pg_class c, pg_catalog.pg_class c2, pg_catalog.pg_index i LEFT JOIN pg_catalog.pg_constraint con ON (conrelid = i.indrelid AND conindid = i.indexrelid AND contype IN ('p','u','x')) WHERE c.oid = 'customers'::regclass AND c.oid = i.indrelid AND i.indexrelid = c2.oid ORDER BY i.indisprimary DESC, c2.relname

-- name: psql shows who refers to a table
-- comes: identical
SELECT conname, conrelid::pg_catalog.regclass AS ontable, pg_catalog.pg_get_constraintdef(oid, true) AS condef FROM pg_catalog.pg_constraint c WHERE confrelid IN (SELECT pg_catalog.pg_partition_ancestors('customers'::regclass) UNION ALL VALUES ('customers'::pg_catalog.regclass)) AND contype = 'f' AND conparentid = 0 ORDER BY conname

-- name: psql shows policies, triggers and statistics
-- comes: identical
SELECT t.tgname, pg_catalog.pg_get_triggerdef(t.oid, true), t.tgenabled, t.tgisinternal FROM pg_catalog.pg_trigger t WHERE t.tgrelid = 'customers'::regclass AND NOT t.tgisinternal ORDER BY 1

-- name: psql shows sizes
-- comes: identical
SELECT c.relname, pg_catalog.pg_size_pretty(pg_catalog.pg_table_size(c.oid)) IS NOT NULL as "Size", pg_catalog.obj_description(c.oid, 'pg_class') as "Description" FROM pg_catalog.pg_class c WHERE c.relname IN ('customers', 'orders') ORDER BY 1

-- name: psql lists databases
-- comes: identical
SELECT d.datname, pg_catalog.pg_get_userbyid(d.datdba), pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate FROM pg_catalog.pg_database d WHERE d.datname = 'shop' ORDER BY 1

-- name: psql shows what may be done
-- comes: identical
SELECT n.nspname, c.relname, c.relkind, pg_catalog.array_to_string(c.relacl, E'\n'), pg_catalog.array_to_string(ARRAY(SELECT attname || E':\n  ' || pg_catalog.array_to_string(attacl, E'\n  ') FROM pg_catalog.pg_attribute a WHERE attrelid = c.oid AND NOT attisdropped AND attacl IS NOT NULL), E'\n') FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r','v','m','S','f','p') AND pg_catalog.pg_table_is_visible(c.oid) AND n.nspname = 'public' ORDER BY 1, 2

-- name: completion of a column's name
-- comes: identical
SELECT attname FROM pg_catalog.pg_attribute a, pg_catalog.pg_class c WHERE c.oid = a.attrelid AND a.attnum > 0 AND NOT a.attisdropped AND substring(attname,1,2)='em' AND (c.relname='customers' OR '"' || relname || '"' ='customers') AND pg_catalog.pg_table_is_visible(c.oid) LIMIT 1000

-- name: DBeaver reads schemas
-- comes: identical
SELECT n.oid, n.*, d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = n.oid AND d.objsubid = 0 AND d.classoid = 'pg_namespace'::regclass WHERE n.nspname IN ('public', 'billing') ORDER BY nspname

-- name: DBeaver reads the columns of a table
-- comes: identical
SELECT c.relname, a.*, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as def_value, dsc.description, dep.objid FROM pg_catalog.pg_attribute a INNER JOIN pg_catalog.pg_class c ON (a.attrelid = c.oid) LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON (a.attrelid = ad.adrelid AND a.attnum = ad.adnum) LEFT OUTER JOIN pg_catalog.pg_description dsc ON (c.oid = dsc.objoid AND a.attnum = dsc.objsubid) LEFT OUTER JOIN pg_depend dep on dep.refobjid = a.attrelid AND dep.deptype = 'i' and dep.refobjsubid = a.attnum and dep.classid = dep.refclassid WHERE NOT a.attisdropped AND c.relname = 'order_items' ORDER BY a.attnum

-- name: DBeaver reads a grid
-- comes: masked 3,4,5
SELECT x.* FROM public.customers x ORDER BY x.id LIMIT 200

-- name: DBeaver reads a grid, sorted and filtered
-- comes: masked 3,4,5
SELECT x.* FROM public.customers x WHERE x.country = 'DE' ORDER BY x.full_name DESC, x.id LIMIT 200

-- name: DBeaver groups a column
-- comes: identical
SELECT country, COUNT(*) FROM public.customers GROUP BY country ORDER BY 2 DESC, 1

-- name: DBeaver reads one cell's row again
-- comes: masked 3,4,5
SELECT * FROM public.customers WHERE id = 17

-- name: DataGrip reads a table
-- comes: masked 3,4,5
select t.*, ctid from public.customers t order by id limit 501

-- name: DataGrip counts a table
-- comes: identical
select count(*) from (select t.* from public.customers t) as ref

-- name: DataGrip asks what there is
-- comes: identical
select T.relkind as table_kind, T.relname as table_name, T.oid as table_id, translate(pg_catalog.age(T.xmin)::varchar, '-0123456789', '') as sign, T.relhassubclass, T.reloptions from pg_catalog.pg_class T where T.relkind in ('r', 'v', 'm', 'p', 'f') and relnamespace = 'public'::regnamespace order by table_kind, table_name

-- name: pgAdmin shows rows
-- comes: masked 3,4,5
SELECT * FROM public.customers ORDER BY id ASC LIMIT 100

-- name: pgAdmin reads a table's properties
-- comes: identical
SELECT rel.relname AS name, rel.reltuples >= 0 AS rows_cnt, con.conname, con.conkey, (SELECT array_agg(provider) FROM pg_catalog.pg_seclabels sl1 WHERE sl1.objoid=rel.oid AND sl1.objsubid=0) AS providers FROM pg_catalog.pg_class rel LEFT OUTER JOIN pg_catalog.pg_constraint con ON con.conrelid = rel.oid AND con.contype='p' WHERE rel.relkind IN ('r','s','t','p') AND rel.relnamespace = 'public'::regnamespace ORDER BY rel.relname

-- name: pgAdmin watches activity
-- comes: alike
SELECT 'session_stats' AS chart_name, row_to_json(t) AS chart_data FROM (SELECT (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = current_database()) AS "Total", (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE state = 'active') AS "Active") t

-- name: pgAdmin watches tuples
-- comes: alike
SELECT row_to_json(t) FROM (SELECT (SELECT sum(tup_inserted) FROM pg_catalog.pg_stat_database) AS "Inserts", (SELECT sum(blks_hit) FROM pg_catalog.pg_stat_database) AS "Hits") t

-- name: Metabase reads tables
-- comes: identical
SELECT "n"."nspname" AS "schema", "c"."relname" AS "name", CASE "c"."relkind" WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' END AS "type", "d"."description" AS "description" FROM "pg_catalog"."pg_class" AS "c" INNER JOIN "pg_catalog"."pg_namespace" AS "n" ON "c"."relnamespace" = "n"."oid" LEFT JOIN "pg_catalog"."pg_description" AS "d" ON ("c"."oid" = "d"."objoid") AND ("d"."objsubid" = 0) WHERE ("n"."nspname" !~ '^information_schema|catalog_history|pg_') AND ("c"."relkind" IN ('r', 'v')) ORDER BY "type" ASC, "schema" ASC, "name" ASC

-- name: Metabase asks for the values of a field
-- comes: identical
SELECT "public"."customers"."city" AS "city" FROM "public"."customers" GROUP BY "public"."customers"."city" ORDER BY "public"."customers"."city" ASC LIMIT 1000

-- name: Metabase measures a number
-- comes: identical
SELECT count(distinct "public"."customers"."credit") AS "count", min("public"."customers"."credit") AS "min", max("public"."customers"."credit") AS "max", avg("public"."customers"."credit") AS "avg", percentile_cont(0.25) within group (order by "public"."customers"."credit") FROM "public"."customers"

-- name: Superset reads a table's columns
-- comes: identical
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef) AS DEFAULT, a.attnotnull, a.attnum, pgd.description as comment, a.attgenerated FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_description pgd ON (pgd.objoid = a.attrelid AND pgd.objsubid = a.attnum) WHERE a.attrelid = 'customers'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum

-- name: Superset shows a sample
-- comes: masked 2,3,4
SELECT full_name AS full_name, email AS email, phone AS phone, birth_date AS birth_date FROM public.customers ORDER BY id LIMIT 100

-- name: Grafana asks for columns of times
-- comes: identical
SELECT column_name FROM information_schema.columns WHERE table_name = 'orders' AND data_type IN ('timestamp without time zone', 'timestamp with time zone', 'bigint', 'integer', 'double precision', 'real') ORDER BY column_name

-- name: Grafana asks for tables
-- comes: identical
SELECT CASE WHEN quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), array_upper(string_to_array(current_setting('search_path'),','),1)) as i, string_to_array(current_setting('search_path'),',') s) THEN quote_ident(table_name) ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS "table" FROM information_schema.tables WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog') ORDER BY 1

-- name: dbt reads relations
-- comes: identical
select 'shop' as database, tablename as name, schemaname as schema, 'table' as type from pg_tables where schemaname ilike 'public' union all select 'shop' as database, viewname as name, schemaname as schema, 'view' as type from pg_views where schemaname ilike 'public' order by 2

-- name: dbt reads columns
-- comes: identical
select column_name, data_type, character_maximum_length, numeric_precision, numeric_scale from "shop".INFORMATION_SCHEMA.columns where table_name = 'customers' and table_schema = 'public' order by ordinal_position

-- name: Django reads one row
-- comes: masked 3,4,5
SELECT "customers"."id", "customers"."full_name", "customers"."email", "customers"."phone", "customers"."birth_date", "customers"."country" FROM "customers" WHERE "customers"."id" = 5 LIMIT 21

-- name: Django looks one up by e-mail
-- comes: masked
SELECT "customers"."id", "customers"."full_name", "customers"."email" FROM "customers" WHERE "customers"."email" = 'nobody@example.org' LIMIT 21

-- name: Django annotates
-- comes: masked 2
SELECT "customers"."id", "customers"."email", COUNT("orders"."id") AS "n", SUM("orders"."total") FILTER (WHERE "orders"."status" = 'paid') AS "paid" FROM "customers" LEFT OUTER JOIN "orders" ON ("customers"."id" = "orders"."customer_id") WHERE "customers"."country" = 'DE' GROUP BY "customers"."id" ORDER BY "n" DESC, "customers"."id" LIMIT 20

-- name: Django annotates and groups by all columns
-- comes: unmask sorts or groups by public.customers.email
SELECT "customers"."id", "customers"."email", COUNT("orders"."id") AS "n" FROM "customers" LEFT OUTER JOIN "orders" ON ("customers"."id" = "orders"."customer_id") GROUP BY "customers"."id", "customers"."email"

-- name: Django asks whether there is one
-- comes: identical
SELECT (1) AS "a" FROM "customers" WHERE "customers"."country" = 'DE' LIMIT 1

-- name: Django counts distinct rows
-- comes: identical
SELECT COUNT(*) FROM (SELECT DISTINCT "customers"."id" AS "col1", "customers"."city" AS "col2" FROM "customers" INNER JOIN "orders" ON ("customers"."id" = "orders"."customer_id") WHERE "orders"."total" > 100) subquery

-- name: Django prefetches
-- comes: identical
SELECT "orders"."id", "orders"."customer_id", "orders"."total" FROM "orders" WHERE "orders"."customer_id" IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10) ORDER BY "orders"."id"

-- name: Django searches by a part of a name
-- comes: masked 3
SELECT "customers"."id", "customers"."full_name", "customers"."email" FROM "customers" WHERE UPPER("customers"."full_name"::text) LIKE UPPER('%ada%') ORDER BY "customers"."id" ASC LIMIT 10

-- name: Rails reads one row
-- comes: masked 3,4,5
SELECT "customers".* FROM "customers" WHERE "customers"."id" = 4 LIMIT 1

-- name: Rails includes what belongs to it
-- comes: masked 3,4,5
SELECT "customers"."id" AS t0_r0, "customers"."full_name" AS t0_r1, "customers"."email" AS t0_r2, "customers"."phone" AS t0_r3, "customers"."birth_date" AS t0_r4, "orders"."id" AS t1_r0, "orders"."total" AS t1_r1 FROM "customers" LEFT OUTER JOIN "orders" ON "orders"."customer_id" = "customers"."id" WHERE "customers"."id" IN (1, 2, 3) ORDER BY "customers"."id", "orders"."id"

-- name: Rails reads in batches
-- comes: masked 3,4,5
SELECT "customers".* FROM "customers" WHERE "customers"."id" > 100 ORDER BY "customers"."id" ASC LIMIT 100

-- name: Rails plucks
-- comes: masked 2
SELECT "customers"."id", "customers"."email" FROM "customers" WHERE "customers"."newsletter" = TRUE ORDER BY "customers"."id" LIMIT 50

-- name: Rails asks for the types of a table
-- comes: identical
SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod, c.collname, col_description(a.attrelid, a.attnum) AS comment, attidentity AS identity, attgenerated as attgenerated FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation WHERE a.attrelid = '"customers"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum

-- name: Hibernate reads with aliases
-- comes: masked 2
select c1_0.id,c1_0.email,c1_0.full_name,o1_0.id,o1_0.total from customers c1_0 left join orders o1_0 on c1_0.id=o1_0.customer_id where c1_0.id=3 order by o1_0.id

-- name: Hibernate pages
-- comes: masked 3
select c1_0.id,c1_0.full_name,c1_0.email from customers c1_0 where c1_0.country='DE' order by c1_0.id offset 10 rows fetch first 10 rows only

-- name: Hibernate counts
-- comes: identical
select count(c1_0.id) from customers c1_0 where c1_0.city like 'H%' escape '!'

-- name: Prisma reads with its relations
-- comes: masked 2
SELECT "t1"."id", "t1"."email", "t1_orders"."__prisma_data__" AS "orders" FROM "public"."customers" AS "t1" LEFT JOIN LATERAL (SELECT COALESCE(JSONB_AGG("__prisma_data__"), '[]') AS "__prisma_data__" FROM (SELECT "t3"."__prisma_data__" FROM (SELECT JSONB_BUILD_OBJECT('id', "t2"."id", 'total', "t2"."total") AS "__prisma_data__" FROM (SELECT "t2".* FROM "public"."orders" AS "t2" WHERE "t1"."id" = "t2"."customer_id" ORDER BY "t2"."id") AS "t2") AS "t3") AS "t4") AS "t1_orders" ON TRUE WHERE "t1"."id" IN (1, 2, 3) ORDER BY "t1"."id"

-- name: Prisma reads masked ones among its relations
-- comes: masked 2
SELECT "t1"."id", "t1_customer"."__prisma_data__" AS "customer" FROM "public"."orders" AS "t1" LEFT JOIN LATERAL (SELECT JSONB_BUILD_OBJECT('id', "t2"."id", 'email', "t2"."email", 'name', "t2"."full_name") AS "__prisma_data__" FROM (SELECT "t2".* FROM "public"."customers" AS "t2" WHERE "t1"."customer_id" = "t2"."id" LIMIT 1) AS "t2") AS "t1_customer" ON TRUE ORDER BY "t1"."id" LIMIT 10

-- name: Prisma counts
-- comes: identical
SELECT COUNT(*) AS "_count$_all" FROM (SELECT "public"."customers"."id" FROM "public"."customers" WHERE 1=1 OFFSET 0) AS "sub"

-- name: a graph server's answer in one text
-- comes: masked 1
SELECT coalesce(json_agg("root"), '[]') AS "root" FROM (SELECT row_to_json((SELECT "_e" FROM (SELECT "_root.base"."id" AS "id", "_root.base"."email" AS "email") AS "_e")) AS "root" FROM (SELECT * FROM "public"."customers" WHERE (("public"."customers"."country") = (('DE')::text)) ORDER BY id LIMIT 5) AS "_root.base") AS "_root"

-- name: a REST server's answer in one text
-- comes: identical
WITH pgrst_source AS (SELECT "public"."products"."id", "public"."products"."name" FROM "public"."products" ORDER BY "public"."products"."id" ASC LIMIT 10 OFFSET 0) SELECT null::bigint AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, coalesce(json_agg(_postgrest_t), '[]') AS body, nullif(current_setting('response.headers', true), '') AS response_headers FROM (SELECT * FROM pgrst_source) _postgrest_t

-- name: SQLAlchemy asks whether a table is there
-- comes: identical
SELECT pg_catalog.pg_class.relname FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace WHERE pg_catalog.pg_class.relname = 'customers' AND pg_catalog.pg_class.relkind = ANY (ARRAY['r', 'p', 'f', 'v', 'm']) AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'

-- name: SQLAlchemy reads rows
-- comes: masked 3,4
SELECT customers.id AS customers_id, customers.full_name AS customers_full_name, customers.email AS customers_email, customers.phone AS customers_phone FROM customers WHERE customers.id = 5

-- name: SQLAlchemy loads joined rows
-- comes: masked 3
SELECT anon_1.customers_id, anon_1.customers_full_name, anon_1.customers_email, orders_1.id, orders_1.total FROM (SELECT customers.id AS customers_id, customers.full_name AS customers_full_name, customers.email AS customers_email FROM customers ORDER BY customers.id LIMIT 5) AS anon_1 LEFT OUTER JOIN orders AS orders_1 ON anon_1.customers_id = orders_1.customer_id ORDER BY anon_1.customers_id, orders_1.id

-- name: a pool asks whether somebody is there
-- comes: identical
SELECT 1;

-- name: an empty text
-- comes: identical
;

-- name: a driver sets how it likes things
-- comes: identical
SET DateStyle TO ISO; SET extra_float_digits = 3; SET application_name = 'report'; SET statement_timeout = '30s'; SET client_min_messages = warning; SET statement_timeout = 0

-- name: a driver reads types
-- comes: identical
SELECT t.oid, t.typname, t.typarray, t.typelem FROM pg_catalog.pg_type t WHERE t.typname IN ('order_status', 'int8', '_text', 'jsonb') AND t.oid < 16384 ORDER BY 1

-- name: a driver reads composite types
-- comes: identical
SELECT a.attname, a.atttypid FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid WHERE t.typname = 'customers' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum

-- name: the plan of an analysis
-- comes: alike
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT c.id, c.email, count(*) FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.country = 'DE' GROUP BY c.id ORDER BY count(*) DESC LIMIT 5

-- name: the plan of an analysis, with buffers and as json
-- comes: alike
EXPLAIN (ANALYZE, BUFFERS, VERBOSE, FORMAT JSON) SELECT * FROM customers WHERE id BETWEEN 1 AND 100

-- name: the plan of a window
-- comes: identical
EXPLAIN (COSTS OFF) SELECT id, rank() OVER (PARTITION BY country ORDER BY credit DESC) FROM customers

-- name: the plan of a subquery of masked columns
-- comes: identical
EXPLAIN (COSTS OFF) SELECT o.id, (SELECT c.email FROM customers c WHERE c.id = o.customer_id) FROM orders o WHERE o.id < 10

-- name: who waits and who blocks
-- comes: alike
SELECT blocked.pid, blocked.query, blocking.pid AS blocking_pid FROM pg_stat_activity blocked JOIN pg_stat_activity blocking ON blocking.pid = ANY (pg_blocking_pids(blocked.pid))

-- name: long transactions
-- comes: alike
SELECT pid, now() - xact_start AS age, state, left(query, 80) FROM pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY xact_start LIMIT 10

-- name: tables that need a vacuum
-- comes: alike
SELECT schemaname, relname, n_dead_tup, n_live_tup, last_autovacuum, last_analyze FROM pg_stat_user_tables WHERE n_dead_tup > -1 ORDER BY n_dead_tup DESC

-- name: how well the cache serves
-- comes: alike
SELECT sum(heap_blks_hit)::float / nullif(sum(heap_blks_hit) + sum(heap_blks_read), 0) FROM pg_statio_user_tables

-- name: sequences
-- comes: alike
SELECT schemaname, sequencename, last_value, increment_by FROM pg_sequences ORDER BY 1, 2

-- name: foreign keys
-- comes: identical
SELECT tc.table_name, kcu.column_name, ccu.table_name AS foreign_table, ccu.column_name AS foreign_column FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu ON tc.constraint_name = kcu.constraint_name AND tc.table_schema = kcu.table_schema JOIN information_schema.constraint_column_usage ccu ON ccu.constraint_name = tc.constraint_name WHERE tc.constraint_type = 'FOREIGN KEY' ORDER BY 1, 2
