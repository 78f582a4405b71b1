//! `hallpass store …`: what only helps while no gateway serves.

use std::{process::ExitCode, time::Duration};

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    cli::{
        Error, Workplace,
        output::show_time,
        workplace::{backend, now},
    },
    kernel::time::{Timestamp, format_duration},
    net::clock::NODES_DIFFER,
    store::{self, Store, TimeCorrection},
    trail,
};

/// Every gateway that serves notes the time several times within this.
const NOTED_WITHIN: Duration = Duration::from_secs(12);
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What the help says of it.
const SET_TIME: &str = "\
Set the store's time to this machine's clock, after some clock was far ahead

Time goes on from the latest that any gateway's clock has shown. If one was far ahead once, times on the \
trail go on from there. This sets that right, while no gateway serves. Nobody gains by it: grants, \
requests and expiring secrets that would live again, or longer, end with it and stay ended. Who did it, \
both times and what ended are on the trail with the next start. What was recorded under the wrong time \
keeps it.

Without --yes it shows what would happen, and exits with 1. With it, it takes a few seconds: it waits to \
see whether a gateway still notes the time.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Set the store's time to this machine's clock, after some clock was far ahead
    #[command(long_about = SET_TIME)]
    SetTime {
        /// Do it
        #[arg(long)]
        yes: bool,
    },
}

impl Command {
    pub(super) async fn run(&self, place: &Workplace) -> Result<ExitCode, Error> {
        let Self::SetTime { yes } = self;
        let serves = |error| match error {
            trail::TrailError::Locked { .. } => Error::Store(store::Error::TimeMoves),
            other => Error::Trail(other),
        };
        // Held until it is done, so that no gateway of this machine starts meanwhile.
        let held = trail::keep_closed(&place.config.data_dir.join("trail")).map_err(serves)?;
        let store = place.store().await?;
        let shown = store.time_correction(now()).await?;
        if shown.seen.since(shown.to) <= NODES_DIFFER {
            let text = "the store's time is right: nothing to do";
            place.output.answer(&to_json(&shown, false), text)?;
            store.close().await;
            return Ok(ExitCode::SUCCESS);
        }
        if *yes {
            stands_still(place, shown.seen).await?;
            let to = TimeCorrection { to: now(), ..shown };
            let done = store.set_time_right(&place.actor, &to).await?;
            place.output.answer(&to_json(&done, true), &to_text(&done, true))?;
        } else {
            place.output.answer(&to_json(&shown, false), &to_text(&shown, false))?;
        }
        store.close().await;
        drop(held);
        Ok(if *yes { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// Refuses if some gateway, on whatever machine, still notes the time.
async fn stands_still(place: &Workplace, seen: Timestamp) -> Result<(), Error> {
    let began = tokio::time::Instant::now();
    while began.elapsed() < NOTED_WITHIN {
        tokio::time::sleep(LOOK_EVERY).await;
        if Store::time_seen(&backend(&place.config)).await? != Some(seen) {
            return Err(store::Error::TimeMoves.into());
        }
    }
    Ok(())
}

fn to_json(correction: &TimeCorrection, done: bool) -> Value {
    let TimeCorrection { seen, to, grants, requests, secrets } = correction;
    let secrets: Vec<Value> =
        secrets.iter().map(|(name, count)| json!({"of": name, "count": count})).collect();
    json!({
        "done": done,
        "from": show_time(*seen),
        "to": show_time(*to),
        "grants": grants.iter().map(|g| g.id.to_string()).collect::<Vec<_>>(),
        "requests": requests.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "secrets": secrets,
    })
}

fn to_text(correction: &TimeCorrection, done: bool) -> String {
    let TimeCorrection { seen, to, grants, requests, secrets } = correction;
    let (was, end) = if done { ("was", "ended") } else { ("is", "would end") };
    let mut text = format!(
        "the store's time {was} {}, {} ahead of this machine's clock\n",
        show_time(*seen),
        format_duration(Duration::from_secs(seen.since(*to).as_secs())),
    );
    for grant in grants {
        text.push_str(&format!(
            "{end}: grant {} of {} on {}, until {}\n",
            grant.id,
            grant.principal,
            grant.target,
            show_time(grant.window.until)
        ));
    }
    for id in requests {
        text.push_str(&format!("{end}: request {id}, which nobody has answered\n"));
    }
    for (name, count) in secrets {
        let what = if *count == 1 { "a secret" } else { "secrets" };
        text.push_str(&format!(
            "{end}: {what} of {name} with an expiry; rotate to make a new one\n"
        ));
    }
    if done {
        text.push_str(&format!("it goes on from {}", show_time(*to)));
    } else {
        text.push_str(&format!(
            "it would go on from {}\nnothing has been changed: if this machine's clock is right, stop \
             every gateway on this store and add --yes",
            show_time(*to)
        ));
    }
    text
}
