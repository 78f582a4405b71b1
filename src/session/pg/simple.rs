//! The ramp of the simple protocol: Query.

use std::{rc::Rc, sync::Arc};

use super::{
    conversation::{Conversation, Held, Pass},
    meaning::{UpToDate, makes_names, reserved, uses},
    owed::{Local, LocalRun, QueryRun, Tag},
    refused::{Asked, not_alone},
    wall::Need as WallNeed,
};
use crate::{
    kernel::{
        audit::record::IntentKind,
        policy::{Decision, Permit},
        refusal::{Refusal, RefusalKind},
        sql::{
            analysis::{Analysis, Batch, SessionEffect},
            reading::TransactionChange,
            text::StatementText,
        },
    },
    session::{
        gate::{self, Opinion},
        result::Run,
        transaction::Status,
    },
    wire::pg::exchange::{Step, Whose},
};

impl Conversation {
    /// A Query, judged whole: all of its statements, or none.
    pub(super) fn query(&mut self, bytes: &[u8]) -> Pass {
        if self.pipeline.discarding {
            // Spec: after an error in the extended protocol the server skips everything until Sync.
            return Pass::Drop;
        }
        if let Some(pass) = self.query_in_a_batch() {
            return pass;
        }
        self.binds_no_more();
        if self.must_ask_path(|talk| talk.is_nameless(bytes)) {
            return Pass::Hold;
        }
        let limit = self.core.services.world.load().limits.statement_bytes;
        let text = match StatementText::read(bytes, limit, self.client_text) {
            Ok(text) => text,
            Err(bad) => return self.refused_bad_text(IntentKind::Query, bytes, bad.into()),
        };
        let text = &*text;
        let Some(read) = self.read(text) else { return Pass::Hold };
        let (batch, permit) = match read {
            Ok(batch) => {
                if let Some(pass) = self.query_before_judging(text, &batch) {
                    return pass;
                }
                if let Some(pass) = self.may_be_new(Asked::of(IntentKind::Query, text, &batch)) {
                    return pass;
                }
                if self.moves_by_name(&batch) {
                    // Read again: what stands behind it is looked up elsewhere.
                    self.set_reading(|r| r.overlay.let_names_move());
                    return self.query(bytes);
                }
                match self.judge_batch(&batch) {
                    Some(Decision::Permit(permit)) => (batch, permit),
                    Some(Decision::Denial(denial)) => {
                        let asked = Asked::of(IntentKind::Query, text, &batch);
                        return self.denied(asked, &denial, None);
                    }
                    None => match self.permit_unseen(&batch) {
                        Some(understood) => understood,
                        None => return self.unknown_name(text, &batch),
                    },
                }
            }
            Err(why) => match self.opinion_of_unreadable(&why, text) {
                Opinion::Permit(permit, analysis) => {
                    let batch =
                        Batch { statements: vec![Arc::new(*analysis)], fingerprint: "".into() };
                    (Arc::new(batch), permit)
                }
                Opinion::Refuse(refusal) => {
                    return self.refused(Asked::text(IntentKind::Query, text), refusal);
                }
            },
        };
        let named: Vec<_> = batch.statements.iter().filter_map(|a| self.inner_of(a)).collect();
        let asked = Asked::of(IntentKind::Query, text, &batch);
        let begins = batch.statements.iter().any(|a| begins(a));
        match self.wall_for(&permit, begins) {
            WallNeed::None => {}
            WallNeed::Wait => return Pass::Hold,
            WallNeed::Refuse(refusal) => return self.refused(asked, refusal),
        }
        if let Some(why) = self.wall_opens_inside(&batch.statements, &named) {
            return self.refused(asked, why);
        }
        if let Err(why) = self.take_probes(&batch, &permit) {
            return self.refused(asked, why);
        }
        self.send_query(text, batch, &permit)
    }

    /// Behind messages of the extended protocol without a Sync, a Query is skipped if one of them has
    /// failed: it waits until that is known.
    fn query_in_a_batch(&mut self) -> Option<Pass> {
        if self.exchange.is_skipping() {
            return Some(Pass::Drop);
        }
        if self.pipeline.open && !self.exchange.is_empty() && !self.copy_may_run() {
            self.held = Held::UntilAnswered;
            return Some(Pass::Hold);
        }
        None
    }

    /// True if a name in it runs what moves where the rest of the text is looked up, and nobody thought of
    /// that when it was read.
    fn moves_by_name(&self, batch: &Batch) -> bool {
        let Some((_, before)) = batch.statements.split_last() else { return false };
        let moves = |effect: &SessionEffect| {
            matches!(effect, SessionEffect::Setting(_) | SessionEffect::RunsUserCode)
        };
        !self.reading.overlay.names_may_move()
            && before
                .iter()
                .filter_map(|analysis| self.inner_of(analysis))
                .any(|inner| inner.effects.iter().any(moves))
    }

