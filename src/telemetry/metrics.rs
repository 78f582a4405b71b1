//! Every metric, declared in one file, in the text format of Prometheus.
//!
//! Sessions count on their own thread: each [`Counts`] has one writer, so that counting is a load
//! and a store and shares no cache line with other threads. Whoever asks adds them up.
//!
//! Spec: <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::{
    fmt::Write as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::panics;
use crate::kernel::sql::analysis::StatementClass;

/// How a statement got on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatementOutcome {
    /// It was allowed, on record, and sent.
    Permit,
    /// It was refused.
    Deny,
    /// It was allowed, and ended by the gateway: a right or a budget ended, a cap was passed, or
    /// somebody cancelled it.
    Terminate,
    /// It was allowed, and the server said no.
    Error,
}

impl StatementOutcome {
    const ALL: [Self; 4] = [Self::Permit, Self::Deny, Self::Terminate, Self::Error];

    fn name(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Deny => "deny",
            Self::Terminate => "terminate",
            Self::Error => "error",
        }
    }
}

/// What became of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectionOutcome {
    /// It became a session.
    Opened,
    /// It was refused at the log-in.
    Refused,
}

impl ConnectionOutcome {
    const ALL: [Self; 2] = [Self::Opened, Self::Refused];

    fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Refused => "refused",
        }
    }
}

/// The classes of statements, and last what nobody understood.
const CLASSES: [Option<StatementClass>; 10] = [
    Some(StatementClass::Session),
    Some(StatementClass::Explain),
    Some(StatementClass::Info),
    Some(StatementClass::Select),
    Some(StatementClass::Export),
    Some(StatementClass::Dml),
    Some(StatementClass::Ddl),
    Some(StatementClass::Admin),
    Some(StatementClass::Hallpass),
    None,
];

