use proptest::prelude::*;

use super::*;

fn key() -> Key {
    Key::new(b"a key of the tests").expect("long enough")
}

/// What the algorithm makes of the text; `NULL` for NULL.
fn masked(algorithm: &str, value: &str) -> String {
    let algorithm = algorithm.parse().unwrap_or_else(|error| panic!("{algorithm}: {error}"));
    let mut out = Vec::new();
    match mask(&algorithm, value, &key(), &mut out) {
        Shown::Value => String::from_utf8(out).expect("texts stay texts"),
        Shown::Null => {
            assert!(out.is_empty());
            "NULL".to_owned()
        }
    }
}

/// Algorithm, value, what is shown.
const EDGES: &[(&str, &str, &str)] = &[
    ("null", "x", "NULL"),
    ("full", "", "******"),
    ("full", "secret", "******"),
    ("full('#')", "secret", "#"),
    ("fixed('n/a')", "secret", "n/a"),
    // The middle half, between asterisks.
    ("partial", "", "****"),
    ("partial", "a", "****"),
    ("partial", "ab", "****"),
    ("partial", "abc", "****"),
    ("partial", "abcd", "**bc**"),
    ("partial", "abcdefg", "**bc**"),
    ("partial", "abcdefgh", "**cdef**"),
    ("partial", "äöüß", "**öü**"),
    // Slices: a text for each, not for each character.
    ("range(0, 3, '***')", "abcdef", "***def"),
    ("range(0, 3, '*')", "abcdef", "*def"),
    ("range(0, 3, '*')", "ab", "*"),
    ("range(0, 3, '*')", "", "******"),
    ("range(3, 6, '*')", "abcd", "abc*"),
    // The field shows these clear.
    ("range(3, 6, '*')", "abc", "******"),
    ("range(3, 6, '*')", "a", "******"),
    ("range(0, 1, '*', 5, 6, '*')", "abcde", "******"),
    // From the end: −1 is the end, −5 four before it; never before the beginning.
    ("range(-5, -1, '*')", "abcdefgh", "abcd*"),
    ("range(-5, -1, '*')", "abcd", "*"),
    ("range(-5, -1, '*')", "ab", "*"),
    ("range(0, -5, '*')", "abcdefgh", "*efgh"),
    ("range(-1, 3, '*')", "abc", "******"),
    // An empty slice is one character.
    ("range(2, 2, '*')", "abcd", "ab*d"),
    ("range(3, 1, '*')", "abcd", "abc*"),
    // Out of order, overlapping, one in another, side by side.
    ("range(4, 5, 'y', 0, 2, 'x')", "abcdef", "xcdyf"),
    ("range(0, 3, 'x', 2, 5, 'y')", "abcdef", "xf"),
    ("range(0, 5, 'x', 1, 2, 'y')", "abcdef", "xf"),
    ("range(1, 2, 'y', 0, 5, 'x', 4, 6, 'z')", "abcdefg", "xg"),
    ("range(0, 2, 'x', 2, 4, 'y')", "abcdef", "xyef"),
    ("range(1, 3, '**')", "äöüß", "ä**ß"),
    // Ends kept.
    ("inner(0, 4)", "1234567890", "******7890"),
    ("inner(2, 2)", "abcdef", "ab**ef"),
    ("inner(2, 2, '#x')", "abcde", "ab#xde"),
    ("inner(0, 0)", "abc", "***"),
    ("inner(0, 0)", "", "******"),
    // The field shows these clear.
    ("inner(2, 2)", "abcd", "******"),
    ("inner(2, 2)", "abc", "******"),
    ("inner(2, 2)", "", "******"),
    ("inner(2, 2, '#')", "a", "######"),
    ("inner(65535, 65535)", "abc", "******"),
    ("inner(1, 1)", "äöü", "ä*ü"),
    ("inner(1, 1)", "日本語", "日*語"),
    // Ends masked.
    ("outer(2, 2)", "abcdef", "**cd**"),
    ("outer(0, 2)", "abcdef", "abcd**"),
    ("outer(2, 2)", "abcde", "**c**"),
    ("outer(2, 2)", "abcd", "******"),
    ("outer(2, 2)", "abc", "******"),
    ("outer(2, 2, '#')", "", "######"),
    ("outer(1, 1)", "äöü", "*ö*"),
    // Addresses.
    ("email", "alice@example.com", "a***@example.com"),
    ("email", "ä.b@mail.example.org", "ä***@mail.example.org"),
    ("email", "ab@example.com", "a***@example.com"),
    ("email", "a@example.com", "***@example.com"),
    ("email", "@example.com", "******"),
    ("email", "alice", "******"),
    ("email", "alice@", "******"),
    ("email", "alice@secret", "******"),
    ("email", "alice@.com", "******"),
    ("email", "alice@555.12345", "******"),
    ("email", "alice@[127.0.0.1]", "******"),
    ("email", "bob@b.de and alice@example.com", "******"),
    ("email", "bob@b.de,alice@example.com", "******"),
    ("email", "alice@example.com tel 555", "******"),
    ("email", "", "******"),
    // Cards.
    ("card", "4111111111111111", "************1111"),
    ("card", "4111 1111 1111 1234", "**** **** **** 1234"),
    ("card", "3714-496353-98431", "****-******-*8431"),
    ("card", "41111111111", "******"),
    ("card", "41111111111111111111", "******"),
    ("card", "4111 1111 1111 1234 exp 12/29", "******"),
    ("card", "", "******"),
    // No texts.
    ("bucket(10)", "17", "NULL"),
    ("truncate(year)", "2024-05-06", "NULL"),
    ("shift(10)", "2024-05-06", "NULL"),
    ("json($.a, full)", "{\"a\":1}", "NULL"),
];

