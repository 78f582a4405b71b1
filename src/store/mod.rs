//! The gateway's own state: principals and their verifiers, requests, grants, and what several
//! gateways and the command line tell each other. Floor 3; one schema on SQLite or Postgres.
//!
//! Every act is one transaction that raises the `change` counter first (which puts all acts in one
//! order, on every machine that shares the store), does its work under the rules, and leaves an
//! event in the outbox. A gateway appends the events to its trail before it lets the change take
//! effect: a [`AccessSnapshot`] carries those that were still unrecorded when it was read.
//!
//! Time never runs back: an act happens at the highest time any node has seen, or later. Only a person
//! may set it right, while no gateway serves ([`Store::set_time_right`]).

mod actor;
mod checkpoints;
mod correction;
mod db;
mod error;
mod floor;
mod grants;
mod greetings;
mod leavings;
mod masks;
mod outbox;
mod principals;
mod requests;
mod schema;
mod sessions;
mod snapshot;
mod watch;

use std::{
    net::IpAddr,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown},
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use sqlx::{
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};

pub use crate::store::{
    actor::Actor,
    checkpoints::NodeKey,
    correction::TimeCorrection,
    error::{Error, state_name, status_name},
    grants::NewGrant,
    greetings::KnownGreeting,
    leavings::{Baseline, Leavings},
    masks::{
        MASK_RULES_MAX, MaskChange, MaskChanges, MaskPlace, MaskVersion, Masks, mask_rule_twice,
    },
    outbox::OutboxEvent,
    principals::{PrincipalInfo, SecretInfo},
    requests::{Approval, NewRequest},
    schema::Schema,
    sessions::{Kill, SessionBeat, SessionInfo},
    snapshot::{AccessSnapshot, PrincipalState},
    watch::Watch,
};
use crate::{
    kernel::{access::Role, ids::TargetName, time::Timestamp},
    store::{
        db::{Database, values},
        floor::Floor,
    },
};

/// Where the store is.
#[derive(Clone, Debug)]
pub enum Backend {
    /// An SQLite file, made with its folder if it isn't there.
    Sqlite(PathBuf),
    /// A Postgres database by its URL.
    Postgres(String),
}

impl Backend {
    /// True if it is reached over a network without checking who answers: whoever sits between
    /// could read it and answer in its place. A URL that can't be read counts, too.
    pub fn is_unverified(&self) -> bool {
        let Self::Postgres(url) = self else { return false };
        let Ok(options) = PgConnectOptions::from_str(url) else { return true };
        let host = options.get_host();
        let local = options.get_socket().is_some()
            || host.starts_with('/')
            || host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        !local && !matches!(options.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull)
    }
}

/// What the settings say about who may do what. Replaced whole on reload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules {
    /// All roles.
    pub roles: Vec<Role>,
    /// All targets' names.
    pub targets: Vec<TargetName>,
    /// The longest a grant may last.
    pub max_duration: Duration,
    /// The row budget of a grant that doesn't say.
    pub row_budget: u64,
    /// After how long an unanswered request goes stale.
    pub request_expires: Duration,
    /// New secrets can be proven by mysql_native_password.
    pub native_passwords: bool,
}

/// The open store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
    backend: Backend,
    rules: Arc<ArcSwap<Rules>>,
    floor: Arc<Floor>,
}

impl Store {
    /// Opens the store, makes it if it isn't there, and brings its schema up to date.
    ///
    /// # Errors
    /// The file or server can't be reached, or was written by a newer version.
    pub async fn open(backend: Backend, rules: Rules) -> Result<Self, Error> {
        if let Backend::Sqlite(path) = &backend {
            make_private(path)?;
        }
        let database = connect(&backend, false).await?;
        schema::migrate(&database).await?;
        let rules = Arc::new(ArcSwap::from_pointee(rules));
        Ok(Self { database, backend, rules, floor: Arc::default() })
    }

    /// Looks at the schema of a store without touching it; a file that isn't there stays so.
    ///
    /// # Errors
    /// The file or server can't be reached.
    pub async fn schema(backend: &Backend) -> Result<Schema, Error> {
        if let Backend::Sqlite(path) = backend
            && !path.exists()
        {
            return Ok(Schema::None);
        }
        let database = connect(backend, true).await?;
        let schema = schema::look(&database).await;
        database.close().await;
        schema
    }

