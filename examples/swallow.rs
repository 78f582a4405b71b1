//! A client that asks and swallows what comes back, for the benchmark in `benches/relay`: `psql`
//! spends most of its time printing, so it can't tell one relay from another.
//!
//! ```text
//! swallow query  HOST:PORT USER PASSWORD DATABASE SQL       seconds and bytes of one answer
//! swallow binary HOST:PORT USER PASSWORD DATABASE SQL       the same in the extended protocol, in binary
//! swallow logins HOST:PORT USER PASSWORD DATABASE THREADS SECONDS    log-ins in that time
//! swallow idle   HOST:PORT USER PASSWORD DATABASE COUNT     opens them, waits for end of input
//! ```
#![allow(clippy::print_stdout, reason = "a program prints")]

#[path = "../tests/support/scram.rs"]
#[allow(dead_code, unreachable_pub, reason = "the tests use more of it")]
mod scram;

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    process::ExitCode,
    time::{Duration, Instant},
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["query", address, user, password, database, sql] => {
            query(&Login { address, user, password, database }, |c| c.ask(sql))
        }
        ["binary", address, user, password, database, sql] => {
            query(&Login { address, user, password, database }, |c| c.ask_in_binary(sql))
        }
        ["logins", address, user, password, database, threads, seconds] => logins(
            &Login { address, user, password, database },
            threads.parse().unwrap_or(1),
            seconds.parse().unwrap_or(1),
        ),
        ["idle", address, user, password, database, count] => {
            idle(&Login { address, user, password, database }, count.parse().unwrap_or(1))
        }
        _ => Err(io::Error::other("usage: swallow query|binary|logins|idle …; see the source")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("swallow: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Login<'a> {
    address: &'a str,
    user: &'a str,
    password: &'a str,
    database: &'a str,
}

fn query(
    login: &Login<'_>,
    ask: impl FnOnce(&mut Connection) -> io::Result<u64>,
) -> io::Result<()> {
    let mut connection = Connection::open(login)?;
    let began = Instant::now();
    let bytes = ask(&mut connection)?;
    println!("{{\"seconds\": {:.6}, \"bytes\": {bytes}}}", began.elapsed().as_secs_f64());
    Ok(())
}

fn logins(login: &Login<'_>, threads: usize, seconds: u64) -> io::Result<()> {
    let began = Instant::now();
    let end = began + Duration::from_secs(seconds);
    let count: io::Result<u64> = std::thread::scope(|scope| {
        let work = || {
            let mut count = 0;
            while Instant::now() < end {
                Connection::open(login)?.ask("SELECT 1")?;
                count += 1;
            }
            Ok(count)
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("a panic"))))
            .sum()
    });
    println!("{{\"logins\": {}, \"seconds\": {:.3}}}", count?, began.elapsed().as_secs_f64());
    Ok(())
}