/// A number that only grows, with one writer.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Counter {
    fn add(&self, more: u64) {
        // One thread writes; others only read.
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What one thread of sessions counts.
#[derive(Debug, Default)]
pub struct Counts {
    statements: [[Counter; StatementOutcome::ALL.len()]; CLASSES.len()],
    connections: [Counter; ConnectionOutcome::ALL.len()],
    rows: Counter,
    row_bytes: Counter,
    cache_hits: Counter,
    cache_misses: Counter,
    trail_refusals: Counter,
    disagreements: Counter,
}

impl Counts {
    /// A statement got on so. `class`: `None` if it was not understood.
    pub fn statement(&self, class: Option<StatementClass>, outcome: StatementOutcome) {
        let row = CLASSES.iter().position(|c| *c == class).and_then(|at| self.statements.get(at));
        if let Some(counter) = row.and_then(|row| row.get(outcome as usize)) {
            counter.add(1);
        }
    }

    /// A connection became this.
    pub fn connection(&self, outcome: ConnectionOutcome) {
        if let Some(counter) = self.connections.get(outcome as usize) {
            counter.add(1);
        }
    }

    /// Rows have gone to a client: how many, and their bytes.
    pub fn rows(&self, rows: u64, bytes: u64) {
        self.rows.add(rows);
        self.row_bytes.add(bytes);
    }

    /// A text's analysis was in the cache.
    pub fn cache_hit(&self) {
        self.cache_hits.add(1);
    }

    /// A text had to be read.
    pub fn cache_miss(&self) {
        self.cache_misses.add(1);
    }

    /// A statement was refused because the trail couldn't take its record.
    pub fn trail_refusal(&self) {
        self.trail_refusals.add(1);
    }

    /// A text was read differently by two of the layers.
    pub fn disagreement(&self) {
        self.disagreements.add(1);
    }
}

/// All that is counted in this process.
#[derive(Debug, Default)]
pub struct Metrics {
    counts: Mutex<Vec<Arc<Counts>>>,
    index_lag: AtomicU64,
    trail_write: AtomicU64,
}

/// What is known by looking, not by counting.
#[derive(Clone, Copy, Debug)]
pub struct Gauges {
    /// Sessions connected now.
    pub connections_open: usize,
    /// Grants that give rights now.
    pub grants_active: usize,
}

impl Metrics {
    /// Counts for one more thread.
    pub fn counts(&self) -> Arc<Counts> {
        let counts = Arc::new(Counts::default());
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&counts));
        counts
    }

    /// How far the audit table is behind the trail now, in bytes of trail.
    pub fn index_lags(&self, bytes: u64) {
        self.index_lag.store(bytes, Ordering::Relaxed);
    }

    /// How long the oldest write to the trail that has not returned is under way.
    pub fn trail_write_lasts(&self, time: Duration) {
        self.trail_write.store(time.as_secs(), Ordering::Relaxed);
    }

    /// Everything, as Prometheus reads it.
    pub fn exposition(&self, gauges: Gauges) -> String {
        let all = self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sum = |pick: fn(&Counts) -> &Counter| all.iter().map(|c| pick(c).value()).sum::<u64>();
        let mut page = Page::default();
        page.gauge(
            ("hallpass_connections_open", "Sessions connected now."),
            gauges.connections_open as u64,
        );
        page.head("hallpass_connections_total", "counter", "Connections by what became of them.");
        for (at, outcome) in ConnectionOutcome::ALL.into_iter().enumerate() {
            let value = all.iter().filter_map(|c| c.connections.get(at)).map(Counter::value).sum();
            page.line("hallpass_connections_total", &[("outcome", outcome.name())], value);
        }
        page.head("hallpass_statements_total", "counter", "Statements by class and outcome.");
        for (row, class) in CLASSES.into_iter().enumerate() {
            for (at, outcome) in StatementOutcome::ALL.into_iter().enumerate() {
                let counters = all.iter().filter_map(|c| c.statements.get(row)?.get(at));
                let class = class.map_or("not_understood", StatementClass::name);
                let labels = [("class", class), ("outcome", outcome.name())];
                page.line("hallpass_statements_total", &labels, counters.map(Counter::value).sum());
            }
        }
        page.counter(("hallpass_rows_total", "Rows sent to clients."), sum(|c| &c.rows));
        page.counter(
            ("hallpass_row_bytes_total", "Bytes of rows sent to clients."),
            sum(|c| &c.row_bytes),
        );
        page.head("hallpass_analysis_cache_total", "counter", "Texts looked up in the cache.");
        for (result, value) in [("hit", sum(|c| &c.cache_hits)), ("miss", sum(|c| &c.cache_misses))]
        {
            page.line("hallpass_analysis_cache_total", &[("result", result)], value);
        }
        page.counter(
            (
                "hallpass_trail_refusals_total",
                "Statements refused because the trail was not there.",
            ),
            sum(|c| &c.trail_refusals),
        );
        page.counter(
            (
                "hallpass_panics_total",
                "Mistakes of the gateway's, each at the cost of one session.",
            ),
            panics::count(),
        );
        page.counter(
            ("hallpass_disagreements_total", "Texts that two of the layers read differently."),
            sum(|c| &c.disagreements),
        );
        page.gauge(
            ("hallpass_audit_lag_bytes", "Trail that is not in the audit table yet."),
            self.index_lag.load(Ordering::Relaxed),
        );
        page.gauge(
            (
                "hallpass_trail_write_seconds",
                "How long a write to the trail is under way; beyond 3 its disk does not answer.",
            ),
            self.trail_write.load(Ordering::Relaxed),
        );
        page.gauge(
            ("hallpass_grants_active", "Grants that give rights now."),
            gauges.grants_active as u64,
        );
        page.text
    }
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String can't fail.
        writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}").ok();
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        let labels: Vec<String> = labels.iter().map(|(k, v)| format!("{k}=\"{v}\"")).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        writeln!(self.text, "{name}{labels} {value}").ok();
    }

    fn gauge(&mut self, (name, help): (&str, &str), value: u64) {
        self.head(name, "gauge", help);
        self.line(name, &[], value);
    }

    fn counter(&mut self, (name, help): (&str, &str), value: u64) {
        self.head(name, "counter", help);
        self.line(name, &[], value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_threads_count_is_added_up() {
        let metrics = Metrics::default();
        let (one, two) = (metrics.counts(), metrics.counts());
        one.statement(Some(StatementClass::Select), StatementOutcome::Permit);
        two.statement(Some(StatementClass::Select), StatementOutcome::Permit);
        two.statement(None, StatementOutcome::Deny);
        two.connection(ConnectionOutcome::Refused);
        one.rows(3, 40);
        two.rows(1, 2);
        one.cache_miss();
        one.trail_refusal();
        one.disagreement();
        two.disagreement();
        metrics.index_lags(7);
        metrics.trail_write_lasts(Duration::from_millis(4200));
        let page = metrics.exposition(Gauges { connections_open: 2, grants_active: 1 });
        for line in [
            "hallpass_connections_open 2",
            "hallpass_connections_total{outcome=\"opened\"} 0",
            "hallpass_connections_total{outcome=\"refused\"} 1",
            "hallpass_statements_total{class=\"select\",outcome=\"permit\"} 2",
            "hallpass_statements_total{class=\"not_understood\",outcome=\"deny\"} 1",
            "hallpass_rows_total 4",
            "hallpass_row_bytes_total 42",
            "hallpass_analysis_cache_total{result=\"hit\"} 0",
            "hallpass_analysis_cache_total{result=\"miss\"} 1",
            "hallpass_trail_refusals_total 1",
            "hallpass_disagreements_total 2",
            "hallpass_audit_lag_bytes 7",
            "hallpass_trail_write_seconds 4",
            "hallpass_grants_active 1",
        ] {
            assert!(page.lines().any(|l| l == line), "`{line}` is not in\n{page}");
        }
    }

    #[test]
    fn every_line_is_a_comment_or_a_name_and_a_number() {
        let page = Metrics::default().exposition(Gauges { connections_open: 0, grants_active: 0 });
        for line in page.lines().filter(|l| !l.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').expect("two parts");
            assert!(name.starts_with("hallpass"), "{line}");
            value.parse::<u64>().expect("a number");
        }
    }
}
