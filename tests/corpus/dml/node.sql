-- Knex 3, Sequelize 6 and TypeORM over node-postgres 8: their ORMs, on the wire.

-- name: knex
-- needs: info
select version();

-- name: knex (2)
-- needs: dml,select
insert into "kauthor" ("meta", "name") values ($1, $2) returning *

-- name: knex (3)
-- needs: dml
insert into "kauthor" ("name") values ($1), ($2)

-- name: knex (4)
-- needs: dml
insert into "kauthor" ("name") values ($1) on conflict ("name") do update set "name" = excluded."name"

-- name: knex (5)
-- needs: dml
insert into "kauthor" ("name") values ($1) on conflict ("name") do nothing

-- name: knex (6)
-- needs: dml
insert into "kbook" ("author_id", "price") values ($1, $2)

-- name: knex (7)
-- needs: select
select * from "kauthor" where "name" like $1 or ("id" = $2) limit $3

-- name: knex (8)
-- needs: select
select count("kbook"."id") as "n", "kauthor"."name" from "kauthor" left join "kbook" on "kauthor"."id" = "kbook"."author_id" group by "kauthor"."id" having count(kbook.id) > $1 order by "n" desc limit $2

-- name: knex (9)
-- needs: dml
update "kbook" set "price" = price + 1 where "price" < $1

-- name: knex (10)
-- needs: dml
update "kbook" set "price" = "price" + $1

-- name: knex (11)
-- needs: dml,select
select * from "kauthor" where "id" = $1 for update skip locked

-- name: knex (12)
-- needs: dml
insert into "kauthor" ("name") values ($1)

-- name: knex (13)
-- needs: select
with "x" as (select "id" from "kauthor") select * from "x" where "id" in (select "author_id" from "kbook")

-- name: knex (14)
-- needs: dml
delete from "kbook"

-- name: knex (15)
-- needs: select
select * from "knex_migrations_lock"

-- name: knex (16)
-- needs: dml
insert into "knex_migrations_lock" ("is_locked") values ($1)

-- name: knex (17)
-- needs: select
select "name" from "knex_migrations" order by "id" asc

-- name: knex (18)
-- needs: dml
update "knex_migrations_lock" set "is_locked" = $1 where "is_locked" = $2

-- name: knex (19)
-- needs: select
select max("batch") as "max_batch" from "knex_migrations"

-- name: knex (20)
-- needs: dml
insert into "knex_migrations" ("batch", "migration_time", "name") values ($1, $2, $3)

-- name: knex (21)
-- needs: dml
update "knex_migrations_lock" set "is_locked" = $1

-- name: knex (22)
-- needs: select
select * from "knex_migrations" where "batch" = (select max("batch") from "knex_migrations") order by "id" desc

-- name: knex (23)
-- needs: dml
delete from "knex_migrations" where "name" = $1

-- name: sequelize
-- needs: info
SELECT 1+1 AS result

-- name: sequelize (2)
-- needs: dml,select
INSERT INTO "SAuthors" ("id","name","meta","createdAt","updatedAt") VALUES (DEFAULT,$1,$2,$3,$4) RETURNING "id","name","meta","kind","createdAt","updatedAt";

-- name: sequelize (3)
-- needs: dml,select
INSERT INTO "SBooks" ("id","title","price","createdAt","updatedAt","SAuthorId") VALUES (DEFAULT,'a',1,'2026-11-23 19:30:18.615 +00:00','2026-11-23 19:30:18.615 +00:00',1),(DEFAULT,'b',2,'2026-11-23 19:30:18.615 +00:00','2026-11-23 19:30:18.615 +00:00',NULL) ON CONFLICT ("id") DO UPDATE SET "title"=EXCLUDED."title" RETURNING "id","title","price","createdAt","updatedAt","SAuthorId";

-- name: sequelize (4)
-- needs: select
SELECT "SAuthor".*, "SBooks"."id" AS "SBooks.id", "SBooks"."title" AS "SBooks.title", "SBooks"."price" AS "SBooks.price", "SBooks"."createdAt" AS "SBooks.createdAt", "SBooks"."updatedAt" AS "SBooks.updatedAt", "SBooks"."SAuthorId" AS "SBooks.SAuthorId" FROM (SELECT "SAuthor"."id", "SAuthor"."name", "SAuthor"."meta", "SAuthor"."kind", "SAuthor"."createdAt", "SAuthor"."updatedAt" FROM "SAuthors" AS "SAuthor" WHERE "SAuthor"."name" ILIKE 'a%' ORDER BY "SAuthor"."id" DESC LIMIT 2 OFFSET 0) AS "SAuthor" LEFT OUTER JOIN "SBooks" AS "SBooks" ON "SAuthor"."id" = "SBooks"."SAuthorId" ORDER BY "SAuthor"."id" DESC;

-- name: sequelize (5)
-- needs: select
SELECT "id", "name", "meta", "kind", "createdAt", "updatedAt" FROM "SAuthors" AS "SAuthor" WHERE "SAuthor"."name" = 'Z';

-- name: sequelize (6)
-- needs: dml,select
INSERT INTO "SAuthors" ("name","meta","createdAt","updatedAt") VALUES ($1,$2,$3,$4) ON CONFLICT ("name") DO UPDATE SET "name"=EXCLUDED."name","meta"=EXCLUDED."meta","updatedAt"=EXCLUDED."updatedAt" RETURNING "id","name","meta","kind","createdAt","updatedAt";

-- name: sequelize (7)
-- needs: dml
UPDATE "SBooks" SET "price"=$1,"updatedAt"=$2 WHERE "price" < 2

