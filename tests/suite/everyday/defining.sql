-- Migrations of tables with masked columns: what tells no value and keeps every mask is done as ever.

-- name: a new column
-- comes: identical
ALTER TABLE customers ADD COLUMN loyalty integer NOT NULL DEFAULT 0

-- name: a new column, if it isn't there
-- comes: identical
ALTER TABLE customers ADD COLUMN IF NOT EXISTS loyalty integer

-- name: a new column with its check
-- comes: identical
ALTER TABLE customers ADD COLUMN tier text DEFAULT 'none' CHECK (tier IN ('none', 'gold')), ADD COLUMN note text

-- name: a new column that refers to another table
-- comes: identical
ALTER TABLE customers ADD COLUMN favourite integer REFERENCES products (id) ON DELETE SET NULL

-- name: a new column computed from unmasked ones
-- comes: identical
ALTER TABLE customers ADD COLUMN place text GENERATED ALWAYS AS (city || ', ' || country) STORED

-- name: a default
-- comes: identical
ALTER TABLE customers ALTER COLUMN city SET DEFAULT 'Ulm', ALTER COLUMN phone SET DEFAULT NULL

-- name: no default any more
-- comes: identical
ALTER TABLE customers ALTER COLUMN city DROP DEFAULT

-- name: what may be null
-- comes: identical
ALTER TABLE customers ALTER COLUMN email DROP NOT NULL, ALTER COLUMN email SET NOT NULL

-- name: another type for an unmasked column
-- comes: identical
ALTER TABLE customers ALTER COLUMN credit TYPE numeric(12, 2), ALTER COLUMN city TYPE varchar(80) USING left(city, 80)

-- name: a check of unmasked columns
-- comes: identical
ALTER TABLE customers ADD CONSTRAINT credit_limit CHECK (credit < 100000) NOT VALID

-- name: a check is validated
-- comes: identical
ALTER TABLE customers VALIDATE CONSTRAINT credit_limit

-- name: a constraint's name
-- comes: identical
ALTER TABLE customers RENAME CONSTRAINT credit_limit TO credit_within

-- name: a constraint goes
-- comes: identical
ALTER TABLE customers DROP CONSTRAINT credit_within

-- name: unique unmasked columns
-- comes: identical
ALTER TABLE employees ADD CONSTRAINT one_name_a_team UNIQUE (id, team)

-- name: an index
-- comes: identical
CREATE INDEX customers_by_country ON customers (country, created_at DESC)

-- name: an index that others don't wait for
-- comes: identical
CREATE INDEX CONCURRENTLY IF NOT EXISTS customers_by_name ON customers (lower(full_name) text_pattern_ops) WHERE newsletter

-- name: an index's name
-- comes: identical
ALTER INDEX customers_by_name RENAME TO customers_by_lower_name

-- name: indexes made anew
-- comes: identical
REINDEX TABLE customers

-- name: an index goes
-- comes: identical
DROP INDEX customers_by_lower_name

-- name: statistics are taken
-- comes: identical
ANALYZE customers

-- name: statistics of unmasked columns
-- comes: identical
CREATE STATISTICS place_of_customers ON country, city FROM customers

-- name: how a column is stored
-- comes: identical
ALTER TABLE customers ALTER COLUMN full_name SET STORAGE MAIN, ALTER COLUMN country SET STATISTICS 500

-- name: how a table is stored
-- comes: identical
ALTER TABLE customers SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01)

-- name: triggers are switched off and on
-- comes: identical
ALTER TABLE customers DISABLE TRIGGER USER, ENABLE TRIGGER USER

-- name: a comment on a table
-- comes: identical
COMMENT ON TABLE customers IS 'Everybody'

-- name: a comment on an unmasked column
-- comes: identical
COMMENT ON COLUMN customers.country IS 'ISO 3166'

-- name: an unmasked column's name
-- comes: identical
ALTER TABLE customers RENAME COLUMN note TO remark

-- name: an unmasked column goes
-- comes: identical
ALTER TABLE customers DROP COLUMN remark

-- name: a masked column goes
-- comes: identical
ALTER TABLE payments DROP COLUMN iban

-- name: a table that refers to one with masked columns
-- comes: identical
CREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, at timestamptz NOT NULL DEFAULT now())

-- name: a foreign key to a table with masked columns
-- comes: identical
ALTER TABLE visits ADD CONSTRAINT visits_of FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE

-- name: a table like another
-- comes: identical
CREATE TABLE customers_archive (LIKE customers INCLUDING DEFAULTS INCLUDING CONSTRAINTS)

-- name: a table that is there already
-- comes: identical
CREATE TABLE IF NOT EXISTS customers (id bigint)

