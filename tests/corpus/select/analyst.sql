-- Own texts: what analysts, dashboards and people at 3 a.m. ask, over the shop of schema.sql.
-- Each runs on PostgreSQL 15; the few that need 14 or later: date_bin, GROUP BY DISTINCT, multiranges,
-- JOIN … USING … AS, SEARCH and CYCLE, json subscripts.

-- name: all customers
SELECT * FROM customers

-- name: first rows
SELECT * FROM orders ORDER BY ordered_at DESC LIMIT 50

-- name: page by offset
SELECT id, name FROM customers ORDER BY id LIMIT 20 OFFSET 40

-- name: page by key
SELECT id, name FROM customers WHERE (created_at, id) > ('2024-03-01', 20) ORDER BY created_at, id LIMIT 20

-- name: count
SELECT count(*) FROM orders

-- name: count distinct
SELECT count(DISTINCT customer_id) FROM orders

-- name: table command
TABLE categories

-- name: table command ordered
TABLE departments ORDER BY name LIMIT 3

-- name: quoted identifiers
SELECT c."name" AS "Customer", c."id" AS "No." FROM "public"."customers" AS c

-- name: qualified star
SELECT c.*, o.total FROM customers c JOIN orders o ON o.customer_id = c.id LIMIT 5

-- name: whole row
SELECT c FROM customers c LIMIT 3

-- name: composite field
SELECT id, (address).city, (address).postcode FROM customers WHERE (address).country = 'DE'

-- name: composite expanded
SELECT id, (address).* FROM customers LIMIT 3

-- name: row constructor
SELECT ROW(id, name) FROM customers LIMIT 3

-- name: enum comparison
SELECT * FROM customers WHERE status >= 'active' AND status <> 'closed'

-- name: enum range
SELECT enum_range(NULL::customer_status), count(*) FROM customers GROUP BY 1

-- name: null tests
SELECT count(*) FILTER (WHERE phone IS NULL), count(*) FILTER (WHERE phone IS NOT NULL) FROM customers

-- name: distinct from
SELECT * FROM orders WHERE note IS DISTINCT FROM 'call first' LIMIT 5

-- name: is true
SELECT * FROM products WHERE discontinued IS NOT TRUE

-- name: between symmetric
SELECT * FROM products WHERE price BETWEEN SYMMETRIC 50 AND 10

-- name: in list
SELECT * FROM orders WHERE status IN ('open', 'paid') AND id IN (1, 2, 3, 5, 8, 13)

-- name: any array
SELECT * FROM orders WHERE id = ANY ('{1,2,3}'::bigint[])

-- name: all comparison
SELECT * FROM products WHERE price > ALL (ARRAY[10, 20, 30])

-- name: like
SELECT name FROM customers WHERE name LIKE 'Customer 1%' AND email NOT LIKE '%9@%'

-- name: like with escape
SELECT sku FROM products WHERE sku LIKE 'SKU\_%' ESCAPE '\'

-- name: ilike
SELECT name FROM products WHERE name ILIKE '%PRODUCT 1_%'

-- name: similar to
SELECT sku FROM products WHERE sku SIMILAR TO 'SKU-00(1|2)[0-9]'

-- name: regex match
SELECT email FROM customers WHERE email ~ '^c[0-9]+@' AND email !~* 'EXAMPLE'

-- name: regex parts
SELECT email, (regexp_match(email, '^([^@]+)@(.+)$'))[2] AS domain FROM customers LIMIT 5

-- name: regex replace
SELECT regexp_replace(phone, '[^0-9]+', '', 'g') FROM customers LIMIT 5

-- name: regex split
SELECT word, count(*) FROM documents, regexp_split_to_table(lower(body), '\s+') AS word GROUP BY word ORDER BY 2 DESC

-- name: regex all matches
SELECT id, m[1] FROM documents, regexp_matches(body, '(\w{5,})', 'g') AS m

-- name: string functions
SELECT upper(name), lower(email), initcap(name), length(name), reverse(name), left(name, 3), right(name, 3), repeat('*', 3) FROM customers LIMIT 3

-- name: trim variants
SELECT trim(both ' ' FROM note), ltrim(note), rtrim(note), btrim(note, 'c') FROM orders WHERE note IS NOT NULL

-- name: substring variants
SELECT substring(email FROM 1 FOR 3), substring(email FROM '@(.*)$'), substr(email, 2), position('@' IN email), strpos(email, '@'), overlay(email PLACING '***' FROM 1 FOR 3) FROM customers LIMIT 3

-- name: split part
SELECT split_part(email, '@', 2) AS domain, count(*) FROM customers GROUP BY 1 ORDER BY 2 DESC

-- name: padding and formatting
SELECT lpad(id::text, 8, '0'), format('%s <%s>', name, email), concat_ws(', ', name, country, phone), quote_literal(name), quote_ident(name) FROM customers LIMIT 3

