//! Panics: counted, and told by place alone. What a panic says may hold a statement's text.

use std::{
    panic,
    sync::atomic::{AtomicU64, Ordering},
};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// From here on a panic, on whatever thread, is counted and logged with its place.
pub fn watch() {
    panic::set_hook(Box::new(|info| {
        COUNT.fetch_add(1, Ordering::Relaxed);
        let thread = std::thread::current();
        let (file, line) = info.location().map_or(("?", 0), |at| (at.file(), at.line()));
        let thread = thread.name().unwrap_or("?");
        tracing::error!(file, line, thread, "a panic: a mistake in the gateway, please report it");
    }));
}

/// How many there have been.
pub fn count() -> u64 {
    COUNT.load(Ordering::Relaxed)
}
