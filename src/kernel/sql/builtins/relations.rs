//! What the catalogs show.

use std::{collections::HashMap, sync::LazyLock};

use super::entries;

const LIST: &str = include_str!("relations.txt");

/// What reading a catalog needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RelationRule {
    /// What exists and how it is doing: info.
    Info,
    /// The same about other sessions: info, their statements' text hidden below admin.
    Activity,
    /// Credentials, values, the server's files and memory: admin.
    Admin,
}

/// The rule of one catalog, and of those of its columns that have one of their own.
///
/// A reference to the whole row, and `*`, reads every column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CatalogRule {
    /// Of the relation.
    pub rule: RelationRule,
    /// Columns that info alone does not give: they need admin, unless they are also among
    /// [`CatalogRule::source_columns`].
    pub admin_columns: &'static [&'static str],
    /// Those of the `admin_columns` that give out the source of routines: select on the whole target
    /// is enough for them, as for [`FunctionRule::Source`](super::FunctionRule::Source).
    pub source_columns: &'static [&'static str],
}

static ENTRIES: LazyLock<HashMap<&'static str, HashMap<&'static str, CatalogRule>>> =
    LazyLock::new(|| {
        let mut schemas: HashMap<_, HashMap<_, _>> = HashMap::new();
        for (schema, name, rule) in entries(LIST).filter_map(|line| parse(&line)) {
            schemas.entry(schema).or_default().insert(name, rule);
        }
        schemas
    });

/// Fail closed: a line that does not read is left out, so that its relation needs admin.
pub(super) fn parse(line: &[&'static str]) -> Option<(&'static str, &'static str, CatalogRule)> {
    let (name, rule, columns) = match *line {
        [name, rule] => (name, rule, None),
        [name, rule, columns] => (name, rule, Some(columns)),
        _ => return None,
    };
    let (schema, name) = name.split_once('.')?;
    let rule = match rule {
        "info" => RelationRule::Info,
        "activity" => RelationRule::Activity,
        "admin" => RelationRule::Admin,
        _ => return None,
    };
    let (admin_columns, source_columns) = match columns.map(|text| text.split_once(':')) {
        None => (NO_COLUMNS, NO_COLUMNS),
        Some(Some(("admin", list))) => (columns_of(list), NO_COLUMNS),
        Some(Some(("source", list))) => {
            let columns = columns_of(list);
            (columns, columns)
        }
        Some(_) => return None,
    };
    Some((schema, name, CatalogRule { rule, admin_columns, source_columns }))
}

const NO_COLUMNS: &[&str] = &[];

/// Kept for the life of the process, once per entry of the list.
fn columns_of(list: &'static str) -> &'static [&'static str] {
    Vec::leak(list.split(',').collect())
}

/// The rule of a relation of `pg_catalog` or `information_schema`, by names as the server folds
/// them. `None`: not reviewed, needs admin.
pub fn catalog_relation(schema: &str, name: &str) -> Option<&'static CatalogRule> {
    ENTRIES.get(schema)?.get(name)
}

#[cfg(test)]
mod tests {
    use super::super::names_are_sorted_and_unique;
    use super::*;

    fn rule(name: &str) -> Option<RelationRule> {
        catalog_relation("pg_catalog", name).map(|found| found.rule)
    }

    #[test]
    fn every_line_reads() {
        for line in entries(LIST) {
            assert!(parse(&line).is_some(), "{line:?}");
        }
        names_are_sorted_and_unique(LIST);
    }

    #[test]
    fn everyday_catalogs_are_info() {
        let names = "pg_am pg_attrdef pg_attribute pg_class pg_collation pg_constraint \
             pg_database pg_db_role_setting pg_depend pg_description pg_enum pg_extension \
             pg_index pg_indexes pg_inherits pg_language pg_locks pg_namespace pg_operator \
             pg_policy pg_proc pg_publication pg_range pg_rewrite pg_roles pg_sequence \
             pg_sequences pg_settings pg_shdescription pg_stat_replication pg_stat_ssl \
             pg_stat_user_tables pg_statio_user_tables pg_statistic_ext pg_subscription \
             pg_tables pg_tablespace pg_timezone_names pg_trigger pg_type pg_user pg_views";
        for name in names.split_whitespace() {
            assert_eq!(rule(name), Some(RelationRule::Info), "{name}");
        }
        for name in ["columns", "tables", "table_constraints", "key_column_usage", "routines"] {
            assert!(catalog_relation("information_schema", name).is_some(), "{name}");
        }
        assert_eq!(rule("pg_stat_activity"), Some(RelationRule::Activity));
    }

    #[test]
    fn credentials_values_and_files_need_admin() {
        let names = "pg_authid pg_backend_memory_contexts pg_config pg_file_settings \
             pg_hba_file_rules pg_ident_file_mappings pg_largeobject \
             pg_replication_origin_status pg_shadow pg_shmem_allocations pg_statistic \
             pg_statistic_ext_data pg_stats_ext pg_stats_ext_exprs \
             pg_stat_statements pg_toast_1255 pg_buffercache";
        for name in names.split_whitespace() {
            assert!(matches!(rule(name), None | Some(RelationRule::Admin)), "{name}");
        }
        assert_eq!(catalog_relation("pg_toast", "pg_class"), None);
        assert_eq!(catalog_relation("public", "pg_class"), None);
        assert_eq!(catalog_relation("", "pg_class"), None);
    }

    #[test]
    fn statistics_show_no_values() {
        let stats = catalog_relation("pg_catalog", "pg_stats").expect("listed");
        // As of PostgreSQL 18.
        let harmless =
            "schemaname tablename attname inherited null_frac avg_width n_distinct correlation";
        let values = "most_common_vals most_common_freqs histogram_bounds most_common_elems \
             most_common_elem_freqs elem_count_histogram range_length_histogram range_empty_frac \
             range_bounds_histogram";
        assert!(harmless.split_whitespace().all(|c| !stats.admin_columns.contains(&c)));
        assert!(values.split_whitespace().all(|c| stats.admin_columns.contains(&c)));
        assert_eq!(stats.admin_columns.len(), values.split_whitespace().count());
    }

    #[test]
    fn some_columns_need_more_than_their_relation() {
        let proc = catalog_relation("pg_catalog", "pg_proc").expect("listed");
        assert_eq!(proc.admin_columns, ["probin", "prosqlbody", "prosrc"]);
        assert_eq!(proc.source_columns, proc.admin_columns);
        for (schema, name, column) in [
            ("pg_catalog", "pg_stat_activity", "query"),
            ("pg_catalog", "pg_stat_wal_receiver", "conninfo"),
            ("pg_catalog", "pg_subscription", "subconninfo"),
            ("pg_catalog", "pg_user_mapping", "umoptions"),
            ("pg_catalog", "pg_user_mappings", "umoptions"),
            ("information_schema", "user_mapping_options", "option_value"),
        ] {
            let found = catalog_relation(schema, name).expect("listed");
            assert_eq!(found.admin_columns, [column]);
            assert!(found.source_columns.is_empty(), "{name}");
        }
    }
}