-- name: translate and ascii
SELECT translate(name, 'abc', 'xyz'), ascii(name), chr(65), md5(name), encode(sha256(name::bytea), 'hex') FROM customers LIMIT 3

-- name: concatenation
SELECT name || ' (' || country || ')' FROM customers LIMIT 3

-- name: string aggregate
SELECT country, string_agg(name, ', ' ORDER BY name) FROM customers GROUP BY country

-- name: array aggregate
SELECT customer_id, array_agg(id ORDER BY ordered_at DESC) AS orders FROM orders GROUP BY customer_id LIMIT 5

-- name: distinct aggregate
SELECT array_agg(DISTINCT country) FROM customers

-- name: array contains
SELECT id FROM customers WHERE tags @> ARRAY['vip']

-- name: array overlap
SELECT id FROM customers WHERE tags && ARRAY['vip', 'press']

-- name: array element
SELECT id, tags[1], tags[1:2], array_length(tags, 1), cardinality(tags) FROM customers LIMIT 3

-- name: unnest
SELECT tag, count(*) FROM customers, unnest(tags) AS tag GROUP BY tag

-- name: unnest with ordinality
SELECT c.id, t.tag, t.n FROM customers c CROSS JOIN LATERAL unnest(c.tags) WITH ORDINALITY AS t(tag, n) LIMIT 10

-- name: unnest of several
SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a', 'b']) AS t(n, s) JOIN orders ON orders.id = t.n

-- name: array functions
SELECT array_append(tags, 'x'), array_prepend('x', tags), array_cat(tags, '{y}'), array_remove(tags, 'vip'), array_replace(tags, 'vip', 'gold'), array_position(tags, 'vip'), array_to_string(tags, '/') FROM customers LIMIT 3

-- name: array subquery
SELECT ARRAY(SELECT id FROM orders WHERE customer_id = c.id ORDER BY id) FROM customers c LIMIT 3

-- name: array literal slices
SELECT (ARRAY[[1,2],[3,4]])[1][2], (SELECT tags FROM customers LIMIT 1)[1:1]

-- name: json member
SELECT profile->'likes'->>0, profile->>'lang', profile#>>'{likes,1}' FROM customers LIMIT 5

-- name: json containment
SELECT id FROM customers WHERE profile @> '{"lang": "de"}'

-- name: json key exists
SELECT id FROM customers WHERE profile ? 'age' AND profile ?& ARRAY['age', 'lang'] AND NOT profile ?| ARRAY['none']

-- name: json cast
SELECT avg((profile->>'age')::int) FROM customers

-- name: json elements
SELECT c.id, l.value FROM customers c, jsonb_array_elements_text(c.profile->'likes') AS l(value) LIMIT 10

-- name: json each
SELECT key, count(*) FROM customers, jsonb_each(profile) GROUP BY key

-- name: json object keys
SELECT DISTINCT jsonb_object_keys(attributes) FROM products

-- name: json build
SELECT jsonb_build_object('id', id, 'name', name, 'tags', to_jsonb(tags)) FROM customers LIMIT 3

-- name: json aggregate
SELECT country, json_agg(json_build_object('id', id, 'email', email) ORDER BY id) FROM customers GROUP BY country

-- name: json object aggregate
SELECT jsonb_object_agg(sku, price) FROM products

-- name: row to json
SELECT row_to_json(o) FROM (SELECT id, total FROM orders LIMIT 3) o

-- name: to jsonb of a row
SELECT to_jsonb(p) - 'attributes' FROM products p LIMIT 3

-- name: json path
SELECT id, jsonb_path_query(profile, '$.likes[*] ? (@ starts with "t")') FROM customers LIMIT 5

-- name: json path exists
SELECT count(*) FROM customers WHERE profile @? '$.age ? (@ > 30)' AND jsonb_path_exists(profile, '$.lang')

-- name: json path match
SELECT count(*) FROM customers WHERE profile @@ '$.age > 30'

-- name: json set and delete
SELECT jsonb_set(profile, '{age}', '1'), profile - 'age', profile #- '{likes,0}', profile || '{"x": 1}' FROM customers LIMIT 3

-- name: json to recordset
SELECT * FROM jsonb_to_recordset('[{"a": 1, "b": "x"}]') AS t(a int, b text) JOIN orders o ON o.id = t.a

-- name: json populate
SELECT (jsonb_populate_record(NULL::postal_address, '{"city": "Ulm"}')).city, count(*) FROM customers

-- name: json pretty and type
SELECT jsonb_pretty(profile), jsonb_typeof(profile->'age'), jsonb_array_length(profile->'likes') FROM customers LIMIT 2

-- name: json subscript
SELECT profile['lang'], profile['likes'][0] FROM customers LIMIT 3

-- name: json strip nulls
SELECT jsonb_strip_nulls(jsonb_build_object('a', phone, 'b', NULL)) FROM customers LIMIT 2

-- name: date truncation
SELECT date_trunc('week', ordered_at) AS week, count(*), sum(total) FROM orders GROUP BY 1 ORDER BY 1

