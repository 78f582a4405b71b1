//! One MySQL session after its log-in: what is owed, how texts are read, what it may do.
//!
//! Reads and writes no socket: the serving loop (`super`) hands in commands and packets and does what it is
//! told with them.

use std::{collections::HashMap, sync::Arc};

use super::{
    answer::{Answer, Of},
    prepared::Statements,
};
use crate::{
    kernel::{
        access::{Level, Rights},
        audit::record::{Ended, TransactionEnd},
        ids::{GrantId, StatementId},
        policy::{Decision, decide},
        refusal::{Refusal, RefusalKind},
        sql::{
            Overlay, SearchPath,
            analysis::{Analysis, Batch, Unreadable},
            mode::{ClientSet, LexMode, SqlMode},
        },
        time::Timestamp,
    },
    session::{
        budget::Meter,
        cache::{Edition, ReadingState, StateId},
        gate::{self, Opinion},
        records::{Finished, Scribe},
        result::Run,
        services::{CoreRef, Over, Target},
        signal::SessionHandle,
        transaction::Transaction,
        waiting::Waiting,
    },
    trail::Clearance,
    upstream::mysql::own::{Relayed, Word},
    wire::{
        WireError,
        mysql::{Capabilities, login::LogIn, packet::Header, reply, reply::Status},
    },
};

/// What to do with a client's command.
#[derive(Debug)]
pub(super) enum Pass {
    /// It carries a statement that was cleared.
    Statement(Clearance),
    /// It carries none.
    Relay(Relayed),
    /// It goes no further: it was answered or refused here.
    Drop,
    /// It is COM_CHANGE_USER: this session ends, and another log-in begins in its connection.
    ChangeUser(Box<LogIn>),
    /// Not yet: ask again when what is waited for has happened.
    Hold,
}

/// Why a session ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    /// The client said goodbye.
    #[error("the client ended the session")]
    Quit,
    /// The client is told why.
    #[error("{0}")]
    Refused(Refusal),
    /// The upstream's bytes make no sense.
    #[error("upstream: {0}")]
    Upstream(WireError),
}

/// The read-only wall of the upstream session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wall {
    /// Transactions begin read-only.
    Closed,
    /// Transactions begin writable.
    Open,
    /// Nobody knows: it must be put somewhere before anything else passes.
    Unknown,
}

/// What is to be known before a statement can be judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Knows {
    /// How texts are read and where names are looked up.
    All,
    /// It must be asked.
    Nothing,
    /// It can't be told: what the server said isn't understood. Nothing can be read.
    Lost,
}

/// A large text that the parser pool shall read, or has read.
#[derive(Debug)]
pub(super) struct Large {
    pub(super) text: Arc<str>,
    pub(super) read_in: (StateId, Edition),
    /// `None`: it is still to be read.
    pub(super) result: Option<Result<Arc<Batch>, Unreadable>>,
}

