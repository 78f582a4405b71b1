//! `hallpass session …`: who is connected, through any running gateway.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    cli::{
        Error, Workplace,
        output::{show_distance, show_time},
        workplace::now,
    },
    kernel::ids::SessionId,
    store::SessionInfo,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The sessions of all running gateways, the oldest first
    List,
    /// Ask a session's gateway to end it, which takes about a second
    Kill {
        /// Which, as in S-7
        id: SessionId,
    },
}

impl Command {
    pub(super) async fn run(&self, place: &Workplace) -> Result<ExitCode, Error> {
        let store = place.store().await?;
        let now = now();
        match self {
            Self::List => {
                let list = store.sessions(now).await?;
                let rows: Vec<Vec<String>> = list
                    .iter()
                    .map(|s| {
                        vec![
                            s.id.to_string(),
                            s.principal.to_string(),
                            s.target.to_string(),
                            s.state.clone(),
                            s.client.clone(),
                            s.application.clone(),
                            show_distance(now, s.since),
                            s.last_statement
                                .map_or_else(|| "never".to_owned(), |t| show_distance(now, t)),
                            s.node.clone(),
                        ]
                    })
                    .collect();
                let header = [
                    "id",
                    "who",
                    "target",
                    "state",
                    "client",
                    "application",
                    "since",
                    "last statement",
                    "node",
                ];
                let json = list.iter().map(session_json).collect();
                place.output.list(json, &header, &rows, "no sessions")?;
            }
            Self::Kill { id } => {
                let session = store.request_kill(&place.actor, now, *id).await?;
                let text = format!("session {id} of {} is being ended", session.principal);
                place.output.answer(&session_json(&session), &text)?;
            }
        }
        store.close().await;
        Ok(ExitCode::SUCCESS)
    }
}

fn session_json(session: &SessionInfo) -> Value {
    json!({
        "id": session.id.to_string(),
        "principal": session.principal,
        "target": session.target,
        "state": session.state,
        "client": session.client,
        "application": session.application,
        "since": show_time(session.since),
        "last_statement": session.last_statement.map(show_time),
        "node": session.node,
    })
}
