//! What the upstream answers: each packet passes, is written anew, or goes nowhere.

use super::{
    answer::{Answer, Of, Running},
    notes::counted,
    query::says_read_only,
    talk::{End, Knows, Talk, Wall},
};
use crate::{
    kernel::{
        audit::record::{Ended as RecordEnd, TransactionEnd},
        refusal::{Refusal, RefusalKind},
        sql::{
            analysis::{Analysis, SessionEffect},
            reading::{StatementKind, TransactionChange},
        },
    },
    session::{records::Finished, result::Run},
    upstream::mysql::own::Word,
    wire::{
        WireError,
        mysql::{
            Capabilities,
            packet::Header,
            reply::{self, Change, EofPacket, ErrPacket, OkPacket, Status},
            response::{Ended, Reply},
        },
    },
};

/// What to do with an upstream's packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Onward {
    /// To the client, as it is.
    Forward,
    /// Nowhere; what takes its place has been written.
    Swallow,
}

/// Errors whose messages hold names and words of the statement at most, on both servers: those of reading and
/// resolving it, of rights, of waiting.
///
/// Spec: `share/messages_to_clients.txt` of MySQL, `sql/share/errmsg-utf8.txt` of MariaDB.
const NAMES_ONLY: [u16; 55] = [
    1044, 1045, 1046, 1049, 1050, 1051, 1052, 1054, 1055, 1056, 1059, 1060, 1061, 1064, 1065, 1066,
    1068, 1072, 1091, 1096, 1104, 1109, 1111, 1136, 1140, 1142, 1143, 1146, 1149, 1172, 1176, 1191,
    1205, 1213, 1221, 1222, 1227, 1235, 1241, 1242, 1247, 1248, 1290, 1305, 1317, 1318, 1370, 1449,
    1568, 1582, 1630, 1792, 1969, 3024, 3572,
];

/// The errors of a server that has rolled the whole transaction back.
const ROLLED_BACK: [u16; 2] = [1213, 1614];

/// What a server says of a statement that was cancelled.
const CANCELLED: u16 = 1317;

impl Talk {
    /// Any other packet. `payload`: all of it.
    ///
    /// # Errors
    /// The upstream broke the protocol.
    pub(super) fn reply(&mut self, header: Header, payload: &[u8]) -> Result<Onward, End> {
        let Some(mut answer) = self.answer.take() else {
            return unasked(payload);
        };
        let onward = self.reply_in(&mut answer, (header, payload));
        if onward.is_ok() && answer.response.is_over() {
            self.answered(answer);
        } else {
            // Whatever goes wrong, it still runs, and its records are to be closed.
            self.answer = Some(answer);
        }
        onward
    }

    fn reply_in(
        &mut self,
        answer: &mut Answer,
        (header, payload): (Header, &[u8]),
    ) -> Result<Onward, End> {
        let reply = answer.response.take(header, payload).map_err(End::Upstream)?;
        self.note_status(&reply)?;
        match &mut answer.of {
            Of::Own { .. } => Ok(self.of_own(answer, &reply)),
            Of::Plain => Ok(self.passed_on(&reply, header, false)),
            Of::Reset => {
                if matches!(reply, Reply::Done(_)) {
                    self.was_reset();
                }
                Ok(self.passed_on(&reply, header, false))
            }
            Of::Prepare(_) => Ok(self.of_prepare(answer, &reply, header)),
            Of::Runs(running) => {
                if running.runs.get(running.at).is_none_or(Option::is_none) && !running.told {
                    // Fail closed: whose result it is isn't known.
                    return Err(End::Upstream(WireError::NotLegalNow { what: "another result" }));
                }
                self.of_running(running, &reply, (header, payload))
            }
        }
    }

    /// Takes over what a reply says of the session.
    fn note_status(&mut self, reply: &Reply<'_>) -> Result<(), End> {
        let (status, changes) = match reply {
            Reply::Done(ok) => (Some(ok.status), ok.changes),
            Reply::RowsEnd(ended) => (Some(ended.status), &[][..]),
            Reply::ColumnsEnd(eof) => (Some(eof.status), &[][..]),
            Reply::Begins(_)
            | Reply::Parameter(_)
            | Reply::Column(_)
            | Reply::Row
            | Reply::Failed(_)
            | Reply::LocalFile(_)
            | Reply::Prepared(_)
            | Reply::Line(_) => (None, &[][..]),
        };
        if let Some(status) = status {
            let read_otherwise = status.has(Status::NO_BACKSLASH_ESCAPES)
                != self.reading.mode.sql.no_backslash_escapes;
            if read_otherwise && self.knows == Knows::All {
                self.knows = Knows::Nothing;
            }
            self.status = status;
        }
        if changes.is_empty() {
            return Ok(());
        }
        for change in reply::changes(changes).map_err(End::Upstream)? {
            match change {
                Change::Setting { .. } | Change::Schema(_) | Change::Unread(_) => {
                    if self.knows == Knows::All {
                        self.knows = Knows::Nothing;
                    }
                }
                Change::Other | Change::Transaction(_) => {}
            }
        }
        Ok(())
    }

