//! A statement that runs, and what it has returned so far. The same for both protocols.

use std::{rc::Rc, sync::Arc, time::Duration};

use smallvec::SmallVec;

use super::budget::Meter;
use crate::kernel::{
    audit::record::Ended,
    ids::{GrantId, StatementId},
    mask::{
        Plan,
        marks::{Order, Shown},
    },
    policy::Permit,
    refusal::{Refusal, RefusalKind},
    sql::{
        analysis::{Analysis, Hidden, StatementClass},
        copy::CopyOptions,
    },
    time::Timestamp,
};

/// A statement that was sent upstream and has not ended.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of one run, not a state")]
pub struct Run {
    /// Its record.
    pub statement: StatementId,
    /// Grants it stands on.
    pub stands_on: SmallVec<[GrantId; 2]>,
    /// Row budgets that its rows count against.
    pub grants: SmallVec<[(GrantId, Arc<Meter>); 2]>,
    /// What it does in one word; `None`: nobody knows.
    pub class: Option<StatementClass>,
    /// When it was judged.
    pub started: Timestamp,
    /// How long that took.
    pub policy: Duration,
    /// Limits of this result.
    pub cap: Option<Cap>,
    /// Rows returned so far.
    pub rows: u64,
    /// Bytes of rows returned so far.
    pub bytes: u64,
    /// Bytes of errors and notices so far that have not been counted as rows.
    pub said: u64,
    /// Returns rows of user relations, so that they count against budgets.
    pub counts: bool,
    /// It changes something, so that a cut can't undo it for sure.
    pub writes: bool,
    /// Why its rows end here, once they do.
    pub cut: Option<Refusal>,
    /// How its end comes about once it has been cut.
    pub rest: Rest,
    /// Nothing else runs in its implicit transaction, so that cancelling it takes nothing else back.
    pub alone: bool,
    /// A portal's own count, to be kept up over several fetches.
    pub portal: Option<Rc<super::names::Portal>>,
    /// What the prepared statement or cursor that it runs does.
    pub inner: Option<Arc<Analysis>>,
    /// Columns of its rows that must not go out as they are.
    pub hide: Option<Hidden>,
    /// Which masked columns may be seen.
    pub shown: Option<Arc<Shown>>,
    /// What has to happen to its rows, and to what the server says of it.
    pub mask: Option<Arc<Order>>,
    /// What becomes of each cell, once its header has come.
    pub plan: Option<Plan>,
    /// How its rows are written, if they are those of a copy that is masked; until the first one comes.
    pub copying: Option<Copying>,
    /// It runs code that may make names anew.
    pub renames: bool,
}

/// What has to be known of a copy to mask its rows.
#[derive(Debug)]
pub struct Copying {
    /// A query whose header is that of the copy.
    pub query: String,
    /// The columns come in the order of their numbers: otherwise the table isn't what it was taken for.
    pub in_order: bool,
    /// How the rows are written; `None`: nobody knows, and none of them may have to be masked.
    pub options: Option<CopyOptions>,
}

/// What becomes of the rest of a result that was cut and ends with a warning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rest {
    /// Nothing has been decided.
    Runs,
    /// The statement is cancelled, and the client sees a normal end.
    EndsQuietly,
    /// A cancel would abort the transaction: it runs to its end, for a while.
    Drains {
        /// When that has taken too long.
        until: Timestamp,
        /// How many bytes of rows may still come.
        bytes: u64,
    },
    /// It was too long for that: it is cancelled, and an error after all.
    Fails,
}

/// A row of so many bytes counts once against budgets, a longer one once more for each that it begins:
/// `string_agg` makes one row of a table.
const ROW_BYTES: u64 = 10 << 10;

/// Rows that have come together.
#[derive(Clone, Copy, Default, Debug)]
pub struct Rows {
    count: u64,
    bytes: u64,
    /// What they count against budgets.
    weight: u64,
}

impl Rows {
    /// One more, of so many bytes.
    pub fn add(&mut self, bytes: usize) {
        self.count += 1;
        self.bytes += bytes as u64;
        self.weight += weight(bytes);
    }
}

/// Limits of one result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cap {
    /// Rows, over all fetches.
    pub rows: u64,
    /// Bytes of rows, over all fetches.
    pub bytes: u64,
}

