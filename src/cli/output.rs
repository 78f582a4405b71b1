//! How answers are written: tables and lines for people, JSON for programs.

use std::io::{self, Write};

use serde_json::Value;

use crate::{
    cli::Error,
    kernel::time::{Timestamp, format_duration},
};

/// Where answers go, and in which form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// True if answers are JSON.
    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// One answer in either form.
    pub(super) fn answer(self, json: &Value, text: &str) -> Result<(), Error> {
        let text = if self.json { json.to_string() } else { plain(text) };
        write_line(&text).map_err(Error::Output)
    }

    /// A list in either form; `empty` is said where there is nothing to show.
    pub(super) fn list(
        self,
        json: Vec<Value>,
        header: &[&str],
        rows: &[Vec<String>],
        empty: &str,
    ) -> Result<(), Error> {
        if rows.is_empty() && !self.json {
            return write_line(empty).map_err(Error::Output);
        }
        self.answer(&Value::Array(json), &table(header, rows))
    }
}

fn write_line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        // `hallpass grant list | head -1` is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// What a terminal would obey is shown instead: names and reasons are other people's texts, and could
/// show something as what it isn't.
fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => safe.push(c),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                safe.extend(c.escape_unicode());
            }
            c if c.is_control() => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    safe
}

/// Columns as wide as their widest cell, two blanks between, nothing after the last.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let header: Vec<String> = header.iter().map(|h| h.to_uppercase()).collect();
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| plain(&cell.replace('\n', " "))).collect())
        .collect();
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            let cells = std::iter::once(&header).chain(&rows);
            cells.filter_map(|r| r.get(column)).map(|c| c.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in std::iter::once(&header).chain(&rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// `2026-11-23T14:05:00Z`: seconds are enough for people.
pub(super) fn show_time(time: Timestamp) -> String {
    let text = time.to_string();
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text,
    }
}

/// How long ago, or until when: `in 25m`, `5m ago`, to the largest two units.
pub(super) fn show_distance(now: Timestamp, time: Timestamp) -> String {
    let coarse = |duration: std::time::Duration| {
        let seconds = duration.as_secs();
        let unit = match seconds {
            0..60 => 1,
            60..86_400 => 60,
            _ => 3600,
        };
        format_duration(std::time::Duration::from_secs(seconds / unit * unit))
    };
    if time > now {
        format!("in {}", coarse(time.since(now)))
    } else {
        format!("{} ago", coarse(now.since(time)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_and_has_no_blanks_at_the_end() {
        let rows = vec![
            vec!["G-1".to_owned(), "alice".to_owned(), "x".to_owned()],
            vec!["G-10".to_owned(), "Zoë".to_owned(), String::new()],
        ];
        assert_eq!(
            table(&["id", "who", "why"], &rows),
            "ID    WHO    WHY\nG-1   alice  x\nG-10  Zoë\n"
        );
    }

    #[test]
    fn other_peoples_texts_can_not_write_on_the_terminal() {
        let rows = vec![vec!["psql\u{1b}[2J\nS-1  bob".to_owned(), "\u{202e}evil".to_owned()]];
        let shown = table(&["application", "who"], &rows);
        assert_eq!(shown.lines().count(), 2, "{shown}");
        assert!(shown.contains("psql\\u{1b}[2J S-1  bob  \\u{202e}evil"), "{shown}");
        assert_eq!(plain("two\nlines\u{7}"), "two\nlines\\u{7}");
    }

    #[test]
    fn distances_read_as_people_say_them() {
        let now = Timestamp(1_000_000_000_000);
        let at = |seconds: i64| Timestamp(now.0 + seconds * 1_000_000);
        assert_eq!(show_distance(now, at(1525)), "in 25m");
        assert_eq!(show_distance(now, at(-5)), "5s ago");
        assert_eq!(show_distance(now, at(90_061)), "in 1d1h");
    }
}
