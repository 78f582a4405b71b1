//! The form of the source, as a test: floors, lengths, names, leftovers, and what the README must
//! name. Each finding says file, line, the rule broken and the usual remedy.
//!
//! It reads `src/**` as text: comments and literals are blanked, what is left is cut into words, and
//! every path that begins with `crate`, `self`, `super`, `std` or a dependency's name is resolved.
//! What it can't see is a name that a macro of another crate makes up.

mod rules;
mod source;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use hallpass::kernel::refusal::{RefusalKind, Severity};

use rules::{
    FILE_LINES_MAX, FUNCTION_LINES_MAX, Finding, LONG_FILES, LONG_FUNCTIONS, dependencies, floors,
    leftovers, lengths, names, purity,
};
use source::{Source, functions};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &str) -> Vec<(String, String)> {
    let mut folders = vec![root().join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the source") {
            let path: PathBuf = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root()).expect("inside").display().to_string();
                files.push((name, fs::read_to_string(&path).expect("source")));
            }
        }
    }
    files.sort();
    files
}

fn sources() -> &'static [Source] {
    static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
        rust_files("src").iter().map(|(path, text)| Source::new(path, text)).collect()
    });
    assert!(SOURCES.len() > 100, "the source was not found");
    &SOURCES
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("README.md")
}

fn must_be_none(findings: &[Finding]) {
    let mut told = String::new();
    for Finding { file, line, rule, remedy } in findings {
        let _ = writeln!(told, "{file}:{line}: {rule}\n    remedy: {remedy}");
    }
    assert!(findings.is_empty(), "\n{told}");
}

#[test]
fn every_floor_stands_on_those_below() {
    must_be_none(&sources().iter().flat_map(floors).collect::<Vec<_>>());
}

#[test]
fn the_pure_floors_reach_nothing_outside() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let dependencies = dependencies(&manifest);
    assert!(dependencies.contains("tokio") && dependencies.contains("sqlparser"));
    let found: Vec<_> = sources().iter().flat_map(|s| purity(s, &dependencies)).collect();
    must_be_none(&found);
}

#[test]
fn files_and_functions_are_short() {
    must_be_none(&sources().iter().flat_map(lengths).collect::<Vec<_>>());
}

#[test]
fn the_exceptions_are_still_needed() {
    let sources = sources();
    for (path, _) in LONG_FILES {
        let long =
            sources.iter().any(|s| s.path == *path && s.text.lines().count() > FILE_LINES_MAX);
        assert!(long, "{path} is short now: take it off LONG_FILES");
    }
    for (path, name, _) in LONG_FUNCTIONS {
        let long = sources.iter().filter(|s| s.path == *path).any(|s| {
            functions(&s.words).iter().any(|(n, r)| n == name && r.len() + 1 > FUNCTION_LINES_MAX)
        });
        assert!(long, "{name} in {path} is short now: take it off LONG_FUNCTIONS");
    }
}

#[test]
fn modules_are_named_for_what_is_inside() {
    must_be_none(&sources().iter().flat_map(names).collect::<Vec<_>>());
}

#[test]
fn nothing_waits_to_be_done() {
    let folders = ["src", "tests", "benches", "examples"];
    let files = folders.into_iter().flat_map(rust_files);
    must_be_none(&files.flat_map(|(path, text)| leftovers(&path, &text)).collect::<Vec<_>>());
}

#[test]
fn the_readme_names_every_refusal_with_its_codes() {
    let readme = readme();
    let rows: BTreeMap<&str, &str> =
        readme.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | ")).collect();
    for kind in RefusalKind::ALL {
        let codes = kind.codes();
        let severity = match codes.severity {
            Severity::Error => "ERROR",
            Severity::Fatal => "FATAL",
        };
        let shown = format!("{severity} {}", codes.sqlstate);
        let row = rows.get(kind.name()).unwrap_or_else(|| panic!("{} is not there", kind.name()));
        assert!(row.starts_with(&shown), "{} is {shown}; the README says {row}", kind.name());
    }
}

#[test]
fn the_readme_and_the_code_know_the_same_metrics() {
    let metric = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(text.len());
        format!("hallpass_{}", text.get(..end).unwrap_or_default())
    };
    let named_in = |text: &str, opening: &str| -> BTreeSet<String> {
        text.split(&format!("{opening}hallpass_")).skip(1).map(metric).collect()
    };
    let code: BTreeSet<String> = rust_files("src")
        .iter()
        .filter(|(path, _)| path.starts_with("src/api/") || path.starts_with("src/telemetry"))
        .flat_map(|(_, text)| named_in(text, "\""))
        .collect();
    assert!(!code.is_empty(), "no metric was found");
    assert_eq!(named_in(&readme(), "| `"), code);
}
