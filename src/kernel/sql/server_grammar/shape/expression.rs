//! Values and conditions.

use std::collections::BTreeSet;

use pg_query::protobuf::{self as pg, node::Node as N};

use crate::kernel::sql::{
    lineage::shape::{Condition, Expression, Reference, Step},
    server_grammar::{
        columns::text,
        relations::name_of,
        shape::{harmless, query},
    },
};

pub(super) fn is_star(n: &pg::Node) -> bool {
    matches!(n.node, Some(N::AStar(_)))
}

/// A value.
pub(super) fn expression(n: &pg::Node) -> Expression {
    let mut made = Expression::default();
    into(n, &mut made);
    made.column = reference(n);
    made
}

/// A column and nothing else: `a`, `t.a`, `(a)`, `(t).a`.
pub(super) fn reference(n: &pg::Node) -> Option<Reference> {
    match n.node.as_ref()? {
        N::ColumnRef(reference) => {
            let names = name_of(&reference.fields).0;
            Some(match reference.fields.last() {
                Some(last) if is_star(last) => Reference::Row(names),
                _ => Reference::Column(names),
            })
        }
        N::AIndirection(n) => match (&n.arg.as_deref()?.node, n.indirection.as_slice()) {
            (Some(N::ColumnRef(row)), [field]) if !row.fields.iter().any(is_star) => {
                Some(Reference::Field(name_of(&row.fields).0, text(field)?))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Adds what a value is made of.
pub(super) fn into(n: &pg::Node, made: &mut Expression) {
    let Some(node) = &n.node else { return };
    match node {
        N::ColumnRef(_) => made.columns.extend(reference(n)),
        N::AConst(_) | N::ParamRef(_) | N::SetToDefault(_) | N::SqlvalueFunction(_) => {}
        N::MergeSupportFunc(_) | N::CurrentOfExpr(_) => {}
        N::AExpr(e) => operation(e, made),
        N::BoolExpr(e) => all(&e.args, made),
        N::FuncCall(call) => function(call, made),
        N::TypeCast(cast) => {
            let to = cast.type_name.as_ref();
            let is_array = to.is_some_and(|t| !t.array_bounds.is_empty());
            let name = to.and_then(|t| name_of(&t.names).0.pop()).unwrap_or_default();
            made.through.push(if is_array {
                Step::Cast(format!("{name}[]"))
            } else {
                harmless::cast(cast, name)
            });
            some(cast.arg.as_deref(), made);
        }
        N::CollateClause(collate) => some(collate.arg.as_deref(), made),
        N::SubLink(link) => sub_link(link, made),
        N::CaseExpr(case) => {
            if case.arg.is_some() {
                made.through.push(Step::Operator("=".to_owned()));
            }
            some(case.arg.as_deref(), made);
            all(&case.args, made);
            some(case.defresult.as_deref(), made);
        }
        N::CaseWhen(when) => {
            some(when.expr.as_deref(), made);
            some(when.result.as_deref(), made);
        }
        N::CoalesceExpr(e) => all(&e.args, made),
        N::MinMaxExpr(e) => all(&e.args, made),
        N::NullTest(test) => match test.arg.as_deref().and_then(reference) {
            Some(column) => made.counted.push(column),
            None => some(test.arg.as_deref(), made),
        },
        N::BooleanTest(test) => some(test.arg.as_deref(), made),
        N::NamedArgExpr(e) => some(e.arg.as_deref(), made),
        N::RowExpr(e) => all(&e.args, made),
        N::AArrayExpr(e) => all(&e.elements, made),
        N::AIndirection(e) => {
            match reference(n) {
                Some(column) => made.columns.push(column),
                None => some(e.arg.as_deref(), made),
            }
            if !harmless::is_constant_part(e) {
                made.through.push(Step::Part);
            }
            all(&e.indirection, made);
        }
        N::AIndices(e) => {
            some(e.lidx.as_deref(), made);
            some(e.uidx.as_deref(), made);
        }
        N::String(_) | N::AStar(_) => {}
        N::List(list) => all(&list.items, made),
        N::GroupingFunc(_) => {}
        N::MultiAssignRef(multi) => some(multi.source.as_deref(), made),
        N::WindowDef(window) => over(window, made),
        N::SortBy(sort) => {
            compared(sort.node.as_deref(), made);
            if !sort.use_op.is_empty() {
                made.opaque = Some("ORDER BY … USING");
            }
        }
        N::ResTarget(target) => some(target.val.as_deref(), made),
        N::XmlExpr(e) => {
            made.through.push(Step::Function(own("xml")));
            all(&e.named_args, made);
            all(&e.args, made);
        }
        N::XmlSerialize(e) => {
            made.through.push(Step::Function(own("xmlserialize")));
            some(e.expr.as_deref(), made);
        }
        N::JsonValueExpr(e) => json_value(e, made),
        N::JsonObjectConstructor(e) => {
            made.through.push(Step::Function(own("json_object")));
            all(&e.exprs, made);
        }
        N::JsonKeyValue(e) => {
            some(e.key.as_deref(), made);
            e.value.iter().for_each(|value| json_value(value, made));
        }
        N::JsonArrayConstructor(e) => {
            made.through.push(Step::Function(own("json_array")));
            all(&e.exprs, made);
        }
        N::JsonScalarExpr(e) => {
            made.through.push(Step::Function(own("json_scalar")));
            some(e.expr.as_deref(), made);
        }
        _ => made.opaque = Some("an expression of a kind that masks don't know"),
    }
}

fn own(name: &str) -> crate::kernel::sql::reading::RawName {
    crate::kernel::sql::reading::RawName(vec!["pg_catalog".to_owned(), name.to_owned()])
}

fn json_value(e: &pg::JsonValueExpr, made: &mut Expression) {
    some(e.raw_expr.as_deref(), made);
    some(e.formatted_expr.as_deref(), made);
}

fn all(list: &[pg::Node], made: &mut Expression) {
    for n in list {
        into(n, made);
    }
}

fn some(n: Option<&pg::Node>, made: &mut Expression) {
    if let Some(n) = n {
        into(n, made);
    }
}

/// What is sorted or grouped by: its columns order or part the rows.
fn compared(n: Option<&pg::Node>, made: &mut Expression) {
    let Some(n) = n else { return };
    let mut by = Expression::default();
    into(n, &mut by);
    made.compared.append(&mut by.columns);
    made.compared.append(&mut by.compared);
    // The rest is evaluated like any other part.
    made.queries.append(&mut by.queries);
    made.asked.append(&mut by.asked);
    made.counted.append(&mut by.counted);
    made.conditions.append(&mut by.conditions);
    made.through.append(&mut by.through);
    made.opaque = made.opaque.or(by.opaque);
}

fn over(window: &pg::WindowDef, made: &mut Expression) {
    for by in &window.partition_clause {
        compared(Some(by), made);
    }
    all(&window.order_clause, made);
    for offset in [&window.start_offset, &window.end_offset].into_iter().flatten() {
        compared(Some(offset), made);
    }
}

fn operation(e: &pg::AExpr, made: &mut Expression) {
    let Some(operator) = name_of(&e.name).0.pop() else {
        made.opaque = Some("an operator without a name");
        return;
    };
    harmless::operation(e, operator, &mut made.through);
    some(e.lexpr.as_deref(), made);
    some(e.rexpr.as_deref(), made);
}

fn function(call: &pg::FuncCall, made: &mut Expression) {
    let pg::FuncCall {
        funcname,
        args,
        agg_order,
        agg_filter,
        over: window,
        agg_within_group,
        agg_star: _,
        agg_distinct,
        func_variadic: _,
        funcformat: _,
        location: _,
    } = call;
    let name = name_of(funcname);
    let is_count = matches!(name.0.as_slice(), [only] if only == "count")
        || matches!(name.0.as_slice(), [schema, only] if schema == "pg_catalog" && only == "count");
    let arguments: Vec<_> = args.iter().map(|a| (a, reference(a))).collect();
    for (argument, column) in arguments {
        match column {
            // Whether it is NULL is all that counts.
            Some(column) if is_count && !agg_distinct => made.counted.push(column),
            _ if *agg_distinct => {
                some(Some(argument), made);
                compared(Some(argument), made);
            }
            _ => some(Some(argument), made),
        }
    }
    all(agg_order, made);
    if *agg_within_group {
        // What is sorted is what comes out: `mode() WITHIN GROUP (ORDER BY x)`.
        let by = agg_order.iter().filter_map(|n| match &n.node {
            Some(N::SortBy(sort)) => sort.node.as_deref(),
            _ => None,
        });
        by.for_each(|n| into(n, made));
    }
    made.conditions.extend(agg_filter.as_deref().map(conditions).unwrap_or_default());
    if let Some(window) = window {
        over(window, made);
    }
    made.through.push(harmless::call(call, name));
}

fn sub_link(link: &pg::SubLink, made: &mut Expression) {
    use pg::SubLinkType as K;
    some(link.testexpr.as_deref(), made);
    let Some(inner) = link.subselect.as_deref().and_then(query) else {
        made.opaque = Some("a subquery of an unknown kind");
        return;
    };
    match K::try_from(link.sub_link_type) {
        Ok(K::ExistsSublink) => made.asked.push(inner),
        Ok(K::ExprSublink | K::ArraySublink | K::MultiexprSublink) => made.queries.push(inner),
        Ok(K::AnySublink | K::AllSublink | K::RowcompareSublink) => {
            let operator = name_of(&link.oper_name).0.pop().unwrap_or_else(|| "=".to_owned());
            made.through.push(Step::Operator(operator));
            made.queries.push(inner);
        }
        _ => made.opaque = Some("a subquery of an unknown kind"),
    }
}

/// A condition, cut at AND, OR and NOT.
pub(super) fn conditions(n: &pg::Node) -> Vec<Condition> {
    match &n.node {
        Some(N::BoolExpr(e)) => e.args.iter().flat_map(conditions).collect(),
        _ => vec![condition(n)],
    }
}

fn condition(n: &pg::Node) -> Condition {
    match &n.node {
        Some(N::NullTest(test)) => match test.arg.as_deref().and_then(reference) {
            Some(column @ Reference::Column(_)) => Condition::IsNull(column),
            _ => Condition::Other(expression(n)),
        },
        Some(N::AExpr(e)) => comparison(e).unwrap_or_else(|| Condition::Other(expression(n))),
        _ => Condition::Other(expression(n)),
    }
}

/// `column = constant`, `constant = column`, `column = column`, `column IN (constants)`.
fn comparison(e: &pg::AExpr) -> Option<Condition> {
    use pg::AExprKind as K;
    // Only the server's own, or what is found on the path: the judge knows what is there.
    let is_equal = matches!(name_of(&e.name).0.as_slice(), [name] if name == "=");
    let (left, right) = (e.lexpr.as_deref()?, e.rexpr.as_deref()?);
    let column = |n: &pg::Node| reference(n).filter(|r| matches!(r, Reference::Column(_)));
    match K::try_from(e.kind) {
        Ok(K::AexprOp) if is_equal => {
            if let (Some(a), Some(b)) = (column(left), column(right)) {
                return Some(Condition::Joins(a, b));
            }
            let (column, other) =
                column(left).map(|c| (c, right)).or_else(|| Some((column(right)?, left)))?;
            is_constant(other).then_some(Condition::Equals {
                column,
                constants: 1,
                classes: BTreeSet::new(),
            })
        }
        Ok(K::AexprIn) if is_equal => {
            let Some(N::List(list)) = &right.node else { return None };
            let constants = list.items.len();
            list.items.iter().all(is_constant).then_some(())?;
            Some(Condition::Equals { column: column(left)?, constants, classes: BTreeSet::new() })
        }
        _ => None,
    }
}

/// A constant or a parameter, perhaps cast.
fn is_constant(n: &pg::Node) -> bool {
    match &n.node {
        Some(N::AConst(_) | N::ParamRef(_)) => true,
        Some(N::TypeCast(cast)) => cast.arg.as_deref().is_some_and(is_constant),
        _ => false,
    }
}
