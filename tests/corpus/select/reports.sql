-- Reports and checks as people write them. Own texts. Run on PostgreSQL 15.

-- name: cohort retention
WITH first_order AS (SELECT customer_id, min(date_trunc('month', ordered_at)) AS cohort FROM orders GROUP BY 1), activity AS (SELECT DISTINCT o.customer_id, date_trunc('month', o.ordered_at) AS month FROM orders o) SELECT f.cohort::date, (extract(year FROM age(a.month, f.cohort)) * 12 + extract(month FROM age(a.month, f.cohort)))::int AS month_number, count(*) FROM first_order f JOIN activity a USING (customer_id) GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 10

-- name: funnel
SELECT count(*) FILTER (WHERE kind = 'view') AS views, count(*) FILTER (WHERE kind = 'cart') AS carts, count(*) FILTER (WHERE kind = 'buy') AS buys, round(100.0 * count(*) FILTER (WHERE kind = 'buy') / nullif(count(*) FILTER (WHERE kind = 'view'), 0), 2) AS rate FROM events

-- name: sessionization
SELECT customer_id, occurred_at, sum(is_new) OVER (PARTITION BY customer_id ORDER BY occurred_at) AS session FROM (SELECT customer_id, occurred_at, CASE WHEN occurred_at - lag(occurred_at) OVER (PARTITION BY customer_id ORDER BY occurred_at) < interval '30 minutes' THEN 0 ELSE 1 END AS is_new FROM events) e ORDER BY 1, 2 LIMIT 5

-- name: running total
SELECT ordered_at::date AS day, sum(sum(total)) OVER (ORDER BY ordered_at::date) AS running FROM orders GROUP BY 1 ORDER BY 1 LIMIT 5

-- name: moving average
SELECT at, host, avg(cpu) OVER (PARTITION BY host ORDER BY at ROWS BETWEEN 5 PRECEDING AND CURRENT ROW) IS NOT NULL AS ma FROM metrics ORDER BY host, at LIMIT 3

-- name: percent of total
SELECT status, count(*), round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS pct FROM orders GROUP BY status ORDER BY 1

-- name: top n per group
SELECT * FROM (SELECT o.*, row_number() OVER (PARTITION BY customer_id ORDER BY total DESC) AS rn FROM orders o) x WHERE rn <= 2 ORDER BY customer_id, rn LIMIT 4

-- name: pivot by filter
SELECT date_trunc('quarter', ordered_at)::date AS q, sum(total) FILTER (WHERE currency = 'EUR') AS eur, sum(total) FILTER (WHERE currency = 'USD') AS usd FROM orders GROUP BY 1 ORDER BY 1

-- name: pivot by case
SELECT customer_id, max(CASE status WHEN 'open' THEN total END) AS open, max(CASE status WHEN 'paid' THEN total END) AS paid FROM orders GROUP BY customer_id ORDER BY 1 LIMIT 3

-- name: unpivot by values
SELECT m.host, v.metric, v.value IS NOT NULL FROM metrics m CROSS JOIN LATERAL (VALUES ('cpu', m.cpu), ('memory', m.memory), ('disk', m.disk)) AS v (metric, value) ORDER BY m.at, 1, 2 LIMIT 3

-- name: unpivot by json
SELECT d.id, kv.key, kv.value FROM departments d, jsonb_each_text(to_jsonb(d)) AS kv ORDER BY 1, 2 LIMIT 4

-- name: histogram
SELECT width_bucket(total, 0, 5000, 10) AS bucket, int4range(min(total)::int, max(total)::int, '[]') AS range, count(*) AS freq, repeat('*', (count(*)::float / max(count(*)) OVER () * 20)::int) AS bar FROM orders GROUP BY 1 ORDER BY 1

-- name: median and quartiles
SELECT status, percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY total) FROM orders GROUP BY status ORDER BY 1

