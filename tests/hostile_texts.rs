//! Texts made to cost much: whatever they say, reading and judging them ends soon.
//!
//! They have up to 5,000 tokens, so that a debug build is done in seconds; with
//! `HALLPASS_HOSTILE_TOKENS=200000` they are as long as the lexer lets through. And what twice as long a
//! text costs shows what grows faster than its text.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use hallpass::kernel::{
    catalog::Catalog,
    sql::{
        analyze,
        context::{Context, Overlay, SearchPath, Trust},
        mode::LexMode,
        text::StatementText,
    },
};

#[path = "support/catalog.rs"]
pub mod catalog;

/// What `limits.statement_bytes` lets through unless it is set.
const LONGEST: usize = 1 << 20;

/// What the whole text may cost is asked of texts with so many tokens.
fn tokens_set() -> usize {
    let set = std::env::var("HALLPASS_HOSTILE_TOKENS").ok();
    set.map_or(5_000, |n| n.parse().expect("HALLPASS_HOSTILE_TOKENS is a number"))
}

thread_local! {
    /// How many tokens the texts of this thread have.
    static TOKENS: Cell<usize> = const { Cell::new(0) };
}

fn tokens_max() -> usize {
    TOKENS.get()
}

/// About how many tokens a text has, and never fewer.
fn tokens(text: &str) -> usize {
    let (mut count, mut in_word) = (0, false);
    for c in text.chars() {
        let word = c.is_alphanumeric() || c == '_';
        count += usize::from(!(c.is_whitespace() || word && in_word));
        in_word = word;
    }
    count
}

fn filled(begin: &str, part: impl Fn(usize) -> String, end: &str, n: usize) -> String {
    let mut text = begin.to_owned();
    let mut left = tokens_max().saturating_sub(tokens(begin) + tokens(end));
    for i in 0..n {
        let next = part(i);
        let size = tokens(&next);
        if size > left || text.len() + next.len() + end.len() > LONGEST {
            break;
        }
        left -= size;
        text.push_str(&next);
    }
    text.push_str(end);
    text
}

/// The first of two parts.
fn half(begin: &str, part: impl Fn(usize) -> String, end: &str, n: usize) -> String {
    let parts = (tokens_max() / 2).saturating_sub(tokens(end)) / tokens(&part(0)).max(1);
    filled(begin, part, end, n.min(parts))
}

fn nested(n: usize, open: &str, inner: &str, close: &str) -> String {
    format!("{}{inner}{}", open.repeat(n), close.repeat(n))
}

fn same(part: &'static str) -> impl Fn(usize) -> String {
    move |_| part.to_owned()
}

