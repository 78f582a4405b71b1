//! Each rule finds what breaks it, and nothing else.

use super::*;

fn rules_of(findings: &[Finding]) -> Vec<(usize, &str)> {
    findings.iter().map(|f| (f.line, f.rule.as_str())).collect()
}

#[test]
fn an_import_of_a_floor_above_is_found_however_it_is_written() {
    for text in [
        "use crate::session::gate;",
        "use crate::{kernel::ids, session::gate};",
        "use super::super::session::gate;",
        "fn f() { crate::session::gate::read() }",
        "use crate::{\n    self as all,\n};",
        "use crate as all;",
        "use crate::*;",
        "#[cfg(test)]\nmod tests {\n    use super::super::super::session::gate;\n}",
    ] {
        let found = floors(&Source::new("src/wire/frame.rs", text));
        assert_eq!(found.len(), 1, "{text}: {found:?}");
    }
    let text = "//! x\nuse crate::{\n    kernel,\n    wire::pg,\n};";
    let found = floors(&Source::new("src/kernel/ids.rs", text));
    assert_eq!(rules_of(&found), [(4, "kernel (floor 0) uses wire::pg (floor 1)")]);
}

#[test]
fn what_lies_below_and_what_is_only_said_is_no_finding() {
    for text in [
        "use crate::{kernel::ids, net, wire::pg::{self, frame}};",
        "// use crate::session::gate;\n/* crate::session /* nested */ crate::cli */",
        "const A: &str = \"crate::session::gate\"; const B: &str = r#\"\"crate::cli\"#;",
        "const A: &[u8] = b\"\\\"crate::cli\"; fn f<'a>(x: &'a u8, c: char) { c == '\"'; }",
        "use self::inner::thing; pub(crate) fn f() {} pub(super) fn g() {}",
        "mod tests { use super::*; }",
    ] {
        let found = floors(&Source::new("src/upstream/pg.rs", text));
        assert_eq!(found, [], "{text}");
    }
}

#[test]
fn neighbours_do_not_know_each_other_save_through_the_door() {
    let one = |path: &str, text: &str| floors(&Source::new(path, text)).len();
    assert_eq!(one("src/wire/pg/frame.rs", "use crate::wire::mysql::packet;"), 1);
    assert_eq!(one("src/wire/mysql.rs", "use super::pg::frame;"), 1);
    assert_eq!(one("src/session/mysql/mod.rs", "use crate::session::pg;"), 1);
    assert_eq!(one("src/store/mod.rs", "use crate::trail::Clearance;"), 1);
    assert_eq!(one("src/trail/mod.rs", "use crate::upstream::door;"), 1);
    assert_eq!(one("src/trail/index/mod.rs", "use crate::store::Store;"), 1);
    assert_eq!(one("src/upstream/door.rs", "use crate::trail::Lane;"), 1);
    assert_eq!(one("src/upstream/door.rs", "use crate::trail::Clearance;"), 0);
    assert_eq!(one("src/session/gate.rs", "use crate::{store, trail, upstream};"), 0);
    assert_eq!(one("src/nowhere.rs", ""), 1);
}

#[test]
fn the_kernel_reaches_for_nothing() {
    let dependencies = dependencies(
        "[dependencies]\ntokio = \"1\"\nsqlparser = \"1\"\nring = \"1\"\n[dev-dependencies.pg-wire]\nversion = \"1\"",
    );
    let found = |path: &str, text: &str| purity(&Source::new(path, text), &dependencies).len();
    for text in [
        "use std::fs;",
        "use std::{collections::HashMap, net::IpAddr};",
        "fn f() { std::env::var(\"x\"); }",
        "use std::time::{Duration, SystemTime};",
        "fn f() { let t = Clock::now(); }",
        "fn f() { tokio::spawn(x) }",
        "use pg_wire::messages;",
        "use ring::rand::SystemRandom;",
    ] {
        assert_eq!(found("src/kernel/x.rs", text), 1, "{text}");
        let inside = format!("#[cfg(test)]\nmod tests {{\n{text}\n}}");
        assert_eq!(found("src/kernel/x.rs", &inside), 0, "{inside}");
        assert_eq!(found("src/kernel/x/tests.rs", text), 0, "{text}");
        assert_eq!(found("src/net/x.rs", text), 0, "{text}");
    }
    assert_eq!(
        found("src/kernel/x.rs", "use std::{time::Duration, sync::Arc}; use sqlparser::ast;"),
        0
    );
    assert_eq!(found("src/wire/x.rs", "use pg_wire::messages;"), 0);
}

#[test]
fn what_is_too_long_is_found() {
    let long =
        |lines: usize| format!("fn f(x: [u8; 4])\n{{\n{}}}\n", "    g();\n".repeat(lines - 3));
    let found = |text: &str| lengths(&Source::new("src/net/x.rs", text)).len();
    assert_eq!(found(&long(FUNCTION_LINES_MAX)), 0);
    assert_eq!(found(&long(FUNCTION_LINES_MAX + 1)), 1);
    assert_eq!(found(&"const A: u8 = 0;\n".repeat(FILE_LINES_MAX + 1)), 1);
    let tests = format!("fn f() {{}}\nmod tests {{\n{}}}\n", "    const A: u8 = 0;\n".repeat(80));
    assert_eq!(found(&tests), 1);
}

#[test]
fn names_that_say_nothing_are_found() {
    let found = |path: &str, text: &str| names(&Source::new(path, text)).len();
    assert_eq!(found("src/net/utils.rs", ""), 1);
    assert_eq!(found("src/net/helper/mod.rs", ""), 1);
    assert_eq!(found("src/net/mod.rs", "pub mod common;"), 1);
    assert_eq!(found("src/net/mod.rs", "#[path = \"../cli.rs\"]\nmod x;"), 1);
    assert_eq!(found("src/net/mod.rs", "mod link; fn common() {}"), 0);
}

#[test]
fn leftovers_are_found() {
    for line in [["// TO", "DO: x"], ["to", "do!()"], ["db", "g!(x)"], ["#[ig", "nore]"]] {
        let line = if line == ["to", "do!()"] { "todo".to_owned() + "!()" } else { line.concat() };
        assert_eq!(leftovers("src/x.rs", &format!("\n{line}\n")).len(), 1, "{line}");
    }
    assert_eq!(leftovers("src/x.rs", "let todos = 1; // a to-do list, AXXXB"), []);
}
