//! The lexer of MySQL 9.7 and MariaDB 10.11: what their `sql_lex.cc` makes of a text.
//!
//! What the two read otherwise, and what other releases of them may read otherwise, is refused unless the
//! session's mode says how its server reads it.

pub(in crate::kernel::sql) mod literal;
pub mod scanner;
pub mod split;
mod version;

#[cfg(test)]
mod tests;
