//! From what a statement needs and what a session holds to a yes or a no.

pub mod decide;
pub mod decision;

pub use decide::decide;
pub use decision::{Decision, Denial, Missing, Permit};
