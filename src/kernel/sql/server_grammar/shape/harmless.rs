//! Calls, operators and casts that no value makes fail as they stand here, though others of their name may:
//! because of the constants that they are given, or of what they are given besides.
//!
//! Which constants these are is part of the key of an analysis: `normalize::position` keeps them there, or
//! lets a hole stand only for such as are all alike here.

use pg_query::protobuf::{self as pg, a_const::Val, node::Node as N};

use crate::kernel::sql::{
    lineage::shape::{Reference, Step},
    normalize::{FACTOR_DIGITS_MAX, FACTOR_INTEGER_MAX},
    reading::RawName,
    server_grammar::{relations::name_of, shape::expression::reference},
};

/// Parts of days and times that every day and every time has, or none.
const PARTS: [&str; 17] = [
    "century",
    "day",
    "decade",
    "dow",
    "doy",
    "epoch",
    "hour",
    "isodow",
    "isoyear",
    "microseconds",
    "millennium",
    "minute",
    "month",
    "quarter",
    "second",
    "week",
    "year",
];

/// No value becomes too large for its type by so many of these.
const OPERATIONS_MAX: usize = 10;

/// Texts that are filled up are no longer than this.
const WIDTH_MAX: i32 = 10_000;

/// The step of a call.
pub(super) fn call(call: &pg::FuncCall, name: RawName) -> Step {
    let own = match name.0.as_slice() {
        [only] => only.as_str(),
        [schema, only] if schema == "pg_catalog" => only.as_str(),
        _ => return Step::Function(name),
    };
    if call.func_variadic {
        return Step::Function(name);
    }
    if matches!(own, "json_object_agg" | "jsonb_object_agg") {
        // No key may be null.
        return match call.args.first().and_then(reference) {
            Some(key @ Reference::Column(_)) => Step::Keyed(name, key),
            _ => Step::Function(name),
        };
    }
    if is_harmless(own, &call.args) { Step::Harmless(name) } else { Step::Function(name) }
}

fn is_harmless(name: &str, args: &[pg::Node]) -> bool {
    match (name, args) {
        (
            "ceil" | "ceiling" | "floor" | "round" | "sign" | "trunc" | "stddev" | "stddev_pop"
            | "stddev_samp" | "var_pop" | "var_samp" | "variance" | "cardinality" | "bit_length"
            | "octet_length" | "host" | "quote_literal" | "quote_nullable" | "jsonb_typeof",
            [_],
        )
        | ("position" | "strpos" | "starts_with", [_, _])
        | (
            "now"
            | "clock_timestamp"
            | "statement_timestamp"
            | "transaction_timestamp"
            | "row_number"
            | "rank"
            | "dense_rank",
            [],
        )
        | ("num_nulls" | "num_nonnulls", [_, ..]) => true,
        ("round" | "trunc" | "array_length", [_, digits]) => integer(digits).is_some(),
        // With a text for its second argument it would be a pattern.
        ("substring" | "substr", [_, from]) => integer(from).is_some(),
        ("substring" | "substr", [_, from, length]) => {
            integer(from).is_some() && integer(length).is_some_and(|n| n >= 0)
        }
        ("split_part", [_, at, part]) => {
            string(at).is_some() && integer(part).is_some_and(|n| n >= 1)
        }
        // What it makes isn't longer, so that there is room for it.
        ("replace", [_, from, to]) => match (string(from), string(to)) {
            (Some(from), Some(to)) => to.len() <= from.len(),
            _ => false,
        },
        ("translate", [_, from, to]) => string(from).is_some() && string(to).is_some(),
        ("lpad" | "rpad", [_, width]) => integer(width).is_some_and(|n| n <= WIDTH_MAX),
        ("lpad" | "rpad", [_, width, with]) => {
            integer(width).is_some_and(|n| n <= WIDTH_MAX) && string(with).is_some()
        }
        ("extract" | "date_part" | "date_trunc", [part, _]) => {
            string(part).is_some_and(|p| PARTS.iter().any(|known| p.eq_ignore_ascii_case(known)))
        }
        // `V` multiplies, and what comes of it may be too large.
        ("to_char", [_, pattern]) => string(pattern).is_some_and(|p| !p.contains(['v', 'V'])),
        ("timezone", [zone, _]) => string(zone).is_some(),
        ("array_to_string", [_, between]) => string(between).is_some(),
        ("array_to_string", [_, between, null]) => {
            string(between).is_some() && string(null).is_some()
        }
        // No key may be null.
        ("json_build_object" | "jsonb_build_object", args) => {
            args.len().is_multiple_of(2) && args.iter().step_by(2).all(|key| string(key).is_some())
        }
        ("format", [pattern, ..]) => string(pattern).is_some_and(takes_texts_only),
        _ => false,
    }
}

/// Nothing but `%s` and `%%`: of NULL there is no `%I`, and numbers may say how wide it gets.
fn takes_texts_only(pattern: &str) -> bool {
    let mut parts = pattern.split('%');
    parts.next();
    while let Some(part) = parts.next() {
        // `%%`
        if part.is_empty() {
            if parts.next().is_none() {
                return false;
            }
        } else if !part.starts_with('s') {
            return false;
        }
    }
    true
}

