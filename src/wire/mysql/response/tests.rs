use proptest::prelude::*;

use super::*;
use crate::wire::mysql::{column::Column, packet, reply::GENERAL_STATE};

const OLD: Capabilities = Capabilities::NONE;
const NEW: Capabilities = Capabilities::DEPRECATE_EOF;

/// A packet by its letter: `k`: OK, `K`: the same with more results; `e`, `E`: EOF, or the OK packet in its
/// place; `u`: such an end with a cursor; `x`: ERR; `1`…`9`: a count of columns; `c`: a column; `r`: a row;
/// `f`: a file; `p`: a statement with one parameter and two columns; `q`: one with neither; `t`: a line.
fn packet(letter: char, sequence: u8, capabilities: Capabilities) -> Vec<u8> {
    let mut out = Vec::new();
    let ok = |status| OkPacket { status, ..OkPacket::default() };
    let mut end = |status: Status| {
        if capabilities.has(NEW) {
            ok(status).write(&mut out, (sequence, reply::EOF), capabilities)
        } else {
            EofPacket { status, ..EofPacket::default() }.write(&mut out, sequence)
        }
    };
    let bytes = |out: &mut Vec<u8>, bytes: &[u8]| {
        packet::put(out, sequence, |out| out.extend_from_slice(bytes))
    };
    match letter {
        'e' => end(Status::AUTOCOMMIT),
        'E' => end(Status::MORE_RESULTS),
        'u' => end(Status::CURSOR),
        'k' => ok(Status::AUTOCOMMIT).write(&mut out, (sequence, reply::OK), capabilities),
        'K' => ok(Status::MORE_RESULTS).write(&mut out, (sequence, reply::OK), capabilities),
        'x' => ErrPacket { number: 1064, state: GENERAL_STATE, message: b"no" }
            .write(&mut out, sequence),
        'c' => Column::text(b"c", 45).write(&mut out, sequence, Capabilities::NONE),
        'r' => bytes(&mut out, b"\x01x"),
        'f' => bytes(&mut out, b"\xfb/etc/passwd"),
        'p' => bytes(&mut out, &[0, 9, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0]),
        'q' => bytes(&mut out, &[0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        't' => bytes(&mut out, b"Uptime: 1"),
        count => bytes(&mut out, &[count.to_digit(10).expect("a count") as u8]),
    };
    out
}

/// What these packets were taken for, one letter each; `!` where one has no place.
fn taken(kind: Kind, letters: &str, capabilities: Capabilities) -> String {
    let mut response = Response::new(kind, 1, capabilities);
    let mut out = String::new();
    for (letter, sequence) in letters.chars().zip(1..) {
        let bytes = packet(letter, sequence, capabilities);
        let header = Header::read(&bytes).expect("a header");
        let Ok(reply) = response.take(header, &bytes[HEADER_LENGTH..]) else {
            out.push('!');
            return out;
        };
        out.push(match reply {
            Reply::Begins(_) => 'n',
            Reply::Parameter(_) => 'a',
            Reply::Column(_) => 'c',
            Reply::ColumnsEnd(_) => ';',
            Reply::Row => 'r',
            Reply::RowsEnd(_) => '.',
            Reply::Done(_) => 'k',
            Reply::Failed(_) => 'x',
            Reply::LocalFile(_) => 'f',
            Reply::Prepared(_) => 'p',
            Reply::Line(_) => 't',
        });
        if letter == 'f' {
            assert!(response.wants_file());
        }
    }
    if response.is_over() {
        out.push('$');
    }
    out
}

#[test]
fn rows_are_taken_together_as_far_as_they_go() {
    for capabilities in [OLD, NEW] {
        let header = if capabilities.has(NEW) { "1c" } else { "1ce" };
        for (rest, wanted) in [("rrre", 3), ("rrx", 2), ("e", 0), ("rrr", 3), ("x", 0)] {
            let letters = format!("{header}{rest}");
            let mut packets = letters.chars().zip(1..).map(|(l, n)| packet(l, n, capabilities));
            let mut one_by_one = Response::new(Kind::Result, 1, capabilities);
            for bytes in packets.by_ref().take(header.len()) {
                let header = Header::read(&bytes).expect("a header");
                one_by_one.take(header, &bytes[HEADER_LENGTH..]).expect("has its place");
            }
            let mut together = one_by_one.clone();
            let bytes: Vec<u8> = packets.flatten().collect();
            // A row that isn't here whole waits.
            let row = HEADER_LENGTH + 2;
            for cut in 0..bytes.len() {
                let taken = together.clone().take_rows(&bytes[..cut], |_| {});
                assert_eq!(taken, (cut / row).min(wanted) * row, "{letters} {cut}");
            }
            let mut lengths = Vec::new();
            let taken = together.take_rows(&bytes, |length| lengths.push(length));
            assert_eq!((taken, &lengths), (wanted * row, &vec![2; wanted]), "{letters}");
            for _ in 0..wanted {
                let header = Header { length: 2, sequence: one_by_one.next() };
                assert_eq!(one_by_one.take(header, &[]), Ok(Reply::Row));
            }
            assert_eq!(together, one_by_one);
        }
    }
}

#[test]
fn rows_that_are_no_rows_are_not_taken_with_others() {
    let mut response = Response::new(Kind::Rows, 1, NEW);
    let row = packet('r', 1, NEW);
    // Before its turn, out of order, or as long as a packet can be.
    assert_eq!(Response::new(Kind::Result, 1, NEW).take_rows(&row, |_| {}), 0);
    assert_eq!(response.take_rows(&packet('r', 2, NEW), |_| {}), 0);
    let mut long = vec![b'x'; PART_MAX + HEADER_LENGTH];
    long[..HEADER_LENGTH].copy_from_slice(&[0xff, 0xff, 0xff, 1]);
    assert_eq!(response.take_rows(&long, |_| {}), 0);
    // What follows such a one belongs to it, whatever it looks like.
    let header = Header::read(&long).expect("a header");
    assert_eq!(response.take(header, &[]), Ok(Reply::Row));
    assert_eq!(response.take_rows(&packet('r', 2, NEW), |_| {}), 0);
}

#[test]
fn results_are_taken_packet_by_packet() {
    for (capabilities, letters, wanted) in [
        (OLD, "k", "k$"),
        (NEW, "k", "k$"),
        (OLD, "x", "x$"),
        (OLD, "2cceerk", "ncc;.!"),
        (OLD, "2ccerre", "ncc;rr.$"),
        (NEW, "2ccrre", "nccrr.$"),
        (OLD, "1cee", "nc;.$"),
        (NEW, "1ce", "nc.$"),
        (OLD, "1cerrx", "nc;rrx$"),
        (NEW, "1crrx", "ncrrx$"),
        // Several results.
        (OLD, "1cerEk", "nc;r.k$"),
        (NEW, "1crE1crE", "ncr.ncr."),
        (OLD, "KKx", "kkx$"),
        // The rows of a cursor wait.
        (OLD, "2ccu", "ncc;$"),
        (NEW, "2ccu", "ncc.$"),
        (OLD, "fk", "fk$"),
        (OLD, "fx", "fx$"),
        // What has no place.
        (OLD, "0", "!"),
        (OLD, "kk", "k!"),
        (OLD, "kx", "k!"),
        (OLD, "2cck", "ncc!"),
        (OLD, "e", "!"),
    ] {
        assert_eq!(
            taken(Kind::Result, letters, capabilities),
            wanted,
            "{letters} {capabilities:?}"
        );
    }
}

#[test]
fn other_answers_are_taken_packet_by_packet() {
    for (kind, capabilities, letters, wanted) in [
        (Kind::Done, OLD, "k", "k$"),
        (Kind::Done, OLD, "e", ".$"),
        (Kind::Done, NEW, "e", "k$"),
        (Kind::Done, OLD, "x", "x$"),
        (Kind::Done, OLD, "1", "!"),
        (Kind::Line, OLD, "t", "t$"),
        (Kind::Line, OLD, "x", "x$"),
        (Kind::Prepared, OLD, "pcecce", "pa;cc;$"),
        (Kind::Prepared, NEW, "pccc", "pacc$"),
        (Kind::Prepared, OLD, "q", "p$"),
        (Kind::Prepared, OLD, "x", "x$"),
        (Kind::Prepared, OLD, "pck", "pa!"),
        (Kind::Rows, OLD, "rre", "rr.$"),
        (Kind::Rows, NEW, "e", ".$"),
        (Kind::Rows, NEW, "x", "x$"),
        (Kind::Listed, OLD, "cce", "cc.$"),
        (Kind::Listed, NEW, "cce", "cc.$"),
        (Kind::Listed, OLD, "x", "x$"),
    ] {
        let found = taken(kind, letters, capabilities);
        assert_eq!(found, wanted, "{kind:?} {letters} {capabilities:?}");
    }
}

#[test]
fn a_row_as_long_as_a_packet_can_be_goes_on_whatever_it_looks_like() {
    for capabilities in [OLD, NEW] {
        let mut response = Response::new(Kind::Rows, 1, capabilities);
        let long = |sequence| Header { length: PART_MAX, sequence };
        // An end, an error and an empty packet are parts of the row.
        for (header, first) in
            [(long(1), reply::EOF), (long(2), reply::ERR), (Header { length: 0, sequence: 3 }, 0)]
        {
            assert!(response.is_row(header, first));
            assert_eq!(response.take(header, &[first]), Ok(Reply::Row));
        }
        let end = packet('e', 4, capabilities);
        let header = Header::read(&end).expect("a header");
        assert!(matches!(response.take(header, &end[4..]), Ok(Reply::RowsEnd(_))));
        assert!(response.is_over());
    }
}

#[test]
fn a_packet_out_of_order_has_no_place() {
    let mut response = Response::new(Kind::Done, 1, OLD);
    let bytes = packet('k', 2, OLD);
    let header = Header::read(&bytes).expect("a header");
    assert!(response.take(header, &bytes[4..]).is_err());
}

#[test]
fn the_answer_to_a_file_goes_on_behind_the_clients_packets() {
    let mut response = Response::new(Kind::Result, 1, OLD);
    let bytes = packet('f', 1, OLD);
    let header = Header::read(&bytes).expect("a header");
    assert_eq!(response.take(header, &bytes[4..]), Ok(Reply::LocalFile(b"/etc/passwd")));
    for (length, sequence) in [(PART_MAX, 2), (0, 3), (7, 4), (0, 5)] {
        assert!(response.wants_file());
        response.file_packet(Header { length, sequence });
    }
    assert!(!response.wants_file(), "what comes behind it is no file");
    let bytes = packet('k', 6, OLD);
    let header = Header::read(&bytes).expect("a header");
    assert!(matches!(response.take(header, &bytes[4..]), Ok(Reply::Done(_))));
}

proptest! {
    #[test]
    fn no_answer_panics(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..24), 0..12),
        which in 0_usize..6, deprecates: bool,
    ) {
        let kinds =
            [Kind::Done, Kind::Line, Kind::Result, Kind::Prepared, Kind::Rows, Kind::Listed];
        let capabilities = if deprecates { NEW } else { OLD };
        let mut response = Response::new(kinds[which], 1, capabilities);
        for (payload, sequence) in packets.iter().zip(1..) {
            let header = Header { length: payload.len(), sequence };
            if response.take(header, payload).is_err() {
                break;
            }
        }
    }
}
