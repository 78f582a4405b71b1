//! Bytes of the protocol, of both sides, and what is owed for them.

use std::collections::BTreeSet;

use hallpass::{
    kernel::{secret::Secret, sql::charset::ClientText},
    wire::pg::{
        Format, FrontendLimits, backend,
        exchange::{Exchange, Owed, Step, Whose},
        frame, frontend, row,
        scram::{Credentials, Keys, NONCE_BYTES, client, server},
        startup::{StartupMachine, Step as StartupStep, TlsOffer},
        types::parameter_text,
    },
};

use crate::{
    harness::{Target, length_behind_tag, length_first},
    written,
};

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
    let words = ["user\0", "database\0", "options\0", "_pq_.x\0", "replication\0", "alice\0"];
    Target::new("start_up", seeds).words(words).mended(length_first).run(|bytes| {
        for offer in [TlsOffer::None, TlsOffer::Optional, TlsOffer::Required] {
            let mut machine = StartupMachine::new(offer);
            let mut rest = bytes;
            // Each answer takes the packet before it; more than a few prove that it never ends.
            for round in 0.. {
                assert!(round < 8, "goes round and round");
                match machine.step(rest) {
                    Ok(StartupStep::Answer(_) | StartupStep::UpgradeTls) => {
                        rest = rest.get(8..).unwrap_or_default();
                    }
                    Ok(StartupStep::Start { startup, used }) => {
                        assert!(used <= rest.len());
                        assert!(startup.parameter("user").is_some());
                        break;
                    }
                    Ok(StartupStep::Read(_) | StartupStep::DirectTls | StartupStep::Cancel(_))
                    | Err(_) => break,
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
        written(|o| frontend::close(o, frontend::NameKind::Statement, b"s")),
        written(frontend::sync),
        written(frontend::flush),
        written(frontend::terminate),
        written(|o| frontend::copy_fail(o, "no")),
        b"d\0\0\0\x09a\tb\\\n".to_vec(),
        b"c\0\0\0\x04".to_vec(),
        b"F\0\0\0\x1c\0\0\x03\xbd\0\x01\0\0\0\x02\0\0\0\x02-1\xff\xff\xff\xff\0\0".to_vec(),
    ];
    let words = ["SELECT 1\0", "s\0", "p\0"];
    let target = Target::new("messages_of_a_client", seeds).words(words).mended(length_behind_tag);
    target.run(|bytes| {
        let limits = FrontendLimits::default();
        let Ok(Some(header)) = frame::from_client(bytes, &limits) else { return };
        let Some(message) = bytes.get(..header.length) else { return };
        match frontend::decode(message) {
            Ok(read) => {
                if let Some(again) = written_again(&read) {
                    assert_eq!(again, message);
                }
                drop(format!("{read:?}"));
            }
            Err(error) => drop(error.to_string()),
        }
    });
}

/// The bytes of a message as we would write it, where all of it can be said so.
fn written_again(message: &frontend::FrontendMessage<'_>) -> Option<Vec<u8>> {
    use frontend::FrontendMessage as M;
    Some(match message {
        M::Query { text } => {
            let text = std::str::from_utf8(text).ok()?;
            written(|o| frontend::query(o, text))
        }
        M::Parse(parse) => {
            let types: Vec<u32> = parse.parameter_types.iter().collect();
            assert_eq!(types.len(), parse.parameter_types.len());
            let text = std::str::from_utf8(parse.text).ok()?;
            written(|o| frontend::parse(o, parse.name, text, &types))
        }
        M::Bind(bind) => {
            assert_eq!(bind.parameters.iter().count(), bind.parameters.len());
            return None;
        }
        M::Describe(named) => written(|o| frontend::describe(o, named.kind, named.name)),
        M::Close(named) => written(|o| frontend::close(o, named.kind, named.name)),
        M::Execute(execute) => written(|o| frontend::execute(o, execute.portal, execute.max_rows)),
        M::Sync => written(frontend::sync),
        M::Flush => written(frontend::flush),
        M::Terminate => written(frontend::terminate),
        M::CopyFail { reason } => {
            let reason = std::str::from_utf8(reason).ok()?;
            written(|o| frontend::copy_fail(o, reason))
        }
        M::CopyData(_) | M::CopyDone | M::FunctionCall(_) | M::Password(_) => return None,
    })
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
        b"\0\0\x02\0\0\0\x01".to_vec(),
        b"\0\0\0\x05salt".to_vec(),
        b"\0\x03\0\x02\0\0\0\x01_pq_.x\0".to_vec(),
        b"\0\0\0\x01\0\0\0\0\0\0\0\x17\0\0\0\x02\0\0\0\x01\0\0\0\x04\0\0\0\x07\xff\xff\xff\xff"
            .to_vec(),
        b"{{1,NULL},{\"a\\\"b\",\"{}\"}}".to_vec(),
    ];
    Target::new("messages_of_a_server", seeds).run(|body| {
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
        if let Ok(fields) = backend::ErrorFields::new(body) {
            assert!(fields.iter().count() <= body.len());
            let _ = (fields.sqlstate(), fields.message(), fields.is_fatal());
        }
        if let Ok(backend::Authentication::Sasl(names)) = backend::Authentication::new(body) {
            assert!(names.iter().count() <= body.len());
        }
        if let Ok(copy) = backend::CopyResponse::new(b'G', body) {
            assert!(2 * copy.columns() <= body.len());
        }
        replaced_cells(body);
        let _ = (frame::from_upstream(body), frame::startup(body));
        let _ = backend::key_data(body);
        let _ = backend::parameter_status_of(body);
        drop(backend::negotiated_version(body));
        let _ = backend::ready_for_query_status(body);
        let latin = ClientText::of("WIN1252", "UTF8");
        for (text, how) in
            [(Format::Text, ClientText::UTF8), (Format::Text, latin), (Format::Binary, latin)]
        {
            for oid in [16, 17, 20, 21, 23, 25, 700, 701, 1082, 1114, 1184, 1700, 2950, 1007, 3802]
            {
                // Of each byte at most four are shown, and an ellipsis.
                assert!(parameter_text(oid, (text, how), body).len() <= 8 * body.len() + 4096);
            }
        }
    });
}

/// A row with some of its cells replaced is a row of as many cells, or nothing is written.
fn replaced_cells(body: &[u8]) {
    let frame = written(|o| {
        o.push(b'D');
        o.extend_from_slice(&u32::try_from(body.len() + 4).expect("short").to_be_bytes());
        o.extend_from_slice(body);
    });
    let width = backend::DataRow::new(body).map_or(2, |row| row.len());
    let columns = BTreeSet::from([0, 2]);
    let mut out = b"before".to_vec();
    if row::replace(&mut out, &frame, (width, &columns), b"hidden").is_err() {
        assert_eq!(out, b"before");
        return;
    }
    let new = backend::DataRow::new(&out[6 + 5..]).expect("a row");
    let old = backend::DataRow::new(body).expect("it was read");
    for (at, (old, new)) in old.iter().zip(new.iter()).enumerate() {
        let (old, new) = (old.expect("it was read"), new.expect("a cell"));
        let expected = if columns.contains(&at) { old.map(|_| &b"hidden"[..]) } else { old };
        assert_eq!(new, expected);
    }
}

#[test]
fn answers_to_a_challenge() {
    let seeds = [
        b"n,,n=,r=rOprNGfwEbeRWgbNEkqO".to_vec(),
        b"SCRAM-SHA-256\0\0\0\0\x1cn,,n=,r=rOprNGfwEbeRWgbNEkqO".to_vec(),
        b"c=biws,r=rOprNGfwEbeRWgbNEkqOAAAAAAAAAAAAAAAAAAAAAAAA,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".to_vec(),
    ];
    let words =
        ["n,,", "y,,", "p=tls-server-end-point,,", "r=", ",p=", "c=biws", "a=x", ",m=1", "="];
    Target::new("answers_to_a_challenge", seeds).words(words).run(|bytes| {
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
fn challenges_of_a_server() {
    let random = [0; NONCE_BYTES];
    let ours = "AAAAAAAAAAAAAAAAAAAAAAAA";
    let seeds = [
        format!("r={ours}3rfcNHYJY1ZVvWVs7j,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096").into_bytes(),
        b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=".to_vec(),
        b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0".to_vec(),
    ];
    let keys = Keys::derive(&Secret::new(*b"secret"), b"salt", 1);
    let words = ["r=", ",s=", ",i=", "v=", ours, ",i=1", ",i=4294967295", "=="];
    Target::new("challenges_of_a_server", seeds).words(words).run(|bytes| {
        drop(client::start(bytes.split(|b| *b == 0), Some(&[7; 32]), &random));
        let begin = || client::start([&b"SCRAM-SHA-256"[..]].into_iter(), None, &random);
        let (_, expected, _) = begin().expect("it is offered");
        let Ok(challenge) = expected.challenge(bytes) else { return };
        assert!(challenge.iterations > 0 && challenge.salt.len() <= bytes.len());
        let (proof, _) = challenge.respond(&keys);
        assert!(proof.verify(bytes).is_err(), "nobody's proof");
    });
}

/// Each byte is a message that was sent, or a reply: whatever comes in whatever order, nothing panics,
/// and nothing is owed behind an end.
#[test]
fn what_is_owed() {
    const STEPS: &[u8] = b"QPBdDECSZXyL";
    let seeds = ["PBDESS1", "QTDCZ", "ESGyXSCZ", "EGyS!B!ES", "EZPBES12CZ", "LQLCZ"];
    let seeds = seeds.map(|text| text.as_bytes().to_vec());
    Target::new("what_is_owed", seeds).longest(512).run(|bytes| {
        let mut exchange = Exchange::default();
        for (tag, byte) in bytes.iter().enumerate() {
            let step = match byte.is_ascii_uppercase().then(|| STEPS.iter().position(|s| s == byte))
            {
                Some(Some(at)) => [
                    Step::Query,
                    Step::Parse,
                    Step::Bind,
                    Step::DescribeStatement,
                    Step::DescribePortal,
                    Step::Execute,
                    Step::Close,
                    Step::Sync,
                    Step::CopyEnd,
                    Step::CopyEnd,
                    Step::CopyData,
                    Step::Local,
                ][at],
                _ => {
                    answered(&mut exchange, *byte);
                    continue;
                }
            };
            exchange.push(Owed { step, whose: Whose::Client, tag });
            while exchange.take_local().is_some() {}
        }
        let owed = exchange.len();
        assert_eq!(exchange.take_all().len(), owed);
        assert!(exchange.is_empty() && !exchange.has_strays());
    });
}

/// A reply by a byte of an input. After one out of step a session ends.
fn answered(exchange: &mut Exchange<usize>, byte: u8) {
    const REPLIES: &[u8] = b"12CDEGHIKNSTVZdnst";
    let before = exchange.len();
    match exchange.reply(REPLIES[usize::from(byte) % REPLIES.len()]) {
        Ok(_) => assert!(exchange.len() <= before),
        Err(_) => drop(exchange.take_all()),
    }
    let _ = (exchange.is_local_next(), exchange.is_result_next(), exchange.is_skipping());
    assert!(exchange.unsent().is_none_or(|unsent| unsent.count() <= exchange.len()));
}