    /// What comes before the question whether it may run: statements that are answered here, a
    /// transaction that was rolled back, a result that must end first.
    fn query_before_judging(&mut self, text: &str, batch: &Arc<Batch>) -> Option<Pass> {
        if batch.statements.iter().any(|a| a.local.is_some()) {
            return Some(self.local_query(text, batch));
        }
        let unsettled = !self.exchange.is_empty()
            && batch.statements.iter().any(|a| a.executes.is_some() || a.fetches.is_some());
        // Names made by statements that still run are known only when they have ended; a capped
        // result holds back whatever could last.
        if unsettled {
            self.held = Held::UntilAnswered;
            return Some(Pass::Hold);
        }
        if self.capped_result_runs() {
            self.held = Held::UntilResultEnds;
            return Some(Pass::Hold);
        }
        if let Some(why) = self.only_its_end_passes() {
            return self.only_its_end(text, batch, why);
        }
        let more = batch.statements.iter().filter(|a| makes_names(a)).count();
        let full = (more > 0).then(|| self.no_room_for(more, text.len())).flatten();
        let why = match (reserved(batch).or(full), self.named_up_to_date(batch)) {
            (Some(why), _) | (None, Err(why)) => why,
            (None, Ok(UpToDate::Held)) => return Some(Pass::Hold),
            (None, Ok(UpToDate::Yes)) => return None,
        };
        Some(self.refused(Asked::of(IntentKind::Query, text, batch), why))
    }

    /// Only the end of the transaction passes. After a rollback of ours a COMMIT is told so.
    fn only_its_end(&mut self, text: &str, batch: &Batch, why: Refusal) -> Option<Pass> {
        let only = match batch.statements.as_slice() {
            [only] => only.effects.first(),
            _ => None,
        };
        match only {
            Some(SessionEffect::Transaction(
                TransactionChange::Rollback { .. } | TransactionChange::Commit { .. },
            )) => None,
            _ => Some(self.refused(Asked::of(IntentKind::Query, text, batch), why)),
        }
    }

    fn local_query(&mut self, text: &str, batch: &Arc<Batch>) -> Pass {
        let [only] = batch.statements.as_slice() else {
            return self.refused(Asked::of(IntentKind::Query, text, batch), not_alone());
        };
        let Some(call) = only.local.clone() else { return Pass::Drop };
        let permit = match self.judge(std::iter::once(&**only)) {
            Decision::Permit(permit) => permit,
            Decision::Denial(denial) => {
                return self.denied(Asked::of(IntentKind::Query, text, batch), &denial, None);
            }
        };
        let what = (&*batch.fingerprint, Some(&**only));
        match self.scribe().local(&permit, text, what, &[]) {
            Ok(statement) => {
                let run = LocalRun {
                    call,
                    parameters: Vec::new(),
                    binary: Vec::new(),
                    simple: true,
                    statement,
                    started: self.now,
                };
                self.owe(Step::Local, Whose::Client, Tag::Local(Local::Call(Box::new(run))));
                self.held = Held::UntilAnswered;
                Pass::Drop
            }
            Err(refusal) => self.refused(Asked::of(IntentKind::Query, text, batch), refusal),
        }
    }

    /// The decision on a batch, with what its EXECUTE and FETCH name. `None`: a name is unknown.
    pub(super) fn judge_batch(&self, batch: &Batch) -> Option<Decision> {
        let mut named: Vec<Arc<Analysis>> = Vec::new();
        // Names that the batch itself makes before it uses them.
        let mut made: Vec<(&str, bool, &Arc<Analysis>)> = Vec::new();
        for analysis in &batch.statements {
            for (name, cursor) in uses(analysis) {
                let own = made.iter().rev().find(|(n, c, _)| *n == name && *c == cursor);
                let inner = match own {
                    Some((_, _, inner)) => Arc::clone(inner),
                    None => self.named_analysis(name, cursor)?,
                };
                named.push(gate::run_by(analysis, inner));
            }
            for effect in &analysis.effects {
                match effect {
                    SessionEffect::Prepare { name, inner } => made.push((name, false, inner)),
                    SessionEffect::Declare { name, inner, .. } => made.push((name, true, inner)),
                    SessionEffect::Transaction(_)
                    | SessionEffect::Setting(_)
                    | SessionEffect::DiscardAll
                    | SessionEffect::DiscardPart
                    | SessionEffect::Deallocate(_)
                    | SessionEffect::Close(_)
                    | SessionEffect::SchemaChange(_)
                    | SessionEffect::Renamed(_)
                    | SessionEffect::MadeTemporary(..)
                    | SessionEffect::MadeType(_)
                    | SessionEffect::Commits
                    | SessionEffect::Quotes
                    | SessionEffect::Use(_)
                    | SessionEffect::RunsUserCode => {}
                }
            }
        }
        Some(self.judge(batch.statements.iter().chain(&named).map(AsRef::as_ref)))
    }