/// The steps of an operation.
pub(super) fn operation(e: &pg::AExpr, operator: String, steps: &mut Vec<Step>) {
    use pg::AExprKind as K;
    let right = e.rexpr.as_deref();
    match K::try_from(e.kind) {
        Ok(K::AexprBetween | K::AexprNotBetween | K::AexprBetweenSym | K::AexprNotBetweenSym) => {
            steps.extend([">=", "<=", "<", ">"].map(|name| Step::Operator(name.to_owned())));
        }
        // A pattern that ends with a backslash fails, but only where a value fits all before it.
        Ok(K::AexprLike | K::AexprIlike)
            if right.and_then(string).is_some_and(|pattern| !pattern.contains('\\')) =>
        {
            steps.push(Step::HarmlessOperator(operator));
        }
        Ok(K::AexprOp) if matches!(operator.as_str(), "+" | "-" | "*" | "/") => {
            steps.push(match scaled(e, OPERATIONS_MAX) {
                Some(column) => Step::Scales(operator, column),
                None => Step::Operator(operator),
            });
        }
        _ => steps.push(Step::Operator(operator)),
    }
}

/// The column that an operation of numbers, with a few digits on its right, makes smaller or larger.
fn scaled(e: &pg::AExpr, left: usize) -> Option<Reference> {
    let is_plain = pg::AExprKind::try_from(e.kind) == Ok(pg::AExprKind::AexprOp);
    let name = name_of(&e.name);
    let [name] = name.0.as_slice() else { return None };
    let right = e.rexpr.as_deref()?;
    // Those on its left may be holes of the key, whatever their digits.
    let scales = match name.as_str() {
        "+" | "-" | "*" => is_factor(right),
        // Nothing is divided by zero unless it is NULL, and the least integer not by -1.
        "/" => is_factor(right) && is_above_zero(right),
        _ => false,
    };
    (is_plain && scales).then_some(())?;
    decimal(e.lexpr.as_deref()?, left.checked_sub(1)?)
}

/// The column whose values, if they are decimals, are most of what is made here.
fn decimal(n: &pg::Node, left: usize) -> Option<Reference> {
    match n.node.as_ref()? {
        N::ColumnRef(_) => reference(n).filter(|column| matches!(column, Reference::Column(_))),
        N::FuncCall(call) => {
            let name = name_of(&call.funcname);
            let keeps = ["avg", "ceil", "floor", "max", "min", "round", "sum", "trunc"];
            let own = match name.0.as_slice() {
                [only] => only,
                [schema, only] if schema == "pg_catalog" => only,
                _ => return None,
            };
            let [value, digits @ ..] = call.args.as_slice() else { return None };
            let fits = keeps.contains(&own.as_str()) && digits.iter().all(|n| integer(n).is_some());
            fits.then(|| decimal(value, left.checked_sub(1)?)).flatten()
        }
        N::AExpr(e) => scaled(e, left),
        _ => None,
    }
}

/// A number of a few digits.
fn is_factor(n: &pg::Node) -> bool {
    let Some(N::AConst(constant)) = &n.node else { return false };
    match &constant.val {
        Some(Val::Ival(n)) => n.ival.unsigned_abs() <= FACTOR_INTEGER_MAX,
        Some(Val::Fval(n)) => {
            n.fval.len() <= FACTOR_DIGITS_MAX
                && n.fval.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        }
        _ => false,
    }
}

fn is_above_zero(n: &pg::Node) -> bool {
    let Some(N::AConst(constant)) = &n.node else { return false };
    match &constant.val {
        Some(Val::Ival(n)) => n.ival > 0,
        Some(Val::Fval(n)) => n.fval.bytes().any(|b| matches!(b, b'1'..=b'9')),
        _ => false,
    }
}

/// The step of a cast.
pub(super) fn cast(cast: &pg::TypeCast, to: String) -> Step {
    let bounded = cast.type_name.as_ref().is_none_or(|to| !to.typmods.is_empty());
    match cast.arg.as_deref().and_then(reference) {
        Some(column @ Reference::Column(_)) if !bounded => Step::Turns(to, column),
        _ => Step::Cast(to),
    }
}

/// A subscript, and nothing else, that is a constant: there is such a part, or it is NULL.
pub(super) fn is_constant_part(e: &pg::AIndirection) -> bool {
    e.indirection.iter().all(|part| match &part.node {
        Some(N::AIndices(at)) => {
            let at = at.uidx.as_deref().filter(|_| !at.is_slice && at.lidx.is_none());
            at.is_some_and(|n| integer(n).is_some() || string(n).is_some())
        }
        _ => false,
    })
}

fn integer(n: &pg::Node) -> Option<i32> {
    match &n.node {
        Some(N::AConst(constant)) => match &constant.val {
            Some(Val::Ival(n)) => Some(n.ival),
            _ => None,
        },
        _ => None,
    }
}

fn string(n: &pg::Node) -> Option<&str> {
    match &n.node {
        Some(N::AConst(constant)) => match &constant.val {
            Some(Val::Sval(s)) => Some(&s.sval),
            _ => None,
        },
        _ => None,
    }
}
