-- What the chapters on queries, expressions, types and functions speak of. Own texts. Run on PostgreSQL 15.

-- name: nested case in else
SELECT CASE WHEN total > 100 THEN 'big' ELSE CASE WHEN total > 10 THEN 'mid' ELSE 'small' END END AS size FROM orders

-- name: nested case in then
SELECT id, CASE WHEN status = 'open' THEN CASE currency WHEN 'EUR' THEN 1 WHEN 'USD' THEN 2 END END FROM orders

-- name: nested case three deep
SELECT CASE WHEN id < 10 THEN CASE WHEN total < 50 THEN CASE WHEN note IS NULL THEN 'a' END END END FROM orders

-- name: case as the operand of case
SELECT CASE CASE WHEN id % 2 = 0 THEN 'even' ELSE 'odd' END WHEN 'even' THEN 0 ELSE 1 END FROM orders

-- name: case ends before as end
SELECT CASE WHEN true THEN 1 END AS "end", CASE WHEN false THEN 1 END "END" FROM orders

-- name: nested case without a relation
-- needs: info
SELECT CASE WHEN 1 > 0 THEN CASE WHEN 2 > 1 THEN 'x' END END

-- name: case in case condition
SELECT CASE WHEN CASE WHEN id = 1 THEN true ELSE false END THEN 'first' ELSE 'other' END FROM customers

-- name: case end cast
SELECT (CASE WHEN id = 1 THEN '1' ELSE '2' END)::int, CASE WHEN id = 1 THEN 1 END::text FROM customers

-- name: case in order by and group by
SELECT CASE WHEN total > 100 THEN 'big' ELSE 'small' END AS size, count(*) FROM orders GROUP BY CASE WHEN total > 100 THEN 'big' ELSE 'small' END ORDER BY CASE WHEN CASE WHEN count(*) > 1 THEN 1 END = 1 THEN 0 ELSE 1 END

-- name: case with between and in
SELECT CASE WHEN total BETWEEN 1 AND 10 THEN 'a' WHEN total IN (1, 2) THEN 'b' WHEN note LIKE '%x%' THEN 'c' WHEN shipped_at IS NULL THEN 'd' ELSE NULL END FROM orders

-- name: case with row values
SELECT CASE WHEN (id, total) > (1, 2) THEN ROW(1, 2) ELSE ROW(3, 4) END FROM orders

-- name: case with subquery
SELECT CASE WHEN EXISTS (SELECT FROM orders o WHERE o.customer_id = c.id) THEN (SELECT max(total) FROM orders o WHERE o.customer_id = c.id) ELSE 0 END FROM customers c

-- name: case and array
SELECT (CASE WHEN id = 1 THEN ARRAY[1, 2] ELSE ARRAY[3, 4] END)[1] FROM customers

-- name: case inside filter
SELECT count(*) FILTER (WHERE CASE WHEN id > 3 THEN true END) FROM customers

-- name: case collate
SELECT CASE WHEN id = 1 THEN name END COLLATE "C" FROM customers ORDER BY 1

-- name: case minus case
SELECT CASE WHEN id = 1 THEN 2 END - CASE WHEN id = 1 THEN 1 END FROM customers

-- name: case at time zone
SELECT CASE WHEN id = 1 THEN ordered_at END AT TIME ZONE 'UTC' FROM orders

-- name: case is null
SELECT * FROM orders WHERE CASE WHEN id > 5 THEN note END IS NULL

-- name: case in join condition
SELECT o.id FROM orders o JOIN customers c ON CASE WHEN o.id > 5 THEN o.customer_id = c.id ELSE false END

-- name: case in limit
SELECT id FROM orders ORDER BY id LIMIT CASE WHEN 1 = 1 THEN 5 ELSE CASE WHEN true THEN 3 END END

-- name: case in values
VALUES (CASE WHEN 1 = 1 THEN CASE WHEN true THEN 'a' END END), ('b')

-- name: case in between
SELECT id FROM orders WHERE total BETWEEN CASE WHEN id > 3 THEN 1 ELSE 2 END AND CASE WHEN id > 3 THEN 100 ELSE CASE WHEN id > 2 THEN 50 ELSE 10 END END

-- name: fetch first with ties
SELECT id, total FROM orders ORDER BY total DESC FETCH FIRST 3 ROWS WITH TIES

-- name: fetch next row only
SELECT id FROM orders ORDER BY id OFFSET 10 ROWS FETCH NEXT ROW ONLY

-- name: fetch first expression
SELECT id FROM orders ORDER BY id FETCH FIRST (2 + 3) ROWS ONLY

-- name: offset before limit
SELECT id FROM orders ORDER BY id OFFSET 5 LIMIT 5

-- name: limit all
SELECT id FROM orders ORDER BY id LIMIT ALL OFFSET 390

-- name: limit null
SELECT id FROM orders ORDER BY id LIMIT NULL OFFSET NULL

-- name: distinct on
SELECT DISTINCT ON (customer_id, status) customer_id, status, id FROM orders ORDER BY customer_id, status, ordered_at DESC NULLS LAST

-- name: distinct on expression
SELECT DISTINCT ON (date_trunc('month', ordered_at)) date_trunc('month', ordered_at), id FROM orders ORDER BY 1, id

-- name: select all
SELECT ALL status FROM orders ORDER BY status LIMIT 3

-- name: order by using
SELECT id FROM orders ORDER BY id USING > LIMIT 5

-- name: order by using operator
SELECT id FROM orders ORDER BY total USING OPERATOR(pg_catalog.<) LIMIT 5

-- name: order by nulls first
SELECT id, note FROM orders ORDER BY note ASC NULLS FIRST, id DESC LIMIT 5

-- name: between symmetric
SELECT id FROM orders WHERE total BETWEEN SYMMETRIC 100 AND 50

-- name: not between symmetric
SELECT id FROM orders WHERE total NOT BETWEEN SYMMETRIC 100 AND 50 ORDER BY id

-- name: is distinct from
SELECT id FROM orders WHERE note IS DISTINCT FROM 'call first' AND shipped_at IS NOT DISTINCT FROM NULL ORDER BY id

-- name: is of unknown truth
SELECT id FROM orders WHERE (note = 'x') IS UNKNOWN AND (total > 3) IS NOT FALSE AND (total > 3) IS TRUE ORDER BY id

-- name: isnull notnull
SELECT id FROM orders WHERE note ISNULL AND total NOTNULL ORDER BY id LIMIT 3

-- name: overlaps
SELECT id FROM orders WHERE (ordered_at, shipped_at) OVERLAPS (timestamptz '2024-03-01', interval '10 days') ORDER BY id

-- name: overlaps constants
-- needs: info
SELECT (DATE '2001-02-16', DATE '2001-12-21') OVERLAPS (DATE '2001-10-30', DATE '2002-10-30'), (DATE '2001-02-16', INTERVAL '100 days') OVERLAPS (DATE '2001-10-30', DATE '2002-10-30')

-- name: any all some
SELECT id FROM orders WHERE total > ANY (SELECT total FROM orders WHERE id < 5) AND id <> ALL (ARRAY[1, 2]) AND status = SOME ('{open,paid}'::text[]) ORDER BY id LIMIT 3

-- name: like any
SELECT id FROM customers WHERE name LIKE ANY (ARRAY['Customer 1%', '%2']) AND name NOT LIKE ALL (ARRAY['%3']) ORDER BY id

-- name: ilike any
SELECT id FROM customers WHERE name ILIKE ANY ('{%mer 1,%MER 2}') ORDER BY id

-- name: regex any
SELECT id FROM customers WHERE name ~* ANY (ARRAY['r 1$', 'r 2$']) ORDER BY id

-- name: operator any of subquery
SELECT id FROM orders WHERE total OPERATOR(pg_catalog.>=) ALL (SELECT total FROM orders)

-- name: row in subquery
SELECT id FROM orders WHERE (customer_id, currency) IN (SELECT customer_id, currency FROM orders WHERE id < 3) ORDER BY id

-- name: row comparison
SELECT id FROM orders WHERE (customer_id, id) >= (100, 5) ORDER BY id LIMIT 5

