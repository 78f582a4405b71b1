//! Analyses of one core, by normalized text. Analyses are cached, decisions are not.
//!
//! Two generations: what is asked for moves to the young one; when that is full the old one goes.
//! Not shared between cores, so nobody waits for anybody while a text is parsed.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicU64, atomic::Ordering},
};

use crate::kernel::sql::{Overlay, SearchPath, analysis::Batch, mode::LexMode};

/// Entries of one generation.
const ENTRIES_MAX: usize = 4096;
/// What one generation may weigh, in bytes: keys and analyses.
const BYTES_MAX: usize = 16 << 20;

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
