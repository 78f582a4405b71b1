//! Enums and tables that a statement makes.

use pg_query::protobuf::{self as pg, node::Node as N};

use crate::kernel::sql::{
    reading::RawName,
    server_grammar::relations::{name_of, raw_name},
};

/// The name of the enum that a statement makes, without its schema; the new one of a type that it renames,
/// which may be an enum.
pub(super) fn enum_of(statement: &pg::RawStmt) -> Option<String> {
    match statement.stmt.as_deref()?.node.as_ref()? {
        N::CreateEnumStmt(n) => name_of(&n.type_name).0.pop(),
        N::RenameStmt(n) if n.rename_type == pg::ObjectType::ObjectType as i32 => {
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
    fn enums_are_told_from_other_types() {
        for (text, expected) in [
            ("CREATE TYPE k AS ENUM ('a')", Some("k")),
            ("CREATE TYPE s.\"K\" AS ENUM ()", Some("K")),
            ("CREATE TYPE k AS (a int)", None),
            ("CREATE TYPE k", None),
            ("CREATE TYPE k AS RANGE (subtype = int4)", None),
            ("CREATE DOMAIN k AS text", None),
            ("ALTER TYPE k ADD VALUE 'b'", None),
            ("ALTER TYPE k RENAME TO \"L\"", Some("L")),
            ("ALTER TYPE k RENAME VALUE 'a' TO 'b'", None),
            ("ALTER TABLE k RENAME TO l", None),
        ] {
            let readings = read(text, LexMode::POSTGRES).expect("reads");
            let made = readings.first().and_then(|r| r.made_enum.as_deref());
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
