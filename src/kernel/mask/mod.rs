//! Masking: what a mask is, and what it makes of one value. Nothing here knows a protocol.
//!
//! A rule ([`rule::Rule`]) says which columns are sensitive and names an [`Algorithm`]; a [`Plan`]
//! says for each column of one result what becomes of its cells. The algorithms work on values: text
//! ([`text`]), numbers ([`number`]), dates and times ([`moment`]), JSON ([`json`]), bytes and uuids.
//! How a value stands in a cell is the protocol's: for Postgres `wire::pg::cell` reads it, calls what
//! is here and writes it back in the same format, so that both formats of a value mask to the same.
//!
//! What holds for every algorithm and every type:
//!
//! - The declared type stays, though not its declared length: a hash has 64 digits also where a text has
//!   20. What a type can't express becomes NULL: there is no integer `******`.
//! - The clear value never comes back because it is short, odd or unreadable. A text too short for
//!   what an algorithm would keep is masked whole; a cell that doesn't read as its type is NULL.
//! - NULL stays NULL, unless the rule hides that too ([`Nulls::Hidden`]) and its mask has a value that
//!   doesn't depend on the cell.
//! - Characters are Unicode scalar values, not bytes; for bytes they are bytes.
//! - An array is masked element by element. Its length shows, and which elements are NULL.
//! - A value *derived* from masked columns is replaced whole ([`Mask::Whole`]).
//! - The same value gives the same mask under the same [`Key`], in whichever format it travels.
#![cfg_attr(
    not(test),
    warn(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::expect_used,
        clippy::unreachable,
        clippy::wildcard_enum_match_arm
    )
)]

pub mod algorithm;
pub mod calendar;
pub mod decimal;
pub mod json;
pub mod key;
pub mod kind;
pub mod marks;
pub mod moment;
pub mod number;
pub mod path;
pub mod pattern;
pub mod plan;
pub mod rule;
pub mod spare;
pub mod text;

pub use algorithm::{Algorithm, AlgorithmError};
pub use key::{Key, KeyError};
pub use kind::{ColumnType, Format, Kind, Width};
pub use plan::{CellMask, Column, Mask, Nulls, Plan};
pub use rule::{ColumnFacts, Predicates, Rule, RuleError, Rules};

/// What a masked cell holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// A value was appended.
    Value,
    /// NULL; nothing was appended.
    Null,
}

/// What stands for a value that is replaced whole, where no other text is given.
pub const WHOLE: &str = "******";
