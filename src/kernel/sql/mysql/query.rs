//! Queries: WITH, set operations, SELECT, VALUES.

use std::collections::HashSet;

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, GroupByWithModifier, LimitClause, LockClause, NamedWindowExpr,
    OrderBy, OrderByExpr, OrderByKind, OrderBySort, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, TableWithJoins, WildcardAdditionalOptions,
    WindowFrame, WindowFrameBound, WindowSpec, WindowType, With,
};

use super::Walker;
use crate::kernel::sql::{
    mysql::expression::{name, raw_name},
    reading::{Access, RawName, StatementKind},
};

impl Walker {
    /// A query; returns the relations that stand in its FROM.
    pub(super) fn query(&mut self, query: &Query) -> Vec<RawName> {
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        self.foreign |= for_clause.is_some()
            || settings.is_some()
            || format_clause.is_some()
            || !pipe_operators.is_empty();
        if let Some(with) = with {
            self.with(with);
        }
        let from = self.set_expr(body);
        if let Some(order_by) = order_by {
            self.order_by(order_by);
        }
        match limit_clause {
            None => {}
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) => {
                self.foreign |= !limit_by.is_empty();
                self.exprs(limit.iter().chain(offset.iter().map(|o| &o.value)));
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => self.exprs([offset, limit]),
        }
        if let Some(fetch) = fetch {
            self.exprs(&fetch.quantity);
        }
        self.locks(locks, &from);
        if with.is_some() {
            self.ctes.pop();
        }
        from
    }

    /// Opens the scope of a WITH; whoever calls closes it.
    fn with(&mut self, with: &With) {
        let all = || with.cte_tables.iter().map(|cte| name(&cte.alias.name)).collect();
        self.ctes.push(if with.recursive { all() } else { HashSet::new() });
        self.names.extend(with.cte_tables.iter().map(|cte| name(&cte.alias.name)));
        for cte in &with.cte_tables {
            self.foreign |= cte.from.is_some() || cte.materialized.is_some();
            self.query(&cte.query);
            if !with.recursive {
                let name = name(&cte.alias.name);
                if let Some(scope) = self.ctes.last_mut() {
                    scope.insert(name);
                }
            }
        }
    }

    fn locks(&mut self, locks: &[LockClause], from: &[RawName]) {
        if locks.iter().any(|lock| lock.of.is_none()) {
            for relation in from {
                self.relation(relation.clone(), Access::LockRows);
            }
        }
        for lock in locks {
            match &lock.of {
                None => {}
                Some(of) => match raw_name(of).map(|n| n.base().to_owned()) {
                    // Fail closed: what isn't found locks something else.
                    Some(known) if self.aliases.contains_key(&known) => {
                        for relation in self.aliases.get(&known).cloned().unwrap_or_default() {
                            self.relation(relation, Access::LockRows);
                        }
                    }
                    Some(_) | None => self.foreign = true,
                },
            }
        }
    }

