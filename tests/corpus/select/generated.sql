-- What BI tools and mappers generate, after the shape of their statements. Own texts. Run on PostgreSQL 15.

-- name: metabase: count by month
SELECT DATE_TRUNC('month', "public"."orders"."ordered_at") AS "ordered_at", COUNT(*) AS "count" FROM "public"."orders" GROUP BY DATE_TRUNC('month', "public"."orders"."ordered_at") ORDER BY DATE_TRUNC('month', "public"."orders"."ordered_at") ASC

-- name: metabase: question with join and filter
-- Metabase:: userID: 1 queryType: MBQL queryHash: 5c2c
SELECT "source"."country" AS "country", SUM("source"."total") AS "sum" FROM (SELECT "public"."orders"."id" AS "id", "public"."orders"."total" AS "total", "Customers"."country" AS "country" FROM "public"."orders" LEFT JOIN "public"."customers" AS "Customers" ON "public"."orders"."customer_id" = "Customers"."id") AS "source" WHERE ("source"."country" <> 'DE' OR "source"."country" IS NULL) GROUP BY "source"."country" ORDER BY "sum" DESC, "source"."country" ASC LIMIT 2000

-- name: metabase: relative date
SELECT COUNT(*) AS "count" FROM "public"."orders" WHERE "public"."orders"."ordered_at" >= DATE_TRUNC('month', (NOW() + INTERVAL '-12 month')) AND "public"."orders"."ordered_at" < DATE_TRUNC('month', NOW())

-- name: metabase: day of week
SELECT (CAST(EXTRACT(dow FROM "ordered_at") AS integer) + 1) AS dow, CAST("ordered_at" AS date), COUNT(DISTINCT "customer_id") FROM "public"."orders" GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 3

-- name: metabase: bins
SELECT ((FLOOR((("public"."orders"."total" - 0.0) / 500.0)) * 500.0) + 0.0) AS "total", COUNT(*) AS "count" FROM "public"."orders" GROUP BY ((FLOOR((("public"."orders"."total" - 0.0) / 500.0)) * 500.0) + 0.0) ORDER BY 1

-- name: metabase: fingerprint sample
SELECT "public"."customers"."id" AS "id", SUBSTRING("public"."customers"."name", 1, 1234) AS "substring1" FROM "public"."customers" LIMIT 10

