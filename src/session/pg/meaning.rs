//! What names and texts mean may be changed by statements that are still under way: then nothing is
//! judged before they have ended. And what a name led to is read again when its meaning has moved.

use std::{rc::Rc, sync::Arc};

use super::conversation::{Conversation, Held};
use crate::{
    kernel::{
        policy::{Decision, Permit},
        refusal::{Refusal, RefusalKind},
        sql::{
            analysis::{Analysis, Batch, SessionEffect},
            builtins::{self, SettingRule},
            reading::{StatementKind, TransactionChange},
            text::StatementText,
        },
    },
    session::{
        cache::{Edition, StateId},
        gate,
        names::{Portal, Prepared},
        result::Run,
    },
    upstream::door::RESERVED_PREFIX,
};

impl Conversation {
    /// A Bind was sent: planning may have run code, which nothing that follows but its own Execute may
    /// overtake.
    pub(super) fn bound(&mut self, portal: &str, analysis: Option<&Analysis>) {
        let runs_code = |a: &Analysis| a.effects.contains(&SessionEffect::RunsUserCode);
        if analysis.is_some_and(runs_code) {
            self.bound_code = Some(portal.into());
        }
    }

    /// The next message isn't the Execute of what was bound: what planning ran counts as run.
    pub(super) fn binds_no_more(&mut self) {
        if self.bound_code.take().is_some() {
            self.moving = true;
            self.code_ran();
        }
    }

    /// True if a statement under way may change what the next one means: it waits.
    pub(super) fn must_settle(&mut self) -> bool {
        self.moving &= !self.exchange.is_empty();
        // A transaction that the client believes aborted is aborted at the server first.
        let ends_copy = self.exchange.has_strays() && !self.exchange.is_copying_in();
        let waits = self.moving || (self.abort_after_cut || ends_copy) && !self.exchange.is_empty();
        if waits {
            self.held = Held::UntilAnswered;
        }
        waits
    }

    /// True if the client is held until answers have come that the server keeps back until it is
    /// told to flush them.
    pub(super) fn waits_for_batch(&self) -> bool {
        self.held == Held::UntilAnswered && self.pipeline.open && !self.exchange.is_empty()
    }

    /// True if this text looks no name up, wherever the search path leads.
    pub(super) fn is_nameless(&self, text: &[u8]) -> bool {
        let Ok(text) = StatementText::new(text, NAMELESS_MAX) else { return false };
        // How it is read may be what is asked for.
        if !text.as_str().is_ascii() || text.as_str().contains('\\') {
            return false;
        }
        let from = (&self.reading, self.state);
        match gate::read(&self.core, &self.facts.target, from, text.as_str()) {
            gate::Read::Done(Ok(batch)) => names_nothing(&batch),
            gate::Read::Done(Err(_)) | gate::Read::ForPool => false,
        }
    }

    /// The same of a prepared statement.
    pub(super) fn binds_nameless(&self, statement: &[u8]) -> bool {
        // How it is read beyond ASCII may be what is asked for.
        let name = std::str::from_utf8(statement).ok().filter(|name| name.is_ascii());
        name.and_then(|name| self.names.statement(name)).is_some_and(|p| names_nothing(&p.batch))
    }

    /// The same of a portal.
    pub(super) fn runs_nameless(&self, portal: &[u8]) -> bool {
        let name = std::str::from_utf8(portal).ok().filter(|name| name.is_ascii());
        name.and_then(|name| self.names.portal(name))
            .is_some_and(|portal| names_nothing(&portal.prepared.batch))
    }

    /// True if names or texts may mean something else behind this statement.
    pub(super) fn moves_meaning(&self, analysis: &Analysis) -> bool {
        analysis.effects.iter().any(|effect| match effect {
            SessionEffect::Setting(change) => {
                !matches!(builtins::setting(&change.name), SettingRule::Harmless)
                    || change.name == "*"
            }
            SessionEffect::Transaction(change) => match change {
                TransactionChange::Commit { .. }
                | TransactionChange::Rollback { .. }
                | TransactionChange::RollbackTo(_) => {
                    self.path_set_in_transaction || self.schema_changed
                }
                TransactionChange::Begin { .. }
                | TransactionChange::Savepoint(_)
                | TransactionChange::Release(_)
                | TransactionChange::Set { .. } => false,
            },
            SessionEffect::DiscardAll
            | SessionEffect::DiscardPart
            | SessionEffect::Prepare { .. }
            | SessionEffect::Deallocate(_)
            | SessionEffect::Declare { .. }
            | SessionEffect::Close(_)
            | SessionEffect::SchemaChange(_)
            | SessionEffect::Renamed(_)
            | SessionEffect::MadeTemporary(..)
            | SessionEffect::MadeType(_)
            | SessionEffect::Commits
            | SessionEffect::Quotes
            | SessionEffect::Use(_)
            | SessionEffect::RunsUserCode => true,
        })
    }

    /// The reading of now: what a text was read in if nothing has moved since.
    pub(super) fn read_in(&self) -> (StateId, Edition) {
        let target = &self.facts.target;
        (self.state, Edition { target: target.number, epoch: target.catalog.load().epoch })
    }

