-- What analysts and on-call engineers read where some columns are masked.

-- name: the newest customers
-- comes: masked 3,4,5
SELECT * FROM customers ORDER BY id DESC LIMIT 10

-- name: a table as it is
-- comes: masked 3,6,7
TABLE employees

-- name: columns that nobody masks
-- comes: identical
SELECT id, full_name, country, city, newsletter, credit, created_at FROM customers ORDER BY id LIMIT 50

-- name: one masked column among others
-- comes: masked 3
SELECT id, full_name, email, country FROM customers ORDER BY id LIMIT 50

-- name: another name for a masked column
-- comes: masked 1
SELECT email AS contact, id FROM customers ORDER BY id LIMIT 5

-- name: how many customers there are
-- comes: identical
SELECT count(*) FROM customers

-- name: how many have an e-mail
-- comes: identical
SELECT count(email), count(phone), count(birth_date) FROM customers

-- name: how many different ids
-- comes: identical
SELECT count(DISTINCT id), count(DISTINCT country) FROM customers

-- name: who has no phone
-- comes: identical
SELECT id, full_name FROM customers WHERE phone IS NULL ORDER BY id LIMIT 20

-- name: who has a birth date on record
-- comes: identical
SELECT id, birth_date IS NOT NULL AS known FROM customers WHERE phone IS NOT NULL ORDER BY id LIMIT 20

-- name: whether it is null, as a number
-- comes: identical
SELECT country, count(*) FILTER (WHERE phone IS NULL) AS without, sum(CASE WHEN phone IS NULL THEN 1 ELSE 0 END) FROM customers GROUP BY country ORDER BY country

-- name: customers by country
-- comes: identical
SELECT country, count(*) FROM customers GROUP BY country ORDER BY 2 DESC, 1

-- name: customers by country and city, with totals
-- comes: identical
SELECT country, city, count(*), round(avg(credit), 2) FROM customers GROUP BY ROLLUP (country, city) ORDER BY 1, 2

-- name: grouping sets
-- comes: identical
SELECT country, newsletter, count(*), grouping(country, newsletter) FROM customers GROUP BY GROUPING SETS ((country), (newsletter), ()) ORDER BY 1, 2

-- name: groups that are large
-- comes: identical
SELECT country FROM customers GROUP BY country HAVING count(*) > 100 ORDER BY country

-- name: new customers by month
-- comes: identical
SELECT date_trunc('month', created_at) AS month, count(*) FROM customers GROUP BY 1 ORDER BY 1

-- name: new customers by day of the week
-- comes: identical
SELECT extract(isodow FROM created_at) AS day, count(*) FROM customers GROUP BY day ORDER BY day

-- name: a customer by id
-- comes: masked 2,3,4
SELECT full_name, email, phone, birth_date, country FROM customers WHERE id = 42

-- name: a customer by a known e-mail
-- comes: identical
SELECT id, full_name FROM customers WHERE email = 'nobody@example.org'

-- name: a few customers by known e-mails
-- comes: identical
SELECT id, full_name FROM customers WHERE email IN ('a@example.org', 'b@example.org', 'c@example.org')

-- name: customers by a list of ids
-- comes: masked 2
SELECT id, email FROM customers WHERE id IN (1, 2, 3, 5, 8, 13, 21, 34, 55, 89) ORDER BY id

-- name: customers by an array of ids
-- comes: masked 2
SELECT id, phone FROM customers WHERE id = ANY (ARRAY[1, 2, 3, 5, 8, 13]) ORDER BY id

-- name: customers by name
-- comes: masked 3
SELECT id, full_name, email FROM customers WHERE full_name ILIKE 'ada%' ORDER BY full_name, id LIMIT 10

-- name: orders of one customer
-- comes: identical
SELECT o.id, o.status, o.placed_at, o.total FROM orders AS o WHERE o.customer_id = 7 ORDER BY o.placed_at

-- name: orders with their customers
-- comes: identical
SELECT o.id, o.total, c.full_name, c.country FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.id LIMIT 20

-- name: orders with their customers' e-mails
-- comes: masked 3
SELECT o.id, o.total, c.email, c.country FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.id LIMIT 20

-- name: both tables whole
-- comes: masked 10,11,12
SELECT o.*, c.* FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.id LIMIT 10