-- name: date trunc in a zone
SELECT date_trunc('day', ordered_at, 'Europe/Berlin'), count(*) FROM orders GROUP BY 1 ORDER BY 1 LIMIT 5

-- name: date bin
SELECT date_bin('15 minutes', at, timestamptz '2025-01-01'), avg(cpu) FROM metrics GROUP BY 1 ORDER BY 1 LIMIT 10

-- name: date parts
SELECT extract(year FROM ordered_at), extract(dow FROM ordered_at), date_part('hour', ordered_at), to_char(ordered_at, 'YYYY-MM "week" IW') FROM orders LIMIT 5

-- name: interval arithmetic
SELECT * FROM orders WHERE ordered_at > now() - interval '5 years' AND ordered_at < now() - '1 day'::interval

-- name: make interval
SELECT ordered_at + make_interval(days => 3, hours => 2) FROM orders LIMIT 3

-- name: age and justify
SELECT age(birth), justify_days(interval '45 days'), age(timestamp '2025-01-01', timestamp '2020-02-29') FROM customers LIMIT 3

-- name: time zones
SELECT ordered_at AT TIME ZONE 'America/New_York', (ordered_at AT TIME ZONE 'UTC')::date, timezone('Asia/Tokyo', ordered_at) FROM orders LIMIT 3

-- name: today
SELECT current_date, current_timestamp, localtimestamp(0), now(), clock_timestamp() > statement_timestamp(), count(*) FROM orders WHERE ordered_at::date <= current_date

-- name: epoch
SELECT extract(epoch FROM shipped_at - ordered_at) / 3600 AS hours, to_timestamp(1700000000) FROM orders WHERE shipped_at IS NOT NULL LIMIT 5

-- name: parsing dates
SELECT to_date('2024-02-29', 'YYYY-MM-DD'), to_timestamp('31.12.2024 23:59', 'DD.MM.YYYY HH24:MI'), make_date(2024, 2, 29), count(*) FROM orders

-- name: overlaps
SELECT count(*) FROM orders WHERE (ordered_at, coalesce(shipped_at, now())) OVERLAPS (timestamptz '2024-03-01', timestamptz '2024-04-01')

-- name: calendar
SELECT d::date, count(o.id) FROM generate_series(date '2024-02-01', date '2024-03-01', interval '1 day') d LEFT JOIN orders o ON o.ordered_at::date = d::date GROUP BY 1 ORDER BY 1

-- name: number series
SELECT n, (SELECT count(*) FROM orders WHERE total < n * 1000) FROM generate_series(1, 5) n

-- name: ranges
SELECT id, lower(during), upper(during), upper(during) - lower(during) AS length FROM visits WHERE during @> timestamptz '2025-01-03 10:05+00'

-- name: range overlap
SELECT a.id, b.id FROM bookings a JOIN bookings b ON a.during && b.during AND a.id < b.id

-- name: range functions
SELECT during * tstzrange('2025-01-02', '2025-01-03'), isempty(during), lower_inc(during), during -|- tstzrange('2025-01-02', NULL) FROM visits LIMIT 3

-- name: range aggregate
SELECT customer_id, range_agg(during), range_intersect_agg(during) FROM visits GROUP BY 1 LIMIT 3

-- name: multirange
SELECT '{[1,3),[5,9)}'::int4multirange @> 6, count(*) FROM visits

-- name: network
SELECT host(ip), network(set_masklen(ip, 24)), ip << '10.1.0.0/16', masklen(ip), count(*) FROM visits GROUP BY ip LIMIT 5

-- name: rounding
SELECT round(total, 1), ceil(total), floor(total), trunc(total, -1), round(total / 3.0, 2), mod(id, 7), id % 7, div(total, 7), abs(-total), sign(total) FROM orders LIMIT 3

-- name: mathematics
SELECT sqrt(total), power(total, 2), exp(1), ln(total + 1), log(total + 1), pi(), sin(total::float8), degrees(1), greatest(total, 100), least(total, 100) FROM orders LIMIT 3

-- name: numeric formats
SELECT to_char(total, 'FM999G990D00'), to_number('1,234.5', '9G999D9'), total::text, total::int, cast(total AS real) FROM orders LIMIT 3

-- name: statistics
SELECT avg(total), stddev(total), variance(total), stddev_pop(total), var_samp(total), corr(total::float8, id::float8), regr_slope(total::float8, id::float8), covar_pop(total::float8, id::float8) FROM orders

-- name: percentiles
SELECT percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY total) FROM orders

-- name: mode
SELECT mode() WITHIN GROUP (ORDER BY status) FROM orders

-- name: hypothetical rank
SELECT rank(100) WITHIN GROUP (ORDER BY total), percent_rank(100) WITHIN GROUP (ORDER BY total) FROM orders

-- name: width bucket
SELECT width_bucket(total, 0, 5000, 10) AS bucket, count(*), min(total), max(total) FROM orders GROUP BY 1 ORDER BY 1