-- name: year over year
SELECT y, total, total - lag(total) OVER (ORDER BY y) AS diff FROM (SELECT extract(year FROM ordered_at)::int AS y, sum(total) AS total FROM orders GROUP BY 1) s ORDER BY 1

-- name: first and last
SELECT customer_id, (array_agg(status ORDER BY ordered_at))[1] AS first, (array_agg(status ORDER BY ordered_at DESC))[1] AS last FROM orders GROUP BY 1 ORDER BY 1 LIMIT 3

-- name: duplicates
SELECT lower(email), count(*), array_agg(id ORDER BY id) FROM customers GROUP BY 1 HAVING count(*) > 1 ORDER BY 1

-- name: orphans
SELECT p.id FROM payments p LEFT JOIN orders o ON o.id = p.order_id WHERE o.id IS NULL

-- name: anti join by except
SELECT id FROM customers EXCEPT SELECT customer_id FROM orders ORDER BY 1

-- name: relational division
SELECT c.id FROM customers c WHERE NOT EXISTS (SELECT 1 FROM (VALUES ('open'), ('paid')) s (status) WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.status = s.status)) ORDER BY 1 LIMIT 3

-- name: basket pairs
SELECT a.product_id, b.product_id, count(*) FROM order_items a JOIN order_items b ON a.order_id = b.order_id AND a.product_id < b.product_id GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 3

-- name: hierarchy with totals
WITH RECURSIVE t AS (SELECT id, manager_id, name, salary, 0 AS level, name::text AS path FROM employees WHERE manager_id IS NULL UNION ALL SELECT e.id, e.manager_id, e.name, e.salary, t.level + 1, t.path || ' > ' || e.name FROM employees e JOIN t ON e.manager_id = t.id WHERE t.level < 10) SELECT level, count(*), sum(salary) FROM t GROUP BY ROLLUP (level) ORDER BY 1 NULLS LAST

-- name: salary rank
SELECT name, salary, dense_rank() OVER (ORDER BY salary DESC) AS r, salary - avg(salary) OVER (PARTITION BY department_id) AS diff, ntile(4) OVER (ORDER BY salary) FROM employees ORDER BY r, name LIMIT 3

-- name: days without orders
SELECT d::date FROM generate_series('2024-02-01'::date, '2025-04-01', '1 day') d WHERE NOT EXISTS (SELECT FROM orders WHERE ordered_at::date = d::date) ORDER BY 1 LIMIT 3

-- name: business days
SELECT count(*) FROM generate_series(date '2024-01-01', date '2024-01-31', '1 day') d WHERE extract(isodow FROM d) < 6

-- name: age buckets
SELECT CASE WHEN age < interval '30 years' THEN '<30' WHEN age < interval '50 years' THEN '30-50' ELSE '50+' END AS bucket, count(*) FROM (SELECT age(date '2025-01-01', birth) AS age FROM customers) x GROUP BY 1 ORDER BY min(age)

-- name: email domains
SELECT split_part(email, '@', 2) AS domain, count(*) FROM customers GROUP BY 1 ORDER BY 2 DESC

-- name: text to columns
SELECT (regexp_match(email, '^([^@]+)@(.+)$'))[1] AS local, substring(email from '@(.*)$') AS domain FROM customers ORDER BY id LIMIT 2

-- name: csv to rows
SELECT trim(x) FROM regexp_split_to_table('a, b, c', ',') AS x, departments d WHERE d.id = 1

-- name: log parsing
SELECT (m)[1], (m)[2] FROM (SELECT regexp_matches(agent, '^(\w+)/([\d.]+)') AS m FROM visits ORDER BY id LIMIT 2) x

-- name: upsert check
SELECT EXISTS (SELECT 1 FROM stock WHERE (product_id, warehouse) = (1, 'north')) AS there, NOT EXISTS (TABLE jobs) AS no_jobs

