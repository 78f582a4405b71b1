//! Attacks on the session core: names that mean something else than the server thinks, frames cut
//! in two, messages sent before the answers that change what they mean, the read-only wall.

use std::time::{Duration, Instant};

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    gateway::TARGET,
    postgres::{DATABASE, UPSTREAM_PASSWORD, UPSTREAM_USER},
    raw::{
        Message, PROTOCOL_3_0, bind, close, copy_data, copy_done, describe, error, execute, flush,
        frame, parse, query, rows, sync,
    },
};

const ORDERS: &str = "SELECT id FROM orders";

fn start(permissions: &str) -> (Postgres, Gateway, RawClient, String) {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let grant = gateway.grant("alice", permissions);
    let client = gateway.connect("alice", &secret);
    (server, gateway, client, grant)
}

fn alive(client: &mut RawClient) {
    assert_eq!(rows(&client.query("SELECT 'alive'")), [["alive"]]);
}

fn fields(answer: &[Message], code: char) -> String {
    error(answer).map(|e| e.field(code)).unwrap_or_default()
}

/// Many rows came: the cap was passed.
fn capped(answer: &[Message]) {
    let count = rows(answer).len();
    assert!(count <= 1000, "{count} rows passed the cap");
}

#[test]
fn a_statement_made_anew_in_the_same_breath_is_judged_as_what_it_is_now() {
    let (_server, _gateway, mut client, _) = start("select");
    client.exchange(&[parse("a", "SELECT 1", &[]), sync()], 1);
    let answer = client.exchange(
        &[
            query(&format!("DEALLOCATE a; PREPARE a AS {ORDERS}")),
            bind("", "a", &[], 0),
            execute("", 0),
            sync(),
        ],
        2,
    );
    capped(&answer);
    alive(&mut client);
}

#[test]
fn a_cursor_made_anew_in_the_same_breath_is_judged_as_what_it_is_now() {
    let (_server, _gateway, mut client, _) = start("select");
    client.query("BEGIN; DECLARE c CURSOR FOR SELECT 1");
    let answer = client.exchange(
        &[query(&format!("CLOSE c; DECLARE c CURSOR FOR {ORDERS}")), execute("c", 0), sync()],
        2,
    );
    capped(&answer);
    client.query("ROLLBACK");
    client.query("BEGIN; DECLARE c CURSOR FOR SELECT 1");
    let answer = client.exchange(
        &[
            parse("", "CLOSE c", &[]),
            bind("", "", &[], 0),
            execute("", 0),
            parse("", &format!("DECLARE c CURSOR FOR {ORDERS}"), &[]),
            bind("", "", &[], 0),
            execute("", 0),
            parse("", "FETCH ALL FROM c", &[]),
            bind("", "", &[], 0),
            execute("", 0),
            sync(),
        ],
        1,
    );
    capped(&answer);
    client.query("ROLLBACK");
    alive(&mut client);
}

#[test]
fn the_cap_counts_over_the_fetches_of_one_query() {
    let (_server, _gateway, mut client, _) = start("select");
    let answer = client.query(&format!(
        "BEGIN; DECLARE c CURSOR FOR {ORDERS}; FETCH 900 FROM c; FETCH 900 FROM c; FETCH 900 FROM c"
    ));
    capped(&answer);
    client.query("ROLLBACK");
    alive(&mut client);
}

#[test]
fn names_that_the_server_cuts_are_one_name_here_too() {
    let (_server, _gateway, mut client, _) = start("select");
    let stem = "n".repeat(63);
    let (one, two) = (format!("{stem}1"), format!("{stem}2"));
    client.exchange(&[parse(&one, "SELECT 1", &[]), sync()], 1);
    client.exchange(&[close(b'S', &two), sync()], 1);
    client.exchange(&[parse(&two, ORDERS, &[]), sync()], 1);
    let answer = client.exchange(&[bind("", &one, &[], 0), execute("", 0), sync()], 1);
    capped(&answer);
    alive(&mut client);
}

