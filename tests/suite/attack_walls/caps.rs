//! Attacks on caps and budgets: many rows in one, rows in what is no row, rows over many statements.

use std::io::ErrorKind;

use crate::support::{
    Gateway, Message, Postgres, RawClient,
    gateway::Options,
    postgres::UPSTREAM_USER,
    raw::{bind, error, execute, parse, query, rows, sync},
};

const OBJECTS: &str = "
    CREATE FUNCTION noisy(what text) RETURNS integer LANGUAGE plpgsql STABLE AS
        $$BEGIN RAISE NOTICE '%', what; RETURN 1; END$$;
    CREATE FUNCTION fails(what text) RETURNS integer LANGUAGE plpgsql STABLE AS
        $$BEGIN RAISE EXCEPTION 'seen' USING DETAIL = what; END$$;";

/// Fewer rows and bytes than the tables have.
const ROWS: usize = 100;
const BYTES: usize = 64 << 10;

fn start() -> (Postgres, Gateway) {
    let server = Postgres::start();
    server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER};{OBJECTS}"));
    let rest = format!(
        "[limits]\nmax_rows = {ROWS}\nmax_bytes = \"64KiB\"\nmax_catalog_bytes = \"1MiB\"\n"
    );
    let gateway = Gateway::start_with(&server, &Options { rest, ..Options::default() });
    (server, gateway)
}

fn bytes(answer: &[Message]) -> usize {
    answer.iter().map(|message| message.body.len() + 5).sum()
}

/// Messages up to so many ReadyForQuery, or to the end of the session.
fn said(client: &mut RawClient, packet: &[Vec<u8>], readies: usize) -> Vec<Message> {
    client.send_bytes(&packet.concat());
    let mut answer = Vec::new();
    let mut left = readies;
    while left > 0 {
        match client.try_read() {
            Ok(Some(message)) => {
                left -= usize::from(message.tag == b'Z');
                answer.push(message);
            }
            Ok(None) => break,
            Err(e) if e.kind() == ErrorKind::BrokenPipe => break,
            Err(e) => panic!("{e}"),
        }
    }
    answer
}