fn texts(tokens: usize) -> Vec<(&'static str, String)> {
    TOKENS.set(tokens);
    let n = 400_000;
    vec![
        ("40,000 terms", filled("SELECT 1", same(" + 1"), "", 40_000)),
        ("4,900 terms", filled("SELECT 1", same(" + 1"), "", 4_900)),
        ("990 terms", filled("SELECT 1", same(" + 1"), "", 980)),
        (
            "990 columns in terms",
            filled("SELECT a", |i| format!(" + c{i}"), " FROM customers", 980),
        ),
        ("and-or", filled("SELECT 1 WHERE a = 1", |i| format!(" AND c{i} = 1"), "", 2_000)),
        ("and flat", filled("SELECT 1 WHERE a", same(" AND a"), "", 4_900)),
        ("not", filled("SELECT ", same("NOT "), "a", 400)),
        ("minus", filled("SELECT ", same("- "), "1", 400)),
        ("concat", filled("SELECT ''", same(" || ''"), "", 900)),
        ("parens 200,000", nested(200_000, "(", "1", ")")),
        ("parens 400", format!("SELECT {}", nested(400, "(", "1", ")"))),
        ("parens 400 rows", format!("SELECT {}", nested(400, "(1,", "1", ")"))),
        ("selects 300", format!("SELECT {}", nested(160, "(SELECT ", "1", ")"))),
        (
            "from selects",
            format!("SELECT * FROM {}", nested(160, "(SELECT * FROM ", "customers", ") x")),
        ),
        (
            "from joins in parens",
            format!("SELECT * FROM {}", nested(300, "(", "customers", " CROSS JOIN customers)")),
        ),
        ("arrays", format!("SELECT {}", nested(300, "ARRAY[", "1", "]"))),
        ("case", format!("SELECT {}", nested(200, "CASE WHEN ", "true", " THEN true END"))),
        ("comments 200,000", format!("SELECT 1 {}", nested(200_000, "/*", "", "*/"))),
        ("comment starts", format!("SELECT 1 {}", "/*".repeat(400_000))),
        ("dollar starts", filled("SELECT ", |i| format!("$a{i}$ "), "", n)),
        ("quotes", filled("SELECT ", same("'' "), "", n)),
        ("strings continued", filled("SELECT ''", same("\n''"), "", n)),
        ("backslashes", filled("SELECT E'", same("\\'"), "'", n)),
        ("colons", filled("SELECT ", same(":"), "", n)),
        ("operators", filled("SELECT 1 ", same("+-"), "1", n)),
        ("operator run of dashes", filled("SELECT 1 ", same("@-"), "1", n)),
        ("casts", filled("SELECT 1", same("::int"), "", 900)),
        ("dots", filled("SELECT a", same(".a"), "", n)),
        ("subscripts", filled("SELECT a", same("[1]"), "", 900)),
        ("fields", filled("SELECT (a)", same(".b"), "", n)),
        ("commas", filled("SELECT 1", same(",1"), "", n)),
        ("columns", filled("SELECT a", |i| format!(",c{i}"), " FROM customers", n)),
        ("aliases", filled("SELECT 1", |i| format!(",1 a{i}"), " FROM customers", n)),
        ("qualified columns", filled("SELECT c.a", |i| format!(",c.c{i}"), " FROM customers c", n)),
        ("stars", filled("SELECT *", same(",*"), " FROM customers", n)),
        ("qualified stars", filled("SELECT c.*", same(",c.*"), " FROM customers c", n)),
        (
            "stars of activity",
            filled("SELECT *", same(",*"), " FROM pg_stat_activity a, pg_stat_activity b", n),
        ),
        (
            "stars over many",
            filled(
                &half("SELECT *", same(",*"), " FROM pg_stat_activity a", 60_000),
                |i| format!(",pg_stat_activity a{i}"),
                "",
                30_000,
            ),
        ),
        ("tables", filled("SELECT 1 FROM customers", |i| format!(",t{i}"), "", n)),
        ("known tables", filled("SELECT 1 FROM customers", |i| format!(",customers a{i}"), "", n)),
        ("views", filled("SELECT 1 FROM pay_overview", |i| format!(",pay_overview a{i}"), "", n)),
        ("joins", filled("SELECT 1 FROM customers", |i| format!(" CROSS JOIN t{i}"), "", 900)),
        (
            "joins on",
            filled(
                "SELECT 1 FROM customers a",
                |i| format!(" JOIN customers b{i} ON true"),
                "",
                900,
            ),
        ),
        ("unions", filled("SELECT 1", same(" UNION SELECT 1"), "", 900)),
        ("functions", filled("SELECT 1", |i| format!(",f{i}()"), "", n)),
        ("functions nested", format!("SELECT {}", nested(300, "f(", "1", ")"))),
        ("types", filled("SELECT 1", |i| format!(",1::t{i}"), "", n)),
        (
            "own operators",
            filled(
                "SELECT 1",
                |i| {
                    let ops = ['+', '<', '>', '=', '~', '!', '@', '%', '^', '&', '|'];
                    let mut name = String::new();
                    let mut i = i;
                    for _ in 0..6 {
                        name.push(ops[i % ops.len()]);
                        i /= ops.len();
                    }
                    format!(",1 {name}@ 1")
                },
                "",
                n,
            ),
        ),
        (
            "ctes",
            filled("WITH a AS (SELECT 1)", |i| format!(",a{i} AS (SELECT 1)"), " SELECT 1", n),
        ),
        (
            "ctes twice",
            filled(
                "WITH a0 AS (SELECT 1)",
                |i| format!(",a{} AS (SELECT * FROM a{i} x, a{i} y)", i + 1),
                " SELECT 1",
                n,
            ),
        ),
        (
            "ctes recursive",
            filled(
                "WITH RECURSIVE a0 AS (SELECT 1)",
                |i| format!(",a{} AS (SELECT * FROM a{i} x, a{i} y)", i + 1),
                " SELECT 1",
                n,
            ),
        ),
        (
            "ctes used",
            filled(
                &half(
                    "WITH a0 AS (SELECT 1)",
                    |i| format!(",a{i} AS (SELECT 1)"),
                    " SELECT 1 FROM a0",
                    20_000,
                ),
                |i| format!(",a{i}"),
                "",
                40_000,
            ),
        ),
        ("ctes inside", nested(150, "WITH a AS (", "SELECT 1", ") SELECT * FROM a")),
        (
            "ctes and columns",
            filled(
                &half(
                    "WITH a0 AS (SELECT 1)",
                    |i| format!(",a{i} AS (SELECT 1)"),
                    " SELECT 1",
                    20_000,
                ),
                |i| format!(",a{i}.x"),
                " FROM a0",
                40_000,
            ),
        ),
        ("in list", filled("SELECT 1 WHERE a IN (1", same(",1"), ")", n)),
        (
            "in list of parameters",
            filled("SELECT 1 WHERE a IN ($1", |i| format!(",${}", i % 60_000 + 1), ")", n),
        ),
        ("values", filled("VALUES (1)", same(",(1)"), "", n)),
        ("values that differ", filled("VALUES (a)", same(",(1+1)"), "", n)),
        (
            "values in arities",
            filled(
                "INSERT INTO t VALUES (1)",
                |i| if i % 2 == 0 { ",(1)".into() } else { ",(1,1)".into() },
                "",
                n,
            ),
        ),
        ("grouping sets", filled("SELECT 1 GROUP BY GROUPING SETS ((a)", same(",(a)"), ")", n)),
        (
            "grouping nested",
            format!("SELECT 1 GROUP BY {}", nested(200, "GROUPING SETS (", "a", ")")),
        ),
        ("cube", filled("SELECT 1 GROUP BY CUBE (a", same(",a"), ")", n)),
        ("statements", filled("", same("SELECT 1;"), "", n)),
        ("empty statements", filled("", same(";"), "", n)),
        ("begins", filled("", same("BEGIN;"), "", n)),
        ("sets", filled("", |i| format!("SET work_mem = {i};"), "", n)),
        (
            "set paths",
            filled("", |i| format!("SET search_path = a{i}; SELECT 1 FROM customers;"), "", n),
        ),
        ("creates", filled("", |i| format!("CREATE TABLE t{i} (a int);"), "", n)),
        (
            "creates and reads",
            filled("", |i| format!("CREATE TABLE t{i} (); SELECT 1 FROM t{i};"), "", n),
        ),
        ("prepares", filled("", |i| format!("PREPARE p{i} AS SELECT 1;"), "", n)),
        ("executes", filled("PREPARE p AS SELECT 1;", same("EXECUTE p;"), "", n)),
        (
            "declares",
            filled(
                "BEGIN;",
                |i| format!("DECLARE c{i} CURSOR FOR SELECT * FROM customers;"),
                "",
                n,
            ),
        ),
        ("create columns", filled("CREATE TABLE t (a int", |i| format!(", c{i} int"), ")", n)),
        ("one long name", format!("SELECT {}", "a".repeat(1_000_000))),
        ("long names", filled("SELECT 1", |_| format!(",\"{}\"", "ä".repeat(1_000)), "", n)),
        ("one long string", format!("SELECT '{}'", "a".repeat(1_000_000))),
        ("one long number", format!("SELECT {}", "1".repeat(1_000_000))),
        ("spaces", format!("SELECT{}1", " ".repeat(1_000_000))),
        ("syntax error at the end", filled("SELECT 1", same(",1"), " FROM FROM", n)),
        ("syntax error of many places", filled("SELECT x", same(",x"), " x x x", 30_000)),
        ("syntax error in 64 KiB", filled("SELECT x", same(",x"), " x x x", 15_000)),
        (
            "sort by places",
            filled("SELECT * FROM pg_stat_activity ORDER BY 1", |i| format!(",{i}"), "", n),
        ),
        (
            "outputs of activity",
            filled("SELECT query", same(",query"), " FROM pg_stat_activity", n),
        ),
        (
            "outputs over tables",
            filled(
                &half(
                    "SELECT a.query",
                    |i| format!(",a{}.query", i % 20_000),
                    " FROM pg_stat_activity a",
                    50_000,
                ),
                |i| format!(",pg_stat_activity a{i}"),
                "",
                20_000,
            ),
        ),
        (
            "aliases of one",
            filled(
                &half("SELECT a", |i| format!(",a{}.x", i % 20_000), " FROM customers a", 60_000),
                |i| format!(",t{i} a"),
                "",
                20_000,
            ),
        ),
        (
            "dotted on aliases",
            filled(
                &half("SELECT 1", |i| format!(",a.c{i}"), " FROM customers a", 40_000),
                |i| format!(",t{i} a"),
                "",
                40_000,
            ),
        ),
        (
            "window definitions",
            filled(
                "SELECT 1 WINDOW w AS (ORDER BY 1)",
                |i| format!(",w{i} AS (ORDER BY 1)"),
                "",
                n,
            ),
        ),
        ("locks", filled("SELECT 1 FROM customers a", same(" FOR UPDATE OF a"), "", n)),
        (
            "locks of all",
            filled(
                &half("SELECT 1 FROM customers a", |i| format!(",t{i}"), "", 20_000),
                same(" FOR UPDATE"),
                "",
                40_000,
            ),
        ),
        ("json path", filled("SELECT a", same("->'a'"), "", 900)),
        ("likes", filled("SELECT a", same(" LIKE 'a'"), "", 900)),
        ("betweens", filled("SELECT 1 WHERE a", same(" BETWEEN 1 AND 1"), "", 900)),
        ("is nulls", filled("SELECT 1 WHERE a", same(" IS NULL"), "", 900)),
        (
            "lateral",
            filled("SELECT 1 FROM customers a", |i| format!(", LATERAL (SELECT a.x) b{i}"), "", n),
        ),
        (
            "natural joins",
            filled("SELECT 1 FROM customers", same(" NATURAL JOIN customers"), "", 900),
        ),
        ("using", filled("SELECT 1 FROM customers", same(" JOIN customers USING (id)"), "", 900)),
        ("explain nested", filled("", same("EXPLAIN "), "SELECT 1", n)),
        ("drop many", filled("DROP TABLE a", |i| format!(",t{i}"), "", n)),
        ("grant many", filled("GRANT SELECT ON a", |i| format!(",t{i}"), " TO x", n)),
        ("hallpass calls", filled("SELECT hallpass.request('select'", same(",'1'"), ")", n)),
        ("hallpass statements", filled("", same("SELECT hallpass.approve(1);"), "", n)),
        (
            "atomic bodies",
            filled("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC ", same("SELECT 1;"), "END", n),
        ),
    ]
}

