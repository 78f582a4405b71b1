//! What the built-in functions do.

use std::{collections::HashMap, sync::LazyLock};

use super::entries;

const LIST: &str = include_str!("functions.txt");

/// What calling a built-in function needs, by the worst of its overloads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FunctionRule {
    /// Computes from its arguments, the clock or chance: info.
    Pure,
    /// Reads catalogs, counters, settings or the state of the session: info.
    Info,
    /// Holds the connection or hands out a snapshot: select, on nothing in particular.
    Select,
    /// Gives out the source of routines: select on the whole target, or admin.
    Source,
    /// Changes something outside its own session, however small: dml.
    Dml,
    /// `set_config`: judged as SET of its first argument if that is a constant; else admin.
    SetConfig,
    /// `current_setting`: judged as SHOW of its first argument if that is a constant; else admin.
    CurrentSetting,
    /// Files, other sessions, replication, statistics values, large objects, dynamic SQL: admin.
    Admin,
}

impl FunctionRule {
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "pure" => Self::Pure,
            "info" => Self::Info,
            "select" => Self::Select,
            "source" => Self::Source,
            "dml" => Self::Dml,
            "set_config" => Self::SetConfig,
            "current_setting" => Self::CurrentSetting,
            "admin" => Self::Admin,
            _ => return None,
        })
    }
}

#[derive(Clone, Copy)]
struct Entry {
    rule: FunctionRule,
    text_matters: bool,
}

static ENTRIES: LazyLock<HashMap<&'static str, Entry>> =
    LazyLock::new(|| entries(LIST).filter_map(|line| parse(&line)).collect());

/// Fail closed: a line that does not read is left out, so that its function needs admin.
fn parse(line: &[&'static str]) -> Option<(&'static str, Entry)> {
    let (name, rule, text_matters) = match *line {
        [name, rule] => (name, rule, false),
        [name, rule, "text"] => (name, rule, true),
        _ => return None,
    };
    Some((name, Entry { rule: FunctionRule::parse(rule)?, text_matters }))
}

/// The rule of a function of `pg_catalog` or `information_schema`, by its name as the server folds
/// it, without schema. `None`: not reviewed, needs admin.
pub fn function(name: &str) -> Option<FunctionRule> {
    ENTRIES.get(name).map(|entry| entry.rule)
}

/// True if a constant text argument of the function names the object or the setting that the call
/// touches, so that two texts that differ in it are two statements. True for every name that is not
/// on the list.
pub fn text_matters(name: &str) -> bool {
    ENTRIES.get(name).is_none_or(|entry| entry.text_matters)
}

#[cfg(test)]
mod tests;
