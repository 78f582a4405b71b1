//! The gateway in front of MariaDB 10.11 and MySQL 9.7, by their own clients.

mod client;
mod drivers;
mod sessions;
#[path = "../support/mod.rs"]
mod support;
