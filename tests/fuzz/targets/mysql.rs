//! Bytes of MySQL's protocol, of both sides.

use std::sync::Arc;

use hallpass::{
    kernel::mask::{self, Format, Key, Mask, Nulls, Plan},
    wire::mysql::{
        Capabilities,
        cell::{Shape, column_type},
        column::{self, Column},
        command::Command,
        greeting::Greeting,
        login::{Answer, Challenge, LogIn},
        packet::{self, Extent, Header},
        reply::{self, EofPacket, ErrPacket, OkPacket, Status},
        response::{Kind, Reply, Response},
        row::{self, BinaryRow, TextRow},
        value::TypeCode,
    },
};

use crate::harness::Target;

/// What the first byte of an input stands for, so that one target tries several agreements.
fn agreed(bytes: &[u8]) -> (Capabilities, &[u8]) {
    let all = [
        Capabilities::DEPRECATE_EOF,
        Capabilities::SESSION_TRACK,
        Capabilities::QUERY_ATTRIBUTES,
        Capabilities::BULK,
        Capabilities::EXTENDED_METADATA,
    ];
    let (which, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let chosen = all.into_iter().enumerate().filter(|(at, _)| which & (1 << at) != 0);
    (chosen.fold(Capabilities::NONE, |sum, (_, one)| sum | one), rest)
}

/// Makes the length of each packet that begins behind the first byte what it is, and their numbers follow.
fn packets_whole(input: &mut [u8]) {
    let mut rest = input.get_mut(1..).unwrap_or_default();
    for sequence in 1.. {
        let left = rest.len().saturating_sub(packet::HEADER_LENGTH);
        let Some(header) = rest.first_chunk_mut::<4>() else { return };
        let length = usize::from(header[0]).min(left);
        *header = [length as u8, 0, 0, sequence];
        rest = &mut rest[packet::HEADER_LENGTH + length..];
    }
}

#[test]
fn log_ins_of_mysql() {
    let needed = hallpass::wire::mysql::capability::NEEDED;
    let mut greeting = Vec::new();
    Greeting {
        version: b"5.5.5-10.11.9-MariaDB".to_vec(),
        connection: 7,
        nonce: [b'n'; 20],
        capabilities: needed,
        collation: 45,
        status: 2,
        method: b"caching_sha2_password".to_vec(),
    }
    .write(&mut greeting);
    let mut log_in = Vec::new();
    LogIn {
        capabilities: needed | Capabilities::CONNECT_WITH_DB | Capabilities::CONNECT_ATTRS,
        packet_max: 1 << 24,
        collation: 45,
        user: b"alice".to_vec(),
        proof: vec![1; 32],
        schema: Some(b"shop".to_vec()),
        method: b"caching_sha2_password".to_vec(),
        attributes: vec![(b"_pid".to_vec(), b"7".to_vec())],
    }
    .write(&mut log_in, 1);
    let mut switch = Vec::new();
    Challenge::Switch { method: b"mysql_native_password", data: &[b'n'; 20] }.write(&mut switch, 2);
    let seeds = [greeting, log_in, switch].map(|packet| packet[4..].to_vec());
    Target::new("log_ins_of_mysql", seeds).words(["mysql_clear_password\0", "\u{1}\u{3}"]).run(
        |bytes| {
            if let Ok(greeting) = Greeting::read(bytes) {
                let mut again = Vec::new();
                greeting.write(&mut again);
                assert_eq!(Greeting::read(&packet::payload(&again)), Ok(greeting));
            }
            if let Ok(Answer::LogIn(log_in)) = Answer::read(bytes) {
                let mut again = Vec::new();
                log_in.write(&mut again, 1);
                let read = Answer::read(&packet::payload(&again));
                // Its proof may be longer than its capabilities can say.
                if log_in.proof.len() < 0x100 {
                    assert_eq!(read, Ok(Answer::LogIn(log_in)));
                }
            }
            let _ = Challenge::read(bytes);
        },
    );
}

#[test]
fn commands_of_mysql() {
    let seeds = [
        &b"\x00\x03SELECT 1"[..],
        b"\x04\x03\x01\x01\x00\x01\xfd\x00\x05trace\x03abcSELECT 1",
        b"\x00\x16SELECT ?",
        b"\x00\x17\x07\0\0\0\x00\x01\0\0\0\x00\x01\x03\x00\xfd\x00\x05\0\0\0\x03abc",
        b"\x04\x17\x07\0\0\0\x08\x01\0\0\0\x02\x00\x01\x03\x00\x00\xfd\x00\x01t\x05\0\0\0\x03abc",
        b"\x08\xfa\x07\0\0\0\x80\x00\x03\x00\xfd\x00\x00\x01\0\0\0\x00\x01a\x02\x01",
        b"\x00\x18\x07\0\0\0\x00\x00piece",
        b"\x00\x19\x07\0\0\0",
        b"\x00\x1c\x07\0\0\0\x0a\0\0\0",
        b"\x00\x04orders\0%",
        b"\x00\x1b\x00\x00",
        b"\x00\x0e",
    ];
    let seeds = seeds.map(<[u8]>::to_vec);
    Target::new("commands_of_mysql", seeds).words(["SELECT 1", "\u{c}\u{0}"]).run(|bytes| {
        let (capabilities, payload) = agreed(bytes);
        match Command::read(payload, capabilities) {
            Ok(Command::Execute(execute)) => {
                for count in [0, 1, 2, 9] {
                    let read = execute.parameters(count, capabilities, |at| at == 1, &[]);
                    drop(format!("{read:?}"));
                }
            }
            Ok(Command::BulkExecute(bulk)) => {
                drop(bulk.rows(2, &[], |row| drop(format!("{row:?}"))));
            }
            Ok(command) => {
                drop(format!("{command:?} {:?}", Kind::of(&command)));
            }
            Err(error) => drop(error.to_string()),
        }
    });
}

#[test]
fn answers_of_mysql() {
    let ended = |out: &mut Vec<u8>, sequence, status| {
        EofPacket { warnings: 0, status }.write(out, sequence);
    };
    let mut rows = vec![0];
    packet::put(&mut rows, 1, |out| out.push(1));
    Column::text(b"c", 45).write(&mut rows, 2, Capabilities::NONE);
    ended(&mut rows, 3, Status::AUTOCOMMIT);
    packet::put(&mut rows, 4, |out| out.extend(b"\x01x"));
    ended(&mut rows, 5, Status::MORE_RESULTS);
    let done = OkPacket { info: b"Rows matched: 1", ..OkPacket::default() };
    done.write(&mut rows, (6, reply::OK), Capabilities::NONE);
    let mut failed = vec![3];
    ErrPacket { number: 1064, state: *b"42000", message: b"no" }.write(&mut failed, 1);
    let mut tracked = vec![3];
    let done = OkPacket { changes: b"\x01\x05\x04shop", ..OkPacket::default() };
    done.write(&mut tracked, (1, reply::OK), Capabilities::SESSION_TRACK);
    let mut prepared = vec![1];
    packet::put(&mut prepared, 1, |out| out.extend([0, 9, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]));
    Column::text(b"?", 45).write(&mut prepared, 2, Capabilities::NONE);
    let target = Target::new("answers_of_mysql", [rows, failed, tracked, prepared]);
    target.words(["def", "\u{0}\u{0}\u{1}"]).mended(packets_whole).run(|bytes| {
        let (capabilities, rest) = agreed(bytes);
        let kinds =
            [Kind::Done, Kind::Line, Kind::Result, Kind::Prepared, Kind::Rows, Kind::Listed];
        for kind in kinds {
            answer(Response::new(kind, 1, capabilities), capabilities, rest);
        }
    });
}

fn answer(mut response: Response, capabilities: Capabilities, mut rest: &[u8]) {
    let (mut columns, mut types) = (0, Vec::new());
    let mut next = 1;
    while let Ok(Extent::Here(span)) = packet::extent(rest, next, 4096) {
        next = span.next;
        let header = Header::read(rest).expect("it is here");
        let payload = packet::payload(&rest[..span.length]);
        rest = &rest[span.length..];
        assert!(!response.is_over() || response.clone().take(header, &payload).is_err());
        let Ok(reply) = response.take(header, &payload) else { return };
        match reply {
            Reply::Begins(count) => columns = count as usize,
            Reply::Column(column) => {
                if let Ok(column) = Column::read(column, false, capabilities) {
                    types.push(column.code);
                }
            }
            Reply::Row => {
                let mut row = TextRow::new(&payload);
                while row.cell().is_ok() {}
                if let Ok(mut row) = BinaryRow::new(&payload, columns) {
                    for at in 0..columns {
                        let code = types.get(at).copied().unwrap_or(TypeCode::LONG);
                        let _ = row.cell(code);
                    }
                }
            }
            Reply::Done(ok) => drop(reply::changes(ok.changes)),
            Reply::Parameter(_)
            | Reply::ColumnsEnd(_)
            | Reply::RowsEnd(_)
            | Reply::Failed(_)
            | Reply::LocalFile(_)
            | Reply::Prepared(_)
            | Reply::Line(_) => {}
        }
    }
}

#[test]
fn masked_rows_of_mysql() {
    let codes = [
        TypeCode::LONG,
        TypeCode::VAR_STRING,
        TypeCode::DATETIME,
        TypeCode::NEWDECIMAL,
        TypeCode::TIME,
        TypeCode::BLOB,
        TypeCode::JSON,
    ];
    let columns = codes.map(|code| {
        let collation = if code == TypeCode::VAR_STRING { 45 } else { column::BINARY };
        Column { code, ..Column::text(b"c", collation) }
    });
    let shapes = columns.map(|column| Shape::of(&column));
    let key = Arc::new(Key::new(b"a key of the tests").expect("long enough"));
    let algorithms = ["hash", "inner(1, 1)", "truncate(month)", "bucket(5)", "full", "email"];
    let seeds = [
        b"\x00\x0217\x04abcd\x132026-11-26 10:20:30\x0512.34\x0810:20:30\x02xy\x02{}".to_vec(),
        b"\x01\x00\x00\x00\x11\0\0\0\x04abcd\x04\xea\x07\x0b\x1a\x0512.34\x08\0\0\0\0\0\x0a\x14\x1e\x02xy\x02{}"
            .to_vec(),
    ];
    Target::new("masked_rows_of_mysql", seeds).run(|bytes| {
        let (which, payload) = bytes.split_first().unwrap_or((&0, &[]));
        let format = if which & 1 == 0 { Format::Text } else { Format::Binary };
        let masked = columns.iter().enumerate().map(|(at, column)| {
            let algorithm = algorithms[(at + usize::from(which >> 1)) % algorithms.len()];
            let mask = Mask::Column(Arc::new(algorithm.parse().expect("one")));
            mask::Column {
                holds: column_type(column),
                format,
                mask: (at % 2 == usize::from(which >> 7)).then_some((mask, Nulls::Stay)),
            }
        });
        let plan = Plan::new(masked, &key);
        let mut out = b"before".to_vec();
        let Ok(_) = row::rewrite(&mut out, payload, (&shapes, &plan, format)) else {
            assert_eq!(out, b"before");
            return;
        };
        // What was a row is one, and masks to a row again.
        let again = out.split_off(6);
        let mut twice = Vec::new();
        row::rewrite(&mut twice, &again, (&shapes, &plan, format)).expect("a row");
    });
}
