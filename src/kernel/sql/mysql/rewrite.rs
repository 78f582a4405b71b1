//! What everyday statements say that the parser doesn't know is said to it in other words.
//!
//! The client's own text is what the server gets; this is for the parser's eyes only. Nothing is taken away
//! that names a relation, a column or a routine, or that tells what becomes of a value.

use super::eyes::Piece;
use crate::kernel::sql::lex::TokenKind;

/// The pieces as the parser can read them. `None`: what is there isn't certain.
pub(super) fn rewrite<'a>(pieces: &[Piece<'a>]) -> Option<Vec<Piece<'a>>> {
    let pieces = introducers(pieces)?;
    let pieces = braces(pieces)?;
    let pieces = words(&pieces)?;
    let pieces = verbs(&pieces);
    let pieces = into(&pieces)?;
    Some(commas(&pieces))
}

/// Character sets of both servers: `_utf8mb4'…'` is a string.
const CHARACTER_SETS: &[&str] = &[
    "_armscii8",
    "_ascii",
    "_big5",
    "_binary",
    "_cp1250",
    "_cp1251",
    "_cp1256",
    "_cp1257",
    "_cp850",
    "_cp852",
    "_cp866",
    "_cp932",
    "_dec8",
    "_eucjpms",
    "_euckr",
    "_gb18030",
    "_gb2312",
    "_gbk",
    "_geostd8",
    "_greek",
    "_hebrew",
    "_hp8",
    "_keybcs2",
    "_koi8r",
    "_koi8u",
    "_latin1",
    "_latin2",
    "_latin5",
    "_latin7",
    "_macce",
    "_macroman",
    "_sjis",
    "_swe7",
    "_tis620",
    "_ucs2",
    "_ujis",
    "_utf16",
    "_utf16le",
    "_utf32",
    "_utf8",
    "_utf8mb3",
    "_utf8mb4",
];

/// A set in which a string says the same as in the session's own as long as it is ASCII, and no others:
/// what a constant says matters to nobody here.
fn introducers<'a>(pieces: &[Piece<'a>]) -> Option<Vec<Piece<'a>>> {
    let mut out = Vec::with_capacity(pieces.len());
    let mut rest = pieces.iter().peekable();
    while let Some(piece) = rest.next() {
        let before_constant = rest
            .peek()
            .is_some_and(|next| matches!(next.kind, TokenKind::String | TokenKind::BitString));
        let introduces =
            piece.kind == TokenKind::Word && !piece.behind_dot && piece.text.starts_with('_');
        if before_constant && introduces {
            if !piece.is_one_of(CHARACTER_SETS) {
                return None;
            }
        } else {
            out.push(piece.clone());
        }
    }
    Some(out)
}

/// ODBC's `{d '2024-01-01'}`, `{fn now()}`, `{oj a LEFT JOIN b ON …}` are what stands in them.
fn braces(pieces: Vec<Piece<'_>>) -> Option<Vec<Piece<'_>>> {
    if !pieces.iter().any(|p| p.is_sign(TokenKind::OpenBrace)) {
        return Some(pieces);
    }
    let mut out = Vec::with_capacity(pieces.len());
    let mut open = 0_u32;
    let mut rest = pieces.into_iter();
    while let Some(piece) = rest.next() {
        match piece.kind {
            TokenKind::OpenBrace => {
                open += 1;
                rest.next().filter(|word| word.is_one_of(&["d", "t", "ts", "fn", "oj"]))?;
            }
            TokenKind::CloseBrace => open = open.checked_sub(1)?,
            _ => out.push(piece),
        }
    }
    (open == 0).then_some(out)
}

/// Units of time; those of two are reserved words, and one of them is as good as another.
const UNITS: &[&str] = &[
    "day",
    "day_hour",
    "day_microsecond",
    "day_minute",
    "day_second",
    "hour",
    "hour_microsecond",
    "hour_minute",
    "hour_second",
    "microsecond",
    "minute",
    "minute_microsecond",
    "minute_second",
    "month",
    "quarter",
    "second",
    "second_microsecond",
    "week",
    "year",
    "year_month",
];

/// Values that are called without parentheses.
const VALUES: &[&str] = &["current_user", "utc_date", "utc_time", "utc_timestamp"];

/// What is said in other words wherever it stands.
fn words<'a>(pieces: &[Piece<'a>]) -> Option<Vec<Piece<'a>>> {
    let mut out: Vec<Piece<'a>> = Vec::with_capacity(pieces.len());
    // Parentheses of calls by the function's name, empty for others.
    let mut open: Vec<&str> = Vec::new();
    let mut i = 0;
    while let Some(piece) = pieces.get(i) {
        let taken = match piece.kind {
            TokenKind::OpenParen => {
                let called = i.checked_sub(1).and_then(|before| pieces.get(before));
                let called = called.filter(|p| p.kind == TokenKind::Word && !p.behind_dot);
                open.push(called.map_or("", |p| &p.text));
                0
            }
            TokenKind::CloseParen => {
                open.pop();
                0
            }
            TokenKind::Word if !piece.behind_dot => {
                let function = open.last().copied().unwrap_or_default();
                let taken = in_other_words(pieces, i, function, &mut out)?;
                if taken > 0 && out.last().is_some_and(|p| p.is_sign(TokenKind::OpenParen)) {
                    open.push("");
                }
                taken
            }
            _ => 0,
        };
        if taken == 0 {
            out.push(piece.clone());
        }
        i += taken.max(1);
    }
    Some(out)
}

