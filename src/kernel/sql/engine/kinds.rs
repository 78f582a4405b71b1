//! Statements that are known by their kind alone.

use sqlparser::ast::Statement;

use crate::kernel::sql::reading::StatementKind;

/// Statements whose kind says all, and those of other servers (`None`, and the walker refuses them).
pub(super) fn kind_alone(statement: &Statement) -> Option<StatementKind> {
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
