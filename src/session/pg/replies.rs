//! The reply pump: whose reply it is, whether it goes out, and what it tells about the session.

use std::sync::Arc;

use super::{
    conversation::{Conversation, End, Held, PathAnswer, Reply, wire_status},
    hide,
    mask_rows::run_in_front,
    owed::{Local, LocalRun, Ours, Tag},
};
use crate::{
    kernel::{
        audit::record::Ended,
        refusal::{Refusal, RefusalKind},
        sql::{SearchPath, seen::Sight},
    },
    session::transaction::Status,
    upstream::door::Control,
    wire::{
        WireError,
        pg::{
            backend::{self, ErrorFields},
            exchange::{Move, Owed, Step, Whose},
            frame,
        },
    },
};

impl Conversation {
    /// A row or a piece of copy data: the one frame that is judged by its header alone, because there
    /// are many and they may be large. `frame`: what is here of it, all of it if it is wanted whole.
    pub(super) fn row(&mut self, header: frame::Header, frame: &[u8]) -> Result<Reply, End> {
        let length = header.length;
        self.exchange.reply(header.tag)?;
        // Fail closed: a row that belongs to no statement we know goes nowhere.
        let Some(run) = run_in_front(&mut self.exchange) else { return Ok(Reply::Swallow) };
        if run.row(length) {
            let Some(hidden) = &run.hide else {
                let masked = run.mask.is_some() && self.masked_row(frame)?;
                return Ok(if masked { Reply::Swallow } else { Reply::Forward });
            };
            let masks = run.mask.is_some();
            let mut row = Vec::new();
            hide::rewrite(&mut row, frame, hidden)?;
            if !(masks && self.masked_row(&row)?) {
                self.down.append(&mut row);
            }
            return Ok(Reply::Swallow);
        }
        self.beyond_the_cut(length);
        Ok(Reply::Swallow)
    }

    /// Any other frame, whole.
    pub(super) fn reply(&mut self, tag: u8, bytes: &[u8]) -> Result<Reply, End> {
        let body = frame::body(bytes);
        let ours = self.exchange.front().is_some_and(|o| o.whose == Whose::Gateway);
        match tag {
            backend::PARAMETER_STATUS => return self.parameter(body, ours),
            backend::NOTICE_RESPONSE | backend::NOTIFICATION_RESPONSE => {
                self.exchange.reply(tag)?;
                let is_notice = tag == backend::NOTICE_RESPONSE;
                if !is_notice && self.quiet_notification(body) {
                    return Ok(Reply::Swallow);
                }
                if is_notice && !ours && !self.may_say(bytes.len(), false) {
                    self.beyond_the_cut(bytes.len());
                    return Ok(Reply::Swallow);
                }
                if is_notice && !ours {
                    let fields = ErrorFields::new(body).map_err(End::Upstream)?;
                    if self.quotes_masked(&fields) {
                        self.say_scrubbed(tag, &fields);
                        return Ok(Reply::Swallow);
                    }
                }
                return Ok(if ours && is_notice { Reply::Swallow } else { Reply::Forward });
            }
            backend::ERROR_RESPONSE => return self.error(body),
            backend::READY_FOR_QUERY => return self.ready(body),
            backend::COMMAND_COMPLETE
            | backend::EMPTY_QUERY_RESPONSE
            | backend::PORTAL_SUSPENDED
            | backend::FUNCTION_CALL_RESPONSE => {
                return self.result_ends(tag, body);
            }
            _ => {}
        }
        if matches!(tag, backend::ROW_DESCRIPTION | backend::NO_DATA) {
            self.header(tag, body)?;
        }
        let answer = self.exchange.reply(tag)?;
        if tag == backend::COPY_IN_RESPONSE {
            self.copy_begins();
        }
        match answer {
            Move::Unasked => Ok(Reply::Forward),
            Move::Part if self.is_absent_next() => Ok(Reply::Swallow),
            Move::Part => {
                Ok(if ours || self.front_failed() { Reply::Swallow } else { Reply::Forward })
            }
            // What a failed Query leaves behind until its transaction ends: it can't run any more.
            Move::Done(Owed { tag: Tag::Absent(_), step: Step::DescribePortal, .. })
                if tag == backend::NO_DATA && self.transaction.status == Status::Failed =>
            {
                self.pipeline.discarding = false;
                Ok(Reply::Forward)
            }
            Move::Done(Owed { tag: Tag::Absent(refusal), .. }) => {
                // Fail closed: made by code that we did not see, so nobody has judged it.
                self.controls.push_back(Control::Fail);
                self.owe(Step::Execute, Whose::Fail, Tag::Fail(refusal));
                Ok(Reply::Swallow)
            }
            Move::Done(owed) => {
                if let Tag::Named(_, Some(run)) = owed.tag {
                    self.finish(&run, None, None);
                }
                Ok(if owed.whose == Whose::Client { Reply::Forward } else { Reply::Swallow })
            }
            Move::Failed { .. } => Ok(Reply::Forward),
        }
    }