fn idle(login: &Login<'_>, count: usize) -> io::Result<()> {
    let mut open = Vec::with_capacity(count);
    for _ in 0..count {
        let mut connection = Connection::open(login)?;
        connection.ask("SELECT 1")?;
        open.push(connection);
    }
    println!("open");
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Connection {
    fn open(login: &Login<'_>) -> io::Result<Self> {
        let stream = TcpStream::connect(login.address)?;
        stream.set_nodelay(true)?;
        let mut connection = Self { stream, buffer: vec![0; 8192], filled: 0 };
        let mut body = 196_608_i32.to_be_bytes().to_vec();
        for text in ["user", login.user, "database", login.database] {
            put(&mut body, text);
        }
        body.push(0);
        let mut bytes = length(body.len() + 4);
        bytes.append(&mut body);
        connection.stream.write_all(&bytes)?;
        connection.authenticate(login.password)?;
        Ok(connection)
    }

    fn authenticate(&mut self, password: &str) -> io::Result<()> {
        let mut exchange = scram::Exchange::new(password, "hallpass+bench+nonce");
        loop {
            let (tag, body) = self.message()?;
            let kind = body.first_chunk::<4>().map_or(0, |kind| i32::from_be_bytes(*kind));
            let rest = String::from_utf8_lossy(body.get(4..).unwrap_or_default()).into_owned();
            match (tag, kind) {
                (b'Z', _) => return Ok(()),
                (b'E', _) => return Err(io::Error::other(String::from_utf8_lossy(&body))),
                (b'R', 10) => {
                    let first = exchange.first();
                    let mut body = Vec::new();
                    put(&mut body, "SCRAM-SHA-256");
                    body.extend(length(first.len()));
                    body.extend(first.as_bytes());
                    self.send(b'p', &body)?;
                }
                (b'R', 11) => {
                    let last = exchange.last(&rest);
                    self.send(b'p', last.as_bytes())?;
                }
                _ => {}
            }
        }
    }

    fn send(&mut self, tag: u8, body: &[u8]) -> io::Result<()> {
        let mut bytes = vec![tag];
        bytes.extend(length(body.len() + 4));
        bytes.extend(body);
        self.stream.write_all(&bytes)
    }

    /// Sends a simple Query and swallows the answer; how many bytes it had.
    fn ask(&mut self, sql: &str) -> io::Result<u64> {
        let mut body = Vec::new();
        put(&mut body, sql);
        self.send(b'Q', &body)?;
        self.swallow(sql.len() > 12)
    }

    /// Parse, Bind with all results in binary, Execute, Sync.
    fn ask_in_binary(&mut self, sql: &str) -> io::Result<u64> {
        let mut parse = vec![0];
        put(&mut parse, sql);
        parse.extend([0, 0]);
        self.send(b'P', &parse)?;
        self.send(b'B', &[0, 0, 0, 0, 0, 0, 0, 1, 0, 1])?;
        self.send(b'E', &[0, 0, 0, 0, 0])?;
        self.send(b'S', &[])?;
        self.swallow(true)
    }

    /// Reads up to ReadyForQuery, and gives how many bytes that were.
    fn swallow(&mut self, is_large: bool) -> io::Result<u64> {
        if is_large && self.buffer.len() < 262_144 {
            self.buffer.resize(262_144, 0);
        }
        let mut total = 0;
        let mut skip = 0;
        let mut failed = false;
        loop {
            // Headers are read where they lie; bodies are skipped, whole or in part.
            let mut at = skip.min(self.filled);
            skip -= at;
            while skip == 0 {
                let Some(&[tag, a, b, c, d]) = self.buffer[at..self.filled].first_chunk::<5>()
                else {
                    break;
                };
                let size = 1 + usize::try_from(u32::from_be_bytes([a, b, c, d])).expect("64 bits");
                failed |= tag == b'E';
                let inside = size.min(self.filled - at);
                if tag == b'Z' && inside == size {
                    self.filled = 0;
                    total += size as u64;
                    let told = if failed { Err(io::Error::other("an error")) } else { Ok(total) };
                    return told;
                }
                if tag == b'Z' {
                    break;
                }
                total += size as u64;
                at += inside;
                skip = size - inside;
            }
            self.buffer.copy_within(at..self.filled, 0);
            self.filled -= at;
            self.fill()?;
        }
    }

    fn message(&mut self) -> io::Result<(u8, Vec<u8>)> {
        loop {
            if let Some(&[tag, a, b, c, d]) = self.buffer[..self.filled].first_chunk::<5>() {
                let end = 1 + usize::try_from(u32::from_be_bytes([a, b, c, d])).expect("64 bits");
                if end <= self.filled {
                    let body = self.buffer[5..end].to_vec();
                    self.buffer.copy_within(end..self.filled, 0);
                    self.filled -= end;
                    return Ok((tag, body));
                }
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        match self.stream.read(&mut self.buffer[self.filled..])? {
            0 => Err(io::Error::other("the peer hung up")),
            count => {
                self.filled += count;
                Ok(())
            }
        }
    }
}

fn put(body: &mut Vec<u8>, text: &str) {
    body.extend(text.as_bytes());
    body.push(0);
}

fn length(size: usize) -> Vec<u8> {
    u32::try_from(size).expect("below 4 GiB").to_be_bytes().to_vec()
}
