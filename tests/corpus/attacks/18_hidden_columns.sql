-- Classes 18 to 20, as far as the catalogs themselves have columns to hide: ways to read a column without naming it.
-- Own texts; valid on PostgreSQL 15. Everything here needs admin unless it says otherwise.

-- name: another table's name for it
-- shows: rows
SELECT a.q FROM pg_stat_activity AS a (c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, c20, q)

-- name: another name for the passwords
-- shows: done
SELECT o FROM pg_catalog.pg_user_mapping AS m (i, u, s, o)

-- name: table command
-- shows: rows
TABLE pg_shadow

-- name: table command inside
-- shows: rows
SELECT * FROM (TABLE pg_stat_activity) x

-- name: table command in an expression
-- shows: done
WITH x AS (TABLE pg_catalog.pg_user_mapping) SELECT umoptions FROM x

-- name: copy of a catalog
-- shows: rows
COPY pg_authid TO STDOUT

-- name: copy of some columns of a catalog
-- shows: done
COPY pg_catalog.pg_user_mapping (umoptions) TO STDOUT

-- name: copy of a catalog without a column list
-- shows: done
COPY pg_subscription TO STDOUT

-- name: field of a row in parentheses
-- shows: done
SELECT (m).umoptions FROM pg_user_mapping m

-- name: star of a row in parentheses
-- shows: done
SELECT (m).* FROM pg_user_mapping m

-- name: column as a function
-- shows: done
SELECT umoptions(m) FROM pg_user_mapping m

-- name: column of an activity as a function
-- shows: rows
SELECT query(a) FROM pg_stat_activity a

-- name: whole row as a column of its name
-- shows: done
SELECT pg_user_mapping FROM pg_user_mapping

-- name: whole row to text
-- shows: done
SELECT pg_user_mappings::text FROM pg_user_mappings

-- name: whole row to json
-- shows: rows
SELECT json_agg(a) FROM pg_stat_activity a

-- name: whole row of a subquery
-- shows: done
SELECT to_jsonb(x) FROM (SELECT * FROM pg_subscription) x

-- name: whole row in a comparison
-- shows: done
SELECT 1 FROM pg_user_mapping m WHERE m::text LIKE '%password%'

-- name: whole row in an order
-- shows: done
SELECT 1 FROM pg_user_mapping m ORDER BY m

-- name: whole row in a row
-- shows: done
SELECT ROW(m, 1) FROM pg_user_mapping m

-- name: whole row in an array
-- shows: rows
SELECT array_agg(m) FROM pg_user_mapping m

-- name: whole row to a function's record
-- shows: done
SELECT row_to_json(ROW(m.*)) FROM pg_user_mapping m

-- name: whole row of a join
-- shows: rows
SELECT j FROM (pg_stat_activity JOIN pg_locks USING (pid)) AS j

-- name: using
-- shows: rows
SELECT count(*) FROM pg_user_mapping a JOIN pg_user_mapping b USING (umoptions)

-- name: natural
-- shows: rows
SELECT count(*) FROM pg_user_mapping a NATURAL JOIN pg_user_mapping b

-- name: outer column in a subquery
-- shows: rows
SELECT (SELECT query) FROM pg_stat_activity

-- name: outer column in a lateral
-- shows: rows
SELECT l.q FROM pg_stat_activity a, LATERAL (SELECT a.query AS q) l

-- name: outer star in a lateral
-- shows: rows
SELECT l.* FROM pg_stat_activity a, LATERAL (SELECT a.*) l

-- name: only in a group
-- shows: rows
SELECT count(*) FROM pg_stat_activity GROUP BY query

-- name: only in an order
-- shows: rows
SELECT pid FROM pg_stat_activity ORDER BY query

-- name: only in a distinct on
-- shows: rows
SELECT DISTINCT ON (query) pid FROM pg_stat_activity

-- name: only in a window
-- shows: rows
SELECT rank() OVER (PARTITION BY query ORDER BY pid) FROM pg_stat_activity

-- name: only in a named window
-- shows: rows
SELECT rank() OVER w FROM pg_stat_activity WINDOW w AS (ORDER BY query)

-- name: only in a filter
-- shows: rows
SELECT count(*) FILTER (WHERE query ~ 'secret') FROM pg_stat_activity

-- name: only in a join condition
-- shows: rows
SELECT a.pid FROM pg_stat_activity a JOIN pg_class c ON a.query LIKE '%' || c.relname || '%'

-- name: second arm of a union
-- shows: rows
SELECT 'x'::text UNION ALL SELECT query FROM pg_stat_activity

-- name: second arm of a union with stars
-- shows: done
SELECT * FROM pg_user_mapping EXCEPT SELECT * FROM pg_user_mapping WHERE false

-- name: renamed twice
-- shows: rows
SELECT c FROM (SELECT b AS c FROM (SELECT query AS b FROM pg_stat_activity) x) y

-- name: in an expression's column list
-- shows: rows
WITH t (a) AS (SELECT query FROM pg_stat_activity) SELECT a FROM t

-- name: in capitals without quotes
-- shows: rows
SELECT QUERY || '' FROM PG_STAT_ACTIVITY

-- name: in quotes
-- shows: rows
SELECT "query" || '' FROM "pg_catalog"."pg_stat_activity"

-- name: with a unicode name
-- shows: rows
SELECT U&"qu\0065ry" FROM pg_stat_activity

-- name: qualified by its table's schema
-- shows: rows
SELECT pg_catalog.pg_stat_activity.query FROM pg_catalog.pg_stat_activity

-- name: through a cursor
-- shows: rows
BEGIN; DECLARE c CURSOR FOR SELECT query FROM pg_stat_activity; FETCH ALL FROM c

-- name: through a prepared statement
-- shows: rows
PREPARE q AS TABLE pg_stat_activity; EXECUTE q

-- name: sources by a star
-- needs: select
SELECT * FROM pg_proc

-- name: sources by another name
-- needs: select
SELECT p.src FROM (SELECT oid, prosrc AS src FROM pg_proc) p

-- name: sources as a function
-- needs: select
SELECT prosrc(p) FROM pg_proc p

-- name: sources counted
-- needs: select
SELECT count(*) FROM pg_proc WHERE prosrc LIKE '%password%'

-- name: sources in the standard's star
-- needs: select
SELECT * FROM information_schema.routines

-- name: sources of sql bodies
-- needs: select
SELECT pg_get_function_sqlbody(oid) FROM pg_proc

-- name: a built-in as a column
-- shows: rows
SELECT a.to_jsonb FROM pg_stat_activity a

-- name: a built-in as a column, in parentheses
-- shows: done
SELECT (m).row_to_json FROM pg_user_mapping m

-- name: an aggregate as a column
-- shows: rows
SELECT m.json_agg FROM pg_user_mapping m

-- name: another aggregate as a column
-- shows: rows
SELECT m.array_agg FROM pg_user_mapping m

-- name: an output function as a column
-- shows: done
SELECT a.record_out FROM pg_user_mapping a

-- name: a variadic as a column
-- shows: done
SELECT m.num_nulls, m.concat FROM pg_user_mapping m

-- name: every row of users as a column
-- needs: select
SELECT c.to_json FROM customers c
