//! The reviewed lists against what a PostgreSQL 15 really has: `tests/data/postgres15`, taken from
//! a fresh Debian server's own catalogs.

use hallpass::kernel::sql::builtins::{
    FunctionRule, RelationRule, SettingRule, catalog_relation, function, setting,
};

const FUNCTIONS: &str = include_str!("data/postgres15/functions.txt");
const RELATIONS: &str = include_str!("data/postgres15/relations.txt");
const SETTINGS: &str = include_str!("data/postgres15/settings.txt");

fn lines(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines()
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
                    // The two methods of TABLESAMPLE.
                    || matches!(name, "bernoulli" | "system"),
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
                "bernoulli",
                "clock_timestamp",
                "gen_random_uuid",
                "random",
                "system",
                "timeofday",
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
