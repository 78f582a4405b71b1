//! Transcripts of `tests/cases/wire`: whole conversations, message by message, replayed against the
//! frame layer, the decoders and the exchange: at once, one byte at a time, and cut after every byte.
//!
//! A line is one message: `>` from the client, `<` from the server, then the tag and the body's parts:
//! `"text"` (with its NUL), `'c'` (one byte), `2:7` and `4:-1` (big-endian integers of so many bytes),
//! `h:00ff` (bytes). `= owed N` says how many replies are owed at this point; `= skipping`, that the
//! server skips everything until Sync. `#` begins a comment. A start-up packet's tag is `-`.

use std::{fs, path::Path};

use hallpass::wire::pg::{
    FrontendLimits,
    exchange::{Exchange, Owed, Step, Whose},
    frame,
    frontend::{self, FrontendMessage, NameKind},
    startup::{self, StartupMachine, TlsOffer},
};

/// One line of a transcript.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Line {
    Client(Vec<u8>),
    Server(Vec<u8>),
    Owed(usize),
    Skipping,
}

#[test]
fn every_transcript_plays_to_its_end() {
    for (name, lines) in transcripts("") {
        let mut player = Player::default();
        for line in &lines {
            player.feed(line, usize::MAX).unwrap_or_else(|e| panic!("{name}: {line:?}: {e}"));
        }
        assert!(player.exchange.is_empty(), "{name} leaves replies owed");
        assert!(player.client.is_empty() && player.server.is_empty(), "{name} leaves bytes unread");
    }
}

#[test]
fn one_byte_at_a_time_makes_no_difference() {
    for (name, lines) in transcripts("") {
        let (mut whole, mut slow) = (Player::default(), Player::default());
        for line in &lines {
            whole.feed(line, usize::MAX).unwrap_or_else(|e| panic!("{name}: {e}"));
            slow.feed(line, 1).unwrap_or_else(|e| panic!("{name}, byte by byte: {e}"));
            assert_eq!(whole.seen, slow.seen, "{name}");
            assert_eq!(whole.exchange.len(), slow.exchange.len(), "{name}");
        }
    }
}

