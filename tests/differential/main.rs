//! A differential check against the server: generated statements, and whether all that the server shows
//! to have read, written, locked or called was in the analysis.
//!
//! By default it runs a few thousand statements, always the same. `HALLPASS_DIFFER_SECONDS=3600` makes it
//! run for so long, `HALLPASS_DIFFER_SEED=7` on other statements; a finding tells the number of its
//! statement, and `HALLPASS_DIFFER_ONE=7001234` looks at that one alone. `HALLPASS_DIFFER_LIVE=10` sends ten
//! times as many through a gateway, `HALLPASS_DIFFER_KEYS=10` compares ten times as many texts of one key,
//! `HALLPASS_DIFFER_SESSIONS=10` has ten times as many sessions. `HALLPASS_CANARY_SECONDS=3600` looks for
//! masked values in what a gateway sends for so long (a minute where `CI` is set), with
//! `HALLPASS_CANARY_SEED=7` among other statements.

#[path = "../support/corpus.rs"]
pub mod corpus;
#[path = "../support/same_key.rs"]
mod same_key;
#[path = "../support/mod.rs"]
mod support;

mod builtins;
mod canary;
mod check;
mod generate;
mod laboratory;
mod lineage;
mod live;
mod server;
mod sessions;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use hallpass::kernel::sql::analysis::{Analysis, SessionEffect, Unreadable};
use laboratory::{Laboratory, from_environment, with_room};
use server::Session;

/// So many by default.
const STATEMENTS: u64 = 4_000;

/// So many sessions of several steps each.
const SESSIONS: u64 = 60;

/// Of so many, other texts with the same cache key are looked at.
const KEYS: u64 = 1_000;

#[test]
fn all_that_the_server_shows_was_in_the_analysis() {
    with_room(|| {
        let laboratory = Laboratory::start();
        let mut run = Run {
            direct: Session::open(&laboratory.server),
            belongings: laboratory.belongings(),
            laboratory,
            told: Told::default(),
        };
        let started = Instant::now();
        for number in numbers(started) {
            run.one(number, &run.laboratory.statement(number));
        }
        for (number, sql) in (0..).zip(PINNED) {
            run.one(number, sql);
        }
        run.told.report(started.elapsed());
    });
}

#[test]
fn what_is_needed_is_enough_and_one_right_less_is_too_little() {
    with_room(|| {
        let times = from_environment("HALLPASS_DIFFER_LIVE").unwrap_or(1);
        let times = usize::try_from(times).expect("fits");
        let found = live::findings(&Laboratory::start(), times);
        assert!(found.is_empty(), "{} findings\n{}", found.len(), found.join("\n"));
    });
}

#[test]
fn what_is_said_to_tell_nothing_of_marked_columns_tells_nothing() {
    with_room(|| {
        let found = lineage::findings(1);
        assert!(found.is_empty(), "{} findings\n{}", found.len(), found.join("\n"));
    });
}

#[test]
fn no_byte_that_a_gateway_sends_tells_a_masked_value() {
    let told = canary::run(&canary::World::start(true), &canary::Extent::told());
    let all = told.findings.len();
    assert!(told.findings.is_empty(), "{all} findings\n{}", told.findings.join("\n"));
    assert!(told.sent < 100 || told.refused * 10 < told.sent * 8, "most are refused");
    assert!(told.sent < 100 || told.rows > told.sent, "hardly any rows come");
}

#[test]
fn without_masks_the_canary_sings_in_every_way() {
    let told = canary::run(&canary::World::start(false), &canary::Extent::of(400));
    assert_eq!(canary::silent(&told), [], "nothing is found in these");
}

#[test]
fn names_that_move_show_nobody_what_she_may_not_read() {
    with_room(|| {
        let times = from_environment("HALLPASS_DIFFER_SESSIONS").unwrap_or(1);
        let found = sessions::findings(SESSIONS * times);
        assert!(found.is_empty(), "{} findings\n{}", found.len(), found.join("\n"));
    });
}

