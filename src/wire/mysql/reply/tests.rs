use proptest::prelude::*;

use super::*;
use crate::{kernel::refusal::RefusalKind, wire::mysql::packet::payload};

const TRACKS: Capabilities = Capabilities::SESSION_TRACK;
const PLAIN: Capabilities = Capabilities::NONE;

fn written(write: impl FnOnce(&mut Vec<u8>) -> u8) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    payload(&out).into_owned()
}

#[test]
fn an_ok_comes_back_as_it_was_said() {
    let changes = b"\x01\x05\x04shop";
    let ok = OkPacket {
        affected: 300,
        last_number: 7,
        status: Status(Status::AUTOCOMMIT.0 | Status::CHANGES.0),
        warnings: 2,
        info: b"Records: 1",
        changes,
    };
    let tracked = written(|out| ok.write(out, (1, OK), TRACKS));
    assert_eq!(OkPacket::read(&tracked, TRACKS), Ok(ok));
    // Whoever didn't ask is not told; a length stands before the text as before.
    let untold = written(|out| ok.write(out, (1, EOF), PLAIN));
    assert_eq!(untold, b"\xfe\xfc\x2c\x01\x07\x02\0\x02\0\x0aRecords: 1");
    let wanted = OkPacket { changes: &[], status: Status::AUTOCOMMIT, ..ok };
    assert_eq!(OkPacket::read(&untold, PLAIN), Ok(wanted));
    assert_eq!((untold[0], tracked[0]), (EOF, OK));
    let bare = OkPacket { status: Status::AUTOCOMMIT, ..OkPacket::default() };
    assert_eq!(written(|out| bare.write(out, (1, OK), TRACKS)), [0, 0, 0, 2, 0, 0, 0]);
    assert_eq!(OkPacket::read(&[0, 0, 0, 2, 0, 0, 0], TRACKS), Ok(bare));
}

#[test]
fn an_error_and_an_end_come_back_as_they_were_said() {
    let error = ErrPacket { number: 1142, state: *b"42000", message: b"no" };
    assert_eq!(ErrPacket::read(&written(|out| error.write(out, 1))), Ok(error));
    let before_log_in = ErrPacket { number: 1040, state: GENERAL_STATE, message: b"Too many" };
    assert_eq!(ErrPacket::read(b"\xff\x10\x04Too many"), Ok(before_log_in));
    let end = EofPacket { warnings: 1, status: Status::MORE_RESULTS };
    assert_eq!(EofPacket::read(&written(|out| end.write(out, 1))), Ok(end));
    assert!(ErrPacket::read(b"\xff\xff\xff\x01").is_err(), "progress");
    assert!(EofPacket::read(b"\xfe\0\0\0\0\0").is_err());
}

#[test]
fn an_end_is_told_from_a_row_that_begins_with_the_same_byte() {
    let deprecated = Capabilities::DEPRECATE_EOF;
    assert!(is_end(EOF, 5, PLAIN) && is_end(EOF, 8, PLAIN));
    assert!(!is_end(EOF, 9, PLAIN), "a cell with a length of eight bytes");
    assert!(is_end(EOF, 5, deprecated) && is_end(EOF, 4000, deprecated));
    assert!(!is_end(EOF, packet::PART_MAX, deprecated));
    assert!(!is_end(OK, 5, deprecated));
}

#[test]
fn a_refusal_says_what_to_do_in_its_only_text() {
    let refusal = Refusal::new(RefusalKind::RelationDenied, "denied: select on shop.orders")
        .with_hint("SELECT hallpass.request('select', '30m', 'say why');");
    let payload = written(|out| refuse(out, 1, &refusal));
    let error = ErrPacket::read(&payload).expect("an error");
    assert_eq!((error.number, &error.state), (1142, b"42000"));
    let text = std::str::from_utf8(error.message).expect("text");
    assert_eq!(
        text,
        "denied: select on shop.orders. SELECT hallpass.request('select', '30m', 'say why');"
    );
    let long = Refusal::new(RefusalKind::Internal, "é".repeat(1000));
    let payload = written(|out| refuse(out, 1, &long));
    let text = ErrPacket::read(&payload).expect("an error").message.to_vec();
    assert!(text.len() <= MESSAGE_MAX && String::from_utf8(text).is_ok());
}

#[test]
fn what_has_changed_is_told_in_order() {
    let bytes = b"\x00\x0f\x0aautocommit\x03OFF\x01\x05\x04shop\x02\x02\x011\x05\x09\x08T_______\x04\x02\0\0";
    assert_eq!(
        changes(bytes),
        Ok(vec![
            Change::Setting { name: b"autocommit", value: b"OFF" },
            Change::Schema(b"shop"),
            Change::Other,
            Change::Transaction(b"T_______"),
            Change::Unread(4),
        ])
    );
    for cut in [1, 5, 16, 20, bytes.len() - 1] {
        assert!(changes(&bytes[..cut]).is_err(), "{cut}");
    }
}

proptest! {
    #[test]
    fn no_reply_panics(bytes in prop::collection::vec(any::<u8>(), 0..60), tracks: bool) {
        let _ = OkPacket::read(&bytes, if tracks { TRACKS } else { PLAIN });
        let _ = ErrPacket::read(&bytes);
        let _ = EofPacket::read(&bytes);
        drop(changes(&bytes));
    }
}
