//! Who blocks whom at 3 a.m. is info; what the others' statements say is not. pg_stat_activity passes
//! with their text hidden, and nothing else gives it out.

use std::time::Duration;

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    postgres::Options,
    raw::{Message, bind, close, describe, error, execute, parse, query, rows, sync},
};

const HIDDEN: &str = "<hidden: needs admin>";
const SECRET: &str = "topsecret";

/// Alice holds nothing but what developers stand with; bob's last statement says something.
fn start() -> (Postgres, Gateway, RawClient, RawClient) {
    let server = Postgres::start();
    server.sql("CREATE SCHEMA shadow");
    server.sql("CREATE TABLE shadow.pg_stat_activity (pid int, query int)");
    server.sql("CREATE TABLE logs (id int, query text)");
    // A namesake of the server's own, which tells all it is given.
    server.sql(
        "CREATE FUNCTION rtrim(t text, n int DEFAULT 0) RETURNS text LANGUAGE plpgsql STABLE AS \
         'BEGIN RAISE NOTICE ''%'', t; RETURN t; END'",
    );
    server.sql("GRANT USAGE ON SCHEMA shadow TO PUBLIC");
    server.sql("GRANT SELECT ON shadow.pg_stat_activity, logs TO PUBLIC");
    let gateway = Gateway::start(&server);
    let (alice, bob) =
        (gateway.principal("alice", "developer"), gateway.principal("bob", "developer"));
    let mut bob = gateway.connect("bob", &bob);
    bob.query(&format!("SELECT '{SECRET}'"));
    let mut alice = gateway.connect("alice", &alice);
    let known = || error(&alice.query("SELECT * FROM pg_stat_activity")).is_none();
    assert!(eventually(Duration::from_secs(5), known));
    (server, gateway, alice, bob)
}

fn tells(answer: &[Message]) -> bool {
    answer.iter().any(|m| m.body.windows(SECRET.len()).any(|w| w == SECRET.as_bytes()))
}

fn extended(text: &str, limit: i32) -> Vec<Vec<u8>> {
    vec![parse("", text, &[]), bind("", "", &[], 0), describe(b'P', ""), execute("", limit), sync()]
}

#[test]
fn the_text_of_others_is_hidden_where_it_is_an_output_and_nothing_else_changes() {
    let (server, _gateway, mut client, _bob) = start();
    let shown = server.sql("SELECT count(*) FROM pg_stat_activity WHERE query <> ''");
    assert_ne!(shown, "0");
    for text in [
        "SELECT * FROM pg_stat_activity",
        "SELECT * FROM pg_catalog.pg_stat_activity a",
        "SELECT a.* FROM pg_stat_activity AS a WHERE a.pid > 0 ORDER BY a.pid",
        "SELECT pid, query FROM pg_stat_activity ORDER BY 1",
        "SELECT query AS q, state FROM pg_stat_activity WHERE state IS NOT NULL ORDER BY pid LIMIT 50",
        "SELECT a.query, b.query FROM pg_stat_activity a LEFT JOIN pg_stat_activity b ON b.pid = a.pid",
        "SELECT a.*, now(), 'x', a.query FROM pg_stat_activity a, pg_database d WHERE d.oid = a.datid",
        "SELECT * FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid",
        "SELECT query, * FROM pg_stat_activity",
        "SELECT pid, locktype, a.query FROM pg_locks l JOIN pg_stat_activity a USING (pid)",
        "SELECT a.*, l.mode FROM pg_locks l JOIN pg_stat_activity a USING (pid)",
        "SELECT query::text, left(query, 20) FROM pg_stat_activity",
        "SELECT substring(query FOR 7)::varchar(3) AS query, pid FROM pg_stat_activity ORDER BY pid",
        r"SELECT trim(regexp_replace(a.query, '\s+', ' ', 'g')) FROM pg_stat_activity a",
        "SELECT upper(replace(query, chr(10), ' ')) AS q FROM pg_stat_activity",
    ] {
        let simple = client.query(text);
        assert!(error(&simple).is_none(), "{text}: {simple:?}");
        assert!(!tells(&simple), "{text} tells");
        let seen = rows(&simple);
        assert!(seen.iter().flatten().any(|cell| cell == HIDDEN), "{text}: {seen:?}");
        let answer = client.exchange(&extended(text, 0), 1);
        assert!(error(&answer).is_none() && !tells(&answer), "{text}");
        // Sessions come and go; each answer must agree with itself.
        for answer in [&simple, &answer] {
            let tag = answer.iter().find(|m| m.tag == b'C').map(Message::text);
            let said = format!("SELECT {}", rows(answer).len());
            assert!(tag.is_some_and(|tag| tag.contains(&said)), "{text}: {said}");
        }
    }
    // Where nothing is hidden, nothing is touched.
    let plain = client.query("SELECT state, count(*) FROM pg_stat_activity GROUP BY state");
    assert!(!rows(&plain).is_empty(), "{plain:?}");
}