-- name: row equals subquery
SELECT id FROM orders WHERE (id, customer_id) = (SELECT id, customer_id FROM orders WHERE id = 7)

-- name: row keyword comparison
SELECT ROW(1, 2.5, 'this is a test') = ROW(1, 3, 'not the same'), ROW(id, name) IS NOT NULL FROM customers LIMIT 1

-- name: row is distinct
-- needs: info
SELECT ROW(1, NULL) IS DISTINCT FROM ROW(1, NULL), ROW(NULL, NULL) IS NULL, ROW() IS NULL

-- name: keyset pagination
SELECT id, ordered_at FROM orders WHERE (ordered_at, id) < ('2024-06-01', 100) ORDER BY ordered_at DESC, id DESC LIMIT 20

-- name: grouping sets
SELECT status, currency, sum(total), GROUPING(status, currency) FROM orders GROUP BY GROUPING SETS ((status, currency), (status), ()) ORDER BY 1, 2

-- name: rollup and cube
SELECT status, currency, date_trunc('month', ordered_at) m, count(*) FROM orders GROUP BY ROLLUP (status, currency), CUBE (3) ORDER BY 1, 2, 3 LIMIT 20

-- name: rollup of pairs
SELECT status, currency, count(*) FROM orders GROUP BY ROLLUP ((status, currency)) ORDER BY 1, 2

-- name: grouping sets nested
SELECT status, currency, count(*) FROM orders GROUP BY GROUPING SETS (ROLLUP (status), CUBE (currency), GROUPING SETS ((status), ())) ORDER BY 1, 2

-- name: group by distinct
SELECT status, currency, count(*) FROM orders GROUP BY DISTINCT ROLLUP (status, currency), ROLLUP (status) ORDER BY 1, 2

-- name: group by all
SELECT status, count(*) FROM orders GROUP BY ALL status ORDER BY 1

-- name: group by empty
SELECT count(*) FROM orders GROUP BY ()

-- name: having without group
SELECT sum(total) FROM orders HAVING count(*) > 3

-- name: ordered set aggregates
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total), percentile_disc(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY total), mode() WITHIN GROUP (ORDER BY status) FROM orders

-- name: hypothetical set aggregates
SELECT rank(100) WITHIN GROUP (ORDER BY total), dense_rank(100) WITHIN GROUP (ORDER BY total DESC), percent_rank(100) WITHIN GROUP (ORDER BY total), cume_dist(100) WITHIN GROUP (ORDER BY total) FROM orders

-- name: aggregates with order
SELECT string_agg(name, ', ' ORDER BY name DESC), array_agg(DISTINCT country ORDER BY country), json_agg(name ORDER BY id), jsonb_object_agg(id, name) FROM customers WHERE id < 6

-- name: aggregate filter and over
SELECT status, count(*) FILTER (WHERE total > 100) OVER (PARTITION BY status ORDER BY id) FROM orders LIMIT 5

-- name: statistics aggregates
SELECT corr(total, id), covar_pop(total, id), covar_samp(total, id), regr_slope(total, id), regr_intercept(total, id), regr_r2(total, id), regr_count(total, id), regr_avgx(total, id), stddev(total), stddev_pop(total), variance(total), var_samp(total) FROM orders

-- name: bit and bool aggregates
SELECT bit_and(id), bit_or(id), bit_xor(id), bool_and(total > 0), bool_or(total > 100), every(total > 0) FROM orders

-- name: range aggregates
SELECT range_agg(during), range_intersect_agg(during) FROM bookings

-- name: any variadic
SELECT concat_ws(',', VARIADIC ARRAY[name, email]), format('%s %s', VARIADIC ARRAY['a', 'b']), greatest(1, 2), least(1, 2), num_nulls(name, phone), num_nonnulls(VARIADIC ARRAY[1, NULL]) FROM customers LIMIT 1

-- name: window frames
SELECT id, sum(total) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), avg(total) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW) FROM orders LIMIT 5

-- name: window range interval
SELECT id, count(*) OVER (ORDER BY ordered_at RANGE BETWEEN INTERVAL '7 days' PRECEDING AND INTERVAL '1 day' FOLLOWING) FROM orders ORDER BY id LIMIT 5

-- name: window groups frame
SELECT id, sum(total) OVER (ORDER BY status GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES) FROM orders ORDER BY id LIMIT 5

-- name: window exclude group
SELECT id, sum(total) OVER (ORDER BY status GROUPS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE GROUP), sum(total) OVER (ORDER BY status ROWS 3 PRECEDING EXCLUDE NO OTHERS) FROM orders ORDER BY id LIMIT 5

-- name: named windows
SELECT id, rank() OVER w, row_number() OVER (w ROWS UNBOUNDED PRECEDING), ntile(4) OVER w2 FROM orders WINDOW w AS (PARTITION BY status ORDER BY total), w2 AS (w) ORDER BY id LIMIT 5

-- name: window functions all
SELECT id, lag(total, 2, 0) OVER w, lead(total) OVER w, first_value(total) OVER w, last_value(total) OVER w, nth_value(total, 2) OVER w, cume_dist() OVER w, percent_rank() OVER w, dense_rank() OVER w FROM orders WINDOW w AS (ORDER BY id) LIMIT 4

-- name: window in order by
SELECT id FROM orders ORDER BY sum(total) OVER (PARTITION BY customer_id), id LIMIT 3

-- name: gaps and islands
SELECT status, min(id), max(id) FROM (SELECT id, status, row_number() OVER (ORDER BY id) - row_number() OVER (PARTITION BY status ORDER BY id) AS grp FROM orders) x GROUP BY status, grp ORDER BY 2 LIMIT 5

-- name: lateral join
SELECT c.id, o.* FROM customers c CROSS JOIN LATERAL (SELECT id AS order_id, total FROM orders WHERE customer_id = c.id ORDER BY ordered_at DESC LIMIT 2) o ORDER BY 1, 2 LIMIT 5

-- name: left join lateral on true
SELECT c.id, x.n FROM customers c LEFT JOIN LATERAL (SELECT count(*) n FROM orders o WHERE o.customer_id = c.id) x ON true ORDER BY 1 LIMIT 5

-- name: lateral function
SELECT c.id, t FROM customers c, LATERAL unnest(c.tags) AS t ORDER BY 1, 2 LIMIT 5

-- name: implicit lateral function
SELECT c.id, e.key, e.value FROM customers c, jsonb_each_text(c.profile) AS e ORDER BY 1, 2 LIMIT 5

-- name: rows from
SELECT * FROM ROWS FROM (generate_series(1, 3), unnest(ARRAY['a', 'b'])) WITH ORDINALITY AS t(n, s, i)

-- name: rows from with column definitions
SELECT * FROM ROWS FROM (json_to_recordset('[{"a":40,"b":"foo"},{"a":"100","b":"bar"}]') AS (a integer, b text), generate_series(1, 3)) AS x (p, q, s) ORDER BY p

-- name: unnest several with ordinality
SELECT * FROM unnest(ARRAY[1, 2], ARRAY['foo', 'bar', 'baz']) WITH ORDINALITY AS t(a, b, n)

-- name: json to record
SELECT * FROM json_to_record('{"a":1,"b":[1,2,3],"c":"bar"}') AS x(a int, b int[], c text)

-- name: jsonb populate record
SELECT (jsonb_populate_record(NULL::order_items, '{"order_id":1,"line_no":2}')).*

-- name: jsonb populate recordset
SELECT * FROM jsonb_populate_recordset(NULL::stock, '[{"product_id":1,"warehouse":"north"},{"product_id":2}]')

-- name: tablesample bernoulli
SELECT count(*) >= 0 FROM orders TABLESAMPLE BERNOULLI (10) REPEATABLE (42)

-- name: tablesample system
SELECT count(*) >= 0 FROM orders AS o TABLESAMPLE SYSTEM (50)

-- name: only
SELECT count(*) FROM ONLY events

-- name: only in parentheses
SELECT count(*) FROM ONLY (events), events_2024 e

-- name: star of descendants
SELECT count(*) FROM events *

-- name: tableoid
SELECT tableoid::regclass, count(*) FROM events GROUP BY 1 ORDER BY 2