-- name: bit aggregates
SELECT bit_and(id::int), bit_or(id::int), bool_and(total > 0), bool_or(total > 4000), every(total >= 0) FROM orders

-- name: random sample
SELECT * FROM orders ORDER BY random() LIMIT 5

-- name: table sample
SELECT count(*) FROM orders TABLESAMPLE SYSTEM (10)

-- name: repeatable sample
SELECT count(*) FROM orders TABLESAMPLE BERNOULLI (10) REPEATABLE (42)

-- name: case
SELECT CASE status WHEN 'open' THEN 'o' WHEN 'paid' THEN 'p' ELSE '-' END, CASE WHEN total > 1000 THEN 'large' WHEN total > 100 THEN 'middle' ELSE 'small' END FROM orders LIMIT 5

-- name: coalesce and nullif
SELECT coalesce(note, 'none'), nullif(currency, 'EUR'), num_nulls(note, shipped_at) FROM orders LIMIT 5

-- name: casts
SELECT id::text, '5'::int, CAST('2024-01-01' AS date), date '2024-01-01', timestamptz '2024-01-01 UTC', interval '1' day, 'x'::varchar(3), total::numeric(10,1) FROM orders LIMIT 1

-- name: cast to regclass in a query
SELECT tableoid::regclass, count(*) FROM events GROUP BY 1

-- name: inner join
SELECT o.id, c.name FROM orders o INNER JOIN customers c ON c.id = o.customer_id WHERE o.total > 4000

-- name: left join is null
SELECT c.id FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.id IS NULL

-- name: right join
SELECT o.id, p.method FROM payments p RIGHT JOIN orders o ON o.id = p.order_id WHERE p.id IS NULL LIMIT 5

-- name: full join
SELECT coalesce(a.d, b.d) AS day, a.n AS orders, b.n AS payments FROM (SELECT ordered_at::date AS d, count(*) AS n FROM orders GROUP BY 1) a FULL JOIN (SELECT paid_at::date AS d, count(*) AS n FROM payments GROUP BY 1) b USING (d) ORDER BY 1 LIMIT 10

-- name: cross join
SELECT d.name, s.status FROM departments d CROSS JOIN (SELECT DISTINCT status FROM orders) s

-- name: self join
SELECT e.name, m.name AS manager FROM employees e LEFT JOIN employees m ON m.id = e.manager_id

-- name: using and alias
SELECT j.order_id, j.line_no FROM (order_items JOIN payments USING (order_id)) AS j LIMIT 3

-- name: join alias for using
SELECT x.order_id FROM order_items JOIN payments USING (order_id) AS x LIMIT 3

-- name: natural join
SELECT * FROM stock NATURAL JOIN (SELECT id AS product_id, name FROM products) p LIMIT 5

-- name: comma join
SELECT o.id FROM orders o, customers c WHERE o.customer_id = c.id AND c.country = 'FR'

-- name: lateral top n
SELECT c.id, l.* FROM customers c, LATERAL (SELECT id, total FROM orders o WHERE o.customer_id = c.id ORDER BY total DESC LIMIT 2) l LIMIT 10

-- name: left join lateral
SELECT c.id, l.n FROM customers c LEFT JOIN LATERAL (SELECT count(*) AS n FROM visits v WHERE v.customer_id = c.id) l ON true LIMIT 5

-- name: semi join
SELECT name FROM products p WHERE EXISTS (SELECT 1 FROM order_items i WHERE i.product_id = p.id AND i.quantity > 3)

-- name: anti join
SELECT name FROM products p WHERE NOT EXISTS (SELECT FROM order_items i WHERE i.product_id = p.id)

-- name: in subquery
SELECT * FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE total > 4900)

-- name: scalar subquery
SELECT name, (SELECT max(total) FROM orders o WHERE o.customer_id = c.id) AS best FROM customers c LIMIT 5

-- name: subquery in from
SELECT avg(n) FROM (SELECT count(*) AS n FROM orders GROUP BY customer_id) x

-- name: subquery in having
SELECT customer_id, sum(total) FROM orders GROUP BY 1 HAVING sum(total) > (SELECT avg(s) FROM (SELECT sum(total) AS s FROM orders GROUP BY customer_id) y)

-- name: row subquery
SELECT * FROM orders WHERE (customer_id, total) = (SELECT customer_id, max(total) FROM orders GROUP BY customer_id ORDER BY 2 DESC LIMIT 1)

-- name: group by position
SELECT country, status, count(*) FROM customers GROUP BY 1, 2 ORDER BY 3 DESC, 1

-- name: group by expression
SELECT lower(country), count(*) FROM customers GROUP BY lower(country)

-- name: group by primary key
SELECT c.id, c.name, c.email, count(o.id) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id ORDER BY 4 DESC LIMIT 5

-- name: having
SELECT customer_id, count(*) FROM orders GROUP BY customer_id HAVING count(*) > 3

-- name: rollup
SELECT status, currency, sum(total) FROM orders GROUP BY ROLLUP (status, currency) ORDER BY 1 NULLS LAST, 2 NULLS LAST

