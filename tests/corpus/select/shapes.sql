-- Shapes of everyday queries, each once: windows, grouping sets, recursion, JSON, arrays, text search,
-- ranges, geometry, XML. Written for this project and run on PostgreSQL 15.

-- name: select o.id o.total c.name from orders o join customers c on
SELECT o.id, o.total, c.name FROM orders o JOIN customers c ON c.id=o.customer_id ORDER BY 1 LIMIT 5

-- name: select array_agg id order by id array 1 bigint from orders w
SELECT array_agg(id ORDER BY id) @> ARRAY[1::bigint] FROM orders WHERE id < 5

-- name: select address .city count * from customers group by 1 order
SELECT (address).city, count(*) FROM customers GROUP BY 1 ORDER BY 1

-- name: select c.address c.address .* from customers c order by id l
SELECT c.address, (c.address).* FROM customers c ORDER BY id LIMIT 2

-- name: select * from orders tablesample bernoulli 100 repeatable 1
SELECT * FROM orders TABLESAMPLE BERNOULLI (100) REPEATABLE (1) ORDER BY id LIMIT 3

-- name: select distinct on customer_id customer_id id total from ord
SELECT DISTINCT ON (customer_id) customer_id, id, total FROM orders ORDER BY customer_id, total DESC, id LIMIT 5

-- name: select * from orders order by total fetch first 3 rows with
SELECT * FROM orders ORDER BY total FETCH FIRST 3 ROWS WITH TIES

-- name: select id from orders order by id offset 2 rows fetch next 2
SELECT id FROM orders ORDER BY id OFFSET 2 ROWS FETCH NEXT 2 ROWS ONLY

-- name: table departments
TABLE departments

-- name: values 1 a 2 b
VALUES (1,'a'),(2,'b')

-- name: select 1 union all select 2 order by 1 desc limit 1
(SELECT 1) UNION ALL (SELECT 2) ORDER BY 1 DESC LIMIT 1

-- name: select id from orders except select order_id from payments o
SELECT id FROM orders EXCEPT SELECT order_id FROM payments ORDER BY 1 LIMIT 3

-- name: select id from orders intersect all select order_id from pay
SELECT id FROM orders INTERSECT ALL SELECT order_id FROM payments ORDER BY 1 LIMIT 3

-- name: with recursive t id name parent_id depth path as select id n
WITH RECURSIVE t(id, name, parent_id, depth, path) AS (SELECT id, name, parent_id, 0, ARRAY[id] FROM categories WHERE parent_id IS NULL UNION ALL SELECT c.id, c.name, c.parent_id, depth+1, path||c.id FROM categories c JOIN t ON c.parent_id=t.id) SELECT * FROM t ORDER BY path LIMIT 10

-- name: with recursive t as select id manager_id from employees wher
WITH RECURSIVE t AS (SELECT id, manager_id FROM employees WHERE manager_id IS NULL UNION ALL SELECT e.id, e.manager_id FROM employees e JOIN t ON e.manager_id=t.id) SEARCH DEPTH FIRST BY id SET ord CYCLE id SET is_cycle USING cp SELECT id, ord FROM t ORDER BY ord LIMIT 5

-- name: with x as materialized select * from orders y as not materia
WITH x AS MATERIALIZED (SELECT * FROM orders), y AS NOT MATERIALIZED (SELECT id FROM x) SELECT count(*) FROM y

-- name: select c.id l.* from customers c cross join lateral select i
SELECT c.id, l.* FROM customers c CROSS JOIN LATERAL (SELECT id AS oid, total FROM orders o WHERE o.customer_id = c.id ORDER BY total DESC, id LIMIT 1) l ORDER BY 1 LIMIT 3

-- name: select d.day date count o.id from generate_series 2024 01 01
SELECT d.day::date, count(o.id) FROM generate_series('2024-01-01'::timestamp, '2024-01-10', '1 day') AS d(day) LEFT JOIN orders o ON o.ordered_at::date = d.day::date GROUP BY 1 ORDER BY 1

