//! What a completed statement has changed: names, settings, the path, the transaction, the schema.

use std::sync::Arc;

use super::{
    conversation::{Conversation, PathAnswer, Wall},
    owed::Tag,
    settings,
    wall::SIGHT_LASTS,
};
use crate::{
    kernel::{
        mask::marks::Masked,
        sql::{
            READ_ONLY, READ_ONLY_DEFAULT, SearchPath,
            analysis::{Analysis, Batch, SessionEffect},
            builtins::{self, SettingRule},
            lineage::Purpose,
            reading::{SettingChange, StatementKind, Temporary, TransactionChange},
            seen::Sight,
        },
    },
    session::{names::Undo, result::Run},
    wire::pg::{array, exchange::Owed},
};

impl Conversation {
    /// A statement has completed: what it does to the session has happened.
    pub(super) fn completed(
        &mut self,
        analysis: Option<&Analysis>,
        run: &Run,
        (batch, text): (&Batch, &str),
        tag: &str,
    ) {
        let Some(analysis) = analysis else { return };
        let inner = run.inner.as_ref().map(Arc::clone);
        self.leaves_state(analysis);
        if let Some(inner) = &inner {
            self.leaves_state(inner);
        }
        let mut all = [Some(analysis), inner.as_deref()].into_iter().flatten();
        self.used_unmask |= all.any(Analysis::needs_unmask);
        let part = match batch.statements.len() {
            2.. => text.get(analysis.span.clone()).unwrap_or(text),
            _ => text,
        };
        for effect in analysis.effects.iter().chain(inner.iter().flat_map(|i| &i.effects)) {
            match effect {
                SessionEffect::Transaction(change) => self.transaction_changed(change, tag),
                SessionEffect::Setting(change) => self.setting_changed(change),
                SessionEffect::DiscardAll => {
                    self.set_reading(|r| r.overlay.forget_all_temporary());
                    self.names.discard_all();
                    self.settings_reset();
                }
                SessionEffect::DiscardPart => {
                    self.set_reading(|r| r.overlay.forget_all_temporary());
                    self.path_moved();
                }
                SessionEffect::Prepare { name, inner } => {
                    let prepared = self.by_sql(inner, batch, part);
                    drop(self.names.prepare(name, prepared));
                }
                SessionEffect::Deallocate(Some(name)) => drop(self.names.forget_statement(name)),
                SessionEffect::Deallocate(None) => self.names.forget_statements(),
                SessionEffect::Declare { name, holds, inner } => {
                    let portal = self.cursor(inner, batch, (part, *holds));
                    drop(self.names.bind(name, portal));
                    self.declared(inner, *holds);
                }
                SessionEffect::Close(Some(name)) => drop(self.names.forget_portal(name)),
                SessionEffect::Close(None) => self.names.forget_portals(),
                SessionEffect::SchemaChange(names) => {
                    let names = names.clone();
                    self.set_reading(|r| {
                        r.overlay.forget_temporary(&names);
                        r.overlay.add(names);
                    });
                    self.path_moved();
                    self.schema_changed = true;
                }
                SessionEffect::Renamed(names) => {
                    let names = names.clone();
                    self.set_reading(|r| r.overlay.add_moved(names));
                }
                SessionEffect::MadeTemporary(made, rules) => {
                    self.temporary.push(made.clone());
                    let name = made.name.clone();
                    self.set_reading(|r| r.overlay.add_temporary(name, *rules));
                }
                SessionEffect::MadeType(name) => {
                    let name = name.clone();
                    self.set_reading(|r| r.overlay.add_type(name));
                }
                // MySQL's alone.
                SessionEffect::Commits | SessionEffect::Use(_) | SessionEffect::Quotes => {}
                SessionEffect::RunsUserCode => self.code_ran(),
            }
        }
    }

    /// Of the temporary tables that this transaction has made, those aren't there any more.
    pub(super) fn forget_temporary(&mut self, gone: impl Fn(&Temporary) -> bool) {
        if self.temporary.is_empty() {
            return;
        }
        let made = std::mem::take(&mut self.temporary);
        let (gone, left): (Vec<_>, Vec<_>) = made.into_iter().partition(gone);
        self.set_reading(|r| r.overlay.forget_temporary(gone.iter().map(|made| &made.name)));
        self.temporary = left;
    }

