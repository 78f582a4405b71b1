//! COPY … TO STDOUT of masked columns: the bytes are those that the server writes of the masked values.

use crate::{
    masking::{CLEAR, World, refusal, start, tells},
    support::{
        Message, RawClient,
        postgres::{DATABASE, UPSTREAM_PASSWORD, UPSTREAM_USER},
        raw::{bind, error, execute, parse, sync, tags},
    },
};

fn direct(world: &World) -> RawClient {
    RawClient::connect(&world.server.address(), UPSTREAM_USER, UPSTREAM_PASSWORD, DATABASE)
}

/// All but what the gateway says besides.
fn plain(messages: &[Message]) -> Vec<(u8, Vec<u8>)> {
    messages.iter().filter(|m| m.tag != b'N').map(|m| (m.tag, m.body.clone())).collect()
}

const OPTIONS: [&str; 12] = [
    "",
    "WITH (FORMAT text, HEADER)",
    "WITH (DELIMITER '*')",
    "WITH (NULL 'a***@example.org')",
    "WITH (FORMAT csv)",
    "WITH CSV HEADER DELIMITER ';' FORCE QUOTE email",
    "WITH (FORMAT csv, FORCE_QUOTE *)",
    "WITH (FORMAT csv, DELIMITER '*', QUOTE 'a', ESCAPE 'e')",
    "WITH (FORMAT csv, NULL 'Ulm')",
    "WITH (FORMAT binary)",
    "BINARY",
    "WITH (FORMAT csv, ENCODING 'UTF8')",
];

#[test]
fn a_copy_is_written_as_the_server_writes_the_masked_values() {
    let mut world = start();
    let mut server = direct(&world);
    for options in OPTIONS {
        let text = format!(
            "COPY (SELECT id, email, city FROM customers WHERE id = 900001) TO STDOUT {options}"
        );
        let like = text.replace("email,", "'a***@example.org'::text AS email,");
        let (through, there) = (world.client.query(&text), server.query(&like));
        assert!(error(&there).is_none(), "{options}: {there:?}");
        assert_eq!(plain(&through), plain(&there), "{options}");
        let packet = [parse("", &text, &[]), bind("", "", &[], 0), execute("", 0), sync()];
        let through = world.client.exchange(&packet, 1);
        let there = server
            .exchange(&[parse("", &like, &[]), bind("", "", &[], 0), execute("", 0), sync()], 1);
        assert_eq!(plain(&through), plain(&there), "{options}, extended");
    }
}

#[test]
fn a_whole_table_is_copied_with_its_masked_columns() {
    let mut world = start();
    let mut server = direct(&world);
    for text in [
        "COPY customers TO STDOUT",
        "COPY public.customers (city, email, id) TO STDOUT (FORMAT csv)",
    ] {
        let (through, there) = (world.client.query(text), server.query(text));
        assert!(error(&through).is_none(), "{through:?}");
        let through = plain(&through);
        assert_eq!(through.len(), plain(&there).len());
        assert_ne!(through, plain(&there));
        assert!(!tells(&world.client.query(text)), "{text}");
    }
    let plain_columns = "COPY customers (id, full_name, city) TO STDOUT";
    let through = world.client.query(plain_columns);
    assert_eq!(plain(&through), plain(&server.query(plain_columns)));
}

#[test]
fn a_copy_fails_as_the_server_says_it() {
    let mut world = start();
    let mut server = direct(&world);
    for text in [
        "/* ü */ COPY (SELECT emial, email FROM customers) TO STDOUT",
        "COPY customers (emial, email) TO STDOUT",
        "COPY (SELECT email, 1/0 FROM customers) TO STDOUT",
    ] {
        for client in [&mut world.client, &mut server] {
            client.query("ROLLBACK");
        }
        for begin in ["SELECT 1", "BEGIN"] {
            world.client.query(begin);
            server.query(begin);
            let (through, there) = (world.client.query(text), server.query(text));
            let said = |m: &[Message]| {
                let error = error(m).map(|e| (e.field('C'), e.field('P')));
                (tags(m).replace('N', ""), error)
            };
            let (through, there) = (said(&through), said(&there));
            // The names of a table's columns are asked for in a text of our own.
            let place = |said: (String, Option<(String, String)>)| {
                let pointed = text.contains("COPY (");
                (said.0, said.1.map(|(code, at)| (code, if pointed { at } else { String::new() })))
            };
            assert_eq!(place(through), place(there), "{text} behind {begin}");
        }
    }
}

#[test]
fn a_table_that_has_changed_meanwhile_is_not_copied_by_its_old_columns() {
    for change in [
        // As wide as before.
        "ALTER TABLE customers DROP COLUMN full_name CASCADE; ALTER TABLE customers ADD COLUMN note text",
        // The same names, of other columns.
        "ALTER TABLE customers RENAME COLUMN email TO e; ALTER TABLE customers RENAME COLUMN city TO email;
         ALTER TABLE customers RENAME COLUMN e TO city",
        "ALTER TABLE customers RENAME COLUMN email TO contact",
    ] {
        let mut world = start();
        world.server.sql(change);
        for text in [
            "COPY customers TO STDOUT",
            "COPY customers (city) TO STDOUT",
            "COPY (SELECT * FROM customers) TO STDOUT",
            "COPY (SELECT city FROM customers) TO STDOUT",
            "COPY (SELECT c FROM customers c) TO STDOUT",
            "COPY (TABLE customers) TO STDOUT (FORMAT csv)",
        ] {
            let answer = world.client.query(text);
            assert!(!tells(&answer), "{change}: {text}: {}", tags(&answer).len());
        }
        assert!(error(&world.client.query("SELECT 1")).is_none());
    }
}

#[test]
fn what_cannot_be_masked_is_refused_and_unmask_shows_it() {
    let mut world = start();
    for text in [
        "SELECT 1; COPY customers TO STDOUT",
        "COPY customers TO STDOUT (ENCODING 'LATIN1')",
        "COPY customers TO STDOUT; COPY customers TO STDOUT",
    ] {
        let answer = world.client.query(text);
        assert!(refusal(&answer).starts_with("42501"), "{text}: {answer:?}");
    }
    world.gateway.grant("alice", "unmask");
    let text = "COPY (SELECT email FROM customers WHERE id = 900001) TO STDOUT";
    let clear =
        || world.client.query(text).iter().any(|m| m.body == format!("{CLEAR}\n").as_bytes());
    assert!(crate::support::eventually(std::time::Duration::from_secs(2), clear));
}
