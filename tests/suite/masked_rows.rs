//! Masked results as a stream: wide, long and many rows, clients that don't read, and rows in which
//! something else is hidden too.

use std::{fmt::Write as _, fs, time::Duration};

use crate::support::{
    Gateway, Message, Postgres, RawClient, eventually,
    gateway::TARGET,
    raw::{bind, error, execute, parse, query, rows, sync, tags},
};

struct World {
    server: Postgres,
    gateway: Gateway,
    client: RawClient,
}

/// A gateway with one rule, which holds already.
fn start(sql: &str, (column, with): (&str, &str)) -> World {
    let server = Postgres::start();
    server.sql(&format!("{sql}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC"));
    let gateway = Gateway::start(&server);
    gateway.must(&["mask", "add", "--target", TARGET, "--column", column, "--with", with]);
    let secret = gateway.principal("alice", "developer");
    gateway.grant_with("alice", "select,export", &["--for", "1h", "--row-budget", "100000000"]);
    let mut client = gateway.connect("alice", &secret);
    let mut column = column.rsplit('.');
    let (column, table) = (column.next().expect("a column"), column.next().expect("a table"));
    let probe = format!("SELECT {} FROM {table} LIMIT 1", column.replace('*', ""));
    let clear = server.sql(&probe);
    let is_masked = || {
        let answer = client.query(&probe);
        error(&answer).is_none() && rows(&answer) != [[clear.as_str()]]
    };
    assert!(eventually(Duration::from_secs(10), is_masked), "{}", gateway.log());
    World { server, gateway, client }
}

/// Resident memory of the gateway, in KiB.
fn resident(gateway: &Gateway) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", gateway.pid())).expect("status");
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
}

fn refusal(messages: &[Message]) -> String {
    error(messages).map(|e| format!("{} {}", e.field('C'), e.field('M'))).unwrap_or_default()
}

#[test]
fn a_row_that_hides_other_peoples_statements_is_masked_too() {
    let sql = "CREATE TABLE people (id int, email text); INSERT INTO people VALUES (1, 'ann.secret@example.org')";
    let World { server: _server, gateway: _gateway, client: mut alice } =
        start(sql, ("public.people.email", "email"));
    let text = "SELECT p.email, a.query FROM people p, pg_stat_activity a";
    let extended = [parse("", text, &[]), bind("", "", &[], 0), execute("", 0), sync()].concat();
    for packet in [query(text), extended] {
        let answer = alice.exchange(&[packet], 1);
        let shown = rows(&answer);
        assert!(shown.len() > 2, "{answer:?}");
        for row in shown {
            assert_eq!(row[0], "a***@example.org");
            assert!(row[1] == "<hidden: needs admin>" || row[1] == "∅", "{row:?}");
        }
    }
}

#[test]
fn a_row_of_as_many_columns_as_a_table_can_have_is_masked() {
    let columns = (0..1600).fold(String::new(), |mut all, at| {
        let _ = write!(all, "{}c{at} \"char\"", if at == 0 { "" } else { ", " });
        all
    });
    let sql = format!(
        "CREATE TABLE wide ({columns}); ALTER TABLE wide ALTER c3 TYPE varchar(9), ALTER c1593 TYPE varchar(9);
         INSERT INTO wide (c0, c3, c1598, c1593) SELECT 'x', 'three' || g, 'y', 'last' || g FROM generate_series(1, 300) g"
    );
    let World { server: _server, gateway: _gateway, mut client } =
        start(&sql, ("public.wide.c*3", "inner(1, 1)"));
    let answer = client.query("SELECT * FROM wide");
    let shown = rows(&answer);
    assert_eq!(shown.len(), 300, "{}", refusal(&answer));
    for (row, number) in shown.iter().zip(1..) {
        let digit = number % 10;
        let stars = "*".repeat(2 + number.to_string().len());
        assert_eq!(row.len(), 1600);
        assert_eq!((&*row[0], &*row[3], &*row[1598]), ("x", &*format!("t*{stars}{digit}"), "y"));
        assert_eq!(row[1593], format!("l{stars}{digit}"));
        assert!(row[1594..1598].iter().all(|cell| cell == "∅"));
    }
}

