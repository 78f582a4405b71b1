//! PostgreSQL's own regression suite as a corpus: no text may panic, the two parsers may not
//! disagree, and the share of SELECTs that a holder of `select` may run may only rise.
//!
//! Needs the suite's SQL files: `tests/regress/fetch` takes them from Debian's source package, or
//! `HALLPASS_PG_REGRESS` names the folder `src/test/regress/sql` of a server's source. Without them the
//! test fails where `CI` is set, and says that it was left out elsewhere.

use std::{collections::BTreeMap, fs, path::Path};

use hallpass::kernel::{
    access::Permission,
    catalog::Catalog,
    sql::{
        analysis::{StatementClass, Unreadable},
        analyze,
        context::{Context, Overlay, SearchPath, Trust},
        mode::LexMode,
        reading::StatementKind,
        text::StatementText,
    },
};

/// Measured when this was written; a change that lowers it has to say why.
const SELECTS_JUDGED_BELOW_ADMIN_PERCENT: f64 = 97.2;
const READ_PERCENT: f64 = 99.98;

#[test]
fn the_servers_own_regression_suite_is_read_and_judged() {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/.cache/regress");
    let folder = std::env::var_os("HALLPASS_PG_REGRESS").map_or(fetched, Into::into);
    if !folder.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "run tests/regress/fetch first");
        eprintln!("SKIPPED: run tests/regress/fetch for PostgreSQL's own regression suite");
        return;
    }
    // Deep statements are part of the suite.
    std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(move || measure(&folder))
        .expect("spawns")
        .join()
        .expect("nothing in the suite panics");
}

#[derive(Default)]
struct Counts {
    all: u32,
    read: u32,
    syntax: u32,
    disagreements: Vec<String>,
    refused: BTreeMap<String, u32>,
    selects: u32,
    selects_below_admin: u32,
    selects_of_unknown_code: u32,
    admin_reasons: BTreeMap<String, u32>,
}

fn measure(folder: &Path) {
    let mut counts = Counts::default();
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("folder").filter_map(|f| Some(f.ok()?.path())).collect();
    files.sort();
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "sql")) {
        let bytes = fs::read(file).expect("file");
        let Ok(text) = String::from_utf8(bytes) else { continue };
        for statement in split(&text) {
            count(&statement, &mut counts);
        }
    }
    let percent = |part: u32, of: u32| f64::from(part) * 100.0 / f64::from(of.max(1));
    let valid = counts.all - counts.syntax;
    let read = percent(counts.read, valid);
    let below = percent(counts.selects_below_admin, counts.selects);
    eprintln!(
        "{} statements, {} of them wrong on purpose; {read:.2} % of the valid ones read; {} \
         disagreements; {below:.2} % of {} SELECTs judged below admin, {} more call the suite's own \
         functions",
        counts.all,
        counts.syntax,
        counts.disagreements.len(),
        counts.selects,
        counts.selects_of_unknown_code
    );
    let show = |what: &str, map: &BTreeMap<String, u32>| {
        let mut list: Vec<_> = map.iter().collect();
        list.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
        for (reason, n) in list.iter().take(60) {
            eprintln!("  {what} {n} × {reason}");
        }
    };
    show("refused", &counts.refused);
    if std::env::var_os("HALLPASS_CORPUS_VERBOSE").is_some() {
        show("admin", &counts.admin_reasons);
        for text in &counts.disagreements {
            eprintln!("  DISAGREE {text}");
        }
    }
    assert!(read >= READ_PERCENT, "{read}");
    assert!(below >= SELECTS_JUDGED_BELOW_ADMIN_PERCENT, "{below}");
}

