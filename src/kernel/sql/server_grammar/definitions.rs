//! What a change of definitions looks at of the values that are there, and what it may part them from.
//!
//! Only statements that stand here are known; of any other, whatever it defines counts as touched whole.

use std::collections::BTreeSet;

use pg_query::protobuf::{self as pg, node::Node as N};

use crate::kernel::sql::{
    lineage::shape::{Expression, Reference},
    reading::{Definition, RawName},
    server_grammar::{
        columns::text,
        relations::{name_of, raw_name},
        shape,
    },
};

/// What a statement's definitions touch; `None` if nobody knows.
pub(super) fn of(statement: &pg::RawStmt) -> Option<Vec<Definition>> {
    let mut found = Found::default();
    match statement.stmt.as_deref()?.node.as_ref()? {
        N::AlterTableStmt(n) => found.alter(n)?,
        N::CreateStmt(n) => found.create(n)?,
        N::IndexStmt(n) => found.index(n)?,
        N::CreateStatsStmt(n) => found.statistics(n)?,
        N::RenameStmt(n) => found.rename(n)?,
        N::AlterObjectSchemaStmt(n) => found.set_schema(n),
        N::AlterDomainStmt(n) => match n.subtype.as_str() {
            "T" | "N" | "X" => {}
            _ => found.list.push(Definition::Types("checks values of a type")),
        },
        N::CommentStmt(n) => {
            found.labelled(n.objtype, n.object.as_deref(), "takes the comment of")?;
        }
        N::SecLabelStmt(n) => {
            found.labelled(n.objtype, n.object.as_deref(), "labels")?;
        }
        // What goes is gone. Rows are measured and kept in order as they are, a sequence counts on, and what
        // a view shows is judged by its query.
        N::DropStmt(_)
        | N::TruncateStmt(_)
        | N::ReindexStmt(_)
        | N::VacuumStmt(_)
        | N::ClusterStmt(_)
        | N::CreateSeqStmt(_)
        | N::AlterSeqStmt(_)
        | N::AlterStatsStmt(_)
        | N::AlterEnumStmt(_)
        | N::ViewStmt(_) => {}
        _ => return None,
    }
    Some(found.list)
}

#[derive(Default)]
struct Found {
    list: Vec<Definition>,
    /// Columns that the statement makes: there are no values in them.
    made: BTreeSet<String>,
}

impl Found {
    fn columns(&mut self, of: &RawName, columns: BTreeSet<String>, what: &'static str) {
        let made = self.made.clone();
        self.list.push(Definition::Columns { of: of.clone(), columns, made, what });
    }

    fn whole(&mut self, of: RawName, what: &'static str) {
        self.list.push(Definition::Whole { of, what });
    }

    fn alter(&mut self, n: &pg::AlterTableStmt) -> Option<()> {
        let table = raw_name(n.relation.as_ref()?);
        if pg::ObjectType::try_from(n.objtype) == Ok(pg::ObjectType::ObjectType) {
            self.list.push(Definition::Types("changes a type"));
            return Some(());
        }
        for command in &n.cmds {
            let Some(N::AlterTableCmd(command)) = &command.node else { return None };
            self.command(&table, command)?;
        }
        Some(())
    }

