//! The ramp of texts: COM_QUERY, and what is judged like one.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{
    answer::{Answer, Of, Preparing, Running},
    local::Call,
    named::Unseen,
    talk::{Knows, Pass, Talk, Wall},
};
use crate::{
    kernel::{
        access::Grant,
        audit::record::{Decided, IntentKind},
        ids::StatementId,
        mask::Format,
        policy::{Decision, Denial, Permit},
        refusal::{Refusal, RefusalKind},
        sql::{
            analysis::{Analysis, Batch, SessionEffect},
            mysql::bytes,
            reading::{SettingChange, StatementKind, TransactionChange},
            text::BadText,
        },
    },
    session::{
        budget::Meter,
        gate::{self, Opinion},
        mask,
        result::Run,
    },
    upstream::mysql::own::Word,
    wire::mysql::{
        reply::Status,
        response::{Kind, Response},
    },
};

/// How a text came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Came {
    /// To be run, or to be prepared.
    pub(super) kind: IntentKind,
    /// The sequence number of its answer.
    pub(super) next: u8,
}

/// Bytes that are kept of a text that can't be kept as it is.
const BAD_TEXT_KEPT: usize = 4096;

/// True for `SHOW WARNINGS` and `SHOW ERRORS` with or without LIMIT, and for the ways to ask for their number:
/// they read the same in all modes and character sets.
fn shows_warnings(bytes: &[u8]) -> bool {
    const LONGEST: usize = 100;
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.len() < LONGEST) else {
        return false;
    };
    let text = text.trim_matches([' ', '\n', '\t', '\r', ';']).to_ascii_uppercase();
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let is_number = |word: &str| {
        word.split(',').all(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match *words {
        ["SHOW", "WARNINGS" | "ERRORS"]
        | ["SHOW", "COUNT(*)", "WARNINGS" | "ERRORS"]
        | ["SELECT", "@@WARNING_COUNT" | "@@ERROR_COUNT"] => true,
        ["SHOW", "WARNINGS" | "ERRORS", "LIMIT", number] => is_number(number),
        _ => false,
    }
}

/// With what to do about it.
fn why_bad(bad: BadText) -> Refusal {
    let refusal = Refusal::from(bad);
    match bad {
        BadText::NotUtf8 | BadText::Nul => refusal.with_hint(
            "Such bytes may stand in strings of INSERT, REPLACE, UPDATE, DELETE and a plain SELECT, or behind \
             its WHERE. Elsewhere write them as x'...', or SET NAMES utf8mb4.",
        ),
        BadText::NoText(_) | BadText::TooLong { .. } => refusal,
    }
}

impl Talk {
    /// A text, judged whole: all of its statements, or none.
    pub(super) fn text(&mut self, bytes: &[u8], came: Came) -> Pass {
        // To ask or set anything would be the end of the warnings.
        let may_wait = came.kind == IntentKind::Query && self.may_show_warnings_first();
        if !(may_wait && shows_warnings(bytes)) && self.must_ask() {
            return Pass::Hold;
        }
        let limit = self.core.services.world.load().limits.statement_bytes;
        let text = match bytes::read(bytes, limit, self.reading.mode) {
            Ok(text) => text,
            Err(bad) => return self.bad_text(bytes, came, &why_bad(bad)),
        };
        let what = match came.kind {
            IntentKind::Parse => What::Prepare,
            IntentKind::Query
            | IntentKind::Bind
            | IntentKind::Execute
            | IntentKind::Copy
            | IntentKind::Gateway
            | IntentKind::Local => What::Run,
        };
        self.judged(&text, what, (Kind::Result, came))
    }

    /// A command that does what this text does, and is answered in a way of its own.
    pub(super) fn judged_as(&mut self, text: &str, (kind, next): (Kind, u8)) -> Pass {
        if self.must_ask() {
            return Pass::Hold;
        }
        let came = Came { kind: IntentKind::Query, next };
        self.judged(text, What::Run, (kind, came))
    }

    /// A batch with what it runs by names; what leads to something unseen may do anything.
    fn with_named(&self, batch: Arc<Batch>) -> (Arc<Batch>, Vec<Option<Arc<Analysis>>>) {
        match self.inner(&batch) {
            Ok(inner) => (batch, inner),
            Err(Unseen) => (Arc::new(gate::with_doubt(&batch, self.has_masks())), Vec::new()),
        }
    }

    fn bad_text(&mut self, bytes: &[u8], came: Came, refusal: &Refusal) -> Pass {
        let start = bytes.get(..BAD_TEXT_KEPT).unwrap_or(bytes);
        let text = String::from_utf8_lossy(start);
        self.scribe().bad_text(came.kind, (&text, bytes.len()), refusal);
        self.tell_no(came.next, refusal)
    }

    fn judged(&mut self, text: &str, what: What, (kind, came): (Kind, Came)) -> Pass {
        if let Some(why) = self.cancelled() {
            return self.refused((text, None), came, &why);
        }
        if what == What::Run
            && let Some(pass) = self.kill_statement(text, came)
        {
            return pass;
        }
        let read = if self.knows == Knows::Lost {
            Err(crate::kernel::sql::analysis::Unreadable::Ambiguous {
                what: "the session's sql_mode or character set".to_owned(),
            })
        } else {
            match self.read(text) {
                Some(read) => read,
                None => return Pass::Hold,
            }
        };
        let (batch, permit) = match read {
            Ok(batch) => {
                if let Some(pass) = self.before_judging(text, &batch, came) {
                    return pass;
                }
                let (batch, inner) = self.with_named(batch);
                match self.may_be_new(&batch, &inner) {
                    Ok(false) => {}
                    Ok(true) => return Pass::Hold,
                    Err(why) => return self.refused((text, Some(&batch)), came, &why),
                }
                let all = batch.statements.iter().chain(inner.iter().flatten());
                match self.judge(all.map(AsRef::as_ref)) {
                    Decision::Permit(permit) => (batch, permit),
                    Decision::Denial(denial) => {
                        return self.denied((text, &batch), came, &denial);
                    }
                }
            }
            Err(why) => match self.opinion_of_unreadable(&why, text) {
                Opinion::Permit(permit, analysis) => {
                    let batch =
                        Batch { statements: vec![Arc::new(*analysis)], fingerprint: "".into() };
                    (Arc::new(batch), permit)
                }
                Opinion::Refuse(refusal) => return self.refused((text, None), came, &refusal),
            },
        };
        if let Some(pass) = self.wall_for(&permit, (text, &batch), came) {
            return pass;
        }
        if what == What::Prepare {
            return self.send_prepare(text, batch, &permit, came);
        }
        // Of what a variable holds that EXECUTE names, nobody knows the type.
        if let Err(why) = self.take_probes(&batch, &permit, |_| false) {
            return self.refused((text, Some(&batch)), came, &why);
        }
        self.send(text, batch, &permit, (kind, came))
    }

    /// Puts a no on record and tells it.
    pub(super) fn refused(
        &mut self,
        (text, batch): (&str, Option<&Batch>),
        came: Came,
        refusal: &Refusal,
    ) -> Pass {
        let fingerprint = batch.map(|batch| &*batch.fingerprint).unwrap_or_default();
        let first = batch.and_then(|batch| batch.statements.first()).map(AsRef::as_ref);
        self.scribe().no(
            (came.kind, text),
            ((fingerprint, first), batch),
            &Decided::Refusal(refusal),
        );
        self.tell_no(came.next, refusal)
    }

    /// Denied, on record, and told. What is denied while the catalog is read again for what this session has
    /// changed is held: the name that it has made or given may lie within its scope.
    pub(super) fn denied(
        &mut self,
        (text, batch): (&str, &Batch),
        came: Came,
        denial: &Denial,
    ) -> Pass {
        if self.may_be_of_old_catalog() {
            return Pass::Hold;
        }
        let known = (&*batch.fingerprint, batch.statements.first().map(AsRef::as_ref));
        let decided = Decided::Denial(denial);
        self.scribe().no((came.kind, text), (known, Some(batch)), &decided);
        self.tell_no(came.next, &denial.refusal())
    }

    /// What comes before the question whether it may run: what is answered here, and a transaction that was
    /// rolled back.
    fn before_judging(&mut self, text: &str, batch: &Arc<Batch>, came: Came) -> Option<Pass> {
        if batch.statements.iter().any(|a| a.local.is_some()) {
            return Some(self.call(text, batch, came));
        }
        // What a prepared text gives, one result or several, is known to nobody here: what comes behind
        // it couldn't be told from it.
        let runs = |a: &Arc<Analysis>| a.kind == StatementKind::Execute;
        if batch.statements.len() > 1 && batch.statements.iter().any(runs) {
            let why = Refusal::new(
                RefusalKind::NotSupported,
                "EXECUTE can't be mixed with other statements in one command",
            )
            .with_hint("Send it alone.");
            return Some(self.refused((text, Some(batch)), came, &why));
        }
        if came.kind == IntentKind::Parse && batch.statements.iter().any(|a| a.executes.is_some()) {
            let text = "This command is not supported in the prepared statement protocol yet";
            let why = Refusal::new(RefusalKind::NotSupported, text);
            return Some(self.refused((text, Some(batch)), came, &why));
        }
        let why = self.transaction.rolled_back.clone()?;
        let only = match batch.statements.as_slice() {
            [only] => only.effects.first(),
            _ => None,
        };
        match only {
            Some(SessionEffect::Transaction(TransactionChange::Rollback { .. })) => None,
            Some(SessionEffect::Transaction(TransactionChange::Commit { .. })) => {
                // It has been told, and what comes behind it stands on its own again.
                self.transaction.rolled_back = None;
                Some(self.refused((text, Some(batch)), came, &why))
            }
            _ => Some(self.refused((text, Some(batch)), came, &why)),
        }
    }

    fn call(&mut self, text: &str, batch: &Arc<Batch>, came: Came) -> Pass {
        let [only] = batch.statements.as_slice() else {
            let why = Refusal::new(
                RefusalKind::NotSupported,
                "hallpass.* can't be mixed with other statements",
            )
            .with_hint("Send it alone.");
            return self.refused((text, Some(batch)), came, &why);
        };
        let Some(call) = only.local.clone() else { return Pass::Drop };
        if came.kind == IntentKind::Parse {
            return self.prepare_call(text, batch, came);
        }
        self.run_call(text, batch, (call, Vec::new()), (came, Format::Text))
    }

    /// Puts a call of `hallpass.*` on record and asks for its answer.
    pub(super) fn run_call(
        &mut self,
        text: &str,
        batch: &Arc<Batch>,
        (mut call, parameters): (crate::kernel::sql::analysis::LocalCall, Vec<Option<String>>),
        (came, format): (Came, Format),
    ) -> Pass {
        let variables = call.shape.variables();
        if variables.is_empty() {
            self.arguments = None;
        } else if let Some(values) = self.arguments.take().filter(|v| v.len() == variables.len()) {
            call.shape.put_values(values);
        } else {
            return self.ask_variables((text, batch), &variables, came);
        }
        let only = batch.statements.first().map(AsRef::as_ref);
        let permit = match self.judge(only.into_iter()) {
            Decision::Permit(permit) => permit,
            Decision::Denial(denial) => return self.denied((text, batch), came, &denial),
        };
        let recorded = self.scribe().local(&permit, text, (&*batch.fingerprint, only), &[]);
        match recorded {
            Ok(statement) => {
                self.call = Some(Call {
                    call,
                    parameters,
                    format,
                    next: came.next,
                    statement,
                    started: self.now,
                });
                Pass::Drop
            }
            Err(refusal) => self.tell_no(came.next, &refusal),
        }
    }

    /// Puts the wall where these statements need it. `None`: it is there.
    pub(super) fn wall_for(
        &mut self,
        permit: &Permit,
        (text, batch): (&str, &Arc<Batch>),
        came: Came,
    ) -> Option<Pass> {
        let enough = self.target.mysql().map(|log_ins| log_ins.log_in(permit.level()).0);
        if enough.is_none_or(|level| level > self.log_in) {
            let text = "this session's log-in at the target can do less than the statement needs";
            let why = Refusal::new(RefusalKind::StatementDenied, text)
                .with_hint("Connect again: a right has come since this session began.");
            return Some(self.refused((text, Some(batch)), came, &why));
        }
        let (needs, may) = (permit.needs_write(), self.rights.may_write());
        if !may && batch.statements.iter().any(|a| opens_wall(a)) {
            let why = Refusal::new(
                RefusalKind::ReadOnlyTransaction,
                "READ WRITE needs the right to write",
            )
            .with_hint("SELECT hallpass.request('dml', '30m', 'say why');");
            return Some(self.refused((text, Some(batch)), came, &why));
        }
        let begins =
            batch.statements.iter().any(|a| begins(a)) || !self.status.has(Status::AUTOCOMMIT);
        let wanted = match self.wall {
            Wall::Closed if may && !self.client_read_only && (needs || begins) => Wall::Open,
            Wall::Open if !may => Wall::Closed,
            Wall::Closed | Wall::Open | Wall::Unknown => return None,
        };
        if !self.in_transaction() {
            let open = wanted == Wall::Open;
            self.say(Word::Wall { open }, "wall");
            return Some(Pass::Hold);
        }
        if wanted == Wall::Open && needs && self.transaction.read_only {
            let grant = permit.grant_ids().next().map_or_else(
                || "the right to write is active".to_owned(),
                |grant| format!("{grant} is active"),
            );
            let why = Refusal::new(
                RefusalKind::ReadOnlyTransaction,
                format!("{grant}, but this transaction began read-only"),
            )
            .with_hint("ROLLBACK and run it again.");
            return Some(self.refused((text, Some(batch)), came, &why));
        }
        None
    }

    fn send(
        &mut self,
        text: &str,
        batch: Arc<Batch>,
        permit: &Permit,
        (kind, came): (Kind, Came),
    ) -> Pass {
        let named = self.inner(&batch).unwrap_or_default();
        let clearance = match self.scribe().clear_all(permit.clone(), (text, &batch), &named) {
            Ok(clearance) => clearance,
            Err(refusal) => return self.tell_no(came.next, &refusal),
        };
        let mut runs = SmallVec::with_capacity(batch.statements.len().max(1));
        for (at, statement) in clearance.statements().enumerate() {
            let analysis = batch.statements.get(at).map(Arc::clone);
            let inner = named.get(at).cloned().flatten();
            runs.push(Some(self.start(statement, permit, (analysis.as_deref(), inner))));
        }
        self.begins_in(&batch);
        let running = Running::new((text, batch), runs, Format::Text);
        self.answer = Some(Answer {
            response: Response::new(kind, came.next, self.shared),
            of: Of::Runs(Box::new(running)),
        });
        Pass::Statement(clearance)
    }

    fn send_prepare(&mut self, text: &str, batch: Arc<Batch>, permit: &Permit, came: Came) -> Pass {
        if let Some(why) = self.no_room_for(text.len()) {
            return self.refused((text, Some(&batch)), came, &why);
        }
        let only = batch.statements.first().map(AsRef::as_ref);
        let known = ((&*batch.fingerprint, only), None);
        let cleared = self.scribe().clear(permit.clone(), (IntentKind::Parse, text), known, &[]);
        let clearance = match cleared {
            Ok(clearance) => clearance,
            Err(refusal) => return self.tell_no(came.next, &refusal),
        };
        let mut run = self.start(clearance.statement(), permit, (only, None));
        run.cap = None;
        run.counts = false;
        let preparing = Preparing { text: text.into(), batch, run, head: None };
        self.answer = Some(Answer {
            response: Response::new(Kind::Prepared, came.next, self.shared),
            of: Of::Prepare(Box::new(preparing)),
        });
        Pass::Statement(clearance)
    }

    /// A transaction that begins now is as writable as the wall is.
    pub(super) fn begins_in(&mut self, _batch: &Batch) {
        if !self.in_transaction() {
            self.transaction.read_only = self.wall != Wall::Open;
        }
    }

    /// Makes the run of a cleared statement.
    pub(super) fn start(
        &mut self,
        statement: StatementId,
        permit: &Permit,
        (analysis, inner): (Option<&Analysis>, Option<Arc<Analysis>>),
    ) -> Run {
        let mut run = Run::new(statement, permit, self.now);
        run.class = analysis.map(|a| a.class);
        let all = || analysis.into_iter().chain(inner.as_deref());
        run.counts = analysis.is_none() || all().any(|a| a.returns_user_rows);
        run.writes = analysis.is_none() || all().any(|a| a.writes);
        run.renames = analysis.is_some_and(gate::renames);
        run.hide = all().find_map(|a| a.hidden.clone()).filter(|_| permit.hides());
        let marks = Arc::clone(&self.target.catalog.load().marks);
        // What it runs by a name is what gives rows.
        let runs = match analysis {
            Some(analysis) if analysis.executes.is_some() => inner.as_deref(),
            other => other,
        };
        run.mask = mask::order(&run, runs, (&marks, self.target.trust.masking())).map(Arc::new);
        run.inner.clone_from(&inner);
        // What may be seen in clear may be put into variables and temporary tables.
        let unmasks = analysis.is_none() || all().any(Analysis::needs_unmask);
        self.used_unmask |= unmasks;
        if unmasks && !self.reading.overlay.is_tainted() {
            self.set_reading(|r| r.overlay.taint());
        }
        if run.counts {
            run.grants = permit.grants().iter().map(|g| (g.id, self.meter(g))).collect();
        }
        for grant in permit.grant_ids() {
            self.transaction.used(grant);
        }
        run
    }

    fn meter(&mut self, grant: &Grant) -> Arc<Meter> {
        if let Some((_, meter)) = self.meters.iter().find(|(id, _)| *id == grant.id) {
            return Arc::clone(meter);
        }
        let meter = self.core.services.budgets.meter(grant);
        self.meters.push((grant.id, Arc::clone(&meter)));
        meter
    }

    /// Counts the values that masked columns are asked for. `is_text`: of a parameter, from 1.
    ///
    /// # Errors
    /// They are too many, or of another type than the column.
    pub(super) fn take_probes(
        &self,
        batch: &Batch,
        permit: &Permit,
        is_text: impl Fn(Option<u16>) -> bool,
    ) -> Result<(), Refusal> {
        if !self.has_masks() {
            return Ok(());
        }
        let inner = self.inner(batch).unwrap_or_default();
        // What PREPARE names runs later.
        let runs = batch.statements.iter().filter(|a| a.kind != StatementKind::Prepare);
        let runs = runs.chain(inner.iter().flatten());
        mask::refuse_numbers(runs.clone().map(AsRef::as_ref), permit, is_text)?;
        let of = (&*self.core.services, &*self.handle, self.now);
        mask::take_probes(runs.map(AsRef::as_ref), permit, of)
    }
}

/// What is done with a text that may run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum What {
    Run,
    Prepare,
}

/// True if it says that transactions may write, whatever the wall says.
fn opens_wall(analysis: &Analysis) -> bool {
    analysis.effects.iter().any(|effect| match effect {
        SessionEffect::Transaction(
            TransactionChange::Begin { read_write } | TransactionChange::Set { read_write, .. },
        ) => *read_write == Some(true),
        SessionEffect::Setting(change) => says_read_only(change) == Some(false),
        _ => false,
    })
}

/// What a setting says of writing, if it is about that. Fail closed: what is no constant may say anything.
pub(super) fn says_read_only(change: &SettingChange) -> Option<bool> {
    if !["transaction_read_only", "tx_read_only"].contains(&change.name.as_str()) {
        return None;
    }
    let value = change.value.as_deref().unwrap_or_default();
    Some(["1", "on", "true"].iter().any(|word| value.eq_ignore_ascii_case(word)))
}

/// True if it begins a transaction.
fn begins(analysis: &Analysis) -> bool {
    let begin = |effect: &SessionEffect| {
        matches!(effect, SessionEffect::Transaction(TransactionChange::Begin { .. }))
    };
    analysis.effects.iter().any(begin)
}
