//! The second wall: below dml the upstream session itself is read-only.
//!
//! It is closed by a start-up option, opened just before the first transaction that may write, and
//! closed again when the right has ended. It moves only while the server is idle and owes nothing.

use std::sync::Arc;

use super::{
    conversation::{Conversation, Held, Wall},
    owed::{Ours, Tag},
};
use crate::{
    kernel::{
        policy::Permit,
        refusal::{Refusal, RefusalKind},
        sql::{
            analysis::{Analysis, SessionEffect},
            reading::TransactionChange,
        },
    },
    session::transaction::Status,
    upstream::door::Control,
    wire::pg::exchange::{Step, Whose},
};

/// What must happen before a cleared statement may leave.
#[derive(Debug)]
pub(super) enum Need {
    /// Nothing.
    None,
    /// The wall moves first: the frame is held.
    Wait,
    /// It can't move in this transaction.
    Refuse(Refusal),
}

impl Conversation {
    /// Puts the wall where this statement needs it. `begins`: it begins a transaction (or a batch of
    /// the extended protocol that may become one), which must be writable if the rights are.
    pub(super) fn wall_for(&mut self, permit: &Permit, begins: bool) -> Need {
        if let Some(refusal) = self.log_in_is_too_low(permit) {
            return Need::Refuse(refusal);
        }
        self.move_wall_for(Some(permit), begins)
    }

    /// The same for a message without a statement, whose batch may come to write behind it: true if the
    /// wall moves first.
    pub(super) fn wall_opens_for_batch(&mut self) -> bool {
        let idle = !self.pipeline.open && self.transaction.status == Status::Idle;
        idle && self.wall == Wall::Closed && matches!(self.move_wall_for(None, true), Need::Wait)
    }

    /// `permit`: of the statement, if the message carries one.
    fn move_wall_for(&mut self, permit: Option<&Permit>, begins: bool) -> Need {
        let needs_write = permit.is_some_and(Permit::needs_write);
        let may_write = self.rights.may_write();
        let writable = self.transaction.status == Status::Open && !self.transaction.read_only;
        if writable && !may_write {
            return self.close_transaction();
        }
        let wanted = match self.wall {
            // Fail closed: a rollback may have taken back what it was set to.
            Wall::Open | Wall::Closed if self.wall_unsure && !may_write => Some(Wall::Closed),
            Wall::Open if self.wall_unsure && !self.client_read_only => {
                (needs_write || begins).then_some(Wall::Open)
            }
            Wall::Closed if may_write && !self.client_read_only => {
                (needs_write || begins).then_some(Wall::Open)
            }
            Wall::Open if !may_write => Some(Wall::Closed),
            Wall::Closed | Wall::Open => None,
        };
        let Some(wanted) = wanted else { return Need::None };
        if !self.exchange.is_empty() && !self.pipeline.open {
            self.held = Held::UntilAnswered;
            return Need::Wait;
        }
        if self.transaction.status == Status::Idle && !self.pipeline.open {
            return match self.move_wall(wanted) {
                Ok(()) => Need::Wait,
                Err(refusal) => Need::Refuse(refusal),
            };
        }
        let began_too_early = wanted == Wall::Open
            && needs_write
            && self.transaction.status != Status::Failed
            && self.transaction.read_only;
        if !began_too_early {
            return Need::None;
        }
        let grant = permit.and_then(|p| p.grant_ids().next()).map_or_else(
            || "the right to write is active".to_owned(),
            |grant| format!("{grant} is active"),
        );
        Need::Refuse(
            Refusal::new(
                RefusalKind::ReadOnlyTransaction,
                format!("{grant}, but this transaction began read-only"),
            )
            .with_hint("ROLLBACK and run it again."),
        )
    }

    fn move_wall(&mut self, wanted: Wall) -> Result<(), Refusal> {
        let open = wanted == Wall::Open;
        let statement = self.send_own(Control::Wall { open, flush: false }, "wall")?;
        self.owe_own(Ours::Wall(statement), false);
        self.wall = wanted;
        self.wall_unsure = false;
        Ok(())
    }

    /// The right to write has ended under a transaction that didn't use it: it lives on read-only.
    fn close_transaction(&mut self) -> Need {
        if !self.exchange.is_empty() {
            self.held = Held::UntilAnswered;
            return Need::Wait;
        }
        if self.exchange.is_skipping() {
            return Need::None;
        }
        let flush = self.pipeline.open;
        match self.send_own(Control::ReadOnlyTransaction { flush }, "wall") {
            Ok(statement) => {
                self.owe_own(Ours::Wall(statement), flush);
                self.transaction.read_only = true;
                Need::Wait
            }
            Err(refusal) => Need::Refuse(refusal),
        }
    }

    /// What a statement of ours is answered with; nothing else passes before that.
    pub(super) fn owe_own(&mut self, ours: Ours, flush: bool) {
        for step in [Step::Parse, Step::Bind, Step::Execute, Step::Close, Step::Close] {
            self.owe(step, Whose::Gateway, Tag::Ours(ours));
        }
        if !flush {
            self.owe(Step::Sync, Whose::Gateway, Tag::Ours(ours));
        }
        self.held = Held::UntilAnswered;
    }