-- name: a left join and who has never ordered
-- comes: identical
SELECT c.id, c.full_name FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.id IS NULL ORDER BY c.id LIMIT 20

-- name: an anti-join
-- comes: identical
SELECT c.id FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id) ORDER BY c.id LIMIT 20

-- name: exists, asked of all columns
-- comes: identical
SELECT o.id FROM orders o WHERE EXISTS (SELECT * FROM customers c WHERE c.id = o.customer_id AND c.country = 'DE') ORDER BY o.id LIMIT 20

-- name: in a subquery
-- comes: identical
SELECT id, total FROM orders WHERE customer_id IN (SELECT id FROM customers WHERE newsletter) ORDER BY id LIMIT 20

-- name: any of a subquery
-- comes: identical
SELECT id FROM orders WHERE customer_id = ANY (SELECT id FROM customers WHERE country = 'FR') ORDER BY id LIMIT 20

-- name: spending by country
-- comes: identical
SELECT c.country, count(DISTINCT c.id) AS buyers, sum(o.total) AS spent FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.country ORDER BY spent DESC

-- name: the best customers
-- comes: masked 2
SELECT c.id, c.email, sum(o.total) AS spent FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.id ORDER BY spent DESC, c.id LIMIT 10

-- name: the best customers, by their key
-- comes: identical
SELECT c.id, c.full_name, sum(o.total) AS spent FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.id, c.full_name ORDER BY spent DESC, c.id LIMIT 10

-- name: employees and their managers
-- comes: identical
SELECT e.id, e.full_name, m.full_name AS manager FROM employees e LEFT JOIN employees m ON m.id = e.manager_id ORDER BY e.id

-- name: joined using a common column
-- comes: identical
SELECT order_id, method, amount, position, quantity FROM payments JOIN order_items USING (order_id) ORDER BY order_id, position LIMIT 20

-- name: joined using a common column, all of it
-- comes: masked 4,5
SELECT * FROM payments JOIN order_items USING (order_id) WHERE method IN ('card', 'transfer') ORDER BY order_id, position LIMIT 40

-- name: a cross join with numbers
-- comes: identical
SELECT c.id, n FROM customers c CROSS JOIN generate_series(1, 3) AS n WHERE c.id < 4 ORDER BY 1, 2

-- name: the last order of everybody
-- comes: masked 2
SELECT c.id, c.email, last.id AS last_order FROM customers c LEFT JOIN LATERAL (SELECT o.id FROM orders o WHERE o.customer_id = c.id ORDER BY o.placed_at DESC LIMIT 1) AS last ON true ORDER BY c.id LIMIT 20

-- name: a lateral function of an unmasked column
-- comes: identical
SELECT p.id, tag FROM products p, LATERAL unnest(p.tags) AS tag ORDER BY p.id, tag LIMIT 20

-- name: distinct unmasked columns
-- comes: identical
SELECT DISTINCT country, city FROM customers ORDER BY 1, 2

-- name: the first of each country
-- comes: masked 2
SELECT DISTINCT ON (country) country, email, id FROM customers ORDER BY country, id

-- name: row numbers
-- comes: identical
SELECT id, country, row_number() OVER (PARTITION BY country ORDER BY created_at) AS n FROM customers ORDER BY country, n LIMIT 30

-- name: row numbers beside a masked column
-- comes: masked 2
SELECT id, email, row_number() OVER (PARTITION BY country ORDER BY id) AS n FROM customers ORDER BY id LIMIT 30

-- name: running totals
-- comes: identical
SELECT id, placed_at, sum(total) OVER (PARTITION BY customer_id ORDER BY placed_at ROWS UNBOUNDED PRECEDING) FROM orders WHERE customer_id < 20 ORDER BY customer_id, placed_at

-- name: a named window
-- comes: identical
SELECT team, hired_on, rank() OVER w, lag(hired_on) OVER w FROM employees WINDOW w AS (PARTITION BY team ORDER BY hired_on, id) ORDER BY team, hired_on, id

-- name: the previous order's date
-- comes: identical
SELECT customer_id, placed_at - lag(placed_at) OVER (PARTITION BY customer_id ORDER BY placed_at) AS gap FROM orders WHERE customer_id < 10 ORDER BY customer_id, placed_at

-- name: a masked value of the neighbouring row
-- comes: masked 2
SELECT id, lag(email) OVER (ORDER BY id) FROM customers ORDER BY id LIMIT 10