#[test]
fn generated_texts_with_one_key_have_one_analysis() {
    with_room(|| {
        let laboratory = Laboratory::start();
        let first = laboratory::first_number() + 200_000;
        let times = from_environment("HALLPASS_DIFFER_KEYS").unwrap_or(1);
        let (mut pairs, mut told) = (0, Told::default());
        for number in first..first + KEYS * times {
            let sql = laboratory.statement(number);
            let same = same_key::with_the_key_of(&sql);
            let Some(expected) = same_key::said(laboratory.analyze(&sql)) else { continue };
            pairs += same.len();
            for other in same {
                if same_key::said(laboratory.analyze(&other)).as_ref() != Some(&expected) {
                    told.finding(
                        "another analysis".into(),
                        number,
                        &format!("{sql}\n      {other}"),
                    );
                }
            }
        }
        eprintln!("{pairs} pairs");
        assert!(pairs > 1000, "only {pairs} pairs");
        told.report(Duration::ZERO);
    });
}

/// What was found once, and what chance seldom says.
const PINNED: [&str; 10] = [
    "UPDATE keyed SET n = 50 WHERE n = 1",
    "UPDATE seen_roots_swapped SET n = 50 WHERE n = 1",
    "UPDATE seen_roots SET ident = 50 WHERE ident = 1",
    "UPDATE doubles SET n = 50 WHERE n = 1",
    "DELETE FROM roots",
    "DELETE FROM plots_low",
    "DELETE FROM side.looped WHERE id = 1",
    "ANALYZE",
    "EXPLAIN SELECT 1 WHERE fixed_bool(1)",
    "SELECT query_to_xml('SELECT public.free_int(1)', true, false, '')",
];

/// The numbers of the statements to be looked at. Without a word about the time always the same,
/// however fast the machine is.
fn numbers(started: Instant) -> impl Iterator<Item = u64> {
    let one = from_environment("HALLPASS_DIFFER_ONE");
    let seconds = from_environment("HALLPASS_DIFFER_SECONDS").map(Duration::from_secs);
    let first = one.unwrap_or_else(laboratory::first_number);
    (first..).enumerate().map_while(move |(at, number)| {
        let goes_on = match (one, seconds) {
            (Some(_), _) => at == 0,
            (None, Some(seconds)) => started.elapsed() < seconds,
            (None, None) => at < usize::try_from(STATEMENTS).unwrap_or(usize::MAX),
        };
        goes_on.then_some(number)
    })
}

struct Run {
    laboratory: Laboratory,
    direct: Session,
    belongings: check::Belongings,
    told: Told,
}

impl Run {
    fn one(&mut self, number: u64, sql: &str) {
        if ends_transaction(sql) || harms(sql) {
            return;
        }
        self.told.all += 1;
        let batch = match self.laboratory.analyze(sql) {
            Ok(batch) => batch,
            Err(why) => return self.unreadable(number, sql, &why),
        };
        let analyses: Vec<&Analysis> = batch.statements.iter().map(|a| &**a).collect();
        if !fits_a_transaction(&analyses, sql) {
            return;
        }
        for analysis in &analyses {
            *self.told.classes.entry(analysis.class.name()).or_default() += 1;
        }
        let shown = self.direct.witness(sql);
        let mut unsaid =
            check::unsaid((sql, &analyses), &shown, &self.laboratory.catalog, &self.belongings);
        if shown.error.is_some() {
            self.told.failed += 1;
        } else if analyses.iter().all(|a| !a.writes)
            && let Some((code, message)) = self.direct.read_only_error(sql)
            && code == "25006"
        {
            unsaid.push(format!("in a read-only transaction: {message}"));
        }
        for what in unsaid {
            self.told.finding(what, number, &format!("{sql}\n      needs {}", needs(&analyses)));
        }
    }