-- name: metabase: nested json unfold
SELECT (("public"."customers"."profile"#>> array['age']::text[])::bigint) AS "profile → age", COUNT(*) FROM "public"."customers" GROUP BY 1 ORDER BY 1 LIMIT 3

-- name: metabase: regex and concat
SELECT CASE WHEN "name" ~ '(?i)1$' THEN CONCAT("name", ' ', "email") ELSE NULLIF(TRIM("name"), '') END AS "x" FROM "public"."customers" ORDER BY "id" LIMIT 3

-- name: tableau: extract sample
SELECT "orders"."id" AS "id", "orders"."status" AS "status", CAST("orders"."total" AS DOUBLE PRECISION) AS "total" FROM "public"."orders" "orders" LIMIT 10

-- name: tableau: cursor
-- needs: select
begin;declare "SQL_CUR0x7f8" cursor with hold for SELECT "orders"."status" AS "status", SUM("orders"."total") AS "sum:total:ok" FROM "public"."orders" "orders" GROUP BY 1;fetch 10 in "SQL_CUR0x7f8"

-- name: tableau: temporary table probe
-- needs: info
SELECT 1 AS "COL" FROM (SELECT 1 AS x) t LIMIT 1

-- name: tableau: week calculation
SELECT (CAST(DATE_TRUNC('WEEK', CAST("orders"."ordered_at" AS TIMESTAMP)) AS DATE) + (-1) * INTERVAL '1 DAY') AS "twk:ordered_at:ok", SUM(1) AS "cnt" FROM "public"."orders" "orders" WHERE (("orders"."currency" >= 'EUR') AND ("orders"."currency" <= 'USD')) GROUP BY 1 HAVING (COUNT(1) > 0) ORDER BY 1 LIMIT 3

-- name: tableau: level of detail
SELECT "t0"."country", AVG(CAST("t0"."m" AS DOUBLE PRECISION)) AS "avg" FROM (SELECT "customers"."country" AS "country", MAX("orders"."total") AS "m" FROM "public"."orders" "orders" INNER JOIN "public"."customers" "customers" ON ("orders"."customer_id" = "customers"."id") GROUP BY 1, "customers"."id") "t0" GROUP BY 1 ORDER BY 1

-- name: powerbi: character sets
-- needs: info
select character_set_name from INFORMATION_SCHEMA.character_sets

-- name: powerbi: table list
-- needs: info
select TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE from INFORMATION_SCHEMA.tables where TABLE_SCHEMA not in ('information_schema', 'pg_catalog') order by TABLE_SCHEMA, TABLE_NAME

-- name: powerbi: columns
-- needs: info
select COLUMN_NAME, ORDINAL_POSITION, IS_NULLABLE, case when (data_type like '%unsigned%') then DATA_TYPE || ' unsigned' else DATA_TYPE end as DATA_TYPE from INFORMATION_SCHEMA.columns where TABLE_SCHEMA = 'public' and TABLE_NAME = 'orders' order by TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION

-- name: powerbi: keys
-- needs: info
select pkcol.COLUMN_NAME as PK_COLUMN_NAME, fkcol.TABLE_SCHEMA AS FK_TABLE_SCHEMA, fkcol.TABLE_NAME AS FK_TABLE_NAME, fkcol.COLUMN_NAME as FK_COLUMN_NAME, fkcol.ORDINAL_POSITION as ORDINAL, fkcon.CONSTRAINT_SCHEMA || '_' || fkcol.TABLE_NAME || '_' || 'orders' || '_' || fkcon.CONSTRAINT_NAME as FK_NAME from (select distinct constraint_catalog, constraint_schema, unique_constraint_schema, constraint_name, unique_constraint_name from INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS) fkcon inner join INFORMATION_SCHEMA.KEY_COLUMN_USAGE fkcol on fkcon.CONSTRAINT_SCHEMA = fkcol.CONSTRAINT_SCHEMA and fkcon.CONSTRAINT_NAME = fkcol.CONSTRAINT_NAME inner join INFORMATION_SCHEMA.KEY_COLUMN_USAGE pkcol on fkcon.UNIQUE_CONSTRAINT_SCHEMA = pkcol.CONSTRAINT_SCHEMA and fkcon.UNIQUE_CONSTRAINT_NAME = pkcol.CONSTRAINT_NAME where pkcol.TABLE_SCHEMA = 'public' and pkcol.TABLE_NAME = 'orders' and pkcol.ORDINAL_POSITION = fkcol.ORDINAL_POSITION order by FK_NAME, fkcol.ORDINAL_POSITION

-- name: powerbi: navigation
select "$Table"."id" as "id", "$Table"."status" as "status" from "public"."orders" "$Table" order by 1 limit 5

-- name: powerbi: direct query
select "_"."c1", count("_"."c0")::decimal as "a0" from (select "$Table"."id" as "c0", "$Table"."status" as "c1" from "public"."orders" "$Table") "_" where "_"."c1" = 'open' and "_"."c1" is not null group by "_"."c1" limit 1000001

-- name: looker: dimension groups
SELECT (DATE(orders.ordered_at AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York')) AS "orders.created_date", COALESCE(SUM(orders.total), 0) AS "orders.total" FROM public.orders AS orders WHERE ((( orders.ordered_at ) >= ((TIMESTAMP '2024-03-01')) AND ( orders.ordered_at ) < ((TIMESTAMP '2024-04-01')))) GROUP BY 1 ORDER BY 1 DESC FETCH NEXT 500 ROWS ONLY

-- name: looker: symmetric aggregates
SELECT COALESCE(COALESCE(CAST((SUM(DISTINCT (CAST(FLOOR(COALESCE(orders.total, 0) * (1000000 * 1.0)) AS DECIMAL(65, 0))) + ('x' || MD5(orders.id::varchar))::bit(64)::bigint::DECIMAL(65) * 18446744073709551616 + ('x' || SUBSTR(MD5(orders.id::varchar), 17))::bit(64)::bigint::DECIMAL(65)) - SUM(DISTINCT ('x' || MD5(orders.id::varchar))::bit(64)::bigint::DECIMAL(65) * 18446744073709551616 + ('x' || SUBSTR(MD5(orders.id::varchar), 17))::bit(64)::bigint::DECIMAL(65))) AS DOUBLE PRECISION) / CAST((1000000 * 1.0) AS DOUBLE PRECISION), 0), 0) AS "total" FROM orders LEFT JOIN order_items i ON i.order_id = orders.id

-- name: looker: pivots
SELECT * FROM (SELECT *, DENSE_RANK() OVER (ORDER BY z___min_rank) AS z___pivot_row_rank, RANK() OVER (PARTITION BY z__pivot_col_rank ORDER BY z___min_rank) AS z__pivot_col_ordering FROM (SELECT *, MIN(z___rank) OVER (PARTITION BY "orders.status") AS z___min_rank FROM (SELECT *, RANK() OVER (ORDER BY CASE WHEN z__pivot_col_rank = 1 THEN (CASE WHEN "orders.count" IS NOT NULL THEN 0 ELSE 1 END) ELSE 2 END, CASE WHEN z__pivot_col_rank = 1 THEN "orders.count" ELSE NULL END DESC, "orders.count" DESC) AS z___rank FROM (SELECT *, DENSE_RANK() OVER (ORDER BY CASE WHEN "orders.currency" IS NULL THEN 1 ELSE 0 END, "orders.currency") AS z__pivot_col_rank FROM (SELECT orders.status AS "orders.status", orders.currency AS "orders.currency", COUNT(*) AS "orders.count" FROM orders GROUP BY 1, 2) ww) bb WHERE z__pivot_col_rank <= 16384) aa) xx) zz WHERE z___pivot_row_rank <= 500 OR z__pivot_col_ordering = 1 ORDER BY z___pivot_row_rank, 2

-- name: superset: time grain
SELECT DATE_TRUNC('day', ordered_at) AS __timestamp, status AS status, count(*) AS count FROM public.orders WHERE ordered_at >= TO_TIMESTAMP('2024-02-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') AND ordered_at < TO_TIMESTAMP('2024-03-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') GROUP BY status, DATE_TRUNC('day', ordered_at) ORDER BY count DESC, 1 LIMIT 50000

-- name: superset: virtual dataset
SELECT country AS country, sum(n) AS "SUM(n)" FROM (WITH x AS (SELECT country, 1 AS n FROM customers) SELECT * FROM x) AS virtual_table GROUP BY country ORDER BY "SUM(n)" DESC, 1 LIMIT 1000

-- name: superset: cost estimate
-- needs: explain,info
EXPLAIN SELECT * FROM public.orders LIMIT 100

-- name: superset: series limit
SELECT DATE_TRUNC('month', o.ordered_at) AS __timestamp, o.status, sum(o.total) FROM orders o JOIN (SELECT status AS status__, sum(total) AS mme_inner__ FROM orders GROUP BY status ORDER BY mme_inner__ DESC LIMIT 3) AS series_limit ON o.status = status__ GROUP BY o.status, 1 ORDER BY 3 DESC LIMIT 5

-- name: grafana: time group expanded
SELECT floor(extract(epoch from at)/300)*300 AS "time", host AS metric, avg(cpu) AS "value" FROM metrics WHERE at BETWEEN '2025-06-01T00:00:00Z' AND '2025-06-02T00:00:00Z' GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 5

-- name: grafana: gap fill
SELECT time_bucket.t AS time, coalesce(avg(m.cpu), 0) > 0 AS value FROM generate_series('2025-06-01'::timestamptz, '2025-06-01 01:00'::timestamptz, '5 minutes'::interval) AS time_bucket(t) LEFT JOIN metrics m ON m.at >= time_bucket.t AND m.at < time_bucket.t + interval '5 minutes' GROUP BY 1 ORDER BY 1

-- name: grafana: variable
-- needs: info
SELECT quote_ident(table_name) FROM information_schema.tables WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', '_timescaledb_cache', '_timescaledb_catalog') ORDER BY 1

-- name: grafana: search path tables
-- needs: info
SELECT CASE WHEN quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END FROM generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1), array_upper(string_to_array(current_setting('search_path'), ','), 1)) AS i, string_to_array(current_setting('search_path'), ',') s) THEN quote_ident(table_name) ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS "table" FROM information_schema.tables WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog') ORDER BY 1

-- name: grafana: version
-- needs: info
SELECT current_setting('server_version_num')::int/100 as version

-- name: grafana: macro with rate
SELECT at AS time, CASE WHEN cpu >= lag(cpu) OVER w THEN cpu - lag(cpu) OVER w WHEN lag(cpu) OVER w IS NULL THEN NULL ELSE cpu END IS NULL AS r FROM metrics WHERE host = 'web-1' WINDOW w AS (PARTITION BY host ORDER BY at) ORDER BY at LIMIT 3

-- name: redash: introspection
-- needs: info
SELECT s.nspname AS table_schema, c.relname AS table_name, a.attname AS column_name, a.atttypid::regtype AS column_type FROM pg_class c JOIN pg_namespace s ON c.relnamespace = s.oid AND s.nspname NOT IN ('pg_catalog', 'information_schema') JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE c.relkind IN ('m', 'f', 'p') UNION SELECT table_schema, table_name, column_name, data_type::regtype FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND data_type <> 'USER-DEFINED' AND data_type <> 'ARRAY' ORDER BY 1, 2, 3 LIMIT 20

-- name: dbt: relations
-- needs: info
select 'shop' as database, tablename as name, schemaname as schema, 'table' as type from pg_tables where schemaname ilike 'public' union all select 'shop' as database, viewname as name, schemaname as schema, 'view' as type from pg_views where schemaname ilike 'public' union all select 'shop', matviewname, schemaname, 'materialized_view' from pg_matviews where schemaname ilike 'public' order by 2

-- name: dbt: create table as
-- needs: ddl,select
/* {"app": "dbt", "dbt_version": "1.7.0"} */ create table "public"."dim_customers__dbt_tmp" as ( with source as (select * from customers) select id, name from source );

-- name: dbt: swap
-- needs: ddl
alter table "public"."dim_customers__dbt_tmp" rename to "dim_customers"

-- name: dbt: drop
-- needs: ddl
drop table if exists "public"."dim_customers" cascade

-- name: dbt: test
select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error from ( select email as unique_field, count(*) as n_records from customers where email is not null group by email having count(*) > 1 ) dbt_internal_test

-- name: dbt: incremental delete
-- needs: dml,select
delete from "public"."audit_notes" as DBT_INTERNAL_DEST where (id) in (select distinct id from audit_notes as DBT_INTERNAL_SOURCE where id < 0)

-- name: airbyte: cursor
SELECT "id","status","ordered_at" FROM "public"."orders" WHERE "ordered_at" > $1 OR "ordered_at" IS NULL ORDER BY "ordered_at" ASC

-- name: fivetran: ctid ranges
SELECT ctid::text, xmin::text::bigint, "id" FROM "public"."orders" WHERE ctid > '(0,1)'::tid AND ctid <= ALL (ARRAY['(0,5)']::tid[]) ORDER BY ctid

-- name: hibernate: entity
select c1_0.id,c1_0.birth,c1_0.country,c1_0.email,c1_0.name from customers c1_0 where c1_0.id=$1

-- name: hibernate: join fetch
select distinct o1_0.id,o1_0.customer_id,i1_0.order_id,i1_0.line_no,i1_0.quantity from orders o1_0 left join order_items i1_0 on o1_0.id=i1_0.order_id where o1_0.status in ($1,$2,$3) order by o1_0.id asc nulls last offset $4 rows fetch first $5 rows only

-- name: hibernate: count subselect
select count(distinct c1_0.id) from customers c1_0 left join orders o1_0 on c1_0.id=o1_0.customer_id where (select count(o2_0.id) from orders o2_0 where o2_0.customer_id=c1_0.id)>$1 and lower(c1_0.name) like lower($2) escape '\'

-- name: hibernate: pessimistic
-- needs: dml,select
select o1_0.id,o1_0.total from orders o1_0 where o1_0.id=$1 for no key update

-- name: hibernate: skip locked
-- needs: dml,select
select j1_0.id from jobs j1_0 where j1_0.queue=$1 order by j1_0.run_at fetch first $2 rows only for update skip locked

-- name: hibernate: case mapping
select case when c1_0.status='new' then 0 when c1_0.status='active' then case when c1_0.country='DE' then 1 else 2 end end from customers c1_0 order by c1_0.id limit 3

-- name: hibernate: tuple in
select s1_0.product_id,s1_0.warehouse from stock s1_0 where (s1_0.product_id,s1_0.warehouse) in (($1,$2),($3,$4))

-- name: jooq: multiset
select "c"."id", (select coalesce(jsonb_agg(jsonb_build_array("v0", "v1")), jsonb_build_array()) from (select "o"."id" as "v0", "o"."total" as "v1" from "public"."orders" as "o" where "o"."customer_id" = "c"."id" order by "o"."id") as "t") as "orders" from "public"."customers" as "c" order by "c"."id" fetch next 2 rows only

-- name: jooq: seek
select "public"."orders"."id" from "public"."orders" where ("public"."orders"."total", "public"."orders"."id") > (cast($1 as numeric), cast($2 as bigint)) order by "public"."orders"."total", "public"."orders"."id" fetch next $3 rows only

-- name: jooq: values table
select "v"."a" from (values (1, 'x'), (2, 'y')) as "v" ("a", "b") where "v"."a" = any(cast($1 as int[]))

-- name: activerecord: find
SELECT "customers".* FROM "customers" WHERE "customers"."id" = $1 LIMIT $2

-- name: activerecord: includes
SELECT "orders".* FROM "orders" WHERE "orders"."customer_id" IN ($1, $2, $3)

-- name: activerecord: eager load
SELECT "customers"."id" AS t0_r0, "customers"."name" AS t0_r1, "orders"."id" AS t1_r0 FROM "customers" LEFT OUTER JOIN "orders" ON "orders"."customer_id" = "customers"."id" WHERE "orders"."status" = $1 ORDER BY "customers"."id" ASC

-- name: activerecord: exists
SELECT 1 AS one FROM "orders" WHERE "orders"."customer_id" = $1 LIMIT $2

-- name: activerecord: pluck in batches
SELECT "orders"."id" FROM "orders" WHERE "orders"."id" > 100 ORDER BY "orders"."id" ASC LIMIT 100

-- name: activerecord: count with subquery
SELECT COUNT(*) FROM (SELECT DISTINCT "orders"."customer_id" FROM "orders" LIMIT 5) subquery_for_count

-- name: activerecord: cache version
SELECT COUNT(*) AS "size", MAX("customers"."updated_at") AS timestamp FROM "customers"

-- name: activerecord: sum grouped
SELECT SUM("orders"."total") AS "sum_total", "orders"."status" AS "orders_status" FROM "orders" GROUP BY "orders"."status" ORDER BY 2

-- name: activerecord: explain
-- needs: explain,info
EXPLAIN (ANALYZE false, VERBOSE) SELECT "orders".* FROM "orders"

-- name: ecto: preload
SELECT o0."id", o0."total", o0."customer_id", o0."customer_id" FROM "orders" AS o0 WHERE (o0."customer_id" = ANY($1)) ORDER BY o0."customer_id"

-- name: ecto: subquery
SELECT s0."country", count(s0."id") FROM (SELECT sc0."id" AS "id", sc0."country" AS "country" FROM "customers" AS sc0 WHERE (sc0."country" = $1)) AS s0 GROUP BY s0."country"

-- name: ecto: lateral
SELECT c0."id", f1."id" FROM "customers" AS c0 INNER JOIN LATERAL (SELECT so0."id" FROM orders AS so0 WHERE so0.customer_id = c0."id" ORDER BY so0.id DESC LIMIT 1) AS f1 ON TRUE ORDER BY 1 LIMIT 3

-- name: ecto: window
SELECT o0."id", row_number() OVER "w" FROM "orders" AS o0 WINDOW "w" AS (PARTITION BY o0."customer_id" ORDER BY o0."id") ORDER BY 1 LIMIT 3

-- name: ecto: fragment
SELECT c0."id" FROM "customers" AS c0 WHERE (c0."profile"->>'lang' = $1::varchar) AND (lower(c0."name") ILIKE $2) LIMIT 5

-- name: prisma: find many
SELECT "public"."orders"."id", "public"."orders"."status" FROM "public"."orders" WHERE ("public"."orders"."status" = $1 AND "public"."orders"."total" >= $2) ORDER BY "public"."orders"."id" ASC LIMIT $3 OFFSET $4

-- name: prisma: relation filter
SELECT "public"."customers"."id" FROM "public"."customers" WHERE ("public"."customers"."id") IN (SELECT "t1"."customer_id" FROM "public"."orders" AS "t1" WHERE ("t1"."total" > $1 AND "t1"."customer_id" IS NOT NULL)) OFFSET $2

-- name: prisma: join strategy
SELECT "t0"."id", "Customer_orders"."__prisma_data__" AS "orders" FROM "public"."customers" AS "t0" LEFT JOIN LATERAL (SELECT COALESCE(JSONB_AGG("__prisma_data__"), '[]') AS "__prisma_data__" FROM (SELECT "t3"."__prisma_data__" FROM (SELECT JSONB_BUILD_OBJECT('id', "t2"."id", 'total', "t2"."total") AS "__prisma_data__" FROM (SELECT "t1".* FROM "public"."orders" AS "t1" WHERE "t0"."id" = "t1"."customer_id" /* root select */) AS "t2" /* inner select */) AS "t3" /* middle select */) AS "t4" /* outer select */) AS "Customer_orders" ON true ORDER BY "t0"."id" LIMIT 2

-- name: prisma: aggregate
SELECT COUNT(*), SUM("total") FROM (SELECT "public"."orders"."id", "public"."orders"."total" FROM "public"."orders" WHERE 1=1 OFFSET $1) AS "sub"

-- name: gorm: first
SELECT * FROM "orders" WHERE "orders"."id" = 10 AND "orders"."note" IS NULL ORDER BY "orders"."id" LIMIT 1

-- name: gorm: preload
SELECT * FROM "orders" WHERE "orders"."customer_id" IN (1,2,3) ORDER BY id

-- name: gorm: migrator columns
-- needs: info
SELECT c.column_name, c.is_nullable = 'YES', c.udt_name, c.character_maximum_length, c.numeric_precision, c.numeric_precision_radix, c.numeric_scale, c.datetime_precision, 8 * typlen, c.column_default, pd.description, c.identity_increment FROM information_schema.columns AS c JOIN pg_type AS pgt ON c.udt_name = pgt.typname LEFT JOIN pg_catalog.pg_description as pd ON pd.objsubid = c.ordinal_position AND pd.objoid = (SELECT oid FROM pg_catalog.pg_class WHERE relname = c.table_name AND relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = c.table_schema)) where table_catalog = 'x' AND table_schema = CURRENT_SCHEMA() AND table_name = 'orders'

