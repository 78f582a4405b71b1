//! How servers of MySQL and MariaDB greeted last.

use crate::store::{Error, Store, db::values};

/// What a server said of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownGreeting {
    /// Its version.
    pub version: String,
    /// Its flags of both halves.
    pub capabilities: u64,
    /// The number of its collation.
    pub collation: u8,
}

impl Store {
    /// How this server greeted last; `None`: it never did.
    pub async fn greeting(&self, server: &str) -> Result<Option<KnownGreeting>, Error> {
        let sql = "SELECT version, capabilities, collation_number FROM greetings WHERE server = $1";
        let rows = self.database.rows(sql, values![server]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let collation = u8::try_from(row.count("collation_number")?);
        Ok(Some(KnownGreeting {
            version: row.text("version")?,
            capabilities: row.count("capabilities")?,
            collation: collation.map_err(|_| Error::corrupt("collation"))?,
        }))
    }

    /// Keeps how this server has greeted. No act: it leaves no event, and wakes nobody.
    pub async fn greeting_keep(&self, server: &str, known: &KnownGreeting) -> Result<(), Error> {
        let sql = "INSERT INTO greetings (server, version, capabilities, collation_number) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (server) DO UPDATE SET \
             version = excluded.version, capabilities = excluded.capabilities, \
             collation_number = excluded.collation_number";
        let collation = u64::from(known.collation);
        let values = values![server, known.version.as_str(), known.capabilities, collation];
        let mut tx = self.database.begin().await?;
        tx.execute(sql, values).await?;
        tx.commit().await
    }
}
