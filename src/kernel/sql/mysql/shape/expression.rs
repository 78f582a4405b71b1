//! Values, and what they are made of.

use sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, CeilFloorKind, CharacterLength, DataType, DateTimeField,
    Expr, Ident, InTarget, Interval, MemberOf, ObjectName, Query as AstQuery, UnaryOperator, Value,
};

use crate::kernel::sql::{
    lineage::shape::{Constant, Expression, Reference, Step, Wanted},
    mysql::shape::{
        amount,
        condition::constant,
        function::{self, call},
        json, names, query,
        source::all,
    },
    reading::RawName,
};

/// A value.
pub(super) fn expression(value: &Expr) -> Expression {
    let mut made = Expression::default();
    into(value, &mut made);
    made.column = reference(value);
    made
}

/// A column and nothing else: `a`, `t.a`, `s.t.a`, `(a)`.
pub(super) fn reference(value: &Expr) -> Option<Reference> {
    match value {
        Expr::Identifier(name) if !is_variable(name) && !is_word(name) => {
            Some(Reference::Column(vec![name.value.clone()]))
        }
        Expr::CompoundIdentifier(parts) if parts.first().is_some_and(|p| !is_variable(p)) => {
            Some(Reference::Column(parts.iter().map(|part| part.value.clone()).collect()))
        }
        Expr::Nested(inner) => reference(inner),
        _ => None,
    }
}

/// `@v`, `@@v`; between quotes it would be a name.
fn is_variable(name: &Ident) -> bool {
    name.quote_style.is_none() && name.value.starts_with('@')
}

/// What a string goes through where others stand beside it. `None`: it is a text for sure.
fn of_text(value: &Expr) -> Option<Step> {
    const SETS: [&str; 4] = ["_utf8mb4", "_utf8mb3", "_utf8", "_latin1"];
    match value {
        Expr::Prefixed { prefix, value } => {
            let known = SETS.iter().any(|set| prefix.value.eq_ignore_ascii_case(set));
            (!known || json::text_of(value).is_none()).then_some(Step::Bytes)
        }
        Expr::Value(value) if matches!(value.value, Value::NationalStringLiteral(_)) => None,
        other => match json::text_of(other) {
            Some(text) => (!text.is_ascii()).then_some(Step::Quoted),
            None => Some(Step::Bytes),
        },
    }
}

/// Reserved words that are values: between quotes they would be names.
fn is_word(name: &Ident) -> bool {
    const WORDS: [&str; 11] = [
        "current_date",
        "current_time",
        "current_timestamp",
        "current_user",
        "default",
        "localtime",
        "localtimestamp",
        "maxvalue",
        "utc_date",
        "utc_time",
        "utc_timestamp",
    ];
    name.quote_style.is_none() && WORDS.iter().any(|word| word.eq_ignore_ascii_case(&name.value))
}

/// Adds what a value is made of. Chains that grow to the left are walked in a loop.
pub(super) fn into(value: &Expr, made: &mut Expression) {
    let mut value = value;
    loop {
        value = match value {
            Expr::BinaryOp { left, op, right } => {
                operation(left, op, right, made);
                left
            }
            Expr::Nested(inner) => inner,
            Expr::Collate { expr, collation: _ } => expr,
            other => return rest(other, made),
        }
    }
}

