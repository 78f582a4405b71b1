//! What a text's statements make of relations and types, for those that stand behind them in the same text:
//! nobody can ask the server between.
//!
//! All of a text before the end of its transaction is one with it: what a statement has made or locked,
//! nobody else changes until then. Fail closed: of what doesn't stand here nobody knows what is there behind
//! it, and of a name that may lead to several relations, whether it is this one that has changed.

use std::{collections::BTreeSet, sync::Arc};

use super::{Seen, SeenColumn, SeenType, Sight};
use crate::kernel::{
    catalog::{Catalog, Relation, RelationKind},
    sql::{
        analysis::{Analysis, SessionEffect},
        builtins,
        context::{Context, SearchPath},
        reading::{Change, ColumnStep, MadeColumn, RawName, Reading, TransactionChange},
    },
};

/// What is known of the session's own names where the next statement of a text stands.
#[derive(Default)]
pub(in crate::kernel::sql) struct Foreseen {
    sight: Option<Arc<Sight>>,
    /// What this text has made, under numbers that nothing has.
    made: BTreeSet<u32>,
}

/// So many relations are looked at for one text.
const RELATIONS: usize = 500;

impl Foreseen {
    /// Before the first statement.
    pub(in crate::kernel::sql) fn new(cx: &Context<'_>) -> Self {
        let overlay = cx.overlay;
        let untouched =
            overlay.names().is_empty() && !overlay.may_hold_anything() && !overlay.holds_copies();
        let sight = if untouched {
            Some(Arc::new(Sight::default().of_all()))
        } else {
            overlay.shared_sight()
        };
        Self { sight, made: BTreeSet::new() }
    }

    /// What is known now.
    pub(in crate::kernel::sql) fn sight(&self) -> Option<&Arc<Sight>> {
        self.sight.as_ref()
    }

    /// Behind a statement that was judged in this context.
    pub(in crate::kernel::sql) fn after(
        &mut self,
        reading: &Reading,
        analysis: &Analysis,
        cx: &Context<'_>,
    ) {
        if analysis.effects.is_empty() {
            return;
        }
        let known = analysis.effects.iter().all(|effect| self.outlasts(effect, reading));
        let changes = |effect: &SessionEffect| matches!(effect, SessionEffect::SchemaChange(_));
        let changes = analysis.effects.iter().any(changes);
        self.sight = self.sight.take().filter(|_| known).and_then(|mut sight| {
            if changes {
                let known = Arc::make_mut(&mut sight);
                self.change(known, reading.change.as_ref()?, (reading, cx))?;
            }
            (sight.relations.len() <= RELATIONS).then_some(sight)
        });
    }

    /// True if what is known holds behind this too, but for what the statement itself says.
    fn outlasts(&mut self, effect: &SessionEffect, reading: &Reading) -> bool {
        match effect {
            SessionEffect::SchemaChange(_)
            | SessionEffect::Renamed(_)
            | SessionEffect::MadeTemporary(..)
            | SessionEffect::Prepare { .. }
            | SessionEffect::Deallocate(_)
            | SessionEffect::Close(_) => true,
            SessionEffect::MadeType(_) => matches!(reading.change, Some(Change::Enum(_))),
            SessionEffect::Declare { inner, .. } => {
                !inner.effects.contains(&SessionEffect::RunsUserCode)
            }
            SessionEffect::Setting(change) => match change.name.as_str() {
                "*" | "role" | "session_authorization" => false,
                "search_path" => {
                    // What a view shows was printed for the path of before.
                    self.forget_definitions();
                    true
                }
                _ => true,
            },
            SessionEffect::Transaction(change) => match change {
                TransactionChange::Savepoint(_) | TransactionChange::Release(_) => true,
                // What the server has said is of before it.
                TransactionChange::Begin { .. } | TransactionChange::Set { .. } => {
                    self.sight.as_ref().is_some_and(|sight| sight.is_empty())
                }
                TransactionChange::Commit { .. }
                | TransactionChange::Rollback { .. }
                | TransactionChange::RollbackTo(_) => false,
            },
            SessionEffect::DiscardAll
            | SessionEffect::DiscardPart
            | SessionEffect::Commits
            | SessionEffect::Quotes
            | SessionEffect::Use(_)
            | SessionEffect::RunsUserCode => false,
        }
    }

