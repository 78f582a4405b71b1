//! The upstream side and the log-in of clients, against a real Postgres and a real psql.

mod clients;
mod server;
mod survey;

use std::{
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use hallpass::{
    kernel::catalog::{Catalog, Relation, RelationKind, RoutineKind, Volatility},
    net::tls::{ClientTls, ClientTlsOptions, TlsMode},
    upstream::{
        Address, ConnectOptions, Control, Credential, UpstreamError, UpstreamErrorKind, catalog,
        connect, credential::Source, pg::cancel,
    },
};
use server::Server;

const PATIENCE: Duration = Duration::from_secs(30);

/// Starting one takes seconds, so tests that run at the same time share it.
fn shared() -> Arc<Server> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(Server::start());
        *shared = Arc::downgrade(&server);
        server
    })
}

/// Over TCP, protected like that; an empty password stands for none.
fn options(server: &Server, user: &str, password: &str, mode: TlsMode) -> ConnectOptions {
    let ca = (mode >= TlsMode::VerifyCa).then(|| server.certificate());
    let tls = ClientTls::load(&ClientTlsOptions { mode, ca, certificate: None }).expect("loads");
    let source = match password {
        "" => Source::None,
        text => Source::Command(vec!["printf".into(), "%s".into(), text.into()]),
    };
    ConnectOptions {
        address: Address::Tcp { host: "localhost".to_owned(), port: server.port },
        tls,
        user: user.to_owned(),
        credential: Arc::new(Credential::new(source)),
        database: "shop".to_owned(),
        minor: 2,
        timeout: PATIENCE,
        keepalive: Duration::from_secs(60),
    }
}

/// As superuser, over the server's socket.
fn root(server: &Server) -> ConnectOptions {
    let address = Address::Unix(server.socket());
    ConnectOptions { address, ..options(server, "postgres", "", TlsMode::Disable) }
}

async fn control(options: &ConnectOptions) -> Control {
    Control::connect(options, PATIENCE).await.expect("connects")
}

async fn one(control: &mut Control, sql: &str) -> String {
    let rows = control.simple_query(sql).await.expect("answers");
    rows[0][0].clone().expect("is not null")
}

#[tokio::test]
async fn every_log_in_method_works_where_it_is_safe() {
    let server = shared();
    for (user, password, mode, good) in [
        ("reader", "scram-secret", TlsMode::VerifyFull, true),
        ("reader", "scram-secret", TlsMode::Require, true),
        ("reader", "scram-secret", TlsMode::Prefer, true),
        ("reader", "scram-secret", TlsMode::Disable, true),
        ("reader", "wrong", TlsMode::VerifyFull, false),
        ("reader", "wrong", TlsMode::Disable, false),
        ("nobody", "scram-secret", TlsMode::VerifyFull, false),
        ("reader", "", TlsMode::VerifyFull, false),
        ("umlaut", "p\u{e4}ss\u{aa}word", TlsMode::VerifyFull, true),
        ("md5user", "md5-secret", TlsMode::VerifyFull, true),
        ("md5user", "md5-secret", TlsMode::Disable, true),
        ("md5user", "wrong", TlsMode::VerifyFull, false),
        ("clearuser", "clear-secret", TlsMode::VerifyFull, true),
        ("clearuser", "clear-secret", TlsMode::Disable, false),
    ] {
        let connected = connect(&options(&server, user, password, mode), &[]).await;
        assert_eq!(connected.is_ok(), good, "{user} {password} {mode:?}: {connected:?}");
        match connected {
            Ok(connected) => assert_eq!(connected.stream.is_tls(), mode != TlsMode::Disable),
            Err(error) => assert_eq!(error.kind(), UpstreamErrorKind::Credentials),
        }
    }
    connect(&root(&server), &[]).await.expect("trust over the socket");
}

#[tokio::test]
async fn a_second_log_in_uses_the_keys_of_the_first() {
    let server = shared();
    let options = options(&server, "reader", "scram-secret", TlsMode::VerifyFull);
    connect(&options, &[]).await.expect("connects");
    connect(&options, &[]).await.expect("connects again");
}

