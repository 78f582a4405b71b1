//! What grants with `admin` leave behind: on the trail and in `grant show` when they have ended.

use std::time::{Duration, Instant};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};

use crate::support::{
    Gateway, Postgres, eventually,
    gateway::Options,
    raw::{error, rows},
};

const SETTLES_WITHIN: Duration = Duration::from_secs(20);

fn start() -> (Postgres, Gateway, String) {
    let server = Postgres::start();
    server.sql("ALTER ROLE hallpass SUPERUSER");
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    (server, gateway, secret)
}

/// What `grant show` says once the end has been looked at.
fn settled(gateway: &Gateway, grant: &str) -> Value {
    let mut left = Value::Null;
    let looked = eventually(SETTLES_WITHIN, || {
        left = gateway.json(&["grant", "show", grant])["left_behind"].clone();
        left["settled"].is_string()
    });
    assert!(looked, "{left}\n{}", gateway.log());
    left
}

fn told(left: &Value) -> Vec<String> {
    let items = left["items"].as_array().expect("a list");
    let text = |item: &Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
    let line = |i: &Value| format!("{} {} {}", text(i, "change"), text(i, "kind"), text(i, "name"));
    items.iter().map(line).collect()
}

#[test]
fn what_is_made_under_admin_is_listed_when_the_grant_has_ended() {
    let (_server, gateway, secret) = start();
    let grant = gateway.grant("alice", "admin,ddl,select");
    let mut client = gateway.connect("alice", &secret);
    for text in [
        "CREATE ROLE \"ev\nil\" LOGIN SUPERUSER PASSWORD 'x'",
        "CREATE TABLE loot (id int)",
        "CREATE FUNCTION door() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER \
         AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER opens BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION door()",
        "DO $$ BEGIN EXECUTE 'GRANT SELECT ON customers TO PUBLIC'; END $$",
    ] {
        assert!(error(&client.query(text)).is_none(), "{text}");
    }
    let before = gateway.must(&["grant", "show", &grant]);
    assert!(before.contains("what it leaves behind is looked at when it ends"), "{before}");
    gateway.must(&["grant", "revoke", &grant]);
    let left = settled(&gateway, &grant);
    let expected = [
        "made password ev\nil",
        "made privilege table public.customers to PUBLIC",
        "made role ev\nil",
        "made routine public.door()",
        "made trigger opens on public.orders",
    ];
    assert_eq!(told(&left), expected);
    assert_eq!(left["trouble"], Value::Null);
    let shown = gateway.must(&["grant", "show", &grant]);
    assert!(shown.contains("\n    made role ev\u{fffd}il: superuser, may log in\n"), "{shown}");
    // The same is on the trail, put there by the gateway itself.
    let event = gateway.audit_shows("what is left", |r| r["kind"] == "grant_left_behind");
    assert!(event["actor"].as_str().is_some_and(|a| a.starts_with("gateway:")), "{event}");
    let body = event["body"]
        .as_str()
        .map_or(event["body"].clone(), |text| serde_json::from_str(text).expect("an object"));
    assert_eq!((&body["grant"], &body["items"]), (&json!(grant), &left["items"]));
}

#[test]
fn a_grant_that_leaves_nothing_says_so_and_one_without_admin_is_not_looked_at() {
    let (_server, gateway, secret) = start();
    let with = gateway.grant_with("alice", "admin", &["--for", "3s"]);
    let without = gateway.grant("alice", "ddl,dml,select");
    let mut client = gateway.connect("alice", &secret);
    client.query("CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)");
    let left = settled(&gateway, &with);
    assert_eq!((told(&left), &left["trouble"]), (Vec::new(), &Value::Null));
    let shown = gateway.must(&["grant", "show", &with]);
    assert!(shown.contains("it leaves nothing behind (between"), "{shown}");
    gateway.must(&["grant", "revoke", &without]);
    assert_eq!(gateway.json(&["grant", "show", &without])["left_behind"], Value::Null);
}

#[test]
fn the_first_statement_under_a_grant_comes_behind_the_first_look() {
    let (_server, gateway, secret) = start();
    let mut client = gateway.connect("alice", &secret);
    // Who tries all the time gets in as soon as she may, and is seen all the same.
    let attack = "CREATE ROLE fast";
    std::thread::scope(|scope| {
        let given = scope.spawn(|| gateway.grant("alice", "admin"));
        let made = || error(&client.query(attack)).is_none();
        let mut made = made;
        assert!(eventually(Duration::from_secs(10), || (0..200).any(|_| made())));
        let grant = given.join().expect("is given");
        gateway.must(&["grant", "revoke", &grant]);
        assert_eq!(told(&settled(&gateway, &grant)), ["made role fast"]);
    });
}