    fn command(&mut self, table: &RawName, n: &pg::AlterTableCmd) -> Option<()> {
        use pg::AlterTableType as T;
        let def = n.def.as_deref().and_then(|def| def.node.as_ref());
        let own = || BTreeSet::from([n.name.clone()]);
        match (T::try_from(n.subtype).ok()?, def) {
            (T::AtAddColumn, Some(N::ColumnDef(column))) => {
                if !n.missing_ok {
                    self.made.insert(column.colname.clone());
                }
                self.column(table, column)?;
            }
            (T::AtAddConstraint, Some(N::Constraint(constraint))) => {
                self.constraint(table, None, constraint)?;
            }
            (T::AtAlterColumnType, Some(N::ColumnDef(column))) => {
                let mut columns = own();
                columns.extend(self.run(column.raw_default.as_deref())?);
                self.columns(table, columns, "rewrites");
            }
            (T::AtSetExpression, Some(_)) => {
                let mut columns = own();
                columns.extend(self.run(n.def.as_deref())?);
                self.columns(table, columns, "makes a column of");
            }
            (T::AtDropExpression, _) => self.columns(table, own(), "keeps what it made of"),
            (T::AtAddInherit, Some(N::RangeVar(whole))) => {
                self.list.push(Definition::Joins { part: table.clone(), whole: raw_name(whole) });
            }
            (T::AtDropColumn, _) => {
                self.list.push(Definition::Drops { of: table.clone(), column: n.name.clone() });
            }
            (T::AtDropInherit, _) => self.list.push(Definition::Leaves(table.clone())),
            (T::AtAttachPartition, Some(N::PartitionCmd(part))) => {
                let name = raw_name(part.name.as_ref()?);
                self.list.push(Definition::Partition(table.clone()));
                self.list.push(Definition::Joins { part: name, whole: table.clone() });
            }
            (T::AtDetachPartition | T::AtDetachPartitionFinalize, Some(N::PartitionCmd(part))) => {
                self.list.push(Definition::Leaves(raw_name(part.name.as_ref()?)));
            }
            (T::AtSetNotNull, _) => {
                self.list.push(Definition::Nulls { of: table.clone(), column: n.name.clone() });
            }
            // These look at no value, or at what a constraint says that is there already.
            (
                T::AtColumnDefault
                | T::AtDropNotNull
                | T::AtSetStatistics
                | T::AtSetOptions
                | T::AtResetOptions
                | T::AtSetStorage
                | T::AtSetCompression
                | T::AtAlterConstraint
                | T::AtValidateConstraint
                | T::AtDropConstraint
                | T::AtChangeOwner
                | T::AtClusterOn
                | T::AtDropCluster
                | T::AtSetLogged
                | T::AtSetUnLogged
                | T::AtDropOids
                | T::AtSetAccessMethod
                | T::AtSetTableSpace
                | T::AtSetRelOptions
                | T::AtResetRelOptions
                | T::AtEnableTrig
                | T::AtEnableAlwaysTrig
                | T::AtEnableReplicaTrig
                | T::AtDisableTrig
                | T::AtEnableTrigAll
                | T::AtDisableTrigAll
                | T::AtEnableTrigUser
                | T::AtDisableTrigUser
                | T::AtReplicaIdentity
                | T::AtAddIdentity
                | T::AtSetIdentity
                | T::AtDropIdentity,
                _,
            ) => {}
            _ => return None,
        }
        Some(())
    }

    /// A column that is made, with its constraints.
    fn column(&mut self, table: &RawName, n: &pg::ColumnDef) -> Option<()> {
        for constraint in &n.constraints {
            let Some(N::Constraint(constraint)) = &constraint.node else { return None };
            self.constraint(table, Some(&n.colname), constraint)?;
        }
        Some(())
    }

    /// A constraint of a table, or of one of its columns.
    fn constraint(
        &mut self,
        table: &RawName,
        column: Option<&String>,
        n: &pg::Constraint,
    ) -> Option<()> {
        use pg::ConstrType as C;
        const WHAT: &str = "makes a constraint of";
        let own = column.cloned();
        match C::try_from(n.contype).ok()? {
            // A column that is made holds one value.
            C::ConstrNotnull => {
                for column in n.keys.iter().filter_map(text) {
                    self.list.push(Definition::Nulls { of: table.clone(), column });
                }
            }
            C::ConstrNull
            | C::ConstrIdentity
            | C::ConstrAttrDeferrable
            | C::ConstrAttrNotDeferrable
            | C::ConstrAttrDeferred
            | C::ConstrAttrImmediate
            | C::ConstrAttrEnforced
            | C::ConstrAttrNotEnforced => {}
            // It names no column.
            C::ConstrDefault => drop(self.run(n.raw_expr.as_deref())),
            C::ConstrGenerated => {
                let columns = self.run(n.raw_expr.as_deref())?;
                self.columns(table, columns, "makes a column of");
            }
            C::ConstrCheck => {
                let columns = self.run(n.raw_expr.as_deref())?;
                self.columns(table, columns, WHAT);
            }
            // The index is there, and has told what it tells.
            C::ConstrPrimary | C::ConstrUnique if !n.indexname.is_empty() => {}
            C::ConstrPrimary | C::ConstrUnique => {
                let keys = n.keys.iter().chain(&n.including).filter_map(text);
                self.columns(table, keys.chain(own).collect(), WHAT);
            }
            C::ConstrExclusion => {
                let mut columns: BTreeSet<_> = n.including.iter().filter_map(text).collect();
                for exclusion in &n.exclusions {
                    let Some(N::List(pair)) = &exclusion.node else { return None };
                    columns.extend(self.element(pair.items.first()?)?);
                }
                columns.extend(self.run(n.where_clause.as_deref())?);
                self.columns(table, columns, WHAT);
            }
            C::ConstrForeign => {
                let keys = n.fk_attrs.iter().filter_map(text);
                self.columns(table, keys.chain(own).collect(), WHAT);
                let whole = raw_name(n.pktable.as_ref()?);
                let columns: BTreeSet<_> = n.pk_attrs.iter().filter_map(text).collect();
                if columns.is_empty() {
                    self.list.push(Definition::Key(whole));
                } else {
                    // What the statement makes is not there in the table referred to, unless that is the
                    // same, and then it isn't masked.
                    let made = if whole == *table { self.made.clone() } else { BTreeSet::new() };
                    let what = "refers to";
                    self.list.push(Definition::Columns { of: whole, columns, made, what });
                }
            }
            C::Undefined => return None,
        }
        Some(())
    }

