//! An access request, from asking to its end.

use serde::{Deserialize, Serialize};

use crate::kernel::{
    access::{PermissionSet, Scope},
    ids::{GrantId, Principal, RequestId, TargetName},
    time::Timestamp,
};

/// Where a request stands. Legal transitions:
/// `Pending → Approved | Denied | Withdrawn | Stale`. What becomes of an approved one is its
/// grant's status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Waits for somebody's yes or no.
    Pending,
    /// Somebody said yes; there is a grant.
    Approved,
    /// Somebody said no.
    Denied,
    /// Its author took it back.
    Withdrawn,
    /// Nobody answered in time.
    Stale,
}

/// What a principal asks for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccessRequest {
    /// `R-17`.
    pub id: RequestId,
    /// Who asks.
    pub principal: Principal,
    /// For which target.
    pub target: TargetName,
    /// To do what.
    pub permissions: PermissionSet,
    /// On which tables.
    pub scope: Scope,
    /// For how long, counted from the approval, in seconds.
    pub duration_seconds: u64,
    /// Why.
    pub reason: String,
    /// When it was asked.
    pub created: Timestamp,
    /// Where it stands.
    pub state: RequestState,
    /// Who decided: a principal, or the OS user of a command line (`os:root`).
    pub decided_by: Option<String>,
    /// When it was decided.
    pub decided: Option<Timestamp>,
    /// The grant that an approval made.
    pub grant: Option<GrantId>,
}
