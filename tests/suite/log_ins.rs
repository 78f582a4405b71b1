//! A log-in at the upstream for each level of rights: the session's follows what it may do.

use std::{fs, time::Duration};

use nix::sys::signal::Signal;

use crate::support::{
    Gateway, Message, Postgres, RawClient, eventually,
    gateway::Options,
    raw::{bind, error, execute, parse, query, rows, sync},
};

const LOG_INS: &str = "CREATE ROLE h_read LOGIN PASSWORD 'one'; GRANT pg_read_all_data TO h_read;
    CREATE ROLE h_dml LOGIN PASSWORD 'two'; GRANT pg_read_all_data, pg_write_all_data TO h_dml";

const SECTIONS: &str = "[target.log_in.read]\nuser = \"h_read\"\npassword_command = [\"echo\", \"one\"]\n\
     [target.log_in.dml]\nuser = \"h_dml\"\npassword_command = [\"echo\", \"two\"]\n";

fn start() -> (Postgres, Gateway, String) {
    let server = Postgres::start();
    server.sql(LOG_INS);
    let options = Options { target: SECTIONS.to_owned(), ..Options::default() };
    let gateway = Gateway::start_with(&server, &options);
    let secret = gateway.principal("alice", "developer");
    (server, gateway, secret)
}

fn who(client: &mut RawClient) -> String {
    let answer = client.query("SELECT session_user");
    let rows = rows(&answer);
    rows.first().and_then(|row| row.first()).unwrap_or_else(|| panic!("{answer:?}")).clone()
}

fn refusal(client: &mut RawClient, text: &str) -> Message {
    let answer = client.query(text);
    error(&answer).unwrap_or_else(|| panic!("{text}: {answer:?}")).clone()
}

fn becomes(client: &mut RawClient, user: &str) -> bool {
    eventually(Duration::from_secs(5), || who(client) == user)
}

const INSERT: &str =
    "INSERT INTO products (sku, name, price) VALUES (gen_random_uuid()::text, 'new', 1)";

#[test]
fn an_open_session_moves_up_with_a_grant_and_down_with_its_end() {
    let (server, gateway, secret) = start();
    let mut client = gateway.connect("alice", &secret);
    assert_eq!(who(&mut client), "h_read");
    assert!(error(&client.query(INSERT)).is_some());
    let dml = gateway.grant("alice", "dml,select");
    assert!(becomes(&mut client, "h_dml"));
    assert!(error(&client.query(INSERT)).is_none());
    let admin = gateway.grant("alice", "admin");
    // What was written doesn't live in the session, but what else a writer leaves is not known.
    let mut told = refusal(&mut client, "CREATE ROLE x");
    let is_active = eventually(Duration::from_secs(5), || {
        told = refusal(&mut client, "CREATE ROLE x");
        !told.field('M').contains("needs sql.admin")
    });
    assert!(is_active);
    assert!(told.field('M').contains("log-in for dml"), "{told:?}");
    assert_eq!(told.field('H'), "Connect again.");
    let mut again = gateway.connect("alice", &secret);
    assert_eq!(who(&mut again), "hallpass");
    gateway.must(&["grant", "revoke", &admin]);
    gateway.must(&["grant", "revoke", &dml]);
    assert!(becomes(&mut again, "h_read") && becomes(&mut client, "h_read"));
    // The trail says over which log-in a statement went.
    gateway.audit_shows("h_dml", |r| {
        r["kind"] == "session.upstream"
            && r["message"].as_str().is_some_and(|m| m.starts_with("connected anew as h_dml, "))
    });
    assert!(gateway.log().lines().all(|l| !l.contains("ERROR")), "{}", gateway.log());
    drop(server);
}

#[test]
fn the_server_itself_refuses_what_the_rights_do_not_cover() {
    let (server, _gateway, _) = start();
    // What would reach the server if a judgement were wrong.
    let direct = |user: &str, password: &str, text: &str| {
        let psql = crate::support::Psql::new(server.dsn(user, password));
        psql.run(text).stderr
    };
    assert!(direct("h_read", "one", INSERT).contains("permission denied"));
    assert!(direct("h_dml", "two", "DROP TABLE products").contains("must be owner"));
}

#[test]
fn a_transaction_keeps_its_log_in() {
    let (server, gateway, secret) = start();
    let mut client = gateway.connect("alice", &secret);
    client.query("BEGIN");
    assert_eq!(who(&mut client), "h_read");
    gateway.grant("alice", "dml,select");
    let told = refusal(&mut client, INSERT);
    assert!(told.field('M').contains("began under the log-in for read"), "{told:?}");
    assert_eq!(told.field('H'), "ROLLBACK and run it again.");
    client.query("ROLLBACK");
    assert!(error(&client.query(INSERT)).is_none());
    assert_eq!(server.sql("SELECT count(*) FROM products WHERE name = 'new'"), "1");
    assert_eq!(who(&mut client), "h_dml");
}

#[test]
fn a_session_where_something_lives_is_told_to_connect_again() {
    let (_server, gateway, secret) = start();
    for lives in ["SET work_mem = '5MB'", "PREPARE p AS SELECT 1"] {
        let mut client = gateway.connect("alice", &secret);
        assert!(error(&client.query(lives)).is_none());
        let grant = gateway.grant("alice", "dml,select");
        let told = refusal(&mut client, INSERT);
        assert_eq!(told.field('H'), "Connect again.", "{told:?}");
        assert_eq!(who(&mut client), "h_read");
        // As before: what lives there does.
        assert!(error(&client.query("SHOW work_mem")).is_none());
        client.query("DISCARD ALL");
        assert!(becomes(&mut client, "h_dml"), "nothing lives there any more");
        gateway.must(&["grant", "revoke", &grant]);
        assert!(becomes(&mut client, "h_read"));
    }
}

