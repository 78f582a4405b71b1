//! The schema's versions, in order. A newer one than ours is refused.

use ring::rand::{SecureRandom, SystemRandom};

use crate::store::{
    Error,
    db::{Database, Tx, values},
};

/// Each is run once, in its own order; what is here never changes after a release.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_leavings.sql"),
    include_str!("migrations/0003_masks.sql"),
    include_str!("migrations/0004_mysql.sql"),
];

/// The bytes of a key of masks.
pub(super) const KEY_BYTES: usize = 32;

const LATEST: &str = "SELECT version FROM schema_version ORDER BY version DESC LIMIT 1";

/// Brings the schema up to date. Several processes may do it at once.
pub(super) async fn migrate(database: &Database) -> Result<(), Error> {
    let mut tx = database.begin().await?;
    if tx.is_postgres() {
        // The key is "hallpass" in ASCII; SQLite's writers wait for each other anyway.
        tx.execute("SELECT pg_advisory_xact_lock(7521983764042576755)", values![]).await?;
    }
    tx.execute(
        "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY)",
        values![],
    )
    .await?;
    let found = match tx.row(LATEST, values![]).await? {
        Some(row) => row.int("version")?,
        None => 0,
    };
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(Error::NewerSchema { found, known });
    }
    for (version, script) in (1..).zip(MIGRATIONS) {
        if version > found {
            tx.script(script).await?;
            tx.execute("INSERT INTO schema_version (version) VALUES ($1)", values![version])
                .await?;
        }
    }
    make_meta(&mut tx, "store_id", 16).await?;
    make_meta(&mut tx, "mock_secret", 32).await?;
    make_meta(&mut tx, "mask_key", KEY_BYTES).await?;
    tx.commit().await
}

/// How the schema that is there compares with ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Schema {
    /// There is none yet: it will be made.
    None,
    /// Ours, or an older one that will be brought up to date.
    Known,
    /// A newer version's.
    Newer {
        /// The store's.
        found: i64,
        /// Ours.
        known: i64,
    },
}

/// Looks at the schema without touching it.
pub(super) async fn look(database: &Database) -> Result<Schema, Error> {
    let there = match database {
        Database::Sqlite(..) => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'"
        }
        Database::Postgres(_) => {
            "SELECT relname::text FROM pg_class WHERE oid = to_regclass('schema_version')"
        }
    };
    if database.rows(there, values![]).await?.is_empty() {
        return Ok(Schema::None);
    }
    let found = match database.rows(LATEST, values![]).await?.first() {
        Some(row) => row.int("version")?,
        None => 0,
    };
    let known = MIGRATIONS.len() as i64;
    Ok(if found > known { Schema::Newer { found, known } } else { Schema::Known })
}

/// Random bytes that stay for the life of the store.
async fn make_meta(tx: &mut Tx, name: &'static str, size: usize) -> Result<(), Error> {
    let there = tx.row("SELECT name FROM meta WHERE name = $1", values![name]).await?;
    if there.is_none() {
        let value = random(size)?;
        tx.execute("INSERT INTO meta (name, value) VALUES ($1, $2)", values![name, value]).await?;
    }
    Ok(())
}

/// Random bytes of the system.
pub(super) fn random(size: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; size];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::NoRandomness)?;
    Ok(bytes)
}
