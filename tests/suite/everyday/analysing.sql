-- What reports, dashboards and notebooks ask where some columns are masked.

-- name: a dashboard's question around another
-- comes: identical
SELECT "source"."country" AS "country", COUNT(*) AS "count" FROM (SELECT "public"."customers"."id" AS "id", "public"."customers"."email" AS "email", "public"."customers"."country" AS "country" FROM "public"."customers") AS "source" WHERE "source"."country" <> 'XX' GROUP BY "source"."country" ORDER BY "source"."country" ASC

-- name: a dashboard's raw rows
-- comes: masked 3,4,5
SELECT "public"."customers"."id" AS "id", "public"."customers"."full_name" AS "full_name", "public"."customers"."email" AS "email", "public"."customers"."phone" AS "phone", "public"."customers"."birth_date" AS "birth_date" FROM "public"."customers" ORDER BY "public"."customers"."id" LIMIT 2000

-- name: a dashboard's time series
-- comes: identical
SELECT CAST(DATE_TRUNC('month', CAST("public"."orders"."placed_at" AS timestamp)) AS timestamp) AS "placed_at", SUM("public"."orders"."total") AS "sum", COUNT(DISTINCT "public"."orders"."customer_id") AS "count" FROM "public"."orders" GROUP BY CAST(DATE_TRUNC('month', CAST("public"."orders"."placed_at" AS timestamp)) AS timestamp) ORDER BY 1 ASC

-- name: a dashboard's join with the joined table's columns
-- comes: masked 5
SELECT "public"."orders"."id" AS "id", "public"."orders"."total" AS "total", "Customers"."id" AS "Customers__id", "Customers"."full_name" AS "Customers__full_name", "Customers"."email" AS "Customers__email" FROM "public"."orders" LEFT JOIN "public"."customers" AS "Customers" ON "public"."orders"."customer_id" = "Customers"."id" ORDER BY "public"."orders"."id" LIMIT 50

-- name: a dashboard's fingerprint of columns
-- comes: masked 2,3
SELECT "id", SUBSTRING("email", 1, 1234) AS "email", SUBSTRING("phone", 1, 1234) AS "phone", "created_at" FROM "public"."customers" ORDER BY "id" LIMIT 100

-- name: a chart on a virtual table
-- comes: identical
SELECT DATE_TRUNC('week', placed_at) AS __timestamp, status AS status, sum(total) AS "SUM(total)" FROM (SELECT o.*, c.email, c.country FROM orders o JOIN customers c ON c.id = o.customer_id) AS virtual_table WHERE placed_at >= TO_TIMESTAMP('2024-06-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') AND placed_at < TO_TIMESTAMP('2025-06-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') AND country IN ('DE', 'FR') GROUP BY status, DATE_TRUNC('week', placed_at) ORDER BY 1, 2 LIMIT 10000

-- name: a chart with a series limit
-- comes: identical
SELECT date_trunc('month', o.placed_at) AS t, c.city AS city, count(*) AS n FROM orders o JOIN customers c ON c.id = o.customer_id JOIN (SELECT c.city AS city__, count(*) AS mme_inner__ FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY c.city ORDER BY mme_inner__ DESC, 1 LIMIT 3) AS series_limit ON c.city = city__ GROUP BY c.city, date_trunc('month', o.placed_at) ORDER BY t, city

-- name: a worksheet's zero or more rows
-- comes: masked
SELECT * FROM (SELECT * FROM customers) "TableauSQL" LIMIT 0

-- name: a worksheet's measure
-- comes: identical
SELECT "customers"."country" AS "country", SUM(1) AS "sum:Number of Records:ok", AVG(CAST("customers"."credit" AS double precision)) AS "avg:credit:ok" FROM "public"."customers" "customers" INNER JOIN "public"."orders" "orders" ON ("customers"."id" = "orders"."customer_id") GROUP BY 1 ORDER BY 1

-- name: a worksheet's quick filter
-- comes: identical
SELECT "customers"."city" AS "city" FROM "public"."customers" "customers" GROUP BY 1 HAVING (COUNT(1) > 0) ORDER BY 1 ASC NULLS FIRST

-- name: an explore with a derived table
-- comes: identical
WITH order_facts AS (SELECT customer_id, COUNT(*) AS lifetime_orders, MIN(placed_at) AS first_order FROM orders GROUP BY 1) SELECT customers.country AS "customers.country", CASE WHEN order_facts.lifetime_orders = 1 THEN '1' WHEN order_facts.lifetime_orders >= 2 AND order_facts.lifetime_orders < 5 THEN '2 to 4' ELSE '5 or Above' END AS "order_facts.tier", COUNT(DISTINCT customers.id) AS "customers.count" FROM public.customers AS customers LEFT JOIN order_facts ON customers.id = order_facts.customer_id GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 500

