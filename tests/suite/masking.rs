//! Masked columns through a gateway: rows in both protocols and formats, what else may be asked of them,
//! texts of the server's, and rules and grants that come and go.

use std::time::Duration;

use crate::support::{
    Gateway, Message, Postgres, RawClient, eventually,
    gateway::{Options, TARGET},
    raw::{bind, close, describe, error, execute, parse, rows, sync, tags},
};

pub(crate) const CLEAR: &str = "ann.secret@example.org";

pub(crate) struct World {
    pub server: Postgres,
    pub gateway: Gateway,
    pub client: RawClient,
}

pub(crate) fn start() -> World {
    start_with(&Options::default())
}

pub(crate) fn start_with(options: &Options) -> World {
    let server = Postgres::start();
    server.sql(&format!(
        "INSERT INTO customers (id, full_name, email, phone, birth_date, country, city)
         VALUES (900001, 'Ann', '{CLEAR}', '+49 30 123456', '1980-05-06', 'DE', 'Ulm');
         CREATE VIEW mails AS SELECT id, email AS mail FROM customers;
         GRANT SELECT ON mails TO PUBLIC;"
    ));
    let gateway = Gateway::start_with(&server, options);
    rule(&gateway, "public.customers.email", "email");
    rule(&gateway, "public.customers.birth_date", "truncate(year)");
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select,dml,ddl,export");
    let mut client = gateway.connect("alice", &secret);
    let masked = "SELECT email FROM customers WHERE id = 900001";
    let is_masked = || {
        let answer = client.query(masked);
        error(&answer).is_none() && rows(&answer) != [[CLEAR]]
    };
    assert!(eventually(Duration::from_secs(5), is_masked), "{}", gateway.log());
    World { server, gateway, client }
}

pub(crate) fn rule(gateway: &Gateway, column: &str, with: &str) {
    gateway.must(&["mask", "add", "--target", TARGET, "--column", column, "--with", with]);
}

/// True if the clear value is anywhere in what came.
pub(crate) fn tells(messages: &[Message]) -> bool {
    let all: Vec<u8> = messages.iter().flat_map(|m| m.body.clone()).collect();
    let all = String::from_utf8_lossy(&all).to_lowercase();
    all.contains("secret@") || all.contains("terces") || all.contains("1980-05-06")
}

pub(crate) fn refusal(messages: &[Message]) -> String {
    error(messages).map(|e| format!("{} {}", e.field('C'), e.field('M'))).unwrap_or_default()
}

#[test]
fn rows_of_a_query_are_masked_and_all_else_is_as_the_server_says_it() {
    let World { server, gateway: _gateway, mut client } = start();
    let answer = client
        .query("SELECT id, full_name, email, birth_date, phone FROM customers WHERE id = 900001");
    assert_eq!(tags(&answer), "NTDCZ");
    assert_eq!(
        rows(&answer),
        [["900001", "Ann", "a***@example.org", "1980-01-01", "+49 30 123456"]]
    );
    let untouched = "SELECT id, full_name, country, phone, city, credit, created_at FROM customers ORDER BY id LIMIT 20";
    let mut direct = RawClient::connect(
        &server.address(),
        crate::support::postgres::UPSTREAM_USER,
        crate::support::postgres::UPSTREAM_PASSWORD,
        crate::support::postgres::DATABASE,
    );
    let (through, there) = (client.query(untouched), direct.query(untouched));
    let bytes = |m: &[Message]| m.iter().map(|m| (m.tag, m.body.clone())).collect::<Vec<_>>();
    assert_eq!(bytes(&through), bytes(&there));
}

