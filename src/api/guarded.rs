//! Who may hold a connection to the HTTP listener, how many and for how long. There is no log-in before
//! it, and what is behind it answers at once from memory: so nobody needs many, or time.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::serve::Listener;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep},
};

use crate::{
    net::stream::Peer,
    session::doorstep::{Doorstep, Standing},
};

/// Connections in all.
const CONNECTIONS_MAX: usize = 256;
/// Connections from one address.
const CONNECTIONS_PER_ADDRESS_MAX: usize = 32;
/// How long a request may take to come, and its answer to be taken; how long a connection may wait for
/// its next request.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest request, in bytes.
const REQUEST_BYTES_MAX: usize = 16 << 10;

/// A socket whose connections from elsewhere, and those that are too many, are closed before a byte is
/// read.
pub struct Guarded {
    socket: TcpListener,
    allowed: Box<dyn Fn(SocketAddr) -> bool + Send>,
    room: Arc<Semaphore>,
    doorstep: Arc<Doorstep>,
}

impl Guarded {
    /// Takes connections from where `allowed` says yes.
    pub fn new(socket: TcpListener, allowed: Box<dyn Fn(SocketAddr) -> bool + Send>) -> Self {
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Self { socket, allowed, room, doorstep: Arc::default() }
    }

    fn admit(&self, peer: SocketAddr) -> Result<Place, &'static str> {
        if !(self.allowed)(peer) {
            return Err("not from an allowed address");
        }
        let standing = self.doorstep.enter(Peer::Tcp(peer), CONNECTIONS_PER_ADDRESS_MAX);
        let standing = standing.ok_or("too many connections of one address")?;
        let room = Arc::clone(&self.room).try_acquire_owned();
        let room = room.map_err(|_| "too many connections")?;
        Ok(Place { _room: room, _standing: standing })
    }
}

impl Listener for Guarded {
    type Io = Brief<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Brief<TcpStream>, SocketAddr) {
        loop {
            let (stream, peer) = Listener::accept(&mut self.socket).await;
            match self.admit(peer) {
                Ok(place) => return (Brief::new(stream, Some(place), PATIENCE), peer),
                Err(why) => tracing::debug!(%peer, "{why}"),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// A connection's room among the others.
struct Place {
    _room: OwnedSemaphorePermit,
    _standing: Standing,
}

/// A connection that ends when a request takes too long to come or is too long, or when nobody takes
/// its answer.
pub struct Brief<S> {
    stream: S,
    _place: Option<Place>,
    patience: Duration,
    /// When it ends, unless an answer begins before that.
    end: Pin<Box<Sleep>>,
    /// Bytes read since the last answer.
    read: usize,
    answers: bool,
}

impl<S> Brief<S> {
    fn new(stream: S, place: Option<Place>, patience: Duration) -> Self {
        let end = Box::pin(sleep(patience));
        Self { stream, _place: place, patience, end, read: 0, answers: false }
    }

    fn is_late(&mut self, cx: &mut Context<'_>) -> Result<(), io::Error> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Brief<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.is_late(cx)?;
        if this.read > REQUEST_BYTES_MAX {
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
        this.answers = false;
        this.read += buffer.filled().len() - before;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Brief<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.is_late(cx)?;
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, bytes))?;
        // The first piece of an answer: the request was whole. A reader who takes the rest piece by
        // piece gains no time by it.
        if !std::mem::replace(&mut this.answers, true) {
            this.read = 0;
            this.end.as_mut().reset(Instant::now() + this.patience);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.is_late(cx)?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    fn pair(patience: Duration) -> (Brief<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(64 << 10);
        (Brief::new(ours, None, patience), theirs)
    }

    #[tokio::test]
    async fn a_request_is_whole_in_time_and_an_answer_gives_time_for_the_next() {
        let (mut ours, mut theirs) = pair(Duration::from_secs(1));
        for _ in 0..5 {
            sleep(Duration::from_millis(250)).await;
            theirs.write_all(b"a request").await.expect("room");
            ours.read_exact(&mut [0; 9]).await.expect("in time");
            ours.write_all(b"an answer").await.expect("in time");
        }
        // Byte by byte it takes no longer.
        let late = loop {
            sleep(Duration::from_millis(50)).await;
            theirs.write_all(b"x").await.expect("room");
            if let Err(error) = ours.read_exact(&mut [0; 1]).await {
                break error;
            }
        };
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn an_answer_that_nobody_takes_ends_the_connection() {
        let (mut ours, _theirs) = pair(Duration::from_millis(200));
        let late = ours.write_all(&vec![0; 100 << 10]).await.expect_err("nobody reads");
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_request_has_an_end() {
        let (mut ours, mut theirs) = pair(PATIENCE);
        theirs.write_all(&vec![b'x'; REQUEST_BYTES_MAX + 1]).await.expect("room");
        let mut kept = Vec::new();
        let error = ours.read_to_end(&mut kept).await.expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