-- name: select date_trunc week ordered_at w count * filter where sta
SELECT date_trunc('week', ordered_at) w, count(*) FILTER (WHERE status='paid'), sum(total) FROM orders GROUP BY 1 ORDER BY 1 LIMIT 4

-- name: select status currency count * grouping status currency from
SELECT status, currency, count(*), grouping(status, currency) FROM orders GROUP BY GROUPING SETS ((status, currency), (status), ()) ORDER BY 1,2,3,4

-- name: select status currency sum total from orders group by rollup
SELECT status, currency, sum(total) FROM orders GROUP BY ROLLUP (status, currency) ORDER BY 1,2,3

-- name: select status currency sum total from orders group by cube s
SELECT status, currency, sum(total) FROM orders GROUP BY CUBE (status, currency) ORDER BY 1,2,3

-- name: select percentile_cont 0.5 within group order by total perce
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total), percentile_disc(ARRAY[0.1,0.9]) WITHIN GROUP (ORDER BY total), mode() WITHIN GROUP (ORDER BY status) FROM orders

-- name: select rank 5 within group order by id from orders
SELECT rank(5) WITHIN GROUP (ORDER BY id) FROM orders

-- name: select id lag total over w lead total 2 0 over w first_value
SELECT id, lag(total) OVER w, lead(total,2,0) OVER w, first_value(id) OVER w, nth_value(id,2) OVER w, ntile(4) OVER w, cume_dist() OVER w, percent_rank() OVER w FROM orders WINDOW w AS (PARTITION BY status ORDER BY id) ORDER BY id LIMIT 5

-- name: select id avg total over order by ordered_at range between 7
SELECT id, avg(total) OVER (ORDER BY ordered_at RANGE BETWEEN '7 days'::interval PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM orders ORDER BY id LIMIT 3

-- name: select id sum total over order by id rows between unbounded
SELECT id, sum(total) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW) FROM orders ORDER BY id LIMIT 3

