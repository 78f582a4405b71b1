//! What is masked in what a statement gives, and what is asked of masked columns. The same for both
//! protocols.

use std::{collections::BTreeMap, sync::Arc};

use super::{probes::Asked, result::Run, services::Services, signal::SessionHandle};
use crate::kernel::{
    catalog::Catalog,
    mask::{
        ColumnType, Format, Predicates,
        marks::{Described, Marks, Masked, Mismatch, Order},
    },
    policy::Permit,
    refusal::{Refusal, RefusalKind},
    sql::{
        Masking,
        analysis::{Analysis, SessionEffect},
        lineage::Purpose,
    },
    time::Timestamp,
};

/// What has to happen to the rows of a run, as far as its permit doesn't show what is masked. `runs`: what
/// it does; `None`: nobody knows.
pub fn order(
    run: &Run,
    runs: Option<&Analysis>,
    (marks, masking): (&Arc<Marks>, Masking),
) -> Option<Order> {
    if marks.is_empty() {
        return None;
    }
    let nothing = Arc::default();
    let shown = run.shown.as_ref().unwrap_or(&nothing);
    // Fail closed: nobody knows what runs; or a cursor or a portal was made under other rules.
    let known = runs.filter(|a| a.rules.is_none_or(|rules| rules == marks.version()));
    let masked = match known {
        Some(analysis) => analysis.masked.clone(),
        None => Some(Arc::new(Masked::unknown(marks))),
    };
    let order = masked.and_then(|masked| masked.order(shown));
    order.map(|order| order.refusing(masking.unknown_refused))
}

/// Ends a result that is on its way where more of it is masked by now than was when it was judged, so that
/// rules hold at once and not from the next statement on. True if it ended. `runs`: what it does; `None`:
/// nobody knows, and where there were rules nothing of it goes out in clear.
pub fn ends_unmasked(run: &mut Run, runs: Option<&Analysis>, catalog: &Catalog) -> bool {
    let gives_rows = runs.map_or(run.mask.is_none(), |runs| runs.returns_user_rows);
    if !gives_rows || run.cut.is_some() {
        return false;
    }
    let nothing = Arc::default();
    let shown = run.shown.as_ref().unwrap_or(&nothing);
    let before = runs.and_then(|runs| runs.masked.as_ref()).map(|masked| &*masked.marks);
    let known = runs.filter(|a| !a.effects.contains(&SessionEffect::RunsUserCode));
    let relations = known.map(|runs| runs.relations.iter().filter_map(|r| r.oid));
    let reached = relations.map(|relations| catalog.marks.reach(relations, catalog));
    let ends = catalog.marks.hides_more(before, shown, reached.as_ref());
    if ends {
        let text = "cut off: other mask rules have come into force while this ran";
        run.cut(
            Refusal::new(RefusalKind::StatementCancelled, text)
                .with_hint("Run it again: what is masked now comes masked."),
        );
    }
    ends
}

/// Counts the values that masked columns are asked for by statements that run.
///
/// # Errors
/// They are too many.
pub fn take_probes<'a>(
    runs: impl Iterator<Item = &'a Analysis>,
    permit: &Permit,
    (services, handle, now): (&Services, &SessionHandle, Timestamp),
) -> Result<(), Refusal> {
    let mut values: BTreeMap<String, u64> = BTreeMap::new();
    let hidden = |column| permit.shown().is_none_or(|s| !s.all && !s.columns.contains(&column));
    for masked in runs.filter_map(|a| a.masked.as_deref()) {
        for one in &masked.lineage.uses {
            let Purpose::Equals(count) = one.purpose else { continue };
            for column in one.of.columns().filter(|column| hidden(*column)) {
                let mark = masked.marks.marked(column);
                if let Some(mark) = mark.filter(|m| m.predicates == Predicates::Equality) {
                    *values.entry(mark.to_string()).or_default() += count as u64;
                }
            }
        }
    }
    if values.is_empty() {
        return Ok(());
    }
    let asked = |(column, count)| {
        let (principal, target) = (handle.principal.clone(), handle.target.clone());
        (Asked { principal, target, column }, count)
    };
    let first = values.keys().next().cloned().unwrap_or_default();
    let asked: Vec<_> = values.into_iter().map(asked).collect();
    let most = services.world.load().limits.mask_probes;
    if services.probes.take(&asked, most, now) {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalKind::LimitExceeded,
        format!("no more values of {first} can be looked for in this hour: it is masked"),
    )
    .with_detail(format!("At most {most} in an hour (limits.mask_probes)."))
    .with_hint("Ask for sql.unmask, or find the rows by another column."))
}