-- name: gorm: constraint columns
-- needs: info
SELECT constraint_name FROM information_schema.table_constraints tc JOIN information_schema.constraint_column_usage AS ccu USING (constraint_schema, constraint_catalog, table_name, constraint_name) JOIN information_schema.columns AS c ON c.table_schema = tc.constraint_schema AND tc.table_name = c.table_name AND ccu.column_name = c.column_name WHERE constraint_type IN ('PRIMARY KEY', 'UNIQUE') AND c.table_schema = CURRENT_SCHEMA() AND tc.table_name = 'customers' ORDER BY 1

-- name: ef: split include
SELECT c.id, c.name, t.id, t.total FROM customers AS c LEFT JOIN (SELECT o.id, o.total, o.customer_id FROM orders AS o WHERE o.total > 5.0) AS t ON c.id = t.customer_id WHERE c.name LIKE 'C%' ESCAPE '' ORDER BY c.id NULLS FIRST LIMIT 3

-- name: ef: any
SELECT EXISTS (SELECT 1 FROM orders AS o WHERE o.status = $1 OR (o.status IS NULL AND $1 IS NULL))

-- name: ef: date parts
SELECT date_part('year', o.ordered_at AT TIME ZONE 'UTC')::int AS "Year", COALESCE(sum(o.total), 0.0) AS "Sum" FROM orders AS o GROUP BY date_part('year', o.ordered_at AT TIME ZONE 'UTC')::int ORDER BY 1

