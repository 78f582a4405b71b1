//! The ramp of the extended protocol: Parse, Bind, Describe, Execute, Close, Flush, Sync.
//!
//! Decided at Parse, at Bind and again at Execute; on record before a Bind leaves, because input
//! functions, domain checks and planning run there.

use std::{borrow::Cow, rc::Rc, sync::Arc};

use super::{
    conversation::{Conversation, Held, Pass},
    local,
    meaning::{UpToDate, makes_names, reserved},
    owed::{Execution, Local, Tag},
    refused::{Asked, not_alone},
    simple::{begins, doubtful, unknown},
    wall::Need as WallNeed,
};
use crate::{
    kernel::{
        audit::record::{Ended, IntentKind, Parameter},
        ids::StatementId,
        policy::{Decision, Permit},
        refusal::{Refusal, RefusalKind},
        sql::{
            analysis::{Analysis, Batch, SessionEffect},
            charset::ClientText,
            reading::TransactionChange,
            text::StatementText,
        },
    },
    session::{
        gate::{self, Opinion},
        names::{Portal, Prepared, Unused},
        transaction::Status,
    },
    trail::Clearance,
    upstream::door::{RESERVED_PREFIX, Relayed},
    wire::pg::{
        Format, FrontendLimits, backend,
        exchange::{Owed, Step, Whose},
        frame,
        frontend::{self, Bind, Execute, FrontendMessage, NameKind, Named, Parse},
        types,
    },
};

impl Conversation {
    /// Parse. `rest`: what the client has sent behind it. A Bind of the same statement there makes
    /// one record with it.
    pub(super) fn parse(&mut self, parse: &Parse<'_>, rest: &[u8]) -> Pass {
        if self.pipeline.discarding {
            return Pass::Drop;
        }
        let pass = self.parse_judged(parse, rest);
        if parse.name.is_empty() && self.pipeline.discarding && !self.exchange.is_skipping() {
            // Spec: `exec_parse_message` forgets the unnamed statement before anything can go wrong; but
            // the server skips it if something before it fails.
            let undo = self.names.forget_statement("");
            let (step, whose) = (Step::Local, Whose::Client);
            self.exchange.push_under(Owed { step, whose, tag: Tag::Named(undo, None) });
        }
        pass
    }

