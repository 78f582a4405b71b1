//! The ramp of prepared statements: what was prepared is judged again each time it runs.
//!
//! A statement keeps its text, what it does, and the schema it was prepared in, which the server keeps for
//! it too. Rows of a cursor count as those of one result, however often they are fetched.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use smallvec::{SmallVec, smallvec};

use super::{
    answer::{Answer, Of, Running},
    query::Came,
    talk::{Pass, Talk},
};
use crate::wire::mysql::{Capabilities, value::TypeCode};
use crate::{
    kernel::{
        audit::record::{IntentKind, Parameter},
        mask::Format,
        policy::{Decision, Permit},
        refusal::{Refusal, RefusalKind},
        sql::{
            SearchPath,
            analysis::{Batch, LocalShape, Unreadable},
            mode::LexMode,
        },
    },
    session::{
        cache::{Edition, ReadingState, StateId},
        gate,
    },
    upstream::mysql::own::Relayed,
    wire::mysql::{
        column::Column,
        command::LAST_PREPARED,
        execute::{Bound, BulkExecute, Execute, Given},
        packet,
        reply::{EofPacket, OkPacket},
        response::{Kind, Response},
    },
};

/// All prepared statements of a session.
#[derive(Debug, Default)]
pub(super) struct Statements {
    by_number: HashMap<u32, Prepared>,
    last: Option<u32>,
    bytes: usize,
    /// Numbers of statements that are the gateway's own: calls of `hallpass.*`.
    own: u32,
}

/// One prepared statement.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) text: Arc<str>,
    pub(super) batch: Arc<Batch>,
    /// What texts meant when it was read.
    read_in: (StateId, Edition),
    mode: LexMode,
    path: SearchPath,
    parameters: usize,
    types: Vec<Bound>,
    /// The beginnings of parameters that were sent piece by piece.
    long: BTreeMap<usize, Vec<u8>>,
    /// Its rows wait with the server.
    pub(super) cursor: Option<Box<Running>>,
    /// It is a call of `hallpass.*`: the server doesn't know of it.
    is_call: bool,
}

/// Numbers of calls begin here: a server counts from 1.
const OWN_FROM: u32 = 0x8000_0000;

impl Statements {
    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Prepared> {
        self.by_number.get_mut(&self.real(number)?)
    }

    /// The number that a client means.
    fn real(&self, number: u32) -> Option<u32> {
        if number == LAST_PREPARED { self.last } else { Some(number) }
    }

    fn add(&mut self, number: u32, prepared: Prepared) {
        self.bytes += prepared.text.len();
        self.last = Some(number);
        if let Some(before) = self.by_number.insert(number, prepared) {
            self.bytes = self.bytes.saturating_sub(before.text.len());
        }
    }

    fn remove(&mut self, number: u32) -> Option<Prepared> {
        let gone = self.by_number.remove(&self.real(number)?)?;
        self.bytes = self.bytes.saturating_sub(gone.text.len());
        Some(gone)
    }
}

/// The text of a prepared statement, and what it does by the catalog of now.
type Now = (Arc<str>, Arc<Batch>);

/// What an execution gives, kept for its record.
type Texts = SmallVec<[Option<String>; 4]>;

impl Talk {
    /// A refusal if there is no room for another prepared statement.
    pub(super) fn no_room_for(&self, length: usize) -> Option<Refusal> {
        let world = self.core.services.world.load();
        let full = self.statements.by_number.len() >= world.limits.names
            || self.statements.bytes.saturating_add(length) > world.limits.names_bytes;
        full.then(|| {
            let text = "too many prepared statements in this session";
            Refusal::new(RefusalKind::LimitExceeded, text).with_hint("Close some.")
        })
    }

    /// Forgets all; records of open cursors are closed.
    pub(super) fn forget_statements(&mut self) {
        let all = std::mem::take(&mut self.statements);
        for (_, prepared) in all.by_number {
            self.close_cursor(prepared.cursor);
        }
    }

    fn close_cursor(&mut self, cursor: Option<Box<Running>>) {
        let Some(cursor) = cursor else { return };
        for run in cursor.runs.into_iter().flatten() {
            self.finish(&run, None, None);
        }
        self.close_records();
    }

