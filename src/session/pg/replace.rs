//! A new upstream connection under a living session.
//!
//! A right has ended and the statement that stands on it doesn't react to a cancel: the upstream's
//! session is ended over a connection of our own, and a new one takes its place. The client is told
//! what became of everything that was owed, and that what lived in the old session is gone. An open
//! transaction goes on as a failed one at the new server, so that the rest of a script doesn't run
//! outside of it.

use std::{future::Future, pin::Pin, task::Context, time::Duration};

use super::{
    Over, Relay,
    cancel::UpstreamKey,
    conversation::{Conversation, End, Held, Wall},
    login::report_parameters,
    owed::{Local, Ours, Tag},
    settings,
};
use crate::{
    kernel::{
        audit::record::{Ended, Event, TransactionEnd},
        refusal::{Refusal, RefusalKind},
        sql::{SearchPath, mode::NamesIn},
        time::Timestamp,
    },
    session::{
        names::Names,
        records::{self, Finished},
        result::Run,
        transaction::Status,
    },
    upstream::{self, Connected, UpstreamError, door::Control},
    wire::pg::{
        backend,
        exchange::{Owed, Step, Whose},
    },
};

/// How long an upstream session that was ended may take to close its connection. Then it is left
/// alone, and nobody knows what became of its statement.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// What the client is told beside the reason.
const LOST: &str = "The statement did not react to a cancel, so its connection to the database was \
                    ended and made anew. What this session had set, prepared, opened, listened to or \
                    created temporarily is gone.";

/// The upstream's session, as far as we have put an end to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ending {
    /// Nobody has.
    No,
    /// It was told to end, and has until then to do so.
    Told {
        /// When nobody waits for it any longer.
        until: Timestamp,
        /// It has said that it ends: nothing of its transaction is left.
        confirmed: bool,
    },
}

/// A connection that takes the place of another.
pub(super) type Replacement = Pin<Box<dyn Future<Output = Result<Connected, UpstreamError>>>>;

impl Relay {
    /// The upstream's session was told to end: nothing more is sent there.
    pub(super) fn ending_begins(&mut self) {
        let until = self.talk.now.plus(CLOSE_WITHIN);
        self.ending = Ending::Told { until, confirmed: false };
    }

    /// True while nothing of the client may be looked at: nobody is there to send it to.
    pub(super) fn is_between_upstreams(&self) -> bool {
        self.replacement.is_some() || self.ending != Ending::No
    }

    /// The upstream's connection has ended. If we ended it, another takes its place.
    pub(super) fn upstream_gone(&mut self, over: Over) -> Result<(), Over> {
        let Ending::Told { confirmed, .. } = self.ending else { return Err(over) };
        if self.from_upstream.is_some_and(|rest| rest.forward) {
            // Half a message has gone out, and nobody has the rest of it.
            return Err(over);
        }
        self.from_upstream = None;
        self.door.forget_waiting();
        if let Some(rest) = &mut self.from_client {
            rest.forward = false;
        }
        if let Some((_, length)) = self.unsynced.take() {
            self.door.discard(length);
        }
        self.ending = Ending::No;
        self.talk.upstream_lost(confirmed);
        self.replace();
        Ok(())
    }

    /// Begins to connect anew, with the log-in that the session has now.
    pub(super) fn replace(&mut self) {
        let (target, level) = (self.talk.facts.target.clone(), self.talk.log_in);
        let parameters = self.parameters_of_now();
        self.replacement = Some(Box::pin(async move {
            let borrowed: Vec<(&str, &str)> =
                parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            upstream::connect(target.log_in(level).1, &borrowed).await
        }));
    }

    /// What the session began with, under the name that the client gives itself now.
    fn parameters_of_now(&self) -> Vec<(String, String)> {
        let mut parameters = self.parameters.to_vec();
        let principal = self.talk.facts.handle.principal.as_str();
        let name = settings::session_name(principal, &self.talk.application);
        for (parameter, value) in &mut parameters {
            if parameter == "application_name" {
                value.clone_from(&name);
            }
        }
        parameters
    }

    /// Takes the new connection into use. True if it has come.
    pub(super) fn poll_replacement(&mut self, cx: &mut Context<'_>) -> Result<bool, Over> {
        let Some(replacement) = &mut self.replacement else { return Ok(false) };
        let std::task::Poll::Ready(result) = replacement.as_mut().poll(cx) else {
            return Ok(false);
        };
        self.replacement = None;
        let target = &self.talk.facts.target;
        let connected = result.map_err(|error| {
            tracing::warn!(target = %target.name, error = %error, "no upstream connection");
            Over::End(End::Refused(error.refusal()))
        })?;
        let noted = self.talk.core.lane.borrow_mut().note(
            self.talk.now,
            &Event::UpstreamConnected {
                session: self.talk.facts.handle.id,
                upstream_user: &target.log_in(self.talk.log_in).1.user,
                backend: u64::try_from(connected.process).unwrap_or_default(),
            },
        );
        noted.map_err(|error| Over::End(End::Refused(records::trail_refusal(&error))))?;
        self.cancel_key = UpstreamKey {
            peer: connected.stream.peer(),
            process: connected.process,
            key: connected.cancel_key.clone(),
        };
        self.leave_address();
        self.to_client.start_anew(&connected.leftover);
        self.talk.upstream_is_new(&connected);
        self.upstream = connected.stream;
        self.asleep.upstream = false;
        self.upstream_needs = 0;
        self.asleep.upstream = false;
        Ok(true)
    }
}

