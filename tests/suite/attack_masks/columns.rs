//! The value itself, under whatever name and in whatever shape: aliases, views, partitions, whole rows,
//! computed values.

use super::World;

const COLUMNS: &[&str] = &[
    "SELECT email AS id FROM customers WHERE id = 900001",
    "SELECT a.*, b.* FROM customers a JOIN customers b USING (id) WHERE id = 900001",
    "SELECT id, * FROM customers WHERE id = 900001",
    "SELECT * FROM customers AS c (a, b, c, d, e, f, g, h, i, j) WHERE a = 900001",
    "SELECT \"email\" FROM \"public\".\"customers\" AS \"Customers\" WHERE id = 900001",
    "SELECT EMAIL FROM PUBLIC.CUSTOMERS WHERE ID = 900001",
    "SELECT U&\"em\\0061il\" FROM customers WHERE id = 900001",
    "SELECT x AS a FROM (SELECT email AS x FROM customers WHERE id = 900001) s",
    "SELECT mail FROM mails WHERE id = 900001",
    "SELECT m FROM mails_of_mails",
    "SELECT email FROM stored",
    "TABLE stored",
    "SELECT email FROM logs",
    "SELECT email FROM logs_25",
    "SELECT email FROM ONLY logs_26",
    "SELECT * FROM logs_26",
    "SELECT email FROM vips",
    "SELECT domain FROM vips",
    "SELECT email FROM customers TABLESAMPLE SYSTEM (100) WHERE id = 900001",
    "WITH w (id) AS (SELECT email FROM customers WHERE id = 900001) SELECT id FROM w",
    "WITH RECURSIVE w (a, b) AS (SELECT 1, 'x' UNION ALL SELECT a + 1, (SELECT email FROM customers WHERE id = 900001) FROM w WHERE a < 3) SELECT b FROM w",
    "WITH d AS (UPDATE customers SET city = 'x' WHERE id = 900001 RETURNING *) SELECT * FROM d",
    "SELECT full_name FROM customers WHERE id = 1 UNION ALL SELECT email FROM customers WHERE id = 900001",
    "SELECT full_name FROM customers WHERE id = 900001 INTERSECT ALL SELECT full_name FROM customers | SELECT email FROM customers WHERE id = 900001 EXCEPT ALL SELECT 'x'",
    "VALUES (1, 'x'), (2, (SELECT email FROM customers WHERE id = 900001))",
    "SELECT m.m FROM notes n, LATERAL (SELECT email AS m FROM customers c WHERE c.id = 900001 + n.id - n.id) m",
    "SELECT (SELECT email FROM customers WHERE id = 900001)",
    "SELECT ARRAY(SELECT email FROM customers WHERE id = 900001)",
    "INSERT INTO customers (full_name, email, country, city) VALUES ('x', 'kn4ry.new', 'DE', 'x') ON CONFLICT DO NOTHING | DELETE FROM customers WHERE id = 900001 RETURNING email",
    "UPDATE customers SET city = 'x' FROM notes n WHERE customers.id = 900001 RETURNING customers.*, n.body",
    "UPDATE notes n SET body = 'x' FROM customers c WHERE c.id = 900001 RETURNING c.email",
    "DELETE FROM notes n USING mails m WHERE m.id = 900001 RETURNING m.mail",
    "UPDATE mails SET id = id WHERE id = 900001 RETURNING mail",
    "COPY (SELECT email FROM customers WHERE id = 900001) TO STDOUT",
    "COPY (SELECT email FROM customers WHERE id = 900001) TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE *)",
    "COPY (SELECT email FROM customers WHERE id = 900001) TO STDOUT (FORMAT binary)",
    "COPY logs_26 TO STDOUT",
    "COPY customers (email) TO STDOUT (DELIMITER ';')",
    "DECLARE k CURSOR FOR SELECT email FROM customers WHERE id = 900001 | FETCH ALL FROM k",
    "DECLARE k SCROLL CURSOR WITH HOLD FOR TABLE stored | MOVE 1 FROM k | FETCH PRIOR FROM k | FETCH ABSOLUTE 1 FROM k",
    "PREPARE p AS SELECT email FROM customers WHERE id = $1 | EXECUTE p (900001)",
    // WITH RECURSIVE sees what stands behind; a recursive query with a WITH of its own sees itself.
    "WITH RECURSIVE a AS (SELECT body FROM notes), notes AS (SELECT email || '' AS body FROM customers WHERE id = 900001) SELECT body FROM a",
    "WITH RECURSIVE a AS (SELECT body FROM notes), notes AS (UPDATE customers SET city = city WHERE id = 900001 RETURNING 1 AS id, email || '' AS body) SELECT body FROM a",
    "COPY (WITH RECURSIVE a AS (SELECT body FROM notes), notes AS (SELECT email || '' AS body FROM customers WHERE id = 900001) SELECT body FROM a) TO STDOUT",
    "DECLARE k CURSOR FOR WITH RECURSIVE a AS (SELECT body FROM notes), notes AS (SELECT email || '' AS body FROM customers WHERE id = 900001) SELECT body FROM a | FETCH ALL k",
    "CREATE TEMP TABLE z AS WITH RECURSIVE a AS (SELECT body FROM notes), notes AS (SELECT email || '' AS body FROM customers WHERE id = 900001) SELECT body FROM a | TABLE z",
    "WITH RECURSIVE products (id, sku, name) AS (WITH x AS (SELECT 1) SELECT 1, email || '', 'x'::text FROM customers WHERE id = 900001 UNION ALL SELECT id + 1, name, sku FROM products WHERE id < 3) SELECT name FROM products",
    "WITH RECURSIVE products (id, sku, name) AS (SELECT 1, email || '', 'x'::text FROM customers WHERE id = 900001 UNION ALL (WITH n AS (SELECT * FROM products) SELECT id + 1, name, sku FROM n WHERE id < 3)) SELECT name FROM products",
    // Behind a schema stands a relation, however near a subquery of the same name is.
    "SELECT (SELECT public.customers.email FROM (SELECT 'x'::text AS email) customers) FROM public.customers WHERE id = 900001",
    "SELECT (SELECT concat(public.customers.*) FROM (SELECT 'x'::text AS email) customers) FROM public.customers WHERE id = 900001",
    "INSERT INTO notes SELECT 9, (SELECT public.customers.email FROM (SELECT 'x'::text AS email) customers) FROM public.customers WHERE id = 900001 RETURNING body",
];