    /// From here on temporary tables may hold masked values: somebody who may see them copies some, or code
    /// runs that may.
    pub(super) fn note_taint(&mut self, analysis: &Analysis) {
        let stores =
            |masked: &Masked| masked.lineage.uses.iter().any(|one| one.purpose == Purpose::Stores);
        let taints = analysis.masked.as_deref().is_some_and(stores)
            || analysis.effects.contains(&SessionEffect::RunsUserCode);
        if taints && !self.reading.overlay.is_tainted() {
            self.set_reading(|r| r.overlay.taint());
        }
        // A routine that is made or dropped hasn't run.
        let runs = !matches!(analysis.kind, StatementKind::CreateCode | StatementKind::DropCode);
        if taints && runs && !self.reading.overlay.holds_copies() {
            self.set_reading(|r| r.overlay.note_copy());
        }
    }

    /// Code of the database's own ran.
    pub(super) fn code_ran(&mut self) {
        self.set_reading(|r| r.overlay.add_anything());
        self.path_moved();
        self.schema_changed = true;
        // It may have set the path, and its deferred triggers run when the transaction ends.
        self.path_set_in_transaction = true;
    }

    /// What was changed is committed, or may be: asks for a new reading of the catalog.
    pub(super) fn ask_for_reading(&mut self) {
        let used_unmask = std::mem::take(&mut self.used_unmask);
        if std::mem::take(&mut self.schema_changed) {
            let readings = &self.facts.target.readings;
            let question =
                if used_unmask { readings.ask_as_masked_moved() } else { readings.ask() };
            self.overlay_since = Some(question);
        }
    }

    /// A cursor was declared: what planning its query evaluates has run. Held, the rest runs when its
    /// transaction ends.
    fn declared(&mut self, inner: &Analysis, holds: bool) {
        if inner.effects.contains(&SessionEffect::RunsUserCode) {
            self.code_ran();
        }
        let sets = |effect: &SessionEffect| matches!(effect, SessionEffect::Setting(_));
        self.path_set_in_transaction |= holds && inner.effects.iter().any(sets);
    }

    /// The next statement of the Query may use a name that the one before it has made.
    pub(super) fn attach_next(&mut self, batch: &Batch) {
        let Some(Owed { tag: Tag::Query(query), .. }) = self.exchange.front_mut() else { return };
        let at = query.at;
        let Some(analysis) = batch.statements.get(at) else { return };
        if analysis.executes.is_none() && analysis.fetches.is_none() {
            return;
        }
        let Some(mut run) = query.runs.get_mut(at).and_then(Option::take) else { return };
        self.attach(&mut run, analysis);
        self.mask_run(&mut run, Some(analysis));
        if let Some(Owed { tag: Tag::Query(query), .. }) = self.exchange.front_mut()
            && let Some(place) = query.runs.get_mut(at)
        {
            *place = Some(run);
        }
    }

    /// Portals end with their transaction, but for those whose Bind was sent behind its end.
    pub(super) fn end_portals(&mut self) {
        let Self { names, exchange, .. } = self;
        names.end_transaction(|name| {
            exchange.iter().any(|owed| match &owed.tag {
                Tag::Named(Undo::Portal(younger, _), _) => **younger == *name,
                _ => false,
            })
        });
    }

    fn transaction_changed(&mut self, change: &TransactionChange, tag: &str) {
        let settling = self.transaction.changed(change, tag);
        self.settle(settling);
        let moves = match change {
            // What it sees may be what was there before, from then on.
            TransactionChange::Begin { .. }
            | TransactionChange::Set { .. }
            | TransactionChange::Commit { .. }
            | TransactionChange::Rollback { .. }
            | TransactionChange::RollbackTo(_) => true,
            TransactionChange::Savepoint(_) | TransactionChange::Release(_) => false,
        };
        if moves && !self.reading.overlay.names().is_empty() {
            self.path_moved();
        }
        match change {
            TransactionChange::Commit { .. } | TransactionChange::Rollback { .. } => {
                // SET LOCAL ends, SET is kept or taken back: with either the path may move.
                if std::mem::take(&mut self.path_set_in_transaction) {
                    self.path_moved();
                }
                if tag != "COMMIT" {
                    self.end_portals();
                    self.forget_temporary(|_| true);
                }
            }
            TransactionChange::RollbackTo(_) => {
                self.forget_temporary(|_| true);
                if self.path_set_in_transaction {
                    self.path_moved();
                }
                if !self.rights.may_write() {
                    // Fail closed: our SET TRANSACTION READ ONLY may have been taken back with it.
                    self.transaction.read_only = false;
                }
            }
            TransactionChange::Set { read_write: Some(writable), session: true } => {
                self.client_wants_read_only(!writable);
            }
            TransactionChange::Release(_) => {
                // The same: see `goes_back` of the wall.
                let taken_back = self.transaction.closed_late && !self.rights.may_write();
                self.transaction.read_only &= !taken_back;
            }
            TransactionChange::Begin { .. }
            | TransactionChange::Savepoint(_)
            | TransactionChange::Set { .. } => {}
        }
    }

