//! From `sqlparser`'s tree to a [`Shape`]: how rows flow through a statement of MySQL or MariaDB.
//!
//! Every node of the tree is listed. What these servers don't have makes what it stands in opaque, so
//! that nobody takes it for something that it may not be.

mod amount;
mod changes;
mod condition;
mod expression;
mod function;
mod json;
mod source;
mod statement;

use sqlparser::ast::{
    self, Cte as AstCte, Distinct, GroupByExpr, GroupByWithModifier, LimitClause, NamedWindowExpr,
    ObjectName, ObjectNamePart, OrderBy, OrderByExpr, OrderByKind, Select as AstSelect, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, Statement, With,
};

use crate::kernel::sql::{
    lineage::shape::{
        Alias, Body, Cte, Expression, Key, Output, Query, Select, SetOperation, Shape, Source,
    },
    mysql::shape::{
        condition::conditions,
        expression::{expression, reference},
        source::sources,
    },
    reading::RawName,
};

/// How rows flow through a statement; `None` if it reads and writes no rows.
pub(super) fn of(statement: &Statement) -> Option<Shape> {
    statement::of(statement)
}

/// A query. Its parentheses may have an ORDER BY and LIMIT of their own.
fn query(query: &ast::Query) -> Query {
    let ast::Query {
        with: ctes,
        body,
        order_by,
        limit_clause,
        fetch,
        // Which rows are locked is no matter of where values go.
        locks: _,
        for_clause,
        settings,
        format_clause,
        pipe_operators,
    } = query;
    if for_clause.is_some()
        || settings.is_some()
        || format_clause.is_some()
        || !pipe_operators.is_empty()
    {
        return unknown();
    }
    let mut made = body_of(body);
    let adds = ctes.is_some() || order_by.is_some() || limit_clause.is_some() || fetch.is_some();
    let has_own = !made.ctes.is_empty() || !made.sorted.is_empty() || !made.limits.is_empty();
    if adds && has_own {
        made = around(made);
    }
    if let Some(ctes) = ctes {
        with(ctes, &mut made);
    }
    match limit_clause {
        None => {}
        Some(LimitClause::LimitOffset { limit, offset, limit_by }) => {
            let by = limit_by.iter();
            made.limits.extend(limit.iter().chain(offset.iter().map(|o| &o.value)).map(expression));
            made.limits.extend(by.map(|_| opaque("LIMIT BY")));
        }
        Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
            made.limits.extend([offset, limit].map(expression));
        }
    }
    made.limits.extend(fetch.iter().flat_map(|f| &f.quantity).map(expression));
    made.sorted.extend(order_by.iter().flat_map(order_keys));
    made
}

/// A query in parentheses, of which all that is outside sees only what comes out.
fn around(inner: Query) -> Query {
    let alias = Alias::default();
    select_from(Source::Query { query: inner, lateral: false, alias })
}

fn body_of(body: &SetExpr) -> Query {
    match body {
        SetExpr::Select(select) => of_body(Body::Select(Box::new(select_body(select)))),
        SetExpr::Query(inner) => query(inner),
        SetExpr::SetOperation { left, op, set_quantifier, right } => {
            let all = match set_quantifier {
                SetQuantifier::All => matches!(op, SetOperator::Union),
                SetQuantifier::Distinct | SetQuantifier::None => false,
                SetQuantifier::ByName
                | SetQuantifier::AllByName
                | SetQuantifier::DistinctByName => return unknown(),
            };
            match op {
                SetOperator::Union | SetOperator::Except | SetOperator::Intersect => {}
                SetOperator::Minus => return unknown(),
            }
            let (left, right) = (body_of(left), body_of(right));
            of_body(Body::Set(Box::new(SetOperation { compares: !all, left, right })))
        }
        SetExpr::Values(values) => of_body(Body::Values(
            values.rows.iter().map(|row| row.content.iter().map(expression).collect()).collect(),
        )),
        SetExpr::Insert(statement)
        | SetExpr::Update(statement)
        | SetExpr::Delete(statement)
        | SetExpr::Merge(statement) => changes::of(statement).unwrap_or_else(unknown),
        SetExpr::Table(table) => {
            let ast::Table { table_name, schema_name } = &**table;
            let names = schema_name.iter().chain(table_name).map(|i| i.value.clone()).collect();
            let alias = Alias::default();
            select_from(Source::Relation { name: RawName(names), alias })
        }
    }
}

fn of_body(body: Body) -> Query {
    Query { ctes: Vec::new(), recursive: false, body, sorted: Vec::new(), limits: Vec::new() }
}

fn empty_select() -> Select {
    Select {
        from: Vec::new(),
        outputs: Vec::new(),
        conditions: Vec::new(),
        having: Vec::new(),
        groups: Vec::new(),
        compared: Vec::new(),
        distinct: false,
    }
}

