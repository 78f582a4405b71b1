//! The reviewed lists of what every Postgres server brings along: functions, catalogs, settings.
//!
//! The lists stand beside this file as plain text, one entry a line, and were measured against
//! PostgreSQL 15 with what 13, 14, 16, 17 and 18 have more or other. They say what a *built-in* does;
//! whether a name in a statement means the built-in is resolved elsewhere.
//!
//! Fail closed: what is not on a list needs admin, so a server version that brings something new
//! opens nothing.

mod extensions;
mod functions;
pub mod mysql;
pub mod mysql_columns;
pub mod never_fails;
mod relations;
mod settings;
mod types;

pub use extensions::{ExtensionRule, STATEMENTS, STATEMENTS_TEXT, extension_function};
pub use functions::{FunctionRule, function, text_matters};
pub use relations::{CatalogRule, RelationRule, catalog_relation};
pub use settings::{
    SettingRule, is_default_lexer, is_read_encoding, setting, setting_has_bound, setting_is_fair,
    setting_is_hidden,
};
pub use types::is_built_in_type;

/// The entries of a list: lines without comments and blanks, cut at white space.
fn entries(list: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    list.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_ascii_whitespace().collect())
}

#[cfg(test)]
pub(crate) fn names_are_sorted_and_unique(list: &'static str) {
    let names: Vec<&str> = entries(list).map(|entry| entry[0]).collect();
    for pair in names.windows(2) {
        assert!(pair[0] < pair[1], "{} stands before {}", pair[0], pair[1]);
    }
}
