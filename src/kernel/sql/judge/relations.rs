//! What the relations of a statement need.

use std::collections::BTreeSet;

use crate::kernel::{
    access::Permission,
    catalog::{Relation, RelationKind},
    sql::{
        analysis::{NeedOn, ResolvedRelation},
        builtins::{self, CatalogRule, FunctionRule, RelationRule, mysql},
        judge::{
            Judge,
            cascades::ColumnNames,
            names::{Meanings, Resolved, resolve},
        },
        mode::Dialect,
        reading::{Access, Columns, RawName, RelationUse, StatementKind},
    },
};

impl<'a> Judge<'a> {
    /// Resolves every relation and adds what its use needs.
    pub(super) fn relations(&mut self) {
        let reading = self.reading;
        for used in &reading.relations {
            let Meanings { first, others } = resolve(&used.name, self.cx);
            self.note(&first, used.access);
            match first {
                Resolved::User(relation) if self.is_state_of_sequence(relation, used) => {
                    if !self.only_planned {
                        let name = (relation.schema.as_str(), relation.name.as_str());
                        let why = format!("reads where {} stands", display(name));
                        self.needs.anything(Permission::Info, why);
                    }
                }
                Resolved::User(relation)
                    if used.access == Access::Read && self.shows_counters(relation, &used.name) => {
                }
                Resolved::User(relation) => {
                    self.user_relation(relation, used.access, ColumnNames::Own);
                }
                Resolved::Catalog { schema, name, rule } => {
                    self.catalog_relation((schema, &name), rule, (&used.name, used.access));
                }
                Resolved::Unreviewed { schema, name } => {
                    self.unreviewed(&schema, &name, used.access);
                }
                Resolved::Unknown { schema, name } => {
                    let on = NeedOn::Relation { schema, name, of: Vec::new() };
                    self.plain_need(on, used.access);
                }
            }
            for other in others {
                self.may_be(other, used);
            }
        }
    }

    /// What the name may mean instead by the time it is looked up.
    fn may_be(&mut self, other: Resolved<'_>, used: &RelationUse) {
        let looks_at_it = !matches!(used.access, Access::Define | Access::Refer);
        match other {
            Resolved::User(relation) if looks_at_it => {
                self.user_relation(relation, used.access, ColumnNames::Others);
            }
            Resolved::Catalog { schema: "pg_catalog", name, rule } => {
                self.catalog_relation(("pg_catalog", &name), rule, (&used.name, used.access));
            }
            Resolved::Catalog { schema, name, rule } if looks_at_it => {
                self.catalog_relation((schema, &name), rule, (&used.name, used.access));
            }
            Resolved::Unreviewed { schema, name } if looks_at_it => {
                self.unreviewed(&schema, &name, used.access);
            }
            Resolved::Unknown { schema, name } => {
                self.plain_need(NeedOn::Relation { schema, name, of: Vec::new() }, used.access);
            }
            Resolved::User(_) | Resolved::Catalog { .. } | Resolved::Unreviewed { .. } => {}
        }
    }

    fn unreviewed(&mut self, schema: &str, name: &str, access: Access) {
        if !self.only_planned {
            self.needs.admin(format!(
                "{} {schema}.{name}, which is not on the list of reviewed catalogs",
                verb(access)
            ));
        }
    }

    /// True if a statement reads columns of a sequence that it names. `pg_sequences`, which is info,
    /// shows the same number: object browsers ask the sequence itself.
    ///
    /// Fail closed: a whole row may be that of a table which has taken the sequence's place since the
    /// catalog was read.
    fn is_state_of_sequence(&self, relation: &Relation, used: &RelationUse) -> bool {
        relation.kind == RelationKind::Sequence
            && used.access == Access::Read
            && !self.may_mean_whole(&used.name)
    }

    fn note(&mut self, resolved: &Resolved<'_>, access: Access) {
        let (schema, name, oid, is_catalog) = match resolved {
            Resolved::User(r) => (r.schema.clone(), r.name.clone(), Some(r.oid), false),
            Resolved::Catalog { schema, name, rule } => {
                let listed = rule.rule != RelationRule::Admin;
                ((*schema).to_owned(), name.clone(), None, listed)
            }
            Resolved::Unreviewed { schema, name } | Resolved::Unknown { schema, name } => {
                (schema.clone(), name.clone(), None, false)
            }
        };
        self.relations.push(ResolvedRelation { schema, name, oid, access, is_catalog });
    }

