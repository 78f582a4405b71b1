//! A client that speaks Postgres messages and keeps every one that comes back, so that the same
//! conversation can be held with the server and with the gateway and compared message by message.
//!
//! It blocks, and gives up after [`PATIENCE`]. Nothing is interpreted that a test could want to see.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use super::{PATIENCE, scram, tls};

/// Protocol 3.0 as the startup message says it.
pub const PROTOCOL_3_0: i32 = 196_608;
/// Protocol 3.2: long cancel keys.
pub const PROTOCOL_3_2: i32 = 196_610;
const SSL_REQUEST: i32 = 80_877_103;
const GSSENC_REQUEST: i32 = 80_877_104;
const CANCEL_REQUEST: i32 = 80_877_102;

/// One message from the server: its tag and its body without the length.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The tag byte.
    pub tag: u8,
    /// Everything after the length.
    pub body: Vec<u8>,
}

impl Message {
    /// The fields of an ErrorResponse or NoticeResponse by their letters.
    pub fn fields(&self) -> BTreeMap<char, String> {
        self.body
            .split(|b| *b == 0)
            .filter_map(|field| {
                let (code, text) = field.split_first()?;
                Some((char::from(*code), String::from_utf8_lossy(text).into_owned()))
            })
            .collect()
    }

    /// One field of an error or notice, empty if it isn't there.
    pub fn field(&self, code: char) -> String {
        self.fields().remove(&code).unwrap_or_default()
    }

    /// The values of a DataRow; `None` is NULL.
    pub fn values(&self) -> Vec<Option<Vec<u8>>> {
        assert_eq!(self.tag, b'D', "{self:?}");
        let mut rest = &self.body[2..];
        let mut values = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            match usize::try_from(i32::from_be_bytes(*length)) {
                Ok(length) => {
                    values.push(Some(after[..length].to_vec()));
                    rest = &after[length..];
                }
                Err(_) => {
                    values.push(None);
                    rest = after;
                }
            }
        }
        values
    }

    /// The text before the first NUL: the tag of a CommandComplete.
    pub fn text(&self) -> String {
        let end = self.body.iter().position(|b| *b == 0).unwrap_or(self.body.len());
        String::from_utf8_lossy(&self.body[..end]).into_owned()
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", char::from(self.tag), self.body.escape_ascii())
    }
}

/// The tags of a conversation as one word, `TDDCZ`: short to compare, short to read.
pub fn tags(messages: &[Message]) -> String {
    messages.iter().map(|m| char::from(m.tag)).collect()
}

/// The first error among messages.
pub fn error(messages: &[Message]) -> Option<&Message> {
    messages.iter().find(|m| m.tag == b'E')
}

/// The text values of all rows, NULL as `∅`.
pub fn rows(messages: &[Message]) -> Vec<Vec<String>> {
    let text = |value: Option<Vec<u8>>| match value {
        Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        None => "∅".to_owned(),
    };
    messages
        .iter()
        .filter(|m| m.tag == b'D')
        .map(|m| m.values().into_iter().map(text).collect())
        .collect()
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<tls::TlsStream>),
}

impl Stream {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => &tls.sock,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(into),
            Self::Tls(tls) => tls.read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

/// One connection.
pub struct RawClient {
    address: String,
    stream: Stream,
    received: Vec<u8>,
    /// What ParameterStatus messages have said so far.
    pub parameters: BTreeMap<String, String>,
    /// Body of BackendKeyData: process id and secret.
    pub key: Vec<u8>,
    /// Every message received so far, log-in included.
    pub record: Vec<Message>,
}

impl RawClient {
    /// Connects a socket and says nothing yet.
    pub fn open(address: &str) -> Self {
        let tcp = TcpStream::connect(address)
            .unwrap_or_else(|error| panic!("nobody listens on {address}: {error}"));
        Self::over(tcp, address)
    }

    /// The same from another of this machine's addresses, `127.0.0.2` and the like.
    pub fn open_from(from: [u8; 4], address: &str) -> Self {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)
            .expect("a socket");
        socket.bind(&SocketAddr::from((from, 0)).into()).expect("an address of this machine");
        let to: SocketAddr = address.parse().expect("an address");
        socket.connect(&to.into()).expect("somebody listens");
        Self::over(socket.into(), address)
    }

    fn over(tcp: TcpStream, address: &str) -> Self {
        tcp.set_nodelay(true).expect("a socket option");
        tcp.set_read_timeout(Some(PATIENCE)).expect("a socket option");
        Self {
            address: address.to_owned(),
            stream: Stream::Plain(tcp),
            received: Vec::new(),
            parameters: BTreeMap::new(),
            key: Vec::new(),
            record: Vec::new(),
        }
    }

