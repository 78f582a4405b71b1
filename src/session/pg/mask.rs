//! Results whose columns are masked: the plan from the result's header, rows and texts under it.

use std::sync::Arc;

use super::{
    conversation::{Conversation, End},
    mask_copy,
    owed::{Ours, Tag},
    quotes,
};
use crate::{
    kernel::{
        access::{Grant, GrantStatus, Permission, Scope},
        mask::{
            Format as CellFormat, Plan,
            marks::{Described, Mismatch, Order},
        },
        policy::Permit,
        refusal::{Refusal, RefusalKind},
        sql::{
            analysis::{Analysis, Batch, StatementClass},
            charset::ClientText,
            reading::StatementKind,
        },
    },
    session::{mask, names::Portal, result::Run},
    upstream::door::Control,
    wire::pg::{
        Format,
        backend::{self, ColumnView, ErrorFields, RowDescription},
        body,
        exchange::{Owed, Step, Whose},
        row, types,
    },
};

impl Conversation {
    /// What has to happen to the rows of a run, as far as the permit doesn't show what is masked. Done
    /// again when it is known what it runs by a name.
    pub(super) fn mask_run(&self, run: &mut Run, analysis: Option<&Analysis>) {
        let marks = &self.facts.target.catalog.load().marks;
        if marks.is_empty() {
            return;
        }
        let named = analysis.is_some_and(|a| a.executes.is_some() || a.fetches.is_some());
        let runs = match (analysis, &run.inner) {
            (Some(_), inner) if named => inner.as_deref(),
            (analysis, _) => analysis,
        };
        let masking = self.facts.target.trust.masking();
        run.mask = mask::order(run, runs, (marks, masking)).map(Arc::new);
    }

    /// Counts the values that masked columns are asked for.
    ///
    /// # Errors
    /// They are too many.
    pub(super) fn take_probes(&self, batch: &Batch, permit: &Permit) -> Result<(), Refusal> {
        if !self.has_masks() {
            return Ok(());
        }
        let named: Vec<_> = batch.statements.iter().filter_map(|a| self.inner_of(a)).collect();
        // What PREPARE names runs later.
        let all = batch.statements.iter().chain(&named).map(AsRef::as_ref);
        let runs = all.filter(|a| a.kind != StatementKind::Prepare);
        let handle = &self.facts.handle;
        mask::take_probes(runs, permit, (&self.core.services, handle, self.now))
    }

    /// Asks for the header of a portal whose rows are masked, in front of its Execute: the client need
    /// not have asked, and what it was told may be of another age.
    pub(super) fn ask_shape(&mut self, name: &str, run: &Run, portal: &Portal) {
        if run.mask.is_none() || portal.prepared.analysis().is_none() {
            return;
        }
        self.controls.push_back(Control::Describe { portal: name.into() });
        self.owe(Step::DescribePortal, Whose::Gateway, Tag::Ours(Ours::Shape));
    }

