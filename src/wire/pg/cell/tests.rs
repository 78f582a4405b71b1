use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::kernel::mask::Width;

fn key() -> Key {
    Key::new(b"a key of the tests").expect("long enough")
}

fn mask(algorithm: &str, holds: ColumnType, format: Format) -> CellMask {
    let algorithm = algorithm.parse().unwrap_or_else(|error| panic!("{algorithm}: {error}"));
    CellMask { mask: Mask::Column(Arc::new(algorithm)), nulls: Nulls::Stay, holds, format }
}

fn shown(mask: &CellMask, cell: Option<&[u8]>) -> Option<Vec<u8>> {
    let mut out = b"before".to_vec();
    let shown = apply(mask, cell, &key(), &mut out);
    let value = out.strip_prefix(b"before").expect("what was there stays").to_vec();
    match shown {
        Shown::Value => Some(value),
        Shown::Null => {
            assert_eq!(value, b"", "nothing is appended for NULL");
            None
        }
    }
}

/// What a cell of text becomes; `NULL` for NULL.
fn text(algorithm: &str, holds: ColumnType, cell: &str) -> String {
    let shown = shown(&mask(algorithm, holds, Format::Text), Some(cell.as_bytes()));
    shown.map_or("NULL".to_owned(), |cell| String::from_utf8(cell).expect("text"))
}

fn binary(algorithm: &str, kind: Kind, cell: &[u8]) -> Option<Vec<u8>> {
    shown(&mask(algorithm, ColumnType::One(kind), Format::Binary), Some(cell))
}

const INT4: Kind = Kind::Integer(Width::Four);

#[test]
fn each_type_is_masked_as_itself_or_null() {
    for (kind, algorithm, cell, masked) in [
        (Kind::Text, "email", "alice@example.com", "a***@example.com"),
        (Kind::Text, "full", "", "******"),
        (Kind::Padded, "inner(0, 2)", "abc       ", "*bc"),
        (Kind::Padded, "inner(0, 2)", "          ", "******"),
        (INT4, "bucket(10)", "-17", "-20"),
        (INT4, "full", "17", "NULL"),
        (INT4, "fixed(0)", "17", "0"),
        (Kind::Integer(Width::Two), "fixed(40000)", "17", "NULL"),
        (Kind::Single, "bucket(0.5)", "1.7", "1.5"),
        (Kind::Double, "bucket(10)", "17.3", "10"),
        (Kind::Double, "bucket(10)", "1e+300", "NULL"),
        (Kind::Double, "bucket(10)", "Infinity", "NULL"),
        (Kind::Double, "fixed(1e20)", "NaN", "1e20"),
        (Kind::Decimal, "bucket(10)", "17.30", "10.00"),
        (Kind::Decimal, "bucket(10)", "NaN", "NULL"),
        (Kind::Decimal, "fixed(-1.50)", "NaN", "-1.50"),
        (Kind::Boolean, "fixed(true)", "f", "t"),
        (Kind::Boolean, "hash", "f", "NULL"),
        (Kind::Date, "truncate(month)", "2024-05-16", "2024-05-01"),
        (Kind::Date, "truncate(year)", "0044-03-15 BC", "0044-01-01 BC"),
        (Kind::Date, "truncate(month)", "infinity", "NULL"),
        (Kind::Date, "fixed(2000-01-01)", "-infinity", "2000-01-01"),
        // Other styles aren't guessed at.
        (Kind::Date, "truncate(month)", "05-16-2024", "NULL"),
        (Kind::Date, "truncate(month)", "16.05.2024", "NULL"),
        (Kind::Time, "truncate(hour)", "10:20:30.5", "10:00:00"),
        (Kind::Timestamp, "truncate(hour)", "2024-05-16 10:20:30.5", "2024-05-16 10:00:00"),
        (Kind::Timestamp, "truncate(year)", "infinity", "NULL"),
        // An instant's day is that of UTC.
        (Kind::TimestampTz, "truncate(day)", "2024-05-16 01:20:30+02", "2024-05-15 00:00:00+00"),
        (
            Kind::TimestampTz,
            "truncate(minute)",
            "2024-05-16 01:20:30-03:30",
            "2024-05-16 04:50:00+00",
        ),
        (Kind::TimestampTz, "truncate(day)", "2024-05-16 01:20:30", "NULL"),
        (Kind::Uuid, "full", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "NULL"),
        (Kind::Json, "json($.a, full)", "{\"a\":1, \"b\":2}", "{\"a\":\"******\", \"b\":2}"),
        (Kind::Jsonb, "full", "{\"a\": 1}", "\"******\""),
        (Kind::Bytes, "full", "\\x00ff", "\\x2a2a2a2a2a2a"),
        (Kind::Bytes, "inner(1, 1)", "\\x00ff01", "\\x002a01"),
        (Kind::Bytes, "inner(1, 1)", "a\\\\\\001", "\\x612a01"),
        (Kind::Enumeration, "full", "happy", "NULL"),
        (Kind::Enumeration, "fixed(ok)", "happy", "ok"),
        (Kind::Money, "bucket(10)", "$17.00", "NULL"),
        (Kind::Inet, "full", "127.0.0.1", "NULL"),
        (Kind::Interval, "full", "1 day", "NULL"),
        (Kind::Composite, "full", "(1,2)", "NULL"),
        (Kind::Unknown, "fixed(x)", "secret", "NULL"),
    ] {
        let shown = text(algorithm, ColumnType::One(kind), cell);
        assert_eq!(shown, masked, "{algorithm} of {kind:?} {cell}");
    }
}