-- name: ef: starts with
SELECT c.id FROM customers AS c WHERE ($1 = '') OR (c.name LIKE $1 || '%' AND left(c.name, length($1))::text = $1::text)

-- name: ef: array and json
SELECT c.id FROM customers AS c WHERE c.tags @> ARRAY['vip']::text[] AND c.profile #>> '{lang}' = 'de' AND cardinality(c.tags) > 1 AND c.tags[1] = 'vip' ORDER BY c.id

-- name: npgsql: types
-- needs: info
SELECT ns.nspname, t.oid, t.typname, t.typtype, t.typnotnull, t.elemtypoid FROM (SELECT typ.oid, typ.typnamespace, typ.typname, typ.typtype, typ.typrelid, typ.typnotnull, typ.relkind, elemtyp.oid AS elemtypoid FROM (SELECT typ.oid, typnamespace, typname, typrelid, typnotnull, relkind, typelem AS elemoid, CASE WHEN proc.proname='array_recv' THEN 'a' ELSE typ.typtype END AS typtype FROM pg_type AS typ LEFT JOIN pg_class AS cls ON (cls.oid = typ.typrelid) LEFT JOIN pg_proc AS proc ON proc.oid = typ.typreceive LEFT JOIN pg_range ON (pg_range.rngtypid = typ.oid)) AS typ LEFT JOIN pg_type AS elemtyp ON elemtyp.oid = typ.elemoid) AS t JOIN pg_namespace AS ns ON (ns.oid = typnamespace) WHERE typtype IN ('b', 'r', 'm', 'e', 'd') ORDER BY CASE WHEN typtype IN ('b', 'e', 'p') THEN 0 WHEN typtype = 'r' THEN 1 ELSE 2 END, t.oid LIMIT 20

