//! Lineage against the server: two databases that are alike but for the values of marked columns.
//!
//! Of each generated query, what is said to tell nothing of them must hold none of their values, in
//! whatever spelling, and must be the same in both: the cells, how many rows there are, and whether it
//! fails. So must everything be of which nothing else is asked.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use hallpass::kernel::{
    catalog::Catalog,
    sql::{
        context::{Context, Overlay, SearchPath, Trust},
        lineage::{
            ColumnId, Lineage, Sensitive, follow,
            shape::{Body, Output, Query, Shape},
        },
        mode::LexMode,
        server_grammar,
    },
};

use super::{
    generate::{Dice, Grammar},
    laboratory::{catalog_of, first_number, from_environment},
    server::Session,
    support::{Message, Postgres, postgres::UPSTREAM_USER, raw},
};

const SCHEMA: &str = include_str!("lineage.sql");
const GRAMMAR: &str = include_str!("lineage.grammar");

/// So many by default.
const QUERIES: u64 = 4_000;

/// The columns that are marked.
const MARKED: [(&str, &str); 8] = [
    ("customers", "email"),
    ("customers", "phone"),
    ("customers", "salary"),
    ("customers", "tags"),
    ("customers", "doc"),
    ("logs", "email"),
    ("pairs", "p"),
    ("vips", "email"),
];

/// How a value that nobody may see can be told: as it is, shouted, backwards, as hexadecimal digits, and
/// as base64 at each of three places.
const MARKS: [&str; 8] =
    ["kn4ry", "KN4RY", "Kn4ry", "yr4nk", "6b6e347279", "a240cn", "tuNHJ", "rbjRye"];

struct Worlds {
    one: Session,
    other: Session,
    catalog: Catalog,
    sensitive: Sensitive,
    /// Kept until both sessions are gone.
    _server: Postgres,
}

impl Worlds {
    fn start() -> Self {
        let server = Postgres::start();
        let mut sessions = ["one", "other"].map(|name| {
            server.sql(&format!("CREATE DATABASE {name} OWNER {UPSTREAM_USER}"));
            let mut session = Session::open_database(&server, name);
            let salt = if name == "one" { "pepper" } else { "a pinch of salt" };
            session.rows(&SCHEMA.replace("SALT", salt));
            Some(session)
        });
        let catalog = catalog_of(&server, "one");
        let marked = MARKED.iter().map(|(table, column)| {
            let relation = catalog.relation("public", table).expect("a table");
            let column = relation.columns.iter().find(|c| c.name == *column).expect("a column");
            ColumnId { relation: relation.oid, number: column.number }
        });
        let sensitive = Sensitive::compile(marked, &catalog);
        let [one, other] = &mut sessions;
        let (one, other) = (one.take().expect("open"), other.take().expect("open"));
        Self { one, other, catalog, sensitive, _server: server }
    }

    fn lineage(&self, sql: &str) -> Option<(Shape, Lineage)> {
        let readings = server_grammar::read(sql, LexMode::POSTGRES).ok()?;
        let [only] = readings.as_slice() else { return None };
        let shape = only.shape.as_deref()?;
        let path = SearchPath::Known(self.catalog.default_path.clone());
        let cx = Context {
            mode: LexMode::POSTGRES,
            catalog: &self.catalog,
            path: &path,
            overlay: &Overlay::default(),
            trust: &Trust::default(),
        };
        Some((shape.clone(), follow(shape, &cx, &self.sensitive)))
    }
}

/// What a server says to a query.
struct Answer {
    error: Option<(String, String)>,
    names: Option<Vec<String>>,
    rows: Vec<Vec<Option<String>>>,
}

impl Answer {
    fn of(messages: &[Message]) -> Self {
        let error = raw::error(messages).map(|e| (e.field('C'), e.text()));
        let mut answer = Self { error, names: None, rows: Vec::new() };
        for message in messages {
            match message.tag {
                b'T' => answer.names = Some(names(&message.body)),
                b'D' => {
                    answer
                        .rows
                        .push(message.values().iter().map(|v| v.as_deref().map(lossy)).collect());
                }
                b'd' => {
                    let line = lossy(&message.body);
                    let cells = line.trim_end_matches('\n').split('\t');
                    answer.rows.push(cells.map(|cell| Some(cell.to_owned())).collect());
                }
                _ => {}
            }
        }
        answer
    }

