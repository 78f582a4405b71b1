//! Attacks on scopes: somebody who holds select and dml on the tables of one schema, and wants rows of
//! another. Tables are reached by whatever shows, moves, copies or refers to them.

use std::time::Duration;

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    postgres::UPSTREAM_USER,
    raw::{error, parse, query, rows, sync},
};

const OBJECTS: &str = "
    CREATE SCHEMA vault;
    CREATE SCHEMA shop;
    CREATE TABLE vault.codes (id integer PRIMARY KEY, code text);
    INSERT INTO vault.codes VALUES (1, 'covert'), (2, 'covert');
    CREATE VIEW shop.shown AS SELECT * FROM vault.codes;
    CREATE VIEW shop.shown_again AS SELECT code FROM shop.shown;
    CREATE MATERIALIZED VIEW shop.kept AS SELECT * FROM vault.codes;
    CREATE FUNCTION shop.told() RETURNS text LANGUAGE sql STABLE AS 'SELECT code FROM vault.codes LIMIT 1';
    CREATE FUNCTION shop.also() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN INSERT INTO vault.codes VALUES (NEW.id + 100, 'trigger'); RETURN NEW; END$$;
    CREATE TABLE shop.triggered (id integer);
    CREATE TRIGGER also AFTER INSERT ON shop.triggered FOR EACH ROW EXECUTE FUNCTION shop.also();
    CREATE TABLE shop.ruled (id integer);
    CREATE RULE also AS ON INSERT TO shop.ruled DO ALSO INSERT INTO vault.codes VALUES (NEW.id + 200, 'rule');
    CREATE TABLE shop.parents (id integer PRIMARY KEY, v text);
    INSERT INTO shop.parents VALUES (1, 'plain');
    CREATE TABLE vault.children (id integer REFERENCES shop.parents ON DELETE CASCADE ON UPDATE CASCADE);
    INSERT INTO vault.children VALUES (1);
    CREATE TABLE shop.whole (id integer, v text) PARTITION BY LIST (id);
    CREATE TABLE vault.part PARTITION OF shop.whole FOR VALUES IN (1);
    INSERT INTO shop.whole VALUES (1, 'plain');
    CREATE TABLE vault.loose (id integer, v text);
    INSERT INTO vault.loose VALUES (2, 'covert');
    CREATE TABLE vault.fixed (id integer NOT NULL, v text);
    CREATE SEQUENCE vault.numbers;
    CREATE TABLE vault.split (id integer, v text) PARTITION BY LIST (id);
    CREATE TABLE shop.orders (id integer, v text);
";

/// Mallory holds select and dml on `shop` only, Dora ddl on all besides, Alma select and dml on all too.
struct Stage {
    gateway: Gateway,
    secret_of_dora: String,
    server: Postgres,
    mallory: RawClient,
    dora: RawClient,
    alma: RawClient,
}

impl Stage {
    fn new() -> Self {
        let server = Postgres::start();
        server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER};\n{OBJECTS}"));
        let gateway = Gateway::start(&server);
        let hold = |name: &str, whole: &str, scoped: &str| {
            let secret = gateway.principal(name, "developer");
            if !whole.is_empty() {
                gateway.grant(name, whole);
            }
            if !scoped.is_empty() {
                gateway.grant_with(name, scoped, &["--for", "30m", "--scope", "shop.*"]);
            }
            (gateway.connect(name, &secret), secret)
        };
        let (mallory, _) = hold("mallory", "", "select,dml");
        let (dora, secret_of_dora) = hold("dora", "ddl", "select,dml");
        let (alma, _) = hold("alma", "ddl,select,dml", "");
        Self { gateway, secret_of_dora, server, mallory, dora, alma }
    }

    /// Everything in `vault` that somebody could have changed.
    fn witness(&self) -> String {
        self.server.sql(
            "SELECT (SELECT string_agg(c::text, ' ' ORDER BY id) FROM vault.codes c),
                    (SELECT string_agg(c::text, ' ') FROM vault.children c),
                    (SELECT string_agg(l::text, ' ') FROM vault.loose l),
                    (SELECT last_value FROM vault.numbers),
                    (SELECT string_agg(oid::regclass::text, ' ' ORDER BY oid) FROM pg_class
                     WHERE relnamespace IN ('vault'::regnamespace, 'shop'::regnamespace)),
                    (SELECT string_agg(inhrelid::regclass::text, ' ' ORDER BY 1) FROM pg_inherits)",
        )
    }
}

fn refuses(client: &mut RawClient, sql: &str) {
    let answer = client.query(sql);
    let code = error(&answer).map(|e| e.field('C'));
    assert_eq!(code.as_deref(), Some("42501"), "{sql}: {answer:?}");
    assert!(rows(&answer).is_empty(), "{sql}: {answer:?}");
}

