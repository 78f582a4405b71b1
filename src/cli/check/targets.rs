//! Every target as the gateway finds it: whether it answers, what its log-in could do beyond any
//! grant, whether it could change the gateway's own store, and whether `trust` names anything.

use std::{collections::BTreeSet, net::IpAddr, str::FromStr, time::Duration};

use sqlx::postgres::PgConnectOptions;
use tokio::{net::lookup_host, task::JoinSet, time::timeout};

use super::{Finding, Severity};
use crate::{
    cli::serve::world::{connect_options, lower_log_ins, mysql_log_ins},
    config::{Address, Config, Engine, Protocol, StoreSetting, Target, TargetTls},
    kernel::{
        access::Level,
        catalog::Catalog,
        sql::{Trust, mode::Dialect},
    },
    net::tls,
    upstream::{ConnectOptions, Control, UpstreamError, catalog, control::Row, mysql},
};

/// How long one answer of a target may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long everything asked of one target may take.
const ALTOGETHER: Duration = Duration::from_secs(60);

/// The oldest server that the gateway speaks for.
const OLDEST: u32 = 13;
/// The newest server whose built-in functions and catalogs were reviewed.
const NEWEST: u32 = 18;

/// Roles that reach out of the database, and what their members can do.
const REACHING_OUT: [(&str, &str); 5] = [
    (
        "pg_read_all_settings",
        "show whoever holds info the settings that only superusers see, primary_conninfo and a \
         password in it among them",
    ),
    ("pg_execute_server_program", "run programs on the server's machine"),
    ("pg_read_server_files", "read files on the server's machine"),
    ("pg_write_server_files", "write files on the server's machine"),
    ("pg_create_subscription", "make the server connect to others"),
];

/// Connects to all targets at the same time.
pub(super) async fn reach_all(config: &Config) -> Vec<Finding> {
    tls::install_provider();
    let mut found = versions(config).await;
    let mut tasks = JoinSet::new();
    for (index, target) in config.targets.iter().enumerate() {
        let (target, store) = (target.clone(), config.store.clone());
        tasks.spawn(async move {
            let found = timeout(ALTOGETHER, reach(&target, &store)).await;
            let late = || vec![Finding::problem(about(&target), "does not answer in time")];
            (index, found.unwrap_or_else(|_| late()))
        });
    }
    while let Some(done) = tasks.join_next().await {
        match done {
            Ok(done) => found.push(done),
            Err(error) => {
                found.push((usize::MAX, vec![Finding::problem("target", error.to_string())]));
            }
        }
    }
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().flat_map(|(_, findings)| findings).collect()
}

/// Listeners of MySQL that lead to servers of several major versions: clients are greeted as by one of them,
/// before they say where they go. With the places of their findings: in front of the targets'.
async fn versions(config: &Config) -> Vec<(usize, Vec<Finding>)> {
    let mut asked = JoinSet::new();
    for target in config.targets.iter().filter(|target| target.engine != Engine::Postgres) {
        let Ok(log_ins) = mysql_log_ins(target) else { continue };
        let name = target.name.clone();
        asked.spawn(async move {
            let greeting = timeout(PATIENCE, mysql::greeting(&log_ins.full)).await;
            let greeting = greeting.ok().and_then(Result::ok)?;
            Some((name, String::from_utf8_lossy(&greeting.version).into_owned()))
        });
    }
    // Who doesn't answer is a finding of its own.
    let mut known: Vec<_> = asked.join_all().await.into_iter().flatten().collect();
    known.sort();
    let listeners = config
        .listeners
        .iter()
        .filter(|listener| listener.protocol == Protocol::MySql && listener.target.is_none());
    let mut findings = Vec::new();
    for listener in listeners {
        let Some((first, version)) = known.first() else { continue };
        let others = known.iter().filter(|(_, other)| mysql::major(other) != mysql::major(version));
        for (other, its) in others {
            let message = format!(
                "{}:{}: leads to servers of several major versions: {first} is {version}, {other} is {its}; \
                 clients are greeted before they say where they go: give each target a listener of its own \
                 with target = \"{first}\", target = \"{other}\"",
                config.file.display(),
                listener.line,
            );
            findings.push(Finding::problem(format!("listen {}", listener.address), message));
        }
    }
    vec![(0, findings)]
}