-- name: system columns
SELECT ctid, xmin IS NOT NULL, xmax, cmin, cmax, tableoid IS NOT NULL FROM departments

-- name: whole row
SELECT d FROM departments d

-- name: whole row star
SELECT (d).* FROM departments d

-- name: whole row to json
SELECT row_to_json(d), to_jsonb(d) - 'budget' FROM departments d

-- name: composite field
SELECT (address).city, (c.address).postcode FROM customers c LIMIT 2

-- name: composite star
SELECT (address).* FROM customers LIMIT 2

-- name: composite constant
SELECT ROW('a', 'b', 'c', 'DE')::postal_address, (ROW('a', 'b', 'c', 'DE')::postal_address).city FROM customers LIMIT 1

-- name: table command
TABLE departments

-- name: table only
TABLE ONLY departments ORDER BY id LIMIT 1

-- name: values with names
SELECT * FROM (VALUES (1, 'one'), (2, 'two')) AS t (num, letter)

-- name: values union
VALUES (1, 'one'), (2, 'two') UNION ALL (SELECT 3, 'three' FROM departments) LIMIT 1

-- name: union of everything
(SELECT id FROM orders LIMIT 2) UNION ALL (SELECT id FROM customers ORDER BY id DESC LIMIT 2) INTERSECT SELECT id FROM products EXCEPT SELECT 1 ORDER BY 1

-- name: except all
SELECT status FROM orders EXCEPT ALL SELECT 'open' ORDER BY 1 LIMIT 2

-- name: intersect all
SELECT currency FROM orders INTERSECT ALL SELECT currency FROM orders WHERE id < 3 ORDER BY 1

-- name: union distinct
SELECT 1 FROM orders UNION DISTINCT SELECT 2

-- name: select without columns
SELECT FROM orders LIMIT 3

-- name: select exists without columns
SELECT EXISTS (SELECT FROM orders WHERE id = 3)

-- name: natural join
SELECT * FROM stock NATURAL JOIN (SELECT product_id, warehouse FROM stock) s ORDER BY 1, 2 LIMIT 2

-- name: natural full join
SELECT count(*) FROM stock NATURAL FULL OUTER JOIN order_items

-- name: join using alias
SELECT j.product_id FROM stock s JOIN order_items i USING (product_id) AS j ORDER BY 1 LIMIT 2

-- name: right and full joins
SELECT count(*) FROM orders o RIGHT JOIN customers c ON c.id = o.customer_id FULL OUTER JOIN payments p ON p.order_id = o.id

-- name: parenthesized joins
SELECT count(*) FROM ((orders o JOIN customers c ON o.customer_id = c.id) AS j CROSS JOIN departments)

-- name: nested joins
SELECT count(*) FROM orders o LEFT JOIN (order_items i JOIN products p ON p.id = i.product_id) ON i.order_id = o.id

-- name: join on nested without parentheses
SELECT count(*) FROM orders o JOIN order_items i JOIN products p ON p.id = i.product_id ON i.order_id = o.id

-- name: self join aliases
SELECT e.name, m.name AS boss FROM employees e LEFT OUTER JOIN employees AS m ON e.manager_id = m.id ORDER BY e.id LIMIT 3

-- name: semi join anti join
SELECT c.id FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.total > 4000) AND c.id IN (SELECT customer_id FROM orders) ORDER BY 1 LIMIT 3

-- name: alias column list
SELECT a, b FROM departments AS d (a, b, c) WHERE c > 0 ORDER BY 1

-- name: alias of join
SELECT x.name FROM (departments CROSS JOIN (SELECT 1 AS one) o) AS x ORDER BY 1

-- name: correlated array
SELECT c.id, ARRAY(SELECT o.id FROM orders o WHERE o.customer_id = c.id ORDER BY 1) FROM customers c ORDER BY 1 LIMIT 3

-- name: scalar subquery in everything
SELECT (SELECT count(*) FROM orders) + 1, ARRAY[(SELECT 1), (SELECT max(id) FROM orders)], coalesce((SELECT note FROM orders WHERE id = 1), 'none'), (SELECT 1) IS NULL FROM departments LIMIT 1

-- name: with materialized
WITH a AS MATERIALIZED (SELECT * FROM orders), b AS NOT MATERIALIZED (SELECT * FROM a WHERE id < 5) SELECT count(*) FROM a, b

-- name: with names columns
WITH t(n, m) AS (VALUES (1, 2), (3, 4)) SELECT sum(n * m) FROM t, departments

-- name: nested with
WITH a AS (WITH b AS (SELECT id FROM orders) SELECT id FROM b WHERE id < 4) SELECT (WITH c AS (SELECT max(id) AS m FROM a) SELECT m FROM c)

-- name: with same name as table
WITH orders AS (SELECT id FROM orders WHERE id < 3) SELECT * FROM orders

-- name: recursive numbers
-- needs: info
WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 100) SELECT sum(n) FROM t

-- name: recursive tree
WITH RECURSIVE tree AS (SELECT id, name, 1 AS depth, ARRAY[id] AS path FROM categories WHERE parent_id IS NULL UNION ALL SELECT c.id, c.name, t.depth + 1, t.path || c.id FROM categories c JOIN tree t ON c.parent_id = t.id WHERE NOT c.id = ANY (t.path)) SELECT repeat('  ', depth) || name FROM tree ORDER BY path

-- name: recursive search depth
WITH RECURSIVE tree(id, parent_id, name) AS (SELECT id, parent_id, name FROM categories WHERE parent_id IS NULL UNION ALL SELECT c.id, c.parent_id, c.name FROM categories c, tree t WHERE c.parent_id = t.id) SEARCH DEPTH FIRST BY id SET ordercol SELECT * FROM tree ORDER BY ordercol

-- name: recursive search breadth
WITH RECURSIVE tree AS (SELECT id, parent_id FROM categories WHERE parent_id IS NULL UNION ALL SELECT c.id, c.parent_id FROM categories c JOIN tree t ON c.parent_id = t.id) SEARCH BREADTH FIRST BY id, parent_id SET seq SELECT id, seq FROM tree ORDER BY seq

-- name: recursive cycle
WITH RECURSIVE tree AS (SELECT id, parent_id FROM categories UNION ALL SELECT c.id, c.parent_id FROM categories c JOIN tree t ON c.parent_id = t.id) CYCLE id SET is_cycle USING path SELECT id, is_cycle, path FROM tree ORDER BY path LIMIT 5

-- name: recursive cycle to default
WITH RECURSIVE tree AS (SELECT id, parent_id FROM categories UNION ALL SELECT c.id, c.parent_id FROM categories c JOIN tree t ON c.parent_id = t.id) CYCLE id SET is_cycle TO 'Y' DEFAULT 'N' USING path SELECT id, is_cycle FROM tree ORDER BY path LIMIT 5

-- name: recursive search and cycle
WITH RECURSIVE tree AS (SELECT id, parent_id FROM categories UNION ALL SELECT c.id, c.parent_id FROM categories c JOIN tree t ON c.parent_id = t.id) SEARCH DEPTH FIRST BY id SET o CYCLE id SET is_cycle USING path SELECT id FROM tree ORDER BY o LIMIT 5

-- name: recursive mutual with several
WITH RECURSIVE a AS (SELECT 1 AS n UNION SELECT n + 1 FROM a WHERE n < 3), b AS (SELECT n FROM a) SELECT count(*) FROM b, customers

-- name: mandelbrot like
-- needs: info
WITH RECURSIVE x(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM x WHERE i < 5), z(ix, iy, cx, cy, x, y, i) AS (SELECT ix, iy, x::float, y::float, x::float, y::float, 0 FROM (SELECT -2.2 + 0.5 * i, i FROM x) AS xgen(x, ix) CROSS JOIN (SELECT -1.5 + 0.5 * i, i FROM x) AS ygen(y, iy) UNION ALL SELECT ix, iy, cx, cy, x*x - y*y + cx AS x, y*x*2 + cy, i + 1 FROM z WHERE x*x + y*y < 16.0 AND i < 27) SELECT array_to_string(array_agg(substring(' .,,,-----++++%%%%@@@@#### ', greatest(max_i, 1), 1) ORDER BY ix), '') FROM (SELECT ix, iy, max(i) AS max_i FROM z GROUP BY iy, ix ORDER BY iy, ix) zt GROUP BY iy ORDER BY iy

