//! The gateway's own log-in at real servers, by every method that they have, and its questions there.

use std::{path::PathBuf, process::Command, sync::Arc, time::Duration};

use hallpass::{
    net::tls::{ClientTls, ClientTlsOptions, TlsMode},
    upstream::{
        Address, Credential, UpstreamError, UpstreamErrorKind,
        credential::Source,
        mysql::{ConnectOptions, Control, greeting},
    },
    wire::mysql::{Capabilities, auth::upstream::ServerKey},
};

use crate::support::mysql::{Family, MySql, Options, UPSTREAM_PASSWORD, UPSTREAM_USER};

const PATIENCE: Duration = Duration::from_secs(60);

/// Over TCP, protected like that.
fn options(server: &MySql, user: &str, password: &str, mode: TlsMode) -> ConnectOptions {
    let tls =
        ClientTls::load(&ClientTlsOptions { mode, ca: None, certificate: None }).expect("loads");
    let source = match password {
        "" => Source::None,
        text => Source::Command(vec!["printf".into(), "%s".into(), text.into()]),
    };
    ConnectOptions {
        address: Address::Tcp { host: "127.0.0.1".to_owned(), port: server.port() },
        tls,
        key: ServerKey::None,
        user: user.to_owned(),
        credential: Arc::new(Credential::new(source)),
        timeout: PATIENCE,
        keepalive: Duration::from_secs(60),
    }
}

fn over_socket(server: &MySql, user: &str, password: &str) -> ConnectOptions {
    let address = Address::Unix(server.socket());
    ConnectOptions { address, ..options(server, user, password, TlsMode::Disable) }
}

async fn who(options: &ConnectOptions) -> Result<String, UpstreamError> {
    let mut control = Control::connect(options, PATIENCE).await?;
    let rows = control.query("SELECT CURRENT_USER()").await?;
    Ok(rows[0][0].clone().expect("a name"))
}

/// A certificate that MariaDB shows; MySQL makes its own.
fn with_certificate() -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().expect("makes a folder");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("makes one");
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).expect("writes");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("writes");
    let argument = |name: &str, path: PathBuf| format!("--{name}={}", path.display());
    (folder, vec![argument("ssl-cert", cert), argument("ssl-key", key)])
}

fn with_tls(family: Family) -> (MySql, Option<tempfile::TempDir>) {
    match family {
        Family::MySql => (MySql::start(family), None),
        Family::MariaDb => {
            let (folder, arguments) = with_certificate();
            (MySql::start_with(family, &Options { arguments }), Some(folder))
        }
    }
}

#[tokio::test]
async fn both_servers_let_the_gateway_in_over_tls_and_over_a_socket() {
    for family in Family::ALL {
        let (server, _folder) = with_tls(family);
        for options in [
            options(&server, UPSTREAM_USER, UPSTREAM_PASSWORD, TlsMode::Require),
            over_socket(&server, UPSTREAM_USER, UPSTREAM_PASSWORD),
        ] {
            assert_eq!(who(&options).await.expect("comes in"), "hallpass@%", "{family:?}");
        }
        let wrong = options(&server, UPSTREAM_USER, "wrong", TlsMode::Require);
        let error = who(&wrong).await.expect_err("refused");
        assert_eq!(error.kind(), UpstreamErrorKind::Credentials, "{family:?}: {error}");
        assert!(error.to_string().contains("[1045] (28000)"), "{error}");
        let nobody = options(&server, "nobody", "", TlsMode::Require);
        let error = who(&nobody).await.expect_err("refused");
        assert_eq!(error.kind(), UpstreamErrorKind::Credentials, "{family:?}: {error}");
    }
}

#[tokio::test]
async fn an_account_without_a_password_needs_none() {
    for family in Family::ALL {
        let (server, _folder) = with_tls(family);
        server.sql("CREATE USER 'empty'@'%'");
        let options = options(&server, "empty", "", TlsMode::Prefer);
        assert_eq!(who(&options).await.expect("comes in"), "empty@%", "{family:?}");
    }
}

#[tokio::test]
async fn a_password_that_mysql_has_forgotten_is_not_shown_on_a_plain_connection() {
    let server = MySql::start(Family::MySql);
    let plain = options(&server, UPSTREAM_USER, UPSTREAM_PASSWORD, TlsMode::Disable);
    let error = who(&plain).await.expect_err("it would be readable");
    assert_eq!(error.kind(), UpstreamErrorKind::Credentials);
    assert!(error.to_string().contains("use TLS, or give the server's public key"), "{error}");
    // By a key that somebody has looked at, or by one that the server sends.
    let pem = server.sql(
        "SELECT VARIABLE_VALUE FROM performance_schema.global_status \
                          WHERE VARIABLE_NAME = 'Caching_sha2_password_rsa_public_key'",
    );
    for key in [ServerKey::Pinned(pem.clone().into_bytes()), ServerKey::Fetched] {
        server.sql("FLUSH PRIVILEGES");
        let options = ConnectOptions { key, ..plain.clone() };
        assert_eq!(who(&options).await.expect("comes in"), "hallpass@%");
    }
    // Now it knows it.
    assert_eq!(who(&plain).await.expect("comes in"), "hallpass@%");
    let other = pem.replace(['A'], "B");
    server.sql("FLUSH PRIVILEGES");
    let options = ConnectOptions { key: ServerKey::Pinned(other.into_bytes()), ..plain };
    who(&options).await.expect_err("another server's key");
}