/// What MySQL and MariaDB alone read.
fn mysql_texts(tokens: usize) -> Vec<(&'static str, String)> {
    TOKENS.set(tokens);
    let n = 400_000;
    vec![
        ("different calls", filled("SELECT 1", |i| format!(",f{i}()"), "", n)),
        ("calls in calls", nested(490, "f(", "1", ")")),
        ("matches", filled("SELECT 1", same(",MATCH (a) AGAINST (b)"), "", n)),
        ("matches in matches", nested(240, "MATCH (a) AGAINST (", "1", ")")),
        ("intervals", filled("SELECT 1", same(",INTERVAL(1, 2)"), "", n)),
        ("intervals in intervals", format!("SELECT {}", nested(490, "INTERVAL(1,", "1", ")"))),
        ("assignments", filled("SELECT @a", same(":=@a"), "", 900)),
        ("many assignments", filled("SELECT 1", |i| format!(",@a{i}:=1"), "", n)),
        ("settings", filled("SET a=1", |i| format!(",@@a{i}=1"), "", n)),
        ("variables", filled("SET @a=1", |i| format!(",@a{i}=(1)"), "", n)),
        ("intos", filled("SELECT 1 INTO @a", same(" UNION SELECT 1 INTO @a"), "", 900)),
        ("into many", filled("SELECT 1 INTO @a", |i| format!(",@a{i}"), " FROM a", n)),
        (
            "updated tables",
            filled(
                &half("UPDATE a", |i| format!(",t{i}"), " SET a=1", 20_000),
                |i| format!(",c{i}=1"),
                "",
                n,
            ),
        ),
        (
            "deleted tables",
            filled(
                &half("DELETE t", |i| format!(",t{i}"), " FROM t", 20_000),
                |i| format!(",t{i}"),
                "",
                n,
            ),
        ),
        ("tables in parentheses", filled("SELECT 1 FROM (a", |i| format!(",t{i}"), ")", 4_000)),
        ("parentheses of tables", format!("SELECT 1 FROM {}", nested(490, "(", "a,b", ")"))),
        ("locked tables", filled("LOCK TABLES a READ", |i| format!(",t{i} READ"), "", n)),
        ("renamed tables", filled("RENAME TABLE a TO b", |i| format!(",t{i} TO u{i}"), "", n)),
        ("columns with calls", filled("CREATE TABLE t (a int", same(",a int AS (abs(1))"), ")", n)),
        ("roles", filled("GRANT a", |i| format!(",r{i}"), " TO b", n)),
        ("prepared", format!("PREPARE s FROM 'SELECT 1{}'", ",1".repeat(tokens / 2))),
        (
            "loaded columns",
            filled("LOAD DATA LOCAL INFILE 'x' INTO TABLE t (a", |i| format!(",c{i}"), ")", n),
        ),
        (
            "loaded values",
            filled(
                "LOAD DATA LOCAL INFILE 'x' INTO TABLE t SET a=1",
                |i| format!(",c{i}=1"),
                "",
                n,
            ),
        ),
        ("strings side by side", filled("SELECT ''", same(" ''"), "", n)),
        ("nots", filled("SELECT ", same("! "), "1", 900)),
        ("uses", filled("", |i| format!("USE d{i};SELECT 1 FROM customers;"), "", n)),
    ]
}

