//! Migrations beside masked columns: what they make is read as it is, in the transaction that makes it, right
//! behind it and in another session; all answers are the server's own.

use crate::{
    attack_masks::{OBJECTS, World},
    mask_settings,
    masking::refusal,
    support::{
        Message, Postgres, RawClient,
        postgres::{DATABASE, UPSTREAM_PASSWORD, UPSTREAM_USER},
        raw::{bind, execute, parse, rows, sync},
    },
};

/// As Flyway writes its own table and runs two files, each in a transaction of its own.
const FLYWAY: &[&str] = &[
    "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relname = 'flyway_schema_history' AND c.relkind = 'r')",
    "BEGIN",
    "CREATE TABLE \"public\".\"flyway_schema_history\" (\"installed_rank\" INT NOT NULL, \"version\" VARCHAR(50), \"description\" VARCHAR(200) NOT NULL, \"type\" VARCHAR(20) NOT NULL, \"script\" VARCHAR(1000) NOT NULL, \"checksum\" INTEGER, \"installed_by\" VARCHAR(100) NOT NULL, \"installed_on\" TIMESTAMP NOT NULL DEFAULT now(), \"execution_time\" INTEGER NOT NULL, \"success\" BOOLEAN NOT NULL)",
    "ALTER TABLE \"public\".\"flyway_schema_history\" ADD CONSTRAINT \"flyway_schema_history_pk\" PRIMARY KEY (\"installed_rank\")",
    "CREATE INDEX \"flyway_schema_history_s_idx\" ON \"public\".\"flyway_schema_history\" (\"success\")",
    "COMMIT",
    "BEGIN",
    "LOCK TABLE \"public\".\"flyway_schema_history\" IN SHARE UPDATE EXCLUSIVE MODE",
    "SELECT \"installed_rank\", \"version\", \"description\", \"type\", \"script\", \"checksum\", \"installed_by\", \"execution_time\", \"success\" FROM \"public\".\"flyway_schema_history\" WHERE \"installed_rank\" > -1 ORDER BY \"installed_rank\"",
    "CREATE TYPE mood AS ENUM ('sad', 'ok')",
    "SELECT 'sad'::mood < 'ok', 'ok'::mood::text",
    "CREATE TABLE f_people (id bigserial PRIMARY KEY, name text NOT NULL, feels mood DEFAULT 'ok', born date, CHECK (name <> ''))",
    "INSERT INTO f_people (name, born) VALUES ('Ann', '1990-01-02'), ('Bob', NULL) RETURNING id, name, feels, born",
    "SELECT currval('f_people_id_seq')",
    "INSERT INTO \"public\".\"flyway_schema_history\" (\"installed_rank\", \"version\", \"description\", \"type\", \"script\", \"checksum\", \"installed_by\", \"execution_time\", \"success\") VALUES (1, '1', 'people', 'SQL', 'V1__people.sql', 12345, 'me', 17, TRUE)",
    "COMMIT",
    "SELECT \"version\", \"script\", \"checksum\", \"success\" FROM \"public\".\"flyway_schema_history\" ORDER BY 1",
    "BEGIN",
    "ALTER TABLE f_people ADD COLUMN mail text",
    "UPDATE f_people SET mail = lower(name) || '@example.org'",
    "ALTER TABLE f_people ALTER COLUMN mail SET NOT NULL, ADD CONSTRAINT f_mail UNIQUE (mail)",
    "SELECT id, name, feels, mail FROM f_people WHERE feels = 'ok' ORDER BY id",
    "CREATE TABLE f_visits (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person bigint REFERENCES f_people ON DELETE CASCADE, at timestamptz, notes jsonb DEFAULT '{}')",
    "INSERT INTO f_visits (person) SELECT id FROM f_people RETURNING id, person, notes",
    "SELECT p.name, count(v.id) FROM f_people p LEFT JOIN f_visits v ON v.person = p.id GROUP BY p.name ORDER BY 1",
    "SAVEPOINT a",
    "ALTER TABLE f_people RENAME COLUMN name TO called",
    "SELECT called FROM f_people ORDER BY id",
    "ROLLBACK TO a",
    "SELECT name FROM f_people ORDER BY id",
    "INSERT INTO \"public\".\"flyway_schema_history\" (\"installed_rank\", \"version\", \"description\", \"type\", \"script\", \"checksum\", \"installed_by\", \"execution_time\", \"success\") VALUES (2, '2', 'visits', 'SQL', 'V2__visits.sql', -5, 'me', 3, TRUE)",
    "COMMIT",
    "SELECT max(\"installed_rank\") FROM \"public\".\"flyway_schema_history\"",
    "CREATE TABLE f_copy AS SELECT id, name FROM f_people",
    "SELECT * FROM f_copy ORDER BY id",
    "DROP TABLE f_copy",
    "SELECT count(*) FROM f_copy",
];

