//! Statements: which kind each one is, and what it works on.

use sqlparser::ast::{
    Assignment, AssignmentTarget, ConflictTarget, CopySource, CopyTarget, Delete, Expr, FromTable,
    Insert, LockTableMode, Merge, MergeAction, MergeInsertKind, MergeUpdateKind, ObjectName,
    OnConflictAction, OnInsert, OutputClause, Query, Reset, SelectItem, Set, SetExpr, Statement,
    TableObject, TransactionAccessMode, TransactionMode, Update, UpdateTableFromKind,
};

use crate::kernel::sql::{
    engine::{Walker, names::fold},
    reading::{Access, RawName, SettingChange, StatementKind, TransactionChange},
};

impl Walker {
    /// The top statement. `Some`: known by its kind alone, the rest is not walked.
    pub(super) fn top(&mut self, statement: &Statement) -> Option<StatementKind> {
        if let Some(kind) = kind_alone(statement) {
            return Some(kind);
        }
        let kind = self.statement(statement);
        self.reading.top = kind;
        self.reading.kinds.remove(&StatementKind::Other);
        self.reading.kinds.insert(kind);
        None
    }

    /// One statement node, walked; returns its kind.
    pub(super) fn statement(&mut self, statement: &Statement) -> StatementKind {
        let kind = match statement {
            Statement::Query(query) => {
                self.query(query);
                return self.query_kind(query);
            }
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            Statement::Merge(merge) => self.merge(merge),
            Statement::Copy { source, to, target, options: _, legacy_options: _, payload } => {
                self.foreign |= payload.is_some();
                self.copy(source, *to, target)
            }
            Statement::Explain {
                describe_alias,
                analyze,
                verbose: _,
                query_plan,
                estimate,
                statement,
                format: _,
                options,
            } => {
                self.foreign |= *query_plan
                    || *estimate
                    || *describe_alias != sqlparser::ast::DescribeAlias::Explain;
                self.statement(statement);
                let asked = options.iter().flatten().any(|option| {
                    option.name.value.eq_ignore_ascii_case("analyze")
                        && !is_off(option.arg.as_ref())
                });
                if *analyze || asked {
                    StatementKind::ExplainAnalyze
                } else {
                    StatementKind::Explain
                }
            }
            Statement::Prepare { name, data_types, statement } => {
                for data_type in data_types {
                    self.data_type(data_type);
                }
                self.statement(statement);
                let span = self.reading.span.clone();
                self.inner(span, |walker| walker.statement(statement));
                self.reading.object = Some(fold(name));
                StatementKind::Prepare
            }
            Statement::Execute {
                name,
                parameters,
                has_parentheses: _,
                immediate,
                into,
                using,
                output,
                default,
            } => {
                self.foreign |=
                    *immediate || !into.is_empty() || !using.is_empty() || *output || *default;
                self.exprs(parameters);
                if let Some(name) = name {
                    let name = self.name(name);
                    self.reading.object = Some(name.base().to_owned());
                }
                StatementKind::Execute
            }
            Statement::Declare { stmts, separator: _ } => self.declare(stmts),
            Statement::Fetch { name, direction: _, position: _, into } => {
                self.foreign |= into.is_some();
                self.reading.object = Some(fold(name));
                StatementKind::Fetch
            }
            Statement::Set(set) => self.set(set),
            Statement::Reset(reset) => match &reset.reset {
                Reset::ALL => self.reset("*".to_owned()),
                Reset::SessionAuthorization => StatementKind::SetRole,
                Reset::ConfigurationParameter(name) => {
                    let name = self.setting_name(name);
                    if matches!(name.as_str(), "role" | "session_authorization") {
                        StatementKind::SetRole
                    } else {
                        self.reset(name)
                    }
                }
            },
            Statement::ShowVariable { variable } => {
                let words: Vec<String> = variable.iter().map(fold).collect();
                self.reading.object = Some(words.join("."));
                StatementKind::Show
            }
            Statement::StartTransaction {
                modes, statements, exception, has_end_keyword, ..
            } => {
                self.foreign |= !statements.is_empty() || exception.is_some() || *has_end_keyword;
                self.reading.transaction =
                    Some(TransactionChange::Begin { read_write: read_write(modes) });
                StatementKind::Transaction
            }
            Statement::Commit { chain, end: _, modifier } => {
                self.foreign |= modifier.is_some();
                self.reading.transaction = Some(TransactionChange::Commit { chain: *chain });
                StatementKind::Transaction
            }
            Statement::Rollback { chain, savepoint } => {
                self.reading.transaction = Some(match savepoint {
                    Some(name) => TransactionChange::RollbackTo(fold(name)),
                    None => TransactionChange::Rollback { chain: *chain },
                });
                StatementKind::Transaction
            }
            Statement::Savepoint { name } => {
                self.reading.transaction = Some(TransactionChange::Savepoint(fold(name)));
                StatementKind::Transaction
            }
            Statement::ReleaseSavepoint { name } => {
                self.reading.transaction = Some(TransactionChange::Release(fold(name)));
                StatementKind::Transaction
            }
            Statement::Lock(lock) => {
                for table in &lock.tables {
                    let name = self.name(&table.name);
                    self.relation(name, Access::LockTable);
                }
                match lock.lock_mode {
                    Some(LockTableMode::AccessShare) => StatementKind::LockShare,
                    _ => StatementKind::Lock,
                }
            }
            Statement::CreateTable(table) => {
                // Without a query it is known by its kind.
                self.foreign |= table.like.is_some() || table.clone.is_some();
                let name = self.name(&table.name);
                self.relation(name, Access::Define);
                if let Some(query) = &table.query {
                    self.query(query);
                }
                StatementKind::CreateTableAs
            }
            Statement::CreateView(view) => {
                let kind = if view.materialized {
                    StatementKind::CreateTableAs
                } else {
                    StatementKind::SchemaChange
                };
                self.kind(kind);
                let name = self.name(&view.name);
                self.relation(name, Access::Define);
                self.query(&view.query);
                kind
            }
            Statement::Call(function) => {
                self.function(function);
                StatementKind::Call
            }
            other => match kind_alone(other) {
                Some(kind) => kind,
                None => {
                    self.foreign = true;
                    StatementKind::Other
                }
            },
        };
        self.kind(kind);
        kind
    }

