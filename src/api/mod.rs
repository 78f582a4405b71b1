//! The gateway over HTTP: health and metrics. Floor 5.

mod guarded;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{Router, extract, http::StatusCode, routing::get};

pub use guarded::Guarded;

use crate::{session::services::Services, telemetry::metrics::Gauges};

/// Whether the gateway can do its work. Cheap to clone; clones show the same.
#[derive(Clone, Debug, Default)]
pub struct Health {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    ready: AtomicBool,
    store_fails: AtomicBool,
    trail_hangs: AtomicBool,
}

impl Health {
    /// It takes connections, or doesn't any more.
    pub fn set_ready(&self, ready: bool) {
        self.inner.ready.store(ready, Ordering::Relaxed);
    }

    /// The store answers.
    pub fn set_store(&self, answers: bool) {
        self.inner.store_fails.store(!answers, Ordering::Relaxed);
    }

    /// Writes to the trail don't return.
    pub fn set_trail(&self, hangs: bool) {
        self.inner.trail_hangs.store(hangs, Ordering::Relaxed);
    }

    fn reasons(&self) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        if !self.inner.ready.load(Ordering::Relaxed) {
            reasons.push("not taking connections");
        }
        if self.inner.store_fails.load(Ordering::Relaxed) {
            reasons.push("the store can't be read");
        }
        if self.inner.trail_hangs.load(Ordering::Relaxed) {
            reasons.push("the trail's disk does not answer");
        }
        reasons
    }
}

/// What the handlers need.
#[derive(Clone, Debug)]
pub struct State {
    /// The gateway's health.
    pub health: Health,
    /// What sessions share.
    pub services: Arc<Services>,
}

/// One handler per line.
pub fn router(state: State) -> Router {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(state)
}

async fn alive() -> &'static str {
    "ok\n"
}

async fn ready(extract::State(state): extract::State<State>) -> (StatusCode, String) {
    let reasons = state.health.reasons();
    if reasons.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", reasons.join("\n")))
    }
}

async fn metrics(extract::State(state): extract::State<State>) -> String {
    let now = state.services.clock.now();
    let access = state.services.access.load();
    let active = access
        .grants
        .values()
        .flatten()
        .filter(|g| g.status_at(now) == crate::kernel::access::GrantStatus::Active)
        .count();
    state.services.metrics.exposition(Gauges {
        connections_open: state.services.registry.len(),
        grants_active: active,
    })
}
