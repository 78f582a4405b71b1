//! Bytes from outside against everything that reads them, on the stable toolchain: one target for each
//! parser. Nothing panics, nothing takes long, and what is read is written back the same.
//!
//! Inputs are changed and mixed from the seeds below and from the files in `tests/fuzz/TARGET`. Each
//! target runs for `HALLPASS_FUZZ_SECONDS` (5 unless it is set; all run side by side), from the seed
//! `HALLPASS_FUZZ_SEED`; what breaks one is kept as `tests/fuzz/TARGET/broken-…`, so that it is tried
//! first from then on. Hours:
//! `HALLPASS_FUZZ_SEED=$RANDOM HALLPASS_FUZZ_SECONDS=3600 cargo test --release --test fuzz -- --nocapture`.
//!
//! SQL has a target of its own in `tests/fuzz_sql.rs`, and texts made to cost much are in
//! `tests/hostile_texts.rs`.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use hallpass::{
    config::{Address, Config},
    kernel::{
        access::Scope,
        audit::scrub::scrub,
        time::{Timestamp, parse_duration},
    },
    net::Network,
    trail::checkpoint::Checkpoint,
    wire::pg::{
        Format, FrontendLimits, backend, frame, frontend,
        scram::{Credentials, NONCE_BYTES, server},
        startup::{StartupMachine, Step, TlsOffer},
        types::parameter_text,
    },
};

/// What one input may take, in a debug build on a busy machine.
const SLOW: Duration = Duration::from_secs(3);
/// Inputs grow to so many bytes.
const LONGEST: usize = 4096;

/// A small generator (xorshift): the same seed gives the same inputs.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() >> 33).expect("31 bits") % most.max(1)
    }
}

/// Changes an input in a few places, or mixes it with another.
fn change(dice: &mut Dice, mut input: Vec<u8>, other: &[u8]) -> Vec<u8> {
    const ODD: [&[u8]; 8] =
        [b"\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"=,", b"\"", b"\x80", b"/"];
    for _ in 0..=dice.below(4) {
        let at = dice.below(input.len() + 1);
        match dice.below(6) {
            0 => input.truncate(at),
            1 => input.insert(at, u8::try_from(dice.below(256)).expect("a byte")),
            2 if at < input.len() => input[at] ^= 1 << dice.below(8),
            3 if at < input.len() => drop(input.remove(at)),
            4 => {
                let odd = ODD[dice.below(ODD.len())];
                input.splice(at..(at + odd.len()).min(input.len()).max(at), odd.iter().copied());
            }
            _ => {
                let from = dice.below(other.len() + 1);
                input.splice(at..at, other[from..].iter().copied());
            }
        }
    }
    input.truncate(LONGEST);
    input
}

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz").join(target)
}

/// Runs a target; what breaks it is kept.
fn fuzz(target: &str, seeds: &[Vec<u8>], run: impl Fn(&[u8])) {
    let seconds = std::env::var("HALLPASS_FUZZ_SECONDS").ok();
    let seconds = seconds.map_or(5, |n| n.parse().expect("HALLPASS_FUZZ_SECONDS is a number"));
    let kept = fs::read_dir(folder(target)).into_iter().flatten().flatten();
    let mut inputs: Vec<Vec<u8>> = kept.map(|file| fs::read(file.path()).expect("reads")).collect();
    inputs.extend_from_slice(seeds);
    let seed = std::env::var("HALLPASS_FUZZ_SEED").ok();
    let seed: u64 = seed.map_or(0, |n| n.parse().expect("HALLPASS_FUZZ_SEED is a number"));
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ seed);
    let one = |input: &[u8]| {
        let began = Instant::now();
        let broken = catch_unwind(AssertUnwindSafe(|| run(input))).is_err();
        if broken || began.elapsed() > SLOW {
            let file = folder(target).join(format!("broken-{}", input.len()));
            fs::create_dir_all(folder(target)).expect("makes a folder");
            fs::write(&file, input).expect("writes");
            panic!("{target}: {} (broken: {broken}), {input:?}", file.display());
        }
    };
    for input in &inputs {
        one(input);
    }
    let (began, mut count) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(seconds) {
        let (first, second) = (dice.below(inputs.len()), dice.below(inputs.len()));
        one(&change(&mut dice, inputs[first].clone(), &inputs[second]));
        count += 1;
    }
    eprintln!("{target}: {count} inputs");
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

