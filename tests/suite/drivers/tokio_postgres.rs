//! tokio-postgres: pipelining by joined futures, COPY, cancel, portals, notices.

use std::time::Duration;

use tokio_postgres::{AsyncMessage, Client, NoTls, error::SqlState};

use crate::support::{Gateway, Postgres};

async fn connect(dsn: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(dsn, NoTls).await.expect("connects");
    tokio::spawn(connection);
    client
}

async fn everything(dsn: &str) {
    let mut client = connect(dsn).await;
    let row = client.query_one("SELECT count(*) FROM orders", &[]).await.expect("counts");
    assert_eq!(row.get::<_, i64>(0), 6000);
    assert_eq!(client.simple_query("SELECT 1; SELECT 2").await.expect("simple").len(), 6);

    // Pipelined: all are sent before the first answer is read.
    let statement = client.prepare("SELECT id FROM orders WHERE id = $1").await.expect("prepares");
    let mut waiting = tokio::task::JoinSet::new();
    let client_ref = std::sync::Arc::new(connect(dsn).await);
    for id in 1..100_i64 {
        let client = std::sync::Arc::clone(&client_ref);
        waiting.spawn(async move {
            let row = client.query_one("SELECT $1::int8 + 1", &[&id]).await.expect("adds");
            assert_eq!(row.get::<_, i64>(0), id + 1);
        });
    }
    while let Some(done) = waiting.join_next().await {
        done.expect("no panic");
    }
    let row = client.query_one(&statement, &[&7_i64]).await.expect("runs");
    assert_eq!(row.get::<_, i64>(0), 7);

    // Transactions, portals, errors.
    let transaction = client.transaction().await.expect("begins");
    transaction.execute("UPDATE customers SET city = 'X' WHERE id = 1", &[]).await.expect("writes");
    let portal = transaction.bind("SELECT id FROM orders ORDER BY id", &[]).await.expect("binds");
    for _ in 0..3 {
        assert_eq!(transaction.query_portal(&portal, 10).await.expect("fetches").len(), 10);
    }
    let error = transaction.query("SELECT 1/0", &[]).await.expect_err("fails");
    assert_eq!(error.code(), Some(&SqlState::DIVISION_BY_ZERO));
    transaction.rollback().await.expect("rolls back");
    let row =
        client.query_one("SELECT city FROM customers WHERE id = 1", &[]).await.expect("reads");
    assert_ne!(row.get::<_, &str>(0), "X");

    // Cancel.
    let token = client.cancel_token();
    let sleeping = client.query("SELECT pg_sleep(30)", &[]);
    let cancelling = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        token.cancel_query(NoTls).await.expect("asks");
    };
    let (slept, ()) = tokio::join!(sleeping, cancelling);
    assert_eq!(slept.expect_err("cancelled").code(), Some(&SqlState::QUERY_CANCELED));
    let payments = client.query("SELECT * FROM payments", &[]).await.expect("a lot");
    assert!(payments.len() > 1000);
}

async fn notifications(dsn: &str) {
    let (client, mut connection) = tokio_postgres::connect(dsn, NoTls).await.expect("connects");
    let (sender, mut heard) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) =
            std::future::poll_fn(|context| connection.poll_message(context)).await
        {
            if let AsyncMessage::Notification(n) = message {
                drop(sender.send(n.payload().to_owned()));
            }
        }
    });
    client.batch_execute("LISTEN here; NOTIFY here, 'news'").await.expect("notifies");
    let payload = tokio::time::timeout(Duration::from_secs(10), heard.recv()).await;
    assert_eq!(payload.expect("in time").as_deref(), Some("news"));
}

#[tokio::test]
async fn tokio_postgres_with_the_bare_server() {
    let server = Postgres::start();
    everything(&server.upstream_dsn()).await;
    notifications(&server.upstream_dsn()).await;
}

#[tokio::test]
async fn tokio_postgres_through_the_gateway() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    everything(&gateway.dsn("alice", &secret)).await;
    notifications(&gateway.dsn("alice", &secret)).await;
}

#[tokio::test]
async fn who_looks_for_a_server_to_write_to_comes_in_without_any_grant() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.principal("alice", "developer");
    let dsn = format!("{}?target_session_attrs=read-write", gateway.dsn("alice", &secret));
    let (client, connection) = tokio_postgres::connect(&dsn, NoTls).await.expect("connects");
    tokio::spawn(connection);
    client.simple_query("SELECT 1").await.expect("answers");
}