fn count(statement: &str, counts: &mut Counts) {
    let (catalog, overlay, trust) = (Catalog::default(), Overlay::default(), Trust::default());
    let path = SearchPath::usual();
    let cx = Context {
        mode: LexMode::POSTGRES,
        catalog: &catalog,
        path: &path,
        overlay: &overlay,
        trust: &trust,
    };
    let Ok(text) = StatementText::new(statement.as_bytes(), 1 << 20) else { return };
    counts.all += 1;
    match analyze(&text, &cx) {
        Ok(batch) => {
            counts.read += 1;
            for analysis in &batch.statements {
                if analysis.kind != StatementKind::Select {
                    continue;
                }
                // Functions that the suite makes itself: without its catalog nobody knows them.
                let mut admin = analysis.needs.iter().filter(|n| n.permission == Permission::Admin);
                if analysis.class == StatementClass::Admin
                    && admin.all(|n| n.why.ends_with("which is not known"))
                {
                    counts.selects_of_unknown_code += 1;
                    continue;
                }
                counts.selects += 1;
                if analysis.class < StatementClass::Admin {
                    counts.selects_below_admin += 1;
                } else if let Some(need) =
                    analysis.needs.iter().find(|n| n.permission == Permission::Admin)
                {
                    *counts.admin_reasons.entry(need.why.clone()).or_default() += 1;
                }
            }
        }
        Err(Unreadable::Syntax { .. }) => counts.syntax += 1,
        Err(Unreadable::Disagreement) => counts.disagreements.push(statement.to_owned()),
        Err(
            Unreadable::Ambiguous { what }
            | Unreadable::TooLarge { what }
            | Unreadable::NotAnswered { what },
        ) => {
            *counts.refused.entry(what).or_default() += 1;
        }
    }
}

/// Cuts a psql script into statements: good enough for the suite, whose COPY data, psql commands and
/// variables are dropped.
fn split(script: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut current = String::new();
    let mut in_copy = false;
    for line in script.lines() {
        if in_copy {
            in_copy = line != "\\.";
            continue;
        }
        if current.trim().is_empty() && line.starts_with('\\') {
            continue;
        }
        current.push_str(line);
        current.push('\n');
        if ends_statement(&current) {
            let statement = std::mem::take(&mut current);
            let lower = statement.to_ascii_lowercase();
            in_copy = lower.trim_start().starts_with("copy") && lower.contains("from stdin");
            // psql's own: variables and commands behind the statement.
            let psql = statement.contains('\\') || has_variable(&statement);
            if !psql && !statement.trim().is_empty() {
                statements.push(statement);
            }
        }
    }
    statements
}

fn has_variable(statement: &str) -> bool {
    statement.as_bytes().windows(3).any(|w| {
        w[1] == b':' && w[0] != b':' && (w[2] == b'\'' || w[2] == b'"' || w[2].is_ascii_lowercase())
    })
}

/// True if the text ends with a semicolon outside of quotes, comments and parentheses.
fn ends_statement(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut ended) = (0, 0_i32, false);
    while at < bytes.len() {
        let rest = &text[at..];
        match bytes[at] {
            b'\'' | b'"' => {
                let quote = bytes[at];
                let escape = at > 0 && matches!(bytes[at - 1], b'e' | b'E');
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' && escape { 2 } else { 1 };
                }
                if at >= bytes.len() {
                    return false;
                }
                ended = false;
            }
            b'$' => {
                let tag_end = rest[1..].find('$').map(|e| e + 2);
                let is_tag = tag_end.is_some_and(|e| {
                    rest[1..e - 1].chars().all(|c| c.is_alphanumeric() || c == '_')
                        && !rest[1..e - 1].starts_with(|c: char| c.is_ascii_digit())
                });
                if let (true, Some(end)) = (is_tag, tag_end) {
                    let tag = &rest[..end];
                    match rest[end..].find(tag) {
                        Some(close) => at += end + close + tag.len() - 1,
                        None => return false,
                    }
                }
                ended = false;
            }
            b'-' if rest.starts_with("--") => match rest.find('\n') {
                Some(end) => at += end,
                None => return ended,
            },
            b'/' if rest.starts_with("/*") => match rest.find("*/") {
                Some(end) => at += end + 1,
                None => return false,
            },
            b'(' => depth += 1,
            b')' => depth -= 1,
            b';' if depth <= 0 => ended = true,
            byte if byte.is_ascii_whitespace() => {}
            _ => ended = false,
        }
        at += text[at..].chars().next().map_or(1, char::len_utf8);
        while at < bytes.len() && !text.is_char_boundary(at) {
            at += 1;
        }
    }
    ended
}
