//! Starting, reloading, draining, health.

use std::{
    fs,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use crate::support::{
    Gateway, Postgres, RawClient, eventually,
    gateway::{Options, TARGET},
    raw::{PROTOCOL_3_0, error, query, rows},
};

#[test]
fn health_and_readiness_are_told() {
    let mut server = Postgres::start();
    let gateway = Gateway::start(&server);
    assert_eq!(gateway.http("/healthz").map(|(status, _)| status), Some(200));
    assert_eq!(gateway.http("/readyz").map(|(status, _)| status), Some(200));
    let (status, metrics) = gateway.http("/metrics").expect("answers");
    assert_eq!(status, 200);
    assert!(metrics.contains("hallpass_"), "{metrics}");
    assert_eq!(gateway.http("/nothing").map(|(status, _)| status), Some(404));
    server.stop();
    assert_eq!(gateway.http("/healthz").map(|(status, _)| status), Some(200));
}

#[test]
fn metrics_count_what_happens() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    client.query("SELECT id FROM orders LIMIT 2");
    client.query("SELECT id FROM orders LIMIT 3");
    client.query("SELECT 1 / 0 FROM orders");
    client.query("SELECT id FROM orders a CROSS JOIN generate_series(1, 2000)");
    client.query("DELETE FROM orders");
    client.query("SELECT hallpass.no_such()");
    let page = || gateway.http("/metrics").expect("answers").1;
    let value = |name: &str| -> u64 {
        let page = page();
        let line = page.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is not in\n{page}")).parse().expect("a number")
    };
    let selects = |outcome: &str| {
        value(&format!("hallpass_statements_total{{class=\"select\",outcome=\"{outcome}\"}}"))
    };
    assert_eq!((selects("permit"), selects("error"), selects("terminate")), (4, 1, 1));
    assert_eq!(value("hallpass_statements_total{class=\"dml\",outcome=\"deny\"}"), 1);
    assert_eq!(value("hallpass_rows_total"), 2 + 3 + 1000);
    assert!(value("hallpass_analysis_cache_total{result=\"hit\"}") >= 1, "LIMIT 2 and LIMIT 3");
    assert_eq!(value("hallpass_connections_open"), 1);
    assert_eq!(value("hallpass_connections_total{outcome=\"opened\"}"), 1);
    assert_eq!(value("hallpass_trail_refusals_total"), 0);
    assert_eq!(value("hallpass_grants_active"), 1);
}

#[test]
fn a_reload_takes_new_limits_and_leaves_sessions_alone() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    client.query("SET application_name = 'kept'");
    let text = fs::read_to_string(gateway.settings()).expect("reads");
    fs::write(gateway.settings(), format!("{text}\n[limits]\nmax_rows = 10\n")).expect("writes");
    gateway.signal(Signal::SIGHUP);
    let capped = || error(&client.query("SELECT id FROM orders LIMIT 20")).is_some();
    assert!(eventually(Duration::from_secs(3), capped));
    assert_eq!(rows(&client.query("SHOW application_name")), [["kept"]]);

    // A file with a mistake changes nothing.
    fs::write(gateway.settings(), "nonsense = 1\n").expect("writes");
    gateway.signal(Signal::SIGHUP);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(rows(&client.query("SELECT 'alive'")), [["alive"]]);
    gateway.connect("alice", &secret).terminate();
    fs::write(gateway.settings(), text).expect("writes");
}