    /// The server has prepared it.
    pub(super) fn was_prepared(&mut self, preparing: super::answer::Preparing) {
        let Some(head) = preparing.head else { return };
        let prepared = Prepared {
            text: preparing.text,
            batch: preparing.batch,
            read_in: self.read_in(),
            mode: self.reading.mode,
            path: self.reading.path.clone(),
            parameters: usize::from(head.parameters),
            types: Vec::new(),
            long: BTreeMap::new(),
            cursor: None,
            is_call: false,
        };
        self.statements.add(head.statement, prepared);
    }

    /// Prepares a call of `hallpass.*`: the server never hears of it.
    pub(super) fn prepare_call(&mut self, text: &str, batch: &Arc<Batch>, came: Came) -> Pass {
        if let Some(why) = self.no_room_for(text.len()) {
            return self.refused((text, Some(batch)), came, &why);
        }
        let only = batch.statements.first();
        let Some(call) = only.and_then(|a| a.local.as_ref()) else { return Pass::Drop };
        let columns = match crate::session::desk::columns(call) {
            Ok(columns) => columns,
            Err(why) => return self.refused((text, Some(batch)), came, &why),
        };
        self.statements.own = self.statements.own.wrapping_add(1) % OWN_FROM;
        let number = OWN_FROM | self.statements.own;
        let parameters = only.map_or(0, |a| usize::from(a.parameters));
        let prepared = Prepared {
            text: text.into(),
            batch: Arc::clone(batch),
            read_in: self.read_in(),
            mode: self.reading.mode,
            path: self.reading.path.clone(),
            parameters,
            types: Vec::new(),
            long: BTreeMap::new(),
            cursor: None,
            is_call: true,
        };
        self.statements.add(number, prepared);
        let shown: Vec<&str> = match call.shape {
            LocalShape::Set(_) => Vec::new(),
            _ => columns.iter().map(|(name, _)| name.as_str()).collect(),
        };
        let out = &mut self.down;
        let mut next = packet::put(out, came.next, |out| {
            out.push(0);
            out.extend(number.to_le_bytes());
            out.extend((shown.len() as u16).to_le_bytes());
            out.extend((parameters as u16).to_le_bytes());
            out.extend([0, 0, 0]);
        });
        let ends = !self.client.has(Capabilities::DEPRECATE_EOF);
        let eof = EofPacket { warnings: 0, status: self.status };
        for _ in 0..parameters {
            let mut column = Column::text(b"?", super::local::UTF8MB4);
            column.code = TypeCode::VAR_STRING;
            next = column.write(out, next, self.client);
        }
        if parameters > 0 && ends {
            next = eof.write(out, next);
        }
        for name in &shown {
            let column = Column::text(name.as_bytes(), super::local::UTF8MB4);
            next = column.write(out, next, self.client);
        }
        if !shown.is_empty() && ends {
            eof.write(out, next);
        }
        Pass::Drop
    }

    /// COM_STMT_EXECUTE.
    pub(super) fn execute(&mut self, execute: &Execute<'_>, next: u8) -> Pass {
        let came = Came { kind: IntentKind::Execute, next };
        let shared = self.shared;
        let keep = self.core.services.world.load().limits.parameter_bytes;
        let Some(prepared) = self.statements.get_mut(execute.statement) else {
            return self.unknown(execute.statement, came);
        };
        let long = std::mem::take(&mut prepared.long);
        let read = execute.parameters(
            prepared.parameters,
            shared,
            |at| long.contains_key(&at),
            &prepared.types,
        );
        let parameters = match read {
            Ok(parameters) => parameters,
            Err(error) => {
                // As a server says it that gets too few, or too many.
                let text = "Incorrect arguments to mysqld_stmt_execute";
                let why =
                    Refusal::new(RefusalKind::BadRequest, text).with_detail(error.to_string());
                return self.refused(("", None), came, &why);
            }
        };
        let mut texts = Texts::with_capacity(parameters.values.len());
        for (at, value) in parameters.values.iter().enumerate() {
            texts.push(match value {
                Some(given) if given.value == crate::wire::mysql::value::Value::Null => None,
                Some(given) => Some(shortened(given.value.to_string(), keep)),
                None => long.get(&at).map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            });
        }
        if let Some(types) = parameters.types {
            prepared.types = types;
        }
        if prepared.is_call {
            let (text, batch) = (Arc::clone(&prepared.text), Arc::clone(&prepared.batch));
            let Some(call) = batch.statements.first().and_then(|a| a.local.clone()) else {
                return Pass::Drop;
            };
            return self.run_call(&text, &batch, (call, texts.into_vec()), (came, Format::Binary));
        }
        let before = prepared.cursor.take();
        self.close_cursor(before);
        let pass = self.run_prepared(execute.statement, &texts, came);
        if matches!(pass, Pass::Hold)
            && let Some(prepared) = self.statements.get_mut(execute.statement)
        {
            // It comes again, with the same pieces before it.
            prepared.long = long;
        }
        pass
    }

