//! What a statement does with masked columns, and what of that needs unmask.

use std::{collections::BTreeSet, sync::Arc};

use crate::kernel::{
    access::Permission,
    mask::{Nulls, Predicates, marks::Masked},
    sql::{
        analysis::{Analysis, Need, NeedOn, SessionEffect},
        builtins::mysql,
        constants::Guarded,
        context::Context,
        judge::{masked_definitions, meanings, names::Resolved},
        lineage::{ColumnId, Label, Lineage, Purpose, Use, follow, shape::Shape},
        mode::Dialect,
        reading::{Access, Reading, StatementKind, Temporary},
    },
};

/// So many values may be looked for at once where a rule allows equality.
const EQUALS_MAX: usize = 5;

/// Adds to an analysis what masks have to do with it.
pub(super) fn mask(analysis: &mut Analysis, reading: &Reading, cx: &Context<'_>) {
    let marks = &cx.catalog.marks;
    analysis.rules = Some(marks.version());
    if marks.is_empty() {
        return;
    }
    if runs_anything(analysis, reading) {
        analysis.needs.push(Need {
            permission: Permission::Unmask,
            on: NeedOn::WholeTarget,
            why: "nothing can be masked in what it may do".to_owned(),
        });
    }
    if analysis.needs.iter().any(|need| need.on == NeedOn::Code) {
        analysis.needs.push(Need {
            permission: Permission::Unmask,
            on: NeedOn::WholeTarget,
            why: "runs code that isn't trusted and may read what is masked".to_owned(),
        });
    }
    if let Some(why) = tells_lengths(reading, cx) {
        let on = NeedOn::WholeTarget;
        analysis.needs.push(Need { permission: Permission::Unmask, on, why: why.to_owned() });
    }
    let reach = reach(reading, cx);
    analysis.guarded = guarded(reading, cx).map(Arc::new);
    masked_definitions::need(analysis, reading, cx);
    let modelled = !matches!(reading.shape.as_deref(), None | Some(Shape::Opaque(_)));
    // The session knows whether messages may quote what is masked.
    let messages = reading.top == StatementKind::ShowWarnings;
    if cx.mode.dialect != Dialect::Postgres && !modelled && !messages {
        let Some(why) = touches_masked(analysis, reading, cx) else {
            made_temporary(analysis, reading, cx);
            return;
        };
        let on = NeedOn::WholeTarget;
        analysis.needs.push(Need { permission: Permission::Unmask, on, why });
    }
    let Some(shape) = reading.shape.as_deref() else {
        made_temporary(analysis, reading, cx);
        return;
    };
    let lineage = follow(shape, cx, marks.sensitive());
    // What is said first is what the statement is about: that it overwrites, before how it finds rows.
    let mut uses: Vec<_> = lineage.uses.iter().collect();
    uses.sort_by_key(|found| match found.purpose {
        Purpose::Assigns => 0,
        Purpose::Stores => 1,
        Purpose::Equals(_) | Purpose::Filters | Purpose::AsksNull => 2,
        Purpose::Compares => 3,
        Purpose::Computes => 4,
    });
    for found in uses {
        needs(analysis, found, cx);
    }
    if lineage.is_clear() && analysis.executes.is_none() {
        made_temporary(analysis, reading, cx);
    }
    refuse_unknown(analysis, &lineage, cx);
    refuse_copies(analysis, &lineage, cx);
    let reaches_anything =
        analysis.effects.contains(&SessionEffect::RunsUserCode) || reaches_new(reading, cx);
    if lineage.is_clear() && reach.is_empty() && !reaches_anything {
        return;
    }
    analysis.masked =
        Some(Arc::new(Masked { lineage, reach, reaches_anything, marks: Arc::clone(marks) }));
}