/// One session's state.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of one session, not a state")]
pub(super) struct Talk {
    pub(super) core: CoreRef,
    pub(super) handle: Arc<SessionHandle>,
    pub(super) target: Arc<Target>,
    /// The upstream's number of the connection.
    pub(super) connection: u32,
    pub(super) rights: Rights,
    /// What the upstream log-in is for.
    pub(super) log_in: Level,
    /// What the client took.
    pub(super) client: Capabilities,
    /// What the upstream agreed to.
    pub(super) shared: Capabilities,
    /// The session's state as the upstream last said it.
    pub(super) status: Status,
    pub(super) transaction: Transaction,
    pub(super) wall: Wall,
    pub(super) reading: ReadingState,
    pub(super) state: StateId,
    pub(super) knows: Knows,
    /// The schema of now.
    pub(super) schema: Option<String>,
    /// The upstream's `character_set_results` is UTF-8: else the gateway's own texts are ASCII.
    pub(super) speaks_utf8: bool,
    /// The messages that the server keeps for SHOW WARNINGS may quote what is masked.
    pub(super) quotes: bool,
    /// What the upstream owes.
    pub(super) answer: Option<Answer>,
    pub(super) statements: Statements,
    pub(super) meters: Vec<(GrantId, Arc<Meter>)>,
    pub(super) finished: Vec<Finished>,
    /// A large text.
    pub(super) large: Option<Large>,
    /// What time it is at this turn of the loop.
    pub(super) now: Timestamp,
    /// A word of ours that must leave now.
    pub(super) word: Option<Word>,
    /// To the client.
    pub(super) down: Vec<u8>,
    /// What runs must be cancelled.
    pub(super) kill_wanted: bool,
    /// It has been told to be, and must be told harder from then on.
    pub(super) escalate_at: Option<Timestamp>,
    /// What stood on a right that has ended must be rolled back.
    pub(super) roll_back: Option<Refusal>,
    /// `SET hallpass.over`.
    pub(super) over: Option<Over>,
    /// The session must end with this.
    pub(super) fatal: Option<Refusal>,
    /// A call of `hallpass.*` waits for the store.
    pub(super) call: Option<super::local::Call>,
    /// The values of the variables that the call in front names, once the server has told them.
    pub(super) arguments: Option<Vec<Option<String>>>,
    /// What PREPARE has named, in lower case: names aren't told apart by it.
    pub(super) named: HashMap<String, super::named::Named>,
    /// The client itself asked for read-only transactions: the wall stays closed.
    pub(super) client_read_only: bool,
    /// The server has been asked to tell of what changes how texts are read.
    pub(super) tracks: bool,
    /// Since it changed something last, something has run for which `unmask` was needed.
    pub(super) used_unmask: bool,
    /// The number of the question for a catalog that knows what this session has changed.
    pub(super) overlay_since: Option<u64>,
    /// What is in front is held until the catalog has been read again, until then at most.
    pub(super) until_catalog: Option<(u64, Timestamp)>,
    /// The last question for a catalog that something was held for.
    pub(super) waited_for: Option<u64>,
    /// How long what is in front has been held.
    pub(super) waiting: Waiting,
    /// What is in front is held: a cancel is for it.
    pub(super) holds: bool,
    /// What runs may run until then behind its grant's end.
    pub(super) ends_at: Option<Timestamp>,
    /// What the client is to be told.
    pub(super) notes: super::notes::Notes,
}

/// What a new session starts from.
pub(super) struct Opening {
    pub(super) core: CoreRef,
    pub(super) handle: Arc<SessionHandle>,
    pub(super) target: Arc<Target>,
    pub(super) connection: u32,
    pub(super) rights: Rights,
    pub(super) log_in: Level,
    pub(super) client: Capabilities,
    pub(super) shared: Capabilities,
    pub(super) status: Status,
    pub(super) mode: LexMode,
    pub(super) now: Timestamp,
}

impl Talk {
    /// A session that has just logged in. Nothing is known of it yet.
    pub(super) fn new(opening: Opening) -> Self {
        let Opening { core, handle, target, connection, rights, log_in, client, shared, .. } =
            opening;
        let reading = ReadingState {
            mode: opening.mode,
            path: SearchPath::Unknown,
            overlay: Overlay::default(),
        };
        let state = core.cache.borrow_mut().state(&reading);
        Self {
            core,
            handle,
            target,
            connection,
            rights,
            log_in,
            client,
            shared,
            status: opening.status,
            transaction: Transaction::default(),
            wall: Wall::Unknown,
            reading,
            state,
            knows: Knows::Nothing,
            schema: None,
            speaks_utf8: true,
            quotes: false,
            answer: None,
            statements: Statements::default(),
            meters: Vec::new(),
            finished: Vec::new(),
            large: None,
            now: opening.now,
            word: None,
            down: Vec::new(),
            kill_wanted: false,
            escalate_at: None,
            roll_back: None,
            over: None,
            fatal: None,
            call: None,
            arguments: None,
            named: HashMap::new(),
            client_read_only: false,
            tracks: false,
            overlay_since: None,
            until_catalog: None,
            used_unmask: false,
            waited_for: None,
            waiting: Waiting::default(),
            holds: false,
            ends_at: None,
            notes: super::notes::Notes::default(),
        }
    }

