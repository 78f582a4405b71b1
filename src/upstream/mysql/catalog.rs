//! Reads what a server contains into a [`Catalog`]: a few big questions over the control connection.
//!
//! Servers of this family number nothing that a client could see, so the numbers of relations and routines
//! are made of their names, and are the same at every reading. What is here is the users' own: the schemas
//! of the server itself are on the reviewed lists of `kernel::sql`.
//!
//! A server shows only what the gateway's log-in may see. A view whose query it may not see
//! (`SHOW VIEW`) counts as one that may read every table.

use std::collections::{BTreeSet, HashMap};

use ring::digest;

use super::{
    Control,
    control::Row,
    kinds::{self, Enums, TypeId},
};
use crate::{
    kernel::{
        catalog::{
            Cascade, CascadeAction, Catalog, Column, Relation, RelationKind, Routine, RoutineKind,
            Volatility,
        },
        mask::marks::FIRST_USER_OID,
        sql::mode::Dialect,
    },
    upstream::UpstreamError,
    wire::WireError,
};

/// Reads the whole catalog. `epoch` is the caller's count of snapshots.
///
/// # Errors
/// [`UpstreamError`].
pub async fn read(control: &mut Control, epoch: u64) -> Result<Catalog, UpstreamError> {
    let mut catalog = Catalog::default();
    catalog.epoch = epoch;
    let server = control.query(SERVER).await?;
    let server = server.first().ok_or(ODD)?;
    let version = text(server, 0)?;
    catalog.server_version_num = version_number(version).ok_or(ODD)?;
    let is_maria = version.to_ascii_lowercase().contains("mariadb");
    catalog.dialect = if is_maria { Dialect::MariaDb } else { Dialect::MySql };
    catalog.login = Some(text(server, 1)?.to_owned());
    let mut numbers = Numbers::default();
    let mut relations = relations(control, &mut numbers).await?;
    let (mut kinds, mut enums) = (HashMap::new(), Enums::default());
    for row in control.query(COLUMNS).await? {
        let Some(relation) = relations.of(&row)? else { continue };
        let (type_id, declared) = (TypeId::of(text(&row, 3)?), text(&row, 5)?);
        let one_of_enums = enums.of(declared);
        let type_oid = one_of_enums.map_or(type_id.0, |(number, _)| number);
        kinds.insert(type_oid, type_id.holds());
        let column = Column {
            number: text(&row, 4)?.parse().map_err(|_| ODD)?,
            name: text(&row, 2)?.to_owned(),
            type_oid,
            type_name: declared.to_owned(),
            generated: row.get(6).cloned().flatten().filter(|expression| !expression.is_empty()),
        };
        let comment = text(&row, 7)?;
        if !comment.is_empty() {
            catalog.add_comment(relation.oid, column.number, comment);
        }
        if one_of_enums.is_some_and(|(_, is_new)| is_new) {
            for label in kinds::labels(declared) {
                catalog.add_label(type_oid, label);
            }
        }
        if text(&row, 8)?.to_ascii_uppercase().contains("INVISIBLE") {
            relation.invisible.push(column.number);
        }
        relation.columns.push(column);
    }
    catalog.set_kinds(kinds);
    catalog.is_torn = relations.forget_torn();
    views(control, &mut relations).await?;
    keys(control, &mut relations).await?;
    for row in control.query(UNIQUE).await? {
        let Some(relation) = relations.of(&row)? else { continue };
        // Of an expression nobody knows of which it is made.
        match number_of(relation, text(&row, 2)?) {
            Some(number) => relation.unique.push(number),
            None => relation.unique.extend(relation.columns.iter().map(|c| c.number)),
        }
    }
    for row in control.query(PARTITIONED).await? {
        if let Some(relation) = relations.of(&row)? {
            relation.partition_key = vec![0];
        }
    }
    for row in control.query(ROUTINES).await? {
        catalog.add_routine(routine(&row, &mut numbers)?);
    }
    for row in control.query(TRIGGERS).await? {
        let code = code_of(&row, &mut numbers)?;
        if let Some(relation) = relations.by_name(text(&row, 0)?, text(&row, 2)?) {
            relation.triggers.push(code.oid);
        }
        catalog.add_routine(code);
    }
    for relation in relations.0.into_values() {
        catalog.add_relation(relation);
    }
    Ok(catalog)
}

/// What a server never says.
const ODD: UpstreamError = UpstreamError::Wire(WireError::BadValue { what: "catalog row" });

fn text(row: &Row, at: usize) -> Result<&str, UpstreamError> {
    row.get(at).and_then(Option::as_deref).ok_or(ODD)
}

