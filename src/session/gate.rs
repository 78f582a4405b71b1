//! The gate: from text to analysis, from analysis and rights to a decision. It knows no protocol.
//!
//! What must be on record before it runs is put there by the caller with the [`Permit`] from here;
//! only the trail turns that into the clearance that the upstream's door asks for.

use std::sync::Arc;

use super::{
    beside,
    cache::{Edition, ReadingState, StateId},
    services::{Core, Target},
};
use crate::kernel::{
    access::{Permission, Rights},
    mask::marks::{Masked, Shown},
    policy::{Decision, Permit, decide, decide::Caps},
    refusal::{Refusal, RefusalKind},
    sql::{
        self, Context,
        analysis::{Analysis, Batch, Need, NeedOn, SessionEffect, StatementClass, Unreadable},
        constants::Guarded,
        normalize,
        reading::StatementKind,
        text::StatementText,
    },
    time::Timestamp,
};

/// Texts up to this length, in bytes, are read on the session's own thread, which has a large stack.
/// A parse of so much takes about a millisecond.
const IN_PLACE_MAX: usize = 8 * 1024;

/// What became of a text.
#[derive(Debug)]
pub enum Read {
    /// It was read, or can't be.
    Done(Result<Arc<Batch>, Unreadable>),
    /// It is large: the parser pool shall read it.
    ForPool,
}

/// Reads a text, from the cache if it can be.
pub fn read(
    core: &Core,
    target: &Target,
    (reading, state): (&ReadingState, StateId),
    text: &str,
) -> Read {
    let checked = match StatementText::new(text.as_bytes(), usize::MAX) {
        Ok(checked) => checked,
        Err(bad) => return Read::Done(Err(Unreadable::Ambiguous { what: bad.to_string() })),
    };
    let catalog = target.catalog.load();
    let edition = Edition { target: target.number, epoch: catalog.epoch };
    let read_as = (edition, state);
    if let Some(batch) = core.cache.borrow().known_text(read_as, text, reading.mode) {
        core.counts.cache_hit();
        return Read::Done(Ok(batch));
    }
    let mut normal = core.normal.borrow_mut();
    if let Err(why) = normalize::normalize(&checked, reading.mode, &mut normal) {
        return Read::Done(Err(why));
    }
    let found = {
        let mut cache = core.cache.borrow_mut();
        let mut key = cache.key(edition, state);
        key.extend_from_slice(&normal.key);
        cache.find(key)
    };
    let key = match found {
        Ok(batch) => {
            core.counts.cache_hit();
            let batch = with_spans(batch, &normal.spans);
            let normal = (reading.mode, &*normal);
            core.cache.borrow_mut().keep_text(read_as, text, normal, &batch);
            return Read::Done(Ok(batch));
        }
        Err(key) => key,
    };
    core.counts.cache_miss();
    if text.len() > IN_PLACE_MAX {
        return Read::ForPool;
    }
    let result = analyze(text, reading, target);
    if let Ok(batch) = &result
        && batch.stands_for_its_key()
    {
        core.cache.borrow_mut().insert(key, Arc::clone(batch));
    }
    Read::Done(result)
}

/// The analysis of another text with the same key has that text's spans: where there are several
/// statements, each must know its own place in this one.
fn with_spans(batch: Arc<Batch>, spans: &[std::ops::Range<usize>]) -> Arc<Batch> {
    let several = batch.statements.len() > 1 && batch.statements.len() == spans.len();
    let moved = batch.statements.iter().zip(spans).any(|(a, span)| a.span != *span);
    if !several || !moved {
        return batch;
    }
    let statements = batch
        .statements
        .iter()
        .zip(spans)
        .map(|(analysis, span)| Arc::new(Analysis { span: span.clone(), ..(**analysis).clone() }))
        .collect();
    Arc::new(Batch { statements, fingerprint: Arc::clone(&batch.fingerprint) })
}