-- name: collate clauses
SELECT name FROM customers WHERE name COLLATE "C" < 'D' COLLATE "C" ORDER BY name COLLATE "POSIX" DESC LIMIT 3

-- name: collate qualified
SELECT name FROM customers ORDER BY name COLLATE pg_catalog."default" LIMIT 3

-- name: collate for
-- needs: info
SELECT COLLATION FOR ('foo' COLLATE "C"), pg_collation_for('x'::text)

-- name: at time zone
SELECT ordered_at AT TIME ZONE 'Europe/Berlin', ordered_at AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York', timezone('CET', ordered_at) FROM orders ORDER BY id LIMIT 1

-- name: at time zone interval
SELECT ordered_at AT TIME ZONE INTERVAL '-08:00', ordered_at AT TIME ZONE '+02' FROM orders ORDER BY id LIMIT 1

-- name: extract all fields
-- needs: info
SELECT EXTRACT(CENTURY FROM TIMESTAMP '2000-12-16 12:21:13'), EXTRACT(day FROM INTERVAL '40 days 1 minute'), EXTRACT('epoch' FROM TIMESTAMP WITH TIME ZONE '2001-02-16 20:38:40.12-08'), EXTRACT(isodow FROM DATE '2001-02-18'), EXTRACT(julian FROM DATE '2006-01-01'), date_part('hour', INTERVAL '4 hours 3 minutes'), EXTRACT(timezone_hour FROM TIMESTAMPTZ '2001-02-16 20:38:40+05:30')

-- name: standard functions
-- needs: info
SELECT SUBSTRING('Thomas' FROM 2 FOR 3), SUBSTRING('Thomas' FOR 3), SUBSTRING('Thomas' FROM '...$'), SUBSTRING('Thomas' SIMILAR '%#"o_a#"_' ESCAPE '#'), POSITION('om' IN 'Thomas'), OVERLAY('Txxxxas' PLACING 'hom' FROM 2 FOR 4), TRIM(BOTH 'xyz' FROM 'yxTomxx'), TRIM(LEADING FROM '  x'), TRIM(TRAILING 'x' FROM 'axx'), TRIM(BOTH FROM 'yxTomxx', 'xyz'), CAST('1' AS int), NORMALIZE('e', NFC), 'abc' IS NORMALIZED, 'a' IS NOT NFKD NORMALIZED

-- name: substring from for with bytes
-- needs: info
SELECT SUBSTRING(B'110010101' FROM 2 FOR 3), OVERLAY('\x1234567890'::bytea PLACING '\002\003'::bytea FROM 2 FOR 3), POSITION('\x34'::bytea IN '\x1234'::bytea), TRIM('\x9012'::bytea FROM '\x1234567890'::bytea), bit_length('jose'), octet_length('jose'), char_length('jose'), character_length('jose')

-- name: current things
-- needs: info
SELECT CURRENT_DATE IS NOT NULL, CURRENT_TIME(0) IS NULL, CURRENT_TIMESTAMP(3) IS NULL, LOCALTIME IS NULL, LOCALTIMESTAMP(2) IS NULL, CURRENT_USER, SESSION_USER, USER, CURRENT_ROLE, CURRENT_SCHEMA

-- name: similar to
SELECT name FROM customers WHERE name SIMILAR TO '%(1|2)0?' AND name NOT SIMILAR TO 'x' ESCAPE '!' ORDER BY id LIMIT 3

-- name: like escape
SELECT name FROM customers WHERE name LIKE 'C!_%' ESCAPE '!' OR name NOT ILIKE 'c%' ESCAPE '' ORDER BY id

-- name: like operators
SELECT name FROM customers WHERE name ~~ 'C%' AND name !~~ 'x' AND name ~~* 'c%' AND name !~~* 'x%' AND name ^@ 'Cust' AND name ~ '^C' AND name !~ 'x' AND name !~* 'y' ORDER BY id LIMIT 2

-- name: in list
SELECT id FROM orders WHERE id IN (1, 2, 3) AND status NOT IN ('paid', 'open') ORDER BY id

-- name: parameters of limit
SELECT id, total FROM orders WHERE status = $1 AND total > $2::numeric ORDER BY id LIMIT $3 OFFSET $4

-- name: parameters in arrays
SELECT id FROM orders WHERE id = ANY ($1::bigint[]) AND status <> ALL ($2)

-- name: parameter as interval
SELECT count(*) FROM orders WHERE ordered_at > now() - $1 * interval '1 day' AND currency = COALESCE($2, currency)

-- name: for update of nothing under explain
-- needs: explain,info
EXPLAIN SELECT id FROM orders WHERE id = 1

-- name: explain options
-- needs: explain,info
EXPLAIN (VERBOSE, COSTS off, SETTINGS, FORMAT json) SELECT CASE WHEN id > 1 THEN CASE WHEN id > 2 THEN 1 END END FROM orders

-- name: explain analyze buffers
EXPLAIN (ANALYZE, BUFFERS, TIMING off, SUMMARY off, COSTS off) SELECT count(*) FROM orders WHERE id < 10

-- name: select star with comment
SELECT /* outer /* inner */ still */ * -- to the end
FROM departments -- d
WHERE id = 1 /* last */

-- name: semicolon only at the end
SELECT count(*) FROM departments;

-- name: two semicolons
SELECT count(*) FROM departments;;

-- name: trailing comment after semicolon
SELECT count(*) FROM departments; -- done

-- name: quoted identifiers
SELECT "id", "departments"."name", "public"."departments"."budget" FROM "public"."departments" ORDER BY "id"

-- name: unicode quoted column
SELECT name AS "prénom", id AS "größe", budget AS "予算" FROM departments ORDER BY 2

-- name: unquoted unicode alias
SELECT name AS größe FROM departments ORDER BY größe

-- name: database qualified name
SELECT count(*) FROM pg_catalog.pg_class c WHERE c.relname = 'orders'

-- name: keywords as names
SELECT 1 AS select, 2 AS "from", 3 AS order, 4 AS user, d.name AS table, d.id AS value FROM departments d LIMIT 1

-- name: bare labels
SELECT id key, name value, budget total, 1 first, 2 last, 3 type, 4 comment FROM departments LIMIT 1

-- name: string constants
SELECT 'foo'
'bar', E'a\tb\n\\ \'', U&'d\0061t\+000061', U&'d!0061t!+000061' UESCAPE '!', $$Dianne's horse$$, $tag$a $$ b$tag$, B'1001', X'1FF', N'national', 'it''s', E'\x41\u00e9\U0001F600\101'

-- name: string constants continued over comments
SELECT 'foo' -- comment
'bar' FROM departments LIMIT 1

-- name: numbers
-- needs: info
SELECT 42, 3.5, 4., .001, 5e2, 1.925e-3, +5, - 5, -.5, 9223372036854775808, 1e400, 007

-- name: typed constants
-- needs: info
SELECT REAL '1.23', 1.23::real, numeric(5,2) '3.456', date 'infinity', time '04:05', timetz '04:05:06-08', interval '1' year, interval '1-2' year to month, INTERVAL(3) '1.23456', interval '1 12:59:10' DAY TO SECOND(2), double precision '1.5', character varying 'x', bit varying '101', timestamp(0) with time zone '2004-10-19 10:23:54.5+02', time(2) without time zone '04:05:06.789', dec '1.5', int '5', bool 'yes', char(3) 'abcdef', national character varying(3) 'abc'

-- name: casts in all forms
-- needs: info
SELECT CAST('1' AS integer), '1'::int4, int4('1'), float8 '1', '1'::pg_catalog.int4, '{1,2}'::int[], '{1,2}'::int[3], '{{1,2}}'::int[][], CAST('{1}' AS int ARRAY), CAST('{1}' AS int ARRAY[4]), '1.5'::numeric(5, 2), 'x'::"char", '2001-01-01'::date::text, 'a'::character varying(5), '1'::bit(3), '1010'::varbit(5)