/// Why what the server counts may tell of masked values: how many messages there were, how many bytes it has
/// sent. `None`: it doesn't show that.
fn tells_lengths(reading: &Reading, cx: &Context<'_>) -> Option<&'static str> {
    if cx.mode.dialect == Dialect::Postgres {
        return None;
    }
    let counts = ["warning_count", "error_count"];
    let mut read = reading.mysql.system.iter();
    if cx.overlay.is_quoted() && read.any(|name| counts.contains(&name.as_str())) {
        return Some("shows how many messages there were, which may tell of what is masked");
    }
    let lists = reading.top == StatementKind::Show && reading.object.as_deref() == Some("status");
    let asks = reading.columns.as_ref().is_some_and(|c| c.names.contains("value"));
    let is_one = |meaning: &Resolved<'_>| match meaning {
        Resolved::Catalog { name, .. } => mysql::shows_status(name),
        Resolved::User(_) | Resolved::Unreviewed { .. } | Resolved::Unknown { .. } => false,
    };
    let mut used = reading.relations.iter();
    let shows = used.any(|used| meanings(&used.name, cx).all().any(&is_one));
    (lists && asks || shows).then_some(
        "shows how many bytes were sent, which tells of what is masked: SHOW STATUS shows the rest",
    )
}

/// Why a statement whose rows flow in a way that isn't modelled may have to do with something masked: give
/// it out, ask something of it, or copy it. `None`: nothing that it touches is, or shows what is.
fn touches_masked(analysis: &Analysis, reading: &Reading, cx: &Context<'_>) -> Option<String> {
    let sensitive = cx.catalog.marks.sensitive();
    if analysis.effects.contains(&SessionEffect::RunsUserCode) {
        return Some("runs code that may read what is masked".to_owned());
    }
    if analysis.executes.is_some() || analysis.fetches.is_some() {
        // Weighed where it was named.
        return None;
    }
    if reading.kinds.contains(&StatementKind::Handler) {
        return Some("reads rows of a table that was opened before".to_owned());
    }
    if reading.kinds.contains(&StatementKind::ShowWarnings) && cx.overlay.is_quoted() {
        return Some("shows messages that may quote what is masked".to_owned());
    }
    if cx.overlay.is_tainted() && !reading.mysql.read.is_empty() {
        return Some("reads a variable that may hold what is masked".to_owned());
    }
    for used in &reading.relations {
        if matches!(used.access, Access::Define | Access::LockTable | Access::Refer) {
            // A change of definitions is weighed as such, and what they are shows no value.
            continue;
        }
        for meaning in meanings(&used.name, cx).all() {
            let masked = match meaning {
                Resolved::User(relation) => sensitive.reaches(relation.oid),
                Resolved::Catalog { .. } => false,
                Resolved::Unreviewed { .. } | Resolved::Unknown { .. } => true,
            };
            if masked {
                return Some(format!(
                    "has to do with {}, which has masked columns or isn't known: how rows flow in \
                     this statement isn't followed",
                    used.name
                ));
            }
        }
    }
    None
}

/// Where the settings say so, what may give out masked values for all that is known needs unmask. What a
/// name runs is weighed where it was named, and COPY FROM gives nothing out.
fn refuse_unknown(analysis: &mut Analysis, lineage: &Lineage, cx: &Context<'_>) {
    let elsewhere = analysis.executes.is_some()
        || analysis.fetches.is_some()
        || analysis.kind == StatementKind::CopyFromClient;
    if !cx.trust.masking().unknown_refused || elsewhere || !lineage.gives_unknown() {
        return;
    }
    let what = lineage.doubt.as_deref().unwrap_or("how it is made");
    analysis.needs.push(Need {
        permission: Permission::Unmask,
        on: NeedOn::WholeTarget,
        why: format!(
            "gives out what may be masked, which can't be told ({what}) and is refused here by \
             mask.unknown: leave that out, or write out the columns"
        ),
    });
}

