//! Queries: WITH, set operations, SELECT, VALUES.

use std::collections::HashSet;

use sqlparser::ast::{
    Distinct, GroupByExpr, GroupByWithModifier, LimitClause, LockClause, NamedWindowExpr, OrderBy,
    OrderByExpr, OrderByKind, OrderBySort, Query, Select, SelectInto, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, WildcardAdditionalOptions, WindowFrame,
    WindowFrameBound, WindowSpec, WindowType, With,
};

use crate::kernel::sql::{
    engine::{Walker, names::fold},
    reading::{Access, RawName, StatementKind},
};

impl Walker {
    /// A query; returns the relations that stand in its FROM, subqueries included.
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
        match &**body {
            SetExpr::Select(_) | SetExpr::SetOperation { .. } | SetExpr::Table(_) => {
                self.kind(StatementKind::Select);
            }
            SetExpr::Query(_)
            | SetExpr::Values(_)
            | SetExpr::Insert(_)
            | SetExpr::Update(_)
            | SetExpr::Delete(_)
            | SetExpr::Merge(_) => {}
        }
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
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
                self.foreign = true;
                self.exprs([offset, limit]);
            }
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
    pub(super) fn with(&mut self, with: &With) {
        let all = || with.cte_tables.iter().map(|cte| fold(&cte.alias.name)).collect();
        // RECURSIVE lets every member see every other; without it only the later see the earlier.
        self.ctes.push(if with.recursive { all() } else { HashSet::new() });
        for cte in &with.cte_tables {
            self.foreign |= cte.from.is_some();
            self.query(&cte.query);
            if !with.recursive {
                let name = fold(&cte.alias.name);
                if let Some(scope) = self.ctes.last_mut() {
                    scope.insert(name);
                }
            }
        }
    }

    /// Each name once, however often it is locked: clauses and tables may be many.
    fn locks(&mut self, locks: &[LockClause], from: &[RawName]) {
        if locks.iter().any(|lock| lock.of.is_none()) {
            for relation in from {
                self.relation(relation.clone(), Access::LockRows);
            }
        }
        let names: HashSet<_> =
            locks.iter().filter_map(|l| l.of.as_ref()).map(|of| self.name(of)).collect();
        let names: HashSet<&str> = names.iter().map(RawName::base).collect();
        for name in names {
            for relation in self.aliases.get(name).cloned().unwrap_or_default() {
                self.relation(relation, Access::LockRows);
            }
        }
    }

    pub(super) fn set_expr(&mut self, body: &SetExpr) -> Vec<RawName> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, right, op: _, set_quantifier: _ } => {
                self.kind(StatementKind::Select);
                self.set_expr(left);
                self.set_expr(right);
                Vec::new()
            }
            SetExpr::Values(values) => {
                self.values();
                for row in &values.rows {
                    self.exprs(&row.content);
                }
                Vec::new()
            }
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement)
            | SetExpr::Merge(statement) => {
                self.statement(statement);
                Vec::new()
            }
            SetExpr::Table(table) => {
                self.kind(StatementKind::Select);
                // Layer B keeps the names without their quotes: it can't be folded as the server
                // does.
                let _ = table;
                self.foreign = true;
                Vec::new()
            }
        }
    }

    /// VALUES is a kind of its own only where it is the statement, not inside of one.
    fn values(&mut self) {
        use StatementKind::{CreateTableAs, Other};
        if self.reading.kinds.iter().all(|kind| matches!(kind, Other | CreateTableAs)) {
            self.kind(StatementKind::Values);
        }
    }

    fn select(&mut self, select: &Select) -> Vec<RawName> {
        let Select {
            select_token: _,
            optimizer_hints: _,
            distinct,
            select_modifiers,
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
        self.foreign |= select_modifiers.is_some()
            || top.is_some()
            || exclude.is_some()
            || !lateral_views.is_empty()
            || prewhere.is_some()
            || !connect_by.is_empty()
            || !cluster_by.is_empty()
            || !distribute_by.is_empty()
            || !sort_by.is_empty()
            || qualify.is_some()
            || value_table_mode.is_some();
        self.kind(StatementKind::Select);
        if let Some(into) = into {
            self.select_into(into);
        }
        let relations = self.from(from);
        match distinct {
            None | Some(Distinct::All | Distinct::Distinct) => {}
            Some(Distinct::On(exprs)) => self.exprs(exprs),
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
            GroupByExpr::All(modifiers) => self.group_modifiers(modifiers),
            GroupByExpr::Expressions(exprs, modifiers) => {
                self.exprs(exprs);
                self.group_modifiers(modifiers);
            }
        }
        for window in named_window {
            match &window.1 {
                NamedWindowExpr::NamedWindow(_) => self.foreign = true,
                NamedWindowExpr::WindowSpec(spec) => self.window(spec),
            }
        }
        relations
    }

    fn group_modifiers(&mut self, modifiers: &[GroupByWithModifier]) {
        for modifier in modifiers {
            match modifier {
                GroupByWithModifier::Rollup
                | GroupByWithModifier::Cube
                | GroupByWithModifier::Totals => self.foreign = true,
                GroupByWithModifier::GroupingSets(expr) => self.expr(expr),
            }
        }
    }

    fn select_into(&mut self, into: &SelectInto) {
        self.kind(StatementKind::CreateTableAs);
        match into.targets.as_slice() {
            [sqlparser::ast::Expr::Identifier(ident)] => {
                self.relation(RawName(vec![fold(ident)]), Access::Define);
            }
            [sqlparser::ast::Expr::CompoundIdentifier(parts)] => {
                self.relation(RawName(parts.iter().map(fold).collect()), Access::Define);
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
            SelectItem::ExprWithAliases { expr, aliases: _ } => {
                self.foreign = true;
                self.expr(expr);
            }
            SelectItem::Wildcard(options) => {
                self.wildcard_options(options);
                self.columns.whole.extend(relations.iter().cloned());
            }
            SelectItem::QualifiedWildcard(what, options) => {
                self.wildcard_options(options);
                match what {
                    SelectItemQualifiedWildcardKind::ObjectName(name) => {
                        let name = self.name(name);
                        self.rows.insert(name.base().to_owned());
                    }
                    SelectItemQualifiedWildcardKind::Expr(expr) => self.expr(expr),
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
            self.foreign |= item.with_fill.is_some();
            if let Some(OrderBySort::Using(operator)) = &item.options.sort {
                let operator = self.name(operator);
                self.operator(operator.base());
            }
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
}