    /// The latest time that any node has noted, without touching the store; `None` if there is none yet.
    ///
    /// # Errors
    /// The file or server can't be reached.
    pub async fn time_seen(backend: &Backend) -> Result<Option<Timestamp>, Error> {
        if !matches!(Self::schema(backend).await?, Schema::Known) {
            return Ok(None);
        }
        let database = connect(backend, true).await?;
        let sql = "SELECT value FROM counters WHERE name = 'highest_time'";
        let rows = database.rows(sql, values![]).await;
        database.close().await;
        rows?.first().map(|row| row.time("value")).transpose()
    }

    /// Replaces the rules, for every clone of this store. A new snapshot sees them.
    pub fn set_rules(&self, rules: Rules) {
        self.rules.store(Arc::new(rules));
    }

    /// Notes the time, and returns it or the highest any node has seen, whichever is later. A
    /// running gateway calls it every few seconds.
    pub async fn note_time(&self, wall: Timestamp) -> Result<Timestamp, Error> {
        let rows = self.database.rows(NOTE_TIME, values![self.time(wall)]).await?;
        let now = rows.first().ok_or_else(|| Error::corrupt("no highest_time"))?.time("value")?;
        self.floor.raise(now, Instant::now());
        Ok(now)
    }

    /// The time when the clock shows `wall`: never behind what this process has seen in the store.
    /// After a clock was set back, time goes on from there at the speed of the monotonic clock.
    pub fn time(&self, wall: Timestamp) -> Timestamp {
        self.floor.time(wall, Instant::now())
    }

    /// True if every act on this store is on a trail.
    pub async fn is_recorded(&self) -> Result<bool, Error> {
        Ok(self.outbox_pending(1).await?.is_empty())
    }

    /// Writes a consistent copy of an embedded store into a file that isn't there yet.
    ///
    /// # Errors
    /// [`Error::NotEmbedded`] for a store on Postgres; the file is there or can't be written.
    pub async fn backup_to(&self, file: &Path) -> Result<(), Error> {
        let Backend::Sqlite(_) = self.backend else { return Err(Error::NotEmbedded) };
        let text = file.to_str().ok_or(Error::Invalid {
            field: "destination",
            reason: "the path must be valid UTF-8",
        })?;
        create_private(file)?;
        self.database.execute("VACUUM INTO $1", values![text]).await?;
        Ok(())
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

const NOTE_TIME: &str = "UPDATE counters SET value = CASE WHEN value < $1 THEN $1 ELSE value END \
     WHERE name = 'highest_time' RETURNING value";

async fn connect(backend: &Backend, read_only: bool) -> Result<Database, Error> {
    Ok(match backend {
        Backend::Sqlite(path) => {
            // A copy that VACUUM made is not in WAL mode, and looking must not turn it.
            let options = if read_only {
                SqliteConnectOptions::new().filename(path).read_only(true)
            } else {
                sqlite_options(path)
            };
            let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
            Database::Sqlite(pool, Arc::new(db::OpenFile::new(path)?))
        }
        Backend::Postgres(url) => {
            let options = PgConnectOptions::from_str(url)?.application_name("hallpass");
            let pool = PgPoolOptions::new()
                .max_connections(8)
                .acquire_timeout(Duration::from_secs(10))
                .connect_with(options)
                .await?;
            Database::Postgres(pool)
        }
    })
}

fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(10))
        .foreign_keys(true)
}

/// Makes the file for its owner alone, and its folder too if it isn't there. SQLite gives its
/// side files the mode of the main one, and its owner.
fn make_private(path: &Path) -> Result<(), Error> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|cause| Error::File { path: folder.display().to_string(), cause })?;
    }
    match create_private(path) {
        Ok(()) => give_to_owner_of_folder(path),
        Err(Error::File { cause, .. }) if cause.kind() == std::io::ErrorKind::AlreadyExists => {
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Root's first command must not lock out the user that the gateway runs as.
fn give_to_owner_of_folder(path: &Path) -> Result<(), Error> {
    let failed = |cause| Error::File { path: path.display().to_string(), cause };
    let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) else { return Ok(()) };
    let (own, owner) = (
        std::fs::metadata(path).map_err(failed)?.uid(),
        std::fs::metadata(folder).map_err(failed)?,
    );
    if own == 0 && owner.uid() != 0 {
        chown(path, Some(owner.uid()), Some(owner.gid())).map_err(failed)?;
    }
    Ok(())
}

fn create_private(path: &Path) -> Result<(), Error> {
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|cause| Error::File { path: path.display().to_string(), cause })
}
