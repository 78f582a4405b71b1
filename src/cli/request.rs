//! `hallpass request …`: asking, and answering.

use std::{process::ExitCode, time::Duration};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::{
    cli::{
        Error, Workplace,
        grant::{AtEndWord, LIST_LIMIT, grant_answer, scope_json},
        output::{show_distance, show_time},
        workplace::now,
    },
    kernel::{
        access::{AccessRequest, PermissionSet, Scope},
        ids::{Principal, RequestId, TargetName},
        time::{format_duration, parse_duration},
    },
    store::{Approval, NewRequest, state_name},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Ask for access in a principal's name
    Create(Create),
    /// The youngest requests first
    List {
        /// Only those that wait for an answer
        #[arg(long)]
        pending: bool,
    },
    /// One request
    Show {
        /// Which, as in R-17
        id: RequestId,
    },
    /// Say yes: the grant begins now
    Approve {
        /// Which, as in R-17
        id: RequestId,
        /// The most rows one statement may return; default: limits.max_rows
        #[arg(long, value_name = "N")]
        max_rows: Option<u64>,
        /// The most rows all statements together may return; default: limits.row_budget
        #[arg(long, value_name = "N")]
        row_budget: Option<u64>,
        /// What happens to what still runs at the end
        #[arg(long, value_enum, default_value = "cancel")]
        at_end: AtEndWord,
    },
    /// Say no
    Deny {
        /// Which, as in R-17
        id: RequestId,
    },
    /// Take it back
    Withdraw {
        /// Which, as in R-17
        id: RequestId,
    },
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// Who asks
    #[arg(long = "as", value_name = "PRINCIPAL")]
    principal: String,
    /// For which target
    #[arg(long)]
    target: String,
    /// To do what, as in select,dml
    #[arg(long, value_name = "PERMISSIONS", value_parser = PermissionSet::parse_list)]
    allow: PermissionSet,
    /// For how long from the approval on, as in 30m; at most limits.max_duration
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    duration: Duration,
    /// Why
    #[arg(long)]
    reason: String,
    /// On which tables, as in public.orders,billing.*; without it: ALL tables
    #[arg(long, value_parser = Scope::parse_list)]
    scope: Option<Scope>,
}

impl Command {
    pub(super) async fn run(&self, place: &Workplace) -> Result<ExitCode, Error> {
        let store = place.store().await?;
        let (actor, now) = (&place.actor, now());
        match self {
            Self::Create(create) => {
                let request = store.request_create(actor, now, &create.to_request()).await?;
                answer(place, &request)?;
            }
            Self::List { pending } => {
                let list = store.requests(now, *pending, LIST_LIMIT).await?;
                let rows: Vec<Vec<String>> = list
                    .iter()
                    .map(|r| {
                        vec![
                            r.id.to_string(),
                            state_name(r.state).to_owned(),
                            r.principal.to_string(),
                            r.target.to_string(),
                            r.permissions.short_list(),
                            r.scope.to_string(),
                            format_duration(Duration::from_secs(r.duration_seconds)),
                            show_distance(now, r.created),
                            r.reason.clone(),
                        ]
                    })
                    .collect();
                let header =
                    ["id", "state", "who", "target", "what", "tables", "for", "asked", "reason"];
                let json = list.iter().map(request_json).collect();
                place.output.list(json, &header, &rows, "no requests")?;
            }
            Self::Show { id } => answer(place, &store.request(now, *id).await?)?,
            Self::Approve { id, max_rows, row_budget, at_end } => {
                let approval = Approval {
                    max_rows: *max_rows,
                    row_budget: *row_budget,
                    at_end: (*at_end).into(),
                };
                let grant = store.request_approve(actor, now, *id, &approval).await?;
                let (mut json, text) = grant_answer(place, &grant, now);
                json["grant"] = json["id"].take();
                json["id"] = json!(id.to_string());
                place.output.answer(&json, &format!("request {id} approved\n{text}"))?;
            }
            Self::Deny { id } => answer(place, &store.request_deny(actor, now, *id).await?)?,
            Self::Withdraw { id } => {
                answer(place, &store.request_withdraw(actor, now, *id).await?)?;
            }
        }
        store.close().await;
        Ok(ExitCode::SUCCESS)
    }
}

impl Create {
    fn to_request(&self) -> NewRequest {
        NewRequest {
            principal: Principal::new(self.principal.as_str()),
            target: TargetName::new(self.target.as_str()),
            permissions: self.allow,
            scope: self.scope.clone().unwrap_or(Scope::All),
            duration: self.duration,
            reason: self.reason.clone(),
        }
    }
}

fn answer(place: &Workplace, request: &AccessRequest) -> Result<(), Error> {
    let mut text = format!(
        "request {} is {}: {} asks for {} on {}, {}, for {}\n  reason: {}",
        request.id,
        state_name(request.state),
        request.principal,
        request.permissions.short_list(),
        request.target,
        request.scope,
        format_duration(Duration::from_secs(request.duration_seconds)),
        request.reason,
    );
    if let (Some(by), Some(at)) = (&request.decided_by, request.decided) {
        text.push_str(&format!("\n  decided by {by} at {}", show_time(at)));
    }
    if let Some(grant) = request.grant {
        text.push_str(&format!("\n  grant {grant}"));
    }
    place.output.answer(&request_json(request), &text)
}

fn request_json(request: &AccessRequest) -> Value {
    json!({
        "id": request.id.to_string(),
        "state": state_name(request.state),
        "principal": request.principal,
        "target": request.target,
        "permissions": request.permissions,
        "scope": scope_json(&request.scope),
        "for": format_duration(Duration::from_secs(request.duration_seconds)),
        "reason": request.reason,
        "created": show_time(request.created),
        "decided_by": request.decided_by,
        "decided": request.decided.map(show_time),
        "grant": request.grant.map(|g| g.to_string()),
    })
}
