//! Rows that don't go out as they came: what admin alone may see is replaced in them.

use super::conversation::End;
use crate::{
    kernel::{
        refusal::{Refusal, RefusalKind},
        sql::analysis::Hidden,
    },
    wire::pg::{backend, row},
};

/// What stands where something is hidden. The columns are text, whose binary form is the same.
const HIDDEN: &[u8] = b"<hidden: needs admin>";

/// Writes a row for the client without what is hidden in it.
///
/// # Errors
/// Fail closed: a row of another shape than the statement was judged to have ends the session.
pub(super) fn rewrite(down: &mut Vec<u8>, frame: &[u8], hidden: &Hidden) -> Result<(), End> {
    let is_row = frame.first() == Some(&backend::DATA_ROW);
    let written = is_row
        .then(|| row::replace(down, frame, (hidden.width, &hidden.columns), HIDDEN).ok())
        .flatten();
    written.ok_or_else(|| {
        let text = "a row that hides something has another shape than expected";
        End::Refused(Refusal::new(RefusalKind::Internal, text))
    })
}