    /// What one use of a relation needs by itself, whatever stands behind it.
    fn plain_need(&mut self, on: NeedOn, access: Access) {
        let NeedOn::Relation { schema, name, .. } = &on else { return };
        if self.only_planned {
            if self.reading.mysql.prints && matches!(access, Access::Read | Access::Write) {
                let why = format!("shows what a plan has read of {}", display((schema, name)));
                self.needs.add(Permission::Select, on, why);
            }
            return;
        }
        let shown = display((schema, name));
        let why = format!("{} {shown}", verb(access));
        match access {
            Access::Read => {
                self.user_rows = true;
                self.needs.add(Permission::Select, on, why);
            }
            Access::Write | Access::LockRows => {
                self.needs.writes = true;
                self.needs.add(Permission::Dml, on, why);
            }
            Access::LockTable if self.has(StatementKind::Lock) => {
                self.needs.writes = true;
                self.needs.add(Permission::Dml, on, why);
            }
            Access::LockTable => self.needs.add(Permission::Select, on, why),
            // Refreshing changes rows; everything else that defines is judged by its kind.
            Access::Define if self.has(StatementKind::Refresh) => {
                self.needs.writes = true;
                self.needs.add(Permission::Dml, on, format!("refreshes {shown}"));
            }
            Access::Define | Access::Refer => {}
        }
    }

    fn user_relation(&mut self, relation: &Relation, access: Access, names: ColumnNames) {
        self.plain_need(self.on(relation), access);
        match access {
            Access::Read => self.behind_view(relation, relation, access, &mut BTreeSet::new()),
            Access::Write => {
                self.behind_view(relation, relation, access, &mut BTreeSet::new());
                self.written_relation(relation, names);
            }
            Access::LockRows | Access::LockTable => {
                self.behind_view(relation, relation, access, &mut BTreeSet::new());
            }
            Access::Define => self.code_of_defined(relation),
            Access::Refer => {}
        }
    }

    /// What goes with a change of rows: code of the relation and of those that its rows may lie in, and
    /// rows of other tables that refer to them.
    fn written_relation(&mut self, relation: &Relation, names: ColumnNames) {
        self.code_of_written(relation);
        self.changed_with(relation, names);
        for child in self.descendants(relation.oid) {
            self.code_of_written(child);
            self.changed_with(child, names);
        }
    }

    /// The relation, and what it is a part of for a scope: all rows of a partition are its parent's, and
    /// who may insert into a table may advance the sequences of its columns.
    pub(super) fn on(&self, relation: &Relation) -> NeedOn {
        let catalog = self.cx.catalog;
        let mut of = Vec::new();
        let mut left: Vec<u32> = relation.owned_by.into_iter().collect();
        if relation.is_partition {
            left.extend(&relation.parents);
        }
        while let Some(whole) = left.pop().and_then(|oid| catalog.relation_by_oid(oid)) {
            of.push((whole.schema.clone(), whole.name.clone()));
            if whole.is_partition {
                left.extend(&whole.parents);
            }
        }
        NeedOn::Relation { schema: relation.schema.clone(), name: relation.name.clone(), of }
    }

