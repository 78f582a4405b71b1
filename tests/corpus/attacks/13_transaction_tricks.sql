-- Class 13: opening the wall from inside. Own texts; valid on PostgreSQL 15. The settings themselves may be
-- answered; what must not pass under select is the write that follows.

-- name: begin read write
-- needs: dml
BEGIN READ WRITE; DELETE FROM jobs

-- name: start transaction read write
-- needs: dml
START TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE; DELETE FROM jobs; COMMIT

-- name: set transaction read write
-- needs: dml
BEGIN; SET TRANSACTION READ WRITE; DELETE FROM jobs

-- name: session characteristics
-- needs: dml
SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; DELETE FROM jobs

-- name: default read only off
-- needs: dml
SET default_transaction_read_only = off; DELETE FROM jobs

-- name: default read only off, local and quoted
-- needs: dml
BEGIN; SET LOCAL "transaction_read_only" TO 'off'; DELETE FROM jobs

-- name: default read only off by function
-- needs: dml
SELECT set_config('default_transaction_read_only', 'off', false); DELETE FROM jobs

-- name: reset of the default
-- needs: dml
RESET default_transaction_read_only; DELETE FROM jobs

-- name: reset all
-- needs: dml
RESET ALL; DELETE FROM jobs

-- name: discard all
-- needs: dml
-- shows: error 25001
DISCARD ALL; DELETE FROM jobs

-- name: commit and chain
-- needs: dml
-- shows: done
BEGIN READ WRITE; COMMIT AND CHAIN; DELETE FROM jobs

-- name: rollback and chain
-- needs: dml
-- shows: done
BEGIN READ WRITE; ROLLBACK AND CHAIN; DELETE FROM jobs

-- name: commit first
-- needs: dml
-- shows: done
COMMIT; BEGIN; DELETE FROM jobs

-- name: abort first
-- needs: dml
ABORT; DELETE FROM jobs

-- name: savepoint and back
-- needs: dml
-- shows: done
BEGIN; SAVEPOINT a; SET TRANSACTION READ WRITE; ROLLBACK TO a; DELETE FROM jobs

-- name: through the settings view
-- shows: rows
UPDATE pg_settings SET setting = 'off' WHERE name = 'transaction_read_only'

-- name: through a database's settings
ALTER DATABASE shop SET default_transaction_read_only TO off

-- name: import of a snapshot and a write
-- needs: dml
BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE; DELETE FROM jobs