#[test]
fn what_does_not_read_as_its_type_is_null() {
    for (kind, cells) in [
        (INT4, &["", "x", "+1", "1.0", " 1", "2147483648", "٣"][..]),
        (Kind::Double, &["", "x", "1,5"]),
        (Kind::Decimal, &["", "1e5", "nan", "--1"]),
        (Kind::Boolean, &["", "true", "1"]),
        (Kind::Uuid, &["", "a0eebc99"]),
        (Kind::Bytes, &["\\x0", "\\xzz", "\\", "\\9", "\\400"]),
        (Kind::Json, &["", "{", "secret"]),
        (Kind::Timestamp, &["", "2024-05-16", "2024-05-16T10:00:00", "2024-05-16 10:00:00+00"]),
        (Kind::TimestampTz, &["2024-05-16 10:00:00+0", "2024-05-16 10:00:00+00:00:00:00"]),
    ] {
        for cell in cells {
            for algorithm in
                ["fixed(1)", "bucket(2)", "hash", "truncate(year)", "full", "inner(0, 1)"]
            {
                assert_eq!(
                    text(algorithm, ColumnType::One(kind), cell),
                    "NULL",
                    "{algorithm} of {kind:?} {cell}"
                );
            }
        }
    }
    let latin = shown(&mask("inner(1, 1)", ColumnType::TEXT, Format::Text), Some(b"gr\xfc\xdfe"));
    assert_eq!(latin, None);
    for (kind, cell) in [
        (INT4, &[0, 0, 1][..]),
        (INT4, &[]),
        (Kind::Double, &[0; 4]),
        (Kind::Boolean, &[2]),
        (Kind::Date, &[0; 8]),
        (Kind::Time, &[255; 8]),
        (Kind::Uuid, &[0; 15]),
        (Kind::Jsonb, b"\x02{}"),
        (Kind::Jsonb, b""),
        (Kind::Decimal, &[0; 7]),
    ] {
        for algorithm in ["fixed(1)", "bucket(2)", "hash", "full"] {
            assert_eq!(binary(algorithm, kind, cell), None, "{algorithm} of {kind:?} {cell:?}");
        }
    }
}

