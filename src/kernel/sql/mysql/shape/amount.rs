//! How large what is reckoned may become, as far as that can be told without knowing a value: these servers
//! refuse what is beyond the range of its type, and a statement that fails by a value tells of it.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator,
    Value,
};

use crate::kernel::sql::{
    lineage::shape::{Amount, Expression, Step},
    mysql::shape::{
        condition::constant,
        expression::{is_boolean, reference},
        names,
    },
};

/// So many nodes are looked at; what is written by hand has a dozen.
const NODES: u32 = 48;

/// Adds what an operation of arithmetic goes through.
pub(super) fn operation(
    left: &Expr,
    operator: &BinaryOperator,
    right: &Expr,
    made: &mut Expression,
) {
    let mut left_over = NODES;
    let found = of_operation(left, operator, right, &mut left_over);
    made.through.push(found.map_or_else(|| Step::Operator(operator.to_string()), Step::Reckons));
}

/// Adds what a value goes through that is taken as a number of its own size: its sign changes at most.
pub(super) fn as_it_is(value: &Expr, made: &mut Expression) {
    let mut left_over = NODES;
    let found = amount(value, &mut left_over);
    let turned = found.map(|of| Amount::Difference(Box::new(Amount::Whole(1)), Box::new(of)));
    made.through.push(turned.map_or_else(|| Step::Operator("-".to_owned()), Step::Reckons));
}

fn of_operation(
    left: &Expr,
    operator: &BinaryOperator,
    right: &Expr,
    left_over: &mut u32,
) -> Option<Amount> {
    use BinaryOperator as B;
    let make = match operator {
        B::Plus => Amount::Sum,
        B::Minus => Amount::Difference,
        B::Multiply => Amount::Product,
        B::Divide => Amount::Ratio,
        B::MyIntegerDivide => Amount::Quotient,
        // The larger one of both is enough for it.
        B::Modulo => Amount::Sum,
        _ => return None,
    };
    Some(make(Box::new(amount(left, left_over)?), Box::new(amount(right, left_over)?)))
}

fn amount(value: &Expr, left_over: &mut u32) -> Option<Amount> {
    *left_over = left_over.checked_sub(1)?;
    if let Some(column) = reference(value) {
        return Some(Amount::Column(column));
    }
    match value {
        Expr::Nested(inner) => amount(inner, left_over),
        Expr::Value(value) => literal(&value.value),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => amount(expr, left_over),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            let of = amount(expr, left_over)?;
            Some(Amount::Difference(Box::new(Amount::Whole(1)), Box::new(of)))
        }
        Expr::BinaryOp { left, op, right } if !is_boolean(value) => {
            of_operation(left, op, right, left_over)
        }
        Expr::Case { operand: _, conditions, else_result, .. } => {
            let results = conditions.iter().map(|when| &when.result);
            one_of(results.chain(else_result.as_deref()), left_over)
        }
        Expr::Ceil { expr, field: _ } | Expr::Floor { expr, field: _ } => amount(expr, left_over),
        Expr::Extract { .. } => Some(Amount::Unsigned(64)),
        Expr::Position { .. } => Some(Amount::Made(32)),
        Expr::Function(function) => of_call(function, left_over),
        _ if is_boolean(value) => Some(Amount::Whole(1)),
        _ => None,
    }
}

fn one_of<'e>(values: impl Iterator<Item = &'e Expr>, left_over: &mut u32) -> Option<Amount> {
    let is_null = |value: &&Expr| matches!(value, Expr::Value(v) if v.value == Value::Null);
    let found = values.filter(|value| !is_null(value)).map(|value| amount(value, left_over));
    found.collect::<Option<Vec<_>>>().map(Amount::OneOf)
}

/// The number itself; one with an exponent may be as large as one likes.
fn literal(value: &Value) -> Option<Amount> {
    let text = match value {
        Value::Boolean(_) => return Some(Amount::Whole(1)),
        Value::Number(text, _) => text,
        _ => return None,
    };
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let bits = u32::try_from(digits).ok().filter(|digits| is_plain && *digits <= 18)?;
    let bits = bits.saturating_mul(10).div_ceil(3);
    match text.parse::<u64>() {
        Ok(number) => Some(Amount::Whole(64 - number.leading_zeros())),
        Err(_) => Some(Amount::Exact(bits)),
    }
}

/// What functions make of their arguments, by their names.
fn of_call(function: &Function, left_over: &mut u32) -> Option<Amount> {
    let called = names(&function.name)?;
    let [name] = called.as_slice() else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    let arguments = list.args.iter().map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value),
        _ => None,
    });
    let name = name.to_ascii_lowercase();
    if name == "count" {
        return Some(Amount::Made(40));
    }
    let arguments = arguments.collect::<Option<Vec<&Expr>>>()?;
    match (name.as_str(), arguments.as_slice()) {
        ("if", [_, rest @ ..]) | ("coalesce" | "ifnull" | "nullif" | "nvl", rest) => {
            one_of(rest.iter().copied(), left_over)
        }
        ("greatest" | "least", rest) => one_of(rest.iter().copied(), left_over),
        ("lag" | "lead", [of, _, otherwise]) => one_of([*of, *otherwise].into_iter(), left_over),
        ("lag" | "lead", [of] | [of, _]) | ("first_value" | "last_value" | "max" | "min", [of]) => {
            amount(of, left_over)
        }
        ("round" | "truncate" | "ceil" | "ceiling" | "floor" | "abs" | "any_value", [of]) => {
            amount(of, left_over)
        }
        ("round" | "truncate", [of, digits]) if constant(digits).is_some() => amount(of, left_over),
        ("sum" | "avg", [of]) => {
            let of = amount(of, left_over)?;
            // So many rows no table has.
            let rows = Amount::Exact(48);
            Some(Amount::Product(Box::new(rows), Box::new(of)))
        }
        (
            "year" | "month" | "day" | "dayofmonth" | "dayofweek" | "dayofyear" | "weekday"
            | "quarter" | "hour" | "minute" | "second" | "week" | "weekofyear",
            _,
        ) => Some(Amount::OfMoment(20)),
        ("crc32" | "to_days", _) => Some(Amount::Unsigned(33)),
        ("datediff", _) => Some(Amount::Made(33)),
        (
            "length" | "char_length" | "character_length" | "octet_length" | "bit_length"
            | "locate" | "instr" | "ascii" | "json_length" | "field" | "find_in_set",
            _,
        ) => Some(Amount::Made(36)),
        ("timestampdiff", _) => Some(Amount::Made(60)),
        _ => None,
    }
}
