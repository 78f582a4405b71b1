//! How long it takes to write a row of ten columns under masks, in each format; and each algorithm alone.

use std::{hint::black_box, time::Instant};

use hallpass::kernel::mask::{Format, Plan};

use crate::masked_rows::{Cell, Wire, Writer, plan, row_of, ten};

/// Which of the ten columns are masked, and how.
const PLANS: [(&str, &[(usize, &str)]); 7] = [
    ("nothing (copied)", &[]),
    ("email and inner(0, 4)", &[(1, "email"), (6, "inner(0, 4)")]),
    ("partial and card", &[(2, "partial"), (6, "card")]),
    ("full and null", &[(1, "full"), (9, "null")]),
    ("bucket(10) and truncate(month)", &[(4, "bucket(10)"), (3, "truncate(month)")]),
    ("hash and hash", &[(1, "hash"), (6, "hash")]),
    (
        "all ten",
        &[
            (0, "bucket(10)"),
            (1, "email"),
            (2, "inner(1, 1)"),
            (3, "truncate(month)"),
            (4, "bucket(10)"),
            (5, "partial"),
            (6, "card"),
            (7, "full"),
            (8, "null"),
            (9, "bucket(10)"),
        ],
    ),
];

fn of_ten(cells: &[Cell], wire: Wire, masks: &[(usize, &str)]) -> Plan {
    let algorithm = |at| masks.iter().find(|(column, _)| *column == at).map_or("-", |(_, a)| *a);
    plan(cells, wire, &(0..10).map(algorithm).collect::<Vec<_>>())
}

/// The best of some runs of each, in nanoseconds a row.
fn best<const N: usize>(mut writers: [(Writer, Vec<u8>); N], rows: usize) -> [f64; N] {
    let mut out = Vec::with_capacity(1 << 18);
    let mut best = [f64::MAX; N];
    for _ in 0..15 {
        for ((writer, row), best) in writers.iter_mut().zip(&mut best) {
            let began = Instant::now();
            for _ in 0..rows.div_ceil(500) {
                out.clear();
                for _ in 0..500 {
                    writer.write(&mut out, black_box(row));
                }
                black_box(&out);
            }
            *best = best.min(began.elapsed().as_secs_f64() * 1e9 / rows as f64);
        }
    }
    best
}

#[test]
fn the_time_of_a_masked_row() {
    let Some(wanted) = std::env::var_os("HALLPASS_TIME_MASKS") else { return };
    // As many rows of one kind as are asked for: for a profiler.
    if let Some((at, rows)) = wanted.to_str().and_then(|text| text.split_once(':')) {
        let (wire, masks) = at.split_once(',').expect("a format and a plan");
        let wire = Wire::ALL[wire.parse::<usize>().expect("a format")];
        let cells = ten();
        let (_, masks) = PLANS[masks.parse::<usize>().expect("a plan")];
        let mut writer = Writer::new(of_ten(&cells, wire, masks), wire);
        let (row, mut out) = (row_of(&cells, wire), Vec::with_capacity(1 << 18));
        for _ in 0..rows.parse::<usize>().expect("a count") / 500 {
            out.clear();
            for _ in 0..500 {
                writer.write(&mut out, black_box(&row));
            }
        }
        return;
    }
    let cells = ten();
    for wire in Wire::ALL {
        let writers = PLANS.map(|(_, masks)| {
            (Writer::new(of_ten(&cells, wire, masks), wire), row_of(&cells, wire))
        });
        let best = best(writers, 20_000);
        for ((name, _), time) in PLANS.iter().zip(best) {
            eprintln!(
                "{wire:?}, {name}: {time:.0} ns a row, {:.0} on top of copying",
                time - best[0]
            );
        }
        assert!(best[1] - best[0] < 150.0, "{wire:?}: two of ten columns take {best:?} ns");
    }
    let one = |cell: &Cell, algorithm: &str| {
        let writer = |algorithm| {
            let (cells, wire) = (std::slice::from_ref(cell), Wire::Rows(Format::Text));
            (Writer::new(plan(cells, wire, &[algorithm]), wire), row_of(cells, wire))
        };
        let [copied, masked] = best([writer("-"), writer(algorithm)], 20_000);
        eprintln!("{algorithm} of {:?}: {:.0} ns", cell.holds, masked - copied);
    };
    for (at, algorithm) in [
        (1, "email"),
        (1, "full"),
        (1, "fixed('x')"),
        (1, "null"),
        (1, "hash"),
        (1, "partial"),
        (1, "range(0, 3, '#', 5, -1, '#')"),
        (1, "inner(2, 2)"),
        (1, "outer(2, 2)"),
        (6, "card"),
        (0, "bucket(10)"),
        (0, "hash"),
        (4, "bucket(10)"),
        (3, "truncate(month)"),
        (3, "shift(30)"),
    ] {
        one(&cells[at], algorithm);
    }
    let document = r#"{"id": 17, "name": "Alice", "address": {"city": "Berlin", "zip": "10115"}, "tags": ["a", "b"]}"#;
    let json = Cell::one(hallpass::kernel::mask::Kind::Json, document, document.as_bytes());
    one(&json, "json($.name, inner(1, 1), $.address.zip, full)");
}
