//! What is held while the catalog is read again: instead of refusing a name that was made a moment ago.

use std::{sync::Arc, time::Duration};

use super::talk::Talk;
use crate::{
    kernel::{
        refusal::Refusal,
        sql::analysis::{Analysis, Batch},
        time::Timestamp,
    },
    session::gate,
};

/// How long the catalog is waited for.
const CATALOG_PATIENCE: Duration = Duration::from_secs(2);

/// How often a session that waits for the catalog looks whether it is there.
const LOOK_EVERY: Duration = Duration::from_millis(10);

impl Talk {
    /// The session has changed names: until the catalog knows that, it counts with what was changed.
    pub(super) fn schema_changed(&mut self) {
        let readings = &self.target.readings;
        let used_unmask = std::mem::take(&mut self.used_unmask);
        let question = if used_unmask { readings.ask_as_masked_moved() } else { readings.ask() };
        self.overlay_since = Some(question);
    }

    /// Forgets what the session has made, once the catalog knows it.
    pub(super) fn look_at_catalog(&mut self) {
        if let Some(question) = self.overlay_since
            && self.target.readings.has_settled(question)
            && !self.in_transaction()
        {
            self.overlay_since = None;
            self.set_reading(|r| r.overlay.clear());
        }
    }

    /// True if what was denied is held, because the catalog is being read for what this session itself has
    /// changed. Once for each change.
    pub(super) fn may_be_of_old_catalog(&mut self) -> bool {
        // In a transaction the catalog doesn't know what it has made.
        let question = self.overlay_since.filter(|_| !self.in_transaction());
        self.is_first(question)
    }

    /// True if a text is held that names something nobody knows, because the catalog is being read for
    /// whatever session has changed something. Once for each change. Where what is masked may have another
    /// name now, all that names something is held.
    ///
    /// # Errors
    /// It has been held for too long.
    pub(super) fn may_be_new(
        &mut self,
        batch: &Batch,
        inner: &[Option<Arc<Analysis>>],
    ) -> Result<bool, Refusal> {
        let readings = &self.target.readings;
        let question = readings.unanswered();
        if question.is_none() || !self.has_masks() {
            return Ok(false);
        }
        let moved = readings.moved();
        let mut all = batch.statements.iter().chain(inner.iter().flatten());
        if let Some(question) = moved
            && all.clone().any(|analysis| gate::names_something(analysis))
        {
            // Fail closed: as long as nobody can read it, it isn't run.
            let until = self.waiting.goes_on(self.now)?;
            self.until_catalog = Some((question, until.min(self.now.plus(CATALOG_PATIENCE))));
            return Ok(true);
        }
        Ok(all.any(|analysis| gate::guesses(analysis)) && self.is_first(question))
    }

    fn is_first(&mut self, question: Option<u64>) -> bool {
        let Some(question) = question.filter(|_| self.waited_for != question) else { return false };
        self.waited_for = Some(question);
        self.until_catalog = Some((question, self.now.plus(CATALOG_PATIENCE)));
        true
    }

    /// True while the client's command is held for the catalog.
    pub(super) fn waits_for_catalog(&mut self) -> bool {
        let Some((question, until)) = self.until_catalog else { return false };
        if self.now < until && !self.target.readings.has_answered(question) {
            return true;
        }
        self.until_catalog = None;
        self.look_at_catalog();
        false
    }

    /// A cancel of the client, for what is held.
    pub(super) fn cancel_held(&mut self) {
        self.waiting.cancel();
        self.until_catalog = None;
    }

    /// Why what was held isn't run, if its client has cancelled it.
    pub(super) fn cancelled(&self) -> Option<Refusal> {
        self.waiting.cancelled("Query execution was interrupted")
    }

    /// When the catalog is to be looked for again.
    pub(super) fn next_look(&self) -> Option<Timestamp> {
        self.until_catalog.map(|(_, until)| until.min(self.now.plus(LOOK_EVERY)))
    }
}
