-- Queries of every shape, each with a header on the servers. Lines that are indented go on.
SELECT id, email FROM customers
SELECT * FROM customers
SELECT c.* FROM customers c
SELECT customers.* FROM customers
SELECT shop.customers.* FROM customers
SELECT shop.customers.email FROM shop.customers
SELECT shop.c.email FROM customers c
SELECT shop.c.* FROM customers AS c
SELECT EMAIL, Id FROM customers
SELECT c.EMAIL AS Mail FROM customers c
SELECT email AS `e mail`, email 'text', email "more" FROM customers
SELECT `email`, `c`.`id` FROM `customers` `c`
SELECT *, email FROM customers
SELECT (email), ((id)) FROM customers
SELECT DISTINCT country, city FROM customers
SELECT DISTINCTROW country FROM customers
SELECT ALL country FROM customers
SELECT STRAIGHT_JOIN c.email, o.id FROM customers c JOIN orders o ON o.customer_id = c.id LIMIT 3
SELECT SQL_CALC_FOUND_ROWS id, email FROM customers LIMIT 2
SELECT HIGH_PRIORITY SQL_NO_CACHE id FROM customers LIMIT 2
SELECT SQL_BIG_RESULT country, count(*) FROM customers GROUP BY country
SELECT 1
SELECT 1, 'a', NULL, TRUE, 1.5, x'41', 0x41, b'1', DATE '2024-01-01', NOW()
SELECT 1 FROM DUAL
SELECT email FROM customers WHERE id = 5
SELECT email FROM customers WHERE email = 'a' OR id IN (1, 2, 3) AND NOT (id = 2)
SELECT email+1, upper(email), concat(email, '!', id) FROM customers LIMIT 1
SELECT email COLLATE utf8mb4_bin, BINARY email, CAST(email AS CHAR), CONVERT(email USING utf8mb4) FROM customers
SELECT CASE WHEN id > 5 THEN email ELSE phone END AS one, CASE id WHEN 1 THEN email END FROM customers
SELECT IF(id > 5, email, 'x'), IFNULL(phone, email), COALESCE(phone, email, ''), NULLIF(email, '') FROM customers
SELECT birth_date + INTERVAL 1 DAY, DATE_ADD(birth_date, INTERVAL 1 MONTH), YEAR(birth_date) FROM customers
SELECT TIMESTAMPDIFF(YEAR, birth_date, NOW()), EXTRACT(YEAR FROM birth_date), DATE_FORMAT(birth_date, '%Y') FROM customers
SELECT email LIKE 'a%', email REGEXP '^a', email IN ('a', 'b'), email BETWEEN 'a' AND 'b', email IS NULL FROM customers
SELECT -id, ~id, NOT newsletter, !newsletter, id DIV 2, id MOD 2, id % 2, id << 1, id | 1, id & 1, id ^ 1 FROM customers
SELECT id XOR 1, id AND newsletter, id OR newsletter, id <=> NULL, id <> 5, id != 5 FROM customers
SELECT SUBSTRING(email, 1, 3), SUBSTRING(email FROM 2 FOR 3), LEFT(email, 2), TRIM(BOTH 'a' FROM email), POSITION('@' IN email) FROM customers
SELECT FLOOR(credit), CEIL(credit), ROUND(credit, 1), TRUNCATE(credit, 0) FROM customers
SELECT (id, country) = (1, 'DE'), (id, country) IN ((1, 'DE'), (2, 'FR')), ROW(1, 2) = ROW(id, 2) FROM customers
SELECT count(*), count(email), count(DISTINCT email), min(email), max(id), sum(credit), avg(credit) FROM customers
SELECT GROUP_CONCAT(email), GROUP_CONCAT(DISTINCT country ORDER BY city DESC SEPARATOR ';') FROM customers WHERE id < 5
SELECT country, count(*) AS n FROM customers GROUP BY country HAVING n > 2 ORDER BY n DESC, country
SELECT country, count(*) FROM customers GROUP BY 1 ORDER BY 2
SELECT country AS land, sum(credit) FROM customers GROUP BY land HAVING land <> 'DE' ORDER BY sum(credit)
SELECT country, city, count(*) FROM customers GROUP BY country, city WITH ROLLUP
-- only: mysql
SELECT max(email) m, country FROM customers GROUP BY country ORDER BY upper(m)
SELECT email AS id, id AS email FROM customers ORDER BY email
SELECT o.id, c.email FROM orders o JOIN customers c ON c.id = o.customer_id LIMIT 5
SELECT o.id, c.email FROM orders o INNER JOIN customers c ON c.id = o.customer_id LIMIT 5
SELECT o.id, c.email FROM orders o, customers c WHERE c.id = o.customer_id LIMIT 5
SELECT o.*, c.* FROM orders o, customers c WHERE c.id = o.customer_id LIMIT 5
SELECT * FROM orders o, customers c WHERE c.id = o.customer_id LIMIT 5
SELECT * FROM orders o CROSS JOIN customers c LIMIT 5
SELECT * FROM orders o LEFT JOIN customers c ON c.id = o.customer_id LIMIT 5
SELECT * FROM orders o RIGHT JOIN customers c ON c.id = o.customer_id LIMIT 5
SELECT * FROM orders o LEFT OUTER JOIN customers c ON c.id = o.customer_id LIMIT 5
SELECT * FROM orders o STRAIGHT_JOIN customers c ON c.id = o.customer_id LIMIT 5
SELECT * FROM orders JOIN customers USING (id) LIMIT 5
SELECT * FROM customers JOIN orders USING (id) LIMIT 5
SELECT * FROM orders LEFT JOIN customers USING (id) LIMIT 5
SELECT * FROM orders RIGHT JOIN customers USING (id) LIMIT 5
SELECT * FROM orders NATURAL JOIN customers LIMIT 5
SELECT * FROM orders NATURAL LEFT JOIN customers LIMIT 5
SELECT * FROM orders NATURAL RIGHT JOIN customers LIMIT 5
SELECT * FROM customers NATURAL JOIN employees LIMIT 5
SELECT * FROM customers NATURAL RIGHT JOIN employees LIMIT 5
SELECT * FROM customers a JOIN employees b USING (email, full_name) LIMIT 5
SELECT * FROM customers a RIGHT JOIN employees b USING (email, full_name) LIMIT 5
SELECT * FROM customers a JOIN customers b USING (id) JOIN customers c USING (id) LIMIT 5
SELECT * FROM customers a JOIN orders b USING (id) RIGHT JOIN employees c USING (id) LIMIT 5
SELECT * FROM customers a RIGHT JOIN orders b USING (id) RIGHT JOIN employees c USING (id) LIMIT 5
SELECT * FROM customers a RIGHT JOIN orders b USING (id) LEFT JOIN employees c USING (id, email) LIMIT 5
SELECT id, a.email, b.note FROM customers a JOIN orders b USING (id) LIMIT 5
SELECT a.*, b.* FROM customers a JOIN orders b USING (id) LIMIT 5
SELECT * FROM (customers a JOIN orders b ON b.customer_id = a.id) LIMIT 5
SELECT * FROM (customers a, orders b) LIMIT 5
SELECT * FROM employees e JOIN (customers a, orders b) ON b.customer_id = a.id LIMIT 5
SELECT * FROM employees e LEFT JOIN (customers a JOIN orders b ON b.customer_id = a.id) ON a.id = e.id LIMIT 5
SELECT * FROM customers a JOIN orders b JOIN payments p ON p.order_id = b.id AND b.customer_id = a.id LIMIT 5
SELECT * FROM billing.invoices i JOIN orders o ON o.id = i.order_id LIMIT 5
SELECT billing.invoices.number, shop.orders.note FROM billing.invoices JOIN orders ON orders.id = invoices.order_id LIMIT 5
SELECT s.e FROM (SELECT email AS e FROM customers) s
SELECT s.* FROM (SELECT id, email FROM customers) AS s
SELECT * FROM (SELECT * FROM customers WHERE id < 9) s
SELECT * FROM (SELECT id, upper(email) FROM customers) s
SELECT s.`upper(email)` FROM (SELECT id, upper(email) FROM customers) s
-- only: mysql
SELECT * FROM (SELECT email, id FROM customers) AS s (x, y)
-- only: mysql
SELECT x FROM (SELECT email, id FROM customers) AS s (x, y)
SELECT * FROM (SELECT id FROM customers UNION ALL SELECT id FROM orders) u LIMIT 5
SELECT u.id, c.email FROM (SELECT id FROM customers UNION SELECT id FROM orders) u JOIN customers c USING (id) LIMIT 5
-- only: mysql
SELECT c.id, l.e FROM customers c, LATERAL (SELECT c.email AS e) l LIMIT 5
-- only: mysql
SELECT c.id, l.n FROM customers c LEFT JOIN LATERAL (SELECT count(*) AS n FROM orders o WHERE o.customer_id = c.id) l ON TRUE LIMIT 5
WITH w AS (SELECT email, id FROM customers) SELECT * FROM w LIMIT 5
WITH w (a, b) AS (SELECT email, id FROM customers) SELECT b, a FROM w LIMIT 5
WITH w AS (SELECT 1 AS email) SELECT email FROM w
WITH customers AS (SELECT 1 AS email) SELECT email FROM customers
WITH customers AS (SELECT 1 AS email) SELECT email FROM shop.customers LIMIT 3
WITH a AS (SELECT id, email FROM customers), b AS (SELECT a.email AS e FROM a) SELECT * FROM a JOIN b ON b.e = a.email LIMIT 5
WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT * FROM n
WITH RECURSIVE t (id, m, path) AS (SELECT id, manager_id, cast(full_name AS CHAR(500)) FROM employees WHERE manager_id IS NULL
  UNION ALL SELECT e.id, e.manager_id, concat(t.path, '/', e.full_name) FROM employees e JOIN t ON t.id = e.manager_id)
  SELECT * FROM t LIMIT 5
