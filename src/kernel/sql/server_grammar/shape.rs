//! From the server's tree to a [`Shape`]: how rows flow through a statement.
//!
//! Only what is modelled is taken over; every other node makes what it stands in opaque, so that a
//! node that nobody thought of hides more, never less.

mod changes;
mod expression;
mod harmless;
mod names;
mod source;

use pg_query::protobuf::{self as pg, node::Node as N};

use crate::kernel::sql::{
    lineage::shape::{Body, Condition, Cte, Key, Output, Query, Select, SetOperation, Shape},
    server_grammar::{
        columns::text,
        relations::{name_of, raw_name},
        shape::{
            expression::{conditions, expression, is_star},
            source::sources,
        },
    },
};

/// How rows flow through a statement; `None` if it reads and writes no rows.
pub(super) fn of(statement: &pg::RawStmt) -> Option<Shape> {
    statement.stmt.as_deref().and_then(of_node)
}

fn of_node(statement: &pg::Node) -> Option<Shape> {
    Some(match statement.node.as_ref()? {
        N::SelectStmt(select) if stores(select) => Shape::Stored(query(statement)?),
        N::SelectStmt(_)
        | N::InsertStmt(_)
        | N::UpdateStmt(_)
        | N::DeleteStmt(_)
        | N::MergeStmt(_) => Shape::Query(query(statement)?),
        N::CreateTableAsStmt(n) => inside(n.query.as_deref(), Shape::Stored),
        N::ViewStmt(n) => inside(n.query.as_deref(), Shape::Stored),
        N::ExplainStmt(n) => match inside(n.query.as_deref(), Shape::Explained) {
            // Of DECLARE too it shows the plan.
            Shape::Query(query) => Shape::Explained(query),
            other => other,
        },
        N::PrepareStmt(n) => n.query.as_deref().and_then(of_node)?,
        N::DeclareCursorStmt(n) => inside(n.query.as_deref(), Shape::Query),
        N::CopyStmt(n) if n.is_from => Shape::Opaque("COPY FROM"),
        N::CopyStmt(n) => match (&n.relation, n.query.as_deref()) {
            (Some(table), None) => Shape::Copied {
                table: raw_name(table),
                columns: n.attlist.iter().filter_map(text).collect(),
            },
            (_, query) => inside(query, Shape::Query),
        },
        _ => return None,
    })
}

/// A query inside another statement. EXPLAIN may hold CREATE TABLE AS, EXECUTE or DECLARE.
fn inside(statement: Option<&pg::Node>, shape: impl FnOnce(Query) -> Shape) -> Shape {
    let Some(statement) = statement else { return Shape::Opaque("a statement without a query") };
    if let Some(query) = query(statement) {
        return shape(query);
    }
    match of_node(statement) {
        // What is inside has its own way with its rows.
        Some(shape) => shape,
        None => Shape::Opaque("what stands inside this statement"),
    }
}

/// SELECT … INTO, in any arm.
fn stores(select: &pg::SelectStmt) -> bool {
    select.into_clause.is_some()
        || [&select.larg, &select.rarg].into_iter().flatten().any(|arm| stores(arm))
}

/// A query or a row-changing statement; `None` if it is neither.
pub(super) fn query(statement: &pg::Node) -> Option<Query> {
    Some(match statement.node.as_ref()? {
        N::SelectStmt(select) => select_query(select),
        N::InsertStmt(insert) => changes::insert(insert),
        N::UpdateStmt(update) => changes::update(update),
        N::DeleteStmt(delete) => changes::delete(delete),
        N::MergeStmt(merge) => changes::merge(merge),
        _ => return None,
    })
}

