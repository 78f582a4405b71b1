//! Temporary tables that a statement makes.

use pg_query::protobuf::{self as pg, node::Node as N};

use crate::kernel::sql::{
    reading::{RawName, Temporary},
    server_grammar::relations::raw_name,
};

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

/// The table that a statement changes in a way that brings no rows into it, if it does nothing else.
pub(super) fn kept(statement: &pg::RawStmt) -> Option<RawName> {
    use pg::AlterTableType as T;
    let relation = match statement.stmt.as_deref()?.node.as_ref()? {
        N::IndexStmt(n) => n.relation.as_ref()?,
        // ANALYZE.
        N::VacuumStmt(n) if !n.is_vacuumcmd => match n.rels.as_slice() {
            [only] => match &only.node {
                Some(N::VacuumRelation(n)) => n.relation.as_ref()?,
                _ => return None,
            },
            _ => return None,
        },
        N::AlterTableStmt(n) if n.objtype == pg::ObjectType::ObjectTable as i32 => {
            let harmless = |n: &pg::Node| match &n.node {
                Some(N::AlterTableCmd(command)) => matches!(
                    T::try_from(command.subtype),
                    Ok(T::AtAddColumn
                        | T::AtDropColumn
                        | T::AtColumnDefault
                        | T::AtAlterColumnType
                        | T::AtDropNotNull
                        | T::AtSetNotNull
                        | T::AtAddConstraint
                        | T::AtDropConstraint)
                ),
                _ => false,
            };
            n.cmds.iter().all(harmless).then_some(n.relation.as_ref()?)?
        }
        _ => return None,
    };
    Some(raw_name(relation))
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

    #[test]
    fn a_change_that_brings_no_rows_is_told_from_others() {
        for (text, expected) in [
            ("ALTER TABLE t ADD COLUMN x int DEFAULT 0, DROP COLUMN y", true),
            ("ALTER TABLE t ALTER x TYPE text USING upper(x), ADD CHECK (x > 'a')", true),
            ("CREATE UNIQUE INDEX ON t (lower(x))", true),
            ("ANALYZE t (x)", true),
            ("ALTER TABLE t ADD COLUMN x int, INHERIT u", false),
            ("ALTER TABLE t ATTACH PARTITION u DEFAULT", false),
            ("ALTER TABLE t RENAME TO u", false),
            ("ALTER TABLE t SET SCHEMA u", false),
            ("ALTER VIEW t ALTER x SET DEFAULT 1", false),
            ("ANALYZE t, u", false),
            ("VACUUM t", false),
            ("DROP TABLE t", false),
            ("INSERT INTO t SELECT * FROM u", false),
        ] {
            let readings = read(text, LexMode::POSTGRES).expect("reads");
            let kept = readings.first().is_some_and(|r| r.keeps.is_some());
            assert_eq!(kept, expected, "{text}");
        }
    }
}
