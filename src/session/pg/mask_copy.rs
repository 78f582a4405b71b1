//! COPY … TO STDOUT of what has masked columns: its header doesn't say which column is which, so the query behind
//! it is described in front of it.

use super::{
    conversation::{Conversation, End},
    mask::described,
    owed::{Ours, Tag},
};
use crate::{
    kernel::{
        mask::{
            Plan,
            marks::{Described, Masked, Mismatch},
        },
        policy::Permit,
        refusal::{Refusal, RefusalKind},
        sql::{
            analysis::Analysis,
            charset::ClientText,
            copy::{CopyForm, CopyOptions, Forced},
            reading::StatementKind,
            server_grammar,
        },
    },
    session::{
        mask::mismatch,
        result::{Copying, Run},
    },
    upstream::door::Control,
    wire::pg::{
        backend::{self, RowDescription},
        copy_rows::{CopyFormat, CopyRows, Csv, ForceQuote, Header},
        exchange::{Step, Whose},
    },
};

impl Conversation {
    /// What has to be known of a COPY whose rows are masked; `None`: it is none.
    ///
    /// # Errors
    /// Nobody can tell how its rows are written.
    pub(super) fn copying(
        &self,
        text: &str,
        analysis: Option<&Analysis>,
        permit: &Permit,
    ) -> Result<Option<Copying>, Refusal> {
        let Some(analysis) = analysis.filter(|a| a.kind == StatementKind::CopyToClient) else {
            return Ok(None);
        };
        let nothing = std::sync::Arc::default();
        let shown = permit.shown().unwrap_or(&nothing);
        let Some(masked) = analysis.masked.as_ref().filter(|m| m.order(shown).is_some()) else {
            return Ok(None);
        };
        let Some(copy) = server_grammar::copy_out(text, self.reading.mode) else {
            return Err(unmaskable("it can't be read"));
        };
        let is_utf8 = |name: &String| {
            matches!(name.to_ascii_lowercase().as_str(), "utf8" | "utf-8" | "unicode")
        };
        let options = copy.options.filter(|o| o.encoding.as_ref().is_none_or(is_utf8));
        if options.is_none() && masked.masks_any(shown) {
            return Err(unmaskable(
                "it has an option that isn't known, or another ENCODING than UTF8",
            ));
        }
        let all = known_columns(masked);
        if copy.source.is_in_order() && all.is_none() {
            return Err(unmaskable("which columns the table has isn't known: name them"));
        }
        let query = copy.source.query(&all.unwrap_or_default());
        let null = options.as_ref().and_then(|o| o.null.as_deref()).unwrap_or_default();
        let is_ascii = query.is_ascii() && null.is_ascii();
        if !self.client_text.is_utf8() && !is_ascii {
            return Err(unmaskable(
                "it has letters beyond ASCII, in another client_encoding than UTF8",
            ));
        }
        Ok(Some(Copying { in_order: copy.source.is_in_order(), query, options }))
    }

    /// Asks for the header of the query behind a copy, in front of it. `sync`: it is a Query; an error then
    /// ends with our own Sync, and the copy has its own.
    pub(super) fn ask_copied(&mut self, query: String, sync: bool) {
        self.controls.push_back(Control::DescribeText { query, sync });
        for step in [Step::Parse, Step::DescribeStatement, Step::Close] {
            self.owe(step, Whose::Gateway, Tag::Ours(Ours::Shape));
        }
        if sync {
            self.owe(Step::Sync, Whose::Gateway, Tag::Ours(Ours::Shape));
        }
    }
}

/// The names of a table's columns, as the catalog has them.
fn known_columns(masked: &Masked) -> Option<Vec<&str>> {
    let outputs = masked.lineage.outputs.as_ref()?;
    outputs.iter().map(|output| output.name.as_deref()).collect()
}

fn unmaskable(why: &str) -> Refusal {
    Refusal::new(RefusalKind::StatementDenied, "this COPY can't be masked")
        .with_detail(format!("It hands out masked columns, and {why}."))
        .with_hint("Copy the other columns, or use SELECT; sql.unmask shows them in clear.")
}

