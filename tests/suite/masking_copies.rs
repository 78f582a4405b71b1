//! Copies of masked values: temporary tables hold none unless somebody who may see them has put some in.

use std::time::Duration;

use crate::{
    masking::{World, refusal, start, tells},
    support::{
        RawClient, eventually,
        raw::{error, rows},
    },
};

fn must(client: &mut RawClient, text: &str) {
    let answer = client.query(text);
    assert!(error(&answer).is_none(), "{text}: {}", refusal(&answer));
}

const CLEAN: &str = "CREATE TEMP TABLE mine AS SELECT id, city FROM customers WHERE id = 900001";

#[test]
fn a_temporary_table_of_unmasked_columns_is_read_as_it_is() {
    let mut world = start();
    let client = &mut world.client;
    must(client, CLEAN);
    for _ in 0..2 {
        assert_eq!(rows(&client.query("SELECT * FROM mine")), [["900001", "Ulm"]]);
        assert_eq!(rows(&client.query("SELECT city FROM pg_temp.mine")), [["Ulm"]]);
        // The catalog has been read again by then, and knows nothing of it.
        std::thread::sleep(Duration::from_millis(1500));
    }
    let both = client.query("SELECT m.city, c.email FROM mine m JOIN customers c USING (id)");
    assert_eq!(rows(&both), [["Ulm", "a***@example.org"]]);
    must(client, "INSERT INTO mine VALUES (1, 'Bonn')");
    assert_eq!(rows(&client.query("SELECT city FROM mine WHERE id = 1")), [["Bonn"]]);
    must(client, "BEGIN; CREATE TEMP TABLE other (x text) ON COMMIT DROP");
    must(client, "INSERT INTO other VALUES ('seen')");
    assert_eq!(rows(&client.query("SELECT x FROM other")), [["seen"]]);
    must(client, "COMMIT");
}

#[test]
fn nothing_masked_comes_into_a_temporary_table() {
    let mut world = start();
    let client = &mut world.client;
    must(client, CLEAN);
    must(client, "CREATE TEMP TABLE texts (x text)");
    for text in [
        "INSERT INTO texts SELECT email FROM customers",
        "INSERT INTO texts VALUES ((SELECT email FROM customers WHERE id = 900001))",
        "UPDATE texts SET x = (SELECT email FROM customers WHERE id = 900001)",
        "MERGE INTO texts USING customers c ON false WHEN NOT MATCHED THEN INSERT VALUES (c.email)",
        "CREATE TEMP TABLE more AS SELECT email FROM customers",
        "SELECT email INTO TEMP more FROM customers",
        "CREATE TEMP VIEW more AS SELECT email FROM customers",
        "CREATE TEMP VIEW more AS SELECT * FROM customers",
        "WITH w AS (SELECT email FROM customers) INSERT INTO texts SELECT email FROM w",
    ] {
        let answer = client.query(text);
        assert!(refusal(&answer).contains("sql.unmask"), "{text}: {}", refusal(&answer));
    }
    must(client, "PREPARE p AS SELECT email FROM customers");
    let answer = client.query("CREATE TEMP TABLE more AS EXECUTE p");
    assert!(refusal(&answer).contains("sql.unmask"), "{}", refusal(&answer));
    // A view shows what comes into its tables later.
    must(client, "CREATE TEMP VIEW phones AS SELECT id, phone FROM customers");
    crate::masking::rule(&world.gateway, "*.*.phone", "full");
    let mut shows =
        || tells_phone(&mut world.client, "SELECT phone FROM customers WHERE id = 900001");
    assert!(eventually(Duration::from_secs(2), || !shows()));
    assert!(!tells_phone(&mut world.client, "SELECT phone FROM phones WHERE id = 900001"));
}

fn tells_phone(client: &mut RawClient, text: &str) -> bool {
    rows(&client.query(text)).iter().flatten().any(|cell| cell.contains("123456"))
}

#[test]
fn what_was_copied_while_it_was_shown_is_masked_when_the_grant_has_ended() {
    let mut world = start();
    must(&mut world.client, "CREATE TEMP TABLE texts (x text)");
    let grant = world.gateway.grant("alice", "unmask");
    let World { client, gateway, .. } = &mut world;
    let copy = "INSERT INTO texts SELECT email FROM customers WHERE id = 900001";
    assert!(eventually(Duration::from_secs(2), || error(&client.query(copy)).is_none()));
    must(client, "CREATE TEMP TABLE more AS SELECT email FROM customers WHERE id = 900001");
    assert!(tells(&client.query("SELECT x FROM texts")));
    gateway.must(&["grant", "revoke", &grant]);
    let masked = |client: &mut RawClient, text: &str| !tells(&client.query(text));
    assert!(eventually(Duration::from_secs(2), || masked(client, "SELECT x FROM texts")));
    for text in ["SELECT * FROM more", "SELECT x FROM pg_temp.texts", "COPY texts TO STDOUT"] {
        assert!(masked(client, text), "{text}");
    }
}

#[test]
fn a_name_that_stood_for_a_temporary_table_stands_for_what_it_is_now() {
    let mut world = start();
    // Nobody knows of this one yet, and a rule means it.
    crate::masking::rule(&world.gateway, "*.*.secret", "full");
    // It holds a second later.
    std::thread::sleep(Duration::from_secs(2));
    let new = "CREATE TABLE found (secret text); INSERT INTO found VALUES ('x-secret@-x');
               GRANT SELECT ON found TO PUBLIC";
    for (make, undo) in [
        ("CREATE TEMP TABLE found (secret text)", "DROP TABLE found"),
        ("BEGIN; CREATE TEMP TABLE found (secret text)", "ROLLBACK"),
        ("BEGIN; SAVEPOINT s; CREATE TEMP TABLE found (secret text)", "ROLLBACK TO s; COMMIT"),
        ("CREATE TEMP TABLE found (secret text)", "DISCARD TEMP"),
        ("CREATE TEMP TABLE found (secret text)", "DISCARD ALL"),
        ("BEGIN; CREATE TEMP TABLE found (secret text) ON COMMIT DROP", "COMMIT"),
        ("CREATE TEMP TABLE found (secret text); SELECT 1/0", "SELECT 1"),
        ("CREATE TEMP TABLE found (secret text)", "SET search_path = public, pg_temp"),
    ] {
        world.client.query(make);
        world.server.sql(new);
        world.client.query(undo);
        for text in ["SELECT secret FROM found", "SELECT * FROM found"] {
            let answer = world.client.query(text);
            assert!(!tells(&answer), "{make}; {undo}; {text}: {answer:?}");
        }
        world.client.query("DISCARD ALL");
        world.server.sql("DROP TABLE found");
    }
}