-- name: sequelize (8)
-- needs: select
SELECT count(*) AS "count" FROM "SBooks" AS "SBook" WHERE "SBook"."price" BETWEEN 1 AND 5;

-- name: sequelize (9)
-- needs: select
SELECT "id", "title", "price", "createdAt", "updatedAt", "SAuthorId" FROM "SBooks" AS "SBook" WHERE "SBook"."price" BETWEEN 1 AND 5;

-- name: sequelize (10)
-- needs: select
SELECT sum("price") AS "sum" FROM "SBooks" AS "SBook";

-- name: sequelize (11)
-- needs: select
SELECT date_trunc('day', "createdAt") AS "d", count('*') AS "c" FROM "SBooks" AS "SBook" GROUP BY "d";

-- name: sequelize (12)
-- needs: dml,select
UPDATE "SAuthors" SET "id"="id"+ 0,"updatedAt"='2026-11-23 19:30:18.650 +00:00' WHERE "id" = 1 RETURNING *

-- name: sequelize (13)
-- needs: select
SELECT "id", "name", "meta", "kind", "createdAt", "updatedAt" FROM "SAuthors" AS "SAuthor" WHERE CAST(("SAuthor"."meta"#>>'{q}') AS DOUBLE PRECISION) = 1;

-- name: sequelize (14)
-- needs: dml,select
SELECT "id", "name", "meta", "kind", "createdAt", "updatedAt" FROM "SAuthors" AS "SAuthor" WHERE "SAuthor"."id" = 1 FOR UPDATE SKIP LOCKED;

-- name: sequelize (15)
-- needs: select
SELECT count(*) AS "count" FROM "SAuthors" AS "SAuthor";

-- name: sequelize (16)
-- needs: dml
DELETE FROM "SBooks" WHERE "id" = 1

-- name: typeorm
-- needs: info
SELECT version()

-- name: typeorm (2)
-- needs: info
SELECT * FROM current_schema()

-- name: typeorm (3)
-- needs: info
SELECT * FROM current_database()

-- name: typeorm (4)
-- needs: dml,select
INSERT INTO "t_author"("name", "meta", "kind") VALUES ($1, DEFAULT, DEFAULT) RETURNING "id", "kind"

-- name: typeorm (5)
-- needs: dml,select
INSERT INTO "t_book"("id", "title", "v", "authorId") VALUES (DEFAULT, $1, 1, $2), (DEFAULT, $3, 1, $4) RETURNING "id", "v"

-- name: typeorm (6)
-- needs: select
SELECT DISTINCT "distinctAlias"."TAuthor_id" AS "ids_TAuthor_id" FROM (SELECT "TAuthor"."id" AS "TAuthor_id", "TAuthor"."name" AS "TAuthor_name", "TAuthor"."meta" AS "TAuthor_meta", "TAuthor"."kind" AS "TAuthor_kind", "TAuthor__TAuthor_books"."id" AS "TAuthor__TAuthor_books_id", "TAuthor__TAuthor_books"."title" AS "TAuthor__TAuthor_books_title", "TAuthor__TAuthor_books"."v" AS "TAuthor__TAuthor_books_v", "TAuthor__TAuthor_books"."authorId" AS "TAuthor__TAuthor_books_authorId" FROM "t_author" "TAuthor" LEFT JOIN "t_book" "TAuthor__TAuthor_books" ON "TAuthor__TAuthor_books"."authorId"="TAuthor"."id" WHERE (("TAuthor"."name" = $1))) "distinctAlias" ORDER BY "TAuthor_id" ASC LIMIT 2

-- name: typeorm (7)
-- needs: select
SELECT "TAuthor"."id" AS "TAuthor_id", "TAuthor"."name" AS "TAuthor_name", "TAuthor"."meta" AS "TAuthor_meta", "TAuthor"."kind" AS "TAuthor_kind", "TAuthor__TAuthor_books"."id" AS "TAuthor__TAuthor_books_id", "TAuthor__TAuthor_books"."title" AS "TAuthor__TAuthor_books_title", "TAuthor__TAuthor_books"."v" AS "TAuthor__TAuthor_books_v", "TAuthor__TAuthor_books"."authorId" AS "TAuthor__TAuthor_books_authorId" FROM "t_author" "TAuthor" LEFT JOIN "t_book" "TAuthor__TAuthor_books" ON "TAuthor__TAuthor_books"."authorId"="TAuthor"."id" WHERE ( (("TAuthor"."name" = $1)) ) AND ( "TAuthor"."id" IN (1) )

-- name: typeorm (8)
-- needs: dml,select
INSERT INTO "t_author"("name", "meta", "kind") VALUES ($1, DEFAULT, DEFAULT) ON CONFLICT ( "name" ) DO UPDATE SET "name" = EXCLUDED."name" RETURNING "id", "kind"

-- name: typeorm (9)
-- needs: select
SELECT "a"."id" AS "a_id", "a"."name" AS "a_name", "a"."meta" AS "a_meta", "a"."kind" AS "a_kind", "b"."id" AS "b_id", "b"."title" AS "b_title", "b"."v" AS "b_v", "b"."authorId" AS "b_authorId" FROM "t_author" "a" LEFT JOIN "t_book" "b" ON "b"."authorId"="a"."id" WHERE "b"."title" = $1

-- name: typeorm (10)
-- needs: dml,select
SELECT "b"."id" AS "b_id", "b"."title" AS "b_title", "b"."v" AS "b_v", "b"."authorId" AS "b_authorId" FROM "t_book" "b" FOR UPDATE

-- name: typeorm (11)
-- needs: dml
UPDATE "t_author" SET "name" = $1 WHERE "id" = $2

-- name: typeorm (12)
-- needs: dml
DELETE FROM "t_author" WHERE "id" = $1