/// So many columns are named.
const NAMED_MAX: usize = 20;

/// Says which columns of a copy are masked: what is made of it, a dump or a file, doesn't say so itself. A
/// warning, because a client that hides notices makes such files too.
fn warn(down: &mut Vec<u8>, plan: &Plan, columns: &[Described<'_>], text: ClientText) {
    let Some((cells, _)) = plan.masks() else { return };
    let masked = || cells.iter().zip(columns).filter(|(cell, _)| cell.is_some());
    let count = masked().count();
    let names: Vec<_> =
        masked().take(NAMED_MAX).map(|(_, column)| text.read_lossy(column.name)).collect();
    let more = count.saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let message = format!(
        "masked in this copy: {}{more}; the values of the database can't be restored from it",
        names.join(", "),
    );
    backend::warning(down, &message, text);
}

/// Begins to mask a copy by the header of the query behind it, and says what is masked in it.
///
/// # Errors
/// The result of another shape; the run has been cut then.
pub(super) fn begin(
    run: &mut Run,
    header: Option<&[u8]>,
    (down, text): (&mut Vec<u8>, ClientText),
) -> Result<Option<CopyRows>, End> {
    let Some((copying, order)) = run.copying.take().zip(run.mask.as_ref()) else { return Ok(None) };
    let Some(header) = header else {
        // What was asked for doesn't exist, and the copy does.
        run.cut(mismatch(Mismatch::Shape));
        return Ok(None);
    };
    let header = RowDescription::new(header).map_err(End::Upstream)?;
    let columns: Vec<_> = header.iter().map(|column| described(order, column)).collect();
    let in_order = !copying.in_order
        || columns
            .is_sorted_by(|one, next| one.relation == next.relation && one.number < next.number);
    let plan =
        order.plan(&columns).and_then(|plan| in_order.then_some(plan).ok_or(Mismatch::Shape));
    let format = copying.options.and_then(|options| format_of(&options, &columns));
    match (plan, format) {
        (Ok(plan), _) if plan.is_none() => {
            run.plan = Some(plan);
            Ok(None)
        }
        (Ok(plan), Some(format)) => {
            if run.cut.is_none() {
                warn(down, &plan, &columns, text);
            }
            run.plan = Some(plan.clone());
            Ok(Some(CopyRows::new(plan, format)))
        }
        (Err(why), _) => {
            run.cut(mismatch(why));
            Ok(None)
        }
        (Ok(_), None) => {
            run.cut(mismatch(Mismatch::Shape));
            Ok(None)
        }
    }
}

/// `None`: a column that isn't there.
fn format_of(options: &CopyOptions, columns: &[Described<'_>]) -> Option<CopyFormat> {
    let header = if options.header { Header::Yes } else { Header::No };
    let null =
        |usual: &[u8]| -> Box<[u8]> { options.null.as_deref().map_or(usual, str::as_bytes).into() };
    Some(match options.form {
        CopyForm::Text => CopyFormat::Text {
            delimiter: options.delimiter.unwrap_or(b'\t'),
            null: null(b"\\N"),
            header,
        },
        CopyForm::Csv => {
            let quote = options.quote.unwrap_or(b'"');
            CopyFormat::Csv(Csv {
                delimiter: options.delimiter.unwrap_or(b','),
                null: null(b""),
                quote,
                escape: options.escape.unwrap_or(quote),
                header,
                force_quote: forced(&options.force_quote, columns)?,
            })
        }
        CopyForm::Binary => CopyFormat::Binary,
    })
}

fn forced(forced: &Forced, columns: &[Described<'_>]) -> Option<ForceQuote> {
    let names = match forced {
        Forced::None => &[][..],
        Forced::All => return Some(ForceQuote::All),
        Forced::Columns(names) => names,
    };
    let place = |name: &String| columns.iter().position(|c| c.name == name.as_bytes());
    names.iter().map(place).collect::<Option<_>>().map(ForceQuote::Columns)
}