-- name: an explore's symmetric aggregate
-- comes: identical
SELECT COALESCE(COALESCE(CAST((SUM(DISTINCT (CAST(FLOOR(COALESCE(orders.total, 0) * (1000000 * 1.0)) AS DECIMAL(65, 0))) + ('x' || MD5(orders.id::varchar))::bit(64)::bigint::DECIMAL(65) * 18446744073709551616 + ('x' || SUBSTR(MD5(orders.id::varchar), 17))::bit(64)::bigint::DECIMAL(65)) - SUM(DISTINCT ('x' || MD5(orders.id::varchar))::bit(64)::bigint::DECIMAL(65) * 18446744073709551616 + ('x' || SUBSTR(MD5(orders.id::varchar), 17))::bit(64)::bigint::DECIMAL(65))) AS DOUBLE PRECISION) / CAST((1000000 * 1.0) AS DOUBLE PRECISION), 0), 0) AS total FROM orders LEFT JOIN order_items ON order_items.order_id = orders.id

-- name: a panel's time group
-- comes: identical
SELECT floor(extract(epoch FROM placed_at) / 86400) * 86400 AS "time", status::text AS metric, count(*) AS value FROM orders WHERE placed_at BETWEEN '2024-07-01T00:00:00Z' AND '2024-07-31T23:59:59Z' GROUP BY 1, 2 ORDER BY 1, 2

-- name: a panel's variable
-- comes: identical
SELECT DISTINCT city AS __text, country AS __value FROM customers ORDER BY 1

-- name: a panel's table
-- comes: masked 3
SELECT o.placed_at AS time, o.total, c.email FROM orders o, customers c WHERE c.id = o.customer_id AND o.placed_at > '2024-12-01'::timestamptz - interval '30 days' AND o.placed_at < '2024-12-01' ORDER BY o.placed_at, o.id LIMIT 100

-- name: a model's staging table
-- comes: masked 3
with source as (select * from customers), renamed as (select id as customer_id, full_name as customer_name, email as customer_email, upper(country) as country_code, created_at::date as signup_date from source) select * from renamed order by customer_id limit 50

-- name: a model's test of uniqueness
-- comes: identical
select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error from (select id as unique_field, count(*) as n_records from "public"."customers" where id is not null group by id having count(*) > 1) dbt_internal_test

-- name: a model's test of nulls
-- comes: identical
select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error from (select email from "public"."customers" where email is null) dbt_internal_test

-- name: a model's test of accepted values
-- comes: identical
with all_values as (select status as value_field, count(*) as n_records from orders group by status) select * from all_values where value_field not in ('new', 'paid', 'shipped', 'delivered', 'returned', 'cancelled')

-- name: a model's test of relationships
-- comes: identical
with child as (select customer_id as from_field from orders where customer_id is not null), parent as (select id as to_field from customers) select count(*) from child left join parent on child.from_field = parent.to_field where parent.to_field is null

-- name: a model's surrogate key
-- comes: identical
select md5(cast(coalesce(cast(order_id as text), '_null_') || '-' || coalesce(cast(position as text), '_null_') as text)) as key, quantity from order_items order by order_id, position limit 20

-- name: a model's deduplication
-- comes: masked 2
with ranked as (select id, email, country, row_number() over (partition by country, city order by created_at desc) as rn from customers) select id, email, country from ranked where rn = 1 order by id

-- name: a model's spine of dates
-- comes: identical
with rawdata as (with p as (select 0 as generated_number union all select 1), unioned as (select p0.generated_number * power(2, 0) + p1.generated_number * power(2, 1) + 1 as generated_number from p as p0 cross join p as p1) select * from unioned where generated_number <= 3 order by generated_number), all_periods as (select (date '2024-01-01' + ((interval '1 day') * (row_number() over (order by generated_number) - 1)))::date as date_day from rawdata) select date_day from all_periods order by 1

-- name: a cohort's retention
-- comes: identical
WITH first AS (SELECT customer_id, date_trunc('month', min(placed_at)) AS cohort FROM orders GROUP BY customer_id), activity AS (SELECT o.customer_id, f.cohort, (extract(year FROM age(date_trunc('month', o.placed_at), f.cohort)) * 12 + extract(month FROM age(date_trunc('month', o.placed_at), f.cohort)))::int AS month_number FROM orders o JOIN first f USING (customer_id)) SELECT cohort, month_number, count(DISTINCT customer_id) AS active, round(100.0 * count(DISTINCT customer_id) / first_value(count(DISTINCT customer_id)) OVER (PARTITION BY cohort ORDER BY month_number), 1) AS percent FROM activity GROUP BY cohort, month_number ORDER BY cohort, month_number

