//! Attacks through code that stands in the database: routines that lie about themselves and run by ways
//! that nobody writes. Their names are on no list, so only a catalog read from a server can tell.

use crate::{
    corpus,
    support::{
        Gateway, Postgres, RawClient,
        postgres::UPSTREAM_USER,
        raw::{Message, bind, error, execute, parse, rows, sync},
    },
};

/// Every routine says in the server's log that it ran. What is `volatile` here says so of itself.
const OBJECTS: &str = "
    CREATE FUNCTION ran(what text) RETURNS boolean LANGUAGE plpgsql AS
        $$BEGIN RAISE LOG 'TRAP %', what; RETURN true; END$$;
    CREATE FUNCTION steady(what text) RETURNS integer LANGUAGE plpgsql STABLE AS
        $$BEGIN PERFORM write_loot(); RETURN 1; END$$;
    CREATE TABLE loot (id integer);
    CREATE FUNCTION write_loot() RETURNS integer LANGUAGE sql AS
        'INSERT INTO public.loot VALUES (1) RETURNING 1';
    CREATE DOMAIN trapped AS integer CHECK (ran('domain'));
    CREATE TYPE holder AS (inside trapped);
    CREATE TABLE held (id integer, inside trapped);
    CREATE TABLE lists (id integer, inside trapped[]);
    CREATE TABLE guarded (id integer);
    INSERT INTO guarded VALUES (1);
    ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
    ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
    CREATE POLICY p ON guarded USING (ran('policy'));
    CREATE VIEW over_guarded AS SELECT id FROM guarded;
    CREATE FUNCTION step(state integer, n integer) RETURNS integer LANGUAGE plpgsql AS
        $$BEGIN RAISE LOG 'TRAP step'; RETURN n; END$$;
    CREATE AGGREGATE lying_total(integer) (SFUNC = step, STYPE = integer);
    CREATE FUNCTION takes_trapped(n trapped) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
        $$BEGIN RETURN 1; END$$;
    CREATE TYPE mood AS ENUM ('calm', 'cross');
    CREATE FUNCTION mood_is(m mood, t text) RETURNS boolean LANGUAGE plpgsql AS
        $$BEGIN RAISE LOG 'TRAP ='; RETURN true; END$$;
    CREATE OPERATOR = (LEFTARG = mood, RIGHTARG = text, FUNCTION = mood_is);
    CREATE FUNCTION mood_number(m mood) RETURNS integer LANGUAGE plpgsql AS
        $$BEGIN RAISE LOG 'TRAP cast'; RETURN 1; END$$;
    CREATE CAST (mood AS integer) WITH FUNCTION mood_number(mood) AS IMPLICIT;
    CREATE TABLE moods (id integer, mood mood);
    INSERT INTO moods VALUES (1, 'calm');";

fn start() -> (Postgres, Gateway) {
    let server = Postgres::start();
    server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER};{OBJECTS}"));
    let gateway = Gateway::start(&server);
    (server, gateway)
}