/// Where the settings say so, a COPY that would come masked needs unmask.
fn refuse_copies(analysis: &mut Analysis, lineage: &Lineage, cx: &Context<'_>) {
    if !cx.trust.masking().copies_refused || analysis.kind != StatementKind::CopyToClient {
        return;
    }
    let marks = &cx.catalog.marks;
    let labels = || lineage.outputs.iter().flatten().map(|output| &output.label);
    let all: BTreeSet<ColumnId> =
        labels().chain([&lineage.rest]).flat_map(Label::columns).collect();
    for mark in all.iter().filter_map(|column| marks.marked(*column)) {
        let (schema, name) = (mark.schema.clone(), mark.table.clone());
        analysis.needs.push(Need {
            permission: Permission::Unmask,
            on: NeedOn::Relation { schema, name, of: Vec::new() },
            why: format!(
                "copies out {mark}, which is masked, and masked copies are refused here by mask.copy: \
                 name the other columns; pg_dump has --exclude-table-data"
            ),
        });
    }
    if lineage.gives_unknown() {
        analysis.needs.push(Need {
            permission: Permission::Unmask,
            on: NeedOn::WholeTarget,
            why: "copies out what may be masked, and masked copies are refused here by mask.copy"
                .to_owned(),
        });
    }
}

/// True of what needs admin because nobody knows what it does. Maintenance and privileges move no values.
fn runs_anything(analysis: &Analysis, reading: &Reading) -> bool {
    let quiet = [
        StatementKind::Maintenance,
        StatementKind::Privileges,
        StatementKind::TwoPhase,
        StatementKind::SetRole,
        StatementKind::Server,
    ];
    let is_quiet = reading.kinds.iter().all(|kind| quiet.contains(kind));
    !is_quiet && analysis.needs.iter().any(|need| need.permission == Permission::Admin)
}

/// The temporary table that it makes holds nothing masked, or one that it changes still holds nothing.
fn made_temporary(analysis: &mut Analysis, reading: &Reading, cx: &Context<'_>) {
    if analysis.effects.contains(&SessionEffect::RunsUserCode) {
        return;
    }
    let kept = reading.keeps.as_ref().filter(|name| cx.is_clean_temporary(name));
    let kept = kept.map(|name| Temporary { name: name.base().to_owned(), until_commit: false });
    let made = reading.temporary.clone().or(kept);
    let rules = cx.catalog.marks.version();
    analysis.effects.extend(made.map(|made| SessionEffect::MadeTemporary(made, rules)));
}

/// The masked columns of all relations that the statement names, and of those behind them.
fn reach(reading: &Reading, cx: &Context<'_>) -> BTreeSet<ColumnId> {
    let sensitive = cx.catalog.marks.sensitive();
    let mut reach = BTreeSet::new();
    for used in &reading.relations {
        for meaning in meanings(&used.name, cx).all() {
            let Resolved::User(relation) = meaning else { continue };
            if !sensitive.reaches(relation.oid) {
                continue;
            }
            for column in &relation.columns {
                reach.extend(sensitive.label(relation.oid, column.number).columns());
            }
        }
    }
    reach
}

/// True if a relation that the session has made or altered, as its server has it now, has masked columns
/// that the catalog knows nothing of: errors and notices may quote them.
fn reaches_new(reading: &Reading, cx: &Context<'_>) -> bool {
    let marks = &cx.catalog.marks;
    let Some(sight) = cx.overlay.sight() else { return false };
    let named = || reading.relations.iter().flat_map(|used| sight.all_named(used.name.base()));
    if named().any(|seen| seen.definition().is_some()) {
        // What a view reads stands behind it.
        return true;
    }
    let mut columns =
        named().flat_map(|seen| seen.columns.iter().map(move |column| (seen, column)));
    columns.any(|(seen, column)| marks.may_mean(seen, column))
}

