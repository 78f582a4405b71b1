//! psql logs in to the gateway's side of a log-in.

use std::{process::Output, sync::Arc, time::Duration};

use hallpass::{
    kernel::{secret::Secret, sql::charset::ClientText},
    net::{
        Listener, ListenerOptions, Permits, Stream,
        tls::{ServerTls, ServerTlsOptions},
    },
    session::{
        doorstep::TlsPolicy,
        login::{Claim, LoginError, authenticate},
        pg::startup::{Negotiated, negotiate},
    },
    wire::pg::{
        Format,
        backend::{self, TransactionStatus},
        scram::{Credentials, ITERATIONS, Keys, MockSecret, SALT_LENGTH},
    },
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::server::program;

const PATIENCE: Duration = Duration::from_secs(30);

/// Serves one client: logs `alice` in, answers whatever she asks with how she came, and leaves.
async fn serve(stream: Stream, policy: &TlsPolicy) -> Result<(), LoginError> {
    let Negotiated::Session(secured) = negotiate(stream, policy, PATIENCE).await? else {
        return Ok(());
    };
    let user = secured.startup.parameter("user").unwrap_or_default().to_vec();
    let user = String::from_utf8(user).expect("is text");
    let salt = vec![5; SALT_LENGTH];
    let verifier = |text: &str| Keys::derive(&Secret::new(text), &salt, ITERATIONS).verifier();
    let verifiers = vec![verifier("old-secret"), verifier("new-secret")];
    let known = Credentials { salt: salt.clone(), iterations: ITERATIONS, verifiers };
    let mock = MockSecret::new(Secret::new([1; 32]));
    let claim = Claim { user: &user, credentials: (user == "alice").then_some(known), mock: &mock };
    let identified =
        authenticate(secured.stream, &secured.startup, secured.leftover, claim, PATIENCE).await?;
    let mut stream = identified.stream;
    let mut out = identified.reply;
    backend::parameter_status(&mut out, b"server_version", b"15.18");
    backend::parameter_status(&mut out, b"client_encoding", b"UTF8");
    backend::backend_key_data(&mut out, 1, &[1; 4]);
    backend::ready_for_query(&mut out, TransactionStatus::Idle);
    stream.write_all(&out).await?;
    stream.flush().await?;
    let _ = stream.read(&mut [0; 1024]).await?;
    out.clear();
    let how = format!("{} {}", identified.matched, stream.is_tls());
    let columns = [backend::OwnColumn { name: "how", type_oid: 25, format: Format::Text }];
    backend::row_description(&mut out, &columns, ClientText::UTF8);
    backend::data_row(&mut out, &[Some(how.as_bytes())]);
    backend::command_complete(&mut out, "SELECT 1");
    backend::ready_for_query(&mut out, TransactionStatus::Idle);
    stream.write_all(&out).await?;
    stream.flush().await?;
    let _ = stream.read(&mut [0; 1024]).await;
    Ok(())
}

/// What psql prints when it connects like that.
async fn psql(policy: TlsPolicy, connection: &str, password: &str) -> Output {
    let options = ListenerOptions::new("127.0.0.1:0");
    let listener = Listener::bind(&options, Permits::new(10)).await.expect("binds");
    let port =
        listener.address().expect("has one").rsplit_once(':').expect("has a port").1.to_owned();
    let serving = tokio::spawn(async move {
        loop {
            let accepted = listener.accept().await;
            let _ = serve(accepted.stream, &policy).await;
        }
    });
    let mut command = program("psql");
    command
        .env("PGPASSWORD", password)
        .env("PGCONNECT_TIMEOUT", "10")
        .args(["-XAt", "-c", "SELECT 1", "-d"])
        .arg(format!("host=localhost hostaddr=127.0.0.1 port={port} dbname=shop {connection}"));
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    serving.abort();
    output.expect("runs").expect("runs psql")
}

fn tls() -> Arc<ServerTls> {
    let folder = tempfile::tempdir().expect("makes a folder");
    let options = ServerTlsOptions { certificate: None, data_dir: folder.path().to_owned() };
    Arc::new(ServerTls::open(options).expect("opens"))
}

fn said(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(both).expect("is text")
}

#[tokio::test]
async fn psql_logs_in_with_any_of_her_passwords() {
    for (connection, password, wanted) in [
        ("user=alice sslmode=disable", "old-secret", "0 false\n"),
        ("user=alice sslmode=disable", "new-secret", "1 false\n"),
        ("user=alice sslmode=require", "new-secret", "1 true\n"),
        ("user=alice sslmode=require channel_binding=require", "new-secret", "1 true\n"),
        ("user=alice sslmode=require channel_binding=disable", "new-secret", "1 true\n"),
    ] {
        let output = psql(TlsPolicy::Prefer(tls()), connection, password).await;
        assert_eq!(said(&output), wanted, "{connection}");
    }
}

#[tokio::test]
async fn psql_is_told_the_same_whether_the_name_or_the_password_is_wrong() {
    for user in ["alice", "nobody"] {
        let connection = format!("user={user} sslmode=disable");
        let output = psql(TlsPolicy::Disable, &connection, "wrong").await;
        let wanted = format!("FATAL:  password authentication failed for user \"{user}\"");
        assert!(said(&output).contains(&wanted), "{}", said(&output));
    }
}

#[tokio::test]
async fn psql_without_tls_is_told_that_it_is_required() {
    let output = psql(TlsPolicy::Require(tls()), "user=alice sslmode=disable", "new-secret").await;
    assert!(said(&output).contains("over TLS only"), "{}", said(&output));
}

#[tokio::test]
async fn psql_goes_without_tls_where_there_is_none() {
    let output = psql(TlsPolicy::Disable, "user=alice sslmode=prefer", "old-secret").await;
    assert_eq!(said(&output), "0 false\n");
}
