-- Class 9: user code behind innocent-looking statements. Own texts over schema.sql and attack_objects.sql; valid on
-- PostgreSQL 15. The routines write, whatever they say of themselves: without trust each of these needs admin, and a
-- plain EXPLAIN of the immutable ones is as bad as running them.

-- name: immutable and writing
SELECT lying('x')

-- name: immutable and writing, planned only
EXPLAIN SELECT lying('x')

-- name: planned only, in a condition
EXPLAIN SELECT * FROM customers WHERE id = lying('x')

-- name: stable and writing
SELECT lying_stable()

-- name: volatile
SELECT honest_writer()

-- name: security definer
SELECT definer()

-- name: runs a text
SELECT runs_text('DELETE FROM jobs')

-- name: procedure
CALL tidy_up()

-- name: attribute notation
SELECT c.contact_of FROM customers c

-- name: attribute notation on a row in parentheses
SELECT (c).contact_of FROM customers c

-- name: attribute notation in a condition
SELECT id FROM customers c WHERE c.contact_of LIKE 'a%'

-- name: function notation for the same
SELECT contact_of(c) FROM customers c

-- name: operator
SELECT * FROM customers WHERE name === 'x'

-- name: prefix operator
SELECT @@@ 'x'::text

-- name: operator with its schema
SELECT name OPERATOR(public.===) 'x'::text FROM customers

-- name: operator with any
SELECT * FROM customers WHERE name === ANY (ARRAY['a', 'b'])

-- name: operator that looks built in
SELECT * FROM customers WHERE status = 'new'::text

-- name: explicit cast
SELECT status::integer FROM customers

-- name: explicit cast in the standard's words
SELECT CAST(status AS integer) FROM customers

-- name: implicit cast
SELECT status + 1 FROM customers

-- name: implicit cast into an argument
SELECT repeat('x', status) FROM customers

-- name: domain
SELECT 5::checked

-- name: domain over a domain
SELECT '5'::checked_twice

-- name: domain of a parameter
SELECT $1::checked

-- name: domain in the declaration of a prepared statement
PREPARE p (checked) AS SELECT $1; EXECUTE p (1)

-- name: domain in a composite
SELECT ROW(5)::holder

-- name: domain in an array
SELECT '{1,2}'::checked[]

-- name: domain in a function's column list
SELECT * FROM json_to_record('{"a": 1}') AS r(a checked)

-- name: domain in a populated record
SELECT * FROM json_populate_record(NULL::holder, '{"inner_value": 1}')

-- name: domain in a table from xml
SELECT * FROM XMLTABLE('/a' PASSING (xml '<a>1</a>') COLUMNS v checked PATH '.')

-- name: aggregate
SELECT total_of(id) FROM departments

-- name: aggregate as a window
SELECT total_of(id) OVER () FROM departments

-- name: view
SELECT * FROM harmless_view

-- name: view of a view
SELECT one FROM harmless_view_of_view

-- name: view over a writer
SELECT * FROM honest_view

-- name: view, planned only
EXPLAIN SELECT one FROM harmless_view

-- name: policy
SELECT * FROM guarded

-- name: function in from
SELECT * FROM lying('x') AS t(n)

-- name: function in rows from
SELECT * FROM ROWS FROM (lying('x'), generate_series(1, 2)) AS t(a, b)

-- name: function in limit
SELECT * FROM customers LIMIT lying('x')

-- name: function in a window frame
SELECT sum(id) OVER (ORDER BY id ROWS lying('x') PRECEDING) FROM departments

-- name: function in an argument of a built-in
SELECT upper(coalesce(NULL, lying('x')::text))

-- name: function in a values list
VALUES (lying('x'))

-- name: function in an array of a condition
SELECT 1 FROM departments WHERE id = ANY (ARRAY[lying('x'), 2])

-- name: function given to copy
COPY (SELECT lying('x')) TO STDOUT

-- name: function given to execute
PREPARE e (integer) AS SELECT $1; EXECUTE e (lying('x'))

-- name: function given to a cursor
-- needs: dml
BEGIN; DECLARE c CURSOR FOR SELECT lying('x'); FETCH c

-- name: set-returning routine over a user table
-- shows: rows
SELECT * FROM many()