-- name: npgsql: composite fields
-- needs: info
SELECT typ.oid, att.attname, att.atttypid FROM pg_type AS typ JOIN pg_namespace AS ns ON (ns.oid = typ.typnamespace) JOIN pg_class AS cls ON (cls.oid = typ.typrelid) JOIN pg_attribute AS att ON (att.attrelid = typ.typrelid) WHERE (typ.typtype = 'c' AND cls.relkind='c') AND attnum > 0 AND NOT attisdropped ORDER BY typ.oid, att.attnum

-- name: drizzle: relational query
select "customers"."id", "customers_orders"."data" as "orders" from "customers" "customers" left join lateral (select coalesce(json_agg(json_build_array("customers_orders"."id", "customers_orders"."total")), '[]'::json) as "data" from "orders" "customers_orders" where "customers_orders"."customer_id" = "customers"."id") "customers_orders" on true order by "customers"."id" limit $1

-- name: diesel: boxed
SELECT "orders"."id", "orders"."status" FROM "orders" WHERE (("orders"."status" = $1) AND ("orders"."id" = ANY($2))) ORDER BY "orders"."id" DESC LIMIT $3

-- name: sqlx: query as
SELECT id, name AS "name!", email AS "email?", status AS "status: _" FROM customers WHERE id = $1

