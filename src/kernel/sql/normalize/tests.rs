use super::*;
use crate::kernel::sql::{reading::Reading, server_grammar};

fn key(text: &str) -> Vec<u8> {
    let checked = StatementText::new(text.as_bytes(), 1 << 20).expect("text");
    let mut out = Normal::default();
    normalize(&checked, LexMode::POSTGRES, &mut out).expect("normalizes");
    out.key
}

/// Readings without their places.
fn readings(text: &str) -> Option<Vec<Reading>> {
    let mut readings = server_grammar::read(text, LexMode::POSTGRES).ok()?;
    for reading in &mut readings {
        reading.span = 0..0;
        if let Some(inner) = &mut reading.inner {
            inner.span = 0..0;
        }
    }
    Some(readings)
}

#[test]
fn constants_become_holes_where_they_cannot_matter() {
    for (one, other) in [
        (
            "SELECT abalance FROM pgbench_accounts WHERE aid = 4711",
            "select abalance from pgbench_accounts where aid=1;",
        ),
        (
            "SELECT a FROM t WHERE b >= -1.5 AND c LIKE 'x%' OR d <> E'\\''",
            "SELECT a FROM t WHERE b >= -2.5 AND c LIKE '' OR d <> E'a'",
        ),
        (
            "UPDATE t SET a = a + -133, b = 'x' WHERE c = 1",
            "UPDATE t SET a = a + -5, b = 'y' WHERE c = 2",
        ),
        (
            "INSERT INTO t (a, b) VALUES (1, 'x'), (-2, 'y') RETURNING 1, a",
            "INSERT INTO t (a, b) VALUES (3, 'z'), (-4, '') RETURNING 2, a",
        ),
        ("DELETE FROM t WHERE a IN (1, 2, 3)", "DELETE FROM t WHERE a IN (4, 5, 6)"),
        (
            "SELECT a FROM t WHERE b BETWEEN 1 AND 2 LIMIT 10 OFFSET 20",
            "SELECT a FROM t WHERE b BETWEEN 3 AND 4 LIMIT 1 OFFSET 2",
        ),
        ("SELECT 1, 'x' AS b, c + 1 FROM t", "SELECT 2, 'y' AS b, c + 2 FROM t"),
        (
            "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE c = 1)",
            "SELECT a FROM t WHERE EXISTS (SELECT 2 FROM u WHERE c = 2)",
        ),
        (
            "WITH c AS (SELECT 1 FROM t WHERE a = 1) SELECT 2 FROM c",
            "WITH c AS (SELECT 3 FROM t WHERE a = 4) SELECT 5 FROM c",
        ),
        (
            "SELECT 1 FROM a JOIN b ON a.x = 5 WHERE (b.y = 1 OR b.y = 2)",
            "SELECT 1 FROM a JOIN b ON a.x = 6 WHERE (b.y = 3 OR b.y = 4)",
        ),
        ("SELECT 1", "SELECT 2 -- x"),
    ] {
        let other = if one.ends_with(';') == other.ends_with(';') {
            other.to_owned()
        } else {
            other.trim_end_matches(';').to_owned()
        };
        assert_eq!(key(one), key(&other), "{one}");
    }
}

