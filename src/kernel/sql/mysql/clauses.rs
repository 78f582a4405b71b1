//! Clauses that change nothing of what is judged: hints at indexes, the past of MariaDB's tables, the order in
//! which groups come. The parser is told without them.

use super::{eyes::Piece, rewrite::closing};
use crate::kernel::sql::lex::TokenKind;

/// The pieces without such clauses.
pub(super) fn left_out<'a>(pieces: &[Piece<'a>]) -> Vec<Piece<'a>> {
    /// In GROUP BY of this pair of parentheses.
    const ENDS: &[&str] =
        &["having", "order", "limit", "window", "union", "except", "intersect", "into", "for"];
    let mut out: Vec<Piece<'a>> = Vec::with_capacity(pieces.len());
    let mut groups = vec![false];
    let mut i = usize::from(history(pieces));
    out.extend(pieces.first().filter(|_| i > 0).cloned());
    i *= 2;
    while let Some(piece) = pieces.get(i) {
        match piece.kind {
            TokenKind::OpenParen => groups.push(false),
            TokenKind::CloseParen => drop(groups.pop()),
            TokenKind::Word if !piece.behind_dot => {
                if let Some(end) = clause(pieces, i) {
                    i = end;
                    continue;
                }
                if let Some(grouped) = groups.last_mut() {
                    let begins = piece.is("by") && out.last().is_some_and(|p| p.is("group"));
                    *grouped = begins || *grouped && !piece.is_one_of(ENDS);
                    if *grouped && piece.is_one_of(&["asc", "desc"]) {
                        i += 1;
                        continue;
                    }
                }
            }
            _ => {}
        }
        out.push(piece.clone());
        i += 1;
    }
    out
}

/// `DELETE HISTORY FROM t [BEFORE SYSTEM_TIME …]`, to the end: rows of before are rows of t. Of several tables
/// one may be called so.
fn history(pieces: &[Piece<'_>]) -> bool {
    let starts = ["delete", "history", "from"];
    if !starts.iter().zip(pieces).all(|(word, piece)| piece.is(word)) {
        return false;
    }
    let Some(end) = super::rewrite::name_end(pieces, 3) else { return false };
    let rest = clause(pieces, end).unwrap_or(end);
    rest == pieces.len()
}

/// Behind the clause that begins at `i`, if one does.
fn clause(pieces: &[Piece<'_>], i: usize) -> Option<usize> {
    let is = |i: usize, words: &[&str]| pieces.get(i).is_some_and(|p| p.is_one_of(words));
    let piece = pieces.get(i)?;
    if piece.is("for") && is(i + 1, &["system_time"]) {
        return period(pieces, i + 2);
    }
    // FOR PORTION OF p FROM … TO …
    if piece.is("for") && is(i + 1, &["portion"]) && is(i + 2, &["of"]) {
        pieces.get(i + 3).filter(|p| p.is_name())?;
        return between(pieces, i + 4, "from", "to");
    }
    if piece.is("before") && is(i + 1, &["system_time"]) {
        return moment(pieces, i + 2);
    }
    // Spec: all of these are reserved words.
    if piece.is_one_of(&["use", "force", "ignore"]) && is(i + 1, &["index", "key"]) {
        let mut open = i + 2;
        if is(open, &["for"]) {
            open += if is(open + 1, &["join"]) { 2 } else { 3 };
        }
        let end = pieces
            .get(open)
            .filter(|p| p.is_sign(TokenKind::OpenParen))
            .and(closing(pieces, open))?;
        let of_names = |p: &Piece<'_>| p.is_name() || p.kind == TokenKind::Word;
        let inside = pieces.get(open + 1..end)?;
        let listed = inside.iter().all(|p| of_names(p) || p.is_sign(TokenKind::Comma));
        return listed.then_some(end + 1);
    }
    let called = i.checked_sub(1).and_then(|before| pieces.get(before));
    let behind_call = called.is_some_and(|p| p.is_sign(TokenKind::CloseParen));
    if behind_call && piece.is("respect") && is(i + 1, &["nulls"]) && is(i + 2, &["over"]) {
        return Some(i + 2);
    }
    None
}

/// `ALL`, `AS OF …`, `FROM … TO …`, `BETWEEN … AND …`.
fn period(pieces: &[Piece<'_>], i: usize) -> Option<usize> {
    let is = |i: usize, word: &str| pieces.get(i).is_some_and(|p| p.is(word));
    if is(i, "all") {
        return Some(i + 1);
    }
    if is(i, "as") && is(i + 1, "of") {
        return moment(pieces, i + 2);
    }
    between(pieces, i, "from", "to").or_else(|| between(pieces, i, "between", "and"))
}

fn between(pieces: &[Piece<'_>], i: usize, first: &str, second: &str) -> Option<usize> {
    pieces.get(i).filter(|p| p.is(first))?;
    let end = moment(pieces, i + 1)?;
    pieces.get(end).filter(|p| p.is(second))?;
    moment(pieces, end + 1)
}

/// A point of time that hangs on nothing: a constant, a parameter, now, and so much before or behind that.
fn moment(pieces: &[Piece<'_>], i: usize) -> Option<usize> {
    let mut end = point(pieces, i)?;
    while pieces.get(end).is_some_and(|p| p.is_operator("-") || p.is_operator("+"))
        && pieces.get(end + 1).is_some_and(|p| p.is("interval"))
    {
        pieces.get(end + 2).filter(|p| is_constant(p))?;
        pieces.get(end + 3).filter(|p| p.kind == TokenKind::Word)?;
        end += 4;
    }
    Some(end)
}

fn point(pieces: &[Piece<'_>], i: usize) -> Option<usize> {
    const NOW: &[&str] = &["now", "sysdate", "current_timestamp", "localtimestamp", "localtime"];
    const KINDS: &[&str] = &["timestamp", "transaction", "date", "datetime"];
    let sign = |i: usize, kind: TokenKind| pieces.get(i).is_some_and(|p| p.is_sign(kind));
    let first = pieces.get(i)?;
    if first.is_sign(TokenKind::OpenParen) {
        let end = moment(pieces, i + 1)?;
        return sign(end, TokenKind::CloseParen).then_some(end + 1);
    }
    if is_constant(first) {
        return Some(i + 1);
    }
    if first.is_one_of(KINDS) {
        return pieces.get(i + 1).filter(|p| is_constant(p)).map(|_| i + 2);
    }
    if !first.is_one_of(NOW) {
        return None;
    }
    if !sign(i + 1, TokenKind::OpenParen) {
        return Some(i + 1);
    }
    let digits = usize::from(pieces.get(i + 2).is_some_and(Piece::is_literal));
    sign(i + 2 + digits, TokenKind::CloseParen).then_some(i + 3 + digits)
}

fn is_constant(piece: &Piece<'_>) -> bool {
    piece.is_literal() || piece.kind == TokenKind::Parameter
}
