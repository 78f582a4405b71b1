-- asyncpg 0.32, psycopg 3.3 and psycopg2 2.9: what the recording session itself read and wrote.

-- name: asyncpg
-- needs: select
SELECT id, status, address, tags, profile FROM customers WHERE id = $1

-- name: asyncpg (2)
-- needs: info
                    SELECT
                        current_setting('jit') AS cur,
                        set_config('jit', 'off', false) AS new

-- name: asyncpg (3)
-- needs: info
                SELECT
                    set_config('jit', $1, false)

-- name: asyncpg (4)
-- needs: select
SELECT during FROM visits LIMIT 1

-- name: asyncpg (5)
-- needs: info
SELECT 1

-- name: asyncpg (6)
-- needs: select
SELECT id FROM orders

-- name: asyncpg (7)
-- needs: select
SELECT "what" FROM "audit_notes" LIMIT 1

-- name: asyncpg (8)
-- needs: dml
COPY "audit_notes"("what") FROM STDIN (FORMAT binary)

-- name: asyncpg (9)
-- needs: dml
INSERT INTO audit_notes (what) VALUES ($1)

-- name: asyncpg (10)
-- needs: info
SELECT pg_advisory_unlock_all();
CLOSE ALL;
UNLISTEN *;
RESET ALL;

-- name: psycopg 3
-- needs: dml
COPY audit_notes (what) FROM STDIN

-- name: psycopg 3 (2)
-- needs: select,export
COPY (SELECT id, name FROM customers) TO STDOUT (FORMAT BINARY)

-- name: psycopg2
-- needs: dml
INSERT INTO audit_notes (what) VALUES ('a'),('b')
