-- asyncpg 0.32, psycopg 3.3 and psycopg2 2.9: transactions, savepoints, resets, cursors. Recorded on the wire.

-- name: asyncpg
BEGIN;

-- name: asyncpg (2)
SAVEPOINT __asyncpg_savepoint_7__;

-- name: asyncpg (3)
RELEASE SAVEPOINT __asyncpg_savepoint_7__;

-- name: asyncpg (4)
COMMIT;

-- name: asyncpg (5)
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;

-- name: asyncpg (6)
-- needs: select
LISTEN "ch"

-- name: psycopg 3
BEGIN

-- name: psycopg 3 (2)
COMMIT

-- name: psycopg 3 (3)
SAVEPOINT "_pg3_1"

-- name: psycopg 3 (4)
SAVEPOINT "_pg3_2"

-- name: psycopg 3 (5)
RELEASE "_pg3_2"

-- name: psycopg 3 (6)
RELEASE "_pg3_1"

-- name: psycopg 3 (7)
-- needs: select
DECLARE "named" CURSOR FOR SELECT id FROM customers

-- name: psycopg 3 (8)
-- needs: select
FETCH FORWARD 5 FROM "named"

-- name: psycopg 3 (9)
CLOSE "named"

-- name: psycopg 3 (10)
ROLLBACK

-- name: psycopg 3 (11)
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY

-- name: psycopg2
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY

-- name: psycopg2 (2)
BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE

-- name: psycopg2 (3)
-- needs: select
DECLARE "srv" CURSOR WITHOUT HOLD FOR SELECT 1

-- name: psycopg2 (4)
-- needs: select
FETCH FORWARD ALL FROM "srv"

-- name: psycopg2 (5)
CLOSE "srv"