fn rest(value: &Expr, made: &mut Expression) {
    match value {
        // Walked by the loop above.
        Expr::BinaryOp { .. } | Expr::Nested(_) | Expr::Collate { .. } => {}
        Expr::Identifier(name) => named(value, name, made),
        Expr::CompoundIdentifier(parts) => match parts.first() {
            Some(name) => named(value, name, made),
            None => made.opaque = Some("a name without a name"),
        },
        Expr::IsNull(inner) | Expr::IsNotNull(inner) => match reference(inner) {
            Some(column) => made.counted.push(column),
            None => into(inner, made),
        },
        Expr::IsFalse(inner)
        | Expr::IsNotFalse(inner)
        | Expr::IsTrue(inner)
        | Expr::IsNotTrue(inner)
        | Expr::IsUnknown(inner)
        | Expr::IsNotUnknown(inner) => truth(inner, made),
        Expr::In { expr, target, negated: _, global } => one_of(expr, target, *global, made),
        Expr::Between { expr, negated: _, low, high } => {
            compare(expr, low, made);
            compare(expr, high, made);
            all([&**expr, &**low, &**high], made);
        }
        Expr::Like { negated: _, any, expr, pattern, escape_char } => {
            made.through.push(Step::Operator("like".to_owned()));
            all([&**expr, &**pattern].into_iter().chain(escape_char.as_deref()), made);
            if *any {
                made.opaque = Some("LIKE ANY");
            }
        }
        Expr::RLike { negated: _, expr, pattern, regexp: _ } => {
            made.through.push(Step::Operator("regexp".to_owned()));
            all([&**expr, &**pattern], made);
        }
        Expr::AnyOp { left, compare_op: _, right, is_some: _ }
        | Expr::AllOp { left, compare_op: _, right } => {
            compare(left, right, made);
            all([&**left, &**right], made);
        }
        Expr::UnaryOp { op, expr } => unary(*op, expr, made),
        Expr::Value(_) | Expr::Prefixed { .. } => {
            if constant(value).is_none() {
                made.opaque = Some("a constant of a kind that MySQL hasn't");
            }
            if constant(value) == Some(Constant::Text) {
                made.through.extend(of_text(value));
            }
        }
        Expr::TypedString(_) => {}
        Expr::Function(function) => call(function, made),
        Expr::Case { case_token: _, end_token: _, operand, conditions, else_result } => {
            case(operand.as_deref(), conditions, made);
            all(operand.as_deref().into_iter().chain(else_result.as_deref()), made);
        }
        Expr::Exists { subquery, negated: _ } => made.asked.push(query(subquery)),
        Expr::Subquery(subquery) => made.queries.push(query(subquery)),
        Expr::Tuple(list) => all(list, made),
        Expr::Interval(interval) => {
            let Interval {
                value,
                leading_field: _,
                leading_precision: _,
                last_field: _,
                fractional_seconds_precision: _,
            } = interval;
            if constant(value).is_none() {
                made.through.push(Step::Part);
            }
            into(value, made);
        }
        Expr::MatchAgainst { columns, match_value: _, opt_search_modifier: _ } => {
            made.through.push(own("match"));
            match columns.iter().map(names).collect::<Option<Vec<_>>>() {
                Some(columns) => {
                    made.columns.extend(columns.into_iter().map(Reference::Column));
                }
                None => made.opaque = Some("MATCH"),
            }
        }
        Expr::MemberOf(MemberOf { value, array }) => {
            made.through.push(own("member_of"));
            all([&**value, &**array], made);
        }
        Expr::Cast { .. }
        | Expr::Convert { .. }
        | Expr::Extract { .. }
        | Expr::Ceil { .. }
        | Expr::Floor { .. }
        | Expr::Position { .. }
        | Expr::Substring { .. }
        | Expr::Trim { .. } => of_own_syntax(value, made),
        Expr::CompoundFieldAccess { .. }
        | Expr::JsonAccess { .. }
        | Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..)
        | Expr::IsJson { .. }
        | Expr::IsNormalized { .. }
        | Expr::ILike { .. }
        | Expr::SimilarTo { .. }
        | Expr::AtTimeZone { .. }
        | Expr::Overlay { .. }
        | Expr::GroupingSets(_)
        | Expr::Cube(_)
        | Expr::Rollup(_)
        | Expr::Struct { .. }
        | Expr::Named { .. }
        | Expr::Dictionary(_)
        | Expr::Map(_)
        | Expr::Array(_)
        | Expr::Wildcard(_)
        | Expr::QualifiedWildcard(..)
        | Expr::OuterJoin(_)
        | Expr::Prior(_)
        | Expr::Lambda(_) => made.opaque = Some("an expression of a kind that MySQL hasn't"),
    }
}

fn case(operand: Option<&Expr>, conditions: &[CaseWhen], made: &mut Expression) {
    for CaseWhen { condition, result } in conditions {
        match operand {
            Some(operand) => {
                compare(operand, condition, made);
                into(condition, made);
            }
            None => truth(condition, made),
        }
        into(result, made);
    }
}

/// A built-in function's name.
pub(super) fn own(name: &str) -> Step {
    Step::Function(RawName(vec![name.to_owned()]))
}

fn named(value: &Expr, first: &Ident, made: &mut Expression) {
    match reference(value) {
        Some(column) => made.columns.push(column),
        // The server's own variables hold nothing of anybody's rows.
        None if is_variable(first) && !first.value.starts_with("@@") => made.variable = true,
        None => {}
    }
}

