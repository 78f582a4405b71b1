//! A grant: who may do what, on which target, within which scope, window and budgets.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::kernel::{
    access::{PermissionSet, Scope},
    ids::{GrantId, Principal, RequestId, TargetName},
    time::{Timestamp, Window},
};

/// What happens to a running statement or open transaction when the window closes. Agreed when the
/// grant is made; a revocation never waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtEnd {
    /// The statement is cancelled and the transaction rolled back.
    #[default]
    Cancel,
    /// The running statement may end, bounded by the gateway; then the transaction is rolled back.
    FinishStatement,
    /// The transaction may end, bounded by the gateway: only COMMIT and ROLLBACK pass while idle.
    FinishTransaction,
}

/// How long a statement may run or a transaction stay open behind its grant's end, if that was agreed.
pub const FINISH_WITHIN: Duration = Duration::from_secs(30);

/// How long it takes at most until what was cancelled has stopped.
const CANCEL_WITHIN: Duration = Duration::from_secs(2);

/// Where a grant stands at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantStatus {
    /// The window has not opened yet.
    Scheduled,
    /// It gives rights now.
    Active,
    /// The window has closed.
    Expired,
    /// Somebody took it back.
    Revoked,
    /// Its row budget is used up.
    Exhausted,
}

/// Permissions given to one principal on one target for a while. Immutable; a change is a new value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Grant {
    /// `G-42`.
    pub id: GrantId,
    /// Who holds it.
    pub principal: Principal,
    /// Where it holds.
    pub target: TargetName,
    /// What it allows.
    pub permissions: PermissionSet,
    /// On which tables.
    pub scope: Scope,
    /// From when until when.
    pub window: Window,
    /// The most rows one statement may return; `None`: `limits.max_rows`.
    pub max_rows: Option<u64>,
    /// The most rows all statements under it may return together.
    pub row_budget: u64,
    /// Rows returned so far, as last written to the store.
    pub rows_used: u64,
    /// What happens to what still runs when the window closes.
    pub at_end: AtEnd,
    /// The request it came from, if any.
    pub request: Option<RequestId>,
    /// Who said yes: a principal, or the OS user of a command line (`os:root`).
    pub approved_by: String,
    /// Why it was given, as asked.
    pub reason: String,
    /// When it was made.
    pub created: Timestamp,
    /// When and by whom it was revoked, if it was.
    pub revoked: Option<Revocation>,
}

/// When and by whom a grant was revoked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Revocation {
    /// When.
    pub at: Timestamp,
    /// A principal, or the OS user of a command line (`os:root`).
    pub by: String,
}

impl Grant {
    /// Where it stands at `now`. A revocation outranks the rest: it is what people must be told.
    pub fn status_at(&self, now: Timestamp) -> GrantStatus {
        if self.revoked.as_ref().is_some_and(|r| r.at <= now) {
            GrantStatus::Revoked
        } else if now >= self.window.until {
            GrantStatus::Expired
        } else if self.rows_used >= self.row_budget {
            GrantStatus::Exhausted
        } else if now < self.window.from {
            GrantStatus::Scheduled
        } else {
            GrantStatus::Active
        }
    }

    /// True if what runs under it must not go on: it was taken back, or its window has closed and
    /// whatever was agreed for what still runs then is over. A used-up budget ends by itself.
    pub fn stops_at(&self, now: Timestamp) -> bool {
        match self.status_at(now) {
            GrantStatus::Revoked => true,
            GrantStatus::Expired => match self.at_end {
                AtEnd::Cancel => true,
                // Agreed, and bounded: counted from the end of the window, whenever that is noticed.
                AtEnd::FinishStatement | AtEnd::FinishTransaction => {
                    now >= self.window.until.plus(FINISH_WITHIN)
                }
            },
            GrantStatus::Exhausted | GrantStatus::Active | GrantStatus::Scheduled => false,
        }
    }

    /// From when on nothing that it allowed can still be running.
    pub fn over_for_good(&self) -> Timestamp {
        let until = match self.at_end {
            AtEnd::Cancel => self.window.until,
            AtEnd::FinishStatement | AtEnd::FinishTransaction => {
                self.window.until.plus(FINISH_WITHIN)
            }
        };
        let end = self.revoked.as_ref().map_or(until, |revoked| revoked.at.min(until));
        end.plus(CANCEL_WITHIN)
    }

    /// The next instant at which [`Grant::status_at`] changes by time alone.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        [self.window.from, self.window.until].into_iter().find(|t| *t > now)
    }
}