-- name: insert into a trapped table
-- needs: dml
INSERT INTO trapped (name) VALUES ('x')

-- name: insert into a ruled table
-- needs: dml
INSERT INTO ruled VALUES (1)

-- name: function by its own schema
SELECT evil.lower('X')

-- name: operator by its own schema
SELECT 1 OPERATOR(evil.+) 2

-- name: a name that is both built in and not
SELECT abs('new'::customer_status)

-- name: an overload elsewhere on the path
SELECT abs(status) FROM customers

-- name: a function with a code body
CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'

-- name: a trigger
CREATE TRIGGER t BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION trap()

-- name: a rule
CREATE RULE r AS ON UPDATE TO jobs DO INSTEAD DELETE FROM loot

-- name: a rule that turns a table into a view of sorts
CREATE RULE r AS ON INSERT TO departments DO INSTEAD INSERT INTO loot (what) VALUES (NEW.name)

-- name: an operator
CREATE OPERATOR <<< (LEFTARG = text, RIGHTARG = text, FUNCTION = lying_pair)

-- name: a cast
CREATE CAST (holder AS text) WITH INOUT AS IMPLICIT

-- name: an aggregate
CREATE AGGREGATE a (integer) (SFUNC = lying_step, STYPE = integer)

-- name: a policy
CREATE POLICY p ON departments USING (lying('x') = 1)

-- name: a default that calls
-- needs: ddl
ALTER TABLE departments ALTER budget SET DEFAULT lying('x')

-- name: an index that calls
-- needs: ddl
CREATE INDEX i ON departments ((lying(name)))

-- name: a check that calls
-- needs: ddl
ALTER TABLE departments ADD CHECK (lying(name) = 1)

-- name: cast to a built-in type by another of its names
SELECT mood::int FROM moods

-- name: cast to a domain over the target
SELECT mood::small FROM moods

-- name: cast of a row to a composite
SELECT ROW(mood)::numbered FROM moods

-- name: cast of a row to another table's
SELECT ROW(mood)::half_indexed FROM moods

-- name: cast of an array
SELECT array_agg(mood)::integer[] FROM moods

-- name: cast of an array that was written
SELECT '{calm}'::mood[]::integer[]

-- name: cast that JSON asks for
SELECT to_json(mood) FROM moods

-- name: cast that JSON asks for, of a column of a row
SELECT row_to_json(m) FROM moods m

-- name: cast that JSON asks for, in an aggregate
SELECT jsonb_agg(mood) FROM moods

-- name: cast that JSON asks for, as a column
SELECT m.to_json FROM moods m

-- name: cast that JSON asks for in a view
SELECT * FROM mood_lines

-- name: operator that NOT BETWEEN means
SELECT mood NOT BETWEEN 'calm' AND 'x'::text FROM moods

-- name: function named like a column that was renamed
SELECT d.budget FROM departments AS d (a, b, c)

-- name: function named like a column of a catalog that was renamed
SELECT c.relname FROM pg_class AS c (a, b) LIMIT 1

-- name: view that advances a sequence
-- needs: dml
-- shows: sequence
SELECT * FROM next_invoice

-- name: view that locks
-- needs: dml
SELECT * FROM locked_departments

-- name: view that notifies
-- needs: dml
-- shows: rows
SELECT * FROM told_departments

-- name: view that executes a text
-- shows: rows
SELECT * FROM everything_as_xml

-- name: view that sets
SELECT * FROM reset_timeout

-- name: view that reads a file
-- shows: rows
SELECT * FROM server_file

-- name: index predicate, planned only
-- needs: select
-- shows: locks
EXPLAIN SELECT * FROM half_indexed WHERE id = 1

-- name: range that measures itself, planned only
-- needs: select
-- shows: locks
EXPLAIN SELECT * FROM stretches WHERE s && '[1,3)'

-- name: partition's key compared by its own function
-- shows: error 22023
SELECT satisfies_hash_partition('departments'::regclass, 2, 0, 5)

-- name: search path to a schema of views that call
SET search_path = evil, public; SELECT * FROM orders

-- name: search path by function
SELECT set_config('search_path', 'evil, public', false); SELECT * FROM orders

-- name: set schema
SET SCHEMA 'evil'; SELECT * FROM orders
