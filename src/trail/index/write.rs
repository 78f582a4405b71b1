//! Writes what was read, with the position it was read up to, in one transaction.

use std::collections::{BTreeMap, HashMap};

use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _, Sqlite, SqliteConnection};

use crate::{
    kernel::time::Timestamp,
    trail::index::{
        Database, Index, IndexError,
        batch::{Batch, Position},
        record::{Outcome, Row, Session},
    },
};

impl Index {
    /// How far each lane of this trail is indexed.
    pub(super) async fn load_positions(&self) -> Result<BTreeMap<u16, Position>, IndexError> {
        let node = self.node().await?;
        let positions = match &self.database {
            Database::Sqlite(pool) => {
                let mut connection = pool.acquire().await?;
                sqlite::positions(&mut connection, &node).await?
            }
            Database::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                postgres::positions(&mut connection, &node).await?
            }
        };
        self.remember(&positions);
        Ok(positions)
    }

    /// Writes a batch, unless another process has written these records already.
    pub(super) async fn write(&self, batch: Batch) -> Result<(), IndexError> {
        let node = self.node().await?;
        let written = match &self.database {
            Database::Sqlite(pool) => {
                let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
                let written = sqlite::write(&mut tx, &node, &batch).await?;
                tx.commit().await?;
                written
            }
            Database::Postgres(pool) => {
                let mut tx = pool.begin().await?;
                // One writer at a time for each node; the key is "hpaudit" in ASCII.
                sqlx::query("SELECT pg_advisory_xact_lock(29396926706215284 # hashtext($1))")
                    .bind(&node)
                    .execute(&mut *tx)
                    .await?;
                let written = postgres::write(&mut tx, &node, &batch).await?;
                tx.commit().await?;
                written
            }
        };
        if written {
            self.remember(&batch.to);
        }
        Ok(())
    }

    /// Statements that were open when their gateway started anew: nobody knows how they ended.
    pub(super) async fn close_unknown(&self, node: &str, time: &str) -> Result<(), IndexError> {
        match &self.database {
            Database::Sqlite(pool) => {
                let sql = "UPDATE audit_record SET ended = 'unknown' WHERE node = $1 AND time < $2 \
                     AND ended IS NULL AND statement IS NOT NULL";
                sqlx::query(sql).bind(node).bind(time).execute(pool).await?;
            }
            Database::Postgres(pool) => {
                let sql = "UPDATE audit_record SET ended = 'unknown' WHERE node = $1 \
                     AND time < $2::timestamptz AND ended IS NULL AND statement IS NOT NULL";
                sqlx::query(sql).bind(node).bind(time).execute(pool).await?;
            }
        }
        Ok(())
    }

    /// Deletes the oldest whole days: those that are over `keep`, then those over the quota.
    ///
    /// # Errors
    /// [`IndexError::Database`].
    pub async fn prune(&self, now: Timestamp) -> Result<(), IndexError> {
        let days: Vec<(String, i64)> = match &self.database {
            Database::Sqlite(pool) => sqlx::query_as(DAYS).fetch_all(pool).await?,
            Database::Postgres(pool) => sqlx::query_as(DAYS).fetch_all(pool).await?,
        };
        let oldest = self.options.keep.map(|keep| {
            let micros = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
            let (year, month, day) = Timestamp(now.0.saturating_sub(micros)).date();
            format!("{year:04}-{month:02}-{day:02}")
        });
        let mut bytes: u64 = 0;
        let mut first_kept = None;
        // From the youngest on. The youngest stays whatever its size: it is still being written.
        for (day, size) in days.iter().rev() {
            bytes = bytes.saturating_add(u64::try_from(*size).unwrap_or(0));
            let full = self.options.quota_bytes.is_some_and(|quota| bytes > quota);
            let old = oldest.as_ref().is_some_and(|oldest| day < oldest);
            if first_kept.is_some() && (full || old) {
                break;
            }
            first_kept = Some(day);
        }
        let Some(first_kept) = first_kept else { return Ok(()) };
        if days.first().is_some_and(|(day, _)| day < first_kept) {
            tracing::info!(before = first_kept, "deleting the oldest days of the audit table");
            self.delete_before(first_kept).await?;
        }
        Ok(())
    }

    async fn delete_before(&self, day: &str) -> Result<(), IndexError> {
        match &self.database {
            Database::Sqlite(pool) => {
                let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
                for sql in ["DELETE FROM audit_record WHERE time < $1"].iter().chain(&DELETE) {
                    sqlx::query(*sql).bind(day).execute(&mut *tx).await?;
                }
                tx.commit().await?;
                sqlx::query("PRAGMA incremental_vacuum").execute(pool).await?;
            }
            Database::Postgres(pool) => {
                let mut tx = pool.begin().await?;
                let records =
                    "DELETE FROM audit_record WHERE time < ($1 || 'T00:00:00Z')::timestamptz";
                for sql in [records].iter().chain(&DELETE) {
                    sqlx::query(*sql).bind(day).execute(&mut *tx).await?;
                }
                tx.commit().await?;
            }
        }
        Ok(())
    }

    fn remember(&self, positions: &BTreeMap<u16, Position>) {
        let mut known = self.positions.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.clone_from(positions);
    }
}

