//! `hallpass target …`: help with the databases behind.

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use serde_json::json;

use crate::{
    cli::{Error, Workplace},
    config::{Address, Engine, Target},
    kernel::access,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the SQL that creates a log-in of the gateway on a target, and its pg_hba line
    Sql {
        /// Which target
        name: String,
        /// The most that grants will ever give: the log-in can do no more
        #[arg(long, value_enum, default_value = "ddl")]
        level: Level,
    },
}

/// What a log-in can do at most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
pub(super) enum Level {
    /// Read
    Select,
    /// Read and change rows
    Dml,
    /// Read, change rows and change the schema
    Ddl,
}

impl Command {
    pub(super) fn run(&self, place: &Workplace) -> Result<ExitCode, Error> {
        let Self::Sql { name, level } = self;
        let target = place.config.target(name).ok_or_else(|| {
            let known: Vec<&str> = place.config.targets.iter().map(|t| t.name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Error::NoSuchTarget { name: name.clone(), known }
        })?;
        let sql = sql(target, *level);
        let hba = hba(target, user(target, *level));
        let text = if hba.is_empty() { sql.clone() } else { format!("{sql}\n{}", comment(&hba)) };
        place.output.answer(&json!({"target": name, "sql": sql, "pg_hba": hba}), &text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The log-in of the settings that is for so much and no more, else the one for everything.
fn user(target: &Target, level: Level) -> &str {
    let level = match level {
        Level::Select => access::Level::Read,
        Level::Dml => access::Level::Dml,
        Level::Ddl => access::Level::Ddl,
    };
    let lower = target.lower.iter().find(|log_in| log_in.level == level);
    lower.map_or(&target.user, |log_in| &log_in.user)
}

/// The same for MySQL and MariaDB.
fn mysql_sql(target: &Target, level: Level) -> String {
    let user = user(target, level).replace('\'', "''");
    let connections = target.max_connections.saturating_add(5);
    let mut rights = vec!["SELECT", "SHOW VIEW", "SHOW DATABASES", "PROCESS", "EXECUTE"];
    if level >= Level::Dml {
        rights.extend(["INSERT", "UPDATE", "DELETE", "LOCK TABLES", "CREATE TEMPORARY TABLES"]);
    }
    if level >= Level::Ddl {
        rights.extend(["CREATE", "ALTER", "DROP", "INDEX", "REFERENCES", "CREATE VIEW"]);
    }
    format!(
        "-- The gateway's log-in on target {}: what no grant can go beyond. Run it once as an\n\
         -- administrator; put in the password that the settings name.\n\
         CREATE USER '{user}'@'%' IDENTIFIED BY 'PASSWORD' WITH MAX_USER_CONNECTIONS {connections};\n\
         GRANT {} ON *.* TO '{user}'@'%';\n",
        target.name,
        rights.join(", "),
    )
}

fn sql(target: &Target, level: Level) -> String {
    if target.engine != Engine::Postgres {
        return mysql_sql(target, level);
    }
    let user_name = user(target, level);
    let (user, database) = (identifier(user_name), identifier(&target.database));
    // The gateway keeps a control connection for cancelling beside those of sessions.
    let connections = target.max_connections.saturating_add(5);
    let mut sql = format!(
        "-- The gateway's log-in on target {}: what no grant can go beyond. Run it once as superuser\n\
         -- (Postgres 14 or newer) with psql, connected to the database {database}; then give it the\n\
         -- password that the settings name, with \\password {user}\n\
         CREATE ROLE {user} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS\n    \
         CONNECTION LIMIT {connections};\n\
         GRANT CONNECT ON DATABASE {database} TO {user};\n\
         -- What runs when the gateway itself is gone ends, instead of running on for hours.\n\
         ALTER ROLE {user} SET client_connection_check_interval = '10s';\n\
         \n\
         -- select: every table, view and sequence, those to come included\n\
         GRANT pg_read_all_data TO {user};\n",
        target.name,
    );
    if level >= Level::Dml {
        sql.push_str(&format!(
            "\n-- dml: rows of every table\n\
             GRANT pg_write_all_data TO {user};\n"
        ));
    }
    if level >= Level::Ddl {
        sql.push_str(&format!(
            "\n-- ddl: only owners alter and drop, so the log-in joins the roles that own something\n\
             -- here; superusers' objects stay out of reach\n\
             GRANT CREATE ON DATABASE {database} TO {user};\n\
             DO $do$\n\
             DECLARE owner regrole; namespace name;\n\
             BEGIN\n  \
               FOR owner IN\n    \
                 SELECT DISTINCT c.relowner::regrole\n      \
                   FROM pg_class c\n      \
                   JOIN pg_namespace n ON n.oid = c.relnamespace\n      \
                   JOIN pg_roles r ON r.oid = c.relowner\n     \
                  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'\n       \
                    AND NOT r.rolsuper AND r.rolname <> {user_text}\n  \
               LOOP\n    \
                 EXECUTE format('GRANT %s TO %I', owner, {user_text});\n  \
               END LOOP;\n  \
               FOR namespace IN\n    \
                 SELECT nspname FROM pg_namespace\n     \
                  WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'\n  \
               LOOP\n    \
                 EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', namespace, {user_text});\n  \
               END LOOP;\n\
             END\n\
             $do$;\n",
            user_text = literal(user_name),
        ));
    }
    sql
}

/// The lines for `pg_hba.conf`, before wider ones.
fn hba(target: &Target, user: &str) -> Vec<String> {
    if target.engine != Engine::Postgres {
        return Vec::new();
    }
    let (user, database) = (hba_word(user), hba_word(&target.database));
    match &target.address {
        Address::Unix(_) => vec![format!("local    {database}  {user}  scram-sha-256")],
        Address::Tcp { .. } if target.address.is_local() => {
            vec![format!("host     {database}  {user}  127.0.0.1/32  scram-sha-256")]
        }
        Address::Tcp { .. } => vec![
            format!("hostssl  {database}  {user}  GATEWAY_ADDRESS/32  scram-sha-256"),
            format!("host     {database}  {user}  all  reject"),
        ],
    }
}

fn comment(lines: &[String]) -> String {
    let mut text = "-- pg_hba.conf, before wider lines:\n".to_owned();
    for line in lines {
        text.push_str(&format!("--   {line}\n"));
    }
    text
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name with anything unusual in it is quoted, so that it can't be a keyword (`all`) or a pattern.
fn hba_word(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let keyword = ["all", "sameuser", "samerole", "replication"].contains(&name);
    if plain && !keyword { name.to_owned() } else { identifier(name) }
}