#[test]
fn a_long_name_works() {
    let (_server, _gateway, mut client, _) = start("select");
    let long = "é".repeat(60);
    let answer = client.exchange(
        &[
            parse(&long, "SELECT 7", &[]),
            bind(&long, &long, &[], 0),
            describe(b'P', &long),
            execute(&long, 0),
            sync(),
        ],
        1,
    );
    assert_eq!(rows(&answer), [["7"]], "{answer:?}");
}

/// Two schemas with a table of one name; alice may read the first one only.
fn two_schemas() -> (Postgres, Gateway, RawClient) {
    let server = Postgres::start();
    server.sql("CREATE SCHEMA open");
    server.sql("CREATE SCHEMA closed");
    server.sql("CREATE TABLE open.t AS SELECT 'open' AS v");
    server.sql("CREATE TABLE closed.t AS SELECT 'closed' AS v");
    server.sql("GRANT USAGE ON SCHEMA open, closed TO PUBLIC");
    server.sql("GRANT SELECT ON open.t, closed.t TO PUBLIC");
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant_with("alice", "select", &["--for", "30m", "--scope", "open.*"]);
    let mut client = gateway.connect("alice", &secret);
    client.query("SET search_path = open");
    let first = client.query("SELECT v FROM t");
    assert_eq!(rows(&first), [["open"]], "{first:?}");
    (server, gateway, client)
}

fn nothing_closed(answer: &[Message]) {
    assert!(!rows(answer).iter().flatten().any(|cell| cell == "closed"), "{answer:?}");
}

#[test]
fn a_path_that_moves_in_the_same_breath_moves_the_judgement() {
    let (_server, _gateway, mut client) = two_schemas();
    let answer = client.exchange(&[query("SET search_path = closed"), query("SELECT v FROM t")], 2);
    nothing_closed(&answer);
    client.query("SET search_path = open");
    let run = |text: &str| [parse("", text, &[]), bind("", "", &[], 0), execute("", 0)].concat();
    let answer = client.exchange(
        &[run("SELECT v FROM t"), run("SET search_path = closed"), run("SELECT v FROM t"), sync()],
        1,
    );
    nothing_closed(&answer);
    assert_eq!(rows(&answer), [["open"]]);
    alive(&mut client);
    // Rolled back with its batch: the path is what it was.
    client.query("SET search_path = closed");
    let set = run("SET search_path = open");
    client.send_bytes(&[set, run("SELECT v FROM t"), flush()].concat());
    let first = client.read_until(b'C');
    assert!(error(&first).is_none());
    let second = client.read_until(b'C');
    assert_eq!(rows(&second), [["open"]]);
    client.exchange(&[run("SELECT 1/0"), sync()], 1);
    nothing_closed(&client.query("SELECT v FROM t"));
    alive(&mut client);
}

#[test]
fn a_prepared_statement_follows_the_path() {
    let (_server, _gateway, mut client) = two_schemas();
    client.query("PREPARE s AS SELECT v FROM t");
    client.exchange(&[parse("p", "SELECT v FROM t", &[]), sync()], 1);
    assert_eq!(rows(&client.query("EXECUTE s")), [["open"]]);
    assert_eq!(rows(&client.query("EXECUTE p")), [["open"]]);
    client.query("SET search_path = closed");
    nothing_closed(&client.query("EXECUTE s"));
    nothing_closed(&client.query("EXECUTE p"));
    nothing_closed(&client.exchange(&[bind("", "s", &[], 0), execute("", 0), sync()], 1));
    nothing_closed(&client.exchange(&[bind("", "p", &[], 0), execute("", 0), sync()], 1));
    let through = [parse("x", "EXECUTE s", &[]), bind("", "x", &[], 0), execute("", 0), sync()];
    nothing_closed(&client.exchange(&through, 1));
    client.query("SET search_path = open");
    assert_eq!(rows(&client.query("EXECUTE s")), [["open"]]);
    assert_eq!(rows(&client.query("EXECUTE p")), [["open"]]);
    alive(&mut client);
}

