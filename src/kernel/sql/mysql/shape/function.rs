//! Calls.

use sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentClause, FunctionArgumentList, FunctionArguments, OrderByExpr, Value,
    WindowFrame, WindowFrameBound, WindowSpec, WindowType,
};

use crate::kernel::sql::{
    builtins::never_fails,
    lineage::shape::{Constant, Expression, Step, Wanted},
    mysql::shape::{
        amount,
        condition::constant,
        expression::{compare, expression, into, own, reference, truth},
        is_using,
        json::{self, text_of},
        names, query,
        source::all,
    },
    reading::RawName,
};

/// Adds what a call is made of.
pub(super) fn call(function: &Function, made: &mut Expression) {
    let Function {
        name,
        uses_odbc_syntax: _,
        parameters,
        args,
        within_group,
        filter,
        null_treatment: _,
        over,
    } = function;
    if !matches!(parameters, FunctionArguments::None) || filter.is_some() {
        made.opaque = Some("a call of a kind that MySQL hasn't");
    }
    // PERCENTILE_CONT of MariaDB gives out what it sorts by.
    ordered(within_group, made);
    all(within_group.iter().map(|by| &by.expr), made);
    let Some(mut called) = names(name) else {
        made.opaque = Some("a call without a name");
        return;
    };
    // Routines are called by whatever letters.
    if let Some(last) = called.last_mut() {
        *last = last.to_lowercase();
    }
    if let Some(window) = over {
        over_window(window, made);
    }
    let list = match args {
        // CURRENT_TIMESTAMP and its like.
        FunctionArguments::None => return made.through.push(Step::Function(RawName(called))),
        FunctionArguments::Subquery(inner) => {
            made.queries.push(query(inner));
            return made.through.push(Step::Function(RawName(called)));
        }
        FunctionArguments::List(list) => list,
    };
    let FunctionArgumentList { duplicate_treatment, args, clauses } = list;
    let distinct = matches!(duplicate_treatment, Some(DuplicateTreatment::Distinct));
    for clause in clauses {
        argument_clause(clause, made);
    }
    let Some(values) = values(args) else {
        made.opaque = Some("an argument of a kind that MySQL hasn't");
        return;
    };
    if distinct {
        for value in &values {
            compared(value, made);
        }
    }
    let is_built_in = called.len() == 1;
    match called.last().map(String::as_str).filter(|_| is_built_in) {
        Some(known) if known_by_name(known, &values, distinct, made) => {}
        _ => all(values, made),
    }
    made.through.push(Step::Function(RawName(called)));
}

/// The values of a call; `*` is none. `None`: there is something else.
fn values(arguments: &[FunctionArg]) -> Option<Vec<&Expr>> {
    let mut values = Vec::new();
    for argument in arguments {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => values.push(value),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => {}
            FunctionArg::Unnamed(
                FunctionArgExpr::QualifiedWildcard(_) | FunctionArgExpr::WildcardWithOptions(_),
            )
            | FunctionArg::Named { .. }
            | FunctionArg::ExprNamed { .. } => return None,
        }
    }
    Some(values)
}

/// Built-in functions of which more is known than that their value depends on what they are given. False:
/// it is none of them.
fn known_by_name(name: &str, values: &[&Expr], distinct: bool, made: &mut Expression) -> bool {
    match (name, values) {
        // Whether each is NULL is all that counts.
        ("count", values) if !distinct => {
            for value in values {
                match reference(value) {
                    Some(column) => made.counted.push(column),
                    None => into(value, made),
                }
            }
        }
        ("if", [condition, then, otherwise]) => {
            truth(condition, made);
            all([*then, *otherwise], made);
        }
        ("nullif", [a, b]) => {
            compare(a, b, made);
            all([*a, *b], made);
        }
        // What a column is given if nothing is said.
        ("default", [_]) => {}
        // The name of a sequence, not a column.
        ("nextval" | "lastval", [_]) => {}
        ("setval", [_, rest @ ..]) => all(rest.iter().copied(), made),
        // The column of the new row.
        ("values" | "value", [column]) => into(column, made),
        ("left" | "right" | "substr" | "substring" | "mid", [of, rest @ ..]) => {
            for value in rest {
                plain_number(value, made);
            }
            all([*of].into_iter().chain(rest.iter().copied()), made);
        }
        ("lpad" | "rpad" | "repeat", [of, length, with @ ..]) => {
            // What is long takes its time.
            if !is_short(length) || name == "repeat" && !is_small(of) {
                made.through.push(Step::Part);
            }
            all([*of, *length].into_iter().chain(with.iter().copied()), made);
        }
        ("replace", [of, what, with]) => {
            if !shrinks(what, with) {
                made.through.push(Step::Part);
            }
            all([*of, *what, *with], made);
        }
        ("mod", [a, b]) => {
            amount::operation(a, &BinaryOperator::Modulo, b, made);
            all([*a, *b], made);
        }
        ("abs", [of]) => {
            amount::as_it_is(of, made);
            into(of, made);
        }
        ("round" | "truncate", [of, digits]) => {
            wants(Wanted::Quantity, of, made);
            // To the left of the point a number may become too large.
            if !matches!(digits, Expr::Value(_)) {
                made.through.push(Step::Part);
            }
            all([*of, *digits], made);
        }
        (name, values) if never_fails::mysql_function_of_numbers(name) => {
            for value in values {
                wants(Wanted::Quantity, value, made);
                // Squares of what is no exact number may be too large.
                if name.starts_with("std") || name.starts_with("var") {
                    amount::as_it_is(value, made);
                }
            }
            all(values.iter().copied(), made);
        }
        (name, values) if never_fails::mysql_function_of_moments(name) => {
            for value in values {
                wants(Wanted::Moment, value, made);
            }
            all(values.iter().copied(), made);
        }
        _ => return json::call(name, values, made),
    }
    true
}

