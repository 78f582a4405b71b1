//! The table's schema, the same on both databases but for types and for how JSON is taken apart.

use sqlx::AssertSqlSafe;

use crate::trail::index::{Database, IndexError};

/// Raised whenever the schema changes.
const VERSION: i64 = 3;

/// Makes what isn't there. Several processes may do it at once. What is there stays as it is, with
/// the rights that auditors were given on it.
pub(super) async fn create(database: &Database) -> Result<(), IndexError> {
    match database {
        Database::Sqlite(pool) => {
            let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
            sqlx::raw_sql(VERSIONS).execute(&mut *tx).await?;
            let found: Option<i64> = sqlx::query_scalar(FOUND).fetch_optional(&mut *tx).await?;
            let made = made(found)?;
            if made < 1 {
                sqlx::raw_sql(AssertSqlSafe(sqlite(TABLES))).execute(&mut *tx).await?;
                sqlx::raw_sql(SQLITE_VIEWS).execute(&mut *tx).await?;
            }
            if made < 2 {
                sqlx::raw_sql(SQLITE_LEFT_BEHIND).execute(&mut *tx).await?;
            }
            if made < 3 {
                sqlx::raw_sql(AssertSqlSafe(masked(
                    SQLITE_VIEWS,
                    "DROP VIEW audit; CREATE VIEW audit AS",
                    "json_each(a.unmasked) e",
                )))
                .execute(&mut *tx)
                .await?;
                sqlx::query(MARK).bind(VERSION).execute(&mut *tx).await?;
            }
            tx.commit().await?;
        }
        Database::Postgres(pool) => {
            let mut tx = pool.begin().await?;
            // The key is "hpaudit" in ASCII.
            sqlx::raw_sql("SELECT pg_advisory_xact_lock(29396926706215284)")
                .execute(&mut *tx)
                .await?;
            sqlx::raw_sql(VERSIONS).execute(&mut *tx).await?;
            let found: Option<i64> = sqlx::query_scalar(FOUND).fetch_optional(&mut *tx).await?;
            let made = made(found)?;
            if made < 1 {
                sqlx::raw_sql(AssertSqlSafe(postgres(TABLES))).execute(&mut *tx).await?;
                sqlx::raw_sql(POSTGRES_VIEWS).execute(&mut *tx).await?;
            }
            if made < 2 {
                sqlx::raw_sql(POSTGRES_LEFT_BEHIND).execute(&mut *tx).await?;
            }
            if made < 3 {
                sqlx::raw_sql(AssertSqlSafe(masked(
                    POSTGRES_VIEWS,
                    "CREATE OR REPLACE VIEW audit AS",
                    "json_array_elements_text(a.unmasked::json) e(value)",
                )))
                .execute(&mut *tx)
                .await?;
                sqlx::query(MARK).bind(VERSION).execute(&mut *tx).await?;
            }
            tx.commit().await?;
        }
    }
    Ok(())
}

