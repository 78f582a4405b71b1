//! The only maker of [`Permit`].

use std::sync::Arc;

use smallvec::SmallVec;

use crate::kernel::{
    access::{Grant, GrantStatus, Level, Permission, Rights, Scope},
    mask::marks::{Masked, Shown},
    policy::decision::{Decision, Denial, Missing, Permit},
    sql::{
        analysis::{Analysis, Need, NeedOn},
        reading::StatementKind,
    },
    time::Timestamp,
};

/// Caps that hold for principals without `sql.export`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caps {
    /// The most rows of one statement, unless a grant says less or more.
    pub rows: u64,
    /// The most bytes of rows of one statement.
    pub bytes: u64,
    /// The most bytes of a statement that reads no rows of user relations: catalogs, settings, what is
    /// computed from nothing.
    pub catalog_bytes: u64,
}

/// Judges statements that run together: all of them, or none. `analyses` are the statements of one
/// batch with what they execute or fetch; `rights` what the session holds at `now`.
///
/// A batch that mixes a capped result with a write or a COMMIT needs export, because the cap ends
/// the result with an error that could not undo what came with it.
pub fn decide<'a>(
    analyses: impl IntoIterator<Item = &'a Analysis>,
    rights: &Rights,
    caps: Caps,
    now: Timestamp,
) -> Decision {
    let live: SmallVec<[&Arc<Grant>; 8]> =
        rights.grants.iter().filter(|g| g.status_at(now) == GrantStatus::Active).collect();
    let mut used: SmallVec<[Arc<Grant>; 2]> = SmallVec::new();
    let mut missing = Vec::new();
    let (mut needs_write, mut capped, mut mixed, mut hides) = (false, false, false, false);
    let mut level = Level::Read;
    let (mut copies_out, mut count) = (false, 0_usize);
    let mut masked: SmallVec<[&Masked; 2]> = SmallVec::new();
    // Whether an earlier statement returns rows, and whether one lasts.
    let (mut rows_before, mut lasts_before) = (false, false);
    for analysis in analyses {
        let lasts = analysis.writes || analysis.commits();
        mixed |= rows_before && lasts || lasts_before && analysis.returns_user_rows;
        rows_before |= analysis.returns_user_rows;
        lasts_before |= lasts;
        needs_write |= analysis.writes;
        capped |= analysis.returns_user_rows;
        hides |= analysis.hidden.is_some();
        masked.extend(analysis.masked.as_deref());
        count += 1;
        copies_out |= analysis.kind == StatementKind::CopyToClient;
        for need in &analysis.needs {
            level = level.max(need.permission.level());
            satisfy(need, rights, &live, &mut used, &mut missing);
            if need.on == NeedOn::Code && rights.may_write() {
                satisfy(&could_write(need), rights, &live, &mut used, &mut missing);
            }
            for moved in into_scope(need, &live) {
                satisfy(&moved, rights, &live, &mut used, &mut missing);
            }
        }
    }
    let exports = rights.standing.allows(Permission::Export)
        || live.iter().any(|g| g.permissions.allows(Permission::Export));
    let (mut row_cap, mut byte_cap) = (None, None);
    if mixed && !exports {
        let need = Need {
            permission: Permission::Export,
            on: NeedOn::Anything,
            why: "a capped read and a write or COMMIT are sent as one; send them one after the \
                  other, or ask for sql.export"
                .to_owned(),
        };
        missing.push(Missing { need, out_of_scope: false });
    } else if capped && !exports {
        let by_grants = used.iter().filter_map(|g| g.max_rows).min();
        row_cap = Some(by_grants.unwrap_or(caps.rows));
        byte_cap = Some(caps.bytes);
    } else if !exports {
        byte_cap = Some(caps.catalog_bytes);
    } else if capped && !rights.standing.allows(Permission::Export) {
        // The export that lifts the cap is used too: the record names its grant.
        if let Some(grant) = live.iter().find(|g| g.permissions.allows(Permission::Export)) {
            remember(&mut used, grant);
        }
    }
    if hides && rights.standing.allows(Permission::Admin) {
        hides = false;
    } else if hides {
        let admin = |g: &&&Arc<Grant>| {
            g.permissions.allows(Permission::Admin) && covers(&g.scope, &NeedOn::WholeTarget)
        };
        // The admin that shows what is hidden is used too, so that its end ends the result.
        if let Some(grant) = live.iter().find(admin) {
            remember(&mut used, grant);
            hides = false;
        }
    }
    let shown = shown(&masked, rights, &live, &mut used);
    if let Some(shown) = shown.as_deref().filter(|_| copies_out && count > 1)
        && masked.iter().any(|masked| masked.masks_any(shown))
    {
        let why =
            "hands out masked columns by COPY among other statements: send it alone".to_owned();
        let need = Need { permission: Permission::Unmask, on: NeedOn::WholeTarget, why };
        missing.push(Missing { need, out_of_scope: false });
    }
    if missing.is_empty() {
        Decision::Permit(Permit {
            grants: used,
            row_cap,
            byte_cap,
            needs_write,
            hides,
            shown,
            level,
        })
    } else {
        let held = rights.held();
        Decision::Denial(Denial { missing, held })
    }
}