    /// Logs in with protocol 3.0 and waits until the session is ready.
    pub fn connect(address: &str, user: &str, password: &str, database: &str) -> Self {
        let mut client = Self::open(address);
        client.startup(PROTOCOL_3_0, &[("user", user), ("database", database)]);
        if let Err(refusal) = client.login(password) {
            panic!("log-in of {user} to {database} at {address} was refused: {refusal:?}");
        }
        client
    }

    /// Asks for TLS; `Err` holds the server's answer if it isn't yes.
    pub fn start_tls(self) -> Result<Self, u8> {
        let mut client = self;
        client.send_bytes(&request(SSL_REQUEST));
        match client.read_byte() {
            b'S' => Ok(client.shake_hands(&[])),
            other => Err(other),
        }
    }

    /// TLS from the first byte, with the ALPN name Postgres 17 wants.
    pub fn direct_tls(self, alpn: &[&str]) -> Self {
        self.shake_hands(alpn)
    }

    fn shake_hands(mut self, alpn: &[&str]) -> Self {
        let Stream::Plain(tcp) = self.stream else { panic!("TLS inside TLS") };
        let stream = tls::connect(tcp, alpn).expect("the handshake succeeds");
        self.stream = Stream::Tls(Box::new(stream));
        self
    }

    /// The ALPN name that was agreed on.
    pub fn alpn(&self) -> Option<Vec<u8>> {
        match &self.stream {
            Stream::Plain(_) => None,
            Stream::Tls(tls) => tls.conn.alpn_protocol().map(<[u8]>::to_vec),
        }
    }

    /// Asks for GSS encryption; the one byte that comes back.
    pub fn request_gss(&mut self) -> u8 {
        self.send_bytes(&request(GSSENC_REQUEST));
        self.read_byte()
    }

    /// The startup message.
    pub fn startup(&mut self, protocol: i32, parameters: &[(&str, &str)]) {
        let mut body = protocol.to_be_bytes().to_vec();
        for (name, value) in parameters {
            put_text(&mut body, name);
            put_text(&mut body, value);
        }
        body.push(0);
        let mut bytes = length_of(&body).to_vec();
        bytes.extend_from_slice(&body);
        self.send_bytes(&bytes);
    }

    /// Answers whatever authentication is asked for until the session is ready; `Err` is the
    /// server's refusal.
    pub fn login(&mut self, password: &str) -> Result<(), Message> {
        let mut exchange = scram::Exchange::new(password, "hallpass+test+nonce/0001");
        self.login_with(&mut exchange, "SCRAM-SHA-256", password)
    }

    /// The same with SCRAM-SHA-256-PLUS, over TLS.
    pub fn login_bound(&mut self, password: &str) -> Result<(), Message> {
        let Stream::Tls(tls) = &self.stream else { panic!("channel binding needs TLS") };
        let hash = tls::certificate_hash(tls);
        let mut exchange = scram::Exchange::bound(password, "hallpass+test+nonce/0002", hash);
        self.login_with(&mut exchange, "SCRAM-SHA-256-PLUS", password)
    }

    fn login_with(
        &mut self,
        exchange: &mut scram::Exchange,
        mechanism: &str,
        password: &str,
    ) -> Result<(), Message> {
        loop {
            let message = self.read();
            match message.tag {
                b'E' => return Err(message),
                b'Z' => return Ok(()),
                b'R' => {}
                _ => continue,
            }
            let (kind, rest) = message.body.split_first_chunk::<4>().expect("a kind");
            let rest = String::from_utf8_lossy(rest).into_owned();
            match i32::from_be_bytes(*kind) {
                0 => {}
                3 => {
                    let mut body = Vec::new();
                    put_text(&mut body, password);
                    self.send(b'p', &body);
                }
                10 => {
                    let offered: Vec<&str> = rest.split_terminator('\0').collect();
                    assert!(offered.contains(&mechanism), "{mechanism} isn't offered: {offered:?}");
                    let first = exchange.first();
                    let mut body = Vec::new();
                    put_text(&mut body, mechanism);
                    body.extend_from_slice(&length(first.len()));
                    body.extend_from_slice(first.as_bytes());
                    self.send(b'p', &body);
                }
                11 => {
                    let last = exchange.last(&rest);
                    self.send(b'p', last.as_bytes());
                }
                12 => assert!(exchange.confirms(&rest), "the server's signature is wrong: {rest}"),
                other => panic!("authentication of kind {other} is asked for"),
            }
        }
    }

    /// Sends a message with its tag and length.
    pub fn send(&mut self, tag: u8, body: &[u8]) {
        self.send_bytes(&frame(tag, body));
    }

