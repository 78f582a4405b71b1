//! A yes with its obligations, or a no with its reasons.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::kernel::{
    access::{Grant, Level, PermissionSet},
    ids::GrantId,
    mask::marks::Shown,
    refusal::{Refusal, RefusalKind},
    sql::analysis::{Need, NeedOn},
};

/// What [`super::decide()`] answers.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Yes.
    Permit(Permit),
    /// No.
    Denial(Denial),
}

/// A yes, and what it obliges to. Only [`super::decide()`] makes one.
#[derive(Clone, Debug)]
pub struct Permit {
    /// The grants it stands on, none if standing permissions were enough.
    pub(super) grants: SmallVec<[Arc<Grant>; 2]>,
    /// The most rows the statement may return; `None`: as many as there are.
    pub(super) row_cap: Option<u64>,
    /// The most bytes of rows the statement may return.
    pub(super) byte_cap: Option<u64>,
    /// The upstream must be writable for it.
    pub(super) needs_write: bool,
    /// What admin alone may see must be hidden.
    pub(super) hides: bool,
    /// Masked columns that may be seen in clear.
    pub(super) shown: Option<Arc<Shown>>,
    /// Which log-in at the upstream it takes.
    pub(super) level: Level,
}

impl Permit {
    /// The grants it stands on.
    pub fn grants(&self) -> &[Arc<Grant>] {
        &self.grants
    }

    /// Their ids.
    pub fn grant_ids(&self) -> impl Iterator<Item = GrantId> {
        self.grants.iter().map(|g| g.id)
    }

    /// The most rows the statement may return, if there is a cap.
    pub fn row_cap(&self) -> Option<u64> {
        self.row_cap
    }

    /// The most bytes of rows the statement may return, if there is a cap.
    pub fn byte_cap(&self) -> Option<u64> {
        self.byte_cap
    }

    /// True if the columns that the analyses call hidden must not go out as they are.
    pub fn hides(&self) -> bool {
        self.hides
    }

    /// Masked columns that may be seen in clear; `None`: the statement has to do with none.
    pub fn shown(&self) -> Option<&Arc<Shown>> {
        self.shown.as_ref()
    }

    /// Which log-in at the upstream it takes.
    pub fn level(&self) -> Level {
        self.level
    }

    /// True if the upstream must be writable.
    pub fn needs_write(&self) -> bool {
        self.needs_write
    }
}

/// One thing that is missing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing {
    /// What the statement needs.
    pub need: Need,
    /// It is held, but on other tables only.
    pub out_of_scope: bool,
}

/// A no, with everything that is missing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Denial {
    /// At least one.
    pub missing: Vec<Missing>,
    /// What the session holds, for the message.
    pub held: PermissionSet,
}

impl Denial {
    /// The permissions to ask for, so that the statement would pass.
    pub fn permissions(&self) -> PermissionSet {
        self.missing.iter().map(|m| m.need.permission).collect()
    }

    /// The line to paste into the SQL client.
    pub fn request_line(&self) -> String {
        format!("SELECT hallpass.request('{}', '30m', 'say why');", self.permissions().short_list())
    }

    /// As the client is told.
    pub fn refusal(&self) -> Refusal {
        if let Some(missing) = self.missing.iter().find(|m| m.need.on == NeedOn::Nobody) {
            let message =
                format!("permission denied: nobody may do this here: {}", missing.need.why);
            return Refusal::new(RefusalKind::StatementDenied, message)
                .with_hint("Whoever runs the server does it there, not through the gateway.");
        }
        let first = self.missing.first();
        let on_relation = first.is_some_and(|m| matches!(m.need.on, NeedOn::Relation { .. }));
        let kind =
            if on_relation { RefusalKind::RelationDenied } else { RefusalKind::StatementDenied };
        let mut message = format!("permission denied: this needs {}", self.permissions());
        if let Some(first) = first {
            message.push_str(&format!(" ({})", first.need.why));
        }
        let detail = if self.missing.iter().any(|m| m.out_of_scope) {
            format!("You hold {}, but on other tables.", self.held)
        } else {
            format!("You hold {}.", self.held)
        };
        Refusal::new(kind, message).with_detail(detail).with_hint(self.request_line())
    }
}
