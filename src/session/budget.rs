//! Row budgets of grants, shared by all sessions of this gateway.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::kernel::{access::Grant, ids::GrantId};

/// How many rows a grant has left.
#[derive(Debug)]
pub struct Meter {
    budget: u64,
    used: AtomicU64,
    /// Rows that the store knows of.
    stored: AtomicU64,
}

impl Meter {
    /// One of its own with so many rows.
    #[cfg(test)]
    pub fn of(budget: u64) -> Arc<Self> {
        Arc::new(Self { budget, used: AtomicU64::default(), stored: AtomicU64::default() })
    }

    /// Takes so many rows from the budget; false, and none are taken, if fewer are left.
    pub fn take(&self, rows: u64) -> bool {
        if self.used.fetch_add(rows, Ordering::Relaxed).saturating_add(rows) <= self.budget {
            return true;
        }
        self.used.fetch_sub(rows, Ordering::Relaxed);
        false
    }

    /// Gives back rows that were taken and didn't go out.
    pub fn give_back(&self, rows: u64) {
        self.used.fetch_sub(rows, Ordering::Relaxed);
    }

    /// True if none is left.
    pub fn is_used_up(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= self.budget
    }
}

/// All meters in use.
#[derive(Default, Debug)]
pub struct Budgets {
    meters: Mutex<HashMap<GrantId, Arc<Meter>>>,
}

impl Budgets {
    /// The meter of a grant, made from what the store knows if it is new here.
    pub fn meter(&self, grant: &Grant) -> Arc<Meter> {
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        let meter = meters.entry(grant.id).or_insert_with(|| {
            Arc::new(Meter {
                budget: grant.row_budget,
                used: AtomicU64::new(grant.rows_used),
                stored: AtomicU64::new(grant.rows_used),
            })
        });
        Arc::clone(meter)
    }

    /// Rows used since they were last stored, per grant; counts them as stored.
    pub fn unstored(&self) -> Vec<(GrantId, u64)> {
        let meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed: Vec<(GrantId, u64)> = meters
            .iter()
            .filter_map(|(id, meter)| {
                let used = meter.used.load(Ordering::Relaxed);
                let before = meter.stored.swap(used, Ordering::Relaxed);
                (used > before).then(|| (*id, used - before))
            })
            .collect();
        changed.sort_unstable();
        changed
    }

    /// The store did not take them: they are unstored again.
    pub fn give_back(&self, unstored: &[(GrantId, u64)]) {
        let meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, rows) in unstored {
            if let Some(meter) = meters.get(id) {
                meter.stored.fetch_sub(*rows, Ordering::Relaxed);
            }
        }
    }

    /// Forgets meters of grants that have ended, once no session holds them and they are stored. One
    /// of a live grant stays: made anew from what a session remembers of the grant, it would forget
    /// rows.
    pub fn forget_ended(&self, is_live: impl Fn(GrantId) -> bool) {
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        meters.retain(|id, meter| {
            is_live(*id)
                || Arc::strong_count(meter) > 1
                || meter.used.load(Ordering::Relaxed) != meter.stored.load(Ordering::Relaxed)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{
        access::{AtEnd, Permission, Scope},
        ids::{Principal, TargetName},
        time::{Timestamp, Window},
    };

    #[test]
    fn rows_that_the_store_knows_of_are_not_given_back_by_an_old_view_of_the_grant() {
        let as_first_seen = Grant {
            id: GrantId(1),
            principal: Principal::new("alice"),
            target: TargetName::new("shop"),
            permissions: [Permission::Select].into_iter().collect(),
            scope: Scope::All,
            window: Window { from: Timestamp(0), until: Timestamp(100) },
            max_rows: None,
            row_budget: 2,
            rows_used: 0,
            at_end: AtEnd::default(),
            request: None,
            approved_by: "os:root".to_owned(),
            reason: "a test".to_owned(),
            created: Timestamp(0),
            revoked: None,
        };
        let budgets = Budgets::default();
        assert!(budgets.meter(&as_first_seen).take(1));
        assert_eq!(budgets.unstored(), [(GrantId(1), 1)]);
        budgets.forget_ended(|_| true);
        let meter = budgets.meter(&as_first_seen);
        assert!(!meter.take(2) && meter.take(1) && !meter.take(1) && meter.is_used_up());
        drop(meter);
        budgets.forget_ended(|_| false);
        assert_eq!(budgets.unstored(), [(GrantId(1), 1)], "kept until it is stored");
        budgets.forget_ended(|_| false);
        assert!(budgets.unstored().is_empty());
    }
}