    fn of_own(&mut self, answer: &mut Answer, reply: &Reply<'_>) -> Onward {
        let Of::Own { word, statement, row } = &mut answer.of else { return Onward::Swallow };
        let (word, statement) = (word.clone(), *statement);
        match reply {
            Reply::Failed(error) => {
                let state = std::str::from_utf8(&error.state).ok();
                self.scribe().close_alone(statement, RecordEnd::Error, state);
                if error.number == CANCELLED {
                    // It was meant for what ran before: asked again.
                    if let Word::Wall { .. } = word {
                        self.wall = Wall::Unknown;
                    }
                    if word == Word::Rollback {
                        self.roll_back.get_or_insert_with(|| interrupted(&self.transaction));
                    }
                    return Onward::Swallow;
                }
                tracing::error!(session = %self.handle.id, number = error.number, ?word,
                    "the target refuses the gateway's own statement");
                let text = "the target refuses a statement of the gateway's own";
                self.fatal = Some(Refusal::new(RefusalKind::UpstreamUnavailable, text));
            }
            Reply::Done(_) | Reply::RowsEnd(_) => {
                self.scribe().close_alone(statement, RecordEnd::Completed, None);
                match word {
                    Word::Ask => {
                        let row = std::mem::take(row);
                        self.told(&row);
                    }
                    Word::Variables(_) => {
                        let row = std::mem::take(row);
                        self.arguments_told(&row);
                    }
                    Word::Track => self.tracks = true,
                    Word::Rollback => {
                        let settling = self.transaction.end(TransactionEnd::RolledBack);
                        self.transaction.grants.clear();
                        if let Some(settling) = settling {
                            self.scribe().settle(&settling);
                        }
                    }
                    Word::Wall { .. } | Word::Quit => {}
                }
            }
            Reply::Begins(_)
            | Reply::Parameter(_)
            | Reply::Column(_)
            | Reply::ColumnsEnd(_)
            | Reply::Row
            | Reply::LocalFile(_)
            | Reply::Prepared(_)
            | Reply::Line(_) => {}
        }
        Onward::Swallow
    }

    /// A packet that means nothing to the gateway but what it says of the session. `more`: what the client
    /// is told of further results stands.
    fn passed_on(&mut self, reply: &Reply<'_>, header: Header, rows_end: bool) -> Onward {
        let tells = self.client.has(Capabilities::SESSION_TRACK);
        let Reply::Done(ok) = reply else { return Onward::Forward };
        if tells || ok.changes.is_empty() && ok.info.is_empty() {
            return Onward::Forward;
        }
        let first = if rows_end { reply::EOF } else { reply::OK };
        ok.write(&mut self.down, (header.sequence, first), self.client);
        Onward::Swallow
    }

    fn of_prepare(&mut self, answer: &mut Answer, reply: &Reply<'_>, header: Header) -> Onward {
        let Of::Prepare(preparing) = &mut answer.of else { return Onward::Forward };
        match reply {
            Reply::Prepared(head) => preparing.head = Some(*head),
            Reply::Failed(error) => {
                let (run, error) = (&preparing.run, *error);
                let scrubs = run.mask.as_ref().is_some_and(|order| order.scrubs());
                self.quotes = run.mask.is_some();
                self.finish(run, None, Some(error.state));
                if scrubs && !NAMES_ONLY.contains(&error.number) {
                    return self.scrubbed(&error, header);
                }
            }
            Reply::Begins(_)
            | Reply::Parameter(_)
            | Reply::Column(_)
            | Reply::ColumnsEnd(_)
            | Reply::Row
            | Reply::RowsEnd(_)
            | Reply::Done(_)
            | Reply::LocalFile(_)
            | Reply::Line(_) => {}
        }
        Onward::Forward
    }

