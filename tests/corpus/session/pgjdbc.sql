-- pgjdbc 42.5.5 (Debian 12): what connecting, transactions, savepoints and connection settings send.

-- name: connect
SET extra_float_digits = 3

-- name: connect (2)
SET application_name = 'corpus'

-- name: setTransactionIsolation
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ

-- name: setTransactionIsolation read committed
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED

-- name: setSchema
SET SESSION search_path TO 'public'

-- name: setClientInfo
SET application_name = 'other'

-- name: transaction with savepoint
BEGIN

-- name: transaction with savepoint (2)
SAVEPOINT "sp"

-- name: transaction with savepoint (3)
ROLLBACK TO SAVEPOINT "sp"

-- name: transaction with savepoint (4)
SAVEPOINT JDBC_SAVEPOINT_0

-- name: transaction with savepoint (5)
RELEASE SAVEPOINT JDBC_SAVEPOINT_0

-- name: transaction with savepoint (6)
COMMIT

-- name: transaction with savepoint (7)
ROLLBACK

-- name: connect with schema and read only
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY

-- name: connect with schema and read only (2)
SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE

-- name: connect with schema and read only (3)
BEGIN READ ONLY

-- name: connect to a primary
SET application_name = 'PostgreSQL JDBC Driver'