-- name: a table that is there already, without looking
-- comes: identical
CREATE TABLE customers (id bigint)

-- name: a column that is there already
-- comes: identical
ALTER TABLE customers ADD COLUMN city text

-- name: a column that others depend on
-- comes: identical
ALTER TABLE customers DROP COLUMN id

-- name: a view without masked columns
-- comes: identical
CREATE VIEW customer_places AS SELECT id, country, city FROM customers

-- name: a materialized view without masked columns
-- comes: identical
CREATE MATERIALIZED VIEW spending AS SELECT c.country, sum(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY 1

-- name: a materialized view made anew
-- comes: identical
REFRESH MATERIALIZED VIEW spending

-- name: a table of unmasked columns
-- comes: identical
CREATE TABLE by_country AS SELECT country, count(*) FROM customers GROUP BY country

-- name: a view with a masked column goes
-- comes: identical
DROP VIEW customer_overview

-- name: a table is emptied
-- comes: identical
TRUNCATE visits

-- name: tables go
-- comes: identical
DROP TABLE visits, customers_archive, by_country

-- name: a check that tells of a masked column
-- comes: unmask makes a constraint of public.customers.email, which is masked
ALTER TABLE customers ADD CONSTRAINT tells CHECK (email LIKE 'a%') NOT VALID

-- name: a check that tells of a whole row
-- comes: unmask
ALTER TABLE customers ADD CONSTRAINT tells CHECK (customers::text LIKE '%a%')

-- name: a new column whose check tells of a masked one
-- comes: unmask makes a constraint of public.customers.birth_date
ALTER TABLE customers ADD COLUMN n integer CHECK (birth_date < '1980-01-01')

-- name: a unique index on a masked column
-- comes: unmask makes an index of public.customers.phone
CREATE UNIQUE INDEX ON customers (phone)

-- name: an index on a part of a masked column
-- comes: unmask makes an index of public.customers.email
CREATE INDEX ON customers (left(email, 1))

-- name: an index of rows by a masked column
-- comes: unmask makes an index of public.employees.salary
CREATE INDEX ON employees (id) WHERE salary > 50000

-- name: a constraint on a masked column
-- comes: unmask makes a constraint of public.customers.phone
ALTER TABLE customers ADD UNIQUE (phone)

-- name: a column that is there already and shall be unique
-- comes: unmask makes a constraint of public.customers.phone
ALTER TABLE customers ADD COLUMN IF NOT EXISTS phone text UNIQUE

-- name: what refers to a masked column
-- comes: unmask refers to public.customers.email
CREATE TABLE guesses (email text REFERENCES customers (email) ON UPDATE CASCADE)

-- name: what refers to a masked column, later
-- comes: unmask refers to public.customers.email
ALTER TABLE products ADD FOREIGN KEY (sku) REFERENCES customers (email) NOT VALID

-- name: a masked column that refers elsewhere
-- comes: unmask makes a constraint of public.customers.email
ALTER TABLE customers ADD FOREIGN KEY (email) REFERENCES products (sku)

-- name: another type for a masked column
-- comes: unmask rewrites public.customers.birth_date
ALTER TABLE customers ALTER COLUMN birth_date TYPE text

-- name: an unmasked column filled from a masked one
-- comes: unmask rewrites public.customers.email
ALTER TABLE customers ALTER COLUMN city TYPE text USING email

-- name: a column computed from a masked one
-- comes: unmask makes a column of public.customers.email
ALTER TABLE customers ADD COLUMN domain text GENERATED ALWAYS AS (split_part(email, '@', 2)) STORED

-- name: statistics of masked columns
-- comes: unmask makes statistics of public.customers.email
CREATE STATISTICS tells ON country, email FROM customers

-- name: a masked column's name
-- comes: unmask renames public.customers.email
ALTER TABLE customers RENAME COLUMN email TO contact

-- name: a table's name
-- comes: unmask renames customers
ALTER TABLE customers RENAME TO clients

-- name: another schema for a table
-- comes: unmask moves customers
ALTER TABLE customers SET SCHEMA billing

-- name: another name for a schema
-- comes: unmask renames the schema public
ALTER SCHEMA public RENAME TO open

-- name: what inherits from a table with masked columns
-- comes: unmask inherits from customers
CREATE TABLE more_customers () INHERITS (customers)

-- name: a comment on a masked column
-- comes: unmask takes the comment of public.customers.email
COMMENT ON COLUMN customers.email IS ''

-- name: a view with a masked column
-- comes: unmask copies public.customers.email
CREATE VIEW mails AS SELECT id, email FROM customers

-- name: a table with a masked column
-- comes: unmask copies public.customers.email
CREATE TABLE mails AS SELECT id, email FROM customers