fn select_query(select: &pg::SelectStmt) -> Query {
    let pg::SelectStmt {
        distinct_clause,
        into_clause: _,
        target_list,
        from_clause,
        where_clause,
        group_clause,
        group_distinct: _,
        having_clause,
        window_clause,
        values_lists,
        sort_clause,
        limit_offset,
        limit_count,
        limit_option: _,
        locking_clause: _,
        with_clause,
        op: _,
        all,
        larg,
        rarg,
    } = select;
    let body = match (larg, rarg) {
        (Some(left), Some(right)) => Body::Set(Box::new(SetOperation {
            compares: !all || !is_union(select),
            left: select_query(left),
            right: select_query(right),
        })),
        _ if !values_lists.is_empty() => Body::Values(values_lists.iter().map(row).collect()),
        _ => {
            let mut compared = Vec::new();
            // DISTINCT is a list of one empty node; DISTINCT ON has expressions.
            let on = distinct_clause.iter().filter(|n| n.node.is_some());
            compared.extend(window_clause.iter().map(expression));
            let distinct = distinct_clause.iter().any(|n| n.node.is_none());
            Body::Select(Box::new(Select {
                from: sources(from_clause),
                outputs: outputs(target_list),
                conditions: where_clause
                    .iter()
                    .chain(having_clause)
                    .flat_map(|n| conditions(n))
                    .collect(),
                having: Vec::new(),
                // Spec: a bare name or number in DISTINCT ON is an output, as in ORDER BY.
                groups: group_clause.iter().chain(on).flat_map(keys).collect(),
                compared,
                distinct,
            }))
        }
    };
    let mut query = Query {
        ctes: Vec::new(),
        recursive: false,
        body,
        sorted: sort_clause.iter().flat_map(keys).collect(),
        limits: [limit_offset, limit_count].into_iter().flatten().map(|n| expression(n)).collect(),
    };
    with(with_clause.as_ref(), &mut query);
    query
}

fn is_union(select: &pg::SelectStmt) -> bool {
    matches!(pg::SetOperation::try_from(select.op), Ok(pg::SetOperation::SetopUnion))
}

/// One row of VALUES.
fn row(n: &pg::Node) -> Vec<crate::kernel::sql::lineage::shape::Expression> {
    match &n.node {
        Some(N::List(list)) => list.items.iter().map(expression).collect(),
        _ => vec![expression(n)],
    }
}

fn with(clause: Option<&pg::WithClause>, query: &mut Query) {
    let Some(pg::WithClause { ctes, recursive, location: _ }) = clause else { return };
    query.recursive = *recursive;
    query.ctes.extend(ctes.iter().filter_map(|n| match &n.node {
        Some(N::CommonTableExpr(cte)) => Some(cte_of(cte)),
        _ => None,
    }));
}

fn cte_of(cte: &pg::CommonTableExpr) -> Cte {
    let inner = cte.ctequery.as_deref().and_then(query);
    Cte {
        name: cte.ctename.clone(),
        columns: cte.aliascolnames.iter().filter_map(text).collect(),
        query: inner.unwrap_or_else(unknown),
        cycle: cte.cycle_clause.iter().flat_map(|c| &c.cycle_col_list).filter_map(text).collect(),
        adds_columns: cte.search_clause.is_some() || cte.cycle_clause.is_some(),
    }
}

/// A query of which nothing is known.
fn unknown() -> Query {
    use crate::kernel::sql::lineage::shape::Source;
    Query {
        ctes: Vec::new(),
        recursive: false,
        body: Body::Select(Box::new(Select {
            from: vec![Source::Opaque("a query of an unknown kind")],
            outputs: vec![Output::Star(Vec::new())],
            conditions: Vec::new(),
            having: Vec::new(),
            groups: Vec::new(),
            compared: Vec::new(),
            distinct: false,
        })),
        sorted: Vec::new(),
        limits: Vec::new(),
    }
}

/// A select list, or RETURNING.
pub(super) fn outputs(list: &[pg::Node]) -> Vec<Output> {
    list.iter().map(output).collect()
}

fn output(n: &pg::Node) -> Output {
    let (name, value) = match &n.node {
        Some(N::ResTarget(target)) => (&target.name, target.val.as_deref()),
        _ => {
            let value = Box::new(expression(n));
            return Output::Value { name: None, made_up: None, is_odd: false, value };
        }
    };
    let Some(value) = value else { return Output::Star(Vec::new()) };
    if let Some(star) = star(value) {
        return star;
    }
    let made_up = names::made_up(value);
    let value = expression(value);
    let name = match (name.is_empty(), &value.column) {
        (false, _) => Some(name.clone()),
        (true, Some(column)) => column.name().map(str::to_owned),
        (true, None) => None,
    };
    Output::Value { name, made_up, is_odd: false, value: Box::new(value) }
}

