//! Traps of sqlparser, each with the reading that the server would give.

use super::*;

fn whole(text: &str) -> Reading {
    match read(text) {
        Some(Seen::Whole(reading)) => *reading,
        other => panic!("{text}: {other:?}"),
    }
}

fn kinds(text: &str) -> Vec<StatementKind> {
    whole(text).kinds.into_iter().collect()
}

fn uses(text: &str) -> Vec<String> {
    whole(text).relations.iter().map(|u| format!("{:?} {}", u.access, u.name)).collect()
}

fn routines(text: &str) -> Vec<String> {
    whole(text).routines.iter().map(|u| u.name.to_string()).collect()
}

use StatementKind::*;

#[test]
fn a_delete_behind_with_is_a_delete() {
    let reading = whole("WITH x AS (SELECT 1) DELETE FROM orders");
    assert_eq!(reading.top, Delete);
    assert!(reading.kinds.contains(&Delete) && reading.kinds.contains(&Select));
    assert_eq!(uses("WITH x AS (SELECT 1) DELETE FROM orders"), ["Write orders"]);
}

#[test]
fn a_delete_in_a_cte_counts_and_its_returning_reads() {
    let text = "WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone";
    assert_eq!(kinds(text), [Select, Delete]);
    assert_eq!(uses(text), ["Read orders", "Write orders"]);
}

#[test]
fn explain_with_analyze_in_brackets_runs() {
    for text in [
        "EXPLAIN ANALYZE DELETE FROM t",
        "EXPLAIN (ANALYZE) DELETE FROM t",
        "EXPLAIN (COSTS off, ANALYZE true) DELETE FROM t",
        "explain (analyze on, buffers) delete from t",
    ] {
        assert_eq!(whole(text).top, ExplainAnalyze, "{text}");
        assert!(whole(text).kinds.contains(&Delete), "{text}");
    }
    for text in
        ["EXPLAIN SELECT 1", "EXPLAIN (ANALYZE false) SELECT 1", "EXPLAIN (VERBOSE) SELECT 1"]
    {
        assert_eq!(whole(text).top, Explain, "{text}");
    }
}

#[test]
fn select_into_makes_a_table_in_any_arm() {
    assert_eq!(whole("SELECT * INTO copy FROM orders").top, CreateTableAs);
    assert_eq!(uses("SELECT * INTO copy FROM orders"), ["Define copy", "Read orders"]);
    assert!(kinds("(SELECT a INTO copy FROM orders) UNION SELECT 1").contains(&CreateTableAs));
}

#[test]
fn copy_says_where_to() {
    assert_eq!(whole("COPY orders TO STDOUT").top, CopyToClient);
    assert_eq!(whole("COPY orders FROM STDIN").top, CopyFromClient);
    assert_eq!(whole("COPY orders TO PROGRAM 'sh'").top, CopyServer);
    assert_eq!(whole("COPY orders FROM '/etc/passwd'").top, CopyServer);
    let with_delete = kinds("COPY (DELETE FROM orders RETURNING *) TO STDOUT");
    assert!(with_delete.contains(&Delete) && with_delete.contains(&CopyToClient));
}

#[test]
fn copy_never_swallows_a_second_statement() {
    assert_eq!(read("COPY x FROM STDIN;\nDROP TABLE t"), None);
    assert_eq!(read("SELECT 1; SELECT 2"), None);
}

#[test]
fn values_and_show_and_cursors_are_named() {
    assert_eq!(whole("VALUES (1), (2)").top, Values);
    assert_eq!(whole("SHOW search_path").object.as_deref(), Some("search_path"));
    let declare = whole("DECLARE \"C\" CURSOR WITH HOLD FOR SELECT * FROM orders");
    assert_eq!((declare.top, declare.holds), (Declare, true));
    assert_eq!(declare.object.as_deref(), Some("C"));
    assert_eq!(declare.inner.expect("has a query").top, Select);
    assert_eq!(whole("FETCH 10 FROM c").object.as_deref(), Some("c"));
}

