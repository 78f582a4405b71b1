//! Temporary tables that a statement makes.

use pg_query::protobuf::{self as pg, node::Node as N};

use crate::kernel::sql::reading::Temporary;

/// The one that a statement makes, if it makes one. A view is none: it shows what others hold.
pub(super) fn of(statement: &pg::RawStmt) -> Option<Temporary> {
    let (relation, on_commit) = match statement.stmt.as_deref()?.node.as_ref()? {
        N::CreateStmt(n) => (n.relation.as_ref()?, n.oncommit),
        N::CreateTableAsStmt(n) if n.objtype == pg::ObjectType::ObjectTable as i32 => {
            let into = n.into.as_deref()?;
            (into.rel.as_ref()?, into.on_commit)
        }
        N::SelectStmt(n) => {
            let into = n.into_clause.as_deref()?;
            (into.rel.as_ref()?, into.on_commit)
        }
        _ => return None,
    };
    let is_temporary = relation.relpersistence == "t" || relation.schemaname == "pg_temp";
    is_temporary.then(|| Temporary {
        name: relation.relname.clone(),
        until_commit: on_commit == pg::OnCommitAction::OncommitDrop as i32,
    })
}

#[cfg(test)]
mod tests {
    use crate::kernel::sql::{mode::LexMode, server_grammar::read};

    #[test]
    fn tables_of_the_session_alone_are_told_from_others() {
        for (text, expected) in [
            ("CREATE TEMP TABLE t (x int)", Some(("t", false))),
            ("CREATE TABLE pg_temp.t (x int) ON COMMIT DROP", Some(("t", true))),
            ("CREATE LOCAL TEMPORARY TABLE IF NOT EXISTS \"T\" AS SELECT 1", Some(("T", false))),
            ("SELECT 1 AS x INTO TEMP t", Some(("t", false))),
            ("CREATE TABLE t (x int)", None),
            ("CREATE TEMP VIEW t AS SELECT 1", None),
            ("CREATE TEMP SEQUENCE t", None),
            ("CREATE MATERIALIZED VIEW t AS SELECT 1", None),
            ("SELECT 1 INTO t", None),
            ("SELECT 1", None),
        ] {
            let readings = read(text, LexMode::POSTGRES).expect("reads");
            let made = readings.first().and_then(|r| r.temporary.clone());
            let made = made.as_ref().map(|made| (made.name.as_str(), made.until_commit));
            assert_eq!(made, expected, "{text}");
        }
    }
}