/// `*`, `t.*`, `(t).*`.
fn star(value: &pg::Node) -> Option<Output> {
    match value.node.as_ref()? {
        N::ColumnRef(reference) => {
            let (last, before) = reference.fields.split_last()?;
            is_star(last).then(|| Output::Star(before.iter().filter_map(text).collect()))
        }
        N::AIndirection(n) if n.indirection.iter().any(is_star) => {
            let row = n.arg.as_deref()?;
            match (&row.node, n.indirection.as_slice()) {
                (Some(N::ColumnRef(reference)), [_]) => {
                    Some(Output::Fields(name_of(&reference.fields).0))
                }
                // Nobody knows how many columns.
                _ => Some(Output::Star(vec![String::new()])),
            }
        }
        _ => None,
    }
}

/// GROUP BY and ORDER BY; grouping sets are taken apart.
fn keys(n: &pg::Node) -> Vec<Key> {
    match &n.node {
        Some(N::SortBy(sort)) => match sort.node.as_deref() {
            Some(n) => {
                let mut key = key(n);
                if let Key::Value(value) = &mut key
                    && !sort.use_op.is_empty()
                {
                    value.opaque = Some("ORDER BY … USING");
                }
                vec![key]
            }
            None => Vec::new(),
        },
        Some(N::GroupingSet(set)) => set.content.iter().flat_map(keys).collect(),
        Some(N::List(list)) => list.items.iter().flat_map(keys).collect(),
        Some(N::RowExpr(row)) => row.args.iter().flat_map(keys).collect(),
        _ => vec![key(n)],
    }
}

fn key(n: &pg::Node) -> Key {
    if let Some(N::AConst(constant)) = &n.node
        && let Some(pg::a_const::Val::Ival(place)) = &constant.val
        && let Ok(place) = usize::try_from(place.ival)
    {
        return Key::Place(place);
    }
    Key::Value(Box::new(expression(n)))
}

/// What an expression by itself is made of.
pub(super) fn value(n: &pg::Node) -> crate::kernel::sql::lineage::shape::Expression {
    expression(n)
}

/// The conditions of an optional clause.
pub(super) fn where_(clause: Option<&pg::Node>) -> Vec<Condition> {
    clause.map(conditions).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::sql::{mode::LexMode, server_grammar::read};

    fn shape(text: &str) -> Option<Shape> {
        let readings = read(text, LexMode::POSTGRES).expect("parses");
        readings.first().and_then(|reading| reading.shape.as_deref().cloned())
    }

    #[test]
    fn statements_without_rows_have_no_shape() {
        for text in ["BEGIN", "SET a = 1", "CREATE TABLE t (a int)", "VACUUM t", "EXECUTE p"] {
            assert_eq!(shape(text), None, "{text}");
        }
    }

    #[test]
    fn what_holds_a_query_says_what_becomes_of_its_rows() {
        for (text, stored, explained) in [
            ("SELECT 1", false, false),
            ("SELECT 1 INTO t", true, false),
            ("SELECT 1 INTO t UNION ALL SELECT 2", true, false),
            ("CREATE TABLE t AS SELECT 1", true, false),
            ("CREATE VIEW v AS SELECT 1", true, false),
            ("CREATE MATERIALIZED VIEW v AS SELECT 1", true, false),
            ("EXPLAIN SELECT 1", false, true),
            ("EXPLAIN CREATE TABLE t AS SELECT 1", true, false),
            ("PREPARE p AS SELECT 1", false, false),
            ("DECLARE c CURSOR FOR SELECT 1", false, false),
            ("COPY (SELECT 1) TO STDOUT", false, false),
        ] {
            let shape = shape(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(matches!(shape, Shape::Stored(_)), stored, "{text}");
            assert_eq!(matches!(shape, Shape::Explained(_)), explained, "{text}");
        }
        assert!(matches!(shape("EXPLAIN EXECUTE p"), Some(Shape::Opaque(_))));
    }
}