    fn of_running(
        &mut self,
        running: &mut Running,
        reply: &Reply<'_>,
        (header, payload): (Header, &[u8]),
    ) -> Result<Onward, End> {
        match reply {
            Reply::Begins(count) => {
                running.begins(*count);
                self.shows_messages(running);
            }
            Reply::Column(payload) => return self.column(running, payload, header),
            Reply::ColumnsEnd(eof) if counted(running, eof.warnings) != eof.warnings => {
                if told(running) == Onward::Forward {
                    let eof = EofPacket { warnings: 0, ..*eof };
                    eof.write(&mut self.down, header.sequence);
                }
                return Ok(Onward::Swallow);
            }
            Reply::ColumnsEnd(_)
            | Reply::Row
            | Reply::Parameter(_)
            | Reply::Prepared(_)
            | Reply::Line(_) => {}
            Reply::RowsEnd(ended) => {
                return Ok(self.rows_end(running, (*ended, payload), header));
            }
            Reply::Done(ok) => return Ok(self.done(running, ok, header)),
            Reply::Failed(error) => return Ok(self.failed(running, error, header)),
            Reply::LocalFile(_) => {
                let may =
                    running.analysis().is_some_and(|a| a.kind == StatementKind::CopyFromClient);
                if !may || running.told {
                    let what = "a request for a file that the statement doesn't read";
                    return Err(End::Upstream(WireError::NotLegalNow { what }));
                }
            }
        }
        Ok(told(running))
    }

    /// Messages that quote nothing masked are shown as they are.
    fn shows_messages(&self, running: &mut Running) {
        let shows = running.analysis().is_some_and(|a| a.kind == StatementKind::ShowWarnings);
        if let Some(run) = running.run()
            && shows
            && !self.quotes
        {
            run.mask = None;
        }
    }

    /// A statement has ended with so many messages of the server's, which stand in the place of those of the
    /// one before.
    fn noted(&mut self, running: &mut Running, messages: u16) {
        let shows = running.analysis().is_some_and(|a| a.kind == StatementKind::ShowWarnings);
        if messages > 0 && !shows {
            // Fail closed: nobody knows what a statement does that isn't read.
            self.quotes = running.run().is_none_or(|run| run.mask.is_some());
        }
    }

    /// A result with rows has ended.
    fn rows_end(
        &mut self,
        running: &mut Running,
        (ended, payload): (Ended, &[u8]),
        header: Header,
    ) -> Onward {
        self.noted(running, ended.warnings);
        let cut = running.run().and_then(|run| run.cut.clone()).filter(|_| !running.told);
        let is_cursor =
            ended.status.has(Status::CURSOR) && !ended.status.has(Status::LAST_ROW_SENT);
        let onward = match cut {
            Some(why) => {
                running.told = true;
                reply::refuse(&mut self.down, header.sequence, &why);
                Onward::Swallow
            }
            None if running.told => Onward::Swallow,
            None if self.ends_with_notes(running, (ended, payload), header) => Onward::Swallow,
            None if self.client.has(Capabilities::DEPRECATE_EOF)
                && !self.client.has(Capabilities::SESSION_TRACK) =>
            {
                let (status, warnings) = (ended.status, ended.warnings);
                let ok = OkPacket { status, warnings, ..OkPacket::default() };
                ok.write(&mut self.down, (header.sequence, reply::EOF), self.client);
                Onward::Swallow
            }
            None => Onward::Forward,
        };
        if is_cursor {
            return onward;
        }
        let calls = running.analysis().is_some_and(|a| returns_many(a));
        if !calls || !ended.status.has(Status::MORE_RESULTS) {
            self.statement_ends(running, None, None);
        }
        onward
    }

    /// A statement is done, and this result had no rows.
    fn done(&mut self, running: &mut Running, ok: &OkPacket<'_>, header: Header) -> Onward {
        self.noted(running, ok.warnings);
        let cut = running.run().and_then(|run| run.cut.clone()).filter(|_| !running.told);
        // What a right's end came too late for has happened; the client is told of that.
        let happened = running.run().is_some_and(|run| run.writes);
        // How many statements there are in a text that nobody has read isn't known.
        let unread = running.analysis().is_some_and(|a| a.kind == StatementKind::Other);
        if !unread || !ok.status.has(Status::MORE_RESULTS) {
            self.statement_ends(running, Some(ok.affected), None);
        }
        if let Some(why) = cut.filter(|_| !happened) {
            running.told = true;
            reply::refuse(&mut self.down, header.sequence, &why);
            return Onward::Swallow;
        }
        if running.told {
            return Onward::Swallow;
        }
        let (more, known) = (self.notes.count(), counted(running, ok.warnings));
        if more > 0 || known != ok.warnings {
            let ok = OkPacket { warnings: known.saturating_add(more), ..*ok };
            ok.write(&mut self.down, (header.sequence, reply::OK), self.client);
            return Onward::Swallow;
        }
        self.passed_on(&Reply::Done(*ok), header, false)
    }

