//! The literate cases: Markdown for people, run as they stand. Inside of the ```` ```sql ```` blocks
//! every text ends with a line `-->` and the answer. Lines before a text set the stage for it alone.
//!
//! `tests/cases/classify`: SQL, and what it needs, `--> class; needs; flags`. Needs are `permission`,
//! `permission on schema.table` (`?` for a schema that nobody knows) or `permission everywhere`, the
//! permission without `sql.`. Flags: `rows` (rows of user relations come back, so that the cap
//! applies), `writes`. What can't be read is `--> unreadable: why`. The stage: `-- path: a, b`,
//! `-- path: unknown`, `-- overlay: name`, `-- trust: entry`. The gateway logs in as `hallpass`.
//!
//! `tests/cases/decide`: SQL and rights, and the decision, `--> permit; grants; cap; wall` or
//! `--> denial: what the client is told | hint`. The stage: `-- stands: permissions` and for each
//! grant `-- G-1: permissions; on scope; rows N; budget N; used N; from 12:00; until 13:00; revoked 12:30`,
//! `-- now: 12:15` (noon, unless it says so).
//!
//! With `HALLPASS_WRITE_CASES=1` the runner writes down what it finds, for a person to read.

use std::{fs, path::Path};

use hallpass::kernel::sql::{
    analysis::{Analysis, Batch, NeedOn, Unreadable},
    analyze,
    context::{Context, Overlay, SearchPath, Trust},
    engine,
    mode::LexMode,
    text::StatementText,
};

#[path = "support/catalog.rs"]
mod catalog;
#[path = "cases/decide.rs"]
mod decide;
#[path = "cases/mysql.rs"]
mod mysql;
#[path = "support/same_key.rs"]
mod same_key;

#[test]
fn every_statement_needs_what_its_case_says() {
    with_room(|| run_all::<Case>("classify", 300));
}

#[test]
fn every_statement_of_mysql_needs_what_its_case_says() {
    with_room(|| run_all::<mysql::Case>("mysql", 850));
    let keys = mysql::KEYS.load(std::sync::atomic::Ordering::Relaxed);
    assert!(keys > 1000, "only {keys} texts were held against others of their key");
}

#[test]
fn rights_decide_as_their_case_says() {
    with_room(|| run_all::<decide::Case>("decide", 50));
}

#[test]
fn what_the_second_parser_cannot_read_is_read_all_the_same() {
    let text = include_str!("cases/classify/second_parser.md");
    let blocks = text.split("```sql").skip(1).filter_map(|rest| rest.split("```").next());
    // Each begins on the line behind the one before: the answer to the text before, or the mark.
    let texts = blocks.flat_map(|block| block.split("-->"));
    let texts = texts.filter_map(|text| text.split_once('\n')).map(|(_, text)| text.trim());
    let unread =
        texts.filter(|text: &&str| !text.is_empty() && engine::read(text).is_none()).count();
    assert!(unread >= 60, "sqlparser reads all but {unread} now");
}

/// The parsers descend into what they read.
fn with_room(run: fn()) {
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(run);
    thread.expect("spawns").join().expect("passes");
}

/// What stands above an answer.
trait Stage: Default {
    /// One line of it.
    fn line(&mut self, line: &str);
    /// The text, without the stage.
    fn sql(&self) -> &str;
    /// The answer.
    fn answer(&self) -> String;
}

