//! What a name in a statement means to the server: relations.
//!
//! A name stands for one relation when it is run, and may stand for several until then: the server looks
//! it up again once it has waited for a lock, and a statement before it, or another session, may have
//! renamed, moved or dropped what stood in front. So everything that it may come to mean counts.

use crate::kernel::{
    catalog::{Catalog, Relation},
    sql::{
        builtins::{CatalogRule, catalog_relation},
        context::{Context, SearchPath},
        mode::Dialect,
        reading::RawName,
    },
};

/// A relation's name, resolved.
pub(in crate::kernel::sql) enum Resolved<'a> {
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

/// Everything that a relation's name may mean.
pub(in crate::kernel::sql) struct Meanings<'a> {
    /// What the server finds if nothing moves.
    pub(in crate::kernel::sql) first: Resolved<'a>,
    /// What it may find instead.
    pub(in crate::kernel::sql) others: Vec<Resolved<'a>>,
}

impl<'a> Meanings<'a> {
    /// The one that there is, if there is one only.
    pub(in crate::kernel::sql) fn only(self) -> Option<Resolved<'a>> {
        self.others.is_empty().then_some(self.first)
    }

    /// All of them.
    pub(in crate::kernel::sql) fn all(&self) -> impl Iterator<Item = &Resolved<'a>> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

/// Looks a relation up as the server would.
pub(in crate::kernel::sql) fn resolve<'a>(raw: &RawName, cx: &Context<'a>) -> Meanings<'a> {
    let name = raw.base();
    if cx.mode.dialect != Dialect::Postgres {
        let mut found = super::mysql::resolve(raw, cx).into_iter();
        let first = found.next().unwrap_or_else(|| unknown("", name));
        return Meanings { first, others: found.collect() };
    }
    // A database before the schema can only be the session's own, else the server refuses.
    let found = match raw.schema() {
        Some(schema) => qualified(schema, name, cx),
        None => unqualified(name, cx),
    };
    let mut found = found.into_iter();
    match found.next() {
        Some(first) => Meanings { first, others: found.collect() },
        None => Meanings { first: unknown("", name), others: Vec::new() },
    }
}

/// True if a catalog of the server, of whatever version, has this name: somebody may ask for it without
/// its schema.
pub(super) fn is_catalogs_name(name: &str) -> bool {
    SYSTEM.into_iter().any(|schema| catalog_relation(schema, name).is_some())
}

fn qualified<'a>(schema: &str, name: &str, cx: &Context<'a>) -> Vec<Resolved<'a>> {
    if let Some(found) = system_schema(schema).and_then(|s| catalog(s, name)) {
        return vec![found];
    }
    if is_system(schema) {
        return vec![Resolved::Unreviewed { schema: schema.into(), name: name.into() }];
    }
    if cx.overlay.contains(name) || schema.starts_with("pg_temp") {
        let mut found = vec![unknown("", name)];
        found.extend(touched(name, cx));
        return found;
    }
    vec![cx.catalog.relation(schema, name).map_or_else(|| unknown(schema, name), Resolved::User)]
}

fn unqualified<'a>(name: &str, cx: &Context<'a>) -> Vec<Resolved<'a>> {
    let mut found = Vec::new();
    if cx.overlay.contains(name) {
        found.push(unknown("", name));
        found.extend(touched(name, cx));
    }
    match cx.path {
        SearchPath::Known(path) => {
            for schema in path {
                if schema.starts_with("pg_temp") && cx.overlay.may_hold_anything() {
                    found.push(unknown("", name));
                }
                match system_schema(schema) {
                    Some(schema) => {
                        found.extend(of_system(schema, name, cx));
                        // Nothing takes the place of what is there.
                        if is_there(schema, name, cx) {
                            break;
                        }
                    }
                    None => found.extend(cx.catalog.relation(schema, name).map(Resolved::User)),
                }
            }
        }
        // Fail closed: any schema may come first, and any may be left out.
        SearchPath::Unknown => {
            let users: Vec<_> = users_named(name, cx.catalog).map(Resolved::User).collect();
            let catalogs = SYSTEM.map(|schema| of_system(schema, name, cx));
            let usual = matches!(catalogs, [Some(_), _]);
            if found.is_empty() && (!usual || !users.is_empty() || cx.overlay.may_hold_anything()) {
                found.push(unknown("", name));
            }
            found.extend(users);
            found.extend(catalogs.into_iter().flatten());
        }
    }
    // Fail closed: a later server version may bring a catalog that no list knows.
    if found.is_empty() && name.starts_with("pg_") {
        found.push(Resolved::Unreviewed { schema: "pg_catalog".into(), name: name.into() });
    }
    found
}

pub(super) fn unknown<'a>(schema: &str, name: &str) -> Resolved<'a> {
    Resolved::Unknown { schema: schema.into(), name: name.into() }
}

/// What the session may have given this name: whatever it has altered or moved, as the catalog had it.
pub(super) fn touched<'a>(name: &str, cx: &Context<'a>) -> impl Iterator<Item = Resolved<'a>> {
    let others = cx.overlay.moved().filter(|moved| *moved != name);
    let names: Vec<&str> = std::iter::once(name).chain(others).collect();
    let catalog = cx.catalog;
    let touched: Vec<_> = names.into_iter().flat_map(|name| users_named(name, catalog)).collect();
    touched.into_iter().map(Resolved::User)
}

/// The users' relations of that name, in whatever schema.
pub(super) fn users_named<'a>(
    name: &str,
    catalog: &'a Catalog,
) -> impl Iterator<Item = &'a Relation> {
    catalog.relations_named(name).filter(|r| !is_system(&r.schema))
}

/// The catalog of that name, or what the server has there that no list knows.
fn of_system<'a>(schema: &'static str, name: &str, cx: &Context<'a>) -> Option<Resolved<'a>> {
    let unreviewed = || {
        let there = cx.catalog.relation(schema, name).is_some();
        there.then(|| Resolved::Unreviewed { schema: schema.into(), name: name.into() })
    };
    catalog(schema, name).or_else(unreviewed)
}

/// True unless the server is known to have no such catalog: the list knows those of several versions.
fn is_there(schema: &str, name: &str, cx: &Context<'_>) -> bool {
    let knows_catalogs = cx.catalog.relation("pg_catalog", "pg_class").is_some();
    cx.catalog.relation(schema, name).is_some()
        || !knows_catalogs && catalog_relation(schema, name).is_some()
}

fn catalog<'a>(schema: &'static str, name: &str) -> Option<Resolved<'a>> {
    let rule = catalog_relation(schema, name)?;
    Some(Resolved::Catalog { schema, name: name.to_owned(), rule })
}

const SYSTEM: [&str; 2] = ["pg_catalog", "information_schema"];

fn system_schema(schema: &str) -> Option<&'static str> {
    SYSTEM.into_iter().find(|s| *s == schema)
}

fn is_system(schema: &str) -> bool {
    system_schema(schema).is_some() || schema.starts_with("pg_toast")
}