fn about(target: &Target) -> String {
    format!("target {}", target.name)
}

/// A target of MySQL or MariaDB: whether each log-in gets in, and whether it is what the settings say.
async fn reach_mysql(target: &Target) -> Vec<Finding> {
    let about = about(target);
    let log_ins = match mysql_log_ins(target) {
        Ok(log_ins) => log_ins,
        Err(error) => return vec![Finding::problem(about, error.to_string())],
    };
    let mut findings = Vec::new();
    let all = log_ins.lower.iter().map(|(_, options)| options);
    for options in std::iter::once(&log_ins.full).chain(all) {
        let connected = mysql::Control::connect(options, PATIENCE).await;
        let mut control = match connected {
            Ok(control) => control,
            Err(error) => {
                let text = format!("{} as {}: {error}", target.address, options.user);
                findings.push(Finding::problem(&about, text));
                continue;
            }
        };
        let said = if target.engine == Engine::MariaDb { Dialect::MariaDb } else { Dialect::MySql };
        if mysql::family(control.version()) != said {
            let text = format!("engine doesn't fit: the server says {}", control.version());
            findings.push(Finding::problem(&about, text));
        }
        if let Err(error) = mysql::catalog::read(&mut control, 1).await {
            let text = format!("{} can't read the catalog: {error}", options.user);
            findings.push(Finding::problem(&about, text));
        }
    }
    findings
}

async fn reach(target: &Target, store: &StoreSetting) -> Vec<Finding> {
    if target.engine != Engine::Postgres {
        return reach_mysql(target).await;
    }
    let about = about(target);
    let options = match connect_options(target) {
        Ok(options) => options,
        Err(error) => return vec![Finding::problem(about, error.to_string())],
    };
    let mut findings = Vec::new();
    if let Err(error) = ask(target, &options, &mut findings).await {
        findings.push(Finding::problem(&about, format!("{}: {error}", target.address)));
        return findings;
    }
    let lower = match lower_log_ins(target) {
        Ok(lower) => lower,
        Err(error) => {
            findings.push(Finding::problem(about, error.to_string()));
            return findings;
        }
    };
    for (level, options) in lower {
        let asked = ask_lower(target, (level, &options), &mut findings).await;
        if let Err(error) = asked {
            let name = level.name();
            findings.push(Finding::problem(&about, format!("log_in.{name}: {error}")));
        }
    }
    if let StoreSetting::Postgres(url) = store
        && let Some((severity, message)) = store_in_reach(target, &options, url.as_str()).await
    {
        findings.push(Finding { severity, about, message });
    }
    findings
}

async fn ask(
    target: &Target,
    options: &ConnectOptions,
    findings: &mut Vec<Finding>,
) -> Result<(), UpstreamError> {
    let mut control = Control::connect(options, PATIENCE).await?;
    // Whatever lies on the log-in's path, the names below are the server's own.
    control.simple_query(OWN_PATH).await?;
    for row in control.simple_query(SERVER).await? {
        findings.extend(server(target, &row));
    }
    for row in control.simple_query(ROLES).await? {
        findings.extend(role(target, &row));
    }
    let catalog = catalog::read(&mut control, 1).await?;
    findings.extend(trust(target, &catalog));
    control.close().await;
    Ok(())
}

/// A log-in for less than everything: it must work, and really be able to do less.
async fn ask_lower(
    target: &Target,
    (level, options): (Level, &ConnectOptions),
    findings: &mut Vec<Finding>,
) -> Result<(), UpstreamError> {
    let mut control = Control::connect(options, PATIENCE).await?;
    control.simple_query(OWN_PATH).await?;
    for row in control.simple_query(ROLES).await? {
        findings.extend(role(target, &row));
        if cell(&row, 0) == target.user {
            let (name, user) = (level.name(), &target.user);
            let message = format!("log_in.{name} can become {user}: it is no lower than that");
            findings.push(Finding::warning(about(target), message));
        }
    }
    let written = match level {
        Level::Read => control.simple_query(WRITABLE).await?,
        Level::Dml | Level::Ddl | Level::Admin => Vec::new(),
    };
    if let Some(row) = written.first() {
        let message = format!(
            "log_in.read may write {} tables, {} among them: it is meant for reading",
            cell(row, 1),
            cell(row, 0)
        );
        findings.push(Finding::warning(about(target), message));
    }
    control.close().await;
    Ok(())
}

