//! What the server's own log and the trail say of the same sessions, and whether they agree.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::texts::Rights;

/// A file that grows, read line by line from where it was left.
#[derive(Default)]
struct Tail {
    from: u64,
    half: String,
}

impl Tail {
    fn lines(&mut self, path: &Path) -> Vec<String> {
        let Ok(mut file) = fs::File::open(path) else { return Vec::new() };
        file.seek(SeekFrom::Start(self.from)).expect("a place in a file");
        let mut bytes = Vec::new();
        self.from += file.read_to_end(&mut bytes).expect("reads") as u64;
        self.half.push_str(&String::from_utf8_lossy(&bytes));
        let Some(end) = self.half.rfind('\n') else { return Vec::new() };
        let rest = self.half.split_off(end + 1);
        let whole = std::mem::replace(&mut self.half, rest);
        whole.lines().map(str::to_owned).collect()
    }
}

/// What the server's log says of one session.
#[derive(Default, Debug)]
struct Ran {
    /// Texts that ran, each time they did.
    executed: Vec<String>,
    /// Texts that were parsed, bound, or failed at either.
    touched: Vec<String>,
    /// Calls by number.
    called: Vec<String>,
}

/// One statement's record.
#[derive(Debug)]
struct Record {
    text: String,
    kind: String,
    denied: bool,
    ends: Vec<String>,
    rows: u64,
}

/// A session as the trail knows it.
#[derive(Default, Debug)]
struct Session {
    application: String,
    records: BTreeMap<u64, Record>,
    closed: bool,
}

/// What the test knows of a session.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) holds: Rights,
    pub(crate) said: BTreeMap<String, Rights>,
    pub(crate) shown: Vec<String>,
    /// Rows and copy data that the client has got; `None`: it was cut off.
    pub(crate) rows: Option<u64>,
}

/// Both sources, read as they grow.
#[derive(Default)]
pub(crate) struct Watch {
    log: Tail,
    trail: HashMap<PathBuf, Tail>,
    ran: HashMap<String, Ran>,
    sessions: BTreeMap<u64, Session>,
    of_statement: HashMap<u64, u64>,
}

impl Watch {
    /// Reads what has come.
    pub(crate) fn read(&mut self, log: &Path, trail: &Path) {
        for line in self.log.lines(log) {
            self.log_line(&line);
        }
        let mut folders = vec![trail.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "jsonl") {
                    let lines = self.trail.entry(path.clone()).or_default().lines(&path);
                    for line in lines {
                        self.trail_line(&line);
                    }
                }
            }
        }
    }

    fn log_line(&mut self, line: &str) {
        let kinds = [" LOG:  ", " STATEMENT:  ", " ERROR:  "];
        let Some((at, kind)) = kinds.iter().find_map(|k| Some((line.find(k)?, *k))) else { return };
        let application = line[..at].rsplit(' ').next().unwrap_or_default().to_owned();
        if !application.contains('/') {
            return;
        }
        let told = &line[at + kind.len()..];
        let ran = self.ran.entry(application).or_default();
        let behind_name = |told: &str| told.split_once(": ").map(|(_, text)| text.to_owned());
        if kind == " STATEMENT:  " {
            ran.touched.push(told.to_owned());
        } else if kind == " ERROR:  " {
        } else if let Some(text) = told.strip_prefix("statement: ") {
            ran.executed.push(text.to_owned());
        } else if told.starts_with("execute ") {
            ran.executed.extend(behind_name(told));
        } else if told.starts_with("fastpath ") {
            ran.called.push(told.to_owned());
        } else if let Some((_, told)) = told.split_once(" ms  ")
            && (told.starts_with("parse ") || told.starts_with("bind "))
        {
            ran.touched.extend(behind_name(told));
        }
    }

    fn trail_line(&mut self, line: &str) {
        let record: Value = serde_json::from_str(line).expect("a record is JSON");
        let word = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let Some(session) = record["session"].as_u64() else { return };
        let known = self.sessions.entry(session).or_default();
        match (word("record").as_str(), word("kind").as_str()) {
            ("event", "session.opened") => {
                known.application = format!("{}/{}", word("principal"), word("application"));
            }
            ("event", "session.closed") => known.closed = true,
            ("intent", kind) => {
                let statement = record["statement"].as_u64().expect("a number");
                let made = Record {
                    text: word("text"),
                    kind: kind.to_owned(),
                    denied: word("decision") == "denial",
                    ends: Vec::new(),
                    rows: 0,
                };
                self.of_statement.insert(statement, session);
                assert!(known.records.insert(statement, made).is_none(), "two records: {line}");
            }
            ("outcome", _) => {
                let statement = record["statement"].as_u64().expect("a number");
                let made = known.records.get_mut(&statement);
                let made = made.unwrap_or_else(|| panic!("an outcome of nothing: {line}"));
                made.ends.push(word("ended"));
                made.rows += record["rows"].as_u64().unwrap_or_default();
            }
            _ => {}
        }
    }

    /// True if all these sessions have ended.
    pub(crate) fn all_closed(&self, known: &HashMap<String, Known>) -> bool {
        let closed =
            self.sessions.values().filter(|s| s.closed && known.contains_key(&s.application));
        closed.count() == known.len()
    }

    /// Everything that is wrong about these sessions; they are forgotten.
    pub(crate) fn judge(&mut self, known: &HashMap<String, Known>) -> Vec<String> {
        let mut wrong = Vec::new();
        let sessions = std::mem::take(&mut self.sessions);
        for (id, session) in sessions {
            let Some(what) = known.get(&session.application) else { continue };
            let ran = self.ran.remove(&session.application).unwrap_or_default();
            let found = of_session(&session, what, &ran);
            if !found.is_empty() {
                let (found, shown) = (found.join("\n  "), &what.shown);
                wrong.push(format!("{} ({id}): {found}\n{shown:#?}", session.application));
            }
        }
        self.ran.clear();
        self.of_statement.clear();
        wrong
    }
}