    /// Counts a text of the server against what runs now. False if it must not go out.
    fn may_say(&mut self, length: usize, quotes: bool) -> bool {
        self.front_run().is_none_or(|run| run.text(length, quotes))
    }

    /// The one row of a question of ours.
    pub(super) fn own_row(&mut self, bytes: &[u8]) -> Result<(), End> {
        let is_path =
            matches!(self.exchange.front(), Some(Owed { tag: Tag::Ours(Ours::Path(_)), .. }));
        if is_path {
            let row = backend::DataRow::new(frame::body(bytes)).map_err(End::Upstream)?;
            let mut cells = row.iter().map(|cell| {
                let text = cell.ok().flatten().and_then(|cell| std::str::from_utf8(cell).ok());
                text.map(str::to_owned)
            });
            let mut next = || cells.next().flatten();
            let text = |digits: Option<String>| {
                digits.and_then(|d| from_hex(&d)).and_then(|bytes| String::from_utf8(bytes).ok())
            };
            let (schemas, encoding, conforming) = (text(next()), next(), next());
            let sight = text(next()).and_then(|answer| Sight::read(&answer));
            self.path_answer = Some(PathAnswer { schemas, encoding, conforming, sight });
        }
        Ok(())
    }

    /// True if the next row must be read: it is an answer to a question of ours, or something in it
    /// is hidden or masked. `tag`: that of a row, or of copy data.
    pub(super) fn wants_row(&mut self, tag: u8) -> Result<bool, End> {
        if self.exchange.front().is_some_and(|owed| owed.whose == Whose::Gateway) {
            return Ok(true);
        }
        if tag == backend::DATA_ROW {
            self.plan_rows()?;
        }
        let run = run_in_front(&mut self.exchange);
        Ok(run.is_some_and(|run| {
            let is_clear_copy = tag == backend::COPY_DATA
                && run.plan.is_none()
                && run.copying.is_none()
                && run.mask.as_ref().is_some_and(|order| !order.masks());
            run.rewrites() && !is_clear_copy
        }))
    }

    fn is_absent_next(&self) -> bool {
        self.exchange.front().is_some_and(|o| matches!(o.tag, Tag::Absent(_)))
    }

    fn front_failed(&self) -> bool {
        match self.exchange.front().map(|o| &o.tag) {
            Some(Tag::Query(query)) => query.failed,
            _ => false,
        }
    }

    fn parameter(&mut self, body: &[u8], ours: bool) -> Result<Reply, End> {
        self.exchange.reply(backend::PARAMETER_STATUS)?;
        let (name, value) = backend::parameter_status_of(body).map_err(End::Upstream)?;
        match name {
            // The wall doesn't show.
            b"default_transaction_read_only" => Ok(Reply::Swallow),
            b"application_name" => {
                if ours {
                    return Ok(Reply::Swallow);
                }
                let own = self.own_application(value).to_vec();
                backend::parameter_status(&mut self.down, name, &own);
                if own.len() < value.len() && !self.application_stale {
                    // A rollback has taken a change of the name back.
                    self.application = String::from_utf8_lossy(&own).into_owned();
                }
                Ok(Reply::Swallow)
            }
            b"standard_conforming_strings" => {
                let on = value == b"on";
                self.set_reading(|r| r.mode.standard_conforming_strings = on);
                Ok(Reply::Forward)
            }
            b"client_encoding" => {
                self.texts_are_in(std::str::from_utf8(value).ok());
                Ok(Reply::Forward)
            }
            _ => Ok(Reply::Forward),
        }
    }

