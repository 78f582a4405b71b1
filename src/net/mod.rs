//! Floor 2: sockets, TLS, compression and the clock. Knows no SQL, no policy and no message.
//!
//! Nothing here starts a task of its own, but [`faults`] a thread in tests; what must run beside the
//! sessions ([`tls::ServerTls::watch`]) is a future for somebody above to run.

pub mod clock;
pub mod end_point;
pub mod faults;
pub mod link;
pub mod listener;
pub mod network;
pub mod stream;
pub mod tls;
mod zip;

pub use clock::Clock;
pub use listener::{Accepted, Admission, Listener, ListenerOptions, Permits};
pub use network::Network;
pub use stream::{Peer, Stream};