-- name: cube
SELECT status, currency, count(*), GROUPING(status, currency) FROM orders GROUP BY CUBE (status, currency)

-- name: grouping sets
SELECT country, status, count(*) FROM customers GROUP BY GROUPING SETS ((country), (status), ())

-- name: group by distinct
SELECT status, currency, count(*) FROM orders GROUP BY DISTINCT ROLLUP (status, currency), ROLLUP (status)

-- name: distinct
SELECT DISTINCT country FROM customers ORDER BY 1

-- name: distinct on
SELECT DISTINCT ON (customer_id) customer_id, id, ordered_at FROM orders ORDER BY customer_id, ordered_at DESC

-- name: order with nulls
SELECT id, shipped_at FROM orders ORDER BY shipped_at DESC NULLS LAST, id LIMIT 5

-- name: order by collation
SELECT name FROM customers ORDER BY name COLLATE "C" LIMIT 5

-- name: order by expression
SELECT id, total FROM orders ORDER BY abs(total - 2500), id LIMIT 5

-- name: order using
SELECT id FROM orders ORDER BY id USING > LIMIT 5

-- name: fetch first
SELECT id FROM orders ORDER BY total DESC FETCH FIRST 3 ROWS ONLY

-- name: fetch with ties
SELECT id, status FROM orders ORDER BY status FETCH FIRST 3 ROWS WITH TIES

-- name: limit all
SELECT id FROM departments LIMIT ALL OFFSET 1

-- name: union
SELECT name FROM customers WHERE country = 'DE' UNION SELECT name FROM employees ORDER BY 1 LIMIT 10

-- name: union all with labels
SELECT 'orders' AS what, count(*) FROM orders UNION ALL SELECT 'payments', count(*) FROM payments UNION ALL SELECT 'visits', count(*) FROM visits

-- name: intersect
SELECT customer_id FROM orders INTERSECT SELECT customer_id FROM visits ORDER BY 1 LIMIT 10

-- name: except
SELECT id FROM customers EXCEPT SELECT customer_id FROM orders

-- name: nested set operations
(SELECT 1 AS n UNION SELECT 2) EXCEPT (SELECT count(*) FROM departments WHERE id < 0) ORDER BY n

-- name: values
VALUES (1, 'one'), (2, 'two')

-- name: values joined
SELECT v.label, count(o.id) FROM (VALUES ('open', 'waiting'), ('paid', 'to ship')) AS v(status, label) LEFT JOIN orders o ON o.status = v.status GROUP BY v.label

-- name: row number
SELECT * FROM (SELECT id, customer_id, row_number() OVER (PARTITION BY customer_id ORDER BY ordered_at DESC) AS rn FROM orders) x WHERE rn = 1 LIMIT 10

-- name: rank variants
SELECT id, rank() OVER w, dense_rank() OVER w, percent_rank() OVER w, ntile(4) OVER w FROM orders WINDOW w AS (ORDER BY total DESC) LIMIT 10

-- name: running total
SELECT id, ordered_at, sum(total) OVER (PARTITION BY customer_id ORDER BY ordered_at ROWS UNBOUNDED PRECEDING) FROM orders LIMIT 10

-- name: lag and lead
SELECT customer_id, ordered_at - lag(ordered_at) OVER (PARTITION BY customer_id ORDER BY ordered_at) AS gap, lead(total, 1, 0) OVER (PARTITION BY customer_id ORDER BY ordered_at) FROM orders LIMIT 10

-- name: moving average
SELECT at, avg(cpu) OVER (PARTITION BY host ORDER BY at ROWS BETWEEN 5 PRECEDING AND CURRENT ROW) FROM metrics LIMIT 10

-- name: window range
SELECT at, sum(cpu) OVER (ORDER BY at RANGE BETWEEN '1 hour'::interval PRECEDING AND '1 hour' FOLLOWING) FROM metrics LIMIT 10

-- name: window groups
SELECT id, count(*) OVER (ORDER BY status GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW) FROM orders LIMIT 10

-- name: window exclude ties
SELECT id, sum(total) OVER (ORDER BY status ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE TIES) FROM orders LIMIT 5

-- name: window filter
SELECT id, count(*) FILTER (WHERE total > 1000) OVER (ORDER BY id) FROM orders LIMIT 10

-- name: share of total
SELECT status, sum(total), round(100 * sum(total) / sum(sum(total)) OVER (), 2) AS pct FROM orders GROUP BY status

-- name: first and last value
SELECT DISTINCT customer_id, first_value(total) OVER w AS first, last_value(total) OVER w AS last FROM orders WINDOW w AS (PARTITION BY customer_id ORDER BY ordered_at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) LIMIT 5

-- name: gaps and islands
WITH days AS (SELECT DISTINCT ordered_at::date AS d FROM orders), grp AS (SELECT d, d - (row_number() OVER (ORDER BY d))::int AS g FROM days) SELECT min(d), max(d), count(*) FROM grp GROUP BY g ORDER BY 1

