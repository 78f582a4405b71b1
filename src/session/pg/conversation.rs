//! One Postgres session after its log-in: what is owed, what names mean, what is held back.
//!
//! Pure in the sense that it reads and writes no socket: the serving loop (`super`) hands in frames
//! and does what it is told with them. Frames of the client go to `simple` and `extended`, frames of
//! the upstream to `replies`; what the gateway answers itself is made in `local`.

use std::{collections::VecDeque, rc::Rc, sync::Arc, time::Duration};

use super::{
    owed::{Local, Ours, QueryRun, Tag, is_cut},
    settings,
};
use crate::{
    kernel::{
        access::{Level, Rights},
        audit::record::Ended,
        ids::GrantId,
        policy::{Decision, decide},
        refusal::{Refusal, RefusalKind},
        sql::{
            Overlay, SearchPath,
            analysis::{Analysis, Batch, Unreadable},
            charset::ClientText,
            context::AtEnd,
            mode::{LexMode, NamesIn},
            reading::Temporary,
            seen::Sight,
        },
        time::Timestamp,
    },
    session::{
        budget::Meter,
        cache::{Edition, ReadingState, StateId},
        gate::{self, Opinion},
        names::{Names, Orphans, Portal, Undo, Unused},
        records::Finished,
        result::Run,
        services::{CoreRef, Over, PgTarget},
        signal::SessionHandle,
        transaction::{Status, Transaction},
        waiting::Waiting,
    },
    trail::Clearance,
    upstream::door::{Control, Letters, Relayed},
    wire::{
        WireError,
        pg::{
            FrontendLimits, backend,
            copy_rows::CopyRows,
            exchange::{Exchange, OutOfStep, Owed, Step, Whose},
            frontend::{self, FrontendMessage, NameKind},
        },
    },
};

/// What to do with a client's frame.
#[derive(Debug)]
pub(super) enum Pass {
    /// It carries a statement that was cleared.
    Statement(Clearance),
    /// It carries none.
    Relay(Relayed),
    /// It goes no further: it was answered, refused or skipped here.
    Drop,
    /// Not yet: ask again when what is waited for has happened.
    Hold,
}

/// What to do with an upstream's frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reply {
    /// To the client, as it is.
    Forward,
    /// Nowhere.
    Swallow,
}

/// Why client frames are not looked at now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Held {
    /// They are.
    No,
    /// Until nothing is owed.
    UntilAnswered,
    /// Until a capped result has ended.
    UntilResultEnds,
    /// Until the parser pool has read a large text.
    UntilRead,
    /// Until the catalog was read again for what this session has changed, or until then.
    UntilCatalog {
        /// Of [`Readings`](crate::session::services::Readings).
        question: u64,
        /// When it is judged by the catalog that there is.
        until: Timestamp,
    },
}

/// Why a session ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    /// The client said goodbye.
    #[error("the client ended the session")]
    Terminated,
    /// The client is told why.
    #[error("{0}")]
    Refused(Refusal),
    /// The upstream broke the protocol.
    #[error(transparent)]
    OutOfStep(#[from] OutOfStep),
    /// The upstream's bytes make no sense.
    #[error("upstream: {0}")]
    Upstream(WireError),
}

/// Where the client's pipelined batch stands.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of one batch, not a state")]
pub(super) struct Pipeline {
    /// Something was sent upstream since the last Sync, so that an implicit transaction may be open.
    pub(super) open: bool,
    /// After a refusal: drop the client's messages until Sync.
    pub(super) discarding: bool,
    /// A statement that writes was sent since the last Sync.
    pub(super) wrote: bool,
    /// Something was executed since the last Sync.
    pub(super) executed: bool,
    /// An error ended the batch.
    pub(super) failed: bool,
    /// Grows with every Sync: a Bind and its Execute with the same number share a record.
    pub(super) number: u64,
}

/// The read-only wall of the upstream session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wall {
    /// Transactions begin read-only.
    Closed,
    /// Transactions begin writable.
    Open,
}

