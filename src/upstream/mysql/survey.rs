//! Reads what a server holds that gives somebody power, for what a grant leaves behind: accounts, privileges,
//! roles, code, plugins, servers and settings, over the control connection.
//!
//! It needs to read the schema `mysql`, where accounts are: a log-in that may not is told so, since the views of
//! `information_schema` show it a part of them without a word. Names are quoted where two could otherwise look
//! like one.

use super::Control;
use crate::{
    kernel::{access::Holding, sql::mode::Dialect},
    upstream::{UpstreamError, survey::SurveyError},
};

/// Reads all of them.
///
/// # Errors
/// [`SurveyError`].
pub async fn read(control: &mut Control) -> Result<Vec<Holding>, SurveyError> {
    // Lists of privileges aren't cut at a thousand letters.
    control.query("SET SESSION group_concat_max_len = 1048576").await?;
    let own = match super::family(control.version()) {
        Dialect::MariaDb => MARIADB,
        Dialect::MySql | Dialect::Postgres => MYSQL,
    };
    let mut found = Vec::new();
    for question in own.iter().chain(BOTH) {
        for row in control.query(question).await? {
            let mut cells = row.into_iter();
            let mut next = || cells.next().flatten().unwrap_or_default();
            found.push(Holding {
                kind: next(),
                name: next(),
                detail: next(),
                hidden: next(),
                extension: None,
            });
        }
        SurveyError::check(found.len())?;
    }
    found.extend(settings(control).await?);
    Ok(found)
}

/// Settings of the server by which files, log-ins or other people's sessions are reached.
async fn settings(control: &mut Control) -> Result<Vec<Holding>, UpstreamError> {
    let rows = control.query(SETTINGS).await?;
    let holding = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter().map(Option::unwrap_or_default);
        let (name, detail) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
        Holding { kind: "server setting".to_owned(), name, detail, ..Holding::default() }
    };
    Ok(rows.into_iter().map(holding).collect())
}

const MARIADB: &[&str] = &[
    "SELECT IF(JSON_VALUE(Priv, '$.is_role'), 'role', 'user'), CONCAT(QUOTE(User), '@', QUOTE(Host)),
            CONCAT_WS(', ', CONCAT('by ', NULLIF(JSON_VALUE(Priv, '$.plugin'), '')),
                IF(JSON_VALUE(Priv, '$.account_locked'), 'locked', NULL)),
            SHA2(Priv, 256)
     FROM mysql.global_priv",
    "SELECT 'membership', CONCAT(QUOTE(User), '@', QUOTE(Host), ' in ', QUOTE(Role)),
            IF(Admin_option = 'Y', 'may give it on', NULL), NULL
     FROM mysql.roles_mapping",
];

const MYSQL: &[&str] = &[
    "SELECT 'user', CONCAT(QUOTE(User), '@', QUOTE(Host)),
            CONCAT_WS(', ', CONCAT('by ', NULLIF(plugin, '')), IF(account_locked = 'Y', 'locked', NULL)),
            SHA2(CONCAT_WS('/', authentication_string, ssl_type, CAST(User_attributes AS char), password_expired,
                max_user_connections), 256)
     FROM mysql.user",
    "SELECT 'membership', CONCAT(QUOTE(TO_USER), '@', QUOTE(TO_HOST), ' in ', QUOTE(FROM_USER), '@',
                QUOTE(FROM_HOST)),
            IF(WITH_ADMIN_OPTION = 'Y', 'may give it on', NULL), NULL
     FROM mysql.role_edges",
    "SELECT 'default role', CONCAT(QUOTE(DEFAULT_ROLE_USER), '@', QUOTE(DEFAULT_ROLE_HOST), ' of ', QUOTE(USER),
                '@', QUOTE(HOST)), NULL, NULL
     FROM mysql.default_roles",
    "SELECT 'component', component_urn, NULL, NULL FROM mysql.component",
    "SELECT 'kept setting', VARIABLE_NAME, VARIABLE_VALUE, NULL
     FROM performance_schema.persisted_variables",
];

/// A privilege, and whether it may be given on.
macro_rules! privileges {
    ($on:literal, $from:literal, $by:literal) => {
        concat!(
            "SELECT 'privilege', CONCAT(",
            $on,
            ", ' to ', GRANTEE), GROUP_CONCAT(CONCAT(PRIVILEGE_TYPE, \
             IF(IS_GRANTABLE = 'YES', ' (may give it on)', '')) ORDER BY PRIVILEGE_TYPE SEPARATOR ', '), NULL \
             FROM information_schema.",
            $from,
            " GROUP BY ",
            $by
        )
    };
}