#[test]
fn no_other_way_to_the_text_of_others_is_open() {
    let (_server, _gateway, mut client, _bob) = start();
    for text in [
        "SELECT a FROM pg_stat_activity a",
        "SELECT pg_stat_activity FROM pg_stat_activity",
        "SELECT (a).query FROM pg_stat_activity a",
        "SELECT (a).* FROM pg_stat_activity a",
        "SELECT a.row_to_json FROM pg_stat_activity a",
        "SELECT a.query, a.to_json FROM pg_stat_activity a",
        "SELECT query, a FROM pg_stat_activity a",
        "SELECT query, row_to_json(a) FROM pg_stat_activity a",
        "SELECT query, row_to_json(a.*) FROM pg_stat_activity a",
        "SELECT query, ROW(a.*) FROM pg_stat_activity a",
        "SELECT query, a.*::text FROM pg_stat_activity a",
        "SELECT query || '' FROM pg_stat_activity",
        "SELECT query::bytea FROM pg_stat_activity",
        "SELECT query::int FROM pg_stat_activity",
        "SELECT left(query, length(query) - 1) FROM pg_stat_activity",
        "SELECT left(query, 20) || '' FROM pg_stat_activity",
        "SELECT left(query, 20) AS pid FROM pg_stat_activity ORDER BY pid",
        "SELECT left(query, 20) FROM pg_stat_activity ORDER BY \"left\"",
        "SELECT left(query, 20) FROM pg_stat_activity ORDER BY 1",
        "SELECT left(query, 20), count(*) FROM pg_stat_activity GROUP BY 1",
        "SELECT DISTINCT left(query, 20) FROM pg_stat_activity",
        "SELECT left(state || query, 20) FROM pg_stat_activity",
        "SELECT substring(query FROM 't.*') FROM pg_stat_activity",
        "SELECT replace(query, 't', repeat('x', 1000)) FROM pg_stat_activity",
        "SELECT regexp_replace(query, '(t+)+$', '') FROM pg_stat_activity",
        "SELECT regexp_replace(query, '[^s]', '', 'g') FROM pg_stat_activity",
        "SELECT min(left(query, 20)) FROM pg_stat_activity",
        "SELECT rtrim(query) FROM pg_stat_activity",
        "SELECT query COLLATE \"C\" FROM pg_stat_activity",
        "SELECT (query) || '', query FROM pg_stat_activity",
        "SELECT coalesce(query, '') FROM pg_stat_activity",
        "SELECT query, length(query) FROM pg_stat_activity",
        "SELECT query FROM pg_stat_activity WHERE query LIKE 'SELECT ''t%'",
        "SELECT * FROM pg_stat_activity WHERE query > 'SELECT ''t'",
        "SELECT * FROM pg_stat_activity a WHERE a::text LIKE '%t%'",
        "SELECT * FROM pg_stat_activity ORDER BY query",
        "SELECT query AS pid FROM pg_stat_activity ORDER BY pid",
        "SELECT pid, query FROM pg_stat_activity ORDER BY 2",
        "SELECT * FROM pg_stat_activity ORDER BY 21",
        "SELECT * FROM pg_stat_activity a ORDER BY a",
        "SELECT DISTINCT query FROM pg_stat_activity",
        "SELECT DISTINCT ON (query) query FROM pg_stat_activity",
        "SELECT query FROM pg_stat_activity GROUP BY query",
        "SELECT query FROM pg_stat_activity GROUP BY 1",
        "SELECT max(query) FROM pg_stat_activity",
        "SELECT query, rank() OVER (ORDER BY query) FROM pg_stat_activity",
        "SELECT query, count(*) OVER w FROM pg_stat_activity WINDOW w AS (PARTITION BY query)",
        "SELECT query FROM pg_stat_activity UNION ALL SELECT 'x'",
        "SELECT 'x' UNION ALL SELECT query FROM pg_stat_activity",
        "SELECT x FROM (SELECT query AS x FROM pg_stat_activity) s",
        "SELECT * FROM (SELECT * FROM pg_stat_activity) s",
        "SELECT x FROM (SELECT * FROM pg_stat_activity) s (a, b, c, d, e, f, g, x)",
        "SELECT x FROM pg_stat_activity AS a (x)",
        "SELECT * FROM pg_stat_activity AS a (x, y)",
        "WITH s AS (SELECT query FROM pg_stat_activity) SELECT * FROM s",
        "WITH pg_stat_activity AS (SELECT * FROM pg_stat_activity) SELECT * FROM pg_stat_activity",
        "SELECT a.query, l.q FROM pg_stat_activity a, LATERAL (SELECT a.query AS q) l",
        "SELECT query, (SELECT b.query FROM pg_stat_activity b LIMIT 1) FROM pg_stat_activity",
        "SELECT query, ARRAY(SELECT query FROM pg_stat_activity) FROM pg_stat_activity",
        "SELECT query FROM pg_stat_activity WHERE EXISTS (SELECT FROM pg_stat_activity b \
         WHERE b.query LIKE '%t%')",
        "SELECT * FROM pg_stat_activity a JOIN pg_stat_activity b USING (query)",
        "SELECT a.pid FROM pg_stat_activity a NATURAL JOIN pg_stat_activity b",
        "SELECT * FROM pg_stat_activity a JOIN pg_stat_activity b USING (pid)",
        "SELECT a.query, * FROM pg_stat_activity a JOIN pg_locks l USING (pid)",
        "SELECT a.query FROM pg_stat_activity a JOIN pg_stat_activity b USING (pid, query)",
        "SELECT u.query FROM pg_stat_activity a JOIN pg_stat_activity b USING (query) AS u",
        "SELECT u FROM pg_stat_activity a JOIN pg_stat_activity b USING (query) AS u",
        "SELECT u.* FROM pg_stat_activity a JOIN pg_stat_activity b USING (query) AS u",
        "SELECT j.query FROM (pg_stat_activity a JOIN pg_locks l ON true) AS j",
        "TABLE pg_stat_activity UNION ALL TABLE pg_stat_activity",
        "SELECT query FROM pg_stat_get_activity(NULL)",
        "SELECT pg_stat_get_backend_activity(1)",
        "SELECT * FROM pg_stat_activity, pg_stat_get_activity(NULL)",
        "COPY (SELECT query FROM pg_stat_activity) TO STDOUT",
        "COPY (SELECT * FROM pg_stat_activity) TO STDOUT",
        "CREATE TEMP TABLE t AS SELECT * FROM pg_stat_activity",
        "SELECT * INTO TEMP t FROM pg_stat_activity",
        "INSERT INTO logs SELECT pid, query FROM pg_stat_activity",
        "EXPLAIN ANALYZE SELECT query FROM pg_stat_activity",
        "PREPARE p AS SELECT query FROM pg_stat_activity",
        "BEGIN; DECLARE c CURSOR FOR SELECT query FROM pg_stat_activity; FETCH ALL FROM c",
        "SELECT query FROM pg_stat_activity FOR UPDATE",
        "SELECT query_to_xml('SELECT query FROM pg_stat_activity', true, true, '')",
        "SELECT table_to_xml('pg_stat_activity', true, true, '')",
    ] {
        let simple = client.query(text);
        assert!(!tells(&simple), "{text} tells");
        assert!(error(&simple).is_some(), "{text}: {:?}", rows(&simple));
        if !text.contains(';') {
            let answer = client.exchange(&extended(text, 0), 1);
            assert!(!tells(&answer) && error(&answer).is_some(), "{text}");
        }
        client.query("ROLLBACK");
    }
}

