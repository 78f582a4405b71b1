-- Newer than PostgreSQL 15, which answers with its own error; a later server runs it. Own texts.

-- name: underscored number
-- needs: info
SELECT 1_000

-- name: hex number
-- needs: info
SELECT 0x1F

-- name: octal binary
-- needs: info
SELECT 0o17, 0b101

-- name: underscore in where
SELECT id FROM orders WHERE id < 1_0

-- name: hex in where
SELECT id FROM orders WHERE id = 0xA

-- name: is json
-- needs: info
SELECT '{}' IS JSON OBJECT

-- name: json object standard
-- needs: info
SELECT JSON_OBJECT('a' VALUE 1 NULL ON NULL)

-- name: json array standard
-- needs: info
SELECT JSON_ARRAY(1, 2 ABSENT ON NULL)

-- name: json arrayagg
SELECT JSON_ARRAYAGG(id ORDER BY id) FROM orders

-- name: json objectagg
SELECT JSON_OBJECTAGG(id : name) FROM customers

-- name: json scalar
-- needs: info
SELECT JSON_SCALAR(1), JSON_SERIALIZE('{}'::json), JSON('{}')

-- name: json exists
SELECT JSON_EXISTS(profile, '$.a') FROM customers

-- name: json value
SELECT JSON_VALUE(profile, '$.age' RETURNING int DEFAULT 0 ON ERROR) FROM customers

-- name: json query
SELECT JSON_QUERY(profile, '$.likes' WITH WRAPPER) FROM customers

-- name: json table
SELECT jt.* FROM customers c, JSON_TABLE(c.profile, '$.likes[*]' COLUMNS (n FOR ORDINALITY, v text PATH '$')) AS jt

-- name: json table nested
-- needs: info
SELECT * FROM JSON_TABLE('[]'::jsonb, '$[*]' COLUMNS (a int PATH '$.a' DEFAULT 0 ON EMPTY, NESTED PATH '$.b[*]' COLUMNS (c text PATH '$')))

-- name: any value
SELECT any_value(name) FROM customers

-- name: merge returning
-- needs: dml,select
MERGE INTO stock s USING products p ON p.id = s.product_id WHEN MATCHED THEN UPDATE SET quantity = 1 RETURNING merge_action(), s.*

-- name: merge by source
-- needs: dml,select
MERGE INTO stock s USING products p ON p.id = s.product_id WHEN NOT MATCHED BY SOURCE THEN DELETE

-- name: returning old new
-- needs: dml,select
UPDATE stock SET quantity = 2 WHERE product_id = 1 RETURNING old.quantity, new.quantity

-- name: at local
-- needs: info
SELECT now() AT LOCAL

-- name: subquery without alias
SELECT * FROM (SELECT id FROM orders LIMIT 1)

-- name: trim array range
-- needs: info
SELECT range_agg(r) FROM unnest(ARRAY[int4range(1,2)]) r

-- name: array shuffle
-- needs: info
SELECT array_shuffle(ARRAY[1])

-- name: random range
-- needs: info
SELECT random(1, 10) > 0

-- name: uuidv7
-- needs: info
SELECT uuidv7()

-- name: date add
-- needs: info
SELECT date_add(now(), '1 day'), date_subtract(now(), '1 day')

-- name: virtual generated
-- needs: ddl
CREATE TABLE vg (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL)

-- name: not null constraint
-- needs: ddl
ALTER TABLE departments ADD CONSTRAINT nn NOT NULL budget NOT VALID

-- name: copy on error
-- needs: dml
COPY audit_notes (what) FROM STDIN (ON_ERROR ignore)

-- name: without overlaps
-- needs: ddl
CREATE TABLE wo (id int4range, during daterange, PRIMARY KEY (id, during WITHOUT OVERLAPS))

-- name: string edge: backslashes off
-- needs: info
SELECT 'a\b', E'a\\b', '\', 'C:\path\'

-- name: string edge: nested quotes
-- needs: info
SELECT '''', '''''', E'\'', $$'$$, "a"."b" FROM (SELECT 1 AS "b") "a"

-- name: string edge: unicode
-- needs: info
SELECT 'ñ', U&'\00f1', '日本', e'\u65e5'

-- name: identifier long
SELECT count(*) AS this_is_a_very_long_alias_name_that_goes_on_and_on_past_the_limit_of_63_bytes FROM orders

-- name: dollar in identifier
-- needs: info
SELECT 1 AS a$b, 2 AS _x, 3 AS x1

-- name: double dot positional
-- needs: info
SELECT $1::int + $2::int

-- name: cast of param forms
SELECT id FROM orders WHERE id = CAST($1 AS bigint) OR note = $2::varchar(10) OR ordered_at > $3::timestamptz

-- name: operators at line ends
-- needs: info
SELECT 1 +
2 *
3 -- sum
AS total

-- name: tabs and crlf
SELECT	id
FROM	orders
LIMIT	1

-- name: percent operators
-- needs: info
SELECT 10 % 3, 10%3, 5!=4, 5<>4, 1<=2, - -1, +1, !!'a'::tsquery

-- name: quoted function names
-- needs: info
SELECT "lower"('A'), pg_catalog."upper"('a'), "pg_catalog".lower('A')

-- name: keywords as functions
-- needs: info
SELECT left('abc', 1), right('abc', 1), replace('a', 'a', 'b'), position('a' in 'ba'), char_length('x'), coalesce(1), nullif(1, 2), exists(select 1), row(1), array[1], trim('x'), date('2024-01-01'), time '10:00', values_like FROM (SELECT 1 AS values_like) v

-- name: type functions
-- needs: info
SELECT int4('1'), text(1), float8('1.5'), date(now()) IS NOT NULL, timestamptz('2024-01-01'::date), "char"('a'::text), bool('t'), bpchar('x'), name('x')
