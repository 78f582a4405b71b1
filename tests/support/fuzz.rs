//! The harness of the fuzz targets, on the stable toolchain: inputs are changed and mixed from seeds,
//! with the words and lengths that mean something to a target.
//!
//! A run begins with what is kept in `tests/fuzz/TARGET`: seeds, and each input that ever broke the
//! target. What breaks it now is made smaller and written there. Each target goes on for
//! `HALLPASS_FUZZ_SECONDS` (15 unless it is set) from the seed `HALLPASS_FUZZ_SEED`; as many targets of a
//! test binary run side by side as there are cores. Hours:
//! `HALLPASS_FUZZ_SEED=$RANDOM HALLPASS_FUZZ_SECONDS=3600 cargo test --release --test fuzz --test fuzz_sql -- --nocapture`.
// Every test binary uses its own part of this.
#![allow(dead_code)]

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// What one input may take, in a debug build on a busy machine.
const SLOW: Duration = Duration::from_secs(3);
/// How long an input that breaks a target is made smaller.
const SHRINK: Duration = Duration::from_secs(20);
/// Seeds that are tried as they are.
const FIRST: usize = 64;
/// Changed inputs that are kept to be changed again.
const KEPT: usize = 512;
/// Bytes that mean something to most parsers.
const ODD: [&[u8]; 12] = [
    b"\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\0\0\0\0",
    b"\0\0\0\x01",
    b"\"",
    b"\\",
    b"\x80",
    b"\xc3\xa4",
    b"-1",
    b"99999999999999999999",
];

/// A small generator (xorshift): the same seed gives the same inputs.
pub(crate) struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below this one; 0 below 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).expect("31 bits") % bound.max(1)
    }

    fn of<'t, T: ?Sized>(&mut self, list: &[&'t T]) -> Option<&'t T> {
        list.get(self.below(list.len())).copied()
    }
}

/// A core for one target. Where more tests run at once than there are cores, which is good for those that
/// wait for servers, a target would have only a part of its seconds.
struct Core;

static TAKEN: Mutex<usize> = Mutex::new(0);
static GIVEN_BACK: Condvar = Condvar::new();

impl Core {
    fn take() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = GIVEN_BACK.wait_while(taken, |taken| *taken >= cores);
        *wait.unwrap_or_else(PoisonError::into_inner) += 1;
        Self
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        GIVEN_BACK.notify_one();
    }
}

/// One target: a name, what it starts from, and how its inputs are changed.
pub(crate) struct Target<'t> {
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    words: Vec<&'t [u8]>,
    longest: usize,
    mend: fn(&mut [u8]),
}

impl<'t> Target<'t> {
    pub(crate) fn new(name: &'static str, seeds: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let seeds = seeds.into_iter().collect();
        Self { name, seeds, words: ODD.to_vec(), longest: 4096, mend: |_| {} }
    }

    /// What is put in besides bytes.
    pub(crate) fn words(mut self, words: impl IntoIterator<Item = &'t str>) -> Self {
        self.words.extend(words.into_iter().map(str::as_bytes));
        self
    }

    /// Inputs don't grow beyond so many bytes.
    pub(crate) fn longest(mut self, bytes: usize) -> Self {
        self.longest = bytes;
        self
    }

    /// What makes an input whole again, of every second one: a length that must fit, for example.
    pub(crate) fn mended(mut self, mend: fn(&mut [u8])) -> Self {
        self.mend = mend;
        self
    }