/// Refuses parameters of statements that run which have to be strings and aren't: what is masked would be
/// compared with a number, which nearly every text is equal to that is none. `is_text`: of a parameter, from
/// 1; of any that it may be if nobody knows which.
///
/// # Errors
/// One is none.
pub fn refuse_numbers<'a>(
    runs: impl Iterator<Item = &'a Analysis>,
    permit: &Permit,
    is_text: impl Fn(Option<u16>) -> bool,
) -> Result<(), Refusal> {
    let hidden = |column| permit.shown().is_none_or(|s| !s.all && !s.columns.contains(&column));
    for masked in runs.filter_map(|a| a.masked.as_deref()) {
        let asked = masked.lineage.uses.iter().filter(|u| matches!(u.purpose, Purpose::Equals(_)));
        let asks = |column| {
            let mark = masked.marks.marked(column);
            hidden(column) && mark.is_none_or(|mark| mark.predicates != Predicates::Allow)
        };
        let hides = asked.flat_map(|one| one.of.columns()).any(asks);
        if hides && !masked.lineage.texts.iter().all(|parameter| is_text(*parameter)) {
            let text = "a masked column of texts is compared with a parameter that is no text";
            return Err(Refusal::new(RefusalKind::RelationDenied, text)
                .with_hint("Bind a string, in a statement that is prepared by the protocol; or ask for sql.unmask."));
        }
    }
    Ok(())
}

/// What is said where a plan can't be made.
pub fn mismatch(why: Mismatch) -> Refusal {
    if why == Mismatch::Unknown {
        let text = "what this result shows of masked columns can't be told, and is refused here";
        return Refusal::new(RefusalKind::NotAnalyzable, text)
            .with_detail("What it runs was made under other mask rules or is not known (mask.unknown = \"refuse\").")
            .with_hint("Declare or prepare it anew, or ask for sql.unmask.");
    }
    let text =
        "which columns of this result are masked can't be told: it has another shape than expected";
    Refusal::new(RefusalKind::NotAnalyzable, text)
        .with_detail("The target may have changed in this moment, or the statement is of a kind that isn't understood.")
        .with_hint("Try again; if it stays so, write the columns out.")
}

/// Where a column comes from by a header that says it in names, and what it holds.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// What it is called in the result.
    pub name: &'a [u8],
    /// The schema of its table; empty where the server doesn't say.
    pub schema: &'a [u8],
    /// Its table; empty if it is computed.
    pub table: &'a [u8],
    /// Its name there.
    pub column: &'a [u8],
    /// What it holds.
    pub holds: ColumnType,
}

/// A column whose header names its origin, by the numbers of the catalog. Fail closed: where the name is
/// that of several, the one that is masked is meant.
pub fn by_name<'a>(origin: Origin<'a>, format: Format, catalog: &Catalog) -> Described<'a> {
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
    let (schema, table, column) = (text(origin.schema), text(origin.table), text(origin.column));
    let mut found = (0, 0);
    if !table.is_empty() && !column.is_empty() {
        let sensitive = catalog.marks.sensitive();
        for relation in catalog.relations_named(table) {
            if !schema.is_empty() && relation.schema != schema {
                continue;
            }
            let named = |c: &&crate::kernel::catalog::Column| c.name.eq_ignore_ascii_case(column);
            let Some(column) = relation.columns.iter().find(named) else { continue };
            let is_masked = !sensitive.label(relation.oid, column.number).is_clear();
            if is_masked || found == (0, 0) {
                found = (relation.oid, column.number);
            }
            if is_masked {
                break;
            }
        }
    }
    let (relation, number) = found;
    Described { name: origin.name, relation, number, holds: origin.holds, format }
}
