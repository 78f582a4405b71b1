//! The Postgres side of a session.

pub mod startup;
