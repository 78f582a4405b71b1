//! What decides which rows come out.

use sqlparser::ast::{BinaryOperator, Expr, InTarget, UnaryOperator, Value};

use crate::kernel::sql::{
    lineage::shape::{Condition, Constant, Reference},
    mysql::shape::expression::{expression, reference},
};

/// A condition, cut at AND, OR, XOR and NOT.
pub(super) fn conditions(condition: &Expr) -> Vec<Condition> {
    let (mut made, mut left) = (Vec::new(), vec![condition]);
    // In a loop: chains of thousands stand on one side.
    while let Some(next) = left.pop() {
        match next {
            Expr::BinaryOp {
                left: a,
                op: BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Xor,
                right: b,
            } => left.extend([&**b, &**a]),
            // Without parentheses it is a matter of `sql_mode` how far NOT reaches.
            Expr::UnaryOp { op: UnaryOperator::Not, expr } if matches!(**expr, Expr::Nested(_)) => {
                left.push(expr);
            }
            Expr::Nested(inner) => left.push(inner),
            other => one(other, &mut made),
        }
    }
    made
}

fn one(condition: &Expr, made: &mut Vec<Condition>) {
    let other = || Condition::Other(expression(condition));
    match condition {
        Expr::IsNull(inner) | Expr::IsNotNull(inner) => {
            made.push(reference(inner).map_or_else(other, Condition::IsNull));
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            if let (Some(left), Some(right)) = (row(left), row(right))
                && left.len() == right.len()
            {
                for (left, right) in left.iter().zip(right) {
                    made.push(equal(left, right).unwrap_or_else(other));
                }
                return;
            }
            made.push(equal(left, right).unwrap_or_else(other));
        }
        Expr::BinaryOp { left, op: BinaryOperator::Spaceship, right } => {
            made.push(match equal(left, right) {
                Some(Condition::Equals { column, constants: _, classes })
                    if classes.contains(&Constant::Null) =>
                {
                    Condition::IsNull(column)
                }
                Some(found) => found,
                None => other(),
            });
        }
        Expr::In { expr, target: InTarget::List(list), negated: _, global: false } => {
            let classes = list.iter().map(constant).collect::<Option<_>>();
            made.push(match (reference(expr), classes) {
                (Some(column), Some(classes)) => {
                    Condition::Equals { column, constants: list.len(), classes }
                }
                _ => other(),
            });
        }
        _ => made.push(other()),
    }
}

/// The values of a row in parentheses.
fn row(value: &Expr) -> Option<&[Expr]> {
    match value {
        Expr::Tuple(list) => Some(list),
        _ => None,
    }
}

/// `column = constant`, `constant = column`, `column = column`.
fn equal(left: &Expr, right: &Expr) -> Option<Condition> {
    let (of_left, of_right) = (reference(left), reference(right));
    if let (Some(a), Some(b)) = (&of_left, &of_right) {
        return Some(Condition::Joins(a.clone(), b.clone()));
    }
    let (column, class): (Reference, Constant) = match (of_left, of_right) {
        (Some(column), None) => (column, constant(right)?),
        (None, Some(column)) => (column, constant(left)?),
        _ => return None,
    };
    Some(Condition::Equals { column, constants: 1, classes: [class].into() })
}

/// What a constant or a parameter is; `None` for anything else, and for what only looks like one.
pub(super) fn constant(value: &Expr) -> Option<Constant> {
    match value {
        Expr::Value(value) => of_value(&value.value),
        Expr::Nested(inner) => constant(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => {
            constant(expr).filter(|class| *class == Constant::Number)
        }
        // `_utf8mb4'…'`
        Expr::Prefixed { prefix: _, value } => {
            constant(value).filter(|class| *class == Constant::Text)
        }
        Expr::TypedString(_) => Some(Constant::Moment),
        _ => None,
    }
}

fn of_value(value: &Value) -> Option<Constant> {
    match value {
        Value::Null => Some(Constant::Null),
        Value::Number(..) | Value::Boolean(_) => Some(Constant::Number),
        // A number in digits of two is a string beside a string.
        Value::SingleQuotedString(_)
        | Value::DoubleQuotedString(_)
        | Value::NationalStringLiteral(_)
        | Value::HexStringLiteral(_)
        | Value::SingleQuotedByteStringLiteral(_) => Some(Constant::Text),
        Value::Placeholder(text) => {
            Some(Constant::Parameter(text.strip_prefix('?').and_then(|n| n.parse().ok())))
        }
        Value::DollarQuotedString(_)
        | Value::TripleSingleQuotedString(_)
        | Value::TripleDoubleQuotedString(_)
        | Value::EscapedStringLiteral(_)
        | Value::UnicodeStringLiteral(_)
        | Value::DoubleQuotedByteStringLiteral(_)
        | Value::TripleSingleQuotedByteStringLiteral(_)
        | Value::TripleDoubleQuotedByteStringLiteral(_)
        | Value::SingleQuotedRawStringLiteral(_)
        | Value::DoubleQuotedRawStringLiteral(_)
        | Value::TripleSingleQuotedRawStringLiteral(_)
        | Value::TripleDoubleQuotedRawStringLiteral(_)
        | Value::QuoteDelimitedStringLiteral(_)
        | Value::NationalQuoteDelimitedStringLiteral(_) => None,
    }
}