#[test]
fn rows_of_every_length_are_masked_wherever_their_bytes_are_split() {
    let sql = "CREATE TABLE lengths AS SELECT g AS id, repeat('s', g * 7919 % 23000) AS secret,
                   repeat('c', g * 104729 % 9000) AS clear FROM generate_series(1, 700) g";
    let World { server: _server, gateway: _gateway, mut client } =
        start(sql, ("public.lengths.secret", "inner(1, 2)"));
    let text = "SELECT id, secret, clear FROM lengths ORDER BY id";
    let fetch = |rows: i32| {
        let mut packet = [parse("", text, &[]), bind("", "", &[], 0)].concat();
        for _ in 0..if rows == 0 { 1 } else { 700 / rows + 1 } {
            packet.extend(execute("", rows));
        }
        packet.extend(sync());
        packet
    };
    for packet in [query(text), fetch(0), fetch(100), fetch(1)] {
        let answer = client.exchange(&[packet], 1);
        let shown = rows(&answer);
        assert_eq!(shown.len(), 700, "{}", refusal(&answer));
        for (row, g) in shown.iter().zip(1_usize..) {
            let length = g * 7919 % 23000;
            let secret = match length {
                0..=3 => "******".to_owned(),
                _ => format!("s{}ss", "*".repeat(length - 3)),
            };
            assert_eq!(row[0], g.to_string());
            assert!(row[1] == secret, "{g}: {}", row[1].len());
            assert!(row[2] == "c".repeat(g * 104_729 % 9000), "{g}: {}", row[2].len());
        }
    }
}

#[test]
fn what_is_long_passes_behind_masked_cells_and_is_refused_before_them() {
    let sql = "CREATE TABLE people (id int, email text);
               INSERT INTO people VALUES (1, 'ann.secret@example.org'), (2, repeat('ann', 24000000))";
    let World { server: _server, gateway, mut client } =
        start(sql, ("public.people.email", "email"));
    let long = 80_000_000_usize;
    let before = resident(&gateway);
    for text in [
        format!("SELECT email, repeat('x', {long}) AS x FROM people WHERE id = 1"),
        // Nothing of it is masked: no row needs to be whole.
        format!("SELECT id, repeat('x', {long}) AS x FROM people WHERE id = 1"),
    ] {
        let extended =
            [parse("", &text, &[]), bind("", "", &[], 1), execute("", 0), sync()].concat();
        for packet in [query(&text), extended] {
            let answer = client.exchange(&[packet], 1);
            let row = answer.iter().find(|m| m.tag == b'D').unwrap_or_else(|| {
                panic!("{text}: {}", refusal(&answer));
            });
            let [Some(first), Some(second)] = &row.values()[..] else { panic!("two values") };
            assert!(!first.starts_with(b"ann"));
            assert!(second.len() == long && second.iter().all(|b| *b == b'x'));
        }
    }
    let grown = resident(&gateway).saturating_sub(before);
    assert!(grown < 48 << 10, "{grown} KiB more");
    for text in [
        format!("SELECT repeat('x', {long}) AS x, email FROM people WHERE id = 1"),
        "SELECT email, id FROM people WHERE id = 2".to_owned(),
    ] {
        let answer = client.query(&text);
        assert!(refusal(&answer).contains("too long to be masked"), "{}", refusal(&answer));
        assert!(!tags(&answer).contains('D'));
        assert_eq!(
            rows(&client.query("SELECT email FROM people WHERE id = 1")),
            [["a***@example.org"]]
        );
    }
}

#[test]
fn a_client_that_does_not_read_makes_no_buffer_grow() {
    // Masked, each row is a hundred times as long as it came: what is here of the server's bytes would be
    // ten megabytes.
    let sql =
        "CREATE TABLE notes AS SELECT g AS id, 'x'::text AS note FROM generate_series(1, 60000) g";
    let with = format!("fixed('{}')", "y".repeat(1900));
    let World { server: _server, gateway, mut client } = start(sql, ("public.notes.note", &with));
    let before = resident(&gateway);
    client.send_bytes(&query("SELECT note FROM notes"));
    for wait in [1000, 100] {
        std::thread::sleep(Duration::from_millis(wait));
        let grown = resident(&gateway).saturating_sub(before);
        assert!(grown < 4 << 10, "{grown} KiB more");
        // Some is read, and again nothing is.
        for _ in 0..5000 {
            client.read();
        }
    }
    let answer = client.read_until(b'Z');
    assert!(answer.iter().filter(|m| m.tag == b'D').count() > 49_900, "{}", refusal(&answer));
    let grown = resident(&gateway).saturating_sub(before);
    assert!(grown < 4 << 10, "{grown} KiB more");
}
