//! Waking up when any process has changed the store.

use std::time::Duration;

use sqlx::{ConnectOptions, Connection, SqliteConnection, postgres::PgListener};

use crate::store::{
    Backend, Error, Store,
    db::{Database, values},
    sqlite_options,
};

/// SQLite has no notice between processes: a counter of the file is read, which costs microseconds.
const POLL: Duration = Duration::from_millis(200);
/// Behind LISTEN, for a notice that was lost with a connection.
const POLL_BEHIND_LISTEN: Duration = Duration::from_secs(1);

/// Wakes up when the store has changed.
pub struct Watch {
    store: Store,
    source: Source,
    /// The `change` counter as last seen.
    version: u64,
}

enum Source {
    /// `data_version` tells of commits by other connections, so this one does nothing else.
    Sqlite {
        connection: SqliteConnection,
        data_version: i64,
    },
    Postgres(PgListener),
}

impl Store {
    /// Begins to watch; whatever happens from here on is noticed.
    pub async fn watch(&self) -> Result<Watch, Error> {
        let source = match (&self.database, &self.backend) {
            (Database::Postgres(pool), _) => {
                let mut listener = PgListener::connect_with(pool).await?;
                listener.listen("hallpass_change").await?;
                Source::Postgres(listener)
            }
            (Database::Sqlite(..), Backend::Sqlite(path)) => {
                let mut connection = sqlite_options(path).connect().await?;
                let data_version = data_version(&mut connection).await?;
                Source::Sqlite { connection, data_version }
            }
            (Database::Sqlite(..), Backend::Postgres(_)) => {
                return Err(Error::corrupt("an embedded store without a file"));
            }
        };
        let version = self.change_counter().await?;
        Ok(Watch { store: self.clone(), source, version })
    }

    /// The `change` counter now: higher than a snapshot's version if something happened since.
    pub async fn version(&self) -> Result<u64, Error> {
        self.change_counter().await
    }

    async fn change_counter(&self) -> Result<u64, Error> {
        let sql = "SELECT value FROM counters WHERE name = 'change'";
        let rows = self.database.rows(sql, values![]).await?;
        rows.first().ok_or_else(|| Error::corrupt("no counter change"))?.count("value")
    }
}

impl Watch {
    /// Waits for the next change and returns the counter. Changes that came in between count as
    /// one. May be dropped at any time; the next call notices what was missed.
    ///
    /// # Errors
    /// The store can't be reached; call again after a pause.
    pub async fn changed(&mut self) -> Result<u64, Error> {
        loop {
            // The counter first: a call that was dropped may have waited for it already.
            let version = self.store.change_counter().await?;
            if version != self.version {
                self.version = version;
                return Ok(version);
            }
            self.wait().await?;
        }
    }

    /// Waits until there is reason to read the counter.
    async fn wait(&mut self) -> Result<(), Error> {
        match &mut self.source {
            Source::Sqlite { connection, data_version: seen } => loop {
                tokio::time::sleep(POLL).await;
                let now = data_version(connection).await?;
                if now != *seen {
                    *seen = now;
                    return Ok(());
                }
            },
            Source::Postgres(listener) => {
                match tokio::time::timeout(POLL_BEHIND_LISTEN, listener.recv()).await {
                    Ok(Ok(_)) | Err(_) => Ok(()),
                    Ok(Err(error)) => Err(error.into()),
                }
            }
        }
    }

    /// Closes the connection it watches with.
    pub async fn close(self) {
        if let Source::Sqlite { connection, .. } = self.source {
            // Nothing was written on it; an error here has nobody to tell.
            drop(connection.close().await);
        }
    }
}

async fn data_version(connection: &mut SqliteConnection) -> Result<i64, Error> {
    Ok(sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await?)
}