-- name: doctrine: paginator
SELECT DISTINCT id_0, MIN(sclr_5) AS dctrn_minrownum FROM (SELECT c0_.id AS id_0, c0_.name AS name_1, ROW_NUMBER() OVER (ORDER BY c0_.name ASC) AS sclr_5 FROM customers c0_ LEFT JOIN orders o1_ ON c0_.id = o1_.customer_id) dctrn_result GROUP BY id_0 ORDER BY dctrn_minrownum ASC LIMIT 10

-- name: doctrine: schema of tables
-- needs: info
SELECT quote_ident(n.nspname) AS schema_name, quote_ident(c.relname) AS table_name, CASE c.relpersistence WHEN 'u' THEN true ELSE false END as unlogged, obj_description(c.oid, 'pg_class') AS comment FROM pg_class c INNER JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = ANY(CURRENT_SCHEMAS(false)) ORDER BY 1, 2

-- name: eloquent: where has
select * from "customers" where exists (select * from "orders" where "customers"."id" = "orders"."customer_id" and "total" > $1) and "country" in ($2, $3) order by "id" asc limit 15 offset 0

-- name: eloquent: aggregate select
select "customers".*, (select count(*) from "orders" where "customers"."id" = "orders"."customer_id") as "orders_count", (select max("orders"."total") from "orders" where "customers"."id" = "orders"."customer_id") as "orders_max_total" from "customers" order by "id" limit 2