    fn parse_judged(&mut self, parse: &Parse<'_>, rest: &[u8]) -> Pass {
        self.binds_no_more();
        if self.must_ask_path(|talk| talk.is_nameless(parse.text)) {
            return Pass::Hold;
        }
        let limits = self.core.services.world.load();
        let limit = limits.limits.statement_bytes;
        let text = match StatementText::read(parse.text, limit, self.client_text) {
            Ok(text) => text,
            Err(bad) => return self.refused_bad_text(IntentKind::Parse, parse.text, bad.into()),
        };
        let text = &*text;
        let asked = Asked::text(IntentKind::Parse, text);
        let name = match self.name(parse.name) {
            Ok(name) => name,
            Err(refusal) => return self.refused(asked, refusal),
        };
        let name = &*name;
        let Some(read) = self.read(text) else { return Pass::Hold };
        let read = read.map(|batch| self.typed(batch, parse.parameter_types.iter()));
        if let Some(why) = self.no_room_to_prepare(name, read.as_deref().ok(), text) {
            return self.refused(asked, why);
        }
        if let Ok(batch) = &read {
            if let Some(why) = self.barred(batch).or_else(|| reserved(batch)) {
                return self.refused(Asked::of(IntentKind::Parse, text, batch), why);
            }
            match self.named_up_to_date(batch) {
                Ok(UpToDate::Yes) => {}
                Ok(UpToDate::Held) => return Pass::Hold,
                Err(why) => {
                    return self.refused(Asked::of(IntentKind::Parse, text, batch), why);
                }
            }
            if let Some(pass) = self.may_be_new(Asked::of(IntentKind::Parse, text, batch)) {
                return pass;
            }
        }
        let (batch, permit) = match read {
            Ok(batch) => match self.judge_prepared(&batch) {
                Some(Decision::Permit(permit)) => (batch, permit),
                Some(Decision::Denial(denial)) => {
                    let asked = Asked::of(IntentKind::Parse, text, &batch);
                    return self.denied(asked, &denial, None);
                }
                None => match self.permit_unseen(&batch) {
                    Some(understood) => understood,
                    None => return self.unknown_in(IntentKind::Parse, text, &batch),
                },
            },
            Err(why) => match self.opinion_of_unreadable(&why, text) {
                Opinion::Permit(permit, analysis) => {
                    let batch =
                        Batch { statements: vec![Arc::new(*analysis)], fingerprint: "".into() };
                    (Arc::new(batch), permit)
                }
                Opinion::Refuse(refusal) => return self.refused(asked, refusal),
            },
        };
        let asked = Asked::of(IntentKind::Parse, text, &batch);
        if let Some(pass) = self.hold_or_move_wall(asked, &permit, true) {
            return pass;
        }
        let is_local = batch.statements.iter().any(|a| a.local.is_some());
        if is_local && batch.statements.len() > 1 {
            return self.refused(asked, not_alone());
        }
        if batch.statements.iter().any(|a| gate::renames(a)) {
            // Reading its literals may call functions.
            self.names.doubt();
        }
        let prepared = Rc::new(Prepared {
            text: text.into(),
            batch: Arc::clone(&batch),
            parameter_types: parse.parameter_types.iter().collect(),
            recorded: std::cell::RefCell::new(None),
            by_sql: false,
            read_in: Some(self.read_in()),
            age: self.names.age(),
        });
        if is_local {
            let undo = self.names.prepare(name, prepared);
            drop(undo);
            let mut bytes = Vec::new();
            backend::parse_complete(&mut bytes);
            self.owe(Step::Local, Whose::Client, Tag::Local(Local::Say(bytes)));
            return Pass::Drop;
        }
        let what = (&*batch.fingerprint, batch.statements.first().map(AsRef::as_ref));
        let bind = bind_of(parse.name, rest);
        let texts = bind.map(|b| parameter_texts(&b, &prepared.parameter_types, self.client_text));
        let parameters = as_parameters(texts.as_deref().unwrap_or_default());
        let kind = if bind.is_some() { IntentKind::Bind } else { IntentKind::Parse };
        match self.clear(permit, (kind, text), what, &parameters) {
            Ok(clearance) => {
                let mut run = None;
                if bind.is_some() {
                    prepared.recorded.replace(Some(self.unused(&clearance, Ended::Cancelled)));
                } else {
                    run =
                        Some(Box::new(self.start(clearance.statement(), clearance.permit(), None)));
                }
                let undo = self.names.prepare(name, prepared);
                self.sent_in_batch();
                self.owe(Step::Parse, Whose::Client, Tag::Named(undo, run));
                Pass::Statement(clearance)
            }
            Err(refusal) => self.refused(asked, refusal),
        }
    }

    fn no_room_to_prepare(&self, name: &str, read: Option<&Batch>, text: &str) -> Option<Refusal> {
        let is_new = !name.is_empty() && self.names.statement(name).is_none();
        let names = read.is_some_and(|batch| batch.statements.iter().any(|a| makes_names(a)));
        if is_new || names { self.no_room_for(1, text.len()) } else { None }
    }

    /// Why so many names more, of so much text, can't be kept; `None`: they can.
    pub(super) fn no_room_for(&self, more: usize, text: usize) -> Option<Refusal> {
        let limits = &self.core.services.world.load().limits;
        let (count, weight) = (self.names.len(), self.names.weight());
        let what = if count + more > limits.names {
            format!("{count} prepared statements and portals")
        } else if weight + text > limits.names_bytes {
            format!("prepared statements and portals of {} KiB", weight >> 10)
        } else {
            return None;
        };
        let text = format!("this session has {what}");
        Some(
            Refusal::new(RefusalKind::LimitExceeded, text)
                .with_hint("Close or DEALLOCATE some that are not needed any more."),
        )
    }