    fn query_kind(&self, query: &Query) -> StatementKind {
        match &*query.body {
            SetExpr::Select(select) if select.into.is_some() => StatementKind::CreateTableAs,
            SetExpr::Select(_) | SetExpr::SetOperation { .. } | SetExpr::Table(_) => {
                StatementKind::Select
            }
            SetExpr::Query(inner) => self.query_kind(inner),
            SetExpr::Values(_) => StatementKind::Values,
            SetExpr::Insert(_) => StatementKind::Insert,
            SetExpr::Update(_) => StatementKind::Update,
            SetExpr::Delete(_) => StatementKind::Delete,
            SetExpr::Merge(_) => StatementKind::Merge,
        }
    }

    /// What stands inside PREPARE or DECLARE, once more and alone.
    fn inner(
        &mut self,
        span: std::ops::Range<usize>,
        walk: impl FnOnce(&mut Self) -> StatementKind,
    ) {
        let mut alone = Self::new(span);
        let kind = walk(&mut alone);
        self.foreign |= alone.foreign;
        alone.reading.top = kind;
        alone.reading.kinds.remove(&StatementKind::Other);
        alone.reading.kinds.insert(kind);
        self.reading.inner = Some(Box::new(alone.finish()));
    }

    fn insert(&mut self, insert: &Insert) -> StatementKind {
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

    fn update(&mut self, update: &Update) -> StatementKind {
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

    fn delete(&mut self, delete: &Delete) -> StatementKind {
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

    fn merge(&mut self, merge: &Merge) -> StatementKind {
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
    fn target(&mut self, target: &RawName, alias: Option<String>) {
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

    fn copy(&mut self, source: &CopySource, to: bool, target: &CopyTarget) -> StatementKind {
        match source {
            CopySource::Query(query) => {
                self.query(query);
            }
            CopySource::Table { table_name, columns } => {
                let name = self.name(table_name);
                if to {
                    self.relation(name.clone(), Access::Read);
                    if columns.is_empty() {
                        self.columns.whole.insert(name);
                    }
                    self.columns.names.extend(columns.iter().map(fold));
                } else {
                    self.target(&name, None);
                }
            }
        }
        match target {
            // The server takes STDIN and STDOUT for the same word.
            CopyTarget::Stdin | CopyTarget::Stdout if to => StatementKind::CopyToClient,
            CopyTarget::Stdin | CopyTarget::Stdout => StatementKind::CopyFromClient,
            CopyTarget::File { .. } | CopyTarget::Program { .. } => StatementKind::CopyServer,
        }
    }

    fn declare(&mut self, statements: &[sqlparser::ast::Declare]) -> StatementKind {
        let [declare] = statements else {
            self.foreign = true;
            return StatementKind::Declare;
        };
        let (Some(query), [name]) = (&declare.for_query, declare.names.as_slice()) else {
            self.foreign = true;
            return StatementKind::Declare;
        };
        self.query(query);
        let span = self.reading.span.clone();
        self.inner(span, |walker| {
            walker.query(query);
            walker.query_kind(query)
        });
        self.reading.object = Some(fold(name));
        self.reading.holds = declare.hold == Some(true);
        StatementKind::Declare
    }

    fn reset(&mut self, name: String) -> StatementKind {
        self.reading.settings.push(SettingChange { name, value: None, local: false });
        StatementKind::Set
    }

    fn setting_name(&mut self, name: &ObjectName) -> String {
        self.name(name).0.join(".").to_ascii_lowercase()
    }

    fn set(&mut self, set: &Set) -> StatementKind {
        let (name, values, local) = match set {
            Set::SingleAssignment { scope, hivevar, variable, values } => {
                self.foreign |=
                    *hivevar || matches!(scope, Some(sqlparser::ast::ContextModifier::Global));
                let local = matches!(scope, Some(sqlparser::ast::ContextModifier::Local));
                (self.setting_name(variable), values.as_slice(), local)
            }
            Set::SetTimeZone { local, value } => {
                ("timezone".to_owned(), std::slice::from_ref(value), *local)
            }
            Set::SetNames { charset_name, collation_name } => {
                self.foreign |= collation_name.is_some();
                let value = Some(charset_name.value.clone());
                let name = "client_encoding".to_owned();
                self.reading.settings.push(SettingChange { name, value, local: false });
                return StatementKind::Set;
            }
            Set::SetNamesDefault {} => return self.reset("client_encoding".to_owned()),
            Set::SetSessionAuthorization(_) | Set::SetRole { .. } => {
                return StatementKind::SetRole;
            }
            Set::SetTransaction { modes, snapshot: _, session } => {
                let read_write = read_write(modes);
                self.reading.transaction =
                    Some(TransactionChange::Set { read_write, session: *session });
                // SESSION CHARACTERISTICS are defaults of the session, not of the transaction.
                let kind = if *session { StatementKind::Set } else { StatementKind::Transaction };
                return kind;
            }
            Set::ParenthesizedAssignments { .. }
            | Set::MultipleAssignments { .. }
            | Set::SetSessionParam(_) => {
                self.foreign = true;
                return StatementKind::Set;
            }
        };
        if matches!(name.as_str(), "role" | "session_authorization") {
            return StatementKind::SetRole;
        }
        let value = constants(values);
        self.reading.settings.push(SettingChange { name, value, local });
        StatementKind::Set
    }
}

/// The value of SET, as `pg_settings` would show it; `None` for DEFAULT and what is no constant.
fn constants(values: &[Expr]) -> Option<String> {
    let parts: Option<Vec<String>> = values.iter().map(constant).collect();
    parts.map(|p| p.join(", "))
}

fn constant(value: &Expr) -> Option<String> {
    use sqlparser::ast::Value;
    match value {
        Expr::Identifier(ident) if ident.value.eq_ignore_ascii_case("default") => None,
        Expr::Identifier(ident) => Some(fold(ident)),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.clone()),
            Value::Number(text, _) => Some(text.clone()),
            Value::Boolean(on) => Some(on.to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// An option of EXPLAIN that is switched off in so many words.
fn is_off(argument: Option<&Expr>) -> bool {
    argument.and_then(constant).is_some_and(|value| {
        ["off", "false", "0"].iter().any(|off| value.eq_ignore_ascii_case(off))
    })
}

fn read_write(modes: &[TransactionMode]) -> Option<bool> {
    modes
        .iter()
        .filter_map(|mode| match mode {
            TransactionMode::AccessMode(TransactionAccessMode::ReadWrite) => Some(true),
            TransactionMode::AccessMode(TransactionAccessMode::ReadOnly) => Some(false),
            TransactionMode::IsolationLevel(_) => None,
        })
        .next_back()
}

/// Statements whose kind says all, and those of other servers (`None`, and the walker refuses them).
fn kind_alone(statement: &Statement) -> Option<StatementKind> {
    use sqlparser::ast::{ObjectType, Statement::*};
    Some(match statement {
        // Walked.
        Query(_)
        | Insert(_)
        | Update(_)
        | Delete(_)
        | Merge(_)
        | Copy { .. }
        | Explain { .. }
        | Prepare { .. }
        | Execute { .. }
        | Declare { .. }
        | Fetch { .. }
        | Set(_)
        | Reset(_)
        | ShowVariable { .. }
        | StartTransaction { .. }
        | Commit { .. }
        | Rollback { .. }
        | Savepoint { .. }
        | ReleaseSavepoint { .. }
        | Lock(_)
        | CreateView(_)
        | Call(_) => {
            return None;
        }
        CreateTable(table) if table.query.is_some() => return None,
        Analyze(_)
        | CreateTable(_)
        | CreateIndex(_)
        | CreateSequence { .. }
        | CreateDomain(_)
        | CreateType { .. }
        | CreateSchema { .. }
        | CreateCollation(_)
        | AlterTable(_)
        | AlterIndex { .. }
        | AlterView(_)
        | AlterType(_)
        | AlterCollation(_)
        | DropDomain(_)
        | Comment { .. } => {
            return kind_of_alter(statement);
        }
        Drop { object_type, .. } => match object_type {
            ObjectType::Collation
            | ObjectType::Table
            | ObjectType::ForeignTable
            | ObjectType::View
            | ObjectType::MaterializedView
            | ObjectType::Index
            | ObjectType::Schema
            | ObjectType::Sequence
            | ObjectType::Type => StatementKind::SchemaChange,
            ObjectType::Database => StatementKind::Server,
            ObjectType::Role | ObjectType::Group | ObjectType::User => StatementKind::Privileges,
            ObjectType::Stage | ObjectType::Stream | ObjectType::Warehouse => return None,
        },
        Truncate(_) => StatementKind::Truncate,
        Grant(_)
        | Revoke(_)
        | CreateRole(_)
        | AlterRole { .. }
        | AlterDefaultPrivileges(_)
        | CreateUser(_)
        | AlterUser(_) => StatementKind::Privileges,
        CreateDatabase { .. } => StatementKind::Server,
        Close { .. } => StatementKind::Close,
        Deallocate { .. } => StatementKind::Deallocate,
        Discard { .. } => StatementKind::Discard,
        LISTEN { .. } => StatementKind::Listen,
        UNLISTEN { .. } => StatementKind::Unlisten,
        NOTIFY { .. } => StatementKind::Notify,
        Vacuum(_) => StatementKind::Maintenance,
        RefreshMaterializedView(_) => StatementKind::Refresh,
        // Code and what surrounds it: layer C tells their kinds apart.
        CreateServer(_)
        | CreateForeignTable(_)
        | CreateForeignDataWrapper(_)
        | CreateUserMapping(_)
        | CreatePolicy(_)
        | CreateRule(_)
        | CreateOperator(_)
        | CreateOperatorFamily(_)
        | CreateOperatorClass(_)
        | CreateTextSearch(_)
        | CreateAggregate(_)
        | AlterSchema(_)
        | AlterFunction(_)
        | AlterOperator(_)
        | AlterOperatorFamily(_)
        | AlterOperatorClass(_)
        | AlterTextSearch(_)
        | AlterPolicy(_)
        | AlterTrigger(_)
        | DropFunction(_)
        | DropProcedure { .. }
        | DropPolicy(_)
        | DropRule(_)
        | CreateExtension(_)
        | DropExtension(_)
        | DropOperator(_)
        | DropOperatorFamily(_)
        | DropOperatorClass(_)
        | CreateFunction(_)
        | CreateTrigger(_)
        | DropTrigger(_) => return None,
        // Not Postgres.
        Msck(_)
        | Install { .. }
        | Load { .. }
        | Directory { .. }
        | Case(_)
        | If(_)
        | While(_)
        | Raise(_)
        | CopyIntoSnowflake { .. }
        | Open(_)
        | CreateVirtualTable { .. }
        | CreateSecret { .. }
        | CreateConnector(_)
        | AlterConnector { .. }
        | AlterSession { .. }
        | AttachDatabase { .. }
        | AttachDuckDBDatabase { .. }
        | DetachDuckDBDatabase { .. }
        | DropSecret { .. }
        | DropConnector { .. }
        | Flush { .. }
        | ShowFunctions { .. }
        | ShowStatus { .. }
        | ShowVariables { .. }
        | ShowCreate { .. }
        | ShowColumns { .. }
        | ShowCatalogs { .. }
        | ShowDatabases { .. }
        | ShowProcessList { .. }
        | ShowSchemas { .. }
        | ShowCharset(_)
        | ShowObjects(_)
        | ShowTables { .. }
        | ShowViews { .. }
        | ShowCollation { .. }
        | Use(_)
        | CreateProcedure { .. }
        | CreateMacro { .. }
        | CreateStage { .. }
        | CreateFileFormat { .. }
        | CreateWarehouse(_)
        | Assert { .. }
        | GrantRole(_)
        | Deny(_)
        | RevokeRole(_)
        | Kill { .. }
        | ExplainTable { .. }
        | Cache { .. }
        | UNCache { .. }
        | Pragma { .. }
        | LockTables { .. }
        | UnlockTables
        | Unload { .. }
        | OptimizeTable { .. }
        | LoadData { .. }
        | RenameTable(_)
        | List(_)
        | Put { .. }
        | Remove(_)
        | RaisError { .. }
        | Throw(_)
        | Print(_)
        | WaitFor(_)
        | Return(_)
        | ExportData(_) => return None,
    })
}

/// ALTER … OWNER TO is a matter of privileges, and there are many ALTERs: only what creates or
/// comments is told by its kind here, the rest by layer C.
fn kind_of_alter(statement: &Statement) -> Option<StatementKind> {
    match statement {
        Statement::AlterTable(_)
        | Statement::AlterIndex { .. }
        | Statement::AlterView(_)
        | Statement::AlterType(_)
        | Statement::AlterCollation(_)
        | Statement::CreateDomain(_)
        | Statement::CreateType { .. }
        | Statement::CreateSchema { .. }
        | Statement::Comment { .. } => None,
        _ => Some(StatementKind::SchemaChange),
    }
}
