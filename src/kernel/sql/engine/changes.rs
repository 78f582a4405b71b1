//! Statements that change rows: INSERT, UPDATE, DELETE, MERGE.

use sqlparser::ast::{
    Assignment, AssignmentTarget, ConflictTarget, Delete, FromTable, Insert, Merge, MergeAction,
    MergeInsertKind, MergeUpdateKind, OnConflictAction, OnInsert, OutputClause, SelectItem,
    TableObject, Update, UpdateTableFromKind,
};

use crate::kernel::sql::{
    engine::{Walker, names::fold},
    reading::{Access, RawName, StatementKind},
};

impl Walker {
    pub(super) fn insert(&mut self, insert: &Insert) -> StatementKind {
        let Insert {
            insert_token: _,
            optimizer_hints: _,
            or,
            ignore,
            into: _,
            table,
            table_alias,
            columns: _,
            by_name,
            overwrite,
            source,
            assignments,
            partitioned,
            after_columns,
            overriding: _,
            has_table_keyword,
            on,
            returning,
            output,
            replace_into,
            priority,
            insert_alias,
            settings,
            format_clause,
            multi_table_insert_type,
            multi_table_into_clauses,
            multi_table_when_clauses,
            multi_table_else_clause,
        } = insert;
        self.kind(StatementKind::Insert);
        self.foreign |= or.is_some()
            || *ignore
            || *by_name
            || *overwrite
            || !assignments.is_empty()
            || partitioned.is_some()
            || !after_columns.is_empty()
            || *has_table_keyword
            || output.is_some()
            || *replace_into
            || priority.is_some()
            || insert_alias.is_some()
            || settings.is_some()
            || format_clause.is_some()
            || multi_table_insert_type.is_some()
            || !multi_table_into_clauses.is_empty()
            || !multi_table_when_clauses.is_empty()
            || multi_table_else_clause.is_some();
        let target = match table {
            TableObject::TableName(name) => self.name(name),
            TableObject::TableFunction(_) | TableObject::TableQuery(_) => {
                self.foreign = true;
                return StatementKind::Insert;
            }
        };
        self.target(&target, table_alias.as_ref().map(|a| fold(&a.alias)));
        if let Some(source) = source {
            self.query(source);
        }
        match on {
            None => {}
            Some(OnInsert::DuplicateKeyUpdate(_)) => self.foreign = true,
            Some(OnInsert::OnConflict(conflict)) => {
                match &conflict.conflict_target {
                    None | Some(ConflictTarget::OnConstraint(_)) => {}
                    Some(ConflictTarget::Columns { columns: _, predicate }) => {
                        self.exprs(predicate);
                    }
                }
                match &conflict.action {
                    OnConflictAction::DoNothing => {}
                    OnConflictAction::DoUpdate(update) => {
                        self.assignments(&update.assignments);
                        self.exprs(&update.selection);
                    }
                }
            }
            // The enum may grow; what it grows is not understood here.
            Some(_) => self.foreign = true,
        }
        self.returning(returning.as_deref(), &target);
        StatementKind::Insert
    }

    pub(super) fn update(&mut self, update: &Update) -> StatementKind {
        let Update {
            update_token: _,
            optimizer_hints: _,
            table,
            on_cluster,
            assignments,
            from,
            selection,
            returning,
            output,
            or,
            order_by,
            limit,
            settings,
        } = update;
        self.kind(StatementKind::Update);
        self.foreign |= on_cluster.is_some()
            || output.is_some()
            || or.is_some()
            || !order_by.is_empty()
            || limit.is_some()
            || settings.is_some()
            || !table.joins.is_empty();
        let targets = self.factor(&table.relation, Access::Write);
        match from {
            None => {}
            Some(UpdateTableFromKind::AfterSet(items)) => {
                self.from(items);
            }
            Some(UpdateTableFromKind::BeforeSet(_)) => self.foreign = true,
        }
        self.assignments(assignments);
        self.exprs(selection);
        self.returning_of(returning.as_deref(), &targets);
        StatementKind::Update
    }