    /// Bind.
    pub(super) fn bind(&mut self, bind: &Bind<'_>) -> Pass {
        if self.pipeline.discarding {
            return Pass::Drop;
        }
        self.binds_no_more();
        if self.must_ask_path(|talk| talk.binds_nameless(bind.statement)) {
            return Pass::Hold;
        }
        let (portal, statement) = match (self.name(bind.portal), self.name(bind.statement)) {
            (Ok(portal), Ok(statement)) => (portal, statement),
            (Err(refusal), _) | (_, Err(refusal)) => {
                return self.refused(Asked::text(IntentKind::Bind, ""), refusal);
            }
        };
        let (portal, statement) = (&*portal, &*statement);
        let Some(prepared) = self.names.statement(statement).map(Rc::clone) else {
            if !self.exchange.is_empty() {
                self.held = Held::UntilAnswered;
                return Pass::Hold;
            }
            let refusal = unknown(statement, false);
            if statement.is_empty() {
                return self.refused_nothing(refusal);
            }
            self.absent(NameKind::Statement, bind.statement, refusal);
            return Pass::Drop;
        };
        if !portal.is_empty()
            && self.names.portal(portal).is_none()
            && let Some(why) = self.no_room_for(1, prepared.text.len())
        {
            return self.refused(Asked::again(IntentKind::Bind, &prepared), why);
        }
        let mut prepared = match self.read_again(statement, &prepared) {
            Ok(Some(prepared)) => prepared,
            Ok(None) => return Pass::Hold,
            Err(refusal) => {
                return self.refused(Asked::again(IntentKind::Bind, &prepared), refusal);
            }
        };
        if let Some(why) = self.barred(&prepared.batch) {
            return self.refused(Asked::again(IntentKind::Bind, &prepared), why);
        }
        match self.named_up_to_date(&prepared.batch) {
            Ok(UpToDate::Yes) => {}
            Ok(UpToDate::Held) => return Pass::Hold,
            Err(why) => return self.refused(Asked::again(IntentKind::Bind, &prepared), why),
        }
        if let Some(pass) = self.may_be_new(Asked::again(IntentKind::Bind, &prepared)) {
            return pass;
        }
        if prepared.analysis().is_some_and(|a| a.local.is_some()) {
            return self.bind_local(portal, &prepared, bind);
        }
        let in_doubt = self.names.is_doubtful(prepared.age, &prepared.batch);
        if in_doubt {
            let batch = Arc::new(gate::with_doubt(&prepared.batch, self.has_masks()));
            prepared = Rc::new(Prepared::read_as(&prepared, batch, prepared.read_in));
        }
        let permit = match self.judge_prepared(&prepared.batch) {
            Some(Decision::Permit(permit)) => permit,
            Some(Decision::Denial(denial)) => {
                let instead = in_doubt.then(|| doubtful(statement, false));
                return self.denied(Asked::again(IntentKind::Bind, &prepared), &denial, instead);
            }
            None => match self.permit_unseen(&prepared.batch) {
                Some((batch, permit)) => {
                    prepared = Rc::new(Prepared::read_as(&prepared, batch, prepared.read_in));
                    drop(self.names.prepare(statement, Rc::clone(&prepared)));
                    permit
                }
                None => {
                    return self.unknown_in(IntentKind::Bind, &prepared.text, &prepared.batch);
                }
            },
        };
        let asked = Asked::again(IntentKind::Bind, &prepared);
        if let Some(pass) = self.hold_or_move_wall(asked, &permit, true) {
            return pass;
        }
        let commits = prepared.analysis().is_some_and(|a| a.commits());
        if commits && self.capped_result_runs() {
            // Bound before the abort that a cut result brings, its Execute couldn't end that.
            return self.hold_for_result();
        }
        if let Err(why) = self.take_probes(&prepared.batch, &permit) {
            return self.refused(asked, why);
        }
        let analysis = prepared.analysis().map(Arc::clone);
        let what = (&*prepared.batch.fingerprint, analysis.as_deref());
        let cleared = match self.of_this_batch(prepared.recorded.take()) {
            // Its Parse came with this Bind and was put on record with the parameters.
            Some(statement) => Ok(self.core.lane.borrow_mut().again(permit, statement)),
            None => {
                let texts = parameter_texts(bind, &prepared.parameter_types, self.client_text);
                let parameters = as_parameters(&texts);
                self.clear(permit, (IntentKind::Bind, &prepared.text), what, &parameters)
            }
        };
        match cleared {
            Ok(clearance) => {
                if analysis.as_deref().is_some_and(gate::renames) {
                    // Planning it, and reading its parameters, may call functions.
                    self.names.doubt();
                }
                let entry = self.bound_portal(&prepared, &clearance);
                let undo = self.names.bind(portal, entry);
                self.bound(portal, analysis.as_deref());
                self.code_may_open(analysis.iter().map(AsRef::as_ref));
                self.sent_in_batch();
                self.owe(Step::Bind, Whose::Client, Tag::Named(undo, None));
                Pass::Statement(clearance)
            }
            Err(refusal) => self.refused(asked, refusal),
        }
    }

