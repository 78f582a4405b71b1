//! `/*!NNNNN … */`: which server reads what stands inside.

use crate::kernel::sql::mode::{Dialect, LexMode};

/// What a version comment is to a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Version {
    /// A part of the text, from so many bytes on.
    Read(usize),
    /// A comment.
    Skipped,
    /// Releases differ.
    Unsure,
}

/// What `text`, which begins with `/*!` or `/*M!`, is to the server.
///
/// Spec: `MY_LEX_LONG_COMMENT` in both servers' sql_lex.cc. MySQL takes six digits only with white space
/// behind, else five; MariaDB always takes as many as six, and what is written for MySQL 5.7 and later
/// (50700 to 99999) isn't for it, unless with an M.
pub(super) fn version(text: &[u8], mode: LexMode) -> Version {
    let marked = text.get(2) == Some(&b'M');
    let from = if marked { 4 } else { 3 };
    let behind = text.get(from..).unwrap_or_default();
    let digits = behind.iter().take(8).take_while(|b| b.is_ascii_digit()).count();
    let next = behind.get(digits).copied();
    let blank = next.is_some_and(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
    match digits {
        0 => return Version::Read(from),
        5 => {}
        6 if blank || mode.dialect == Dialect::MariaDb => {}
        _ => return Version::Unsure,
    }
    let number = behind.iter().take(digits).fold(0_u32, |n, b| n * 10 + u32::from(b - b'0'));
    let own = match mode.dialect {
        Dialect::MariaDb => marked || !(50_700..=99_999).contains(&number),
        Dialect::MySql | Dialect::Postgres => true,
    };
    // 99997 is read by MariaDB's own clusters.
    if number == 99_997 || mode.version == 0 {
        Version::Unsure
    } else if own && number <= mode.version {
        Version::Read(from + digits)
    } else {
        Version::Skipped
    }
}