-- name: set of type casts
-- needs: info
SELECT 'pg_class'::regclass, 'now'::regproc, 'int4'::regtype, 'sum(int4)'::regprocedure, '+(int,int)'::regoperator, 'english'::regconfig, 'simple'::regdictionary, 'public'::regnamespace, '"C"'::regcollation, 0::oid, '(0,1)'::tid, '16/B374D848'::pg_lsn, '10:20:10,14,15'::pg_snapshot, '5'::xid8, '$1.00'::money

-- name: interval spellings
-- needs: info
SELECT interval '1 day 2 hours', '1 year 2 mons'::interval, interval 'P1Y2M3DT4H5M6S', interval '@ 1 minute ago', interval '1-2', '3 4:05:06'::interval, interval '1.5' hour, interval '90' minute, interval '1 2:03' day to hour, interval '1:2' hour to minute, interval '1' month * 3

-- name: date and time spellings
-- needs: info
SELECT date 'January 8, 1999', date '1999-Jan-08', date '19990108', date 'J2451187', date 'epoch', time 'allballs', time '04:05 PM', timestamptz '2004-10-19 10:23:54 Europe/Berlin', '20040506T040506Z'::timestamptz, timestamp '2004-10-19 10:23:54.123456', date 'today' = current_date, timestamptz 'tomorrow' > now(), date '0044-03-15 BC'

-- name: datetime arithmetic
-- needs: info
SELECT date '2001-09-28' + 7, date '2001-09-28' + interval '1 hour', date '2001-09-28' + time '03:00', - interval '23 hours', date '2001-10-01' - date '2001-09-28', 900 * interval '1 second', interval '1 hour' / 1.5, age(timestamp '2001-04-10', timestamp '1957-06-13'), justify_days(interval '35 days'), justify_hours(interval '27 hours'), justify_interval(interval '1 mon -1 hour'), isfinite(date '2001-02-16')

-- name: datetime functions
-- needs: info
SELECT date_trunc('hour', timestamp '2001-02-16 20:38:40'), date_trunc('day', timestamptz '2001-02-16 20:38:40+00', 'Australia/Sydney'), date_bin('15 minutes', timestamp '2020-02-11 15:44:17', timestamp '2001-01-01'), make_date(2013, 7, 15), make_interval(days => 10), make_time(8, 15, 23.5), make_timestamp(2013, 7, 15, 8, 15, 23.5), make_timestamptz(2013, 7, 15, 8, 15, 23.5, 'Europe/Berlin'), to_timestamp(1284352323), clock_timestamp() IS NULL, statement_timestamp() IS NULL, transaction_timestamp() = now(), timeofday() IS NULL

-- name: formatting
-- needs: info
SELECT to_char(timestamp '2002-04-20 17:31:12.66', 'HH12:MI:SS'), to_char(interval '15h 2m 12s', 'HH24:MI:SS'), to_char(125, '999'), to_char(-125.8, '999D99S'), to_date('05 Dec 2000', 'DD Mon YYYY'), to_number('12,454.8-', '99G999D9S'), to_timestamp('05 Dec 2000', 'DD Mon YYYY'), to_char(date '2024-01-01', '"Q"Q TMDay FMDDth IYYY-IW'), to_char(485, 'FMRN'), to_char(0.0004859, '9.99EEEE')

-- name: string functions
-- needs: info
SELECT ascii('x'), btrim('xyxtrimyyx', 'xyz'), chr(65), concat('a', 2, NULL, 22), format('Hello %s, %1$s %I %L', 'World', 'a b', 'c'), initcap('hi THOMAS'), left('abcde', -2), right('abcde', 2), length('jose'), lpad('hi', 5, 'xy'), rpad('hi', 5), md5('abc'), parse_ident('"S"."t"'), quote_ident('Foo bar'), quote_literal(42.5), quote_nullable(NULL), repeat('Pg', 4), replace('abc', 'b', 'x'), reverse('abcde'), split_part('a~b~c', '~', -1), starts_with('alphabet', 'alph'), string_to_array('xx~~yy', '~~', 'yy'), strpos('high', 'ig'), substr('alphabet', 3, 2), to_hex(2147483647), translate('12345', '143', 'ax'), unistr('d\0061t'), upper('tom'), lower('TOM')

-- name: string table functions
-- needs: info
SELECT * FROM string_to_table('xx~^~yy~^~zz', '~^~', 'yy') WITH ORDINALITY

-- name: regular expressions
-- needs: info
SELECT regexp_count('123456789012', '\d\d\d', 2), regexp_instr('ABCDEF', 'c(.)(..)', 1, 1, 0, 'i'), regexp_like('Hello World', 'world$', 'i'), regexp_match('foobarbequebaz', '(bar)(beque)'), regexp_replace('Thomas', '.[mN]a.', 'M'), regexp_replace('foobarbaz', 'b(..)', 'X\1Y', 'g'), regexp_replace('A PostgreSQL function', 'a|e|i|o|u', 'X', 1, 3, 'i'), regexp_split_to_array('hello world', '\s+'), regexp_substr('ABCDEF', 'c(.)(..)', 1, 1, 'i', 2), (regexp_match('foobarbequebaz', 'bar.*que'))[1]

-- name: regular expression sets
-- needs: info
SELECT m, m[1], i FROM regexp_matches('foobarbequebazilbarfbonk', '(b[^b]+)(b[^b]+)', 'g') WITH ORDINALITY AS t(m, i), regexp_split_to_table('the quick', '\s+') AS w ORDER BY i, w

-- name: binary strings
-- needs: info
SELECT encode('123\000\001', 'base64'), decode('MTIzAAE=', 'base64'), encode('\xdeadbeef', 'hex'), '\xDEADBEEF'::bytea, get_bit('\x1234567890'::bytea, 30), get_byte('\x1234567890'::bytea, 4), set_bit('\x1234567890'::bytea, 30, 0), set_byte('\x1234567890'::bytea, 4, 64), sha224('abc'), sha256('abc'), sha384('abc'), sha512('abc'), convert_from('text_in_utf8', 'UTF8'), convert_to('some_text', 'UTF8'), convert('text_in_utf8', 'UTF8', 'LATIN1'), bit_count('\x1234567890'::bytea), md5('Th\000omas'::bytea)

-- name: math
-- needs: info
SELECT 2 ^ 3, |/ 25.0, ||/ 64.0, @ -5.0, 91 & 15, 32 | 3, 17 # 5, ~1, 1 << 4, 8 >> 2, 5 % 4, abs(-17.4), cbrt(64.0), ceil(42.2), ceiling(-42.8), degrees(0.5), div(9, 4), exp(1.0), factorial(5), floor(-42.8), gcd(1071, 462), lcm(1071, 462), ln(2.0), log(100), log10(1000), log(2.0, 64.0), min_scale(8.4100), mod(9, 4), pi(), power(9, 3), radians(45.0), round(42.4382, 2), scale(8.4100), sign(-8.4), sqrt(2), trim_scale(8.4100), trunc(42.4382, 2), width_bucket(5.35, 0.024, 10.06, 5), width_bucket(now(), array['yesterday', 'today', 'tomorrow']::timestamptz[])

-- name: trigonometry
-- needs: info
SELECT acos(1), acosd(0.5), asin(1), asind(0.5), atan(1), atand(1), atan2(1, 0), atan2d(1, 0), cos(0), cosd(60), cot(0.5), cotd(45), sin(1), sind(30), tan(1), tand(45), sinh(1), cosh(0), tanh(1), asinh(1), acosh(1), atanh(0.5)

-- name: random numbers
-- needs: info
SELECT random() < 1, setseed(0.5)

-- name: arrays
SELECT ARRAY[1, 2, 3] || 4, ARRAY[1, 2] || ARRAY[[3, 4]], 1 || ARRAY[2], ARRAY[1, 2] @> ARRAY[1], ARRAY[1] <@ ARRAY[1, 2], ARRAY[1, 4] && ARRAY[2, 1], tags[1], tags[1:1], tags[:2], tags[:], (ARRAY[[1, 2], [3, 4]])[1:2][1:1], ARRAY[]::text[], '{{1,2},{3,4}}'::int[][] FROM customers LIMIT 2

