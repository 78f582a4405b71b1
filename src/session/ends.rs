//! What people are told of a right that ends. The same for both protocols.

use std::{sync::Arc, time::Duration};

use crate::kernel::{
    access::{Grant, GrantStatus, Permission},
    ids::GrantId,
    refusal::{Refusal, RefusalKind},
    time::Timestamp,
};

/// After how long a cancel without effect is followed by the end of the upstream's session.
pub const ESCALATE_AFTER: Duration = Duration::from_millis(300);

/// The principal may not log in any more.
pub fn disabled(principal: &str) -> Refusal {
    Refusal::new(RefusalKind::PrincipalDisabled, format!("{principal} has been disabled"))
        .with_hint("Ask an operator.")
}

/// A grant is over, in these words.
pub fn ended(id: GrantId, what: &str, by: Option<&str>) -> Refusal {
    let message = match by {
        Some(by) => format!("{id} {what} by {by}"),
        None => format!("{id} {what}"),
    };
    Refusal::new(RefusalKind::GrantEnded, message)
}

/// Why a grant is over. `None`: it isn't, or a used-up budget has ended the result that used it up, and
/// nothing that was done before.
pub fn why(grant: &Grant, now: Timestamp) -> Option<Refusal> {
    match grant.status_at(now) {
        GrantStatus::Revoked => {
            let by = grant.revoked.as_ref().map(|r| r.by.clone());
            Some(ended(grant.id, "was revoked", by.as_deref()))
        }
        GrantStatus::Expired => {
            let at = format!("expired at {}", grant.window.until.clock());
            Some(ended(grant.id, &at, None).with_hint(extend_line(grant)))
        }
        GrantStatus::Exhausted | GrantStatus::Active | GrantStatus::Scheduled => None,
    }
}

/// The same where the transaction was rolled back for it.
pub fn told_rolled_back(why: &Refusal) -> Refusal {
    Refusal { message: format!("rolled back: {}", why.message).into(), ..why.clone() }
}

/// Seconds before a grant's end at which its holder is told.
const WARN_AT: [i64; 2] = [300, 60];

/// What is to be said now of the ends of these grants, once each; `warned` keeps what has been.
pub fn warnings(
    grants: &[Arc<Grant>],
    now: Timestamp,
    warned: &mut Vec<(GrantId, u8)>,
) -> Vec<String> {
    let mut due = Vec::new();
    for grant in grants {
        let left = grant.window.until.seconds() - now.seconds();
        let length = grant.window.until.seconds() - grant.window.from.seconds();
        for (index, at) in (0_u8..).zip(WARN_AT) {
            if left <= at && length > at && !warned.contains(&(grant.id, index)) {
                warned.push((grant.id, index));
                let minutes = if at == 60 { "a minute" } else { "five minutes" };
                let line = extend_line(grant);
                due.push(format!("{} ends in {minutes}; to extend: {line}", grant.id));
            }
        }
    }
    due
}

/// When [`warnings`] has something to say next.
pub fn next_warning(
    grants: &[Arc<Grant>],
    now: Timestamp,
    warned: &[(GrantId, u8)],
) -> Option<Timestamp> {
    let all = grants.iter().flat_map(|grant| {
        (0_u8..).zip(WARN_AT).map(move |(index, at)| {
            ((grant.id, index), Timestamp(grant.window.until.0 - at * 1_000_000))
        })
    });
    all.filter(|(which, due)| *due > now && !warned.contains(which)).map(|(_, due)| due).min()
}

/// What to send for more of the same.
pub fn extend_line(grant: &Grant) -> String {
    let asked: Vec<&str> = grant.permissions.iter().map(Permission::short_name).collect();
    format!(
        "SELECT hallpass.request('{}', '30m', '{}');",
        asked.join(","),
        grant.reason.replace('\'', "''")
    )
}
