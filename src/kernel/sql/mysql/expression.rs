//! Expressions: calls, variables, columns, subqueries.

use sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentClause, FunctionArgumentList, FunctionArguments, Ident, InTarget, ObjectName,
    ObjectNamePart, UnaryOperator, Value,
};

use super::Walker;
use crate::kernel::sql::reading::{Access, RawName};

/// The name that an identifier is: as it is written.
pub(super) fn name(ident: &Ident) -> String {
    ident.value.clone()
}

/// A name's parts; `None` for what is no name here. More than two are no relation's.
pub(super) fn raw_name(name: &ObjectName) -> Option<RawName> {
    let mut parts = Vec::with_capacity(name.0.len());
    for part in &name.0 {
        match part {
            ObjectNamePart::Identifier(ident) if is_variable(ident) => return None,
            ObjectNamePart::Identifier(ident) => parts.push(ident.value.clone()),
            ObjectNamePart::Function(_) => return None,
        }
    }
    (!parts.is_empty() && parts.len() <= 3).then_some(RawName(parts))
}

impl Walker {
    pub(super) fn exprs<'e>(&mut self, list: impl IntoIterator<Item = &'e Expr>) {
        for expr in list {
            self.expr(expr);
        }
    }

    /// One expression. Left-deep chains are walked in a loop, what else nests is bounded by the
    /// parser's own limit.
    pub(super) fn expr(&mut self, expr: &Expr) {
        let mut expr = expr;
        loop {
            expr = match expr {
                Expr::BinaryOp { left, op: BinaryOperator::Assignment, right } => {
                    match &**left {
                        Expr::Identifier(ident) if is_variable(ident) => {
                            self.reading.mysql.assigned.insert(ident.value.clone());
                        }
                        _ => self.foreign = true,
                    }
                    right
                }
                Expr::BinaryOp { left, op, right } => {
                    self.binary(op);
                    self.expr(right);
                    left
                }
                Expr::Cast { kind: _, expr, data_type: _, format } => {
                    self.foreign |= format.is_some();
                    expr
                }
                Expr::Nested(inner) => inner,
                other => return self.other_expr(other),
            }
        }
    }

    fn other_expr(&mut self, expr: &Expr) {
        match expr {
            // Walked by the loop above.
            Expr::BinaryOp { .. } | Expr::Cast { .. } | Expr::Nested(_) => {}
            Expr::Identifier(ident) => self.identifier(ident),
            Expr::CompoundIdentifier(parts) => self.compound(parts),
            Expr::IsFalse(e)
            | Expr::IsNotFalse(e)
            | Expr::IsTrue(e)
            | Expr::IsNotTrue(e)
            | Expr::IsNull(e)
            | Expr::IsNotNull(e)
            | Expr::IsUnknown(e)
            | Expr::IsNotUnknown(e) => self.expr(e),
            Expr::In { expr, target, negated: _, global } => {
                self.foreign |= *global;
                self.expr(expr);
                match target {
                    InTarget::List(list) => self.exprs(list),
                    InTarget::Subquery(query) => {
                        self.query(query);
                    }
                    InTarget::Unnest(_) | InTarget::Table { .. } => self.foreign = true,
                }
            }
            Expr::Between { expr, negated: _, low, high } => {
                self.exprs([&**expr, &**low, &**high]);
            }
            Expr::Like { negated: _, any, expr, pattern, escape_char } => {
                self.foreign |= *any;
                self.exprs([&**expr, &**pattern]);
                self.exprs(escape_char.as_deref());
            }
            Expr::RLike { negated: _, expr, pattern, regexp: _ } => {
                self.exprs([&**expr, &**pattern]);
            }
            Expr::AnyOp { left, compare_op, right, is_some: _ }
            | Expr::AllOp { left, compare_op, right } => {
                self.binary(compare_op);
                self.exprs([&**left, &**right]);
            }
            Expr::UnaryOp { op, expr } => {
                self.unary(*op);
                self.expr(expr);
            }
            Expr::Convert {
                is_try,
                expr,
                data_type: _,
                charset: _,
                target_before_value,
                styles,
            } => {
                self.foreign |= *is_try || *target_before_value || !styles.is_empty();
                self.expr(expr);
            }
            Expr::AtTimeZone { timestamp, time_zone } => self.exprs([&**timestamp, &**time_zone]),
            Expr::Extract { field: _, syntax: _, expr } => self.expr(expr),
            Expr::Position { expr, r#in } => self.exprs([&**expr, &**r#in]),
            Expr::Substring { expr, substring_from, substring_for, special: _, shorthand: _ } => {
                self.expr(expr);
                self.exprs(substring_from.as_deref());
                self.exprs(substring_for.as_deref());
            }
            Expr::Trim { trim_where: _, trim_what, expr, trim_characters } => {
                self.exprs(trim_what.as_deref());
                self.expr(expr);
                self.exprs(trim_characters.iter().flatten());
            }
            Expr::Collate { expr, collation: _ } => self.expr(expr),
            Expr::Value(value) => self.value(&value.value),
            Expr::TypedString(typed) => self.value(&typed.value.value),
            Expr::Function(function) => self.function(function),
            Expr::Case { case_token: _, end_token: _, operand, conditions, else_result } => {
                self.exprs(operand.as_deref());
                for when in conditions {
                    self.exprs([&when.condition, &when.result]);
                }
                self.exprs(else_result.as_deref());
            }
            Expr::Exists { subquery, negated: _ } | Expr::Subquery(subquery) => {
                self.query(subquery);
            }
            Expr::Tuple(list) => self.exprs(list),
            Expr::Interval(interval) => self.expr(&interval.value),
            Expr::MatchAgainst { columns, match_value, opt_search_modifier: _ } => {
                self.mentions(columns);
                self.value(&match_value.value);
            }
            Expr::MemberOf(member) => self.exprs([&*member.value, &*member.array]),
            Expr::JsonAccess { .. }
            | Expr::CompoundFieldAccess { .. }
            | Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..)
            | Expr::IsJson { .. }
            | Expr::IsNormalized { .. }
            | Expr::ILike { .. }
            | Expr::SimilarTo { .. }
            | Expr::Ceil { .. }
            | Expr::Floor { .. }
            | Expr::Overlay { .. }
            | Expr::Prefixed { .. }
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
            | Expr::Lambda(_) => self.foreign = true,
        }
    }

    fn mentions(&mut self, columns: &[ObjectName]) {
        for column in columns {
            match raw_name(column) {
                Some(column) => {
                    self.columns.names.insert(column.base().to_lowercase());
                }
                None => self.foreign = true,
            }
        }
    }

    fn unary(&mut self, op: UnaryOperator) {
        match op {
            UnaryOperator::Plus
            | UnaryOperator::Minus
            | UnaryOperator::Not
            | UnaryOperator::BitwiseNot
            | UnaryOperator::BangNot => {}
            UnaryOperator::AtDashAt
            | UnaryOperator::DoubleAt
            | UnaryOperator::Hash
            | UnaryOperator::PGAbs
            | UnaryOperator::PGCubeRoot
            | UnaryOperator::PGPostfixFactorial
            | UnaryOperator::PGPrefixFactorial
            | UnaryOperator::PGSquareRoot
            | UnaryOperator::QuestionDash
            | UnaryOperator::QuestionPipe => self.foreign = true,
        }
    }

    fn identifier(&mut self, ident: &Ident) {
        if !is_variable(ident) {
            self.columns.names.insert(ident.value.to_lowercase());
        } else if let Some(system) = ident.value.strip_prefix("@@") {
            self.reading.mysql.system.insert(system.to_owned());
        } else {
            self.reading.mysql.read.insert(ident.value.clone());
        }
    }

    fn compound(&mut self, parts: &[Ident]) {
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return };
        if !is_variable(first) {
            self.foreign |= parts.len() > 3 || parts.iter().any(is_variable);
            // Of MariaDB: a sequence's number.
            let lower = last.value.to_lowercase();
            let sequence = matches!(lower.as_str(), "nextval" | "currval")
                && self.mode.dialect == crate::kernel::sql::mode::Dialect::MariaDb;
            if sequence {
                // Fail closed: it may be a column of that name as well.
                let of = parts.iter().take(parts.len() - 1).map(name).collect();
                self.relation(RawName(of), Access::Write);
            }
            self.columns.names.insert(lower);
            return;
        }
        let Some(scope) = first.value.strip_prefix("@@") else {
            self.foreign = true;
            return;
        };
        let names: Vec<String> =
            parts.iter().skip(1).map(|part| part.value.to_ascii_lowercase()).collect();
        let known = matches!(scope, "global" | "session" | "local" | "persist" | "persist_only");
        let name = if known { names.join(".") } else { format!("{scope}.{}", names.join(".")) };
        self.reading.mysql.system.insert(name);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Placeholder(_)
            | Value::Number(..)
            | Value::SingleQuotedString(_)
            | Value::NationalStringLiteral(_)
            | Value::HexStringLiteral(_)
            | Value::Boolean(_)
            | Value::Null => {}
            Value::DollarQuotedString(_)
            | Value::EscapedStringLiteral(_)
            | Value::UnicodeStringLiteral(_)
            | Value::SingleQuotedByteStringLiteral(_)
            | Value::TripleSingleQuotedString(_)
            | Value::TripleDoubleQuotedString(_)
            | Value::DoubleQuotedByteStringLiteral(_)
            | Value::TripleSingleQuotedByteStringLiteral(_)
            | Value::TripleDoubleQuotedByteStringLiteral(_)
            | Value::SingleQuotedRawStringLiteral(_)
            | Value::DoubleQuotedRawStringLiteral(_)
            | Value::TripleSingleQuotedRawStringLiteral(_)
            | Value::TripleDoubleQuotedRawStringLiteral(_)
            | Value::QuoteDelimitedStringLiteral(_)
            | Value::NationalQuoteDelimitedStringLiteral(_)
            | Value::DoubleQuotedString(_) => self.foreign = true,
        }
    }

    fn binary(&mut self, operator: &BinaryOperator) {
        use BinaryOperator::*;
        match operator {
            And | Or | Xor | Plus | Minus | Multiply | Divide | Modulo | StringConcat | Gt | Lt
            | GtEq | LtEq | Spaceship | Eq | NotEq | BitwiseOr | BitwiseAnd | BitwiseXor
            | MyIntegerDivide | PGBitwiseShiftLeft | PGBitwiseShiftRight | Regexp => {}
            Arrow | LongArrow => {}
            Custom(_)
            | DuckIntegerDivide
            | Match
            | Glob
            | PGBitwiseXor
            | PGExp
            | PGOverlap
            | PGRegexMatch
            | PGRegexIMatch
            | PGRegexNotMatch
            | PGRegexNotIMatch
            | PGLikeMatch
            | PGILikeMatch
            | PGNotLikeMatch
            | PGNotILikeMatch
            | PGStartsWith
            | HashArrow
            | HashLongArrow
            | AtAt
            | AtArrow
            | ArrowAt
            | HashMinus
            | AtQuestion
            | Question
            | QuestionAnd
            | QuestionPipe
            | PGCustomBinaryOperator(_)
            | Overlaps
            | DoubleHash
            | LtDashGt
            | AndLt
            | AndGt
            | LtLtPipe
            | PipeGtGt
            | AndLtPipe
            | PipeAndGt
            | LtCaret
            | GtCaret
            | QuestionHash
            | QuestionDash
            | QuestionDashPipe
            | QuestionDoublePipe
            | At
            | TildeEq
            | Assignment
            | Is
            | IsNot => self.foreign = true,
        }
    }

    pub(super) fn function(&mut self, function: &Function) {
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
        self.foreign |= !matches!(parameters, FunctionArguments::None) || filter.is_some();
        let Some(raw) = raw_name(name) else {
            self.foreign = true;
            return;
        };
        let lower = RawName(match raw.0.as_slice() {
            [schema, name] => vec![schema.clone(), name.to_lowercase()],
            [name] => vec![name.to_lowercase()],
            _ => {
                self.foreign = true;
                return;
            }
        });
        let literals = match args {
            FunctionArguments::None => Vec::new(),
            FunctionArguments::Subquery(query) => {
                self.query(query);
                Vec::new()
            }
            FunctionArguments::List(list) => {
                if self.is_of_sequence(&lower, list) {
                    return;
                }
                self.argument_list(list)
            }
        };
        self.order_list(within_group);
        if let Some(window) = over {
            self.over(window);
        }
        self.routine(lower, literals);
    }

    /// MariaDB: `nextval(s)`, `lastval(s)`, `setval(s, 1)` name a sequence.
    fn is_of_sequence(&mut self, function: &RawName, list: &FunctionArgumentList) -> bool {
        let named = matches!(function.base(), "nextval" | "lastval" | "setval");
        if !named || self.mode.dialect != crate::kernel::sql::mode::Dialect::MariaDb {
            return false;
        }
        let Some((FunctionArg::Unnamed(FunctionArgExpr::Expr(first)), rest)) =
            list.args.split_first()
        else {
            return false;
        };
        let parts = match first {
            Expr::Identifier(ident) => vec![ident.value.clone()],
            Expr::CompoundIdentifier(parts) => parts.iter().map(name).collect(),
            _ => return false,
        };
        let access = if function.base() == "lastval" { Access::Read } else { Access::Write };
        self.relation(RawName(parts), access);
        self.arguments(rest);
        true
    }

    fn argument_list(&mut self, list: &FunctionArgumentList) -> Vec<Option<String>> {
        match list.duplicate_treatment {
            None | Some(DuplicateTreatment::Distinct | DuplicateTreatment::All) => {}
        }
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::OrderBy(order) => self.order_list(order),
                FunctionArgumentClause::Limit(limit) => self.expr(limit),
                FunctionArgumentClause::Separator(separator) => self.value(&separator.value),
                FunctionArgumentClause::JsonReturningClause(_)
                | FunctionArgumentClause::JsonNullClause(_) => {}
                FunctionArgumentClause::IgnoreOrRespectNulls(_)
                | FunctionArgumentClause::Where(_)
                | FunctionArgumentClause::OnOverflow(_)
                | FunctionArgumentClause::Having(_) => self.foreign = true,
            }
        }
        self.arguments(&list.args)
    }

    /// Walks arguments; those that are string constants are returned in place.
    fn arguments(&mut self, list: &[FunctionArg]) -> Vec<Option<String>> {
        list.iter()
            .map(|argument| {
                let arg = match argument {
                    FunctionArg::Unnamed(arg) => arg,
                    FunctionArg::Named { .. } | FunctionArg::ExprNamed { .. } => {
                        self.foreign = true;
                        return None;
                    }
                };
                match arg {
                    FunctionArgExpr::Expr(Expr::Value(value)) => {
                        self.value(&value.value);
                        match &value.value {
                            Value::SingleQuotedString(text) => Some(text.clone()),
                            _ => None,
                        }
                    }
                    FunctionArgExpr::Expr(expr) => {
                        self.expr(expr);
                        None
                    }
                    // `count(*)`.
                    FunctionArgExpr::Wildcard => None,
                    FunctionArgExpr::QualifiedWildcard(_)
                    | FunctionArgExpr::WildcardWithOptions(_) => {
                        self.foreign = true;
                        None
                    }
                }
            })
            .collect()
    }
}

/// `@name`, `@@name`.
pub(super) fn is_variable(ident: &Ident) -> bool {
    ident.quote_style.is_none() && ident.value.starts_with('@')
}