#[test]
fn prepare_shows_what_is_inside() {
    let reading = whole("PREPARE p AS DELETE FROM orders WHERE id = $1");
    assert_eq!(reading.top, Prepare);
    assert!(reading.kinds.contains(&Delete));
    assert_eq!(reading.parameters, 1);
    assert_eq!(reading.inner.expect("has a statement").top, Delete);
}

#[test]
fn roles_are_never_settings() {
    for text in [
        "SET ROLE admin",
        "SET SESSION AUTHORIZATION admin",
        "SET role = admin",
        "RESET ROLE",
        "SET session_authorization = 'admin'",
    ] {
        assert_eq!(whole(text).top, SetRole, "{text}");
    }
}

#[test]
fn a_name_of_a_cte_is_no_relation_but_only_in_its_scope() {
    assert_eq!(uses("WITH q AS (SELECT 1) SELECT * FROM q"), Vec::<String>::new());
    assert_eq!(uses("WITH q AS (SELECT * FROM q) SELECT * FROM q"), ["Read q"]);
    assert_eq!(
        uses("WITH RECURSIVE q AS (SELECT 1 UNION SELECT * FROM q) SELECT * FROM q"),
        Vec::<String>::new()
    );
    assert_eq!(uses("WITH q AS (SELECT 1) SELECT * FROM public.q"), ["Read public.q"]);
    assert_eq!(
        uses("SELECT (WITH q AS (SELECT 1) SELECT 1 FROM q) FROM q"),
        ["Read q"],
        "the scope ends with its query"
    );
    assert_eq!(uses("WITH q AS (SELECT 1) INSERT INTO q SELECT * FROM q"), ["Write q"]);
}

#[test]
fn names_fold_as_the_server_folds_them() {
    assert_eq!(uses("SELECT 1 FROM Orders, \"Orders\""), ["Read Orders", "Read orders"]);
    let long = "x".repeat(80);
    assert_eq!(uses(&format!("SELECT 1 FROM {long}")), [format!("Read {}", "x".repeat(63))]);
    let umlauts = "ä".repeat(40);
    assert_eq!(uses(&format!("SELECT 1 FROM {umlauts}")), [format!("Read {}", "ä".repeat(31))]);
    assert_eq!(uses("SELECT 1 FROM ÄB"), ["Read Äb"], "only ASCII letters fold");
}

#[test]
fn locks_reach_relations_in_subqueries() {
    assert_eq!(uses("SELECT * FROM a, b FOR UPDATE OF b"), ["Read a", "Read b", "LockRows b"]);
    assert_eq!(uses("SELECT * FROM (SELECT * FROM a) x FOR UPDATE"), ["Read a", "LockRows a"]);
}

#[test]
fn routines_are_found_wherever_they_stand() {
    let text = "SELECT f1() FROM f2(1) WHERE f3(x) > (SELECT f4()) GROUP BY f5(y) HAVING f6(1) \
                ORDER BY f7() LIMIT f8() OFFSET f9()";
    assert_eq!(routines(text), ["f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9"]);
    assert_eq!(
        routines("SELECT count(*) FILTER (WHERE g1()) OVER (PARTITION BY g2() ORDER BY g3())"),
        ["count", "g1", "g2", "g3"]
    );
    assert_eq!(routines("INSERT INTO t VALUES (h1()) RETURNING h2()"), ["h1", "h2"]);
    assert_eq!(
        routines("SELECT CASE WHEN i1() THEN ARRAY[i2()] ELSE (i3())::text END"),
        ["i1", "i2", "i3"]
    );
}

#[test]
fn syntax_that_only_looks_like_a_call_is_left_out() {
    assert_eq!(
        routines("SELECT coalesce(a, b), greatest(1, 2), nullif(a, b), current_user, now()"),
        ["now"]
    );
    assert_eq!(
        routines("SELECT \"coalesce\"(1), public.greatest(1)"),
        ["coalesce", "public.greatest"]
    );
    assert_eq!(routines("SELECT current_schema, current_schema()"), ["current_schema"]);
}

