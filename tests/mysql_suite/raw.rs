//! A client of MySQL that says exactly what a test wants it to.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use hallpass::wire::mysql::{
    Capabilities,
    auth::CACHING_SHA2,
    capability,
    greeting::{Greeting, Nonce},
    login::{Challenge, LogIn},
    packet,
    reply::ErrPacket,
    response::{Kind, Reply, Response},
    row::TextRow,
};
use mysql_common::auth::plugins::caching_sha2_password::scramble_sha256;

use crate::{
    client::Pair,
    support::{PATIENCE, gateway::TARGET, mysql::SCHEMA},
};

/// A row of text cells.
pub(crate) type Row = Vec<Option<String>>;

/// An error's number and what it says.
pub(crate) type Failed = (u16, String);

/// A connection.
pub(crate) struct Raw {
    stream: TcpStream,
    pub(crate) capabilities: Capabilities,
    pub(crate) greeting: Greeting,
    /// The proof that it has logged in by.
    pub(crate) proof: Vec<u8>,
}

impl Raw {
    /// Logs in at the gateway.
    pub(crate) fn connect(pair: &Pair, principal: &str, secret: &str) -> Self {
        let taken = Capabilities::MYSQL | Capabilities::TRANSACTIONS | Capabilities::LOCAL_FILES;
        Self::connect_with(pair, (principal, secret), taken).expect("it logs in")
    }

    /// The same, with these capabilities besides those that every log-in needs.
    pub(crate) fn connect_with(
        pair: &Pair,
        who: (&str, &str),
        taken: Capabilities,
    ) -> Result<Self, Failed> {
        Self::connect_by(pair, who, (taken, 45))
    }