/// Facts that don't change after the log-in.
#[derive(Debug)]
pub(super) struct Facts {
    /// The session as others see it.
    pub(super) handle: Arc<SessionHandle>,
    /// Where it is connected.
    pub(super) target: PgTarget,
}

/// What the parser pool made of a text.
#[derive(Debug)]
pub(super) struct WasRead {
    /// The text.
    pub(super) text: Arc<str>,
    /// What it does, or why that can't be said.
    pub(super) result: Result<Arc<Batch>, Unreadable>,
    /// What names meant when it was read.
    pub(super) read_in: (StateId, Edition),
}

/// Texts that the pool has read and nobody has asked for again: one statement may need two.
const WAS_READ_MAX: usize = 4;

/// One session's state.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what waits to be done, each by itself")]
pub(super) struct Conversation {
    pub(super) core: CoreRef,
    pub(super) facts: Facts,
    pub(super) exchange: Exchange<Tag>,
    pub(super) names: Names,
    /// Records whose portals have gone before they ran.
    pub(super) orphans: Orphans,
    pub(super) transaction: Transaction,
    pub(super) pipeline: Pipeline,
    /// The same when all that was let through had left.
    pub(super) sent: Pipeline,
    pub(super) wall: Wall,
    pub(super) rights: Rights,
    /// What the upstream log-in is for.
    pub(super) log_in: Level,
    /// What it should be for, by the rights of now.
    pub(super) log_in_wanted: Level,
    /// Something is in the upstream's session that another would not have.
    pub(super) has_state: bool,
    /// Row budgets of the grants used since the rights last changed.
    pub(super) meters: Vec<(GrantId, Arc<Meter>)>,
    pub(super) reading: ReadingState,
    pub(super) state: StateId,
    pub(super) held: Held,
    /// The server has been asked for the answers that are waited for.
    pub(super) hold_flushed: bool,
    /// What time it is at this turn of the loop.
    pub(super) now: Timestamp,
    /// The upstream must be told to cancel what runs.
    pub(super) cancel_wanted: bool,
    /// What the client calls itself.
    pub(super) application: String,
    /// The upstream's application name must be set again.
    pub(super) application_stale: bool,
    /// A large text that the pool shall read.
    pub(super) to_read: Option<Arc<str>>,
    /// What the pool made of it.
    pub(super) was_read: Vec<WasRead>,
    /// A statement is under way that may change what names or texts mean.
    pub(super) moving: bool,
    /// The portal whose Bind may have run code that planning evaluates, until its Execute has come.
    pub(super) bound_code: Option<Rc<str>>,
    /// The wall may be elsewhere than we put it: the client set it, and may roll that back.
    pub(super) wall_unsure: bool,
    /// A COPY FROM STDIN must end now, between two frames of the client.
    pub(super) fail_copy: bool,
    /// `SET hallpass.over`.
    pub(super) over: Option<Over>,
    /// Before the frame, to the upstream.
    pub(super) controls: VecDeque<Control>,
    /// The header of the portal whose Execute comes next, if its rows are masked.
    pub(super) shape: Option<Box<[u8]>>,
    /// Temporary tables that this transaction has made.
    pub(super) temporary: Vec<Temporary>,
    /// The copy in front, if it is masked.
    pub(super) copied: Option<CopyRows>,
    /// Why the query behind a copy could not be described: what its transaction failed by.
    pub(super) copy_failed: Option<Box<[u8]>>,
    /// Behind the frame, to the upstream.
    pub(super) after: VecDeque<Control>,
    /// Before the frame, to the client.
    pub(super) down: Vec<u8>,
    /// To the client between two messages, whenever it suits.
    pub(super) notices: Vec<u8>,
    /// The client itself asked for read-only transactions: the wall stays closed.
    pub(super) client_read_only: bool,
    /// As the server said at the log-in; it doesn't change.
    pub(super) server_encoding: String,
    /// How the client's texts are read now, and ours written.
    pub(super) client_text: ClientText,
    /// It did so in its start-up message.
    pub(super) begun_read_only: bool,
    /// The session must end with this.
    pub(super) fatal: Option<Refusal>,
    /// Statements that have ended and whose records are still open.
    pub(super) finished: Vec<Finished>,
    /// Warned of the end of these grants at five minutes and at one.
    pub(super) warned: Vec<(GrantId, u8)>,
    /// Statements and routines that changed the session in a way that is asked for again.
    pub(super) path_stale: bool,
    /// An answer came from the path question.
    pub(super) path_answer: Option<PathAnswer>,
    /// The path was set in the open transaction, so that its end moves it again.
    pub(super) path_set_in_transaction: bool,
    /// What the server has said of the session's own names counts until then, and as long as the catalog's
    /// last question is the one of that number.
    pub(super) sight_counts: (Timestamp, u64),
    /// So often in a row it was asked for again.
    pub(super) asked_again: u8,
    /// It was asked for all of them.
    pub(super) asks_all_names: bool,
    /// What ran has changed what the target contains.
    pub(super) schema_changed: bool,
    /// In this transaction something ran for which `unmask` was needed.
    pub(super) used_unmask: bool,
    /// The number of the question for a catalog that knows what this session has changed.
    pub(super) overlay_since: Option<u64>,
    /// The question for which a statement was held already.
    pub(super) waited_for: Option<u64>,
    /// How long what is in front has been held for it.
    pub(super) waiting: Waiting,
    /// Its grant has ended: only the end of the transaction passes.
    pub(super) finishing: Option<Refusal>,
    /// What runs may run, and a transaction may stay open, until then behind its grant's end.
    pub(super) ends_at: Option<Timestamp>,
    /// A cancel that has had no effect until then is followed by more.
    pub(super) escalate_at: Option<Timestamp>,
    /// A result that was cut may run on until then.
    pub(super) drain_until: Option<Timestamp>,
    /// Sizes of the client's frames.
    pub(super) frame_limits: FrontendLimits,
    /// The upstream has been told to cancel since the last ReadyForQuery.
    pub(super) cut_cancelled: bool,
    /// The client was told of an error that the server's open transaction doesn't know of.
    pub(super) abort_after_cut: bool,
    /// A call of `hallpass.*` waits for the store.
    pub(super) local_runs: bool,
}