/// The word at `i`, inside a call of `function`, in other words; how many pieces were taken, none if it
/// stays as it is.
fn in_other_words<'a>(
    pieces: &[Piece<'a>],
    i: usize,
    function: &str,
    out: &mut Vec<Piece<'a>>,
) -> Option<usize> {
    use TokenKind::{CloseParen, Comma, Dot, OpenParen};
    let at = |i: usize| pieces.get(i);
    let is = |i: usize, word: &str| at(i).is_some_and(|p| p.is(word));
    let sign = |i: usize, kind: TokenKind| at(i).is_some_and(|p| p.is_sign(kind));
    let literal = |i: usize| at(i).is_some_and(Piece::is_literal);
    let piece = at(i)?;
    let before = i.wrapping_sub(1);
    let of_call = |name: &str| function.eq_ignore_ascii_case(name);
    // Their first argument is a unit, or a kind of value.
    if piece.is_one_of(&["timestampdiff", "timestampadd", "get_format"])
        && sign(i + 1, OpenParen)
        && at(i + 2).is_some_and(Piece::is_name)
        && sign(i + 3, Comma)
    {
        out.push(piece.clone());
        out.extend(at(i + 1).cloned());
        return Some(4);
    }
    if piece.is("interval") && sign(i + 1, OpenParen) {
        let end = closing(pieces, i + 1)?;
        // A call, unless a unit stands behind it.
        if !at(end + 1).is_some_and(|p| p.is_one_of(UNITS)) {
            out.push(Piece { kind: TokenKind::QuotedIdentifier, ..piece.clone() });
            return Some(1);
        }
    }
    if piece.is("match")
        && let Some(end) = matched(pieces, i)
    {
        out.extend(against(pieces, i, end)?);
        return Some(end + 1 - i);
    }
    let share = |i: usize| is(i, "lock") && is(i + 1, "in") && is(i + 2, "share");
    if piece.text.contains('_') && piece.is_one_of(UNITS) {
        out.push(Piece::word("HOUR"));
        Some(1)
    } else if share(i) && is(i + 3, "mode") {
        out.extend([Piece::word("FOR"), Piece::word("SHARE")]);
        Some(4)
    } else if piece.is("from") && is(i + 1, "dual") && !sign(i + 2, Dot) {
        Some(2)
    } else if piece.is("table") && at(i + 1).is_some_and(Piece::is_name) {
        let star = Piece::sign(TokenKind::Operator, "*");
        out.extend([Piece::word("SELECT"), star, Piece::word("FROM")]);
        Some(1)
    } else if piece.is("sounds") && is(i + 1, "like") {
        out.push(Piece::word("LIKE"));
        Some(2)
    } else if piece.is("wait") && literal(i + 1) && (is(before, "update") || is(before, "share")) {
        Some(2)
    } else if piece.is("mod") && !sign(i + 1, OpenParen) && i > 0 {
        out.push(Piece::sign(TokenKind::Operator, "%"));
        Some(1)
    } else if piece.is("distinctrow") {
        out.push(Piece::word("DISTINCT"));
        Some(1)
    } else if piece.is("rows") && is(i + 1, "examined") && literal(i + 2) {
        Some(3)
    } else if piece.is("limit") && is(i + 1, "rows") && is(i + 2, "examined") && literal(i + 3) {
        Some(4)
    } else if of_call("trim")
        && piece.is_one_of(&["both", "leading", "trailing"])
        && is(i + 1, "from")
    {
        Some(2)
    } else if of_call("json_value") && on_trouble(pieces, i) > 0 {
        Some(on_trouble(pieces, i))
    } else if piece.is_one_of(&["next", "previous"]) && is(i + 1, "value") && is(i + 2, "for") {
        let end = name_end(pieces, i + 3)?;
        let name = if piece.is("next") { "nextval" } else { "lastval" };
        out.extend([Piece::word(name), Piece::sign(OpenParen, "(")]);
        out.extend(pieces.get(i + 3..end)?.iter().cloned());
        out.push(Piece::sign(CloseParen, ")"));
        Some(end - i)
    } else if piece.is_one_of(VALUES) && !sign(i + 1, OpenParen) && !sign(i + 1, Dot) {
        out.push(piece.clone());
        out.extend([Piece::sign(OpenParen, "("), Piece::sign(CloseParen, ")")]);
        Some(1)
    } else if (of_call("cast") || of_call("convert"))
        && (piece.is("charset") || piece.is("character") && is(i + 1, "set"))
    {
        Some(if is(i + 1, "set") { 3 } else { 2 })
    } else if piece.is("using") && of_call("char") {
        Some(2)
    } else if piece.is("as")
        && of_call("weight_string")
        && at(i + 1).is_some_and(|p| p.is_one_of(&["char", "binary"]))
        && sign(i + 2, OpenParen)
        && literal(i + 3)
        && sign(i + 4, CloseParen)
    {
        Some(5)
    } else {
        Some(0)
    }
}

