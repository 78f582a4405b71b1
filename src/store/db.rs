//! Two databases behind one face: the few value types the schema has, and statements that read the
//! same on both (`$1` parameters, `RETURNING`).

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use sqlx::{PgPool, Postgres, Row as _, Sqlite, SqlitePool, Transaction, postgres::PgRow, sqlite};

use crate::{kernel::time::Timestamp, store::Error};

/// A parameter.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

macro_rules! value_from {
    ($($type:ty => |$value:ident| $made:expr;)*) => {
        $(impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $made
            }
        })*
    };
}

value_from! {
    i64 => |v| Self::Int(Some(v));
    // Counts beyond i64 can't be stored; they are as good as endless.
    u64 => |v| Self::Int(Some(i64::try_from(v).unwrap_or(i64::MAX)));
    Option<u64> => |v| Self::Int(v.map(|n| i64::try_from(n).unwrap_or(i64::MAX)));
    bool => |v| Self::Int(Some(v.into()));
    Timestamp => |v| Self::Int(Some(v.0));
    Option<Timestamp> => |v| Self::Int(v.map(|t| t.0));
    &str => |v| Self::Text(Some(v.to_owned()));
    String => |v| Self::Text(Some(v));
    Option<String> => |v| Self::Text(v);
    &[u8] => |v| Self::Bytes(Some(v.to_vec()));
    Vec<u8> => |v| Self::Bytes(Some(v));
    Option<Vec<u8>> => |v| Self::Bytes(v);
}

/// Parameters of a statement, each turned into a [`Value`].
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::db::Value::from($value)),*] };
}
pub(super) use values;

macro_rules! bound {
    ($driver:ty, $sql:expr, $values:expr) => {{
        let mut query = sqlx::query::<$driver>($sql);
        for value in $values {
            query = match value {
                Value::Int(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Bytes(value) => query.bind(value),
            };
        }
        query
    }};
}

/// The connections to the store's database.
#[derive(Clone, Debug)]
pub(super) enum Database {
    Sqlite(SqlitePool, Arc<OpenFile>),
    Postgres(PgPool),
}

/// The file that an embedded store was opened from. Once another is in its place, or none, what others
/// change isn't seen here any more, and what is changed here is lost: nothing is asked of it then.
#[derive(Debug)]
pub(super) struct OpenFile {
    path: PathBuf,
    id: (u64, u64),
}

impl OpenFile {
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        Ok(Self { path: path.to_owned(), id: id_of(path)? })
    }

    fn must_be_there(&self) -> Result<(), Error> {
        if id_of(&self.path)? == self.id {
            return Ok(());
        }
        let other = std::io::Error::other("another file is in its place: restart to use that one");
        Err(Error::File { path: self.path.display().to_string(), cause: other })
    }
}

fn id_of(path: &Path) -> Result<(u64, u64), Error> {
    let found = std::fs::metadata(path);
    let found = found.map_err(|cause| Error::File { path: path.display().to_string(), cause })?;
    Ok((found.dev(), found.ino()))
}