-- name: a funnel
-- comes: identical
SELECT count(*) FILTER (WHERE registered) AS registered, count(*) FILTER (WHERE ordered) AS ordered, count(*) FILTER (WHERE paid) AS paid, round(count(*) FILTER (WHERE paid)::numeric / nullif(count(*) FILTER (WHERE ordered), 0), 3) AS rate FROM (SELECT true AS registered, EXISTS (SELECT FROM orders o WHERE o.customer_id = c.id) AS ordered, EXISTS (SELECT FROM orders o JOIN payments p ON p.order_id = o.id WHERE o.customer_id = c.id) AS paid FROM customers c) AS steps

-- name: a funnel by arrays
-- comes: identical
SELECT steps, count(*) FROM (SELECT customer_id, array_agg(status::text ORDER BY placed_at, id) AS steps FROM orders WHERE customer_id < 50 GROUP BY customer_id) s GROUP BY steps ORDER BY 2 DESC, 1 LIMIT 10

-- name: several percentiles at once
-- comes: identical
SELECT status, percentile_cont(ARRAY[0.25, 0.5, 0.75, 0.95]) WITHIN GROUP (ORDER BY total) AS quartiles, percentile_disc(0.9) WITHIN GROUP (ORDER BY total), mode() WITHIN GROUP (ORDER BY total) FROM orders GROUP BY status ORDER BY status

-- name: a percentile of a masked column
-- comes: unmask sorts or groups by public.employees.salary
SELECT team, percentile_cont(0.5) WITHIN GROUP (ORDER BY salary) FROM employees GROUP BY team ORDER BY team

-- name: statistics
-- comes: identical
SELECT count(*), avg(total), stddev_samp(total), var_pop(total), corr(total, customer_id), regr_slope(total, extract(epoch FROM placed_at)), min(total), max(total), bool_or(total > 100), every(total >= 0) FROM orders

-- name: the average of a masked column
-- comes: masked 2,3
SELECT team, avg(salary), sum(salary), count(salary), max(hired_on) FROM employees GROUP BY team ORDER BY team

-- name: a pivot by cases
-- comes: identical
SELECT country, SUM(CASE WHEN o.status = 'paid' THEN o.total ELSE 0 END) AS paid, SUM(CASE WHEN o.status = 'returned' THEN o.total ELSE 0 END) AS returned, COUNT(CASE WHEN c.phone IS NOT NULL THEN 1 END) AS with_phone FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY country ORDER BY country

-- name: a pivot into json
-- comes: identical
SELECT city, jsonb_object_agg(status, n ORDER BY status) FROM (SELECT c.city, o.status, count(*) AS n FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1, 2) AS t GROUP BY city ORDER BY city

-- name: columns into rows
-- comes: identical
SELECT c.id, v.name, v.value FROM customers c CROSS JOIN LATERAL (VALUES ('country', c.country::text), ('city', c.city), ('credit', c.credit::text)) AS v (name, value) WHERE c.id < 5 ORDER BY 1, 2

-- name: columns into rows, a masked one among them
-- comes: masked 3
SELECT c.id, v.name, v.value FROM customers c CROSS JOIN LATERAL (VALUES ('mail', c.email), ('city', c.city)) AS v (name, value) WHERE c.id < 5 ORDER BY 1, 2

-- name: columns into rows by arrays
-- comes: identical
SELECT id, unnest(ARRAY['country', 'city']) AS name, unnest(ARRAY[country::text, city]) AS value FROM customers WHERE id < 5 ORDER BY 1, 2

-- name: a cube
-- comes: identical
SELECT country, status, count(*), sum(o.total), GROUPING(country) AS all_countries FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY CUBE (country, status) ORDER BY country NULLS LAST, status NULLS LAST

-- name: grouping sets of names, with what holds them
-- comes: identical
SELECT coalesce(country, 'all') AS country, CASE GROUPING(newsletter) WHEN 1 THEN 'both' ELSE newsletter::text END AS newsletter, count(email) FROM customers GROUP BY GROUPING SETS ((country, newsletter), ROLLUP (country)) HAVING count(*) > 1 ORDER BY 1, 2, 3

-- name: everybody below a manager, with a path and no cycles
-- comes: identical
WITH RECURSIVE t (id, name, depth) AS (SELECT id, full_name, 0 FROM employees WHERE manager_id IS NULL UNION ALL SELECT e.id, e.full_name, t.depth + 1 FROM employees e JOIN t ON e.manager_id = t.id) SEARCH DEPTH FIRST BY id SET ordering CYCLE id SET is_cycle USING path SELECT id, repeat('  ', depth) || name AS tree, depth, is_cycle FROM t ORDER BY ordering

-- name: a recursive query's masked columns beside its path
-- comes: masked 3
WITH RECURSIVE t AS (SELECT id, manager_id, email, ARRAY[id] AS path FROM employees WHERE manager_id IS NULL UNION ALL SELECT e.id, e.manager_id, e.email, t.path || e.id FROM employees e JOIN t ON e.manager_id = t.id WHERE NOT e.id = ANY (t.path)) SELECT id, manager_id, email, path, array_length(path, 1) AS level FROM t ORDER BY path

