//! What the analysis cache stands on, over the whole corpus.

use hallpass::kernel::{
    catalog::Catalog,
    sql::{
        analysis::{Batch, Unreadable},
        analyze,
        context::{Context, Overlay, SearchPath, Trust},
        mode::LexMode,
        text::StatementText,
    },
};

#[path = "support/catalog.rs"]
mod catalog;
#[path = "support/corpus.rs"]
pub mod corpus;
#[path = "support/same_key.rs"]
mod same_key;

use same_key::{key, said, with_the_key_of};

/// Longer texts are many of the same.
const TEXT_BYTES_MAX: usize = 3000;

fn analysed(sql: &str, catalog: &Catalog) -> Result<Batch, Unreadable> {
    let (path, overlay, trust) = (SearchPath::usual(), Overlay::default(), Trust::default());
    let mode = LexMode::POSTGRES;
    let cx = Context { mode, catalog, path: &path, overlay: &overlay, trust: &trust };
    let text = StatementText::new(sql.as_bytes(), 1 << 24).expect("text");
    analyze(&text, &cx)
}

#[test]
fn texts_with_one_key_have_one_analysis() {
    let work = || {
        let catalog = catalog::shop();
        let (mut same_key, mut wrong) = (0, Vec::new());
        for folder in ["info", "select", "dml", "ddl", "session", "attacks"] {
            for (file, entries) in corpus::read_folder(folder) {
                for entry in entries.iter().filter(|e| e.sql.len() <= TEXT_BYTES_MAX) {
                    let same = with_the_key_of(&entry.sql);
                    if same.is_empty() {
                        continue;
                    }
                    let Some(expected) = said(analysed(&entry.sql, &catalog)) else { continue };
                    same_key += same.len();
                    let is_other =
                        |o: &&String| said(analysed(o, &catalog)).as_ref() != Some(&expected);
                    let different = same.iter().filter(is_other);
                    wrong.extend(different.map(|o| format!("{file}: {}\n{o}", entry.name)));
                }
            }
        }
        eprintln!("{same_key} pairs");
        assert!(same_key > 5000, "only {same_key} pairs");
        assert!(wrong.is_empty(), "{} of {same_key}\n{}", wrong.len(), wrong.join("\n----\n"));
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(work);
    thread.expect("spawns").join().expect("passes");
}

#[test]
fn what_the_gateway_answers_by_its_constants_stands_for_its_own_text_alone() {
    let catalog = catalog::shop();
    let alone = |text: &str| analysed(text, &catalog).is_ok_and(|b| !b.stands_for_its_key());
    for (one, other) in [
        (
            "SELECT * FROM hallpass.requests WHERE id = 'R-1'",
            "SELECT * FROM hallpass.requests WHERE id = 'R-2'",
        ),
        ("SELECT * FROM hallpass.grants LIMIT 1", "SELECT * FROM hallpass.grants LIMIT 2"),
        (
            "SELECT hallpass.request('select', '1h', 'x')",
            "SELECT hallpass.request('admin', '1h', 'x')",
        ),
        ("SET hallpass.over = 'cut'", "SET hallpass.over = 'error'"),
        ("CALL hallpass.withdraw('R-1')", "CALL hallpass.withdraw('R-2')"),
    ] {
        let apart = key(one) != key(other) || alone(one) && alone(other);
        assert!(apart, "{one}\n{other}");
    }
}