    /// What the client calls itself, out of what the upstream reports.
    fn own_application<'v>(&self, value: &'v [u8]) -> &'v [u8] {
        let prefix = self.facts.handle.principal.as_str().as_bytes();
        value.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(b"/")).unwrap_or(value)
    }

    /// CommandComplete, EmptyQueryResponse, PortalSuspended.
    fn result_ends(&mut self, reply: u8, body: &[u8]) -> Result<Reply, End> {
        let tag = if reply == backend::COMMAND_COMPLETE {
            backend::command_tag(body).map_err(End::Upstream)?
        } else {
            b""
        };
        let tag = std::str::from_utf8(tag).unwrap_or_default();
        match self.exchange.reply(reply)? {
            // One statement of a Query.
            Move::Part => {
                let Some(Owed { tag: Tag::Query(query), .. }) = self.exchange.front_mut() else {
                    return Ok(Reply::Swallow);
                };
                let at = query.at;
                query.at += 1;
                let batch = Arc::clone(&query.batch);
                let text = query.text.clone();
                let poisoned = query.poisoned.take();
                let already = query.failed;
                let taken = query.runs.get_mut(at).and_then(Option::take);
                let Some(run) = taken else { return Ok(Reply::Swallow) };
                self.finish(&run, backend::rows_of_tag(tag.as_bytes()), None);
                // It has happened at the server, whatever the client is told of it.
                let analysis = batch.statements.get(at).map(Arc::clone);
                let text = text.as_deref().unwrap_or_default();
                self.completed(analysis.as_deref(), &run, (&batch, text), tag);
                self.attach_next(&batch);
                if let Some(refusal) = self.end_instead(&run, poisoned) {
                    if !already && self.say_end(&refusal, &run, tag) {
                        self.fail_query();
                    }
                    return Ok(Reply::Swallow);
                }
                Ok(if already { Reply::Swallow } else { Reply::Forward })
            }
            Move::Done(owed) => match owed.tag {
                Tag::Execute(execution) => {
                    let affected = backend::rows_of_tag(tag.as_bytes());
                    self.finish(&execution.run, affected, None);
                    if reply == backend::COMMAND_COMPLETE {
                        let prepared = &execution.prepared;
                        let made_of = (&*prepared.batch, &*prepared.text);
                        let analysis = execution.analysis.as_deref();
                        self.completed(analysis, &execution.run, made_of, tag);
                    }
                    if owed.whose != Whose::Client {
                        return Ok(Reply::Swallow);
                    }
                    let poisoned = execution.poisoned;
                    if let Some(refusal) = self.end_instead(&execution.run, poisoned) {
                        if self.say_end(&refusal, &execution.run, tag) {
                            self.swallow_until_sync();
                        }
                        return Ok(Reply::Swallow);
                    }
                    Ok(Reply::Forward)
                }
                Tag::Fail(_) | Tag::Ours(Ours::Rollback | Ours::LastWord) => {
                    // Somebody has made a portal of that name: nothing was refused or rolled back.
                    self.lost("a message that must fail has not");
                    Ok(Reply::Swallow)
                }
                Tag::Ours(ours @ Ours::Path(_)) => {
                    self.close_own(ours, Ended::Completed, None);
                    let answer = self.path_answer.take();
                    self.path_is(answer);
                    Ok(Reply::Swallow)
                }
                Tag::Ours(ours) => {
                    self.close_own(ours, Ended::Completed, None);
                    Ok(Reply::Swallow)
                }
                Tag::Plain | Tag::Named(..) | Tag::Query(_) | Tag::Absent(_) | Tag::Local(_) => {
                    Ok(Reply::Swallow)
                }
            },
            Move::Unasked | Move::Failed { .. } => Ok(Reply::Swallow),
        }
    }

    /// The client was told of an error in this Query: the rest of its results is swallowed.
    fn fail_query(&mut self) {
        if let Some(Owed { tag: Tag::Query(query), .. }) = self.exchange.front_mut() {
            query.failed = true;
        }
    }

    /// After an error that only the client sees, the rest of its batch is swallowed as the server
    /// would have skipped it.
    fn swallow_until_sync(&mut self) {
        for owed in self.exchange.iter_mut() {
            if owed.step == Step::Sync {
                return;
            }
            if owed.whose == Whose::Client {
                owed.whose = Whose::Gateway;
            }
        }
        // Its Sync hasn't come yet.
        self.pipeline.discarding = true;
    }

    fn error(&mut self, body: &[u8]) -> Result<Reply, End> {
        let fields = ErrorFields::new(body).map_err(End::Upstream)?;
        let scrubs = self.quotes_masked(&fields);
        let reply = self.error_as_it_is(body)?;
        if scrubs && matches!(reply, Reply::Forward) {
            self.say_scrubbed(backend::ERROR_RESPONSE, &fields);
            return Ok(Reply::Swallow);
        }
        Ok(reply)
    }

    fn error_as_it_is(&mut self, body: &[u8]) -> Result<Reply, End> {
        let fields = ErrorFields::new(body).map_err(End::Upstream)?;
        let code = fields.sqlstate().first_chunk::<5>().copied();
        let whose = self.exchange.front().map(|o| o.whose);
        self.pipeline.failed = true;
        // An operator, a limit on time, or the end of the copy: class 57 has no other causes.
        if code.is_some_and(|code| code.starts_with(b"57")) {
            self.exchange.fails_by_itself();
        }
        if whose == Some(Whose::Client) && !fields.is_fatal() {
            // Too long, or over a budget, it is told as the cut of a result. `22P02` quotes a value, `23505`
            // a key, `P0001` what code makes of them.
            let quotes = [&b"22"[..], b"23", b"44", b"P0"];
            let quotes =
                code.is_some_and(|code| quotes.contains(&code.get(..2).unwrap_or_default()));
            self.may_say(body.len(), quotes);
        }
        if let Some(Owed { tag: Tag::Query(query), .. }) = self.exchange.front_mut() {
            let at = query.at;
            query.at += 1;
            let already = std::mem::replace(&mut query.failed, true);
            let poisoned = query.poisoned.take();
            let run = query.runs.get_mut(at).and_then(Option::take);
            self.exchange.reply(backend::ERROR_RESPONSE)?;
            let Some(run) = run else {
                return Ok(if already { Reply::Swallow } else { Reply::Forward });
            };
            let instead = run.cut.clone().or(poisoned);
            self.finish(&run, None, code);
            return Ok(match instead {
                _ if already => Reply::Swallow,
                Some(_) if self.ends_quietly(&run, code) => Reply::Swallow,
                Some(refusal) => self.say_instead(&refusal),
                None if self.say_why_copy_failed(code) => Reply::Swallow,
                None => Reply::Forward,
            });
        }
        match self.exchange.reply(backend::ERROR_RESPONSE)? {
            Move::Failed { failed: Some(owed), skipped } => {
                let mut skipped = skipped;
                if matches!(owed.tag, Tag::Named(_, None)) {
                    // The Execute that its statement would have come to shares its record, and its
                    // error.
                    let executes = |o: &Owed<Tag>| matches!(o.tag, Tag::Execute(_));
                    let first = skipped.iter().position(executes).map(|at| skipped.remove(at));
                    if let Some(Owed { tag: Tag::Execute(execution), .. }) = first {
                        self.finish(&execution.run, None, code);
                    }
                }
                if matches!(owed.tag, Tag::Ours(Ours::Shape)) {
                    self.shape = None;
                    if self.is_before_query() {
                        // The copy behind our Sync says the same, unless its transaction has failed now.
                        self.copy_failed = Some(body.into());
                    }
                    // Else it stands in front of an Execute, whose error it is.
                    let executes = |o: &Owed<Tag>| matches!(o.tag, Tag::Execute(_));
                    let first = skipped.iter().position(executes).map(|at| skipped.remove(at));
                    self.take_back(skipped.into_iter());
                    if let Some(Owed { tag: Tag::Execute(execution), whose, .. }) = first {
                        self.finish(&execution.run, None, code);
                        return Ok(forward_if_client(whose));
                    }
                    return Ok(Reply::Swallow);
                }
                if let Tag::Ours(own) = owed.tag {
                    // Its own steps: one record, which is closed below.
                    skipped.retain(|o| !matches!(o.tag, Tag::Ours(other) if other == own));
                }
                self.take_back(skipped.into_iter());
                match owed.tag {
                    Tag::Fail(refusal) => Ok(self.say_instead(&refusal)),
                    Tag::Absent(_) => Ok(Reply::Forward),
                    Tag::Named(undo, run) => {
                        self.close_bound(&undo, code);
                        self.undo(undo);
                        if let Some(run) = run {
                            self.finish(&run, None, code);
                        }
                        Ok(forward_if_client(owed.whose))
                    }
                    Tag::Execute(execution) => {
                        self.finish(&execution.run, None, code);
                        match &execution.run.cut {
                            Some(_) if self.ends_quietly(&execution.run, code) => {
                                Ok(Reply::Swallow)
                            }
                            Some(refusal) if owed.whose == Whose::Client => {
                                let refusal = refusal.clone();
                                Ok(self.say_instead(&refusal))
                            }
                            _ => Ok(forward_if_client(owed.whose)),
                        }
                    }
                    Tag::Ours(ours) => {
                        self.close_own(ours, Ended::Error, code);
                        self.own_failed(ours, code);
                        Ok(Reply::Swallow)
                    }
                    Tag::Plain | Tag::Query(_) | Tag::Local(_) => Ok(forward_if_client(owed.whose)),
                }
            }
            // At a Sync (a deferred constraint), or out of the blue: the server is going down.
            _ => Ok(match whose {
                Some(Whose::Gateway) if !fields.is_fatal() => Reply::Swallow,
                _ => Reply::Forward,
            }),
        }
    }

    fn say_instead(&mut self, refusal: &Refusal) -> Reply {
        backend::error(&mut self.down, refusal, self.client_text);
        Reply::Swallow
    }

    /// Fail closed: what must not happen has happened.
    fn lost(&mut self, what: &str) {
        tracing::error!(session = %self.facts.handle.id, what);
        self.fatal = Some(Refusal::new(RefusalKind::Internal, what.to_owned()));
    }

    /// Something of ours failed upstream.
    fn own_failed(&mut self, ours: Ours, code: Option<[u8; 5]>) {
        match ours {
            // Cancelled in the client's stead: it is asked again.
            Ours::Path(_) if code.as_ref().is_some_and(|code| code == b"57014") => {
                self.set_reading(|r| r.path = SearchPath::Unknown);
                self.path_stale = true;
            }
            Ours::Path(_) => {
                // Fail closed: without an answer no unqualified name is a catalog.
                self.path_is(None);
            }
            // Cancelled, or in a transaction that had failed: it is set again before the next write.
            Ours::Wall(_) if matches!(code.as_ref(), Some(b"57014" | b"25P02")) => {
                self.wall_unsure = true;
            }
            Ours::Wall(_) => self.lost("the read-only wall can't be moved"),
            Ours::Silent(_) | Ours::LastWord | Ours::Rollback | Ours::Shape => {}
        }
    }

    fn ready(&mut self, body: &[u8]) -> Result<Reply, End> {
        let status = match backend::ready_for_query_status(body).map_err(End::Upstream)? {
            backend::TransactionStatus::Idle => Status::Idle,
            backend::TransactionStatus::InTransaction => Status::Open,
            backend::TransactionStatus::Failed => Status::Failed,
        };
        let Move::Done(owed) = self.exchange.reply(backend::READY_FOR_QUERY)? else {
            return Ok(Reply::Swallow);
        };
        self.transaction.status = status;
        // Nothing was sent behind it: its batch may have begun with copy data that came too late.
        self.pipeline.open &= !self.exchange.is_empty();
        let whose = owed.whose;
        if let Tag::Query(query) = owed.tag {
            self.skip_runs(query);
        }
        self.cut_cancelled = false;
        self.drain_until = None;
        self.cancel_what_is_cut();
        let failed = std::mem::take(&mut self.pipeline.failed);
        if status == Status::Idle {
            self.end_portals();
            self.adopt_orphans();
            self.forget_temporary(|made| failed || made.until_commit);
            self.temporary.clear();
            let settling = self.transaction.idle(failed);
            self.settle_implicit(settling);
            let undone = failed && !self.reading.overlay.names().is_empty();
            if std::mem::take(&mut self.path_set_in_transaction) || undone {
                // An implicit transaction may have been rolled back, and SET LOCAL ends with it.
                self.path_moved();
            }
            self.ends_at = None;
            self.finishing = None;
            self.ask_for_reading();
        } else {
            self.adopt_orphans();
            self.close_records();
        }
        if std::mem::take(&mut self.abort_after_cut) && status == Status::Open {
            // The client was told of an error in this transaction, which the server doesn't know of:
            // it must fail there too before the client may go on.
            self.controls.push_back(Control::Fail);
            self.controls.push_back(Control::Sync);
            self.owe(Step::Execute, Whose::Gateway, Tag::Ours(Ours::LastWord));
            self.owe(Step::Sync, Whose::Client, Tag::Plain);
            return Ok(Reply::Swallow);
        }
        Ok(forward_if_client(whose))
    }

    /// Gives the answers of our own that have come to the front, up to the first that must wait for
    /// the store. Returns that one.
    pub(super) fn answer_locally(&mut self) -> Option<Box<LocalRun>> {
        while let Some(owed) = self.exchange.take_local() {
            let Tag::Local(answer) = owed.tag else { continue };
            match answer {
                Local::Say(bytes) => self.down.extend_from_slice(&bytes),
                Local::Refuse(refusal) => {
                    backend::error(&mut self.down, &refusal, self.client_text);
                }
                Local::Ready => {
                    self.pipeline.failed = false;
                    backend::ready_for_query(&mut self.down, wire_status(self.transaction.status));
                }
                Local::Call(run) => return Some(run),
            }
        }
        None
    }

    /// Lets client frames be looked at again, once what they wait for has happened.
    pub(super) fn release(&mut self) {
        let free = match self.held {
            Held::No => return,
            Held::UntilAnswered => self.exchange.is_empty() && !self.local_runs,
            Held::UntilResultEnds => !self.capped_result_runs(),
            // The pool says so itself.
            Held::UntilRead => false,
            Held::UntilCatalog { question, until } => {
                self.facts.target.readings.has_answered(question) || self.now >= until
            }
        };
        if free {
            self.held = Held::No;
            self.hold_flushed = false;
        } else if self.held == Held::UntilAnswered && self.exchange.is_copying_in() {
            // The server waits for copy data, and the client for an answer to what is none. Spec:
            // `CopyGetData` takes nothing else, and the server ends the session because it has lost its
            // place.
            let error = WireError::NotLegalNow { what: "a message of that kind during a copy" };
            self.fatal = Some(error.refusal());
        } else if self.pipeline.open && !self.hold_flushed {
            // The server keeps its answers back until Flush or Sync, and the client's own may be
            // behind the frame that waits for them.
            self.hold_flushed = true;
            self.controls.push_back(Control::Flush);
        }
    }
}

fn forward_if_client(whose: Whose) -> Reply {
    match whose {
        Whose::Client => Reply::Forward,
        Whose::Gateway | Whose::Fail => Reply::Swallow,
    }
}

/// Bytes as the server writes them in hexadecimal digits.
fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::from_hex;

    #[test]
    fn bytes_read_as_the_server_writes_them() {
        assert_eq!(from_hex("7bc3a97d").as_deref(), Some("{é}".as_bytes()));
        assert_eq!(from_hex(""), Some(Vec::new()));
        assert_eq!((from_hex("7"), from_hex("7g"), from_hex("é")), (None, None, None));
    }
}
