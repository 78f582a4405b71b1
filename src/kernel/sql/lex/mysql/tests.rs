use crate::kernel::sql::{
    analysis::Unreadable,
    lex::{Limits, Tokens, tokenize},
    mode::{ClientSet, LexMode, SqlMode},
    normalize::{Normal, normalize, without_literals},
    text::StatementText,
};

const BOTH: [LexMode; 2] = [LexMode::MYSQL, LexMode::MARIADB];

fn cut(text: &str, mode: LexMode) -> Result<Tokens, Unreadable> {
    let checked = StatementText::new(text.as_bytes(), 1 << 24).expect("text");
    let mut normal = Normal::default();
    let normalized = normalize(&checked, mode, &mut normal);
    let tokens = tokenize(&checked, mode, &Limits::DEFAULT);
    match (&tokens, normalized) {
        (Ok(tokens), normalized) => {
            normalized.expect("normalizes what it cuts");
            let spans: Vec<_> = tokens.statements().iter().map(|s| s.bytes.clone()).collect();
            assert_eq!(normal.spans, spans, "{text}");
        }
        (Err(Unreadable::TooLarge { .. }), _) => {}
        (Err(e), normalized) => assert_eq!(normalized.as_ref(), Err(e), "{text}"),
    }
    tokens
}

/// The tokens as `kind:text`, with a blank between them.
fn told(text: &str, mode: LexMode) -> String {
    let tokens = cut(text, mode).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    let told: Vec<String> =
        tokens.tokens().iter().map(|t| format!("{:?}:{}", t.kind, t.text(text))).collect();
    told.join(" ")
}

fn texts(text: &str, mode: LexMode) -> Vec<String> {
    let tokens = cut(text, mode).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    tokens.tokens().iter().map(|t| t.text(text).to_owned()).collect()
}

fn statements(text: &str, mode: LexMode) -> Vec<String> {
    let tokens = cut(text, mode).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    let of =
        |s: &crate::kernel::sql::lex::StatementRange| text.get(s.bytes.clone()).map(str::to_owned);
    tokens.statements().iter().filter_map(of).collect()
}

fn is_unsure(text: &str, mode: LexMode) {
    match cut(text, mode) {
        Err(Unreadable::Ambiguous { .. }) => {}
        other => panic!("{text}: {other:?}"),
    }
}

