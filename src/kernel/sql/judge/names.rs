//! What a name in a statement means to the server: relations.

use crate::kernel::{
    catalog::Relation,
    sql::{
        builtins::{CatalogRule, catalog_relation},
        context::{Context, SearchPath},
        reading::RawName,
    },
};

/// Under an unknown path, every user relation that the name may mean.
pub(super) fn candidates<'a>(raw: &RawName, cx: &Context<'a>) -> Vec<&'a Relation> {
    match cx.path {
        SearchPath::Unknown if raw.schema().is_none() => {
            cx.catalog.relations().filter(|r| r.name == raw.base()).collect()
        }
        SearchPath::Unknown | SearchPath::Known(_) => Vec::new(),
    }
}

/// A relation's name, resolved.
pub(super) enum Resolved<'a> {
    /// A relation that the catalog knows.
    User(&'a Relation),
    /// A built-in catalog on the reviewed list.
    Catalog { schema: &'static str, name: String, rule: &'static CatalogRule },
    /// In a system schema, and not on the list.
    Unreviewed { schema: String, name: String },
    /// Nothing is known of it: no such relation, or made by this session. No scope covers an empty
    /// schema.
    Unknown { schema: String, name: String },
}

/// Looks a relation up as the server would.
pub(super) fn resolve<'a>(raw: &RawName, cx: &Context<'a>) -> Resolved<'a> {
    let name = raw.base();
    // A database before the schema can only be the session's own, else the server refuses.
    let Some(schema) = raw.schema() else { return resolve_unqualified(name, cx) };
    let unknown = |schema: &str| Resolved::Unknown { schema: schema.into(), name: name.into() };
    if let Some(found) = system_schema(schema).and_then(|s| catalog(s, name)) {
        return found;
    }
    if is_system(schema) {
        return Resolved::Unreviewed { schema: schema.into(), name: name.into() };
    }
    if cx.overlay.contains(name) || schema.starts_with("pg_temp") {
        return unknown("");
    }
    cx.catalog.relation(schema, name).map_or_else(|| unknown(schema), Resolved::User)
}

fn resolve_unqualified<'a>(name: &str, cx: &Context<'a>) -> Resolved<'a> {
    let unknown = || Resolved::Unknown { schema: String::new(), name: name.into() };
    if cx.overlay.contains(name) {
        return unknown();
    }
    match cx.path {
        SearchPath::Known(path) => {
            for schema in path {
                if schema.starts_with("pg_temp") && cx.overlay.may_hold_anything() {
                    return unknown();
                }
                let found = system_schema(schema)
                    .and_then(|s| catalog(s, name))
                    .or_else(|| cx.catalog.relation(schema, name).map(Resolved::User));
                if let Some(found) = found {
                    return found;
                }
            }
        }
        // Fail closed: any schema may come before pg_catalog.
        SearchPath::Unknown => {
            if cx.catalog.relations().any(|r| r.name == name) || cx.overlay.may_hold_anything() {
                return unknown();
            }
            if let Some(found) = catalog("pg_catalog", name) {
                return found;
            }
        }
    }
    // Fail closed: a later server version may bring a catalog that no list knows.
    if name.starts_with("pg_") {
        return Resolved::Unreviewed { schema: "pg_catalog".into(), name: name.into() };
    }
    unknown()
}

fn catalog<'a>(schema: &'static str, name: &str) -> Option<Resolved<'a>> {
    let rule = catalog_relation(schema, name)?;
    Some(Resolved::Catalog { schema, name: name.to_owned(), rule })
}

fn system_schema(schema: &str) -> Option<&'static str> {
    ["pg_catalog", "information_schema"].into_iter().find(|s| *s == schema)
}

fn is_system(schema: &str) -> bool {
    system_schema(schema).is_some() || schema.starts_with("pg_toast")
}