impl Conversation {
    /// The upstream's session is gone, and all that was owed with it. `confirmed`: it has said so
    /// itself, so that nothing of its transaction is left.
    pub(super) fn upstream_lost(&mut self, confirmed: bool) {
        let was_open = self.transaction.status;
        let mut why = None;
        let told = self.lose_what_is_owed(confirmed, &mut why);
        let why = why.unwrap_or_else(|| {
            Refusal::new(RefusalKind::GrantEnded, "the connection to the database was made anew")
        });
        self.names = Names::default();
        self.adopt_orphans();
        let end = if confirmed { TransactionEnd::RolledBack } else { TransactionEnd::Unknown };
        let settling = self.transaction.end(end);
        self.settle(settling);
        if !confirmed {
            self.alert("a statement whose right ended could not be stopped for sure");
        }
        self.forget_upstream();
        let mut answers = told.into_iter();
        if was_open == Status::Idle {
            self.transaction.grants.clear();
            self.transaction.rolled_back = None;
        } else {
            // The error comes at once; what is ready comes when the new server has said so.
            if let Some(first) = answers.next() {
                self.owe(Step::Local, Whose::Client, Tag::Local(first));
            }
            self.fail_anew(&why);
        }
        for answer in answers {
            self.owe(Step::Local, Whose::Client, Tag::Local(answer));
        }
        if self.exchange.iter().all(|owed| !matches!(owed.tag, Tag::Local(Local::Refuse(_)))) {
            // Its last answer came after all, just before the end.
            backend::warning(&mut self.notices, LOST, self.client_text);
        }
    }

    /// Takes everything that is owed off the queue, closes its records, and gives the answers that
    /// the client gets instead.
    fn lose_what_is_owed(&mut self, confirmed: bool, why: &mut Option<Refusal>) -> Vec<Local> {
        let all = self.exchange.take_all();
        *why = all.iter().find_map(cut_of).map(|cut| cut.with_detail(LOST));
        let first = why.clone();
        let mut answers = Answers { first, given: Vec::new(), skipping: false };
        for Owed { step, whose, tag } in all {
            let is_clients = whose != Whose::Gateway;
            match tag {
                Tag::Local(local) => {
                    if let Some(Local::Call(run)) = answers.local(local) {
                        self.close_local(&run, Ended::Cancelled);
                    }
                }
                Tag::Query(query) => {
                    let already = query.failed;
                    for run in query.runs.iter().flatten() {
                        self.lose_run(run, confirmed);
                    }
                    if !already {
                        answers.refuse(None);
                    }
                    answers.ready();
                }
                Tag::Execute(execution) => {
                    self.lose_run(&execution.run, confirmed);
                    if is_clients {
                        answers.refuse(None);
                        answers.skipping = true;
                    }
                }
                Tag::Named(undo, run) => {
                    self.close_bound(&undo, None);
                    if let Some(run) = run {
                        self.lose_run(&run, confirmed);
                    }
                    if is_clients {
                        answers.refuse(None);
                        answers.skipping = true;
                    }
                }
                Tag::Fail(refusal) | Tag::Absent(refusal) => {
                    answers.refuse(Some(refusal));
                    answers.skipping = true;
                }
                Tag::Plain if step == Step::Sync && is_clients => answers.ready(),
                Tag::Ours(_) if step == Step::Sync && is_clients => answers.ready(),
                Tag::Ours(ours) if step == Step::Execute => {
                    self.close_own(ours, Ended::Cancelled, None);
                }
                Tag::Plain if matches!(step, Step::CopyData | Step::CopyEnd) || !is_clients => {}
                Tag::Plain => {
                    answers.refuse(None);
                    answers.skipping = true;
                }
                Tag::Ours(_) => {}
            }
        }
        self.pipeline.discarding = answers.skipping;
        answers.given
    }

    fn lose_run(&mut self, run: &Run, confirmed: bool) {
        run.settle_portal();
        self.lose(run.statement, (run.rows, run.bytes), (run.started, confirmed));
    }

    fn lose(
        &mut self,
        statement: crate::kernel::ids::StatementId,
        (rows, bytes): (u64, u64),
        (started, confirmed): (Timestamp, bool),
    ) {
        self.transaction.ran(statement);
        self.finished.push(Finished {
            statement,
            ended: if confirmed { Ended::Cancelled } else { Ended::Unknown },
            rows,
            bytes,
            affected: None,
            sqlstate: None,
            started,
            policy: Duration::ZERO,
        });
    }

