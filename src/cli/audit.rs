//! `hallpass audit …`: read what is on record, and check that it is what was written.
//!
//! Reads come from the audit table, which is first brought up to date from the trail; that works
//! beside a running gateway and without one. Each read is itself an event of the store, so that it
//! gets on the trail too.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::{
    cli::{Error, Workplace, output::show_time, workplace::now},
    config::{Config, IndexSetting},
    kernel::{
        secret::Secret,
        time::{Timestamp, parse_duration},
    },
    trail::{
        Checkpoint,
        identity::PublicKey,
        index::{COLUMNS, Filter, Index, Options, Place},
        verify::{Question, Report, verify},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Statements and events, the oldest first, one a line
    List(List),
    /// The last statements and events; with -f, those to come as well
    Tail {
        /// Go on with what comes
        #[arg(short, long)]
        follow: bool,
        #[command(flatten)]
        which: Which,
    },
    /// Check that the trail is what was written: name what was altered, removed, reordered or cut
    Verify {
        /// Copies of checkpoints that were kept elsewhere: any file with their lines in it, such as
        /// a log. The store's own copies are always used
        #[arg(long, value_name = "FILE")]
        heads: Vec<PathBuf>,
    },
    /// Every column of every row
    #[command(long_about = EXPORT)]
    Export {
        /// In which form
        #[arg(long, value_enum)]
        format: Format,
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    which: Which,
    /// The most rows: the youngest
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: u32,
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// Of this principal; of an OS user as in os:root
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// On this target
    #[arg(long)]
    target: Option<String>,
    /// Not before: a time, a day, or how long ago, as in 2026-11-23T14:05:00Z, 2026-11-23, 2h
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<Timestamp>,
    /// Before: as --since
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<Timestamp>,
    /// Refused statements and failed log-ins only
    #[arg(long)]
    denied: bool,
    /// With this text in the statement or the particulars, in any case
    #[arg(long, value_name = "TEXT")]
    grep: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One JSON object a line
    Jsonl,
    /// Comma-separated, with a header line
    Csv,
}

const EXPORT: &str = "Every column of every row, the oldest first. In csv, a cell that a spreadsheet \
                      would take for a formula begins with an apostrophe.";

impl Command {
    pub(super) async fn run(&self, place: &Workplace) -> Result<ExitCode, Error> {
        match self {
            Self::List(list) => {
                let what = format!("list{}", list.which);
                let mut out = Printer::new(form(place));
                let index = opened(place, &what).await?;
                let filter = list.which.filter();
                let after = index.before_last(&filter, list.limit).await?;
                out.pages(&index, &filter, after).await?;
            }
            Self::Tail { follow, which } => {
                let what = format!("tail{which}");
                let mut out = Printer::new(form(place));
                let index = opened(place, &what).await?;
                let filter = which.filter();
                let mut after = index.before_last(&filter, TAIL_ROWS).await?;
                after = out.pages(&index, &filter, after).await?;
                while *follow && !out.closed {
                    tokio::time::sleep(FOLLOW_INTERVAL).await;
                    index.catch_up().await?;
                    after = out.pages(&index, &filter, after).await?;
                }
            }
            Self::Export { format, which } => {
                let what = format!("export{which}");
                let mut out = Printer::new(match format {
                    Format::Jsonl => Form::Json,
                    Format::Csv => Form::Csv,
                });
                out.header()?;
                let index = opened(place, &what).await?;
                out.pages(&index, &which.filter(), 0).await?;
            }
            Self::Verify { heads } => return run_verify(place, heads).await,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Which {
    fn filter(&self) -> Filter {
        Filter {
            user: self.user.clone(),
            target: self.target.clone(),
            since: self.since,
            until: self.until,
            denied: self.denied,
            grep: self.grep.clone(),
        }
    }
}

impl std::fmt::Display for Which {
    /// As on the command line, for the record of the read.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let texts = [("user", &self.user), ("target", &self.target), ("grep", &self.grep)];
        for (name, value) in texts {
            if let Some(value) = value {
                write!(f, " --{name} {value:?}")?;
            }
        }
        for (name, value) in [("since", self.since), ("until", self.until)] {
            if let Some(value) = value {
                write!(f, " --{name} {value}")?;
            }
        }
        if self.denied { f.write_str(" --denied") } else { Ok(()) }
    }
}

/// How the settings want the audit table kept, with the trail it is made from.
pub(super) fn index_options(config: &Config) -> Options {
    let place = match &config.audit.index {
        IndexSetting::Embedded => Place::Sqlite(config.data_dir.join("audit.db")),
        IndexSetting::Postgres(url) => Place::Postgres(Secret::new(url.as_str())),
    };
    let mut options = Options::new(config.data_dir.join("trail"), place);
    options.keep = Some(config.audit.keep);
    options.quota_bytes = Some(config.audit.quota_bytes);
    options
}

/// The table, up to date, after this read is on record.
async fn opened(place: &Workplace, what: &str) -> Result<Index, Error> {
    let store = place.store().await?;
    store.note_audit_read(&place.actor, what, now()).await?;
    let index = Index::open(index_options(&place.config)).await?;
    if let Err(error) = index.catch_up().await {
        // What is in the table can still be read.
        eprintln!("hallpass: the audit table is not up to date: {error}");
    }
    Ok(index)
}

async fn run_verify(place: &Workplace, files: &[PathBuf]) -> Result<ExitCode, Error> {
    let data_dir = &place.config.data_dir;
    let key = PublicKey::load(&data_dir.join("node.pub"))?;
    let node = key.node();
    let mut heads = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file)
            .map_err(|cause| Error::File { path: file.clone(), cause })?;
        heads.extend(text.lines().filter_map(checkpoint_in));
    }
    let mut notes = Vec::new();
    let store = place.store().await?;
    let copies = store.checkpoints(&node).await?;
    heads.extend(copies.iter().filter_map(|line| Checkpoint::parse(line)));
    let known = store.node_keys().await?;
    if !known.is_empty() && !known.iter().any(|k| k.public_key == key.to_string().as_bytes()) {
        notes.push(format!("the key in node.pub, of node {node}, is not one that the store knows"));
    }
    let dir = data_dir.join("trail");
    let report = verify(&Question { dir: &dir, key, heads: &heads })?;
    let problems: Vec<String> =
        notes.into_iter().chain(report.problems.iter().map(ToString::to_string)).collect();
    place.output.answer(&as_json(&report, &problems), &as_text(&report, &problems))?;
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// A checkpoint anywhere in a line: logs put words before it, JSON logs write it as a string.
fn checkpoint_in(line: &str) -> Option<Checkpoint> {
    const START: &str = "{\"checkpoint\":";
    let plain = line.find(START).and_then(|at| line.get(at..));
    let found = plain.and_then(|text| {
        const SIGNATURE: &str = "\"signature\":\"";
        let signature = text.find(SIGNATURE)? + SIGNATURE.len();
        let end = signature + text.get(signature..)?.find("\"}")? + 2;
        Checkpoint::parse(text.get(..end)?)
    });
    if found.is_some() {
        return found;
    }
    let value: Value = serde_json::from_str(line).ok()?;
    strings(&value).into_iter().find_map(Checkpoint::parse)
}

fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(fields) => fields.values().flat_map(strings).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

fn as_json(report: &Report, problems: &[String]) -> Value {
    let lanes: Vec<Value> = report
        .lanes
        .iter()
        .map(|lane| {
            json!({
                "lane": lane.lane, "records": lane.records, "signed": lane.signed,
                "vouched": lane.vouched, "tail": lane.tail(), "torn": lane.torn,
            })
        })
        .collect();
    json!({
        "intact": problems.is_empty(), "node": report.node, "checkpoints": report.checkpoints,
        "heads": report.heads, "lanes": lanes, "problems": problems,
    })
}

fn as_text(report: &Report, problems: &[String]) -> String {
    let mut text = String::new();
    for problem in problems {
        text.push_str(&format!("DAMAGED: {problem}\n"));
    }
    for lane in &report.lanes {
        text.push_str(&format!("lane {}: {} records", lane.lane, lane.records));
        match lane.tail() {
            0 => {}
            tail => text.push_str(&format!(", the last {tail} not vouched for by any checkpoint")),
        }
        if lane.vouched < lane.signed.max(1) {
            text.push_str(&format!(", {} known outside the trail's own folder", lane.vouched));
        }
        if lane.torn {
            text.push_str(", the last line is not whole");
        }
        text.push('\n');
    }
    let word = if problems.is_empty() { "intact" } else { "NOT intact" };
    text.push_str(&format!(
        "node {}: {word}; {} checkpoints, {} copies from outside\n",
        report.node, report.checkpoints, report.heads
    ));
    text
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
    Csv,
}

/// Writes rows as they come.
struct Printer {
    out: BufWriter<io::Stdout>,
    form: Form,
    /// The reader has gone: `hallpass audit list | head -1` is no failure.
    closed: bool,
}

impl Printer {
    fn new(form: Form) -> Self {
        Self { out: BufWriter::new(io::stdout()), form, closed: false }
    }

    fn header(&mut self) -> Result<(), Error> {
        match self.form {
            Form::Csv => self.line(&COLUMNS.join(",")),
            Form::Text | Form::Json => Ok(()),
        }
    }

    /// Writes all rows after this one; gives the last one's number.
    async fn pages(&mut self, index: &Index, filter: &Filter, after: i64) -> Result<i64, Error> {
        let mut after = after;
        loop {
            let rows = index.page(filter, after, PAGE_ROWS).await?;
            for row in &rows {
                let line = match self.form {
                    Form::Text => text_line(row),
                    Form::Json => row.to_string(),
                    Form::Csv => csv_line(row),
                };
                self.line(&line)?;
            }
            after = rows.last().and_then(|row| row["id"].as_i64()).unwrap_or(after);
            if rows.len() < PAGE_ROWS as usize || self.closed {
                break;
            }
        }
        if !self.closed {
            let flushed = self.out.flush();
            self.check(flushed)?;
        }
        Ok(after)
    }

    fn line(&mut self, line: &str) -> Result<(), Error> {
        if self.closed {
            return Ok(());
        }
        let written = writeln!(self.out, "{line}");
        self.check(written)
    }

    fn check(&mut self, result: io::Result<()>) -> Result<(), Error> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            other => other.map_err(Error::Output),
        }
    }
}

