//! A client of MySQL and MariaDB that speaks packets and keeps every byte that comes: written from the
//! protocol's description alone, so that nothing of the gateway's own reading is taken on trust.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use super::PATIENCE;

/// What came in answer to one command: every packet's payload, in order.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The payloads.
    pub packets: Vec<Vec<u8>>,
}

/// A result set as it came: what its columns are called, and the payloads of its rows.
#[derive(Clone, Debug, Default)]
pub struct ResultSet {
    /// The columns' names.
    pub names: Vec<Vec<u8>>,
    /// Each row's payload.
    pub rows: Vec<Vec<u8>>,
}

impl Answer {
    /// The first error: its number and text.
    pub fn error(&self) -> Option<(u16, String)> {
        let error = self.packets.iter().find(|p| p.first() == Some(&0xff) && p.len() >= 3)?;
        let number = u16::from_le_bytes([error[1], error[2]]);
        Some((number, String::from_utf8_lossy(&error[3..]).into_owned()))
    }

    /// The bytes of all packets, one after another.
    pub fn bytes(&self) -> Vec<u8> {
        self.packets.concat()
    }
}

/// A connection.
pub struct MySqlRaw {
    stream: TcpStream,
    sequence: u8,
}

const LONG_PASSWORD: u32 = 1;
const CONNECT_WITH_DB: u32 = 8;
const PROTOCOL_41: u32 = 0x200;
const TRANSACTIONS: u32 = 0x2000;
const SECURE_CONNECTION: u32 = 0x8000;
const MULTI_STATEMENTS: u32 = 0x1_0000;
const MULTI_RESULTS: u32 = 0x2_0000;
const PS_MULTI_RESULTS: u32 = 0x4_0000;
const PLUGIN_AUTH: u32 = 0x8_0000;

const MORE_RESULTS: u16 = 8;
const CURSOR_EXISTS: u16 = 0x40;
const LAST_ROW_SENT: u16 = 0x80;

impl MySqlRaw {
    /// Logs in by `caching_sha2_password`, on a plain connection, as the fast path of it goes.
    ///
    /// # Panics
    /// It isn't let in.
    pub fn connect(port: u16, user: &str, secret: &str, schema: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        stream.set_nodelay(true).expect("a setting");
        let mut client = Self { stream, sequence: 0 };
        let greeting = client.packet();
        let version = greeting.iter().skip(1).position(|byte| *byte == 0).expect("a version") + 2;
        let nonce = [&greeting[version + 4..version + 12], &greeting[version + 31..version + 43]];
        let proof = fast_proof(secret.as_bytes(), &nonce.concat());
        let capabilities = LONG_PASSWORD
            | CONNECT_WITH_DB
            | PROTOCOL_41
            | TRANSACTIONS
            | SECURE_CONNECTION
            | MULTI_STATEMENTS
            | MULTI_RESULTS
            | PS_MULTI_RESULTS
            | PLUGIN_AUTH;
        let mut log_in = capabilities.to_le_bytes().to_vec();
        log_in.extend((1_u32 << 24).to_le_bytes());
        // utf8mb4_general_ci
        log_in.push(45);
        log_in.extend([0; 23]);
        log_in.extend(user.bytes().chain([0, 32]));
        log_in.extend(proof);
        log_in.extend(schema.bytes().chain([0]));
        log_in.extend(b"caching_sha2_password\0");
        client.send(&log_in);
        loop {
            let packet = client.packet();
            match packet.first() {
                Some(0) => return client,
                Some(1) => {}
                other => panic!("not let in: {other:?} {:?}", String::from_utf8_lossy(&packet)),
            }
        }
    }

    /// A text, and all results of it.
    pub fn query(&mut self, text: &str) -> Answer {
        self.query_bytes(text.as_bytes())
    }

    /// A text that need not be UTF-8, as one command.
    pub fn query_bytes(&mut self, text: &[u8]) -> Answer {
        self.command(&[&[3], text].concat());
        let mut answer = Answer::default();
        self.results(&mut answer);
        answer
    }

    /// Prepares a text and runs it without parameters; with a cursor, row by row, if `cursor`.
    pub fn prepared(&mut self, text: &str, cursor: bool) -> Answer {
        let mut answer = Answer::default();
        let Some(number) = self.prepare(text, &mut answer) else { return answer };
        self.command(&[&[23], &number[..], &[u8::from(cursor)], &1_u32.to_le_bytes()[..]].concat());
        let status = self.results(&mut answer);
        if status & CURSOR_EXISTS != 0 {
            while self.fetch(number, &mut answer) {}
        }
        self.command(&[&[25], &number[..]].concat());
        answer
    }

    /// Prepares a text and runs it with one parameter: its type, and its value as the protocol writes it.
    pub fn prepared_with(&mut self, text: &str, kind: u16, value: &[u8]) -> Answer {
        let mut answer = Answer::default();
        let Some(number) = self.prepare(text, &mut answer) else { return answer };
        let head = [&[23], &number[..], &[0], &1_u32.to_le_bytes()[..], &[0, 1]].concat();
        self.command(&[&head, &kind.to_le_bytes()[..], value].concat());
        self.results(&mut answer);
        self.command(&[&[25], &number[..]].concat());
        answer
    }