/// What has words between its arguments.
fn of_own_syntax(value: &Expr, made: &mut Expression) {
    match value {
        Expr::Cast { kind, expr, data_type, format } => {
            let is_known = matches!(kind, CastKind::Cast) && format.is_none();
            made.through.push(Step::Cast(target(data_type)));
            into(expr, made);
            if !is_known {
                made.opaque = Some("a cast of a kind that MySQL hasn't");
            }
        }
        Expr::Convert { is_try, expr, data_type, charset, target_before_value, styles } => {
            made.through.push(Step::Cast(match (data_type, charset) {
                (Some(to), None) => target(to),
                (_, Some(charset)) => format!("char in {}", lower(charset)),
                (None, None) => String::new(),
            }));
            into(expr, made);
            if *is_try || *target_before_value || !styles.is_empty() {
                made.opaque = Some("CONVERT of a kind that MySQL hasn't");
            }
        }
        Expr::Extract { field: _, syntax: _, expr } => {
            made.through.push(own("extract"));
            function::wants(Wanted::Moment, expr, made);
            into(expr, made);
        }
        Expr::Ceil { expr, field } => rounded("ceil", expr, field, made),
        Expr::Floor { expr, field } => rounded("floor", expr, field, made),
        Expr::Position { expr, r#in } => {
            made.through.push(own("position"));
            all([&**expr, &**r#in], made);
        }
        Expr::Substring { expr, substring_from, substring_for, special: _, shorthand: _ } => {
            made.through.push(own("substring"));
            let bounds = [substring_from, substring_for].into_iter().flatten();
            for bound in bounds {
                function::plain_number(bound, made);
                into(bound, made);
            }
            into(expr, made);
        }
        Expr::Trim { trim_where: _, trim_what, expr, trim_characters } => {
            made.through.push(own("trim"));
            all(trim_what.as_deref().into_iter().chain([&**expr]), made);
            all(trim_characters.iter().flatten(), made);
        }
        _ => made.opaque = Some("an expression of a kind that masks don't know"),
    }
}

fn rounded(name: &str, value: &Expr, field: &CeilFloorKind, made: &mut Expression) {
    made.through.push(own(name));
    function::wants(Wanted::Quantity, value, made);
    into(value, made);
    match field {
        CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => {}
        CeilFloorKind::DateTimeField(_) | CeilFloorKind::Scale(_) => {
            made.opaque = Some("rounding of a kind that MySQL hasn't");
        }
    }
}

/// What a cast is called: the type, with its length if that may cut something.
fn target(to: &DataType) -> String {
    match to {
        DataType::Char(None)
        | DataType::Character(None)
        | DataType::Varchar(None)
        | DataType::Nvarchar(None) => "char".to_owned(),
        DataType::Char(Some(CharacterLength::IntegerLength { .. } | CharacterLength::Max)) => {
            "char of a length".to_owned()
        }
        DataType::Binary(None) => "binary".to_owned(),
        other => other.to_string().to_ascii_lowercase(),
    }
}

fn lower(name: &ObjectName) -> String {
    name.to_string().to_ascii_lowercase()
}

fn unary(operator: UnaryOperator, value: &Expr, made: &mut Expression) {
    match operator {
        UnaryOperator::Not => truth(value, made),
        UnaryOperator::BangNot => {
            // To the servers it binds more tightly than to the parser.
            let is_one =
                matches!(value, Expr::Nested(_) | Expr::Function(_)) || reference(value).is_some();
            if !is_one {
                made.opaque = Some("! before an operator");
            }
            truth(value, made);
        }
        UnaryOperator::Plus => into(value, made),
        UnaryOperator::Minus => {
            if constant(value).is_none() {
                amount::as_it_is(value, made);
            }
            into(value, made);
        }
        UnaryOperator::BitwiseNot => {
            made.through.push(Step::Operator("~".to_owned()));
            into(value, made);
        }
        UnaryOperator::AtDashAt
        | UnaryOperator::DoubleAt
        | UnaryOperator::Hash
        | UnaryOperator::PGAbs
        | UnaryOperator::PGCubeRoot
        | UnaryOperator::PGPostfixFactorial
        | UnaryOperator::PGPrefixFactorial
        | UnaryOperator::PGSquareRoot
        | UnaryOperator::QuestionDash
        | UnaryOperator::QuestionPipe => made.opaque = Some("an operator that MySQL hasn't"),
    }
}

/// What is taken for true or false: anything but a comparison and its like becomes a number for that, and
/// the server warns of what is none, in its own words.
pub(super) fn truth(value: &Expr, made: &mut Expression) {
    turned(value, made);
    into(value, made);
}

/// What a value that is taken for true or false goes through for that.
fn turned(value: &Expr, made: &mut Expression) {
    if !is_boolean(value) {
        function::wants(Wanted::Number, value, made);
    }
}

pub(super) fn is_boolean(value: &Expr) -> bool {
    use BinaryOperator as B;
    match value {
        Expr::Nested(inner) => is_boolean(inner),
        Expr::BinaryOp { left: _, op, right: _ } => matches!(
            op,
            B::And
                | B::Or
                | B::Xor
                | B::Eq
                | B::NotEq
                | B::Lt
                | B::LtEq
                | B::Gt
                | B::GtEq
                | B::Spaceship
        ),
        Expr::UnaryOp { op: UnaryOperator::Not, .. }
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::In { .. }
        | Expr::Between { .. }
        | Expr::Like { .. }
        | Expr::Exists { .. } => true,
        _ => constant(value).is_some(),
    }
}

fn is_interval(value: &Expr) -> bool {
    matches!(value, Expr::Interval(_))
}

/// All of a binary operation but its left side.
fn operation(left: &Expr, operator: &BinaryOperator, right: &Expr, made: &mut Expression) {
    use BinaryOperator as B;
    match operator {
        B::And | B::Or | B::Xor => {
            turned(left, made);
            return truth(right, made);
        }
        B::Eq | B::NotEq | B::Lt | B::LtEq | B::Gt | B::GtEq | B::Spaceship => {
            compare(left, right, made);
        }
        B::Assignment => made.kept = true,
        // What isn't a day in any calendar is NULL.
        B::Plus | B::Minus if is_interval(left) || is_interval(right) => {
            made.through.push(Step::Converts);
        }
        B::Plus | B::Minus | B::Multiply | B::Divide | B::Modulo | B::MyIntegerDivide => {
            amount::operation(left, operator, right, made);
        }
        B::BitwiseOr
        | B::BitwiseAnd
        | B::BitwiseXor
        | B::PGBitwiseShiftLeft
        | B::PGBitwiseShiftRight
        // By `sql_mode` it joins texts or means OR.
        | B::StringConcat => made.through.push(Step::Operator(operator.to_string())),
        B::Arrow | B::LongArrow => {
            made.through.push(own("json_extract"));
            json::document(left, made);
            json::path(right, true, made);
        }
        B::Regexp | B::Match => made.through.push(Step::Operator("regexp".to_owned())),
        B::DuckIntegerDivide
        | B::Glob
        | B::Custom(_)
        | B::PGBitwiseXor
        | B::PGExp
        | B::PGOverlap
        | B::PGRegexMatch
        | B::PGRegexIMatch
        | B::PGRegexNotMatch
        | B::PGRegexNotIMatch
        | B::PGLikeMatch
        | B::PGILikeMatch
        | B::PGNotLikeMatch
        | B::PGNotILikeMatch
        | B::PGStartsWith
        | B::HashArrow
        | B::HashLongArrow
        | B::AtAt
        | B::AtArrow
        | B::ArrowAt
        | B::HashMinus
        | B::AtQuestion
        | B::Question
        | B::QuestionAnd
        | B::QuestionPipe
        | B::PGCustomBinaryOperator(_)
        | B::Overlaps
        | B::DoubleHash
        | B::LtDashGt
        | B::AndLt
        | B::AndGt
        | B::LtLtPipe
        | B::PipeGtGt
        | B::AndLtPipe
        | B::PipeAndGt
        | B::LtCaret
        | B::GtCaret
        | B::QuestionHash
        | B::QuestionDash
        | B::QuestionDashPipe
        | B::QuestionDoublePipe
        | B::At
        | B::TildeEq
        | B::Is
        | B::IsNot => made.opaque = Some("an operator that MySQL hasn't"),
    }
    into(right, made);
}

/// A comparison: one side may be turned into the other's type, and the server warns of what it can't
/// turn, in its own words.
pub(super) fn compare(left: &Expr, right: &Expr, made: &mut Expression) {
    let class = |value: &Expr| match value {
        Expr::Collate { expr, collation: _ } => constant(expr),
        other => constant(other),
    };
    let (class, of) = match (class(left), class(right)) {
        (Some(_), Some(_)) => return,
        (Some(class), None) => (class, right),
        (None, Some(class)) => (class, left),
        (None, None) => return made.through.push(Step::Converts),
    };
    let wanted = match class {
        // To a text it is compared as one; and a text that is no number is one for all rows.
        Constant::Null | Constant::Text => return,
        Constant::Number => Wanted::Comparable,
        Constant::Moment => Wanted::Moment,
        // It may be a number.
        Constant::Parameter(_) => Wanted::Number,
    };
    function::wants(wanted, of, made);
}

fn one_of(value: &Expr, target: &InTarget, global: bool, made: &mut Expression) {
    match target {
        InTarget::List(list) => {
            for item in list {
                compare(value, item, made);
            }
            all(list, made);
        }
        InTarget::Subquery(inner) => in_query(value, inner, made),
        InTarget::Unnest(_) | InTarget::Table { .. } => made.opaque = Some("IN of another kind"),
    }
    if global {
        made.opaque = Some("GLOBAL IN");
    }
    into(value, made);
}

fn in_query(value: &Expr, inner: &AstQuery, made: &mut Expression) {
    if constant(value) != Some(Constant::Text) {
        made.through.push(Step::Converts);
    }
    made.queries.push(query(inner));
}
