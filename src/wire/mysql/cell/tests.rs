use std::sync::Arc;

use super::*;
use crate::wire::mysql::column::{BINARY, ENUM, SET, UNSIGNED};

const PLAIN: Shape = Shape { code: TypeCode::VAR_STRING, unsigned: false, decimals: 0 };

fn key() -> Key {
    Key::new(b"a key of the tests").expect("long enough")
}

fn column(code: TypeCode, flags: u16, collation: u16) -> Column<'static> {
    Column { code, flags, ..Column::text(b"c", collation) }
}

/// What a cell of that type becomes.
fn masked(
    (column, format): (Column<'_>, Format),
    algorithm: &str,
    cell: Option<&[u8]>,
) -> Option<Vec<u8>> {
    let mask = CellMask {
        mask: Mask::Column(Arc::new(algorithm.parse().expect(algorithm))),
        nulls: Nulls::Stay,
        holds: column_type(&column),
        format,
    };
    let mut out = Vec::new();
    let how = Masking { mask: &mask, shape: Shape::of(&column), key: &key() };
    (apply(how, cell, &mut out) == Shown::Value).then_some(out)
}

fn text(code: TypeCode, algorithm: &str, cell: &str) -> Option<String> {
    let collation = if matches!(code, TypeCode::VAR_STRING | TypeCode::BLOB) { 45 } else { BINARY };
    let masked =
        masked((column(code, 0, collation), Format::Text), algorithm, Some(cell.as_bytes()));
    masked.map(|bytes| String::from_utf8(bytes).expect("text"))
}

#[test]
fn texts_of_every_type_are_masked_or_null() {
    for (code, algorithm, cell, wanted) in [
        (TypeCode::VAR_STRING, "email", "ann@example.org", Some("a***@example.org")),
        (TypeCode::BLOB, "inner(1, 1)", "abcd", Some("a**d")),
        (TypeCode::TINY, "bucket(10)", "17", Some("10")),
        (TypeCode::TINY, "bucket(10)", "-128", None),
        (TypeCode::INT24, "fixed(8388607)", "1", Some("8388607")),
        (TypeCode::INT24, "fixed(8388608)", "1", None),
        (TypeCode::LONGLONG, "full", "1", None),
        (TypeCode::NEWDECIMAL, "bucket(5)", "12.34", Some("10.00")),
        (TypeCode::DOUBLE, "bucket(0.5)", "1.7", Some("1.5")),
        (TypeCode::DOUBLE, "bucket(1000)", "1e18", Some("1e18")),
        (TypeCode::FLOAT, "bucket(10)", "1.7", Some("0")),
        (TypeCode::DATE, "truncate(month)", "2026-11-26", Some("2026-11-01")),
        (TypeCode::DATE, "truncate(month)", "0000-00-00", None),
        (TypeCode::DATE, "truncate(month)", "2026-11-00", None),
        (TypeCode::DATETIME, "truncate(day)", "2026-11-26 10:20:30", Some("2026-11-26 00:00:00")),
        (TypeCode::TIMESTAMP, "truncate(hour)", "2026-11-26 10:20:30", Some("2026-11-26 10:00:00")),
        (TypeCode::TIME, "truncate(hour)", "10:20:30", Some("10:00:00")),
        (TypeCode::TIME, "truncate(hour)", "-10:20:30", None),
        (TypeCode::TIME, "truncate(hour)", "838:00:00", None),
        (TypeCode::BIT, "fixed(1)", "\u{1}", None),
        (TypeCode::GEOMETRY, "full", "x", None),
        (TypeCode(200), "full", "x", None),
        (TypeCode::LONG, "bucket(10)", "seventeen", None),
        (TypeCode::DATE, "truncate(month)", "yesterday", None),
    ] {
        assert_eq!(text(code, algorithm, cell).as_deref(), wanted, "{code:?} {algorithm} {cell}");
    }
}

#[test]
fn a_fraction_of_a_second_has_as_many_digits_as_its_column() {
    for (decimals, wanted) in [(0, ""), (3, ".000"), (6, ".000000"), (31, "")] {
        let column = Column { decimals, ..column(TypeCode::DATETIME, 0, BINARY) };
        let cell = b"2026-11-26 10:20:30.123456";
        let shown = masked((column, Format::Text), "truncate(day)", Some(cell));
        let shown = String::from_utf8(shown.expect("a value")).expect("text");
        assert_eq!(shown, format!("2026-11-26 00:00:00{wanted}"));
    }
}

#[test]
fn a_value_masks_to_the_same_in_both_forms() {
    for (code, flags, algorithm, cell, binary) in [
        (TypeCode::TINY, 0, "bucket(10)", "-5", &[0xfb][..]),
        (TypeCode::TINY, UNSIGNED, "bucket(10)", "205", &[205]),
        (TypeCode::TINY, UNSIGNED, "hash", "205", &[205]),
        (TypeCode::SHORT, 0, "hash", "300", &[0x2c, 1]),
        (TypeCode::YEAR, UNSIGNED, "bucket(10)", "2026", &[0xea, 7]),
        (TypeCode::INT24, 0, "hash", "-1", &[0xff; 4]),
        (TypeCode::LONG, UNSIGNED, "bucket(100)", "4294967295", &[0xff; 4]),
        (TypeCode::LONGLONG, 0, "bucket(100)", "-1", &[0xff; 8]),
        (TypeCode::LONGLONG, UNSIGNED, "bucket(100)", "18446744073709551615", &[0xff; 8]),
        (TypeCode::FLOAT, 0, "bucket(1)", "1.5", &[0, 0, 0xc0, 0x3f]),
        (TypeCode::DOUBLE, 0, "bucket(1)", "1.5", &[0, 0, 0, 0, 0, 0, 0xf8, 0x3f]),
        (TypeCode::NEWDECIMAL, 0, "bucket(5)", "12.34", b"12.34"),
        (TypeCode::DATE, 0, "shift(9)", "2026-11-26", &[0xea, 7, 11, 26]),
        (TypeCode::DATETIME, 0, "truncate(year)", "2026-11-26 00:00:00", &[0xea, 7, 11, 26]),
        (TypeCode::DATETIME, 0, "shift(9)", "2026-11-26 10:20:30", &[0xea, 7, 11, 26, 10, 20, 30]),
        (TypeCode::TIME, 0, "truncate(hour)", "10:20:30", &[0, 0, 0, 0, 0, 10, 20, 30]),
        (TypeCode::TIME, 0, "truncate(hour)", "00:20:30", &[0, 0, 0, 0, 0, 0, 20, 30]),
        (TypeCode::VAR_STRING, 0, "email", "ann@example.org", b"ann@example.org"),
    ] {
        let collation = if code == TypeCode::VAR_STRING { 45 } else { BINARY };
        let column = column(code, flags, collation);
        let as_text = masked((column, Format::Text), algorithm, Some(cell.as_bytes()));
        let as_binary = masked((column, Format::Binary), algorithm, Some(binary));
        let shown = as_binary.map(|bytes| {
            Value::of(code, flags & UNSIGNED != 0, &bytes).expect("a value").to_string()
        });
        let said = as_text.map(|bytes| String::from_utf8(bytes).expect("text"));
        assert_eq!(shown, said, "{code:?} {algorithm} {cell}");
        assert_eq!(said.is_none(), cell == "18446744073709551615", "{code:?} {algorithm} {cell}");
    }
}

#[test]
fn a_cell_that_is_not_of_its_type_is_null() {
    for (code, cell) in [
        (TypeCode::LONG, &[1, 2, 3][..]),
        (TypeCode::DATE, &[0xea, 7, 11, 26, 1, 2, 3]),
        (TypeCode::DATE, &[]),
        (TypeCode::DATETIME, &[0xea, 7, 13, 26]),
        (TypeCode::TIME, &[1, 0, 0, 0, 0, 10, 20, 30]),
        (TypeCode::TIME, &[0, 0, 0, 0, 0, 99, 20, 30]),
        (TypeCode::VAR_STRING, b"caf\xe9"),
    ] {
        let collation = if code == TypeCode::VAR_STRING { 45 } else { BINARY };
        let column = column(code, 0, collation);
        for algorithm in ["bucket(10)", "truncate(month)", "shift(9)", "email", "inner(1, 1)"] {
            let shown = masked((column, Format::Binary), algorithm, Some(cell));
            assert_eq!(shown, None, "{code:?} {cell:?} {algorithm}");
        }
    }
}

#[test]
fn what_a_column_holds_is_told_by_type_flags_and_character_set() {
    for (code, flags, collation, kind) in [
        (TypeCode::STRING, ENUM, 45, Kind::Enumeration),
        (TypeCode::STRING, SET, 45, Kind::Unknown),
        (TypeCode::STRING, 0, 45, Kind::Text),
        (TypeCode::STRING, 0, BINARY, Kind::Bytes),
        (TypeCode::BLOB, 0, 45, Kind::Text),
        (TypeCode::BLOB, 0, BINARY, Kind::Bytes),
        (TypeCode::JSON, 0, BINARY, Kind::Json),
        (TypeCode::BIT, UNSIGNED, BINARY, Kind::Unknown),
        (TypeCode::VECTOR, 0, BINARY, Kind::Unknown),
    ] {
        let column = column(code, flags, collation);
        assert_eq!(column_type(&column), ColumnType::One(kind), "{code:?} {flags}");
    }
}

#[test]
fn null_that_is_hidden_looks_as_other_values_do() {
    let shown = |code, algorithm: &str| {
        let collation = if code == TypeCode::VAR_STRING { 45 } else { BINARY };
        let column = column(code, 0, collation);
        let mask = CellMask {
            mask: Mask::Column(Arc::new(algorithm.parse().expect(algorithm))),
            nulls: Nulls::Hidden,
            holds: column_type(&column),
            format: Format::Text,
        };
        let mut out = Vec::new();
        let how = Masking { mask: &mask, shape: Shape::of(&column), key: &key() };
        let shown = apply(how, None, &mut out);
        (shown == Shown::Value).then(|| String::from_utf8(out).expect("text"))
    };
    assert_eq!(shown(TypeCode::VAR_STRING, "full").as_deref(), Some(WHOLE));
    assert_eq!(shown(TypeCode::VAR_STRING, "email").as_deref(), Some(WHOLE));
    assert_eq!(shown(TypeCode::VAR_STRING, "null"), None);
    assert_eq!(shown(TypeCode::LONG, "fixed(7)").as_deref(), Some("7"));
    assert_eq!(shown(TypeCode::LONG, "bucket(7)"), None);
    assert_eq!(shown(TypeCode::DATE, "fixed(2020-01-01)").as_deref(), Some("2020-01-01"));
}

#[test]
fn a_derived_value_is_a_text_that_says_nothing_or_null() {
    for (code, collation, wanted) in [
        (TypeCode::VAR_STRING, 45, Some(WHOLE)),
        (TypeCode::VAR_STRING, BINARY, None),
        (TypeCode::LONG, BINARY, None),
        (TypeCode::JSON, BINARY, None),
    ] {
        let column = column(code, 0, collation);
        let mask = CellMask {
            mask: Mask::Whole,
            nulls: Nulls::Stay,
            holds: column_type(&column),
            format: Format::Text,
        };
        let mut out = Vec::new();
        let how = Masking { mask: &mask, shape: PLAIN, key: &key() };
        let shown = apply(how, Some(b"secret"), &mut out);
        assert_eq!((shown == Shown::Value).then_some(&out[..]), wanted.map(str::as_bytes));
    }
}
