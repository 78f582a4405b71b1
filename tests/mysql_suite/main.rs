//! The gateway in front of MariaDB 10.11 and MySQL 9.7, by their own clients.

mod attacks;
mod calls;
mod canary;
mod change_user;
mod client;
mod drivers;
mod faults;
mod faults_load;
#[path = "../differential/generate.rs"]
#[allow(dead_code, reason = "texts of others are changed elsewhere")]
mod generate;
mod greetings;
mod held;
mod masking;
mod oracles;
mod raw;
mod sessions;
#[path = "../support/mod.rs"]
mod support;
mod traps;
mod upstream;
mod watch;
mod wire;
