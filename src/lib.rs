//! Hallpass: a database gateway for just-in-time access.

pub mod kernel;
pub mod net;
pub mod session;
pub mod upstream;
pub mod wire;