/// As Liquibase takes its lock and runs change sets.
const LIQUIBASE: &[&str] = &[
    "SELECT COUNT(*) FROM public.databasechangeloglock",
    "CREATE TABLE public.databasechangeloglock (ID INTEGER NOT NULL, LOCKED BOOLEAN NOT NULL, LOCKGRANTED TIMESTAMP WITHOUT TIME ZONE, LOCKEDBY VARCHAR(255), CONSTRAINT databasechangeloglock_pkey PRIMARY KEY (ID))",
    "SELECT COUNT(*) FROM public.databasechangeloglock",
    "DELETE FROM public.databasechangeloglock",
    "INSERT INTO public.databasechangeloglock (ID, LOCKED) VALUES (1, FALSE)",
    "SELECT LOCKED FROM public.databasechangeloglock WHERE ID=1",
    "UPDATE public.databasechangeloglock SET LOCKED = TRUE, LOCKEDBY = 'here (10.0.0.1)', LOCKGRANTED = '2026-01-02 03:04:05' WHERE ID = 1 AND LOCKED = FALSE",
    "CREATE TABLE public.databasechangelog (ID VARCHAR(255) NOT NULL, AUTHOR VARCHAR(255) NOT NULL, FILENAME VARCHAR(255) NOT NULL, DATEEXECUTED TIMESTAMP WITHOUT TIME ZONE NOT NULL, ORDEREXECUTED INTEGER NOT NULL, EXECTYPE VARCHAR(10) NOT NULL, MD5SUM VARCHAR(35), DESCRIPTION VARCHAR(255), COMMENTS VARCHAR(255), TAG VARCHAR(255), LIQUIBASE VARCHAR(20), CONTEXTS VARCHAR(255), LABELS VARCHAR(255), DEPLOYMENT_ID VARCHAR(10))",
    "SELECT COUNT(*) FROM public.databasechangelog",
    "SELECT MD5SUM FROM public.databasechangelog WHERE MD5SUM IS NOT NULL LIMIT 1",
    "SELECT * FROM public.databasechangelog ORDER BY DATEEXECUTED ASC, ORDEREXECUTED ASC",
    "BEGIN",
    "CREATE TABLE public.l_author (id BIGINT GENERATED BY DEFAULT AS IDENTITY NOT NULL, name VARCHAR(255) NOT NULL, CONSTRAINT l_author_pkey PRIMARY KEY (id))",
    "SELECT MAX(ORDEREXECUTED) FROM public.databasechangelog",
    "INSERT INTO public.databasechangelog (ID, AUTHOR, FILENAME, DATEEXECUTED, ORDEREXECUTED, MD5SUM, DESCRIPTION, COMMENTS, EXECTYPE, CONTEXTS, LABELS, LIQUIBASE, DEPLOYMENT_ID) VALUES ('1', 'me', 'changes.xml', '2026-01-02', 1, '9:00aa', 'createTable tableName=l_author', '', 'EXECUTED', NULL, NULL, '4.33.0', '123')",
    "COMMIT",
    "BEGIN",
    "CREATE TABLE public.l_post (id BIGINT NOT NULL, author_id BIGINT, title VARCHAR(255), CONSTRAINT l_post_pkey PRIMARY KEY (id))",
    "ALTER TABLE public.l_post ADD CONSTRAINT fk_post_author FOREIGN KEY (author_id) REFERENCES public.l_author (id) ON DELETE SET NULL",
    "INSERT INTO public.l_author (name) VALUES ('Ann') RETURNING *",
    "INSERT INTO public.l_post (id, author_id, title) VALUES (1, 1, 'First')",
    "SELECT p.title, a.name FROM public.l_post p JOIN public.l_author a ON a.id = p.author_id",
    "CREATE INDEX idx_title ON public.l_post (title)",
    "ALTER TABLE public.l_post ADD views INTEGER DEFAULT 0",
    "ALTER TABLE public.l_post RENAME COLUMN title TO headline",
    "UPDATE public.l_post SET headline = headline || '!' WHERE id = 1 RETURNING *",
    "SELECT MAX(ORDEREXECUTED) FROM public.databasechangelog",
    "INSERT INTO public.databasechangelog (ID, AUTHOR, FILENAME, DATEEXECUTED, ORDEREXECUTED, MD5SUM, DESCRIPTION, COMMENTS, EXECTYPE, CONTEXTS, LABELS, LIQUIBASE, DEPLOYMENT_ID) VALUES ('2', 'me', 'changes.xml', '2026-01-02', 2, '9:00bb', 'sql', '', 'EXECUTED', NULL, NULL, '4.33.0', '123')",
    "COMMIT",
    "SELECT ID, MD5SUM, ORDEREXECUTED FROM public.databasechangelog ORDER BY ORDEREXECUTED",
    "UPDATE public.databasechangeloglock SET LOCKED = FALSE, LOCKEDBY = NULL, LOCKGRANTED = NULL WHERE ID = 1",
    "BEGIN",
    "DROP TABLE public.l_post",
    "DELETE FROM public.databasechangelog WHERE ID = '2' AND AUTHOR = 'me'",
    "COMMIT",
    "SELECT ID FROM public.databasechangelog",
    "SELECT * FROM public.l_post",
];