fn form(place: &Workplace) -> Form {
    if place.output.is_json() { Form::Json } else { Form::Text }
}

/// `2026-11-23T14:05:00Z  alice@shop  permit  select  3 rows  G-42  SELECT …`
fn text_line(row: &Value) -> String {
    let text = |column: &str| row[column].as_str().unwrap_or_default();
    let time = Timestamp::parse_rfc3339(text("time")).map(show_time).unwrap_or_default();
    let who = match (text("principal"), text("actor")) {
        ("", actor) => actor.to_owned(),
        (principal, _) if text("target").is_empty() => principal.to_owned(),
        (principal, _) => format!("{principal}@{}", text("target")),
    };
    let mut parts = vec![time, who];
    if text("decision").is_empty() {
        parts.push(text("kind").to_owned());
        parts.push(text("message").to_owned());
        let body = &row["body"];
        if !body.is_null() {
            parts.push(body.to_string());
        }
    } else {
        parts.push(text("decision").to_owned());
        parts.push(text("class").to_owned());
        parts.push(match text("missing") {
            "" => text("ended").to_owned(),
            missing => format!("needs {missing}"),
        });
        if let Some(rows) = row["rows"].as_u64() {
            parts.push(format!("{rows} rows"));
        }
        parts.push(text("grants").to_owned());
        parts.push(text("statement").to_owned());
    }
    parts.retain(|part| !part.is_empty());
    one_line(&parts.join("  "))
}

