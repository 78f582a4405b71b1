//! The columns of relations of the servers' own in which some are hidden, so that `*` can be read.
//!
//! As MySQL 9.7 and MariaDB 10.11 have them; `tests/mysql_servers/catalogs` holds them against the servers. A
//! result of another width is cut.

use crate::kernel::sql::mode::Dialect;

/// Schema, name, and the columns of MySQL and of MariaDB; `=` where both have the same.
const LISTS: [(&str, &str, &str, &str); 10] = [
    (
        "information_schema",
        "processlist",
        "id user host db command time state info",
        "id user host db command time state info time_ms stage max_stage progress memory_used max_memory_used \
         examined_rows query_id info_binary tid",
    ),
    (
        "information_schema",
        "innodb_trx",
        "trx_id trx_state trx_started trx_requested_lock_id trx_wait_started trx_weight trx_mysql_thread_id \
         trx_query trx_operation_state trx_tables_in_use trx_tables_locked trx_lock_structs trx_lock_memory_bytes \
         trx_rows_locked trx_rows_modified trx_concurrency_tickets trx_isolation_level trx_unique_checks \
         trx_foreign_key_checks trx_last_foreign_key_error trx_adaptive_hash_latched trx_adaptive_hash_timeout \
         trx_is_read_only trx_autocommit_non_locking trx_schedule_weight",
        "trx_id trx_state trx_started trx_requested_lock_id trx_wait_started trx_weight trx_mysql_thread_id \
         trx_query trx_operation_state trx_tables_in_use trx_tables_locked trx_lock_structs trx_lock_memory_bytes \
         trx_rows_locked trx_rows_modified trx_concurrency_tickets trx_isolation_level trx_unique_checks \
         trx_foreign_key_checks trx_last_foreign_key_error trx_is_read_only trx_autocommit_non_locking",
    ),
    (
        "information_schema",
        "innodb_locks",
        "",
        "lock_id lock_trx_id lock_mode lock_type lock_table lock_index lock_space lock_page lock_rec lock_data",
    ),
    (
        "performance_schema",
        "data_locks",
        "engine engine_lock_id engine_transaction_id thread_id event_id object_schema object_name partition_name \
         subpartition_name index_name object_instance_begin lock_type lock_mode lock_status lock_data",
        "",
    ),
    (
        "performance_schema",
        "threads",
        "thread_id name type processlist_id processlist_user processlist_host processlist_db processlist_command \
         processlist_time processlist_state processlist_info parent_thread_id role instrumented history \
         connection_type thread_os_id resource_group execution_engine controlled_memory max_controlled_memory \
         total_memory max_total_memory telemetry_active",
        "thread_id name type processlist_id processlist_user processlist_host processlist_db processlist_command \
         processlist_time processlist_state processlist_info parent_thread_id role instrumented history \
         connection_type thread_os_id",
    ),
    (
        "sys",
        "host_summary",
        "host statements statement_latency statement_avg_latency table_scans file_ios file_io_latency \
         current_connections total_connections unique_users current_memory total_memory_allocated",
        "=",
    ),
    (
        "sys",
        "innodb_lock_waits",
        "wait_started wait_age wait_age_secs locked_table locked_table_schema locked_table_name \
         locked_table_partition locked_table_subpartition locked_index locked_type waiting_trx_id \
         waiting_trx_started waiting_trx_age waiting_trx_rows_locked waiting_trx_rows_modified waiting_pid \
         waiting_query waiting_lock_id waiting_lock_mode blocking_trx_id blocking_pid blocking_query \
         blocking_lock_id blocking_lock_mode blocking_trx_started blocking_trx_age blocking_trx_rows_locked \
         blocking_trx_rows_modified sql_kill_blocking_query sql_kill_blocking_connection",
        "wait_started wait_age wait_age_secs locked_table locked_index locked_type waiting_trx_id \
         waiting_trx_started waiting_trx_age waiting_trx_rows_locked waiting_trx_rows_modified waiting_pid \
         waiting_query waiting_lock_id waiting_lock_mode blocking_trx_id blocking_pid blocking_query \
         blocking_lock_id blocking_lock_mode blocking_trx_started blocking_trx_age blocking_trx_rows_locked \
         blocking_trx_rows_modified sql_kill_blocking_query sql_kill_blocking_connection",
    ),
    (
        "sys",
        "schema_table_lock_waits",
        "object_schema object_name waiting_thread_id waiting_pid waiting_account waiting_lock_type \
         waiting_lock_duration waiting_query waiting_query_secs waiting_query_rows_affected \
         waiting_query_rows_examined blocking_thread_id blocking_pid blocking_account blocking_lock_type \
         blocking_lock_duration sql_kill_blocking_query sql_kill_blocking_connection",
        "=",
    ),
    (
        "sys",
        "session",
        "thd_id conn_id user db command state time current_statement execution_engine statement_latency progress \
         lock_latency cpu_latency rows_examined rows_sent rows_affected tmp_tables tmp_disk_tables full_scan \
         last_statement last_statement_latency current_memory last_wait last_wait_latency source trx_latency \
         trx_state trx_autocommit pid program_name",
        "thd_id conn_id user db command state time current_statement statement_latency progress lock_latency \
         rows_examined rows_sent rows_affected tmp_tables tmp_disk_tables full_scan last_statement \
         last_statement_latency current_memory last_wait last_wait_latency source trx_latency trx_state \
         trx_autocommit pid program_name",
    ),
    (
        "sys",
        "user_summary",
        "user statements statement_latency statement_avg_latency table_scans file_ios file_io_latency \
         current_connections total_connections unique_hosts current_memory total_memory_allocated",
        "=",
    ),
];

/// Columns of them that can be hidden row by row.
const HIDDEN: [&str; 20] = [
    "blocking_query",
    "controlled_memory",
    "current_memory",
    "current_statement",
    "info",
    "info_binary",
    "last_statement",
    "lock_data",
    "max_controlled_memory",
    "max_memory_used",
    "max_total_memory",
    "memory_used",
    "processlist_info",
    "sql_kill_blocking_connection",
    "sql_kill_blocking_query",
    "tmp_disk_tables",
    "total_memory",
    "total_memory_allocated",
    "trx_query",
    "waiting_query",
];

/// True of a column that is looked for among outputs, so that it can be hidden there.
pub fn can_be_hidden(column: &str) -> bool {
    HIDDEN.contains(&column)
}

/// The columns of such a relation, in order. `None`: it isn't listed, or the server hasn't got it.
pub fn columns(schema: &str, name: &str, dialect: Dialect) -> Option<Vec<&'static str>> {
    // Spec: `sys.session` is what `sys.processlist` shows of people's connections.
    let name = if (schema, name) == ("sys", "processlist") { "session" } else { name };
    let (.., mysql, maria) = LISTS.iter().find(|(s, n, ..)| (*s, *n) == (schema, name))?;
    let list = match dialect {
        Dialect::MySql => mysql,
        Dialect::MariaDb if *maria == "=" => mysql,
        Dialect::MariaDb => maria,
        Dialect::Postgres => return None,
    };
    (!list.is_empty()).then(|| list.split_whitespace().collect())
}

/// True if such a relation may go by this name.
pub fn is_listed(name: &str) -> bool {
    name.eq_ignore_ascii_case("processlist")
        || LISTS.iter().any(|(_, listed, ..)| listed.eq_ignore_ascii_case(name))
}

/// Every relation of the list, by schema and name.
pub fn listed() -> impl Iterator<Item = (&'static str, &'static str)> {
    LISTS.iter().map(|(schema, name, ..)| (*schema, *name)).chain([("sys", "processlist")])
}