    /// A statement has failed, and those behind it don't run.
    fn failed(&mut self, running: &mut Running, error: &ErrPacket<'_>, header: Header) -> Onward {
        let cut = running.run().and_then(|run| run.cut.clone());
        self.noted(running, 1);
        let scrubs =
            running.run().is_some_and(|run| run.mask.as_ref().is_some_and(|order| order.scrubs()));
        self.statement_ends(running, None, Some(error.state));
        if ROLLED_BACK.contains(&error.number) {
            self.transaction.grants.clear();
            if let Some(settling) = self.transaction.end(TransactionEnd::RolledBack) {
                self.scribe().settle(&settling);
            }
            self.status = self.status.without(Status::IN_TRANSACTION);
        }
        while running.at < running.runs.len() {
            if let Some(mut run) = running.runs.get_mut(running.at).and_then(Option::take) {
                run.cut(Refusal::new(RefusalKind::StatementCancelled, "skipped"));
                self.finish(&run, None, None);
            }
            running.at += 1;
        }
        if std::mem::replace(&mut running.told, true) {
            return Onward::Swallow;
        }
        match cut {
            Some(why) => {
                reply::refuse(&mut self.down, header.sequence, &why);
                Onward::Swallow
            }
            None if scrubs && !NAMES_ONLY.contains(&error.number) => self.scrubbed(error, header),
            None => Onward::Forward,
        }
    }

    /// An error without what may quote masked values: its number and state stay.
    fn scrubbed(&mut self, error: &ErrPacket<'_>, header: Header) -> Onward {
        let message: &[u8] =
            b"the statement failed; what the server says of it may quote masked values";
        ErrPacket { message, ..*error }.write(&mut self.down, header.sequence);
        Onward::Swallow
    }

    /// The statement in front has ended.
    fn statement_ends(
        &mut self,
        running: &mut Running,
        affected: Option<u64>,
        state: Option<[u8; 5]>,
    ) {
        if let Some(run) = running.runs.get_mut(running.at).and_then(Option::take) {
            self.finish(&run, affected, state);
            if let Some(analysis) = running.analysis() {
                let text = match running.batch.statements.len() {
                    2.. => running.text.get(analysis.span.clone()).unwrap_or_default(),
                    _ => &running.text,
                };
                self.happened(analysis, text, state.is_none());
            }
            if run.class.is_none() {
                self.knows = Knows::Nothing;
            }
        }
        running.at += 1;
    }

    /// A statement has ended: its record is closed with the command.
    pub(super) fn finish(&mut self, run: &Run, affected: Option<u64>, state: Option<[u8; 5]>) {
        let code = state.as_ref().and_then(|c| std::str::from_utf8(c).ok());
        self.transaction.ran(run.statement);
        // SQLSTATE 70100 is that of a cancel here.
        let ended = match (&run.cut, code) {
            (None, Some("70100")) => RecordEnd::Cancelled,
            _ => run.ended(code),
        };
        self.scribe().count_end(run, ended);
        self.finished.push(Finished::of(run, ended, affected, state));
    }

