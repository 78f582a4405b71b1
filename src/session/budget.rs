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
    /// Takes one row from the budget; false if none is left.
    pub fn take_row(&self) -> bool {
        if self.used.fetch_add(1, Ordering::Relaxed) < self.budget {
            return true;
        }
        self.used.fetch_sub(1, Ordering::Relaxed);
        false
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