    fn create(&mut self, n: &pg::CreateStmt) -> Option<()> {
        let table = raw_name(n.relation.as_ref()?);
        for whole in &n.inh_relations {
            let Some(N::RangeVar(whole)) = &whole.node else { return None };
            match n.partbound {
                Some(_) => self.list.push(Definition::Partition(raw_name(whole))),
                None => self.whole(raw_name(whole), "inherits from"),
            }
        }
        // The table is empty: what its own columns are asked tells nothing. What they refer to is not.
        let mut inside = Self::default();
        for element in n.table_elts.iter().chain(&n.constraints) {
            match &element.node {
                Some(N::ColumnDef(column)) => inside.column(&table, column)?,
                Some(N::Constraint(constraint)) => inside.constraint(&table, None, constraint)?,
                Some(N::TableLikeClause(_)) => {}
                _ => return None,
            }
        }
        let refers = |definition: &Definition| match definition {
            Definition::Columns { what, .. } => *what == "refers to",
            Definition::Runs => false,
            _ => true,
        };
        self.list.extend(inside.list.into_iter().filter(refers));
        Some(())
    }

    fn index(&mut self, n: &pg::IndexStmt) -> Option<()> {
        let mut columns = BTreeSet::new();
        for part in n.index_params.iter().chain(&n.index_including_params) {
            columns.extend(self.element(part)?);
        }
        columns.extend(self.run(n.where_clause.as_deref())?);
        self.columns(&raw_name(n.relation.as_ref()?), columns, "makes an index of");
        Some(())
    }

    fn statistics(&mut self, n: &pg::CreateStatsStmt) -> Option<()> {
        let [only] = n.relations.as_slice() else { return None };
        let Some(N::RangeVar(table)) = &only.node else { return None };
        let mut columns = BTreeSet::new();
        for part in &n.exprs {
            let Some(N::StatsElem(part)) = &part.node else { return None };
            match part.expr.as_deref() {
                Some(value) => columns.extend(self.run(Some(value))?),
                None => drop(columns.insert(part.name.clone())),
            }
        }
        self.columns(&raw_name(table), columns, "makes statistics of");
        Some(())
    }

    fn rename(&mut self, n: &pg::RenameStmt) -> Option<()> {
        use pg::ObjectType as O;
        match O::try_from(n.rename_type).ok()? {
            O::ObjectColumn => {
                let columns = BTreeSet::from([n.subname.clone()]);
                self.columns(&raw_name(n.relation.as_ref()?), columns, "renames");
            }
            O::ObjectTable | O::ObjectView | O::ObjectMatview | O::ObjectForeignTable => {
                self.whole(raw_name(n.relation.as_ref()?), "renames");
            }
            O::ObjectSchema => self.list.push(Definition::Schema(n.subname.clone())),
            O::ObjectType | O::ObjectDomain | O::ObjectAttribute => {
                self.list.push(Definition::Types("renames a type"));
            }
            O::ObjectTabconstraint
            | O::ObjectDomconstraint
            | O::ObjectIndex
            | O::ObjectSequence
            | O::ObjectStatisticExt => {}
            _ => return None,
        }
        Some(())
    }

    fn set_schema(&mut self, n: &pg::AlterObjectSchemaStmt) {
        match &n.relation {
            Some(relation) => self.whole(raw_name(relation), "moves"),
            None => self.list.push(Definition::Types("moves a type")),
        }
    }

    /// A column or an expression of an index.
    fn element(&mut self, n: &pg::Node) -> Option<BTreeSet<String>> {
        match &n.node {
            Some(N::IndexElem(element)) if element.expr.is_some() => {
                self.run(element.expr.as_deref())
            }
            Some(N::IndexElem(element)) => Some(BTreeSet::from([element.name.clone()])),
            _ => None,
        }
    }

    /// The columns of an expression that is run over rows; none if there is no expression.
    fn run(&mut self, n: Option<&pg::Node>) -> Option<BTreeSet<String>> {
        let Some(n) = n else { return Some(BTreeSet::new()) };
        self.list.push(Definition::Runs);
        named(n)
    }