    /// A portal of a Bind that is on its way.
    fn bound_portal(&self, prepared: &Rc<Prepared>, clearance: &Clearance) -> Rc<Portal> {
        Rc::new(Portal {
            age: self.names.age(),
            prepared: Rc::clone(prepared),
            parameters: Vec::new(),
            result_formats: Vec::new(),
            fetched: std::cell::Cell::new((0, 0)),
            recorded: std::cell::RefCell::new(Some(self.unused(clearance, Ended::Completed))),
            holds: false,
        })
    }

    /// Execute.
    pub(super) fn execute(&mut self, execute: &Execute<'_>) -> Pass {
        if self.pipeline.discarding {
            return Pass::Drop;
        }
        // Its end says what its Bind may have run.
        let name = self.name(execute.portal);
        let was_bound = |portal: &Rc<str>| name.as_ref().is_ok_and(|name| *name == **portal);
        if !self.bound_code.as_ref().is_some_and(was_bound) {
            self.binds_no_more();
        }
        if self.must_ask_path(|talk| talk.runs_nameless(execute.portal)) {
            return Pass::Hold;
        }
        // Again: how it is read may have been asked for.
        let name = match self.name(execute.portal) {
            Ok(name) => name,
            Err(refusal) => return self.refused(Asked::text(IntentKind::Execute, ""), refusal),
        };
        let name = &*name;
        let Some(portal) = self.portal(name) else {
            if !self.exchange.is_empty() {
                self.held = Held::UntilAnswered;
                return Pass::Hold;
            }
            self.absent(NameKind::Portal, execute.portal, unknown_portal(name));
            return Pass::Drop;
        };
        if let Some(why) = self.barred(&portal.prepared.batch) {
            return self.refused(Asked::again(IntentKind::Execute, &portal.prepared), why);
        }
        if portal.prepared.analysis().is_some_and(|a| a.local.is_some()) {
            return self.execute_local(&portal);
        }
        let mut prepared = Rc::clone(&portal.prepared);
        let in_doubt = self.names.is_doubtful(portal.age, &prepared.batch);
        if in_doubt {
            let batch = Arc::new(gate::with_doubt(&prepared.batch, self.has_masks()));
            prepared = Rc::new(Prepared::read_as(&prepared, batch, prepared.read_in));
        }
        match self.named_up_to_date(&prepared.batch) {
            Ok(UpToDate::Yes) => {}
            Ok(UpToDate::Held) => return Pass::Hold,
            Err(why) => return self.refused(Asked::again(IntentKind::Execute, &prepared), why),
        }
        let permit = match self.judge_prepared(&prepared.batch) {
            Some(Decision::Permit(permit)) => permit,
            Some(Decision::Denial(denial)) => {
                let instead = in_doubt.then(|| doubtful(name, true));
                return self.denied(Asked::again(IntentKind::Execute, &prepared), &denial, instead);
            }
            None => {
                return self.unknown_in(IntentKind::Execute, &prepared.text, &prepared.batch);
            }
        };
        let named_writes = |a: &Arc<Analysis>| {
            let inner = a.executes.as_deref().and_then(|name| self.named_analysis(name, false));
            inner.is_some_and(|inner| inner.writes)
        };
        let lasts = prepared.analysis().is_some_and(|a| a.writes || a.commits() || named_writes(a));
        if lasts && self.capped_result_runs() {
            // A capped result that overflows ends in an error: nothing that lasts may overtake it.
            return self.hold_for_result();
        }
        let asked = Asked::again(IntentKind::Execute, &prepared);
        if let Some(pass) = self.hold_or_move_wall(asked, &permit, true) {
            return pass;
        }
        let analysis = prepared.analysis().map(Arc::clone);
        let copying = match self.copying(&prepared.text, analysis.as_deref(), &permit) {
            Ok(copying) => copying,
            Err(why) => return self.refused(asked, why),
        };
        let what = (&*prepared.batch.fingerprint, analysis.as_deref());
        let cleared = match self.of_this_batch(portal.recorded.take()) {
            Some(statement) => self.core.lane.borrow_mut().again(permit, statement),
            None => match self.clear(permit, (IntentKind::Execute, &prepared.text), what, &[]) {
                Ok(clearance) => clearance,
                Err(refusal) => return self.refused(asked, refusal),
            },
        };
        let mut run = self.start(cleared.statement(), cleared.permit(), analysis.as_deref());
        run.portal = run.portal.or_else(|| Some(Rc::clone(&portal)));
        run.copying = copying;
        self.moving |= analysis.as_deref().is_some_and(|a| self.moves_meaning(a))
            || run.inner.as_deref().is_some_and(|a| self.moves_meaning(a));
        let ran = [analysis.as_ref().map(Arc::clone), run.inner.as_ref().map(Arc::clone)];
        run.alone = !std::mem::replace(&mut self.pipeline.executed, true);
        self.pipeline.wrote |= lasts;
        if self.transaction.status == Status::Idle && analysis.as_deref().is_some_and(begins) {
            self.transaction.read_only = self.wall == super::conversation::Wall::Closed;
        }
        self.sent_in_batch();
        let commits = analysis.as_deref().is_some_and(Analysis::commits);
        let poisoned = self.transaction.rolled_back.clone().filter(|_| commits);
        let execution = Execution { analysis, prepared, run, poisoned };
        self.bound_code = None;
        match execution.run.copying.as_ref() {
            Some(copying) => self.ask_copied(copying.query.clone(), false),
            None => self.ask_shape(name, &execution.run, &portal),
        }
        self.owe(Step::Execute, Whose::Client, Tag::Execute(Box::new(execution)));
        self.code_may_open(ran.iter().flatten().map(AsRef::as_ref));
        self.close_behind(&ran.iter().flatten().map(AsRef::as_ref), true);
        Pass::Statement(cleared)
    }

