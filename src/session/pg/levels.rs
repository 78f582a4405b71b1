//! The upstream log-in follows the rights, where a target has one for reading, one for changing rows
//! and so on: whatever else fails, a session can do at the server what its rights say and no more.
//!
//! It moves while the session is quiet, by a new connection. What lives in the old one is lost: when
//! rights grow, a session where something lives stays, and what needs more is refused until the client
//! connects again; when they have ended it moves all the same.

use std::task::Context;

use super::{
    Relay,
    conversation::{Conversation, Held},
    replace::Ending,
};
use crate::{
    kernel::{
        access::Level,
        policy::Permit,
        refusal::{Refusal, RefusalKind},
        sql::analysis::{Analysis, SessionEffect},
    },
    session::{names::Names, transaction::Status},
    upstream::door::Control,
    wire::pg::backend,
};

/// What the client is told where something lived in the old connection.
const MOVED: &str = "a right has ended, so the connection to the database was made anew with a log-in \
                     that can do less; what this session had set, prepared, opened, listened to or \
                     created temporarily is gone";

impl Relay {
    /// Begins to move to another log-in if the rights say so and nothing is under way. True if it does.
    pub(super) fn move_log_in(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(level) = self.talk.log_in_moves() else { return false };
        let busy = self.waits_for_others()
            || self.from_client.is_some()
            || self.from_upstream.is_some()
            || self.door.waiting() > 0
            || !self.to_client.unread().is_empty()
            || self.ending != Ending::No;
        if busy {
            return false;
        }
        self.door.send_control(&Control::Terminate);
        // An idle server reads this at once; if it can't be sent, the closing tells it.
        let said = self.door.poll_flush(cx, &mut self.upstream);
        drop(said);
        self.door.forget_waiting();
        self.talk.log_in_moved(level);
        self.replace();
        true
    }
}

impl Conversation {
    /// The level to move to, if it is time.
    pub(super) fn log_in_moves(&self) -> Option<Level> {
        if self.log_in_wanted == self.log_in {
            return None;
        }
        let grows = self.log_in_wanted > self.log_in;
        let quiet = self.is_quiet()
            && self.transaction.status == Status::Idle
            && self.held == Held::No
            && self.controls.is_empty()
            && self.after.is_empty()
            && self.fatal.is_none();
        (quiet && !(grows && self.lives())).then_some(self.log_in_wanted)
    }

    /// True if something is in the upstream's session that another would not have.
    fn lives(&self) -> bool {
        self.has_state || self.names.has_named()
    }

    /// Leaves the old connection behind.
    fn log_in_moved(&mut self, level: Level) {
        if self.lives() {
            backend::warning(&mut self.notices, MOVED, self.client_text);
        }
        self.names = Names::default();
        self.adopt_orphans();
        self.forget_upstream();
        self.log_in = level;
    }

    /// Remembers whether a statement that has completed leaves something in the upstream's session.
    pub(super) fn leaves_state(&mut self, analysis: &Analysis) {
        use crate::kernel::sql::reading::StatementKind as K;
        let lasting = |effect: &SessionEffect| match effect {
            SessionEffect::Transaction(_) | SessionEffect::Close(_) => false,
            // It is carried over.
            SessionEffect::Setting(change) => change.name != "application_name",
            SessionEffect::DiscardAll
            | SessionEffect::DiscardPart
            | SessionEffect::Prepare { .. }
            | SessionEffect::Deallocate(_)
            | SessionEffect::Declare { .. }
            | SessionEffect::SchemaChange(_)
            | SessionEffect::Renamed(_)
            | SessionEffect::MadeTemporary(..)
            | SessionEffect::MadeType(_)
            | SessionEffect::Commits
            | SessionEffect::Quotes
            | SessionEffect::Use(_)
            | SessionEffect::RunsUserCode => true,
        };
        if analysis.effects.iter().any(|e| matches!(e, SessionEffect::DiscardAll)) {
            self.has_state = false;
        } else if analysis.writes
            || matches!(analysis.kind, K::Listen)
            || analysis.effects.iter().any(lasting)
        {
            self.has_state = true;
        }
    }

    /// Why a statement can't run over the log-in that the session has now; `None`: it can.
    pub(super) fn log_in_is_too_low(&self, permit: &Permit) -> Option<Refusal> {
        let (level, _) = self.facts.target.log_in(permit.level());
        if level <= self.log_in {
            return None;
        }
        let right = permit.grant_ids().last().map_or_else(
            || "the right to do this is active".to_owned(),
            |grant| format!("{grant} is active"),
        );
        let so_far = self.log_in.name();
        if self.lives() {
            let text = format!(
                "{right}, but this session was connected to the database with the log-in for {so_far}, \
                 and what lives in it would be lost with another"
            );
            return Some(
                Refusal::new(RefusalKind::ReadOnlyTransaction, text).with_hint("Connect again."),
            );
        }
        let text = format!(
            "{right}, but this transaction began under the log-in for {so_far} at the database"
        );
        Some(
            Refusal::new(RefusalKind::ReadOnlyTransaction, text)
                .with_hint("ROLLBACK and run it again."),
        )
    }
}