    /// The hand that writes for this session.
    pub(super) fn scribe(&self) -> Scribe<'_> {
        Scribe {
            core: &self.core,
            handle: &self.handle,
            now: self.now,
            target: &self.target,
            mode: self.reading.mode,
        }
    }

    /// The limits in force.
    pub(super) fn caps(&self) -> decide::Caps {
        self.core.services.world.load().limits.caps
    }

    /// What is done about a result over its cap.
    pub(super) fn over(&self) -> Over {
        self.over.unwrap_or(self.core.services.world.load().limits.over)
    }

    /// True if a transaction of the client is open.
    pub(super) fn in_transaction(&self) -> bool {
        self.status.has(Status::IN_TRANSACTION)
    }

    /// True if nothing is owed.
    pub(super) fn is_quiet(&self) -> bool {
        self.answer.is_none() && self.call.is_none()
    }

    /// True if some column of the target is masked.
    pub(super) fn has_masks(&self) -> bool {
        !self.target.catalog.load().marks.is_empty()
    }

    /// What the session's rights say to these statements, run together.
    pub(super) fn judge<'a>(&self, analyses: impl Iterator<Item = &'a Analysis>) -> Decision {
        decide(analyses, &self.rights, self.caps(), self.now)
    }

    /// What is to be said of a text that can't be read: it needs admin.
    pub(super) fn opinion_of_unreadable(&self, why: &Unreadable, text: &str) -> Opinion {
        gate::unreadable(why, (text, self.has_masks()), &self.rights, self.caps(), self.now)
    }

    /// Reads a text, from the cache if it can be. `None`: the pool was asked, hold.
    pub(super) fn read(&mut self, text: &str) -> Option<Result<Arc<Batch>, Unreadable>> {
        if let Some(large) = self.large.take()
            && *large.text == *text
            && large.read_in == self.read_in()
            && let Some(result) = large.result
        {
            return Some(result);
        }
        match gate::read(&self.core, &self.target, (&self.reading, self.state), text) {
            gate::Read::Done(result) => Some(result),
            gate::Read::ForPool => {
                self.large =
                    Some(Large { text: text.into(), read_in: self.read_in(), result: None });
                None
            }
        }
    }

    /// True if something is to be done elsewhere, and nobody has begun it.
    pub(super) fn has_work(&self) -> bool {
        self.call.is_some() || self.large.as_ref().is_some_and(|large| large.result.is_none())
    }

    /// What texts are read by now.
    pub(super) fn read_in(&self) -> (StateId, Edition) {
        let epoch = self.target.catalog.load().epoch;
        (self.state, Edition { target: self.target.number, epoch })
    }

    /// Sets what texts and names mean from now on.
    pub(super) fn set_reading(&mut self, change: impl FnOnce(&mut ReadingState)) {
        change(&mut self.reading);
        self.state = self.core.cache.borrow_mut().state(&self.reading);
    }

    /// True if the server's messages may be shown before anything is asked or set: what shows them writes
    /// nothing, and reads the same whatever is not known.
    pub(super) fn may_show_warnings_first(&self) -> bool {
        match self.knows {
            Knows::All | Knows::Nothing => self.tracks,
            Knows::Lost => false,
        }
    }

    /// True if the server must be asked first how it reads texts, or moved to where it may be asked
    /// anything: the command is held.
    pub(super) fn must_ask(&mut self) -> bool {
        let word = match (self.wall, self.knows) {
            (Wall::Unknown, _) => {
                Word::Wall { open: self.rights.may_write() && !self.client_read_only }
            }
            _ if !self.tracks => Word::Track,
            (_, Knows::Nothing) => Word::Ask,
            (Wall::Open | Wall::Closed, Knows::All | Knows::Lost) => return false,
        };
        self.say(word, "state")
    }

    /// Sends a word of ours. True if it is on its way, or the session ends because it can't be.
    pub(super) fn say(&mut self, word: Word, cause: &str) -> bool {
        let text = word.text().unwrap_or_default();
        match self.scribe().own(&text, cause) {
            Ok(statement) => {
                if let Word::Wall { open } = &word {
                    self.wall = if *open { Wall::Open } else { Wall::Closed };
                }
                self.answer = Some(Answer::own(word.clone(), statement, self.shared));
                self.word = Some(word);
            }
            Err(refusal) => self.fatal = Some(refusal),
        }
        true
    }

    /// The server has said how it reads texts, and where.
    pub(super) fn told(&mut self, row: &[Option<String>]) {
        let cell = |at: usize| row.get(at).and_then(Option::as_deref);
        let mode = cell(0).and_then(SqlMode::of);
        let client = cell(1).map(ClientSet::of);
        self.speaks_utf8 = cell(2).is_some_and(|set| set.starts_with("utf8"));
        let quotes_bytes = cell(3).is_none_or(|collation| collation == "binary");
        self.schema = cell(4).map(str::to_owned);
        let path = SearchPath::Known(self.schema.iter().cloned().collect());
        let (Some(sql), Some(client)) = (mode, client) else {
            self.knows = Knows::Lost;
            self.set_reading(|r| r.path = path);
            return;
        };
        self.knows = if client == ClientSet::Unreadable { Knows::Lost } else { Knows::All };
        self.set_reading(|r| {
            r.mode.sql = sql;
            r.mode.client = client;
            r.mode.quotes_bytes = quotes_bytes;
            r.path = path;
        });
    }

    /// True if rows that come now must be here whole before anything of them goes out.
    pub(super) fn wants_whole_rows(&self) -> bool {
        match self.answer.as_ref().map(|answer| &answer.of) {
            Some(Of::Own { .. }) => true,
            Some(Of::Runs(running)) => {
                let run = running.runs.get(running.at).and_then(Option::as_ref);
                !running.told && run.is_some_and(Run::rewrites)
            }
            Some(Of::Plain | Of::Reset | Of::Prepare(_)) | None => false,
        }
    }

    /// True if the client has been told how what runs has ended.
    pub(super) fn is_told(&self) -> bool {
        matches!(self.answer.as_ref().map(|answer| &answer.of), Some(Of::Runs(running)) if running.told)
    }

    /// A packet of a row has been decided on.
    ///
    /// # Errors
    /// It is out of order.
    pub(super) fn row_taken(&mut self, header: Header) -> Result<(), End> {
        match &mut self.answer {
            Some(answer) => answer.response.take(header, &[]).map(|_| ()).map_err(End::Upstream),
            None => Ok(()),
        }
    }

    /// The session ends: what still runs ends in a way that nobody knows; `unsent`: it has not run.
    pub(super) fn abandon(&mut self, unsent: bool) {
        let ended = if unsent { Ended::Refused } else { Ended::Unknown };
        let owes = self.answer.is_some() && !unsent;
        self.close_records();
        if let Some(answer) = self.answer.take() {
            let mut open: Vec<StatementId> = Vec::new();
            match answer.of {
                Of::Own { statement, .. } => open.push(statement),
                Of::Prepare(preparing) => open.push(preparing.run.statement),
                Of::Runs(running) => {
                    open.extend(running.runs.iter().flatten().map(|run| run.statement));
                }
                Of::Plain | Of::Reset => {}
            }
            for statement in open {
                self.scribe().close_alone(statement, ended, None);
            }
        }
        self.forget_statements();
        self.close_records();
        let end = if owes { TransactionEnd::Unknown } else { TransactionEnd::RolledBack };
        if let Some(settling) = self.transaction.end(end) {
            self.scribe().settle(&settling);
        }
        self.core.lane_waits.notify_one();
    }

    /// Says no to a command. `next`: the sequence number of the answer.
    pub(super) fn tell_no(&mut self, next: u8, refusal: &Refusal) -> Pass {
        self.arguments = None;
        reply::refuse(&mut self.down, next, refusal);
        if refusal.is_fatal() {
            self.fatal = Some(refusal.clone());
        }
        Pass::Drop
    }
}

/// A command that isn't offered.
pub(super) fn not_offered(name: &str) -> Refusal {
    Refusal::new(RefusalKind::NotSupported, format!("{name} is not offered by the gateway"))
}