-- name: select id sum total over order by id groups between 1 preced
SELECT id, sum(total) OVER (ORDER BY id GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM orders ORDER BY id LIMIT 3

-- name: select json_agg row_to_json o from select id total from orde
SELECT json_agg(row_to_json(o)) FROM (SELECT id, total FROM orders ORDER BY id LIMIT 2) o

-- name: select jsonb_build_object id id c to_jsonb c from customers
SELECT jsonb_build_object('id', id, 'c', to_jsonb(c)) FROM customers c ORDER BY id LIMIT 1

-- name: select json_object_agg id name from departments
SELECT json_object_agg(id, name) FROM departments

-- name: select jsonb_pretty profile jsonb_typeof profile profile x p
SELECT jsonb_pretty(profile), jsonb_typeof(profile), profile - 'x', profile || '{"a":1}', jsonb_set(profile,'{a}','1'), jsonb_strip_nulls(profile) FROM customers ORDER BY id LIMIT 1

-- name: select e.key e.value from customers c jsonb_each_text c.prof
SELECT e.key, e.value FROM customers c, jsonb_each_text(c.profile) e ORDER BY c.id, e.key LIMIT 4

-- name: select x.* from customers c jsonb_to_record c.profile as x a
SELECT x.* FROM customers c, jsonb_to_record(c.profile) AS x(a int, b text) ORDER BY c.id LIMIT 2

-- name: select * from jsonb_to_recordset a 1 b x as t a int b text
SELECT * FROM jsonb_to_recordset('[{"a":1,"b":"x"}]') AS t(a int, b text)

-- name: select * from json_populate_record null postal_address city
SELECT * FROM json_populate_record(NULL::postal_address, '{"city":"B"}')

-- name: select profile .a 1 profile .a jsonb_path_exists profile .a
SELECT profile @@ '$.a == 1', profile @? '$.a', jsonb_path_exists(profile, '$.a'), profile ?| ARRAY['a'], profile #> '{a}' FROM customers ORDER BY id LIMIT 1

-- name: select profile a from customers order by id limit 1
SELECT profile['a'] FROM customers ORDER BY id LIMIT 1

-- name: select unnest tags as tag count * from customers group by 1
SELECT unnest(tags) AS tag, count(*) FROM customers GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5

-- name: select t.tag t.ord from customers c unnest c.tags with ordin
SELECT t.tag, t.ord FROM customers c, unnest(c.tags) WITH ORDINALITY AS t(tag, ord) ORDER BY c.id, ord LIMIT 4

-- name: select * from rows from generate_series 1 2 unnest array a b
SELECT * FROM ROWS FROM (generate_series(1,2), unnest(ARRAY['a','b'])) AS x(a,b)

-- name: select tags 1 tags 1 2 array_length tags 1 tags array vip vi
SELECT tags[1], tags[1:2], array_length(tags,1), tags && ARRAY['vip'], 'vip' = ANY(tags), array_position(tags,'vip'), cardinality(tags) FROM customers ORDER BY id LIMIT 2

-- name: select array select id from orders order by id limit 3
SELECT ARRAY(SELECT id FROM orders ORDER BY id LIMIT 3)

-- name: select title ts_rank tsv q ts_headline body q from documents
SELECT title, ts_rank(tsv, q), ts_headline(body, q) FROM documents, to_tsquery('english','order & !x') q WHERE tsv @@ q ORDER BY id LIMIT 3

-- name: select websearch_to_tsquery english big data x plainto_tsque
SELECT websearch_to_tsquery('english','"big data" -x'), plainto_tsquery('a b'), phraseto_tsquery('a b'), to_tsvector('simple','a b') @@ 'a'::tsquery

-- name: select setweight to_tsvector a a to_tsvector b numnode a b t
SELECT setweight(to_tsvector('a'),'A') || to_tsvector('b'), numnode('a&b'::tsquery), strip('a:1'::tsvector)

-- name: select extract epoch from ordered_at extract dow from ordere
SELECT extract(epoch FROM ordered_at), extract(dow FROM ordered_at), date_part('year', ordered_at), age(ordered_at, '2024-01-01'), ordered_at AT TIME ZONE 'Europe/Berlin', ordered_at + interval '1 month 2 days', to_char(ordered_at, 'YYYY-MM-DD"T"HH24:MI') FROM orders ORDER BY id LIMIT 2

-- name: select ordered_at shipped_at overlaps 2024 01 01 timestamptz
SELECT (ordered_at, shipped_at) OVERLAPS ('2024-01-01'::timestamptz, '2024-02-01'::timestamptz) FROM orders ORDER BY id LIMIT 2

-- name: select make_date 2024 1 1 make_interval days 3 make_timestam
SELECT make_date(2024,1,1), make_interval(days=>3), make_timestamptz(2024,1,1,0,0,0,'UTC'), justify_interval('35 days'), date_bin('15 min', '2024-01-01 10:07'::timestamp, '2024-01-01'), isfinite('infinity'::date)

-- name: select substring name from a.* substring name from 1 for 3 o
SELECT substring(name FROM 'a.*'), substring(name FROM 1 FOR 3), overlay(name PLACING 'x' FROM 1 FOR 1), position('a' IN name), trim(BOTH 'a' FROM name), lpad(name,20,'.'), regexp_replace(name,'[aeiou]','','g'), translate(name,'a','b'), initcap(name), md5(name), encode(name::bytea,'base64'), quote_ident(name), format('%s-%I-%L',name,name,name), concat_ws('-',name,email), reverse(name), left(name,2), right(name,2), repeat('x',3), chr(65), ascii('A'), strpos(name,'a'), starts_with(name,'A') FROM customers ORDER BY id LIMIT 1

-- name: select name a name * b name x name like a name ilike a name
SELECT name ~ '^A', name ~* 'b', name !~ 'x', name LIKE 'A%', name ILIKE '%a%', name SIMILAR TO '%(a|b)%', name LIKE 'x!%' ESCAPE '!' FROM customers ORDER BY id LIMIT 1

-- name: select regexp_matches name w g regexp_split_to_array name s
SELECT regexp_matches(name,'(\w+)','g'), regexp_split_to_array(name,'\s+') FROM customers ORDER BY id LIMIT 2

-- name: select regexp_count aaa a regexp_substr abc b regexp_instr a
SELECT regexp_count('aaa','a'), regexp_substr('abc','b'), regexp_instr('abc','b'), regexp_like('abc','B','i')

-- name: select during lower during upper during isempty during durin
SELECT during, lower(during), upper(during), isempty(during), during @> now(), during && tstzrange(now(), now()+'1d'), during * during, range_merge(during, during) FROM visits ORDER BY id LIMIT 1

-- name: select range_agg during from bookings
SELECT range_agg(during) FROM bookings

-- name: select int4range 1 5 int4range 5 7 1 2 int4multirange unnest
SELECT int4range(1,5) + int4range(5,7), '{[1,2]}'::int4multirange, unnest('{[1,2],[4,5]}'::int4multirange)

-- name: select ip inet 10.0.0.0 8 host ip masklen ip network ip fami
SELECT ip << inet '10.0.0.0/8', host(ip), masklen(ip), network(ip), family(ip), abbrev(ip), set_masklen(ip,24), broadcast(ip), netmask(ip) FROM visits ORDER BY id LIMIT 1

-- name: select macaddr 08 00 2b 01 02 03 trunc macaddr 08 00 2b 01 0
SELECT macaddr '08:00:2b:01:02:03', trunc(macaddr '08:00:2b:01:02:03'), B'101' | B'010', '1'::bit(4), money '12.34', '12'::xid, '(0,1)'::tid

-- name: select xpath a text r a 1 a r xmlelement name foo xmlattribu
SELECT xpath('//a/text()', '<r><a>1</a></r>'), xmlelement(name foo, xmlattributes(1 AS a), 'x'), xmlforest(1 AS a), xmlagg(xmlelement(name x, id)) FROM departments

-- name: select * from xmltable r a passing r a 1 a a 2 a r columns v
SELECT * FROM XMLTABLE('/r/a' PASSING '<r><a>1</a><a>2</a></r>' COLUMNS v int PATH '.', n FOR ORDINALITY)

-- name: select case status when paid then 1 else 0 end case when tot
SELECT CASE status WHEN 'paid' THEN 1 ELSE 0 END, CASE WHEN total > 10 THEN 'big' END, coalesce(note,'-'), nullif(currency,'EUR'), greatest(1,total), least(1,total), total BETWEEN 1 AND 2, total BETWEEN SYMMETRIC 2 AND 1, status IN ('paid','open'), note IS NULL, total IS DISTINCT FROM 1, (1,2) < (2,1), ROW(1,2) = ROW(1,2), status = ANY('{paid}'), EXISTS(SELECT 1) FROM orders ORDER BY id LIMIT 1

-- name: select total int text varchar 3 char 2 cast total as numeric
SELECT total::int::text::varchar(3)::char(2), CAST(total AS numeric(4,0)), total::money FROM orders WHERE total < 1000 ORDER BY id LIMIT 1

-- name: select round total 1 trunc total ceil total floor total abs
SELECT round(total,-1), trunc(total), ceil(total), floor(total), abs(-total), mod(5,3), power(2,3), sqrt(4), exp(1), ln(2), log(10), width_bucket(total,0,100,5), random() < 2, sign(total), pi(), div(7,2), gcd(4,6), lcm(4,6), scale(1.20), trim_scale(1.20), factorial(5) FROM orders ORDER BY id LIMIT 1

-- name: select stddev total variance total corr total id regr_slope
SELECT stddev(total), variance(total), corr(total,id), regr_slope(total,id), covar_pop(total,id), bit_and(id), bool_and(total>0), every(total>0), string_agg(status,',' ORDER BY id), array_agg(DISTINCT status) FROM orders

-- name: select current_date 2020 01 01 current_user session_user cur
SELECT current_date > '2020-01-01', current_user, session_user, current_schema, current_catalog, current_role, user, localtime IS NOT NULL, current_timestamp(0) IS NOT NULL

-- name: select current_setting server_version version is not null pg
SELECT current_setting('server_version'), version() IS NOT NULL, pg_typeof(1), pg_size_pretty(1024::bigint), pg_column_size('x'), txid_current() > 0

-- name: select c.oid c.relname pg_size_pretty pg_total_relation_size
SELECT c.oid, c.relname, pg_size_pretty(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid=c.relnamespace WHERE n.nspname='crm' ORDER BY 2

-- name: select o.* o from orders o order by id limit 1
SELECT o.*, o FROM orders o ORDER BY id LIMIT 1

-- name: select select count * from order_items i where i.order_id o.
SELECT (SELECT count(*) FROM order_items i WHERE i.order_id=o.id) FROM orders o ORDER BY id LIMIT 2

-- name: select * from orders natural join select id from customers x
SELECT * FROM orders NATURAL JOIN (SELECT id FROM customers) x ORDER BY id LIMIT 1

-- name: select * from orders a left join payments p on p.order_id a.
SELECT * FROM orders a LEFT JOIN payments p ON p.order_id=a.id FULL JOIN visits v ON v.id = a.id RIGHT JOIN customers c ON c.id=a.customer_id ORDER BY c.id, a.id LIMIT 1

-- name: select id total from select id total as total from orders as
SELECT "id", "Total" FROM (SELECT id, total AS "Total" FROM orders) AS "T" ORDER BY 1 LIMIT 1

-- name: select * from warehouse.public.departments
SELECT * FROM warehouse.public.departments

-- name: select count * from pg_catalog.pg_class public.orders
SELECT count(*) FROM pg_catalog.pg_class, public.orders

-- name: select * from invoice_number
SELECT * FROM invoice_number

-- name: select id from orders where customer_id currency in select i
SELECT id FROM orders WHERE (customer_id, currency) IN (SELECT id, 'EUR' FROM customers) ORDER BY 1 LIMIT 2

-- name: select id from orders where total all select amount from pay
SELECT id FROM orders WHERE total > ALL (SELECT amount FROM payments) ORDER BY 1 LIMIT 2

-- name: select id total from orders where id 1 or id in 1 2 3 and no
SELECT id, total FROM orders WHERE id = 1 OR id IN (1,2,3) AND NOT (total < 0) ORDER BY total DESC NULLS LAST, id USING <

-- name: select name collate c from customers order by name collate c
SELECT name COLLATE "C" FROM customers ORDER BY name COLLATE "C" LIMIT 1

-- name: select ctid xmin cmin tableoid from orders order by id limit
SELECT ctid, xmin, cmin, tableoid FROM orders ORDER BY id LIMIT 0

-- name: select ws.* from values 1 a as ws id name
SELECT ws.* FROM (VALUES (1,'a')) AS ws(id, name)

-- name: select id * comment * nested * * from orders trailing order
SELECT id /* comment /* nested */ */ FROM orders -- trailing
 ORDER BY id LIMIT 1

-- name: select sum x from generate_series 1 10 x
SELECT sum(x) FROM generate_series(1,10) x

-- name: select t.relname from pg_stat_user_tables t where t.n_live_t
SELECT t.relname FROM pg_stat_user_tables t WHERE t.n_live_tup >= 0 ORDER BY 1 LIMIT 1

-- name: select s.total s.name from select sum total as total max sta
SELECT s.total, s.name FROM (SELECT sum(total) AS total, max(status) AS name FROM orders) s

-- name: select inet_client_addr is not null pg_backend_pid 0
SELECT inet_client_addr() IS NOT NULL, pg_backend_pid() > 0

-- name: select * from pg_timezone_names where name utc
SELECT * FROM pg_timezone_names WHERE name='UTC'

-- name: select * from ts_debug english a cat
SELECT * FROM ts_debug('english','a cat')

-- name: select pg_stat_get_live_tuples orders regclass 0
SELECT pg_stat_get_live_tuples('orders'::regclass) >= 0
