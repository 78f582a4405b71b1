//! The audit table: the trail's segments, indexed into SQL for people to ask.
//!
//! Floor 3. The trail stays the source of truth: the table is made from it, can be dropped and made
//! again ([`Index::rebuild`]), and holds nothing the trail doesn't. By default it is an embedded
//! SQLite file, `audit.db`; several gateways share one on Postgres. Any process may index, also
//! several at once: the position of each lane is kept in the same transaction as the rows.
//!
//! Five questions, for `sqlite3 hallpass-data/audit.db` as for `psql`; `audit` has one row for each
//! statement and event, with its outcome merged in:
//!
//! ```sql
//! -- What did alice do on shop today?
//! SELECT time, class, decision, ended, rows, statement FROM audit
//!  WHERE principal = 'alice' AND target = 'shop' AND time >= '2026-11-23' ORDER BY time;
//! -- Who saw rows of customers, and on whose word?
//! SELECT time, principal, rows, grants, approver, reason FROM who_saw
//!  WHERE relation = 'public.customers' ORDER BY time;
//! -- What was refused, and what was missing?
//! SELECT time, principal, target, missing, statement FROM denied ORDER BY time DESC LIMIT 20;
//! -- What came of each grant?
//! SELECT * FROM grants_used ORDER BY last_used DESC;
//! -- What was changed past the gateway, straight on the store?
//! SELECT time, actor, kind, body FROM direct_changes ORDER BY time;
//! ```

mod batch;
mod pace;
mod query;
mod record;
mod schema;
#[cfg(test)]
mod tests;
mod write;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{
    PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{
        SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions,
        SqliteSynchronous,
    },
};

use crate::{
    kernel::{secret::Secret, time::Timestamp},
    trail::{Clock, segment},
};

pub use query::{COLUMNS, Filter};

use batch::Position;

/// Where the table is.
#[derive(Clone, Debug)]
pub enum Place {
    /// An SQLite file of our own.
    Sqlite(PathBuf),
    /// A Postgres database, by its URL.
    Postgres(Secret),
}

/// How the table is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// The trail's folder.
    pub trail: PathBuf,
    /// Where the table is.
    pub place: Place,
    /// Records older than this are deleted, in whole days.
    pub keep: Option<Duration>,
    /// The oldest days are deleted until the records of the rest were this long, in bytes of trail.
    pub quota_bytes: Option<u64>,
    /// Indexing pauses while the disk of an SQLite file has less room than this, so that the table
    /// stops before the trail does.
    pub reserve_bytes: u64,
}

/// 256 MiB.
pub const RESERVE_BYTES: u64 = 256 << 20;

impl Options {
    /// Nothing deleted, 256 MiB left to the trail.
    pub fn new(trail: impl Into<PathBuf>, place: Place) -> Self {
        let trail = trail.into();
        Self { trail, place, keep: None, quota_bytes: None, reserve_bytes: RESERVE_BYTES }
    }
}

/// Why the table can't be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Its database says no.
    #[error("the audit table's database: {0}")]
    Database(#[from] sqlx::Error),
    /// The trail can't be read.
    #[error("the trail in {} can't be read", dir.display())]
    Trail {
        /// Its folder.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The trail isn't the one that was indexed.
    #[error(
        "lane {lane} of the trail does not reach as far as the audit table, which was made from \
         another one: verify the trail, then rebuild the table"
    )]
    OtherTrail {
        /// Which lane.
        lane: u16,
    },
    /// A newer gateway made it.
    #[error("the audit table has schema version {found}, this program knows {known}")]
    NewerSchema {
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The disk is nearly full.
    #[error("indexing pauses: less than {reserve} bytes are free, and they are the trail's")]
    DiskNearlyFull {
        /// What is left to the trail.
        reserve: u64,
    },
}

/// The audit table.
pub struct Index {
    options: Options,
    database: Database,
    /// As last read or written, for [`Index::lag`].
    positions: Mutex<BTreeMap<u16, Position>>,
}

/// How far the table is behind the trail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lag {
    /// In bytes of trail.
    pub bytes: u64,
}

/// Whether indexing gives way to statements.
#[derive(Clone, Copy)]
enum Pace {
    /// Somebody waits for it.
    AtOnce,
    /// It rests after each batch.
    GivingWay,
}

#[derive(Clone)]
enum Database {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Index {
    /// Opens the table, makes it if it isn't there.
    ///
    /// # Errors
    /// [`IndexError::Database`] or [`IndexError::NewerSchema`].
    pub async fn open(options: Options) -> Result<Self, IndexError> {
        let database = match &options.place {
            Place::Sqlite(file) => Database::Sqlite(open_sqlite(file).await?),
            Place::Postgres(url) => Database::Postgres(open_postgres(url).await?),
        };
        schema::create(&database).await?;
        Ok(Self { options, database, positions: Mutex::default() })
    }