-- name: compare two tables
(SELECT 'missing' AS what, id FROM orders EXCEPT SELECT 'missing', order_id FROM payments) UNION ALL (SELECT 'extra', order_id FROM payments EXCEPT SELECT 'extra', id FROM orders) ORDER BY 1, 2 LIMIT 3

-- name: checksum of a table
SELECT md5(string_agg(d::text, '|' ORDER BY d.id)) FROM departments d

-- name: random sample
SELECT id IS NOT NULL FROM customers ORDER BY random() LIMIT 3

-- name: hash bucket
SELECT abs(hashtext(email)) % 10 >= 0, hashtextextended(email, 0) IS NOT NULL, mod(id, 4) FROM customers ORDER BY id LIMIT 2

-- name: json report
SELECT json_build_object('customers', (SELECT count(*) FROM customers), 'orders', (SELECT json_object_agg(status, n) FROM (SELECT status, count(*) AS n FROM orders GROUP BY status ORDER BY 1) s), 'at', date '2024-01-01')

-- name: json diff of rows
SELECT key, a.value AS old, b.value AS new FROM jsonb_each((SELECT to_jsonb(d) FROM departments d WHERE id = 1)) a JOIN jsonb_each((SELECT to_jsonb(d) FROM departments d WHERE id = 2)) b USING (key) WHERE a.value IS DISTINCT FROM b.value ORDER BY key

-- name: json path filter on column
SELECT id FROM customers WHERE profile @@ '$.age > 60 && $.lang == "de"' AND jsonb_path_exists(profile, '$.likes[*] ? (@ like_regex "^b")') ORDER BY id LIMIT 3

-- name: json keys in use
SELECT key, count(*), jsonb_typeof(value) FROM customers, jsonb_each(profile) GROUP BY 1, 3 ORDER BY 1

-- name: array unnest with index
SELECT c.id, t.tag, t.i FROM customers c LEFT JOIN LATERAL unnest(c.tags) WITH ORDINALITY AS t (tag, i) ON true ORDER BY 1, 3 LIMIT 3

-- name: tags cloud
SELECT tag, count(*) FROM customers, unnest(tags) tag GROUP BY tag ORDER BY 2 DESC, 1

-- name: array sorted
SELECT id, ARRAY(SELECT unnest(tags) ORDER BY 1 DESC) FROM customers ORDER BY id LIMIT 2

-- name: overlapping visits
SELECT a.id, b.id FROM visits a JOIN visits b ON a.id < b.id AND a.during && b.during WHERE NOT isempty(a.during * b.during) ORDER BY 1, 2 LIMIT 3

-- name: merged intervals
SELECT unnest(range_agg(during)) FROM visits WHERE id < 4

-- name: free rooms
SELECT r.room FROM (VALUES ('board'), ('lab')) r (room) WHERE NOT EXISTS (SELECT FROM bookings b WHERE b.room = r.room AND b.during @> timestamp '2025-05-01 09:30')

-- name: duration sums
SELECT customer_id, sum(upper(during) - lower(during)) AS spent FROM visits GROUP BY 1 ORDER BY 1 LIMIT 2

-- name: time buckets
SELECT date_bin('15 minutes', at, timestamptz '2001-01-01') AS bucket, count(*) FROM metrics GROUP BY 1 ORDER BY 1 LIMIT 3

-- name: hour of day
SELECT extract(hour FROM occurred_at AT TIME ZONE 'UTC')::int AS h, count(*) FROM events GROUP BY 1 ORDER BY 1 LIMIT 3

-- name: last value per host
SELECT DISTINCT ON (host) host, at FROM metrics ORDER BY host, at DESC

-- name: rate of change
SELECT host, at, (cpu - lag(cpu) OVER w) / extract(epoch FROM at - lag(at) OVER w) IS NULL AS first FROM metrics WINDOW w AS (PARTITION BY host ORDER BY at) ORDER BY host, at LIMIT 2