/// Reads a text in full. Needs a large stack: the parsers descend into what they read.
///
/// # Errors
/// [`Unreadable`].
pub fn analyze(
    text: &str,
    reading: &ReadingState,
    target: &Target,
) -> Result<Arc<Batch>, Unreadable> {
    let catalog = target.catalog.load();
    let cx = Context {
        mode: reading.mode,
        catalog: &catalog,
        path: &reading.path,
        overlay: &reading.overlay,
        trust: &target.trust,
    };
    let text = StatementText::new(text.as_bytes(), usize::MAX)
        .map_err(|bad| Unreadable::Ambiguous { what: bad.to_string() })?;
    let batch = beside::analyze(&text, &cx)?;
    Ok(Arc::new(if catalog.is_unread() { before_the_catalog(batch) } else { batch }))
}

/// Fail closed: before the first reading of the catalog nobody knows what code stands behind a name, so
/// that every name but a catalog's needs admin.
fn before_the_catalog(batch: Batch) -> Batch {
    let blind = |analysis: &Arc<Analysis>| {
        let known = analysis.relations.iter().all(|r| r.is_catalog) && analysis.routines.is_empty();
        if known || analysis.local.is_some() {
            return Arc::clone(analysis);
        }
        let mut analysis = (**analysis).clone();
        analysis.class = StatementClass::Admin;
        analysis.needs.insert(
            0,
            Need {
                permission: Permission::Admin,
                on: NeedOn::WholeTarget,
                why: "what the target contains has not been read yet: try again".to_owned(),
            },
        );
        Arc::new(analysis)
    };
    let statements = batch.statements.iter().map(blind).collect();
    Batch { statements, ..batch }
}

/// The batch as it is with parameters of these types; `None`: as it was.
pub fn with_parameter_types(
    batch: &Batch,
    oids: impl Iterator<Item = u32>,
    reading: &ReadingState,
    target: &Target,
) -> Option<Batch> {
    let [only] = batch.statements.as_slice() else { return None };
    let catalog = target.catalog.load();
    let cx = Context {
        mode: reading.mode,
        catalog: &catalog,
        path: &reading.path,
        overlay: &reading.overlay,
        trust: &target.trust,
    };
    let typed = sql::judge::with_parameter_types(only, oids, &cx)?;
    Some(Batch { statements: vec![Arc::new(typed)], fingerprint: Arc::clone(&batch.fingerprint) })
}

/// What is to be done about a text that can't be read.
#[derive(Debug)]
pub enum Opinion {
    /// Admin is held: it may run all the same, on record as not understood.
    Permit(Permit, Box<Analysis>),
    /// No.
    Refuse(Refusal),
}

/// A text that can't be read may do anything, so it needs admin; and unmask where columns are masked.
pub fn unreadable(
    why: &Unreadable,
    (text, masks): (&str, bool),
    rights: &Rights,
    caps: Caps,
    now: Timestamp,
) -> Opinion {
    if let Unreadable::NotAnswered { what } = why {
        // No permission helps: there is nothing behind the name.
        return Opinion::Refuse(Refusal::new(RefusalKind::NotSupported, what.clone()).with_hint(
            "SELECT * FROM hallpass.requests, grants or whoami; \
                 SELECT hallpass.request('select', '30m', 'say why');",
        ));
    }
    let mut analysis = opaque(text, masks);
    let denial = match decide([&analysis], rights, caps, now) {
        Decision::Permit(_) if may_change_roles(text) => {
            // Fail closed: the gateway's own log-in may be one of them.
            analysis.needs.push(Need {
                permission: Permission::Admin,
                on: NeedOn::Nobody,
                why: "it can't be read without doubt, and may change what the gateway logs in as"
                    .to_owned(),
            });
            match decide([&analysis], rights, caps, now) {
                Decision::Permit(permit) => return Opinion::Permit(permit, Box::new(analysis)),
                Decision::Denial(denial) => return Opinion::Refuse(denial.refusal()),
            }
        }
        Decision::Permit(permit) => return Opinion::Permit(permit, Box::new(analysis)),
        Decision::Denial(denial) => denial,
    };
    Opinion::Refuse(match why {
        // Most likely a typing mistake: said as the server would.
        Unreadable::Syntax { message, position } => {
            let refusal = Refusal::new(RefusalKind::SyntaxError, message.clone());
            match position {
                Some(position) => refusal.at(*position),
                None => refusal,
            }
        }
        Unreadable::Ambiguous { what } => {
            Refusal::new(RefusalKind::NotAnalyzable, format!("not understood: {what}"))
                .with_detail("What can't be read without doubt needs sql.admin.")
                .with_hint(denial.request_line())
        }
        Unreadable::NotAnswered { what } => Refusal::new(RefusalKind::NotSupported, what.clone()),
        Unreadable::TooLarge { what } => Refusal::new(RefusalKind::LimitExceeded, what.clone())
            .with_detail("What is too large to be judged needs sql.admin.")
            .with_hint(denial.request_line()),
        Unreadable::Disagreement => {
            Refusal::new(RefusalKind::NotAnalyzable, "not understood: it can be read in two ways")
                .with_detail("What can't be read without doubt needs sql.admin.")
                .with_hint(denial.request_line())
        }
    })
}

