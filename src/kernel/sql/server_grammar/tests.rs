use super::*;
use crate::kernel::sql::reading::{RawName, SettingChange, TransactionChange};
use StatementKind as K;

fn all(text: &str) -> Vec<Reading> {
    read(text, LexMode::POSTGRES).unwrap_or_else(|e| panic!("{text}: {e:?}"))
}

fn one(text: &str) -> Reading {
    let mut readings = all(text);
    assert_eq!(readings.len(), 1, "{text}");
    readings.remove(0)
}

/// Kinds, top first, then the rest in order.
fn kinds(text: &str) -> Vec<K> {
    let r = one(text);
    let mut kinds = vec![r.top];
    kinds.extend(r.kinds.into_iter().filter(|k| *k != r.top));
    kinds
}

/// `r:` read, `w:` write, `l:` lock rows, `t:` lock table, `d:` define, `f:` refer.
fn relations(text: &str) -> Vec<String> {
    let letter = |access| match access {
        Access::Refer => 'f',
        Access::Read => 'r',
        Access::Write => 'w',
        Access::LockRows => 'l',
        Access::LockTable => 't',
        Access::Define => 'd',
    };
    one(text).relations.iter().map(|u| format!("{}:{}", letter(u.access), u.name)).collect()
}

fn routines(text: &str) -> Vec<String> {
    one(text).routines.iter().map(|u| u.name.to_string()).collect()
}