-- name: numbers by recursion
-- comes: identical
WITH RECURSIVE n (i, f) AS (VALUES (1, 1::numeric) UNION ALL SELECT i + 1, f * (i + 1) FROM n WHERE i < 20) SELECT i, f FROM n

-- name: gaps in ids
-- comes: identical
SELECT customer_id + 1 AS gap_from, next - 1 AS gap_to FROM (SELECT customer_id, lead(customer_id) OVER (ORDER BY customer_id) AS next FROM (SELECT DISTINCT customer_id FROM orders) d) t WHERE next > customer_id + 1 ORDER BY 1 LIMIT 20

-- name: islands of days
-- comes: identical
WITH days AS (SELECT DISTINCT placed_at::date AS day FROM orders WHERE customer_id % 50 = 0), grouped AS (SELECT day, day - (row_number() OVER (ORDER BY day))::int AS island FROM days) SELECT min(day) AS from_day, max(day) AS to_day, count(*) AS days FROM grouped GROUP BY island HAVING count(*) > 1 ORDER BY 1

-- name: sessions by gaps of time
-- comes: identical
SELECT customer_id, session, min(placed_at), max(placed_at), count(*) FROM (SELECT customer_id, placed_at, sum(is_new) OVER (PARTITION BY customer_id ORDER BY placed_at) AS session FROM (SELECT customer_id, placed_at, CASE WHEN placed_at - lag(placed_at) OVER (PARTITION BY customer_id ORDER BY placed_at) < interval '30 days' THEN 0 ELSE 1 END AS is_new FROM orders WHERE customer_id < 30) a) b GROUP BY 1, 2 ORDER BY 1, 2

-- name: the top three orders of each customer
-- comes: masked 2
SELECT c.id, c.email, t.id AS order_id, t.total FROM customers c CROSS JOIN LATERAL (SELECT o.id, o.total FROM orders o WHERE o.customer_id = c.id ORDER BY o.total DESC, o.id FETCH FIRST 3 ROWS ONLY) t WHERE c.country = 'DE' ORDER BY c.id, t.total DESC, t.id LIMIT 50

-- name: the top three by rank
-- comes: identical
SELECT * FROM (SELECT c.country, c.full_name, sum(o.total) AS spent, dense_rank() OVER (PARTITION BY c.country ORDER BY sum(o.total) DESC) AS place FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.country, c.id, c.full_name) r WHERE place <= 3 ORDER BY country, place, full_name

