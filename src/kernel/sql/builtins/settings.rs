//! Who may change which setting.

use std::{collections::HashMap, sync::LazyLock};

use super::entries;
use crate::kernel::sql::charset::Encoding;

const LIST: &str = include_str!("settings.txt");

/// What changing a setting of the own session needs, by SET, `set_config` or a start-up option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SettingRule {
    /// Changes how results look, how plans are made, how long things may take: nothing.
    Harmless,
    /// Lets statements take more memory or workers: info.
    Resource,
    /// `search_path`: which objects names mean. Nothing, but followed by the session.
    Path,
    /// `client_encoding`: nothing for one [that is read](is_read_encoding); else refused.
    Encoding,
    /// Changes what a text means: nothing for the server's own default; else refused.
    Lexer,
    /// Whether the session may write: answered by the gateway, which keeps its own.
    Wall,
    /// Whose rights the session has: admin.
    Identity,
    /// A name with a dot that belongs to no extension on the list: a placeholder that the server
    /// gives no meaning to, where a value can be parked and row security may look.
    Custom,
    /// Everything else.
    Admin,
}

impl SettingRule {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "harmless" => Self::Harmless,
            "resource" => Self::Resource,
            "path" => Self::Path,
            "encoding" => Self::Encoding,
            "lexer" => Self::Lexer,
            "wall" => Self::Wall,
            "identity" => Self::Identity,
            "custom" => Self::Custom,
            "admin" => Self::Admin,
            _ => return None,
        })
    }
}

#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) rule: SettingRule,
    pub(super) hidden: bool,
}

static ENTRIES: LazyLock<HashMap<&'static str, Entry>> =
    LazyLock::new(|| entries(LIST).filter_map(|line| parse(&line)).collect());

