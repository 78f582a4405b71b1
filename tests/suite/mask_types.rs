//! Masked columns of the users' own types, and columns that rules mean by type, comment or tag.

use std::time::Duration;

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    gateway::TARGET,
    raw::{bind, close, error, execute, parse, rows, sync},
};

const TABLES: &str = "
CREATE EXTENSION citext;
CREATE DOMAIN mail AS text CHECK (VALUE LIKE '%@%');
CREATE DOMAIN work_mail AS mail;
CREATE DOMAIN born AS date;
CREATE DOMAIN few AS text[];
CREATE DOMAIN pay AS numeric(10,2);
CREATE TYPE mood AS ENUM ('hidden', 'sad', 'happy');
CREATE DOMAIN humour AS mood;
CREATE TYPE pair AS (a text, b int);
CREATE TABLE odd (
    id int PRIMARY KEY, c citext, cs citext[], m mail, ms mail[], w work_mail, ws work_mail[], b born, bs born[],
    f few, fs few[], p pay, ps pay[], e mood, es mood[], h humour, hs humour[], r pair, v varchar(20)
);
INSERT INTO odd VALUES (1, 'Ann@example.org', '{Ann@example.org,NULL}', 'ann@example.org', '{ann@example.org}',
    'ann@example.org', '{ann@example.org}', '1980-05-06', '{1980-05-06}', '{ann}', NULL, 1234.56, '{1234.56}',
    'happy', '{happy}', 'happy', '{happy}', '(ann,5)', 'secret words');
UPDATE odd SET fs = ARRAY['{ann}'::few];
GRANT SELECT, UPDATE ON odd TO hallpass";

fn start() -> (Postgres, Gateway, RawClient) {
    let server = Postgres::start();
    server.sql(TABLES);
    server.sql("ALTER TABLE odd OWNER TO hallpass");
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select,dml,ddl");
    let client = gateway.connect("alice", &secret);
    (server, gateway, client)
}

fn rule(gateway: &Gateway, how: &str, columns: &str, with: &str) {
    gateway.must(&["mask", "add", "--target", TARGET, how, columns, "--with", with]);
}

/// What the first row of a column shows, when masks have come to it.
fn shown(client: &mut RawClient, column: &str) -> String {
    let text = format!("SELECT {column} FROM odd WHERE id = 1");
    let answer = client.query(&text);
    if error(&answer).is_some_and(|e| e.field('M').contains("other mask rules")) {
        return "cut off".to_owned();
    }
    let rows = rows(&answer);
    let cell = rows.first().and_then(|row| row.first()).cloned();
    cell.unwrap_or_else(|| panic!("{text}: {answer:?}"))
}

#[test]
fn a_value_of_a_users_type_is_masked_as_what_it_is_on_the_wire() {
    let (_server, gateway, mut client) = start();
    let clear = shown(&mut client, "w");
    let columns = [
        ("c", "email", "A***@example.org"),
        ("cs", "email", "{A***@example.org,NULL}"),
        ("m", "email", "a***@example.org"),
        ("ms", "email", "{a***@example.org}"),
        ("ws", "email", "{a***@example.org}"),
        ("b", "truncate(year)", "1980-01-01"),
        ("bs", "truncate(year)", "{1980-01-01}"),
        ("f", "full", "{******}"),
        ("fs", "full", "{NULL}"),
        ("p", "bucket(100)", "1200.00"),
        ("ps", "bucket(100)", "{1200.00}"),
        ("e", "fixed('hidden')", "hidden"),
        ("es", "fixed('hidden')", "{hidden}"),
        ("h", "fixed('hidden')", "hidden"),
        ("hs", "fixed('hidden')", "{hidden}"),
        ("r", "full", "∅"),
        ("w", "email", "a***@example.org"),
    ];
    for (column, with, _) in columns {
        rule(&gateway, "--column", &format!("public.odd.{column}"), with);
    }
    assert!(eventually(Duration::from_secs(5), || shown(&mut client, "w") != clear));
    for (column, with, wanted) in columns {
        assert_eq!(shown(&mut client, column), wanted, "{column} {with}");
    }
    // The binary form is masked too, and the server would take it back.
    for (column, with, wanted) in columns {
        let text = format!("SELECT {column} FROM odd WHERE id = 1");
        let packet =
            [parse("", &text, &[]), bind("", "", &[], 1), execute("", 0), close(b'P', ""), sync()];
        let answer = client.exchange(&packet, 1);
        let row =
            answer.iter().find(|m| m.tag == b'D').unwrap_or_else(|| panic!("{text}: {answer:?}"));
        let cell = row.values().first().cloned().flatten();
        let Some(cell) = cell else {
            assert_eq!(wanted, "∅", "{column} {with}");
            continue;
        };
        let back = format!("SELECT $1::{}", type_of(column));
        let packet = [parse("", &back, &[]), bind_binary(&cell), execute("", 0), sync()];
        let answer = client.exchange(&packet, 1);
        assert_eq!(rows(&answer), [[wanted]], "{column} {with}: {answer:?}");
    }
}