    /// Runs it.
    pub(crate) fn run(self, run: impl Fn(&[u8])) {
        let number = |name: &str| {
            let set = std::env::var(name).ok();
            set.map(|n| n.parse::<u64>().unwrap_or_else(|_| panic!("{name} is a number")))
        };
        let seconds = number("HALLPASS_FUZZ_SECONDS").unwrap_or(15);
        let seed = number("HALLPASS_FUZZ_SEED").unwrap_or(0);
        let _core = Core::take();
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ seed);
        let mut inputs = self.kept();
        let first = inputs.len() + FIRST;
        inputs.extend(self.seeds.iter().cloned());
        // A whole corpus of seeds has tests of its own.
        for input in inputs.iter().take(first) {
            self.one(input, &run);
        }
        let first = inputs.len();
        let (began, mut count) = (Instant::now(), 0_u64);
        while began.elapsed() < Duration::from_secs(seconds) {
            let (at, other) = (dice.below(inputs.len()), dice.below(inputs.len()));
            let mut input = self.change(&mut dice, inputs[at].clone(), &inputs[other]);
            if dice.below(2) == 0 {
                (self.mend)(&mut input);
            }
            self.one(&input, &run);
            count += 1;
            // Some of them are changed further; of the seeds, all stay.
            match dice.below(16) {
                0 if inputs.len() < first + KEPT => inputs.push(input),
                0 => {
                    let at = first + dice.below(KEPT);
                    inputs[at] = input;
                }
                _ => {}
            }
        }
        eprintln!("{}: {count} inputs", self.name);
    }

    fn folder(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz").join(self.name)
    }

    fn kept(&self) -> Vec<Vec<u8>> {
        let files = fs::read_dir(self.folder()).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = files.map(|file| file.path()).collect();
        paths.sort();
        paths.iter().map(|path| fs::read(path).expect("reads")).collect()
    }

    /// Tries one input; what breaks the target is kept.
    fn one(&self, input: &[u8], run: &impl Fn(&[u8])) {
        let breaks = |input: &[u8]| {
            let began = Instant::now();
            let panicked = catch_unwind(AssertUnwindSafe(|| run(input))).is_err();
            panicked || began.elapsed() > SLOW
        };
        // What was slow once may have waited for others.
        if !breaks(input) || !breaks(input) {
            return;
        }
        let least = shrink(input, breaks);
        let sum =
            least.iter().fold(5381_u32, |sum, b| sum.wrapping_mul(33).wrapping_add(u32::from(*b)));
        let file = self.folder().join(format!("broken-{sum:08x}"));
        fs::create_dir_all(self.folder()).expect("makes a folder");
        fs::write(&file, &least).expect("writes");
        let shown = String::from_utf8_lossy(&least).into_owned();
        panic!("{}: {} breaks it: {shown:?}", self.name, file.display());
    }

    /// Changes an input in a few places, or mixes it with another.
    fn change(&self, dice: &mut Dice, mut input: Vec<u8>, other: &[u8]) -> Vec<u8> {
        for _ in 0..=dice.below(5) {
            let at = dice.below(input.len() + 1);
            let end = at + dice.below(input.len() - at + 1).min(1 << dice.below(8));
            match dice.below(10) {
                0 => input.truncate(at),
                1 => input.insert(at, u8::try_from(dice.below(256)).expect("a byte")),
                2 if at < input.len() => input[at] ^= 1 << dice.below(8),
                3 => drop(input.drain(at..end)),
                4 => {
                    // The same again.
                    let part = input[at..end].to_vec();
                    input.splice(at..at, part);
                }
                5 | 6 => {
                    let word = dice.of(&self.words).unwrap_or_default();
                    let over = if dice.below(2) == 0 { end } else { at };
                    input.splice(at..over, word.iter().copied());
                }
                7 => {
                    // A length that fits what is left, or nearly.
                    let left = input.len() - at + dice.below(5);
                    let bytes = u32::try_from(left).expect("short").to_be_bytes();
                    let width = 2 + 2 * dice.below(2);
                    let over = (at + width).min(input.len());
                    input.splice(at..over, bytes[4 - width..].iter().copied());
                }
                _ => {
                    let from = dice.below(other.len() + 1);
                    let to = from + dice.below(other.len() - from + 1);
                    input.splice(at..at, other[from..to].iter().copied());
                }
            }
        }
        input.truncate(self.longest);
        input
    }
}

/// Leaves out what isn't needed to break.
fn shrink(input: &[u8], breaks: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut least = input.to_vec();
    let until = Instant::now() + SHRINK;
    let mut part = least.len() / 2;
    while part > 0 {
        let mut at = 0;
        while at < least.len() && Instant::now() < until {
            let mut fewer = least.clone();
            fewer.drain(at..(at + part).min(least.len()));
            if breaks(&fewer) { least = fewer } else { at += part }
        }
        part /= 2;
    }
    least
}

/// Makes the length of a message, behind its tag, what it is.
pub(crate) fn length_behind_tag(message: &mut [u8]) {
    set_length(message, 1);
}

/// Makes the length at the beginning of a start-up packet what it is.
pub(crate) fn length_first(packet: &mut [u8]) {
    set_length(packet, 0);
}

fn set_length(message: &mut [u8], at: usize) {
    let length = u32::try_from(message.len() - at.min(message.len())).expect("short");
    if let Some(place) = message.get_mut(at..at + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}
