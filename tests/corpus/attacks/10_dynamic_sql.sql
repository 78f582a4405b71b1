-- Class 10: text that the server runs as SQL where no parser sees it. Own texts. Valid on PostgreSQL 15.

-- name: dynamic sql to xml
-- shows: error 0A000
SELECT query_to_xml('DELETE FROM jobs RETURNING 1', true, false, '')

-- name: dynamic sql to xml schema
-- shows: rows
SELECT query_to_xmlschema('SELECT 1', true, false, '')

-- name: dynamic sql, both
-- shows: rows
SELECT query_to_xml_and_xmlschema('SELECT * FROM customers', true, false, '')

-- name: a table by name to xml
-- shows: rows
SELECT table_to_xml('customers', true, false, '')

-- name: a schema to xml
SELECT schema_to_xml('public', true, false, '')

-- name: the database to xml
SELECT database_to_xml(true, false, '')

-- name: a cursor to xml
-- shows: rows
BEGIN; DECLARE c CURSOR FOR SELECT * FROM customers; SELECT cursor_to_xml('c', 10, true, false, '')

-- name: dynamic sql in text search statistics
-- shows: rows
SELECT * FROM ts_stat('SELECT tsv FROM documents')

-- name: dynamic sql in text search rewriting
-- shows: rows
SELECT ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, ''b''::tsquery')

-- name: dynamic sql over a link
-- shows: error 2F003
SELECT * FROM dblink('dbname=shop', 'DELETE FROM jobs') AS t(a int)

-- name: dynamic sql in a crosstab
-- shows: rows
SELECT * FROM crosstab('SELECT 1, 2, 3') AS t(a int, b int)
