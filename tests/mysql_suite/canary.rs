//! The canary on MySQL and MariaDB: thousands of statements through a gateway over values that carry marks,
//! in every form in which a client can ask. No mark may be in any byte that comes back: rows, headers,
//! errors, warnings, variables, plans.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::{
    client::Pair,
    generate::{Dice, Grammar},
    support::{
        Gateway, MySql, MySqlRaw, eventually,
        gateway::{Options, TARGET},
        mysql::Family,
        mysql_raw::Answer,
    },
};

const SCHEMA: &str = include_str!("canary/schema.sql");
const GRAMMAR: &str = include_str!("canary/queries.grammar");

/// Names of the schema that the statements run in.
const KENNEL: &str = "kennel";

/// So many statements where nobody says how long.
const STATEMENTS: u64 = 800;

/// So long for each server on a machine that tests for others.
const IN_CI: Duration = Duration::from_secs(20);

/// The columns that are masked, so that nothing of a value is left.
const MASKED: [(&str, &str); 7] = [
    ("customers.email", "full"),
    ("customers.phone", "full"),
    ("customers.salary", "null"),
    ("customers.doc", "full"),
    ("customers.born", "null"),
    ("customers.secret", "null"),
    ("logs.email", "full"),
];

/// How a text that nobody may see can be told: as it is, shouted, backwards, as hexadecimal digits, as base64
/// at each of three places; days as text and in binary.
const MARKS: [&[u8]; 11] = [
    b"kn4ry",
    b"KN4RY",
    b"Kn4ry",
    b"yr4nk",
    b"6B6E347279",
    b"6b6e347279",
    b"a240cn",
    b"tuNHJ",
    b"rbjRye",
    b"1961-07",
    b"\x04\xa9\x07\x07",
];

/// A form in which a client asks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Way {
    Query,
    Prepared,
    Cursor,
    ByName,
    Printed,
    Together,
    Batch,
}

const WAYS: [Way; 8] = [
    Way::Query,
    Way::Query,
    Way::Prepared,
    Way::Cursor,
    Way::ByName,
    Way::Printed,
    Way::Together,
    Way::Batch,
];