/// Of what type a column is, is known; of another value it isn't.
pub(super) fn wants(wanted: Wanted, value: &Expr, made: &mut Expression) {
    match reference(value) {
        Some(column) => made.through.push(Step::Wants(wanted, column)),
        None if constant(value).is_some() => {}
        None => made.through.push(Step::Converts),
    }
}

pub(super) fn is_called(function: &Function, name: &str) -> bool {
    let called = names(&function.name);
    called
        .is_some_and(|called| matches!(called.as_slice(), [one] if one.eq_ignore_ascii_case(name)))
}

/// True of a number of letters that is small, or that a text has.
fn is_short(value: &Expr) -> bool {
    match value {
        Expr::Nested(inner) => is_short(inner),
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => text.parse::<u16>().is_ok_and(|number| number < 10_000),
            _ => false,
        },
        Expr::BinaryOp { left, op: BinaryOperator::Plus | BinaryOperator::Minus, right } => {
            is_short(left) && is_short(right)
        }
        Expr::Function(function) => {
            ["char_length", "character_length", "length"].iter().any(|n| is_called(function, n))
        }
        _ => false,
    }
}

/// True of a letter or two.
fn is_small(value: &Expr) -> bool {
    text_of(value).is_some_and(|text| text.len() <= 8)
}

/// True if a text becomes twice as long at most.
fn shrinks(what: &Expr, with: &Expr) -> bool {
    match (text_of(what), text_of(with)) {
        (Some(what), Some(with)) => with.len() <= what.len().saturating_mul(2),
        _ => false,
    }
}

/// A path that isn't written here may be none.
pub(super) fn plain_text(value: &Expr, made: &mut Expression) {
    if constant(value) != Some(Constant::Text) {
        made.through.push(Step::Part);
    }
}

/// A number that isn't written here may be a text of which the server warns.
pub(super) fn plain_number(value: &Expr, made: &mut Expression) {
    if constant(value).is_none() {
        made.through.push(Step::Converts);
    }
}

fn argument_clause(clause: &FunctionArgumentClause, made: &mut Expression) {
    match clause {
        FunctionArgumentClause::OrderBy(list) => ordered(list, made),
        FunctionArgumentClause::Separator(_) | FunctionArgumentClause::IgnoreOrRespectNulls(_) => {}
        FunctionArgumentClause::Limit(value) => into(value, made),
        FunctionArgumentClause::JsonReturningClause(_) => made.through.push(own("json_value")),
        FunctionArgumentClause::JsonNullClause(_)
        | FunctionArgumentClause::Where(_)
        | FunctionArgumentClause::OnOverflow(_)
        | FunctionArgumentClause::Having(_) => {
            made.opaque = Some("an argument of a kind that MySQL hasn't");
        }
    }
}

fn ordered(list: &[OrderByExpr], made: &mut Expression) {
    for by in list {
        compared(&by.expr, made);
        if by.with_fill.is_some() || is_using(&by.options) {
            made.opaque = Some("ORDER BY of another kind");
        }
    }
}

fn over_window(window: &WindowType, made: &mut Expression) {
    match window {
        WindowType::NamedWindow(_) => {}
        WindowType::WindowSpec(spec) => {
            let mut by = self::window(spec);
            made.compared.append(&mut by.columns);
            made.compared.append(&mut by.compared);
            add(by, made);
        }
    }
}

/// What a window parts and orders rows by.
pub(super) fn window(spec: &WindowSpec) -> Expression {
    let WindowSpec { window_name: _, partition_by, order_by, window_frame } = spec;
    let mut made = Expression::default();
    all(partition_by, &mut made);
    for by in order_by {
        into(&by.expr, &mut made);
        if by.with_fill.is_some() || is_using(&by.options) {
            made.opaque = Some("ORDER BY of another kind");
        }
    }
    let Some(WindowFrame { units: _, start_bound, end_bound }) = window_frame else { return made };
    for bound in [Some(start_bound), end_bound.as_ref()].into_iter().flatten() {
        match bound {
            WindowFrameBound::CurrentRow => {}
            WindowFrameBound::Preceding(value) | WindowFrameBound::Following(value) => {
                all(value.as_deref(), &mut made);
            }
        }
    }
    made
}

/// What is sorted or grouped by inside of a value: its columns order or part the rows.
fn compared(value: &Expr, made: &mut Expression) {
    let mut by = expression(value);
    made.compared.append(&mut by.columns);
    made.compared.append(&mut by.compared);
    add(by, made);
}

/// All of it but its columns, which are evaluated like any other part.
fn add(by: Expression, made: &mut Expression) {
    let Expression {
        column: _,
        columns: _,
        mut queries,
        mut asked,
        mut counted,
        mut conditions,
        compared: _,
        mut through,
        variable,
        kept,
        opaque,
    } = by;
    made.queries.append(&mut queries);
    made.asked.append(&mut asked);
    made.counted.append(&mut counted);
    made.conditions.append(&mut conditions);
    made.through.append(&mut through);
    made.variable |= variable;
    made.kept |= kept;
    made.opaque = made.opaque.or(opaque);
}
