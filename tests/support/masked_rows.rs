//! Rows in every format that they travel in, and plans that mask them: for what is measured and counted.

use std::sync::{Arc, LazyLock};

use hallpass::{
    kernel::mask::{Column, ColumnType, Format, Key, Kind, Mask, Nulls, Plan, Width},
    wire::pg::{
        copy_rows::{CopyFormat, CopyRows},
        row,
    },
};

use crate::support::raw::{copy_data, frame};

static KEY: LazyLock<Arc<Key>> =
    LazyLock::new(|| Arc::new(Key::new(b"a key of the tests").expect("long enough")));

/// How rows travel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wire {
    /// DataRow.
    Rows(Format),
    /// COPY with FORMAT text.
    CopyText,
    /// COPY with FORMAT csv.
    CopyCsv,
    /// COPY with FORMAT binary.
    CopyBinary,
}

impl Wire {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [
        Self::Rows(Format::Text),
        Self::Rows(Format::Binary),
        Self::CopyText,
        Self::CopyCsv,
        Self::CopyBinary,
    ];

    fn format(self) -> Format {
        match self {
            Self::Rows(format) => format,
            Self::CopyText | Self::CopyCsv => Format::Text,
            Self::CopyBinary => Format::Binary,
        }
    }
}

/// A value of a column, in both formats.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// What the column holds.
    pub(crate) holds: ColumnType,
    text: Vec<u8>,
    binary: Vec<u8>,
}

impl Cell {
    /// A value.
    pub(crate) fn new(holds: ColumnType, text: &[u8], binary: &[u8]) -> Self {
        Self { holds, text: text.to_vec(), binary: binary.to_vec() }
    }

    /// One value that is no array.
    pub(crate) fn one(kind: Kind, text: &str, binary: &[u8]) -> Self {
        Self::new(ColumnType::One(kind), text.as_bytes(), binary)
    }

    /// Characters: both formats are the same.
    pub(crate) fn text(text: &str) -> Self {
        Self::one(Kind::Text, text, text.as_bytes())
    }
}

/// 2024-05-16 10:20:30.123456 UTC, in microseconds from 2000.
pub(crate) const INSTANT: i64 = 769_170_030_123_456;

/// Ten columns as many tables have them.
pub(crate) fn ten() -> Vec<Cell> {
    vec![
        Cell::one(Kind::Integer(Width::Eight), "1234567", &1_234_567_i64.to_be_bytes()),
        Cell::text("alice@example.com"),
        Cell::text("Alice Example"),
        Cell::one(Kind::TimestampTz, "2024-05-16 10:20:30.123456+00", &INSTANT.to_be_bytes()),
        Cell::one(Kind::Decimal, "17.30", &[0, 2, 0, 0, 0, 0, 0, 2, 0, 17, 0x0b, 0xb8]),
        Cell::text("some words of an ordinary length"),
        Cell::text("4111111111111234"),
        Cell::text("active"),
        Cell::text("DE"),
        Cell::one(Kind::Integer(Width::Four), "42", &42_i32.to_be_bytes()),
    ]
}

/// A plan with these algorithms; `-` for none.
pub(crate) fn plan(cells: &[Cell], wire: Wire, algorithms: &[&str]) -> Plan {
    assert_eq!(cells.len(), algorithms.len());
    let column = |(cell, algorithm): (&Cell, &&str)| Column {
        holds: cell.holds,
        format: wire.format(),
        mask: (*algorithm != "-")
            .then(|| (Mask::Column(Arc::new(algorithm.parse().expect(algorithm))), Nulls::Stay)),
    };
    Plan::new(cells.iter().zip(algorithms).map(column), &KEY)
}

/// One row as a frame.
pub(crate) fn row_of(cells: &[Cell], wire: Wire) -> Vec<u8> {
    match wire {
        Wire::Rows(_) => frame(b'D', &counted(cells, wire)),
        Wire::CopyBinary => copy_data(&counted(cells, wire)),
        Wire::CopyText | Wire::CopyCsv => {
            let mut line = Vec::new();
            for (at, cell) in cells.iter().enumerate() {
                if at > 0 {
                    line.push(if wire == Wire::CopyText { b'\t' } else { b',' });
                }
                if wire == Wire::CopyText {
                    escaped(&mut line, cell);
                } else {
                    quoted(&mut line, cell);
                }
            }
            line.push(b'\n');
            copy_data(&line)
        }
    }
}

fn counted(cells: &[Cell], wire: Wire) -> Vec<u8> {
    let mut body = u16::try_from(cells.len()).expect("few").to_be_bytes().to_vec();
    for cell in cells {
        let bytes = if wire.format() == Format::Text { &cell.text } else { &cell.binary };
        body.extend(u32::try_from(bytes.len()).expect("short").to_be_bytes());
        body.extend_from_slice(bytes);
    }
    body
}

fn escaped(line: &mut Vec<u8>, cell: &Cell) {
    for byte in &cell.text {
        match byte {
            b'\\' => line.extend(b"\\\\"),
            b'\t' => line.extend(b"\\t"),
            b'\n' => line.extend(b"\\n"),
            other => line.push(*other),
        }
    }
}

fn quoted(line: &mut Vec<u8>, cell: &Cell) {
    let quotes = cell.text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n'));
    if !quotes {
        return line.extend_from_slice(&cell.text);
    }
    line.push(b'"');
    for byte in &cell.text {
        if *byte == b'"' {
            line.push(b'"');
        }
        line.push(*byte);
    }
    line.push(b'"');
}

/// What writes rows under a plan.
pub(crate) enum Writer {
    /// Of a result.
    Rows(Plan),
    /// Of a copy.
    Copy(Box<CopyRows>),
}

impl Writer {
    /// For rows of this kind.
    pub(crate) fn new(plan: Plan, wire: Wire) -> Self {
        let format = match wire {
            Wire::Rows(_) => return Self::Rows(plan),
            Wire::CopyText => CopyFormat::text(),
            Wire::CopyCsv => CopyFormat::Csv(CopyFormat::csv()),
            Wire::CopyBinary => CopyFormat::Binary,
        };
        let mut copy = CopyRows::new(plan, format);
        if wire == Wire::CopyBinary {
            let beginning = copy_data(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
            copy.rewrite(&mut Vec::new(), &beginning).expect("a header");
        }
        Self::Copy(Box::new(copy))
    }

    /// Appends a row as it is shown.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, row: &[u8]) -> usize {
        match self {
            Self::Rows(plan) => row::rewrite(out, row, plan),
            Self::Copy(copy) => copy.rewrite(out, row),
        }
        .expect("a row")
    }
}
