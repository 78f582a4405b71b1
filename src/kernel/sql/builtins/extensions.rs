//! What functions of the server's own extensions do.

use std::{collections::HashMap, sync::LazyLock};

use super::entries;

const LIST: &str = include_str!("extensions.txt");

/// What calling a reviewed function of an extension needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExtensionRule {
    /// Computes from its arguments, the clock or chance: what a pure built-in needs.
    Pure,
    /// Shows counters and the state of pages and buffers, no value: info.
    Info,
    /// The same, but reads a whole relation for it: select, on nothing in particular.
    Select,
    /// Shows other people's statements: admin. The extension's own view of them is info, with their
    /// text hidden: see [`STATEMENTS`].
    Statements,
    /// Executes a text that no parser sees, or reads a file that a text names: admin.
    Admin,
}

static ENTRIES: LazyLock<HashMap<&'static str, ExtensionRule>> =
    LazyLock::new(|| entries(LIST).filter_map(|line| parse(&line)).collect());

fn parse(line: &[&'static str]) -> Option<(&'static str, ExtensionRule)> {
    match *line {
        [name, "pure"] => Some((name, ExtensionRule::Pure)),
        [name, "info"] => Some((name, ExtensionRule::Info)),
        [name, "select"] => Some((name, ExtensionRule::Select)),
        [name, "statements"] => Some((name, ExtensionRule::Statements)),
        [name, "admin"] => Some((name, ExtensionRule::Admin)),
        _ => None,
    }
}

/// The view of an extension that shows other people's statements.
pub const STATEMENTS: &str = "pg_stat_statements";
/// Its column with their text.
pub const STATEMENTS_TEXT: &[&str] = &["query"];

/// The rule of a C function of an extension. `None`: not reviewed.
pub fn extension_function(extension: &str, name: &str) -> Option<ExtensionRule> {
    ENTRIES.get(format!("{extension}.{name}").as_str()).copied()
}

#[cfg(test)]
mod tests {
    use super::super::names_are_sorted_and_unique;
    use super::*;

    #[test]
    fn every_line_reads() {
        for line in entries(LIST) {
            assert!(parse(&line).is_some_and(|(name, _)| name.contains('.')), "{line:?}");
        }
        names_are_sorted_and_unique(LIST);
    }

    #[test]
    fn what_executes_a_text_needs_admin() {
        for (extension, name) in [
            ("tablefunc", "crosstab"),
            ("tablefunc", "crosstab3"),
            ("tablefunc", "connectby"),
            ("xml2", "xpath_table"),
        ] {
            assert_eq!(extension_function(extension, name), Some(ExtensionRule::Admin), "{name}");
        }
        for name in ["dblink", "dblink_exec", "dblink_connect"] {
            assert_eq!(extension_function("dblink", name), None, "{name}");
        }
    }
}