fn of_session(session: &Session, known: &Known, ran: &Ran) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut permitted: HashMap<&str, usize> = HashMap::new();
    for record in session.records.values() {
        if record.denied {
            if !record.ends.is_empty() {
                wrong.push(format!("a refusal with an outcome: {record:?}"));
            }
            continue;
        }
        if record.ends.len() != 1 {
            wrong.push(format!("{} outcomes: {record:?}", record.ends.len()));
        }
        for part in parts(&record.text) {
            *permitted.entry(part).or_default() += 1;
        }
    }
    let own: Vec<&str> = session
        .records
        .values()
        .filter(|record| record.kind == "gateway")
        .map(|record| record.text.as_str())
        .collect();
    let mut executed: HashMap<String, usize> = HashMap::new();
    for text in &ran.executed {
        for part in parts(text) {
            *executed.entry(part.to_owned()).or_default() += 1;
        }
    }
    for (part, count) in &executed {
        let recorded = permitted.get(part.as_str()).copied().unwrap_or_default();
        if *count > recorded {
            wrong.push(format!("ran {count} times and is on record {recorded} times: {part}"));
        }
    }
    for part in ran.executed.iter().chain(&ran.touched).flat_map(|text| parts(text)) {
        if !permitted.contains_key(part) {
            wrong.push(format!("reached the server without a record: {part}"));
        }
        let needs = known.said.get(part).copied();
        if needs.is_none() && !own.contains(&part) {
            wrong.push(format!("nobody has said: {part}"));
        }
        if needs.is_some_and(|needs| needs & !known.holds != 0) && !own.contains(&part) {
            wrong.push(format!("needs more than is held, and reached the server: {part}"));
        }
    }
    if known.holds & crate::texts::ADMIN == 0 && !ran.called.is_empty() {
        wrong.push(format!("a function was called by its number: {:?}", ran.called));
    }
    let rows: u64 = session.records.values().map(|record| record.rows).sum();
    if known.rows.is_some_and(|got| got != rows) {
        wrong.push(format!("{rows} rows are on record, the client got {:?}", known.rows));
    }
    if !wrong.is_empty() {
        wrong.push(format!("the records: {:#?}\n  {ran:#?}", session.records));
    }
    wrong
}

/// The statements of a text. None of ours has a semicolon inside.
fn parts(text: &str) -> Vec<&str> {
    let parts = text.split(';').map(str::trim);
    parts.filter(|part| !part.is_empty() && !part.starts_with("/*")).collect()
}
