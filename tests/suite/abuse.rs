//! What somebody can do to others by load: each attack runs beside a bystander, whose waiting times
//! are compared with those when nothing else runs, and the gateway's memory is watched.

mod door;
mod http;
mod load;
mod log_in;
mod memory;
mod networks;
mod oracle;
mod watch;