/// What changes what names mean or keeps what was seen, and what is asked then; each statement after a bar.
const BATCHES: [&str; 39] = [
    "USE other | <query>",
    "SET @v = (SELECT min(email) FROM customers) | SELECT @v, hex(@v)",
    "SELECT email, name INTO @v, @w FROM customers LIMIT 1 | SELECT @v, @w",
    "SELECT @v := email FROM customers | SELECT upper(@v)",
    "SET @q = 'SELECT email FROM customers' | PREPARE s FROM @q | EXECUTE s",
    "PREPARE s FROM 'SELECT ?, email FROM customers' | SET @v = 1 | EXECUTE s USING @v",
    "PREPARE s FROM 'SELECT id FROM customers WHERE email > ?' | SET @v = 0 | EXECUTE s USING @v",
    "PREPARE s FROM 'SELECT id FROM customers WHERE email = ?' | SET @v = 0 | EXECUTE s USING @v",
    "HANDLER customers OPEN | HANDLER customers READ FIRST | HANDLER customers READ email = ('x') | HANDLER customers CLOSE",
    "CREATE TEMPORARY TABLE tt AS <query> | SELECT * FROM tt | DROP TEMPORARY TABLE tt",
    "CREATE TEMPORARY TABLE customers (id int, name varchar(9), email varchar(9)) | <query> | DROP TEMPORARY TABLE customers | <query>",
    "CREATE TEMPORARY TABLE tt (x varchar(200)) | INSERT INTO tt SELECT <text> FROM <relation> a | SELECT * FROM tt",
    "CREATE TEMPORARY TABLE tt LIKE customers | INSERT INTO tt (id, name) SELECT id, email FROM customers | SELECT * FROM tt",
    "CREATE TEMPORARY TABLE tt SELECT id, name FROM customers | UPDATE tt JOIN customers a USING (id) SET tt.name = a.email | SELECT * FROM tt",
    "CREATE OR REPLACE VIEW contacts AS SELECT id, name AS mail, phone AS tel, email AS name FROM customers | SELECT * FROM contacts",
    "ALTER VIEW contacts AS SELECT id, name AS mail, phone AS tel, email AS name FROM customers | SELECT name FROM contacts",
    "CREATE VIEW vv AS <query> | SELECT * FROM vv",
    "EXPLAIN FORMAT=JSON <query> | SHOW WARNINGS",
    "EXPLAIN <query> | SHOW WARNINGS | SHOW COUNT(*) WARNINGS",
    "<statement> | GET DIAGNOSTICS CONDITION 1 @v = MESSAGE_TEXT | SELECT @v",
    "<statement> | SHOW ERRORS | SHOW WARNINGS LIMIT 1",
    "SET sql_mode = 'ANSI_QUOTES' | SELECT \"email\" FROM customers | <query>",
    "SET sql_mode = 'NO_BACKSLASH_ESCAPES' | SELECT '\\', email, 'x' FROM customers | <query>",
    "SET sql_mode = 'PIPES_AS_CONCAT' | SELECT '' || email FROM customers | <query>",
    "SET sql_mode = '' | <statement> | SHOW WARNINGS",
    "SET sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO' | <statement>",
    "SET NAMES latin1 | <query>",
    "SET NAMES utf8mb4 COLLATE utf8mb4_bin | <query>",
    "SET character_set_results = NULL | <query>",
    "SET group_concat_max_len = 5 | SELECT group_concat(email) FROM customers | SHOW WARNINGS",
    "SET max_error_count = 1000 | <statement> | SHOW WARNINGS",
    "ANALYZE TABLE customers | SELECT * FROM information_schema.statistics WHERE table_name = 'customers' | SELECT * FROM information_schema.innodb_metrics LIMIT 1",
    "EXECUTE IMMEDIATE 'SELECT email FROM customers' | EXECUTE IMMEDIATE concat('SELECT ', 'email FROM customers')",
    "SET optimizer_trace = 'enabled=on' | <query> | SELECT trace FROM information_schema.optimizer_trace",
    "SET explain_format = 'JSON' | EXPLAIN <query> | SHOW WARNINGS",
    "SET explain_format = 'TREE' | EXPLAIN <query> | EXPLAIN ANALYZE <query>",
    "SET profiling = 1 | <query> | SHOW PROFILES",
    "LOCK TABLES customers READ | <query> | UNLOCK TABLES",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT | <query> | SAVEPOINT a | <write> | ROLLBACK TO a",
];

/// A gateway in front of values that carry marks.
struct World {
    pair: Pair,
    secret: String,
    grammar: Grammar,
    salaries: Vec<i64>,
}

impl World {
    /// `masks`: false if nobody has made any rule.
    fn start(family: Family, masks: bool) -> Self {
        let server = MySql::start(family);
        fill(&server);
        let gateway = Gateway::start_mysql(&server, &Options::default());
        let pair = Pair { server, gateway };
        let salaries = pair.server.sql("SELECT salary FROM kennel.customers");
        let salaries = salaries.lines().map(|line| line.parse().expect("a number")).collect();
        for (column, with) in MASKED.iter().filter(|_| masks) {
            let column = format!("{KENNEL}.{column}");
            let rule = ["mask", "add", "--target", TARGET, "--column", &column, "--with", with];
            pair.gateway.must(&rule);
        }
        let secret = pair.gateway.principal("alice", "developer");
        pair.gateway.grant_with(
            "alice",
            "explain,info,select,dml,ddl,export",
            &["--for", "8h", "--row-budget", "100000000"],
        );
        let grammar = Grammar::parse(GRAMMAR);
        grammar.check();
        let world = Self { pair, secret, grammar, salaries };
        let knows = || {
            let told = world.connect().query("SELECT email, born FROM customers WHERE id = 1");
            told.error().is_none() && (!masks || world.tells(&told).is_none())
        };
        let told = || world.connect().query("SELECT email, born FROM customers WHERE id = 1");
        assert!(eventually(Duration::from_secs(20), knows), "{:?}", told().error());
        world
    }

