-- SQLAlchemy 2.1 and Alembic 1.20 over psycopg 3: transactions and savepoints, on the wire.

-- name: reflection
BEGIN

-- name: reflection (2)
-- needs: info
show transaction isolation level

-- name: reflection (3)
-- needs: info
show standard_conforming_strings

-- name: reflection (4)
SAVEPOINT "_pg3_1"

-- name: reflection (5)
RELEASE "_pg3_1"

-- name: reflection (6)
ROLLBACK

-- name: create_all
COMMIT

-- name: orm
SAVEPOINT sa_savepoint_1

-- name: orm (2)
RELEASE SAVEPOINT sa_savepoint_1

-- name: drop_all
DEALLOCATE ALL

-- name: alembic upgrade head
BEGIN ISOLATION LEVEL READ COMMITTED