-- name: percentiles
-- comes: identical
SELECT status, percentile_cont(0.5) WITHIN GROUP (ORDER BY total) AS median FROM orders GROUP BY status ORDER BY status

-- name: a query with a name
-- comes: identical
WITH spent AS (SELECT customer_id, sum(total) AS sum FROM orders GROUP BY customer_id) SELECT c.country, round(avg(s.sum), 2) FROM spent s JOIN customers c ON c.id = s.customer_id GROUP BY c.country ORDER BY c.country

-- name: a query with a name that holds all columns
-- comes: identical
WITH recent AS (SELECT * FROM customers WHERE created_at > '2024-01-01') SELECT country, count(*) FROM recent GROUP BY country ORDER BY country

-- name: all of a query with a name
-- comes: masked 3,4,5
WITH recent AS MATERIALIZED (SELECT * FROM customers ORDER BY id LIMIT 10) SELECT * FROM recent ORDER BY id

-- name: several queries with names
-- comes: masked 2
WITH de AS (SELECT id, email FROM customers WHERE country = 'DE'), big AS (SELECT customer_id, sum(total) AS t FROM orders GROUP BY customer_id) SELECT de.id, de.email, big.t FROM de JOIN big ON big.customer_id = de.id ORDER BY big.t DESC, de.id LIMIT 5

-- name: the chain of managers
-- comes: identical
WITH RECURSIVE chain AS (SELECT id, full_name, manager_id, 1 AS depth FROM employees WHERE manager_id IS NULL UNION ALL SELECT e.id, e.full_name, e.manager_id, depth + 1 FROM employees e JOIN chain c ON c.id = e.manager_id) SELECT * FROM chain ORDER BY depth, id

-- name: the chain of managers with their e-mails
-- comes: masked 2
WITH RECURSIVE chain AS (SELECT id, email, 1 AS depth FROM employees WHERE manager_id IS NULL UNION ALL SELECT e.id, e.email, depth + 1 FROM employees e JOIN chain c ON c.id = e.manager_id) SELECT * FROM chain ORDER BY depth, id

-- name: a path of names
-- comes: identical
WITH RECURSIVE chain AS (SELECT id, ARRAY[full_name] AS path FROM employees WHERE manager_id IS NULL UNION ALL SELECT e.id, path || e.full_name FROM employees e JOIN chain c ON c.id = e.manager_id) SELECT id, array_to_string(path, ' > ') FROM chain ORDER BY id

-- name: a derived table
-- comes: identical
SELECT bucket, count(*) FROM (SELECT width_bucket(credit, 0, 200, 10) AS bucket FROM customers) AS b GROUP BY bucket ORDER BY bucket

-- name: a derived table that carries all columns
-- comes: identical
SELECT id, full_name FROM (SELECT * FROM customers) AS c WHERE country = 'NL' ORDER BY id LIMIT 5

-- name: a count of a derived table
-- comes: identical
SELECT count(*) FROM (SELECT * FROM customers WHERE country = 'DE') AS t

-- name: a grid's count of a query
-- comes: identical
SELECT COUNT(*) FROM (SELECT id, email, phone FROM customers ORDER BY id LIMIT 100) dbvrcnt

-- name: pages by offset
-- comes: masked 2
SELECT id, email FROM customers ORDER BY created_at, id LIMIT 25 OFFSET 50

-- name: pages by key
-- comes: masked 2
SELECT id, email FROM customers WHERE (created_at, id) > ('2023-06-01', 100) ORDER BY created_at, id FETCH FIRST 25 ROWS ONLY

-- name: pages with ties
-- comes: identical
SELECT id, credit FROM customers ORDER BY credit DESC FETCH FIRST 5 ROWS WITH TIES

-- name: a union of unmasked columns
-- comes: identical
SELECT full_name FROM customers WHERE id < 5 UNION SELECT full_name FROM employees WHERE id < 5 ORDER BY 1

-- name: a union of two masked columns by the same rule
-- comes: masked 2
SELECT id, email FROM customers WHERE id < 5 UNION ALL SELECT id, email FROM employees WHERE id < 5 ORDER BY 1

-- name: a union where one arm is masked
-- comes: masked 2
SELECT id, email FROM customers WHERE id < 5 UNION ALL SELECT 0, 'none' ORDER BY 1