    /// Sends bytes as they are: several messages in one packet, half a message, nonsense.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the peer takes what is sent");
        self.stream.flush().expect("the peer takes what is sent");
    }

    /// Sends bytes to a peer that may have hung up already.
    pub fn try_send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Waits for the next message.
    pub fn read(&mut self) -> Message {
        match self.try_read() {
            Ok(Some(message)) => message,
            Ok(None) => panic!("the peer hung up; before that: {:?}", self.last_words()),
            Err(error) => panic!("no message: {error}; before that: {:?}", self.last_words()),
        }
    }

    /// Waits for the next message; `None` if the peer hung up.
    pub fn try_read(&mut self) -> io::Result<Option<Message>> {
        loop {
            if let Some(message) = self.take_message() {
                self.note(&message);
                self.record.push(message.clone());
                return Ok(Some(message));
            }
            let mut chunk = [0; 16_384];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Ok(None),
                Ok(count) => self.received.extend_from_slice(&chunk[..count]),
                Err(e) if e.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(e) => return Err(e),
            }
        }
    }

    fn take_message(&mut self) -> Option<Message> {
        let (tag, rest) = self.received.split_first()?;
        let (size, _) = rest.split_first_chunk::<4>()?;
        let end = 1 + usize::try_from(i32::from_be_bytes(*size)).expect("a length");
        if self.received.len() < end {
            return None;
        }
        let message = Message { tag: *tag, body: self.received[5..end].to_vec() };
        self.received.drain(..end);
        Some(message)
    }

    fn note(&mut self, message: &Message) {
        match message.tag {
            b'S' => {
                let mut parts = message.body.split(|b| *b == 0);
                let mut next =
                    || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
                self.parameters.insert(next(), next());
            }
            b'K' => self.key.clone_from(&message.body),
            _ => {}
        }
    }

    /// Reads up to and including the first message with this tag.
    pub fn read_until(&mut self, tag: u8) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            let message = self.read();
            let found = message.tag == tag;
            messages.push(message);
            if found {
                return messages;
            }
        }
    }

    /// Sends a simple Query and reads up to ReadyForQuery.
    pub fn query(&mut self, text: &str) -> Vec<Message> {
        self.send_bytes(&query(text));
        self.read_until(b'Z')
    }

    /// Sends messages in one packet and reads until as many ReadyForQuery have come.
    pub fn exchange(&mut self, packet: &[Vec<u8>], readies: usize) -> Vec<Message> {
        self.send_bytes(&packet.concat());
        (0..readies).flat_map(|_| self.read_until(b'Z')).collect()
    }

    /// Another hand on the same socket, for who reads while somebody else writes. Not under TLS.
    pub fn second_hand(&self) -> TcpStream {
        let Stream::Plain(tcp) = &self.stream else { panic!("TLS has one hand") };
        let hand = tcp.try_clone().expect("a second descriptor");
        hand.set_read_timeout(None).expect("a socket option");
        hand
    }

    /// Writing fails when the peer has taken nothing for this long.
    pub fn gives_up_writing_after(&self, time: Duration) {
        self.stream.tcp().set_write_timeout(Some(time)).expect("a socket option");
    }

    /// How long a read waits from now on.
    pub fn wait_at_most(&self, time: Duration) {
        self.stream.tcp().set_read_timeout(Some(time)).expect("a socket option");
    }

    /// True if nothing arrives for this long.
    pub fn is_silent_for(&mut self, time: Duration) -> bool {
        if !self.received.is_empty() {
            return false;
        }
        let tcp = self.stream.tcp();
        tcp.set_read_timeout(Some(time)).expect("a socket option");
        let silent = match tcp.peek(&mut [0; 1]) {
            Ok(count) => count == 0,
            Err(e) => matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
        };
        tcp.set_read_timeout(Some(PATIENCE)).expect("a socket option");
        silent
    }

    /// True if the peer hangs up before it says anything more than these tags.
    pub fn ends_after(&mut self, allowed: &[u8]) -> bool {
        loop {
            match self.try_read() {
                Ok(None) => return true,
                Ok(Some(message)) if allowed.contains(&message.tag) => {}
                Ok(Some(_)) | Err(_) => return false,
            }
        }
    }

    /// Cancels this session's statement over a connection of its own, as `PQcancel` does.
    pub fn cancel(&self) {
        let mut other = Self::open(&self.address);
        other.send_bytes(&cancel_request(&self.key));
        assert!(matches!(other.try_read(), Ok(None)), "nothing is answered to a cancel request");
    }

    /// Says goodbye and waits for the peer to hang up.
    pub fn terminate(mut self) {
        drop(self.try_send_bytes(&frame(b'X', &[])));
        assert!(matches!(self.try_read(), Ok(None)), "nothing is answered to Terminate");
    }

    /// Drops the connection without a word.
    pub fn vanish(self) {
        drop(self.stream.tcp().shutdown(Shutdown::Both));
    }

    fn read_byte(&mut self) -> u8 {
        let mut byte = [0];
        self.stream.read_exact(&mut byte).expect("one byte");
        byte[0]
    }

    fn last_words(&self) -> &[Message] {
        &self.record[self.record.len().saturating_sub(5)..]
    }
}