impl Cap {
    /// True if what would last waits until the result has ended: it holds rows of user relations, so that
    /// it is likely to pass its cap.
    pub fn holds_back(&self) -> bool {
        self.rows < u64::MAX
    }
}

impl Run {
    /// A statement that is about to run under this permit.
    pub fn new(statement: StatementId, permit: &Permit, started: Timestamp) -> Self {
        let cap = permit
            .byte_cap()
            .map(|bytes| Cap { rows: permit.row_cap().unwrap_or(u64::MAX), bytes });
        Self {
            statement,
            stands_on: permit.grant_ids().collect(),
            grants: SmallVec::new(),
            class: None,
            started,
            policy: Duration::ZERO,
            cap,
            rows: 0,
            bytes: 0,
            said: 0,
            counts: false,
            writes: permit.needs_write(),
            cut: None,
            rest: Rest::Runs,
            alone: false,
            portal: None,
            inner: None,
            hide: None,
            shown: permit.shown().map(Arc::clone),
            mask: None,
            plan: None,
            copying: None,
            renames: false,
        }
    }

    /// True if its rows must be read: something in them is hidden or masked, or nobody knows yet.
    pub fn rewrites(&self) -> bool {
        let masks = || self.mask.is_some() && self.plan.as_ref().is_none_or(|plan| !plan.is_none());
        self.cut.is_none() && (self.hide.is_some() || masks())
    }

    /// True while its rows are written anew by their plan.
    pub fn masks(&self) -> bool {
        let masks = self.plan.as_ref().is_some_and(|plan| !plan.is_none());
        masks && self.cut.is_none() && self.hide.is_none()
    }

    /// Counts one row. False if it must not go out: the result has been cut, or this row passes a
    /// limit and cuts it.
    pub fn row(&mut self, bytes: usize) -> bool {
        if self.cut.is_some() {
            return false;
        }
        let (before_rows, before_bytes) =
            self.portal.as_ref().map_or((0, 0), |portal| portal.fetched.get());
        if let Some(cap) = self.cap {
            if before_rows + self.rows >= cap.rows {
                self.cut = Some(over("rows", cap.rows));
                return false;
            }
            if before_bytes + self.bytes + bytes as u64 > cap.bytes {
                self.cut = Some(over("bytes", cap.bytes));
                return false;
            }
        }
        if !self.takes(weight(bytes)) {
            return false;
        }
        self.rows += 1;
        self.bytes += bytes as u64;
        true
    }

    /// Counts rows that have come together. False, and none of them is counted: one may be one too many.
    pub fn rows(&mut self, rows: Rows) -> bool {
        if self.cut.is_some() || self.portal.is_some() {
            return false;
        }
        let is_over = |cap: Cap| {
            self.rows.saturating_add(rows.count) > cap.rows
                || self.bytes.saturating_add(rows.bytes) > cap.bytes
        };
        if self.cap.is_some_and(is_over) {
            return false;
        }
        let meters = if self.counts { self.grants.as_slice() } else { &[] };
        if let Some(empty) = meters.iter().position(|(_, meter)| !meter.take(rows.weight)) {
            for (_, meter) in meters.iter().take(empty) {
                meter.give_back(rows.weight);
            }
            return false;
        }
        self.rows += rows.count;
        self.bytes += rows.bytes;
        true
    }

    /// Counts an error or a notice, which may quote rows. `quotes`: it says so. False if it must not go
    /// out, as for a row.
    pub fn text(&mut self, bytes: usize, quotes: bool) -> bool {
        if self.cut.is_some() {
            return false;
        }
        let bytes = bytes as u64;
        let before = self.portal.as_ref().map_or(0, |portal| portal.fetched.get().1);
        if let Some(cap) = self.cap.filter(|cap| before + self.bytes + bytes > cap.bytes) {
            self.cut = Some(over("bytes", cap.bytes));
            return false;
        }
        let said = self.said + bytes;
        if !self.takes((said / ROW_BYTES).max(u64::from(quotes))) {
            return false;
        }
        self.said = said % ROW_BYTES;
        self.bytes += bytes;
        true
    }

    /// Takes so many rows from the budgets. False if one is used up: then the result ends here.
    fn takes(&mut self, rows: u64) -> bool {
        if !self.counts {
            return true;
        }
        let empty = self.grants.iter().find(|(_, meter)| !meter.take(rows));
        if let Some((grant, _)) = empty {
            let why = format!("the row budget of {grant} is used up");
            self.cut = Some(Refusal::new(RefusalKind::LimitExceeded, why));
            return false;
        }
        true
    }

