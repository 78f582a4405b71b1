//! The client/server protocol of MySQL and MariaDB.
//!
//! Everything travels in packets of at most 16 MiB with a sequence number ([`packet`]). A server greets
//! first ([`greeting`]), the client answers ([`login`]) and proves who it is ([`auth`]); then it sends
//! commands ([`command`]), each answered before the next one is read ([`response`], which is made of
//! [`reply`], [`column`] and [`row`]).
//!
//! Spec: <https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html> and
//! <https://mariadb.com/kb/en/clientserver-protocol/>.

pub mod auth;
pub mod capability;
pub mod cell;
pub mod column;
pub mod command;
pub mod compression;
pub mod execute;

pub mod field;
pub mod greeting;
pub mod login;
pub mod packet;
pub mod reply;
pub mod response;
pub mod row;
pub mod value;

pub use capability::Capabilities;