#[test]
fn start_up() {
    let seeds = [
        written(|o| frontend::startup_message(o, 0, &[(b"user", b"alice"), (b"database", b"d")])),
        written(|o| frontend::startup_message(o, 2, &[(b"user", b"a"), (b"_pq_.x", b"1")])),
        written(frontend::ssl_request),
        written(|o| frontend::cancel_request(o, 7, &[1; 4])),
        [8_i32.to_be_bytes(), 80_877_104_i32.to_be_bytes()].concat(),
        vec![0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0],
    ];
    fuzz("start_up", &seeds, |bytes| {
        for offer in [TlsOffer::None, TlsOffer::Optional, TlsOffer::Required] {
            let mut machine = StartupMachine::new(offer);
            let mut rest = bytes;
            // Each answer takes the packet before it; more than a few prove that it never ends.
            for round in 0.. {
                assert!(round < 8, "goes round and round");
                match machine.step(rest) {
                    Ok(Step::Answer(_) | Step::UpgradeTls) => {
                        rest = rest.get(8..).unwrap_or_default();
                    }
                    Ok(Step::Start { startup, used }) => {
                        assert!(used <= rest.len());
                        assert!(startup.parameter("user").is_some());
                        break;
                    }
                    Ok(Step::Read(_) | Step::DirectTls | Step::Cancel(_)) | Err(_) => break,
                }
            }
        }
    });
}

#[test]
fn messages_of_a_client() {
    let seeds = [
        written(|o| frontend::query(o, "SELECT 1")),
        written(|o| frontend::parse(o, b"s", "SELECT $1", &[23, 25])),
        written(|o| frontend::bind(o, b"p", b"s", &[Some(b"1"), None])),
        written(|o| frontend::describe(o, frontend::NameKind::Portal, b"p")),
        written(|o| frontend::execute(o, b"p", 7)),
        written(|o| frontend::copy_fail(o, "no")),
        written(frontend::sync),
    ];
    fuzz("messages_of_a_client", &seeds, |bytes| {
        let limits = FrontendLimits::default();
        let Ok(Some(header)) = frame::from_client(bytes, &limits) else { return };
        let Some(message) = bytes.get(..header.length) else { return };
        match frontend::decode(message) {
            Ok(frontend::FrontendMessage::Query { text }) => {
                if let Ok(text) = std::str::from_utf8(text) {
                    assert_eq!(written(|o| frontend::query(o, text)), message);
                }
            }
            Ok(other) => drop(format!("{other:?}")),
            Err(error) => drop(error.to_string()),
        }
    });
}

#[test]
fn messages_of_a_server() {
    let field = b"\0\x02a\0\0\0\0\x10\0\x01\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0b\0\0\0\0\x10\0\x02\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0";
    let seeds = [
        field.to_vec(),
        b"SERROR\0C42501\0Mno\0\0".to_vec(),
        b"\0\x02\0\0\0\x011\xff\xff\xff\xff".to_vec(),
        b"\0\0\0\x0aSCRAM-SHA-256\0\0".to_vec(),
        b"INSERT 0 5\0".to_vec(),
        b"TimeZone\0UTC\0".to_vec(),
        b"\0\0\0\x07\0\0\0\x08".to_vec(),
    ];
    fuzz("messages_of_a_server", &seeds, |body| {
        if let Ok(columns) = backend::RowDescription::new(body) {
            assert_eq!(columns.iter().count(), columns.len());
        }
        if let Ok(row) = backend::DataRow::new(body) {
            // Bytes behind the last value are an error of their own.
            assert!(row.iter().flatten().count() <= row.len());
        }
        if let Ok(types) = backend::parameter_types(body) {
            assert_eq!(types.iter().count(), types.len());
        }
        if let Ok(tag) = backend::command_tag(body) {
            let _ = backend::rows_of_tag(tag);
        }
        let _ = backend::key_data(body);
        let _ = backend::parameter_status_of(body);
        drop(backend::negotiated_version(body));
        let _ = backend::ready_for_query_status(body);
        for text in [Format::Text, Format::Binary] {
            for oid in [16, 17, 20, 21, 23, 25, 700, 701, 1082, 1114, 1184, 1700, 2950, 1007, 3802]
            {
                // Of each byte at most four are shown, and an ellipsis.
                assert!(parameter_text(oid, text, body).len() <= 8 * body.len() + 4096);
            }
        }
    });
}