/// `SELECT * FROM` this.
fn select_from(source: Source) -> Query {
    let outputs = vec![Output::Star(Vec::new())];
    of_body(Body::Select(Box::new(Select { from: vec![source], outputs, ..empty_select() })))
}

/// A query of which nothing is known.
fn unknown() -> Query {
    select_from(Source::Opaque("a query of an unknown kind"))
}

fn opaque(what: &'static str) -> Expression {
    Expression { opaque: Some(what), ..Expression::default() }
}

fn with(clause: &With, query: &mut Query) {
    let With { with_token: _, recursive, cte_tables } = clause;
    query.recursive = *recursive;
    query.ctes.extend(cte_tables.iter().map(cte));
}

fn cte(cte: &AstCte) -> Cte {
    let AstCte { alias, query: inner, from, materialized, closing_paren_token: _ } = cte;
    let is_known = from.is_none() && materialized.is_none() && alias.at.is_none();
    Cte {
        name: alias.name.value.clone(),
        columns: alias.columns.iter().map(|column| column.name.value.clone()).collect(),
        query: if is_known { query(inner) } else { unknown() },
        adds_columns: false,
        cycle: Vec::new(),
    }
}

fn select_body(select: &AstSelect) -> Select {
    let AstSelect {
        select_token: _,
        optimizer_hints: _,
        distinct,
        // How the server goes about it.
        select_modifiers: _,
        top,
        top_before_distinct: _,
        projection,
        exclude,
        // What becomes of the rows is a matter of the statement.
        into: _,
        from,
        lateral_views,
        prewhere,
        selection,
        connect_by,
        group_by,
        cluster_by,
        distribute_by,
        sort_by,
        having,
        named_window,
        qualify,
        window_before_qualify: _,
        value_table_mode,
        flavor: _,
    } = select;
    let is_foreign = top.is_some()
        || exclude.is_some()
        || !lateral_views.is_empty()
        || prewhere.is_some()
        || !connect_by.is_empty()
        || !cluster_by.is_empty()
        || !distribute_by.is_empty()
        || !sort_by.is_empty()
        || qualify.is_some()
        || value_table_mode.is_some();
    let mut made = Select {
        from: sources(from),
        outputs: outputs(projection),
        conditions: selection.iter().flat_map(conditions).collect(),
        having: having.iter().flat_map(conditions).collect(),
        groups: groups(group_by),
        ..empty_select()
    };
    match distinct {
        None | Some(Distinct::All) => {}
        Some(Distinct::Distinct) => made.distinct = true,
        Some(Distinct::On(list)) => made.groups.extend(list.iter().map(key)),
    }
    for window in named_window {
        made.compared.push(match &window.1 {
            NamedWindowExpr::NamedWindow(_) => opaque("a window by another's name"),
            NamedWindowExpr::WindowSpec(spec) => function::window(spec),
        });
    }
    if is_foreign {
        made.from.push(Source::Opaque("a SELECT with something that MySQL hasn't"));
    }
    made
}

fn groups(group_by: &GroupByExpr) -> Vec<Key> {
    let (list, modifiers) = match group_by {
        GroupByExpr::All(modifiers) => {
            return vec![Key::Value(Box::new(opaque("GROUP BY ALL")))]
                .into_iter()
                .chain(modifiers.iter().filter_map(modifier))
                .collect();
        }
        GroupByExpr::Expressions(list, modifiers) => (list, modifiers),
    };
    let mut keys: Vec<Key> = list.iter().flat_map(grouped).collect();
    keys.extend(modifiers.iter().filter_map(modifier));
    keys
}

fn modifier(modifier: &GroupByWithModifier) -> Option<Key> {
    match modifier {
        // Further rows, grouped by fewer of the same.
        GroupByWithModifier::Rollup => None,
        GroupByWithModifier::Cube
        | GroupByWithModifier::Totals
        | GroupByWithModifier::GroupingSets(_) => {
            Some(Key::Value(Box::new(opaque("a modifier of GROUP BY"))))
        }
    }
}

/// `GROUP BY ROLLUP (a, b)` groups by each.
fn grouped(by: &ast::Expr) -> Vec<Key> {
    match by {
        ast::Expr::Rollup(sets) => sets.iter().flatten().map(key).collect(),
        other => vec![key(other)],
    }
}

fn order_keys(order_by: &OrderBy) -> Vec<Key> {
    let OrderBy { kind, interpolate } = order_by;
    let mut keys = match kind {
        OrderByKind::All(_) => vec![Key::Value(Box::new(opaque("ORDER BY ALL")))],
        OrderByKind::Expressions(list) => sorted(list),
    };
    if interpolate.is_some() {
        keys.push(Key::Value(Box::new(opaque("INTERPOLATE"))));
    }
    keys
}

