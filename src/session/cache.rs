//! Analyses of one core, by normalized text. Analyses are cached, decisions are not.
//!
//! Some long texts are also kept as they came, so that they needn't be normalized.
//!
//! Two generations: what is asked for moves to the young one; when that is full the old one goes.
//! Not shared between cores, so nobody waits for anybody while a text is parsed.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    sync::{Arc, atomic::AtomicU64, atomic::Ordering},
};

use crate::kernel::sql::{Overlay, SearchPath, analysis::Batch, mode::LexMode};

/// Entries of one generation.
const ENTRIES_MAX: usize = 4096;
/// What one generation may weigh, in bytes: keys and analyses.
const BYTES_MAX: usize = 16 << 20;

/// Texts that are found as they came. Shorter ones are normalized in no time; longer ones are rare.
const TEXT_BYTES: std::ops::RangeInclusive<usize> = 512..=8192;
/// How many of them are kept.
const TEXTS_MAX: usize = 128;
/// The most that the analysis of one of them may weigh, in bytes.
const TEXT_BATCH_BYTES_MAX: usize = 64 << 10;

/// What a session's names and texts mean now. A number stands for the whole in keys; equal states
/// of different sessions have the same number.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ReadingState {
    /// Lexer modes.
    pub mode: LexMode,
    /// Where names are looked up.
    pub path: SearchPath,
    /// What the session put in the way.
    pub overlay: Overlay,
}

/// The number of a [`ReadingState`]. Never used again for another one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StateId(u64);

impl StateId {
    /// The number, for comparing.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// Which reading of which target's catalog, under which settings.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Edition {
    /// [`super::services::Target::number`].
    pub target: u64,
    /// The catalog's epoch.
    pub epoch: u64,
}

static NEXT_STATE: AtomicU64 = AtomicU64::new(1);

/// The cache.
#[derive(Default, Debug)]
pub struct Cache {
    states: HashMap<ReadingState, StateId>,
    young: HashMap<Box<[u8]>, Arc<Batch>>,
    old: HashMap<Box<[u8]>, Arc<Batch>>,
    young_bytes: usize,
    /// Reused for keys.
    key: Vec<u8>,
    /// Each in the one place that it can be in; none at first.
    texts: Vec<Option<Known>>,
    hasher: RandomState,
}

/// A text as it came, and what it does.
#[derive(Debug)]
struct Known {
    read_as: (Edition, StateId),
    text: Box<str>,
    batch: Arc<Batch>,
}

impl Cache {
    /// The number of a state.
    pub fn state(&mut self, state: &ReadingState) -> StateId {
        if let Some(id) = self.states.get(state) {
            return *id;
        }
        if self.states.len() >= ENTRIES_MAX {
            self.states.clear();
        }
        let id = StateId(NEXT_STATE.fetch_add(1, Ordering::Relaxed));
        self.states.insert(state.clone(), id);
        id
    }

    /// What this very text does, if it is one of those kept. PERFORMANCE: a dashboard sends the same long
    /// texts over and over; to compare one takes a tenth of the time that its normalizing does.
    pub fn same_text(&self, read_as: (Edition, StateId), text: &str) -> Option<Arc<Batch>> {
        if self.texts.is_empty() || !TEXT_BYTES.contains(&text.len()) {
            return None;
        }
        let known = self.texts.get(self.place(text))?.as_ref()?;
        let is_same = known.read_as == read_as && *known.text == *text;
        is_same.then(|| Arc::clone(&known.batch))
    }

    /// Keeps a text as it came. `batch` must be its own, spans included, and stand for its key.
    pub fn keep_text(&mut self, read_as: (Edition, StateId), text: &str, batch: &Arc<Batch>) {
        if !TEXT_BYTES.contains(&text.len()) || batch.weight() > TEXT_BATCH_BYTES_MAX {
            return;
        }
        if self.texts.is_empty() {
            self.texts.resize_with(TEXTS_MAX, || None);
        }
        let place = self.place(text);
        if let Some(place) = self.texts.get_mut(place) {
            *place = Some(Known { read_as, text: text.into(), batch: Arc::clone(batch) });
        }
    }

    fn place(&self, text: &str) -> usize {
        self.hasher.hash_one(text) as usize % TEXTS_MAX
    }

    /// Starts a key: everything that an analysis depends on but the text. The caller appends the
    /// normalized text and hands it back to [`Cache::find`].
    pub fn key(&mut self, edition: Edition, state: StateId) -> Vec<u8> {
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        key.extend_from_slice(&edition.target.to_le_bytes());
        key.extend_from_slice(&edition.epoch.to_le_bytes());
        key.extend_from_slice(&state.0.to_le_bytes());
        key
    }

    /// The analysis under that key, compared in full. On a miss the key comes back with nothing.
    pub fn find(&mut self, key: Vec<u8>) -> Result<Arc<Batch>, Vec<u8>> {
        let found = match self.young.get(key.as_slice()) {
            Some(batch) => Some(Arc::clone(batch)),
            None => match self.old.remove(key.as_slice()) {
                Some(batch) => {
                    self.enter(&key, Arc::clone(&batch));
                    Some(batch)
                }
                None => None,
            },
        };
        match found {
            Some(batch) => {
                self.key = key;
                Ok(batch)
            }
            None => Err(key),
        }
    }

    /// Enters an analysis.
    pub fn insert(&mut self, key: Vec<u8>, batch: Arc<Batch>) {
        self.enter(&key, batch);
        self.key = key;
    }

    fn enter(&mut self, key: &[u8], batch: Arc<Batch>) {
        let weight = key.len() + batch.weight();
        if self.young.len() >= ENTRIES_MAX || self.young_bytes + weight > BYTES_MAX {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += weight;
        self.young.insert(key.into(), batch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(fingerprint: &str) -> Arc<Batch> {
        Arc::new(Batch { statements: Vec::new(), fingerprint: fingerprint.into() })
    }

    #[test]
    fn a_text_is_found_only_as_it_was_read() {
        let mut cache = Cache::default();
        let text = format!("SELECT {}", "a, ".repeat(200));
        let read_as = (Edition { target: 1, epoch: 1 }, StateId(7));
        assert!(cache.same_text(read_as, &text).is_none());
        cache.keep_text(read_as, &text, &batch("one"));
        let found = cache.same_text(read_as, &text).expect("kept");
        assert_eq!(&*found.fingerprint, "one");
        for other in [
            (Edition { target: 2, epoch: 1 }, StateId(7)),
            (Edition { target: 1, epoch: 2 }, StateId(7)),
            (Edition { target: 1, epoch: 1 }, StateId(8)),
        ] {
            assert!(cache.same_text(other, &text).is_none(), "{other:?}");
        }
        assert!(cache.same_text(read_as, &text.replacen("a,", "b,", 1)).is_none());
        // The last one counts.
        cache.keep_text(read_as, &text, &batch("two"));
        assert_eq!(&*cache.same_text(read_as, &text).expect("kept").fingerprint, "two");
    }

    #[test]
    fn texts_take_a_bounded_room() {
        let mut cache = Cache::default();
        let read_as = (Edition { target: 1, epoch: 1 }, StateId(7));
        for number in 0..10_000 {
            cache.keep_text(read_as, &format!("SELECT {number}{}", " ".repeat(600)), &batch("x"));
        }
        assert_eq!(cache.texts.len(), TEXTS_MAX);
        for text in ["SELECT 1".to_owned(), " ".repeat(100_000)] {
            cache.keep_text(read_as, &text, &batch("x"));
            assert!(cache.same_text(read_as, &text).is_none(), "{}", text.len());
        }
    }
}