    /// A result's header came: for us, or in front of a Query's rows.
    pub(super) fn header(&mut self, tag: u8, body: &[u8]) -> Result<(), End> {
        match self.exchange.front_mut() {
            Some(Owed { tag: Tag::Ours(Ours::Shape), .. }) => {
                self.shape = (tag == backend::ROW_DESCRIPTION).then(|| body.into());
            }
            _ if tag != backend::ROW_DESCRIPTION => {}
            Some(Owed { tag: Tag::Query(query), .. }) if !query.failed => {
                let run = query.runs.get_mut(query.at).and_then(Option::as_mut);
                let Some(run) = run else { return Ok(()) };
                plan(run, body)?;
                if run.cut.is_none() {
                    say(&mut self.down, run, self.client_text);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes a row for the client as its plan has it. True if that has been done, false if the row goes
    /// as it is.
    ///
    /// # Errors
    /// Fail closed: a row that doesn't fit its header ends the session.
    pub(super) fn masked_row(&mut self, frame: &[u8]) -> Result<bool, End> {
        let Self { exchange, shape, copied, down, client_text, .. } = self;
        let Some(owed) = exchange.front_mut() else { return Ok(false) };
        let run = match &mut owed.tag {
            Tag::Execute(execution) => &mut execution.run,
            Tag::Query(query) => {
                let run = query.runs.get_mut(query.at).and_then(Option::as_mut);
                let Some(run) = run else { return Ok(false) };
                run
            }
            _ => return Ok(false),
        };
        let Some(order) = &run.mask else { return Ok(false) };
        if frame.first() == Some(&backend::COPY_DATA) {
            let masks = order.masks();
            if run.copying.is_some() {
                let header = shape.take();
                *copied = mask_copy::begin(run, header.as_deref(), (down, *client_text))?;
            }
            return match (&run.plan, copied) {
                _ if run.cut.is_some() => Ok(true),
                (None, _) if !masks => Ok(false),
                (Some(plan), _) if plan.is_none() => Ok(false),
                (Some(_), Some(rows)) => {
                    if rows.rewrite(down, frame).is_err() {
                        run.cut(mask::mismatch(Mismatch::Shape));
                    }
                    Ok(true)
                }
                (None | Some(_), _) => Err(odd()),
            };
        }
        match &run.plan {
            Some(plan) if plan.is_none() => Ok(false),
            Some(plan) => {
                row::rewrite(down, frame, plan).map_err(|_| odd())?;
                Ok(true)
            }
            None => Err(odd()),
        }
    }
}

/// Makes the plan of a run from its result's header. If it can't be made, no row goes out.
pub(super) fn plan(run: &mut Run, header: &[u8]) -> Result<(), End> {
    let Some(order) = &run.mask else { return Ok(()) };
    let header = RowDescription::new(header).map_err(End::Upstream)?;
    let columns: Vec<_> = header.iter().map(|column| described(order, column)).collect();
    match order.plan(&columns) {
        Ok(plan) => run.plan = Some(plan),
        Err(why) => run.cut(mask::mismatch(why)),
    }
    Ok(())
}

/// A column as its header has it.
pub(super) fn described<'a>(order: &Order, column: ColumnView<'a>) -> Described<'a> {
    Described {
        name: column.name,
        relation: column.table_oid,
        number: column.column_number,
        holds: order.holds(column.type_oid).unwrap_or_else(|| types::column_type(column.type_oid)),
        format: match column.format {
            Format::Text => CellFormat::Text,
            Format::Binary => CellFormat::Binary,
        },
    }
}

/// Says once what the client sees.
pub(super) fn say(down: &mut Vec<u8>, run: &Run, text: ClientText) {
    let masked = run.plan.as_ref().map_or(0, Plan::masked);
    match masked {
        0 => {}
        1 => backend::notice(down, "one column of this result is masked", text),
        many => backend::notice(down, &format!("{many} columns of this result are masked"), text),
    }
}

pub(super) fn odd() -> End {
    let text = "a row that is to be masked has another shape than expected";
    End::Refused(Refusal::new(RefusalKind::Internal, text))
}

/// Errors whose message never quotes a value: the end of the session or of its transaction, a conflict
/// with others, a limit, a state.
const QUOTES_NOTHING: [&[u8]; 6] = [b"08", b"25", b"40", b"53", b"55", b"57"];

impl Conversation {
    /// True if an error or a notice may quote masked values.
    pub(super) fn quotes_masked(&mut self, fields: &ErrorFields<'_>) -> bool {
        let class = fields.sqlstate().get(..2).unwrap_or_default();
        if quotes::is_of_the_text(fields) || quotes::is_of_a_definition(fields) {
            return false;
        }
        let run = self.front_run();
        let shows_all = run.as_ref().is_some_and(|r| r.shown.as_ref().is_some_and(|s| s.all));
        let scrubs = run.is_some_and(|run| run.mask.as_ref().is_some_and(|order| order.scrubs()));
        // A deferred constraint speaks up at COMMIT, of rows that other statements have changed; so does
        // a deferred trigger, in the words that its code likes.
        let speaks = self.speaks_code(fields);
        if scrubs || !speaks && class != b"23" || shows_all {
            return scrubs;
        }
        let catalog = self.facts.target.catalog.load();
        !catalog.marks.is_empty() && (speaks || !quotes::is_of_a_plain_table(fields, &catalog))
    }

    /// True if code of a trigger may speak that nobody knew of, or that runs at the end of a transaction:
    /// it says where it stands, in a statement that writes or ends something. What COPY FROM says so are
    /// the client's own rows.
    fn speaks_code(&self, fields: &ErrorFields<'_>) -> bool {
        let has = |code| fields.field(code).is_some();
        let nothing_new = |analysis: &Analysis| {
            let reads = !analysis.writes && analysis.class != StatementClass::Session;
            reads || analysis.kind == StatementKind::CopyFromClient
        };
        let front = self.exchange.front().map(|owed| &owed.tag);
        let knows = match front {
            Some(Tag::Execute(execution)) => execution.analysis.as_deref().is_some_and(nothing_new),
            // The end of its transaction is the end of the last of them.
            Some(Tag::Query(query)) => {
                let all = &query.batch.statements;
                !all.is_empty() && all.iter().all(|analysis| nothing_new(analysis))
            }
            _ => false,
        };
        has(b'W') && !has(b'P') && !knows
    }

    /// True if all that is masked may be seen.
    fn shows_all(&self) -> bool {
        let unmasks = |g: &&Arc<Grant>| {
            let is_active = g.status_at(self.now) == GrantStatus::Active;
            is_active && g.permissions.allows(Permission::Unmask) && g.scope == Scope::All
        };
        self.rights.standing.allows(Permission::Unmask)
            || self.rights.grants.iter().any(|g| unmasks(&g))
    }

    /// Passes a notification on, without its payload if that may hold masked values: triggers like to put
    /// whole rows in there. True if it has been written.
    pub(super) fn quiet_notification(&mut self, bytes: &[u8]) -> bool {
        if !self.has_masks() || self.shows_all() {
            return false;
        }
        let Some((sender, rest)) = bytes.split_at_checked(4) else { return false };
        let channel = rest.split(|byte| *byte == 0).next().unwrap_or_default();
        body::message(&mut self.down, backend::NOTIFICATION_RESPONSE, |out| {
            out.extend_from_slice(sender);
            out.extend_from_slice(channel);
            out.extend_from_slice(b"\0\0");
        });
        true
    }

    /// True if nothing but our own Sync stands before a Query.
    pub(super) fn is_before_query(&self) -> bool {
        let front = self.exchange.front();
        front.is_some_and(|o| o.step == Step::Sync && matches!(o.tag, Tag::Ours(Ours::Shape)))
    }

    /// What a copy would have failed by, had its transaction not failed by it before.
    pub(super) fn say_why_copy_failed(&mut self, code: Option<[u8; 5]>) -> bool {
        let why = self.copy_failed.take().filter(|_| code.as_ref() == Some(b"25P02"));
        let Some(why) = why else { return false };
        body::message(&mut self.down, backend::ERROR_RESPONSE, |out| out.extend_from_slice(&why));
        true
    }

    /// Writes an error or a notice without what may quote masked values.
    pub(super) fn say_scrubbed(&mut self, tag: u8, fields: &ErrorFields<'_>) {
        let class = fields.sqlstate().get(..2).unwrap_or_default();
        // RAISE takes any code that it likes, and says where it stands.
        let raised = fields.field(b'W').is_some() && fields.field(b'R') != Some(b"DeadLockReport");
        let keeps = QUOTES_NOTHING.contains(&class) && !raised || fields.is_fatal();
        backend::scrubbed(&mut self.down, tag, fields, keeps);
    }
}
