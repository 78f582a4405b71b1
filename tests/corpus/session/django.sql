-- Django 5.2 over psycopg 3: connection set-up, atomic blocks, savepoints, server-side cursors, on the wire.

-- name: migrate
BEGIN

-- name: migrate (2)
COMMIT

-- name: orm
SAVEPOINT "s140299150527360_x1"

-- name: orm (2)
RELEASE SAVEPOINT "s140299150527360_x1"

-- name: orm (3)
SAVEPOINT "s140299150527360_x2"

-- name: orm (4)
RELEASE SAVEPOINT "s140299150527360_x2"

-- name: orm (5)
SAVEPOINT "s140299150527360_x3"

-- name: orm (6)
RELEASE SAVEPOINT "s140299150527360_x3"

-- name: orm (7)
-- needs: select
DECLARE "_django_curs_140299150527360_sync_1" NO SCROLL CURSOR FOR SELECT "lib_app_book"."id", "lib_app_book"."title", "lib_app_book"."author_id", "lib_app_book"."price", "lib_app_book"."tags", "lib_app_book"."sold" FROM "lib_app_book"

-- name: orm (8)
-- needs: select
FETCH FORWARD 10 FROM "_django_curs_140299150527360_sync_1"

-- name: orm (9)
CLOSE "_django_curs_140299150527360_sync_1"

-- name: orm (10)
SAVEPOINT "s140299150527360_x4"

-- name: orm (11)
ROLLBACK TO SAVEPOINT "s140299150527360_x4"

-- name: migrate more
-- needs: ddl
SET CONSTRAINTS "lib_app_book_author_id_d4d940a1_fk_lib_app_author_id" IMMEDIATE; ALTER TABLE "lib_app_book" DROP CONSTRAINT "lib_app_book_author_id_d4d940a1_fk_lib_app_author_id"

-- name: migrate more (2)
SAVEPOINT "s140299150527360_x5"

-- name: migrate more (3)
RELEASE SAVEPOINT "s140299150527360_x5"
