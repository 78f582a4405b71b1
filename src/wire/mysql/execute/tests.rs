use proptest::prelude::*;

use super::*;
use crate::wire::mysql::command::Command;

const PLAIN: Capabilities = Capabilities::NONE;
const NAMED: Capabilities = Capabilities::QUERY_ATTRIBUTES;
const LONG: Bound = Bound { code: TypeCode::LONG, unsigned: false };
const TEXT: Bound = Bound { code: TypeCode::VAR_STRING, unsigned: false };

/// Statement 7 with these flags, once.
fn execute(flags: u8, rest: &[u8]) -> Vec<u8> {
    [&[0x17, 7, 0, 0, 0, flags, 1, 0, 0, 0], rest].concat()
}

fn parameters(
    message: &[u8],
    (count, capabilities): (usize, Capabilities),
    before: &[Bound],
) -> Result<Vec<String>, WireError> {
    let Command::Execute(execute) = Command::read(message, capabilities)? else {
        panic!("an execution")
    };
    assert_eq!(execute.statement, 7);
    let read = execute.parameters(count, capabilities, |_| false, before)?;
    Ok(read.values.iter().map(|v| v.expect("here").value.to_string()).collect())
}

#[test]
fn parameters_are_read_by_the_types_that_are_bound() {
    let message = execute(0, b"\x04\x01\x03\x00\xfd\x00\x03\x00\x05\0\0\0\x03abc");
    assert_eq!(
        parameters(&message, (3, PLAIN), &[]),
        Ok(vec!["5".into(), "abc".into(), "NULL".into()])
    );
    // The next time they are not told.
    let again = execute(0, b"\x00\x00\x06\0\0\0\x01x");
    assert_eq!(parameters(&again, (2, PLAIN), &[LONG, TEXT]), Ok(vec!["6".into(), "x".into()]));
    assert!(parameters(&again, (2, PLAIN), &[]).is_err(), "nobody knows what they are");
}

#[test]
fn a_statement_without_parameters_has_nothing_behind_it() {
    assert_eq!(parameters(&execute(0, b""), (0, PLAIN), &[]), Ok(vec![]));
    assert_eq!(parameters(&execute(0, b""), (0, NAMED), &[]), Ok(vec![]));
    assert!(parameters(&execute(0, b"\0"), (0, PLAIN), &[]).is_err());
    assert!(parameters(&execute(0x10, b""), (0, PLAIN), &[]).is_err(), "an unknown flag");
}

#[test]
fn attributes_of_an_execution_have_names() {
    let message = execute(8, b"\x02\x00\x01\x03\x00\x00\xfd\x00\x05trace\x09\0\0\0\x02id");
    let Ok(Command::Execute(execute)) = Command::read(&message, NAMED) else { panic!("reads") };
    let read = execute.parameters(1, NAMED, |_| false, &[]).expect("reads");
    let shown: Vec<_> =
        read.values.iter().flatten().map(|v| (v.name, v.value.to_string())).collect();
    assert_eq!(shown, [(&b""[..], "9".to_owned()), (b"trace", "id".to_owned())]);
    assert!(execute.parameters(3, NAMED, |_| false, &[]).is_err(), "fewer than the statement has");
}

#[test]
fn what_was_sent_piece_by_piece_is_not_there() {
    let message = execute(0, b"\x00\x01\xfc\x00\x03\x00\x05\0\0\0");
    let Ok(Command::Execute(execute)) = Command::read(&message, PLAIN) else { panic!("reads") };
    let read = execute.parameters(2, PLAIN, |at| at == 0, &[]).expect("reads");
    assert_eq!(read.values[0], None);
    assert_eq!(read.values[1].expect("here").value, Value::Signed(5));
}

#[test]
fn a_bulk_is_read_row_by_row() {
    let rest = b"\x03\x00\xfd\x00\x00\x01\0\0\0\x00\x01a\x02\x01\x00\x02\0\0\0\x03";
    let message = [&[0xfa, 7, 0, 0, 0, 128, 0][..], rest].concat();
    let Ok(Command::BulkExecute(bulk)) = Command::read(&message, PLAIN) else { panic!("reads") };
    let mut rows = Vec::new();
    let types = bulk.rows(2, &[], |row| rows.push(row.to_vec())).expect("reads");
    assert_eq!(types, [LONG, TEXT]);
    let (value, null) = (Given::Value(Value::Signed(1)), Given::Value(Value::Null));
    assert_eq!(
        rows,
        [
            [value, Given::Value(Value::Bytes(b"a"))],
            [Given::Default, null],
            [Given::Value(Value::Signed(2)), Given::Ignored],
        ]
    );
    assert!(bulk.rows(0, &[], |_| {}).is_err(), "no end would be found");
    let torn = [&[0xfa, 7, 0, 0, 0, 128, 0][..], &rest[..rest.len() - 1]].concat();
    let Ok(Command::BulkExecute(torn)) = Command::read(&torn, PLAIN) else { panic!("reads") };
    assert!(torn.rows(2, &[], |_| {}).is_err());
}

proptest! {
    #[test]
    fn no_parameters_panic(
        rest in prop::collection::vec(any::<u8>(), 0..60), count in 0_usize..5, named: bool, flags: u8,
    ) {
        let capabilities = if named { NAMED } else { PLAIN };
        let message = execute(flags & 15, &rest);
        drop(parameters(&message, (count, capabilities), &[LONG, TEXT]));
        let bulk = [&[0xfa, 7, 0, 0, 0, 128, 0][..], &rest].concat();
        if let Ok(Command::BulkExecute(bulk)) = Command::read(&bulk, capabilities) {
            drop(bulk.rows(count, &[LONG, TEXT], |_| {}));
        }
    }
}
