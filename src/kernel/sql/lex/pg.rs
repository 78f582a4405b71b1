//! PostgreSQL's lexer: `scan.l` of releases 15 to 18.

pub(in crate::kernel::sql) mod literal;
pub mod scanner;
pub mod split;
