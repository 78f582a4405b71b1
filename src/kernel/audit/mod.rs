//! What a record of the trail says, and how records are chained. Pure; writing them is `trail`'s.
//!
//! A record is one line: a JSON object with its keys in a fixed order, formatted by hand into the
//! caller's buffer ([`record`]), closed by the digest that chains it to the one before ([`chain`]).
//! Secrets that SQL carries in the open never get into one ([`scrub`]).

pub mod chain;
mod json;
mod masked;
mod parameters;
pub mod record;
pub mod scrub;
mod shown;

pub use chain::Digest;
pub use record::{
    Decided, Detail, Ended, Event, Intent, IntentKind, LoginFailed, Outcome, Parameter,
    ParameterDetail, Place, Record, SessionOpened, Settled, StatementDetail, TransactionEnd,
};
