//! Accepting connections: where to listen, how many at once, and what to do when the system has no
//! descriptor left.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::stream::Stream;

/// Where and how to listen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListenerOptions {
    /// `host:port`, or the path of a socket in the file system: anything with a `/` in it.
    pub address: String,
    /// How many connections may wait to be accepted.
    pub backlog: u32,
    /// After how long without traffic a peer is probed, and how often; three silent probes end the
    /// connection.
    pub keepalive: Duration,
}

impl ListenerOptions {
    /// The defaults: a backlog of 1,024, probes after a minute.
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into(), backlog: 1024, keepalive: Duration::from_secs(60) }
    }
}

/// How many connections there may be. Shared by listeners that share a limit.
#[derive(Clone, Debug)]
pub struct Permits {
    sessions: Arc<Semaphore>,
    sessions_max: u32,
    refusals: Arc<Semaphore>,
}

/// How many connections at most are being told at one time that there is no room. More wait in the
/// backlog.
const REFUSALS_MAX: usize = 64;

impl Permits {
    /// Room for so many sessions.
    pub fn new(sessions_max: u32) -> Self {
        Self {
            sessions: Arc::new(Semaphore::new(sessions_max as usize)),
            sessions_max,
            refusals: Arc::new(Semaphore::new(REFUSALS_MAX)),
        }
    }

    /// How many sessions there are now.
    pub fn sessions(&self) -> usize {
        (self.sessions_max as usize).saturating_sub(self.sessions.available_permits())
    }

    /// Waits until every session has ended; new ones get no room from here on.
    pub async fn drained(&self) {
        // An error means that the semaphore was closed, which nobody does.
        if let Ok(all) = self.sessions.acquire_many(self.sessions_max).await {
            all.forget();
        }
    }
}

/// Whether there is room for a new connection. Held as long as it lives.
#[derive(Debug)]
pub enum Admission {
    /// There is.
    Session(OwnedSemaphorePermit),
    /// There isn't: it may cancel a statement or be told so, and nothing else.
    Refusal(OwnedSemaphorePermit),
}

/// A new connection and the room it has.
#[derive(Debug)]
pub struct Accepted {
    /// The connection.
    pub stream: Stream,
    /// Its room.
    pub admission: Admission,
}

/// A bound socket.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    permits: Permits,
    keepalive: Duration,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

impl Listener {
    /// Binds. A socket file that nobody listens on any more is replaced.
    ///
    /// # Errors
    /// The address is no address, is taken, or isn't ours to take.
    pub async fn bind(options: &ListenerOptions, permits: Permits) -> io::Result<Self> {
        let socket = if options.address.contains('/') {
            let path = PathBuf::from(&options.address);
            Socket::Unix(bind_unix(&path).await?, path)
        } else {
            Socket::Tcp(bind_tcp(&options.address, options.backlog).await?)
        };
        Ok(Self { socket, permits, keepalive: options.keepalive })
    }

    /// The address that is listened on: with the port that the system chose, if it was 0.
    pub fn address(&self) -> io::Result<String> {
        match &self.socket {
            Socket::Tcp(socket) => socket.local_addr().map(|address| address.to_string()),
            Socket::Unix(_, path) => Ok(path.display().to_string()),
        }
    }