    /// What only the server reads is a finding where the layers fell out over it.
    fn unreadable(&mut self, number: u64, sql: &str, why: &Unreadable) {
        let kind = match why {
            Unreadable::Syntax { .. } => "syntax",
            Unreadable::Ambiguous { .. } => "ambiguous",
            Unreadable::TooLarge { .. } => "too large",
            Unreadable::NotAnswered { .. } => "not answered",
            Unreadable::Disagreement => "disagreement",
        };
        *self.told.unreadable.entry(kind).or_default() += 1;
        match why {
            // `CASE … END end`, where the second is a column's label: nobody writes it.
            Unreadable::Disagreement if sql.contains("END END") => {}
            Unreadable::Disagreement if self.direct.witness(sql).error.is_none() => {
                self.told.finding("the layers disagree".into(), number, sql);
            }
            // The server must not be able to read what its own grammar is said to refuse.
            Unreadable::Syntax { .. } if number.is_multiple_of(7) => {
                let code = self.direct.witness(sql).error.map(|(code, _)| code);
                if code.as_deref() != Some("42601") && code.as_deref() != Some("22025") {
                    let what = format!("no syntax error on the server: {code:?}");
                    self.told.finding(what, number, &format!("{sql}\n      {why}"));
                }
            }
            Unreadable::Syntax { .. }
            | Unreadable::Disagreement
            | Unreadable::Ambiguous { .. }
            | Unreadable::TooLarge { .. }
            | Unreadable::NotAnswered { .. } => {}
        }
    }
}

fn needs(analyses: &[&Analysis]) -> String {
    let told = |n: &hallpass::kernel::sql::analysis::Need| {
        format!("{}: {}", n.permission.short_name(), n.why)
    };
    analyses.iter().flat_map(|a| &a.needs).map(told).collect::<Vec<_>>().join("; ")
}

/// Ends the transaction it runs in, so that nothing could be rolled back: by rough words, for texts that
/// nobody understands too.
fn ends_transaction(sql: &str) -> bool {
    let lower = sql.to_ascii_lowercase();
    let first = |part: &str| {
        let word = part.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
        ["abort", "end", "prepare transaction"].iter().any(|end| word.starts_with(end))
    };
    lower.contains("commit") || lower.contains("rollback") || lower.split(';').any(first)
}

/// Ends sessions, this one among them, or only costs time.
fn harms(sql: &str) -> bool {
    let lower = sql.to_ascii_lowercase();
    ["terminate_backend", "cancel_backend", "pg_sleep"].iter().any(|name| lower.contains(name))
}

/// Runs within a transaction of ours as it would by itself.
pub(crate) fn fits_a_transaction(analyses: &[&Analysis], sql: &str) -> bool {
    let changes = |a: &&Analysis| {
        a.effects.iter().any(|effect| matches!(effect, SessionEffect::Transaction(_)))
    };
    let answered_by_the_gateway = analyses.iter().any(|a| a.local.is_some());
    !answered_by_the_gateway
        && (analyses.len() == 1 || sql.contains("SAVEPOINT") || !analyses.iter().any(changes))
}

#[derive(Default)]
struct Told {
    all: u32,
    unreadable: BTreeMap<&'static str, u32>,
    failed: u32,
    classes: BTreeMap<&'static str, u32>,
    findings: BTreeMap<String, Vec<String>>,
}

impl Told {
    fn finding(&mut self, what: String, number: u64, text: &str) {
        self.findings.entry(what).or_default().push(format!("{number}: {text}"));
    }

    fn report(&self, took: Duration) {
        eprintln!(
            "{} statements in {took:?}, {} failed on the server, unreadable {:?}, classes {:?}",
            self.all, self.failed, self.unreadable, self.classes
        );
        let mut told = String::new();
        for (what, texts) in &self.findings {
            told.push_str(&format!("{} × {what}\n", texts.len()));
            let mut shortest: Vec<&String> = texts.iter().collect();
            shortest.sort_by_key(|text| text.len());
            for text in shortest.iter().take(3) {
                told.push_str(&format!("    # {text}\n"));
            }
        }
        assert!(self.findings.is_empty(), "not in the analysis:\n{told}");
    }
}