    /// Indexes for as long as the gateway runs: whatever is new, several times a second; what is
    /// too old, once an hour. Errors are logged and tried again. Safe to cancel.
    pub async fn run(&self, clock: Clock) {
        let mut failing = false;
        let mut next_prune = Timestamp::default();
        loop {
            let mut result = self.catch_up_at(Pace::GivingWay).await;
            let now = clock();
            if result.is_ok() && now >= next_prune {
                next_prune = now.plus(PRUNE_INTERVAL);
                result = self.prune(now).await;
            }
            match &result {
                Err(error) if !failing => tracing::error!(%error, "the audit table falls behind"),
                Ok(()) if failing => tracing::info!("the audit table catches up again"),
                Ok(()) | Err(_) => {}
            }
            failing = result.is_err();
            tokio::time::sleep(if failing { RETRY_INTERVAL } else { POLL_INTERVAL }).await;
        }
    }

    /// Indexes everything that is on the trail now.
    ///
    /// # Errors
    /// [`IndexError`]; what was indexed before it stays.
    pub async fn catch_up(&self) -> Result<(), IndexError> {
        self.catch_up_at(Pace::AtOnce).await
    }

    async fn catch_up_at(&self, pace: Pace) -> Result<(), IndexError> {
        let mut started = BTreeMap::new();
        let mut quiet = matches!(pace, Pace::AtOnce);
        loop {
            let began = Instant::now();
            self.check_room()?;
            let positions = self.load_positions().await?;
            let most = if quiet { batch::MOST } else { batch::BESIDE_WORK };
            let batch = batch::read(self.options.trail.clone(), positions, most).await?;
            started.extend(batch.started.clone());
            if batch.is_empty() {
                break;
            }
            // Another process may have been faster; then what it left is read.
            self.write(batch).await?;
            match pace {
                Pace::AtOnce => {}
                Pace::GivingWay => {
                    quiet = pace::rest(began.elapsed(), || self.trail_length()).await;
                }
            }
        }
        for (node, time) in started {
            self.close_unknown(&node, &time).await?;
        }
        Ok(())
    }

    /// In bytes, of all segments there are.
    fn trail_length(&self) -> u64 {
        let lanes = segment::list(&self.options.trail).unwrap_or_default();
        let length = |s: &segment::Segment| std::fs::metadata(&s.path).map_or(0, |m| m.len());
        lanes.values().flatten().map(length).sum()
    }

    /// How far the table is behind the trail.
    pub fn lag(&self) -> Lag {
        let positions = self.positions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Ok(lanes) = segment::list(&self.options.trail) else { return Lag::default() };
        let mut bytes = 0;
        for segment in lanes.values().flatten() {
            let size = std::fs::metadata(&segment.path).map_or(0, |m| m.len());
            bytes += match positions.get(&segment.lane) {
                Some(p) if p.segment > segment.first => 0,
                Some(p) if p.segment == segment.first => size.saturating_sub(p.bytes),
                Some(_) | None => size,
            };
        }
        Lag { bytes }
    }

    /// Empties the table and makes it again from the trail.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn rebuild(&self) -> Result<(), IndexError> {
        schema::empty(&self.database).await?;
        self.catch_up().await
    }

    /// Closes the connections.
    pub async fn close(&self) {
        match &self.database {
            Database::Sqlite(pool) => pool.close().await,
            Database::Postgres(pool) => pool.close().await,
        }
    }

    fn check_room(&self) -> Result<(), IndexError> {
        let Place::Sqlite(file) = &self.options.place else { return Ok(()) };
        let reserve = self.options.reserve_bytes;
        // Where the room can't be asked for, indexing goes on: the trail has its own check.
        let Ok(disk) = nix::sys::statvfs::statvfs(folder(file)) else { return Ok(()) };
        let free = u128::from(disk.blocks_available()) * u128::from(disk.fragment_size());
        if free < u128::from(reserve) {
            return Err(IndexError::DiskNearlyFull { reserve });
        }
        Ok(())
    }
}

async fn open_sqlite(file: &Path) -> Result<SqlitePool, IndexError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // The table can be made again; losing its last seconds in a power cut costs nothing.
        .synchronous(SqliteSynchronous::Normal)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .busy_timeout(Duration::from_secs(30));
    let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await?;
    // Statements and parameters are in it: for its owner only, as the trail is.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(file, mode).map_err(sqlx::Error::Io)?;
    Ok(pool)
}

async fn open_postgres(url: &Secret) -> Result<PgPool, IndexError> {
    let url = std::str::from_utf8(url.reveal())
        .map_err(|error| sqlx::Error::Configuration(Box::new(error)))?;
    let options = PgConnectOptions::from_str(url)?.application_name("hallpass audit");
    Ok(PgPoolOptions::new().max_connections(2).connect_with(options).await?)
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

const POLL_INTERVAL: Duration = Duration::from_millis(250);
const RETRY_INTERVAL: Duration = Duration::from_secs(5);
const PRUNE_INTERVAL: Duration = Duration::from_secs(3600);