-- name: an intersection and a difference
-- comes: identical
SELECT id FROM customers EXCEPT SELECT customer_id FROM orders INTERSECT SELECT id FROM customers ORDER BY 1 LIMIT 10

-- name: a view with a masked column
-- comes: masked 3
SELECT * FROM customer_overview ORDER BY id LIMIT 10

-- name: a view without its masked column
-- comes: identical
SELECT id, full_name, orders, spent, last_order FROM customer_overview ORDER BY spent DESC, id LIMIT 10

-- name: a view grouped
-- comes: identical
SELECT country, sum(spent), max(orders) FROM customer_overview GROUP BY country ORDER BY country

-- name: json of unmasked columns
-- comes: identical
SELECT json_build_object('id', id, 'name', full_name, 'since', created_at) FROM customers ORDER BY id LIMIT 5

-- name: json of a row of unmasked columns
-- comes: identical
SELECT row_to_json(r) FROM (SELECT id, full_name, country FROM customers ORDER BY id LIMIT 5) AS r

-- name: json of products
-- comes: identical
SELECT p.id, to_jsonb(p), p.attributes ->> 'colour', p.attributes #>> '{weight_g}' FROM products p ORDER BY id LIMIT 10

-- name: json aggregated by an ORM
-- comes: identical
SELECT o.id, coalesce(json_agg(json_build_object('product', i.product_id, 'quantity', i.quantity) ORDER BY i.position) FILTER (WHERE i.order_id IS NOT NULL), '[]') AS items FROM orders o LEFT JOIN order_items i ON i.order_id = o.id WHERE o.id < 10 GROUP BY o.id ORDER BY o.id

-- name: json elements
-- comes: identical
SELECT p.id, e.key, e.value FROM products p, jsonb_each_text(p.attributes) AS e ORDER BY 1, 2 LIMIT 20

-- name: arrays of ids
-- comes: identical
SELECT country, array_agg(id ORDER BY id) FROM customers WHERE id < 50 GROUP BY country ORDER BY country

-- name: names in one text
-- comes: identical
SELECT country, string_agg(full_name, ', ' ORDER BY full_name) FROM customers WHERE id < 50 GROUP BY country ORDER BY country

-- name: a mask inside a text
-- comes: masked 2
SELECT id, full_name || ' <' || email || '>' FROM customers ORDER BY id LIMIT 5

-- name: lower case of a masked column
-- comes: masked 1
SELECT lower(email), id FROM customers ORDER BY id LIMIT 5

-- name: a fallback for a masked column
-- comes: masked 2
SELECT id, coalesce(phone, 'none') FROM customers ORDER BY id LIMIT 5

-- name: the highest salary of a team
-- comes: masked 2
SELECT team, max(salary), count(*) FROM employees GROUP BY team ORDER BY team

-- name: a label beside masked columns
-- comes: masked 3
SELECT id, CASE WHEN credit > 100 THEN 'high' WHEN credit > 0 THEN 'some' ELSE 'none' END AS band, email FROM customers ORDER BY id LIMIT 20

-- name: a scalar subquery
-- comes: identical
SELECT c.id, (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) AS orders FROM customers c ORDER BY c.id LIMIT 20

-- name: a scalar subquery of a masked column
-- comes: masked 2
SELECT o.id, (SELECT c.email FROM customers c WHERE c.id = o.customer_id) FROM orders o ORDER BY o.id LIMIT 10

-- name: payments by method
-- comes: identical
SELECT method, count(*), sum(amount), min(paid_at), max(paid_at) FROM payments GROUP BY method ORDER BY method

-- name: a payment's card
-- comes: masked 3
SELECT order_id, method, card_number, amount FROM payments WHERE method = 'card' ORDER BY order_id LIMIT 10

-- name: payments with orders and customers
-- comes: masked 4,5
SELECT p.order_id, o.status, p.amount, p.card_number, c.email FROM payments p JOIN orders o ON o.id = p.order_id JOIN customers c ON c.id = o.customer_id WHERE p.method = 'card' ORDER BY p.order_id LIMIT 20

-- name: payments that differ from their order
-- comes: identical
SELECT p.order_id, p.amount, o.total FROM payments p JOIN orders o ON o.id = p.order_id WHERE p.amount <> o.total

-- name: invoices by year and month
-- comes: identical
SELECT to_char(issued_on, 'YYYY-MM') AS month, sum(gross) AS gross, sum(tax) AS tax FROM billing.invoices GROUP BY 1 ORDER BY 1

