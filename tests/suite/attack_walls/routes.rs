//! The routes. To add one: its messages, and whether they open a session of a bare server.

/// What becomes of a session at a bare server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bare {
    /// It can write.
    Opens,
    /// The server itself keeps it read-only.
    Keeps,
}

pub(super) struct Route {
    pub(super) texts: &'static [&'static str],
    pub(super) bare: Bare,
}

const fn opens(texts: &'static [&'static str]) -> Route {
    Route { texts, bare: Bare::Opens }
}

const fn keeps(texts: &'static [&'static str]) -> Route {
    Route { texts, bare: Bare::Keeps }
}

pub(super) const ROUTES: &[Route] = &[
    // SET.
    opens(&["SET default_transaction_read_only = off"]),
    opens(&["SET SESSION \"Default_Transaction_Read_Only\" TO 'off'"]),
    opens(&["SET default_transaction_read_only TO 0"]),
    opens(&["SET default_transaction_read_only = 'of'"]),
    opens(&[
        "BEGIN",
        "SET LOCAL default_transaction_read_only = off",
        "COMMIT AND CHAIN",
        "SET transaction_read_only = off",
    ]),
    opens(&["SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"]),
    opens(&[
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE",
    ]),
    opens(&["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY, READ WRITE"]),
    // set_config, wherever a function may stand.
    opens(&["SELECT set_config('default_transaction_read_only', 'off', false)"]),
    opens(&["SELECT pg_catalog.set_config('Default_Transaction_Read_Only', 'off', false)"]),
    opens(&["SELECT set_config('default_' || 'transaction_read_only', 'off', false)"]),
    opens(&["SELECT set_config(name, 'off', false) FROM pg_settings \
             WHERE name = 'default_transaction_read_only'"]),
    opens(&["SELECT 1 WHERE set_config('default_transaction_read_only', 'off', false) = 'off'"]),
    opens(&["SELECT * FROM set_config('default_transaction_read_only', 'off', false)"]),
    opens(&["SELECT v FROM (VALUES (1)) AS t (v), \
             LATERAL set_config('default_transaction_read_only', 'off', v > 1)"]),
    opens(&[
        "WITH c AS MATERIALIZED (SELECT set_config('default_transaction_read_only', 'off', false) AS v) \
             SELECT * FROM c",
    ]),
    opens(&["VALUES (set_config('default_transaction_read_only', 'off', false))"]),
    opens(&["SELECT 1 ORDER BY set_config('default_transaction_read_only', 'off', false)"]),
    opens(&["SELECT 1 LIMIT length(set_config('default_transaction_read_only', 'off', false))"]),
    opens(&["SELECT count(set_config('default_transaction_read_only', 'off', false))"]),
    opens(&[
        "SELECT CASE WHEN true THEN set_config('default_transaction_read_only', 'off', false) END",
    ]),
    opens(&["SELECT ARRAY[set_config('default_transaction_read_only', 'off', false)]"]),
    opens(&["SELECT id FROM orders WHERE id = 1 AND \
             set_config('default_transaction_read_only', 'off', false) = 'off'"]),
    opens(&["EXPLAIN ANALYZE SELECT set_config('default_transaction_read_only', 'off', false)"]),
    opens(&["COPY (SELECT set_config('default_transaction_read_only', 'off', false)) TO STDOUT"]),
    opens(&["SELECT now FROM opening"]),
    opens(&["TABLE opening"]),
    // Names that lead there.
    opens(&[
        "PREPARE p AS SELECT set_config('default_transaction_read_only', 'off', false)",
        "EXECUTE p",
    ]),
    opens(&[
        "PREPARE p AS SELECT set_config($1, $2, false)",
        "EXECUTE p('default_transaction_read_only', 'off')",
    ]),
    opens(&[
        "PREPARE p (text) AS SELECT set_config('default_transaction_read_only', $1, false)",
        "EXECUTE p('off')",
    ]),
    opens(&[
        "PREPARE p (text) AS SELECT $1",
        "EXECUTE p(set_config('default_transaction_read_only', 'off', false))",
    ]),
    opens(&[
        "PREPARE p AS SELECT set_config('default_transaction_read_only', 'off', false)",
        "EXPLAIN ANALYZE EXECUTE p",
    ]),
    opens(&[
        "BEGIN",
        "DECLARE c CURSOR FOR SELECT set_config('default_transaction_read_only', 'off', false)",
        "FETCH 1 FROM c",
        "COMMIT",
    ]),
    opens(&[
        "BEGIN",
        "DECLARE c CURSOR FOR SELECT set_config('default_transaction_read_only', 'off', false)",
        "MOVE 1 FROM c",
        "COMMIT",
    ]),
    opens(&[
        "BEGIN",
        "DECLARE c CURSOR FOR SELECT set_config('default_transaction_read_only', 'off', false) \
             FROM generate_series(1, 2)",
        "FETCH 1 FROM c",
        "COMMIT",
    ]),
    // A cursor that is held runs to its end when its transaction is committed.
    opens(&["DECLARE c CURSOR WITH HOLD FOR \
             SELECT set_config('default_transaction_read_only', 'off', false)"]),
    opens(&[
        "BEGIN",
        "DECLARE c CURSOR WITH HOLD FOR \
             SELECT set_config('default_transaction_read_only', 'off', false)",
        "COMMIT",
    ]),
    opens(&[
        "BEGIN",
        "DECLARE c CURSOR WITH HOLD FOR \
             SELECT set_config('default_transaction_read_only', 'off', false)",
        "COMMIT AND CHAIN",
        "COMMIT",
    ]),
    opens(&["BEGIN", "DECLARE c CURSOR WITH HOLD FOR SELECT opens()", "COMMIT"]),
    // Code.
    opens(&["SELECT opens()"]),
    opens(&["SELECT id FROM orders WHERE opens() IS NOT NULL LIMIT 1"]),
    opens(&["BEGIN", "SELECT opens()", "COMMIT"]),
    opens(&["SELECT opens()", "COMMIT"]),
    opens(&["BEGIN", "SAVEPOINT a", "SELECT opens()", "RELEASE a", "COMMIT"]),
    opens(&["PREPARE p AS SELECT opens()", "EXECUTE p"]),
    opens(&["BEGIN", "DECLARE c CURSOR FOR SELECT opens()", "MOVE 1 FROM c", "COMMIT"]),
    opens(&["SELECT setting('default_transaction_read_only', 'off')"]),
    opens(&["SELECT opens_at_once()"]),
    opens(&["EXPLAIN SELECT opens_at_once()"]),
    opens(&["BEGIN", "DECLARE c CURSOR FOR SELECT opens_at_once()", "COMMIT"]),
    opens(&["BEGIN", "PREPARE p AS SELECT opens()", "EXPLAIN ANALYZE EXECUTE p", "COMMIT"]),
    opens(&["DO $$BEGIN PERFORM set_config('default_transaction_read_only', 'off', false); END$$"]),
    opens(&["DO $$BEGIN SET default_transaction_read_only = off; END$$"]),
    keeps(&["SELECT opens_now()"]),
    keeps(&["SELECT clause()"]),
    keeps(&["SELECT clause_now()"]),
    keeps(&["BEGIN", "SELECT opens_now()"]),
    // One transaction.
    opens(&["BEGIN READ WRITE"]),
    opens(&["START TRANSACTION READ WRITE"]),
    opens(&["BEGIN ISOLATION LEVEL SERIALIZABLE, READ WRITE"]),
    opens(&["BEGIN READ ONLY, READ WRITE"]),
    opens(&["BEGIN", "BEGIN READ WRITE"]),
    opens(&["BEGIN", "SET TRANSACTION READ WRITE"]),
    opens(&["BEGIN", "SET transaction_read_only = off"]),
    opens(&["BEGIN", "SET LOCAL transaction_read_only TO off"]),
    opens(&["BEGIN READ WRITE", "COMMIT AND CHAIN"]),
    opens(&["BEGIN READ WRITE", "ROLLBACK AND CHAIN"]),
    opens(&["BEGIN READ WRITE", "SAVEPOINT a", "SET TRANSACTION READ ONLY", "ROLLBACK TO a"]),
    opens(&["BEGIN READ WRITE", "SAVEPOINT a", "SET TRANSACTION READ ONLY", "RELEASE a"]),
    opens(&["BEGIN READ WRITE", "SAVEPOINT a", "SAVEPOINT b", "ROLLBACK TO a", "RELEASE a"]),
    opens(&["BEGIN; SET TRANSACTION READ WRITE"]),
    opens(&["BEGIN READ WRITE; SAVEPOINT a"]),
    keeps(&["SELECT set_config('transaction_read_only', 'off', true)"]),
    keeps(&["BEGIN", "SELECT set_config('transaction_read_only', 'off', true)"]),
    keeps(&["BEGIN", "SELECT 1", "SET TRANSACTION READ WRITE"]),
    keeps(&["BEGIN", "SAVEPOINT a", "SET TRANSACTION READ WRITE"]),
    opens(&["BEGIN", "SET transaction_read_only TO DEFAULT"]),
    opens(&["BEGIN", "RESET transaction_read_only"]),
    keeps(&["SELECT resets()"]),
    keeps(&["BEGIN", "SELECT resets()"]),
    // Back to what the session began with.
    keeps(&["RESET default_transaction_read_only"]),
    keeps(&["SET default_transaction_read_only TO DEFAULT"]),
    keeps(&["SET default_transaction_read_only FROM CURRENT"]),
    keeps(&["RESET ALL"]),
    keeps(&["DISCARD ALL"]),
    keeps(&["RESET SESSION AUTHORIZATION", "RESET ROLE", "RESET ALL"]),
    opens(&["RESET ALL", "SET default_transaction_read_only = off"]),
    opens(&["SET default_transaction_read_only = off; SELECT 1"]),
    opens(&["BEGIN; SET default_transaction_read_only = off; COMMIT"]),
    keeps(&["SET default_transaction_read_only = off; SAVEPOINT a"]),
    // What stands for a setting.
    keeps(&["UPDATE pg_settings SET setting = 'off' WHERE name = 'default_transaction_read_only'"]),
    keeps(&["ALTER ROLE CURRENT_USER SET default_transaction_read_only = off", "RESET ALL"]),
    keeps(&["ALTER DATABASE shop SET default_transaction_read_only = off", "DISCARD ALL"]),
    keeps(&["ALTER SYSTEM SET default_transaction_read_only = off", "SELECT pg_reload_conf()"]),
];
