//! Changes of definitions that would part a masked column from its rule, or tell of it by failing; and
//! the same changes where they do neither.

use std::time::Duration;

use crate::support::{
    Gateway, Message, Postgres, RawClient, eventually,
    gateway::TARGET,
    raw::{error, rows},
};

const CLEAR: &str = "ann.secret@example.org";

const TABLES: &str = "
CREATE TABLE events (id int, at date, email text) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
INSERT INTO events VALUES (1, '2024-05-05', 'ann.secret@example.org');
CREATE TABLE people (id int, email text);
CREATE TABLE staff (team text) INHERITS (people);
INSERT INTO staff VALUES (1, 'ann.secret@example.org', 'x');
CREATE TABLE accounts (id int, email text, name text GENERATED ALWAYS AS (split_part(email, '@', 1)) STORED);
INSERT INTO accounts VALUES (1, 'ann.secret@example.org');
CREATE DOMAIN mail AS text;
CREATE TABLE contacts (id int, address mail);
INSERT INTO contacts VALUES (1, 'ann.secret@example.org');
CREATE TABLE lines (phone text, id int) PARTITION BY LIST (phone);
CREATE TABLE lines_rest PARTITION OF lines DEFAULT;
INSERT INTO lines VALUES ('ann.secret@example.org', 1);
CREATE TABLE plain (id int, email text);
INSERT INTO plain VALUES (1, 'nobody');
CREATE FUNCTION leak() RETURNS text STABLE LANGUAGE sql AS 'SELECT email FROM public.accounts LIMIT 1';
";

const RULES: [&str; 5] = [
    "public.events.email",
    "public.people.email",
    "public.accounts.email",
    "public.contacts.address",
    "public.lines.phone",
];

struct World {
    server: Postgres,
    gateway: Gateway,
    client: RawClient,
}

fn start() -> World {
    let server = Postgres::start();
    server.sql(&format!("SET SESSION AUTHORIZATION hallpass;\n{TABLES}"));
    let gateway = Gateway::start(&server);
    for column in RULES {
        rule(&gateway, column);
    }
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select,dml,ddl,export");
    let mut world = World { client: gateway.connect("alice", &secret), server, gateway };
    assert!(eventually(Duration::from_secs(5), || world.hides("SELECT phone FROM lines")));
    world
}

fn rule(gateway: &Gateway, column: &str) {
    gateway.must(&["mask", "add", "--target", TARGET, "--column", column, "--with", "partial"]);
}

fn tells(messages: &[Message]) -> bool {
    let all: Vec<u8> = messages.iter().flat_map(|m| m.body.clone()).collect();
    String::from_utf8_lossy(&all).contains("secret")
}

impl World {
    /// True if rows come and none tells.
    fn hides(&mut self, text: &str) -> bool {
        let answer = self.client.query(text);
        error(&answer).is_none() && !rows(&answer).is_empty() && !tells(&answer)
    }

    fn refuses(&mut self, text: &str, why: &str) {
        let answer = self.client.query(text);
        let said = error(&answer).unwrap_or_else(|| panic!("{text} passes: {answer:?}"));
        let told = format!("{} {}", said.field('C'), said.field('M'));
        assert!(told.starts_with("42501") && told.contains("sql.unmask"), "{text}: {told}");
        assert!(told.contains(why), "{text}: {told}");
    }

    fn passes(&mut self, text: &str) {
        let answer = self.client.query(text);
        assert!(error(&answer).is_none(), "{text}: {answer:?}");
    }

    /// Nobody sees the value from now until the catalog has been read anew, and afterwards.
    fn stays_hidden(&mut self, text: &str) {
        for _ in 0..30 {
            let answer = self.client.query(text);
            assert!(!tells(&answer), "{text}: {answer:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(self.hides(text), "{text}");
    }
}

#[test]
fn what_would_part_a_masked_column_from_its_rule_needs_unmask() {
    let mut world = start();
    for (text, why) in [
        ("ALTER TABLE events DETACH PARTITION events_2024", "no rule by its own name masks email"),
        ("ALTER TABLE staff NO INHERIT people", "no rule by its own name masks email"),
        ("ALTER TABLE ONLY people DROP COLUMN email", "tables that inherit it may keep it"),
        ("ALTER TABLE accounts ALTER COLUMN name DROP EXPRESSION", "public.accounts.name"),
        ("ALTER TABLE accounts RENAME COLUMN name TO login", "public.accounts.name"),
        ("ALTER TABLE staff RENAME TO workers", "renames staff"),
        ("ALTER TABLE plain INHERIT people", "joins plain and people"),
        ("ALTER DOMAIN mail RENAME TO post", "renames a type"),
        ("ALTER DOMAIN mail SET SCHEMA billing", "moves a type"),
        ("ALTER SCHEMA public RENAME TO open", "renames the schema public"),
        ("ALTER TABLE plain ADD COLUMN x text DEFAULT leak()", "runs code that isn't trusted"),
    ] {
        world.refuses(text, why);
    }
}

#[test]
fn what_tells_of_a_masked_column_by_failing_needs_unmask() {
    let mut world = start();
    for (text, why) in [
        ("ALTER DOMAIN mail ADD CHECK (VALUE LIKE 'a%')", "checks values of a type"),
        ("CREATE TABLE lines_1 PARTITION OF lines FOR VALUES IN ('ann')", "public.lines.phone"),
        ("ALTER TABLE events_2024 ADD CHECK (email < 'b')", "public.events_2024.email"),
        ("CREATE UNIQUE INDEX ON accounts (name)", "public.accounts.name"),
        ("CREATE INDEX ON accounts ((accounts.leak))", "sql.unmask"),
    ] {
        world.refuses(text, why);
    }
}

#[test]
fn partitions_come_and_go_where_masks_stay() {
    let mut world = start();
    world.passes(
        "CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
    );
    world.passes("CREATE TABLE events_2026 (LIKE events)");
    world.passes(
        "ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    );
    world.server.sql("INSERT INTO events VALUES (2, '2025-05-05', 'ann.secret@example.org')");
    world.server.sql("INSERT INTO events VALUES (3, '2026-05-05', 'ann.secret@example.org')");
    world.stays_hidden("SELECT email FROM events_2025");
    world.stays_hidden("SELECT email FROM events_2026");
    // With a rule of its own a part may go.
    rule(&world.gateway, "public.events_2024.email");
    let detach = "ALTER TABLE events DETACH PARTITION events_2024";
    let detached = || error(&world.client.query(detach)).is_none();
    assert!(eventually(Duration::from_secs(5), detached));
    world.stays_hidden("SELECT email FROM events_2024");
}

#[test]
fn what_is_dropped_and_made_anew_by_the_same_names_stays_masked() {
    let mut world = start();
    world.passes("DROP TABLE contacts");
    world.passes("CREATE TABLE contacts (note text, address text)");
    world.server.sql(&format!("INSERT INTO contacts VALUES ('x', '{CLEAR}')"));
    world.stays_hidden("SELECT address FROM contacts");
    world.passes("ALTER TABLE accounts DROP COLUMN email CASCADE");
    world.passes("ALTER TABLE accounts ADD COLUMN email varchar(80)");
    world.server.sql(&format!("UPDATE accounts SET email = '{CLEAR}'"));
    world.stays_hidden("SELECT email FROM accounts");
    // Under another name nothing lies that was masked before.
    world.passes("ALTER TABLE accounts DROP COLUMN email");
    world.passes("ALTER TABLE plain RENAME COLUMN email TO other");
    world.stays_hidden("SELECT id FROM accounts");
}