-- name: array functions
-- needs: info
SELECT array_append(ARRAY[1, 2], 3), array_cat(ARRAY[1, 2], ARRAY[4]), array_dims(ARRAY[[1, 2]]), array_fill(11, ARRAY[2, 3]), array_length(array[1, 2, 3], 1), array_lower('[0:2]={1,2,3}'::integer[], 1), array_ndims(ARRAY[[1]]), array_position(ARRAY['sun', 'mon'], 'mon'), array_positions(ARRAY['A', 'B', 'A'], 'A'), array_prepend(1, ARRAY[2]), array_remove(ARRAY[1, 2], 2), array_replace(ARRAY[1, 2], 2, 3), array_to_string(ARRAY[1, NULL], ',', '*'), array_upper(ARRAY[1], 1), cardinality(ARRAY[[1, 2], [3, 4]]), trim_array(ARRAY[1, 2, 3], 2), array_to_json('{{1,5}}'::int[])

-- name: array of subscripts
SELECT generate_subscripts(tags, 1) AS i, tags FROM customers ORDER BY id, 1 LIMIT 4

-- name: array containment on column
SELECT id FROM customers WHERE tags @> ARRAY['vip'] AND 'vip' = ANY (tags) AND NOT tags && '{x}' ORDER BY id LIMIT 3

-- name: array slices of expression
SELECT (string_to_array(email, '@'))[2], (ARRAY(SELECT id FROM orders WHERE customer_id = c.id ORDER BY 1))[1:2] FROM customers c ORDER BY id LIMIT 2

-- name: ranges
-- needs: info
SELECT int4range(10, 20) @> 3, numrange(11.1, 22.2) && numrange(20.0, 30.0), upper(int8range(15, 25)), int4range(10, 20) * int4range(15, 25), isempty(numrange(1, 5)), '[3,7)'::int4range, 'empty'::int4range, '[2010-01-01 14:30, 2010-01-01 15:30)'::tsrange, int8range(1, 14, '(]'), numrange(NULL, 2.2), lower_inc('[1,3)'::int4range), upper_inf('(,)'::daterange), range_merge('[1,2)'::int4range, '[3,4)'::int4range), int4range(1, 5) -|- int4range(5, 7), int4range(1, 5) << int4range(6, 7), int4range(1, 5) &< int4range(1, 7), int4range(1, 5) + int4range(3, 7), int4range(1, 5) - int4range(3, 7)

-- name: multiranges
-- needs: info
SELECT '{[3,7), [8,9)}'::int4multirange, nummultirange(numrange(1.0, 14.0), numrange(20.0, 25.0)), int4multirange(), datemultirange(daterange('2024-01-01', '2024-02-01')), '{[2,4)}'::int4multirange @> '[2,3)'::int4range, range_merge('{[1,2), [3,4)}'::int4multirange), multirange('[1,2)'::int4range), lower('{[1,2)}'::int4multirange)

-- name: multirange unnest
-- needs: info
SELECT unnest('{[1,2), [3,4)}'::int4multirange)

-- name: ranges on tables
SELECT v.id, lower(during), upper(during) - lower(during) FROM visits v WHERE during && tstzrange('2025-01-02', '2025-01-03', '[)') AND during @> timestamptz '2025-01-02 05:10' ORDER BY id

-- name: geometry
-- needs: info
SELECT point(1, 2) <-> point(3, 4), box '(2,2),(0,0)' # box '(1,1),(3,3)', circle '<(1,2),3>' @> point '(1,1)', line '{1,2,3}', lseg '[(1,2),(3,4)]', path '[(0,0),(1,1)]', polygon '((0,0),(1,1),(2,0))', @-@ path '[(0,0),(1,0),(1,1)]', @@ box '(2,2),(0,0)', # path '((1,0),(0,1),(-1,0))', lseg '[(0,0),(2,2)]' ?# lseg '[(0,2),(2,0)]', box '(1,1),(0,0)' <<| box '(3,3),(2,2)', ?- lseg '[(-1,0),(1,0)]', ?| lseg '[(-1,0),(1,0)]', polygon '((0,0),(1,1))' ~= polygon '((1,1),(0,0))', point '(1,0)' ?- point '(0,0)', lseg '[(0,0),(0,1)]' ?-| lseg '[(0,0),(1,0)]', lseg '[(-1,0),(1,0)]' ?|| lseg '[(-1,2),(1,2)]', box '((0,0),(1,1))' |&> box '((0,0),(2,2))', circle '<(0,0),1>' |>> circle '<(0,5),1>'

-- name: geometry functions
-- needs: info
SELECT area(box '(2,2),(0,0)'), center(box '(1,2),(0,0)'), diagonal(box '(1,2),(0,0)'), diameter(circle '<(0,0),2>'), height(box '(1,2),(0,0)'), isclosed(path '((0,0),(1,1),(2,0))'), isopen(path '[(0,0),(1,1),(2,0)]'), length(path '((-1,0),(1,0))'), npoints(path '[(0,0),(1,1),(2,0)]'), pclose(path '[(0,0),(1,1),(2,0)]'), popen(path '((0,0),(1,1),(2,0))'), radius(circle '<(0,0),2>'), slope(point '(0,0)', point '(2,1)'), width(box '(1,2),(0,0)'), box(circle '<(0,0),2>'), box(point '(1,0)'), bound_box(box '(1,1),(0,0)', box '(5,5),(4,4)'), circle(point '(0,0)', 2.0), line(point '(-1,0)', point '(1,0)'), lseg(point '(-1,0)', point '(1,0)'), path(polygon '((0,0),(1,1),(2,0))'), point(23.4, -44.5), polygon(12, circle '<(3,0),1>')

-- name: point subscripts
-- needs: info
SELECT (point '(1,2)')[0], (box '(1,2),(0,0)')[1]

-- name: nearest neighbours
SELECT id FROM orders ORDER BY point(id, total) <-> point '(10,100)', id LIMIT 3

-- name: network
-- needs: info
SELECT inet '192.168.1.5' << inet '192.168.1/24', inet '192.168.1/24' <<= inet '192.168.1/24', inet '192.168.1/24' >> inet '192.168.1.5', inet '192.168.1/24' && inet '192.168.1.80/28', ~ inet '192.168.1.6', inet '192.168.1.6' & inet '0.0.0.255', inet '192.168.1.6' + 25, inet '192.168.1.43' - inet '192.168.1.19', abbrev(cidr '10.1.0.0/16'), broadcast(inet '192.168.1.5/24'), family(inet '::1'), host(inet '192.168.1.0/24'), hostmask(inet '192.168.23.20/30'), inet_merge(inet '192.168.1.5/24', inet '192.168.2.5/24'), inet_same_family(inet '192.168.1.5/24', inet '::1'), masklen(inet '192.168.1.5/24'), netmask(inet '192.168.1.5/24'), network(inet '192.168.1.5/24'), set_masklen(inet '192.168.1.5/24', 16), text(inet '192.168.1.5'), trunc(macaddr '12:34:56:78:90:ab'), macaddr8_set7bit(macaddr8 '00:34:56:ab:cd:ef:01:23')

-- name: network on tables
SELECT ip, count(*) FROM visits WHERE ip << '10.1.0.0/16' AND ip <> inet '10.1.2.7' GROUP BY 1 ORDER BY 1 LIMIT 3

-- name: bit strings
-- needs: info
SELECT B'10001' || B'011', B'10001' & B'01101', B'10001' | B'01101', B'10001' # B'01101', ~ B'10001', B'10001' << 3, B'10001' >> 2, bit_count(B'10111'), get_bit(B'101010101010101010', 6), set_bit(B'101010101010101010', 6, 0), 44::bit(10), cast(-44 AS bit(12)), '1110'::bit(4)::integer

-- name: money uuid and enums
SELECT '12.34'::money * 2, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, gen_random_uuid() IS NULL, 'new'::customer_status < 'active', enum_first(NULL::customer_status), enum_last('new'::customer_status), enum_range(NULL::customer_status), enum_range('new', 'dormant'::customer_status), status::text FROM customers LIMIT 1

-- name: domains
SELECT 3.5::positive_amount, CAST(price AS numeric), price::positive_amount FROM products LIMIT 1

