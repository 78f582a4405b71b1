//! sqlx: a pool, prepared statements with its cache, transactions, COPY, LISTEN.

use sqlx::{
    Connection as _, Executor as _, Row as _,
    postgres::{PgConnection, PgListener, PgPoolOptions},
};

use crate::support::{Gateway, Postgres};

async fn everything(dsn: &str) {
    let pool = PgPoolOptions::new().max_connections(4).connect(dsn).await.expect("connects");
    for id in 1..200_i64 {
        let row = sqlx::query("SELECT id, total::text FROM orders WHERE id = $1")
            .bind(id)
            .fetch_one(&pool)
            .await
            .expect("reads");
        assert_eq!(row.get::<i64, _>(0), id);
    }
    let several = pool.fetch_all("SELECT 1; SELECT 2").await.expect("simple");
    assert_eq!(several.len(), 2);

    let mut transaction = pool.begin().await.expect("begins");
    sqlx::query("UPDATE customers SET city = $1 WHERE id = 1")
        .bind("X")
        .execute(&mut *transaction)
        .await
        .expect("writes");
    let failed = sqlx::query("SELECT 1/0").execute(&mut *transaction).await.expect_err("fails");
    let code = failed.as_database_error().and_then(|e| e.code().map(std::borrow::Cow::into_owned));
    assert_eq!(code.as_deref(), Some("22012"));
    transaction.rollback().await.expect("rolls back");
    let city: String = sqlx::query_scalar("SELECT city FROM customers WHERE id = 1")
        .fetch_one(&pool)
        .await
        .expect("reads");
    assert_ne!(city, "X");

    let mut one = PgConnection::connect(dsn).await.expect("connects");
    one.execute("CREATE TEMP TABLE lines (n int, t text)").await.expect("creates");
    let mut copy = one.copy_in_raw("COPY lines FROM STDIN").await.expect("copies");
    copy.send(b"1\tone\n2\ttwo\n".as_slice()).await.expect("sends");
    assert_eq!(copy.finish().await.expect("ends"), 2);
    one.close().await.expect("closes");

    let mut listener = PgListener::connect(dsn).await.expect("connects");
    listener.listen("here").await.expect("listens");
    sqlx::query("SELECT pg_notify('here', 'news')").execute(&pool).await.expect("notifies");
    assert_eq!(listener.recv().await.expect("hears").payload(), "news");
    pool.close().await;
}

#[tokio::test]
async fn sqlx_with_the_bare_server() {
    let server = Postgres::start();
    everything(&server.upstream_dsn()).await;
}

#[tokio::test]
async fn sqlx_through_the_gateway() {
    let server = Postgres::start();
    let gateway = Gateway::start(&server);
    let secret = gateway.almighty("alice");
    everything(&gateway.dsn("alice", &secret)).await;
}
