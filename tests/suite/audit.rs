//! Recorded or not run: what is on the trail, and that nothing reaches the server without it.

use std::{fs, time::Duration};

use crate::support::{
    Gateway, Postgres, eventually,
    raw::{bind, error, execute, parse, query, sync},
};

#[test]
fn every_statement_the_server_ran_is_on_record() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    let texts: Vec<String> =
        (0..40).map(|n| format!("SELECT 'marked {n}' FROM orders LIMIT 1")).collect();
    for (n, text) in texts.iter().enumerate() {
        if n % 2 == 0 {
            client.query(text);
        } else {
            client
                .exchange(&[parse("", text, &[]), bind("", "", &[], 0), execute("", 0), sync()], 1);
        }
    }
    gateway.audit_shows("the last statement", |r| r.to_string().contains("marked 39"));
    let records = gateway.audit(&["--limit", "10000"]);
    for text in &texts {
        assert!(server.log().contains(text.as_str()));
        assert!(records.iter().any(|r| r["statement"] == text.as_str()), "{text} isn't on record");
    }
}

#[test]
fn a_gateway_killed_at_any_instant_has_recorded_what_it_sent() {
    let server = Postgres::start();
    let mut gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    for n in 0..200 {
        client.send_bytes(&query(&format!("SELECT 'before the kill {n}' FROM orders LIMIT 1")));
    }
    client.read_until(b'Z');
    gateway.signal(nix::sys::signal::Signal::SIGKILL);
    gateway.wait_end_by_signal();
    let log = server.log();
    gateway.restart();
    gateway.must(&["audit", "verify"]);
    let trail = trail_text(&gateway);
    for n in 0..200 {
        let text = format!("SELECT 'before the kill {n}' FROM orders LIMIT 1");
        if log.contains(&text) {
            assert!(trail.contains(&text), "{text} ran without a record");
        }
    }
}

fn trail_text(gateway: &Gateway) -> String {
    let mut folders = vec![gateway.data()];
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.components().any(|c| c.as_os_str() == "trail") {
                text.push_str(&String::from_utf8_lossy(&fs::read(path).unwrap_or_default()));
            }
        }
    }
    text
}

#[test]
fn an_altered_trail_is_found() {
    let server = Postgres::start();
    let mut gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    gateway.connect("alice", &secret).query("SELECT 'evidence' FROM orders LIMIT 1");
    gateway.must(&["audit", "verify"]);
    gateway.signal(nix::sys::signal::Signal::SIGTERM);
    gateway.wait_end();
    let mut altered = 0;
    let mut folders = vec![gateway.data()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            if path.components().any(|c| c.as_os_str() == "trail") && text.contains("'evidence'") {
                fs::write(&path, text.replace("'evidence'", "'innocent'")).expect("writes");
                altered += 1;
            }
        }
    }
    assert!(altered > 0, "the trail doesn't hold the statement");
    let verified = gateway.cli(&["audit", "verify"]);
    assert!(!verified.status.success());
}

#[test]
fn failed_log_ins_passwords_and_settings_are_told_right() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let failed = gateway.psql("alice", "wrong-guess").run("SELECT 1");
    assert_eq!(failed.code, Some(2));
    gateway.audit_shows("the failed log-in", |r| {
        r["kind"] == "login.failed" && r["principal"] == "alice"
    });
    let mut client = gateway.connect("alice", &secret);
    client.query("ALTER ROLE hallpass PASSWORD 'upstream-secret'");
    gateway.audit_shows("the ALTER ROLE", |r| r.to_string().contains("ALTER ROLE hallpass"));
    let trail = trail_text(&gateway);
    assert!(!trail.contains("upstream-secret"), "a password is on record");
    assert!(!trail.contains(&secret) && !trail.contains("wrong-guess"));
    assert!(!gateway.log().contains("ALTER ROLE"), "statements are in the log");
}

#[test]
fn a_trail_that_cannot_be_written_refuses_statements() {
    let server = Postgres::start();
    let options = crate::support::gateway::Options {
        rest: "[audit]\nquota_bytes = \"256KiB\"\nsegment_bytes = \"64KiB\"\n".into(),
        ..Default::default()
    };
    let gateway = Gateway::start_with(&server, &options);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    let filler = "x".repeat(16_000);
    let full = || {
        let answer = client.query(&format!("SELECT length('{filler}')"));
        error(&answer).is_some_and(|e| e.field('C') == "58000")
    };
    assert!(eventually(Duration::from_secs(20), full), "the quota is never reached");
    let before = server.log().matches("never recorded").count();
    client.query("SELECT 'never recorded'");
    assert_eq!(server.log().matches("never recorded").count(), before);
}
