//! Hallpass: a database gateway for just-in-time access.

pub mod api;
pub mod cli;
pub mod config;
pub mod kernel;
pub mod net;
pub mod session;
pub mod store;
pub mod trail;
pub mod upstream;
pub mod wire;
