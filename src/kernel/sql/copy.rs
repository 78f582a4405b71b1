//! What of a COPY … TO STDOUT its rows hang on: whose columns they are, and how they are written.

/// A COPY … TO STDOUT. Of one text, for the options are constants: texts that differ in them are judged alike.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CopyOut {
    /// What is copied.
    pub source: CopySource,
    /// How its rows are written; `None`: it has an option that isn't known.
    pub options: Option<CopyOptions>,
}

/// What is copied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CopySource {
    /// The rows of a query. Its text, behind as many blanks as there are characters before it, so that a
    /// server points to the same place in both.
    Query(String),
    /// A table's own rows, without those of its children. Its name as SQL writes it, and the columns;
    /// none: all that aren't generated, in the order of their numbers.
    Table {
        /// Quoted.
        name: String,
        /// As named.
        columns: Vec<String>,
    },
}

impl CopySource {
    /// A query whose header is that of the copy. `all`: the columns that the table is known to have, for
    /// a copy that names none.
    pub fn query(&self, all: &[&str]) -> String {
        let Self::Table { name, columns } = self else {
            let Self::Query(text) = self else { return String::new() };
            return text.clone();
        };
        let quoted: Vec<_> = if columns.is_empty() {
            all.iter().map(|name| quote(name)).collect()
        } else {
            columns.iter().map(|name| quote(name)).collect()
        };
        format!("SELECT {} FROM ONLY {name}", quoted.join(", "))
    }

    /// True if the columns come in the order of their numbers.
    pub fn is_in_order(&self) -> bool {
        matches!(self, Self::Table { columns, .. } if columns.is_empty())
    }
}

/// A name in double quotes.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// How the rows of a copy are written. Spec: <https://www.postgresql.org/docs/current/sql-copy.html>.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CopyOptions {
    /// FORMAT.
    pub form: CopyForm,
    /// DELIMITER, of one byte.
    pub delimiter: Option<u8>,
    /// NULL.
    pub null: Option<String>,
    /// HEADER.
    pub header: bool,
    /// QUOTE, of one byte.
    pub quote: Option<u8>,
    /// ESCAPE, of one byte.
    pub escape: Option<u8>,
    /// FORCE_QUOTE.
    pub force_quote: Forced,
    /// ENCODING, as written.
    pub encoding: Option<String>,
}

/// FORMAT.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CopyForm {
    /// text.
    #[default]
    Text,
    /// csv.
    Csv,
    /// binary.
    Binary,
}

/// FORCE_QUOTE.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Forced {
    /// Not given.
    #[default]
    None,
    /// `*`.
    All,
    /// These columns.
    Columns(Vec<String>),
}