#[test]
fn nothing_slips_through_behind_half_a_copy_frame() {
    let (server, gateway, mut client, grant) = start("dml");
    server.sql("CREATE TABLE copied (v text)");
    server.sql("GRANT ALL ON copied TO PUBLIC");
    server.sql("CREATE TABLE victim (v text)");
    server.sql("INSERT INTO victim VALUES ('x')");
    server.sql("GRANT ALL ON victim TO PUBLIC");
    client.query("BEGIN");
    client.send_bytes(&query("COPY copied FROM STDIN"));
    client.read_until(b'G');
    // The header says more than comes: whatever the gateway sends now lands inside this frame, and
    // as many of its last bytes become messages of their own.
    let smuggled = query("DELETE FROM victim");
    let mut late = frame(b'd', &[vec![b'x'; 40_000], smuggled].concat());
    let rest = late.split_off(20_000);
    client.send_bytes(&[copy_data(b"a\n"), copy_done(), late].concat());
    let copied = client.read_until(b'Z');
    assert!(error(&copied).is_none(), "{copied:?}");
    gateway.must(&["grant", "revoke", &grant]);
    std::thread::sleep(Duration::from_millis(600));
    drop(client.try_send_bytes(&rest));
    assert!(client.ends_after(b"ENZ"), "{:?}", client.record.last());
    assert_eq!(server.sql("SELECT count(*) FROM victim"), "1");
    assert_eq!(server.sql("SELECT count(*) FROM copied"), "0");
}

#[test]
fn a_batch_that_waits_gets_the_answers_it_waits_for() {
    let (_server, _gateway, mut client, _) = start("select");
    let answer = client.exchange(
        &[parse("a", "SELECT 1", &[]), bind("", "nobody", &[], 0), execute("", 0), sync()],
        1,
    );
    assert_eq!(fields(&answer, 'C'), "26000", "{answer:?}");
    let answer = client.exchange(&[parse("b", "SELECT 1", &[]), execute("nobody", 0), sync()], 1);
    assert_eq!(fields(&answer, 'C'), "34000", "{answer:?}");
    let answer = client.exchange(&[parse("c", "SELECT 1", &[]), describe(b'S', "x"), sync()], 1);
    assert_eq!(fields(&answer, 'C'), "26000", "{answer:?}");
    client.query("BEGIN");
    let run = |text: &str| [parse("", text, &[]), bind("", "", &[], 0), execute("", 0)].concat();
    let answer = client.exchange(
        &[
            run("DECLARE c CURSOR FOR SELECT 5"),
            execute("c", 0),
            run("PREPARE made AS SELECT 6"),
            bind("", "made", &[], 0),
            execute("", 0),
            run("SET search_path = public"),
            run("SELECT 7"),
            run("SELECT * FROM hallpass.whoami"),
            run("SELECT 8"),
            sync(),
        ],
        1,
    );
    let seen: Vec<String> = rows(&answer).into_iter().map(|mut row| row.remove(0)).collect();
    assert!(error(&answer).is_none(), "{answer:?}");
    assert_eq!([&seen[..3], &seen[seen.len() - 1..]].concat(), ["5", "6", "7", "8"]);
    client.query("COMMIT");
    alive(&mut client);
}

#[test]
fn portals_of_the_next_batch_outlive_the_end_of_the_one_before() {
    let (_server, _gateway, mut client, _) = start("select");
    client.exchange(&[parse("a", "SELECT generate_series(1, 5)", &[]), sync()], 1);
    client.send_bytes(
        &[query("SELECT 1"), bind("p", "a", &[], 0), execute("p", 2), flush()].concat(),
    );
    client.read_until(b's');
    let rest = client.exchange(&[execute("p", 0), sync()], 1);
    assert_eq!(rows(&rest).len(), 3, "{rest:?}");
}

/// What the server itself says of the session's transactions.
fn writable(client: &mut RawClient) -> bool {
    let says = |answer: Vec<Message>| rows(&answer).iter().flatten().any(|c| c == "off");
    says(client.query("SELECT current_setting('transaction_read_only')"))
}

