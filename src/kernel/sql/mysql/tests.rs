//! Trees and readings of single statements. What statements need is in `tests/cases/mysql`.

use sqlparser::ast::Statement;

use super::{parse::parse, read_tokens};
use crate::kernel::sql::{
    lex::{self, Limits},
    mode::{LexMode, SqlMode},
    reading::{Reading, StatementKind, TransactionChange},
    text::StatementText,
};

fn read(text: &str, mode: LexMode) -> Reading {
    let checked = StatementText::new(text.as_bytes(), 1 << 20).expect("a text");
    let tokens = lex::tokenize(&checked, mode, &Limits::DEFAULT).expect("tokens");
    let mut readings = read_tokens(text, &tokens, mode).expect("reads");
    assert_eq!(readings.len(), 1, "{text}");
    readings.remove(0)
}

fn tree(text: &str, mode: LexMode) -> String {
    match parse(text, mode) {
        Some(Statement::Query(query)) => query.to_string(),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn everyday_forms_are_told_to_the_parser_in_other_words() {
    for (text, seen) in [
        ("SELECT a FROM t LOCK IN SHARE MODE", "SELECT a FROM t FOR SHARE"),
        ("SELECT 1 FROM DUAL", "SELECT 1"),
        ("SELECT a FROM (t, u)", "SELECT a FROM (t CROSS JOIN u)"),
        ("TABLE t", "SELECT * FROM t"),
        ("DO 1", "SELECT 1"),
        ("SELECT a FROM t LIMIT 1 INTO @x", "SELECT a INTO @x FROM t LIMIT 1"),
        ("SELECT a MOD 2 FROM t", "SELECT a % 2 FROM t"),
        ("SELECT a FROM t WHERE a || b", "SELECT a FROM t WHERE a OR b"),
        ("SELECT _latin1'x'", "SELECT 'x'"),
        ("SELECT \"x\"", "SELECT 'x'"),
        ("SELECT CURRENT_USER", "SELECT CURRENT_USER()"),
    ] {
        assert_eq!(tree(text, LexMode::MYSQL), seen, "{text}");
    }
    let joined = SqlMode { pipes_as_concat: true, ..SqlMode::PLAIN };
    let mode = LexMode { sql: joined, ..LexMode::MYSQL };
    assert_eq!(tree("SELECT a || b", mode), "SELECT a || b");
}

#[test]
fn an_assignment_takes_all_of_its_expression() {
    let assigned = |text| read(text, LexMode::MYSQL).mysql.assigned.into_iter().collect::<Vec<_>>();
    assert_eq!(
        tree("SELECT 1 + (@A := 1 + a OR b), c", LexMode::MYSQL),
        "SELECT 1 + (@a := 1 + a OR b), c"
    );
    assert_eq!(assigned("SELECT @A := @b := a FROM t"), ["@a", "@b"]);
    assert_eq!(assigned("SELECT a, b INTO @x, @Y FROM t"), ["@x", "@y"]);
    assert_eq!(assigned("SET @a = 1, SESSION b = 2, @c := 3"), ["@a", "@c"]);
}

#[test]
fn what_is_a_keyword_elsewhere_is_a_name_here() {
    for text in ["SELECT top, qualify, sample, pivot FROM final", "SELECT a FROM t array"] {
        assert_ne!(read(text, LexMode::MYSQL).top, StatementKind::Other, "{text}");
    }
}

#[test]
fn statements_that_commit_unsaid_say_so() {
    let commits = |text| read(text, LexMode::MYSQL).mysql.commits;
    for text in [
        "BEGIN",
        "START TRANSACTION",
        "CREATE TABLE t (a int)",
        "ALTER TABLE t ADD b int",
        "DROP TABLE t",
        "TRUNCATE t",
        "RENAME TABLE t TO u",
        "CREATE USER u",
        "GRANT SELECT ON t TO u",
        "LOCK TABLES t READ",
        "UNLOCK TABLES",
        "ANALYZE TABLE t",
        "FLUSH TABLES",
    ] {
        assert!(commits(text), "{text}");
    }
    for text in
        ["SELECT 1", "CREATE TEMPORARY TABLE t (a int)", "COMMIT", "SAVEPOINT a", "SET a = 1"]
    {
        assert!(!commits(text), "{text}");
    }
}

#[test]
fn settings_and_transactions_are_told_as_they_are() {
    let reading =
        read("SET GLOBAL a = 1, b = 2, SESSION c = 3, @@d = ON, NAMES utf8mb4", LexMode::MYSQL);
    let settings: Vec<_> =
        reading.settings.iter().map(|s| format!("{}={:?}", s.name, s.value.as_deref())).collect();
    assert_eq!(
        settings,
        [
            "@@global.a=Some(\"1\")",
            "@@global.b=Some(\"2\")",
            "c=Some(\"3\")",
            "d=Some(\"ON\")",
            "character_set_client=Some(\"utf8mb4\")",
            "character_set_results=Some(\"utf8mb4\")",
            "character_set_connection=Some(\"utf8mb4\")",
        ]
    );
    let transaction = |text| read(text, LexMode::MYSQL).transaction;
    let read_only = TransactionChange::Begin { read_write: Some(false) };
    assert_eq!(transaction("START TRANSACTION READ ONLY"), Some(read_only));
    assert_eq!(transaction("COMMIT AND CHAIN"), Some(TransactionChange::Commit { chain: true }));
    assert_eq!(transaction("ROLLBACK TO A"), Some(TransactionChange::RollbackTo("a".into())));
    assert_eq!(read("USE `Shop`", LexMode::MYSQL).object.as_deref(), Some("Shop"));
    assert_eq!(read("KILL QUERY 5", LexMode::MYSQL).object.as_deref(), Some("query 5"));
}

#[test]
fn parameters_are_counted() {
    for (text, count) in [("SELECT ?, ?", 2), ("SET @a = ?", 1), ("CALL p(?, 1, ?)", 2)] {
        assert_eq!(read(text, LexMode::MARIADB).parameters, count, "{text}");
    }
}