#[test]
fn a_masked_column_is_masked_under_every_name() {
    // A mark in an attack's own text would be told by it.
    let own = COLUMNS.iter().filter(|attack| !attack.contains("kn4ry"));
    World::start("").shows(&own.copied().collect::<Vec<_>>());
}

const WHOLE_ROWS: &[&str] = &[
    "SELECT c FROM customers c WHERE id = 900001",
    "SELECT (c).email FROM customers c WHERE id = 900001",
    "SELECT (c).* FROM customers c WHERE id = 900001",
    "SELECT (c).* FROM (SELECT st AS c FROM stored st) s, (SELECT 1 AS id, '' AS email, 1 AS credit) c",
    "SELECT (s.c).* FROM (SELECT st AS c FROM stored st) s, (SELECT 1 AS id, '' AS email, 1 AS credit) c",
    "SELECT (c).email FROM (SELECT st AS c FROM stored st) s, (SELECT 1 AS id, '' AS email, 1 AS credit) c",
    "SELECT concat(c) FROM (SELECT st AS c FROM stored st) s, (SELECT 1 AS id, '' AS email, 1 AS credit) c",
    "SELECT ctid FROM (SELECT email FROM stored) ctid",
    "SELECT tableoid::text FROM (SELECT email FROM stored) tableoid",
    "SELECT concat(cmin) FROM (SELECT email FROM stored) cmin",
    "SELECT (xmin).email FROM (SELECT email FROM stored) xmin",
    "SELECT (xmax).* FROM (SELECT email FROM stored) xmax",
    "SELECT x FROM (SELECT cmax AS x FROM (SELECT email FROM stored) cmax) s",
    "SELECT row(c.*) FROM customers c WHERE id = 900001",
    "SELECT c::text FROM customers c WHERE id = 900001",
    "SELECT concat(c) FROM customers c WHERE id = 900001",
    "SELECT format('%s', c) FROM customers c WHERE id = 900001",
    "SELECT row_to_json(c) FROM customers c WHERE id = 900001",
    "SELECT to_jsonb(c) - 'id' FROM customers c WHERE id = 900001",
    "SELECT to_json(s) FROM (SELECT * FROM customers WHERE id = 900001) s",
    "SELECT json_agg(c) FROM customers c WHERE id = 900001",
    "SELECT array_agg(c) FROM customers c WHERE id = 900001",
    "SELECT (array_agg(c))[1] FROM customers c WHERE id = 900001",
    "SELECT unnest(array_agg(c)) FROM customers c WHERE id = 900001",
    "SELECT c.to_json FROM customers c WHERE id = 900001",
    "SELECT email(c) FROM customers c WHERE id = 900001",
    "SELECT x.* FROM customers c, jsonb_each_text(to_jsonb(c)) x WHERE c.id = 900001",
    "SELECT x.* FROM json_to_record((SELECT row_to_json(c) FROM customers c WHERE id = 900001)) AS x (email text)",
    "SELECT (jsonb_populate_record(c, '{}')).* FROM customers c WHERE id = 900001",
    "SELECT xmlelement(name x, c.email) FROM customers c WHERE id = 900001",
    "SELECT xpath('//email/text()', table_to_xml('stored', true, false, ''))",
    "SELECT query_to_xml('SELECT email FROM stored', true, false, '')",
    "DECLARE k CURSOR FOR TABLE stored | SELECT cursor_to_xml('k', 10, true, false, '')",
];

