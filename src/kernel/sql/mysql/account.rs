//! Accounts, roles and privileges.

use super::{eyes::Piece, leading::Made};
use crate::kernel::sql::{
    lex::TokenKind,
    reading::{Reading, RoleChanged, StatementKind},
};

/// A statement about accounts. All need admin; what matters is whether the gateway's own log-in is among
/// them, so every name and text in it counts as one.
pub(super) fn read(made: &Made<'_, '_>) -> Reading {
    let mut reading = made.implicitly(StatementKind::Privileges);
    let all = made.cursor.rest();
    for piece in all {
        match piece.kind {
            TokenKind::Word | TokenKind::QuotedIdentifier | TokenKind::String => {
                let name = piece.text.clone().into_owned();
                reading.roles.insert(RoleChanged::Named(name));
            }
            _ => {}
        }
    }
    let current = |piece: &Piece<'_>| piece.is_one_of(&["current_user", "user"]);
    // `SET PASSWORD = '…'`, `ALTER USER USER() …` and CURRENT_USER are the session's own account.
    let mut pairs = all.windows(2);
    let of_own = all.first().is_some_and(|p| p.is("password")) && !all.iter().any(|p| p.is("for"))
        || all.iter().any(|p| p.is("current_user"))
        || pairs.any(|pair| match pair {
            [name, open] => current(name) && open.is_sign(TokenKind::OpenParen),
            _ => false,
        });
    if of_own {
        reading.roles.insert(RoleChanged::Current);
    }
    reading
}