-- name: eloquent: json where
select * from "customers" where "profile"->>'lang' = $1 and ("profile")::jsonb @> $2 and "created_at"::date = $3

-- name: django: annotate
SELECT "customers"."id", COUNT("orders"."id") FILTER (WHERE "orders"."total" > 5) AS "n", COALESCE(SUM("orders"."total"), 0) AS "s" FROM "customers" LEFT OUTER JOIN "orders" ON ("customers"."id" = "orders"."customer_id") GROUP BY "customers"."id" HAVING COUNT("orders"."id") > 1 ORDER BY "n" DESC, 1 LIMIT 21

-- name: django: full text
SELECT "documents"."id", ts_rank(to_tsvector(COALESCE("documents"."body", '')), plainto_tsquery('tea')) AS "rank" FROM "documents" WHERE to_tsvector(COALESCE("documents"."body", '')) @@ (plainto_tsquery('tea')) ORDER BY "rank" DESC

-- name: django: date trunc
SELECT DATE_TRUNC('month', "orders"."ordered_at" AT TIME ZONE 'Europe/Berlin') AS "m", EXTRACT(ISOYEAR FROM "orders"."ordered_at" AT TIME ZONE 'UTC') AS "y" FROM "orders" ORDER BY "orders"."id" LIMIT 2