#[test]
fn a_whole_row_tells_no_more_than_its_columns() {
    World::start("").shows(WHOLE_ROWS);
}

const COMPUTED: &[&str] = &[
    "SELECT email || '' FROM customers WHERE id = 900001",
    "SELECT upper(lower(email)) FROM customers WHERE id = 900001",
    "SELECT reverse(email) FROM customers WHERE id = 900001",
    "SELECT encode(convert_to(email, 'UTF8'), 'hex') FROM customers WHERE id = 900001",
    "SELECT left(email, 10) FROM customers WHERE id = 900001",
    "SELECT substring(email FROM 3) FROM customers WHERE id = 900001",
    "SELECT regexp_replace(email, 'x', '') FROM customers WHERE id = 900001",
    "SELECT regexp_split_to_table(email, '@') FROM customers WHERE id = 900001",
    "SELECT (regexp_match(email, '.*'))[1] FROM customers WHERE id = 900001",
    "SELECT coalesce(NULL, email) FROM customers WHERE id = 900001",
    "SELECT CASE WHEN id > 0 THEN email END FROM customers WHERE id = 900001",
    "SELECT greatest(email, '') FROM customers WHERE id = 900001",
    "SELECT email COLLATE \"C\" FROM customers WHERE id = 900001",
    "SELECT email::varchar(50)::name FROM customers WHERE id = 900001",
    "SELECT max(email) FROM customers WHERE id >= 900001",
    "SELECT string_agg(email, ',') FROM customers WHERE id >= 900001",
    "SELECT mode() WITHIN GROUP (ORDER BY email) FROM customers WHERE id = 900001",
    "SELECT first_value(email) OVER (ORDER BY id DESC) FROM customers WHERE id >= 900001",
    "SELECT lag(email) OVER (ORDER BY id) FROM customers WHERE id >= 900001",
    "SELECT jsonb_build_object('a', email) FROM customers WHERE id = 900001",
    "SELECT sum(credit) FROM customers WHERE id = 900001",
    "SELECT credit + 0 FROM customers WHERE id = 900001",
    "SELECT birth_date::text FROM customers WHERE id = 900001",
    "SELECT to_char(birth_date, 'YYYY-MM-DD') FROM customers WHERE id = 900001",
    "SELECT string_to_table(email, '.') FROM customers WHERE id = 900001",
    "SELECT m[1] FROM (SELECT ARRAY[email] AS m FROM customers WHERE id = 900001) s",
    "SELECT x FROM customers c, XMLTABLE('/a' PASSING xmlelement(name a, c.email) COLUMNS x text PATH '.') WHERE c.id = 900001",
];

#[test]
fn a_computed_value_is_masked_whole() {
    World::start("").shows(COMPUTED);
}
