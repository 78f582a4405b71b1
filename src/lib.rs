//! Hallpass: a database gateway for just-in-time access.

pub mod kernel;
pub mod trail;