/// 90704 for `9.7.4-2`, 101119 for `10.11.19-MariaDB-0+deb12u1-log`.
fn version_number(version: &str) -> Option<u32> {
    let version = version.strip_prefix("5.5.5-").unwrap_or(version);
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    let mut parts = version.get(..end)?.split('.').map(str::parse::<u32>);
    let (major, minor, patch) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    major.checked_mul(10_000)?.checked_add(minor.checked_mul(100)?)?.checked_add(patch)
}

/// Numbers made of names, beyond those that stand for what comes with a server: no name makes a table one of
/// the server's own, which nobody masks. Two of one digest, which nobody will see, get different ones.
#[derive(Default)]
struct Numbers(BTreeSet<u32>);

impl Numbers {
    fn of(&mut self, what: &str, schema: &str, name: &str) -> u32 {
        let names = format!("{what}\0{schema}\0{name}");
        let digest = digest::digest(&digest::SHA256, names.as_bytes());
        let first = digest.as_ref().first_chunk().copied().unwrap_or_default();
        let mut number = u32::from_be_bytes(first).max(FIRST_USER_OID);
        while !self.0.insert(number) {
            number = number.wrapping_add(1).max(FIRST_USER_OID);
        }
        number
    }
}

/// Relations by schema and name.
struct Relations(HashMap<(String, String), Relation>);

impl Relations {
    fn by_name(&mut self, schema: &str, name: &str) -> Option<&mut Relation> {
        self.0.get_mut(&(schema.to_owned(), name.to_owned()))
    }

    /// Forgets what has no columns: it went between two questions, and may be back by now. Fail closed: of a
    /// name that isn't known everything may be masked, of a table without columns nothing is. True if there
    /// was a table among it; a view has none as long as it doesn't work.
    fn forget_torn(&mut self) -> bool {
        let torn = |relation: &Relation| relation.columns.is_empty();
        let is_torn = self.0.values().any(|r| torn(r) && r.kind != RelationKind::View);
        self.0.retain(|_, relation| !torn(relation));
        is_torn
    }

    /// The one whose names come first in this row.
    fn of(&mut self, row: &Row) -> Result<Option<&mut Relation>, UpstreamError> {
        Ok(self.by_name(text(row, 0)?, text(row, 1)?))
    }
}

async fn relations(
    control: &mut Control,
    numbers: &mut Numbers,
) -> Result<Relations, UpstreamError> {
    let mut relations = HashMap::new();
    for row in control.query(TABLES).await? {
        let (schema, name) = (text(&row, 0)?, text(&row, 1)?);
        let kind = match text(&row, 2)? {
            "VIEW" => RelationKind::View,
            "SEQUENCE" => RelationKind::Sequence,
            // Fail closed: whatever else there is has rows.
            _ => RelationKind::Table,
        };
        let number = numbers.of("relation", schema, name);
        let relation = Relation::new(number, schema, name, kind);
        relations.insert((schema.to_owned(), name.to_owned()), relation);
    }
    Ok(Relations(relations))
}

