//! The outputs of a plain SELECT of the list of processes: object browsers read it with `*`, and other
//! people's statements are hidden in it.

use std::collections::BTreeSet;

use sqlparser::ast::{
    Expr, GroupByExpr, OrderByKind, Query, Select, SelectItem, SelectItemQualifiedWildcardKind,
    SetExpr, Statement, TableFactor, Value, WildcardAdditionalOptions,
};

use super::{
    Walker,
    expression::{name, raw_name},
};
use crate::kernel::sql::{
    mode::LexMode,
    reading::{Output, Outputs, RawName, Reading, StatementKind},
};

/// The columns that are hidden.
const HIDDEN: [&str; 4] = ["info", "info_binary", "max_memory_used", "memory_used"];

/// The outputs, if it is one SELECT of that list alone.
pub(super) fn of(statement: &Statement, reading: &Reading, mode: LexMode) -> Option<Outputs> {
    let is_listed = |relation: &RawName| relation.base().eq_ignore_ascii_case("processlist");
    if !reading.relations.iter().any(|used| is_listed(&used.name)) {
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
    let [table] = select.from.as_slice() else { return None };
    let TableFactor::Table { name: of, alias, .. } = &table.relation else { return None };
    if !plain || !table.joins.is_empty() {
        return None;
    }
    let relation = raw_name(of)?;
    let known_as = alias.as_ref().map_or_else(|| relation.base().to_owned(), |a| name(&a.name));
    let list = select.projection.iter().map(output).collect::<Option<Vec<_>>>()?;
    let elsewhere = elsewhere(query, select, reading, mode)?;
    // Fail closed: every name elsewhere may be that of an output.
    let sorted_by = elsewhere.columns.as_ref()?.names.clone();
    let sorted_by_place = places(query)?;
    Some(Outputs {
        list,
        from: vec![(known_as, relation)],
        elsewhere: elsewhere.columns?,
        sorted_by,
        sorted_by_place,
    })
}

fn output(item: &SelectItem) -> Option<Output> {
    let column = |expr: &Expr, alias: Option<String>| {
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
        plain.then_some(Output::Column { before, name: column, known_as, through: BTreeSet::new() })
    };
    let hideable = |found: Output| match &found {
        Output::Column { name, .. } if !HIDDEN.contains(&name.as_str()) => Output::Value,
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