    fn forget_definitions(&mut self) {
        let Some(sight) = &mut self.sight else { return };
        if sight.relations.values().all(|seen| seen.definition.is_none()) {
            return;
        }
        let sight = Arc::make_mut(sight);
        sight.relations.values_mut().for_each(|seen| seen.definition = None);
    }

    /// `None`: nobody knows what is there behind it.
    fn change(
        &mut self,
        sight: &mut Sight,
        change: &Change,
        (reading, cx): (&Reading, &Context<'_>),
    ) -> Option<()> {
        match change {
            Change::Table { name, columns } => {
                runs_no_code(reading, sight, cx)?;
                let columns: Option<_> = columns.iter().map(|c| column(c, cx)).collect();
                self.make(sight, (name, "r", columns?), cx)
            }
            Change::Opaque(name) => self.make(sight, (name, "v", Vec::new()), cx),
            Change::Columns { of, steps } => {
                runs_no_code(reading, sight, cx)?;
                for oid in self.led_to(sight, of, cx)? {
                    let seen = sight.relations.get_mut(&oid)?;
                    // Of what belongs together, what is known of the others' columns counts as well, by name.
                    (seen.kind != "v").then_some(())?;
                    steps.iter().try_for_each(|one| step(seen, one, cx))?;
                }
                Some(())
            }
            Change::Renamed { of, name } => {
                cover(sight, name, cx)?;
                for oid in self.led_to(sight, of, cx)? {
                    sight.relations.get_mut(&oid)?.name.clone_from(name);
                }
                Some(())
            }
            Change::Dropped(names) => {
                for name in names {
                    for oid in self.led_to(sight, name, cx)? {
                        sight.relations.remove(&oid);
                    }
                }
                Some(())
            }
            Change::Kept(names) => {
                names.iter().try_for_each(|name| cover(sight, name.base(), cx))?;
                runs_no_code(reading, sight, cx)
            }
            // Nothing of the name is looked at here, so that the server's order of schemas doesn't matter.
            Change::Temporary(name) => sight.all_named(name).next().is_none().then_some(()),
            Change::Enum(name) => {
                is_new_type(name, cx).then_some(())?;
                let (name, oids) = (name.base().to_owned(), [0, 0]);
                sight.types.push(SeenType { name, oids, is_plain_enum: true });
                Some(())
            }
        }
    }

    /// A relation comes into being, in the first schema of the path that is there: each may be it. Where
    /// there is one of that name, that stays.
    fn make(
        &mut self,
        sight: &mut Sight,
        (name, kind, columns): (&RawName, &str, Vec<SeenColumn>),
        cx: &Context<'_>,
    ) -> Option<()> {
        cover(sight, name.base(), cx)?;
        let schemas: Vec<&str> = match (name.schema(), cx.path) {
            (Some(schema), _) => vec![schema],
            (None, SearchPath::Known(path)) => {
                let on_path = path.iter().map(String::as_str);
                on_path.filter(|s| !s.starts_with("pg_") && *s != "information_schema").collect()
            }
            (None, SearchPath::Unknown) => return None,
        };
        if schemas.is_empty() {
            return None;
        }
        for schema in schemas {
            if let Some(there) = sight.named(schema, name.base()).map(|seen| seen.oid) {
                if kind == "v" {
                    // OR REPLACE.
                    let seen = sight.relations.get_mut(&there)?;
                    (seen.kind, seen.definition) = (kind.to_owned(), None);
                }
                continue;
            }
            let mut free = (0..=u32::MAX).rev();
            let oid = free.find(|oid| !sight.relations.contains_key(oid))?;
            let made = Seen {
                oid,
                schema: schema.to_owned(),
                name: name.base().to_owned(),
                kind: kind.to_owned(),
                runs_code: false,
                definition: None,
                ties: BTreeSet::new(),
                columns: columns.clone(),
            };
            sight.relations.insert(oid, made);
            self.made.insert(oid);
        }
        Some(())
    }

    /// Those of the relations that are known which a name leads to: several only if one of them is what
    /// this text has made. `None`: it may be another.
    fn led_to(&self, sight: &mut Sight, name: &RawName, cx: &Context<'_>) -> Option<Vec<u32>> {
        cover(sight, name.base(), cx)?;
        let found: Vec<u32> = match (name.schema(), cx.path) {
            (Some(schema), _) if schema.starts_with("pg_temp") => return None,
            (Some(schema), _) => {
                sight.named(schema, name.base()).map(|seen| seen.oid).into_iter().collect()
            }
            (None, SearchPath::Known(path)) => {
                let named = path.iter().filter_map(|schema| sight.named(schema, name.base()));
                named.map(|seen| seen.oid).collect()
            }
            (None, SearchPath::Unknown) => return None,
        };
        let certain = found.len() < 2 || found.iter().all(|oid| self.made.contains(oid));
        certain.then_some(found)
    }
}

/// Takes over what the catalog knows of a name that nobody in this session has touched before. `None`: a
/// temporary table of before may have it, of which nobody knows here.
fn cover(sight: &mut Sight, name: &str, cx: &Context<'_>) -> Option<()> {
    if cx.overlay.contains(name) {
        return Some(());
    }
    let SearchPath::Known(path) = cx.path else { return None };
    if path.iter().any(|schema| schema.starts_with("pg_temp")) {
        return None;
    }
    for relation in cx.catalog.relations_named(name) {
        let of_relation = || of_catalog(relation, cx.catalog);
        sight.relations.entry(relation.oid).or_insert_with(of_relation);
    }
    Some(())
}

fn of_catalog(relation: &Relation, catalog: &Catalog) -> Seen {
    let kind = match relation.kind {
        RelationKind::Table => "r",
        RelationKind::Sequence => "S",
        // Nobody looks into these here.
        RelationKind::View
        | RelationKind::MaterializedView
        | RelationKind::ForeignTable
        | RelationKind::Index
        | RelationKind::CompositeType
        | RelationKind::Toast => "v",
    };
    let called = [&relation.calls, &relation.policies, &relation.triggers, &relation.planned];
    let types = relation.columns.iter().map(|column| column.type_oid).collect();
    let heirs = catalog.relations().filter(|other| other.parents.contains(&relation.oid));
    Seen {
        oid: relation.oid,
        schema: relation.schema.clone(),
        name: relation.name.clone(),
        kind: kind.to_owned(),
        runs_code: relation.has_rules
            || called.iter().any(|list| !list.is_empty())
            || calls(catalog, types),
        definition: None,
        ties: heirs.map(|heir| heir.oid).chain(relation.parents.iter().copied()).collect(),
        columns: relation
            .columns
            .iter()
            .map(|column| SeenColumn {
                number: column.number,
                name: column.name.clone(),
                type_oid: column.type_oid,
                type_name: column.type_name.clone(),
                of_users_type: column.type_oid >= FIRST_OF_USERS,
                // What rules make of it the catalog says.
                comment: None,
                generated: column.generated.is_some(),
            })
            .collect(),
    }
}

/// `FirstNormalObjectId`: the server's own objects have lower numbers.
const FIRST_OF_USERS: u32 = 16_384;

/// True if values of these types, or of what is inside of them, run code of the users'.
fn calls(catalog: &Catalog, mut left: Vec<u32>) -> bool {
    let mut met = BTreeSet::new();
    while let Some(oid) = left.pop() {
        if !met.insert(oid) {
            continue;
        }
        let Some(shape) = catalog.shape(oid) else { continue };
        if !shape.calls.is_empty() || !shape.compares.is_empty() {
            return true;
        }
        left.extend(&shape.parts);
    }
    false
}

/// A column that is made. `None`: nobody knows what its values are.
fn column(made: &MadeColumn, cx: &Context<'_>) -> Option<SeenColumn> {
    // A rule may mean it by its type, which the server would have to print.
    if cx.catalog.marks.goes_by_types() {
        return None;
    }
    let type_oid = match cx.catalog.shapes_named(made.of.base()) {
        [] => 0,
        [only] if !made.is_array => *only,
        _ => return None,
    };
    Some(SeenColumn {
        // No column has it.
        number: 0,
        name: made.name.clone(),
        type_oid,
        type_name: String::new(),
        of_users_type: type_oid != 0,
        comment: None,
        generated: made.generated,
    })
}

fn step(seen: &mut Seen, step: &ColumnStep, cx: &Context<'_>) -> Option<()> {
    let at = |seen: &Seen, name: &str| seen.columns.iter().position(|c| c.name == name);
    match step {
        ColumnStep::Made(made) => {
            if at(seen, &made.name).is_none() {
                seen.columns.push(column(made, cx)?);
            }
        }
        ColumnStep::Gone(name) => seen.columns.retain(|column| column.name != *name),
        ColumnStep::Renamed { from, to } => {
            if let Some(at) = at(seen, from) {
                seen.columns.get_mut(at)?.name.clone_from(to);
            }
        }
        ColumnStep::Retyped(made) => {
            let made = column(made, cx)?;
            if let Some(at) = at(seen, &made.name) {
                let column = seen.columns.get_mut(at)?;
                *column = SeenColumn { number: column.number, ..made };
            }
        }
        ColumnStep::Commented(name, comment) => {
            if let Some(at) = at(seen, name) {
                seen.columns.get_mut(at)?.comment.clone_from(comment);
            }
        }
    }
    Some(())
}

/// What a statement defines runs no code of the users' when rows are written: its expressions call the
/// server's own and reviewed functions, and its types are the server's, or have no code behind them.
fn runs_no_code(reading: &Reading, sight: &Sight, cx: &Context<'_>) -> Option<()> {
    let (catalog, overlay) = (cx.catalog, cx.overlay);
    let is_system = |name: &RawName| name.schema().is_none_or(|schema| schema == "pg_catalog");
    let calls_none = reading.routines.iter().all(|used| {
        let name = used.name.base();
        is_system(&used.name)
            && !overlay.holds_type(name)
            && catalog.routines_named(name).all(|routine| routine.extension.is_some())
            && catalog.types_named(name).is_empty()
            && catalog.shapes_named(name).is_empty()
            && (builtins::function(name).is_some() || catalog.routines_named(name).next().is_some())
    });
    let mut operators = reading.operators.iter().map(String::as_str).chain(["=", "<"]);
    let has_operators = operators.any(|name| !catalog.operators_named(name).is_empty());
    let types = reading.types.iter().all(|name| {
        let base = name.base();
        let shapes = catalog.shapes_named(base);
        if !overlay.holds_type(base) && shapes.is_empty() {
            return catalog.types_named(base).is_empty()
                && is_system(name)
                && (builtins::is_built_in_type(base) || SERIAL.contains(&base));
        }
        if overlay.holds_type(base) {
            return sight.is_plain_enum(base);
        }
        let known = catalog.types_named(base).iter().all(|one| one.calls.is_empty());
        known && !calls(catalog, shapes.to_vec())
    });
    (calls_none && !has_operators && types && reading.columns.is_some()).then_some(())
}

/// What the grammar knows as a column with a sequence behind it.
const SERIAL: [&str; 6] = ["bigserial", "serial", "serial2", "serial4", "serial8", "smallserial"];

/// True if nothing else goes by this type's name.
fn is_new_type(name: &RawName, cx: &Context<'_>) -> bool {
    let base = name.base();
    !cx.overlay.holds_type(base)
        && cx.catalog.shapes_named(base).is_empty()
        && cx.catalog.types_named(base).is_empty()
        && !builtins::is_built_in_type(base)
}
