//! Hostile SQL against the lexer, the parsers and what stands on them, with the server's own scanner and
//! grammar as a second opinion. How a run goes, and how to let it go on for hours:
//! `tests/support/fuzz.rs`.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

use hallpass::{
    kernel::{
        access::{Permission, Rights},
        policy::decide::Caps,
        sql::{
            analysis::Unreadable,
            analyze,
            context::{Context, Overlay, SearchPath, Trust},
            fingerprint::fingerprint,
            lex::{Limits, TokenKind, tokenize},
            local::recognise,
            mode::LexMode,
            normalize::{Normal, normalize, without_literals},
            server_grammar,
            text::StatementText,
        },
        time::Timestamp,
    },
    session::{desk, gate},
};

#[path = "support/catalog.rs"]
mod catalog;
#[path = "support/corpus.rs"]
pub mod corpus;
#[path = "support/fuzz.rs"]
mod fuzz;
#[path = "support/same_key.rs"]
mod same_key;

use fuzz::Target;
use same_key::{said, with_the_key_of};

const MODES: [LexMode; 2] =
    [LexMode::POSTGRES, LexMode { standard_conforming_strings: false, ..LexMode::POSTGRES }];

/// One thread at a time: libpg_query points the process's standard error to a pipe while it works.
static SERVER: Mutex<()> = Mutex::new(());

/// Whatever the bytes: nothing panics, and what the parts say of one text fits together.
pub fn harness(bytes: &[u8]) {
    let Ok(text) = StatementText::new(bytes, 1 << 20) else { return };
    for mode in MODES {
        let mut normal = Normal::default();
        let normalized = normalize(&text, mode, &mut normal);
        let bare = without_literals(&text, mode);
        match tokenize(&text, mode, &Limits::DEFAULT) {
            Ok(tokens) => {
                normalized.expect("the same lexer");
                bare.expect("the same lexer");
                let spans: Vec<_> = tokens.statements().iter().map(|s| s.bytes.clone()).collect();
                assert_eq!(normal.spans, spans);
                for span in spans {
                    assert!(text.as_str().get(span).is_some_and(|s| !s.is_empty()));
                }
                let mut end = 0;
                for token in tokens.tokens() {
                    assert!(token.start >= end && token.end > token.start);
                    end = token.end;
                }
                assert_eq!(fingerprint(&tokens, text.as_str()).len(), 32);
                let _call_or_not = recognise(&tokens, text.as_str());
                if let Some(collapsed) = tokens.collapsed(text.as_str()) {
                    let again = StatementText::new(collapsed.as_bytes(), 1 << 20).expect("text");
                    let again = tokenize(&again, mode, &Limits::DEFAULT).expect("still lexes");
                    assert_eq!(again.tokens().len(), tokens.tokens().len());
                    assert_eq!(again.statements().len(), tokens.statements().len());
                }
            }
            // These limits are the tokenizer's alone.
            Err(Unreadable::TooLarge { .. }) => {}
            Err(refused) => {
                assert_eq!(normalized, Err(refused.clone()));
                assert_eq!(bare, Err(refused));
            }
        }
    }
}

/// Where our lexer takes a text, the server's scanner cuts it in the same places.
fn same_tokens_as_the_server(text: &str) {
    let Ok(checked) = StatementText::new(text.as_bytes(), 1 << 24) else { return };
    let Ok(tokens) = tokenize(&checked, LexMode::POSTGRES, &Limits::DEFAULT) else { return };
    let guard = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    let theirs = pg_query::scan(text);
    drop(guard);
    let Ok(theirs) = theirs else {
        // Escapes inside of strings are the server's to refuse; we only need their ends.
        let only_strings = tokens.tokens().iter().any(|t| t.kind.is_string());
        let words = tokens
            .tokens()
            .iter()
            .any(|t| matches!(t.kind, TokenKind::QuotedIdentifier | TokenKind::BitString));
        assert!(only_strings || words, "the server refuses {text:?}");
        return;
    };
    if tokens.collapsed(text).is_some()
        || tokens.tokens().iter().any(|t| t.kind == TokenKind::NationalString)
    {
        return;
    }
    let comment = |token: i32| {
        use pg_query::protobuf::Token;
        matches!(Token::try_from(token), Ok(Token::SqlComment | Token::CComment))
    };
    let theirs: Vec<_> = theirs
        .tokens
        .iter()
        .filter(|t| !comment(t.token))
        .map(|t| (u32::try_from(t.start).expect("place"), u32::try_from(t.end).expect("place")))
        .collect();
    let ours: Vec<_> = tokens.tokens().iter().map(|t| (t.start, t.end)).collect();
    assert_eq!(ours, theirs, "{text:?}");
}