#[test]
fn cut_anywhere_no_message_is_invented() {
    for (name, lines) in transcripts("") {
        let mut all = Player::default();
        for line in &lines {
            all.feed(line, usize::MAX).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
        let mut before = Player::default();
        for line in &lines {
            if let Line::Client(bytes) | Line::Server(bytes) = line {
                for cut in 0..bytes.len() {
                    let mut player = before.clone();
                    let part = match line {
                        Line::Client(_) => Line::Client(bytes[..cut].to_vec()),
                        _ => Line::Server(bytes[..cut].to_vec()),
                    };
                    player.feed(&part, usize::MAX).unwrap_or_else(|e| panic!("{name}, cut: {e}"));
                    assert_eq!(player.seen, before.seen, "{name}: a message from {cut} bytes");
                    assert!(all.seen.starts_with(&player.seen), "{name}");
                }
            }
            before.feed(line, usize::MAX).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }
}

#[test]
fn start_ups_are_read_whole_and_never_from_less() {
    let found = transcripts("startup");
    assert!(!found.is_empty());
    for (name, lines) in found {
        let mut machine = StartupMachine::new(TlsOffer::Optional);
        let mut last = None;
        for line in &lines {
            match line {
                Line::Client(bytes) => {
                    for cut in 0..bytes.len() {
                        let step = machine.clone().step(&bytes[..cut]);
                        let more = matches!(step, Ok(startup::Step::Read(wanted)) if wanted > cut);
                        assert!(more, "{name}: {step:?} after {cut} bytes of {}", bytes.len());
                    }
                    last = Some(machine.step(bytes).unwrap_or_else(|e| panic!("{name}: {e}")));
                }
                Line::Server(bytes) => match (last.take(), bytes.as_slice()) {
                    (Some(startup::Step::Answer(byte)), [said]) if byte == *said => {}
                    (Some(startup::Step::UpgradeTls), b"S") => machine.secured(),
                    other => panic!("{name}: {other:?}"),
                },
                Line::Owed(_) | Line::Skipping => panic!("{name}: nothing is owed before a log-in"),
            }
        }
        let ended = matches!(last, Some(startup::Step::Start { .. } | startup::Step::Cancel(_)));
        assert!(ended, "{name} ends with {last:?}");
    }
}

/// Both directions of a session after its log-in.
#[derive(Default)]
struct Player {
    client: Vec<u8>,
    server: Vec<u8>,
    exchange: Exchange<()>,
    /// Everything that was made of the bytes so far.
    seen: Vec<String>,
    /// What was done to the exchange, for copies.
    history: Vec<Move>,
}

#[derive(Clone, Copy)]
enum Move {
    Sent(Step),
    Reply(u8),
}

impl Clone for Player {
    fn clone(&self) -> Self {
        let mut exchange = Exchange::default();
        for step in &self.history {
            match *step {
                Move::Sent(step) => {
                    exchange.push(owed(step));
                }
                Move::Reply(tag) => {
                    exchange.reply(tag).ok();
                }
            }
        }
        Self {
            client: self.client.clone(),
            server: self.server.clone(),
            exchange,
            seen: self.seen.clone(),
            history: self.history.clone(),
        }
    }
}

impl Player {
    fn feed(&mut self, line: &Line, at_once: usize) -> Result<(), String> {
        match line {
            Line::Owed(count) if self.exchange.len() != *count => {
                return Err(format!("{} replies are owed, not {count}", self.exchange.len()));
            }
            Line::Skipping if !self.exchange.is_skipping() => {
                return Err("the server isn't thought to skip".to_owned());
            }
            Line::Owed(_) | Line::Skipping => {}
            Line::Client(bytes) => {
                for piece in bytes.chunks(at_once) {
                    self.client.extend_from_slice(piece);
                    while self.one_from_client()? {}
                }
            }
            Line::Server(bytes) => {
                for piece in bytes.chunks(at_once) {
                    self.server.extend_from_slice(piece);
                    while self.one_from_server()? {}
                }
            }
        }
        Ok(())
    }

    fn one_from_client(&mut self) -> Result<bool, String> {
        let header = frame::from_client(&self.client, &FrontendLimits::default());
        let Some(header) = header.map_err(|e| e.to_string())? else { return Ok(false) };
        let Some(whole) = self.client.get(..header.length) else { return Ok(false) };
        let whole = whole.to_vec();
        self.client.drain(..header.length);
        let message = frontend::decode(&whole).map_err(|e| e.to_string())?;
        self.seen.push(format!("> {message:?}"));
        let step = match message {
            FrontendMessage::Query { .. } => Step::Query,
            FrontendMessage::Parse(_) => Step::Parse,
            FrontendMessage::Bind(_) => Step::Bind,
            FrontendMessage::Describe(named) => match named.kind {
                NameKind::Statement => Step::DescribeStatement,
                NameKind::Portal => Step::DescribePortal,
            },
            FrontendMessage::Close(_) => Step::Close,
            FrontendMessage::Execute(_) => Step::Execute,
            FrontendMessage::Sync => Step::Sync,
            FrontendMessage::CopyData(_) => Step::CopyData,
            FrontendMessage::CopyDone | FrontendMessage::CopyFail { .. } => Step::CopyEnd,
            FrontendMessage::Flush | FrontendMessage::Terminate => return Ok(true),
            FrontendMessage::FunctionCall(_) | FrontendMessage::Password(_) => {
                return Err("not part of a session".to_owned());
            }
        };
        self.history.push(Move::Sent(step));
        self.exchange.push(owed(step));
        Ok(true)
    }

    fn one_from_server(&mut self) -> Result<bool, String> {
        let header = frame::from_upstream(&self.server).map_err(|e| e.to_string())?;
        let Some(header) = header else { return Ok(false) };
        let Some(whole) = self.server.get(..header.length) else { return Ok(false) };
        self.seen.push(format!("< {} {:02x?}", char::from(header.tag), frame::body(whole)));
        self.server.drain(..header.length);
        self.history.push(Move::Reply(header.tag));
        self.exchange.reply(header.tag).map(|_| true).map_err(|e| e.to_string())
    }
}

fn owed(step: Step) -> Owed<()> {
    Owed { step, whose: Whose::Client, tag: () }
}

/// The transcripts whose file name begins so; without a name all of sessions.
fn transcripts(beginning: &str) -> Vec<(String, Vec<Line>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/wire");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        let wanted = if beginning.is_empty() {
            !name.starts_with("startup")
        } else {
            name.starts_with(beginning)
        };
        if wanted {
            let text = fs::read_to_string(&path).expect("reads");
            found.push((name, text.lines().filter_map(line).collect()));
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

fn line(text: &str) -> Option<Line> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return None;
    }
    let (direction, rest) = text.split_once(' ').expect("a direction and a message");
    match direction {
        "=" if rest == "skipping" => Some(Line::Skipping),
        "=" => {
            let count = rest.strip_prefix("owed ").expect("`owed N` or `skipping`");
            Some(Line::Owed(count.parse().expect("a number")))
        }
        ">" => Some(Line::Client(message(rest))),
        "<" => Some(Line::Server(message(rest))),
        other => panic!("`{other}` is no direction"),
    }
}

/// A frame; `-` is a start-up packet without a tag, `!` bytes without any frame.
fn message(text: &str) -> Vec<u8> {
    let (tag, rest) = text.split_at(1);
    let mut body = Vec::new();
    let mut rest = rest.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        rest = part(rest, &mut body).trim_start();
    }
    let length = u32::try_from(body.len() + 4).expect("short").to_be_bytes();
    match tag {
        "!" => body,
        "-" => [&length[..], &body].concat(),
        tag => [tag.as_bytes(), &length, &body].concat(),
    }
}

/// Appends one part of a body, and gives the rest of the line.
fn part<'a>(text: &'a str, body: &mut Vec<u8>) -> &'a str {
    if let Some(quoted) = text.strip_prefix('"') {
        let (inside, rest) = quoted.split_once('"').expect("a closing quote");
        body.extend_from_slice(inside.as_bytes());
        body.push(0);
        return rest;
    }
    if let Some(quoted) = text.strip_prefix('\'') {
        let (inside, rest) = quoted.split_once('\'').expect("a closing quote");
        body.extend_from_slice(inside.as_bytes());
        return rest;
    }
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (kind, value) = word.split_once(':').expect("`2:n`, `4:n` or `h:bytes`");
    match kind {
        "2" => body.extend_from_slice(&value.parse::<i16>().expect("16 bits").to_be_bytes()),
        "4" => body.extend_from_slice(&value.parse::<i32>().expect("32 bits").to_be_bytes()),
        "h" => {
            for pair in value.as_bytes().chunks(2) {
                let digits = std::str::from_utf8(pair).expect("digits");
                body.push(u8::from_str_radix(digits, 16).expect("two digits"));
            }
        }
        other => panic!("`{other}` is no kind of part"),
    }
    rest
}