/// Fail closed: a line that does not read is left out, so that its setting needs admin.
pub(super) fn parse(line: &[&'static str]) -> Option<(&'static str, Entry)> {
    let (name, rule, hidden) = match *line {
        [name, rule] => (name, rule, false),
        [name, rule, "hidden"] => (name, rule, true),
        _ => return None,
    };
    Some((name, Entry { rule: SettingRule::parse(rule)?, hidden }))
}

/// The rule of a setting. Names are compared without regard to case, as the server does.
pub fn setting(name: &str) -> SettingRule {
    let name = name.to_ascii_lowercase();
    match name.split_once('.') {
        Some((extension, _)) => {
            let all_of_it = format!("{extension}.*");
            ENTRIES.get(all_of_it.as_str()).map_or(SettingRule::Custom, |entry| entry.rule)
        }
        None => ENTRIES.get(name.as_str()).map_or(SettingRule::Admin, |entry| entry.rule),
    }
}

/// Settings by which one statement may take the server's memory: in bytes of their unit, and at most.
const BOUNDS: [(&str, f64, f64); 4] = [
    ("hash_mem_multiplier", 1.0, 8.0),
    ("maintenance_work_mem", 1024.0, 2.0 * GIB),
    ("temp_buffers", 8192.0, GIB),
    ("work_mem", 1024.0, GIB),
];

const GIB: f64 = 1_073_741_824.0;

/// True if a value of this setting counts only up to a bound: see [`setting_is_fair`].
pub fn setting_has_bound(name: &str) -> bool {
    BOUNDS.iter().any(|(bounded, ..)| name.eq_ignore_ascii_case(bounded))
}

/// True unless the value of a setting that costs the server memory is more than anybody needs for a
/// statement without asking its administrator.
///
/// Fail closed: neither is a value that isn't a plain number with a unit. The server reads more.
pub fn setting_is_fair(name: &str, value: &str) -> bool {
    let bound = BOUNDS.iter().find(|(bounded, ..)| name.eq_ignore_ascii_case(bounded));
    let Some((_, unit, most)) = bound else { return true };
    amount(value, *unit).is_some_and(|amount| amount <= *most)
}

/// Spec: `parse_int` and `parse_real` of the server: a number, blanks, a unit.
fn amount(value: &str, own_unit: f64) -> Option<f64> {
    let value = value.trim_matches(|c: char| c.is_ascii_whitespace());
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    let (number, unit) = value.split_at_checked(end)?;
    let number: f64 = number.parse().ok()?;
    let unit = match unit.trim_start_matches(|c: char| c.is_ascii_whitespace()) {
        "" => own_unit,
        "B" => 1.0,
        "kB" => 1024.0,
        "MB" => 1024.0 * 1024.0,
        "GB" => GIB,
        _ => return None,
    };
    Some(number * unit)
}

/// True if the value of a setting that changes how texts are read is the one that every server starts
/// with.
pub fn is_default_lexer(name: &str, value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    let on = matches!(value.as_str(), "on" | "true" | "yes" | "1" | "t" | "y");
    let off = matches!(value.as_str(), "off" | "false" | "no" | "0" | "f" | "n");
    match name.to_ascii_lowercase().as_str() {
        "standard_conforming_strings" => on,
        "transform_null_equals" => off,
        "backslash_quote" => value == "safe_encoding",
        _ => false,
    }
}

/// True if even SHOW and `current_setting` of it need admin: connection strings, commands, paths of
/// the server. Every other setting is info.
pub fn setting_is_hidden(name: &str) -> bool {
    ENTRIES.get(name.to_ascii_lowercase().as_str()).is_some_and(|entry| entry.hidden)
}

/// True if texts are read whole in this `client_encoding`, at a server whose own encoding allows it.
pub fn is_read_encoding(value: &str) -> bool {
    match Encoding::named(value) {
        Encoding::Utf8 | Encoding::Bytes | Encoding::Table(_) => true,
        Encoding::Other => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::names_are_sorted_and_unique;
    use super::*;

    #[test]
    fn every_line_reads() {
        for line in entries(LIST) {
            assert!(parse(&line).is_some(), "{line:?}");
        }
        names_are_sorted_and_unique(LIST);
    }

    #[test]
    fn what_drivers_and_dumps_set_is_harmless() {
        let names = "application_name bytea_output check_function_bodies client_min_messages \
             DateStyle default_table_access_method default_tablespace \
             default_transaction_isolation extra_float_digits \
             idle_in_transaction_session_timeout IntervalStyle jit lock_timeout \
             plan_cache_mode quote_all_identifiers row_security statement_timeout \
             synchronize_seqscans synchronous_commit TimeZone transaction_isolation \
             transaction_timeout xmloption enable_seqscan restrict_nonsystem_relation_kind";
        for name in names.split_whitespace() {
            assert_eq!(setting(name), SettingRule::Harmless, "{name}");
        }
    }

    #[test]
    fn what_changes_the_meaning_of_statements_has_a_rule_of_its_own() {
        for (name, rule) in [
            ("search_path", SettingRule::Path),
            ("client_encoding", SettingRule::Encoding),
            ("standard_conforming_strings", SettingRule::Lexer),
            ("Backslash_Quote", SettingRule::Lexer),
            ("transform_null_equals", SettingRule::Lexer),
            ("default_transaction_read_only", SettingRule::Wall),
            ("transaction_read_only", SettingRule::Wall),
            ("role", SettingRule::Identity),
            ("session_authorization", SettingRule::Identity),
            ("work_mem", SettingRule::Resource),
            ("app.tenant", SettingRule::Custom),
        ] {
            assert_eq!(setting(name), rule, "{name}");
        }
    }

    #[test]
    fn everything_else_needs_admin() {
        let names = "allow_system_table_mods archive_command auto_explain.log_analyze \
             debug_print_plan dynamic_library_path ignore_system_indexes is_superuser \
             jit_dump_bitcode lo_compat_privileges local_preload_libraries log_connections \
             log_min_messages log_parameter_max_length_on_error log_statement \
             pg_stat_statements.track pgaudit.log PgAudit.Log plperl.on_init plv8.start_proc \
             session_preload_libraries session_replication_role shared_buffers \
             track_activities update_process_title zero_damaged_pages no_such_setting *";
        for name in names.split_whitespace() {
            assert_eq!(setting(name), SettingRule::Admin, "{name}");
        }
        assert_eq!(setting(""), SettingRule::Admin);
    }

    #[test]
    fn what_costs_memory_is_fair_up_to_a_bound() {
        for (name, value) in [
            ("work_mem", "1GB"),
            ("Work_Mem", " 1048576 "),
            ("work_mem", "0.5 GB"),
            ("temp_buffers", "131072"),
            ("hash_mem_multiplier", "8"),
            ("max_parallel_workers_per_gather", "64"),
        ] {
            assert!(setting_is_fair(name, value), "{name} {value}");
        }
        for (name, value) in [
            ("work_mem", "1048577"),
            ("WORK_MEM", "1.1GB"),
            ("work_mem", "1TB"),
            ("work_mem", "1e7"),
            ("work_mem", "0x989680"),
            ("work_mem", "-1"),
            ("work_mem", ""),
            ("temp_buffers", "131073"),
            ("hash_mem_multiplier", "8.1"),
            ("hash_mem_multiplier", "inf"),
        ] {
            assert!(!setting_is_fair(name, value), "{name} {value}");
        }
    }

    #[test]
    fn a_prefix_is_no_setting() {
        assert_eq!(setting("search_path.x"), SettingRule::Custom);
        assert_eq!(setting("pgaudit"), SettingRule::Admin);
    }

    #[test]
    fn connection_strings_and_paths_are_hidden() {
        for name in ["primary_conninfo", "Archive_Command", "ssl_key_file", "hba_file"] {
            assert!(setting_is_hidden(name), "{name}");
        }
        for name in ["server_version", "search_path", "max_connections", "TimeZone", "app.user"] {
            assert!(!setting_is_hidden(name), "{name}");
        }
    }

    #[test]
    fn encodings_of_several_bytes_a_character_are_not_read_but_for_utf8() {
        for value in ["UTF8", "utf-8", "Unicode", "'UTF8'", "SQL_ASCII", "LATIN1", "win-1252"] {
            assert!(is_read_encoding(value), "{value}");
        }
        for value in ["GBK", "SJIS", "EUC_JP", "MULE_INTERNAL", "UTF16", "", "ＵTF8", "ＬATIN1"] {
            assert!(!is_read_encoding(value), "{value}");
        }
    }
}