-- only: mysql
WITH RECURSIVE t AS (SELECT id, email FROM customers WHERE id = 1 UNION SELECT id, email FROM employees WHERE id = 1
  UNION ALL SELECT t.id + 1, t.email FROM t WHERE t.id < 3) SELECT * FROM t
SELECT * FROM (WITH w AS (SELECT id, email FROM customers) SELECT * FROM w) s LIMIT 5
SELECT id, (SELECT max(note) FROM orders o WHERE o.customer_id = c.id) FROM customers c LIMIT 5
SELECT id, (SELECT c.email) AS e FROM customers c LIMIT 5
SELECT id, EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id) AS has FROM customers c LIMIT 5
SELECT id, email IN (SELECT email FROM employees) FROM customers LIMIT 5
SELECT id, id = ANY (SELECT customer_id FROM orders), id > ALL (SELECT id FROM employees) FROM customers LIMIT 5
SELECT id FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE total > 100) LIMIT 5
SELECT id FROM customers WHERE (id, email) IN (SELECT id, email FROM employees) LIMIT 5
SELECT email AS e, (SELECT e) FROM customers LIMIT 5
SELECT email AS e, id FROM customers HAVING e LIKE 'a%' LIMIT 5
SELECT email FROM customers UNION SELECT email FROM employees LIMIT 5
SELECT id, email FROM customers UNION ALL SELECT id, full_name FROM employees ORDER BY 2 LIMIT 5
(SELECT email FROM customers LIMIT 2) UNION ALL (SELECT email FROM employees LIMIT 2)
(SELECT email FROM customers ORDER BY id LIMIT 2) UNION (SELECT email FROM employees) ORDER BY email LIMIT 3
(SELECT id, email FROM customers LIMIT 5)
((SELECT id, email FROM customers LIMIT 5) LIMIT 3)
SELECT id FROM customers EXCEPT SELECT id FROM employees LIMIT 5
SELECT id FROM customers INTERSECT SELECT id FROM employees LIMIT 5
SELECT 1 AS a UNION ALL (SELECT 2 UNION SELECT 3)
-- only: mysql
VALUES ROW(1, 'a'), ROW(2, 'b')
-- only: mariadb
VALUES (1, 'a'), (2, 'b')
-- only: mysql
TABLE products
-- only: mysql
TABLE products ORDER BY id LIMIT 2
-- only: mysql
SELECT * FROM (TABLE products) p LIMIT 2
-- only: mysql
SELECT * FROM (VALUES ROW(1, 2), ROW(3, 4)) v
-- only: mysql
SELECT * FROM (VALUES ROW(1, 2), ROW(3, 4)) AS v (a, b)
SELECT row_number() OVER (ORDER BY id), lag(email) OVER (PARTITION BY country ORDER BY id) FROM customers LIMIT 5
SELECT rank() OVER w, first_value(email) OVER w FROM customers WINDOW w AS (PARTITION BY country ORDER BY credit) LIMIT 5
SELECT sum(credit) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s, ntile(4) OVER (ORDER BY id) FROM customers LIMIT 5
-- only: mysql
SELECT id, attributes->'$.colour', attributes->>'$.colour', JSON_EXTRACT(tags, '$[0]') FROM products LIMIT 0
SELECT JSON_OBJECT('e', email, 'i', id), JSON_ARRAY(id, email), JSON_ARRAYAGG(email) FROM customers GROUP BY id, email LIMIT 5
SELECT p.id, j.tag FROM products p, JSON_TABLE(p.tags, '$[*]' COLUMNS (tag VARCHAR(20) PATH '$')) AS j LIMIT 5
SELECT j.* FROM products p JOIN JSON_TABLE(p.tags, '$[*]' COLUMNS (n FOR ORDINALITY, tag VARCHAR(20) PATH '$', has INT EXISTS PATH '$.x')) AS j ON TRUE LIMIT 5
SELECT j.a, j.b FROM JSON_TABLE('[{"a": 1, "l": [2, 3]}]', '$[*]' COLUMNS (a INT PATH '$.a' DEFAULT '0' ON EMPTY, NESTED PATH '$.l[*]' COLUMNS (b INT PATH '$'))) AS j
SELECT @a, @@version, @@session.sql_mode, @@global.max_connections
SELECT @n := 1, @n
SELECT id, @r := id + 1 AS r FROM customers LIMIT 5
SELECT CURRENT_USER, CURRENT_USER(), USER(), DATABASE(), VERSION(), CONNECTION_ID()
SELECT CURRENT_DATE, CURRENT_TIMESTAMP, LOCALTIME, UTC_DATE, UTC_TIMESTAMP(), CURDATE()
SELECT LAST_INSERT_ID(), LAST_INSERT_ID(id) FROM customers LIMIT 1
SELECT id FROM people PARTITION (p0)
SELECT * FROM people
SELECT people.*, secret FROM people
SELECT p.* FROM people p
SELECT mail, HOST, shout FROM people
SELECT * FROM people a JOIN people b USING (id)
SELECT * FROM people a NATURAL JOIN orders b
SELECT * FROM contacts
SELECT mail, shout FROM contacts c
SELECT * FROM mails
SELECT * FROM both_ways LIMIT 5
SELECT * FROM deep
SELECT c.*, m.* FROM contacts c LEFT JOIN mails m ON m.m = c.mail LIMIT 5
SELECT * FROM contacts NATURAL JOIN orders LIMIT 5
SELECT id, email FROM customers ORDER BY id LIMIT 2 OFFSET 3
SELECT id, email FROM customers ORDER BY id LIMIT 3, 2
SELECT id, email FROM customers WHERE id = 1 FOR UPDATE
SELECT id, email FROM customers WHERE id = 1 LOCK IN SHARE MODE
-- only: mysql
SELECT id, email FROM customers WHERE id = 1 FOR SHARE SKIP LOCKED
SELECT id FROM customers USE INDEX (PRIMARY) WHERE id = 1
SELECT id FROM customers FORCE INDEX FOR ORDER BY (PRIMARY) ORDER BY id LIMIT 1
SELECT /*+ NO_MERGE(c) */ id, email FROM customers c LIMIT 1
SELECT id, email FROM customers ORDER BY FIELD(country, 'DE', 'FR'), RAND() LIMIT 3
SELECT id, email FROM customers ORDER BY country IS NULL, country DESC LIMIT 3
SELECT c.country, (SELECT count(*) FROM orders o JOIN customers x ON x.id = o.customer_id WHERE x.country = c.country) n FROM customers c GROUP BY c.country
-- only: mysql
SELECT ANY_VALUE(email), country FROM customers GROUP BY country LIMIT 0
SELECT std(credit), variance(credit), bit_or(id) FROM customers
SELECT upper(s.e) AS x FROM (SELECT lower(email) AS e FROM customers) s ORDER BY x LIMIT 3
SELECT o.id oid, (SELECT email FROM customers WHERE id = o.customer_id) email FROM orders o LIMIT 3
SELECT t.id, t.email FROM (SELECT id, email, row_number() OVER (PARTITION BY country ORDER BY id) rn FROM customers) t WHERE t.rn = 1
SELECT a.id, b.id FROM customers a JOIN customers b ON a.id = b.id + 1 LIMIT 3
SELECT a.id AS id, b.id AS id FROM customers a JOIN customers b ON a.id = b.id LIMIT 3
SELECT x.id FROM (SELECT c.id, o.total FROM customers c JOIN orders o ON o.customer_id = c.id) x LIMIT 3
SELECT (SELECT (SELECT email)) FROM customers LIMIT 3
SELECT (SELECT t.email FROM (SELECT 1 AS one) d LIMIT 1) FROM customers t LIMIT 3
SELECT (SELECT o.email FROM orders i LIMIT 1) FROM customers o LIMIT 3
SELECT (SELECT t.email FROM orders t2 LIMIT 1) FROM customers t LIMIT 3
SELECT 'a' 'b', N'c', _utf8mb4'd', 'e''f', "g", 1e3, .5
SELECT id AS `a.b`, email AS `*` FROM customers LIMIT 1
SELECT {fn upper(email)}, {d '2024-01-01'} FROM customers LIMIT 1
SELECT `id`+`credit`*2 total FROM customers LIMIT 1
SELECT email FROM customers WHERE id BETWEEN 1 AND 5 AND email NOT LIKE '%x' ESCAPE '!' AND phone IS NOT NULL
SELECT email FROM customers WHERE MOD(id, 2) = 0 ORDER BY 1 DESC LIMIT 3
SELECT interval(3, 1, 2, 5), char(65), format(credit, 2), least(id, 5), greatest(id, 5), elt(1, email) FROM customers LIMIT 1
SELECT count(*) FROM (SELECT 1 FROM customers GROUP BY country) x
SELECT count(*) AS `count(*)` FROM customers
SELECT id, email FROM customers WHERE id IN (SELECT MAX(id) FROM customers GROUP BY country) AND EXISTS (SELECT * FROM orders WHERE customer_id = customers.id)
SELECT SUM(CASE WHEN o.status = 'paid' THEN o.total ELSE 0 END) AS paid, DATE(o.placed_at) AS d FROM orders o GROUP BY d ORDER BY d LIMIT 3
SELECT c.full_name, COUNT(DISTINCT o.id) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id AND o.status <> 'new' GROUP BY c.id, c.full_name HAVING COUNT(DISTINCT o.id) > 1 ORDER BY 2 DESC LIMIT 3
SELECT * FROM (SELECT 1 AS n) numbers NATURAL RIGHT JOIN payments LIMIT 1
SELECT * FROM (SELECT 1 AS n) numbers NATURAL JOIN payments LIMIT 1
SELECT * FROM customers NATURAL JOIN (SELECT id, note FROM orders) o LIMIT 1
SELECT * FROM (SELECT email, id FROM customers) c NATURAL JOIN (SELECT id, email, salary FROM employees) e LIMIT 1
SELECT * FROM (SELECT email, id FROM customers) c NATURAL RIGHT JOIN (SELECT id, email, salary FROM employees) e LIMIT 1
SELECT c.*, e.* FROM (SELECT email, id FROM customers) c RIGHT JOIN (SELECT id, email, salary FROM employees) e USING (EMAIL) LIMIT 1
SELECT * FROM (customers a RIGHT JOIN orders b USING (id)) JOIN employees e USING (email) LIMIT 1
SELECT * FROM customers a LEFT JOIN (orders b RIGHT JOIN employees e USING (id)) USING (email) LIMIT 1
SELECT * FROM customers a JOIN orders b ON a.id = b.customer_id JOIN employees e USING (email) LIMIT 1
SELECT * FROM customers a JOIN orders b USING (id), employees e LIMIT 1
SELECT * FROM people a RIGHT JOIN people b USING (id)
SELECT (SELECT c.full_name FROM (SELECT 1 AS full_name) x LIMIT 1) FROM customers c LIMIT 1
SELECT (SELECT full_name FROM (SELECT 1 AS one) x LIMIT 1) FROM customers c LIMIT 1
SELECT lower(email) AS email, id FROM customers GROUP BY email, id HAVING email > 'a' ORDER BY email LIMIT 1
SELECT id FROM orders UNION SELECT email FROM customers ORDER BY id LIMIT 1
SELECT (id) FROM customers UNION ALL SELECT 1 LIMIT 1