#[test]
fn below_dml_the_second_wall_stays_closed() {
    let (_server, _gateway, mut client, _) = start("select");
    let ways = [
        "SET default_transaction_read_only = off",
        "SET SESSION default_transaction_read_only TO 'off'",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE",
        "SELECT set_config('default_transaction_read_only', 'off', false)",
        "SET default_transaction_read_only = off; SELECT 1",
        "RESET default_transaction_read_only",
        "RESET ALL",
        "DISCARD ALL",
    ];
    for way in ways {
        let simple = client.query(way);
        assert!(!writable(&mut client), "{way}: {simple:?}");
        client.query("BEGIN");
        assert!(!writable(&mut client), "{way}: {simple:?}");
        client.query("ROLLBACK");
        let extended = client
            .exchange(&[parse("", way, &[]), bind("", "", &[], 0), execute("", 0), sync()], 1);
        assert!(!writable(&mut client), "{way} extended: {extended:?}");
    }
    for way in [
        "BEGIN READ WRITE",
        "START TRANSACTION READ WRITE",
        "BEGIN ISOLATION LEVEL SERIALIZABLE, READ WRITE",
        "BEGIN; SET TRANSACTION READ WRITE",
        "BEGIN; SET transaction_read_only = off",
        "BEGIN; SET LOCAL transaction_read_only = off",
        "BEGIN; SELECT set_config('transaction_read_only', 'off', true)",
        "BEGIN READ WRITE; COMMIT AND CHAIN",
        "BEGIN READ WRITE; SAVEPOINT a",
    ] {
        let simple = client.query(way);
        assert!(!writable(&mut client), "{way}: {simple:?}");
        client.query("ROLLBACK TO a");
        assert!(!writable(&mut client), "{way}, ROLLBACK TO: {simple:?}");
        client.query("ROLLBACK AND CHAIN");
        assert!(!writable(&mut client), "{way}, AND CHAIN");
        client.query("ROLLBACK");
        let mut said = Vec::new();
        for text in way.split("; ") {
            said.extend(client.exchange(
                &[parse("", text, &[]), bind("", "", &[], 0), execute("", 0), sync()],
                1,
            ));
        }
        assert!(!writable(&mut client), "{way} extended: {said:?}");
        client.query("ROLLBACK");
    }
    let all_at_once = client.exchange(
        &[
            parse("", "BEGIN READ WRITE", &[]),
            bind("", "", &[], 0),
            execute("", 0),
            parse("", "SELECT current_setting('transaction_read_only')", &[]),
            bind("", "", &[], 0),
            execute("", 0),
            sync(),
        ],
        1,
    );
    assert_eq!(rows(&all_at_once), [["on"]], "{all_at_once:?}");
    client.query("ROLLBACK");
    alive(&mut client);
}

#[test]
fn session_settings_for_writing_succeed_without_effect() {
    let (_server, _gateway, mut client, _) = start("select");
    for way in [
        "SET default_transaction_read_only = off",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        "BEGIN READ WRITE",
    ] {
        let answer = client.query(way);
        assert!(error(&answer).is_none(), "{way}: {answer:?}");
        client.query("ROLLBACK");
        let extended = client
            .exchange(&[parse("", way, &[]), bind("", "", &[], 0), execute("", 0), sync()], 1);
        assert!(error(&extended).is_none(), "{way}: {extended:?}");
        client.query("ROLLBACK");
    }
}

#[test]
fn a_writable_transaction_does_not_outlive_the_right_to_write() {
    let (_server, gateway, mut client, grant) = start("dml");
    gateway.grant("alice", "select");
    let reads = || error(&client.query("SELECT id FROM orders LIMIT 1")).is_none();
    assert!(eventually(Duration::from_secs(3), reads));
    client.query("BEGIN");
    assert!(writable(&mut client));
    gateway.must(&["grant", "revoke", &grant]);
    let closed = || !writable(&mut client);
    assert!(eventually(Duration::from_secs(2), closed), "the open transaction may still write");
    client.query("COMMIT AND CHAIN");
    assert!(!writable(&mut client));
    client.query("COMMIT");
    assert!(!writable(&mut client));
}