/// True if one of the statements in here may change roles: by words, because it can't be read. No way of
/// writing a keyword leaves out its letters; names may be written with escapes.
fn may_change_roles(text: &str) -> bool {
    const CHANGES: [&str; 12] = [
        "alter", "create", "drop", "grant", "revoke", "reassign", "insert", "update", "delete",
        "merge", "truncate", "copy",
    ];
    const ROLES: [&str; 9] = [
        "role",
        "user",
        "group",
        "owned",
        "grant",
        "revoke",
        "pg_authid",
        "pg_auth_members",
        "pg_db_role_setting",
    ];
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let has = |list: &[&str]| {
        text.split(|c| !word(c)).any(|found| list.iter().any(|w| found.eq_ignore_ascii_case(w)))
    };
    let escapes = text.contains("U&\"") || text.contains("u&\"");
    has(&CHANGES) && (escapes || has(&ROLES))
}

/// A statement that runs something by a name which the gateway has not seen being made: only code on
/// the server can have made it, so it may do anything.
pub fn with_unseen_name(analysis: &Analysis, masks: bool) -> Analysis {
    let unseen = opaque("", masks);
    let mut needs = analysis.needs.clone();
    needs.extend(unseen.needs.iter().filter(|n| n.permission == Permission::Unmask).cloned());
    needs.push(Need {
        permission: Permission::Admin,
        on: NeedOn::WholeTarget,
        why: "it runs what code on the server has prepared".to_owned(),
    });
    Analysis {
        span: analysis.span.clone(),
        kind: analysis.kind,
        needs,
        relations: analysis.relations.clone(),
        routines: analysis.routines.clone(),
        effects: analysis.effects.iter().cloned().chain(unseen.effects.clone()).collect(),
        parameters: analysis.parameters,
        ..unseen
    }
}

/// A statement that another one runs by its name, as far as its rows come out: CREATE TABLE AS keeps
/// them, EXPLAIN ANALYZE shows a plan instead.
pub fn run_by(outer: &Analysis, inner: Arc<Analysis>) -> Arc<Analysis> {
    use StatementKind::{CreateTableAs, Explain, ExplainAnalyze};
    let keeps = matches!(outer.kind, CreateTableAs | Explain | ExplainAnalyze);
    if let (true, Some(masked)) = (keeps, &inner.masked) {
        let mut kept = (*inner).clone();
        if outer.kind == CreateTableAs && masked.masks_any(&Shown::default()) {
            kept.needs.push(Need {
                permission: Permission::Unmask,
                on: NeedOn::WholeTarget,
                why: "copies rows of what has masked columns: name the others in what was prepared"
                    .to_owned(),
            });
        }
        kept.masked = Some(Arc::new(masked.without_rows()));
        kept.returns_user_rows = false;
        return Arc::new(kept);
    }
    if keeps && inner.returns_user_rows {
        return Arc::new(Analysis { returns_user_rows: false, ..(*inner).clone() });
    }
    inner
}

/// A statement that another one runs by its name, where nothing can be hidden of it.
pub fn with_nothing_hidden(analysis: &Analysis) -> Analysis {
    let mut shown = analysis.clone();
    if shown.hidden.take().is_some() {
        shown.class = StatementClass::Admin;
        shown.needs.push(Need {
            permission: Permission::Admin,
            on: NeedOn::WholeTarget,
            why: "reads other people's SQL through a name: send it by itself".to_owned(),
        });
    }
    shown
}

