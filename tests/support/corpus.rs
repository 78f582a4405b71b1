//! Reads the files of `tests/corpus`: SQL that tests judge by, one statement (or one simple Query
//! of several) per entry.
//!
//! An entry begins with a line `-- name: …`, may have the lines `-- needs: dml,select` and
//! `-- shows: rows` right after it, and ends where the next begins; white space at its ends is no part
//! of it. What stands before the first entry says where the texts are from. Without a `needs` line an
//! entry needs what its folder says: [`folder_needs`].

use std::{fs, path::Path};

/// One text of a corpus.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Unique within its file.
    pub name: String,
    /// The permissions it passes under, by their short names, comma separated; empty: none at all.
    /// For attacks: what it needs at least, so that it must not pass without.
    pub needs: String,
    /// Of attacks: what there is to be seen when a server runs it, if it isn't what its needs say.
    pub shows: Option<String>,
    /// The text, byte for byte as a client sends it.
    pub sql: String,
}

/// What entries of `tests/corpus/FOLDER` need unless they say otherwise.
pub fn folder_needs(folder: &str) -> &'static str {
    match folder {
        "info" => "info",
        "select" => "select",
        "dml" => "dml",
        "ddl" => "ddl",
        "session" => "",
        "attacks" => "admin",
        other => panic!("no corpus in {other}"),
    }
}

/// The entries of one file, in order.
pub fn read(path: impl AsRef<Path>) -> Vec<Entry> {
    let path = path.as_ref();
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let folder = path.parent().and_then(Path::file_name).and_then(|n| n.to_str());
    parse(&text, folder_needs(folder.expect("a corpus file stands in a folder")))
}

/// All files of `tests/corpus/FOLDER` with their entries, sorted by file name.
pub fn read_folder(folder: &str) -> Vec<(String, Vec<Entry>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let listing = fs::read_dir(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut files: Vec<_> = listing.map(|file| file.expect("listed").path()).collect();
    files.sort();
    files
        .iter()
        .filter(|file| file.extension().is_some_and(|e| e == "sql"))
        .map(|file| {
            let name = file.file_name().and_then(|n| n.to_str()).expect("UTF-8");
            (format!("{folder}/{name}"), read(file))
        })
        .collect()
}

fn parse(text: &str, needs: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut at_start = false;
    for line in text.split_inclusive('\n') {
        if let Some(name) = line.strip_prefix("-- name: ") {
            let name = name.trim().to_owned();
            let needs = needs.to_owned();
            entries.push(Entry { name, needs, shows: None, sql: String::new() });
            at_start = true;
        } else if let Some(entry) = entries.last_mut() {
            match (line.strip_prefix("-- needs:"), line.strip_prefix("-- shows:")) {
                (Some(own), _) if at_start => entry.needs = own.trim().replace("none", ""),
                (_, Some(shows)) if at_start => entry.shows = Some(shows.trim().to_owned()),
                _ => {
                    at_start = false;
                    entry.sql.push_str(line);
                }
            }
        }
    }
    for entry in &mut entries {
        entry.sql = entry.sql.trim().to_owned();
    }
    entries
}
