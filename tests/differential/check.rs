//! Whether all that the server showed was in the analysis.

use std::collections::{BTreeSet, HashMap};

use hallpass::kernel::{
    access::Permission,
    catalog::{Catalog, Relation, RelationKind},
    sql::{
        analysis::{Analysis, Need, NeedOn, SessionEffect},
        builtins::{self, FunctionRule, RelationRule, catalog_relation},
        reading::StatementKind,
    },
};

use super::{
    server::{Session, Witness},
    support::Message,
};

/// What belongs to what, beyond the catalog that statements are judged by.
pub(crate) struct Belongings {
    /// Indexes, toast tables and owned sequences, and their tables.
    owners: HashMap<u32, u32>,
    /// Tables that refer to a table, and what a change there does to them.
    referring: Vec<(u32, u32, bool)>,
}

const OWNERS: &str = "
SELECT indexrelid, indrelid FROM pg_index
UNION ALL SELECT reltoastrelid, oid FROM pg_class WHERE reltoastrelid <> 0
UNION ALL SELECT objid, refobjid FROM pg_depend
WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i')
  AND objid IN (SELECT oid FROM pg_class WHERE relkind = 'S')";

const REFERRING: &str = "
SELECT confrelid, conrelid, confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd')
FROM pg_constraint WHERE contype = 'f'";

impl Belongings {
    pub(crate) fn read(server: &mut Session) -> Self {
        let number = |text: &String| text.parse().expect("an oid");
        Self {
            owners: server.rows(OWNERS).iter().map(|r| (number(&r[0]), number(&r[1]))).collect(),
            referring: server
                .rows(REFERRING)
                .iter()
                .map(|r| (number(&r[0]), number(&r[1]), r[2] == "t"))
                .collect(),
        }
    }

    fn owner(&self, mut oid: u32) -> u32 {
        while let Some(owner) = self.owners.get(&oid) {
            oid = *owner;
        }
        oid
    }
}

/// One text's analyses against what the server showed. Empty: all was said.
pub(crate) fn unsaid(
    (sql, analyses): (&str, &[&Analysis]),
    shown: &Witness,
    catalog: &Catalog,
    belongings: &Belongings,
) -> Vec<String> {
    let check = Check::new((sql, analyses), catalog, belongings);
    let mut found = Vec::new();
    check.marks(shown, &mut found);
    check.routines(shown, &mut found);
    check.state(shown, &mut found);
    check.locks(shown, &mut found);
    check.rows(shown, &mut found);
    check.names(shown, &mut found);
    found
}

const OF_TYPES: [&str; 5] = ["s:gap", "s:odd_cmp", "s:odd_lt", "s:odd_eq", "s:odd_hash"];

struct Check<'a> {
    sql: &'a str,
    analyses: &'a [&'a Analysis],
    needs: Vec<&'a Need>,
    effects: Vec<&'a SessionEffect>,
    catalog: &'a Catalog,
    belongings: &'a Belongings,
    /// What it needs on everything: with admin it may do anything, with ddl redefine anything, with dml
    /// the code of tables may run.
    whole: BTreeSet<Permission>,
    /// Code that says it doesn't write may run, and read what it likes.
    code: bool,
}