    /// Describe.
    pub(super) fn describe(&mut self, named: &Named<'_>) -> Pass {
        if self.pipeline.discarding {
            return Pass::Drop;
        }
        if self.must_ask_path(|_| named.name.is_ascii()) || self.wall_opens_for_batch() {
            return Pass::Hold;
        }
        let name = match self.name(named.name) {
            Ok(name) => name,
            Err(refusal) => return self.refused_nothing(refusal),
        };
        let name = &*name;
        let (prepared, formats, step) = match named.kind {
            NameKind::Statement => {
                let prepared = self.names.statement(name).map(Rc::clone);
                (prepared, Vec::new(), Step::DescribeStatement)
            }
            NameKind::Portal => {
                let portal = self.names.portal(name).map(Rc::clone);
                let formats = portal.as_ref().map(|p| p.result_formats.clone());
                let prepared = portal.map(|p| Rc::clone(&p.prepared));
                (prepared, formats.unwrap_or_default(), Step::DescribePortal)
            }
        };
        let Some(prepared) = prepared else {
            if !self.exchange.is_empty() {
                self.held = Held::UntilAnswered;
                return Pass::Hold;
            }
            let refusal = match named.kind {
                NameKind::Portal => unknown_portal(name),
                NameKind::Statement => unknown(name, false),
            };
            if named.kind == NameKind::Statement && name.is_empty() {
                return self.refused_nothing(refusal);
            }
            self.absent(named.kind, named.name, refusal);
            return Pass::Drop;
        };
        let local = prepared.analysis().and_then(|a| Some((a.local.as_ref()?, a.parameters)));
        if let Some((call, parameters)) = local {
            let mut bytes = Vec::new();
            if named.kind == NameKind::Statement {
                local::describe_parameters(&mut bytes, parameters, &prepared.parameter_types);
            }
            return match local::describe_rows(&mut bytes, call, (&formats, self.client_text)) {
                Ok(()) => {
                    self.owe(Step::Local, Whose::Client, Tag::Local(Local::Say(bytes)));
                    Pass::Drop
                }
                Err(refusal) => self.refused(Asked::again(IntentKind::Local, &prepared), refusal),
            };
        }
        self.sent_in_batch();
        self.owe(step, Whose::Client, Tag::Plain);
        Pass::Relay(Relayed::Describe)
    }