/// Where the server's grammar takes a text, we count the same statements, or refuse it.
fn same_statements_as_the_server(text: &str) -> bool {
    let _guard = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    let Ok(parsed) = pg_query::parse(text, 0) else { return false };
    match server_grammar::read(text, LexMode::POSTGRES) {
        Ok(readings) => assert_eq!(readings.len(), parsed.protobuf.stmts.len(), "{text:?}"),
        // Their copy of the scanner lets `$1FROM` pass; a server does not.
        Err(Unreadable::Syntax { message, .. }) if message.contains(" parameter") => {}
        Err(Unreadable::Syntax { message, .. }) => panic!("{text:?}: {message}"),
        Err(_) => {}
    }
    true
}

/// Bits that mean something to a lexer, or to the splitter.
const BITS: [&str; 64] = [
    "'",
    "''",
    "\"",
    "$$",
    "$a$",
    "$1",
    "--",
    "/*",
    "*/",
    "\n",
    "\r",
    " ",
    "\t",
    "\\",
    "\\'",
    ";",
    "E'",
    "b'",
    "X'",
    "N'",
    "U&'",
    "U&\"",
    "u",
    "&",
    "a",
    "ä",
    "_",
    "$",
    "1",
    "0x1",
    "1e",
    ".",
    "..",
    ":",
    "::",
    ":=",
    "+",
    "-",
    "*",
    "/",
    "<",
    "=",
    "@",
    "|",
    "(",
    ")",
    "[",
    "]",
    ",",
    "SELECT ",
    "CREATE FUNCTION f() BEGIN ATOMIC ",
    "END",
    " case ",
    " AS ",
    "VALUES (1)",
    ",(2)",
    "hallpass.",
    "\u{a0}",
    "\u{b}",
    "\u{c}",
    "~",
    "!",
    "'x'\n'y'",
    "null",
];

/// Words and pieces that lead into other branches of the grammar, or of the judgement.
const WORDS: [&str; 60] = [
    " FROM ",
    " WHERE ",
    " ORDER BY 1",
    " GROUP BY ",
    " LIMIT 1",
    " UNION ALL ",
    " JOIN ",
    " USING (id)",
    " NATURAL JOIN ",
    " LATERAL ",
    " WITH a AS (",
    "RECURSIVE ",
    " RETURNING *",
    " ON CONFLICT DO NOTHING",
    " FOR UPDATE",
    " AS ",
    " ONLY ",
    "EXPLAIN ",
    "ANALYZE ",
    "INSERT INTO ",
    "UPDATE ",
    " SET ",
    "DELETE FROM ",
    "MERGE INTO ",
    "TRUNCATE ",
    "COPY ",
    " TO STDOUT",
    " PROGRAM ",
    "CREATE TABLE ",
    "CREATE VIEW ",
    "ALTER ",
    "DROP ",
    "GRANT ",
    "SECURITY DEFINER ",
    "PREPARE p AS ",
    "EXECUTE p",
    "DECLARE c CURSOR FOR ",
    "FETCH ALL FROM c",
    "SET LOCAL ",
    "SET search_path = ",
    "RESET ALL",
    "customers",
    "public.",
    "pg_catalog.",
    "pg_stat_activity",
    "query",
    ".*",
    "(a).b",
    "::regclass",
    "set_config('role', 'x', false)",
    "query_to_xml('', true, true, '')",
    "lower(",
    "count(*)",
    " OVER (PARTITION BY a)",
    "CASE WHEN a THEN b END",
    "ARRAY[1]",
    "ROW(1, a)",
    "NOT ",
    " IS NULL",
    "hallpass.request('select', '1h', 'x')",
];

/// Whole statements and pieces, so that the grammar often says yes.
const STATEMENTS: [&str; 26] = [
    "SELECT 1",
    "SELECT ';' AS a, $$;$$",
    "VALUES (1),(2),(3),(4)",
    "BEGIN",
    "COMMIT",
    ";",
    "-- x;\n",
    "/* ; /* ; */ */",
    "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
    "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC END",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1; SELECT 2'",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN b END FROM t; END",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 end; END",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 case; END",
    "CREATE FUNCTION f(a int DEFAULT CASE WHEN true THEN 1 END) RETURNS int RETURN 1",
    "SELECT \"a;b\" FROM t",
    "INSERT INTO t VALUES (1, ';'), (2, '')",
    "END",
    "DROP TABLE x",
    "COPY t FROM STDIN",
    "SELECT a[1:2] FROM t",
    "SELECT 'a'\n';'",
    "DO $x$ BEGIN; END $x$",
    "CREATE TABLE begin (atomic int)",
    "SELECT x.case, y.end FROM t",
];

/// Every text of the corpus that isn't too long to be changed: real statements, and attacks.
fn seeds() -> Vec<Vec<u8>> {
    let folders = ["attacks", "ddl", "dml", "info", "select", "session"];
    let files = folders.into_iter().flat_map(corpus::read_folder);
    let texts = files.flat_map(|(_, entries)| entries.into_iter().map(|entry| entry.sql));
    let texts = texts.chain(STATEMENTS.iter().map(|&text| text.to_owned()));
    texts.filter(|text| text.len() <= 600).map(String::into_bytes).collect()
}

