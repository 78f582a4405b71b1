//! One connection, raw or under TLS, as one type to read from and write to.
//!
//! Delegates and adds nothing: no buffer of its own but the bytes that were read before a TLS
//! handshake began, and those of a client that wants its packets compressed.

use std::{
    io,
    mem::MaybeUninit,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use rustls::pki_types::ServerName;
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{end_point, tls, zip::Zip};
use crate::wire::mysql::compression::Algorithm;

/// Who is at the other end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// Over TCP.
    Tcp(SocketAddr),
    /// Over a socket in the file system.
    Unix,
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}

/// A connection, raw or under TLS.
#[derive(Debug)]
pub struct Stream {
    inner: Inner,
    peer: Peer,
    end_point: Option<Box<[u8]>>,
    zip: Option<Box<Zip>>,
}

#[derive(Debug)]
enum Inner {
    Tcp(TcpStream),
    Unix(UnixStream),
    Server(Box<tokio_rustls::server::TlsStream<Replay>>),
    Client(Box<tokio_rustls::client::TlsStream<Replay>>),
}

/// A raw connection that first gives back what was already read from it.
#[derive(Debug)]
struct Replay {
    read: Vec<u8>,
    at: usize,
    raw: Raw,
}

#[derive(Debug)]
enum Raw {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Raw {
    fn socket(&self) -> SockRef<'_> {
        match self {
            Self::Tcp(socket) => SockRef::from(socket),
            Self::Unix(socket) => SockRef::from(socket),
        }
    }
}

/// A raw connection on its way from one runtime to another: each has its own reactor.
#[derive(Debug)]
pub struct Detached(Socket);

#[derive(Debug)]
enum Socket {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

impl Detached {
    /// Binds it to the runtime that this is called on.
    ///
    /// # Errors
    /// The peer is gone already, or the runtime takes no more.
    pub fn attach(self) -> io::Result<Stream> {
        match self.0 {
            Socket::Tcp(socket) => Stream::tcp(TcpStream::from_std(socket)?),
            Socket::Unix(socket) => UnixStream::from_std(socket).map(Stream::unix),
        }
    }
}

impl Stream {
    /// True if bytes have come that nobody has read yet, whether or not the runtime has noticed. Under
    /// TLS they may be part of a record.
    pub fn has_come(&self) -> bool {
        let socket = match &self.inner {
            Inner::Tcp(socket) => SockRef::from(socket),
            Inner::Unix(socket) => SockRef::from(socket),
            Inner::Server(tls) => tls.get_ref().0.raw.socket(),
            Inner::Client(tls) => tls.get_ref().0.raw.socket(),
        };
        let mut one = [MaybeUninit::uninit()];
        socket.peek(&mut one).is_ok_and(|count| count > 0)
    }

    /// Takes a raw connection off its runtime.
    ///
    /// # Errors
    /// The connection is under TLS already.
    pub fn detach(self) -> io::Result<Detached> {
        Ok(Detached(match self.into_raw()? {
            Raw::Tcp(socket) => Socket::Tcp(socket.into_std()?),
            Raw::Unix(socket) => Socket::Unix(socket.into_std()?),
        }))
    }

    /// A TCP connection.
    ///
    /// # Errors
    /// The peer is gone already.
    pub fn tcp(socket: TcpStream) -> io::Result<Self> {
        let peer = Peer::Tcp(socket.peer_addr()?);
        Ok(Self { inner: Inner::Tcp(socket), peer, end_point: None, zip: None })
    }

    /// A connection over a socket in the file system.
    pub fn unix(socket: UnixStream) -> Self {
        Self { inner: Inner::Unix(socket), peer: Peer::Unix, end_point: None, zip: None }
    }

    /// Does the server's part of a TLS handshake. `read` are the bytes of it that were read already;
    /// they must be its first.
    ///
    /// # Errors
    /// The handshake fails, or the connection is under TLS already. The connection is gone.
    pub async fn accept_tls(self, tls: &tls::Loaded, read: Vec<u8>) -> io::Result<Self> {
        let peer = self.peer;
        let raw = Replay { read, at: 0, raw: self.into_raw()? };
        let stream = TlsAcceptor::from(tls.config.clone()).accept(raw).await?;
        let end_point = tls.end_point.clone();
        Ok(Self { inner: Inner::Server(Box::new(stream)), peer, end_point, zip: None })
    }

