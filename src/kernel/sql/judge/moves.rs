//! Rows that come to lie where another scope covers them.

use crate::kernel::{
    access::Permission,
    sql::{
        analysis::NeedOn,
        judge::{
            Judge,
            names::{Resolved, resolve},
        },
        reading::{Moved, RawName},
    },
};

impl Judge<'_> {
    /// Adds what RENAME, SET SCHEMA, ATTACH PARTITION and INHERIT need besides DDL.
    pub(super) fn moves(&mut self) {
        let reading = self.reading;
        for moved in &reading.moved {
            let (from, to, why) = match moved {
                Moved::Renamed { relation, name } => {
                    let (from, schema) = self.lies(relation);
                    let to = schema.map(|schema| (schema, name.clone()));
                    (from, to, format!("renames {relation} to {name}"))
                }
                Moved::ToSchema { relation, schema } => {
                    let (from, _) = self.lies(relation);
                    let to = (schema.clone(), relation.base().to_owned());
                    (from, Some(to), format!("moves {relation} to the schema {schema}"))
                }
                Moved::Under { relation, whole } => {
                    let (from, _) = self.lies(relation);
                    (from, self.place(whole), format!("shows rows of {relation} in {whole}"))
                }
                Moved::Into { whole, part } => {
                    let (from, _) = self.lies(whole);
                    (from, self.place(part), format!("keeps rows of {whole} in {part}"))
                }
                Moved::Schema(schema) => {
                    (NeedOn::WholeTarget, None, format!("renames the schema {schema}"))
                }
            };
            let on = NeedOn::Moved { from: Box::new(from), to };
            self.needs.add(Permission::Ddl, on, why);
        }
    }

    /// What covers rows of this relation, and its schema if that is certain.
    fn lies(&self, relation: &RawName) -> (NeedOn, Option<String>) {
        match resolve(relation, self.cx) {
            Resolved::User(relation) => (self.on(relation), Some(relation.schema.clone())),
            Resolved::Catalog { .. } | Resolved::Unreviewed { .. } => (NeedOn::WholeTarget, None),
            Resolved::Unknown { schema, name } => {
                let certain = (!schema.is_empty()).then(|| schema.clone());
                (NeedOn::Relation { schema, name, of: Vec::new() }, certain)
            }
        }
    }

    fn place(&self, relation: &RawName) -> Option<(String, String)> {
        match resolve(relation, self.cx) {
            Resolved::User(relation) => Some((relation.schema.clone(), relation.name.clone())),
            Resolved::Unknown { schema, name } if !schema.is_empty() => Some((schema, name)),
            Resolved::Catalog { .. } | Resolved::Unreviewed { .. } | Resolved::Unknown { .. } => {
                None
            }
        }
    }
}