-- name: frames of windows
-- comes: identical
SELECT id, total, avg(total) OVER (ORDER BY id ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS rolling, sum(total) OVER (ORDER BY placed_at RANGE BETWEEN interval '7 days' PRECEDING AND CURRENT ROW) AS week, max(total) OVER (ORDER BY id GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) AS beside, first_value(total) OVER w, last_value(total) OVER w, nth_value(total, 2) OVER w, ntile(4) OVER w, percent_rank() OVER w, cume_dist() OVER w FROM orders WHERE id <= 60 WINDOW w AS (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) ORDER BY id

-- name: a window over masked columns' owners
-- comes: masked 2,4
SELECT id, salary, hired_on, first_value(salary) OVER (PARTITION BY team ORDER BY hired_on, id) AS first, count(*) OVER (PARTITION BY team) AS people FROM employees ORDER BY id

-- name: a share of the total
-- comes: identical
SELECT status, count(*) AS n, round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS percent FROM orders GROUP BY status ORDER BY status

-- name: every day, also those without orders
-- comes: identical
SELECT d.day::date, coalesce(count(o.id), 0) AS orders, coalesce(sum(o.total), 0)::numeric(12, 2) AS revenue FROM generate_series(timestamptz '2024-06-01', timestamptz '2024-07-15', interval '1 day') AS d (day) LEFT JOIN orders o ON o.placed_at >= d.day AND o.placed_at < d.day + interval '1 day' GROUP BY d.day ORDER BY d.day

-- name: buckets of a quarter of an hour
-- comes: identical
SELECT date_bin('15 minutes', placed_at, timestamptz '2024-01-01') AS bucket, count(*) FROM orders WHERE id < 100 GROUP BY bucket ORDER BY bucket

-- name: hours of the day and days of the week
-- comes: identical
SELECT extract(dow FROM placed_at)::int AS dow, extract(hour FROM placed_at AT TIME ZONE 'Europe/Berlin')::int AS hour, count(*) FROM orders GROUP BY 1, 2 ORDER BY 1, 2

-- name: how long ago
-- comes: identical
SELECT id, justify_interval(timestamptz '2025-06-01' - placed_at), date_part('day', shipped_at - placed_at), age(timestamptz '2025-06-01', placed_at), make_interval(hours => 3), shipped_at - placed_at > interval '1 day 2 hours' FROM orders WHERE shipped_at IS NOT NULL ORDER BY id LIMIT 20

-- name: how orders went from year to year
-- comes: identical
WITH m AS (SELECT date_trunc('month', placed_at) AS month, sum(total) AS revenue FROM orders GROUP BY 1) SELECT a.month, a.revenue, b.revenue AS last_year, round((a.revenue - b.revenue) / nullif(b.revenue, 0) * 100, 1) AS growth FROM m a LEFT JOIN m b ON b.month = a.month - interval '1 year' ORDER BY 1

-- name: json built for an API
-- comes: identical
SELECT jsonb_build_object('order', o.id, 'customer', jsonb_build_object('id', c.id, 'name', c.full_name), 'items', (SELECT jsonb_agg(jsonb_build_object('sku', p.sku, 'quantity', i.quantity) ORDER BY i.position) FROM order_items i JOIN products p ON p.id = i.product_id WHERE i.order_id = o.id)) FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.id LIMIT 10

-- name: json of a whole row of a table with masked columns
-- comes: masked 2
SELECT id, to_jsonb(c) FROM customers c ORDER BY id LIMIT 3

-- name: json of the whole rows of a join
-- comes: masked 2
SELECT o.id, (SELECT row_to_json(x) FROM (SELECT c.id, c.email) x) AS customer FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.id LIMIT 5

-- name: json unpacked
-- comes: identical
SELECT p.id, a.colour, a.weight_g FROM products p CROSS JOIN LATERAL jsonb_to_record(p.attributes) AS a (colour text, weight_g int) ORDER BY p.id LIMIT 10

-- name: json unpacked from a text
-- comes: identical
SELECT c.id, c.full_name, j.why FROM jsonb_to_recordset('[{"id": 1, "why": "refund"}, {"id": 2, "why": "late"}]') AS j (id bigint, why text) JOIN customers c ON c.id = j.id ORDER BY 1

-- name: json path
-- comes: identical
SELECT id, jsonb_path_query_first(attributes, '$.weight_g'), jsonb_path_exists(attributes, '$.weight_g ? (@ > 1000)'), attributes @> '{"colour": "red"}', attributes ? 'colour', attributes - 'colour', attributes || '{"x": 1}' FROM products ORDER BY id LIMIT 10

-- name: json path, unpacked and typed
-- comes: identical
SELECT (attributes ->> 'weight_g')::int / 1000.0 AS kg, attributes['colour'], jsonb_typeof(attributes -> 'weight_g'), jsonb_pretty(attributes), (SELECT count(*) FROM jsonb_object_keys(attributes)) FROM products ORDER BY id LIMIT 10

-- name: arrays
-- comes: identical
SELECT id, tags, tags[1], cardinality(tags), array_length(tags, 1), 'sale' = ANY (tags), tags && ARRAY['new', 'sale'], tags @> '{home}', array_position(tags, 'sale'), array_remove(tags, 'sale'), array_to_string(tags, '/'), tags || 'x'::text FROM products ORDER BY id LIMIT 20

-- name: arrays unnested with their places
-- comes: identical
SELECT p.id, t.tag, t.n FROM products p CROSS JOIN unnest(p.tags) WITH ORDINALITY AS t (tag, n) ORDER BY 1, 3 LIMIT 20

-- name: two arrays in parallel
-- comes: identical
SELECT * FROM ROWS FROM (unnest(ARRAY[1, 2, 3]), unnest(ARRAY['a', 'b'])) AS t (n, s)

-- name: an array of a subquery
-- comes: identical
SELECT c.id, ARRAY(SELECT o.id FROM orders o WHERE o.customer_id = c.id ORDER BY o.id) AS orders FROM customers c ORDER BY c.id LIMIT 10

-- name: an array of masked values
-- comes: masked 2
SELECT country, array_agg(email ORDER BY id), count(*) FROM customers WHERE id < 20 GROUP BY country ORDER BY country

-- name: texts put together
-- comes: identical
SELECT country, string_agg(DISTINCT city, ', ' ORDER BY city), string_agg(full_name, '; ' ORDER BY full_name) FILTER (WHERE newsletter) FROM customers WHERE id < 40 GROUP BY country ORDER BY country

-- name: texts put together with a masked one
-- comes: masked 2
SELECT country, string_agg(full_name || ' <' || email || '>', '; ' ORDER BY id), min(full_name) FROM customers WHERE id < 40 GROUP BY country ORDER BY country

-- name: regular expressions
-- comes: identical
SELECT id, regexp_replace(full_name, '^(\w)\w*\s+(\w+)$', '\1. \2'), (regexp_match(full_name, '(\w+)$'))[1], regexp_split_to_array(full_name, '\s+'), split_part(full_name, ' ', 2), substring(full_name FROM '^\w+'), full_name ~* '^a', full_name SIMILAR TO 'A%', regexp_count(sku_like, '[0-9]') FROM (SELECT id, full_name, 'SKU-' || id AS sku_like FROM customers) c ORDER BY id LIMIT 20

-- name: words of texts
-- comes: identical
SELECT word, count(*) FROM products, regexp_split_to_table(lower(name), '\s+') AS word GROUP BY word ORDER BY 2 DESC, 1

-- name: full text
-- comes: identical
SELECT id, name, ts_rank(to_tsvector('english', name), q) AS rank, ts_headline('english', name, q) FROM products, to_tsquery('english', 'lamp | chair') AS q WHERE to_tsvector('english', name) @@ q ORDER BY rank DESC, id LIMIT 10

-- name: full text as people write it
-- comes: identical
SELECT id, note FROM orders WHERE to_tsvector('simple', coalesce(note, '')) @@ websearch_to_tsquery('simple', 'gift -invoice or neighbours') ORDER BY id LIMIT 10

-- name: ranges
-- comes: identical
SELECT id, tstzrange(placed_at, shipped_at, '[)') AS under_way, upper(tstzrange(placed_at, shipped_at)) - lower(tstzrange(placed_at, shipped_at)), tstzrange(placed_at, shipped_at) && tstzrange('2024-07-01', '2024-07-08'), int4range(1, 10) @> 5, numrange(1.5, 2.5) * numrange(2, 3) FROM orders WHERE shipped_at IS NOT NULL ORDER BY id LIMIT 20

-- name: ranges that overlap
-- comes: identical
SELECT range_agg(daterange(hired_on, hired_on + 30)), range_intersect_agg(daterange(hired_on, '2030-01-01')) FROM employees

-- name: the newest order of each customer
-- comes: identical
SELECT DISTINCT ON (o.customer_id) o.customer_id, o.id, o.status, o.placed_at FROM orders o ORDER BY o.customer_id, o.placed_at DESC LIMIT 30

-- name: the newest order of each customer, with the customer
-- comes: masked 3
SELECT DISTINCT ON (c.id) c.id, c.full_name, c.email, o.id AS last FROM customers c JOIN orders o ON o.customer_id = c.id ORDER BY c.id, o.placed_at DESC LIMIT 30

-- name: a list of values by itself
-- comes: identical
VALUES (1, 'one'), (2, 'two'), (3, NULL) ORDER BY 1 DESC LIMIT 2

-- name: a list of values in a named query
-- comes: identical
WITH rates (country, rate) AS (VALUES ('DE', 0.19), ('FR', 0.20)) SELECT c.country, count(*), sum(c.credit * (1 + r.rate)) FROM customers c JOIN rates r ON r.country = c.country GROUP BY 1 ORDER BY 1

-- name: comparisons of rows
-- comes: identical
SELECT id, country, city FROM customers WHERE (country, city) IN (('DE', 'Hamburg'), ('FR', 'Lyon')) AND (id, credit) >= (10, 0) ORDER BY id LIMIT 20

-- name: nulls in comparisons
-- comes: identical
SELECT id, shipped_at IS DISTINCT FROM NULL, nullif(note, ''), coalesce(note, '-'), greatest(total, 100), least(total, 100), num_nulls(note, shipped_at) FROM orders ORDER BY id LIMIT 20

-- name: what is null in a masked column, told in words
-- comes: identical
SELECT id, CASE WHEN phone IS NULL THEN 'no phone' ELSE 'phone' END AS phone, (birth_date IS NOT NULL)::int AS known, num_nonnulls(full_name, city) FROM customers ORDER BY id LIMIT 30

-- name: how complete the data are
-- comes: identical
SELECT count(*) AS n, count(*) - count(phone) AS no_phone, round(100.0 * count(birth_date) / count(*), 1) AS known, sum((phone IS NOT NULL)::int), avg(CASE WHEN birth_date IS NULL THEN 1.0 ELSE 0 END), count(*) FILTER (WHERE email IS NULL) FROM customers

-- name: how complete the data are, by country
-- comes: identical
SELECT country, bool_and(email IS NOT NULL), bool_or(phone IS NULL), every(birth_date IS NOT NULL) FROM customers GROUP BY country ORDER BY 1

-- name: sorted by what is known
-- comes: identical
SELECT id FROM customers ORDER BY phone IS NULL DESC, birth_date IS NULL, id LIMIT 20

-- name: grouped by what is known
-- comes: identical
SELECT phone IS NULL AS no_phone, count(*) FROM customers GROUP BY phone IS NULL ORDER BY 1

-- name: a full join
-- comes: identical
SELECT coalesce(c.country, 'none') AS country, c.n AS customers, e.n AS employees FROM (SELECT country, count(*) AS n FROM customers GROUP BY 1) c FULL JOIN (SELECT team, count(*) AS n FROM employees GROUP BY 1) e ON e.team = c.country ORDER BY 1, 3

-- name: a natural join
-- comes: identical
SELECT order_id, sum(quantity), max(amount) FROM order_items NATURAL JOIN (SELECT order_id, amount FROM payments) p GROUP BY order_id ORDER BY order_id LIMIT 20

-- name: a right join's masked columns
-- comes: masked 3
SELECT o.id, c.id, c.phone FROM customers c RIGHT JOIN orders o ON o.customer_id = c.id ORDER BY o.id LIMIT 20

-- name: a join in parentheses with an alias
-- comes: masked 2
SELECT j.id, j.email, j.team FROM (employees e JOIN (SELECT 1 AS one) x ON true) AS j ORDER BY j.id LIMIT 5

-- name: a join with using and its alias
-- comes: identical
SELECT j.order_id, quantity, amount FROM order_items JOIN payments USING (order_id) AS j ORDER BY 1, 2 LIMIT 10

-- name: a self join for pairs
-- comes: identical
SELECT a.id, b.id, a.city FROM customers a JOIN customers b ON b.city = a.city AND b.id > a.id WHERE a.id < 20 AND b.id < 20 ORDER BY 1, 2

-- name: bought together
-- comes: identical
SELECT a.product_id, b.product_id, count(*) AS times FROM order_items a JOIN order_items b ON b.order_id = a.order_id AND b.product_id > a.product_id GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 10

-- name: recency, frequency and money
-- comes: identical
WITH rfm AS (SELECT customer_id, max(placed_at) AS last, count(*) AS frequency, sum(total) AS money FROM orders GROUP BY 1), scored AS (SELECT *, ntile(5) OVER (ORDER BY last) AS r, ntile(5) OVER (ORDER BY frequency, customer_id) AS f, ntile(5) OVER (ORDER BY money) AS m FROM rfm) SELECT r, f, m, count(*) FROM scored GROUP BY r, f, m ORDER BY 1, 2, 3

-- name: recency, frequency and money, with whom to write to
-- comes: masked 3
WITH rfm AS (SELECT customer_id, max(placed_at) AS last, count(*) AS n FROM orders GROUP BY 1), scored AS (SELECT *, ntile(5) OVER (ORDER BY last, customer_id) AS r FROM rfm) SELECT c.id, c.full_name, c.email, s.r, s.n FROM scored s JOIN customers c ON c.id = s.customer_id WHERE s.r = 5 ORDER BY s.n DESC, c.id LIMIT 20

-- name: eighty per cent of revenue
-- comes: identical
SELECT count(*) FROM (SELECT customer_id, sum(sum(total)) OVER (ORDER BY sum(total) DESC, customer_id) / sum(sum(total)) OVER () AS share FROM orders GROUP BY customer_id) t WHERE share <= 0.8

-- name: a histogram
-- comes: identical
SELECT width_bucket(total, 0, 1000, 10) AS bucket, numrange(min(total), max(total), '[]'), count(*), repeat('#', (count(*) / 50)::int) FROM orders GROUP BY 1 ORDER BY 1

-- name: bands by arrays
-- comes: identical
SELECT width_bucket(total, ARRAY[0, 10, 100, 1000]::numeric[]) AS band, count(*) FROM orders GROUP BY band ORDER BY band

-- name: outliers
-- comes: identical
WITH s AS (SELECT percentile_cont(0.25) WITHIN GROUP (ORDER BY total) AS q1, percentile_cont(0.75) WITHIN GROUP (ORDER BY total) AS q3 FROM orders) SELECT o.id, o.total FROM orders o, s WHERE o.total > s.q3 + 1.5 * (s.q3 - s.q1) ORDER BY o.total DESC, o.id LIMIT 10

-- name: a random sample
-- comes: identical
SELECT count(*) FROM (SELECT id, email FROM customers ORDER BY random() LIMIT 10) t

-- name: a sample by a hash
-- comes: identical
SELECT id, full_name FROM customers WHERE abs(hashint8(id)) % 100 < 2 ORDER BY id

-- name: payments not yet there
-- comes: masked 4
SELECT o.id, o.total, o.placed_at, c.phone FROM orders o JOIN customers c ON c.id = o.customer_id LEFT JOIN payments p ON p.order_id = o.id WHERE p.id IS NULL AND o.status NOT IN ('new', 'cancelled') OR o.id = 1 ORDER BY o.id LIMIT 20

-- name: sums that don't fit
-- comes: identical
SELECT o.id, o.total, sum(i.quantity * i.unit_price) AS items FROM orders o JOIN order_items i ON i.order_id = o.id GROUP BY o.id HAVING o.total IS DISTINCT FROM sum(i.quantity * i.unit_price)

-- name: a group by the key with other columns of it
-- comes: masked 3
SELECT c.id, c.full_name, c.email, count(o.id) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id ORDER BY c.id LIMIT 10

-- name: outputs from subqueries in subqueries
-- comes: identical
SELECT (SELECT count(*) FROM (SELECT DISTINCT city FROM customers WHERE country = c.country) x) AS cities, c.country FROM (SELECT DISTINCT country FROM customers) c ORDER BY 2

-- name: a comparison with all of a subquery
-- comes: identical
SELECT id, total FROM orders WHERE total >= ALL (SELECT max(total) FROM orders GROUP BY status) ORDER BY id

-- name: not in a subquery
-- comes: identical
SELECT count(*) FROM customers WHERE id NOT IN (SELECT customer_id FROM orders WHERE customer_id IS NOT NULL)

-- name: a difference of all
-- comes: identical
(SELECT country FROM customers EXCEPT ALL SELECT 'DE') INTERSECT SELECT country FROM customers ORDER BY 1 LIMIT 5

-- name: a union of totals below details
-- comes: masked 2
(SELECT id, email, credit FROM customers ORDER BY id LIMIT 3) UNION ALL SELECT NULL, 'total', sum(credit) FROM customers

-- name: a union whose unmasked columns stay
-- comes: masked 3
SELECT 'customer' AS kind, id, email, full_name FROM customers WHERE id < 4 UNION ALL SELECT 'employee', id, email, full_name FROM employees WHERE id < 4 ORDER BY 1, 2

-- name: a union in a named query
-- comes: identical
WITH people AS (SELECT id, full_name, email FROM customers UNION ALL SELECT id, full_name, email FROM employees) SELECT left(full_name, 1) AS letter, count(*) FROM people GROUP BY 1 ORDER BY 1

-- name: texts in other forms
-- comes: identical
SELECT id, initcap(lower(full_name)), reverse(city), length(full_name), position('a' IN city), overlay(city PLACING 'x' FROM 1 FOR 1), trim(BOTH ' ' FROM city), lpad(id::text, 8, '0'), translate(city, 'aeiou', '*****'), format('%s (%s)', full_name, country), concat_ws(', ', city, country), encode(convert_to(city, 'UTF8'), 'hex'), md5(city), ascii(city), to_hex(id), quote_literal(city) FROM customers ORDER BY id LIMIT 20

-- name: numbers in other forms
-- comes: identical
SELECT id, to_char(total, 'FM999G999D00'), round(total), trunc(total, 1), ceil(total), mod(id, 7), sign(total - 50), sqrt(total), ln(total + 1), total::int, total::float8, div(total, 10), abs(-total), power(2, 3), to_number('12,454.8', '99G999D9') FROM orders ORDER BY id LIMIT 20

-- name: times in other forms
-- comes: identical
SELECT id, to_char(placed_at, 'IYYY-"W"IW'), date_trunc('day', placed_at, 'UTC'), placed_at::date - date '2024-01-01', extract(quarter FROM placed_at), placed_at AT TIME ZONE 'UTC', make_date(2024, 1, 2), placed_at + '1 month'::interval, to_timestamp(0), isfinite(placed_at), (date_trunc('month', placed_at) + interval '1 month - 1 day')::date, overlaps_ FROM (SELECT *, (placed_at, placed_at + interval '1 day') OVERLAPS ('2024-06-01'::timestamptz, '2024-06-03'::timestamptz) AS overlaps_ FROM orders) o ORDER BY id LIMIT 20

-- name: enums
-- comes: identical
SELECT status, status::text, status > 'paid', enum_range(NULL::order_status), array_agg(DISTINCT status) FILTER (WHERE total > 10) OVER_ FROM orders GROUP BY status ORDER BY status

-- name: uuids and networks
-- comes: identical
SELECT id, order_id, id::text, gen_random_uuid() IS NOT NULL, inet '10.1.2.3' << inet '10.0.0.0/8' FROM payments WHERE method = 'wallet' ORDER BY id LIMIT 10

-- name: payments by their id
-- comes: masked 3
SELECT id, method, card_number, amount FROM payments WHERE id = md5('payment:3')::uuid OR order_id IN (3, 4, 5) ORDER BY id

-- name: a masked column beside its own count
-- comes: masked 1
SELECT max(email), count(email), count(*) FROM customers

-- name: whether somebody has this number
-- comes: identical
SELECT EXISTS (SELECT 1 FROM customers WHERE phone = '+1-202-555-0100') AS known

-- name: a customer by e-mail in lower case
-- comes: unmask finds rows by public.customers.email
SELECT id FROM customers WHERE lower(email) = 'ada@example.org'

-- name: rows of a masked condition, counted
-- comes: unmask finds rows by public.customers.birth_date
SELECT count(*) FROM customers WHERE birth_date < '1980-01-01'

-- name: how long masked texts are
-- comes: masked 2
SELECT id, length(email) FROM customers ORDER BY id LIMIT 5

-- name: the domains, counted
-- comes: unmask sorts or groups by public.customers.email
SELECT split_part(email, '@', 2) AS domain, count(*) FROM customers GROUP BY 1

-- name: the year of birth as a number
-- comes: masked 2
SELECT id, extract(year FROM birth_date) FROM customers ORDER BY id LIMIT 5