    /// COMMENT and SECURITY LABEL: rules may go by those of columns.
    fn labelled(
        &mut self,
        object_type: i32,
        object: Option<&pg::Node>,
        what: &'static str,
    ) -> Option<()> {
        if pg::ObjectType::try_from(object_type) != Ok(pg::ObjectType::ObjectColumn) {
            return Some(());
        }
        let Some(N::List(list)) = &object?.node else { return None };
        let mut name = name_of(&list.items);
        let column = name.0.pop()?;
        self.columns(&name, BTreeSet::from([column]), what);
        Some(())
    }
}

/// The names of all columns that an expression looks at. `None`: nobody knows which.
fn named(n: &pg::Node) -> Option<BTreeSet<String>> {
    let Expression {
        column: _,
        columns,
        queries,
        asked,
        counted,
        conditions,
        compared,
        through: _,
        variable: _,
        kept: _,
        opaque,
    } = shape::value(n);
    let is_plain =
        queries.is_empty() && asked.is_empty() && conditions.is_empty() && opaque.is_none();
    if !is_plain {
        return None;
    }
    columns.iter().chain(&counted).chain(&compared).map(name_in).collect()
}

/// `c`, `t.c`, `(c).f`: c. What turns out to be no column is a row, or a function of one.
fn name_in(reference: &Reference) -> Option<String> {
    match reference {
        Reference::Column(names) | Reference::Field(names, _) => names.last().cloned(),
        Reference::Row(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::sql::{mode::LexMode, server_grammar::read};

    fn of(text: &str) -> Option<Vec<Definition>> {
        let readings = read(text, LexMode::POSTGRES).expect("parses");
        readings.first().expect("one").defines.clone()
    }

    fn columns(text: &str) -> Vec<String> {
        let found = of(text).unwrap_or_else(|| panic!("{text}"));
        let columns = found.iter().flat_map(|definition| match definition {
            Definition::Runs => Vec::new(),
            Definition::Columns { columns, .. } => columns.iter().cloned().collect(),
            other => vec![format!("{other:?}")],
        });
        columns.collect()
    }

    #[test]
    fn what_looks_at_no_value_touches_nothing() {
        for text in [
            "ALTER TABLE t ADD COLUMN a int NOT NULL",
            "ALTER TABLE t ALTER a SET DEFAULT 5, ALTER b DROP NOT NULL",
            "ALTER TABLE t DROP CONSTRAINT k, VALIDATE CONSTRAINT l, DISABLE TRIGGER USER",
            "ALTER TABLE t ADD CONSTRAINT k UNIQUE USING INDEX i",
            "CREATE TABLE t (a int PRIMARY KEY, b text CHECK (b <> ''), UNIQUE (a, b))",
            "CREATE TABLE t (LIKE u INCLUDING ALL)",
            "DROP TABLE t",
            "TRUNCATE t",
            "REINDEX TABLE t",
            "ANALYZE t",
            "COMMENT ON TABLE t IS 'x'",
            "ALTER TABLE t RENAME CONSTRAINT a TO b",
            "ALTER DOMAIN d DROP CONSTRAINT c",
        ] {
            assert_eq!(of(text), Some(Vec::new()), "{text}");
        }
    }

    #[test]
    fn what_fails_by_values_names_their_columns() {
        for (text, expected) in [
            ("ALTER TABLE t ADD CHECK (a LIKE 'x%' AND t.b > 1)", vec!["a", "b"]),
            ("ALTER TABLE t ADD UNIQUE (a, b) INCLUDE (c)", vec!["a", "b", "c"]),
            ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (b)", vec!["a", "b"]),
            ("ALTER TABLE t ADD EXCLUDE USING gist (a WITH =) WHERE (b > 1)", vec!["a", "b"]),
            ("ALTER TABLE t ADD COLUMN n text UNIQUE", vec!["n"]),
            ("ALTER TABLE t ADD COLUMN n text GENERATED ALWAYS AS (a || b) STORED", vec!["a", "b"]),
            ("ALTER TABLE t ALTER a TYPE text USING b", vec!["a", "b"]),
            ("ALTER TABLE t ALTER a DROP EXPRESSION", vec!["a"]),
            (
                "CREATE UNIQUE INDEX ON t (a, lower(b)) INCLUDE (c) WHERE d = 1",
                vec!["a", "b", "c", "d"],
            ),
            ("CREATE STATISTICS s ON a, (b || 'x') FROM t", vec!["a", "b"]),
            ("ALTER TABLE t RENAME COLUMN a TO b", vec!["a"]),
            ("COMMENT ON COLUMN t.a IS ''", vec!["a"]),
            ("CREATE TABLE t (a text REFERENCES u (b))", vec!["b"]),
        ] {
            assert_eq!(columns(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_known_touches_all() {
        for text in [
            "CREATE INDEX ON t ((t.*::text))",
            "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE t OF u",
            "CREATE SCHEMA s CREATE TABLE t (a int)",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