-- name: sqlalchemy: selectin
SELECT orders.customer_id AS orders_customer_id, orders.id AS orders_id FROM orders WHERE orders.customer_id IN ($1::BIGINT, $2::BIGINT)

-- name: sqlalchemy: cte
WITH RECURSIVE anon_1(id, parent_id) AS (SELECT categories.id AS id, categories.parent_id AS parent_id FROM categories WHERE categories.id = $1::INTEGER UNION ALL SELECT c.id AS id, c.parent_id AS parent_id FROM categories AS c JOIN anon_1 ON c.parent_id = anon_1.id) SELECT anon_1.id FROM anon_1

-- name: sequelize: find and count
SELECT "order"."id", "customer"."id" AS "customer.id", "customer"."name" AS "customer.name" FROM "orders" AS "order" LEFT OUTER JOIN "customers" AS "customer" ON "order"."customer_id" = "customer"."id" WHERE ("order"."status" = 'open' OR "order"."total" BETWEEN 1 AND 5) ORDER BY "order"."id" LIMIT 3 OFFSET 0;

-- name: typeorm: paginated
SELECT DISTINCT "distinctAlias"."o_id" AS "ids_o_id" FROM (SELECT "o"."id" AS "o_id", "c"."name" AS "c_name" FROM "orders" "o" LEFT JOIN "customers" "c" ON "c"."id"="o"."customer_id") "distinctAlias" ORDER BY "o_id" ASC LIMIT 10

-- name: knex: with recursive
with recursive "t" as (select "id" from "categories" where "id" = $1 union all select "c"."id" from "categories" as "c" inner join "t" on "c"."parent_id" = "t"."id") select * from "t"

-- name: hasura: root
SELECT coalesce(json_agg("root"), '[]') AS "root" FROM (SELECT row_to_json((SELECT "_e" FROM (SELECT "_root.base"."id" AS "id", "_root.base"."name" AS "name") AS "_e")) AS "root" FROM (SELECT * FROM "public"."customers" WHERE ('true') ORDER BY "id" LIMIT 2) AS "_root.base") AS "_root"

-- name: postgrest: read
WITH pgrst_source AS (SELECT "public"."orders"."id", "public"."orders"."status" FROM "public"."orders" WHERE "public"."orders"."id" < $1 LIMIT $2 OFFSET $3) SELECT null::bigint AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, coalesce(json_agg(_postgrest_t), '[]')::character varying AS body, nullif(current_setting('response.headers', true), '') AS response_headers FROM (SELECT * FROM pgrst_source) _postgrest_t

-- name: postgraphile: introspection
-- needs: info
select pg_catalog.current_setting('server_version_num') as server_version_num, nsp.oid as id, nsp.nspname as name, dsc.description from pg_catalog.pg_namespace as nsp left join pg_catalog.pg_description as dsc on dsc.objoid = nsp.oid and dsc.classoid = 'pg_catalog.pg_namespace'::regclass where nsp.nspname = 'public'