    fn connect(&self) -> MySqlRaw {
        let user = format!("alice@{TARGET}");
        MySqlRaw::connect(self.pair.gateway.port(), &user, &self.secret, KENNEL)
    }

    /// The statements of a number, and in which form they go.
    fn case(&self, number: u64) -> (Way, Vec<String>) {
        let mut dice = Dice::new(number);
        let way = *dice.pick(&WAYS);
        let text = match way {
            Way::Batch => {
                let template: &&str = dice.pick(&BATCHES);
                self.grammar.filled(template, &mut dice)
            }
            Way::Query | Way::Together => self.grammar.text("statement", &mut dice),
            Way::Prepared | Way::Cursor | Way::ByName | Way::Printed => {
                self.grammar.text("query", &mut dice)
            }
        };
        // A mark that the client writes itself tells nothing.
        let text = text.replace("kn4ry", "guess");
        (way, text.split(" | ").map(str::to_owned).collect())
    }

    /// A mark in what came, if there is one.
    fn tells(&self, answer: &Answer) -> Option<String> {
        answer.packets.iter().find_map(|packet| {
            let mark = MARKS.iter().find(|mark| holds(packet, mark));
            let told = mark.map(|mark| String::from_utf8_lossy(mark).into_owned());
            let told = told.or_else(|| self.salaries.iter().find_map(|n| number(*n, packet)))?;
            Some(format!("{told} in {:?}", String::from_utf8_lossy(packet)))
        })
    }
}

fn fill(server: &MySql) {
    let output = server.client(SCHEMA.as_bytes(), &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn holds(body: &[u8], mark: &[u8]) -> bool {
    body.windows(mark.len()).any(|window| window == mark)
}

/// A salary: its digits, or a cell that is one in binary.
fn number(salary: i64, packet: &[u8]) -> Option<String> {
    let short = i32::try_from(salary).expect("short").to_le_bytes();
    #[allow(clippy::cast_precision_loss, reason = "nine digits")]
    let double = (salary as f64).to_le_bytes();
    let digits = salary.to_string();
    let is_told = [&short[..], &double[..], digits.as_bytes()].iter().any(|m| holds(packet, m));
    is_told.then_some(digits)
}

/// What went how often in which way.
#[derive(Default)]
struct Told {
    sent: u64,
    refused: u64,
    answered: u64,
    findings: Vec<String>,
    found: BTreeMap<Way, u64>,
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// Which numbers to look at, and for how long at most, as the environment says: `HALLPASS_CANARY_SECONDS`,
/// `HALLPASS_CANARY_SEED`, `HALLPASS_CANARY_ONE`.
fn extent() -> (std::ops::Range<u64>, Option<Duration>) {
    if let Some(number) = from_environment("HALLPASS_CANARY_ONE") {
        return (number..number + 1, None);
    }
    let seed = from_environment("HALLPASS_CANARY_SEED").unwrap_or(1);
    let first = seed * 10_000_000;
    let in_ci = std::env::var_os("CI").is_some();
    let seconds = from_environment("HALLPASS_CANARY_SECONDS").map(Duration::from_secs);
    match seconds.or(in_ci.then_some(IN_CI)) {
        Some(most) => (first..u64::MAX / 2, Some(most)),
        None => (first..first + STATEMENTS, None),
    }
}

/// Says what was asked last when a test panics.
struct Shown<'t>(u64, Way, &'t [String]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("at {}: {:?} {:?}", self.0, self.1, self.2);
        }
    }
}