fn target(name: &'static str) -> Target<'static> {
    let words = BITS.into_iter().chain(STATEMENTS).chain(WORDS);
    Target::new(name, seeds()).longest(2000).words(words)
}

/// What the lexer lets through may need this much to be parsed, walked and dropped.
fn on_a_large_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(work);
    thread.expect("spawns").join().expect("passes");
}

fn alone<T>(work: impl FnOnce() -> T) -> T {
    let _guard = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    work()
}

/// Nothing panics, and the lexer cuts a text where the server's scanner and grammar do.
#[test]
fn tokens() {
    on_a_large_stack(|| {
        target("tokens").run(|bytes| {
            harness(bytes);
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            same_tokens_as_the_server(text);
            same_statements_as_the_server(text);
        });
    });
}

/// All three readings of a text, what they come to, and what the gateway answers itself.
#[test]
fn statements() {
    on_a_large_stack(|| {
        let catalog = catalog::shop();
        let overlay = {
            let mut overlay = Overlay::default();
            overlay.add(["customers".to_owned(), "t".to_owned()]);
            overlay
        };
        target("statements").run(|bytes| {
            let Ok(text) = StatementText::new(bytes, 1 << 20) else { return };
            for (mode, path, overlay) in [
                (MODES[0], SearchPath::usual(), &Overlay::default()),
                (MODES[1], SearchPath::Unknown, &overlay),
            ] {
                let (catalog, trust) = (&catalog, &Trust::default());
                let cx = Context { mode, catalog, path: &path, overlay, trust };
                let batch = match alone(|| analyze(&text, &cx)) {
                    Ok(batch) => batch,
                    Err(why) => {
                        below_admin(&why, text.as_str());
                        continue;
                    }
                };
                for analysis in &batch.statements {
                    assert!(text.as_str().get(analysis.span.clone()).is_some());
                    if let Some(call) = &analysis.local {
                        drop(desk::columns(call));
                    }
                }
                let _ = batch.stands_for_its_key();
            }
        });
    });
}

/// What nobody understands is refused to whoever holds everything but admin.
fn below_admin(why: &Unreadable, text: &str) {
    let all_but_admin = Permission::ALL.into_iter().filter(|p| *p != Permission::Admin);
    let rights = Rights { standing: all_but_admin.collect(), ..Rights::default() };
    let caps = Caps { rows: 1, bytes: 1, catalog_bytes: 1 };
    match gate::unreadable(why, (text, false), &rights, caps, Timestamp(0)) {
        gate::Opinion::Refuse(refusal) => assert!(!refusal.message.is_empty()),
        gate::Opinion::Permit(..) => panic!("{text:?} passes below admin"),
    }
}

/// What the cache of analyses stands on: texts with one key are judged alike.
#[test]
fn same_key() {
    on_a_large_stack(|| {
        let catalog = catalog::shop();
        let (path, overlay, trust) = (SearchPath::usual(), Overlay::default(), Trust::default());
        let (mode, path, overlay, trust) = (LexMode::POSTGRES, &path, &overlay, &trust);
        let cx = Context { mode, catalog: &catalog, path, overlay, trust };
        let judged = |sql: &str| {
            let text = StatementText::new(sql.as_bytes(), 1 << 20).expect("a text");
            said(alone(|| analyze(&text, &cx)))
        };
        target("same_key").run(|bytes| {
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            let same = with_the_key_of(text);
            if same.is_empty() {
                return;
            }
            let Some(expected) = judged(text) else { return };
            for other in same {
                assert_eq!(judged(&other).as_ref(), Some(&expected), "{other}");
            }
        });
    });
}

/// The scripts that Debian's Postgres installs: thousands of real definitions.
#[test]
fn the_scripts_of_the_installed_server() {
    let mut scripts = Vec::new();
    for folder in ["/usr/share/postgresql/15", "/usr/share/postgresql/15/extension"] {
        let Ok(entries) = Path::new(folder).read_dir() else {
            eprintln!("SKIPPED: no {folder}, install postgresql-15");
            return;
        };
        let paths = entries.flatten().map(|e| e.path());
        scripts.extend(paths.filter(|p| p.extension().is_some_and(|e| e == "sql")));
    }
    let mut understood = 0;
    for path in &scripts {
        let Ok(script) = std::fs::read_to_string(path) else { continue };
        let lines: Vec<&str> = script.lines().filter(|l| !l.starts_with('\\')).collect();
        let text = lines.join("\n").replace("@extschema@", "s").replace("MODULE_PATHNAME", "m");
        harness(text.as_bytes());
        same_tokens_as_the_server(&text);
        let run = move || same_statements_as_the_server(&text);
        let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(run).expect("thread");
        understood += usize::from(thread.join().expect("no panic"));
    }
    assert!(understood * 10 >= scripts.len() * 9, "{understood} of {} scripts", scripts.len());
}
