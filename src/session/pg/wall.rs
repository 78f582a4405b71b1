//! The second wall: below dml the upstream session itself is read-only.
//!
//! It is closed by a start-up option, opened just before the first transaction that may write, and
//! closed again when the right has ended. It moves only while the server is idle and owes nothing.

use std::{sync::Arc, time::Duration};

use super::{
    changes::is_on,
    conversation::{Conversation, Held, Wall},
    extended::ends_transaction,
    owed::{Ours, Tag},
};
use crate::{
    kernel::{
        policy::Permit,
        refusal::{Refusal, RefusalKind},
        sql::{
            analysis::{Analysis, SessionEffect},
            mode::NamesIn,
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
        // A batch of the extended protocol is a transaction too.
        let under_way = self.transaction.status == Status::Open
            || self.transaction.status == Status::Idle && self.pipeline.open;
        let writable = under_way && !self.transaction.read_only;
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
                self.transaction.closed_late = true;
                Need::Wait
            }
            Err(refusal) => Need::Refuse(refusal),
        }
    }

    /// Code of the database's own is about to run: it may open the wall without a word of it here.
    pub(super) fn code_may_open<'a>(&mut self, mut ran: impl Iterator<Item = &'a Analysis>) {
        self.wall_unsure |= self.wall == Wall::Closed && ran.any(opens_unseen);
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

    /// Why a batch below dml can't be closed again behind what it opens: something in it would run, or
    /// begin, on the open side.
    /// `named`: what its statements execute.
    pub(super) fn wall_opens_inside(
        &self,
        batch: &[Arc<Analysis>],
        named: &[Arc<Analysis>],
    ) -> Option<Refusal> {
        if batch.len() + named.len() < 2 || self.rights.may_write() {
            return None;
        }
        let why = if says_read_write_inside(batch, named) {
            "READ WRITE without the right to write can't be mixed with other statements"
        } else if self.goes_on_behind_an_end(batch, named) || self.goes_back_inside(batch) {
            "what follows could run in a transaction that isn't read-only, without the right to write"
        } else {
            return None;
        };
        Some(
            Refusal::new(RefusalKind::ReadOnlyTransaction, why)
                .with_hint("Send one statement at a time."),
        )
    }

    /// True if a transaction ends in the middle, and the next one could begin writable: the wall is open
    /// still, or code may have opened it. What code did is taken back by a ROLLBACK.
    fn goes_on_behind_an_end(&self, batch: &[Arc<Analysis>], named: &[Arc<Analysis>]) -> bool {
        let open = self.wall == Wall::Open;
        let mut unsure = open || self.wall_unsure || named.iter().any(|a| opens_unseen(a));
        let mut ended = false;
        for analysis in batch {
            if ended {
                return true;
            }
            unsure |= opens_unseen(analysis);
            ended = unsure && analysis.commits() || open && ends_transaction(analysis);
        }
        false
    }

    /// True if something runs behind a savepoint that takes our SET TRANSACTION READ ONLY back.
    fn goes_back_inside(&self, batch: &[Arc<Analysis>]) -> bool {
        let before_last = batch.len().saturating_sub(1);
        self.transaction.closed_late && batch.iter().take(before_last).any(|a| goes_back(a))
    }

    /// What opens the wall below dml is forwarded, and taken back before anything else passes: a
    /// client's READ WRITE; the next transaction of a batch, if it could begin writable; and what goes
    /// back to a savepoint from before the transaction was made read-only.
    /// `flush`: inside a batch of the extended protocol.
    pub(super) fn close_behind<'a>(
        &mut self,
        ran: &(impl Iterator<Item = &'a Analysis> + Clone),
        flush: bool,
    ) {
        if self.rights.may_write() {
            return;
        }
        let mut says = ran.clone().map(opens).filter(|opened| *opened != Opens::Nothing);
        let (mut session, mut transaction) = match says.next() {
            Some(Opens::Transaction) => (false, true),
            Some(Opens::Session) => (true, false),
            Some(Opens::Nothing) | None => (false, false),
        };
        if flush
            && (self.wall_unsure || self.wall == Wall::Open)
            && ran.clone().any(ends_transaction)
        {
            (session, transaction) = (true, true);
        }
        transaction |= self.transaction.closed_late && ran.clone().any(goes_back);
        if session {
            self.send_behind(Control::Wall { open: false, flush }, flush);
        }
        if transaction {
            self.send_behind(Control::ReadOnlyTransaction { flush }, flush);
        }
    }

    fn send_behind(&mut self, control: Control, flush: bool) {
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
        let read_again = self.facts.target.readings.has_settled(since);
        if self.schema_changed || !between || !read_again {
            return;
        }
        self.overlay_since = None;
        self.set_reading(|r| r.overlay.clear());
        self.path_moved();
    }

    /// Which of the session's own names are worth asking what they stand for: where nothing is masked, it
    /// doesn't matter. Fail closed: of what isn't asked, nobody knows.
    fn names_to_ask(&self, whole: bool) -> Vec<String> {
        let overlay = &self.reading.overlay;
        if whole || overlay.holds_copies() || !self.has_masks() {
            return Vec::new();
        }
        let plain = |name: &&str| name.is_ascii() && !name.contains('\n');
        let names = overlay.names().into_iter().filter(plain).map(str::to_owned);
        names.take(NAMES_ASKED).collect()
    }

    /// Loses what the server has said of the session's own names if it doesn't count any more, and asks
    /// again. Fail closed: where others change something all the time, nobody knows.
    fn look_at_sight(&mut self) {
        if self.reading.overlay.sight().is_none() {
            return;
        }
        let (until, asked) = self.sight_counts;
        if self.now < until && self.facts.target.readings.asked() == asked {
            self.asked_again = 0;
            return;
        }
        self.asked_again += 1;
        if self.asked_again < ASKED_AGAIN {
            self.path_moved();
        } else {
            self.asked_again = 0;
            self.set_reading(|r| r.overlay.lose_sight());
        }
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
        self.look_at_sight();
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
        let whole = self.reading.mode.names == NamesIn::Bytes;
        let names = self.names_to_ask(whole);
        let asks_all = names.len() == self.reading.overlay.names().len();
        self.sight_counts.1 = self.facts.target.readings.asked();
        match self.send_own(Control::AskPath { flush, whole, names }, "path") {
            Ok(statement) => {
                self.path_stale = false;
                self.path_answer = None;
                self.asks_all_names = asks_all;
                self.owe_own(Ours::Path(statement), flush);
            }
            Err(refusal) => self.fatal = Some(refusal),
        }
        true
    }
}