#[test]
fn an_unnamed_statement_survives_what_the_gateway_says_for_itself() {
    let (_server, gateway, mut client, _) = start("select");
    client.exchange(&[parse("", "SELECT 'mine'", &[]), sync()], 1);
    gateway.grant("alice", "dml");
    std::thread::sleep(Duration::from_millis(800));
    let answer = client.exchange(&[bind("", "", &[], 0), execute("", 0), sync()], 1);
    assert_eq!(rows(&answer), [["mine"]], "{answer:?}");
}

#[test]
fn a_copy_in_that_waits_for_its_client_ends_with_its_grant() {
    let (server, gateway, mut client, grant) = start("dml");
    server.sql("CREATE TABLE copied (v text)");
    server.sql("GRANT ALL ON copied TO PUBLIC");
    client.send_bytes(&query("COPY copied FROM STDIN"));
    client.read_until(b'G');
    client.send_bytes(&copy_data(b"a\n"));
    gateway.must(&["grant", "revoke", &grant]);
    let began = Instant::now();
    let answer = client.read_until(b'Z');
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(fields(&answer, 'M').contains(&grant), "{answer:?}");
    client.send_bytes(&[copy_data(b"b\n"), copy_done()].concat());
    alive(&mut client);
    assert_eq!(server.sql("SELECT count(*) FROM copied"), "0");
}

#[test]
fn a_long_pipeline_of_refusals_and_answers_stays_in_step() {
    let (_server, _gateway, mut client, _) = start("select");
    let mut packet = Vec::new();
    for round in 0..2_500 {
        packet.push(parse("", "SELECT $1::int4", &[]));
        packet.push(bind("", "", &[Some(&round.to_string())], 0));
        if round % 7 == 0 {
            packet.push(parse("", "DELETE FROM orders", &[]));
        }
        packet.push(execute("", 0));
        packet.push(sync());
    }
    let answer = client.exchange(&packet, 2_500);
    let refused = answer.iter().filter(|m| m.tag == b'E').count();
    assert_eq!(refused, 358);
    assert_eq!(rows(&answer).len(), 2_500 - 358);
    alive(&mut client);
}

#[test]
fn messages_byte_by_byte_are_the_same_messages() {
    let (_server, _gateway, mut client, _) = start("select");
    let packet = [
        parse("", "SELECT 'byte'", &[]),
        bind("", "", &[], 0),
        describe(b'P', ""),
        execute("", 0),
        parse("", "DELETE FROM orders", &[]),
        sync(),
        query("SELECT * FROM hallpass.whoami"),
    ]
    .concat();
    for byte in packet {
        client.send_bytes(&[byte]);
    }
    let first = client.read_until(b'Z');
    assert_eq!(rows(&first), [["byte"]]);
    assert_eq!(fields(&first, 'C'), "42501");
    let second = client.read_until(b'Z');
    assert!(error(&second).is_none(), "{second:?}");
    alive(&mut client);
}

#[test]
fn a_failed_bind_closes_its_record() {
    let (_server, gateway, mut client, _) = start("select");
    let text = "SELECT $1::int4 AS failed_bind";
    let answer = client.exchange(
        &[parse("", text, &[]), bind("", "", &[Some("x")], 0), execute("", 0), sync()],
        1,
    );
    assert_eq!(fields(&answer, 'C'), "22P02");
    alive(&mut client);
    let record = gateway.audit_shows("the bind", |r| r.to_string().contains("failed_bind"));
    eprintln!("{record:#}");
    gateway.audit_shows("its end", |r| r.to_string().contains("22P02"));
}

