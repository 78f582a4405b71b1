//! What MySQL and MariaDB bring along: functions, catalogs, variables.

use std::{collections::HashMap, sync::LazyLock};

use super::{CatalogRule, FunctionRule, SettingRule, entries, relations, settings};
use crate::kernel::sql::mode::{ClientSet, SqlMode};

const FUNCTIONS: &str = include_str!("mysql_functions.txt");
const RELATIONS: &str = include_str!("mysql_relations.txt");
const SETTINGS: &str = include_str!("mysql_settings.txt");

/// The schemas of the servers themselves.
pub const SCHEMAS: [&str; 4] = ["information_schema", "mysql", "performance_schema", "sys"];

static FUNCTION_RULES: LazyLock<HashMap<&'static str, FunctionRule>> = LazyLock::new(|| {
    entries(FUNCTIONS)
        .filter_map(|line| match *line {
            [name, rule] => Some((name, FunctionRule::parse(rule)?)),
            _ => None,
        })
        .collect()
});

static RELATION_RULES: LazyLock<HashMap<&'static str, HashMap<&'static str, CatalogRule>>> =
    LazyLock::new(|| {
        let mut schemas: HashMap<_, HashMap<_, _>> = HashMap::new();
        for (schema, name, rule) in entries(RELATIONS).filter_map(|line| relations::parse(&line)) {
            schemas.entry(schema).or_default().insert(name, rule);
        }
        schemas
    });

static SETTING_RULES: LazyLock<HashMap<&'static str, (SettingRule, bool)>> = LazyLock::new(|| {
    entries(SETTINGS)
        .filter_map(|line| {
            let (name, entry) = settings::parse(&line)?;
            Some((name, (entry.rule, entry.hidden)))
        })
        .collect()
});

/// The rule of a function, by its name in lower case. `None`: not reviewed.
pub fn function(name: &str) -> Option<FunctionRule> {
    FUNCTION_RULES.get(name).copied()
}

/// Functions of the schema `sys` that only write values differently.
pub fn is_pure_in_sys(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "extract_schema_from_file_name",
        "extract_table_from_file_name",
        "format_bytes",
        "format_path",
        "format_statement",
        "format_time",
        "list_add",
        "list_drop",
        "quote_identifier",
        "version_major",
        "version_minor",
        "version_patch",
    ];
    NAMES.contains(&name)
}

/// What a session or the server counts of the bytes that it sends, sorts and holds.
pub const TELLING_STATUS: [&str; 11] = [
    "bytes_sent",
    "created_tmp_disk_tables",
    "created_tmp_files",
    "global_connection_memory",
    "max_memory_used",
    "max_tmp_space_used",
    "memory_used",
    "memory_used_initial",
    "net_buffer_length",
    "sort_merge_passes",
    "tmp_space_used",
];

/// Columns of relations of the servers' own schemas that show such counts, or how much was warned of.
pub fn telling_columns(relation: &str) -> &'static [&'static str] {
    match relation {
        "processlist" | "session" => {
            &["current_memory", "max_memory_used", "memory_used", "tmp_disk_tables"]
        }
        "threads" => {
            &["controlled_memory", "max_controlled_memory", "max_total_memory", "total_memory"]
        }
        "host_summary" | "user_summary" => &["current_memory", "total_memory_allocated"],
        "events_errors_summary_global_by_error" => &["sum_error_raised", "sum_error_handled"],
        _ if relation.starts_with("events_statements_summary_") => &[
            "max_controlled_memory",
            "max_total_memory",
            "sum_created_tmp_disk_tables",
            "sum_errors",
            "sum_sort_merge_passes",
            "sum_warnings",
        ],
        _ => &[],
    }
}

/// Relations of the servers' own schemas that show such counts.
pub fn shows_status(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "client_statistics",
        "global_status",
        "metrics",
        "session_status",
        "status_by_account",
        "status_by_host",
        "status_by_thread",
        "status_by_user",
        "user_statistics",
    ];
    NAMES.contains(&name) || name.starts_with("socket_") || name.starts_with("memory_")
}

/// The rule of a relation of the servers' own schemas, by names in lower case.
pub fn catalog_relation(schema: &str, name: &str) -> Option<&'static CatalogRule> {
    RELATION_RULES.get(schema)?.get(name)
}

/// The rule of a variable of the session's, by its name in lower case.
pub fn setting(name: &str) -> SettingRule {
    SETTING_RULES.get(name).map_or(SettingRule::Admin, |(rule, _)| *rule)
}

/// True if even reading it needs admin.
pub fn setting_is_hidden(name: &str) -> bool {
    const PARTS: [&str; 3] = ["password", "_pwd", "keyring"];
    let listed = SETTING_RULES.get(name).is_some_and(|(_, hidden)| *hidden);
    listed || PARTS.iter().any(|part| name.contains(part)) && !name.starts_with("validate_password")
}

/// True if this value of a variable that needs admin is the one that it has anyway.
pub fn setting_is_usual(name: &str, value: &str) -> bool {
    let off = ["0", "off", "false"].iter().any(|off| value.eq_ignore_ascii_case(off));
    match name {
        "sql_auto_is_null" => off,
        // What the gateway follows sessions by.
        "session_track_schema" => {
            ["1", "on", "true"].iter().any(|on| value.eq_ignore_ascii_case(on))
        }
        "completion_type" => value == "0" || value.eq_ignore_ascii_case("no_chain"),
        _ => false,
    }
}

/// Bytes that a session may take for itself by one variable.
const FAIR: u64 = 256 * 1024 * 1024;

/// True if a value of a variable that costs memory is no more than anybody needs.
///
/// Fail closed: neither is what isn't a plain number.
pub fn setting_is_fair(name: &str, value: &str) -> bool {
    match name {
        "big_tables" | "internal_tmp_mem_storage_engine" => true,
        // Rows, and a plain number may be any.
        "max_join_size" => true,
        _ => value.parse::<u64>().is_ok_and(|bytes| bytes <= FAIR),
    }
}

/// True if texts are read in a session with this value of a variable that says how they are spelled.
pub fn is_read_encoding(name: &str, value: &str) -> bool {
    let unconverted = matches!(value.to_ascii_lowercase().as_str(), "null" | "binary");
    match name {
        "character_set_results" if unconverted => true,
        _ => ClientSet::of(value) != ClientSet::Unreadable,
    }
}

/// True if texts are read in a session with this `sql_mode`.
pub fn is_read_mode(value: &str) -> bool {
    SqlMode::of(value).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::names_are_sorted_and_unique;
    use super::*;

    #[test]
    fn every_line_reads() {
        for (list, read) in [
            (FUNCTIONS, FUNCTION_RULES.len()),
            (RELATIONS, RELATION_RULES.values().map(HashMap::len).sum()),
            (SETTINGS, SETTING_RULES.len()),
        ] {
            assert_eq!(entries(list).count(), read);
            names_are_sorted_and_unique(list);
        }
    }

    #[test]
    fn what_reaches_beyond_the_statement_is_not_pure() {
        for name in ["load_file", "master_pos_wait", "sys_exec", "source_pos_wait"] {
            assert_eq!(function(name), Some(FunctionRule::Admin), "{name}");
        }
        for name in ["get_lock", "release_lock", "last_insert_id"] {
            assert_eq!(function(name), Some(FunctionRule::Dml), "{name}");
        }
        for name in ["sleep", "benchmark"] {
            assert_eq!(function(name), Some(FunctionRule::Select), "{name}");
        }
        assert_eq!(function("anything_else"), None);
    }
}
