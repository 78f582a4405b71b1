-- Two databases are made of this, alike but for what is marked: SALT is replaced.
CREATE TABLE customers (
    id integer PRIMARY KEY,
    name text,
    email text UNIQUE,
    phone varchar(40),
    salary integer,
    tags text[],
    doc jsonb,
    domain text GENERATED ALWAYS AS (split_part(email, '@', 2)) STORED
);
INSERT INTO customers (id, name, email, phone, salary, tags, doc)
SELECT i, 'name ' || i,
       'kn4ry' || md5(i || 'SALT') || '@kn4ry' || (i * 7 + length('SALT')) % 5,
       CASE WHEN i % 4 = 0 THEN NULL ELSE 'kn4ry-' || substr(md5(i || 'SALT'), 1, 6) END,
       910000000 + ('x' || substr(md5(i || 'SALT'), 1, 5))::bit(20)::integer,
       ARRAY['kn4ry' || i, 'SALT'],
       jsonb_build_object('k', 'kn4ry' || md5('SALT' || i))
FROM generate_series(1, 6) AS i;
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, total integer, note text, domain text);
INSERT INTO orders SELECT i, i % 6 + 1, i * 10, 'note ' || i, 'shop' FROM generate_series(1, 8) AS i;
CREATE TABLE logs (id integer, at date, email text) PARTITION BY RANGE (at);
CREATE TABLE logs_25 PARTITION OF logs FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE logs_26 (email text, at date, id integer);
ALTER TABLE logs ATTACH PARTITION logs_26 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO logs SELECT i, '2025-12-28'::date + i, 'kn4ry' || md5('log' || i || 'SALT') FROM generate_series(1, 6) i;
CREATE TABLE vips (rank integer) INHERITS (customers);
INSERT INTO vips (id, name, email, salary, rank)
SELECT i, 'vip ' || i, 'kn4ry' || md5('vip' || i || 'SALT') || '@kn4ry9', 910000000 + length(md5('SALT')) + i, i
FROM generate_series(7, 8) i;
CREATE VIEW contacts AS SELECT id, email AS mail, upper(phone) AS tel, name FROM customers;
CREATE VIEW wide AS SELECT c.*, o.total FROM customers c JOIN orders o ON o.customer_id = c.id;
CREATE VIEW deep AS SELECT w.mail AS a, w.name AS b, o.note FROM contacts w LEFT JOIN orders o ON o.id = w.id;
CREATE VIEW sums AS SELECT count(*) AS n, max(mail) AS top, max(name) AS last FROM contacts;
CREATE MATERIALIZED VIEW stored AS SELECT id, email, name FROM customers UNION ALL SELECT id, note, note FROM orders;
CREATE TYPE textrange AS RANGE (subtype = text);
CREATE TYPE pair AS (a text, b text);
CREATE TABLE pairs (id integer, p pair, q pair);
INSERT INTO pairs SELECT i, ROW('kn4ry' || md5(i || 'SALT'), 'x')::pair, ROW('a', 'b')::pair FROM generate_series(1, 2) i;
ANALYZE;