#[test]
fn nobody_takes_the_names_that_must_not_exist() {
    let (server, gateway, mut client, grant) = start("dml");
    server.sql("CREATE TABLE kept (v text)");
    server.sql("GRANT ALL ON kept TO PUBLIC");
    for name in ["hallpass.refused", "hallpass.own"] {
        let declared = client.query(&format!("BEGIN; DECLARE \"{name}\" CURSOR FOR SELECT 1"));
        assert!(error(&declared).is_some(), "{name}: {declared:?}");
        client.query("ROLLBACK");
        let prepared = client.query(&format!("PREPARE \"{name}\" AS SELECT 1"));
        assert!(error(&prepared).is_some(), "{name}: {prepared:?}");
        let text = format!("PREPARE \"{name}\" AS SELECT 1");
        let parsed = client
            .exchange(&[parse("", &text, &[]), bind("", "", &[], 0), execute("", 0), sync()], 1);
        assert!(error(&parsed).is_some(), "{name}: {parsed:?}");
    }
    client.query("BEGIN");
    client.query("INSERT INTO kept VALUES ('unwanted')");
    gateway.must(&["grant", "revoke", &grant]);
    std::thread::sleep(Duration::from_millis(500));
    assert!(error(&client.query("COMMIT")).is_some());
    assert_eq!(server.sql("SELECT count(*) FROM kept"), "0");
}

#[test]
fn a_row_budget_counts_what_execute_and_fetch_return() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant_with("alice", "select", &["--for", "30m", "--row-budget", "500"]);
    let mut client = gateway.connect("alice", &secret);
    client.query("PREPARE a AS SELECT id FROM orders LIMIT 400");
    let mut seen = 0;
    for _ in 0..3 {
        seen += rows(&client.query("EXECUTE a")).len();
    }
    assert_eq!(seen, 500, "by EXECUTE");
    gateway.grant_with("alice", "select", &["--for", "30m", "--row-budget", "500"]);
    let begun = || {
        let answer = client.query("BEGIN; DECLARE c CURSOR FOR SELECT id FROM orders");
        if error(&answer).is_some() {
            client.query("ROLLBACK");
        }
        error(&answer).is_none()
    };
    assert!(eventually(Duration::from_secs(3), begun));
    let mut seen = 0;
    for _ in 0..10 {
        seen += rows(&client.query("FETCH 90 FROM c")).len();
    }
    assert_eq!(seen, 500, "by FETCH");
}

#[test]
fn execute_runs_queries_only_and_names_lead_to_no_names() {
    let (_server, gateway, mut client, grant) = start("select");
    client.exchange(&[parse("p", "SET search_path = pg_catalog", &[]), sync()], 1);
    assert!(error(&client.query("EXECUTE p")).is_some());
    client.query("PREPARE s AS SELECT id FROM orders");
    client.query("BEGIN");
    client.exchange(&[parse("e", "EXECUTE s", &[]), bind("c", "e", &[], 0), sync()], 1);
    gateway.must(&["grant", "revoke", &grant]);
    std::thread::sleep(Duration::from_millis(500));
    let fetched = client.query("FETCH ALL FROM c");
    assert_eq!(rows(&fetched).len(), 0, "{fetched:?}");
    client.query("ROLLBACK");
    alive(&mut client);
}

#[test]
fn what_was_carried_out_is_on_record_as_carried_out() {
    let (server, gateway, mut client, _) = start("select,dml");
    server.sql("CREATE TABLE counted (v int)");
    server.sql("GRANT ALL ON counted TO PUBLIC");
    let _ = client.query("INSERT INTO counted SELECT generate_series(1, 1200) RETURNING v");
    alive(&mut client);
    let kept = server.sql("SELECT count(*) FROM counted");
    let record =
        gateway.audit_shows("the insert", |r| r.to_string().contains("INSERT INTO counted"));
    let wanted = if kept == "0" { "rolled_back" } else { "committed" };
    let id = record["statement"].clone();
    let settled =
        gateway.audit_shows("its end", |r| r["statement"] == id && r.to_string().contains(wanted));
    assert!(!settled.is_null(), "{settled}");
}

