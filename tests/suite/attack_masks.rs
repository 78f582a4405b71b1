//! Attacks on masks, a file for each class. Who attacks holds select, dml, ddl and export, but no unmask.
//! Each attack is first made on the bare server, where it must work, and then through the gateway, where
//! it must not: a new one is one more line in the list of its class.

mod code;
mod columns;
mod extensions;
mod guesses;
mod made;
mod made_meanwhile;
mod moments;
mod one_text;
mod parked;
mod texts;

use std::time::Duration;

use crate::support::{
    Gateway, Message, Postgres, RawClient, eventually,
    gateway::TARGET,
    postgres::{DATABASE, SUPERUSER, SUPERUSER_PASSWORD, UPSTREAM_PASSWORD, UPSTREAM_USER},
    raw::rows,
};

/// What is to be seen: each value in some of the spellings that it can be told in.
const MARKS: [&str; 6] = ["kn4ry", "yr4nk", "6b6e347279", "a240cn", "7777.77", "1980-05-06"];

/// The rules.
const MASKS: [(&str, &str); 6] = [
    ("public.customers.email", "full"),
    ("public.customers.birth_date", "null"),
    ("public.customers.credit", "null"),
    ("public.logs.email", "full"),
    ("public.shifts.worked", "null"),
    ("public.shifts.badge", "full"),
];

/// What stands in the database besides the shop.
pub(super) const OBJECTS: &str = "
    INSERT INTO customers (id, full_name, email, birth_date, country, city, credit)
        VALUES (900001, 'Ann', 'ann.kn4ry@example.org', '1980-05-06', 'DE', 'Ulm', 7777.77);
    CREATE VIEW mails AS SELECT id, email AS mail FROM customers;
    CREATE VIEW mails_of_mails AS SELECT mail AS m FROM mails WHERE id = 900001;
    CREATE VIEW fails AS SELECT id, 1 / (id - id) AS f FROM customers;
    CREATE MATERIALIZED VIEW stored AS SELECT id, email, credit FROM customers WHERE id = 900001;
    CREATE TABLE logs (id integer, at date, email text) PARTITION BY RANGE (at);
    CREATE TABLE logs_25 PARTITION OF logs FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE logs_26 (email text, at date, id integer);
    ALTER TABLE logs ATTACH PARTITION logs_26 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    INSERT INTO logs VALUES (1, '2025-02-02', 'log.kn4ry@x.org'), (2, '2026-02-02', 'lag.kn4ry@x.org');
    CREATE TABLE vips (rank integer, domain text GENERATED ALWAYS AS (split_part(email, '@', 1)) STORED)
        INHERITS (customers);
    INSERT INTO vips (id, full_name, email, country, city)
        VALUES (900002, 'Vic', 'vip.kn4ry@example.org', 'DE', 'Ulm');
    CREATE TABLE notes (id integer PRIMARY KEY, body text);
    INSERT INTO notes VALUES (1, 'one'), (2, 'two');";

/// A server with the objects, and somebody who may do all but unmask.
pub(super) struct World {
    pub(super) server: Postgres,
    pub(super) gateway: Gateway,
    secret: String,
}

impl World {
    pub(super) fn start(more: &str) -> Self {
        let server = Postgres::start();
        server.sql(&format!("SET SESSION AUTHORIZATION {UPSTREAM_USER};{OBJECTS}{more}"));
        let gateway = Gateway::start(&server);
        for (column, with) in MASKS {
            gateway.must(&["mask", "add", "--target", TARGET, "--column", column, "--with", with]);
        }
        let secret = gateway.principal("alice", "developer");
        gateway.grant("alice", "explain,info,select,dml,ddl,export");
        let world = Self { server, gateway, secret };
        let text = "SELECT email FROM customers WHERE id = 900001";
        let knows = || rows(&world.through().query(text)) == [["******"]];
        assert!(eventually(Duration::from_secs(10), knows), "{}", world.gateway.log());
        world
    }

    /// A session through the gateway.
    pub(super) fn through(&self) -> RawClient {
        self.gateway.connect("alice", &self.secret)
    }

    /// A session on the server itself.
    pub(super) fn bare(&self) -> RawClient {
        let address = self.server.address();
        RawClient::connect(&address, UPSTREAM_USER, UPSTREAM_PASSWORD, DATABASE)
    }

    /// Keeps the gateway from reading the catalog again as long as this lives: that it hasn't been read yet
    /// is what some attacks are about.
    pub(super) fn without_readings(&self) -> RawClient {
        let address = self.server.address();
        let mut holder = RawClient::connect(&address, SUPERUSER, SUPERUSER_PASSWORD, DATABASE);
        holder.query("BEGIN");
        let said = holder.query("LOCK TABLE pg_enum");
        assert!(!said.iter().any(|m| m.tag == b'E'), "{said:?}");
        holder
    }

    /// What each of these texts, bars between its statements, shows on the bare server, it doesn't show
    /// through the gateway.
    pub(super) fn shows(&self, attacks: &[&str]) {
        let mut wrong = Vec::new();
        for attack in attacks {
            let bare = said(&mut self.bare(), attack);
            if !tells(&bare) {
                wrong.push(format!("doesn't work on the bare server: {attack}: {bare:?}"));
            }
            let through = said(&mut self.through(), attack);
            if tells(&through) {
                wrong.push(format!("SHOWS {attack}: {through:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Each of these texts holds a guess, `{}`. What is said differs by whether the guess is right on the
    /// bare server, and not through the gateway.
    pub(super) fn tells(&self, attacks: &[(&str, [&str; 2])]) {
        let mut wrong = Vec::new();
        for (attack, guesses) in attacks {
            let answers = |mut client: RawClient| {
                let said = guesses.map(|guess| said(&mut client, &attack.replace("{}", guess)));
                let seen = said.each_ref().map(|messages| outcome(messages));
                (seen[0] != seen[1], said)
            };
            let (differs, bare) = answers(self.bare());
            if !differs {
                wrong.push(format!("doesn't work on the bare server: {attack}: {bare:?}"));
            }
            let (differs, through) = answers(self.through());
            if differs {
                wrong.push(format!("TELLS {attack}: {through:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// The statements of a text, one after the other, in a transaction that is rolled back.
fn said(client: &mut RawClient, attack: &str) -> Vec<Message> {
    client.query("BEGIN");
    let said = attack.split(" | ").flat_map(|text| client.query(text)).collect();
    client.query("ROLLBACK");
    said
}

/// True if a value is anywhere in what came.
pub(super) fn tells(messages: &[Message]) -> bool {
    let told = |message: &Message| {
        let text = String::from_utf8_lossy(&message.body).to_lowercase();
        MARKS.iter().any(|mark| text.contains(mark))
    };
    messages.iter().any(told)
}

/// What can be told apart: kinds of messages, codes, rows, how many.
fn outcome(messages: &[Message]) -> Vec<(u8, String)> {
    let seen = |message: &Message| match message.tag {
        b'E' => message.field('C'),
        // Its text is the same for all values.
        b'T' | b'N' => String::new(),
        _ => String::from_utf8_lossy(&message.body).into_owned(),
    };
    messages.iter().map(|message| (message.tag, seen(message))).collect()
}