/// `NULL ON EMPTY`, `DEFAULT 0 ON ERROR` at `i`: so many pieces.
fn on_trouble(pieces: &[Piece<'_>], i: usize) -> usize {
    let is = |i: usize, words: &[&str]| pieces.get(i).is_some_and(|p| p.is_one_of(words));
    let is_null = pieces.get(i).is_some_and(|p| p.kind == TokenKind::Null || p.is("null"));
    let constant = pieces.get(i + 1).is_some_and(Piece::is_literal);
    let length = match pieces.get(i) {
        Some(piece) if piece.is("error") || is_null => 1,
        Some(piece) if piece.is("default") && constant => 2,
        Some(_) | None => return 0,
    };
    let follows = is(i + length, &["on"]) && is(i + length + 1, &["empty", "error"]);
    if follows { length + 2 } else { 0 }
}

/// Behind the name that begins at `from`, with its dots.
pub(super) fn name_end(pieces: &[Piece<'_>], from: usize) -> Option<usize> {
    let mut end = from;
    loop {
        pieces.get(end).filter(|p| p.is_name())?;
        end += 1;
        if !pieces.get(end).is_some_and(|p| p.is_sign(TokenKind::Dot)) {
            return Some(end);
        }
        end += 1;
    }
}

/// The parenthesis that closes the one at `open`.
pub(super) fn closing(pieces: &[Piece<'_>], open: usize) -> Option<usize> {
    let mut depth = 0_u32;
    for (i, piece) in pieces.iter().enumerate().skip(open) {
        match piece.kind {
            TokenKind::OpenParen => depth += 1,
            TokenKind::CloseParen => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(i);
                }
            }
            _ => {}
        }
    }
    None
}

/// The end of `MATCH (…) AGAINST (…)` at `from`, if it is that.
fn matched(pieces: &[Piece<'_>], from: usize) -> Option<usize> {
    let (_, behind) = matched_columns(pieces, from)?;
    pieces.get(behind).filter(|p| p.is("against"))?;
    pieces.get(behind + 1).filter(|p| p.is_sign(TokenKind::OpenParen))?;
    closing(pieces, behind + 1)
}

/// The columns behind MATCH at `from`, with parentheses or without, and what stands behind them.
fn matched_columns<'p, 'a>(
    pieces: &'p [Piece<'a>],
    from: usize,
) -> Option<(&'p [Piece<'a>], usize)> {
    let first = pieces.get(from + 1)?;
    if first.is_sign(TokenKind::OpenParen) {
        let end = closing(pieces, from + 1)?;
        return Some((pieces.get(from + 2..end)?, end + 1));
    }
    let mut end = name_end(pieces, from + 1)?;
    while pieces.get(end).is_some_and(|p| p.is_sign(TokenKind::Comma)) {
        end = name_end(pieces, end + 1)?;
    }
    Some((pieces.get(from + 1..end)?, end))
}

