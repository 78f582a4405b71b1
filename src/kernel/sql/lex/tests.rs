use super::*;
use crate::kernel::sql::{
    mode::NamesIn,
    normalize::{Normal, normalize},
};

fn lex_in(text: &str, mode: LexMode) -> Result<Tokens, Unreadable> {
    let text = StatementText::new(text.as_bytes(), 64 << 20).expect("text");
    tokenize(&text, mode, &Limits::DEFAULT)
}

fn lex(text: &str) -> Result<Tokens, Unreadable> {
    lex_in(text, LexMode::POSTGRES)
}

const BACKSLASH: LexMode = LexMode { standard_conforming_strings: false, ..LexMode::POSTGRES };

fn words(text: &str) -> Vec<&str> {
    lex(text).expect("lexes").tokens().iter().map(|t| t.text(text)).collect()
}

fn kinds(text: &str) -> Vec<TokenKind> {
    lex(text).expect("lexes").tokens().iter().map(|t| t.kind).collect()
}

fn statements(text: &str) -> Vec<&str> {
    let tokens = lex(text).expect("lexes");
    tokens.statements().iter().map(|s| text.get(s.bytes.clone()).expect("range")).collect()
}

fn message(text: &str) -> (String, Option<u32>) {
    match lex(text) {
        Err(Unreadable::Syntax { message, position }) => (message, position),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_carriage_return_ends_a_comment() {
    assert_eq!(words("SELECT 1 -- x\r, 2"), ["SELECT", "1", ",", "2"]);
    assert_eq!(words("SELECT 1 --\u{a0}, 2\n"), ["SELECT", "1"]);
}

#[test]
fn comments_nest() {
    assert_eq!(words("a /* x /* y */ b */ c /**/ d /***/ e /*/**/*/ f"), ["a", "c", "d", "e", "f"]);
    assert!(matches!(lex(&"/*".repeat(65)), Err(Unreadable::TooLarge { .. })));
    assert_eq!(message("a /* b"), ("unterminated /* comment at or near \"/* b\"".into(), Some(3)));
}

#[test]
fn a_dollar_inside_a_word_opens_no_string() {
    assert_eq!(words("a$b$; DROP TABLE x; SELECT $b$ ; $b$").len(), 8);
    assert_eq!(kinds("1$a$x$a$"), [TokenKind::Integer, TokenKind::DollarString]);
    assert_eq!(kinds("$a$ $b$ $$ $a$"), [TokenKind::DollarString]);
    assert_eq!(kinds("$$ $a$ $$"), [TokenKind::DollarString]);
    assert_eq!(
        message("$a$ x $b$").0,
        "unterminated dollar-quoted string at or near \"$a$ x $b$\""
    );
    assert_eq!(message("SELECT $x").0, "syntax error at or near \"$\"");
}

#[test]
fn backslashes_follow_the_mode() {
    let text = r"SELECT '\'; DROP TABLE x; --'";
    assert_eq!(lex(text).expect("lexes").statements().len(), 2);
    assert_eq!(lex_in(text, BACKSLASH).expect("lexes").statements().len(), 1);
    assert_eq!(kinds(r"E'\'' 'x'"), [TokenKind::EscapeString, TokenKind::String]);
    assert!(lex_in("U&'x'", BACKSLASH).is_err());
    assert!(lex("U&'x'").is_ok());
}

#[test]
fn strings_continue_over_a_line_end_only() {
    assert_eq!(kinds("'a'\n'b'"), [TokenKind::String]);
    assert_eq!(kinds("'a' -- x\n -- y\n 'b'"), [TokenKind::String]);
    assert_eq!(kinds("'a' 'b'"), [TokenKind::String, TokenKind::String]);
    assert_eq!(kinds("'a' /* \n */ 'b'"), [TokenKind::String, TokenKind::String]);
    assert_eq!(kinds("E'a'\n'\\''"), [TokenKind::EscapeString]);
    assert_eq!(kinds("b'1''0'"), [TokenKind::BitString, TokenKind::String]);
    assert_eq!(kinds("b'1'\n'0'"), [TokenKind::BitString]);
    assert_eq!(kinds("'a''b'"), [TokenKind::String]);
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    for text in ["SELECT U&\"ss\\006e\"", "SELECT\u{a0}1", "SELECT a\u{3000}b", "x\u{feff}y"] {
        assert!(matches!(lex(text), Err(Unreadable::Ambiguous { .. })), "{text}");
    }
    assert!(lex("SELECT größe FROM \"a\u{a0}b\" -- \u{a0}").is_ok());
}

#[test]
fn operators_are_cut_as_the_server_cuts_them() {
    assert_eq!(words("1+-2"), ["1", "+", "-", "2"]);
    assert_eq!(words("a@-b"), ["a", "@-", "b"]);
    assert_eq!(words("a*-b"), ["a", "*", "-", "b"]);
    assert_eq!(words("a||/*c*/b"), ["a", "||", "b"]);
    assert_eq!(words("a<--b\n c"), ["a", "<", "c"]);
    assert_eq!(words("a=>b <> !~~* x"), ["a", "=>", "b", "<>", "!~~*", "x"]);
    assert_eq!(
        words("a::int := 1..2 x.y"),
        ["a", "::", "int", ":=", "1", "..", "2", "x", ".", "y"]
    );
}

#[test]
fn numbers_are_cut_as_the_server_cuts_them() {
    assert_eq!(
        words("1.5.6 .5 1e3 1.e-3 0x1F 1_000"),
        ["1.5", ".6", ".5", "1e3", "1.e-3", "0x1F", "1_000"]
    );
    assert_eq!(
        message("SELECT 123abc").0,
        "trailing junk after numeric literal at or near \"123abc\""
    );
    assert_eq!(message("0x").0, "invalid hexadecimal integer at or near \"0x\"");
    for junk in ["0x1$1", "1e5$1", "1_0$1", "1.5_0$1", "1e+"] {
        assert!(lex(junk).is_err(), "{junk}");
    }
    assert_eq!(words("1$1 1.5$1 1e+5$1"), ["1", "$1", "1.5", "$1", "1e+5", "$1"]);
    assert!(lex("1__0").is_err());
    assert!(lex("$1a").is_err());
}

#[test]
fn a_parameter_number_that_wraps_around_is_refused() {
    assert_eq!(
        message("SELECT $4294967297").0,
        "parameter number too large at or near \"$4294967297\""
    );
    assert!(lex("SELECT $65535").is_ok());
}

#[test]
fn errors_carry_the_servers_words_and_the_place_in_characters() {
    assert_eq!(
        message("SELECT 'ä', 'x"),
        ("unterminated quoted string at or near \"'x\"".into(), Some(13))
    );
    assert_eq!(message("a \"").0, "unterminated quoted identifier at or near \"\"\"");
    assert_eq!(message("\"\"").0, "zero-length delimited identifier at or near \"\"\"\"");
    assert_eq!(message("x'1").0, "unterminated hexadecimal string literal at or near \"x'1\"");
}

#[test]
fn statements_are_split_at_top_level_semicolons() {
    assert_eq!(statements(" ; SELECT 1 ; ;SELECT ';' -- ;\n;"), ["SELECT 1", "SELECT ';'"]);
    assert_eq!(
        statements("CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3"),
        ["CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", "SELECT 3"]
    );
    assert_eq!(statements("/* nothing */ ;; -- here"), Vec::<&str>::new());
}

#[test]
fn a_routine_body_in_sql_is_one_statement() {
    let body = "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END AS end; \
                DELETE FROM t; END";
    assert_eq!(statements(&format!("{body}; SELECT 1")), [body, "SELECT 1"]);
    assert_eq!(statements("BEGIN; SELECT 1; END").len(), 3);
    assert_eq!(statements("CREATE TABLE begin (atomic int); SELECT 1").len(), 2);
}

#[test]
fn dumps_collapse_to_two_rows() {
    let rows: Vec<String> = (0..100_000).map(|i| format!("({i}, 'n;{i}', NULL, -1.5)")).collect();
    let text = format!("INSERT INTO t VALUES {} ON CONFLICT DO NOTHING; SELECT 1", rows.join(","));
    let tokens = lex(&text).expect("within limits");
    assert_eq!(tokens.statements().len(), 2);
    let collapsed = tokens.collapsed(&text).expect("collapses");
    assert_eq!(
        collapsed,
        "INSERT INTO t VALUES (0, 'n;0', NULL, -1.5),(1, 'n;1', NULL, -1.5) ON CONFLICT DO \
         NOTHING; SELECT 1"
    );
    let select = tokens.statements().last().expect("two").bytes.clone();
    assert_eq!(text.get(select.clone()), Some("SELECT 1"));
    let in_collapsed = collapsed.find("SELECT").expect("there");
    assert_eq!(tokens.uncollapsed_byte(in_collapsed), select.start);
}

#[test]
fn only_constants_collapse() {
    for text in [
        "VALUES (1),(2),(f(3)),(4)",
        "VALUES (1),(2),(3,4)",
        "VALUES (1),(2),($1)",
        "SELECT a IN ((1),(2),(3))",
        "VALUES (1),(2),(current_user)",
        "VALUES (1),(2),('3'::regclass)",
    ] {
        assert_eq!(lex(text).expect("lexes").collapsed(text), None, "{text}");
    }
}

#[test]
fn depth_tokens_and_chains_are_limited() {
    for text in [
        "(".repeat(501),
        format!("SELECT 1{}", "+1".repeat(5_001)),
        format!("SELECT 1{}", "::int".repeat(5_001)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(5_001)),
        format!("SELECT x{}", "[1]".repeat(5_001)),
        "NOT ".repeat(5_001),
        "x ".repeat(200_001),
        "SELECT 1;".repeat(5_000),
    ] {
        assert!(matches!(lex(&text), Err(Unreadable::TooLarge { .. })));
    }
    assert!(lex(&"SELECT 1;".repeat(4_999)).is_ok());
    assert!(lex(&";".repeat(50_000)).is_ok(), "nothing between them is no statement");
    assert!(lex(&format!("SELECT a IN (1{})", ", 1".repeat(50_000))).is_ok());
}

#[test]
fn hostile_texts_take_linear_time() {
    let hostile = [
        "/*".repeat(200_000),
        "$a$b".repeat(100_000),
        "'\n".repeat(200_000),
        "' --\n".repeat(100_001),
        "+-".repeat(200_000),
        "$a".repeat(200_000),
        "U&'".repeat(100_000),
        "1.".repeat(200_000),
        "\"".repeat(200_001),
    ];
    let started = std::time::Instant::now();
    for text in &hostile {
        let _unreadable_or_not = lex(text);
    }
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

/// Read before or not: a text that is known under its key isn't cut into tokens again.
#[test]
fn where_only_ascii_is_sure_nothing_else_is_read() {
    let mode = LexMode { ascii_only: true, ..LexMode::POSTGRES };
    assert!(lex_in("SELECT E'x'", mode).is_ok());
    for text in ["SELECT E'ッ\\', f() --'", "SELECT 1 -- é", "SELECT \"é\""] {
        let checked = StatementText::new(text.as_bytes(), 1 << 20).expect("text");
        assert!(matches!(lex_in(text, mode), Err(Unreadable::Ambiguous { .. })), "{text}");
        let known = normalize(&checked, mode, &mut Normal::default());
        assert!(matches!(known, Err(Unreadable::Ambiguous { .. })), "{text}");
    }
}

/// By its locale a server of one byte a character folds more letters than ASCII's, and what is cut in
/// UTF-8 is whole there.
#[test]
fn names_that_another_encoding_may_make_others_are_not_read() {
    let read = |name: &str, names| {
        let text = format!("SELECT * FROM {name}");
        match lex_in(&text, LexMode { names, ..LexMode::POSTGRES }) {
            Ok(_) => true,
            Err(Unreadable::Ambiguous { .. }) => false,
            Err(other) => panic!("{text}: {other:?}"),
        }
    };
    let long = format!("\"{}\"", "é".repeat(31));
    let longer = format!("\"{}\"", "é".repeat(32));
    let ascii = "x".repeat(80);
    for (name, utf8, one_byte, bytes, other) in [
        ("t", true, true, true, true),
        (&*ascii, true, true, true, true),
        ("é", true, true, false, false),
        ("É", true, false, false, false),
        ("straße", true, true, false, false),
        ("\"É\"", true, true, true, false),
        (&*long, true, true, true, false),
        (&*longer, true, false, false, false),
        ("t WHERE x = 'É日本'", true, true, true, true),
    ] {
        assert_eq!(read(name, NamesIn::Utf8), utf8, "{name}");
        assert_eq!(read(name, NamesIn::OneByte), one_byte, "{name}");
        assert_eq!(read(name, NamesIn::Bytes), bytes, "{name}");
        assert_eq!(read(name, NamesIn::Other), other, "{name}");
    }
}

#[test]
fn a_servers_encoding_says_how_it_keeps_names() {
    for (server, names) in [
        ("UTF8", NamesIn::Utf8),
        ("LATIN1", NamesIn::OneByte),
        ("WIN1251", NamesIn::OneByte),
        ("SQL_ASCII", NamesIn::Bytes),
        ("EUC_JP", NamesIn::Other),
        ("", NamesIn::Other),
    ] {
        assert_eq!(NamesIn::of(server), names, "{server}");
    }
}
