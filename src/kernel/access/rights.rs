//! What a session holds at one moment: standing permissions and all live grants on its target.

use std::sync::Arc;

use crate::kernel::{
    access::{Grant, GrantStatus, Level, Permission, PermissionSet},
    time::Timestamp,
};

/// Standing permissions ∪ live grants. Cheap to ask; made anew whenever either changes.
#[derive(Clone, Debug, Default)]
pub struct Rights {
    /// What the principal's roles hold without any grant.
    pub standing: PermissionSet,
    /// Grants of this principal on this target that were active when this value was made.
    pub grants: Vec<Arc<Grant>>,
    /// Until when this value holds if nothing else changes.
    pub valid_until: Option<Timestamp>,
}

impl Rights {
    /// The rights at `now`, of a principal with these standing permissions and these grants (of any
    /// status) on the session's target.
    pub fn at<'a>(
        now: Timestamp,
        standing: PermissionSet,
        grants: impl IntoIterator<Item = &'a Arc<Grant>>,
    ) -> Self {
        let mut rights = Self { standing, ..Self::default() };
        for grant in grants {
            match grant.status_at(now) {
                GrantStatus::Active => rights.grants.push(Arc::clone(grant)),
                GrantStatus::Scheduled => {}
                GrantStatus::Expired | GrantStatus::Revoked | GrantStatus::Exhausted => continue,
            }
            let changes = grant.next_change(now);
            rights.valid_until = match (rights.valid_until, changes) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        rights
    }

    /// True if anything held, on any scope, allows this.
    pub fn allow(&self, permission: Permission) -> bool {
        self.standing.allows(permission)
            || self.grants.iter().any(|g| g.permissions.allows(permission))
    }

    /// True if anything held may write, so that the upstream may be writable.
    pub fn may_write(&self) -> bool {
        Permission::ALL.into_iter().any(|p| p.writes() && self.allow(p))
    }

    /// Which log-in at the upstream they take.
    pub fn level(&self) -> Level {
        let held = |level: &Level| {
            Permission::ALL.into_iter().any(|p| p.level() == *level && self.allow(p))
        };
        Level::ALL.into_iter().rev().find(held).unwrap_or_default()
    }

    /// All that is held, for messages.
    pub fn held(&self) -> PermissionSet {
        self.grants.iter().fold(self.standing, |set, g| set.union(g.permissions))
    }
}