-- name: session windows
SELECT customer_id, count(*) AS sessions FROM (SELECT customer_id, occurred_at - lag(occurred_at) OVER (PARTITION BY customer_id ORDER BY occurred_at) > interval '30 minutes' AS fresh FROM events) s WHERE fresh IS NOT FALSE GROUP BY 1 LIMIT 10

-- name: cohort
WITH firsts AS (SELECT customer_id, min(date_trunc('month', ordered_at)) AS cohort FROM orders GROUP BY 1) SELECT f.cohort, (extract(year FROM age(date_trunc('month', o.ordered_at), f.cohort)) * 12 + extract(month FROM age(date_trunc('month', o.ordered_at), f.cohort)))::int AS month, count(DISTINCT o.customer_id) FROM orders o JOIN firsts f USING (customer_id) GROUP BY 1, 2 ORDER BY 1, 2

-- name: funnel
SELECT count(DISTINCT customer_id) FILTER (WHERE kind = 'view') AS viewed, count(DISTINCT customer_id) FILTER (WHERE kind = 'cart') AS carted, count(DISTINCT customer_id) FILTER (WHERE kind = 'buy') AS bought FROM events

-- name: pivot
SELECT date_trunc('month', ordered_at) AS month, count(*) FILTER (WHERE status = 'open') AS open, count(*) FILTER (WHERE status = 'paid') AS paid, count(*) FILTER (WHERE status = 'shipped') AS shipped FROM orders GROUP BY 1 ORDER BY 1

-- name: pareto
SELECT id, total, sum(total) OVER (ORDER BY total DESC) / sum(total) OVER () <= 0.8 AS in_top FROM orders LIMIT 20

-- name: duplicates
SELECT lower(email), count(*), array_agg(id) FROM customers GROUP BY 1 HAVING count(*) > 1

-- name: common table expression
WITH big AS (SELECT * FROM orders WHERE total > 3000) SELECT c.country, count(*) FROM big JOIN customers c ON c.id = big.customer_id GROUP BY 1

-- name: chained expressions
WITH a AS (SELECT customer_id, sum(total) AS s FROM orders GROUP BY 1), b AS (SELECT *, ntile(10) OVER (ORDER BY s) AS decile FROM a) SELECT decile, count(*), avg(s) FROM b GROUP BY 1 ORDER BY 1

-- name: expression with column names
WITH t(a, b) AS (VALUES (1, 2), (3, 4)) SELECT a + b FROM t

-- name: expression shadowing a table
WITH orders AS (SELECT * FROM public.orders WHERE status = 'paid') SELECT count(*) FROM orders

-- name: nested expression
SELECT * FROM (WITH x AS (SELECT id FROM customers LIMIT 3) SELECT * FROM x) y

-- name: recursive hierarchy
WITH RECURSIVE tree AS (SELECT id, name, 1 AS depth, ARRAY[id] AS path FROM categories WHERE parent_id IS NULL UNION ALL SELECT c.id, c.name, t.depth + 1, t.path || c.id FROM categories c JOIN tree t ON c.parent_id = t.id) SELECT repeat('  ', depth) || name, path FROM tree ORDER BY path

-- name: recursive reports
WITH RECURSIVE r AS (SELECT id FROM employees WHERE id = 1 UNION SELECT e.id FROM employees e JOIN r ON e.manager_id = r.id) SELECT count(*) FROM r

-- name: recursive search
WITH RECURSIVE t AS (SELECT id, parent_id FROM categories WHERE parent_id IS NULL UNION ALL SELECT c.id, c.parent_id FROM categories c JOIN t ON c.parent_id = t.id) SEARCH DEPTH FIRST BY id SET ordering SELECT * FROM t ORDER BY ordering

-- name: recursive cycle
WITH RECURSIVE t AS (SELECT id, manager_id FROM employees UNION ALL SELECT e.id, e.manager_id FROM employees e JOIN t ON e.id = t.manager_id) CYCLE id SET looped USING path SELECT count(*) FROM t WHERE NOT looped

-- name: recursive numbers
WITH RECURSIVE f(a, b) AS (VALUES (0, 1) UNION ALL SELECT b, a + b FROM f WHERE b < 100) SELECT a FROM f

-- name: full text match
SELECT title, ts_rank(tsv, q) FROM documents, to_tsquery('english', 'return & refund') q WHERE tsv @@ q ORDER BY 2 DESC

-- name: full text web search
SELECT title FROM documents WHERE tsv @@ websearch_to_tsquery('english', '"green tea" or parcel -refund')

-- name: full text headline
SELECT ts_headline('english', body, plainto_tsquery('tea'), 'StartSel=<b>, StopSel=</b>') FROM documents

-- name: full text phrase
SELECT id FROM documents WHERE to_tsvector('simple', body) @@ phraseto_tsquery('simple', 'green tea')