#[test]
fn constants_stay_where_they_may_matter() {
    for (one, other) in [
        ("SELECT a, b FROM t ORDER BY 1", "SELECT a, b FROM t ORDER BY 2"),
        ("SELECT a, b FROM t ORDER BY a, 1", "SELECT a, b FROM t ORDER BY a, 2"),
        ("SELECT a, b FROM t ORDER BY (1)", "SELECT a, b FROM t ORDER BY (2)"),
        ("SELECT a, b FROM t ORDER BY t.select, 1", "SELECT a, b FROM t ORDER BY t.select, 2"),
        (
            "SELECT a, b FROM t ORDER BY t.returning, 1",
            "SELECT a, b FROM t ORDER BY t.returning, 2",
        ),
        ("SELECT a, b FROM t ORDER BY values, (1)", "SELECT a, b FROM t ORDER BY values, (2)"),
        ("SELECT a, b FROM t GROUP BY 1, 2", "SELECT a, b FROM t GROUP BY 2, 1"),
        ("SELECT DISTINCT ON (1) a, b FROM t", "SELECT DISTINCT ON (2) a, b FROM t"),
        ("SELECT 'a'::regclass", "SELECT 'b'::regclass"),
        ("SELECT ('a')::regclass", "SELECT ('b')::regclass"),
        ("SELECT x = 'a'::regclass", "SELECT x = 'b'::regclass"),
        ("SELECT regclass 'a'", "SELECT regclass 'b'"),
        ("SELECT like 'a'", "SELECT like 'b'"),
        ("SELECT CAST('a' AS regclass)", "SELECT CAST('b' AS regclass)"),
        ("SELECT nextval('a')", "SELECT nextval('b')"),
        (
            "SELECT 1 WHERE set_config('a', 'x' || 'b', true) = ''",
            "SELECT 1 WHERE set_config('c', 'x' || 'b', true) = ''",
        ),
        ("SELECT \"f\"('a')", "SELECT \"f\"('b')"),
        ("SELECT s.f('a')", "SELECT s.f('b')"),
        ("SELECT f((SELECT 'a'))", "SELECT f((SELECT 'b'))"),
        ("SELECT d -> 'a' FROM t", "SELECT d -> 'b' FROM t"),
        ("SELECT 1 FROM t WHERE '{a}' -> 'b' = 1", "SELECT 1 FROM t WHERE '{c}' -> 'b' = 1"),
        ("SELECT d[1] FROM t", "SELECT d[2] FROM t"),
        ("SELECT a::numeric(1) FROM t", "SELECT a::numeric(2) FROM t"),
        ("SELECT a FROM f('a')", "SELECT a FROM f('b')"),
        ("SELECT a FROM t WHERE a = interval '1'", "SELECT a FROM t WHERE a = interval '2'"),
        ("SELECT a FROM t WHERE a = 1 COLLATE x", "SELECT a FROM t WHERE a = 2 COLLATE x"),
        ("SET a = 1", "SET a = 2"),
        ("FETCH 1 FROM c", "FETCH 2 FROM c"),
        ("COPY t FROM 'a'", "COPY t FROM 'b'"),
        ("EXPLAIN (ANALYZE 0) SELECT 1", "EXPLAIN (ANALYZE 1) SELECT 1"),
        ("PREPARE p AS SELECT 1", "PREPARE p AS SELECT 2"),
        ("DO 'a'", "DO 'b'"),
        ("SELECT $1", "SELECT $2"),
        ("SELECT \"a\"", "SELECT \"A\""),
        ("SELECT 1", "SELECT 1.0"),
        ("SELECT 1", "SELECT '1'"),
        ("SELECT a IN (1)", "SELECT a IN (1, 2)"),
        ("SELECT U&'a' UESCAPE '!'", "SELECT U&'b' UESCAPE '!'"),
        ("SELECT a FROM t OFFSET 1 ROWS", "SELECT a FROM t OFFSET 2 ROWS"),
    ] {
        assert_ne!(key(one), key(other), "{one}");
    }
}

#[test]
fn numbers_of_a_list_of_mysql_stay() {
    let key = |text: &str| {
        let checked = StatementText::new(text.as_bytes(), 1 << 20).expect("text");
        let mut out = Normal::default();
        normalize(&checked, LexMode::MYSQL, &mut out).expect("normalizes");
        out.key
    };
    // How large it is decides whether what is reckoned may be too large.
    for (one, other) in [
        ("SELECT (a * 12) FROM t", "SELECT (a * 99999999999) FROM t"),
        ("SELECT b, ((a * 12)) FROM t", "SELECT b, ((a * 99999999999)) FROM t"),
        ("SELECT id FROM (SELECT (a * 12) FROM t) d", "SELECT id FROM (SELECT (a * 99) FROM t) d"),
        ("SELECT REPEAT('x', 12) FROM t", "SELECT REPEAT('x', 99999999) FROM t"),
    ] {
        assert_ne!(key(one), key(other), "{one}");
    }
    assert_eq!(key("SELECT (a) FROM t WHERE b = 1"), key("SELECT (a) FROM t WHERE b = 2"));
    let inside = |n: u8| format!("SELECT (SELECT b FROM u WHERE c = {n}) FROM t");
    assert_eq!(key(&inside(1)), key(&inside(2)));
}

