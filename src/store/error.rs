//! Why the store says no, or can't answer.

use std::time::Duration;

use crate::kernel::{
    access::{GrantStatus, RequestState},
    ids::{GrantId, Principal, RequestId, SessionId},
    time::format_duration,
};

/// Why an act on the store did not happen. Nothing is left half done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No principal of that name.
    #[error("there is no principal {0}")]
    NoSuchPrincipal(Principal),
    /// The name is taken.
    #[error("there is already a principal {0}")]
    PrincipalExists(Principal),
    /// The principal is switched off.
    #[error("{0} is disabled")]
    PrincipalDisabled(Principal),
    /// No role of that name in the settings.
    #[error("there is no role {name}; there are: {known}")]
    NoSuchRole {
        /// As asked.
        name: String,
        /// Those there are.
        known: String,
    },
    /// No target of that name in the settings.
    #[error("there is no target {name}; there are: {known}")]
    NoSuchTarget {
        /// As asked.
        name: String,
        /// Those there are.
        known: String,
    },
    /// No such request.
    #[error("there is no request {0}")]
    NoSuchRequest(RequestId),
    /// No such grant.
    #[error("there is no grant {0}")]
    NoSuchGrant(GrantId),
    /// No such session on any running gateway.
    #[error("there is no session {0}")]
    NoSuchSession(SessionId),
    /// Deciding about oneself.
    #[error("nobody approves or denies their own request: {id} is for {principal}")]
    OwnRequest {
        /// The request.
        id: RequestId,
        /// Whose it is.
        principal: Principal,
    },
    /// Granting to oneself.
    #[error("nobody grants to themselves: ask with a request")]
    OwnGrant,
    /// The actor lacks the duty.
    #[error("{actor} may not do this: it needs {needed}")]
    NotAllowed {
        /// Who tried.
        actor: String,
        /// What was needed.
        needed: &'static str,
    },
    /// The request isn't pending any more.
    #[error("request {id} is {} already{}", state_name(*.state), by.as_ref().map_or_else(String::new, |b| format!(", by {b}")))]
    Decided {
        /// The request.
        id: RequestId,
        /// Where it stands.
        state: RequestState,
        /// Who decided.
        by: Option<String>,
    },
    /// The grant gives no rights any more.
    #[error("grant {id} is {} already", status_name(*.status))]
    GrantOver {
        /// The grant.
        id: GrantId,
        /// Where it stands.
        status: GrantStatus,
    },
    /// Longer than the settings allow.
    #[error(
        "{} is longer than limits.max_duration, {}",
        format_duration(*asked),
        format_duration(*most)
    )]
    TooLong {
        /// As asked.
        asked: Duration,
        /// The most.
        most: Duration,
    },
    /// A field's value can't be.
    #[error("{field}: {reason}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What it must be.
        reason: &'static str,
    },
    /// Too many of the principal's requests wait for an answer.
    #[error("{principal} has {most} pending requests already: withdraw one")]
    TooManyPending {
        /// Whose.
        principal: Principal,
        /// The most.
        most: i64,
    },
    /// The store's time can't be set: somebody notes it.
    #[error("a gateway serves on this store: stop all of them first")]
    TimeMoves,
    /// Somebody else changed the mask rules meanwhile.
    #[error(
        "the mask rules are at version {found} already{}, not at {expected}: look at them (hallpass mask \
         list) and try again",
        if .by.is_empty() { String::new() } else { format!(", by {by}") }
    )]
    MasksChanged {
        /// As the caller has seen them.
        expected: u64,
        /// As they are.
        found: u64,
        /// Whose change it was.
        by: String,
    },
    /// No such version of the mask rules.
    #[error("there is no version {version} of the mask rules; see hallpass mask history")]
    NoSuchMaskVersion {
        /// As asked.
        version: u64,
    },
    /// No mask rule of that number.
    #[error("there is no mask rule {number}; there are {count}: see hallpass mask list")]
    NoSuchMaskRule {
        /// As asked, counted from 1.
        number: usize,
        /// How many there are.
        count: usize,
    },
    /// A rule for these columns is there.
    #[error(
        "mask rule {number} is for the same columns of the same targets: add --replace to put the new one \
         in its place, in one version"
    )]
    MaskRuleThere {
        /// Which, counted from 1.
        number: usize,
    },
    /// Nothing to be replaced.
    #[error(
        "there is no mask rule for these columns of these targets: leave --replace out, or see hallpass \
         mask list"
    )]
    NoMaskRuleFor,
    /// The key that was given is in force.
    #[error("hashes and shifts have that key already: {name}")]
    MaskKeyThere {
        /// What tells it from others.
        name: String,
    },
    /// Two of the given rules are for the same columns.
    #[error(
        "mask rules {first} and {second} are for the same columns of the same targets: the second \
         would never hold"
    )]
    MaskRuleTwice {
        /// Counted from 1.
        first: usize,
        /// Counted from 1.
        second: usize,
    },
    /// A new rule is for no target that there is.
    #[error("mask rule {number}: there is no target {pattern}; there are: {known}")]
    MaskTarget {
        /// Counted from 1.
        number: usize,
        /// As given.
        pattern: String,
        /// Those there are.
        known: String,
    },
    /// More rules than there may be.
    #[error("there are at most {most} mask rules")]
    TooManyMaskRules {
        /// The most.
        most: usize,
    },
    /// The rules in the store are none that this version knows.
    #[error(
        "the mask rules of version {version} can't be read: {why}; use the version of Hallpass that \
         wrote them"
    )]
    MasksUnreadable {
        /// Which version.
        version: u64,
        /// Why.
        why: String,
    },
    /// The store was written by a newer version.
    #[error(
        "the store has schema {found}, this version knows {known}: use the newer version, or \
         restore a backup"
    )]
    NewerSchema {
        /// The store's.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// What was read can't be what was written.
    #[error("the store is damaged: {what}")]
    Corrupt {
        /// Where.
        what: String,
    },
    /// Only the embedded store can do it.
    #[error("a store on Postgres is backed up with pg_dump")]
    NotEmbedded,
    /// The file or its folder.
    #[error("{path}: {cause}")]
    File {
        /// Which.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The random numbers of the system.
    #[error("the system gives no random numbers")]
    NoRandomness,
    /// The database.
    #[error("the store can't be reached or answered with an error: {0}")]
    Database(#[from] sqlx::Error),
}

impl Error {
    /// True if the store works and said no; false if it failed.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::NoSuchPrincipal(_)
            | Self::PrincipalExists(_)
            | Self::PrincipalDisabled(_)
            | Self::NoSuchRole { .. }
            | Self::NoSuchTarget { .. }
            | Self::NoSuchRequest(_)
            | Self::NoSuchGrant(_)
            | Self::NoSuchSession(_)
            | Self::OwnRequest { .. }
            | Self::OwnGrant
            | Self::NotAllowed { .. }
            | Self::Decided { .. }
            | Self::GrantOver { .. }
            | Self::TooLong { .. }
            | Self::Invalid { .. }
            | Self::TooManyPending { .. }
            | Self::TimeMoves
            | Self::MasksChanged { .. }
            | Self::NoSuchMaskVersion { .. }
            | Self::NoSuchMaskRule { .. }
            | Self::MaskRuleThere { .. }
            | Self::NoMaskRuleFor
            | Self::MaskKeyThere { .. }
            | Self::MaskRuleTwice { .. }
            | Self::MaskTarget { .. }
            | Self::TooManyMaskRules { .. }
            | Self::NotEmbedded => true,
            Self::NewerSchema { .. }
            | Self::MasksUnreadable { .. }
            | Self::Corrupt { .. }
            | Self::File { .. }
            | Self::NoRandomness
            | Self::Database(_) => false,
        }
    }

    pub(super) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }
}

/// The word for a request's state, as stored and shown.
pub fn state_name(state: RequestState) -> &'static str {
    match state {
        RequestState::Pending => "pending",
        RequestState::Approved => "approved",
        RequestState::Denied => "denied",
        RequestState::Withdrawn => "withdrawn",
        RequestState::Stale => "stale",
    }
}

/// The word for a grant's status, as shown.
pub fn status_name(status: GrantStatus) -> &'static str {
    match status {
        GrantStatus::Scheduled => "scheduled",
        GrantStatus::Active => "active",
        GrantStatus::Expired => "expired",
        GrantStatus::Revoked => "revoked",
        GrantStatus::Exhausted => "exhausted",
    }
}
