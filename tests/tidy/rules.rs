//! The rules, each with its remedy.

use std::collections::BTreeSet;

use crate::source::{Source, functions, paths, trees};

mod tests;

/// A file's lines, at most.
pub(crate) const FILE_LINES_MAX: usize = 800;
/// A function's lines, from `fn` to its closing brace, at most.
pub(crate) const FUNCTION_LINES_MAX: usize = 120;

/// Longer files, and why.
pub(crate) const LONG_FILES: &[(&str, &str)] =
    &[("src/kernel/sql/server_grammar/walk.rs", "made by tools/generate-tree-walk.py")];

/// Longer functions, and why.
pub(crate) const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[
    (
        "src/kernel/sql/engine/expression.rs",
        "other_expr",
        "one match over all of sqlparser's variants",
    ),
    ("src/kernel/sql/engine/kinds.rs", "kind_alone", "one match over all of sqlparser's variants"),
    (
        "src/kernel/sql/engine/statement.rs",
        "statement",
        "one match over all of sqlparser's variants",
    ),
];

/// Names that say nothing about what is inside.
pub(crate) const EMPTY_NAMES: [&str; 5] = ["util", "helper", "misc", "common", "manager"];

/// The floor of each module under `src`.
pub(crate) const FLOORS: [(&str, u8); 11] = [
    ("kernel", 0),
    ("wire", 1),
    ("net", 2),
    ("telemetry", 2),
    ("store", 3),
    ("trail", 3),
    ("upstream", 3),
    ("session", 4),
    ("api", 5),
    ("cli", 5),
    ("config", 5),
];

/// Parts that may not know each other: neither of a pair imports the other.
pub(crate) const STRANGERS: [(&str, &str); 5] = [
    ("wire::pg", "wire::mysql"),
    ("session::pg", "session::mysql"),
    ("store", "trail"),
    ("store", "upstream"),
    ("trail", "upstream"),
];

/// The one door between neighbours: what a statement needs to be sent, and the bar it stands behind.
pub(crate) const DOOR: (&str, [&str; 5]) = (
    "upstream",
    [
        "trail::Clearance",
        "trail::GatewayClearance",
        "trail::Bar",
        "trail::Passage",
        "trail::Progress",
    ],
);

/// What the kernel may use from outside: values and parsers, nothing that reaches the world.
pub(crate) const KERNEL_CRATES: [&str; 7] =
    ["pg_query", "ring", "serde", "serde_json", "smallvec", "sqlparser", "thiserror"];

/// What pure floors may not use of the standard library.
pub(crate) const WORLD: [&str; 5] = ["net", "fs", "env", "process", "thread"];

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Finding {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) rule: String,
    pub(crate) remedy: &'static str,
}

/// Imports go down, and neighbours don't know each other.
pub(crate) fn floors(source: &Source) -> Vec<Finding> {
    let module = source.module();
    let Some(here) = module.first() else { return Vec::new() };
    let Some(floor) = floor_of(here) else {
        let rule = format!("the module {here} is on no floor");
        return vec![source.finding(1, rule, "give it one in FLOORS, or put it inside another")];
    };
    let mut findings = Vec::new();
    for (line, path) in paths(source) {
        let Some(there) = path.first() else {
            let rule = "imports the whole crate, so that floors can't be told";
            findings.push(source.finding(line, rule, "name the module and the item"));
            continue;
        };
        let Some(other) = floor_of(there) else { continue };
        let shown = path.join("::");
        if other > floor {
            let rule = format!("{here} (floor {floor}) uses {shown} (floor {other})");
            let remedy = "hand it up as a value, or as a trait that the lower floor owns";
            findings.push(source.finding(line, rule, remedy));
        } else if are_strangers(&module, &path) && !is_door(here, &shown) {
            let rule = format!("{} uses {shown}: these don't know each other", module.join("::"));
            let remedy = "move what both need to a floor below, or let the floor above join them";
            findings.push(source.finding(line, rule, remedy));
        }
    }
    findings
}