#[test]
fn no_text_forges_the_key_of_another() {
    // Words with bytes that could pass for the beginning of a token.
    assert_ne!(key("SELECT a\u{2042}b"), key("SELECT a 'b'"));
    assert_ne!(key("SELECT 'a' b"), key("SELECT 'a b'"));
    assert_ne!(key("SELECT a b"), key("SELECT ab"));
    assert_ne!(key("SELECT \"a\" \"b\""), key("SELECT \"a\"\"b\""));
}

#[test]
fn spans_are_of_this_text() {
    let text = " ;SELECT 1 ; ; UPDATE t SET a = ';' -- x\n; ";
    let checked = StatementText::new(text.as_bytes(), 1 << 20).expect("text");
    let mut out = Normal::default();
    for _ in 0..2 {
        normalize(&checked, LexMode::POSTGRES, &mut out).expect("normalizes");
        let spans: Vec<&str> = out.spans.iter().filter_map(|s| text.get(s.clone())).collect();
        assert_eq!(spans, ["SELECT 1", "UPDATE t SET a = ';'"]);
    }
}

#[test]
fn records_without_literals() {
    let text = "ALTER ROLE x  PASSWORD 'secret' -- hunter2\n; SELECT $1, a.b FROM t WHERE c='x'";
    let checked = StatementText::new(text.as_bytes(), 1 << 20).expect("text");
    assert_eq!(
        without_literals(&checked, LexMode::POSTGRES).expect("lexes"),
        "ALTER ROLE x PASSWORD ? ; SELECT $1, a.b FROM t WHERE c=?"
    );
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    /// Pieces that make statements the server's grammar often accepts, `{}` where a constant stands.
    const PIECES: [&str; 44] = [
        "SELECT {}",
        "SELECT a, {}",
        "FROM t",
        "FROM t, f({})",
        "WHERE a = {}",
        "AND b <> {}",
        "OR c IN ({}, {})",
        "ORDER BY {}",
        "ORDER BY a, {}",
        "GROUP BY {}",
        "LIMIT {}",
        "OFFSET {}",
        "UNION SELECT {}",
        "::regclass",
        "::text",
        "RETURNING a, {}",
        "INSERT INTO t VALUES ({})",
        ", ({}, {})",
        "UPDATE t SET a = {}",
        "DELETE FROM t",
        "WHERE f({}) = {}",
        ", nextval({})",
        "|| {}",
        "-> {}",
        "[{}]",
        "AS x",
        "x",
        "(SELECT {})",
        "IN (SELECT {} FROM u)",
        ", {}",
        "WITH c AS (SELECT {})",
        "HAVING a > {}",
        "BETWEEN {} AND {}",
        "LIKE {}",
        "regclass {}",
        ", ({})",
        "= ({})::regclass",
        "VALUES ({})",
        "ON CONFLICT DO UPDATE SET a = {}",
        ";",
        "JOIN u ON a = {}",
        "CASE WHEN a = {} THEN {} ELSE {} END",
        "set_config({}, {}, true)",
        "DISTINCT ON ({}) a",
    ];

    fn fill(template: &str, mut constant: impl FnMut(usize) -> String) -> String {
        let mut out = String::new();
        for (i, part) in template.split("{}").enumerate() {
            if i > 0 {
                out.push_str(&constant(i));
            }
            out.push_str(part);
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn one_key_means_one_reading(
            pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 1..7),
            first in prop::collection::vec(0_u8..4, 20),
            second in prop::collection::vec(0_u8..4, 20),
            numbers in prop::collection::vec(any::<bool>(), 20),
        ) {
            let template = pieces.join(" ");
            let text = |values: &[u8]| fill(&template, |i| {
                let value = values.get(i % 20).copied().unwrap_or(0);
                if numbers.get(i % 20).copied().unwrap_or(false) {
                    (value + 1).to_string()
                } else {
                    format!("'t{value}'")
                }
            });
            let (one, other) = (text(&first), text(&second));
            if key(&one) == key(&other) {
                prop_assert_eq!(readings(&one), readings(&other), "{} / {}", one, other);
            }
        }
    }
}