/// Deletes every row.
pub(super) async fn empty(database: &Database) -> Result<(), IndexError> {
    match database {
        Database::Sqlite(pool) => {
            let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
            sqlx::raw_sql(EMPTY).execute(&mut *tx).await?;
            tx.commit().await?;
        }
        Database::Postgres(pool) => {
            let mut tx = pool.begin().await?;
            sqlx::raw_sql(EMPTY).execute(&mut *tx).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

/// What masking brings: two more columns, the view with them at its end, and who saw what in clear.
/// `anew` begins the view in the database's own way.
fn masked(views: &str, anew: &str, values: &str) -> String {
    let audit = views.split(';').next().unwrap_or_default().trim();
    let audit = audit.trim_start_matches("CREATE VIEW audit AS");
    let audit = audit.replacen("r.lane, r.seq", "r.lane, r.seq, r.masked, r.unmasked", 1);
    format!(
        "ALTER TABLE audit_record ADD COLUMN masked TEXT;
         ALTER TABLE audit_record ADD COLUMN unmasked TEXT;
         {anew} {audit};
         CREATE VIEW who_saw_unmasked AS
         SELECT a.time, a.principal, a.target, e.value AS column_name, a.rows, a.bytes, a.statement,
             a.grants, a.request, a.approver, a.reason, a.client, a.application, a.session, a.node
         FROM audit a, {values}
         WHERE a.decision = 'permit' AND a.rows > 0"
    )
}

/// Which version of the schema is there; 0: none.
fn made(found: Option<i64>) -> Result<i64, IndexError> {
    match found {
        Some(found) if found > VERSION => Err(IndexError::NewerSchema { found, known: VERSION }),
        found => Ok(found.unwrap_or(0)),
    }
}

fn sqlite(sql: &str) -> String {
    sql.replace("ID_TYPE", "INTEGER PRIMARY KEY AUTOINCREMENT").replace("TIME_TYPE", "TEXT")
}

fn postgres(sql: &str) -> String {
    sql.replace("ID_TYPE", "BIGSERIAL PRIMARY KEY").replace("TIME_TYPE", "TIMESTAMPTZ")
}

const FOUND: &str = "SELECT version FROM audit_version ORDER BY version DESC LIMIT 1";
const MARK: &str = "INSERT INTO audit_version (version) VALUES ($1)";
const VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS audit_version (version BIGINT NOT NULL PRIMARY KEY)";

const EMPTY: &str = "DELETE FROM audit_record; DELETE FROM audit_text; DELETE FROM audit_session; \
     DELETE FROM audit_day; DELETE FROM audit_position;";

const TABLES: &str = "
CREATE TABLE audit_position (
    node TEXT NOT NULL, lane BIGINT NOT NULL, segment BIGINT NOT NULL, bytes BIGINT NOT NULL,
    PRIMARY KEY (node, lane));
CREATE TABLE audit_day (
    day TEXT NOT NULL PRIMARY KEY, bytes BIGINT NOT NULL);
CREATE TABLE audit_text (
    hash TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL, last_day TEXT NOT NULL);
CREATE TABLE audit_session (
    node TEXT NOT NULL, session BIGINT NOT NULL, opened TIME_TYPE, closed TIME_TYPE,
    principal TEXT, roles TEXT, login TEXT, tls TEXT, client TEXT, application TEXT, target TEXT,
    upstream_user TEXT, backend BIGINT, reason TEXT, last_day TEXT NOT NULL,
    PRIMARY KEY (node, session));
CREATE TABLE audit_record (
    id ID_TYPE,
    node TEXT NOT NULL, lane BIGINT NOT NULL, seq BIGINT NOT NULL, time TIME_TYPE NOT NULL,
    kind TEXT NOT NULL, session BIGINT, statement BIGINT, principal TEXT, target TEXT, class TEXT,
    decision TEXT, fingerprint TEXT, text_hash TEXT, parameters TEXT, relations TEXT, routines TEXT,
    missing TEXT, refusal TEXT, message TEXT, grants TEXT, actor TEXT, direct BIGINT, body TEXT,
    finished TIME_TYPE, ended TEXT, rows BIGINT, affected BIGINT, bytes BIGINT, sqlstate TEXT,
    policy_us BIGINT, upstream_us BIGINT, transaction_end TEXT,
    UNIQUE (node, lane, seq));
CREATE INDEX audit_record_time ON audit_record (time);
CREATE INDEX audit_record_principal ON audit_record (principal, time);
CREATE INDEX audit_record_statement ON audit_record (statement, node)
    WHERE statement IS NOT NULL;
CREATE INDEX audit_record_open ON audit_record (node)
    WHERE ended IS NULL AND statement IS NOT NULL;
";

const SQLITE_VIEWS: &str = "
CREATE VIEW audit AS
SELECT r.id, r.time, r.node, r.session, coalesce(r.principal, s.principal) AS principal,
    coalesce(r.target, s.target) AS target, s.client, s.application, r.kind, r.class, r.decision,
    t.text AS statement, r.fingerprint, r.parameters, r.relations, r.routines, r.missing, r.refusal,
    r.message,
    (SELECT group_concat(g.value ->> '$.grant', ', ') FROM json_each(r.grants) g) AS grants,
    (SELECT group_concat(g.value ->> '$.request', ', ') FROM json_each(r.grants) g) AS request,
    (SELECT group_concat(g.value ->> '$.approver', ', ') FROM json_each(r.grants) g) AS approver,
    (SELECT group_concat(g.value ->> '$.reason', ', ') FROM json_each(r.grants) g) AS reason,
    r.rows, r.affected, r.bytes, r.sqlstate, r.ended, r.transaction_end, r.finished, r.policy_us,
    r.upstream_us, r.actor, r.direct, r.body, s.login, s.tls, s.roles, s.upstream_user, s.backend,
    r.statement AS statement_id, r.lane, r.seq
FROM audit_record r
LEFT JOIN audit_text t ON t.hash = r.text_hash
LEFT JOIN audit_session s ON s.node = r.node AND s.session = r.session;
CREATE VIEW who_saw AS
SELECT a.time, a.principal, a.target, substr(e.value, 6) AS relation, a.rows, a.bytes, a.statement,
    a.grants, a.request, a.approver, a.reason, a.client, a.application, a.session, a.node
FROM audit a JOIN audit_record r ON r.id = a.id, json_each(r.relations) e
WHERE a.decision = 'permit' AND a.rows > 0 AND coalesce(a.class, '') <> 'explain'
    AND e.value LIKE 'read %';
CREATE VIEW grants_used AS
SELECT g.value ->> '$.grant' AS grant_id, r.principal, r.target,
    max(g.value ->> '$.request') AS request, max(g.value ->> '$.approver') AS approver,
    max(g.value ->> '$.reason') AS reason, count(*) AS statements, sum(r.rows) AS rows,
    sum(r.affected) AS affected, min(r.time) AS first_used, max(r.time) AS last_used
FROM audit_record r, json_each(r.grants) g
WHERE r.decision = 'permit'
GROUP BY g.value ->> '$.grant', r.principal, r.target;
CREATE VIEW denied AS
SELECT time, principal, target, missing, refusal, message, statement, class, client, application,
    session, node
FROM audit WHERE decision = 'denial';
CREATE VIEW direct_changes AS
SELECT time, actor, kind, body, node FROM audit WHERE direct = 1;
";

const POSTGRES_VIEWS: &str = "
CREATE VIEW audit AS
SELECT r.id, r.time, r.node, r.session, coalesce(r.principal, s.principal) AS principal,
    coalesce(r.target, s.target) AS target, s.client, s.application, r.kind, r.class, r.decision,
    t.text AS statement, r.fingerprint, r.parameters, r.relations, r.routines, r.missing, r.refusal,
    r.message, g.grants, g.request, g.approver, g.reason,
    r.rows, r.affected, r.bytes, r.sqlstate, r.ended, r.transaction_end, r.finished, r.policy_us,
    r.upstream_us, r.actor, r.direct, r.body, s.login, s.tls, s.roles, s.upstream_user, s.backend,
    r.statement AS statement_id, r.lane, r.seq
FROM audit_record r
LEFT JOIN audit_text t ON t.hash = r.text_hash
LEFT JOIN audit_session s ON s.node = r.node AND s.session = r.session
LEFT JOIN LATERAL (
    SELECT string_agg(e ->> 'grant', ', ') AS grants, string_agg(e ->> 'request', ', ') AS request,
        string_agg(e ->> 'approver', ', ') AS approver, string_agg(e ->> 'reason', ', ') AS reason
    FROM json_array_elements(r.grants::json) e) g ON true;
CREATE VIEW who_saw AS
SELECT a.time, a.principal, a.target, substr(e.value, 6) AS relation, a.rows, a.bytes, a.statement,
    a.grants, a.request, a.approver, a.reason, a.client, a.application, a.session, a.node
FROM audit a, json_array_elements_text(a.relations::json) e(value)
WHERE a.decision = 'permit' AND a.rows > 0 AND coalesce(a.class, '') <> 'explain'
    AND e.value LIKE 'read %';
CREATE VIEW grants_used AS
SELECT e ->> 'grant' AS grant_id, r.principal, r.target, max(e ->> 'request') AS request,
    max(e ->> 'approver') AS approver, max(e ->> 'reason') AS reason, count(*) AS statements,
    sum(r.rows)::bigint AS rows, sum(r.affected)::bigint AS affected, min(r.time) AS first_used,
    max(r.time) AS last_used
FROM audit_record r, json_array_elements(r.grants::json) e
WHERE r.decision = 'permit'
GROUP BY e ->> 'grant', r.principal, r.target;
CREATE VIEW denied AS
SELECT time, principal, target, missing, refusal, message, statement, class, client, application,
    session, node
FROM audit WHERE decision = 'denial';
CREATE VIEW direct_changes AS
SELECT time, actor, kind, body, node FROM audit WHERE direct = 1;
";

const SQLITE_LEFT_BEHIND: &str = "
CREATE VIEW left_behind AS
SELECT r.time, r.body ->> '$.grant' AS grant_id, r.body ->> '$.principal' AS principal,
    r.body ->> '$.target' AS target, r.body ->> '$.since' AS since, i.value ->> '$.change' AS change,
    i.value ->> '$.kind' AS kind, i.value ->> '$.name' AS name, i.value ->> '$.detail' AS detail,
    r.body ->> '$.trouble' AS trouble, r.node
FROM audit_record r
LEFT JOIN json_each(r.body, '$.items') i ON true
WHERE r.kind = 'grant_left_behind';
";

const POSTGRES_LEFT_BEHIND: &str = "
CREATE VIEW left_behind AS
SELECT r.time, r.body::json ->> 'grant' AS grant_id, r.body::json ->> 'principal' AS principal,
    r.body::json ->> 'target' AS target, r.body::json ->> 'since' AS since, i ->> 'change' AS change,
    i ->> 'kind' AS kind, i ->> 'name' AS name, i ->> 'detail' AS detail,
    r.body::json ->> 'trouble' AS trouble, r.node
FROM audit_record r
LEFT JOIN LATERAL json_array_elements(r.body::json -> 'items') i ON true
WHERE r.kind = 'grant_left_behind';
";