    /// Close.
    pub(super) fn close(&mut self, named: &Named<'_>) -> Pass {
        if self.pipeline.discarding {
            return Pass::Drop;
        }
        if self.must_ask_path(|_| named.name.is_ascii()) || self.wall_opens_for_batch() {
            return Pass::Hold;
        }
        let name = match self.name(named.name) {
            Ok(name) => name,
            Err(refusal) => return self.refused_nothing(refusal),
        };
        let name = &*name;
        let local = match named.kind {
            NameKind::Statement => self.names.statement(name).map(Rc::clone),
            NameKind::Portal => self.names.portal(name).map(|p| Rc::clone(&p.prepared)),
        }
        .is_some_and(|p| p.analysis().is_some_and(|a| a.local.is_some()));
        let undo = match named.kind {
            NameKind::Statement => self.names.forget_statement(name),
            NameKind::Portal => self.names.forget_portal(name),
        };
        if local {
            drop(undo);
            let mut bytes = Vec::new();
            backend::close_complete(&mut bytes);
            self.owe(Step::Local, Whose::Client, Tag::Local(Local::Say(bytes)));
            return Pass::Drop;
        }
        self.sent_in_batch();
        self.owe(Step::Close, Whose::Client, Tag::Named(undo, None));
        Pass::Relay(Relayed::Close)
    }

    /// Sync.
    pub(super) fn sync(&mut self) -> Pass {
        if self.pipeline.wrote && self.capped_result_runs() {
            // This Sync commits what was written beside a result that may still overflow.
            return self.hold_for_result();
        }
        self.pipeline.discarding = false;
        self.pipeline.wrote = false;
        self.pipeline.executed = false;
        self.pipeline.number += 1;
        // A Sync behind an Execute that began a COPY was ignored by the server; this one may not be, and
        // the server may still wait for one.
        let skipping = self.exchange.is_skipping();
        if !self.pipeline.open && !skipping && !self.copy_may_run() {
            // Nothing of this batch went upstream: the server need not be asked.
            self.owe(Step::Local, Whose::Client, Tag::Local(Local::Ready));
            return Pass::Drop;
        }
        // Among copy data it ends nothing: the batch stays open for the one behind them.
        self.pipeline.open &= self.exchange.is_copying_in();
        self.owe(Step::Sync, Whose::Client, Tag::Plain);
        Pass::Relay(Relayed::Sync)
    }

