//! Reading one table of the settings file: typed values with their places, and every problem at once.
//!
//! A section remembers each key it was asked for; what is left over in the file is unknown, and what
//! was asked for is the list of accepted keys. So the two can't drift apart.

use std::{cell::RefCell, collections::BTreeSet, ops::Range, path::PathBuf, time::Duration};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    config::address::{Address, parse_bytes},
    kernel::time::parse_duration,
};

/// A value and the bytes of the file it was read from.
pub(super) type Placed<T> = (T, Range<usize>);

/// What was found while reading, shared by all sections.
#[derive(Default)]
pub(super) struct Findings {
    issues: RefCell<Vec<(Range<usize>, String)>>,
    asked: RefCell<BTreeSet<String>>,
}

impl Findings {
    /// Notes a problem at a place.
    pub(super) fn issue(&self, span: Range<usize>, message: impl Into<String>) {
        self.issues.borrow_mut().push((span, message.into()));
    }

    /// All problems in the order of the file, and all keys that were asked for.
    pub(super) fn into_parts(self) -> (Vec<(Range<usize>, String)>, BTreeSet<String>) {
        let mut issues = self.issues.into_inner();
        issues.sort_by_key(|(span, _)| span.start);
        (issues, self.asked.into_inner())
    }
}

/// One table while it is read.
pub(super) struct Section<'a> {
    /// As in the file: `limits`, `listen`, empty at the top.
    name: &'static str,
    span: Range<usize>,
    table: Option<&'a DeTable<'a>>,
    findings: &'a Findings,
    accepted: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    /// A table; `None` reads as an empty one, so that defaults stand in one place.
    pub(super) fn new(
        name: &'static str,
        span: Range<usize>,
        table: Option<&'a DeTable<'a>>,
        findings: &'a Findings,
    ) -> Self {
        Self { name, span, table, findings, accepted: RefCell::default() }
    }

    /// Where the section stands.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Notes a problem at a place.
    pub(super) fn issue(&self, span: Range<usize>, message: impl Into<String>) {
        self.findings.issue(span, message);
    }

    /// The raw value of a key, if it is there.
    fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.accepted.borrow_mut().push(key);
        let path =
            if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        self.findings.asked.borrow_mut().insert(path);
        self.table?.iter().find(|(k, _)| k.get_ref() == key).map(|(_, v)| v)
    }

    /// Where the key stands, if it is there.
    pub(super) fn place(&self, key: &'static str) -> Option<Range<usize>> {
        self.table?.iter().find(|(k, _)| k.get_ref() == key).map(|(k, _)| k.span())
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let got = match value.get_ref() {
            // A URL may carry a password, and one that was mistyped, too.
            DeValue::String(text) if text.contains("://") || text.contains('@') => {
                "\"…://…\"".to_owned()
            }
            DeValue::String(text) => format!("\"{}\"", text.chars().take(64).collect::<String>()),
            DeValue::Integer(number) => number.as_str().chars().take(64).collect(),
            DeValue::Boolean(truth) => truth.to_string(),
            other => format!("({})", other.type_str()),
        };
        self.issue(value.span(), format!("{key} = {got}: expected {wanted}"));
    }

    /// A value that `read` makes of a text.
    pub(super) fn parsed<T>(
        &self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Placed<T>> {
        let value = self.value(key)?;
        let made = value.get_ref().as_str().and_then(read);
        if made.is_none() {
            self.wrong(key, value, wanted);
        }
        made.map(|made| (made, value.span()))
    }

    /// A text that isn't empty. Control characters could end a line where the text is shown.
    pub(super) fn text(&self, key: &'static str) -> Option<Placed<String>> {
        self.parsed(key, "a text of one line", |t| {
            (!t.trim().is_empty() && !t.contains(char::is_control)).then(|| t.to_owned())
        })
    }

    /// A path, as written.
    pub(super) fn path(&self, key: &'static str) -> Option<Placed<PathBuf>> {
        self.text(key).map(|(text, span)| (PathBuf::from(text), span))
    }

    /// One of some words.
    pub(super) fn choice<T: Copy>(
        &self,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Option<Placed<T>> {
        let list = words.iter().map(|(w, _)| format!("\"{w}\"")).collect::<Vec<_>>().join(", ");
        self.parsed(key, &format!("one of {list}"), |text| {
            words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
        })
    }

    /// An address.
    pub(super) fn address(&self, key: &'static str) -> Option<Placed<Address>> {
        let wanted = "host:port, as in \"127.0.0.1:6432\", or the path of a unix socket";
        self.parsed(key, wanted, Address::parse)
    }

    /// A duration, at least a second.
    pub(super) fn duration(&self, key: &'static str, default: Duration) -> Duration {
        let wanted = "a duration, as in \"30s\", \"10m\", \"24h\", \"400d\"";
        self.parsed(key, wanted, |t| parse_duration(t).ok()).map_or(default, |(d, _)| d)
    }

    /// A duration, or `"off"`.
    pub(super) fn duration_or_off(&self, key: &'static str, default: Duration) -> Option<Duration> {
        let wanted = "a duration, as in \"30s\", \"10m\", \"24h\", or \"off\"";
        let read = |t: &str| match t {
            "off" => Some(None),
            _ => parse_duration(t).ok().map(Some),
        };
        self.parsed(key, wanted, read).map_or(Some(default), |(d, _)| d)
    }

    /// A size in bytes: a text with a unit, or a number.
    pub(super) fn bytes(&self, key: &'static str, default: u64) -> u64 {
        let Some(value) = self.value(key) else { return default };
        let size = match value.get_ref() {
            DeValue::String(text) => parse_bytes(text),
            _ => integer(value.get_ref()).filter(|n| *n > 0),
        };
        if size.is_none() {
            self.wrong(key, value, "a size, as in 4096, \"64KiB\", \"10MiB\", \"2GiB\"");
        }
        size.unwrap_or(default)
    }

    /// A count within limits.
    pub(super) fn count(&self, key: &'static str, default: u64, most: u64) -> u64 {
        let Some(value) = self.value(key) else { return default };
        let count = integer(value.get_ref()).filter(|n| (1..=most).contains(n));
        if count.is_none() {
            self.wrong(key, value, &format!("a whole number from 1 to {most}"));
        }
        count.unwrap_or(default)
    }

    /// True or false.
    pub(super) fn truth(&self, key: &'static str, default: bool) -> bool {
        let Some(value) = self.value(key) else { return default };
        let truth = value.get_ref().as_bool();
        if truth.is_none() {
            self.wrong(key, value, "true or false");
        }
        truth.unwrap_or(default)
    }

    /// A list of values that `read` makes of texts; an entry that is none is a problem of its own.
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Placed<Vec<T>>> {
        let value = self.value(key)?;
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(key, value, "a list of texts, as in [\"one\", \"two\"]");
            return None;
        };
        let mut list = Vec::new();
        for entry in array {
            match entry.get_ref().as_str().map(&read) {
                Some(Ok(made)) => list.push(made),
                Some(Err(message)) => self.issue(entry.span(), format!("{key}: {message}")),
                None => self.wrong(key, entry, "a text"),
            }
        }
        Some((list, value.span()))
    }

    /// The table under a key, to be read as a section of that name.
    pub(super) fn section(&self, key: &'static str) -> Section<'a> {
        let value = self.value(key);
        let table = value.and_then(|v| v.get_ref().as_table());
        if let (Some(value), None) = (value, table) {
            self.wrong(key, value, &format!("a section [{key}]"));
        }
        let span = self.place(key).unwrap_or_else(|| self.span());
        Section::new(key, span, table, self.findings)
    }

    /// The tables of a list `[[key]]`, each to be read as a section of that name.
    pub(super) fn sections(&self, key: &'static str) -> Vec<Section<'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let tables: Option<Vec<_>> = value.get_ref().as_array().and_then(|array| {
            array.iter().map(|v| v.get_ref().as_table().map(|t| (t, v.span()))).collect()
        });
        let Some(tables) = tables else {
            self.wrong(key, value, &format!("sections [[{key}]], with two brackets"));
            return Vec::new();
        };
        tables
            .into_iter()
            .map(|(table, span)| Section::new(key, span, Some(table), self.findings))
            .collect()
    }

    /// The tables under a key with free names, `[key.NAME]`, each to be read as a section `key`.
    pub(super) fn named_sections(&self, key: &'static str) -> Vec<(Placed<String>, Section<'a>)> {
        let outer = self.section(key);
        let mut list = Vec::new();
        for (name, value) in outer.table.into_iter().flat_map(|t| t.iter()) {
            let Some(table) = value.get_ref().as_table() else {
                self.wrong(name.get_ref(), value, &format!("a section [{key}.NAME]"));
                continue;
            };
            let section = Section::new(key, name.span(), Some(table), self.findings);
            list.push(((name.get_ref().to_string(), name.span()), section));
        }
        list
    }

    /// Notes that keys are there which this kind of section has no use for.
    pub(super) fn unused(&self, keys: &[&'static str], why: &str) {
        for key in keys {
            if let Some(span) = self.place(key) {
                self.issue(span, format!("{key} {why}"));
            }
        }
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(self) {
        let accepted = self.accepted.into_inner();
        for (key, _) in self.table.into_iter().flat_map(|t| t.iter()) {
            if accepted.iter().any(|a| a == key.get_ref()) {
                continue;
            }
            let place = match self.name {
                "" => "at the top of the file".to_owned(),
                name => format!("in {name}"),
            };
            let key_text: String = key.get_ref().chars().take(64).collect();
            let message =
                format!("unknown key `{key_text}` {place}; accepted: {}", accepted.join(", "));
            self.findings.issue(key.span(), message);
        }
    }
}

fn integer(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}
