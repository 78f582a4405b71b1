//! What the gateway answers itself: `hallpass.*`. Knows no protocol: an answer is a table.
//!
//! | call | answers |
//! | --- | --- |
//! | `request(permissions, duration, reason [, scope])` | asks; the request's id and what comes next |
//! | `approve(id)`, `deny(id)` | decides on somebody else's request |
//! | `withdraw(id)` | takes back one's own |
//! | `revoke(id)` | takes a grant back |
//! | views `requests`, `grants`, `masks`, `whoami` | what the caller may see |

use std::sync::Arc;

use super::services::{Limits, Services};
use crate::{
    kernel::{
        access::{AccessRequest, Grant, GrantStatus, PermissionSet, Scope},
        ids::{GrantId, Principal, RequestId, SessionId, TargetName},
        mask::{Nulls, Predicates, Rule, rule::Selector},
        refusal::{Refusal, RefusalKind},
        sql::{
            analysis::{LocalArgument, LocalCall, LocalShape, LocalView},
            is_clients_own,
        },
        time::{Timestamp, format_duration, parse_duration},
    },
    store::{AccessSnapshot, Actor, Approval, Error, Masks, NewRequest, PrincipalState},
};

/// A column's type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Number,
    /// A point in time.
    Time,
}

/// A cell.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cell {
    /// NULL.
    Null,
    /// Text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A point in time.
    Time(Timestamp),
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    /// Names and types of the columns.
    pub columns: Vec<(String, Kind)>,
    /// Rows.
    pub rows: Vec<Vec<Cell>>,
    /// A line to show beside it.
    pub notice: Option<String>,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Her name.
    pub principal: Principal,
    /// Where she is connected.
    pub target: TargetName,
    /// Her session.
    pub session: SessionId,
}

/// The columns that a call answers with.
///
/// # Errors
/// Nothing of that name, or columns that it doesn't have.
pub fn columns(call: &LocalCall) -> Result<Vec<(String, Kind)>, Refusal> {
    match &call.shape {
        LocalShape::Function(_) | LocalShape::Procedure(_) => {
            if FUNCTIONS.contains(&call.name.as_str()) {
                Ok(vec![(call.output.as_ref().unwrap_or(&call.name).clone(), Kind::Text)])
            } else {
                Err(nothing_named(&call.name))
            }
        }
        LocalShape::View(view) => {
            let all = view_columns(&call.name).ok_or_else(|| nothing_named(&call.name))?;
            project(&all, view)
        }
        LocalShape::Show if is_clients_own(&call.name) => Ok(vec![(call.name.clone(), Kind::Text)]),
        LocalShape::Show => Ok(vec![(format!("hallpass.{}", call.name), Kind::Text)]),
        LocalShape::Set(_) => Ok(Vec::new()),
    }
}

const FUNCTIONS: [&str; 5] = ["approve", "deny", "request", "revoke", "withdraw"];

fn nothing_named(name: &str) -> Refusal {
    Refusal::new(RefusalKind::BadRequest, format!("there is no hallpass.{name}")).with_hint(
        "There are the functions request('select', '30m', 'why'), approve(17), deny(17), \
         withdraw(17), revoke(42) and the views requests, grants, masks, whoami.",
    )
}

fn view_columns(name: &str) -> Option<Vec<(&'static str, Kind)>> {
    use Kind::{Number, Text, Time};
    Some(match name {
        "requests" => vec![
            ("id", Number),
            ("principal", Text),
            ("target", Text),
            ("permissions", Text),
            ("scope", Text),
            ("duration", Text),
            ("reason", Text),
            ("state", Text),
            ("created", Time),
            ("decided_by", Text),
            ("decided", Time),
            ("grant_id", Number),
        ],
        "grants" => vec![
            ("id", Number),
            ("principal", Text),
            ("target", Text),
            ("permissions", Text),
            ("scope", Text),
            ("status", Text),
            ("starts", Time),
            ("ends", Time),
            ("max_rows", Number),
            ("row_budget", Number),
            ("rows_used", Number),
            ("approved_by", Text),
            ("reason", Text),
            ("request_id", Number),
        ],
        "masks" => vec![
            ("number", Number),
            ("target", Text),
            ("means", Text),
            ("pattern", Text),
            ("algorithm", Text),
            ("predicates", Text),
            ("nulls", Text),
            ("version", Number),
        ],
        "whoami" => vec![
            ("principal", Text),
            ("target", Text),
            ("roles", Text),
            ("standing", Text),
            ("held", Text),
            ("session", Text),
        ],
        _ => return None,
    })
}