#[test]
fn names_that_lead_to_hidden_text_hide_it_or_need_admin() {
    let (_server, _gateway, mut client, _bob) = start();
    let text = "SELECT pid, query FROM pg_stat_activity";
    client.exchange(&[parse("p", text, &[]), sync()], 1);
    for by_name in ["EXECUTE p", "CREATE TEMP TABLE t AS EXECUTE p", "EXPLAIN ANALYZE EXECUTE p"] {
        let answer = client.query(by_name);
        assert!(error(&answer).is_some() && !tells(&answer), "{by_name}: {answer:?}");
    }
    // A portal fetched in parts, in binary, and by a second way.
    client.query("BEGIN");
    client.exchange(&[bind("c", "p", &[], 1), sync()], 1);
    let mut seen = 0;
    loop {
        let part = client.exchange(&[execute("c", 1), sync()], 1);
        assert!(error(&part).is_none() && !tells(&part), "{part:?}");
        seen += part.iter().filter(|m| m.tag == b'D').count();
        if part.iter().any(|m| m.tag == b'C') {
            break;
        }
    }
    assert!(seen > 1);
    client.exchange(&[close(b'P', "c"), bind("c", "p", &[], 0), sync()], 1);
    let fetched = client.query("FETCH ALL FROM c");
    assert!(error(&fetched).is_some() && !tells(&fetched), "{fetched:?}");
    client.query("ROLLBACK");
    // Several in one text, and several in one breath.
    let both = client.query(&format!("SELECT 1; {text}; SELECT 2"));
    assert!(error(&both).is_none() && !tells(&both), "{both:?}");
    let run = [bind("", "p", &[], 0), execute("", 0)].concat();
    let pipeline = client.exchange(&[run.clone(), run, sync(), query(text)], 2);
    assert!(error(&pipeline).is_none() && !tells(&pipeline), "{pipeline:?}");
}

