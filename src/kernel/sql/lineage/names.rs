//! When two names are one: as each server compares them.

use crate::kernel::sql::mode::Dialect;

/// How names are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Names {
    /// As they stand: Postgres has folded them where they are written without quotes.
    AsWritten,
    /// MySQL and MariaDB: columns without regard to letters' cases; tables by a setting of the server's.
    Folded,
}

/// What becomes of comparing two names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Same {
    /// They are one.
    Yes,
    /// By the server's settings they may be.
    Perhaps,
    /// They aren't.
    No,
}

impl Names {
    pub(super) fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Postgres => Self::AsWritten,
            Dialect::MySql | Dialect::MariaDb => Self::Folded,
        }
    }

    /// Names of columns and outputs.
    ///
    /// Spec: `my_strcasecmp` with `utf8mb3_general_ci`. In tables with many columns the servers look names
    /// up by that collation itself, to which letters with and without an accent are one.
    pub(super) fn column(self, a: &str, b: &str) -> Same {
        match self {
            Self::AsWritten if a == b => Same::Yes,
            Self::AsWritten => Same::No,
            Self::Folded if a.eq_ignore_ascii_case(b) => Same::Yes,
            Self::Folded if a.is_ascii() && b.is_ascii() => Same::No,
            Self::Folded if a.to_lowercase() == b.to_lowercase() => Same::Yes,
            Self::Folded => alike(a, b),
        }
    }

    /// Names of tables and schemas, of what they go by, and of queries of WITH.
    pub(super) fn table(self, a: &str, b: &str) -> Same {
        if a == b {
            return Same::Yes;
        }
        match self.column(a, b) {
            // Spec: `lower_case_table_names`, which is 0 on Linux unless somebody says otherwise.
            Same::Yes | Same::Perhaps => Same::Perhaps,
            Same::No => Same::No,
        }
    }

    /// What a name is among names that are compared by equality.
    pub(super) fn key(self, name: &str) -> String {
        match self {
            Self::AsWritten => name.to_owned(),
            Self::Folded => name.to_lowercase(),
        }
    }

    /// True if [`Names::key`] says all that there is to say of it.
    pub(super) fn is_plain(self, name: &str) -> bool {
        match self {
            Self::AsWritten => true,
            Self::Folded => name.is_ascii(),
        }
    }
}

/// The same but for letters that some collation may take for one another: one letter each.
fn alike(a: &str, b: &str) -> Same {
    let (a, b) = (a.trim_end_matches(' '), b.trim_end_matches(' '));
    let letter =
        |(a, b): (char, char)| !a.is_ascii() || !b.is_ascii() || a.eq_ignore_ascii_case(&b);
    let alike = a.chars().count() == b.chars().count() && a.chars().zip(b.chars()).all(letter);
    if alike { Same::Perhaps } else { Same::No }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_mysql_have_no_case_and_tables_may_have_one() {
        let names = Names::of(Dialect::MySql);
        for (a, b, column, table) in [
            ("email", "email", Same::Yes, Same::Yes),
            ("email", "EMail", Same::Yes, Same::Perhaps),
            ("größe", "GRÖßE", Same::Yes, Same::Perhaps),
            ("email", "émail", Same::Perhaps, Same::Perhaps),
            ("email", "mail", Same::No, Same::No),
            ("email", "e_mail", Same::No, Same::No),
            ("é", "ee", Same::No, Same::No),
        ] {
            assert_eq!(names.column(a, b), column, "{a} {b}");
            assert_eq!(names.table(a, b), table, "{a} {b}");
        }
        assert_eq!(Names::of(Dialect::Postgres).column("email", "Email"), Same::No);
    }
}