/// What the server says where names are looked up now, and how texts are read.
#[derive(Debug)]
pub(super) struct PathAnswer {
    /// Schemas, as the array that it prints; `None` if that is no UTF-8.
    pub(super) schemas: Option<String>,
    /// `client_encoding`.
    pub(super) encoding: Option<String>,
    /// `standard_conforming_strings`.
    pub(super) conforming: Option<String>,
    /// What the names stand for that the session has touched.
    pub(super) sight: Option<Sight>,
}

/// What a new conversation starts from.
pub(super) struct Opening {
    pub(super) core: CoreRef,
    pub(super) facts: Facts,
    pub(super) rights: Rights,
    pub(super) log_in: Level,
    pub(super) path: SearchPath,
    pub(super) application: String,
    pub(super) now: Timestamp,
}

impl Conversation {
    /// A session that has just logged in, behind a closed wall.
    pub(super) fn new(opening: Opening) -> Self {
        let Opening { core, facts, rights, log_in, path, application, now } = opening;
        let reading = fresh_reading(path);
        let state = core.cache.borrow_mut().state(&reading);
        let frame_limits = core.services.world.load().limits.frames;
        Self {
            core,
            facts,
            exchange: Exchange::default(),
            names: Names::default(),
            orphans: Orphans::default(),
            transaction: Transaction::default(),
            pipeline: Pipeline::default(),
            sent: Pipeline::default(),
            wall: Wall::Closed,
            rights,
            log_in,
            log_in_wanted: log_in,
            has_state: false,
            meters: Vec::new(),
            reading,
            state,
            held: Held::No,
            hold_flushed: false,
            now,
            cancel_wanted: false,
            application,
            application_stale: false,
            to_read: None,
            was_read: Vec::new(),
            moving: false,
            bound_code: None,
            wall_unsure: false,
            fail_copy: false,
            over: None,
            controls: VecDeque::new(),
            shape: None,
            temporary: Vec::new(),
            copied: None,
            copy_failed: None,
            after: VecDeque::new(),
            down: Vec::new(),
            notices: Vec::new(),
            client_read_only: false,
            server_encoding: String::new(),
            client_text: ClientText::UNKNOWN,
            begun_read_only: false,
            fatal: None,
            finished: Vec::new(),
            warned: Vec::new(),
            path_stale: false,
            path_answer: None,
            path_set_in_transaction: false,
            sight_counts: (now, 0),
            asked_again: 0,
            asks_all_names: false,
            schema_changed: false,
            used_unmask: false,
            overlay_since: None,
            waited_for: None,
            waiting: Waiting::default(),
            cut_cancelled: false,
            abort_after_cut: false,
            local_runs: false,
            ends_at: None,
            finishing: None,
            escalate_at: None,
            drain_until: None,
            frame_limits,
        }
    }

