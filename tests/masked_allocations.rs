//! Writing masked rows allocates nothing but room in the buffer they are written to, and that only until
//! it is large enough: counted by an allocator of this test's own, over every algorithm, format and type.

#[path = "support/masked_rows.rs"]
mod masked_rows;
#[path = "support/mod.rs"]
mod support;

use hallpass::kernel::mask::{ColumnType, Format, Kind, Width};
use masked_rows::{Cell, INSTANT, Wire, Writer, plan, row_of, ten};

const ALGORITHMS: [&str; 30] = [
    "null",
    "full",
    "full('\"x,\\y{}')",
    "fixed('2020-02-03')",
    "fixed(7)",
    "fixed('-1.50')",
    "fixed('')",
    "fixed(t)",
    "fixed('[1, \"x\"]')",
    "fixed('00000000-0000-0000-0000-00000000000a')",
    "partial",
    "range(0, 2, '#', -3, -1, '\"')",
    "inner(1, 1)",
    "inner(0, 4)",
    "outer(1, 2, 'ß')",
    "email",
    "card",
    "hash",
    "bucket(10)",
    "bucket(0.25)",
    "bucket(12345678901234567890123456789)",
    "truncate(year)",
    "truncate(quarter)",
    "truncate(month)",
    "truncate(week)",
    "truncate(day)",
    "truncate(hour)",
    "truncate(minute)",
    "shift(400)",
    "json($.\"n\\ame\", inner(1, 1), $.b[*], hash, $.c.d, bucket(10), $.\"e f\", full)",
];

const DOCUMENT: &str = r#"{"name": "Alice \"A\" Example", "b": ["x\ny", 1, null, "\u00e4\ud83d\ude00"], "c": {"d": 17.5}, "n\\ame": "x\\y", "e f": {"g": 1}, "\u0068": [1]}"#;