    fn unknown_name(&mut self, text: &str, batch: &Batch) -> Pass {
        let first = batch.statements.iter().find(|a| uses(a).next().is_some());
        let refusal = first.and_then(|a| uses(a).next()).map_or_else(
            || Refusal::new(RefusalKind::Internal, "a name was lost"),
            |(name, cursor)| self.unknown_or_doubtful(name, cursor),
        );
        let asked = Asked {
            analysis: first.map(AsRef::as_ref),
            ..Asked::of(IntentKind::Query, text, batch)
        };
        self.refused(asked, refusal)
    }

    /// What a client is told of a name that leads nowhere, or nobody knows where.
    pub(super) fn unknown_or_doubtful(&self, name: &str, cursor: bool) -> Refusal {
        let known = if cursor {
            self.names.portal(name).map(|p| (p.age, &p.prepared))
        } else {
            self.names.statement(name).map(|p| (p.age, p))
        };
        match known {
            Some((age, p)) if self.names.is_doubtful(age, &p.batch) => doubtful(name, cursor),
            Some(_) | None => unknown(name, cursor),
        }
    }

    pub(super) fn send_query(&mut self, text: &str, batch: Arc<Batch>, permit: &Permit) -> Pass {
        // Behind a rollback of ours only the transaction's end has come so far; a COMMIT must not
        // look like one.
        let commits = batch.statements.iter().any(|a| a.commits());
        let poisoned = self.transaction.rolled_back.clone().filter(|_| commits);
        let only = batch.statements.first().filter(|_| batch.statements.len() == 1);
        let mut copying = match self.copying(text, only.map(AsRef::as_ref), permit) {
            Ok(copying) => copying,
            Err(why) => return self.refused(Asked::of(IntentKind::Query, text, &batch), why),
        };
        let clearance = match self.clear_all(permit.clone(), text, &batch) {
            Ok(clearance) => clearance,
            Err(refusal) => {
                self.refuse_query(refusal);
                return Pass::Drop;
            }
        };
        let count = batch.statements.len().max(1);
        let mut runs: Vec<Option<Run>> = Vec::with_capacity(count);
        for (at, statement) in clearance.statements().enumerate() {
            let analysis = batch.statements.get(at).map(AsRef::as_ref);
            let mut run = self.start(statement, permit, analysis);
            run.alone = count == 1 && !self.pipeline.open;
            run.copying = copying.take();
            runs.push(Some(run));
        }
        let named: Vec<_> = runs.iter().flatten().filter_map(|run| run.inner.clone()).collect();
        let all = || batch.statements.iter().chain(&named).map(AsRef::as_ref);
        self.moving |= all().any(|a| self.moves_meaning(a));
        self.code_may_open(all());
        let ran = Arc::clone(&batch);
        let names = batch.statements.iter().any(|a| makes_names(a));
        let kept: Option<Rc<str>> = names.then(|| text.into());
        if self.transaction.status == Status::Idle && self.exchange.is_empty() {
            self.transaction.read_only = self.wall == super::conversation::Wall::Closed;
        }
        let copying = runs.first_mut().and_then(|run| run.as_mut()?.copying.as_mut());
        if let Some(query) = copying.map(|copying| std::mem::take(&mut copying.query)) {
            self.ask_copied(query, true);
        }
        self.owe(
            Step::Query,
            Whose::Client,
            Tag::Query(QueryRun { batch, text: kept, runs, at: 0, failed: false, poisoned }),
        );
        self.pipeline.open = false;
        self.pipeline.executed = false;
        self.close_behind(&ran.statements.iter().chain(&named).map(AsRef::as_ref), false);
        Pass::Statement(clearance)
    }
}

/// What a client is told of a name that nobody knows: as the server would.
pub(super) fn unknown(name: &str, cursor: bool) -> Refusal {
    if cursor {
        let text = format!("cursor \"{name}\" does not exist");
        return Refusal::new(RefusalKind::UnknownCursor, text);
    }
    let text = match name {
        "" => "unnamed prepared statement does not exist".to_owned(),
        name => format!("prepared statement \"{name}\" does not exist"),
    };
    Refusal::new(RefusalKind::UnknownStatement, text)
}

/// What a client is told of a name that code run under admin may have made anew. The codes are those of
/// a name that doesn't exist: a driver that keeps statements prepares it again.
pub(super) fn doubtful(name: &str, cursor: bool) -> Refusal {
    let (kind, what, again) = if cursor {
        (RefusalKind::UnknownCursor, "cursor", "CLOSE it and declare it again.")
    } else {
        (RefusalKind::UnknownStatement, "prepared statement", "DEALLOCATE it and prepare it again.")
    };
    let text = format!("{what} \"{name}\" may mean something else by now");
    Refusal::new(kind, text)
        .with_detail("Code that ran under sql.admin can have made it anew.")
        .with_hint(again)
}

/// True if it begins a transaction block.
pub(super) fn begins(analysis: &Analysis) -> bool {
    analysis
        .effects
        .iter()
        .any(|effect| matches!(effect, SessionEffect::Transaction(TransactionChange::Begin { .. })))
}
