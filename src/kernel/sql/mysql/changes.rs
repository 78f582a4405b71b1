//! Statements that change rows: INSERT, REPLACE, UPDATE, DELETE.

use std::collections::BTreeSet;

use sqlparser::ast::{
    Assignment, AssignmentTarget, Delete, FromTable, Insert, ObjectName, ObjectNamePart, OnInsert,
    SelectItem, Statement, TableFactor, TableObject, TableWithJoins, Update,
};

use super::Walker;
use crate::kernel::sql::{
    mysql::expression::{name, raw_name},
    reading::{Access, RawName, RelationUse, StatementKind},
};

impl Walker {
    /// INSERT and its like inside of a query's tree.
    pub(super) fn change(&mut self, statement: &Statement) -> StatementKind {
        match statement {
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            _ => {
                self.foreign = true;
                StatementKind::Other
            }
        }
    }

    pub(super) fn insert(&mut self, insert: &Insert) -> StatementKind {
        let Insert {
            insert_token: _,
            optimizer_hints: _,
            or,
            ignore: _,
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
            overriding,
            has_table_keyword,
            on,
            returning,
            output,
            replace_into,
            priority: _,
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
            || *by_name
            || *overwrite
            || partitioned.is_some()
            || !after_columns.is_empty()
            || overriding.is_some()
            || *has_table_keyword
            || output.is_some()
            || table_alias.is_some()
            || settings.is_some()
            || format_clause.is_some()
            || multi_table_insert_type.is_some()
            || !multi_table_into_clauses.is_empty()
            || !multi_table_when_clauses.is_empty()
            || multi_table_else_clause.is_some();
        // It deletes what stands in its way.
        if *replace_into {
            self.kind(StatementKind::Delete);
        }
        let target = match table {
            TableObject::TableName(name) => raw_name(name),
            TableObject::TableFunction(_) | TableObject::TableQuery(_) => None,
        };
        let Some(target) = target else {
            self.foreign = true;
            return StatementKind::Insert;
        };
        self.relation(target.clone(), Access::Write);
        self.aliases.entry(target.base().to_owned()).or_default().insert(target.clone());
        if let Some(alias) = insert_alias {
            self.names.extend(parts(&alias.row_alias).into_iter().flatten());
        }
        if let Some(source) = source {
            self.query(source);
        }
        for assignment in assignments {
            self.expr(&assignment.value);
        }
        match on {
            None => {}
            Some(OnInsert::DuplicateKeyUpdate(assignments)) => {
                self.kind(StatementKind::Update);
                self.assignments(assignments);
            }
            Some(_) => self.foreign = true,
        }
        self.returning(returning.as_deref(), &[target]);
        StatementKind::Insert
    }

    pub(super) fn update(&mut self, update: &Update) -> StatementKind {
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
            || from.is_some()
            || settings.is_some();
        let targets = if table.joins.is_empty() {
            self.joined(table, Access::Write)
        } else {
            self.several(table, assignments)
        };
        self.assignments(assignments);
        self.exprs(selection);
        self.order_list(order_by);
        self.exprs(limit);
        self.returning(returning.as_deref(), &targets);
        StatementKind::Update
    }

    /// The tables of an UPDATE of several: those that a column is set in are written, all are read. If one
    /// column doesn't say whose it is, every table may be written.
    fn several(&mut self, table: &TableWithJoins, assignments: &[Assignment]) -> Vec<RawName> {
        let relations = self.joined(table, Access::Write);
        let mut written = BTreeSet::new();
        let mut any = false;
        for assignment in assignments {
            let parts = match &assignment.target {
                AssignmentTarget::ColumnName(name) => parts(name),
                AssignmentTarget::Tuple(_) => None,
            };
            match parts.as_deref() {
                Some([.., of, _]) if self.aliases.contains_key(of) => {
                    written.extend(self.aliases.get(of).into_iter().flatten().cloned());
                }
                _ => any = true,
            }
        }
        if any {
            written.extend(relations.iter().cloned());
        }
        self.only_read(&relations, &written);
        written.into_iter().collect()
    }

    /// Of tables that were taken for written those that are not.
    fn only_read(&mut self, relations: &[RawName], written: &BTreeSet<RawName>) {
        // Fail closed: it writes something that nobody sees.
        self.foreign |= written.is_empty();
        for name in relations.iter().filter(|name| !written.contains(*name)).cloned() {
            self.reading
                .relations
                .remove(&RelationUse { name: name.clone(), access: Access::Write });
            self.relation(name, Access::Read);
        }
        for name in written {
            self.relation(name.clone(), Access::Write);
        }
    }

    pub(super) fn delete(&mut self, delete: &Delete) -> StatementKind {
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
        self.foreign |= on_cluster.is_some() || output.is_some() || settings.is_some();
        let items = match from {
            FromTable::WithFromKeyword(items) => items,
            FromTable::WithoutKeyword(items) => {
                self.foreign = true;
                items
            }
        };
        let targets = match (tables.is_empty(), using, items.as_slice()) {
            // DELETE FROM t
            (true, None, [item]) if item.joins.is_empty() => self.joined(item, Access::Write),
            // DELETE t1, t2 FROM …
            (false, None, _) => {
                let names: Vec<_> = tables.iter().filter_map(parts).collect();
                self.foreign |= names.len() != tables.len();
                self.deleted(items, &names)
            }
            // DELETE FROM t1, t2 USING …
            (true, Some(using), _) => {
                let names: Vec<_> = items.iter().filter_map(table_of).collect();
                self.foreign |= names.len() != items.len();
                self.deleted(using, &names)
            }
            _ => {
                self.foreign = true;
                Vec::new()
            }
        };
        self.exprs(selection);
        self.order_list(order_by);
        self.exprs(limit);
        self.returning(returning.as_deref(), &targets);
        StatementKind::Delete
    }

    /// Tables that a DELETE of several names: by what they go by in its FROM.
    fn deleted(&mut self, from: &[TableWithJoins], names: &[Vec<String>]) -> Vec<RawName> {
        let relations: Vec<_> =
            from.iter().flat_map(|item| self.joined(item, Access::Write)).collect();
        let mut written = BTreeSet::new();
        for parts in names {
            let known = match parts.as_slice() {
                [alias] => self.aliases.get(alias).cloned(),
                // `db.t` is that relation, whatever it is called.
                _ => Some(BTreeSet::from([RawName(parts.clone())])),
            };
            match known {
                Some(relations) if !relations.is_empty() => written.extend(relations),
                Some(_) | None => self.foreign = true,
            }
        }
        self.only_read(&relations, &written);
        written.into_iter().collect()
    }

    /// RETURNING reads the table that is written.
    fn returning(&mut self, items: Option<&[SelectItem]>, targets: &[RawName]) {
        let Some(items) = items else { return };
        self.foreign |= targets.len() != 1;
        for target in targets {
            self.relation(target.clone(), Access::Read);
        }
        for item in items {
            self.select_item(item, targets);
        }
    }

    fn assignments(&mut self, assignments: &[Assignment]) {
        for assignment in assignments {
            match &assignment.target {
                AssignmentTarget::ColumnName(column) => match parts(column) {
                    Some(parts) => {
                        let column = parts.last().map(|c| c.to_lowercase());
                        self.reading.assigned.extend(column);
                    }
                    None => self.foreign = true,
                },
                AssignmentTarget::Tuple(_) => self.foreign = true,
            }
            self.expr(&assignment.value);
        }
    }
}

fn parts(of: &ObjectName) -> Option<Vec<String>> {
    of.0.iter()
        .map(|part| match part {
            ObjectNamePart::Identifier(ident) => Some(name(ident)),
            ObjectNamePart::Function(_) => None,
        })
        .collect()
}

/// The name in a list of tables that are nothing else.
fn table_of(item: &TableWithJoins) -> Option<Vec<String>> {
    match &item.relation {
        TableFactor::Table { name, alias: None, .. } if item.joins.is_empty() => parts(name),
        _ => None,
    }
}