/// A value of each type, long and odd ones among them.
fn all_types() -> Vec<Cell> {
    use Kind as K;
    let long = "lo\"ng, \\ and\todd ä ".repeat(100);
    let bytes: Vec<u8> = (0..=255_u8).cycle().take(1000).collect();
    let hex = |bytes: &[u8]| bytes.iter().fold("\\x".to_owned(), |s, b| format!("{s}{b:02x}"));
    let of_json = [&[1], DOCUMENT.as_bytes()].concat();
    let double = 1234.5_f64.to_be_bytes();
    vec![
        Cell::text("alice@example.com"),
        Cell::text("4111 1111 1111 1234"),
        Cell::text("älice@exämple.com"),
        Cell::text(&long),
        Cell::one(K::Padded, "abc   ", b"abc   "),
        Cell::one(K::Integer(Width::Two), "17", &17_i16.to_be_bytes()),
        Cell::one(K::Integer(Width::Four), "-17", &(-17_i32).to_be_bytes()),
        Cell::one(K::Integer(Width::Eight), "1234567", &1_234_567_i64.to_be_bytes()),
        Cell::one(K::Single, "1234.5", &1234.5_f32.to_be_bytes()),
        Cell::one(K::Double, "1234.5", &double),
        Cell::one(K::Decimal, "17.30", &[0, 2, 0, 0, 0, 0, 0, 2, 0, 17, 0x0b, 0xb8]),
        Cell::one(K::Money, "$17.30", &1730_i64.to_be_bytes()),
        Cell::one(K::Boolean, "t", &[1]),
        Cell::one(K::Date, "2024-05-16", &8_902_i32.to_be_bytes()),
        Cell::one(K::Time, "10:20:30.123456", &37_230_123_456_i64.to_be_bytes()),
        Cell::one(K::Timestamp, "2024-05-16 10:20:30.123456", &INSTANT.to_be_bytes()),
        Cell::one(K::TimestampTz, "2024-05-16 12:20:30.123456+02", &INSTANT.to_be_bytes()),
        Cell::one(K::Interval, "1 day", &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
        Cell::one(K::Uuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", &[0xa0; 16]),
        Cell::one(K::Json, DOCUMENT, DOCUMENT.as_bytes()),
        Cell::one(K::Jsonb, DOCUMENT, &of_json),
        Cell::one(K::Bytes, "\\x00ff", &[0, 255]),
        Cell::one(K::Bytes, &hex(&bytes), &bytes),
        Cell::one(K::Bytes, &"a\\\\b\\001".repeat(100), &b"a\\b\x01".repeat(100)),
        Cell::one(K::Enumeration, "open", b"open"),
        array(K::Text, &[Some("abc"), None, Some("a \"b\""), Some(&long)], 25),
        array(K::Json, &[Some(DOCUMENT), Some("[\"x\", 1]")], 114),
        Cell::new(
            ColumnType::Array(K::Bytes),
            format!("{{\"\\{}\",\"\\\\x00ff\"}}", hex(&bytes)).as_bytes(),
            &elements(&[Some(&bytes), Some(&[0, 255])], 17),
        ),
    ]
}

/// An array of texts.
fn array(kind: Kind, values: &[Option<&str>], oid: u32) -> Cell {
    let quoted = |value: Option<&str>| match value {
        None => "NULL".to_owned(),
        Some(value) => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
    };
    let text = values.iter().copied().map(quoted).collect::<Vec<_>>().join(",");
    let binary: Vec<_> = values.iter().map(|value| value.map(str::as_bytes)).collect();
    Cell::new(ColumnType::Array(kind), format!("{{{text}}}").as_bytes(), &elements(&binary, oid))
}

fn elements(values: &[Option<&[u8]>], oid: u32) -> Vec<u8> {
    let has_null = u32::from(values.contains(&None));
    let length = u32::try_from(values.len()).expect("few");
    let mut out: Vec<u8> =
        [1, has_null, oid, length, 1].iter().flat_map(|n| n.to_be_bytes()).collect();
    for value in values {
        match value {
            None => out.extend((-1_i32).to_be_bytes()),
            Some(value) => {
                out.extend(u32::try_from(value.len()).expect("short").to_be_bytes());
                out.extend_from_slice(value);
            }
        }
    }
    out
}

/// Writes so many rows after some to grow by, and counts what that allocates.
fn allocations(cells: &[Cell], wire: Wire, algorithm: &str, rows: usize) -> u64 {
    let mut writer = Writer::new(plan(cells, wire, &vec![algorithm; cells.len()]), wire);
    let row = row_of(cells, wire);
    let mut out = Vec::new();
    let mut some = |rows: usize| {
        for at in 0..rows {
            // As if it had left.
            if at % 8 == 0 {
                out.clear();
            }
            assert_eq!(writer.write(&mut out, &row), cells.len());
        }
    };
    some(16);
    allocation_counter::measure(|| some(rows)).count_total
}

#[test]
fn masked_rows_of_all_algorithms_and_formats_allocate_nothing() {
    // Without optimization fewer, for the time it takes.
    let rows = if cfg!(debug_assertions) { 2_000 } else { 10_000 };
    for algorithm in ALGORITHMS {
        for wire in Wire::ALL {
            assert_eq!(allocations(&ten(), wire, algorithm, rows), 0, "{algorithm}, {wire:?}");
        }
    }
}

#[test]
fn no_type_of_value_makes_a_masked_row_allocate() {
    for algorithm in ALGORITHMS {
        for wire in Wire::ALL {
            // Each alone, so that what one needs isn't there already because of another.
            for cell in all_types() {
                let count = allocations(std::slice::from_ref(&cell), wire, algorithm, 100);
                assert_eq!(count, 0, "{algorithm}, {wire:?}, {:?}", cell.holds);
            }
            assert_eq!(allocations(&all_types(), wire, algorithm, 100), 0, "{algorithm}, {wire:?}");
        }
    }
}

/// The counting counts: what is allocated on purpose is seen, in a row's own buffer too.
#[test]
fn an_allocation_is_seen() {
    let counted = allocation_counter::measure(|| drop(std::hint::black_box(Box::new(1))));
    assert_eq!(counted.count_total, 1);
    let (cells, wire) = (ten(), Wire::Rows(Format::Text));
    let mut writer = Writer::new(plan(&cells, wire, &["hash"; 10]), wire);
    let row = row_of(&cells, wire);
    let counted = allocation_counter::measure(|| {
        let mut out = Vec::new();
        (0..10_000).for_each(|_| assert_eq!(writer.write(&mut out, &row), 10));
    });
    // Room that doubles, and nothing else.
    assert!((5..40).contains(&counted.count_total), "{}", counted.count_total);
}