    /// What a statement does to the session has happened.
    fn happened(&mut self, analysis: &Analysis, text: &str, succeeded: bool) {
        for effect in &analysis.effects {
            match effect {
                SessionEffect::Transaction(change) if succeeded => {
                    if let TransactionChange::Set { read_write, session: true } = change {
                        let said = read_write.map(|writable| !writable);
                        self.client_read_only = said.unwrap_or(self.client_read_only);
                        self.wall = Wall::Unknown;
                    }
                    let tag = if analysis.commits() { "COMMIT" } else { "" };
                    if let Some(settling) = self.transaction.changed(change, tag) {
                        self.close_records();
                        self.scribe().settle(&settling);
                    }
                    if !self.in_transaction() {
                        self.transaction.rolled_back = None;
                    }
                }
                SessionEffect::SchemaChange(names) => {
                    let names = names.clone();
                    self.set_reading(|r| {
                        r.overlay.forget_temporary(&names);
                        r.overlay.add(names);
                    });
                    self.schema_changed();
                }
                SessionEffect::Renamed(names) if succeeded => {
                    let names = names.clone();
                    self.set_reading(|r| r.overlay.add_moved(names));
                }
                SessionEffect::MadeTemporary(made, rules) if succeeded => {
                    let name = made.name.clone();
                    self.set_reading(|r| r.overlay.add_temporary(name, *rules));
                }
                SessionEffect::RunsUserCode => {
                    // It may have made names anew, and opened the wall.
                    self.named.clear();
                    self.wall = Wall::Unknown;
                    self.set_reading(|r| r.overlay.add_anything());
                    self.knows = Knows::Nothing;
                    self.schema_changed();
                }
                // Whatever is set may change how texts are read: it is asked for.
                SessionEffect::Setting(change) => {
                    self.knows = Knows::Nothing;
                    if let Some(read_only) = says_read_only(change) {
                        self.client_read_only = read_only && succeeded;
                        self.wall = Wall::Unknown;
                    }
                }
                SessionEffect::Use(_) | SessionEffect::DiscardAll | SessionEffect::DiscardPart => {
                    self.knows = Knows::Nothing;
                }
                // Even if it failed: the error is among the messages.
                SessionEffect::Quotes => self.set_reading(|r| r.overlay.quote()),
                // What was open is committed with it.
                SessionEffect::Commits if succeeded => {
                    self.close_records();
                    if let Some(settling) = self.transaction.end(TransactionEnd::Committed) {
                        self.scribe().settle(&settling);
                    }
                }
                SessionEffect::Prepare { name, .. } if succeeded => self.name(name, text),
                // The server forgets the one before it first.
                SessionEffect::Prepare { name, .. } | SessionEffect::Deallocate(Some(name)) => {
                    self.named.remove(&name.to_lowercase());
                }
                SessionEffect::Deallocate(None) => self.named.clear(),
                SessionEffect::Transaction(_)
                | SessionEffect::Commits
                | SessionEffect::Renamed(_)
                | SessionEffect::MadeTemporary(..)
                | SessionEffect::MadeType(_)
                | SessionEffect::Declare { .. }
                | SessionEffect::Close(_) => {}
            }
        }
    }

    /// A command has been answered in whole.
    fn answered(&mut self, answer: Answer) {
        match answer.of {
            Of::Own { .. } => return,
            Of::Plain | Of::Reset => {}
            Of::Prepare(preparing) => {
                if preparing.head.is_some() {
                    self.finish(&preparing.run, None, None);
                    self.was_prepared(*preparing);
                }
            }
            Of::Runs(running) => {
                let open = running.runs.iter().any(Option::is_some);
                let number = running.statement;
                if open
                    && !running.told
                    && let Some(number) = number
                {
                    if let Some(prepared) = self.statements.get_mut(number) {
                        prepared.cursor = Some(running);
                    }
                } else {
                    for run in running.runs.into_iter().flatten() {
                        self.finish(&run, None, None);
                    }
                }
            }
        }
        if self.escalate_at.take().is_some() {
            // A late cancel must hit nothing of the client's.
            self.knows = Knows::Nothing;
        }
        self.settle();
    }

    /// Closes the records of what has finished, with the end of its transaction if it was one of its own.
    fn settle(&mut self) {
        if self.in_transaction() {
            return self.close_records();
        }
        let failed = self.finished.iter().any(|done| done.ended != RecordEnd::Completed);
        let settling = self.transaction.idle_keeping_why(failed);
        match settling {
            Some((transaction, statements))
                if statements.iter().eq(self.finished.iter().map(|done| &done.statement)) =>
            {
                self.close_records_as(Some(transaction));
            }
            other => {
                self.close_records();
                if let Some(settling) = other {
                    self.scribe().settle(&settling);
                }
            }
        }
    }

    pub(super) fn close_records(&mut self) {
        self.close_records_as(None);
    }

    fn close_records_as(&mut self, transaction: Option<TransactionEnd>) {
        let mut finished = std::mem::take(&mut self.finished);
        self.scribe().close(&mut finished, transaction);
        self.finished = finished;
    }
}

/// What becomes of a packet of a result that the client has or hasn't been told the end of.
pub(super) fn told(running: &Running) -> Onward {
    if running.told { Onward::Swallow } else { Onward::Forward }
}

/// What a server says without having been asked is that it goes away.
fn unasked(payload: &[u8]) -> Result<Onward, End> {
    match ErrPacket::read(payload) {
        Ok(_) => Ok(Onward::Forward),
        Err(_) => Err(End::Upstream(WireError::NotLegalNow { what: "a packet" })),
    }
}

/// True if one statement may have several results.
fn returns_many(analysis: &Analysis) -> bool {
    use StatementKind::{Call, Execute, Other};
    matches!(analysis.kind, Call | Execute | Other)
}

fn interrupted(transaction: &crate::session::transaction::Transaction) -> Refusal {
    let why = Refusal::new(RefusalKind::GrantEnded, "rolled back: a grant has ended");
    transaction.rolled_back.clone().unwrap_or(why)
}