#[test]
fn no_statement_gives_more_rows_than_the_cap_in_whatever_pieces() {
    let (server, gateway) = start();
    server.sql("CREATE TABLE copied (id bigint); GRANT ALL ON copied TO PUBLIC");
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select,dml");
    let fetches = |texts: &[&str], times: usize| {
        let mut all: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        all.extend((0..times).map(|_| "FETCH 30 FROM c".to_owned()));
        all
    };
    let cursor = "DECLARE c SCROLL CURSOR FOR SELECT id FROM orders";
    let back: Vec<String> = [
        "BEGIN",
        cursor,
        "FETCH 60 FROM c",
        "FETCH BACKWARD 50 FROM c",
        "FETCH 60 FROM c",
        "FETCH ABSOLUTE 3 FROM c",
        "FETCH ALL FROM c",
    ]
    .map(String::from)
    .into();
    let ways: Vec<Vec<String>> = vec![
        fetches(&["BEGIN", cursor], 12),
        fetches(&["DECLARE c CURSOR WITH HOLD FOR SELECT id FROM orders"], 12),
        fetches(&["BEGIN", "DECLARE c CURSOR WITH HOLD FOR SELECT id FROM orders", "COMMIT"], 12),
        fetches(&["BEGIN", cursor, "MOVE 5000 FROM c", "MOVE BACKWARD ALL FROM c"], 12),
        back,
        vec!["SELECT id FROM orders UNION ALL SELECT id FROM customers".into()],
        vec![
            "VALUES (1), (2), ((SELECT 3 FROM orders LIMIT 1)) UNION ALL SELECT id FROM orders"
                .into(),
        ],
        vec![
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r, orders WHERE \
              orders.id = n) SELECT * FROM r LIMIT 500"
                .into(),
        ],
        vec!["TABLE orders".into()],
        vec!["SELECT unnest(array_agg(id)) FROM orders".into()],
        vec!["PREPARE p AS SELECT id FROM orders".into(), "EXECUTE p".into()],
        vec!["INSERT INTO copied SELECT id FROM orders RETURNING id".into()],
        vec![
            "WITH gone AS (INSERT INTO copied SELECT id FROM orders RETURNING id) \
              SELECT * FROM gone"
                .into(),
        ],
    ];
    let mut wrong = Vec::new();
    for texts in ways {
        let mut client = gateway.connect("alice", &secret);
        let mut seen = 0;
        for text in &texts {
            seen += rows(&said(&mut client, &[query(text)], 1)).len();
        }
        if seen > ROWS || seen == 0 {
            wrong.push(format!("{seen} rows by {texts:?}"));
        }
    }
    // A portal, a few rows at a time.
    let mut client = gateway.connect("alice", &secret);
    client.query("BEGIN");
    let start = [parse("", "SELECT id FROM orders", &[]), bind("p", "", &[], 1), sync()];
    client.exchange(&start, 1);
    let steps: Vec<Vec<u8>> = (0..20).flat_map(|_| [execute("p", 30), sync()]).collect();
    let seen = said(&mut client, &steps, 20).iter().filter(|m| m.tag == b'D').count();
    if !(1..=ROWS).contains(&seen) {
        wrong.push(format!("{seen} rows of a portal"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_statement_gives_more_bytes_than_the_cap_in_whatever_it_says() {
    let (_server, gateway) = start();
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let ways: [&[&str]; 20] = [
        &["SELECT string_agg(c::text, ',') FROM customers c"],
        &["SELECT json_agg(c) FROM customers c"],
        &["SELECT array_agg(c::text) FROM customers c"],
        &["SELECT xmlagg(xmlelement(name c, c::text)) FROM customers c"],
        &["SELECT ARRAY(SELECT c::text FROM customers c)"],
        &["SELECT max(full_name) FILTER (WHERE false), string_agg(c::text, '') OVER () \
           FROM customers c LIMIT 1"],
        // Texts of errors and notices.
        &["SELECT string_agg(c::text, ',')::integer FROM customers c"],
        &["SELECT fails(string_agg(c::text, ',')) FROM customers c"],
        &["SELECT count(noisy(c::text)) FROM customers c"],
        &["SELECT noisy(string_agg(c::text, ',')) FROM customers c"],
        &["SELECT string_agg(c::text, ',')::date FROM customers c"],
        // Parked in the session first.
        &[
            "SELECT length(set_config('my.rows', (SELECT string_agg(c::text, '') FROM customers c), \
           false))",
            "SELECT current_setting('my.rows')",
        ],
        &[
            "SELECT length(set_config('my.rows', (SELECT string_agg(c::text, '') FROM customers c), \
           false))",
            "SHOW my.rows",
        ],
        &[
            "SELECT length(set_config('my.rows', (SELECT string_agg(c::text, '') FROM customers c), \
           false))",
            "SELECT current_setting('my.' || 'rows') FROM pg_class LIMIT 1",
        ],
        &[
            "SELECT length(set_config('my.rows', (SELECT string_agg(c::text, '') FROM customers c), \
           false))",
            "SELECT current_setting('my.rows')::integer",
        ],
        &[
            "SELECT length(set_config('my.rows', (SELECT string_agg(c::text, ',') FROM customers c), \
           false))",
            "SELECT regexp_split_to_table(current_setting('my.rows'), ',')",
        ],
        &[
            "BEGIN",
            "DECLARE c CURSOR FOR SELECT repeat(c::text, 5) FROM customers c",
            "FETCH 50 FROM c",
            "FETCH 50 FROM c",
            "FETCH 50 FROM c",
        ],
        &["PREPARE p AS SELECT string_agg(c::text, ',') FROM customers c", "EXECUTE p"],
        &[
            "SELECT length((SELECT string_agg(c::text, ',') FROM customers c))",
            "SELECT repeat(note, 100) FROM orders LIMIT 100",
        ],
        &[
            "SELECT c.*, c.* FROM customers c, orders o WHERE repeat(c::text, 1000) > '' LIMIT 90",
            "SELECT repeat(c::text, 20) FROM customers c LIMIT 90",
        ],
    ];
    let mut wrong = Vec::new();
    for texts in ways {
        for extended in [false, true] {
            let mut client = gateway.connect("alice", &secret);
            let mut seen = 0;
            for text in texts {
                let (packet, format) = if extended {
                    (vec![parse("", text, &[]), bind("", "", &[], 0), execute("", 0), sync()], "P")
                } else {
                    (vec![query(text)], "Q")
                };
                let answer = said(&mut client, &packet, 1);
                seen = seen.max(bytes(&answer));
                if answer.last().is_none_or(|m| m.tag != b'Z') {
                    wrong.push(format!("{format}: the session ended at {text}"));
                }
            }
            if seen > BYTES + 4096 {
                wrong.push(format!("{seen} bytes by {texts:?}, extended: {extended}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_reads_no_table_is_bounded_too_and_catalogs_have_room() {
    let (_server, gateway) = start();
    let secret = gateway.principal("alice", "developer");
    let mut client = gateway.connect("alice", &secret);
    for text in [
        "SELECT repeat('x', 100000000)",
        "SELECT repeat('x', 100000000) FROM pg_class LIMIT 1",
        "SELECT repeat('x', 1000) FROM generate_series(1, 100000)",
        "SELECT repeat('x', 100000000)::integer",
        "SELECT generate_series(1, 10000000)",
    ] {
        let answer = said(&mut client, &[query(text)], 1);
        assert!(bytes(&answer) <= (1 << 20) + 4096, "{} bytes by {text}", bytes(&answer));
        let refusal = error(&answer).unwrap_or_else(|| panic!("{text}"));
        assert!(["54000", "22P02"].contains(&refusal.field('C').as_str()), "{refusal:?}");
    }
    let catalog = client.query("SELECT a.attname, a.attrelid::regclass FROM pg_attribute a");
    assert!(error(&catalog).is_none(), "{:?}", error(&catalog));
    assert!(rows(&catalog).len() > 10 * ROWS && bytes(&catalog) > BYTES);
    // Statements that read no table are not held back by each other, or by a COMMIT.
    let together = client.query("BEGIN; SELECT 1; SHOW server_version; COMMIT");
    assert!(error(&together).is_none(), "{together:?}");
}

/// A row that holds many counts for many, and what an error quotes counts too.
#[test]
fn a_budget_holds_for_many_rows_in_one_for_errors_and_for_parallel_sessions() {
    let server = Postgres::start();
    server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER};{OBJECTS}"));
    let gateway = Gateway::start(&server);
    let spent = |name: &str, texts: &[&str], times: usize| {
        let secret = gateway.principal(name, "developer");
        gateway.grant_with(name, "select", &["--for", "30m", "--row-budget", "60"]);
        let mut clients: Vec<RawClient> = (0..3).map(|_| gateway.connect(name, &secret)).collect();
        let (mut seen, mut answered) = (0, 0);
        for round in 0..times {
            let text = texts[round % texts.len()].replace("$n", &round.to_string());
            let answer = clients[round % 3].query(&text);
            let used_up =
                error(&answer).is_some_and(|e| ["54000", "42501"].contains(&e.field('C').as_str()));
            answered += usize::from(!used_up);
            seen += bytes(&answer);
        }
        (answered, seen)
    };
    // 2,000 customers are some 200 KiB: 20 rows of 10 KiB.
    let (answered, seen) = spent("ann", &["SELECT string_agg(c::text, ',') FROM customers c"], 12);
    assert!((1..=6).contains(&answered), "{answered} answers, {seen} bytes");
    let (answered, _) = spent(
        "ben",
        &[
            "SELECT (c::text)::integer FROM customers c OFFSET $n LIMIT 1",
            "SELECT fails(c::text) FROM customers c OFFSET $n LIMIT 1",
        ],
        90,
    );
    assert!((30..=60).contains(&answered), "{answered} errors that quote a row");
    let (answered, _) = spent("cid", &["SELECT count(noisy(c::text)) FROM customers c"], 30);
    assert!((1..=10).contains(&answered), "{answered} times all rows in notices");
    let (answered, _) = spent("dan", &["SELECT id FROM orders OFFSET $n LIMIT 1"], 90);
    assert_eq!(answered, 60, "rows over parallel sessions");
}