#[test]
fn every_edge_of_every_algorithm_is_as_written() {
    for (algorithm, value, shown) in EDGES {
        assert_eq!(masked(algorithm, value), *shown, "{algorithm} of {value:?}");
    }
}

#[test]
fn a_hash_is_64_digits_and_the_same_for_the_same_value() {
    let one = masked("hash", "42");
    assert_eq!(one.len(), 64);
    assert_eq!(one, masked("hash", "42"));
    assert_ne!(one, masked("hash", "43"));
}

#[test]
fn bytes_are_cut_by_bytes() {
    let masked = |algorithm: &str, value: &[u8]| {
        let mut out = Vec::new();
        let shown = mask_bytes(&algorithm.parse().expect(algorithm), value, &key(), &mut out);
        (shown == Shown::Value).then_some(out)
    };
    assert_eq!(masked("inner(1, 1)", b"\xff\x00\x80\x01"), Some(b"\xff**\x01".to_vec()));
    assert_eq!(masked("range(0, 2, '')", b"\xff\x00\x80"), Some(b"\x80".to_vec()));
    assert_eq!(masked("full", b"\xff"), Some(b"******".to_vec()));
    assert_eq!(masked("hash", b"\xff").map(|digest| digest.len()), Some(32));
    assert_eq!(masked("email", b"a@b.de"), None);
}

#[test]
fn a_long_run_is_cut() {
    let long = "x".repeat(100_000);
    let algorithm = "inner(1, 1, '0123456789abcdef')";
    assert_eq!(masked(algorithm, &long).len(), RUN_BYTES_MAX + 2);
}

fn algorithms() -> impl Strategy<Value = String> {
    let slice = || (-9..9_i32, -9..9_i32).prop_map(|(s, e)| format!("{s}, {e}, '*'"));
    prop_oneof![
        Just("partial".to_owned()),
        (0..5_u8, 0..5_u8).prop_map(|(p, s)| format!("inner({p}, {s})")),
        (1..5_u8, 0..5_u8).prop_map(|(p, s)| format!("outer({p}, {s})")),
        prop::collection::vec(slice(), 1..4).prop_map(|s| format!("range({})", s.join(", "))),
        Just("email".to_owned()),
        Just("card".to_owned()),
        Just("hash".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_address_in_ascii_is_masked_as_any_other(
        value in "[ -~\t\x7f]{0,12}|[a9.@ -]{0,14}|[a-c.]{0,3}@[a-c9.-]{0,260}",
    ) {
        let (mut quick, mut usual) = (Vec::new(), Vec::new());
        ascii_email(value.as_bytes(), &mut quick);
        any_email(&value, &mut usual);
        prop_assert_eq!(quick, usual);
    }

    #[test]
    fn no_value_is_ever_shown_whole(algorithm in algorithms(), value in "[a-z0-9@. äß日]{0,24}") {
        let shown = masked(&algorithm, &value);
        prop_assert!(!value.is_empty() || !shown.is_empty());
        // A digest holds any short text by chance.
        let shows = if algorithm == "hash" { shown == value } else { shown.contains(&value) };
        prop_assert!(value.is_empty() || !shows, "{algorithm} of {value}: {shown}");
    }
}
