//! Faults on demand: a panic, a write that hangs, a clock that jumps, so that tests can show what
//! becomes of everybody else. Only in builds with debug assertions; in a release nothing of it exists.
//!
//! The file that `HALLPASS_TEST_FAULTS` names holds one fault a line, and is read again all the time:
//! `panic PLACE TEXT` (there, when it handles a text that contains this), `hang PLACE` (whoever
//! comes there waits as long as the line stands), `fail PLACE ERRNO` (what is done there fails so),
//! `clock SECONDS` (the system's clock is off by so much).

#[cfg(not(debug_assertions))]
mod points {
    /// Nothing happens.
    #[inline(always)]
    pub fn panic_at(_place: &str, _text: &[u8]) {}

    /// Nothing happens.
    #[inline(always)]
    pub fn hang_at(_place: &str) {}

    /// Nothing fails.
    #[inline(always)]
    pub fn fail_at(_place: &str) -> std::io::Result<()> {
        Ok(())
    }

    /// The clock is right.
    #[inline(always)]
    pub fn clock_is_off_by() -> i64 {
        0
    }

    /// There are none.
    pub fn follow() {}
}

#[cfg(debug_assertions)]
mod points {
    use std::{
        path::PathBuf,
        sync::{
            Mutex, PoisonError,
            atomic::{AtomicBool, AtomicI64, Ordering},
        },
        time::Duration,
    };

    /// How often the file is read.
    const EVERY: Duration = Duration::from_millis(10);

    static ARE_ANY: AtomicBool = AtomicBool::new(false);
    static CLOCK: AtomicI64 = AtomicI64::new(0);
    static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

    /// Begins to follow the file, if one is named.
    pub fn follow() {
        let Some(file) = std::env::var_os("HALLPASS_TEST_FAULTS").map(PathBuf::from) else {
            return;
        };
        tracing::warn!("faults are made on demand: this is a test");
        let mut known = None;
        let mut look = move || {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if known.as_ref() != Some(&text) {
                take_over(&text);
                // So that a test knows from when on they are made.
                std::fs::write(file.with_extension("seen"), &text).ok();
                known = Some(text);
            }
        };
        look();
        let followed = std::thread::Builder::new().name("faults".to_owned()).spawn(move || {
            loop {
                std::thread::sleep(EVERY);
                look();
            }
        });
        if let Err(error) = followed {
            tracing::error!(%error, "no faults can be made");
        }
    }

    fn take_over(text: &str) {
        let off = text.lines().find_map(|line| line.strip_prefix("clock ")?.trim().parse().ok());
        CLOCK.store(off.unwrap_or(0_i64).saturating_mul(1_000_000), Ordering::Relaxed);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        ARE_ANY.store(!lines.is_empty(), Ordering::Relaxed);
        *LINES.lock().unwrap_or_else(PoisonError::into_inner) = lines;
    }

    fn find<T>(wanted: impl Fn(&str) -> Option<T>) -> Option<T> {
        if !ARE_ANY.load(Ordering::Relaxed) {
            return None;
        }
        let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().find_map(|line| wanted(line))
    }

    fn is_set(wanted: impl Fn(&str) -> bool) -> bool {
        find(|line| wanted(line).then_some(())).is_some()
    }

    /// Panics if that is wanted here, for this text.
    pub fn panic_at(place: &str, text: &[u8]) {
        let wanted = |line: &str| {
            let mark = line.strip_prefix("panic ").and_then(|l| l.strip_prefix(place));
            let Some(mark) = mark.and_then(|l| l.strip_prefix(' ')) else { return false };
            text.windows(mark.len().max(1)).any(|part| part == mark.as_bytes())
        };
        assert!(!is_set(wanted), "as a test wants it, on {}", text.escape_ascii());
    }

    /// Waits here as long as that is wanted.
    pub fn hang_at(place: &str) {
        while is_set(|line| line.strip_prefix("hang ") == Some(place)) {
            std::thread::sleep(EVERY);
        }
    }

    /// Fails here if that is wanted.
    ///
    /// # Errors
    /// The one that is wanted.
    pub fn fail_at(place: &str) -> std::io::Result<()> {
        let errno =
            |line: &str| line.strip_prefix("fail ")?.strip_prefix(place)?.trim().parse().ok();
        match find(errno) {
            Some(code) => Err(std::io::Error::from_raw_os_error(code)),
            None => Ok(()),
        }
    }

    /// By how many microseconds the system's clock is off.
    pub fn clock_is_off_by() -> i64 {
        CLOCK.load(Ordering::Relaxed)
    }
}

pub use points::{clock_is_off_by, fail_at, follow, hang_at, panic_at};