    /// One whole message of the client; `rest` is what has come behind it. Every type is named.
    pub(super) fn client_message(&mut self, frame: &[u8], rest: &[u8]) -> Result<Pass, End> {
        let message = match frontend::decode(frame) {
            Ok(message) => message,
            // The frame was right, so both sides still know where they are: an error as the server's.
            Err(error) => return Ok(self.bad_message(frame, &error)),
        };
        Ok(match message {
            FrontendMessage::Query { text } => self.query(text),
            FrontendMessage::Parse(parse) => self.parse(&parse, rest),
            FrontendMessage::Bind(bind) => self.bind(&bind),
            FrontendMessage::Describe(named) => self.describe(&named),
            FrontendMessage::Execute(execute) => self.execute(&execute),
            FrontendMessage::Close(named) => self.close(&named),
            FrontendMessage::Sync => self.sync(),
            FrontendMessage::Flush => self.flush(),
            FrontendMessage::CopyData(_) => self.copy(false),
            FrontendMessage::CopyDone | FrontendMessage::CopyFail { .. } => self.copy(true),
            FrontendMessage::FunctionCall(call) => self.function_call(call),
            FrontendMessage::Password(_) => {
                let error = WireError::NotLegalNow { what: "a password message" };
                return Err(End::Refused(error.refusal()));
            }
            FrontendMessage::Terminate => return Err(End::Terminated),
        })
    }

    /// Names the upstream's session after its principal and the client's own application name.
    pub(super) fn name_application(&mut self) {
        self.application_stale = false;
        if self.transaction.status == Status::Failed {
            return;
        }
        let principal = self.facts.handle.principal.as_str();
        let name = settings::session_name(principal, &self.application);
        self.facts
            .handle
            .application
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone_from(&self.application);
        let how = self.own_literals();
        match self.send_own(Control::ApplicationName(name, how), "application_name") {
            Ok(statement) => {
                self.owe_own(Ours::Silent(statement), false);
            }
            Err(refusal) => self.fatal = Some(refusal),
        }
    }

    /// The limits in force.
    pub(super) fn caps(&self) -> decide::Caps {
        self.core.services.world.load().limits.caps
    }

    /// Reads a text, from the cache if it can be. `None`: the pool was asked, hold.
    pub(super) fn read(&mut self, text: &str) -> Option<Result<Arc<Batch>, Unreadable>> {
        let at_end = if self.path_set_in_transaction { AtEnd::Moves } else { AtEnd::Stays };
        if self.reading.overlay.at_end() != at_end {
            self.set_reading(|r| r.overlay.set_at_end(at_end));
        }
        if let Some(at) = self.was_read.iter().position(|read| *read.text == *text) {
            let read = self.was_read.swap_remove(at);
            if read.read_in == self.read_in() {
                return Some(read.result);
            }
        }
        match gate::read(&self.core, &self.facts.target, (&self.reading, self.state), text) {
            gate::Read::Done(result) => Some(result),
            gate::Read::ForPool => {
                self.to_read = Some(text.into());
                self.held = Held::UntilRead;
                None
            }
        }
    }

