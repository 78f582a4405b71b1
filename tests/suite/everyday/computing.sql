-- What is computed of masked columns beside others: it comes masked, and the statement isn't refused, where
-- no value can make it fail.

-- name: the average, rounded
-- comes: masked 2,3
SELECT team, round(avg(salary), 2) AS average, round(sum(salary)) AS total, count(*) FROM employees GROUP BY team ORDER BY team

-- name: numbers cut to whole ones
-- comes: masked 2,3,4,5,6
SELECT id, round(salary), trunc(salary, -3), ceil(salary), floor(salary), sign(salary) FROM employees ORDER BY id LIMIT 5

-- name: how far numbers scatter
-- comes: masked 2,3
SELECT team, stddev(salary), var_pop(salary), count(*) FROM employees GROUP BY team HAVING count(*) > 2 ORDER BY team

-- name: the beginning of a text
-- comes: masked 2,3,4
SELECT id, substring(email, 1, 3), substr(email, 2), substring(email FROM 1 FOR 5), full_name FROM customers ORDER BY id LIMIT 5

-- name: the parts of an address
-- comes: masked 2,3
SELECT id, split_part(email, '@', 1) AS who, split_part(email, '@', 2) AS domain, country FROM customers ORDER BY id LIMIT 5

-- name: where the domain begins
-- comes: masked 2,3
SELECT id, position('@' IN email), strpos(email, '@') FROM customers ORDER BY id LIMIT 5

-- name: a number without blanks
-- comes: masked 2,3
SELECT id, replace(replace(phone, '-', ''), '+', '') AS digits, translate(phone, '+- ', '') FROM customers WHERE phone IS NOT NULL ORDER BY id LIMIT 5

-- name: the last four digits
-- comes: masked 2
SELECT order_id, '**** ' || right(replace(card_number, ' ', ''), 4) FROM payments WHERE method = 'card' ORDER BY order_id LIMIT 5

-- name: parts of a date
-- comes: masked 2,3,4
SELECT id, extract(year FROM birth_date), date_part('month', birth_date), extract(isodow FROM birth_date), country FROM customers WHERE birth_date IS NOT NULL ORDER BY id LIMIT 5

-- name: a date cut to its month
-- comes: masked 2
SELECT id, date_trunc('month', birth_date) FROM customers WHERE birth_date IS NOT NULL ORDER BY id LIMIT 5

-- name: a date as a text
-- comes: masked 2
SELECT id, to_char(birth_date, 'DD.MM.YYYY') FROM customers WHERE birth_date IS NOT NULL ORDER BY id LIMIT 5

-- name: a number as a text
-- comes: masked 2
SELECT id, to_char(salary, 'FM999G999D00') FROM employees ORDER BY id LIMIT 5

-- name: bands of a number
-- comes: masked 2
SELECT id, CASE WHEN salary BETWEEN 0 AND 50000 THEN 'low' WHEN salary NOT BETWEEN 0 AND 90000 THEN 'high' ELSE 'middle' END AS band FROM employees ORDER BY id LIMIT 5

-- name: whether a text is like this
-- comes: masked 2,3
SELECT id, email LIKE '%@example.org' AS ours, phone NOT ILIKE '+1%' FROM customers WHERE phone IS NOT NULL ORDER BY id LIMIT 5

-- name: a kind by the domain
-- comes: masked 2
SELECT id, CASE WHEN email LIKE '%.org' THEN 'organisation' WHEN email LIKE '%.net' THEN 'network' ELSE 'company' END FROM customers ORDER BY id LIMIT 5

-- name: an object
-- comes: masked 2,3
SELECT id, json_build_object('id', id, 'email', email), jsonb_build_object('name', full_name, 'phone', phone) FROM customers ORDER BY id LIMIT 5

-- name: an array of objects
-- comes: masked 2
SELECT country, json_agg(json_build_object('id', id, 'email', email) ORDER BY id), count(*) FROM customers WHERE id < 20 GROUP BY country ORDER BY country

-- name: an object of groups
-- comes: masked 1
SELECT json_object_agg(country, mail) FROM (SELECT country, min(email) AS mail FROM customers GROUP BY country ORDER BY country) t

-- name: an object by the standard
-- comes: masked 2
SELECT id, format('%s <%s>', full_name, email) FROM customers ORDER BY id LIMIT 5

-- name: a list in one text
-- comes: masked 2
SELECT country, array_to_string(array_agg(email ORDER BY id), ', ') FROM customers WHERE id < 20 GROUP BY country ORDER BY country

-- name: filled up to a width
-- comes: masked 2,3
SELECT id, lpad(phone, 20, '.'), rpad(email, 40) FROM customers WHERE phone IS NOT NULL ORDER BY id LIMIT 5

-- name: a number as another kind of number
-- comes: masked 2
SELECT id, salary::double precision, team FROM employees ORDER BY id LIMIT 5

-- name: a worksheet's measures
-- comes: masked 2,3
SELECT "employees"."team" AS "team", AVG(CAST("employees"."salary" AS double precision)) AS "avg:salary:ok", SUM("employees"."salary") AS "sum:salary:ok" FROM "public"."employees" "employees" GROUP BY 1 ORDER BY 1

-- name: a date as it is
-- comes: masked 2,3
SELECT id, birth_date::date, birth_date::text FROM customers WHERE birth_date IS NOT NULL ORDER BY id LIMIT 5

-- name: a text as fixed characters
-- comes: masked 2,3
SELECT id, email::char(10), email::varchar(5) FROM customers ORDER BY id LIMIT 5

