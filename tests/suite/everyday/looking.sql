-- What clients and people look at besides rows, where some columns are masked.

-- name: the columns of a table
-- comes: identical
SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_name = 'customers' ORDER BY ordinal_position

-- name: the tables
-- comes: identical
SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema IN ('public', 'billing') ORDER BY 1, 2

-- name: the keys
-- comes: identical
SELECT tc.constraint_name, tc.constraint_type, kcu.column_name FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu USING (constraint_schema, constraint_name) WHERE tc.table_name = 'customers' ORDER BY 1, 3

-- name: a table as psql looks it up
-- comes: identical
SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname OPERATOR(pg_catalog.~) '^(customers)$' COLLATE pg_catalog.default AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 2, 3

-- name: columns as psql describes them
-- comes: identical
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef), a.attnotnull, a.attidentity, a.attgenerated FROM pg_catalog.pg_attribute a WHERE a.attrelid = 'customers'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum

-- name: indexes
-- comes: identical
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'customers' ORDER BY 1

-- name: the definition of a view
-- comes: identical
SELECT pg_get_viewdef('customer_overview'::regclass, true)

-- name: a view's row in the catalog
-- comes: identical
SELECT viewname, definition FROM pg_views WHERE viewname = 'customer_overview'

-- name: constraints
-- comes: identical
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid IN ('customers'::regclass, 'orders'::regclass) ORDER BY 1

-- name: comments
-- comes: identical
SELECT obj_description('customers'::regclass), col_description('customers'::regclass, 3)

-- name: types
-- comes: identical
SELECT typname, typlen, typtype FROM pg_type WHERE typname IN ('order_status', 'customers', 'text') ORDER BY 1

-- name: labels of an enum
-- comes: identical
SELECT enumlabel FROM pg_enum WHERE enumtypid = 'order_status'::regtype ORDER BY enumsortorder

-- name: privileges
-- comes: identical
SELECT has_table_privilege('customers', 'select'), has_column_privilege('customers', 'email', 'update')

-- name: how large tables are
-- comes: identical
SELECT relname, pg_total_relation_size(oid) > 0, reltuples FROM pg_class WHERE relname IN ('customers', 'orders') ORDER BY 1

-- name: how often tables are read
-- comes: alike
SELECT relname, seq_scan, idx_scan, n_live_tup FROM pg_stat_user_tables ORDER BY relname

-- name: indexes nobody uses
-- comes: alike
SELECT relname, indexrelname, idx_scan FROM pg_stat_user_indexes WHERE idx_scan = 0 ORDER BY 1, 2

-- name: who is connected
-- comes: alike
SELECT pid, usename, state, wait_event_type, query FROM pg_stat_activity WHERE datname = current_database()

-- name: who waits for whom
-- comes: alike
SELECT locktype, relation::regclass, mode, granted FROM pg_locks WHERE relation IS NOT NULL

-- name: the plan of an ordinary query
-- comes: identical
EXPLAIN SELECT c.full_name, count(*) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.full_name

-- name: the plan of a query of masked columns
-- comes: identical
EXPLAIN SELECT * FROM customers WHERE id = 5

-- name: the plan as json
-- comes: identical
EXPLAIN (FORMAT JSON, VERBOSE) SELECT id, email FROM customers WHERE id = 5

-- name: the plan of a look-up by e-mail
-- comes: identical
EXPLAIN (COSTS OFF) SELECT id FROM customers WHERE email = 'a@example.org'

-- name: the plan with what really happened
-- comes: alike
EXPLAIN (ANALYZE, BUFFERS) SELECT c.country, sum(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.country

-- name: the plan of a change
-- comes: identical
EXPLAIN (COSTS OFF) UPDATE customers SET city = 'x' WHERE id = 5

-- name: a setting
-- comes: identical
SHOW search_path

-- name: settings
-- comes: identical
SELECT name, setting FROM pg_settings WHERE name IN ('work_mem', 'DateStyle') ORDER BY 1

-- name: where and when
-- comes: identical
SELECT current_database(), current_schema(), version()

-- name: a constant
-- comes: identical
SELECT 1

-- name: a date's arithmetic
-- comes: identical
SELECT date '2024-02-28' + 2, extract(epoch FROM interval '1 day'), to_char(timestamp '2024-01-02 03:04:05', 'DD.MM.YY')

-- name: numbers
-- comes: identical
SELECT * FROM generate_series(1, 5) AS n, LATERAL (SELECT n * n AS square) AS s

-- name: words
-- comes: identical
SELECT unnest(string_to_array('a,b,c', ',')), regexp_replace('abc', 'b', 'x'), 'é' || upper('é')

-- name: an error in the text
-- comes: identical
SELEC 1

-- name: a column that isn't there
-- comes: identical
SELECT nothing FROM products

-- name: a table that isn't there
-- comes: identical
SELECT * FROM nowhere

-- name: a column that isn't in a table with masked columns
-- comes: identical
SELECT emial FROM customers