#[test]
fn a_commit_behind_a_cut_result_commits_nothing() {
    let (server, _gateway, mut client, _) = start("select,dml");
    server.sql("CREATE TABLE behind (v int)");
    server.sql("GRANT ALL ON behind TO PUBLIC");
    let run = |text: &str| [parse("", text, &[]), bind("", "", &[], 0), execute("", 0)].concat();
    for round in 0..6 {
        let begun = client.query("BEGIN; INSERT INTO behind VALUES (1)");
        assert!(error(&begun).is_none(), "{begun:?}");
        let commit =
            if round % 2 == 0 { query("COMMIT") } else { [run("COMMIT"), sync()].concat() };
        let answer = client.exchange(&[run(ORDERS), sync(), commit], 2);
        assert_eq!(fields(&answer, 'C'), "54000");
        let next = client.query("SELECT 'alive'");
        assert_eq!(
            rows(&next),
            [["alive"]],
            "round {round}: {next:?} behind {:?}",
            &answer[answer.len() - 6..]
        );
        assert_eq!(server.sql("SELECT count(*) FROM behind"), "0", "round {round}: {answer:?}");
    }
}

#[test]
fn a_refused_query_in_a_pipeline_leaves_the_next_ones_in_step() {
    let (_server, _gateway, mut client, _) = start("select");
    for begin in ["SELECT 1", "BEGIN"] {
        client.query(begin);
        let answer = client.exchange(
            &[
                query("SELECT 1"),
                query("DELETE FROM orders"),
                parse("", "SELECT 2", &[]),
                bind("", "", &[], 0),
                query("DELETE FROM orders"),
                query("SELECT * FROM hallpass.whoami"),
                frame(b'F', &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
                parse("", "SELECT hallpass.nonsense()", &[]),
                bind("", "", &[], 1),
                execute("", 0),
                parse("", "DELETE FROM orders", &[]),
                flush(),
                sync(),
                query(""),
                sync(),
                sync(),
            ],
            if begin == "BEGIN" { 6 } else { 9 },
        );
        let status: Vec<u8> = answer.iter().filter(|m| m.tag == b'Z').map(|m| m.body[0]).collect();
        // In the transaction that has failed, the Parse fails too, and all is skipped up to its Sync.
        let wanted: &[u8] = if begin == "BEGIN" { b"TEEEEE" } else { b"IIIIIIIII" };
        assert_eq!(
            String::from_utf8_lossy(&status),
            String::from_utf8_lossy(wanted),
            "{begin}: {answer:?}"
        );
        client.query("ROLLBACK");
        alive(&mut client);
    }
}

#[test]
fn a_session_that_was_writable_is_closed_again_whatever_was_rolled_back() {
    let (_server, gateway, mut client, grant) = start("dml");
    client.query("BEGIN");
    client.query("COMMIT");
    client.query("BEGIN");
    client.query("SET default_transaction_read_only = on");
    client.query("ROLLBACK");
    client.query("BEGIN; RESET ALL; ROLLBACK");
    gateway.must(&["grant", "revoke", &grant]);
    std::thread::sleep(Duration::from_millis(500));
    assert!(!writable(&mut client));
    client.query("BEGIN");
    assert!(!writable(&mut client));
    client.query("ROLLBACK");
}

#[test]
fn odd_messages_while_copying_stay_in_step() {
    let (server, _gateway, mut client, _) = start("dml");
    server.sql("CREATE TABLE copied (v int)");
    server.sql("GRANT ALL ON copied TO PUBLIC");
    let copy =
        [parse("", "COPY copied FROM STDIN", &[]), bind("", "", &[], 0), execute("", 0)].concat();
    // Bad data, then its end.
    let answer = client.exchange(
        &[
            copy,
            copy_data(
                b"x
",
            ),
            copy_done(),
            sync(),
        ],
        1,
    );
    assert_eq!(fields(&answer, 'C'), "22P02");
    alive(&mut client);
    // Copy data for nobody.
    let answer = client.exchange(
        &[
            copy_data(
                b"1
",
            ),
            copy_done(),
            query("SELECT 1"),
        ],
        1,
    );
    assert!(error(&answer).is_none());
    assert_eq!(server.sql("SELECT count(*) FROM copied"), "0");
}

#[test]
fn a_client_that_reads_nothing_costs_bounded_memory() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("root");
    let mut client = gateway.connect("root", &secret);
    client.send_bytes(&query("SELECT repeat('x', 100000) FROM generate_series(1, 3000)"));
    std::thread::sleep(Duration::from_secs(2));
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.pid()));
    let status = status.expect("the gateway runs");
    let resident = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).expect("a size");
    let kib: u64 = resident.trim().trim_end_matches(" kB").trim().parse().expect("a number");
    assert!(kib < 300_000, "{kib} KiB");
    assert_eq!(rows(&client.read_until(b'Z')).len(), 3000);
}

