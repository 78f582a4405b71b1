//! What our lexer makes of a text, held against what the servers make of it: texts whose answer is the sum
//! of the numbers and the lengths of the strings that are read as such.

use hallpass::kernel::sql::{
    analysis::Unreadable,
    lex::{Limits, Token, TokenKind, Tokens, tokenize},
    mode::{LexMode, SqlMode},
    text::StatementText,
};

use crate::support::mysql::{Family, MySql};

/// What texts are made of behind `SELECT 0`.
const PIECES: [&str; 34] = [
    " +1",
    "+2",
    "-4",
    "--8",
    "-- 16\n",
    "--\t32\n",
    "--\u{1}32\n",
    "--\u{7f}32\n",
    "#64\n",
    "/* +128 */",
    "/*!50100 +256*/",
    "/*!50700 +512*/",
    "/*!50699 +512*/",
    "/*!080000 +1024 */",
    "/*!100100 +1024 */",
    "/*!501001*/",
    "/*M! +2048*/",
    "/*M!50700 +4096*/",
    "/*!99999 +8192*/",
    "/*! +16384*/",
    "/*+ +3 */",
    "*/",
    "/*",
    "/*!50100",
    ";SELECT 0",
    "\r",
    "\n",
    " ",
    r"+char_length('a\'+5')",
    r"+char_length('\\')",
    "+char_length(\"b''\"\"\")",
    "+char_length('c' -- x\n 'd''')",
    "'",
    "\"",
];

/// Read in one way by the one server and in another by the other, or by other readers.
const TRICKY: [&str; 14] = [
    "SELECT 1 --\r+1",
    "SELECT 1 -- \r+1",
    "SELECT 1 /*/ +1 */",
    "SELECT 1 /* /* */ +1",
    "SELECT 1 +/*!501001*/",
    "SELECT !!1",
    "SELECT 1=!0",
    "SELECT 1 /*!50100 +1 -- */\n+5 */",
    "SELECT 1 /*!50100 +1 /* x */ +5 */",
    "SELECT 1 /*!99999 +1 /* x */ +5 */",
    "SELECT 1 --\u{a0}+1",
    "SELECT 1 --\u{3000}+1\n",
    "SELECT char_length('\\%\\_\\n\\q\\0\\Z')",
    "SELECT char_length(_utf8mb4'ä' '😀')",
];

#[test]
fn what_the_servers_answer_is_what_our_tokens_say() {
    let seed = std::env::var("HALLPASS_LEXER_SEED").ok().and_then(|s| s.parse().ok());
    let seed = seed.unwrap_or(20_261_126_u64);
    for family in Family::ALL {
        let server = MySql::start(family);
        let plain = match family {
            Family::MariaDb => LexMode::MARIADB,
            Family::MySql => LexMode::MYSQL,
        };
        let literal = SqlMode { no_backslash_escapes: true, ..SqlMode::PLAIN };
        let (mut compared, mut refused) = (0, Vec::new());
        for (sql_mode, sql) in [("", SqlMode::PLAIN), ("NO_BACKSLASH_ESCAPES", literal)] {
            let mode = LexMode { sql, ..plain };
            let made = (0..120_u64).map(|n| made(seed.wrapping_add(n)));
            for text in TRICKY.map(str::to_owned).into_iter().chain(made) {
                let Some(answer) = answered(&server, sql_mode, &text) else { continue };
                match ours(&text, mode) {
                    Ok(Some(value)) => {
                        assert_eq!(value, answer, "{family:?} {sql_mode} seed {seed}: {text:?}");
                        compared += 1;
                    }
                    Ok(None) => {}
                    Err(Unreadable::Ambiguous { .. }) => refused.push(text),
                    Err(other) => panic!("{family:?} {sql_mode}: {text:?}: {other:?}: {answer}"),
                }
            }
        }
        assert!(compared > 60, "{family:?}: only {compared} compared, refused: {refused:#?}");
        assert!(refused.len() < compared, "{family:?}: refused: {refused:#?}");
    }
}

/// A text of a few pieces.
fn made(seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).expect("31 bits") % n
    };
    let count = 2 + below(7);
    let pieces: Vec<&str> = (0..count).map(|_| PIECES[below(PIECES.len())]).collect();
    format!("SELECT 0{}", pieces.concat())
}

/// The rows of all results, if the server has nothing to complain of.
fn answered(server: &MySql, sql_mode: &str, text: &str) -> Option<String> {
    let init = format!("--init-command=SET sql_mode='{sql_mode}'");
    // The client sends all as it is: its own delimiter stands nowhere.
    let options = ["--batch", "--skip-column-names", "--raw", "--delimiter=\u{2}", &init];
    let output = server.client(text.as_bytes(), &options);
    if !output.status.success() || !output.stderr.is_empty() {
        return None;
    }
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What our tokens say it is, if they are nothing but sums.
fn ours(text: &str, mode: LexMode) -> Result<Option<String>, Unreadable> {
    let checked = StatementText::new(text.as_bytes(), 1 << 20).expect("text");
    let tokens = tokenize(&checked, mode, &Limits::DEFAULT)?;
    let sums: Option<Vec<String>> = tokens
        .statements()
        .iter()
        .map(|statement| sum(&tokens, tokens.of(statement), text).map(|n| n.to_string()))
        .collect();
    Ok(sums.map(|sums| sums.join("\n")))
}

fn sum(tokens: &Tokens, own: &[Token], text: &str) -> Option<i64> {
    let (mut total, mut sign, mut inside) = (0, 1, false);
    let mut operand = false;
    for token in own {
        let written = token.text(text);
        match token.kind {
            TokenKind::Word => {
                (written.starts_with("SELECT") || written.starts_with("char_length") || inside)
                    .then_some(())?;
            }
            TokenKind::Semicolon => {}
            TokenKind::OpenParen => inside = true,
            TokenKind::CloseParen => (inside, sign, operand) = (false, 1, true),
            TokenKind::Operator if written == "-" => (sign, operand) = (-sign, false),
            TokenKind::Operator if written == "+" => operand = false,
            TokenKind::Integer if !operand => {
                total += sign * written.parse::<i64>().ok()?;
                (sign, operand) = (1, true);
            }
            kind if kind.is_string() && inside => {
                let length = tokens.string_value(token, text)?.chars().count();
                total += sign * i64::try_from(length).ok()?;
            }
            _ => return None,
        }
    }
    Some(total)
}