#[tokio::test]
async fn a_session_is_as_it_was_asked_for() {
    let server = shared();
    let options = options(&server, "reader", "scram-secret", TlsMode::VerifyFull);
    let parameters =
        [("application_name", "alice/psql"), ("options", "-c default_transaction_read_only=on")];
    let connected = connect(&options, &parameters).await.expect("connects");
    assert_eq!(connected.parameter("application_name"), Some("alice/psql"));
    assert_eq!(connected.parameter("is_superuser"), Some("off"));
    // Postgres 15 speaks 3.0 only, and says so.
    let newest = if connected.cancel_key.len() > 4 { 2 } else { 0 };
    assert_eq!(connected.minor, newest);
    assert!(connected.process != 0 && connected.leftover.is_empty());
    let mut control = Control::over(connected, PATIENCE);
    let refused = control.simple_query("CREATE TABLE t ()").await;
    let refused = refused.expect_err("is read-only");
    assert_eq!(refused.server_error().map(|e| e.sqlstate.as_str()), Some("25006"));
    assert_eq!(one(&mut control, "SHOW transaction_read_only").await, "on");
    let copied = control.simple_query("BEGIN READ WRITE; COPY public.plain FROM STDIN").await;
    assert!(copied.is_err() && control.is_ready(), "a COPY is failed and lived through");
    control.close().await;
}

#[tokio::test]
async fn the_wrong_server_is_not_talked_to() {
    let server = shared();
    let mut options = options(&server, "reader", "scram-secret", TlsMode::VerifyFull);
    options.address = Address::Tcp { host: "127.0.0.1".to_owned(), port: server.port };
    let refused = connect(&options, &[]).await.expect_err("the name differs");
    assert_eq!(refused.kind(), UpstreamErrorKind::Tls);
    options.address = Address::Tcp { host: "localhost".to_owned(), port: 1 };
    let refused = connect(&options, &[]).await.expect_err("nobody is there");
    assert_eq!(refused.kind(), UpstreamErrorKind::Unreachable);
    options.address = Address::Tcp { host: "localhost".to_owned(), port: server.port };
    options.database = "nowhere".to_owned();
    let refused = connect(&options, &[]).await.expect_err("no such database");
    assert_eq!(refused.server_error().map(|e| e.sqlstate.as_str()), Some("3D000"));
}

#[tokio::test]
async fn a_cancel_hits_its_statement_and_no_later_one() {
    let server = shared();
    let options = options(&server, "reader", "scram-secret", TlsMode::VerifyFull);
    let connected = connect(&options, &[]).await.expect("connects");
    let (peer, process) = (connected.stream.peer(), connected.process);
    let key = connected.cancel_key.clone();
    let mut sleeper = Control::over(connected, PATIENCE);
    let mut watcher = control(&root(&server)).await;
    let running = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE pid = {process} AND wait_event = 'PgSleep'"
    );
    let cancelled = async {
        while one(&mut watcher, &running).await != "1" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        cancel(&options, peer, process, &key).await
    };
    let (slept, sent) = tokio::join!(sleeper.simple_query("SELECT pg_sleep(60)"), cancelled);
    sent.expect("is sent");
    let error = slept.expect_err("is cancelled");
    assert_eq!(error.server_error().map(|e| e.sqlstate.as_str()), Some("57014"));
    assert_eq!(one(&mut sleeper, "SELECT 1").await, "1");
}

#[tokio::test]
async fn a_backend_can_be_ended_over_the_control_connection() {
    let server = shared();
    let options = options(&server, "reader", "scram-secret", TlsMode::VerifyFull);
    let (mut victim, mut killer) = (control(&options).await, control(&options).await);
    assert!(killer.terminate(victim.process()).await.expect("may"));
    let ended = victim.simple_query("SELECT 1").await.expect_err("is ended");
    assert!(!matches!(ended, UpstreamError::Server(_)) && !victim.is_ready());
    assert!(killer.is_ready());
}

fn names(catalog: &Catalog, oids: &[u32]) -> Vec<String> {
    let routine = |oid: &u32| catalog.routine_by_oid(*oid).map(|r| r.name.clone());
    let relation = |oid: &u32| catalog.relation_by_oid(*oid).map(|r| r.name.clone());
    let mut names: Vec<_> =
        oids.iter().map(|oid| routine(oid).or_else(|| relation(oid)).expect("is known")).collect();
    names.sort();
    names
}

fn relation<'a>(catalog: &'a Catalog, schema: &str, name: &str) -> &'a Relation {
    catalog.relation(schema, name).unwrap_or_else(|| panic!("{schema}.{name} is there"))
}