/// Processor time of this thread.
fn spent() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = stat.split(' ').next().and_then(|n| n.parse().ok()).expect("a number");
    Duration::from_nanos(nanoseconds)
}

fn cost(text: &str, catalog: &Catalog, path: &SearchPath) -> (Duration, String) {
    cost_in(LexMode::POSTGRES, text, catalog, path)
}

fn cost_in(mode: LexMode, text: &str, catalog: &Catalog, path: &SearchPath) -> (Duration, String) {
    let (overlay, trust) = (Overlay::default(), Trust::default());
    let cx = Context { mode, catalog, path, overlay: &overlay, trust: &trust };
    let text = StatementText::new(text.as_bytes(), LONGEST).expect("a text");
    let began = spent();
    let said = match analyze(&text, &cx) {
        Ok(batch) => format!(
            "{} statements, {} needs",
            batch.statements.len(),
            batch.statements.iter().map(|a| a.needs.len()).sum::<usize>()
        ),
        Err(why) => why.to_string(),
    };
    (spent().saturating_sub(began), said)
}

/// A part of the texts, for a thread of its own.
fn costs(part: usize, parts: usize) {
    let catalog = catalog::shop();
    let path = [SearchPath::usual(), SearchPath::Unknown];
    let mut slow = Vec::new();
    for (at, (name, text)) in texts(tokens_set()).into_iter().enumerate() {
        if at % parts != part {
            continue;
        }
        let (cost, said) = cost(&text, &catalog, &path[(at / parts) % 2]);
        eprintln!("{cost:>10.1?} {:>8} bytes  {name}: {said:.80}", text.len());
        if cost > MOST * tokens_max() as u32 {
            slow.push((name, cost));
        }
    }
    let modes = [LexMode::MYSQL, LexMode::MARIADB];
    let all = texts(tokens_set()).into_iter().chain(mysql_texts(tokens_set()));
    for (at, (name, text)) in all.enumerate() {
        if at % parts != part {
            continue;
        }
        let mode = modes[(at / parts) % 2];
        let (cost, said) = cost_in(mode, &text, &catalog, &path[(at / parts) % 2]);
        eprintln!("{cost:>10.1?} {:>8} bytes  {name}, MySQL: {said:.80}", text.len());
        if cost > MOST * tokens_max() as u32 {
            slow.push((name, cost));
        }
    }
    assert!(slow.is_empty(), "{slow:?}");
}