-- name: pay by the month
-- comes: masked 2,3
SELECT id, salary / 12 AS monthly, salary * 1.03 AS raised, team FROM employees ORDER BY id LIMIT 5

-- name: pay by the month, rounded, by team
-- comes: masked 2
SELECT team, round(avg(salary) / 12, 2) AS monthly FROM employees GROUP BY team ORDER BY team

-- name: a share of masked ones
-- comes: unmask computes with public.employees.salary
SELECT id, salary / sum(salary) OVER () FROM employees

-- name: an age
-- comes: unmask computes with public.customers.birth_date
SELECT id, age(birth_date) FROM customers

-- name: a length that may be negative
-- comes: unmask computes with public.customers.email
SELECT id, substring(email, 1, 4 - length(email)) FROM customers

-- name: a length that is negative
-- comes: unmask computes with public.customers.email
SELECT id, substring(email, 1, -1) FROM customers

-- name: a part by a number from elsewhere
-- comes: unmask computes with public.customers.email
SELECT id, split_part(email, '@', id::int - 7) FROM customers

-- name: a number that doesn't fit
-- comes: unmask computes with public.employees.salary
SELECT id, salary::numeric(6, 2) FROM employees

-- name: a number that grows
-- comes: unmask computes with public.employees.salary
SELECT id, to_char(salary::int, '9V999999') FROM employees

-- name: a text that grows
-- comes: unmask computes with public.customers.email
SELECT id, replace(email, 'a', 'bbbbbbbbbb') FROM customers

-- name: a text that may not end so
-- comes: unmask computes with public.customers.email
SELECT id, email LIKE 'ada\' FROM customers

-- name: a key that may be null
-- comes: unmask computes with public.customers.phone
SELECT json_build_object(phone, id) FROM customers

-- name: a key that may be null, of groups
-- comes: unmask computes with public.customers.phone
SELECT json_object_agg(phone, id) FROM customers

-- name: a text as a number
-- comes: unmask computes with public.customers.email
SELECT id, email::int FROM customers

-- name: a text as a number, behind what doesn't fail
-- comes: unmask computes with public.customers.phone
SELECT id, right(phone, 2)::double precision FROM customers

-- name: a number times what is large
-- comes: unmask computes with public.employees.salary
SELECT id, salary * 1e131000 FROM employees

-- name: a length times what is large
-- comes: unmask computes with public.customers.email
SELECT id, length(email) * 100000000 FROM customers

-- name: a number divided by itself
-- comes: unmask computes with public.employees.salary
SELECT id, 1 / (salary - 50000) FROM employees

-- name: a large number before a masked one
-- comes: unmask computes with public.employees.salary
SELECT id, 99999999999999 * salary FROM employees

-- name: another number in its place is another question
-- comes: masked 2
SELECT id, salary * 5 FROM employees ORDER BY id LIMIT 2

-- name: a large number in its place
-- comes: unmask computes with public.employees.salary
SELECT id, salary * 99999999999999 FROM employees ORDER BY id LIMIT 2

-- name: a number with a large exponent in its place
-- comes: unmask computes with public.employees.salary
SELECT id, salary * 5e99 FROM employees ORDER BY id LIMIT 2

-- name: a divisor
-- comes: masked 2
SELECT id, salary / 5 FROM employees ORDER BY id LIMIT 2

-- name: zero in its place, which tells what is NULL
-- comes: unmask computes with public.employees.salary
SELECT id, salary / 0 FROM employees ORDER BY id LIMIT 2

-- name: zero with digits behind it
-- comes: unmask computes with public.employees.salary
SELECT id, salary / 0.00 FROM employees ORDER BY id LIMIT 2

-- name: too many numbers
-- comes: unmask computes with public.employees.salary
SELECT id, salary * 9999999 * 9999999 * 9999999 * 9999999 * 9999999 * 9999999 * 9999999 * 9999999 * 9999999 * 9999999 * 9999999 FROM employees

-- name: too many numbers, in two steps
-- comes: unmask computes with public.employees.salary
SELECT id, x * 9999999 FROM (SELECT id, salary * 9999999 AS x FROM employees) e

-- name: a pattern
-- comes: masked 2
SELECT id, email LIKE 'ada%' FROM customers ORDER BY id LIMIT 2

-- name: a pattern in its place that fails where a value fits
-- comes: unmask computes with public.customers.email
SELECT id, email LIKE 'ada\' FROM customers ORDER BY id LIMIT 2

-- name: a pattern in its place, with escapes
-- comes: unmask computes with public.customers.email
SELECT id, email LIKE E'ada\\' FROM customers ORDER BY id LIMIT 2

-- name: a pattern with an escape of its own
-- comes: unmask computes with public.customers.email
SELECT id, email LIKE 'ada!' ESCAPE '!' FROM customers ORDER BY id LIMIT 2

-- name: a moment that isn't one for all of them
-- comes: unmask computes with public.customers.birth_date
SELECT id, CASE WHEN birth_date > '1980-01-01' THEN full_name::date END FROM customers

-- name: a key beside masked values that may be null
-- comes: masked 1
SELECT jsonb_object_agg(id, email) FROM customers WHERE id < 5

-- name: a function of the users' own goes by a known name
-- comes: identical
CREATE DOMAIN avg AS integer; CREATE TABLE upper (a integer, b integer)

-- name: what turns texts into numbers by its name
-- comes: unmask computes with public.customers.email
SELECT avg(email) FROM customers

-- name: what turns texts into rows by its name
-- comes: unmask computes with public.customers.email
SELECT upper(email) FROM customers

-- name: no such names any more
-- comes: identical
DROP DOMAIN avg; DROP TABLE upper
