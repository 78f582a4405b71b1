//! What the analysis cache stands on: two texts with one key do the same and need the same.

use hallpass::kernel::sql::{
    analysis::{Analysis, Unreadable},
    analyze,
    context::{Context, Overlay, SearchPath, Trust},
    lex::{Limits, TokenKind, tokenize},
    mode::LexMode,
    normalize::{Normal, normalize},
    text::StatementText,
};

#[path = "support/catalog.rs"]
mod catalog;
#[path = "support/corpus.rs"]
pub mod corpus;

/// Values that would matter most where they matter at all.
const STRINGS: [&str; 2] = ["'role'", "'view, foreign-table'"];
const NUMBERS: [&str; 1] = ["4711"];

/// Constants of one text that are tried.
const CONSTANTS_MAX: usize = 3;

/// Longer texts are many of the same.
const TEXT_BYTES_MAX: usize = 3000;

fn key(sql: &str) -> Option<Vec<u8>> {
    let text = StatementText::new(sql.as_bytes(), 1 << 24).ok()?;
    let mut normal = Normal::default();
    normalize(&text, LexMode::POSTGRES, &mut normal).ok()?;
    Some(normal.key)
}

/// What an analysis says, but for places in the text and constants nobody judged by.
fn said(analysis: &Analysis) -> String {
    let mut copy = analysis.clone();
    copy.span = 0..0;
    for routine in &mut copy.routines {
        routine.literals.clear();
    }
    format!("{copy:?}")
}

fn judged(sql: &str) -> Result<Vec<String>, &'static str> {
    let catalog = catalog::shop();
    let (path, overlay, trust) = (SearchPath::usual(), Overlay::default(), Trust::default());
    let mode = LexMode::POSTGRES;
    let cx = Context { mode, catalog: &catalog, path: &path, overlay: &overlay, trust: &trust };
    let text = StatementText::new(sql.as_bytes(), 1 << 24).expect("text");
    match analyze(&text, &cx) {
        Ok(batch) => Ok(batch.statements.iter().map(|a| said(a)).collect()),
        Err(Unreadable::Syntax { .. }) => Err("syntax"),
        Err(Unreadable::Ambiguous { .. }) => Err("ambiguous"),
        Err(Unreadable::TooLarge { .. }) => Err("too large"),
        Err(Unreadable::NotAnswered { .. }) => Err("not answered"),
        Err(Unreadable::Disagreement) => Err("disagreement"),
    }
}

/// The text with one of its constants replaced, for each constant and each other value.
fn variants(sql: &str) -> Vec<String> {
    let Ok(text) = StatementText::new(sql.as_bytes(), 1 << 24) else { return Vec::new() };
    let Ok(tokens) = tokenize(&text, LexMode::POSTGRES, &Limits::DEFAULT) else {
        return Vec::new();
    };
    let constants = tokens.tokens().iter().filter(|t| t.kind.is_literal()).take(CONSTANTS_MAX);
    constants
        .flat_map(|token| {
            let values: &[&str] = match token.kind {
                TokenKind::String => &STRINGS,
                TokenKind::Integer => &NUMBERS,
                _ => &[],
            };
            let (before, after) = (&sql[..token.start as usize], &sql[token.end as usize..]);
            values.iter().map(move |value| format!("{before}{value}{after}"))
        })
        .collect()
}

#[test]
fn texts_with_one_key_have_one_analysis() {
    let work = || {
        let (mut same_key, mut wrong) = (0, Vec::new());
        for folder in ["info", "select", "dml", "ddl", "session", "attacks"] {
            for (file, entries) in corpus::read_folder(folder) {
                for entry in entries {
                    if entry.sql.len() > TEXT_BYTES_MAX {
                        continue;
                    }
                    let Some(own) = key(&entry.sql) else { continue };
                    let same: Vec<String> = variants(&entry.sql)
                        .into_iter()
                        .filter(|other| *other != entry.sql && key(other).as_ref() == Some(&own))
                        .collect();
                    if same.is_empty() {
                        continue;
                    }
                    let expected = judged(&entry.sql);
                    same_key += same.len();
                    let different = same.iter().filter(|other| judged(other) != expected);
                    wrong.extend(different.map(|o| format!("{file}: {}\n{o}", entry.name)));
                }
            }
        }
        assert!(same_key > 1000, "only {same_key} pairs");
        assert!(wrong.is_empty(), "{} of {same_key}\n{}", wrong.len(), wrong.join("\n----\n"));
    };
    std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(work)
        .expect("spawns")
        .join()
        .expect("passes");
}