/// What of its constants no record may show.
fn guarded(reading: &Reading, cx: &Context<'_>) -> Option<Guarded> {
    let sensitive = cx.catalog.marks.sensitive();
    let mut guarded = Guarded::default();
    let mut written = BTreeSet::new();
    for used in &reading.relations {
        for meaning in meanings(&used.name, cx).all() {
            let relation = match meaning {
                Resolved::User(relation) => relation,
                Resolved::Catalog { .. } => continue,
                // Fail closed: its columns may be masked.
                Resolved::Unreviewed { .. } | Resolved::Unknown { .. } => {
                    guarded.unknown = true;
                    continue;
                }
            };
            guarded.unknown |= sensitive.is_blind();
            if used.access == Access::Write && written.insert(relation.oid) {
                let columns = relation.columns.iter().map(|column| column.name.clone());
                guarded.columns = columns.collect();
            }
            let masked = relation
                .columns
                .iter()
                .filter(|column| !sensitive.label(relation.oid, column.number).is_clear());
            guarded.names.extend(masked.map(|column| column.name.clone()));
        }
    }
    // Fail closed: nobody knows which of them it is.
    if written.len() != 1 {
        guarded.columns.clear();
    }
    (guarded.unknown || !guarded.names.is_empty()).then_some(guarded)
}

/// What one use needs, by the rules of the columns, and what one can do instead.
fn needs(analysis: &mut Analysis, found: &Use, cx: &Context<'_>) {
    let marks = &cx.catalog.marks;
    let what = match found.purpose {
        Purpose::Equals(_) | Purpose::Filters => "finds rows by",
        Purpose::AsksNull => "asks for NULL in",
        Purpose::Compares => "sorts or groups by",
        Purpose::Computes => "computes with",
        Purpose::Stores => "copies",
        Purpose::Assigns => "overwrites",
    };
    // Values that come from nowhere: what is copied there is a use of its own.
    if found.purpose == Purpose::Assigns && cx.trust.masking().writes_allowed {
        return;
    }
    let asks_null = found.purpose == Purpose::AsksNull;
    if found.of.is_unknown() && (!asks_null || marks.hides_nulls()) {
        analysis.needs.push(Need {
            permission: Permission::Unmask,
            on: NeedOn::WholeTarget,
            why: format!("{what} what may be masked: nobody knows which column it is"),
        });
    }
    for column in found.of.columns() {
        let Some(mark) = marks.marked(column) else { continue };
        let allowed = match (found.purpose, mark.predicates) {
            (Purpose::Stores | Purpose::Assigns, _) => false,
            // A mask leaves NULL what is NULL, so that asking tells no more, unless its rule hides that.
            (Purpose::AsksNull, _) if mark.nulls == Nulls::Stay => true,
            (_, Predicates::Allow) => true,
            (Purpose::Equals(constants), Predicates::Equality) => constants <= EQUALS_MAX,
            (_, Predicates::Equality | Predicates::Deny) => false,
        };
        if allowed {
            continue;
        }
        let on = NeedOn::Relation {
            schema: mark.schema.clone(),
            name: mark.table.clone(),
            of: Vec::new(),
        };
        let instead = instead(found.purpose, mark.predicates);
        let why = format!("{what} {mark}, which is masked: {instead}");
        analysis.needs.push(Need { permission: Permission::Unmask, on, why });
    }
}

/// Another form of the statement that needs no unmask.
fn instead(purpose: Purpose, predicates: Predicates) -> String {
    match (purpose, predicates) {
        (Purpose::Equals(_) | Purpose::Filters, Predicates::Equality) => {
            format!("only = and IN with up to {EQUALS_MAX} values may be asked of it")
        }
        (Purpose::Equals(_) | Purpose::Filters, Predicates::Deny | Predicates::Allow) => {
            "find them by other columns".to_owned()
        }
        (Purpose::AsksNull, _) => "its rule hides what is NULL; leave that out".to_owned(),
        (Purpose::Compares, _) => "use another column, the key for instance".to_owned(),
        (Purpose::Computes, _) => {
            "what may fail or make rows by its value would tell it; select it as it is".to_owned()
        }
        (Purpose::Stores, _) => "leave it out".to_owned(),
        (Purpose::Assigns, _) => "set only the columns that change, without it".to_owned(),
    }
}