#[test]
fn a_reload_takes_trust_away_from_open_sessions_and_from_what_they_prepared() {
    let server = Postgres::start();
    server.sql(
        "CREATE FUNCTION tick() RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN 7; END';
         GRANT EXECUTE ON FUNCTION tick() TO PUBLIC",
    );
    let trust = "trust = [\"public.tick\"]";
    let options = Options { target: trust.to_owned(), ..Options::default() };
    let gateway = Gateway::start_with(&server, &options);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let mut client = gateway.connect("alice", &secret);
    client.query("PREPARE kept AS SELECT tick() + 1");
    assert_eq!(rows(&client.query("SELECT tick()")), [["7"]]);
    assert_eq!(rows(&client.query("EXECUTE kept")), [["8"]]);
    let text = fs::read_to_string(gateway.settings()).expect("reads");
    fs::write(gateway.settings(), text.replace(trust, "")).expect("writes");
    gateway.signal(Signal::SIGHUP);
    let told = |client: &mut RawClient, text: &str| {
        error(&client.query(text)).is_some_and(|e| e.field('M').contains("needs sql.admin"))
    };
    assert!(eventually(Duration::from_secs(3), || told(&mut client, "SELECT tick()")));
    assert!(told(&mut client, "EXECUTE kept"));
    let mut other = gateway.connect("alice", &secret);
    assert!(told(&mut other, "SELECT tick()"));
}

#[test]
fn a_stop_drains_and_a_second_signal_cuts() {
    let server = Postgres::start();
    let mut gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut client = gateway.connect("alice", &secret);
    client.query("BEGIN");
    gateway.signal(Signal::SIGTERM);
    let closed = || {
        std::net::TcpStream::connect(gateway.address()).is_err()
            || gateway.http("/readyz").is_none_or(|(status, _)| status != 200)
    };
    assert!(eventually(Duration::from_secs(5), closed), "still takes connections");
    assert_eq!(rows(&client.query("SELECT 'finishing'")), [["finishing"]]);
    gateway.signal(Signal::SIGTERM);
    assert!(client.ends_after(b"E"));
    assert_eq!(gateway.wait_end(), Some(0));
}

#[test]
fn a_stop_ends_idle_sessions_and_lets_a_running_statement_finish() {
    let server = Postgres::start();
    let mut gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    let mut idle = gateway.connect("alice", &secret);
    let mut busy = gateway.connect("alice", &secret);
    busy.send_bytes(&query("SELECT pg_sleep(2), 'finished'"));
    assert!(busy.is_silent_for(Duration::from_millis(300)));
    gateway.signal(Signal::SIGTERM);
    let told = idle.read();
    assert_eq!((told.tag, told.field('C').as_str()), (b'E', "57P01"), "{told:?}");
    let answer = busy.read_until(b'Z');
    assert_eq!(rows(&answer)[0][1], "finished", "{answer:?}");
    let told = busy.read();
    assert_eq!((told.tag, told.field('C').as_str()), (b'E', "57P01"), "{told:?}");
    assert_eq!(gateway.wait_end(), Some(0));
}

#[test]
fn a_stop_waits_no_longer_than_is_set() {
    let server = Postgres::start();
    let rest = "[limits]\ndrain_timeout = \"1s\"\n".to_owned();
    let mut gateway = Gateway::start_with(&server, &Options { rest, ..Options::default() });
    let secret = gateway.almighty("alice");
    let mut busy = gateway.connect("alice", &secret);
    busy.send_bytes(&query("SELECT pg_sleep(60)"));
    assert!(busy.is_silent_for(Duration::from_millis(300)));
    gateway.signal(Signal::SIGTERM);
    assert!(busy.ends_after(b"E"));
    assert_eq!(gateway.wait_end(), Some(0));
}

#[test]
fn who_says_nothing_for_too_long_is_told_and_ended() {
    let server = Postgres::start();
    let rest = "[limits]\nidle_timeout = \"4s\"\nidle_in_transaction_timeout = \"2s\"\n".to_owned();
    let gateway = Gateway::start_with(&server, &Options { rest, ..Options::default() });
    let secret = gateway.almighty("alice");
    let mut idle = gateway.connect("alice", &secret);
    let mut open = gateway.connect("alice", &secret);
    let mut busy = gateway.connect("alice", &secret);
    idle.query("SELECT 1");
    open.query("BEGIN");
    busy.send_bytes(&query("SELECT pg_sleep(6), 'busy is not idle'"));
    let began = Instant::now();
    let told = open.read();
    assert_eq!((told.tag, told.field('C').as_str()), (b'E', "25P03"), "{told:?}");
    assert!(began.elapsed() > Duration::from_millis(1500), "{:?}", began.elapsed());
    let told = idle.read();
    assert_eq!((told.tag, told.field('C').as_str()), (b'E', "57P05"), "{told:?}");
    assert!(began.elapsed() > Duration::from_millis(3500), "{:?}", began.elapsed());
    assert!(idle.ends_after(b"") && open.ends_after(b""));
    assert!(error(&busy.read_until(b'Z')).is_none());
}

