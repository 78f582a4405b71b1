//! SET, RESET and the statements of transactions.

use pg_query::protobuf::{self as pg, a_const::Val, node::Node as N};

use crate::kernel::sql::{
    reading::{SettingChange, StatementKind, TransactionChange},
    server_grammar::{Reader, relations::name_of},
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

/// The search path that a statement sets, if it does that for certain and does nothing else: by SET, or by
/// a SELECT of `set_config` alone.
pub(super) fn path_of(statement: &pg::RawStmt) -> Option<Vec<String>> {
    match statement.stmt.as_deref()?.node.as_ref()? {
        N::VariableSetStmt(n) if n.name.eq_ignore_ascii_case(PATH) => {
            let is_value = n.kind == pg::VariableSetKind::VarSetValue as i32;
            // Spec: SET quotes each constant, so that a comma inside of one parts nothing.
            if is_value { n.args.iter().map(constant).collect() } else { None }
        }
        N::SelectStmt(n) => {
            let alone = pg::SelectStmt {
                target_list: n.target_list.clone(),
                limit_option: n.limit_option,
                op: n.op,
                ..pg::SelectStmt::default()
            };
            let ([output], true) = (n.target_list.as_slice(), alone == **n) else { return None };
            let Some(N::ResTarget(output)) = &output.node else { return None };
            let Some(N::FuncCall(call)) = &output.val.as_deref()?.node else { return None };
            let alone = pg::FuncCall {
                funcname: call.funcname.clone(),
                args: call.args.clone(),
                funcformat: call.funcformat,
                location: call.location,
                ..pg::FuncCall::default()
            };
            let name = name_of(&call.funcname);
            let is_it = name.base() == "set_config"
                && matches!(name.0.as_slice(), [_] | [_, _])
                && name.schema().is_none_or(|schema| schema == "pg_catalog");
            let ([setting, value, local], true, true) =
                (call.args.as_slice(), is_it, alone == **call)
            else {
                return None;
            };
            let text = |n: &pg::Node| match &n.node {
                Some(N::AConst(c)) => match c.val.as_ref()? {
                    Val::Sval(s) => Some(s.sval.clone()),
                    _ => None,
                },
                _ => None,
            };
            let is_local = matches!(&local.node,
                Some(N::AConst(c)) if matches!(c.val, Some(Val::Boolval(_))));
            if !is_local || !text(setting)?.eq_ignore_ascii_case(PATH) {
                return None;
            }
            plain_names(&text(value)?)
        }
        _ => None,
    }
}

const PATH: &str = "search_path";

/// Names as `set_config` takes them, where none is quoted or folded.
fn plain_names(list: &str) -> Option<Vec<String>> {
    if list.is_empty() {
        return Some(Vec::new());
    }
    let is_plain = |name: &str| {
        let mut bytes = name.bytes();
        bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
            && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let names = list.split(',').map(|name| name.trim_matches(' '));
    names.map(|name| is_plain(name).then(|| name.to_owned())).collect()
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

#[cfg(test)]
mod tests {
    use crate::kernel::sql::{mode::LexMode, server_grammar::read};

    #[test]
    fn a_path_is_known_where_it_is_set_for_certain() {
        for (text, expected) in [
            ("SET search_path = a, public", Some(&["a", "public"][..])),
            ("SET Search_Path TO \"A\", 'b, c'", Some(&["A", "b, c"])),
            ("SET LOCAL search_path = a", Some(&["a"])),
            ("SET SCHEMA 'a'", Some(&["a"])),
            ("SET search_path = ''", Some(&[""])),
            ("SELECT pg_catalog.set_config('search_path', '', false)", Some(&[])),
            ("SELECT set_config('search_path', 'a, b_1', true)", Some(&["a", "b_1"])),
            ("SELECT set_config('search_path', 'A', false)", None),
            ("SELECT set_config('search_path', '\"a\"', false)", None),
            ("SELECT set_config('search_path', 'a,', false)", None),
            ("SELECT set_config('search_path', 'a' || 'b', false)", None),
            ("SELECT set_config('search_path', 'a', 1 > 0)", None),
            ("SELECT set_config('search_path', 'a', false) WHERE false", None),
            ("SELECT set_config('search_path', 'a', false) LIMIT 0", None),
            ("SELECT set_config('search_path', 'a', false) FROM t", None),
            ("SELECT set_config('search_path', 'a', false), 1", None),
            ("SELECT set_config('search_path', 'a', false) UNION SELECT 'x'", None),
            ("SELECT set_config('role', 'a', false)", None),
            ("SELECT s.set_config('search_path', 'a', false)", None),
            ("SELECT set_config(VARIADIC ARRAY['search_path', 'a'])", None),
            ("EXPLAIN SELECT set_config('search_path', 'a', false)", None),
            ("PREPARE p AS SELECT set_config('search_path', 'a', false)", None),
            ("SET search_path = DEFAULT", None),
            ("RESET search_path", None),
            ("SET role = a", None),
        ] {
            let readings = read(text, LexMode::POSTGRES).expect("reads");
            let path = readings.first().and_then(|r| r.path.clone());
            let path: Option<Vec<&str>> =
                path.as_ref().map(|names| names.iter().map(String::as_str).collect());
            assert_eq!(path.as_deref(), expected, "{text}");
        }
    }
}