/// Domains without their checks: what is masked needn't pass them.
fn type_of(column: &str) -> &'static str {
    match column {
        "c" => "citext",
        "cs" => "citext[]",
        "b" => "date",
        "bs" => "born[]",
        "f" => "text[]",
        "fs" => "few[]",
        "p" => "numeric",
        "ps" => "pay[]",
        "e" | "h" => "mood",
        "es" => "mood[]",
        "hs" => "humour[]",
        "ms" => "mail[]",
        "ws" => "work_mail[]",
        _ => "text",
    }
}

/// One parameter in binary, results as text.
fn bind_binary(cell: &[u8]) -> Vec<u8> {
    let mut body = vec![0, 0, 0, 1, 0, 1, 0, 1];
    body.extend(u32::try_from(cell.len()).expect("short").to_be_bytes());
    body.extend(cell);
    body.extend([0, 1, 0, 0]);
    crate::support::raw::frame(b'B', &body)
}

#[test]
fn a_fixed_text_that_is_no_label_is_null() {
    let (_server, gateway, mut client) = start();
    rule(&gateway, "--column", "public.odd.e", "fixed('unheard of')");
    assert!(eventually(Duration::from_secs(5), || shown(&mut client, "e") == "∅"));
}

#[test]
fn columns_are_masked_by_type_and_by_what_their_comment_says() {
    let (server, gateway, mut client) = start();
    assert_eq!(shown(&mut client, "v"), "secret words");
    rule(&gateway, "--type", "citext", "full");
    assert!(eventually(Duration::from_secs(5), || shown(&mut client, "c") == "******"));
    assert_eq!(shown(&mut client, "v"), "secret words");
    rule(&gateway, "--comment", "*PERSONAL*", "partial");
    rule(&gateway, "--tag", "pii", "inner(1, 1)");
    server.sql("COMMENT ON COLUMN odd.v IS 'what she said; personal'");
    // A definition that changes through the gateway has the catalog read anew at once.
    client.query("COMMENT ON COLUMN orders.note IS 'anything'");
    assert!(eventually(Duration::from_secs(5), || shown(&mut client, "v") == "**ret wo**"));
    server.sql("COMMENT ON COLUMN odd.m IS 'hallpass:pii'; COMMENT ON COLUMN odd.v IS NULL");
    client.query("COMMENT ON COLUMN orders.note IS 'else'");
    assert!(eventually(Duration::from_secs(5), || shown(&mut client, "m") == "a*************g"));
    assert_eq!(shown(&mut client, "v"), "secret words", "what the comment no longer says");
}

#[test]
fn nobody_unmasks_a_column_by_another_comment() {
    let (_server, gateway, mut client) = start();
    client.query("COMMENT ON COLUMN odd.v IS 'hallpass:pii'");
    rule(&gateway, "--tag", "pii", "full");
    assert!(eventually(Duration::from_secs(5), || shown(&mut client, "v") == "******"));
    for text in [
        "COMMENT ON COLUMN odd.v IS NULL",
        "COMMENT ON COLUMN public.odd.v IS 'nothing'",
        "ALTER TABLE odd ALTER COLUMN v TYPE text",
    ] {
        let answer = client.query(text);
        let refused = error(&answer).map(|e| e.field('M')).unwrap_or_default();
        assert!(refused.contains("sql.unmask"), "{text}: {answer:?}");
    }
    assert_eq!(shown(&mut client, "v"), "******");
}