#[test]
fn tables_are_found_wherever_they_stand() {
    for (text, expected) in [
        ("SELECT 1 FROM a, s.b JOIN c USING (x) WHERE y IN (SELECT 1 FROM d)", "r:a r:c r:d r:s.b"),
        (
            "INSERT INTO a VALUES ((SELECT max(x) FROM b)) RETURNING (SELECT 1 FROM c)",
            "w:a r:a r:b r:c",
        ),
        (
            "UPDATE a SET (x, y) = (SELECT 1, 2 FROM b) FROM c WHERE z = (SELECT 1 FROM d)",
            "w:a r:b r:c r:d",
        ),
        ("DELETE FROM a USING b WHERE EXISTS (SELECT 1 FROM c)", "w:a r:b r:c"),
        (
            "MERGE INTO a USING b ON true WHEN MATCHED THEN UPDATE SET x = (SELECT 1 FROM c)",
            "w:a r:b r:c",
        ),
        (
            "SELECT 1 FROM a TABLESAMPLE system (1) ORDER BY (SELECT 1 FROM b) LIMIT (SELECT 1 FROM c)",
            "r:a r:b r:c",
        ),
        ("SELECT sum(x) OVER (PARTITION BY (SELECT 1 FROM b)) FROM a", "r:a r:b"),
        ("INSERT INTO a VALUES (1) ON CONFLICT (x) DO UPDATE SET y = (SELECT 1 FROM b)", "w:a r:b"),
        ("PREPARE p AS DELETE FROM a", "w:a"),
        ("DECLARE c CURSOR FOR SELECT 1 FROM a", "r:a"),
        ("EXPLAIN SELECT 1 FROM a", "r:a"),
        ("TABLE a", "r:a"),
        ("COPY (SELECT 1 FROM a) TO STDOUT", "r:a"),
        ("COPY a FROM STDIN", "w:a"),
        ("COPY a TO STDOUT", "r:a"),
        ("SELECT * INTO n FROM a", "r:a d:n"),
        ("SELECT 1 FROM a UNION SELECT 2 FROM b", "r:a r:b"),
        ("CREATE TABLE n AS SELECT 1 FROM a", "r:a d:n"),
        ("CREATE VIEW v AS SELECT 1 FROM a", "r:a d:v"),
        ("CREATE TABLE n (x int REFERENCES a, LIKE b) INHERITS (c)", "f:a f:b d:c d:n"),
        ("DROP TABLE a, s.b", "d:a d:s.b"),
        ("DROP TRIGGER t ON s.a", "d:s.a"),
        ("COMMENT ON COLUMN s.a.x IS 'y'", "d:s.a"),
        ("TRUNCATE a", "d:a"),
        ("ANALYZE a (x)", "d:a"),
        ("ALTER TABLE a ATTACH PARTITION b DEFAULT", "d:a d:b"),
        ("LOCK TABLE a IN SHARE MODE", "t:a"),
        ("REFRESH MATERIALIZED VIEW a", "w:a"),
        ("GRANT SELECT ON a TO x", "d:a"),
        ("SELECT 1 FROM XMLTABLE('/x' PASSING (SELECT d FROM a) COLUMNS c int)", "r:a"),
        ("SELECT 1 FROM JSON_TABLE((SELECT d FROM a), '$' COLUMNS (c int))", "r:a"),
    ] {
        let mut expected: Vec<String> = expected.split(' ').map(str::to_owned).collect();
        let mut found = relations(text);
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn ctes_hide_tables_inside_their_query_only() {
    for (text, expected) in [
        ("WITH c AS (SELECT 1 FROM a) SELECT 1 FROM c", "r:a"),
        ("WITH c AS (SELECT 1 FROM c) SELECT 1 FROM c", "r:c"),
        ("WITH RECURSIVE c AS (SELECT 1 FROM c) SELECT 1 FROM c", ""),
        ("WITH c AS (SELECT 1) SELECT 1 FROM public.c", "r:public.c"),
        ("WITH x AS (SELECT 1 FROM y), y AS (SELECT 1) SELECT 1 FROM x, y", "r:y"),
        ("WITH RECURSIVE x AS (SELECT 1 FROM y), y AS (SELECT 1) SELECT 1 FROM x", ""),
        ("SELECT (WITH c AS (SELECT 1) SELECT 1 FROM c), (SELECT 1 FROM c)", "r:c"),
        ("WITH c AS (SELECT 1) SELECT (SELECT 1 FROM c)", ""),
        ("WITH c AS (SELECT 1) INSERT INTO c SELECT 1 FROM c", "w:c"),
        ("WITH c AS (SELECT 1) DELETE FROM c", "w:c"),
        ("WITH c AS (SELECT 1) SELECT 1 FROM c FOR UPDATE", ""),
        ("(WITH c AS (SELECT 1) SELECT 1 FROM c) UNION SELECT 2 FROM c", "r:c"),
    ] {
        let expected: Vec<&str> = expected.split_terminator(' ').collect();
        assert_eq!(relations(text), expected, "{text}");
    }
}

#[test]
fn row_locks_fall_on_the_tables_they_name() {
    for (text, expected) in [
        ("SELECT 1 FROM a, b FOR UPDATE", "r:a l:a r:b l:b"),
        ("SELECT 1 FROM a x, b FOR NO KEY UPDATE OF x", "r:a l:a r:b"),
        ("SELECT 1 FROM a JOIN s.b ON true FOR SHARE OF b", "r:a r:s.b l:s.b"),
        ("SELECT 1 FROM (SELECT 1 FROM a) q, b FOR KEY SHARE OF q", "r:a l:a r:b"),
        ("SELECT 1 FROM a WHERE x IN (SELECT 1 FROM b) FOR UPDATE SKIP LOCKED", "r:a l:a r:b"),
        ("WITH c AS (SELECT 1 FROM a FOR UPDATE) SELECT 1 FROM c", "r:a l:a"),
    ] {
        let mut found = relations(text);
        found.sort();
        let mut expected: Vec<String> = expected.split(' ').map(str::to_owned).collect();
        expected.sort();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn kinds_are_found_wherever_a_statement_stands() {
    for (text, expected) in [
        ("SELECT 1", vec![K::Select]),
        ("VALUES (1)", vec![K::Values]),
        ("INSERT INTO t VALUES (1)", vec![K::Insert]),
        ("INSERT INTO t SELECT 1", vec![K::Insert, K::Select]),
        ("WITH x AS (DELETE FROM t RETURNING 1) SELECT 1 FROM x", vec![K::Select, K::Delete]),
        ("WITH x AS (SELECT 1) UPDATE t SET a = 1", vec![K::Update, K::Select]),
        ("EXPLAIN DELETE FROM t", vec![K::Explain, K::Delete]),
        ("EXPLAIN ANALYZE DELETE FROM t", vec![K::ExplainAnalyze, K::Delete]),
        ("EXPLAIN (ANALYZE off, analyze 1) SELECT 1", vec![K::ExplainAnalyze, K::Select]),
        ("EXPLAIN (ANALYZE 'off') SELECT 1", vec![K::Explain, K::Select]),
        ("EXPLAIN (ANALYZE 0, verbose) VALUES (1)", vec![K::Explain, K::Values]),
        ("EXPLAIN EXECUTE p(1)", vec![K::Explain, K::Execute]),
        ("SELECT 1 INTO t", vec![K::CreateTableAs, K::Select]),
        ("SELECT 1 INTO t UNION SELECT 2", vec![K::CreateTableAs, K::Select]),
        ("WITH x AS (SELECT 1) SELECT 1 INTO t FROM x", vec![K::CreateTableAs, K::Select]),
        ("CREATE TABLE t AS VALUES (1)", vec![K::CreateTableAs, K::Values]),
        ("COPY t TO PROGRAM 'rm'", vec![K::CopyServer]),
        ("COPY t FROM '/etc/passwd'", vec![K::CopyServer]),
        ("COPY (DELETE FROM t RETURNING 1) TO STDOUT", vec![K::CopyToClient, K::Delete]),
        ("PREPARE p AS DELETE FROM t", vec![K::Prepare, K::Delete]),
        ("CREATE VIEW v AS SELECT 1", vec![K::SchemaChange, K::Select]),
        (
            "CREATE RULE r AS ON INSERT TO t DO (DELETE FROM a; UPDATE b SET x = 1)",
            vec![K::CreateCode, K::Update, K::Delete],
        ),
        (
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC DELETE FROM t; SELECT 1; END",
            vec![K::CreateCode, K::Select, K::Delete],
        ),
        (
            "CREATE SCHEMA s CREATE TABLE t (a int) GRANT SELECT ON t TO x",
            vec![K::SchemaChange, K::Privileges],
        ),
        ("ALTER TABLE t OWNER TO x", vec![K::SchemaChange, K::Privileges]),
        ("ALTER TABLE t DISABLE TRIGGER ALL", vec![K::SchemaChange]),
        ("ALTER TABLE t DISABLE RULE r", vec![K::SchemaChange, K::CreateCode]),
        ("DROP FUNCTION f()", vec![K::DropCode]),
        ("ALTER ROLE r SET search_path = x", vec![K::Privileges]),
        ("VACUUM t", vec![K::Maintenance]),
        ("LOCK t IN ACCESS SHARE MODE", vec![K::LockShare]),
        ("DO $$ BEGIN END $$", vec![K::Do]),
        ("CALL p(1)", vec![K::Call]),
        ("SET ROLE x", vec![K::SetRole]),
        ("RESET SESSION AUTHORIZATION", vec![K::SetRole]),
        ("PREPARE TRANSACTION 'x'", vec![K::TwoPhase]),
        ("MOVE 3 FROM c", vec![K::Move]),
        ("CREATE FOREIGN TABLE f (a int) SERVER s", vec![K::Server]),
    ] {
        let mut found = kinds(text);
        let mut expected = expected;
        assert_eq!(found.first(), expected.first(), "{text}");
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn routines_are_calls_as_people_write_them() {
    assert_eq!(routines("SELECT now(), s.f(x), count(*) FILTER (WHERE g(1))").len(), 4);
    assert_eq!(
        routines(
            "SELECT extract(year FROM d), coalesce(a, b), trim(a), substring(a FROM 1), \
             position(a IN b), d AT TIME ZONE 'x', current_user, nullif(a, b), greatest(a), \
             xmlelement(name x), CAST(a AS int)"
        ),
        Vec::<String>::new()
    );
    assert_eq!(routines("SELECT substring(a, 1), overlay(a, b, 1)"), ["overlay", "substring"]);
    assert_eq!(routines("SELECT * FROM ROWS FROM (f(1), g(2)) AS x"), ["f", "g"]);
    assert_eq!(routines("CALL s.p(f(1))"), ["f", "s.p"]);
}

#[test]
fn literals_of_calls_are_kept_by_position() {
    let literals = |text: &str| one(text).routines.pop_first().expect("one").literals;
    let text = |s: &str| Some(s.to_owned());
    assert_eq!(literals("SELECT set_config('a', x, 'b'::text)"), [text("a"), None, text("b")]);
    assert_eq!(literals("SELECT nextval('s'::regclass)"), [text("s")]);
    // A cast that cuts the text off.
    assert_eq!(literals("SELECT set_config('search_pathx'::varchar(11), 'b')"), [None, text("b")]);
    assert_eq!(literals("SELECT set_config(new_value => 'a', setting_name => 'b')"), [None, None]);
    assert_eq!(literals("SELECT f(VARIADIC '{a}')"), [None]);
}

#[test]
fn settings_and_transactions() {
    let setting = |text: &str| {
        let SettingChange { name, value, local } = one(text).settings.remove(0);
        (name, value, local)
    };
    let s = str::to_owned;
    assert_eq!(setting("SET \"Search_Path\" = a, 'B'"), (s("search_path"), Some(s("a, B")), false));
    assert_eq!(setting("SET LOCAL x.y TO DEFAULT"), (s("x.y"), None, true));
    assert_eq!(setting("SET TIME ZONE 'utc'"), (s("timezone"), Some(s("utc")), false));
    assert_eq!(setting("SET NAMES 'sjis'"), (s("client_encoding"), Some(s("sjis")), false));
    assert_eq!(setting("SET SCHEMA 'x'"), (s("search_path"), Some(s("x")), false));
    assert_eq!(setting("RESET ALL"), (s("*"), None, false));
    assert_eq!(setting("SET ROLE NONE"), (s("role"), Some(s("none")), false));
    assert_eq!(
        setting("SET statement_timeout = -5"),
        (s("statement_timeout"), Some(s("-5")), false)
    );
    let transaction = |text: &str| one(text).transaction.expect("one");
    use TransactionChange as T;
    assert_eq!(
        transaction("START TRANSACTION READ WRITE, READ ONLY"),
        T::Begin { read_write: Some(true) }
    );
    assert_eq!(transaction("BEGIN READ ONLY"), T::Begin { read_write: Some(false) });
    assert_eq!(transaction("END AND CHAIN"), T::Commit { chain: true });
    assert_eq!(transaction("ROLLBACK TO x"), T::RollbackTo(s("x")));
    assert_eq!(
        transaction("SET TRANSACTION READ WRITE"),
        T::Set { read_write: Some(true), session: false }
    );
    assert_eq!(
        transaction("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE"),
        T::Set { read_write: None, session: true }
    );
    assert_eq!(kinds("SET TRANSACTION SNAPSHOT 'x'"), [K::Transaction]);
    assert_eq!(kinds("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"), [K::Set]);
}

#[test]
fn names_of_session_objects() {
    let object = |text: &str| one(text).object.expect("one");
    for (text, expected) in [
        ("DEALLOCATE ALL", "*"),
        ("DEALLOCATE \"All\"", "All"),
        ("CLOSE ALL", "*"),
        ("FETCH ALL FROM c", "c"),
        ("SHOW Search_Path", "search_path"),
        ("UNLISTEN *", "*"),
        ("NOTIFY n, 'x'", "n"),
        ("EXECUTE p(1)", "p"),
        ("DISCARD TEMP", "temp"),
        ("DISCARD ALL", "all"),
    ] {
        assert_eq!(object(text), expected, "{text}");
    }
    let declared = one("DECLARE c CURSOR WITH HOLD FOR SELECT f($2) FROM a");
    assert!(declared.holds);
    assert_eq!(declared.parameters, 2);
    let inner = declared.inner.expect("inner");
    assert_eq!(inner.top, K::Select);
    assert_eq!(inner.relations.len(), 1);
}

#[test]
fn operators_and_types() {
    let r = one("SELECT a LIKE b, a BETWEEN 1 AND 2, a OPERATOR(s.@@) b, x = ANY (SELECT 1), \
                 y IN (SELECT 2), z::s.t FROM q ORDER BY a USING <~");
    let expected = ["<", "<=", "<~", "=", ">", ">=", "@@", "~~"];
    assert_eq!(r.operators.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    assert!(r.types.contains(&RawName(vec!["s".into(), "t".into()])));
}

#[test]
fn spans_are_the_statements_without_semicolons() {
    let text = " /* a */ SELECT 'é';; -- x\n INSERT INTO t VALUES (1),(2),(3),(4) ; COMMIT";
    let spans: Vec<&str> =
        all(text).into_iter().map(|r| text.get(r.span).expect("in the text")).collect();
    assert_eq!(spans, ["SELECT 'é'", "INSERT INTO t VALUES (1),(2),(3),(4)", "COMMIT"]);
    assert!(all("").is_empty());
    assert!(all(" ; -- x").is_empty());
}

#[test]
fn errors_are_the_servers_with_their_place() {
    for (text, message, position) in [
        ("SELECT * FORM t", "syntax error at or near \"FORM\"", Some(10)),
        ("SELECT é FROM é FROM b", "syntax error at or near \"FROM\"", Some(17)),
        ("SELECT 1; FROM; SELECT 2; FROM", "syntax error at or near \"FROM\"", Some(11)),
        ("SELECT (", "syntax error at end of input", Some(9)),
        ("(SELECT 1 LIMIT 1) LIMIT 2", "multiple LIMIT clauses not allowed", None),
    ] {
        let expected = Unreadable::Syntax { message: message.to_owned(), position };
        assert_eq!(read(text, LexMode::POSTGRES), Err(expected), "{text}");
    }
}

#[test]
fn backslashes_follow_the_mode() {
    let off = LexMode { standard_conforming_strings: false, ..LexMode::POSTGRES };
    let text = r"SELECT '\'; DROP TABLE x; --'";
    assert_eq!(all(text).len(), 2);
    assert_eq!(read(text, off).expect("reads").len(), 1);
}

#[test]
fn counts_that_differ_are_refused() {
    // `end` is a bare column label to the server and the end of the body to us.
    let text = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 end; SELECT 2; END";
    assert_eq!(read(text, LexMode::POSTGRES), Err(Unreadable::Disagreement));
    let text = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 case; END; DROP TABLE x";
    assert_eq!(read(text, LexMode::POSTGRES), Err(Unreadable::Disagreement));
}

#[test]
fn deep_texts_are_read_on_a_large_stack_and_never_kill() {
    let read_large = |text: String| {
        let run = move || read(&text, LexMode::POSTGRES).map(|r| r.len());
        let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(run).expect("thread");
        thread.join().expect("no panic")
    };
    assert_eq!(read_large(format!("SELECT 1{}", "+1".repeat(500))), Ok(1));
    assert_eq!(read_large(format!("SELECT 1{}", " OR true".repeat(4_900))), Ok(1));
    for text in [
        format!("SELECT 1{}", "+1".repeat(4_999)),
        format!("SELECT 1{}", "::int".repeat(4_999)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(4_999)),
        format!("SELECT {}1{}", "(".repeat(499), ")".repeat(499)),
        format!("SELECT {}1{}", "(SELECT ".repeat(499), ")".repeat(499)),
        format!("SELECT {}1{}", "f(".repeat(499), ")".repeat(499)),
        format!("SELECT {} true", "NOT ".repeat(4_999)),
        format!("SELECT {} 1", "- ".repeat(4_999)),
        format!("SELECT 1 FROM a{}", " JOIN b ON true".repeat(4_999)),
        format!("SELECT {}1{}", "CASE WHEN true THEN ".repeat(2_000), " END".repeat(2_000)),
        format!("SELECT {}", "EXPLAIN ".repeat(4_999)),
    ] {
        let result = read_large(text);
        assert!(
            matches!(result, Ok(1) | Err(Unreadable::TooLarge { .. } | Unreadable::Syntax { .. })),
            "{result:?}"
        );
    }
}

#[test]
fn what_an_ordinary_stack_is_trusted_with_fits_there() {
    for unit in ["+1", "::int", " UNION SELECT 1", " OR a || b"] {
        let mut text = String::from("SELECT 1");
        for _ in 0..200 {
            let next = format!("{text}{unit}");
            let checked = StatementText::new(next.as_bytes(), usize::MAX).expect("text");
            let tokens = tokenize(&checked, LexMode::POSTGRES, &Limits::DEFAULT).expect("lexes");
            if tokens.needs_large_stack() {
                break;
            }
            text = next;
        }
        let run = move || read(&text, LexMode::POSTGRES).is_ok();
        let thread =
            std::thread::Builder::new().stack_size(1_500 << 10).spawn(run).expect("thread");
        assert!(thread.join().expect("no panic"), "{unit}");
    }
}