#[test]
fn a_log_in_finds_what_was_granted_a_moment_ago() {
    let (_server, gateway, secret) = start();
    for _ in 0..5 {
        let grant = gateway.json(&[
            "grant",
            "create",
            "--to",
            "alice",
            "--target",
            "shop-test",
            "--allow",
            "admin",
            "--for",
            "10m",
            "--reason",
            "now",
        ]);
        let asked = Instant::now();
        let mut client = gateway.connect("alice", &secret);
        // A log-in waits for the look at the target no longer than this.
        if asked.elapsed() > Duration::from_secs(3) {
            assert!(eventually(Duration::from_secs(10), || {
                error(&client.query("CREATE ROLE r; DROP ROLE r")).is_none()
            }));
        }
        assert_eq!(rows(&client.query("SELECT current_setting('is_superuser')")), [["on"]]);
        let said = client.query("CREATE ROLE r; DROP ROLE r");
        assert!(error(&said).is_none(), "{said:?}");
        gateway.must(&["grant", "revoke", grant["id"].as_str().expect("an id")]);
    }
}

#[test]
fn what_ended_while_the_gateway_was_away_is_looked_at_when_it_is_back() {
    let (server, mut gateway, secret) = start();
    let grant = gateway.grant("alice", "admin");
    let mut client = gateway.connect("alice", &secret);
    assert!(error(&client.query("CREATE ROLE stays")).is_none());
    drop(client);
    gateway.signal(Signal::SIGTERM);
    gateway.wait_end();
    gateway.must(&["grant", "revoke", &grant]);
    gateway.restart();
    assert_eq!(told(&settled(&gateway, &grant)), ["made role stays"]);
    drop(server);
}

#[test]
fn a_target_that_does_not_answer_holds_nobody_up_for_long_and_that_is_on_record() {
    let (server, _first, _) = start();
    // Another server, frozen before the grant on it begins.
    let frozen = Postgres::start();
    let second = format!(
        "[[target]]\nname = \"frozen\"\nengine = \"postgres\"\naddress = \"{}\"\n\
         database = \"shop\"\nuser = \"hallpass\"\npassword_file = \"upstream.secret\"\n\
         tls = \"disable\"\n",
        frozen.address()
    );
    let gateway = Gateway::start_with(&server, &Options { rest: second, ..Options::default() });
    let secret = gateway.principal("alice", "developer");
    let processes = std::process::Command::new("pgrep")
        .args(["-P", &frozen.pid().to_string()])
        .output()
        .expect("lists them");
    let mut stopped: Vec<i32> = String::from_utf8_lossy(&processes.stdout)
        .lines()
        .filter_map(|line| line.parse().ok())
        .collect();
    stopped.push(frozen.pid());
    for pid in &stopped {
        kill(Pid::from_raw(*pid), Signal::SIGSTOP).expect("stops");
    }
    let waits = gateway.json(&[
        "grant", "create", "--to", "alice", "--target", "frozen", "--allow", "admin", "--for",
        "10m", "--reason", "now",
    ]);
    // Meanwhile a grant on the other target begins as ever.
    gateway.grant("alice", "admin");
    let mut client = gateway.connect("alice", &secret);
    assert!(error(&client.query("CREATE ROLE r; DROP ROLE r")).is_none());
    let id = waits["id"].as_str().expect("an id");
    let known = || {
        let left = gateway.json(&["grant", "show", id])["left_behind"].clone();
        left["trouble"].as_str().is_some_and(|why| why.contains("when it began"))
    };
    assert!(eventually(Duration::from_secs(10), known), "{}", gateway.log());
    for pid in stopped {
        kill(Pid::from_raw(pid), Signal::SIGCONT).expect("goes on");
    }
    gateway.must(&["grant", "revoke", id]);
    let left = settled(&gateway, id);
    assert!(left["trouble"].as_str().is_some_and(|why| why.contains("when it began")), "{left}");
    let shown = gateway.must(&["grant", "show", id]);
    assert!(shown.contains("what it leaves behind is not known: the target"), "{shown}");
}