#[test]
fn binary_forms_are_masked_as_their_text() {
    assert_eq!(
        binary("bucket(10)", INT4, &17_i32.to_be_bytes()),
        Some(10_i32.to_be_bytes().into())
    );
    let small = Kind::Integer(Width::Two);
    assert_eq!(
        binary("fixed(-2)", small, &17_i16.to_be_bytes()),
        Some((-2_i16).to_be_bytes().into())
    );
    assert_eq!(binary("full", Kind::Jsonb, b"\x01{}"), Some(b"\x01\"******\"".to_vec()));
    assert_eq!(binary("json($.a, full)", Kind::Jsonb, b"\x01[]"), Some(b"\x01[]".to_vec()));
    let day = binary("truncate(year)", Kind::Date, &59_i32.to_be_bytes());
    assert_eq!(day, Some(0_i32.to_be_bytes().into()));
    assert_eq!(binary("truncate(year)", Kind::Date, &i32::MAX.to_be_bytes()), None);
    assert_eq!(binary("fixed(t)", Kind::Boolean, &[0]), Some(vec![1]));
    // Beyond what the server holds.
    assert_eq!(binary("truncate(year)", Kind::Timestamp, &(i64::MIN + 1).to_be_bytes()), None);
}

#[test]
fn one_value_has_one_hash_in_every_type_that_shows_it() {
    let as_text = text("hash", ColumnType::TEXT, "1234567");
    assert_eq!(as_text.len(), 64);
    let wide = text("hash", ColumnType::One(Kind::Integer(Width::Eight)), "1234567");
    let wide: i64 = wide.parse().expect("an integer");
    let first = i64::from_str_radix(&as_text[..16], 16).unwrap_or_else(|_| {
        u64::from_str_radix(&as_text[..16], 16).expect("hexadecimal").cast_signed()
    });
    assert_eq!(wide, first & i64::MAX);
    assert_eq!(text("hash", ColumnType::One(INT4), "1234567"), (wide & 0x7fff_ffff).to_string());
    let cell = binary("hash", INT4, &1_234_567_i32.to_be_bytes()).expect("a hash");
    assert_eq!(cell, i32::try_from(wide & 0x7fff_ffff).expect("31 bits").to_be_bytes());
    // Blanks that only pad are no part of the value.
    assert_eq!(text("hash", ColumnType::One(Kind::Padded), "1234567   "), as_text);
}

#[test]
fn a_derived_value_is_replaced_whole() {
    for (holds, masked) in [
        (ColumnType::TEXT, Some(&b"******"[..])),
        (ColumnType::One(Kind::Padded), Some(b"******")),
        (ColumnType::One(Kind::Jsonb), None),
        (ColumnType::One(INT4), None),
        (ColumnType::Array(Kind::Text), None),
        (ColumnType::UNKNOWN, None),
    ] {
        for format in [Format::Text, Format::Binary] {
            let mask = CellMask { mask: Mask::Whole, nulls: Nulls::Stay, holds, format };
            assert_eq!(shown(&mask, Some(b"secret")).as_deref(), masked, "{holds:?}");
            assert_eq!(shown(&mask, None), None);
        }
    }
}

#[test]
fn null_is_hidden_only_where_a_rule_says_so() {
    for (kind, algorithm, masked) in [
        (Kind::Text, "full('#')", Some("#")),
        (Kind::Text, "email", Some("******")),
        (Kind::Text, "hash", Some("******")),
        (Kind::Text, "null", None),
        (INT4, "fixed(7)", Some("7")),
        (INT4, "fixed(x)", None),
        (INT4, "bucket(10)", None),
        (Kind::Date, "fixed(2000-01-01)", Some("2000-01-01")),
        (Kind::Jsonb, "full", Some("\"******\"")),
        (Kind::Decimal, "fixed(1)", Some("1")),
        (Kind::Unknown, "fixed(1)", None),
    ] {
        let mut mask = mask(algorithm, ColumnType::One(kind), Format::Text);
        assert_eq!(shown(&mask, None), None);
        mask.nulls = Nulls::Hidden;
        let masked = masked.map(|text| text.as_bytes().to_vec());
        assert_eq!(shown(&mask, None), masked, "{algorithm} of {kind:?}");
    }
}

