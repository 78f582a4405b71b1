//! The cap on results without export, budgets, and other limits.

use std::time::{Duration, Instant};

use crate::support::{
    Gateway, Message, Postgres, RawClient, eventually,
    gateway::{Options, TARGET},
    raw::{bind, error, execute, parse, rows, sync, tags},
};

#[test]
fn a_result_beyond_the_cap_fails_and_says_what_to_do() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    let answer = client.query("SELECT id FROM orders");
    assert!(rows(&answer).len() <= 1000, "{} rows", rows(&answer).len());
    let refusal = error(&answer).expect("the cap");
    assert_eq!(refusal.field('C'), "54000");
    assert!(refusal.field('M').contains("result passed 1000 rows"), "{refusal:?}");
    assert!(refusal.field('M').contains("sql.export") || refusal.field('H').contains("export"));
    assert_eq!(rows(&client.query("SELECT id FROM orders LIMIT 1000")).len(), 1000);
    gateway.grant("alice", "export");
    let all = || rows(&client.query("SELECT id FROM orders")).len() == 6000;
    assert!(eventually(Duration::from_secs(3), all));
}

#[test]
fn the_cap_counts_over_all_fetches() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);

    client.query("BEGIN");
    client.query("DECLARE c CURSOR FOR SELECT id FROM orders ORDER BY id");
    let mut seen = 0;
    for _ in 0..20 {
        seen += rows(&client.query("FETCH 100 FROM c")).len();
    }
    assert!((900..=1000).contains(&seen), "{seen} rows by FETCH");
    client.query("ROLLBACK");

    client.query("BEGIN");
    client.exchange(&[parse("", "SELECT id FROM orders", &[]), bind("p", "", &[], 0), sync()], 1);
    let mut seen = 0;
    for _ in 0..20 {
        seen += rows(&client.exchange(&[execute("p", 100), sync()], 1)).len();
    }
    assert!((900..=1000).contains(&seen), "{seen} rows by Execute");
    client.query("ROLLBACK");
}

#[test]
fn the_cap_may_cut_instead() {
    let server = Postgres::start();
    let options =
        Options { rest: "[limits]\nmax_rows = 50\nover = \"cut\"\n".into(), ..Options::default() };
    let gateway = Gateway::start_with(&server, &options);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    let answer = client.query("SELECT id FROM orders");
    assert_eq!(rows(&answer).len(), 50);
    assert!(error(&answer).is_none(), "{answer:?}");
    assert!(answer.iter().any(|m| m.tag == b'N'), "a warning");
    client.query("SET hallpass.over = 'error'");
    assert!(error(&client.query("SELECT id FROM orders")).is_some());
}

/// More rows than anybody waits for.
const ENDLESS: &str = "SELECT a.id FROM orders a, orders b, orders c, orders d";

fn cutting() -> (Postgres, Gateway, RawClient) {
    let server = Postgres::start();
    let options =
        Options { rest: "[limits]\nmax_rows = 50\nover = \"cut\"\n".into(), ..Options::default() };
    let gateway = Gateway::start_with(&server, &options);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let client = gateway.connect("alice", &secret);
    (server, gateway, client)
}

fn complete(answer: &[Message]) -> Vec<String> {
    answer.iter().filter(|m| m.tag == b'C').map(Message::text).collect()
}

#[test]
fn a_cut_ends_an_endless_result_and_the_client_sees_a_normal_end() {
    let (server, _gateway, mut client) = cutting();
    let began = Instant::now();
    let answer = client.query(ENDLESS);
    assert_eq!(rows(&answer).len(), 50);
    assert_eq!(complete(&answer), ["SELECT 50"]);
    assert!(error(&answer).is_none() && answer.iter().any(|m| m.tag == b'N'), "{answer:?}");
    assert_eq!(answer.last().map(|m| m.body.as_slice()), Some(&b"I"[..]));
    let batch = [parse("", ENDLESS, &[]), bind("", "", &[], 0), execute("", 0), sync()];
    let answer = client.exchange(&batch, 1);
    assert_eq!(rows(&answer).len(), 50);
    assert_eq!(complete(&answer), ["SELECT 50"]);
    assert!(error(&answer).is_none(), "{answer:?}");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(rows(&client.query("SELECT 'alive'")), [["alive"]]);
    let idle = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'alice/%' AND state = 'idle'";
    assert_eq!(server.sql(idle), "1");
}

