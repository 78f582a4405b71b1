//! The outputs of a plain SELECT of the list of processes and its like: object browsers read them with `*`,
//! and other people's statements are hidden in them.

use std::collections::BTreeSet;

use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, JoinConstraint,
    JoinOperator, ObjectNamePart, OrderByKind, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, Statement, TableFactor, TableWithJoins, Value,
    WildcardAdditionalOptions,
};

use super::{
    Walker,
    expression::{name, raw_name},
};
use crate::kernel::sql::{
    builtins::mysql_columns,
    mode::LexMode,
    reading::{Output, Outputs, RawName, Reading, StatementKind},
};

/// The outputs, if it is one SELECT of that list alone.
pub(super) fn of(statement: &Statement, reading: &Reading, mode: LexMode) -> Option<Outputs> {
    let listed = |relation: &RawName| mysql_columns::is_listed(relation.base());
    if !reading.relations.iter().any(|used| listed(&used.name)) {
        return None;
    }
    let Statement::Query(query) = statement else { return None };
    let SetExpr::Select(select) = &*query.body else { return None };
    let plain = query.with.is_none()
        && query.locks.is_empty()
        && select.distinct.is_none()
        && select.into.is_none()
        && select.named_window.is_empty()
        && matches!(&select.group_by, GroupByExpr::Expressions(list, with) if list.is_empty() && with.is_empty());
    if !plain {
        return None;
    }
    let from = sources(&select.from)?;
    let list = select.projection.iter().map(output).collect::<Option<Vec<_>>>()?;
    let elsewhere = elsewhere(query, select, reading, mode)?;
    // Fail closed: every name elsewhere may be that of an output.
    let sorted_by = elsewhere.columns.as_ref()?.names.clone();
    // Spec: what has no name of its own goes by its text, `LEFT(info, 60)`.
    if sorted_by.iter().any(|name| name.contains('(')) {
        return None;
    }
    let sorted_by_place = places(query)?;
    Some(Outputs { list, from, elsewhere: elsewhere.columns?, sorted_by, sorted_by_place })
}

/// The tables, and what they go by. `None`: something else is among them, or columns are merged.
fn sources(from: &[TableWithJoins]) -> Option<Vec<(String, RawName)>> {
    let mut found = Vec::new();
    for TableWithJoins { relation, joins } in from {
        found.push(source(relation)?);
        for join in joins {
            let (JoinOperator::Join(on)
            | JoinOperator::Inner(on)
            | JoinOperator::Left(on)
            | JoinOperator::LeftOuter(on)) = &join.join_operator
            else {
                return None;
            };
            if !matches!(on, JoinConstraint::On(_)) {
                return None;
            }
            found.push(source(&join.relation)?);
        }
    }
    Some(found)
}

fn source(table: &TableFactor) -> Option<(String, RawName)> {
    let TableFactor::Table { name: of, alias, .. } = table else { return None };
    let relation = raw_name(of)?;
    let known_as = alias.as_ref().map_or_else(|| relation.base().to_owned(), |a| name(&a.name));
    Some((known_as, relation))
}

/// `LEFT(c, 60)` and its like: the column, and what makes the excerpt.
fn excerpt(expr: &Expr) -> Option<(&Expr, String)> {
    let Expr::Function(function) = expr else { return None };
    let [ObjectNamePart::Identifier(called)] = function.name.0.as_slice() else { return None };
    let called = called.value.to_lowercase();
    let FunctionArguments::List(list) = &function.args else { return None };
    let is_plain = function.over.is_none()
        && function.filter.is_none()
        && list.duplicate_treatment.is_none()
        && list.clauses.is_empty();
    let ["left" | "substr" | "mid"] = [called.as_str()] else { return None };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(of)), rest @ ..] = list.args.as_slice() else {
        return None;
    };
    let constant = |argument: &FunctionArg| {
        matches!(argument, FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(_))))
    };
    (is_plain && rest.iter().all(constant)).then_some((of, called))
}

fn output(item: &SelectItem) -> Option<Output> {
    let column = |expr: &Expr, alias: Option<String>| {
        let (expr, through) = match excerpt(expr) {
            Some((of, through)) => (of, BTreeSet::from([through])),
            None => (expr, BTreeSet::new()),
        };
        let (before, column) = if let Expr::Identifier(ident) = expr {
            (None, ident)
        } else if let Expr::CompoundIdentifier(parts) = expr
            && let [table, column] = parts.as_slice()
        {
            (Some(name(table)), column)
        } else {
            // Fail closed: it is computed.
            return None;
        };
        let column = column.value.to_lowercase();
        let known_as = alias.unwrap_or_else(|| column.clone());
        let plain = !column.starts_with('@');
        plain.then_some(Output::Column { before, name: column, known_as, through })
    };
    let hideable = |found: Output| match &found {
        Output::Column { name, .. } if !mysql_columns::can_be_hidden(name) => Output::Value,
        Output::Column { .. } | Output::Star(_) | Output::Value => found,
    };
    match item {
        SelectItem::Wildcard(options) if *options == WildcardAdditionalOptions::default() => {
            Some(Output::Star(None))
        }
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(of), options)
            if *options == WildcardAdditionalOptions::default() =>
        {
            let of = raw_name(of)?;
            of.schema().is_none().then(|| Output::Star(Some(of.base().to_owned())))
        }
        SelectItem::UnnamedExpr(expr) => column(expr, None).map(hideable),
        SelectItem::ExprWithAlias { expr, alias } => {
            column(expr, Some(alias.value.to_lowercase())).map(hideable)
        }
        SelectItem::Wildcard(_)
        | SelectItem::QualifiedWildcard(..)
        | SelectItem::ExprWithAliases { .. } => None,
    }
}

/// What the statement says besides its outputs.
fn elsewhere(query: &Query, select: &Select, reading: &Reading, mode: LexMode) -> Option<Reading> {
    let one = Expr::Value(Value::Null.with_empty_span());
    let select = Select { projection: vec![SelectItem::UnnamedExpr(one)], ..select.clone() };
    let body = Box::new(SetExpr::Select(Box::new(select)));
    let query = Query { body, ..query.clone() };
    let mut walker = Walker::new(reading.span.clone(), mode);
    walker.query(&query);
    walker.finish(StatementKind::Select)
}

/// The places of outputs in ORDER BY. `None`: they can't be told.
fn places(query: &Query) -> Option<BTreeSet<usize>> {
    let Some(order_by) = &query.order_by else { return Some(BTreeSet::new()) };
    let OrderByKind::Expressions(list) = &order_by.kind else { return None };
    let mut places = BTreeSet::new();
    for order in list {
        if let Expr::Value(value) = &order.expr {
            let Value::Number(number, _) = &value.value else { return None };
            places.insert(number.parse().ok()?);
        }
    }
    Some(places)
}