#[test]
fn answers_to_a_challenge() {
    let seeds = [
        b"n,,n=,r=rOprNGfwEbeRWgbNEkqO".to_vec(),
        b"SCRAM-SHA-256\0\0\0\0\x1cn,,n=,r=rOprNGfwEbeRWgbNEkqO".to_vec(),
        b"c=biws,r=rOprNGfwEbeRWgbNEkqOAAAAAAAAAAAAAAAAAAAAAAAA,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".to_vec(),
    ];
    fuzz("answers_to_a_challenge", &seeds, |bytes| {
        let _ = frontend::decode_sasl_initial(bytes);
        let _ = frontend::decode_password(bytes);
        let known = || Credentials { salt: vec![1; 16], iterations: 4096, verifiers: Vec::new() };
        let random = [0; NONCE_BYTES];
        let plain = server::start(b"SCRAM-SHA-256", bytes, None, known(), &random);
        drop(server::start(b"SCRAM-SHA-256-PLUS", bytes, Some(&[7; 32]), known(), &random));
        let first = plain.unwrap_or_else(|_| {
            let good = b"n,,n=,r=rOprNGfwEbeRWgbNEkqO";
            server::start(b"SCRAM-SHA-256", good, None, known(), &random).expect("a good one")
        });
        assert!(first.0.finish(bytes).is_err(), "nobody's proof");
    });
}

#[test]
fn settings() {
    let example = include_str!("../proxy.toml.example");
    let mut seeds: Vec<Vec<u8>> =
        example.split("\n\n").map(|part| part.as_bytes().to_vec()).collect();
    seeds.push(b"[roles.x]\nallow = [\"10.0.0.0/8\"]\n".to_vec());
    fuzz("settings", &seeds, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        if let Err(error) = Config::parse(Path::new("proxy.toml"), text) {
            assert!(!error.to_string().is_empty());
        }
    });
}

#[test]
fn small_texts() {
    let seeds = [
        "10.0.0.0/8",
        "fd00::/8",
        "[::1]:5432",
        "db.internal:5432",
        "/run/x",
        "1h30m",
        "90d",
        "2026-01-02T03:04:05.678901Z",
        "public.orders, public.*",
        "SELECT 'secret' -- 'x'",
        "password=hunter2 postgres://u:p@h/d",
        r#"{"checkpoint":1,"node":"b7","time":"2026-11-26T00:46:10Z","lanes":[],"previous":"00","signature":"77"}"#,
    ];
    let seeds = seeds.map(|text| text.as_bytes().to_vec());
    fuzz("small_texts", &seeds, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        if let Some(address) = Address::parse(text) {
            assert_eq!(Address::parse(&address.to_string()), Some(address));
        }
        let _ = Network::parse(text);
        drop(parse_duration(text));
        if let Ok(time) = Timestamp::parse_rfc3339(text) {
            assert_eq!(Timestamp::parse_rfc3339(&time.to_string()).ok(), Some(time));
        }
        drop(Scope::parse_list(text));
        drop(scrub(text));
        if let Some(checkpoint) = Checkpoint::parse(text) {
            assert_eq!(checkpoint.line(), text);
        }
    });
}