#[test]
fn a_session_may_stay_its_log_in_and_become_nobody_else() {
    let server = Postgres::start();
    server.sql("CREATE ROLE other; GRANT other TO hallpass");
    let stays = |gateway: &Gateway| {
        let secret = gateway.principal("alice", "developer");
        let mut alice = gateway.connect("alice", &secret);
        let code = |answer: &[Message]| error(answer).map(|e| e.field('C'));
        assert_eq!(code(&alice.query("SET ROLE other")), Some("42501".into()));
        code(&alice.query("SET ROLE 'hallpass'"))
    };
    assert_eq!(stays(&Gateway::start(&server)), None);
    // Where the log-in begins as another role, its own is somebody else.
    server.sql("ALTER ROLE hallpass SET role = 'other'");
    assert_eq!(stays(&Gateway::start(&server)), Some("42501".into()));
    server.sql("ALTER ROLE hallpass RESET role; ALTER DATABASE shop SET role = 'other'");
    assert_eq!(stays(&Gateway::start(&server)), Some("42501".into()));
}

/// People begin sessions so to be safe from their own hands; a gateway that forgot it would write.
#[test]
fn who_begins_read_only_writes_nothing_until_saying_otherwise() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let begin = |address: &str, who: (&str, &str, &str), wish: &(&str, &str)| {
        let (user, password, database) = who;
        let mut client = RawClient::open(address);
        client.startup(PROTOCOL_3_0, &[("user", user), ("database", database), *wish]);
        client.login(password).expect("comes in");
        client
    };
    let wishes = [
        ("default_transaction_read_only", "tr"),
        ("options", "-c default_transaction_read_only=on"),
        ("options", "--default-transaction-read-only=off -cdefault_transaction_read_only=yes"),
        ("DEFAULT_transaction_read_only", "off"),
        ("options", "-c default_transaction_read_only=off"),
    ];
    let script = [
        "SHOW transaction_read_only",
        "SHOW default_transaction_read_only",
        "UPDATE orders SET note = note WHERE id = 1",
        "BEGIN; UPDATE orders SET note = note WHERE id = 1; COMMIT",
        "ROLLBACK",
        "RESET ALL",
        "SHOW transaction_read_only",
        "UPDATE orders SET note = note WHERE id = 1",
        "SET default_transaction_read_only = off",
        "SHOW transaction_read_only",
        "UPDATE orders SET note = note WHERE id = 1",
        "RESET default_transaction_read_only",
        "UPDATE orders SET note = note WHERE id = 1",
        "BEGIN READ WRITE; UPDATE orders SET note = note WHERE id = 1; COMMIT",
        "DISCARD ALL",
        "UPDATE orders SET note = note WHERE id = 1",
    ];
    for wish in &wishes {
        let ask = |mut client: RawClient| {
            let said = client.parameters.get("default_transaction_read_only").cloned();
            let answers = script.map(|sql| {
                let answer = client.query(sql);
                (sql, rows(&answer), error(&answer).map(|e| e.field('C')))
            });
            (said, answers)
        };
        let direct = (UPSTREAM_USER, UPSTREAM_PASSWORD, DATABASE);
        let expected = ask(begin(&server.address(), direct, wish));
        let got = ask(begin(&gateway.address(), ("alice", &secret, TARGET), wish));
        assert_eq!(got, expected, "{wish:?}");
    }
}
