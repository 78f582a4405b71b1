//! FROM.

use sqlparser::ast::{
    Join as AstJoin, JoinConstraint, JoinOperator, JsonTableColumn, JsonTableNamedColumn,
    JsonTableNestedColumn, TableAlias, TableFactor, TableWithJoins,
};

use crate::kernel::sql::{
    lineage::shape::{Alias, Condition, Join, Source},
    mysql::shape::{
        condition::conditions,
        expression::{expression, into},
        names, query, raw_name,
    },
};

pub(super) fn sources(items: &[TableWithJoins]) -> Vec<Source> {
    items.iter().map(joined).collect()
}

/// One item of the list, with what is joined to it, from left to right.
pub(super) fn joined(item: &TableWithJoins) -> Source {
    let TableWithJoins { relation, joins } = item;
    joins.iter().fold(factor(relation), |left, next| {
        let AstJoin { relation, global, join_operator } = next;
        let right = factor(relation);
        match (*global, join(join_operator)) {
            (false, Some((constraint, right_first))) => {
                let (using, natural, on) = constraint;
                Source::Join(Box::new(Join {
                    left,
                    right,
                    using,
                    natural,
                    right_first,
                    on,
                    alias: Alias::default(),
                    merged_as: None,
                }))
            }
            _ => Source::Opaque("a join that MySQL hasn't"),
        }
    })
}

type Constraint = (Vec<String>, bool, Vec<Condition>);

/// What a join is by, and whether it is a RIGHT JOIN; `None` for one that isn't known.
fn join(operator: &JoinOperator) -> Option<(Constraint, bool)> {
    use JoinOperator as J;
    match operator {
        J::Join(by)
        | J::Inner(by)
        | J::Left(by)
        | J::LeftOuter(by)
        | J::CrossJoin(by)
        | J::StraightJoin(by) => Some((constraint(by)?, false)),
        J::Right(by) | J::RightOuter(by) => Some((constraint(by)?, true)),
        J::FullOuter(_)
        | J::Semi(_)
        | J::LeftSemi(_)
        | J::RightSemi(_)
        | J::Anti(_)
        | J::LeftAnti(_)
        | J::RightAnti(_)
        | J::CrossApply
        | J::OuterApply
        | J::AsOf { .. }
        | J::ArrayJoin
        | J::LeftArrayJoin
        | J::InnerArrayJoin => None,
    }
}

fn constraint(by: &JoinConstraint) -> Option<Constraint> {
    Some(match by {
        JoinConstraint::On(on) => (Vec::new(), false, conditions(on)),
        JoinConstraint::Using(columns) => {
            let one = |name| names(name).filter(|n| n.len() == 1).and_then(|mut n| n.pop());
            (columns.iter().map(one).collect::<Option<_>>()?, false, Vec::new())
        }
        JoinConstraint::Natural => (Vec::new(), true, Vec::new()),
        JoinConstraint::None => (Vec::new(), false, Vec::new()),
        JoinConstraint::UsingAlias(..) => return None,
    })
}

fn factor(factor: &TableFactor) -> Source {
    match factor {
        TableFactor::Table {
            name,
            alias: known_as,
            args,
            with_hints,
            // What a system-versioned table held at another time is its rows too.
            version: _,
            with_ordinality,
            // Fewer of its rows.
            partitions: _,
            json_path,
            sample,
            index_directives: _,
            inheritance,
        } => {
            let is_foreign = args.is_some()
                || !with_hints.is_empty()
                || *with_ordinality
                || json_path.is_some()
                || sample.is_some()
                || inheritance.is_some();
            match (raw_name(name), alias(known_as.as_ref())) {
                (Some(name), Some(alias)) if !is_foreign => Source::Relation { name, alias },
                _ => Source::Opaque("a table in FROM with something that MySQL hasn't"),
            }
        }
        TableFactor::Derived { lateral, subquery, alias: known_as, sample } => {
            match alias(known_as.as_ref()) {
                Some(alias) if sample.is_none() => {
                    Source::Query { query: query(subquery), lateral: *lateral, alias }
                }
                _ => Source::Opaque("a subquery of an unknown kind"),
            }
        }
        TableFactor::JsonTable { json_expr, json_path: _, columns, alias: known_as } => {
            let mut given = expression(json_expr);
            given.column = None;
            let mut found = Vec::new();
            json_columns(columns, &mut found);
            match alias(known_as.as_ref()) {
                Some(alias) => {
                    Source::Function { arguments: vec![given], columns: Some(found), alias }
                }
                None => Source::Opaque("JSON_TABLE"),
            }
        }
        TableFactor::NestedJoin { table_with_joins, alias: None } => joined(table_with_joins),
        TableFactor::NestedJoin { table_with_joins: _, alias: Some(_) } => {
            Source::Opaque("a join with a name")
        }
        TableFactor::TableFunction { .. }
        | TableFactor::Function { .. }
        | TableFactor::UNNEST { .. }
        | TableFactor::OpenJsonTable { .. }
        | TableFactor::Pivot { .. }
        | TableFactor::Unpivot { .. }
        | TableFactor::UnpivotExpr { .. }
        | TableFactor::MatchRecognize { .. }
        | TableFactor::XmlTable { .. }
        | TableFactor::SemanticView { .. } => Source::Opaque("something in FROM"),
    }
}

/// `None` for one that MySQL hasn't.
fn alias(alias: Option<&TableAlias>) -> Option<Alias> {
    let Some(TableAlias { explicit: _, name, columns, at }) = alias else {
        return Some(Alias::default());
    };
    let is_typed = columns.iter().any(|column| column.data_type.is_some());
    (at.is_none() && !is_typed).then(|| Alias {
        name: Some(name.value.clone()),
        columns: columns.iter().map(|column| column.name.value.clone()).collect(),
    })
}

/// Their names, in order.
fn json_columns(columns: &[JsonTableColumn], found: &mut Vec<String>) {
    for column in columns {
        match column {
            // What it gives for nothing or for an error is a constant.
            JsonTableColumn::Named(JsonTableNamedColumn {
                name,
                r#type: _,
                path: _,
                exists: _,
                on_empty: _,
                on_error: _,
            }) => found.push(name.value.clone()),
            JsonTableColumn::ForOrdinality(name) => found.push(name.value.clone()),
            JsonTableColumn::Nested(JsonTableNestedColumn { path: _, columns }) => {
                json_columns(columns, found);
            }
        }
    }
}

/// Adds what a list of arguments is made of.
pub(super) fn all<'e>(
    list: impl IntoIterator<Item = &'e sqlparser::ast::Expr>,
    made: &mut crate::kernel::sql::lineage::shape::Expression,
) {
    for value in list {
        into(value, made);
    }
}