/// What the server's grammar says of one text.
fn server(text: &str) -> Reading {
    let mode = crate::kernel::sql::mode::LexMode::POSTGRES;
    let mut all = crate::kernel::sql::server_grammar::read(text, mode).expect("reads");
    all.pop().expect("one")
}

#[test]
fn whatever_one_layer_sees_and_the_other_does_not_is_a_disagreement() {
    for (one, other) in [
        ("SELECT * FROM a", "SELECT * FROM b"),
        ("SELECT * FROM a", "SELECT * FROM s.a"),
        ("SELECT * FROM a", "SELECT * FROM a, b"),
        ("SELECT * FROM a", "SELECT * FROM a FOR UPDATE"),
        ("SELECT * FROM a", "SELECT * INTO b FROM a"),
        ("SELECT f(1)", "SELECT g(1)"),
        ("SELECT f(1)", "SELECT s.f(1)"),
        ("SELECT 1", "SELECT 1 FROM f()"),
        ("SELECT 1", "WITH x AS (DELETE FROM a) SELECT 1"),
        ("DELETE FROM a", "UPDATE a SET x = 1"),
        ("DELETE FROM a", "DELETE FROM a RETURNING *"),
        ("EXPLAIN DELETE FROM a", "EXPLAIN ANALYZE DELETE FROM a"),
        ("COPY a TO STDOUT", "COPY a FROM STDIN"),
        ("COPY a TO STDOUT", "COPY a TO PROGRAM 'sh'"),
        ("PREPARE p AS SELECT 1", "PREPARE p AS DELETE FROM a"),
        ("CREATE TABLE a (x int)", "GRANT SELECT ON a TO b"),
        ("SET x.y = 1", "SET ROLE a"),
        ("BEGIN", "LISTEN x"),
    ] {
        let seen = |text| read(text).unwrap_or_else(|| panic!("{text} isn't read"));
        for (seen_in, said_of) in [(one, other), (other, one)] {
            let verdict = compare(Some(&seen(seen_in)), &server(said_of));
            assert_eq!(verdict, Err(Unreadable::Disagreement), "{seen_in} | {said_of}");
            assert_eq!(compare(Some(&seen(seen_in)), &server(seen_in)), Ok(()), "{seen_in}");
        }
    }
}

#[test]
fn values_of_the_session_are_no_relations_in_from() {
    for text in ["SELECT * FROM current_user", "SELECT * FROM a, CURRENT_SCHEMA, session_user s"] {
        assert_eq!(compare(read(text).as_ref(), &server(text)), Ok(()), "{text}");
    }
    assert_eq!(uses("SELECT * FROM \"user\""), ["Read user"]);
}

#[test]
fn whole_rows_and_fields_are_seen() {
    let columns = |text: &str| whole(text).columns.expect("looked");
    let whole_of = |text: &str| -> Vec<String> {
        columns(text).whole.iter().map(ToString::to_string).collect()
    };
    assert_eq!(whole_of("SELECT * FROM a, b"), ["a", "b"]);
    assert_eq!(whole_of("SELECT x.* FROM a x, b"), ["a"]);
    assert_eq!(whole_of("SELECT row_to_json(x) FROM a x, b"), ["a"]);
    assert_eq!(whole_of("SELECT (x).y FROM a x"), ["a"]);
    assert_eq!(whole_of("SELECT x3 FROM a AS x(x1, x2, x3)"), ["a"]);
    assert_eq!(whole_of("SELECT count(*) FROM a"), Vec::<String>::new());
    assert_eq!(whole_of("COPY a TO STDOUT"), ["a"]);
    assert_eq!(whole_of("UPDATE a SET b = 1 RETURNING *"), ["a"]);
    let fields: Vec<String> =
        columns("SELECT (4711).pg_terminate_backend").fields.into_iter().collect();
    assert_eq!(fields, ["pg_terminate_backend"]);
}

#[test]
fn long_chains_are_walked_without_recursion() {
    let chain = format!("SELECT 1{}", " + f(1)".repeat(3000));
    let walked = std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(move || routines(&chain))
        .expect("spawns")
        .join()
        .expect("does not overflow");
    assert_eq!(walked, ["f"]);
}