-- name: text search
-- needs: info
SELECT to_tsvector('fat cats ate rats') @@ to_tsquery('cat & rat'), to_tsvector('english', 'a fat cat') @@@ to_tsquery('cat'), 'a:1 b:2'::tsvector || 'c:1 d:2'::tsvector, 'fat | rat'::tsquery && 'cat'::tsquery, 'fat | rat'::tsquery || 'cat'::tsquery, !! 'cat'::tsquery, to_tsquery('fat') <-> to_tsquery('rat'), 'cat'::tsquery @> 'cat & rat'::tsquery, 'cat'::tsquery <@ 'cat & rat'::tsquery

-- name: text search functions
-- needs: info
SELECT array_to_tsvector('{fat,cat,rat}'), get_current_ts_config(), length('fat:2,4 cat:3 rat:5A'::tsvector), numnode('(fat & rat) | cat'::tsquery), plainto_tsquery('english', 'The Fat Rats'), phraseto_tsquery('english', 'The Fat Rats'), websearch_to_tsquery('english', '"fat rat" or cat dog -bird'), querytree('foo & ! bar'::tsquery), setweight('fat:2,4 cat:3 rat:5B'::tsvector, 'A'), setweight('fat:2,4'::tsvector, 'A', '{cat,rat}'), strip('fat:2,4 cat:3'::tsvector), to_tsvector('english', '{"aaa": "The Fat Rats"}'::json), json_to_tsvector('english', '{"a": "Fat", "b": 123}', '["string", "numeric"]'), jsonb_to_tsvector('english', '{"a": "Fat"}', '"all"'), ts_delete('fat:2,4 cat:3'::tsvector, 'fat'), ts_filter('fat:2,4 cat:3b,7c'::tsvector, '{a,b}'), ts_headline('The fat cat ate the rat.', 'cat'), ts_rank(to_tsvector('raining cats'), 'cat'), ts_rank_cd('{0.1,0.2,0.4,1.0}', to_tsvector('raining cats'), 'cat', 32), tsquery_phrase(to_tsquery('fat'), to_tsquery('cat'), 10), tsvector_to_array('fat:2,4 cat:3'::tsvector)

-- name: text search debugging
-- needs: info
SELECT alias, token, lexemes FROM ts_debug('english', 'The Brightest supernovaes')

-- name: text search parsing
-- needs: info
SELECT * FROM ts_parse('default', '123 - a number')

-- name: text search token types
-- needs: info
SELECT * FROM ts_token_type('default') ORDER BY tokid LIMIT 3

-- name: text search lexize
-- needs: info
SELECT ts_lexize('english_stem', 'stars')

-- name: text search unnest
-- needs: info
SELECT * FROM unnest('cat:3 fat:2,4 rat:5A'::tsvector)

-- name: text search on documents
SELECT title, ts_rank_cd(tsv, q) AS rank, ts_headline('english', body, q, 'StartSel=<b>, StopSel=</b>, MaxFragments=2') FROM documents, websearch_to_tsquery('english', 'parcel or tea') q WHERE tsv @@ q ORDER BY rank DESC

-- name: text search weights
SELECT title FROM documents WHERE setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', coalesce(body, '')), 'B') @@ 'tea:A'::tsquery

-- name: json operators
SELECT profile -> 'likes' -> 0, profile ->> 'lang', profile #> '{likes,0}', profile #>> '{likes,1}', profile @> '{"lang": "de"}', '{"a": 1}'::jsonb <@ profile, profile ? 'age', profile ?| array['b', 'age'], profile ?& array['age', 'lang'], profile || '{"x": 1}', profile - 'age', profile - '{age,lang}'::text[], profile #- '{likes,0}', profile @? '$.likes[*] ? (@ == "tea")', profile @@ '$.age > 20' FROM customers ORDER BY id LIMIT 2

-- name: json subscripting
SELECT profile['lang'], profile['likes'][0], profile['a']['b']['c'] FROM customers ORDER BY id LIMIT 2

-- name: json creation
-- needs: info
SELECT to_json('Fred said "Hi."'::text), to_jsonb(row(42, 'x')), array_to_json('{{1,5},{99,100}}'::int[], true), row_to_json(row(1, 'foo')), json_build_array(1, 2, 'foo', 4, 5), jsonb_build_object('foo', 1, 2, row(3, 'bar')), json_object('{a, 1, b, "def", c, 3.5}'), json_object('{a,b}', '{1,2}'), jsonb_object('{{a, 1},{b, "def"}}')

-- name: json processing
-- needs: info
SELECT json_array_length('[1,2,3,{"f1":1}]'), jsonb_extract_path('{"f2":{"f3":1}}', 'f2', 'f3'), json_extract_path_text('{"f4":{"f5":99,"f6":"foo"}}', 'f4', 'f6'), json_typeof('-123.4'), jsonb_pretty('[{"f1":1}, 2]'), jsonb_set('[{"f1":1},2]', '{0,f1}', '[2,3,4]', false), jsonb_set_lax('[{"f1":1}]', '{0,f1}', null), jsonb_insert('{"a": [0,1,2]}', '{a, 1}', '"new_value"'), json_strip_nulls('[{"f1":1, "f2":null}, 2, null, 3]'), jsonb_path_exists('{"a":[1,2]}', '$.a[*] ? (@ >= $min)', '{"min":2}'), jsonb_path_match('{"a":[1,2]}', 'exists($.a[*])'), jsonb_path_query_array('{"a":[1,2]}', '$.a[*]'), jsonb_path_query_first('{"a":[1,2]}', '$.a[*]'), jsonb_path_exists_tz('["2015-08-01 12:00:00-05"]', '$[*] ? (@.datetime() < "2015-08-02".datetime())')

-- name: json sets
-- needs: info
SELECT * FROM json_each('{"a":"foo"}') a(k, v), jsonb_each_text('{"a":"foo"}') b, json_array_elements('[1,true]') c, jsonb_array_elements_text('["foo"]') d(x), json_object_keys('{"f1":"abc"}') e, jsonb_path_query('{"a":[1,2]}', '$.a[*]') f

-- name: json paths
-- needs: info
SELECT jsonb_path_query('{"track":{"segments":[{"HR":73},{"HR":135}]}}', '$.track.segments[*] ? (@.HR > 130 && !(@.HR < 5)).HR'), jsonb_path_query('[1, 2]', 'strict $[*].double() ? (@ starts with "1" || @ like_regex "^1" flag "i")'), '$.a[*].b.**{2 to last}.size()'::jsonpath, '{"a": 1}'::jsonb @? '$.a ? (@ == 1)'

-- name: json group by
SELECT profile ->> 'lang' AS lang, count(*), avg((profile ->> 'age')::int) FROM customers GROUP BY profile ->> 'lang' ORDER BY 1

-- name: json aggregation nested
SELECT jsonb_build_object('id', c.id, 'orders', coalesce((SELECT jsonb_agg(jsonb_build_object('id', o.id, 'items', (SELECT json_agg(i) FROM order_items i WHERE i.order_id = o.id)) ORDER BY o.id) FROM orders o WHERE o.customer_id = c.id), '[]'::jsonb)) FROM customers c WHERE c.id < 3 ORDER BY c.id

-- name: json object aggregate filter
SELECT jsonb_object_agg(country, n) FILTER (WHERE country IS NOT NULL) FROM (SELECT country, count(*) n FROM customers GROUP BY country) x

-- name: json array elements of a column
SELECT c.id, l.value FROM customers c, LATERAL jsonb_array_elements_text(c.profile -> 'likes') WITH ORDINALITY AS l(value, ord) WHERE l.ord = 1 ORDER BY 1 LIMIT 2

-- name: json to recordset of column
SELECT x.* FROM customers c CROSS JOIN LATERAL jsonb_to_record(c.profile) AS x(age int, lang text) ORDER BY 1, 2 LIMIT 2

