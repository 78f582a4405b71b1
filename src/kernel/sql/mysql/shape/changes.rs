//! INSERT, REPLACE, UPDATE, DELETE.

use sqlparser::ast::{
    Assignment as AstAssignment, AssignmentTarget, Delete, FromTable, Insert, InsertAliases,
    OnInsert, Statement, TableObject, Update, UpdateTableFromKind,
};

use crate::kernel::sql::{
    lineage::shape::{Assignment, Body, Change, Expression, Query, Reference, Source, Write},
    mysql::shape::{
        condition::conditions,
        expression::expression,
        names, of_body, outputs, query, raw_name, sorted,
        source::{joined, sources},
    },
};

/// A statement that changes rows; `None` if it is none of these servers'.
pub(super) fn of(statement: &Statement) -> Option<Query> {
    match statement {
        Statement::Insert(n) => insert(n),
        Statement::Update(n) => update(n),
        Statement::Delete(n) => delete(n),
        _ => None,
    }
}

fn insert(n: &Insert) -> Option<Query> {
    let Insert {
        insert_token: _,
        optimizer_hints: _,
        or,
        ignore,
        into: _,
        table,
        table_alias,
        columns,
        by_name,
        overwrite,
        source,
        assignments,
        // Into which partition they go is no matter here.
        partitioned: _,
        after_columns,
        overriding,
        has_table_keyword,
        on,
        returning,
        output,
        replace_into,
        priority: _,
        insert_alias,
        settings,
        format_clause,
        multi_table_insert_type,
        multi_table_into_clauses,
        multi_table_when_clauses,
        multi_table_else_clause,
    } = n;
    let is_foreign = or.is_some()
        || *by_name
        || *overwrite
        || !after_columns.is_empty()
        || overriding.is_some()
        || *has_table_keyword
        || output.is_some()
        || settings.is_some()
        || format_clause.is_some()
        || multi_table_insert_type.is_some()
        || !multi_table_into_clauses.is_empty()
        || !multi_table_when_clauses.is_empty()
        || multi_table_else_clause.is_some();
    let TableObject::TableName(table) = table else { return None };
    let table = raw_name(table).filter(|_| !is_foreign)?;
    let mut given: Vec<String> = columns.iter().map(column_name).collect::<Option<_>>()?;
    let rows = match source {
        Some(source) => query(source),
        None => {
            // INSERT … SET
            given = assignments.iter().map(assigned_name).collect::<Option<_>>()?;
            of_body(Body::Values(vec![assignments.iter().map(|a| expression(&a.value)).collect()]))
        }
    };
    let asks = many(&rows);
    let assigned = match on {
        None => Vec::new(),
        Some(OnInsert::DuplicateKeyUpdate(list)) => {
            list.iter().map(on_duplicate).collect::<Option<_>>()?
        }
        Some(_) => return None,
    };
    let finds = *replace_into || *ignore || on.is_some();
    let also_known_as = match insert_alias {
        None => Vec::new(),
        // Of the new row nothing can be told that its values don't tell.
        Some(InsertAliases { row_alias, col_aliases: _ }) => vec![column_name(row_alias)?],
    };
    Some(of_body(Body::Write(Box::new(Write {
        merges: false,
        table,
        alias: table_alias.as_ref().map(|alias| alias.alias.value.clone()),
        also_known_as,
        rows: Some((given, rows)),
        from: Vec::new(),
        conditions: Vec::new(),
        // Which of its unique keys finds a row, the statement doesn't say.
        conflicts: finds.then_some(asks),
        replaces: *replace_into,
        assigned,
        inserted: Vec::new(),
        returning: returning.as_deref().map(outputs).unwrap_or_default(),
    }))))
}

/// How many rows INSERT brings. Of a query's nobody knows; nor of constants, whose long runs are read as
/// two.
fn many(rows: &Query) -> usize {
    match &rows.body {
        Body::Values(values) if values.len() <= 1 => 1,
        Body::Values(_) | Body::Select(_) | Body::Set(_) | Body::Write(_) | Body::Change(_) => {
            usize::MAX
        }
    }
}

/// A column's name, whatever stands before it.
fn column_name(name: &sqlparser::ast::ObjectName) -> Option<String> {
    names(name)?.pop()
}

fn assigned_name(assignment: &AstAssignment) -> Option<String> {
    match &assignment.target {
        AssignmentTarget::ColumnName(name) => column_name(name),
        AssignmentTarget::Tuple(_) => None,
    }
}

fn on_duplicate(assignment: &AstAssignment) -> Option<Assignment> {
    let column = assigned_name(assignment)?;
    Some(Assignment { columns: vec![column], values: vec![expression(&assignment.value)] })
}

fn update(n: &Update) -> Option<Query> {
    let Update {
        update_token: _,
        optimizer_hints: _,
        table,
        on_cluster,
        assignments,
        from,
        selection,
        returning,
        output,
        or,
        order_by,
        limit,
        settings,
    } = n;
    if on_cluster.is_some() || output.is_some() || or.is_some() || settings.is_some() {
        return None;
    }
    let mut all = vec![joined(table)];
    match from {
        None => {}
        Some(UpdateTableFromKind::BeforeSet(others) | UpdateTableFromKind::AfterSet(others)) => {
            all.extend(sources(others));
        }
    }
    let assigned = assignments.iter().map(assigned_column).collect::<Option<_>>()?;
    let mut made = of_body(Body::Change(Box::new(Change {
        from: all,
        conditions: selection.iter().flat_map(conditions).collect(),
        assigned,
        returning: returning.as_deref().map(outputs).unwrap_or_default(),
    })));
    made.sorted = sorted(order_by);
    made.limits = limit.iter().map(expression).collect();
    Some(made)
}

fn assigned_column(assignment: &AstAssignment) -> Option<(Reference, Expression)> {
    match &assignment.target {
        AssignmentTarget::ColumnName(name) => {
            Some((Reference::Column(names(name)?), expression(&assignment.value)))
        }
        AssignmentTarget::Tuple(_) => None,
    }
}

fn delete(n: &Delete) -> Option<Query> {
    let Delete {
        delete_token: _,
        optimizer_hints: _,
        // Whose rows go: they stand in FROM or USING, by what they go by there.
        tables: _,
        from,
        on_cluster,
        using,
        selection,
        returning,
        output,
        order_by,
        limit,
        settings,
    } = n;
    if on_cluster.is_some() || output.is_some() || settings.is_some() {
        return None;
    }
    let items = match (using, from) {
        (Some(using), _) => using,
        (None, FromTable::WithFromKeyword(items) | FromTable::WithoutKeyword(items)) => items,
    };
    let from: Vec<Source> = sources(items);
    let mut made = of_body(Body::Change(Box::new(Change {
        from,
        conditions: selection.iter().flat_map(conditions).collect(),
        assigned: Vec::new(),
        returning: returning.as_deref().map(outputs).unwrap_or_default(),
    })));
    made.sorted = sorted(order_by);
    made.limits = limit.iter().map(expression).collect();
    Some(made)
}