    /// Flush.
    pub(super) fn flush(&mut self) -> Pass {
        if self.pipeline.open { Pass::Relay(Relayed::Flush) } else { Pass::Drop }
    }

    /// A record for what comes behind in this batch.
    fn unused(&self, clearance: &Clearance, ended: Ended) -> Unused {
        Unused::new(clearance.statement(), self.pipeline.number, ended, &self.orphans)
    }

    /// The record made before, if it was in this batch: otherwise it is closed, and another is made.
    fn of_this_batch(&self, unused: Option<Unused>) -> Option<StatementId> {
        unused.filter(|unused| unused.batch == self.pipeline.number).and_then(Unused::take)
    }

    fn sent_in_batch(&mut self) {
        if !self.pipeline.open && self.transaction.status == Status::Idle {
            self.transaction.read_only = self.wall == super::conversation::Wall::Closed;
        }
        self.pipeline.open = true;
    }

    /// Held until a capped result has ended.
    fn hold_for_result(&mut self) -> Pass {
        self.held = Held::UntilResultEnds;
        Pass::Hold
    }

    fn hold_or_move_wall(
        &mut self,
        asked: Asked<'_>,
        permit: &Permit,
        begins: bool,
    ) -> Option<Pass> {
        match self.wall_for(permit, begins) {
            WallNeed::None => None,
            WallNeed::Wait => Some(Pass::Hold),
            WallNeed::Refuse(refusal) => Some(self.refused(asked, refusal)),
        }
    }

    /// A name as text: the same that SQL has for it. Those that the gateway uses itself are refused.
    fn name<'b>(&self, bytes: &'b [u8]) -> Result<Cow<'b, str>, Refusal> {
        let name = self.client_text.read_name(bytes).map_err(|why| {
            Refusal::new(RefusalKind::NotAnalyzable, format!("a name is not understood: {why}"))
        })?;
        if self.reading.mode.names.may_differ(&name, true) {
            // Fail closed: where two of them are cut to one is known of UTF-8 alone.
            let text = "a name beyond ASCII may be another one in the database's own encoding";
            return Err(Refusal::new(RefusalKind::NotAnalyzable, text));
        }
        if name.starts_with(RESERVED_PREFIX) {
            return Err(Refusal::new(
                RefusalKind::NotSupported,
                format!("names that begin with {RESERVED_PREFIX} are the gateway's own"),
            ));
        }
        Ok(name)
    }

    /// Why only the end of the transaction passes: the gateway has rolled it back, or its grant has
    /// ended and it may finish.
    pub(super) fn only_its_end_passes(&self) -> Option<Refusal> {
        let finishing = || {
            let why =
                self.finishing.as_ref().filter(|_| self.transaction.status == Status::Open)?;
            let message = format!("{}: only COMMIT and ROLLBACK pass", why.message).into();
            Some(Refusal { message, ..why.clone() })
        };
        self.transaction.rolled_back.clone().or_else(finishing)
    }

    /// The transaction was rolled back by the gateway: all but its end and `hallpass.*` is refused
    /// until the client ends it.
    fn barred(&self, batch: &Batch) -> Option<Refusal> {
        let why = self.only_its_end_passes()?;
        let passes = |a: &Arc<Analysis>| ends_transaction(a) || a.local.is_some();
        (!batch.statements.iter().all(passes)).then_some(why)
    }

    /// The decision on a prepared statement. `None`: it uses a name that nobody knows.
    fn judge_prepared(&self, batch: &Batch) -> Option<Decision> {
        let mut named = Vec::new();
        for analysis in &batch.statements {
            if let Some(name) = &analysis.executes {
                named.push(gate::run_by(analysis, self.named_analysis(name, false)?));
            }
            if let Some(name) = &analysis.fetches {
                named.push(self.named_analysis(name, true)?);
            }
        }
        let all = batch.statements.iter().map(|a| &**a).chain(named.iter().map(|a| &**a));
        Some(self.judge(all))
    }

    fn unknown_in(&mut self, kind: IntentKind, text: &str, batch: &Batch) -> Pass {
        if !self.exchange.is_empty() {
            self.held = Held::UntilAnswered;
            return Pass::Hold;
        }
        let first = batch.statements.first();
        let refusal = match first.map(|a| (a.executes.as_deref(), a.fetches.as_deref())) {
            Some((Some(name), _)) => self.unknown_or_doubtful(name, false),
            Some((_, Some(name))) => self.unknown_or_doubtful(name, true),
            _ => Refusal::new(RefusalKind::Internal, "a name was lost"),
        };
        self.refused(Asked::of(kind, text, batch), refusal)
    }

    /// The prepared statement, read again if names mean something else now than when it was made.
    fn read_again(
        &mut self,
        name: &str,
        prepared: &Rc<Prepared>,
    ) -> Result<Option<Rc<Prepared>>, Refusal> {
        if prepared.by_sql {
            return Ok(match self.up_to_date(name)? {
                UpToDate::Yes => self.names.statement(name).map(Rc::clone),
                UpToDate::Held => None,
            });
        }
        if prepared.read_in == Some(self.read_in()) {
            return Ok(Some(Rc::clone(prepared)));
        }
        let text = Rc::clone(&prepared.text);
        let types = || prepared.parameter_types.iter().copied();
        let read = self.read(&text).map(|read| read.map(|batch| self.typed(batch, types())));
        match read {
            None => Ok(None),
            Some(Ok(batch)) if Arc::ptr_eq(&batch, &prepared.batch) => {
                Ok(Some(Rc::clone(prepared)))
            }
            Some(Ok(batch)) => {
                let again = Rc::new(Prepared::read_as(prepared, batch, Some(self.read_in())));
                drop(self.names.prepare(name, Rc::clone(&again)));
                Ok(Some(again))
            }
            // It was admitted as not understood: its opaque analysis stands.
            Some(Err(_)) if prepared.batch.fingerprint.is_empty() => Ok(Some(Rc::clone(prepared))),
            Some(Err(why)) => match self.opinion_of_unreadable(&why, &text) {
                Opinion::Permit(..) => Ok(Some(Rc::clone(prepared))),
                Opinion::Refuse(refusal) => Err(refusal),
            },
        }
    }
}

