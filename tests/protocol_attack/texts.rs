//! What the attacker says in SQL, and what each text needs by the README's table: written down here a
//! second time, so that the gateway's own opinion is held against it.

use crate::random::Random;

/// What a text needs, or a principal holds, as bits. Everybody holds explain and info.
pub(crate) type Rights = u8;

/// Reading the schema `open`.
pub(crate) const OPEN: Rights = 1;
/// Reading everything.
pub(crate) const ALL: Rights = 2 | OPEN;
/// More rows than the cap, COPY out.
pub(crate) const EXPORT: Rights = 4;
/// Writing rows.
pub(crate) const DML: Rights = 8;
/// Making things.
pub(crate) const DDL: Rights = 16;
/// Anything else.
pub(crate) const ADMIN: Rights = 32;

/// One statement.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) sql: String,
    pub(crate) needs: Rights,
    /// It returns rows of users' tables, which the cap counts.
    pub(crate) rows: bool,
    /// It writes, or commits: what comes beside a capped result must not.
    pub(crate) lasts: bool,
    /// It says READ WRITE.
    pub(crate) opens: bool,
}

fn text(sql: impl Into<String>, needs: Rights) -> Text {
    let writes = needs & (DML | DDL | ADMIN) != 0;
    let sql = sql.into();
    // Without RETURNING it keeps what it reads to itself.
    let rows = needs & OPEN != 0 && !sql.starts_with("INSERT");
    Text { sql, needs, rows, lasts: writes, opens: false }
}

fn utility(sql: impl Into<String>, needs: Rights) -> Text {
    Text { rows: false, ..text(sql, needs) }
}

/// A query: what can be prepared, bound, declared.
pub(crate) fn query(random: &mut Random) -> Text {
    let list = [
        ("SELECT 1 AS one", 0),
        ("SELECT 'a', NULL, 2.5", 0),
        ("VALUES (1), (2), (3)", 0),
        ("SELECT generate_series(1, 5)", 0),
        ("SELECT count(*) FROM pg_catalog.pg_class WHERE relname = 'pg_class'", 0),
        ("SELECT 1/0", 0),
        ("SELECT 10 / (n - 3) FROM generate_series(1, 5) AS n", 0),
        ("SELECT v FROM open.t", OPEN),
        ("TABLE open.t", OPEN),
        ("SELECT count(*) FROM open.t", OPEN),
        ("SELECT v FROM closed.t", ALL),
        ("SELECT v FROM public.many ORDER BY v LIMIT 7", ALL),
        ("SELECT v FROM public.w ORDER BY v", ALL),
        ("SELECT public.opened()", ALL),
        ("SELECT v, public.opened() FROM open.t", ALL),
        ("SELECT no_such_column FROM open.t", OPEN),
    ];
    let writes = [
        ("INSERT INTO public.w VALUES ('i')", DML),
        ("INSERT INTO public.w VALUES ('r') RETURNING v", DML | ALL),
        ("UPDATE public.w SET v = 'u' WHERE v = 'i'", DML),
        ("DELETE FROM public.w WHERE v = 'u'", DML),
        ("WITH x AS (DELETE FROM public.w RETURNING v) SELECT count(*) FROM x", DML | ALL),
        ("INSERT INTO public.w SELECT v FROM closed.t", DML | ALL),
        ("INSERT INTO public.late VALUES (1), (1)", DML),
        ("SELECT v FROM open.t FOR UPDATE", DML | OPEN),
        ("SELECT nextval('public.s')", DML),
    ];
    if random.percent(65) {
        let (sql, needs) = *random.of(&list);
        text(sql, needs)
    } else {
        let (sql, needs) = *random.of(&writes);
        text(sql, needs)
    }
}

/// Begins, shapes and ends transactions.
pub(crate) fn transaction(random: &mut Random) -> Text {
    let list = [
        "BEGIN",
        "BEGIN",
        "BEGIN READ ONLY",
        "START TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "COMMIT",
        "COMMIT",
        "END",
        "ROLLBACK",
        "ABORT",
        "COMMIT AND CHAIN",
        "ROLLBACK AND CHAIN",
        "SAVEPOINT a",
        "SAVEPOINT b",
        "ROLLBACK TO a",
        "ROLLBACK TO b",
        "RELEASE a",
        "SET TRANSACTION READ ONLY",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    ];
    let opening = [
        "BEGIN READ WRITE",
        "START TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE",
        "SET TRANSACTION READ WRITE",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        "SET default_transaction_read_only = off",
        "SET transaction_read_only = off",
        "SET LOCAL transaction_read_only TO off",
        "RESET default_transaction_read_only",
    ];
    if random.percent(25) {
        return Text { opens: true, ..utility(*random.of(&opening), 0) };
    }
    let sql = *random.of(&list);
    let lasts = sql.starts_with("COMMIT") || sql == "END";
    Text { lasts, ..utility(sql, 0) }
}

