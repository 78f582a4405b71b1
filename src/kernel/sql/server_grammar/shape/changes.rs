//! INSERT, UPDATE, DELETE, MERGE.

use std::collections::BTreeSet;

use pg_query::protobuf::{self as pg, node::Node as N};

use crate::kernel::sql::{
    lineage::shape::{Assignment, Body, Condition, Expression, Query, Reference, Write},
    server_grammar::{
        columns::text,
        relations::raw_name,
        shape::{
            expression::expression,
            outputs, query,
            source::{source, sources},
            unknown, where_, with,
        },
    },
};

pub(super) fn insert(n: &pg::InsertStmt) -> Query {
    let Some(mut write) = write(n.relation.as_ref(), n.returning_clause.as_ref()) else {
        return unknown();
    };
    let columns = n.cols.iter().filter_map(target).collect();
    write.rows =
        n.select_stmt.as_deref().map(|rows| (columns, query(rows).unwrap_or_else(unknown)));
    if let Some(conflict) = n.on_conflict_clause.as_deref() {
        write.also_known_as.push("excluded".to_owned());
        write.assigned = assignments(&conflict.target_list);
        write.conditions.extend(where_(conflict.where_clause.as_deref()));
        // The index that it looks for says nothing of rows but that two of them are the same: which
        // columns these are shows in the statement, and what is found shows in its effect. Each new row
        // asks for one value.
        let asks = many(write.rows.as_ref().map(|(_, rows)| rows));
        let infer = conflict.infer.as_deref().filter(|infer| infer.conname.is_empty());
        if infer.is_none() {
            write.conflicts = Some(asks);
        }
        if let Some(infer) = infer {
            write.conditions.extend(where_(infer.where_clause.as_deref()));
            let elements = infer.index_elems.iter().filter_map(|n| match &n.node {
                Some(N::IndexElem(element)) => Some(element),
                _ => None,
            });
            for element in elements {
                write.conditions.push(match element.expr.as_deref() {
                    Some(value) => Condition::Other(expression(value)),
                    None => Condition::Equals {
                        column: Reference::Column(vec![element.name.clone()]),
                        constants: asks,
                        classes: BTreeSet::new(),
                    },
                });
            }
        }
    }
    finish(write, n.with_clause.as_ref())
}

/// How many rows INSERT brings. Of a query's nobody knows; nor of constants, whose long runs are read as
/// two.
fn many(rows: Option<&Query>) -> usize {
    match rows.map(|rows| &rows.body) {
        Some(Body::Values(values)) if values.len() == 1 => 1,
        Some(Body::Values(_)) => usize::MAX,
        Some(Body::Select(_) | Body::Set(_) | Body::Write(_) | Body::Change(_)) => usize::MAX,
        None => 1,
    }
}

pub(super) fn update(n: &pg::UpdateStmt) -> Query {
    let Some(mut write) = write(n.relation.as_ref(), n.returning_clause.as_ref()) else {
        return unknown();
    };
    write.from = sources(&n.from_clause);
    write.conditions = where_(n.where_clause.as_deref());
    write.assigned = assignments(&n.target_list);
    finish(write, n.with_clause.as_ref())
}

pub(super) fn delete(n: &pg::DeleteStmt) -> Query {
    let Some(mut write) = write(n.relation.as_ref(), n.returning_clause.as_ref()) else {
        return unknown();
    };
    write.from = sources(&n.using_clause);
    write.conditions = where_(n.where_clause.as_deref());
    finish(write, n.with_clause.as_ref())
}

pub(super) fn merge(n: &pg::MergeStmt) -> Query {
    let Some(mut write) = write(n.relation.as_ref(), n.returning_clause.as_ref()) else {
        return unknown();
    };
    write.merges = true;
    write.from.extend(n.source_relation.as_deref().map(source));
    write.conditions = where_(n.join_condition.as_deref());
    for clause in &n.merge_when_clauses {
        let Some(N::MergeWhenClause(clause)) = &clause.node else { return unknown() };
        write.conditions.extend(where_(clause.condition.as_deref()));
        if clause.values.is_empty() {
            write.assigned.extend(assignments(&clause.target_list));
        } else {
            write.inserted.push(Assignment {
                columns: clause.target_list.iter().filter_map(target).collect(),
                values: clause.values.iter().map(expression).collect(),
            });
        }
    }
    finish(write, n.with_clause.as_ref())
}

fn write(table: Option<&pg::RangeVar>, returning: Option<&pg::ReturningClause>) -> Option<Write> {
    let table = table?;
    let mut also_known_as = Vec::new();
    let mut returned = Vec::new();
    if let Some(clause) = returning {
        also_known_as.extend(["old".to_owned(), "new".to_owned()]);
        also_known_as.extend(clause.options.iter().filter_map(|n| match &n.node {
            Some(N::ReturningOption(option)) => Some(option.value.clone()),
            _ => None,
        }));
        returned = outputs(&clause.exprs);
    }
    Some(Write {
        merges: false,
        table: raw_name(table),
        alias: table.alias.as_ref().map(|a| a.aliasname.clone()),
        also_known_as,
        rows: None,
        conflicts: None,
        replaces: false,
        from: Vec::new(),
        conditions: Vec::new(),
        assigned: Vec::new(),
        inserted: Vec::new(),
        returning: returned,
    })
}

fn finish(write: Write, clause: Option<&pg::WithClause>) -> Query {
    let mut query = Query {
        ctes: Vec::new(),
        recursive: false,
        body: Body::Write(Box::new(write)),
        sorted: Vec::new(),
        limits: Vec::new(),
    };
    with(clause, &mut query);
    query
}

fn target(n: &pg::Node) -> Option<String> {
    match &n.node {
        Some(N::ResTarget(target)) => Some(target.name.clone()),
        _ => text(n),
    }
}

/// `SET a = x, (b, c) = (SELECT …)`: each of the latter is a target of its own with the same source.
fn assignments(list: &[pg::Node]) -> Vec<Assignment> {
    let targets = list.iter().filter_map(|n| match &n.node {
        Some(N::ResTarget(target)) => Some(target),
        _ => None,
    });
    targets
        .map(|target| {
            let value = target.val.as_deref().map(|value| match &value.node {
                Some(N::MultiAssignRef(multi)) => {
                    multi.source.as_deref().map(expression).unwrap_or_default()
                }
                _ => expression(value),
            });
            let mut values: Vec<Expression> = value.into_iter().collect();
            // A subscript may be computed.
            values.extend(target.indirection.iter().map(expression));
            Assignment { columns: vec![target.name.clone()], values }
        })
        .collect()
}