/// Tables that the log-in may write: one of them, and how many; no row if there are none.
const WRITABLE: &str = "
SELECT min(c.oid::regclass::text), count(*)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
HAVING count(*) > 0";

const OWN_PATH: &str = "SELECT pg_catalog.set_config('search_path', 'pg_catalog', false)";

const SERVER: &str = "
SELECT current_setting('server_version_num'), current_setting('server_version'),
       current_setting('standard_conforming_strings'), current_setting('max_connections'),
       (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),
       (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())";

/// The log-in itself and every role it is a member of and could become.
const ROLES: &str = "
SELECT rolname, rolname = current_user, rolsuper, rolbypassrls, rolcreaterole, rolreplication
FROM pg_roles
WHERE rolname = current_user
   OR pg_has_role(current_user, oid, 'MEMBER')
      AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
ORDER BY rolname <> current_user, rolname";

fn server(target: &Target, row: &Row) -> Vec<Finding> {
    let (about, mut findings) = (about(target), Vec::new());
    let version: u32 = number(row, 0).unwrap_or(0);
    let shown = cell(row, 1);
    if version / 10_000 < OLDEST {
        let message = format!("runs Postgres {shown}; needed is {OLDEST} or newer");
        findings.push(Finding::problem(&about, message));
    } else if version / 10_000 > NEWEST {
        let message = format!(
            "runs Postgres {shown}, newer than what was reviewed ({NEWEST}): what is new in it \
             needs sql.admin"
        );
        findings.push(Finding::warning(&about, message));
    }
    if cell(row, 2) != "on" {
        let message = "has standard_conforming_strings off: backslashes count in every string, and \
                       statements are judged without the second parser; turn it on for the log-in";
        findings.push(Finding::warning(&about, message));
    }
    if number::<u32>(row, 3).is_some_and(|most| most < target.max_connections) {
        let message = format!(
            "takes {} connections, max_connections here is {}",
            cell(row, 3),
            target.max_connections
        );
        findings.push(Finding::warning(&about, message));
    }
    // -1: as many as it likes. Sessions and the gateway's own connection count alike.
    if number::<i64>(row, 4).is_some_and(|n| n >= 0 && n <= i64::from(target.max_connections)) {
        let message = format!(
            "the log-in may have {} connections, max_connections here is {} and one more is the \
             gateway's own",
            cell(row, 4),
            target.max_connections
        );
        findings.push(Finding::warning(&about, message));
    }
    let offered = target.tls == TargetTls::Prefer && !target.address.is_local();
    if offered && cell(row, 5) != "t" {
        let message = "this very connection was in clear: the server offers no TLS";
        findings.push(Finding::warning(&about, message));
    }
    findings
}

fn role(target: &Target, row: &Row) -> Vec<Finding> {
    let name = cell(row, 0);
    let who = if cell(row, 1) == "t" {
        format!("the log-in {name}")
    } else {
        format!("the log-in can become {name}, which")
    };
    let mut messages = Vec::new();
    if cell(row, 2) == "t" {
        messages.push(format!(
            "{who} is a superuser: nothing on the server stops what a statement slips past the \
             gateway; `hallpass target sql {}` prints a better one",
            target.name
        ));
    } else {
        if cell(row, 3) == "t" {
            messages.push(format!("{who} has BYPASSRLS: row security doesn't hold for it"));
        }
        if cell(row, 4) == "t" {
            messages.push(format!("{who} has CREATEROLE: it can give itself more rights"));
        }
        if cell(row, 5) == "t" {
            messages.push(format!("{who} has REPLICATION: it can copy the whole server"));
        }
        let reaches = REACHING_OUT.iter().find(|(role, _)| *role == name);
        if let Some((role, what)) = reaches {
            messages.push(format!("the log-in is a member of {role}: it can {what}"));
        }
    }
    messages.into_iter().map(|message| Finding::warning(about(target), message)).collect()
}