impl Database {
    /// A transaction that may write; on SQLite it waits for its turn now, not at the first write.
    pub(super) async fn begin(&self) -> Result<Tx, Error> {
        self.must_be_there()?;
        Ok(match self {
            Self::Sqlite(pool, _) => Tx::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// A transaction that reads one state of the store, whatever is written meanwhile.
    pub(super) async fn begin_read(&self) -> Result<Tx, Error> {
        self.must_be_there()?;
        Ok(match self {
            Self::Sqlite(pool, _) => Tx::Sqlite(pool.begin().await?),
            Self::Postgres(pool) => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                Tx::Postgres(pool.begin_with(begin).await?)
            }
        })
    }

    /// One statement on its own; how many rows it changed.
    pub(super) async fn execute(&self, sql: &'static str, args: Vec<Value>) -> Result<u64, Error> {
        self.must_be_there()?;
        Ok(match self {
            Self::Sqlite(pool, _) => bound!(Sqlite, sql, args).execute(pool).await?.rows_affected(),
            Self::Postgres(pool) => {
                bound!(Postgres, sql, args).execute(pool).await?.rows_affected()
            }
        })
    }

    /// The rows of one statement on its own.
    pub(super) async fn rows(
        &self,
        sql: &'static str,
        args: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        self.must_be_there()?;
        Ok(match self {
            Self::Sqlite(pool, _) => {
                let rows = bound!(Sqlite, sql, args).fetch_all(pool).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(pool) => {
                let rows = bound!(Postgres, sql, args).fetch_all(pool).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    fn must_be_there(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(_, file) => file.must_be_there(),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Closes all connections.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool, _) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// An open transaction; dropped without [`Tx::commit`], it never was.
pub(super) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// How many rows a statement changed.
    pub(super) async fn execute(
        &mut self,
        sql: &'static str,
        args: Vec<Value>,
    ) -> Result<u64, Error> {
        Ok(match self {
            Self::Sqlite(tx) => bound!(Sqlite, sql, args).execute(&mut **tx).await?.rows_affected(),
            Self::Postgres(tx) => {
                bound!(Postgres, sql, args).execute(&mut **tx).await?.rows_affected()
            }
        })
    }

    /// The rows of a statement.
    pub(super) async fn rows(
        &mut self,
        sql: &'static str,
        args: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        Ok(match self {
            Self::Sqlite(tx) => {
                let rows = bound!(Sqlite, sql, args).fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(tx) => {
                let rows = bound!(Postgres, sql, args).fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The first row of a statement, if there is one.
    pub(super) async fn row(
        &mut self,
        sql: &'static str,
        args: Vec<Value>,
    ) -> Result<Option<Row>, Error> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Several statements without parameters: a migration.
    pub(super) async fn script(&mut self, sql: &'static str) -> Result<(), Error> {
        match self {
            Self::Sqlite(tx) => {
                sqlx::raw_sql(sql).execute(&mut **tx).await?;
            }
            Self::Postgres(tx) => {
                let sql = sql.replace(" BLOB", " BYTEA");
                sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut **tx).await?;
            }
        }
        Ok(())
    }

    /// True on Postgres.
    pub(super) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    pub(super) async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

/// One row of a result.
pub(super) enum Row {
    Sqlite(sqlite::SqliteRow),
    Postgres(PgRow),
}

macro_rules! column {
    ($row:expr, $name:expr) => {
        match $row {
            Row::Sqlite(row) => row.try_get($name)?,
            Row::Postgres(row) => row.try_get($name)?,
        }
    };
}

impl Row {
    pub(super) fn int(&self, name: &str) -> Result<i64, Error> {
        Ok(column!(self, name))
    }

    pub(super) fn int_or_null(&self, name: &str) -> Result<Option<i64>, Error> {
        Ok(column!(self, name))
    }

    pub(super) fn text(&self, name: &str) -> Result<String, Error> {
        Ok(column!(self, name))
    }

    pub(super) fn text_or_null(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(column!(self, name))
    }

    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, Error> {
        Ok(column!(self, name))
    }

    /// A key or digest of a fixed size.
    pub(super) fn array(&self, name: &str) -> Result<[u8; 32], Error> {
        let bytes = self.bytes(name)?;
        bytes.try_into().map_err(|_| Error::corrupt(format!("{name} has the wrong size")))
    }

    /// The digest of a secret for mysql_native_password, if it was kept.
    pub(super) fn native_digest(&self) -> Result<Option<[u8; 20]>, Error> {
        let bytes: Option<Vec<u8>> = column!(self, "native_digest");
        let wrong = |_| Error::corrupt("native_digest has the wrong size");
        bytes.map(|bytes| bytes.try_into().map_err(wrong)).transpose()
    }

    pub(super) fn count(&self, name: &str) -> Result<u64, Error> {
        let value = self.int(name)?;
        u64::try_from(value).map_err(|_| Error::corrupt(format!("{name} is negative")))
    }

    pub(super) fn truth(&self, name: &str) -> Result<bool, Error> {
        Ok(self.int(name)? != 0)
    }

    pub(super) fn time(&self, name: &str) -> Result<Timestamp, Error> {
        self.int(name).map(Timestamp)
    }

    pub(super) fn time_or_null(&self, name: &str) -> Result<Option<Timestamp>, Error> {
        Ok(self.int_or_null(name)?.map(Timestamp))
    }
}