    /// COM_STMT_BULK_EXECUTE: one execution for each of its rows, in one command.
    pub(super) fn execute_bulk(&mut self, bulk: &BulkExecute<'_>, next: u8) -> Pass {
        let came = Came { kind: IntentKind::Execute, next };
        let keep = self.core.services.world.load().limits.parameter_bytes;
        let Some(prepared) = self.statements.get_mut(bulk.statement) else {
            return self.unknown(bulk.statement, came);
        };
        if prepared.is_call {
            let why = Refusal::new(RefusalKind::NotSupported, "hallpass.* can't be run in bulk");
            return self.refused(("", None), came, &why);
        }
        let mut texts = Texts::new();
        let mut left = keep;
        let read = bulk.rows(prepared.parameters, &prepared.types, |row| {
            for given in row {
                let text = match given {
                    Given::Value(value) => Some(value.to_string()),
                    Given::Default => Some("DEFAULT".to_owned()),
                    Given::Ignored => None,
                };
                // As much of all rows as of one long parameter.
                let length = text.as_ref().map_or(1, |text| text.len() + 1);
                if left >= length {
                    left -= length;
                    texts.push(text);
                }
            }
        });
        match read {
            Ok(types) => prepared.types = types,
            Err(error) => {
                // As a server says it that gets too few, or too many.
                let text = "Incorrect arguments to mysqld_stmt_execute";
                let why =
                    Refusal::new(RefusalKind::BadRequest, text).with_detail(error.to_string());
                return self.refused(("", None), came, &why);
            }
        }
        self.run_prepared(bulk.statement, &texts, came)
    }