/// At once, or when the catalog has been read again: of names that the session itself has just moved
/// nothing is known until then.
fn allows(client: &mut RawClient, sql: &str) {
    let mut answer = Vec::new();
    let allowed = eventually(Duration::from_secs(10), || {
        answer = client.query(sql);
        error(&answer).is_none()
    });
    assert!(allowed, "{sql}: {answer:?}");
}

#[test]
fn rows_outside_a_scope_are_out_of_reach_by_whatever_shows_them() {
    let mut stage = Stage::new();
    let before = stage.witness();
    for sql in [
        "SELECT * FROM vault.codes",
        "SELECT * FROM shop.shown",
        "SELECT * FROM shop.shown_again",
        "SELECT * FROM shop.kept",
        "SELECT shop.told()",
        "SELECT v FROM shop.orders WHERE EXISTS (SELECT FROM vault.codes)",
        "WITH orders AS (SELECT * FROM vault.codes) SELECT * FROM orders",
        "SELECT 1 LIMIT (SELECT id FROM vault.codes LIMIT 1)",
        "SELECT s FROM shop.shown s",
        "DECLARE c CURSOR WITH HOLD FOR TABLE shop.shown",
        "EXPLAIN ANALYZE TABLE shop.shown",
        "LOCK TABLE shop.shown IN ACCESS SHARE MODE",
        "REFRESH MATERIALIZED VIEW shop.kept",
        "UPDATE shop.orders SET v = c.code FROM vault.codes c",
        "INSERT INTO shop.orders SELECT * FROM shop.shown",
        "INSERT INTO shop.orders VALUES (1) RETURNING (SELECT code FROM vault.codes LIMIT 1)",
        "MERGE INTO shop.orders o USING vault.codes c ON o.id = c.id WHEN NOT MATCHED THEN DO NOTHING",
    ] {
        refuses(&mut stage.mallory, sql);
    }
    for sql in [
        "INSERT INTO shop.shown VALUES (3, 'view')",
        "UPDATE shop.shown SET code = 'view'",
        "DELETE FROM shop.shown",
        "COPY shop.shown FROM STDIN",
        "SELECT * FROM shop.shown FOR UPDATE",
        "INSERT INTO shop.triggered VALUES (1)",
        "INSERT INTO shop.ruled VALUES (1)",
        "DELETE FROM shop.parents",
        "UPDATE shop.parents SET id = 9",
        "SELECT nextval('vault.numbers')",
        "SELECT setval('vault.numbers', 7)",
        "DELETE FROM vault.loose",
        "TRUNCATE shop.parents CASCADE",
    ] {
        refuses(&mut stage.mallory, sql);
    }
    assert_eq!(stage.witness(), before);
    // What is in the scope, and the rows that a partitioned table shows, are not refused.
    for sql in [
        "SELECT * FROM shop.orders",
        "SELECT v FROM shop.whole",
        "SELECT v FROM vault.part",
        "UPDATE shop.parents SET v = 'changed'",
        "INSERT INTO shop.orders VALUES (1, 'new') RETURNING v",
    ] {
        allows(&mut stage.mallory, sql);
    }
}

/// Each puts rows of `vault` where a scope on `shop` would cover them, and is taken back by the second.
const MOVES: [(&str, &str); 9] = [
    (
        "ALTER TABLE vault.split ATTACH PARTITION shop.orders FOR VALUES IN (2)",
        "ALTER TABLE vault.split DETACH PARTITION shop.orders",
    ),
    ("CREATE TABLE shop.slice PARTITION OF vault.split FOR VALUES IN (3)", "DROP TABLE shop.slice"),
    ("ALTER TABLE vault.codes SET SCHEMA shop", "ALTER TABLE shop.codes SET SCHEMA vault"),
    ("ALTER VIEW vault.seen SET SCHEMA shop", "ALTER VIEW shop.seen SET SCHEMA vault"),
    (
        "ALTER TABLE shop.whole ATTACH PARTITION vault.loose FOR VALUES IN (2)",
        "ALTER TABLE shop.whole DETACH PARTITION vault.loose",
    ),
    (
        "ALTER TABLE vault.loose INHERIT shop.orders",
        "ALTER TABLE vault.loose NO INHERIT shop.orders",
    ),
    // What she may write in `shop` would show in a table of `vault`.
    (
        "ALTER TABLE shop.orders INHERIT vault.loose",
        "ALTER TABLE shop.orders NO INHERIT vault.loose",
    ),
    ("CREATE TABLE shop.child () INHERITS (vault.loose)", "DROP TABLE shop.child"),
    ("ALTER SCHEMA vault RENAME TO shop2", "ALTER SCHEMA shop2 RENAME TO vault"),
];