fn project(all: &[(&'static str, Kind)], view: &LocalView) -> Result<Vec<(String, Kind)>, Refusal> {
    let known = |name: &str| all.iter().find(|(n, _)| *n == name).copied();
    let missing = |name: &str| {
        Refusal::new(RefusalKind::BadRequest, format!("column \"{name}\" does not exist"))
            .with_hint(format!(
                "There are {}.",
                all.iter().map(|(n, _)| *n).collect::<Vec<_>>().join(", ")
            ))
    };
    for name in view.equals.iter().map(|(n, _)| n).chain(view.order.iter().map(|(n, _)| n)) {
        known(name).ok_or_else(|| missing(name))?;
    }
    match view.columns.as_slice() {
        [] => Ok(all.iter().map(|(n, k)| ((*n).to_owned(), *k)).collect()),
        [only] if only == "count(*)" => Ok(vec![("count".to_owned(), Kind::Number)]),
        some => some
            .iter()
            .map(|name| known(name).map(|(n, k)| (n.to_owned(), k)).ok_or_else(|| missing(name)))
            .collect(),
    }
}

/// Carries a call out. Runs on the control runtime: it may wait for the store.
///
/// # Errors
/// What the caller is told instead.
pub async fn answer(
    services: &Services,
    caller: &Caller,
    call: &LocalCall,
    parameters: &[Option<String>],
) -> Result<Table, Refusal> {
    let columns = columns(call)?;
    match &call.shape {
        LocalShape::Function(arguments) | LocalShape::Procedure(arguments) => {
            let arguments = values(arguments, parameters)?;
            let (line, notice) = act(services, caller, &call.name, &arguments).await?;
            Ok(Table { columns, rows: vec![vec![Cell::Text(line)]], notice })
        }
        LocalShape::View(view) => {
            let mut all: Vec<(&str, Kind)> = view_columns(&call.name).unwrap_or_default();
            let rows = rows_of(services, caller, &call.name)?;
            let rows = select(&mut all, rows, view, parameters)?;
            Ok(Table { columns, rows, notice: None })
        }
        LocalShape::Show | LocalShape::Set(_) => Err(nothing_named(&call.name)),
    }
}

fn values(
    arguments: &[LocalArgument],
    parameters: &[Option<String>],
) -> Result<Vec<Option<String>>, Refusal> {
    arguments.iter().map(|argument| value(argument, parameters)).collect()
}

fn value(
    argument: &LocalArgument,
    parameters: &[Option<String>],
) -> Result<Option<String>, Refusal> {
    match argument {
        LocalArgument::Text(text) => Ok(Some(text.clone())),
        LocalArgument::Null => Ok(None),
        // Whoever answers has put its value in its place, if the server has one.
        LocalArgument::Variable(name) => {
            let what = format!("the value of @{name} is not known here: write the value itself");
            Err(Refusal::new(RefusalKind::BadRequest, what))
        }
        LocalArgument::Parameter(number) => {
            let index = usize::from(*number).saturating_sub(1);
            parameters.get(index).cloned().ok_or_else(|| {
                Refusal::new(RefusalKind::BadRequest, format!("there is no parameter ${number}"))
            })
        }
    }
}

async fn act(
    services: &Services,
    caller: &Caller,
    name: &str,
    arguments: &[Option<String>],
) -> Result<(String, Option<String>), Refusal> {
    let now = services.clock.now();
    let actor = Actor::Principal(caller.principal.clone());
    let done = match name {
        "request" => request(services, caller, &actor, arguments).await,
        "approve" => {
            let id: RequestId = number(name, arguments)?;
            let made = services.store.request_approve(&actor, now, id, &Approval::default()).await;
            made.map(|grant| (approved(id, &grant), None)).map_err(|e| refusal_of(&e))
        }
        "deny" => {
            let id: RequestId = number(name, arguments)?;
            let made = services.store.request_deny(&actor, now, id).await;
            made.map(|r| (format!("{id} of {} is denied", r.principal), None))
                .map_err(|e| refusal_of(&e))
        }
        "withdraw" => {
            let id: RequestId = number(name, arguments)?;
            let made = services.store.request_withdraw(&actor, now, id).await;
            made.map(|_| (format!("{id} is withdrawn"), None)).map_err(|e| refusal_of(&e))
        }
        "revoke" => {
            let id: GrantId = number(name, arguments)?;
            let made = services.store.grant_revoke(&actor, now, id).await;
            made.map(|g| (format!("{id} of {} is revoked", g.principal), None))
                .map_err(|e| refusal_of(&e))
        }
        other => return Err(nothing_named(other)),
    };
    if done.is_ok() {
        services.store_changed.notify_one();
    }
    done
}

/// `request('select', '30m', 'INC-42')`, with a scope as a fourth argument if wanted.
async fn request(
    services: &Services,
    caller: &Caller,
    actor: &Actor,
    arguments: &[Option<String>],
) -> Result<(String, Option<String>), Refusal> {
    let usage = || {
        Refusal::new(
            RefusalKind::BadRequest,
            "hallpass.request takes permissions, a duration and a reason",
        )
        .with_hint("SELECT hallpass.request('select', '30m', 'INC-42');")
    };
    let bad = |text: String| Refusal::new(RefusalKind::BadRequest, text);
    let given: Vec<&str> = arguments.iter().map_while(Option::as_deref).collect();
    let (permissions, duration, reason, scope) = match given.as_slice() {
        [permissions, duration, reason] => (*permissions, *duration, *reason, None),
        [permissions, duration, reason, scope] => (*permissions, *duration, *reason, Some(*scope)),
        _ => return Err(usage()),
    };
    let permissions = PermissionSet::parse_list(permissions).map_err(|e| bad(e.to_string()))?;
    let duration = parse_duration(duration).map_err(|e| bad(e.to_string()))?;
    let scope = match scope {
        None | Some("" | "*") => Scope::All,
        Some(list) => Scope::parse_list(list).map_err(|e| bad(e.to_string()))?,
    };
    let new = NewRequest {
        principal: caller.principal.clone(),
        target: caller.target.clone(),
        permissions,
        scope,
        duration,
        reason: reason.to_owned(),
    };
    let now = services.clock.now();
    let made = services.store.request_create(actor, now, &new).await.map_err(|e| refusal_of(&e))?;
    let line = format!(
        "{} asks for {} on {} of {} for {}; waiting for an approver: SELECT hallpass.approve({});",
        made.id,
        made.permissions,
        made.scope,
        made.target,
        format_duration(duration),
        made.id.0
    );
    Ok((line, None))
}

fn approved(id: RequestId, grant: &Grant) -> String {
    format!(
        "{id} is approved: {} for {} may use {} on {} of {} until {}",
        grant.id,
        grant.principal,
        grant.permissions,
        grant.scope,
        grant.target,
        grant.window.until.clock()
    )
}

fn number<N: std::str::FromStr>(name: &str, arguments: &[Option<String>]) -> Result<N, Refusal> {
    let usage = || {
        Refusal::new(RefusalKind::BadRequest, format!("hallpass.{name} takes one number"))
            .with_hint(format!("SELECT hallpass.{name}(17);"))
    };
    match arguments {
        [Some(text)] => text.trim().parse().map_err(|_| usage()),
        _ => Err(usage()),
    }
}

/// An error of the store, as the caller is told.
fn refusal_of(error: &Error) -> Refusal {
    if error.is_refusal() {
        let kind = match error {
            Error::NotAllowed { .. } | Error::OwnRequest { .. } | Error::OwnGrant => {
                RefusalKind::StatementDenied
            }
            _ => RefusalKind::BadRequest,
        };
        return Refusal::new(kind, error.to_string());
    }
    tracing::error!(error = %error, "the store failed");
    Refusal::new(RefusalKind::Internal, "the gateway's store can't be used now")
        .with_hint("Nothing was changed. Try again, and tell an operator.")
}

/// The rows of a view that the caller may see: one's own; with a duty, everybody's.
fn rows_of(services: &Services, caller: &Caller, name: &str) -> Result<Vec<Vec<Cell>>, Refusal> {
    let access = services.access.load();
    let now = services.clock.now();
    let Some(own) = access.principal(caller.principal.as_str()) else { return Ok(Vec::new()) };
    let sees_all = !own.duties.is_empty();
    let visible = |principal: &Principal| sees_all || *principal == caller.principal;
    Ok(match name {
        "requests" => access
            .requests
            .iter()
            .filter(|r| visible(&r.principal))
            .map(|r| request_row(r))
            .collect(),
        "grants" => {
            let mut grants: Vec<&Arc<Grant>> =
                access.grants.values().flatten().filter(|g| visible(&g.principal)).collect();
            grants.sort_by_key(|g| std::cmp::Reverse(g.id));
            grants.into_iter().map(|g| grant_row(g, now)).collect()
        }
        // Whose rows are masked may know which columns; of other targets' it is nobody's business.
        "masks" => mask_rows(&services.masks.borrow(), |rule| {
            sees_all || rule.target.matches(caller.target.as_str())
        }),
        "whoami" => vec![whoami_row(&access, own, caller, now)],
        other => return Err(nothing_named(other)),
    })
}

fn text(value: &impl ToString) -> Cell {
    Cell::Text(value.to_string())
}

fn count(value: u64) -> Cell {
    Cell::Number(i64::try_from(value).unwrap_or(i64::MAX))
}

fn request_row(request: &AccessRequest) -> Vec<Cell> {
    let seconds = std::time::Duration::from_secs(request.duration_seconds);
    vec![
        count(request.id.0),
        text(&request.principal),
        text(&request.target),
        text(&request.permissions),
        text(&request.scope),
        text(&format_duration(seconds)),
        text(&request.reason),
        text(&crate::store::state_name(request.state)),
        Cell::Time(request.created),
        request.decided_by.as_ref().map_or(Cell::Null, text),
        request.decided.map_or(Cell::Null, Cell::Time),
        request.grant.map_or(Cell::Null, |g| count(g.0)),
    ]
}

fn grant_row(grant: &Grant, now: Timestamp) -> Vec<Cell> {
    vec![
        count(grant.id.0),
        text(&grant.principal),
        text(&grant.target),
        text(&grant.permissions),
        text(&grant.scope),
        text(&crate::store::status_name(grant.status_at(now))),
        Cell::Time(grant.window.from),
        Cell::Time(grant.window.until),
        grant.max_rows.map_or(Cell::Null, count),
        count(grant.row_budget),
        count(grant.rows_used),
        text(&grant.approved_by),
        text(&grant.reason),
        grant.request.map_or(Cell::Null, |r| count(r.0)),
    ]
}

fn mask_rows(masks: &Masks, visible: impl Fn(&Rule) -> bool) -> Vec<Vec<Cell>> {
    let rules = masks.rules.list.iter().zip(1..).filter(|(rule, _)| visible(rule));
    rules
        .map(|(rule, number)| {
            let (means, pattern) = match &rule.columns {
                Selector::Column(pattern) => ("column", text(pattern)),
                Selector::Type(pattern) => ("type", text(pattern)),
                Selector::Comment(pattern) => ("comment", text(pattern)),
                Selector::Tag(pattern) => ("tag", text(pattern)),
            };
            let predicates = match rule.predicates {
                None => "by type",
                Some(Predicates::Allow) => "allow",
                Some(Predicates::Deny) => "deny",
                Some(Predicates::Equality) => "equality",
            };
            let nulls = match rule.nulls {
                Nulls::Stay => "stay",
                Nulls::Hidden => "masked",
            };
            vec![
                count(number),
                text(&rule.target),
                text(&means),
                pattern,
                text(&rule.with),
                text(&predicates),
                text(&nulls),
                count(masks.rules.version),
            ]
        })
        .collect()
}

fn whoami_row(
    access: &AccessSnapshot,
    own: &PrincipalState,
    caller: &Caller,
    now: Timestamp,
) -> Vec<Cell> {
    let roles = own.roles.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let live: Vec<String> = access
        .grants_on(&caller.principal, &caller.target)
        .filter(|g| g.status_at(now) == GrantStatus::Active)
        .map(|g| {
            format!("{} on {} until {} ({})", g.permissions, g.scope, g.window.until.clock(), g.id)
        })
        .collect();
    vec![
        text(&own.name),
        text(&caller.target),
        text(&roles),
        text(&own.standing),
        text(&if live.is_empty() { "nothing".to_owned() } else { live.join("; ") }),
        text(&caller.session),
    ]
}

/// WHERE, ORDER BY, LIMIT and the select list of a view.
fn select(
    all: &mut [(&str, Kind)],
    mut rows: Vec<Vec<Cell>>,
    view: &LocalView,
    parameters: &[Option<String>],
) -> Result<Vec<Vec<Cell>>, Refusal> {
    let index = |name: &str| all.iter().position(|(n, _)| *n == name);
    for (name, wanted) in &view.equals {
        let wanted = value(wanted, parameters)?;
        let Some(at) = index(name) else { continue };
        rows.retain(|row| wanted.is_some() && row.get(at).and_then(shown) == wanted);
    }
    for (name, descending) in view.order.iter().rev() {
        let Some(at) = index(name) else { continue };
        rows.sort_by(|a, b| {
            let order = a.get(at).cmp(&b.get(at));
            if *descending { order.reverse() } else { order }
        });
    }
    if let Some(limit) = view.limit {
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    if let [only] = view.columns.as_slice()
        && only == "count(*)"
    {
        return Ok(vec![vec![count(rows.len() as u64)]]);
    }
    if view.columns.is_empty() {
        return Ok(rows);
    }
    let wanted: Vec<usize> = view.columns.iter().filter_map(|name| index(name)).collect();
    Ok(rows
        .into_iter()
        .map(|row| wanted.iter().map(|at| row.get(*at).cloned().unwrap_or(Cell::Null)).collect())
        .collect())
}

/// A cell as text, for comparing with what a WHERE says.
fn shown(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Null => None,
        Cell::Text(text) => Some(text.clone()),
        Cell::Number(number) => Some(number.to_string()),
        Cell::Time(time) => Some(time.to_string()),
    }
}

/// The limits as an asker is told of them.
pub fn longest(limits: &Limits) -> String {
    format_duration(limits.max_duration)
}
