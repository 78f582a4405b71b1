//! Ports nobody listens on.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

/// A port that was free a moment ago. They come from below the range that systems give to outgoing
/// connections, so that nobody takes one between this call and its use by accident.
pub fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = u16::try_from(std::process::id() % 11_000).expect("below 11,000");
    for _ in 0..11_000 {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 21_000 + (offset.wrapping_mul(7).wrapping_add(step)) % 11_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port between 21000 and 32000 is free");
}