#[test]
fn a_table_in_the_catalogs_place_is_judged_as_a_table() {
    let (_server, _gateway, mut client, _bob) = start();
    client.query("SET search_path = shadow, pg_catalog");
    let answer = client.query("SELECT * FROM pg_stat_activity");
    assert!(error(&answer).is_some(), "needs select: {answer:?}");
    let answer = client.query("SELECT * FROM pg_catalog.pg_stat_activity");
    assert!(error(&answer).is_none() && !tells(&answer), "{answer:?}");
}

#[test]
fn admin_sees_the_text_as_it_is_and_no_longer_than_it_lasts() {
    let (_server, gateway, mut client, _bob) = start();
    client.exchange(&[parse("p", "SELECT * FROM pg_stat_activity", &[]), sync()], 1);
    let admin = gateway.grant("alice", "admin");
    let run = || [bind("", "p", &[], 0), execute("", 0), sync()];
    assert!(eventually(Duration::from_secs(3), || tells(&client.exchange(&run(), 1))));
    assert!(tells(&client.query("SELECT query FROM pg_stat_activity")));
    assert!(tells(&client.query("SELECT query FROM pg_stat_activity ORDER BY query")));
    gateway.must(&["grant", "revoke", &admin]);
    assert!(eventually(Duration::from_secs(3), || !tells(&client.exchange(&run(), 1))));
    assert!(!tells(&client.query("SELECT query FROM pg_stat_activity")));
}

