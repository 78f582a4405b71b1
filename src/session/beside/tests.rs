//! Both parsers at one time judge as one after the other.

use std::sync::Barrier;

use super::*;
use crate::kernel::{
    catalog::Catalog,
    sql::{
        context::{Overlay, SearchPath, Trust},
        mode::LexMode,
    },
};

#[test]
fn both_are_done_at_one_time() {
    // Neither would end alone.
    let meet = Barrier::new(2);
    let first = |second: &mut dyn FnMut() -> u8| {
        meet.wait();
        second()
    };
    let second = || {
        meet.wait();
        2
    };
    assert_eq!(both(first, second), 2);
}

#[test]
fn a_panic_of_either_is_the_callers() {
    let fails = || -> u8 { panic!("as a test") };
    assert!(catch_unwind(|| both(|second| second(), fails)).is_err());
    assert!(catch_unwind(|| both(|_| fails(), || 1)).is_err());
    assert!(catch_unwind(|| both(|_| (), fails)).is_ok(), "nobody has asked");
}

/// A long text is judged as the same text without the comment that makes it long.
#[test]
fn a_long_text_is_judged_as_a_short_one() {
    let (catalog, path) = (Catalog::default(), SearchPath::usual());
    let (overlay, trust) = (Overlay::default(), Trust::default());
    let mode = LexMode::POSTGRES;
    let cx = Context { mode, catalog: &catalog, path: &path, overlay: &overlay, trust: &trust };
    let comment = format!("/*{}*/", "-".repeat(WORTH_A_THREAD));
    let judged = |text: &str| {
        let text = StatementText::new(text.as_bytes(), 1 << 20).expect("text");
        analyze(&text, &cx).map(|batch| batch.statements)
    };
    for text in [
        "SELECT 1",
        "SELECT now(), version() FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace",
        "BEGIN; DELETE FROM t; COMMIT",
        "SELECT FROM WHERE",
        "CREATE TABLE a (b int)",
        "EXPLAIN SELECT 1",
        "",
    ] {
        assert_eq!(judged(text), judged(&format!("{text}{comment}")), "{text}");
    }
}

#[test]
fn an_opinion_on_another_text_is_none() {
    let (catalog, path) = (Catalog::default(), SearchPath::usual());
    let (overlay, trust) = (Overlay::default(), Trust::default());
    let mode = LexMode::POSTGRES;
    let cx = Context { mode, catalog: &catalog, path: &path, overlay: &overlay, trust: &trust };
    let tokens = |text: &str| {
        let text = StatementText::new(text.as_bytes(), 1 << 20).expect("text");
        lex::tokenize(&text, mode, &Limits::DEFAULT).expect("tokens")
    };
    let [one, other] = ["SELECT 1", "SELECT 2"];
    let judged = |on: &'static str| {
        let second = || sql::second_opinion(on, &tokens(on), mode);
        sql::analyze_beside(one, &tokens(one), &cx, second)
    };
    assert!(judged(one).is_ok());
    assert_eq!(judged(other).err(), Some(Unreadable::Disagreement));
}
