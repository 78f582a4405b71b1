//! `hallpass grant …`: what was given to whom.

use std::{process::ExitCode, time::Duration};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::{
    cli::{
        Error, Workplace,
        output::{show_distance, show_time},
        workplace::now,
    },
    kernel::{
        access::{AtEnd, Change, Grant, GrantStatus, PermissionSet, Scope},
        ids::{GrantId, Principal, TargetName},
        time::{Timestamp, format_duration, parse_duration},
    },
    store::{Leavings, NewGrant, status_name},
};

/// The most entries a list shows: the youngest. Older ones are in the audit.
pub(super) const LIST_LIMIT: u32 = 1000;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Give access without a request
    Create(Create),
    /// The youngest grants first
    List {
        /// Only those that give access now
        #[arg(long)]
        active: bool,
    },
    /// One grant
    Show {
        /// Which, as in G-42
        id: GrantId,
    },
    /// Take access back: what runs under it is cancelled within a second
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// To whom
    #[arg(long, value_name = "PRINCIPAL")]
    to: String,
    /// On which target
    #[arg(long)]
    target: String,
    /// To do what, as in select,dml
    #[arg(long, value_name = "PERMISSIONS", value_parser = PermissionSet::parse_list)]
    allow: PermissionSet,
    /// For how long, as in 30m; at most limits.max_duration
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    duration: Duration,
    /// Why
    #[arg(long)]
    reason: String,
    /// On which tables, as in public.orders,billing.*; without it: ALL tables
    #[arg(long, value_parser = Scope::parse_list)]
    scope: Option<Scope>,
    /// The most rows one statement may return; default: limits.max_rows
    #[arg(long, value_name = "N")]
    max_rows: Option<u64>,
    /// The most rows all statements together may return; default: limits.row_budget
    #[arg(long, value_name = "N")]
    row_budget: Option<u64>,
    /// From when on, as in 2026-11-23T14:05:00Z; default: now
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse_rfc3339)]
    from: Option<Timestamp>,
    /// What happens to what still runs at the end
    #[arg(long, value_enum, default_value = "cancel")]
    at_end: AtEndWord,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Revoke {
    /// Which, as in G-42
    id: Option<GrantId>,
    /// All that a principal holds
    #[arg(long, value_name = "PRINCIPAL")]
    all_of: Option<String>,
}

/// What happens to a running statement or open transaction when a grant ends by time.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum AtEndWord {
    /// The statement is cancelled and the transaction rolled back
    Cancel,
    /// The running statement may end; then the transaction is rolled back
    FinishStatement,
    /// The transaction may end, within limits
    FinishTransaction,
}

impl From<AtEndWord> for AtEnd {
    fn from(word: AtEndWord) -> Self {
        match word {
            AtEndWord::Cancel => Self::Cancel,
            AtEndWord::FinishStatement => Self::FinishStatement,
            AtEndWord::FinishTransaction => Self::FinishTransaction,
        }
    }
}

impl Command {
    pub(super) async fn run(&self, place: &Workplace) -> Result<ExitCode, Error> {
        let store = place.store().await?;
        let (actor, now) = (&place.actor, now());
        match self {
            Self::Create(create) => {
                let grant = store.grant_create(actor, now, &create.to_grant()).await?;
                let (json, text) = grant_answer(place, &grant, now);
                place.output.answer(&json, &text)?;
            }
            Self::List { active } => {
                let list = store.grants(now, *active, LIST_LIMIT).await?;
                let rows: Vec<Vec<String>> = list.iter().map(|g| row(g, now)).collect();
                let header = [
                    "id", "status", "who", "target", "what", "tables", "ends", "rows", "by",
                    "reason",
                ];
                let json = list.iter().map(|g| grant_json(g, now)).collect();
                let empty = if *active { "no active grants" } else { "no grants" };
                place.output.list(json, &header, &rows, empty)?;
            }
            Self::Show { id } => {
                let grant = store.grant(*id).await?;
                let (mut json, mut text) = grant_answer(place, &grant, now);
                let left = store.leavings(*id).await?;
                json["left_behind"] = left.as_ref().map_or(Value::Null, left_json);
                if let Some(left) = &left {
                    text.push_str(&left_words(left, grant.status_at(now)));
                }
                place.output.answer(&json, &text)?;
            }
            Self::Revoke(Revoke { id: Some(id), .. }) => {
                let grant = store.grant_revoke(actor, now, *id).await?;
                let text = format!("grant {id} of {} revoked", grant.principal);
                place.output.answer(&grant_json(&grant, now), &text)?;
            }
            Self::Revoke(Revoke { id: None, all_of }) => {
                let principal = Principal::new(all_of.as_deref().unwrap_or_default());
                let revoked = store.grant_revoke_all_of(actor, now, &principal).await?;
                let json = revoked.iter().map(|g| grant_json(g, now)).collect();
                let rows: Vec<Vec<String>> =
                    revoked.iter().map(|g| vec![g.id.to_string(), "revoked".to_owned()]).collect();
                let empty = format!("{principal} holds no grant");
                place.output.list(json, &["id", "status"], &rows, &empty)?;
            }
        }
        store.close().await;
        Ok(ExitCode::SUCCESS)
    }
}