/// A server with the extensions that tell what it is busy with.
fn start_with_counters() -> (Postgres, Gateway) {
    let preloaded = ("shared_preload_libraries", "pg_stat_statements".to_owned());
    let server = Postgres::start_with(&Options { settings: vec![preloaded], ..Options::default() });
    for name in
        ["pg_stat_statements", "pg_buffercache", "pg_visibility", "pgrowlocks", "pgstattuple"]
    {
        server.sql(&format!("CREATE EXTENSION {name}"));
    }
    server.sql(
        "GRANT pg_monitor, pg_stat_scan_tables TO hallpass;
         CREATE VIEW told AS SELECT query FROM pg_stat_statements;
         CREATE VIEW counted AS SELECT calls FROM pg_stat_statements;
         CREATE SCHEMA shadow;
         CREATE VIEW shadow.pg_stat_statements AS
             SELECT query AS x, calls AS query FROM pg_stat_statements(true);
         GRANT USAGE ON SCHEMA shadow TO PUBLIC;
         GRANT SELECT ON told, counted, shadow.pg_stat_statements TO PUBLIC",
    );
    // Spec: what isn't a query is kept with its constants.
    server.sql(&format!("COMMENT ON TABLE orders IS '{SECRET}'"));
    let gateway = Gateway::start(&server);
    (server, gateway)
}

#[test]
fn counters_of_extensions_are_info_and_the_text_of_statements_is_not() {
    let (_server, gateway) = start_with_counters();
    let alice = gateway.principal("alice", "developer");
    let mut alice = gateway.connect("alice", &alice);
    let root = gateway.almighty("root");
    let mut root = gateway.connect("root", &root);
    let all = root.query("SELECT query FROM pg_stat_statements");
    assert!(tells(&all), "{all:?}");
    for text in [
        "SELECT * FROM pg_stat_statements",
        "SELECT calls, query FROM pg_stat_statements ORDER BY total_exec_time DESC",
        "SELECT left(s.query, 60), r.rolname FROM public.pg_stat_statements s \
         JOIN pg_roles r ON r.oid = s.userid",
    ] {
        for answer in [alice.query(text), alice.exchange(&extended(text, 0), 1)] {
            assert!(error(&answer).is_none() && !tells(&answer), "{text}: {answer:?}");
            assert!(rows(&answer).iter().flatten().any(|cell| cell == HIDDEN), "{text}");
        }
    }
    for text in [
        "SELECT queryid, sum(calls) FROM pg_stat_statements GROUP BY 1",
        "SELECT count(*) FROM pg_buffercache",
        "SELECT dealloc FROM pg_stat_statements_info",
        "SELECT * FROM pg_visibility_map_summary('orders')",
        "EXPLAIN SELECT query FROM pg_stat_statements",
    ] {
        let answer = alice.query(text);
        assert!(error(&answer).is_none(), "{text}: {answer:?}");
    }
    for text in [
        "SELECT query FROM pg_stat_statements ORDER BY query",
        "SELECT calls FROM pg_stat_statements WHERE query LIKE '%t%'",
        "SELECT s FROM pg_stat_statements s",
        "SELECT s.to_json FROM pg_stat_statements s",
        "SELECT md5(query) FROM pg_stat_statements",
        "SELECT * FROM (SELECT query FROM pg_stat_statements) s",
        "SELECT * FROM pg_stat_statements(true)",
        "SELECT (pg_stat_statements(true)).query",
        "SELECT x FROM shadow.pg_stat_statements",
        "SELECT query FROM told",
        "SELECT calls FROM counted",
        "SELECT pg_stat_statements_reset()",
        "DELETE FROM pg_stat_statements",
        // They read a whole table: not with what everybody holds.
        "SELECT * FROM pgstattuple('orders')",
        "SELECT * FROM pgrowlocks('orders')",
    ] {
        let answer = alice.query(text);
        assert!(error(&answer).is_some() && !tells(&answer), "{text}: {answer:?}");
    }
    gateway.grant("alice", "select,export,dml,ddl");
    for text in ["SELECT * FROM pgstattuple('orders')", "SELECT * FROM pgrowlocks('orders')"] {
        let answer = alice.query(text);
        assert!(error(&answer).is_none(), "{text}: {answer:?}");
    }
    for text in [
        "COPY (SELECT query FROM pg_stat_statements) TO STDOUT",
        "CREATE TEMP TABLE t AS SELECT query FROM pg_stat_statements",
        "CREATE VIEW v AS SELECT query FROM pg_stat_statements",
        "CREATE VIEW v AS SELECT query FROM pg_stat_statements(true)",
        "SELECT query FROM told",
    ] {
        let answer = alice.query(text);
        assert!(error(&answer).is_some() && !tells(&answer), "{text}: {answer:?}");
    }
}