const BOTH: &[&str] = &[
    privileges!("'everything'", "USER_PRIVILEGES", "GRANTEE"),
    privileges!("CONCAT('schema ', QUOTE(TABLE_SCHEMA))", "SCHEMA_PRIVILEGES", "GRANTEE, TABLE_SCHEMA"),
    privileges!(
        "CONCAT('table ', QUOTE(TABLE_SCHEMA), '.', QUOTE(TABLE_NAME))",
        "TABLE_PRIVILEGES",
        "GRANTEE, TABLE_SCHEMA, TABLE_NAME"
    ),
    privileges!(
        "CONCAT('column ', QUOTE(TABLE_SCHEMA), '.', QUOTE(TABLE_NAME), '.', QUOTE(COLUMN_NAME))",
        "COLUMN_PRIVILEGES",
        "GRANTEE, TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME"
    ),
    "SELECT 'privilege', CONCAT(LOWER(Routine_type), ' ', QUOTE(Db), '.', QUOTE(Routine_name), ' to ', QUOTE(User),
                '@', QUOTE(Host)), Proc_priv, NULL
     FROM mysql.procs_priv",
    "SELECT 'proxy', CONCAT(QUOTE(User), '@', QUOTE(Host), ' for ', QUOTE(Proxied_user), '@', QUOTE(Proxied_host)),
            IF(With_grant, 'may give it on', NULL), NULL
     FROM mysql.proxies_priv",
    "SELECT 'routine', CONCAT(QUOTE(ROUTINE_SCHEMA), '.', QUOTE(ROUTINE_NAME), ', ', LOWER(ROUTINE_TYPE)),
            CONCAT_WS(', ', IF(SECURITY_TYPE = 'DEFINER', 'runs with the rights of its definer', NULL),
                CONCAT('definer ', DEFINER)),
            SHA2(CONCAT_WS('/', COALESCE(ROUTINE_DEFINITION, ''), COALESCE(DTD_IDENTIFIER, ''), SQL_DATA_ACCESS,
                IS_DETERMINISTIC, SQL_MODE, CREATED), 256)
     FROM information_schema.ROUTINES",
    "SELECT 'trigger', CONCAT(QUOTE(TRIGGER_SCHEMA), '.', QUOTE(TRIGGER_NAME), ' on ', QUOTE(EVENT_OBJECT_TABLE)),
            CONCAT('definer ', DEFINER),
            SHA2(CONCAT_WS('/', EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER, ACTION_STATEMENT, SQL_MODE), 256)
     FROM information_schema.TRIGGERS",
    "SELECT 'event', CONCAT(QUOTE(EVENT_SCHEMA), '.', QUOTE(EVENT_NAME)),
            CONCAT_WS(', ', LOWER(STATUS), CONCAT('definer ', DEFINER)),
            SHA2(CONCAT_WS('/', EVENT_DEFINITION, SQL_MODE, EXECUTE_AT, INTERVAL_VALUE, INTERVAL_FIELD, STARTS,
                ENDS), 256)
     FROM information_schema.EVENTS",
    // A view shows what its definer may see.
    "SELECT 'view', CONCAT(QUOTE(TABLE_SCHEMA), '.', QUOTE(TABLE_NAME)),
            CONCAT_WS(', ', IF(SECURITY_TYPE = 'DEFINER', 'shows with the rights of its definer', NULL),
                CONCAT('definer ', DEFINER)),
            SHA2(COALESCE(VIEW_DEFINITION, ''), 256)
     FROM information_schema.VIEWS WHERE TABLE_SCHEMA <> 'sys'",
    "SELECT 'loadable function', QUOTE(name), CONCAT('from ', dl), NULL FROM mysql.func",
    "SELECT 'plugin', PLUGIN_NAME, CONCAT('from ', PLUGIN_LIBRARY), PLUGIN_STATUS
     FROM information_schema.PLUGINS WHERE PLUGIN_LIBRARY IS NOT NULL",
    "SELECT 'server', QUOTE(Server_name), CONCAT_WS(' ', 'by', Wrapper, 'at', Host),
            SHA2(CONCAT_WS('/', Host, Db, Username, Password, Port, Socket, Wrapper, Owner), 256)
     FROM mysql.servers",
];

const SETTINGS: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN (
    'activate_all_roles_on_login', 'authentication_policy', 'default_authentication_plugin', 'event_scheduler',
    'general_log', 'general_log_file', 'init_connect', 'init_replica', 'init_slave', 'local_infile',
    'log_bin_trust_function_creators', 'log_output', 'mandatory_roles', 'partial_revokes', 'read_only',
    'require_secure_transport', 'secure_auth', 'server_audit_logging', 'slow_query_log', 'slow_query_log_file',
    'sql_log_bin', 'sql_mode', 'strict_password_validation', 'super_read_only', 'tls_version')";
