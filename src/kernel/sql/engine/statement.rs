//! Statements: which kind each one is, and what it works on.

use sqlparser::ast::{
    CopySource, CopyTarget, Expr, LockTableMode, ObjectName, Query, Reset, Set, SetExpr, Statement,
    TransactionAccessMode, TransactionMode,
};

use crate::kernel::sql::{
    engine::{Walker, kinds::kind_alone, names::fold},
    reading::{Access, SettingChange, StatementKind, TransactionChange},
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
                return query_kind(query);
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
            // Below EXPLAIN; else its kind is enough.
            Statement::RefreshMaterializedView(refresh) => {
                let name = self.name(&refresh.name);
                self.relation(name, Access::Write);
                StatementKind::Refresh
            }
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
            query_kind(query)
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

fn query_kind(query: &Query) -> StatementKind {
    match &*query.body {
        SetExpr::Select(select) if select.into.is_some() => StatementKind::CreateTableAs,
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