/// `MATCH (a, b) AGAINST (x IN BOOLEAN MODE)` as a call: `match(a, b, x)`.
fn against<'a>(pieces: &[Piece<'a>], from: usize, end: usize) -> Option<Vec<Piece<'a>>> {
    let (columns, behind) = matched_columns(pieces, from)?;
    let mut out = vec![
        Piece { kind: TokenKind::QuotedIdentifier, text: "match".into(), behind_dot: false },
        Piece::sign(TokenKind::OpenParen, "("),
    ];
    out.extend(columns.iter().cloned());
    out.push(Piece::sign(TokenKind::Comma, ","));
    let mut value = pieces.get(behind + 2..end)?;
    for mode in [
        &["with", "query", "expansion"][..],
        &["in", "boolean", "mode"],
        &["in", "natural", "language", "mode"],
    ] {
        let Some(at) = value.len().checked_sub(mode.len()) else { continue };
        let (before, last) = value.split_at_checked(at)?;
        if last.iter().zip(mode).all(|(piece, word)| piece.is(word)) {
            value = before;
        }
    }
    out.extend(words(value)?);
    out.push(Piece::sign(TokenKind::CloseParen, ")"));
    Some(out)
}

/// Words between a verb and what it works on, which change nothing that is judged.
const MODIFIERS: &[&str] = &["low_priority", "delayed", "high_priority", "quick", "ignore"];

/// DO, and what stands behind INSERT, REPLACE, UPDATE, DELETE.
fn verbs<'a>(pieces: &[Piece<'a>]) -> Vec<Piece<'a>> {
    let mut out: Vec<Piece<'a>> = Vec::with_capacity(pieces.len());
    let mut depth = 0_u32;
    let mut i = 0;
    let mut deletes = false;
    while let Some(piece) = pieces.get(i) {
        i += 1;
        match piece.kind {
            TokenKind::OpenParen => depth += 1,
            TokenKind::CloseParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        if i == 1 && piece.is("do") {
            out.push(Piece::word("SELECT"));
            continue;
        }
        // `t.*` in the list of what is deleted.
        deletes &= !piece.is("from") || depth > 0;
        let star = pieces.get(i).is_some_and(|p| p.is_operator("*"));
        if deletes && piece.is_sign(TokenKind::Dot) && star {
            i += 1;
            continue;
        }
        out.push(piece.clone());
        let begins = i == 1 || out.len() >= 2 && depth == 0;
        let insert = piece.is_one_of(&["insert", "replace"])
            && !pieces.get(i).is_some_and(|p| p.is_sign(TokenKind::OpenParen))
            && i == 1;
        let change = piece.is_one_of(&["update", "delete"]) && begins && changes_rows(pieces, i);
        if insert || change {
            while let Some(modifier) = pieces.get(i).filter(|p| p.is_one_of(MODIFIERS)) {
                // With it a row that is there already tells nothing but that.
                if insert && modifier.is("ignore") {
                    out.push(modifier.clone());
                }
                i += 1;
            }
            deletes = piece.is("delete");
        }
        if insert {
            i = skip_partition(pieces, i, &mut out);
        }
    }
    out
}

/// True unless UPDATE or DELETE before `at` belongs to FOR UPDATE or ON DUPLICATE KEY UPDATE.
fn changes_rows(pieces: &[Piece<'_>], at: usize) -> bool {
    let before = at.checked_sub(2).and_then(|i| pieces.get(i));
    !before.is_some_and(|p| p.is_one_of(&["for", "key", "on"]))
}

/// `INTO t PARTITION (p)` without the partitions.
fn skip_partition<'a>(pieces: &[Piece<'a>], from: usize, out: &mut Vec<Piece<'a>>) -> usize {
    let into = usize::from(pieces.get(from).is_some_and(|p| p.is("into")));
    let Some(end) = name_end(pieces, from + into) else { return from };
    let named = pieces.get(end).is_some_and(|p| p.is("partition"));
    let listed = pieces.get(end + 1).is_some_and(|p| p.is_sign(TokenKind::OpenParen));
    let Some(close) = closing(pieces, end + 1).filter(|_| named && listed) else { return from };
    out.extend(pieces.get(from..end).unwrap_or_default().iter().cloned());
    close + 1
}

/// What an INTO of a SELECT says, by the pieces behind it.
pub(super) enum Into {
    /// Variables, so many pieces.
    Variables(usize),
    /// A file of the server, so many pieces.
    File(usize),
}