/// Files of migrations as golang-migrate, Prisma, sqlx, dbmate and pgAdmin send them: each is one text.
const FILES: &[&str] = &[
    "ALTER TABLE notes ADD COLUMN slug text; UPDATE notes SET slug = lower(body) WHERE slug IS NULL; ALTER TABLE notes ALTER COLUMN slug SET NOT NULL; CREATE INDEX notes_slug ON notes (slug)",
    "SELECT id, slug FROM notes ORDER BY id",
    "-- AlterTable\nALTER TABLE \"customers\" ADD COLUMN \"slug\" VARCHAR(40) NOT NULL DEFAULT '';\n\n-- CreateIndex\nCREATE INDEX \"customers_slug_idx\" ON \"customers\"(\"slug\");",
    "BEGIN; ALTER TABLE customers ADD COLUMN tier text; UPDATE customers SET tier = CASE WHEN newsletter THEN 'gold' ELSE 'none' END WHERE id < 50; SELECT tier, count(*) FROM customers WHERE id < 50 GROUP BY tier ORDER BY 1; COMMIT",
    "CREATE TABLE \"User\" (\"id\" SERIAL NOT NULL, \"login\" TEXT NOT NULL, \"name\" TEXT, CONSTRAINT \"User_pkey\" PRIMARY KEY (\"id\")); CREATE TABLE \"Post\" (\"id\" SERIAL NOT NULL, \"title\" VARCHAR(255) NOT NULL, \"createdAt\" TIMESTAMP(3) NOT NULL DEFAULT '2026-01-01', \"authorId\" INTEGER NOT NULL, CONSTRAINT \"Post_pkey\" PRIMARY KEY (\"id\")); CREATE UNIQUE INDEX \"User_login_key\" ON \"User\"(\"login\"); ALTER TABLE \"Post\" ADD CONSTRAINT \"Post_authorId_fkey\" FOREIGN KEY (\"authorId\") REFERENCES \"User\"(\"id\") ON DELETE RESTRICT ON UPDATE CASCADE",
    "INSERT INTO \"User\" (\"login\") VALUES ('ann'); INSERT INTO \"Post\" (\"title\", \"authorId\") SELECT 'First', id FROM \"User\" RETURNING *",
    "CREATE TABLE IF NOT EXISTS tags (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE, made_at timestamptz DEFAULT '2026-01-01'); INSERT INTO tags (name) VALUES ('a'), ('b'); ALTER TABLE tags ADD COLUMN weight integer DEFAULT 0; UPDATE tags SET weight = id * 2; SELECT name, weight FROM tags ORDER BY id",
    "CREATE TYPE mood AS ENUM ('low', 'high'); CREATE TABLE moods (id int PRIMARY KEY, mood mood NOT NULL DEFAULT 'low'); INSERT INTO moods VALUES (1, 'high'), (2, DEFAULT); SELECT * FROM moods WHERE mood = 'high'",
    "ALTER TABLE tags RENAME COLUMN name TO label; UPDATE tags SET label = upper(label) WHERE label = 'a'; SELECT label FROM tags ORDER BY id",
    "CREATE TABLE tags_new (id bigint PRIMARY KEY, label text); INSERT INTO tags_new SELECT id, label FROM tags; DROP TABLE tags; ALTER TABLE tags_new RENAME TO tags; SELECT * FROM tags ORDER BY id",
    "ALTER TABLE moods ADD COLUMN seen mood, ALTER COLUMN id TYPE bigint; UPDATE moods SET seen = mood WHERE id = 1; ALTER TABLE moods DROP COLUMN mood; SELECT * FROM moods ORDER BY id",
    "DROP TABLE IF EXISTS nothing, moods; CREATE TABLE moods (id int, name text); INSERT INTO moods VALUES (1, 'x'); SELECT name FROM moods WHERE id = 1",
    "CREATE SCHEMA app; SET search_path = app; CREATE TABLE items (id serial PRIMARY KEY, name text); INSERT INTO items (name) VALUES ('n') RETURNING id, name; SELECT name FROM items; SET search_path = public",
    "SET search_path = app, public; SELECT name FROM items WHERE id = 1; SELECT count(*) FROM notes; SET search_path TO public",
    "BEGIN; SET LOCAL search_path TO app; UPDATE items SET name = 'm' WHERE id = 1; SELECT * FROM items ORDER BY name; COMMIT; SELECT 1",
    "SELECT pg_catalog.set_config('search_path', '', true); SELECT id, body FROM public.notes ORDER BY id",
    "CREATE SEQUENCE numbers; CREATE TABLE numbered (id bigint NOT NULL DEFAULT nextval('numbers'), x text); ALTER SEQUENCE numbers OWNED BY numbered.id; INSERT INTO numbered (x) VALUES ('one') RETURNING *",
    "DROP TABLE app.items; DROP SCHEMA app; DROP TABLE numbered; DROP TABLE \"Post\", \"User\"",
    "ALTER TABLE customers DROP COLUMN slug; ALTER TABLE customers DROP COLUMN tier; SELECT count(*) FROM customers WHERE city IS NULL",
    "CREATE TABLE half (id int); INSERT INTO half VALUES (1); SELECT 1 / (SELECT count(*) - 1 FROM half); SELECT * FROM half",
    "SELECT * FROM half",
];

