//! The permission table: from what a statement says to what it does and needs.
//!
//! Effects, not keywords: every statement node of the tree counts, wherever it stands, and so do the
//! relations behind views and the code behind functions, operators, casts, types and triggers. A
//! statement needs the union of what all its parts need.

mod cascades;
mod code;
mod counters;
mod effects;
mod hide;
mod masked_definitions;
mod masks;
mod moves;
mod mysql;
mod names;
mod needs;
mod reach;
mod redefined;
mod relations;
mod settings;
mod statement;

#[cfg(test)]
mod tests;

pub(in crate::kernel::sql) use names::{Resolved, resolve as meanings};
pub use reach::with_parameter_types;

use std::collections::BTreeSet;

use crate::kernel::sql::{
    analysis::{Analysis, Hidden, ResolvedRelation, SessionEffect},
    context::Context,
    judge::needs::Needs,
    mode::Dialect,
    reading::{Access, Reading, RoutineUse, StatementKind},
};

/// What the statement does and needs, in this context.
///
/// Never fails: what isn't understood needs admin.
pub fn judge(reading: &Reading, cx: &Context<'_>) -> Analysis {
    let mut judge = Judge::new(reading, cx);
    judge.relations();
    judge.code();
    judge.system_variables();
    judge.statement();
    judge.effects();
    let mut analysis = judge.finish();
    masks::mask(&mut analysis, reading, cx);
    analysis
}

/// One judgement in the making.
struct Judge<'a> {
    reading: &'a Reading,
    cx: &'a Context<'a>,
    /// Plain EXPLAIN: nothing runs but what the planner evaluates.
    only_planned: bool,
    needs: Needs,
    relations: Vec<ResolvedRelation>,
    routines: Vec<RoutineUse>,
    effects: Vec<SessionEffect>,
    /// Rows of user relations, or of user routines, are read.
    user_rows: bool,
    /// Code runs that may change the session.
    user_code: bool,
    /// Columns of the result that admin alone may see.
    hidden: Option<Hidden>,
    /// Routines whose arguments' types were looked at: a domain's check may take the domain.
    arguments_seen: BTreeSet<u32>,
}

impl<'a> Judge<'a> {
    fn new(reading: &'a Reading, cx: &'a Context<'a>) -> Self {
        Self {
            reading,
            cx,
            // EXPLAIN can't stand inside another statement; where it seems to, count it as run.
            only_planned: reading.top == StatementKind::Explain
                && !reading.kinds.contains(&StatementKind::ExplainAnalyze),
            needs: Needs::default(),
            relations: Vec::new(),
            routines: Vec::new(),
            effects: Vec::new(),
            user_rows: false,
            user_code: false,
            hidden: None,
            arguments_seen: BTreeSet::new(),
        }
    }
}

impl Judge<'_> {
    /// True if the server is MySQL or MariaDB.
    fn is_mysql(&self) -> bool {
        self.cx.mode.dialect != Dialect::Postgres
    }

    fn has(&self, kind: StatementKind) -> bool {
        self.reading.kinds.contains(&kind)
    }

    /// The name of the statement or cursor if one of these kinds is here.
    fn object_of(&self, kinds: &[StatementKind]) -> Option<String> {
        kinds.iter().any(|k| self.has(*k)).then(|| self.reading.object.clone()).flatten()
    }

    /// True if the statement itself sends rows of user relations to the client.
    fn returns_user_rows(&self) -> bool {
        use StatementKind::*;
        match self.reading.top {
            Select | Values | CopyToClient | Call | Show | Handler => self.user_rows,
            // Their own table is listed as read if there is RETURNING.
            Insert | Update | Delete | Merge => self.user_rows && self.returning(),
            CreateTableAs | CopyFromClient | CopyServer | Explain | ExplainAnalyze | Set
            | SetRole | SetConstraints | Transaction | TwoPhase | Prepare | Execute
            | Deallocate | Declare | Fetch | Move | Close | Listen | Unlisten | Notify
            | LockShare | Lock | Refresh | Discard | SchemaChange | Truncate | CreateCode
            | DropCode | Do | Privileges | Server | Maintenance | Use | Kill | Unlock
            | ShowSource | ShowWarnings | ShowAdmin | Other => false,
        }
    }

    fn returning(&self) -> bool {
        let uses = &self.reading.relations;
        uses.iter().any(|written| {
            written.access == Access::Write
                && uses.iter().any(|u| u.access == Access::Read && u.name == written.name)
        })
    }

    fn finish(self) -> Analysis {
        let returns_user_rows = self.returns_user_rows();
        let executes = self.object_of(&[StatementKind::Execute]);
        let fetches = self.object_of(&[StatementKind::Fetch, StatementKind::Move]);
        // PREPARE runs nothing yet.
        let writes = self.needs.writes && self.reading.top != StatementKind::Prepare;
        let (class, needs) = self.needs.into_class_and_list();
        Analysis {
            span: self.reading.span.clone(),
            kind: self.reading.top,
            class,
            needs,
            relations: self.relations,
            routines: self.routines,
            effects: self.effects,
            executes,
            fetches,
            returns_user_rows,
            writes,
            hidden: self.hidden,
            masked: None,
            rules: None,
            guarded: None,
            local: None,
            parameters: self.reading.parameters,
        }
    }
}
