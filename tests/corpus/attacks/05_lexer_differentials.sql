-- Class 5: text that two lexers read differently. Own texts; how PostgreSQL reads each is in its name. Where a
-- carriage return matters, E'\r' can't stand in a file: the tests make those texts themselves. PostgreSQL 15 refuses
-- numbers and parameters with letters behind them, 13 and 14 do not.

-- name: a dollar quote is no quote after a letter
-- needs: dml
SELECT a$b$ FROM (SELECT 1 AS a$b$) x; DELETE FROM jobs; SELECT 2 AS c$b$

-- name: minus minus one is a comment
-- needs: dml
SELECT 1 --1
; DELETE FROM jobs

-- name: a string continues over a newline
-- needs: dml
SELECT 'a'
'b; DELETE FROM jobs; --'; DELETE FROM jobs

-- name: a backslash ends nothing in a plain string
-- needs: dml
SELECT 'a\'; DELETE FROM jobs; --'

-- name: a backslash hides the quote in an escape string
-- needs: dml
SELECT E'a\'; SELECT 1; --'; DELETE FROM jobs; --'

-- name: unicode identifier
-- needs: select
SELECT U&"em\0061il" FROM customers

-- name: unicode identifier with another escape
-- needs: select
SELECT U&"em!0061il" UESCAPE '!' FROM customers

-- name: unicode string
-- needs: dml
SELECT U&'\0027'; DELETE FROM jobs; --'

-- name: nested comments
-- needs: dml
SELECT /* a /* b */ c */ 1; DELETE FROM jobs /* */

-- name: a comment opened inside an operator
-- needs: dml
SELECT 1 +/* */ 2; DELETE FROM jobs

-- name: an operator that looks like a comment
-- needs: select
SELECT id */* x */ 2 FROM orders

-- name: nested dollar quotes
-- needs: dml
SELECT $a$ $b$ $a$; DELETE FROM jobs; SELECT $c$ $b$ $c$

-- name: dollar quote with a unicode tag
-- needs: dml
SELECT $é$ ; $é$; DELETE FROM jobs

-- name: quoted identifier with a doubled quote
-- needs: dml
SELECT 1 AS "a"";b"; DELETE FROM jobs

-- name: parameter next to a keyword
-- needs: select
-- shows: error 42601
SELECT id FROM orders WHERE id = $1AND total > 0

-- name: numbers with letters behind
-- needs: select
-- shows: error 42601
SELECT 1id FROM orders

-- name: non-breaking space is an identifier
-- needs: dml
SELECT 1 AS x; DELETE FROM jobs

-- name: bit and hexadecimal strings
-- needs: dml
SELECT B'1', X'f', N'a;'; DELETE FROM jobs

-- name: line comment ended by the end
-- needs: dml
DELETE FROM jobs -- SELECT

-- name: keyword in pieces
-- needs: dml
DELETE/**/FROM/**/jobs

-- name: case and quotes
-- needs: dml
dElEtE fRoM "jobs"