#[test]
fn arrays_of_text_are_masked_by_element() {
    let texts = ColumnType::Array(Kind::Text);
    for (algorithm, cell, masked) in [
        ("inner(1, 1)", "{}", "{}"),
        ("inner(1, 1)", "{abc,NULL,null,xyz}", "{a*c,NULL,NULL,x*z}"),
        ("inner(1, 1)", r#"{"a b c","NULL","x,}","a\"b\\"}"#, r#"{a***c,N**L,"x*}","a**\\"}"#),
        ("inner(1, 1)", "{{abc,x},{NULL,xyz}}", "{{a*c,******},{NULL,x*z}}"),
        ("inner(1, 1)", "[0:1]={abc,xyz}", "[0:1]={a*c,x*z}"),
        ("full('')", "{abc}", "{\"\"}"),
        ("full(null)", "{abc}", "{\"null\"}"),
        ("null", "{abc,\"\"}", "{NULL,NULL}"),
        ("inner(1, 1)", "", "NULL"),
        ("inner(1, 1)", "abc", "NULL"),
        ("inner(1, 1)", "{abc", "NULL"),
        ("inner(1, 1)", "{abc}}", "NULL"),
        ("inner(1, 1)", "{abc}secret", "NULL"),
        ("inner(1, 1)", "{abc}{secret}", "NULL"),
        ("inner(1, 1)", "{\"abc}", "NULL"),
        ("inner(1, 1)", "{a\"b}", "NULL"),
        ("inner(1, 1)", "{\"a\"b}", "NULL"),
        ("inner(1, 1)", "{abc,}", "NULL"),
        ("inner(1, 1)", "{,abc}", "NULL"),
        ("inner(1, 1)", "{a\\", "NULL"),
        ("inner(1, 1)", "[secret]={abc}", "NULL"),
        ("inner(1, 1)", "{{{{{{{abc}}}}}}}", "NULL"),
    ] {
        assert_eq!(text(algorithm, texts, cell), masked, "{algorithm} of {cell}");
    }
    let numbers = ColumnType::Array(INT4);
    assert_eq!(text("bucket(10)", numbers, "{17,NULL,-1}"), "{10,NULL,-10}");
    assert_eq!(text("bucket(10)", numbers, "{17,x}"), "{10,NULL}");
    assert_eq!(text("full", numbers, "{17}"), "{NULL}");
    let documents = ColumnType::Array(Kind::Json);
    assert_eq!(
        text("json($.a, full)", documents, r#"{"{\"a\": 1}"}"#),
        r#"{"{\"a\": \"******\"}"}"#
    );
}

fn array(flags: u8, lengths: &[i32], elements: &[Option<&[u8]>]) -> Vec<u8> {
    let dimensions = u8::try_from(lengths.len()).expect("few");
    let mut cell = vec![0, 0, 0, dimensions, 0, 0, 0, flags, 0, 0, 0, 23];
    for length in lengths {
        cell.extend([length.to_be_bytes(), 1_i32.to_be_bytes()].concat());
    }
    for element in elements {
        crate::wire::pg::body::put_value(&mut cell, *element);
    }
    cell
}

#[test]
fn arrays_in_binary_are_masked_by_element() {
    let numbers = ColumnType::Array(INT4);
    let masked =
        |algorithm: &str, cell: &[u8]| shown(&mask(algorithm, numbers, Format::Binary), Some(cell));
    let (ten, seventeen) = (10_i32.to_be_bytes(), 17_i32.to_be_bytes());
    let two = array(0, &[2], &[Some(&seventeen), Some(&ten)]);
    assert_eq!(masked("bucket(10)", &two), Some(array(0, &[2], &[Some(&ten), Some(&ten)])));
    assert_eq!(masked("full", &two), Some(array(1, &[2], &[None, None])));
    let square = array(1, &[1, 2], &[None, Some(&seventeen)]);
    assert_eq!(masked("bucket(10)", &square), Some(array(1, &[1, 2], &[None, Some(&ten)])));
    let empty = array(0, &[], &[]);
    assert_eq!(masked("bucket(10)", &empty), Some(empty.clone()));
    // An element that isn't one is NULL; a form that isn't one makes all of it NULL.
    let odd = array(0, &[2], &[Some(b"secret"), Some(&ten)]);
    assert_eq!(masked("bucket(10)", &odd), Some(array(1, &[2], &[None, Some(&ten)])));
    for bad in [
        array(0, &[3], &[Some(&ten)]),
        array(0, &[1], &[Some(&ten), Some(&ten)]),
        array(0, &[], &[Some(&ten)]),
        array(2, &[1], &[Some(&ten)]),
        array(0, &[1; 7], &[Some(&ten)]),
        array(0, &[-1], &[]),
        array(0, &[i32::MAX, i32::MAX, i32::MAX], &[Some(&ten)]),
        two[..two.len() - 1].to_vec(),
        vec![],
    ] {
        assert_eq!(masked("bucket(10)", &bad), None, "{bad:?}");
    }
}

/// All kinds, with each the algorithms that make something of it.
fn masks() -> impl Strategy<Value = (ColumnType, String)> {
    let kinds = prop::sample::select(vec![
        Kind::Text,
        Kind::Padded,
        Kind::Integer(Width::Two),
        INT4,
        Kind::Integer(Width::Eight),
        Kind::Single,
        Kind::Double,
        Kind::Decimal,
        Kind::Money,
        Kind::Boolean,
        Kind::Date,
        Kind::Time,
        Kind::Timestamp,
        Kind::TimestampTz,
        Kind::Uuid,
        Kind::Json,
        Kind::Jsonb,
        Kind::Bytes,
        Kind::Enumeration,
        Kind::Unknown,
    ]);
    let algorithms = prop::sample::select(vec![
        "null",
        "full",
        "fixed(1)",
        "partial",
        "range(0, 2, x)",
        "inner(1, 1)",
        "outer(1, 1)",
        "email",
        "card",
        "hash",
        "bucket(7)",
        "truncate(month)",
        "shift(20)",
        "json($.a, hash, $.b[*], inner(1, 1))",
    ]);
    (kinds, any::<bool>(), algorithms).prop_map(|(kind, array, algorithm)| {
        let holds = if array { ColumnType::Array(kind) } else { ColumnType::One(kind) };
        (holds, algorithm.to_owned())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn no_cell_of_any_type_panics((holds, algorithm) in masks(), cell: Vec<u8>, printed in ".{0,12}") {
        for format in [Format::Text, Format::Binary] {
            let mask = mask(&algorithm, holds, format);
            let _ = shown(&mask, Some(&cell));
            let _ = shown(&mask, Some(printed.as_bytes()));
        }
    }

    #[test]
    fn a_number_masks_alike_in_both_formats(value: i32, algorithm in "hash|bucket\\(7\\)|fixed\\(5\\)|full") {
        let printed = text(&algorithm, ColumnType::One(INT4), &value.to_string());
        let packed = binary(&algorithm, INT4, &value.to_be_bytes());
        let packed = packed.map(|cell| i32::from_be_bytes(cell.try_into().expect("four bytes")));
        prop_assert_eq!(printed, packed.map_or("NULL".to_owned(), |value| value.to_string()));
    }

    #[test]
    fn elements_survive_the_text_of_arrays(elements in prop::collection::vec("[a\"\\\\,{} ]{0,5}", 0..5)) {
        // Written as the server does: all in quotes, which it reads alike.
        let quote = |e: &String| format!("\"{}\"", e.replace('\\', "\\\\").replace('"', "\\\""));
        let cell = format!("{{{}}}", elements.iter().map(quote).collect::<Vec<_>>().join(","));
        let shown = text("range(0, 1, x)", ColumnType::Array(Kind::Text), &cell);
        let again = text("range(0, 1, y)", ColumnType::Array(Kind::Text), &shown);
        let count = |text: &str| text.matches('x').count();
        prop_assert_eq!(count(&shown), elements.iter().filter(|e| !e.is_empty()).count());
        prop_assert_eq!(count(&again), 0);
    }
}