    fn set_expr(&mut self, body: &SetExpr) -> Vec<RawName> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, right, op: _, set_quantifier: _ } => {
                let mut from = self.set_expr(left);
                from.extend(self.set_expr(right));
                from
            }
            SetExpr::Values(values) => {
                for row in &values.rows {
                    self.exprs(&row.content);
                }
                Vec::new()
            }
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement)
            | SetExpr::Merge(statement) => {
                self.change(statement);
                Vec::new()
            }
            SetExpr::Table(_) => {
                self.foreign = true;
                Vec::new()
            }
        }
    }

    fn select(&mut self, select: &Select) -> Vec<RawName> {
        let Select {
            select_token: _,
            optimizer_hints: _,
            distinct,
            select_modifiers: _,
            top,
            top_before_distinct: _,
            projection,
            exclude,
            into,
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
        self.foreign |= top.is_some()
            || exclude.is_some()
            || !lateral_views.is_empty()
            || prewhere.is_some()
            || !connect_by.is_empty()
            || !cluster_by.is_empty()
            || !distribute_by.is_empty()
            || !sort_by.is_empty()
            || qualify.is_some()
            || value_table_mode.is_some();
        for target in into.iter().flat_map(|into| &into.targets) {
            self.assigned_variable(target);
        }
        let relations = self.from(from);
        match distinct {
            None | Some(Distinct::All | Distinct::Distinct) => {}
            Some(Distinct::On(_)) => self.foreign = true,
        }
        let mut unsaid = relations.as_slice();
        for item in projection {
            self.select_item(item, unsaid);
            if matches!(item, SelectItem::Wildcard(_)) {
                // A second one says nothing more.
                unsaid = &[];
            }
        }
        self.exprs(selection.iter().chain(having));
        match group_by {
            GroupByExpr::All(_) => self.foreign = true,
            GroupByExpr::Expressions(exprs, modifiers) => {
                self.exprs(exprs);
                for modifier in modifiers {
                    match modifier {
                        GroupByWithModifier::Rollup => {}
                        GroupByWithModifier::Cube
                        | GroupByWithModifier::Totals
                        | GroupByWithModifier::GroupingSets(_) => self.foreign = true,
                    }
                }
            }
        }
        for window in named_window {
            match &window.1 {
                NamedWindowExpr::NamedWindow(_) => {}
                NamedWindowExpr::WindowSpec(spec) => self.window(spec),
            }
        }
        relations
    }

    /// `INTO @v`.
    fn assigned_variable(&mut self, target: &Expr) {
        match target {
            Expr::Identifier(ident)
                if ident.quote_style.is_none() && ident.value.starts_with('@') =>
            {
                self.reading.mysql.assigned.insert(ident.value.clone());
            }
            _ => self.foreign = true,
        }
    }

    /// One output column. `relations` are those that a bare `*` stands for.
    pub(super) fn select_item(&mut self, item: &SelectItem, relations: &[RawName]) {
        match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, alias: _ } => {
                self.expr(expr);
            }
            SelectItem::ExprWithAliases { .. } => self.foreign = true,
            SelectItem::Wildcard(options) => {
                self.wildcard_options(options);
                self.columns.whole.extend(relations.iter().cloned());
            }
            SelectItem::QualifiedWildcard(what, options) => {
                self.wildcard_options(options);
                match what {
                    SelectItemQualifiedWildcardKind::ObjectName(of) => match raw_name(of) {
                        Some(of) => {
                            self.rows.insert(of.base().to_owned());
                        }
                        None => self.foreign = true,
                    },
                    SelectItemQualifiedWildcardKind::Expr(_) => self.foreign = true,
                }
            }
        }
    }

    fn wildcard_options(&mut self, options: &WildcardAdditionalOptions) {
        let WildcardAdditionalOptions {
            wildcard_token: _,
            opt_ilike,
            opt_exclude,
            opt_except,
            opt_replace,
            opt_rename,
            opt_alias,
        } = options;
        self.foreign |= opt_ilike.is_some()
            || opt_exclude.is_some()
            || opt_except.is_some()
            || opt_replace.is_some()
            || opt_rename.is_some()
            || opt_alias.is_some();
    }

    fn order_by(&mut self, order_by: &OrderBy) {
        self.foreign |= order_by.interpolate.is_some();
        match &order_by.kind {
            OrderByKind::All(_) => self.foreign = true,
            OrderByKind::Expressions(list) => self.order_list(list),
        }
    }

    pub(super) fn order_list(&mut self, list: &[OrderByExpr]) {
        for item in list {
            self.foreign |= item.with_fill.is_some()
                || matches!(item.options.sort, Some(OrderBySort::Using(_)));
            self.expr(&item.expr);
        }
    }

    pub(super) fn over(&mut self, window: &WindowType) {
        match window {
            WindowType::WindowSpec(spec) => self.window(spec),
            WindowType::NamedWindow(_) => {}
        }
    }

    fn window(&mut self, spec: &WindowSpec) {
        let WindowSpec { window_name: _, partition_by, order_by, window_frame } = spec;
        self.exprs(partition_by);
        self.order_list(order_by);
        if let Some(WindowFrame { units: _, start_bound, end_bound }) = window_frame {
            for bound in [Some(start_bound), end_bound.as_ref()].into_iter().flatten() {
                match bound {
                    WindowFrameBound::CurrentRow => {}
                    WindowFrameBound::Preceding(expr) | WindowFrameBound::Following(expr) => {
                        self.exprs(expr.as_deref());
                    }
                }
            }
        }
    }

    pub(super) fn from(&mut self, list: &[TableWithJoins]) -> Vec<RawName> {
        list.iter().flat_map(|item| self.joined(item, Access::Read)).collect()
    }
}

/// What kind of statement a query is.
pub(super) fn query_kind(query: &Query) -> StatementKind {
    match &*query.body {
        SetExpr::Select(_) | SetExpr::SetOperation { .. } | SetExpr::Table(_) => {
            StatementKind::Select
        }
        SetExpr::Query(inner) => query_kind(inner),
        SetExpr::Values(_) => StatementKind::Values,
        SetExpr::Insert(_) => StatementKind::Insert,
        SetExpr::Update(_) => StatementKind::Update,
        SetExpr::Delete(_) => StatementKind::Delete,
        SetExpr::Merge(_) => StatementKind::Merge,
    }
}