/// [`with_unseen_name`] of all statements that a name leads to which code on the server may have made anew.
pub fn with_doubt(batch: &Batch, masks: bool) -> Batch {
    let unseen = |a: &Arc<Analysis>| Arc::new(with_unseen_name(a, masks));
    let statements = batch.statements.iter().map(unseen).collect();
    Batch { statements, fingerprint: Arc::clone(&batch.fingerprint) }
}

/// True if it runs code that may make prepared statements and cursors anew. What runs below admin is the
/// server's own, has said that it doesn't write, or is trusted.
pub fn renames(analysis: &Analysis) -> bool {
    let runs_code =
        || analysis.effects.contains(&SessionEffect::RunsUserCode) || !analysis.routines.is_empty();
    analysis.class == StatementClass::Admin && runs_code()
}

/// A call of a function by its number, without SQL. `lasts`: it may change what the session's texts mean.
pub fn called_by_number(text: &str, lasts: bool, masks: bool) -> Analysis {
    let mut analysis = opaque(text, masks);
    for need in &mut analysis.needs {
        "it calls a function by its number".clone_into(&mut need.why);
    }
    if !lasts {
        analysis.effects.clear();
    }
    analysis
}

/// True if nobody knows what it, or the cursor that it declares, does with masked columns or runs.
pub fn guesses(analysis: &Analysis) -> bool {
    let declared = analysis.effects.iter().any(|effect| match effect {
        SessionEffect::Declare { inner, .. } => guesses(inner),
        _ => false,
    });
    declared
        || analysis.masked.as_deref().is_some_and(Masked::guesses)
        || analysis.needs.iter().any(|need| need.on == NeedOn::Code)
}

/// True if what it, or the cursor that it declares, does depends on what a relation's name means.
pub fn names_something(analysis: &Analysis) -> bool {
    let declared = analysis.effects.iter().any(|effect| match effect {
        SessionEffect::Declare { inner, .. } => names_something(inner),
        _ => false,
    });
    declared || !analysis.relations.is_empty() || guesses(analysis)
}

/// What a text does of which nothing is known: everything. `masks`: the target has masked columns.
fn opaque(text: &str, masks: bool) -> Analysis {
    let mut analysis = Analysis {
        span: 0..text.len(),
        kind: StatementKind::Other,
        class: StatementClass::Admin,
        needs: vec![Need {
            permission: Permission::Admin,
            on: NeedOn::WholeTarget,
            why: "it is not understood".to_owned(),
        }],
        relations: Vec::new(),
        routines: Vec::new(),
        effects: vec![SessionEffect::RunsUserCode],
        executes: None,
        fetches: None,
        returns_user_rows: true,
        writes: true,
        hidden: None,
        masked: None,
        rules: None,
        // Fail closed: any of its constants may be one that is hidden.
        guarded: masks.then(|| Arc::new(Guarded { unknown: true, ..Guarded::default() })),
        local: None,
        parameters: 0,
    };
    if masks {
        analysis.needs.push(Need {
            permission: Permission::Unmask,
            on: NeedOn::WholeTarget,
            why: "nothing can be masked in what it may do".to_owned(),
        });
    }
    analysis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_our_schema_is_refused_to_admins_too() {
        let rights =
            Rights { standing: [Permission::Admin].into_iter().collect(), ..Rights::default() };
        let caps = Caps { rows: 1, bytes: 1, catalog_bytes: 1 };
        let opinion = |why: &Unreadable| unreadable(why, ("x", false), &rights, caps, Timestamp(0));
        let ambiguous = Unreadable::Ambiguous { what: "two ways".to_owned() };
        assert!(matches!(opinion(&ambiguous), Opinion::Permit(..)));
        let ours = Unreadable::NotAnswered { what: "hallpass.x".to_owned() };
        let Opinion::Refuse(refusal) = opinion(&ours) else { panic!("an admin may send it on") };
        assert_eq!(refusal.kind, RefusalKind::NotSupported);
    }
}