#[test]
fn what_lived_under_a_right_that_ends_is_gone_and_that_is_told() {
    let (_server, gateway, secret) = start();
    let grant = gateway.grant("alice", "dml,select");
    let mut client = gateway.connect("alice", &secret);
    client.query("PREPARE p AS SELECT 7");
    gateway.must(&["grant", "revoke", &grant]);
    let mut told = Vec::new();
    let moved = eventually(Duration::from_secs(5), || {
        let answer = client.query("SELECT session_user");
        told.extend(answer.iter().filter(|m| m.tag == b'N').map(|m| m.field('M')));
        rows(&answer) == [["h_read"]]
    });
    assert!(moved && told.iter().any(|t| t.contains("made anew with a log-in that can do less")));
    let gone = refusal(&mut client, "EXECUTE p");
    assert_eq!(gone.field('C'), "26000");
}

#[test]
fn settings_of_the_start_survive_a_move() {
    let (_server, gateway, secret) = start();
    let dsn = format!("{}?application_name=batches", gateway.dsn("alice", &secret));
    let mut psql = crate::support::Psql::new(dsn).open();
    assert!(psql.say("SELECT session_user;").contains("h_read"));
    gateway.grant("alice", "dml,select");
    let moved = eventually(Duration::from_secs(5), || {
        psql.say("SELECT session_user, current_setting('application_name');")
            .contains("h_dml|alice/batches")
    });
    assert!(moved, "{}", psql.say("SELECT session_user, current_setting('application_name');"));
}

#[test]
fn check_names_a_log_in_that_does_not_work_or_is_not_lower() {
    let (server, gateway, _) = start();
    assert!(!gateway.must(&["check"]).contains("log_in"));
    server.sql("ALTER ROLE h_dml PASSWORD 'other'; GRANT INSERT ON products TO h_read");
    let output = gateway.cli(&["check"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("log_in.dml"), "{told}");
    assert!(told.contains("log_in.read may write 1 tables"), "{told}");
    let sql = gateway.must(&["target", "sql", "shop-test", "--level", "select"]);
    assert!(sql.contains("CREATE ROLE \"h_read\""), "{sql}");
}

#[test]
fn none_of_them_is_changed_through_the_gateway() {
    let (_server, gateway, secret) = start();
    gateway.grant("alice", "admin");
    let mut client = gateway.connect("alice", &secret);
    for text in ["ALTER ROLE h_read SUPERUSER", "GRANT hallpass TO h_dml", "DROP ROLE h_read"] {
        let told = refusal(&mut client, text);
        assert!(told.field('M').contains("nobody may do this here"), "{told:?}");
    }
}

#[test]
fn a_reload_brings_log_ins_to_new_sessions() {
    let server = Postgres::start();
    server.sql(LOG_INS);
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let mut old = gateway.connect("alice", &secret);
    assert_eq!(who(&mut old), "hallpass");
    let text = fs::read_to_string(gateway.settings()).expect("reads");
    // The target is the last section.
    let with = format!("{text}\n{SECTIONS}");
    fs::write(gateway.settings(), with).expect("writes");
    gateway.signal(Signal::SIGHUP);
    assert!(eventually(Duration::from_secs(5), || {
        who(&mut gateway.connect("alice", &secret)) == "h_read"
    }));
    assert!(becomes(&mut old, "h_read"), "open sessions too");
}

#[test]
fn the_extended_protocol_moves_between_two_batches() {
    let (_server, gateway, secret) = start();
    let mut client = gateway.connect("alice", &secret);
    let batch =
        |text: &str| [parse("", text, &[]), bind("", "", &[], 0), execute("", 0), sync()].concat();
    let mut user = || {
        client.send_bytes(&batch("SELECT session_user"));
        rows(&client.read_until(b'Z'))[0][0].clone()
    };
    assert_eq!(user(), "h_read");
    let grant = gateway.grant("alice", "dml,select");
    assert!(eventually(Duration::from_secs(5), || user() == "h_dml"));
    client.send_bytes(&batch(INSERT));
    assert!(error(&client.read_until(b'Z')).is_none());
    gateway.must(&["grant", "revoke", &grant]);
    let mut user = || {
        client.send_bytes(&batch("SELECT session_user"));
        rows(&client.read_until(b'Z'))[0][0].clone()
    };
    assert!(eventually(Duration::from_secs(5), || user() == "h_read"));
}

#[test]
fn what_runs_under_a_lower_log_in_is_ended_with_its_session() {
    let (server, gateway, secret) = start();
    gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    client.send_bytes(&query("SELECT pg_sleep(100)"));
    let runs = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'h_read' AND query ~ 'sleep'";
    assert!(eventually(Duration::from_secs(5), || server.sql(runs) == "1"));
    assert!(eventually(Duration::from_secs(10), || {
        let listed = gateway.json(&["session", "list"]);
        let id = listed[0]["id"].as_str().map(str::to_owned);
        id.is_some_and(|id| gateway.cli(&["session", "kill", &id]).status.success())
    }));
    assert!(eventually(Duration::from_secs(10), || server.sql(runs) == "0"));
}
