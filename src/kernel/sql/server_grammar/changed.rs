//! What a statement makes of relations and types, where its tree says all of it.
//!
//! Only forms that stand here are known; of any other nobody knows what is there behind it.

use pg_query::protobuf::{self as pg, node::Node as N};

use crate::kernel::sql::{
    reading::{Change, ColumnStep, MadeColumn, RawName},
    server_grammar::{
        columns::text,
        relations::{name_of, raw_name},
        temporary,
    },
};

/// What it makes of them; `None` if nobody knows.
pub(super) fn of(statement: &pg::RawStmt) -> Option<Change> {
    if let Some(made) = temporary::of(statement) {
        return Some(Change::Temporary(made.name));
    }
    match statement.stmt.as_deref()?.node.as_ref()? {
        N::CreateStmt(n) => created(n),
        N::CreateSeqStmt(n) => {
            let name = lasting(n.sequence.as_ref()?)?;
            let column = |name: &str| MadeColumn {
                name: name.to_owned(),
                of: RawName(vec!["pg_catalog".to_owned(), "int8".to_owned()]),
                is_array: false,
                generated: false,
            };
            let columns = ["last_value", "log_cnt", "is_called"].map(column).to_vec();
            Some(Change::Table { name, columns })
        }
        N::AlterSeqStmt(n) => Some(Change::Kept(vec![raw_name(n.sequence.as_ref()?)])),
        N::ViewStmt(n) => Some(Change::Opaque(lasting(n.view.as_ref()?)?)),
        N::CreateTableAsStmt(n) => Some(Change::Opaque(lasting(n.into.as_deref()?.rel.as_ref()?)?)),
        N::SelectStmt(n) => Some(Change::Opaque(lasting(n.into_clause.as_deref()?.rel.as_ref()?)?)),
        N::AlterTableStmt(n) => altered(n),
        N::RenameStmt(n) => renamed(n),
        N::IndexStmt(n) => Some(Change::Kept(vec![raw_name(n.relation.as_ref()?)])),
        N::CommentStmt(n) => commented(n),
        N::DropStmt(n) => {
            let is = |kind: pg::ObjectType| n.remove_type == kind as i32;
            let names = || -> Option<Vec<RawName>> { n.objects.iter().map(listed).collect() };
            let goes = is(pg::ObjectType::ObjectTable)
                || is(pg::ObjectType::ObjectView)
                || is(pg::ObjectType::ObjectMatview)
                || is(pg::ObjectType::ObjectSequence);
            match (goes, is(pg::ObjectType::ObjectIndex)) {
                (true, _) => Some(Change::Dropped(names()?)),
                (false, true) => Some(Change::Kept(names()?)),
                (false, false) => None,
            }
        }
        N::CreateEnumStmt(n) => Some(Change::Enum(name_of(&n.type_name))),
        // Without its elements it holds nothing.
        N::CreateSchemaStmt(n) if n.schema_elts.is_empty() => Some(Change::Kept(Vec::new())),
        _ => None,
    }
}

/// Its name, unless it is its session's alone.
fn lasting(relation: &pg::RangeVar) -> Option<RawName> {
    let is_temporary = relation.relpersistence == "t" || relation.schemaname.starts_with("pg_temp");
    (!is_temporary).then(|| raw_name(relation))
}

fn listed(n: &pg::Node) -> Option<RawName> {
    match &n.node {
        Some(N::List(list)) => Some(name_of(&list.items)),
        _ => None,
    }
}

fn created(n: &pg::CreateStmt) -> Option<Change> {
    let name = lasting(n.relation.as_ref()?)?;
    let whole = n.inh_relations.is_empty()
        && n.partbound.is_none()
        && n.partspec.is_none()
        && n.of_typename.is_none();
    if !whole {
        return None;
    }
    let mut columns = Vec::new();
    for element in n.table_elts.iter().chain(&n.constraints) {
        match &element.node {
            Some(N::ColumnDef(column)) => columns.push(made(&column.colname, column)?),
            Some(N::Constraint(constraint)) => is_plain(constraint).then_some(())?,
            _ => return None,
        }
    }
    Some(Change::Table { name, columns })
}