    /// True if it stands on one of these grants.
    pub fn permit_uses(&self, grants: &[GrantId]) -> bool {
        self.stands_on.iter().any(|g| grants.contains(g))
    }

    /// Ends the result here, if nothing ended it before.
    pub fn cut(&mut self, why: Refusal) {
        if self.cut.is_none() {
            self.cut = Some(why);
        }
    }

    /// What its record says of its end. `error`: the upstream's SQLSTATE.
    pub fn ended(&self, error: Option<&str>) -> Ended {
        match (&self.cut, error) {
            (Some(why), _) if why.kind == RefusalKind::LimitExceeded => Ended::Cut,
            (Some(_), _) | (None, Some("57014")) => Ended::Cancelled,
            (None, Some(_)) => Ended::Error,
            (None, None) => Ended::Completed,
        }
    }

    /// Adds what was fetched to the portal's own count.
    pub fn settle_portal(&self) {
        if let Some(portal) = &self.portal {
            let (rows, bytes) = portal.fetched.get();
            portal.fetched.set((rows + self.rows, bytes + self.bytes));
        }
    }
}

/// What a row of so many bytes counts against budgets.
fn weight(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(ROW_BYTES).max(1)
}

fn over(what: &str, limit: u64) -> Refusal {
    let message = format!("result passed {limit} {what}");
    let hint = match what {
        "rows" => format!(
            "Add LIMIT {limit}, or ask for sql.export: \
             SELECT hallpass.request('export', '30m', 'say why');"
        ),
        _ => "Read less at a time, or ask for sql.export: \
              SELECT hallpass.request('export', '30m', 'say why');"
            .to_owned(),
    };
    Refusal::new(RefusalKind::LimitExceeded, message).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{
        access::Rights,
        policy::{Decision, decide, decide::Caps},
    };

    fn run(cap: Cap, left: &[u64]) -> Run {
        let caps = Caps { rows: 10, bytes: 1 << 20, catalog_bytes: 1 << 20 };
        let Decision::Permit(permit) = decide([], &Rights::default(), caps, Timestamp(0)) else {
            panic!("nothing needed and yet denied")
        };
        let mut run = Run::new(StatementId(1), &permit, Timestamp(0));
        (run.cap, run.counts) = (Some(cap), true);
        run.grants = left.iter().map(|left| (GrantId(1), Meter::of(*left))).collect();
        run
    }

    fn rows(lengths: &[usize]) -> Rows {
        let mut rows = Rows::default();
        for length in lengths {
            rows.add(*length);
        }
        rows
    }

    #[test]
    fn rows_together_count_as_each_by_itself() {
        let long = ROW_BYTES as usize * 3;
        let lengths = [1, 0, long, 7];
        let cap = Cap { rows: 4, bytes: 8 + long as u64 };
        let (mut together, mut each) = (run(cap, &[6, 6]), run(cap, &[6, 6]));
        assert!(together.rows(rows(&lengths)));
        assert!(lengths.into_iter().all(|length| each.row(length)));
        for run in [&together, &each] {
            assert_eq!((run.rows, run.bytes), (4, 8 + long as u64));
            assert!(run.grants.iter().all(|(_, meter)| meter.is_used_up()));
        }
    }

    #[test]
    fn rows_of_which_one_is_too_many_are_not_counted() {
        let wide = Cap { rows: 100, bytes: 100 };
        for (cap, left, lengths) in [
            (Cap { rows: 2, ..wide }, [9, 9], &[1, 1, 1][..]),
            (Cap { bytes: 5, ..wide }, [9, 9], &[3, 3]),
            (wide, [2, 9], &[1, 1, 1]),
            (wide, [9, 2], &[1, 1, 1]),
        ] {
            let mut run = run(cap, &left);
            assert!(!run.rows(rows(lengths)) && run.cut.is_none() && run.rows == 0);
            // Each by itself they pass up to that one.
            let passed = lengths.iter().take_while(|length| run.row(**length)).count();
            assert_eq!(passed, lengths.len() - 1);
            assert!(run.cut.is_some() && !run.rows(rows(&[])));
        }
    }
}