    /// Cells of these columns, row by row, in no order.
    fn part(&self, columns: &[usize]) -> Vec<Vec<&Option<String>>> {
        let row = |row: &'_ Vec<Option<String>>| -> Vec<usize> {
            columns.iter().copied().filter(|at| *at < row.len()).collect()
        };
        let mut part: Vec<Vec<_>> =
            self.rows.iter().map(|r| row(r).into_iter().map(|at| &r[at]).collect()).collect();
        part.sort();
        part
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The names in a RowDescription.
fn names(body: &[u8]) -> Vec<String> {
    let count = usize::from(u16::from_be_bytes([body[0], body[1]]));
    let mut rest = &body[2..];
    let mut names = Vec::new();
    for _ in 0..count {
        let end = rest.iter().position(|b| *b == 0).expect("ends");
        names.push(lossy(&rest[..end]));
        rest = &rest[end + 1 + 18..];
    }
    names
}

fn is_marked(text: &str) -> bool {
    MARKS.iter().any(|mark| text.contains(mark))
}

/// The names that a plain list of outputs is said to get.
fn made_up(shape: &Shape) -> Vec<Option<String>> {
    let Shape::Query(Query { body: Body::Select(select), .. }) = shape else { return Vec::new() };
    let name = |output: &Output| match output {
        Output::Star(_) | Output::Fields(_) => None,
        Output::Value { name, made_up, .. } => Some(name.clone().or_else(|| made_up.clone())),
    };
    select.outputs.iter().map(name).collect::<Option<_>>().unwrap_or_default()
}

/// What went how often in which way.
#[derive(Default)]
struct Told {
    ways: BTreeMap<&'static str, usize>,
    findings: Vec<String>,
}

impl Told {
    fn count(&mut self, way: &'static str) {
        *self.ways.entry(way).or_default() += 1;
    }
}

fn one(worlds: &mut Worlds, number: u64, sql: &str, told: &mut Told) {
    let Some((shape, lineage)) = worlds.lineage(sql) else {
        told.count("no shape");
        return;
    };
    let answer = Answer::of(&worlds.one.witness(sql).answer);
    let mut find =
        |what: String| told.findings.push(format!("{number}: {sql}\n    {what}\n    {lineage:?}"));
    if let Some((_, text)) = &answer.error
        && is_marked(text)
        && lineage.is_clear()
    {
        find(format!("its error tells: {text}"));
    }
    if let (Some(outputs), Some(names), None) = (&lineage.outputs, &answer.names, &answer.error) {
        if outputs.len() != names.len() {
            find(format!("has {} columns, not {}", names.len(), outputs.len()));
            return;
        }
        for (output, name) in outputs.iter().zip(names) {
            if output.name.as_ref().is_some_and(|said| said != name) {
                find(format!("calls a column {name}"));
            }
        }
        for (made_up, name) in made_up(&shape).iter().zip(names) {
            if made_up.as_ref().is_some_and(|said| said != name) {
                find(format!("makes up the name {name}, not {made_up:?}"));
            }
        }
    }
    let is_clear = |at: usize| match &lineage.outputs {
        Some(outputs) => outputs.get(at).is_some_and(|output| output.label.is_clear()),
        None => lineage.rest.is_clear(),
    };
    for row in &answer.rows {
        for (at, cell) in row.iter().enumerate() {
            if is_clear(at) && cell.as_deref().is_some_and(is_marked) {
                find(format!("column {} tells {cell:?}", at + 1));
                return;
            }
        }
    }
    if !lineage.uses.is_empty() {
        told.count(if answer.error.is_some() { "asks and fails" } else { "asks" });
        return;
    }
    let other = Answer::of(&worlds.other.witness(sql).answer);
    let code = |answer: &Answer| answer.error.as_ref().map(|(code, _)| code.clone());
    if code(&answer) != code(&other) {
        find(format!("{:?} here, {:?} there", answer.error, other.error));
        return;
    }
    if answer.error.is_some() {
        told.count("fails");
        return;
    }
    let width = answer.rows.first().map_or(0, Vec::len);
    let clear: Vec<usize> = (0..width).filter(|at| is_clear(*at)).collect();
    // Which rows a LIMIT leaves is the planner's choice, which goes by what it knows of the values.
    let chosen = sql.contains("LIMIT") || sql.contains("FETCH");
    let (rows, others) = (answer.rows.len(), other.rows.len());
    if rows != others || !chosen && answer.part(&clear) != other.part(&clear) {
        find(format!("columns {clear:?} differ, or how many rows there are"));
        return;
    }
    told.count(match (&lineage.outputs, clear.len() == width) {
        (None, _) => "nobody knows its columns",
        (Some(_), true) => "is clear",
        (Some(_), false) => "is masked",
    });
}

/// What was found.
pub(crate) fn findings(times: u64) -> Vec<String> {
    let mut worlds = Worlds::start();
    let grammar = Grammar::parse(GRAMMAR);
    grammar.check();
    let mut told = Told::default();
    let (started, first) = (Instant::now(), first_number());
    let seconds = from_environment("HALLPASS_DIFFER_SECONDS").map(Duration::from_secs);
    let numbers = match from_environment("HALLPASS_DIFFER_ONE") {
        Some(number) => number..number + 1,
        None => first..first + seconds.map_or(QUERIES * times, |_| u64::MAX / 2),
    };
    for number in numbers {
        if seconds.is_some_and(|seconds| started.elapsed() > seconds) {
            break;
        }
        let sql = grammar.text("statement", &mut Dice::new(number));
        one(&mut worlds, number, &sql, &mut told);
    }
    eprintln!("{:?} in {:?}", told.ways, started.elapsed());
    told.findings
}