    /// Opens a cursor over a prepared text; true if the server has made one.
    pub fn open(&mut self, number: [u8; 4], answer: &mut Answer) -> bool {
        self.command(&[&[23], &number[..], &[1], &1_u32.to_le_bytes()[..]].concat());
        self.results(answer) & CURSOR_EXISTS != 0
    }

    /// The next two rows of a cursor; false if there are no more.
    pub fn fetch(&mut self, number: [u8; 4], answer: &mut Answer) -> bool {
        self.command(&[&[28], &number[..], &2_u32.to_le_bytes()[..]].concat());
        self.rows(answer) & (LAST_ROW_SENT | 0x8000) == 0
    }

    /// Prepares a text; gives the number that it goes by.
    pub fn prepare(&mut self, text: &str, answer: &mut Answer) -> Option<[u8; 4]> {
        self.command(&[&[22], text.as_bytes()].concat());
        let packet = self.packet();
        let made = (packet.first() == Some(&0) && packet.len() >= 9).then(|| {
            let number = [packet[1], packet[2], packet[3], packet[4]];
            let of = |at: usize| u16::from_le_bytes([packet[at], packet[at + 1]]);
            (number, of(5), of(7))
        });
        answer.packets.push(packet);
        let (number, columns, parameters) = made?;
        for many in [parameters, columns] {
            // So many definitions, and an EOF behind them if there is one at all.
            for _ in 0..if many > 0 { u32::from(many) + 1 } else { 0 } {
                let packet = self.packet();
                answer.packets.push(packet);
            }
        }
        Some(number)
    }

    /// Sends a command without waiting for what comes of it.
    pub fn command(&mut self, payload: &[u8]) {
        self.sequence = 0;
        self.send(payload);
    }

    /// Reads all results of a command; gives the last status.
    pub fn results(&mut self, answer: &mut Answer) -> u16 {
        loop {
            let status = self.result(answer);
            if status & MORE_RESULTS == 0 {
                return status;
            }
        }
    }

    fn result(&mut self, answer: &mut Answer) -> u16 {
        let packet = self.packet();
        answer.packets.push(packet.clone());
        match packet.first() {
            Some(0) => {
                let (_, affected) = length(&packet[1..]);
                let (_, inserted) = length(&packet[1 + affected..]);
                let at = 1 + affected + inserted;
                u16::from_le_bytes([packet[at], packet[at + 1]])
            }
            Some(0xff) => 0x8000,
            Some(0xfb) => panic!("a file is asked for"),
            Some(_) => {
                let (columns, _) = length(&packet);
                for _ in 0..columns {
                    let packet = self.packet();
                    answer.packets.push(packet);
                }
                let end = self.packet();
                answer.packets.push(end.clone());
                if end.first() == Some(&0xff) {
                    return 0x8000;
                }
                let status = u16::from_le_bytes([end[3], end[4]]);
                if status & CURSOR_EXISTS != 0 { status } else { self.rows(answer) }
            }
            None => panic!("an empty packet"),
        }
    }

    fn rows(&mut self, answer: &mut Answer) -> u16 {
        loop {
            let packet = self.packet();
            let (first, size) = (packet.first().copied(), packet.len());
            answer.packets.push(packet.clone());
            match first {
                Some(0xfe) if size < 9 => return u16::from_le_bytes([packet[3], packet[4]]),
                Some(0xff) => return 0x8000,
                _ => {}
            }
        }
    }

    fn send(&mut self, payload: &[u8]) {
        let size = u32::try_from(payload.len()).expect("a short one").to_le_bytes();
        let head = [size[0], size[1], size[2], self.sequence];
        self.sequence = self.sequence.wrapping_add(1);
        self.stream.write_all(&[&head, payload].concat()).expect("it listens");
    }

    /// The next packet's payload.
    pub fn packet(&mut self) -> Vec<u8> {
        let mut head = [0; 4];
        self.stream.read_exact(&mut head).expect("it answers");
        self.sequence = head[3].wrapping_add(1);
        let size = u32::from_le_bytes([head[0], head[1], head[2], 0]);
        let mut payload = vec![0; usize::try_from(size).expect("fits")];
        self.stream.read_exact(&mut payload).expect("it answers whole");
        payload
    }
}

/// A number of one, three, four or nine bytes, and how many they are.
fn length(bytes: &[u8]) -> (u64, usize) {
    let of = |n: usize| {
        bytes[1..=n].iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    match bytes[0] {
        0xfc => (of(2), 3),
        0xfd => (of(3), 4),
        0xfe => (of(8), 9),
        short => (u64::from(short), 1),
    }
}

/// Spec: `XOR(SHA256(secret), SHA256(SHA256(SHA256(secret)) || nonce))`.
fn fast_proof(secret: &[u8], nonce: &[u8]) -> Vec<u8> {
    let sha = |bytes: &[u8]| ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().to_vec();
    let once = sha(secret);
    let mixed = sha(&[sha(&once), nonce.to_vec()].concat());
    once.iter().zip(mixed).map(|(a, b)| a ^ b).collect()
}
