//! What a session is told without having asked. A server of this family says nothing by itself, so that it
//! counts as a warning of the next result, and SHOW WARNINGS shows it.

use super::{answer::Running, talk::Talk};
use crate::{
    kernel::{ids::GrantId, mask::Format, sql::reading::StatementKind},
    session::ends,
    wire::mysql::{
        Capabilities,
        field::put_cell,
        packet::{self, Header},
        reply::{self, EofPacket, OkPacket, Status},
        response::Ended,
    },
};

/// So many are kept for SHOW WARNINGS, the newest.
const KEPT_MAX: usize = 8;

/// Columns of SHOW WARNINGS: level, number, message.
const COLUMNS: usize = 3;

/// The number of a note of the gateway's own: `ER_UNKNOWN_ERROR`, which says nothing of its own.
const NUMBER: &[u8] = b"1105";

/// What the client is to be told.
#[derive(Debug, Default)]
pub(super) struct Notes {
    texts: Vec<String>,
    /// How many of them no result has counted yet.
    uncounted: u16,
    /// Which ends of grants have been warned of.
    pub(super) warned: Vec<(GrantId, u8)>,
}

impl Notes {
    /// One more. `counted`: a result says so already.
    pub(super) fn push(&mut self, text: String, counted: bool) {
        if self.texts.len() >= KEPT_MAX {
            self.texts.remove(0);
        }
        self.texts.push(text);
        self.uncounted = self.uncounted.saturating_add(u16::from(!counted));
    }

    /// How many more warnings the next result has.
    pub(super) fn count(&mut self) -> u16 {
        std::mem::take(&mut self.uncounted)
    }
}

impl Talk {
    /// Warns of grants that end soon.
    pub(super) fn warn_of_ends(&mut self) {
        for text in ends::warnings(&self.rights.grants, self.now, &mut self.notes.warned) {
            self.notes.push(text, false);
        }
    }

    /// The end of a result with rows where there is something to tell. False: it passes as it is.
    pub(super) fn ends_with_notes(
        &mut self,
        running: &Running,
        (ended, payload): (Ended, &[u8]),
        header: Header,
    ) -> bool {
        let mut next = header.sequence;
        if running.columns == COLUMNS
            && running.format == Format::Text
            && shows_warnings(running)
            // The numbers of what comes behind are the server's.
            && !ended.status.has(Status::MORE_RESULTS)
        {
            self.notes.count();
            for text in std::mem::take(&mut self.notes.texts) {
                let text = if self.speaks_utf8 {
                    text
                } else {
                    text.replace(|c: char| !c.is_ascii(), "?")
                };
                next = packet::put(&mut self.down, next, |out| {
                    for cell in [b"Note", NUMBER, text.as_bytes()] {
                        put_cell(out, Some(cell));
                    }
                });
            }
        }
        let more = self.notes.count();
        let counted = counted(running, ended.warnings);
        if more == 0 && next == header.sequence && counted == ended.warnings {
            return false;
        }
        let warnings = counted.saturating_add(more);
        if self.client.has(Capabilities::DEPRECATE_EOF) {
            let said = OkPacket::read(payload, self.shared).unwrap_or_default();
            let ok = OkPacket { status: ended.status, warnings, ..said };
            ok.write(&mut self.down, (next, reply::EOF), self.client);
        } else {
            EofPacket { warnings, status: ended.status }.write(&mut self.down, next);
        }
        true
    }
}

/// How many messages a client is told of. Where they may quote what is masked it is shown none of them; and
/// whether there are any would tell of it, value by value: what is too long for a result is warned of.
pub(super) fn counted(running: &Running, warnings: u16) -> u16 {
    let masked = running.at_work().is_some_and(|run| run.mask.is_some());
    if masked { 0 } else { warnings }
}

/// True of the rows of SHOW WARNINGS and its like where they may quote what is masked.
pub(super) fn withheld(running: &Running) -> bool {
    let shows = running.analysis().is_some_and(|a| a.kind == StatementKind::ShowWarnings);
    shows && running.columns == COLUMNS && running.at_work().is_some_and(|run| run.mask.is_some())
}

/// SHOW WARNINGS, not SHOW ERRORS and not their number.
fn shows_warnings(running: &Running) -> bool {
    let shows = running.analysis().is_some_and(|a| a.kind == StatementKind::ShowWarnings);
    shows && running.text.to_ascii_lowercase().contains("warnings")
}