    /// Why a batch below dml that says READ WRITE can't be closed again behind it: something in it
    /// would run, or begin, on the open side.
    /// `named`: what its statements execute.
    pub(super) fn wall_opens_inside(
        &self,
        batch: &[Arc<Analysis>],
        named: &[Arc<Analysis>],
    ) -> Option<Refusal> {
        let count = batch.len() + named.len();
        if count < 2 || self.rights.may_write() {
            return None;
        }
        let all = || batch.iter().chain(named).enumerate();
        let inside = all().any(|(at, analysis)| {
            let others = || all().filter(|(other, _)| *other != at);
            match opens(analysis) {
                Opens::Nothing => false,
                Opens::Transaction => at + 1 != count,
                Opens::Session => others().any(|(_, a)| changes_transaction(a)),
            }
        });
        inside.then(|| {
            Refusal::new(
                RefusalKind::ReadOnlyTransaction,
                "READ WRITE without the right to write can't be mixed with other statements",
            )
            .with_hint("Send it alone.")
        })
    }

    /// A client's READ WRITE below dml: it is forwarded, and taken back before anything else passes.
    /// `flush`: inside a batch of the extended protocol.
    pub(super) fn close_behind<'a>(
        &mut self,
        mut ran: impl Iterator<Item = &'a Analysis>,
        flush: bool,
    ) {
        let opens = ran.find_map(|a| match opens(a) {
            Opens::Nothing => None,
            opened => Some(opened),
        });
        let control = match opens {
            Some(Opens::Transaction) if !self.rights.may_write() => {
                Control::ReadOnlyTransaction { flush }
            }
            Some(Opens::Session) if !self.rights.may_write() => {
                Control::Wall { open: false, flush }
            }
            Some(_) | None => return,
        };
        match self.send_own(control, "wall") {
            Ok(statement) => {
                // It must leave after the client's frame, not before.
                self.after.extend(self.controls.pop_back());
                self.owe_own(Ours::Wall(statement), flush);
            }
            Err(refusal) => self.fatal = Some(refusal),
        }
    }

    /// Forgets what the session created once the catalog has been read again since. Two readings
    /// later: one may have been under way when it was committed. Between transactions only: what is
    /// asked for then must not be the first query of one.
    fn forget_overlay(&mut self) {
        let Some(since) = self.overlay_since else { return };
        let between = self.transaction.status == Status::Idle && self.is_quiet();
        let read_again = self.facts.target.catalog.load().epoch >= since + 2;
        if self.schema_changed || !between || !read_again {
            return;
        }
        self.overlay_since = None;
        self.set_reading(|r| r.overlay.clear());
        self.path_moved();
    }

    /// True if the search path must be asked for before this is judged: then the question is on its
    /// way, or waits until what is owed has come.
    ///
    /// Nothing is asked before a statement that looks no name up: the question is a query, and the
    /// server takes no SET TRANSACTION behind one. `nameless` says that it does not.
    pub(super) fn must_ask_path(&mut self, nameless: impl FnOnce(&Self) -> bool) -> bool {
        if self.must_settle() {
            return true;
        }
        self.forget_overlay();
        if !self.path_stale || self.transaction.status == Status::Failed || nameless(self) {
            return false;
        }
        if !self.exchange.is_empty() {
            self.held = Held::UntilAnswered;
            return true;
        }
        if self.exchange.is_skipping() {
            // The server skips what comes until Sync: the question is asked behind it.
            return false;
        }
        let flush = self.pipeline.open;
        match self.send_own(Control::AskPath { flush }, "path") {
            Ok(statement) => {
                self.path_stale = false;
                self.path_answer = None;
                self.owe_own(Ours::Path(statement), flush);
            }
            Err(refusal) => self.fatal = Some(refusal),
        }
        true
    }
}

/// What a statement opens of the wall.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Opens {
    Nothing,
    /// For the transaction that it begins or runs in.
    Transaction,
    /// For the transactions that follow.
    Session,
}

fn opens(analysis: &Analysis) -> Opens {
    let mut opened = Opens::Nothing;
    for effect in &analysis.effects {
        match effect {
            SessionEffect::Transaction(
                TransactionChange::Begin { read_write: Some(true) }
                | TransactionChange::Set { read_write: Some(true), session: false },
            ) => return Opens::Transaction,
            SessionEffect::Transaction(TransactionChange::Set {
                read_write: Some(true),
                session: true,
            }) => opened = Opens::Session,
            SessionEffect::Setting(change) => match change.name.as_str() {
                "transaction_read_only" => return Opens::Transaction,
                "default_transaction_read_only" => opened = Opens::Session,
                _ => {}
            },
            _ => {}
        }
    }
    opened
}

fn changes_transaction(analysis: &Analysis) -> bool {
    analysis.effects.iter().any(|effect| matches!(effect, SessionEffect::Transaction(_)))
}