/// Entries that no routine answers to: misspelt, or dropped since.
fn trust(target: &Target, catalog: &Catalog) -> Vec<Finding> {
    let mut findings = Vec::new();
    for entry in &target.trust {
        match Trust::parse([entry.as_str()]) {
            Ok(trust) => {
                if !catalog.routines().any(|r| trust.permission_for(r).is_some()) {
                    let message = format!("trust names `{entry}`, which no routine there matches");
                    findings.push(Finding::warning(about(target), message));
                }
            }
            Err(error) => findings.push(Finding::problem(about(target), error.to_string())),
        }
    }
    findings
}

/// What a target's log-in can do to a store that lies on the same server; `None`: nothing, or it
/// isn't there.
async fn store_in_reach(
    target: &Target,
    options: &ConnectOptions,
    url: &str,
) -> Option<(Severity, String)> {
    let store = PgConnectOptions::from_str(url).ok()?;
    if !same_server(&target.address, &store).await {
        return None;
    }
    if store.get_username() == target.user {
        let message = "its log-in is the store's too: whoever gets around a judgement can write \
                       grants; give the store a role of its own";
        return Some((Severity::Problem, message.to_owned()));
    }
    let database = store.get_database().unwrap_or_else(|| store.get_username()).to_owned();
    let options = ConnectOptions { database, ..options.clone() };
    let reach = async {
        let mut control = Control::connect(&options, PATIENCE).await?;
        control.simple_query(OWN_PATH).await?;
        let rows = control.simple_query(STORE_TABLES).await;
        control.close().await;
        rows
    };
    // No way in, or no answer: out of reach.
    let rows = reach.await.ok()?;
    let of = |column| rows.iter().any(|row| cell(row, column) == "t");
    let (database, user) = (&options.database, &target.user);
    let remedy = format!("REVOKE CONNECT ON DATABASE {database} FROM PUBLIC, or move the store");
    if of(1) {
        let message = format!(
            "its log-in {user} can write the gateway's store in database {database}, and so make \
             grants: {remedy}"
        );
        Some((Severity::Problem, message))
    } else if of(2) {
        let message = format!(
            "its log-in {user} can read the gateway's store in database {database}, log-in \
             verifiers included: {remedy}"
        );
        Some((Severity::Warning, message))
    } else {
        None
    }
}

/// Tables of the store, under any schema, and whether the log-in may write or read them.
const STORE_TABLES: &str = "
SELECT c.relname,
       has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
           OR pg_has_role(c.relowner, 'MEMBER'),
       has_table_privilege(c.oid, 'SELECT')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND (has_schema_privilege(n.oid, 'USAGE') OR pg_has_role(n.nspowner, 'MEMBER'))
  AND c.relname IN ('principals', 'secrets', 'grants', 'requests', 'meta', 'counters', 'outbox')
  AND EXISTS (SELECT FROM pg_class o WHERE o.relnamespace = n.oid AND o.relname = 'outbox')";

async fn same_server(target: &Address, store: &PgConnectOptions) -> bool {
    let port = store.get_port();
    let socket = store.get_socket().is_some() || store.get_host().starts_with('/');
    let (host, target_port) = match target {
        Address::Unix(path) => {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            let number = name.rsplit('.').next().and_then(|n| n.parse().ok());
            return (socket || is_loopback(store.get_host())) && number == Some(port);
        }
        Address::Tcp { host, port } => (host.as_str(), *port),
    };
    if target_port != port {
        return false;
    }
    if socket {
        return target.is_local();
    }
    host.eq_ignore_ascii_case(store.get_host())
        || target.is_local() && is_loopback(store.get_host())
        || !addresses(host).await.is_disjoint(&addresses(store.get_host()).await)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

async fn addresses(host: &str) -> BTreeSet<IpAddr> {
    match timeout(PATIENCE, lookup_host((host, 0))).await {
        Ok(Ok(found)) => found.map(|a| a.ip().to_canonical()).collect(),
        Ok(Err(_)) | Err(_) => BTreeSet::new(),
    }
}

fn cell(row: &Row, at: usize) -> &str {
    row.get(at).and_then(Option::as_deref).unwrap_or_default()
}

fn number<T: FromStr>(row: &Row, at: usize) -> Option<T> {
    cell(row, at).parse().ok()
}