    /// Does the client's part of a TLS handshake.
    ///
    /// # Errors
    /// As [`Stream::accept_tls`].
    pub async fn connect_tls(
        self,
        config: std::sync::Arc<rustls::ClientConfig>,
        name: ServerName<'static>,
    ) -> io::Result<Self> {
        let peer = self.peer;
        let raw = Replay { read: Vec::new(), at: 0, raw: self.into_raw()? };
        let stream = TlsConnector::from(config).connect(name, raw).await?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let end_point =
            certificate.and_then(|der| end_point::digest_of(der)).map(Vec::into_boxed_slice);
        Ok(Self { inner: Inner::Client(Box::new(stream)), peer, end_point, zip: None })
    }

    /// From now on everything is in compressed packets, in both directions. `read`: bytes of them that were
    /// read already.
    pub fn compress(&mut self, algorithm: Algorithm, read: Vec<u8>) {
        self.zip = Some(Box::new(Zip::new(algorithm, read)));
    }

    /// True if it is so.
    pub fn is_compressed(&self) -> bool {
        self.zip.is_some()
    }

    /// Who is at the other end.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// True under TLS.
    pub fn is_tls(&self) -> bool {
        match self.inner {
            Inner::Tcp(_) | Inner::Unix(_) => false,
            Inner::Server(_) | Inner::Client(_) => true,
        }
    }

    /// True if nobody on a network can listen: under TLS, or over a socket in the file system.
    pub fn is_private(&self) -> bool {
        self.is_tls() || self.peer == Peer::Unix
    }

    /// The digest of the server's certificate, for SCRAM-PLUS; `None` without TLS, and where the
    /// certificate's kind has none.
    pub fn end_point(&self) -> Option<&[u8]> {
        self.end_point.as_deref()
    }

    /// The TLS version and cipher, for the trail: `TLSv1_3 TLS13_AES_256_GCM_SHA384`.
    pub fn tls_description(&self) -> Option<String> {
        let (version, suite) = match &self.inner {
            Inner::Tcp(_) | Inner::Unix(_) => return None,
            Inner::Server(stream) => {
                let connection = stream.get_ref().1;
                (connection.protocol_version(), connection.negotiated_cipher_suite())
            }
            Inner::Client(stream) => {
                let connection = stream.get_ref().1;
                (connection.protocol_version(), connection.negotiated_cipher_suite())
            }
        };
        let version = version.and_then(|version| version.as_str().map(str::to_owned));
        let suite = suite.and_then(|s| s.suite().as_str().map(str::to_owned));
        Some([version, suite].into_iter().flatten().collect::<Vec<_>>().join(" "))
    }

    /// The protocol agreed on by ALPN.
    pub fn alpn(&self) -> Option<&[u8]> {
        match &self.inner {
            Inner::Tcp(_) | Inner::Unix(_) => None,
            Inner::Server(stream) => stream.get_ref().1.alpn_protocol(),
            Inner::Client(stream) => stream.get_ref().1.alpn_protocol(),
        }
    }