#[test]
fn connections_to_one_target_are_counted() {
    let server = Postgres::start();
    let options = Options { target: "max_connections = 2\n".into(), ..Options::default() };
    let gateway = Gateway::start_with(&server, &options);
    let (alice, bob) =
        (gateway.principal("alice", "developer"), gateway.principal("bob", "developer"));
    let first = gateway.connect("alice", &alice);
    let _second = gateway.connect("bob", &bob);
    let log_in = || {
        let mut client = RawClient::open(&gateway.address());
        client.startup(PROTOCOL_3_0, &[("user", "bob"), ("database", TARGET)]);
        client.login(&bob)
    };
    assert_eq!(log_in().expect_err("one too many").field('C'), "53300");
    first.terminate();
    assert!(eventually(Duration::from_secs(3), || log_in().is_ok()));
}

#[test]
fn a_target_that_is_down_is_told_and_comes_back() {
    let mut server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let psql = gateway.psql("alice", &secret);
    assert_eq!(psql.must("SELECT 1"), "1");
    server.stop();
    let down = psql.run("SELECT 1");
    assert_ne!(down.code, Some(0), "{down:?}");
    assert!(!down.stderr.contains(&server.address()), "the address is nobody's business: {down:?}");
    server.restart();
    assert!(eventually(Duration::from_secs(10), || psql.run("SELECT 1").stdout == "1"));
}

#[test]
fn check_says_what_is_wrong() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    gateway.must(&["check"]);
    let text = fs::read_to_string(gateway.settings()).expect("reads");
    let bad = text.replace("tls = \"disable\"", "tls = \"perhaps\"") + "\nunknown_key = 1\n";
    fs::write(gateway.settings(), bad).expect("writes");
    let output = gateway.cli(&["check"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success());
    assert!(told.contains("perhaps") && told.contains("unknown_key"), "{told}");
    assert!(told.contains("proxy.toml:"), "file and line: {told}");
    fs::write(gateway.settings(), text).expect("writes");
}

#[test]
fn a_backup_restores_to_a_gateway_that_knows_everybody() {
    let server = Postgres::start();
    let mut gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "select");
    let kept = gateway.folder().join("backup");
    gateway.must(&["backup", &kept.display().to_string()]);
    gateway.signal(Signal::SIGTERM);
    gateway.wait_end();
    fs::remove_dir_all(gateway.data()).expect("removes");
    let copied = std::process::Command::new("cp")
        .args(["-a", &format!("{}/data", kept.display())])
        .arg(gateway.data())
        .status()
        .expect("cp");
    assert!(copied.success(), "the backup holds the data folder: {:?}", fs::read_dir(&kept));
    gateway.restart();
    let mut client = gateway.connect("alice", &secret);
    assert!(error(&client.query("SELECT 1 FROM orders LIMIT 1")).is_none());
}

#[test]
fn a_catalog_that_could_not_be_read_is_read_again_soon() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    gateway.grant("alice", "ddl");
    gateway.grant_with("alice", "select", &["--for", "30m", "--scope", "public.fresh"]);
    let mut owner = gateway.connect("alice", &secret);
    let mut reader = gateway.connect("alice", &secret);
    // Open sessions live on; a new log-in, such as the one that reads the catalog, fails.
    server.sql("ALTER ROLE hallpass NOLOGIN");
    assert!(error(&owner.query("CREATE TABLE fresh (x int)")).is_none());
    assert!(eventually(Duration::from_secs(10), || {
        gateway.log().contains("the catalog could not be read")
    }));
    server.sql("ALTER ROLE hallpass LOGIN");
    assert!(eventually(Duration::from_secs(20), || {
        error(&reader.query("SELECT x FROM fresh")).is_none()
    }));
}