-- name: full text with highlights
SELECT id, ts_headline(body, q), ts_rank(tsv, q, 1) > 0 FROM documents CROSS JOIN to_tsquery('english', 'parcel & (ship:* | return:*)') q WHERE q @@ tsv ORDER BY id

-- name: partition pruning
SELECT count(*) FROM events WHERE occurred_at >= '2025-01-01' AND occurred_at < '2025-02-01'

-- name: partition by name
SELECT count(*) FROM events_2025 WHERE kind = 'buy'

-- name: view and table
SELECT a.name, t.net FROM active_customers a JOIN order_totals t ON t.customer_id = a.id ORDER BY t.id LIMIT 2

-- name: materialized view
SELECT month::date, currency, orders FROM monthly_sales ORDER BY 1, 2 LIMIT 2

-- name: several schemas
SELECT c.c_name, count(o.o_orderkey) FROM tpch.customer c LEFT JOIN tpch.orders o ON o.o_custkey = c.c_custkey AND o.o_comment NOT LIKE '%special%requests%' GROUP BY c.c_name ORDER BY 2 DESC, 1 LIMIT 3

-- name: table with database
SELECT count(*) FROM public.orders AS "Orders" ("Id") WHERE "Orders"."Id" > 10

-- name: deep subqueries
SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT id, total FROM orders) a) b WHERE total > 10) c ORDER BY id LIMIT 1

-- name: in with many constants
SELECT count(*) FROM orders WHERE id IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)

-- name: many ors
SELECT count(*) FROM orders WHERE id = 1 OR id = 2 OR (id = 3 AND (status = 'open' OR (status = 'paid' AND NOT (total > 5 OR note IS NULL))))

-- name: chain of unions
SELECT 'orders' AS t, count(*) FROM orders UNION ALL SELECT 'customers', count(*) FROM customers UNION ALL SELECT 'events', count(*) FROM events UNION ALL SELECT 'jobs', count(*) FROM jobs ORDER BY 1

-- name: lock free count
SELECT reltuples::bigint AS estimate, (SELECT count(*) FROM orders) AS exact FROM pg_class WHERE oid = 'public.orders'::regclass

-- name: joined with the catalog
SELECT c.relname, o.id FROM pg_class c JOIN orders o ON o.tableoid = c.oid WHERE o.id = 1

-- name: own activity beside rows
SELECT pg_backend_pid() IS NOT NULL, (SELECT count(*) FROM pg_stat_activity WHERE state = 'active') >= 0, count(*) FROM jobs

-- name: explain analyze of a join
EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off) SELECT count(*) FROM customers c JOIN departments d ON d.id = c.id

-- name: settings as data
SELECT current_setting('my.tenant', true) IS NULL, o.id FROM orders o WHERE o.currency = coalesce(nullif(current_setting('my.currency', true), ''), 'EUR') ORDER BY o.id LIMIT 1

-- name: money and units
SELECT to_char(total, 'FM999G999G990D00') || ' ' || currency, total::money IS NOT NULL, round(total / 3, 2), total::int, ceil(total), trunc(total, -1) FROM orders ORDER BY id LIMIT 2

-- name: boolean logic
SELECT discontinued AND price > 5, NOT discontinued, discontinued OR NULL, (discontinued IS NOT TRUE)::int, bool_and(NOT discontinued) OVER () FROM products ORDER BY id LIMIT 2

-- name: null handling
SELECT coalesce(note, shipped_at::text, 'none'), note IS NULL, nullif(currency, 'EUR'), num_nulls(note, shipped_at) FROM orders ORDER BY id LIMIT 3

-- name: xml report
SELECT xmlelement(name orders, xmlagg(xmlelement(name o, xmlattributes(id, status), total) ORDER BY id)) FROM orders WHERE id < 3

-- name: query of a table as xml
SELECT xmlforest(id, name) FROM departments ORDER BY id