fn satisfy(
    need: &Need,
    rights: &Rights,
    live: &[&Arc<Grant>],
    used: &mut SmallVec<[Arc<Grant>; 2]>,
    missing: &mut Vec<Missing>,
) {
    if rights.standing.allows(need.permission) && need.on != NeedOn::Nobody {
        return;
    }
    let holds = |g: &&&Arc<Grant>| g.permissions.allows(need.permission);
    let covers = |g: &&&Arc<Grant>| covers(&g.scope, &need.on);
    // A grant already used is preferred, so that a record names as few as possible.
    let known = used.iter().any(|g| holds(&&g) && covers(&&g));
    if known {
        return;
    }
    if let Some(grant) = live.iter().find(|g| holds(g) && covers(g)) {
        remember(used, grant);
        return;
    }
    let already =
        missing.iter().any(|m| m.need.permission == need.permission && m.need.on == need.on);
    if !already {
        let out_of_scope = live.iter().any(|g| holds(&g));
        missing.push(Missing { need: need.clone(), out_of_scope });
    }
}

/// What of the masked columns of these statements somebody may see who holds these rights, whether or not
/// she may run them.
pub fn seen<'a>(
    analyses: impl IntoIterator<Item = &'a Analysis>,
    rights: &Rights,
    now: Timestamp,
) -> Option<Arc<Shown>> {
    let live: SmallVec<[&Arc<Grant>; 8]> =
        rights.grants.iter().filter(|g| g.status_at(now) == GrantStatus::Active).collect();
    let masked: SmallVec<[&Masked; 2]> =
        analyses.into_iter().filter_map(|analysis| analysis.masked.as_deref()).collect();
    shown(&masked, rights, &live, &mut SmallVec::new())
}

/// What of the masked columns may be seen, by which grants: their end ends the result.
fn shown(
    masked: &[&Masked],
    rights: &Rights,
    live: &[&Arc<Grant>],
    used: &mut SmallVec<[Arc<Grant>; 2]>,
) -> Option<Arc<Shown>> {
    let mut shown = Shown::default();
    if masked.is_empty() {
        return None;
    }
    let mut allows = |on: &NeedOn| {
        if rights.standing.allows(Permission::Unmask) {
            return true;
        }
        let unmask = |g: &&&Arc<Grant>| g.permissions.allows(Permission::Unmask);
        let grant = live.iter().find(|g| unmask(g) && covers(&g.scope, on));
        grant.inspect(|grant| remember(used, grant)).is_some()
    };
    shown.all = allows(&NeedOn::WholeTarget);
    // Usually nobody holds any of it: then the columns needn't be looked at.
    let some = live.iter().any(|g| g.permissions.allows(Permission::Unmask));
    for masked in masked.iter().filter(|_| some && !shown.all) {
        for column in masked.columns() {
            let Some(mark) = masked.marks.marked(column) else { continue };
            let (schema, name) = (mark.schema.clone(), mark.table.clone());
            if allows(&NeedOn::Relation { schema, name, of: Vec::new() }) {
                shown.columns.insert(column);
            }
        }
    }
    Some(Arc::new(shown))
}

/// The wall is open for what the session may write: a routine that lies about itself may write more.
fn could_write(need: &Need) -> Need {
    Need {
        permission: Permission::Dml,
        on: NeedOn::WholeTarget,
        why: format!("{}, which could write where dml is held on some tables only", need.why),
    }
}

/// What must be held because rows are moved to where a grant would cover them.
fn into_scope(need: &Need, live: &[&Arc<Grant>]) -> SmallVec<[Need; 2]> {
    let NeedOn::Moved { from, to, written_only } = &need.on else { return SmallVec::new() };
    let there = |scope: &Scope| match to {
        Some((Some(schema), name)) => scope.covers(schema, name),
        Some((None, name)) => scope.may_hold(name),
        None => true,
    };
    [Permission::Select, Permission::Dml]
        .into_iter()
        .filter(|permission| !written_only || *permission == Permission::Dml)
        .filter(|permission| {
            live.iter().any(|g| g.permissions.allows(*permission) && there(&g.scope))
        })
        .map(|permission| Need { permission, on: (**from).clone(), why: need.why.clone() })
        .collect()
}

fn covers(scope: &Scope, on: &NeedOn) -> bool {
    match on {
        NeedOn::Anything => true,
        NeedOn::Nobody => false,
        NeedOn::WholeTarget | NeedOn::Code | NeedOn::Moved { .. } => *scope == Scope::All,
        NeedOn::Relation { schema, name, of } => {
            scope.covers(schema, name) || of.iter().any(|(schema, name)| scope.covers(schema, name))
        }
    }
}

fn remember(used: &mut SmallVec<[Arc<Grant>; 2]>, grant: &Arc<Grant>) {
    if !used.iter().any(|g| g.id == grant.id) {
        used.push(Arc::clone(grant));
    }
}