/// What the server has said of the session's own names counts for so long, as long as no session changes
/// anything: once they are committed, others may, behind the gateway's back too. The catalog is read again
/// after a longer time.
pub(super) const SIGHT_LASTS: Duration = Duration::from_secs(1);

/// So often in a row it is asked for because the answer was late, or another session has
/// changed something meanwhile.
const ASKED_AGAIN: u8 = 4;

/// So many of the names that a session has touched are asked for.
const NAMES_ASKED: usize = 500;

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
            // The server reads the word as we do, and says no to what it can't read.
            SessionEffect::Setting(change) if change.value.as_deref().is_some_and(is_on) => {}
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

/// True if a READ WRITE would hold for something else in the same message.
fn says_read_write_inside(batch: &[Arc<Analysis>], named: &[Arc<Analysis>]) -> bool {
    let count = batch.len() + named.len();
    let all = || batch.iter().chain(named).enumerate();
    all().any(|(at, analysis)| {
        let others = || all().filter(|(other, _)| *other != at);
        match opens(analysis) {
            Opens::Nothing => false,
            Opens::Transaction => at + 1 != count,
            Opens::Session => others().any(|(_, a)| changes_transaction(a)),
        }
    })
}

/// True if running it, or planning it, runs code that may open the wall for the transactions that follow.
/// A cursor's query may run when the cursor is declared (what planning evaluates), and WITH HOLD when its
/// transaction ends.
fn opens_unseen(analysis: &Analysis) -> bool {
    analysis.effects.iter().any(|effect| match effect {
        SessionEffect::RunsUserCode => true,
        SessionEffect::Declare { inner, .. } => {
            opens(inner) != Opens::Nothing || opens_unseen(inner)
        }
        SessionEffect::Transaction(_)
        | SessionEffect::Setting(_)
        | SessionEffect::DiscardAll
        | SessionEffect::DiscardPart
        | SessionEffect::Prepare { .. }
        | SessionEffect::Deallocate(_)
        | SessionEffect::Close(_)
        | SessionEffect::SchemaChange(_)
        | SessionEffect::Renamed(_)
        | SessionEffect::MadeTemporary(..)
        | SessionEffect::MadeType(_)
        | SessionEffect::Commits
        | SessionEffect::Quotes
        | SessionEffect::Use(_) => false,
    })
}

/// True if it goes back to how a savepoint found its transaction. Spec: so does RELEASE, for what SET
/// TRANSACTION has said (`CommitSubTransaction`).
fn goes_back(analysis: &Analysis) -> bool {
    analysis.effects.iter().any(|effect| {
        matches!(
            effect,
            SessionEffect::Transaction(
                TransactionChange::RollbackTo(_) | TransactionChange::Release(_)
            )
        )
    })
}

fn changes_transaction(analysis: &Analysis) -> bool {
    analysis.effects.iter().any(|effect| matches!(effect, SessionEffect::Transaction(_)))
}