    /// Partitions and inheriting tables, however deep: rows go there through their parent.
    pub(super) fn descendants(&self, oid: u32) -> Vec<&'a Relation> {
        let mut oids = vec![oid];
        let mut found: Vec<&Relation> = Vec::new();
        while let Some(parent) = oids.pop() {
            for child in self.cx.catalog.relations().filter(|r| r.parents.contains(&parent)) {
                if found.iter().all(|f| f.oid != child.oid) {
                    found.push(child);
                    oids.push(child.oid);
                }
            }
        }
        found
    }

    /// A view gives out its base relations, so these are needed as if they were written there. The
    /// code in its query runs, and may run while it is planned.
    fn behind_view(
        &mut self,
        top: &Relation,
        view: &Relation,
        access: Access,
        seen: &mut BTreeSet<u32>,
    ) {
        for oid in view.policies.iter().chain(&view.planned) {
            self.routine_behind(*oid);
        }
        match view.kind {
            RelationKind::View => {}
            // Holds copies of what its query read: the same scope, but no code runs.
            RelationKind::MaterializedView => {}
            RelationKind::Table
            | RelationKind::ForeignTable
            | RelationKind::Sequence
            | RelationKind::Index
            | RelationKind::CompositeType
            | RelationKind::Toast => return self.built_ins_behind(view),
        }
        if !seen.insert(view.oid) {
            return;
        }
        // Refreshing one runs its query, and reads what that reads.
        let refreshed = view.kind == RelationKind::MaterializedView && access == Access::Write;
        let access = if refreshed { Access::Read } else { access };
        if view.kind == RelationKind::View || refreshed {
            for oid in &view.calls {
                self.routine_behind(*oid);
            }
            self.built_ins_behind(view);
            self.calls_of_mysql_view(view);
        }
        let catalog = self.cx.catalog;
        for oid in &view.reads {
            match catalog.relation_by_oid(*oid) {
                Some(base) => {
                    self.base_need(top, base, access);
                    self.behind_view(top, base, access, seen);
                    if access == Access::Write {
                        self.written_relation(base, ColumnNames::Others);
                    }
                }
                // Fail closed: a catalog, or something newer than our snapshot.
                None if !self.only_planned => self.needs.whole(
                    Permission::Select,
                    format!("reads more than is known of, through {}.{}", top.schema, top.name),
                ),
                None => {}
            }
        }
    }

    fn base_need(&mut self, top: &Relation, base: &Relation, access: Access) {
        if self.only_planned {
            return;
        }
        let name = (base.schema.as_str(), base.name.as_str());
        let permission = match access {
            Access::Read => Permission::Select,
            Access::LockTable if self.has(StatementKind::LockShare) => Permission::Select,
            Access::Write | Access::LockRows | Access::LockTable => Permission::Dml,
            Access::Define | Access::Refer => return,
        };
        let why = format!("{} {} through {}.{}", verb(access), display(name), top.schema, top.name);
        self.needs.add(permission, self.on(base), why);
    }

    /// What a view's query, or a policy, calls of the server's own: whoever reads the view calls it.
    fn built_ins_behind(&mut self, relation: &Relation) {
        if self.only_planned {
            return;
        }
        let through = format!("through {}.{}", relation.schema, relation.name);
        for name in &relation.built_ins {
            let why = format!("calls {name}() {through}");
            match builtins::function(name) {
                Some(FunctionRule::Pure | FunctionRule::Info | FunctionRule::CurrentSetting) => {}
                Some(FunctionRule::Select) => self.needs.anything(Permission::Select, why),
                Some(FunctionRule::Source) => self.needs.whole(Permission::Select, why),
                Some(FunctionRule::Dml) => {
                    self.needs.writes = true;
                    self.needs.whole(Permission::Dml, why);
                }
                Some(FunctionRule::SetConfig | FunctionRule::Admin) | None => {
                    self.needs.writes = true;
                    self.user_code = true;
                    self.needs.admin(why);
                }
            }
            if super::code::prints_json(name) {
                self.casts_to_json();
            }
        }
    }

    /// Triggers, rules, defaults, checks and types of a table that is written. They are the table's
    /// own, put there by who may put code in place: an unscoped dml is enough for them.
    pub(super) fn code_of_written(&mut self, relation: &Relation) {
        let table = format!("{}.{}", relation.schema, relation.name);
        if relation.has_rules {
            if !self.only_planned {
                self.needs.whole(Permission::Dml, format!("rules of {table} rewrite it"));
            }
            self.user_code = true;
        }
        if !self.only_planned {
            for oid in &relation.triggers {
                self.table_code(*oid, "fires trigger function", &table);
            }
        }
        for oid in relation.calls.iter().chain(&relation.policies) {
            self.table_code(*oid, "runs", &table);
        }
        let catalog = self.cx.catalog;
        for column in &relation.columns {
            for user_type in catalog.types_named(super::code::bare_type(&column.type_name)) {
                for oid in &user_type.calls {
                    self.table_code(*oid, "runs", &table);
                }
            }
        }
    }

    fn catalog_relation(
        &mut self,
        (schema, name): (&str, &str),
        rule: &CatalogRule,
        (raw, access): (&RawName, Access),
    ) {
        if self.only_planned {
            return;
        }
        match access {
            Access::Read => {}
            Access::Write
            | Access::LockRows
            | Access::LockTable
            | Access::Define
            | Access::Refer => {
                self.needs.writes = true;
                // `UPDATE pg_settings` is SET by another name, and there may be more of its kind.
                self.user_code = true;
                self.needs.admin(format!("{} the catalog {name}", verb(access)));
                let of_accounts = schema == "mysql" && OF_ACCOUNTS.contains(&name);
                if access == Access::Write && OF_ROLES.contains(&name) || of_accounts {
                    let why = format!("it writes {name}, where the gateway's own log-in stands");
                    self.needs.add(Permission::Admin, NeedOn::Nobody, why);
                }
                return;
            }
        }
        match rule.rule {
            RelationRule::Info | RelationRule::Activity => {
                self.needs.anything(Permission::Info, format!("reads {schema}.{name}"));
            }
            RelationRule::Admin => {
                self.needs.admin(format!("reads {schema}.{name}"));
                return;
            }
        }
        for column in rule.admin_columns {
            if !self.mentions(raw, column) {
                continue;
            }
            if rule.source_columns.contains(column) {
                self.needs.whole(
                    Permission::Select,
                    format!("reads the source of routines in {name}.{column}: name other columns"),
                );
            } else if rule.rule != RelationRule::Activity
                && self.cx.mode.dialect == Dialect::Postgres
                || !self.hide(raw, rule.admin_columns)
            {
                let whose = match rule.rule {
                    RelationRule::Activity => "other people's SQL in ",
                    RelationRule::Info | RelationRule::Admin => "",
                };
                self.needs.admin(format!("reads {whose}{name}.{column}: name other columns"));
            }
        }
        self.sizes(raw, name);
    }

    /// What a session's statements took or warned of tells of the values that it was shown masked.
    fn sizes(&mut self, raw: &RawName, name: &str) {
        if self.cx.mode.dialect == Dialect::Postgres || self.cx.catalog.marks.is_empty() {
            return;
        }
        let telling = mysql::telling_columns(name);
        let shown = telling.iter().find(|column| self.mentions(raw, column));
        if let Some(column) = shown.filter(|_| !self.hide(raw, telling)) {
            let why =
                format!("reads {name}.{column}, which tells of what is masked: name other columns");
            self.needs.add(Permission::Unmask, NeedOn::WholeTarget, why);
        }
    }

    /// True if this column of a relation may be among what the statement looks at.
    pub(super) fn mentions(&self, relation: &RawName, column: &str) -> bool {
        let columns = self.reading.columns.as_ref();
        columns.is_none_or(|columns| mentioned(columns, relation, column))
    }

    /// True if every column of a relation may be among what the statement looks at.
    fn may_mean_whole(&self, relation: &RawName) -> bool {
        self.reading.columns.as_ref().is_none_or(|columns| means_whole(columns, relation))
    }
}

