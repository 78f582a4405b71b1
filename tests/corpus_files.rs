//! The corpora themselves: every file reads, and says what it means to say.

use std::collections::BTreeSet;

use hallpass::kernel::access::PermissionSet;

#[path = "support/corpus.rs"]
pub mod corpus;

const FOLDERS: [&str; 6] = ["info", "select", "dml", "ddl", "session", "attacks"];

#[test]
fn every_entry_has_a_name_of_its_own_a_text_and_needs_that_exist() {
    for folder in FOLDERS {
        for (file, entries) in corpus::read_folder(folder) {
            assert!(!entries.is_empty(), "{file} is empty");
            let mut names = BTreeSet::new();
            for entry in entries {
                let corpus::Entry { name, needs, shows, sql } = entry;
                assert!(shows.is_none() || folder == "attacks", "{file}: {name} shows");
                assert!(names.insert(name.clone()), "{file} has two entries called {name}");
                assert!(!sql.is_empty() && !sql.contains('\0'), "{file}: {name} has no text");
                if !needs.is_empty() {
                    let known = PermissionSet::parse_list(&needs);
                    assert!(known.is_ok(), "{file}: {name} needs `{needs}`");
                }
            }
        }
    }
}

#[test]
fn every_file_says_where_its_texts_are_from() {
    for folder in FOLDERS {
        for (file, _) in corpus::read_folder(folder) {
            let path = format!("{}/tests/corpus/{file}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(path).expect("reads");
            assert!(text.starts_with("-- ") && !text.starts_with("-- name:"), "{file}");
        }
    }
}

#[test]
fn a_file_reads_as_its_folder_says() {
    let dump = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/select/pg_dump.sql");
    let entries = corpus::read(dump);
    assert!(entries.iter().any(|e| e.sql.starts_with("LOCK TABLE") && e.needs == "select"));
    assert!(entries.iter().any(|e| e.sql.starts_with("COPY") && e.needs == "select,export"));
    assert!(entries.iter().all(|e| !e.sql.ends_with('\n')));
}