fn run_all<C: Stage>(cases: &str, least: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(cases);
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("folder").map(|f| f.expect("file").path()).collect();
    files.sort();
    let write = std::env::var_os("HALLPASS_WRITE_CASES").is_some();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for file in files {
        let text = fs::read_to_string(&file).expect("reads");
        let mut out = String::new();
        let mut case = C::default();
        let mut in_sql = false;
        for line in text.lines() {
            if line.starts_with("```") {
                in_sql = line == "```sql";
                assert!(
                    case.sql().trim().is_empty(),
                    "{}: no answer: {}",
                    file.display(),
                    case.sql()
                );
                case = C::default();
            }
            let is_text = in_sql && !line.starts_with("```");
            if let (true, Some(expected)) = (is_text, line.strip_prefix("-->")) {
                let case = std::mem::take(&mut case);
                let found = case.answer();
                count += 1;
                if found != expected.trim() {
                    wrong.push(format!(
                        "{}\n{}\n  case says: {}\n  found:     {found}",
                        file.display(),
                        case.sql().trim(),
                        expected.trim()
                    ));
                }
                out.push_str(&format!("--> {found}\n"));
                continue;
            }
            if is_text {
                case.line(line);
            }
            out.push_str(line);
            out.push('\n');
        }
        if write {
            fs::write(&file, out).expect("writes");
        }
    }
    assert!(count >= least, "only {count} cases of {cases}");
    assert!(write || wrong.is_empty(), "{} of {count}\n\n{}", wrong.len(), wrong.join("\n\n"));
}

#[derive(Default)]
struct Case {
    sql: String,
    path: Option<SearchPath>,
    overlay: Overlay,
    trust: Vec<String>,
}

impl Stage for Case {
    fn line(&mut self, line: &str) {
        if let Some(path) = line.strip_prefix("-- path: ") {
            self.path = Some(match path.trim() {
                "unknown" => SearchPath::Unknown,
                list => SearchPath::Known(list.split(", ").map(str::to_owned).collect()),
            });
        } else if let Some(name) = line.strip_prefix("-- overlay: ") {
            match name.trim() {
                "anything" => self.overlay.add_anything(),
                name => self.overlay.add([name.to_owned()]),
            }
        } else if let Some(entry) = line.strip_prefix("-- trust: ") {
            self.trust.push(entry.trim().to_owned());
        } else {
            self.sql.push_str(line);
            self.sql.push('\n');
        }
    }

    fn sql(&self) -> &str {
        &self.sql
    }

    fn answer(&self) -> String {
        match self.read() {
            Ok(batch) => {
                let each: Vec<String> = batch.statements.iter().map(|a| describe(a)).collect();
                if each.is_empty() { "nothing".to_owned() } else { each.join(" | ") }
            }
            Err(e) => format!("unreadable: {e}"),
        }
    }
}

impl Case {
    fn read(&self) -> Result<Batch, Unreadable> {
        let catalog = catalog::shop();
        let path = self.path.clone().unwrap_or_else(SearchPath::usual);
        let trust = Trust::parse(self.trust.iter().map(String::as_str))
            .expect("trust reads")
            .with_log_ins(["hallpass".to_owned()]);
        let cx = Context {
            mode: LexMode::POSTGRES,
            catalog: &catalog,
            path: &path,
            overlay: &self.overlay,
            trust: &trust,
        };
        let sql = self.sql.trim();
        let text = StatementText::new(sql.as_bytes(), 1 << 20).expect("text");
        analyze(&text, &cx)
    }
}

fn describe(analysis: &Analysis) -> String {
    let needs: Vec<String> = analysis
        .needs
        .iter()
        .map(|need| {
            let permission = need.permission.short_name();
            match &need.on {
                NeedOn::Anything => permission.to_owned(),
                NeedOn::Nobody => "nobody".to_owned(),
                NeedOn::WholeTarget | NeedOn::Code => format!("{permission} everywhere"),
                NeedOn::Moved { .. } => format!("{permission} moving rows"),
                NeedOn::Relation { schema, name, of: _ } if schema.is_empty() => {
                    format!("{permission} on ?.{name}")
                }
                NeedOn::Relation { schema, name, of: _ } => {
                    format!("{permission} on {schema}.{name}")
                }
            }
        })
        .collect();
    let mut flags = Vec::new();
    if analysis.returns_user_rows {
        flags.push("rows");
    }
    if analysis.writes {
        flags.push("writes");
    }
    let needs = if needs.is_empty() { "nothing".to_owned() } else { needs.join(", ") };
    let mut text = format!("{}; {needs}", analysis.class.name());
    if !flags.is_empty() {
        text.push_str(&format!("; {}", flags.join(" ")));
    }
    text
}
