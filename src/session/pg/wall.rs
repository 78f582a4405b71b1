//! The second wall: below dml the upstream session itself is read-only.
//!
//! It is closed by a start-up option, opened just before the first transaction that may write, and
//! closed again when the right has ended. It moves only while the server is idle and owes nothing.

use super::conversation::{Conversation, Held, Ours, Tag, Wall};
use crate::{
    kernel::{
        policy::Permit,
        refusal::{Refusal, RefusalKind},
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
        let may_write = self.rights.may_write();
        let wanted = match self.wall {
            Wall::Closed if may_write && !self.client_read_only => {
                (permit.needs_write() || begins).then_some(Wall::Open)
            }
            Wall::Open if !may_write => Some(Wall::Closed),
            Wall::Closed | Wall::Open => None,
        };
        let Some(wanted) = wanted else { return Need::None };
        if !self.exchange.is_empty() {
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
            && permit.needs_write()
            && self.transaction.status != Status::Failed
            && self.transaction.read_only;
        if !began_too_early {
            return Need::None;
        }
        let grant = permit.grant_ids().next().map_or_else(
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
        let statement = self.send_own(Control::Wall { open }, "wall")?;
        self.owe(Step::Query, Whose::Gateway, Tag::Ours(Ours::Silent(statement)));
        self.wall = wanted;
        self.held = Held::UntilAnswered;
        Ok(())
    }

    /// Forgets what the session created once the catalog has been read again since. Two readings
    /// later: one may have been under way when it was committed.
    fn forget_overlay(&mut self) {
        let Some(since) = self.overlay_since else { return };
        if self.schema_changed || self.facts.target.catalog.load().epoch < since + 2 {
            return;
        }
        self.overlay_since = None;
        self.set_reading(|r| r.overlay.clear());
        self.path_moved();
    }

    /// True if the search path must be asked for before anything is judged: then the question is on
    /// its way, or waits until what is owed has come.
    pub(super) fn must_ask_path(&mut self) -> bool {
        self.forget_overlay();
        if !self.path_stale || self.transaction.status == Status::Failed {
            return false;
        }
        self.held = Held::UntilAnswered;
        if !self.exchange.is_empty() {
            return true;
        }
        let flush = self.pipeline.open;
        match self.send_own(Control::AskPath { flush }, "path") {
            Ok(statement) => {
                self.path_stale = false;
                self.path_answer = None;
                for step in [Step::Parse, Step::Bind, Step::Execute, Step::Close, Step::Close] {
                    let ours = match step {
                        Step::Execute => Ours::Path(statement),
                        _ => Ours::Silent(statement),
                    };
                    self.owe(step, Whose::Gateway, Tag::Ours(ours));
                }
                if !flush {
                    self.owe(Step::Sync, Whose::Gateway, Tag::Ours(Ours::Silent(statement)));
                }
            }
            Err(refusal) => self.fatal = Some(refusal),
        }
        true
    }
}
