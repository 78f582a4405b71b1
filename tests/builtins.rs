//! The reviewed lists against what a PostgreSQL 15 and an 18 really have: `tests/data/postgres15` and
//! `postgres18`, taken from fresh Debian servers' own catalogs; and against what the corpora call.

use hallpass::kernel::sql::builtins::{
    FunctionRule, RelationRule, SettingRule, catalog_relation, function, setting,
};

#[path = "support/corpus.rs"]
pub mod corpus;

const FUNCTIONS: [&str; 2] =
    [include_str!("data/postgres15/functions.txt"), include_str!("data/postgres18/functions.txt")];
const RELATIONS: [&str; 2] =
    [include_str!("data/postgres15/relations.txt"), include_str!("data/postgres18/relations.txt")];
const SETTINGS: [&str; 2] =
    [include_str!("data/postgres15/settings.txt"), include_str!("data/postgres18/settings.txt")];

fn lines(texts: [&'static str; 2]) -> impl Iterator<Item = Vec<&'static str>> {
    texts
        .into_iter()
        .flat_map(str::lines)
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split_whitespace().collect())
}

#[test]
fn every_function_that_can_be_called_was_reviewed() {
    for line in lines(FUNCTIONS) {
        let [name, _, use_] = line[..] else { panic!("{line:?}") };
        if use_ == "callable" {
            assert!(function(name).is_some(), "{name} is not on the list");
        } else {
            assert!(
                matches!(function(name), None | Some(FunctionRule::Admin))
                    // The two methods of TABLESAMPLE; and what 15 lets people call and 18 doesn't.
                    || matches!(name, "bernoulli" | "system" | "interval_avg"),
                "{name} is on the list though nobody can call it"
            );
        }
    }
}

#[test]
fn a_volatile_function_is_pure_only_by_name() {
    for line in lines(FUNCTIONS) {
        let [name, volatility, _] = line[..] else { panic!("{line:?}") };
        if volatility.contains('v') && function(name) == Some(FunctionRule::Pure) {
            let reviewed = [
                "array_sample",
                "array_shuffle",
                "bernoulli",
                "clock_timestamp",
                "gen_random_uuid",
                "random",
                "random_normal",
                "system",
                "timeofday",
                "uuidv4",
                "uuidv7",
            ];
            assert!(reviewed.contains(&name), "{name}");
        }
    }
}

#[test]
fn every_relation_was_reviewed() {
    for line in lines(RELATIONS) {
        let (schema, name) = line[0].split_once('.').expect("schema.name");
        assert!(catalog_relation(schema, name).is_some(), "{schema}.{name} is not on the list");
    }
}

#[test]
fn a_catalog_that_the_server_hides_is_not_info() {
    // What a plain log-in of a fresh server may not read, or not in full.
    for name in ["pg_authid", "pg_shadow", "pg_statistic", "pg_largeobject", "pg_hba_file_rules"] {
        let rule = catalog_relation("pg_catalog", name).expect("listed").rule;
        assert_eq!(rule, RelationRule::Admin, "{name}");
    }
}

#[test]
fn only_settings_that_every_user_may_change_need_less_than_admin() {
    for line in lines(SETTINGS) {
        let [name, context] = line[..] else { panic!("{line:?}") };
        if context != "user" {
            assert_eq!(setting(name), SettingRule::Admin, "{name} is a {context} setting");
        }
    }
}

/// The functions and relations of an entry, by the server's own grammar.
fn names_of(sql: &str) -> (Vec<String>, Vec<String>) {
    let parsed = pg_query::parse(sql, pg_query::ParserOptions::default())
        .unwrap_or_else(|e| panic!("{e}\n{sql}"));
    (parsed.functions(), parsed.select_tables())
}

#[test]
fn what_tools_read_at_start_up_is_on_the_lists_as_info() {
    let mut checked = 0;
    for (file, entries) in corpus::read_folder("info") {
        for entry in entries.iter().filter(|entry| entry.needs == "info") {
            let (functions, relations) = names_of(&entry.sql);
            for name in functions {
                let base = name.rsplit('.').next().unwrap_or_default();
                let rule = function(base);
                let is_info = matches!(
                    rule,
                    Some(
                        FunctionRule::Pure
                            | FunctionRule::Info
                            | FunctionRule::SetConfig
                            | FunctionRule::CurrentSetting
                    )
                );
                assert!(is_info, "{file}, {}: {name} is {rule:?}", entry.name);
                checked += 1;
            }
            for name in relations {
                let (schema, base) = name.split_once('.').unwrap_or(("pg_catalog", &name));
                if schema == "public" {
                    // A sequence that a tool asks where it stands: the lists are about catalogs.
                    continue;
                }
                let rule = catalog_relation(schema, base).map(|found| found.rule);
                let is_info = matches!(rule, Some(RelationRule::Info | RelationRule::Activity));
                assert!(is_info, "{file}, {}: {name} is {rule:?}", entry.name);
                checked += 1;
            }
        }
    }
    assert!(checked > 3000, "only {checked} names were found");
}

#[test]
fn what_analysts_call_is_on_the_lists() {
    for (file, entries) in corpus::read_folder("select") {
        for entry in entries {
            for name in names_of(&entry.sql).0 {
                let base = name.rsplit('.').next().unwrap_or_default();
                let needs_more =
                    matches!(function(base), None | Some(FunctionRule::Admin | FunctionRule::Dml));
                assert!(!needs_more, "{file}, {}: {name}", entry.name);
            }
        }
    }
}

#[test]
fn what_drivers_set_is_on_the_list() {
    let mut checked = 0;
    for folder in ["session", "ddl", "select", "info"] {
        for (file, entries) in corpus::read_folder(folder) {
            for entry in entries {
                let Some(name) = set_by(&entry.sql) else { continue };
                let rule = setting(&name);
                let refused = matches!(rule, SettingRule::Admin | SettingRule::Identity);
                assert!(!refused, "{file}, {}: SET {name} is {rule:?}", entry.name);
                checked += 1;
            }
        }
    }
    assert!(checked > 60, "only {checked} settings were found");
}

/// The name in `SET [SESSION | LOCAL] name = …` or `… TO …`.
fn set_by(sql: &str) -> Option<String> {
    let lower = sql.to_ascii_lowercase().replace('=', " = ");
    let mut words = lower.split_ascii_whitespace();
    if words.next()? != "set" {
        return None;
    }
    let name = match words.next()? {
        "session" | "local" => words.next()?,
        name => name,
    };
    matches!(words.next()?, "=" | "to").then(|| name.trim_matches('"').to_owned())
}
