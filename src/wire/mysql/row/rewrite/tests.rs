use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::{
    kernel::mask::{Column, ColumnType, Mask, Nulls},
    wire::mysql::{cell::column_type, column, field::put_cell, value::TypeCode},
};

const TYPES: [TypeCode; 5] =
    [TypeCode::LONG, TypeCode::VAR_STRING, TypeCode::DATE, TypeCode::VAR_STRING, TypeCode::TINY];

fn columns() -> Vec<column::Column<'static>> {
    let collation = |code| if code == TypeCode::VAR_STRING { 45 } else { column::BINARY };
    TYPES
        .into_iter()
        .map(|code| column::Column { code, ..column::Column::text(b"c", collation(code)) })
        .collect()
}

fn shapes() -> Vec<Shape> {
    columns().iter().map(Shape::of).collect()
}

/// A plan by signs: `+` masks by `inner(1, 1)`, `0` by `null`, `.` not at all.
fn plan(signs: &str, format: Format) -> Plan {
    let key = Arc::new(Key::new(b"a key of the tests").expect("long enough"));
    let columns = columns();
    let masked = signs.chars().enumerate().map(|(at, sign)| Column {
        holds: columns.get(at).map_or(ColumnType::TEXT, column_type),
        format,
        mask: match sign {
            '+' => Some((Mask::Column(Arc::new("inner(1, 1)".parse().expect("one"))), Nulls::Stay)),
            '0' => Some((Mask::Column(Arc::new("null".parse().expect("one"))), Nulls::Stay)),
            'h' => Some((Mask::Whole, Nulls::Hidden)),
            _ => None,
        },
    });
    Plan::new(masked, &key)
}

fn text_row(cells: [Option<&[u8]>; 5]) -> Vec<u8> {
    let mut out = Vec::new();
    for cell in cells {
        put_cell(&mut out, cell);
    }
    out
}

/// NULL bits, and what stands behind them.
fn binary_row(nulls: u8, cells: &[&[u8]]) -> Vec<u8> {
    [&[BINARY_ROW, nulls], cells.concat().as_slice()].concat()
}

#[test]
fn a_text_row_is_copied_but_for_its_masked_cells() {
    let (number, date) = (Some(&b"17"[..]), Some(&b"2026-11-26"[..]));
    let before = text_row([number, Some(b"abcd"), date, None, Some(b"5")]);
    for (signs, after) in [
        (".....", before.clone()),
        (".+...", text_row([number, Some(b"a**d"), date, None, Some(b"5")])),
        ("00000", text_row([None, None, None, None, None])),
        ("...+.", before.clone()),
        ("...h.", text_row([number, Some(b"abcd"), date, Some(b"******"), Some(b"5")])),
    ] {
        let mut out = b"before".to_vec();
        let plan = plan(signs, Format::Text);
        let count = rewrite(&mut out, &before, (&shapes(), &plan, Format::Text)).expect("a row");
        assert_eq!(out, [b"before".to_vec(), after].concat(), "{signs}");
        assert_eq!(count, signs.chars().filter(|sign| *sign != '.').count());
    }
}

#[test]
fn a_binary_row_is_copied_but_for_its_masked_cells_and_their_null_bits() {
    let cells: [&[u8]; 5] = [&[17, 0, 0, 0], b"\x04abcd", &[4, 0xea, 7, 11, 26], b"", &[5]];
    // The fourth is NULL: bit 5.
    let before = binary_row(0b0010_0000, &cells);
    let [number, _, date, _, small] = cells;
    for (signs, after) in [
        (".....", before.clone()),
        (".+...", binary_row(0b0010_0000, &[number, b"\x04a**d", date, small])),
        ("00000", binary_row(0b0111_1100, &[])),
        ("0....", binary_row(0b0010_0100, &[b"\x04abcd", date, small])),
        ("...h.", binary_row(0, &[number, b"\x04abcd", date, b"\x06******", small])),
    ] {
        let mut out = b"before".to_vec();
        let plan = plan(signs, Format::Binary);
        let count = rewrite(&mut out, &before, (&shapes(), &plan, Format::Binary)).expect("a row");
        assert_eq!(out, [b"before".to_vec(), after].concat(), "{signs}");
        assert_eq!(count, signs.chars().filter(|sign| *sign != '.').count());
    }
}

#[test]
fn long_values_have_long_lengths() {
    for length in [249, 250, 251, 252, 65_535, 65_536, 65_538] {
        let value = vec![b'x'; length];
        let before = text_row([None, Some(&value), None, Some(b"behind"), None]);
        let mut masked = vec![b'*'; length];
        (masked[0], masked[length - 1]) = (b'x', b'x');
        let after = text_row([None, Some(&masked), None, Some(b"behind"), None]);
        let mut out = Vec::new();
        let plan = plan(".+...", Format::Text);
        rewrite(&mut out, &before, (&shapes(), &plan, Format::Text)).expect("a row");
        assert!(out == after, "{length}");
    }
}

#[test]
fn a_row_that_does_not_fit_its_plan_is_not_written() {
    let text = text_row([Some(b"17"), Some(b"abcd"), None, None, None]);
    let binary = binary_row(0b0111_0000, &[&[17, 0, 0, 0], b"\x04abcd"]);
    for (row, format) in [(&text, Format::Text), (&binary, Format::Binary)] {
        for (signs, cut) in [(".+", 0), (".+....", 0), (".+...", 4), (".+...", row.len() - 1)] {
            let row = &row[..row.len() - cut];
            let mut out = b"before".to_vec();
            let plan = plan(signs, format);
            let written = rewrite(&mut out, row, (&shapes(), &plan, format));
            assert!(written.is_err(), "{signs} {cut} {format:?}");
            assert_eq!(out, b"before");
        }
    }
}

proptest! {
    #[test]
    fn no_row_panics_and_masked_nulls_show_nothing(
        bytes in prop::collection::vec(any::<u8>(), 0..80), signs in "[+0h.]{5}",
    ) {
        for format in [Format::Text, Format::Binary] {
            let mut out = Vec::new();
            let plan = plan(&signs, format);
            let _ = rewrite(&mut out, &bytes, (&shapes(), &plan, format));
        }
    }
}
