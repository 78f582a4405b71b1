use proptest::prelude::*;

use super::*;
use crate::kernel::sql::{normalize::normalize, text::StatementText};

const MODE: LexMode = LexMode::POSTGRES;

fn normal(text: &str) -> Option<Normal> {
    let checked = StatementText::new(text.as_bytes(), usize::MAX).ok()?;
    let mut out = Normal::default();
    normalize(&checked, MODE, &mut out).ok().map(|()| out)
}

fn fits(one: &str, other: &str) -> bool {
    let pattern = Pattern::new(one, MODE, &normal(one).expect("it is read"));
    pattern.fits(other, MODE)
}

#[test]
fn other_constants_of_their_kind_fit_in_holes() {
    let one = "SELECT a, 1 FROM t WHERE b = 'x' AND c LIKE 'y%' AND d + 5 > 1.5 LIMIT 10";
    for other in [
        one,
        "SELECT a, 22 FROM t WHERE b = '' AND c LIKE 'y%' AND d + 5 > 1.5 LIMIT 10",
        "SELECT a, 1 FROM t WHERE b = 'it''s ''' AND c LIKE '%' AND d + 7 > .5 LIMIT 999",
    ] {
        assert!(fits(one, other), "{other}");
    }
    for (from, to) in [
        ("a, 1", "b, 1"),
        ("a, 1", "a, 1.5"),
        ("'x'", "E'x'"),
        ("'x'", "'x'::name"),
        ("'x'", "'x' OR true"),
        ("'x'", "'x' -- "),
        ("'x'", "'x' /* */"),
        ("'x'", "/* */'x'"),
        ("'y%'", "'y\\\\'"),
        // What arithmetic may fail by.
        ("+ 5", "+ 99999999"),
        ("+ 5", "+ 0"),
        ("LIMIT 10", "LIMIT 10 "),
        ("LIMIT 10", "LIMIT 10; DROP TABLE t"),
        ("LIMIT 10", "LIMIT ALL"),
        ("LIMIT 10", "LIMIT 10 OFFSET 1"),
        ("WHERE", "where"),
    ] {
        let other = one.replacen(from, to, 1);
        assert_ne!(other, one);
        assert!(!fits(one, &other), "{other}");
    }
    // A constant that touches what is before it may become a part of that.
    for (one, other) in [
        ("SELECT 1 FROM t WHERE a = 1 and.5 < b", "SELECT 1 FROM t WHERE a = 1 and7.5 < b"),
        ("SELECT 1 FROM t WHERE a = $1 and b =$1.5", "SELECT 1 FROM t WHERE a = $1 and b =$17.5"),
        ("SELECT 1; SELECT 2", "SELECT 1; SELECT 3"),
        ("SELECT 'a' 'b'", "SELECT 'c' 'b'"),
    ] {
        if normal(one).is_some() {
            assert!(!fits(one, other), "{other}");
        }
    }
}

const PIECES: [&str; 44] = [
    "1",
    "22",
    "0",
    "1.5",
    ".5",
    "1e3",
    "99999999",
    "0x1F",
    "'x'",
    "'it''s'",
    "''",
    "'\\\\'",
    "E'\\\\''",
    "E'a'",
    "$$x$$",
    "$a$ ' $a$",
    "B'01'",
    "N'n'",
    "'a'\n'b'",
    " ",
    " ",
    "\n",
    "/* ' */",
    "-- x\n",
    "=",
    "<",
    "-",
    "+",
    "*",
    "||",
    "(",
    ")",
    ",",
    ".",
    "::",
    ";",
    "$1",
    " and ",
    " like ",
    " in ",
    "a",
    "e",
    "\"q\"",
    " limit ",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_fits_has_the_same_key(
        pieces in prop::collection::vec(0..PIECES.len(), 1..14),
        others in prop::collection::vec((0_usize..14, 0..PIECES.len()), 1..4),
    ) {
        let text = |pieces: &[usize]| {
            let pieces = pieces.iter().filter_map(|at| PIECES.get(*at)).copied();
            format!("SELECT a FROM t WHERE b {}", pieces.collect::<String>())
        };
        let one = text(&pieces);
        let mut changed = pieces.clone();
        for (at, piece) in others {
            if let Some(place) = changed.get_mut(at) {
                *place = piece;
            }
        }
        let other = text(&changed);
        let Some(made) = normal(&one) else { return Ok(()) };
        if Pattern::new(&one, MODE, &made).fits(&other, MODE) {
            let same = normal(&other);
            prop_assert_eq!(Some(&made.key), same.as_ref().map(|n| &n.key), "{} | {}", one, other);
        }
    }
}