/// True if this column of a relation may be among these.
pub(super) fn mentioned(columns: &Columns, relation: &RawName, column: &str) -> bool {
    means_whole(columns, relation)
        || columns.names.contains(column)
        || columns.fields.contains(column)
}

/// True if every column of a relation may be among these.
fn means_whole(columns: &Columns, relation: &RawName) -> bool {
    let called = |name: &str| columns.qualified.contains(name) || columns.fields.contains(name);
    columns.whole.contains(relation) || OF_WHOLE_ROWS.iter().any(|function| called(function))
}

/// Where the server keeps its roles.
const OF_ROLES: [&str; 3] = ["pg_authid", "pg_auth_members", "pg_db_role_setting"];

/// Where MySQL and MariaDB keep their accounts.
const OF_ACCOUNTS: [&str; 8] = [
    "db",
    "default_roles",
    "global_grants",
    "global_priv",
    "password_history",
    "role_edges",
    "tables_priv",
    "user",
];

fn verb(access: Access) -> &'static str {
    match access {
        Access::Read => "reads",
        Access::Write => "writes",
        Access::LockRows => "locks rows of",
        Access::LockTable => "locks",
        Access::Define => "changes",
        Access::Refer => "refers to",
    }
}

fn display((schema, name): (&str, &str)) -> String {
    if schema.is_empty() { name.to_owned() } else { format!("{schema}.{name}") }
}

/// Built-ins that take a whole row and need nothing else: `t.to_jsonb` is `to_jsonb(t)`. Those with one
/// required argument of a type that rows fit, by `pg_proc` of the server.
const OF_WHOLE_ROWS: [&str; 37] = [
    "any_out",
    "any_value",
    "anycompatible_out",
    "anycompatiblenonarray_out",
    "anyelement_out",
    "anynonarray_out",
    "array_agg",
    "concat",
    "count",
    "first_value",
    "hash_record",
    "json_agg",
    "json_agg_strict",
    "json_build_array",
    "json_build_object",
    "jsonb_agg",
    "jsonb_agg_strict",
    "jsonb_build_array",
    "jsonb_build_object",
    "lag",
    "last_value",
    "lead",
    "max",
    "min",
    "num_nonnulls",
    "num_nulls",
    "pg_column_compression",
    "pg_column_size",
    "pg_column_toast_chunk_id",
    "pg_typeof",
    "quote_literal",
    "quote_nullable",
    "record_out",
    "record_send",
    "row_to_json",
    "to_json",
    "to_jsonb",
];