-- name: full text lexemes
SELECT word, count(*) FROM documents, unnest(tsvector_to_array(tsv)) AS word GROUP BY 1 ORDER BY 2 DESC LIMIT 10

-- name: explain
EXPLAIN SELECT * FROM orders WHERE customer_id = 5

-- name: explain analyze
EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT count(*) FROM orders WHERE status = 'open'

-- name: view
SELECT * FROM active_customers WHERE country = 'FR'

-- name: view joined
SELECT t.id, t.net, o.total FROM order_totals t JOIN orders o USING (id) LIMIT 5

-- name: materialized view
SELECT * FROM monthly_sales ORDER BY month

-- name: partitioned parent
SELECT kind, count(*) FROM events WHERE occurred_at >= '2025-01-01' GROUP BY kind

-- name: one partition
SELECT count(*) FROM events_2025

-- name: only
SELECT count(*) FROM ONLY orders

-- name: system columns
SELECT ctid, xmin, tableoid, id FROM orders LIMIT 3

-- name: sequence state
SELECT last_value, is_called FROM invoice_number

-- name: domain cast
SELECT 5::positive_amount, price FROM products LIMIT 1

-- name: boolean logic
SELECT * FROM orders WHERE (status = 'open' OR status = 'paid') AND NOT (total < 100) AND currency = 'EUR'

-- name: parameters of a prepared statement
PREPARE by_customer (bigint) AS SELECT * FROM orders WHERE customer_id = $1

-- name: declare
DECLARE report NO SCROLL CURSOR FOR SELECT id, total FROM orders ORDER BY id

-- name: declare with hold
DECLARE held SCROLL CURSOR WITH HOLD FOR SELECT * FROM customers ORDER BY id

-- name: listen
LISTEN orders_changed

-- name: lock for reading
LOCK TABLE orders IN ACCESS SHARE MODE

-- name: copy a query
-- needs: select,export
COPY (SELECT id, name FROM customers WHERE country = 'DE') TO STDOUT WITH (FORMAT csv, HEADER)

-- name: copy a table
-- needs: select,export
COPY orders TO STDOUT

-- name: copy columns
-- needs: select,export
COPY public.products (sku, price) TO STDOUT (FORMAT binary)

-- name: copy in the old syntax
-- needs: select,export
COPY products TO STDOUT WITH CSV HEADER DELIMITER ';'

-- name: snapshot of a transaction
SELECT pg_export_snapshot()

-- name: sleep
SELECT pg_sleep(0.01), count(*) FROM departments

-- name: comments everywhere
/* report 7 */ SELECT -- the sum
  sum(total) /* in euros */ FROM orders -- done

-- name: dollar quotes
SELECT $$it's$$, $q$a $$ b$q$, count(*) FROM orders

-- name: escape strings
SELECT E'tab\tand \'quote\'', U&'\0041', b'101', x'1F', count(*) FROM orders

-- name: adjacent strings
SELECT 'one'
' two', count(*) FROM orders

-- name: unicode
SELECT name AS "имя", 'naïve — ☕' AS "über" FROM customers LIMIT 1

-- name: keywords as names
SELECT o.total AS "select", o.status AS value, o.currency AS name FROM orders o LIMIT 1

-- name: named arguments
SELECT make_date(year => 2024, month => 2, day => 29), make_interval(days := 3), count(*) FROM orders

-- name: variadic
SELECT concat(VARIADIC ARRAY['a', 'b']), jsonb_extract_path(profile, VARIADIC ARRAY['likes', '0']) FROM customers LIMIT 1

-- name: rows from
SELECT * FROM ROWS FROM (generate_series(1, 3), unnest(ARRAY['a', 'b'])) WITH ORDINALITY AS t(n, s, i) JOIN departments d ON d.id = t.n

-- name: function in from with columns
SELECT * FROM json_to_record('{"a": 1}') AS r(a int), departments

-- name: schema qualified functions
SELECT pg_catalog.count(*), pg_catalog.max(pg_catalog.upper(name)) FROM public.customers

-- name: schema qualified operator
SELECT count(*) FROM orders WHERE total OPERATOR(pg_catalog.>) 100

-- name: typed comparisons
SELECT count(*) FROM payments WHERE id = '00000000-0000-0000-0000-000000000000'::uuid OR paid_at > '2024-06-01'::timestamptz

-- name: bytea
SELECT encode(decode('deadbeef', 'hex'), 'base64'), '\x41'::bytea, get_byte('\x41'::bytea, 0), octet_length(name) FROM customers LIMIT 1

-- name: xml
SELECT xmlelement(name customer, xmlattributes(id AS no), xmlforest(name, country)), xmlagg(xmlelement(name x, id)) OVER () FROM customers LIMIT 2

-- name: xpath
SELECT xpath('//b/text()', '<a><b>1</b></a>'::xml), count(*) FROM customers

-- name: xml table
SELECT x.* FROM customers c, XMLTABLE('/r/i' PASSING (xml '<r><i n="1"/></r>') COLUMNS n int PATH '@n') x LIMIT 2