async fn views(control: &mut Control, relations: &mut Relations) -> Result<(), UpstreamError> {
    let all: Vec<u32> = relations.0.values().map(|relation| relation.oid).collect();
    let mut known = HashMap::new();
    for ((schema, name), relation) in &relations.0 {
        known.insert(format!("{}.{}", quoted(schema), quoted(name)), relation.oid);
    }
    for row in control.query(VIEWS).await? {
        let definition = text(&row, 2)?.to_owned();
        let Some(view) = relations.of(&row)? else { continue };
        view.reads = if definition.is_empty() {
            // Fail closed: nobody shows us what it reads.
            all.iter().copied().filter(|oid| *oid != view.oid).collect()
        } else {
            named(&definition).filter_map(|name| known.get(&name).copied()).collect()
        };
        view.definition = Some(definition);
    }
    // A view that isn't on that list, because it was made meanwhile.
    for view in relations.0.values_mut() {
        if view.kind == RelationKind::View && view.definition.is_none() {
            view.definition = Some(String::new());
            view.reads = all.iter().copied().filter(|oid| *oid != view.oid).collect();
        }
    }
    Ok(())
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// All names of two parts in the text of a view, which the server prints with every name in backticks.
/// What stands in its texts may look like one; then a view is said to read a table more.
fn named(definition: &str) -> impl Iterator<Item = String> {
    let mut names = Vec::new();
    let mut rest = definition;
    while let Some(at) = rest.find('`') {
        let Some(from) = rest.get(at..) else { break };
        let Some(first) = name_at(from) else { break };
        let behind = from.get(first.len()..).unwrap_or_default();
        if let Some(second) = behind.strip_prefix('.').and_then(name_at) {
            names.push(format!("{first}.{second}"));
        }
        rest = behind;
    }
    names.into_iter()
}

/// The name in backticks that a text begins with, backticks and all.
fn name_at(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('`')?;
    let mut from = 0;
    loop {
        let end = inner.get(from..)?.find('`')?.checked_add(from)?;
        let behind = inner.get(end.checked_add(1)?..)?;
        if !behind.starts_with('`') {
            return text.get(..end.checked_add(2)?);
        }
        from = end.checked_add(2)?;
    }
}

/// Primary keys, and foreign keys that change rows of other tables.
async fn keys(control: &mut Control, relations: &mut Relations) -> Result<(), UpstreamError> {
    for row in control.query(PRIMARY_KEYS).await? {
        let Some(relation) = relations.of(&row)? else { continue };
        let number = number_of(relation, text(&row, 2)?);
        relation.primary_key.extend(number);
    }
    let mut actions = HashMap::new();
    for row in control.query(ACTIONS).await? {
        let name = [text(&row, 0)?, text(&row, 1)?, text(&row, 2)?].map(str::to_owned);
        let on_delete = action(text(&row, 3)?, CascadeAction::Deletes);
        actions.insert(name, (on_delete, action(text(&row, 4)?, CascadeAction::Updates)));
    }
    let mut found: HashMap<[String; 3], (u32, Cascade)> = HashMap::new();
    for row in control.query(FOREIGN_KEYS).await? {
        let Some(from) = relations.of(&row)? else { continue };
        let (from_oid, from_column) = (from.oid, number_of(from, text(&row, 3)?));
        let Some(to) = relations.by_name(text(&row, 4)?, text(&row, 5)?) else { continue };
        let (to_oid, to_column) = (to.oid, number_of(to, text(&row, 6)?));
        let (Some(from_column), Some(to_column)) = (from_column, to_column) else { continue };
        let name = [text(&row, 0)?, text(&row, 1)?, text(&row, 2)?].map(str::to_owned);
        // Fail closed: one that was made between the two questions does the worst.
        let unknown = (CascadeAction::Deletes, CascadeAction::Updates);
        let (on_delete, on_update) = actions.get(&name).copied().unwrap_or(unknown);
        let fresh = Cascade {
            from: from_oid,
            from_columns: Vec::new(),
            to_columns: Vec::new(),
            on_delete,
            on_update,
        };
        let (_, cascade) = found.entry(name).or_insert((to_oid, fresh));
        cascade.from_columns.push(from_column);
        cascade.to_columns.push(to_column);
    }
    for (to, cascade) in found.into_values() {
        if (cascade.on_delete, cascade.on_update)
            == (CascadeAction::Nothing, CascadeAction::Nothing)
        {
            continue;
        }
        if let Some(relation) = relations.0.values_mut().find(|relation| relation.oid == to) {
            relation.cascades.push(cascade);
        }
    }
    Ok(())
}

fn number_of(relation: &Relation, column: &str) -> Option<i16> {
    relation.columns.iter().find(|c| c.name == column).map(|c| c.number)
}

fn action(rule: &str, cascades: CascadeAction) -> CascadeAction {
    match rule {
        "NO ACTION" | "RESTRICT" => CascadeAction::Nothing,
        "SET NULL" | "SET DEFAULT" => CascadeAction::Updates,
        // Fail closed: the worst.
        _ => cascades,
    }
}

fn routine(row: &Row, numbers: &mut Numbers) -> Result<Routine, UpstreamError> {
    let (schema, name) = (text(row, 0)?, text(row, 1)?);
    let kind = match text(row, 2)? {
        "FUNCTION" => RoutineKind::Function,
        // Packages of MariaDB too: what is in them can be called.
        _ => RoutineKind::Procedure,
    };
    Ok(Routine {
        kind,
        // What it says of itself; an attacker with DDL can make it lie.
        volatility: match text(row, 3)? {
            "NO SQL" | "READS SQL DATA" => Volatility::Stable,
            _ => Volatility::Volatile,
        },
        security_definer: text(row, 4)? != "INVOKER",
        ..code(numbers.of("routine", schema, name), schema, name)
    })
}

/// What a trigger runs, as a routine of its name.
fn code_of(row: &Row, numbers: &mut Numbers) -> Result<Routine, UpstreamError> {
    let (schema, name) = (text(row, 0)?, text(row, 1)?);
    Ok(code(numbers.of("trigger", schema, name), schema, name))
}

fn code(oid: u32, schema: &str, name: &str) -> Routine {
    Routine {
        oid,
        schema: schema.to_owned(),
        name: name.to_owned(),
        kind: RoutineKind::Procedure,
        volatility: Volatility::Volatile,
        security_definer: true,
        language: "sql".to_owned(),
        extension: None,
        takes_rows: false,
        argument_code: Vec::new(),
        types: Vec::new(),
    }
}

const SERVER: &str = "SELECT VERSION(), CURRENT_USER()";

/// The server's own schemas, which the reviewed lists know.
macro_rules! users_own {
    ($schema:literal) => {
        concat!($schema, " NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')")
    };
}

const TABLES: &str = concat!(
    "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE ",
    users_own!("TABLE_SCHEMA")
);

const COLUMNS: &str = concat!(
    "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, ORDINAL_POSITION, COLUMN_TYPE, \
     GENERATION_EXPRESSION, COLUMN_COMMENT, EXTRA FROM information_schema.COLUMNS WHERE ",
    users_own!("TABLE_SCHEMA"),
    " ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
);

const VIEWS: &str = concat!(
    "SELECT TABLE_SCHEMA, TABLE_NAME, COALESCE(VIEW_DEFINITION, '') FROM information_schema.VIEWS WHERE ",
    users_own!("TABLE_SCHEMA")
);

const UNIQUE: &str = concat!(
    "SELECT TABLE_SCHEMA, TABLE_NAME, COALESCE(COLUMN_NAME, '') FROM information_schema.STATISTICS \
     WHERE NON_UNIQUE = 0 AND ",
    users_own!("TABLE_SCHEMA"),
    " ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX"
);

const PRIMARY_KEYS: &str = concat!(
    "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE \
     WHERE CONSTRAINT_NAME = 'PRIMARY' AND ",
    users_own!("TABLE_SCHEMA"),
    " ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
);

/// What foreign keys do. Not joined with the next: for that MariaDB opens every table that there is, those of the
/// server's own schemas too.
const ACTIONS: &str = concat!(
    "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, DELETE_RULE, UPDATE_RULE \
     FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE ",
    users_own!("CONSTRAINT_SCHEMA")
);

const FOREIGN_KEYS: &str = concat!(
    "SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, \
     REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE \
     WHERE REFERENCED_TABLE_NAME IS NOT NULL AND ",
    users_own!("TABLE_SCHEMA"),
    " ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION"
);

const PARTITIONED: &str = concat!(
    "SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME FROM information_schema.PARTITIONS \
     WHERE PARTITION_NAME IS NOT NULL AND ",
    users_own!("TABLE_SCHEMA")
);

const ROUTINES: &str = concat!(
    "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, SQL_DATA_ACCESS, SECURITY_TYPE \
     FROM information_schema.ROUTINES WHERE ",
    users_own!("ROUTINE_SCHEMA")
);

const TRIGGERS: &str = concat!(
    "SELECT TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS WHERE ",
    users_own!("TRIGGER_SCHEMA")
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_numbers() {
        for (version, number) in [
            ("9.7.4-2", Some(90_704)),
            ("10.11.19-MariaDB-0+deb12u1-log", Some(101_119)),
            ("5.5.5-10.11.19-MariaDB", Some(101_119)),
            ("8.0.36", Some(80_036)),
            ("eight", None),
            ("8.0", None),
        ] {
            assert_eq!(version_number(version), number, "{version}");
        }
    }

    #[test]
    fn a_view_reads_what_its_text_names() {
        let definition = "select `c`.`id` AS `id`,`a``b`.`c` AS `x` from (`shop`.`customers` `c` join \
                          `a``b`.`t` on(`c`.`note` = 'a `shop`.`orders` b')) -- `torn";
        let names: Vec<String> = named(definition).collect();
        for name in ["`shop`.`customers`", "`a``b`.`t`", "`shop`.`orders`", "`c`.`id`"] {
            assert!(names.iter().any(|found| found == name), "{name} in {names:?}");
        }
        assert_eq!(named("`torn").count() + named("").count() + named("`a`.").count(), 0);
    }

    #[test]
    fn numbers_are_the_same_at_every_reading_and_never_shared() {
        let (mut first, mut second) = (Numbers::default(), Numbers::default());
        let one = first.of("relation", "shop", "orders");
        assert_ne!(first.of("relation", "shop", "order_items"), one);
        assert_eq!(second.of("relation", "shop", "orders"), one);
        assert_ne!(second.of("relation", "shop", "orders"), one);
        assert_ne!(second.of("relation", "sho", "porders"), one);
    }

    /// Whoever may name a table finds a name whose digest is small in a second.
    #[test]
    fn no_name_makes_a_table_one_of_the_servers_own() {
        let small = |name: &str| {
            let digest =
                digest::digest(&digest::SHA256, format!("relation\0shop\0{name}").as_bytes());
            let first = digest.as_ref().first_chunk().copied().unwrap_or_default();
            u32::from_be_bytes(first) < FIRST_USER_OID
        };
        let name = (0_u32..10_000_000)
            .map(|n| format!("t{n}"))
            .find(|name| small(name))
            .expect("there is one");
        assert!(Numbers::default().of("relation", "shop", &name) >= FIRST_USER_OID);
    }
}
