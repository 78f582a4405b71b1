//! Statements that PREPARE has named and EXECUTE runs: what a name leads to is judged each time it runs.

use std::sync::Arc;

use super::talk::Talk;
use crate::{
    kernel::sql::{
        SearchPath,
        analysis::{Analysis, Batch, SessionEffect},
        mode::LexMode,
    },
    session::{cache::ReadingState, gate},
};

/// One of them.
#[derive(Debug)]
pub(super) struct Named {
    /// The PREPARE that made it.
    text: Arc<str>,
    /// How texts were read then. The server keeps what it has read.
    mode: LexMode,
    /// The schema of then, which the server keeps for it.
    path: SearchPath,
}

impl Talk {
    /// A PREPARE has succeeded.
    pub(super) fn name(&mut self, name: &str, text: &str) {
        let limits = &self.core.services.world.load().limits;
        let named =
            Named { text: text.into(), mode: self.reading.mode, path: self.reading.path.clone() };
        // Fail closed: one that isn't remembered is as one that nobody has seen.
        if self.named.len() < limits.names && text.len() <= limits.statement_bytes {
            self.named.insert(name.to_lowercase(), named);
        }
    }

    /// What the statements of a text run by names, in their order; empty if none does. `Err`: some name
    /// leads to something that the gateway has not seen being made.
    pub(super) fn inner(&self, batch: &Batch) -> Result<Vec<Option<Arc<Analysis>>>, Unseen> {
        if batch.statements.iter().all(|analysis| analysis.executes.is_none()) {
            return Ok(Vec::new());
        }
        batch
            .statements
            .iter()
            .map(|analysis| match &analysis.executes {
                None => Ok(None),
                Some(name) => {
                    let inner = self.leads_to(name).ok_or(Unseen)?;
                    Ok(Some(gate::run_by(analysis, inner)))
                }
            })
            .collect()
    }

    fn leads_to(&self, name: &str) -> Option<Arc<Analysis>> {
        let named = self.named.get(&name.to_lowercase())?;
        if named.mode != self.reading.mode {
            // MySQL reads its text anew when a table has changed, by the mode of then.
            return None;
        }
        let overlay = self.reading.overlay.clone();
        let reading = ReadingState { mode: named.mode, path: named.path.clone(), overlay };
        let state = self.core.cache.borrow_mut().state(&reading);
        let batch = match gate::read(&self.core, &self.target, (&reading, state), &named.text) {
            gate::Read::Done(read) => read.ok()?,
            gate::Read::ForPool => gate::analyze(&named.text, &reading, &self.target).ok()?,
        };
        let [only] = batch.statements.as_slice() else { return None };
        only.effects.iter().find_map(|effect| match effect {
            SessionEffect::Prepare { inner, .. } => Some(Arc::clone(inner)),
            _ => None,
        })
    }
}

/// A name that leads to something that nobody has seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unseen;
