//! FROM.

use pg_query::protobuf::{self as pg, node::Node as N};

use crate::kernel::sql::{
    lineage::shape::{Alias, Expression, Join, Source},
    server_grammar::{
        columns::text,
        relations::{name_of, raw_name},
        shape::{
            expression::{expression, into},
            query, where_,
        },
    },
};

pub(super) fn sources(items: &[pg::Node]) -> Vec<Source> {
    items.iter().map(source).collect()
}

pub(super) fn source(item: &pg::Node) -> Source {
    match &item.node {
        Some(N::RangeVar(relation)) => {
            Source::Relation { name: raw_name(relation), alias: alias(relation.alias.as_ref()) }
        }
        Some(N::RangeTableSample(sample)) => {
            // Which rows are drawn hangs on no column, but what is computed for it might.
            let constant = sample.args.iter().chain(sample.repeatable.as_deref());
            if constant.map(expression).any(|e| !e.is_constant()) {
                return Source::Opaque("TABLESAMPLE with more than constants");
            }
            sample.relation.as_deref().map_or(Source::Opaque("TABLESAMPLE"), source)
        }
        Some(N::RangeSubselect(n)) => match n.subquery.as_deref().and_then(query) {
            Some(query) => {
                Source::Query { query, lateral: n.lateral, alias: alias(n.alias.as_ref()) }
            }
            None => Source::Opaque("a subquery of an unknown kind"),
        },
        Some(N::RangeFunction(n)) => function(n),
        Some(N::RangeTableFunc(n)) => xml_table(n),
        Some(N::JsonTable(n)) => json_table(n),
        Some(N::JoinExpr(n)) => join(n),
        _ => Source::Opaque("something in FROM"),
    }
}

fn alias(alias: Option<&pg::Alias>) -> Alias {
    alias.map_or_else(Alias::default, |a| Alias {
        name: Some(a.aliasname.clone()),
        columns: a.colnames.iter().filter_map(text).collect(),
    })
}

fn function(n: &pg::RangeFunction) -> Source {
    let (mut arguments, mut defined, mut own_name) = (Vec::new(), Vec::new(), None);
    let mut is_defined = !n.functions.is_empty();
    for item in &n.functions {
        let Some(N::List(call)) = &item.node else { return Source::Opaque("a function in FROM") };
        let Some(called) = call.items.first() else { return Source::Opaque("a function in FROM") };
        if let Some(N::FuncCall(call)) = &called.node {
            own_name = name_of(&call.funcname).0.pop();
        }
        arguments.push(expression(called));
        let listed: Vec<String> =
            call.items.get(1..).unwrap_or_default().iter().flat_map(names).collect();
        is_defined &= !listed.is_empty();
        defined.extend(listed);
    }
    let listed: Vec<String> = n.coldeflist.iter().flat_map(names).collect();
    if !listed.is_empty() {
        (is_defined, defined) = (true, listed);
    }
    let mut alias = alias(n.alias.as_ref());
    if alias.name.is_none() && n.functions.len() == 1 {
        alias.name = own_name;
    }
    if n.ordinality {
        defined.push("ordinality".to_owned());
    }
    Source::Function { arguments, columns: is_defined.then_some(defined), alias }
}

/// Names in a column definition list.
fn names(n: &pg::Node) -> Vec<String> {
    match &n.node {
        Some(N::ColumnDef(column)) => vec![column.colname.clone()],
        Some(N::List(list)) => list.items.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

fn xml_table(n: &pg::RangeTableFunc) -> Source {
    let mut given = Expression::default();
    for part in n.docexpr.iter().chain(&n.rowexpr) {
        into(part, &mut given);
    }
    for part in &n.namespaces {
        match &part.node {
            Some(N::ResTarget(target)) => {
                target.val.iter().for_each(|value| into(value, &mut given));
            }
            _ => into(part, &mut given),
        }
    }
    let mut columns = Vec::new();
    for column in &n.columns {
        let Some(N::RangeTableFuncCol(column)) = &column.node else {
            return Source::Opaque("XMLTABLE");
        };
        columns.push(column.colname.clone());
        for part in column.colexpr.iter().chain(&column.coldefexpr) {
            into(part, &mut given);
        }
    }
    rows_of(given, columns, n.alias.as_ref())
}

fn json_table(n: &pg::JsonTable) -> Source {
    let mut given = Expression::default();
    let value = n.context_item.as_ref().and_then(|item| item.raw_expr.as_deref());
    value.into_iter().chain(&n.passing).for_each(|part| into(part, &mut given));
    let mut columns = Vec::new();
    if !json_columns(&n.columns, &mut columns, &mut given) {
        return Source::Opaque("JSON_TABLE");
    }
    rows_of(given, columns, n.alias.as_ref())
}

fn json_columns(list: &[pg::Node], names: &mut Vec<String>, given: &mut Expression) -> bool {
    list.iter().all(|column| {
        let Some(N::JsonTableColumn(column)) = &column.node else { return false };
        let behaviors = [&column.on_empty, &column.on_error].into_iter().flatten();
        for value in behaviors.filter_map(|b| b.expr.as_deref()) {
            into(value, given);
        }
        if column.columns.is_empty() {
            names.push(column.name.clone());
        }
        json_columns(&column.columns, names, given)
    })
}

/// A function's rows; how many there are hangs on what it is given.
fn rows_of(mut given: Expression, columns: Vec<String>, name: Option<&pg::Alias>) -> Source {
    given.column = None;
    Source::Function { arguments: vec![given], columns: Some(columns), alias: alias(name) }
}

fn join(n: &pg::JoinExpr) -> Source {
    let (Some(left), Some(right)) = (n.larg.as_deref(), n.rarg.as_deref()) else {
        return Source::Opaque("a join");
    };
    Source::Join(Box::new(Join {
        left: source(left),
        right: source(right),
        using: n.using_clause.iter().filter_map(text).collect(),
        natural: n.is_natural,
        right_first: false,
        on: where_(n.quals.as_deref()),
        alias: alias(n.alias.as_ref()),
        merged_as: n.join_using_alias.as_ref().map(|a| a.aliasname.clone()),
    }))
}
