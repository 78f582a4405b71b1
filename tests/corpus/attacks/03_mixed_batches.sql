-- Class 3: mixed batches. One simple Query each; the whole is refused if any part is. Valid on
-- PostgreSQL 15, but for the payload that psql would have sent apart.

-- name: select then drop
-- needs: ddl
SELECT 1; DROP TABLE jobs

-- name: drop first
-- needs: ddl
DROP TABLE jobs; SELECT 1

-- name: many empty statements
-- needs: dml
;;; SELECT 1;; DELETE FROM jobs;;;

-- name: newline after copy from stdin
-- needs: ddl
COPY audit_notes (what) FROM STDIN;
DROP TABLE jobs

-- name: payload-looking text after copy
-- needs: ddl
-- shows: error 42601
COPY audit_notes (what) FROM STDIN;
a
\.
DROP TABLE jobs;

-- name: semicolon in a dollar quote, then a real one
-- needs: dml
SELECT $a$;$a$; DELETE FROM jobs

-- name: semicolon after a comment with a quote in it
-- needs: dml
SELECT 1 -- it's
; DELETE FROM jobs

-- name: begin, write, commit
-- needs: dml
BEGIN; UPDATE customers SET name = name; COMMIT

-- name: set and select and write
-- needs: dml
SET search_path = public; SELECT 1; INSERT INTO audit_notes (what) VALUES ('x')

-- name: explain and its analyze twin
-- needs: dml
EXPLAIN DELETE FROM jobs; EXPLAIN ANALYZE DELETE FROM jobs

-- name: read then grant
SELECT 1; GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC

-- name: hidden behind a hundred reads
-- needs: dml
SELECT 1;SELECT 2;SELECT 3;SELECT 4;SELECT 5;SELECT 6;SELECT 7;SELECT 8;SELECT 9;SELECT 10;SELECT 11;SELECT 12;SELECT 13;SELECT 14;SELECT 15;SELECT 16;DELETE FROM jobs;SELECT 17;SELECT 18

-- name: prepare with a write behind it
-- needs: dml
PREPARE a AS SELECT 1; PREPARE b AS DELETE FROM jobs; EXECUTE b

-- name: capped read and commit
-- needs: dml
BEGIN; SELECT * FROM orders; UPDATE orders SET note = 'x' WHERE id = 1; COMMIT

-- name: begin atomic body is one statement
CREATE FUNCTION two() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT two()

-- name: rule with several actions is one statement
CREATE RULE r AS ON INSERT TO jobs DO ALSO (DELETE FROM jobs; SELECT 1); SELECT 1