fn sorted(list: &[OrderByExpr]) -> Vec<Key> {
    let one = |by: &OrderByExpr| {
        let OrderByExpr { expr, options, with_fill } = by;
        if with_fill.is_some() || is_using(options) {
            return Key::Value(Box::new(opaque("ORDER BY of another kind")));
        }
        key(expr)
    };
    list.iter().map(one).collect()
}

/// ORDER BY … USING is Postgres' own.
fn is_using(options: &ast::OrderByOptions) -> bool {
    match options.sort {
        None | Some(ast::OrderBySort::Asc | ast::OrderBySort::Desc) => false,
        Some(ast::OrderBySort::Using(_)) => true,
    }
}

/// A whole number is the place of an output.
fn key(by: &ast::Expr) -> Key {
    if let ast::Expr::Value(value) = by
        && let ast::Value::Number(number, _) = &value.value
    {
        return number
            .parse()
            .map_or_else(|_| Key::Value(Box::new(opaque("a number in ORDER BY"))), Key::Place);
    }
    Key::Value(Box::new(expression(by)))
}

/// A select list, or RETURNING.
fn outputs(list: &[SelectItem]) -> Vec<Output> {
    list.iter().map(output).collect()
}

/// Nobody knows which columns.
fn any_columns() -> Output {
    Output::Star(vec![String::new()])
}

fn output(item: &SelectItem) -> Output {
    match item {
        SelectItem::UnnamedExpr(value) => {
            let is_odd = is_odd(value);
            let name = match value {
                // Of what stands in parentheses the servers take the text or the name.
                ast::Expr::Nested(_) => None,
                _ => reference(value).and_then(|column| column.name().map(str::to_owned)),
            };
            let value = Box::new(expression(value));
            Output::Value { name, made_up: None, is_odd, value }
        }
        SelectItem::ExprWithAlias { expr, alias } => Output::Value {
            name: Some(alias.value.clone()),
            made_up: None,
            is_odd: false,
            value: Box::new(expression(expr)),
        },
        SelectItem::ExprWithAliases { expr: _, aliases: _ } => any_columns(),
        SelectItem::Wildcard(options) => {
            if has_options(options) {
                return any_columns();
            }
            Output::Star(Vec::new())
        }
        SelectItem::QualifiedWildcard(what, options) => match what {
            SelectItemQualifiedWildcardKind::ObjectName(name) if !has_options(options) => {
                names(name).map_or_else(any_columns, Output::Star)
            }
            SelectItemQualifiedWildcardKind::ObjectName(_)
            | SelectItemQualifiedWildcardKind::Expr(_) => any_columns(),
        },
    }
}

/// True of what no bare word can be called by.
///
/// Spec: the servers call what has no name by its text, from its first token to its last, of which they cut
/// what is too long. A constant text is called by what it says.
fn is_odd(value: &ast::Expr) -> bool {
    match value {
        ast::Expr::Nested(inner) => is_odd(inner),
        ast::Expr::Function(function) => matches!(function.args, ast::FunctionArguments::List(_)),
        ast::Expr::BinaryOp { .. }
        | ast::Expr::Case { .. }
        | ast::Expr::Cast { .. }
        | ast::Expr::Convert { .. }
        | ast::Expr::Exists { .. }
        | ast::Expr::Extract { .. }
        | ast::Expr::In { .. }
        | ast::Expr::IsNotNull(_)
        | ast::Expr::IsNull(_)
        | ast::Expr::Like { .. }
        | ast::Expr::Position { .. }
        | ast::Expr::Subquery(_)
        | ast::Expr::Substring { .. }
        | ast::Expr::Trim { .. } => true,
        _ => false,
    }
}

fn has_options(options: &ast::WildcardAdditionalOptions) -> bool {
    let ast::WildcardAdditionalOptions {
        wildcard_token: _,
        opt_ilike,
        opt_exclude,
        opt_except,
        opt_replace,
        opt_rename,
        opt_alias,
    } = options;
    opt_ilike.is_some()
        || opt_exclude.is_some()
        || opt_except.is_some()
        || opt_replace.is_some()
        || opt_rename.is_some()
        || opt_alias.is_some()
}

/// A name's parts; `None` if one isn't a name.
fn names(name: &ObjectName) -> Option<Vec<String>> {
    name.0
        .iter()
        .map(|part| match part {
            ObjectNamePart::Identifier(ident) => Some(ident.value.clone()),
            ObjectNamePart::Function(_) => None,
        })
        .collect()
}

fn raw_name(name: &ObjectName) -> Option<RawName> {
    names(name).filter(|names| !names.is_empty()).map(RawName)
}