#[test]
fn no_shape_of_a_query_tells_the_value() {
    let mut world = start();
    for text in [
        "SELECT * FROM customers WHERE id = 900001",
        "SELECT c FROM customers c WHERE id = 900001",
        "SELECT c.* FROM customers c WHERE id = 900001",
        "SELECT to_jsonb(c) FROM customers c WHERE id = 900001",
        "SELECT upper(email), reverse(email), email || '' FROM customers WHERE id = 900001",
        "SELECT mail FROM mails WHERE id = 900001",
        "SELECT (SELECT email FROM customers WHERE id = 900001)",
        "SELECT max(email) FROM customers WHERE id = 900001",
        "SELECT string_agg(email, ',') FROM customers WHERE id = 900001",
        "WITH w AS (SELECT email AS x FROM customers WHERE id = 900001) SELECT x FROM w",
        "SELECT full_name FROM customers WHERE id = 5 UNION ALL SELECT email FROM customers WHERE id = 900001",
        "UPDATE customers SET full_name = 'Ann' WHERE id = 900001 RETURNING *",
        "VALUES ((SELECT email FROM customers WHERE id = 900001))",
        "TABLE customers",
        "SELECT birth_date::text, extract(year FROM birth_date) FROM customers WHERE id = 900001",
        "BEGIN; DECLARE k CURSOR FOR SELECT email FROM customers WHERE id = 900001; FETCH k; COMMIT",
        "PREPARE p AS SELECT email FROM customers WHERE id = 900001",
        "EXECUTE p",
        "EXPLAIN (ANALYZE, VERBOSE) SELECT email FROM customers WHERE id = 900001",
        "COPY customers TO STDOUT",
        "COPY (SELECT email FROM customers WHERE id = 900001) TO STDOUT",
        "SELECT email::int FROM customers WHERE id = 900001",
        "SELECT most_common_vals FROM pg_stats WHERE tablename = 'customers'",
        "INSERT INTO customers (id, full_name, email, country, city) VALUES (900001, 'x', 'y', 'DE', 'Ulm')",
        "INSERT INTO customers (full_name, email, country, city) VALUES ('x', 'ann.secret@example.org', 'DE', 'Ulm') ON CONFLICT DO NOTHING RETURNING email",
    ] {
        let answer = world.client.query(text);
        assert!(!tells(&answer), "{text}: {answer:?}");
    }
}

#[test]
fn an_execute_without_a_describe_is_masked_in_text_and_binary() {
    let mut world = start();
    let text = "SELECT id, email, birth_date FROM customers WHERE id = $1";
    for (format, day) in
        [(0, "1980-01-01".as_bytes().to_vec()), (1, (-7305_i32).to_be_bytes().to_vec())]
    {
        let packet = [
            parse("s", text, &[]),
            bind("", "s", &[Some("900001")], format),
            execute("", 0),
            close(b'S', "s"),
            sync(),
        ];
        let answer = world.client.exchange(&packet, 1);
        assert_eq!(tags(&answer), "12NDC3Z", "{answer:?}");
        let row = answer.iter().find(|m| m.tag == b'D').expect("a row").values();
        assert_eq!(row.get(1).cloned().flatten().as_deref(), Some(&b"a***@example.org"[..]));
        assert_eq!(row.get(2).cloned().flatten(), Some(day));
    }
}

#[test]
fn a_portal_is_masked_however_often_it_is_executed() {
    let mut world = start();
    let packet = [
        parse("", "SELECT email FROM customers WHERE id IN (900001, 1, 2) ORDER BY id DESC", &[]),
        bind("", "", &[], 0),
        describe(b'P', ""),
        execute("", 1),
        execute("", 1),
        execute("", 0),
        sync(),
    ];
    let answer = world.client.exchange(&packet, 1);
    assert_eq!(tags(&answer).replace('N', ""), "12TDsDsDCZ", "{answer:?}");
    assert!(!tells(&answer), "{answer:?}");
    assert!(rows(&answer).iter().all(|row| row.iter().all(|cell| cell.contains('*'))));
}

