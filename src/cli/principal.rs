//! `hallpass principal …`: people and services that log in.

use std::{process::ExitCode, time::Duration};

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    cli::{
        Error, Workplace,
        output::{show_distance, show_time},
        workplace::now,
    },
    kernel::{
        ids::{Principal, RoleName},
        secret::Secret,
        time::{format_duration, parse_duration},
    },
    store::PrincipalInfo,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a principal and print its log-in secret, this once
    Add {
        /// Its name: letters, digits and . _ - + @
        name: String,
        /// A role it has; may be given several times. Without one it can connect and ask only
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
    },
    /// All principals
    List,
    /// Switch a principal off: it can't log in, and its sessions end
    Disable {
        /// Which
        name: String,
    },
    /// Switch a principal on again
    Enable {
        /// Which
        name: String,
    },
    /// Make a new log-in secret and print it, this once
    Rotate {
        /// Whose
        name: String,
        /// For how long the secrets it has now go on, as in 1d; without it they end at once
        #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
        overlap: Option<Duration>,
    },
    /// Replace a principal's roles
    Roles {
        /// Whose
        name: String,
        /// A role it shall have; may be given several times. None: it has none
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
    },
}

impl Command {
    pub(super) async fn run(&self, place: &Workplace) -> Result<ExitCode, Error> {
        let store = place.store().await?;
        let (actor, now) = (&place.actor, now());
        match self {
            Self::Add { name, roles } => {
                let roles = role_names(roles);
                let secret = store.principal_add(actor, now, name, &roles).await?;
                let mut json = secret_json(name, &secret);
                json["roles"] = json!(roles);
                let text = format!("principal {name}, {}\n{}", roles_text(&roles), once(&secret));
                place.output.answer(&json, &text)?;
            }
            Self::List => {
                let list = store.principals(now).await?;
                let json = list.iter().map(principal_json).collect();
                let rows: Vec<Vec<String>> = list
                    .iter()
                    .map(|p| {
                        vec![
                            p.name.to_string(),
                            roles_text(&p.roles),
                            if p.disabled { "disabled" } else { "enabled" }.to_owned(),
                            p.secrets.len().to_string(),
                            show_distance(now, p.created),
                        ]
                    })
                    .collect();
                let header = ["name", "roles", "state", "secrets", "added"];
                place.output.list(json, &header, &rows, "no principals")?;
            }
            Self::Disable { name } | Self::Enable { name } => {
                let disabled = matches!(self, Self::Disable { .. });
                let principal = Principal::new(name.as_str());
                store.principal_set_disabled(actor, now, &principal, disabled).await?;
                let json = json!({"name": name, "disabled": disabled});
                let state = if disabled { "disabled" } else { "enabled" };
                place.output.answer(&json, &format!("principal {name} is {state}"))?;
            }
            Self::Rotate { name, overlap } => {
                let principal = Principal::new(name.as_str());
                let kept = overlap.unwrap_or_default();
                let secret = store.principal_rotate(actor, now, &principal, kept).await?;
                let before = match overlap {
                    None => "earlier secrets have ended".to_owned(),
                    Some(kept) => {
                        format!("earlier secrets go on for {}", format_duration(*kept))
                    }
                };
                let text = format!("principal {name}: {before}\n{}", once(&secret));
                place.output.answer(&secret_json(name, &secret), &text)?;
            }
            Self::Roles { name, roles } => {
                let roles = role_names(roles);
                let principal = Principal::new(name.as_str());
                store.principal_set_roles(actor, now, &principal, &roles).await?;
                let text = format!("principal {name}, {}", roles_text(&roles));
                place.output.answer(&json!({"name": name, "roles": roles}), &text)?;
            }
        }
        store.close().await;
        Ok(ExitCode::SUCCESS)
    }
}

fn role_names(roles: &[String]) -> Vec<RoleName> {
    let mut names: Vec<RoleName> = roles
        .iter()
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(RoleName::new)
        .collect();
    names.dedup();
    names
}

fn roles_text(roles: &[RoleName]) -> String {
    match roles {
        [] => "no role".to_owned(),
        list => list.iter().map(RoleName::as_str).collect::<Vec<_>>().join(","),
    }
}

fn secret_text(secret: &Secret) -> &str {
    // The store makes secrets of ASCII.
    std::str::from_utf8(secret.reveal()).unwrap_or_default()
}

fn secret_json(name: &str, secret: &Secret) -> Value {
    json!({"name": name, "secret": secret_text(secret)})
}

fn once(secret: &Secret) -> String {
    format!("log-in secret, shown this once: {}", secret_text(secret))
}

fn principal_json(principal: &PrincipalInfo) -> Value {
    let secrets: Vec<Value> = principal
        .secrets
        .iter()
        .map(|s| {
            json!({
                "id": s.id,
                "created": show_time(s.created),
                "expires": s.expires.map(show_time),
            })
        })
        .collect();
    json!({
        "name": principal.name,
        "roles": principal.roles,
        "disabled": principal.disabled,
        "created": show_time(principal.created),
        "secrets": secrets,
    })
}
