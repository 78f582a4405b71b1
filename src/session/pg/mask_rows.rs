//! Masked results row by row: many at a time, each written once, and long ones without holding them.
//!
//! The first row of a result may come before its plan is made; that one goes the way of every other
//! frame (`one_run_from_upstream`). The rows behind it are taken here, as many as are whole, and written
//! straight to where they leave from.

use super::{
    HIGH_WATER, Over, Relay, Rest, WHOLE_MAX,
    conversation::{Conversation, End},
    mask,
    owed::Tag,
};
use crate::{
    kernel::{
        mask::marks::Mismatch,
        refusal::{Refusal, RefusalKind},
    },
    session::{mask::mismatch, result::Run},
    wire::pg::{
        backend::{COPY_DATA, DATA_ROW},
        exchange::{Exchange, Owed, Whose},
        frame,
        row::{self, Head},
    },
};

impl Relay {
    /// Writes masked rows that are here for the client, as many as may wait for it. True if there was
    /// one.
    pub(super) fn masked_rows(&mut self) -> Result<bool, Over> {
        if !self.talk.is_masking() {
            return Ok(false);
        }
        self.say();
        let (unread, out) = self.to_client.rewrite();
        let taken = self.talk.masked_rows(unread, out)?;
        self.to_client.discard(taken);
        self.yields |= taken > 0 && self.talk.is_turn_over();
        Ok(taken > 0)
    }

    /// True while a client that doesn't read must do so before more is written for it. What passes as it
    /// came takes no room but where it was read to; masked rows may be many times as long.
    pub(super) fn must_be_read(&self) -> bool {
        self.to_client.waiting() >= HIGH_WATER && self.talk.is_masking()
    }

    /// The beginning of a masked row that isn't whole yet and is too long to wait for: as soon as the
    /// last masked cell is here, what is behind it needn't be held. True if something came of it.
    pub(super) fn head_of_masked_row(&mut self, header: frame::Header) -> Result<bool, Over> {
        self.say();
        let (head, out) = self.to_client.rewrite();
        let rest = match self.talk.head_of_masked_row(header, head, out)? {
            Headed::Wants(bytes) => {
                self.upstream_needs = bytes;
                return Ok(false);
            }
            Headed::Written => {
                let taken = head.len();
                self.to_client.discard(taken);
                Rest { left: header.length - taken, forward: true }
            }
            Headed::Cut => Rest { left: header.length, forward: false },
        };
        self.from_upstream = Some(rest);
        Ok(true)
    }
}

/// What became of a long row's beginning.
enum Headed {
    /// It is written; the rest passes.
    Written,
    /// It needs so many bytes.
    Wants(usize),
    /// The result ends before it.
    Cut,
}

impl Conversation {
    /// True if rows that come next are written anew by a plan.
    pub(super) fn is_masking(&self) -> bool {
        let run = match self.exchange.front() {
            Some(Owed { whose: Whose::Client, tag: Tag::Execute(execution), .. }) => {
                Some(&execution.run)
            }
            Some(Owed { whose: Whose::Client, tag: Tag::Query(query), .. }) if !query.failed => {
                query.runs.get(query.at).and_then(Option::as_ref)
            }
            _ => None,
        };
        run.is_some_and(Run::masks)
    }

    /// Makes the plan of the rows that come next, if it isn't yet: what has none needn't be whole.
    pub(super) fn plan_rows(&mut self) -> Result<(), End> {
        let Self { exchange, shape, down, client_text, .. } = self;
        let Some(run) = run_in_front(exchange) else { return Ok(()) };
        if run.mask.is_none() || run.plan.is_some() || run.cut.is_some() {
            return Ok(());
        }
        let shape = shape.take().ok_or_else(mask::odd)?;
        mask::plan(run, &shape)?;
        if run.cut.is_none() {
            mask::say(down, run, *client_text);
        }
        Ok(())
    }

    /// Writes the whole rows that `unread` begins with, until enough waits for the client, and gives how
    /// many bytes of it they were.
    fn masked_rows(&mut self, unread: &[u8], out: &mut Vec<u8>) -> Result<usize, End> {
        let Some((tag, _)) = whole_row(unread) else { return Ok(0) };
        // Of the rows behind it this says the same.
        self.exchange.reply(tag)?;
        let Some(run) = run_in_front(&mut self.exchange) else { return Ok(0) };
        let (mut taken, mut beyond) = (0, None);
        while out.len() < HIGH_WATER
            && let Some((next, row)) = whole_row(unread.get(taken..).unwrap_or_default())
            && next == tag
        {
            taken += row.len();
            if !run.row(row.len()) {
                beyond = Some(row.len());
                break;
            }
            let plan = run.plan.as_ref().ok_or_else(mask::odd)?;
            match (tag, &mut self.copied) {
                (DATA_ROW, _) => row::rewrite(out, row, plan).map_err(|_| mask::odd())?,
                (_, Some(copied)) => match copied.rewrite(out, row) {
                    Ok(rewritten) => rewritten,
                    Err(_) => {
                        run.cut(mismatch(Mismatch::Shape));
                        break;
                    }
                },
                (_, None) => return Err(mask::odd()),
            };
        }
        if let Some(length) = beyond {
            self.beyond_the_cut(length);
        }
        Ok(taken)
    }

    fn head_of_masked_row(
        &mut self,
        header: frame::Header,
        head: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Headed, End> {
        let run = run_in_front(&mut self.exchange).ok_or_else(mask::odd)?;
        let plan = run.plan.as_ref().ok_or_else(mask::odd)?;
        let start = out.len();
        let written = row::rewrite_head(out, head, plan).map_err(|_| mask::odd())?;
        if let Head::Wants(bytes) = written {
            if bytes <= WHOLE_MAX {
                return Ok(Headed::Wants(bytes));
            }
            run.cut(too_long());
        }
        self.exchange.reply(DATA_ROW)?;
        if run_in_front(&mut self.exchange).is_some_and(|run| run.row(header.length)) {
            return Ok(Headed::Written);
        }
        out.truncate(start);
        self.beyond_the_cut(header.length);
        Ok(Headed::Cut)
    }
}

/// The run whose rows come next, if they are the client's.
pub(super) fn run_in_front(exchange: &mut Exchange<Tag>) -> Option<&mut Run> {
    let owed = exchange.front_mut().filter(|owed| owed.whose == Whose::Client)?;
    match &mut owed.tag {
        Tag::Execute(execution) => Some(&mut execution.run),
        Tag::Query(query) if !query.failed => query.runs.get_mut(query.at)?.as_mut(),
        Tag::Query(_)
        | Tag::Ours(_)
        | Tag::Plain
        | Tag::Named(..)
        | Tag::Fail(_)
        | Tag::Absent(_)
        | Tag::Local(_) => None,
    }
}

/// The row or piece of copy data that these bytes begin with, if it is whole, and its tag.
#[inline]
fn whole_row(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let header = frame::from_upstream(bytes).ok().flatten()?;
    let is_row = matches!(header.tag, DATA_ROW | COPY_DATA);
    is_row.then(|| Some((header.tag, bytes.get(..header.length)?))).flatten()
}

fn too_long() -> Refusal {
    let most = WHOLE_MAX >> 20;
    let text = format!(
        "a row is too long to be masked: more than {most} MiB up to its last masked column"
    );
    Refusal::new(RefusalKind::LimitExceeded, text)
        .with_hint("Name the masked columns first, or leave out what is long.")
}