impl Create {
    fn to_grant(&self) -> NewGrant {
        NewGrant {
            principal: Principal::new(self.to.as_str()),
            target: TargetName::new(self.target.as_str()),
            permissions: self.allow,
            scope: self.scope.clone().unwrap_or(Scope::All),
            from: self.from,
            duration: self.duration,
            max_rows: self.max_rows,
            row_budget: self.row_budget,
            at_end: self.at_end.into(),
            reason: self.reason.clone(),
        }
    }
}

fn row(grant: &Grant, now: Timestamp) -> Vec<String> {
    vec![
        grant.id.to_string(),
        status_name(grant.status_at(now)).to_owned(),
        grant.principal.to_string(),
        grant.target.to_string(),
        grant.permissions.short_list(),
        grant.scope.to_string(),
        show_distance(now, grant.window.until),
        format!("{}/{}", grant.rows_used, grant.row_budget),
        grant.approved_by.clone(),
        grant.reason.clone(),
    ]
}

/// A grant in both forms.
pub(super) fn grant_answer(place: &Workplace, grant: &Grant, now: Timestamp) -> (Value, String) {
    let mut text = format!(
        "grant {} is {}: {} may {} on {}, {}\n  from {} until {} ({}); at the end: {}\n  \
         at most {} rows a statement and {} in all, {} used\n  given by {}; reason: {}",
        grant.id,
        status_name(grant.status_at(now)),
        grant.principal,
        grant.permissions.short_list(),
        grant.target,
        grant.scope,
        show_time(grant.window.from),
        show_time(grant.window.until),
        format_duration(grant.window.until.since(grant.window.from)),
        at_end_words(grant.at_end),
        grant.max_rows.unwrap_or(place.config.limits.max_rows),
        grant.row_budget,
        grant.rows_used,
        grant.approved_by,
        grant.reason,
    );
    if let Some(revoked) = &grant.revoked {
        text.push_str(&format!("\n  revoked by {} at {}", revoked.by, show_time(revoked.at)));
    }
    (grant_json(grant, now), text)
}

fn left_words(left: &Leavings, status: GrantStatus) -> String {
    let Some(settled) = left.settled else {
        return match status {
            GrantStatus::Expired | GrantStatus::Revoked => {
                "\n  what it leaves behind is being looked at".to_owned()
            }
            GrantStatus::Scheduled | GrantStatus::Active | GrantStatus::Exhausted => {
                "\n  what it leaves behind is looked at when it ends".to_owned()
            }
        };
    };
    if let Some(trouble) = &left.trouble {
        return format!("\n  what it leaves behind is not known: {}", one_line(trouble));
    }
    let between = format!("{} and {}", show_time(left.taken), show_time(settled));
    if left.items.is_empty() {
        return format!("\n  it leaves nothing behind (between {between})");
    }
    let mut words = format!("\n  it leaves behind, made by anybody between {between}:");
    for item in &left.items {
        let change = match item.change {
            Change::Made => "made",
            Change::Changed => "changed",
            Change::Gone => "gone",
        };
        words.push_str(&format!("\n    {change} {} {}", item.kind, one_line(&item.name)));
        if !item.detail.is_empty() {
            words.push_str(&format!(": {}", one_line(&item.detail)));
        }
    }
    if left.more > 0 {
        words.push_str(&format!("\n    and {} more", left.more));
    }
    words
}

/// Names are other people's texts: none of them makes a line of its own.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn left_json(left: &Leavings) -> Value {
    json!({
        "since": show_time(left.taken),
        "settled": left.settled.map(show_time),
        "items": left.items,
        "more": left.more,
        "trouble": left.trouble,
    })
}

fn at_end_words(at_end: AtEnd) -> &'static str {
    match at_end {
        AtEnd::Cancel => "cancel",
        AtEnd::FinishStatement => "finish the statement",
        AtEnd::FinishTransaction => "finish the transaction",
    }
}

/// `null` for all tables, else the list as it is typed.
pub(super) fn scope_json(scope: &Scope) -> Value {
    match scope {
        Scope::All => Value::Null,
        Scope::Only(_) => json!(scope.to_string()),
    }
}

fn grant_json(grant: &Grant, now: Timestamp) -> Value {
    json!({
        "id": grant.id.to_string(),
        "status": status_name(grant.status_at(now)),
        "principal": grant.principal,
        "target": grant.target,
        "permissions": grant.permissions,
        "scope": scope_json(&grant.scope),
        "from": show_time(grant.window.from),
        "until": show_time(grant.window.until),
        "max_rows": grant.max_rows,
        "row_budget": grant.row_budget,
        "rows_used": grant.rows_used,
        "at_end": grant.at_end,
        "request": grant.request.map(|r| r.to_string()),
        "approved_by": grant.approved_by,
        "reason": grant.reason,
        "created": show_time(grant.created),
        "revoked": grant.revoked.as_ref().map(|r| show_time(r.at)),
        "revoked_by": grant.revoked.as_ref().map(|r| &r.by),
    })
}
