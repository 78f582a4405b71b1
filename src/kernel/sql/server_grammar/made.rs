//! Types and tables that a statement makes.

use pg_query::protobuf::{self as pg, node::Node as N};

use crate::kernel::sql::{
    reading::RawName,
    server_grammar::relations::{name_of, raw_name},
};

/// The name of the type that a statement makes, without its schema; the new one of a type that it renames.
/// Those of relations are said elsewhere.
pub(super) fn type_of(statement: &pg::RawStmt) -> Option<String> {
    match statement.stmt.as_deref()?.node.as_ref()? {
        N::CreateEnumStmt(n) => name_of(&n.type_name).0.pop(),
        N::CreateRangeStmt(n) => name_of(&n.type_name).0.pop(),
        N::CreateDomainStmt(n) => name_of(&n.domainname).0.pop(),
        N::CompositeTypeStmt(n) => n.typevar.as_ref().map(|name| name.relname.clone()),
        N::DefineStmt(n) if n.kind == pg::ObjectType::ObjectType as i32 => {
            name_of(&n.defnames).0.pop()
        }
        N::RenameStmt(n)
            if [pg::ObjectType::ObjectType, pg::ObjectType::ObjectDomain]
                .iter()
                .any(|kind| *kind as i32 == n.rename_type) =>
        {
            Some(n.newname.clone())
        }
        _ => None,
    }
}

/// The table that a statement makes of columns that it writes out.
pub(super) fn table_of(statement: &pg::RawStmt) -> Option<RawName> {
    match statement.stmt.as_deref()?.node.as_ref()? {
        N::CreateStmt(n) => n.relation.as_ref().map(raw_name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::kernel::sql::{mode::LexMode, server_grammar::read};

    #[test]
    fn types_have_names() {
        for (text, expected) in [
            ("CREATE TYPE k AS ENUM ('a')", Some("k")),
            ("CREATE TYPE s.\"K\" AS ENUM ()", Some("K")),
            ("CREATE TYPE k AS (a int)", Some("k")),
            ("CREATE TYPE s.k", Some("k")),
            ("CREATE TYPE k AS RANGE (subtype = int4)", Some("k")),
            ("CREATE DOMAIN s.k AS text", Some("k")),
            ("ALTER DOMAIN k RENAME TO l", Some("l")),
            ("CREATE AGGREGATE k (int) (sfunc = f, stype = int)", None),
            ("ALTER TYPE k ADD VALUE 'b'", None),
            ("ALTER TYPE k RENAME TO \"L\"", Some("L")),
            ("ALTER TYPE k RENAME VALUE 'a' TO 'b'", None),
            ("ALTER TABLE k RENAME TO l", None),
        ] {
            let readings = read(text, LexMode::POSTGRES).expect("reads");
            let made = readings.first().and_then(|r| r.made_type.as_deref());
            assert_eq!(made, expected, "{text}");
        }
    }

    #[test]
    fn a_table_is_made_where_its_columns_are_written_out() {
        for (text, expected) in [
            ("CREATE TABLE IF NOT EXISTS s.t (x int)", true),
            ("CREATE TABLE s.t (LIKE u) INHERITS (v)", true),
            ("CREATE TABLE s.t AS SELECT 1", false),
            ("ALTER TABLE s.t ADD x int", false),
            ("CREATE VIEW s.t AS SELECT 1", false),
            ("CREATE FOREIGN TABLE s.t (x int) SERVER v", false),
        ] {
            let readings = read(text, LexMode::POSTGRES).expect("reads");
            let made = readings.first().and_then(|r| r.made_table.as_ref());
            let is_it = made.is_some_and(|made| made.0 == ["s", "t"]);
            assert_eq!((made.is_some(), is_it), (expected, expected), "{text}");
        }
    }
}
