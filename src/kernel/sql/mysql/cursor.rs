//! Going through the tokens of a statement that the parser doesn't know.

use super::{eyes::Piece, rewrite::closing};
use crate::kernel::sql::{lex::TokenKind, reading::RawName};

/// Where we are in a statement.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'p, 'a> {
    pieces: &'p [Piece<'a>],
    at: usize,
}

impl<'p, 'a> Cursor<'p, 'a> {
    pub(super) fn new(pieces: &'p [Piece<'a>]) -> Self {
        Self { pieces, at: 0 }
    }

    pub(super) fn peek(&self) -> Option<&'p Piece<'a>> {
        self.pieces.get(self.at)
    }

    /// The piece so many behind the next.
    pub(super) fn ahead(&self, count: usize) -> Option<&'p Piece<'a>> {
        self.pieces.get(self.at + count)
    }

    /// All that is left.
    pub(super) fn rest(&self) -> &'p [Piece<'a>] {
        self.pieces.get(self.at..).unwrap_or_default()
    }

    pub(super) fn skip(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.pieces.len());
    }

    pub(super) fn is_end(&self) -> bool {
        self.at >= self.pieces.len()
    }

    /// `Some` at the end alone: what is left isn't understood.
    pub(super) fn end(&self) -> Option<()> {
        self.is_end().then_some(())
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.peek().is_some_and(|p| p.is(word))
    }

    /// Takes the word if it is there.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        let there = self.is(word);
        self.at += usize::from(there);
        there
    }

    /// Takes these words if all are there.
    pub(super) fn eat_all(&mut self, words: &[&str]) -> bool {
        let there = words.iter().enumerate().all(|(i, w)| self.ahead(i).is_some_and(|p| p.is(w)));
        if there {
            self.at += words.len();
        }
        there
    }

    /// Takes one of these words if one is there.
    pub(super) fn eat_one(&mut self, words: &[&'static str]) -> Option<&'static str> {
        let found = words.iter().find(|word| self.is(word)).copied();
        self.at += usize::from(found.is_some());
        found
    }

    /// The word must be there.
    pub(super) fn expect(&mut self, word: &str) -> Option<()> {
        self.eat(word).then_some(())
    }

    pub(super) fn eat_sign(&mut self, kind: TokenKind) -> bool {
        let there = self.peek().is_some_and(|p| p.is_sign(kind));
        self.at += usize::from(there);
        there
    }

    pub(super) fn eat_operator(&mut self, text: &str) -> bool {
        let there = self.peek().is_some_and(|p| p.is_operator(text));
        self.at += usize::from(there);
        there
    }

    /// One identifier.
    pub(super) fn ident(&mut self) -> Option<String> {
        let piece = self.peek().filter(|p| p.is_name())?;
        self.at += 1;
        Some(piece.text.clone().into_owned())
    }

    /// A relation's or routine's name.
    pub(super) fn name(&mut self) -> Option<RawName> {
        let mut parts = vec![self.ident()?];
        while self.eat_sign(TokenKind::Dot) {
            parts.push(self.ident()?);
        }
        (parts.len() <= 2).then_some(RawName(parts))
    }

    /// Names with commas between them.
    pub(super) fn names(&mut self) -> Option<Vec<RawName>> {
        let mut names = vec![self.name()?];
        while self.eat_sign(TokenKind::Comma) {
            names.push(self.name()?);
        }
        Some(names)
    }

    pub(super) fn string(&mut self) -> Option<String> {
        let piece = self.peek().filter(|p| p.kind == TokenKind::String)?;
        self.at += 1;
        Some(piece.text.clone().into_owned())
    }

    pub(super) fn integer(&mut self) -> Option<String> {
        let piece = self.peek().filter(|p| p.kind == TokenKind::Integer)?;
        self.at += 1;
        Some(piece.text.clone().into_owned())
    }

    /// `@name`.
    pub(super) fn variable(&mut self) -> Option<String> {
        let piece = self.peek().filter(|p| p.kind == TokenKind::UserVariable)?;
        self.at += 1;
        Some(piece.text.clone().into_owned())
    }

    /// What stands in the parentheses that begin here.
    pub(super) fn parenthesized(&mut self) -> Option<&'p [Piece<'a>]> {
        self.peek().filter(|p| p.is_sign(TokenKind::OpenParen))?;
        let end = closing(self.pieces, self.at)?;
        let inside = self.pieces.get(self.at + 1..end)?;
        self.at = end + 1;
        Some(inside)
    }

    /// What stands before the next comma outside of parentheses, or before the end.
    pub(super) fn until_comma(&mut self) -> &'p [Piece<'a>] {
        let length = before_comma(self.rest());
        let piece = self.rest().get(..length).unwrap_or_default();
        self.skip(length);
        piece
    }
}

fn before_comma(pieces: &[Piece<'_>]) -> usize {
    let mut depth = 0_u32;
    for (i, piece) in pieces.iter().enumerate() {
        match piece.kind {
            TokenKind::OpenParen => depth += 1,
            TokenKind::CloseParen => depth = depth.saturating_sub(1),
            TokenKind::Comma if depth == 0 => return i,
            _ => {}
        }
    }
    pieces.len()
}