#[test]
fn an_error_in_a_masked_statement_says_its_code_and_no_value() {
    let mut world = start();
    let answer = world.client.query(
        "INSERT INTO customers (id, full_name, email, country, city) VALUES (900002, 'Bob', 'ann.secret@example.org', 'DE', 'Ulm')",
    );
    let said = error(&answer).expect("a duplicate");
    assert_eq!((said.field('C'), said.field('n')), ("23505".into(), "customers_email_key".into()));
    assert!(said.field('D').is_empty() && said.field('M').contains("withheld"), "{said:?}");
    // In the extended protocol the error stands where the Execute stood, and the session goes on.
    let packet = [
        parse("", "SELECT 1/(id - 900001), email FROM customers WHERE id = 900001", &[]),
        bind("", "", &[], 0),
        execute("", 0),
        sync(),
    ];
    let answer = world.client.exchange(&packet, 1);
    assert_eq!(
        (tags(&answer).as_str(), error(&answer).expect("fails").field('C')),
        ("12EZ", "22012".into())
    );
    world.client.query("BEGIN");
    world.client.query("SELECT 1/0");
    let answer = world.client.exchange(&packet, 1);
    assert_eq!(error(&answer).expect("aborted").field('C'), "25P02", "{answer:?}");
    world.client.query("ROLLBACK");
    assert_eq!(rows(&world.client.query("SELECT 1")), [["1"]]);
}

#[test]
fn a_customer_can_be_looked_up_by_what_is_known_and_not_guessed() {
    let mut world = start();
    let found = world.client.query(&format!("SELECT id FROM customers WHERE email = '{CLEAR}'"));
    assert_eq!(rows(&found), [["900001"]]);
    for text in [
        "SELECT id FROM customers WHERE email LIKE 'ann%'",
        "SELECT id FROM customers WHERE birth_date = '1980-05-06'",
        "SELECT id FROM customers ORDER BY email",
        "SELECT email, count(*) FROM customers GROUP BY email",
        "SELECT 1 / (length(email) - 22) FROM customers",
        "UPDATE customers SET email = 'a***@example.org' WHERE id = 900001",
        "CREATE TABLE copied AS SELECT email FROM customers",
        "CREATE VIEW copied AS SELECT email FROM customers",
        "INSERT INTO products (sku, name, price) SELECT email, email, 1 FROM customers",
        "ALTER TABLE customers RENAME COLUMN email TO contact",
        "ALTER TABLE customers RENAME TO clients",
    ] {
        let answer = world.client.query(text);
        assert!(refusal(&answer).starts_with("42501"), "{text}: {answer:?}");
        assert!(refusal(&answer).contains("sql.unmask"), "{text}: {}", refusal(&answer));
    }
    assert_eq!(world.server.sql("SELECT email FROM customers WHERE id = 900001"), CLEAR);
}

#[test]
fn ordinary_work_beside_masked_columns_goes_on() {
    let mut world = start();
    for text in [
        "SELECT count(*) FROM customers",
        "SELECT country, count(*) FROM customers GROUP BY country ORDER BY 2 DESC",
        "SELECT o.id, c.full_name FROM orders o JOIN customers c ON c.id = o.customer_id LIMIT 5",
        "INSERT INTO customers (id, full_name, email, country, city) VALUES (900003, 'Cy', 'cy@example.org', 'DE', 'Ulm')",
        "UPDATE customers SET full_name = 'Cyd' WHERE email = 'cy@example.org'",
        "DELETE FROM customers WHERE id = 900003",
        "CREATE TABLE plain AS SELECT id, full_name FROM customers LIMIT 5",
        "DROP TABLE plain",
        "COPY (SELECT id, full_name FROM customers LIMIT 2) TO STDOUT",
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'customers'",
    ] {
        let answer = world.client.query(text);
        assert!(error(&answer).is_none(), "{text}: {answer:?}");
    }
}

#[test]
fn who_may_unmask_sees_the_value_for_as_long_as_the_grant_lasts() {
    let mut world = start();
    let text = "SELECT email FROM customers WHERE id = 900001";
    let grant = world.gateway.grant("alice", "unmask");
    let shows = |client: &mut RawClient| rows(&client.query(text)) == [[CLEAR]];
    assert!(eventually(Duration::from_secs(2), || shows(&mut world.client)));
    let sorted = world.client.query("SELECT id FROM customers ORDER BY email LIMIT 1");
    assert!(error(&sorted).is_none(), "{sorted:?}");
    world.gateway.must(&["grant", "revoke", &grant]);
    assert!(eventually(Duration::from_secs(2), || !shows(&mut world.client)));
}