    /// Waits for the next connection. Safe to cancel; never fails: what can go wrong passes, and is
    /// waited for.
    pub async fn accept(&self) -> Accepted {
        let mut pause = PAUSE_MIN;
        loop {
            match self.accept_one().await {
                Ok(accepted) => return accepted,
                // The peer was gone before we came.
                Err(error) if is_of_one_connection(&error) => {}
                // No descriptor, no memory: trying again at once would only burn the processor.
                Err(error) => {
                    tracing::warn!(%error, "accepting connections fails, trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    async fn accept_one(&self) -> io::Result<Accepted> {
        // Taken first: who can't even be refused stays in the backlog.
        let refusal = self.permits.refusals.clone().acquire_owned().await;
        let refusal = refusal.map_err(io::Error::other)?;
        let stream = match &self.socket {
            Socket::Tcp(listener) => {
                let (socket, _) = listener.accept().await?;
                tune(&socket, self.keepalive)?;
                Stream::tcp(socket)?
            }
            Socket::Unix(listener, _) => Stream::unix(listener.accept().await?.0),
        };
        let admission = match self.permits.sessions.clone().try_acquire_owned() {
            Ok(permit) => Admission::Session(permit),
            Err(_) => Admission::Refusal(refusal),
        };
        Ok(Accepted { stream, admission })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Socket::Unix(_, path) = &self.socket {
            let _ = fs::remove_file(path);
        }
    }
}

const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// No delay, and probes: what every TCP connection of ours has, on both sides.
///
/// # Errors
/// The peer is gone already.
pub fn tune(socket: &TcpStream, keepalive: Duration) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let probes = TcpKeepalive::new()
        .with_time(keepalive)
        .with_interval(keepalive.min(Duration::from_secs(15)))
        .with_retries(3);
    SockRef::from(socket).set_tcp_keepalive(&probes)
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, NotConnected};
    // Setting options on a connection whose peer is gone says InvalidInput on some systems.
    matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionReset
            | Interrupted
            | NotConnected
            | io::ErrorKind::InvalidInput
    )
}

async fn bind_tcp(address: &str, backlog: u32) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address");
    for address in tokio::net::lookup_host(address).await? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // Sockets of the last run that wait for their end don't keep a restart from its port.
        socket.set_reuseaddr(true)?;
        match socket.bind(address).and_then(|()| socket.listen(backlog)) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    let stale = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
        && UnixStream::connect(path)
            .await
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    if stale {
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    // As Postgres does: who may connect is decided by the folder and by the log-in.
    fs::set_permissions(path, fs::Permissions::from_mode(0o777))?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    async fn listen(address: &str, sessions: u32) -> (Listener, Permits) {
        let permits = Permits::new(sessions);
        let listener =
            Listener::bind(&ListenerOptions::new(address), permits.clone()).await.expect("binds");
        (listener, permits)
    }

    #[tokio::test]
    async fn one_connection_too_many_is_told_so_and_room_comes_back() {
        let (listener, permits) = listen("127.0.0.1:0", 1).await;
        let address = listener.address().expect("has one");
        let connect = || TcpStream::connect(address.clone());
        let (_one, _two) = (connect().await.expect("connects"), connect().await.expect("connects"));
        let first = listener.accept().await;
        assert!(matches!(first.admission, Admission::Session(_)));
        assert!(matches!(listener.accept().await.admission, Admission::Refusal(_)));
        assert_eq!(permits.sessions(), 1);
        drop(first);
        let _three = connect().await.expect("connects");
        assert!(matches!(listener.accept().await.admission, Admission::Session(_)));
        permits.drained().await;
    }

    #[tokio::test]
    async fn a_stale_socket_file_is_replaced_and_a_live_one_is_not() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let path = folder.path().join("s").display().to_string();
        drop(std::os::unix::net::UnixListener::bind(&path).expect("binds"));
        let (listener, _) = listen(&path, 1).await;
        let again = Listener::bind(&ListenerOptions::new(&path), Permits::new(1)).await;
        assert!(again.is_err());
        let mut client = UnixStream::connect(&path).await.expect("connects");
        client.write_all(b"x").await.expect("writes");
        // The probe of the second bind comes first.
        listener.accept().await;
        assert_eq!(listener.accept().await.stream.peer(), super::super::Peer::Unix);
        drop(listener);
        assert!(!Path::new(&path).exists());
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let path = folder.path().join("notes").display().to_string();
        fs::write(&path, "mine").expect("writes");
        let bound = Listener::bind(&ListenerOptions::new(&path), Permits::new(1)).await;
        assert!(bound.is_err());
        assert_eq!(fs::read_to_string(&path).expect("reads"), "mine");
    }
}