/// Permissions, and how else each is granted.
type Grants<'a> = &'a [(&'a str, &'a [&'a str])];

fn holder(gateway: &Gateway, name: &str, permissions: Grants<'_>) -> RawClient {
    let secret = gateway.principal(name, "developer");
    for (permission, more) in permissions {
        gateway.grant_with(name, permission, &[&["--for", "30m"], *more].concat());
    }
    gateway.connect(name, &secret)
}

fn refused(answer: &[Message]) -> bool {
    error(answer).is_some_and(|e| e.field('C') == "42501")
}

#[test]
fn a_parameter_declared_to_be_of_a_domain_runs_no_check() {
    let (server, gateway) = start();
    let oid = |name: &str| -> u32 {
        server.sql(&format!("SELECT '{name}'::regtype::oid")).parse().expect("an oid")
    };
    let mut client = holder(&gateway, "alice", &[]);
    for (name, value) in
        [("trapped", "5"), ("holder", "(5)"), ("trapped[]", "{5}"), ("held", "(1,5)")]
    {
        let messages = [
            parse("", "SELECT $1", &[oid(name)]),
            bind("", "", &[Some(value)], 0),
            execute("", 0),
            sync(),
        ];
        let answer = client.exchange(&messages, 1);
        assert!(refused(&answer), "{name}: {answer:?}");
    }
    // Compared with a text, a value of the enum runs its operator; alone it runs nothing.
    let text = "SELECT $1 = 'calm'::text";
    let messages =
        [parse("", text, &[oid("mood")]), bind("", "", &[Some("calm")], 0), execute("", 0), sync()];
    assert!(refused(&client.exchange(&messages, 1)));
    // Read again at Bind, and by SQL's EXECUTE, it is still what it was declared to be.
    client.exchange(&[parse("named", "SELECT $1", &[oid("trapped")]), sync()], 1);
    client.query("SET search_path = pg_catalog, public");
    client.exchange(&[bind("", "named", &[Some("5")], 0), execute("", 0), sync()], 1);
    client.query("EXECUTE named(5)");
    assert!(!server.log().contains("LOG:  TRAP"), "{}", server.log());
}

#[test]
fn reading_runs_no_code_that_is_neither_steady_nor_trusted() {
    let (server, gateway) = start();
    let mut client = holder(&gateway, "alice", &[("select", &[])]);
    for text in [
        "SELECT * FROM guarded",
        "SELECT count(*) FROM over_guarded",
        "COPY (SELECT 1 FROM guarded) TO STDOUT",
        "SELECT lying_total(id) FROM moods",
        "SELECT lying_total(id) OVER () FROM moods",
        "SELECT json_populate_record(h, '{\"inside\": 5}') FROM held h RIGHT JOIN moods ON true",
        "SELECT takes_trapped(5)",
        "SELECT takes_trapped('5')",
        "SELECT id FROM moods WHERE mood = 'calm'::text",
        "SELECT mood + 1 FROM moods",
        "SELECT mood::integer FROM moods",
        "SELECT repeat('x', m.mood) FROM (SELECT mood FROM moods) m",
    ] {
        let answer = client.query(text);
        assert!(refused(&answer), "{text}: {answer:?}");
    }
    assert!(!server.log().contains("LOG:  TRAP"), "{}", server.log());
}

#[test]
fn an_operator_or_cast_of_a_type_is_no_matter_to_statements_without_its_values() {
    let (_server, gateway) = start();
    let mut plain = holder(&gateway, "alice", &[]);
    for text in
        ["SELECT 1", "SELECT 'a' = 'a'::text", "SELECT 1 = ANY (ARRAY[1])", "SELECT version()"]
    {
        let answer = plain.query(text);
        assert!(error(&answer).is_none(), "{text}: {answer:?}");
    }
    let mut scoped = holder(&gateway, "bob", &[("select", &["--scope", "public.orders"])]);
    for text in [
        "SELECT id FROM orders WHERE note = 'x'",
        "SELECT DISTINCT customer_id::integer FROM orders ORDER BY 1 LIMIT 1",
    ] {
        let answer = scoped.query(text);
        assert!(error(&answer).is_none(), "{text}: {answer:?}");
    }
}

#[test]
fn code_that_says_it_only_reads_gets_no_writable_session_but_under_dml_on_all() {
    let (server, gateway) = start();
    let scope: &[&str] = &["--scope", "public.orders"];
    let mut client = holder(&gateway, "alice", &[("select", &[]), ("dml", scope)]);
    client.query("SELECT steady('alone')");
    client.query("BEGIN");
    let written = client.query("UPDATE orders SET note = 'x' WHERE id = 1");
    assert!(error(&written).is_none(), "{written:?}");
    let answer = client.query("SELECT steady('behind a write')");
    assert!(refused(&answer), "{answer:?}");
    client.query("COMMIT");
    assert_eq!(server.sql("SELECT count(*) FROM loot"), "0");
    // Without any right to write it runs behind the wall.
    let mut reader = holder(&gateway, "bob", &[("select", &[])]);
    let answer = reader.query("SELECT steady('walled')");
    assert_eq!(error(&answer).map(|e| e.field('C')).as_deref(), Some("25006"), "{answer:?}");
    assert_eq!(rows(&reader.query("SELECT count(*) FROM loot")), [["0"]]);
}

#[test]
fn attacks_on_the_objects_of_the_corpus_change_nothing() {
    let server = Postgres::start();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
    let file = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).expect("reads");
    server.sql(&format!(
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION {UPSTREAM_USER};
         SET SESSION AUTHORIZATION {UPSTREAM_USER};\n{}\n{}",
        file("schema.sql"),
        file("attack_objects.sql")
    ));
    let gateway = Gateway::start(&server);
    // Of nothing that a transaction has taken back either a number remains.
    let state = "SELECT (SELECT count(*) FROM public.loot), (SELECT count(*) FROM public.jobs),
                 (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_proc),
                 pg_snapshot_xmax(pg_current_snapshot())";
    let before = server.sql(state);
    let whos: [(&str, Grants<'_>); 3] = [
        ("nothing", &[]),
        ("scoped", &[("select", &["--scope", "public.departments"])]),
        ("select", &[("select", &[])]),
    ];
    let mut passed = Vec::new();
    let mut tried = 0;
    for (name, permissions) in whos {
        let mut client = holder(&gateway, name, permissions);
        for class in ["09_functions_that_lie", "14_names_that_move"] {
            for entry in corpus::read(format!("{folder}/attacks/{class}.sql")) {
                tried += 1;
                let answer = client.query(&entry.sql);
                let may = name == "select" && entry.needs == "select";
                if error(&answer).is_none() && !may {
                    passed.push(format!("{name}: {}\n{}", entry.name, entry.sql));
                }
                client.query("ROLLBACK");
                client.query("DEALLOCATE ALL");
                client.query("RESET search_path");
                let after = server.sql(state);
                assert_eq!(after, before, "{name}: {}\n{}", entry.name, entry.sql);
            }
        }
    }
    assert!(tried > 200, "{tried}");
    assert!(passed.is_empty(), "{} of {tried} passed\n{}", passed.len(), passed.join("\n----\n"));
}

#[test]
fn values_that_meet_in_one_type_run_no_check_of_a_domain_unsaid() {
    let (server, gateway) = start();
    server.sql("INSERT INTO held VALUES (1, 5); INSERT INTO lists VALUES (1, '{5}')");
    let mut client = holder(&gateway, "alice", &[("select", &[])]);
    let mut ran = Vec::new();
    for text in [
        "SELECT coalesce(inside, '6') FROM held",
        "SELECT coalesce(NULL, inside) FROM held",
        "SELECT CASE WHEN id = 1 THEN '7' ELSE inside END FROM held",
        "SELECT ARRAY[inside, '8'] FROM held",
        "SELECT greatest(inside, '9') FROM held",
        "SELECT inside FROM held UNION ALL SELECT '10'",
        "SELECT '10' INTERSECT SELECT inside FROM held",
        "SELECT v FROM held h, LATERAL (VALUES (h.inside), ('11')) AS l (v)",
        "SELECT lag(inside, 1, '12') OVER () FROM held",
        "SELECT array_append(array_agg(inside), '13') FROM held",
        "SELECT array_agg(inside) || '{14}' FROM held",
        "SELECT id FROM lists WHERE inside = '{15}'",
        "SELECT inside || '{16}' FROM lists",
        "SELECT array_position(inside, '17') FROM lists",
        "SELECT ARRAY[inside] = '{29}' FROM held",
        "SELECT ARRAY(SELECT inside FROM held) = '{30}'",
        "SELECT CASE inside WHEN '{31}' THEN 1 END FROM lists",
        "SELECT CASE ARRAY[inside] WHEN '{32}' THEN 1 END FROM held",
        "SELECT id FROM held WHERE inside IN ('18', '19')",
        "SELECT nullif(inside, '20') FROM held",
        "SELECT id FROM held WHERE inside = '21'",
        "SELECT id FROM held WHERE inside BETWEEN '22' AND '23'",
        "SELECT id FROM lists WHERE inside @> '{24}'",
        "SELECT (array_agg(inside))[1] FROM held",
        "WITH RECURSIVE r (v) AS (SELECT inside FROM held UNION ALL SELECT '25' FROM r WHERE false) SELECT v FROM r",
        "SELECT id FROM held WHERE (inside, id) = ('26', 1)",
        "SELECT inside FROM held WHERE inside = ANY ('{27}')",
        "SELECT id FROM lists WHERE '28' = ANY (inside)",
    ] {
        let before = server.log().matches("LOG:  TRAP").count();
        let answer = client.query(text);
        let said = error(&answer).map(|e| e.field('M'));
        if server.log().matches("LOG:  TRAP").count() > before {
            ran.push(format!("{text}: {said:?}"));
        }
    }
    assert!(ran.is_empty(), "{}", ran.join("\n"));
    let plain = client.query("SELECT id, coalesce(inside, 1) FROM held WHERE id = 1");
    assert!(error(&plain).is_none(), "{plain:?}");
}

#[test]
fn before_the_catalog_was_read_no_name_of_the_targets_own_passes() {
    let server = Postgres::start();
    server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER};{OBJECTS}"));
    // The gateway's reading of the catalog begins with it; sessions don't need it.
    server.sql("REVOKE EXECUTE ON FUNCTION set_config(text, text, boolean) FROM PUBLIC");
    let gateway = Gateway::start(&server);
    let mut client = holder(&gateway, "alice", &[("select", &[]), ("dml", &[]), ("ddl", &[])]);
    let before = server.log().matches("LOG:  TRAP").count();
    let mut passed = Vec::new();
    for text in [
        "SELECT id FROM moods",
        "SELECT * FROM public.over_guarded",
        "SELECT ran('x')",
        "SELECT public.steady('x')",
        "SELECT '5'::trapped",
        "SELECT CAST(5 AS public.trapped)",
        "SELECT trapped '5'",
        "SELECT '{5}'::trapped[]",
        "SELECT ('(5)'::holder)",
        "SELECT 'calm'::mood = 'calm'::text",
        "SELECT trapped(5)",
        "SELECT '(5)'::held",
        "SELECT NULL::held",
        "SELECT x::trapped FROM (VALUES (5)) AS v (x)",
        "SELECT * FROM json_to_recordset('[{\"x\": 5}]') AS t (x trapped)",
        "INSERT INTO loot VALUES (1)",
        "CREATE TEMP TABLE t (v trapped DEFAULT 5)",
        "CREATE TEMP TABLE t AS SELECT '5'::trapped AS v",
        "EXPLAIN SELECT '5'::trapped",
        "PREPARE p (trapped) AS SELECT $1",
        "TABLE moods",
    ] {
        let answer = client.query(text);
        if error(&answer).is_none_or(|e| e.field('C') != "42501") {
            passed.push(format!("{text}: {answer:?}"));
        }
    }
    // A parameter that is declared to be of such a type.
    let oid: u32 = server.sql("SELECT 'trapped'::regtype::oid").parse().expect("an oid");
    let declared = [parse("", "SELECT $1", &[oid]), bind("", "", &[Some("5")], 0), sync()];
    if !refused(&client.exchange(&declared, 1)) {
        passed.push("a parameter of the domain".to_owned());
    }
    let ran = server.log().matches("LOG:  TRAP").count() - before;
    assert!(passed.is_empty() && ran == 0, "{ran} ran\n{}", passed.join("\n"));
    assert_eq!(rows(&client.query("SELECT 1")), [["1"]]);
    assert!(error(&client.query("SELECT relname FROM pg_class LIMIT 1")).is_none());
}

#[test]
fn a_migration_uses_the_type_that_it_has_just_made() {
    let server = Postgres::start();
    server.sql("CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE moods (id integer, mood mood)");
    let gateway = Gateway::start(&server);
    let mut client = holder(&gateway, "alice", &[("select", &[]), ("dml", &[]), ("ddl", &[])]);
    for text in [
        "BEGIN",
        "CREATE SCHEMA made",
        "CREATE TYPE made.colour AS ENUM ('red')",
        "CREATE TABLE made.things (c made.colour)",
        "INSERT INTO made.things VALUES ('red'::made.colour)",
        "COMMIT",
    ] {
        let answer = client.query(text);
        assert!(error(&answer).is_none(), "{text}: {answer:?}");
    }
    let mut client = holder(&gateway, "bob", &[("select", &[])]);
    for text in [
        "SELECT '{1}'::_int4, NULL::pg_class, 'x'::information_schema.sql_identifier",
        "SELECT 'calm'::mood, '{}'::_mood, NULL::moods, '1'::pg_catalog._text",
    ] {
        let answer = client.query(text);
        assert!(!error(&answer).is_some_and(|e| e.field('M').contains("not known")), "{answer:?}");
    }
}