#[test]
fn a_cut_in_a_transaction_leaves_it_open_unless_the_result_has_no_end() {
    let (_server, _gateway, mut client) = cutting();
    client.query("BEGIN");
    let answer = client.query("SELECT id FROM orders");
    assert_eq!((rows(&answer).len(), complete(&answer)), (50, vec!["SELECT 50".to_owned()]));
    assert_eq!(answer.last().map(|m| m.body.as_slice()), Some(&b"T"[..]));
    client.query("DECLARE ids CURSOR FOR SELECT id FROM orders");
    let answer = client.query("FETCH 70 FROM ids");
    assert_eq!((rows(&answer).len(), complete(&answer)), (50, vec!["FETCH 50".to_owned()]));
    let began = Instant::now();
    let answer = client.query(ENDLESS);
    assert_eq!(rows(&answer).len(), 50);
    assert_eq!(error(&answer).expect("there is no other way").field('C'), "54000");
    assert_eq!(answer.last().map(|m| m.body.as_slice()), Some(&b"E"[..]));
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    client.query("ROLLBACK");
    assert_eq!(rows(&client.query("SELECT 'alive'")), [["alive"]]);
}

#[test]
fn a_cut_portal_just_stops() {
    let (_server, _gateway, mut client) = cutting();
    client.query("BEGIN");
    let start = [parse("", ENDLESS, &[]), bind("p", "", &[], 0), execute("p", 40), sync()];
    assert_eq!(tags(&client.exchange(&start, 1)), format!("12{}sZ", "D".repeat(40)));
    let answer = client.exchange(&[execute("p", 40), sync()], 1);
    assert_eq!((rows(&answer).len(), complete(&answer)), (10, vec!["SELECT 10".to_owned()]));
    let answer = client.exchange(&[execute("p", 40), sync()], 1);
    assert_eq!((rows(&answer).len(), complete(&answer)), (0, vec!["SELECT 0".to_owned()]));
    assert_eq!(answer.last().map(|m| m.body.as_slice()), Some(&b"T"[..]));
    assert!(error(&client.query("COMMIT")).is_none());
}

#[test]
fn a_used_up_budget_ends_the_grant() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant_with("alice", "select", &["--for", "30m", "--row-budget", "250"]);
    let mut client = gateway.connect("alice", &secret);
    let mut seen = 0;
    for _ in 0..10 {
        seen += rows(&client.query("SELECT id FROM orders LIMIT 100")).len();
    }
    assert!((200..=300).contains(&seen), "{seen} rows of a budget of 250");
    assert!(error(&client.query("SELECT 1 FROM orders LIMIT 1")).is_some());
}

#[test]
fn connections_of_one_principal_are_counted() {
    let server = Postgres::start();
    let options =
        Options { rest: "[limits]\nconnections_per_principal = 3\n".into(), ..Options::default() };
    let gateway = Gateway::start_with(&server, &options);
    let secret = gateway.principal("alice", "developer");
    let mut open: Vec<RawClient> = (0..3).map(|_| gateway.connect("alice", &secret)).collect();
    let mut client = RawClient::open(&gateway.address());
    client.startup(crate::support::raw::PROTOCOL_3_0, &[("user", "alice"), ("database", TARGET)]);
    assert_eq!(client.login(&secret).expect_err("one too many").field('C'), "53300");
    if let Some(last) = open.pop() {
        last.terminate();
    }
    let room = || {
        let mut client = RawClient::open(&gateway.address());
        client
            .startup(crate::support::raw::PROTOCOL_3_0, &[("user", "alice"), ("database", TARGET)]);
        client.login(&secret).is_ok()
    };
    assert!(eventually(Duration::from_secs(3), room));
}

#[test]
fn a_text_that_would_kill_a_parser_is_refused_and_the_gateway_lives() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let mut client = gateway.connect("alice", &secret);
    let hostile = [
        format!("SELECT 1{}", "+1".repeat(60_000)),
        format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000)),
        format!("SELECT 1{}", "::int".repeat(40_000)),
        format!("{}{}", "/*".repeat(100_000), "*/".repeat(100_000)),
        format!("SELECT * FROM orders WHERE {}", vec!["id = 1"; 40_000].join(" OR ")),
        format!("SELECT '{}'", "x".repeat(2 << 20)),
    ];
    for text in hostile {
        let answer = client.query(&text);
        assert!(error(&answer).is_some(), "{}…", &text[..40]);
    }
    assert_eq!(rows(&client.query("SELECT 'alive'")), [["alive"]]);
}
