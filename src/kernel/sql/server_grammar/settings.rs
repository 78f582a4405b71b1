//! SET, RESET and the statements of transactions.

use pg_query::protobuf::{self as pg, a_const::Val, node::Node as N};

use crate::kernel::sql::{
    reading::{SettingChange, StatementKind, TransactionChange},
    server_grammar::Reader,
};

impl Reader {
    pub(super) fn set(&mut self, n: &pg::VariableSetStmt) {
        use pg::VariableSetKind as K;
        let pg::VariableSetStmt { kind, name, args, jumble_args: _, is_local, location: _ } = n;
        let kind = K::try_from(*kind).unwrap_or(K::Undefined);
        match (kind, name.as_str()) {
            (K::VarSetMulti, "TRANSACTION") => {
                self.kind(StatementKind::Transaction);
                self.reading.transaction =
                    Some(TransactionChange::Set { read_write: read_write(args), session: false });
            }
            (K::VarSetMulti, "SESSION CHARACTERISTICS") => {
                self.kind(StatementKind::Set);
                self.reading.transaction =
                    Some(TransactionChange::Set { read_write: read_write(args), session: true });
            }
            (K::VarSetMulti, "TRANSACTION SNAPSHOT") => {
                self.kind(StatementKind::Transaction);
                self.reading.transaction =
                    Some(TransactionChange::Set { read_write: None, session: false });
            }
            // Fail closed: a form of SET we don't know.
            (K::VarSetMulti | K::Undefined, _) => self.kind(StatementKind::Other),
            (K::VarResetAll, _) => {
                self.kind(StatementKind::Set);
                self.setting("*".to_owned(), None, false);
            }
            (K::VarSetValue | K::VarSetDefault | K::VarSetCurrent | K::VarReset, name) => {
                let name = name.to_ascii_lowercase();
                let becomes = matches!(name.as_str(), "role" | "session_authorization");
                let value = if kind == K::VarSetValue { constants(args) } else { None };
                // Fail closed: without a value it would be the role that the session began as.
                let unread = becomes && kind == K::VarSetValue && value.is_none();
                self.kind(match becomes {
                    _ if unread => StatementKind::Other,
                    true => StatementKind::SetRole,
                    false => StatementKind::Set,
                });
                self.setting(name, value, *is_local);
            }
        }
    }

    fn setting(&mut self, name: String, value: Option<String>, local: bool) {
        self.reading.settings.push(SettingChange { name, value, local });
    }

    pub(super) fn transaction(&mut self, n: &pg::TransactionStmt) {
        use pg::TransactionStmtKind as K;
        let pg::TransactionStmt { kind, options, savepoint_name, gid: _, chain, location: _ } = n;
        let (chain, name) = (*chain, savepoint_name.clone());
        let change = match K::try_from(*kind).unwrap_or(K::Undefined) {
            K::TransStmtBegin | K::TransStmtStart => {
                TransactionChange::Begin { read_write: read_write(options) }
            }
            K::TransStmtCommit => TransactionChange::Commit { chain },
            K::TransStmtRollback => TransactionChange::Rollback { chain },
            K::TransStmtSavepoint => TransactionChange::Savepoint(name),
            K::TransStmtRelease => TransactionChange::Release(name),
            K::TransStmtRollbackTo => TransactionChange::RollbackTo(name),
            K::TransStmtPrepare | K::TransStmtCommitPrepared | K::TransStmtRollbackPrepared => {
                self.kind(StatementKind::TwoPhase);
                return;
            }
            K::Undefined => {
                self.kind(StatementKind::Other);
                return;
            }
        };
        self.kind(StatementKind::Transaction);
        self.reading.transaction = Some(change);
    }
}

/// What the modes of a transaction say about writing. READ WRITE wins over READ ONLY beside it.
fn read_write(options: &[pg::Node]) -> Option<bool> {
    let mut answer = None;
    for option in options {
        let Some(N::DefElem(option)) = &option.node else { continue };
        if option.defname == "transaction_read_only" {
            let read_only = option.arg.as_deref().and_then(constant).is_some_and(|v| v != "0");
            answer = Some(answer == Some(true) || !read_only);
        }
    }
    answer
}

/// Constants joined as `SHOW` would show them; `None` if one isn't plain.
fn constants(args: &[pg::Node]) -> Option<String> {
    let values: Option<Vec<String>> = args.iter().map(constant).collect();
    values.map(|v| v.join(", "))
}

/// A constant as text.
pub(super) fn constant(n: &pg::Node) -> Option<String> {
    match &n.node {
        Some(N::AConst(c)) => match c.val.as_ref()? {
            Val::Ival(i) => Some(i.ival.to_string()),
            Val::Fval(f) => Some(f.fval.clone()),
            Val::Boolval(b) => Some(b.boolval.to_string()),
            Val::Sval(s) => Some(s.sval.clone()),
            Val::Bsval(_) => None,
        },
        Some(N::Integer(i)) => Some(i.ival.to_string()),
        Some(N::Float(f)) => Some(f.fval.clone()),
        Some(N::Boolean(b)) => Some(b.boolval.to_string()),
        Some(N::String(s)) => Some(s.sval.clone()),
        _ => None,
    }
}