    /// Reads the statements again that EXECUTE names in here, if their meaning has moved: the server
    /// plans them anew too.
    ///
    /// # Errors
    /// What is said if one can't be.
    pub(super) fn named_up_to_date(&mut self, batch: &Batch) -> Result<UpToDate, Refusal> {
        for analysis in &batch.statements {
            if let Some(name) = &analysis.executes
                && self.up_to_date(name)? == UpToDate::Held
            {
                return Ok(UpToDate::Held);
            }
        }
        Ok(UpToDate::Yes)
    }

    /// The same for one name.
    ///
    /// # Errors
    /// What is said if it can't be read now.
    pub(super) fn up_to_date(&mut self, name: &str) -> Result<UpToDate, Refusal> {
        let now = Some(self.read_in());
        let Some(prepared) = self.names.statement(name).map(Rc::clone) else {
            return Ok(UpToDate::Yes);
        };
        // Admitted as not understood: that is all there is to know.
        if prepared.read_in == now || prepared.batch.fingerprint.is_empty() {
            return Ok(UpToDate::Yes);
        }
        let Some(read) = self.read(&prepared.text) else { return Ok(UpToDate::Held) };
        let batch = match read.ok() {
            Some(batch) if prepared.by_sql => inner_of_prepare(&batch),
            other => other,
        };
        let types = prepared.parameter_types.iter().copied();
        let batch = batch.map(|batch| self.typed(batch, types));
        // Fail closed: what it means now is not known.
        let Some(batch) = batch else {
            let text = format!("prepared statement \"{name}\" may mean something else by now");
            return Err(Refusal::new(RefusalKind::NotAnalyzable, text)
                .with_hint("DEALLOCATE and prepare it again."));
        };
        let again = Rc::new(Prepared::read_as(&prepared, batch, now));
        drop(self.names.prepare(name, again));
        Ok(UpToDate::Yes)
    }

    /// The batch with what the types need that the client declared for its parameters.
    pub(super) fn typed(&self, batch: Arc<Batch>, oids: impl Iterator<Item = u32>) -> Arc<Batch> {
        match gate::with_parameter_types(&batch, oids, &self.reading, &self.facts.target) {
            Some(typed) => Arc::new(typed),
            None => batch,
        }
    }

    /// What the prepared statement or cursor of that name does. `None` too if running it through
    /// another statement is more than we follow, or if code may have made it anew.
    pub(super) fn named_analysis(&self, name: &str, cursor: bool) -> Option<Arc<Analysis>> {
        let (prepared, age) = if cursor {
            let portal = self.names.portal(name)?;
            (Rc::clone(&portal.prepared), portal.age)
        } else {
            let prepared = self.names.statement(name)?;
            (Rc::clone(prepared), prepared.age)
        };
        if self.names.is_doubtful(age, &prepared.batch) {
            return None;
        }
        let inner = prepared.analysis().map(Arc::clone)?;
        // Fail closed: a name that leads to a name.
        let follows = inner.executes.is_none() && inner.fetches.is_none();
        // Fail closed: SQL's EXECUTE runs whatever the protocol's Parse has made, BEGIN and SET too.
        let query = cursor
            || matches!(
                inner.kind,
                StatementKind::Select
                    | StatementKind::Values
                    | StatementKind::Insert
                    | StatementKind::Update
                    | StatementKind::Delete
                    | StatementKind::Merge
                    | StatementKind::Other
            );
        let inner = if inner.hidden.is_some() {
            Arc::new(gate::with_nothing_hidden(&inner))
        } else {
            inner
        };
        (follows && query).then_some(inner)
    }

    /// What admin allows of a batch that uses names nobody has seen being made, read as one that may
    /// do anything: a function can have made them, a cursor that it returns for example, or made them
    /// anew.
    pub(super) fn permit_unseen(&self, batch: &Batch) -> Option<(Arc<Batch>, Permit)> {
        // A name may be on its way: whoever asks waits for it.
        if !self.exchange.is_empty() {
            return None;
        }
        let mut made: Vec<(&str, bool)> = Vec::new();
        let mut statements = Vec::with_capacity(batch.statements.len());
        for analysis in &batch.statements {
            // What is known and not followed stays refused.
            let unseen = uses(analysis).any(|(name, cursor)| {
                let known = if cursor {
                    self.names.portal(name).map(|p| (p.age, &p.prepared))
                } else {
                    self.names.statement(name).map(|p| (p.age, p))
                };
                let known = known.is_some_and(|(age, p)| !self.names.is_doubtful(age, &p.batch));
                !known && !made.contains(&(name, cursor))
            });
            statements.push(if unseen {
                Arc::new(gate::with_unseen_name(analysis, self.has_masks()))
            } else {
                Arc::clone(analysis)
            });
            for effect in &analysis.effects {
                match effect {
                    SessionEffect::Prepare { name, .. } => made.push((name, false)),
                    SessionEffect::Declare { name, .. } => made.push((name, true)),
                    _ => {}
                }
            }
        }
        let batch = Batch { statements, fingerprint: Arc::clone(&batch.fingerprint) };
        match self.judge_batch(&batch)? {
            Decision::Permit(permit) => Some((Arc::new(batch), permit)),
            Decision::Denial(_) => None,
        }
    }