#[test]
fn who_defines_tables_moves_no_rows_into_her_own_scope() {
    let mut stage = Stage::new();
    stage.server.sql("CREATE VIEW vault.seen AS SELECT 1 AS one");
    let before = stage.witness();
    for (there, _) in MOVES {
        refuses(&mut stage.dora, there);
        refuses(&mut stage.dora, &format!("BEGIN; {there}; COMMIT"));
        stage.dora.query("ROLLBACK");
    }
    assert_eq!(stage.witness(), before);
    // Nor does she give them another name, by which a statement may find them that was judged before.
    refuses(&mut stage.dora, "ALTER TABLE vault.fixed RENAME TO firm");
    // Elsewhere, and within her scope, tables move as ddl has it. Of names that a session has moved itself
    // nothing is known in it, and no scope covers them: hence the new ones.
    for sql in [
        "ALTER TABLE shop.parents RENAME TO elders",
        "ALTER TABLE shop.orders RENAME COLUMN v TO w",
        "CREATE TABLE shop.more PARTITION OF shop.whole FOR VALUES IN (4)",
        "CREATE TABLE vault.extra PARTITION OF shop.whole FOR VALUES IN (5)",
        "CREATE TABLE vault.most PARTITION OF vault.split FOR VALUES IN (6)",
        "ALTER TABLE shop.ruled SET SCHEMA vault",
    ] {
        stage.dora = stage.gateway.connect("dora", &stage.secret_of_dora);
        allows(&mut stage.dora, sql);
    }
    refuses(&mut stage.dora, "ALTER TABLE vault.ruled SET SCHEMA shop");
    allows(&mut stage.alma, "ALTER TABLE vault.ruled SET SCHEMA shop");
}

#[test]
fn who_may_read_and_write_all_tables_moves_them_as_she_likes() {
    let mut stage = Stage::new();
    stage.server.sql("CREATE VIEW vault.seen AS SELECT 1 AS one");
    stage.server.sql(&format!("ALTER VIEW vault.seen OWNER TO {UPSTREAM_USER}"));
    for (there, back) in MOVES {
        allows(&mut stage.alma, there);
        allows(&mut stage.alma, back);
    }
}

#[test]
fn who_may_only_define_moves_what_she_can_not_read_anywhere() {
    let server = Postgres::start();
    server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER};\n{OBJECTS}"));
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("dora", "developer");
    gateway.grant("dora", "ddl");
    let mut dora = gateway.connect("dora", &secret);
    allows(&mut dora, "ALTER TABLE vault.codes SET SCHEMA shop");
    allows(&mut dora, "ALTER TABLE shop.codes RENAME TO orders2");
    allows(&mut dora, "ALTER SCHEMA vault RENAME TO vault2");
    refuses(&mut dora, "SELECT * FROM shop.orders2");
}

#[test]
fn what_she_has_made_or_renamed_within_her_scope_she_can_use_in_the_next_breath() {
    let mut stage = Stage::new();
    let at_once = |client: &mut RawClient, sql: &str| {
        let answer = client.query(sql);
        assert!(error(&answer).is_none(), "{sql}: {answer:?}");
    };
    let dora = &mut stage.dora;
    for sql in [
        "CREATE TABLE shop.fresh (id integer, v text)",
        "INSERT INTO shop.fresh VALUES (1, 'a')",
        "ALTER TABLE shop.fresh RENAME TO stale",
        "UPDATE shop.stale SET v = 'b'",
        "SET search_path = shop",
        "ALTER TABLE stale RENAME COLUMN v TO w",
        "SELECT w FROM stale",
        "ALTER TABLE shop.orders RENAME TO orders_of_old",
        "CREATE TABLE orders AS SELECT * FROM orders_of_old",
        "DELETE FROM orders",
    ] {
        at_once(dora, sql);
    }
    let prepared = dora.exchange(
        &[
            query("ALTER TABLE stale RENAME TO fresh"),
            [parse("", "SELECT w FROM fresh", &[]), sync()].concat(),
        ],
        2,
    );
    assert!(error(&prepared).is_none(), "{prepared:?}");
    // Elsewhere it is as far away as before, and a refusal is told all the same.
    at_once(dora, "CREATE TABLE vault.mine (id integer)");
    refuses(dora, "SELECT * FROM vault.mine");
    refuses(dora, "SELECT * FROM vault.codes");
    at_once(dora, "ALTER TABLE shop.fresh SET SCHEMA vault");
    refuses(dora, "SELECT * FROM fresh");
    refuses(dora, "SELECT * FROM vault.fresh");
}
