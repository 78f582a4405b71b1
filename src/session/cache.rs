//! Analyses of one core, by normalized text. Analyses are cached, decisions are not.
//!
//! Some long texts are also kept as they came, so that they needn't be normalized, nor do others that differ
//! from them in constants only.
//!
//! Two generations: what is asked for moves to the young one; when that is full the old one goes.
//! Not shared between cores, so nobody waits for anybody while a text is parsed.

use std::{
    collections::HashMap,
    hash::BuildHasher,
    sync::{Arc, atomic::AtomicU64, atomic::Ordering},
};

use foldhash::fast::RandomState as Quick;

use crate::kernel::sql::{
    Overlay, SearchPath,
    analysis::Batch,
    mode::LexMode,
    normalize::{Normal, Pattern},
};

/// Entries of one generation.
const ENTRIES_MAX: usize = 4096;
/// What one generation may weigh, in bytes: keys and analyses.
const BYTES_MAX: usize = 16 << 20;

/// Texts that are found as they came. Shorter ones are normalized in no time; longer ones are rare.
const TEXT_BYTES: std::ops::RangeInclusive<usize> = 512..=8192;
/// How many of them are kept that begin alike.
const ALIKE_MAX: usize = 8;
/// How many beginnings are told apart, and how long they are.
const BEGINNINGS: usize = 16;
const BEGINNING_BYTES: usize = 64;
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
    /// By how they begin, the latest first; none at first.
    texts: Vec<Vec<Known>>,
    /// Which beginning a text has decides nothing but what is forgotten for it.
    beginnings: Quick,
}

/// A text as it came, and what it and those like it do.
#[derive(Debug)]
struct Known {
    read_as: (Edition, StateId),
    pattern: Pattern,
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

    /// What a text does, if it is one of those kept or differs from one in nothing that its key holds.
    /// PERFORMANCE: a dashboard sends the same long texts over and over; to compare one takes a tenth of the
    /// time that its normalizing does.
    pub fn known_text(
        &self,
        read_as: (Edition, StateId),
        text: &str,
        mode: LexMode,
    ) -> Option<Arc<Batch>> {
        if self.texts.is_empty() || !TEXT_BYTES.contains(&text.len()) {
            return None;
        }
        let alike = self.texts.get(self.beginning(text))?;
        let fits = |known: &&Known| known.read_as == read_as && known.pattern.fits(text, mode);
        alike.iter().find(fits).map(|known| Arc::clone(&known.batch))
    }

    /// Keeps a text as it came. `batch` must be its own, spans included, and stand for its key, which is
    /// `normal`'s.
    pub fn keep_text(
        &mut self,
        read_as: (Edition, StateId),
        text: &str,
        (mode, normal): (LexMode, &Normal),
        batch: &Arc<Batch>,
    ) {
        if !TEXT_BYTES.contains(&text.len()) || batch.weight() > TEXT_BATCH_BYTES_MAX {
            return;
        }
        if self.texts.is_empty() {
            self.texts.resize_with(BEGINNINGS, Vec::new);
        }
        let beginning = self.beginning(text);
        let Some(alike) = self.texts.get_mut(beginning) else { return };
        alike.truncate(ALIKE_MAX.saturating_sub(1));
        let pattern = Pattern::new(text, mode, normal);
        alike.insert(0, Known { read_as, pattern, batch: Arc::clone(batch) });
    }

    fn beginning(&self, text: &str) -> usize {
        let bytes = text.as_bytes();
        let beginning = bytes.get(..BEGINNING_BYTES).unwrap_or(bytes);
        self.beginnings.hash_one(beginning) as usize % BEGINNINGS
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
    use crate::kernel::sql::{normalize, text::StatementText};

    fn batch(fingerprint: &str) -> Arc<Batch> {
        Arc::new(Batch { statements: Vec::new(), fingerprint: fingerprint.into() })
    }

    const MODE: LexMode = LexMode::POSTGRES;

    fn keep(cache: &mut Cache, read_as: (Edition, StateId), text: &str, name: &str) {
        let mut normal = Normal::default();
        let checked = StatementText::new(text.as_bytes(), usize::MAX).expect("text");
        normalize::normalize(&checked, MODE, &mut normal).expect("it is read");
        cache.keep_text(read_as, text, (MODE, &normal), &batch(name));
    }

    #[test]
    fn a_text_is_found_only_as_it_was_read() {
        let mut cache = Cache::default();
        let text = format!("SELECT {} b FROM t WHERE c = 17 AND d LIKE 'x%'", "a, ".repeat(200));
        let read_as = (Edition { target: 1, epoch: 1 }, StateId(7));
        assert!(cache.known_text(read_as, &text, MODE).is_none());
        keep(&mut cache, read_as, &text, "one");
        let found = cache.known_text(read_as, &text, MODE).expect("kept");
        assert_eq!(&*found.fingerprint, "one");
        for other in [
            (Edition { target: 2, epoch: 1 }, StateId(7)),
            (Edition { target: 1, epoch: 2 }, StateId(7)),
            (Edition { target: 1, epoch: 1 }, StateId(8)),
        ] {
            assert!(cache.known_text(other, &text, MODE).is_none(), "{other:?}");
        }
        let found = |cache: &Cache, from: &str, to: &str| {
            let other = text.replacen(from, to, 1);
            assert_ne!(other, text);
            cache.known_text(read_as, &other, MODE).map(|batch| batch.fingerprint.to_string())
        };
        assert_eq!(found(&cache, "a,", "b,"), None);
        assert_eq!(found(&cache, "17", "1711").as_deref(), Some("one"));
        assert_eq!(found(&cache, "17", "17.5"), None);
        assert_eq!(found(&cache, "x%", "x\\%"), None);
        // The last one counts.
        keep(&mut cache, read_as, &text, "two");
        assert_eq!(found(&cache, "17", "18").as_deref(), Some("two"));
    }

    #[test]
    fn texts_take_a_bounded_room() {
        let mut cache = Cache::default();
        let read_as = (Edition { target: 1, epoch: 1 }, StateId(7));
        for number in 0..10_000 {
            let text = format!("SELECT c{number}{}", " ".repeat(600));
            keep(&mut cache, read_as, &text, "x");
            assert!(cache.known_text(read_as, &text, MODE).is_some());
        }
        assert_eq!(cache.texts.len(), BEGINNINGS);
        assert!(cache.texts.iter().all(|alike| alike.len() <= ALIKE_MAX));
        for text in ["SELECT 1".to_owned(), " ".repeat(100_000)] {
            keep(&mut cache, read_as, &text, "x");
            assert!(cache.known_text(read_as, &text, MODE).is_none(), "{}", text.len());
        }
    }
}