    /// What the statement or cursor does that this one names.
    pub(super) fn inner_of(&self, analysis: &Analysis) -> Option<Arc<Analysis>> {
        match (&analysis.executes, &analysis.fetches) {
            (Some(name), _) => self.named_analysis(name, false),
            (None, Some(name)) => self.named_analysis(name, true),
            (None, None) => None,
        }
    }

    /// Ties a run to what it names. Done when it is sent, and again when it is its turn in a Query:
    /// the statements before it may have made the name.
    pub(super) fn attach(&self, run: &mut Run, analysis: &Analysis) {
        if analysis.executes.is_none() && analysis.fetches.is_none() {
            return;
        }
        run.inner = self.inner_of(analysis).map(|inner| gate::run_by(analysis, inner));
        run.renames |= run.inner.as_deref().is_some_and(gate::renames);
        // Not known yet: it counts.
        run.counts |= run.inner.as_ref().is_none_or(|inner| inner.returns_user_rows);
        run.writes |= run.inner.as_ref().is_none_or(|inner| inner.writes);
        if let Some(name) = &analysis.fetches {
            run.portal = self.portal(name).or_else(|| run.portal.take());
        }
    }

    /// What SQL's PREPARE has made.
    pub(super) fn by_sql(&self, inner: &Arc<Analysis>, batch: &Batch, text: &str) -> Rc<Prepared> {
        // Behind other statements of its Query it may have been read with caution.
        let read_in = (batch.statements.len() == 1).then(|| self.read_in());
        Rc::new(Prepared {
            text: text.into(),
            batch: Arc::new(Batch {
                statements: vec![Arc::clone(inner)],
                fingerprint: Arc::clone(&batch.fingerprint),
            }),
            parameter_types: Vec::new(),
            recorded: std::cell::RefCell::new(None),
            by_sql: true,
            read_in,
            age: self.names.age(),
        })
    }

    /// What SQL's DECLARE has made.
    pub(super) fn cursor(
        &self,
        inner: &Arc<Analysis>,
        batch: &Batch,
        (text, holds): (&str, bool),
    ) -> Rc<Portal> {
        Rc::new(Portal {
            prepared: self.by_sql(inner, batch, text),
            parameters: Vec::new(),
            result_formats: Vec::new(),
            fetched: std::cell::Cell::new((0, 0)),
            recorded: std::cell::RefCell::new(None),
            holds,
            age: self.names.age(),
        })
    }
}

/// The prepared statement that it executes, or the cursor that it fetches from.
pub(super) fn uses(analysis: &Analysis) -> impl Iterator<Item = (&str, bool)> {
    let executes = analysis.executes.as_deref().map(|name| (name, false));
    let fetches = analysis.fetches.as_deref().map(|name| (name, true));
    executes.into_iter().chain(fetches)
}

/// Longer texts are not looked at for being nameless.
const NAMELESS_MAX: usize = 1024;

/// True if these statements only begin, shape or end a transaction, or change settings by SET.
fn names_nothing(batch: &Batch) -> bool {
    batch.statements.iter().all(|analysis| {
        matches!(analysis.kind, StatementKind::Transaction | StatementKind::Set)
            && !analysis.effects.is_empty()
            && analysis.effects.iter().all(|effect| {
                matches!(effect, SessionEffect::Transaction(_) | SessionEffect::Setting(_))
            })
    })
}

/// Whether what a name leads to is known as it is now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum UpToDate {
    /// It is.
    Yes,
    /// The pool reads it: hold.
    Held,
}

fn inner_of_prepare(batch: &Batch) -> Option<Arc<Batch>> {
    let [only] = batch.statements.as_slice() else { return None };
    only.effects.iter().find_map(|effect| match effect {
        SessionEffect::Prepare { inner, .. } => Some(Arc::new(Batch {
            statements: vec![Arc::clone(inner)],
            fingerprint: Arc::clone(&batch.fingerprint),
        })),
        _ => None,
    })
}

/// True if it makes a prepared statement or a cursor.
pub(super) fn makes_names(analysis: &Analysis) -> bool {
    analysis.effects.iter().any(|effect| {
        matches!(effect, SessionEffect::Prepare { .. } | SessionEffect::Declare { .. })
    })
}

/// Why a batch may not have these names: they are the gateway's own, and what it sends under them
/// must do what it expects.
pub(super) fn reserved(batch: &Batch) -> Option<Refusal> {
    let mut effects = batch.statements.iter().flat_map(|a| &a.effects);
    effects.find_map(|effect| match effect {
        SessionEffect::Prepare { name, .. } | SessionEffect::Declare { name, .. }
            if name.starts_with(RESERVED_PREFIX) =>
        {
            Some(Refusal::new(
                RefusalKind::NotSupported,
                format!("names that begin with {RESERVED_PREFIX} are the gateway's own"),
            ))
        }
        _ => None,
    })
}