    fn into_raw(self) -> io::Result<Raw> {
        match self.inner {
            Inner::Tcp(socket) => Ok(Raw::Tcp(socket)),
            Inner::Unix(socket) => Ok(Raw::Unix(socket)),
            Inner::Server(_) | Inner::Client(_) => {
                Err(io::Error::other("the connection is under TLS already"))
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { inner, zip, .. } = self.get_mut();
        match zip {
            None => Pin::new(inner).poll_read(cx, buffer),
            Some(zip) => zip.poll_read(inner, cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Self { inner, zip, .. } = self.get_mut();
        match zip {
            None => Pin::new(inner).poll_write(cx, bytes),
            Some(zip) => zip.poll_write(inner, cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { inner, zip, .. } = self.get_mut();
        match zip {
            None => Pin::new(inner).poll_write_vectored(cx, slices),
            Some(zip) => {
                let first = slices.iter().find(|slice| !slice.is_empty());
                zip.poll_write(inner, cx, first.map_or(&[], |slice| &**slice))
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.zip.is_none() && self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { inner, zip, .. } = self.get_mut();
        match zip {
            None => Pin::new(inner).poll_flush(cx),
            Some(zip) => zip.poll_flush(inner, cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

/// The same call on whichever stream there is.
macro_rules! delegate {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Inner::Tcp(socket) => {
                let $stream = Pin::new(socket);
                $call
            }
            Inner::Unix(socket) => {
                let $stream = Pin::new(socket);
                $call
            }
            Inner::Server(stream) => {
                let $stream = Pin::new(stream.as_mut());
                $call
            }
            Inner::Client(stream) => {
                let $stream = Pin::new(stream.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for Inner {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        delegate!(self, stream => stream.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Inner {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        delegate!(self, stream => stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        delegate!(self, stream => stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Inner::Tcp(socket) => socket.is_write_vectored(),
            Inner::Unix(socket) => socket.is_write_vectored(),
            Inner::Server(stream) => stream.is_write_vectored(),
            Inner::Client(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, stream => stream.poll_shutdown(cx))
    }
}

/// The same call on whichever raw connection there is.
macro_rules! delegate_raw {
    ($self:ident, $stream:ident => $call:expr) => {
        match &mut $self.get_mut().raw {
            Raw::Tcp(socket) => {
                let $stream = Pin::new(socket);
                $call
            }
            Raw::Unix(socket) => {
                let $stream = Pin::new(socket);
                $call
            }
        }
    };
}

impl AsyncRead for Replay {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = self.read.get(self.at..).unwrap_or_default();
        if !left.is_empty() {
            let taken = left.len().min(buffer.remaining());
            buffer.put_slice(left.get(..taken).unwrap_or_default());
            self.at += taken;
            if self.at == self.read.len() {
                self.read = Vec::new();
                self.at = 0;
            }
            return Poll::Ready(Ok(()));
        }
        delegate_raw!(self, raw => raw.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Replay {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        delegate_raw!(self, raw => raw.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        delegate_raw!(self, raw => raw.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate_raw!(self, raw => raw.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate_raw!(self, raw => raw.poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::net::tls::{ClientTls, ClientTlsOptions, ServerTls, ServerTlsOptions, TlsMode};

    fn pair() -> (Stream, Stream) {
        let (left, right) = UnixStream::pair().expect("makes a pair");
        (Stream::unix(left), Stream::unix(right))
    }

    #[tokio::test]
    async fn bytes_read_before_the_handshake_belong_to_it() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let options = ServerTlsOptions { certificate: None, data_dir: folder.path().to_owned() };
        let server_tls = ServerTls::open(options).expect("opens");
        let client_tls = ClientTls::load(&ClientTlsOptions {
            mode: TlsMode::Require,
            ..ClientTlsOptions::default()
        })
        .expect("loads");
        let (client, mut server) = pair();
        let name = ServerName::try_from("localhost").expect("is a name");
        let config = client_tls.config().expect("has one");
        let client = tokio::spawn(async move {
            let mut client = client.connect_tls(config, name).await?;
            client.write_all(b"hello").await?;
            client.flush().await?;
            Ok::<_, io::Error>(client)
        });
        let mut read = vec![0; 16];
        server.read_exact(&mut read).await.expect("reads");
        assert_eq!(read[0], 0x16, "a TLS handshake begins");
        let mut server = server.accept_tls(&server_tls.current(), read).await.expect("accepts");
        let mut hello = [0; 5];
        server.read_exact(&mut hello).await.expect("reads");
        assert_eq!(&hello, b"hello");
        let client = client.await.expect("runs").expect("connects");
        assert!(server.is_tls() && server.end_point().is_some());
        assert_eq!(server.end_point(), client.end_point());
        assert_eq!(client.alpn(), Some(&b"postgresql"[..]));
        assert!(server.tls_description().is_some_and(|text| text.starts_with("TLSv1_3 ")));
    }
}