/// Both databases have the same statements but for casts; this writes them once.
macro_rules! writer {
    ($module:ident, $driver:ty, $connection:ty, $time:literal) => {
        mod $module {
            use super::*;

            pub(super) async fn positions(
                connection: &mut $connection,
                node: &str,
            ) -> Result<BTreeMap<u16, Position>, sqlx::Error> {
                let sql = "SELECT lane, segment, bytes FROM audit_position WHERE node = $1";
                let rows = sqlx::query(sql).bind(node).fetch_all(connection).await?;
                let mut positions = BTreeMap::new();
                for row in rows {
                    let number = |name| row.try_get::<i64, _>(name).map(|n| n as u64);
                    let position =
                        Position { segment: number("segment")?, bytes: number("bytes")? };
                    positions.insert(number("lane")? as u16, position);
                }
                Ok(positions)
            }

            pub(super) async fn write(
                connection: &mut $connection,
                node: &str,
                batch: &Batch,
            ) -> Result<bool, sqlx::Error> {
                if positions(&mut *connection, node).await? != batch.from {
                    return Ok(false);
                }
                texts(&mut *connection, &batch.rows).await?;
                for rows in batch.rows.chunks(ROWS) {
                    records(&mut *connection, rows).await?;
                }
                for row in &batch.rows {
                    if let Some(session) = &row.opens {
                        let day = day_of(&row.time);
                        open_session(&mut *connection, &row.node, day, session).await?;
                    }
                }
                for (node, end) in &batch.outcomes {
                    outcome(&mut *connection, node, end).await?;
                }
                for (node, transaction, statements) in &batch.settled {
                    for statement in statements {
                        let sql = "UPDATE audit_record SET transaction_end = $3 \
                             WHERE statement = $1 AND node = $2";
                        let query = sqlx::query(sql).bind(statement).bind(node).bind(transaction);
                        query.execute(&mut *connection).await?;
                    }
                }
                for (day, bytes) in &batch.days {
                    let sql = "INSERT INTO audit_day (day, bytes) VALUES ($1, $2) \
                         ON CONFLICT (day) DO UPDATE SET bytes = audit_day.bytes + excluded.bytes";
                    sqlx::query(sql).bind(day).bind(bytes).execute(&mut *connection).await?;
                }
                for (lane, position) in &batch.to {
                    let sql = "INSERT INTO audit_position (node, lane, segment, bytes) \
                         VALUES ($1, $2, $3, $4) ON CONFLICT (node, lane) DO UPDATE SET \
                         segment = excluded.segment, bytes = excluded.bytes";
                    let query = sqlx::query(sql).bind(node).bind(i64::from(*lane));
                    let query = query.bind(position.segment as i64).bind(position.bytes as i64);
                    query.execute(&mut *connection).await?;
                }
                Ok(true)
            }

            /// Every text once. `last_day` says until when it must be kept.
            async fn texts(connection: &mut $connection, rows: &[Row]) -> Result<(), sqlx::Error> {
                let mut texts = HashMap::new();
                for row in rows {
                    if let (Some(hash), Some(text)) = (&row.text_hash, &row.text) {
                        let (_, day) = texts.entry(hash).or_insert((text, ""));
                        *day = day_of(&row.time).max(day);
                    }
                }
                let texts: Vec<_> = texts.into_iter().collect();
                for texts in texts.chunks(ROWS) {
                    let mut insert = QueryBuilder::<$driver>::new(
                        "INSERT INTO audit_text (hash, text, last_day) ",
                    );
                    insert.push_values(texts, |mut values, (hash, (text, day))| {
                        values.push_bind(hash.as_str()).push_bind(text.as_str()).push_bind(*day);
                    });
                    insert.push(
                        " ON CONFLICT (hash) DO UPDATE SET last_day = excluded.last_day \
                         WHERE audit_text.last_day < excluded.last_day",
                    );
                    insert.build().execute(&mut *connection).await?;
                }
                Ok(())
            }

            async fn records(
                connection: &mut $connection,
                rows: &[Row],
            ) -> Result<(), sqlx::Error> {
                let mut insert = QueryBuilder::<$driver>::new(INSERT_RECORD);
                insert.push_values(rows, |mut values, row| {
                    let end = &row.outcome;
                    values
                        .push_bind(&row.node)
                        .push_bind(row.lane)
                        .push_bind(row.seq)
                        .push_bind(&row.time)
                        .push_unseparated($time)
                        .push_bind(&row.kind)
                        .push_bind(row.session)
                        .push_bind(row.statement)
                        .push_bind(&row.principal)
                        .push_bind(&row.target)
                        .push_bind(&row.class)
                        .push_bind(&row.decision)
                        .push_bind(&row.fingerprint)
                        .push_bind(&row.text_hash)
                        .push_bind(&row.parameters)
                        .push_bind(&row.relations)
                        .push_bind(&row.routines)
                        .push_bind(&row.missing)
                        .push_bind(&row.refusal)
                        .push_bind(&row.message)
                        .push_bind(&row.grants)
                        .push_bind(&row.actor)
                        .push_bind(row.direct)
                        .push_bind(&row.body)
                        .push_bind(&end.finished)
                        .push_unseparated($time)
                        .push_bind(&end.ended)
                        .push_bind(end.rows)
                        .push_bind(end.affected)
                        .push_bind(end.bytes)
                        .push_bind(&end.sqlstate)
                        .push_bind(end.policy_us)
                        .push_bind(end.upstream_us)
                        .push_bind(&row.transaction)
                        .push_bind(&row.masked)
                        .push_bind(&row.unmasked);
                });
                insert.push(" ON CONFLICT (node, lane, seq) DO NOTHING");
                insert.build().execute(connection).await?;
                Ok(())
            }

            async fn outcome(
                connection: &mut $connection,
                node: &str,
                end: &Outcome,
            ) -> Result<(), sqlx::Error> {
                let sql = concat!(
                    "UPDATE audit_record SET finished = $3",
                    $time,
                    ", ended = $4, rows = $5, affected = $6, bytes = $7, sqlstate = $8, \
                     policy_us = $9, upstream_us = $10, \
                     transaction_end = coalesce($11, transaction_end) WHERE statement = $1 AND node = $2"
                );
                sqlx::query(sql)
                    .bind(end.statement)
                    .bind(node)
                    .bind(&end.finished)
                    .bind(&end.ended)
                    .bind(end.rows)
                    .bind(end.affected)
                    .bind(end.bytes)
                    .bind(&end.sqlstate)
                    .bind(end.policy_us)
                    .bind(end.upstream_us)
                    .bind(&end.transaction)
                    .execute(connection)
                    .await?;
                Ok(())
            }

            async fn open_session(
                connection: &mut $connection,
                node: &str,
                day: &str,
                session: &Session,
            ) -> Result<(), sqlx::Error> {
                let sql = concat!(
                    "INSERT INTO audit_session (node, session, last_day, opened, closed, \
                     principal, roles, login, tls, client, application, target, upstream_user, \
                     backend, reason) VALUES ($1, $2, $3, $4",
                    $time,
                    ", $5",
                    $time,
                    ", $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
                     ON CONFLICT (node, session) DO UPDATE SET last_day = excluded.last_day, \
                     opened = coalesce(excluded.opened, audit_session.opened), \
                     closed = coalesce(excluded.closed, audit_session.closed), \
                     principal = coalesce(excluded.principal, audit_session.principal), \
                     roles = coalesce(excluded.roles, audit_session.roles), \
                     login = coalesce(excluded.login, audit_session.login), \
                     tls = coalesce(excluded.tls, audit_session.tls), \
                     client = coalesce(excluded.client, audit_session.client), \
                     application = coalesce(excluded.application, audit_session.application), \
                     target = coalesce(excluded.target, audit_session.target), \
                     upstream_user = coalesce(excluded.upstream_user, audit_session.upstream_user), \
                     backend = coalesce(excluded.backend, audit_session.backend), \
                     reason = coalesce(excluded.reason, audit_session.reason)"
                );
                sqlx::query(sql)
                    .bind(node)
                    .bind(session.session)
                    .bind(day)
                    .bind(&session.opened)
                    .bind(&session.closed)
                    .bind(&session.principal)
                    .bind(&session.roles)
                    .bind(&session.login)
                    .bind(&session.tls)
                    .bind(&session.client)
                    .bind(&session.application)
                    .bind(&session.target)
                    .bind(&session.upstream_user)
                    .bind(session.backend)
                    .bind(&session.reason)
                    .execute(connection)
                    .await?;
                Ok(())
            }
        }
    };
}

writer!(sqlite, Sqlite, SqliteConnection, "");
writer!(postgres, Postgres, PgConnection, "::timestamptz");

fn day_of(time: &str) -> &str {
    time.get(..10).unwrap_or_default()
}

/// Rows of one INSERT: below the most parameters that either database takes.
const ROWS: usize = 500;

const INSERT_RECORD: &str = "INSERT INTO audit_record (node, lane, seq, time, kind, session, \
     statement, principal, target, class, decision, fingerprint, text_hash, parameters, relations, \
     routines, missing, refusal, message, grants, actor, direct, body, finished, ended, rows, \
     affected, bytes, sqlstate, policy_us, upstream_us, transaction_end, masked, unmasked) ";

const DAYS: &str = "SELECT day, bytes FROM audit_day ORDER BY day";

const DELETE: [&str; 3] = [
    "DELETE FROM audit_text WHERE last_day < $1",
    "DELETE FROM audit_session WHERE last_day < $1 AND closed IS NOT NULL",
    "DELETE FROM audit_day WHERE day < $1",
];
