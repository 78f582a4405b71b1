//! Rows of results: each passes as it came, is written anew, or goes nowhere. All are counted.

use super::{
    answer::{Answer, Of},
    hide::{hide, hide_binary},
    notes::withheld,
    talk::{End, Talk},
};
use crate::{
    kernel::{
        mask::Format,
        refusal::{Refusal, RefusalKind},
    },
    session::{result::Rows, services::Over},
    wire::mysql::{
        Capabilities,
        packet::{self, Header},
        reply::{self, EofPacket, OkPacket, Status},
        row,
    },
};

/// What a row may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RowIs {
    /// Passes as it comes.
    Clear,
    /// Goes nowhere.
    Dropped,
    /// Is written anew, or read by the gateway itself: it must be here whole.
    Whole,
}

impl Talk {
    /// What becomes of a row with this header. It is counted.
    pub(super) fn row_is(&mut self, header: Header) -> RowIs {
        let over = self.over();
        let client = self.client;
        let Some(answer) = &mut self.answer else { return RowIs::Dropped };
        let running = match &mut answer.of {
            Of::Own { .. } => return RowIs::Whole,
            Of::Plain | Of::Reset | Of::Prepare(_) => return RowIs::Dropped,
            Of::Runs(running) => running,
        };
        if running.told {
            return RowIs::Dropped;
        }
        let Some(run) = running.run() else { return RowIs::Dropped };
        let goes = run.row(header.length);
        if goes {
            let rewrites = run.rewrites();
            return match (withheld(running), rewrites) {
                (true, _) => RowIs::Dropped,
                (false, true) => RowIs::Whole,
                (false, false) => RowIs::Clear,
            };
        }
        let (why, writes) = (run.cut.clone(), run.writes);
        running.told = true;
        self.kill_wanted = true;
        let limit = |why: &Refusal| why.kind == RefusalKind::LimitExceeded;
        match why {
            Some(why) if over == Over::Cut && limit(&why) && !writes => {
                self.notes.push(why.message.to_string(), true);
                let status = self.status.without(Status::MORE_RESULTS);
                if client.has(Capabilities::DEPRECATE_EOF) {
                    let ok = OkPacket { warnings: 1, status, ..OkPacket::default() };
                    ok.write(&mut self.down, (header.sequence, reply::EOF), client);
                } else {
                    EofPacket { warnings: 1, status }.write(&mut self.down, header.sequence);
                }
            }
            Some(why) => {
                reply::refuse(&mut self.down, header.sequence, &why);
            }
            None => {}
        }
        RowIs::Dropped
    }

    /// The length of whole rows at the beginning of these bytes that pass as they are. They are counted.
    /// PERFORMANCE: a row by itself costs ten times as much.
    pub(super) fn clear_rows(&mut self, unread: &[u8]) -> usize {
        let Some(Answer { response, of: Of::Runs(running) }) = &mut self.answer else { return 0 };
        if running.told || withheld(running) {
            return 0;
        }
        let Some(run) = running.run().filter(|run| !run.rewrites()) else { return 0 };
        let (mut ahead, mut rows) = (response.clone(), Rows::default());
        let length = ahead.take_rows(unread, |bytes| rows.add(bytes));
        // Where one may be one too many, each is asked by itself.
        if length == 0 || !run.rows(rows) {
            return 0;
        }
        *response = ahead;
        length
    }

    /// A row that would have to be written anew is too long for one packet: its statement is refused. False
    /// if there is none.
    pub(super) fn cut_long_row(&mut self) -> bool {
        let Some(Answer { of: Of::Runs(running), .. }) = &mut self.answer else { return false };
        let Some(run) = running.run() else { return false };
        let text = "a row with masked columns is 16 MiB long or longer, which can't be masked";
        let hint = "Ask for its long columns apart from the masked ones, or for less of them.";
        run.cut(Refusal::new(RefusalKind::NotSupported, text).with_hint(hint));
        true
    }

    /// A whole row: ours is kept, a masked one is written anew.
    ///
    /// # Errors
    /// Fail closed: a row that doesn't fit its header ends the session.
    pub(super) fn whole_row(&mut self, header: Header, payload: &[u8]) -> Result<(), End> {
        let Self { answer, down, .. } = self;
        let Some(Answer { of, .. }) = answer else { return Ok(()) };
        match of {
            Of::Own { row, .. } => {
                let mut cells = row::TextRow::new(payload);
                row.clear();
                while cells.left() > 0 {
                    let cell = cells.cell().map_err(End::Upstream)?;
                    row.push(cell.map(|bytes| String::from_utf8_lossy(bytes).into_owned()));
                }
                Ok(())
            }
            Of::Runs(running) => {
                let format = running.format;
                let shapes = std::mem::take(&mut running.shapes);
                if let Some(hidden) = running.run().and_then(|run| run.hide.clone()) {
                    let written = match format {
                        Format::Text => hide(down, (header, payload), &hidden),
                        Format::Binary => hide_binary(down, (header, payload), &hidden, &shapes),
                    };
                    running.shapes = shapes;
                    return written;
                }
                let plan = running.run().and_then(|run| run.plan.as_ref());
                let Some(plan) = plan else { return Err(odd()) };
                let mut written = Ok(0);
                packet::put(down, header.sequence, |out| {
                    written = row::rewrite(out, payload, (&shapes, plan, format));
                });
                running.shapes = shapes;
                written.map(|_| ()).map_err(|_| odd())
            }
            Of::Plain | Of::Reset | Of::Prepare(_) => Ok(()),
        }
    }
}

pub(super) fn odd() -> End {
    let text = "a row that is to be masked has another shape than expected";
    End::Refused(Refusal::new(RefusalKind::Internal, text))
}