fn made(name: &str, n: &pg::ColumnDef) -> Option<MadeColumn> {
    let of = n.type_name.as_ref()?;
    if of.setof || of.pct_type {
        return None;
    }
    let mut generated = false;
    for constraint in &n.constraints {
        let Some(N::Constraint(constraint)) = &constraint.node else { return None };
        is_plain(constraint).then_some(())?;
        generated |= constraint.contype == pg::ConstrType::ConstrGenerated as i32;
    }
    Some(MadeColumn {
        name: name.to_owned(),
        of: name_of(&of.names),
        is_array: !of.array_bounds.is_empty(),
        generated,
    })
}

/// One of the everyday constraints. What its expressions call is known from elsewhere.
fn is_plain(n: &pg::Constraint) -> bool {
    use pg::ConstrType as C;
    match C::try_from(n.contype) {
        Ok(
            C::ConstrNull
            | C::ConstrNotnull
            | C::ConstrDefault
            | C::ConstrIdentity
            | C::ConstrGenerated
            | C::ConstrCheck
            | C::ConstrPrimary
            | C::ConstrUnique
            | C::ConstrForeign
            | C::ConstrAttrDeferrable
            | C::ConstrAttrNotDeferrable
            | C::ConstrAttrDeferred
            | C::ConstrAttrImmediate
            | C::ConstrAttrEnforced
            | C::ConstrAttrNotEnforced,
        ) => true,
        Ok(C::ConstrExclusion | C::Undefined) | Err(_) => false,
    }
}

fn altered(n: &pg::AlterTableStmt) -> Option<Change> {
    use pg::AlterTableType as T;
    if n.objtype != pg::ObjectType::ObjectTable as i32 {
        return None;
    }
    let of = raw_name(n.relation.as_ref()?);
    let mut steps = Vec::new();
    for command in &n.cmds {
        let Some(N::AlterTableCmd(command)) = &command.node else { return None };
        let def = command.def.as_deref().and_then(|def| def.node.as_ref());
        match (T::try_from(command.subtype).ok()?, def) {
            (T::AtAddColumn, Some(N::ColumnDef(column))) => {
                steps.push(ColumnStep::Made(made(&column.colname, column)?));
            }
            (T::AtDropColumn, _) => steps.push(ColumnStep::Gone(command.name.clone())),
            (T::AtAlterColumnType, Some(N::ColumnDef(column))) => {
                steps.push(ColumnStep::Retyped(made(&command.name, column)?));
            }
            (T::AtAddConstraint, Some(N::Constraint(constraint))) => {
                is_plain(constraint).then_some(())?;
            }
            (
                T::AtColumnDefault
                | T::AtSetNotNull
                | T::AtDropNotNull
                | T::AtDropConstraint
                | T::AtValidateConstraint
                | T::AtAddIdentity
                | T::AtSetIdentity
                | T::AtDropIdentity
                | T::AtSetStatistics
                | T::AtSetStorage
                | T::AtSetCompression
                | T::AtSetRelOptions
                | T::AtResetRelOptions,
                _,
            ) => {}
            _ => return None,
        }
    }
    Some(Change::Columns { of, steps })
}

fn renamed(n: &pg::RenameStmt) -> Option<Change> {
    use pg::ObjectType as O;
    let of = raw_name(n.relation.as_ref()?);
    match O::try_from(n.rename_type).ok()? {
        O::ObjectColumn if n.relation_type == O::ObjectTable as i32 => {
            let step = ColumnStep::Renamed { from: n.subname.clone(), to: n.newname.clone() };
            Some(Change::Columns { of, steps: vec![step] })
        }
        O::ObjectTable | O::ObjectSequence => Some(Change::Renamed { of, name: n.newname.clone() }),
        O::ObjectIndex | O::ObjectTabconstraint => Some(Change::Kept(vec![of])),
        _ => None,
    }
}

fn commented(n: &pg::CommentStmt) -> Option<Change> {
    use pg::ObjectType as O;
    let Some(N::List(list)) = &n.object.as_deref()?.node else { return None };
    match O::try_from(n.objtype).ok()? {
        O::ObjectTable => Some(Change::Kept(vec![name_of(&list.items)])),
        O::ObjectColumn => {
            let (column, of) = list.items.split_last()?;
            let comment = Some(n.comment.clone()).filter(|comment| !comment.is_empty());
            let steps = vec![ColumnStep::Commented(text(column)?, comment)];
            Some(Change::Columns { of: name_of(of), steps })
        }
        _ => None,
    }
}
