//! Expressions: operators, calls, casts, subqueries.

use sqlparser::ast::{
    AccessExpr, BinaryOperator, DataType, DictionaryField, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList, FunctionArguments, InTarget,
    Subscript, Value,
};

use crate::kernel::sql::{
    engine::{
        Walker,
        names::{fold, is_expression, is_word},
    },
    reading::RawName,
};

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
                Expr::BinaryOp { left, op, right } => {
                    self.binary(op);
                    self.expr(right);
                    left
                }
                Expr::Cast { kind: _, expr, data_type, format } => {
                    self.foreign |= format.is_some();
                    self.data_type(data_type);
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
            Expr::Identifier(ident) => {
                let name = fold(ident);
                self.rows.insert(name.clone());
                self.columns.names.insert(name);
            }
            Expr::CompoundIdentifier(parts) => self.column_reference(parts),
            Expr::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain),
            Expr::IsFalse(e)
            | Expr::IsNotFalse(e)
            | Expr::IsTrue(e)
            | Expr::IsNotTrue(e)
            | Expr::IsNull(e)
            | Expr::IsNotNull(e)
            | Expr::IsUnknown(e)
            | Expr::IsNotUnknown(e)
            | Expr::IsJson { expr: e, kind: _, unique_keys: _, negated: _ }
            | Expr::IsNormalized { expr: e, form: _, negated: _ } => self.expr(e),
            Expr::IsDistinctFrom(a, b) | Expr::IsNotDistinctFrom(a, b) => {
                self.operator("=");
                self.exprs([&**a, &**b]);
            }
            Expr::In { expr, target, negated: _, global } => {
                self.foreign |= *global;
                self.operator("=");
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
                self.operator(">=");
                self.exprs([&**expr, &**low, &**high]);
            }
            Expr::Like { negated: _, any, expr, pattern, escape_char }
            | Expr::ILike { negated: _, any, expr, pattern, escape_char } => {
                self.foreign |= *any;
                self.operator("~~");
                self.exprs([&**expr, &**pattern]);
                self.exprs(escape_char.as_deref());
            }
            Expr::SimilarTo { negated: _, expr, pattern, escape_char } => {
                self.operator("~");
                self.exprs([&**expr, &**pattern]);
                self.exprs(escape_char.as_deref());
            }
            Expr::AnyOp { left, compare_op, right, is_some: _ }
            | Expr::AllOp { left, compare_op, right } => {
                self.binary(compare_op);
                self.exprs([&**left, &**right]);
            }
            Expr::UnaryOp { op, expr } => {
                self.operator(op.to_string());
                self.expr(expr);
            }
            Expr::Convert { is_try, expr, data_type, charset, target_before_value, styles } => {
                self.foreign |= *is_try
                    || data_type.is_some()
                    || charset.is_some()
                    || *target_before_value
                    || !styles.is_empty();
                self.expr(expr);
            }
            Expr::AtTimeZone { timestamp, time_zone } => self.exprs([&**timestamp, &**time_zone]),
            Expr::Extract { field: _, syntax: _, expr } => self.expr(expr),
            Expr::Ceil { expr, field } => self.rounding("ceil", expr, field),
            Expr::Floor { expr, field } => self.rounding("floor", expr, field),
            Expr::Position { expr, r#in } => self.exprs([&**expr, &**r#in]),
            Expr::Substring { expr, substring_from, substring_for, special, shorthand } => {
                if *shorthand {
                    self.routine(RawName(vec!["substr".into()]), Vec::new());
                } else if *special {
                    // With commas it is a plain call, which a user's function may answer.
                    self.routine(RawName(vec!["substring".into()]), Vec::new());
                }
                self.expr(expr);
                self.exprs(substring_from.as_deref());
                self.exprs(substring_for.as_deref());
            }
            Expr::Trim { trim_where: _, trim_what, expr, trim_characters } => {
                self.exprs(trim_what.as_deref());
                self.expr(expr);
                self.exprs(trim_characters.iter().flatten());
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                self.exprs([&**expr, &**overlay_what, &**overlay_from]);
                self.exprs(overlay_for.as_deref());
            }
            Expr::Collate { expr, collation: _ } => self.expr(expr),
            Expr::Value(value) => self.value(&value.value),
            Expr::Prefixed { .. } => self.foreign = true,
            Expr::TypedString(typed) => self.data_type(&typed.data_type),
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
            Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => {
                for expr in sets.iter().flatten() {
                    self.grouping_element(expr);
                }
            }
            Expr::Tuple(list) => self.exprs(list),
            Expr::Array(array) => self.exprs(&array.elem),
            Expr::Interval(interval) => self.expr(&interval.value),
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => self.foreign = true,
            Expr::Dictionary(fields) => {
                self.foreign = true;
                for DictionaryField { key: _, value } in fields {
                    self.expr(value);
                }
            }
            Expr::JsonAccess { .. }
            | Expr::RLike { .. }
            | Expr::Struct { .. }
            | Expr::Named { .. }
            | Expr::Map(_)
            | Expr::MatchAgainst { .. }
            | Expr::OuterJoin(_)
            | Expr::Prior(_)
            | Expr::Lambda(_)
            | Expr::MemberOf(_) => self.foreign = true,
        }
    }

    /// ROLLUP and CUBE inside of GROUPING SETS look like calls.
    fn grouping_element(&mut self, expr: &Expr) {
        match expr {
            Expr::Function(Function { name, args: FunctionArguments::List(list), .. })
                if is_word(name, &["rollup", "cube"]) =>
            {
                self.argument_list(list);
            }
            other => self.expr(other),
        }
    }

    fn rounding(&mut self, name: &str, expr: &Expr, field: &sqlparser::ast::CeilFloorKind) {
        use sqlparser::ast::{CeilFloorKind, DateTimeField};
        match field {
            CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => {}
            CeilFloorKind::DateTimeField(_) | CeilFloorKind::Scale(_) => self.foreign = true,
        }
        self.routine(RawName(vec![name.to_owned()]), vec![None]);
        self.expr(expr);
    }

    fn column_reference(&mut self, parts: &[sqlparser::ast::Ident]) {
        let Some((last, before)) = parts.split_last() else { return };
        self.columns.names.insert(fold(last));
        // `schema.table` as a whole row.
        if !before.is_empty() {
            self.columns.qualified.insert(fold(last));
            self.rows.insert(fold(last));
        }
    }

    fn access(&mut self, root: &Expr, chain: &[AccessExpr]) {
        self.expr(root);
        for access in chain {
            match access {
                AccessExpr::Dot(Expr::Identifier(ident)) => {
                    self.columns.fields.insert(fold(ident));
                }
                AccessExpr::Dot(_) => self.foreign = true,
                AccessExpr::Subscript(Subscript::Index { index }) => self.expr(index),
                AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride }) => {
                    self.foreign |= stride.is_some();
                    self.exprs(lower_bound.iter().chain(upper_bound));
                }
            }
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Placeholder(text) => match text.strip_prefix('$').map(str::parse::<u16>) {
                Some(Ok(number)) => {
                    self.reading.parameters = self.reading.parameters.max(number);
                }
                Some(Err(_)) | None => self.foreign = true,
            },
            Value::Number(..)
            | Value::SingleQuotedString(_)
            | Value::DollarQuotedString(_)
            | Value::EscapedStringLiteral(_)
            | Value::UnicodeStringLiteral(_)
            | Value::NationalStringLiteral(_)
            | Value::HexStringLiteral(_)
            | Value::SingleQuotedByteStringLiteral(_)
            | Value::Boolean(_)
            | Value::Null => {}
            Value::TripleSingleQuotedString(_)
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
        match operator {
            BinaryOperator::And | BinaryOperator::Or => {}
            BinaryOperator::PGCustomBinaryOperator(parts) => {
                self.operator(parts.last().cloned().unwrap_or_default());
            }
            BinaryOperator::NotEq => self.operator("<>"),
            BinaryOperator::Assignment
            | BinaryOperator::DuckIntegerDivide
            | BinaryOperator::MyIntegerDivide
            | BinaryOperator::Match
            | BinaryOperator::Regexp
            | BinaryOperator::Glob
            | BinaryOperator::Spaceship
            | BinaryOperator::Xor
            | BinaryOperator::Is
            | BinaryOperator::IsNot => self.foreign = true,
            other => self.operator(other.to_string()),
        }
    }

    pub(super) fn function(&mut self, function: &Function) {
        let Function {
            name,
            uses_odbc_syntax,
            parameters,
            args,
            within_group,
            filter,
            null_treatment: _,
            over,
        } = function;
        self.foreign |= *uses_odbc_syntax;
        match parameters {
            FunctionArguments::None => {}
            FunctionArguments::Subquery(_) | FunctionArguments::List(_) => self.foreign = true,
        }
        let (has_list, literals) = match args {
            FunctionArguments::None => (false, Vec::new()),
            // ARRAY(SELECT …) is an expression.
            FunctionArguments::Subquery(query) => {
                self.foreign |= !is_word(name, &["array"]);
                self.query(query);
                return;
            }
            FunctionArguments::List(list) => (true, self.argument_list(list)),
        };
        self.order_list(within_group);
        self.exprs(filter.as_deref());
        if let Some(window) = over {
            self.over(window);
        }
        let raw = self.name(name);
        if !is_expression(name, has_list) {
            self.routine(raw, literals);
        }
    }

    fn argument_list(&mut self, list: &FunctionArgumentList) -> Vec<Option<String>> {
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::OrderBy(order) => self.order_list(order),
                FunctionArgumentClause::JsonReturningClause(returning) => {
                    self.data_type(&returning.data_type);
                }
                FunctionArgumentClause::JsonNullClause(_) => {}
                FunctionArgumentClause::IgnoreOrRespectNulls(_)
                | FunctionArgumentClause::Where(_)
                | FunctionArgumentClause::Limit(_)
                | FunctionArgumentClause::OnOverflow(_)
                | FunctionArgumentClause::Having(_)
                | FunctionArgumentClause::Separator(_) => self.foreign = true,
            }
        }
        self.arguments(&list.args)
    }

    /// Walks arguments; those that are string constants are returned in place.
    pub(super) fn arguments(&mut self, list: &[FunctionArg]) -> Vec<Option<String>> {
        list.iter()
            .map(|argument| {
                let (FunctionArg::Named { arg, .. }
                | FunctionArg::ExprNamed { arg, .. }
                | FunctionArg::Unnamed(arg)) = argument;
                match arg {
                    FunctionArgExpr::Expr(Expr::Value(value)) => {
                        self.value(&value.value);
                        constant(&value.value)
                    }
                    FunctionArgExpr::Expr(expr) => {
                        self.expr(expr);
                        None
                    }
                    // `f(t.*)` is `f(t)`.
                    FunctionArgExpr::QualifiedWildcard(name) => {
                        let name = self.name(name);
                        self.rows.insert(name.base().to_owned());
                        None
                    }
                    // `count(*)`
                    FunctionArgExpr::Wildcard => None,
                    FunctionArgExpr::WildcardWithOptions(_) => {
                        self.foreign = true;
                        None
                    }
                }
            })
            .collect()
    }

    pub(super) fn data_type(&mut self, data_type: &DataType) {
        if let DataType::Array(
            sqlparser::ast::ArrayElemTypeDef::SquareBracket(element, _)
            | sqlparser::ast::ArrayElemTypeDef::Qualified(element, _),
        ) = data_type
        {
            return self.data_type(element);
        }
        let name = if let DataType::Custom(name, _) = data_type {
            self.name(name)
        } else {
            let printed = data_type.to_string().to_ascii_lowercase();
            let end = printed.find('(').unwrap_or(printed.len());
            RawName(vec![printed.get(..end).unwrap_or_default().to_owned()])
        };
        self.reading.types.insert(name);
    }
}

fn constant(value: &Value) -> Option<String> {
    match value {
        Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(text.clone()),
        Value::DollarQuotedString(text) => Some(text.value.clone()),
        _ => None,
    }
}
