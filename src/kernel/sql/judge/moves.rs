//! Rows that come to lie where another scope covers them.

use crate::kernel::{
    access::Permission,
    catalog::RelationKind,
    sql::{
        analysis::NeedOn,
        judge::{
            Judge,
            names::{Resolved, is_catalogs_name, resolve},
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
                Moved::Renamed { relation, .. } | Moved::ToSchema { relation, .. }
                    if self.holds_no_rows(relation) =>
                {
                    continue;
                }
                // In whatever schema: where the name is written without one, the search path may lead
                // to the rows first, and a statement that was judged before would find them.
                Moved::Renamed { relation, name } => (
                    self.lies(relation),
                    Some((None, name.clone())),
                    format!("renames {relation} to {name}"),
                ),
                Moved::ToSchema { relation, schema } => (
                    self.lies(relation),
                    Some((None, relation.base().to_owned())),
                    format!("moves {relation} to the schema {schema}"),
                ),
                Moved::Under { relation, whole } => (
                    self.lies(relation),
                    self.place(whole),
                    format!("shows rows of {relation} in {whole}"),
                ),
                Moved::Into { whole, part } => {
                    (self.lies(whole), self.place(part), format!("keeps rows of {whole} in {part}"))
                }
                Moved::ShownIn { whole, part } => (
                    self.lies(whole),
                    self.place(part),
                    format!("shows in {whole} what is written to {part}"),
                ),
                Moved::Schema(schema) => {
                    (NeedOn::WholeTarget, None, format!("renames the schema {schema}"))
                }
            };
            if self.may_pass_for_a_catalog(moved) {
                self.needs.add(Permission::Select, from.clone(), why.clone());
            }
            let written_only = matches!(moved, Moved::ShownIn { .. });
            let on = NeedOn::Moved { from: Box::new(from), to, written_only };
            self.needs.add(Permission::Ddl, on, why);
        }
    }

    /// An index has a name like a table's.
    fn holds_no_rows(&self, relation: &RawName) -> bool {
        match resolve(relation, self.cx).only() {
            Some(Resolved::User(relation)) => relation.kind == RelationKind::Index,
            None
            | Some(
                Resolved::Catalog { .. } | Resolved::Unreviewed { .. } | Resolved::Unknown { .. },
            ) => false,
        }
    }

    /// True if the rows may be read under a catalog's name where it is written without a schema: by who
    /// may read catalogs only, in a session whose search path leads to them first by then.
    fn may_pass_for_a_catalog(&self, moved: &Moved) -> bool {
        let name = match moved {
            Moved::Renamed { name, .. } => name.as_str(),
            Moved::ToSchema { relation, .. } => relation.base(),
            Moved::Under { whole: name, .. }
            | Moved::ShownIn { whole: name, .. }
            | Moved::Into { part: name, .. } => name.base(),
            Moved::Schema(schema) => {
                let mut inside = self.cx.catalog.relations().filter(|r| r.schema == *schema);
                return inside.any(|r| is_catalogs_name(&r.name));
            }
        };
        is_catalogs_name(name)
    }

    /// What covers rows of this relation.
    fn lies(&self, relation: &RawName) -> NeedOn {
        match resolve(relation, self.cx).only() {
            Some(Resolved::User(relation)) => self.on(relation),
            None | Some(Resolved::Catalog { .. } | Resolved::Unreviewed { .. }) => {
                NeedOn::WholeTarget
            }
            Some(Resolved::Unknown { schema, name }) => {
                NeedOn::Relation { schema, name, of: Vec::new() }
            }
        }
    }

    fn place(&self, relation: &RawName) -> Option<(Option<String>, String)> {
        match resolve(relation, self.cx).only()? {
            Resolved::User(relation) => {
                Some((Some(relation.schema.clone()), relation.name.clone()))
            }
            Resolved::Unknown { schema, name } if !schema.is_empty() => Some((Some(schema), name)),
            Resolved::Catalog { .. } | Resolved::Unreviewed { .. } | Resolved::Unknown { .. } => {
                None
            }
        }
    }
}