/// What stands behind INTO at `from`; `None`: neither.
pub(super) fn into_what(pieces: &[Piece<'_>], from: usize) -> Option<Into> {
    let first = pieces.get(from)?;
    if first.is_one_of(&["outfile", "dumpfile"]) {
        pieces.get(from + 1).filter(|p| p.kind == TokenKind::String)?;
        let options = pieces.get(from + 2..).unwrap_or_default();
        let length = options.iter().take_while(|p| is_option_of_file(p)).count();
        return Some(Into::File(2 + length));
    }
    let mut length = 0;
    loop {
        pieces.get(from + length).filter(|p| p.kind == TokenKind::UserVariable)?;
        length += 1;
        if !pieces.get(from + length).is_some_and(|p| p.is_sign(TokenKind::Comma)) {
            return Some(Into::Variables(length));
        }
        length += 1;
    }
}

fn is_option_of_file(piece: &Piece<'_>) -> bool {
    const OPTIONS: &[&str] = &[
        "binary",
        "by",
        "character",
        "charset",
        "columns",
        "enclosed",
        "escaped",
        "fields",
        "lines",
        "optionally",
        "set",
        "starting",
        "terminated",
        "utf8",
        "utf8mb3",
        "utf8mb4",
        "latin1",
        "ascii",
    ];
    matches!(piece.kind, TokenKind::String | TokenKind::BitString) || piece.is_one_of(OPTIONS)
}

/// INTO of a SELECT, wherever it stands, before FROM; a file's is left out.
fn into<'a>(pieces: &[Piece<'a>]) -> Option<Vec<Piece<'a>>> {
    #[derive(Default)]
    struct Level {
        select: bool,
        from: Option<usize>,
    }
    let inserts = pieces.first().is_some_and(|p| p.is_one_of(&["insert", "replace"]));
    let mut out: Vec<Piece<'a>> = Vec::with_capacity(pieces.len());
    let mut levels = vec![Level::default()];
    let mut i = 0;
    let mut seen = false;
    let ignores = usize::from(pieces.get(1).is_some_and(|p| p.is("ignore")));
    while let Some(piece) = pieces.get(i) {
        i += 1;
        let level = levels.last_mut()?;
        if piece.is("into") {
            if inserts && i == 2 + ignores {
                out.push(piece.clone());
                continue;
            }
            // The servers take one.
            if std::mem::replace(&mut seen, true) {
                return None;
            }
            match into_what(pieces, i)? {
                Into::File(length) => i += length,
                Into::Variables(length) if level.select => {
                    let targets = pieces.get(i - 1..i + length)?.iter().cloned();
                    let at = level.from.unwrap_or(out.len());
                    out.splice(at..at, targets);
                    i += length;
                }
                Into::Variables(_) => return None,
            }
            continue;
        }
        if piece.is("select") {
            *level = Level { select: true, from: None };
        } else if piece.is("from") {
            level.from.get_or_insert(out.len());
        }
        match piece.kind {
            TokenKind::OpenParen => levels.push(Level::default()),
            TokenKind::CloseParen => {
                levels.pop();
            }
            _ => {}
        }
        out.push(piece.clone());
    }
    Some(out)
}

/// Commas between tables, where the parser wants a join: in parentheses, and behind UPDATE.
fn commas<'a>(pieces: &[Piece<'a>]) -> Vec<Piece<'a>> {
    #[derive(Clone, Copy, Default)]
    struct Level {
        /// In a list of tables whose commas are joins.
        joins: bool,
        /// In FROM.
        from: bool,
    }
    let mut out: Vec<Piece<'a>> = Vec::with_capacity(pieces.len());
    let mut levels = vec![Level::default()];
    for (i, piece) in pieces.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|b| pieces.get(b));
        let depth = levels.len();
        let Some(level) = levels.last_mut() else { break };
        match piece.kind {
            TokenKind::OpenParen => {
                let listed = before.is_some_and(|b| {
                    b.is_one_of(&["from", "join", "straight_join", "update"])
                        || (level.from || level.joins)
                            && matches!(b.kind, TokenKind::Comma | TokenKind::OpenParen)
                });
                let first = pieces.iter().skip(i).find(|p| !p.is_sign(TokenKind::OpenParen));
                let query = first.is_some_and(|p| p.is_one_of(&["select", "with", "values"]));
                levels.push(Level { joins: listed && !query, from: false });
            }
            TokenKind::CloseParen if depth > 1 => {
                levels.pop();
            }
            TokenKind::Comma if level.joins => {
                out.extend([Piece::word("CROSS"), Piece::word("JOIN")]);
                continue;
            }
            TokenKind::Word => {
                if piece.is("update") && changes_rows(pieces, i + 1) {
                    level.joins = true;
                } else if piece.is("set") && depth == 1 {
                    *level = Level::default();
                } else if piece.is("from") {
                    level.from = true;
                } else if piece
                    .is_one_of(&["where", "group", "order", "having", "limit", "select", "union"])
                {
                    level.from = false;
                }
            }
            _ => {}
        }
        out.push(piece.clone());
    }
    out
}
