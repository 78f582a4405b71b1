//! What people are told of a right that ends. The same for both protocols.

use std::time::Duration;

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

/// What to send for more of the same.
pub fn extend_line(grant: &Grant) -> String {
    let asked: Vec<&str> = grant.permissions.iter().map(Permission::short_name).collect();
    format!(
        "SELECT hallpass.request('{}', '30m', '{}');",
        asked.join(","),
        grant.reason.replace('\'', "''")
    )
}