/// Query.
pub fn query(text: &str) -> Vec<u8> {
    let mut body = Vec::new();
    put_text(&mut body, text);
    frame(b'Q', &body)
}

/// Parse.
pub fn parse(name: &str, text: &str, types: &[u32]) -> Vec<u8> {
    let mut body = Vec::new();
    put_text(&mut body, name);
    put_text(&mut body, text);
    body.extend_from_slice(&count(types.len()));
    for oid in types {
        body.extend_from_slice(&oid.to_be_bytes());
    }
    frame(b'P', &body)
}

/// Bind with text parameters (`None` is NULL) and one format for all results: 0 text, 1 binary.
pub fn bind(portal: &str, statement: &str, values: &[Option<&str>], result_format: i16) -> Vec<u8> {
    let formats: &[i16] = &[result_format];
    bind_mixed(portal, statement, &values.iter().map(|v| (0, *v)).collect::<Vec<_>>(), formats)
}

/// Bind with a format for each parameter and each result column.
pub fn bind_mixed(
    portal: &str,
    statement: &str,
    values: &[(i16, Option<&str>)],
    result_formats: &[i16],
) -> Vec<u8> {
    let mut body = Vec::new();
    put_text(&mut body, portal);
    put_text(&mut body, statement);
    body.extend_from_slice(&count(values.len()));
    for (format, _) in values {
        body.extend_from_slice(&format.to_be_bytes());
    }
    body.extend_from_slice(&count(values.len()));
    for (_, value) in values {
        match value {
            None => body.extend_from_slice(&(-1_i32).to_be_bytes()),
            Some(text) => {
                body.extend_from_slice(&length(text.len()));
                body.extend_from_slice(text.as_bytes());
            }
        }
    }
    body.extend_from_slice(&count(result_formats.len()));
    for format in result_formats {
        body.extend_from_slice(&format.to_be_bytes());
    }
    frame(b'B', &body)
}

/// Describe of a statement (`b'S'`) or a portal (`b'P'`).
pub fn describe(kind: u8, name: &str) -> Vec<u8> {
    frame(b'D', &[&[kind], name.as_bytes(), b"\0"].concat())
}

/// Execute; at most so many rows, 0 for all.
pub fn execute(portal: &str, rows: i32) -> Vec<u8> {
    frame(b'E', &[portal.as_bytes(), b"\0", &rows.to_be_bytes()].concat())
}

/// Close of a statement (`b'S'`) or a portal (`b'P'`).
pub fn close(kind: u8, name: &str) -> Vec<u8> {
    frame(b'C', &[&[kind], name.as_bytes(), b"\0"].concat())
}

/// Sync.
pub fn sync() -> Vec<u8> {
    frame(b'S', &[])
}

/// Flush.
pub fn flush() -> Vec<u8> {
    frame(b'H', &[])
}

/// CopyData.
pub fn copy_data(bytes: &[u8]) -> Vec<u8> {
    frame(b'd', bytes)
}

/// CopyDone.
pub fn copy_done() -> Vec<u8> {
    frame(b'c', &[])
}

/// CopyFail.
pub fn copy_fail(reason: &str) -> Vec<u8> {
    frame(b'f', &[reason.as_bytes(), b"\0"].concat())
}

/// CancelRequest with a key as BackendKeyData gave it.
pub fn cancel_request(key: &[u8]) -> Vec<u8> {
    let body = [&CANCEL_REQUEST.to_be_bytes(), key].concat();
    [&length_of(&body), body.as_slice()].concat()
}

/// Any message: tag, length, body.
pub fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend_from_slice(&length_of(body));
    bytes.extend_from_slice(body);
    bytes
}

fn request(code: i32) -> Vec<u8> {
    [8_i32.to_be_bytes(), code.to_be_bytes()].concat()
}

fn length_of(body: &[u8]) -> [u8; 4] {
    length(body.len() + 4)
}

fn length(size: usize) -> [u8; 4] {
    i32::try_from(size).expect("below 2 GiB").to_be_bytes()
}

fn count(size: usize) -> [u8; 2] {
    u16::try_from(size).expect("below 65,536").to_be_bytes()
}

fn put_text(body: &mut Vec<u8>, text: &str) {
    body.extend_from_slice(text.as_bytes());
    body.push(0);
}