    fn setting_changed(&mut self, change: &SettingChange) {
        match change.name.as_str() {
            "*" => return self.settings_reset(),
            "application_name" => {
                if !change.local {
                    let name = change.value.as_deref().unwrap_or_default();
                    settings::kept(name).clone_into(&mut self.application);
                    self.application_stale = true;
                }
                return;
            }
            READ_ONLY => {
                self.transaction.said_read_only = change.value.as_deref().map(is_on);
                return;
            }
            READ_ONLY_DEFAULT if change.value.is_none() => {
                self.client_wants_read_only(self.begun_read_only);
                self.wall = Wall::Closed;
                return;
            }
            READ_ONLY_DEFAULT => {
                return self.client_wants_read_only(change.value.as_deref().is_some_and(is_on));
            }
            _ => {}
        }
        let rule = builtins::setting(&change.name);
        match rule {
            SettingRule::Path
            | SettingRule::Lexer
            | SettingRule::Encoding
            | SettingRule::Identity => {
                self.path_moved();
                self.path_set_in_transaction = true;
            }
            SettingRule::Harmless
            | SettingRule::Resource
            | SettingRule::Wall
            | SettingRule::Custom
            | SettingRule::Admin => {}
        }
    }

    /// What the start-up message said of it, to which a reset comes back.
    pub(super) fn begins_read_only(&mut self, read_only: bool) {
        self.begun_read_only = read_only;
        self.client_read_only = read_only;
    }

    fn client_wants_read_only(&mut self, read_only: bool) {
        self.client_read_only = read_only;
        self.wall_unsure = true;
        self.wall = if read_only { Wall::Closed } else { self.wall };
        if !read_only && self.rights.may_write() {
            self.wall = Wall::Open;
        }
    }

    /// RESET ALL, DISCARD ALL: everything is as the start-up options made it.
    fn settings_reset(&mut self) {
        self.wall = Wall::Closed;
        self.wall_unsure = true;
        self.client_read_only = self.begun_read_only;
        self.path_moved();
        self.path_set_in_transaction = true;
        self.application_stale = false;
    }

    /// The server has said which schemas are in force, and how it reads texts.
    pub(super) fn path_is(&mut self, answer: Option<PathAnswer>) {
        let (schemas, encoding, conforming, sight) = answer
            .map_or((None, None, None, None), |a| (a.schemas, a.encoding, a.conforming, a.sight));
        self.sight_counts.0 = self.now.plus(SIGHT_LASTS);
        let sight = if self.asks_all_names { sight.map(Sight::of_all) } else { sight };
        // Fail closed: not told, nothing but ASCII reads for sure.
        self.texts_are_in(encoding.as_deref());
        let path = schemas.as_deref().and_then(array::texts);
        self.set_reading(|r| {
            r.path = path.map_or(SearchPath::Unknown, SearchPath::Known);
            r.overlay.set_sight(sight);
            if let Some(conforming) = conforming {
                r.mode.standard_conforming_strings = conforming == "on";
            }
        });
    }
}

/// A boolean setting's value, as the server reads it: any case, and every beginning that is no other
/// word's.
///
/// Spec: `parse_bool_with_len` of the server.
pub(super) fn is_on(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    let begins = |word: &str| !value.is_empty() && word.starts_with(&value);
    begins("true") || begins("yes") || value == "on" || value == "1"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_read_as_the_server_reads_them() {
        for yes in ["on", "ON", "t", "tr", "TRUE", "y", "ye", "yes", "1"] {
            assert!(is_on(yes), "{yes}");
        }
        for no in ["off", "of", "o", "f", "false", "n", "no", "0", "", "truest", "10", " on"] {
            assert!(!is_on(no), "{no}");
        }
    }
}