    fn alert(&mut self, what: &str) {
        tracing::error!(session = %self.facts.handle.id, what);
        let session = Some(self.facts.handle.id);
        self.core.lane.borrow_mut().note_later(self.now, &Event::Alert { session, what });
    }

    /// Everything that lived in the upstream's session.
    pub(super) fn forget_upstream(&mut self) {
        self.controls.clear();
        self.after.clear();
        self.has_state = false;
        self.wall = Wall::Closed;
        self.wall_unsure = false;
        self.client_read_only = self.begun_read_only;
        self.moving = false;
        self.path_stale = true;
        self.path_answer = None;
        self.path_set_in_transaction = false;
        self.application_stale = false;
        self.fail_copy = false;
        self.cancel_wanted = false;
        self.cut_cancelled = false;
        self.abort_after_cut = false;
        self.escalate_at = None;
        self.ends_at = None;
        self.finishing = None;
        self.pipeline.open = false;
        self.pipeline.wrote = false;
        self.pipeline.failed = false;
        self.pipeline.number += 1;
        self.ask_for_reading();
        self.set_reading(|r| r.path = SearchPath::Unknown);
        if self.held == Held::UntilResultEnds {
            self.held = Held::UntilAnswered;
        }
    }

    /// The client's transaction goes on as a failed one at the new server.
    fn fail_anew(&mut self, why: &Refusal) {
        if self.transaction.rolled_back.is_none() && self.transaction.status == Status::Open {
            let message = format!("rolled back: {}", why.message).into();
            self.transaction.rolled_back = Some(Refusal { message, ..why.clone() });
        }
        self.transaction.read_only = true;
        match self.send_own(Control::Begin, "the transaction was lost") {
            Ok(statement) => self.owe_own(Ours::Silent(statement), false),
            Err(refusal) => self.fatal = Some(refusal),
        }
        self.controls.push_back(Control::Fail);
        self.controls.push_back(Control::Sync);
        self.owe(Step::Execute, Whose::Gateway, Tag::Ours(Ours::Rollback));
        self.owe(Step::Sync, Whose::Gateway, Tag::Ours(Ours::Rollback));
    }

    /// The new upstream has come: the client is told of its settings.
    pub(super) fn upstream_is_new(&mut self, connected: &Connected) {
        let own = (self.application.as_str(), self.begun_read_only);
        report_parameters(&mut self.notices, &connected.parameters, own);
        self.follow_lexer(connected);
    }

    /// Texts are read as the upstream has just said that it reads them.
    pub(super) fn follow_lexer(&mut self, connected: &Connected) {
        let conforming = connected.parameter("standard_conforming_strings") != Some("off");
        connected
            .parameter("server_encoding")
            .unwrap_or_default()
            .clone_into(&mut self.server_encoding);
        let names = NamesIn::of(&self.server_encoding);
        self.set_reading(|r| {
            r.mode.standard_conforming_strings = conforming;
            r.mode.names = names;
        });
        self.texts_are_in(connected.parameter("client_encoding"));
    }
}

/// What the client gets for what was owed.
struct Answers {
    /// The first error, which says what has happened; those behind it have not begun.
    first: Option<Refusal>,
    given: Vec<Local>,
    /// Behind an error in the extended protocol, up to the next Sync.
    skipping: bool,
}

impl Answers {
    fn refuse(&mut self, own: Option<Refusal>) {
        if self.skipping {
            return;
        }
        let not_run = || {
            Refusal::new(
                RefusalKind::StatementCancelled,
                "not run: the connection to the database was made anew",
            )
            .with_detail(LOST)
        };
        let refusal = own.unwrap_or_else(|| self.first.take().unwrap_or_else(not_run));
        self.given.push(Local::Refuse(refusal));
    }

    fn ready(&mut self) {
        self.skipping = false;
        self.given.push(Local::Ready);
    }

    /// An answer of our own keeps its place, unless it is skipped: then it is given back.
    fn local(&mut self, local: Local) -> Option<Local> {
        match local {
            Local::Ready => self.ready(),
            skipped if self.skipping => return Some(skipped),
            kept => self.given.push(kept),
        }
        None
    }
}

/// Why the result of an entry was cut, if it was.
pub(super) fn cut_of(owed: &Owed<Tag>) -> Option<Refusal> {
    match &owed.tag {
        Tag::Execute(execution) => execution.run.cut.clone(),
        Tag::Query(query) => query.runs.iter().flatten().find_map(|run| run.cut.clone()),
        Tag::Plain
        | Tag::Named(..)
        | Tag::Fail(_)
        | Tag::Absent(_)
        | Tag::Ours(_)
        | Tag::Local(_) => None,
    }
}