#[test]
fn a_rule_holds_for_open_sessions_within_a_second() {
    let mut world = start();
    let text = "SELECT phone FROM customers WHERE id = 900001";
    assert_eq!(rows(&world.client.query(text)), [["+49 30 123456"]]);
    rule(&world.gateway, "*.*.phone", "full");
    let masked = || rows(&world.client.query(text)) == [["******"]];
    assert!(eventually(Duration::from_secs(1), masked));
}

#[test]
fn what_is_not_understood_needs_unmask_where_columns_are_masked() {
    let mut world = start();
    world.gateway.grant("alice", "admin");
    let text =
        "DO $$ BEGIN RAISE NOTICE '%', (SELECT email FROM customers WHERE id = 900001); END $$";
    let needs = || refusal(&world.client.query(text)).contains("sql.unmask");
    assert!(eventually(Duration::from_secs(2), needs));
    assert!(!tells(&world.client.query(text)));
}

#[test]
fn nobody_tries_all_values_of_a_masked_column() {
    let server = Postgres::start();
    let rest = "[limits]\nmask_probes = 10\n".to_owned();
    let gateway = Gateway::start_with(&server, &Options { rest, ..Options::default() });
    rule(&gateway, "public.customers.email", "email");
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    let guess = "SELECT id FROM customers WHERE email > 'a'";
    let masked = || !refusal(&client.query(guess)).is_empty();
    assert!(eventually(Duration::from_secs(5), masked), "{}", gateway.log());
    let five = "SELECT id FROM customers WHERE email IN ('a', 'b', 'c', 'd', 'e')";
    assert!(error(&client.query(five)).is_none());
    let packet = |n: usize| {
        let bound = (0..n).flat_map(|_| [bind("", "s", &[Some("x")], 0), execute("", 1)]);
        let text = "SELECT id FROM customers WHERE email = $1";
        [vec![parse("s", text, &[])], bound.collect(), vec![close(b'S', "s"), sync()]].concat()
    };
    assert!(error(&client.exchange(&packet(4), 1)).is_none());
    client.query("PREPARE p (text) AS SELECT id FROM customers WHERE email = $1");
    assert!(error(&client.query("EXECUTE p ('x')")).is_none());
    for answer in
        [client.query("EXECUTE p ('x')"), client.query(five), client.exchange(&packet(1), 1)]
    {
        let said = error(&answer).expect("no more values");
        assert_eq!(said.field('C'), "54000", "{said:?}");
        assert!(said.field('M').contains("public.customers.email"), "{said:?}");
        client.query("DEALLOCATE ALL");
        client.query("PREPARE p (text) AS SELECT id FROM customers WHERE email = $1");
    }
    assert!(error(&client.query("SELECT id, email FROM customers WHERE id = 1")).is_none());
}

#[test]
fn where_a_rule_hides_null_nobody_asks_for_it() {
    let mut world = start();
    let asks = [
        "SELECT count(*) FROM customers WHERE phone IS NULL",
        "SELECT id, phone IS NOT NULL FROM customers",
        "SELECT count(phone) FROM customers",
        "SELECT id FROM customers c WHERE c IS NOT NULL",
    ];
    for text in asks {
        assert!(error(&world.client.query(text)).is_none(), "{text}");
    }
    let arguments = ["mask", "add", "--target", TARGET, "--column", "public.customers.phone"];
    world.gateway.must(&[&arguments[..], &["--with", "full", "--mask-null"]].concat());
    for text in asks {
        let told =
            || refusal(&world.client.query(text)).contains("asks for NULL in public.customers");
        assert!(eventually(Duration::from_secs(5), told), "{text}");
    }
    let beside = world.client.query("SELECT count(*), count(id) FROM customers");
    assert!(error(&beside).is_none(), "{beside:?}");
}