    fn run_prepared(&mut self, number: u32, texts: &Texts, came: Came) -> Pass {
        if self.must_ask() {
            return Pass::Hold;
        }
        if let Some(why) = self.transaction.rolled_back.clone() {
            return self.refused(("", None), came, &why);
        }
        if let Some(why) = self.cancelled() {
            let text = self.statements.get_mut(number).map(|p| Arc::clone(&p.text));
            return self.refused((text.as_deref().unwrap_or_default(), None), came, &why);
        }
        let (text, batch) = match self.of_now(number) {
            Ok(Some(prepared)) => prepared,
            Ok(None) => return self.unknown(number, came),
            Err(why) => {
                let text = self.statements.get_mut(number).map(|p| Arc::clone(&p.text));
                return self.refused((text.as_deref().unwrap_or_default(), None), came, &why);
            }
        };
        match self.may_be_new(&batch, &[]) {
            Ok(false) => {}
            Ok(true) => return Pass::Hold,
            Err(why) => return self.refused((&text, Some(&batch)), came, &why),
        }
        let permit = match self.judge(batch.statements.iter().map(AsRef::as_ref)) {
            Decision::Permit(permit) => permit,
            Decision::Denial(denial) => return self.denied((&text, &batch), came, &denial),
        };
        if let Some(pass) = self.wall_for(&permit, (&text, &batch), came) {
            return pass;
        }
        let has_masks = self.has_masks();
        let prepared = self.statements.get_mut(number).filter(|_| has_masks);
        let types = prepared.map(|p| p.types.clone()).unwrap_or_default();
        let is_text = |parameter: Option<u16>| match parameter.map(usize::from) {
            Some(number) => {
                number.checked_sub(1).and_then(|at| types.get(at)).copied().is_some_and(is_text)
            }
            None => types.iter().copied().all(is_text),
        };
        if let Err(why) = self.take_probes(&batch, &permit, is_text) {
            return self.refused((&text, Some(&batch)), came, &why);
        }
        let only = batch.statements.first().map(AsRef::as_ref);
        let known = ((&*batch.fingerprint, only), None);
        let parameters: SmallVec<[Parameter<'_>; 4]> = texts
            .iter()
            .map(|text| text.as_deref().map_or(Parameter::Null, Parameter::Text))
            .collect();
        let cleared =
            self.scribe().clear(permit.clone(), (IntentKind::Execute, &text), known, &parameters);
        let clearance = match cleared {
            Ok(clearance) => clearance,
            Err(refusal) => return self.tell_no(came.next, &refusal),
        };
        let run = self.start(clearance.statement(), &permit, (only, None));
        self.begins_in(&batch);
        let mut running = Running::new((&text, batch), smallvec![Some(run)], Format::Binary);
        running.statement = Some(number);
        self.answer = Some(Answer {
            response: Response::new(Kind::Result, came.next, self.shared),
            of: Of::Runs(Box::new(running)),
        });
        Pass::Statement(clearance)
    }

    /// What a prepared statement does by the catalog of now. `None`: there is none of that number.
    ///
    /// # Errors
    /// It can't be told any more.
    fn of_now(&mut self, number: u32) -> Result<Option<Now>, Refusal> {
        let (state, edition) = self.read_in();
        let mode = self.reading.mode;
        let Some(prepared) = self.statements.get_mut(number) else { return Ok(None) };
        if prepared.mode != mode {
            // The server reads its text anew when a table has changed, by the mode of then.
            let text = "how texts are read has changed since this was prepared";
            return Err(
                Refusal::new(RefusalKind::UnknownStatement, text).with_hint("Prepare it again.")
            );
        }
        if prepared
            .batch
            .statements
            .iter()
            .all(|a| a.kind == crate::kernel::sql::reading::StatementKind::Other)
        {
            return Ok(Some((Arc::clone(&prepared.text), Arc::clone(&prepared.batch))));
        }
        let same_path = prepared.path == self.reading.path;
        // Where the session is where it was, its state is that of the statement.
        if same_path && prepared.read_in == (state, edition) {
            return Ok(Some((Arc::clone(&prepared.text), Arc::clone(&prepared.batch))));
        }
        // It keeps its schema; what the session has made since counts.
        let overlay = self.reading.overlay.clone();
        let reading = ReadingState { mode, path: prepared.path.clone(), overlay };
        let text = Arc::clone(&prepared.text);
        let state = self.core.cache.borrow_mut().state(&reading);
        if prepared.read_in == (state, edition) {
            return Ok(Some((text, Arc::clone(&prepared.batch))));
        }
        let read = match gate::read(&self.core, &self.target, (&reading, state), &text) {
            gate::Read::Done(read) => read,
            // Its thread has a large stack too; that it was large has been paid for before.
            gate::Read::ForPool => gate::analyze(&text, &reading, &self.target),
        };
        let batch = read.map_err(|why| unreadable_now(&why))?;
        if let Some(prepared) = self.statements.get_mut(number) {
            prepared.batch = Arc::clone(&batch);
            prepared.read_in = (state, edition);
        }
        Ok(Some((text, batch)))
    }

    /// COM_STMT_FETCH: more rows of an open cursor, if they may still be read.
    pub(super) fn fetch(&mut self, number: u32, next: u8) -> Pass {
        let came = Came { kind: IntentKind::Execute, next };
        let cursor = self.statements.get_mut(number).and_then(|p| p.cursor.take());
        let Some(mut cursor) = cursor else {
            let text = format!("The statement ({number}) has no open cursor.");
            return self.tell_no(next, &Refusal::new(RefusalKind::UnknownCursor, text));
        };
        let all = cursor.batch.statements.iter().map(AsRef::as_ref);
        let permit = match self.judge(all) {
            Decision::Permit(permit) => permit,
            Decision::Denial(denial) => {
                let refusal = denial.refusal();
                self.close_cursor(Some(cursor));
                return self.refused(("", None), came, &refusal);
            }
        };
        if self.shows_too_much(&mut cursor, &permit) {
            self.close_cursor(Some(cursor));
            let text = "what is masked has changed since the cursor was opened";
            let why = Refusal::new(RefusalKind::UnknownCursor, text);
            return self.refused(("", None), came, &why.with_hint("Execute the statement again."));
        }
        let Some(statement) = cursor.run().map(|run| run.statement) else { return Pass::Drop };
        let clearance = self.core.lane.borrow().again(permit, statement);
        cursor.told = false;
        self.answer = Some(Answer {
            response: Response::new(Kind::Rows, next, self.shared),
            of: Of::Runs(cursor),
        });
        Pass::Statement(clearance)
    }

    /// True if what is masked in a cursor's rows was decided by other rules than those of now, or for somebody
    /// who might see more.
    fn shows_too_much(&self, cursor: &mut Running, permit: &Permit) -> bool {
        let marks = Arc::clone(&self.target.catalog.load().marks);
        if marks.is_empty() {
            return false;
        }
        let rules = cursor.analysis().and_then(|analysis| analysis.rules);
        let before = cursor.run().and_then(|run| run.shown.clone()).unwrap_or_default();
        let now = permit.shown().map(Arc::clone).unwrap_or_default();
        let seen = now.all || !before.all && before.columns.is_subset(&now.columns);
        !seen || rules.is_some_and(|rules| rules != marks.version())
    }

    /// COM_STMT_SEND_LONG_DATA.
    pub(super) fn long_data(&mut self, number: u32, parameter: u16, data: &[u8]) -> Pass {
        let keep = self.core.services.world.load().limits.parameter_bytes;
        let Some(prepared) = self.statements.get_mut(number) else { return Pass::Drop };
        let long = prepared.long.entry(usize::from(parameter)).or_default();
        let room = keep.saturating_sub(long.len()).min(data.len());
        long.extend_from_slice(data.get(..room).unwrap_or_default());
        if prepared.is_call { Pass::Drop } else { Pass::Relay(Relayed::LongData) }
    }

    /// COM_STMT_RESET.
    pub(super) fn reset_statement(&mut self, number: u32, next: u8) -> Pass {
        let Some(prepared) = self.statements.get_mut(number) else {
            return self.unknown(number, Came { kind: IntentKind::Execute, next });
        };
        prepared.long.clear();
        let (cursor, is_call) = (prepared.cursor.take(), prepared.is_call);
        self.close_cursor(cursor);
        if is_call {
            let ok = OkPacket { status: self.status, ..OkPacket::default() };
            ok.write(&mut self.down, (next, 0), self.client);
            return Pass::Drop;
        }
        self.answer =
            Some(Answer { response: Response::new(Kind::Done, next, self.shared), of: Of::Plain });
        Pass::Relay(Relayed::Prepared)
    }

    /// COM_STMT_CLOSE, which isn't answered.
    pub(super) fn close_statement(&mut self, number: u32) -> Pass {
        let Some(prepared) = self.statements.remove(number) else { return Pass::Drop };
        self.close_cursor(prepared.cursor);
        if prepared.is_call { Pass::Drop } else { Pass::Relay(Relayed::Prepared) }
    }

    fn unknown(&mut self, number: u32, came: Came) -> Pass {
        let text = format!("Unknown prepared statement handler ({number}) given to the gateway");
        self.refused(("", None), came, &Refusal::new(RefusalKind::UnknownStatement, text))
    }
}

/// True if what is bound as this is a string to the server, or NULL.
fn is_text(bound: Bound) -> bool {
    [
        TypeCode::NULL,
        TypeCode::VARCHAR,
        TypeCode::TINY_BLOB,
        TypeCode::MEDIUM_BLOB,
        TypeCode::LONG_BLOB,
        TypeCode::BLOB,
        TypeCode::VAR_STRING,
        TypeCode::STRING,
    ]
    .contains(&bound.code)
}

fn unreadable_now(why: &Unreadable) -> Refusal {
    Refusal::new(RefusalKind::UnknownStatement, format!("it can't be read any more: {why}"))
        .with_hint("Prepare it again.")
}

/// As much of a parameter as is kept.
fn shortened(mut text: String, most: usize) -> String {
    if text.len() > most {
        let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    text
}