-- name: xml
-- needs: info
SELECT xmlcomment('hello'), xmlconcat('<abc/>', '<bar>foo</bar>'), xmlelement(name foo, xmlattributes('xyz' AS bar), 'content'), xmlforest('abc' AS foo, 123 AS bar), xmlpi(name php, 'echo "hello world";'), xmlroot(xmlparse(document '<?xml version="1.1"?><content>abc</content>'), version '1.0', standalone yes), xmlserialize(content '<a/>'::xml AS text), '<a/>' IS DOCUMENT, xml_is_well_formed('<>'), xml_is_well_formed_document('<a/>'), xml_is_well_formed_content('abc'), xpath('/my:a/text()', '<my:a xmlns:my="http://example.com">test</my:a>', ARRAY[ARRAY['my', 'http://example.com']]), xpath_exists('/a', '<a/>'), xmlexists('//town[text() = ''Toronto'']' PASSING BY VALUE '<towns><town>Toronto</town></towns>')

-- name: xml on tables
SELECT xmlagg(xmlelement(name customer, xmlattributes(id AS "id"), xmlforest(name, email AS mail)) ORDER BY id) FROM customers WHERE id < 3

-- name: xmltable
-- needs: info
SELECT t.* FROM XMLTABLE('/ROWS/ROW' PASSING '<ROWS><ROW id="1"><COUNTRY_ID>AU</COUNTRY_ID></ROW></ROWS>' COLUMNS id int PATH '@id', ordinality FOR ORDINALITY, "COUNTRY_ID" text, size float PATH 'SIZE' DEFAULT 1, u text PATH 'U' NOT NULL DEFAULT 'none') AS t

-- name: xmltable namespaces
-- needs: info
SELECT * FROM XMLTABLE(XMLNAMESPACES('http://example.com/myns' AS x, 'http://example.com/b' AS "B"), '/x:example/x:item' PASSING '<example xmlns="http://example.com/myns"><item foo="1"/></example>' COLUMNS foo int PATH '@foo')

-- name: xmltable of column
SELECT c.id, x.n FROM customers c, LATERAL XMLTABLE('/r' PASSING xmlelement(name r, xmlelement(name n, c.name)) COLUMNS n text PATH 'n') AS x ORDER BY c.id LIMIT 2

-- name: generate series
-- needs: info
SELECT * FROM generate_series(2, 10, 2) a, generate_series(1.1, 4, 1.3) b, generate_series('2008-03-01 00:00'::timestamp, '2008-03-02', '10 hours') c LIMIT 5

-- name: generate series of days with counts
SELECT d::date, count(o.id) FROM generate_series(date '2024-02-01', date '2024-02-10', interval '1 day') AS d LEFT JOIN orders o ON o.ordered_at::date = d::date GROUP BY d ORDER BY d

-- name: calendar cross join
SELECT m, w.warehouse FROM generate_series(1, 2) m CROSS JOIN (SELECT DISTINCT warehouse FROM stock) w ORDER BY 1, 2

-- name: set returning in select list
SELECT id, unnest(tags), generate_series(1, 2) FROM customers ORDER BY id LIMIT 4

-- name: information functions
-- needs: info
SELECT current_catalog, current_database(), current_schemas(true), current_user, inet_client_addr() IS NULL, inet_server_port() IS NULL, pg_backend_pid() > 0, pg_conf_load_time() IS NULL, pg_postmaster_start_time() IS NULL, version() LIKE 'Postgre%', pg_is_in_recovery(), pg_jit_available() IS NULL, pg_my_temp_schema() IS NULL, pg_is_other_temp_schema(0), pg_trigger_depth(), pg_blocking_pids(pg_backend_pid()), pg_safe_snapshot_blocking_pids(pg_backend_pid())

-- name: privilege functions
-- needs: info
SELECT has_table_privilege('orders', 'SELECT'), has_schema_privilege('public', 'USAGE'), has_database_privilege(current_database(), 'CONNECT'), has_column_privilege('orders', 'id', 'SELECT'), has_any_column_privilege('orders', 'SELECT'), has_function_privilege('now()', 'EXECUTE'), has_sequence_privilege('invoice_number', 'USAGE'), pg_has_role(current_user, 'USAGE'), row_security_active('orders'), has_type_privilege('int4', 'USAGE'), has_language_privilege('sql', 'USAGE'), has_parameter_privilege('work_mem', 'SET')

-- name: visibility and types
-- needs: info
SELECT pg_table_is_visible('orders'::regclass), format_type('int4'::regtype, NULL), to_regclass('orders'), to_regtype('int4'), to_regproc('now'), to_regnamespace('public'), to_regrole('nobody'), to_regoperator('+(int4,int4)'), to_regprocedure('now()'), pg_typeof(1), pg_typeof('x'::text), pg_get_keywords() IS NULL LIMIT 1

-- name: comments and descriptions
-- needs: info
SELECT obj_description('customers'::regclass, 'pg_class'), col_description('customers'::regclass, 3), shobj_description(1, 'pg_database')

-- name: transaction ids
-- needs: info
SELECT pg_current_xact_id_if_assigned() IS NULL, pg_current_snapshot() IS NULL, pg_snapshot_xmin('10:20:10,14,15'), pg_visible_in_snapshot('11', '10:20:10,14,15'), txid_current_snapshot() IS NULL, txid_current_if_assigned() IS NULL, pg_xact_status('3'), age('3'::xid) > 0, mxid_age('1'::xid) IS NULL

-- name: sizes
-- needs: info
SELECT pg_size_pretty(pg_total_relation_size('orders')) IS NULL, pg_relation_size('orders', 'main') >= 0, pg_indexes_size('orders') >= 0, pg_table_size('orders') >= 0, pg_size_bytes('1 GB'), pg_column_size(1::int8), pg_column_compression('x'::text), pg_relation_filenode('orders') > 0, pg_filenode_relation(0, 1) IS NULL, pg_database_size(current_database()) > 0

-- name: size pretty numeric
-- needs: info
SELECT pg_size_pretty(123456789::numeric), pg_size_pretty(10::bigint)

-- name: sequence functions read
-- needs: info
SELECT pg_get_serial_sequence('orders', 'id'), pg_sequence_last_value('invoice_number')

-- name: sequence values read
SELECT last_value, is_called FROM invoice_number

-- name: operators in full
-- needs: info
SELECT 1 OPERATOR(pg_catalog.+) 2, - OPERATOR(pg_catalog.@) 3, 2 OPERATOR(pg_catalog.=) ANY (ARRAY[2])

-- name: named arguments
-- needs: info
SELECT make_interval(years => 1, hours := 2), make_date(year => 2024, month => 2, day => 3)

-- name: boolean spellings
-- needs: info
SELECT TRUE, FALSE, 't'::bool, 'off'::boolean, NOT true OR false AND true, bool 'yes' IS NOT UNKNOWN, NULL::boolean, true::int

-- name: precedence
-- needs: info
SELECT 2 + 3 * 4 ^ 2 - -1, NOT 1 = 2, (1 < 2) = true, 1 + 2 || 'x', 5 - 3 - 1, 'a' || 'b' LIKE 'ab', -2 ^ 2, 2 ^ 3 ^ 2, (1 IS NULL) = false

-- name: coalesce nullif
-- needs: info
SELECT COALESCE(NULL, 1), NULLIF(1, 2), GREATEST(1, NULL, 3), LEAST('a', 'b')

-- name: row constructors
SELECT ROW(1, 2.5, 'x'), (1, 2), ROW(d.*, 42), ROW(d, 1) FROM departments d LIMIT 1

-- name: string prefix near names
SELECT e.name AS e, b.id b, x.id AS x, n.name AS n FROM employees e, departments b, categories x, customers n WHERE e.id = 1 AND b.id = 1 AND x.id = 1 AND n.id = 1

-- name: no space at all
SELECT(1)FROM"departments"WHERE(1=1)AND'a'<>'b'LIMIT(1)

-- name: comments everywhere
SELECT/**/count(*)/*x*/FROM/*y*/orders/*z*/WHERE--a
id/**/=/**/1--b

-- name: nested comment with quotes
SELECT /* it's "odd" /* $$ */ ; */ 1 FROM departments LIMIT 1

-- name: dollar quotes with special content
SELECT $a$; DROP TABLE x; --$a$, $_1$it's$_1$, $$/* not a comment$$ FROM departments LIMIT 1

-- name: operators next to minus
SELECT 1 - -1, 1--1
, 2 FROM departments LIMIT 1