fn unknown_portal(name: &str) -> Refusal {
    Refusal::new(RefusalKind::UnknownCursor, format!("portal \"{name}\" does not exist"))
}

/// True if it is the end of a transaction.
pub(super) fn ends_transaction(analysis: &Analysis) -> bool {
    analysis.effects.iter().any(|effect| {
        matches!(
            effect,
            SessionEffect::Transaction(
                TransactionChange::Commit { .. } | TransactionChange::Rollback { .. }
            )
        )
    })
}

/// The Bind of that statement, if it is the very next message.
fn bind_of<'r>(statement: &[u8], rest: &'r [u8]) -> Option<Bind<'r>> {
    let header = frame::from_client(rest, &FrontendLimits::default()).ok()??;
    let frame = rest.get(..header.length)?;
    match frontend::decode(frame).ok()? {
        FrontendMessage::Bind(bind) if bind.statement == statement => Some(bind),
        _ => None,
    }
}

/// Parameters as a record has them.
pub(super) fn as_parameters(texts: &[Option<String>]) -> Vec<Parameter<'_>> {
    texts.iter().map(|text| text.as_deref().map_or(Parameter::Null, Parameter::Text)).collect()
}

/// Parameters as text.
pub(super) fn parameter_texts(
    bind: &Bind<'_>,
    parameter_types: &[u32],
    how: ClientText,
) -> Vec<Option<String>> {
    bind.parameters
        .iter()
        .enumerate()
        .map(|(index, value)| {
            let value = value?;
            let oid = parameter_types.get(index).copied().unwrap_or(0);
            let format = bind.formats.of(index).unwrap_or(Format::Text);
            Some(types::parameter_text(oid, (format, how), value))
        })
        .collect()
}
