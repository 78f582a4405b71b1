//! Masking what COPY TO STDOUT sends: rows as text, as CSV, and in binary.
//!
//! The copy's own header says only how many columns there are, so the plan comes from the statement and
//! its lineage, and so do the options. The copy's encoding (its own ENCODING, else the session's) must be
//! one in which no byte of a character of several looks like ASCII, as in UTF-8: who makes a [`CopyRows`]
//! for another one takes halves of characters for delimiters.
//!
//! Spec: the file formats in <https://www.postgresql.org/docs/current/sql-copy.html>. Postgres sends one
//! row a message. Several whole ones in a message are rewritten as well; a row that isn't whole is an
//! error, for what is half read could be half masked.

mod binary;
mod csv;
mod signs;
mod text;

use super::{backend::COPY_DATA, body, frame};
use crate::{
    kernel::mask::{CellMask, Format, Key, Plan, Shown},
    wire::WireError,
};

/// How rows are written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CopyFormat {
    /// FORMAT text.
    Text {
        /// DELIMITER: a tab unless given.
        delimiter: u8,
        /// NULL: `\N` unless given. A text that a value could be written as doesn't tell NULL from that
        /// value; in masked columns both are then masked as the value. Fail closed: the client chooses
        /// it, and would see where her guess is right.
        null: Box<[u8]>,
        /// HEADER: the first row is names.
        header: Header,
    },
    /// FORMAT csv.
    Csv(Csv),
    /// FORMAT binary.
    Binary,
}

/// The options of FORMAT csv.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Csv {
    /// DELIMITER: a comma unless given.
    pub delimiter: u8,
    /// NULL: empty unless given.
    pub null: Box<[u8]>,
    /// QUOTE: `"` unless given.
    pub quote: u8,
    /// ESCAPE: the quote unless given.
    pub escape: u8,
    /// HEADER: the first row is names.
    pub header: Header,
    /// FORCE_QUOTE.
    pub force_quote: ForceQuote,
}

/// Whether the first row is names, which aren't masked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Header {
    /// HEADER.
    Yes,
    /// None.
    No,
}

/// Which columns are quoted whatever is in them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ForceQuote {
    /// Those, from 0; none by default.
    Columns(Box<[usize]>),
    /// `*`.
    All,
}

impl ForceQuote {
    fn holds(&self, column: usize) -> bool {
        match self {
            Self::Columns(columns) => columns.contains(&column),
            Self::All => true,
        }
    }
}

impl CopyFormat {
    /// FORMAT text as it is without options.
    pub fn text() -> Self {
        Self::Text { delimiter: b'\t', null: Box::new(*b"\\N"), header: Header::No }
    }

    /// FORMAT csv as it is without options.
    pub fn csv() -> Csv {
        Csv {
            delimiter: b',',
            null: Box::default(),
            quote: b'"',
            escape: b'"',
            header: Header::No,
            force_quote: ForceQuote::Columns(Box::default()),
        }
    }
}

/// One copy in flight.
#[derive(Debug)]
pub struct CopyRows {
    plan: Plan,
    format: CopyFormat,
    at: Place,
    /// Whether NULL can be told from values by how it is written.
    null: NullText,
    /// A cell as it is without its escapes; kept for its room.
    cell: Vec<u8>,
}

/// What a text for NULL is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum NullText {
    /// No value is written so.
    Told,
    /// A value may be.
    Ambiguous,
}

/// Where in the copy the next message stands. `Beginning → Rows → End`; `End` for binary only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// A header is next, if the format has one.
    Beginning,
    /// Rows are.
    Rows,
    /// Nothing is.
    End,
}

impl CopyRows {
    /// Of this format, under a plan whose columns are those of the copy, in its order. The format that
    /// the plan says of each column doesn't matter: the copy has one for all.
    pub fn new(plan: Plan, format: CopyFormat) -> Self {
        let null = match &format {
            CopyFormat::Text { delimiter, null, .. } => text::null_text(*delimiter, null),
            // Here what would read as NULL stands in quotes.
            CopyFormat::Csv(_) | CopyFormat::Binary => NullText::Told,
        };
        Self { plan, format, at: Place::Beginning, null, cell: Vec::new() }
    }

    /// Appends a CopyData frame as the plan shows it, and gives how many cells were rewritten. Nothing is
    /// appended for one that can't be read; then the copy can't go on.
    ///
    /// # Errors
    /// Rows that aren't whole, aren't as wide as the plan, or break their format.
    pub fn rewrite(&mut self, out: &mut Vec<u8>, frame: &[u8]) -> Result<usize, WireError> {
        let Some((masks, key)) = self.plan.masks() else {
            out.extend_from_slice(frame);
            return Ok(0);
        };
        let header = frame::from_upstream(frame)?;
        if header.is_none_or(|header| header.tag != COPY_DATA || header.length != frame.len()) {
            return Err(WireError::Truncated { tag: COPY_DATA });
        }
        let start = out.len();
        let mut rows = Rows {
            masks,
            key,
            width: self.plan.width(),
            at: self.at,
            null: self.null,
            cell: &mut self.cell,
            rewritten: 0,
        };
        let mut read = Ok(());
        body::message(out, COPY_DATA, |out| {
            let payload = frame::body(frame);
            read = match &self.format {
                CopyFormat::Text { delimiter, null, header } => {
                    text::rewrite(&mut rows, (*delimiter, null, *header), payload, out)
                }
                CopyFormat::Csv(options) => csv::rewrite(&mut rows, options, payload, out),
                CopyFormat::Binary => binary::rewrite(&mut rows, payload, out),
            };
        });
        let (at, rewritten) = (rows.at, rows.rewritten);
        let fits = i32::try_from(out.len().saturating_sub(start)).is_ok();
        let read = read.and(if fits { Ok(()) } else { Err(bad("length of a copied row")) });
        if let Err(error) = read {
            out.truncate(start);
            return Err(error);
        }
        self.at = at;
        Ok(rewritten)
    }
}

fn bad(what: &'static str) -> WireError {
    WireError::BadValue { what }
}

/// What the formats share while they rewrite one message.
struct Rows<'a> {
    masks: &'a [Option<CellMask>],
    key: &'a Key,
    width: usize,
    at: Place,
    null: NullText,
    cell: &'a mut Vec<u8>,
    rewritten: usize,
}

impl Rows<'_> {
    /// Appends what the client gets for a cell without its escapes; `None` is NULL.
    fn apply(&mut self, mask: &CellMask, cell: Option<&[u8]>, out: &mut Vec<u8>) -> Shown {
        self.rewritten = self.rewritten.saturating_add(1);
        super::cell::apply_as(mask, Format::Text, cell, (self.key, out))
    }

    /// True once, for the row of names.
    fn takes_header(&mut self, header: Header) -> bool {
        let is_first = self.at == Place::Beginning;
        self.at = Place::Rows;
        is_first && header == Header::Yes
    }
}

#[cfg(test)]
mod tests;