/// What was found. A finding tells its number, for `HALLPASS_CANARY_ONE`.
fn run(world: &World, (numbers, most): (std::ops::Range<u64>, Option<Duration>)) -> Told {
    let mut told = Told::default();
    let (started, first) = (Instant::now(), numbers.start);
    let mut client = world.connect();
    for number in numbers {
        if most.is_some_and(|most| started.elapsed() > most) {
            break;
        }
        let (way, texts) = world.case(number);
        let _shown = Shown(number, way, &texts);
        client.query("BEGIN");
        let said = ask(&mut client, way, &texts);
        let defines = texts.iter().any(|text| is_definition(text));
        if way == Way::Batch || number % 100 == 0 || defines {
            drop(client);
            client = world.connect();
        }
        if defines && said.iter().any(|answer| answer.error().is_none()) {
            world.pair.server.sql("DROP DATABASE kennel; DROP DATABASE other");
            fill(&world.pair.server);
        }
        client.query("ROLLBACK");
        told.sent += 1;
        let is_refused = |answer: &Answer| {
            answer
                .error()
                .is_some_and(|(n, text)| matches!(n, 1142 | 1227) && text.contains("sql."))
        };
        told.refused += u64::from(said.iter().any(is_refused));
        told.answered += u64::from(said.iter().all(|answer| answer.error().is_none()));
        if let Some(what) = said.iter().find_map(|answer| world.tells(answer)) {
            *told.found.entry(way).or_default() += 1;
            told.findings.push(format!("{number}: {way:?} {texts:?}\n    {what}"));
        }
    }
    eprintln!(
        "{} statements from number {first} in {:?}: {} refused, {} answered",
        told.sent,
        started.elapsed(),
        told.refused,
        told.answered,
    );
    told
}

fn is_definition(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    let defines = ["CREATE", "ALTER", "RENAME", "DROP", "TRUNCATE", "ANALYZE"].contains(&first);
    defines && !text.contains(" TEMPORARY ")
}

/// Behind everything stands what may have kept something of it.
fn ask(client: &mut MySqlRaw, way: Way, texts: &[String]) -> Vec<Answer> {
    let text = texts.first().map(String::as_str).unwrap_or_default();
    let mut said = match way {
        Way::Query => vec![client.query(text)],
        Way::Prepared => vec![client.prepared(text, false)],
        Way::Cursor => vec![client.prepared(text, true)],
        Way::ByName => {
            let quoted = text.replace('\\', "\\\\").replace('\'', "''");
            let made = client.query(&format!("PREPARE s FROM '{quoted}'"));
            vec![made, client.query("EXECUTE s")]
        }
        Way::Printed => vec![client.query(&format!("EXPLAIN FORMAT=JSON {text}"))],
        Way::Together => vec![client.query(&format!("{text}; SHOW WARNINGS; SELECT @v, @w"))],
        Way::Batch => texts.iter().map(|text| client.query(text)).collect(),
    };
    said.push(client.query("SHOW WARNINGS"));
    said.push(client.query("SELECT @v, @w"));
    said
}

fn nothing_comes(family: Family) {
    let world = World::start(family, true);
    let told = run(&world, extent());
    assert!(told.findings.is_empty(), "\n{}", told.findings.join("\n"));
    if told.sent > 200 {
        assert!(told.answered * 10 > told.sent, "of {} {} were answered", told.sent, told.answered);
    }
}

#[test]
fn no_masked_value_comes_by_any_way_from_mariadb() {
    nothing_comes(Family::MariaDb);
}

#[test]
fn no_masked_value_comes_by_any_way_from_mysql() {
    nothing_comes(Family::MySql);
}

#[test]
fn without_rules_values_come_by_every_way() {
    for family in Family::ALL {
        let world = World::start(family, false);
        let told = run(&world, (0..160, None));
        // A plan prints no value of a table, unless something goes wrong.
        let silent = |way: &&Way| **way != Way::Printed && !told.found.contains_key(way);
        let silent: Vec<_> = WAYS.iter().filter(silent).collect();
        assert!(silent.is_empty(), "{family:?}: {silent:?}");
    }
}