    /// A connection that has been greeted.
    pub(crate) fn open(pair: &Pair) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", pair.gateway.port())).expect("connects");
        stream.set_read_timeout(Some(PATIENCE)).expect("may be set");
        stream.set_nodelay(true).expect("may be set");
        let greeting = Greeting {
            version: Vec::new(),
            connection: 0,
            nonce: [0; 20],
            capabilities: Capabilities::NONE,
            collation: 0,
            status: 0,
            method: Vec::new(),
        };
        let capabilities = Capabilities::NONE;
        let mut raw = Self { stream, capabilities, greeting, proof: Vec::new() };
        let (_, first) = raw.receive().expect("a greeting");
        raw.greeting = Greeting::read(&first).expect("a greeting");
        raw
    }

    /// The same, with the number of a collation too.
    pub(crate) fn connect_by(
        pair: &Pair,
        (principal, secret): (&str, &str),
        (taken, collation): (Capabilities, u8),
    ) -> Result<Self, Failed> {
        let mut raw = Self::open(pair);
        let needed = capability::NEEDED | Capabilities::CONNECT_WITH_DB;
        // MariaDB's own count where neither side says that it is MySQL.
        let own = if taken.of_mariadb() == 0 { Capabilities::MYSQL } else { Capabilities::NONE };
        raw.capabilities = ((taken | needed) & raw.greeting.capabilities) | own;
        raw.proof = proof(&raw.greeting.nonce, secret);
        let log_in = LogIn {
            capabilities: raw.capabilities,
            packet_max: 1 << 30,
            collation,
            user: format!("{principal}@{TARGET}").into_bytes(),
            proof: raw.proof.clone(),
            schema: Some(SCHEMA.as_bytes().to_vec()),
            method: CACHING_SHA2.as_bytes().to_vec(),
            attributes: Vec::new(),
        };
        let mut out = Vec::new();
        log_in.write(&mut out, 1);
        raw.write(&out);
        raw.accepted(secret)?;
        Ok(raw)
    }

    /// Whatever comes until nothing has come for so long.
    pub(crate) fn drain(&mut self, quiet: Duration) -> Vec<u8> {
        self.stream.set_read_timeout(Some(quiet)).expect("may be set");
        let (mut all, mut buffer) = (Vec::new(), [0; 8192]);
        while let Ok(count @ 1..) = self.stream.read(&mut buffer) {
            all.extend_from_slice(&buffer[..count]);
        }
        self.stream.set_read_timeout(Some(PATIENCE)).expect("may be set");
        all
    }

    /// Answers challenges until the log-in is over.
    pub(crate) fn accepted(&mut self, secret: &str) -> Result<(), Failed> {
        loop {
            let (sequence, payload) = self.receive().map_err(|error| gone(&error))?;
            match Challenge::read(&payload).expect("a challenge") {
                Challenge::Accepted => return Ok(()),
                Challenge::Refused => return Err(failed(&payload)),
                Challenge::More(_) => {}
                Challenge::Switch { data, .. } => {
                    let nonce: Nonce = data.try_into().expect("twenty bytes");
                    self.send(sequence + 1, &proof(&nonce, secret));
                }
            }
        }
    }

    /// Sends bytes as they are.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("is sent");
    }

    /// Sends a command to a gateway that may be gone.
    pub(crate) fn try_send(&mut self, payload: &[u8]) -> io::Result<()> {
        let mut out = Vec::new();
        packet::put(&mut out, 0, |out| out.extend_from_slice(payload));
        self.stream.write_all(&out)
    }

    /// Sends a payload.
    pub(crate) fn send(&mut self, sequence: u8, payload: &[u8]) {
        let mut out = Vec::new();
        packet::put(&mut out, sequence, |out| out.extend_from_slice(payload));
        self.write(&out);
    }

    /// The next payload, and the sequence number of its last packet.
    pub(crate) fn receive(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut whole = Vec::new();
        loop {
            let mut header = [0; packet::HEADER_LENGTH];
            self.stream.read_exact(&mut header)?;
            let header = packet::Header::read(&header).expect("four bytes");
            let start = whole.len();
            whole.resize(start + header.length, 0);
            self.stream.read_exact(&mut whole[start..])?;
            if !header.is_continued() {
                return Ok((header.sequence, whole));
            }
        }
    }

    /// Sends a command and takes its answer.
    pub(crate) fn command(&mut self, payload: &[u8], kind: Kind) -> Result<Vec<Row>, Failed> {
        self.send(0, payload);
        self.answer(kind)
    }

    /// Takes an answer: the rows of all its results, in text.
    pub(crate) fn answer(&mut self, kind: Kind) -> Result<Vec<Row>, Failed> {
        let mut response = Response::new(kind, 1, self.capabilities);
        let (mut rows, mut columns) = (Vec::new(), 0);
        while !response.is_over() {
            let first = response.next();
            let (last, payload) = self.receive().map_err(|error| gone(&error))?;
            let reply = response.take_joined(&payload, (first, last.wrapping_add(1)));
            match reply.unwrap_or_else(|error| panic!("{error}: {payload:?}")) {
                Reply::Begins(count) => columns = count,
                Reply::Failed(_) => return Err(failed(&payload)),
                Reply::Row => {
                    let mut cells = TextRow::new(&payload);
                    let mut row = Row::new();
                    for _ in 0..columns {
                        let cell = cells.cell().expect("a cell");
                        row.push(cell.map(|cell| String::from_utf8_lossy(cell).into_owned()));
                    }
                    rows.push(row);
                }
                Reply::Prepared(head) => rows.push(vec![Some(head.statement.to_string())]),
                Reply::Column(_)
                | Reply::ColumnsEnd(_)
                | Reply::Parameter(_)
                | Reply::RowsEnd(_)
                | Reply::Done(_)
                | Reply::LocalFile(_)
                | Reply::Line(_) => {}
            }
        }
        Ok(rows)
    }

    /// Runs a text.
    pub(crate) fn query(&mut self, text: &str) -> Result<Vec<Row>, Failed> {
        self.command(&[b"\x03", text.as_bytes()].concat(), Kind::Result)
    }

    /// The only value that a text gives.
    pub(crate) fn value(&mut self, text: &str) -> String {
        let rows = self.query(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        rows[0][0].clone().unwrap_or_else(|| "NULL".to_owned())
    }

    /// True if the gateway has closed the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.receive().is_err()
    }
}

/// A proof over a nonce.
pub(crate) fn proof(nonce: &Nonce, secret: &str) -> Vec<u8> {
    scramble_sha256(nonce, secret.as_bytes()).expect("a secret").to_vec()
}

fn failed(payload: &[u8]) -> Failed {
    let error = ErrPacket::read(payload).expect("an error");
    (error.number, String::from_utf8_lossy(error.message).into_owned())
}

fn gone(error: &io::Error) -> Failed {
    (0, format!("the connection is gone: {error}"))
}