#[tokio::test]
async fn the_older_method_of_mysql_is_done_over_tls_or_with_a_key() {
    let server = MySql::start(Family::MySql);
    server.sql("CREATE USER old@'%' IDENTIFIED WITH sha256_password BY 'old-secret'");
    for (mode, key, comes_in) in [
        (TlsMode::Require, ServerKey::None, true),
        (TlsMode::Disable, ServerKey::Fetched, true),
        (TlsMode::Disable, ServerKey::None, false),
    ] {
        let options = ConnectOptions { key, ..options(&server, "old", "old-secret", mode) };
        assert_eq!(who(&options).await.is_ok(), comes_in, "{mode:?}");
    }
}

#[tokio::test]
async fn the_methods_of_mariadb_need_no_tls() {
    let server = MySql::start(Family::MariaDb);
    server.sql("INSTALL SONAME 'auth_ed25519'");
    server.sql("CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('ed-secret')");
    server.sql(
        "CREATE USER 'both'@'%' IDENTIFIED VIA ed25519 USING PASSWORD('ed-secret') \
                OR mysql_native_password USING PASSWORD('native-secret')",
    );
    for (user, password, comes_in) in [
        ("ed", "ed-secret", true),
        ("ed", "wrong", false),
        ("both", "ed-secret", true),
        (UPSTREAM_USER, UPSTREAM_PASSWORD, true),
    ] {
        let options = options(&server, user, password, TlsMode::Disable);
        let came = who(&options).await;
        assert_eq!(came.is_ok(), comes_in, "{user} {password}: {came:?}");
    }
    // It has no certificate of its own.
    let strict = options(&server, UPSTREAM_USER, UPSTREAM_PASSWORD, TlsMode::Require);
    assert!(matches!(who(&strict).await, Err(UpstreamError::NoTls)));
}

#[tokio::test]
async fn each_server_says_what_it_is_before_anybody_logs_in() {
    for family in Family::ALL {
        let server = MySql::start(family);
        let options = options(&server, UPSTREAM_USER, "", TlsMode::Disable);
        let greeting = greeting(&options).await.expect("greets");
        let version = String::from_utf8(greeting.version).expect("text");
        let is_mysql = greeting.capabilities.has(Capabilities::MYSQL);
        let (wanted, bulk) = match family {
            Family::MySql => ("9.7.", false),
            Family::MariaDb => ("10.11.", true),
        };
        assert!(version.contains(wanted), "{version}");
        assert_eq!((is_mysql, greeting.capabilities.has(Capabilities::BULK)), (!bulk, bulk));
        let all = Capabilities::SESSION_TRACK
            | Capabilities::DEPRECATE_EOF
            | Capabilities::MULTI_STATEMENTS
            | Capabilities::PS_MULTI_RESULTS
            | Capabilities::LOCAL_FILES;
        assert!(greeting.capabilities.has(all), "{family:?}: {:?}", greeting.capabilities);
    }
}

#[tokio::test]
async fn questions_are_answered_and_failures_leave_the_connection() {
    for family in Family::ALL {
        let arguments = vec!["--max-allowed-packet=64M".to_owned()];
        let server = MySql::start_with(family, &Options { arguments });
        let options = over_socket(&server, UPSTREAM_USER, UPSTREAM_PASSWORD);
        let mut control = Control::connect(&options, PATIENCE).await.expect("comes in");
        let rows = control.query("SELECT 1, NULL, '', 'ä'").await.expect("answers");
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(rows, [[text("1"), None, text(""), text("ä")]]);
        assert_eq!(control.query("DO 1").await.expect("answers"), Vec::<Vec<_>>::new());
        let error = control.query("SELECT * FROM nowhere.nothing").await.expect_err("fails");
        assert!(matches!(error, UpstreamError::Server(_)), "{error}");
        // It reads only.
        let write = control.query("UPDATE shop.orders SET note = 'x' LIMIT 1").await;
        assert!(write.expect_err("fails").to_string().contains("[1792]"));
        for length in [250, 70_000, (1 << 24) - 5, (1 << 24) - 4, (1 << 24) + 10, 1 << 25] {
            let rows = control.query(&format!("SELECT repeat('x', {length}), 7")).await;
            let rows = rows.expect("answers");
            assert_eq!(rows[0][0].as_ref().map(String::len), Some(length), "{family:?}");
            assert_eq!(rows[0][1].as_deref(), Some("7"));
        }
        assert!(control.is_ready());
        let rows = control.query("SELECT CONNECTION_ID()").await.expect("answers");
        assert_eq!(rows[0][0], Some(control.connection().to_string()));
        // Somebody else ends it.
        server.sql(&format!("KILL {}", control.connection()));
        control.query("SELECT 1").await.expect_err("it is gone");
        assert!(!control.is_ready());
    }
}

#[test]
fn programs_of_both_servers_are_there() {
    for family in Family::ALL {
        for program in ["client", "dump"] {
            let told = Command::new(family.program(program)).arg("--version").output();
            assert!(told.expect("starts").status.success(), "{family:?} {program}");
        }
    }
}
