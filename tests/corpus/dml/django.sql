-- Django 5.2 over psycopg 3: the ORM, on the wire. Tables lib_app_author and lib_app_book.

-- name: migrate
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('contenttypes', '0001_initial', '2026-11-23 19:29:11.933854+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate (2)
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('contenttypes', '0002_remove_content_type_name', '2026-11-23 19:29:11.939916+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate (3)
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('auth', '0001_initial', '2026-11-23 19:29:11.969501+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate (4)
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('auth', '0002_alter_permission_name_max_length', '2026-11-23 19:29:11.975037+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate (5)
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('auth', '0003_alter_user_email_max_length', '2026-11-23 19:29:11.980434+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate (6)
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('auth', '0004_alter_user_username_opts', '2026-11-23 19:29:11.984493+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate (7)
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('auth', '0005_alter_user_last_login_null', '2026-11-23 19:29:11.989297+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate (8)
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('auth', '0006_require_contenttypes_0002', '2026-11-23 19:29:11.990281+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate (9)
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('auth', '0007_alter_validators_add_error_messages', '2026-11-23 19:29:11.994412+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate (10)
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('auth', '0008_alter_user_username_max_length', '2026-11-23 19:29:12.001353+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate (11)
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('auth', '0009_alter_user_last_name_max_length', '2026-11-23 19:29:12.007934+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate (12)
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('auth', '0010_alter_group_name_max_length', '2026-11-23 19:29:12.013596+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate (13)
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('auth', '0011_update_proxy_permissions', '2026-11-23 19:29:12.017484+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate (14)
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('auth', '0012_alter_user_first_name_max_length', '2026-11-23 19:29:12.022836+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate (15)
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('lib_app', '0001_initial', '2026-11-23 19:29:12.035032+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate (16)
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('sessions', '0001_initial', '2026-11-23 19:29:12.039573+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate (17)
-- needs: select
SELECT "django_migrations"."id", "django_migrations"."app", "django_migrations"."name", "django_migrations"."applied" FROM "django_migrations"

-- name: migrate (18)
-- needs: select
SELECT "django_content_type"."id", "django_content_type"."app_label", "django_content_type"."model" FROM "django_content_type" WHERE "django_content_type"."app_label" = 'contenttypes'

-- name: migrate (19)
-- needs: dml,select
INSERT INTO "django_content_type" ("app_label", "model") VALUES ('contenttypes', 'contenttype') RETURNING "django_content_type"."id"

-- name: migrate (20)
-- needs: select
SELECT "django_content_type"."id", "django_content_type"."app_label", "django_content_type"."model" FROM "django_content_type" WHERE ("django_content_type"."app_label" = 'contenttypes' AND "django_content_type"."model" IN ('contenttype'))

-- name: migrate (21)
-- needs: select
SELECT "auth_permission"."content_type_id" AS "content_type", "auth_permission"."codename" AS "codename" FROM "auth_permission" INNER JOIN "django_content_type" ON ("auth_permission"."content_type_id" = "django_content_type"."id") WHERE "auth_permission"."content_type_id" IN (1) ORDER BY "django_content_type"."app_label" ASC, "django_content_type"."model" ASC, 2 ASC

-- name: migrate (22)
-- needs: dml,select
INSERT INTO "auth_permission" ("name", "content_type_id", "codename") SELECT * FROM UNNEST(('{"Can add content type","Can change content type","Can delete content type","Can view content type"}')::varchar[], ('{1,1,1,1}'::int2[])::integer[], ('{add_contenttype,change_contenttype,delete_contenttype,view_contenttype}')::varchar[]) RETURNING "auth_permission"."id"

-- name: migrate (23)
-- needs: select
SELECT "django_content_type"."id", "django_content_type"."app_label", "django_content_type"."model" FROM "django_content_type" WHERE "django_content_type"."app_label" = 'auth'

-- name: migrate (24)
-- needs: dml,select
INSERT INTO "django_content_type" ("app_label", "model") SELECT * FROM UNNEST(('{auth,auth,auth}')::varchar[], ('{permission,group,user}')::varchar[]) RETURNING "django_content_type"."id"

-- name: migrate (25)
-- needs: select
SELECT "django_content_type"."id", "django_content_type"."app_label", "django_content_type"."model" FROM "django_content_type" WHERE ("django_content_type"."app_label" = 'auth' AND "django_content_type"."model" IN ('group', 'permission', 'user'))

-- name: migrate (26)
-- needs: select
SELECT "auth_permission"."content_type_id" AS "content_type", "auth_permission"."codename" AS "codename" FROM "auth_permission" INNER JOIN "django_content_type" ON ("auth_permission"."content_type_id" = "django_content_type"."id") WHERE "auth_permission"."content_type_id" IN (2, 3, 4) ORDER BY "django_content_type"."app_label" ASC, "django_content_type"."model" ASC, 2 ASC

-- name: migrate (27)
-- needs: dml,select
INSERT INTO "auth_permission" ("name", "content_type_id", "codename") SELECT * FROM UNNEST(('{"Can add permission","Can change permission","Can delete permission","Can view permission","Can add group","Can change group","Can delete group","Can view group","Can add user","Can change user","Can delete user","Can view user"}')::varchar[], ('{2,2,2,2,3,3,3,3,4,4,4,4}'::int2[])::integer[], ('{add_permission,change_permission,delete_permission,view_permission,add_group,change_group,delete_group,view_group,add_user,change_user,delete_user,view_user}')::varchar[]) RETURNING "auth_permission"."id"

-- name: migrate (28)
-- needs: select
SELECT "django_content_type"."id", "django_content_type"."app_label", "django_content_type"."model" FROM "django_content_type" WHERE "django_content_type"."app_label" = 'sessions'

-- name: migrate (29)
-- needs: dml,select
INSERT INTO "django_content_type" ("app_label", "model") VALUES ('sessions', 'session') RETURNING "django_content_type"."id"

-- name: migrate (30)
-- needs: select
SELECT "django_content_type"."id", "django_content_type"."app_label", "django_content_type"."model" FROM "django_content_type" WHERE ("django_content_type"."app_label" = 'sessions' AND "django_content_type"."model" IN ('session'))

-- name: migrate (31)
-- needs: select
SELECT "auth_permission"."content_type_id" AS "content_type", "auth_permission"."codename" AS "codename" FROM "auth_permission" INNER JOIN "django_content_type" ON ("auth_permission"."content_type_id" = "django_content_type"."id") WHERE "auth_permission"."content_type_id" IN (5) ORDER BY "django_content_type"."app_label" ASC, "django_content_type"."model" ASC, 2 ASC

-- name: migrate (32)
-- needs: dml,select
INSERT INTO "auth_permission" ("name", "content_type_id", "codename") SELECT * FROM UNNEST(('{"Can add session","Can change session","Can delete session","Can view session"}')::varchar[], ('{5,5,5,5}'::int2[])::integer[], ('{add_session,change_session,delete_session,view_session}')::varchar[]) RETURNING "auth_permission"."id"

-- name: migrate (33)
-- needs: select
SELECT "django_content_type"."id", "django_content_type"."app_label", "django_content_type"."model" FROM "django_content_type" WHERE "django_content_type"."app_label" = 'lib_app'

-- name: migrate (34)
-- needs: dml,select
INSERT INTO "django_content_type" ("app_label", "model") SELECT * FROM UNNEST(('{lib_app,lib_app}')::varchar[], ('{author,book}')::varchar[]) RETURNING "django_content_type"."id"

-- name: migrate (35)
-- needs: select
SELECT "django_content_type"."id", "django_content_type"."app_label", "django_content_type"."model" FROM "django_content_type" WHERE ("django_content_type"."app_label" = 'lib_app' AND "django_content_type"."model" IN ('book', 'author'))

-- name: migrate (36)
-- needs: select
SELECT "auth_permission"."content_type_id" AS "content_type", "auth_permission"."codename" AS "codename" FROM "auth_permission" INNER JOIN "django_content_type" ON ("auth_permission"."content_type_id" = "django_content_type"."id") WHERE "auth_permission"."content_type_id" IN (6, 7) ORDER BY "django_content_type"."app_label" ASC, "django_content_type"."model" ASC, 2 ASC

-- name: migrate (37)
-- needs: dml,select
INSERT INTO "auth_permission" ("name", "content_type_id", "codename") SELECT * FROM UNNEST(('{"Can add author","Can change author","Can delete author","Can view author","Can add book","Can change book","Can delete book","Can view book"}')::varchar[], ('{6,6,6,6,7,7,7,7}'::int2[])::integer[], ('{add_author,change_author,delete_author,view_author,add_book,change_book,delete_book,view_book}')::varchar[]) RETURNING "auth_permission"."id"

-- name: orm
-- needs: info
SELECT set_config('TimeZone', 'UTC', false)

-- name: orm (2)
-- needs: dml,select
INSERT INTO "lib_app_author" ("name", "meta") VALUES ('Ann', '{"x": 1}'::jsonb) RETURNING "lib_app_author"."id"

-- name: orm (3)
-- needs: dml,select
INSERT INTO "lib_app_author" ("name", "meta") SELECT * FROM UNNEST(('{B0,B1,B2}')::varchar[], ('{"{}","{}","{}"}'::jsonb[])::jsonb[]) RETURNING "lib_app_author"."id"

-- name: orm (4)
-- needs: dml
INSERT INTO "lib_app_book" ("title", "author_id", "price", "tags", "sold") VALUES ('t', 1, 3, '{a}'::text[], NULL) ON CONFLICT DO NOTHING

-- name: orm (5)
-- needs: dml,select
INSERT INTO "lib_app_author" ("name", "meta") VALUES ('Ann', '{"y": 2}'::jsonb) ON CONFLICT("name") DO UPDATE SET "meta" = EXCLUDED."meta" RETURNING "lib_app_author"."id"

-- name: orm (6)
-- needs: select
SELECT "lib_app_book"."id", "lib_app_book"."title", "lib_app_book"."author_id", "lib_app_book"."price", "lib_app_book"."tags", "lib_app_book"."sold" FROM "lib_app_book" WHERE ("lib_app_book"."author_id" = 1 AND "lib_app_book"."title" = 'One') LIMIT 21

-- name: orm (7)
-- needs: dml,select
INSERT INTO "lib_app_book" ("title", "author_id", "price", "tags", "sold") VALUES ('One', 1, 5, '{}'::text[], NULL) RETURNING "lib_app_book"."id"

-- name: orm (8)
-- needs: dml,select
SELECT "lib_app_book"."id", "lib_app_book"."title", "lib_app_book"."author_id", "lib_app_book"."price", "lib_app_book"."tags", "lib_app_book"."sold" FROM "lib_app_book" WHERE ("lib_app_book"."author_id" = 1 AND "lib_app_book"."title" = 'One') LIMIT 21 FOR UPDATE

-- name: orm (9)
-- needs: dml
UPDATE "lib_app_book" SET "price" = 6, "sold" = NULL WHERE "lib_app_book"."id" = 2

-- name: orm (10)
-- needs: dml,select
SELECT "lib_app_book"."id", "lib_app_book"."title", "lib_app_book"."author_id", "lib_app_book"."price", "lib_app_book"."tags", "lib_app_book"."sold" FROM "lib_app_book" WHERE "lib_app_book"."price" > 1 LIMIT 2 FOR UPDATE SKIP LOCKED

-- name: orm (11)
-- needs: dml,select
SELECT "lib_app_book"."id", "lib_app_book"."title", "lib_app_book"."author_id", "lib_app_book"."price", "lib_app_book"."tags", "lib_app_book"."sold", "lib_app_author"."id", "lib_app_author"."name", "lib_app_author"."meta" FROM "lib_app_book" INNER JOIN "lib_app_author" ON ("lib_app_book"."author_id" = "lib_app_author"."id") FOR NO KEY UPDATE OF "lib_app_book"

-- name: orm (12)
-- needs: select
SELECT "lib_app_author"."id", "lib_app_author"."name", "lib_app_author"."meta", COUNT("lib_app_book"."id") AS "n", COALESCE(SUM("lib_app_book"."price"), 0) AS "total" FROM "lib_app_author" LEFT OUTER JOIN "lib_app_book" ON ("lib_app_author"."id" = "lib_app_book"."author_id") GROUP BY "lib_app_author"."id" HAVING COUNT("lib_app_book"."id") > 0 ORDER BY 4 DESC LIMIT 10

-- name: orm (13)
-- needs: select
SELECT "lib_app_book"."id", "lib_app_book"."title", "lib_app_book"."author_id", "lib_app_book"."price", "lib_app_book"."tags", "lib_app_book"."sold" FROM "lib_app_book" WHERE "lib_app_book"."author_id" IN (1)

-- name: orm (14)
-- needs: select
SELECT "lib_app_author"."name" AS "author__name", AVG("lib_app_book"."price") AS "m" FROM "lib_app_book" INNER JOIN "lib_app_author" ON ("lib_app_book"."author_id" = "lib_app_author"."id") GROUP BY 1 HAVING AVG("lib_app_book"."price") > 1

-- name: orm (15)
-- needs: select
SELECT "lib_app_book"."id", "lib_app_book"."title", "lib_app_book"."author_id", "lib_app_book"."price", "lib_app_book"."tags", "lib_app_book"."sold" FROM "lib_app_book" WHERE "lib_app_book"."tags" @> (ARRAY['a'])::text[]

-- name: orm (16)
-- needs: select
SELECT "lib_app_author"."id", "lib_app_author"."name", "lib_app_author"."meta" FROM "lib_app_author" WHERE ("lib_app_author"."meta" -> 'x') = '1'::jsonb

-- name: orm (17)
-- needs: select
SELECT "lib_app_author"."id", "lib_app_author"."name", "lib_app_author"."meta" FROM "lib_app_author" WHERE (UPPER("lib_app_author"."name"::text) LIKE UPPER('%n%') AND NOT (EXISTS(SELECT 1 AS "a" FROM "lib_app_book" U1 WHERE (U1."price" < 2 AND U1."author_id" = ("lib_app_author"."id")) LIMIT 1)))

-- name: orm (18)
-- needs: select
SELECT "lib_app_book"."id", "lib_app_book"."title", "lib_app_book"."author_id", "lib_app_book"."price", "lib_app_book"."tags", "lib_app_book"."sold", ROW_NUMBER() OVER (PARTITION BY "lib_app_book"."author_id" ORDER BY "lib_app_book"."price" DESC) AS "r" FROM "lib_app_book"

-- name: orm (19)
-- needs: select
SELECT DATE_TRUNC('month', "lib_app_book"."sold" AT TIME ZONE 'America/Chicago') AS "mon", COUNT(*) AS "c" FROM "lib_app_book" GROUP BY 1

-- name: orm (20)
-- needs: dml
UPDATE "lib_app_book" SET "price" = ("lib_app_book"."price" + 1) WHERE "lib_app_book"."price" < 10

-- name: orm (21)
-- needs: dml,select
DELETE FROM "lib_app_book" WHERE EXISTS(SELECT 1 AS "a" FROM "lib_app_author" U0 WHERE (U0."name" = 'B1' AND U0."id" = ("lib_app_book"."author_id")) LIMIT 1)

-- name: orm (22)
-- needs: dml
UPDATE "lib_app_author" SET "name" = 'Anne', "meta" = '{"x": 1}'::jsonb WHERE "lib_app_author"."id" = 1

-- name: orm (23)
-- needs: dml
DELETE FROM "lib_app_book" WHERE "lib_app_book"."author_id" IN (1)

-- name: orm (24)
-- needs: dml
DELETE FROM "lib_app_author" WHERE "lib_app_author"."id" IN (1)

-- name: orm (25)
-- needs: select
SELECT 1 AS "a" FROM "lib_app_author" LIMIT 1

-- name: orm (26)
-- needs: select
SELECT COUNT(*) AS "__count" FROM "lib_app_book"

-- name: orm (27)
-- needs: select
SELECT MAX("lib_app_book"."price") AS "price__max" FROM "lib_app_book"

-- name: orm (28)
-- needs: select
(SELECT "lib_app_author"."id" AS "col1", "lib_app_author"."name" AS "col2", "lib_app_author"."meta" AS "col3" FROM "lib_app_author" WHERE "lib_app_author"."id" IN (1, 2)) UNION (SELECT "lib_app_author"."id" AS "col1", "lib_app_author"."name" AS "col2", "lib_app_author"."meta" AS "col3" FROM "lib_app_author" WHERE "lib_app_author"."id" = 3)

-- name: orm (29)
-- needs: select
SELECT "lib_app_book"."id", "lib_app_book"."title", "lib_app_book"."author_id", "lib_app_book"."price", "lib_app_book"."tags", "lib_app_book"."sold" FROM "lib_app_book"

-- name: migrate more
-- needs: dml
UPDATE "lib_app_author" SET "name" = '?' WHERE "lib_app_author"."name" = ''

-- name: migrate more (2)
-- needs: select
SELECT "django_content_type"."id", "django_content_type"."app_label", "django_content_type"."model" FROM "django_content_type" WHERE ("django_content_type"."app_label" = 'lib_app' AND "django_content_type"."model" = 'author') LIMIT 21

-- name: migrate more (3)
-- needs: dml
UPDATE "django_content_type" SET "model" = 'writer' WHERE "django_content_type"."id" = 6

-- name: migrate more (4)
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('lib_app', '0002_more', '2026-11-23 19:29:12.902964+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate more (5)
-- needs: dml,select
INSERT INTO "django_migrations" ("app", "name", "applied") VALUES ('lib_app', '0003_conc', '2026-11-23 19:29:12.910031+00:00'::timestamptz) RETURNING "django_migrations"."id"

-- name: migrate more (6)
-- needs: select
SELECT "django_content_type"."id", "django_content_type"."app_label", "django_content_type"."model" FROM "django_content_type" WHERE ("django_content_type"."app_label" = 'lib_app' AND "django_content_type"."model" IN ('writer', 'book'))

-- name: migrate more (7)
-- needs: dml,select
INSERT INTO "auth_permission" ("name", "content_type_id", "codename") SELECT * FROM UNNEST(('{"Can add writer","Can change writer","Can delete writer","Can view writer"}')::varchar[], ('{6,6,6,6}'::int2[])::integer[], ('{add_writer,change_writer,delete_writer,view_writer}')::varchar[]) RETURNING "auth_permission"."id"

-- name: sessions and auth
-- needs: dml,select
INSERT INTO "auth_user" ("password", "last_login", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined") VALUES ('pbkdf2_sha256$1000000$oL6qP42IY2m1JF1NU3CM3M$5eMF8+wzWnC2bcZxy99Jk/qpw/ofi7SC9WhYBocsiIQ=', NULL, false, 'u', '', '', 'u@x.test', false, true, '2026-11-23 19:29:13.292778+00:00'::timestamptz) RETURNING "auth_user"."id"

-- name: sessions and auth (2)
-- needs: dml
DELETE FROM "django_session" WHERE "django_session"."expire_date" < '2026-11-23 19:29:13.693680+00:00'::timestamptz

-- name: inspectdb
-- needs: select
SELECT * FROM "audit_notes" LIMIT 1

-- name: inspectdb (2)
-- needs: select
SELECT * FROM "bookings" LIMIT 1

-- name: inspectdb (3)
-- needs: select
SELECT * FROM "categories" LIMIT 1

-- name: inspectdb (4)
-- needs: select
SELECT * FROM "child_t" LIMIT 1

-- name: inspectdb (5)
-- needs: select
SELECT * FROM "customers" LIMIT 1

-- name: inspectdb (6)
-- needs: select
SELECT * FROM "departments" LIMIT 1

-- name: inspectdb (7)
-- needs: select
SELECT * FROM "documents" LIMIT 1

-- name: inspectdb (8)
-- needs: select
SELECT * FROM "employees" LIMIT 1

-- name: inspectdb (9)
-- needs: select
SELECT * FROM "events" LIMIT 1

-- name: inspectdb (10)
-- needs: select
SELECT * FROM "far_orders" LIMIT 1

-- name: inspectdb (11)
-- needs: select
SELECT * FROM "jobs" LIMIT 1

-- name: inspectdb (12)
-- needs: select
SELECT * FROM "measurement" LIMIT 1

-- name: inspectdb (13)
-- needs: select
SELECT * FROM "metrics" LIMIT 1

-- name: inspectdb (14)
-- needs: select
SELECT * FROM "order_items" LIMIT 1

-- name: inspectdb (15)
-- needs: select
SELECT * FROM "orders" LIMIT 1

-- name: inspectdb (16)
-- needs: select
SELECT * FROM "parent_t" LIMIT 1

-- name: inspectdb (17)
-- needs: select
SELECT * FROM "payments" LIMIT 1

-- name: inspectdb (18)
-- needs: select
SELECT * FROM "products" LIMIT 1

-- name: inspectdb (19)
-- needs: select
SELECT * FROM "stock" LIMIT 1

-- name: inspectdb (20)
-- needs: select
SELECT * FROM "visits" LIMIT 1