    /// The pool has read a text: who waits for it looks again.
    pub(super) fn pool_has_read(&mut self, read: WasRead) {
        if self.was_read.len() >= WAS_READ_MAX {
            self.was_read.remove(0);
        }
        self.was_read.push(read);
        if self.held == Held::UntilRead {
            self.held = Held::No;
            self.hold_flushed = false;
        }
    }

    /// What the session's rights say to these statements, run together.
    pub(super) fn judge<'a>(&self, analyses: impl Iterator<Item = &'a Analysis>) -> Decision {
        decide(analyses, &self.rights, self.caps(), self.now)
    }

    /// True if some column of the target is masked.
    pub(super) fn has_masks(&self) -> bool {
        !self.facts.target.catalog.load().marks.is_empty()
    }

    /// What is to be said of a text that can't be read: it needs admin.
    pub(super) fn opinion_of_unreadable(&self, why: &Unreadable, text: &str) -> Opinion {
        if *why == Unreadable::Disagreement {
            self.layers_disagree();
        }
        gate::unreadable(why, (text, self.has_masks()), &self.rights, self.caps(), self.now)
    }

    /// A gap in one of the layers, or somebody who looks for one. The text is on the trail.
    fn layers_disagree(&self) {
        self.core.counts.disagreement();
        if let Some(times) = self.core.disagreements.happened(self.now) {
            let handle = &self.facts.handle;
            tracing::warn!(
                target = %handle.target, session = %handle.id, principal = %handle.principal, times,
                "the layers disagree about how a statement is to be read; it needs admin"
            );
        }
    }

    /// A Bind that was on record failed or was skipped, and no Execute has taken its record over.
    pub(super) fn close_bound(&mut self, undo: &Undo, sqlstate: Option<[u8; 5]>) {
        let later = || {
            self.exchange.iter().filter_map(|owed| match &owed.tag {
                Tag::Named(later, _) => Some(later),
                _ => None,
            })
        };
        let bound = self.names.portal_of(undo, later());
        let bound = bound.and_then(|portal| portal.recorded.take());
        let made = || self.names.statement_of(undo, later());
        let made = || made().and_then(|made| made.recorded.take());
        let Some(statement) = bound.or_else(made).and_then(Unused::take) else { return };
        self.transaction.ran(statement);
        self.finished.push(Finished {
            statement,
            ended: if sqlstate.is_some() { Ended::Error } else { Ended::Cancelled },
            rows: 0,
            bytes: 0,
            affected: None,
            sqlstate,
            started: self.now,
            policy: Duration::ZERO,
        });
    }

    /// Takes back what an entry had changed that was before all that are owed.
    pub(super) fn undo(&mut self, undo: Undo) {
        let later = self.exchange.iter_mut().filter_map(|owed| match &mut owed.tag {
            Tag::Named(later, _) => Some(later),
            _ => None,
        });
        self.names.undo(undo, later);
    }

    /// Queues a reply.
    pub(super) fn owe(&mut self, step: Step, whose: Whose, tag: Tag) {
        if let Some(ignored) = self.exchange.push(Owed { step, whose, tag }) {
            self.take_back(std::iter::once(ignored));
        }
    }

    /// Undoes what dropped entries had changed, last one first, and closes their records.
    pub(super) fn take_back(&mut self, dropped: impl DoubleEndedIterator<Item = Owed<Tag>>) {
        for owed in dropped.rev() {
            match owed.tag {
                Tag::Named(undo, run) => {
                    self.close_bound(&undo, None);
                    self.undo(undo);
                    if let Some(mut run) = run {
                        run.cut(skipped());
                        self.finish(&run, None, None);
                    }
                }
                Tag::Execute(mut execution) => {
                    execution.run.cut(skipped());
                    self.finish(&execution.run, None, None);
                }
                Tag::Query(query) => self.skip_runs(query),
                Tag::Ours(ours) if owed.step == Step::Execute => {
                    self.close_own(ours, Ended::Cancelled, None);
                }
                Tag::Local(Local::Call(run)) => self.close_local(&run, Ended::Cancelled),
                Tag::Plain | Tag::Fail(_) | Tag::Absent(_) | Tag::Ours(_) | Tag::Local(_) => {}
            }
        }
    }

    /// Closes the records of statements of a Query that never began.
    pub(super) fn skip_runs(&mut self, query: QueryRun) {
        for mut run in query.runs.into_iter().flatten() {
            run.cut(skipped());
            self.finish(&run, None, None);
        }
    }

    /// True if the others of this thread should have a turn.
    pub(super) fn is_turn_over(&self) -> bool {
        self.core.services.clock.now().since(self.now) >= super::TURN_MAX
    }

    /// True if the client's transaction is not touched by an answer made here: the server is idle,
    /// nothing is owed and nothing was sent since the last Sync.
    pub(super) fn is_quiet(&self) -> bool {
        self.exchange.is_empty() && !self.pipeline.open
    }

    /// Refuses a Query.
    pub(super) fn refuse_query(&mut self, refusal: Refusal) {
        // Spec: `exec_simple_query` forgets the unnamed statement before anything can go wrong.
        drop(self.names.forget_statement(""));
        if self.is_quiet() && self.transaction.status != Status::Open {
            backend::error(&mut self.down, &refusal, self.client_text);
            backend::ready_for_query(&mut self.down, wire_status(self.transaction.status));
            return;
        }
        // In a transaction, or with something owed: the server must fail at this point itself, so
        // that order, abort and rollback are its own.
        self.controls.push_back(Control::Fail);
        self.controls.push_back(Control::Sync);
        self.owe(Step::Execute, Whose::Fail, Tag::Fail(refusal));
        self.owe(Step::Sync, Whose::Client, Tag::Plain);
        self.pipeline.open = false;
    }

    /// Refuses a message of the extended protocol; what follows is dropped until Sync.
    pub(super) fn refuse_message(&mut self, refusal: Refusal) {
        self.pipeline.discarding = true;
        self.pipeline.failed = true;
        if self.is_quiet() && self.transaction.status == Status::Idle {
            // Nothing has reached the server that it could have to roll back.
            self.owe(Step::Local, Whose::Client, Tag::Local(Local::Refuse(refusal)));
            return;
        }
        self.pipeline.open = true;
        self.controls.push_back(Control::Fail);
        self.owe(Step::Execute, Whose::Fail, Tag::Fail(refusal));
    }

    /// A message names a statement or portal that the gateway has not seen being made: the server is
    /// asked for its shape, which fails as the message itself would. Not of the unnamed statement: no code
    /// makes one, and the server may have one still that a refused Query would have made it forget.
    /// `name`: as the client gave it.
    pub(super) fn absent(&mut self, kind: NameKind, name: &[u8], refusal: Refusal) {
        let step = match kind {
            NameKind::Statement => Step::DescribeStatement,
            NameKind::Portal => Step::DescribePortal,
        };
        self.pipeline.discarding = true;
        self.pipeline.failed = true;
        self.pipeline.open = true;
        self.controls.push_back(Control::Absent { kind, name: name.to_vec() });
        self.controls.push_back(Control::Flush);
        self.owe(step, Whose::Fail, Tag::Absent(refusal));
        // Should it exist after all, an error of ours must come before the client's Sync.
        self.held = Held::UntilAnswered;
        self.hold_flushed = true;
    }

    /// The server reads texts in this encoding from now on; `None`: nobody knows.
    pub(super) fn texts_are_in(&mut self, encoding: Option<&str>) {
        let text = encoding.map_or(ClientText::UNKNOWN, |encoding| {
            ClientText::of(encoding, &self.server_encoding)
        });
        self.client_text = text;
        self.set_reading(|r| r.mode.ascii_only = text.is_ascii_only());
    }

    /// How a text of the gateway's own to the server holds letters beyond ASCII now.
    fn own_literals(&self) -> Letters {
        if self.client_text.is_utf8() {
            Letters::AsTheyAre
        } else if self.reading.mode.names == NamesIn::Utf8 {
            Letters::Escaped
        } else {
            Letters::QuestionMarks
        }
    }

    /// Sets what names mean from now on.
    pub(super) fn set_reading(&mut self, change: impl FnOnce(&mut ReadingState)) {
        change(&mut self.reading);
        self.state = self.core.cache.borrow_mut().state(&self.reading);
    }

    /// Something ran that may have moved the search path: it is asked for before the next judgement.
    pub(super) fn path_moved(&mut self) {
        self.path_stale = true;
        if self.reading.overlay.sight().is_some() {
            self.set_reading(|r| r.overlay.lose_sight());
        }
    }

    /// True if what the server works on now includes a result that has been cut. In the extended
    /// protocol that is everything up to the next Sync: it keeps its answers back.
    pub(super) fn is_cut_running(&self) -> bool {
        for owed in self.exchange.iter() {
            if is_cut(owed) {
                return true;
            }
            if matches!(owed.step, Step::Query | Step::Sync) {
                return false;
            }
        }
        false
    }

    /// True if the entries still owed include a capped or cut result.
    pub(super) fn capped_result_runs(&self) -> bool {
        self.exchange.iter().any(|owed| match &owed.tag {
            Tag::Execute(execution) => holds_back(&execution.run),
            Tag::Query(query) => query.runs.iter().flatten().any(holds_back),
            Tag::Plain
            | Tag::Named(..)
            | Tag::Fail(_)
            | Tag::Absent(_)
            | Tag::Ours(_)
            | Tag::Local(_) => false,
        })
    }

    /// Marks everything that runs under a grant that has ended, so that no more rows go out.
    pub(super) fn cut_running(&mut self, ended: &[GrantId], why: &Refusal) -> bool {
        let mut cut = false;
        for owed in self.exchange.iter_mut() {
            let mut mark = |run: &mut Run| {
                if run.permit_uses(ended) {
                    run.cut(why.clone());
                    cut = true;
                }
            };
            match &mut owed.tag {
                Tag::Execute(execution) => mark(&mut execution.run),
                Tag::Query(query) => query.runs.iter_mut().flatten().for_each(mark),
                Tag::Plain
                | Tag::Named(..)
                | Tag::Fail(_)
                | Tag::Absent(_)
                | Tag::Ours(_)
                | Tag::Local(_) => {}
            }
        }
        cut
    }

    /// The portal of that name, if it may be used.
    pub(super) fn portal(&self, name: &str) -> Option<Rc<Portal>> {
        self.names.portal(name).map(Rc::clone)
    }
}

fn holds_back(run: &Run) -> bool {
    run.cap.is_some_and(|cap| cap.holds_back()) || run.cut.is_some()
}

/// What became of a statement behind an error in its batch.
fn skipped() -> Refusal {
    Refusal::new(RefusalKind::StatementCancelled, "skipped after an error")
}

/// A status as the wire has it.
pub(super) fn wire_status(status: Status) -> backend::TransactionStatus {
    match status {
        Status::Idle => backend::TransactionStatus::Idle,
        Status::Open => backend::TransactionStatus::InTransaction,
        Status::Failed => backend::TransactionStatus::Failed,
    }
}

/// The state of a session that has just logged in.
pub(super) fn fresh_reading(path: SearchPath) -> ReadingState {
    ReadingState { mode: LexMode::POSTGRES, path, overlay: Overlay::default() }
}