/// Settings, and what throws them away.
pub(crate) fn setting(random: &mut Random, application: &str) -> Text {
    let list = [
        "SET search_path = open",
        "SET search_path = closed",
        "SET LOCAL search_path = open, public",
        "SET search_path TO DEFAULT",
        "RESET search_path",
        "SELECT set_config('search_path', 'closed, public', false)",
        "SELECT set_config('search_path', 'open', true)",
        "RESET ALL",
        "DISCARD ALL",
        "DISCARD PLANS",
        "SET TimeZone = 'Europe/Oslo'",
        "SET LOCAL statement_timeout = '20s'",
        "SHOW search_path",
        "SET client_encoding = 'UTF8'",
        "SET standard_conforming_strings = on",
    ];
    match random.below(100) {
        0..10 => utility(format!("SET application_name = '{application}'"), 0),
        10..20 => utility("SET default_transaction_read_only = on", 0),
        20..25 => utility("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", 0),
        _ => utility(*random.of(&list), 0),
    }
}

/// Things that are made, copied, run.
pub(crate) fn other(random: &mut Random) -> Text {
    let list = [
        ("COPY public.w FROM STDIN", DML),
        ("COPY public.w FROM STDIN", DML),
        ("COPY open.t TO STDOUT", OPEN | EXPORT),
        ("COPY (SELECT v FROM public.many ORDER BY v LIMIT 3) TO STDOUT", ALL | EXPORT),
        ("EXPLAIN (COSTS OFF) SELECT v FROM open.t", 0),
        ("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) DELETE FROM public.w", DML),
        ("CREATE TEMP TABLE t (v text)", DDL),
        ("CREATE TEMP TABLE tmp AS SELECT 1 AS v", DDL),
        ("DROP TABLE IF EXISTS pg_temp.t", DDL),
        ("CREATE TABLE public.made (v text)", DDL),
        ("DROP TABLE IF EXISTS public.made", DDL),
        ("TRUNCATE public.w", DDL),
        ("DO $$BEGIN END$$", ADMIN),
        ("SELEC", 0),
        ("", 0),
        ("/* nothing */", 0),
    ];
    let (sql, needs) = *random.of(&list);
    utility(sql, needs)
}

/// What is answered otherwise than directly, or not at all.
pub(crate) fn odd(random: &mut Random, number: u64) -> Text {
    let list = [
        ("SELECT current_setting('transaction_read_only')", 0),
        ("SHOW transaction_read_only", 0),
        ("SHOW default_transaction_read_only", 0),
        ("SELECT set_config('transaction_read_only', 'off', true)", 0),
        ("SELECT set_config('default_transaction_read_only', 'off', false)", 0),
        (
            "UPDATE pg_catalog.pg_settings SET setting = 'off' WHERE name = 'transaction_read_only'",
            ADMIN,
        ),
        ("SELECT * FROM hallpass.whoami", 0),
        ("SELECT * FROM hallpass.grants", 0),
        ("SHOW hallpass.over", 0),
        ("SET hallpass.over = 'cut'", 0),
        ("SET hallpass.over = 'error'", 0),
        ("SELECT v FROM t", OPEN),
        ("SELECT v FROM w", ALL),
        ("SELECT v FROM many", ALL),
        ("SELECT v FROM public.many", ALL),
        ("SELECT string_agg(v, ',') FROM public.many", ALL),
        ("SELECT opened()", ALL),
        ("SET search_path = pg_temp, closed, open", 0),
        ("SET search_path = '$user', open", 0),
        ("DISCARD TEMP", 0),
        ("PREPARE TRANSACTION 'two'", 0),
    ];
    if random.percent(30) {
        let tag = format!("SELECT 'k{number}k', v FROM public.many");
        return text(tag, ALL);
    }
    let (sql, needs) = *random.of(&list);
    text(sql, needs)
}