    pub(super) fn delete(&mut self, delete: &Delete) -> StatementKind {
        let Delete {
            delete_token: _,
            optimizer_hints: _,
            tables,
            from,
            on_cluster,
            using,
            selection,
            returning,
            output,
            order_by,
            limit,
            settings,
        } = delete;
        self.kind(StatementKind::Delete);
        self.foreign |= !tables.is_empty()
            || on_cluster.is_some()
            || output.is_some()
            || !order_by.is_empty()
            || limit.is_some()
            || settings.is_some();
        let items = match from {
            FromTable::WithFromKeyword(items) => items,
            FromTable::WithoutKeyword(items) => {
                self.foreign = true;
                items
            }
        };
        let targets = match items.as_slice() {
            [item] if item.joins.is_empty() => self.factor(&item.relation, Access::Write),
            _ => {
                self.foreign = true;
                Vec::new()
            }
        };
        if let Some(using) = using {
            self.from(using);
        }
        self.exprs(selection);
        self.returning_of(returning.as_deref(), &targets);
        StatementKind::Delete
    }

    pub(super) fn merge(&mut self, merge: &Merge) -> StatementKind {
        let Merge {
            merge_token: _,
            optimizer_hints: _,
            into: _,
            table,
            source,
            on,
            clauses,
            output,
        } = merge;
        self.kind(StatementKind::Merge);
        let targets = self.factor(table, Access::Write);
        self.factor(source, Access::Read);
        self.expr(on);
        for clause in clauses {
            self.exprs(&clause.predicate);
            match &clause.action {
                MergeAction::Insert(insert) => {
                    self.foreign |= insert.insert_predicate.is_some();
                    match &insert.kind {
                        MergeInsertKind::Values(values) => {
                            for row in &values.rows {
                                self.exprs(&row.content);
                            }
                        }
                        MergeInsertKind::Row | MergeInsertKind::Wildcard => self.foreign = true,
                    }
                }
                MergeAction::Update(update) => {
                    self.foreign |=
                        update.update_predicate.is_some() || update.delete_predicate.is_some();
                    match &update.kind {
                        MergeUpdateKind::Set(assignments) => self.assignments(assignments),
                        MergeUpdateKind::Wildcard => self.foreign = true,
                    }
                }
                MergeAction::Delete { .. } | MergeAction::DoNothing { .. } => {}
            }
        }
        match output {
            None => {}
            Some(OutputClause::Returning { returning_token: _, select_items }) => {
                self.returning_of(Some(select_items), &targets);
            }
            Some(OutputClause::Output { .. }) => self.foreign = true,
        }
        StatementKind::Merge
    }

    /// The table that an INSERT or COPY writes.
    pub(super) fn target(&mut self, target: &RawName, alias: Option<String>) {
        self.relation(target.clone(), Access::Write);
        let known_as = alias.unwrap_or_else(|| target.base().to_owned());
        self.aliases.entry(known_as).or_default().insert(target.clone());
    }

    fn returning_of(&mut self, items: Option<&[SelectItem]>, targets: &[RawName]) {
        match targets {
            [target] => self.returning(items, target),
            _ => self.foreign = true,
        }
    }

    /// RETURNING reads the table that is written.
    fn returning(&mut self, items: Option<&[SelectItem]>, target: &RawName) {
        let Some(items) = items else { return };
        self.relation(target.clone(), Access::Read);
        for item in items {
            self.select_item(item, std::slice::from_ref(target));
        }
    }

    fn assignments(&mut self, assignments: &[Assignment]) {
        for assignment in assignments {
            match &assignment.target {
                AssignmentTarget::ColumnName(name) => {
                    self.name(name);
                }
                AssignmentTarget::Tuple(names) => {
                    for name in names {
                        self.name(name);
                    }
                }
            }
            self.expr(&assignment.value);
        }
    }
}