/// What must be read whoever reads it.
fn holds_everything(catalog: &Catalog) {
    assert_eq!((catalog.epoch, &catalog.database[..]), (7, "shop"));
    assert!(catalog.server_version_num >= 130_000);

    let customers = relation(catalog, "public", "customers");
    assert_eq!(customers.kind, RelationKind::Table);
    let columns: Vec<_> = customers.columns.iter().map(|c| (c.number, c.name.as_str())).collect();
    assert_eq!(columns[..4], [(1, "id"), (2, "name"), (4, "email"), (5, "code")]);
    assert_eq!(customers.columns[0].type_name, "bigint");
    assert_eq!(customers.columns[2].type_name, "public.fine");
    assert_eq!(names(catalog, &customers.calls), ["is_fine", "next_code"]);
    assert_eq!(names(catalog, &customers.triggers), ["stamp"]);
    let calls = |schema, name| names(catalog, &relation(catalog, schema, name).calls);
    assert_eq!(calls("public", "checked"), ["same"]);
    assert_eq!(calls("public", "indexed"), ["is_fine"]);
    assert_eq!(calls("public", "plain"), Vec::<String>::new());
    assert!(relation(catalog, "public", "plain").has_rules && !customers.has_rules);

    let named = relation(catalog, "billing", "named");
    assert_eq!(named.kind, RelationKind::View);
    assert!(named.definition.as_deref().is_some_and(|text| text.contains("public.customers")));
    assert_eq!(names(catalog, &named.calls), ["is_fine"]);
    assert!(!named.has_rules, "its own rule is none");
    let reads = |name| names(catalog, &relation(catalog, "billing", name).reads);
    assert_eq!(reads("named"), ["customers"]);
    assert_eq!(reads("twice"), ["invoices", "named"]);
    assert_eq!(reads("sneaky"), ["pg_roles"]);
    assert_eq!(reads("sneakier"), ["pg_authid"]);
    assert_eq!(reads("kept"), ["customers"]);
    let part = relation(catalog, "billing", "invoices_2026");
    assert_eq!(names(catalog, &part.parents), ["invoices"]);
    assert_eq!(relation(catalog, "billing", "numbers").kind, RelationKind::Sequence);
    assert_eq!(relation(catalog, "billing", "kept").kind, RelationKind::MaterializedView);

    assert_eq!(relation(catalog, "pg_catalog", "pg_class").kind, RelationKind::Table);
    let columns = &relation(catalog, "information_schema", "columns").columns;
    assert!(columns.iter().any(|column| column.name == "table_name"));
}

fn holds_the_users_code(catalog: &Catalog) {
    let routine = |name| catalog.routines_named(name).next().expect("is there");
    assert_eq!(routine("is_fine").volatility, Volatility::Immutable);
    assert!(routine("stamp").security_definer && !routine("is_fine").security_definer);
    assert_eq!(routine("stamp").language, "plpgsql");
    assert_eq!(routine("tidy").kind, RoutineKind::Procedure);
    for (name, takes_rows) in [
        ("of_pair", true),
        ("of_anything", true),
        ("of_many", true),
        ("of_two", false),
        ("is_fine", false),
        ("stamp", false),
    ] {
        assert_eq!(routine(name).takes_rows, takes_rows, "{name}");
    }
    assert_eq!(catalog.routines_named("lower").count(), 0, "built-ins are on a list");
    let operators = catalog.operators_named("=~=");
    assert_eq!(names(catalog, &[operators[0].routine]), ["same"]);
    let cast = &catalog.casts()[0];
    assert_eq!((&cast.target[..], cast.implicit), ("point", true));
    for name in ["fine", "very_fine", "_very_fine", "pair", "customers"] {
        let types = catalog.types_named(name);
        assert_eq!(names(catalog, &types[0].calls), ["is_fine"], "{name}");
    }
    assert!(catalog.types_named("mood").is_empty());
}

#[tokio::test]
async fn the_catalog_is_whole_for_a_superuser_and_for_anybody() {
    let server = shared();
    let anybody = options(&server, "reader", "scram-secret", TlsMode::VerifyFull);
    for (options, path) in [
        (root(&server), &["pg_catalog", "public"][..]),
        (anybody, &["pg_catalog", "billing", "public"]),
    ] {
        let mut control = control(&options).await;
        let read = catalog::read(&mut control, 7).await.expect("reads");
        assert_eq!(read.default_path, path);
        holds_everything(&read);
        holds_the_users_code(&read);
        let path = one(&mut control, "SHOW search_path").await;
        assert_ne!(path, "pg_catalog", "the control connection is as it was");
        assert_eq!(
            one(&mut control, "SELECT pg_catalog.txid_current_if_assigned() IS NULL").await,
            "t"
        );
    }
}