#[test]
fn files_that_are_sent_as_one_text_are_answered_as_by_the_server_itself() {
    compared(FILES, simple, 1);
    compared(FILES, simple, 2);
}

/// All but where in the server's source an error was raised.
fn told(messages: &[Message]) -> Vec<String> {
    let told = |message: &Message| match message.tag {
        b'E' => format!("E {} {}", message.field('C'), message.field('M')),
        tag => format!("{} {}", char::from(tag), String::from_utf8_lossy(&message.body)),
    };
    messages.iter().filter(|message| message.tag != b'S').map(told).collect()
}

fn simple(client: &mut RawClient, text: &str) -> Vec<String> {
    told(&client.query(text))
}

fn extended(client: &mut RawClient, text: &str) -> Vec<String> {
    let packet = [parse("", text, &[]), bind("", "", &[], 0), execute("", 0), sync()].concat();
    told(&client.exchange(&[packet], 1))
}

/// The texts one after the other, in sessions that take turns: with one, each of its own transactions.
fn compared(texts: &[&str], ask: fn(&mut RawClient, &str) -> Vec<String>, sessions: usize) {
    let world = World::start("");
    let bare = Postgres::start();
    bare.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER};{OBJECTS}"));
    let mut differing = Vec::new();
    let connect = || {
        let direct =
            RawClient::connect(&bare.address(), UPSTREAM_USER, UPSTREAM_PASSWORD, DATABASE);
        (world.through(), direct)
    };
    let mut all: Vec<_> = (0..sessions).map(|_| connect()).collect();
    let mut at = 0;
    let mut open = false;
    for text in texts {
        let Some((through, direct)) = all.get_mut(at) else { continue };
        let expected = ask(direct, text);
        let said = ask(through, text);
        if said != expected {
            differing.push(format!("{text}\n  - {expected:?}\n  + {said:?}"));
        }
        open = (open || *text == "BEGIN") && *text != "COMMIT";
        if !open {
            at = (at + 1) % sessions;
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn what_flyway_does_is_answered_as_by_the_server_itself() {
    compared(FLYWAY, simple, 1);
    compared(FLYWAY, extended, 2);
}

#[test]
fn what_liquibase_does_is_answered_as_by_the_server_itself() {
    compared(LIQUIBASE, extended, 1);
    compared(LIQUIBASE, simple, 2);
}

fn reads(client: &mut RawClient, text: &str, expected: &[&str]) {
    let said = client.query(text);
    assert_eq!(rows(&said).concat(), expected, "{text}: {}", refusal(&said));
}

fn does(client: &mut RawClient, text: &str) {
    let said = client.query(text);
    assert_eq!(refusal(&said), "", "{text}");
}

/// Casts and operators of the users', which a value of a type that nobody knows might go through.
const CODE: &str = "
    CREATE TYPE level AS ENUM ('low', 'high');
    CREATE FUNCTION number(l level) RETURNS integer LANGUAGE plpgsql AS $$BEGIN RETURN 1; END$$;
    CREATE CAST (level AS integer) WITH FUNCTION number(level) AS IMPLICIT;
    CREATE FUNCTION same(a level, b text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RETURN true; END$$;
    CREATE OPERATOR = (LEFTARG = level, RIGHTARG = text, FUNCTION = same);
    CREATE DOMAIN short AS text CHECK (length(VALUE) < 9);";

#[test]
fn an_enum_of_a_moment_ago_runs_no_code() {
    let world = World::start(CODE);
    let mut client = world.through();
    let mut other = world.through();
    for (begin, end) in [("BEGIN", "ROLLBACK"), ("SELECT", "SELECT")] {
        does(&mut client, begin);
        does(&mut client, "CREATE TYPE kind AS ENUM ('a', 'b')");
        reads(&mut client, "SELECT 'a'::kind = 'a', 'b'::public.kind", &["t", "b"]);
        does(
            &mut client,
            "CREATE TABLE kinds (id int, kind kind DEFAULT 'a', all_of_them kind[], s short)",
        );
        does(&mut client, "INSERT INTO kinds VALUES (1, 'b', '{a,b}', 'short')");
        reads(&mut client, "SELECT 'a'::kind = 'a'", &["t"]);
        reads(&mut client, "SELECT * FROM kinds WHERE kind = 'b'", &["1", "b", "{a,b}", "short"]);
        reads(&mut client, "INSERT INTO kinds (id) VALUES (2) RETURNING kind", &["a"]);
        reads(&mut client, "SELECT max(kind), count(DISTINCT kind) FROM kinds", &["b", "2"]);
        reads(&mut client, "SELECT max(unit) FROM unnest(ARRAY['a', 'b']::kind[]) AS unit", &["b"]);
        does(&mut client, end);
    }
    reads(&mut other, "SELECT 'a'::kind = 'a'", &["t"]);
    // The usual way to take a value away.
    for text in [
        "BEGIN",
        "ALTER TYPE kind RENAME TO kind_old",
        "CREATE TYPE kind AS ENUM ('b', 'c')",
        "ALTER TABLE kinds ALTER COLUMN kind DROP DEFAULT, ALTER COLUMN kind TYPE kind USING 'c'::kind, DROP COLUMN all_of_them",
        "DROP TYPE kind_old",
    ] {
        does(&mut client, text);
    }
    reads(&mut client, "SELECT kind FROM kinds ORDER BY id", &["c", "c"]);
    client.query("COMMIT");
    reads(&mut other, "SELECT kind FROM kinds ORDER BY id", &["c", "c"]);
}

/// Where what isn't known is refused, another session's table of a moment ago is waited for.
#[test]
fn what_another_has_just_made_is_not_refused_where_the_unknown_is() {
    let mut world = mask_settings::with("mask.unknown = \"refuse\"");
    let secret = world.gateway.principal("bob", "developer");
    world.gateway.grant("bob", "select,dml,ddl,export");
    let mut other = world.gateway.connect("bob", &secret);
    reads(&mut other, "SELECT 1", &["1"]);
    for (name, asked) in [
        ("a", "SELECT x FROM a"),
        ("b", "BEGIN; DECLARE k CURSOR FOR SELECT x FROM b; FETCH k; COMMIT"),
        ("c", "WITH w AS (SELECT x FROM c) SELECT x || '' FROM w"),
    ] {
        world.client.query(&format!("CREATE TABLE {name} (x text)"));
        world.client.query(&format!("INSERT INTO {name} VALUES ('told')"));
        reads(&mut other, asked, &["told"]);
    }
    world.client.query("CREATE TABLE d (x text)");
    world.client.query("INSERT INTO d VALUES ('told')");
    let packet =
        [parse("s", "SELECT x FROM d", &[]), bind("", "s", &[], 0), execute("", 0), sync()];
    assert_eq!(rows(&other.exchange(&packet, 1)), [["told"]]);
    // Of a view in an open transaction the session's own server tells, unless what it says is of before.
    let mut maker = world.gateway.connect("bob", &secret);
    does(&mut maker, "BEGIN; CREATE VIEW v AS SELECT 1 AS x");
    reads(&mut maker, "SELECT x FROM v", &["1"]);
    maker.query("ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ; CREATE VIEW v AS SELECT 1 AS x");
    assert!(refusal(&maker.query("SELECT x FROM v")).contains("mask.unknown"));
    maker.query("ROLLBACK");
    does(&mut maker, "CREATE VIEW v AS SELECT 1 AS x");
    reads(&mut maker, "SELECT x FROM v", &["1"]);
}