-- name: bit strings
SELECT B'1010' & B'0110', 5 & 3, 5 | 3, 5 # 3, ~5, 1 << 4, 16 >> 2, count(*) FROM orders

-- name: geometry
SELECT point(1, 2) <-> point(4, 6), box '((0,0),(2,2))' @> point '(1,1)', circle '<(0,0),5>', count(*) FROM orders

-- name: parentheses around everything
((SELECT count(*) FROM ((SELECT id FROM orders)) AS x))

-- name: limit in a subquery
SELECT count(*) FROM (SELECT 1 FROM orders LIMIT 1) x

-- name: collate in where
SELECT name FROM customers WHERE name COLLATE "C" > 'Customer 5' LIMIT 3

-- name: is json like checks
SELECT count(*) FROM customers WHERE profile IS NOT NULL AND jsonb_typeof(profile) = 'object'

-- name: normalized text
SELECT normalize(name, NFC), name IS NFC NORMALIZED FROM customers LIMIT 1

-- name: grafana panel
SELECT floor(extract(epoch FROM at) / 300) * 300 AS "time", host AS metric, avg(cpu) AS value FROM metrics WHERE at BETWEEN '2025-06-01T00:00:00Z' AND '2025-06-03T00:00:00Z' GROUP BY 1, 2 ORDER BY 1

-- name: metabase question
SELECT DATE_TRUNC('month', "public"."orders"."ordered_at") AS "ordered_at", SUM("public"."orders"."total") AS "sum" FROM "public"."orders" LEFT JOIN "public"."customers" AS "Customers - Customer" ON "public"."orders"."customer_id" = "Customers - Customer"."id" WHERE "Customers - Customer"."country" = 'DE' GROUP BY DATE_TRUNC('month', "public"."orders"."ordered_at") ORDER BY DATE_TRUNC('month', "public"."orders"."ordered_at") ASC

-- name: superset chart
SELECT status AS status, COUNT(*) AS count FROM public.orders WHERE ordered_at >= TO_TIMESTAMP('2024-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') GROUP BY status ORDER BY count DESC LIMIT 10000

-- name: tableau extract
SELECT "orders"."status" AS "status", SUM("orders"."total") AS "sum:total:ok" FROM "public"."orders" "orders" GROUP BY 1

-- name: power bi fold
select "$Table"."id" as "id", "$Table"."total" as "total" from "public"."orders" "$Table" limit 4096

-- name: dbeaver grid
SELECT x.* FROM public.orders x ORDER BY x.id DESC

-- name: datagrip grid
SELECT t.* FROM public.customers t LIMIT 501

-- name: who bought what
SELECT c.name, p.name AS product, sum(i.quantity) AS n FROM customers c JOIN orders o ON o.customer_id = c.id JOIN order_items i ON i.order_id = o.id JOIN products p ON p.id = i.product_id GROUP BY c.name, p.name ORDER BY n DESC LIMIT 20

-- name: bought together
SELECT a.product_id, b.product_id, count(*) FROM order_items a JOIN order_items b ON a.order_id = b.order_id AND a.product_id < b.product_id GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 10

-- name: stale jobs
SELECT queue, state, count(*), min(run_at) FROM jobs WHERE run_at < now() - interval '5 minutes' GROUP BY 1, 2

-- name: late shipments
SELECT id, shipped_at - ordered_at AS took FROM orders WHERE shipped_at - ordered_at > interval '1 day' ORDER BY took DESC

-- name: salary against the department
SELECT e.name, e.salary, e.salary - avg(e.salary) OVER (PARTITION BY d.id) AS over FROM employees e JOIN departments d ON d.id = e.department_id ORDER BY over DESC LIMIT 5

-- name: unpaid orders
SELECT o.id, o.total, coalesce(sum(p.amount), 0) AS paid FROM orders o LEFT JOIN payments p ON p.order_id = o.id GROUP BY o.id HAVING coalesce(sum(p.amount), 0) < o.total ORDER BY o.id LIMIT 10

-- name: new customers by week
SELECT to_char(created_at, 'IYYY-IW') AS week, count(*) FROM customers GROUP BY 1 ORDER BY 1

-- name: month over month
WITH m AS (SELECT date_trunc('month', ordered_at) AS month, sum(total) AS s FROM orders GROUP BY 1) SELECT month, s, round(100 * (s - lag(s) OVER (ORDER BY month)) / nullif(lag(s) OVER (ORDER BY month), 0), 1) AS growth FROM m ORDER BY 1

-- name: median time to pay
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM p.paid_at - o.ordered_at)) / 3600 AS hours FROM payments p JOIN orders o ON o.id = p.order_id

-- name: heat map
SELECT extract(isodow FROM occurred_at) AS day, extract(hour FROM occurred_at) AS hour, count(*) FROM events GROUP BY 1, 2 ORDER BY 1, 2

-- name: aggregates of text
SELECT max(name), min(email), avg(length(name)) FROM customers WHERE id BETWEEN 1 AND 50