-- name: invoices with customers
-- comes: identical
SELECT i.number, c.full_name, i.gross FROM billing.invoices i JOIN orders o ON o.id = i.order_id JOIN customers c ON c.id = o.customer_id ORDER BY i.number LIMIT 20

-- name: cohorts
-- comes: identical
SELECT date_trunc('quarter', c.created_at)::date AS cohort, date_trunc('quarter', o.placed_at)::date AS bought, count(DISTINCT c.id) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY 1, 2 ORDER BY 1, 2

-- name: a pivot with filters
-- comes: identical
SELECT country, count(*) FILTER (WHERE newsletter) AS yes, count(*) FILTER (WHERE NOT newsletter) AS no FROM customers GROUP BY country ORDER BY country

-- name: a correlated average
-- comes: identical
SELECT o.id, o.total FROM orders o WHERE o.total > (SELECT 2 * avg(total) FROM orders x WHERE x.customer_id = o.customer_id) ORDER BY o.id LIMIT 10

-- name: days without orders
-- comes: identical
SELECT d::date FROM generate_series('2024-06-01'::date, '2024-06-30'::date, '1 day') AS d LEFT JOIN orders o ON o.placed_at::date = d::date WHERE o.id IS NULL ORDER BY 1

-- name: a sample of rows
-- comes: identical
SELECT id FROM customers TABLESAMPLE SYSTEM (100) REPEATABLE (1) ORDER BY id LIMIT 5

-- name: a row by its place
-- comes: identical
SELECT ctid, id, full_name FROM customers WHERE ctid = '(0,1)'

-- name: for a later change
-- comes: identical
SELECT id, full_name FROM customers WHERE id = 9 FOR UPDATE SKIP LOCKED

-- name: the table's name of each row
-- comes: identical
SELECT tableoid::regclass, id FROM customers ORDER BY id LIMIT 3

-- name: no rows, only columns
-- comes: masked
SELECT * FROM customers WHERE false

-- name: values joined to customers
-- comes: masked 2
SELECT v.id, c.email, v.why FROM (VALUES (1, 'refund'), (2, 'complaint')) AS v (id, why) JOIN customers c ON c.id = v.id ORDER BY v.id

-- name: columns renamed by an alias
-- comes: masked 2
SELECT n, mail FROM customers AS c (n, name, mail) ORDER BY n LIMIT 5

-- name: a row of unmasked columns
-- comes: identical
SELECT ROW(id, full_name) FROM customers ORDER BY id LIMIT 3

-- name: casts of unmasked columns
-- comes: identical
SELECT id::text, created_at::date, credit::int, country::varchar FROM customers ORDER BY id LIMIT 5

-- name: arithmetic that could fail, on unmasked columns
-- comes: identical
SELECT id, round(credit / nullif(id, 0), 4), full_name ~ '^A' FROM customers ORDER BY id LIMIT 5

-- name: sorted by a masked column
-- comes: unmask sorts or groups by public.customers.email
SELECT id FROM customers ORDER BY email LIMIT 5

-- name: sorted by the place of a masked column
-- comes: unmask sorts or groups by public.customers.email
SELECT id, email FROM customers ORDER BY 2 LIMIT 5

-- name: grouped by a masked column
-- comes: unmask sorts or groups by public.customers.birth_date
SELECT birth_date, count(*) FROM customers GROUP BY birth_date

-- name: searched by a part of a masked column
-- comes: unmask finds rows by public.customers.email
SELECT id FROM customers WHERE email LIKE 'ada%'

-- name: searched by a range of a masked column
-- comes: unmask finds rows by public.employees.salary
SELECT full_name FROM employees WHERE salary > 60000

-- name: joined on a masked column
-- comes: unmask finds rows by public.customers.email
SELECT c.id, e.id FROM customers c JOIN employees e ON e.email = c.email

-- name: distinct masked values
-- comes: unmask sorts or groups by public.customers.email
SELECT DISTINCT email FROM customers

-- name: how many different masked values
-- comes: unmask sorts or groups by public.customers.email
SELECT count(DISTINCT email) FROM customers

-- name: a mask computed with
-- comes: unmask computes with public.customers.birth_date
SELECT id, extract(year FROM age(birth_date)) FROM customers LIMIT 5