/// What a token may cost. A debug build takes some 20 times of what another takes.
const MOST: Duration = Duration::from_micros(500);

/// Twice the text may cost so much more: as its square it would be four times as much.
const GROWTH_MAX: f64 = 3.0;
/// Less is noise.
const COUNTS: Duration = Duration::from_millis(30);
/// A cost that looks too high is measured so often, and the least counts.
const AGAIN: usize = 6;

/// What grows faster than the texts, of a part of them.
fn growth(part: usize, parts: usize) {
    let catalog = catalog::shop();
    let path = SearchPath::usual();
    let tokens = tokens_set();
    let pairs: Vec<_> = texts(tokens).into_iter().zip(texts(2 * tokens)).collect();
    let mut fast = Vec::new();
    for ((name, one), (_, two)) in pairs.into_iter().skip(part).step_by(parts) {
        if two.len() * 2 < one.len() * 3 {
            // Its length is set by another limit.
            continue;
        }
        let mut least = (Duration::MAX, Duration::MAX);
        for _ in 0..AGAIN {
            least.1 = least.1.min(cost(&two, &catalog, &path).0);
            if least.1 < COUNTS {
                break;
            }
            least.0 = least.0.min(cost(&one, &catalog, &path).0);
            if least.1.as_secs_f64() < GROWTH_MAX * least.0.as_secs_f64() {
                break;
            }
        }
        if least.1 >= COUNTS && least.1.as_secs_f64() >= GROWTH_MAX * least.0.as_secs_f64() {
            fast.push((name, one.len(), least));
        }
    }
    assert!(fast.is_empty(), "{fast:#?}");
}

fn on_two_large_stacks(run: fn(usize, usize)) {
    let started = Instant::now();
    let large = || std::thread::Builder::new().stack_size(1 << 30);
    let threads = [0, 1].map(|part| large().spawn(move || run(part, 2)).expect("a thread"));
    for thread in threads {
        thread.join().expect("passes");
    }
    eprintln!("{:.1?}", started.elapsed());
}

#[test]
fn no_text_costs_more_than_its_length_pays_for() {
    on_two_large_stacks(costs);
}

#[test]
fn twice_the_text_costs_no_more_than_three_times_as_much() {
    on_two_large_stacks(growth);
}