impl<'a> Check<'a> {
    fn new(
        (sql, analyses): (&'a str, &'a [&'a Analysis]),
        catalog: &'a Catalog,
        belongings: &'a Belongings,
    ) -> Self {
        // What EXECUTE and FETCH run is among the needs of what was prepared in the same text.
        let mut needs = Vec::new();
        let mut effects = Vec::new();
        let mut left: Vec<&Analysis> = analyses.to_vec();
        while let Some(analysis) = left.pop() {
            needs.extend(&analysis.needs);
            effects.extend(&analysis.effects);
            for effect in &analysis.effects {
                if let SessionEffect::Prepare { inner, .. } | SessionEffect::Declare { inner, .. } =
                    effect
                {
                    left.push(inner);
                }
            }
        }
        let on_all = needs.iter().filter(|n| n.on == NeedOn::WholeTarget);
        let whole: BTreeSet<Permission> = on_all.map(|n| n.permission).collect();
        let code =
            needs.iter().any(|n| n.on == NeedOn::Code) || whole.contains(&Permission::Select);
        Self { sql, analyses, needs, effects, catalog, belongings, whole, code }
    }

    fn admin(&self) -> bool {
        self.whole.contains(&Permission::Admin)
    }

    fn ddl(&self) -> bool {
        self.whole.contains(&Permission::Ddl)
    }

    fn whole_dml(&self) -> bool {
        self.whole.contains(&Permission::Dml)
    }

    fn marks(&self, shown: &Witness, found: &mut Vec<String>) {
        for mark in &shown.marks {
            let kind = mark.split(':').next().unwrap_or_default();
            let said = match kind {
                // What compares values, and asks how far apart they are, belongs to types: ANALYZE runs it.
                "s" if self.ddl() && OF_TYPES.contains(&mark.as_str()) => true,
                "s" | "p" => self.admin() || self.code,
                "v" => self.admin(),
                "t" => self.admin() || self.whole_dml() || self.ddl(),
                "ds" => self.admin() || self.code || self.whole_dml() || self.ddl(),
                "dv" => self.admin() || self.whole_dml() || self.ddl(),
                other => panic!("{other}"),
            };
            if !said {
                found.push(format!("{mark} ran"));
            }
        }
        let knows = self.effects.contains(&&SessionEffect::RunsUserCode);
        if let (Some(mark), false) = (shown.marks.first(), knows) {
            found.push(format!("{mark} ran, and nobody knows that the session may have changed"));
        }
    }

    /// Routines of extensions: those that may write are asked for by name, or with everything.
    fn routines(&self, shown: &Witness, found: &mut Vec<String>) {
        use hallpass::kernel::catalog::Volatility;
        for oid in &shown.routines {
            let Some(routine) = self.catalog.routine_by_oid(*oid) else { continue };
            let Some(extension) = &routine.extension else { continue };
            let steady = routine.volatility != Volatility::Volatile && !routine.security_definer;
            let reviewed = builtins::extension_function(extension, &routine.name);
            let harmless = match reviewed {
                Some(
                    builtins::ExtensionRule::Pure
                    | builtins::ExtensionRule::Info
                    | builtins::ExtensionRule::Select,
                ) => true,
                Some(builtins::ExtensionRule::Statements | builtins::ExtensionRule::Admin) => false,
                None => steady,
            };
            if !harmless && !self.admin() && !self.whole_dml() {
                found.push(format!("{}.{} ran", routine.schema, routine.name));
            }
        }
    }

    fn state(&self, shown: &Witness, found: &mut Vec<String>) {
        let runs_code = self.effects.contains(&&SessionEffect::RunsUserCode);
        for (name, value) in &shown.settings {
            let said = runs_code
                || self.effects.iter().any(|effect| match effect {
                    SessionEffect::Setting(change) => {
                        change.name.eq_ignore_ascii_case(name) || change.name == "*"
                    }
                    SessionEffect::Transaction(_) => name.contains("transaction"),
                    _ => false,
                });
            if !said {
                found.push(format!("{name} became {value:?}"));
            }
        }
        let names = |declared: bool| -> BTreeSet<&String> {
            self.effects
                .iter()
                .filter_map(|effect| match effect {
                    SessionEffect::Prepare { name, .. } if !declared => Some(name),
                    SessionEffect::Declare { name, .. } if declared => Some(name),
                    _ => None,
                })
                .collect()
        };
        for (what, left, declared) in
            [("statement", &shown.prepared, false), ("cursor", &shown.cursors, true)]
        {
            let known = names(declared);
            for name in left.iter().filter(|name| !known.contains(name) && !runs_code) {
                found.push(format!("it left the {what} {name}"));
            }
        }
        let writes = self.analyses.iter().any(|a| a.writes);
        if shown.wrote && !writes && !takes_a_number(self.sql) {
            found.push("it wrote".into());
        }
        let dml = self.admin()
            || self.ddl()
            || self.needs.iter().any(|n| n.permission == Permission::Dml);
        if shown.advisory && !dml {
            found.push("it holds an advisory lock".into());
        }
        if shown.ended_transaction
            && !self.effects.iter().any(|e| matches!(e, SessionEffect::Transaction(_)))
        {
            found.push("it ended the transaction".into());
        }
    }

    /// Rows of user relations that come back count against the cap.
    fn rows(&self, shown: &Witness, found: &mut Vec<String>) {
        let counted = self.analyses.iter().any(|a| a.returns_user_rows || a.fetches.is_some())
            || self.analyses.iter().any(|a| a.executes.is_some());
        let of_users = |oid: u32| {
            let relation = self.catalog.relation_by_oid(oid);
            oid >= 16_384 && relation.is_none_or(|r| r.kind != RelationKind::Sequence)
        };
        let tables = shown.answer.iter().filter(|m| m.tag == b'T').flat_map(tables_of);
        // Copying out values of nobody's is export all the same.
        let copies = shown.answer.iter().any(|m| m.tag == b'd')
            && self.analyses.iter().flat_map(|a| &a.relations).any(|r| r.oid.is_some());
        if !counted && (copies || tables.into_iter().any(of_users)) {
            found.push("rows came back uncounted".into());
        }
    }

    /// A name that comes into being may stand before another: it must be known.
    fn names(&self, shown: &Witness, found: &mut Vec<String>) {
        let told: BTreeSet<&String> = self
            .effects
            .iter()
            .filter_map(|effect| match effect {
                SessionEffect::SchemaChange(names) => Some(names),
                _ => None,
            })
            .flatten()
            .collect();
        let anything = self.effects.contains(&&SessionEffect::RunsUserCode)
            || self.effects.contains(&&SessionEffect::SchemaChange(Vec::new()));
        let is_known = |name: &str| {
            self.catalog.relations().any(|r| r.name == *name)
                || !self.catalog.shapes_named(name).is_empty()
        };
        for name in shown.made.iter().filter(|name| !is_known(name)) {
            if !anything && !told.contains(name) {
                found.push(format!("{name} came into being"));
            }
        }
    }

    fn locks(&self, shown: &Witness, found: &mut Vec<String>) {
        let changed = shown.changed.iter().map(|oid| (*oid, "RowExclusiveLock"));
        let locks = shown.locks.iter().map(|(oid, mode)| (*oid, mode.as_str()));
        let mut told = BTreeSet::new();
        for (oid, mode) in locks.chain(changed) {
            let itself = self.catalog.relation_by_oid(oid);
            let Some(relation) = self.catalog.relation_by_oid(self.belongings.owner(oid)) else {
                // It is new, or another session's temporary one.
                continue;
            };
            let said = [Some(relation), itself]
                .into_iter()
                .flatten()
                .any(|relation| self.lock_is_said(relation, mode));
            if !said && told.insert((relation.oid, mode)) {
                found.push(format!("{mode} on {}.{}", relation.schema, relation.name));
            }
        }
    }

    fn lock_is_said(&self, relation: &Relation, mode: &str) -> bool {
        if self.admin() {
            return true;
        }
        if matches!(relation.schema.as_str(), "pg_catalog" | "information_schema") {
            return self.catalog_is_said(relation, mode);
        }
        // `pg_sequence_last_value()`, which `pg_sequences` calls, takes the lock of a writer and reads.
        if relation.kind == RelationKind::Sequence && mode == "RowExclusiveLock" {
            return self.written(relation) || self.reads_catalogs();
        }
        match mode {
            "AccessShareLock" => self.read(relation),
            // The server looks at rows that are referred to by itself, as it checks a key.
            "RowShareLock" => self.written(relation) || self.refers_to(relation),
            "RowExclusiveLock" => self.written(relation),
            // LOCK TABLE and REFRESH are dml; what else locks more than rows redefines.
            _ => self.ddl() || self.locks_tables() && self.written(relation),
        }
    }

    /// Reading most catalogs is info, which many statements don't even need to be told; those that hold
    /// secrets are locked only where they are named, or by a reviewed view over them.
    fn catalog_is_said(&self, relation: &Relation, mode: &str) -> bool {
        if mode == "AccessShareLock" {
            let rule = catalog_relation(&relation.schema, &relation.name).map(|rule| rule.rule);
            let open = matches!(rule, Some(RelationRule::Info | RelationRule::Activity));
            let planned = self.analyses.iter().any(|a| a.kind == StatementKind::Explain);
            return open
                || planned
                || self.describes()
                || self.reads_catalogs()
                || self.ddl()
                || relation.kind == RelationKind::Index;
        }
        let planned = self.analyses.iter().any(|a| a.kind == StatementKind::Explain);
        let of_large_objects = relation.name.starts_with("pg_largeobject");
        // The rows of a materialized view are put into a new file.
        let refreshes = self.analyses.iter().any(|a| a.kind == StatementKind::Refresh);
        self.ddl()
            || refreshes
            || planned
            || of_large_objects && self.needs.iter().any(|n| n.permission == Permission::Dml)
            || mode == "RowShareLock"
    }

    fn reads_catalogs(&self) -> bool {
        self.analyses.iter().flat_map(|a| &a.relations).any(|r| r.is_catalog) || self.describes()
    }

    /// Reviewed functions look at catalogs: `pg_get_ruledef()` locks what it describes.
    fn describes(&self) -> bool {
        let starts = ["pg_", "currval", "lastval"];
        let words = self.sql.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.map(str::to_ascii_lowercase).any(|word| {
            starts.iter().any(|start| word.starts_with(start))
                && matches!(builtins::function(&word), Some(FunctionRule::Info))
        })
    }

    fn locks_tables(&self) -> bool {
        self.analyses.iter().any(|a| matches!(a.kind, StatementKind::Lock | StatementKind::Refresh))
    }

    /// This relation and all that it is a part of: who may change the whole may change the part, as on
    /// the server.
    fn and_parents<'r>(&'r self, relation: &'r Relation) -> Vec<&'r Relation> {
        let mut all = vec![relation];
        let mut at = 0;
        while let Some(next) = all.get(at).copied() {
            all.extend(next.parents.iter().filter_map(|oid| self.catalog.relation_by_oid(*oid)));
            at += 1;
        }
        all
    }

    fn needs_on(&self, relation: &Relation, permissions: &[Permission]) -> bool {
        let all = self.and_parents(relation);
        self.needs.iter().any(|need| {
            permissions.contains(&need.permission)
                && match &need.on {
                    NeedOn::Relation { schema, name, .. } => {
                        all.iter().any(|r| r.schema == *schema && r.name == *name)
                            // A name that nobody knows is no scope's.
                            || schema.is_empty() && all.iter().any(|r| r.name == *name)
                    }
                    NeedOn::WholeTarget => true,
                    NeedOn::Code => need.permission == Permission::Select,
                    NeedOn::Anything | NeedOn::Moved { .. } | NeedOn::Nobody => false,
                }
        })
    }

    fn read(&self, relation: &Relation) -> bool {
        let planned = self
            .analyses
            .iter()
            .any(|a| matches!(a.kind, StatementKind::Explain | StatementKind::Prepare));
        let of_code = self.code || self.whole_dml();
        planned
            || of_code
            || self.ddl()
            || relation.kind == RelationKind::Sequence
            || self.reads_catalogs()
            || self.needs_on(relation, &[Permission::Select, Permission::Dml])
    }

    fn written(&self, relation: &Relation) -> bool {
        let planned = self.analyses.iter().any(|a| a.kind == StatementKind::Explain);
        planned || self.ddl() || self.needs_on(relation, &[Permission::Dml])
    }

    /// True if something that is written has a key that points there.
    fn refers_to(&self, relation: &Relation) -> bool {
        let of = |oid: &u32| self.catalog.relation_by_oid(*oid);
        self.belongings.referring.iter().any(|(to, from, _)| {
            let (Some(to), Some(from)) = (of(to), of(from)) else { return false };
            let related = self.and_parents(relation).iter().any(|r| r.oid == to.oid);
            related && self.needs_on(from, &[Permission::Dml])
        })
    }
}

/// `txid_current()` and `pg_current_xact_id()` give the transaction a number and change nothing: they run
/// in a read-only transaction too, and tools call them to read what others wrote.
fn takes_a_number(sql: &str) -> bool {
    ["txid_current", "pg_current_xact_id"].iter().any(|name| sql.contains(name))
}

/// The relations whose columns a RowDescription names; 0 for none.
fn tables_of(description: &Message) -> Vec<u32> {
    let mut rest = description.body.get(2..).unwrap_or_default();
    let mut tables = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == 0) {
        let Some((oid, after)) = rest[end + 1..].split_first_chunk::<4>() else { break };
        tables.push(u32::from_be_bytes(*oid));
        rest = after.get(14..).unwrap_or_default();
    }
    tables
}