fn is_wrong(text: &str, mode: LexMode) {
    match cut(text, mode) {
        Err(Unreadable::Syntax { .. }) => {}
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn comments_end_where_the_servers_end_them() {
    for mode in BOTH {
        assert_eq!(texts("SELECT 1 -- 2\n+3", mode), ["SELECT", "1", "+", "3"]);
        assert_eq!(texts("SELECT 1 --2", mode), ["SELECT", "1", "-", "-", "2"]);
        assert_eq!(texts("SELECT 1 --\u{1}2\n+3", mode), ["SELECT", "1", "+", "3"]);
        assert_eq!(texts("SELECT 1 --", mode), ["SELECT", "1"]);
        // A carriage return ends no comment.
        assert_eq!(texts("SELECT 1 -- \r+3", mode), ["SELECT", "1"]);
        assert_eq!(texts("SELECT 1 # 2\n+3", mode), ["SELECT", "1", "+", "3"]);
        assert_eq!(texts("SELECT/* ; */1", mode), ["SELECT", "1"]);
        // Comments are not nested, and an asterisk before one is an operator.
        assert_eq!(texts("SELECT /* /* */ 1", mode), ["SELECT", "1"]);
        assert_eq!(texts("SELECT */**/FROM t", mode), ["SELECT", "*", "FROM", "t"]);
        is_unsure("SELECT 1 --\u{a0}x", mode);
        is_wrong("SELECT 1 /* x", mode);
        is_wrong("SELECT 1 /*/", mode);
    }
}

#[test]
fn version_comments_are_read_as_each_server_reads_them() {
    let read = ["SELECT", "1", "+", "1"];
    let skipped = ["SELECT", "1"];
    for (comment, mysql, maria) in [
        ("/*!50700 +1*/", true, false),
        ("/*!50699 +1*/", true, true),
        ("/*!40101 +1 */", true, true),
        ("/*! +1 */", true, true),
        ("/*!99999 +1*/", false, false),
        ("/*!100100 +1*/", false, true),
        ("/*!090704 +1*/", true, false),
        ("/*!090705 +1*/", false, false),
        ("/*!080000 +1*/", true, false),
        ("/*M! +1*/", false, true),
        ("/*M!50700 +1*/", false, true),
        ("/*M!100100 +1*/", false, true),
        ("/*M!101200 +1*/", false, false),
    ] {
        let text = format!("SELECT 1 {comment}");
        for (mode, expected) in BOTH.into_iter().zip([mysql, maria]) {
            let expected = if expected { &read[..] } else { &skipped[..] };
            assert_eq!(texts(&text, mode), expected, "{text} {:?}", mode.dialect);
        }
    }
    for mode in BOTH {
        for text in [
            "SELECT 1 /*!1234 +1*/",
            "SELECT 1 /*!50100 +1 /* +2 */ +3 */",
            "SELECT 1 /*!50100 +1 -- */\n",
            "SELECT 1 /*!50100 ; DROP TABLE t */",
            "SELECT 1 /*!99999 /* */ */",
        ] {
            is_unsure(text, mode);
        }
        is_wrong("SELECT 1 /*!50100 +1", mode);
    }
    is_unsure("SELECT 1 /*!500001*/", LexMode::MYSQL);
}

#[test]
fn hints_that_set_variables_are_refused() {
    for mode in BOTH {
        assert_eq!(texts("SELECT /*+ NO_ICP(t) */ 1", mode), ["SELECT", "1"]);
        is_unsure("SELECT /*+ SET_VAR(sql_mode='ansi_quotes') */ 1", mode);
        is_unsure("SELECT /*+ set_VAR(sort_buffer_size=1) */ 1", mode);
        is_unsure("SELECT /*+ RESOURCE_GROUP(x) */ 1", mode);
        // A quoted name of plain letters ends where it seems to; others may hide the comment's end.
        assert_eq!(texts("SELECT /*+ QB_NAME(`a`) */ 1", mode), ["SELECT", "1"]);
        is_unsure("SELECT /*+ QB_NAME(`a*/ 1, `) */ 1", mode);
        is_unsure("SELECT /*+ QB_NAME(`a b`) */ 1", mode);
        is_unsure("SELECT /*+ QB_NAME(`a) */ 1", mode);
        is_unsure("SELECT /*+ QB_NAME(\"a\") */ 1", mode);
        is_unsure("SELECT /*+ QB_NAME(`a`) SET_VAR(sql_mode=4) */ 1", mode);
    }
}

#[test]
fn strings_in_both_quotes() {
    let no_escapes = SqlMode { no_backslash_escapes: true, ..SqlMode::PLAIN };
    let ansi = SqlMode { ansi_quotes: true, ..SqlMode::PLAIN };
    for mode in BOTH {
        assert_eq!(told(r"'a\'b'", mode), r"String:'a\'b'");
        assert_eq!(told("'a''b' \"c\"\"d'\"", mode), "String:'a''b' String:\"c\"\"d'\"");
        assert_eq!(
            told("N'a' n'b' n\"c\"", mode),
            "NationalString:N'a' NationalString:n'b' Word:n String:\"c\""
        );
        assert_eq!(told("_utf8mb4'a'", mode), "Word:_utf8mb4 String:'a'");
        assert_eq!(told("x'4A' B'01'", mode), "BitString:x'4A' BitString:B'01'");
        let mode_in = LexMode { sql: no_escapes, ..mode };
        assert_eq!(told(r"'a\' 'b'", mode_in), r"String:'a\' String:'b'");
        let mode_in = LexMode { sql: ansi, ..mode };
        assert_eq!(
            told("\"a\"\"b\" @\"c\"", mode_in),
            "QuotedIdentifier:\"a\"\"b\" UserVariable:@\"c\""
        );
        for text in ["'a", r"'a\'", "\"a", "x'4'", "x'4g'", "b'2'", "`a"] {
            is_wrong(text, mode);
        }
    }
}

#[test]
fn numbers_and_names_that_begin_with_digits() {
    for mode in BOTH {
        for (text, expected) in [
            (
                "1 1.5 .5 1. 1e5 1.5E-3",
                "Integer:1 Float:1.5 Float:.5 Float:1. Float:1e5 Float:1.5E-3",
            ),
            ("0x1F 0X1F 0b01 0B01", "BitString:0x1F Word:0X1F BitString:0b01 Word:0B01"),
            ("0b12 0xg 1st 1e 1_000", "Word:0b12 Word:0xg Word:1st Word:1e Word:1_000"),
            ("db.1table", "Word:db Dot:. Word:1table"),
            ("db.1e5.2", "Word:db Dot:. Word:1e5 Dot:. Word:2"),
            ("`a`.1", "QuotedIdentifier:`a` Float:.1"),
            ("a .1", "Word:a Float:.1"),
            ("`a`.x'41'", "QuotedIdentifier:`a` Dot:. Word:x String:'41'"),
            ("`a`.n'41'", "QuotedIdentifier:`a` Dot:. Word:n String:'41'"),
            ("a.`b`", "Word:a Dot:. QuotedIdentifier:`b`"),
        ] {
            assert_eq!(told(text, mode), expected, "{text}");
        }
        for text in ["1e5x", "1.x", "1e+", "a..b"] {
            is_unsure(text, mode);
        }
    }
}

#[test]
fn variables() {
    for mode in BOTH {
        for (text, expected) in [
            (
                "@a @a.b$c @`a b` @'a' @\"a\"",
                "UserVariable:@a UserVariable:@a.b$c UserVariable:@`a b` UserVariable:@'a' UserVariable:@\"a\"",
            ),
            ("@@global.x", "SystemVariable:@@global Dot:. Word:x"),
            ("@@`x`", "SystemVariable:@@`x`"),
            ("@a:=1", "UserVariable:@a ColonEquals::= Integer:1"),
            ("'root'@'%'", "String:'root' UserVariable:@'%'"),
            ("root@localhost", "Word:root UserVariable:@localhost"),
        ] {
            assert_eq!(told(text, mode), expected, "{text}");
        }
        is_unsure("@ a", mode);
        is_unsure("@ä", mode);
        is_wrong("@@ a", mode);
    }
}

#[test]
fn operators() {
    for mode in BOTH {
        assert_eq!(texts("a<=>b", mode), ["a", "<=>", "b"]);
        assert_eq!(texts("a<>-1", mode), ["a", "<>", "-", "1"]);
        assert_eq!(texts("a||b&&c", mode), ["a", "||", "b", "&&", "c"]);
        assert_eq!(texts("{d '2020-01-01'}", mode), ["{", "d", "'2020-01-01'", "}"]);
        for text in ["1=!0", "!!1", "a<!b", "a>=<b", "a<=!b"] {
            is_unsure(text, mode);
        }
    }
    assert_eq!(texts("a->'$.b'", LexMode::MYSQL), ["a", "->", "'$.b'"]);
    assert_eq!(texts("a->>'$.b'", LexMode::MYSQL), ["a", "->>", "'$.b'"]);
    assert_eq!(told(r"\N", LexMode::MARIADB), r"Null:\N");
    is_wrong(r"\N", LexMode::MYSQL);
}

#[test]
fn names_beyond_what_servers_keep_are_refused() {
    for mode in BOTH {
        assert_eq!(told("größe", mode), "Word:größe");
        is_unsure("a\u{1f600}", mode);
        is_unsure("`a\u{1f600}`", mode);
        is_unsure("a\u{3000}b", mode);
        is_unsure("``", mode);
        assert_eq!(told("'\u{1f600}'", mode), "String:'\u{1f600}'");
    }
    is_unsure("$a", LexMode::MYSQL);
    is_unsure("$$a$$", LexMode::MYSQL);
}

#[test]
fn character_sets_that_hide_a_backslash_are_ascii_only() {
    for mode in BOTH {
        let gbk = LexMode { client: ClientSet::of("gbk"), ..mode };
        assert_eq!(told("'a'", gbk), "String:'a'");
        is_unsure("'ä'", gbk);
        is_unsure("'a'", LexMode { client: ClientSet::of("ucs2"), ..mode });
        is_unsure("'a'", LexMode { client: ClientSet::of("what"), ..mode });
    }
}

#[test]
fn statements_are_counted_as_the_servers_count_them() {
    for mode in BOTH {
        assert_eq!(statements("SELECT 1; ;SELECT ';'; -- x", mode), ["SELECT 1", "SELECT ';'"]);
        assert_eq!(statements("BEGIN; COMMIT;", mode), ["BEGIN", "COMMIT"]);
        let body = "CREATE PROCEDURE p() SELECT 1;";
        assert_eq!(statements(body, mode), ["CREATE PROCEDURE p() SELECT 1"]);
        let table = "CREATE TABLE t (event int); SELECT 1";
        assert_eq!(statements(table, mode).len(), 2);
        for text in [
            "CREATE PROCEDURE p() SELECT 1; DROP TABLE t",
            "CREATE DEFINER=root@localhost PROCEDURE p() SELECT 1; DROP TABLE t",
            "CREATE DEFINER='a'@'b' TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET @a=1; DROP TABLE t",
            "CREATE DEFINER=table EVENT e DO SELECT 1; SELECT 2",
            "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN RETURN 1; END",
            "BEGIN NOT ATOMIC SELECT 1; END",
            "a: LOOP SELECT 1; END LOOP",
            "IF 1 THEN SELECT 1; END IF",
            "SET STATEMENT max_statement_time=1 FOR BEGIN NOT ATOMIC SELECT 1; END",
        ] {
            is_unsure(text, mode);
        }
    }
}

#[test]
fn a_keys_holes_are_few() {
    let key = |text: &str, mode| {
        let checked = StatementText::new(text.as_bytes(), 1 << 24).expect("text");
        let mut normal = Normal::default();
        normalize(&checked, mode, &mut normal).expect("normalizes");
        normal.key
    };
    for mode in BOTH {
        let same = |a: &str, b: &str| assert_eq!(key(a, mode), key(b, mode), "{a} | {b}");
        let differ = |a: &str, b: &str| assert_ne!(key(a, mode), key(b, mode), "{a} | {b}");
        same("SELECT a FROM t WHERE a = 1", "SELECT a  FROM t WHERE a=2 -- x");
        same("INSERT INTO t VALUES (1, 'a')", "INSERT INTO t VALUES (2, \"b\")");
        differ("SELECT a FROM t WHERE a = 1", "SELECT a FROM t WHERE a = '1'");
        differ("SELECT a FROM t", "SELECT a FROM T");
        differ("SELECT a FROM t LIMIT 1", "SELECT a FROM t LIMIT 2");
        differ("SELECT 'a' FROM t", "SELECT 'b' FROM t");
        differ("SELECT count (a) FROM t", "SELECT count(a) FROM t");
        differ("SELECT a FROM t ORDER BY 1", "SELECT a FROM t ORDER BY 2");
        differ("SELECT @a", "SELECT @b");
    }
}

#[test]
fn what_is_recorded_holds_no_constants() {
    let text =
        StatementText::new(b"SELECT 'a', x'41', 0x41, @`v`, 1.5 /* 7 */", 100).expect("text");
    let shown = without_literals(&text, LexMode::MYSQL).expect("reads");
    assert_eq!(shown, "SELECT ?, ?, ?, @`v`, ?");
}
