//! Reads the table for the command line: rows as JSON objects, whichever database it is on.

use serde_json::Value;
use sqlx::{Postgres, QueryBuilder, Sqlite};

use crate::{
    kernel::time::Timestamp,
    trail::index::{Database, Index, IndexError},
};

/// Appends the filter to a query that has a WHERE already.
macro_rules! conditions {
    ($query:ident, $filter:ident, $time:literal) => {
        if let Some(user) = &$filter.user {
            $query.push(" AND (principal = ").push_bind(user.clone());
            $query.push(" OR actor = ").push_bind(user.clone()).push(")");
        }
        if let Some(target) = &$filter.target {
            $query.push(" AND target = ").push_bind(target.clone());
        }
        if let Some(since) = $filter.since {
            $query.push(" AND time >= ").push_bind(since.to_string()).push($time);
        }
        if let Some(until) = $filter.until {
            $query.push(" AND time < ").push_bind(until.to_string()).push($time);
        }
        if $filter.denied {
            $query.push(" AND (decision = 'denial' OR kind = 'login.failed')");
        }
        if let Some(text) = &$filter.grep {
            let pattern = format!("%{}%", escape(text));
            for (index, column) in ["statement", "message", "body"].into_iter().enumerate() {
                $query.push(if index == 0 { " AND (" } else { " OR " });
                $query.push("lower(").push(column).push(") LIKE lower(");
                $query.push_bind(pattern.clone()).push(") ESCAPE '!'");
            }
            $query.push(")");
        }
    };
}
/// Which rows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this principal.
    pub user: Option<String>,
    /// On this target.
    pub target: Option<String>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Refused statements and failed log-ins only.
    pub denied: bool,
    /// With this text in the statement, the message or the particulars, in any case.
    pub grep: Option<String>,
}

/// The columns of a row, in the order that people read them.
pub const COLUMNS: [&str; 44] = [
    "id",
    "time",
    "node",
    "session",
    "principal",
    "target",
    "client",
    "application",
    "kind",
    "class",
    "decision",
    "statement",
    "fingerprint",
    "parameters",
    "relations",
    "routines",
    "masked",
    "unmasked",
    "missing",
    "refusal",
    "message",
    "grants",
    "request",
    "approver",
    "reason",
    "rows",
    "affected",
    "bytes",
    "sqlstate",
    "ended",
    "transaction_end",
    "finished",
    "policy_us",
    "upstream_us",
    "actor",
    "direct",
    "body",
    "login",
    "tls",
    "roles",
    "upstream_user",
    "backend",
    "statement_id",
    "seq",
];

/// Columns that hold JSON, given out as such.
const JSON: [&str; 7] =
    ["parameters", "relations", "routines", "masked", "unmasked", "body", "roles"];
/// Columns that hold times.
const TIMES: [&str; 2] = ["time", "finished"];

impl Index {
    /// The rows after `after` (0: from the first on), the oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`IndexError::Database`].
    pub async fn page(
        &self,
        filter: &Filter,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Value>, IndexError> {
        let texts = match &self.database {
            Database::Sqlite(pool) => {
                let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
                query.push(object("json_object", "json(", ")", str::to_owned));
                query.push(" FROM audit WHERE id > ").push_bind(after);
                conditions!(query, filter, "");
                query.push(" ORDER BY id LIMIT ").push_bind(i64::from(limit));
                query.build_query_scalar::<String>().fetch_all(pool).await?
            }
            Database::Postgres(pool) => {
                let mut query = QueryBuilder::<Postgres>::new("SELECT ");
                query.push(object("json_build_object", "(", ")::json", |column| {
                    format!(
                        "to_char({column} AT TIME ZONE 'UTC', \
                         'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
                    )
                }));
                query.push("::text FROM audit WHERE id > ").push_bind(after);
                conditions!(query, filter, "::timestamptz");
                query.push(" ORDER BY id LIMIT ").push_bind(i64::from(limit));
                query.build_query_scalar::<String>().fetch_all(pool).await?
            }
        };
        Ok(texts.iter().filter_map(|text| tidy(text)).collect())
    }

    /// From which row on the last `count` rows stand: what to give to [`Index::page`].
    ///
    /// # Errors
    /// [`IndexError::Database`].
    pub async fn before_last(&self, filter: &Filter, count: u32) -> Result<i64, IndexError> {
        let found = match &self.database {
            Database::Sqlite(pool) => {
                let mut query = QueryBuilder::<Sqlite>::new("SELECT id FROM audit WHERE id > 0");
                conditions!(query, filter, "");
                query.push(" ORDER BY id DESC LIMIT 1 OFFSET ").push_bind(i64::from(count));
                query.build_query_scalar::<i64>().fetch_optional(pool).await?
            }
            Database::Postgres(pool) => {
                let mut query = QueryBuilder::<Postgres>::new("SELECT id FROM audit WHERE id > 0");
                conditions!(query, filter, "::timestamptz");
                query.push(" ORDER BY id DESC LIMIT 1 OFFSET ").push_bind(i64::from(count));
                query.build_query_scalar::<i64>().fetch_optional(pool).await?
            }
        };
        Ok(found.unwrap_or(0))
    }

    /// The node whose trail this is, as its records say; empty before the first record.
    pub(super) async fn node(&self) -> Result<String, IndexError> {
        let dir = self.options.trail.clone();
        let node = tokio::task::spawn_blocking(move || super::batch::node_of(&dir)).await;
        node.map_err(|error| IndexError::Database(sqlx::Error::Io(std::io::Error::other(error))))?
    }
}

/// The SQL that makes a JSON object of a row.
fn object(
    function: &str,
    json_before: &str,
    json_after: &str,
    time: impl Fn(&str) -> String,
) -> String {
    let fields = COLUMNS.map(|column| {
        if JSON.contains(&column) {
            format!("'{column}', {json_before}{column}{json_after}")
        } else if TIMES.contains(&column) {
            format!("'{column}', {}", time(column))
        } else {
            format!("'{column}', {column}")
        }
    });
    format!("{function}({})", fields.join(", "))
}

/// Leaves out what is NULL; `direct` is true or false.
fn tidy(text: &str) -> Option<Value> {
    let mut row: serde_json::Map<String, Value> = serde_json::from_str(text).ok()?;
    row.retain(|_, value| !value.is_null());
    if let Some(direct) = row.get_mut("direct") {
        *direct = Value::Bool(direct.as_i64() == Some(1));
    }
    Some(Value::Object(row))
}

/// A text that LIKE takes for itself.
fn escape(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}
