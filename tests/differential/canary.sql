-- Behind the schema of `lineage.sql`: the same names in another schema, meaning something else.
CREATE SCHEMA other;
CREATE TABLE other.customers (id integer, email text, name text, salary integer);
INSERT INTO other.customers SELECT i, 'public ' || i, 'nobody ' || i, i FROM generate_series(1, 3) i;
CREATE VIEW other.orders AS SELECT id, email AS note, salary AS total, name FROM public.customers;
CREATE VIEW other.contacts AS SELECT id, name AS mail, email AS name, phone AS tel FROM public.customers;
CREATE VIEW other.pairs AS SELECT id, q AS p, p AS q FROM public.pairs;
CREATE TYPE customers_rank AS ENUM ('low', 'high');
CREATE DOMAIN short AS text CHECK (length(VALUE) < 20);
CREATE SEQUENCE sq2;