/// White space as single blanks, but between columns; what a terminal would obey is shown instead.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut after_break = false;
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => {
                if !after_break {
                    line.push(' ');
                }
                after_break = true;
                continue;
            }
            ' ' if after_break => continue,
            // Direction marks could show a statement as another one.
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                line.extend(c.escape_unicode());
            }
            c if c.is_control() => line.extend(c.escape_unicode()),
            c => line.push(c),
        }
        after_break = false;
    }
    line
}

fn csv_line(row: &Value) -> String {
    let cells = COLUMNS.map(|column| match &row[column] {
        Value::Null => String::new(),
        Value::String(text) => csv_cell(text),
        other => csv_cell(&other.to_string()),
    });
    cells.join(",")
}

fn csv_cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// A time, a day, or how long ago.
fn parse_time(text: &str) -> Result<Timestamp, String> {
    if let Ok(ago) = parse_duration(text) {
        let micros = i64::try_from(ago.as_micros()).unwrap_or(i64::MAX);
        return Ok(Timestamp(now().0.saturating_sub(micros)));
    }
    let day = format!("{text}T00:00:00Z");
    Timestamp::parse_rfc3339(text)
        .or_else(|_| Timestamp::parse_rfc3339(&day))
        .map_err(|error| format!("{error}, 2026-11-23, or how long ago, as in 2h"))
}

/// How many rows one query fetches.
const PAGE_ROWS: u32 = 1000;
const TAIL_ROWS: u32 = 20;
const FOLLOW_INTERVAL: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_read_as_one_line_each() {
        let row = json!({
            "time": "2026-11-23T14:05:00.000001Z", "principal": "alice", "target": "shop",
            "decision": "permit", "class": "select", "ended": "completed", "rows": 3,
            "grants": "G-42", "statement": "SELECT *\n   FROM orders\u{1b}[2J",
        });
        assert_eq!(
            text_line(&row),
            "2026-11-23T14:05:00Z  alice@shop  permit  select  completed  3 rows  G-42  \
             SELECT * FROM orders\\u{1b}[2J"
        );
    }

    #[test]
    fn csv_cells_are_quoted_and_no_formulas() {
        assert_eq!(csv_cell("SELECT 'a', \"b\""), "\"SELECT 'a', \"\"b\"\"\"");
        assert_eq!(csv_cell("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(csv_line(&json!({"id": 1})).split(',').count(), COLUMNS.len());
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let day = parse_time("2026-11-23").expect("reads");
        assert_eq!(day.to_string(), "2026-11-23T00:00:00.000000Z");
        assert!(parse_time("2h").expect("reads") < now());
        assert!(parse_time("yesterday").is_err());
    }

    #[test]
    fn checkpoints_are_found_in_any_log() {
        let line = format!(
            "{{\"checkpoint\":1,\"node\":\"n\",\"time\":\"2026-11-23T14:05:00.000000Z\",\"lanes\":\
             [],\"previous\":\"{0}\",\"signature\":\"{0}{0}\"}}",
            "0".repeat(64)
        );
        for log in [
            line.clone(),
            format!("INFO hallpass: {line} checkpoint=1"),
            json!({"fields": {"message": line}}).to_string(),
        ] {
            assert_eq!(
                checkpoint_in(&log).map(|c| c.line().to_owned()),
                Some(line.clone()),
                "{log}"
            );
        }
        assert!(checkpoint_in("INFO nothing here").is_none());
    }
}