pub(crate) fn floor_of(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

pub(crate) fn are_strangers(here: &[String], there: &[String]) -> bool {
    let is_in = |path: &[String], part: &str| {
        let part: Vec<&str> = part.split("::").collect();
        path.len() >= part.len() && path.iter().zip(&part).all(|(a, b)| a == b)
    };
    STRANGERS
        .iter()
        .any(|(a, b)| is_in(here, a) && is_in(there, b) || is_in(here, b) && is_in(there, a))
}

pub(crate) fn is_door(here: &str, path: &str) -> bool {
    here == DOOR.0 && DOOR.1.contains(&path)
}

/// The kernel and the wire reach nothing outside the process, and no clock.
pub(crate) fn purity(source: &Source, dependencies: &BTreeSet<String>) -> Vec<Finding> {
    let module = source.module();
    let Some(here @ ("kernel" | "wire")) = module.first().map(String::as_str) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let mut refuse = |line: usize, what: &str, remedy| {
        if !source.is_test(line) {
            findings.push(source.finding(line, format!("{here} uses {what}"), remedy));
        }
    };
    let outside = "take the bytes, the value or the time as an argument";
    for (line, path) in trees(source, &|word| word == "std" || dependencies.contains(word)) {
        let shown = path.join("::");
        match path.split_first().map(|(first, rest)| (first.as_str(), rest)) {
            Some(("std", [second, ..])) if WORLD.contains(&second.as_str()) => {
                refuse(line, &shown, outside);
            }
            Some(("std", [second, third, ..]))
                if second == "time" && matches!(third.as_str(), "Instant" | "SystemTime" | "*") =>
            {
                refuse(line, &shown, outside);
            }
            Some(("std", _)) | None => {}
            Some(("tokio" | "sqlx", _)) => refuse(line, &shown, outside),
            // Of the crypto provider, digests; what is random comes in as an argument.
            Some(("ring", [second, ..])) if second == "rand" && here == "kernel" => {
                refuse(line, &shown, outside);
            }
            Some((name, _)) if here == "kernel" && !KERNEL_CRATES.contains(&name) => {
                refuse(line, &shown, "keep it to a floor above, or add it to KERNEL_CRATES");
            }
            Some(_) => {}
        }
    }
    for pair in source.words.windows(4) {
        let [a, b, c, d] = pair else { continue };
        if (a.is(":") && b.is(":") && c.is("now") && d.is("(")) || a.is("Instant") {
            refuse(c.line, "a clock", outside);
        }
    }
    findings
}

/// Files and functions that a reader can hold in mind.
pub(crate) fn lengths(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = source.text.lines().count();
    let is_generated = LONG_FILES.iter().any(|(path, _)| *path == source.path);
    if lines > FILE_LINES_MAX && !is_generated {
        let rule = format!("{lines} lines; at most {FILE_LINES_MAX}");
        findings.push(source.finding(1, rule, "split it where it changes its subject"));
    }
    let inside: usize =
        source.tests.iter().filter(|r| r.end != usize::MAX).map(ExactSizeIterator::len).sum();
    if inside * 2 > lines && inside > 60 {
        let rule = format!("{inside} of {lines} lines are its test module");
        findings.push(source.finding(1, rule, "move the tests to a file of their own, x/tests.rs"));
    }
    for (name, range) in functions(&source.words) {
        let length = range.len() + 1;
        let named =
            LONG_FUNCTIONS.iter().any(|(path, fun, _)| *path == source.path && *fun == name);
        if length > FUNCTION_LINES_MAX && !named && !is_generated {
            let rule = format!("fn {name} has {length} lines; at most {FUNCTION_LINES_MAX}");
            findings.push(source.finding(range.start, rule, "give a step of it a name"));
        }
    }
    findings
}

/// Modules are named for what is inside, and nothing hides where a module's text is.
pub(crate) fn names(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let says_nothing = |name: &str| {
        EMPTY_NAMES.iter().any(|empty| name == *empty || name.strip_suffix('s') == Some(empty))
    };
    for part in source.module().iter().filter(|part| says_nothing(part)) {
        let rule = format!("a module called {part}");
        findings.push(source.finding(1, rule, "name it for what is inside"));
    }
    for pair in source.words.windows(3) {
        let [a, b, c] = pair else { continue };
        if a.is("mod") && says_nothing(&b.text) && (c.is("{") || c.is(";")) {
            let rule = format!("a module called {}", b.text);
            findings.push(source.finding(b.line, rule, "name it for what is inside"));
        }
        if a.is("#") && b.is("[") && c.is("path") {
            let rule = "a module from another path, which the floors can't see";
            findings.push(source.finding(a.line, rule, "put the file where its module is"));
        }
    }
    findings
}

/// Nothing on the main branch waits to be done.
pub(crate) fn leftovers(path: &str, text: &str) -> Vec<Finding> {
    // In two halves, so that this file passes itself.
    let marks = [
        ["TO", "DO"],
        ["FIX", "ME"],
        ["XX", "X"],
        ["todo", "!"],
        ["unimplemented", "!"],
        ["dbg", "!"],
        ["#[ig", "nore"],
    ];
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for mark in marks.map(|halves| halves.concat()) {
            let Some(at) = line.find(&mark) else { continue };
            let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            let (before, after) = (line.get(..at), line.get(at + mark.len()..));
            if is_letter(before.and_then(|b| b.chars().last()))
                || is_letter(after.and_then(|a| a.chars().next()))
            {
                continue;
            }
            findings.push(Finding {
                file: path.to_owned(),
                line: number + 1,
                rule: format!("{mark} is left over"),
                remedy: "do it, or open an issue and say here what is true now",
            });
        }
    }
    findings
}

/// The names of all dependencies, as they are written in paths.
pub(crate) fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.contains("dependencies");
            let named = line.trim_matches(['[', ']']).split_once("dependencies.");
            names.extend(named.map(|(_, name)| name.replace('-', "_")));
        } else if inside && let Some((name, _)) = line.split_once('=') {
            names.insert(name.split('.').next().unwrap_or(name).trim().replace('-', "_"));
        }
    }
    names
}
