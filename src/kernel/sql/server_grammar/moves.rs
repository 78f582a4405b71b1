//! What puts rows that are there under another name: RENAME, SET SCHEMA, ATTACH PARTITION, INHERIT.

use pg_query::protobuf::{self as pg, node::Node as N};

use crate::kernel::sql::{
    reading::{Access, Moved, RawName},
    server_grammar::{Reader, relations::raw_name},
};

impl Reader {
    pub(super) fn renames(&mut self, n: &pg::RenameStmt) {
        match &n.relation {
            // What has another name of its own is a column, a constraint, a trigger of the relation.
            Some(relation) if n.subname.is_empty() => {
                let (relation, name) = (raw_name(relation), n.newname.clone());
                // The new name is one to know too: a relation may take the name of a catalog.
                self.named(RawName(vec![name.clone()]), Access::Define);
                self.reading.moved.push(Moved::Renamed { relation, name });
            }
            Some(_) => {}
            None if pg::ObjectType::try_from(n.rename_type) == Ok(pg::ObjectType::ObjectSchema) => {
                self.reading.moved.push(Moved::Schema(n.subname.clone()));
            }
            None => {}
        }
    }

    pub(super) fn sets_schema(&mut self, n: &pg::AlterObjectSchemaStmt) {
        if let Some(relation) = &n.relation {
            let (relation, schema) = (raw_name(relation), n.newschema.clone());
            self.reading.moved.push(Moved::ToSchema { relation, schema });
        }
    }

    /// Rows of a table become rows of another one too.
    pub(super) fn joins_tables(&mut self, n: &pg::AlterTableStmt) {
        use pg::AlterTableType as T;
        let Some(altered) = n.relation.as_ref().map(raw_name) else { return };
        for command in &n.cmds {
            let Some(N::AlterTableCmd(command)) = &command.node else { continue };
            let named = command.def.as_ref().and_then(|def| def.node.as_ref());
            let attached = T::try_from(command.subtype) == Ok(T::AtAttachPartition);
            let (part, whole) = match (T::try_from(command.subtype), named) {
                (Ok(T::AtAttachPartition), Some(N::PartitionCmd(part))) => {
                    (part.name.as_ref().map(raw_name), Some(altered.clone()))
                }
                (Ok(T::AtAddInherit), Some(N::RangeVar(whole))) => {
                    (Some(altered.clone()), Some(raw_name(whole)))
                }
                _ => continue,
            };
            let (Some(relation), Some(whole)) = (part, whole) else { continue };
            let (part, of) = (relation.clone(), whole.clone());
            self.reading.moved.push(if attached {
                Moved::Into { whole: of, part }
            } else {
                Moved::ShownIn { whole: of, part }
            });
            self.reading.moved.push(Moved::Under { relation, whole });
        }
    }

    /// A partition that is made is empty, and then holds rows that are written to the whole; what is made
    /// to inherit holds its own.
    pub(super) fn makes_part(&mut self, n: &pg::CreateStmt) {
        let Some(part) = n.relation.as_ref() else { return };
        for whole in &n.inh_relations {
            if let Some(N::RangeVar(whole)) = &whole.node {
                let (whole, part) = (raw_name(whole), raw_name(part));
                self.reading.moved.push(if n.partbound.is_some() {
                    Moved::Into { whole, part }
                } else {
                    Moved::ShownIn { whole, part }
                });
            }
        }
    }
}
