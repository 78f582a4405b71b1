-- pgjdbc 42.5.5 (Debian 12): generated keys, batches, updatable result sets, escapes.

-- name: ResultSetMetaData
-- needs: select
SELECT id, name, email FROM customers LIMIT 1

-- name: type look-ups
-- needs: select
SELECT status, address, tags FROM customers LIMIT 1

-- name: updatable result set
-- needs: select
SELECT id, name FROM customers WHERE id = 1

-- name: updatable result set (2)
-- needs: dml
UPDATE customers SET  "name" = $1 WHERE "id" = $2

-- name: generated keys
-- needs: dml,select
INSERT INTO audit_notes (what) VALUES ($1)
RETURNING *

-- name: batch
-- needs: dml
INSERT INTO audit_notes (what) VALUES ($1)

-- name: transaction with savepoint
-- needs: info
SELECT 1

-- name: transaction with savepoint (2)
-- needs: select
SELECT * FROM customers

-- name: call
-- needs: info
select * from upper($1, $2 ) as result

-- name: escapes
-- needs: info
SELECT ('a'||'b'), DATE '2024-01-01', TIMESTAMP '2024-01-01 10:00:00', now()

-- name: connect preferring simple queries
-- needs: select
SELECT * FROM customers WHERE id = ('1'::int8) AND name = ('it''s')
